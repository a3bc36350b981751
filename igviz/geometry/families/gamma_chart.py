"""The Fisher metric of the Gamma distributions in logarithmic coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from igviz.geometry.fisher_rao import log_change
from igviz.geometry.gamma_functions import excess_curvature, excess_curvature_slope
from igviz.geometry.riemannian import RiemannianManifold


class GammaChart:
    """Coordinates (log a, log m) of the shape parameter a and the mean m = a/rate.

    The metric is diagonal, (a²ψ′(a) − a)·(d log a)² + a·(d log m)², and does not depend on the mean: changing
    the unit of x is an isometry. The first entry lies between 1 and ½. The surface is complete and its
    curvature negative, so that between two points there is one geodesic only.

    References
    ----------
    Lauritzen, S. L. (1987). Statistical manifolds, section 5.
    """

    def __init__(self) -> None:
        self.manifold = RiemannianManifold(self._metric, self._derivative, dimension=2)

    @staticmethod
    def _metric(x: np.ndarray) -> np.ndarray:
        a = np.exp(x[..., 0])
        result = np.zeros((*x.shape, 2))
        result[..., 0, 0], result[..., 1, 1] = excess_curvature(a), a
        return result

    @staticmethod
    def _derivative(x: np.ndarray) -> np.ndarray:
        a = np.exp(x[..., 0])
        result = np.zeros((*x.shape, 2, 2))
        result[..., 0, 0, 0], result[..., 1, 1, 0] = excess_curvature_slope(a), a
        return result

    def coordinates(self, p: Any) -> np.ndarray:
        """Return (log a, log m)."""
        first = np.log(p.shape_parameter)
        return np.stack([first, first - np.log(p.rate)], axis=-1)

    def step(self, p: Any, q: Any) -> np.ndarray:
        """Return the change of (log a, log m) from p to q."""
        first = log_change(p.shape_parameter, q.shape_parameter)
        return np.stack([first, first - log_change(p.rate, q.rate)], axis=-1)

    def moved(self, p: Any, step: np.ndarray) -> np.ndarray:
        """Return (a, rate) a step away from p."""
        first, second = step[..., 0], step[..., 1]
        return np.stack([p.shape_parameter * np.exp(first), p.rate * np.exp(first - second)], axis=-1)

    def velocity(self, p: Any, velocity: np.ndarray) -> np.ndarray:
        """Return the change of (log a, log m) by that of (a, rate)."""
        first = velocity[..., 0] / p.shape_parameter
        return np.stack([first, first - velocity[..., 1] / p.rate], axis=-1)
