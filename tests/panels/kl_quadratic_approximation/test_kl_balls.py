"""The four balls against divergences and distances found another way."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from scipy import integrate, optimize, stats

import igviz as ig
from igviz.panels import kl_quadratic_approximation as lecture
from igviz.plots import style
from tests.panels import laws

balls = sys.modules["igviz.panels.kl_quadratic_approximation.kl_balls"]
PLACES = [
    (0.6, 0.8, 0.2, "(mean, std)"),
    (-0.23, 0.86, 0.1, "natural"),
    (-1.0, 1.0, 0.05, "expectation"),
    (0.9, 0.4, 1.0, "(mean, log std)"),
    (0.3, 0.55, 0.0001, "natural"),
]
SENTENCE = (
    r"N\((\S+), ([\d.]+)\): KL\(p‖q\) = (\S+) reaches std ([\d.]+)–([\d.]+), KL\(q‖p\) = (\S+) "
    r"([\d.]+)–([\d.]+)\. KL\(p‖q\) ÷ ε: ([\d.]+)–([\d.]+) there, geodesic ball ([\d.]+)–([\d.]+), "
    r"(\S.*) ellipse ([\d.]+)–([\d.]+|∞)\."
)


@pytest.fixture
def panel():
    made = lecture.kl_balls()
    yield made
    made.close()


def said(panel):
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    return [float(word.replace("−", "-").replace("∞", "inf")) if k != 12 else word
            for k, word in enumerate(found.groups())]  # fmt: skip


def kl(a, s, b, t):
    """KL(N(a, s)‖N(b, t)) by its textbook formula."""
    return np.log(t / s) + (s**2 + (a - b) ** 2) / (2 * t**2) - 0.5


def in_chart(chart, mean, std):
    mean, std = np.broadcast_arrays(mean, std)
    return {
        "(mean, std)": np.array([mean, std]),
        "(mean, log std)": np.array([mean, np.log(std)]),
        "natural": np.array([mean / std**2, -0.5 / std**2]),
        "expectation": np.array([mean, mean**2 + std**2]),
    }[chart]


def curve(axes, look):
    found = [one for one in axes.lines if one.get_color() == look["color"] and len(one.get_xdata()) == 181]
    assert len(found) == 1
    return found[0].get_xydata()


@pytest.mark.parametrize(("mean", "std", "epsilon", "chart"), PLACES)
def test_each_curve_is_what_the_legend_says(panel, mean, std, epsilon, chart):
    panel.set(mean=mean, std=std, epsilon=epsilon, chart=chart)
    with panel.drawn() as (plane, zoom):
        there, back, geodesic, flat = (
            curve(plane, one).T for one in (balls.THERE, balls.BACK, balls.BALL, balls.ELLIPSE)
        )
        zoomed = [curve(zoom, one).T for one in (balls.THERE, balls.BACK, balls.BALL, balls.ELLIPSE)]
        dots = [one.lines[-1].get_xydata()[0] for one in (plane, zoom)]
        shown = [one.get_text() for one in zoom.texts]
    near = {"rtol": 1e-7, "atol": 1e-13}
    np.testing.assert_allclose(kl(mean, std, *there), epsilon, **near)
    np.testing.assert_allclose(kl(*back, mean, std), epsilon, **near)
    cosh = 1 + ((geodesic[0] - mean) ** 2 / 2 + (geodesic[1] - std) ** 2) / (2 * std * geodesic[1])
    np.testing.assert_allclose(np.sqrt(2) * np.arccosh(cosh), np.sqrt(2 * epsilon), rtol=1e-7)
    np.testing.assert_allclose(dots, [[mean, std], [0, 0]], atol=1e-12)
    # the ellipse, with the Fisher matrix as the mean of scores' products by differences and quadrature
    start = in_chart(chart, mean, std)
    inside = ~np.isnan(flat[0])
    steps = in_chart(chart, *flat[:, inside]) - start[:, None]
    metric = fisher(chart, mean, std)
    np.testing.assert_allclose(0.5 * np.einsum("in,ij,jn->n", steps, metric, steps), epsilon, rtol=2e-5)
    # the zoomed picture, in half-widths of the ellipse
    units = np.sqrt(2 * epsilon * np.diag(np.linalg.inv(metric)))
    for source, page in zip((there, back, geodesic), zoomed, strict=False):
        wanted = (in_chart(chart, *source) - start[:, None]) / units[:, None]
        np.testing.assert_allclose(page, wanted, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(zoomed[3][:, inside], steps / units[:, None], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(np.abs(zoomed[3]).max(axis=1), 1, rtol=1e-3)
    for words, middle, unit in zip(shown[-2:], start, units, strict=True):
        sign, number, divisor = re.search(r" ([−+]) ([\d.]+)\) ÷ ([\d.]+)$", words).groups()
        assert float(number) * (1 if sign == "−" else -1) == pytest.approx(middle, abs=0.006)
        assert float(divisor) == pytest.approx(unit, rel=0.06)


def fisher(chart, mean, std):
    def log_density(x, c):
        if chart == "(mean, std)":
            return stats.norm.logpdf(x, *c)
        if chart == "(mean, log std)":
            return stats.norm.logpdf(x, c[0], np.exp(c[1]))
        if chart == "natural":
            return stats.norm.logpdf(x, -0.5 * c[0] / c[1], np.sqrt(-0.5 / c[1]))
        return stats.norm.logpdf(x, c[0], np.sqrt(c[1] - c[0] ** 2))

    start = in_chart(chart, mean, std)
    x = mean + std * np.linspace(-11, 11, 2001)

    def slope(k):
        step = 1e-5 * np.abs(start[k]) + 1e-6
        shift = step * np.eye(2)[k]
        return (log_density(x, start + shift) - log_density(x, start - shift)) / (2 * step)

    scores = [slope(0), slope(1)]
    weight = stats.norm.pdf(x, mean, std)
    return np.array([[integrate.trapezoid(weight * a * b, x) for a in scores] for b in scores])


@pytest.mark.parametrize(("mean", "std", "epsilon", "chart"), PLACES)
def test_the_sentence(panel, mean, std, epsilon, chart):
    panel.set(mean=mean, std=std, epsilon=epsilon, chart=chart)
    numbers = said(panel)
    assert numbers[:3] == [mean, std, epsilon]
    assert numbers[5] == epsilon
    assert numbers[12] == chart
    # the stds at which the divergences of bells with the same mean are ε, from below and from above
    near = 6e-4 if epsilon < 0.01 else 6e-3

    def ends(divergence):
        low = optimize.brentq(lambda t: divergence(t) - epsilon, 1e-3 * std, std)
        return low, optimize.brentq(lambda t: divergence(t) - epsilon, std, 100 * std)

    assert numbers[6:8] == pytest.approx(ends(lambda t: kl(mean, t, mean, std)), abs=near)
    # a wide bell may lie aside: the farthest of KL(p‖q) = ε has p's mean all the same
    assert numbers[3:5] == pytest.approx(ends(lambda t: kl(mean, std, mean, t)), abs=near)
    with panel.drawn() as (plane, _zoom):
        for look, low, high in ((balls.BACK, *numbers[8:10]), (balls.BALL, *numbers[10:12])):
            ratio = kl(mean, std, *curve(plane, look).T) / epsilon
            assert [ratio.min(), ratio.max()] == pytest.approx([low, high], abs=near)
        flat = curve(plane, balls.ELLIPSE).T
    inside = ~np.isnan(flat[0])
    ratio = kl(mean, std, *flat[:, inside]) / epsilon
    assert ratio.min() == pytest.approx(numbers[13], abs=near)
    assert numbers[14] == (pytest.approx(ratio.max(), abs=near) if np.all(inside) else np.inf)


@pytest.mark.parametrize("chart", balls.CHARTS)
def test_all_merge_as_the_radius_shrinks(panel, chart):
    """The departures fall like √ε."""
    departures = []
    for epsilon in (0.01, 0.0001):
        found = balls.ratios(epsilon, chart)
        departures.append([max(1 - low, high - 1) for low, high in found])
    ratio = np.array(departures[0]) / np.array(departures[1])
    np.testing.assert_allclose(ratio, 10, rtol=0.35)
    assert np.max(departures[1]) < 0.05


def test_what_is_left_of_the_family_is_grey(panel):
    """Just inside the grey region there is no distribution, just outside there is one."""
    for chart in ("(mean, std)", "natural", "expectation"):
        panel.set(mean=0.5, std=0.7, epsilon=0.5, chart=chart)
        with panel.drawn() as (_plane, zoom):
            region = zoom.patches[-1].get_path()
        view, p = balls.NORMAL_CHARTS[chart], ig.Normal(0.5, 0.7)
        units = view.half_widths(p)  # times √(2ε) = 1
        for x in (-1.3, 0.1, 1.2):
            heights = np.linspace(-2.55, 2.55, 200)
            page = np.stack([np.full(200, x), heights], axis=-1)
            nowhere = np.isnan(view.to_source(view.coordinates(p) + page * units)[:, 0])
            grey = region.contains_points(page)
            assert np.sum(grey != nowhere) <= 1
            assert 5 < np.sum(nowhere) < 195
    panel.set(chart="(mean, log std)")
    with panel.drawn() as (_plane, zoom):
        assert not zoom.patches


def test_where_a_divergence_is_infinite_the_sentence_says_so(panel):
    panel.set(epsilon=1.0)
    assert said(panel)[14] == np.inf
    panel.set(epsilon=0.3, chart="expectation")
    assert said(panel)[14] == np.inf
    panel.set(epsilon=1.0, chart="(mean, log std)")
    assert np.isfinite(said(panel)[14])


def test_the_prediction_and_the_scenes(panel):
    panel.answer("KL(p‖q) = 0.5")
    numbers = said(panel)
    assert numbers[4] > numbers[7] and numbers[3] > numbers[6], "farther up, less far down"
    panel.scene("They merge")
    assert max(said(panel)[9], said(panel)[11], said(panel)[14]) < 1.06
    panel.scene("The posterior's mean and std")
    assert said(panel)[:2] == pytest.approx(ig.models.skewed_posterior.posterior_moments(), abs=6e-3)


def test_the_point_is_dragged(panel):
    assert panel.definition.drag == (0, 1, 0)


def test_the_laws_of_the_collection(panel):
    laws.check(panel)


def test_the_legend_names_four_curves(panel):
    with panel.drawn() as (plane, _zoom):
        words = [text.get_text() for text in plane.get_legend().get_texts()]
        looks = [line.get_color() for line in plane.get_legend().get_lines()]
    assert words == ["KL(p‖q) = ε", "KL(q‖p) = ε", "geodesic √(2ε)", "ellipse ½·δᵀIδ = ε"]
    assert looks[:3] == [style.BLACK, style.BLUE, style.GREEN]
