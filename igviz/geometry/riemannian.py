"""Riemannian geometry of any metric that can be evaluated: lengths, geodesics, distances, curvature."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry import differences
from igviz.geometry.geodesic_flow import flow
from igviz.geometry.numerics import as_numbers, differentiation_matrix
from igviz.geometry.shortest_paths import ShortestPaths, shortest_paths

Field = Callable[[np.ndarray], np.ndarray]

# largest relative error of a path and its velocity, with room for what rounding adds to the hardest paths on
# other processors; that of a distance is about its square
_PATH, _DISTANCE = 2e-9, 1e-5
# what is aimed at, and nearly always had
_RESOLVED = {_PATH: 1e-12, _DISTANCE: 1e-8}


class RiemannianManifold:
    """A domain of coordinates with a metric: ds² = Σ gᵢⱼ(x) dxᵢ dxⱼ.

    Every method takes many points at once, their leading axes broadcasting. Paths between two points are
    looked for from the straight line in these coordinates: they are shorter than their neighbours, and where
    geodesics between points are unique their length is *the* distance.

    Parameters
    ----------
    metric : callable
        Maps points, shape (..., k), to symmetric positive-definite matrices g, shape (..., k, k).
    derivative : callable, optional
        Maps points to ∂gᵢⱼ/∂xₗ, shape (..., k, k, k), the last axis that of differentiation. Without it the
        metric is differentiated by central differences of order eight, whose steps are a small part of the
        unit of length along each coordinate, or of the coordinate where that is smaller (of 1, where the
        coordinate itself is smaller than 1). Their relative errors are about 1e-12 if the metric varies on
        that scale.
    dimension : int, optional
        The number of coordinates k, if points of another length are to be refused.
    inside : callable, optional
        Maps points to whether they belong to the domain, shape (...). The metric is not evaluated outside.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If the dimension is not positive.

    References
    ----------
    do Carmo, M. P. (1992). Riemannian Geometry, chapters 2 to 4, whose signs of the curvature these are.
    Lee, J. M. (2018). Introduction to Riemannian Manifolds, chapters 4 to 8.
    """

    def __init__(
        self,
        metric: Field,
        derivative: Field | None = None,
        dimension: int | None = None,
        inside: Field | None = None,
    ) -> None:
        if not callable(metric):
            raise TypeError(f"RiemannianManifold: metric must be a function of points, got {metric!r}")
        for name, value in (("derivative", derivative), ("inside", inside)):
            if value is not None and not callable(value):
                raise TypeError(f"RiemannianManifold: {name} must be a function of points, got {value!r}")
        if dimension is not None:
            if isinstance(dimension, bool) or not isinstance(dimension, int | np.integer):
                raise TypeError(f"RiemannianManifold: dimension must be an integer, got {dimension!r}")
            if dimension < 1:
                raise ValueError(f"RiemannianManifold: dimension must be positive, got {dimension!r}")
        self._given_metric, self._given_derivative = metric, derivative
        self._dimension, self._inside = dimension, inside

    # -- the metric ----------------------------------------------------------------------------------------

    def metric(self, x: ArrayLike) -> np.ndarray:
        """Return g at the points x, shape (..., k, k)."""
        return self._metric(self._points("metric", "x", x))

    def derivative(self, x: ArrayLike) -> np.ndarray:
        """Return ∂gᵢⱼ/∂xₗ at the points x, shape (..., i, j, l)."""
        return self._derivative(self._points("derivative", "x", x))

    def norm(self, x: ArrayLike, v: ArrayLike) -> np.ndarray:
        """Return the length √g(v, v) of tangent vectors v at x, shape (...)."""
        points, vector = self._tangents("norm", x, v=v)
        return self._norm(points, vector)[()]

    def length(
        self,
        curve: Callable[[np.ndarray], ArrayLike],
        start: float = 0.0,
        end: float = 1.0,
        pieces: int = 28,
    ) -> np.ndarray:
        """Return the length of a curve: the integral of √g(ẋ, ẋ) dt.

        Parameters
        ----------
        curve : callable
            Maps times, shape (m,), to points, shape (m, ..., k), smoothly. It is differentiated numerically.
        start, end : float
            First and last time.
        pieces : int
            Number of equal pieces of time; each is integrated by Gauss–Legendre quadrature with 12 and again
            with 16 nodes.

        Returns
        -------
        numpy.ndarray
            Shape (...).

        Raises
        ------
        ArithmeticError
            If the two rules differ by more than 1e-9 of the length and 1e-12.
        """
        if not callable(curve):
            raise TypeError(f"RiemannianManifold.length: curve must be a function of time, got {curve!r}")
        breaks = np.linspace(float(start), float(end), pieces + 1)
        coarse, fine = (self._integrate(curve, breaks, nodes) for nodes in (12, 16))
        if not np.all(np.abs(fine - coarse) <= 1e-9 * fine + 1e-12):
            raise ArithmeticError(
                f"RiemannianManifold.length: not settled to 1e-9 with {pieces} pieces; more may help"
            )
        return fine

    def _integrate(
        self, curve: Callable[[np.ndarray], ArrayLike], breaks: np.ndarray, nodes: int
    ) -> np.ndarray:
        abscissae, weights = np.polynomial.legendre.leggauss(nodes)
        halves = 0.5 * np.diff(breaks)[:, None]
        times = breaks[:-1, None] + halves * (1.0 + abscissae)
        points = self._points("length", "curve", curve(times.ravel()))
        points = points.reshape(*times.shape, *points.shape[1:])
        along = np.moveaxis(points - points[:, :1], 1, -1) @ differentiation_matrix(abscissae).T
        velocity = np.moveaxis(along, -1, 1) / halves.reshape(-1, *(1,) * (points.ndim - 1))
        return np.tensordot(halves * weights, self._norm(points, velocity), axes=2)[()]

    # -- connection and curvature --------------------------------------------------------------------------

    def christoffel_symbols(self, x: ArrayLike) -> np.ndarray:
        """Return the Christoffel symbols of the second kind, shape (..., k, k, k).

        The entry [..., m, i, j] is Γᵐᵢⱼ = ½·Σ gᵐˡ(∂ᵢgⱼₗ + ∂ⱼgᵢₗ − ∂ₗgᵢⱼ): the upper index comes first.
        """
        return self._christoffel(self._points("christoffel_symbols", "x", x))

    def sectional_curvature(self, x: ArrayLike, u: ArrayLike, v: ArrayLike) -> np.ndarray:
        """Return the curvature of the planes spanned by u and v at x, shape (...); +1 for the unit sphere.

        Raises
        ------
        ValueError
            If u and v are parallel.
        """
        points, first, second = self._tangents("sectional_curvature", x, u=u, v=v)
        metric = self._metric(points)
        uu, uv, vv = (
            np.einsum("...i,...ij,...j->...", a, metric, b)
            for a, b in ((first, first), (first, second), (second, second))
        )
        area = uu * vv - uv**2
        if not np.all(area > 1e-12 * uu * vv):
            raise ValueError("RiemannianManifold.sectional_curvature: u and v must not be parallel")
        turned = np.einsum("...mlij,...i,...j,...l->...m", self._riemann(points), first, second, second)
        return (np.einsum("...m,...mi,...i->...", turned, metric, first) / area)[()]

    def gaussian_curvature(self, x: ArrayLike) -> np.ndarray:
        """Return the Gaussian curvature of a surface, k = 2, at the points x, shape (...).

        Raises
        ------
        ValueError
            If points do not have two coordinates.
        """
        points = self._points("gaussian_curvature", "x", x)
        if points.shape[-1] != 2:
            raise ValueError(
                "RiemannianManifold.gaussian_curvature: x must have shape (..., 2), a surface; "
                f"got shape {points.shape}; there is sectional_curvature for others"
            )
        first, second = np.broadcast_to(np.eye(2)[:, None], (2, points.size // 2, 2))
        flat = points.reshape(-1, 2)
        return self.sectional_curvature(flat, first, second).reshape(points.shape[:-1])[()]

    # -- geodesics from a point ----------------------------------------------------------------------------

    def geodesic(self, x: ArrayLike, v: ArrayLike) -> Callable[[ArrayLike], np.ndarray]:
        """Return the geodesics that start at x with velocity v, as a function of time.

        Parameters
        ----------
        x, v : array_like
            Shape (..., k), broadcasting.

        Returns
        -------
        callable
            Maps times of any shape to points, shape (*t.shape, ..., k). The speed is constant. The
            geodesic equation is integrated by DOP853 with a relative tolerance of 1e-12, all points as one
            system; many times cost little more than the last of them.

        Raises
        ------
        ArithmeticError
            When called, if a geodesic leaves the domain before it gets there.
        """
        points, velocity = self._tangents("geodesic", x, v=v)

        def at(t: ArrayLike) -> np.ndarray:
            times = as_numbers("RiemannianManifold.geodesic", "t", t)
            moved = self._flow("RiemannianManifold.geodesic", points, velocity, times.ravel())
            return (points + moved).reshape(*times.shape, *points.shape)

        return at

    def _flow(self, where: str, points: np.ndarray, velocity: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Return displacements at times t, shape (m, ..., k)."""
        if not np.all(np.isfinite(t)):
            raise ValueError(f"{where}: t must be finite, got {t!r}")
        start, tangent = (a.reshape(-1, a.shape[-1]) for a in (points, velocity))
        try:
            with np.errstate(all="ignore"):
                scale = 1.0 / np.sqrt(np.einsum("...ii->...i", self._metric(start)))
                moved = flow(self._acceleration, start, tangent, self._norm(start, tangent), scale, t)
        except ArithmeticError as error:
            raise ArithmeticError(f"{where}: {error}") from None
        return moved.reshape(t.size, *points.shape)

    # -- geodesics between points --------------------------------------------------------------------------

    def distance(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Return the lengths of the shortest geodesics found from x to y, shape (...).

        The relative error is below 1e-10, for points up to 1e-8 apart as far as the coordinates tell them
        apart.

        Raises
        ------
        ArithmeticError
            If no shortest path was found to that precision.
        """
        points, ends = self._ends("distance", x, y)
        return self.unchecked_distance("RiemannianManifold.distance", points, ends - points)

    def unchecked_distance(self, where: str, points: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Return the lengths of the shortest paths found from points to points + step."""
        found = self._between(where, points, step, _DISTANCE)
        return found.distance.reshape(points.shape[:-1])[()]

    def _between(self, where: str, points: np.ndarray, step: np.ndarray, tail: float) -> ShortestPaths:
        """Return the shortest paths found from points to points + step, as a list.

        The coefficients must fall off to `tail`, and are followed further where they do.
        """
        flat, steps = (a.reshape(-1, a.shape[-1]) for a in (points, step))
        with np.errstate(all="ignore"):
            found = shortest_paths(self._metric, self._derivative, flat, steps, _RESOLVED[tail])
        right = found.tail <= tail
        if not np.all(right):
            worst = int(np.argmin(right))
            index = tuple(int(i) for i in np.unravel_index(worst, points.shape[:-1]))
            place = f" at index {index}" if points.ndim > 1 else ""
            raise ArithmeticError(
                f"{where}: no shortest path was found from {flat[worst].tolist()} to "
                f"{(flat[worst] + steps[worst]).tolist()}{place}: it bends too sharply, or leaves the domain"
            )
        return found

    def unchecked_displacement(
        self, where: str, points: np.ndarray, step: np.ndarray
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Return the way from points along the shortest paths found to points + step.

        The function maps times of any shape to displacements, shape (*t.shape, ..., k).
        """
        found = self._between(where, points, step, _PATH)
        first, last = (v.reshape(points.shape) for v in found.velocity(np.array([0.0, 1.0])))

        def at(t: np.ndarray) -> np.ndarray:
            times = t.ravel()
            moved = found.displacement(np.clip(times, 0.0, 1.0)).reshape(times.size, *points.shape)
            before, after = times < 0.0, times > 1.0
            if np.any(before):
                moved[before] = self._flow(where, points, first, times[before])
            if np.any(after):
                moved[after] = step + self._flow(where, points + step, last, times[after] - 1.0)
            return moved.reshape(*t.shape, *points.shape)

        return at

    # -- evaluation and checks -----------------------------------------------------------------------------

    def _evaluate(self, function: Field, points: np.ndarray, rank: int) -> np.ndarray:
        """Return the function at the points inside the domain, and nan at the others."""
        k = points.shape[-1]
        shape = points.shape[:-1] + (k,) * rank
        finite = np.all(np.isfinite(points), axis=-1)
        if self._inside is not None:
            finite &= np.asarray(self._inside(np.where(finite[..., None], points, np.nan)), dtype=bool)
        if np.all(finite):
            return _shaped(function(points), shape)
        result = np.full(shape, np.nan)
        if np.any(finite):
            result[finite] = _shaped(function(points[finite]), (int(finite.sum()), *(k,) * rank))
        return result

    def _metric(self, points: np.ndarray) -> np.ndarray:
        return self._evaluate(self._given_metric, points, 2)

    def _derivative(self, points: np.ndarray) -> np.ndarray:
        if self._given_derivative is not None:
            return self._evaluate(self._given_derivative, points, 3)
        return differences.gradient(self._metric, points, self._scale(points))

    def _scale(self, points: np.ndarray) -> np.ndarray:
        """Return how far one may go along each coordinate before the metric changes, roughly."""
        unit = 1.0 / np.sqrt(np.einsum("...ii->...i", self._metric(points)))
        scale = np.minimum(unit, np.maximum(np.abs(points), 1.0))
        if self._inside is None:
            return scale
        # differences of differences must stay in the domain as well
        shifts = np.concatenate([np.eye(points.shape[-1]), -np.eye(points.shape[-1])]) / 8.0
        for _ in range(12):
            ends = points[..., None, :] + shifts * scale[..., None, :]
            fits = np.asarray(self._inside(ends), dtype=bool)
            fits = fits[..., : points.shape[-1]] & fits[..., points.shape[-1] :]
            if np.all(fits):
                break
            scale = np.where(fits, scale, 0.25 * scale)
        return scale

    def _norm(self, points: np.ndarray, vector: np.ndarray) -> np.ndarray:
        squares = np.einsum("...i,...ij,...j->...", vector, self._metric(points), vector)
        return np.sqrt(np.maximum(squares, 0.0))

    def _acceleration(self, points: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return −Γ(v, v)."""
        slope = self._derivative(points)
        change = np.einsum("...ijl,...l,...j->...i", slope, v, v)
        pull = np.einsum("...jli,...j,...l->...i", slope, v, v)
        metric = self._metric(points)
        finite = np.all(np.isfinite(metric), axis=(-2, -1))
        safe = np.where(finite[..., None, None], metric, np.eye(points.shape[-1]))
        return np.linalg.solve(safe, (0.5 * pull - change)[..., None])[..., 0]

    def _christoffel(self, points: np.ndarray) -> np.ndarray:
        slope = self._derivative(points)
        k = points.shape[-1]
        # lowered[..., l, i, j] = ∂ᵢgⱼₗ + ∂ⱼgᵢₗ − ∂ₗgᵢⱼ
        first = np.moveaxis(slope, -1, -2)
        lowered = 0.5 * (first + np.swapaxes(first, -1, -2) - np.moveaxis(slope, -1, -3))
        flat = lowered.reshape(*points.shape[:-1], k, k * k)
        return np.linalg.solve(self._metric(points), flat).reshape(lowered.shape)

    def _riemann(self, points: np.ndarray) -> np.ndarray:
        """Return the curvature tensor, the symbols differentiated by central differences.

        The entry [..., m, l, i, j] is Rᵐₗᵢⱼ = ∂ᵢΓᵐⱼₗ − ∂ⱼΓᵐᵢₗ + Γᵐᵢₛ·Γˢⱼₗ − Γᵐⱼₛ·Γˢᵢₗ, the component m of
        R(∂ᵢ, ∂ⱼ)∂ₗ with R(u, v) = ∇ᵤ∇ᵥ − ∇ᵥ∇ᵤ − ∇₍ᵤ,ᵥ₎.
        """
        symbols = self._christoffel(points)
        slope = differences.gradient(self._christoffel, points, self._scale(points))
        first = np.einsum("...mjli->...mlij", slope)
        product = np.einsum("...mis,...sjl->...mlij", symbols, symbols)
        return first - np.swapaxes(first, -1, -2) + product - np.swapaxes(product, -1, -2)

    def _points(self, where: str, name: str, value: ArrayLike) -> np.ndarray:
        """Return points as numbers, shape (..., k), or say what is wrong with the argument."""
        owner = f"RiemannianManifold.{where}"
        array = as_numbers(owner, name, value)
        k = "k" if self._dimension is None else str(self._dimension)
        if array.ndim == 0 or array.shape[-1] == 0 or self._dimension not in (None, array.shape[-1]):
            raise ValueError(f"{owner}: {name} must have shape (..., {k}), got shape {array.shape}")
        bad = ~np.all(np.isfinite(array), axis=-1)
        if np.any(bad):
            raise ValueError(f"{owner}: {name} must be finite, got {array[bad][0].tolist()}")
        if self._inside is not None:
            out = ~np.asarray(self._inside(array), dtype=bool)
            if np.any(out):
                raise ValueError(f"{owner}: {name} must be in the domain, got {array[out][0].tolist()}")
        return array

    def _tangents(self, where: str, x: ArrayLike, **vectors: ArrayLike) -> list[np.ndarray]:
        """Return points and tangent vectors, broadcast."""
        points, owner = self._points(where, "x", x), f"RiemannianManifold.{where}"
        arrays = [points]
        for name, value in vectors.items():
            array = as_numbers(owner, name, value)
            if array.ndim == 0 or array.shape[-1] != points.shape[-1]:
                raise ValueError(
                    f"{owner}: {name} must have shape (..., {points.shape[-1]}), got shape {array.shape}"
                )
            if not np.all(np.isfinite(array)):
                raise ValueError(f"{owner}: {name} must be finite, got {array.tolist()}")
            arrays.append(array)
        return self._broadcast(owner, dict(zip(("x", *vectors), arrays, strict=True)))

    def _ends(self, where: str, x: ArrayLike, y: ArrayLike) -> list[np.ndarray]:
        """Return two lists of points, broadcast."""
        first, second = self._points(where, "x", x), self._points(where, "y", y)
        owner = f"RiemannianManifold.{where}"
        if first.shape[-1] != second.shape[-1]:
            raise ValueError(
                f"{owner}: y must have shape (..., {first.shape[-1]}) as x has, got shape {second.shape}"
            )
        return self._broadcast(owner, {"x": first, "y": second})

    @staticmethod
    def _broadcast(owner: str, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
        try:
            return list(np.broadcast_arrays(*arrays.values()))
        except ValueError:
            shapes = " and ".join(f"{name} {array.shape}" for name, array in arrays.items())
            raise ValueError(f"{owner}: the shapes must broadcast, got {shapes}") from None


def _shaped(value: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """Return what a given function returned, if it has the right shape."""
    array = np.asarray(value, dtype=np.float64)
    if array.shape != shape:
        name = "metric" if len(shape) < 2 or array.ndim != 3 else "metric or its derivative"
        raise ValueError(f"RiemannianManifold: {name} must return shape {shape} here, got {array.shape}")
    return array
