"""The Bernoulli distribution: conventions, digits near the corners, and the corners themselves."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import igviz as ig

profile = settings(derandomize=True, database=None, deadline=None, max_examples=200)
probabilities = st.floats(1e-12, 1.0 - 1e-12)


def exact_kl(p, q):
    p, q = mpmath.mpf(float(p)), mpmath.mpf(float(q))
    with mpmath.workdps(700):  # 1 − p for the smallest p
        return p * mpmath.log(p / q) + (1 - p) * mpmath.log((1 - p) / (1 - q))


def test_coordinates_of_a_generic_point():
    p = ig.Bernoulli(0.2)
    assert p.source.shape == p.natural.shape == p.expectation.shape == (1,)
    np.testing.assert_allclose(p.natural, [np.log(0.25)], rtol=1e-15)
    np.testing.assert_array_equal(p.expectation, [0.2])
    np.testing.assert_allclose(p.log_partition(), np.log1p(np.exp(np.log(0.25))), rtol=1e-15)
    np.testing.assert_allclose(ig.Bernoulli.from_natural([np.log(0.25)]).probability, 0.2, rtol=1e-15)


def test_fisher_of_a_generic_point_in_each_chart():
    p = ig.Bernoulli(0.2)
    np.testing.assert_allclose(p.fisher("source"), [[6.25]])
    np.testing.assert_allclose(p.fisher("natural"), [[0.16]])
    np.testing.assert_allclose(p.fisher("expectation"), [[6.25]])


def test_probability_is_that_of_one():
    p = ig.Bernoulli(0.2)
    np.testing.assert_allclose(p.pdf([0, 1]), [0.8, 0.2], rtol=1e-15)
    np.testing.assert_array_equal(p.pdf([0.5, 2.0, -1.0]), 0.0)
    assert np.isnan(p.log_prob(np.nan))
    x = p.sample(10_000, np.random.default_rng(41))
    assert set(np.unique(x)) == {0.0, 1.0}
    assert abs(x.mean() - 0.2) < 0.02


def test_kl_direction():
    np.testing.assert_allclose(
        ig.Bernoulli(0.2).kl(ig.Bernoulli(0.7)), 0.2 * np.log(2 / 7) + 0.8 * np.log(8 / 3), rtol=1e-15
    )


@pytest.mark.parametrize("separation", [1e-1, 1e-3, 1e-5, 1e-8, 1e-12])
def test_kl_keeps_its_digits_up_close(separation):
    rng = np.random.default_rng(42)
    p = ig.Bernoulli(np.concatenate([rng.uniform(0.05, 0.8, 30), [1e-3, 1e-10, 0.5]]))
    q = ig.Bernoulli(p.probability * (1 + separation))
    for value, a, b in zip(p.kl(q), p, q, strict=True):
        assert abs(value / exact_kl(a.probability, b.probability) - 1) < 1e-14


@profile
@given(probabilities, probabilities)
def test_kl_anywhere(p, q):
    value = ig.Bernoulli(p).kl(ig.Bernoulli(q))
    exact = exact_kl(p, q)
    assert abs(value - exact) <= 1e-14 * exact + 1e-300  # below that it underflows


@profile
@given(st.floats(-700, 30))
def test_natural_round_trip(log_odds):
    back = ig.Bernoulli.from_natural([log_odds]).natural
    # near 1 the probability keeps only its distance to 1 in steps of 1e-16
    assert abs(back[0] - log_odds) <= 1e-14 * abs(log_odds) + 3e-16 * (1 + np.exp(log_odds))


def test_entropy_of_a_rare_event():
    p = mpmath.mpf(1e-17)
    exact = -p * mpmath.log(p) - (1 - p) * mpmath.log(1 - p)
    assert abs(ig.Bernoulli(1e-17).entropy() / exact - 1) < 1e-14


# -- corners ------------------------------------------------------------------------------------------------


def test_corners_are_distributions():
    corners = ig.Bernoulli([0.0, 1.0])
    np.testing.assert_array_equal(corners.entropy(), 0.0)
    np.testing.assert_array_equal(corners.log_prob([[0.0], [1.0]]), [[0.0, -np.inf], [-np.inf, 0.0]])
    np.testing.assert_array_equal(corners.pdf([[0.0], [1.0]]), [[1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(corners.sample(5, np.random.default_rng(0)), [[0.0, 1.0]] * 5)
    np.testing.assert_array_equal(corners.log_partition(), [0.0, np.inf])
    assert ig.Bernoulli.from_expectation([1.0]) == ig.Bernoulli(1.0)


def test_kl_at_the_corners():
    p = ig.Bernoulli([[0.0], [0.3], [1.0]])
    q = ig.Bernoulli([0.0, 0.6, 1.0])
    expected = [
        [0.0, -np.log(0.4), np.inf],
        [np.inf, 0.3 * np.log(0.5) + 0.7 * np.log(0.7 / 0.4), np.inf],
        [np.inf, -np.log(0.6), 0.0],
    ]
    np.testing.assert_allclose(p.kl(q), expected, rtol=1e-14)


def test_metric_at_the_corners():
    corners = ig.Bernoulli([0.0, 1.0])
    np.testing.assert_array_equal(corners.fisher("natural"), np.zeros((2, 1, 1)))
    np.testing.assert_array_equal(corners.fisher("source"), np.full((2, 1, 1), np.inf))
    np.testing.assert_array_equal(corners.fisher("expectation"), np.full((2, 1, 1), np.inf))


@pytest.mark.parametrize("corner", [0.0, 1.0])
def test_natural_coordinates_end_at_the_corners(corner):
    message = rf"Bernoulli: probability must be inside \(0, 1\) to have natural coordinates, got {corner}"
    with pytest.raises(ValueError, match=message):
        _ = ig.Bernoulli(corner).natural
    with pytest.raises(ValueError, match=message):
        ig.Bernoulli(corner).jacobian("source", "natural")
    with pytest.raises(ValueError, match=message):
        ig.geodesic(ig.Bernoulli(0.5), ig.Bernoulli(corner), "natural")


def test_distance_between_corners_is_finite():
    zero, one = ig.Bernoulli(0.0), ig.Bernoulli(1.0)
    np.testing.assert_allclose(ig.fisher_rao_distance(zero, one), np.pi, rtol=1e-15)
    np.testing.assert_allclose(ig.fisher_rao_distance(zero, ig.Bernoulli(0.5)), np.pi / 2, rtol=1e-15)
    np.testing.assert_allclose(ig.geodesic(zero, one).length(), np.pi, rtol=1e-10)
    np.testing.assert_allclose(ig.geodesic(zero, one, "expectation").length(), np.pi, rtol=1e-9)
    path = ig.geodesic(zero, one)
    np.testing.assert_allclose(path([0.0, 1 / 3, 0.5, 1.0]).probability, [0.0, 0.25, 0.5, 1.0], atol=1e-15)
    with pytest.raises(ValueError, match=r"has no point at t = 1.1"):
        path(1.1)


def test_a_family_of_one_dimension_has_one_path_up_to_its_clock():
    p, q = ig.Bernoulli([0.02, 0.3]), ig.Bernoulli([0.9, 0.1])
    for kind in ("fisher-rao", "natural", "expectation"):
        np.testing.assert_allclose(ig.geodesic(p, q, kind).length(), ig.fisher_rao_distance(p, q), rtol=1e-11)


def test_rounding_to_a_corner():
    np.testing.assert_array_equal(ig.Bernoulli.from_natural([[40.0], [-800.0]]).probability, [1.0, 0.0])
