"""The running example of lectures 01 to 05: a posterior in one dimension that is skewed.

One event was counted, y = 1, and z is the logarithm of the rate: y ~ Poisson(eᶻ), with the prior
z ~ N(0, 1.5). The posterior falls slowly to the left, where the rate goes to zero, and steeply to the right,
where eᶻ grows.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.normal import Normal
from igviz.models.one_dimensional import OneDimensionalModel
from igviz.models.poisson_regression import PoissonRegression

COUNT = 1
PRIOR_STD = 1.5
GRID = np.linspace(-14.0, 8.0, 8_801)  # beyond it the posterior holds less than 1e-16

REGRESSION = PoissonRegression([[1.0]], [float(COUNT)], 1.0 / PRIOR_STD**2)  # z is its one coefficient


def log_joint(z: ArrayLike) -> np.ndarray:
    """Return log p(y, z) in nats with every constant, for log-rates z of any shape: that of `REGRESSION`."""
    z = np.asarray(z, dtype=np.float64)
    with np.errstate(over="ignore"):  # no rate so large has given one event: −∞
        return (
            COUNT * z - np.exp(z) - 0.5 * (z / PRIOR_STD) ** 2 - np.log(PRIOR_STD) - 0.5 * np.log(2.0 * np.pi)
        )


MODEL = OneDimensionalModel(log_joint, prior=Normal(0.0, PRIOR_STD))


def log_evidence() -> float:
    """Return log p(y) in nats."""
    return MODEL.log_evidence()


def posterior_pdf(z: ArrayLike) -> np.ndarray:
    """Return the posterior density p(z | y)."""
    return MODEL.posterior_pdf(z)


def posterior_moments() -> tuple[float, float]:
    """Return mean and standard deviation of the posterior."""
    return MODEL.posterior_moments()


def elbo(q: Normal) -> np.ndarray:
    """Return the ELBO E_q[log p(y, z)] + entropy of q = log p(y) − KL(q‖posterior), in nats, of q's shape.

    That of REGRESSION, as `igviz.elbo` returns it, but −∞ where that reports an overflow. With q = N(m, s)
    all means are known: E[z] = m, E[z²] = m² + s² and E[eᶻ] = exp(m + s²/2). It is strictly concave in
    (m, s), in (m, log s) and in (m, s²).
    """
    return REGRESSION.expected_log_joint(q.mean[..., None], q.std[..., None])[()] + q.entropy()


def elbo_gradient(q: Normal) -> np.ndarray:
    """Return the gradient of the ELBO in (mean, std), shape (..., 2)."""
    # a change of the std changes the covariance std² by 2·std times as much
    _, by_mean, curvature = REGRESSION.expected_derivatives(q.mean[..., None], q.std[..., None])
    return np.stack([by_mean[..., 0], 1.0 / q.std + q.std * curvature[..., 0]], axis=-1)


@cache
def best_normal() -> Normal:
    """Return the normal of highest ELBO, the one of least KL(q‖posterior), to the last digits.

    By Newton's method in (m, log s): there the means of eᶻ and z² make both second derivatives simple.
    """
    mean, log_std = posterior_moments()[0], np.log(posterior_moments()[1])
    for _ in range(30):
        variance = np.exp(2.0 * log_std)
        rate = np.exp(mean + 0.5 * variance)
        weight = rate + 1.0 / PRIOR_STD**2
        slope = np.array([COUNT - rate - mean / PRIOR_STD**2, 1.0 - variance * weight])
        cross = -rate * variance
        hessian = np.array([[-weight, cross], [cross, -2.0 * variance * weight - rate * variance**2]])
        step = np.linalg.solve(hessian, slope)
        mean, log_std = mean - step[0], log_std - step[1]
        if np.max(np.abs(step)) < 1e-15:
            break
    return Normal(mean, np.exp(log_std))
