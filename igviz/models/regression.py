"""What linear, logistic and Poisson regression share: rows of data, a Gaussian prior, one number f a row."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.geometry.numerics import as_numbers
from igviz.inference.protocol import DIGITS, ExpectedDerivatives

_ROWS = 2_048  # at a time: they and their weighted copy stay in the processor's cache
_ENTRIES = 1 << 20  # of (grid of q) × rows at a time
_LOG_TWO_PI = np.log(2.0 * np.pi)

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


class Regression(ABC):
    """A log joint log p(y | Xθ) + log N(θ; 0, I/prior_precision), a sum over rows of a function of f = xᵀθ.

    A subclass says what one row contributes, and its mean under a normal f: the whole mean under a Gaussian q
    is then a sum of means over one dimension (Challis and Barber 2013, section 2). No column is added to X
    and none is scaled.
    """

    def __init__(self, X: ArrayLike, y: ArrayLike, prior_precision: float) -> None:  # noqa: N803
        self.X = _matrix(self._who(), X)
        self.y = as_numbers(self._who(), "y", y)
        if self.y.shape != self.X.shape[:1]:
            raise ValueError(
                f"{self._who()}: y must hold one number for each of the {len(self.X)} rows of X, "
                f"got shape {self.y.shape}"
            )
        self._require_finite("y", self.y)
        self.prior_precision = self._positive("prior_precision", prior_precision)

    # -- what a subclass says ------------------------------------------------------------------------------

    @abstractmethod
    def _rows(self, f: np.ndarray) -> Rows:
        """Return each row's log-likelihood at f, shape (..., n), and its first two derivatives by f."""

    @abstractmethod
    def _expected_rows(self, mean: np.ndarray, std: np.ndarray, rows: slice, digits: int) -> Rows:
        """Return the means of `_rows` under normal f, for some of the rows."""

    # -- the model -----------------------------------------------------------------------------------------

    @property
    def dimension(self) -> int:
        """The number d of columns of X."""
        return self.X.shape[1]

    @property
    def prior(self) -> MultivariateNormal:
        """The prior N(0, I/prior_precision)."""
        d = self.dimension
        return MultivariateNormal(np.zeros(d), np.eye(d) / self.prior_precision)

    def log_joint(self, latent: ArrayLike) -> np.ndarray:
        """Return log p(y, θ | X) in nats with every constant, shape (...), of θ, shape (..., d)."""
        theta = self._latent(latent)
        prior = -0.5 * self.prior_precision * np.sum(theta**2, axis=-1) + self._log_prior_normaliser()
        return (np.sum(self._rows(theta @ self.X.T)[0], axis=-1) + prior)[()]

    def log_joint_gradient(self, latent: ArrayLike) -> np.ndarray:
        """Return the gradient of the log joint, shape (..., d), at θ, shape (..., d)."""
        theta = self._latent(latent)
        return self._rows(theta @ self.X.T)[1] @ self.X - self.prior_precision * theta

    def log_joint_hessian(self, latent: ArrayLike) -> np.ndarray:
        """Return the Hessian of the log joint, shape (..., d, d), at θ, shape (..., d)."""
        theta = self._latent(latent)
        curvature = self._rows(theta @ self.X.T)[2]
        weighted = np.einsum("...n,ni,nj->...ij", curvature, self.X, self.X, optimize=True)
        return weighted - self.prior_precision * np.eye(self.dimension)

    def expected_log_joint(self, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Return E_q[log p(y, θ | X)] in nats, shape (...), of q = N(mean, root·rootᵀ), to rounding."""
        grid, d = mean.shape[:-1], self.dimension
        means, roots = mean.reshape(-1, d), root.reshape(-1, d, d)
        found = np.empty(len(means))
        at_once = max(1, _ENTRIES // (len(self.X) * d))
        for start in range(0, len(means), at_once):
            some = slice(start, start + at_once)
            f, std = means[some] @ self.X.T, np.linalg.norm(self.X @ roots[some], axis=-1)
            value, _first, _second = self._expected_rows(f, std, slice(None), DIGITS)
            found[some] = np.sum(value, axis=-1)
        return found.reshape(grid) + self._expected_log_prior(mean, root)

    def expected_derivatives(
        self, mean: np.ndarray, root: np.ndarray, digits: int = DIGITS
    ) -> ExpectedDerivatives:
        """Return the means of the log joint and its derivatives, see `igviz.inference.protocol.Model`."""
        diagonal = root.ndim == 1
        value, gradient = 0.0, np.zeros(mean.size)
        hessian = np.zeros(root.shape if diagonal else (mean.size, mean.size))
        for start in range(0, len(self.X), _ROWS):
            rows = slice(start, start + _ROWS)
            x = self.X[rows]
            spread = x * root if diagonal else x @ root
            std = np.sqrt(np.einsum("ij,ij->i", spread, spread))
            means, first, second = self._expected_rows(x @ mean, std, rows, digits)
            value += float(np.sum(means))
            gradient += first @ x
            if diagonal:
                hessian += second @ x**2
            else:
                scaled = np.sqrt(-second)[:, None] * x  # a log-concave likelihood: second ≤ 0
                hessian -= scaled.T @ scaled  # BLAS forms only half of it
        alpha = self.prior_precision
        value += float(self._expected_log_prior(mean, root))
        hessian -= alpha if diagonal else alpha * np.eye(mean.size)
        return ExpectedDerivatives(value, gradient - alpha * mean, hessian)

    # -- parts ---------------------------------------------------------------------------------------------

    def _log_prior_normaliser(self) -> float:
        return 0.5 * self.dimension * float(np.log(self.prior_precision) - _LOG_TWO_PI)

    def _expected_log_prior(self, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
        axes = tuple(range(mean.ndim - 1, root.ndim))
        squares = np.sum(mean**2, axis=-1) + np.sum(root**2, axis=axes)
        return self._log_prior_normaliser() - 0.5 * self.prior_precision * squares

    def _latent(self, latent: ArrayLike) -> np.ndarray:
        theta = as_numbers(self._who(), "latent", latent)
        if theta.ndim == 0 or theta.shape[-1] != self.dimension:
            raise ValueError(
                f"{self._who()}: latent must have shape (..., {self.dimension}), one number for each column "
                f"of X, got shape {theta.shape}"
            )
        return theta

    @classmethod
    def _who(cls) -> str:
        return cls.__name__

    @classmethod
    def _positive(cls, name: str, value: ArrayLike) -> float:
        number = as_numbers(cls._who(), name, value)
        if number.ndim or not np.isfinite(number) or number <= 0.0:
            raise ValueError(f"{cls._who()}: {name} must be one positive finite number, got {value!r}")
        return float(number)

    @classmethod
    def _require_finite(cls, name: str, array: np.ndarray) -> None:
        if not np.all(np.isfinite(array)):
            index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(
                f"{cls._who()}: {name} must be finite, got {float(array[index])!r} at index {index}"
            )


def _matrix(who: str, X: ArrayLike) -> np.ndarray:  # noqa: N803
    array = as_numbers(who, "X", X)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{who}: X must have shape (rows, columns), at least one of each, got {array.shape}")
    if not np.all(np.isfinite(array)):
        row, column = (int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(
            f"{who}: X must be finite, got {float(array[row, column])!r} in row {row}, column {column}"
        )
    return array
