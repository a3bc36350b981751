"""Overfitting: words and picture against draws from q, importance sampling, and one refinement at a time."""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Ellipse, Polygon
from scipy.special import expit

from igviz.geometry.families.normal import Normal
from igviz.models import digit_vaes
from igviz.models.images import digits
from igviz.panels.vae.overfitting import overfitting as shown
from igviz.plots import style
from tests.panels import laws

overfitting = sys.modules["igviz.panels.vae.overfitting"]
NUMBER = r"(−?[\d.,]+)"
SENTENCE = (
    rf"Epoch {NUMBER}: ELBO {NUMBER}, refined {NUMBER}, log p\(x\) {NUMBER} \(60 test images\)\. "
    rf"Image (\d+): {NUMBER}(?:, after (\d+) steps? {NUMBER})?, log p\(x\) (−\d+\.\d\d)"
    r"(?:; the walk ends on the wrong heap: another q has (−[\d.]+))?\."
)
PLACES = [(20, 36, 1), (200, 36, 3), (1000, 55, 10), (1000, 15, 0)]


@pytest.fixture
def panel():
    made = shown()
    yield made
    made.close()


class Said(NamedTuple):
    """The numbers of a sentence."""

    epoch: float
    elbo: float
    refined: float
    log_p: float
    image: float
    start: float
    steps: float | None
    end: float | None
    one: float  # log p(x) of the image
    another: float | None


def said(panel):
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    return Said(
        *(one if one is None else float(one.replace("−", "-").replace(",", "")) for one in found.groups())
    )


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
    assert [found.epoch, found.image, found.steps or 0] == [epoch, image, steps]
    vae, x = digit_vaes.after(epoch), digits().test[:60]
    q = vae.encode(x)
    elbo, error = elbo_by_draws(epoch, x, q.mean, q.std)
    assert found.elbo == pytest.approx(elbo.mean(), abs=5.0 * np.sqrt(np.sum(error**2)) / 60 + 5e-3)
    assert found.start == pytest.approx(elbo[image], abs=5.0 * error[image] + 5e-3)
    assert found.log_p == pytest.approx(vae.log_likelihood(x).mean(), abs=6e-3)
    one = x[image : image + 1]
    assert found.one == pytest.approx(vae.log_likelihood(one)[0], abs=9e-3)
    if steps:
        q = vae.refine(one, steps=steps)
        elbo, error = elbo_by_draws(epoch, one, q.mean, q.std)
        assert found.end == pytest.approx(elbo[0], abs=5.0 * error[0] + 5e-3)
        assert found.start <= found.end <= found.one
    assert found.elbo <= found.refined <= found.log_p


def best_q(epoch, images, starts=30):
    """ELBO of the best q that walks from the encoder's and from many draws of the prior find, shape (n,)."""
    vae, rng = digit_vaes.after(epoch), np.random.default_rng(6)
    best = vae.elbo(images, vae.refine(images, steps=10))
    for image, x in enumerate(images):
        many = np.tile(x, (starts, 1))
        start = Normal(1.3 * rng.standard_normal((starts, 2)), np.full((starts, 2), 0.1))
        best[image] = max(best[image], np.max(vae.elbo(many, vae.refine(many, start, steps=20))))
    return best


def test_the_refined_are_those_of_the_best_q():
    """So that the band between them and log p(x) is the family's."""
    some = [5, 8, 15, 36, 52, 55]  # the first three have a wrong heap on their way
    wanted = best_q(1000, digits().test[some])
    found = overfitting.measure(1000).refined[some]
    assert np.all(found > wanted - 0.5)
    assert np.mean(found) == pytest.approx(np.mean(wanted), abs=0.05)
    assert np.mean(overfitting.measure(1000).refined) > -17.81


def test_a_walk_is_called_wrong_only_when_it_has_another_heap(panel):
    panel.scene("The wrong heap")
    found = said(panel)
    vae, x = digit_vaes.after(1000), digits().test[15:16]
    assert found.another == pytest.approx(best_q(1000, x, 100)[0], abs=0.02)
    end = vae.refine(x, steps=300)
    assert vae.elbo(x, end)[0] < found.another - 5.0  # no number of steps mends it
    panel.set(steps=9)
    assert said(panel).another is None
    panel.set(epoch=200, image=9, steps=10)  # on the way still: it arrives
    assert said(panel).another is None
    assert overfitting.measure(200).refined[9] > said(panel).end + 0.5
    x = digits().test[9:10]
    vae = digit_vaes.after(200)
    long = vae.elbo(x, vae.refine(x, steps=300))[0]
    assert long == pytest.approx(overfitting.measure(200).refined[9], abs=0.02)


@pytest.mark.parametrize(("epoch", "image", "steps"), PLACES)
def test_the_plane(panel, epoch, image, steps):
    panel.set(epoch=epoch, image=image, steps=steps)
    vae, x = digit_vaes.after(epoch), digits().test[image : image + 1]
    ends = [vae.encode(x), vae.refine(x, steps=steps) if steps else vae.encode(x)]
    here = overfitting.view(epoch, image)
    with panel.drawn() as (_curves, plane, pixels):
        found = [one for one in plane.get_children() if isinstance(one, Ellipse)]
        colours = (style.BLUE, style.VERMILLION) if steps else (style.BLUE,)  # none hidden under another
        assert [one.get_edgecolor()[:3] for one in found] == [to_rgb(colour) for colour in colours]
        assert [one.get_marker() == "D" for one in plane.lines].count(True) == len(colours) - 1
        for one, q in zip(found, ends, strict=False):
            # the long run's encoder has 32 bits, and rounds one image otherwise than sixty
            centre, size = np.array(one.center), np.array([one.width, one.height])
            np.testing.assert_allclose(here.centre + here.reach * centre, q.mean[0], atol=1e-5)
            np.testing.assert_allclose(here.reach * size, 4.0 * q.std[0], rtol=1e-4)
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
        np.testing.assert_allclose(row, expit(vae.decoder(q.mean[0]).astype(np.float64)), atol=1e-4)


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


@pytest.mark.parametrize("epoch", [5, 200, 1000])
def test_the_curves_end_at_the_chosen_epoch(panel, epoch):
    """What comes later is asked."""
    panel.set(epoch=epoch)
    vae, x = digit_vaes.after(epoch), digits().test[:60]
    with panel.drawn() as (curves, *_):
        lines = [one for one in curves.lines if len(one.get_xdata())]
        bands = [one.get_xy() for one in curves.patches if isinstance(one, Polygon)]
        marks = [one for one in lines if one.get_markersize() == 9]
        drawn = {one.get_color(): one.get_ydata() for one in lines if len(one.get_xdata()) > 2}
        assert all(np.max(one.get_xdata()) == epoch for one in lines)
        assert all(np.max(one[:, 0]) == epoch for one in bands)
        assert len(bands) == 2
        assert {one.get_marker() for one in marks} == {"s", "D", "o"}
        ends = {one.get_marker(): one.get_ydata()[0] for one in marks}
    for values in drawn.values():
        assert overfitting.LOWEST < np.min(values) < np.max(values) < overfitting.HIGHEST
    assert ends["s"] == pytest.approx(vae.elbo(x).mean())
    assert ends["D"] == pytest.approx(overfitting.measure(epoch).refined.mean())
    assert ends["o"] == pytest.approx(vae.log_likelihood(x).mean(), abs=1e-3)
    if epoch > 5:
        assert drawn[overfitting.TRAINING["color"]][-1] == pytest.approx(vae.history[-1].elbo)


def test_the_encoder_overfits_and_the_decoder_does_not():
    elbo, refined, log_p = np.array(
        [[np.mean(one) for one in overfitting.measure(epoch)[:3]] for epoch in digit_vaes.STATIONS]
    ).T
    assert np.all(np.diff(log_p) > 0.0)
    assert digit_vaes.STATIONS[np.argmax(elbo)] == 200  # the scene's
    assert elbo[-1] == pytest.approx(elbo.max() - 2.0, abs=0.25)  # the question's 2 nats
    assert np.all(elbo < refined)
    assert np.all(refined < log_p)


def test_the_prediction_and_the_scenes(panel):
    panel.scene("Highest test ELBO")
    before = said(panel)
    panel.answer("No, it has risen")
    after = said(panel)
    assert after.log_p > before.log_p + 0.5
    assert after.elbo < before.elbo - 1.5
    panel.scene("Early")
    early = said(panel)
    assert early.log_p - early.elbo < 0.5
    panel.scene("Overfitted")
    open_ = said(panel)
    panel.scene("Gap closed")
    closed = said(panel)
    assert open_.one - open_.start > 20.0
    assert closed.one - closed.end < 0.2
    assert closed.another is None


def test_the_gaps_differ_by_more_than_colour():
    assert "hatch" in overfitting.APPROXIMATION
    assert "hatch" not in overfitting.AMORTISATION


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
