"""The controls of a panel: sliders on their grids, Play, scenes, Reset and the question."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ipywidgets

from igviz.panels.engine.prediction import Prediction
from igviz.panels.engine.sliders import Slider
from igviz.plots.settings import LOCK

PLAY_MILLISECONDS = 6000  # one pass of Play over the whole slider
BOUNCE_SECONDS = 3.0


class Controls:
    """The widgets beside the picture.

    Parameters
    ----------
    sliders : sequence of Slider
    on_change : callable
        Called with a slider's number and new grid position when a reader moved it, or Play moved on.
    """

    def __init__(
        self, sliders: Sequence[Slider], positions: Sequence[int], on_change: Callable[[int, int], None]
    ) -> None:
        self._sliders = tuple(sliders)
        self._on_change = on_change
        self.inputs = [_input(one, position) for one, position in zip(sliders, positions, strict=True)]
        self.play: Any = None
        self._played = -1
        self._numbers = {widget: number for number, widget in enumerate(self.inputs)}
        self._known = list(positions)
        self._sent: list[list[tuple[int, float]]] = [[] for _ in sliders]
        for widget in self.inputs:
            widget.observe(self._moved, "index" if _has_choices(widget) else "value")
        self.grid = ipywidgets.GridBox(list(self.inputs))
        self.grid.add_class("igviz-sliders")

    @property
    def model_ids(self) -> list[str]:
        """The names by which the page finds the sliders and Play; none without a kernel."""
        return [one.model_id for one in (*self.inputs, self.play) if one is not None and one.model_id]

    def _moved(self, change: Any) -> None:
        with LOCK:
            number = self._numbers[change["owner"]]
            position = _position(change["owner"], self._sliders[number])
            if not self._bounced(number, position):
                self._known[number] = position
            self._put(number, self._known[number])
            self._on_change(number, self._known[number])

    def _bounced(self, number: int, position: int) -> bool:
        """Tell whether a value is not a reader's move but one of ours that the page sends back.

        The page rounds what it is sent to floats of its own and reports them as a change. When several are
        under way (Play, then Reset) an old one would come back after the newest and undo it.
        """
        widget, slider, now = self.inputs[number], self._sliders[number], time.monotonic()
        if _has_choices(widget) or widget.value == slider.value(position):
            return False
        waiting = [one for one in self._sent[number] if now - one[1] < BOUNCE_SECONDS]
        places = [one[0] for one in waiting]
        known = position in places
        # messages keep their order: older ones than this can no longer come, and after a move none is ours
        self._sent[number] = waiting[places.index(position) + 1 :] if known else []
        return known

    def _put(self, number: int, position: int) -> None:
        widget, slider = self.inputs[number], self._sliders[number]
        self._known[number] = position
        if _has_choices(widget):
            widget.index = position
            return
        value = slider.value(position)
        # Sending back what differs by rounding only would overtake the reader's next key press, so positions
        # are compared, with a little room.
        if abs(widget.value - value) > 1e-6 * slider.step:
            widget.value = value
            self._sent[number].append((position, time.monotonic()))

    def add_play(self, number: int, position: int) -> Any:
        """Make a Play widget for one slider, which steps through its grid."""
        count = self._sliders[number].count
        self._played = number
        self.play = ipywidgets.Play(
            min=0, max=count - 1, value=position, interval=max(40, min(600, PLAY_MILLISECONDS // count))
        )
        self.play.show_repeat = False
        self.play.observe(self._moved_by_play, "value")
        return self.play

    def _moved_by_play(self, change: Any) -> None:
        with LOCK:
            if not self.play.playing:  # a step that was on its way when Play was stopped
                self.play.value = self._known[self._played]
            elif change["new"] != self._known[self._played]:
                self._put(self._played, change["new"])

    def put(self, positions: Sequence[int]) -> None:
        """Show grid positions. A slider that need not move is left alone: a reader may be moving it."""
        for number, position in enumerate(positions):
            if position != self._known[number]:
                self._put(number, position)
        if self.play is not None:
            self.play.value = positions[self._played]

    def stop(self) -> None:
        """Stop Play."""
        if self.play is not None:
            self.play.playing = False


def buttons(labels: Sequence[str], press: Callable[[str], None], *, tooltip: str = "") -> list[Any]:
    """Make a button for each label; ``press`` is given the label."""
    made = []
    for label in labels:
        button = ipywidgets.Button(description=label, tooltip=tooltip or label)
        button.on_click(lambda pressed: press(pressed.description))
        made.append(button)
    return made


def row(children: Sequence[Any]) -> Any:
    """Put widgets side by side; they wrap where the page is narrow."""
    box = ipywidgets.Box(list(children))
    box.add_class("igviz-row")
    return box


def question(prediction: Prediction, answer: Callable[[str], None], show: Callable[[str], None]) -> list[Any]:
    """Make the question with its answers and *Show me*."""
    text = ipywidgets.HTML(f"<b>Predict first.</b> {html.escape(prediction.question)}")
    text.add_class("igviz-question")
    choices = buttons(list(prediction.choices), answer, tooltip="Answer, and let the picture answer too")
    answers = row([*choices, *buttons(["Show me"], show, tooltip="Move the sliders to where the answer is")])
    answers.add_class("igviz-answers")
    return [text, answers]


def every_widget(widget: Any) -> Iterator[Any]:
    """Yield a widget and all it owns: children, layouts and styles too, which stay registered otherwise."""
    for child in getattr(widget, "children", ()):
        yield from every_widget(child)
    for part in ("layout", "style"):
        owned = getattr(widget, part, None)
        if isinstance(owned, ipywidgets.Widget):
            yield owned
    yield widget


def _has_choices(widget: Any) -> bool:
    return isinstance(widget, ipywidgets.SelectionSlider)


def _input(slider: Slider, position: int) -> Any:
    if slider.choices is not None:
        options = [(slider.text(k), k) for k in range(slider.count)]
        return ipywidgets.SelectionSlider(options=options, index=position, description=slider.label)
    kind = ipywidgets.IntSlider if slider.whole else ipywidgets.FloatSlider
    return kind(
        min=slider.value(0),
        max=slider.value(slider.count - 1),
        step=int(slider.step) if slider.whole else slider.step,
        value=slider.value(position),
        description=slider.label,
        readout_format="d" if slider.whole else f".{slider.decimals}f",
    )


def _position(widget: Any, slider: Slider) -> int:
    return widget.index if _has_choices(widget) else slider.nearest(widget.value)
