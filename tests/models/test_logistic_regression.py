"""Logistic regression: the log joint row by row, its means against many digits and Monte Carlo, bad data."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.stats

import igviz as ig
from igviz.geometry import differences
from tests.models.softplus_twin import by_mpmath, by_panels


def made(n, d, seed, trials=False, prior_precision=0.8):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    probability = 1 / (1 + np.exp(-X @ rng.normal(size=d) - 0.3))
    tried = rng.integers(1, 40, size=n) if trials else None
    y = rng.binomial(1 if tried is None else tried, probability)
    return ig.LogisticRegression(X, y, prior_precision, trials=tried)


CASES = {
    "labels": made(25, 3, 61),
    "counts": made(11, 2, 62, trials=True),
    "fewer rows than columns": made(4, 7, 63),
    "one coefficient": made(9, 1, 64, prior_precision=2.2),
}
for_cases = pytest.mark.parametrize("model", CASES.values(), ids=CASES)


@for_cases
def test_the_log_joint_row_by_row(model):
    rng = np.random.default_rng(65)
    for theta in 2 * rng.normal(size=(3, model.dimension)):
        odds = model.X @ theta
        rows = [
            scipy.stats.binom.logpmf(y, n, 1 / (1 + np.exp(-f)))
            for y, n, f in zip(model.y, model.trials, odds, strict=True)
        ]
        prior = scipy.stats.norm.logpdf(theta, 0.0, 1 / np.sqrt(model.prior_precision))
        np.testing.assert_allclose(model.log_joint(theta), np.sum(rows) + np.sum(prior), rtol=1e-12)


def test_the_log_joint_far_out():
    """Where probabilities round to 0 and 1 their logarithms do not."""
    model = ig.LogisticRegression([[1.0], [-2.0], [0.5]], [1, 0, 0], 1e-4)
    f = 800.0 * model.X[:, 0]
    exact = -np.log1p(np.exp(-f[0])) - np.log1p(np.exp(f[1])) - f[2]
    prior = scipy.stats.norm.logpdf(800.0, 0.0, 100.0)
    np.testing.assert_allclose(model.log_joint([800.0]), exact + prior, rtol=1e-15)


@for_cases
def test_gradient_and_hessian(model):
    theta = np.random.default_rng(66).normal(size=(4, model.dimension))
    scale = np.ones_like(theta)
    slope = differences.gradient(model.log_joint, theta, scale)
    np.testing.assert_allclose(model.log_joint_gradient(theta), slope, rtol=1e-9, atol=1e-9)
    curvature = differences.gradient(model.log_joint_gradient, theta, scale)
    np.testing.assert_allclose(model.log_joint_hessian(theta), curvature, rtol=1e-9, atol=1e-9)
    single = model.log_joint(theta[0]), model.log_joint_gradient(theta[0]), model.log_joint_hessian(theta[0])
    d = model.dimension
    assert [np.shape(part) for part in single] == [(), (d,), (d, d)]


# -- the ELBO ------------------------------------------------------------------------------------------------


def exact_elbo(model, q):
    """With 30 digits, row by row."""
    with mpmath.workdps(35):
        total = mpmath.mpf(0)
        root = np.linalg.cholesky(q.cov)
        for x, y in zip(model.X, model.y, strict=True):
            mean = sum(mpmath.mpf(float(a)) * mpmath.mpf(float(b)) for a, b in zip(x, q.mean, strict=True))
            columns = [
                sum(mpmath.mpf(float(a)) * mpmath.mpf(float(r)) for a, r in zip(x, c, strict=True))
                for c in root.T
            ]
            std = mpmath.sqrt(sum(c * c for c in columns))
            (softplus,) = by_mpmath(-mean if y else mean, std, 1)
            total -= softplus
        alpha, d = mpmath.mpf(model.prior_precision), model.dimension
        squares = sum(mpmath.mpf(float(m)) ** 2 for m in q.mean) + sum(
            mpmath.mpf(float(r)) ** 2 for r in root.ravel()
        )
        total += mpmath.mpf(d) / 2 * mpmath.log(alpha / (2 * mpmath.pi)) - alpha / 2 * squares
        log_det = sum(mpmath.log(mpmath.mpf(float(r))) for r in np.diag(root))
        return float(total + log_det + mpmath.mpf(d) / 2 * (1 + mpmath.log(2 * mpmath.pi)))


@pytest.mark.parametrize(
    ("mean", "std"),
    [(-0.7, 1e-8), (800.0, 0.3), (-800.0, 2.0), (0.4, 50.0), (3.0, 1e3), (-20.0, 1e6), (1.9, 0.7)],
)
def test_extreme_rows_against_thirty_digits(mean, std):
    model = ig.LogisticRegression([[1.0], [-0.6], [0.01], [1.3]], [1, 1, 0, 0], 0.7)
    q = ig.Normal(mean, std)
    exact = exact_elbo(model, ig.MultivariateNormal([mean], [[std**2]]))
    assert ig.elbo(model, q) == pytest.approx(exact, rel=1e-14, abs=1e-12)


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("size", [0.05, 1.0, 50.0, 1e3])
def test_vectors_against_thirty_digits(size, diagonal):
    rng = np.random.default_rng(67)
    X = rng.normal(size=(5, 3))
    model = ig.LogisticRegression(X, [1, 0, 1, 1, 0], 0.3)
    root = rng.normal(size=(3, 3))
    cov = np.diag([1.3, 0.4, 2.0]) if diagonal else root @ root.T + 0.2 * np.eye(3)
    q = ig.MultivariateNormal([0.5, -1.1, 2.0], size**2 * cov)
    assert ig.elbo(model, q) == pytest.approx(exact_elbo(model, q), rel=1e-14, abs=1e-12)


def test_thousands_of_rows():
    """Projected standard deviations of 0.01 to 50, and labels at odds with q."""
    rng = np.random.default_rng(68)
    X = rng.normal(size=(4_000, 4)) * np.exp(rng.normal(size=(4_000, 1)))
    y = rng.random(4_000) < 1 / (1 + np.exp(-X @ [1.0, -2.0, 0.5, 0.3]))
    model = ig.LogisticRegression(X, y, 0.5)
    for scale in (0.01, 1.0, 8.0):
        root = scale * np.tril(rng.normal(size=(4, 4)) + 2 * np.eye(4))
        q = ig.MultivariateNormal(rng.normal(size=4), root @ root.T)
        std = np.linalg.norm(X @ q.cholesky_factor, axis=1)
        rows = -by_panels(np.where(y, -1.0, 1.0) * (X @ q.mean), std)[0]
        prior = 2 * np.log(0.5 / (2 * np.pi)) - 0.25 * (q.mean @ q.mean + np.trace(q.cov))
        assert ig.elbo(model, q) == pytest.approx(np.sum(rows) + prior + q.entropy(), rel=1e-13)


@for_cases
@pytest.mark.parametrize("diagonal", [False, True])
def test_against_monte_carlo(model, diagonal):
    rng, d = np.random.default_rng(69), model.dimension
    root = rng.normal(size=(d, d))
    cov = np.diag(rng.uniform(0.1, 1.5, d)) if diagonal else 0.5 * (root @ root.T / d + 0.2 * np.eye(d))
    q = ig.MultivariateNormal(rng.normal(size=d), cov)
    draws = q.sample(20_000, rng)
    weights = model.log_joint(draws) - q.log_prob(draws)
    assert abs(np.mean(weights) - ig.elbo(model, q)) < 5 * np.std(weights) / np.sqrt(20_000)


# -- trials --------------------------------------------------------------------------------------------------


def test_trials_are_repeated_rows():
    """Up to the number of orders in which the successes may come."""
    model = CASES["counts"]
    X = np.repeat(model.X, model.trials.astype(int), axis=0)
    y = np.concatenate([np.arange(n) < k for n, k in zip(model.trials, model.y, strict=True)])
    repeated = ig.LogisticRegression(X, y, model.prior_precision)
    binomial = scipy.stats.binom(model.trials, 0.5)
    orders = np.sum(binomial.logpmf(model.y) + model.trials * np.log(2))
    assert orders > 10
    q = ig.MultivariateNormal([[0.3, -0.8], [1.0, 2.0]], [[0.9, 0.2], [0.2, 0.4]])
    np.testing.assert_allclose(ig.elbo(model, q), ig.elbo(repeated, q) + orders, rtol=1e-12)
    theta = [0.4, -1.2]
    np.testing.assert_allclose(model.log_joint(theta), repeated.log_joint(theta) + orders, rtol=1e-12)
    for name in ("log_joint_gradient", "log_joint_hessian"):
        np.testing.assert_allclose(getattr(model, name)(theta), getattr(repeated, name)(theta), rtol=1e-11)
    for one, other in zip(
        model.expected_derivatives(q.mean[0], q.cholesky_factor[0])[1:],
        repeated.expected_derivatives(q.mean[0], q.cholesky_factor[0])[1:],
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-11)


def test_one_number_of_trials_is_for_all_rows():
    one, all_rows = (ig.LogisticRegression([[1.0], [2.0]], [3, 1], trials=t) for t in (5, [5, 5]))
    assert one.log_joint([0.3]) == all_rows.log_joint([0.3])
    np.testing.assert_array_equal(one.trials, [5, 5])


# -- data ----------------------------------------------------------------------------------------------------

X2 = [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ig.LogisticRegression(X2, [0, 2]), "y must be 0 or 1, got 2 in row 1"),
        (lambda: ig.LogisticRegression(X2, [-1, 1]), "y must be 0 or 1, got -1 in row 0"),
        (lambda: ig.LogisticRegression(X2, [0.5, 1]), "y must be 0 or 1, got 0.5 in row 0"),
        (lambda: ig.LogisticRegression(X2, [1, 1]), "y must hold both classes, got 1 in every row"),
        (lambda: ig.LogisticRegression(X2, [False, False]), "y must hold both classes, got 0 in every row"),
        (
            lambda: ig.LogisticRegression(X2, [0, 4], trials=3),
            "y must be whole numbers from 0 to trials, got 4 in row 1",
        ),
        (
            lambda: ig.LogisticRegression(X2, [0.5, 1], trials=[3, 4]),
            "y must be whole numbers from 0 to trials, got 0.5 in row 0",
        ),
        (
            lambda: ig.LogisticRegression(X2, [3, 4], trials=[3, 4]),
            "y must hold both outcomes, got only one in all trials",
        ),
        (
            lambda: ig.LogisticRegression(X2, [0, 1], trials=[3, 0]),
            "trials must be whole numbers of at least 1, got 0 in row 1",
        ),
        (
            lambda: ig.LogisticRegression(X2, [0, 1], trials=2.5),
            "trials must be whole numbers of at least 1, got 2.5 in row 0",
        ),
        (
            lambda: ig.LogisticRegression(X2, [0, 1], trials=[np.nan, 2]),
            "trials must be whole numbers of at least 1, got nan in row 0",
        ),
        (
            lambda: ig.LogisticRegression(X2, [0, 1], trials=[1, 2, 3]),
            r"trials must be one number or have shape \(2,\), got shape \(3,\)",
        ),
        (
            lambda: ig.LogisticRegression(X2, [0, 1], trials="3"),
            "trials must be a number or an array of numb",
        ),
        (
            lambda: ig.LogisticRegression(X2, [0, 1], 0.0),
            "prior_precision must be one positive finite number",
        ),
    ],
)
def test_bad_data(make, message):
    with pytest.raises(ValueError, match=f"^LogisticRegression: {message}"):
        make()


def test_labels_may_be_booleans_or_whole_numbers():
    models = [ig.LogisticRegression(X2, y) for y in ([True, False], [1, 0], np.array([1.0, 0.0]))]
    assert len({float(model.log_joint([0.7])) for model in models}) == 1


@pytest.mark.parametrize(
    "X",
    [np.ones((6, 2)), np.zeros((6, 3)), np.tile(np.arange(6.0)[:, None], 4), np.eye(6, 30)],
    ids=["constant", "zeros", "collinear", "wide"],
)
def test_degenerate_columns(X):
    model, d = ig.LogisticRegression(X, [0, 1, 1, 0, 1, 1]), X.shape[1]
    assert np.isfinite(ig.elbo(model, model.prior))
    hessian = model.expected_derivatives(np.zeros(d), np.eye(d)).hessian
    assert np.max(np.linalg.eigvalsh(hessian)) <= -1 + 1e-12, "the prior's precision is there at least"
