"""Derivatives of a function on a line by differences, at points that share no one scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from igviz.geometry import differences

Function = Callable[[np.ndarray], np.ndarray]

_SCALES = 4.0 ** np.arange(3, -5, -1)  # that are tried, in units of the width
# f″ ≈ Σⱼ wⱼ·(f(z + j·h) − 2f(z) + f(z − j·h))/h², exact for polynomials up to degree 9
_SECOND = np.array([8 / 5, -1 / 5, 8 / 315, -1 / 560])
_FRACTION = 1 / 32  # of a scale is one step


def first_derivative(function: Function, z: np.ndarray, width: float) -> np.ndarray:
    """Return f′ at z, of its shape, right to about 1e-10 where f varies on scales near the width."""

    def by(scale: float) -> np.ndarray:
        slope = differences.gradient(
            lambda at: function(at[..., 0]), z[..., None], np.full((*z.shape, 1), scale)
        )
        return slope[..., 0]

    return _steadiest(by, width)


def second_derivative(function: Function, z: np.ndarray, width: float) -> np.ndarray:
    """Return f″ at z, of its shape, right to about 1e-9 where f varies on scales near the width."""

    def by(scale: float) -> np.ndarray:
        step = _FRACTION * scale
        values = function(z[..., None] + step * np.arange(-4, 5))
        middle = values[..., 4:5]
        return ((values[..., 5:] - middle) - (middle - values[..., 3::-1])) @ _SECOND / step**2

    return _steadiest(by, width)


def _steadiest(derivative: Callable[[float], np.ndarray], width: float) -> np.ndarray:
    """Return a derivative by the scale, for each point, from which the next finer one differs least.

    On a larger one higher derivatives are seen, on a smaller one the rounding of the function.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # where the function is infinite, nan
        found = np.stack([derivative(width * scale) for scale in _SCALES])
        gaps = np.abs(np.diff(found, axis=0))
    best = np.argmin(np.where(np.isnan(gaps), np.inf, gaps), axis=0)
    return np.take_along_axis(found, best[None], axis=0)[0]
