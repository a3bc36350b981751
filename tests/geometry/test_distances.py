"""Fisher–Rao distances: anchors, fifty digits, and the naive forms beside them."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import igviz as ig


def exact_normal(p, q):
    a, s, b, t = (mpmath.mpf(float(v)) for v in (p.mean, p.std, q.mean, q.std))
    # √2·acosh(1 + x) with x = ((Δmean)²/2 + (Δstd)²)/(2·s·t), with digits to spare for tiny and huge x
    with mpmath.workdps(400):
        return mpmath.sqrt(2) * mpmath.acosh(1 + ((a - b) ** 2 / 2 + (s - t) ** 2) / (2 * s * t))


def exact_bernoulli(p, q):
    a, b = mpmath.mpf(float(p.probability)), mpmath.mpf(float(q.probability))
    with mpmath.workdps(400):
        return 2 * mpmath.acos(mpmath.sqrt(a * b) + mpmath.sqrt((1 - a) * (1 - b)))


def worst(p, q, exact):
    distances = ig.fisher_rao_distance(p, q)
    return max(abs(mpmath.mpf(float(d)) / exact(a, b) - 1) for d, a, b in zip(distances, p, q, strict=True))


@pytest.mark.parametrize(
    ("p", "q", "expected", "tolerance"),
    [
        ((0.0, 1.0), (1.0, 1.0), np.sqrt(2) * np.log(2), 1e-15),
        ((0.0, 1.0), (1.0, 1.0), 0.980258143468547, 1e-14),
        ((1.5, 0.75), (3.5, 0.75), 2.376868, 5e-7),
        ((0.0, 10.0), (0.5, 10.0), 0.049997, 5e-7),
        ((0.0, 10.0), (1.0, 10.0), 0.099979, 5e-7),
        # vertical lines: √2·log of the ratio
        ((3.0, 1.0), (3.0, 2.0), np.sqrt(2) * np.log(2), 1e-15),
        ((3.0, 5.0), (3.0, 0.5), np.sqrt(2) * np.log(10), 1e-15),
    ],
)
def test_normal_anchors(p, q, expected, tolerance):
    assert abs(ig.fisher_rao_distance(ig.Normal(*p), ig.Normal(*q)) - expected) < tolerance


def test_bernoulli_anchors():
    # p = sin²(angle): distances are twice the differences of the angle
    d = ig.fisher_rao_distance(ig.Bernoulli(0.25), ig.Bernoulli(0.75))
    assert abs(d - np.pi / 3) < 1e-15
    assert abs(ig.fisher_rao_distance(ig.Bernoulli(0.0), ig.Bernoulli(1.0)) - np.pi) < 1e-15


def test_naive_twins():
    rng = np.random.default_rng(61)
    a, b, s, t = rng.normal(0, 2, 50), rng.normal(0, 2, 50), rng.uniform(0.2, 3, 50), rng.uniform(0.2, 3, 50)
    naive = np.sqrt(2) * np.arccosh(1 + ((a - b) ** 2 / 2 + (s - t) ** 2) / (2 * s * t))
    np.testing.assert_allclose(ig.fisher_rao_distance(ig.Normal(a, s), ig.Normal(b, t)), naive, rtol=1e-10)
    p, q = rng.uniform(0, 1, 50), rng.uniform(0, 1, 50)
    naive = 2 * np.arccos(np.sqrt(p * q) + np.sqrt((1 - p) * (1 - q)))
    np.testing.assert_allclose(ig.fisher_rao_distance(ig.Bernoulli(p), ig.Bernoulli(q)), naive, rtol=1e-10)


@pytest.mark.parametrize("separation", [1.0, 1e-2, 1e-5, 1e-8, 1e-12])
def test_normal_distance_to_fifty_digits(separation):
    rng = np.random.default_rng(62)
    mean, std = rng.normal(0, 2, 40), np.exp(rng.normal(0, 1, 40))
    angle = rng.uniform(0, 2 * np.pi, 40)
    p = ig.Normal(mean, std)
    q = ig.Normal(mean + separation * np.cos(angle), std * np.exp(separation * np.sin(angle)))
    assert worst(p, q, exact_normal) < 1e-14


def test_normal_distance_at_the_extremes():
    rng = np.random.default_rng(63)
    p = ig.Normal(rng.normal(0, 1e3, 40), 10.0 ** rng.uniform(-150, 150, 40))
    q = ig.Normal(rng.normal(0, 1e3, 40), 10.0 ** rng.uniform(-150, 150, 40))
    assert worst(p, q, exact_normal) < 1e-13
    # a quotient that overflows, and one of subnormal size
    p, q = ig.Normal([0.0, 0.0], [1e-300, 1e-300]), ig.Normal([1e200, 0.0], [1e-290, 1.1e-300])
    assert worst(p, q, exact_normal) < 1e-13


@pytest.mark.parametrize("separation", [1e-1, 1e-2, 1e-5, 1e-8, 1e-12])
def test_bernoulli_distance_to_fifty_digits(separation):
    rng = np.random.default_rng(64)
    p = ig.Bernoulli(np.concatenate([rng.uniform(0.02, 0.85, 40), [1e-3, 1e-12, 0.5]]))
    q = ig.Bernoulli(p.probability * (1 + separation))
    assert worst(p, q, exact_bernoulli) < 1e-14


def test_bernoulli_distance_at_the_extremes():
    p = ig.Bernoulli([0.0, 1e-300, 1e-12, 1.0, 1e-12, 0.3, 1.0])
    q = ig.Bernoulli([1e-300, 3e-300, 1.0 - 1e-12, 1.0 - 1e-12, 0.0, 1.0, 1e-200])
    assert worst(p, q, exact_bernoulli) < 1e-12
    assert ig.fisher_rao_distance(ig.Bernoulli(1.0), ig.Bernoulli(1.0)) == 0.0


def test_a_shift_or_stretch_of_the_line_is_an_isometry():
    rng = np.random.default_rng(65)
    a, b, s, t = rng.normal(0, 2, 50), rng.normal(0, 2, 50), rng.uniform(0.2, 3, 50), rng.uniform(0.2, 3, 50)
    before = ig.fisher_rao_distance(ig.Normal(a, s), ig.Normal(b, t))
    after = ig.fisher_rao_distance(ig.Normal(-3 * a + 7, 3 * s), ig.Normal(-3 * b + 7, 3 * t))
    np.testing.assert_allclose(after, before, rtol=1e-13)


def test_grids_broadcast():
    p = ig.Normal(np.linspace(-1, 1, 5)[:, None], 1.0)
    q = ig.Normal(0.3, np.linspace(0.5, 2, 7))
    assert ig.fisher_rao_distance(p, q).shape == (5, 7)
