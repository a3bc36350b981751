"""The Laplace distribution: two exponentials back to back, with a corner at the location."""

from __future__ import annotations

import dataclasses
from typing import Any, Self

import numpy as np

from igviz.geometry.families.location_scale import LocationScale, exponential_excess
from igviz.geometry.numerics import itakura_saito

_LOG_TWO = np.log(2.0)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Laplace(LocationScale):
    """Laplace distributions, with density exp(−|z|)/(2·scale) and z = (x − location)/scale.

    The chart is source, (location, scale). The Fisher metric is (dlocation² + dscale²)/scale², that of the
    hyperbolic half-plane itself, of curvature −1. With a known location it is an exponential family; with a
    free one it is not.

    The log-density has a corner at x = location. There `score` gives 0 for the location, by convention.
    Everywhere else the second derivative by the location is 0, so minus the mean of `hessian_log_prob` gives
    no information about the location: only the outer product of the score gives the Fisher information,
    1/scale².

    Parameters
    ----------
    location : array_like
        The mean and the median.
    scale : array_like
        The mean distance from the location, positive; the standard deviation is √2 times as large.

    Raises
    ------
    ValueError
        If a parameter is not finite, scale not positive, or the shapes do not broadcast.
    """

    def standard_metric(self) -> tuple[Any, Any]:
        """Return a and b of the Fisher metric (a·dlocation² + b·dscale²)/scale²."""
        return 1.0, 1.0

    def _standard_log_prob(self, z: np.ndarray) -> np.ndarray:
        return -np.abs(z) - _LOG_TWO

    def _standard_score(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.sign(z), np.abs(z)

    def _standard_curvature(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        nothing = np.zeros_like(z)
        return nothing, nothing, nothing

    def standard_cdf(self, z: np.ndarray) -> np.ndarray:
        """Return the distribution function of the standard member at z."""
        tail = 0.5 * np.exp(-np.abs(z))
        return np.where(z < 0.0, tail, 1.0 - tail)[()]

    def _standard_entropy(self) -> Any:
        return 1.0 + _LOG_TWO

    def _standard_draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.laplace(size=size)

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) in nats, of the broadcast shape, right to the last digits for near points too.

        With r = scale/scale_q and δ = |location − location_q|/scale it is δ·r + r·exp(−δ) − 1 − log r,
        evaluated as a sum of non-negative terms, (r − 1 − log r) + r·(δ − 1 + exp(−δ)).

        Raises
        ------
        TypeError
            If q is not a Laplace.

        References
        ----------
        Gil, M., Alajaji, F. and Linder, T. (2013). Rényi divergence measures for commonly used univariate
        continuous distributions, section 2.
        """
        self.require_same_family("Laplace.kl", q)
        gap = np.abs(self.location - q.location)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            shift, stretch = gap / self.scale, self.scale / q.scale
            near = stretch * exponential_excess(-np.minimum(shift, 0.25))
            far = gap / q.scale * (1.0 + np.expm1(-shift) / np.maximum(shift, 0.25))
            moved = np.where(shift > 0.25, far, near)
        spread = itakura_saito(self.scale, q.scale)
        # where r overflows its product with 0 is undefined, and the sum infinite all the same
        return np.where(np.isfinite(spread), spread + moved, np.inf)[()]
