"""Mean field for a Gaussian target, in closed form."""

from __future__ import annotations

import numpy as np

from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.geometry.numerics import forward_substitution


def mean_field(target: MultivariateNormal) -> MultivariateNormal:
    """Return the normals q with independent entries of least KL(q‖target): the means, and variances 1/Λᵢᵢ.

    Λ is the target's precision. The variances are those of each entry when all others are known, too small
    unless the entries are independent: 1 − ρ² for two entries of unit variance and correlation ρ, where
    moment matching, least KL(target‖q), gives 1. The divergence left is
    KL(q‖target) = ½·(Σ log Λᵢᵢ + log det Σ), for two entries −½·log(1 − ρ²), and that of moment matching is
    as large then.

    Parameters
    ----------
    target : MultivariateNormal
        One distribution or a grid.

    Returns
    -------
    MultivariateNormal
        Of the same grid, with diagonal covariances.

    Raises
    ------
    TypeError
        If target is no MultivariateNormal.

    See Also
    --------
    igviz.e_projection : the same as a search, onto any flat submanifold.
    igviz.m_projection : moment matching.

    References
    ----------
    Blei, D. M., Kucukelbir, A. and McAuliffe, J. D. (2017). Variational inference: a review for
    statisticians, section 2.3.
    Bishop, C. M. (2006). Pattern Recognition and Machine Learning, section 10.1.2.
    """
    if not isinstance(target, MultivariateNormal):
        raise TypeError(f"mean_field: target must be a MultivariateNormal, got {type(target).__name__}")
    d = target.mean.shape[-1]
    inverse_root = forward_substitution(target.cholesky_factor, np.eye(d))
    precisions = np.sum(inverse_root**2, axis=-2)  # Λ = L⁻ᵀ·L⁻¹
    return MultivariateNormal(target.mean, (1.0 / precisions)[..., None] * np.eye(d))
