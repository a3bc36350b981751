"""Paths: the known shapes, stability where circles grow without bound, and what lies beyond the ends."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import igviz as ig

profile = settings(derandomize=True, database=None, deadline=None, max_examples=200)
points = st.builds(ig.Normal, st.floats(-20, 20), st.floats(0.05, 20))


def exact_normal_point(p, q, t):
    """The geodesic as a circle arc in fifty digits: the textbook form, for unequal means."""
    root = mpmath.sqrt(2)
    x1, y1, x2, y2 = (mpmath.mpf(float(v)) for v in (p.mean, p.std, q.mean, q.std))
    x1, x2 = x1 / root, x2 / root
    centre = (x2**2 + y2**2 - x1**2 - y1**2) / (2 * (x2 - x1))
    radius = mpmath.sqrt((x1 - centre) ** 2 + y1**2)
    # along the circle the hyperbolic length is log tan(angle/2)
    start, end = (mpmath.log(mpmath.tan(mpmath.atan2(y, x - centre) / 2)) for x, y in ((x1, y1), (x2, y2)))
    angle = 2 * mpmath.atan(mpmath.exp((1 - mpmath.mpf(t)) * start + mpmath.mpf(t) * end))
    return root * (centre + radius * mpmath.cos(angle)), radius * mpmath.sin(angle)


def test_normal_geodesic_is_a_half_ellipse_centred_on_the_boundary():
    p, q = ig.Normal(1.5, 0.75), ig.Normal(3.5, 0.75)
    path = ig.geodesic(p, q)(np.linspace(-1.0, 2.0, 31))
    # centre at mean 2.5 by symmetry; axes √2 : 1
    ellipse = (path.mean - 2.5) ** 2 / 2 + path.std**2
    np.testing.assert_allclose(ellipse, 0.5 + 0.75**2, rtol=1e-14)
    middle = ig.geodesic(p, q)(0.5)
    np.testing.assert_allclose(middle.source, [2.5, np.sqrt(0.5 + 0.75**2)], rtol=1e-14)


def test_normal_geodesic_with_equal_means_is_vertical_and_geometric():
    path = ig.geodesic(ig.Normal(1.7, 0.5), ig.Normal(1.7, 8.0))
    between = path([0.0, 0.25, 0.5, 0.75, 1.0, 1.25])
    np.testing.assert_array_equal(between.mean, 1.7)
    np.testing.assert_allclose(between.std, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0], rtol=1e-14)


@pytest.mark.parametrize("shift", [1.0, 1e-3, 1e-6, 1e-9, 1e-12, 1e-14, 1e-16])
@pytest.mark.parametrize("stds", [(0.5, 2.0), (3.0, 0.1), (1.0, 1.0), (1.0, 1.0 + 1e-9)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_normal_geodesic_to_fifty_digits_for_nearly_equal_means(shift, stds, sign):
    # a start at mean 0, so that the tiny shift itself is representable
    p, q = ig.Normal(0.0, stds[0]), ig.Normal(sign * shift, stds[1])
    path = ig.geodesic(p, q)
    for t in (0.0, 0.1, 0.5, 0.9, 1.0, -0.5, 1.5):
        mean, std = exact_normal_point(p, q, t)
        r = path(t)
        assert abs(float(r.mean) - mean) <= 2e-14 * shift * (1 + 10 * (t not in (0.0, 1.0)))
        assert abs(float(r.std) / std - 1) < 1e-14


def test_normal_geodesic_is_continuous_as_the_means_meet():
    times = np.linspace(0.0, 1.0, 11)
    vertical = ig.geodesic(ig.Normal(0.4, 0.5), ig.Normal(0.4, 2.0))(times)
    for shift in 10.0 ** -np.arange(1.0, 15.0):
        bent = ig.geodesic(ig.Normal(0.4, 0.5), ig.Normal(0.4 + shift, 2.0))(times)
        assert np.max(np.abs(bent.mean - vertical.mean)) <= shift * 1.01 + 1e-15
        assert np.max(np.abs(bent.std - vertical.std)) <= shift**2 + 1e-14


def test_normal_geodesic_between_far_points():
    rng = np.random.default_rng(71)
    p = ig.Normal(0.0, 10.0 ** rng.uniform(-30, 30, 30))
    q = ig.Normal(rng.normal(0, 10, 30), 10.0 ** rng.uniform(-30, 30, 30))
    path = ig.geodesic(p, q)
    for t in (0.0, 0.3, 0.8, 1.0):
        for r, a, b in zip(path(t), p, q, strict=True):
            with mpmath.workdps(200):
                mean, std = exact_normal_point(a, b, t)
            assert abs(float(r.std) / std - 1) < 1e-12
            assert abs(float(r.mean) - mean) <= 1e-12 * abs(mean) + 1e-150


@pytest.mark.parametrize("stds", [(0.5, 2.0), (2.0, 0.5)])
@pytest.mark.parametrize("t", [-14.0, 15.0])
def test_nearly_vertical_geodesics_far_beyond_their_ends(stds, t):
    # far enough out every one of them has turned back to the boundary
    p, q = ig.Normal(0.0, stds[0]), ig.Normal(1e-6, stds[1])
    mean, std = exact_normal_point(p, q, t)
    r = ig.geodesic(p, q)(t)
    assert abs(float(r.std) / std - 1) < 1e-12
    assert abs(float(r.mean) / mean - 1) < 1e-12


@profile
@given(points, points, st.floats(-1.0, 2.0))
def test_normal_geodesic_moves_evenly_also_beyond_its_ends(p, q, t):
    total = ig.fisher_rao_distance(p, q)
    r = ig.geodesic(p, q)(t)
    assert abs(ig.fisher_rao_distance(p, r) - abs(t) * total) < 1e-12 * (1 + total)
    assert abs(ig.fisher_rao_distance(q, r) - abs(1 - t) * total) < 1e-12 * (1 + total)


@profile
@given(points, points, st.floats(0.0, 1.0))
def test_a_path_reversed_is_the_path_back(p, q, t):
    for kind in ("fisher-rao", "natural", "expectation"):
        there, back = ig.geodesic(p, q, kind)(t), ig.geodesic(q, p, kind)(1 - t)
        assert ig.fisher_rao_distance(there, back) < 1e-11


def test_normal_geodesic_satisfies_the_geodesic_equation():
    # mean″ = 2·mean′·std′/std and std″ = std′²/std − mean′²/(2·std), from the metric (dmean² + 2·dstd²)/std²
    path = ig.geodesic(ig.Normal(-0.7, 0.4), ig.Normal(2.1, 1.3))
    t, h = np.array([0.2, 0.5, 0.8]), 1e-4
    before, here, after = (path(t + k * h).source for k in (-1, 0, 1))
    velocity, acceleration = (after - before) / (2 * h), (after - 2 * here + before) / h**2
    std = here[:, 1]
    np.testing.assert_allclose(acceleration[:, 0], 2 * velocity[:, 0] * velocity[:, 1] / std, rtol=1e-5)
    expected = (velocity[:, 1] ** 2 - velocity[:, 0] ** 2 / 2) / std
    np.testing.assert_allclose(acceleration[:, 1], expected, rtol=1e-5)


def test_three_ways_between_two_normals():
    p, q = ig.Normal(-1.0, 0.5), ig.Normal(3.0, 2.0)
    t = 0.25
    m = ig.geodesic(p, q, "expectation")(t)
    np.testing.assert_allclose(m.mean, 0.0, atol=1e-15)
    # moments are matched: the variance holds t(1 − t)Δ²
    np.testing.assert_allclose(m.std**2, 0.75 * 0.25 + 0.25 * 4.0 + 0.25 * 0.75 * 16.0, rtol=1e-15)
    e = ig.geodesic(p, q, "natural")(t)
    np.testing.assert_allclose(e.std**-2, 0.75 * 4.0 + 0.25 * 0.25, rtol=1e-15)
    np.testing.assert_allclose(e.mean, (0.75 * 4.0 * -1.0 + 0.25 * 0.25 * 3.0) / 3.0625, rtol=1e-15)
    # the e-geodesic is the normalised geometric mixture of the densities
    x = np.linspace(-3, 5, 7)
    ratio = e.log_prob(x) - ((1 - t) * p.log_prob(x) + t * q.log_prob(x))
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-13)


def test_straight_paths_between_normals_far_from_the_origin():
    # in the charts themselves mean² would swallow the variance
    p, q = ig.Normal(1e9, 1.0), ig.Normal(1e9 + 1.0, 2.0)
    near_p, near_q = ig.Normal(0.0, 1.0), ig.Normal(1.0, 2.0)
    for kind in ("natural", "expectation"):
        there, here = ig.geodesic(p, q, kind)(0.3), ig.geodesic(near_p, near_q, kind)(0.3)
        np.testing.assert_allclose(there.std, here.std, rtol=1e-15)
        np.testing.assert_allclose(there.mean - 1e9, here.mean, atol=2e-7)


@pytest.mark.parametrize("kind", ["natural", "expectation"])
def test_straight_paths_agree_with_the_generic_form(kind):
    rng = np.random.default_rng(72)
    p = ig.Normal(rng.normal(0, 2, 20), rng.uniform(0.3, 3, 20))
    q = ig.Normal(rng.normal(0, 2, 20), rng.uniform(0.3, 3, 20))
    t = np.array([0.0, 0.2, 0.7, 1.0])[:, None]
    generic = ig.ExponentialFamily.straight_point(p, q, t, kind)
    np.testing.assert_allclose(
        ig.geodesic(p, q, kind)(t[:, 0]).source, generic.source, rtol=1e-12, atol=1e-13
    )


def test_straight_paths_leave_the_family_with_an_error():
    p, q = ig.Normal(0.0, 1.0), ig.Normal(0.0, 2.0)
    with pytest.raises(ValueError, match="geodesic: the natural path has no point at t = 2 "):
        ig.geodesic(p, q, "natural")(2.0)
    with pytest.raises(ValueError, match=r"geodesic: the expectation path has no point at t = -1 to 0.5 "):
        ig.geodesic(p, q, "expectation")([0.5, -1.0])
    np.testing.assert_allclose(ig.geodesic(p, q, "natural")(1.2).std, (1 - 1.2 * 0.75) ** -0.5)


def test_bernoulli_geodesic_turns_evenly():
    path = ig.geodesic(ig.Bernoulli(0.25), ig.Bernoulli(0.75))
    t = np.array([0.0, 0.5, 1.0, 1.5, -0.5])
    np.testing.assert_allclose(path(t).probability, np.sin(np.pi / 6 * (1 + t)) ** 2, rtol=1e-14)
    with pytest.raises(ValueError, match="ends at the corner"):
        path(2.1)


@pytest.mark.parametrize("kind", ["fisher-rao", "natural", "expectation"])
def test_shapes_are_those_of_t_then_of_the_grid(kind):
    p, q = ig.Normal([[0.0], [1.0]], 1.0), ig.Normal(2.0, [0.5, 1.0, 2.0])
    path = ig.geodesic(p, q, kind)
    assert path.shape == (2, 3)
    assert path(0.5).shape == (2, 3)
    assert path(np.zeros((4, 5))).shape == (4, 5, 2, 3)
    assert path.length().shape == (2, 3)
    assert repr(path).endswith(f"kind={kind!r})")
    single = ig.geodesic(p[0, 0], q[0], kind)
    assert single(0.5).shape == () and single([0.5]).shape == (1,)


def test_length_of_a_straight_path_in_closed_form():
    # equal means: precision linear in t, so ds = √2·|d log std| and nothing else
    p, q = ig.Normal(0.3, 0.01), ig.Normal(0.3, 5.0)
    for kind in ("natural", "expectation"):
        np.testing.assert_allclose(ig.geodesic(p, q, kind).length(), np.sqrt(2) * np.log(500), rtol=1e-11)
    # equal stds: the natural path is the straight line in the mean
    p, q = ig.Normal(-1.0, 0.5), ig.Normal(2.0, 0.5)
    np.testing.assert_allclose(ig.geodesic(p, q, "natural").length(), 6.0, rtol=1e-12)


def test_length_that_does_not_settle_is_an_error():
    path = ig.geodesic(ig.Normal(0.0, 1e-7), ig.Normal(0.0, 1.0), "natural")
    with pytest.raises(ArithmeticError, match="not settled to 1e-9 with 28 pieces"):
        path.length()
