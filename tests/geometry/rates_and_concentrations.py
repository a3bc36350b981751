"""The exponential families of counts, waiting times and shares, as the registry lists them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.special
import scipy.stats
import sympy
from sympy.functions.combinatorial.numbers import stirling

import igviz as ig
from tests.geometry.family import Family, Symbolic, Twin


def _random_rates(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.exp(rng.normal(0.8, 0.8, shape))


def _column(values: np.ndarray, p: ig.ExponentialFamily) -> np.ndarray:
    """Values as a first axis before those of the grid."""
    return values.reshape(-1, *(1,) * len(p.shape))


def _polynomial_mean(
    x: sympy.Symbol, moment: Callable[[int], sympy.Expr]
) -> Callable[[sympy.Expr], sympy.Expr]:
    """Expectation of polynomials in x from the moments E[xⁿ]."""

    def expect(expression: sympy.Expr) -> sympy.Expr:
        terms = sympy.Poly(sympy.expand(expression), x).terms()
        return sympy.simplify(sum(factor * moment(power) for (power,), factor in terms))

    return expect


# -- Poisson -------------------------------------------------------------------------------------------------


def _poisson_support(p: ig.Poisson) -> tuple[np.ndarray, np.ndarray]:
    """All counts up to where less than 1e-17 is left of the largest rate here, 40."""
    x = np.broadcast_to(_column(np.arange(140.0), p), (140, *p.shape))
    return x, np.ones_like(x)


def _poisson_twin(p: ig.Poisson) -> Twin:
    # SciPy's own entropy is a sum that stops at 1e-10
    probabilities = scipy.stats.poisson(p.rate).pmf(_poisson_support(p)[0])
    return Twin(scipy.stats.poisson(p.rate).logpmf, scipy.special.entr(probabilities).sum(axis=0))


def _poisson_symbolic() -> Symbolic:
    x, rate = sympy.Symbol("x"), sympy.Symbol("rate", positive=True)

    def moment(n: int) -> sympy.Expr:
        # the factorial moments are powers of the rate
        return sum(stirling(n, k) * rate**k for k in range(n + 1))

    return Symbolic(
        x, (rate,), x * sympy.log(rate) - rate - sympy.loggamma(x + 1), _polynomial_mean(x, moment)
    )


# -- exponential ---------------------------------------------------------------------------------------------


def _positive_support(shape_parameter: np.ndarray, p: ig.Exponential) -> tuple[np.ndarray, np.ndarray]:
    """Trapezoid rule in log x, from where x to the power of the shape parameter is 1e-17."""
    u, step = np.linspace(0.0, 1.0, 601, retstep=True)
    low = np.broadcast_to(-40.0 / shape_parameter, p.shape)
    x = np.exp(low + _column(u, p) * (5.2 - low)) / p.rate
    return x, x * step * (5.2 - low)


def _exponential_symbolic() -> Symbolic:
    x, rate = sympy.symbols("x rate", positive=True)
    return Symbolic(
        x, (rate,), sympy.log(rate) - rate * x, _polynomial_mean(x, lambda n: sympy.factorial(n) / rate**n)
    )


RATES_AND_CONCENTRATIONS = [
    Family(
        cls=ig.Poisson,
        points={
            "single": ig.Poisson(2.7),
            "row": ig.Poisson([0.2, 3.4, 17.0]),
            "grid": ig.Poisson([[0.6, 1.9], [8.3, 39.0]]),
        },
        random=lambda rng, shape: ig.Poisson(_random_rates(rng, shape)),
        support=_poisson_support,
        scipy=_poisson_twin,
        symbolic=_poisson_symbolic(),
        allowed="1",
        refused=2,
    ),
    Family(
        cls=ig.Exponential,
        points={
            "single": ig.Exponential(0.4),
            "row": ig.Exponential([0.07, 1.6, 23.0]),
            "grid": ig.Exponential([[0.3, 2.9], [5.1, 140.0]]),
        },
        random=lambda rng, shape: ig.Exponential(_random_rates(rng, shape)),
        support=lambda p: _positive_support(np.float64(1.0), p),
        scipy=lambda p: Twin(
            scipy.stats.expon(scale=1.0 / p.rate).logpdf, scipy.stats.expon(scale=1.0 / p.rate).entropy()
        ),
        symbolic=_exponential_symbolic(),
        allowed="1",
        refused=2,
    ),
]
