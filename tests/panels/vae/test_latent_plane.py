"""The latent plane: words and picture against the decoder, its weights multiplied by hand."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import igviz as ig
from igviz.models import digit_vaes
from igviz.models.images import digits
from igviz.panels import vae as lecture
from tests.panels import laws

module = sys.modules["igviz.panels.vae.latent_plane"]
NUMBER = r"(−?[\d.]+)"
SENTENCE = (
    rf"z = \({NUMBER}, {NUMBER}\): entropy {NUMBER} nats, mean at the codes {NUMBER}\. "
    rf"Nearest code: a (\d), {NUMBER} away; (\d+) of 1,257 within 0\.5\.(?: (.+)\.)?"
)
PLACES = [(0.5, -1.0), (-1.5, 0.7), (0.0, 4.0), (-3.7, -2.15), (4.0, -4.0), (1.3, 0.65)]


@pytest.fixture
def panel():
    made = lecture.latent_plane()
    yield made
    made.close()
    digit_vaes.use(None)


def said(panel):
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    return [*(float(one.replace("−", "-")) for one in found.groups()[:7]), found[8]]


def decoded(z):
    """P(black) of each pixel, shape (..., 64), layer by layer."""
    network, a = digit_vaes.lecture().decoder, np.asarray(z, dtype=float)
    for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        a = (np.tanh(a) if layer else a) @ weight + bias
    return 1.0 / (1.0 + np.exp(-a))


def each_entropy(p):
    return -p * np.log(p) - (1.0 - p) * np.log(1.0 - p)


def codes():
    return digit_vaes.lecture().encoder(digits().training)[:, :2]


@pytest.mark.parametrize(("z1", "z2"), PLACES)
def test_the_sentence(panel, z1, z2):
    panel.set(z1=z1, z2=z2)
    away = np.sqrt(np.sum((codes() - [z1, z2]) ** 2, axis=1))
    assert said(panel)[:7] == [
        z1,
        z2,
        pytest.approx(each_entropy(decoded([z1, z2])).sum(), abs=6e-3),
        pytest.approx(each_entropy(decoded(codes())).sum(axis=1).mean(), abs=6e-3),
        digits().training_labels[np.argmin(away)],
        pytest.approx(away.min(), abs=6e-3),
        np.sum(away <= 0.5),
    ]


@pytest.mark.parametrize(("z1", "z2"), PLACES)
def test_the_picture(panel, z1, z2):
    panel.set(z1=z1, z2=z2)
    with panel.drawn() as (chart, shown, unsure, bar):
        p = decoded([z1, z2])
        np.testing.assert_allclose(shown.images[0].get_array(), p.reshape(8, 8), rtol=1e-10)
        np.testing.assert_allclose(unsure.images[0].get_array(), each_entropy(p).reshape(8, 8), rtol=1e-8)
        assert shown.images[0].get_clim() == (0.0, 1.0)
        assert unsure.images[0].get_clim() == (0.0, pytest.approx(np.log(2.0)))
        point, nearest = chart.lines[-1], chart.lines[-2]
        assert point.get_xydata().tolist() == [[z1, z2]]
        closest = codes()[np.argmin(np.sum((codes() - [z1, z2]) ** 2, axis=1))]
        np.testing.assert_allclose(nearest.get_xydata(), [[z1, z2], closest], atol=1e-12)
        (circle,) = [one for one in chart.patches if hasattr(one, "radius")]
        assert (circle.center, circle.radius) == ((z1, z2), 0.5)
        (box,) = bar.patches
        assert box.get_x() + box.get_width() == pytest.approx(each_entropy(p).sum())
        mark, words = module.plane(digit_vaes.lecture()).keys["codes"]._make()
        assert (
            list(mark.get_xdata()) == [pytest.approx(each_entropy(decoded(codes())).sum(axis=1).mean())] * 2
        )
        assert words.get_text() == f"at the codes {mark.get_xdata()[0]:.2f}"
        assert f"mean {words.get_text()}." in panel.sentence
        assert bar.get_xlim() == (0.0, pytest.approx(64 * np.log(2.0)))


def artists(background):
    return module.plane(digit_vaes.lecture()).backgrounds[background]._make()


def test_behind_the_point_are_the_training_digits_codes():
    drawn = artists("codes")
    for digit, line in enumerate(drawn[:10]):
        assert line.get_marker() == f"${digit}$"
        np.testing.assert_allclose(line.get_xydata(), codes()[digits().training_labels == digit])
    for digit, large in enumerate(drawn[10:]):
        assert (large.get_text(), large.get_fontsize()) == (str(digit), 14.0)
        own = codes()[digits().training_labels == digit]
        for place, coordinate in zip(large.get_position(), own.T, strict=True):
            assert abs(np.sum(coordinate < place) - np.sum(coordinate > place)) <= 1, "a median"
    assert len(drawn) == 20


def test_each_digit_of_the_mosaic_stands_where_it_is_decoded():
    (mesh,) = artists("digits")
    corners, drawn = mesh.get_coordinates(), mesh.get_array()
    middles = 0.5 * (corners[:-1, :-1] + corners[1:, 1:])
    tile = 2 * module.REACH / module.TILES
    for z in ((0.0, 0.0), (5 * tile, -2 * tile), (-6 * tile, 6 * tile), (tile, 3 * tile)):
        inside = np.max(np.abs(middles - z), axis=-1) < 0.5 * tile
        cells = drawn[inside].compressed()
        assert cells.size == 64
        # the top row of an image comes first, the lowest row of the mesh does
        np.testing.assert_allclose(cells.reshape(8, 8)[::-1].ravel(), decoded(z), rtol=1e-10)
    assert corners.min() >= -module.REACH
    assert corners.max() <= module.REACH


def test_the_map_holds_the_entropy_and_the_words_its_ends(panel):
    mesh, dots = artists("entropy")
    corners, drawn = mesh.get_coordinates(), mesh.get_array()
    middles = 0.5 * (corners[:-1, :-1] + corners[1:, 1:])
    for row, column in ((0, 0), (3, 100), (90, 17), (128, 64)):
        wanted = each_entropy(decoded(middles[row, column])).sum()
        assert drawn[row, column] == pytest.approx(wanted, rel=1e-9)
    np.testing.assert_allclose(dots.get_xydata(), codes())
    panel.set(background="entropy")
    assert said(panel)[7] == f"Map: {drawn.min():.1f} to {drawn.max():.1f}"
    strip = module.plane(digit_vaes.lecture()).keys["entropy"]._make()[2]
    edges = strip.get_coordinates()[0, :, 0]
    assert (edges[0], edges[-1]) == (drawn.min(), pytest.approx(drawn.max()))
    np.testing.assert_allclose(strip.get_array().ravel(), 0.5 * (edges[:-1] + edges[1:]))
    assert (strip.norm.vmin, strip.norm.vmax) == (mesh.norm.vmin, mesh.norm.vmax)
    assert strip.get_cmap().name == mesh.get_cmap().name


def test_the_prediction_far_out_the_decoder_is_surer(panel):
    panel.answer("Surer")
    _z1, _z2, here, at_codes, _digit, away, count, _behind = said(panel)
    assert (here < at_codes - 2.0, away > 1.0, count) == (True, True, 0)
    panel.scene("Entropy")
    assert said(panel)[2] > here + 6.0  # between the codes
    # and it is so on most of the sliders' rim
    rim = np.linspace(-4.0, 4.0, 33)
    around = np.concatenate([[(a, 4.0), (-a, -4.0), (4.0, -a), (-4.0, a)] for a in rim[:-1]])
    assert np.mean(each_entropy(decoded(around)).sum(axis=1) < at_codes) > 0.65


def test_the_scenes_are_what_they_are_called(panel):
    near = {}
    for scene in ("A clear 0", "Between 2 and 3"):
        panel.scene(scene)
        z = [panel.values["z1"], panel.values["z2"]]
        labels = digits().training_labels[np.linalg.norm(codes() - z, axis=1) < 0.35]
        near[scene] = np.bincount(labels, minlength=10) / len(labels), said(panel)[2]
    assert near["A clear 0"][0][0] > 0.95
    assert near["Between 2 and 3"][0][[2, 3]].min() > 0.4
    assert near["A clear 0"][1] < 13.0 < 17.0 < near["Between 2 and 3"][1]


def test_another_autoencoder_is_shown_from_the_next_frame_on(panel):
    before, pixels = panel.sentence, panel.pixels()
    other = ig.VAE(latent=2, hidden=(5,), seed=3)
    for _epoch in other.epochs(digits().training[:200], epochs=2):
        pass
    digit_vaes.use(other)
    panel.set(z1=0.55)
    panel.set(z1=0.5)
    assert panel.sentence != before
    assert not np.array_equal(panel.pixels(), pixels)
    assert said(panel)[2] == pytest.approx(each_entropy(other.decode([0.5, -1.0])).sum(), abs=6e-3)
    digit_vaes.use(None)
    panel.set(z1=0.55)
    panel.set(z1=0.5)
    assert panel.sentence == before
    assert np.array_equal(panel.pixels(), pixels)


@pytest.mark.parametrize(("z1", "z2"), [(0.5, -1.0), (0.0, 4.0), (4.0, -4.0)])
def test_titles_and_labels_are_inside_the_picture(panel, z1, z2):
    panel.set(z1=z1, z2=z2)
    with panel.drawn() as (chart, _shown, unsure, bar):
        for words in (unsure.title, bar.xaxis.label, chart.get_legend()):
            box = words.get_window_extent()
            assert 0 <= box.x0 < box.x1 <= chart.figure.bbox.width
            assert 0 <= box.y0 < box.y1 <= chart.figure.bbox.height


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
