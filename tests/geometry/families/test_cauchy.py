"""The Cauchy distribution: a divergence without a direction, and no mean."""

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
        return mpmath.log(((s + t) ** 2 + (m - n) ** 2) / (4 * s * t))


def test_a_generic_point():
    p = ig.Cauchy(3.0, 2.0)
    # z = ½
    np.testing.assert_allclose(p.pdf(4.0), 1.0 / (2.0 * np.pi * 1.25), rtol=1e-15)
    np.testing.assert_allclose(p.log_prob(4.0), -np.log(2.5 * np.pi), rtol=1e-15)
    np.testing.assert_allclose(p.entropy(), np.log(8.0 * np.pi), rtol=1e-15)
    np.testing.assert_allclose(p.fisher(), [[0.125, 0.0], [0.0, 0.125]], rtol=1e-15)
    # ψ = 2z/(1 + z²) = 0.8, zψ − 1 = −0.6
    np.testing.assert_allclose(p.score(4.0), [0.4, -0.3], rtol=1e-15)
    # ψ′ = 2(1 − z²)/(1 + z²)² = 0.96: −ψ′, −(ψ + zψ′), 1 − 2zψ − z²ψ′, over 4
    np.testing.assert_allclose(p.hessian_log_prob(4.0), [[-0.24, -0.32], [-0.32, -0.01]], rtol=1e-14)


def test_far_out_the_observed_information_is_negative():
    # a far observation says that its location is not to be trusted
    p = ig.Cauchy(0.3, 0.7)
    assert -p.hessian_log_prob(5.0)[0, 0] < 0.0 < -p.hessian_log_prob(0.5)[0, 0]
    np.testing.assert_allclose(p.score(1e200), [2e-200, 1.0 / 0.7], rtol=1e-14)
    np.testing.assert_allclose(p.log_prob(1e200), np.log(0.7 / np.pi) - 400.0 * np.log(10.0), rtol=1e-14)


def test_curvature():
    assert ig.Cauchy(0.3, 0.7).gaussian_curvature == -2.0


def test_kl_of_a_generic_pair():
    p, q = ig.Cauchy(1.0, 0.5), ig.Cauchy(-0.5, 2.0)
    # (2.5² + 1.5²)/(4·0.5·2) = 8.5/4
    np.testing.assert_allclose(p.kl(q), np.log(2.125), rtol=1e-15)
    np.testing.assert_allclose(q.kl(p), np.log(2.125), rtol=1e-15)


@pytest.mark.parametrize("separation", [1e-1, 1e-5, 1e-8, 1e-12])
def test_kl_keeps_its_digits_up_close(separation):
    rng = np.random.default_rng(81)
    angle = rng.uniform(0.0, 2 * np.pi, 30)
    p = ig.Cauchy(rng.normal(0.0, 2.0, 30), np.exp(rng.normal(0.0, 1.0, 30)))
    q = ig.Cauchy(p.location + separation * np.cos(angle), p.scale * (1.0 + separation * np.sin(angle)))
    for value, a, b in zip(p.kl(q), p, q, strict=True):
        assert abs(value / exact_kl(a, b) - 1) < 2e-15


def test_kl_of_far_pairs():
    rng = np.random.default_rng(82)
    p, q = (ig.Cauchy(rng.normal(0, 3, 60), 10.0 ** rng.uniform(-250, 250, 60)) for _ in range(2))
    for value, a, b in zip(p.kl(q), p, q, strict=True):
        assert abs(value / exact_kl(a, b) - 1) < 2e-15


@profile
@given(locations, scales, locations, scales)
def test_kl_anywhere(m, s, n, t):
    p, q = ig.Cauchy(m, s), ig.Cauchy(n, t)
    exact = exact_kl(p, q)
    assert abs(p.kl(q) - exact) <= 3e-15 * exact + 1e-300
    assert abs(q.kl(p) - p.kl(q)) <= 1e-15 * exact


def test_kl_is_a_function_of_the_distance():
    rng = np.random.default_rng(83)
    p, q = (ig.Cauchy(rng.normal(0, 2, 30), np.exp(rng.normal(0, 1, 30))) for _ in range(2))
    d = np.sqrt(2.0) * ig.fisher_rao_distance(p, q)
    np.testing.assert_allclose(p.kl(q), 2.0 * np.log(np.cosh(0.5 * d)), rtol=1e-13)


def test_quartiles_of_samples():
    x = ig.Cauchy([5.0, -5.0], [0.1, 10.0]).sample(100_000, np.random.default_rng(84))
    lower, median, upper = np.quantile(x, [0.25, 0.5, 0.75], axis=0)
    np.testing.assert_allclose((median - [5.0, -5.0]) / [0.1, 10.0], 0.0, atol=0.03)
    np.testing.assert_allclose((upper - lower) / [0.2, 20.0], 1.0, rtol=0.03)


def test_repr():
    assert repr(ig.Cauchy(location=0.0, scale=1.0)) == "Cauchy(location=0.0, scale=1.0)"
