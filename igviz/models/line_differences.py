"""Derivatives of a function on a line by differences, at points that share no one scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from igviz.geometry.differences import _WEIGHTS as _FIRST

Function = Callable[[np.ndarray], np.ndarray]

_STEPS = 4.0 ** np.arange(1, -9, -1)  # that are tried, in units of the width
# f″ ≈ Σⱼ wⱼ·(f(z + j·h) − 2f(z) + f(z − j·h))/h², exact for polynomials up to degree 9
_SECOND = np.array([8 / 5, -1 / 5, 8 / 315, -1 / 560])


def first_derivative(function: Function, z: np.ndarray, width: float) -> np.ndarray:
    """Return f′ at z, of its shape, right to about 1e-10 where f varies on scales near the width.

    That is from a 50th of it to 50 times. nan where the function is infinite nearby.
    """
    return _steadiest(function, z, width, 1)


def second_derivative(function: Function, z: np.ndarray, width: float) -> np.ndarray:
    """Return f″ at z, of its shape, right to about 1e-9 where f varies on scales near the width."""
    return _steadiest(function, z, width, 2)


def _steadiest(function: Function, z: np.ndarray, width: float, order: int) -> np.ndarray:
    """Return a derivative by the step, for each point, from which the next finer one differs least.

    A larger one sees higher derivatives, a smaller one the rounding of the function. What they differ by is
    compared with what the function changes within the step; else steps over many humps, which all find that
    little changes, would win.
    """
    found, sizes = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for step in width * _STEPS:
            values = function(z[..., None] + step * np.arange(-4, 5))
            ahead, back = values[..., 5:] - values[..., 4:5], values[..., 4:5] - values[..., 3::-1]
            along = (ahead + back) @ _FIRST if order == 1 else (ahead - back) @ _SECOND
            found.append(along / step**order)
            sizes.append(np.max(np.abs(ahead) + np.abs(back), axis=-1) / step**order)
        gaps = np.abs(np.diff(found, axis=0)) / np.array(sizes[:-1])
    best = np.argmin(np.where(np.isnan(gaps), np.inf, gaps), axis=0)
    return np.take_along_axis(np.array(found), best[None], axis=0)[0]
