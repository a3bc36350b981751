"""The importance-weighted bound against the ELBO, quadrature, its regrouped weights and the evidence."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import scipy.stats
from scipy.special import logsumexp

import igviz as ig
from igviz.inference import importance_weighted
from tests.inference.gaussian_cases import CASES, data, linear, poisson, skewed

EXAMPLE = ig.models.skewed_posterior
Q = ig.Normal(-0.6, 0.9)
for_cases = pytest.mark.parametrize(("model", "q"), CASES.values(), ids=CASES)


def bound(model, q, samples, replicates, seed=14):
    return ig.importance_weighted_bound(model, q, samples, replicates, np.random.default_rng(seed))


def standard_errors_above(values, expected):
    return (values.mean() - expected) / (values.std() / np.sqrt(len(values)))


@for_cases
def test_with_one_draw_the_mean_is_the_elbo(model, q):
    values = bound(model, q, 1, 40_000)
    assert values.shape == (40_000,)
    assert abs(standard_errors_above(values, ig.elbo(model, q))) < 5.0


@for_cases
def test_each_estimate_is_the_log_of_the_mean_weight(model, q):
    """The naive twin: densities by SciPy, one estimate after the other."""
    mean = np.atleast_1d(q.mean)
    cov = np.atleast_2d(q.std**2) if isinstance(q, ig.Normal) else q.cov
    noise = np.random.default_rng(14).standard_normal((5, 9, model.dimension))
    z = mean + noise @ np.linalg.cholesky(cov).T
    weights = model.log_joint(z) - scipy.stats.multivariate_normal(mean, cov).logpdf(z).reshape(5, 9)
    naive = [np.log(np.mean(np.exp(row - row.max()))) + row.max() for row in weights]
    np.testing.assert_allclose(bound(model, q, 9, 5), naive, rtol=1e-11)


def test_two_draws_by_quadrature():
    """E[log ½(w₁ + w₂)] as a double integral."""
    epsilon = np.linspace(-9.0, 9.0, 721)
    mass = np.exp(-0.5 * epsilon**2)
    mass /= mass.sum()
    z = float(Q.mean) + float(Q.std) * epsilon
    weight = EXAMPLE.log_joint(z) - Q.log_prob(z)
    expected = mass @ (np.logaddexp(weight[:, None], weight) - np.log(2.0)) @ mass
    values = bound(skewed(), Q, 2, 100_000)
    assert abs(standard_errors_above(values, expected)) < 5.0
    assert abs(standard_errors_above(values, ig.elbo(skewed(), Q))) > 20.0


# -- it grows with the number of draws, and stays below the log evidence -------------------------------------


@pytest.mark.parametrize("samples", [3, 64, 6_000])
def test_more_draws_are_the_same_weights_regrouped(samples):
    """Also where one estimate takes more than a block."""
    single = bound(skewed(), Q, 1, 2 * samples)
    grouped = logsumexp(single.reshape(2, samples), axis=1) - np.log(samples)
    np.testing.assert_allclose(bound(skewed(), Q, samples, 2), grouped, rtol=1e-12)


@for_cases
def test_it_never_falls_with_the_number_of_draws(model, q):
    """The proof of theorem 1, run: an estimate from 2K draws is the log of the mean of two from K.

    It is at least the mean of the two, by Jensen, whatever was drawn; so are the expectations.
    """
    values = bound(model, q, 1, 2_048)
    for power in range(1, 12):
        pairs = values.reshape(-1, 2)
        values = bound(model, q, 2**power, 2_048 // 2**power)
        assert np.all(values >= pairs.mean(axis=1) - 1e-12 * np.abs(values))
        assert np.all(values <= pairs.max(axis=1) + 1e-12 * np.abs(values))


def test_leaving_one_draw_out_never_raises_the_mean():
    """From K to K − 1 and not only by doubling: the means of all subsets average to the mean of all."""
    weights = bound(skewed(), Q, 1, 6_000).reshape(1_000, 6)
    kept = np.stack([np.delete(weights, k, axis=1) for k in range(6)], axis=1)
    fewer = np.mean(logsumexp(kept, axis=-1) - np.log(5), axis=1)
    assert np.all(logsumexp(weights, axis=-1) - np.log(6) >= fewer - 1e-12)


def test_below_the_log_evidence_in_expectation_and_not_each_time():
    evidence, q = EXAMPLE.log_evidence(), ig.Normal(-0.2, 0.5)
    for samples, replicates in ((1, 4_000), (2, 4_000), (8, 4_000)):
        values = bound(skewed(), q, samples, replicates)
        assert standard_errors_above(values, evidence) < -5.0
        assert np.max(values) > evidence + 0.1
    assert np.mean(bound(skewed(), q, 64, 2_000)) < evidence


def test_many_draws_reach_the_log_evidence():
    values = bound(skewed(), Q, 20_000, 20)
    np.testing.assert_allclose(values, EXAMPLE.log_evidence(), atol=0.02)
    assert ig.elbo(skewed(), Q) < EXAMPLE.log_evidence() - 0.02


@pytest.mark.parametrize("samples", [1, 5])
def test_the_mean_weight_is_the_evidence(samples):
    """q is wider than the posterior, so that the weights have a variance."""
    q = ig.Normal(-0.2, 1.4)
    ratio = np.exp(bound(skewed(), q, samples, 20_000) - EXAMPLE.log_evidence())
    assert abs(standard_errors_above(ratio, 1.0)) < 5.0


@pytest.mark.parametrize("samples", [1, 2, 300, 5_000])
def test_at_the_exact_posterior_every_estimate_is_the_log_evidence(samples):
    for model in (linear(), linear(1)):
        values = bound(model, model.posterior, samples, 4)
        np.testing.assert_allclose(values, model.log_evidence(), rtol=1e-12)


def test_a_normal_is_a_vector_of_one_number():
    values = bound(skewed(), ig.MultivariateNormal([-0.6], [[0.81]]), 7, 5)
    np.testing.assert_allclose(bound(skewed(), Q, 7, 5), values, rtol=1e-13)


# -- the machinery -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("samples", "replicates"), [(5, 9), (40, 3), (1, 30)])
def test_blocks_change_nothing(samples, replicates, monkeypatch):
    model, q = CASES["logistic"]
    whole = bound(model, q, samples, replicates)
    monkeypatch.setattr(importance_weighted, "BLOCK", 7)
    np.testing.assert_allclose(bound(model, q, samples, replicates), whole, rtol=1e-12)


@pytest.mark.parametrize(("samples", "replicates"), [(100_000, 2), (10, 20_000)])
def test_memory_is_bounded(samples, replicates):
    """With all draws at once each array of draws and rows would hold 96 MB, in blocks it holds 2."""
    X, theta, rng = data(60, 3, 15)
    model = ig.LinearRegression(X, X @ theta + rng.normal(size=60))
    tracemalloc.start()
    bound(model, model.posterior, samples, replicates)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25e6


def test_a_weight_of_zero_is_no_warning():
    far = ig.MultivariateNormal([3e4, -2e4], np.eye(2))
    np.testing.assert_array_equal(bound(poisson(), far, 5, 3), -np.inf)
    np.testing.assert_array_equal(bound(poisson(), far, 5_000, 1), -np.inf)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"samples": 0}, ValueError, "samples must be at least 1, got 0"),
        ({"samples": 1.5}, TypeError, "samples must be an integer, got 1.5"),
        ({"replicates": -2}, ValueError, "replicates must be at least 1, got -2"),
        ({"replicates": None}, TypeError, "replicates must be an integer, got None"),
        ({"rng": np.random}, TypeError, "rng must be a numpy.random.Generator, .*got <module"),
        ({"q": ig.Normal(0.1, [0.5, 0.6])}, ValueError, r"q must be one distribution, got a grid .*\(2,\)"),
        (
            {"q": ig.MultivariateNormal([0.1, 0.2], np.eye(2))},
            ValueError,
            "q must be on vectors of 1 numbers",
        ),
        ({"q": ig.Gamma(2.0, 1.0)}, TypeError, "q must be a Normal or a MultivariateNormal, got Gamma"),
    ],
)
def test_bad_input_is_named(change, error, message):
    good = {"model": skewed(), "q": Q, "samples": 2, "replicates": 3, "rng": np.random.default_rng(0)}
    with pytest.raises(error, match=f"^importance_weighted_bound: {message}"):
        ig.importance_weighted_bound(**(good | change))
