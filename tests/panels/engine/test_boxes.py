"""Panels in a reader's boxes keep their pictures where no kernel runs."""

from __future__ import annotations

import base64
import io

import ipywidgets
import pytest
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

from igviz.panels.engine import boxes, panel

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def shell(monkeypatch):
    """IPython as a kernel has it."""
    made = InteractiveShell()
    monkeypatch.setattr("IPython.get_ipython", lambda: made)
    return made


@panel(size=(240, 150), setup=lambda axes: axes.set(xlim=(0, 1), ylim=(0, 5)), a=(0, 5, 1))
def line(axes, a=0):
    axes.plot([0, 1], [a, a])
    return f"a is {a}"


def test_a_box_of_panels_is_stored_with_their_pictures_and_words(wire, shell):
    first, second = line(a=1), line(a=2)
    inner = ipywidgets.VBox([ipywidgets.Label("two"), second.widget])
    data, metadata = shell.display_formatter.format(ipywidgets.HBox([first.widget, inner]))
    assert data["text/plain"] == "a is 1\na is 2"
    assert metadata["image/png"]["alt"] == "a is 1\na is 2"
    assert data[VIEW]["model_id"]
    alone = Image.open(io.BytesIO(base64.b64decode(first._repr_mimebundle_()[0]["image/png"])))
    both = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert both.size == (alone.width, 2 * alone.height)
    upper = both.crop((0, 0, *alone.size)).convert("RGB")
    assert upper.getpixel((120, 10)) == alone.convert("RGB").getpixel((120, 10))


def test_a_panel_alone_and_a_box_without_one_are_as_before(wire, shell):
    p = line(a=3)
    assert shell.display_formatter.format(p.widget)[0] == p._repr_mimebundle_()[0]
    empty = ipywidgets.HBox([ipywidgets.IntSlider()])
    boxes.register()
    data, _ = shell.display_formatter.format(empty)
    assert "image/png" not in data
    assert data[VIEW]["model_id"] == empty.model_id
