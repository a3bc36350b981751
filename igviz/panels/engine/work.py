"""Slow work behind a button: a training run or an optimisation, with a bar, while the sliders stay free."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import ipywidgets

from igviz.plots.settings import LOCK

BAR_SECONDS = 0.1  # between two messages that move the bar
FRAME_SECONDS = 0.25  # between two frames of results on the way, from the end of one to the next
_NOTHING: Any = object()


def one_line(error: BaseException) -> str:
    """Return what went wrong in one line."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


class StoppedError(Exception):
    """Raised by ``progress`` inside the work when the reader pressed Stop."""


class Work:
    """Work that a reader starts by a button.

    Parameters
    ----------
    label : str
        What the button says: "Train", "Find the geodesic".
    run : callable
        ``run(progress, **values)``, with the values the sliders have when the button is pressed, returns the
        result, which the drawing function receives as ``result`` (None before there is any). It runs in a
        thread of its own and calls ``progress`` often:

        ``progress(fraction, text)`` moves the bar, fraction in [0, 1], and ends the work when the reader has
        pressed Stop.

        ``progress(fraction, text, result=so_far)`` also hands the drawing function what there is so far. It
        is drawn a few times a second, what comes in between is skipped, and after Stop the last one is what
        remains. The work must not change it any more: the drawing function looks at it whenever a slider
        moves.

        ``progress(fraction, text, result=so_far, epoch=12)`` moves the slider ``epoch`` along, in the same
        frame, until the reader moves that slider.
    """

    def __init__(self, label: str, run: Callable[..., Any]) -> None:
        self.label, self.run = label, run


class WorkRow:
    """The button, the bar and the thread of one panel's work.

    Parameters
    ----------
    work : Work
    values : callable
        values() returns the panel's slider values.
    show : callable
        show(result, moves) draws a result with some sliders moved.
    say : callable
        say(problem) shows one line of trouble.
    """

    def __init__(
        self,
        work: Work,
        values: Callable[[], dict[str, Any]],
        show: Callable[[Any, dict[str, Any]], None],
        say: Callable[[str], None],
    ) -> None:
        self._work, self._values, self._show, self._say = work, values, show, say
        self._stop = threading.Event()
        self._closed = False
        self._waiting: tuple[Any, dict[str, Any]] | None = None  # a result that has not been drawn
        self._led: dict[str, Any] = {}  # where the work has left the sliders
        self._next_bar = self._next_frame = 0.0
        self.thread: threading.Thread | None = None
        self.button = ipywidgets.Button(description=work.label)
        self.bar = ipywidgets.FloatProgress(value=0.0, min=0.0, max=1.0)
        self.text = ipywidgets.Label("")
        self.bar.layout.visibility = "hidden"
        self.widget = ipywidgets.Box([self.button, self.bar, self.text])
        self.widget.add_class("igviz-row")
        self.button.on_click(self._press)

    def _press(self, _button: Any) -> None:
        if self.thread is not None and self.thread.is_alive():
            self._stop.set()
            return
        self._stop.clear()
        self.button.description = "Stop"
        self.bar.value, self.bar.layout.visibility = 0.0, "visible"
        self._waiting, self._led = None, self._values()
        self._next_bar = self._next_frame = 0.0
        self.thread = threading.Thread(target=self._go, args=(dict(self._led),), daemon=True)
        try:
            self.thread.start()
        except RuntimeError:  # Python in the browser, for one, has no threads
            self.thread = None
            self._at_rest()
            self._say(
                f"{self._work.label} needs a thread, and this kernel starts none. Give the panel a name and "
                "call its compute() in a cell."
            )

    def _go(self, values: dict[str, Any]) -> None:
        problem = ""
        try:
            result = self._work.run(self.progress, **values)
            self._waiting = result, self._waiting[1] if self._waiting else {}
        except StoppedError:
            problem = "Stopped; the picture shows the last result."
        except Exception as error:
            self._waiting, problem = None, f"{self._work.label} failed. {one_line(error)}"
        with LOCK:
            if self._closed:
                return
            self._at_rest()
            self._draw()
            if problem:
                self._say(problem)

    def _at_rest(self) -> None:
        self.button.description = self._work.label
        self.bar.layout.visibility = "hidden"
        self.text.value = ""

    def progress(self, fraction: float, text: str = "", /, *, result: Any = _NOTHING, **moves: Any) -> None:
        """Move the bar, and perhaps hand on a result so far; see `Work`.

        Raises
        ------
        StoppedError
            When the reader has pressed Stop.
        ValueError
            When there is no slider of a given name.
        """
        unknown = [name for name in moves if name not in self._led]
        if unknown:
            raise ValueError(f"progress: there is no slider {unknown[0]!r}; there are {', '.join(self._led)}")
        if result is not _NOTHING:
            self._waiting = result, moves
        if self._stop.is_set():
            raise StoppedError
        now = time.monotonic()
        if now >= self._next_bar:
            self._next_bar = now + BAR_SECONDS
            self.bar.value = min(max(float(fraction), 0.0), 1.0)
            self.text.value = text
        if now >= self._next_frame and self._waiting:
            with LOCK:
                if not self._closed:
                    self._draw()
            # from the end of the frame: where frames are slow, the work goes on all the same
            self._next_frame = time.monotonic() + FRAME_SECONDS

    def _draw(self) -> None:
        """Draw the waiting result, and move along the sliders that no reader has moved meanwhile."""
        if self._waiting is None:
            return
        (result, moves), self._waiting = self._waiting, None
        now = self._values()
        free = {name: value for name, value in moves.items() if now[name] == self._led[name]}
        self._show(result, free)
        after = self._values()
        self._led |= {name: after[name] for name in free}

    def close(self) -> None:
        """Ask running work to stop at its next call of ``progress``; its result reaches nobody."""
        self._closed = True
        self._stop.set()
