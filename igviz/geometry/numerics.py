"""Elementary functions in forms that keep their digits where the textbook form cancels.

Nothing here knows about distributions. Every function is a NumPy expression over broadcast arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

# below this relative difference a power series is used, above it the logarithm itself
_NEAR = 0.3


def as_numbers(owner: str, name: str, value: ArrayLike) -> np.ndarray:
    """Return a fresh float64 array of a number or an array of numbers, or say which argument is not one.

    Parameters
    ----------
    owner, name : str
        Who asks and for which argument; both are named in the error.
    value : array_like
        Integers, floats or booleans of any shape.

    Raises
    ------
    ValueError
        If the value is text, complex, ragged or otherwise not numeric.
    """
    try:
        array = np.asarray(value)
    except ValueError:  # a ragged list
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{owner}: {name} must be a number or an array of numbers, got {value!r}")
    return np.array(array, dtype=np.float64)


def log_ratio(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Return log(a / b) for a, b ≥ 0, also where the quotient would overflow or underflow."""
    a, b = np.asarray(a), np.asarray(b)
    with np.errstate(all="ignore"):
        ratio = a / b
        return np.where((ratio > 1e-300) & (ratio < 1e300), np.log(ratio), np.log(a) - np.log(b))[()]


def _log_deficit_near(u: np.ndarray) -> np.ndarray:
    """Return u − log(1 + u) for |u| < 0.3, where subtraction would cancel.

    With z = u/(2 + u), log(1 + u) = 2·artanh(z) and u − 2z = u·z, so that
    u − log(1 + u) = z·(u − 2·z²·(1/3 + z²/5 + z⁴/7 + …)), and the second term is small against the first.
    """
    z = u / (2.0 + u)
    square = z * z
    series = np.zeros_like(square)
    for denominator in range(25, 1, -2):
        series = series * square + 1.0 / denominator
    return z * (u - 2.0 * square * series)


def log_deficit(u: ArrayLike) -> np.ndarray:
    """Return u − log(1 + u) for u > −1, which is never negative, without cancellation for small u."""
    u = np.asarray(u)
    near = np.abs(u) < _NEAR
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(near, _log_deficit_near(np.where(near, u, 0.0)), u - np.log1p(u))[()]


def itakura_saito(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Return a/b − 1 − log(a/b) for positive a and b: the Bregman divergence of −log.

    It is 0 for a = b, positive otherwise, and right to its last digits however close a and b are.
    """
    a, b = np.asarray(a), np.asarray(b)
    with np.errstate(over="ignore", invalid="ignore"):
        u = (a - b) / b
        near = _log_deficit_near(np.where(np.abs(u) < _NEAR, u, 0.0))
        return np.where(np.abs(u) < _NEAR, near, u - log_ratio(a, b))[()]


def generalised_kl(p: ArrayLike, q: ArrayLike, difference: ArrayLike | None = None) -> np.ndarray:
    """Return p·log(p/q) − p + q for p, q ≥ 0: one outcome's share of a Kullback–Leibler divergence.

    Summed over the outcomes of two discrete distributions the −p + q cancel and the KL divergence remains; as
    every share is non-negative the sum never cancels.

    Parameters
    ----------
    p, q : array_like
        Non-negative masses. p = 0 gives q; q = 0 < p gives infinity.
    difference : array_like, optional
        q − p where the caller knows it more exactly than the subtraction does, as for 1 − p and 1 − q.
    """
    p, q = np.asarray(p), np.asarray(q)
    gap = np.asarray(q - p if difference is None else difference)
    with np.errstate(all="ignore"):
        u = gap / p
        close = np.abs(u) < _NEAR
        near = p * _log_deficit_near(np.where(close, u, 0.0))
        share = np.where(close, near, gap - p * log_ratio(q, p))
    return np.where(p == 0.0, q, share)[()]


def minus_product(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> np.ndarray:
    """Return a − b·c as if the product had been formed exactly.

    The product is split into its rounded value and the rounding error, which is itself a float64.

    References
    ----------
    Dekker, T. J. (1971). A floating-point technique for extending the available precision.
    """
    a, b, c = np.asarray(a), np.asarray(b), np.asarray(c)
    rounded = b * c
    (b_high, b_low), (c_high, c_low) = _halves(b), _halves(c)
    error = ((b_high * c_high - rounded) + (b_high * c_low + b_low * c_high)) + b_low * c_low
    return (a - rounded) - error


def _halves(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two numbers of half the digits whose sum is a."""
    shifted = 134217729.0 * a  # 2²⁷ + 1 halves the 53 bits
    high = shifted - (shifted - a)
    return high, a - high


def forward_substitution(factor: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return factor⁻¹·right for lower triangular factors, shape (..., d, d), and right, shape (..., d, m).

    The grids broadcast. Row by row, so that rows of very different sizes do not disturb each other.
    """
    grid = np.broadcast_shapes(factor.shape[:-2], right.shape[:-2])
    result = np.empty(grid + right.shape[-2:])
    for i in range(factor.shape[-1]):
        known = (factor[..., i : i + 1, :i] @ result[..., :i, :])[..., 0, :]
        result[..., i, :] = (right[..., i, :] - known) / factor[..., i, i, None]
    return result


def diagonal(*entries: Any) -> np.ndarray:
    """Return diagonal matrices, shape (..., k, k), from k arrays of entries that broadcast to (...)."""
    values = np.stack(np.broadcast_arrays(*entries), axis=-1)
    return values[..., :, None] * np.eye(len(entries))


def matrix(rows: list[list[Any]]) -> np.ndarray:
    """Return matrices, shape (..., k, k), from nested lists of entries that broadcast to (...)."""
    size = len(rows)
    entries = np.broadcast_arrays(*(entry for row in rows for entry in row))
    return np.stack(entries, axis=-1).reshape(*entries[0].shape, size, -1)


def differentiation_matrix(nodes: np.ndarray) -> np.ndarray:
    """Return the matrix that takes a polynomial's values at the nodes to its derivatives there."""
    gaps = nodes[:, None] - nodes + np.eye(nodes.size)
    scale = np.prod(gaps, axis=1)
    result = scale[:, None] / scale / gaps
    np.fill_diagonal(result, 0.0)
    # constants have derivative zero, which fixes the diagonal
    np.fill_diagonal(result, -result.sum(axis=1))
    return result
