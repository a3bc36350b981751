"""Errors of the quadratic KL: words and lines against divergences in many digits, slopes, and exceptions."""

from __future__ import annotations

import re
import sys

import mpmath
import numpy as np
import pytest

from igviz.panels import kl_quadratic_approximation as lecture
from igviz.plots import style
from tests.panels import laws

orders = sys.modules["igviz.panels.kl_quadratic_approximation.order_of_error"]
COLOURS = (style.BLACK, style.BLUE, style.PURPLE, style.GREEN)
SENTENCE = (
    r"(\S.*), size ([\d.]+) (at \d+°|up|down) in (\S.*): KL\(p‖q\) is (\S+)% off ½·δᵀIδ, KL\(q‖p\) (\S+)%, "
    r"average (\S+)%, I at the midpoint (\S+)%\. Slopes up to 0\.1: ([\d.]+), ([\d.]+), ([\d.]+), ([\d.]+)\."
)
PLACES = [
    ("Normal, (mean, std)", 3, 60, 0.1),
    ("Normal, (mean, std)", 1, 255, 0.3),
    ("Normal, natural", 5, 195, 0.05),
    ("Normal, expectation", 2, 120, 0.01),
    ("Gamma, (shape, rate)", 1, 240, 0.3),
    ("Bernoulli, logit", 1, 180, 0.02),
    ("Bernoulli, logit", 3, 0, 0.01),
    ("Poisson, rate", 4, 0, 0.2),
]


@pytest.fixture
def panel():
    made = lecture.order_of_error()
    yield made
    made.close()


def divergence(family):
    """KL as a function of coordinates, in mpmath, and those coordinates of a place."""
    if family.startswith("Normal"):
        chart = family.split(", ", 1)[1]

        def source(x):
            if chart == "natural":
                return -x[0] / (2 * x[1]), mpmath.sqrt(-1 / (2 * x[1]))
            return (x[0], mpmath.sqrt(x[1] - x[0] ** 2)) if chart == "expectation" else x

        def kl(x, y):
            (a, s), (b, t) = source(x), source(y)
            return mpmath.log(t / s) + (s**2 + (a - b) ** 2) / (2 * t**2) - mpmath.mpf("0.5")

        return kl
    if family.startswith("Gamma"):
        return lambda x, y: (
            (x[0] - y[0]) * mpmath.digamma(x[0]) - mpmath.loggamma(x[0]) + mpmath.loggamma(y[0])
            + y[0] * mpmath.log(x[1] / y[1]) + x[0] * (y[1] - x[1]) / x[1]
        )  # fmt: skip
    if family.startswith("Poisson"):
        return lambda x, y: x[0] * mpmath.log(x[0] / y[0]) - x[0] + y[0]

    def bernoulli(x, y):
        p, q = (1 / (1 + mpmath.exp(-one[0])) for one in (x, y))
        return p * mpmath.log(p / q) + (1 - p) * mpmath.log((1 - p) / (1 - q))

    return bernoulli


def metric(kl, x):
    """The Fisher matrix as the second derivatives of KL(x‖y) by y at x, by differences in forty digits."""
    n, step = len(x), mpmath.mpf("1e-12")

    def at(*moves):
        return kl(x, [one + step * sum(m[k] for m in moves) for k, one in enumerate(x)])

    unit = [[int(i == k) for k in range(n)] for i in range(n)]
    flip = [[-e for e in one] for one in unit]
    return mpmath.matrix(
        [
            [
                (at(unit[i], unit[j]) - at(unit[i], flip[j]) - at(flip[i], unit[j]) + at(flip[i], flip[j]))
                / (4 * step**2)
                for j in range(n)
            ]
            for i in range(n)
        ]
    )


def exact(family, place, angle, r):
    """The four errors, from the divergence alone."""
    with mpmath.workdps(60):
        one = orders.FAMILIES[family]
        kl = divergence(family)
        x = [mpmath.mpf(float(c)) for c in one.places[place - 1].coordinates(one.chart)]
        fisher = metric(kl, x)
        inverse = mpmath.inverse(fisher)
        turn = [mpmath.cos(mpmath.radians(angle)), mpmath.sin(mpmath.radians(angle))][: len(x)]
        step = mpmath.matrix([t * mpmath.sqrt(inverse[k, k]) for k, t in enumerate(turn)])
        step = step * (r / mpmath.sqrt((step.T * fisher * step)[0]))
        y, middle = ([a + part * b for a, b in zip(x, step, strict=True)] for part in (1, mpmath.mpf("0.5")))
        half = mpmath.mpf(r) ** 2 / 2
        half_middle = (step.T * metric(kl, middle) * step)[0] / 2
        there, back = kl(x, y), kl(y, x)
        average = (there + back) / 2
        return np.array(
            [float(e) for e in (there - half, back - half, average - half, average - half_middle)]
        )


@pytest.mark.parametrize(("family", "place", "angle", "r"), PLACES)
def test_words_and_picture(panel, family, place, angle, r):
    panel.set(family=family, place=place, angle=angle, r=r)
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    errors = exact(family, place, angle, r)
    percent = [float(word.replace("−", "-")) for word in found.groups()[4:8]]
    np.testing.assert_allclose(percent, 100 * errors / (0.5 * r**2), rtol=0.06)
    assert float(found[2]) == r
    with panel.drawn() as (chart, lines):
        for colour, error, slope in zip(COLOURS, errors, found.groups()[8:], strict=True):
            curve, point = [one for one in lines.lines if one.get_color() == colour and len(one.get_xdata())]
            np.testing.assert_allclose(point.get_xydata()[0], [r, abs(error)], rtol=1e-3)
            size, height = curve.get_data()
            assert size[0] == pytest.approx(0.01) and size[-1] == pytest.approx(0.3)
            for k in (0, 12, 30):
                own = exact(family, place, angle, float(size[k]))[COLOURS.index(colour)]
                assert height[k] == pytest.approx(abs(own), rel=1e-3)
            low, high = lines.get_ylim()
            assert low < height.min() and height.max() < high
            inside = size <= 0.1001
            fitted = np.polyfit(np.log(size[inside]), np.log(height[inside]), 1)[0]
            assert float(slope) == pytest.approx(fitted, abs=0.02)
        p, m, q = (one.get_xydata()[0] for one in chart.lines[-3:])
        ring, middle = (one.get_xydata() for one in chart.lines[-6:-4])
    np.testing.assert_allclose(p, 0)
    np.testing.assert_allclose(m, q / 2, atol=1e-12)
    if len(orders.FAMILIES[family].labels) == 2:
        assert np.degrees(np.arctan2(q[1], q[0])) % 360 == pytest.approx(angle, abs=1e-9)
        np.testing.assert_allclose(np.abs(ring).max(axis=0), 1, atol=2e-3)
        nearest = np.min(np.linalg.norm(ring - q, axis=1))
        assert nearest < 0.05, "q lies on the ellipse"
        assert not np.allclose(ring, middle, atol=1e-3) or r < 0.05
    else:
        assert q == pytest.approx([1 if angle <= 90 else -1, 0])


@pytest.mark.parametrize(("family", "place", "angle"), [
    (family, place, angle)
    for family in ("Normal, (mean, std)", "Normal, natural", "Normal, expectation", "Gamma, (shape, rate)",
                   "Poisson, rate")
    for place, angle in ((2, 75), (4, 240))
])  # fmt: skip
def test_generic_slopes(family, place, angle):
    np.testing.assert_allclose(orders.errors(family, place, angle).slopes, [3, 3, 3, 4], atol=0.15)


def test_when_only_the_mean_moves_there_is_no_error(panel):
    for family, angle in (("Normal, (mean, std)", 0), ("Normal, (mean, std)", 180), ("Normal, natural", 0)):
        for place in orders.PLACES:
            panel.set(family=family, angle=angle, place=place)
            assert panel.sentence.endswith("exactly, whatever the size, so there is no error.")
            with panel.drawn() as (_chart, lines):
                drawn = [one for one in lines.lines if one.get_color() in COLOURS and len(one.get_xdata())]
                assert not drawn
                assert "all four errors are exactly 0" in lines.texts[-1].get_text()
    panel.set(family="Normal, expectation", angle=0, place=2)
    assert "Slopes" in panel.sentence


def test_every_place_draws_and_says_something(panel):
    """No error is 0 on the way unseen: where one is drawn it has a logarithm, and every slope is a number."""
    for family in orders.FAMILIES:
        for place in orders.PLACES:
            for angle in range(0, 360, 15):
                now = orders.errors(family, place, angle)
                exact_zero = not np.any(now.curves)
                assert exact_zero or np.all(now.curves != 0)
                assert exact_zero or not np.any(np.isnan(now.slopes))


def test_the_prediction_and_the_scenes(panel):
    panel.answer("The fourth")
    assert panel.sentence.endswith("Slopes up to 0.1: 4.00, 4.00, 4.00, 4.00.")
    panel.scene("Coin, p = 0.1")
    assert panel.sentence.endswith("Slopes up to 0.1: 3.02, 3.02, 3.02, 3.98.")
    panel.scene("Natural coordinates")
    assert "in (η₁, η₂)" in panel.sentence


def test_guides_have_the_slopes_they_name(panel):
    with panel.drawn() as (_chart, lines):
        guides = [one.get_xydata() for one in lines.lines if one.get_color() == style.GREY]
        words = [one.get_text() for one in lines.texts]
    slopes = [np.diff(np.log(one[:, 1]))[0] / np.diff(np.log(one[:, 0]))[0] for one in guides]
    np.testing.assert_allclose(slopes, [3, 4])
    assert words == ["slope 3", "slope 4"]


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
