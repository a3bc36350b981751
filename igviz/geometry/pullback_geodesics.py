"""Shortest curves in a pulled-back geometry, as smooth curves of least energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator
from scipy.optimize import minimize

if TYPE_CHECKING:
    from igviz.geometry.pullback import PullbackGeometry

PIECES, NODES = 200, 4  # of the fine grid on which lengths are measured
BOWS = (0.0, 0.35, -0.35)  # of the curves that are let go, in parts of the straight line's length


@dataclass(frozen=True)
class LatentGeodesic:
    """The shortest curve that was found between two latent points, beside the straight line.

    Attributes
    ----------
    geometry : PullbackGeometry
        In which lengths are measured.
    start, end : numpy.ndarray
        Shape (k,).
    waves : numpy.ndarray
        Shape (m, k): the curve is start + t(end − start) + Σⱼ wavesⱼ sin(jπt).
    length, straight_length : float
        In nats½, the square roots of twice a small KL; the first is never the larger one.
    """

    geometry: PullbackGeometry
    start: np.ndarray
    end: np.ndarray
    waves: np.ndarray
    length: float
    straight_length: float
    _times: np.ndarray
    _lengths: np.ndarray

    def __call__(self, t: ArrayLike) -> np.ndarray:
        """Return the points, shape (..., k), after the shares t of the length, shape (...)."""
        share = np.asarray(t, dtype=np.float64)
        if not np.all((share >= 0.0) & (share <= 1.0)):
            raise ValueError(f"LatentGeodesic: t must lie in [0, 1], got {t!r}")
        if self._lengths[-1] == 0.0:
            return curve(self.start, self.end, self.waves, share)
        times = PchipInterpolator(self._lengths / self._lengths[-1], self._times)(share)
        return curve(self.start, self.end, self.waves, times)

    def straight(self, t: ArrayLike) -> np.ndarray:
        """Return the points of the straight line, shape (..., k), after the shares t of it."""
        return curve(self.start, self.end, self.waves[:0], np.asarray(t, dtype=np.float64))

    def kl_steps(self, steps: int = 32, straight: bool = False) -> np.ndarray:
        """Return KL between neighbours, both directions averaged, shape (steps,), in equal steps of t."""
        t = np.linspace(0.0, 1.0, steps + 1)
        points = self.straight(t) if straight else self(t)
        before, after = points[:-1], points[1:]
        return 0.5 * (self.geometry.kl(before, after) + self.geometry.kl(after, before))


def curve(start: np.ndarray, end: np.ndarray, waves: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return start + t(end − start) + Σⱼ wavesⱼ sin(jπt), shape (..., k)."""
    orders = np.arange(1, len(waves) + 1)
    return start + t[..., None] * (end - start) + np.sin(np.pi * orders * t[..., None]) @ waves


def velocity(start: np.ndarray, end: np.ndarray, waves: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return the derivative of `curve` by t, shape (..., k)."""
    orders = np.pi * np.arange(1, len(waves) + 1)
    return (end - start) + (orders * np.cos(orders * t[..., None])) @ waves


def _speeds(
    geometry: PullbackGeometry, start: np.ndarray, end: np.ndarray, waves: np.ndarray, t: np.ndarray
) -> np.ndarray:
    along = velocity(start, end, waves, t)
    metric = geometry.metric(curve(start, end, waves, t))
    return np.sqrt(np.maximum(np.einsum("...i,...ij,...j->...", along, metric, along), 0.0))


def lengths(
    geometry: PullbackGeometry, start: np.ndarray, end: np.ndarray, waves: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return times and the lengths up to them, shape (PIECES + 1,), by quadrature in each piece."""
    nodes, weights = leggauss(NODES)
    times = np.linspace(0.0, 1.0, PIECES + 1)
    width = 1.0 / PIECES
    inside = times[:-1, None] + 0.5 * width * (nodes + 1.0)
    each = _speeds(geometry, start, end, waves, inside) @ (0.5 * width * weights)
    return times, np.concatenate([[0.0], np.cumsum(each)])


def shortest(
    geometry: PullbackGeometry,
    start: np.ndarray,
    end: np.ndarray,
    waves: int = 16,
    pieces: int = 96,
    iterations: int = 200,
) -> LatentGeodesic:
    """Return the shortest of the curves of least energy next to the straight line and to two bows.

    The energy of a curve, ∫ ż·g·ż dt, is the sum of both KLs between neighbours on a fine polygon, times the
    number of sides, up to the square of their length. It is lowered by L-BFGS with its analytic gradient;
    then the length is measured with the metric on a finer grid. The straight line itself is the answer where
    nothing shorter is found.

    Parameters
    ----------
    geometry : PullbackGeometry
        Of the decoder.
    start, end : numpy.ndarray
        Shape (k,).
    waves : int
        Sine waves of the curve, along each latent number.
    pieces : int
        Sides of the polygon.
    iterations : int
        At most so many of L-BFGS, for each start.

    Returns
    -------
    LatentGeodesic
    """
    if start.shape != end.shape or start.ndim != 1:
        raise ValueError(
            "PullbackGeometry.geodesic: start and end must have one shape (k,), "
            f"got {start.shape} and {end.shape}"
        )
    t = np.linspace(0.0, 1.0, pieces + 1)
    orders = np.arange(1, waves + 1)
    basis = np.sin(np.pi * orders * t[:, None]) / orders  # so that all waves weigh alike in the energy

    def energy(flat: np.ndarray) -> tuple[float, np.ndarray]:
        amplitudes = flat.reshape(waves, -1) / orders[:, None]
        value, slope = geometry.both_ways(curve(start, end, amplitudes, t))
        return pieces * value, pieces * (basis.T @ slope).ravel()

    across = _across(end - start)
    candidates = [np.zeros((0, start.size))]
    for bow in BOWS if np.any(end != start) else ():
        first = np.zeros((waves, start.size))
        first[0] = bow * across
        found = minimize(energy, first.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": iterations})
        candidates.append(found.x.reshape(waves, -1) / orders[:, None])
    measured = [lengths(geometry, start, end, one) for one in candidates]
    best = int(np.argmin([one[1][-1] for one in measured]))
    straight = float(measured[0][1][-1])
    times, along = measured[best]
    return LatentGeodesic(geometry, start, end, candidates[best], float(along[-1]), straight, times, along)


def _across(along: np.ndarray) -> np.ndarray:
    """Return a vector at a right angle to another one, of its length."""
    if along.size == 1:
        return np.zeros(1)
    axis = np.zeros_like(along)
    axis[np.argmin(np.abs(along))] = 1.0
    norm = np.linalg.norm(along)
    if norm == 0.0:
        return axis
    axis -= (axis @ along) * along / norm**2
    return axis * norm / np.linalg.norm(axis)
