"""The Beta distribution of a number between 0 and 1."""

from __future__ import annotations

import dataclasses
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from igviz.geometry.families.concentrations import Concentrations
from igviz.geometry.families.distribution import Parameter
from igviz.geometry.numerics import as_numbers


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Beta(Concentrations):
    """Beta distributions on (0, 1), with density ∝ x^(a − 1)·(1 − x)^(b − 1).

    Charts: source (a, b); natural (a, b); expectation (ψ(a) − ψ(a + b), ψ(b) − ψ(a + b)), which are the means
    of the sufficient statistics (log x, log(1 − x)). The base measure is 1/(x(1 − x)). The Fisher metric is
    ψ′(a)·da² + ψ′(b)·db² − ψ′(a + b)·(da + db)². x and 1 − x have the `Dirichlet` distribution of (a, b).

    Parameters
    ----------
    a, b : array_like
        Positive; they broadcast to a grid of distributions.

    Raises
    ------
    ValueError
        If a parameter is not a positive finite number, or the shapes do not broadcast.

    References
    ----------
    Nielsen, F. (2020). An elementary introduction to information geometry.
    """

    a: Parameter
    b: Parameter

    def _check(self) -> None:
        self._require("a", self.a > 0.0, "positive", self.a)
        self._require("b", self.b > 0.0, "positive", self.b)

    @property
    def concentrations(self) -> np.ndarray:
        """The concentrations, shape (..., number of them)."""
        return np.stack([self.a, self.b], axis=-1)

    @classmethod
    def _from_concentration(cls, concentration: np.ndarray) -> Self:
        return cls(concentration[..., 0], concentration[..., 1])

    @classmethod
    def _coordinates(cls, name: str, coordinates: ArrayLike) -> np.ndarray:
        return np.stack(cls._split(name, coordinates, 2), axis=-1)

    def _shares(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        x = as_numbers("Beta", "x", x)
        inside = ~((x < 0.0) | (x > 1.0))
        share = np.where(inside, x, 0.5)
        return np.stack([share, 1.0 - share], axis=-1), inside

    def _draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.beta(self.a, self.b, size)

    def log_partition(self) -> np.ndarray:
        """Return A = log B(a, b) in nats, of shape `shape`, where B is the Beta function."""
        return special.betaln(self.a, self.b)
