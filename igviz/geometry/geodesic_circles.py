"""Geodesic circles on surfaces of distributions: what Gaussian curvature does to their circumference.

On a plane the circumference of a circle of radius r is 2πr. On a surface it is 2πr·(1 − K·r²/6 + …) with the
Gaussian curvature K at the centre: geodesics that leave it side by side part faster where K < 0, and more
slowly where K > 0. For constant K it is 2π·sinh(√−K·r)/√−K or 2π·sin(√K·r)/√K.

References
----------
do Carmo, M. P. (1976). Differential Geometry of Curves and Surfaces, section 4-6.
Amari, S. (2016). Information Geometry and Its Applications, section 2.1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.balls import fisher_rao_circle, half_plane_metric, tangent_ellipse
from igviz.geometry.families.categorical import Categorical
from igviz.geometry.families.distribution import Distribution
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.families.location_scale import LocationScale
from igviz.geometry.families.normal import Normal
from igviz.geometry.half_plane import exponential_map
from igviz.geometry.numerics import as_numbers
from igviz.geometry.riemannian import RiemannianManifold

DIRECTIONS = 64  # evenly round the centre
COUNT = 361  # points of a circle that is drawn, the last being the first again
# what half the directions may change of a circumference: the error with all of them is about its square
_SETTLED = 1e-4


class GeodesicFan(NamedTuple):
    """Geodesics from one distribution in all directions, and the circles their ends lie on.

    Coordinates are those of the source chart, nan where a geodesic has left the family: those of categorical
    distributions do, at a side of the simplex.

    Attributes
    ----------
    radii : numpy.ndarray
        Shape (m,).
    geodesics : numpy.ndarray
        Shape (m, DIRECTIONS, 2): the points at each radius on geodesics whose directions are even in the
        metric.
    circles : numpy.ndarray
        Shape (m, COUNT, 2): each circle all the way round.
    circumferences : numpy.ndarray
        Shape (m,). For categorical distributions those of the whole circle on the whole sphere.
    """

    radii: np.ndarray
    geodesics: np.ndarray
    circles: np.ndarray
    circumferences: np.ndarray


def geodesic_fan(p: Distribution, radii: ArrayLike) -> GeodesicFan:
    """Return the geodesics of the Fisher metric from p and the circles about p.

    Closed forms for families with location and scale, which are hyperbolic half-planes, and for categorical
    distributions, a sphere; the geodesic equation for families whose geometry is found numerically, such as
    Gamma.

    Parameters
    ----------
    p : distribution
        One distribution, of a family with two coordinates.
    radii : array_like
        Shape (m,), positive and increasing; on the sphere below 2π.

    Returns
    -------
    GeodesicFan
        Circumferences are right to 1e-12, by numbers to 1e-7.

    Raises
    ------
    ValueError
        If p is not one distribution with two coordinates in the inside of its family, or the radii are not
        as said.
    NotImplementedError
        If the family has neither closed forms nor a numeric route.
    ArithmeticError
        If a circumference found numerically is not settled.
    """
    if p.shape != () or p.dimension != 2:
        raise ValueError(f"geodesic_fan: p must be one distribution with two coordinates, got {p!r}")
    lengths = as_numbers("geodesic_fan", "radii", radii)
    growing = (
        lengths.ndim == 1 and np.all(np.isfinite(lengths)) and np.all(np.diff(lengths, prepend=0.0) > 0.0)
    )
    if not growing:
        raise ValueError(f"geodesic_fan: radii must be positive and increasing, got {radii!r}")
    if isinstance(p, Normal | LocationScale):
        return _on_half_plane(p, lengths)
    if isinstance(p, Categorical):
        return _on_sphere(p, lengths)
    return _by_numbers(p, lengths)


def gaussian_curvature(p: Distribution) -> float:
    """Return the Gaussian curvature at p of its family's surface under the Fisher metric.

    Raises
    ------
    ValueError
        If p is not one distribution with two coordinates.
    """
    if p.shape != () or p.dimension != 2:
        raise ValueError(f"gaussian_curvature: p must be one distribution with two coordinates, got {p!r}")
    if isinstance(p, LocationScale):
        return float(p.gaussian_curvature)
    if p.fisher_rao_chart is not None:
        chart = p.fisher_rao_chart
        return float(chart.manifold.gaussian_curvature(chart.coordinates(p)))
    surface = RiemannianManifold(lambda x: p.with_coordinates(x).fisher("source"), dimension=2)
    return float(surface.gaussian_curvature(p.source))


def circumference(curvature: float, radii: ArrayLike) -> np.ndarray:
    """Return the circumferences of circles on a surface of constant Gaussian curvature, of the radii's shape.

    2π·sinh(√−K·r)/√−K, 2πr or 2π·sin(√K·r)/√K.
    """
    lengths = as_numbers("circumference", "radii", radii)
    root = np.sqrt(abs(curvature))
    if root == 0.0:
        return 2.0 * np.pi * lengths
    turn = np.sinh if curvature < 0.0 else np.sin
    return 2.0 * np.pi * turn(root * lengths) / root


def _angles(count: int) -> np.ndarray:
    return np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)


def _on_half_plane(p: Normal | LocationScale, radii: np.ndarray) -> GeodesicFan:
    across, along = half_plane_metric(p)
    location, scale = p.source
    x, height = exponential_map(float(scale), _angles(DIRECTIONS), radii[:, None] / np.sqrt(along))
    geodesics = np.stack([location + np.sqrt(along / across) * x, height], axis=-1)
    circles = np.stack([fisher_rao_circle(p, radius, COUNT).source for radius in radii])
    return GeodesicFan(radii, geodesics, circles, circumference(-1.0 / along, radii))


def _on_sphere(p: Categorical, radii: np.ndarray) -> GeodesicFan:
    """Great circles through 2√p on the sphere of radius 2."""
    if np.any(p.probabilities == 0.0):
        raise ValueError(f"geodesic_fan: p must give every class a probability, got {p!r}")
    if np.any(radii >= 2.0 * np.pi):
        raise ValueError(f"geodesic_fan: radii must be below 2π on the sphere, got {radii!r}")
    roots = np.sqrt(p.probabilities)

    def ends(count: int) -> np.ndarray:
        steps = tangent_ellipse(p, 1.0, "source", count + 1)[:-1] - p.source
        change = np.concatenate([steps, -np.sum(steps, axis=-1, keepdims=True)], axis=-1)
        half = 0.5 * radii[:, None, None]
        points = np.cos(half) * roots + np.sin(half) * change / roots
        inside = np.all(points >= 0.0, axis=-1, keepdims=True)
        return np.where(inside, points**2, np.nan)[..., :2]

    circles = ends(COUNT - 1)
    closed = np.concatenate([circles, circles[:, :1]], axis=1)
    return GeodesicFan(radii, ends(DIRECTIONS), closed, circumference(0.25, radii))


def _by_numbers(p: Distribution, radii: np.ndarray) -> GeodesicFan:
    """Follow the geodesic equation, and treat each circle as a trigonometric series of the angle."""
    chart = p.fisher_rao_chart
    if chart is None or not isinstance(p, ExponentialFamily):
        raise NotImplementedError(f"geodesic_fan: no geodesics for {p.family_name()}")
    steps = tangent_ellipse(p, 1.0, "source", DIRECTIONS + 1)[:-1] - p.source
    start = chart.coordinates(p)
    ends = chart.manifold.geodesic(start, chart.velocity(p, steps))(radii)
    full, half = (_lengths(chart.manifold, ends[:, ::every]) for every in (1, 2))
    if not np.all(np.abs(full - half) <= _SETTLED * full):
        raise ArithmeticError(
            f"geodesic_fan: circumferences about {p!r} are not settled with {DIRECTIONS} geodesics"
        )
    dense = _refined(ends, COUNT - 1)
    closed = np.concatenate([dense, dense[:, :1]], axis=1)
    geodesics, circles = (chart.moved(p, points - start) for points in (ends, closed))
    return GeodesicFan(radii, geodesics, circles, full)


def _lengths(surface: RiemannianManifold, rings: np.ndarray) -> np.ndarray:
    """Return the lengths of closed curves, shape (m, n, k) at n even parameters, by the Fourier method.

    The trapezoid rule of a periodic speed whose velocity is that of the trigonometric series through the
    points: the error falls geometrically with n.
    """
    count = rings.shape[1]
    frequencies = np.fft.fftfreq(count, 1.0 / count)
    frequencies[count // 2] = 0.0
    velocity = np.fft.ifft(1j * frequencies[:, None] * np.fft.fft(rings, axis=1), axis=1).real
    return 2.0 * np.pi * np.mean(surface.norm(rings, velocity), axis=1)


def _refined(rings: np.ndarray, count: int) -> np.ndarray:
    """Return closed curves at more even parameters, by their trigonometric series."""
    given = rings.shape[1]
    series = np.fft.rfft(rings, axis=1)
    series[:, given // 2] *= 0.5  # the highest frequency stands for its negative too
    return np.fft.irfft(series, n=count, axis=1) * (count / given)
