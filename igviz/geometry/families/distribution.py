"""What every family of distributions shares, whether or not it has natural coordinates.

A distribution is a frozen dataclass whose fields are its usual parameters. Fields broadcast, so one object
may hold a whole grid of distributions, and every method is vectorised over the grid.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry import fisher_rao
from igviz.geometry.numerics import as_numbers

# a field is given as anything array-like and stored as a read-only float64 array
Parameter: TypeAlias = Any


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Distribution:
    """Base of all families: fields, broadcasting, indexing, checks and the names of the charts.

    A family adds its fields, `source`, `from_source`, `log_prob`, `entropy`, `kl`, `_check`, `_draw` and
    `_fisher_source`. Where the Fisher–Rao geometry has closed forms it adds `fisher_rao_distance_to` and
    `fisher_rao_path_to`, otherwise `fisher_rao_chart`, the coordinates for the numeric route. Two
    distributions are equal if family and parameters are.
    """

    charts: ClassVar[tuple[str, ...]] = ("source",)
    # how many axes of its own, behind those of the grid, a field has: 1 for a vector, 2 for a matrix, else 0
    _ranks: ClassVar[dict[str, int]] = {}
    # how many axes one observation has: 1 for a vector
    observation_rank: ClassVar[int] = 0
    # coordinates in which Fisher–Rao distances and paths are found numerically
    fisher_rao_chart: ClassVar[fisher_rao.Chart | None] = None
    # fields that are no coordinates: they tell one surface of distributions from another
    _fixed: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        fields = dataclasses.fields(self)
        arrays = [as_numbers(self.family_name(), f.name, getattr(self, f.name)) for f in fields]
        ranks = [self._ranks.get(f.name, 0) for f in fields]
        for f, array, rank in zip(fields, arrays, ranks, strict=True):
            if array.ndim < rank:
                axes = "1 axis" if rank == 1 else f"{rank} axes"
                raise ValueError(
                    f"{self.family_name()}: {f.name} must have at least {axes}, got shape {array.shape}"
                )
            self._require(f.name, np.isfinite(array), "finite", array)
        batches = [array.shape[: array.ndim - rank] for array, rank in zip(arrays, ranks, strict=True)]
        try:
            shape = np.broadcast_shapes(*batches)
        except ValueError:
            names = " and ".join(f"{f.name} {a.shape}" for f, a in zip(fields, arrays, strict=True))
            raise ValueError(f"{self.family_name()}: shapes must broadcast, got {names}") from None
        for f, array, batch in zip(fields, arrays, batches, strict=True):
            # a broadcast array is read-only, and as_numbers has made it a copy of what was given
            object.__setattr__(self, f.name, np.broadcast_to(array, shape + array.shape[len(batch) :]))
        object.__setattr__(self, "_shape", shape)
        self._check()

    # -- what a family provides ----------------------------------------------------------------------------

    @property
    def source(self) -> np.ndarray:
        """The usual parameters as minimal coordinates, shape (..., k)."""
        raise NotImplementedError

    @classmethod
    def from_source(cls, coordinates: ArrayLike) -> Self:
        """Return the distributions with the given source coordinates, shape (..., k)."""
        raise NotImplementedError

    def log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return the log-density at x in nats; for discrete families with respect to the counting measure.

        Parameters
        ----------
        x : array_like
            Values that broadcast with `shape`. Outside the support the result is −inf.
        """
        raise NotImplementedError

    def entropy(self) -> np.ndarray:
        """Return the (differential) entropy −E[log p] in nats, of shape `shape`."""
        raise NotImplementedError

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) = E_self[log self − log q] in nats; `shape` and `q.shape` broadcast."""
        raise NotImplementedError

    def _check(self) -> None:
        """Raise ValueError for parameters outside the family."""
        raise NotImplementedError

    def _draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Return samples of the given total shape, grid last."""
        raise NotImplementedError

    def _fisher_source(self) -> np.ndarray:
        """Return the Fisher matrix in the source chart, shape (..., k, k)."""
        raise NotImplementedError

    def fisher_rao_distance_to(self, q: Self) -> np.ndarray:
        """Return the Fisher–Rao distance; numerically, unless a family has a closed form."""
        return fisher_rao.distance(self, q, self._require_fisher_rao_chart("fisher_rao_distance"))

    def fisher_rao_path_to(self, q: Self) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """Return the Fisher–Rao geodesic: a function from t to the family's parameters, in the fields' order.

        t arrives with the grid's axes appended, so that it broadcasts with the fields.
        """
        return fisher_rao.path(self, q, self._require_fisher_rao_chart("geodesic"))

    def squared_speed(self, velocity: np.ndarray, chart: str) -> np.ndarray:
        """Return the squared length in the Fisher metric of velocities, shape (..., k), in a chart."""
        return np.einsum("...i,...ij,...j->...", velocity, self.fisher(chart), velocity)

    # -- what every family has -----------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the grid of distributions; () for a single one."""
        return self._shape  # type: ignore[attr-defined]

    @property
    def dimension(self) -> int:
        """Number of coordinates k, the dimension of the family as a surface."""
        return int(self.source.shape[-1])

    def coordinates(self, chart: str = "source") -> np.ndarray:
        """Return the coordinates in a chart, shape (..., k).

        Raises
        ------
        ValueError
            If the family has no such chart.
        """
        self.require_chart("coordinates", chart)
        return getattr(self, chart)

    @classmethod
    def from_coordinates(cls, coordinates: ArrayLike, chart: str = "source", **fixed: ArrayLike) -> Self:
        """Return the distributions with the given coordinates, shape (..., k), in a chart.

        Parameters
        ----------
        coordinates : array_like
            Shape (..., k).
        chart : str
            One of the family's `charts`.
        **fixed : array_like
            The parameters that are no coordinates, where the family has any: the `degrees_of_freedom` of a
            StudentT.

        Raises
        ------
        ValueError
            If the family has no such chart, or no distribution has these coordinates.
        """
        cls.require_chart("from_coordinates", chart)
        return getattr(cls, f"from_{chart}")(coordinates, **fixed)

    def with_coordinates(self, coordinates: ArrayLike, chart: str = "source") -> Self:
        """Return the distributions of the same surface with other coordinates: what is fixed stays."""
        fixed = {name: getattr(self, name) for name in self._fixed}
        return self.from_coordinates(coordinates, chart, **fixed)

    def pdf(self, x: ArrayLike) -> np.ndarray:
        """Return the density at x; for discrete families the probability of x."""
        return np.exp(self.log_prob(x))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n independent samples of every distribution.

        Parameters
        ----------
        n : int
            Number of samples.
        rng : numpy.random.Generator
            Source of randomness; there is no global seed.

        Returns
        -------
        numpy.ndarray
            Shape (n,) + shape, then the axes of one observation.

        Raises
        ------
        TypeError
            If n is not an integer or rng not a Generator.
        ValueError
            If n is negative.
        """
        if not isinstance(rng, np.random.Generator):
            raise TypeError(
                f"{self.family_name()}.sample: rng must be a numpy.random.Generator, "
                f"such as numpy.random.default_rng(0), got {rng!r}"
            )
        try:
            count = operator.index(n)
        except TypeError:
            raise TypeError(f"{self.family_name()}.sample: n must be an integer, got {n!r}") from None
        if count < 0:
            raise ValueError(f"{self.family_name()}.sample: n must not be negative, got {n!r}")
        return self._draw((count, *self.shape), rng)

    def fisher(self, chart: str = "source") -> np.ndarray:
        """Return the Fisher information matrix E[∇ log p (∇ log p)ᵀ] of one observation in a chart.

        Parameters
        ----------
        chart : str
            One of the family's `charts`.

        Returns
        -------
        numpy.ndarray
            Shape (..., k, k), also for k = 1.

        Raises
        ------
        ValueError
            If the family has no such chart.
        """
        self.require_chart("fisher", chart)
        return getattr(self, f"_fisher_{chart}")()

    def __getitem__(self, index: Any) -> Self:
        """Return the part of the grid that the index names, as NumPy would for an array of shape `shape`."""
        index = index if isinstance(index, tuple) else (index,)
        parts = []
        for f in dataclasses.fields(self):
            own = (slice(None),) * self._ranks.get(f.name, 0)
            # an ellipsis in the index stands for axes of the grid only
            parts.append(getattr(self, f.name)[(*index, *own)])
        return type(self)(*parts)

    def broadcast_to(self, shape: tuple[int, ...]) -> Self:
        """Return the same distributions on a larger grid."""
        parts = []
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            own = value.shape[value.ndim - self._ranks.get(f.name, 0) :]
            parts.append(np.broadcast_to(value, shape + own))
        return type(self)(*parts)

    def __iter__(self) -> Iterator[Self]:
        if not self.shape:
            raise TypeError(f"a single {self.family_name()} is not a grid to iterate over")
        return (self[i] for i in range(self.shape[0]))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = (f.name for f in dataclasses.fields(self))
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    def __hash__(self) -> int:
        # adding 0.0 turns −0.0 into 0.0, which compares equal to it
        values = ((getattr(self, f.name) + 0.0) for f in dataclasses.fields(self))
        return hash((type(self), *((value.shape, value.tobytes()) for value in values)))

    def __repr__(self) -> str:
        def show(value: np.ndarray) -> str:
            if value.ndim == 0:
                return repr(float(value))
            return np.array2string(value, separator=", ", threshold=12)

        inside = ", ".join(f"{f.name}={show(getattr(self, f.name))}" for f in dataclasses.fields(self))
        return f"{self.family_name()}({inside})"

    # -- checks shared by the families ---------------------------------------------------------------------

    @classmethod
    def family_name(cls) -> str:
        """Return the name of the family, for messages."""
        return cls.__name__

    @classmethod
    def _require(cls, name: str, ok: np.ndarray, allowed: str, value: np.ndarray) -> None:
        """Raise a ValueError that names the argument, the first bad value and what is allowed."""
        if np.all(ok):
            return
        index = tuple(int(i) for i in np.argwhere(~np.atleast_1d(ok))[0])
        place = f" at index {index}" if value.ndim else ""
        bad = float(np.atleast_1d(value)[index])
        raise ValueError(f"{cls.family_name()}: {name} must be {allowed}, got {bad!r}{place}")

    @classmethod
    def require_chart(cls, where: str, chart: str) -> None:
        """Raise ValueError, in the name of the caller, unless the family has the chart."""
        if chart not in cls.charts:
            names = ", ".join(repr(name) for name in cls.charts)
            raise ValueError(f"{cls.family_name()}.{where}: chart must be one of {names}, got {chart!r}")

    @classmethod
    def _require_fisher_rao_chart(cls, where: str) -> fisher_rao.Chart:
        if cls.fisher_rao_chart is None:
            raise NotImplementedError(
                f"{where}: no closed form for {cls.family_name()}, and no chart to find it in"
            )
        return cls.fisher_rao_chart

    @classmethod
    def _split(cls, name: str, coordinates: ArrayLike, dimension: int) -> list[np.ndarray]:
        """Return the `dimension` coordinates, each of shape (...), of an array of shape (..., dimension)."""
        array = as_numbers(cls.family_name(), name, coordinates)
        if array.ndim == 0 or array.shape[-1] != dimension:
            raise ValueError(
                f"{cls.family_name()}: {name} must have shape (..., {dimension}), got shape {array.shape}"
            )
        cls._require(name, np.isfinite(array), "finite", array)
        return [array[..., i] for i in range(dimension)]

    def require_same_family(self, where: str, other: object) -> None:
        """Raise unless the other is of the same family and its grid broadcasts with this one."""
        if type(other) is not type(self):
            raise TypeError(
                f"{where}: both distributions must be of one family, "
                f"got {self.family_name()} and {type(other).__name__}"
            )
        try:
            np.broadcast_shapes(self.shape, other.shape)
        except ValueError:
            raise ValueError(
                f"{where}: the shapes of the two grids must broadcast, got {self.shape} and {other.shape}"
            ) from None
