"""The Poisson distribution of a count, by its rate."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from igviz.geometry.families.distribution import Parameter
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.gamma_functions import log_gamma_excess
from igviz.geometry.numerics import as_numbers, generalised_kl

_HALF_LOG_TWO_PI_E = 0.5 * np.log(2.0 * np.pi) + 0.5
# from this rate on the entropy is its asymptotic series, below it a sum over the counts up to _MOST
_LARGE, _MOST = 100.0, 240
# what the entropy has beyond ½·log(2πe·rate), in powers of 1/rate
_ENTROPY = (-1 / 12, -1 / 24, -19 / 360, -9 / 80, -863 / 2520, -1375 / 1008, -33953 / 5040, -57281 / 1440)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Poisson(ExponentialFamily):
    """Poisson distributions on the counts 0, 1, 2 and so on.

    Charts: source (rate,); natural (log rate,); expectation (rate,), the mean of the sufficient statistic x.
    The base measure is 1/x!. The Fisher metric is drate²/rate: in 2·√rate the family is a straight half-line.

    Parameters
    ----------
    rate : array_like
        Mean count, positive.

    Raises
    ------
    ValueError
        If a rate is not a positive finite number.

    References
    ----------
    Nielsen, F. (2020). An elementary introduction to information geometry.
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
        """(log rate,), shape (..., 1)."""
        return np.log(self.rate)[..., None]

    @property
    def expectation(self) -> np.ndarray:
        """(rate,), shape (..., 1)."""
        return self.source

    @classmethod
    def from_source(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with rates (rate,), shape (..., 1)."""
        return cls(*cls._split("source", coordinates, 1))

    @classmethod
    def from_natural(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with logarithms (log rate,) of the rate, shape (..., 1)."""
        (logarithm,) = cls._split("natural", coordinates, 1)
        with np.errstate(over="ignore"):  # the constructor refuses what overflows
            return cls(np.exp(logarithm))

    @classmethod
    def from_expectation(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with means (rate,), shape (..., 1)."""
        return cls(*cls._split("expectation", coordinates, 1))

    def log_partition(self) -> np.ndarray:
        """Return A = exp η = rate in nats, of shape `shape`."""
        return np.array(self.rate)[()]

    def sufficient_statistics(self, x: ArrayLike) -> np.ndarray:
        """Return (x,), shape (..., 1)."""
        return as_numbers("Poisson", "x", x)[..., None]

    def log_base_measure(self, x: ArrayLike) -> np.ndarray:
        """Return −log x! in nats; −inf for what is not a count."""
        x = as_numbers("Poisson", "x", x)
        possible = _is_count(x)
        outside = np.where(np.isnan(x), np.nan, -np.inf)
        return np.where(possible, -special.gammaln(np.where(possible, x, 0.0) + 1.0), outside)[()]

    def _expected_log_base_measure(self) -> np.ndarray:
        return self.rate * (1.0 - np.log(self.rate)) - self.entropy()

    def log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return log P(x) in nats; x broadcasts with `shape`, and what is not a count has −inf.

        With Stirling's formula for x! the logarithms of size x·log x cancel on paper and not in the numbers.

        References
        ----------
        Loader, C. (2000). Fast and accurate computation of binomial probabilities.
        """
        x = as_numbers("Poisson", "x", x)
        possible = _is_count(x) & (x > 0.0)
        count = np.where(possible, x, 1.0)
        value = -generalised_kl(count, self.rate) - log_gamma_excess(count) - np.log(count)
        elsewhere = np.where(x == 0.0, -self.rate, np.where(np.isnan(x), np.nan, -np.inf))
        return np.where(possible, value, elsewhere)[()]

    def _draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.poisson(self.rate, size).astype(np.float64)

    def entropy(self) -> np.ndarray:
        """Return −Σ P(x)·log P(x) in nats, of shape `shape`.

        There is no closed form: a sum over the counts for rates below 100, ½·log(2πe·rate) and eight more
        terms of its asymptotic series above.
        """
        large = np.maximum(self.rate, _LARGE)
        small = type(self)(np.minimum(self.rate, _LARGE))
        counts = np.arange(_MOST).reshape(-1, *(1,) * len(self.shape))
        logarithms = small.log_prob(counts)
        summed = -np.sum(np.exp(logarithms) * logarithms, axis=0)
        series = np.polynomial.polynomial.polyval(1.0 / large, (0.0, *_ENTROPY))
        asymptotic = _HALF_LOG_TWO_PI_E + 0.5 * np.log(large) + series
        return np.where(self.rate < _LARGE, summed, asymptotic)[()]

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) in nats, of the broadcast shape, right to the last digits for near points too.

        rate·log(rate/rate_q) − rate + rate_q.

        Raises
        ------
        TypeError
            If q is not a Poisson.
        """
        self.require_same_family("Poisson.kl", q)
        return generalised_kl(self.rate, q.rate)

    def _fisher_natural(self) -> np.ndarray:
        return np.array(self.rate[..., None, None])

    def _fisher_expectation(self) -> np.ndarray:
        return 1.0 / self._fisher_natural()

    def _fisher_source(self) -> np.ndarray:
        return self._fisher_expectation()

    def _source_to_natural(self) -> np.ndarray:
        return self._fisher_expectation()

    def third_cumulant(self) -> np.ndarray:
        """Return E[(x − rate)³] = rate, shape (..., 1, 1, 1)."""
        return np.array(self.rate[..., None, None, None])

    def fisher_rao_distance_to(self, q: Self) -> np.ndarray:
        """Return 2·|√rate − √rate_q|, without subtracting the roots."""
        return 2.0 * np.abs(self._root_gap(q))

    def _root_gap(self, q: Self) -> np.ndarray:
        """Return √rate_q − √rate."""
        return (q.rate - self.rate) / (np.sqrt(q.rate) + np.sqrt(self.rate))

    def fisher_rao_path_to(self, q: Self) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """Move √rate evenly; the path ends where it is 0."""
        start, gap = np.sqrt(self.rate), self._root_gap(q)

        def at(t: np.ndarray) -> tuple[np.ndarray, ...]:
            root = start + t * gap
            self._require("the square root of the rate", root > 0.0, "positive", root)
            return (root**2,)

        return at


def _is_count(x: np.ndarray) -> np.ndarray:
    return (x >= 0.0) & (x < np.inf) & (x == np.floor(x))
