"""The triangle and the eighth of a ball."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

import igviz as ig
from igviz.plots import simplex, style

RNG = np.random.default_rng(4)
POINTS = RNG.dirichlet(np.ones(3), 200)


def test_the_page_is_a_right_handed_frame():
    frame = np.stack([simplex.ACROSS, simplex.UP, simplex.TOWARDS])
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-15)
    assert np.linalg.det(frame) == pytest.approx(1.0)


def test_the_triangle_is_equilateral_and_its_corners_are_the_balls():
    corners = simplex.on_triangle(np.eye(3))
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, 2.0 * np.sqrt(2.0))
    np.testing.assert_allclose(corners, simplex.on_ball(np.eye(3)))
    a, b, c = corners
    assert a[0] < c[0] < b[0]
    assert c[1] > a[1] == pytest.approx(b[1])


def test_places_in_the_triangle_mix_as_probabilities_do():
    np.testing.assert_allclose(
        simplex.on_triangle(POINTS), POINTS @ simplex.on_triangle(np.eye(3)), atol=1e-12
    )


def test_the_ball_shows_a_sphere_of_radius_two_whose_length_is_the_fisher_metric():
    page = simplex.on_ball(POINTS)
    depth = 2.0 * np.sqrt(POINTS) @ simplex.TOWARDS
    assert np.all(depth > 0)
    np.testing.assert_allclose(np.sum(page**2, axis=1) + depth**2, 4.0)
    p = ig.Categorical(POINTS[0])
    step = 1e-6 * np.array([1.0, -0.3, -0.7])
    moved = 2.0 * (np.sqrt(POINTS[0] + step) - np.sqrt(POINTS[0]))
    assert moved @ moved == pytest.approx(step[:2] @ p.fisher("source") @ step[:2], rel=1e-4)


@pytest.mark.parametrize("prepare", [simplex.prepare_triangle, simplex.prepare_ball])
def test_axes_are_square_to_each_other_and_named(prepare):
    axes = Figure(figsize=(4, 4)).add_subplot()
    style.prepare(axes)
    prepare(axes, ("A", "B", "C"))
    assert axes.get_aspect() == 1.0
    assert [text.get_text() for text in axes.texts] == ["A", "B", "C"]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for line in axes.lines:
        assert np.all((line.get_xdata() > left) & (line.get_xdata() < right))
        assert np.all((line.get_ydata() > bottom) & (line.get_ydata() < top))
    assert len(axes.lines) == 12


def test_the_light_part_of_the_ball_is_the_eighth_with_probabilities():
    axes = Figure(figsize=(4, 4)).add_subplot()
    style.prepare(axes)
    simplex.prepare_ball(axes, ("A", "B", "C"))
    image = axes.images[0].get_array()
    side = np.linspace(-2.0, 2.0, 401)

    def grey(x, y):
        return image[np.argmin(abs(side - y)), np.argmin(abs(side - x)), 0]

    inside = simplex.on_ball(RNG.dirichlet(3.0 * np.ones(3), 100))
    assert min(grey(*place) for place in inside) >= 0.89
    angle = np.linspace(0.0, 2.0 * np.pi, 25)
    assert max(grey(1.85 * np.cos(a), 1.85 * np.sin(a)) for a in angle) <= 0.9
    assert image[0, 0, 3] == 0.0
    assert image[200, 200, 3] == 1.0
