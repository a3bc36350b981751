"""The race: words and picture against walks through the library's own gradients, one iteration at a time."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import igviz as ig
from igviz.panels import natural_gradient_vi as lecture
from igviz.plots import style
from tests.panels import laws

race = sys.modules["igviz.panels.natural_gradient_vi.race"]
NUMBER = r"(−?[\d.]+)"
SENTENCE = (
    rf"Iterations to stay within 0\.001 nats, from N\({NUMBER}, {NUMBER}\), step {NUMBER}, damping {NUMBER}: "
    r"(.+?)\.(?: Left the space: (.+)\.)?"
)
NAMES = ("(mean, variance)", "(mean, std)", "Adam in (mean, std)", "natural gradient")
PLACES = [
    (0.8, 0.0, -2.8, -0.6),
    (1.0, 0.3, -2.8, -0.6),
    (0.1, 0.0, -2.0, -1.5),
    (1.0, 0.0, -2.0, -1.5),
    (0.2, 0.0, 1.5, 0.6),
    (0.5, 0.0, -2.5, -0.5),
    (0.3, 0.01, -1.0, 0.3),
    (1.0, 0.3, 1.2, -0.8),
]
LOOKS = {"s": style.BLUE, "^": style.PURPLE, "o": style.GREEN, "D": style.VERMILLION}


@pytest.fixture
def panel():
    made = lecture.race()
    yield made
    made.close()


def said(panel):
    """The four numbers of the place, and what is said of each walker."""
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    walkers = []
    for name in NAMES:
        stayed = re.search("(?<!Adam in )" + re.escape(name) + r" (over 60|\d+)", found[5])
        left = re.search("(?<!Adam in )" + re.escape(name) + r" at (\d+)", found[6] or "")
        assert (stayed is None) != (left is None)
        walkers.append(stayed[1] if stayed else f"left at {left[1]}")
    assert found[5].count(", ") - found[5].count("mean, ") == max(
        0, sum("left" not in w for w in walkers) - 1
    )
    return [*(float(one.replace("−", "-")) for one in found.groups()[:4]), *walkers]


def elbo(mean, std):
    constant = -np.log(1.5) - 0.5 * np.log(2 * np.pi) + 0.5 * np.log(2 * np.pi * np.e)
    return mean - np.exp(mean + std**2 / 2) - (mean**2 + std**2) / (2 * 1.5**2) + np.log(std) + constant


def naive(kind, step, damping, mean, std):
    """A walk as arrays in its chart, with the gradient from differences of the closed form; shape (n, 2)."""
    back = {
        "s": lambda x: (x[0], x[1] ** 0.5),
        "D": lambda x: (-x[0] / (2 * x[1]), (-1 / (2 * x[1])) ** 0.5),
    }.get(kind, lambda x: tuple(x))
    x = {"s": [mean, std**2], "D": [mean / std**2, -0.5 / std**2]}.get(kind, [mean, std])
    x, m, v, places = np.array(x), np.zeros(2), np.zeros(2), [(mean, std)]
    for t in range(1, 61):
        here = places[-1]
        rate = np.exp(here[0] + here[1] ** 2 / 2)
        by_mean, by_std = 1 - rate - here[0] / 2.25, 1 / here[1] - here[1] * (rate + 1 / 2.25)
        gradient = np.array([by_mean, by_std])
        if kind == "s":
            gradient = np.array([by_mean, by_std / (2 * here[1])])
        if kind == "D":
            # ∂(mean, std)/∂η from η = (m/s², −1/(2s²))
            jacobian = np.linalg.inv([[here[1] ** -2, -2 * here[0] / here[1] ** 3], [0.0, here[1] ** -3]])
            fisher = jacobian.T @ np.diag([1.0, 2.0]) @ jacobian / here[1] ** 2
            gradient = np.linalg.solve(fisher + damping * np.eye(2), jacobian.T @ gradient)
        if kind == "o":
            m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
            gradient = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        x = x + step * gradient
        if (x[1] >= 0) if kind == "D" else (x[1] <= 0):
            return np.array(places), t
        places.append(back(x))
    return np.array(places), None


def words_of(places, left):
    if left is not None:
        return f"left at {left}"
    gap = elbo(*ig.models.skewed_posterior.best_normal().source) - elbo(*places.T)
    for start in range(61):
        if np.all(gap[start:] < 1e-3):
            return str(start)
    return "over 60"


@pytest.mark.parametrize(("step", "damping", "mean", "log_std"), PLACES)
def test_the_sentence(panel, step, damping, mean, log_std):
    panel.set(step=step, damping=damping, mean=mean, log_std=log_std)
    found = said(panel)
    assert found[:4] == [mean, pytest.approx(np.exp(log_std), abs=6e-3), step, damping]
    for kind, words in zip(LOOKS, found[4:], strict=True):
        assert words == words_of(*naive(kind, step, damping, mean, np.exp(log_std))), kind


@pytest.mark.parametrize(("step", "damping", "mean", "log_std"), PLACES)
def test_the_picture(panel, step, damping, mean, log_std):
    panel.set(step=step, damping=damping, mean=mean, log_std=log_std)
    top = elbo(*ig.models.skewed_posterior.best_normal().source)
    with panel.drawn() as (chart, gaps):
        for kind, colour in LOOKS.items():
            places, left = naive(kind, step, damping, mean, np.exp(log_std))
            # those of the legend are empty, and those of ends hold one point, with the marker of an end
            mine = [one for one in chart.lines if one.get_color() == colour and len(one.get_xdata())]
            (way,) = [one.get_xydata() for one in mine if one.get_marker() == "."]
            (end,) = [one for one in mine if one.get_marker() != "."]
            np.testing.assert_allclose(way[:, 0], places[:, 0], rtol=1e-6, atol=1e-6)
            np.testing.assert_allclose(way[:, 1], np.log(places[:, 1]), rtol=1e-6, atol=1e-6)
            assert end.get_marker() == (kind if left is None else "X")
            at = end.get_xydata()[0]
            assert race.MEANS[0] < at[0] < race.MEANS[1]
            assert race.LOG_STDS[0] < at[1] < race.LOG_STDS[1]
            if end.get_markerfacecolor() != style.PAPER:
                np.testing.assert_allclose(at, way[-1])
            else:
                outside = (way[-1] < [race.MEANS[0], race.LOG_STDS[0]]) | (
                    way[-1] > [race.MEANS[1], race.LOG_STDS[1]]
                )
                near = np.min(np.abs(np.array([race.MEANS, race.LOG_STDS]).T - way[-1])) < 0.1
                assert np.any(outside) or near
            drawn = [one for one in gaps.lines if one.get_color() == colour and len(one.get_xdata())]
            (curve,) = [one.get_ydata() for one in drawn if one.get_marker() == "None"]
            assert len(drawn) == (1 if left is None else 2)
            gap = top - elbo(*places.T)
            seen = (gap > 1e-8) & (gap < 100.0)
            np.testing.assert_allclose(curve[seen], gap[seen], rtol=1e-3, atol=1e-10)
            if left is not None:
                (mark,) = [one.get_xdata()[0] for one in drawn if one.get_marker() == "X"]
                assert mark == left - 1


def test_the_walks_are_the_librarys_natural_gradient():
    model, seen = ig.PoissonRegression([[1.0]], [1.0], 1 / 1.5**2), []
    ig.natural_gradient_vi(
        model,
        ig.Normal(-2.0, np.exp(-1.5)),
        step=0.3,
        safeguard=False,
        max_iter=20,
        tol=1e-30,
        callback=lambda _number, q, elbo: seen.append((float(q.mean), float(np.log(q.std)), elbo)) and None,
    )
    made = race.run("natural gradient", -2.0, -1.5, 0.3, 0.0)
    seen = np.array(seen)
    np.testing.assert_allclose(made.way[: len(seen)], seen[:, :2], rtol=1e-9)
    best = float(ig.elbo(model, ig.models.skewed_posterior.best_normal()))
    np.testing.assert_allclose(made.gap[: len(seen)], best - seen[:, 2], atol=1e-12)


def test_step_1_of_the_undamped_natural_gradient_reaches_the_top_from_everywhere():
    for mean in np.linspace(-3, 2, 11):
        for log_std in np.linspace(-2, 1, 7):
            made = race.run("natural gradient", float(mean), float(log_std), 1.0, 0.0)
            assert made.left is None
            assert made.close is not None
            assert made.close <= 12


def test_damping_slows_the_natural_gradient_and_no_other(panel):
    panel.set(mean=-2.0, log_std=-1.5, step=1.0)
    before = said(panel)
    panel.set(damping=0.03)
    after = said(panel)
    assert after[4:7] == before[4:7]
    assert int(after[7]) > int(before[7])


def test_one_start_for_the_default_the_scenes_of_its_steps_and_the_prediction(panel):
    start = ("mean", "log_std")
    wanted = [panel.values[name] for name in start]
    scenes = panel.definition.scenes
    for scene in ("Short steps", "Step 1 for all", "Damped"):
        assert not set(start) & set(scenes[scene])
        panel.scene(scene)
        assert [panel.values[name] for name in start] == wanted
    panel.answer("Natural gradient")
    assert [panel.values[name] for name in start] == wanted


def test_the_prediction(panel):
    panel.answer("Natural gradient")
    found = said(panel)
    assert found[4:] == ["left at 1", "left at 1", "left at 1", "4"]


def test_the_scenes_tell_what_their_names_say(panel):
    assert said(panel)[4:] == ["18", "left at 1", "over 60", "17"]  # the natural gradient is the first
    panel.scene("Short steps")  # all arrive, and the natural gradient is not the first
    assert said(panel)[4:] == ["27", "24", "55", "53"]
    panel.scene("Near and away")  # for (mean, std): close at first, and away again
    gap = race.run("mean and Cholesky factor", -2.8, -0.6, 0.5, 0.0).gap
    assert gap[9] < 1e-4 < 1e-3 < gap[60]
    assert said(panel)[5] == "over 60"
    panel.scene("Step 1 for all")
    undamped = said(panel)[4:]
    panel.scene("Damped")  # the natural gradient alone becomes slow
    assert said(panel)[4:] == [*undamped[:3], "23"]
    assert undamped[3] == "4"


def test_marks_of_leaving_are_above_all_and_none_hides_another(panel):
    for places in ({"mean": 1.5, "log_std": 0.6, "step": 0.2}, {"mean": 1.5, "log_std": 0.8, "step": 1.0}):
        panel.set(**places)
        with panel.drawn() as axes:
            for one in axes:
                gone = [line for line in one.lines if line.get_marker() == "X"]
                others = [line.get_zorder() for line in one.lines if line not in gone]
                assert min(line.get_zorder() for line in gone) > max(others)
                sizes = [line.get_markersize() for line in gone]
                assert np.all(np.diff(sizes) <= -2.5)
                assert min(sizes) > 9.0
    assert len(sizes) == 2


def test_one_legend_holds_all_four(panel):
    with panel.drawn() as (chart, gaps):
        assert [text.get_text() for text in chart.get_legend().get_texts()] == list(NAMES)
        assert gaps.get_legend() is None
        width = chart.figure.bbox.width
        assert chart.get_legend().get_window_extent().x1 < width


def test_the_terraces_are_levels_of_the_elbo():
    top = elbo(*ig.models.skewed_posterior.best_normal().source)
    summit = race.terraces()[-1].vertices
    inner = summit[(np.abs(summit) < 1.5).all(axis=1)]
    np.testing.assert_allclose(top - elbo(inner[:, 0], np.exp(inner[:, 1])), 0.02, atol=2e-3)


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
