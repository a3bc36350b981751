"""The Poisson distribution: conventions, the entropy without closed form, and digits at all rates."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import igviz as ig


def exact_log_prob(x, rate):
    x, rate = mpmath.mpf(float(x)), mpmath.mpf(float(rate))
    return x * mpmath.log(rate) - rate - mpmath.loggamma(x + 1)


def exact_kl(a, b):
    a, b = mpmath.mpf(float(a)), mpmath.mpf(float(b))
    return a * mpmath.log(a / b) - a + b


def test_coordinates_of_a_generic_point():
    p = ig.Poisson(2.5)
    assert p.source.shape == p.natural.shape == p.expectation.shape == (1,)
    np.testing.assert_allclose(p.natural, [np.log(2.5)], rtol=1e-15)
    np.testing.assert_array_equal(p.expectation, [2.5])
    assert p.log_partition() == 2.5
    assert ig.Poisson.from_expectation([2.5]) == p == ig.Poisson.from_source([2.5])


def test_fisher_and_cumulant_of_a_generic_point():
    p = ig.Poisson(2.5)
    np.testing.assert_allclose(p.fisher("source"), [[0.4]])
    np.testing.assert_allclose(p.fisher("natural"), [[2.5]])
    np.testing.assert_allclose(p.fisher("expectation"), [[0.4]])
    np.testing.assert_allclose(p.third_cumulant(), [[[2.5]]])
    np.testing.assert_allclose(p.score([0, 4])[:, 0], [-1.0, 0.6])


def test_probabilities_of_counts_and_of_nothing_else():
    p = ig.Poisson(2.5)
    expected = np.exp(-2.5) * np.array([1.0, 2.5, 3.125, 2.5**3 / 6])
    np.testing.assert_allclose(p.pdf([0, 1, 2, 3]), expected, rtol=1e-15)
    for measure in (p.log_prob, p.log_base_measure):
        np.testing.assert_array_equal(measure([0.5, -1.0, -np.inf, np.inf, 2.0 + 1e-9]), -np.inf)
        assert np.isnan(measure(np.nan))
    assert np.all(np.isnan(p.score([0.5, -1.0, np.inf, np.nan], "natural")))


@pytest.mark.parametrize("rate", [1e-8, 0.3, 40.0, 1e5, 1e10])
def test_log_prob_keeps_its_digits_for_large_rates(rate):
    counts = np.unique(np.round(rate + np.sqrt(rate) * np.array([-6.0, -2.5, 0.0, 0.7, 5.0]).clip(-rate)))
    counts = counts[counts >= 0]
    for value, x in zip(ig.Poisson(rate).log_prob(counts), counts, strict=True):
        assert abs(value - exact_log_prob(x, rate)) <= 1e-14 * (1 + abs(value))


@pytest.mark.parametrize("rate", [1e-12, 0.01, 0.7, 2.5, 31.0, 99.99999, 100.0, 100.1, 250.0, 3e3])
def test_entropy_against_the_exact_sum(rate):
    with mpmath.workdps(40):
        width = int(10 * rate**0.5) + 40
        counts = range(max(0, int(rate) - width), int(rate) + width)
        logarithms = [exact_log_prob(x, rate) for x in counts]
        exact = -mpmath.fsum(mpmath.exp(v) * v for v in logarithms)
    assert abs(ig.Poisson(rate).entropy() / exact - 1) < 1e-14


def test_entropy_of_a_large_rate_is_that_of_a_normal():
    rate = 1e8
    np.testing.assert_allclose(
        ig.Poisson(rate).entropy(), ig.Normal(rate, np.sqrt(rate)).entropy(), rtol=1e-9
    )


@pytest.mark.parametrize("separation", [1e-1, 1e-3, 1e-5, 1e-8, 1e-12])
def test_kl_and_distance_keep_their_digits_up_close(separation):
    rate = 10.0 ** np.random.default_rng(271).uniform(-6, 6, 30)
    p, q = ig.Poisson(rate), ig.Poisson(rate * (1 + separation))
    for divergence, distance, a, b in zip(p.kl(q), ig.fisher_rao_distance(p, q), p.rate, q.rate, strict=True):
        assert abs(divergence / exact_kl(a, b) - 1) < 1e-14
        exact = 2 * abs(mpmath.sqrt(mpmath.mpf(float(a))) - mpmath.sqrt(mpmath.mpf(float(b))))
        assert abs(distance / exact - 1) < 1e-15


def test_kl_direction():
    # 2·log(2/5) − 2 + 5
    np.testing.assert_allclose(ig.Poisson(2.0).kl(ig.Poisson(5.0)), 2 * np.log(0.4) + 3, rtol=1e-15)


def test_sums_of_counts_add_rates_and_split_information():
    """n counts of one rate have the information n/rate, and their sum, whose rate is n·rate, keeps it all."""
    np.testing.assert_allclose(4 * ig.Poisson(1.3).fisher(), 4**2 * ig.Poisson(4 * 1.3).fisher(), rtol=1e-15)
    p, q = ig.Poisson(1.3), ig.Poisson(0.8)
    np.testing.assert_allclose(ig.Poisson(5.2).kl(ig.Poisson(3.2)), 4 * p.kl(q), rtol=1e-15)


def test_the_path_moves_the_root_of_the_rate_and_ends_at_zero():
    path = ig.geodesic(ig.Poisson(1.0), ig.Poisson(9.0))
    np.testing.assert_allclose(
        path([0.0, 0.5, 1.0, 2.0, -0.25]).rate, [1.0, 4.0, 9.0, 25.0, 0.25], rtol=1e-15
    )
    with pytest.raises(ValueError, match=r"has no point at t = -0.5 \(Poisson: the square root of the rate"):
        path(-0.5)


def test_a_family_of_one_dimension_has_one_path_up_to_its_clock():
    p, q = ig.Poisson([0.02, 30.0]), ig.Poisson([1.9, 0.4])
    for kind in ("fisher-rao", "natural", "expectation"):
        np.testing.assert_allclose(ig.geodesic(p, q, kind).length(), ig.fisher_rao_distance(p, q), rtol=1e-10)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ig.Poisson(0.0), "Poisson: rate must be positive, got 0.0"),
        (lambda: ig.Poisson([1.0, -0.5]), r"Poisson: rate must be positive, got -0.5 at index \(1,\)"),
        (lambda: ig.Poisson(np.inf), "Poisson: rate must be finite, got inf"),
        (lambda: ig.Poisson("two"), "Poisson: rate must be a number or an array of numbers, got 'two'"),
        (lambda: ig.Poisson.from_natural([800.0]), "Poisson: rate must be finite, got inf"),
        (lambda: ig.Poisson.from_natural([-800.0]), "Poisson: rate must be positive, got 0.0"),
        (lambda: ig.Poisson.from_expectation([-1.0]), "Poisson: rate must be positive, got -1.0"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
