"""Surfaces inside an exponential family: flat ones, given by a point and directions, and curves.

A submanifold is e-flat if it is an affine subspace of natural coordinates and m-flat if it is one of
expectation coordinates. To be one does not make it the other:

| submanifold | e-flat | m-flat |
|---|---|---|
| normals of one standard deviation | yes | no, E[x²] = mean² + std² is a parabola |
| normals of one mean | yes | yes |
| independent tables of two classifications | yes | no, P(i, j) = P(i)·P(j) is curved |
| multivariate normals with diagonal covariance | yes | no, E[x₁·x₂] = E[x₁]·E[x₂] is curved |
| tables with given marginals | no | yes |

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

from igviz.geometry.families.categorical import Categorical
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.geometry.families.normal import Normal
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


# -- examples ------------------------------------------------------------------------------------------------


def normals_of_std(std: float) -> FlatSubmanifold[Normal]:
    """Return the normals of one standard deviation, with any mean: e-flat, not m-flat."""
    return FlatSubmanifold(Normal(0.0, std), np.array([1.0, 0.0]), "natural")


def normals_of_mean(mean: float, chart: str = "natural") -> FlatSubmanifold[Normal]:
    """Return the normals of one mean, with any standard deviation: e-flat and m-flat, as the chart says.

    In natural coordinates, (mean/std², −1/(2·std²)), a ray from the origin; in expectation coordinates,
    (mean, mean² + std²), a half-line.
    """
    direction = [-2.0 * mean, 1.0] if chart == "natural" else [0.0, 1.0]
    return FlatSubmanifold(Normal(mean, 1.0), np.array(direction), chart)


def independence_model(rows: int, columns: int) -> FlatSubmanifold[Categorical]:
    """Return the tables P(i, j) = P(i)·P(j) of two independent classifications: e-flat, not m-flat.

    A table is a Categorical whose classes are its entries, row by row. The m-projection onto this model has
    the table's marginals, and the divergence is the mutual information.
    """
    for name, count in (("rows", rows), ("columns", columns)):
        if count < 2:
            raise ValueError(f"independence_model: {name} must be at least 2, got {count!r}")
    i, j = (axis.ravel() for axis in np.indices((rows, columns)))
    # log of P(i, j)/P(last, last) is a sum of a term of the row and a term of the column
    indicators = [i == row for row in range(rows - 1)] + [j == column for column in range(columns - 1)]
    uniform = Categorical(np.full(rows * columns, 1.0 / (rows * columns)))
    return FlatSubmanifold(uniform, np.array(indicators, dtype=np.float64)[:, :-1], "natural")


def tables_with_marginals(table: Categorical, rows: int, columns: int) -> FlatSubmanifold[Categorical]:
    """Return the tables, entries row by row, with the marginals of a given one: m-flat, not e-flat."""
    if table.shape != () or table.probabilities.shape[-1] != rows * columns:
        raise ValueError(
            f"tables_with_marginals: table must be one Categorical on {rows}·{columns} classes, got {table!r}"
        )
    directions = []
    for row in range(rows - 1):
        for column in range(columns - 1):
            step = np.zeros((rows, columns))
            # what an entry gains, the ends of its row and column lose
            step[row, column] = step[-1, -1] = 1.0
            step[row, -1] = step[-1, column] = -1.0
            directions.append(step.ravel()[:-1])
    return FlatSubmanifold(table, np.array(directions), "expectation")


def diagonal_normals(d: int) -> FlatSubmanifold[MultivariateNormal]:
    """Return the normals on vectors of d numbers with diagonal covariance: e-flat, not m-flat."""
    if d < 1:
        raise ValueError(f"diagonal_normals: d must be at least 1, got {d!r}")
    rows, columns = np.tril_indices(d)
    kept = np.concatenate([np.ones(d, dtype=bool), rows == columns])
    return FlatSubmanifold(MultivariateNormal(np.zeros(d), np.eye(d)), np.eye(kept.size)[kept], "natural")
