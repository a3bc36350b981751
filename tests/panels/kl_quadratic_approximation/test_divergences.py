"""The α slider: integrals, the α-geodesic's conic, what is infinite, and that all agree up close."""

from __future__ import annotations

import importlib
import re

import numpy as np
import pytest
from scipy import integrate, stats

import igviz as ig
from igviz.panels.engine.encode import CAPTION_MARGIN, _fonts, _wrapped
from igviz.plots import style
from tests.panels import laws

module = importlib.import_module("igviz.panels.kl_quadratic_approximation.divergences")
PLACES = [(-0.5, 2.0, 1.5, 1.0), (0.7, 1.3, 0.6, 1.0), (-2.2, 0.7, 1.9, 0.5), (2.4, 2.8, 0.9, 0.3)]


@pytest.fixture(scope="module")
def panel():
    made = module.divergences()
    yield made
    made.close()


def by_integral(alpha: float, q_mean: float, q_std: float) -> float:
    """D^(α)(N(0, 1), q) from the definition, for α other than ±1."""

    def density(x):
        p, q = stats.norm.logpdf(x), stats.norm.logpdf(x, q_mean, q_std)
        return np.exp(0.5 * (1 - alpha) * p + 0.5 * (1 + alpha) * q)

    return (
        4 / (1 - alpha**2) * (1 - integrate.quad(density, -60, 60, points=[-4, 0, q_mean, 8], limit=400)[0])
    )


def q_of(q_mean: float, q_std: float, step: float) -> tuple[float, float]:
    return step * q_mean, 1 + step * (q_std - 1)


def words(panel) -> dict[str, float]:
    found = re.search(
        r"= (?P<nats>[\d.]+) nats, (?P<ratio>[\d.]+)·½d² \(all α: (?P<low>\S+) to (?P<high>\S+)\)",
        panel.sentence,
    )
    assert found, panel.sentence
    return {key: np.inf if word == "∞" else float(word) for key, word in found.groupdict().items()}


@pytest.mark.parametrize(("alpha", "q_mean", "q_std", "step"), PLACES)
def test_the_words_are_the_integral(panel, alpha, q_mean, q_std, step):
    panel.set(alpha=alpha, q_mean=q_mean, q_std=q_std, step=step)
    q = q_of(q_mean, q_std, step)
    value = by_integral(alpha, *q)
    half = 0.5 * ig.fisher_rao_distance(ig.Normal(0.0, 1.0), ig.Normal(*q)) ** 2
    said = words(panel)
    assert said["nats"] == pytest.approx(value, rel=6e-3)
    assert said["ratio"] == pytest.approx(value / half, rel=6e-3)
    assert said["low"] <= said["ratio"] * 1.01
    assert f"q = N({q[0]:.4g}, {q[1]:.4g})" in panel.sentence


def drawn_in(axes, line: dict) -> list[tuple[np.ndarray, np.ndarray]]:
    return [
        one.get_data()
        for one in axes.lines
        if one.get_color() == line["color"]
        and one.get_linewidth() == line["linewidth"]
        and len(one.get_xdata()) > 10
    ]


@pytest.mark.parametrize(("alpha", "q_mean", "q_std", "step"), PLACES)
def test_the_curve_of_divergences_and_its_marks(panel, alpha, q_mean, q_std, step):
    panel.set(alpha=alpha, q_mean=q_mean, q_std=q_std, step=step)
    q = q_of(q_mean, q_std, step)
    half = 0.5 * ig.fisher_rao_distance(ig.Normal(0.0, 1.0), ig.Normal(*q)) ** 2
    with panel.drawn() as (_plane, curves):
        x, y = next(iter(drawn_in(curves, style.TARGET)))
        marks = {
            one.get_color(): one.get_data() for one in curves.lines if one.get_marker() in ("^", "o", "v")
        }
        ring = curves.lines[-1].get_data()
    assert np.all(np.diff(x) > 0)
    inside = (np.abs(np.abs(x) - 1) > 0.01) & (y < 100)
    for at, ratio in list(zip(x[inside], y[inside], strict=True))[::11]:
        assert ratio * half == pytest.approx(by_integral(at, *q), rel=2e-6)
    kl, back = ig.Normal(0.0, 1.0).kl(ig.Normal(*q)), ig.Normal(*q).kl(ig.Normal(0.0, 1.0))
    assert marks[style.BLUE] == (pytest.approx([-1]), pytest.approx([kl / half]))
    assert marks[style.VERMILLION] == (pytest.approx([1]), pytest.approx([back / half]))
    assert marks[style.GREEN][1] == pytest.approx([by_integral(0.0, *q) / half], rel=1e-6)
    assert ring[0] == pytest.approx([alpha])
    if by_integral(alpha, *q) / half < 60:
        assert ring[1] == pytest.approx([by_integral(alpha, *q) / half], rel=1e-6)


@pytest.mark.parametrize(("alpha", "q_mean", "q_std", "step"), PLACES)
def test_the_geodesics(panel, alpha, q_mean, q_std, step):
    panel.set(alpha=alpha, q_mean=q_mean, q_std=q_std, step=step)
    p, q = ig.Normal(0.0, 1.0), ig.Normal(*q_of(q_mean, q_std, step))
    kinds = {style.VERMILLION: "natural", style.GREEN: "fisher-rao", style.BLUE: "expectation"}
    with panel.drawn() as (plane, _curves):
        lines = {one.get_color(): one.get_data() for one in plane.lines if len(one.get_xdata()) > 10}
    for colour, kind in kinds.items():
        mean, std = lines[colour]
        known = ig.geodesic(p, q, kind)(np.linspace(0, 1, 2001))
        expected = np.interp(step * mean, known.mean, known.std)
        np.testing.assert_allclose(1 + step * (std - 1), expected, rtol=1e-5)
    # the current one: its variance is ½(1 − α) of the mixture's bulge above the straight line
    if style.BLACK in lines:
        mean, std = lines[style.BLACK]
        share = mean / q_mean
        straight = 1 - share + share * q.std**2
        mixture = straight + share * (1 - share) * q.mean**2  # the variance of (1 − share)·p + share·q
        variance = (1 + step * (std - 1)) ** 2
        np.testing.assert_allclose(variance, straight + 0.5 * (1 - alpha) * (mixture - straight), rtol=1e-12)
        said = re.search(r"At mean (\S+) the α-geodesic has variance (\S+) ([+−]) (\S+), ", panel.sentence)
        assert float(said[1]) == pytest.approx(q.mean / 2, rel=1e-3)
        total = float(said[2]) + float(said[4]) * (1 if said[3] == "+" else -1)
        assert total == pytest.approx(variance[30], abs=0.06 * float(said[4]) + 6e-4)


def test_no_geodesic_is_drawn_or_told_where_there_is_none(panel):
    panel.set(alpha=2.4, q_mean=3, q_std=0.9, step=1)
    assert "No α-geodesic joins p and q for α ≥ 1.80" in panel.sentence  # 1 + 2·(1.9/3)²
    with panel.drawn() as (plane, _curves):
        assert not drawn_in(plane, {"color": style.BLACK, "linewidth": 4.6})
    panel.set(alpha=1.8)
    assert "At mean 1.5 the α-geodesic" in panel.sentence


@pytest.mark.parametrize(("q_mean", "q_std"), [(2.0, 1.5), (2.0, 2.0), (0.4, 0.4), (3.0, 3.0), (1.0, 0.7)])
def test_infinite_exactly_where_the_tails_say_so(panel, q_mean, q_std):
    edge = module.infinite_from(ig.Normal(0.0, 1.0), ig.Normal(q_mean, q_std))
    # the exponent of the integrand is quadratic: −½·x²·((1 − α)/2 + (1 + α)/(2·q_std²))
    for alpha in np.linspace(-3, 3, 61):
        falls = (1 - alpha) + (1 + alpha) / q_std**2 > 1e-12
        assert falls == (abs(alpha) < abs(edge) - 1e-12 or alpha * edge < 0)
    for alpha in (-3.0, -1.4, 0.0, 1.7, 3.0):
        panel.set(alpha=alpha, q_mean=q_mean, q_std=q_std, step=1)
        falls = (1 - alpha) + (1 + alpha) / q_std**2 > 1e-12
        assert ("is infinite" in panel.sentence) != falls
    with panel.drawn() as (_plane, curves):
        grey = [one.get_bbox() for one in curves.patches if one.get_hatch()]
    if abs(edge) < 3:
        assert (grey[0].x0 if edge > 0 else grey[0].x1) == pytest.approx(edge)
    else:
        assert not grey


def test_special_values_have_their_names(panel):
    panel.reset()
    p, q = ig.Normal(0.0, 1.0), ig.Normal(2.0, 1.5)
    for alpha, name, value in (
        (
            -3,
            "½χ²(p‖q)",
            0.5 * integrate.quad(lambda x: (p.pdf(x) / q.pdf(x) - 1) ** 2 * q.pdf(x), -30, 30)[0],
        ),
        (-1, "KL(p‖q)", p.kl(q)),
        (
            0,
            "4·Hellinger²",
            2 * integrate.quad(lambda x: (np.sqrt(p.pdf(x)) - np.sqrt(q.pdf(x))) ** 2, -30, 30)[0],
        ),
        (1, "KL(q‖p)", q.kl(p)),
    ):
        panel.set(alpha=alpha)
        assert f"D^({alpha}) = {name} = {value:.3g} nats".replace("(-", "(−") in panel.sentence
    panel.set(alpha=3)
    assert "D^(3) = ½χ²(q‖p) is infinite, as for all α ≥ 2.6: q is too wide" in panel.sentence


def test_up_close_all_are_one(panel):
    spread = []
    for step in (0.2, 0.1, 0.01):
        panel.set(alpha=0.3, q_mean=2, q_std=1.3, step=step)
        said = words(panel)
        with panel.drawn() as (_plane, curves):
            y = next(iter(drawn_in(curves, style.TARGET)))[1]
        spread.append(y.max() - y.min())
        assert said["high"] == pytest.approx(y.max(), rel=6e-3)
    assert spread[2] < 0.06
    # what is left is of third order in the step, so of first order beside ½d²
    assert spread[1] / spread[2] == pytest.approx(10, rel=0.1)
    half = 0.5 * (0.02**2 + 2 * 0.003**2) / 1.0015**2  # ½·δᵀIδ with I in the middle
    assert said["nats"] == pytest.approx(half, rel=1e-2)


def test_the_scenes_show_what_they_promise(panel):
    for scene, said in (
        ("KL(p‖q)", "D^(−1) = KL(p‖q) = 1.02 nats"),
        ("Both alike", "D^(0) = 4·Hellinger² = 1.17 nats"),
        ("KL(q‖p)", "D^(1) = KL(q‖p) = 2.22 nats"),
        ("Infinite", "D^(2.5) is infinite, as for all α ≥ 1.67: q is too wide"),
        ("Up close", "(all α: 0.974 to 1.03)"),
    ):
        panel.scene(scene)
        assert said in panel.sentence
    panel.answer("χ²(q‖p) = E_p[(q/p − 1)²]")
    assert "D^(3) = ½χ²(q‖p) is infinite" in panel.sentence
    panel.set(alpha=-3)
    assert f"½χ²(p‖q) = {by_integral(-3.0, 2.0, 2.0):.3g} nats" in panel.sentence


def test_the_laws_of_all_panels():
    laws.check(module.divergences)


def test_the_longest_sentences_fit_two_lines(panel):
    fonts = _fonts()[0]
    for alpha in (-2.9, -1.0, 0.0):
        for q_mean in (0.4, 2.7):
            for q_std in (0.4, 2.9):
                panel.set(alpha=alpha, q_mean=q_mean, q_std=q_std, step=0.03)
                assert len(_wrapped(panel.sentence, 720 - 2 * CAPTION_MARGIN, fonts)) <= 2, panel.sentence
