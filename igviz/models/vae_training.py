"""What a variational autoencoder is trained by: the reparameterised gradient of its ELBO."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit

from igviz.models.vae_quadrature import log_likelihood

if TYPE_CHECKING:
    from igviz.models.network import Network


class Loss(NamedTuple):
    """The negative objective β·KL − log p(x|z), with one z an image, and its gradients."""

    reconstruction: np.ndarray  # log p(x|z) of each image, shape (n,)
    kl: np.ndarray  # KL(q(z|x)‖p(z)) of each image, shape (n,)
    encoder: np.ndarray  # gradient of the mean loss by the encoder's parameters, flat
    decoder: np.ndarray  # and by the decoder's


def kl_of_units(mean: np.ndarray, log_std: np.ndarray) -> np.ndarray:
    """Return KL(N(mean, std²)‖N(0, 1)) of each latent number, in nats."""
    return 0.5 * (mean * mean + np.expm1(2.0 * log_std) - 2.0 * log_std)


def loss(encoder: Network, decoder: Network, images: np.ndarray, noise: np.ndarray, beta: float) -> Loss:
    """Return the loss of a batch and its gradients, by the reparameterisation z = mean + std·noise.

    Parameters
    ----------
    encoder, decoder : Network
        From images to (mean, log std) of q(z|x); from z to the logits of the pixels.
    images : numpy.ndarray
        Pixels 0 or 1, shape (n, pixels), of the networks' dtype.
    noise : numpy.ndarray
        Standard normal, shape (n, latent), of the networks' dtype.
    beta : float
        The weight of the KL; with 1 the loss is the negative ELBO.

    Returns
    -------
    Loss

    References
    ----------
    Kingma, D. P., Welling, M. (2014). Auto-Encoding Variational Bayes. ICLR, sections
    2.3 and 2.4, appendix B.
    """
    kind, latent = images.dtype.type, noise.shape[1]
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
