"""Frames: one Agg figure whose moving artists are drawn over a cached background.

A full draw of a figure costs the kernel 13 to 29 ms, the moving artists alone 3 to 6. Per axes the artists
are sorted by z-order as Matplotlib sorts them; what lies before the first moving one is the background, from
there on moving and static artists are drawn in turn. So a frame equals a full redraw, pixel for pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.image import _ImageBase
from matplotlib.layout_engine import PlaceHolderLayoutEngine

from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

DOTS_PER_INCH = 100.0
IMAGE_ZORDER = 1.0  # above the grid (0.5), so that a moving image leaves the axis in the background


class Layout:
    """How many axes a panel has and how large it is.

    Parameters
    ----------
    rows, columns : int
        The grid of axes, read row by row.
    widths, heights : sequence of float, optional
        Relative widths of the columns and heights of the rows.
    size : (int, int)
        Width and height of the picture in CSS pixels.
    """

    def __init__(
        self,
        rows: int = 1,
        columns: int = 1,
        widths: Sequence[float] | None = None,
        heights: Sequence[float] | None = None,
        size: tuple[int, int] = (720, 360),
    ) -> None:
        for word, given, count in (("widths", widths, columns), ("heights", heights, rows)):
            if given is not None and len(given) != count:
                raise ValueError(f"{word} must have {count} entries, one for each, got {given!r}")
        self.rows, self.columns = rows, columns
        self.widths, self.heights = widths, heights
        self.width, self.height = size

    def add_axes(self, figure: Figure) -> tuple[Axes, ...]:
        """Fill an empty figure with prepared axes."""
        grid = figure.add_gridspec(
            self.rows, self.columns, width_ratios=self.widths, height_ratios=self.heights
        )
        axes = tuple(figure.add_subplot(cell) for cell in grid)
        for one in axes:
            style.prepare(one)
        return axes


class Frames:
    """The pictures of one panel.

    Parameters
    ----------
    draw : callable
        ``draw(axes, **values)`` adds what moves and returns the sentence. ``axes`` is one Axes, or a tuple.
    setup : callable, optional
        ``setup(axes)`` adds what never moves, legends, colour bars, labels and limits.
    layout : Layout
    probes : sequence of dict
        Values over which the limits are united where ``setup`` leaves them automatic.
    """

    def __init__(
        self,
        draw: Callable[..., str],
        setup: Callable[..., None] | None,
        layout: Layout,
        probes: Sequence[dict[str, Any]],
    ) -> None:
        self._draw, self._setup, self._layout, self._probes = draw, setup, layout, probes
        self.figure = Figure(
            figsize=(layout.width / DOTS_PER_INCH, layout.height / DOTS_PER_INCH),
            dpi=DOTS_PER_INCH,
            facecolor=style.PAPER,
            edgecolor=style.PAPER,
        )
        self.canvas = FigureCanvasAgg(self.figure)
        self.axes: tuple[Axes, ...] = ()
        self.full_draws = 0  # how many frames could not use the cached background
        self._limits: list[tuple[Any, Any]] | None = None
        self._positions: list[Any] | None = None
        self._ready = False

    # -- one frame ---------------------------------------------------------------------------------

    def draw(self, values: dict[str, Any], *, dpi: float = DOTS_PER_INCH, plain: bool = False) -> str:
        """Draw one frame into the canvas and return its sentence.

        Parameters
        ----------
        values : dict
            The arguments of the drawing function.
        dpi : float
            Dots per inch; 100 makes one dot of one CSS pixel.
        plain : bool
            Draw everything anew, without the cached background: the reference the tests compare with.
        """
        with self.drawn(values, dpi=dpi, plain=plain) as sentence:
            return sentence

    @contextmanager
    def drawn(
        self, values: dict[str, Any], *, dpi: float = DOTS_PER_INCH, plain: bool = False
    ) -> Iterator[str]:
        """Draw one frame and keep its moving artists in the axes until the context ends."""
        if not self._ready:
            self._build()
        if self.figure.dpi != dpi:
            self.figure.set_dpi(dpi)
            self._backgrounds.clear()
        for axes in self.axes:
            axes.set_prop_cycle(color=list(style.PALETTE))
        try:
            sentence = self._call(values)
            moving = self._moving()
            if plain or self._changed():
                self._ready = plain and not self._changed()
                self.full_draws += 1
                self._settle_images(artist for some in moving for artist in some)
                self.canvas.draw()
                self._backgrounds.clear()
                self._mark_not_stale()
            else:
                self._settle_images(artist for some in moving for artist in some)
                self._blit(moving)
            yield sentence
        except BaseException:
            self._ready = False  # a half-drawn frame may have touched anything
            raise
        finally:
            self._sweep()

    def pixels(self) -> np.ndarray:
        """Return a copy of the canvas, shape (height, width, 4), uint8."""
        return np.array(self.canvas.buffer_rgba())

    def box(self, index: int) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of an axes as fractions of the picture, the top left being 0, 0."""
        left, bottom, right, top = self.axes[index].get_position().extents
        return float(left), float(1 - top), float(right), float(1 - bottom)

    def data_at(self, index: int, across: float, down: float) -> tuple[float, float]:
        """Return the data coordinates, in one axes, of a point given as fractions of the picture."""
        width, height = self.figure.bbox.size
        x, y = self.axes[index].transData.inverted().transform((across * width, (1 - down) * height))
        return float(x), float(y)

    def pixel_of(self, index: int, x: float, y: float) -> tuple[float, float]:
        """Return a point of one axes as fractions of the picture: the inverse of ``data_at``."""
        across, up = self.axes[index].transData.transform((x, y)) / self.figure.bbox.size
        return float(across), float(1 - up)

    # -- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        if self._limits is None:
            self._limits = self._united_limits()
        self._clear()
        for axes, (x_limits, y_limits) in zip(self.axes, self._limits, strict=True):
            if x_limits is not None:
                axes.set_xlim(x_limits)
            if y_limits is not None:
                axes.set_ylim(y_limits)
            axes.set_autoscale_on(False)
        if self._positions is None:
            self.figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06, wspace=0.04)
            self.canvas.draw()
            self.figure.set_layout_engine(_frozen())
            self._positions = [axes.get_position() for axes in self.figure.axes]
        for axes, position in zip(self.figure.axes, self._positions, strict=True):
            axes.set_position(position)
        self._static = [frozenset(axes.get_children()) for axes in self.axes]
        self._containers = [len(axes.containers) for axes in self.axes]
        self._figure_children = list(self.figure.get_children())
        self._on_top = [
            child
            for child in self._figure_children
            if child is not self.figure.patch and child not in self.axes and self._over_axes(child)
        ]
        self._leaves: list[Artist] = [
            leaf for some in self._static for child in some for leaf in child.findobj()
        ]
        self._backgrounds: dict[tuple[int | None, ...], Any] = {}
        self._mark_not_stale()
        self._views = [_view(axes) for axes in self.axes]
        self._ready = True

    def _clear(self) -> None:
        self.figure.clear()
        self.figure.set_layout_engine(_frozen())
        self.axes = self._layout.add_axes(self.figure)
        if self._setup is not None:
            self._setup(self._given_axes())
        self._settle_images(child for axes in self.axes for child in axes.get_children())

    def _united_limits(self) -> list[tuple[Any, Any]]:
        self._clear()
        free = [(axes.get_autoscalex_on(), axes.get_autoscaley_on()) for axes in self.axes]
        found: list[tuple[list[Any], list[Any]]] = [([], []) for _ in self.axes]
        if any(x or y for x, y in free):
            for number, values in enumerate(self._probes):
                try:
                    self._clear()
                    self._draw(self._given_axes(), **values)
                    for axes, (some_x, some_y) in zip(self.axes, found, strict=True):
                        some_x.append(axes.get_xlim())
                        some_y.append(axes.get_ylim())
                except Exception:
                    if number == 0:  # the start values must work; an end of a slider may not
                        raise
        limits = []
        for (free_x, free_y), (some_x, some_y) in zip(free, found, strict=True):
            limits.append((_union(some_x) if free_x else None, _union(some_y) if free_y else None))
        return limits

    def _given_axes(self) -> Any:
        return self.axes[0] if len(self.axes) == 1 else self.axes

    def _call(self, values: dict[str, Any]) -> str:
        sentence = self._draw(self._given_axes(), **values)
        if len(self.figure.axes) != len(self._positions or ()):
            raise RuntimeError("the drawing function added new axes; axes and colour bars belong in setup")
        if not isinstance(sentence, str) or not sentence.strip():
            raise TypeError(f"the drawing function must return a sentence (a str), got {sentence!r}")
        return sentence.strip()

    # -- what moves, what stands -------------------------------------------------------------------

    def _moving(self) -> list[list[Artist]]:
        return [
            [child for child in axes.get_children() if child not in static]
            for axes, static in zip(self.axes, self._static, strict=True)
        ]

    def _changed(self) -> bool:
        """Tell whether the drawing function touched what should stand still."""
        return (
            self.figure.get_children() != self._figure_children
            or any(view != _view(axes) for view, axes in zip(self._views, self.axes, strict=True))
            or any(
                not static <= set(axes.get_children())
                for static, axes in zip(self._static, self.axes, strict=True)
            )
            or any(leaf.stale for leaf in self._leaves)
        )

    def _mark_not_stale(self) -> None:
        # By hand: an empty Text, an invisible artist and the figure's patch never reset it themselves.
        for leaf in self._leaves:
            leaf.stale = False

    def _sweep(self) -> None:
        """Take the moving artists out again, so that no frame depends on the one before."""
        if not hasattr(self, "_static"):
            return
        for axes, some, containers in zip(self.axes, self._moving(), self._containers, strict=True):
            for artist in some:
                try:
                    artist.remove()
                except (NotImplementedError, ValueError):  # a legend's or title's parts, already gone
                    self._ready = False
            del axes.containers[containers:]

    def _over_axes(self, artist: Artist) -> bool:
        """Tell whether a figure-level artist (a twin axes, a text) must be drawn again above the frames."""
        box = artist.get_tightbbox(self.canvas.get_renderer())
        return box is not None and any(box.overlaps(axes.get_window_extent()) for axes in self.axes)

    @staticmethod
    def _settle_images(artists: Any) -> None:
        for artist in artists:
            if isinstance(artist, _ImageBase | QuadMesh) and artist.get_zorder() < IMAGE_ZORDER:
                artist.set_zorder(IMAGE_ZORDER)

    # -- drawing -----------------------------------------------------------------------------------

    def _blit(self, moving: list[list[Artist]]) -> None:
        front: list[list[Artist]] = []
        cuts: list[int | None] = []
        for axes, some in zip(self.axes, moving, strict=True):
            order = _order(axes)
            first = min((order.index(artist) for artist in some if artist in order), default=None)
            cuts.append(first)
            front.append([] if first is None else order[first:])
        key = tuple(cuts)
        if key not in self._backgrounds:
            self._backgrounds[key] = self._background([a for some in front for a in some] + self._on_top)
        renderer = self.canvas.get_renderer()
        self.canvas.restore_region(self._backgrounds[key])
        for artist in (*(artist for some in front for artist in some), *self._on_top):
            artist.draw(renderer)
        self._mark_not_stale()

    def _background(self, front: list[Artist]) -> Any:
        """Draw the figure without the artists in front, and copy it."""
        before = [artist.get_animated() for artist in front]
        for artist in front:
            artist.set_animated(True)
        try:
            self.canvas.draw()
        finally:
            for artist, animated in zip(front, before, strict=True):
                artist.set_animated(animated)
        return self.canvas.copy_from_bbox(self.figure.bbox)


def _frozen() -> PlaceHolderLayoutEngine:
    """Return an engine that lays nothing out, yet lets a rebuilt colour bar find the place it had."""
    return PlaceHolderLayoutEngine(adjust_compatible=True, colorbar_gridspec=False)


def _order(axes: Axes) -> list[Artist]:
    """Return the artists of an axes in the order in which ``Axes.draw`` draws them."""
    children = axes.get_children()
    children.remove(axes.patch)
    hidden: set[Artist] = set()
    if not (axes.axison and axes.get_frame_on()):
        hidden.update(axes.spines.values())
    if not axes.axison:
        hidden.update((axes.xaxis, axes.yaxis))
    return sorted((child for child in children if child not in hidden), key=lambda child: child.get_zorder())


def _view(axes: Axes) -> tuple[Any, ...]:
    """Return everything about an axes that a cached background depends on."""
    return (
        axes.get_xlim(),
        axes.get_ylim(),
        axes.get_xscale(),
        axes.get_yscale(),
        axes.get_aspect(),
        axes.get_legend(),
        axes.axison,
        axes.get_frame_on(),
        axes.get_axisbelow(),
        axes.get_position().bounds,
    )


def _union(limits: list[Any]) -> tuple[float, float]:
    return min(min(pair) for pair in limits), max(max(pair) for pair in limits)
