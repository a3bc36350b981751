"""Telling two normal distributions apart from n observations: the exact error of the best test."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from igviz.geometry.chernoff import chernoff_information
from igviz.geometry.families.normal import Normal
from igviz.geometry.numerics import as_numbers

_NODES = 260
_NEGLIGIBLE = 45.0  # exp(−45) of the peak is left out of an integral
_LEAN = 0.35  # how far the contour leans at the height of the branch point's distance


def bayes_error(p: Normal, q: Normal, n: ArrayLike) -> np.ndarray:
    """Return the least probability of error in telling p from q by n independent observations.

    Both are equally probable beforehand; the best test takes the one with the larger likelihood, so the error
    is ½·∫ min(pⁿ, qⁿ). It is exact, far tails included, not counted in a simulation.

    Parameters
    ----------
    p, q : Normal
        One distribution each.
    n : array_like
        Numbers of observations, whole and at least 1, of any shape.

    Returns
    -------
    numpy.ndarray
        Probabilities from 0 to ½, of the shape of n, right to about 1e-12 relative.

    Raises
    ------
    TypeError
        If p or q is not a Normal.
    ValueError
        If p or q is a grid, or an n is not a whole number from 1.

    Notes
    -----
    Equal standard deviations give Φ(−√n·|Δmean|/(2·std)). Otherwise, with K(t) = log ∫ p^(1−t)·q^t, the error
    is ½·(1/2πi)·∫ exp(n·K(t))·(1/t + 1/(1 − t)) dt along a line from below to above that crosses the real
    axis between 0 and 1. We cross where K is least, K = −C, so that exp(−nC) comes out as a factor; the line
    bends towards the side where K falls, and the trapezoid rule converges geometrically on it.

    References
    ----------
    Cover, T. M. and Thomas, J. A. (2006). Elements of Information Theory, section 11.9.
    Daniels, H. E. (1954). Saddlepoint approximations in statistics.
    """
    numbers, shift, width = _checked("bayes_error", p, q, n)
    if width == 1.0:
        return ndtr(-0.5 * np.sqrt(numbers) * abs(shift))
    information, weight = chernoff_information(p, q, return_weight=True)
    flat = numbers.reshape(-1, 1)
    # K has a branch point at width²/(width² − 1), and far away falls like −rate·|Re t| on its side
    side, branch = np.sign(width - 1.0), abs(width**2 / (width**2 - 1.0) - weight)
    rate = abs(np.log(width)) + 0.5 * shift**2 / abs(width**2 - 1.0)
    lean = side * _LEAN / max(1.0, branch)
    near = 1.0 / np.sqrt(flat * _curvature(shift, width, weight))
    reach = np.maximum(np.sqrt(2.0 * _NEGLIGIBLE) * near, np.sqrt(_NEGLIGIBLE / (flat * rate * abs(lean))))
    # the nodes y = scale·sinh(u) are dense at the saddle and reach far
    scale = np.minimum(near, 0.5)
    last = np.arcsinh(reach / scale)
    u = np.linspace(0.0, 1.0, _NODES) * last
    y, speed = scale * np.sinh(u), scale * np.cosh(u)
    t = weight + 1j * y + lean * y**2
    direction = (1j + 2.0 * lean * y) * speed
    share = np.exp(flat * (_log_affinity(shift, width, t) + information)) / (t * (1.0 - t)) * direction
    share[:, 0] *= 0.5  # the lower half of the line is the mirror image of the upper
    integral = np.sum(share.imag, axis=-1) * last[:, 0] / (_NODES - 1)
    error = np.exp(-flat[:, 0] * information) * integral / (2.0 * np.pi)
    return error.reshape(numbers.shape)[()]


def log_ratio_variance(p: Normal, q: Normal) -> float:
    """Return the variance of one observation's log q/p, in nats², at the Chernoff point between p and q.

    Parameters
    ----------
    p, q : Normal
        One distribution each.

    Returns
    -------
    float
        (Δmean/std)² for equal standard deviations; 0 when p equals q.

    Raises
    ------
    TypeError, ValueError
        As for `bayes_error`.
    """
    _, shift, width = _checked("log_ratio_variance", p, q, 1)
    return float(_curvature(shift, width, chernoff_information(p, q, return_weight=True)[1]))


def _checked(where: str, p: Normal, q: Normal, n: ArrayLike) -> tuple[np.ndarray, float, float]:
    """Return n as an array, and mean and std of q in the units of p."""
    for name, one in (("p", p), ("q", q)):
        if not isinstance(one, Normal):
            raise TypeError(f"{where}: {name} must be a Normal, got {one!r}")
        if one.shape != ():
            raise ValueError(f"{where}: {name} must be one distribution, got a grid of shape {one.shape}")
    numbers = as_numbers(where, "n", n)
    if not np.all((numbers >= 1) & (numbers == np.floor(numbers)) & np.isfinite(numbers)):
        raise ValueError(f"{where}: n must be whole numbers from 1, got {n!r}")
    return numbers, float((q.mean - p.mean) / p.std), float(q.std / p.std)


def _log_affinity(shift: float, width: float, t: np.ndarray) -> np.ndarray:
    """Return K(t) = log ∫ p^(1−t)·q^t for p = N(0, 1), q = N(shift, width), also for complex t."""
    mixed = width**2 + t * (1.0 - width**2)
    return (1.0 - t) * np.log(width) - 0.5 * np.log(mixed) - 0.5 * t * (1.0 - t) * shift**2 / mixed


def _curvature(shift: float, width: float, t: np.ndarray) -> np.ndarray:
    """Return K″(t), the variance of log q/p under the normalised p^(1−t)·q^t."""
    slope = 1.0 - width**2
    mixed = width**2 + t * slope
    # log q/p is a·x² + b·x + constant
    a, b = -0.5 * slope / width**2, shift / width**2
    mean, variance = t * shift / mixed, width**2 / mixed
    return 2.0 * a**2 * variance**2 + (2.0 * a * mean + b) ** 2 * variance
