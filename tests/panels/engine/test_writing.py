"""Texts laid on from kept pictures look as Matplotlib sets them."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from igviz.panels.engine import writing
from igviz.panels.engine.writing import Canvas

WORDS = ("hello", "p(x) = 0.534 ‖ ∂ Σ√", "−1.5 nats", "Ågy")


def pixels(kind, text, x=20, y=30, dpi=100.0, **options):
    figure = Figure(figsize=(300 / dpi, 300 / dpi), dpi=dpi)
    canvas = kind(figure)
    figure.text(x / 300, y / 300, text, color="#0072B2", **options)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).astype(int)


@pytest.mark.parametrize("text", WORDS)
@pytest.mark.parametrize("size", [9.0, 10.5, 14.0])
@pytest.mark.parametrize("dpi", [100.0, 150.0, 200.0])
def test_words_stand_where_they_stood(text, size, dpi):
    ours, theirs = (pixels(kind, text, dpi=dpi, fontsize=size) for kind in (Canvas, FigureCanvasAgg))
    assert theirs.min() < 200
    assert np.sum(255 - ours) == pytest.approx(np.sum(255 - theirs), rel=0.03)
    # Matplotlib 3.10 and kerning part a digit from its neighbour by a part of a dot
    for middle_or_end in (np.mean, np.min, np.max):
        places = [middle_or_end(np.argwhere(one.min(axis=2) < 200), axis=0) for one in (ours, theirs)]
        np.testing.assert_allclose(*places, atol=2.5)


def test_a_word_is_the_very_same():
    np.testing.assert_array_equal(pixels(Canvas, "hello"), pixels(FigureCanvasAgg, "hello"))


def test_upright_text_is_level_text_turned():
    level, upright = pixels(Canvas, "std 1.07", 100, 150), pixels(Canvas, "std 1.07", 150, 100, rotation=90)
    assert level.min() < 200
    ink = [np.argwhere(one.min(axis=2) < 255) for one in (np.rot90(level), upright)]
    shift = ink[1].min(axis=0) - ink[0].min(axis=0)
    np.testing.assert_array_equal(np.roll(np.rot90(level), shift, (0, 1)), upright)
    theirs = pixels(FigureCanvasAgg, "std 1.07", 150, 100, rotation=90)
    assert np.sum(255 - upright) == pytest.approx(np.sum(255 - theirs), rel=0.1)
    places = [np.argwhere(one.min(axis=2) < 200).mean(axis=0) for one in (upright, theirs)]
    np.testing.assert_allclose(*places, atol=1.6)


@pytest.mark.parametrize("options", [{"rotation": 30}, {"antialiased": False}])
def test_other_texts_are_left_to_matplotlib(options):
    for text in ("hello 12", r"$\alpha^2$"):
        ours, theirs = (pixels(kind, text, **options) for kind in (Canvas, FigureCanvasAgg))
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(pixels(Canvas, r"$\alpha^2$"), pixels(FigureCanvasAgg, r"$\alpha^2$"))


def test_another_number_sets_no_glyph():
    pixels(Canvas, "x = 0123456789 . −", fontsize=11.5)
    pixels(Canvas, "x = 1.5", fontsize=11.5)
    before = writing._piece.cache_info().misses
    pixels(Canvas, "x = 8.7", fontsize=11.5)
    assert writing._piece.cache_info().misses == before


def test_a_text_that_leaves_the_picture():
    for x in (-30, 290, 400):
        assert pixels(Canvas, "hello 12", x, -3).shape == (300, 300, 4)
