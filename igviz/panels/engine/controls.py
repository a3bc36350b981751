"""The controls of a panel: sliders on their grids, Play, scenes, Reset and the question."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ipywidgets

from igviz.panels.engine.prediction import Prediction
from igviz.panels.engine.sliders import Slider

PLAY_MILLISECONDS = 6000  # one pass of Play over the whole slider


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
        for widget in self.inputs:
            widget.observe(self._moved, "index" if _has_choices(widget) else "value")
        self.grid = ipywidgets.GridBox(list(self.inputs))
        self.grid.add_class("igviz-sliders")

    def _moved(self, change: Any) -> None:
        number = self._numbers[change["owner"]]
        self._on_change(number, _position(change["owner"], self._sliders[number]))

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
        widget, slider = self.inputs[self._played], self._sliders[self._played]
        if self.play.playing:
            _put(widget, slider, change["new"])
        else:  # a step that was on its way when Play was stopped: it stays where the slider stands
            self.play.value = _position(widget, slider)

    def put(self, positions: Sequence[int]) -> None:
        """Show grid positions; a widget off its grid is sent back to it."""
        for widget, slider, position in zip(self.inputs, self._sliders, positions, strict=True):
            _put(widget, slider, position)
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
    return [
        text,
        row([*choices, *buttons(["Show me"], show, tooltip="Move the sliders to where the answer is")]),
    ]


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


def _put(widget: Any, slider: Slider, position: int) -> None:
    if _has_choices(widget):
        widget.index = position
        return
    value = slider.value(position)
    # The page computes grid values in floats of its own. Sending back what differs by rounding only would
    # overtake the reader's next key press, so positions are compared, with a little room.
    if abs(widget.value - value) > 1e-6 * slider.step:
        widget.value = value
