"""The cubic tensor, the α-connections and their geodesics: definitions, duality, those that have names."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import igviz as ig
from igviz.geometry import differences
from igviz.geometry.affine_time import AffineTime
from igviz.geometry.alpha_geodesics import _by_collocation, _NaturalFrame, alpha_path
from igviz.geometry.alpha_geometry import alpha_connection, cubic_tensor
from igviz.geometry.connection_paths import connection_path
from igviz.geometry.families.location_scale import LocationScale
from tests.geometry.family import Family
from tests.geometry.registry import EXPONENTIAL, EXPONENTIAL_IDS

for_exponential = pytest.mark.parametrize("family", EXPONENTIAL, ids=EXPONENTIAL_IDS)
CHARTS = ("natural", "expectation", "source")
CLOSED = [
    f for f in EXPONENTIAL if f.name in ("Normal", "Bernoulli", "Categorical", "Poisson", "Exponential")
]
for_closed = pytest.mark.parametrize("family", CLOSED, ids=[f.name for f in CLOSED])
TIMES = np.array([0.0, 0.13, 0.5, 0.81, 1.0])
NAMED = {1.0: "natural", -1.0: "expectation", 0.0: "fisher-rao"}


def apart(p, q):
    """The distance of near points, from the divergence."""
    return np.max(np.sqrt(2.0 * np.maximum(p.kl(q), 0.0)))


def some(family: Family, seed: int):
    p, q = family.pair(seed, 1)
    return p[0], q[0]


# -- tensors ------------------------------------------------------------------------------------------------


@for_exponential
def test_the_cubic_tensor_is_the_mean_of_three_scores(family: Family):
    p, _ = some(family, 401)
    for chart in CHARTS:
        # in units of the score's standard deviations
        size = np.sqrt(np.diag(p.fisher(chart)))

        def triple(x, p=p, chart=chart, size=size):
            score = np.where(np.isfinite(p.log_prob(x))[..., None], p.score(x, chart), 0.0) / size
            return np.einsum("...i,...j,...k->...ijk", score, score, score)

        expected = family.mean_under(p, triple)
        units = np.einsum("i,j,k->ijk", size, size, size)
        np.testing.assert_allclose(cubic_tensor(p, chart) / units, expected, atol=1e-8)


@for_exponential
def test_the_cubic_tensor_tells_the_divergences_apart(family: Family):
    # with δ in natural coordinates KL(q‖p) − KL(p‖q) = ⅙·T(δ, δ, δ) + …
    p, q = some(family, 402)
    near = ig.geodesic(p, q, "natural")(1e-3)
    step = near.natural - p.natural
    cubic = np.einsum("ijk,i,j,k->", p.third_cumulant(), step, step, step)
    gap = near.kl(p) - p.kl(near)
    assert gap == pytest.approx(cubic / 6, rel=0.1, abs=1e-6 * p.kl(near))


def test_normal_tensors_and_connections_in_the_source_chart():
    p = ig.Normal([1.3, -0.4], [0.7, 2.1])
    cubic = cubic_tensor(p, "source")
    s = p.std
    np.testing.assert_allclose(cubic[:, 0, 0, 0], 0.0, atol=1e-12)
    np.testing.assert_allclose(cubic[:, 0, 0, 1], 2 / s**3, rtol=1e-12)
    np.testing.assert_allclose(cubic[:, 0, 1, 1], 0.0, atol=1e-12)
    np.testing.assert_allclose(cubic[:, 1, 1, 1], 8 / s**3, rtol=1e-12)
    # Γ^mean_mean,std = −(1 + α)/std, Γ^std_mean,mean = (1 − α)/(2·std), Γ^std_std,std = −(1 + 2α)/std
    for alpha in (-1.0, 0.0, 0.4, 1.0, 2.3):
        lower = alpha_connection(p, alpha, "source")
        raised = np.einsum("nabc,ncd->nabd", lower, np.linalg.inv(p.fisher("source")))
        np.testing.assert_allclose(raised[:, 0, 1, 0], -(1 + alpha) / s, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(raised[:, 0, 0, 1], (1 - alpha) / (2 * s), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(raised[:, 1, 1, 1], -(1 + 2 * alpha) / s, rtol=1e-9)
        np.testing.assert_allclose(raised[:, 0, 0, 0], 0.0, atol=1e-9)
        np.testing.assert_allclose(raised[:, 0, 1, 1], 0.0, atol=1e-9)


@for_exponential
@pytest.mark.parametrize("chart", CHARTS)
def test_the_connections_of_alpha_and_minus_alpha_are_dual(family: Family, chart: str):
    p, _ = some(family, 403)
    cls = type(p)
    # ∂ₐg_bc = Γ^(α)_ab,c + Γ^(−α)_ac,b, with the derivative of the metric by differences
    size = np.sqrt(np.diag(p.fisher(chart)))
    scale = 0.05 / size
    metric = differences.gradient(
        lambda x: cls.from_coordinates(x, chart).fisher(chart), p.coordinates(chart), scale
    )
    units = np.einsum("i,j,k->ijk", size, size, size)
    for alpha in (0.0, 0.7, 1.0, -2.0):
        first, second = (alpha_connection(p, sign * alpha, chart) for sign in (1.0, -1.0))
        total = first + np.swapaxes(second, 1, 2)
        np.testing.assert_allclose(total / units, np.moveaxis(metric, -1, 0) / units, atol=2e-7)
        np.testing.assert_allclose(first, np.swapaxes(first, 0, 1), rtol=1e-12, atol=1e-9 * np.max(units))
        np.testing.assert_allclose(
            first,
            alpha_connection(p, 0.0, chart) - 0.5 * alpha * cubic_tensor(p, chart),
            rtol=1e-7,
            atol=1e-9 * np.max(units),
        )


@for_exponential
def test_flat_where_they_are_flat(family: Family):
    p, _ = family.pair(404, 3)
    np.testing.assert_array_equal(alpha_connection(p, 1.0, "natural"), 0.0)
    np.testing.assert_array_equal(alpha_connection(p, -1.0, "expectation"), 0.0)


# -- geodesics ----------------------------------------------------------------------------------------------


@for_exponential
def test_the_three_with_names(family: Family):
    p, q = some(family, 405)
    if family not in CLOSED:
        q = ig.geodesic(p, q, "natural")(0.1)
    for alpha, name in NAMED.items():
        expected = ig.geodesic(p, q, name)
        # the general route, which the public function does not take for these
        assert apart(alpha_path(p, q, alpha)(TIMES), expected(TIMES)) < 1e-9
        assert apart(ig.geodesic(p, q, alpha)(TIMES), expected(TIMES)) < 1e-14
        assert ig.geodesic(p, q, alpha).kind == name
    # and their neighbours are near
    for alpha, name in NAMED.items():
        near = ig.geodesic(p, q, alpha + 1e-9)
        assert apart(near(TIMES), ig.geodesic(p, q, name)(TIMES)) < 1e-6


@for_exponential
@pytest.mark.parametrize("alpha", [-0.6, 0.35])
def test_paths_obey_the_equation_of_their_connection(family: Family, alpha: float):
    p, q = some(family, 406)
    q = ig.geodesic(p, q, "natural")(0.4)
    path = ig.geodesic(p, q, alpha)
    assert apart(path(0.0), p) < 1e-12 and apart(path(1.0), q) < 1e-9
    # velocity and acceleration by differences of eighth order, in natural coordinates
    t = np.array([[0.2], [0.5], [0.8]])
    scale = np.full_like(t, 2.0)

    def velocity(x):
        return differences.gradient(
            lambda y: path(y[..., 0]).natural, x, np.broadcast_to(scale[:1], x.shape)
        )[..., 0]

    speed = velocity(t)
    acceleration = differences.gradient(velocity, t, scale)[..., 0]
    points = path(t[:, 0])
    lower = alpha_connection(points, alpha, "natural")
    pull = np.einsum("nabc,na,nb->nc", lower, speed, speed)
    metric = points.fisher("natural")
    size = np.einsum("ni,nij,nj->n", speed, metric, speed)[:, None]
    unit = np.sqrt(np.einsum("nii->ni", metric))
    miss = np.einsum("nij,nj->ni", metric, acceleration) + pull
    np.testing.assert_allclose(miss / unit / size, 0.0, atol=1e-4)


@for_closed
@pytest.mark.parametrize("alpha", [-0.9, -0.35, 0.2, 0.6, 1.3, -1.4])
def test_closed_forms_are_the_boundary_value_problems(family: Family, alpha: float):
    p, q = some(family, 407)
    if family.name in ("Bernoulli", "Categorical"):
        q = ig.geodesic(p, q, "natural")(0.6)
    if family.name == "Normal":
        q = ig.geodesic(p, q)(0.5)
    closed = alpha_path(p, q, alpha)(TIMES)
    assert apart(_by_collocation(p, q, alpha)(TIMES), closed) < 1e-9


@for_closed
@pytest.mark.parametrize("alpha", [-0.6, 0.35])
def test_beyond_their_ends(family: Family, alpha: float):
    p, q = some(family, 408)
    half = ig.geodesic(p, q, alpha)(0.5)
    # a path goes on: from p to its middle and as far again is q
    assert apart(ig.geodesic(p, half, alpha)(2.0), q) < 1e-9
    assert apart(ig.geodesic(half, q, alpha)(-1.0), p) < 1e-9
    assert apart(ig.geodesic(half, q, alpha)([-0.5, 0.3])[0], ig.geodesic(p, q, alpha)(0.25)) < 1e-9


def test_numeric_paths_beyond_their_ends():
    p, q = ig.Gamma(2.3, 1.4), ig.Gamma(3.1, 2.6)
    path = ig.geodesic(p, q, 0.4)
    half = path(0.5)
    assert apart(ig.geodesic(p, half, 0.4)([2.0]), q[None]) < 1e-8
    assert apart(ig.geodesic(half, q, 0.4)([-1.0]), p[None]) < 1e-8
    with pytest.raises(ValueError, match=r"geodesic: the alpha = 1\.5 path has no point at t = -3"):
        ig.geodesic(p, q, 1.5)(-3.0)
    with pytest.raises(ValueError, match=r"path has no point at t = 10 \(too far beyond the ends"):
        ig.geodesic(p, q, -0.6)(10.0)


@for_exponential
def test_a_path_back_is_the_path_reversed(family: Family):
    p, q = some(family, 409)
    q = ig.geodesic(p, q, "natural")(0.5)
    there, back = ig.geodesic(p, q, 0.3)(TIMES), ig.geodesic(q, p, 0.3)(1 - TIMES)
    assert apart(there, back) < 1e-9


def test_normals_move_on_conics():
    p, q = ig.Normal(-1.3, 0.7), ig.Normal(2.4, 1.6)
    for alpha in (-1.7, -0.5, 0.3, 0.9, 1.4):
        points = ig.geodesic(p, q, alpha)(np.linspace(0, 1, 23))
        # std² + (1 − α)/2·mean² is linear in the mean
        value = points.std**2 + 0.5 * (1 - alpha) * points.mean**2
        line = np.polyfit(points.mean, value, 1)
        np.testing.assert_allclose(np.polyval(line, points.mean), value, rtol=1e-11)
        # mean′ = c·std^(2 + 2α) along the affine parameter
        slope = differences.gradient(
            lambda t, a=alpha: ig.geodesic(p, q, a)(t[..., 0]).mean, np.array([[0.2], [0.7]]), np.ones((2, 1))
        )[:, 0]
        power = ig.geodesic(p, q, alpha)([0.2, 0.7]).std ** (2 + 2 * alpha)
        assert slope[0] / power[0] == pytest.approx(slope[1] / power[1], rel=1e-9)


def test_normals_against_an_integrator():
    p, q, alpha = ig.Normal(0.4, 0.5), ig.Normal(3.0, 1.2), -0.45
    path = ig.geodesic(p, q, alpha)
    step = 1e-5
    start = (path(step).source - path(-step).source) / (2 * step)

    def slope(_, y):
        mean_rate, std_rate = y[2:]
        turn = 2 * (1 + alpha) * mean_rate * std_rate / y[1]
        rise = (1 + 2 * alpha) * std_rate**2 / y[1] - 0.5 * (1 - alpha) * mean_rate**2 / y[1]
        return [mean_rate, std_rate, turn, rise]

    end = solve_ivp(slope, (0.0, 1.0), [0.4, 0.5, *start], rtol=1e-10, atol=1e-12).y[:2, -1]
    np.testing.assert_allclose(end, q.source, rtol=1e-6)


@pytest.mark.parametrize("alpha", [-0.95, -0.4, 0.2, 0.7, 0.95])
def test_far_and_near_normals(alpha):
    for p, q in [
        (ig.Normal(-3.0, 0.2), ig.Normal(3.0, 0.2)),
        (ig.Normal(0.0, 0.01), ig.Normal(0.0, 100.0)),
        (ig.Normal(5.0, 10.0), ig.Normal(0.0, 0.1)),
        (ig.Normal(0.0, 1.0), ig.Normal(30.0, 1.0)),
        (ig.Normal(1.3, 0.7), ig.Normal(1.3 + 1e-7, 0.7)),
        (ig.Normal(1.3, 0.7), ig.Normal(1.3 + 1e-7, 0.7 - 2e-7)),
        (ig.Normal(1e6, 0.7), ig.Normal(1e6 + 1.0, 0.5)),
    ]:
        path = ig.geodesic(p, q, alpha)
        points = path([0.0, 0.3, 1.0])
        assert apart(points[0], p) < 1e-9 and apart(points[2], q) < 1e-9
        # the path from one of its points is a part of it
        part = ig.geodesic(points[1], q, alpha)(0.5)
        assert apart(part, path(0.65)) < 1e-9 * (1 + ig.fisher_rao_distance(p, q))
    # equal means: std^(−2α) is straight
    stds = ig.geodesic(ig.Normal(1.3, 0.5), ig.Normal(1.3, 2.0), alpha)(TIMES).std
    ends = np.array([0.5, 2.0]) ** (-2 * alpha)
    np.testing.assert_allclose(stds ** (-2 * alpha), ends[0] + TIMES * (ends[1] - ends[0]), rtol=1e-12)


def test_points_that_are_equal():
    for p in (ig.Normal(1.3, 0.7), ig.Gamma(2.0, 3.0), ig.Bernoulli(0.2), ig.Poisson(2.5)):
        assert apart(ig.geodesic(p, p, 0.3)(TIMES), p) < 1e-12


def test_grids_are_the_scalar_loop():
    p = ig.Normal([[-0.3], [0.8]], [[0.7], [1.4]])
    q = ig.Normal([1.0, 2.0, -0.5], [0.4, 0.9, 1.1])
    path = ig.geodesic(p, q, 0.6)
    points = path(TIMES)
    assert path.shape == (2, 3) and points.shape == (5, 2, 3) and path(0.5).shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        np.testing.assert_allclose(
            points[:, i, j].source, ig.geodesic(p[i, 0], q[j], 0.6)(TIMES).source, rtol=1e-13
        )
    vector = ig.MultivariateNormal([[0.2, 0.4], [1.0, -0.3]], [[1.0, 0.3], [0.3, 0.8]])
    both = ig.geodesic(vector[0], vector, 0.5)([0.25, 0.75])
    assert both.shape == (2, 2) and both.mean.shape == (2, 2, 2)
    one = ig.geodesic(vector[0], vector[1], 0.5)([0.25, 0.75])
    np.testing.assert_allclose(both[:, 1].source, one.source, rtol=1e-12)


def test_affine_maps_change_nothing():
    p = ig.MultivariateNormal([0.3, -1.0], [[1.3, 0.4], [0.4, 0.6]])
    q = ig.MultivariateNormal([1.1, 0.2], [[0.9, -0.2], [-0.2, 1.4]])
    turn, move = np.array([[1.2, -0.7], [0.4, 2.0]]), np.array([100.0, -30.0])

    def carried(r):
        return ig.MultivariateNormal(r.mean @ turn.T + move, turn @ r.cov @ turn.T)

    there = ig.geodesic(carried(p), carried(q), -0.4)(TIMES)
    assert apart(there, carried(ig.geodesic(p, q, -0.4)(TIMES))) < 1e-8
    # one dimension is the univariate normal, and so are independent coordinates of one shape
    a, b = ig.Normal(0.3, 1.2), ig.Normal(1.5, 0.7)
    lifted = [ig.MultivariateNormal(r.mean[None], r.std[None, None] ** 2) for r in (a, b)]
    points, expected = ig.geodesic(*lifted, 0.4)(TIMES), ig.geodesic(a, b, 0.4)(TIMES)
    np.testing.assert_allclose(points.mean[:, 0], expected.mean, rtol=1e-9)
    np.testing.assert_allclose(points.cov[:, 0, 0], expected.std**2, rtol=1e-9)


def test_two_classes_are_a_bernoulli():
    p, q = ig.Bernoulli(0.02), ig.Bernoulli(0.7)
    lifted = [ig.Categorical([r.probability, 1 - r.probability]) for r in (p, q)]
    for alpha in (-2.0, 0.4, 3.0):
        points = ig.geodesic(*lifted, alpha)(TIMES).probabilities[:, 0]
        np.testing.assert_allclose(points, ig.geodesic(p, q, alpha)(TIMES).probability, rtol=1e-12)


def test_lengths_are_longer_than_the_distance():
    p, q = ig.Normal(-1.3, 0.7), ig.Normal(2.4, 1.6)
    distance = ig.fisher_rao_distance(p, q)
    lengths = [ig.geodesic(p, q, alpha).length() for alpha in (0.0, 0.3, 0.6, 1.0)]
    assert lengths[0] == pytest.approx(distance, rel=1e-9)
    assert np.all(np.diff(lengths) > 0.0)


def test_paths_that_are_not_there():
    p, q = ig.Normal(0.0, 1.0), ig.Normal(4.0, 1.0)
    # a path for α < 1 + 2·(std + std)²/(Δmean)² = 1.5
    assert apart(ig.geodesic(p, q, 1.49)(1.0), q) < 1e-9
    for alpha in (1.51, 3.0):
        with pytest.raises(ArithmeticError, match=f"geodesic: no path for alpha = {alpha:g} was found from"):
            ig.geodesic(p, q, alpha)
    with pytest.raises(ArithmeticError, match=r"outside \[-1, 1\] there may be none"):
        ig.geodesic(p, q, 2.0)
    short = ig.geodesic(ig.Exponential(1.0), ig.Exponential(3.0), 0.5)
    with pytest.raises(ValueError, match=r"geodesic: the alpha = 0\.5 path has no point at t = -2"):
        short(-2.0)
    normal = ig.geodesic(ig.Normal(0.0, 1.0), ig.Normal(1.0, 0.2), -0.5)
    with pytest.raises(ValueError, match=r"geodesic: the alpha = -0\.5 path has no point at t = 50"):
        normal(50.0)
    frame = _NaturalFrame(ig.Gamma(2.3, 1.4), ig.Gamma(20.0, 3.0), 10.0)
    assert connection_path(frame, frame.start, frame.step, frame.metric_path) is None


def test_arguments():
    p = ig.Normal([0.0, 1.0], 1.0)
    for call, name in (
        (cubic_tensor, "cubic_tensor"),
        (lambda r: alpha_connection(r, 0.5), "alpha_connection"),
    ):
        with pytest.raises(TypeError, match=f"{name}: p must be of an exponential family"):
            call(ig.Cauchy(0.0, 1.0))
    with pytest.raises(ValueError, match=r"Normal.cubic_tensor: chart must be one of 'source'"):
        cubic_tensor(p, "mean")
    with pytest.raises(ValueError, match="alpha_connection: alpha must be a finite number, got nan"):
        alpha_connection(p, np.nan)
    with pytest.raises(ValueError, match="geodesic: alpha must be finite, got inf"):
        ig.geodesic(p, p, np.inf)
    cauchy = ig.Cauchy(0.0, 1.0), ig.Cauchy(1.0, 2.0)
    assert isinstance(cauchy[0], LocationScale)
    assert ig.geodesic(*cauchy, 0.0)(0.5) == ig.geodesic(*cauchy)(0.5)
    with pytest.raises(
        NotImplementedError, match=r"geodesic: paths for alpha = 0\.5 need an exponential family"
    ):
        ig.geodesic(*cauchy, 0.5)
    with pytest.raises(ValueError, match="inside \\(0, 1\\) to have natural coordinates"):
        ig.geodesic(ig.Bernoulli(0.0), ig.Bernoulli(0.5), 0.5)


def test_affine_time():
    # a rate that rises by many orders: t = (exp(30·u) − 1)/(exp(30) − 1)
    time = AffineTime(lambda u: np.exp(30.0 * u))
    u = np.array([0.0, 1e-4, 0.2, 0.77, 1.0, 1.1, -0.02])
    t = np.expm1(30.0 * u) / np.expm1(30.0)
    np.testing.assert_allclose(time.inverse(t), u, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(time.rate(u), 30.0 * np.exp(30.0 * u) / np.expm1(30.0), rtol=1e-13)


@pytest.mark.parametrize("alpha", [-0.7, 0.6])
def test_paths_are_found_at_constant_speed(alpha):
    frame = _NaturalFrame(ig.Gamma(0.8, 1.4), ig.Gamma(5.0, 2.6), alpha)
    path = connection_path(frame, frame.start, frame.step, frame.metric_path)
    speeds = []
    for t in (0.0, 0.3, 0.7, 1.0):
        v = path.velocity(t)
        p = ig.Gamma.from_natural(frame.start + path.displacement(np.array([t]))[0])
        s = path.time.inverse(np.array([t]))
        speeds.append(np.sqrt(v @ p.fisher("natural") @ v) * path.time.rate(s)[0])
    np.testing.assert_allclose(speeds, speeds[0], rtol=1e-8)
