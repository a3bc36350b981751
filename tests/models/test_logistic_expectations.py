"""Means under a normal f at every scale: against many digits, slow quadrature, and each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from igviz.models import logistic_expectations
from igviz.models.logistic_expectations import _WIDE, _rules, softplus_means
from tests.models.softplus_twin import by_mpmath, by_panels

MEANS = np.array([0.0, 0.3, -1.7, 2.6, -5.0, 9.0, -14.0, 38.0, -60.0, 800.0, -800.0])
EXTREMES = [
    (0.3, 1e-8), (-1.7, 0.03), (800.0, 1e-8), (-800.0, 0.4), (0.7, 0.45), (-4.0, 1.1), (2.2, 1.74),
    (1.3, 1.76), (-9.0, 3.0), (0.0, 6.0), (38.0, 10.0), (800.0, 50.0), (-800.0, 300.0), (41.0, 1e3),
    (-3.0, 1e6),
]  # fmt: skip


def errors(found, reference):
    """The largest error of each of the three, the first relative to the larger of 1 and E[max(f, 0)]."""
    gap = np.abs(np.asarray(found) - reference)
    gap[0] /= np.maximum(1.0, reference[0])
    return gap.max(axis=tuple(range(1, gap.ndim)))


@pytest.mark.parametrize(("mean", "std"), EXTREMES)
def test_against_thirty_digits(mean, std):
    found = softplus_means(np.array([mean]), np.array([std]), 15)
    for value, exact in zip(found, by_mpmath(mean, std), strict=True):
        assert abs(float(value[0] - exact)) <= 1e-15 * max(1.0, float(exact))


def test_a_tiny_mean_keeps_its_digits():
    """The rarer outcome of a clear-cut row counts once for each trial."""
    mean, std = np.array([-30.0, 25.0, -40.0]), np.array([0.8, 0.3, 1.5])
    found = np.array(softplus_means(mean, std, 15))
    exact = np.array([[float(v) for v in by_mpmath(m, s)] for m, s in zip(mean, std, strict=True)]).T
    np.testing.assert_allclose(found[0, [0, 2]], exact[0, [0, 2]], rtol=1e-6)
    np.testing.assert_allclose(found[1, [0, 2]], exact[1, [0, 2]], rtol=1e-6)
    np.testing.assert_allclose(found[2], exact[2], rtol=1e-6)


def edges(digits):
    """Stds just below and just above every change of rule."""
    seams = np.append(_rules(digits).widest, _WIDE)
    return np.concatenate([seams * (1 - 1e-9), seams * (1 + 1e-9)])


def test_on_a_dense_grid_across_every_seam():
    std = np.concatenate([edges(15), np.geomspace(1e-6, 3e3, 120)])
    mean = np.concatenate([MEANS, np.linspace(-13.0, 13.0, 14)])
    m, s = (grid.ravel() for grid in np.meshgrid(mean, std))
    found = softplus_means(m, s, 15)
    assert np.all(errors(found, by_panels(m, s)) < [1e-14, 2e-15, 2e-15])


@pytest.mark.parametrize("digits", [12, 9, 6, 4, 3, 2, 1])
def test_fewer_digits_keep_their_promise(digits):
    std = np.concatenate([edges(digits), np.geomspace(1e-4, 1e3, 60)])
    m, s = (grid.ravel() for grid in np.meshgrid(np.linspace(-20.0, 20.0, 81), std))
    found, exact = softplus_means(m, s, digits), np.array(softplus_means(m, s, 15))
    assert np.all(errors(found, exact) < 10.0**-digits)
    assert np.all(errors(found, exact) > 1e-4 * 10.0**-digits), "it is not cheaper by itself"


@pytest.mark.parametrize("digits", [15, 6])
def test_many_rows_are_the_loop(digits):
    """Few rows wait for a better rule and many are split into blocks: the digits promised stay."""
    rng = np.random.default_rng(31)
    mean, std = 3.0 * rng.normal(size=3_000), np.exp(rng.normal(-0.7, 1.3, size=3_000))
    together = np.array(softplus_means(mean, std, digits))
    alone = np.array([softplus_means(mean[k, None], std[k, None], digits) for k in range(0, 3_000, 11)])
    np.testing.assert_allclose(together[:, ::11], alone[..., 0].T, atol=max(2e-15, 10.0**-digits), rtol=2e-15)


@pytest.mark.parametrize(("std", "digits", "most"), [(0.2, 15, 11), (0.2, 6, 4), (1.2, 15, 50), (0.0, 15, 1)])
def test_rows_have_no_more_nodes_than_they_need(monkeypatch, std, digits, most):
    evaluations, summed = [], logistic_expectations._sum

    def counted(below, std, nodes, weights, work):
        evaluations.append(nodes.size * std.size)
        return summed(below, std, nodes, weights, work)

    monkeypatch.setattr(logistic_expectations, "_sum", counted)
    rng = np.random.default_rng(33)
    softplus_means(rng.normal(size=5_000), std * rng.uniform(0.5, 1.0, size=5_000), digits)
    assert sum(evaluations) <= 5_000 * most
    assert len(evaluations) < 10


def test_blocks_change_nothing(monkeypatch):
    """Nor do their remainders."""
    rng = np.random.default_rng(32)
    mean, std = rng.normal(size=500), rng.uniform(0.9, 4.0, size=500)
    whole = softplus_means(mean, std, 15)
    monkeypatch.setattr(logistic_expectations, "_BLOCK", 700)
    np.testing.assert_allclose(softplus_means(mean, std, 15), whole, rtol=1e-14, atol=1e-300)


def test_shapes_and_bounds():
    m, s = np.meshgrid(MEANS, np.geomspace(1e-9, 1e5, 40))
    value, share, spread = softplus_means(m, s, 15)
    assert value.shape == share.shape == spread.shape == m.shape
    assert np.all(value >= np.maximum(m, 0)) and np.all((share >= 0) & (share <= 1))
    assert np.all((spread >= 0) & (spread <= 0.25)), "its root is taken"
    other_value, other_share, other_spread = softplus_means(-m, s, 15)
    np.testing.assert_allclose(other_value, value - m, rtol=1e-13, atol=1e-12)
    np.testing.assert_allclose(other_share, 1 - share, atol=1e-15)
    np.testing.assert_array_equal(other_spread, spread)


def test_without_spread_it_is_the_function_itself():
    f = np.array([-800.0, -36.7, -2.0, 0.0, 0.4, 17.0, 800.0])
    value, share, spread = softplus_means(f, np.zeros(7), 6)
    np.testing.assert_allclose(value, np.logaddexp(0.0, f), rtol=1e-15)
    np.testing.assert_allclose(share, expit(f), rtol=1e-15)
    np.testing.assert_allclose(spread, expit(f) * expit(-f), rtol=1e-15)


def test_the_second_and_third_are_derivatives_of_the_first():
    """By the mean, and by half of the variance (Price)."""
    m, s, h = np.array([0.4, -2.0, 1.1, 3.0]), np.array([0.2, 0.9, 1.7, 5.0]), 1e-4

    def value(mean, variance):
        return np.array(softplus_means(mean, np.sqrt(variance), 15))

    by_mean = (value(m + h, s**2) - value(m - h, s**2)) / (2 * h)
    by_variance = (value(m, s**2 + h) - value(m, s**2 - h)) / (2 * h)
    _, share, spread = value(m, s**2)
    np.testing.assert_allclose(by_mean[:2], [share, spread], rtol=1e-6)
    np.testing.assert_allclose(2 * by_variance[0], spread, rtol=1e-6)
