"""The triangle and the ball against probabilities, arcs and divergences found another way."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

import igviz.panels.manifold_intuition as lecture
from igviz.panels.manifold_intuition.simplex import SECOND
from igviz.plots import simplex, style

PLACES = [
    (0.75, 0.8, "inside"),
    (0.3, 0.1, "inside"),
    (0.05, 0.95, "inside"),
    (0.0, 0.9, "middle of side 2–3"),
]
BOUNDARY = [
    (1.0, 0.8, "corner 3"),
    (0.0, 0.0, "corner 3"),
    (0.0, 1.0, "corner 3"),
    (0.75, 0.8, "corner 3"),
    (0.5, 0.0, "middle of side 2–3"),
    (1.0, 0.3, "inside"),
    (0.0, 0.0, "inside"),
]


@pytest.fixture
def panel():
    made = lecture.simplex_and_sphere()
    yield made
    made.close()


def probabilities(share, split):
    return np.array([share, (1 - share) * split, (1 - share) * (1 - split)])


def divergence(p, q):
    if np.any((p > 0) & (q == 0)):
        return np.inf
    inside = p > 0
    return float(np.sum(p[inside] * np.log(p[inside] / q[inside])))


def said_divergences(sentence):
    if "KL(p‖q) and KL(q‖p) are infinite" in sentence:
        return [np.inf, np.inf]
    found = re.search(r"KL\(p‖q\) (\S+?)(?: nats)?, KL\(q‖p\) (\S+?)(?: nats)?\. ", sentence)
    assert found, sentence
    return [np.inf if word == "infinite" else float(word) for word in found.groups()]


@pytest.mark.parametrize(("share", "split", "q"), PLACES + BOUNDARY)
def test_the_sentence(panel, share, split, q):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panel.set(share=share, split=split, q=q)
        sentence = panel.sentence
    start, end = probabilities(share, split), np.array(SECOND[q])
    found = re.search(r"curvature \+1/4: p and q are 2·arccos Σ√\(pq\) = (?:π = )?([\d.]+) apart", sentence)
    assert found, sentence
    angle = 2.0 * np.arccos(min(1.0, float(np.sum(np.sqrt(start * end)))))
    assert float(found[1]) == pytest.approx(angle, abs=6e-4)
    expected = [divergence(start, end), divergence(end, start)]
    np.testing.assert_allclose(said_divergences(sentence), expected, atol=6e-4)
    same_support = np.array_equal(start > 0, end > 0)
    assert ("e none: natural coordinates ∞" in sentence) != same_support


def test_from_corner_to_corner(panel):
    panel.answer("Distance finite, KL infinite")
    assert "π = 3.142 apart; KL(p‖q) and KL(q‖p) are infinite" in panel.sentence
    with panel.drawn() as (_triangle, ball):
        along = next(line for line in ball.lines if _has(line, style.GEODESIC)).get_xydata()
    # a quarter of the outline of the octant: the arc from 1 to 3 in the plane of these two
    angle = np.linspace(0.0, np.pi / 2, 61)
    arc = 2.0 * np.stack([np.cos(angle), 0.0 * angle, np.sin(angle)], axis=-1)
    np.testing.assert_allclose(along, arc @ np.stack([simplex.ACROSS, simplex.UP], axis=-1), atol=1e-9)


def _has(line, look):
    return line.get_color() == look["color"] and len(line.get_xdata()) > 10


@pytest.mark.parametrize(("share", "split", "q"), PLACES)
@pytest.mark.parametrize("t", [0.0, 0.34, 1.0])
def test_three_ways_lie_where_they_should(panel, share, split, q, t):
    panel.set(share=share, split=split, q=q, t=t)
    start, end = probabilities(share, split), np.array(SECOND[q])
    times = np.append(np.linspace(0.0, 1.0, 61), t)[:, None]
    mixture = (1 - times) * start + times * end
    with np.errstate(divide="ignore", invalid="ignore"):
        geometric = np.where(start > 0, start ** (1 - times) * end**times, 0.0)
    geometric /= geometric.sum(axis=1, keepdims=True)
    angle = np.arccos(np.sum(np.sqrt(start * end)))
    weights = np.sin((1 - times) * angle), np.sin(times * angle)
    circle = ((weights[0] * np.sqrt(start) + weights[1] * np.sqrt(end)) / np.sin(angle)) ** 2
    ways = [
        (style.EXPECTATION_GEODESIC, mixture, "m"),
        (style.NATURAL_GEODESIC, geometric, "e"),
        (style.GEODESIC, circle, "great circle"),
    ]
    with panel.drawn() as axes:
        for one, place in zip(axes, (simplex.on_triangle, simplex.on_ball), strict=True):
            for look, expected, word in ways:
                line = next(line for line in one.lines if _has(line, look))
                np.testing.assert_allclose(line.get_xydata(), place(expected[:-1]), atol=1e-6)
                dots = [dot.get_xydata()[0] for dot in one.lines if dot.get_color() == look["color"]
                        and dot.get_marker() == "o" and len(dot.get_xdata()) == 1]  # fmt: skip
                np.testing.assert_allclose(dots, [place(expected[-1])], atol=1e-6)
                found = re.search(rf"[:,] {word} ([\d.]+)[,.]", panel.sentence)
                assert found, panel.sentence
                assert float(found[1].rstrip(".")) == pytest.approx(expected[-1, 2], abs=6e-3)


@pytest.mark.parametrize(("share", "split", "q"), BOUNDARY[:2] + BOUNDARY[3:])
def test_no_e_geodesic_where_natural_coordinates_are_infinite(panel, share, split, q):
    panel.set(share=share, split=split, q=q)
    same = np.array_equal(probabilities(share, split) > 0, np.array(SECOND[q]) > 0)
    with panel.drawn() as axes:
        for one in axes:
            assert any(_has(line, style.NATURAL_GEODESIC) for line in one.lines) == same


def test_along_a_side_the_three_ways_differ_in_pace_only(panel):
    panel.scene("Along a side")
    with panel.drawn() as (triangle, _ball):
        for line in triangle.lines:
            if len(line.get_xdata()) == 61:
                x, y = line.get_data()
                # the side from 2 to 3
                np.testing.assert_allclose(y, -np.sqrt(3.0) * (x - np.sqrt(2.0)) - 2 / np.sqrt(6), atol=1e-9)
    shares = re.findall(r"(?:circle|m|e) (\d\.\d\d)", panel.sentence)
    assert len(set(shares)) == 3
