"""Four ways uphill for a normal q of one number, in plain floats: hundreds of steps fit into one frame.

All are given the exact means E_q[f′] and E_q[f″] of the log joint f, so that they differ by geometry alone.
The same steps for models of any size are those of `igviz.gradient_ascent` and `igviz.adam`.

References
----------
Khan, M. E. and Rue, H. (2023). The Bayesian learning rule, section 3 (natural gradients).
Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization, algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

Derivatives = Callable[[float, float], tuple[float, float]]  # from mean and std to E_q[f′] and E_q[f″]
Step = Callable[[Derivatives, float, float, float], Iterator[tuple[float, float]]]

FIRST_DECAY, SECOND_DECAY, ADAM_EPSILON = 0.9, 0.999, 1e-8  # of Adam, as Kingma and Ba recommend


class Walk(NamedTuple):
    """The places of a walk, its start first, and at which step it left the space, if it did."""

    mean: list[float]
    std: list[float]
    left: int | None


def walk(
    kind: str,
    derivatives: Derivatives,
    start: tuple[float, float],
    size: float,
    count: int,
    damping: float = 0.0,
) -> Walk:
    """Return a walk of so many steps, or of fewer if it leaves the normal distributions.

    Parameters
    ----------
    kind : {"mean and covariance", "mean and Cholesky factor", "Adam", "natural gradient"}
        Gradient ascent in (mean, std²) or in (mean, std), Adam (Kingma and Ba 2015, algorithm 1) in
        (mean, std), or natural-gradient ascent in natural coordinates.
    derivatives : callable
        From mean and std of q to E_q[f′] and E_q[f″], f = log p(x, z). Where it overflows (an OverflowError)
        the walk ends one step earlier; at the start it must not.
    start : (float, float)
        Mean and std.
    size : float
        The step, of all kinds.
    count : int
        The most steps.
    damping : float
        λ ≥ 0 in η ← η + size·(I + λ·Id)⁻¹∇L, of the natural gradient only: with 0 it is the natural gradient,
        with a large λ the ordinary one in natural coordinates, divided by λ.

    Returns
    -------
    Walk
        The step number `left` would have ended where the variance, std or precision is not positive, or where
        no finite number stands for the ELBO.
    """
    if kind == "natural gradient":
        steps = _natural(derivatives, *start, size, damping)
    else:
        steps = _WALKERS[kind](derivatives, *start, size)
    means, stds = [start[0]], [start[1]]
    for number in range(1, count + 1):
        try:
            mean, std = next(steps)
        except StopIteration:
            return Walk(means, stds, number)
        except ArithmeticError:  # at the last place, which is then none: the ELBO there is no finite number
            return Walk(means[:-1], stds[:-1], number - 1)
        means.append(mean)
        stds.append(std)
    return Walk(means, stds, None)


def _by_covariance(
    derivatives: Derivatives, mean: float, std: float, size: float
) -> Iterator[tuple[float, float]]:
    while True:
        first, second = derivatives(mean, std)
        variance = std**2 + size * 0.5 * (second + 1.0 / std**2)
        if not 0.0 < variance < math.inf:
            return
        mean, std = mean + size * first, math.sqrt(variance)
        yield mean, std


def _by_std(derivatives: Derivatives, mean: float, std: float, size: float) -> Iterator[tuple[float, float]]:
    while True:
        first, second = derivatives(mean, std)
        mean, std = mean + size * first, std + size * (std * second + 1.0 / std)
        if not 0.0 < std < math.inf:
            return
        yield mean, std


def _adam(derivatives: Derivatives, mean: float, std: float, size: float) -> Iterator[tuple[float, float]]:
    at, slope, square, number = [mean, std], [0.0, 0.0], [0.0, 0.0], 0
    while True:
        first, second = derivatives(*at)
        number += 1
        for k, gradient in enumerate((first, at[1] * second + 1.0 / at[1])):
            slope[k] += (1.0 - FIRST_DECAY) * (gradient - slope[k])
            square[k] += (1.0 - SECOND_DECAY) * (gradient**2 - square[k])
            unbiased = slope[k] / (1.0 - FIRST_DECAY**number)
            spread = math.sqrt(square[k] / (1.0 - SECOND_DECAY**number))
            at[k] += size * unbiased / (spread + ADAM_EPSILON)
        if not 0.0 < at[1] < math.inf:
            return
        yield at[0], at[1]


def _natural(
    derivatives: Derivatives, mean: float, std: float, size: float, damping: float
) -> Iterator[tuple[float, float]]:
    while True:
        first, second = derivatives(mean, std)
        precision = 1.0 / std**2
        # the natural gradient in (Λm, −½Λ): the ordinary one in expectation parameters
        change = -second - precision
        linear, quadratic = first + change * mean, -0.5 * change
        if damping:
            linear, quadratic = _damped(linear, quadratic, mean, std**2, damping)
        new = precision - 2.0 * size * quadratic
        if not 0.0 < new < math.inf:
            return
        mean, std = (precision * mean + size * linear) / new, math.sqrt(1.0 / new)
        yield mean, std


def _damped(
    linear: float, quadratic: float, mean: float, variance: float, damping: float
) -> tuple[float, float]:
    """Return (I + λ·Id)⁻¹·I·v for v = (linear, quadratic), with I the covariance of z and z²."""
    a, b = variance, 2.0 * mean * variance
    c = 4.0 * mean**2 * variance + 2.0 * variance**2
    right = a * linear + b * quadratic, b * linear + c * quadratic
    a, c = a + damping, c + damping
    determinant = a * c - b * b
    return (c * right[0] - b * right[1]) / determinant, (a * right[1] - b * right[0]) / determinant


_WALKERS: dict[str, Step] = {
    "mean and covariance": _by_covariance,
    "mean and Cholesky factor": _by_std,
    "Adam": _adam,
}
