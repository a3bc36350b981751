"""Charts in which a plain step is taken: Gaussians as vectors of numbers, and directions of ascent there.

| geometry                   | coordinates                                   | direction                    |
|----------------------------|-----------------------------------------------|------------------------------|
| "mean and covariance"      | m, lower triangle of Σ                        | gradient by the coordinates  |
| "mean and Cholesky factor" | m, L with L·Lᵀ = Σ; for d = 1 mean and std    | gradient by the coordinates  |
| "natural"                  | Λm, and −½Λᵢᵢ, −Λᵢⱼ of the lower triangle      | natural gradient             |

The natural gradient in natural coordinates is the gradient by the expectation coordinates m and E[zᵢzⱼ].
A coordinate off the diagonal moves two entries of a symmetric matrix, so the derivative by it counts both.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.linalg import lapack

from igviz.inference.gradients import GaussianGradient
from igviz.inference.place import root_of_inverse


class Chart(Protocol):
    """Coordinates of Gaussians N(mean, root·rootᵀ)."""

    def coordinates(self, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Return the coordinates, shape (d + d(d + 1)/2,)."""

    def gaussian(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return mean and a triangular root, or None where the coordinates are those of no Gaussian."""

    def direction(self, mean: np.ndarray, root: np.ndarray, gradient: GaussianGradient) -> np.ndarray:
        """Return the direction of ascent in the coordinates from the gradient by mean and covariance."""


class _MeanAndCovariance:
    def coordinates(self, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
        return _join(mean, root @ root.T)

    def gaussian(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        mean, lower = _split(x)
        root = _cholesky(_symmetric(lower))
        return None if root is None else (mean, root)

    def direction(self, mean: np.ndarray, root: np.ndarray, gradient: GaussianGradient) -> np.ndarray:  # noqa: ARG002
        return _join(gradient.mean, _both(gradient.cov))


class _MeanAndCholeskyFactor:
    def coordinates(self, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
        return _join(mean, root)

    def gaussian(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        mean, lower = _split(x)
        return (mean, lower) if np.all(np.diagonal(lower) > 0.0) and np.all(np.isfinite(x)) else None

    def direction(self, mean: np.ndarray, root: np.ndarray, gradient: GaussianGradient) -> np.ndarray:  # noqa: ARG002
        return _join(gradient.mean, 2.0 * gradient.cov @ root)


class _Natural:
    def coordinates(self, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
        precision = inverse_of_square(root)
        return _join(precision @ mean, -0.5 * _both(precision))

    def gaussian(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        linear, lower = _split(x)
        precision = -_symmetric(lower) * (1.0 + np.eye(linear.size))
        root = root_of_inverse(precision)
        if root is None:
            return None
        lower_root = _cholesky(root @ root.T)  # charts hand each other lower triangles
        return None if lower_root is None else (root @ (root.T @ linear), lower_root)

    def direction(self, mean: np.ndarray, root: np.ndarray, gradient: GaussianGradient) -> np.ndarray:  # noqa: ARG002
        return _join(gradient.mean - 2.0 * gradient.cov @ mean, _both(gradient.cov))


CHARTS: dict[str, Chart] = {
    "mean and covariance": _MeanAndCovariance(),
    "mean and Cholesky factor": _MeanAndCholeskyFactor(),
    "natural": _Natural(),
}


def inverse_of_square(root: np.ndarray) -> np.ndarray:
    """Return (root·rootᵀ)⁻¹ of a lower triangular root, exactly symmetric."""
    inverse, failed = lapack.dtrtri(root, lower=1)
    if failed:
        raise np.linalg.LinAlgError("the root is singular")
    return inverse.T @ inverse


def _cholesky(cov: np.ndarray) -> np.ndarray | None:
    if not np.all(np.isfinite(cov)):
        return None
    factor, failed = lapack.dpotrf(cov, lower=1, clean=1)
    return None if failed else factor


def _join(vector: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.concatenate([vector, matrix[np.tril_indices(vector.size)]])


def _split(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the vector and the lower triangular matrix that were joined."""
    d = int(np.sqrt(2 * x.size + 2.25) - 1.5 + 0.5)
    lower = np.zeros((d, d))
    lower[np.tril_indices(d)] = x[d:]
    return x[:d], lower


def _symmetric(lower: np.ndarray) -> np.ndarray:
    return lower + lower.T - np.diag(np.diagonal(lower))


def _both(matrix: np.ndarray) -> np.ndarray:
    """Return a symmetric matrix with both entries of each pair counted in either."""
    return matrix * (2.0 - np.eye(len(matrix)))
