"""A model with one latent number, from any log joint that can be written as a function."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from igviz.geometry import differences
from igviz.geometry.adaptive_quadrature import integrate
from igviz.geometry.families.normal import Normal
from igviz.geometry.numerics import as_numbers
from igviz.inference.protocol import DIGITS, ExpectedDerivatives

WHO = "OneDimensionalModel"
_SCAN = np.sinh(np.linspace(-14.0, 14.0, 5_601))  # where maxima are looked for, in units of the prior's std
_FORGOTTEN = 60.0  # nats below the highest maximum another one does not matter
_LEAST, _MOST = 1 / 4, 1 / 512  # the first and the last step of the trapezoid rule, in units of q's std
_NEAREST, _FARTHEST = 9.0, 37.0  # how far it reaches; e^(−37²/2) is the smallest float
_AGREE = 1e-13  # two rules do, relative to the mean size of the log joint


class OneDimensionalModel:
    """A model of one latent number z, given by its log joint density log p(x, z).

    Parameters
    ----------
    log_joint : callable
        log_joint(z) returns log p(x, z) in nats for an array z of any shape, all at once, finite everywhere.
    prior : Normal, optional
        The prior of z, which the log joint holds already: where walks start, and the scale on which maxima of
        the log joint are looked for.

    Raises
    ------
    TypeError
        If log_joint is not callable or prior no Normal.
    ValueError
        Later, if log_joint returns what is not a number, or has no finite evidence.
    """

    def __init__(self, log_joint: Callable[[np.ndarray], ArrayLike], prior: Normal | None = None) -> None:
        if not callable(log_joint):
            raise TypeError(f"{WHO}: log_joint must be callable as log_joint(z), got {log_joint!r}")
        if prior is not None and not isinstance(prior, Normal):
            raise TypeError(f"{WHO}: prior must be a Normal, got {type(prior).__name__}")
        if prior is not None and prior.shape != ():
            raise ValueError(f"{WHO}: prior must be one Normal, got a grid of shape {prior.shape}")
        self._function, self._prior = log_joint, prior

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
        return self._values(self._latent(latent)[..., 0])

    def log_joint_gradient(self, latent: ArrayLike) -> np.ndarray:
        """Return the derivative of the log joint, shape (..., 1), by differences good to about 1e-12."""
        z = self._latent(latent)
        return differences.gradient(self.log_joint, z, np.full_like(z, self._scale))

    def log_joint_hessian(self, latent: ArrayLike) -> np.ndarray:
        """Return the second derivative, shape (..., 1, 1), by differences of differences, to about 1e-9."""
        z = self._latent(latent)
        return differences.gradient(self.log_joint_gradient, z, np.full_like(z, self._scale))

    def expected_log_joint(self, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Return E_q[log p(x, z)] in nats, shape (...), for q = N(mean, root·rootᵀ)."""
        return self._means(mean[..., 0], np.abs(root[..., 0, 0]))[0]

    def expected_derivatives(
        self,
        mean: np.ndarray,
        root: np.ndarray,
        digits: int = DIGITS,  # noqa: ARG002
    ) -> ExpectedDerivatives:
        """Return the means of the log joint and its derivatives, see `igviz.inference.protocol.Model`.

        With z = mean + std·ε, E[f′] = E[ε·f]/std and E[f″] = E[(ε² − 1)·f]/std² (Stein): no derivative of the
        log joint is asked for, and the value's own derivatives are returned.
        """
        std = np.abs(root.ravel())
        value, first, second = self._means(mean, std)
        hessian = second / std**2
        return ExpectedDerivatives(float(value[0]), first / std, hessian.reshape(root.shape))

    # -- what only one dimension allows --------------------------------------------------------------------

    @cached_property
    def modes(self) -> np.ndarray:
        """The maxima of the log joint that matter, shape (count,), in increasing order."""
        centre, unit = (0.0, 1.0) if self._prior is None else (self._prior.mean, self._prior.std)
        z = centre + unit * _SCAN
        values = self._values(z)
        peaks = np.flatnonzero((values[1:-1] >= values[:-2]) & (values[1:-1] > values[2:])) + 1
        found = []
        for peak in peaks:
            result = minimize_scalar(
                lambda at: -float(self._values(np.array(at))),
                bounds=(z[peak - 1], z[peak + 1]),
                method="bounded",
                options={"xatol": 1e-10 * (z[peak + 1] - z[peak - 1])},
            )
            found.append((result.x, -result.fun))
        if not found:
            raise ValueError(f"{WHO}: log_joint must fall towards both sides, but it has no maximum")
        top = max(value for _at, value in found)
        return np.array([at for at, value in found if value > top - _FORGOTTEN])

    @cached_property
    def _integrals(self) -> tuple[float, float, float]:
        """The log evidence, the posterior's mean and its standard deviation."""
        modes = self.modes
        heights = self._values(modes)
        top, centre = float(np.max(heights)), float(modes[np.argmax(heights)])

        def moments(unit: float) -> Callable[[np.ndarray], np.ndarray]:
            def of(z: np.ndarray) -> np.ndarray:
                shift = (z - centre) / unit
                with np.errstate(over="ignore", invalid="ignore"):
                    density = np.exp(self._values(z) - top)
                    powers = np.stack([density, density * shift, density * shift**2])
                return np.where(density > 0.0, powers, 0.0) / unit

            return of

        breaks = [-np.inf, *modes, np.inf]
        try:
            width = max(float(integrate(moments(1.0), breaks)[0][0]), 1e-300)
            mass, first, second = integrate(moments(width), breaks)[0]
        except ArithmeticError as error:
            raise ValueError(f"{WHO}: log_joint must have a finite evidence and variance: {error}") from None
        mean = first / mass
        variance = second / mass - mean**2
        return (
            top + float(np.log(mass * width)),
            centre + width * float(mean),
            width * float(np.sqrt(variance)),
        )

    def log_evidence(self) -> float:
        """Return log p(x) = log ∫ p(x, z) dz in nats."""
        return self._integrals[0]

    def posterior_moments(self) -> tuple[float, float]:
        """Return mean and standard deviation of the posterior."""
        return self._integrals[1:]

    def posterior_pdf(self, z: ArrayLike) -> np.ndarray:
        """Return the posterior density p(z | x), of the shape of z."""
        return np.exp(self._values(as_numbers(WHO, "z", z)) - self.log_evidence())

    # -- parts ---------------------------------------------------------------------------------------------

    @cached_property
    def _scale(self) -> float:
        """What differences take for the distance on which the log joint changes."""
        return self.posterior_moments()[1]

    def _latent(self, latent: ArrayLike) -> np.ndarray:
        z = as_numbers(WHO, "latent", latent)
        if z.ndim == 0 or z.shape[-1] != 1:
            raise ValueError(f"{WHO}: latent must have shape (..., 1), got shape {z.shape}")
        return z

    def _values(self, z: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):  # a log of 0 and an overflow are looked at where they matter
            values = as_numbers(WHO, "what log_joint returns", self._function(z))
        if values.shape != z.shape:
            try:
                values = np.broadcast_to(values, z.shape)
            except ValueError:
                raise ValueError(
                    f"{WHO}: log_joint must return an array of the shape of z, {z.shape}, got {values.shape}"
                ) from None
        if np.any(np.isnan(values)):
            where = float(z[np.isnan(values)].flat[0])
            raise ValueError(f"{WHO}: log_joint must be a number, got nan at z = {where:.6g}")
        return values

    def _means(self, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """Return E[f], E[ε·f] and E[(ε² − 1)·f], shape (3, ...), with f the log joint at mean + std·ε.

        By the trapezoid rule. It is refined until halving its step changes nothing, and widened until nothing
        is left at its ends, where a log joint that falls like −e^z still counts.
        """
        reach = _NEAREST
        while True:
            step = _LEAST
            found, edge = self._trapezoid(mean, std, step, reach)
            if np.all(edge <= _AGREE) or reach >= _FARTHEST or not np.all(np.isfinite(found)):
                break
            reach = min(1.4 * reach, _FARTHEST)
        if np.any(edge > _AGREE):
            return np.full_like(found, -np.inf)
        while np.all(np.isfinite(found)):
            finer, _edge = self._trapezoid(mean, std, 0.5 * step, reach)
            size = np.max(np.abs(finer), axis=0)
            if np.all(np.abs(finer - found) <= _AGREE * np.maximum(size, 1.0)):
                return finer
            found, step = finer, 0.5 * step
            if step <= _MOST:
                raise ValueError(f"{WHO}: log_joint is too rough for its mean under q to be found")
        return found

    def _trapezoid(
        self, mean: np.ndarray, std: np.ndarray, step: float, reach: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the three means, and what share of them stands at the two ends."""
        epsilon = step * np.arange(-np.ceil(reach / step), np.ceil(reach / step) + 1)
        weights = np.exp(-0.5 * epsilon**2)
        weights /= weights.sum()
        values = self._values(mean[..., None] + std[..., None] * epsilon)
        middle = values[..., epsilon.size // 2, None]
        with np.errstate(invalid="ignore"):
            shares = weights * (values - middle)  # without its middle: f(mean) may be large and mean nothing
            found = np.stack([shares.sum(-1), shares @ epsilon, shares @ (epsilon**2 - 1.0)])
            ends = np.abs(shares[..., [0, -1]]).max(-1) * epsilon[-1] ** 2
            edge = ends / np.maximum(np.abs(shares).sum(-1), 1e-300)
        found[0] += middle[..., 0]
        return found, edge
