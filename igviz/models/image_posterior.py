"""One image under a decoder, as a model for the methods of inference: where its latent numbers may be."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.geometry.numerics import as_numbers, forward_substitution
from igviz.inference.protocol import DIGITS, ExpectedDerivatives
from igviz.models.network import ACTIVATIONS, Network
from igviz.models.vae_quadrature import (
    ROWS,
    expected_derivatives,
    expected_log_likelihood,
    in_double,
    log_likelihood,
)

WHO = "ImagePosterior"
# second derivatives of the activations, from their values
_BENDS = {"tanh": lambda a: -2.0 * a * (1.0 - a * a), "softplus": lambda a: -np.exp(-a) * np.expm1(-a)}


class ImagePosterior:
    """The log joint log p(x|z) + log N(z; 0, Id) of one image, a model in the sense of the inference layer.

    What natural-gradient inference finds for it is q(z|x) without the encoder, with a diagonal covariance as
    `VAE.refine` does for many images, or with a full one. Means under q are those of the VAE: for one or two
    latent numbers by Gauss–Hermite quadrature, for more over 512 fixed draws.

    Parameters
    ----------
    decoder : Network
        From z to the logits of the pixels; what it computes here it computes in float64.
    image : numpy.ndarray
        Pixels 0 or 1, shape (pixels,).
    """

    def __init__(self, decoder: Network, image: np.ndarray) -> None:
        self.decoder, self.image = in_double(decoder), np.array(image, dtype=np.float64)
        self.image.flags.writeable = False

    def __repr__(self) -> str:
        """Return the numbers of latent numbers and pixels."""
        return f"<{WHO} of {self.dimension} latent numbers, {self.image.size} pixels>"

    @property
    def dimension(self) -> int:
        """The number of latent numbers."""
        return self.decoder.sizes[0]

    @property
    def prior(self) -> MultivariateNormal:
        """The prior N(0, Id)."""
        return MultivariateNormal(np.zeros(self.dimension), np.eye(self.dimension))

    def log_joint(self, latent: ArrayLike) -> np.ndarray:
        """Return log p(x, z) in nats, shape (...), of z, shape (..., latent)."""
        return self._at(latent, 0)[()]

    def log_joint_gradient(self, latent: ArrayLike) -> np.ndarray:
        """Return ∇ log p(x, z), shape (..., latent), of z, shape (..., latent)."""
        return self._at(latent, 1)

    def log_joint_hessian(self, latent: ArrayLike) -> np.ndarray:
        """Return ∇² log p(x, z), shape (..., latent, latent), of z, shape (..., latent)."""
        return self._at(latent, 2)

    def expected_log_joint(self, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Return E_q[log p(x, z)] in nats, shape (...), of q = N(mean, root·rootᵀ)."""
        means, roots = self._rows(mean, root)
        value = expected_log_likelihood(self.decoder, self._images(len(means)), means, roots)
        return (value + self._expected_log_prior(means, roots)).reshape(mean.shape[:-1])[()]

    def expected_derivatives(
        self,
        mean: np.ndarray,
        root: np.ndarray,
        digits: int = DIGITS,  # noqa: ARG002
    ) -> ExpectedDerivatives:
        """Return the means of the log joint and its derivatives, see `igviz.inference.protocol.Model`.

        The value is right to a few 1e-3 nats, see `vae_quadrature`; the derivatives are exactly *its* own, by
        mean and covariance.
        """
        means, roots = self._rows(mean, root)
        images = self._images(len(means))
        value, by_mean, by_root = expected_derivatives(self.decoder, images, means, roots)
        value += self._expected_log_prior(means, roots)
        with np.errstate(all="ignore"):  # a q without spread has no second derivative
            if roots.ndim == 2:
                hessian = by_root / roots - 1.0
            else:
                hessian = _twice_by_covariance(by_root, roots) - np.eye(self.dimension)
        return ExpectedDerivatives(
            value.reshape(mean.shape[:-1])[()],  # type: ignore[arg-type]
            (by_mean - means).reshape(mean.shape),
            hessian.reshape(root.shape),
        )

    # -- parts ---------------------------------------------------------------------------------------------

    def _images(self, count: int) -> np.ndarray:
        return np.broadcast_to(self.image, (count, self.image.size))

    def _rows(self, mean: np.ndarray, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return a grid of q on one axis: means, and stds or lower triangular roots.

        The nodes are no circle: another root of the same covariance would put them elsewhere. So it is
        always the Cholesky factor, and the value a function of the covariance.
        """
        d = self.dimension
        means = mean.reshape(-1, d)
        if root.shape == mean.shape:
            return means, root.reshape(-1, d)
        roots = root.reshape(-1, d, d)
        factor = np.swapaxes(np.linalg.qr(np.swapaxes(roots, 1, 2), mode="r"), 1, 2)
        return means, factor * np.where(np.diagonal(factor, axis1=1, axis2=2) < 0.0, -1.0, 1.0)[:, None]

    def _expected_log_prior(self, means: np.ndarray, roots: np.ndarray) -> np.ndarray:
        squares = np.sum(means**2, axis=1) + np.sum(roots**2, axis=tuple(range(1, roots.ndim)))
        return -0.5 * squares - 0.5 * self.dimension * math.log(2.0 * math.pi)

    def _at(self, latent: ArrayLike, order: int) -> np.ndarray:
        """Return the log joint or one of its derivatives, shapes (...), (..., d), (..., d, d)."""
        z = as_numbers(WHO, "latent", latent)
        if z.ndim == 0 or z.shape[-1] != self.dimension:
            raise ValueError(f"{WHO}: latent must have shape (..., {self.dimension}), got shape {z.shape}")
        rows = z.reshape(-1, self.dimension)
        made = np.empty((len(rows), *[self.dimension] * order))
        for start in range(0, len(rows), ROWS):
            part = slice(start, start + ROWS)
            made[part] = (self._value, self._gradient, self._hessian)[order](rows[part])
        return made.reshape((*z.shape[:-1], *made.shape[1:]))

    def _value(self, z: np.ndarray) -> np.ndarray:
        prior = -0.5 * np.sum(z**2, axis=1) - 0.5 * self.dimension * math.log(2.0 * math.pi)
        return log_likelihood(self.decoder(z), self.image) + prior

    def _gradient(self, z: np.ndarray) -> np.ndarray:
        trace = self.decoder.forward(z)
        return self.decoder.pull(trace, self.image - expit(trace.outputs)) - z

    def _hessian(self, z: np.ndarray) -> np.ndarray:
        """Return the derivatives of the gradient along each axis: through the forward pass, then back."""
        trace = self.decoder.forward(z)
        columns = [self._gradient_along(trace.inputs, trace.outputs, axis) for axis in np.eye(self.dimension)]
        made = np.stack(columns, axis=-1)
        return 0.5 * (made + np.swapaxes(made, 1, 2)) - np.eye(self.dimension)

    def _gradient_along(
        self, inputs: tuple[np.ndarray, ...], logits: np.ndarray, axis: np.ndarray
    ) -> np.ndarray:
        """Return the derivative along an axis of the gradient of log p(x|z), shape (m, d).

        Back through a layer a = f(s), ∂/∂s = f′(s)·∂/∂a. Along the axis that changes by f′·(∂/∂a)˙ and, as
        f′ itself changes, by f″·ṡ·∂/∂a: the first are the Fisher information of the pixels pulled back, with
        a minus, the second the curvature of the network.
        """
        weights, bend = self.decoder.weights, _BENDS[self.decoder.activation]
        slope = ACTIVATIONS[self.decoder.activation].derivative
        moved = [np.broadcast_to(axis, inputs[0].shape) @ weights[0]]  # ṡ of each layer
        for weight, a in zip(weights[1:], inputs[1:], strict=True):
            moved.append((slope(a) * moved[-1]) @ weight)
        probability = expit(logits)
        by_s, along = self.image - probability, -probability * (1.0 - probability) * moved[-1]
        for layer in range(len(weights) - 1, 0, -1):
            by_a, a = by_s @ weights[layer].T, inputs[layer]
            along = slope(a) * (along @ weights[layer].T) + bend(a) * moved[layer - 1] * by_a
            by_s = slope(a) * by_a
        return along @ weights[0].T


def _twice_by_covariance(by_root: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return twice the derivative by Σ, symmetric, of a function of its Cholesky factor L, shapes (n, d, d).

    dL = L·Φ(L⁻¹·dΣ·L⁻ᵀ), where Φ keeps the lower triangle with half the diagonal (Murray 2016, section 3.1);
    so the derivative is the symmetric part of L⁻ᵀ·Φ(Lᵀ·∂/∂L)·L⁻¹.
    """
    kept = np.tril(np.swapaxes(root, 1, 2) @ by_root)
    kept *= 1.0 - 0.5 * np.eye(root.shape[-1])
    inverse = forward_substitution(root, np.eye(root.shape[-1]))
    made = np.swapaxes(inverse, 1, 2) @ kept @ inverse
    return made + np.swapaxes(made, 1, 2)
