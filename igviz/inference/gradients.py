"""The gradient of the ELBO by mean and covariance of a Gaussian q: exactly, and estimated from samples.

With f(z) = log p(x, z), the entropy H(q), the precision Λ = Σ⁻¹ of q = N(m, Σ) and u = Λ·(z − m), four random
numbers of one draw z ~ q have the gradient of the ELBO E_q[f] + H(q) as their mean:

| estimator          | by m              | by Σ                        | asks the model for |
|--------------------|-------------------|-----------------------------|--------------------|
| "score function"   | (f − log q)·u     | (f − log q)·½(u·uᵀ − Λ)     | f                  |
| "control variate"  | (f − log q − c)·u | (f − log q − C)·½(u·uᵀ − Λ) | f                  |
| "reparameterised"  | ∇f                | ½·sym(∇f·uᵀ) + ½Λ           | ∇f                 |
| "Bonnet and Price" | ∇f                | ½·∇²f + ½Λ                  | ∇f, ∇²f            |

c and C hold a constant for each coordinate, and sym(A) = ½(A + Aᵀ).

References
----------
Williams, R. J. (1992). Simple statistical gradient-following algorithms, section 4 (the score function).
Ranganath, R., Gerrish, S. and Blei, D. M. (2014). Black box variational inference, section 3.2 (control
variates).
Kingma, D. P. and Welling, M. (2014). Auto-encoding variational Bayes, section 2.4.
Opper, M. and Archambeau, C. (2009). The variational Gaussian approximation revisited, section 2.
Mohamed, S., Rosca, M., Figurnov, M. and Mnih, A. (2020). Monte Carlo gradient estimation in machine learning,
sections 4, 5 and 7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from igviz.inference.gaussians import Gaussian
from igviz.inference.protocol import Model
from igviz.inference.sampling import BLOCK, OneGaussian, blocks, check_rng, checked_count, one_gaussian


class GaussianGradient(NamedTuple):
    """Derivatives by the mean and by the covariance matrix of a Gaussian, in nats per unit of each.

    Each entry of the matrix moves by itself: the change is mean·δm + Σᵢⱼ covᵢⱼ·δΣᵢⱼ. An off-diagonal
    coordinate of a symmetric matrix moves two entries, so the derivative by it is 2·covᵢⱼ.
    """

    mean: np.ndarray  # shape (..., d)
    cov: np.ndarray  # symmetric, shape (..., d, d)


def elbo_gradient(model: Model, q: Gaussian) -> GaussianGradient:
    """Return the exact gradient of the ELBO by mean and covariance of one q.

    By the theorems of Bonnet and Price it is E_q[∇f] and ½·E_q[∇²f] + ½Λ, with f = log p(x, z); the last term
    is the gradient of the entropy ½·log det Σ + const.

    Parameters
    ----------
    model : Model
        Such as an `igviz.LogisticRegression`, or an `igviz.OneDimensionalModel` of your own log joint.
    q : Normal or MultivariateNormal
        One distribution on vectors of d = `model.dimension` numbers; a Normal where that is 1.

    Returns
    -------
    GaussianGradient
        Of shapes (d,) and (d, d), for a Normal (1,) and (1, 1): by the variance, not by the std. The gradient
        by the std is 2·std times that.

    Raises
    ------
    TypeError
        If q is no Gaussian.
    ValueError
        If q is a grid, or on vectors of another length.
    OverflowError
        If the gradient is not finite.

    References
    ----------
    Opper, M. and Archambeau, C. (2009). The variational Gaussian approximation revisited, section 2.
    """
    at = one_gaussian("elbo_gradient", q, model.dimension)
    with np.errstate(over="ignore", invalid="ignore"):  # reported below
        means = model.expected_derivatives(at.mean, at.root)
        found = GaussianGradient(means.gradient, 0.5 * (means.hessian + at.precision))
    return _finite("elbo_gradient", found)


def sample_gradients(
    model: Model,
    q: Gaussian,
    estimator: str,
    count: int,
    rng: np.random.Generator,
    *,
    pilot: int = 1_000,
) -> GaussianGradient:
    """Return independent unbiased estimates of the gradient of the ELBO, each from one draw of q.

    The mean of S of them is the estimate from S draws, with 1/S of the variance. At one state of rng all
    estimators use the same draws.

    Parameters
    ----------
    model : Model
        Only `log_joint` and, where the estimator needs them, its gradient and Hessian are called.
    q : Normal or MultivariateNormal
        One distribution on vectors of d = `model.dimension` numbers; a Normal where that is 1.
    estimator : {"score function", "control variate", "reparameterised", "Bonnet and Price"}
        See Notes.
    count : int
        Number of estimates, at least 1.
    rng : numpy.random.Generator
        Source of randomness.
    pilot : int
        Number of further draws from which the coefficients of "control variate" are estimated.

    Returns
    -------
    GaussianGradient
        Of shapes (count, d) and (count, d, d), each matrix symmetric.

    Raises
    ------
    TypeError
        If q is no Gaussian, count or pilot no integer, or rng no Generator.
    ValueError
        If q is a grid or on vectors of another length, there is no such estimator, or count or pilot is below
        1.
    OverflowError
        If an estimate is not finite.

    Notes
    -----
    The score s of q has mean zero, so that subtracting a constant times s changes no mean. The constant of
    least variance is Cov((f − log q)·s, s)/Var(s), one for each coordinate. It is estimated on draws of its
    own; on the same draws the estimates would be neither unbiased nor independent.

    Reparameterised by the covariance: z = m + L·ε with any root L·Lᵀ = Σ. When Σ moves by δΣ, the root
    L + ½·δΣ·L⁻ᵀ follows, and z moves by ½·δΣ·Λ·(z − m). So f changes by the inner product of δΣ with
    ½·∇f·uᵀ, and only the symmetric part counts. Its mean is ½·E[∇²f] by Stein's lemma: Price's theorem is
    Bonnet's, integrated by parts once more. (A root that stays triangular gives other estimates of the same
    mean.)

    How the variances compare, by theorem: with exact constants "control variate" never has more variance than
    "score function", in any coordinate. The mean parts of the last two are the same numbers. Where the
    Hessian is constant, the covariance part of "Bonnet and Price" has no variance. Where q is the exact
    posterior the log weight is the constant log p(x): "control variate" and the covariance part of "Bonnet
    and Price" have no variance left, "reparameterised" is minus the score, "score function" log p(x) times
    it. There "reparameterised" beats nothing as soon as |log p(x)| < 1.

    The usual order, none more than the one before, is no more than a measurement. On the running example of
    the lectures it holds at N(0.8, 0.5). Near the optimum the log weight is nearly constant, and "control
    variate" has less variance than "reparameterised" in the mean part. For a log joint that ripples ∇²f
    varies more than ∇f·uᵀ, and "Bonnet and Price" comes behind "reparameterised".

    References
    ----------
    Ranganath, R., Gerrish, S. and Blei, D. M. (2014). Black box variational inference, section 3.2.
    Opper, M. and Archambeau, C. (2009). The variational Gaussian approximation revisited, section 2.
    Roeder, G., Wu, Y. and Duvenaud, D. (2017). Sticking the landing, section 1 (variance at the posterior).
    """
    where = "sample_gradients"
    if not isinstance(estimator, str) or estimator not in ESTIMATES:
        names = ", ".join(repr(name) for name in ESTIMATORS)
        raise ValueError(f"{where}: estimator must be one of {names}, got {estimator!r}")
    at = one_gaussian(where, q, model.dimension)
    count, pilot = checked_count(where, "count", count), checked_count(where, "pilot", pilot)
    check_rng(where, rng)
    noise = rng.standard_normal((count, at.mean.size))
    with np.errstate(over="ignore", invalid="ignore"):  # reported below
        if estimator == "control variate":
            constants = _best_constants(model, at, rng.standard_normal((pilot, at.mean.size)))
        else:
            constants = GaussianGradient(np.zeros(()), np.zeros(()))
        by_mean, by_cov = np.empty_like(noise), np.empty((*noise.shape, at.mean.size))
        for block in blocks(count, BLOCK):
            found = ESTIMATES[estimator](model, at, noise[block], constants)
            by_mean[block], by_cov[block] = found.mean, found.cov
    return _finite(where, GaussianGradient(by_mean, by_cov))


# -- the estimators ------------------------------------------------------------------------------------------


def gaussian_score(at: OneGaussian, noise: np.ndarray) -> GaussianGradient:
    """Return the score of q by mean and covariance, u and ½(u·uᵀ − Λ)."""
    pull = at.pull(noise)
    return GaussianGradient(pull, 0.5 * (pull[..., :, None] * pull[..., None, :] - at.precision))


def _by_score(
    model: Model, at: OneGaussian, noise: np.ndarray, constants: GaussianGradient
) -> GaussianGradient:
    weight, score = at.log_weight(model, noise), gaussian_score(at, noise)
    return GaussianGradient(
        (weight[:, None] - constants.mean) * score.mean, (weight[:, None, None] - constants.cov) * score.cov
    )


def _best_constants(model: Model, at: OneGaussian, noise: np.ndarray) -> GaussianGradient:
    """Return Cov(w·s, s)/Var(s) of log weight w and score s, of shapes (d,) and (d, d).

    The mean of s is known to be 0, so these are ratios of the means of w·s² and s².
    """
    d = at.mean.size
    top, bottom = ([np.zeros(d), np.zeros((d, d))] for _ in range(2))
    for block in blocks(len(noise), BLOCK):
        weight = at.log_weight(model, noise[block])
        for part, score in enumerate(gaussian_score(at, noise[block])):
            top[part] += np.tensordot(weight, score**2, axes=1)
            bottom[part] += np.sum(score**2, axis=0)
    return GaussianGradient(top[0] / bottom[0], top[1] / bottom[1])


def _reparameterised(
    model: Model,
    at: OneGaussian,
    noise: np.ndarray,
    _constants: GaussianGradient,
) -> GaussianGradient:
    slope = model.log_joint_gradient(at.latent(noise))
    outer = slope[..., :, None] * at.pull(noise)[..., None, :]
    symmetric = 0.5 * (outer + np.swapaxes(outer, -1, -2))
    return GaussianGradient(slope, 0.5 * (symmetric + at.precision))


def _bonnet_and_price(
    model: Model, at: OneGaussian, noise: np.ndarray, _constants: GaussianGradient
) -> GaussianGradient:
    latent = at.latent(noise)
    return GaussianGradient(
        model.log_joint_gradient(latent), 0.5 * (model.log_joint_hessian(latent) + at.precision)
    )


ESTIMATES: dict[str, Callable[[Model, OneGaussian, np.ndarray, GaussianGradient], GaussianGradient]] = {
    "score function": _by_score,
    "control variate": _by_score,
    "reparameterised": _reparameterised,
    "Bonnet and Price": _bonnet_and_price,
}
ESTIMATORS = tuple(ESTIMATES)


def _finite(where: str, found: GaussianGradient) -> GaussianGradient:
    if not all(np.all(np.isfinite(part)) for part in found):
        raise OverflowError(
            f"{where}: the gradient is not finite. Take q nearer to where the model has density, or narrower"
        )
    return found
