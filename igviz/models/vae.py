"""A variational autoencoder of black and white images: Gaussian encoder, Bernoulli decoder, NumPy."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from scipy.special import expit

from igviz.geometry.families.normal import Normal
from igviz.inference.arguments import require_count, require_positive
from igviz.models import vae_likelihood, vae_progress, vae_refinement, vae_storage
from igviz.models.images import check_images
from igviz.models.network import Network, checked_dtype
from igviz.models.vae_checks import check_points, check_q, check_settings, check_sizes
from igviz.models.vae_quadrature import expected_log_likelihood
from igviz.models.vae_training import kl_of_units
from igviz.models.vae_walk import Epoch, Training

BATCH, RATE, PATIENCE, EPOCHS = 64, 2e-3, 50, 600
RAREST = 0.01  # the decoder's biases start at the pixels' own frequencies, kept so far from 0 and 1


class VAE:
    """p(z) = N(0, Id), p(x|z) of independent pixels, q(z|x) = N(mean(x), diag std(x)²), all in nats an image.

    Parameters
    ----------
    latent : int
        Latent numbers of an image.
    hidden : sequence of int
        Units of the encoder's hidden layers; the decoder has them in reverse order. All are tanh: the metric
        of a network with kinks would jump.
    seed : int
        Of the weights, the order of the images and the noise.
    dtype : {numpy.float64, numpy.float32}
        Of weights and arithmetic.

    Attributes
    ----------
    encoder, decoder : Network
        From images to (mean, log std) of q(z|x), from z to the logits of the pixels. There is none before
        the first `fit`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of its range.

    References
    ----------
    Kingma, D. P., Welling, M. (2014). Auto-Encoding Variational Bayes. ICLR, section 3.
    """

    def __init__(
        self,
        latent: int = 2,
        hidden: Sequence[int] = (64, 64),
        seed: int = 0,
        dtype: DTypeLike = np.float64,
    ) -> None:
        self.latent, self.hidden, self.seed = check_sizes(latent, hidden, seed)
        self.dtype = checked_dtype("VAE", dtype)
        self._training: Training | None = None

    def __repr__(self) -> str:
        """Return how it was made, and how long it was trained."""
        trained = f"epoch {self.best_epoch} of {len(self.history)}" if self.history else "not fitted"
        return (
            f"<VAE latent={self.latent} hidden={self.hidden} seed={self.seed} dtype={self.dtype}: {trained}>"
        )

    # -- training ------------------------------------------------------------------------------------------

    def fit(
        self,
        images: ArrayLike,
        validation: ArrayLike | None = None,
        epochs: int = EPOCHS,
        beta: float = 1.0,
        progress: bool = True,
        *,
        batch: int = BATCH,
        rate: float = RATE,
        patience: int | None = PATIENCE,
    ) -> VAE:
        """Climb the ELBO; keep the weights that were best on the validation images.

        A second call goes on where the first one ended, also after an interruption (the ■ button, Ctrl-C),
        which loses at most the epoch it falls into: the weights used are always the best so far. Only the
        patience begins anew.

        Parameters
        ----------
        images : array_like
            Pixels 0 or 1, shape (n, pixels).
        validation : array_like, optional
            Images that decide when to stop and which weights are kept. Without them all epochs are done and
            the last weights are kept.
        epochs : int
            At most so many passes over the images.
        beta : float
            The weight of the KL. What is climbed, and what the validation images judge by, is then
            E_q[log p(x|z)] − beta·KL(q‖p), which is the ELBO for 1 only; the history reports both parts.
        progress : bool
            Show a bar, and in the end a sentence; an interruption is told in any case.
        batch : int
            Images in a step.
        rate : float
            Adam's step size.
        patience : int or None
            Stop after so many epochs without a better one; None never stops early.

        Returns
        -------
        VAE
            Itself.

        Raises
        ------
        TypeError, ValueError
            If an argument is of the wrong kind or out of its range, or the images have not as many pixels
            as those of the first call.
        FloatingPointError
            If the training ran away, to weights that are not finite or an ELBO below −1000·log 2 a pixel;
            the best weights before are kept.
        """
        going = self.epochs(images, validation, epochs, beta, batch=batch, rate=rate, patience=patience)
        told = progress
        try:
            if progress:
                vae_progress.show(going, epochs)
            else:
                for _epoch in going:
                    pass
        except KeyboardInterrupt:  # which fell between two epochs, or has ended the iterator
            going.close()
            told = True
        if told:
            print(self.summary())
        return self

    def epochs(
        self,
        images: ArrayLike,
        validation: ArrayLike | None = None,
        epochs: int = EPOCHS,
        beta: float = 1.0,
        *,
        batch: int = BATCH,
        rate: float = RATE,
        patience: int | None = PATIENCE,
    ) -> Generator[Epoch]:
        """Do what `fit` does, one epoch each time the next is asked for: for watching.

        Between two epochs the networks have the weights of the moment; at the end, and when the iterator is
        closed or interrupted, the best ones. An interruption is passed on.
        """
        how = check_settings(epochs, beta, batch, rate, patience)
        pixels = self.encoder.sizes[0] if self._training else None
        x = check_images("VAE.fit", images, pixels).astype(self.dtype)
        held_out = None
        if validation is not None:
            held_out = check_images("VAE.fit", validation, x.shape[1], "validation").astype(self.dtype)
        if self._training is None:
            often = np.clip(x.mean(axis=0), RAREST, 1.0 - RAREST)
            self.make(x.shape[1], np.log(often / (1.0 - often)))
        return self.training.epochs(x, held_out, how)

    def make(self, pixels: int, log_odds: np.ndarray | float = 0.0) -> None:
        """Make untrained networks for images of so many pixels; `fit` does it at its first call."""
        rng = np.random.default_rng(self.seed)
        encoder = Network((pixels, *self.hidden, 2 * self.latent), "tanh", rng, self.dtype)
        decoder = Network((self.latent, *self.hidden[::-1], pixels), "tanh", rng, self.dtype)
        decoder.biases[-1][:] = log_odds
        self._training = Training(encoder, decoder, rng, self.seed)

    @property
    def training(self) -> Training:
        """The networks, where their training stands, and why it stopped."""
        if self._training is None:
            raise ValueError(
                "VAE: there are no weights before the first fit; call fit(images) or VAE.load(path)"
            )
        return self._training

    @property
    def history(self) -> tuple[Epoch, ...]:
        """What each epoch brought, over all calls of `fit`."""
        return self._training.standing.history if self._training else ()

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights are used, 0 before the first."""
        return self._training.standing.best_epoch if self._training else 0

    @property
    def fingerprint(self) -> str:
        """What a cache keys by: it is another one when the weights, or the epochs done, are others.

        It is computed at each call (0.5 ms), so that weights changed in place count, and is the same after
        `save` and `load`.
        """
        made = hashlib.blake2b(repr((self.latent, self.hidden, self.dtype.name)).encode(), digest_size=16)
        made.update(f"{self.best_epoch} {len(self.history)}".encode())
        for network in (self.encoder, self.decoder):
            made.update(network.parameters.tobytes())
        return made.hexdigest()

    def summary(self) -> str:
        """Return one sentence about the training."""
        if self._training is None or not self.history:
            return "Not fitted."
        best = self.history[self.best_epoch - 1]
        held_out = best.validation_elbo
        words = "training" if np.isnan(held_out) else "validation"
        value = best.elbo if np.isnan(held_out) else held_out
        return (
            f"{len(self.history)} epochs. {self._training.stopped} "
            f"Kept: epoch {self.best_epoch}, {words} ELBO {value:.2f} nats an image."
        )

    # -- use -----------------------------------------------------------------------------------------------

    @property
    def encoder(self) -> Network:
        """The network from images to (mean, log std) of q(z|x)."""
        return self.training.walk.encoder

    @property
    def decoder(self) -> Network:
        """The network from z to the logits of the pixels."""
        return self.training.walk.decoder

    def encode(self, images: ArrayLike) -> Normal:
        """Return q(z|x): for images of shape (n, pixels) independent normals, shape (n, latent)."""
        return Normal(*self._code(self._images("encode", images)))

    def decode(self, latent: ArrayLike) -> np.ndarray:
        """Return the probability of each pixel to be 1, shape (..., pixels), at z, shape (..., latent)."""
        z = check_points("VAE.decode", latent, self.latent)
        return expit(self.decoder(z).astype(np.float64))

    def reconstruction(self, images: ArrayLike, q: Normal | None = None) -> np.ndarray:
        """Return E_q[log p(x|z)] of each image in nats, shape (n,); q as in `elbo`."""
        x = self._images("reconstruction", images)
        return expected_log_likelihood(self.decoder, x, *self._given("reconstruction", x, q))

    def kl(self, images: ArrayLike, q: Normal | None = None) -> np.ndarray:
        """Return KL(q(z|x)‖p(z)) of each image and latent number, (n, latent), in nats; q as in `elbo`."""
        x = self._images("kl", images)
        mean, std = self._given("kl", x, q)
        return kl_of_units(mean, np.log(std))

    def elbo(self, images: ArrayLike, q: Normal | None = None) -> np.ndarray:
        """Return the ELBO of each image in nats, whatever beta the training had.

        Parameters
        ----------
        images : array_like
            Pixels 0 or 1, shape (n, pixels).
        q : Normal, optional
            For each image independent normals, shape (n, latent), such as `refine` returns; by default the
            encoder's.

        Returns
        -------
        numpy.ndarray
            Shape (n,): a lower bound of `log_likelihood`. With one or two latent numbers the mean under q is
            computed by Gauss–Hermite quadrature, with more over 512 fixed draws.

        Raises
        ------
        TypeError, ValueError
            If the images are not 0 or 1 or of another shape, or q does not fit them.
        """
        x = self._images("elbo", images)
        mean, std = self._given("elbo", x, q)
        return expected_log_likelihood(self.decoder, x, mean, std) - np.sum(
            kl_of_units(mean, np.log(std)), axis=1
        )

    def log_likelihood(self, images: ArrayLike, samples: int = 1000, seed: int = 0) -> np.ndarray:
        """Return log p(x) of each image in nats, shape (n,).

        With one or two latent numbers it is the integral of p(x|z)·p(z), by the trapezoid rule on ever finer
        grids until nothing changes by 1e-6 nats. With more it is the importance-weighted bound of Burda et
        al. (2016, section 3), whose mean lies below log p(x) and above the ELBO; ``samples`` are drawn from
        each q(z|x), by ``seed``.

        Raises
        ------
        TypeError, ValueError
            If the images are not 0 or 1 or of another shape, or samples is not a positive integer.
        ArithmeticError
            If the finest grid is too coarse.
        """
        x = self._images("log_likelihood", images)
        require_count("VAE.log_likelihood", "samples", samples, 1)
        require_count("VAE.log_likelihood", "seed", seed)
        if self.latent <= 2:
            return vae_likelihood.by_quadrature(self.decoder, x)
        rng = np.random.default_rng(seed)
        return vae_likelihood.by_importance(self.decoder, x, *self._code(x), samples, rng)

    def refine(
        self, images: ArrayLike, q: Normal | None = None, steps: int = 20, step: float = 1.0
    ) -> Normal:
        """Return q of each image after natural-gradient steps of its own, from the encoder's or a given q.

        What these steps gain is the encoder's amortisation gap; what is left to `log_likelihood` is the
        approximation gap of independent normals.

        Parameters
        ----------
        images : array_like
            Pixels 0 or 1, shape (n, pixels).
        q : Normal, optional
            Where to start, shape (n, latent); by default the encoder's.
        steps : int
            At most so many; an image whose ELBO has stopped rising rests.
        step : float
            In (0, 1], halved for an image while it would lower its ELBO or leave the space.

        Returns
        -------
        Normal
            Shape (n, latent). No image's ELBO is lower than where it started.

        Raises
        ------
        TypeError, ValueError
            If an argument is of the wrong kind or out of its range.

        References
        ----------
        Cremer, C., Li, X., Duvenaud, D. (2018). Inference Suboptimality in Variational Autoencoders. ICML,
        section 3. Khan, M. E., Lin, W. (2017). Conjugate-Computation Variational Inference. AISTATS,
        section 3.
        """
        x = self._images("refine", images)
        require_count("VAE.refine", "steps", steps, 1)
        require_positive("VAE.refine", "step", step, 1.0)
        return Normal(*vae_refinement.refine(self.decoder, x, *self._given("refine", x, q), steps, step))

    # -- files ---------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write weights, history and where the training stands to an .npz file; return its path."""
        return vae_storage.save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> VAE:
        """Return what `save` wrote: `fit` goes on as if there had been no file.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file was not written by `save`.
        """
        return vae_storage.load(cls, path)

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Copy and pickle as `save` and `load` do: a network's arrays are views of each other."""
        if self._training is None:
            return type(self), (self.latent, self.hidden, self.seed, self.dtype)
        return vae_storage.unpack, (type(self), vae_storage.pack(self))

    def _images(self, method: str, images: ArrayLike) -> np.ndarray:
        return check_images(f"VAE.{method}", images, self.encoder.sizes[0])

    def _code(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs = self.encoder(images).astype(np.float64)
        return outputs[:, : self.latent], np.exp(outputs[:, self.latent :])

    def _given(self, method: str, images: np.ndarray, q: Normal | None) -> tuple[np.ndarray, np.ndarray]:
        if q is None:
            return self._code(images)
        return check_q(f"VAE.{method}", q, (len(images), self.latent))
