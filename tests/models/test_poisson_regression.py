"""Poisson regression: row by row against SciPy, its closed forms against Monte Carlo and many digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.stats

import igviz as ig
from igviz.geometry import differences


def made(n, d, seed, prior_precision=0.9):
    rng = np.random.default_rng(seed)
    X = 0.5 * rng.normal(size=(n, d))
    return ig.PoissonRegression(X, rng.poisson(np.exp(X @ rng.normal(size=d) + 0.5)), prior_precision)


CASES = {"generic": made(15, 3, 81), "one coefficient": made(6, 1, 82, 2.0), "wide": made(3, 5, 83)}
for_cases = pytest.mark.parametrize("model", CASES.values(), ids=CASES)


@for_cases
def test_the_log_joint_row_by_row(model):
    rng = np.random.default_rng(84)
    for theta in rng.normal(size=(3, model.dimension)):
        rows = scipy.stats.poisson.logpmf(model.y, np.exp(model.X @ theta))
        prior = scipy.stats.norm.logpdf(theta, 0.0, 1 / np.sqrt(model.prior_precision))
        np.testing.assert_allclose(model.log_joint(theta), np.sum(rows) + np.sum(prior), rtol=1e-12)


@for_cases
def test_gradient_and_hessian(model):
    theta = np.random.default_rng(85).normal(size=(4, model.dimension))
    scale = np.ones_like(theta)
    slope = differences.gradient(model.log_joint, theta, scale)
    np.testing.assert_allclose(model.log_joint_gradient(theta), slope, rtol=1e-8, atol=1e-9)
    curvature = differences.gradient(model.log_joint_gradient, theta, scale)
    np.testing.assert_allclose(model.log_joint_hessian(theta), curvature, rtol=1e-8, atol=1e-9)


@for_cases
@pytest.mark.parametrize("diagonal", [False, True])
def test_against_monte_carlo(model, diagonal):
    rng, d = np.random.default_rng(86), model.dimension
    root = rng.normal(size=(d, d))
    cov = np.diag(rng.uniform(0.1, 0.6, d)) if diagonal else 0.3 * (root @ root.T / d + 0.2 * np.eye(d))
    q = ig.MultivariateNormal(0.5 * rng.normal(size=d), cov)
    draws = q.sample(40_000, rng)
    weights = model.log_joint(draws) - q.log_prob(draws)
    assert abs(np.mean(weights) - ig.elbo(model, q)) < 5 * np.std(weights) / np.sqrt(40_000)


@pytest.mark.parametrize(("mean", "std"), [(0.3, 1.2), (-4.0, 2.5), (1.5, 1e-6), (-9.0, 4.0)])
def test_against_thirty_digits(mean, std):
    model = ig.PoissonRegression([[1.0], [-0.4]], [3, 0], 0.7)
    with mpmath.workdps(34):
        m, s = mpmath.mpf(mean), mpmath.mpf(std)

        def integrand(z):
            t = m + s * z
            rows = 3 * t - mpmath.exp(t) - mpmath.log(6) - mpmath.exp(-0.4 * t)
            prior = (mpmath.log(0.7) - mpmath.log(2 * mpmath.pi) - 0.7 * t**2) / 2
            log_q = -(z**2) / 2 - mpmath.log(s) - mpmath.log(2 * mpmath.pi) / 2
            return mpmath.exp(-z * z / 2) * (rows + prior - log_q)

        # e^t moves the bulk of its share by std
        exact = mpmath.quad(integrand, [-18, -9, -3, 3, 9, 18]) / mpmath.sqrt(2 * mpmath.pi)
    assert ig.elbo(model, ig.Normal(mean, std)) == pytest.approx(float(exact), rel=1e-13)


def test_what_overflows_is_reported():
    model = ig.PoissonRegression([[1.0], [0.5]], [1, 2])
    assert np.isfinite(ig.elbo(model, ig.Normal(600.0, 10.0)))
    with pytest.raises(OverflowError, match="under q must be a finite number, got -inf"):
        ig.elbo(model, ig.Normal(800.0, 1.0))
    grid = ig.Normal([[0.0, 1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0, 40.0]])
    with pytest.raises(OverflowError, match=r"under q at index \(1, 1\) must be a finite number, got -inf"):
        ig.elbo(model, grid)
    assert model.log_joint([800.0]) == -np.inf
    assert model.expected_derivatives(np.array([800.0]), np.array([1.0])).value == -np.inf


@pytest.mark.parametrize(("y", "shown"), [([0, -1], "-1 in row 1"), ([2.5, 1], "2.5 in row 0")])
def test_counts(y, shown):
    with pytest.raises(ValueError, match=rf"PoissonRegression: y must be counts 0, 1, 2, …, got {shown}"):
        ig.PoissonRegression([[1.0], [2.0]], y)
    assert np.isfinite(ig.PoissonRegression([[1.0], [2.0]], [True, False]).log_joint([0.3]))
