"""Natural-gradient steps on the q of each image, all images at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from igviz.models.vae_quadrature import expected_derivatives
from igviz.models.vae_training import kl_of_units

if TYPE_CHECKING:
    from igviz.models.network import Network

SHORTEST = 2.0**-12  # an image whose step would have to be shorter rests
FALL = 1e-11  # of max(1, |ELBO|): not a fall


def refine(
    decoder: Network, images: np.ndarray, mean: np.ndarray, std: np.ndarray, steps: int, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and std of each image's q, shapes (n, latent), after natural-gradient steps on its ELBO.

    With Λ = 1/std² a step is Λ ← (1 − ρ)Λ + ρ(1 − E_q[∂²log p(x|z)]), mean ← mean + ρ·Λ_new⁻¹·∇ELBO, as in
    lecture 05. Where it would lower an image's ELBO, or a precision would not stay positive, that image's ρ
    is halved; it doubles again afterwards.
    """
    mean, std = np.array(mean, dtype=np.float64), np.array(std, dtype=np.float64)
    value, by_mean, by_std = _place(decoder, images, mean, std)
    size = np.full(len(images), float(step))
    for _ in range(steps):
        moving = np.flatnonzero(size >= SHORTEST)
        if not moving.size:
            break
        rho = size[moving, None]
        precision = (1.0 - rho) / std[moving] ** 2 + rho * (1.0 - by_std[moving] / std[moving])
        stays = np.all(precision > 0.0, axis=1)
        size[moving[~stays]] *= 0.5
        moving, rho, precision = moving[stays], rho[stays], precision[stays]
        if not moving.size:
            continue
        new_mean = mean[moving] + rho * (by_mean[moving] - mean[moving]) / precision
        new_std = 1.0 / np.sqrt(precision)
        place = _place(decoder, images[moving], new_mean, new_std)
        better = place[0] >= value[moving] - FALL * np.maximum(1.0, np.abs(value[moving]))
        up = moving[better]
        mean[up], std[up] = new_mean[better], new_std[better]
        value[up], by_mean[up], by_std[up] = (one[better] for one in place)
        size[up] = np.minimum(step, 2.0 * size[up])
        size[moving[~better]] *= 0.5
    return mean, std


def _place(
    decoder: Network, images: np.ndarray, mean: np.ndarray, std: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each image's ELBO, shape (n,), and the derivatives of E_q[log p(x|z)] by mean and std."""
    value, by_mean, by_std = expected_derivatives(decoder, images, mean, std)
    return value - np.sum(kl_of_units(mean, np.log(std)), axis=1), by_mean, by_std
