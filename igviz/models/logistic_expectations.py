"""Means of log(1 + e^f) and its derivatives for a normal f, to rounding at any mean and standard deviation.

Gauss–Hermite nodes are too few once the std is above about 3: the poles of the logistic function at ±iπ come
near. Two other rules serve. For a narrow f it is the trapezoid rule in (f − mean)/std, whose error falls like
exp(−2π²/(step·std)) because the nearest pole is π/std away (Trefethen and Weideman 2014, section 5). For a
wide f what differs from the kinked max(f, 0), which has a closed form, lives near f = 0 on both sides and is
integrated there in f itself by Gauss–Legendre panels.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import log1p, ndtr

Means = tuple[np.ndarray, np.ndarray, np.ndarray]

_WIDE = 3.0  # from this std on the panels serve
_BAND = 1.25  # rows whose steps differ by less than this factor share their nodes
_BLOCK = 1 << 17  # evaluations at a time, so that they stay in the processor's cache
_ENDS = (0.0, 1.5, 3.5, 6.5, 11.0, 18.0, 38.0)  # of the panels; e^−38 is below rounding
_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


def softplus_means(mean: np.ndarray, std: np.ndarray, digits: int) -> Means:
    """Return E[log(1 + e^f)], E[σ(f)] and E[σ(f)(1 − σ(f))] of f ~ N(mean, std), all of one shape.

    σ(f) = 1/(1 + e^−f). The errors are about 10^−digits, and those of 15 digits are rounding.
    """
    mean, std = np.broadcast_arrays(mean, std)
    flat_mean, flat_std = mean.ravel(), std.ravel()
    found = np.empty((3, mean.size))
    wide = flat_std >= _WIDE
    for which, rule in ((np.flatnonzero(wide), _by_panels), (np.flatnonzero(~wide), _by_bands)):
        if which.size:
            found[:, which] = rule(flat_mean[which], flat_std[which], digits)
    return tuple(found.reshape(3, *mean.shape))


def _step(std: np.ndarray, digits: int) -> tuple[np.ndarray, float]:
    """Return the largest steps of the trapezoid rule in units of std, and how far it must reach."""
    neglected = 2.3026 * digits + 4.0  # −log of the error allowed
    smooth = np.pi * np.sqrt(2.0 / neglected)  # what the Gaussian itself allows
    # e^(a²/2 − 2πa/step) on the line at the height a = π/std of the poles
    by_poles = 2.0 * np.pi**2 * std / (neglected * std**2 + 0.5 * np.pi**2)
    return np.where(2.0 * std < smooth, smooth, by_poles), np.sqrt(2.0 * neglected)


@cache
def _nodes(step: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights, which sum to 1, of the trapezoid rule for a standard normal."""
    z = step * np.arange(-np.ceil(reach / step), np.ceil(reach / step) + 1)
    weights = np.exp(-0.5 * z**2)
    return z, weights / weights.sum()


def _by_bands(mean: np.ndarray, std: np.ndarray, digits: int) -> np.ndarray:
    steps, reach = _step(std, digits)
    longest = float(_step(np.zeros(()), digits)[0])
    bands = np.ceil(np.log(longest / steps) / np.log(_BAND) - 1e-9).astype(int)
    if mean.size * reach / steps.min() < 4_000:  # sorting would take longer
        bands[:] = bands.max()
    found = np.empty((3, mean.size))
    for band in np.unique(bands):
        z, weights = _nodes(longest / _BAND ** int(band), float(reach))
        members = np.flatnonzero(bands == band)
        rows = max(1, _BLOCK // z.size)
        for start in range(0, members.size, rows):
            which = members[start : start + rows]
            f = mean[which, None] + std[which, None] * z
            small = np.exp(-np.abs(f))  # ≤ 1: nothing overflows
            share = 1.0 / (1.0 + small)
            other = small * share
            found[0, which] = (np.maximum(f, 0.0) + log1p(small)) @ weights
            found[1, which] = np.where(f >= 0.0, share, other) @ weights
            found[2, which] = (share * other) @ weights
    return found


@cache
def _panels() -> tuple[np.ndarray, np.ndarray]:
    """Return points f > 0, and weights with the three integrands log(1 + e^−f), σ(−f), σ(f)σ(−f) in them."""
    x, w = np.polynomial.legendre.leggauss(16)
    left, right = np.array(_ENDS[:-1])[:, None], np.array(_ENDS[1:])[:, None]
    f = (0.5 * (left + right) + 0.5 * (right - left) * x).ravel()
    small = np.exp(-f)
    share = 1.0 / (1.0 + small)
    weights = (0.5 * (right - left) * w).ravel()
    return f, weights * np.stack([log1p(small), small * share, small * share**2]) / _ROOT_TWO_PI


def _by_panels(mean: np.ndarray, std: np.ndarray, digits: int) -> np.ndarray:  # noqa: ARG001
    """Return the three means for wide f; the panels are as many for all digits."""
    points, weights = _panels()
    standardised = mean / std
    found = np.empty((3, mean.size))
    rows = _BLOCK // points.size
    for start in range(0, mean.size, rows):
        which = slice(start, start + rows)
        m, s = mean[which, None], std[which, None]
        above = np.exp(-0.5 * ((points - m) / s) ** 2) / s
        below = np.exp(-0.5 * ((points + m) / s) ** 2) / s
        found[0, which] = (above + below) @ weights[0]
        found[1, which] = (below - above) @ weights[1]
        found[2, which] = (above + below) @ weights[2]
    density = np.exp(-0.5 * standardised**2) / _ROOT_TWO_PI
    found[0] += mean * ndtr(standardised) + std * density
    found[1] += ndtr(standardised)
    return found
