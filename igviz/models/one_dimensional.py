"""A model with one latent number, from any log joint that can be written as a function."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.normal import Normal
from igviz.geometry.numerics import as_numbers
from igviz.inference.protocol import DIGITS, ExpectedDerivatives
from igviz.models.line_density import LineDensity
from igviz.models.line_differences import first_derivative, second_derivative
from igviz.models.stein_means import RoughError, stein_means

WHO = "OneDimensionalModel"
_ASKED = {"modes": "a maximum", "log_integral": "a finite integral", "moments": "a finite variance"}


class OneDimensionalModel:
    """A model of one latent number z, given by its log joint density log p(x, z).

    Parameters
    ----------
    log_joint : callable
        log_joint(z) returns log p(x, z) in nats for an array z of any shape, all at once. It should be
        smooth, and finite everywhere: under a Gaussian q the mean of −inf is −inf, however far out it is.
    prior : Normal, optional
        The prior of z, which the log joint holds already: where walks start, and the scale on which maxima of
        the log joint are looked for; N(0, 1) when left out.

    Raises
    ------
    TypeError
        If log_joint is not callable or prior no Normal.
    ValueError
        Later, if log_joint returns what is not a number, is too rough, or has no finite evidence.
    """

    def __init__(self, log_joint: Callable[[np.ndarray], ArrayLike], prior: Normal | None = None) -> None:
        if not callable(log_joint):
            raise TypeError(f"{WHO}: log_joint must be callable as log_joint(z), got {log_joint!r}")
        if prior is not None and not isinstance(prior, Normal):
            raise TypeError(f"{WHO}: prior must be a Normal, got {type(prior).__name__}")
        if prior is not None and prior.shape != ():
            raise ValueError(f"{WHO}: prior must be one Normal, got a grid of shape {prior.shape}")
        self._function, self._prior = log_joint, prior
        ruler = (0.0, 1.0) if prior is None else (float(prior.mean), float(prior.std))
        self._joint = LineDensity(self._values_or_nan, *ruler)

    @property
    def dimension(self) -> int:
        """One."""
        return 1

    @property
    def prior(self) -> Normal:
        """The prior of z."""
        if self._prior is None:
            raise ValueError(
                f"{WHO}: the model was made without a prior; give prior=, or a start of your own"
            )
        return self._prior

    def log_joint(self, latent: ArrayLike) -> np.ndarray:
        """Return log p(x, z) in nats, shape (...), of z, shape (..., 1)."""
        return self._values(self._latent(latent))[()]

    def log_joint_gradient(self, latent: ArrayLike) -> np.ndarray:
        """Return the derivative of the log joint, shape (..., 1), by differences, good to about 1e-10."""
        return first_derivative(self._values_or_nan, self._latent(latent), self._width)[..., None]

    def log_joint_hessian(self, latent: ArrayLike) -> np.ndarray:
        """Return the second derivative, shape (..., 1, 1), by differences, good to about 1e-9."""
        return second_derivative(self._values_or_nan, self._latent(latent), self._width)[..., None, None]

    def expected_log_joint(self, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Return E_q[log p(x, z)] in nats, shape (...), for q = N(mean, root·rootᵀ)."""
        return self._means(mean[..., 0], np.abs(root.reshape(mean.shape)[..., 0]))[0]

    def expected_derivatives(
        self,
        mean: np.ndarray,
        root: np.ndarray,
        digits: int = DIGITS,  # noqa: ARG002
    ) -> ExpectedDerivatives:
        """Return the means of the log joint and its derivatives, see `igviz.inference.protocol.Model`.

        They are the derivatives of the value by q, also where the log joint itself has none.
        """
        std = np.abs(root.reshape(mean.shape))
        value, first, second = self._means(mean[..., 0], std[..., 0])
        hessian = second[..., None] / std**2
        return ExpectedDerivatives(value[()], first[..., None] / std, hessian.reshape(root.shape))

    # -- what only one dimension allows --------------------------------------------------------------------

    @property
    def modes(self) -> np.ndarray:
        """The maxima of the log joint that matter, shape (count,), in increasing order."""
        return self._of_density("modes")

    def log_evidence(self) -> float:
        """Return log p(x) = log ∫ p(x, z) dz in nats.

        Raises
        ------
        ValueError
            If the log joint has no maximum, or the integral is not finite.
        """
        return self._of_density("log_integral")

    def posterior_moments(self) -> tuple[float, float]:
        """Return mean and standard deviation of the posterior.

        Raises
        ------
        ValueError
            If the log joint has no maximum, or the posterior no finite variance.
        """
        return self._of_density("moments")

    def posterior_pdf(self, z: ArrayLike) -> np.ndarray:
        """Return the posterior density p(z | x), of the shape of z."""
        return np.exp(self._values(as_numbers(WHO, "z", z)) - self.log_evidence())

    # -- parts ---------------------------------------------------------------------------------------------

    def _of_density(self, name: str) -> Any:
        try:
            return getattr(self._joint, name)
        except ArithmeticError as error:
            raise ValueError(
                f"{WHO}: log_joint must be the logarithm of a density with {_ASKED[name]}, but {error}"
            ) from None

    @cached_property
    def _width(self) -> float:
        """A scale for differences, with or without a posterior."""
        try:
            return self._joint.width
        except ArithmeticError:
            return 1.0 if self._prior is None else float(self._prior.std)

    def _latent(self, latent: ArrayLike) -> np.ndarray:
        """Return z, shape (...), of an array of shape (..., 1)."""
        z = as_numbers(WHO, "latent", latent)
        if z.ndim == 0 or z.shape[-1] != 1:
            raise ValueError(f"{WHO}: latent must have shape (..., 1), got shape {z.shape}")
        return z[..., 0]

    def _values_or_nan(self, z: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):  # a log of 0 and an overflow are looked at where they matter
            values = as_numbers(WHO, "what log_joint returns", self._function(z))
        if values.shape == z.shape:
            return values
        try:
            return np.broadcast_to(values, z.shape)
        except ValueError:
            raise ValueError(
                f"{WHO}: log_joint must return an array of the shape of z, {z.shape}, got {values.shape}"
            ) from None

    def _values(self, z: np.ndarray) -> np.ndarray:
        values = self._values_or_nan(z)
        if np.any(np.isnan(values)):
            where = float(z[np.isnan(values)].flat[0])
            raise ValueError(f"{WHO}: log_joint must be a number, got nan at z = {where:.6g}")
        return values

    def _means(self, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """Return E[f], E[ε·f] and E[(ε² − 1)·f], shape (3, ...), with f the log joint at mean + std·ε."""
        try:
            return stein_means(self._values, mean, std)
        except RoughError as error:
            raise ValueError(
                f"{WHO}: log_joint must be smoother for its mean under N({error.mean:.6g}, {error.std:.6g}) "
                "to be found: it has kinks, jumps or noise"
            ) from None
