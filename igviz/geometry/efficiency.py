"""How well the maximum-likelihood fit of a normal does with few data: exact moments and exact draws."""

from __future__ import annotations

import operator

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincinv, gammaln

from igviz.geometry.families.normal import Normal
from igviz.geometry.numerics import as_numbers

_SERIES_FROM = 20.0


def std_moments(n: ArrayLike, std: ArrayLike = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return bias and variance of the maximum-likelihood estimate of a normal's standard deviation.

    The estimate is σ̂ = √(Σ(xᵢ − x̄)²/n) from n samples, so n·σ̂²/σ² ~ χ² with n − 1 degrees of freedom, and

        E[σ̂] = σ·√(2/n)·Γ(n/2)/Γ((n − 1)/2),    E[σ̂²] = σ²·(n − 1)/n.

    σ̂ is biased downwards, and n·Var(σ̂) lies below the Cramér–Rao bound σ²/2 for every n, tending to it from
    below: the bound is for unbiased estimators.

    Parameters
    ----------
    n : array_like of int
        Number of samples, at least 2.
    std : array_like
        The true standard deviation, positive.

    Returns
    -------
    bias, variance : numpy.ndarray
        E[σ̂] − σ and Var(σ̂), of the broadcast shape, both right to a relative 1e-11.

    Raises
    ------
    ValueError
        If n is below 2 or not whole, or std not positive.

    References
    ----------
    Lehmann, Casella (1998). Theory of Point Estimation, section 2.2.
    """
    count, sigma = as_numbers("std_moments", "n", n), as_numbers("std_moments", "std", std)
    if not np.all((count >= 2.0) & (count == np.floor(count)) & np.isfinite(count)):
        raise ValueError(f"std_moments: n must be a whole number of at least 2, got {n!r}")
    if not np.all((sigma > 0.0) & np.isfinite(sigma)):
        raise ValueError(f"std_moments: std must be positive, got {std!r}")
    # E[σ̂]/σ = √((n − 1)/n)·exp(excess), and the variance needs the small excess itself
    excess = _half_step(0.5 * (count - 1.0))
    bias = sigma * np.expm1(0.5 * np.log1p(-1.0 / count) + excess)
    variance = -(sigma**2) * (count - 1.0) / count * np.expm1(2.0 * excess)
    return bias, variance


def _half_step(a: np.ndarray) -> np.ndarray:
    """Return log Γ(a + ½) − log Γ(a) − ½·log a, which is negative and about −1/(8a)."""
    near = np.minimum(a, _SERIES_FROM)
    exact = gammaln(near + 0.5) - gammaln(near) - 0.5 * np.log(near)
    x = 1.0 / np.maximum(a, _SERIES_FROM)
    series = x * (-1 / 8 + x**2 * (1 / 192 + x**2 * (-1 / 640 + x**2 * (17 / 14336 - x**2 * 31 / 18432))))
    return np.where(a < _SERIES_FROM, exact, series)


def normal_fits(p: Normal, n: int, fits: int, rng: np.random.Generator) -> Normal:
    """Draw maximum-likelihood fits of a normal, each from n samples of p of its own.

    No data are made: the fitted mean is N(mean, std²/n), n·σ̂²/std² is χ² with n − 1 degrees of freedom, and
    the two are independent. These are the exact distributions, not limits. The second is drawn by inversion,
    so that a generator in the same state gives fits that move smoothly with n.

    Parameters
    ----------
    p : Normal
        The truth, one distribution.
    n : int
        Samples behind each fit, at least 2.
    fits : int
        How many fits.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Normal
        The fitted normals, shape (fits,).

    Raises
    ------
    ValueError
        If p is a grid, or n below 2.
    """
    if p.shape != ():
        raise ValueError(f"normal_fits: p must be one distribution, got a grid of shape {p.shape}")
    if operator.index(n) < 2:
        raise ValueError(f"normal_fits: n must be at least 2, got {n!r}")
    mean = p.mean + p.std / np.sqrt(n) * rng.standard_normal(fits)
    uniform = np.maximum(rng.random(fits), 2.0**-54)  # never 0, or else the std were 0
    return Normal(mean, p.std * np.sqrt(2.0 * gammaincinv(0.5 * (n - 1), uniform) / n))
