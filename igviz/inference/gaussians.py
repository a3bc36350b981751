"""The Gaussians q of variational inference, as a mean and a root of the covariance."""

from __future__ import annotations

import numpy as np

from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.geometry.families.normal import Normal

Gaussian = Normal | MultivariateNormal


def mean_and_root(where: str, q: Gaussian, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean, shape (..., d), and a root L of the covariance L·Lᵀ, shape (..., d, d), of q.

    A Normal is a Gaussian on vectors of one number.

    Raises
    ------
    TypeError
        If q is no Gaussian.
    ValueError
        If q is on vectors of another length than the model's.
    """
    if isinstance(q, Normal):
        mean, root = q.mean[..., None], q.std[..., None, None]
    elif isinstance(q, MultivariateNormal):
        mean, root = q.mean, q.cholesky_factor
    else:
        raise TypeError(f"{where}: q must be a Normal or a MultivariateNormal, got {type(q).__name__}")
    if mean.shape[-1] != dimension:
        raise ValueError(
            f"{where}: q must be on vectors of {dimension} numbers, as the model's latent vector has, "
            f"got {mean.shape[-1]}"
        )
    grid = q.shape
    return (
        np.broadcast_to(mean, (*grid, dimension)),
        np.broadcast_to(root, (*grid, dimension, dimension)),
    )
