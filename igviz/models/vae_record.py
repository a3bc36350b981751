"""A training that is watched: after each epoch what it brought, and what the decoder shows over the plane."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from igviz.models.images import digits
from igviz.models.vae import EPOCHS, RATE, VAE
from igviz.models.vae_walk import Epoch

ROW = 8  # places in a row of the plane
QUANTILES = ndtri((np.arange(ROW) + 0.5) / ROW)
# shape (64, 2): equal shares of p(z), row by row, the first row the highest
PLACES = np.stack(np.meshgrid(QUANTILES, QUANTILES[::-1]), axis=-1).reshape(-1, 2)


class Record(NamedTuple):
    """A training of a VAE with two latent numbers by the digits, as far as it has come; never changed."""

    rate: float  # Adam's
    hidden: int  # units of each hidden layer
    seed: int
    epochs: tuple[Epoch, ...]
    shown: tuple[np.ndarray, ...]  # after each epoch P(pixel is black) at `PLACES`, shape (64, 64), float32
    ended: str  # why; empty while it goes on

    def best_so_far(self, epoch: int) -> int:
        """Return which of the epochs up to this one had the best validation ELBO."""
        return 1 + int(np.argmax([one.validation_elbo for one in self.epochs[:epoch]]))


def recorded(vae: VAE, rate: float = RATE, epochs: int = EPOCHS, beta: float = 1.0) -> Generator[Record]:
    """Train an autoencoder by the digits, and give the record after each epoch, and once more at the end.

    Raises
    ------
    FloatingPointError
        If the training runs away.
    """
    parts = digits()
    record = Record(rate, vae.hidden[0], vae.seed, (), (), "")
    for epoch in vae.epochs(parts.training, parts.validation, epochs, beta, rate=rate):
        record = record._replace(
            epochs=(*record.epochs, epoch),
            shown=(*record.shown, vae.decode(PLACES).astype(np.float32)),
        )
        yield record
    yield record._replace(ended=vae.training.stopped)
