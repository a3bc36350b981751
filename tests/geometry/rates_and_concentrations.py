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


def _positive_support(
    shape_parameter: np.ndarray, p: ig.Exponential | ig.Gamma
) -> tuple[np.ndarray, np.ndarray]:
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


# -- Gamma ---------------------------------------------------------------------------------------------------


def _tidy(expression: sympy.Expr) -> sympy.Expr:
    """Write Γ and its derivatives at one argument where the arguments differ by integers."""
    return sympy.simplify(sympy.expand_func(sympy.gammasimp(expression)))


def _gamma_symbolic() -> Symbolic:
    """Moments of x and log x from the Mellin transform E[xˢ] = Γ(k + s)/(Γ(k)·rateˢ)."""
    x, k, rate = sympy.symbols("x k rate", positive=True)
    s, logarithm = sympy.symbols("s logarithm")
    mellin = sympy.gamma(k + s) / (sympy.gamma(k) * rate**s)

    def expect(expression: sympy.Expr) -> sympy.Expr:
        expanded = sympy.expand(expression.subs(sympy.log(x), logarithm))
        terms = sympy.Poly(expanded, x, logarithm).terms()
        moments = (factor * mellin.diff(s, j).subs(s, i) for (i, j), factor in terms)
        return _tidy(sum(moments))

    log_density = k * sympy.log(rate) - sympy.loggamma(k) + (k - 1) * sympy.log(x) - rate * x
    return Symbolic(x, (k, rate), log_density, expect)


# -- Beta and Dirichlet --------------------------------------------------------------------------------------


def _stick(a: np.ndarray, b: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trapezoid rule in log(x/(1 − x)), as far out as Beta(a, b) has mass.

    Returns x, 1 − x, and weights, with the nodes as last axis.
    """
    low, high = (scipy.special.logit(scipy.special.betaincinv(*c, 1e-18)) for c in ((a, b), (b, a)))
    fraction, step = np.linspace(0.0, 1.0, count, retstep=True)
    u = low[..., None] - (high + low)[..., None] * fraction
    x, rest = scipy.special.expit(u), scipy.special.expit(-u)
    return x, rest, -x * rest * step * (high + low)[..., None]


def _beta_support(p: ig.Beta) -> tuple[np.ndarray, np.ndarray]:
    x, _, weights = _stick(p.a, p.b, 400)
    # what lies beyond the last float before 1 weighs less than 1e-16
    return np.moveaxis(np.minimum(x, 1.0 - 2.0**-53), -1, 0), np.moveaxis(weights, -1, 0)


def _dirichlet_support(p: ig.Dirichlet) -> tuple[np.ndarray, np.ndarray]:
    """Product of rules for the shares of what the shares before have left, 2 or 3 shares in all."""
    a = p.concentration
    if a.shape[-1] == 2:
        x, rest, weights = _stick(a[..., 0], a[..., 1], 300)
        return np.moveaxis(np.stack([x, rest], axis=-1), -2, 0), np.moveaxis(weights, -1, 0)
    first, rest, weights = (v[..., :, None] for v in _stick(a[..., 0], a[..., 1] + a[..., 2], 161))
    second, last, more = (v[..., None, :] for v in _stick(a[..., 1], a[..., 2], 161))
    x = np.stack(np.broadcast_arrays(first, rest * second, rest * last), axis=-1)
    flat = (*p.shape, -1)
    # the density is that of the first two shares, and the second is a fraction of the rest
    weights = (weights * more * rest).reshape(flat)
    return np.moveaxis(x.reshape(*flat, 3), -2, 0), np.moveaxis(weights, -1, 0)


def _dirichlet_twin(p: ig.Dirichlet) -> Twin:
    """SciPy's, one distribution at a time."""
    twins = {i: scipy.stats.dirichlet(p.concentration[i]) for i in np.ndindex(p.shape)}

    def log_prob(x: np.ndarray) -> np.ndarray:
        values = np.empty(x.shape[:-1])
        for i, twin in twins.items():
            values[(..., *i)] = twin.logpdf(x[(..., *i, slice(None))].T)
        return values

    return Twin(log_prob, np.array([twin.entropy() for twin in twins.values()]).reshape(p.shape))


def _shares_symbolic(names: str, shares: tuple[sympy.Expr, ...]) -> Symbolic:
    """Moments of the logarithms from E[Π xᵢ^sᵢ] = Π Γ(aᵢ + sᵢ)/Γ(aᵢ) · Γ(Σa)/Γ(Σa + Σs)."""
    a = sympy.symbols(names, positive=True)
    s, logarithms = (sympy.symbols(f"{letter}:{len(a)}") for letter in "sl")
    transform = sympy.gamma(sum(a)) / sympy.gamma(sum(a) + sum(s))
    for one, power in zip(a, s, strict=True):
        transform *= sympy.gamma(one + power) / sympy.gamma(one)
    written = {sympy.log(x): symbol for x, symbol in zip(shares, logarithms, strict=True)}

    def expect(expression: sympy.Expr) -> sympy.Expr:
        total = sympy.Integer(0)
        for powers, factor in sympy.Poly(sympy.expand(expression.subs(written)), *logarithms).terms():
            moment = transform
            for one, power in zip(s, powers, strict=True):
                moment = moment.diff(one, power)
            total += factor * moment.subs(dict.fromkeys(s, 0))
        return _tidy(total)

    log_density = sympy.loggamma(sum(a)) - sum(map(sympy.loggamma, a))
    log_density += sum((one - 1) * sympy.log(x) for one, x in zip(a, shares, strict=True))
    return Symbolic(shares, a, log_density, expect)


def _beta_symbolic() -> Symbolic:
    x = sympy.Symbol("x", positive=True)
    return _shares_symbolic("a b", (x, 1 - x))


def _dirichlet_symbolic() -> Symbolic:
    x, y = sympy.symbols("x y", positive=True)
    return _shares_symbolic("a:3", (x, y, 1 - x - y))


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
    Family(
        cls=ig.Gamma,
        points={
            "single": ig.Gamma(2.6, 0.7),
            "row": ig.Gamma([0.7, 1.8, 9.4], 1.3),
            "grid": ig.Gamma([[1.2], [3.7]], [0.2, 2.4, 31.0]),
        },
        random=lambda rng, shape: ig.Gamma(0.6 + _random_rates(rng, shape), _random_rates(rng, shape)),
        support=lambda p: _positive_support(p.shape_parameter, p),
        scipy=lambda p: Twin(
            scipy.stats.gamma(p.shape_parameter, scale=1.0 / p.rate).logpdf,
            scipy.stats.gamma(p.shape_parameter, scale=1.0 / p.rate).entropy(),
        ),
        symbolic=_gamma_symbolic(),
        allowed="2",
        refused=3,
    ),
    Family(
        cls=ig.Beta,
        points={
            "single": ig.Beta(2.3, 4.1),
            "row": ig.Beta([0.6, 1.7, 8.2], 1.4),
            "grid": ig.Beta([[1.9], [5.3]], [1.1, 3.6, 7.0]),
        },
        # towards 1 a float64 has only sixteen digits: b stays above 1, so that little is missed there
        random=lambda rng, shape: ig.Beta(0.5 + _random_rates(rng, shape), 1.0 + _random_rates(rng, shape)),
        support=_beta_support,
        scipy=lambda p: Twin(scipy.stats.beta(p.a, p.b).logpdf, scipy.stats.beta(p.a, p.b).entropy()),
        symbolic=_beta_symbolic(),
        allowed="2",
        refused=3,
    ),
    Family(
        cls=ig.Dirichlet,
        points={
            "single": ig.Dirichlet([1.3, 2.4, 4.1]),
            "row": ig.Dirichlet([[0.8, 1.9, 3.2], [6.1, 2.2, 1.4], [2.6, 5.3, 9.7]]),
            "grid": ig.Dirichlet([[[1.6, 0.9], [3.4, 2.1]], [[0.7, 5.2], [8.8, 6.3]]]),
        },
        random=lambda rng, shape: ig.Dirichlet(1.0 + _random_rates(rng, (*shape, 3))),
        support=_dirichlet_support,
        scipy=_dirichlet_twin,
        symbolic=_dirichlet_symbolic(),
        allowed="K",
        refused=1,
    ),
]
