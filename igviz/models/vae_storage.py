"""A variational autoencoder in a file: weights, history, and where its training stands."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from igviz.models.vae_walk import Epoch, Standing

if TYPE_CHECKING:
    from igviz.models.vae import VAE

FORMAT = "igviz.VAE 1"


def pack(vae: VAE) -> dict[str, np.ndarray]:
    """Return all there is to know about a VAE that has weights, as arrays; the words among it are JSON."""
    training, standing = vae.training, vae.training.standing
    last = dict(standing.last)
    words = {
        "format": FORMAT,
        "latent": vae.latent,
        "hidden": vae.hidden,
        "seed": vae.seed,
        "dtype": vae.dtype.name,
        "pixels": vae.encoder.sizes[0],
        "best_epoch": standing.best_epoch,
        "stopped": training.stopped,
        "last": {name: last.pop(name) for name in ("epoch", "steps", "rng")},
    }
    arrays = {f"last_{name}": array for name, array in last.items()}
    arrays["best_encoder"], arrays["best_decoder"] = standing.best
    arrays["history"] = np.array(standing.history, dtype=np.float64).reshape(-1, len(Epoch._fields))
    return arrays | {"about": np.array(json.dumps(words))}


def unpack(kind: type[VAE], held: dict[str, np.ndarray]) -> VAE:
    """Return what `pack` was given, sharing nothing with it."""
    words = json.loads(str(held["about"]))
    if words["format"] != FORMAT:
        raise ValueError(f"the format is {words['format']}, not {FORMAT}")
    vae = kind(words["latent"], words["hidden"], words["seed"], words["dtype"])
    vae.make(words["pixels"])
    last = {name[5:]: array.copy() for name, array in held.items() if name.startswith("last_")}
    best = held["best_encoder"].copy(), held["best_decoder"].copy()
    history = tuple(Epoch(int(row[0]), *map(float, row[1:])) for row in held["history"])
    standing = Standing(last | words["last"], best, words["best_epoch"], history)
    vae.training.walk.restore(standing.last)  # which fails if the arrays are of another network
    vae.training.resume(standing, words["stopped"])
    return vae


def save(vae: VAE, path: str | Path) -> Path:
    """Write a VAE that has weights to an .npz file, the ending added if it is missing; return its path.

    An interruption leaves the file that was there before.
    """
    arrays, written = pack(vae), _named("VAE.save", path)
    unfinished = written.with_name(written.name + ".unfinished")
    try:
        with unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        unfinished.replace(written)
    finally:
        unfinished.unlink(missing_ok=True)
    return written


def load(kind: type[VAE], path: str | Path) -> VAE:
    """Return what `save` wrote, by the path `save` was given or returned.

    Raises
    ------
    TypeError
        If the path is none.
    OSError
        If there is no such file, or it may not be read.
    ValueError
        If the file holds something else, or is damaged.
    """
    with _named("VAE.load", path).open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as held:
                return unpack(kind, dict(held))
        except Exception as error:  # a damaged archive may fail anywhere, in many ways
            raise ValueError(
                f"VAE.load: path must name a whole file written by VAE.save, got {str(path)!r} ({error})"
            ) from error


def _named(where: str, path: str | Path) -> Path:
    """Return the path with the ending .npz."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{where}: path must be a str or a pathlib.Path, got {path!r}")
    given = Path(path)
    if not given.name:
        raise ValueError(f"{where}: path must name a file, got {str(path)!r}")
    return given if given.suffix == ".npz" else given.with_name(given.name + ".npz")
