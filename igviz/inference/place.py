"""A Gaussian on its way uphill, with what the model says there."""

from __future__ import annotations

import dataclasses
from functools import cached_property

import numpy as np
from scipy.linalg import lapack

from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.geometry.families.normal import Normal
from igviz.inference.gaussians import Gaussian
from igviz.inference.protocol import Model

_HALF_LOG_TWO_PI_E = 0.5 * (np.log(2.0 * np.pi) + 1.0)


@dataclasses.dataclass(frozen=True)
class Place:
    """N(mean, precision⁻¹), its ELBO, and the means of the log joint's derivatives.

    With a full covariance, precision is Λ, shape (d, d), and root a triangular matrix with root·rootᵀ = Λ⁻¹.
    With a diagonal one both, and the Hessian, are vectors of shape (d,).
    """

    mean: np.ndarray
    precision: np.ndarray
    root: np.ndarray
    elbo: float  # nats; −inf where it is no finite number
    gradient: np.ndarray  # E[∇ log joint], shape (d,)
    hessian: np.ndarray  # E[∇² log joint]

    @property
    def diagonal(self) -> bool:
        """Whether the covariance is diagonal."""
        return self.root.ndim == 1

    @cached_property
    def pull(self) -> np.ndarray:
        """Λ⁻½-coordinates of −E[∇²] − Λ, the change of the precision at step 1, as seen by q itself."""
        if self.diagonal:
            return -self.hessian * self.root**2 - 1.0
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite length says so
            seen = self.root.T @ self.hessian @ self.root
        return -0.5 * (seen + seen.T) - np.eye(self.mean.size)

    def squared_length(self) -> float:
        """Return ∇Lᵀ·I⁻¹·∇L, the squared Fisher length of the natural gradient of the ELBO L.

        It is gᵀΛ⁻¹g + ½·tr((Λ⁻¹(−H − Λ))²) with g, H the means of gradient and Hessian, and half of it is the
        rise to the top if the ELBO were −½ times the squared Fisher length around it.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            seen = self.root * self.gradient if self.diagonal else self.root.T @ self.gradient
            return float(seen @ seen + 0.5 * np.sum(self.pull**2))

    def gaussian(self, like: Gaussian) -> Gaussian:
        """Return the Gaussian, as a Normal if the other one is."""
        if isinstance(like, Normal):
            return Normal(self.mean[0], np.abs(self.root.ravel()[0]))
        cov = np.diag(self.root**2) if self.diagonal else self.root @ self.root.T
        return MultivariateNormal(self.mean, cov)


def root_of_inverse(precision: np.ndarray) -> np.ndarray | None:
    """Return root with root·rootᵀ = precision⁻¹, or None if the precision is not positive definite."""
    if precision.ndim == 1:
        return (
            1.0 / np.sqrt(precision) if np.all(precision > 0.0) and np.all(np.isfinite(precision)) else None
        )
    if not np.all(np.isfinite(precision)):
        return None
    factor, failed = lapack.dpotrf(precision, lower=1, clean=1)
    if failed:
        return None
    inverse, failed = lapack.dtrtri(factor, lower=1)
    return None if failed or not np.all(np.isfinite(inverse)) else inverse.T


def place(model: Model, mean: np.ndarray, precision: np.ndarray, root: np.ndarray) -> Place:
    """Ask the model at N(mean, root·rootᵀ)."""
    with np.errstate(over="ignore", invalid="ignore"):  # an ELBO of −inf says so
        value, gradient, hessian = model.expected_derivatives(mean, root)
    pivots = root if root.ndim == 1 else np.diagonal(root)
    elbo = float(value) + float(np.sum(np.log(np.abs(pivots)))) + mean.size * float(_HALF_LOG_TWO_PI_E)
    known = np.isfinite(elbo) and np.all(np.isfinite(gradient)) and np.all(np.isfinite(hessian))
    return Place(mean, precision, root, elbo if known else -np.inf, gradient, hessian)
