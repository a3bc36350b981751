"""What the location–scale families share: half-planes of their own curvature, and no natural coordinates."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import igviz as ig
from igviz.geometry.families.location_scale import LocationScale, exponential_excess, log_one_plus_square

FAMILIES = {
    "Laplace": ig.Laplace,
    "Cauchy": ig.Cauchy,
    "Logistic": ig.Logistic,
    "StudentT": lambda location, scale: ig.StudentT(location, scale, 3.5),
}
METRICS = {
    "Laplace": (1.0, 1.0),
    "Cauchy": (0.5, 0.5),
    "Logistic": (1 / 3, (3 + np.pi**2) / 9),
    "StudentT": (4.5 / 6.5, 7 / 6.5),
}
SMOOTH = [name for name in FAMILIES if name != "Laplace"]

for_families = pytest.mark.parametrize("name", FAMILIES)
for_smooth = pytest.mark.parametrize("name", SMOOTH)


def generic(name, seed, shape=(30,)):
    rng = np.random.default_rng(seed)
    return FAMILIES[name](rng.normal(0.3, 2.0, shape), np.exp(rng.normal(0.2, 0.7, shape)))


def over_the_line(step=0.004):
    """Nodes and weights for the standard densities, under ±z = exp(½π·sinh u), which spares a corner at 0."""
    u = np.arange(-4.0, 4.0 + step, step)
    z, weights = np.exp(0.5 * np.pi * np.sinh(u)), step * 0.5 * np.pi * np.cosh(u)
    return np.concatenate([-z, z]), np.concatenate([z * weights] * 2)


# -- the metric and its curvature --------------------------------------------------------------------------


@for_families
def test_the_metric_is_the_mean_of_the_squared_slopes(name):
    a, b = METRICS[name]
    z, weights = over_the_line()
    p = FAMILIES[name](0.0, 1.0)
    mass, slope = weights * p.pdf(z), p.score(z)[:, 0]
    np.testing.assert_allclose(mass.sum(), 1.0, rtol=1e-13)
    np.testing.assert_allclose(np.sum(mass * slope**2), a, rtol=1e-13)
    np.testing.assert_allclose(np.sum(mass * (z * slope - 1.0) ** 2), b, rtol=1e-13)
    fisher = FAMILIES[name](-1.7, 0.4).fisher()
    np.testing.assert_allclose(fisher, np.diag([a, b]) / 0.16, rtol=1e-14)


@for_families
def test_curvature_is_that_of_the_metric(name):
    # K of E(s)·dm² + G(s)·ds² is −(E′/√(EG))′/(2·√(EG)), here by differences
    def rate(s):
        near, far = (
            (np.array([-1.0, 1.0]) @ FAMILIES[name](0.3, s + width * np.array([-1.0, 1.0])).fisher()[:, 0, 0])
            / (2.0 * width)
            for width in (1e-3, 2e-3)
        )
        return (4.0 * near - far) / 3.0 / np.sqrt(np.linalg.det(FAMILIES[name](0.3, s).fisher()))

    s, width = 1.6, 1e-3
    outer = (rate(s + width) - rate(s - width)) / (2.0 * width)
    p = FAMILIES[name](0.3, s)
    numeric = -0.5 * outer / np.sqrt(np.linalg.det(p.fisher()))
    np.testing.assert_allclose(p.gaussian_curvature, numeric, rtol=1e-5)
    np.testing.assert_allclose(p.gaussian_curvature, -1.0 / METRICS[name][1], rtol=1e-15)


@for_families
def test_curvature_has_the_shape_of_the_grid(name):
    p = generic(name, 61, (2, 3))
    assert p.gaussian_curvature.shape == (2, 3)
    assert isinstance(FAMILIES[name](0.0, 1.0).gaussian_curvature, np.float64)


# -- derivatives of the log-density ------------------------------------------------------------------------


@for_families
def test_score_and_hessian_of_a_shifted_and_stretched_member(name):
    p, x = generic(name, 62), np.random.default_rng(63).normal(0.0, 3.0, 30)
    z = (x - p.location) / p.scale
    standard = FAMILIES[name](0.0, 1.0)
    np.testing.assert_allclose(p.score(x), standard.score(z) / p.scale[:, None], rtol=1e-13)
    stretched = standard.hessian_log_prob(z) / p.scale[:, None, None] ** 2
    np.testing.assert_allclose(p.hessian_log_prob(x), stretched, rtol=1e-12, atol=1e-13)


@for_families
def test_hessian_is_the_derivative_of_the_score(name):
    p = generic(name, 64)
    x = p.location + p.scale * np.random.default_rng(65).uniform(0.3, 4.0, 30) * np.repeat([-1.0, 1.0], 15)
    hessian = p.hessian_log_prob(x)
    assert hessian.shape == (30, 2, 2)
    np.testing.assert_array_equal(hessian, np.swapaxes(hessian, -1, -2))
    for i in range(2):
        shift = 1e-5 * p.scale[:, None] * np.eye(2)[i]
        slope = (
            p.with_coordinates(p.source + shift).score(x) - p.with_coordinates(p.source - shift).score(x)
        ) / (2e-5 * p.scale[:, None])
        size = 1.0 / p.scale[:, None] ** 2
        np.testing.assert_allclose(hessian[..., i] / size, slope / size, rtol=1e-8, atol=1e-8)


@for_smooth
def test_minus_the_mean_hessian_is_the_fisher_matrix(name):
    z, weights = over_the_line()
    p = FAMILIES[name](1.3, 0.7)
    mass = weights * FAMILIES[name](0.0, 1.0).pdf(z)
    mean = -np.einsum("n,nij->ij", mass, p.hessian_log_prob(1.3 + 0.7 * z))
    np.testing.assert_allclose(mean, p.fisher(), rtol=1e-12, atol=1e-13)


@for_families
def test_far_in_the_tails(name):
    p = FAMILIES[name](0.0, 1.0)
    for x in (1e5, 1e160, 1e300):
        np.testing.assert_array_equal(p.log_prob([-x, x])[0], p.log_prob([-x, x])[1])
        score = p.score(x)
        assert np.all(np.isfinite(score)) and np.all(np.isfinite(p.hessian_log_prob(x)[0]))
        assert score[0] > 0.0
        np.testing.assert_array_equal(p.score(-x), score * [-1.0, 1.0])
    assert p.log_prob(np.inf) == -np.inf
    assert p.pdf(-np.inf) == 0.0
    assert np.isnan(p.log_prob(np.nan))


# -- moving and stretching change nothing -------------------------------------------------------------------


@for_families
def test_equivariance(name):
    p, q = generic(name, 66), generic(name, 67)
    move, stretch = 17.25, 0.03125
    p2, q2 = (r.with_coordinates(r.source * stretch + np.array([move, 0.0]) * stretch) for r in (p, q))
    np.testing.assert_allclose(p2.kl(q2), p.kl(q), rtol=1e-12)
    np.testing.assert_allclose(ig.fisher_rao_distance(p2, q2), ig.fisher_rao_distance(p, q), rtol=1e-13)
    np.testing.assert_allclose(p2.entropy(), p.entropy() + np.log(stretch), rtol=1e-12)
    t = np.array([-0.2, 0.3, 1.1])
    there, here = ig.geodesic(p2, q2)(t), ig.geodesic(p, q)(t)
    np.testing.assert_allclose(there.scale, here.scale * stretch, rtol=1e-12)
    np.testing.assert_allclose(there.location, (here.location + move) * stretch, rtol=1e-12)


@for_families
def test_mirrored_pairs_have_the_same_divergence(name):
    p, q = generic(name, 68), generic(name, 69)
    mirror = np.array([-1.0, 1.0])
    np.testing.assert_allclose(
        p.with_coordinates(p.source * mirror).kl(q.with_coordinates(q.source * mirror)), p.kl(q), rtol=1e-11
    )


@for_families
def test_geodesics_are_half_ellipses(name):
    # centred on scale = 0, with axes √(b/a) : 1
    p, q = generic(name, 70), generic(name, 71)
    a, b = METRICS[name]
    square = a / b
    centre = 0.5 * (p.location + q.location)
    centre = centre + 0.5 * (q.scale**2 - p.scale**2) / (q.location - p.location) / square
    points = ig.geodesic(p, q)(np.array([0.0, 0.2, 0.7, 1.0, 1.3]))
    radius = square * (points.location - centre) ** 2 + points.scale**2
    np.testing.assert_allclose(radius, np.broadcast_to(radius[0], radius.shape), rtol=1e-10)


# -- near and far distances --------------------------------------------------------------------------------


def exact_distance(name, p, q):
    a, b = METRICS[name]
    if name == "Logistic":
        a, b = mpmath.mpf(1) / 3, (3 + mpmath.pi**2) / 9
    elif name == "StudentT":
        a, b = mpmath.mpf(9) / 13, mpmath.mpf(14) / 13
    m, s, n, t = (mpmath.mpf(float(v)) for v in (p.location, p.scale, q.location, q.scale))
    return mpmath.sqrt(b) * mpmath.acosh(1 + (mpmath.mpf(a) / b * (m - n) ** 2 + (s - t) ** 2) / (2 * s * t))


@for_families
@pytest.mark.parametrize("separation", [1e-12, 1e-8, 1e-4, 1.0, 1e6])
def test_distances_keep_their_digits(name, separation):
    p = generic(name, 72, (12,))
    angle = np.random.default_rng(73).uniform(0.1, 1.4, 12)
    q = p.with_coordinates(
        p.source + separation * p.scale[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    )
    for value, one, two in zip(ig.fisher_rao_distance(p, q), p, q, strict=True):
        assert abs(value / exact_distance(name, one, two) - 1) < 2e-15


@for_families
def test_straight_up_the_distance_is_the_logarithm(name):
    p, q = FAMILIES[name](0.4, 0.3), FAMILIES[name](0.4, 2.1)
    expected = np.sqrt(METRICS[name][1]) * np.log(7.0)
    np.testing.assert_allclose(ig.fisher_rao_distance(p, q), expected, rtol=1e-14)
    np.testing.assert_allclose(ig.geodesic(p, q)(0.5).source, [0.4, np.sqrt(0.63)], rtol=1e-14)


# -- what does not exist -----------------------------------------------------------------------------------


@for_families
@pytest.mark.parametrize("chart", ["natural", "expectation"])
def test_there_are_no_dual_coordinates(name, chart):
    p, q = FAMILIES[name](0.3, 1.2), FAMILIES[name](1.0, 0.8)
    assert isinstance(p, LocationScale) and not isinstance(p, ig.ExponentialFamily)
    assert p.charts == ("source",) and not hasattr(p, chart)
    words = (
        f"{type(p).__name__} is not an exponential family, so it has no {chart} coordinates; "
        "it has a Fisher metric in the chart 'source'"
    )
    with pytest.raises(AttributeError, match=words):
        getattr(p, chart)
    calls = [
        lambda: p.fisher(chart),
        lambda: p.coordinates(chart),
        lambda: p.score(0.1, chart),
        lambda: ig.geodesic(p, q, chart),
        lambda: type(p).from_coordinates([0.3, 1.2], chart),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=words):
            call()


@for_families
def test_exponential_families_only(name):
    with pytest.raises(TypeError, match="exponential family"):
        ig.chernoff_information(FAMILIES[name](0.3, 1.2), FAMILIES[name](1.0, 0.8))


@for_families
def test_bad_parameters(name):
    word = "StudentT" if name == "StudentT" else name
    for make, message in [
        (lambda: FAMILIES[name](0.0, -0.5), f"{word}: scale must be positive, got -0.5"),
        (
            lambda: FAMILIES[name](0.0, [1.0, 0.0]),
            rf"{word}: scale must be positive, got 0.0 at index \(1,\)",
        ),
        (lambda: FAMILIES[name](np.inf, 1.0), f"{word}: location must be finite, got inf"),
        (lambda: FAMILIES[name](0.0, "wide"), f"{word}: scale must be a number or an array of numbers"),
        (lambda: FAMILIES[name](0.0, 1.0).score("far"), f"{word}: x must be a number or an array of numbers"),
        (lambda: FAMILIES[name](0.0, 1.0).hessian_log_prob(1j), f"{word}: x must be a number"),
        (lambda: FAMILIES[name](0.0, 1.0).score(0.1, "polar"), "score: chart must be one of 'source'"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(TypeError, match=f"{word}.kl: both distributions must be of one family"):
        FAMILIES[name](0.0, 1.0).kl(ig.Normal(0.0, 1.0))


# -- elementary functions ----------------------------------------------------------------------------------


def test_exponential_excess():
    y = np.concatenate([10.0 ** np.linspace(-18, 2.5, 60), [0.2499, 0.2501]])
    for sign in (-1.0, 1.0):
        for value, u in zip(exponential_excess(sign * y), sign * y, strict=True):
            exact = mpmath.exp(mpmath.mpf(u)) - 1 - mpmath.mpf(u)
            assert abs(value / exact - 1) < 2e-15
    assert exponential_excess(np.array(0.0)) == 0.0


def test_log_one_plus_square():
    u = 10.0 ** np.linspace(-20, 300, 81)
    for value, x in zip(log_one_plus_square(-u), u, strict=True):
        with mpmath.workdps(90):
            exact = mpmath.log1p(mpmath.mpf(x) ** 2)
        assert abs(value / exact - 1) < 4e-16
    assert log_one_plus_square(np.array(np.inf)) == np.inf
