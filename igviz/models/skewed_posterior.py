"""The running example of lectures 01 to 05: a posterior in one dimension that is skewed.

One event was counted, y = 1, and z is the logarithm of the rate: y ~ Poisson(eᶻ), with the prior
z ~ N(0, 1.5). The posterior falls slowly to the left, where the rate goes to zero, and steeply to the right,
where eᶻ grows.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from igviz.geometry.families.normal import Normal

COUNT = 1
PRIOR_STD = 1.5
GRID = np.linspace(-14.0, 8.0, 8_801)  # beyond it the posterior holds less than 1e-16


def log_joint(z: ArrayLike) -> np.ndarray:
    """Return log p(y, z) in nats with every constant, for log-rates z of any shape."""
    z = np.asarray(z, dtype=float)
    likelihood = COUNT * z - np.exp(z) - gammaln(COUNT + 1)
    prior = -0.5 * (z / PRIOR_STD) ** 2 - np.log(PRIOR_STD) - 0.5 * np.log(2.0 * np.pi)
    return likelihood + prior


@cache
def log_evidence() -> float:
    """Return log p(y) in nats, by the trapezoid rule, which is exact here to rounding."""
    return float(np.log(np.trapezoid(np.exp(log_joint(GRID)), GRID)))


def posterior_pdf(z: ArrayLike) -> np.ndarray:
    """Return the posterior density p(z | y)."""
    return np.exp(log_joint(z) - log_evidence())


@cache
def posterior_moments() -> tuple[float, float]:
    """Return mean and standard deviation of the posterior."""
    weight = posterior_pdf(GRID)
    mean = np.trapezoid(GRID * weight, GRID)
    variance = np.trapezoid((GRID - mean) ** 2 * weight, GRID)
    return float(mean), float(np.sqrt(variance))


def elbo(q: Normal) -> np.ndarray:
    """Return the ELBO E_q[log p(y, z)] + entropy of q = log p(y) − KL(q‖posterior), in nats, of q's shape.

    With q = N(m, s) all means are known: E[z] = m, E[z²] = m² + s² and E[eᶻ] = exp(m + s²/2). It is strictly
    concave in (m, s), in (m, log s) and in (m, s²).
    """
    with np.errstate(over="ignore"):  # −∞ is right then
        joint = COUNT * q.mean - np.exp(q.mean + 0.5 * q.std**2) - gammaln(COUNT + 1)
    prior = -0.5 * (q.mean**2 + q.std**2) / PRIOR_STD**2 - np.log(PRIOR_STD) - 0.5 * np.log(2.0 * np.pi)
    return joint + prior + q.entropy()


def elbo_gradient(q: Normal) -> np.ndarray:
    """Return the gradient of the ELBO in (mean, std), shape (..., 2)."""
    with np.errstate(over="ignore"):
        rate = np.exp(q.mean + 0.5 * q.std**2)
    by_mean = COUNT - rate - q.mean / PRIOR_STD**2
    return np.stack([by_mean, 1.0 / q.std - q.std * (rate + 1.0 / PRIOR_STD**2)], axis=-1)


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
