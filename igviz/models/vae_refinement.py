"""Natural-gradient steps on the q of each image, all images at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from igviz.models.vae_quadrature import expected_derivatives, in_double
from igviz.models.vae_training import kl_of_units

if TYPE_CHECKING:
    from igviz.models.network import Network

SHORTEST = 2.0**-12  # an image whose step would have to be shorter rests
SETTLED = 1e-17  # nats, half the squared Fisher length of a natural gradient: the image rests
FALL = 1e-11  # of max(1, |ELBO|): not a fall
# shares of the rise that the slope promises: half of it is kept by a step right onto a parabola's top, and
# nothing by one as far beyond it; after less than LITTLE steps become shorter, after more than MUCH longer
LITTLE, MUCH = 0.35, 0.6


class Place(NamedTuple):
    """Where each image's q is: mean and std, shapes (n, latent), and ELBO in nats, shape (n,)."""

    mean: np.ndarray
    std: np.ndarray
    elbo: np.ndarray


def refine(
    decoder: Network, images: np.ndarray, mean: np.ndarray, std: np.ndarray, steps: int, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and std of each image's q, shapes (n, latent), where `walk` ends."""
    *_, end = walk(decoder, images, mean, std, steps, step)
    return end.mean, end.std


def walk(
    decoder: Network, images: np.ndarray, mean: np.ndarray, std: np.ndarray, steps: int, step: float
) -> Iterator[Place]:
    """Yield where each image's q starts, and is after each natural-gradient step on its ELBO while one moves.

    With Λ = 1/std² a step is Λ ← (1 − ρ)Λ + ρ(1 − E_q[∂²log p(x|z)]), mean ← mean + ρ·Λ_new⁻¹·∇ELBO, as in
    lecture 05. Where it would lower an image's ELBO, or a precision would not stay positive, that image's ρ
    is halved; it doubles again afterwards. Images that have arrived are not looked at any more.
    """
    decoder = in_double(decoder)
    mean, std = np.array(mean, dtype=np.float64), np.array(std, dtype=np.float64)
    value, by_mean, change = _place(decoder, images, mean, std)
    size = np.full(len(images), float(step))
    yield Place(mean.copy(), std.copy(), value.copy())
    for _ in range(steps):
        left = 0.5 * np.sum((std * by_mean) ** 2 + 0.5 * (change * std**2) ** 2, axis=1)
        moving = np.flatnonzero((size >= SHORTEST) & (left > SETTLED))
        if not moving.size:
            break
        precision = std[moving] ** -2 + size[moving, None] * change[moving]
        stays = np.all(precision > 0.0, axis=1)
        size[moving[~stays]] *= 0.5
        moving, precision = moving[stays], precision[stays]
        if not moving.size:
            yield Place(mean.copy(), std.copy(), value.copy())
            continue
        new_mean = mean[moving] + size[moving, None] * by_mean[moving] / precision
        new_std = 1.0 / np.sqrt(precision)
        place = _place(decoder, images[moving], new_mean, new_std)
        risen = place[0] - value[moving]
        rounding = FALL * np.maximum(1.0, np.abs(value[moving]))
        share = np.where(risen > rounding, risen / (2.0 * size[moving] * left[moving]), 0.5)
        better = risen >= -rounding
        up = moving[better]
        mean[up], std[up] = new_mean[better], new_std[better]
        value[up], by_mean[up], change[up] = (one[better] for one in place)
        size[moving] *= np.where(~better | (share < LITTLE), 0.5, np.where(share > MUCH, 2.0, 1.0))
        size[moving] = np.minimum(step, size[moving])
        yield Place(mean.copy(), std.copy(), value.copy())


def _place(
    decoder: Network, images: np.ndarray, mean: np.ndarray, std: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each image's ELBO, shape (n,), its gradient by the mean, and the change of Λ at step 1."""
    value, by_mean, by_std = expected_derivatives(decoder, images, mean, std)
    elbo = value - np.sum(kl_of_units(mean, np.log(std)), axis=1)
    return elbo, by_mean - mean, 1.0 - by_std / std - std**-2
