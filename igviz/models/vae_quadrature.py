"""Where the Gaussians q of many images are looked at, and what is averaged there: log p(x|z)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from igviz.geometry.one_thread import one_thread
from igviz.models.network import Network

# along each latent number; with 32 the mean of log p(x|z) of the lecture's digits is right to 4e-3 nats for
# the worst of them, to 1e-6 for most; more numbers than two are averaged over draws
NODES = {1: 64, 2: 32}
LIGHTEST = 1e-10  # nodes of less weight are left out: together they have 2e-9
DRAWS = 512  # half of them the negatives of the others
ROWS = 2048  # decoded at a time: the layers stay in the processor's cache


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
        kept = product > LIGHTEST
        return grid[kept], product[kept] / product[kept].sum()
    half = np.random.default_rng(0).standard_normal((DRAWS // 2, latent))
    both = np.concatenate([half, -half])
    both /= np.sqrt(np.mean(both**2, axis=0))
    return both, np.full(DRAWS, 1.0 / DRAWS)


def in_double(decoder: Network) -> Network:
    """Return the decoder, or a copy that computes in float64 with the same weights.

    Trained in float32 or not, a decoder is one function; what is compared by small differences, such as an
    ELBO before and after a step, must not carry the noise of its arithmetic.
    """
    if decoder.dtype == np.float64:
        return decoder
    copy = Network(decoder.sizes, decoder.activation)
    copy.parameters[:] = decoder.parameters
    return copy


def log_likelihood(logits: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return log p(x|z) in nats, shape (...), of pixels with these logits, shapes (..., pixels)."""
    total = np.einsum("...i,...i->...", images, logits)
    total -= log_normaliser(logits)
    return total


def log_normaliser(logits: np.ndarray) -> np.ndarray:
    """Return Σ log(1 + e^logit) over the last axis: what log p(x|z) falls short of Σ x·logit by."""
    rest = np.abs(logits)
    np.negative(rest, out=rest)
    np.exp(rest, out=rest)
    np.log1p(rest, out=rest)
    rest += np.maximum(logits, 0.0)
    return np.sum(rest, axis=-1)


@one_thread
def expected_log_likelihood(
    decoder: Network, images: np.ndarray, mean: np.ndarray, root: np.ndarray
) -> np.ndarray:
    """Return E_q[log p(x|z)] in nats, shape (n,); arguments as of `expected_derivatives`."""
    points, weights = nodes(mean.shape[1])
    decoder, made = in_double(decoder), np.empty(len(images))
    for part in _parts(len(images), len(points)):
        z = mean[part, None] + _spread(root[part], points)
        made[part] = log_likelihood(decoder(z), images[part, None]) @ weights
    return made


@one_thread
def expected_derivatives(
    decoder: Network, images: np.ndarray, mean: np.ndarray, root: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean of log p(x|z) under each q and its derivatives by the q's numbers.

    Parameters
    ----------
    decoder : Network
        From z to the logits of the pixels; whatever its dtype, all is computed in float64.
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
    weighted = weights[:, None] * points
    decoder = in_double(decoder)
    value, by_mean, by_root = np.empty(len(images)), np.empty(mean.shape), np.empty(root.shape)
    for part in _parts(len(images), len(points)):
        z = mean[part, None] + _spread(root[part], points)
        trace = decoder.forward(z.reshape(-1, mean.shape[1]))
        logits = trace.outputs.reshape(*z.shape[:2], -1)
        value[part] = log_likelihood(logits, images[part, None]) @ weights
        slopes = decoder.pull(trace, _slope(logits, images[part, None])).reshape(z.shape)
        by_mean[part] = weights @ slopes
        crossed = np.swapaxes(slopes, 1, 2) @ weighted
        by_root[part] = np.diagonal(crossed, axis1=1, axis2=2) if root.ndim == 2 else crossed
    return value, by_mean, by_root


def _spread(root: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return root·ε for each root and node, shape (n, K, latent)."""
    return root[:, None] * points if root.ndim == 2 else points @ np.swapaxes(root, 1, 2)


def _slope(logits: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return ∂log p(x|z)/∂logits = x − σ(logits), one row a point; tanh is three times as fast as expit."""
    slope = np.tanh(0.5 * logits)
    slope += 1.0
    slope *= -0.5
    slope += images
    return slope.reshape(-1, logits.shape[-1])


def _parts(images: int, points: int) -> Iterator[slice]:
    """Yield the images in parts that are decoded at one time."""
    size = max(1, ROWS // points)
    for start in range(0, images, size):
        yield slice(start, min(start + size, images))
