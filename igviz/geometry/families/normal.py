"""The normal distribution N(mean, std), by its standard deviation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from igviz.geometry import half_plane
from igviz.geometry.families.distribution import Parameter
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.numerics import as_numbers, diagonal, itakura_saito, matrix, minus_product

_HALF_LOG_TWO_PI = 0.5 * np.log(2.0 * np.pi)
_ROOT_TWO = np.sqrt(2.0)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Normal(ExponentialFamily):
    """Univariate normal distributions N(mean, std).

    Charts: source (mean, std); natural (mean/std², −1/(2·std²)); expectation (mean, mean² + std²), which are
    the means of the sufficient statistics (x, x²). The Fisher metric is (dmean² + 2·dstd²)/std².

    Parameters
    ----------
    mean, std : array_like
        Broadcast to a grid of distributions; std is positive.

    Raises
    ------
    ValueError
        If a parameter is not finite, std not positive, or the shapes do not broadcast.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, section 2.2.
    Costa, Santos, Strapasson (2015). Fisher information distance: a geometrical reading, section 2.
    """

    mean: Parameter
    std: Parameter

    def _check(self) -> None:
        self._require("std", self.std > 0.0, "positive", self.std)

    @property
    def source(self) -> np.ndarray:
        """(mean, std), shape (..., 2)."""
        return np.stack([self.mean, self.std], axis=-1)

    @property
    def natural(self) -> np.ndarray:
        """(mean/std², −1/(2·std²)), shape (..., 2)."""
        return np.stack([self.mean / self.std / self.std, -0.5 / self.std / self.std], axis=-1)

    @property
    def expectation(self) -> np.ndarray:
        """(mean, mean² + std²), shape (..., 2)."""
        return np.stack([self.mean, self.mean**2 + self.std**2], axis=-1)

    @classmethod
    def from_source(cls, coordinates: ArrayLike) -> Self:
        """Return N(mean, std) from (mean, std), shape (..., 2)."""
        return cls(*cls._split("source", coordinates, 2))

    @classmethod
    def from_natural(cls, coordinates: ArrayLike) -> Self:
        """Return the normals with natural coordinates (η₁, η₂), shape (..., 2); η₂ must be negative."""
        first, second = cls._split("natural", coordinates, 2)
        cls._require("the second natural coordinate", second < 0.0, "negative", second)
        with np.errstate(over="ignore"):  # the constructor refuses what overflows
            return cls(mean=-0.5 * first / second, std=np.sqrt(-0.5 / second))

    @classmethod
    def from_expectation(cls, coordinates: ArrayLike) -> Self:
        """Return the normals with means (m₁, m₂) of (x, x²), shape (..., 2); m₂ must exceed m₁².

        m₂ − m₁² is formed without rounding the square. What the rounding of m₂ itself has lost cannot be
        brought back: with |mean|/std = 10ᵏ the std returns from a round trip with 2k digits fewer.
        """
        first, second = cls._split("expectation", coordinates, 2)
        variance = minus_product(second, first, first)
        cls._require("the second moment minus the squared first", variance > 0.0, "positive", variance)
        return cls(mean=first, std=np.sqrt(variance))

    def log_partition(self) -> np.ndarray:
        """Return A = mean²/(2·std²) + log std + ½·log 2π in nats, of shape `shape`; the base measure is 1."""
        return 0.5 * (self.mean / self.std) ** 2 + np.log(self.std) + _HALF_LOG_TWO_PI

    def sufficient_statistics(self, x: ArrayLike) -> np.ndarray:
        """Return (x, x²), shape (..., 2)."""
        x = as_numbers("Normal", "x", x)
        return np.stack([x, x**2], axis=-1)

    def log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return the log-density at x in nats; x broadcasts with `shape`."""
        standardised = (as_numbers("Normal", "x", x) - self.mean) / self.std
        return -0.5 * standardised**2 - np.log(self.std) - _HALF_LOG_TWO_PI

    def hessian_log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return the second derivatives of the log-density by (mean, std) at x, shape (..., 2, 2).

        With z = (x − mean)/std they are, over std², −1 for the mean twice, −2z mixed and 1 − 3z² for the std
        twice. Minus their mean is the Fisher matrix.
        """
        z = (as_numbers("Normal", "x", x) - self.mean) / self.std
        return matrix([[-1.0, -2.0 * z], [-2.0 * z, 1.0 - 3.0 * z**2]]) / (self.std**2)[..., None, None]

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """Return the probability of a value up to x; x broadcasts with `shape` and may be infinite."""
        return self.standard_cdf((as_numbers("Normal", "x", x) - self.mean) / self.std)

    def standard_cdf(self, z: np.ndarray) -> np.ndarray:
        """Return the distribution function of the standard member at z."""
        return ndtr(z)

    def _draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return self.mean + self.std * rng.standard_normal(size)

    def entropy(self) -> np.ndarray:
        """Return log std + ½·log 2πe in nats, of shape `shape`."""
        return np.log(self.std) + _HALF_LOG_TWO_PI + 0.5

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) in nats, of the broadcast shape, right to the last digits for near points too.

        With r = std/std_q it is ½·((mean − mean_q)/std_q)² + ½·(r² − 1) − log r, evaluated as a sum of
        non-negative terms, ½·(r − 1)² + (r − 1 − log r).

        Raises
        ------
        TypeError
            If q is not a Normal.
        """
        self.require_same_family("Normal.kl", q)
        shift, stretch = (self.mean - q.mean) / q.std, (self.std - q.std) / q.std
        return 0.5 * shift**2 + 0.5 * stretch**2 + itakura_saito(self.std, q.std)

    def _fisher_source(self) -> np.ndarray:
        return diagonal(1.0 / self.std**2, 2.0 / self.std**2)

    def _fisher_natural(self) -> np.ndarray:
        variance, cross = self.std**2, 2.0 * self.mean * self.std**2
        return matrix([[variance, cross], [cross, 2.0 * self.mean * cross + 2.0 * variance**2]])

    def _fisher_expectation(self) -> np.ndarray:
        # the determinant 2·std⁶ of the natural matrix is known, so nothing need be eliminated numerically
        precision = 1.0 / self.std**2
        cross = -self.mean * precision**2
        return matrix([[precision - 2.0 * self.mean * cross, cross], [cross, 0.5 * precision**2]])

    def _source_to_natural(self) -> np.ndarray:
        precision = 1.0 / self.std**2
        slope = precision / self.std
        return matrix([[precision, -2.0 * self.mean * slope], [0.0 * slope, slope]])

    def third_cumulant(self) -> np.ndarray:
        """Return ∂³A, shape (..., 2, 2, 2), the third cumulant of (x, x²).

        0, 2·std⁴, 8·mean·std⁴ and 24·mean²·std⁴ + 8·std⁶ where 0, 1, 2 and 3 of the indices are 1.
        """
        variance = self.std**2
        one = 2.0 * variance**2
        two = 4.0 * self.mean * one
        three = 3.0 * self.mean * two + 4.0 * variance * one
        first = matrix([[0.0 * one, one], [one, two]])
        return np.stack([first, matrix([[one, two], [two, three]])], axis=-3)

    def straight_point(self, q: Self, t: np.ndarray, chart: str) -> Self:
        """Straight lines by weights, free of the cancellation between mean² and the second moment."""
        if chart == "source":
            return super().straight_point(q, t, chart)
        shift = q.mean - self.mean
        with np.errstate(invalid="ignore"):  # beyond the family the std is nan, which the constructor refuses
            if chart == "natural":  # precisions are interpolated, means weighted by precision
                ratio = self.std / q.std
                relative = (1.0 - t) + t * ratio**2
                return type(self)(self.mean + t * ratio**2 / relative * shift, self.std / np.sqrt(relative))
            variance = (1.0 - t) * self.std**2 + t * q.std**2 + t * (1.0 - t) * shift**2
            return type(self)(self.mean + t * shift, np.sqrt(variance))

    def fisher_rao_distance_to(self, q: Self) -> np.ndarray:
        """Return the Fisher–Rao distance to q, of the broadcast shape; q is of this family."""
        # divided by √2 first: the difference of two means keeps its digits
        return _ROOT_TWO * half_plane.distance((q.mean - self.mean) / _ROOT_TWO, self.std, q.std)

    def fisher_rao_path_to(self, q: Self) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """Return the shortest path to q, a function of time that gives the fields; q is of this family."""
        curve = half_plane.geodesic((q.mean - self.mean) / _ROOT_TWO, self.std, q.std)

        def at(t: np.ndarray) -> tuple[np.ndarray, ...]:
            shift, std = curve(t)
            return self.mean + _ROOT_TWO * shift, std

        return at
