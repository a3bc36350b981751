"""How far half the squared ruler is from the KL divergence, and of which order in the step."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.exponential_family import ExponentialFamily

# errors below this part of ½·δᵀIδ are rounding: divergences and metric are right to about 1e-14
_RESOLVED = 1e-12


def quadratic_errors(p: ExponentialFamily, steps: ArrayLike, chart: str = "source") -> np.ndarray:
    """Return by how much four divergences exceed ½·δᵀIδ, where q lies a step δ from p in a chart.

    With I the Fisher matrix at p these are KL(p‖q) − ½·δᵀIδ, KL(q‖p) − ½·δᵀIδ and their average, all of third
    order in δ in general; the fourth is the average minus ½·δᵀI(m)δ with m = p + δ/2 in the chart, which is
    of fourth order in every chart: both sides are the same when p and q are exchanged, and so have no odd
    orders about m.

    Parameters
    ----------
    p : ExponentialFamily
        One distribution.
    steps : array_like
        The δ, shape (..., k).
    chart : {"source", "natural", "expectation"}
        The chart of δ.

    Returns
    -------
    numpy.ndarray
        Nats, shape (..., 4): of KL(p‖q), KL(q‖p), their average, and the average with I at the midpoint.
        Steps of length r = √(δᵀIδ) ≥ 1e-3 keep at least four digits; an error below 1e-12 of ½·r² is rounding
        and returned as 0.

    Raises
    ------
    TypeError
        If p is not of an exponential family.
    ValueError
        If p is a grid, has no such chart, or a step leads out of the family.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, chapters 1 and 6.
    """
    if not isinstance(p, ExponentialFamily):
        raise TypeError(f"quadratic_errors: p must be of an exponential family, got {p!r}")
    if p.shape != ():
        raise ValueError(f"quadratic_errors: p must be one distribution, got a grid of shape {p.shape}")
    start = p.coordinates(chart)
    end = start + np.asarray(steps, dtype=float)
    taken = end - start  # what is left of a step after rounding
    p, q, middle = (
        p.with_coordinates(start, chart),
        p.with_coordinates(end, chart),
        p.with_coordinates(start + 0.5 * taken, chart),
    )
    there, back = p.kl(q), q.kl(p)
    half, half_middle = (
        0.5 * np.einsum("...i,...ij,...j->...", taken, one.fisher(chart), taken) for one in (p, middle)
    )
    average = 0.5 * (there + back)
    errors = np.stack([there - half, back - half, average - half, average - half_middle], axis=-1)
    return np.where(np.abs(errors) > _RESOLVED * half[..., None], errors, 0.0)


def direction(p: ExponentialFamily, degrees: float, chart: str = "source") -> np.ndarray:
    """Return the step of length 1 in the Fisher metric in a direction of the chart.

    The angle is that on a page where each coordinate is measured in units of √(I⁻¹)ᵢᵢ, as far as the ellipse
    δᵀIδ = 1 reaches along it. A family with one coordinate has two directions: up for cos ≥ 0, else down.

    Parameters
    ----------
    p : ExponentialFamily
        One distribution with one or two coordinates.
    degrees : float
        The angle; multiples of 90 give steps of one coordinate alone, exactly.
    chart : {"source", "natural", "expectation"}
        The chart of the step.

    Returns
    -------
    numpy.ndarray
        Shape (k,).

    Raises
    ------
    ValueError
        If p has more than two coordinates.
    """
    if p.dimension > 2:
        raise ValueError(f"direction: p must have one or two coordinates, got {p!r}")
    radians = np.deg2rad(degrees)
    on_page = np.round([np.cos(radians), np.sin(radians)], 15)
    if p.dimension == 1:
        on_page = np.array([1.0 if on_page[0] >= 0.0 else -1.0])
    metric = p.fisher(chart)
    step = on_page * np.sqrt(np.diagonal(np.linalg.inv(metric)))
    return step / np.sqrt(step @ metric @ step)


def fitted_slopes(sizes: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return the slopes of log |error| against log size by least squares; nan for a column with a zero.

    Parameters
    ----------
    sizes : numpy.ndarray
        Shape (n,), positive.
    errors : numpy.ndarray
        Shape (n, m).

    Returns
    -------
    numpy.ndarray
        Shape (m,).
    """
    size = np.log(sizes)
    known = np.all(errors != 0.0, axis=0)
    logarithms = np.log(np.abs(np.where(known, errors, 1.0)))
    centred = size - size.mean()
    return np.where(known, centred @ logarithms / (centred @ centred), np.nan)
