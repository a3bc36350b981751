"""The exact error of the best test against simulation, quadrature and its own asymptotics."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import integrate, stats

import igviz as ig
from igviz.geometry.hypothesis_testing import bayes_error, log_ratio_variance

PAIRS = [(1.0, 1.0), (0.4, 1.3), (1.5, 0.7), (0.0, 1.5), (0.1, 0.9), (1.0, 4.0), (2.0, 0.2)]


def noncentral_chi_squares(shift: float, width: float, n: int) -> float:
    """The slow twin: the region of each decision is a ball about −h, so the errors are tails of a χ²."""
    h = shift / (width**2 - 1)
    a = 0.5 * (1 - 1 / width**2)
    constant = -0.5 * shift**2 / width**2 - np.log(width) - a * h**2
    radius = -n * constant / a
    if shift == 0:
        under_p = under_q = stats.chi2(n)
    else:
        under_p = stats.ncx2(n, n * h**2)
        under_q = stats.ncx2(n, n * (shift + h) ** 2 / width**2)
    if width > 1:
        return 0.5 * (under_p.sf(radius) + under_q.cdf(radius / width**2))
    return 0.5 * (under_p.cdf(radius) + under_q.sf(radius / width**2))


@pytest.mark.parametrize(("shift", "width"), PAIRS)
@pytest.mark.parametrize("n", [1, 4, 25])
def test_against_a_long_simulation(shift, width, n):
    rng = np.random.default_rng(11)
    runs = 400_000
    p, q = ig.Normal(-0.7, 1.7), ig.Normal(-0.7 + 1.7 * shift, 1.7 * width)
    from_q = rng.random(runs) < 0.5
    mean, std = np.where(from_q, q.mean, p.mean), np.where(from_q, q.std, p.std)
    # the sample's mean and sum of squares are all the test looks at
    centre = mean + std * rng.standard_normal(runs) / np.sqrt(n)
    squares = std**2 * rng.chisquare(n - 1, runs) if n > 1 else np.zeros(runs)

    def log_likelihood(r):
        return -0.5 * (squares + n * (centre - r.mean) ** 2) / r.std**2 - n * np.log(r.std)

    wrong = np.mean((log_likelihood(q) > log_likelihood(p)) != from_q)
    error = bayes_error(p, q, n)
    assert abs(wrong - error) < 5 * np.sqrt(error * (1 - error) / runs) + 1 / runs


@pytest.mark.parametrize(("shift", "width"), PAIRS)
def test_one_observation_against_quadrature(shift, width):
    p, q = ig.Normal(0.0, 1.0), ig.Normal(shift, width)
    breaks = [-12, 0, 12]
    if width != 1:
        a, b = 0.5 * (1 - 1 / width**2), shift / width**2
        c = -0.5 * shift**2 / width**2 - np.log(width)
        breaks += list(np.roots([a, b, c]).real)
    else:
        breaks += [shift / 2]
    breaks = sorted(x for x in breaks if -12 <= x <= 12)
    half = sum(
        integrate.quad(lambda x: min(p.pdf(x), q.pdf(x)), left, right, epsabs=1e-13)[0]
        for left, right in itertools.pairwise(breaks)
    )
    np.testing.assert_allclose(bayes_error(p, q, 1), 0.5 * half, rtol=0, atol=2e-12)


@pytest.mark.parametrize(("shift", "width"), [pair for pair in PAIRS if pair[1] != 1])
def test_many_observations_against_chi_squares(shift, width):
    n = np.array([1, 2, 3, 10, 50, 100])
    ours = bayes_error(ig.Normal(3.0, 0.5), ig.Normal(3.0 - 0.5 * shift, 0.5 * width), n)
    theirs = [noncentral_chi_squares(shift, width, int(one)) for one in n]
    np.testing.assert_allclose(ours, theirs, rtol=1e-11)


def test_equal_widths_and_nearly_equal_widths():
    n = np.array([[1, 20], [100, 200]])
    error = bayes_error(ig.Normal(0, 2), ig.Normal(2, 2), n)
    np.testing.assert_allclose(error, stats.norm.cdf(-np.sqrt(n) / 2), rtol=1e-13)
    near = bayes_error(ig.Normal(0, 2), ig.Normal(2, 2 * (1 + 1e-9)), n)
    np.testing.assert_allclose(near, error, rtol=1e-7)


@pytest.mark.parametrize(("shift", "width"), [*PAIRS, (10.0, 1.5)])
def test_p_and_q_may_change_places(shift, width):
    p, q = ig.Normal(0.3, 1.2), ig.Normal(0.3 + shift, 1.2 * width)
    n = np.array([1, 2, 7, 30])
    np.testing.assert_allclose(bayes_error(p, q, n), bayes_error(q, p, n), rtol=1e-11)
    assert log_ratio_variance(p, q) == pytest.approx(log_ratio_variance(q, p), rel=1e-9)


@pytest.mark.parametrize(("shift", "width"), PAIRS)
def test_the_slope_is_minus_the_chernoff_information_and_the_factor_falls_like_a_root(shift, width):
    p, q = ig.Normal(0.0, 1.0), ig.Normal(shift, width)
    information = ig.chernoff_information(p, q)
    n = np.round(np.array([20, 40, 80]) / information)
    first, second = bayes_error(p, q, n), bayes_error(p, q, n + 1)
    slope = np.log(second / first)
    # −C − 1/(2n), and what is left falls like 1/n²
    np.testing.assert_allclose(slope, -information - 0.5 / n, atol=float(np.max(0.1 / n)), rtol=0.02)
    root = np.sqrt(n) * first * np.exp(n * information)
    assert np.all(np.abs(np.diff(root)) < 0.05 * root[0])
    # the leading term, c·exp(−nC)/√n with c = 1/(2·t·(1 − t)·σ·√(2π)) (Bahadur and Rao 1960)
    _, t = ig.chernoff_information(p, q, return_weight=True)
    limit = np.exp(-n * information) / (2 * t * (1 - t) * np.sqrt(2 * np.pi * n * log_ratio_variance(p, q)))
    gap = limit / first - 1
    assert np.all(np.abs(gap) < 0.06)
    np.testing.assert_allclose(gap[:-1] / gap[1:], 2, rtol=0.2)


def test_the_variance_of_the_log_ratio_is_taken_at_the_chernoff_point():
    p, q = ig.Normal(0.2, 0.8), ig.Normal(1.1, 1.3)
    _, t = ig.chernoff_information(p, q, return_weight=True)
    middle = ig.Normal.from_natural((1 - t) * p.natural + t * q.natural)
    x = np.linspace(middle.mean - 12 * middle.std, middle.mean + 12 * middle.std, 20_001)
    ratio, weight = q.log_prob(x) - p.log_prob(x), middle.pdf(x)
    mean = np.trapezoid(ratio * weight, x)
    variance = np.trapezoid((ratio - mean) ** 2 * weight, x)
    assert abs(mean) < 1e-10
    assert log_ratio_variance(p, q) == pytest.approx(variance, rel=1e-10)


def test_the_same_distribution_twice():
    p = ig.Normal(0.5, 2.0)
    np.testing.assert_array_equal(bayes_error(p, p, [1, 10, 1000]), 0.5)
    assert log_ratio_variance(p, p) == 0


@pytest.mark.parametrize("n", [0, -1, 1.5, np.inf, np.nan, [1, 0], "three"])
def test_n_is_a_whole_number_from_one(n):
    with pytest.raises(ValueError, match=r"bayes_error: n must be"):
        bayes_error(ig.Normal(0, 1), ig.Normal(1, 1), n)


def test_only_two_single_normals():
    with pytest.raises(TypeError, match="q must be a Normal"):
        bayes_error(ig.Normal(0, 1), ig.Bernoulli(0.5), 3)
    with pytest.raises(ValueError, match=r"p must be one distribution, got a grid of shape \(2,\)"):
        bayes_error(ig.Normal([0, 1], 1), ig.Normal(1, 1), 3)
