"""What inference asks of a model: a log joint density and its means under a Gaussian.

Nothing else of a model is known here. A model with d latent numbers hands out log p(x, z) for any z, and, for
q = N(mean, root·rootᵀ), the mean of it with two derivatives.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from igviz.inference.gaussians import Gaussian

DIGITS = 15  # what "exact" means: relative errors near rounding


class ExpectedDerivatives(NamedTuple):
    """Means under q = N(m, Σ) of a log joint and its derivatives.

    By Bonnet's and Price's theorems (Opper and Archambeau 2009, section 2) the gradient is also the
    derivative of the value by m, and the Hessian twice the derivative by Σ, each entry of Σ moving by itself.
    """

    value: float  # E_q[log p(x, z)] in nats
    gradient: np.ndarray  # E_q[∇ log p(x, z)], shape (d,)
    hessian: np.ndarray  # E_q[∇² log p(x, z)], shape (d, d), or its diagonal, shape (d,)


class Model(Protocol):
    """A log joint density over d latent numbers, with its means under Gaussians."""

    @property
    def dimension(self) -> int:
        """The number d of latent numbers."""

    @property
    def prior(self) -> Gaussian:
        """The prior, where walks start."""

    def log_joint(self, latent: ArrayLike) -> np.ndarray:
        """Return log p(x, z) in nats with every constant, shape (...), of z, shape (..., d)."""

    def log_joint_gradient(self, latent: ArrayLike) -> np.ndarray:
        """Return ∇ log p(x, z), shape (..., d), of z, shape (..., d)."""

    def log_joint_hessian(self, latent: ArrayLike) -> np.ndarray:
        """Return ∇² log p(x, z), shape (..., d, d), of z, shape (..., d)."""

    def expected_log_joint(self, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Return E_q[log p(x, z)] in nats, shape (...), for q = N(mean, root·rootᵀ).

        mean has shape (..., d), root (..., d, d). What cannot be represented is −inf or nan.
        """

    def expected_derivatives(
        self, mean: np.ndarray, root: np.ndarray, digits: int = DIGITS
    ) -> ExpectedDerivatives:
        """Return the means of the log joint and its derivatives for one q = N(mean, root·rootᵀ).

        mean has shape (d,). A root of shape (d,) holds the standard deviations of independent entries, and
        only the diagonal of the Hessian is returned then. Fewer digits are cheaper.
        """
