"""The walk of a training: minibatches, Adam, and stopping where the validation images were best."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np

from igviz.models.adam import Adam
from igviz.models.network import Network
from igviz.models.vae_training import loss, validate

VALIDATION_DRAWS = 8  # of z for each image; the same in every epoch, so that epochs can be compared


class Epoch(NamedTuple):
    """What one pass over the images brought, in nats an image."""

    number: int  # from 1 on, over all calls of fit
    reconstruction: float  # mean of log p(x|z) over the training images, as met, one z each
    kl: float  # mean of KL(q(z|x)‖p(z)) over the training images, as met
    validation_reconstruction: float  # NaN without validation images
    validation_kl: float

    @property
    def elbo(self) -> float:
        """The training ELBO, as met while the weights moved."""
        return self.reconstruction - self.kl

    @property
    def validation_elbo(self) -> float:
        """The ELBO of the validation images, by a few fixed draws."""
        return self.validation_reconstruction - self.validation_kl


class Settings(NamedTuple):
    """How long and how fast a walk goes."""

    epochs: int
    beta: float
    batch: int
    rate: float
    patience: int


class Walk:
    """Where a training stands: both networks' weights, what Adam remembers, the random numbers, the epoch."""

    def __init__(self, encoder: Network, decoder: Network, rng: np.random.Generator) -> None:
        self.encoder, self.decoder, self.rng, self.epoch = encoder, decoder, rng, 0
        self.adams = tuple(Adam(one.parameters.size, one.dtype) for one in (encoder, decoder))

    def advance(self, images: np.ndarray, beta: float, batch: int, rate: float) -> tuple[float, float]:
        """Pass once over the images in random order; return the means of log p(x|z) and KL, as met."""
        latent, dtype = self.decoder.sizes[0], self.encoder.dtype
        order = self.rng.permutation(len(images))
        shuffled = images[order]
        noise = self.rng.standard_normal((len(images), latent), dtype=dtype)
        reconstruction = kl = 0.0
        for start in range(0, len(images), batch):
            part = slice(start, start + batch)
            made = loss(self.encoder, self.decoder, shuffled[part], noise[part], beta)
            self.adams[0].step(self.encoder.parameters, made.encoder, rate)
            self.adams[1].step(self.decoder.parameters, made.decoder, rate)
            reconstruction += float(np.sum(made.reconstruction))
            kl += float(np.sum(made.kl))
        self.epoch += 1
        return reconstruction / len(images), kl / len(images)

    def keep(self) -> dict[str, Any]:
        """Return all that is needed to go on from here, copied."""
        kept: dict[str, Any] = {
            "epoch": self.epoch,
            "steps": self.adams[0].steps,
            "rng": self.rng.bit_generator.state,
        }
        for name, network, adam in zip(
            ("encoder", "decoder"), (self.encoder, self.decoder), self.adams, strict=True
        ):
            kept[name] = network.parameters.copy()
            kept[f"{name}_mean"], kept[f"{name}_square"] = adam.mean.copy(), adam.square.copy()
        return kept

    def restore(self, kept: dict[str, Any]) -> None:
        """Go back to where `keep` was called."""
        self.epoch = int(kept["epoch"])
        self.rng.bit_generator.state = kept["rng"]
        steps = int(kept["steps"])
        for name, network, adam in zip(
            ("encoder", "decoder"), (self.encoder, self.decoder), self.adams, strict=True
        ):
            network.parameters[:] = kept[name]
            adam.mean[:], adam.square[:], adam.steps = kept[f"{name}_mean"], kept[f"{name}_square"], steps


class Training:
    """A walk, its history, and the best weights on the way.

    Parameters
    ----------
    encoder, decoder : Network
        Trained in place. Between two epochs they have the weights of the moment, otherwise the best.
    rng : numpy.random.Generator
        Of the order of the images and the noise.
    seed : int
        Of the fixed noise of the validation.
    """

    def __init__(self, encoder: Network, decoder: Network, rng: np.random.Generator, seed: int) -> None:
        self.walk, self.seed = Walk(encoder, decoder, rng), seed
        self.history: list[Epoch] = []
        self.best_epoch, self.stopped = 0, ""
        self.last = self.walk.keep()
        self.best = self.last["encoder"], self.last["decoder"]

    def resume(self, history: np.ndarray) -> None:
        """Take over a stored history, shape (epochs, 5), with `last` and `best` already set."""
        self.history = [Epoch(int(row[0]), *map(float, row[1:])) for row in history]
        self.walk.restore(self.last)
        self.use_best()

    def use_best(self) -> None:
        """Put the best weights into the networks."""
        self.walk.encoder.parameters[:], self.walk.decoder.parameters[:] = self.best

    def epochs(self, images: np.ndarray, held_out: np.ndarray | None, how: Settings) -> Generator[Epoch]:
        """Go on from the last epoch; keep the weights that are best by the held-out images.

        However it ends, the networks have the best weights then, and the next call goes on from the end of
        the last whole epoch.

        Raises
        ------
        FloatingPointError
            If the training runs away.
        """
        walk, reason = self.walk, "Interrupted."
        best, since = -np.inf, 0
        try:
            if held_out is not None:
                shape = (VALIDATION_DRAWS, len(held_out), walk.decoder.sizes[0])
                noise = np.random.default_rng(self.seed).standard_normal(shape, dtype=held_out.dtype)
                if self.history:  # perhaps by other images or another beta
                    self.use_best()
                    part, kl = validate(walk.encoder, walk.decoder, held_out, noise)
                    best = part - how.beta * kl
            walk.restore(self.last)
            for _ in range(how.epochs):
                with np.errstate(over="ignore", invalid="ignore"):  # what runs away is reported below
                    met = walk.advance(images, how.beta, how.batch, how.rate)
                    seen = (np.nan, np.nan)
                    if held_out is not None:
                        seen = validate(walk.encoder, walk.decoder, held_out, noise)
                part, kl = met if held_out is None else seen
                if not np.all(np.isfinite([*met, part, kl])):
                    reason = "Ran away."
                    raise FloatingPointError(
                        f"VAE.fit: the training ran away in epoch {walk.epoch} at rate {how.rate:g}; "
                        "the best weights before are kept, a smaller rate may help"
                    )
                since += 1
                self.last = walk.keep()
                self.history.append(Epoch(walk.epoch, *met, *seen))
                if held_out is None or part - how.beta * kl > best:
                    best, since = part - how.beta * kl, 0
                    self.best, self.best_epoch = (self.last["encoder"], self.last["decoder"]), walk.epoch
                yield self.history[-1]
                if since >= how.patience:
                    reason = f"None of the last {since} was better."
                    return
            reason = "All were done."
        except KeyboardInterrupt:
            del self.history[int(self.last["epoch"]) :]
        finally:
            self.stopped = reason
            walk.restore(self.last)
            self.use_best()
