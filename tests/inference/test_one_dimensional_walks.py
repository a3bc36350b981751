"""Walks in plain floats against the same steps of the library, and against matrices written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

import igviz as ig
from igviz.inference.one_dimensional_walks import walk

MODEL = ig.PoissonRegression([[1.0]], [1.0], 1 / 1.5**2)
BUMPY = ig.models.bimodal_posterior.model(3.0)
KINDS = ("mean and covariance", "mean and Cholesky factor", "Adam", "natural gradient")
STARTS = [(-1.3, 0.45), (0.7, 1.2), (-2.0, 0.3)]


def means(model):
    """The exact means of f′ and f″ by the model."""

    def derivatives(mean, std):
        found = model.expected_derivatives(np.array([mean]), np.array([[std]]))
        return float(found.gradient[0]), float(found.hessian[0, 0])

    return derivatives


def closed(mean, std):
    """The same for the count, with E[e^z] = exp(mean + std²/2)."""
    rate = math.exp(mean + std**2 / 2)
    return 1 - rate - mean / 1.5**2, -rate - 1 / 1.5**2


def naive(kind, model, mean, std, size, count):
    """The walk through the gradient by mean and covariance, in the chart's own coordinates."""
    chart = "cov" if kind == "mean and covariance" else "root"
    x = np.array([mean, std**2 if chart == "cov" else std])
    m, v = np.zeros(2), np.zeros(2)
    places = [(mean, std)]
    for t in range(1, count + 1):
        s = np.sqrt(x[1]) if chart == "cov" else x[1]
        by_mean, by_cov = ig.elbo_gradient(model, ig.Normal(x[0], s))
        gradient = np.array([by_mean[0], by_cov[0, 0] * (1 if chart == "cov" else 2 * s)])
        if kind == "Adam":
            m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
            x = x + size * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        else:
            x = x + size * gradient
        places.append((x[0], np.sqrt(x[1]) if chart == "cov" else x[1]))
    return np.array(places)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("model", [MODEL, BUMPY], ids=["skewed", "bimodal"])
@pytest.mark.parametrize("kind", KINDS[:3])
def test_gradient_ascent_and_adam_are_what_their_names_say(kind, model, start):
    found = walk(kind, means(model), start, 0.02, 8)
    assert found.left is None
    places = np.array([found.mean, found.std]).T
    np.testing.assert_allclose(places, naive(kind, model, *start, 0.02, 8), rtol=1e-9)


@pytest.mark.parametrize("start", [*STARTS, (1.5, 1.8)])
@pytest.mark.parametrize("size", [0.05, 0.5, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_the_walks_are_the_librarys_step_by_step_and_leave_where_they_do(kind, start, size):
    seen = []
    options = {"geometry": "natural" if kind == "natural gradient" else kind}
    ascend = ig.adam if kind == "Adam" else ig.gradient_ascent
    fit = ascend(
        MODEL,
        ig.Normal(*start),
        step=size,
        tol=1e-30,
        max_iter=25,
        callback=lambda _number, q, _elbo: seen.append((float(q.mean), float(q.std))) and None,
        **({} if kind == "Adam" else options),
    )
    found = walk(kind, closed, start, size, 25)
    assert len(found.mean) == len(seen)
    np.testing.assert_allclose(np.array([found.mean, found.std]).T, seen, rtol=1e-8)
    assert (found.left is not None) == ("leaves" in fit.message or "leads" in fit.message)
    if found.left is not None:
        assert f"step {found.left} " in fit.message


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("size", [0.2, 1.0])
def test_the_natural_gradient_is_the_librarys(start, size):
    seen = []
    ig.natural_gradient_vi(
        MODEL,
        ig.Normal(*start),
        step=size,
        safeguard=False,
        max_iter=12,
        tol=1e-30,
        callback=lambda _number, q, _elbo: seen.append((float(q.mean), float(q.std))) and None,
    )
    found = walk("natural gradient", closed, start, size, len(seen) - 1)
    np.testing.assert_allclose(np.array([found.mean, found.std]).T, seen, rtol=1e-9)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("damping", [0.003, 0.2, 7.0])
def test_damping_adds_to_the_fisher_matrix_in_natural_coordinates(start, damping):
    found = walk("natural gradient", closed, start, 0.1, 1, damping)
    q = ig.Normal(*start)

    def elbo(eta):
        return ig.elbo(MODEL, ig.Normal.from_natural(eta))

    eta = q.natural
    steps = 1e-5 * np.eye(2)
    gradient = np.array([(elbo(eta + one) - elbo(eta - one)) / 2e-5 for one in steps])
    step = np.linalg.solve(q.fisher("natural") + damping * np.eye(2), gradient)
    end = ig.Normal.from_natural(eta + 0.1 * step)
    assert (found.mean[1], found.std[1]) == pytest.approx((float(end.mean), float(end.std)), rel=1e-7)


def test_much_damping_is_the_ordinary_gradient_divided_by_it():
    start, damping = (-1.3, 0.45), 1e7
    q = ig.Normal(*start)
    gradient = q.fisher("natural") @ np.array(_natural_gradient(q))
    found = walk("natural gradient", closed, start, 1e5, 1, damping)
    end = ig.Normal.from_natural(q.natural + 1e5 * gradient / damping)
    assert (found.mean[1], found.std[1]) == pytest.approx((float(end.mean), float(end.std)), rel=1e-6)


def _natural_gradient(q):
    first, second = closed(float(q.mean), float(q.std))
    change = -second - 1 / float(q.std) ** 2
    return first + change * float(q.mean), -change / 2


def test_a_walk_that_leaves_the_space_ends():
    # variance 0.49 + 0.5·(h + 1/0.49), h = −1/2.25 − exp(2.5 + 0.245)
    found = walk("mean and covariance", closed, (2.5, 0.7), 1.0, 5)
    assert found == ([2.5], [0.7], 1)
    found = walk("mean and Cholesky factor", closed, (-2.0, math.exp(-1.5)), 1.0, 60)
    assert found.left == len(found.mean) == 2
    # a valley of the log joint: the precision falls below zero
    found = walk("natural gradient", means(BUMPY), (0.05, 0.2), 1.0, 5)
    assert found.left == 1
    assert found.std == [0.2]


def test_an_overflow_ends_a_walk_too():
    found = walk("mean and Cholesky factor", closed, (3.0, 0.05), 30.0, 9)
    assert found.left is not None
    assert len(found.mean) == found.left
    assert np.all(np.isfinite(found.mean))


def test_all_kinds_stand_still_at_the_top():
    best = ig.models.skewed_posterior.best_normal()
    start = (float(best.mean), float(best.std))
    for kind in ("mean and covariance", "mean and Cholesky factor", "natural gradient"):
        found = walk(kind, closed, start, 0.1, 10)
        np.testing.assert_allclose(found.mean, start[0], rtol=1e-13)
        np.testing.assert_allclose(found.std, start[1], rtol=1e-13)
