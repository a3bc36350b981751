"""Exponential families: the log-partition A, its dual coordinates and what follows from them.

The density is log p(x) = log h(x) + ⟨η, t(x)⟩ − A(η) with natural coordinates η, sufficient statistics t and
base measure h. The expectation coordinates are E[t(x)] = ∇A(η), and the Fisher matrix is ∇²A(η) in the
natural chart and its inverse in the expectation chart.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.distribution import Distribution


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ExponentialFamily(Distribution):
    """Base of the exponential families, in minimal coordinates.

    A family provides `natural`, `expectation`, `from_natural`, `from_expectation`, `log_partition`,
    `sufficient_statistics`, `_fisher_natural`, `third_cumulant` and `_source_to_natural` beside what every
    `Distribution` needs, and `log_base_measure` with its mean where h is not 1. Everything else here is
    generic, and a family overrides it only where a closed form keeps more digits.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, section 2.1.
    Nielsen, F. (2020). An elementary introduction to information geometry.
    """

    charts: ClassVar[tuple[str, ...]] = ("source", "natural", "expectation")

    # -- what a family provides ----------------------------------------------------------------------------

    @property
    def natural(self) -> np.ndarray:
        """Natural coordinates η, shape (..., k)."""
        raise NotImplementedError

    @property
    def expectation(self) -> np.ndarray:
        """Expectation coordinates E[t(x)] = ∇A(η), shape (..., k)."""
        raise NotImplementedError

    @classmethod
    def from_natural(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with the given natural coordinates, shape (..., k)."""
        raise NotImplementedError

    @classmethod
    def from_expectation(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with the given expectation coordinates, shape (..., k)."""
        raise NotImplementedError

    def log_partition(self) -> np.ndarray:
        """Return A(η) in nats, of shape `shape`."""
        raise NotImplementedError

    def sufficient_statistics(self, x: ArrayLike) -> np.ndarray:
        """Return t(x), shape (..., k)."""
        raise NotImplementedError

    def _fisher_natural(self) -> np.ndarray:
        """Return ∇²A(η), shape (..., k, k)."""
        raise NotImplementedError

    def _source_to_natural(self) -> np.ndarray:
        """Return ∂natural/∂source, shape (..., k, k)."""
        raise NotImplementedError

    # -- what follows --------------------------------------------------------------------------------------

    def log_base_measure(self, x: ArrayLike) -> np.ndarray:
        """Return log h(x); 0 unless a family says otherwise."""
        shape = np.shape(x)
        return np.zeros(shape[: len(shape) - self.observation_rank])[()]

    def log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return log h(x) + ⟨η, t(x)⟩ − A(η) in nats; x broadcasts with `shape`."""
        inner = np.sum(self.natural * self.sufficient_statistics(x), axis=-1)
        return self.log_base_measure(x) + inner - self.log_partition()

    def _expected_log_base_measure(self) -> np.ndarray | float:
        """Return E[log h(x)], of shape `shape`; 0 unless a family says otherwise."""
        return 0.0

    def entropy(self) -> np.ndarray:
        """Return A(η) − ⟨η, E[t]⟩ − E[log h] in nats, of shape `shape`."""
        inner = np.sum(self.natural * self.expectation, axis=-1)
        return self.log_partition() - inner - self._expected_log_base_measure()

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) = E_self[log self − log q] in nats.

        With natural coordinates η of self and η′ of q it is the Bregman divergence
        B_A(η′, η) = A(η′) − A(η) − ⟨η′ − η, E_self[t]⟩. This generic form cancels for near points; families
        replace it by forms that keep their digits.

        Parameters
        ----------
        q : same family
            `shape` and `q.shape` broadcast.

        Returns
        -------
        numpy.ndarray
            Non-negative, possibly infinite, of the broadcast shape.

        Raises
        ------
        TypeError
            If q is of another family.

        References
        ----------
        Amari, S. (2016). Information Geometry and Its Applications, chapters 1 and 2.
        """
        self.require_same_family(f"{self.family_name()}.kl", q)
        inner = np.sum((q.natural - self.natural) * self.expectation, axis=-1)
        # rounding may push a vanishing divergence below zero
        return np.maximum(q.log_partition() - self.log_partition() - inner, 0.0)

    def score(self, x: ArrayLike, chart: str = "source") -> np.ndarray:
        """Return the score ∇ log p(x): the gradient of the log-density in the coordinates of a chart.

        It is t(x) − E[t] in the natural chart and (∂natural/∂chart)ᵀ·(t(x) − E[t]) in the others. Its mean is
        zero and its covariance the Fisher matrix.

        Parameters
        ----------
        x : array_like
            Values that broadcast with `shape`.
        chart : {"source", "natural", "expectation"}
            The coordinates by which log p is differentiated.

        Returns
        -------
        numpy.ndarray
            Shape (..., k), where ... is that of x broadcast with `shape`. nan where x is outside the support.

        Raises
        ------
        ValueError
            If the family has no such chart, or a distribution no natural coordinates.

        References
        ----------
        Amari, S. (2016). Information Geometry and Its Applications, chapter 2.
        """
        self.require_chart("score", chart)
        possible = np.asarray(self.log_prob(x) > -np.inf)[..., None]
        with np.errstate(invalid="ignore"):
            score = np.where(possible, self.sufficient_statistics(x) - self.expectation, np.nan)
        if chart == "natural":
            return score
        return np.einsum("...ji,...j->...i", self.natural_by(chart), score)

    def third_cumulant(self) -> np.ndarray:
        """Return ∂³A(η), shape (..., k, k, k): the third cumulant of the sufficient statistics.

        This is the cubic tensor E[∂ᵢ log p · ∂ⱼ log p · ∂ₖ log p] in the natural chart, the derivative of the
        Fisher matrix there, and symmetric in all three indices. Up close, with δ from p to q in natural
        coordinates, KL(p‖q) = ½·δᵀIδ + ⅙·∂³A(δ, δ, δ) + … and KL(q‖p) = ½·δᵀIδ + ⅓·∂³A(δ, δ, δ) + …

        References
        ----------
        Amari, S. (2016). Information Geometry and Its Applications, chapter 6.
        """
        raise NotImplementedError(f"{self.family_name()}.third_cumulant: no closed form")

    def jacobian(self, old: str, new: str) -> np.ndarray:
        """Return J = ∂old/∂new between two charts at these distributions.

        Row i, column j holds the derivative of the i-th old coordinate by the j-th new one. The Fisher
        matrices obey I_new = Jᵀ I_old J, and small displacements δ_old = J δ_new.

        Parameters
        ----------
        old, new : {"source", "natural", "expectation"}
            The two charts.

        Returns
        -------
        numpy.ndarray
            Shape (..., k, k).

        Raises
        ------
        ValueError
            If a chart is unknown, or a distribution has no natural coordinates.
        """
        self.require_chart("jacobian", old)
        self.require_chart("jacobian", new)
        return np.linalg.solve(self.natural_by(old), self.natural_by(new))

    def natural_by(self, chart: str) -> np.ndarray:
        """Return ∂natural/∂chart."""
        unity = np.broadcast_to(np.eye(self.dimension), (*self.natural.shape, self.dimension))
        if chart == "natural":
            return unity
        return self._source_to_natural() if chart == "source" else self._fisher_expectation()

    def _fisher_expectation(self) -> np.ndarray:
        return np.linalg.inv(self._fisher_natural())

    def _fisher_source(self) -> np.ndarray:
        jacobian = self._source_to_natural()
        return np.swapaxes(jacobian, -1, -2) @ self._fisher_natural() @ jacobian

    def overlaps(self, q: Self) -> np.ndarray:
        """Whether some outcome is possible under both; families with corners say where."""
        return np.ones(np.broadcast_shapes(self.shape, q.shape), dtype=bool)

    def straight_point(self, q: Self, t: np.ndarray, chart: str) -> Self:
        """Return the point a fraction t of the way to q along the straight line in a chart.

        t arrives with the grid's axes appended, so that it broadcasts with `shape`.
        """
        start, end = self.coordinates(chart), q.coordinates(chart)
        t = t[..., None]
        return self.from_coordinates((1.0 - t) * start + t * end, chart)
