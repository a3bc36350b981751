"""Mean field for Gaussian targets against the projection found numerically, and against moment matching."""

from __future__ import annotations

import numpy as np
import pytest

import igviz as ig
from tests.inference.gaussian_cases import full_covariance, linear

TARGETS = [
    ig.MultivariateNormal([0.4, -1.3], [[1.0, 0.8], [0.8, 1.0]]),
    ig.MultivariateNormal([2.1, 0.7], [[2.3, -0.9], [-0.9, 0.6]]),
    ig.MultivariateNormal([0.1, -0.5, 1.7], full_covariance(3, 31, 1.3)),
    ig.MultivariateNormal([0.3, -0.2, 0.9, 4.0], full_covariance(4, 32, 2.0)),
]
for_targets = pytest.mark.parametrize("target", TARGETS, ids=lambda p: f"{p.mean.size} entries")


def diagonal_normals(d):
    """The normals on vectors of d numbers with diagonal covariance: an e-flat family."""
    rows, columns = np.tril_indices(d)
    kept = np.concatenate([np.ones(d, dtype=bool), rows == columns])
    point = ig.MultivariateNormal(np.zeros(d), np.eye(d))
    return ig.FlatSubmanifold(point, np.eye(kept.size)[kept], "natural")


@for_targets
def test_it_is_the_e_projection_onto_diagonal_normals(target):
    q = ig.mean_field(target)
    projected = ig.e_projection(target, diagonal_normals(target.mean.size))
    np.testing.assert_allclose(q.mean, projected.mean, rtol=1e-9)
    np.testing.assert_allclose(q.cov, projected.cov, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.diagonal(q.cov), 1.0 / np.diagonal(np.linalg.inv(target.cov)), rtol=1e-12)
    np.testing.assert_array_equal(q.cov, np.diag(np.diagonal(q.cov)))


@for_targets
def test_no_independent_normal_nearby_is_better(target):
    q, rng = ig.mean_field(target), np.random.default_rng(33)
    std = np.sqrt(np.diagonal(q.cov))
    for size in (1e-3, 0.3):
        shift, stretch = size * rng.normal(size=(2, 200, std.size))
        variances = (std * np.exp(stretch)) ** 2
        other = ig.MultivariateNormal(q.mean + std * shift, variances[..., None] * np.eye(std.size))
        assert np.all(other.kl(target) > q.kl(target))


@pytest.mark.parametrize("rho", [-0.95, -0.3, 0.0, 0.6, 0.99])
def test_two_entries_of_unit_variance(rho):
    """q has the variances 1 − ρ² and p the marginals' 1; either way −½·log(1 − ρ²) nats are left.

    KL(q‖p) = ½·(tr(Λ·D) − 2 + log det Σ − log det D), Λᵢᵢ = 1/(1 − ρ²) and det Σ = 1 − ρ². D = (1 − ρ²)·Id
    makes the trace 2 and log det D twice log(1 − ρ²).
    """
    p = ig.MultivariateNormal([0.7, -0.2], [[1.0, rho], [rho, 1.0]])
    q, marginals = ig.mean_field(p), ig.m_projection(p, diagonal_normals(2))
    left = -0.5 * np.log1p(-(rho**2))
    np.testing.assert_allclose(q.cov, (1.0 - rho**2) * np.eye(2), rtol=1e-13)
    np.testing.assert_allclose(marginals.cov, np.eye(2), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(q.kl(p), left, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(p.kl(marginals), left, rtol=1e-8, atol=1e-15)


@for_targets
def test_what_is_left(target):
    """½·(Σ log Λᵢᵢ + log det Σ) for mean field, ½·(Σ log Σᵢᵢ − log det Σ) for moment matching."""
    log_det = np.linalg.slogdet(target.cov)[1]
    precisions = np.diagonal(np.linalg.inv(target.cov))
    left = 0.5 * (np.sum(np.log(precisions)) + log_det)
    np.testing.assert_allclose(ig.mean_field(target).kl(target), left, rtol=1e-11)
    marginals = ig.MultivariateNormal(target.mean, np.diag(np.diagonal(target.cov)))
    other = 0.5 * (np.sum(np.log(np.diagonal(target.cov))) - log_det)
    np.testing.assert_allclose(target.kl(marginals), other, rtol=1e-11)
    assert np.isclose(left, other) == (target.mean.size == 2)


@for_targets
def test_its_variances_are_too_small(target):
    """Those of each entry given all others, below those of the entry alone."""
    assert np.all(np.diagonal(ig.mean_field(target).cov) < np.diagonal(target.cov))
    marginals = ig.m_projection(target, diagonal_normals(target.mean.size))
    np.testing.assert_allclose(np.diagonal(marginals.cov), np.diagonal(target.cov), rtol=1e-9)


def test_the_gradient_of_the_elbo_vanishes_within_the_family_only():
    model = linear()
    q = ig.mean_field(model.posterior)
    found = ig.elbo_gradient(model, q)
    np.testing.assert_allclose(found.mean, 0.0, atol=1e-11)
    np.testing.assert_allclose(np.diagonal(found.cov), 0.0, atol=1e-11)
    assert np.min(np.abs(found.cov[np.tril_indices(3, -1)])) > 0.1


def test_an_independent_target_is_its_own():
    p = ig.MultivariateNormal([0.7, -0.2, 3.0], np.diag([0.3, 2.0, 1.7]))
    q = ig.mean_field(p)
    np.testing.assert_allclose(q.cov, p.cov, rtol=1e-15)
    assert q.kl(p) < 1e-15


def test_a_grid_is_taken_at_once():
    rng = np.random.default_rng(34)
    covs = np.stack([[full_covariance(3, 10 * i + j, 1.0 + i) for j in range(4)] for i in range(2)])
    grid = ig.MultivariateNormal(rng.normal(size=(2, 4, 3)), covs)
    q = ig.mean_field(grid)
    assert q.shape == (2, 4)
    for index in np.ndindex(2, 4):
        one = ig.mean_field(grid[index])
        np.testing.assert_allclose(q[index].cov, one.cov, rtol=1e-14)
        np.testing.assert_array_equal(q[index].mean, grid[index].mean)


def test_another_family_is_refused():
    with pytest.raises(TypeError, match=r"^mean_field: target must be a MultivariateNormal, got Normal$"):
        ig.mean_field(ig.Normal(0.2, 1.1))
