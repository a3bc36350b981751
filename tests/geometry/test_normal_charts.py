"""Charts of the normals: round trips, Jacobians by differences, ellipses by the metric."""

from __future__ import annotations

import numpy as np
import pytest

from igviz.geometry.families.normal import Normal
from igviz.geometry.normal_charts import NORMAL_CHARTS

P = Normal(-0.7, 1.3)


@pytest.mark.parametrize("name", NORMAL_CHARTS)
def test_round_trips_and_jacobians(name):
    chart, grid = NORMAL_CHARTS[name], Normal([-0.7, 0.4, 2.0], [1.3, 0.5, 0.9])
    np.testing.assert_allclose(chart.to_source(chart.coordinates(grid)), grid.source, rtol=1e-12)
    step = 1e-6
    for k in range(2):
        shift = step * np.eye(2)[k]
        moved = [chart.coordinates(Normal.from_source(grid.source + sign * shift)) for sign in (1, -1)]
        difference = (moved[0] - moved[1]) / (2 * step)
        np.testing.assert_allclose(chart.jacobian(grid)[..., k], difference, rtol=1e-7, atol=1e-8)
    assert len(chart.labels) == 2


@pytest.mark.parametrize("name", NORMAL_CHARTS)
def test_the_ellipse_is_that_of_the_charts_own_metric(name):
    chart = NORMAL_CHARTS[name]
    backward = np.linalg.inv(chart.jacobian(P))
    metric = backward.T @ P.fisher("source") @ backward
    ring = chart.ellipse(P, 0.3, 721)
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", ring, metric, ring), 0.09, rtol=1e-12)
    np.testing.assert_allclose(np.max(ring, axis=0), 0.3 * chart.half_widths(P), rtol=1e-4)
    np.testing.assert_allclose(chart.half_widths(P), np.sqrt(np.diag(np.linalg.inv(metric))), rtol=1e-12)


@pytest.mark.parametrize("name", NORMAL_CHARTS)
def test_gradients_turn_as_covectors(name):
    """Along every curve the derivative of a function is the same in all charts."""
    chart, source = NORMAL_CHARTS[name], np.array([0.8, -1.7])
    slope = chart.gradient(P, source)
    direction = np.array([0.3, 0.9])
    assert slope @ (chart.jacobian(P) @ direction) == pytest.approx(source @ direction, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "nowhere"),
    [
        ("(mean, std)", [0.3, 0.0]),
        ("(mean, std²)", [0.3, -0.1]),
        ("natural", [1.0, 0.0]),
        ("expectation", [2.0, 4.0]),
    ],
)
def test_where_there_is_no_distribution(name, nowhere):
    assert np.all(np.isnan(NORMAL_CHARTS[name].to_source(np.array(nowhere))))
