"""Exact moments and draws of maximum-likelihood fits, against high precision and against real fits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import stats

import igviz as ig
from igviz.geometry.efficiency import normal_fits, std_moments


def fits_of_data(p, n, fits, rng):
    """The naive twin: n samples for each fit."""
    x = p.sample(n * fits, rng).reshape(n, fits)
    return ig.Normal(x.mean(axis=0), x.std(axis=0))


@pytest.mark.parametrize("n", [2, 3, 5, 10, 40, 41, 42, 43, 500, 10**6, 10**9])
def test_moments_against_high_precision(n):
    with mpmath.workdps(60):
        count, sigma = mpmath.mpf(n), mpmath.mpf("1.7")
        ratio = mpmath.gamma(count / 2) / mpmath.gamma((count - 1) / 2) if n < 1000 else None
        if ratio is None:
            ratio = mpmath.exp(mpmath.loggamma(count / 2) - mpmath.loggamma((count - 1) / 2))
        mean = sigma * mpmath.sqrt(2 / count) * ratio
        expected = mean - sigma, sigma**2 * (count - 1) / count - mean**2
    bias, variance = std_moments(n, 1.7)
    assert bias == pytest.approx(float(expected[0]), rel=1e-11)
    assert variance == pytest.approx(float(expected[1]), rel=1e-11)


def test_biased_below_the_bound_and_tending_to_it():
    n = np.array([2, 3, 5, 10, 30, 100, 500, 10_000])
    bias, variance = std_moments(n)
    assert np.all(bias < 0.0)
    assert np.all(np.diff(n * variance) > 0.0)
    assert np.all(n * variance < 0.5)
    assert n[-1] * variance[-1] == pytest.approx(0.5, rel=1e-3)
    assert n[-1] * bias[-1] == pytest.approx(-0.75, rel=1e-3)


@pytest.mark.parametrize("n", [2, 5, 30])
@pytest.mark.parametrize("draw", [normal_fits, fits_of_data])
def test_moments_against_monte_carlo(n, draw):
    p, fits = ig.Normal(0.7, 1.6), 100_000
    drawn = draw(p, n, fits, np.random.default_rng(3))
    bias, variance = std_moments(n, p.std)

    def within(values, expected):
        assert abs(values.mean() - expected) < 5.0 * values.std() / np.sqrt(fits)

    within(drawn.std, p.std + bias)
    within((drawn.std - p.std - bias) ** 2, variance)
    within(drawn.mean, p.mean)
    within((drawn.mean - p.mean) ** 2, p.std**2 / n)
    within((drawn.mean - p.mean) * (drawn.std - p.std - bias), 0.0)


@pytest.mark.parametrize("n", [2, 7])
def test_draws_have_the_distribution_of_real_fits(n):
    p, rng = ig.Normal(-1.0, 0.5), np.random.default_rng(8)
    drawn, real = normal_fits(p, n, 4000, rng), fits_of_data(p, n, 4000, rng)
    assert stats.ks_2samp(drawn.mean, real.mean).pvalue > 1e-3
    assert stats.ks_2samp(drawn.std, real.std).pvalue > 1e-3


@pytest.mark.parametrize("n", [1, 0, 2.5, np.inf])
def test_bad_sample_sizes(n):
    with pytest.raises(ValueError, match="n must be a whole number of at least 2"):
        std_moments(n)


def test_bad_arguments():
    with pytest.raises(ValueError, match="std must be positive, got -1"):
        std_moments(3, -1)
    with pytest.raises(ValueError, match="n must be at least 2, got 1"):
        normal_fits(ig.Normal(0, 1), 1, 10, np.random.default_rng(0))
    with pytest.raises(ValueError, match="one distribution"):
        normal_fits(ig.Normal([0, 1], 1), 3, 10, np.random.default_rng(0))
