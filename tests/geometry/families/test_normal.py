"""The normal distribution: conventions, anchors and the digits that near and narrow cases could lose."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import igviz as ig

means = st.floats(-50, 50)
stds = st.floats(0.01, 100)
profile = settings(derandomize=True, database=None, deadline=None, max_examples=200)


def exact_kl(mean_p, std_p, mean_q, std_q):
    a, s, b, t = (mpmath.mpf(float(v)) for v in (mean_p, std_p, mean_q, std_q))
    with mpmath.workdps(700):  # the square of a float's smallest difference beside ½
        return mpmath.log(t / s) + (s**2 + (a - b) ** 2) / (2 * t**2) - mpmath.mpf(1) / 2


def test_coordinates_of_a_generic_point():
    p = ig.Normal(mean=3.0, std=2.0)
    np.testing.assert_array_equal(p.source, [3.0, 2.0])
    np.testing.assert_array_equal(p.natural, [0.75, -0.125])
    np.testing.assert_array_equal(p.expectation, [3.0, 13.0])
    np.testing.assert_allclose(p.log_partition(), 9 / 8 + np.log(2) + 0.5 * np.log(2 * np.pi), rtol=1e-15)


def test_fisher_of_a_generic_point_in_each_chart():
    p = ig.Normal(mean=3.0, std=2.0)
    np.testing.assert_allclose(p.fisher("source"), [[0.25, 0.0], [0.0, 0.5]])
    np.testing.assert_allclose(p.fisher("natural"), [[4.0, 24.0], [24.0, 176.0]])
    np.testing.assert_allclose(p.fisher("expectation"), [[176 / 128, -24 / 128], [-24 / 128, 4 / 128]])


def test_kl_direction():
    p, q = ig.Normal(1.0, 0.5), ig.Normal(-0.5, 2.0)
    # log(2/0.5) + (0.25 + 2.25)/8 − 1/2
    np.testing.assert_allclose(p.kl(q), np.log(4) + 2.5 / 8 - 0.5, rtol=1e-15)
    np.testing.assert_allclose(q.kl(p), -np.log(4) + 6.25 / 0.5 - 0.5, rtol=1e-15)


@pytest.mark.parametrize("separation", [1e-1, 1e-3, 1e-5, 1e-8, 1e-12])
def test_kl_keeps_its_digits_up_close(separation):
    rng = np.random.default_rng(31)
    mean, std = rng.normal(0.0, 2.0, 30), np.exp(rng.normal(0.0, 1.0, 30))
    angle = rng.uniform(0.0, 2 * np.pi, 30)
    p = ig.Normal(mean, std)
    q = ig.Normal(mean + separation * np.cos(angle), std * (1 + separation * np.sin(angle)))
    for value, a, b in zip(p.kl(q), p, q, strict=True):
        assert abs(value / exact_kl(a.mean, a.std, b.mean, b.std) - 1) < 1e-14


def test_kl_of_far_pairs():
    rng = np.random.default_rng(32)
    p = ig.Normal(rng.normal(0, 3, 60), 10.0 ** rng.uniform(-60, 60, 60))
    q = ig.Normal(rng.normal(0, 3, 60), 10.0 ** rng.uniform(-60, 60, 60))
    for value, a, b in zip(p.kl(q), p, q, strict=True):
        assert abs(value / exact_kl(a.mean, a.std, b.mean, b.std) - 1) < 1e-14


@profile
@given(means, stds, means, stds)
def test_kl_anywhere(mean_p, std_p, mean_q, std_q):
    value = ig.Normal(mean_p, std_p).kl(ig.Normal(mean_q, std_q))
    exact = exact_kl(mean_p, std_p, mean_q, std_q)
    assert abs(value - exact) <= 2e-15 * exact + 1e-300  # below that it underflows


@profile
@given(means, stds)
def test_natural_round_trip(mean, std):
    back = ig.Normal.from_natural(ig.Normal(mean, std).natural)
    assert abs(back.mean - mean) <= 1e-14 * abs(mean) + 1e-300
    assert abs(back.std / std - 1) < 1e-14


@profile
@given(means, stds)
def test_expectation_round_trip_loses_no_more_than_the_rounded_second_moment(mean, std):
    p = ig.Normal(mean, std)
    back = ig.Normal.from_expectation(p.expectation)
    assert back.mean == mean
    assert abs(back.std / std - 1) < 4e-16 * (1 + (mean / std) ** 2)


def test_from_expectation_does_not_round_the_square():
    rng = np.random.default_rng(33)
    first = rng.uniform(1e3, 2e3, 200)
    second = first**2 + rng.uniform(1e-8, 1e-3, 200)
    for m1, m2 in zip(first, second, strict=True):
        exact = mpmath.mpf(m2) - mpmath.mpf(m1) ** 2
        if exact > 0:
            std = ig.Normal.from_expectation([m1, m2]).std
            assert abs(float(std) / mpmath.sqrt(exact) - 1) < 1e-15
        else:
            with pytest.raises(ValueError, match="must be positive"):
                ig.Normal.from_expectation([m1, m2])
    # what the rounded square gets wrong, so that the test above has something to find
    naive = second - first**2
    true = np.array([float(mpmath.mpf(b) - mpmath.mpf(a) ** 2) for a, b in zip(first, second, strict=True)])
    assert np.max(np.abs(naive / true - 1)) > 1e-6


def test_log_prob_far_from_the_origin():
    # the exponential form would subtract numbers of size 1e16 here
    p = ig.Normal(1e8, 0.5)
    np.testing.assert_allclose(
        p.log_prob(1e8 + 0.25), -0.125 + np.log(2) - 0.5 * np.log(2 * np.pi), rtol=1e-14
    )


def test_tails_underflow_quietly():
    p = ig.Normal(0.0, 1.0)
    assert p.pdf(60.0) == 0.0
    assert p.log_prob(np.inf) == -np.inf


def test_sample_moments_have_the_right_scale():
    x = ig.Normal([5.0, -5.0], [0.1, 10.0]).sample(100_000, np.random.default_rng(34))
    np.testing.assert_allclose(x.std(axis=0), [0.1, 10.0], rtol=0.02)
    np.testing.assert_allclose(x.mean(axis=0), [5.0, -5.0], atol=0.2)


def test_repr():
    assert repr(ig.Normal(mean=0.0, std=1.0)) == "Normal(mean=0.0, std=1.0)"
    assert repr(ig.Normal(0, [1, 2])) == "Normal(mean=[0., 0.], std=[1., 2.])"
    assert f"{ig.Normal(0, 1).entropy():.3f}" == "1.419"
    assert f"{ig.Normal(0.25, 1).mean:.2f}" == "0.25"
    assert len(repr(ig.Normal(np.zeros(10_000), 1.0))) < 200
