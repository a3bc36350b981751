"""A canvas that keeps pictures of the words and digits it has written.

Setting a glyph costs 0.06 ms, and a frame has up to a hundred of them, most the same in every frame. Here a
plain text, level or upright, is laid on from pictures of its words and digits, drawn once, on whole dots;
other texts, formulas and those with effects are Matplotlib's. Every draw goes this way, so a frame still
equals a full redraw.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.font_manager import FontProperties

PIECES = re.compile(r"\d|\D+")  # digits alone, as they change from frame to frame
ROOM = 4  # dots around the box of a piece, which some glyphs leave
FENCE = "|"  # between two of them a piece, even of blanks, is as wide as its way


class Piece(NamedTuple):
    """A word or a digit: how much of each dot it covers, 0 to 255, and its measures in dots."""

    covered: np.ndarray
    advance: float
    ascent: float
    descent: float
    below: int  # rows of `covered` below the line of writing


class Canvas(FigureCanvasAgg):
    """Matplotlib's Agg canvas, but for its plain texts."""

    def get_renderer(self) -> RendererAgg:
        """Return the renderer, which writes with pieces."""
        renderer: Any = super().get_renderer()
        if not isinstance(renderer, _Writer):
            renderer.__class__ = _Writer
        return renderer


class _Writer(RendererAgg):
    def draw_text(
        self,
        gc: Any,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        *more: Any,
        **options: Any,
    ) -> None:
        if (more[0] if more else options.get("ismath")) or angle not in (0, 90) or not gc.get_antialiased():
            super().draw_text(gc, x, y, s, prop, angle, *more, **options)
            return
        for piece in (_piece(one, prop, self.dpi) for one in PIECES.findall(s)):
            x, y = round(x), round(y)
            if angle:  # upwards
                turned = np.ascontiguousarray(np.rot90(piece.covered))
                self._renderer.draw_text_image(turned, x - len(piece.covered) + piece.below, y + ROOM, 0, gc)
                y -= piece.advance
            else:
                self._renderer.draw_text_image(piece.covered, x - ROOM, y + piece.below, 0, gc)
                x += piece.advance

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: Any
    ) -> tuple[float, float, float]:
        pieces = [] if ismath else [_piece(one, prop, self.dpi) for one in PIECES.findall(s)]
        if not pieces:
            return super().get_text_width_height_descent(s, prop, ismath)
        descent = max(one.descent for one in pieces)
        return sum(one.advance for one in pieces), max(one.ascent for one in pieces) + descent, descent


@lru_cache(maxsize=8192)
def _piece(s: str, prop: FontProperties, dpi: float) -> Piece:
    measure = RendererAgg(1, 1, dpi).get_text_width_height_descent
    advance = measure(FENCE + s + FENCE, prop, False)[0] - measure(2 * FENCE, prop, False)[0]
    width, height, descent = measure(s, prop, False)
    below, above = int(np.ceil(descent)) + ROOM, int(np.ceil(height - descent)) + ROOM
    paper = RendererAgg(int(np.ceil(max(width, advance))) + 2 * ROOM, above + below, dpi)
    paper.draw_text(paper.new_gc(), ROOM, above, s, prop, 0.0)
    return Piece(np.array(paper.buffer_rgba())[..., 3], advance, height - descent, descent, below)
