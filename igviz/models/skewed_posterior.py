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
