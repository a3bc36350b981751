"""What linear, logistic and Poisson regression share: rows of data, a Gaussian prior, one number f a row."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.geometry.numerics import as_numbers
from igviz.inference.protocol import DIGITS, ExpectedDerivatives

_CACHED = 100_000  # entries of X at a time: they and what becomes of them stay in the processor's cache
_ENTRIES = 1 << 20  # of (grid of q) × rows, or of their matrices, at a time

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


class Regression(ABC):
    """A log joint log p(y | Xθ) + log N(θ; 0, Id/prior_precision), a sum over rows of a function of f = xᵀθ.

    A subclass says what the rows contribute under a normal f: the whole mean under a Gaussian q is then a sum
    of means over one dimension (Challis and Barber 2013, section 2), and the log joint itself is the mean
    under a q without spread. No column is added to X and none is scaled.
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
        self.X.flags.writeable = self.y.flags.writeable = False  # what is derived from them is kept

    @abstractmethod
    def _expected_rows(self, mean: np.ndarray, std: np.ndarray, digits: int) -> Rows:
        """Return the means of each row's log-likelihood and of its two derivatives by f ~ N(mean, std).

        mean and std have shape (..., n), std may be 0. The log-likelihood is concave: the last is ≤ 0.
        """

    # -- the model -----------------------------------------------------------------------------------------

    @property
    def dimension(self) -> int:
        """The number d of columns of X."""
        return self.X.shape[1]

    @property
    def prior(self) -> MultivariateNormal:
        """The prior N(0, Id/prior_precision)."""
        d = self.dimension
        return MultivariateNormal(np.zeros(d), np.eye(d) / self.prior_precision)

    def log_joint(self, latent: ArrayLike) -> np.ndarray:
        """Return log p(y, θ | X) in nats with every constant, shape (...), of θ, shape (..., d)."""
        return self._sums(*self._point(latent), DIGITS, 0)[0][()]

    def log_joint_gradient(self, latent: ArrayLike) -> np.ndarray:
        """Return the gradient of the log joint, shape (..., d), at θ, shape (..., d)."""
        return self._sums(*self._point(latent), DIGITS, 1)[1]

    def log_joint_hessian(self, latent: ArrayLike) -> np.ndarray:
        """Return the Hessian of the log joint, shape (..., d, d), at θ, shape (..., d)."""
        return self._sums(*self._point(latent), DIGITS, 2)[2]

    def expected_log_joint(self, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Return E_q[log p(y, θ | X)] in nats, shape (...), of q = N(mean, root·rootᵀ), to rounding."""
        return self._sums(mean, root, DIGITS, 0)[0]

    def expected_derivatives(
        self, mean: np.ndarray, root: np.ndarray, digits: int = DIGITS
    ) -> ExpectedDerivatives:
        """Return the means of the log joint and its derivatives, see `igviz.inference.protocol.Model`."""
        value, gradient, hessian = self._sums(mean, root, digits, 2)
        return ExpectedDerivatives(value[()], gradient, hessian)

    # -- sums over the rows --------------------------------------------------------------------------------

    def _sums(self, mean: np.ndarray, root: np.ndarray, digits: int, order: int) -> list[Any]:
        """Return the means of the log joint and of its derivatives up to an order.

        mean has shape (..., d); root (..., d, any number of columns) or, for stds of independent entries,
        (..., d), and then only the diagonal of the Hessian is returned.
        """
        grid, count = mean.shape[:-1], math.prod(mean.shape[:-1])
        means, roots = mean.reshape(count, self.dimension), root.reshape(count, *root.shape[len(grid) :])
        at_once = max(1, _ENTRIES // max(len(self.X), self.dimension**2))
        with np.errstate(over="ignore", invalid="ignore"):  # what cannot be represented is ∞ or nan
            blocks = [
                self._block(means[start : start + at_once], roots[start : start + at_once], digits, order)
                for start in range(0, max(count, 1), at_once)
            ]
        parts = blocks[0]
        if len(blocks) > 1:
            parts = [np.concatenate(part) for part in zip(*blocks, strict=True)]
        return [part.reshape(grid + part.shape[1:]) for part in parts]

    def _block(self, means: np.ndarray, roots: np.ndarray, digits: int, order: int) -> list[np.ndarray]:
        """Return the value and the derivatives up to an order for some q, on one axis."""
        alpha, diagonal = self.prior_precision, roots.ndim == 2
        squared_roots = roots**2
        if diagonal:
            variances = squared_roots @ self._squares.T
        else:  # one buffer for X·root and for the weighted X
            columns = max(self.dimension, roots.shape[-1])
            work = np.empty((len(means), self._at_once(len(means)), columns))
            variances = self._projected_variances(roots, work)
        value, first, second = self._expected_rows(means @ self.X.T, np.sqrt(variances), digits)
        squares = (means**2).sum(axis=-1) + squared_roots.sum(axis=(-1) if diagonal else (-2, -1))
        parts = [value.sum(axis=-1) + (self._log_prior_normaliser - 0.5 * alpha * squares)]
        if order > 0:
            parts.append(first @ self.X - alpha * means)
        if order > 1:
            weighted = second @ self._squares if diagonal else self._weighted(second, work)
            parts.append(weighted - (alpha if diagonal else alpha * np.eye(self.dimension)))
        return parts

    def _projected_variances(self, roots: np.ndarray, work: np.ndarray) -> np.ndarray:
        """Return the variances of f = xᵀθ, shape (q, n)."""
        found = np.empty((len(roots), len(self.X)))
        for rows in self._row_blocks(len(roots)):
            x = self.X[rows]
            spread = np.matmul(x, roots, out=work[:, : len(x), : roots.shape[-1]])
            np.vecdot(spread, spread, out=found[:, rows])
        return found

    def _weighted(self, second: np.ndarray, work: np.ndarray) -> np.ndarray:
        """Return Xᵀ·diag(second)·X for second ≤ 0, shape (q, d, d)."""
        scale = np.sqrt(-second)
        found = np.zeros((len(second), self.dimension, self.dimension))
        for rows in self._row_blocks(len(second)):
            x = self.X[rows]
            scaled = np.multiply(scale[:, rows, None], x, out=work[:, : len(x), : self.dimension])
            found -= np.swapaxes(scaled, -1, -2) @ scaled  # BLAS forms only half of it
        return found

    def _row_blocks(self, grid: int) -> Iterator[slice]:
        at_once = self._at_once(grid)
        return (slice(start, start + at_once) for start in range(0, len(self.X), at_once))

    def _at_once(self, grid: int) -> int:
        return min(len(self.X), max(1, _CACHED // (self.dimension * max(1, grid))))

    @cached_property
    def _log_prior_normaliser(self) -> float:
        return 0.5 * self.dimension * (math.log(self.prior_precision) - math.log(2.0 * math.pi))

    @cached_property
    def _squares(self) -> np.ndarray:
        return self.X**2

    def _point(self, latent: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return θ as a mean, and a root without columns."""
        theta = as_numbers(self._who(), "latent", latent)
        if theta.ndim == 0 or theta.shape[-1] != self.dimension:
            raise ValueError(
                f"{self._who()}: latent must have shape (..., {self.dimension}), one number for each column "
                f"of X, got shape {theta.shape}"
            )
        return theta, np.empty((*theta.shape, 0))

    # -- checks --------------------------------------------------------------------------------------------

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
    array = np.asarray(as_numbers(who, "X", X), order="C")
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{who}: X must have shape (rows, columns), at least one of each, got {array.shape}")
    if not np.all(np.isfinite(array)):
        row, column = (int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(
            f"{who}: X must be finite, got {float(array[row, column])!r} in row {row}, column {column}"
        )
    return array
