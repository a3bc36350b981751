"""The autoencoders of lecture 06: trained on the digits when they are first asked for, then kept.

`lecture` is the one everything is shown of; `use` puts another one in its place. `by_beta` are those trained
with other weights of the KL. `long_run` is one that was never stopped, with its weights on the way.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from igviz.models.images import digits
from igviz.models.vae import VAE

BETAS = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0)
# epochs of the long run whose weights are kept
STATIONS = (5, 20, 50, 100, 200, 400, 700, 1000)

_used: list[VAE] = []


@cache
def _lecture() -> VAE:
    return VAE(latent=2, seed=0).fit(digits().training, digits().validation, progress=False)


def lecture() -> VAE:
    """Return the autoencoder of the lecture: the last one given to `use`, or one trained now (3 s)."""
    return _used[-1] if _used else _lecture()


def use(vae: VAE | None) -> None:
    """Let the lecture's panels show this autoencoder from their next frame on; None: the lecture's own.

    Raises
    ------
    TypeError, ValueError
        If it is not a fitted VAE of two latent numbers and 64 pixels.
    """
    if vae is not None:
        if not isinstance(vae, VAE):
            raise TypeError(f"digit_vaes.use: vae must be an igviz.VAE or None, got {vae!r}")
        if not vae.history or vae.latent != 2 or vae.encoder.sizes[0] != 64:
            raise ValueError(
                f"digit_vaes.use: vae must be fitted to the digits with two latent numbers, got {vae!r}"
            )
    _used[:] = [] if vae is None else [vae]


@cache
def by_beta(beta: float) -> VAE:
    """Return an autoencoder trained like the lecture's, with this weight of the KL."""
    if beta == 1.0:
        return _lecture()
    parts = digits()
    return VAE(latent=2, seed=0).fit(parts.training, parts.validation, beta=beta, progress=False)


class Station(NamedTuple):
    """The long run after some epochs."""

    epoch: int
    encoder: np.ndarray  # parameters
    decoder: np.ndarray


@cache
def long_run() -> tuple[Station, ...]:
    """Return the weights on the way of a training without validation images (10 s)."""
    vae, kept = VAE(latent=2, seed=0), []
    for epoch in vae.epochs(digits().training, epochs=STATIONS[-1], patience=None):
        if epoch.number in STATIONS:
            kept.append(Station(epoch.number, vae.encoder.parameters.copy(), vae.decoder.parameters.copy()))
    return tuple(kept)


@cache
def after(epoch: int) -> VAE:
    """Return the autoencoder of the long run with the weights it had after one of `STATIONS`."""
    station = next(one for one in long_run() if one.epoch == epoch)
    vae = VAE(latent=2, seed=0)
    vae.make(64)
    vae.encoder.parameters[:], vae.decoder.parameters[:] = station.encoder, station.decoder
    return vae
