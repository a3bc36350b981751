"""Location–scale families that are not exponential: one density, moved and stretched.

With the density f of the standard member and z = (x − location)/scale the log-density is
log f(z) − log scale. Moving and stretching change no distance, so for a symmetric f the Fisher metric is
(a·dlocation² + b·dscale²)/scale² with two numbers a and b of the family, a half-plane of constant curvature.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, Self

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry import half_plane
from igviz.geometry.families.distribution import Distribution, Parameter
from igviz.geometry.numerics import as_numbers, diagonal, log_deficit, matrix

_DUAL = ("natural", "expectation")
# values held at a time by a quadrature over a grid of distributions
_MOST_NODES = 250_000


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LocationScale(Distribution):
    """Base of the families with a location, a positive scale and a symmetric density that is not exponential.

    The only chart is the source chart (location, scale). A family provides the functions of z below, `kl`,
    and the numbers a and b of its Fisher metric (a·dlocation² + b·dscale²)/scale².

    With x = location·√(a/b) and y = scale the metric is b·(dx² + dy²)/y²: lengths are √b times those of the
    hyperbolic half-plane, and the curvature is −1/b everywhere.

    References
    ----------
    Mitchell, A. F. S. (1988). Statistical manifolds of univariate elliptic distributions.
    Costa, Santos, Strapasson (2015). Fisher information distance: a geometrical reading, section 2, for the
    half-plane of the normal distribution.
    """

    location: Parameter
    scale: Parameter

    charts: ClassVar[tuple[str, ...]] = ("source",)

    def _check(self) -> None:
        self._require("scale", self.scale > 0.0, "positive", self.scale)

    # -- what a family provides ----------------------------------------------------------------------------

    def standard_metric(self) -> tuple[Any, Any]:
        """Return a and b of the Fisher metric (a·dlocation² + b·dscale²)/scale²."""
        raise NotImplementedError

    def _standard_log_prob(self, z: np.ndarray) -> np.ndarray:
        """Return log f(z) in nats."""
        raise NotImplementedError

    def _standard_score(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ψ = −d log f/dz and z·ψ, which may be finite where the product of the two is not."""
        raise NotImplementedError

    def _standard_curvature(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return ψ′ = −d² log f/dz², z·ψ′ and z²·ψ′."""
        raise NotImplementedError

    def standard_cdf(self, z: np.ndarray) -> np.ndarray:
        """Return the distribution function of f, with all its digits in the lower tail."""
        raise NotImplementedError

    def _standard_entropy(self) -> Any:
        """Return the entropy of f in nats."""
        raise NotImplementedError

    def _standard_draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Return samples of f."""
        raise NotImplementedError

    # -- what follows --------------------------------------------------------------------------------------

    @property
    def source(self) -> np.ndarray:
        """(location, scale), shape (..., 2)."""
        return np.stack([self.location, self.scale], axis=-1)

    @classmethod
    def from_source(cls, coordinates: ArrayLike, **fixed: ArrayLike) -> Self:
        """Return the distributions with (location, scale), shape (..., 2).

        A family with a parameter that is no coordinate takes it by name, as in
        ``StudentT.from_source(coordinates, degrees_of_freedom=4.0)``.
        """
        return cls(*cls._split("source", coordinates, 2), **fixed)

    @property
    def natural(self) -> NoReturn:
        """Always an AttributeError: the family is not exponential."""
        raise AttributeError(self._why_no_chart("natural"))

    @property
    def expectation(self) -> NoReturn:
        """Always an AttributeError: the family is not exponential."""
        raise AttributeError(self._why_no_chart("expectation"))

    @property
    def gaussian_curvature(self) -> np.ndarray:
        """The Gaussian curvature −1/b of the surface of the family under its Fisher metric, shape `shape`.

        It is negative and the same at all points; for the normal distribution it would be −1/2.
        """
        return np.broadcast_to(-1.0 / np.asarray(self.standard_metric()[1]), self.shape)[()]

    def log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return the log-density at x in nats, also far in the tails; x broadcasts with `shape`."""
        return self._standard_log_prob(self._standardise(x)) - np.log(self.scale)

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """Return the probability of a value up to x; x broadcasts with `shape` and may be infinite."""
        return self.standard_cdf(self._standardise(x))

    def entropy(self) -> np.ndarray:
        """Return the differential entropy, the standard member's + log scale, in nats, of shape `shape`."""
        return np.log(self.scale) + self._standard_entropy()

    def score(self, x: ArrayLike, chart: str = "source") -> np.ndarray:
        """Return the score ∇ log p(x), the gradient of the log-density by (location, scale).

        With ψ = −d log f/dz it is (ψ, z·ψ − 1)/scale.

        Parameters
        ----------
        x : array_like
            Values that broadcast with `shape`.
        chart : {"source"}
            The chart to differentiate in.

        Returns
        -------
        numpy.ndarray
            Shape (..., 2).

        Raises
        ------
        ValueError
            If the chart is unknown, or x is not numeric.
        """
        self.require_chart("score", chart)
        slope, growth = self._standard_score(self._standardise(x))
        return np.stack(np.broadcast_arrays(slope / self.scale, (growth - 1.0) / self.scale), axis=-1)

    def hessian_log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return the second derivatives of the log-density by (location, scale) at x.

        With ψ = −d log f/dz they are, over scale², −ψ′ for the location twice, −(ψ + z·ψ′) for the mixed
        derivative and 1 − 2·z·ψ − z²·ψ′ for the scale twice. Minus their mean is the Fisher matrix if the
        density is smooth.

        Parameters
        ----------
        x : array_like
            Values that broadcast with `shape`.

        Returns
        -------
        numpy.ndarray
            Shape (..., 2, 2).

        Raises
        ------
        ValueError
            If x is not numeric.
        """
        z = self._standardise(x)
        slope, growth = self._standard_score(z)
        bend, turned, twice = self._standard_curvature(z)
        mixed = -(slope + turned)
        unscaled = matrix([[0.0 - bend, mixed], [mixed, 1.0 - 2.0 * growth - twice]])
        return unscaled / (self.scale**2)[..., None, None]

    def _standardise(self, x: ArrayLike) -> np.ndarray:
        with np.errstate(over="ignore"):  # what overflows lies in the tail all the same
            return (as_numbers(self.family_name(), "x", x) - self.location) / self.scale

    def _draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return self.location + self.scale * self._standard_draw(size, rng)

    def _fisher_source(self) -> np.ndarray:
        across, along = self.standard_metric()
        return diagonal(across / self.scale**2, along / self.scale**2)

    def fisher_rao_distance_to(self, q: Self) -> np.ndarray:
        """Return the Fisher–Rao distance to q, of the broadcast shape; q is of this family."""
        across, along = self.standard_metric()
        shift = (q.location - self.location) * np.sqrt(across / along)
        return np.sqrt(along) * half_plane.distance(shift, self.scale, q.scale)

    def fisher_rao_path_to(self, q: Self) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """Return the shortest path to q, a function of time that gives the fields; q is of this family."""
        across, along = self.standard_metric()
        stretch = np.sqrt(across / along)
        curve = half_plane.geodesic((q.location - self.location) * stretch, self.scale, q.scale)
        fixed = tuple(getattr(self, name) for name in self._fixed)

        def at(t: np.ndarray) -> tuple[np.ndarray, ...]:
            shift, scale = curve(t)
            return self.location + shift / stretch, scale, *fixed

        return at

    @classmethod
    def require_chart(cls, where: str, chart: str) -> None:
        """Raise ValueError, in the name of the caller, unless the family has the chart."""
        if isinstance(chart, str) and chart in _DUAL:
            raise ValueError(f"{cls.family_name()}.{where}: {cls._why_no_chart(chart)}")
        super().require_chart(where, chart)

    @classmethod
    def _why_no_chart(cls, chart: str) -> str:
        return (
            f"{cls.family_name()} is not an exponential family, so it has no {chart} coordinates; "
            "it has a Fisher metric in the chart 'source'"
        )


def log_one_plus_square(u: np.ndarray) -> np.ndarray:
    """Return log(1 + u²) to its last digits, also where u² overflows or is small against 1."""
    u = np.abs(u)
    near, far = np.minimum(u, 1e8), np.maximum(u, 1e8)
    return np.where(u < 1e8, np.log1p(near**2), 2.0 * np.log(far))[()]


def exponential_excess(y: np.ndarray) -> np.ndarray:
    """Return exp(y) − 1 − y, which is never negative, without cancellation for small y.

    With r = q/p and y = log r, the mean of r − 1 − log r under p is KL(p‖q): an integral that cannot cancel.
    """
    small = np.clip(y, -0.25, 0.25)
    with np.errstate(over="ignore"):
        # with u = exp(y) − 1 it is u − log(1 + u)
        return np.where(small == y, log_deficit(np.expm1(small)), np.expm1(y) - y)


def by_cases(
    cases: list[tuple[np.ndarray, Callable[..., np.ndarray], int]], *arguments: np.ndarray
) -> np.ndarray:
    """Evaluate each function where its mask holds, for so many points at a time that memory suffices.

    Parameters
    ----------
    cases : list of (mask, function, nodes)
        The masks, shape (...), exclude each other and leave nothing out. A function takes columns of
        arguments, shape (m, 1), spreads so many nodes along the last axis and returns shape (m,).
    *arguments : numpy.ndarray
        Shape (...).

    Returns
    -------
    numpy.ndarray
        Shape (...).
    """
    result = np.empty(arguments[0].shape)
    for mask, function, nodes in cases:
        chosen, block = np.flatnonzero(mask), max(1, _MOST_NODES // nodes)
        for start in range(0, chosen.size, block):
            here = chosen[start : start + block]
            result.flat[here] = function(*(argument.flat[here][:, None] for argument in arguments))
    return result[()]
