"""The logistic distribution: its tails, and divergences by quadrature near and far."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import igviz as ig


def exact_kl(p, q, digits=25):
    """In standard units of p, which keep the exact differences, broken where either density is."""
    m, s, n, t = (mpmath.mpf(float(v)) for v in (p.location, p.scale, q.location, q.scale))
    shift, stretch = (n - m) / s, t / s

    def log_density(z):
        return -abs(z) - 2 * mpmath.log1p(mpmath.exp(-abs(z)))

    def integrand(z):
        here = log_density(z)
        return mpmath.exp(here) * (here - log_density((z - shift) / stretch) + mpmath.log(stretch))

    breaks = {mpmath.mpf(v) for v in (-110, -40, -12, -4, 0, 4, 12, 40, 110)}
    breaks |= {shift + k * stretch for k in (-12, -4, 0, 4, 12)}
    with mpmath.workdps(digits):
        return mpmath.quad(integrand, sorted(b for b in breaks if abs(b) <= 110))


def test_a_generic_point():
    p = ig.Logistic(3.0, 2.0)
    # z = log 3, so that the distribution function is ¾
    x = 3.0 + 2.0 * np.log(3.0)
    np.testing.assert_allclose(p.pdf(x), 0.5 * 0.75 * 0.25, rtol=1e-15)
    np.testing.assert_allclose(p.entropy(), 2.0 + np.log(2.0), rtol=1e-15)
    np.testing.assert_allclose(p.fisher(), np.diag([3.0, 3.0 + np.pi**2]) / 36.0, rtol=1e-15, atol=1e-17)
    # ψ = tanh(z/2) = ½ and ψ′ = 2f = ⅜
    z = np.log(3.0)
    np.testing.assert_allclose(p.score(x), [0.25, 0.5 * (0.5 * z - 1.0)], rtol=1e-14)
    corner, last = -(0.5 + 0.375 * z), 1.0 - z - 0.375 * z**2
    expected = np.array([[-0.375, corner], [corner, last]]) / 4.0
    np.testing.assert_allclose(p.hessian_log_prob(x), expected, rtol=1e-14)


def test_curvature():
    np.testing.assert_allclose(ig.Logistic(0.3, 0.7).gaussian_curvature, -9 / (3 + np.pi**2), rtol=1e-15)


def test_log_prob_in_both_tails():
    p = ig.Logistic(0.3, 0.7)
    for x in (-800.0, -30.0, -2.0, 0.3, 5.0, 40.0, 1e5):
        z = (mpmath.mpf(x) - mpmath.mpf(0.3)) / mpmath.mpf(0.7)
        with mpmath.workdps(30):
            exact = -z - 2 * mpmath.log1p(mpmath.exp(-z)) - mpmath.log(mpmath.mpf(0.7))
        assert abs(p.log_prob(x) / exact - 1) < 4e-16


def test_the_distribution_function_is_the_sigmoid():
    p = ig.Logistic(0.3, 0.7)
    x = np.linspace(-4.0, 6.0, 21)
    below, above = (1.0 / (1.0 + np.exp((0.3 - x - shift) / 0.7)) for shift in (-1e-5, 1e-5))
    np.testing.assert_allclose(p.pdf(x), (above - below) / 2e-5, rtol=1e-8, atol=1e-10)


# forms for near pairs, for a narrower q, for a wider q, and the seams between them
PAIRS = [
    ((0.3, 0.7), (0.4, 0.8)),
    ((0.3, 0.7), (-0.6, 0.5)),
    ((0.3, 0.7), (0.5, 0.22)),
    ((0.3, 0.7), (5.0, 0.1)),
    ((0.3, 0.7), (2.1, 4.4)),
    ((-1.0, 2.0), (4.0, 2.0)),
    ((1.0, 2.0), (1.999, 2.0)),
    ((1.0, 2.0), (2.001, 2.0)),
    ((1.0, 2.0), (1.9, 1.301)),
    ((1.0, 2.0), (1.9, 1.299)),
    ((1.0, 2.0), (1.1, 2.999)),
    ((1.0, 2.0), (1.1, 3.001)),
    ((0.0, 1.0), (30.0, 0.01)),
    ((0.0, 1.0), (30.0, 500.0)),
    ((0.0, 1.0), (0.0, 0.001)),
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_kl_of_generic_pairs(first, second):
    p, q = ig.Logistic(*first), ig.Logistic(*second)
    assert abs(p.kl(q) / exact_kl(p, q) - 1) < 1e-13


@pytest.mark.parametrize("separation", [1e-2, 1e-6, 1e-12])
def test_kl_keeps_its_digits_up_close(separation):
    for angle in (0.3, 4.5):
        p = ig.Logistic(0.8, 1.7)
        q = ig.Logistic(0.8 + separation * np.cos(angle), 1.7 * (1.0 + separation * np.sin(angle)))
        assert abs(p.kl(q) / exact_kl(p, q, digits=45) - 1) < 1e-14


def test_kl_of_very_far_pairs():
    # beyond a few scales −log q is |y| to all digits: E|z| = 2·log 2, and the entropy is 2
    p = ig.Logistic(0.3, 1e-9)
    np.testing.assert_allclose(p.kl(ig.Logistic(5.3, 1.0)), 9 * np.log(10) - 2 + 5 + 2 * np.log1p(np.exp(-5)))
    q = ig.Logistic(0.3, 1e-60)
    np.testing.assert_allclose(ig.Logistic(0.3, 1.0).kl(q), 1e60 * 2.0 * np.log(2.0), rtol=1e-14)
    np.testing.assert_allclose(q.kl(ig.Logistic(0.3, 1.0)), 60 * np.log(10) - 2 + 2 * np.log(2.0), rtol=1e-14)
    assert ig.Logistic(1.0, 1e200).kl(ig.Logistic(0.0, 1e-200)) == np.inf


def test_kl_does_not_depend_on_the_grid():
    rng = np.random.default_rng(89)
    p, q = (ig.Logistic(rng.normal(0, 2, (70, 60)), np.exp(rng.normal(0, 1, (70, 60)))) for _ in range(2))
    whole = p.kl(q)
    for i, j in [(0, 0), (31, 17), (69, 59)]:
        np.testing.assert_allclose(whole[i, j], p[i, j].kl(q[i, j]), rtol=1e-14)


def test_sample_moments_have_the_right_scale():
    x = ig.Logistic([5.0, -5.0], [0.1, 10.0]).sample(100_000, np.random.default_rng(90))
    np.testing.assert_allclose(x.std(axis=0), np.pi / np.sqrt(3.0) * np.array([0.1, 10.0]), rtol=0.02)
    np.testing.assert_allclose(x.mean(axis=0), [5.0, -5.0], atol=0.3)


def test_repr():
    assert repr(ig.Logistic(location=0.0, scale=1.0)) == "Logistic(location=0.0, scale=1.0)"
