"""The training that is watched: words and picture against a training of its own, and the button."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import igviz as ig
from igviz.models import digit_vaes, vae_record
from igviz.models.images import digits
from igviz.panels import vae as lecture
from igviz.panels.engine.encode import _fonts, _wrapped
from igviz.plots import style
from tests.panels import laws

module = sys.modules["igviz.panels.vae.training"]
NUMBER = r"(−?[\d.]+)"
SENTENCE = (
    rf"Epoch (\d+)(?: of (\d+)|, (\d+) done): ELBO {NUMBER} = reconstruction {NUMBER} − KL {NUMBER} "
    rf"nats; validation {NUMBER}\. Best so far: (\d+) \({NUMBER}; {NUMBER}\)\."
)
ANOTHER = (
    r"Train starts (.+)\. Still shown: rate (\S+), (\d+) units, seed (\d); "
    rf"epoch (\d+)(?: of (\d+)|, (\d+) done): ELBO {NUMBER}, validation {NUMBER} nats\."
)


@pytest.fixture
def panel():
    made = lecture.training()
    yield made
    made.close()


@pytest.fixture
def short(monkeypatch):
    """Trainings of five epochs, and what they give, by settings."""
    monkeypatch.setattr(module, "recorded", lambda vae, rate: vae_record.recorded(vae, rate, 5))

    def trained(rate, hidden, seed):
        parts, vae = digits(), ig.VAE(hidden=(hidden, hidden), seed=seed)
        return vae.fit(parts.training, parts.validation, 5, rate=rate, progress=False)

    return trained


def numbers(groups):
    return [one if one is None else float(one.replace("−", "-")) for one in groups]


def said(panel):
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    return numbers(found.groups())


def wanted(history, at):
    best_epoch = 1 + int(np.argmax([one.validation_elbo for one in history[:at]]))
    now, best = history[at - 1], history[best_epoch - 1]
    close = {"abs": 6e-3}
    return [
        at,
        *(pytest.approx(x, **close) for x in (now.reconstruction - now.kl, now.reconstruction, now.kl)),
        pytest.approx(now.validation_reconstruction - now.validation_kl, **close),
        best_epoch,
        pytest.approx(best.reconstruction - best.kl, **close),
        pytest.approx(best.validation_reconstruction - best.validation_kl, **close),
    ]


@pytest.mark.parametrize("epoch", [1, 2, 3, 30, 80, 171, 200, 221, 600])
def test_the_sentence(panel, epoch):
    panel.set(epoch=epoch)
    history = digit_vaes.by_beta(1.0).history
    found = said(panel)
    assert [found[0], *found[3:10]] == wanted(history, min(epoch, 221))
    assert found[1:3] == [221, None]
    elbo, reconstruction, kl = found[3:6]
    assert elbo == pytest.approx(reconstruction - kl, abs=1e-9), "as written it is an equation"


@pytest.mark.parametrize("epoch", [1, 14, 171, 200, 600])
def test_the_picture(panel, epoch):
    panel.set(epoch=epoch)
    history = digit_vaes.by_beta(1.0).history[: min(epoch, 221)]
    at = len(history)
    with panel.drawn() as (curves, plane):
        drawn = [one for one in curves.lines if len(one.get_xdata())]
        for look, height in (
            (module.ELBO, [one.reconstruction - one.kl for one in history]),
            (module.VALIDATION, [one.validation_reconstruction - one.validation_kl for one in history]),
            (module.RECONSTRUCTION, [one.reconstruction for one in history]),
        ):
            (line,) = [one for one in drawn if one.get_color() == look["color"] and one.get_markevery()]
            np.testing.assert_allclose(line.get_xydata(), np.stack([np.arange(1, at + 1), height], axis=-1))
            assert (line.get_marker(), line.get_markevery()) == ("o", [at - 1])
        (ring,) = [one for one in drawn if one.get_markerfacecolor() == "none" and one.get_marker() == "o"]
        best = max(history, key=lambda one: one.validation_elbo)
        np.testing.assert_allclose(ring.get_xydata(), [[best.number, best.validation_elbo]])
        end = [one for one in drawn if one.get_color() == style.GUIDE["color"]]
        assert [one.get_xdata()[0] for one in end] == ([221] if epoch >= 221 else [])
        words = [one.get_text() for one in curves.texts[:-1]]
        assert words == (["the end:\nnone of the last 50\nwas better"] if epoch >= 221 else [])
        (band,) = [one for one in curves.patches if np.all(np.isfinite(one.get_xy()))]
        corners = band.get_xy()[: 2 * at]
        assert corners[:, 0].tolist() == [*range(1, at + 1), *range(at, 0, -1)]
        high = corners[:at, 1]
        np.testing.assert_allclose(high, [one.reconstruction for one in history])
        np.testing.assert_allclose(high - corners[at:, 1][::-1], [one.kl for one in history], atol=1e-12)
        low, high = curves.get_ylim()
        assert all(low < y < high for one in drawn if one not in end for y in one.get_ydata())
        picture = plane.images[0].get_array()
        for row, column in ((0, 0), (7, 3), (2, 6)):
            tile = picture[9 * row : 9 * row + 8, 9 * column : 9 * column + 8]
            np.testing.assert_array_equal(tile.ravel(), digit_vaes.record().shown[at - 1][8 * row + column])


def test_the_ticks_of_the_plane_are_the_places(panel):
    with panel.drawn() as (_curves, plane):
        for axis, coordinate, stride in ((plane.xaxis, 0, 1), (plane.yaxis, 1, 8)):
            places, words = axis.get_majorticklocs(), [one.get_text() for one in axis.get_ticklabels()]
            for place, word in zip(places, words, strict=True):
                number = round((place - 3.5) / 9)
                value = vae_record.PLACES[stride * number, coordinate]
                assert float(word.replace("−", "-")) == pytest.approx(value, abs=0.05)


@pytest.mark.parametrize("chosen", [{"rate": 0.01}, {"hidden": 16}, {"seed": 3}])
def test_other_settings_than_those_of_the_run_are_told(panel, chosen):
    panel.set(epoch=100, **chosen)
    found = re.fullmatch(ANOTHER, panel.sentence)
    assert found, panel.sentence
    now = digit_vaes.record().epochs[99]
    assert found.groups()[1:6] == ("0.002", "64", "0", "100", "221")
    assert numbers(found.groups()[7:9]) == [
        pytest.approx(now.elbo, abs=6e-3),
        pytest.approx(now.validation_elbo, abs=6e-3),
    ]
    with panel.drawn() as (curves, _plane):
        words = [one.get_text() for one in curves.texts]
    values = panel.values
    assert found[1] == f"rate {values['rate']:g}, {values['hidden']} units, seed {values['seed']}"
    assert words == ["rate 0.002, 64 units, seed 0", f"chosen: {found[1]}"]


def test_the_button_trains_with_the_sliders_settings_and_the_epoch_goes_along(panel, wire, short):
    history = short(0.005, 16, 2).history
    panel.set(rate=0.005, hidden=16, seed=2)
    picture, row = panel.widget.picture, panel._view.work
    seen = []
    picture.observe(lambda change: seen.append(change["new"]), "sentence")
    row.button.click()
    row.thread.join(60)
    assert picture.problem == ""
    assert panel.values == {"epoch": 5, "rate": 0.005, "hidden": 16, "seed": 2}
    found = said(panel)
    assert found[:2] == [5, 5]
    assert [found[0], *found[3:10]] == wanted(history, 5)
    with panel.drawn() as (curves, _plane):
        assert curves.texts[0].get_text() == "the end:\nall were done"
    assert re.match(r"Epoch 1, 1 done: ELBO", seen[0]), "the first epoch is drawn at once"
    panel.set(epoch=2)
    assert said(panel)[:2] == [2, 5]
    panel.set(seed=3)
    assert "Still shown: rate 0.005, 16 units, seed 2; epoch 2 of 5: ELBO" in panel.sentence


@pytest.mark.parametrize("back", ["reset", "scene", "answer", "set"])
def test_the_lectures_run_comes_back_with_its_settings(panel, wire, short, back):
    first = panel.sentence
    panel.set(rate=0.005, hidden=16)
    row = panel.widget and panel._view.work
    row.button.click()
    row.thread.join(60)
    assert said(panel)[:2] == [5, 5]
    if back == "reset":
        panel.reset()
        assert panel.sentence == first
    elif back == "scene":
        panel.scene("The best epoch")
        assert (said(panel)[:2], said(panel)[7]) == ([171, 221], 171)
    elif back == "answer":
        panel.answer("It goes on rising")
        assert said(panel)[:2] == [221, 221]
    else:
        panel.set(rate=0.002, hidden=64, epoch=30)
        assert panel.sentence == first
    panel.set(rate=0.005, hidden=16, epoch=5)
    assert said(panel)[:2] == [5, 5], "the other run is not lost"


def test_while_it_trains_with_the_lectures_settings_that_training_is_shown(panel, wire, monkeypatch):
    seen = []

    def watched(vae, rate):
        for made in vae_record.recorded(vae, rate, 4):
            yield made
            panel._view.work._next_frame = 0.0
            seen.append(panel.sentence[:15])

    monkeypatch.setattr(module, "recorded", watched)
    row = panel.widget and panel._view.work
    row.button.click()
    row.thread.join(60)
    assert seen[0] == "Epoch 1, 1 done"
    assert said(panel)[1] == 221


def test_the_slider_stands_at_the_last_place_reached_and_at_the_end_where_the_end_is_seen():
    history = digit_vaes.record()
    going = history._replace(ended="")
    for count, place in ((1, 1), (4, 3), (5, 5), (139, 120), (170, 140), (171, 171), (220, 200)):
        assert module._place_for(going._replace(epochs=history.epochs[:count])) == place
    for count, place in ((221, 221), (187, 200), (68, 80)):
        assert module._place_for(history._replace(epochs=history.epochs[:count])) == place
    assert module._place_for(history._replace(epochs=3 * history.epochs[:200])) == 600


def test_stop_keeps_the_epochs_done(panel, wire, monkeypatch):
    def stopping(vae, rate):
        for made in vae_record.recorded(vae, rate, 9):
            if len(made.epochs) == 4:
                panel._view.work.button.click()
            yield made

    monkeypatch.setattr(module, "recorded", stopping)
    panel.set(hidden=16)
    row = panel.widget and panel._view.work
    row.button.click()
    row.thread.join(60)
    found = said(panel)
    assert found[:3] == [3, None, 4]
    assert panel.widget.picture.problem.startswith("Stopped")
    with panel.drawn() as (curves, _plane):
        assert not [one for one in curves.lines if one.get_color() == style.GUIDE["color"]]


def test_a_training_that_runs_away_says_so_and_the_last_picture_stays(panel, wire, monkeypatch):
    def lost(vae, rate):
        yield next(vae_record.recorded(vae, rate, 9))
        raise FloatingPointError("the training ran away in epoch 2")

    monkeypatch.setattr(module, "recorded", lost)
    panel.set(seed=1)
    row = panel.widget and panel._view.work
    row.button.click()
    row.thread.join(60)
    assert panel.widget.picture.problem == (
        "Train failed. FloatingPointError: the training ran away in epoch 2"
    )
    assert said(panel)[:3] == [1, None, 1]


def test_the_lectures_own_run_is_one_training_with_its_autoencoder(panel):
    assert digit_vaes.record() is digit_vaes.record()
    assert digit_vaes.lecture() is digit_vaes.by_beta(1.0)
    panel.scene("The best epoch")
    assert panel.values["epoch"] == said(panel)[7] == digit_vaes.lecture().best_epoch


def test_the_prediction_the_training_elbo_goes_on_rising(panel):
    history = digit_vaes.record().epochs
    panel.answer("It goes on rising")
    found = said(panel)
    assert (found[0], found[7]) == (221, 171)
    assert found[3] > found[8] + 0.2
    assert found[6] < found[9] - 0.1
    words = "You predicted: It goes on rising. " + panel.sentence
    assert len(_wrapped(words, 640, _fonts()[0])) <= 2
    # and not by chance of an epoch
    assert np.mean([one.elbo for one in history[201:221]]) > np.mean([one.elbo for one in history[161:181]])


def test_the_scenes(panel):
    seen = [said(panel)[0]]
    for scene in panel.definition.scenes:
        panel.scene(scene)
        seen.append(said(panel)[0])
    assert seen == [30, 1, 10, 171, 221]


def test_the_legend_is_inside_the_picture(panel):
    with panel.drawn() as (curves, plane):
        box = curves.get_legend().get_window_extent()
        assert box.x1 < curves.figure.bbox.width
        assert box.y1 < curves.figure.bbox.height
        assert plane.get_legend() is None


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
