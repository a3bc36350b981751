"""What a decoder's outputs are parameters of: independent pixels, their Fisher information and their KL.

Each kind answers for rows of outputs, shape (..., D): the Fisher metric seen through a Jacobian, KL, and the
sum of both KLs with its gradient, of which the energy of a curve is made.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.special import expit, logit

from igviz.geometry.numerics import generalised_kl


class Outputs(Protocol):
    """Distributions whose parameters are the outputs of a decoder."""

    def check(self, values: np.ndarray) -> None:
        """Raise ValueError unless the outputs are parameters."""

    def metric(self, values: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
        """Return JᵀIJ, shape (..., k, k), of outputs, shape (..., D), and a Jacobian, shape (..., D, k)."""

    def kl(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return KL(first‖second) in nats, shape (...)."""

    def both_ways(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return KL(first‖second) + KL(second‖first), shape (...), and its gradients by first and second."""


def _through(weights: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    """Return Jᵀ·diag(weights)·J, symmetric to the last digit."""
    made = np.einsum("...di,...d,...dj->...ij", jacobian, weights, jacobian, optimize=True)
    return 0.5 * (made + np.swapaxes(made, -1, -2))


class Logits:
    """Bernoulli pixels by their log odds l: I = p(1 − p)."""

    def check(self, values: np.ndarray) -> None:
        """Any finite number is a logit."""

    def metric(self, values: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
        """Return JᵀIJ."""
        return _through(expit(values) * expit(-values), jacobian)

    def kl(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return KL(first‖second) in nats."""
        p, q = expit(first), expit(second)
        # q − p without the cancellation of near logits
        half = np.clip(0.5 * (second - first), -350.0, 350.0)
        difference = 2.0 * np.sinh(half) * np.sqrt(p * expit(-first) * q * expit(-second))
        wide = np.abs(first - second) > 1.0
        difference = np.where(wide, q - p, difference)
        ones = generalised_kl(p, q, difference)
        zeros = generalised_kl(expit(-first), expit(-second), -difference)
        return np.sum(ones + zeros, axis=-1)

    def both_ways(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return Σ (l − l′)(p − p′) and its gradients."""
        p, q = expit(first), expit(second)
        logits, means = first - second, p - q
        value = np.sum(logits * means, axis=-1)
        return value, means + p * (1.0 - p) * logits, -means - q * (1.0 - q) * logits


class Probabilities:
    """Bernoulli pixels by their probabilities p: I = 1/(p(1 − p))."""

    def check(self, values: np.ndarray) -> None:
        """Raise ValueError unless all lie strictly between 0 and 1."""
        wrong = values[~((values > 0.0) & (values < 1.0))]
        if wrong.size:
            raise ValueError(
                "PullbackGeometry: decoder must return probabilities strictly between 0 and 1, "
                f"got {wrong.flat[0]:g}; with outputs='logits' there are no such borders"
            )

    def metric(self, values: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
        """Return JᵀIJ."""
        return _through(1.0 / (values * (1.0 - values)), jacobian)

    def kl(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return KL(first‖second) in nats."""
        difference = second - first
        zeros = generalised_kl(1.0 - first, 1.0 - second, -difference)
        return np.sum(generalised_kl(first, second, difference) + zeros, axis=-1)

    def both_ways(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return Σ (l − l′)(p − p′) and its gradients."""
        logits, means = logit(first) - logit(second), first - second
        value = np.sum(logits * means, axis=-1)
        by_first = logits + means / (first * (1.0 - first))
        return value, by_first, -logits - means / (second * (1.0 - second))


class MeansAndStds:
    """Normal pixels: D/2 means, then D/2 standard deviations; ds² = (dmean² + 2·dstd²)/std².

    The second term is what the variance adds: a decoder that grows unsure moves, too.
    """

    def check(self, values: np.ndarray) -> None:
        """Raise ValueError unless there are as many standard deviations as means, all positive."""
        if values.shape[-1] % 2:
            raise ValueError(
                "PullbackGeometry: decoder must return as many standard deviations as means, "
                f"got {values.shape[-1]} outputs"
            )
        wrong = values[..., values.shape[-1] // 2 :]
        wrong = wrong[~(wrong > 0.0)]
        if wrong.size:
            raise ValueError(
                f"PullbackGeometry: decoder must return positive standard deviations, got {wrong.flat[0]:g}"
            )

    def metric(self, values: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
        """Return JᵀIJ."""
        precision = values[..., values.shape[-1] // 2 :] ** -2.0
        return _through(np.concatenate([precision, 2.0 * precision], axis=-1), jacobian)

    def kl(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return KL(first‖second) in nats."""
        (mean, std), (mean2, std2) = np.split(first, 2, axis=-1), np.split(second, 2, axis=-1)
        ratio = (std - std2) / std2
        shape = 0.5 * ratio * (ratio + 2.0) - np.log1p(ratio)
        return np.sum(shape + 0.5 * ((mean - mean2) / std2) ** 2, axis=-1)

    def both_ways(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return Σ ½[(s² − t²)²/(s²t²) + (m − n)²(1/s² + 1/t²)] of N(m, s²), N(n, t²), and its gradients."""
        (m, s), (n, t) = np.split(first, 2, axis=-1), np.split(second, 2, axis=-1)
        away, a, b = m - n, s**-2.0, t**-2.0
        apart = (s - t) * (s + t)
        value = 0.5 * np.sum(apart**2 * a * b + away**2 * (a + b), axis=-1)
        # ½[s²/t² + t²/s² − 2 + away²(s⁻² + t⁻²)] by s: s/t² − t²/s³ − away²/s³
        by_s = s * b - (t * t + away**2) * a / s
        by_t = t * a - (s * s + away**2) * b / t
        by_m = away * (a + b)
        return value, np.concatenate([by_m, by_s], axis=-1), np.concatenate([-by_m, by_t], axis=-1)


OUTPUTS: dict[str, Outputs] = {
    "logits": Logits(),
    "probabilities": Probabilities(),
    "means and stds": MeansAndStds(),
}
