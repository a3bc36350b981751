"""Best points on KL balls and circles: against constrained optimisation, and the limit of a small ball."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from igviz.geometry.families.normal import Normal
from igviz.geometry.normal_charts import NORMAL_CHARTS
from igviz.geometry.steepest_ascent import steepest_in_chart, steepest_on_kl_ball
from igviz.models.skewed_posterior import elbo, elbo_gradient

PLACES = [(Normal(-1.4, 0.5), 0.1), (Normal(0.7, 1.2), 0.3), (Normal(-1.1, 0.3), 1e-3)]
CHARTS = ("(mean, std)", "(mean, log std)", "(mean, std²)")


@pytest.mark.parametrize(("p", "radius"), PLACES)
def test_the_kl_balls_best_against_an_optimiser(p, radius):
    best = steepest_on_kl_ball(p, radius, elbo, elbo_gradient)
    assert best.kl(p) == pytest.approx(radius, rel=1e-12)
    found = optimize.minimize(
        lambda x: -float(elbo(Normal(*x))),
        p.source,
        jac=lambda x: -elbo_gradient(Normal(*x)),
        constraints={"type": "ineq", "fun": lambda x: 1 - float(Normal(*x).kl(p)) / radius},
        bounds=[(-5, 5), (0.05, 5)],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 300},
    )
    size = np.sqrt(2 * radius) * p.std
    np.testing.assert_allclose(best.source, found.x, atol=1e-4 * size)


@pytest.mark.parametrize(("p", "radius"), PLACES)
@pytest.mark.parametrize("chart", CHARTS)
def test_the_circles_best(p, radius, chart):
    view = NORMAL_CHARTS[chart]
    best = steepest_in_chart(p, radius, elbo, elbo_gradient, view)
    assert best.kl(p) == pytest.approx(radius, rel=1e-12)
    start = view.coordinates(p)
    size = np.linalg.norm(view.coordinates(best) - start)

    def lost(angle):
        source = view.to_source(start + size * np.array([np.cos(angle), np.sin(angle)]))
        return 1e9 if np.isnan(source[0]) else -float(elbo(Normal(*source)))

    angles = np.linspace(0, 2 * np.pi, 400)
    near = angles[np.argmin([lost(angle) for angle in angles])]
    found = optimize.minimize_scalar(lost, (near - 0.02, near, near + 0.02), options={"xtol": 1e-10})
    way = view.coordinates(best) - start
    apart = (np.arctan2(way[1], way[0]) - found.x + np.pi) % (2 * np.pi) - np.pi
    assert abs(apart) < 1e-6
    assert elbo(best) <= elbo(steepest_on_kl_ball(p, radius, elbo, elbo_gradient))


@pytest.mark.parametrize("chart", CHARTS)
def test_directions_become_the_two_gradients(chart):
    """The angle to I⁻¹∇L and to ∇L falls like the root of the radius."""
    p, view = Normal(-1.4, 0.5), NORMAL_CHARTS[chart]
    natural = view.jacobian(p) @ np.linalg.solve(p.fisher("source"), elbo_gradient(p))
    ordinary = np.linalg.solve(view.jacobian(p).T, elbo_gradient(p))
    angles = []
    for radius in (1e-3, 1e-5, 1e-7):
        row = []
        for q, wanted in (
            (steepest_on_kl_ball(p, radius, elbo, elbo_gradient), natural),
            (steepest_in_chart(p, radius, elbo, elbo_gradient, view), ordinary),
        ):
            step = view.coordinates(q) - view.coordinates(p)
            row.append(abs(np.cross(np.append(step, 0), np.append(wanted, 0))[2]) / np.linalg.norm(step))
            assert step @ wanted > 0
        angles.append(row)
    angles = np.array(angles) / [np.linalg.norm(natural), np.linalg.norm(ordinary)]
    assert np.all(angles[2] < 1e-3)
    np.testing.assert_allclose(angles[1] / angles[2], 10, rtol=0.1)


def test_just_before_the_top():
    """The top lies a thousandth beyond the ball: the gradients turn within a degree of its boundary."""
    p = Normal(0.8, 1.5)
    best = steepest_in_chart(p, 0.5, elbo, elbo_gradient, NORMAL_CHARTS["(mean, log std)"])
    assert best.kl(p) == pytest.approx(0.5, rel=1e-12)
    np.testing.assert_allclose(best.source, [-0.225, 0.805], atol=2e-3)


def test_bad_input():
    p, chart = Normal(-0.3, 0.7), NORMAL_CHARTS["(mean, std)"]
    with pytest.raises(ValueError, match="radius must be a positive number, got 0"):
        steepest_on_kl_ball(p, 0.0, elbo, elbo_gradient)
    with pytest.raises(ValueError, match="one distribution"):
        steepest_in_chart(Normal([0, 1], 1.0), 0.1, elbo, elbo_gradient, chart)
    with pytest.raises(ValueError, match="must rise towards a point outside the ball"):
        steepest_in_chart(p, 0.1, elbo, elbo_gradient, chart)
