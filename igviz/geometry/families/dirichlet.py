"""The Dirichlet distribution of K shares of a whole."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from igviz.geometry.families.concentrations import Concentrations
from igviz.geometry.families.distribution import Parameter
from igviz.geometry.numerics import as_numbers

# the shares of an observation may miss the sum 1 by this
_SLACK = 1e-9


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Dirichlet(Concentrations):
    """Dirichlet distributions on the simplex of K shares, with density ∝ Π xᵢ^(aᵢ − 1).

    Charts, with K coordinates: source, the concentrations aᵢ; natural, the same; expectation,
    ψ(aᵢ) − ψ(Σa), which are the means of the sufficient statistics log xᵢ. The base measure is Π 1/xᵢ: with
    it natural coordinates are the concentrations themselves and small ones keep their digits. The density is
    that of the first K − 1 shares. The Fisher metric is Σ ψ′(aᵢ)·daᵢ² − ψ′(Σa)·(Σ daᵢ)².

    Parameters
    ----------
    concentration : array_like
        Shape (..., K) with K ≥ 2, positive.

    Raises
    ------
    ValueError
        If the concentrations are not positive finite numbers, or there is only one.

    References
    ----------
    Minka, T. (2000). Estimating a Dirichlet distribution.
    """

    concentration: Parameter

    _ranks: ClassVar[dict[str, int]] = {"concentration": 1}
    observation_rank: ClassVar[int] = 1

    def _check(self) -> None:
        a = self.concentration
        if a.shape[-1] < 2:
            raise ValueError(
                f"Dirichlet: concentration must have shape (..., K) with K at least 2, got shape {a.shape}"
            )
        self._require("concentration", a > 0.0, "positive", a)

    def require_same_family(self, where: str, other: object) -> None:
        """Raise TypeError or ValueError unless the other has this family and its grid broadcasts."""
        super().require_same_family(where, other)
        assert isinstance(other, Dirichlet)
        ours, theirs = self.concentration.shape[-1], other.concentration.shape[-1]
        if ours != theirs:
            raise ValueError(
                f"{where}: both distributions must have the same number of shares, got {ours} and {theirs}"
            )

    @property
    def concentrations(self) -> np.ndarray:
        """The concentrations, shape (..., number of them)."""
        return self.concentration

    @classmethod
    def _from_concentration(cls, concentration: np.ndarray) -> Self:
        return cls(concentration)

    @classmethod
    def _coordinates(cls, name: str, coordinates: ArrayLike) -> np.ndarray:
        array = as_numbers("Dirichlet", name, coordinates)
        if array.ndim == 0 or array.shape[-1] < 2:
            raise ValueError(
                f"Dirichlet: {name} must have shape (..., K) with K at least 2, got shape {array.shape}"
            )
        cls._require(name, np.isfinite(array), "finite", array)
        return array

    def _shares(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        shares, k = as_numbers("Dirichlet", "x", x), self.concentration.shape[-1]
        if shares.ndim == 0 or shares.shape[-1] != k:
            raise ValueError(f"Dirichlet: x must have shape (..., {k}), got shape {shares.shape}")
        with np.errstate(invalid="ignore"):
            off = np.abs(np.sum(shares, axis=-1) - 1.0) > _SLACK
        inside = ~(off | np.any(shares < 0.0, axis=-1))
        return np.where(inside[..., None], shares, 1.0 / k), inside

    def _draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Divide Gamma variables by their sum, in logarithms: small concentrations underflow otherwise."""
        a = self.concentration
        # a Gamma variable of shape a is one of shape a + 1 times the a-th root of a uniform one
        full = (*size, a.shape[-1])
        logarithms = np.log(rng.standard_gamma(a + 1.0, full)) - rng.standard_exponential(full) / a
        return special.softmax(logarithms, axis=-1)
