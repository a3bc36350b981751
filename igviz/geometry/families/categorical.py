"""The categorical distribution: probabilities of K classes, corners and faces of the simplex included."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from igviz.geometry.families.distribution import Parameter
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.numerics import as_numbers, generalised_kl

# probabilities may miss the sum 1 by this
_SLACK = 1e-9


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Categorical(ExponentialFamily):
    """Categorical distributions on the classes 0, 1, …, K − 1.

    Charts, with K − 1 coordinates: source, the probabilities of all classes but the last; natural,
    log(pᵢ/p_last) of the same classes; expectation, the same as source. The sufficient statistics are the
    indicators of all classes but the last. The Fisher metric is Σ dpᵢ²/pᵢ over all K classes: with 2√p the
    simplex is a piece of a sphere of radius 2.

    For K = 2 the coordinates are those of a `Bernoulli` with the probability of class 0: class 0 plays the
    part of the Bernoulli's 1 and class 1 that of its 0, because the reference is the last class here and 0
    there.

    Zero probabilities, the corners and faces of the simplex, are allowed. There `natural` raises. In the
    natural chart the Fisher matrix has zeros in the row and column of a class without probability; in the
    others its diagonal entry is inf, and all entries are inf where the last class has none. The KL divergence
    is inf where it is infinite, and Fisher–Rao distances stay finite: π between two corners.

    Parameters
    ----------
    probabilities : array_like
        Shape (..., K) with K ≥ 2, in [0, 1], with sum 1. A sum that misses 1 by no more than 1e-9 is mended
        by division.

    Raises
    ------
    ValueError
        If the probabilities are not numbers in [0, 1] with sum 1.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, section 2.2.
    """

    probabilities: Parameter

    _ranks: ClassVar[dict[str, int]] = {"probabilities": 1}

    def _check(self) -> None:
        p = self.probabilities
        if p.shape[-1] < 2:
            raise ValueError(
                f"Categorical: probabilities must have shape (..., K) with K at least 2, got shape {p.shape}"
            )
        self._require("probabilities", (p >= 0.0) & (p <= 1.0), "in [0, 1]", p)
        total = np.sum(p, axis=-1)
        self._require("the sum of probabilities", np.abs(total - 1.0) <= _SLACK, "1 to within 1e-9", total)
        rounding = p.shape[-1] * np.finfo(float).eps
        if np.any(np.abs(total - 1.0) > rounding):
            # sums that are right to rounding stay as they are, so that a copy is a copy
            divisor = np.where(np.abs(total - 1.0) > rounding, total, 1.0)
            mended = np.minimum(p / divisor[..., None], 1.0)
            mended.flags.writeable = False
            object.__setattr__(self, "probabilities", mended)

    def require_same_family(self, where: str, other: object) -> None:
        """Raise TypeError or ValueError unless the other has this family and its grid broadcasts."""
        super().require_same_family(where, other)
        assert isinstance(other, Categorical)
        ours, theirs = self.probabilities.shape[-1], other.probabilities.shape[-1]
        if ours != theirs:
            raise ValueError(
                f"{where}: both distributions must have the same number of classes, got {ours} and {theirs}"
            )

    # -- charts --------------------------------------------------------------------------------------------

    @property
    def source(self) -> np.ndarray:
        """Probabilities of all classes but the last, shape (..., K − 1)."""
        return np.array(self.probabilities[..., :-1])

    @property
    def natural(self) -> np.ndarray:
        """log(pᵢ/p_last), shape (..., K − 1); ValueError where a probability is 0 and one is infinite."""
        p = self.probabilities
        self._require("probabilities", p > 0.0, "positive to have natural coordinates", p)
        return np.log(p[..., :-1]) - np.log(p[..., -1:])

    @property
    def expectation(self) -> np.ndarray:
        """Probabilities of all classes but the last, shape (..., K − 1)."""
        return self.source

    @classmethod
    def from_source(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with these probabilities of all classes but the last, (..., K − 1)."""
        return cls._from_first("source", coordinates)

    @classmethod
    def from_natural(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with log(pᵢ/p_last) as given, shape (..., K − 1).

        A probability is a float64: differences above 745 round to probabilities of 0.
        """
        first = cls._coordinates("natural", coordinates)
        return cls(special.softmax(np.concatenate([first, np.zeros_like(first[..., :1])], axis=-1), axis=-1))

    @classmethod
    def from_expectation(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions whose indicators have these means, shape (..., K − 1)."""
        return cls._from_first("expectation", coordinates)

    @classmethod
    def _from_first(cls, name: str, coordinates: ArrayLike) -> Self:
        first = cls._coordinates(name, coordinates)
        total = np.sum(first, axis=-1)
        cls._require(f"the sum of {name}", total <= 1.0 + _SLACK, "at most 1", total)
        return cls(np.concatenate([first, np.maximum(1.0 - total, 0.0)[..., None]], axis=-1))

    @classmethod
    def _coordinates(cls, name: str, coordinates: ArrayLike) -> np.ndarray:
        array = as_numbers(cls.family_name(), name, coordinates)
        if array.ndim == 0 or array.shape[-1] == 0:
            raise ValueError(
                f"{cls.family_name()}: {name} must have shape (..., K - 1) for K classes, "
                f"got shape {array.shape}"
            )
        cls._require(name, np.isfinite(array), "finite", array)
        return array

    # -- probabilities -------------------------------------------------------------------------------------

    def log_partition(self) -> np.ndarray:
        """Return A = log(1 + Σ exp ηᵢ) = −log p_last in nats, of shape `shape`; inf where p_last = 0."""
        p = self.probabilities
        last, others = p[..., -1], np.sum(p[..., :-1], axis=-1)
        with np.errstate(divide="ignore"):
            return np.where(last > 0.5, -np.log1p(-np.minimum(others, 0.75)), -np.log(last))[()]

    def sufficient_statistics(self, x: ArrayLike) -> np.ndarray:
        """Return the indicators of the classes 0, …, K − 2, shape (..., K − 1)."""
        classes = as_numbers("Categorical", "x", x)[..., None]
        indicators = (classes == np.arange(self.probabilities.shape[-1] - 1)).astype(np.float64)
        return np.where(np.isnan(classes), np.nan, indicators)

    def log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return log P(x) in nats; x broadcasts with `shape`, and what is not a class has −inf."""
        x = as_numbers("Categorical", "x", x)
        count = self.probabilities.shape[-1]
        possible = np.isin(x, np.arange(count))
        index = np.where(possible, x, 0.0).astype(np.intp)
        with np.errstate(divide="ignore"):
            logarithms = np.log(self.probabilities)
        grid = np.broadcast_shapes(x.shape, self.shape)
        picked = np.take_along_axis(
            np.broadcast_to(logarithms, (*grid, count)), np.broadcast_to(index, grid)[..., None], axis=-1
        )[..., 0]
        return np.where(possible, picked, np.where(np.isnan(x), np.nan, -np.inf))[()]

    def _draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        upper = np.cumsum(self.probabilities, axis=-1)
        # divided by the total, so that rounding leaves nothing to a last class without probability
        upper = upper[..., :-1] / upper[..., -1:]
        return np.sum(rng.random(size)[..., None] >= upper, axis=-1)

    def entropy(self) -> np.ndarray:
        """Return −Σ pᵢ·log pᵢ in nats, of shape `shape`; 0 at the corners."""
        return np.sum(special.entr(self.probabilities), axis=-1)

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) = Σ pᵢ·log(pᵢ/qᵢ) in nats, with its digits for near points too.

        Evaluated as the sum of the non-negative pᵢ·log(pᵢ/qᵢ) − pᵢ + qᵢ, in which the rounding of the two
        sums of probabilities enters squared. inf where q excludes a class that self allows.

        Raises
        ------
        TypeError
            If q is not a Categorical.
        ValueError
            If q has another number of classes.
        """
        self.require_same_family("Categorical.kl", q)
        return np.sum(generalised_kl(self.probabilities, q.probabilities), axis=-1)

    # -- Fisher matrices -----------------------------------------------------------------------------------

    def _fisher_natural(self) -> np.ndarray:
        p = self.probabilities
        count = p.shape[-1]
        # p·(1 − p) with 1 − p as the sum of the others, which keeps its digits next to 1
        variances = (p * (p @ (1.0 - np.eye(count))))[..., :-1]
        first, unity = p[..., :-1], np.eye(count - 1)
        products = first[..., :, None] * first[..., None, :]
        return variances[..., :, None] * unity - products * (1.0 - unity)

    def _fisher_expectation(self) -> np.ndarray:
        with np.errstate(divide="ignore", over="ignore"):
            reciprocals = 1.0 / self.probabilities
        diagonal = np.eye(reciprocals.shape[-1] - 1, dtype=bool)
        own = np.where(diagonal, reciprocals[..., :-1, None], 0.0)
        return own + reciprocals[..., -1:, None]

    def _fisher_source(self) -> np.ndarray:
        return self._fisher_expectation()

    def _source_to_natural(self) -> np.ndarray:
        return self._fisher_expectation()

    def third_cumulant(self) -> np.ndarray:
        """Return the third cumulant of the indicators, shape (..., K − 1, K − 1, K − 1).

        Differentiating Iᵢⱼ = pᵢ·(δᵢⱼ − pⱼ) by the k-th natural coordinate, which moves pᵢ by Iᵢₖ, gives
        δᵢⱼ·Iᵢₖ − pᵢ·Iⱼₖ − pⱼ·Iᵢₖ.
        """
        first, fisher = self.probabilities[..., :-1], self._fisher_natural()
        own = np.eye(first.shape[-1])[:, :, None] * fisher[..., :, None, :]
        moved = first[..., :, None, None] * fisher[..., None, :, :]
        return own - moved - np.swapaxes(moved, -3, -2)

    def squared_speed(self, velocity: np.ndarray, chart: str) -> np.ndarray:
        """Return Σ dpᵢ²/pᵢ over the classes with probability: a path on a face of the simplex stays there."""
        if chart == "natural":
            return super().squared_speed(velocity, chart)
        last = -np.sum(velocity, axis=-1, keepdims=True)
        velocities, p = np.concatenate([velocity, last], axis=-1), self.probabilities
        return np.sum(np.where(p > 0.0, velocities, 0.0) ** 2 / np.where(p > 0.0, p, 1.0), axis=-1)

    # -- paths and distances -------------------------------------------------------------------------------

    def overlaps(self, q: Self) -> np.ndarray:
        """Return where both are possible, of the broadcast shape."""
        return np.any((self.probabilities > 0.0) & (q.probabilities > 0.0), axis=-1)

    def straight_point(self, q: Self, t: np.ndarray, chart: str) -> Self:
        """Mixtures of probabilities, or of their logarithms over the classes that both allow."""
        p, other, t = self.probabilities, q.probabilities, t[..., None]
        if chart != "natural":
            return type(self)((1.0 - t) * p + t * other)
        both = (p > 0.0) & (other > 0.0)
        logarithms = (1.0 - t) * np.log(np.where(both, p, 1.0)) + t * np.log(np.where(both, other, 1.0))
        return type(self)(special.softmax(np.where(both, logarithms, -np.inf), axis=-1))

    def fisher_rao_distance_to(self, q: Self) -> np.ndarray:
        """Return 4·asin(‖√p − √q‖/2); arccos would lose half the digits."""
        chord = np.linalg.norm(self._root_gap(q), axis=-1)
        return np.minimum(4.0 * np.arcsin(0.5 * chord), np.pi)

    def _root_gap(self, q: Self) -> np.ndarray:
        """Return √q − √p = (q − p)/(√q + √p); the sum vanishes only where the difference does."""
        p, other = self.probabilities, q.probabilities
        roots = np.sqrt(p) + np.sqrt(other)
        return (other - p) / np.where(roots > 0.0, roots, 1.0)

    def fisher_rao_path_to(self, q: Self) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """Follow the great circle through √p and √q evenly; the path ends at the boundary of the simplex."""
        angle = 0.5 * self.fisher_rao_distance_to(q)
        apart = angle > 0.0
        start, gap = np.sqrt(self.probabilities), self._root_gap(q)

        def at(t: np.ndarray) -> tuple[np.ndarray, ...]:
            # weights of √p and √q, with √q written as √p and the small step between them
            sine = np.where(apart, np.sin(angle), 1.0)
            ahead = np.where(apart, np.sin(t * angle) / sine, t)
            behind = np.where(apart, np.sin((1.0 - t) * angle) / sine, 1.0 - t)
            roots = (ahead + behind)[..., None] * start + ahead[..., None] * gap
            # a path that ends on the boundary may overshoot it by rounding, no more
            if np.any(roots < -1e-14):
                raise ValueError("Categorical: the path ends at the boundary, where a probability is 0")
            return (np.minimum(np.maximum(roots, 0.0) ** 2, 1.0),)

        return at
