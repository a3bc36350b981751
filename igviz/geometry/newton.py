"""Newton's method for a minimum in a few variables, in steps measured by a metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

_STEPS = 300
_HALVINGS = 60
# from this size of gradient on a full step doubles the digits, and values can no longer tell whether it does
_QUADRATIC = 1e-5
# least curvature, against that of the metric, with which a step is taken
_FLATTEST = 1e-3
_LONGEST = 3.0


class Minimum(NamedTuple):
    """Where a search has ended: the place, its value, and the length of the gradient there.

    The length is measured by the inverse metric. It is inf if the place is no minimum.
    """

    x: np.ndarray
    value: float
    residual: float


def minimise(
    value: Callable[[np.ndarray], float],
    slopes: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]],
    start: np.ndarray,
) -> Minimum:
    """Return the local minimum to which Newton's method comes from a start.

    Parameters
    ----------
    value : callable
        Maps points, shape (m,), to numbers; inf where the function is not defined.
    slopes : callable
        Maps points to gradient (m,), Hessian (m, m) and a positive definite metric (m, m). Directions in
        which the Hessian is not positive are gone down as if it were, and steps are no longer than the metric
        can be trusted.
    start : numpy.ndarray
        Shape (m,), where the value is finite.

    Returns
    -------
    Minimum
        As exact as gradient and Hessian are; the residual says how exact that is.

    References
    ----------
    Nocedal, J. and Wright, S. J. (2006). Numerical Optimization, sections 3.4 and 3.5.
    """
    x, here = np.array(start, dtype=np.float64), value(start)
    best = Minimum(x, here, np.inf)
    for _ in range(_STEPS):
        gradient, hessian, metric = slopes(x)
        try:
            root = np.linalg.cholesky(metric)
        except np.linalg.LinAlgError:  # at the edge of the domain
            return best
        pull = np.linalg.solve(root, gradient)
        half = np.linalg.solve(root, np.linalg.solve(root, hessian).T)
        bends, axes = np.linalg.eigh(0.5 * (half + half.T))
        residual = float(np.linalg.norm(pull)) if bends[0] > 0.0 else np.inf
        if best.residual < _QUADRATIC and not residual < 0.5 * best.residual:
            return best if best.residual <= residual else Minimum(x, here, residual)
        best = Minimum(x, here, residual)
        if not np.any(pull):
            return best
        move = -axes @ ((axes.T @ pull) / np.maximum(np.abs(bends), _FLATTEST))
        length = float(np.linalg.norm(move))
        move = np.linalg.solve(root.T, move * min(1.0, _LONGEST / length))
        if residual < _QUADRATIC:
            x = x + move
            here = value(x)
            continue
        step = _downhill(value, x, move, here, float(gradient @ move))
        if step is None:
            return best
        x, here = step
    return best


def _downhill(
    value: Callable[[np.ndarray], float], x: np.ndarray, move: np.ndarray, here: float, slope: float
) -> tuple[np.ndarray, float] | None:
    """Return the first of x + move, x + move/2, … at which the value has fallen enough."""
    for _ in range(_HALVINGS):
        there = value(x + move)
        if there <= here + 1e-4 * slope:
            return x + move, there
        move, slope = 0.5 * move, 0.5 * slope
    return None
