"""The panel of lecture 00 against what its sentence claims."""

from __future__ import annotations

import re

import numpy as np
import pytest

import igviz as ig
from igviz.panels.start_here import RULER


@pytest.fixture
def panel():
    made = ig.panels.start_here.equal_steps()
    yield made
    made.close()


def numbers(sentence: str) -> tuple[float, float, float]:
    """Return step, distance and percentage as the sentence gives them."""
    found = re.search(r"means ([\d.]+) apart, Fisher–Rao distance ([\d.]+)\. .* right ([\d.]+)%", sentence)
    assert found, sentence
    return tuple(float(word) for word in found.groups())


def test_the_surprise(panel):
    assert numbers(panel.sentence)[:2] == (1.0, 0.980)
    panel.answer("Ten times nearer")
    assert panel.values == {"std": 10.0, "step": 1.0}
    assert numbers(panel.sentence)[:2] == (1.0, 0.100)
    panel.scene("Everything four times")
    assert numbers(panel.sentence)[:2] == (4.0, 0.980)

    # of an oval's diameter, as the notebook says
    tenth = ig.fisher_rao_distance(ig.Normal(0, 10), ig.Normal(1, 10)) / (2 * RULER)
    assert tenth == pytest.approx(0.1, abs=1e-4)


@pytest.mark.parametrize(("std", "step"), [(1.0, 1.0), (10.0, 1.0), (2.5, 3.3), (0.5, 4.0), (7.0, 0.0)])
def test_the_best_guess_is_right_as_often_as_claimed(panel, std, step):
    panel.set(std=std, step=step)
    claimed = numbers(panel.sentence)[2] / 100
    rng = np.random.default_rng(5)
    n = 200_000
    p, q = ig.Normal(0.0, std), ig.Normal(step, std)
    from_q = rng.random(n) < 0.5
    x = np.where(from_q, q.sample(n, rng), p.sample(n, rng))
    guess_q = q.log_prob(x) > p.log_prob(x)
    right = np.mean(np.where(step > 0, guess_q == from_q, 0.5))
    assert abs(right - claimed) < 5 * 0.5 / np.sqrt(n) + 0.0005


def test_the_picture_shows_the_two_bells_and_their_geodesic(panel):
    panel.set(std=2.0, step=3.0)
    p, q = ig.Normal(0.0, 2.0), ig.Normal(3.0, 2.0)
    with panel.drawn() as (bells, plane):
        first, second = bells.lines[-2:]
        for line, bell in ((first, p), (second, q)):
            x, height = line.get_data()
            np.testing.assert_allclose(height, bell.pdf(x) / bell.pdf(bell.mean), rtol=1e-12)
        path = next(line for line in plane.lines if len(line.get_xdata()) > 10)
        mean, std = path.get_data()
        np.testing.assert_allclose([mean[0], mean[-1]], [0, 3], atol=1e-12)
        # a half-ellipse centred on std = 0 with axes √2 : 1
        centre = 1.5
        squares = (mean - centre) ** 2 / 2 + std**2
        np.testing.assert_allclose(squares, squares[0], rtol=1e-12)
        steps = ig.fisher_rao_distance(ig.Normal(mean[:-1], std[:-1]), ig.Normal(mean[1:], std[1:]))
        np.testing.assert_allclose(np.sum(steps), ig.fisher_rao_distance(p, q), rtol=1e-9)


def test_every_grey_oval_has_the_same_size(panel):
    from igviz.panels.start_here import RULER

    with panel.drawn() as (_bells, plane):
        ovals = [patch.get_xy() for patch in plane.patches]
        assert len(ovals) > 20
        for xy in ovals:
            top, bottom = xy[:, 1].max(), xy[:, 1].min()
            middle = ig.Normal(xy[:, 0].mean(), np.sqrt(top * bottom))
            # every point lies one radius from the centre
            centre = ig.Normal((xy[:, 0].max() + xy[:, 0].min()) / 2, middle.std)
            reach = ig.fisher_rao_distance(centre, ig.Normal(xy[:, 0], xy[:, 1]))
            np.testing.assert_allclose(reach, RULER, rtol=1e-9)
