"""Linear regression: everything in it is known, so everything is compared with it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import igviz as ig
from igviz.geometry import differences


def made(n, d, seed, noise_precision=1.7, prior_precision=0.6, collinear=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * rng.uniform(0.3, 2.0, size=d)
    if collinear:  # one column twice, one constant, one of zeros
        X[:, 1], X[:, 2], X[:, 3] = X[:, 0], 1.0, 0.0
    y = X @ rng.normal(size=d) + rng.normal(size=n) / np.sqrt(noise_precision) + 0.4
    return ig.LinearRegression(X, y, noise_precision, prior_precision)


CASES = {
    "one coefficient": made(7, 1, 41),
    "generic": made(12, 3, 42),
    "fewer rows than columns": made(3, 6, 43, 2.3, 0.2),
    "collinear": made(10, 5, 44, collinear=True),
    "one row": made(1, 2, 45),
    "many rows": made(3_000, 5, 46, 0.8, 1.9),
    "weak prior": made(9, 2, 47, 30.0, 1e-6),
}
for_cases = pytest.mark.parametrize("model", CASES.values(), ids=CASES)


@for_cases
def test_the_log_joint_row_by_row(model):
    rng = np.random.default_rng(48)
    for theta in rng.normal(size=(3, model.dimension)):
        noise, prior = 1 / np.sqrt(model.noise_precision), 1 / np.sqrt(model.prior_precision)
        rows = [scipy.stats.norm.logpdf(y, x @ theta, noise) for x, y in zip(model.X, model.y, strict=True)]
        twin = sum(rows) + np.sum(scipy.stats.norm.logpdf(theta, 0.0, prior))
        np.testing.assert_allclose(model.log_joint(theta), twin, rtol=1e-12)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"many rows"}))
def test_the_evidence_is_the_density_of_the_data(name):
    model = CASES[name]
    cov = np.eye(len(model.y)) / model.noise_precision + model.X @ model.X.T / model.prior_precision
    twin = scipy.stats.multivariate_normal.logpdf(model.y, np.zeros(len(model.y)), cov)
    # the twin's covariance has a condition number of 1e9 there
    assert model.log_evidence() == pytest.approx(twin, rel=1e-7 if name == "weak prior" else 1e-12)


@for_cases
def test_the_evidence_is_a_product_of_predictions(model):
    """Each row is predicted from those before it, by the update of one row at a time."""
    mean, cov, total = np.zeros(model.dimension), np.eye(model.dimension) / model.prior_precision, 0.0
    for x, y in zip(model.X, model.y, strict=True):
        variance = x @ cov @ x + 1 / model.noise_precision
        total += scipy.stats.norm.logpdf(y, x @ mean, np.sqrt(variance))
        gain = cov @ x / variance
        mean, cov = mean + gain * (y - x @ mean), cov - np.outer(gain, x @ cov)
    assert model.log_evidence() == pytest.approx(total, rel=1e-8 if model is CASES["weak prior"] else 1e-11)
    np.testing.assert_allclose(model.posterior.mean, mean, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(model.posterior.cov, cov, rtol=1e-7, atol=1e-9)


@for_cases
def test_bayes_theorem(model):
    theta = np.random.default_rng(49).normal(size=(20, model.dimension)) + model.posterior.mean
    gap = model.log_joint(theta) - model.log_evidence()
    np.testing.assert_allclose(model.posterior.log_prob(theta), gap, rtol=1e-9, atol=1e-9)


@for_cases
def test_gradient_and_hessian(model):
    theta = np.random.default_rng(50).normal(size=(4, model.dimension))
    scale = np.ones_like(theta)
    slope = differences.gradient(model.log_joint, theta, scale)
    np.testing.assert_allclose(model.log_joint_gradient(theta), slope, rtol=1e-8, atol=1e-8)
    precision = model.prior_precision * np.eye(model.dimension) + model.noise_precision * model.X.T @ model.X
    hessian = np.broadcast_to(-precision, (4, *precision.shape))
    np.testing.assert_allclose(model.log_joint_hessian(theta), hessian, rtol=1e-12, atol=1e-12)
    assert model.log_joint_hessian(theta[0]).shape == precision.shape
    np.testing.assert_allclose(model.log_joint_gradient(model.posterior.mean), 0.0, atol=1e-9)


def test_columns_of_very_different_size_keep_their_digits():
    """X is never squared: the normal equations of this one would have no digit left."""
    rng = np.random.default_rng(51)
    X = np.stack([np.ones(30), 1.0 + 1e-7 * rng.normal(size=30)], axis=1)
    model = ig.LinearRegression(X, X @ [1.0, 2.0], 1e6, 1e-4)
    cov = np.eye(30) / 1e6 + X @ X.T / 1e-4
    sign, log_det = np.linalg.slogdet(cov)
    assert sign > 0
    twin = -0.5 * (model.y @ np.linalg.solve(cov, model.y) + log_det + 30 * np.log(2 * np.pi))
    assert model.log_evidence() == pytest.approx(twin, rel=1e-6)
    residual = model.log_joint_gradient(model.posterior.mean)
    assert np.max(np.abs(residual)) < 1e-3 * model.noise_precision * 1e-7


def test_what_cannot_be_represented_is_reported():
    with pytest.raises(
        OverflowError, match="log evidence must be a finite number, got -inf: X or y is too la"
    ):
        ig.LinearRegression([[1.0], [2.0]], [1e200, 0.0]).log_evidence()
    with pytest.raises(
        OverflowError, match=r"noise_precision·X and .* got noise_precision 1e\+300 with entries"
    ):
        ig.LinearRegression([[1e200]], [0.0], 1e300).log_evidence()
    twin_columns = ig.LinearRegression([[1e9, 1e9], [1e9, 1e9]], [1.0, 2.0])
    with pytest.raises(
        ValueError, match="LinearRegression: X must have columns of more equal size, or less col"
    ):
        twin_columns.posterior  # noqa: B018
    assert np.isfinite(twin_columns.log_evidence())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("noise_precision", value) for value in (0.0, -2.0, np.inf, [1, 2])),
        *(("prior_precision", value) for value in (0.0, np.nan, -1e-9)),
    ],
)
def test_precisions(name, value):
    with pytest.raises(
        ValueError, match=rf"LinearRegression: {name} must be one positive finite number, got "
    ):
        ig.LinearRegression([[1.0], [2.0]], [0.1, 0.2], **{name: value})
