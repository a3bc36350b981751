"""The Dirichlet distribution: conventions, the inversion of its moments, digits, and small concentrations."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import igviz as ig


def exact_kl(a, b):
    a, b = ([mpmath.mpf(float(v)) for v in c] for c in (a, b))
    with mpmath.workdps(100):
        total = mpmath.psi(0, sum(a))

        def log_partition(c):
            return sum(map(mpmath.loggamma, c)) - mpmath.loggamma(sum(c))

        inner = sum((y - x) * (mpmath.psi(0, x) - total) for x, y in zip(a, b, strict=True))
        return log_partition(b) - log_partition(a) - inner


def test_coordinates_of_a_generic_point():
    p = ig.Dirichlet([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(p.source, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(p.natural, [1.0, 2.0, 3.0])
    # ψ(6) − ψ(k) = 1/k + … + 1/5
    harmonic = np.array([1 + 1 / 2, 1 / 2, 0.0]) + 1 / 3 + 1 / 4 + 1 / 5
    np.testing.assert_allclose(p.expectation, -harmonic, rtol=1e-14)
    # Γ(1)·Γ(2)·Γ(3)/Γ(6)
    np.testing.assert_allclose(p.log_partition(), np.log(2 / 120), rtol=1e-15)
    x = np.array([0.2, 0.3, 0.5])
    np.testing.assert_allclose(p.pdf(x), 60 * 0.3 * 0.25, rtol=1e-14)
    np.testing.assert_allclose(p.log_base_measure(x), -np.log(0.03), rtol=1e-15)
    np.testing.assert_allclose(p.score(x, "source"), np.log(x) + harmonic, rtol=1e-14)


def test_derivatives_at_a_generic_point():
    p = ig.Dirichlet([1.0, 2.0])
    square, zeta = np.pi**2 / 6, 1.2020569031595942854
    last = square - 1 - 1 / 4
    expected = [[square - last, -last], [-last, square - 1 - last]]
    np.testing.assert_allclose(p.fisher("source"), expected, rtol=1e-14)
    cubic, third = p.third_cumulant(), -2 * (zeta - 1 - 1 / 8)
    np.testing.assert_allclose(cubic[0, 0, 0], -2 * zeta - third, rtol=1e-14)
    np.testing.assert_allclose(cubic[1, 1, 1], -2 * (zeta - 1) - third, rtol=1e-14)
    np.testing.assert_allclose([cubic[0, 0, 1], cubic[1, 0, 1]], -third, rtol=1e-14)


def test_inverse_fisher_matrices_keep_their_digits():
    for a in ([3e6, 1e5, 4e5], [2e-5, 3e-7, 1e-4], [0.3, 1.1, 2.7], [1e4, 0.02, 3.0]):
        with mpmath.workdps(60):
            b = [mpmath.mpf(v) for v in a]
            natural = mpmath.matrix(3, 3)
            for i in range(3):
                for j in range(3):
                    natural[i, j] = (mpmath.psi(1, b[i]) if i == j else 0) - mpmath.psi(1, sum(b))
            exact = np.array((natural**-1).tolist(), dtype=float)
        np.testing.assert_allclose(ig.Dirichlet(a).fisher("expectation"), exact, rtol=1e-13)


# -- densities -----------------------------------------------------------------------------------------------


def test_the_support_is_the_simplex():
    p = ig.Dirichlet([1.5, 2.0, 0.5])
    outside = [[0.5, 0.5, 0.5], [-0.1, 0.6, 0.5], [1.5, -0.25, -0.25], [np.inf, 0.5, 0.5]]
    np.testing.assert_array_equal(p.log_prob(outside), -np.inf)
    np.testing.assert_array_equal(p.log_base_measure(outside), -np.inf)
    assert np.all(np.isnan(p.sufficient_statistics(outside)))
    assert np.all(np.isnan(p.score(outside, "natural")))
    assert np.isnan(p.log_prob([np.nan, 0.5, 0.5]))
    np.testing.assert_array_equal(p.log_prob([[0.0, 0.4, 0.6], [0.4, 0.6, 0.0]]), [-np.inf, np.inf])
    # along the way into this corner the density may tend to anything
    assert np.isnan(p.log_prob([0.0, 1.0, 0.0]))
    # a concentration of 1 says nothing about its edge: 2·Γ-values and (1/2)^(-1/2)
    flat = ig.Dirichlet([1.0, 1.0, 1.0])
    np.testing.assert_allclose(flat.pdf([[0.0, 0.4, 0.6], [0.2, 0.3, 0.5]]), 2.0, rtol=1e-14)


def test_vectors_of_another_length_are_refused():
    p = ig.Dirichlet([1.5, 2.0, 0.5])
    for call in (p.log_prob, p.sufficient_statistics, p.log_base_measure):
        with pytest.raises(ValueError, match=r"Dirichlet: x must have shape \(..., 3\), got shape \(2,\)"):
            call([0.5, 0.5])
        with pytest.raises(ValueError, match=r"Dirichlet: x must have shape \(..., 3\), got shape \(\)"):
            call(0.5)
    for call in (p.kl, lambda q: ig.fisher_rao_distance(p, q), lambda q: ig.geodesic(p, q)):
        with pytest.raises(ValueError, match="must have the same number of shares, got 3 and 2"):
            call(ig.Dirichlet([1.0, 1.0]))


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e4, 1e8])
def test_log_prob_and_entropy_keep_their_digits(size):
    a = size * np.array([0.7, 2.9, 1.6])
    p = ig.Dirichlet(a)
    b = [mpmath.mpf(float(v)) for v in a]
    constant = mpmath.loggamma(sum(b)) - sum(map(mpmath.loggamma, b))
    means = [mpmath.psi(0, v) - mpmath.psi(0, sum(b)) for v in b]
    exact = -constant - sum((v - 1) * m for v, m in zip(b, means, strict=True))
    assert abs(p.entropy() / exact - 1) < 1e-14
    for x in ([0.2, 0.5, 0.3], a / a.sum()):
        # the density knows x as shares of their sum
        y = [mpmath.mpf(float(v)) for v in x]
        exact = constant + sum((v - 1) * mpmath.log(z) for v, z in zip(b, y, strict=True))
        assert abs(p.log_prob(x) - exact) < 1e-13 * (1 + abs(exact)) + 3e-16 * size


def test_samples_of_small_concentrations_are_shares():
    p = ig.Dirichlet(np.array([1e-3, 3e-3, 1e-3, 5e-3]))
    x = p.sample(20_000, np.random.default_rng(301))
    np.testing.assert_allclose(x.sum(axis=-1), 1.0, rtol=1e-14)
    # nearly all of the whole goes to one, in proportion to the concentrations
    winners = np.bincount(np.argmax(x, axis=-1), minlength=4) / 20_000
    expected = np.array([0.1, 0.3, 0.1, 0.5])
    assert np.all(np.abs(winners - expected) < 5 * np.sqrt(expected * (1 - expected) / 20_000))
    assert np.mean(x.max(axis=-1) > 0.99) > 0.9


# -- the divergence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separation", [0.1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-12])
def test_kl_keeps_its_digits_up_close(separation):
    rng = np.random.default_rng(302)
    a = 10.0 ** np.concatenate([rng.uniform(-0.5, 1.5, (30, 3)), rng.uniform(-8, 8, (30, 3))])
    shift = rng.normal(size=a.shape)
    shift[::3] = 1.0  # all concentrations grow alike: the means stay
    b = a * (1 + separation * shift)
    for value, one, other in zip(ig.Dirichlet(a).kl(ig.Dirichlet(b)), a, b, strict=True):
        assert abs(value / exact_kl(one, other) - 1) < 2e-13


def test_kl_of_far_pairs():
    rng = np.random.default_rng(303)
    a, b = 10.0 ** rng.uniform(-6, 6, (2, 150, 4))
    for value, one, other in zip(ig.Dirichlet(a).kl(ig.Dirichlet(b)), a, b, strict=True):
        assert abs(value / exact_kl(one, other) - 1) < 1e-13


def test_merging_shares_loses_divergence():
    """(x₁ + x₂, x₃) is Beta(a₁ + a₂, a₃), and a coarser observation tells less."""
    rng = np.random.default_rng(304)
    a, b = rng.uniform(0.4, 6.0, (2, 50, 3))
    merged = ig.Beta(a[:, 0] + a[:, 1], a[:, 2]).kl(ig.Beta(b[:, 0] + b[:, 1], b[:, 2]))
    assert np.all(merged < ig.Dirichlet(a).kl(ig.Dirichlet(b)))
    # what is lost is the divergence of the split of the first two, which is independent of their sum
    split = ig.Beta(a[:, 0], a[:, 1]).kl(ig.Beta(b[:, 0], b[:, 1]))
    np.testing.assert_allclose(merged + split, ig.Dirichlet(a).kl(ig.Dirichlet(b)), rtol=1e-12)


# -- the inversion of the moments ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "count", "tolerance"),
    [
        (-0.5, 1.0, 2, 1e-13),
        (-0.5, 1.0, 3, 1e-13),
        (-1.0, 1.0, 20, 1e-13),
        (-8.0, -2.0, 3, 1e-8),
        (2.0, 5.0, 4, 1e-8),
    ],
)
def test_from_expectation_over_all_concentrations(low, high, count, tolerance):
    a = 10.0 ** np.random.default_rng(305).uniform(low, high, (300, count))
    p = ig.Dirichlet(a)
    back = ig.Dirichlet.from_expectation(p.expectation)
    np.testing.assert_allclose(back.concentration, a, rtol=tolerance)
    # whatever is lost, it is not seen in the moments
    np.testing.assert_allclose(back.expectation, p.expectation, rtol=1e-12, atol=1e-11)


def test_from_expectation_has_two_digits_or_raises():
    refused = 0
    for a in 10.0 ** np.random.default_rng(306).uniform(-30, 14, (200, 3)):
        means = ig.Dirichlet(a).expectation
        try:
            back = ig.Dirichlet.from_expectation(means)
        except (ValueError, ArithmeticError) as error:
            refused += 1
            assert "less than 1, got 1.0" in str(error) or "leaves no digits" in str(error)
            # nothing is refused but where one is nearly all of the whole, or all are nearly fixed
            assert np.sort(a)[-1] > 1e9 * min(np.sort(a)[-2], 1.0)
            continue
        np.testing.assert_allclose(np.sum(back.concentration), np.sum(a), rtol=0.1)
    assert 20 < refused < 150


def test_from_expectation_solves_the_moment_equations():
    means = [-1.4, -0.9, -2.2]
    a = [mpmath.mpf(float(v)) for v in ig.Dirichlet.from_expectation(means).concentration]
    for one, mean in zip(a, means, strict=True):
        assert abs(mpmath.psi(0, one) - mpmath.psi(0, sum(a)) - mpmath.mpf(mean)) < 1e-15


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ig.Dirichlet([1.0, -0.5]),
            r"Dirichlet: concentration must be positive, got -0.5 at index \(1,\)",
        ),
        (lambda: ig.Dirichlet([1.0, np.nan]), r"Dirichlet: concentration must be finite, got nan"),
        (lambda: ig.Dirichlet(1.0), r"Dirichlet: concentration must have at least 1 axis, got shape \(\)"),
        (
            lambda: ig.Dirichlet([1.0]),
            r"Dirichlet: concentration must have shape \(..., K\) with K at least 2, got shape \(1,\)",
        ),
        (lambda: ig.Dirichlet.from_natural([1.0, 0.0]), "Dirichlet: concentration must be positive, got 0.0"),
        (
            lambda: ig.Dirichlet.from_expectation([-0.5, -0.8]),
            r"Dirichlet: the sum of exp\(expectation\) must be less than 1, got 1.05",
        ),
        (
            lambda: ig.Dirichlet.from_expectation([[-2.0, -2.0], [0.3, -1.0]]),
            r"Dirichlet: the sum of exp\(expectation\) must be less than 1, got 1.7\d* at index \(1,\)",
        ),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
