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
    """Numbers y ~ N(xᵀθ, 1/noise_precision) with θ ~ N(0, Id/prior_precision).

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

        From the rows √noise_precision·X above √prior_precision·Id: X is never squared, which would cost half
        of the digits.
        """
        root_noise, root_prior = np.sqrt(self.noise_precision), np.sqrt(self.prior_precision)
        with np.errstate(over="ignore"):
            rows = np.vstack([root_noise * self.X, root_prior * np.eye(self.dimension)])
            right = np.concatenate([root_noise * self.y, np.zeros(self.dimension)])
        if not (np.all(np.isfinite(rows)) and np.all(np.isfinite(right))):
            raise OverflowError(
                "LinearRegression: √noise_precision·X and √noise_precision·y must be finite numbers, got "
                f"noise_precision {self.noise_precision:.3g} with entries up to "
                f"{np.max(np.abs(self.X)):.3g} in X and {np.max(np.abs(self.y)):.3g} in y"
            )
        q, r = np.linalg.qr(rows)
        return r, solve_triangular(r, q.T @ right)

    @cached_property
    def posterior(self) -> MultivariateNormal:
        """The exact posterior N(mean, cov) with cov⁻¹ = prior_precision·Id + noise_precision·XᵀX.

        Raises
        ------
        ValueError
            If directions are known so unequally well that no covariance matrix of floats can hold them.
        """
        r, mean = self._triangular
        inverse = solve_triangular(r, np.eye(self.dimension))
        try:
            return MultivariateNormal(mean, inverse @ inverse.T)
        except ValueError as error:
            raise ValueError(
                "LinearRegression: X must have columns of more equal size, or less collinear ones, for its "
                f"posterior ({error}); a larger prior_precision helps too"
            ) from None

    def log_evidence(self) -> float:
        """Return log p(y | X) in nats: the log joint at the posterior mean, and Laplace's exact volume.

        Raises
        ------
        OverflowError
            If it is no finite floating-point number.
        """
        r, mean = self._triangular
        volume = 0.5 * self.dimension * _LOG_TWO_PI - float(np.sum(np.log(np.abs(np.diagonal(r)))))
        value = float(self.log_joint(mean)) + volume
        if not np.isfinite(value):
            raise OverflowError(
                f"LinearRegression: the log evidence must be a finite number, got {value}: X or y is too "
                "large for its square"
            )
        return value

    def _expected_rows(self, mean: np.ndarray, std: np.ndarray, digits: int) -> Rows:  # noqa: ARG002
        beta, residual = self.noise_precision, self.y - mean
        value = 0.5 * (np.log(beta) - _LOG_TWO_PI) - 0.5 * beta * (residual**2 + std**2)
        return value, beta * residual, np.full_like(residual, -beta)
