"""Student's t distribution with fixed degrees of freedom, between the Cauchy and the normal distribution."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import betainc, betaincc

from igviz.geometry.families.distribution import Parameter
from igviz.geometry.families.location_scale import LocationScale, exponential_excess, log_one_plus_square
from igviz.geometry.families.student_t_density import (
    heavy_tailed_curvature,
    heavy_tailed_score,
    log_height,
    mean_tail,
)

# below this the tails reach beyond the largest floats
_LEAST_DEGREES = 0.1
_FARTHEST = 1e8  # scales between two locations, beyond which a divergence loses its digits


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class StudentT(LocationScale):
    """Student's t distributions, with density ∝ (1 + z²/ν)^(−(ν + 1)/2)/scale and z = (x − location)/scale.

    The degrees of freedom ν tell one surface of distributions from another; they are no coordinate. The chart
    is source, (location, scale). The Fisher metric is
    ((ν + 1)·dlocation² + 2ν·dscale²)/((ν + 3)·scale²), of curvature −(ν + 3)/(2ν). ν = 1 is the Cauchy
    distribution; as ν grows the surface tends to that of the normal distribution with std = scale.

    Parameters
    ----------
    location : array_like
        The median, and the mean if ν > 1.
    scale : array_like
        Positive. The standard deviation is √(ν/(ν − 2)) times as large if ν > 2, else infinite.
    degrees_of_freedom : array_like
        ν, positive.

    Raises
    ------
    ValueError
        If a parameter is not finite, scale or degrees_of_freedom not positive, or the shapes do not
        broadcast.

    References
    ----------
    Lange, K. L., Little, R. J. A. and Taylor, J. M. G. (1989). Robust statistical modeling using the t
    distribution, appendix B.
    Mitchell, A. F. S. (1988). Statistical manifolds of univariate elliptic distributions.
    """

    degrees_of_freedom: Parameter

    _fixed: ClassVar[tuple[str, ...]] = ("degrees_of_freedom",)

    def _check(self) -> None:
        super()._check()
        degrees = self.degrees_of_freedom
        self._require("degrees_of_freedom", degrees > 0.0, "positive", degrees)

    def standard_metric(self) -> tuple[Any, Any]:
        """Return a and b of the Fisher metric (a·dlocation² + b·dscale²)/scale²."""
        degrees = self.degrees_of_freedom
        return (degrees + 1.0) / (degrees + 3.0), 2.0 * (degrees / (degrees + 3.0))

    def _standard_log_prob(self, z: np.ndarray) -> np.ndarray:
        degrees = self.degrees_of_freedom
        tail = 0.5 * (degrees + 1.0) * log_one_plus_square(z / np.sqrt(degrees))
        return log_height(degrees) - tail

    def _standard_score(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return heavy_tailed_score(z, self.degrees_of_freedom)

    def _standard_curvature(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return heavy_tailed_curvature(z, self.degrees_of_freedom)

    def standard_cdf(self, z: np.ndarray) -> np.ndarray:
        """Return the distribution function of the standard member at z."""
        half = 0.5 * self.degrees_of_freedom
        with np.errstate(over="ignore"):
            share = z**2 / (2.0 * half)
        # the tail beyond |z|, as a function of what is small: z²/(ν + z²) near 0, ν/(ν + z²) far away
        near = betaincc(0.5, half, np.minimum(share, 1.0) / (1.0 + np.minimum(share, 1.0)))
        far = betainc(half, 0.5, 1.0 / (1.0 + np.maximum(share, 1.0)))
        tail = 0.5 * np.where(share < 1.0, near, far)
        return np.where(z < 0.0, tail, 1.0 - tail)[()]

    def _standard_entropy(self) -> Any:
        return mean_tail(self.degrees_of_freedom) - log_height(self.degrees_of_freedom)

    def _standard_draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.standard_t(self.degrees_of_freedom, size)

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) in nats, of the broadcast shape, by adaptive quadrature.

        No elementary form is known. The degrees of freedom of the two may differ. With r = q/p the mean of
        r − 1 − log r under p = self is integrated, which cannot cancel.

        Raises
        ------
        TypeError
            If q is not a StudentT.
        ValueError
            If self has fewer than 0.1 degrees of freedom.
        ArithmeticError
            If the locations are more than 1e8 scales of self apart, or the integral does not settle.
        """
        from igviz.geometry.pair_integrals import pairs, total  # which knows every family

        self.require_same_family("StudentT.kl", q)
        degrees = self.degrees_of_freedom
        enough = degrees >= _LEAST_DEGREES
        self._require("degrees_of_freedom", enough, "at least 0.1 for a KL divergence", degrees)
        if np.any(np.abs(q.location - self.location) > _FARTHEST * self.scale):
            raise ArithmeticError(
                f"StudentT.kl: the locations are more than {_FARTHEST:g} scales apart, too far to integrate"
            )
        shape, listed = pairs(self, q)
        return np.reshape([total("StudentT.kl", _excess_under, *pair) for pair in listed], shape)[()]

    def fisher_rao_distance_to(self, q: Self) -> np.ndarray:
        """Return the Fisher–Rao distance to q, of the broadcast shape; q is of this family."""
        self._require_one_surface("fisher_rao_distance", q)
        return super().fisher_rao_distance_to(q)

    def fisher_rao_path_to(self, q: Self) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """Return the shortest path to q, a function of time that gives the fields; q is of this family."""
        self._require_one_surface("geodesic", q)
        return super().fisher_rao_path_to(q)

    def _require_one_surface(self, where: str, q: Self) -> None:
        degrees, others = np.broadcast_arrays(self.degrees_of_freedom, q.degrees_of_freedom)
        different = np.flatnonzero(degrees != others)
        if different.size:
            first, other = float(degrees.flat[different[0]]), float(others.flat[different[0]])
            raise ValueError(
                f"{where}: both StudentT must have the same degrees_of_freedom, got {first!r} and {other!r}; "
                "different ones are different surfaces"
            )


def _excess_under(log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    """Return p·(r − 1 − log r) with r = q/p, also where r is beyond the floats."""
    gap = log_q - log_p
    near = np.exp(log_p) * exponential_excess(np.minimum(gap, 1.0))
    return np.where(gap > 1.0, np.exp(log_q) - np.exp(log_p) * (1.0 + gap), near)
