"""Geodesic circles against distances, quadrature, Jacobi's equation and the limit of small radii."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, special
from scipy.interpolate import CubicSpline

import igviz as ig
from igviz.geometry import half_plane
from igviz.geometry.balls import fisher_rao_circle, half_plane_metric, tangent_ellipse
from igviz.geometry.families.bernoulli import Bernoulli
from igviz.geometry.families.beta import Beta
from igviz.geometry.families.categorical import Categorical
from igviz.geometry.families.cauchy import Cauchy
from igviz.geometry.families.gamma import Gamma
from igviz.geometry.families.laplace import Laplace
from igviz.geometry.families.normal import Normal
from igviz.geometry.families.student_t import StudentT
from igviz.geometry.geodesic_circles import circumference, gaussian_curvature, geodesic_fan
from igviz.geometry.riemannian import RiemannianManifold

HALF_PLANES = [Normal(-1.3, 0.7), Cauchy(0.4, 1.6), Laplace(2.0, 0.3), StudentT(-0.5, 1.2, 5.0)]
SPHERE = Categorical([0.2, 0.45, 0.35])
NUMERIC = [Gamma(0.4, 1.7), Gamma(3.0, 0.6), Beta(1.2, 2.3)]
ALL = [*HALF_PLANES, SPHERE, *NUMERIC]
RADII = np.array([0.05, 0.4, 1.0, 1.7])
CURVATURES = [-0.5, -2.0, -1.0, -8.0 / 10.0, 0.25]


def name(p):
    return f"{type(p).__name__}{np.round(p.source, 1).tolist()}"


def length_by_quadrature(p, ring):
    """The length of a closed curve of source coordinates, by cubic-spline speeds and the Fisher matrix."""
    turn = np.linspace(0.0, 1.0, len(ring))
    curve = CubicSpline(turn, ring, bc_type="periodic")
    u = (np.arange(20_000) + 0.5) / 20_000
    velocity, metric = curve(u, 1), p.with_coordinates(curve(u)).fisher("source")
    return np.mean(np.sqrt(np.einsum("ni,nij,nj->n", velocity, metric, velocity)))


@pytest.mark.parametrize(("p", "expected"), list(zip([*HALF_PLANES, SPHERE], CURVATURES, strict=True)))
def test_constant_curvatures(p, expected):
    assert gaussian_curvature(p) == pytest.approx(expected, abs=1e-9)
    np.testing.assert_allclose(
        geodesic_fan(p, RADII).circumferences, circumference(expected, RADII), rtol=1e-9
    )
    surface = RiemannianManifold(lambda x: p.with_coordinates(x).fisher("source"), dimension=2)
    assert float(surface.gaussian_curvature(p.source)) == pytest.approx(expected, abs=1e-8)


def test_circumferences_of_constant_curvature():
    r = np.array([0.3, 2.0])
    np.testing.assert_allclose(circumference(-0.5, r), 2 * np.pi * np.sqrt(2) * np.sinh(r / np.sqrt(2)))
    np.testing.assert_allclose(circumference(0.25, r), 4 * np.pi * np.sin(r / 2))
    np.testing.assert_allclose(circumference(0.0, r), 2 * np.pi * r)
    np.testing.assert_allclose(circumference(-1e-10, r), circumference(1e-10, r), rtol=1e-9)


@pytest.mark.parametrize("p", ALL, ids=name)
def test_ends_and_circles_lie_at_the_radius(p):
    radii = RADII[1:3] if p is SPHERE else RADII[1:]
    fan = geodesic_fan(p, radii)
    for radius, ends, ring in zip(radii, fan.geodesics, fan.circles, strict=True):
        for points in (ends[::9], ring[::51]):
            inside = np.all(np.isfinite(points), axis=-1)
            assert np.sum(inside) > 2
            distances = ig.fisher_rao_distance(p, p.with_coordinates(points[inside]))
            np.testing.assert_allclose(distances, radius, rtol=2e-7)
        np.testing.assert_allclose(ring[0], ring[-1], rtol=1e-12)


@pytest.mark.parametrize("p", ALL, ids=name)
def test_geodesics_leave_evenly_and_straight_on(p):
    """The first step is that of the metric's own even directions, and the way to each end is the shortest."""
    fan = geodesic_fan(p, [1e-5, 0.5, 1.0])
    even = tangent_ellipse(p, 1e-5, "source", 65)[:-1] if hasattr(p, "jacobian") else None
    if even is not None:
        np.testing.assert_allclose(fan.geodesics[0] - p.source, even - p.source, atol=1e-9)
    whole = np.all(np.isfinite(fan.geodesics[2]), axis=-1)
    ends, halves = (p.with_coordinates(points[whole][::7]) for points in (fan.geodesics[2], fan.geodesics[1]))
    np.testing.assert_allclose(ig.fisher_rao_distance(halves, ends), 0.5, rtol=1e-7)


@pytest.mark.parametrize("p", NUMERIC, ids=name)
def test_circles_run_through_the_ends_they_are_made_of(p):
    fan = geodesic_fan(p, RADII)
    np.testing.assert_allclose(fan.circles[:, 0], fan.geodesics[:, 0], rtol=1e-11)
    np.testing.assert_allclose(fan.circles[:, 180], fan.geodesics[:, 32], rtol=1e-11)


@pytest.mark.parametrize("p", [*HALF_PLANES, *NUMERIC], ids=name)
def test_circumferences_by_quadrature(p):
    fan = geodesic_fan(p, RADII)
    for length, ring in zip(fan.circumferences, fan.circles, strict=True):
        assert length == pytest.approx(length_by_quadrature(p, ring), rel=1e-6)


def test_a_circle_within_the_simplex_by_quadrature():
    fan = geodesic_fan(SPHERE, [0.3, 0.6])
    for length, ring in zip(fan.circumferences, fan.circles, strict=True):
        assert length == pytest.approx(length_by_quadrature(SPHERE, ring), rel=1e-6)


@pytest.mark.parametrize("p", ALL, ids=name)
def test_small_circles_tell_the_curvature(p):
    """K = 3·(2πr − C)/(πr³) as r → 0, with an error of order r, read off at two radii."""
    r = np.array([0.02, 0.04])
    estimates = 3.0 * (2.0 * np.pi * r - geodesic_fan(p, r).circumferences) / (np.pi * r**3)
    expected = gaussian_curvature(p)
    assert (4.0 * estimates[0] - estimates[1]) / 3.0 == pytest.approx(expected, abs=2e-5)


def gamma_curvature(a):
    """(ψ′ + a·ψ″)/(4·(a·ψ′ − 1)²), from ds² = (ψ′ − 1/a)·da² + a·dm²/m²."""
    first, second = special.polygamma(1, a), special.polygamma(2, a)
    return (first + a * second) / (4.0 * (a * first - 1.0) ** 2)


@pytest.mark.parametrize("a", [0.1, 0.3, 1.0, 2.0, 5.0, 30.0])
def test_the_curvature_of_gamma(a):
    assert gaussian_curvature(Gamma(a, 0.7)) == pytest.approx(gamma_curvature(a), rel=1e-8)


def test_gamma_lies_between_a_quarter_and_a_half():
    a = np.geomspace(1e-3, 1e2, 41)
    values = np.array([gaussian_curvature(Gamma(one, 1.0)) for one in a])
    assert np.all(np.diff(values) < 0)
    assert -0.5 < values[-1] < -0.4999
    assert -0.251 < values[0] < -0.25


@pytest.mark.parametrize("a", [0.3, 1.0, 5.0])
def test_gamma_by_jacobis_equation(a):
    """C(r) = ∫ J dψ where J″ = −K·J along each geodesic, in the chart (a, log m) of the textbook metric."""
    angles = 2.0 * np.pi * (np.arange(48) + 0.5) / 48

    def slopes(_t, state):
        shape, _mean, v, w, jacobi, change = state.reshape(6, -1)
        first, second = special.polygamma(1, shape), special.polygamma(2, shape)
        f, df = first - 1.0 / shape, second + 1.0 / shape**2
        return np.concatenate(
            [
                v,
                w,
                (-0.5 * df * v**2 + 0.5 * w**2) / f,
                -v * w / shape,
                change,
                -gamma_curvature(shape) * jacobi,
            ]
        )

    one, nothing = np.ones(48), np.zeros(48)
    speed = special.polygamma(1, a) - 1.0 / a
    start = [a * one, nothing, np.cos(angles) / np.sqrt(speed), np.sin(angles) / np.sqrt(a), nothing, one]
    radii = np.array([0.5, 1.0, 2.0])
    found = integrate.solve_ivp(
        slopes, (0, 2), np.concatenate(start), t_eval=radii, method="DOP853", rtol=1e-11, atol=1e-12
    )
    lengths = 2.0 * np.pi * found.y.reshape(6, 48, -1)[4].mean(axis=0)
    np.testing.assert_allclose(geodesic_fan(Gamma(a, 3.3), radii).circumferences, lengths, rtol=1e-6)


def test_the_unit_of_x_and_the_place_do_not_matter():
    for p, q in [(Gamma(0.8, 1.0), Gamma(0.8, 40.0)), (Cauchy(0, 1), Cauchy(5, 0.1))]:
        lengths = [geodesic_fan(one, RADII).circumferences for one in (p, q)]
        np.testing.assert_allclose(*lengths, rtol=1e-9)
    curved = [geodesic_fan(Gamma(a, 1.0), [2.0]).circumferences[0] for a in (0.3, 1.0, 5.0)]
    assert curved == sorted(curved)


def test_geodesics_leave_the_simplex_for_good():
    centre = Categorical([1 / 3, 1 / 3, 1 / 3])
    side = 2.0 * np.arcsin(1.0 / np.sqrt(3.0))  # from the centre to a side
    corner = 2.0 * np.arccos(1.0 / np.sqrt(3.0))
    fan = geodesic_fan(centre, [0.9 * side, 0.999 * side, 1.001 * side, 1.5, 0.999 * corner, 1.001 * corner])
    left = np.mean(np.isnan(fan.circles[:, :-1, 0]), axis=1)
    assert np.all(left[:2] == 0)
    # a circle beyond the sides loses three arcs, of the angle arccos(tan d/2 ÷ tan r/2) to both sides
    lost = 3.0 * np.arccos(np.tan(side / 2) / np.tan(1.5 / 2)) / np.pi
    assert left[3] == pytest.approx(lost, abs=0.01)
    assert np.all(np.diff(left) >= 0)
    assert left[4] < left[5] == 1.0
    gone = np.isnan(fan.geodesics[..., 0])
    assert np.all(gone[1:] >= gone[:-1])


@pytest.mark.parametrize("p", HALF_PLANES, ids=name)
def test_circles_of_families_with_location_and_scale(p):
    ring = fisher_rao_circle(p, 0.8, 37)
    assert type(ring) is type(p)
    np.testing.assert_allclose(ig.fisher_rao_distance(p, ring), 0.8, rtol=1e-12)
    across, along = half_plane_metric(p)
    np.testing.assert_allclose(p.fisher("source") * p.source[1] ** 2, np.diag([across, along]), rtol=1e-12)


def test_the_exponential_map_of_the_half_plane():
    angle = np.linspace(-3.0, 3.0, 25)
    x, height = half_plane.exponential_map(1.7, angle, np.array([[0.6], [3.0]]))
    np.testing.assert_allclose(half_plane.distance(x[0], 1.7, height[0]), 0.6, rtol=1e-13)
    np.testing.assert_allclose(half_plane.distance(x[1] - x[0], height[0], height[1]), 2.4, rtol=1e-12)
    near = half_plane.exponential_map(1.7, angle, 1e-7)
    np.testing.assert_allclose(near[0], 1.7e-7 * np.cos(angle), atol=1e-13)
    np.testing.assert_allclose(near[1] - 1.7, 1.7e-7 * np.sin(angle), atol=1e-13)


def test_bad_fans():
    with pytest.raises(ValueError, match="geodesic_fan: p must be one distribution with two coordinates"):
        geodesic_fan(Bernoulli(0.3), [1.0])
    with pytest.raises(ValueError, match="geodesic_fan: p must be one distribution with two coordinates"):
        geodesic_fan(Normal([0, 1], 1), [1.0])
    for bad in ([1.0, 0.5], [0.0, 1.0], [[1.0]], [np.nan], [1.0, np.inf]):
        with pytest.raises(ValueError, match="geodesic_fan: radii must be positive and increasing, got"):
            geodesic_fan(Normal(0, 1), bad)
    with pytest.raises(ValueError, match="radii must be below 2π on the sphere"):
        geodesic_fan(SPHERE, [6.5])
    with pytest.raises(ValueError, match="p must give every class a probability"):
        geodesic_fan(Categorical([0.0, 0.4, 0.6]), [0.1])
    with pytest.raises(ValueError, match="gaussian_curvature: p must be one distribution with two coord"):
        gaussian_curvature(Bernoulli(0.3))
    with pytest.raises(ValueError, match="half_plane_metric: p must have location and scale"):
        fisher_rao_circle(Gamma(1.0, 1.0), 0.1)
