"""Lengths of curves, measured in a chart of one's choice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.distribution import Distribution
from igviz.geometry.numerics import as_numbers, differentiation_matrix

RULERS = ("fisher", "euclidean")
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)


def lengths_along(
    curve: Callable[[np.ndarray], Distribution], chart: str, t: ArrayLike, ruler: str = "fisher"
) -> np.ndarray:
    """Return the lengths of a curve from the first of the given times to each of them, all within one chart.

    The coordinates are differentiated numerically and measured with the Fisher matrix of the same chart,
    ds² = dxᵀ I(x) dx, so that lengths found in two charts are two independent computations.

    Parameters
    ----------
    curve : callable
        ``curve(t)`` returns the distributions of one family at an array of times, smoothly in t: a path made
        by `igviz.geodesic`, or a function of one's own.
    chart : str
        One of the family's `charts`.
    t : array_like
        Shape (n,), increasing, n ≥ 2. Each piece between neighbours is integrated by Gauss–Legendre
        quadrature with 12 nodes; with pieces that are short against the bends of the curve, lengths are
        right to about 1e-12.
    ruler : {"fisher", "euclidean"}
        "fisher" measures with the Fisher matrix, "euclidean" with the identity: the length that a ruler laid
        on the chart would show, which each chart gives differently.

    Returns
    -------
    numpy.ndarray
        Shape (n,), starting with 0.

    Raises
    ------
    ValueError
        If the times do not increase, or the ruler or the chart is unknown.
    """
    times = as_numbers("lengths_along", "t", t)
    if times.ndim != 1 or times.size < 2 or not np.all(np.diff(times) > 0.0):
        raise ValueError(f"lengths_along: t must be at least two increasing times, got {t!r}")
    if ruler not in RULERS:
        raise ValueError(f"lengths_along: ruler must be 'fisher' or 'euclidean', got {ruler!r}")
    halves = 0.5 * np.diff(times)[:, None]
    points = curve(times[:-1, None] + halves * (1.0 + _NODES))
    coordinates = points.coordinates(chart)
    # the travel since the first node: a large constant would drown a small step in rounding
    velocity = differentiation_matrix(_NODES) @ (coordinates - coordinates[:, :1]) / halves[..., None]
    metric = points.fisher(chart) if ruler == "fisher" else np.eye(points.dimension)
    speed = np.sqrt(np.maximum(np.einsum("...i,...ij,...j->...", velocity, metric, velocity), 0.0))
    pieces = np.sum(halves * _WEIGHTS * speed, axis=-1)
    return np.concatenate([[0.0], np.cumsum(pieces)])
