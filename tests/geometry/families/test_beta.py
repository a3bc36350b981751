"""The Beta distribution: conventions, the ends of the interval, and Dirichlet with two shares."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import igviz as ig


def pairs(seed, size=40):
    rng = np.random.default_rng(seed)
    a, b, c, d = np.exp(rng.normal(0.8, 0.8, (4, size)))
    return ig.Beta(a, b), ig.Beta(c, d), rng


def exact_kl(p, q):
    a, b, c, d = (mpmath.mpf(float(v)) for v in (p.a, p.b, q.a, q.b))
    with mpmath.workdps(100):
        total = mpmath.psi(0, a + b)

        def log_beta(x, y):
            return mpmath.loggamma(x) + mpmath.loggamma(y) - mpmath.loggamma(x + y)

        inner = (c - a) * (mpmath.psi(0, a) - total) + (d - b) * (mpmath.psi(0, b) - total)
        return log_beta(c, d) - log_beta(a, b) - inner


def test_coordinates_of_a_generic_point():
    p = ig.Beta(2.0, 3.0)
    np.testing.assert_array_equal(p.source, [2.0, 3.0])
    np.testing.assert_array_equal(p.natural, [2.0, 3.0])
    np.testing.assert_allclose(p.expectation, [-13 / 12, -7 / 12], rtol=1e-14)
    np.testing.assert_allclose(p.log_partition(), np.log(1 / 12), rtol=1e-15)
    np.testing.assert_allclose(p.pdf(0.2), 12 * 0.2 * 0.64, rtol=1e-14)
    np.testing.assert_allclose(p.log_base_measure(0.2), -np.log(0.16), rtol=1e-15)
    np.testing.assert_allclose(p.score(0.2), [np.log(0.2) + 13 / 12, np.log(0.8) + 7 / 12], rtol=1e-14)
    # the mean is a/(a + b): the first parameter pulls towards 1
    assert abs(p.sample(100_000, np.random.default_rng(311)).mean() - 0.4) < 5 * 0.2 / np.sqrt(100_000)


def test_the_uniform_distribution_and_the_ends():
    flat = ig.Beta(1.0, 1.0)
    np.testing.assert_allclose(flat.entropy(), 0.0, atol=1e-15)
    np.testing.assert_allclose(flat.pdf([0.0, 0.3, 1.0]), 1.0, rtol=1e-15)
    p = ig.Beta([0.5, 2.0], [3.0, 0.7])
    np.testing.assert_array_equal(p.log_prob(0.0), [np.inf, -np.inf])
    np.testing.assert_array_equal(p.log_prob(1.0), [-np.inf, np.inf])
    for x in (-1e-300, 1.0 + 1e-15, np.inf, -np.inf):
        np.testing.assert_array_equal(p.log_prob(x), -np.inf)
        assert p.log_base_measure(x) == -np.inf
        assert np.all(np.isnan(p.score(x, "natural")))
    assert np.all(np.isnan(p.log_prob(np.nan)))


def test_it_is_the_dirichlet_distribution_of_two_shares():
    p, q, rng = pairs(312)
    one, other = ig.Dirichlet(p.source), ig.Dirichlet(q.source)
    x = p.sample(20, rng)
    shares = np.stack([x, 1.0 - x], axis=-1)
    same = np.testing.assert_allclose
    same(p.log_prob(x), one.log_prob(shares), rtol=1e-14, atol=1e-14)
    same(p.log_partition(), one.log_partition(), rtol=1e-12, atol=1e-13)
    same(p.entropy(), one.entropy(), rtol=1e-15)
    same(p.kl(q), one.kl(other), rtol=1e-15)
    same(p.score(x, "expectation"), one.score(shares, "expectation"), rtol=1e-14)
    same(p.third_cumulant(), one.third_cumulant(), rtol=1e-15)
    for chart in p.charts:
        same(p.coordinates(chart), one.coordinates(chart), rtol=1e-15)
        same(p.fisher(chart), one.fisher(chart), rtol=1e-15)
    same(ig.Beta.from_expectation(p.expectation).source, p.source, rtol=1e-12)


def test_the_complement_swaps_the_parameters():
    p, q, rng = pairs(313)
    x = p.sample(20, rng)
    np.testing.assert_allclose(p.log_prob(x), ig.Beta(p.b, p.a).log_prob(1.0 - x), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(p.kl(q), ig.Beta(p.b, p.a).kl(ig.Beta(q.b, q.a)), rtol=1e-13)
    np.testing.assert_allclose(p.fisher()[:, ::-1, ::-1], ig.Beta(p.b, p.a).fisher(), rtol=1e-15)


def test_a_ratio_of_gamma_variables():
    rng = np.random.default_rng(314)
    x, y = ig.Gamma(1.7, 0.9).sample(100_000, rng), ig.Gamma(3.2, 0.9).sample(100_000, rng)
    statistics = ig.Beta(1.7, 3.2).sufficient_statistics(x / (x + y))
    error = statistics.std(axis=0) / np.sqrt(len(x))
    assert np.all(np.abs(statistics.mean(axis=0) - ig.Beta(1.7, 3.2).expectation) < 5 * error)


@pytest.mark.parametrize("separation", [0.1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-12])
def test_kl_keeps_its_digits_up_close(separation):
    p, _, rng = pairs(315)
    q = ig.Beta(p.a * (1 + separation * rng.normal(size=40)), p.b * (1 + separation * rng.normal(size=40)))
    for value, one, other in zip(p.kl(q), p, q, strict=True):
        assert abs(value / exact_kl(one, other) - 1) < 1e-14


def test_kl_of_far_pairs():
    p, q, _ = pairs(316)
    for value, one, other in zip(p.kl(q), p, q, strict=True):
        assert abs(value / exact_kl(one, other) - 1) < 1e-13


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ig.Beta(0.0, 1.0), "Beta: a must be positive, got 0.0"),
        (lambda: ig.Beta(1.0, [2.0, -3.0]), r"Beta: b must be positive, got -3.0 at index \(1,\)"),
        (lambda: ig.Beta(1.0, np.inf), "Beta: b must be finite, got inf"),
        (
            lambda: ig.Beta([1.0, 2.0], [1.0, 2.0, 3.0]),
            r"Beta: shapes must broadcast, got a \(2,\) and b \(3,\)",
        ),
        (lambda: ig.Beta.from_natural([1.0, -1.0]), "Beta: b must be positive, got -1.0"),
        (
            lambda: ig.Beta.from_expectation([-0.5, -0.8]),
            r"Beta: the sum of exp\(expectation\) must be less than 1, got 1.05",
        ),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
