"""One outcome's share of an α-divergence, in a form that never cancels.

With t = (1 + α)/2 the divergence is the sum, or integral, over outcomes of

    share = ((1 − t)·p + t·q − p^(1−t)·q^t)/(t·(1 − t)) ≥ 0,

which is q − p + p·log(p/q) for t = 0 and p − q + q·log(q/p) for t = 1. Exchanging p and q exchanges t and
1 − t. Nothing here knows about distributions.

References
----------
Amari, S. (2016). Information Geometry and Its Applications, chapters 3 and 4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.numerics import log_ratio

# below this relative difference, divided by |t| where that is large, the share is integrated
_NEAR = 0.3
_ABSCISSAE, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_NODES, _WEIGHTS = 0.5 * (1.0 + _ABSCISSAE), 0.5 * _WEIGHTS


def alpha_share(
    p: ArrayLike, q: ArrayLike, alpha: ArrayLike, difference: ArrayLike | None = None
) -> np.ndarray:
    """Return the share of outcomes with masses p, q ≥ 0, of the broadcast shape; inf where it is infinite.

    `difference` is q − p where the caller knows it more exactly than the subtraction does.
    """
    p, q, alpha = np.broadcast_arrays(p, q, alpha)
    gap = np.asarray(q - p if difference is None else difference)
    with np.errstate(all="ignore"):
        near = np.abs(gap) < 0.5 * p
        logarithm = np.where(near, np.log1p(np.where(near, gap, 0.0) / p), log_ratio(q, p))
        value = alpha_share_of_logarithms(np.log(p), logarithm, alpha)
        t, s = 0.5 * (1.0 + alpha), 0.5 * (1.0 - alpha)
        value = np.where((q == 0.0) & (p > 0.0), np.where(t > 0.0, p / t, np.inf), value)
        value = np.where((p == 0.0) & (q > 0.0), np.where(s > 0.0, q / s, np.inf), value)
    return np.where((p == 0.0) & (q == 0.0), 0.0, value)[()]


def alpha_share_of_logarithms(log_p: np.ndarray, logarithm: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return the share of outcomes with densities exp(log_p) and exp(log_p + logarithm), both positive."""
    falls = logarithm <= 0.0
    # seen from the larger mass, so that the ratio exp(y) is at most 1
    larger = np.where(falls, log_p, log_p + logarithm)
    t, s = (0.5 * (1.0 + np.where(falls, sign, -sign) * alpha) for sign in (1.0, -1.0))
    y = -np.abs(logarithm)
    with np.errstate(all="ignore"):
        gap = np.expm1(y)
        near = -gap * np.maximum(1.0, 0.25 * np.abs(t)) < _NEAR
        close = np.exp(larger) * _near(np.where(near, gap, 0.0), np.where(near, t, 0.0))
        return np.where(near, close, _far(larger, y, t, s))


def _near(gap: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return gap²·∫₀¹ (1 − x)·(1 + x·gap)^(t − 2) dx: Taylor's formula, the second derivative integrated."""
    powers = np.exp((t[..., None] - 2.0) * np.log1p(gap[..., None] * _NODES))
    return gap**2 * (powers @ (_WEIGHTS * (1.0 - _NODES)))


def _far(log_p: np.ndarray, y: np.ndarray, t: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Return the share for y = log(q/p) as it stands, but for the division by the smaller of t and 1 − t."""
    log_q = log_p + y
    gap = np.exp(log_p) * np.expm1(y)
    return np.where(t < 0.5, (gap - _rise(log_p, y, t)) / s, (-gap - _rise(log_q, -y, s)) / t)


def _rise(logarithm: np.ndarray, y: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return (exp(logarithm + t·y) − exp(logarithm))/t, whose limit for t → 0 is y·exp(logarithm)."""
    divisor = np.where(t == 0.0, 1.0, t)
    small = np.exp(logarithm) * np.where(t == 0.0, y, np.expm1(t * y) / divisor)
    return np.where(np.abs(t * y) < 1.0, small, (np.exp(logarithm + t * y) - np.exp(logarithm)) / divisor)
