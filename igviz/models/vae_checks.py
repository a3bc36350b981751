"""What a variational autoencoder checks of its arguments, beside the images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.normal import Normal
from igviz.geometry.numerics import as_numbers
from igviz.inference.arguments import require, require_count, require_positive
from igviz.models.vae_walk import Settings


def check_sizes(latent: object, hidden: object, seed: object) -> tuple[int, tuple[int, ...], int]:
    """Return what a VAE is made of, as plain numbers; raise ValueError if it cannot be."""
    require_count("VAE", "latent", latent, 1)
    require_count("VAE", "seed", seed)
    listed = isinstance(hidden, Sequence | np.ndarray) and not isinstance(hidden, str) and len(hidden) > 0
    require(listed, "VAE", "hidden", hidden, "a list of layer sizes, such as (64, 64)")
    for size in hidden:  # type: ignore[attr-defined]
        require_count("VAE", "hidden", size, 1)
    return int(latent), tuple(int(size) for size in hidden), int(seed)  # type: ignore[call-overload, attr-defined]


def check_settings(epochs: object, beta: object, batch: object, rate: object, patience: object) -> Settings:
    """Return how to train; raise ValueError naming what is wrong. No patience is one for all epochs."""
    require_count("VAE.fit", "epochs", epochs, 1)
    number = isinstance(beta, int | float | np.integer | np.floating) and not isinstance(beta, bool)
    right = number and 0.0 <= float(beta) < np.inf  # type: ignore[arg-type]
    require(right, "VAE.fit", "beta", beta, "a finite number of at least 0")
    require_count("VAE.fit", "batch", batch, 1)
    require_positive("VAE.fit", "rate", rate)
    if patience is None:
        patience = epochs
    require_count("VAE.fit", "patience", patience, 1)
    return Settings(int(epochs), float(beta), int(batch), float(rate), int(patience))  # type: ignore[call-overload, arg-type]


def check_points(where: str, points: ArrayLike, latent: int) -> np.ndarray:
    """Return points of the latent space, shape (..., latent), as floats; raise ValueError for others."""
    made = as_numbers(where, "latent", points)
    if made.ndim == 0 or made.shape[-1] != latent or not np.all(np.isfinite(made)):
        raise ValueError(
            f"{where}: latent must be finite and of shape (..., {latent}), got shape {made.shape}: {points!r}"
        )
    return made


def check_q(where: str, q: object, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and std of normals, one row an image; raise TypeError or ValueError for others."""
    if not isinstance(q, Normal):
        raise TypeError(f"{where}: q must be an igviz.Normal of shape {shape}, got {type(q).__name__}")
    mean, std = np.broadcast_arrays(q.mean, q.std)
    if mean.shape != shape:
        raise ValueError(f"{where}: q must have shape {shape}, one row an image, got {mean.shape}")
    return mean, std
