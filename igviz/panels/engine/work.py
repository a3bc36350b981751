"""Slow work behind a button: a training run or an optimisation, with a bar, while the sliders stay free."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets


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
        ``run(progress, **values)`` returns the result, which the drawing function receives as ``result``
        (None before the first run). It calls ``progress(fraction, text)`` now and then, fraction in [0, 1].
    """

    def __init__(self, label: str, run: Callable[..., Any]) -> None:
        self.label, self.run = label, run


class WorkRow:
    """The button, the bar and the thread of one panel's work."""

    def __init__(
        self, work: Work, values: Callable[[], dict[str, Any]], done: Callable[[Any, str], None]
    ) -> None:
        self._work, self._values, self._done = work, values, done
        self._stop = threading.Event()
        self._closed = False
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
        self.thread = threading.Thread(target=self._go, args=(self._values(),), daemon=True)
        self.thread.start()

    def _go(self, values: dict[str, Any]) -> None:
        result, problem = None, ""
        try:
            result = self._work.run(self.progress, **values)
        except StoppedError:
            problem = "Stopped; the picture shows the last result."
        except Exception as error:
            problem = f"{self._work.label} failed. {one_line(error)}"
        if self._closed:
            return
        self.button.description = self._work.label
        self.bar.layout.visibility = "hidden"
        self.text.value = ""
        self._done(result, problem)

    def progress(self, fraction: float, text: str = "") -> None:
        """Move the bar; raise StoppedError when the reader has pressed Stop."""
        if self._stop.is_set():
            raise StoppedError
        self.bar.value = min(max(float(fraction), 0.0), 1.0)
        self.text.value = text

    def close(self) -> None:
        """Ask running work to stop at its next call of ``progress``; its result reaches nobody."""
        self._closed = True
        self._stop.set()
