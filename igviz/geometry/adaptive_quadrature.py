"""Integrals over a line, a half-line or an interval, of many functions at once, at any scale.

Every piece of the line is mapped to t on which a factor of x is a shift: x = sinh t, e^t or 1/(1 + e^(−t)).
So a density may be narrow or wide, or infinite at an end. Panels of t are halved until two
Gauss–Legendre rules agree on each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from scipy.special import expit

Function = Callable[[np.ndarray], np.ndarray]

_FEW, _MANY = np.polynomial.legendre.leggauss(10), np.polynomial.legendre.leggauss(21)
_TOLERANCE = 1e-11  # between the two rules on one panel; the finer one is far better than that
_FORGOTTEN = 1e-6  # more than that beyond |t| = 400 is no tail but a divergence
_MOST_PANELS = 20_000
_OUTER = np.array([50.0, 75.0, 110.0, 170.0, 260.0, 400.0, 700.0])  # e^709 is the largest float
_START = np.concatenate([-_OUTER[::-1], np.linspace(-36.0, 36.0, 145), _OUTER])


def integrate(function: Function, breaks: Sequence[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the integral of a function of values around 1, and a rule that serves for its like.

    Parameters
    ----------
    function : callable
        Maps points, shape (n,), to values, shape (..., n). It is never called at a break.
    breaks : sequence of float
        At least two, increasing: the ends, which may be infinite, and between them the places where the
        function is singular, has a kink or jumps.

    Returns
    -------
    total : numpy.ndarray
        Shape (...), with an absolute error of about 1e-12 if function is smooth between the breaks.
    x, weights : numpy.ndarray
        Shape (m,): the points used and their weights.

    Raises
    ------
    ArithmeticError
        If the panels become too many: the integral does not exist or has no such accuracy.
    """
    pieces = [_integrate_piece(function, *ends) for ends in pairwise(breaks)]
    totals, points, weights = zip(*pieces, strict=True)
    return sum(totals[1:], totals[0]), np.concatenate(points), np.concatenate(weights)


def _integrate_piece(
    function: Function, low: float, high: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    left, right = _START[:-1], _START[1:]
    total, points, weights, panels = 0.0, [], [], 0
    while left.size:
        panels += left.size
        if panels > _MOST_PANELS:
            raise ArithmeticError("the integral does not converge")
        (x, share), (few, few_share) = (_nodes(rule, left, right, low, high) for rule in (_MANY, _FEW))
        values = function(np.concatenate([x.ravel(), few.ravel()]))
        fine = np.sum(values[..., : x.size].reshape(*values.shape[:-1], *x.shape) * share, axis=-1)
        coarse = np.sum(values[..., x.size :].reshape(*values.shape[:-1], *few.shape) * few_share, axis=-1)
        if np.any(np.abs(fine[..., (left == _START[0]) | (right == _START[-1])]) > _FORGOTTEN):
            raise ArithmeticError("the integral does not converge")
        error = np.abs(fine - coarse).reshape(-1, left.size)
        done = np.all(error <= _TOLERANCE, axis=0)
        total = total + np.sum(fine[..., done], axis=-1)
        points.append(x[done].ravel())
        weights.append(share[done].ravel())
        left, right = left[~done], right[~done]
        middle = 0.5 * (left + right)
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
    return np.asarray(total), np.concatenate(points), np.concatenate(weights)


def _nodes(
    rule: tuple[np.ndarray, np.ndarray], left: np.ndarray, right: np.ndarray, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of a rule on panels of t, shape (panels, nodes), in terms of x."""
    half = 0.5 * (right - left)[:, None]
    t = 0.5 * (right + left)[:, None] + half * rule[0]
    x, speed = _map(t, low, high)
    inside = (x > low) & (x < high)  # next to an end x may be rounded to it
    return np.where(inside, x, _map(np.zeros(()), low, high)[0]), np.where(
        inside, half * rule[1] * speed, 0.0
    )


def _map(t: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return x(t) in (low, high) and dx/dt."""
    if np.isinf(low) and np.isinf(high):
        return np.sinh(t), np.cosh(t)
    if np.isinf(high):
        return low + np.exp(t), np.exp(t)
    if np.isinf(low):
        return high - np.exp(t), np.exp(t)
    up, down, width = expit(t), expit(-t), high - low
    return np.where(t < 0.0, low + width * up, high - width * down), width * up * down
