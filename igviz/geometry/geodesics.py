"""Paths between distributions: shortest under the Fisher metric, or straight in a dual chart."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.distribution import Distribution
from igviz.geometry.numerics import as_numbers, differentiation_matrix

Family = TypeVar("Family", bound=Distribution)

KINDS = ("fisher-rao", "natural", "expectation")
# by the α of the connection in which they are straight
_NAMED: dict[object, str] = {-1: "expectation", 0: "fisher-rao", 1: "natural"}


def geodesic(p: Family, q: Family, kind: str | float = "fisher-rao") -> Path[Family]:
    """Return the geodesic from p to q as a path that can be called: `path(t)` is a distribution.

    Parameters
    ----------
    p, q : distributions of one family
        Ends of the path, at t = 0 and t = 1. Their grids broadcast.
    kind : {"fisher-rao", "natural", "expectation"} or {-1, 0, 1}
        "fisher-rao": the shortest path under the Fisher metric, at constant speed.
        "natural": straight in natural coordinates, the e-geodesic.
        "expectation": straight in expectation coordinates, the m-geodesic.
        A number names the path by the α of Amari's connection: −1 is "expectation", 0 "fisher-rao", 1
        "natural".

    Returns
    -------
    Path
        Vectorised over t and over the grids.

    Raises
    ------
    TypeError
        If p and q are not distributions of one family.
    ValueError
        If the kind is unknown or another number, the family has no such chart, an end has no coordinates in
        it, or the grids do not broadcast.
    ArithmeticError
        If a Fisher–Rao path is found numerically, as for most pairs of multivariate normals and for Gamma,
        Beta and Dirichlet distributions, and does not settle: see `igviz.fisher_rao_distance`.
    NotImplementedError
        If the Fisher–Rao path is asked for and the family has neither closed form nor numeric route.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, section 2.1.
    Costa, Santos, Strapasson (2015). Fisher information distance: a geometrical reading, section 2.
    """
    if not isinstance(p, Distribution):
        raise TypeError(f"geodesic: p must be a distribution such as igviz.Normal, got {p!r}")
    p.require_same_family("geodesic", q)
    return Path(p, q, _checked_kind(kind))


def _checked_kind(kind: object) -> str:
    """Return the name of a kind, or say what is allowed."""
    if isinstance(kind, int | float | np.integer | np.floating) and not isinstance(kind, bool):
        if kind not in _NAMED:
            names = ", ".join(f"{alpha} ({name!r})" for alpha, name in _NAMED.items())
            raise ValueError(f"geodesic: as a number kind must be one of {names}, got {reprlib.repr(kind)}")
        return _NAMED[kind]
    if not isinstance(kind, str) or kind not in KINDS:
        names = ", ".join(repr(name) for name in KINDS)
        raise ValueError(f"geodesic: kind must be one of {names}, or a number, got {kind!r}")
    return kind


class Path(Generic[Family]):
    """A path from `start` to `end`, made by `geodesic`.

    Attributes
    ----------
    start, end : distributions
        The ends, at t = 0 and t = 1.
    kind : str
        What is straight about it.
    shape : tuple of int
        Shape of the grid of paths.
    """

    def __init__(self, start: Family, end: Family, kind: str) -> None:
        self.start, self.end, self.kind = start, end, kind
        self.shape = np.broadcast_shapes(start.shape, end.shape)
        self._at: Callable[[np.ndarray], Family]
        if kind == "fisher-rao":
            parameters = start.fisher_rao_path_to(end)
            self._at = lambda t: type(start)(*parameters(t))
        else:
            # asked for now, so that an end without such coordinates is refused here and not at the first call
            self._step = end.coordinates(kind) - start.coordinates(kind)
            self._at = lambda t: start.straight_point(end, t, kind)  # type: ignore[attr-defined]

    def __call__(self, t: ArrayLike) -> Family:
        """Return the distributions at t.

        Parameters
        ----------
        t : array_like
            Any shape; 0 is the start, 1 the end. Outside [0, 1] the path goes on as long as it stays in the
            family.

        Returns
        -------
        distributions
            Of shape t.shape + path.shape.

        Raises
        ------
        ValueError
            If t is not finite or the path has left the family there.
        """
        time = as_numbers("geodesic", "t", t)
        if not np.all(np.isfinite(time)):
            raise ValueError(f"geodesic: t must be finite, got {t!r}")
        try:
            return self._at(time[(..., *(None,) * len(self.shape))])
        except ValueError as error:
            span = f"{time.min():g}" if time.ndim == 0 else f"{time.min():g} to {time.max():g}"
            raise ValueError(
                f"geodesic: the {self.kind} path has no point at t = {span} ({error})"
            ) from error

    def __repr__(self) -> str:
        return f"Path({self.start!r}, {self.end!r}, kind={self.kind!r})"

    def length(self, pieces: int = 28) -> np.ndarray:
        """Return the length of the path from t = 0 to t = 1: the integral of ds under the Fisher metric.

        For the Fisher–Rao path this is the distance, found independently: the coordinates
        are differentiated numerically and measured with the Fisher matrix.

        Parameters
        ----------
        pieces : int
            Number of pieces of the path; each is integrated by Gauss–Legendre quadrature with 12 and again
            with 16 nodes.

        Returns
        -------
        numpy.ndarray
            Lengths, of shape path.shape.

        Raises
        ------
        ArithmeticError
            If the two rules differ by more than 1e-9 of the length and 1e-12. More pieces may help; straight
            paths between normals whose standard deviations differ by more than a factor of 10⁴ stay out of
            reach.
        """
        coarse, fine = (self._integrate(pieces, nodes) for nodes in (12, 16))
        if not np.all(np.abs(fine - coarse) <= 1e-9 * fine + 1e-12):  # so that nan is refused too
            raise ArithmeticError(
                f"geodesic: the length of the {self.kind} path is not settled to 1e-9 with {pieces} pieces"
            )
        return fine

    def _integrate(self, pieces: int, nodes: int) -> np.ndarray:
        """Integrate the speed piece by piece, by Gauss–Legendre quadrature."""
        abscissae, weights = np.polynomial.legendre.leggauss(nodes)
        straight = self.kind != "fisher-rao"
        breaks = _graded(pieces) if straight else np.linspace(0.0, 1.0, pieces + 1)
        half_widths = 0.5 * np.diff(breaks)[:, None]
        u = breaks[:-1, None] + half_widths * (1.0 + abscissae)
        grid = (None,) * (len(self.shape) + 1)
        if not straight:
            points, chart = self(u), "source"
            # the travel since the first node: a large constant would drown a small step in rounding
            travel = points.source - points.source[:, :1]
            along = np.moveaxis(travel, 1, -1) @ differentiation_matrix(abscissae).T
            velocity = np.moveaxis(along, -1, 1) / half_widths[(..., *grid)]
        else:
            # a straight path may run through most of its length close to an end: t = sin²(πu/2) dwells there
            points, chart = self(np.sin(0.5 * np.pi * u) ** 2), self.kind
            velocity = self._step * (0.5 * np.pi * np.sin(np.pi * u))[(..., *grid)]
        squared = points.squared_speed(velocity, chart)
        # the squared speed of a path that rests may round to below zero
        speed = np.sqrt(np.maximum(squared, 0.0))
        return np.tensordot(half_widths * weights, speed, axes=2)[()]


def _graded(pieces: int) -> np.ndarray:
    """Return the ends of pieces of [0, 1] that halve towards both ends."""
    half = 0.5 * np.concatenate([[0.0], 0.5 ** np.arange(max(pieces // 2, 1))[::-1]])
    return np.concatenate([half, 1.0 - half[-2::-1]])
