"""What is left of the Fisher information when only the bin of an observation is recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.distribution import Distribution
from igviz.geometry.numerics import as_numbers


def binned_information(p: Distribution, edges: ArrayLike, chart: str = "source") -> np.ndarray:
    """Return the Fisher matrix of the label of the bin that one observation falls into.

    With m edges there are m + 1 bins, the first reaching down to −∞ and the last up to +∞. The label is
    categorical with probabilities P_b, so its Fisher matrix is Σ_b ∇P_b ∇P_bᵀ / P_b. It never exceeds
    `p.fisher(chart)`, and joining bins never raises it: a function of the data cannot know more than the
    data. Bins that are not unions of the finer ones may keep more than these.

    Parameters
    ----------
    p : Distribution
        Of a continuous family with a location and a scale and symmetric about its location, such as
        `igviz.Normal`; a grid of any shape.
    edges : array_like
        Shape (m,) with m ≥ 1, finite and increasing, in the units of the observations.
    chart : str
        One of the family's `charts`.

    Returns
    -------
    numpy.ndarray
        Shape (..., k, k), per observation, right to about 1e-13 of `p.fisher(chart)`; far from the location
        the entries are small and keep a relative accuracy of about 1e-11.

    Raises
    ------
    TypeError
        If p is not such a distribution.
    ValueError
        If edges are not finite, increasing and on one axis, or the family has no such chart.

    References
    ----------
    Cover, T. M. and Thomas, J. A. (2006). Elements of Information Theory, section 11.10.
    Amari, S. (2016). Information Geometry and Its Applications, chapter 3.
    Kulldorff, G. (1961). Contributions to the Theory of Estimation from Grouped and Partially Grouped
    Samples.
    """
    if not hasattr(p, "standard_cdf"):
        raise TypeError(
            "binned_information: p must be a distribution with a location and a scale, "
            f"such as igviz.Normal, got {p!r}"
        )
    p.require_chart("binned_information", chart)
    places = _checked(edges).reshape(-1, *(1,) * len(p.shape))
    probability, gradient = _bins(p, places)
    # an impossible bin tells nothing, and dividing first keeps squares of small gradients from underflowing
    score = np.divide(gradient, probability, out=np.zeros_like(gradient), where=probability > 0.0)
    information = np.einsum("ib...,jb...,b...->...ij", score, score, probability)
    if chart == "source":
        return information
    jacobian = p.jacobian("source", chart)  # type: ignore[attr-defined]
    return np.swapaxes(jacobian, -1, -2) @ information @ jacobian


def _checked(edges: ArrayLike) -> np.ndarray:
    """Return the edges as an array, or say what is wrong with them."""
    places = as_numbers("binned_information", "edges", edges)
    if places.ndim != 1 or places.size == 0:
        raise ValueError(
            f"binned_information: edges must have shape (m,) with m at least 1, got shape {places.shape}"
        )
    if not np.all(np.isfinite(places)):
        bad = places[~np.isfinite(places)][0]
        raise ValueError(f"binned_information: edges must be finite, got {bad}")
    if not np.all(np.diff(places) > 0.0):
        i = int(np.argmin(np.diff(places) > 0.0))
        raise ValueError(
            f"binned_information: edges must increase, got {places[i]} before {places[i + 1]} at index {i}"
        )
    return places


def _bins(p: Distribution, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of the bins, shape (m + 1, ...), and their gradients, (2, m + 1, ...).

    The gradient of the distribution function at an edge is −density by location and −z·density by scale.
    """
    location, scale = p.source[..., 0], p.source[..., 1]
    with np.errstate(over="ignore"):  # where an edge is that far the density is 0
        z = (edges - location) / scale
        density = p.pdf(edges)
    slopes = -np.stack([density, np.multiply(z, density, out=np.zeros_like(z), where=density > 0.0)])
    ends = np.zeros_like(slopes[:, :1])
    gradient = np.diff(np.concatenate([ends, slopes, ends], axis=1), axis=1)
    far = np.full_like(z[:1], np.inf)
    return _interval(p, np.concatenate([-far, z]), np.concatenate([z, far])), gradient


def _interval(p: Distribution, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the probability of low < z < high for the standardised variable, symmetric about 0.

    Above 0 the two upper tails are subtracted, not two numbers close to 1.
    """
    upper = low > -high
    low, high = np.where(upper, -high, low), np.where(upper, -low, high)
    cdf = p.standard_cdf  # type: ignore[attr-defined]
    return cdf(high) - cdf(low)
