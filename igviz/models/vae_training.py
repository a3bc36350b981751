"""What a variational autoencoder is trained by: the reparameterised gradient of its ELBO."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit

from igviz.geometry.numerics import log_deficit
from igviz.geometry.one_thread import one_thread
from igviz.inference.arguments import require
from igviz.models.vae_quadrature import log_likelihood

if TYPE_CHECKING:
    from igviz.models.network import Network

NEAR = 0.1  # of std² to 1: from here on the textbook's form of the KL has its digits


class Loss(NamedTuple):
    """The negative objective β·KL − log p(x|z), with one z an image, and its gradients."""

    reconstruction: np.ndarray  # log p(x|z) of each image, shape (n,)
    kl: np.ndarray  # KL(q(z|x)‖p(z)) of each image, shape (n,)
    encoder: np.ndarray  # gradient of the mean loss by the encoder's parameters, flat
    decoder: np.ndarray  # and by the decoder's


def kl_of_units(mean: np.ndarray, log_std: np.ndarray) -> np.ndarray:
    """Return KL(N(mean, std²)‖N(0, 1)) of each latent number, in nats, with all digits near 0 too."""
    above = np.expm1(2.0 * log_std)  # std² − 1
    spread = above - 2.0 * log_std
    near = np.abs(above) < NEAR
    if np.any(near):
        spread = np.where(near, log_deficit(np.where(near, above, 0.0)), spread)
    return 0.5 * (mean * mean + spread)


def loss(encoder: Network, decoder: Network, images: np.ndarray, noise: np.ndarray, beta: float) -> Loss:
    """Return the loss of a batch and its gradients, by the reparameterisation z = mean + std·noise.

    Parameters
    ----------
    encoder, decoder : Network
        From images to (mean, log std) of q(z|x); from z to the logits of the pixels.
    images : numpy.ndarray
        Pixels 0 or 1, shape (n, pixels), at least one.
    noise : numpy.ndarray
        Standard normal, shape (n, latent).
    beta : float
        The weight of the KL; with 1 the loss is the negative ELBO.

    Returns
    -------
    Loss
        In the encoder's dtype.

    Raises
    ------
    ValueError
        If the shapes do not fit each other or the networks.

    References
    ----------
    Kingma, D. P., Welling, M. (2014). Auto-Encoding Variational Bayes. ICLR, sections
    2.3 and 2.4, appendix B.
    """
    images, noise = (np.asarray(given, dtype=encoder.dtype) for given in (images, noise))
    kind, latent = encoder.dtype.type, decoder.sizes[0]
    _check(encoder, decoder, images, noise)
    seen = encoder.forward(images)
    mean, log_std = seen.outputs[:, :latent], seen.outputs[:, latent:]
    std = np.exp(log_std)
    spread = std * noise
    shown = decoder.forward(mean + spread)
    scale = kind(1.0 / len(images))
    by_logits = expit(shown.outputs)
    by_logits -= images
    by_logits *= scale
    down = decoder.backward(shown, by_logits)
    by_code = np.empty_like(seen.outputs)
    weight = kind(beta) * scale
    by_code[:, :latent] = down.inputs + weight * mean
    by_code[:, latent:] = down.inputs * spread + weight * (std * std - kind(1.0))
    up = encoder.backward(seen, by_code)
    return Loss(
        log_likelihood(shown.outputs, images),
        np.sum(kl_of_units(mean, log_std), axis=1),
        up.parameters,
        down.parameters,
    )


def _check(encoder: Network, decoder: Network, images: np.ndarray, noise: np.ndarray) -> None:
    """Raise ValueError where a broadcast would hide that something does not fit."""
    pixels, latent = decoder.sizes[-1], decoder.sizes[0]
    wanted = pixels, 2 * latent
    ends = encoder.sizes[0], encoder.sizes[-1]
    require(ends == wanted, "loss", "encoder's inputs and outputs", ends, str(wanted))
    right = images.ndim == 2 and images.shape[1] == pixels and len(images) > 0
    require(right, "loss", "images' shape", images.shape, f"(n, {pixels}), n at least 1")
    wanted = len(images), latent
    require(noise.shape == wanted, "loss", "noise's shape", noise.shape, str(wanted))


@one_thread
def validate(
    encoder: Network, decoder: Network, images: np.ndarray, noise: np.ndarray
) -> tuple[float, float]:
    """Return the means of log p(x|z) and KL over images, with fixed noise of shape (draws, n, latent)."""
    latent = decoder.sizes[0]
    outputs = encoder(images)
    mean, log_std = outputs[:, :latent], outputs[:, latent:]
    logits = decoder(mean + np.exp(log_std) * noise)
    reconstruction = float(np.mean(log_likelihood(logits, images)))
    return reconstruction, float(np.mean(np.sum(kl_of_units(mean, log_std), axis=1)))
