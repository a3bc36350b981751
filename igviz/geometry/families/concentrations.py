"""What the Beta and Dirichlet distributions share: the log-partition of K concentrations."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from igviz.geometry.families.concentrations_chart import ConcentrationsChart
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.gamma_functions import (
    digamma_excess,
    digamma_inverse,
    excess_curvature,
    excess_divergence,
    log_gamma_excess,
    tetragamma,
    trigamma,
)
from igviz.geometry.numerics import generalised_kl

_STEPS = 500


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Concentrations(ExponentialFamily):
    """Base of the families with density ∝ Π xᵢ^(aᵢ − 1) on positive x₁, …, x_K with sum 1.

    The concentrations aᵢ are source and natural coordinates both, the sufficient statistics are log xᵢ, the
    base measure is Π 1/xᵢ and A = Σ log Γ(aᵢ) − log Γ(Σa).

    A family provides its fields, `concentrations`, `_from_concentration` and `_shares`.
    """

    fisher_rao_chart: ClassVar = ConcentrationsChart()

    @property
    def concentrations(self) -> np.ndarray:
        """The concentrations, shape (..., K)."""
        raise NotImplementedError

    @classmethod
    def _from_concentration(cls, concentration: np.ndarray) -> Self:
        """Return the distributions with concentrations, shape (..., K)."""
        raise NotImplementedError

    @classmethod
    def _coordinates(cls, name: str, coordinates: ArrayLike) -> np.ndarray:
        """Return coordinates as finite numbers, shape (..., K), or say what their shape should be."""
        raise NotImplementedError

    def _shares(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return (x₁, …, x_K), shape (..., K), and which observations lie in the support.

        The shares of what lies outside are whatever does no harm; those of nan are nan.
        """
        raise NotImplementedError

    def _total(self) -> np.ndarray:
        return np.sum(self.concentrations, axis=-1)

    # -- charts --------------------------------------------------------------------------------------------

    @property
    def source(self) -> np.ndarray:
        """The concentrations, shape (..., K)."""
        return np.array(self.concentrations)

    @property
    def natural(self) -> np.ndarray:
        """The concentrations, shape (..., K)."""
        return self.source

    @property
    def expectation(self) -> np.ndarray:
        """E[log xᵢ] = ψ(aᵢ) − ψ(Σa), shape (..., K)."""
        a, total = self.concentrations, self._total()[..., None]
        return np.log(a / total) + (digamma_excess(a) - digamma_excess(total))

    @classmethod
    def from_source(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with these concentrations, shape (..., K)."""
        return cls._from_concentration(cls._coordinates("source", coordinates))

    @classmethod
    def from_natural(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with these concentrations, shape (..., K)."""
        return cls._from_concentration(cls._coordinates("natural", coordinates))

    @classmethod
    def from_expectation(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with means mᵢ of log xᵢ, shape (..., K).

        Solves ψ(aᵢ) − ψ(Σa) = mᵢ by Newton's method for log Σa, safeguarded by bisection. Large
        concentrations lose digits: the rounding of mᵢ leaves a relative error of about Σa·(1 + |mᵢ|)·1e-15.

        Raises
        ------
        ValueError
            If Σ exp(mᵢ) is not less than 1, as Jensen's inequality demands.
        ArithmeticError
            If the rounding of the means leaves less than two digits of the concentrations, as where their sum
            exceeds 1e13 or one of them all others by as much.

        References
        ----------
        Minka, T. (2000). Estimating a Dirichlet distribution, section 1.
        """
        means = cls._coordinates("expectation", coordinates)
        room = np.sum(np.exp(means), axis=-1)
        cls._require("the sum of exp(expectation)", room < 1.0, "less than 1", room)
        return cls._from_concentration(_solve_means(means))

    # -- densities -----------------------------------------------------------------------------------------

    def log_partition(self) -> np.ndarray:
        """Return A = Σ log Γ(aᵢ) − log Γ(Σa) in nats, of shape `shape`."""
        return np.sum(special.gammaln(self.concentrations), axis=-1) - special.gammaln(self._total())

    def sufficient_statistics(self, x: ArrayLike) -> np.ndarray:
        """Return log xᵢ, shape (..., K); nan outside the support."""
        shares, inside = self._shares(x)
        with np.errstate(divide="ignore"):
            return np.where(inside[..., None], np.log(shares), np.nan)

    def log_base_measure(self, x: ArrayLike) -> np.ndarray:
        """Return −Σ log xᵢ in nats; −inf outside the support."""
        shares, inside = self._shares(x)
        with np.errstate(divide="ignore"):
            return np.where(inside, -np.sum(np.log(shares), axis=-1), -np.inf)[()]

    def _expected_log_base_measure(self) -> np.ndarray:
        return -np.sum(self.expectation, axis=-1)

    def log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return the log-density at x in nats; x broadcasts with `shape`, and outside the support it is −inf.

        Where some xᵢ are 0 it is the limit from inside, nan where that depends on the way. With Stirling's
        formula for Γ the large terms cancel on paper and not in the numbers.
        """
        shares, inside = self._shares(x)
        a, total = self.concentrations, self._total()
        interior = np.all(~(shares <= 0.0), axis=-1)
        positive = np.where(interior[..., None], shares, 1.0)
        # Σaᵢ = Σ total·xᵢ, so that the linear terms of the sum cancel
        exponent = np.sum(generalised_kl(a, total[..., None] * positive) + np.log(positive), axis=-1)
        value = log_gamma_excess(total) - np.sum(log_gamma_excess(a), axis=-1) - exponent
        with np.errstate(invalid="ignore"):
            edge = np.sum(special.xlogy(a - 1.0, shares), axis=-1)
        value = np.where(interior, value, edge - self.log_partition())
        return np.where(inside, value, -np.inf)[()]

    def entropy(self) -> np.ndarray:
        """Return A − Σ (aᵢ − 1)·E[log xᵢ] in nats, of shape `shape`.

        Evaluated with Stirling's formula, in which the terms of size a·log a cancel on paper.
        """
        a, total = self.concentrations, self._total()
        parts = np.log(a / total[..., None]) + log_gamma_excess(a) - (a - 1.0) * digamma_excess(a)
        whole = log_gamma_excess(total) - (total - a.shape[-1]) * digamma_excess(total)
        return np.sum(parts, axis=-1) - whole

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) in nats, of the broadcast shape, with its digits for near points too.

        With the means pᵢ = aᵢ/Σa of the two it is Σa_q·KL(p_q‖p) + Σ B_g(a_qᵢ, aᵢ) − B_g(Σa_q, Σa), where
        B_g is the Bregman divergence of g(a) = log Γ(a) − a·log a + a, an integral over g″ where the two are
        near. The KL divergence of the means is one of categorical distributions, a sum of non-negative terms.

        Raises
        ------
        TypeError
            If q is of another family.
        ValueError
            If q has another number of concentrations.
        """
        self.require_same_family(f"{self.family_name()}.kl", q)
        a, other = self.concentrations, q.concentrations
        total, other_total = self._total()[..., None], q._total()[..., None]
        step = other - a
        # the difference of the sums, which the sums themselves have rounded
        total_step = np.sum(step, axis=-1, keepdims=True)
        gap = (a / other_total) * (total_step / total) - step / other_total
        gap = np.where(other_total > 0.5 * total, gap, a / total - other / other_total)
        means = generalised_kl(other / other_total, a / total, difference=gap)
        parts = np.sum(other_total * means + excess_divergence(a, other, step), axis=-1)
        value = parts - excess_divergence(total, other_total, total_step)[..., 0]
        # rounding may push a vanishing divergence below zero
        return np.maximum(value, 0.0)

    # -- derivatives of A ----------------------------------------------------------------------------------

    def _fisher_natural(self) -> np.ndarray:
        a = self.concentrations
        return trigamma(a)[..., None] * np.eye(a.shape[-1]) - trigamma(self._total())[..., None, None]

    def _fisher_source(self) -> np.ndarray:
        return self._fisher_natural()

    def _fisher_expectation(self) -> np.ndarray:
        """Return the inverse of a diagonal matrix less a constant, by the formula of Sherman and Morrison.

        1/ψ′(a) = a − d(a) with d = a·c/(a + c), c = a²·ψ′ − a. Large concentrations cancel from the
        denominator on paper if it is written in d.
        """
        a, total = self.concentrations, self._total()
        weights = 1.0 / trigamma(a)
        direct = 1.0 / trigamma(total) - np.sum(weights, axis=-1)
        deficit = np.sum(_deficit(a), axis=-1) - _deficit(total)
        denominator = np.where(total > 1.0, deficit, direct)[..., None, None]
        own = weights[..., None] * np.eye(a.shape[-1])
        return own + weights[..., :, None] * weights[..., None, :] / denominator

    def _source_to_natural(self) -> np.ndarray:
        k = self.concentrations.shape[-1]
        return np.broadcast_to(np.eye(k), (*self.shape, k, k))

    def third_cumulant(self) -> np.ndarray:
        """Return ∂³A, shape (..., K, K, K): ψ″(aᵢ) where all indices are i, less ψ″(Σa) everywhere."""
        a = self.concentrations
        k = np.arange(a.shape[-1])
        result = np.zeros((*a.shape, k.size, k.size))
        result[..., k, k, k] = tetragamma(a)
        return result - tetragamma(self._total())[..., None, None, None]


def _deficit(a: np.ndarray) -> np.ndarray:
    """Return a − 1/ψ′(a), which rises from 0 to ½."""
    curvature = excess_curvature(a)
    return a * (curvature / (a + curvature))


def _solve_means(means: np.ndarray) -> np.ndarray:
    """Return the concentrations a with ψ(aᵢ) − ψ(Σa) = mᵢ, where Σ exp(mᵢ) < 1.

    For a given total s the aᵢ are ψ⁻¹(mᵢ + ψ(s)), and Σaᵢ/s − 1 rises with 1/s from Σ exp(mᵢ) − 1 to K − 1.
    In 1/s it is nearly straight for large concentrations and concave for small ones, so that Newton's method
    for 1/s does not overshoot; bisection helps where rounding takes it out of the bracket.
    """
    inverse = _start(means)
    low, high = np.zeros(inverse.shape), np.full(inverse.shape, np.inf)
    step = np.full(inverse.shape, np.inf)
    for _ in range(_STEPS):
        total = 1.0 / inverse
        a = digamma_inverse(means + special.psi(total)[..., None])
        value = np.sum(a, axis=-1) / total - 1.0
        weights = excess_curvature(total) / total * np.sum(1.0 / trigamma(a), axis=-1)
        slope = np.sum(_deficit(a), axis=-1) - weights
        # Newton's method has squared the error that the step before has left
        settled = (np.abs(value) <= 4e-16) | (np.abs(step) < 1e-9 * inverse)
        if np.all(settled):
            break
        low, high = np.where(value < 0.0, inverse, low), np.where(value < 0.0, high, inverse)
        trial = inverse - value / slope
        middle = np.where(high < np.inf, 0.5 * (low + high), 2.0 * low)
        before = step
        step = np.where((trial > low) & (trial < high), trial, middle) - inverse
        # steps that no longer shrink follow the rounding of the value
        noise = (np.abs(value) < 1e-14) & (np.abs(step) > 0.5 * np.abs(before))
        step = np.where(settled | noise, 0.0, step)
        inverse = inverse + step
    if not np.all(settled & (slope * inverse > 1e-13)):
        raise ArithmeticError("from_expectation: rounding leaves no digits of the concentrations")
    return a


def _start(means: np.ndarray) -> np.ndarray:
    """Return a first 1/Σa, close to the last or below it.

    Large concentrations have Σ exp(mᵢ) ≈ 1 − (K − 1)/(2·Σa − 1). Small ones have aᵢ ≈ 1/(1/Σa − mᵢ), which
    two and which equal ones solve in closed form.
    """
    others = means.shape[-1] - 1
    log_sum = special.logsumexp(means, axis=-1)
    large = 1.0 / (0.5 - 0.5 * others / np.expm1(log_sum))
    most = np.sort(means, axis=-1)[..., -2:]
    small = np.sqrt(-most[..., 0]) * np.sqrt(-most[..., 1]) / others
    return np.where(log_sum < np.log(0.5), small, large)
