"""Bayesian linear regression, the model in which everything is known exactly."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular

from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.models.regression import Regression, Rows

_LOG_TWO_PI = np.log(2.0 * np.pi)


class LinearRegression(Regression):
    """Numbers y ~ N(xᵀθ, 1/noise_precision) with θ ~ N(0, I/prior_precision).

    Parameters
    ----------
    X : array_like
        Shape (n, d). No column is added and none is scaled. Columns may be collinear, and n may be below d.
    y : array_like
        Shape (n,).
    noise_precision, prior_precision : float
        One over the variance of the noise and of each coefficient's prior.

    Raises
    ------
    ValueError
        If an argument is not finite, a precision not positive, or shapes do not fit.

    References
    ----------
    Murphy, K. P. (2023). Probabilistic Machine Learning: Advanced Topics, chapter 15 (linear regression).
    """

    def __init__(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        noise_precision: float = 1.0,
        prior_precision: float = 1.0,
    ) -> None:
        super().__init__(X, y, prior_precision)
        self.noise_precision = self._positive("noise_precision", noise_precision)

    @cached_property
    def _triangular(self) -> tuple[np.ndarray, np.ndarray]:
        """R with RᵀR = the posterior precision, and the posterior mean.

        From the rows √noise_precision·X above √prior_precision·I: X is never squared, which would cost half
        of the digits.
        """
        root_noise, root_prior = np.sqrt(self.noise_precision), np.sqrt(self.prior_precision)
        rows = np.vstack([root_noise * self.X, root_prior * np.eye(self.dimension)])
        q, r = np.linalg.qr(rows)
        right = q.T @ np.concatenate([root_noise * self.y, np.zeros(self.dimension)])
        return r, solve_triangular(r, right)

    @cached_property
    def posterior(self) -> MultivariateNormal:
        """The exact posterior N(mean, cov) with cov⁻¹ = prior_precision·I + noise_precision·XᵀX."""
        r, mean = self._triangular
        inverse = solve_triangular(r, np.eye(self.dimension))
        return MultivariateNormal(mean, inverse @ inverse.T)

    def log_evidence(self) -> float:
        """Return log p(y | X) in nats: the log joint at the posterior mean, and Laplace's exact volume."""
        r, mean = self._triangular
        volume = 0.5 * self.dimension * _LOG_TWO_PI - float(np.sum(np.log(np.abs(np.diagonal(r)))))
        return float(self.log_joint(mean)) + volume

    def _expected_rows(self, mean: np.ndarray, std: np.ndarray, digits: int) -> Rows:  # noqa: ARG002
        beta, residual = self.noise_precision, self.y - mean
        value = 0.5 * (np.log(beta) - _LOG_TWO_PI) - 0.5 * beta * (residual**2 + std**2)
        return value, beta * residual, np.full_like(residual, -beta)
