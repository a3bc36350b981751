"""Anderson acceleration against an affine map, and against the walk without it."""

from __future__ import annotations

import numpy as np
import pytest

import igviz as ig
from igviz.inference.acceleration import Memory, Natural
from igviz.inference.natural_steps import natural_step
from igviz.inference.place import place
from tests.inference.data_sets import DATA_SETS
from tests.inference.gaussian_cases import full_covariance, linear, logistic


def full_place(model, mean, cov):
    root = np.linalg.cholesky(cov)
    return place(model, mean, np.linalg.inv(cov), root)


def test_the_seen_length_is_the_fisher_length_of_the_precision_s_diagonal():
    """Σ seen² = δᵀ·I(η)·δ, δ in minimal natural coordinates, at the mean and the precision's diagonal."""
    rng = np.random.default_rng(1)
    mean, cov = rng.normal(size=3), full_covariance(3, 2, 0.7)
    here = full_place(linear(), mean, cov)
    change = rng.normal(size=(3, 3))
    vector = Natural(rng.normal(size=3), change + change.T)
    lower = np.tril_indices(3)
    minimal = np.concatenate([vector.linear, -(vector.precision * (1.0 - 0.5 * np.eye(3)))[lower]])
    independent = np.diag(1.0 / np.diagonal(np.linalg.inv(cov)))
    information = ig.MultivariateNormal(mean, independent).fisher("natural")
    np.testing.assert_allclose(
        np.sum(vector.seen_from(here) ** 2), minimal @ information @ minimal, rtol=1e-11
    )


def test_the_squared_length_is_that_of_the_natural_gradient():
    q = ig.MultivariateNormal([-0.3, -0.6, 0.8], full_covariance(3, 5, 1.6))
    model = logistic()
    here = full_place(model, q.mean, q.cov)
    found = ig.elbo_gradient(model, q)
    by_expectation = found.mean - 2.0 * found.cov @ q.mean
    matrix = (found.cov * (2.0 - np.eye(3)))[np.tril_indices(3)]
    natural_gradient = np.concatenate([by_expectation, matrix])
    expected = natural_gradient @ q.fisher("natural") @ natural_gradient
    np.testing.assert_allclose(here.squared_length(), expected, rtol=1e-11)


def test_two_shorter_steps_on_a_linear_model_point_to_the_posterior():
    """There the natural gradient is affine, and all of it points to one place."""
    model = linear()
    here = full_place(model, np.array([0.5, 0.9, 0.1]), full_covariance(3, 4, 0.9))
    memory = Memory(4)
    assert memory.suggest(here) is None
    memory.add(here)
    assert memory.suggest(here) is None
    there = natural_step(model, here, 0.3, retract=False)
    memory.add(there)
    np.testing.assert_allclose(memory.slowness, 1.0, rtol=1e-10)
    mean, precision, root = memory.suggest(there)
    np.testing.assert_allclose(mean, model.posterior.mean, atol=1e-10)
    np.testing.assert_allclose(np.linalg.inv(precision), model.posterior.cov, atol=1e-10)
    np.testing.assert_allclose(root @ root.T, model.posterior.cov, atol=1e-10)
    memory.forget()
    assert memory.suggest(there) is None
    assert memory.slowness == 0.0


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_the_same_end_in_fewer_steps(covariance):
    model = ig.LogisticRegression(*DATA_SETS["breast cancer"]())
    plain = ig.natural_gradient_vi(model, covariance=covariance, memory=0, max_iter=2_000)
    fast = ig.natural_gradient_vi(model, covariance=covariance)
    assert plain.converged
    assert fast.converged
    assert abs(plain.elbo - fast.elbo) < 2e-9
    assert 2 * len(fast.history.elbo) < len(plain.history.elbo)
