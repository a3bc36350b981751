"""A panel: a drawing function, its sliders, and the picture and sentence they make."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from igviz.panels.engine import cells, encode
from igviz.panels.engine.frames import DOTS_PER_INCH, Frames, Layout
from igviz.panels.engine.interrupts import held
from igviz.panels.engine.prediction import Prediction
from igviz.panels.engine.sliders import Slider, slider
from igviz.panels.engine.work import Work
from igviz.plots.settings import LOCK

MOST_SLIDERS = 4
SPECIAL = ("moving", "result")  # arguments of a drawing function that are not sliders
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

_projector = False
_shown: set[Panel] = set()


@dataclass(frozen=True)
class Definition:
    """What all copies of one panel share."""

    function: Callable[..., str]
    setup: Callable[..., None] | None
    layout: Layout
    sliders: tuple[Slider, ...]
    scenes: dict[str, tuple[int, ...]]
    predict: Prediction | None
    predicted: tuple[int, ...]
    play: int | None
    drag: tuple[int, int, int] | None
    work: Work | None
    special: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name a reader calls the panel by."""
        function, module = self.function, self.function.__module__ or ""
        if module.startswith("igviz.panels."):
            lecture = module.split(".")[2]  # a lecture with many panels is a folder of modules
            return f"ig.panels.{lecture}.{function.__name__}"
        return function.__name__


def panel(
    *,
    setup: Callable[..., None] | None = None,
    layout: tuple[int, int] = (1, 1),
    widths: Sequence[float] | None = None,
    heights: Sequence[float] | None = None,
    size: tuple[int, int] = (720, 360),
    scenes: Mapping[str, Mapping[str, Any]] | None = None,
    predict: Prediction | None = None,
    play: str | None = None,
    drag: tuple[str, str] | tuple[str, str, int] | None = None,
    work: Work | None = None,
    **sliders: Any,
) -> Callable[[Callable[..., str]], Panel]:
    """Turn a drawing function into a panel; use it as a decorator.

    Parameters
    ----------
    setup : callable, optional
        ``setup(axes)`` adds what never moves: labels, limits, legends, colour bars, guides.
    layout : (int, int)
        Rows and columns of axes; more than one axes reaches the function as a tuple, row by row.
    widths, heights : sequence of float, optional
        Relative widths of the columns, heights of the rows.
    size : (int, int)
        The picture in CSS pixels.
    scenes : dict, optional
        Named places, each a dict of slider values; a slider that is left out goes to its start value.
    predict : Prediction, optional
        A question asked first.
    play : str, optional
        The slider that Play moves.
    drag : (str, str) or (str, str, int), optional
        The sliders that a point dragged in the picture moves, across and up, and the axes it lies in.
    work : Work, optional
        Slow work behind a button; the function receives what it returns, or has so far, as ``result``.
    **sliders
        ``(start, stop)``, ``(start, stop, step)``, a list of choices or a ``Slider``, at most four. The
        function's own defaults are the start values.

    Returns
    -------
    callable
        The decorator. What it returns is a `Panel`: the value of a cell shows it, calling it with slider
        values makes an independent copy that starts there.

    Raises
    ------
    ValueError
        For more than four sliders, a value off its slider's grid, or an unknown name.

    Examples
    --------
    >>> @panel(mean=(-3, 3))
    ... def spike(axes, mean=0.0):
    ...     axes.axvline(mean, color="black")
    ...     return f"The spike stands at {mean:.2f}."
    >>> spike.set(mean=1.5)
    >>> spike.sentence
    'The spike stands at 1.50.'
    """

    def decorate(function: Callable[..., str]) -> Panel:
        rows, columns = layout
        parameters = list(inspect.signature(function).parameters.values())[1:]
        defaults = {one.name: one.default for one in parameters if one.default is not one.empty}
        special = tuple(one.name for one in parameters if one.name in SPECIAL)
        taken = [name for name in sliders if name in (*SPECIAL, "axes", "progress")]
        if taken:
            raise ValueError(
                f"{function.__name__}: a slider cannot be called {taken[0]!r}; choose another name"
            )
        unknown = [one.name for one in parameters if one.name not in (*sliders, *SPECIAL)]
        missing = [name for name in sliders if name not in {one.name for one in parameters}]
        if unknown or missing:
            raise ValueError(
                f"{function.__name__}: the arguments after axes and the sliders must have the same names, "
                f"got arguments {[one.name for one in parameters]} and sliders {list(sliders)}"
            )
        if not 1 <= len(sliders) <= MOST_SLIDERS:
            raise ValueError(
                f"{function.__name__}: a panel has one to {MOST_SLIDERS} sliders, got {len(sliders)}"
            )
        grid = tuple(slider(name, given, defaults.get(name)) for name, given in sliders.items())
        names = [one.name for one in grid]
        start = tuple(one.default for one in grid)
        places = {}
        for word, values in (scenes or {}).items():
            places[word] = _placed(grid, start, values, f"{function.__name__}: scene {word!r}", exact=True)
        predicted = start
        if predict is not None:
            predicted = _placed(grid, start, predict.at, f"{function.__name__}: prediction", exact=True)
            if predicted == start:
                raise ValueError(
                    f"{function.__name__}: a prediction must ask about another place than the start"
                )
        for name in (*((play,) if play else ()), *(drag or ())[:2]):
            if name not in names:
                raise ValueError(
                    f"{function.__name__}: there is no slider {name!r}; there are {', '.join(names)}"
                )
        handle = _handle(grid, drag, rows * columns, function.__name__) if drag else None
        return Panel(
            Definition(
                function=function,
                setup=setup,
                layout=Layout(rows, columns, widths, heights, size),
                sliders=grid,
                scenes=places,
                predict=predict,
                predicted=predicted,
                play=names.index(play) if play else None,
                drag=handle,
                work=work,
                special=special,
            ),
            start,
        )

    return decorate


class Panel:
    """A drawing function with sliders; made by `panel`.

    Showing it (as the value of a cell) builds the figure and the widgets; until then it costs nothing. It
    may be shown in several cells, which stay in step, and closed, after which it can be shown anew.
    """

    def __init__(self, definition: Definition, start: Sequence[int]) -> None:
        self.definition = definition
        self._start = tuple(start)
        self._positions = tuple(start)
        self._frames: Frames | None = None
        self._view: Any = None
        self._sentence: str | None = None
        self._quote = ""
        self._result: Any = None
        self.__doc__ = definition.function.__doc__
        self.__name__ = definition.function.__name__

    def __call__(self, /, **start: Any) -> Panel:
        """Make an independent copy of this panel that starts at the given slider values."""
        definition = self.definition
        default = [one.default for one in definition.sliders]
        return Panel(definition, _placed(definition.sliders, default, start, definition.name, exact=True))

    def __repr__(self) -> str:
        return self.line

    # -- values --------------------------------------------------------------------------------------

    @property
    def values(self) -> dict[str, Any]:
        """The slider values as a dict; assign a dict to move several sliders at once."""
        return self._values_at(self._positions)

    @values.setter
    def values(self, values: Mapping[str, Any]) -> None:
        self.set(**values)

    @property
    def line(self) -> str:
        """The line of Python that makes this panel as it stands."""
        given = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        return f"{self.definition.name}({given})"

    @property
    def sentence(self) -> str:
        """What the picture shows, in words."""
        with LOCK:
            if self._sentence is None:
                with self.drawn():
                    pass
            assert self._sentence is not None
            return self._sentence

    def set(self, /, **values: Any) -> None:
        """Move sliders; values between grid points go to the nearest one. One call makes one frame.

        Raises
        ------
        ValueError
            For an unknown slider, or a value that is not within its ends. Nothing has moved then.
        """
        with LOCK:
            self._go(_placed(self.definition.sliders, self._positions, values, self.definition.name))

    def scene(self, name: str) -> None:
        """Move the sliders to a named place; raise ValueError for an unknown name."""
        if name not in self.definition.scenes:
            listed = ", ".join(map(repr, self.definition.scenes)) or "none"
            raise ValueError(f"{self.definition.name}: there is no scene {name!r}; there are: {listed}")
        self._stop()
        self._go(self.definition.scenes[name])

    def reset(self) -> None:
        """Put every slider back to where this panel started, and drop a quoted prediction."""
        self._stop()
        self._go(self._start, quote="")

    def answer(self, choice: str) -> None:
        """Answer the question: the sliders go to where the picture answers, and the choice is quoted."""
        predict = self.definition.predict
        if predict is None or choice not in predict.choices:
            listed = ", ".join(map(repr, predict.choices)) if predict else "none"
            raise ValueError(f"{self.definition.name}: there is no answer {choice!r}; there are: {listed}")
        self._stop()
        self._go(self.definition.predicted, quote=f"You predicted: {choice}.")

    def show_answer(self) -> None:
        """Move the sliders to where the picture answers the question."""
        self._stop()
        self._go(self.definition.predicted, quote="")

    def compute(self) -> None:
        """Do the panel's slow work now, in this thread, and draw its result."""
        if self.definition.work is None:
            raise ValueError(f"{self.definition.name}: this panel has no slow work")
        self._work_shows(self.definition.work.run(lambda *_, **__: None, **self.values), {})

    # -- drawing -------------------------------------------------------------------------------------

    @contextmanager
    def drawn(
        self,
        *,
        moving: bool = False,
        dpi: float = DOTS_PER_INCH,
        size: tuple[int, int] | None = None,
        plain: bool = False,
    ) -> Iterator[Any]:
        """Draw the present state and yield the axes with its moving artists, to be looked at or saved."""
        with LOCK:
            frames = self._figure()
            values = self._arguments(self._positions, moving=moving)
            with frames.drawn(values, dpi=dpi, size=size, plain=plain) as sentence:
                self._sentence = sentence
                yield frames.axes[0] if len(frames.axes) == 1 else frames.axes

    def pixels(self, *, dpi: float = DOTS_PER_INCH, plain: bool = False) -> Any:
        """Return the present picture as RGBA, shape (height, width, 4), uint8."""
        with LOCK, self.drawn(dpi=dpi, plain=plain):
            return self._figure().pixels()

    def _figure(self) -> Frames:
        if self._frames is None:
            probes = [self._arguments(self._start)]
            for number, one in enumerate(self.definition.sliders):
                for end in (0, one.count - 1):
                    probe = list(self._start)
                    probe[number] = end
                    probes.append(self._arguments(probe))
            definition = self.definition
            self._frames = Frames(definition.function, definition.setup, definition.layout, probes)
        return self._frames

    def _values_at(self, positions: Sequence[int]) -> dict[str, Any]:
        sliders = self.definition.sliders
        return {one.name: one.value(position) for one, position in zip(sliders, positions, strict=True)}

    def _arguments(self, positions: Sequence[int], *, moving: bool = False) -> dict[str, Any]:
        given = {"moving": moving, "result": self._result}
        return self._values_at(positions) | {name: given[name] for name in self.definition.special}

    # -- showing -------------------------------------------------------------------------------------

    @property
    def widget(self) -> Any:
        """The panel as an ipywidgets VBox, built on first use; to be placed in a layout of one's own."""
        with LOCK:
            if self._view is None:
                from igviz.panels.engine.view import View

                self._view = View(self, projector=_projector)
                _shown.add(self)
                cells.remember(self)
            return self._view.box

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        with LOCK:
            box = self.widget
            stored = encode.stored_png((self.pixels(), self.sentence))
            bundle: dict[str, Any] = {
                "text/plain": self.sentence,
                "image/png": base64.b64encode(stored).decode("ascii"),
            }
            if box.model_id:
                bundle[WIDGET_VIEW] = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
            # On Colab a view's metadata say where the page finds the code of widgets; anywidget knows.
            metadata: dict[str, Any] = box.picture._repr_mimebundle_()[1]
            return bundle, metadata | {"image/png": {"alt": self.sentence}}

    def close(self) -> None:
        """Free the figure and every widget; the panel keeps its values and can be shown again."""
        with LOCK:
            view, self._view, self._frames = self._view, None, None
            _shown.discard(self)
            cells.forget(self)
            if view is not None:
                view.close()

    # -- moving --------------------------------------------------------------------------------------

    def _go(self, positions: Sequence[int], quote: str | None = None) -> None:
        """Move to grid positions: one frame, or none when nothing changed.

        An interruption while the frame is drawn puts everything back to where it was.
        """
        with LOCK:
            before = self._positions, self._quote
            after = tuple(positions), self._quote if quote is None else quote
            try:
                self._stand(*after)
                if before != after:
                    self._redraw()
                elif self._view is not None:
                    self._view.settled()
            except KeyboardInterrupt:
                with held():
                    self._stand(*before)
                    self._redraw()
                raise

    def _stand(self, positions: tuple[int, ...], quote: str) -> None:
        with held():
            self._positions, self._quote = positions, quote
            if self._view is not None:
                self._view.put(positions)

    def _redraw(self) -> None:
        self._sentence = None
        if self._view is not None:
            self._view.draw()

    def _stop(self) -> None:
        if self._view is not None:
            self._view.stop()

    def _work_shows(self, result: Any, moves: Mapping[str, Any]) -> None:
        """Draw what the slow work has made, with some sliders moved along: one frame."""
        with LOCK:
            self._positions = _placed(self.definition.sliders, self._positions, moves, self.definition.name)
            self._result = result
            if self._view is not None:
                self._view.put(self._positions)
            self._redraw()


def projector(on: bool = True) -> None:
    """Draw every panel, open or still to come, 1.53 times as large: for a class, from the back row."""
    global _projector
    _projector = bool(on)
    with LOCK:
        for one in list(_shown):
            one.widget.picture.projector = _projector


def _handle(sliders: Sequence[Slider], drag: Sequence[Any], axes: int, where: str) -> tuple[int, int, int]:
    """Return the numbers of the sliders that a dragged point moves, and of the axes it lies in."""
    across, up, number = *drag[:2], drag[2] if len(drag) == 3 else 0
    if not 0 <= number < axes:
        raise ValueError(f"{where}: drag names axes {number!r}, but the layout has axes 0 to {axes - 1}")
    by_name = {one.name: position for position, one in enumerate(sliders)}
    for name in (across, up):
        if not sliders[by_name[name]].numeric:
            raise ValueError(f"{where}: a drag moves sliders of numbers, {name!r} has words")
    return by_name[across], by_name[up], number


def _placed(
    sliders: Sequence[Slider],
    positions: Sequence[int],
    values: Mapping[str, Any],
    where: str,
    *,
    exact: bool = False,
) -> tuple[int, ...]:
    """Return the grid positions with some values changed; ValueError names what is not allowed."""
    names = [one.name for one in sliders]
    for name in values:
        if name not in names:
            raise ValueError(f"{where}: there is no slider {name!r}; there are {', '.join(names)}")
    placed = list(positions)
    for number, one in enumerate(sliders):
        if one.name in values:
            value = values[one.name]
            try:
                placed[number] = one.exactly(value) if exact else one.position(value)
            except ValueError as error:
                raise ValueError(f"{where}: {error}") from None
    return tuple(placed)
