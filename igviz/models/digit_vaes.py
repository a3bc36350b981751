"""The autoencoders of lecture 06: trained on the digits when they are first asked for, then kept.

`lecture` is the one everything is shown of; `use` puts another one in its place. `by_beta` are those trained
with other weights of the KL. `long_run` is one that was never stopped, with its weights on the way.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from igviz.inference.arguments import require
from igviz.models.images import digits
from igviz.models.vae import VAE
from igviz.models.vae_record import Record, recorded
from igviz.models.vae_walk import Standing

# at 4 both units have all but lost their KL, one of them first; at 8 both have
BETAS = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0)
# epochs of the long run whose weights are kept
STATIONS = (5, 20, 50, 100, 200, 400, 700, 1000)

_used: list[VAE] = []
_ready: set[float] = set()  # the weights of the KL whose training is done


@cache
def _trained(beta: float) -> tuple[VAE, Record]:
    vae = VAE(latent=2, seed=0)
    # not by `fit`, which takes an interruption for an end: half a training must not be kept
    for so_far in recorded(vae, beta=beta):
        last = so_far
    _ready.add(beta)
    return vae, last


def lecture() -> VAE:
    """Return the autoencoder of the lecture: the last one given to `use`, or one trained now (3 s)."""
    return _used[-1] if _used else _trained(1.0)[0]


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


def by_beta(beta: float) -> VAE:
    """Return an autoencoder trained like the lecture's own, with this weight of the KL."""
    return _trained(float(beta))[0]


def is_trained(beta: float) -> bool:
    """Return whether `by_beta` answers at once."""
    return float(beta) in _ready


def record() -> Record:
    """Return how the lecture's own autoencoder was trained, from the training that made it."""
    return _trained(1.0)[1]


@cache
def long_run() -> tuple[Standing, ...]:
    """Return where a training without validation images stood after each of `STATIONS` (6 s).

    It is in float32, which takes two thirds of the time.
    """
    vae, kept = VAE(latent=2, seed=0, dtype=np.float32), []
    for epoch in vae.epochs(digits().training, epochs=STATIONS[-1], patience=None):
        if epoch.number in STATIONS:
            kept.append(vae.training.standing)
    return tuple(kept)


@cache
def after(epoch: int) -> VAE:
    """Return the autoencoder of the long run with the weights it had after one of `STATIONS`.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    require(epoch in STATIONS, "digit_vaes.after", "epoch", epoch, f"one of {STATIONS}")
    vae = VAE(latent=2, seed=0, dtype=np.float32)
    vae.make(digits().training.shape[1])
    vae.training.resume(long_run()[STATIONS.index(epoch)], "Taken from a longer run.")
    return vae
