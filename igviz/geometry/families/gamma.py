"""The Gamma distribution of a positive number, by shape parameter and rate."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from igviz.geometry.families.distribution import Parameter
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.families.gamma_chart import GammaChart
from igviz.geometry.gamma_functions import (
    digamma_excess,
    digamma_excess_inverse,
    excess_curvature,
    excess_divergence,
    log_gamma_excess,
    tetragamma,
    trigamma,
)
from igviz.geometry.numerics import as_numbers, generalised_kl, log_deficit, log_ratio, matrix


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Gamma(ExponentialFamily):
    """Gamma distributions on x > 0, with density ∝ x^(shape_parameter − 1)·exp(−rate·x).

    The first parameter is what textbooks call the shape. Its field has the longer name because `shape` is, as
    for every family and for NumPy's arrays, the shape of the grid of distributions.

    Charts: source (shape_parameter, rate); natural (shape_parameter, −rate); expectation
    (ψ(shape_parameter) − log rate, shape_parameter/rate), which are the means of the sufficient statistics
    (log x, x). The base measure is 1/x, which no change of the unit of x changes. With mean m =
    shape_parameter/rate and a = shape_parameter the Fisher metric is a·dm²/m² + (ψ′(a) − 1/a)·da².

    Parameters
    ----------
    shape_parameter, rate : array_like
        Positive; they broadcast to a grid of distributions.

    Raises
    ------
    ValueError
        If a parameter is not a positive finite number, or the shapes do not broadcast.

    References
    ----------
    Nielsen, F. (2020). An elementary introduction to information geometry.
    Minka, T. (2002). Estimating a Gamma distribution.
    """

    shape_parameter: Parameter
    rate: Parameter

    fisher_rao_chart: ClassVar = GammaChart()

    def _check(self) -> None:
        self._require("shape_parameter", self.shape_parameter > 0.0, "positive", self.shape_parameter)
        self._require("rate", self.rate > 0.0, "positive", self.rate)

    # -- charts --------------------------------------------------------------------------------------------

    @property
    def source(self) -> np.ndarray:
        """(shape_parameter, rate), shape (..., 2)."""
        return np.stack([self.shape_parameter, self.rate], axis=-1)

    @property
    def natural(self) -> np.ndarray:
        """(shape_parameter, −rate), shape (..., 2)."""
        return np.stack([self.shape_parameter, -self.rate], axis=-1)

    @property
    def expectation(self) -> np.ndarray:
        """(E[log x], E[x]) = (ψ(shape_parameter) − log rate, shape_parameter/rate), shape (..., 2)."""
        logarithm = log_ratio(self.shape_parameter, self.rate) + digamma_excess(self.shape_parameter)
        return np.stack([logarithm, self.shape_parameter / self.rate], axis=-1)

    @classmethod
    def from_source(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with coordinates (shape_parameter, rate), shape (..., 2)."""
        return cls(*cls._split("source", coordinates, 2))

    @classmethod
    def from_natural(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with natural coordinates (η₁, η₂), shape (..., 2), with η₁ > 0 > η₂."""
        first, second = cls._split("natural", coordinates, 2)
        cls._require("the first natural coordinate", first > 0.0, "positive", first)
        cls._require("the second natural coordinate", second < 0.0, "negative", second)
        return cls(first, -second)

    @classmethod
    def from_expectation(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with means (m₁, m₂) of (log x, x), shape (..., 2).

        The shape parameter a solves log a − ψ(a) = log m₂ − m₁ by Newton's method, safeguarded by a bracket.
        As log m₂ − m₁ ≈ 1/(2a) for large a, the rounding of m₁ leaves a relative error of about
        a·(1 + |m₁|)·1e-15.

        Raises
        ------
        ValueError
            If m₂ is not positive, or m₁ not less than log m₂, as Jensen's inequality demands.
        """
        first, second = cls._split("expectation", coordinates, 2)
        cls._require("the mean of x", second > 0.0, "positive", second)
        gap = np.log(second) - first
        cls._require("the log of the mean minus the mean of the log", gap > 0.0, "positive", gap)
        with np.errstate(over="ignore"):  # the constructor refuses what overflows
            shape_parameter = digamma_excess_inverse(gap)
            return cls(shape_parameter, shape_parameter / second)

    # -- densities -----------------------------------------------------------------------------------------

    def log_partition(self) -> np.ndarray:
        """Return A = log Γ(shape_parameter) − shape_parameter·log rate in nats, of shape `shape`."""
        return special.gammaln(self.shape_parameter) - self.shape_parameter * np.log(self.rate)

    def sufficient_statistics(self, x: ArrayLike) -> np.ndarray:
        """Return (log x, x), shape (..., 2); log x is nan for x < 0."""
        x = as_numbers("Gamma", "x", x)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.stack([np.log(x), x], axis=-1)

    def log_base_measure(self, x: ArrayLike) -> np.ndarray:
        """Return −log x in nats; −inf for x < 0."""
        x = as_numbers("Gamma", "x", x)
        with np.errstate(divide="ignore"):
            return np.where(x < 0.0, -np.inf, -np.log(np.abs(x)))[()]

    def _expected_log_base_measure(self) -> np.ndarray:
        return -self.expectation[..., 0]

    def log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return the log-density at x in nats; x broadcasts with `shape`, and x < 0 has −inf.

        At x = 0 it is the limit from above: inf, log rate or −inf for shape parameters below, at and above 1.
        With Stirling's formula for Γ the large terms cancel on paper and not in the numbers.
        """
        x = as_numbers("Gamma", "x", x)
        a, inside = self.shape_parameter, (x > 0.0) & (x < np.inf)
        positive = np.where(inside, x, 1.0)
        value = -generalised_kl(a, self.rate * positive) - log_gamma_excess(a) - np.log(positive)
        outside = np.where(np.isnan(x), np.nan, -np.inf)
        edge = np.where(x == 0.0, special.xlogy(a - 1.0, 0.0) + np.log(self.rate), outside)
        return np.where(inside, value, edge)[()]

    def _draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.standard_gamma(self.shape_parameter, size) / self.rate

    def entropy(self) -> np.ndarray:
        """Return a − log rate + log Γ(a) + (1 − a)·ψ(a) in nats, of shape `shape`, a the shape parameter.

        Evaluated with Stirling's formula, in which terms of size a·log a cancel on paper.
        """
        a = self.shape_parameter
        return log_ratio(a, self.rate) + log_gamma_excess(a) + (1.0 - a) * digamma_excess(a)

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) in nats, of the broadcast shape, with its digits for near points too.

        With means m = a/rate of the two it is a_q·(m/m_q − 1 − log(m/m_q)) + B_g(a_q, a), a sum of two
        non-negative terms. B_g is the Bregman divergence of g(a) = log Γ(a) − a·log a + a, an integral over
        g″ where a and a_q are near.

        Raises
        ------
        TypeError
            If q is not a Gamma.
        """
        self.require_same_family("Gamma.kl", q)
        a, other = self.shape_parameter, q.shape_parameter
        with np.errstate(over="ignore", invalid="ignore"):
            # m/m_q − 1, for near points from the differences of the parameters, which are exact
            growth = (other - a) / other
            excess = (a / other) * ((q.rate - self.rate) / self.rate) - growth
            excess = np.where(np.abs(growth) < 0.5, excess, (a / other) * (q.rate / self.rate) - 1.0)
            logarithm = log_ratio(a, other) + log_ratio(q.rate, self.rate)
            near = np.abs(excess) < 0.3
            means = np.where(near, log_deficit(np.where(near, excess, 0.0)), excess - logarithm)
        return other * means + excess_divergence(a, other, other - a)

    # -- derivatives of A ----------------------------------------------------------------------------------

    def _fisher_natural(self) -> np.ndarray:
        a, mean = self.shape_parameter, 1.0 / self.rate
        return matrix([[trigamma(a), mean], [mean, a * mean**2]])

    def _fisher_source(self) -> np.ndarray:
        a, mean = self.shape_parameter, 1.0 / self.rate
        return matrix([[trigamma(a), -mean], [-mean, a * mean**2]])

    def _fisher_expectation(self) -> np.ndarray:
        # the determinant (a·ψ′(a) − 1)/rate² of the natural matrix would cancel for large a
        a, rate = self.shape_parameter, self.rate
        scale = a / excess_curvature(a)
        return matrix([[scale * a, -scale * rate], [-scale * rate, scale * trigamma(a) * rate**2]])

    def _source_to_natural(self) -> np.ndarray:
        return np.broadcast_to(np.diag([1.0, -1.0]), (*self.shape, 2, 2))

    def third_cumulant(self) -> np.ndarray:
        """Return ∂³A, shape (..., 2, 2, 2).

        ψ″(shape_parameter), 0, 1/rate² and 2·shape_parameter/rate³ where 0, 1, 2 and 3 of the indices are 1.
        """
        a, mean = self.shape_parameter, 1.0 / self.rate
        result = np.zeros((*self.shape, 2, 2, 2))
        result[..., 0, 0, 0] = tetragamma(a)
        result[..., 0, 1, 1] = result[..., 1, 0, 1] = result[..., 1, 1, 0] = mean**2
        result[..., 1, 1, 1] = 2.0 * a * mean**3
        return result
