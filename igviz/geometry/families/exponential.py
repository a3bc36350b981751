"""The exponential distribution of a waiting time, by its rate."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.distribution import Parameter
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.numerics import as_numbers, itakura_saito, log_ratio


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Exponential(ExponentialFamily):
    """Exponential distributions on x ≥ 0, with density rate·exp(−rate·x).

    Charts: source (rate,); natural (−rate,); expectation (1/rate,), the mean of the sufficient statistic x.
    The Fisher metric is drate²/rate²: in log rate the family is a straight line. They are the `Gamma`
    distributions of shape parameter 1.

    Parameters
    ----------
    rate : array_like
        Reciprocal of the mean, positive.

    Raises
    ------
    ValueError
        If a rate is not a positive finite number.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, section 2.2.
    """

    rate: Parameter

    def _check(self) -> None:
        self._require("rate", self.rate > 0.0, "positive", self.rate)

    @property
    def source(self) -> np.ndarray:
        """(rate,), shape (..., 1)."""
        return np.array(self.rate[..., None])

    @property
    def natural(self) -> np.ndarray:
        """(−rate,), shape (..., 1)."""
        return -self.source

    @property
    def expectation(self) -> np.ndarray:
        """(1/rate,), shape (..., 1)."""
        return 1.0 / self.source

    @classmethod
    def from_source(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with rates (rate,), shape (..., 1)."""
        return cls(*cls._split("source", coordinates, 1))

    @classmethod
    def from_natural(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with natural coordinates (η,), shape (..., 1), which must be negative."""
        (negative,) = cls._split("natural", coordinates, 1)
        cls._require("natural", negative < 0.0, "negative", negative)
        return cls(-negative)

    @classmethod
    def from_expectation(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with means (1/rate,), shape (..., 1), which must be positive."""
        (mean,) = cls._split("expectation", coordinates, 1)
        cls._require("expectation", mean > 0.0, "positive", mean)
        with np.errstate(over="ignore"):  # the constructor refuses what overflows
            return cls(1.0 / mean)

    def log_partition(self) -> np.ndarray:
        """Return A = −log(−η) = −log rate in nats, of shape `shape`; the base measure is 1."""
        return -np.log(self.rate)

    def sufficient_statistics(self, x: ArrayLike) -> np.ndarray:
        """Return (x,), shape (..., 1)."""
        return as_numbers("Exponential", "x", x)[..., None]

    def log_base_measure(self, x: ArrayLike) -> np.ndarray:
        """Return 0 for x ≥ 0 and −inf below."""
        x = as_numbers("Exponential", "x", x)
        return np.where(x < 0.0, -np.inf, np.where(np.isnan(x), np.nan, 0.0))[()]

    def log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return log rate − rate·x in nats; x broadcasts with `shape`, and x < 0 has −inf."""
        x = as_numbers("Exponential", "x", x)
        return np.where(x < 0.0, -np.inf, np.log(self.rate) - self.rate * np.maximum(x, 0.0))[()]

    def _draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.standard_exponential(size) / self.rate

    def entropy(self) -> np.ndarray:
        """Return 1 − log rate in nats, of shape `shape`."""
        return 1.0 - np.log(self.rate)

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) in nats, of the broadcast shape, right to the last digits for near points too.

        r − 1 − log r with r = rate_q/rate.

        Raises
        ------
        TypeError
            If q is not an Exponential.
        """
        self.require_same_family("Exponential.kl", q)
        return itakura_saito(q.rate, self.rate)

    def _fisher_natural(self) -> np.ndarray:
        return 1.0 / self._fisher_expectation()

    def _fisher_expectation(self) -> np.ndarray:
        return self.rate[..., None, None] ** 2

    def _fisher_source(self) -> np.ndarray:
        return self._fisher_natural()

    def _source_to_natural(self) -> np.ndarray:
        return np.full((*self.shape, 1, 1), -1.0)

    def third_cumulant(self) -> np.ndarray:
        """Return E[(x − 1/rate)³] = 2/rate³, shape (..., 1, 1, 1)."""
        return 2.0 / self.rate[..., None, None, None] ** 3

    def fisher_rao_distance_to(self, q: Self) -> np.ndarray:
        """Return |log(rate_q/rate)|."""
        return np.abs(self._log_gap(q))

    def _log_gap(self, q: Self) -> np.ndarray:
        """Return log(rate_q/rate), from the difference of the rates where they are near."""
        with np.errstate(over="ignore"):
            relative = (q.rate - self.rate) / self.rate
        near = np.abs(relative) < 0.5
        return np.where(near, np.log1p(np.where(near, relative, 0.0)), log_ratio(q.rate, self.rate))[()]

    def fisher_rao_path_to(self, q: Self) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """Move log rate evenly."""
        gap = self._log_gap(q)

        def at(t: np.ndarray) -> tuple[np.ndarray, ...]:
            with np.errstate(over="ignore"):  # the constructor refuses what overflows
                return (self.rate * np.exp(t * gap),)

        return at
