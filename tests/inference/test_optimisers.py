"""Gradient ascent, Adam, L-BFGS and Laplace: charts, estimators, and what is said when a step leaves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

import igviz as ig
from igviz.geometry import differences
from igviz.inference.gradients import ESTIMATORS
from igviz.inference.optimisers_charts import CHARTS
from tests.inference.data_sets import digits
from tests.inference.gaussian_cases import CASES, full_covariance, linear, logistic, poisson, skewed

GEOMETRIES = tuple(CHARTS)
Q = ig.MultivariateNormal([-0.4, 0.5], full_covariance(2, 6, 0.5))


def gradient_at(model, q):
    return ig.elbo_gradient(model, q)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_charts_are_there_and_back(geometry):
    chart, root = CHARTS[geometry], Q.cholesky_factor
    mean, again = chart.gaussian(chart.coordinates(Q.mean, root))
    np.testing.assert_allclose(mean, Q.mean, rtol=1e-12)
    np.testing.assert_allclose(again, root, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("geometry", ["mean and covariance", "mean and Cholesky factor"])
def test_the_directions_are_gradients_by_the_coordinates(geometry):
    chart, model = CHARTS[geometry], poisson()

    def elbo(points):
        flat = points.reshape(-1, points.shape[-1])
        means, roots = zip(*(chart.gaussian(x) for x in flat), strict=True)
        covs = np.stack([root @ root.T for root in roots])
        return ig.elbo(model, ig.MultivariateNormal(np.stack(means), covs)).reshape(points.shape[:-1])

    x = chart.coordinates(Q.mean, Q.cholesky_factor)
    expected = differences.gradient(elbo, x, np.full_like(x, 0.05))
    found = chart.direction(Q.mean, Q.cholesky_factor, gradient_at(model, Q))
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.max(np.abs(expected)))


def test_the_natural_chart_is_the_familys_own():
    chart = CHARTS["natural"]
    np.testing.assert_allclose(chart.coordinates(Q.mean, Q.cholesky_factor), Q.natural, rtol=1e-12)
    assert chart.gaussian(-Q.natural) is None


@pytest.mark.parametrize("optimiser", [ig.gradient_ascent, ig.adam])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_every_geometry_leads_to_the_optimum(optimiser, geometry):
    model = skewed()
    fit = optimiser(model, step=0.1, geometry=geometry, max_iter=2_000)
    assert fit.converged, fit.message
    assert isinstance(fit.q, ig.Normal)
    assert abs(fit.elbo - ig.natural_gradient_vi(model).elbo) < 1e-9
    assert np.all(fit.history.step[1:] == 0.1)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_every_estimator_in_every_geometry_comes_near_the_optimum(estimator, geometry):
    """Within noise, and the same walk again from the same state of the generator."""
    model, best = skewed(), ig.natural_gradient_vi(skewed()).elbo
    options = {"step": 0.04, "geometry": geometry, "estimator": estimator, "samples": 60, "max_iter": 120}
    fits = [ig.gradient_ascent(model, rng=np.random.default_rng(2), **options) for _ in range(2)]
    assert not fits[0].converged
    assert fits[0].message == "max_iter = 120 steps were taken"
    assert 0.0 <= best - np.mean(fits[0].history.elbo[-30:]) < 0.05
    np.testing.assert_array_equal(*(fit.history.elbo for fit in fits))
    np.testing.assert_allclose(ig.elbo(model, fits[0].q), fits[0].elbo, rtol=1e-12)


def test_the_mean_of_sampled_steps_is_the_exact_step():
    """5 standard errors, in coordinates in which the step is affine in the gradient."""
    model, rng = poisson(), np.random.default_rng(4)
    chart = CHARTS["mean and Cholesky factor"]
    options = {"step": 1e-3, "geometry": "mean and Cholesky factor", "max_iter": 1}

    def end(**more):
        q = ig.gradient_ascent(model, Q, **options, **more).q
        return chart.coordinates(q.mean, q.cholesky_factor)

    ends = np.array([end(estimator="reparameterised", samples=4, rng=rng) for _ in range(300)])
    error = (ends.mean(axis=0) - end()) / (ends.std(axis=0) / np.sqrt(len(ends)))
    assert np.all(np.abs(error) < 5.0)


def test_adam_against_the_published_loop():
    model, q = skewed(), ig.Normal(0.8, 0.5)
    x, first, second = np.array([0.8, 0.5]), np.zeros(2), np.zeros(2)
    for count in range(1, 8):
        found = ig.elbo_gradient(model, ig.Normal(*x))
        slope = np.array([found.mean[0], 2.0 * x[1] * found.cov[0, 0]])
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        x = x + 0.07 * (first / (1 - 0.9**count)) / (np.sqrt(second / (1 - 0.999**count)) + 1e-8)
    fit = ig.adam(model, q, 0.07, max_iter=7)
    np.testing.assert_allclose([fit.q.mean, fit.q.std], x, rtol=1e-10)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_step_that_leaves_is_told_and_not_clipped(geometry):
    q = ig.Normal(0.3, 1.4)
    fit = ig.gradient_ascent(skewed(), q, 40.0, geometry)
    assert not fit.converged
    assert "leaves the Gaussians" in fit.message or "no finite number" in fit.message
    last = ig.gradient_ascent(skewed(), q, 40.0, geometry, max_iter=len(fit.history.elbo) - 1)
    np.testing.assert_allclose(fit.elbo, last.elbo, rtol=1e-14)


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
@pytest.mark.parametrize("name", ["linear", "logistic", "Poisson", "skewed"])
def test_lbfgs_stands_where_scipy_with_differences_does(name, covariance):
    model, q = CASES[name]
    fit = ig.lbfgs(model, q, covariance)
    assert fit.converged, fit.message
    assert np.all(np.diff(fit.history.elbo) >= -1e-11 * np.abs(fit.elbo))
    if covariance == "diagonal" and model.dimension > 1:
        d = model.dimension

        def minus(x):
            return -ig.elbo(model, ig.MultivariateNormal(x[:d], np.diag(np.exp(2.0 * x[d:]))))

        twin = minimize(minus, np.r_[q.mean, np.zeros(d)], method="Nelder-Mead" if d == 2 else "BFGS")
        assert -1e-9 < fit.elbo + twin.fun < 1e-4


def test_lbfgs_says_when_it_has_not_converged():
    model = ig.LogisticRegression(*digits())
    fit = ig.lbfgs(model, max_iter=3)
    assert not fit.converged
    assert len(fit.history.elbo) == 4
    stopped = ig.lbfgs(model, callback=lambda iteration, _q, _elbo: iteration == 2)
    assert not stopped.converged
    assert len(stopped.history.elbo) == 3


@pytest.mark.parametrize("make", [linear, logistic, poisson])
def test_laplace_is_the_normal_at_the_mode(make):
    model = make()
    fit = ig.laplace(model)
    assert fit.converged
    np.testing.assert_allclose(model.log_joint_gradient(fit.q.mean), 0.0, atol=1e-8)
    np.testing.assert_allclose(fit.q.precision if hasattr(fit.q, "precision") else np.linalg.inv(fit.q.cov),
                               -model.log_joint_hessian(fit.q.mean), rtol=1e-8)  # fmt: skip
    np.testing.assert_allclose(fit.elbo, ig.elbo(model, fit.q), rtol=1e-12)
    best = ig.natural_gradient_vi(model).elbo
    assert fit.elbo <= best + 1e-10
    if make is linear:
        np.testing.assert_allclose(fit.elbo, model.log_evidence(), rtol=1e-11)


def test_laplace_in_one_dimension_finds_the_mode_of_its_side():
    model = ig.models.bimodal_posterior.model(4.0)
    left, right = (ig.laplace(model, [start]) for start in (-1.0, 1.0))
    assert isinstance(left.q, ig.Normal)
    np.testing.assert_allclose([left.q.mean, right.q.mean], model.modes, atol=1e-6)
    np.testing.assert_allclose(ig.laplace(skewed()).q.mean, skewed().modes[0], atol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ig.gradient_ascent(skewed(), step=-0.1), "gradient_ascent: step must be a positive"),
        (lambda: ig.gradient_ascent(skewed(), geometry="polar"), "geometry must be one of 'mean and cov"),
        (lambda: ig.adam(skewed(), estimator="REINFORCE"), "adam: estimator must be one of 'exact', 'score"),
        (lambda: ig.adam(skewed(), decays=(0.9, 1.0)), "adam: decays must be two numbers"),
        (lambda: ig.adam(skewed(), max_iter=1.5), "adam: max_iter must be a whole number"),
        (
            lambda: ig.gradient_ascent(
                skewed(), estimator="reparameterised", samples=0, rng=np.random.default_rng()
            ),
            "samples must be a whole number of at least 1",
        ),
        (lambda: ig.lbfgs(skewed(), covariance="low rank"), "lbfgs: covariance must be"),
        (lambda: ig.laplace(logistic(), [0.0]), "laplace: start must be 3 finite numbers"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(ValueError, match="got") as caught:
        call()
    assert words in str(caught.value)


def test_what_else_is_refused():
    with pytest.raises(TypeError, match="rng"):
        ig.gradient_ascent(skewed(), estimator="reparameterised")
    for optimiser in (ig.gradient_ascent, ig.adam, ig.lbfgs):
        with pytest.raises(OverflowError, match="ELBO at the start"):
            optimiser(poisson(), ig.MultivariateNormal([5e3, 0.0], np.eye(2)))
