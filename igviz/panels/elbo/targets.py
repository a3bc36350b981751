"""The posteriors that this lecture's panels approximate, and the normals at which their ELBO is a maximum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import optimize

from igviz.geometry.distances import fisher_rao_distance
from igviz.geometry.families.normal import Normal
from igviz.models import bimodal_posterior, skewed_posterior
from igviz.models.one_dimensional import OneDimensionalModel

STANDARDISED = np.linspace(-12.0, 12.0, 601)  # where KL(q‖posterior) is summed, in stds of q
WEIGHTS = np.exp(-0.5 * STANDARDISED**2)
WEIGHTS /= WEIGHTS.sum()
APART = 1e-3  # Fisher–Rao distance of optima that count as two
PRIOR_MEAN, PRIOR_STD = float(bimodal_posterior.PRIOR.mean), float(bimodal_posterior.PRIOR.std)
NOISE_STD = float(bimodal_posterior.NOISE_STD)


@dataclass(frozen=True)
class Target:
    """A posterior whose ELBO under normals has a closed form.

    Parameters
    ----------
    model : OneDimensionalModel
        What the posterior is of.
    elbo, gradient : callable
        The ELBO of normals q, and its gradient in (mean, std), shape (..., 2).
    """

    model: OneDimensionalModel
    elbo: Callable[[Normal], np.ndarray]
    gradient: Callable[[Normal], np.ndarray]

    def kl(self, q: Normal) -> float:
        """Return KL(q‖posterior) in nats by quadrature, and not as what the ELBO leaves of log p(x)."""
        z = q.mean + q.std * STANDARDISED
        log_posterior = self.model.log_joint(z[:, None]) - self.model.log_evidence()
        return float(WEIGHTS @ (q.log_prob(z) - log_posterior))

    def climb(self, start: Normal) -> Normal:
        """Return the maximum of the ELBO that is uphill from a start near it, to rounding."""
        found = optimize.minimize(
            lambda at: -float(self.elbo(_normal(at))),
            [start.mean, np.log(start.std)],
            jac=lambda at: -self._slope(at),
            method="BFGS",
        )
        return self.settle(_normal(found.x))

    def settle(self, start: Normal) -> Normal:
        """Return where the gradient vanishes, from a start so close that nothing else can be found."""
        return _normal(optimize.root(self._slope, [start.mean, np.log(start.std)], tol=1e-13).x)

    def optima(self, starts: Sequence[Normal]) -> tuple[Normal, ...]:
        """Return the different maxima uphill from these starts, the highest first."""
        found: list[Normal] = []
        for start in starts:
            top = self.climb(start)
            if all(fisher_rao_distance(top, other) > APART for other in found):
                found.append(top)
        return tuple(sorted(found, key=self.kl))

    def _slope(self, place: np.ndarray) -> np.ndarray:
        """Return the gradient in (mean, log std)."""
        q = _normal(place)
        return self.gradient(q) * np.array([1.0, q.std])


@lru_cache(maxsize=1)
def skewed() -> Target:
    """Return the running example of lectures 01 to 05."""
    return Target(skewed_posterior.MODEL, skewed_posterior.elbo, skewed_posterior.elbo_gradient)


@lru_cache(maxsize=128)
def bimodal(square: float) -> Target:
    """Return the posterior of a number z of which z² was measured as `square`."""

    def elbo(q: Normal) -> np.ndarray:
        return expected_log_joint(square, q.mean, q.std) + q.entropy()

    def gradient(q: Normal) -> np.ndarray:
        first, second = expected_derivatives(square, q.mean, q.std)
        return np.stack([first, q.std * second + 1.0 / q.std], axis=-1)

    return Target(bimodal_posterior.model(square), elbo, gradient)


def _normal(place: np.ndarray) -> Normal:
    return Normal(place[0], np.exp(place[1]))


# The log joint of the bimodal posterior is of degree four in z, and for q = N(m, s) E[z²] = m² + s² and
# E[z⁴] = m⁴ + 6m²s² + 3s⁴. Floats do as well as arrays: a walk takes a thousand steps within one frame.


def expected_log_joint(square: float, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return E_q[log p(x, z)] in nats for the bimodal posterior, every constant included."""
    second = mean**2 + std**2
    fourth = mean**4 + 6.0 * mean**2 * std**2 + 3.0 * std**4
    misfit = (square**2 - 2.0 * square * second + fourth) / NOISE_STD**2
    distance = (second - 2.0 * PRIOR_MEAN * mean + PRIOR_MEAN**2) / PRIOR_STD**2
    return -0.5 * (misfit + distance) - np.log(2.0 * np.pi * NOISE_STD * PRIOR_STD)


def expected_derivatives(square: float, mean: Any, std: Any) -> tuple[Any, Any]:
    """Return E_q[f′] and E_q[f″] of the bimodal posterior's log joint f, for floats or arrays."""
    first = 2.0 * mean * (square - mean**2 - 3.0 * std**2) / NOISE_STD**2
    second = (2.0 * square - 6.0 * (mean**2 + std**2)) / NOISE_STD**2
    return first - (mean - PRIOR_MEAN) / PRIOR_STD**2, second - 1.0 / PRIOR_STD**2
