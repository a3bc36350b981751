"""The README says what is so: links, pictures, panels, commands."""

from __future__ import annotations

import importlib.util
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import igviz as ig
from igviz.panels import LECTURES
from igviz.panels.engine import Panel
from igviz.plots.course_map import LECTURES as STATIONS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SPEC = importlib.util.spec_from_file_location("make_gallery", ROOT / "tools" / "make_gallery.py")
assert SPEC is not None
assert SPEC.loader is not None
gallery = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(gallery)


def test_every_link_and_picture_is_there():
    targets = re.findall(r"\]\(([^)\s]+)\)", README)
    assert targets
    for target in targets:
        assert (ROOT / target).exists(), target


def test_every_lecture_and_every_panel_is_shown():
    for station in STATIONS:
        assert f"[{station.number} {station.title}](notebooks/{station.stem}.ipynb)" in README
    for name, panel in gallery.panels().items():
        assert f"`{panel.definition.name}()`" in README
        assert f"(pictures/{name})" in README
    count = sum(isinstance(v, Panel) for one in LECTURES for v in vars(getattr(ig.panels, one)).values())
    assert len(gallery.panels()) == count


def test_the_moving_picture_moves_and_is_small():
    path = ROOT / "pictures" / "moving.gif"
    assert path.stat().st_size <= 1_000_000
    with Image.open(path) as picture:
        assert picture.n_frames > 10
        frames = []
        for number in (0, picture.n_frames // 2):
            picture.seek(number)
            frames.append(np.asarray(picture.convert("RGB")))
    assert not np.array_equal(*frames)


def test_a_changed_picture_is_noticed():
    panel = next(iter(gallery.panels().values()))
    now = gallery.still(panel)
    assert gallery.same(now, gallery.still(panel))
    image = Image.open(io.BytesIO(now)).convert("RGB")
    image.putpixel((10, 10), (255, 0, 0))
    other = io.BytesIO()
    image.save(other, "PNG")
    assert not gallery.same(now, other.getvalue())


def test_the_panel_typed_out_works():
    source = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert source
    names: dict[str, object] = {}
    exec(source.group(1), names)
    panel = names["density"]
    assert panel.sentence == f"entropy {ig.Normal(0, 1.6).entropy():.3f} nats"
    panel.set(std=3.0)
    assert panel.sentence == f"entropy {ig.Normal(0, 3.0).entropy():.3f} nats"
    panel.close()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"python run\.py (\w+)", README))))
def test_every_command_exists(command):
    text = (ROOT / "run.py").read_text(encoding="utf-8")
    assert re.search(rf'^    "{command}": \w+,$', text, re.MULTILINE), f"run.py has no command {command}"


def test_no_placeholder_is_left():
    assert "BENCHMARK_TABLE" not in README
    assert "TODO" not in README
