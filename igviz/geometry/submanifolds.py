"""Surfaces inside an exponential family: flat ones, given by a point and directions, and curves.

A submanifold is e-flat if it is an affine subspace of natural coordinates and m-flat if it is one of
expectation coordinates. To be one does not make it the other: the tables of two independent classifications
are e-flat and not m-flat, because P(i, j) = P(i)·P(j) is curved, and the tables with given marginals are
m-flat and not e-flat.

References
----------
Amari, S. (2016). Information Geometry and Its Applications, sections 1.6 and 2.4.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.numerics import as_numbers

Family = TypeVar("Family", bound=ExponentialFamily)

DUAL = ("natural", "expectation")


@dataclasses.dataclass(frozen=True, eq=False)
class FlatSubmanifold(Generic[Family]):
    """All distributions with coordinates x = x(point) + Σ weightⱼ·directionⱼ in one dual chart.

    Parameters
    ----------
    point : distribution
        One distribution of an exponential family, with coordinates in the chart.
    directions : array_like
        Shape (m, k) with 1 ≤ m ≤ k, or (k,) for a line; linearly independent.
    chart : {"natural", "expectation"}
        "natural" makes it e-flat, "expectation" m-flat.

    Raises
    ------
    TypeError
        If the point is not of an exponential family.
    ValueError
        If the point is a grid, the chart unknown, or the directions are not of that shape, not finite or
        linearly dependent.
    """

    point: Family
    directions: np.ndarray
    chart: str

    def __post_init__(self) -> None:
        if not isinstance(self.point, ExponentialFamily):
            raise TypeError(
                f"FlatSubmanifold: point must be of an exponential family such as igviz.Normal, "
                f"got {self.point!r}"
            )
        if self.point.shape != ():
            raise ValueError(
                f"FlatSubmanifold: point must be one distribution, got a grid of shape {self.point.shape}"
            )
        if self.chart not in DUAL:
            raise ValueError(f"FlatSubmanifold: chart must be 'natural' or 'expectation', got {self.chart!r}")
        k = self.point.coordinates(self.chart).size
        given = np.atleast_2d(as_numbers("FlatSubmanifold", "directions", self.directions))
        if given.ndim != 2 or given.shape[1] != k or not 1 <= len(given) <= k:
            raise ValueError(
                f"FlatSubmanifold: directions must have shape (m, {k}) with m from 1 to {k}, "
                f"got shape {np.shape(self.directions)}"
            )
        if not np.all(np.isfinite(given)):
            raise ValueError(f"FlatSubmanifold: directions must be finite, got {given.tolist()}")
        if np.linalg.matrix_rank(given / np.max(np.abs(given), initial=1e-300)) < len(given):
            raise ValueError(
                f"FlatSubmanifold: directions must be linearly independent, got {given.tolist()}"
            )
        given.flags.writeable = False
        object.__setattr__(self, "directions", given)

    @property
    def dimension(self) -> int:
        """The number m of directions."""
        return len(self.directions)

    def __call__(self, weights: ArrayLike) -> Family:
        """Return the distributions with the given weights of the directions, shape (..., m).

        Raises
        ------
        ValueError
            If the weights have another shape, or no distribution has these coordinates.
        """
        values = as_numbers("FlatSubmanifold", "weights", weights)
        if values.ndim == 0 or values.shape[-1] != self.dimension:
            raise ValueError(
                f"FlatSubmanifold: weights must have shape (..., {self.dimension}), got shape {values.shape}"
            )
        start = self.point.coordinates(self.chart)
        return type(self.point).from_coordinates(start + values @ self.directions, self.chart)


@dataclasses.dataclass(frozen=True, eq=False)
class Curve(Generic[Family]):
    """A curve of distributions that need not be straight in any chart.

    Parameters
    ----------
    curve : callable
        ``curve(t)`` returns distributions of shape t.shape at an array of times, smoothly in t: a path made
        by `igviz.geodesic`, or a function of one's own.
    low, high : float
        The first and the last time.

    Raises
    ------
    TypeError
        If the curve cannot be called.
    ValueError
        If low is not less than high.
    """

    curve: Callable[[np.ndarray], Family]
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not callable(self.curve):
            raise TypeError(f"Curve: curve must be a function of time, got {self.curve!r}")
        if not -np.inf < self.low < self.high < np.inf:
            raise ValueError(f"Curve: low must be less than high, got {self.low!r} and {self.high!r}")

    def __call__(self, t: ArrayLike) -> Family:
        """Return the distributions at times t."""
        return self.curve(np.asarray(t, dtype=np.float64))
