"""Frames: one Agg figure whose moving artists are drawn over a cached background.

A full draw of a figure costs the kernel 13 to 29 ms, the moving artists alone 3 to 6. Per axes the artists
are sorted by z-order as Matplotlib sorts them; what lies before the first moving one is the background, from
there on moving and static artists are drawn in turn. So a frame equals a full redraw, pixel for pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.image import _ImageBase
from matplotlib.layout_engine import PlaceHolderLayoutEngine

from igviz.panels.engine.axes import PanelAxes
from igviz.panels.engine.writing import Canvas
from igviz.plots import style
from igviz.plots.settings import own_settings

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

    def dots(self, scale: float) -> tuple[int, int]:
        """Return width and height in dots of a picture drawn so many times as large."""
        return round(self.width * scale), round(self.height * scale)

    def add_axes(self, figure: Figure) -> tuple[Axes, ...]:
        """Fill an empty figure with prepared axes."""
        grid = figure.add_gridspec(
            self.rows, self.columns, width_ratios=self.widths, height_ratios=self.heights
        )
        axes = tuple(
            figure.add_subplot(grid[cell], axes_class=PanelAxes) for cell in range(self.rows * self.columns)
        )
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
        with own_settings():
            self.figure = Figure(
                figsize=(layout.width / DOTS_PER_INCH, layout.height / DOTS_PER_INCH),
                dpi=DOTS_PER_INCH,
                facecolor=style.PAPER,
                edgecolor=style.PAPER,
            )
        self.canvas = Canvas(self.figure)
        self.axes: tuple[Axes, ...] = ()
        self.full_draws = 0  # how many frames could not use the cached background
        self._limits: list[tuple[Any, Any]] | None = None
        self._positions: list[Any] | None = None
        self._legend_places: list[tuple[float, float]] = []
        self._size: tuple[float, int, int] | None = None
        self._boxes: list[Any] | None = None
        self._untouched = False  # set up, and nothing drawn into the axes since
        self._ready = False

    # -- one frame ---------------------------------------------------------------------------------

    def draw(
        self,
        values: dict[str, Any],
        *,
        dpi: float = DOTS_PER_INCH,
        size: tuple[int, int] | None = None,
        plain: bool = False,
    ) -> str:
        """Draw one frame into the canvas and return its sentence.

        Parameters
        ----------
        values : dict
            The arguments of the drawing function.
        dpi : float
            Dots per inch; 100 makes one dot of one CSS pixel.
        size : (int, int), optional
            Width and height in dots; the layout's size at this resolution, rounded, when left out.
        plain : bool
            Draw everything anew, without the cached background: the reference the tests compare with.
        """
        with self.drawn(values, dpi=dpi, size=size, plain=plain) as sentence:
            return sentence

    @contextmanager
    def drawn(
        self,
        values: dict[str, Any],
        *,
        dpi: float = DOTS_PER_INCH,
        size: tuple[int, int] | None = None,
        plain: bool = False,
    ) -> Iterator[str]:
        """Draw one frame and keep its moving artists in the axes until the context ends."""
        with own_settings():
            yield from self._drawn(values, dpi, size, plain)

    def _drawn(
        self, values: dict[str, Any], dpi: float, size: tuple[int, int] | None, plain: bool
    ) -> Iterator[str]:
        if not self._ready:
            self._build()
        self._resize(dpi, size or self._layout.dots(dpi / DOTS_PER_INCH))
        for axes in self.axes:
            axes.set_prop_cycle(color=list(style.PALETTE))
        try:
            sentence = self._call(values)
            moving = self._moving()
            changed = self._changed()
            self._settle_images(artist for some in moving for artist in some)
            if plain or changed or self._strays(moving):
                self._ready = not changed
                self.full_draws += 1
                self.canvas.draw()
                self._backgrounds.clear()
                self._note_standing()
            else:
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
        self._scale(DOTS_PER_INCH, self._layout.dots(1.0))  # contour labels and aspects depend on it
        if self._limits is None:
            self._limits = self._united_limits()
        if self._positions is None:
            self._lay_out()
        self._clear_and_limit()
        assert self._positions is not None
        for axes, position in zip(self.figure.axes, self._positions, strict=True):
            axes.set_position(position)
        for legend, place in zip(self._best_legends(), self._legend_places, strict=True):
            legend.set_loc(place)
        self._static = [frozenset(axes.get_children()) for axes in self.axes]
        self._containers = [len(axes.containers) for axes in self.axes]
        self._reaches = [(axes.dataLim.frozen(), axes.ignore_existing_data_limits) for axes in self.axes]
        self._figure_children = list(self.figure.get_children())
        self._stack_up()
        self._backgrounds: dict[tuple[int | None, ...], Any] = {}
        self._size = None
        self._note_standing()
        self._untouched = False
        self._ready = True

    def _lay_out(self) -> None:
        """Run the layout once, and choose the places of legends without one, with the start values."""
        self._clear_and_limit()
        self.figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06, wspace=0.04)
        self.canvas.draw()
        self.figure.set_layout_engine(_frozen())
        positions = [axes.get_position() for axes in self.figure.axes]
        legends = self._best_legends()
        self._untouched = False  # an equal aspect may have moved the limits
        if legends:
            self._draw(self._given_axes(), **self._probes[0])
            self.canvas.draw()
        places = []
        for legend in legends:
            anchor, corner = legend.get_bbox_to_anchor(), legend.get_window_extent()
            places.append(
                (
                    float((corner.x0 - anchor.x0) / anchor.width),
                    float((corner.y0 - anchor.y0) / anchor.height),
                )
            )
        self._positions, self._legend_places = positions, places

    def _best_legends(self) -> list[Any]:
        """Return the legends that would look for a place at each draw, and so jump about."""
        found = [axes.get_legend() for axes in self.figure.axes]
        return [legend for legend in found if legend is not None and legend._loc_real == 0]  # type: ignore[attr-defined]

    def _clear_and_limit(self) -> None:
        """Set the axes up and give each its limits, from now on fixed."""
        if not self._untouched:
            self._clear()
        assert self._limits is not None
        for axes, (x_limits, y_limits) in zip(self.axes, self._limits, strict=True):
            if x_limits is not None:
                axes.set_xlim(x_limits)
            if y_limits is not None:
                axes.set_ylim(y_limits)
        for axes in _with_insets(self.figure.axes):
            axes.get_xlim(), axes.get_ylim()  # what is automatic in a twin or an inset settles now
            axes.set_autoscale_on(False)

    def _clear(self) -> None:
        for axes in self.figure.axes:
            self.figure.delaxes(axes)  # or else ``clear`` makes all their ticks anew first
        self.figure.clear()
        self.figure.patch.set(facecolor=style.PAPER, edgecolor=style.PAPER, alpha=None, visible=True)
        self.figure.set_layout_engine(_frozen())
        self.axes = self._layout.add_axes(self.figure)
        if self._setup is not None:
            self._setup(self._given_axes())
        self._settle_images(child for axes in self.axes for child in axes.get_children())
        self._untouched = True

    def _resize(self, dpi: float, size: tuple[int, int]) -> None:
        if self._size == (dpi, *size):
            return
        self._scale(dpi, size)
        self._size = (dpi, *size)
        self._backgrounds.clear()
        self._note_standing()

    def _scale(self, dpi: float, size: tuple[int, int]) -> None:
        self.figure.set_dpi(dpi)
        self.figure.set_size_inches((_inches(size[0], dpi), _inches(size[1], dpi)))

    def _united_limits(self) -> list[tuple[Any, Any]]:
        self._clear()
        free = [(axes.get_autoscalex_on(), axes.get_autoscaley_on()) for axes in self.axes]
        found: list[tuple[list[Any], list[Any]]] = [([], []) for _ in self.axes]
        if any(x or y for x, y in free):
            for number, values in enumerate(self._probes):
                try:
                    self._clear()
                    self._untouched = False
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
        before = len(_with_insets(self.figure.axes))
        sentence = self._draw(self._given_axes(), **values)
        if len(_with_insets(self.figure.axes)) > before:
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

    def _note_standing(self) -> None:
        """Note everything that stands still as it stands, what the last draw made of ticks included."""
        self._views = [_view(axes) for axes in self.axes]
        standing = [child for child in self._figure_children if child not in self.axes]
        standing += [child for some in self._static for child in some]
        self._leaves = [leaf for child in standing for leaf in child.findobj()]
        self._mark_not_stale()

    def _mark_not_stale(self) -> None:
        # By hand: an empty Text, an invisible artist and the figure's patch never reset it themselves.
        for leaf in self._leaves:
            leaf.stale = False

    def _sweep(self) -> None:
        """Take the moving artists out again, so that no frame depends on the one before."""
        if not hasattr(self, "_static"):
            return
        for axes, some, containers, (reach, ignored) in zip(
            self.axes, self._moving(), self._containers, self._reaches, strict=True
        ):
            for artist in some:
                # a title after a clear cannot go; a contour's label has gone with the contour
                with suppress(NotImplementedError, ValueError):
                    artist.remove()
            del axes.containers[containers:]
            axes.dataLim, axes.ignore_existing_data_limits = reach.frozen(), ignored
        if self._ready and any(self._moving()):
            self._ready = False
            self.full_draws += 1

    def _stack_up(self) -> None:
        """Note, in drawing order, the axes and what the figure draws over them: twin axes, texts."""
        children = [child for child in self._figure_children if child is not self.figure.patch]
        if self._boxes is None:  # the layout is frozen: once is enough, in fractions of the figure
            self._boxes = [self._box(child) for child in children] if len(children) > 1 else [None]
        pairs = sorted(zip(children, self._boxes, strict=True), key=lambda pair: pair[0].get_zorder())
        self._stack: list[Artist] = []
        self._later: dict[Artist, list[Any]] = {}  # for each axes what is drawn after it and not anew
        under: list[Any] = []
        for child, box in pairs:
            if child in self.axes or _overlaps(box, under):
                self._stack.append(child)
            if child in self.axes or child not in self._stack:
                for later in self._later.values():
                    later.append(box)
            if child in self.axes:
                self._later[child] = []
                under.append(box)

    def _strays(self, moving: list[list[Artist]]) -> bool:
        """Tell whether something that moves reaches, unclipped, under a part of the figure drawn after it."""
        return any(
            _overlaps(self._box(artist), self._later[axes])
            for axes, some in zip(self.axes, moving, strict=True)
            if self._later[axes]
            for artist in some
            if not (artist.get_clip_on() and (artist.get_clip_box() or artist.get_clip_path()))
        )

    def _box(self, artist: Artist) -> Any:
        """Return what an artist covers as fractions of the figure."""
        box = artist.get_tightbbox(self.canvas.get_renderer())
        return None if box is None else box.transformed(self.figure.transFigure.inverted())

    @staticmethod
    def _settle_images(artists: Any) -> None:
        for artist in artists:
            if isinstance(artist, _ImageBase | QuadMesh) and artist.get_zorder() < IMAGE_ZORDER:
                artist.set_zorder(IMAGE_ZORDER)

    # -- drawing -----------------------------------------------------------------------------------

    def _blit(self, moving: list[list[Artist]]) -> None:
        front: dict[Artist, list[Artist]] = {}
        cuts: list[int | None] = []
        for axes, some in zip(self.axes, moving, strict=True):
            order = _order(axes)
            first = min((order.index(artist) for artist in some if artist in order), default=None)
            cuts.append(first)
            front[axes] = [] if first is None else order[first:]
        again = [artist for one in self._stack for artist in front.get(one, [one])]
        key = tuple(cuts)
        new = key not in self._backgrounds
        if new:
            self._backgrounds[key] = self._background(again)
        renderer = self.canvas.get_renderer()
        self.canvas.restore_region(self._backgrounds[key])
        for artist in again:
            artist.draw(renderer)
        if new:
            self._note_standing()
        else:
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
    position = axes.get_position().bounds  # first: an equal aspect may change the limits here
    return (
        position,
        axes.get_xlim(),
        axes.get_ylim(),
        axes.get_xscale(),
        axes.get_yscale(),
        axes.get_autoscale_on(),
        axes.get_aspect(),
        axes.get_legend(),
        axes.axison,
        axes.get_frame_on(),
        axes.get_axisbelow(),
        axes.get_visible(),
        axes.get_zorder(),
        *(_ticking(axis) for axis in (axes.xaxis, axes.yaxis)),
    )


def _ticking(axis: Any) -> tuple[Any, ...]:
    """Return the settings of locators and formatters: changed in place they tell nobody."""
    return tuple(
        (name, value)
        for part in (axis.get_major_locator(), axis.get_major_formatter(), axis.get_minor_locator())
        for name, value in vars(part).items()
        if name.startswith("_") and isinstance(value, bool | int | float | str | tuple)
    )


def _with_insets(axes: Sequence[Any]) -> list[Any]:
    """Return axes and, recursively, the axes inside them."""
    return [one for outer in axes for one in (outer, *_with_insets(outer.child_axes))]


def _overlaps(box: Any, others: Sequence[Any]) -> bool:
    return box is not None and any(other is not None and box.overlaps(other) for other in others)


def _inches(dots: int, dpi: float) -> float:
    """Return a length that Matplotlib, which cuts off, turns into exactly so many dots."""
    inches = dots / dpi
    return inches if int(inches * dpi) == dots else float(np.nextafter(inches, np.inf))


def _union(limits: list[Any]) -> tuple[float, float]:
    """Return the limits that hold all others, upside down where the first are."""
    low, high = min(min(pair) for pair in limits), max(max(pair) for pair in limits)
    return (high, low) if limits[0][0] > limits[0][1] else (low, high)
