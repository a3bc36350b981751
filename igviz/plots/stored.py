"""Artists that are slow to draw and seldom change, kept as pixels: a moving panel copies them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.backends.backend_agg import RendererAgg

SIZES = 2  # kept at a time: a page has one resolution, two when it changes


class Pixels:
    """What has been drawn of some artists, for each size of the picture.

    Parameters
    ----------
    make : callable
        make() returns artists that are in no axes yet, in data coordinates; called once for each size.
    """

    def __init__(self, make: Callable[[], Sequence[Artist]]) -> None:
        self._make = make
        self._kept: dict[tuple[Any, ...], tuple[int, int, np.ndarray]] = {}

    def on(self, axes: Any, renderer: RendererAgg) -> tuple[int, int, np.ndarray]:
        """Return left end, bottom end and pixels, the lowest row first, of the axes' part of the picture."""
        size = (renderer.width, renderer.height, renderer.dpi)
        key = (*size, *axes.bbox.bounds, *axes.viewLim.bounds)
        if key not in self._kept:
            while len(self._kept) >= SIZES:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = self._drawn(axes, RendererAgg(*size))
        return self._kept[key]

    def _drawn(self, axes: Any, sheet: RendererAgg) -> tuple[int, int, np.ndarray]:
        for one in self._make():
            one.set_transform(axes.transData)
            one.set_clip_box(axes.bbox)
            one.axes = axes
            one.set_figure(axes.figure)
            one.draw(sheet)
        left, bottom = (max(0, int(np.floor(end))) for end in axes.bbox.min)
        right, top = (int(np.ceil(end)) for end in axes.bbox.max)
        upwards = np.asarray(sheet.buffer_rgba())[::-1]
        return left, bottom, np.array(upwards[bottom:top, left:right])


class Stored(Artist):
    """Draw artists from their pixels, above the grid lines of a prepared axes and below all else."""

    def __init__(self, pixels: Pixels, zorder: float = 0.6) -> None:
        super().__init__()
        self._pixels = pixels
        self.set_zorder(zorder)

    @allow_rasterization
    def draw(self, renderer: RendererAgg) -> None:
        """Copy the pixels into the picture."""
        if self.get_visible():
            graphics = renderer.new_gc()
            graphics.set_clip_rectangle(self.axes.bbox)  # type: ignore[union-attr]
            renderer.draw_image(graphics, *self._pixels.on(self.axes, renderer))
            graphics.restore()
        self.stale = False
