"""Means under normals of a function that is known by its values only, and of its two derivatives.

With z = mean + std·ε, E[f′] = E[ε·f]/std and E[f″] = E[(ε² − 1)·f]/std² (Stein 1981, lemma 1): no derivative
of f is asked for. The trapezoid rule in ε is exact to rounding as soon as its step resolves f (Trefethen and
Weideman 2014, section 5). Two rules of one step, shifted against each other by an irrational share of it,
show whether it does: a ripple that one of them mistakes for a constant, the other takes for another one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]

_REACHES = (9.0, 13.0, 19.0, 27.0, 37.0)  # of a rule, in stds; e^(−37²/2) is close to the smallest float
_FIRST, _LAST = 1 / 2, 1 / 2048  # steps
_SHIFT = 0.5 * (np.sqrt(5.0) - 1.0)  # of the second rule, in steps
_AGREE = 1e-14  # two rules do, relative to what they sum
_ENOUGH = 1e-11  # where the rounding of f keeps finer rules as far apart
_NOTHING = 1e-15  # of the sum, beyond a rule's reach
_ENTRIES = 1 << 19  # values of f at a time
_LOOKED_AT = np.concatenate([[0.0], -np.arange(10.0, 38.0), np.arange(10.0, 38.0)])
_SHARES = np.exp(-0.5 * _LOOKED_AT**2) * _LOOKED_AT**2 / np.sqrt(2.0 * np.pi)


class RoughError(ArithmeticError):
    """The two rules of the finest step disagree for N(mean, std)."""

    def __init__(self, mean: float, std: float) -> None:
        super().__init__(mean, std)
        self.mean, self.std = mean, std


def stein_means(function: Function, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return E[f], E[ε·f] and E[(ε² − 1)·f] for f at mean + std·ε, ε standard normal, shape (3, ...).

    Parameters
    ----------
    function : callable
        Maps points of any shape to values, which may be infinite.
    mean, std : numpy.ndarray
        Of one shape (...).

    Returns
    -------
    numpy.ndarray
        Shape (3, ...). Errors are 1e-14 of the mean size of f − f(mean), or what the rounding of f and of its
        argument leaves. Not finite where f is infinite within 37 stds, or grows towards there as fast as the
        density falls.

    Raises
    ------
    RoughError
        If f is too rough for a step of 1/2048 std.
    """
    means, stds = mean.ravel(), std.ravel()
    found = np.empty((3, means.size))
    at_once = _ENTRIES // _LOOKED_AT.size
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, means.size, at_once):
            some = slice(start, start + at_once)
            found[:, some] = _Normals(function, means[some], stds[some], np.zeros(means[some].size)).means()
    return found.reshape(3, *mean.shape)


@dataclass(frozen=True)
class _Normals:
    """A function and normals on one axis, with the finite f(mean) that is taken off before summing."""

    function: Function
    mean: np.ndarray
    std: np.ndarray
    middle: np.ndarray

    def means(self) -> np.ndarray:
        """Return the three means, shape (3, normals), by rules that reach as far as something is left."""
        found = np.full((3, self.mean.size), np.nan)
        seen = self.values(_LOOKED_AT)
        np.copyto(self.middle, seen[:, 0], where=np.isfinite(seen[:, 0]))
        tails = np.abs(seen - self.middle[:, None]) * _SHARES
        todo = np.arange(self.mean.size)
        for reach in _REACHES:
            some = self.pick(todo)
            sums, size = some.sums(_FIRST, reach)
            beyond = np.abs(_LOOKED_AT) > min(reach, 36.5)
            enough = np.all(tails[todo][:, beyond] <= _NOTHING * (1.0 + size[:, None]), axis=1)
            if reach == _REACHES[-1]:
                enough |= ~np.isfinite(size)  # said as it is: ±∞
            found[:, todo[enough]] = some.pick(enough).refined(sums[:, :, enough], size[enough], reach)
            todo = todo[~enough]
            if not todo.size:
                break
        return found

    def pick(self, which: np.ndarray | slice) -> _Normals:
        return _Normals(self.function, self.mean[which], self.std[which], self.middle[which])

    def values(self, epsilon: np.ndarray) -> np.ndarray:
        """Return f at mean + std·ε, shape (normals, ε)."""
        return self.function(self.mean[:, None] + self.std[:, None] * epsilon)

    def sums(self, step: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the three means by two rules, shape (2, 3, normals), and the mean size of f − f(mean)."""
        epsilon, weights = _rules(step, reach)
        sums, size = np.empty((2, 3, self.mean.size)), np.empty(self.mean.size)
        at_once = max(1, _ENTRIES // epsilon.size)
        for start in range(0, self.mean.size, at_once):
            some = slice(start, start + at_once)
            off = self.pick(some).values(epsilon.ravel()) - self.middle[some, None]
            first, second = np.split(off, 2, axis=1)
            sums[0][:, some], sums[1][:, some] = weights[0] @ first.T, weights[1] @ second.T
            size[some] = np.abs(first) @ np.max(np.abs(weights[0]), axis=0)
        return sums, size

    def refined(self, sums: np.ndarray, size: np.ndarray, reach: float) -> np.ndarray:
        """Return the three means, shape (3, normals), with steps so fine that two rules agree."""
        found, todo = np.empty_like(sums[0]), np.arange(self.mean.size)
        step, previous = _FIRST, np.full(self.mean.size, np.inf)
        while todo.size:
            gap = np.max(np.abs(sums[0] - sums[1]), axis=0) / (1.0 + np.abs(self.middle[todo]) + size)
            rounding = (gap <= _ENOUGH) & (gap >= 0.1 * previous)
            done = (gap <= _AGREE) | rounding | ~np.isfinite(gap)
            found[:, todo[done]] = np.mean(sums[:, :, done], axis=0)
            todo, previous, step = todo[~done], gap[~done], 0.5 * step
            if todo.size and step < _LAST:
                raise RoughError(float(self.mean[todo[0]]), float(self.std[todo[0]]))
            sums, size = self.pick(todo).sums(step, reach)
        found[0] += self.middle
        return found


@cache
def _rules(step: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the nodes of both rules, shape (2, n), and their weights of the three means, shape (2, 3, n)."""
    last = np.ceil(reach / step)
    epsilon = step * (np.arange(-last, last + 1) + np.array([[0.0], [_SHIFT]]))
    density = np.exp(-0.5 * epsilon**2)
    density /= density.sum(axis=1, keepdims=True)
    return epsilon, np.stack([density, density * epsilon, density * (epsilon**2 - 1.0)], axis=1)
