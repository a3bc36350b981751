"""log p(x) of images under a decoder: the integral over the latent numbers, or a bound by samples."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from igviz.geometry.one_thread import one_thread
from igviz.models.vae_quadrature import in_double, log_likelihood, log_normaliser

if TYPE_CHECKING:
    from igviz.models.network import Network

STEP, HALVINGS = 0.125, 7
RADIUS = 9.0  # looked at for every image, and farther where that might not be enough
TAIL = 20.0  # nats below p(x) that what lies out of reach can add: as p(x|z) ≤ 1 it is below exp(−radius²/2)
MATTERS = 30.0  # nats below an image's sum from which on points, and what lies between them, are left out
CHANGE = 1e-6  # nats, at the last halving
TILE = 8  # squares along each side that are filled at a time
IMAGES = 512  # at a time: for each square and image is known whether it matters
ROWS, ENTRIES = 2048, 200_000  # points, and pairs of points and images, at a time: they stay in the cache
HALF_LOG_TWO_PI = 0.5 * np.log(2.0 * np.pi)


@one_thread
def by_quadrature(decoder: Network, images: np.ndarray) -> np.ndarray:
    """Return log p(x) in nats, shape (n,), with one or two latent numbers.

    The trapezoid rule on a square grid converges geometrically for smooth integrands that vanish at the ends
    (Trefethen and Weideman 2014, section 5); for each image the step is halved until that changes nothing by
    1e-6 nats. From the second halving on new points are laid only where the first grid saw what matters.

    Raises
    ------
    ArithmeticError
        If the finest grid is too coarse.
    """
    decoder = in_double(decoder)
    parts = [images[start : start + IMAGES] for start in range(0, len(images), IMAGES)]
    return np.concatenate([_integrals(decoder, part) for part in parts])


def _integrals(decoder: Network, images: np.ndarray) -> np.ndarray:
    latent = decoder.sizes[0]
    total, radius = _first_sums(decoder, images)
    disc, moving = _disc(latent, radius), np.arange(len(images))
    change = np.full(len(images), np.inf)
    for level in range(1, HALVINGS + 1):
        x, before = images[moving], total[moving]
        cells, matters = _cells(decoder, x, before, disc, everywhere=RADIUS if level == 1 else 0.0)
        added = _filled_sums(decoder, x, cells, matters, level) - level * latent * np.log(2.0)
        total[moving] = np.logaddexp(before - latent * np.log(2.0), added)
        change = np.abs(total[moving] - before)
        moving = moving[change >= CHANGE]
        if not moving.size:
            return total + latent * np.log(STEP)
    raise ArithmeticError(
        "VAE.log_likelihood: the last halving of the grid still changed an image by "
        f"{float(np.max(change)):.2g} nats"
    )


def _first_sums(decoder: Network, images: np.ndarray) -> tuple[np.ndarray, float]:
    """Return log Σ p(x|z)·p(z) over the coarsest grid, shape (n,), and how far it had to reach."""
    latent = decoder.sizes[0]
    total = _sums(decoder, images, _points(_disc(latent, RADIUS)))
    reach = np.sqrt(2.0 * np.maximum(0.0, TAIL - total - latent * np.log(STEP)))
    radius, far = max(RADIUS, float(np.max(reach))), np.flatnonzero(reach > RADIUS)
    if far.size:
        points = _points(_disc(latent, radius))
        ring = points[np.sum(points**2, axis=1) > RADIUS**2]
        total[far] = np.logaddexp(total[far], _sums(decoder, images[far], ring))
    return total, radius


def _disc(latent: int, radius: float) -> np.ndarray:
    """Return which nodes of a square lattice of this step, with a margin of one, lie within the radius."""
    last = math.ceil(radius / STEP) + 1
    squares = (STEP * np.arange(-last, last + 1)) ** 2
    return np.asarray(sum(np.ix_(*[squares] * latent)) <= radius**2)


def _points(lattice: np.ndarray) -> np.ndarray:
    """Return where the marked nodes of such a lattice are, shape (m, latent)."""
    return STEP * (np.argwhere(lattice) - (lattice.shape[0] - 1) // 2)


def _cells(
    decoder: Network, images: np.ndarray, total: np.ndarray, disc: np.ndarray, everywhere: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of the squares that are to be filled, and for which images.

    These are for all images the squares within the radius `everywhere`, for each those at nodes that matter
    to it, and the neighbours of all these.

    Returns
    -------
    corners : numpy.ndarray
        Shape (m, latent), tile by tile.
    matters : numpy.ndarray
        Of bool, shape (m, n).
    """
    points = _points(disc)
    kept = np.empty((len(points), len(images)), dtype=bool)
    unknown = np.sum(points**2, axis=1) > everywhere**2
    kept[~unknown] = True
    kept[unknown] = _mattering(decoder, images, total, points[unknown])
    marked = np.zeros((*disc.shape, len(images)), dtype=bool)
    marked[disc] = kept
    for axis in range(disc.ndim):
        marked = marked | np.roll(marked, 1, axis) | np.roll(marked, -1, axis)
    filled = np.any(marked, axis=-1)
    tiles = np.argwhere(filled) // TILE
    order = np.lexsort(tiles.T)
    return _points(filled)[order], marked[filled][order]


def _mattering(decoder: Network, images: np.ndarray, total: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return for which images which points matter, shape (m, n)."""
    made = np.empty((len(points), len(images)), dtype=bool)
    for part in _blocks(len(points), len(images)):
        np.greater(_terms(decoder, images, points[part]), total - MATTERS, out=made[part])
    return made


def _filled_sums(
    decoder: Network, images: np.ndarray, cells: np.ndarray, matters: np.ndarray, level: int
) -> np.ndarray:
    """Return log Σ p(x|z)·p(z), shape (n,), over what points in squares a grid has beyond the last one."""
    parts, latent = 2**level, cells.shape[1]
    inner = np.array(list(itertools.product(range(parts), repeat=latent)))
    offsets = STEP / parts * inner[np.any(inner % 2 == 1, axis=1)]
    total = np.full(len(images), -np.inf)
    for start in range(0, len(cells), TILE**latent):
        part = slice(start, start + TILE**latent)
        which = np.flatnonzero(np.any(matters[part], axis=0))
        points = (cells[part, None] + offsets).reshape(-1, latent)
        total[which] = np.logaddexp(total[which], _sums(decoder, images[which], points))
    return total


def _sums(decoder: Network, images: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return log Σ p(x|z)·p(z) over points z, shape (n,)."""
    total = np.full(len(images), -np.inf)
    for part in _blocks(len(points), len(images)):
        terms = _terms(decoder, images, points[part])
        top = np.max(terms, axis=0)
        terms -= top
        np.exp(terms, out=terms)
        total = np.logaddexp(total, top + np.log(np.sum(terms, axis=0)))
    return total


def _terms(decoder: Network, images: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return log p(x|z)·p(z) at points z, shape (m, n)."""
    logits = decoder(z)
    log_prior = -0.5 * np.sum(z**2, axis=1) - z.shape[1] * HALF_LOG_TWO_PI
    terms = logits @ images.T
    terms += (log_prior - log_normaliser(logits))[:, None]
    return terms


def _blocks(points: int, images: int) -> Iterator[slice]:
    """Yield the points in blocks that are decoded at one time."""
    rows = max(64, min(ROWS, ENTRIES // images))
    return (slice(start, start + rows) for start in range(0, points, rows))


@one_thread
def by_importance(
    decoder: Network,
    images: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    samples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return log of the mean of p(x|z)·p(z)/q(z) over samples of each q, shape (n,), in nats."""
    decoder, made = in_double(decoder), np.empty(len(images))
    for row, image in enumerate(images):
        noise = rng.standard_normal((samples, mean.shape[1]))
        z = mean[row] + std[row] * noise
        weights = log_likelihood(decoder(z), image)
        weights += np.sum(0.5 * (noise**2 - z**2) + np.log(std[row]), axis=1)
        made[row] = logsumexp(weights) - np.log(samples)
    return made
