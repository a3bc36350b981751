"""What the generic laws need to know about a family under test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from igviz.geometry.families.distribution import Distribution


@dataclass(frozen=True)
class Symbolic:
    """The density as SymPy knows it, independent of the package."""

    value: Any
    parameters: tuple[sympy.Symbol, ...]
    log_density: sympy.Expr
    expect: Callable[[sympy.Expr], sympy.Expr]


@dataclass(frozen=True)
class Twin:
    """Log-probabilities and entropies by SciPy."""

    log_prob: Callable[[np.ndarray], np.ndarray]
    entropy: Any


@dataclass(frozen=True)
class Family:
    """One family under test.

    `points` are generic: none sits where a flipped sign would hide. `support(p)` gives nodes, shape
    (m, *p.shape, *axes of one observation), and weights, shape (m, *p.shape), whose sum over a smooth
    function is its integral (or sum) over the support.
    `allowed` is what the last axis of coordinates may be, `refused` a length that it may not have.
    `peaked` says that nodes must be placed with an eye on every density of the integrand: `support` is then
    called with all of them, p first. `kinks` says that the log-density has corners, at which no derivative
    can be taken numerically, and `symmetric` that the KL divergence has no direction.
    """

    cls: Any
    points: dict[str, Any]
    random: Callable[[np.random.Generator, tuple[int, ...]], Any]
    support: Callable[..., tuple[np.ndarray, np.ndarray]]
    scipy: Callable[[Any], Twin]
    symbolic: Symbolic
    allowed: str
    refused: int
    peaked: bool = False
    kinks: bool = False
    symmetric: bool = False

    @property
    def name(self) -> str:
        return self.cls.__name__

    @property
    def numeric(self) -> bool:
        """Whether Fisher–Rao distances and paths are found numerically, in a chart that the family names."""
        return self.cls.fisher_rao_chart is not None

    @property
    def measured(self) -> bool:
        """Whether there are Fisher–Rao distances and paths."""
        closed = self.cls.fisher_rao_distance_to is not Distribution.fisher_rao_distance_to
        return closed or self.numeric

    def pair(self, seed: int = 0, size: int = 40) -> tuple[Any, Any]:
        """Two grids of generic distributions."""
        rng = np.random.default_rng(seed)
        return self.random(rng, (size,)), self.random(rng, (size,))

    def grids(self, seed: int, count: int = 2, shape: tuple[int, ...] = (40,)) -> tuple[Any, ...]:
        """Grids of generic distributions."""
        rng = np.random.default_rng(seed)
        return tuple(self.random(rng, shape) for _ in range(count))

    def mean_under(self, p: Any, values: Callable[[np.ndarray], np.ndarray], *others: Any) -> np.ndarray:
        """Expectation under p, by quadrature, of a function of x with any trailing axes.

        `others` are the distributions, if any, whose densities the function has in it beside p's.
        """
        x, weights = self.support(p, *others) if self.peaked else self.support(p)
        y = values(x)
        mass = weights * p.pdf(x)
        return np.sum(mass.reshape(mass.shape + (1,) * (y.ndim - mass.ndim)) * y, axis=0)
