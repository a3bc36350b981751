"""The steepest way: best points by brute force, angles by hand, and the same bell in every chart."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import igviz as ig
from igviz.models import skewed_posterior
from igviz.panels import kl_quadratic_approximation as lecture
from igviz.plots import style
from tests.panels import laws

ascent = sys.modules["igviz.panels.kl_quadratic_approximation.steepest_ascent"]
PLACES = [
    (-1.4, 0.5, 0.1, "(mean, std)"),
    (0.8, 1.1, 0.2, "(mean, log std)"),
    (-1.2, 0.3, 0.005, "(mean, std²)"),
    (-1.5, 1.5, 0.0001, "(mean, log std)"),
]
NUMBER = r"(−?[\d.]+)"
BELL = rf"N\({NUMBER}, {NUMBER}\)"
SENTENCE = (
    rf"From {BELL}, ε = {NUMBER}: KL ball's best {BELL}, {NUMBER} nats up, {NUMBER}° off I⁻¹∇L; the (.+) "
    rf"circle's, same KL, {BELL}, {NUMBER} nats up, {NUMBER}° off ∇L\."
)
TOP = (
    rf"From {BELL}, ε = {NUMBER}: the top {BELL} is within the budget, {NUMBER} nats of KL away\. Both steps "
    rf"end there, {NUMBER} nats up: in (.+) {NUMBER}° off I⁻¹∇L, {NUMBER}° off ∇L\."
)


@pytest.fixture
def panel():
    made = lecture.steepest_ascent()
    yield made
    made.close()


def said(panel, pattern=SENTENCE):
    found = re.fullmatch(pattern, panel.sentence)
    assert found, panel.sentence
    return [float(word.replace("−", "-")) if word[-1].isdigit() else word for word in found.groups()]


def height(mean, std):
    """The ELBO up to a constant, by its closed form."""
    return mean - np.exp(mean + std**2 / 2) - (mean**2 + std**2) / (2 * 1.5**2) + np.log(std)


def kl(a, s, b, t):
    return np.log(t / s) + (s**2 + (a - b) ** 2) / (2 * t**2) - 0.5


def page(chart, mean, std):
    second = {"(mean, std)": std, "(mean, log std)": np.log(std), "(mean, std²)": std**2}[chart]
    return np.array([mean, second])


def back(chart, x):
    with np.errstate(invalid="ignore"):
        second = {"(mean, std)": x[1], "(mean, log std)": np.exp(x[1]), "(mean, std²)": np.sqrt(x[1])}[chart]
    return np.array([x[0], second])


def slope(function, x):
    step = 1e-6 * np.eye(2)
    return np.array([(function(x + one) - function(x - one)) / 2e-6 for one in step])


def degrees_between(u, v):
    return np.degrees(np.arccos(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1, 1)))


def brute_on_ball(mean, std, budget):
    """The highest of many normals with KL(q‖p) = budget: for each std the two means that have it."""
    best = (-np.inf, 0.0, 0.0)
    low, high = std * np.exp(-3 * np.sqrt(budget)), std * np.exp(3 * np.sqrt(budget))
    for _ in range(3):
        t = np.linspace(low, high, 20_001)
        left = 2 * std**2 * (budget - kl(mean, t, mean, std))
        t, root = t[left >= 0], np.sqrt(left[left >= 0])
        for m in (mean - root, mean + root):
            k = int(np.argmax(height(m, t)))
            best = max(best, (height(m[k], t[k]), m[k], t[k]))
        reach = (high - low) / 100
        low, high = best[2] - reach, best[2] + reach
    return best[1:]


@pytest.mark.parametrize(("mean", "std", "budget", "chart"), PLACES)
def test_the_sentence(panel, mean, std, budget, chart):
    panel.set(mean=mean, std=std, budget=budget, chart=chart)
    numbers = said(panel)
    assert numbers[:3] == [mean, std, budget]
    assert numbers[7] == chart
    best = brute_on_ball(mean, std, budget)
    assert numbers[3:5] == pytest.approx(best, abs=6e-4)
    assert numbers[5] == pytest.approx(height(*best) - height(mean, std), rel=6e-3)
    start = page(chart, mean, std)
    gradient = slope(lambda x: height(*back(chart, x)), start)
    fisher = np.diag(
        [1.0, {"(mean, std)": 2.0, "(mean, log std)": 2 * std**2, "(mean, std²)": 0.5 / std**2}[chart]]
    )
    natural = np.linalg.solve(fisher / std**2, gradient)
    assert numbers[6] == pytest.approx(degrees_between(page(chart, *best) - start, natural), abs=0.2)
    # on its own circle the other point is the highest, and it has the same divergence
    other = np.array([numbers[8], numbers[9]])
    now = ascent.ascent(mean, std, budget, chart)
    assert other == pytest.approx(now.ordinary.source, abs=6e-4)
    assert kl(*now.ordinary.source, mean, std) == pytest.approx(budget, rel=1e-9)
    step = page(chart, *now.ordinary.source) - start
    angle = np.linspace(0, 2 * np.pi, 3601)
    with np.errstate(invalid="ignore"):
        around = height(
            *back(chart, start[:, None] + np.linalg.norm(step) * np.array([np.cos(angle), np.sin(angle)]))
        )
    assert np.nanmax(around) <= height(*now.ordinary.source) + 1e-12
    assert np.nanmax(around) == pytest.approx(height(*now.ordinary.source), abs=1e-4)
    assert numbers[10] == pytest.approx(height(*now.ordinary.source) - height(mean, std), rel=6e-3)
    assert numbers[11] == pytest.approx(degrees_between(step, gradient), abs=0.06)
    assert now.gains[1] < now.gains[0]


@pytest.mark.parametrize(("mean", "std", "budget", "chart"), PLACES)
def test_the_picture(panel, mean, std, budget, chart):
    panel.set(mean=mean, std=std, budget=budget, chart=chart)
    now = ascent.ascent(mean, std, budget, chart)
    with panel.drawn() as (plane, zoom):

        def long(axes, colour):
            return next(
                one.get_xydata()
                for one in axes.lines
                if one.get_color() == colour and len(one.get_xdata()) == 121 and one.get_alpha() is None
            )

        ball, circle = long(plane, style.VERMILLION), long(plane, style.BLUE)
        near_ball, near_circle = long(zoom, style.VERMILLION), long(zoom, style.BLUE)
        ways = {one.get_marker(): one.get_xydata() for one in plane.lines if len(one.get_xdata()) == 2}
        near = {one.get_marker(): one.get_xydata() for one in zoom.lines if len(one.get_xdata()) == 2}
        rays = [
            one.get_xydata() for one in zoom.lines if len(one.get_xdata()) == 2 and one.get_marker() == "None"
        ]
        (level,) = [one.get_xydata() for one in zoom.lines if len(one.get_xdata()) == 41]
        label = zoom.texts[0].get_text()
    np.testing.assert_allclose(kl(*ball.T, mean, std), budget, rtol=1e-6)
    np.testing.assert_allclose(ways["D"][1], now.natural.source)
    np.testing.assert_allclose(ways["s"][1], now.ordinary.source)
    for way in ways.values():
        np.testing.assert_allclose(way[0], [mean, std])
    # the circle is round on the chart's page and goes through its best point
    start = page(chart, mean, std)
    radii = np.linalg.norm(near_circle, axis=1)
    np.testing.assert_allclose(radii, np.linalg.norm(near["s"][1]), rtol=1e-9)
    unit = np.linalg.norm(page(chart, *now.ordinary.source) - start) / radii[0]
    assert float(label.split("÷ ")[1]) == pytest.approx(unit, rel=0.06)
    np.testing.assert_allclose(start + unit * near_ball, page(chart, *ball.T).T, atol=1e-9)
    inside = ~np.isnan(circle[:, 0])
    np.testing.assert_allclose(
        page(chart, *circle[inside].T).T, (start + unit * near_circle)[inside], atol=1e-9
    )
    np.testing.assert_allclose(near["D"][1] * unit + start, page(chart, *now.natural.source), atol=1e-9)
    # the level line touches the ball from outside at its best point
    source = back(chart, (start + unit * level[~np.isnan(level[:, 0])]).T)
    np.testing.assert_allclose(height(*source), height(*now.natural.source), atol=1e-8)
    assert np.all(kl(*source, mean, std) > budget * (1 - 1e-6))
    # the rays are the two gradients
    gradient = slope(lambda x: height(*back(chart, x)), start)
    assert degrees_between(rays[1][1], gradient) < 1e-3
    assert degrees_between(rays[0][1], page_of_natural(chart, mean, std)) < 1e-3


def page_of_natural(chart, mean, std):
    """I⁻¹∇L in (mean, std), and where a short step along it leads on the page."""
    step = np.array([std**2, std**2 / 2]) * slope(lambda x: height(*x), np.array([mean, std]))
    return (page(chart, *(np.array([mean, std]) + 1e-6 * step)) - page(chart, mean, std)) / 1e-6


def test_the_kl_balls_best_is_the_same_bell_in_every_chart_and_the_circles_is_not(panel):
    natural, ordinary = set(), set()
    for chart in ascent.CHARTS:
        panel.set(chart=chart)
        numbers = said(panel)
        natural.add(tuple(numbers[3:6]))
        ordinary.add(tuple(numbers[8:11]))
    assert len(natural) == 1
    assert len(ordinary) == 3


@pytest.mark.parametrize("chart", ascent.CHARTS)
def test_a_small_budget_goes_along_the_gradients(panel, chart):
    angles = []
    for budget in (0.1, 0.001, 0.0001):
        panel.set(budget=budget, chart=chart)
        numbers = said(panel)
        angles.append((numbers[6], numbers[11]))
    assert max(angles[-1]) < 0.6
    assert angles[0] >= angles[1] >= angles[2]


def test_the_contours_are_level(panel):
    best = skewed_posterior.best_normal()
    with panel.drawn() as (plane, _zoom):
        rings = [one.get_xydata() for one in plane.lines
                 if one.get_color() == ascent.CONTOUR["color"] and len(one.get_xdata())]  # fmt: skip
    assert len(rings) == len(ascent.BELOW)
    for ring, below in zip(rings, ascent.BELOW, strict=True):
        np.testing.assert_allclose(height(*best.source) - height(*ring.T), below, rtol=1e-6)


def test_where_the_top_is_within_the_budget(panel):
    panel.set(mean=-0.3, std=0.7, budget=0.1)
    numbers = said(panel, TOP)
    best = skewed_posterior.best_normal()
    assert numbers[3:5] == pytest.approx(best.source, abs=6e-4)
    assert numbers[5] == pytest.approx(kl(*best.source, -0.3, 0.7), rel=6e-3)
    assert numbers[6] == pytest.approx(height(*best.source) - height(-0.3, 0.7), rel=6e-3)
    assert numbers[6] < ig.models.skewed_posterior.log_evidence() - height(-0.3, 0.7)


def test_the_prediction(panel):
    before = said(panel)
    panel.answer("The circle's")
    after = said(panel)
    assert after[3:6] == before[3:6]
    assert after[8:10] != before[8:10]


def test_the_laws_of_the_collection(panel):
    laws.check(panel)


def test_it_answers_everywhere():
    for mean in np.round(np.arange(-2, 1.01, 0.5), 2):
        for std in np.round(np.arange(0.3, 1.51, 0.3), 2):
            for budget in (0.5, 0.01):
                for chart in ascent.CHARTS:
                    now = ascent.ascent(float(mean), float(std), budget, chart)
                    assert now.top or now.gains[0] >= now.gains[1] > 0
                    assert now.spent <= budget * (1 + 1e-9)
