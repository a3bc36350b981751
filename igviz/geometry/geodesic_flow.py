"""Geodesics from a point in a direction: the geodesic equation as an initial value problem."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Acceleration = Callable[[np.ndarray, np.ndarray], np.ndarray]

# of the displacement and the direction, both in units of the length travelled
_RELATIVE, _ABSOLUTE = 1e-12, 1e-13
_LEAST_RELATIVE = 2.5e-14  # the integrator takes no smaller one


def flow(
    acceleration: Acceleration,
    start: np.ndarray,
    velocity: np.ndarray,
    speed: np.ndarray,
    scale: np.ndarray,
    t: np.ndarray,
) -> np.ndarray:
    """Return displacements at times t of n geodesics, shape (m, n, k), integrated as one system.

    Parameters
    ----------
    acceleration : callable
        Maps points and velocities, both (n, k), to −Γ(v, v), shape (n, k); nan where there is no metric.
    start, velocity : numpy.ndarray
        Shape (n, k).
    speed : numpy.ndarray
        Shape (n,): the length of the velocities in the metric.
    scale : numpy.ndarray
        Shape (n, k): the units in which displacements are measured, those of a step of length 1 along each
        coordinate.
    t : numpy.ndarray
        Shape (m,), in any order, of either sign.

    Raises
    ------
    ArithmeticError
        If a geodesic leaves the domain before it has got there.

    References
    ----------
    Hairer, Nørsett, Wanner (1993). Solving Ordinary Differential Equations I, section II.10, for the
    eighth-order method of Dormand and Prince.
    """
    displacements = np.zeros((t.size, *start.shape))
    moving = speed > 0.0
    if not np.any(moving):
        return displacements
    for sign in (1.0, -1.0):
        ahead = np.flatnonzero(sign * t > 0.0)
        ahead = ahead[np.argsort(np.abs(t[ahead]), kind="stable")]
        if ahead.size:
            at, units, length = start[moving], scale[moving], speed[moving, None]
            direction = sign * velocity[moving] / length
            states = _march(acceleration, at, direction, units, length, np.abs(t[ahead]))
            displacements[np.ix_(ahead, np.flatnonzero(moving))] = length * states
    return displacements


def _march(
    acceleration: Acceleration,
    start: np.ndarray,
    direction: np.ndarray,
    scale: np.ndarray,
    length: np.ndarray,
    stops: np.ndarray,
) -> np.ndarray:
    """Return displacement/length at increasing stops, shape (m, n, k).

    The integrator is made to step on every stop: what it interpolates in between has fewer digits.
    """
    # not at the top: it takes half a second to load, and closed forms do without
    from scipy.integrate import DOP853

    def slope(_: float, state: np.ndarray) -> np.ndarray:
        moved, v = state.reshape(2, *start.shape)
        bend = acceleration(start + length * scale * moved, scale * v) * length / scale
        return np.concatenate([v.ravel(), bend.ravel()])

    state = np.concatenate([np.zeros(start.size), (direction / scale).ravel()])
    # the integrator's norm is a mean over the whole system: one geodesic alone may hold all of the error
    share = np.sqrt(len(start))
    solver = DOP853(
        slope, 0.0, state, stops[-1], rtol=max(_RELATIVE / share, _LEAST_RELATIVE), atol=_ABSOLUTE / share
    )
    results = []
    for stop in stops:
        solver.t_bound, solver.status = stop, "running"
        while solver.t < stop:
            solver.step()
            if solver.status == "failed" or not np.all(np.isfinite(solver.y)):
                raise ArithmeticError(
                    f"a geodesic leaves the domain of the metric at about t = {solver.t:.6g} of {stop:g}"
                )
        results.append(solver.y.reshape(2, *start.shape)[0] * scale)
    return np.stack(results)
