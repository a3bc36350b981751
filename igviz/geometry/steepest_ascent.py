"""Where a function of normals rises most for a given KL divergence, among all steps or those of one chart."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from igviz.geometry.families.normal import Normal
from igviz.geometry.kl_balls import _excess_inverse
from igviz.geometry.normal_charts import NormalChart

Objective = Callable[[Normal], np.ndarray]

_COUNT = 361  # places all round among which a point is first looked for
_FINER = (1, 20, 400)  # where the top lies just outside the ball, the gradients turn within a degree
_PARTS, _ROUNDS = 128, 3  # an interval is divided into so many parts, so many times, and then a line is drawn


def steepest_on_kl_ball(p: Normal, radius: float, objective: Objective, gradient: Objective) -> Normal:
    """Return the normal q with KL(q‖p) = radius at which a function is largest.

    There the gradients of the function and of the divergence are parallel (Lagrange); as the radius shrinks,
    the direction from p to q becomes that of the natural gradient I⁻¹∇L. The point is the same distribution
    in every chart.

    Parameters
    ----------
    p : Normal
        The centre, one distribution.
    radius : float
        The divergence in nats, positive.
    objective, gradient : callable
        The function L, from normals to numbers of their shape, and its gradient in (mean, std), shape
        (..., 2).

    Returns
    -------
    Normal
        One distribution, right to about 1e-14 of the ball's size.

    Raises
    ------
    ValueError
        If p is a grid or the radius not positive.

    References
    ----------
    Amari, S. (1998). Natural gradient works efficiently in learning, section 2, theorem 1.
    """
    _check("steepest_on_kl_ball", p, radius)

    def turn(q: Normal) -> np.ndarray:  # the derivative of L along the boundary
        by_mean, by_std = (q.mean - p.mean) / p.std**2, q.std / p.std**2 - 1.0 / q.std
        slope = gradient(q)
        return by_mean * slope[..., 1] - by_std * slope[..., 0]

    angle, around = _all_round(p, radius, _COUNT)
    highest, step = angle[np.argmax(objective(around))], angle[1]
    return _boundary(p, radius, _crossing(p, radius, turn, highest - step, highest + step))


def steepest_in_chart(
    p: Normal, radius: float, objective: Objective, gradient: Objective, chart: NormalChart
) -> Normal:
    """Return the normal q with KL(q‖p) = radius that is the best on its own circle around p in a chart.

    The circle is that of a ruler on the chart's page, and q the point of it at which the function is
    largest; it has the size at which that point is at the given divergence. As the radius shrinks, the
    direction from p to q becomes that of the gradient in the chart, and so depends on the chart.

    Parameters
    ----------
    p : Normal
        The centre, one distribution.
    radius : float
        The divergence KL(q‖p) in nats, positive.
    objective, gradient : callable
        The function L, concave in the chart, whose highest point lies outside the ball, and its gradient in
        (mean, std), shape (..., 2).
    chart : NormalChart
        Where the circle is round.

    Returns
    -------
    Normal
        One distribution.

    Raises
    ------
    ValueError
        If p is a grid, the radius not positive, or no such point is found.
    """
    _check("steepest_in_chart", p, radius)
    start = chart.coordinates(p)

    def parts(q: Normal) -> tuple[np.ndarray, np.ndarray]:
        step, slope = chart.coordinates(q) - start, chart.gradient(q, gradient(q))
        turn = step[..., 0] * slope[..., 1] - step[..., 1] * slope[..., 0]
        return turn, np.sum(step * slope, axis=-1)

    for finer in _FINER:
        angle, around = _all_round(p, radius, finer * (_COUNT - 1) + 1)
        turn, along = parts(around)
        found = np.flatnonzero((turn[:-1] >= 0.0) & (turn[1:] < 0.0) & (along[:-1] > 0.0))
        if len(found):
            best = found[np.argmax(objective(around)[found])]
            ends = float(angle[best]), float(angle[best + 1])
            return _boundary(p, radius, _crossing(p, radius, lambda q: parts(q)[0], *ends))
    raise ValueError("steepest_in_chart: the function must rise towards a point outside the ball")


def _check(where: str, p: Normal, radius: float) -> None:
    if p.shape != ():
        raise ValueError(f"{where}: p must be one distribution, got a grid of shape {p.shape}")
    if not np.isfinite(radius) or radius <= 0.0:
        raise ValueError(f"{where}: radius must be a positive number, got {radius!r}")


def _unit_boundary(radius: float, angle: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and std of the q with KL(q‖N(0, 1)) = radius at angles as those of `kl_balls.kl_ball`."""
    across = np.sin(angle)
    std = np.exp(0.5 * _excess_inverse(2.0 * radius * across**2, across))
    return np.sqrt(2.0 * radius) * np.cos(angle), std


def _boundary(p: Normal, radius: float, angle: np.ndarray | float) -> Normal:
    """Return the normals with KL(q‖p) = radius at some angles."""
    mean, std = _unit_boundary(radius, angle)
    return Normal(p.mean + p.std * mean, p.std * std)


@lru_cache(maxsize=64)
def _unit_ring(radius: float, count: int) -> tuple[np.ndarray, ...]:
    angle = np.linspace(0.0, 2.0 * np.pi, count)
    return (angle, *_unit_boundary(radius, angle))


def _all_round(p: Normal, radius: float, count: int) -> tuple[np.ndarray, Normal]:
    """Return so many angles all round and the normals there; those of N(0, 1) are found once for a radius."""
    angle, mean, std = _unit_ring(float(radius), count)
    return angle, Normal(p.mean + p.std * mean, p.std * std)


def _crossing(p: Normal, radius: float, turn: Objective, low: float, high: float) -> float:
    """Return the angle between two at which a function of the boundary falls through zero."""
    for _ in range(_ROUNDS):
        angle = np.linspace(low, high, _PARTS + 1)
        value = turn(_boundary(p, radius, angle))
        first = max(int(np.argmin(value > 0.0)), 1)  # the first that is not positive
        low, high = angle[first - 1], angle[first]
        before, after = value[first - 1], value[first]
    return float(low + (high - low) * (before / (before - after) if before > 0.0 else 0.5))
