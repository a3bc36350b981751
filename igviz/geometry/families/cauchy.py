"""The Cauchy distribution: tails so heavy that it has no mean."""

from __future__ import annotations

import dataclasses
from typing import Any, Self

import numpy as np

from igviz.geometry import half_plane
from igviz.geometry.families.location_scale import LocationScale, log_one_plus_square
from igviz.geometry.families.student_t_density import heavy_tailed_curvature, heavy_tailed_score

_LOG_PI = np.log(np.pi)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Cauchy(LocationScale):
    """Cauchy distributions, with density 1/(π·scale·(1 + z²)) and z = (x − location)/scale.

    The chart is source, (location, scale). The Fisher metric is (dlocation² + dscale²)/(2·scale²), half that
    of the hyperbolic half-plane, of curvature −2. They are the StudentT with one degree of freedom.

    Parameters
    ----------
    location : array_like
        The median; there is no mean.
    scale : array_like
        Half the width at half the height, positive; also half the distance between the quartiles.

    Raises
    ------
    ValueError
        If a parameter is not finite, scale not positive, or the shapes do not broadcast.

    References
    ----------
    Mitchell, A. F. S. (1988). Statistical manifolds of univariate elliptic distributions.
    Chyzak, F. and Nielsen, F. (2019). A closed-form formula for the Kullback–Leibler divergence between
    Cauchy distributions.
    """

    def standard_metric(self) -> tuple[Any, Any]:
        """Return a and b of the Fisher metric (a·dlocation² + b·dscale²)/scale²."""
        return 0.5, 0.5

    def _standard_log_prob(self, z: np.ndarray) -> np.ndarray:
        return -log_one_plus_square(z) - _LOG_PI

    def _standard_score(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return heavy_tailed_score(z, 1.0)

    def _standard_curvature(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return heavy_tailed_curvature(z, 1.0)

    def standard_cdf(self, z: np.ndarray) -> np.ndarray:
        """Return the distribution function of the standard member at z."""
        return np.arctan2(1.0, -z) / np.pi

    def _standard_entropy(self) -> Any:
        return np.log(4.0 * np.pi)

    def _standard_draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.standard_cauchy(size)

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) in nats, of the broadcast shape, right to the last digits for near points too.

        It is log(((scale + scale_q)² + (location − location_q)²)/(4·scale·scale_q)), which is the same with
        self and q exchanged: between Cauchy distributions the divergence has no direction. With the distance
        d of the two points in the half-plane, √2 times the Fisher–Rao distance, it is 2·log cosh(d/2), the
        form that is evaluated.

        Raises
        ------
        TypeError
            If q is not a Cauchy.

        References
        ----------
        Chyzak, F. and Nielsen, F. (2019). A closed-form formula for the Kullback–Leibler divergence between
        Cauchy distributions.
        """
        self.require_same_family("Cauchy.kl", q)
        d = half_plane.distance(q.location - self.location, self.scale, q.scale)
        near = np.log1p(np.sinh(0.5 * np.minimum(d, 1.0)) ** 2)
        far = d + 2.0 * (np.log1p(np.exp(-d)) - np.log(2.0))
        return np.where(d < 1.0, near, far)[()]
