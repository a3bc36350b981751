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

    value: float  # E_q[log p(x, z)] in nats; for a grid of q an array, shape (...)
    gradient: np.ndarray  # E_q[∇ log p(x, z)], shape (..., d)
    hessian: np.ndarray  # E_q[∇² log p(x, z)], shape (..., d, d), or its diagonal, shape (..., d)


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

        mean has shape (..., d), root (..., d, d). A root of mean's own shape holds the standard deviations of
        independent entries. What cannot be represented is not finite.
        """

    def expected_derivatives(
        self, mean: np.ndarray, root: np.ndarray, digits: int = DIGITS
    ) -> ExpectedDerivatives:
        """Return the means of the log joint and its derivatives under q = N(mean, root·rootᵀ).

        As `expected_log_joint`, and with a root of mean's own shape only the diagonal of the Hessian is
        returned. Errors are below 10^−digits of the size of what is summed; fewer digits are cheaper.
        """


def require_model(where: str, model: object) -> None:
    """Raise a TypeError unless the model has means under Gaussians."""
    if isinstance(model, type) or not callable(getattr(model, "expected_log_joint", None)):
        raise TypeError(
            f"{where}: model must be a model, such as an igviz.LogisticRegression or an "
            f"igviz.OneDimensionalModel, got {model!r}"
        )
