"""The boundary of a KL ball: the stated divergence, the whole way round, and the ellipse of the metric."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import igviz as ig
from igviz.geometry.balls import tangent_ellipse
from igviz.geometry.kl_balls import DIRECTIONS, kl_ball

POINTS = [ig.Normal(-1.3, 0.7), ig.Normal(2.0, 1.9), ig.Normal(40.0, 0.01)]


def divergence(p, q, direction):
    """The divergence in that direction, written out once more."""
    a, b = (p, q) if direction == "KL(p‖q)" else (q, p)
    return np.log(b.std / a.std) + (a.std**2 + (a.mean - b.mean) ** 2) / (2 * b.std**2) - 0.5


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("p", POINTS)
def test_every_point_has_the_stated_divergence(p, direction):
    for radius in (1e-3, 0.1, 0.7, 3.0, 40.0, 300.0):
        q = kl_ball(p, radius, direction)
        assert q.shape == (201,) and kl_ball(p, radius, direction, 37).shape == (37,)
        np.testing.assert_allclose(divergence(p, q, direction), radius, rtol=1e-10)
        np.testing.assert_allclose(p.kl(q) if direction == "KL(p‖q)" else q.kl(p), radius, rtol=1e-10)
    # what a float64 mean or standard deviation can say of a small divergence
    tiny = kl_ball(ig.Normal(0.0, 1.0), 1e-10, direction)
    np.testing.assert_allclose(
        ig.Normal(0.0, 1.0).kl(tiny) if direction == "KL(p‖q)" else tiny.kl(ig.Normal(0.0, 1.0)),
        1e-10,
        rtol=1e-10,
    )


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_curve_is_closed_and_goes_round_once(direction):
    p = POINTS[0]
    q = kl_ball(p, 2.5, direction)
    np.testing.assert_allclose(q[0].source, q[-1].source, rtol=1e-14)
    for chart in ("source", "natural", "expectation"):
        gap = q.coordinates(chart) - p.coordinates(chart)
        gap = gap / np.max(np.abs(gap), axis=0)
        angle = np.unwrap(np.arctan2(gap[:, 1], gap[:, 0]))
        assert abs(angle[-1] - angle[0]) == pytest.approx(2 * np.pi)
    # no gaps: the next point is never farther than a twentieth of the way round
    steps = ig.fisher_rao_distance(q[1:], q[:-1])
    assert np.max(steps) < 0.05 * np.sum(steps)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_small_balls_are_the_metric_ellipse(direction):
    p = POINTS[1]
    for chart in ("source", "natural", "expectation"):
        errors = []
        for radius in (1e-4, 1e-6, 1e-8):
            centre = p.coordinates(chart)
            ellipse = tangent_ellipse(p, np.sqrt(2 * radius), chart, 201) - centre
            ball = kl_ball(p, radius, direction).coordinates(chart) - centre
            # ½·δᵀIδ = radius up close
            half = 0.5 * np.einsum("ni,ij,nj->n", ball, p.fisher(chart), ball) / radius - 1.0
            errors.append(np.max(np.abs(half)))
            assert np.max(np.abs(ball - ellipse)) < 30 * radius * np.max(np.abs(centre))
        # they part in the next order of √radius
        np.testing.assert_allclose(np.array(errors[:-1]) / errors[1:], 10.0, rtol=0.02)


def test_the_two_directions_are_told_apart():
    # at one mean: KL(p‖q) = log s + 1/(2s²) − ½ and KL(q‖p) = s²/2 − ½ − log s
    p = ig.Normal(0.4, 1.0)
    for direction, value in (
        ("KL(p‖q)", lambda s: mpmath.log(s) + 1 / (2 * s**2) - 0.5),
        ("KL(q‖p)", lambda s: s**2 / 2 - 0.5 - mpmath.log(s)),
    ):
        q = kl_ball(p, 0.8, direction, 5)
        narrow, wide = sorted(float(s) for s in q.std[[1, 3]])
        np.testing.assert_allclose(q.mean[[1, 3]], 0.4, atol=1e-15)
        for std, guess in ((narrow, 0.3), (wide, 2.0)):
            assert std == pytest.approx(
                float(mpmath.findroot(lambda s, f=value: f(s) - 0.8, guess)), rel=1e-14
            )
    forward, backward = (kl_ball(p, 0.8, direction) for direction in DIRECTIONS)
    assert forward.std.min() > backward.std.min() and forward.std.max() > backward.std.max()
    assert kl_ball(p, 0.8) == forward and kl_ball(p, 0.8, "KL(q||p)") == backward


def test_no_radius_is_the_point_and_large_ones_end_in_the_floats():
    p = POINTS[0]
    assert kl_ball(p, 0.0, count=5) == ig.Normal(np.full(5, p.mean), np.full(5, p.std))
    with pytest.raises(ValueError, match="Normal: "):
        kl_ball(p, 2000.0)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_in_thirty_digits(direction):
    # the standard deviation right above and below the centre, for radii over all scales
    p = ig.Normal(0.0, 1.0)
    for radius in (1e-12, 1e-6, 0.01, 0.5, 5.0, 100.0):
        for k in (1, 3):
            std = mpmath.mpf(float(kl_ball(p, radius, direction, 5).std[k]))
            ratio = 1 / std**2 if direction == "KL(p‖q)" else std**2
            error = (ratio - 1 - mpmath.log(ratio)) / 2 / mpmath.mpf(radius) - 1
            assert abs(error) < 1e-15 * (4 + 4 / mpmath.sqrt(radius) + 4 * radius)


def test_arguments():
    p = POINTS[0]
    with pytest.raises(TypeError, match="kl_ball: p must be a Normal, got 3"):
        kl_ball(3, 0.1)
    with pytest.raises(ValueError, match=r"kl_ball: p must be one distribution, got a grid of shape \(2,\)"):
        kl_ball(ig.Normal([0.0, 1.0], 1.0), 0.1)
    for radius in (-0.1, np.nan, np.inf):
        with pytest.raises(ValueError, match="kl_ball: radius must be a number not below 0, got"):
            kl_ball(p, radius)
    for direction in ("forward", None):
        with pytest.raises(
            ValueError, match="kl_ball: direction must be 'KL\\(p‖q\\)' or 'KL\\(q‖p\\)', got"
        ):
            kl_ball(p, 0.1, direction)
    with pytest.raises(ValueError, match="kl_ball: count must be at least 2, got 1"):
        kl_ball(p, 0.1, count=1)
