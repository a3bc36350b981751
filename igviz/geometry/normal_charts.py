"""Charts of the normal distributions, with those that the family itself has not: (mean, log std), say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from igviz.geometry.families.normal import Normal
from igviz.geometry.numerics import diagonal


@dataclass(frozen=True)
class NormalChart:
    """Two coordinates for every normal distribution.

    Parameters
    ----------
    labels : (str, str)
        Short names of the coordinates.
    coordinates : callable
        From normals to coordinates, shape (..., 2).
    to_source : callable
        From coordinates, shape (..., 2), to (mean, std); nan where they are those of no distribution.
    jacobian : callable
        From normals to ∂coordinates/∂(mean, std), shape (..., 2, 2).
    """

    labels: tuple[str, str]
    coordinates: Callable[[Normal], np.ndarray]
    to_source: Callable[[np.ndarray], np.ndarray]
    jacobian: Callable[[Normal], np.ndarray]

    def ellipse(self, p: Normal, radius: float, count: int = 181) -> np.ndarray:
        """Return the steps δ with δᵀIδ = radius², all the way round, in these coordinates, shape (count, 2).

        I is the Fisher matrix at p in this chart. Step k is the one of angle 2π·k/(count − 1) in the metric,
        in every chart the same tangent vector.
        """
        angle = np.linspace(0.0, 2.0 * np.pi, count)
        steps = radius * float(p.std) * np.stack([np.cos(angle), np.sin(angle) / np.sqrt(2.0)], axis=-1)
        return steps @ self.jacobian(p).T

    def gradient(self, q: Normal, source: np.ndarray) -> np.ndarray:
        """Return the gradient at q in these coordinates from that in (mean, std), shape (..., 2)."""
        turned = np.swapaxes(self.jacobian(q), -1, -2)
        return np.linalg.solve(turned, source[..., None])[..., 0]

    def half_widths(self, p: Normal) -> np.ndarray:
        """Return how far the ellipse δᵀIδ = 1 reaches along each coordinate: √ of the diagonal of I⁻¹."""
        scaled = self.jacobian(p) * (float(p.std) * np.array([1.0, 1.0 / np.sqrt(2.0)]))
        return np.sqrt(np.sum(scaled**2, axis=1))


def _where(possible: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    return np.where(possible[..., None], np.stack([mean, std], axis=-1), np.nan)


def _from_source(x: np.ndarray) -> np.ndarray:
    return _where(x[..., 1] > 0.0, x[..., 0], x[..., 1])


def _from_log_std(x: np.ndarray) -> np.ndarray:
    return np.stack([x[..., 0], np.exp(x[..., 1])], axis=-1)


def _from_variance(x: np.ndarray) -> np.ndarray:
    possible = x[..., 1] > 0.0
    return _where(possible, x[..., 0], np.sqrt(np.where(possible, x[..., 1], 1.0)))


def _from_natural(x: np.ndarray) -> np.ndarray:
    possible = x[..., 1] < 0.0
    variance = -0.5 / np.where(possible, x[..., 1], -0.5)
    return _where(possible, x[..., 0] * variance, np.sqrt(variance))


def _from_expectation(x: np.ndarray) -> np.ndarray:
    variance = x[..., 1] - x[..., 0] ** 2
    possible = variance > 0.0
    return _where(possible, x[..., 0], np.sqrt(np.where(possible, variance, 1.0)))


def _scaled(second: np.ndarray) -> np.ndarray:
    """Return the Jacobians of charts that keep the mean and change the std alone."""
    return diagonal(np.ones_like(second), second)


NORMAL_CHARTS = {
    "(mean, std)": NormalChart(
        ("mean", "std"), lambda p: p.source, _from_source, lambda p: _scaled(np.ones(p.shape))
    ),
    "(mean, log std)": NormalChart(
        ("mean", "log std"),
        lambda p: np.stack([p.mean, np.log(p.std)], axis=-1),
        _from_log_std,
        lambda p: _scaled(1.0 / p.std),
    ),
    "(mean, std²)": NormalChart(
        ("mean", "std²"),
        lambda p: np.stack([p.mean, p.std**2], axis=-1),
        _from_variance,
        lambda p: _scaled(2.0 * p.std),
    ),
    "natural": NormalChart(
        ("η₁", "η₂"),
        lambda p: p.natural,
        _from_natural,
        lambda p: p.jacobian("natural", "source"),
    ),
    "expectation": NormalChart(
        ("m₁", "m₂"),
        lambda p: p.expectation,
        _from_expectation,
        lambda p: p.jacobian("expectation", "source"),
    ),
}
