"""Draws from one Gaussian q, and what the estimators over them share: checks, blocks, log weights."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from igviz.geometry.numerics import forward_substitution
from igviz.inference.gaussians import Gaussian, mean_and_root
from igviz.inference.protocol import Model

BLOCK = 4_096  # draws at a time: a regression holds a number for each draw and each row of its data
_LOG_TWO_PI = np.log(2.0 * np.pi)


class OneGaussian(NamedTuple):
    """A single q = N(mean, root·rootᵀ) with its draws z = mean + root·ε, ε standard normal."""

    mean: np.ndarray  # shape (d,)
    root: np.ndarray  # lower triangular, shape (d, d)
    inverse_root: np.ndarray  # shape (d, d)

    @property
    def precision(self) -> np.ndarray:
        """Λ, shape (d, d), exactly symmetric."""
        product = self.inverse_root.T @ self.inverse_root
        return 0.5 * (product + product.T)

    def latent(self, noise: np.ndarray) -> np.ndarray:
        """Return z = mean + root·ε of ε, both of shape (..., d)."""
        return self.mean + noise @ self.root.T

    def pull(self, noise: np.ndarray) -> np.ndarray:
        """Return Λ·(z − mean) = root⁻ᵀ·ε, shape (..., d): no difference of near numbers is formed."""
        return noise @ self.inverse_root

    def log_weight(self, model: Model, noise: np.ndarray) -> np.ndarray:
        """Return log p(x, z) − log q(z) in nats, shape (...), of ε, shape (..., d)."""
        log_volume = float(np.sum(np.log(np.diagonal(self.root)))) + 0.5 * self.mean.size * _LOG_TWO_PI
        return model.log_joint(self.latent(noise)) + 0.5 * np.sum(noise**2, axis=-1) + log_volume


def one_gaussian(where: str, q: Gaussian, dimension: int) -> OneGaussian:
    """Return q as a `OneGaussian`.

    Raises
    ------
    TypeError
        If q is no Gaussian.
    ValueError
        If q is a grid, or on vectors of another length than the model's.
    """
    mean, root = mean_and_root(where, q, dimension)
    if q.shape != ():
        raise ValueError(f"{where}: q must be one distribution, got a grid of shape {q.shape}")
    return OneGaussian(mean, root, forward_substitution(root, np.eye(dimension)))


def checked_count(where: str, name: str, value: int) -> int:
    """Return an integer that is at least 1, or say which argument is not."""
    try:
        count = operator.index(value)
    except TypeError:
        raise TypeError(f"{where}: {name} must be an integer, got {value!r}") from None
    if count < 1:
        raise ValueError(f"{where}: {name} must be at least 1, got {value!r}")
    return count


def check_rng(where: str, rng: object) -> None:
    """Raise a TypeError unless rng is a Generator."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"{where}: rng must be a numpy.random.Generator, such as numpy.random.default_rng(0), got {rng!r}"
        )


def blocks(count: int, size: int) -> Iterator[slice]:
    """Return slices that cut `count` things into blocks of at most `size`."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
