"""The Gamma distribution: conventions, the inversion of its moments, and digits from 1e-8 to 1e8."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import igviz as ig


def many(*values):
    return tuple(mpmath.mpf(float(v)) for v in values)


def exact_kl(p, q):
    a, r, b, t = many(p.shape_parameter, p.rate, q.shape_parameter, q.rate)
    with mpmath.workdps(100):
        gamma = mpmath.loggamma(b) - mpmath.loggamma(a) - (b - a) * mpmath.psi(0, a)
        return gamma + b * mpmath.log(r / t) + a * (t / r - 1)


def exact_log_prob(p, x):
    a, r, x = many(p.shape_parameter, p.rate, x)
    return a * mpmath.log(r) - mpmath.loggamma(a) + (a - 1) * mpmath.log(x) - r * x


def test_the_first_field_is_not_the_shape_of_the_grid():
    p = ig.Gamma(2.0, 0.5)
    assert p == ig.Gamma(shape_parameter=2.0, rate=0.5)
    assert p.shape == () and ig.Gamma([2.0, 3.0], 0.5).shape == (2,)
    assert repr(p) == "Gamma(shape_parameter=2.0, rate=0.5)"
    # mean 4 and variance 8: the second parameter is a rate and not a scale
    x = p.sample(100_000, np.random.default_rng(291))
    np.testing.assert_allclose([x.mean(), x.var()], [4.0, 8.0], rtol=0.03)


def test_coordinates_of_a_generic_point():
    p = ig.Gamma(3.0, 0.5)
    np.testing.assert_array_equal(p.source, [3.0, 0.5])
    np.testing.assert_array_equal(p.natural, [3.0, -0.5])
    # ψ(3) = 3/2 − γ
    np.testing.assert_allclose(p.expectation, [1.5 - np.euler_gamma + np.log(2.0), 6.0], rtol=1e-15)
    np.testing.assert_allclose(p.log_partition(), np.log(2.0) + 3.0 * np.log(2.0), rtol=1e-15)
    # with the base measure 1/x: log p(x) = −log x + 3·log x − x/2 − A
    np.testing.assert_allclose(p.log_base_measure(4.0), -np.log(4.0), rtol=1e-15)
    np.testing.assert_allclose(p.pdf(4.0), 16.0 / 16.0 * np.exp(-2.0), rtol=1e-14)


def test_derivatives_at_a_generic_point():
    p = ig.Gamma(3.0, 0.5)
    trigamma = np.pi**2 / 6 - 1 - 1 / 4
    np.testing.assert_allclose(p.fisher("source"), [[trigamma, -2.0], [-2.0, 12.0]], rtol=1e-15)
    np.testing.assert_allclose(p.fisher("natural"), [[trigamma, 2.0], [2.0, 12.0]], rtol=1e-15)
    zeta = 1.2020569031595942854
    cubic = p.third_cumulant()
    np.testing.assert_allclose(cubic[0, 0, 0], -2 * (zeta - 1 - 1 / 8), rtol=1e-14)
    np.testing.assert_allclose([cubic[0, 0, 1], cubic[0, 1, 1], cubic[1, 1, 1]], [0.0, 4.0, 48.0], rtol=1e-15)
    np.testing.assert_allclose(p.score(4.0), [np.log(2.0) - 1.5 + np.euler_gamma, 6.0 - 4.0], rtol=1e-14)


def test_density_at_the_ends_of_the_support():
    p = ig.Gamma([0.5, 1.0, 2.0], 0.7)
    np.testing.assert_array_equal(p.log_prob(0.0), [np.inf, np.log(0.7), -np.inf])
    for x in (-1.0, -1e-300, np.inf, -np.inf):
        np.testing.assert_array_equal(p.log_prob(x), -np.inf)
    assert np.all(np.isnan(p.log_prob(np.nan)))
    np.testing.assert_array_equal(p.log_base_measure([-1.0, 0.0, 1.0]), [-np.inf, np.inf, 0.0])
    assert np.all(np.isnan(p.score(-1.0, "natural")))


@pytest.mark.parametrize("a", [1e-6, 0.4, 7.9, 8.1, 300.0, 1e8])
def test_log_prob_and_entropy_keep_their_digits(a):
    p = ig.Gamma(a, 3.0)
    for x in (a + np.sqrt(a) * np.array([-0.9 * min(1, np.sqrt(a)), 0.0, 1.7, 4.0])) / 3.0:
        # the rounding of rate·x is felt in proportion to the slope of the density
        error = abs(p.log_prob(x) - exact_log_prob(p, x))
        assert error < 1e-14 * (1 + abs(p.log_prob(x))) + 1e-15 * np.sqrt(a)
    b, rate = many(a, 3.0)
    exact = b - mpmath.log(rate) + mpmath.loggamma(b) + (1 - b) * mpmath.psi(0, b)
    assert abs(p.entropy() / exact - 1) < 1e-14


# -- the divergence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separation", [0.1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-12])
def test_kl_keeps_its_digits_up_close(separation):
    rng = np.random.default_rng(292)
    p = ig.Gamma(10.0 ** rng.uniform(-8, 8, 60), 10.0 ** rng.uniform(-3, 3, 60))
    angle = rng.uniform(0.0, 2 * np.pi, 60)
    # a third of the pairs keep the mean
    ratios = 1 + separation * np.stack(
        [np.cos(angle), np.where(np.arange(60) % 3, np.sin(angle), np.cos(angle))]
    )
    q = ig.Gamma(p.shape_parameter * ratios[0], p.rate * ratios[1])
    for value, a, b in zip(p.kl(q), p, q, strict=True):
        # at one mean the changes of a large shape parameter and of the rate cancel
        assert abs(value / exact_kl(a, b) - 1) < 2e-14 + 3e-16 * np.sqrt(a.shape_parameter)


def test_kl_of_far_pairs():
    rng = np.random.default_rng(293)
    p, q = (ig.Gamma(10.0 ** rng.uniform(-5, 7, 150), 10.0 ** rng.uniform(-5, 5, 150)) for _ in range(2))
    for value, a, b in zip(p.kl(q), p, q, strict=True):
        assert abs(value / exact_kl(a, b) - 1) < 2e-14


def test_kl_where_only_the_means_agree():
    p, q = ig.Gamma(7e6, 3.5e-3), ig.Gamma(3e2, 1.5e-7 * (1 + 1e-6))
    assert abs(p.kl(q) / exact_kl(p, q) - 1) < 1e-12


# -- the inversion of the moments ----------------------------------------------------------------------------


def test_from_expectation_over_all_shapes():
    rng = np.random.default_rng(294)
    p = ig.Gamma(10.0 ** rng.uniform(-10, 6, 300), 10.0 ** rng.uniform(-5, 5, 300))
    back = ig.Gamma.from_expectation(p.expectation)
    allowed = 2e-15 * (1 + p.shape_parameter * (1 + np.abs(p.expectation[:, 0])))
    assert np.all(np.abs(back.shape_parameter / p.shape_parameter - 1) < allowed)
    np.testing.assert_allclose(back.expectation[:, 1], p.expectation[:, 1], rtol=1e-15)


def test_from_expectation_solves_the_moment_equations():
    p = ig.Gamma.from_expectation([0.3, 2.1])
    a, rate = many(p.shape_parameter, p.rate)
    assert abs(mpmath.psi(0, a) - mpmath.log(rate) - mpmath.mpf(0.3)) < 1e-15
    assert abs(a / rate - mpmath.mpf(2.1)) < 1e-15


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ig.Gamma(-2.0, 0.5), "Gamma: shape_parameter must be positive, got -2.0"),
        (lambda: ig.Gamma(2.0, -0.5), "Gamma: rate must be positive, got -0.5"),
        (lambda: ig.Gamma(2.0, [1.0, np.inf]), r"Gamma: rate must be finite, got inf at index \(1,\)"),
        (
            lambda: ig.Gamma([1.0, 2.0], [1.0, 2.0, 3.0]),
            r"Gamma: shapes must broadcast, got shape_parameter \(2,\) and rate \(3,\)",
        ),
        (
            lambda: ig.Gamma.from_natural([-1.0, -1.0]),
            "Gamma: the first natural coordinate must be positive, got -1.0",
        ),
        (
            lambda: ig.Gamma.from_natural([[1.0, -1.0], [1.0, 0.5]]),
            r"Gamma: the second natural coordinate must be negative, got 0.5 at index \(1,\)",
        ),
        (lambda: ig.Gamma.from_expectation([0.3, -1.0]), "Gamma: the mean of x must be positive, got -1.0"),
        (
            lambda: ig.Gamma.from_expectation([0.5, 1.5]),
            "Gamma: the log of the mean minus the mean of the log must be positive, got -0.09",
        ),
        (lambda: ig.Gamma.from_expectation([0.0, 1.0]), "must be positive, got 0.0"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# -- relations -----------------------------------------------------------------------------------------------


def test_a_change_of_unit_changes_neither_divergence_nor_length():
    rng = np.random.default_rng(295)
    a, b = rng.uniform(0.5, 6.0, (2, 20))
    r, t = rng.uniform(0.5, 6.0, (2, 20))
    divergences = [ig.Gamma(a, r * unit).kl(ig.Gamma(b, t * unit)) for unit in (1.0, 1000.0)]
    np.testing.assert_allclose(*divergences, rtol=1e-14)
    np.testing.assert_allclose(ig.Gamma(a, 10.0 * r).fisher()[:, 0, 0], ig.Gamma(a, r).fisher()[:, 0, 0])
    np.testing.assert_allclose(
        100.0 * ig.Gamma(a, 10.0 * r).fisher()[:, 1, 1], ig.Gamma(a, r).fisher()[:, 1, 1]
    )


def test_sums_add_shape_parameters_and_information_about_the_rate():
    rng = np.random.default_rng(296)
    x = ig.Gamma(1.3, 0.6).sample(50_000, rng) + ig.Gamma(2.2, 0.6).sample(50_000, rng)
    total = ig.Gamma(3.5, 0.6)
    error = x.std() / np.sqrt(x.size)
    assert abs(x.mean() - total.expectation[1]) < 5 * error
    assert abs(np.log(x).mean() - total.expectation[0]) < 5 * np.log(x).std() / np.sqrt(x.size)
    parts = ig.Gamma([1.3, 2.2], 0.6).fisher()[:, 1, 1]
    np.testing.assert_allclose(parts.sum(), total.fisher()[1, 1], rtol=1e-15)


def test_log_x_of_a_large_shape_parameter_is_nearly_normal():
    """The metric of Gamma tends to that of the normal with the same mean and variance, up to order 1/a."""
    a, mean = 1e8, 3.0
    near, far = ig.Gamma(a, a / mean), ig.Gamma(a * 1.5, 1.5 * a / (mean * 1.0001))
    normals = [ig.Normal(g.expectation[1], np.sqrt(g.shape_parameter) / g.rate) for g in (near, far)]
    np.testing.assert_allclose(near.kl(far), normals[0].kl(normals[1]), rtol=1e-3)
