"""log p(x) of images under a decoder: the integral over the latent numbers, or a bound by samples."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from igviz.models.vae_quadrature import ROWS, log_likelihood

if TYPE_CHECKING:
    from igviz.models.network import Network

# p(x|z) ≤ 1, so what lies farther out adds less than exp(−RADIUS²/2) = 1e-18 to p(x) in the plane, where
# even images of log p(x) = −32 keep four digits after the point
RADIUS = 9.0
STEP, HALVINGS = 0.125, 5
CHANGE = 1e-6  # nats, at the last halving
HALF_LOG_TWO_PI = 0.5 * np.log(2.0 * np.pi)


def by_quadrature(decoder: Network, images: np.ndarray) -> np.ndarray:
    """Return log p(x) in nats, shape (n,), with one or two latent numbers.

    The trapezoid rule on a square grid converges geometrically for smooth integrands that vanish at the ends
    (Trefethen and Weideman 2014, section 5); the step is halved until no image changes by 1e-6 nats.

    Raises
    ------
    ArithmeticError
        If the finest grid is too coarse.
    """
    latent = decoder.sizes[0]
    step = STEP
    total = _sums(decoder, images, _grid(latent, step, np.zeros(latent)))
    change = np.inf
    for _ in range(HALVINGS):
        corners = [c for c in itertools.product((0.0, 0.5 * step), repeat=latent) if any(c)]
        new = [_sums(decoder, images, _grid(latent, step, np.array(corner))) for corner in corners]
        step *= 0.5
        finer = logsumexp([total, *new], axis=0)
        change = float(np.max(np.abs(finer - total - latent * np.log(2.0))))
        total = finer
        if change < CHANGE:
            return total + latent * np.log(step)
    raise ArithmeticError(
        f"VAE.log_likelihood: the last halving of the grid still changed an image by {change:.2g} nats"
    )


def _grid(latent: int, step: float, offset: np.ndarray) -> np.ndarray:
    """Return the points of a shifted grid within the radius, shape (m, latent)."""
    line = step * np.arange(-np.ceil(RADIUS / step), np.ceil(RADIUS / step) + 1.0)
    points = np.stack(np.meshgrid(*[line] * latent, indexing="ij"), axis=-1).reshape(-1, latent) + offset
    return points[np.sum(points**2, axis=1) <= RADIUS**2]


def _sums(decoder: Network, images: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return log Σ p(x|z)·p(z) over points z, shape (n,)."""
    total = np.full(len(images), -np.inf)
    rows = max(1, min(ROWS, 4_000_000 // len(images)))
    for start in range(0, len(points), rows):
        z = points[start : start + rows]
        logits = decoder(z).astype(np.float64)
        constant = np.sum(np.maximum(logits, 0.0) + np.log1p(np.exp(-np.abs(logits))), axis=1)
        constant += 0.5 * np.sum(z**2, axis=1) + z.shape[1] * HALF_LOG_TWO_PI
        terms = logits @ images.T
        terms -= constant[:, None]
        top = np.max(terms, axis=0)
        terms -= top
        np.exp(terms, out=terms)
        total = np.logaddexp(total, top + np.log(np.sum(terms, axis=0)))
    return total


def by_importance(
    decoder: Network,
    images: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    samples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return log of the mean of p(x|z)·p(z)/q(z) over samples of each q, shape (n,), in nats."""
    made = np.empty(len(images))
    for row, image in enumerate(images):
        noise = rng.standard_normal((samples, mean.shape[1]))
        z = mean[row] + std[row] * noise
        weights = log_likelihood(decoder(z).astype(np.float64), image)
        weights += np.sum(0.5 * (noise**2 - z**2) + np.log(std[row]), axis=1)
        made[row] = logsumexp(weights) - np.log(samples)
    return made
