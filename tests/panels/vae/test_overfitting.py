"""Overfitting: words and picture against draws from q, importance sampling, and one refinement at a time."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.patches import Ellipse
from scipy.special import expit

from igviz.models import digit_vaes
from igviz.models.images import digits
from igviz.panels.vae.overfitting import overfitting as shown
from igviz.plots import style
from tests.panels import laws

overfitting = sys.modules["igviz.panels.vae.overfitting"]
NUMBER = r"(−?[\d.,]+)"
SENTENCE = (
    rf"Epoch {NUMBER}: mean ELBO {NUMBER}, log p\(x\) {NUMBER} nats over 60 test images\. "
    rf"Image (\d+): ELBO {NUMBER}, after (\d+) steps? {NUMBER}, log p\(x\) (−[\d.]+)\."
)
PLACES = [(20, 36, 1), (200, 36, 3), (1000, 55, 10), (1000, 15, 0)]


@pytest.fixture
def panel():
    made = shown()
    yield made
    made.close()


def said(panel):
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    return [float(one.replace("−", "-").replace(",", "")) for one in found.groups()]


def elbo_by_draws(epoch, images, mean, std, draws=400):
    """Mean of log p(x, z) − log q(z) over draws, and its standard error, each of shape (n,)."""
    vae, rng, seen = digit_vaes.after(epoch), np.random.default_rng(4), []
    for _ in range(draws):
        noise = rng.standard_normal(mean.shape)
        z = mean + std * noise
        p = np.clip(expit(vae.decoder(z).astype(np.float64)), 1e-12, 1.0 - 1e-12)
        fits = np.log(np.where(images == 1.0, p, 1.0 - p)).sum(axis=1)
        seen.append(fits + np.sum(-0.5 * z**2 + 0.5 * noise**2 + np.log(std), axis=1))
    return np.mean(seen, axis=0), np.std(seen, axis=0) / np.sqrt(draws)


@pytest.mark.parametrize(("epoch", "image", "steps"), PLACES)
def test_the_sentence(panel, epoch, image, steps):
    panel.set(epoch=epoch, image=image, steps=steps)
    found = said(panel)
    assert [found[0], found[3], found[5]] == [epoch, image, steps]
    vae, x = digit_vaes.after(epoch), digits().test[:60]
    q = vae.encode(x)
    elbo, error = elbo_by_draws(epoch, x, q.mean, q.std)
    assert found[1] == pytest.approx(elbo.mean(), abs=5.0 * np.sqrt(np.sum(error**2)) / 60 + 5e-3)
    assert found[4] == pytest.approx(elbo[image], abs=5.0 * error[image] + 5e-3)
    assert found[2] == pytest.approx(vae.log_likelihood(x).mean(), abs=6e-3)
    one = x[image : image + 1]
    assert found[7] == pytest.approx(vae.log_likelihood(one)[0], abs=9e-3)
    if steps:
        q = vae.refine(one, steps=steps)
        elbo, error = elbo_by_draws(epoch, one, q.mean, q.std)
        assert found[6] == pytest.approx(elbo[0], abs=5.0 * error[0] + 5e-3)
    else:
        assert found[6] == found[4]
    assert found[4] <= found[6] <= found[7]


@pytest.mark.parametrize(("epoch", "image", "steps"), PLACES)
def test_the_plane(panel, epoch, image, steps):
    panel.set(epoch=epoch, image=image, steps=steps)
    vae, x = digit_vaes.after(epoch), digits().test[image : image + 1]
    ends = [vae.encode(x), vae.refine(x, steps=steps) if steps else vae.encode(x)]
    here = overfitting.view(epoch, image)
    with panel.drawn() as (_curves, plane, pixels):
        found = [one for one in plane.get_children() if isinstance(one, Ellipse)]
        assert [one.get_edgecolor()[:3] for one in found] == [
            tuple(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
            for colour in (style.BLUE, style.VERMILLION)
        ]
        for one, q in zip(found, ends, strict=True):
            np.testing.assert_allclose(here.centre + here.reach * np.array(one.center), q.mean[0])
            np.testing.assert_allclose(here.reach * np.array([one.width, one.height]), 4.0 * q.std[0])
            assert np.all(np.abs(one.center) + 0.5 * np.array([one.width, one.height]) < 1.0)
        (way,) = [one for one in plane.lines if one.get_marker() == "."]
        assert len(way.get_xdata()) == steps + 1
        ruler = next(one for one in plane.lines if one.get_color() == style.INK)
        length = np.ptp(ruler.get_xdata()) * here.reach
        assert float(plane.texts[0].get_text()) == pytest.approx(length)
        picture = np.asarray(pixels.images[0].get_array(), dtype=float)
        rows = [picture[top : top + 8].ravel() for top in (0, 9, 18)]
    np.testing.assert_array_equal(rows[0], x[0])
    for row, q in zip(rows[1:], ends, strict=True):
        np.testing.assert_allclose(row, expit(vae.decoder(q.mean[0]).astype(np.float64)), atol=1e-6)


@pytest.mark.parametrize(("epoch", "image"), [(200, 36), (1000, 55)])
def test_the_grey_regions_are_those_of_the_posterior(panel, epoch, image):
    panel.set(epoch=epoch, image=image)
    vae, x, here = digit_vaes.after(epoch), digits().test[image], overfitting.view(epoch, image)

    def log_joint(z):
        p = np.clip(expit(vae.decoder(z).astype(np.float64)), 1e-12, 1.0 - 1e-12)
        return np.log(np.where(x == 1.0, p, 1.0 - p)).sum(axis=-1) - 0.5 * np.sum(z**2, axis=-1)

    side = np.linspace(-1.0, 1.0, 201)
    heights = log_joint(here.centre + here.reach * np.stack(np.meshgrid(side, side), axis=-1))
    line = np.linspace(-4.0, 4.0, 161)  # nothing higher lies outside the picture
    everywhere = log_joint(np.stack(np.meshgrid(line, line), axis=-1))
    assert everywhere.max() < heights.max() + 0.05
    with panel.drawn() as (_curves, plane, _pixels):
        (regions,) = [one for one in plane.collections if isinstance(one, PathCollection)]
        paths, colours = regions.get_paths(), regions.get_facecolor()
    assert len(paths) == len(colours) == 3
    assert np.all(np.diff(colours[:, 0]) < 0)  # the darker the denser
    for path, sd in zip(paths, (3.0, 2.0, 1.0), strict=True):
        inside = path.vertices[np.max(np.abs(path.vertices), axis=1) < 0.99]
        below = heights.max() - log_joint(here.centre + here.reach * inside)
        nearest = np.min(np.abs(below[:, None] - 0.5 * np.array([sd, sd - 1.0]) ** 2), axis=1)
        assert np.quantile(nearest, 0.95) < 0.2  # nats; they were cut on a grid


def test_the_curves(panel):
    vae, x = digit_vaes.after(1000), digits().test[:60]
    q = vae.refine(x, steps=10)
    with panel.drawn() as (curves, *_):
        standing = {one.get_label(): one for one in curves.lines if not one.get_label().startswith("_")}
        last = {label: one.get_ydata()[-1] for label, one in standing.items()}
        for one in standing.values():
            low, high = np.min(one.get_ydata()), np.max(one.get_ydata())
            assert overfitting.LOWEST < low < high < overfitting.HIGHEST
        marks = [one for one in curves.lines if len(one.get_xdata()) == 1]
        assert {one.get_marker() for one in marks} == {"s", "D", "o"}
        assert all(one.get_xdata()[0] == panel.values["epoch"] for one in marks)
    assert last["ELBO, encoder's q"] == pytest.approx(vae.elbo(x).mean())
    assert last["ELBO, 10 steps on q"] == pytest.approx(vae.elbo(x, q).mean())
    assert last["log p(x)"] == pytest.approx(vae.log_likelihood(x).mean(), abs=1e-3)
    assert last["training ELBO"] == pytest.approx(vae.history[-1].elbo)


def test_the_encoder_overfits_and_the_decoder_does_not():
    elbo, refined, log_p = np.array(
        [[np.mean(one) for one in overfitting.measure(epoch)[:3]] for epoch in digit_vaes.STATIONS]
    ).T
    assert np.all(np.diff(log_p) > 0.0)
    assert digit_vaes.STATIONS[np.argmax(elbo)] == 200  # the scene's best epoch
    assert elbo[-1] == pytest.approx(elbo.max() - 2.0, abs=0.25)  # the question's 2 nats
    assert np.all(elbo < refined)
    assert np.all(refined < log_p)


def test_the_prediction_and_the_scenes(panel):
    panel.scene("The best epoch")
    before = said(panel)
    panel.answer("No, it has risen")
    after = said(panel)
    assert after[2] > before[2] + 0.5
    assert after[1] < before[1] - 1.5
    panel.scene("Early")
    early = said(panel)
    assert early[2] - early[1] < 0.5
    panel.scene("Overfitted")
    open_ = said(panel)
    panel.scene("Gap closed")
    closed = said(panel)
    assert open_[7] - open_[6] > 20.0
    assert closed[7] - closed[6] < 0.2
    panel.scene("A hard image")
    assert said(panel)[7] - said(panel)[6] > 3.0


def test_the_gaps_differ_by_more_than_colour():
    assert "hatch" in overfitting.APPROXIMATION
    assert "hatch" not in overfitting.AMORTISATION


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
