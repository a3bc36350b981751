"""Steps in three charts: words and picture against distances by hand, and the two orders."""

from __future__ import annotations

import re
import sys
from itertools import combinations

import numpy as np
import pytest

from igviz.panels import natural_gradient_vi as lecture
from igviz.plots import style
from tests.panels import laws
from tests.panels.natural_gradient_vi.test_steps import BY_HAND, by_hand

invariance = sys.modules["igviz.panels.natural_gradient_vi.invariance"]
CHARTS = ("expectation", "natural", "(mean, std)")
NUMBER = r"(−?[\d.]+(?:·10⁻[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?)"
SENTENCE = (
    rf"N\({NUMBER}, {NUMBER}\), step {NUMBER}: natural steps in three charts "
    rf"land within {NUMBER} of each other"
    rf"(?:, {NUMBER} times closer than at {NUMBER})?; plain ones within {NUMBER}"
    rf"(?:, {NUMBER} times closer)?\. Slopes {NUMBER} and {NUMBER}\."
)
PLACES = [(-1.4, 0.7, 0.4), (-1.4, 0.7, 0.05), (-0.8, 0.5, 0.01), (-1.5, 1.1, 0.1), (-0.4, 0.9, 0.0005)]


@pytest.fixture
def panel():
    made = lecture.invariance()
    yield made
    made.close()


def number(word):
    if word is None:
        return None
    digits, _, power = word.replace("−", "-").partition("·10⁻")
    shift = int("".join(str("⁰¹²³⁴⁵⁶⁷⁸⁹".index(one)) for one in power)) if power else 0
    return float(digits) * 10.0**-shift


def said(panel):
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    return [number(word) for word in found.groups()]


def ends(mean, std, step):
    """Where the natural and the plain steps end, each shape (3, 2)."""
    found = []
    for chart in CHARTS:
        x, gradient, fisher = by_hand(chart, mean, std)
        back = BY_HAND[chart][1]
        found.append((back(x + step * np.linalg.solve(fisher, gradient)), back(x + step * gradient)))
    return np.array(found).swapaxes(0, 1)


def distance(a, b):
    """Fisher–Rao: the half-plane of (mean/√2, std), times √2."""
    between = ((a[0] - b[0]) ** 2 / 2 + (a[1] - b[1]) ** 2) / (4 * a[1] * b[1])
    return 2 * np.sqrt(2) * np.arcsinh(np.sqrt(between))


def farthest(points):
    return max(distance(a, b) for a, b in combinations(points, 2))


@pytest.mark.parametrize(("mean", "std", "step"), PLACES)
def test_the_sentence(panel, mean, std, step):
    panel.set(mean=mean, std=std, step=step)
    numbers = said(panel)
    assert numbers[:3] == [mean, std, step]
    near, far = ([farthest(one) for one in ends(mean, std, size)] for size in (step, 2 * step))
    assert numbers[3] == pytest.approx(near[0], rel=0.06)
    assert numbers[6] == pytest.approx(near[1], rel=0.06)
    if step == 0.4:
        assert numbers[4:6] == [None, None]
        assert numbers[7] is None
    else:
        assert numbers[5] == 2 * step
        assert [numbers[4], numbers[7]] == pytest.approx(np.divide(far, near), abs=0.06)
    assert numbers[8] == pytest.approx(2.0, abs=0.03)
    assert numbers[9] == pytest.approx(1.0, abs=0.04)


@pytest.mark.parametrize(("mean", "std", "step"), PLACES)
def test_the_picture(panel, mean, std, step):
    panel.set(mean=mean, std=std, step=step)
    natural, plain = ends(mean, std, step)
    with panel.drawn() as (plane, orders):
        unit = invariance.unit(mean, std, step)
        for colour, points in ((style.VERMILLION, natural), (style.BLUE, plain)):
            mine = [one for one in plane.lines if one.get_color() == colour]
            arrows = [one.get_xydata() for one in mine if len(one.get_xdata()) == 2]
            marks = {one.get_marker(): one for one in mine if len(one.get_xdata()) == 1}
            for arrow, marker, end in zip(arrows, ("s", "o", "^"), points, strict=True):
                np.testing.assert_allclose(arrow[0], 0.0)
                np.testing.assert_allclose([mean, std] + unit * arrow[1], end, rtol=1e-6, atol=1e-6 * step)
                check_mark(marks[marker], arrow[1])
            (mark,) = [one.get_xydata()[0] for one in orders.lines
                       if one.get_color() == colour and len(one.get_xdata()) == 1]  # fmt: skip
            assert mark == pytest.approx([step, farthest(points)], rel=1e-4)
            (curve,) = [one.get_xydata() for one in orders.lines
                        if one.get_color() == colour and len(one.get_xdata()) == 25]  # fmt: skip
            kind = 0 if colour == style.VERMILLION else 1
            for size, height in curve[[8, 24]]:
                assert height == pytest.approx(farthest(ends(mean, std, size)[kind]), rel=1e-3)
        words = [one.get_text() for one in plane.texts]
    assert float(words[0].split("÷ ")[1]) == pytest.approx(unit, rel=0.06)
    # a natural-gradient arrow is seen
    length = np.linalg.norm(natural[2] - [mean, std]) / unit
    assert 0.49 < length < 0.81


def check_mark(mark, end):
    """At the end of an arrow inside the frame, or hollow where the arrow crosses the frame's inner border."""
    low, high = invariance.LEAST + invariance.INSET, invariance.MOST - invariance.INSET
    at = mark.get_xydata()[0]
    assert np.all((at >= low - 1e-6) & (at <= high + 1e-6))
    if np.all((end >= low - 1e-6) & (end <= high + 1e-6)):
        np.testing.assert_allclose(at, end)
        assert mark.get_markerfacecolor() != style.PAPER
    else:
        assert mark.get_markerfacecolor() == style.PAPER
        assert at[0] * end[1] == pytest.approx(at[1] * end[0])
        assert np.min(np.abs(np.append(at - low, high - at))) < 1e-6


def test_the_arrows_of_the_default_fit_and_those_of_a_small_step_show_where_they_leave(panel):
    def hollow():
        with panel.drawn() as (plane, _orders):
            return [one.get_marker() for one in plane.lines if one.get_markerfacecolor() == style.PAPER]

    assert hollow() == []
    panel.scene("A small step")
    assert hollow() == ["s"]


def test_each_landing_is_seen(panel):
    for scene in (None, *panel.definition.scenes):
        if scene:
            panel.scene(scene)
        with panel.drawn() as (plane, _orders):
            points = 72.0 / plane.figure.dpi
            marks = [(one.get_markersize(), points * plane.transData.transform(one.get_xydata())[0])
                     for one in plane.lines if len(one.get_xdata()) == 1]  # fmt: skip
        assert len(marks) == 7, "six landings and the start"
        for number, (size, place) in enumerate(marks[:-1]):
            for above, over in marks[number + 1 :]:
                assert np.linalg.norm(place - over) + size / 2 > above / 2 + 1.0, scene


@pytest.mark.parametrize(("mean", "std"), [(-1.6, 0.5), (-1.6, 1.1), (-0.4, 0.5), (-0.4, 1.1)])
def test_the_diamonds_are_whole(panel, mean, std):
    for step in (invariance.STEPS[0], invariance.STEPS[-1]):
        panel.set(mean=mean, std=std, step=step)
        with panel.drawn() as (_plane, orders):
            radius = 4.0 * orders.figure.dpi / 72.0
            low, high = orders.get_window_extent().extents.reshape(2, 2)
            for one in orders.lines:
                if one.get_marker() == "D":
                    at = orders.transData.transform(one.get_xydata())[0]
                    assert np.all((at > low + radius) & (at < high - radius))


def test_both_orders_at_every_start():
    slopes = np.array([
        [one.slope for one in invariance.kinds(float(mean), float(std))]
        for mean in np.round(np.arange(-1.6, -0.39, 0.1), 2)
        for std in np.round(np.arange(0.5, 1.11, 0.1), 2)
    ])  # fmt: skip
    np.testing.assert_allclose(slopes[:, 0], 2.0, atol=0.03)
    np.testing.assert_allclose(slopes[:, 1], 1.0, atol=0.03)


def test_no_step_of_the_panel_leaves_the_space():
    for mean in np.round(np.arange(-1.6, -0.39, 0.1), 2):
        for std in np.round(np.arange(0.5, 1.11, 0.1), 2):
            for landed in invariance.landings(mean, std, np.array(invariance.STEPS)):
                assert not np.any(np.isnan(landed))


def test_the_guides_have_the_slopes_they_name(panel):
    with panel.drawn() as (_plane, orders):
        guides = [one.get_xydata() for one in orders.lines if one.get_color() == style.GREY]
        words = [one.get_text() for one in orders.texts]
    slopes = [np.diff(np.log(one[:, 1]))[0] / np.diff(np.log(one[:, 0]))[0] for one in guides]
    np.testing.assert_allclose(slopes, [1, 2])
    assert words == ["slope 1", "slope 2"]


def test_the_prediction(panel):
    before = said(panel)[3]
    panel.answer("About 4")
    numbers = said(panel)
    assert numbers[2] == 0.2
    assert numbers[4] == pytest.approx(4.0, abs=0.3)
    assert before / numbers[3] == pytest.approx(4.0, abs=0.4)


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
