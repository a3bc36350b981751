"""Panels that a reader puts in boxes: the box keeps their pictures, as a panel alone keeps its own."""

from __future__ import annotations

import base64
import sys
from typing import Any

import ipywidgets

from igviz.panels.engine import encode
from igviz.panels.engine.controls import every_widget
from igviz.plots.settings import LOCK


class Box(ipywidgets.VBox):
    """A panel as one widget; ``panel`` is the panel, ``picture`` its picture."""

    def __init__(self, panel: Any, side: Any, picture: Any) -> None:
        self.panel, self.picture = panel, picture
        super().__init__([side, picture])
        self.add_class("igviz-panel")

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.panel._repr_mimebundle_(**options)


def bundle(box: Any) -> Any:
    """Return what a box shows: the widget and, where there are panels in it, their pictures and words."""
    own = box._repr_mimebundle_()
    panels = [one.panel for one in every_widget(box) if isinstance(one, Box)]
    if not panels or isinstance(box, Box):
        return own
    with LOCK:
        stored = encode.stored_png(*((one.pixels(), one.sentence) for one in panels))
        words = "\n".join(one.sentence for one in panels)
    pictures = {"text/plain": words, "image/png": base64.b64encode(stored).decode("ascii")}
    return own | pictures, {"image/png": {"alt": words}}


def register() -> None:
    """Let IPython ask `bundle` for every box that is the value of a cell."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    formatter = getattr(shell, "display_formatter", None)
    if formatter is not None:
        formatter.mimebundle_formatter.for_type(ipywidgets.Box, bundle)
