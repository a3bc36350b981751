"""The Bernoulli distribution: one probability, corners included."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from igviz.geometry.families.distribution import Parameter
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.numerics import as_numbers, generalised_kl


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Bernoulli(ExponentialFamily):
    """Bernoulli distributions on {0, 1}.

    Charts: source (p,); natural (log(p/(1 − p)),); expectation (p,), with p the probability of 1. The Fisher
    metric is dp²/(p(1 − p)).

    Probabilities of exactly 0 and 1, the corners, are allowed. There `natural` raises, the Fisher matrix is
    inf in the source and expectation charts and 0 in the natural one, the KL divergence is inf where it is
    infinite, and Fisher–Rao distances stay finite: π from corner to corner.

    Parameters
    ----------
    probability : array_like
        Probability of 1, in [0, 1].

    Raises
    ------
    ValueError
        If a probability is not a number in [0, 1].

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, section 2.2.
    """

    probability: Parameter

    def _check(self) -> None:
        p = self.probability
        self._require("probability", (p >= 0.0) & (p <= 1.0), "in [0, 1]", p)

    @property
    def source(self) -> np.ndarray:
        """(probability,), shape (..., 1)."""
        return np.array(self.probability[..., None])

    @property
    def natural(self) -> np.ndarray:
        """(log(p/(1 − p)),), shape (..., 1); ValueError at the corners, where it is infinite."""
        p = self.probability
        inside = (p > 0.0) & (p < 1.0)
        self._require("probability", inside, "inside (0, 1) to have natural coordinates", p)
        return np.asarray(special.logit(p))[..., None]

    @property
    def expectation(self) -> np.ndarray:
        """(probability,), shape (..., 1)."""
        return self.source

    @classmethod
    def from_source(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with probabilities (p,), shape (..., 1)."""
        return cls(*cls._split("source", coordinates, 1))

    @classmethod
    def from_natural(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with log-odds (η,), shape (..., 1).

        A probability is a float64: log-odds above 37 round to the corner 1, those below −745 to the corner 0.
        """
        return cls(special.expit(*cls._split("natural", coordinates, 1)))

    @classmethod
    def from_expectation(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with means (p,), shape (..., 1)."""
        return cls(*cls._split("expectation", coordinates, 1))

    def log_partition(self) -> np.ndarray:
        """Return A = log(1 + exp η) = −log(1 − p) in nats, of shape `shape`; inf for p = 1."""
        with np.errstate(divide="ignore"):
            return -np.log1p(-self.probability)

    def sufficient_statistics(self, x: ArrayLike) -> np.ndarray:
        """Return (x,), shape (..., 1)."""
        return as_numbers("Bernoulli", "x", x)[..., None]

    def log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return log P(x) in nats; x broadcasts with `shape`, and what is neither 0 nor 1 has −inf."""
        x = as_numbers("Bernoulli", "x", x)
        possible = (x == 0.0) | (x == 1.0) | np.isnan(x)
        outcome = np.where(possible, x, 0.0)
        value = special.xlogy(outcome, self.probability) + special.xlog1py(1.0 - outcome, -self.probability)
        return np.where(possible, value, -np.inf)[()]

    def _draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return (rng.random(size) < self.probability).astype(np.float64)

    def entropy(self) -> np.ndarray:
        """Return −p·log p − (1 − p)·log(1 − p) in nats, of shape `shape`; 0 at the corners."""
        p = self.probability
        return special.entr(p) - special.xlog1py(1.0 - p, -p)

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) in nats, of the broadcast shape, right to the last digits for near points too.

        p·log(p/q) + (1 − p)·log((1 − p)/(1 − q)), as a sum of two non-negative terms; inf where q excludes an
        outcome that self allows, 0 on a common corner.

        Raises
        ------
        TypeError
            If q is not a Bernoulli.
        """
        self.require_same_family("Bernoulli.kl", q)
        p, other = self.probability, q.probability
        # the difference of the complements is known exactly, though the complements are rounded
        return generalised_kl(p, other) + generalised_kl(1.0 - p, 1.0 - other, difference=p - other)

    def _fisher_natural(self) -> np.ndarray:
        return np.asarray(self.probability * (1.0 - self.probability))[..., None, None]

    def _fisher_expectation(self) -> np.ndarray:
        with np.errstate(divide="ignore", over="ignore"):
            return 1.0 / self._fisher_natural()

    def _fisher_source(self) -> np.ndarray:
        return self._fisher_expectation()

    def _source_to_natural(self) -> np.ndarray:
        return self._fisher_expectation()

    def third_cumulant(self) -> np.ndarray:
        """Return E[(x − p)³] = p(1 − p)(1 − 2p), shape (..., 1, 1, 1)."""
        p = self.probability[..., None, None, None]
        return p * (1.0 - p) * (1.0 - 2.0 * p)

    def overlaps(self, q: Self) -> np.ndarray:
        """Return where both are possible, of the broadcast shape."""
        return np.abs(self.probability - q.probability) < 1.0

    def straight_point(self, q: Self, t: np.ndarray, chart: str) -> Self:
        """In the natural chart mix log-probabilities, over the outcomes that both allow."""
        if chart != "natural":
            return super().straight_point(q, t, chart)
        p, other = self.probability, q.probability
        ones, zeros = (p > 0.0) & (other > 0.0), (p < 1.0) & (other < 1.0)
        inside = ones & zeros
        start, end = (special.logit(np.where(inside, r, 0.5)) for r in (p, other))
        mixed = special.expit((1.0 - t) * start + t * end)
        return type(self)(np.where(inside, mixed, np.where(ones, 1.0, 0.0)))

    def fisher_rao_distance_to(self, q: Self) -> np.ndarray:
        """Return 4·asin(‖√p − √q‖/2) over the two outcomes; arccos would lose half the digits."""
        p, other = self.probability, q.probability
        gap = p - other
        # √p − √q = (p − q)/(√p + √q); the sum vanishes only where the difference does
        ones = np.sqrt(p) + np.sqrt(other)
        zeros = np.sqrt(1.0 - p) + np.sqrt(1.0 - other)
        chord = np.hypot(gap / np.where(ones > 0.0, ones, 1.0), gap / np.where(zeros > 0.0, zeros, 1.0))
        return 4.0 * np.arcsin(0.5 * chord)

    def fisher_rao_path_to(self, q: Self) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """Turn (√(1 − p), √p) evenly on the quarter circle; the path ends at the corners."""
        start, end = (np.arctan2(np.sqrt(r.probability), np.sqrt(1.0 - r.probability)) for r in (self, q))

        def at(t: np.ndarray) -> tuple[np.ndarray, ...]:
            angle = (1.0 - t) * start + t * end
            # a path that ends on a corner may overshoot it by rounding, no more
            if np.any((angle < -1e-14) | (angle > 0.5 * np.pi + 1e-14)):
                raise ValueError("Bernoulli: the path ends at the corner, where the probability is 0 or 1")
            return (np.sin(np.clip(angle, 0.0, 0.5 * np.pi)) ** 2,)

        return at
