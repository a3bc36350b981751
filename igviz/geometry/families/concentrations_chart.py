"""The Fisher metric of the Beta and Dirichlet distributions in logarithmic coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from igviz.geometry.fisher_rao import log_change
from igviz.geometry.gamma_functions import excess_curvature, excess_curvature_slope
from igviz.geometry.riemannian import RiemannianManifold


class ConcentrationsChart:
    """Coordinates (log s, log(a₁/a_K), …, log(a_K₋₁/a_K)) of concentrations a with sum s, shape (..., K).

    With h(x) = x²ψ′(x) − x, between 1 and ½, and the means pᵢ = aᵢ/s the metric is

        s·Σ pᵢ·(d log pᵢ)² + Σ h(aᵢ)·(d log aᵢ)² − h(s)·(d log s)²:

    the large first part is s times the Fisher metric of the categorical distribution and does not change with
    s, so that nothing cancels for large concentrations. The space is complete and its sectional curvatures
    are negative, so that between two points there is one geodesic only.

    References
    ----------
    Le Brigant, Preston, Puechmorel (2021). Fisher–Rao geometry of Dirichlet distributions, section 3.
    """

    def __init__(self) -> None:
        self.manifold = RiemannianManifold(self._metric, self._derivative)

    @staticmethod
    def _metric(x: np.ndarray) -> np.ndarray:
        total, means = _parts(x)
        slopes = _slopes(means)
        result = _squares(slopes, excess_curvature(total[..., None] * means))
        # the change of log s moves every log a alike and the means not at all
        result[..., 1:, 1:] += total[..., None, None] * _squares(slopes[..., 1:], means)
        result[..., 0, 0] -= excess_curvature(total)
        return result

    @staticmethod
    def _derivative(x: np.ndarray) -> np.ndarray:
        total, means = _parts(x)
        slopes, a = _slopes(means), total[..., None] * means
        k = x.shape[-1]
        result = _cubes(slopes, excess_curvature_slope(a), slopes)
        # log pᵢ has the second derivatives −p_b·(δ_bc − p_c) for every i
        turn = np.zeros((*means.shape, k))
        turn[..., 1:, 1:] = -means[..., :-1, None] * (np.eye(k - 1) - means[..., None, :-1])
        weighted = (excess_curvature(a)[..., None, :] @ slopes)[..., 0, :]
        mixed = weighted[..., :, None, None] * turn[..., None, :, :]
        result += mixed + np.swapaxes(mixed, -3, -2)
        result[..., 1:, 1:, :] += _cubes(slopes[..., 1:], a, slopes)
        result[..., 0, 0, 0] -= excess_curvature_slope(total)
        return result

    def coordinates(self, p: Any) -> np.ndarray:
        """Return (log s, log(aᵢ/a_K))."""
        a = p.concentrations
        logs = np.log(a)
        return np.concatenate(
            [np.log(np.sum(a, axis=-1, keepdims=True)), logs[..., :-1] - logs[..., -1:]], -1
        )

    def step(self, p: Any, q: Any) -> np.ndarray:
        """Return the change of the coordinates from p to q."""
        a, b = p.concentrations, q.concentrations
        logs = log_change(a, b)
        totals = (np.sum(c, axis=-1, keepdims=True) for c in (a, b, b - a))
        return np.concatenate([log_change(*totals), logs[..., :-1] - logs[..., -1:]], axis=-1)

    def moved(self, p: Any, step: np.ndarray) -> np.ndarray:
        """Return the concentrations a step away from p."""
        a = p.concentrations
        logs = np.concatenate([step[..., 1:], np.zeros_like(step[..., :1])], axis=-1)
        # the largest is taken out, which the exponential could not hold otherwise
        top = np.max(logs, axis=-1, keepdims=True)
        means = a / np.sum(a, axis=-1, keepdims=True)
        size = np.log1p(np.sum(means * np.expm1(logs - top), axis=-1, keepdims=True))
        return a * np.exp(step[..., :1] + logs - top - size)

    def velocity(self, p: Any, velocity: np.ndarray) -> np.ndarray:
        """Return the change of the coordinates by that of the concentrations."""
        a = p.concentrations
        logs = velocity / a
        total = np.sum(velocity, axis=-1, keepdims=True) / np.sum(a, axis=-1, keepdims=True)
        return np.concatenate([total + 0.0 * logs[..., :1], logs[..., :-1] - logs[..., -1:]], axis=-1)


def _parts(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return s, shape (...), and the means, shape (..., K)."""
    logs = np.concatenate([x[..., 1:], np.zeros_like(x[..., :1])], axis=-1)
    weights = np.exp(logs - np.max(logs, axis=-1, keepdims=True))
    return np.exp(x[..., 0]), weights / np.sum(weights, axis=-1, keepdims=True)


def _slopes(means: np.ndarray) -> np.ndarray:
    """Return ∂ log aᵢ/∂ coordinates, shape (..., K, K)."""
    size = means.shape[-1]
    result = np.empty((*means.shape, size))
    result[..., 0] = 1.0
    result[..., 1:] = np.eye(size)[:, :-1] - means[..., None, :-1]
    return result


def _squares(slopes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Σ wᵢ·slopeᵢₐ·slopeᵢᵦ, exactly symmetric."""
    root = np.sqrt(weights)[..., None] * slopes
    return np.swapaxes(root, -1, -2) @ root


def _cubes(slopes: np.ndarray, weights: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return Σ wᵢ·slopeᵢₐ·slopeᵢᵦ·lastᵢ_c."""
    n = slopes.shape[-1]
    products = (weights[..., None] * slopes)[..., :, None] * slopes[..., None, :]
    flat = np.swapaxes(products.reshape(*weights.shape, n * n), -1, -2)
    return (flat @ last).reshape(*weights.shape[:-1], n, n, last.shape[-1])
