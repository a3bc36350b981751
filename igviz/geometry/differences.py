"""Derivatives of a function of coordinates by central differences of high order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# f′ ≈ Σⱼ wⱼ·(f(x + j·h) − f(x − j·h))/h, exact for polynomials up to degree 8
_WEIGHTS = np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])
_OFFSETS = np.concatenate([np.arange(1, 5), -np.arange(1, 5)])
# a step is this fraction of the scale: truncation and rounding are then both near 1e-13
_FRACTION = 1 / 128


def gradient(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the partial derivatives of a function of coordinates, as a new last axis.

    Parameters
    ----------
    function : callable
        Maps points, shape (..., k), to arrays, shape (..., *s), all at once.
    x : numpy.ndarray
        Points, shape (..., k).
    scale : numpy.ndarray
        Shape (..., k): how far one may go along each coordinate before the function changes by about its own
        size. The function is evaluated up to 1/32 of it away.

    Returns
    -------
    numpy.ndarray
        Shape (..., *s, k). Relative errors are about 1e-12 where the function varies on the given scale.
    """
    k = x.shape[-1]
    steps = _FRACTION * scale
    shifts = _OFFSETS[:, None, None] * np.eye(k)
    # axes: offset, coordinate that moves, points, coordinates
    moved = x + shifts.reshape(8, k, *(1,) * (x.ndim - 1), k) * steps
    values = np.asarray(function(moved))
    weighted = np.tensordot(_WEIGHTS, values[:4] - values[4:], axes=1)
    along = np.moveaxis(steps, -1, 0)
    return np.moveaxis(weighted / along.reshape(along.shape + (1,) * (weighted.ndim - along.ndim)), 0, -1)
