"""Geodesics of a connection between given ends, by collocation.

In its affine parameter a geodesic of a connection other than the metric's may run through nearly all of its
length in a small part of its time. So it is found at constant speed, in s, as a solution of
x″ = −Γ(x′, x′) + λ·x′, and its affine parameter t afterwards, from t″/t′ = λ.

x″ is a polynomial in s, given by its values at N Gauss–Legendre nodes; x′ and x are its integrals, with
constants that the two ends fix. At the nodes the path obeys the equation: N·k equations, solved by Newton's
method, with steps shortened as long as the path would leave the domain or get worse. For smooth connections
the coefficients fall off geometrically, and N is doubled until they have done so.

The metric's own geodesics have a shorter way, as minima of an energy: see `igviz.geometry.shortest_paths`.
They are where the search starts.

References
----------
Ascher, U. M., Mattheij, R. M. M. and Russell, R. D. (1995). Numerical Solution of Boundary Value Problems for
Ordinary Differential Equations, section 5.4.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.polynomial import legendre

from igviz.geometry.affine_time import AffineTime
from igviz.geometry.numerics import differentiation_matrix

FEWEST, MOST = 16, 256
_HOPELESS = 64  # where the search has failed up to this size it is given up
_STEPS = 20
_HALVINGS = 8
_ATTEMPTS = 16  # to go a part of the way from the metric's connection to the one that is asked for
# what the last quarter of the coefficients is aimed to be of the velocity, and what it may be
_AIM, _ENOUGH = 1e-11, 1e-8
_SOLVED = 1e-9  # size of the residuals below which rounding decides
# relative steps for the Newton matrix, whose errors only slow it
_NUDGE = 1e-4


class Connection(Protocol):
    """A connection in coordinates, and how it differs from that of the metric.

    `part` is 1 for the connection itself and 0 for the metric's. Points and velocities have shape (m, k);
    what is asked for outside the domain is nan.
    """

    def bend(self, x: np.ndarray, v: np.ndarray, part: float) -> tuple[np.ndarray, np.ndarray]:
        """Return −Γ(v, v), shape (m, k), and the λ that keeps the speed constant, shape (m,)."""

    def unit(self, x: np.ndarray) -> np.ndarray:
        """Return the steps of length 1 along each coordinate, shape (m, k)."""


class ConnectionPath(NamedTuple):
    """A path at constant speed in 0 ≤ s ≤ 1, and its affine parameter.

    `step` has shape (k,); `coefficients`, shape (N, k), are those of x″ in Legendre polynomials of s.
    """

    step: np.ndarray
    coefficients: np.ndarray
    time: AffineTime

    def displacement(self, t: np.ndarray) -> np.ndarray:
        """Return x − x(0), shape (m, k), at affine times 0 ≤ t ≤ 1 of shape (m,)."""
        s = self.time.inverse(t)
        second, last = _integrals(len(self.coefficients), s)[1], self._last()
        return s[:, None] * self.step + (second - s * last).T @ self.coefficients

    def velocity(self, t: float) -> np.ndarray:
        """Return dx/dt, shape (k,), at one affine time from 0 to 1."""
        s = self.time.inverse(np.array([t]))
        first = _integrals(len(self.coefficients), s)[0]
        return (self.step + ((first - self._last()).T @ self.coefficients)[0]) / self.time.rate(s)[0]

    def _last(self) -> np.ndarray:
        return _integrals(len(self.coefficients), np.ones(1))[1]


def connection_path(
    connection: Connection, start: np.ndarray, step: np.ndarray, guess: Callable[[np.ndarray], np.ndarray]
) -> ConnectionPath | None:
    """Return the geodesic from start to start + step that the metric's becomes; None if none is found.

    Parameters
    ----------
    connection : Connection
        The connection.
    start, step : numpy.ndarray
        Shape (k,).
    guess : callable
        Maps s, shape (m,), to x(s) − start, shape (m, k), on the geodesic of the metric.
    """
    if not np.any(step):
        return _with_time(step, np.zeros((FEWEST, step.size)), np.zeros(FEWEST))
    values, before, size = None, np.inf, FEWEST
    while size <= MOST:
        problem = _Problem(connection, start, step, size)
        if values is None:
            if size > _HOPELESS:
                return None
            values = problem.follow(guess)
        else:
            values = problem.solve(_resampled(values, size), 1.0)
        if values is not None:
            tail = problem.tail(values)
            if tail <= _AIM or (tail <= _ENOUGH and (size == MOST or tail > 0.1 * before)):
                analysis = _rule(size).analysis
                return _with_time(step, analysis @ values, analysis @ problem.growth(values))
            before = tail
        size *= 2
    return None


def _with_time(step: np.ndarray, coefficients: np.ndarray, growth: np.ndarray) -> ConnectionPath:
    """Return the path with its affine parameter, whose rate is exp(∫λ), from the coefficients of λ."""

    def rate(s: np.ndarray) -> np.ndarray:
        return np.exp(growth @ _integrals(len(growth), s.ravel())[0]).reshape(s.shape)

    return ConnectionPath(step, coefficients, AffineTime(rate))


class _Rule(NamedTuple):
    """Nodes on [0, 1] and matrices that act on values at the nodes: coefficients, velocity, displacement.

    `second` gives second derivatives at the nodes from values at 0, at the nodes and at 1.
    """

    nodes: np.ndarray
    analysis: np.ndarray
    velocity: np.ndarray
    displacement: np.ndarray
    second: np.ndarray


@lru_cache(maxsize=16)
def _rule(size: int) -> _Rule:
    z, weights = legendre.leggauss(size)
    s = 0.5 + 0.5 * z
    analysis = (np.arange(size)[:, None] + 0.5) * weights * legendre.legvander(z, size - 1).T
    first, second = _integrals(size, s)
    last = _integrals(size, np.ones(1))[1]
    slope = differentiation_matrix(np.concatenate([[0.0], s, [1.0]]))
    velocity, displacement = (first - last).T @ analysis, (second - s * last).T @ analysis
    return _Rule(s, analysis, velocity, displacement, (slope @ slope)[1:-1])


def _integrals(size: int, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and second integrals from 0 of Pₘ(2s − 1), m = 0 … size − 1, shape (size, n)."""
    polynomials = legendre.legvander(2.0 * s - 1.0, size + 1).T
    divisor = 2.0 * (2.0 * np.arange(1, size + 1) + 1.0)[:, None]
    first = np.concatenate([s[None], (polynomials[2:] - polynomials[:-2]) / divisor])
    second = np.concatenate([0.5 * s[None] ** 2, (first[2:] - first[:-2]) / divisor[:-1]])
    return first[:size], second[:size]


def _resampled(values: np.ndarray, size: int) -> np.ndarray:
    """Return the polynomial through values at the nodes of one rule at those of another."""
    coefficients = _rule(len(values)).analysis @ values
    return legendre.legval(2.0 * _rule(size).nodes - 1.0, coefficients).T


class _Problem:
    """The equations for x″ at the nodes of one path."""

    def __init__(self, connection: Connection, start: np.ndarray, step: np.ndarray, size: int) -> None:
        self.connection, self.start, self.step, self.rule = connection, start, step, _rule(size)

    def follow(self, guess: Callable[[np.ndarray], np.ndarray]) -> np.ndarray | None:
        """Return the values of the path that the metric's geodesic becomes as the connection changes."""
        s = np.concatenate([[0.0], self.rule.nodes, [1.0]])
        values = self.solve(self.rule.second @ guess(s), 0.0)
        part, ahead = 0.0, 1.0
        for _ in range(_ATTEMPTS):
            if values is None or part == 1.0:
                return values
            there = self.solve(values, min(part + ahead, 1.0))
            if there is not None:
                values, part, ahead = there, min(part + ahead, 1.0), 2.0 * ahead
            else:
                ahead *= 0.25
        return None

    def solve(self, values: np.ndarray, part: float) -> np.ndarray | None:
        miss, size = self._miss(values, part)
        for _ in range(_STEPS):
            if not np.isfinite(size):
                return None
            move = np.linalg.solve(self._newton_matrix(values, part), -miss.ravel()).reshape(values.shape)
            share = 1.0
            for _ in range(_HALVINGS):
                there, there_size = self._miss(values + share * move, part)
                if there_size < size:
                    break
                share *= 0.5
            else:
                return values if size < _SOLVED else None
            done = size < _SOLVED and there_size > 0.3 * size
            values, miss, size = values + share * move, there, there_size
            if done or size < 1e-14:
                return values
        return None

    def growth(self, values: np.ndarray) -> np.ndarray:
        """Return λ at the nodes."""
        return self.connection.bend(*self._path(values), 1.0)[1]

    def tail(self, values: np.ndarray) -> float:
        """Return the last quarter of the coefficients of x″, relative to the velocity, and of λ."""
        points, v = self._path(values)
        unit = np.exp(np.mean(np.log(self.connection.unit(points)), axis=0))
        speed = np.linalg.norm(np.mean(np.abs(v / unit), axis=0))
        last = self.rule.analysis @ np.column_stack([values / unit / speed, self.growth(values)])
        return float(np.linalg.norm(last[3 * len(values) // 4 :]))

    def _path(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moved = self.rule.nodes[:, None] * self.step + self.rule.displacement @ values
        return self.start + moved, self.step + self.rule.velocity @ values

    def _second(self, points: np.ndarray, v: np.ndarray, part: float) -> np.ndarray:
        """Return what x″ should be."""
        bend, growth = self.connection.bend(points, v, part)
        return bend + growth[:, None] * v

    def _miss(self, values: np.ndarray, part: float) -> tuple[np.ndarray, float]:
        """Return the residuals and their size in the metric, relative to the speed."""
        points, v = self._path(values)
        miss = values - self._second(points, v, part)
        unit = self.connection.unit(points)
        speed = np.sqrt(np.mean(np.sum((v / unit) ** 2, axis=1)))
        return miss, float(np.sqrt(np.mean(np.sum((miss / unit) ** 2, axis=1))) / speed)

    def _newton_matrix(self, values: np.ndarray, part: float) -> np.ndarray:
        """Return the derivative of the residuals: 1 − ∂x″/∂x·displacement − ∂x″/∂x′·velocity."""
        points, v = self._path(values)
        n, k = points.shape
        reach = _NUDGE * np.minimum(self.connection.unit(points), 1.0 + np.abs(points))
        speed = _NUDGE * np.sqrt(np.mean((v / reach) ** 2)) * reach
        shift = np.concatenate([np.eye(k), -np.eye(k)])[:, None, :]
        still = np.zeros((2 * k, n, k))
        # all shifted points, then all changed velocities, at once
        moved = np.concatenate([points + shift * reach, points + still]).reshape(-1, k)
        turned = np.concatenate([v + still, v + shift * speed]).reshape(-1, k)
        by_x, by_v = self._second(moved, turned, part).reshape(2, 2, k, n, k)
        by_x = (by_x[0] - by_x[1]) / (2.0 * reach.T[:, :, None])
        by_v = (by_v[0] - by_v[1]) / (2.0 * speed.T[:, :, None])
        matrix = np.einsum("jni,nl->nilj", by_x, self.rule.displacement)
        matrix += np.einsum("jni,nl->nilj", by_v, self.rule.velocity)
        return np.eye(n * k) - matrix.reshape(n * k, n * k)
