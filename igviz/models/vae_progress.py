"""The progress bar of a training: text that any front end shows and that leaves nothing behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from igviz.models.vae_walk import Epoch


def show(going: Iterator[Epoch], epochs: int) -> None:
    """Run a training to its end behind a bar on stdout."""
    from tqdm.std import tqdm

    class Bar(tqdm):
        monitor_interval = 0  # no thread: there is none in a browser, and an epoch takes no second

    with Bar(total=epochs, file=sys.stdout, leave=False, unit="epoch", desc="Training") as bar:
        for epoch in going:
            value = epoch.elbo if np.isnan(epoch.validation_elbo) else epoch.validation_elbo
            bar.set_postfix_str(f"ELBO {value:.1f} nats", refresh=False)
            bar.update()
