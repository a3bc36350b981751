"""The volume element over the latent plane: words and picture against the decoder's own numbers."""

from __future__ import annotations

import re
import sys
from functools import cache

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import expit
from scipy.stats import bernoulli

from igviz.models import digit_vaes
from igviz.models.images import digits
from igviz.models.vae import VAE
from igviz.panels.engine.encode import CAPTION_MARGIN, _fonts, _wrapped
from igviz.panels.vae import volume as shown
from igviz.plots import style
from tests.panels import laws

volume = sys.modules["igviz.panels.vae.volume"]
plane = sys.modules["igviz.panels.vae.plane"]
NUMBER = r"(−?\d[\d.]*\d?(?:·10⁻[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?|below 10⁻⁶)"
SENTENCE = (
    rf"\({NUMBER}, {NUMBER}\) (as trained|cured \(width {NUMBER}\)): volume {NUMBER}"
    rf"(?:, {NUMBER} × the codes' median)?; a step of 1 is {NUMBER}(?: to {NUMBER})? long; "
    rf"entropy {NUMBER} of 44\.4 nats\. "
    rf"(As trained|Cured \(width {NUMBER}\)): volume {NUMBER}, entropy {NUMBER}\."
)
PLACES = [(0.6, 0.45), (-1.7, 2.25), (2.4, 1.8), (3.0, -1.2), (4.0, 3.0), (0.0, 0.0), (-5.0, 5.0)]


@pytest.fixture
def panel():
    made = shown()
    yield made
    made.close()


def number(word):
    if word is None:
        return None
    if word == "below 10⁻⁶":
        return 0.0
    digits_, _, power = word.replace("−", "-").partition("·10⁻")
    return float(digits_) * 10.0 ** -int("".join(str("⁰¹²³⁴⁵⁶⁷⁸⁹".index(one)) for one in power) or 0)


def said(panel):
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    words = found.groups()
    return {
        "at": [number(words[0]), number(words[1])],
        "cured": words[2].startswith("cured"),
        "width": number(words[3] or words[10]),
        "volume": number(words[4]),
        "share": number(words[5]),
        "steps": [number(words[6]), number(words[7])],
        "entropy": number(words[8]),
        "other": [number(words[11]), number(words[12])],
    }


@cache
def codes():
    return digit_vaes.lecture().encode(digits().training).mean


def probabilities(z, width=None):
    """Pixels at z, shape (..., 64), the cure written out."""
    z = np.asarray(z, dtype=float)
    logits = digit_vaes.lecture().decoder(z)
    if width is not None:
        squares = cdist(z.reshape(-1, 2), codes(), "sqeuclidean")
        close = np.sum(np.exp(-squares / (2.0 * width**2)), axis=-1).reshape(*z.shape[:-1], 1)
        logits = logits * close / (close + 0.1)
    return expit(logits)


def by_hand(z, width=None):
    """Metric, shape (..., 2, 2), from Bhattacharyya's angles: a Bernoulli pixel is 2·|Δ arcsin √p| long."""
    moves = 1e-4 * np.stack([np.eye(2), -np.eye(2)])
    angles = 2.0 * np.arcsin(np.sqrt(probabilities(np.asarray(z)[..., None, None, :] + moves, width)))
    jacobian = (angles[..., 0, :, :] - angles[..., 1, :, :]) / 2e-4
    return jacobian @ np.swapaxes(jacobian, -1, -2)


@cache
def median(width):
    return np.median(np.sqrt(np.linalg.det(by_hand(codes(), width))))


@pytest.mark.parametrize(("x", "y"), PLACES)
@pytest.mark.parametrize(("cure", "width"), [("off", 0.3), ("on", 0.5), ("on", 0.2)])
def test_the_sentence(panel, x, y, cure, width):
    panel.set(x=x, y=y, cure=cure, width=width)
    words, z = said(panel), np.array([x, y])
    assert words["at"] == [x, y]
    assert words["cured"] == (cure == "on")
    assert words["width"] == width
    one, other = (width, None) if cure == "on" else (None, width)
    metric = by_hand(z, one)
    size = np.sqrt(abs(np.linalg.det(metric)))
    if size > 1e-3:
        assert words["volume"] == pytest.approx(size, rel=0.06)
        assert words["share"] == pytest.approx(size / median(one), rel=0.07)
        assert words["steps"] == pytest.approx(np.sqrt(np.linalg.eigvalsh(metric)), rel=0.06)
    else:
        assert words["volume"] < 1e-3
    beside = np.sqrt(abs(np.linalg.det(by_hand(z, other))))
    assert words["other"][0] == pytest.approx(beside, rel=0.06, abs=1e-3)
    entropies = [np.sum(bernoulli.entropy(probabilities(z, which))) for which in (one, other)]
    assert [words["entropy"], words["other"][1]] == pytest.approx(entropies, abs=0.051)


@pytest.mark.parametrize("cure", ["off", "on"])
@pytest.mark.parametrize(("x", "y"), [(0.6, 0.45), (2.4, 1.8), (-2.0, 1.0)])
def test_the_picture(panel, x, y, cure):
    panel.set(x=x, y=y, cure=cure)
    z, width = np.array([x, y]), 0.3 if cure == "on" else None
    with panel.drawn() as (chart, left, right, curve):
        outline, point = [
            one for one in chart.lines if one.get_color() == style.BLUE and len(one.get_xdata())
        ]
        np.testing.assert_allclose(point.get_xydata(), [z])
        away = outline.get_xydata() - z
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", away, by_hand(z, width), away), 9.0, rtol=1e-4)
        for axes, one in ((left, None), (right, 0.3)):
            np.testing.assert_allclose(
                np.ravel(axes.images[0].get_array()), probabilities(z, one), atol=1e-12
            )
        curves = [one for one in curve.lines if len(one.get_xdata()) == len(volume.RAY)]
        assert len(curves) == (2 if cure == "on" else 1)
        for line, one, colour in zip(curves, (None, 0.3), (style.BLACK, style.VERMILLION), strict=False):
            assert line.get_color() == colour
            for number_ in (7, 30, 44):
                far, high = line.get_xydata()[number_]
                expected = np.sqrt(np.linalg.det(by_hand(far * z / np.linalg.norm(z), one)))
                assert high == pytest.approx(expected, rel=1e-3)
        (mark,) = [one for one in curve.lines if one.get_color() == style.BLUE]
        expected = [np.linalg.norm(z), np.sqrt(np.linalg.det(by_hand(z, width)))]
        assert mark.get_xydata()[0] == pytest.approx(expected, rel=1e-4)


def test_the_greys_and_the_dots_are_the_decoders(panel):
    with panel.drawn():
        kept = plane.picture(volume.decoders.now())
    mesh, dots = kept._make()
    corners = np.reshape(mesh.get_coordinates(), (-1, 2))
    for place in (17, 2600, 3700, 5000):
        size = np.sqrt(np.linalg.det(by_hand(corners[place])))
        assert np.ravel(mesh.get_array())[place] == pytest.approx(np.clip(size, 0.01, 100.0), rel=1e-3)
    np.testing.assert_allclose([one[0] for one in dots.get_segments()], codes())
    # the darker the larger, and black marks stay legible on the darkest
    shades = plane.GREYS(np.linspace(0.0, 1.0, 9))[:, 0]
    assert np.all(np.diff(shades) < 0.0)
    assert shades[-1] > 0.45


def test_a_large_ellipse_and_a_vanishing_volume_are_said(panel):
    panel.scene("Beyond the wall")
    with panel.drawn() as (chart, _left, _right, curve):
        assert [one.get_text() for one in chart.texts] == ["the ellipse is larger than the frame"]
        (mark,) = [one for one in curve.lines if one.get_color() == style.BLUE]
        assert mark.get_marker() == "v"
    panel.scene("Among the codes")
    with panel.drawn() as (chart, _left, _right, curve):
        assert not chart.texts
        assert [one.get_marker() for one in curve.lines if one.get_color() == style.BLUE] == ["o"]


def test_the_story_of_the_scenes(panel):
    seen = {}
    for scene in panel.definition.scenes:
        panel.scene(scene)
        seen[scene] = said(panel)
    assert seen["Among the codes"]["share"] > 1.0
    assert seen["Far out"]["share"] < 0.01
    assert seen["The wall"]["volume"] > 5.0 * seen["The wall"]["other"][0]
    assert seen["Beyond the wall"]["volume"] == 0.0
    assert seen["Beyond the wall"]["entropy"] == pytest.approx(64.0 * np.log(2.0), abs=0.05)
    assert seen["A wider wall"]["volume"] > 5.0 * seen["A wider wall"]["other"][0]


@pytest.mark.parametrize("scene", ["The wall", "A wider wall"])
def test_the_walls_are_at_their_peaks(panel, scene):
    panel.scene(scene)
    width, z = panel.values["width"], np.array([panel.values["x"], panel.values["y"]])
    shares = np.linspace(0.7, 1.3, 121)
    heights = np.sqrt(np.linalg.det(by_hand(shares[:, None] * z, width)))
    assert np.max(heights) < 1.02 * np.sqrt(np.linalg.det(by_hand(z, width)))


def test_the_prediction(panel):
    before = said(panel)["steps"]
    panel.answer("No, nothing changes")
    after = said(panel)
    assert after["cured"]
    assert after["steps"] == [0.0, None]
    assert before[0] > 1.0


def test_words_fit_beside_a_prediction(panel):
    for answer in panel.definition.predict.choices:
        panel.answer(answer)
        words = f"You predicted: {answer}. {panel.sentence}"
        assert len(_wrapped(words, 720 - 2 * CAPTION_MARGIN, _fonts()[0])) <= 2, words


def test_another_model_is_shown(panel):
    first = panel.sentence, panel.pixels()
    other = VAE(latent=2, seed=4).fit(digits().training[:200], epochs=3, progress=False)
    try:
        digit_vaes.use(other)
        twin = shown()
        again = twin.sentence, twin.pixels()
        assert again[0] != first[0]
        assert not np.array_equal(again[1], first[1])
        panel._sentence = None
        assert panel.sentence == again[0]
        twin.close()
    finally:
        digit_vaes.use(None)


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
