"""The one-step theorem: words and picture against Bayes' rule and a plain sum, and who leaves the space."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import igviz as ig
from igviz.panels import natural_gradient_vi as lecture
from igviz.plots import style
from tests.panels import laws
from tests.panels.natural_gradient_vi.test_steps import BY_HAND

one_step = sys.modules["igviz.panels.natural_gradient_vi.one_step"]
# Bayes' rule by hand: rows 1 and 0.8, numbers 1.2 and 0.3, noise precision 1.5, prior N(0, 1)
PRECISION = 1 + 1.5 * (1 + 0.64)
MEAN = 1.5 * (1.2 + 0.8 * 0.3) / PRECISION
NUMBER = r"(−?[\d.]+)"
END = (
    rf"(?:(?:it lands )?on N\({NUMBER}, {NUMBER}\), KL (0 to rounding|< 0\.001 nats|[\d.]+ nats)"
    rf"|it leaves the space at ρ = {NUMBER})"
)
SENTENCE = (
    rf"From N\({NUMBER}, {NUMBER}\), ρ = {NUMBER}: in natural coordinates {END}; "
    rf"in (\(.+\)|expectation)(?: coordinates)? {END}\."
)
PLACES = [
    (-0.6, 1.1, 0.5, "(mean, std)"),
    (-0.6, 1.1, 1.0, "(mean, std)"),
    (1.6, 0.24, 1.5, "expectation"),
    (-0.6, 1.1, 1.0, "(mean, log std)"),
    (2.2, 0.4, 0.8, "(mean, std²)"),
    (0.0, 1.0, 0.3, "expectation"),
    (1.0, 1.4, 0.9, "(mean, std²)"),
]


@pytest.fixture
def panel():
    made = lecture.one_step()
    yield made
    made.close()


def said(panel):
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    return list(found.groups())


def value(word):
    return float(word.replace("−", "-"))


def kl(mean, std):
    """KL(q‖posterior) by a sum over a grid."""
    z, width = np.linspace(mean - 14 * std, mean + 14 * std, 4001, retstep=True)
    q = np.exp(-((z - mean) ** 2) / (2 * std**2)) / (std * np.sqrt(2 * np.pi))
    log_q = -((z - mean) ** 2) / (2 * std**2) - np.log(std)
    log_p = -0.5 * PRECISION * (z - MEAN) ** 2 + 0.5 * np.log(PRECISION)
    return float(np.sum(q * (log_q - log_p)) * width)


def way(chart, mean, std):
    """The start and the natural gradient in a chart, from the Fisher matrix by differences."""
    there, back, possible = BY_HAND[chart]
    x = np.array(there(mean, std))
    steps = 1e-6 * np.eye(2)
    jacobian = np.array([(np.array(back(x + e)) - back(x - e)) / 2e-6 for e in steps]).T
    fisher = jacobian.T @ np.diag([1, 2]) @ jacobian / std**2
    slope = jacobian.T @ [(MEAN - mean) * PRECISION, 1 / std - std * PRECISION]
    return x, np.linalg.solve(fisher, slope), back, possible


def check_end(words, chart, mean, std, rho):
    """Check the four words of where a step ended."""
    x, gradient, back, possible = way(chart, mean, std)
    end = x + rho * gradient
    if words[0] is not None:
        assert possible(end)
        assert [value(one) for one in words[:2]] == pytest.approx(back(end), abs=6e-3)
        if words[2].startswith("0 "):
            assert kl(*back(end)) < 1e-9
        elif words[2].startswith("<"):
            assert 0 < kl(*back(end)) < 1e-3
        else:
            assert value(words[2].split()[0]) == pytest.approx(kl(*back(end)), rel=1e-4, abs=6e-4)
        return
    assert not possible(end)
    edge = value(words[3])
    assert possible(x + (edge - 0.006) * gradient)
    assert not possible(x + (edge + 0.006) * gradient)


@pytest.mark.parametrize(("mean", "std", "rho", "chart"), PLACES)
def test_the_sentence(panel, mean, std, rho, chart):
    panel.set(mean=mean, std=std, rho=rho, chart=chart)
    words = said(panel)
    assert [value(one) for one in words[:3]] == [mean, std, rho]
    assert words[7] == chart
    check_end(words[3:7], "natural", mean, std, rho)
    check_end(words[8:], chart, mean, std, rho)


@pytest.mark.parametrize(("mean", "std", "rho", "chart"), PLACES)
def test_the_picture(panel, mean, std, rho, chart):
    panel.set(mean=mean, std=std, rho=rho, chart=chart)
    with panel.drawn() as (plane, gap):
        for colour, name, marker in ((style.VERMILLION, "natural", "D"), (style.PURPLE, chart, "s")):
            x, gradient, back, possible = way(name, mean, std)
            end = x + rho * gradient
            (path,) = [one.get_xydata() for one in plane.lines
                       if one.get_color() == colour and len(one.get_xdata()) > 1]  # fmt: skip
            (curve,) = [one.get_xydata() for one in gap.lines
                        if one.get_color() == colour and len(one.get_xdata()) > 1]  # fmt: skip
            (mark,) = [one for one in plane.lines if one.get_color() == colour and len(one.get_xdata()) == 1]
            (height,) = [one for one in gap.lines if one.get_color() == colour and len(one.get_xdata()) == 1]
            # path and curve are one and the same walk
            for number in (3, 11, len(path) // 2):
                size, divergence = curve[number]
                np.testing.assert_allclose(path[number], back(x + size * gradient), rtol=1e-6)
                assert divergence == pytest.approx(kl(*path[number]), rel=1e-4, abs=1e-9)
            np.testing.assert_allclose(path[0], [mean, std], rtol=1e-12)
            assert mark.get_marker() == height.get_marker() == (marker if possible(end) else "X")
            seen = mark.get_markerfacecolor() != style.PAPER
            if possible(end) and seen:
                np.testing.assert_allclose(mark.get_xydata()[0], back(end), rtol=1e-6)
                at, divergence = height.get_xydata()[0]
                assert (at, divergence) == pytest.approx((rho, kl(*back(end))), rel=1e-4, abs=1e-9)
            if not possible(end):
                assert curve[-1, 1] > one_step.HIGHEST
                on_the_curve(gap, curve, height.get_xydata()[0])
                assert height.get_xdata()[0] <= rho
            inside = mark.get_xydata()[0]
            assert np.all(inside > [one_step.MEANS[0], one_step.STDS[0]])
            assert np.all(inside < [one_step.MEANS[1], one_step.STDS[1]])


def on_the_curve(axes, curve, point):
    """The point lies high up on the curve, as it is drawn, within half a pixel."""
    x, y = axes.transData.transform(curve).T
    at = axes.transData.transform(point)
    last = int(np.flatnonzero(y < at[1])[-1])
    assert np.interp(at[1], y[last : last + 2], x[last : last + 2]) == pytest.approx(at[0], abs=0.5)
    assert point[1] > 0.7 * one_step.HIGHEST


def test_a_step_of_a_huge_divergence_is_marked_where_its_curve_leaves_the_picture(panel):
    panel.set(mean=1.6, std=0.24, rho=1.24, chart="expectation")
    with panel.drawn() as (_plane, gap):
        (curve,) = [one.get_xydata() for one in gap.lines
                    if one.get_color() == style.VERMILLION and len(one.get_xdata()) > 1]  # fmt: skip
        (mark,) = [one for one in gap.lines
                   if one.get_color() == style.VERMILLION and len(one.get_xdata()) == 1]  # fmt: skip
        assert mark.get_marker() == "D"
        assert mark.get_markerfacecolor() == style.PAPER
        on_the_curve(gap, curve, mark.get_xydata()[0])
        assert mark.get_xdata()[0] < 1.24
    assert "leaves" not in panel.sentence


def test_the_sentence_is_short(panel):
    rng = np.random.default_rng(4)
    for _ in range(300):
        panel.set(
            mean=round(rng.uniform(-1.8, 2.8), 2),
            std=round(rng.uniform(0.1, 2.0), 2),
            rho=round(rng.uniform(0.0, 1.5), 2),
            chart=rng.choice(one_step.OTHERS),
        )
        assert len(panel.sentence) <= 160, panel.sentence


def bend(path):
    """How far a path is from the line between its ends, as a part of that line's length."""
    along, moved = path[-1] - path[0], path - path[0]
    return np.max(np.abs(along[0] * moved[:, 1] - along[1] * moved[:, 0])) / (along @ along)


def test_the_paths_are_straight_in_their_own_chart_only():
    start = ig.Normal(-0.6, 1.1)
    for chart in ("natural", *one_step.OTHERS):
        sizes, path, edge = one_step.walk(start, chart)
        assert len(sizes) == len(path)
        assert sizes[-1] <= min(edge, 1.5)
        moved = np.array([BY_HAND[chart][0](*one) for one in path[sizes < 0.9 * edge]])
        assert bend(moved) < 1e-9
    sizes, path, _edge = one_step.walk(start, "natural")
    assert bend(path[sizes <= 1.0]) > 0.03


def test_the_whole_step_is_the_posterior_from_everywhere():
    for mean in np.linspace(-1.8, 2.8, 12):
        for std in np.linspace(0.1, 2.0, 9):
            start = ig.Normal(mean, std)
            end = one_step.natural_step(start, one_step.elbo_slope(start), "natural", 1.0)
            assert end == pytest.approx([MEAN, PRECISION**-0.5], rel=1e-12)
            assert one_step._kl(end) < one_step.ROUNDING


def test_the_model_and_the_slope_are_the_librarys():
    q = ig.Normal(-0.7, 1.3)
    by_mean, by_cov = ig.elbo_gradient(one_step.model(), q)
    assert one_step.elbo_slope(q) == pytest.approx([by_mean[0], 2 * 1.3 * by_cov[0, 0]], rel=1e-12)
    assert one_step.posterior().source == pytest.approx([MEAN, PRECISION**-0.5], rel=1e-14)
    fit = ig.natural_gradient_vi(one_step.model(), q, step=0.4, max_iter=1, safeguard=False)
    end = one_step.natural_step(q, one_step.elbo_slope(q), "natural", 0.4)
    assert end == pytest.approx(fit.q.source, rel=1e-12)


def test_the_contours_are_level(panel):
    with panel.drawn() as (plane, _gap):
        rings = [one.get_xydata() for one in plane.lines
                 if one.get_color() == one_step.CONTOUR["color"] and len(one.get_xdata())]  # fmt: skip
    for ring, level in zip(rings, one_step.LEVELS, strict=True):
        for point in ring[[0, 40, 90, 130]]:
            assert kl(*point) == pytest.approx(level, rel=1e-4)


def test_the_prediction(panel):
    panel.answer("At no distribution")
    words = said(panel)
    assert words[5] == "0 to rounding"
    assert value(words[11]) < 1.0


def test_the_scenes_tell_what_their_names_say(panel):
    panel.scene("Log std never leaves")
    assert "leaves" not in panel.sentence
    panel.scene("Too long a step")
    assert "in natural coordinates it leaves the space at ρ = 1.25;" in panel.sentence
    panel.scene("From the prior")
    assert panel.values["mean"] == one_step.model().prior.mean
    assert panel.values["std"] ** 2 == one_step.model().prior.cov


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
