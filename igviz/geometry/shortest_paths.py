"""Shortest paths between given ends, as minimisers of the energy ½·∫ g(x)(ẋ, ẋ) dt.

The velocity of the path is a series of Legendre polynomials in t whose constant term is fixed by the ends,

    ẋ(t) = step + Σ cₘ·√(2m + 1)·Pₘ(2t − 1),  m = 1 … N,

so that the path has the right ends whatever the cₘ are. The energy, by Gauss–Legendre quadrature, is
minimised over the cₘ by Newton's method, damped until it goes down. Its minimisers are the geodesics without
conjugate points, run through at constant speed. For smooth metrics the coefficients fall off geometrically;
N is doubled until they have done so. As the energy is stationary its error is the square of theirs: the
length has all its digits long before the path has.

Displacements are counted from the start of the path, so that ends 1e-12 apart lose nothing.

References
----------
do Carmo, M. P. (1992). Riemannian Geometry, section 9.2, for the energy and its second variation.
Canuto, Hussaini, Quarteroni, Zang (2006). Spectral Methods, sections 2.3 and 2.8.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

Field = Callable[[np.ndarray], np.ndarray]

FEWEST, MOST = 8, 256
_AT_ONCE = 64  # pairs whose Newton systems are held in memory together
_ITERATIONS = 200
_HOPELESS = 32  # coefficients with which some minimum must have been found
# relative steps of the coordinates for the second derivatives in the Newton matrix, whose errors only slow it
_NUDGE = 1e-4


class ShortestPaths(NamedTuple):
    """Paths x(t) = start + displacement(t), 0 ≤ t ≤ 1, of n pairs.

    `start` and `step` have shape (n, k), `coefficients` (n, N, k). `distance` holds the lengths, shape (n,);
    `tail` what the last quarter of the coefficients is of the whole velocity, which bounds the relative error
    of the path; that of the distance is about its square. nan where no minimiser was found.
    """

    start: np.ndarray
    step: np.ndarray
    coefficients: np.ndarray
    distance: np.ndarray
    tail: np.ndarray

    def displacement(self, t: np.ndarray) -> np.ndarray:
        """Return x(t) − start, shape (m, n, k), at times of shape (m,)."""
        integrals = _basis(self.coefficients.shape[1], t)[1]
        return t[:, None, None] * self.step + np.einsum("jm,njk->mnk", integrals, self.coefficients)

    def velocity(self, t: np.ndarray) -> np.ndarray:
        """Return ẋ(t), shape (m, n, k), at times of shape (m,)."""
        values = _basis(self.coefficients.shape[1], t)[0]
        return self.step + np.einsum("jm,njk->mnk", values, self.coefficients)


def shortest_paths(
    metric: Field, derivative: Field, start: np.ndarray, step: np.ndarray, resolved: float
) -> ShortestPaths:
    """Return locally shortest paths from start to start + step, each found from the straight line.

    Parameters
    ----------
    metric, derivative : callable
        Map points (..., k) to matrices (..., k, k) and their derivatives (..., k, k, k), the last axis being
        that of differentiation; nan where there is no metric.
    start, step : numpy.ndarray
        Shape (n, k).
    resolved : float
        N is doubled until `tail` is below this, or to its maximum.

    Returns
    -------
    ShortestPaths
        `distance` and `tail` are nan for pairs between which no path was found. A pair's result does not
        depend on the other pairs.
    """
    n, k = start.shape
    found = ShortestPaths(start, step, np.zeros((n, FEWEST, k)), np.full(n, np.nan), np.full(n, np.nan))
    rest = np.any(step != 0.0, axis=1)
    found.distance[~rest], found.tail[~rest] = 0.0, 0.0
    todo, size = np.flatnonzero(rest), FEWEST
    while todo.size and size <= MOST:
        found = found._replace(coefficients=_resized(found.coefficients, size))
        unfinished = []
        for few in np.array_split(todo, -(-todo.size // _AT_ONCE)):
            scale = np.max(np.abs(step[few]), axis=1)
            energy = _Energy(metric, derivative, start[few], step[few] / scale[:, None], scale, size)
            coefficients, value, well = _minimise(energy, found.coefficients[few] / scale[:, None, None])
            found.coefficients[few] = scale[:, None, None] * coefficients
            tail = energy.tail(coefficients)
            found.distance[few] = np.where(well, scale * np.sqrt(2.0 * value), np.nan)
            found.tail[few] = np.where(well, tail, np.nan)
            hopeless = ~well & (size >= _HOPELESS)
            unfinished.append(few[(~well | (tail > resolved)) & ~hopeless])
        todo, size = np.concatenate(unfinished), 2 * size
    return found


def _resized(coefficients: np.ndarray, size: int) -> np.ndarray:
    n, old, k = coefficients.shape
    return np.concatenate([coefficients, np.zeros((n, size - old, k))], axis=1)


def _basis(size: int, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return √(2m + 1)·Pₘ(2t − 1) and its integral from 0 to t, m = 1 … size, shape (size, *t.shape)."""
    z = 2.0 * t - 1.0
    legendre = np.empty((size + 2, *z.shape))
    legendre[0], legendre[1] = 1.0, z
    for m in range(1, size + 1):
        legendre[m + 1] = ((2 * m + 1) * z * legendre[m] - m * legendre[m - 1]) / (m + 1)
    root = np.sqrt(2.0 * np.arange(1, size + 1) + 1.0).reshape(size, *(1,) * z.ndim)
    # with respect to t an integral is half of that with respect to z
    return root * legendre[1:-1], 0.5 * (legendre[2:] - legendre[:-2]) / root


@lru_cache(maxsize=16)
def _quadrature(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return nodes and weights on [0, 1] and the basis and its integrals at the nodes."""
    nodes, weights = np.polynomial.legendre.leggauss(3 * size // 2 + 8)
    t = 0.5 + 0.5 * nodes
    return t, 0.5 * weights, *_basis(size, t)


class _Energy:
    """The energy of n paths with N coefficients each, with its first and second derivatives.

    The paths are start + scale·(t·step + …) and their energies are divided by scale², so that steps of any
    size can be told from zero.
    """

    def __init__(
        self,
        metric: Field,
        derivative: Field,
        start: np.ndarray,
        step: np.ndarray,
        scale: np.ndarray,
        size: int,
    ) -> None:
        self.metric, self.derivative = metric, derivative
        self.start, self.step, self.scale = start, step, scale
        self.nodes, self.weights, self.values, self.integrals = _quadrature(size)

    def take(self, which: np.ndarray) -> _Energy:
        """Return the energy of some of the paths."""
        parts = self.start[which], self.step[which], self.scale[which]
        return _Energy(self.metric, self.derivative, *parts, len(self.values))

    def _path(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return points and scaled velocities at the nodes, shape (n, nodes, k)."""
        moved = self.nodes[:, None] * self.step[:, None] + self.integrals.T @ coefficients
        points = self.start[:, None] + self.scale[:, None, None] * moved
        return points, self.step[:, None] + self.values.T @ coefficients

    def value(self, coefficients: np.ndarray) -> np.ndarray:
        points, velocity = self._path(coefficients)
        squares = np.einsum("nqi,nqij,nqj->nq", velocity, self.metric(points), velocity)
        return 0.5 * squares @ self.weights

    def tail(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the relative size of the last quarter of the coefficients."""
        points, _ = self._path(coefficients)
        metric = np.einsum("q,nqij->nij", self.weights, self.metric(points))
        last = coefficients[:, 3 * coefficients.shape[1] // 4 :]
        part = np.einsum("nmi,nij,nmj->n", last, metric, last)
        whole = 2.0 * self.value(coefficients)
        return np.sqrt(np.maximum(part, 0.0) / whole)

    def expand(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return slopes, shape (n, N·k), Newton matrices, shape (n, N·k, N·k), and positive parts of these.

        The positive part is what remains of the second derivative when the metric does not change.
        """
        points, v = self._path(coefficients)
        metric, slope = self.metric(points), self.derivative(points)
        pull = np.einsum("nqabi,nqa,nqb->nqi", slope, v, v)
        weights, scale = self.weights[:, None], self.scale[:, None, None]
        gradient = self.values @ (weights * (metric @ v[..., None])[..., 0])
        gradient = gradient + 0.5 * scale * (self.integrals @ (weights * pull))
        mixed = scale[..., None] * np.einsum("nqibj,nqb->nqij", slope, v)
        bend = scale[..., None] ** 2 * self._bend(points, v, metric)
        positive = self._assemble(metric, self.values, self.values)
        across = self._assemble(mixed, self.values, self.integrals)
        second = positive + across + np.swapaxes(across, -1, -2)
        second = second + 0.5 * self._assemble(bend, self.integrals, self.integrals)
        return gradient.reshape(len(gradient), -1), second, positive

    def _bend(self, points: np.ndarray, v: np.ndarray, metric: np.ndarray) -> np.ndarray:
        """Return ∂ᵢ∂ⱼg(v, v), shape (n, nodes, k, k), by differences of the first derivatives."""
        diagonal = np.einsum("...ii->...i", metric)
        reach = _NUDGE * np.minimum(1.0 / np.sqrt(np.maximum(diagonal, 1e-300)), 1.0 + np.abs(points))
        columns = []
        for j in range(points.shape[-1]):
            shift = np.zeros_like(points)
            shift[..., j] = reach[..., j]
            gap = self.derivative(points + shift) - self.derivative(points - shift)
            columns.append(np.einsum("nqabi,nqa,nqb->nqi", gap, v, v) / (2.0 * reach[..., j, None]))
        bend = np.stack(columns, axis=-1)
        return 0.5 * (bend + np.swapaxes(bend, -1, -2))

    def _assemble(self, matrices: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return Σ w·left[m]·matrices[i, j]·right[l] over the nodes, shape (n, N·k, N·k)."""
        n, _, k, _ = matrices.shape
        size = len(left)
        result = np.empty((n, size, k, size, k))
        for i in range(k):
            for j in range(k):
                weighted = (self.weights * matrices[:, :, i, j])[:, None, :] * left
                result[:, :, i, :, j] = weighted @ right.T
        return result.reshape(n, size * k, size * k)


def _minimise(energy: _Energy, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return minimising coefficients, their energies, and for which paths they were found.

    Newton's method; where the Newton matrix is not positive definite, or its step goes uphill, a multiple of
    its positive part is added (Levenberg and Marquardt). A path is done when a full Newton step changes it no
    more, and then the matrix is positive definite: it is a minimum.
    """
    coefficients = coefficients.copy()
    value = energy.value(coefficients)
    well = np.zeros(len(value), dtype=bool)
    damping, last = np.zeros(len(value)), np.full(len(value), np.inf)
    active = np.flatnonzero(np.isfinite(value))
    for _ in range(_ITERATIONS):
        if not active.size:
            break
        part = energy.take(active)
        slope, second, positive = part.expand(coefficients[active])
        move = _newton_step(slope, second + damping[active, None, None] * positive)
        # twice the predicted fall of the energy: the squared distance to the minimum
        fall = -np.einsum("ni,ni->n", slope, move) / value[active]
        trial = coefficients[active] + move.reshape(coefficients[active].shape)
        there = part.value(trial)
        # in the last steps rounding decides whether the energy falls
        downhill = (there < value[active]) | ((fall < 1e-12) & (there < value[active] * (1.0 + 1e-13)))
        good = (fall >= 0.0) & downhill
        accepted = active[good]
        coefficients[accepted], value[accepted] = trial[good], there[good]
        undamped = damping[active] == 0.0
        settled = good & undamped & ((fall < 1e-28) | ((fall < 1e-20) & (fall > 0.01 * last[active])))
        well[active[settled]] = True
        last[active] = np.where(good & undamped, fall, np.inf)
        relaxed = np.where(damping[active] > 1e-2, 0.1 * damping[active], 0.0)
        damping[active] = np.where(good, relaxed, np.maximum(5.0 * damping[active], 0.1))
        active = active[~settled & (damping[active] < 1e12)]
    return coefficients, value, well


def _newton_step(slope: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Return −matrix⁻¹·slope, or nan where the matrix is not positive definite."""
    try:
        np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full_like(slope, np.nan)
        parts = zip(slope[:, None], matrices[:, None], strict=True)
        return np.concatenate([_newton_step(*part) for part in parts])
    return -np.linalg.solve(matrices, slope[..., None])[..., 0]
