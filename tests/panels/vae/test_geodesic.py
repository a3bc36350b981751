"""Two ways between digits: words and picture against lengths and KL by hand."""

from __future__ import annotations

import re
import sys
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import expit, rel_entr

from igviz.models import digit_vaes
from igviz.models.images import digits
from igviz.models.vae import VAE
from igviz.panels.engine.encode import CAPTION_MARGIN, _fonts, _wrapped
from igviz.panels.vae import geodesic as shown
from igviz.plots import style
from tests.panels import laws

geodesic = sys.modules["igviz.panels.vae.geodesic"]
decoders = sys.modules["igviz.panels.vae.decoders"]
NUMBER = r"(−?[\d.]+)"
SENTENCE = (
    rf"From (a \d) to \({NUMBER}, {NUMBER}\), (as trained|with the cure): straight line {NUMBER} "
    rf"standard distances, geodesic {NUMBER}, {NUMBER} % less\. "
    rf"Largest KL step ÷ mean: {NUMBER} and {NUMBER}\."
)


@pytest.fixture
def panel():
    made = shown()
    yield made
    made.close()


def said(panel):
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    words = [one.replace("−", "-") for one in found.groups()]
    return words[0], words[3], [float(one) for one in (*words[1:3], *words[4:])]


@cache
def codes():
    return digit_vaes.lecture().encode(digits().training).mean


def probabilities(z, cured):
    """Pixels at z, shape (n, 64), the cure of width 0.3 written out."""
    logits = digit_vaes.lecture().decoder(z)
    if cured:
        close = np.sum(np.exp(-cdist(z, codes(), "sqeuclidean") / 0.18), axis=1)[:, None]
        logits = logits * close / (close + 0.1)
    return expit(logits)


def length(points, cured):
    """The Fisher length of a fine polygon: a Bernoulli pixel is 2·|Δ arcsin √p| long."""
    angles = 2.0 * np.arcsin(np.sqrt(probabilities(points, cured)))
    return np.sum(np.sqrt(np.sum(np.diff(angles, axis=0) ** 2, axis=1)))


def kl_steps(points, cured):
    p = probabilities(points, cured)
    a, b = p[:-1], p[1:]
    return 0.5 * np.sum(
        rel_entr(a, b) + rel_entr(1 - a, 1 - b) + rel_entr(b, a) + rel_entr(1 - b, 1 - a), axis=1
    )


def fine(points, times=20000):
    """Points along a drawn line, evenly over its corners."""
    at = np.linspace(0.0, len(points) - 1.0, times)
    return np.stack([np.interp(at, np.arange(len(points)), one) for one in points.T], axis=-1)


def lines(axes, look):
    return [one for one in axes.lines if one.get_color() == look["color"] and len(one.get_xdata())]


@pytest.mark.parametrize("scene", shown.definition.scenes)
def test_words_and_picture_of_a_scene(panel, scene):
    panel.scene(scene)
    start, decoder, numbers = said(panel)
    cured = decoder == "with the cure"
    here = codes()[digits().training_labels == int(start[-1])]
    first = here[np.argmin(np.linalg.norm(here - np.median(here, axis=0), axis=1))]
    end = np.array(numbers[:2])
    with panel.drawn() as (chart, above, below, steps):
        for number, look in enumerate((style.STRAIGHT, style.GEODESIC)):
            line, dots = lines(chart, look)
            corners = line.get_xydata()
            np.testing.assert_allclose(corners[[0, -1]], [first, end], atol=1e-9)
            measured = length(fine(corners), cured)
            assert numbers[2 + number] == pytest.approx(measured, rel=0.01)
            film = np.array([first, *dots.get_xydata(), end])
            picture = np.asarray((above, below)[number].images[0].get_array())
            frames = [picture[:, 9 * k : 9 * k + 8].ravel() for k in range(geodesic.FRAMES)]
            np.testing.assert_allclose(frames, probabilities(film, cured), atol=1e-9)
            parts = [length(fine(np.array(pair), 500), cured) for pair in pairwise(film)]
            if number == 0:
                np.testing.assert_allclose(np.ptp(np.diff(film, axis=0), axis=0), 0.0, atol=1e-9)
            elif not cured:  # pieces of chords
                np.testing.assert_allclose(parts, numbers[3] / (geodesic.FRAMES - 1), rtol=0.2)
            (curve,) = lines(steps, look)
            heights = curve.get_ydata()
            assert np.mean(heights) == pytest.approx(1.0)
            assert numbers[5 + number] == pytest.approx(np.max(heights), abs=0.006)
        t = np.linspace(0.0, 1.0, 33)[:, None]
        by_hand = kl_steps(first + t * (end - first), cured)
        (curve,) = lines(steps, style.STRAIGHT)
        np.testing.assert_allclose(curve.get_ydata(), by_hand / np.mean(by_hand), rtol=1e-5, atol=1e-9)
    assert numbers[4] == pytest.approx(100.0 * (1.0 - numbers[3] / numbers[2]), abs=0.11)
    assert numbers[3] <= numbers[2]
    assert numbers[6] <= 1.1


def test_the_story_of_the_scenes(panel):
    seen = {}
    for scene in panel.definition.scenes:
        panel.scene(scene)
        seen[scene] = said(panel)[2]
    assert seen["Across the plane"][4] > 15.0
    assert seen["From a 3 to a 7"][4] > 15.0
    assert seen["Same way, other pace"][4] < 1.0
    assert seen["Around the codes"][4] > 12.0


def trust(points):
    close = np.sum(np.exp(-cdist(points, codes(), "sqeuclidean") / 0.18), axis=1)
    return close / (close + 0.1)


def test_the_cure_keeps_the_geodesic_among_the_codes(panel):
    least = {}
    for scene in ("Around the codes", "Cured"):
        panel.scene(scene)
        with panel.drawn() as (chart, *_rest):
            straight, shortest = (
                lines(chart, look)[0].get_xydata() for look in (style.STRAIGHT, style.GEODESIC)
            )
        least[scene] = np.min(trust(shortest))
        assert np.min(trust(straight)) > 0.9
    assert least["Around the codes"] < 0.01
    assert least["Cured"] > 0.5


def test_while_a_point_is_dragged_the_way_is_nearly_the_same(panel):
    for scene in ("Across the plane", "From a 3 to a 7"):
        panel.scene(scene)
        numbers = said(panel)[2]
        with panel.drawn(moving=True) as (chart, *_rest):
            (line, _dots) = lines(chart, style.GEODESIC)
            assert length(fine(line.get_xydata()), False) == pytest.approx(numbers[3], rel=0.03)
        panel._sentence = None
        assert said(panel)[2] == numbers, "a coarse frame has left something behind"


def test_the_table_is_the_cure():
    cured = decoders.now(0.3)
    z = np.random.default_rng(2).uniform(-4.0, 4.0, (400, 2))
    exact, table = cured.geometry.metric(z), cured.coarse_geometry.metric(z)
    np.testing.assert_allclose(table, exact, rtol=0.05, atol=1e-3 * np.max(exact))


def test_a_way_through_places_without_any_length(panel):
    panel.set(start="a 1", x=-4.0, y=4.0, decoder="with the cure")
    numbers = said(panel)[2]
    assert numbers[3] < numbers[2]
    with panel.drawn() as (chart, *_rest):
        (line, _dots) = lines(chart, style.GEODESIC)
        np.testing.assert_allclose(line.get_xydata()[-1], [-4.0, 4.0], atol=1e-9)


def test_the_prediction(panel):
    panel.answer("Outside the codes")
    with panel.drawn() as (chart, *_rest):
        (line, _dots) = lines(chart, style.GEODESIC)
        assert np.min(trust(line.get_xydata())) < 0.01
        assert np.min(line.get_xdata()) < -3.5


def test_words_fit_beside_a_prediction(panel):
    for answer in panel.definition.predict.choices:
        panel.answer(answer)
        words = f"You predicted: {answer}. {panel.sentence}"
        assert len(_wrapped(words, 720 - 2 * CAPTION_MARGIN, _fonts()[0])) <= 2, words


def test_a_peak_that_leaves_the_axes_has_its_number(panel):
    panel.set(start="a 1", x=-4.0, y=4.0, decoder="with the cure")
    with panel.drawn() as (*_rest, steps):
        curve, mark = lines(steps, style.STRAIGHT)
        highest = np.argmax(curve.get_ydata())
        assert np.max(curve.get_ydata()) > geodesic.TOP
        assert mark.get_xdata()[0] == curve.get_xdata()[highest]
        assert [one.get_text() for one in steps.texts] == [f"{np.max(curve.get_ydata()):.1f}"]
    panel.scene("Across the plane")
    with panel.drawn() as (*_rest, steps):
        assert not steps.texts


def test_another_model_is_shown(panel):
    first = panel.sentence
    other = VAE(latent=2, seed=4).fit(digits().training[:200], epochs=3, progress=False)
    try:
        digit_vaes.use(other)
        panel._sentence = None
        assert panel.sentence != first
    finally:
        digit_vaes.use(None)


def test_the_laws_of_the_collection(panel, monkeypatch):
    geodesic.ways.cache_clear()
    monkeypatch.setattr(geodesic, "FINE", geodesic.COARSE)  # the laws are about any ways: short ones do
    laws.check(panel)
    geodesic.ways.cache_clear()
