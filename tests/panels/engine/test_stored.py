"""What a cell's output holds: right in every viewer, the same bytes on every run."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
from PIL import Image

from igviz.panels.engine import panel

SOURCE = """
import numpy as np
import igviz as ig

@ig.panel(setup=lambda axes: axes.set(xlim=(-8, 8), ylim=(0, 1)), mean=(-3, 3), std=(0.2, 3))
def density(axes, mean=0.0, std=1.0):
    x = np.linspace(-8, 8, 400)
    axes.plot(x, np.exp(-((x - mean) ** 2) / (2 * std**2)), color="black", lw=2)
    return f"mean {mean:.2f}, standard deviation {std:.2f}"
"""
VIEW = "application/vnd.jupyter.widget-view+json"


def make():
    space = {"__name__": "__main__"}
    exec(SOURCE, space)
    return space["density"]


def picture(bundle):
    return Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))


def test_the_bundle_holds_view_picture_and_sentence_and_no_state(wire):
    p = make()
    bundle = p._repr_mimebundle_()[0]
    assert set(bundle) == {"text/plain", "image/png", VIEW}
    assert bundle["text/plain"] == p.sentence == "mean 0.00, standard deviation 1.00"
    assert bundle[VIEW] == {"version_major": 2, "version_minor": 0, "model_id": p.widget.model_id}
    assert p.widget._repr_mimebundle_()[0] == bundle, "placed in a layout of one's own it is stored as well"


def test_on_colab_the_page_learns_where_the_code_of_widgets_is(wire, monkeypatch):
    enabled = []
    colab = SimpleNamespace(
        enable_custom_widget_manager=lambda: enabled.append(True),
        _widgets=SimpleNamespace(_installed_url="https://colab/manager.js"),
    )
    p = make()
    assert p._repr_mimebundle_()[1] == {"image/png": {"alt": p.sentence}}
    monkeypatch.setitem(sys.modules, "google.colab.output", colab)
    metadata = p._repr_mimebundle_()[1]
    assert metadata.pop("image/png") == {"alt": p.sentence}
    assert metadata == {VIEW: {"colab": {"custom_widget_manager": {"url": "https://colab/manager.js"}}}}
    assert enabled == [True]


def test_the_stored_picture_shows_the_panel_as_it_stands(wire):
    p = make()
    first = picture(p._repr_mimebundle_()[0])
    assert first.width == 720
    assert first.height > 360
    top = np.asarray(first.convert("RGB"))[:360].astype(float)
    assert np.abs(top - p.pixels()[..., :3]).mean() < 3
    p.set(mean=2)
    bundle = p._repr_mimebundle_()[0]
    assert bundle["text/plain"] == "mean 2.00, standard deviation 1.00"
    assert picture(bundle).tobytes() != first.tobytes()


def test_moving_about_before_leaves_the_stored_bytes_alone(wire):
    p = make()
    first = p._repr_mimebundle_()[0]["image/png"]
    wire.page(p.widget.picture, density=2)
    for mean in (-3, 3, 1):
        p.set(mean=mean, std=0.2)
    p.reset()
    assert p._repr_mimebundle_()[0]["image/png"] == first


def test_another_process_stores_the_same_bytes(wire):
    code = SOURCE + (
        "import hashlib\npicture = density._repr_mimebundle_()[0]['image/png']\n"
        "print(hashlib.sha256(picture.encode()).hexdigest())"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    assert told.stderr == ""
    expected = hashlib.sha256(make()._repr_mimebundle_()[0]["image/png"].encode()).hexdigest()
    assert told.stdout.strip() == expected


def test_an_options_keyword_of_ipython_is_welcome(wire):
    assert make()._repr_mimebundle_(include=None, exclude=None)[0]["text/plain"]


def test_automatic_limits_hold_the_whole_reach_of_each_slider(wire):
    @panel(size=(320, 200), a=(0, 4, 1), b=(-2, 8, 1))
    def line(axes, a=1, b=2):
        axes.plot([0, a], [0, b])
        return f"{a} {b}"

    with line.drawn() as axes:
        assert axes.get_xlim()[1] >= 4
        assert axes.get_ylim()[0] <= -2
        assert axes.get_ylim()[1] >= 8
