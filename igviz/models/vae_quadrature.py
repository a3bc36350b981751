"""Where the Gaussians q of many images are looked at, and what is averaged there: log p(x|z)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import expit

if TYPE_CHECKING:
    from igviz.models.network import Network

# along each latent number; with 32 the mean of log p(x|z) is right to 3e-3 nats for the worst digit, to 1e-6
# for most; more numbers than two are averaged over draws
NODES = {1: 64, 2: 32}
DRAWS = 512  # half of them the negatives of the others
ROWS = 16384  # decoded at a time


@lru_cache(maxsize=16)
def nodes(latent: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where a standard normal is looked at, shape (K, latent), and the weights, shape (K,).

    Up to two numbers these are Gauss–Hermite nodes; from three on they are fixed draws in pairs ±ε, scaled to
    variance 1 along each axis, so that means are deterministic, yet those of a sample.
    """
    if latent in NODES:
        points, weights = hermegauss(NODES[latent])
        weights = weights / weights.sum()
        grid = np.stack(np.meshgrid(*[points] * latent, indexing="ij"), axis=-1).reshape(-1, latent)
        product = np.prod(np.meshgrid(*[weights] * latent, indexing="ij"), axis=0).ravel()
        kept = product > 1e-12  # the corners of the grid add nothing
        return grid[kept], product[kept] / product[kept].sum()
    half = np.random.default_rng(0).standard_normal((DRAWS // 2, latent))
    both = np.concatenate([half, -half])
    both /= np.sqrt(np.mean(both**2, axis=0))
    return both, np.full(DRAWS, 1.0 / DRAWS)


def log_likelihood(logits: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return log p(x|z) in nats, shape (...), of pixels with these logits, shapes (..., pixels)."""
    total = np.einsum("...i,...i->...", images, logits)
    total -= np.sum(np.maximum(logits, 0.0) + np.log1p(np.exp(-np.abs(logits))), axis=-1)
    return total


def expected_log_likelihood(
    decoder: Network, images: np.ndarray, mean: np.ndarray, std: np.ndarray
) -> np.ndarray:
    """Return E_q[log p(x|z)] in nats, shape (n,), with q = N(mean, diag std²), shapes (n, latent)."""
    points, weights = nodes(mean.shape[1])
    made = np.empty(len(images))
    for part in _parts(len(images), len(points)):
        z = mean[part, None] + std[part, None] * points
        made[part] = log_likelihood(decoder(z).astype(np.float64), images[part, None]) @ weights
    return made


def expected_derivatives(
    decoder: Network, images: np.ndarray, mean: np.ndarray, root: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean of log p(x|z) under each q and its derivatives by the q's numbers.

    Parameters
    ----------
    decoder : Network
        From z to the logits of the pixels.
    images : numpy.ndarray
        Pixels 0 or 1, shape (n, pixels).
    mean : numpy.ndarray
        Of q, shape (n, latent).
    root : numpy.ndarray
        Of its covariance, shape (n, latent, latent), or standard deviations, shape (n, latent).

    Returns
    -------
    value, by_mean, by_root : numpy.ndarray
        Shapes (n,), (n, latent) and that of root: the very derivatives of the computed value, so that a
        walk settles where the value is largest. By Bonnet's and Price's theorems they are E_q[∇ log p] and
        E_q[∇² log p]·root.
    """
    points, weights = nodes(mean.shape[1])
    value, by_mean, by_root = np.empty(len(images)), np.empty(mean.shape), np.empty(root.shape)
    for part in _parts(len(images), len(points)):
        away = root[part, None] * points if root.ndim == 2 else np.einsum("nij,kj->nki", root[part], points)
        z = (mean[part, None] + away).reshape(-1, mean.shape[1])
        trace = decoder.forward(z)
        logits = trace.outputs.astype(np.float64).reshape(*away.shape[:2], -1)
        value[part] = log_likelihood(logits, images[part, None]) @ weights
        slope = (images[part, None] - expit(logits)).reshape(len(z), -1)
        slopes = decoder.pull(trace, slope).astype(np.float64).reshape(away.shape)
        by_mean[part] = np.einsum("nki,k->ni", slopes, weights)
        if root.ndim == 2:
            by_root[part] = np.einsum("nki,k,ki->ni", slopes, weights, points)
        else:
            by_root[part] = np.einsum("nki,k,kj->nij", slopes, weights, points)
    return value, by_mean, by_root


def _parts(images: int, points: int) -> Iterator[slice]:
    """Yield the images in parts that are decoded at one time."""
    size = max(1, ROWS // points)
    for start in range(0, images, size):
        yield slice(start, min(start + size, images))
