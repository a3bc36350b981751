"""The Laplace distribution: its corner, which the Hessian does not see."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import igviz as ig

locations = st.floats(-50, 50)
scales = st.floats(0.01, 100)
profile = settings(derandomize=True, database=None, deadline=None, max_examples=100)


def exact_kl(p, q):
    m, s, n, t = (mpmath.mpf(float(v)) for v in (p.location, p.scale, q.location, q.scale))
    with mpmath.workdps(700):  # the square of a float's smallest difference beside 1
        return mpmath.log(t / s) + abs(m - n) / t + s / t * mpmath.exp(-abs(m - n) / s) - 1


def test_a_generic_point():
    p = ig.Laplace(3.0, 2.0)
    np.testing.assert_allclose(p.pdf([4.0, 2.0]), 0.25 * np.exp(-0.5), rtol=1e-15)
    np.testing.assert_allclose(p.entropy(), 1.0 + np.log(4.0), rtol=1e-15)
    np.testing.assert_allclose(p.fisher(), [[0.25, 0.0], [0.0, 0.25]], rtol=1e-15)
    np.testing.assert_allclose(p.score([4.0, 2.0]), [[0.5, -0.25], [-0.5, -0.25]], rtol=1e-15)
    np.testing.assert_allclose(p.hessian_log_prob(4.0), [[0.0, -0.25], [-0.25, 0.0]], rtol=1e-15)


def test_curvature():
    assert ig.Laplace(0.3, 0.7).gaussian_curvature == -1.0


def test_at_the_corner_the_score_of_the_location_is_zero():
    np.testing.assert_array_equal(ig.Laplace(0.3, 0.5).score(0.3), [0.0, -2.0])


def test_the_hessian_knows_nothing_of_the_location():
    p = ig.Laplace(0.3, 0.5)
    x = p.sample(40_000, np.random.default_rng(85))
    information = -p.hessian_log_prob(x)
    assert np.all(information[:, 0, 0] == 0.0)
    assert p.fisher()[0, 0] == 4.0
    np.testing.assert_allclose(np.mean(p.score(x)[:, 0] ** 2), 4.0, rtol=1e-12)
    # of the scale it knows all
    np.testing.assert_allclose(information[:, 1, 1].mean(), 4.0, rtol=0.05)


def test_kl_direction():
    p, q = ig.Laplace(1.0, 0.5), ig.Laplace(-0.5, 2.0)
    np.testing.assert_allclose(p.kl(q), np.log(4.0) + 0.75 + 0.25 * np.exp(-3.0) - 1.0, rtol=1e-15)
    np.testing.assert_allclose(q.kl(p), -np.log(4.0) + 3.0 + 4.0 * np.exp(-0.75) - 1.0, rtol=1e-15)


@pytest.mark.parametrize("separation", [1e-1, 1e-5, 1e-8, 1e-12])
def test_kl_keeps_its_digits_up_close(separation):
    rng = np.random.default_rng(86)
    angle = rng.uniform(0.0, 2 * np.pi, 30)
    p = ig.Laplace(rng.normal(0.0, 2.0, 30), np.exp(rng.normal(0.0, 1.0, 30)))
    q = ig.Laplace(p.location + separation * np.cos(angle), p.scale * (1.0 + separation * np.sin(angle)))
    for value, a, b in zip(p.kl(q), p, q, strict=True):
        assert abs(value / exact_kl(a, b) - 1) < 2e-15


def test_kl_of_far_pairs():
    rng = np.random.default_rng(87)
    p, q = (ig.Laplace(rng.normal(0, 3, 60), 10.0 ** rng.uniform(-100, 100, 60)) for _ in range(2))
    for value, a, b in zip(p.kl(q), p, q, strict=True):
        assert abs(value / exact_kl(a, b) - 1) < 2e-15


@profile
@given(locations, scales, locations, scales)
def test_kl_anywhere(m, s, n, t):
    p, q = ig.Laplace(m, s), ig.Laplace(n, t)
    exact = exact_kl(p, q)
    assert abs(p.kl(q) - exact) <= 4e-15 * exact + 1e-300


def test_kl_beyond_the_floats_is_infinite():
    assert ig.Laplace(0.0, 1e200).kl(ig.Laplace(0.0, 1e-200)) == np.inf
    assert ig.Laplace(1.0, 1e200).kl(ig.Laplace(0.0, 1e-200)) == np.inf
    np.testing.assert_allclose(
        ig.Laplace(1.0, 1e-200).kl(ig.Laplace(0.0, 1e200)), 400.0 * np.log(10.0) - 1.0, rtol=1e-14
    )


def test_sample_moments_have_the_right_scale():
    x = ig.Laplace([5.0, -5.0], [0.1, 10.0]).sample(100_000, np.random.default_rng(88))
    np.testing.assert_allclose(x.std(axis=0), np.sqrt(2.0) * np.array([0.1, 10.0]), rtol=0.02)
    np.testing.assert_allclose(np.abs(x - [5.0, -5.0]).mean(axis=0), [0.1, 10.0], rtol=0.02)


def test_repr():
    assert repr(ig.Laplace(location=0.0, scale=1.0)) == "Laplace(location=0.0, scale=1.0)"
