"""Riemannian geometry of any metric: known surfaces, geodesics against independent solvers, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate

import igviz as ig
from igviz.geometry import differences


def diagonal_metric(*entries):
    """A metric from functions of the points for its diagonal."""

    def metric(x):
        return np.stack([entry(x) for entry in entries], axis=-1)[..., None] * np.eye(len(entries))

    return metric


def one(x):
    return np.ones(x.shape[:-1])


SPHERE = ig.RiemannianManifold(
    diagonal_metric(one, lambda x: np.sin(x[..., 0]) ** 2),
    inside=lambda x: (x[..., 0] > 0.0) & (x[..., 0] < np.pi),
)
POLAR = ig.RiemannianManifold(
    diagonal_metric(one, lambda x: x[..., 0] ** 2), inside=lambda x: x[..., 0] > 0.0
)
HALF_PLANE = ig.RiemannianManifold(
    diagonal_metric(lambda x: x[..., 1] ** -2, lambda x: x[..., 1] ** -2), inside=lambda x: x[..., 1] > 0.0
)
NORMAL = ig.RiemannianManifold(lambda x: ig.Normal.from_source(x).fisher(), inside=lambda x: x[..., 1] > 0.0)
SIMPLEX = ig.RiemannianManifold(
    lambda x: ig.Categorical.from_source(x).fisher(),
    inside=lambda x: np.all(x > 0.0, axis=-1) & (np.sum(x, axis=-1) < 1.0),
)


def wavy_metric(x):
    """A metric in three coordinates without any symmetry."""
    a = np.stack([np.cos(x[..., 1]), 0.3 * x[..., 2], 0.5 * np.sin(x[..., 0] + x[..., 2])], axis=-1)
    b = np.stack([0.2 * x[..., 0], np.sin(x[..., 2]), 0.4 * x[..., 1]], axis=-1)
    return 1.5 * np.eye(3) + a[..., :, None] * a[..., None, :] + b[..., :, None] * b[..., None, :]


WAVY = ig.RiemannianManifold(wavy_metric, dimension=3)


def hyperbolic_distance(x, y):
    gap = np.sum((x - y) ** 2, axis=-1)
    return 2.0 * np.arcsinh(0.5 * np.sqrt(gap / (x[..., 1] * y[..., 1])))


def great_circle(x, y):
    def embed(z):
        theta, phi = z[..., 0], z[..., 1]
        return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)

    return 2.0 * np.arcsin(0.5 * np.linalg.norm(embed(x) - embed(y), axis=-1))


# -- derivatives, connection, curvature --------------------------------------------------------------------


def test_differences_are_right_to_twelve_digits():
    x = np.array([[0.3, 2.1], [-1.2, 0.4], [4.0, 30.0]])
    found = differences.gradient(
        lambda z: np.stack([np.sin(z[..., 0]) / z[..., 1], z[..., 1] ** -2], -1), x, abs(x)
    )
    expected = np.zeros((3, 2, 2))
    expected[:, 0, 0], expected[:, 0, 1] = np.cos(x[:, 0]) / x[:, 1], -np.sin(x[:, 0]) / x[:, 1] ** 2
    expected[:, 1, 1] = -2.0 * x[:, 1] ** -3
    size = np.max(np.abs(expected), axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found / size, expected / size, rtol=0, atol=2e-12)


def test_christoffel_symbols_of_the_half_plane():
    x = np.array([[0.7, 0.05], [2.0, 1.3], [-4.0, 90.0]])
    symbols = HALF_PLANE.christoffel_symbols(x)
    expected = np.zeros((3, 2, 2, 2))
    height = x[:, 1]
    expected[:, 0, 0, 1] = expected[:, 0, 1, 0] = expected[:, 1, 1, 1] = -1.0 / height
    expected[:, 1, 0, 0] = 1.0 / height
    np.testing.assert_allclose(
        symbols * height[:, None, None, None], expected * height[:, None, None, None], atol=1e-11
    )


def test_the_connection_is_symmetric_and_keeps_the_metric():
    x = np.random.default_rng(200).normal(size=(20, 3))
    symbols, metric, slope = WAVY.christoffel_symbols(x), WAVY.metric(x), WAVY.derivative(x)
    np.testing.assert_allclose(symbols, np.swapaxes(symbols, -1, -2), atol=1e-12)
    # ∂ₗgᵢⱼ = Γᵐₗᵢ·gₘⱼ + Γᵐₗⱼ·gᵢₘ, the naive loop
    for i in range(3):
        for j in range(3):
            for m in range(3):
                carried = sum(
                    symbols[:, s, m, i] * metric[:, s, j] + symbols[:, s, m, j] * metric[:, i, s]
                    for s in range(3)
                )
                np.testing.assert_allclose(slope[:, i, j, m], carried, atol=1e-11)


def test_curvature_of_known_surfaces():
    rng = np.random.default_rng(201)
    theta = rng.uniform(0.3, 2.8, 8)
    np.testing.assert_allclose(SPHERE.gaussian_curvature(np.stack([theta, theta], -1)), 1.0, rtol=1e-9)
    np.testing.assert_allclose(POLAR.gaussian_curvature([[0.05, 1.0], [3.0, -2.0]]), 0.0, atol=1e-9)
    points = np.stack([rng.normal(size=8), np.exp(rng.normal(size=8))], axis=-1)
    np.testing.assert_allclose(HALF_PLANE.gaussian_curvature(points), -1.0, rtol=1e-10)
    np.testing.assert_allclose(NORMAL.gaussian_curvature(points), -0.5, rtol=1e-9)
    np.testing.assert_allclose(SIMPLEX.gaussian_curvature([[0.2, 0.3], [0.6, 0.1]]), 0.25, rtol=1e-8)
    u, v = rng.normal(size=(2, 5, 3))
    x = rng.dirichlet(np.full(4, 9.0), 5)[:, :3]
    np.testing.assert_allclose(SIMPLEX.sectional_curvature(x, u, v), 0.25, rtol=1e-8)


def test_sectional_curvature_belongs_to_the_plane():
    x, u, v = np.random.default_rng(202).normal(size=(3, 6, 3))
    curvature = WAVY.sectional_curvature(x, u, v)
    np.testing.assert_allclose(WAVY.sectional_curvature(x, 3.0 * u - v, u + 2.0 * v), curvature, rtol=1e-8)
    assert np.max(np.abs(curvature)) > 0.1


def test_gamma_and_beta_surfaces_are_negatively_curved():
    rng = np.random.default_rng(203)
    for family in (ig.Gamma, ig.Beta):
        points = np.exp(rng.normal(0.0, 1.5, (30, 2)))
        surface = ig.RiemannianManifold(
            lambda x, f=family: f.from_source(x).fisher(), inside=lambda x: np.all(x > 0, -1)
        )
        curvature = surface.gaussian_curvature(points)
        assert np.all((curvature < 0.0) & (curvature > -0.51))


# -- geodesics ---------------------------------------------------------------------------------------------


def test_geodesics_of_the_half_plane_go_as_far_as_they_should():
    x, angle = np.array([0.4, 1.7]), np.linspace(0.0, 2.0 * np.pi, 33)
    v = 1.7 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    np.testing.assert_allclose(HALF_PLANE.norm(x, v), 1.0, rtol=1e-14)
    radii = np.array([2.5, 0.0, 1e-8, -1.5, 6.0])
    points = HALF_PLANE.geodesic(x, v)(radii)
    assert points.shape == (5, 33, 2)
    for radius, some in zip(radii, points, strict=True):
        np.testing.assert_allclose(hyperbolic_distance(x, some), abs(radius), rtol=1e-8, atol=1e-16)
    longer = HALF_PLANE.geodesic(x, 2.5 * v)(1.0)
    np.testing.assert_allclose(longer, points[0], rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(HALF_PLANE.geodesic(x, 0.0 * v[0])(1.0), x)


def test_straight_lines_in_polar_coordinates():
    path = POLAR.geodesic([1.0, 0.0], [0.0, 1.0])
    t = np.linspace(-3.0, 3.0, 7)
    # the line x = 1 upwards
    np.testing.assert_allclose(
        path(t), np.stack([np.hypot(1.0, t), np.arctan(t)], axis=-1), rtol=1e-10, atol=1e-12
    )
    rng = np.random.default_rng(204)
    x, y = (np.stack([rng.uniform(0.5, 3.0, 20), rng.uniform(-1.2, 1.2, 20)], -1) for _ in range(2))
    flat = [np.stack([z[:, 0] * np.cos(z[:, 1]), z[:, 0] * np.sin(z[:, 1])], -1) for z in (x, y)]
    np.testing.assert_allclose(POLAR.distance(x, y), np.linalg.norm(flat[0] - flat[1], axis=1), rtol=1e-13)


@pytest.mark.parametrize("spread", [0.3, 1.5, 2.5])
def test_distances_of_the_half_plane(spread):
    rng = np.random.default_rng(205)
    x, y = (np.stack([rng.normal(0, 2, 15), np.exp(rng.normal(0, spread, 15))], -1) for _ in range(2))
    found = HALF_PLANE.distance(x, y)
    np.testing.assert_allclose(found, hyperbolic_distance(x, y), rtol=1e-11)
    np.testing.assert_allclose(HALF_PLANE.distance(y, x), found, rtol=1e-12)


def test_distances_on_the_sphere():
    rng = np.random.default_rng(206)
    x, y = (np.stack([rng.uniform(0.6, 2.5, 15), rng.uniform(-1.0, 1.0, 15)], -1) for _ in range(2))
    np.testing.assert_allclose(SPHERE.distance(x, y), great_circle(x, y), rtol=1e-12)
    p, q = rng.dirichlet(np.full(4, 4.0), (2, 10))
    expected = ig.fisher_rao_distance(ig.Categorical(p), ig.Categorical(q))
    np.testing.assert_allclose(SIMPLEX.distance(p[:, :3], q[:, :3]), expected, rtol=1e-11)


@pytest.mark.parametrize("separation", [1e-2, 1e-5, 1e-8])
def test_near_points(separation):
    rng = np.random.default_rng(207)
    x = np.stack([rng.normal(0, 1, 10), np.exp(rng.normal(0, 1, 10))], -1)
    y = x + separation * rng.normal(size=(10, 2))
    np.testing.assert_allclose(HALF_PLANE.distance(x, y), hyperbolic_distance(x, y), rtol=1e-12)
    assert np.all(HALF_PLANE.distance(x, x) == 0.0)


@pytest.mark.parametrize("manifold", [HALF_PLANE, NORMAL, WAVY], ids=["half-plane", "normal", "wavy"])
def test_the_distance_is_the_way_a_geodesic_has_gone(manifold):
    rng = np.random.default_rng(208)
    k = 3 if manifold is WAVY else 2
    x = np.abs(rng.normal(size=(8, k))) + 0.2
    v = 0.7 * rng.normal(size=(8, k))
    path, speed = manifold.geodesic(x, v), manifold.norm(x, v)
    before, middle, y = path([-0.2, 0.3, 1.0])
    np.testing.assert_allclose(manifold.distance(x, y), speed, rtol=1e-11)
    np.testing.assert_allclose(manifold.distance(before, middle), 0.5 * speed, rtol=1e-9)
    np.testing.assert_allclose(manifold.length(path, pieces=6), speed, rtol=1e-9)


def test_geodesics_solve_the_boundary_value_problem_of_scipy():
    x, y = np.array([0.3, -0.5, 0.2]), np.array([1.1, 0.9, -0.8])

    def slope(_, state):
        points, v = state[:3].T, state[3:].T
        bend = -np.einsum("nmij,ni,nj->nm", WAVY.christoffel_symbols(points), v, v)
        return np.concatenate([v.T, bend.T])

    t = np.linspace(0.0, 1.0, 30)
    guess = np.concatenate([(x + t[:, None] * (y - x)).T, np.tile((y - x)[:, None], (1, 30))])
    solution = scipy.integrate.solve_bvp(
        slope, lambda a, b: np.concatenate([a[:3] - x, b[:3] - y]), t, guess, tol=1e-9, max_nodes=20_000
    )
    assert solution.success
    times, first = np.array([0.0, 0.2, 0.5, 0.9]), solution.sol(0.0)[3:]
    np.testing.assert_allclose(WAVY.geodesic(x, first)(times), solution.sol(times)[:3].T, atol=1e-8)
    np.testing.assert_allclose(WAVY.distance(x, y), WAVY.norm(x, first), rtol=1e-8)
    assert WAVY.distance(x, y) < WAVY.length(lambda s: x + s[:, None] * (y - x))


def test_speed_is_constant_and_no_neighbour_shorter():
    x = np.array([0.3, -0.5, 0.2])
    path = WAVY.geodesic(x, [0.8, 1.1, -0.9])
    distance = WAVY.distance(x, path(1.0))
    t, h = np.linspace(0.1, 0.9, 9), 1e-4
    v = (path(t + h) - path(t - h)) / (2 * h)
    np.testing.assert_allclose(WAVY.norm(path(t), v), distance, rtol=1e-7)
    rng = np.random.default_rng(209)
    for _ in range(5):
        bump = 0.05 * rng.normal(size=3)
        bent = WAVY.length(lambda s, b=bump: path(s) + np.sin(np.pi * s)[:, None] * b, pieces=4)
        assert bent > distance


def test_length_of_a_circle():
    circle = POLAR.length(lambda t: np.stack([np.full_like(t, 2.0), t], -1), 0.0, 2.0 * np.pi)
    np.testing.assert_allclose(circle, 4.0 * np.pi, rtol=1e-13)
    with pytest.raises(ArithmeticError, match="length: not settled to 1e-9"):
        POLAR.length(lambda t: np.stack([1.0 + np.sqrt(np.abs(t - 0.3)), t], -1))


def test_grids_broadcast_and_single_points_are_numbers():
    x = np.stack([np.linspace(-1, 1, 4), np.full(4, 0.8)], -1)[:, None]
    y = np.array([[0.0, 1.5], [2.0, 0.4], [1.0, 1.0]])
    assert HALF_PLANE.distance(x, y).shape == (4, 3)
    assert HALF_PLANE.geodesic(x, y)(np.zeros((5, 6))).shape == (5, 6, 4, 3, 2)
    assert HALF_PLANE.christoffel_symbols(x).shape == (4, 1, 2, 2, 2)
    assert HALF_PLANE.sectional_curvature(x, y, [1.0, 0.0]).shape == (4, 3)
    for value in (
        HALF_PLANE.distance(x[0, 0], y[0]),
        HALF_PLANE.norm(y[0], [1.0, 2.0]),
        HALF_PLANE.gaussian_curvature(y[0]),
        HALF_PLANE.length(HALF_PLANE.geodesic(x[0, 0], [0.3, 0.1])),
    ):
        assert isinstance(value, np.float64)
    alone = HALF_PLANE.distance(x[2, 0], y[1])
    np.testing.assert_allclose(HALF_PLANE.distance(x, y)[2, 1], alone, rtol=1e-14)


# -- refusals ----------------------------------------------------------------------------------------------


def test_what_cannot_be_found_is_an_error():
    # the short way round the sphere is not in this chart, the long way is no minimum
    with pytest.raises(
        ArithmeticError, match=r"RiemannianManifold.distance: no shortest path was found from \[1.57"
    ):
        SPHERE.distance([0.5 * np.pi, 0.0], [0.5 * np.pi, 4.0])
    # past the origin of the plane
    with pytest.raises(ArithmeticError, match=r"distance: no shortest path .* at index \(1,\)"):
        POLAR.distance([1.0, 0.0], [[1.0, 1.0], [1.0, 4.0]])
    flat = ig.RiemannianManifold(diagonal_metric(one, one), inside=lambda x: x[..., 1] > 0.0)
    with pytest.raises(ArithmeticError, match=r"geodesic: a geodesic leaves the domain .* t = 0.5.* of 1"):
        flat.geodesic([0.0, 1.0], [[1.0, 0.0], [1.0, -2.0]])(1.0)
    assert np.isfinite(flat.geodesic([0.0, 1.0], [1.0, -0.9])(1.0)).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ig.RiemannianManifold(3.0), TypeError, "metric must be a function of points, got 3.0"),
        (lambda: ig.RiemannianManifold(wavy_metric, 1.0), TypeError, "derivative must be a function"),
        (lambda: ig.RiemannianManifold(wavy_metric, inside=True), TypeError, "inside must be a function"),
        (
            lambda: ig.RiemannianManifold(wavy_metric, dimension=2.5),
            TypeError,
            "dimension must be an integer, got 2.5",
        ),
        (
            lambda: ig.RiemannianManifold(wavy_metric, dimension=0),
            ValueError,
            "dimension must be positive, got 0",
        ),
        (
            lambda: WAVY.metric([1.0, 2.0]),
            ValueError,
            r"metric: x must have shape \(..., 3\), got shape \(2,\)",
        ),
        (lambda: WAVY.metric("x"), ValueError, "metric: x must be a number or an array of numbers"),
        (lambda: WAVY.metric([1.0, np.nan, 0.0]), ValueError, r"x must be finite, got \[1.0, nan, 0.0\]"),
        (
            lambda: HALF_PLANE.distance([0, 1], [0, -1]),
            ValueError,
            r"y must be in the domain, got \[0.0, -1.0\]",
        ),
        (
            lambda: HALF_PLANE.distance([0, 1], [0, 1, 2]),
            ValueError,
            r"y must have shape \(..., 2\) as x has",
        ),
        (lambda: HALF_PLANE.norm([0, 1], [1, 1, 1]), ValueError, r"norm: v must have shape \(..., 2\)"),
        (lambda: HALF_PLANE.norm([0, 1], [1, np.inf]), ValueError, "norm: v must be finite"),
        (
            lambda: HALF_PLANE.norm([[0, 1]] * 2, [[1, 1]] * 3),
            ValueError,
            r"shapes must broadcast, got x \(2, 2\) and",
        ),
        (lambda: HALF_PLANE.geodesic([0, 1], [1, 1])(np.inf), ValueError, "geodesic: t must be finite"),
        (lambda: HALF_PLANE.length(3.0), TypeError, "length: curve must be a function of time, got 3.0"),
        (lambda: WAVY.gaussian_curvature([0, 0, 0]), ValueError, r"x must have shape \(..., 2\), a surface"),
        (
            lambda: WAVY.sectional_curvature([0, 0, 0], [1, 0, 0], [2, 0, 0]),
            ValueError,
            "must not be parallel",
        ),
        (
            lambda: ig.RiemannianManifold(lambda x: x).metric([1, 2]),
            ValueError,
            r"must return shape \(2, 2\) here",
        ),
    ],
)
def test_bad_input_names_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()
