"""Balls of the Fisher–Rao distance: all distributions within a given distance of one."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from igviz.geometry.families.distribution import Distribution
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.families.location_scale import LocationScale
from igviz.geometry.families.normal import Normal

Family = TypeVar("Family", bound=Distribution)


def fisher_rao_circle(p: Family, radius: float, count: int = 181) -> Family:
    """Return distributions at one Fisher–Rao distance from p, all the way round.

    The metric (a·dlocation² + b·dscale²)/scale² makes a half-plane of location and scale: with
    x = location·√(a/b) and y = scale the distance is √b times the hyperbolic one, and a hyperbolic circle of
    radius r about (x, y) is a Euclidean circle about (x, y·cosh r) of radius y·sinh r. For normals, with mean
    and std, a = 1 and b = 2.

    Parameters
    ----------
    p : Normal, or another family with location and scale
        The centre, one distribution.
    radius : float
        The Fisher–Rao distance, not negative.
    count : int
        Number of points; the first and the last are the same.

    Returns
    -------
    distributions of p's family
        Shape (count,).

    Raises
    ------
    ValueError
        If p is a grid or of a family that is no half-plane, or the radius negative or not finite.

    References
    ----------
    Costa, Santos, Strapasson (2015). Fisher information distance: a geometrical reading, section 2.
    """
    if p.shape != ():
        raise ValueError(f"fisher_rao_circle: p must be one distribution, got a grid of shape {p.shape}")
    if not np.isfinite(radius) or radius < 0:
        raise ValueError(f"fisher_rao_circle: radius must be a number not below 0, got {radius!r}")
    across, along = half_plane_metric(p)
    location, scale = p.source
    hyperbolic = radius / np.sqrt(along)
    angle = np.linspace(0.0, 2.0 * np.pi, count)
    reach = scale * np.sinh(hyperbolic)
    shift = np.sqrt(along / across) * reach * np.cos(angle)
    return p.with_coordinates(
        np.stack([location + shift, scale * np.cosh(hyperbolic) + reach * np.sin(angle)], axis=-1)
    )


def half_plane_metric(p: Distribution) -> tuple[float, float]:
    """Return a and b of the Fisher metric (a·dlocation² + b·dscale²)/scale²; the curvature is −1/b.

    Raises
    ------
    ValueError
        If the family of p has no location and scale.
    """
    if isinstance(p, Normal):
        return 1.0, 2.0
    if not isinstance(p, LocationScale):
        raise ValueError(f"half_plane_metric: p must have location and scale, as igviz.Normal, got {p!r}")
    across, along = p.standard_metric()
    return float(across), float(along)


def tangent_ellipse(
    p: ExponentialFamily, radius: float, chart: str = "source", count: int = 181
) -> np.ndarray:
    """Return the small steps of one length under the Fisher metric, all the way round, in a chart.

    In the source chart they solve δᵀ I δ = radius² with the Fisher matrix I at p; in another chart they are
    the same steps carried over by the Jacobian, δ_new = (∂new/∂source) δ, so that entry k is one step in
    every chart. It is the ball of the metric in the tangent plane: what `fisher_rao_circle` tends to.

    Parameters
    ----------
    p : distributions with two coordinates
        The centres.
    radius : float
        The length, not negative.
    chart : {"source", "natural", "expectation"}
        The chart the steps are written in.
    count : int
        Number of points; the first and the last are the same.

    Returns
    -------
    numpy.ndarray
        Coordinates of p plus the steps, shape p.shape + (count, 2).

    Raises
    ------
    ValueError
        If p has not two coordinates, the radius is negative or not finite, or the chart unknown.
    """
    if p.dimension != 2:
        raise ValueError(f"tangent_ellipse: p must have two coordinates, got {p!r}")
    if not np.isfinite(radius) or radius < 0:
        raise ValueError(f"tangent_ellipse: radius must be a number not below 0, got {radius!r}")
    angle = np.linspace(0.0, 2.0 * np.pi, count)
    circle = radius * np.stack([np.cos(angle), np.sin(angle)])
    root = np.linalg.cholesky(p.fisher("source"))
    steps = p.jacobian(chart, "source") @ np.linalg.solve(np.swapaxes(root, -1, -2), circle)
    return p.coordinates(chart)[..., None, :] + np.swapaxes(steps, -1, -2)
