"""Steps in charts against coordinates written out by hand, and where they leave the space."""

from __future__ import annotations

import numpy as np
import pytest

import igviz as ig
from igviz.models import skewed_posterior
from igviz.panels.natural_gradient_vi.steps import leaves, natural_step, plain_step

# to the chart's coordinates, back to (mean, std), and whether they are those of a distribution
BY_HAND = {
    "(mean, std)": (lambda m, s: [m, s], lambda x: [x[0], x[1]], lambda x: x[1] > 0),
    "(mean, std²)": (lambda m, s: [m, s**2], lambda x: [x[0], x[1] ** 0.5], lambda x: x[1] > 0),
    "(mean, log std)": (lambda m, s: [m, np.log(s)], lambda x: [x[0], np.exp(x[1])], lambda x: True),
    "natural": (
        lambda m, s: [m / s**2, -0.5 / s**2],
        lambda x: [-0.5 * x[0] / x[1], (-0.5 / x[1]) ** 0.5],
        lambda x: x[1] < 0,
    ),
    "expectation": (
        lambda m, s: [m, m**2 + s**2],
        lambda x: [x[0], (x[1] - x[0] ** 2) ** 0.5],
        lambda x: x[1] > x[0] ** 2,
    ),
}
PLACES = [(-1.3, 0.45), (0.7, 1.2), (-0.4, 1.6)]


def elbo(mean, std):
    return mean - np.exp(mean + std**2 / 2) - (mean**2 + std**2) / (2 * 1.5**2) + np.log(std)


def derivative(function, x):
    steps = 1e-6 * np.eye(2)
    return np.array([(function(x + one) - function(x - one)) / 2e-6 for one in steps])


def by_hand(chart, mean, std):
    """Coordinates, the gradient in them and the Fisher matrix, by differences."""
    there, back, _ = BY_HAND[chart]
    x = np.array(there(mean, std))
    gradient = derivative(lambda y: elbo(*back(y)), x)
    jacobian = derivative(lambda y: np.array(back(y)), x).T  # ∂(mean, std)/∂x
    fisher = jacobian.T @ np.diag([1.0, 2.0]) @ jacobian / std**2
    return x, gradient, fisher


@pytest.mark.parametrize("chart", BY_HAND)
@pytest.mark.parametrize(("mean", "std"), PLACES)
def test_both_steps(chart, mean, std):
    q = ig.Normal(mean, std)
    slope = skewed_posterior.elbo_gradient(q)
    x, gradient, fisher = by_hand(chart, mean, std)
    sizes = np.array([0.0, 0.003, 0.01])
    for step, way in ((natural_step, np.linalg.solve(fisher, gradient)), (plain_step, gradient)):
        found = step(q, slope, chart, sizes)
        ends = [BY_HAND[chart][1](x + size * way) for size in sizes]
        np.testing.assert_allclose(found, ends, rtol=1e-7)


@pytest.mark.parametrize("chart", BY_HAND)
@pytest.mark.parametrize(("mean", "std"), PLACES)
def test_where_a_step_leaves_the_space(chart, mean, std):
    q = ig.Normal(mean, std)
    slope = skewed_posterior.elbo_gradient(q)
    x, gradient, fisher = by_hand(chart, mean, std)
    way = np.linalg.solve(fisher, gradient)
    edge = leaves(q, slope, chart)
    possible = BY_HAND[chart][2]
    if np.isinf(edge):
        assert all(possible(x + size * way) for size in (0.1, 1.0, 10.0, 1e4))
        return
    assert all(possible(x + size * way) for size in edge * np.linspace(0.0, 0.999, 50))
    assert not possible(x + 1.001 * edge * way)
    assert np.all(np.isnan(natural_step(q, slope, chart, 1.001 * edge)))


def test_each_chart_but_the_logarithm_can_be_left():
    left = {
        chart: [
            leaves(ig.Normal(*at), skewed_posterior.elbo_gradient(ig.Normal(*at)), chart) for at in PLACES
        ]
        for chart in BY_HAND
    }
    for chart, edges in left.items():
        assert np.all(np.isinf(edges)) == (chart == "(mean, log std)"), chart
