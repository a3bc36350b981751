"""Pixels that are copied against the same artists drawn each time."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path

from igviz.plots.stored import Pixels, Stored

SHAPE = Path([[-0.3, 0.2], [0.8, 0.1], [1.4, 1.2], [0.2, 0.9], [-0.3, 0.2]], closed=True)


class Maker:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return [PathCollection([SHAPE], facecolors="#F6DD96", edgecolors="#A39A80", linewidths=0.8)]


def picture(add, dpi=100, size=(3, 2)):
    figure = Figure(figsize=size, dpi=dpi, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.17, 0.21, 0.7, 0.61))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    add(axes)
    canvas.draw()
    return np.array(canvas.buffer_rgba()).astype(int)


def test_copied_pixels_are_what_is_drawn():
    maker = Maker()
    pixels = Pixels(maker)
    for dpi in (100, 153):
        copied = picture(lambda axes: axes.add_artist(Stored(pixels)), dpi)
        drawn = picture(lambda axes: [axes.add_collection(one, autolim=False) for one in maker()], dpi)
        inside = np.abs(copied - drawn)
        assert inside.max() <= 3, "blending twice rounds twice"
        assert np.mean(inside > 0) < 0.03
        assert np.array_equal(copied, picture(lambda axes: axes.add_artist(Stored(pixels)), dpi))


def test_each_size_is_drawn_once():
    maker = Maker()
    pixels = Pixels(maker)
    for _ in range(3):
        for dpi in (100, 150):
            picture(lambda axes: axes.add_artist(Stored(pixels)), dpi)
    assert maker.calls == 2
    picture(lambda axes: axes.add_artist(Stored(pixels)), 200)
    picture(lambda axes: axes.add_artist(Stored(pixels)), 150)
    assert maker.calls == 3, "the last two sizes are kept"
    assert len(pixels._kept) == 2


def test_another_view_is_another_picture():
    pixels = Pixels(Maker())

    def zoomed(axes):
        axes.add_artist(Stored(pixels))
        axes.set(xlim=(0, 2))

    one = picture(lambda axes: axes.add_artist(Stored(pixels)))
    assert not np.array_equal(one, picture(zoomed))
    assert np.array_equal(one, picture(lambda axes: axes.add_artist(Stored(pixels))))


def test_an_invisible_one_is_not_drawn():
    maker = Maker()

    def hidden(axes):
        axes.add_artist(Stored(Pixels(maker))).set_visible(False)

    assert np.array_equal(picture(hidden), picture(lambda axes: None))
    assert maker.calls == 0
