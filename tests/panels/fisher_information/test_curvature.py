"""Circles on surfaces of distributions: words and pictures against lengths found another way."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from scipy import integrate, special

import igviz as ig
import igviz.panels.fisher_information as lecture
from igviz.panels.engine.encode import _fonts, _wrapped
from igviz.plots import style

curvature = sys.modules["igviz.panels.fisher_information.curvature"]
PAGE = 640  # the width that the page gives a sentence, in the caption's font, which is smaller
# −1/b of the metric (a·dlocation² + b·dscale²)/scale², and that of a sphere of radius 2
CONSTANT = {
    "Normal": -1 / 2,
    "Student t, ν = 5": -8 / 10,
    "Laplace": -1.0,
    "Cauchy": -2.0,
    "Categorical": 1 / 4,
}
STEPS = {
    "Normal": (1.0, 2.0),
    "Student t, ν = 5": (6 / 8, 10 / 8),
    "Laplace": (1.0, 1.0),
    "Cauchy": (0.5, 0.5),
}


@pytest.fixture
def panel():
    made = lecture.curvature()
    yield made
    made.close()


def said(sentence):
    """Return the name, five numbers, three words and the part outside."""
    found = re.fullmatch(
        r"(.+): radius ([\d.]+), circumference ([\d.]+)(?: \((\d+)% outside\))?, ([\d.]+) times "
        r"2πr = ([\d.]+)\. Curvature ([+−][\d.]+) (everywhere|at this shape): geodesics part (faster|slower) "
        r"than on a plane(?:, triangles (<|>) 180°)?\.",
        sentence,
    )
    assert found, sentence
    name, radius, length, beyond, *others = found.groups()
    numbers = [float(word.replace("−", "-")) for word in (radius, length, *others[:3])]
    return name, numbers, tuple(others[3:]), beyond


def constant_length(bend, r):
    """The circumference by Jacobi's equation J″ = −K·J, without its closed form."""
    found = integrate.solve_ivp(lambda _t, y: [y[1], -bend * y[0]], (0, r), [0, 1], rtol=1e-11, atol=1e-13)
    return 2 * np.pi * found.y[0, -1]


def gamma_bend(a):
    first, second = special.polygamma(1, a), special.polygamma(2, a)
    return (first + a * second) / (4.0 * (a * first - 1.0) ** 2)


@pytest.mark.parametrize("family", CONSTANT)
def test_the_sentence_of_constant_curvature(panel, family):
    for r, place in [(0.2, 3), (1.0, 1), (2.0, 5)]:
        panel.set(family=family, r=r, place=place)
        name, numbers, (where, faster, sign), beyond = said(panel.sentence)
        bend = CONSTANT[family]
        length = constant_length(bend, r)
        assert numbers[0] == r
        assert numbers[1] == pytest.approx(length, abs=6e-4)
        assert numbers[2] == pytest.approx(length / (2 * np.pi * r), abs=6e-4)
        assert numbers[3] == pytest.approx(2 * np.pi * r, abs=6e-4)
        assert numbers[4] == pytest.approx(bend, abs=1e-9)
        assert where == "everywhere"
        assert faster == ("faster" if bend < 0 else "slower")
        assert sign in (None, "<" if bend < 0 else ">")
        assert (sign is None) == (beyond is not None)
        assert (numbers[2] > 1) == (bend < 0)
        assert name.startswith(family.partition(",")[0])


def test_the_sentence_of_gamma(panel):
    for r, place, a in [(0.5, 1, 0.3), (1.0, 3, 1.0), (2.0, 5, 5.0)]:
        panel.set(family="Gamma", r=r, place=place)
        name, numbers, (where, faster, sign), beyond = said(panel.sentence)
        assert name == f"Gamma at shape {a:g}"
        assert numbers[4] == pytest.approx(gamma_bend(a), abs=6e-4)
        # between the circles of its steepest and of its flattest possible curvature, −1/2 and −1/4
        assert constant_length(-0.25, r) - 1e-3 < numbers[1] < constant_length(-0.5, r) + 1e-3
        assert (where, faster, sign) == ("at this shape", "faster", "<")
        assert beyond is None


def test_the_circle_of_gamma_by_its_metric(panel):
    """Its length with the textbook metric (ψ′ − 1/a)·da² + a·dm²/m², measured on what is drawn."""
    panel.set(family="Gamma", r=1.5, place=2)
    with panel.drawn() as (chart, ratios):
        x, y = 10.0 ** (moving(chart, style.TARGET)[:361].T - 2.0)
        dot = ratios.lines[-1].get_xydata()[0]
    a, log_mean = 0.5 * (y[1:] + y[:-1]), np.log(x)
    pieces = (special.polygamma(1, a) - 1 / a) * np.diff(y) ** 2 + a * np.diff(log_mean) ** 2
    length = np.sum(np.sqrt(pieces))
    assert said(panel.sentence)[1][1] == pytest.approx(length, rel=3e-4)
    assert dot == pytest.approx([1.5, length / (2 * np.pi * 1.5)], rel=3e-4)


def moving(axes, look):
    """The long line drawn with a style, shape (n, 2)."""
    found = [line for line in axes.lines if len(line.get_xdata()) > 10 and line.get_color() == look["color"]
             and line.get_linewidth() == look["linewidth"]]  # fmt: skip
    assert len(found) == 1
    return found[0].get_xydata()


@pytest.mark.parametrize("family", STEPS)
def test_the_picture_of_the_half_planes(panel, family):
    """All dots of the circle, and all ends of the geodesics, are as far from the centre as said."""
    across, along = STEPS[family]
    for r, place in [(0.5, 2), (2.0, 4)]:
        panel.set(family=family, r=r, place=place)
        with panel.drawn() as (chart, _ratios):
            ring, spokes = moving(chart, style.TARGET), moving(chart, curvature.SPOKE)
            dot = [line for line in chart.lines if line.get_marker() == "o"][-1].get_xydata()[0]
            reach, top = (float(text.get_text()) for text in chart.texts[4:6])  # labels at the far ends
            assert top == 2.0 * reach
        unit = reach / 2.0  # the picture is 4 units wide and high
        centre = (dot - [2.0, 0.0]) * unit
        ends = spokes[~np.isnan(spokes[:, 0])].reshape(16, -1, 2)[:, -1]
        for points in (ring, ends):
            location, scale = ((points - [2.0, 0.0]) * unit).T
            squared = across / along * (location - centre[0]) ** 2 + (scale - centre[1]) ** 2
            distance = np.sqrt(along) * np.arccosh(1 + squared / (2 * scale * centre[1]))
            np.testing.assert_allclose(distance, r, rtol=1e-6)
        name = said(panel.sentence)[0]
        numbers = [float(word.replace("−", "-")) for word in re.findall(r"(−?\d\.\d)", name)]
        assert numbers[-2:] == pytest.approx(centre, abs=0.051)
        # all of it is seen
        assert np.all(ring >= 0.0) and np.all(ring <= 4.0)


def test_every_circle_fits():
    for family in (*STEPS, "Gamma"):
        for place in curvature.PLACES:
            now = curvature.drawing(family, place)
            assert np.all(now.circles > 0.0) and np.all(now.circles < 4.0)


def test_the_picture_of_the_sphere(panel):
    panel.set(family="Categorical", r=1.0, place=4)
    with panel.drawn() as (chart, _ratios):
        ring, spokes = moving(chart, style.TARGET), moving(chart, curvature.SPOKE)
    centre = np.array([0.5, 0.25, 0.25])
    for points in (ring, spokes):
        first, second = points[~np.isnan(points[:, 0])].T / 4.0
        p = np.stack([first, second, 1 - first - second])
        assert p.min() > -1e-9
        distance = 2 * np.arccos(np.minimum(1, np.sqrt(np.maximum(p, 0)).T @ np.sqrt(centre)))
        if points is ring:
            np.testing.assert_allclose(distance, 1.0, rtol=1e-6)
        else:
            assert distance.max() < 1.0 + 1e-6


def test_what_lies_beyond_the_sides(panel):
    rng = np.random.default_rng(4)
    for r, place in [(1.0, 3), (1.5, 3), (1.2, 5), (2.0, 2)]:
        panel.set(family="Categorical", r=r, place=place)
        share = curvature.SHARES[place - 1]
        root = np.sqrt([share, (1 - share) / 2, (1 - share) / 2])
        away = rng.standard_normal((40_000, 3))
        away -= (away @ root)[:, None] * root
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        outside = np.mean(np.any(np.cos(r / 2) * root + np.sin(r / 2) * away < 0, axis=1))
        beyond = said(panel.sentence)[3]
        assert float(beyond or 0) == pytest.approx(100 * outside, abs=1.8)
        assert (beyond is None) == (outside == 0)


def test_the_curves_of_the_right_picture(panel):
    for family, bend in CONSTANT.items():
        panel.set(family=family, r=1.4)
        with panel.drawn() as (_chart, ratios):
            x, y = moving(ratios, style.TARGET).T
            dot = ratios.lines[-1].get_xydata()[0]
            guides = [line.get_xydata() for line in ratios.lines if line.get_color() == "#A6A6A6"][:5]
            low, high = ratios.get_ylim()
        assert low < y.min() and y.max() < high
        np.testing.assert_allclose(dot, [1.4, np.interp(1.4, x, y)], rtol=1e-9)
        np.testing.assert_allclose(y[-1] * 4 * np.pi, constant_length(bend, 2.0), rtol=1e-8)
        # the curve of the family runs along one of the guides
        assert min(np.max(np.abs(guide[:, 1] - y)) for guide in guides) < 1e-9
        # near r = 0 the ratio is 1 − K·r²/6
        assert 6 * (1 - y[0]) / x[0] ** 2 == pytest.approx(bend, abs=2e-3)


def test_the_circle_looks_different_elsewhere_and_is_not(panel):
    for family in (*STEPS, "Categorical"):
        lengths, rings = set(), []
        for place in (1, 3, 5):
            panel.set(family=family, r=0.6, place=place)
            lengths.add(tuple(said(panel.sentence)[1]))
            with panel.drawn() as (chart, _ratios):
                rings.append(np.ptp(moving(chart, style.TARGET), axis=0))
        assert len(lengths) == 1
        if family != "Categorical":
            assert not np.allclose(rings[0], rings[1], rtol=0.1)
    lengths = []
    for place in (1, 3, 5):
        panel.set(family="Gamma", r=2.0, place=place)
        lengths.append(said(panel.sentence)[1][1])
    assert lengths == sorted(lengths) and len(set(lengths)) == 3


def test_the_prediction(panel):
    panel.answer("Longer")
    assert panel.values == {"family": "Normal", "r": 2.0, "place": 3}
    name, numbers, _words, _beyond = said(panel.sentence)
    assert name == "Normal at (0.0, 1.0)"
    assert numbers[1:4] == [17.195, 1.368, 12.566]
    ring = ig.geometry.balls.fisher_rao_circle(ig.Normal(0.0, 1.0), 2.0, 20_001)
    steps = np.diff(ring.source, axis=0)
    middle = 0.5 * (ring.std[1:] + ring.std[:-1])
    length = np.sum(np.sqrt(steps[:, 0] ** 2 + 2 * steps[:, 1] ** 2) / middle)
    assert numbers[1] == pytest.approx(length, abs=6e-4)


def test_every_place_fits_two_lines(panel):
    for family in curvature.FAMILIES:
        for place in curvature.PLACES:
            now = curvature.drawing(family, place)
            for step in (4, 20, 33, 40):
                words = curvature._sentence(family, place, step, now)
                assert len(_wrapped(words, PAGE, _fonts()[0])) <= 2
                assert "nan" not in words
