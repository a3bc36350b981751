"""Balls of the KL divergence, in both directions: all normals within a given divergence of one."""

from __future__ import annotations

import numpy as np

from igviz.geometry.families.location_scale import exponential_excess
from igviz.geometry.families.normal import Normal

DIRECTIONS = ("KL(p‖q)", "KL(q‖p)")

# Newton's method from above has all digits after five steps from the bounds that start it, whatever the value
_STEPS = 12


def kl_ball(p: Normal, radius: float, direction: str = "KL(p‖q)", count: int = 201) -> Normal:
    """Return the normals q at one KL divergence from or to p, all the way round: the boundary of a KL ball.

    As the radius ε shrinks both boundaries approach that of the metric, ½·δᵀIδ = ε: point k is the one that
    lies in the direction of step k of `igviz.geometry.balls.tangent_ellipse(p, √(2ε), count=count)`. They
    differ in order ε: the ball of KL(p‖q) reaches less far towards small standard deviations than that of
    KL(q‖p), and farther towards large ones.

    Parameters
    ----------
    p : Normal
        The centre, one distribution.
    radius : float
        The divergence ε in nats, not negative.
    direction : {"KL(p‖q)", "KL(q‖p)"}
        Which divergence is ε: E_p[log p − log q] or E_q[log q − log p]. ASCII bars, "KL(p||q)", will do.
    count : int
        Number of points, at least 2; the first and the last are the same.

    Returns
    -------
    Normal
        Shape (count,). Their coordinates in any chart draw the curve there.

    Raises
    ------
    TypeError
        If p is not a Normal.
    ValueError
        If p is a grid, the radius negative or so large that a standard deviation overflows, the direction
        unknown or the count too small.

    Notes
    -----
    Where p is standard and q = N(m, s), KL(q‖p) = ½·m² + g(log s²) and KL(p‖q) = ½·(m/s)² + g(−log s²) with
    g(y) = ½·(exp y − 1 − y) ≥ 0. So the two terms are ε·cos²φ and ε·sin²φ: the means are explicit and the
    standard deviations solve one equation for g.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, chapter 1.
    """
    if not isinstance(p, Normal):
        raise TypeError(f"kl_ball: p must be a Normal, got {p!r}")
    if p.shape != ():
        raise ValueError(f"kl_ball: p must be one distribution, got a grid of shape {p.shape}")
    if not np.isfinite(radius) or radius < 0:
        raise ValueError(f"kl_ball: radius must be a number not below 0, got {radius!r}")
    kind = direction.replace("||", "‖") if isinstance(direction, str) else direction
    if kind not in DIRECTIONS:
        raise ValueError(f"kl_ball: direction must be 'KL(p‖q)' or 'KL(q‖p)', got {direction!r}")
    if count < 2:
        raise ValueError(f"kl_ball: count must be at least 2, got {count!r}")
    angle = np.linspace(0.0, 2.0 * np.pi, count)
    along, across = np.sqrt(2.0 * radius) * np.cos(angle), np.sin(angle)
    backward = kind == "KL(q‖p)"
    logarithm = _excess_inverse(2.0 * radius * across**2, across if backward else -across)
    with np.errstate(over="ignore"):  # the constructor refuses what overflows
        std = np.exp(0.5 * logarithm if backward else -0.5 * logarithm)
        return Normal(p.mean + p.std * along * (1.0 if backward else std), p.std * std)


def _excess_inverse(value: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Return the y of the given sign with exp(y) − 1 − y = value ≥ 0.

    As a function of |y| it is convex and rises, so that Newton's method comes down to the solution from any
    bound above it: |y| = log(1 + value + y) with y ≤ √(2·value) on the right, and on the left, where it
    exceeds y²/(2 + |y|), the root of that.
    """
    right = np.log1p(value + np.log1p(value + np.sqrt(2.0 * value)))
    left = 0.5 * (value + np.sqrt(value * (value + 8.0)))
    size = np.where(sign > 0.0, right, left)
    direction = np.where(sign > 0.0, 1.0, -1.0)
    for _ in range(_STEPS):
        y = direction * size
        slope = direction * np.expm1(y)
        step = (exponential_excess(y) - value) / np.where(slope > 0.0, slope, 1.0)
        size = size - step
        if np.all(np.abs(step) <= 2e-16 * size):
            break
    return direction * size
