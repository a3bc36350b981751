"""The walk in three charts against lengths and ellipses found another way."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from matplotlib.patches import Polygon
from scipy.integrate import quad

import igviz as ig
import igviz.panels.manifold_intuition as lecture

charts = sys.modules["igviz.panels.manifold_intuition.charts"]
PLACES = [(0.3, 0.5, 0.0), (1.0, 0.5, 0.4), (1.0, 0.2, -0.4), (0.42, 0.6, 0.15), (0.0, 0.3, -0.2)]


@pytest.fixture
def panel():
    made = lecture.charts()
    yield made
    made.close()


def numbers(sentence: str) -> list[float]:
    found = re.fullmatch(
        r"From t = 0 to ([\d.]+) the Fisher matrix of each chart measures ([\d.]+), the same to 1e-10 "
        r"\(shortest way: ([\d.]+)\); a ruler on the page ([\d.]+), ([\d.]+) and ([\d.]+)\. "
        r"All ovals have radius ([\d.]+)\.",
        sentence,
    )
    assert found, sentence
    return [float(word) for word in found.groups()]


def walk(t, bend):
    """The walk by the half-ellipse itself: x = mean/√2 on a circle about `centre`, at constant speed."""
    x = np.array([-1.2, 1.5]) / np.sqrt(2.0)
    centre = (x[1] ** 2 + 0.6**2 - x[0] ** 2 - 0.8**2) / (2.0 * (x[1] - x[0]))
    radius = np.hypot(x[0] - centre, 0.8)
    ends = np.arctanh((x - centre) / radius)
    s = ends[0] + (ends[1] - ends[0]) * t
    mean = np.sqrt(2.0) * (centre + radius * np.tanh(s))
    return mean, radius / np.cosh(s) * np.exp(bend * np.sin(np.pi * t))


def in_chart(chart, mean, std):
    if chart == "source":
        return np.array([mean, std])
    if chart == "natural":
        return np.array([mean / std**2, -0.5 / std**2])
    return np.array([mean, mean**2 + std**2])


@pytest.mark.parametrize(("t", "radius", "bend"), PLACES)
def test_the_sentence(panel, t, radius, bend):
    panel.set(t=t, radius=radius, bend=bend)
    said = numbers(panel.sentence)
    assert said[0] == pytest.approx(t)
    assert said[-1] == pytest.approx(radius)

    def speed(chart):
        def at(s):
            step = (in_chart(chart, *walk(s + 1e-5, bend)) - in_chart(chart, *walk(s - 1e-5, bend))) / 2e-5
            return np.hypot(*step)

        return at

    def fisher(s):
        (mean0, std0), (mean1, std1) = walk(s - 1e-5, bend), walk(s + 1e-5, bend)
        return np.hypot(mean1 - mean0, np.sqrt(2.0) * (std1 - std0)) / 2e-5 / walk(s, bend)[1]

    assert said[1] == pytest.approx(quad(fisher, 0.0, t)[0], abs=6e-4)
    for chart, length in zip(charts.CHARTS, said[3:6], strict=True):
        assert length == pytest.approx(quad(speed(chart), 0.0, t)[0], abs=6e-3)
    here = ig.Normal(*walk(t, bend))
    assert said[2] == pytest.approx(ig.fisher_rao_distance(ig.Normal(-1.2, 0.8), here), abs=6e-4)
    assert said[1] >= said[2]


@pytest.mark.parametrize("bend", [one / 20 for one in range(-8, 9)])
def test_lengths_agree_in_every_chart_at_every_place(bend):
    source, natural, expectation = (charts.lengths(chart, "fisher", bend) for chart in charts.CHARTS)
    np.testing.assert_allclose(natural, source, rtol=0, atol=1e-10)
    np.testing.assert_allclose(expectation, source, rtol=0, atol=1e-10)
    shortest = float(ig.fisher_rao_distance(charts.START, charts.END))
    assert source[-1] == pytest.approx(shortest, abs=1e-10) if bend == 0 else source[-1] > shortest + 1e-3
    rulers = [charts.lengths(chart, "euclidean", bend)[-1] for chart in charts.CHARTS]
    assert max(rulers) > 1.3 * min(rulers)


def test_a_detour_may_look_shorter(panel):
    """The ruler in (mean, std) calls the detour through narrow bells a short cut; no Fisher matrix does."""
    panel.scene("The whole way")
    straight = numbers(panel.sentence)
    panel.scene("A detour, narrower bells")
    detour = numbers(panel.sentence)
    assert detour[3] < straight[3]
    assert detour[1] > straight[1]


@pytest.mark.parametrize(("t", "radius", "bend"), PLACES)
def test_ovals_are_one_ball_in_three_charts(panel, t, radius, bend):
    panel.set(t=t, radius=radius, bend=bend)
    here = ig.Normal(*walk(t, bend))
    steps, tips = {}, {}
    with panel.drawn() as axes:
        for one, chart in zip(axes, charts.CHARTS, strict=True):
            centre = here.coordinates(chart)
            point = next(line for line in one.lines[::-1] if line.get_marker() == "o")
            np.testing.assert_allclose(point.get_xydata()[0], centre, rtol=1e-9)
            oval = next(
                patch for patch in one.patches if isinstance(patch, Polygon) and patch.get_lw() == 1.4
            )
            steps[chart] = oval.get_xy()[:73] - centre  # one more where rounding left it open
            squares = np.einsum("ni,ij,nj->n", steps[chart], here.fisher(chart), steps[chart])
            np.testing.assert_allclose(squares, radius**2, rtol=1e-8)
            arrow = next(line for line in one.lines if line.get_markevery() == [1]).get_xydata()
            np.testing.assert_allclose(arrow[0], centre, rtol=1e-9)
            tips[chart] = arrow[1] - centre
            assert tips[chart] @ here.fisher(chart) @ tips[chart] == pytest.approx(radius**2, rel=1e-8)
            along = in_chart(chart, *walk(t + 1e-6, bend)) - in_chart(chart, *walk(t - 1e-6, bend))
            across = along[0] * tips[chart][1] - along[1] * tips[chart][0]
            assert abs(across) < 1e-6 * np.linalg.norm(along) * np.linalg.norm(tips[chart])
            assert along @ tips[chart] > 0
            # nothing leaves the picture
            (left, right), (bottom, top) = one.get_xlim(), one.get_ylim()
            assert np.all((oval.get_xy() > [left, bottom]) & (oval.get_xy() < [right, top]))
    for old, new in [("source", "natural"), ("natural", "expectation")]:
        jacobian = here.jacobian(old, new)
        np.testing.assert_allclose(steps[old], steps[new] @ jacobian.T, atol=1e-9)
        np.testing.assert_allclose(tips[old], jacobian @ tips[new], atol=1e-9)


def test_the_walk_is_drawn_up_to_the_point(panel):
    panel.set(t=0.42, bend=0.15)
    with panel.drawn() as axes:
        for one, chart in zip(axes, charts.CHARTS, strict=True):
            done = next(line for line in one.lines if len(line.get_xdata()) == 22)
            expected = in_chart(chart, *walk(np.linspace(0.0, 0.42, 22), 0.15)).T
            np.testing.assert_allclose(done.get_xydata(), expected, rtol=1e-9)


def test_prediction_and_scenes(panel):
    panel.answer("The same in all three")
    assert panel.values == {"t": 1.0, "radius": 0.5, "bend": 0.0}
    whole = numbers(panel.sentence)
    assert whole[1] == 3.195
    assert whole[3:6] == [2.95, 6.23, 3.41]
    panel.scene("Half the way")
    assert numbers(panel.sentence)[1] == pytest.approx(whole[1] / 2, abs=1e-3)
