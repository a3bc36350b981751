"""The walk of a training: minibatches, Adam, and stopping where the validation images were best."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

import numpy as np

from igviz.geometry.one_thread import one_thread
from igviz.models.adam import Adam
from igviz.models.network import Network
from igviz.models.vae_training import loss, validate

VALIDATION_DRAWS = 8  # of z for each image; the same in every epoch, so that epochs can be compared
LOST = 1000.0  # times the log 2 a pixel that coin flips cost: a training with an ELBO below it ran away

Parts = tuple[float, float]  # the means of log p(x|z) and KL
UNSEEN = (np.nan, np.nan)


def objective(parts: Parts, beta: float) -> float:
    """Return what is climbed: the mean of log p(x|z) less beta times the KL."""
    return parts[0] - beta * parts[1]


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


class Standing(NamedTuple):
    """Where a training stands after a whole epoch. It is replaced as one, so that nothing can split it."""

    last: dict[str, Any]  # of `Walk.keep`: where to go on
    best: tuple[np.ndarray, np.ndarray]  # the parameters that are used
    best_epoch: int  # 0 before the first
    history: tuple[Epoch, ...]


class Walk:
    """Where a training stands: both networks' weights, what Adam remembers, the random numbers, the epoch."""

    def __init__(self, encoder: Network, decoder: Network, rng: np.random.Generator) -> None:
        self.encoder, self.decoder, self.rng, self.epoch = encoder, decoder, rng, 0
        self.adams = tuple(Adam(one.parameters.size, one.dtype) for one in (encoder, decoder))

    @one_thread
    def advance(self, images: np.ndarray, beta: float, batch: int, rate: float) -> Parts:
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

    def finite(self) -> bool:
        """Return whether all weights are finite numbers."""
        return all(bool(np.all(np.isfinite(one.parameters))) for one in (self.encoder, self.decoder))

    def keep(self) -> dict[str, Any]:
        """Return all that is needed to go on from here, copied."""
        kept: dict[str, Any] = {
            "epoch": self.epoch,
            "steps": self.adams[0].steps,
            "rng": self.rng.bit_generator.state,
        }
        for name, network, adam in self._named():
            kept[name] = network.parameters.copy()
            kept[f"{name}_mean"], kept[f"{name}_square"] = adam.mean.copy(), adam.square.copy()
        return kept

    def restore(self, kept: dict[str, Any]) -> None:
        """Go back to where `keep` was called."""
        self.epoch, self.rng.bit_generator.state = int(kept["epoch"]), kept["rng"]
        for name, network, adam in self._named():
            network.parameters[:], adam.steps = kept[name], int(kept["steps"])
            adam.mean[:], adam.square[:] = kept[f"{name}_mean"], kept[f"{name}_square"]

    def _named(self) -> Iterator[tuple[str, Network, Adam]]:
        return zip(("encoder", "decoder"), (self.encoder, self.decoder), self.adams, strict=True)


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

    Attributes
    ----------
    standing : Standing
        After the last whole epoch.
    stopped : str
        Why the last call ended, a sentence.
    """

    def __init__(self, encoder: Network, decoder: Network, rng: np.random.Generator, seed: int) -> None:
        self.walk, self.seed, self.stopped = Walk(encoder, decoder, rng), seed, ""
        self._turn = object()  # of the call of `epochs` that may change the networks
        last = self.walk.keep()
        self.standing = Standing(last, (last["encoder"], last["decoder"]), 0, ())

    def resume(self, standing: Standing, stopped: str) -> None:
        """Go on from where another training stood."""
        self.standing, self.stopped = standing, stopped
        self._use_best()

    def epochs(self, images: np.ndarray, held_out: np.ndarray | None, how: Settings) -> Generator[Epoch]:
        """Go on from the last whole epoch; keep the weights that are best by the held-out images.

        However it ends, by an interruption too, the networks have the best weights then, and the next call
        goes on from the end of the last whole epoch.

        Raises
        ------
        FloatingPointError
            If the training runs away.
        RuntimeError
            If another call has taken over since the last epoch.
        """
        turn = self._turn = object()
        try:
            try:
                self.stopped = "Interrupted."
                yield from self._go(images, held_out, how, turn)
            finally:
                self._settle(turn)
        finally:  # once more: an interruption may have fallen into the first
            self._settle(turn)

    def _go(
        self, images: np.ndarray, held_out: np.ndarray | None, how: Settings, turn: object
    ) -> Generator[Epoch]:
        judging = images[: how.batch] if held_out is None else held_out
        draws = (1 if held_out is None else VALIDATION_DRAWS, len(judging), self.walk.decoder.sizes[0])
        noise = np.random.default_rng(self.seed).standard_normal(draws, dtype=images.dtype)
        best, since = -np.inf, 0
        if held_out is not None and self.standing.history:  # perhaps by other images or another beta
            self._use_best()
            best = objective(validate(self.walk.encoder, self.walk.decoder, judging, noise), how.beta)
        self.walk.restore(self.standing.last)
        for _ in range(how.epochs):
            if self._turn is not turn:
                raise RuntimeError(
                    "VAE.epochs: another training of this VAE has begun since; ask for a new one"
                )
            with np.errstate(over="ignore", invalid="ignore"):  # what runs away is reported
                met = self.walk.advance(images, how.beta, how.batch, how.rate)
                seen = validate(self.walk.encoder, self.walk.decoder, judging, noise)
            self._check(met, seen, how.rate)
            reached, since = objective(seen, how.beta), since + 1
            better = held_out is None or reached > best
            if better:
                best, since = reached, 0
            self._stand(Epoch(self.walk.epoch, *met, *(UNSEEN if held_out is None else seen)), better)
            yield self.standing.history[-1]
            if since >= how.patience:
                self.stopped = f"None of the last {since} was better."
                return
        self.stopped = "All were done."

    def _check(self, met: Parts, seen: Parts, rate: float) -> None:
        """Raise FloatingPointError if the training has run away."""
        least = -LOST * np.log(2.0) * self.walk.decoder.sizes[-1]
        if not (self.walk.finite() and objective(met, 1.0) > least and objective(seen, 1.0) > least):
            self.stopped = "Ran away."
            raise FloatingPointError(
                f"VAE.fit: the training ran away in epoch {self.walk.epoch} at rate {rate:g}; "
                "the best weights before are kept, a smaller rate may help"
            )

    def _stand(self, epoch: Epoch, better: bool) -> None:
        """Take the end of an epoch over, with its weights as the best ones if they are."""
        last, before = self.walk.keep(), self.standing
        best, best_epoch = before.best, before.best_epoch
        if better:
            best, best_epoch = (last["encoder"], last["decoder"]), epoch.number
        self.standing = Standing(last, best, best_epoch, (*before.history, epoch))

    def _settle(self, turn: object) -> None:
        if self._turn is turn:
            self._use_best()

    def _use_best(self) -> None:
        """Put the best weights into the networks."""
        self.walk.encoder.parameters[:], self.walk.decoder.parameters[:] = self.standing.best
