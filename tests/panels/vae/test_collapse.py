"""The weight of the KL: words, bars and codes against the networks themselves, by draws and by hand."""

from __future__ import annotations

import re
import sys
from functools import cache

import numpy as np
import pytest
from matplotlib.patches import Ellipse, Rectangle
from scipy.special import expit

from igviz.models import digit_vaes
from igviz.models.images import digits
from igviz.panels.engine.encode import CAPTION_MARGIN, _fonts, _wrapped
from igviz.panels.vae.collapse import collapse as shown
from igviz.plots import stored, style
from tests.panels import laws

collapse = sys.modules["igviz.panels.vae.collapse"]
NUMBER = r"(−?[\d.]+)"
SENTENCE = (
    rf"β = {NUMBER}: the units' mean KLs are {NUMBER} and {NUMBER} nats"
    rf"(?:, (unit \d has|both have) collapsed)?; ELBO {NUMBER}"
    rf"(?: is the objective|; the β-ELBO it was trained for is {NUMBER})\. "
    rf"Image (\d+), a (\d): KL {NUMBER}, ELBO {NUMBER}\."
)
FIRST, LAST = digit_vaes.BETAS[0], digit_vaes.BETAS[-1]
LAWFUL = (1.0, FIRST, LAST)


@pytest.fixture
def panel():
    made = shown()
    yield made
    made.close()


def said(panel):
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    return [one if one is None or one[-1] in "se" else float(one.replace("−", "-")) for one in found.groups()]


@cache
def by_hand(beta):
    """Mean and std of q, KL of each unit and log p(x|z) by draws, from the networks' outputs alone."""
    vae, images = digit_vaes.by_beta(beta), digits().validation
    outputs = vae.encoder(images)
    mean, std = outputs[:, :2], np.exp(outputs[:, 2:])
    kl = -np.log(std) + (std**2 + mean**2 - 1.0) / 2.0
    rng, total = np.random.default_rng(5), 0.0
    for _ in range(200):
        p = expit(vae.decoder(mean + std * rng.standard_normal(mean.shape)))
        total = total + np.log(np.where(images == 1.0, p, 1.0 - p)).sum(axis=1)
    return mean, std, kl, total / 200


@pytest.mark.parametrize("beta", LAWFUL)
def test_the_sentence(panel, beta):
    panel.set(beta=beta, image=7)
    found = said(panel)
    _mean, _std, kl, reconstruction = by_hand(beta)
    units, lost = kl.mean(axis=0), reconstruction.mean()
    assert found[0] == beta
    np.testing.assert_allclose(found[1:3], units, atol=5.1e-3)
    assert found[3] == ("both have" if np.all(units < 0.05) else None)
    assert found[4] == pytest.approx(lost - units.sum(), abs=0.04)
    if beta == 1.0:
        assert found[5] is None
    else:
        assert found[5] == pytest.approx(lost - beta * units.sum(), abs=0.04)
    assert found[6:8] == [7, digits().validation_labels[7]]
    assert found[8] == pytest.approx(kl[7].sum(), abs=6e-3)
    assert found[9] == pytest.approx(reconstruction[7] - kl[7].sum(), abs=1.2)


@pytest.mark.parametrize("beta", LAWFUL)
def test_the_picture(panel, beta):
    panel.set(beta=beta, image=7)
    mean, std, kl, reconstruction = by_hand(beta)
    with panel.drawn() as (plane, units, whole, pixels):
        (q,) = [
            one for one in plane.artists + plane.patches if isinstance(one, Ellipse) and one.get_zorder() > 2
        ]
        np.testing.assert_allclose(q.center, mean[7])
        np.testing.assert_allclose([q.width, q.height], 4.0 * std[7])  # 2 sd to each side
        bars = sorted((one for one in units.get_children() if drawn_bar(one)), key=lambda one: one.get_x())
        np.testing.assert_allclose([one.get_height() for one in bars], kl.mean(axis=0), rtol=1e-9)
        assert [bool(one.get_hatch()) for one in bars] == [False, True]
        written = [one.get_text() for one in units.texts]
        assert f"KLs are {written[0]} and {written[1]} nats" in panel.sentence
        left = [one for one in whole.get_children() if drawn_bar(one) and one.get_x() < 0]
        right = [one for one in whole.get_children() if drawn_bar(one) and one.get_x() > 0]
        for stack, weight in ((left, 1.0), (right, beta)):
            stack = sorted(stack, key=lambda one: one.get_y())
            heights = [one.get_height() for one in stack]
            np.testing.assert_allclose(heights[1:], weight * kl.mean(axis=0), rtol=1e-9)
            assert heights[0] == pytest.approx(-reconstruction.mean(), abs=0.04)
            np.testing.assert_allclose([one.get_y() for one in stack], np.cumsum([0.0, *heights[:2]]))
        above, below = pixels.images
        assert [one.get_text() for one in pixels.texts] == ["x", "decoded"]
        ends = [one.get_extent()[2:] for one in (above, below)]  # bottom, top; downwards
        (x_low, x_top), (low, top) = ends
        assert x_low - x_top == low - top == 8.0
        assert top - x_low >= 3.0
        assert pixels.texts[0].get_position()[1] < x_top < x_low < pixels.texts[1].get_position()[1] < top
        np.testing.assert_array_equal(np.ravel(above.get_array()), digits().validation[7])
        decoded = expit(digit_vaes.by_beta(beta).decoder(mean[7]))
        np.testing.assert_allclose(np.ravel(below.get_array()), decoded, rtol=1e-9)


def drawn_bar(one):
    return isinstance(one, Rectangle) and one.get_zorder() == 1.5


def test_numerals_stand_at_the_codes(panel):
    mean, labels = by_hand(1.0)[0], digits().validation_labels
    for digit, line in enumerate(collapse.codes(1.0)._make()):
        np.testing.assert_allclose(line.get_xydata(), mean[labels == digit])
        assert line.get_marker() == f"${digit}$"
    with panel.drawn() as (plane, *_):
        assert any(isinstance(one, stored.Stored) for one in plane.get_children())
        assert plane.get_aspect() == 1.0
    for beta in LAWFUL:
        assert np.max(np.abs(collapse.account(beta).mean)) < collapse.REACH


def test_a_sliding_frame_trains_nothing_and_says_what_it_shows(panel, monkeypatch):
    assert panel.sentence.startswith("β = 1:")
    monkeypatch.setattr(collapse.digit_vaes, "is_trained", {FIRST, 1.0}.__contains__)
    monkeypatch.setattr(collapse.digit_vaes, "by_beta", None)
    panel.set(beta=LAST)
    with panel.drawn(moving=True) as (_plane, units, *_):
        bars = [one.get_height() for one in units.get_children() if drawn_bar(one)]
        np.testing.assert_allclose(bars, collapse.account(1.0).kl.mean(axis=0))
    start = f"β = {LAST:g} is being trained, some seconds; still β = 1: the units' mean KLs"
    assert panel.sentence.startswith(start)
    for beta in LAWFUL:
        words = collapse._sentence(0.3, beta, collapse.account(beta), 7)
        assert len(_wrapped(words, 720 - 2 * CAPTION_MARGIN, _fonts()[0])) <= 2


def test_the_first_picture_needs_the_lectures_autoencoder_only(monkeypatch):
    asked, by_beta = [], digit_vaes.by_beta
    monkeypatch.setattr(collapse.digit_vaes, "by_beta", lambda beta: asked.append(beta) or by_beta(beta))
    forget()
    one = shown()
    assert one.sentence
    one._repr_mimebundle_()
    one.close()
    assert asked == [1.0]


def test_the_prediction_and_the_scenes(panel):
    assert f"{collapse.account(1.0).kl.sum(axis=1).mean():.1f} nats" in panel.definition.predict.question
    panel.answer("Less than 0.01")
    found = said(panel)
    assert found[1] + found[2] < 0.01
    assert found[3] == "both have"
    panel.scene("Collapse")
    collapsed = said(panel)
    assert collapsed[0] == 4.0
    assert collapsed[3] == "both have"
    assert 0.0 < collapsed[2] < collapsed[1] < 0.05  # the bound of the word
    panel.scene("Too little")
    less = said(panel)
    panel.scene("β = 1: the ELBO")
    whole = said(panel)
    assert less[1] + less[2] > whole[1] + whole[2]
    assert less[4] < whole[4] < less[5]  # the objective rose, the ELBO fell
    panel.scene("Dearer")
    dearer = said(panel)
    assert collapsed[1] + collapsed[2] < dearer[1] + dearer[2] < whole[1] + whole[2]
    assert dearer[5] < dearer[4] < whole[4]


def test_one_colour_is_not_the_only_difference_of_the_units():
    first, second = collapse.UNITS
    assert first["facecolor"] == style.BLUE
    assert "hatch" in second
    assert "hatch" not in first


def test_the_laws_of_the_collection(panel, monkeypatch):
    by_beta = digit_vaes.by_beta  # those in between take too long to train for a test
    monkeypatch.setattr(
        collapse.digit_vaes, "by_beta", lambda beta: by_beta(beta if beta in LAWFUL else FIRST)
    )
    forget()
    try:
        laws.check(panel)
    finally:
        forget()


def forget():
    collapse.account.cache_clear()
    collapse.codes.cache_clear()
