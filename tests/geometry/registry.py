"""Every family once: what the generic laws need to know about it and nothing else.

A new family is one entry in FAMILIES; the laws in test_laws.py then run over it.
"""

from __future__ import annotations

import numpy as np
import scipy.stats
import sympy

import igviz as ig
from tests.geometry.family import Family, Symbolic, Twin
from tests.geometry.location_scale import LOCATION_SCALE
from tests.geometry.rates_and_concentrations import RATES_AND_CONCENTRATIONS


def _normal_support(p: ig.Normal) -> tuple[np.ndarray, np.ndarray]:
    """Trapezoid rule on |z| ≤ 14, exact to rounding for smooth functions."""
    z, step = np.linspace(-14.0, 14.0, 561, retstep=True)
    z = z.reshape(-1, *(1,) * len(p.shape))
    return p.mean + p.std * z, step * np.broadcast_to(p.std, (561, *p.shape))


def _normal_symbolic() -> Symbolic:
    x, mean = sympy.symbols("x mean", real=True)
    std = sympy.Symbol("std", positive=True)
    z = sympy.Symbol("z", real=True)

    def expect(expression: sympy.Expr) -> sympy.Expr:
        # polynomials in z against the standard normal: E[z^(2j)] = (2j − 1)!!
        polynomial = sympy.Poly(sympy.expand(expression.subs(x, mean + std * z)), z)
        moments = {power: sympy.factorial2(power - 1) if power % 2 == 0 else 0 for power in range(1, 9)} | {
            0: 1
        }
        return sympy.simplify(sum(c * moments[power] for (power,), c in polynomial.terms()))

    log_density = -((x - mean) ** 2) / (2 * std**2) - sympy.log(std) - sympy.log(2 * sympy.pi) / 2
    return Symbolic(x, (mean, std), log_density, expect)


def _bernoulli_support(p: ig.Bernoulli) -> tuple[np.ndarray, np.ndarray]:
    x = np.broadcast_to(np.array([0.0, 1.0]).reshape(-1, *(1,) * len(p.shape)), (2, *p.shape))
    return x, np.ones_like(x)


def _bernoulli_symbolic() -> Symbolic:
    x, p = sympy.Symbol("x"), sympy.Symbol("p", positive=True)

    def expect(expression: sympy.Expr) -> sympy.Expr:
        return sympy.simplify((1 - p) * expression.subs(x, 0) + p * expression.subs(x, 1))

    return Symbolic(x, (p,), x * sympy.log(p) + (1 - x) * sympy.log(1 - p), expect)


def _categorical_support(p: ig.Categorical) -> tuple[np.ndarray, np.ndarray]:
    classes = np.arange(p.probabilities.shape[-1]).reshape(-1, *(1,) * len(p.shape))
    x = np.broadcast_to(classes, (classes.size, *p.shape))
    return x, np.ones(x.shape)


def _categorical_twin(p: ig.Categorical) -> Twin:
    """SciPy's multinomial of one draw."""
    twin = scipy.stats.multinomial(1, p.probabilities)

    def log_prob(x: np.ndarray) -> np.ndarray:
        return twin.logpmf(np.asarray(x)[..., None] == np.arange(p.probabilities.shape[-1]))

    return Twin(log_prob, twin.entropy())


def _categorical_symbolic() -> Symbolic:
    x = sympy.Symbol("x")
    first = sympy.symbols("p:3", positive=True)
    probabilities = (*first, 1 - sum(first))

    def expect(expression: sympy.Expr) -> sympy.Expr:
        return sympy.simplify(sum(p * expression.subs(x, i) for i, p in enumerate(probabilities)))

    # at the classes every other product vanishes
    indicators = [sympy.prod((x - j) / sympy.Integer(i - j) for j in range(4) if j != i) for i in range(4)]
    return Symbolic(
        x, first, sum(i * sympy.log(p) for i, p in zip(indicators, probabilities, strict=True)), expect
    )


def _multivariate_random(rng: np.random.Generator, shape: tuple[int, ...]) -> ig.MultivariateNormal:
    root = rng.normal(0.0, 0.6, (*shape, 2, 2)) + 0.7 * np.eye(2)
    cov = root @ np.swapaxes(root, -1, -2) + 0.15 * np.eye(2)
    return ig.MultivariateNormal(rng.normal(0.3, 1.2, (*shape, 2)), cov)


def _multivariate_support(p: ig.MultivariateNormal) -> tuple[np.ndarray, np.ndarray]:
    """Product of trapezoid rules on |z| ≤ 10.2, exact to rounding for smooth functions."""
    d = p.mean.shape[-1]
    line, step = np.linspace(-10.2, 10.2, 35, retstep=True)
    z = np.stack(np.meshgrid(*[line] * d, indexing="ij"), axis=-1).reshape(-1, *(1,) * len(p.shape), d)
    root = np.linalg.cholesky(p.cov)
    weights = step**d * np.prod(np.diagonal(root, axis1=-2, axis2=-1), axis=-1)
    return p.mean + (root @ z[..., None])[..., 0], np.broadcast_to(weights, (z.shape[0], *p.shape))


def _multivariate_twin(p: ig.MultivariateNormal) -> Twin:
    """SciPy's, one distribution at a time."""
    twins = {i: scipy.stats.multivariate_normal(p.mean[i], p.cov[i]) for i in np.ndindex(p.shape)}

    def log_prob(x: np.ndarray) -> np.ndarray:
        values = np.empty(x.shape[:-1])
        for i, twin in twins.items():
            values[(..., *i)] = twin.logpdf(x[(..., *i, slice(None))])
        return values

    entropies = np.array([twin.entropy() for twin in twins.values()]).reshape(p.shape)
    return Twin(log_prob, entropies)


def _multivariate_symbolic() -> Symbolic:
    """Two dimensions, cov = [[a², a·b], [a·b, b² + c²]] under the expectation."""
    x, y, m, n = sympy.symbols("x y m n", real=True)
    v, r, w = sympy.symbols("v r w", real=True)
    a, c = sympy.symbols("a c", positive=True)
    b, z, t = sympy.symbols("b z t", real=True)
    cov, gap = sympy.Matrix([[v, r], [r, w]]), sympy.Matrix([x - m, y - n])
    log_density = -(gap.T * cov.inv() * gap)[0] / 2 - sympy.log(cov.det()) / 2 - sympy.log(2 * sympy.pi)

    def expect(expression: sympy.Expr) -> sympy.Expr:
        # polynomials in z and t against independent standard normals
        there = expression.subs({x: m + a * z, y: n + b * z + c * t}).subs(
            {v: a**2, r: a * b, w: b**2 + c**2}
        )
        polynomial = sympy.Poly(sympy.cancel(sympy.together(there)), z, t)
        moments = [sympy.factorial2(k - 1) if k % 2 == 0 else 0 for k in range(12)]
        value = sum(f * moments[i] * moments[j] for (i, j), f in polynomial.terms())
        back = {b: r / a}
        value = sympy.together(value.subs(back)).subs({c: sympy.sqrt(w - r**2 / v)}).subs({a: sympy.sqrt(v)})
        return sympy.simplify(value)

    return Symbolic((x, y), (m, n, v, r, w), log_density, expect)


FAMILIES = [
    Family(
        cls=ig.Normal,
        points={
            "single": ig.Normal(1.3, 0.7),
            "row": ig.Normal([-2.1, 0.4, 3.7], 1.9),
            "grid": ig.Normal([[-1.2], [0.8]], [0.3, 1.1, 4.5]),
        },
        random=lambda rng, shape: ig.Normal(rng.normal(0.3, 2.0, shape), np.exp(rng.normal(0.2, 0.7, shape))),
        support=_normal_support,
        scipy=lambda p: Twin(
            scipy.stats.norm(p.mean, p.std).logpdf, scipy.stats.norm(p.mean, p.std).entropy()
        ),
        symbolic=_normal_symbolic(),
        allowed="2",
        refused=3,
    ),
    Family(
        cls=ig.Bernoulli,
        points={
            "single": ig.Bernoulli(0.3),
            "row": ig.Bernoulli([0.02, 0.41, 0.87]),
            "grid": ig.Bernoulli([[0.11, 0.52], [0.73, 0.96]]),
        },
        random=lambda rng, shape: ig.Bernoulli(rng.uniform(0.03, 0.97, shape)),
        support=_bernoulli_support,
        scipy=lambda p: Twin(
            scipy.stats.bernoulli(p.probability).logpmf, scipy.stats.bernoulli(p.probability).entropy()
        ),
        symbolic=_bernoulli_symbolic(),
        allowed="1",
        refused=2,
    ),
    Family(
        cls=ig.Categorical,
        points={
            "single": ig.Categorical([0.13, 0.24, 0.34, 0.29]),
            "row": ig.Categorical([[0.2, 0.7, 0.1], [0.31, 0.23, 0.46], [0.04, 0.05, 0.91]]),
            "grid": ig.Categorical([[[0.15, 0.85], [0.62, 0.38]], [[0.97, 0.03], [0.44, 0.56]]]),
        },
        random=lambda rng, shape: ig.Categorical(0.04 + 0.84 * rng.dirichlet([0.8, 1.3, 1.0, 2.0], shape)),
        support=_categorical_support,
        scipy=_categorical_twin,
        symbolic=_categorical_symbolic(),
        allowed="K - 1",
        refused=0,
    ),
    Family(
        cls=ig.MultivariateNormal,
        points={
            "single": ig.MultivariateNormal(
                [0.7, -1.1, 0.4], [[1.3, 0.4, -0.5], [0.4, 0.9, 0.2], [-0.5, 0.2, 1.7]]
            ),
            "row": ig.MultivariateNormal([[0.6, -1.3], [-0.2, 0.9], [1.4, 0.3]], [[0.8, -0.3], [-0.3, 1.9]]),
            "grid": ig.MultivariateNormal(
                [[[-0.7, 0.5]], [[0.8, 1.2]]], [[[0.6, 0.2], [0.2, 0.3]], [[1.1, -0.7], [-0.7, 2.3]]]
            ),
        },
        random=_multivariate_random,
        support=_multivariate_support,
        scipy=_multivariate_twin,
        symbolic=_multivariate_symbolic(),
        allowed="d(d + 3)/2",
        refused=6,
    ),
]

FAMILIES += RATES_AND_CONCENTRATIONS
FAMILIES += LOCATION_SCALE

EXPONENTIAL = [family for family in FAMILIES if issubclass(family.cls, ig.ExponentialFamily)]

POINTS = [(family, point) for family in FAMILIES for point in family.points.values()]
POINT_IDS = [f"{family.name}-{label}" for family in FAMILIES for label in family.points]
FAMILY_IDS = [family.name for family in FAMILIES]
EXPONENTIAL_IDS = [family.name for family in EXPONENTIAL]
