"""The importance-weighted bound on the log evidence, tighter with more samples."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from igviz.inference.gaussians import Gaussian
from igviz.inference.protocol import Model
from igviz.inference.sampling import BLOCK, OneGaussian, blocks, check_rng, checked_count, one_gaussian


def importance_weighted_bound(
    model: Model, q: Gaussian, samples: int, replicates: int, rng: np.random.Generator
) -> np.ndarray:
    """Return independent estimates log (1/K)·Σₖ p(x, zₖ)/q(zₖ) in nats, each from K draws zₖ of q.

    Their expectation L_K is a lower bound: ELBO = L₁ ≤ L₂ ≤ … ≤ log p(x). A single estimate may exceed
    log p(x). At one state of rng the estimates from 2K draws use the weights of two estimates from K.

    Parameters
    ----------
    model : Model
        Only its `log_joint` is called.
    q : Normal or MultivariateNormal
        One distribution on vectors of `model.dimension` numbers; a Normal where that is 1.
    samples : int
        The number K of draws of each estimate, at least 1.
    replicates : int
        The number of estimates, at least 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        Shape (replicates,). An estimate is −inf where p(x, z) is 0, in floating-point numbers, at all of its
        draws.

    Raises
    ------
    TypeError
        If q is no Gaussian, samples or replicates no integer, or rng no Generator.
    ValueError
        If q is a grid or on vectors of another length, or samples or replicates is below 1.

    References
    ----------
    Burda, Y., Grosse, R. and Salakhutdinov, R. (2016). Importance weighted autoencoders, section 3 and
    theorem 1.
    """
    where = "importance_weighted_bound"
    at = one_gaussian(where, q, model.dimension)
    k, count = checked_count(where, "samples", samples), checked_count(where, "replicates", replicates)
    check_rng(where, rng)
    found = np.empty(count)
    for block in blocks(count, max(1, BLOCK // k)):
        found[block] = _estimates(model, at, block.stop - block.start, k, rng)
    return found


def _estimates(model: Model, at: OneGaussian, count: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return some of the estimates. More than a block of draws is taken piece by piece and never kept."""
    log_sum = np.full(count, -np.inf)
    for piece in blocks(k, BLOCK):
        noise = rng.standard_normal((count, piece.stop - piece.start, at.mean.size))
        log_sum = np.logaddexp(log_sum, logsumexp(at.log_weight(model, noise), axis=-1))
    return log_sum - np.log(k)
