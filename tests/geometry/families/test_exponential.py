"""The exponential distribution: conventions, digits, and its place among the Gamma distributions."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import igviz as ig


def test_coordinates_of_a_generic_point():
    p = ig.Exponential(0.4)
    np.testing.assert_array_equal(p.source, [0.4])
    np.testing.assert_array_equal(p.natural, [-0.4])
    np.testing.assert_allclose(p.expectation, [2.5], rtol=1e-15)
    np.testing.assert_allclose(p.log_partition(), -np.log(0.4), rtol=1e-15)
    np.testing.assert_allclose(p.entropy(), 1 - np.log(0.4), rtol=1e-15)


def test_fisher_and_cumulant_of_a_generic_point():
    p = ig.Exponential(0.4)
    np.testing.assert_allclose(p.fisher("source"), [[6.25]])
    np.testing.assert_allclose(p.fisher("natural"), [[6.25]])
    np.testing.assert_allclose(p.fisher("expectation"), [[0.16]])
    np.testing.assert_allclose(p.third_cumulant(), [[[31.25]]])
    np.testing.assert_allclose(p.score([0.0, 4.0])[:, 0], [2.5, -1.5])
    np.testing.assert_allclose(p.score([0.0, 4.0], "natural")[:, 0], [-2.5, 1.5])


def test_density_on_the_half_line():
    p = ig.Exponential(0.4)
    np.testing.assert_allclose(p.pdf([0.0, 5.0]), [0.4, 0.4 * np.exp(-2.0)], rtol=1e-15)
    np.testing.assert_array_equal(p.log_prob([-1e-300, -1.0, np.inf, -np.inf]), -np.inf)
    np.testing.assert_array_equal(p.log_base_measure([-1.0, 0.0, 3.0]), [-np.inf, 0.0, 0.0])
    assert np.isnan(p.log_prob(np.nan)) and np.isnan(p.log_base_measure(np.nan))
    assert np.all(np.isnan(p.score([-1.0, np.inf, np.nan], "natural")))


def test_kl_direction():
    # log(2/5) + 5/2 − 1
    value = ig.Exponential(2.0).kl(ig.Exponential(5.0))
    np.testing.assert_allclose(value, np.log(0.4) + 1.5, rtol=1e-15)


@pytest.mark.parametrize("separation", [1e-1, 0.6, 1e-3, 1e-5, 1e-8, 1e-12, 1e6])
def test_kl_and_distance_keep_their_digits(separation):
    rate = 10.0 ** np.random.default_rng(281).uniform(-100, 100, 30)
    p, q = ig.Exponential(rate), ig.Exponential(rate * (1 + separation))
    for one, other in ((p, q), (q, p)):
        divergences, distances = one.kl(other), ig.fisher_rao_distance(one, other)
        for divergence, distance, a, b in zip(divergences, distances, one.rate, other.rate, strict=True):
            ratio = mpmath.mpf(float(b)) / mpmath.mpf(float(a))
            assert abs(divergence / (ratio - 1 - mpmath.log(ratio)) - 1) < 1e-14
            assert abs(distance / abs(mpmath.log(ratio)) - 1) < 1e-15


def test_distance_where_the_quotient_overflows():
    distance = ig.fisher_rao_distance(ig.Exponential(1e-300), ig.Exponential(1e300))
    np.testing.assert_allclose(distance, 600 * np.log(10), rtol=1e-15)


def test_the_path_moves_the_logarithm_of_the_rate():
    path = ig.geodesic(ig.Exponential(1.0), ig.Exponential(16.0))
    np.testing.assert_allclose(
        path([0.0, 0.25, 1.0, 2.0, -1.0]).rate, [1.0, 2.0, 16.0, 256.0, 1 / 16], rtol=1e-15
    )
    with pytest.raises(
        ValueError, match=r"has no point at t = 500 \(Exponential: rate must be finite, got inf"
    ):
        path(500.0)


def test_a_family_of_one_dimension_has_one_path_up_to_its_clock():
    p, q = ig.Exponential([0.02, 30.0]), ig.Exponential([1.9, 0.4])
    for kind in ("fisher-rao", "natural", "expectation"):
        np.testing.assert_allclose(ig.geodesic(p, q, kind).length(), ig.fisher_rao_distance(p, q), rtol=1e-10)


def test_it_is_the_gamma_distribution_of_shape_parameter_one():
    rng = np.random.default_rng(282)
    rate, other = np.exp(rng.normal(size=(2, 20)))
    p, q, g, h = ig.Exponential(rate), ig.Exponential(other), ig.Gamma(1.0, rate), ig.Gamma(1.0, other)
    x = np.concatenate([np.zeros((1, 20)), p.sample(20, rng)])
    np.testing.assert_allclose(p.log_prob(x), g.log_prob(x), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(p.entropy(), g.entropy(), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(p.kl(q), g.kl(h), rtol=1e-13)
    np.testing.assert_allclose(p.fisher()[:, 0, 0], g.fisher()[:, 1, 1], rtol=1e-15)
    np.testing.assert_allclose(p.third_cumulant()[:, 0, 0, 0], g.third_cumulant()[:, 1, 1, 1], rtol=1e-14)
    np.testing.assert_allclose(p.score(x[1:])[..., 0], g.score(x[1:])[..., 1], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ig.Exponential(-0.5), "Exponential: rate must be positive, got -0.5"),
        (lambda: ig.Exponential(np.nan), "Exponential: rate must be finite, got nan"),
        (lambda: ig.Exponential.from_natural([0.4]), "Exponential: natural must be negative, got 0.4"),
        (
            lambda: ig.Exponential.from_expectation([[2.0], [0.0]]),
            r"Exponential: expectation must be positive, got 0.0 at index \(1,\)",
        ),
        (lambda: ig.Exponential.from_expectation([1e-320]), "Exponential: rate must be finite, got inf"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
