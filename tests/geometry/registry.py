"""Every family once: what the generic laws need to know about it and nothing else.

A new family is one entry in FAMILIES; the laws in test_laws.py then run over it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
import sympy

import igviz as ig


@dataclass(frozen=True)
class Symbolic:
    """The density as SymPy knows it, independent of the package."""

    value: sympy.Symbol
    parameters: tuple[sympy.Symbol, ...]
    log_density: sympy.Expr
    expect: Callable[[sympy.Expr], sympy.Expr]


@dataclass(frozen=True)
class Family:
    """One family under test.

    `points` are generic: none sits where a flipped sign would hide. `support(p)` gives nodes, shape
    (m, *p.shape), and weights whose sum over a smooth function is its integral (or sum) over the support.
    """

    cls: Any
    points: dict[str, Any]
    random: Callable[[np.random.Generator, tuple[int, ...]], Any]
    support: Callable[[Any], tuple[np.ndarray, np.ndarray]]
    scipy: Callable[[Any], Any]
    symbolic: Symbolic

    @property
    def name(self) -> str:
        return self.cls.__name__

    def pair(self, seed: int = 0, size: int = 40) -> tuple[Any, Any]:
        """Two grids of generic distributions."""
        rng = np.random.default_rng(seed)
        return self.random(rng, (size,)), self.random(rng, (size,))

    def mean_under(self, p: Any, values: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Expectation under p, by quadrature, of a function of x with any trailing axes."""
        x, weights = self.support(p)
        y = values(x)
        mass = weights * p.pdf(x)
        return np.sum(mass.reshape(mass.shape + (1,) * (y.ndim - mass.ndim)) * y, axis=0)


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
        scipy=lambda p: scipy.stats.norm(p.mean, p.std),
        symbolic=_normal_symbolic(),
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
        scipy=lambda p: scipy.stats.bernoulli(p.probability),
        symbolic=_bernoulli_symbolic(),
    ),
]

POINTS = [(family, point) for family in FAMILIES for point in family.points.values()]
POINT_IDS = [f"{family.name}-{label}" for family in FAMILIES for label in family.points]
FAMILY_IDS = [family.name for family in FAMILIES]
