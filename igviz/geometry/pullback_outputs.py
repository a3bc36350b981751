"""What a decoder's outputs are parameters of: independent pixels, their Fisher information and their KL.

Each kind answers for outputs, shape (..., D): their Fisher information, which is diagonal, KL, and the sum of
both KLs with its gradient, of which the energy of a curve is made. All keep their digits for near outputs.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.special import expit, logit

from igviz.geometry.numerics import generalised_kl, log_deficit, log_ratio


class Outputs(Protocol):
    """Distributions whose parameters are the outputs of a decoder."""

    def check(self, values: np.ndarray) -> None:
        """Raise ValueError unless the outputs are parameters."""

    def information(self, values: np.ndarray) -> np.ndarray:
        """Return the diagonal of the Fisher information of the outputs, shape (..., D)."""

    def kl(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return KL(first‖second) in nats, shape (...)."""

    def both_ways(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return KL(first‖second) + KL(second‖first), shape (...), and its gradients by first and second."""


class Logits:
    """Bernoulli pixels by their log odds l: I = p(1 − p)."""

    def check(self, values: np.ndarray) -> None:
        """Any finite number is a logit."""

    def information(self, values: np.ndarray) -> np.ndarray:
        """Return p(1 − p)."""
        return expit(values) * expit(-values)

    def kl(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return KL(first‖second) in nats."""
        near = np.abs(first - second) < 1.0
        gap = self._gap(second, first)
        ones = generalised_kl(expit(first), expit(second), gap)
        close = ones + generalised_kl(expit(-first), expit(-second), -gap)
        # farther apart log p(1)/p′(1) comes from the logits: p itself may be 0 to all digits. Ones and zeros
        # are exchanged where p > ½, so that nothing cancels
        sign = np.where(first > 0.0, -1.0, 1.0)
        less, other = sign * first, sign * second
        far = expit(less) * (less - other) + np.logaddexp(0.0, other) - np.log1p(np.exp(less))
        return np.sum(np.where(near, close, far), axis=-1)

    def both_ways(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return Σ (l − l′)(p − p′) and its gradients."""
        logits, means = first - second, self._gap(first, second)
        value = np.sum(logits * means, axis=-1)
        return value, means + self.information(first) * logits, -means - self.information(second) * logits

    @staticmethod
    def _gap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return p − p′ = p(1 − p′)(1 − exp(l′ − l)) for p > p′, which does not cancel, else its mirror."""
        above, below = np.maximum(first, second), np.minimum(first, second)
        size = -expit(above) * expit(-below) * np.expm1(below - above)
        return np.copysign(size, first - second)


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

    def information(self, values: np.ndarray) -> np.ndarray:
        """Return 1/(p(1 − p))."""
        return 1.0 / (values * (1.0 - values))

    def kl(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return KL(first‖second) in nats."""
        difference = second - first
        zeros = generalised_kl(1.0 - first, 1.0 - second, -difference)
        return np.sum(generalised_kl(first, second, difference) + zeros, axis=-1)

    def both_ways(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return Σ (l − l′)(p − p′) and its gradients."""
        means = first - second
        # tanh of half the difference of the logits
        half = means / (first * (1.0 - second) + second * (1.0 - first))
        near = np.abs(half) < 0.5
        logits = np.where(near, 2.0 * np.arctanh(np.where(near, half, 0.0)), logit(first) - logit(second))
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

    def information(self, values: np.ndarray) -> np.ndarray:
        """Return 1/std² for the means, 2/std² for the standard deviations."""
        precision = values[..., values.shape[-1] // 2 :] ** -2.0
        return np.concatenate([precision, 2.0 * precision], axis=-1)

    def kl(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return KL(first‖second) in nats."""
        (mean, std), (mean2, std2) = np.split(first, 2, axis=-1), np.split(second, 2, axis=-1)
        # std²/std2² − 1
        excess = (std - std2) / std2 * ((std + std2) / std2)
        near = np.abs(excess) < 0.3
        close = log_deficit(np.where(near, excess, 0.0))
        shape = np.where(near, close, excess - 2.0 * log_ratio(std, std2))
        return 0.5 * np.sum(shape + ((mean - mean2) / std2) ** 2, axis=-1)

    def both_ways(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return Σ ½[(s² − t²)²/(s²t²) + (m − n)²(1/s² + 1/t²)] of N(m, s²), N(n, t²), and its gradients."""
        (m, s), (n, t) = np.split(first, 2, axis=-1), np.split(second, 2, axis=-1)
        away, a, b = m - n, s**-2.0, t**-2.0
        apart = (s - t) * (s + t)
        value = 0.5 * np.sum(apart**2 * a * b + away**2 * (a + b), axis=-1)
        # ½[s²/t² + t²/s² − 2 + away²(s⁻² + t⁻²)] by s: (s⁴ − t⁴)/(s³t²) − away²/s³
        common = apart * (s * s + t * t) * a * b
        by_s = (common - away**2 * a) / s
        by_t = (-common - away**2 * b) / t
        by_m = away * (a + b)
        return value, np.concatenate([by_m, by_s], axis=-1), np.concatenate([-by_m, by_t], axis=-1)


OUTPUTS: dict[str, Outputs] = {
    "logits": Logits(),
    "probabilities": Probabilities(),
    "means and stds": MeansAndStds(),
}
