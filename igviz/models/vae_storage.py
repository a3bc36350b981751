"""A variational autoencoder in a file: weights, history, and where its training stands."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from igviz.models.vae import VAE

FORMAT = "igviz.VAE 1"


def save(vae: VAE, path: str | Path) -> Path:
    """Write a fitted VAE to an .npz file, the ending added if it is missing; return its path."""
    training = vae.training
    last = dict(training.last)
    words = {
        "format": FORMAT,
        "latent": vae.latent,
        "hidden": vae.hidden,
        "seed": vae.seed,
        "dtype": vae.dtype.name,
        "pixels": vae.encoder.sizes[0],
        "best_epoch": training.best_epoch,
        "stopped": training.stopped,
        "epoch": last.pop("epoch"),
        "steps": last.pop("steps"),
        "rng": last.pop("rng"),
    }
    arrays = {f"last_{name}": array for name, array in last.items()}
    arrays["best_encoder"], arrays["best_decoder"] = training.best
    arrays["history"] = np.array(training.history, dtype=np.float64).reshape(-1, 5)
    written = Path(path)
    if written.suffix != ".npz":
        written = written.with_name(written.name + ".npz")
    np.savez_compressed(written, about=np.array(json.dumps(words)), **arrays)
    return written


def load(kind: type[VAE], path: str | Path) -> VAE:
    """Return what `save` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds something else.
    """
    try:
        with np.load(Path(path), allow_pickle=False) as file:
            held = dict(file)
        words = json.loads(str(held["about"]))
        if words["format"] != FORMAT:
            raise KeyError("format")
    except (KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"VAE.load: path must name a file written by VAE.save, got {str(path)!r}") from error
    vae = kind(words["latent"], words["hidden"], words["seed"], words["dtype"])
    vae.make(words["pixels"])
    training = vae.training
    training.last = {name[5:]: held[name] for name in held if name.startswith("last_")}
    training.last |= {name: words[name] for name in ("epoch", "steps", "rng")}
    training.best = held["best_encoder"], held["best_decoder"]
    training.best_epoch, training.stopped = words["best_epoch"], words["stopped"]
    training.resume(held["history"])
    return vae
