"""Balls and paths in the half-plane of normals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

import igviz as ig
from igviz.geometry.balls import fisher_rao_circle
from igviz.plots import half_plane, style


@pytest.mark.parametrize("radius", [1e-3, 0.5, 3.0])
def test_a_circle_has_one_radius(radius):
    centre = ig.Normal(1.3, 0.7)
    circle = fisher_rao_circle(centre, radius, 61)
    np.testing.assert_allclose(ig.fisher_rao_distance(centre, circle), radius, rtol=1e-9)
    assert circle.shape == (61,)
    # it goes all the way round: each side of the centre is met
    assert circle.mean.min() < 1.3 < circle.mean.max()
    assert circle.std.min() < 0.7 < circle.std.max()


def test_a_small_circle_is_the_ellipse_of_the_metric():
    centre, radius = ig.Normal(-2.0, 3.0), 1e-4
    circle = fisher_rao_circle(centre, radius)
    step = np.stack([circle.mean + 2.0, circle.std - 3.0], axis=-1)
    squares = np.einsum("ni,ij,nj->n", step, centre.fisher("source"), step)
    np.testing.assert_allclose(squares, radius**2, rtol=1e-3)


def test_bad_circles():
    with pytest.raises(ValueError, match="radius must be a number not below 0, got -1"):
        fisher_rao_circle(ig.Normal(0, 1), -1)
    with pytest.raises(ValueError, match=r"one distribution, got a grid of shape \(2,\)"):
        fisher_rao_circle(ig.Normal([0, 1], 1), 1)


def test_rulers_touch_and_fill_the_width():
    axes = Figure().add_subplot()
    half_plane.prepare(axes, (-3, 3), (0, 3))
    half_plane.rulers(axes, [0.5, 1.0], 0.5)
    rows: dict[float, list[np.ndarray]] = {}
    for patch in axes.patches:
        xy = patch.get_xy()
        rows.setdefault(round(float(xy[:, 1].min()), 6), []).append(xy)
    assert len(rows) == 2
    for ovals in rows.values():
        ovals.sort(key=lambda xy: xy[:, 0].min())
        assert ovals[0][:, 0].min() <= -3
        assert ovals[-1][:, 0].max() >= 3
        for left, right in itertools.pairwise(ovals):
            assert left[:, 0].max() == pytest.approx(right[:, 0].min(), abs=1e-9)


def test_a_path_is_drawn_in_the_style_of_its_kind():
    axes = Figure().add_subplot()
    half_plane.path(axes, ig.Normal(0, 1), ig.Normal(2, 1), "fisher-rao", style.GEODESIC)
    (line,) = axes.lines
    assert line.get_color() == style.GREEN
    assert line.get_ydata().max() > 1.2
