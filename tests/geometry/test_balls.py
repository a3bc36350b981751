"""The ball of the metric in the tangent plane, in any chart."""

from __future__ import annotations

import numpy as np
import pytest

import igviz as ig
from igviz.geometry.balls import fisher_rao_circle, tangent_ellipse

POINTS = [ig.Normal(-1.3, 0.7), ig.Normal(2.0, 1.9), ig.Categorical([0.2, 0.3, 0.5])]


@pytest.mark.parametrize("p", POINTS)
@pytest.mark.parametrize("chart", ["source", "natural", "expectation"])
def test_every_step_has_the_same_length(p, chart):
    steps = tangent_ellipse(p, 0.3, chart, 41) - p.coordinates(chart)
    assert steps.shape == (41, 2)
    squares = np.einsum("ni,ij,nj->n", steps, p.fisher(chart), steps)
    np.testing.assert_allclose(squares, 0.09, rtol=1e-12)
    # all the way round, once
    root = np.linalg.cholesky(p.fisher(chart)).T
    angle = np.unwrap(np.arctan2(*(root @ steps.T)[::-1]))
    assert abs(angle[-1] - angle[0]) == pytest.approx(2.0 * np.pi)


@pytest.mark.parametrize("p", POINTS)
def test_the_jacobian_carries_one_ellipse_to_the_other(p):
    for old, new in [("source", "natural"), ("natural", "expectation"), ("expectation", "source")]:
        before, after = (tangent_ellipse(p, 0.4, chart, 19) - p.coordinates(chart) for chart in (old, new))
        np.testing.assert_allclose(before, after @ p.jacobian(old, new).T, atol=1e-12)


def test_a_grid_is_its_points():
    grid = ig.Normal([[0.3], [-1.0]], [0.5, 1.0, 2.0])
    both = tangent_ellipse(grid, 0.2, "expectation", 9)
    assert both.shape == (2, 3, 9, 2)
    np.testing.assert_allclose(both[1, 2], tangent_ellipse(grid[1, 2], 0.2, "expectation", 9), rtol=1e-13)


def test_a_small_circle_of_the_distance_is_the_ellipse():
    p, radius = POINTS[0], 1e-4
    ellipse, circle = tangent_ellipse(p, radius, count=13), fisher_rao_circle(p, radius, 13)
    np.testing.assert_allclose(ellipse - p.source, circle.source - p.source, atol=1e-3 * radius)


def test_bad_ellipses():
    with pytest.raises(ValueError, match="p must have two coordinates, got Bernoulli"):
        tangent_ellipse(ig.Bernoulli(0.5), 0.1)
    with pytest.raises(ValueError, match="radius must be a number not below 0, got -1"):
        tangent_ellipse(ig.Normal(0, 1), -1)
