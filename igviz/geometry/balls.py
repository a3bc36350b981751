"""Balls of the Fisher–Rao distance: all distributions within a given distance of one."""

from __future__ import annotations

import numpy as np

from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.families.normal import Normal


def fisher_rao_circle(p: Normal, radius: float, count: int = 181) -> Normal:
    """Return normals at one Fisher–Rao distance from p, all the way round.

    With x = mean/√2 and y = std the distance is √2 times the hyperbolic one, and a hyperbolic circle of
    radius r about (x, y) is a Euclidean circle about (x, y·cosh r) of radius y·sinh r.

    Parameters
    ----------
    p : Normal
        The centre, one distribution.
    radius : float
        The Fisher–Rao distance, not negative.
    count : int
        Number of points; the first and the last are the same.

    Returns
    -------
    Normal
        Shape (count,).

    Raises
    ------
    ValueError
        If p is a grid, or the radius negative or not finite.

    References
    ----------
    Costa, Santos, Strapasson (2015). Fisher information distance: a geometrical reading, section 2.
    """
    if p.shape != ():
        raise ValueError(f"fisher_rao_circle: p must be one distribution, got a grid of shape {p.shape}")
    if not np.isfinite(radius) or radius < 0:
        raise ValueError(f"fisher_rao_circle: radius must be a number not below 0, got {radius!r}")
    hyperbolic = radius / np.sqrt(2.0)
    angle = np.linspace(0.0, 2.0 * np.pi, count)
    reach = p.std * np.sinh(hyperbolic)
    return Normal(
        p.mean + np.sqrt(2.0) * reach * np.cos(angle),
        p.std * np.cosh(hyperbolic) + reach * np.sin(angle),
    )


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
