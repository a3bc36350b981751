"""Distances between distributions."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from igviz.geometry.families.distribution import Distribution

Family = TypeVar("Family", bound=Distribution)


def fisher_rao_distance(p: Family, q: Family) -> np.ndarray:
    """Return the Fisher–Rao distance: the length of the shortest path from p to q in the Fisher metric.

    Each family brings its closed form, in a shape that keeps its digits for near points: relative errors stay
    below 1e-12 even at separations of 1e-8.

    - Normal: √2·arccosh(1 + ((Δmean)²/2 + (Δstd)²)/(2·std₁·std₂));
    - Bernoulli: 2·arccos(√(p·q) + √((1 − p)(1 − q))), π from corner to corner.

    Parameters
    ----------
    p, q : distributions of one family
        Their grids broadcast.

    Returns
    -------
    numpy.ndarray
        Distances of the broadcast shape; a NumPy scalar for two single distributions. They have no unit but a
        meaning: KL(p‖q) ≈ ½·distance² nats up close.

    Raises
    ------
    TypeError
        If p and q are not distributions of one family.
    ValueError
        If their grids do not broadcast.
    NotImplementedError
        If the family has no closed form.

    References
    ----------
    Costa, Santos, Strapasson (2015). Fisher information distance: a geometrical reading, section 2.
    Nielsen, F. (2020). An elementary introduction to information geometry.
    """
    if not isinstance(p, Distribution):
        raise TypeError(f"fisher_rao_distance: p must be a distribution such as igviz.Normal, got {p!r}")
    p._require_same_family("fisher_rao_distance", q)
    return p._fisher_rao_distance(q)
