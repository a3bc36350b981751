"""Fisher–Rao geometry by numbers, for the families that have no closed form.

A family names a chart, coordinates in which its metric is well conditioned and varies evenly, and this module
does the rest with `igviz.geometry.riemannian`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from igviz.geometry.numerics import log_ratio
from igviz.geometry.riemannian import RiemannianManifold

if TYPE_CHECKING:
    from igviz.geometry.families.distribution import Distribution

Family = TypeVar("Family", bound="Distribution")


class Chart(Protocol):
    """Coordinates for the numeric route, shape (..., k).

    Steps are asked for apart from coordinates because a difference of two coordinates has lost the digits
    that near points need.
    """

    manifold: RiemannianManifold

    def coordinates(self, p: Any) -> np.ndarray:
        """Return the coordinates of p."""

    def step(self, p: Any, q: Any) -> np.ndarray:
        """Return the coordinates of q minus those of p, with all their digits."""

    def moved(self, p: Any, step: np.ndarray) -> np.ndarray:
        """Return the source coordinates of the distributions a step away from p, with all their digits."""

    def velocity(self, p: Any, velocity: np.ndarray) -> np.ndarray:
        """Return in these coordinates a velocity at p that is given in source coordinates."""


def log_change(a: np.ndarray, b: np.ndarray, difference: np.ndarray | None = None) -> np.ndarray:
    """Return log(b/a) for positive numbers, with its digits for near ones; `difference` is b − a."""
    gap = b - a if difference is None else difference
    relative = gap / a
    near = np.abs(relative) < 0.5
    return np.where(near, np.log1p(np.where(near, relative, 0.0)), log_ratio(b, a))


def distance(p: Family, q: Family, chart: Chart) -> np.ndarray:
    """Return the Fisher–Rao distances of the pairs of two grids, right to a relative 1e-10 or an error."""
    p, q = _pairs(p, q)
    return chart.manifold.unchecked_distance("fisher_rao_distance", chart.coordinates(p), chart.step(p, q))


def path(p: Family, q: Family, chart: Chart) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
    """Return the Fisher–Rao geodesics of the pairs: a function from times to parameters.

    The times arrive with the grid's axes appended, all of length 1.
    """
    p, q = _pairs(p, q)
    displacement = chart.manifold.unchecked_displacement("geodesic", chart.coordinates(p), chart.step(p, q))
    grid = len(p.shape)

    def at(t: np.ndarray) -> tuple[np.ndarray, ...]:
        times = t.reshape(t.shape[: t.ndim - grid])
        return parameters(p, chart.moved(p, displacement(times)))

    return at


def parameters(p: Distribution, source: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the parameters, in the order of the fields, of distributions of p's family."""
    made = type(p).from_source(source)
    return tuple(getattr(made, f.name) for f in dataclasses.fields(made))


def _pairs(p: Family, q: Family) -> tuple[Family, Family]:
    shape = np.broadcast_shapes(p.shape, q.shape)
    return p.broadcast_to(shape), q.broadcast_to(shape)
