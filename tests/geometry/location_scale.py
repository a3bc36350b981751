"""The location–scale families that are not exponential, as the registry lists them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats
import sympy

import igviz as ig
from tests.geometry.family import Family, Symbolic, Twin

_X, _LOCATION = sympy.symbols("x location", real=True)
_SCALE = sympy.Symbol("scale", positive=True)
_Z = sympy.Symbol("z", real=True)


def _parameters(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(0.3, 2.0, shape), np.exp(rng.normal(0.2, 0.7, shape))


def _on_the_line(*distributions: Any) -> tuple[np.ndarray, np.ndarray]:
    """Double-exponential rules between the locations and beyond them, for corners and for heavy tails."""
    shape = np.broadcast_shapes(*(p.shape for p in distributions))
    breaks = np.sort([np.broadcast_to(p.location, shape) for p in distributions], axis=0)
    scale = distributions[0].scale
    u, step = np.linspace(-4.0, 4.0, 241, retstep=True)
    u = u.reshape(-1, *(1,) * len(shape))
    inner, slope = 0.5 * np.pi * np.sinh(u), step * 0.5 * np.pi * np.cosh(u)
    away = scale * np.exp(inner)
    nodes, weights = [breaks[0] - away, breaks[-1] + away], [away * slope] * 2
    for low, high in itertools.pairwise(breaks):
        half = 0.5 * (high - low)
        nodes.append(low + half * (1.0 + np.tanh(inner)))
        weights.append(half * slope / np.cosh(inner) ** 2)
    return np.concatenate(nodes), np.concatenate(weights)


def _expectation(integrate: Callable[[sympy.Expr], sympy.Expr]) -> Callable[[sympy.Expr], sympy.Expr]:
    """Expectation by x = location + scale·z from the mean of a function of z under the standard member."""

    def expect(expression: sympy.Expr) -> sympy.Expr:
        return sympy.simplify(integrate(sympy.simplify(expression.subs(_X, _LOCATION + _SCALE * _Z))))

    return expect


def _cauchy_symbolic() -> Symbolic:
    def integrate(integrand: sympy.Expr) -> sympy.Expr:
        fractions = sympy.apart(integrand / (sympy.pi * (1 + _Z**2)), _Z)
        return sympy.integrate(fractions, (_Z, -sympy.oo, sympy.oo))

    log_density = -sympy.log(1 + ((_X - _LOCATION) / _SCALE) ** 2) - sympy.log(sympy.pi * _SCALE)
    return Symbolic(_X, (_LOCATION, _SCALE), log_density, _expectation(integrate))


def _laplace_symbolic() -> Symbolic:
    half_line = sympy.Symbol("half_line", positive=True)

    def integrate(integrand: sympy.Expr) -> sympy.Expr:
        folded = (integrand.subs(_Z, half_line) + integrand.subs(_Z, -half_line)) / 2
        return sympy.integrate(sympy.expand(folded * sympy.exp(-half_line)), (half_line, 0, sympy.oo))

    log_density = -sympy.Abs(_X - _LOCATION) / _SCALE - sympy.log(2 * _SCALE)
    return Symbolic(_X, (_LOCATION, _SCALE), log_density, _expectation(integrate))


def _logistic_symbolic() -> Symbolic:
    """Under u = 1/(1 + exp(−z)), which is uniform; SymPy's own integral of the scale's entry is wrong."""
    u, t = sympy.symbols("u t", positive=True)

    def moment(power: int, order: int) -> sympy.Expr:
        # E[uᵏ·zʲ] is the j-th derivative by t at 0 of E[uᵏ·(u/(1 − u))ᵗ], a Beta integral
        beta = sympy.gamma(power + 1 + t) * sympy.gamma(1 - t) / sympy.factorial(power + 1)
        return sympy.expand_func(sympy.diff(beta, t, order).subs(t, 0))

    def integrate(integrand: sympy.Expr) -> sympy.Expr:
        odds = u / (1 - u)
        there = integrand.rewrite(sympy.exp).replace(sympy.exp, lambda a: odds ** sympy.simplify(a / _Z))
        terms = sympy.Poly(sympy.cancel(sympy.together(there)), u, _Z).terms()
        return sum(factor * moment(*powers) for powers, factor in terms)

    z = (_X - _LOCATION) / _SCALE
    log_density = -z - 2 * sympy.log(1 + sympy.exp(-z)) - sympy.log(_SCALE)
    return Symbolic(_X, (_LOCATION, _SCALE), log_density, _expectation(integrate))


def student_t_symbolic(degrees: sympy.Expr) -> Symbolic:
    """Under w = z²/(ν + z²), which has a Beta(½, ν/2) distribution: its moments are ratios of products."""
    w = sympy.Symbol("w", positive=True)

    def moment(power: int) -> sympy.Expr:
        half = sympy.Rational(1, 2)
        return sympy.prod((half + i) / ((degrees + 1) / 2 + i) for i in range(power))

    def integrate(integrand: sympy.Expr) -> sympy.Expr:
        even = sympy.cancel(sympy.together((integrand + integrand.subs(_Z, -_Z)) / 2))
        there = sympy.cancel(even.subs(_Z, sympy.sqrt(degrees * w / (1 - w))))
        return sum(factor * moment(power) for (power,), factor in sympy.Poly(there, w).terms())

    z = (_X - _LOCATION) / _SCALE
    height = (
        sympy.loggamma((degrees + 1) / 2) - sympy.loggamma(degrees / 2) - sympy.log(sympy.pi * degrees) / 2
    )
    log_density = height - (degrees + 1) / 2 * sympy.log(1 + z**2 / degrees) - sympy.log(_SCALE)
    return Symbolic(_X, (_LOCATION, _SCALE), log_density, _expectation(integrate))


LOCATION_SCALE = [
    Family(
        cls=ig.Laplace,
        points={
            "single": ig.Laplace(1.3, 0.7),
            "row": ig.Laplace([-2.1, 0.4, 3.7], 1.9),
            "grid": ig.Laplace([[-1.2], [0.8]], [0.3, 1.1, 4.5]),
        },
        random=lambda rng, shape: ig.Laplace(*_parameters(rng, shape)),
        support=_on_the_line,
        scipy=lambda p: Twin(
            scipy.stats.laplace(p.location, p.scale).logpdf,
            scipy.stats.laplace(p.location, p.scale).entropy(),
        ),
        symbolic=_laplace_symbolic(),
        allowed="2",
        refused=3,
        peaked=True,
        kinks=True,
    ),
    Family(
        cls=ig.Cauchy,
        points={
            "single": ig.Cauchy(1.3, 0.7),
            "row": ig.Cauchy([-2.1, 0.4, 3.7], 1.9),
            "grid": ig.Cauchy([[-1.2], [0.8]], [0.3, 1.1, 4.5]),
        },
        random=lambda rng, shape: ig.Cauchy(*_parameters(rng, shape)),
        support=_on_the_line,
        scipy=lambda p: Twin(
            scipy.stats.cauchy(p.location, p.scale).logpdf, scipy.stats.cauchy(p.location, p.scale).entropy()
        ),
        symbolic=_cauchy_symbolic(),
        allowed="2",
        refused=3,
        peaked=True,
        symmetric=True,
    ),
    Family(
        cls=ig.Logistic,
        points={
            "single": ig.Logistic(1.3, 0.7),
            "row": ig.Logistic([-2.1, 0.4, 3.7], 1.9),
            "grid": ig.Logistic([[-1.2], [0.8]], [0.3, 1.1, 4.5]),
        },
        random=lambda rng, shape: ig.Logistic(*_parameters(rng, shape)),
        support=_on_the_line,
        scipy=lambda p: Twin(
            scipy.stats.logistic(p.location, p.scale).logpdf,
            scipy.stats.logistic(p.location, p.scale).entropy(),
        ),
        symbolic=_logistic_symbolic(),
        allowed="2",
        refused=3,
        peaked=True,
    ),
    Family(
        cls=ig.StudentT,
        points={
            "single": ig.StudentT(1.3, 0.7, 3.5),
            "row": ig.StudentT([-2.1, 0.4, 3.7], 1.9, [1.7, 4.2, 40.0]),
            "grid": ig.StudentT([[-1.2], [0.8]], [0.3, 1.1, 4.5], 6.3),
        },
        # one surface: Fisher–Rao paths join distributions of the same degrees of freedom
        random=lambda rng, shape: ig.StudentT(*_parameters(rng, shape), 3.5),
        support=_on_the_line,
        scipy=lambda p: Twin(
            scipy.stats.t(p.degrees_of_freedom, p.location, p.scale).logpdf,
            scipy.stats.t(p.degrees_of_freedom, p.location, p.scale).entropy(),
        ),
        symbolic=student_t_symbolic(sympy.Rational(7, 2)),
        allowed="2",
        refused=3,
        peaked=True,
    ),
]
