"""The map promises what is there: notebooks, panels and links agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

import igviz as ig
from igviz.panels import LECTURES as PANEL_LECTURES
from igviz.panels.engine import Panel
from igviz.plots.course_map import LECTURES

ROOT = Path(__file__).parents[2]
STEMS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_the_map_shows_every_notebook_and_no_other():
    assert [lecture.stem for lecture in LECTURES] == STEMS
    assert [stem[3:] for stem in STEMS if stem[:2].isdigit()] == list(PANEL_LECTURES)


def test_the_map_says_in_words_what_it_draws():
    still = ig.course_map()
    for lecture in LECTURES:
        assert lecture.title in still.sentence
        texts = [text.get_text() for axes in still.figure.axes for text in axes.texts]
        drawn = " ".join(" ".join(texts).split())
        assert lecture.number in drawn
        assert lecture.title in drawn
    assert still.png() == ig.course_map().png()


def test_the_map_fits_its_picture():
    figure = ig.course_map().figure
    figure.canvas.draw()
    for text in (text for axes in figure.axes for text in axes.texts):
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.width
        assert box.y0 >= 0
        assert box.y1 <= figure.bbox.height


def test_the_first_notebook_links_every_lecture():
    book = json.loads((ROOT / "notebooks" / "00_start_here.ipynb").read_text(encoding="utf-8"))
    text = "\n".join("".join(cell["source"]) for cell in book["cells"])
    for lecture in LECTURES:
        assert f"[{lecture.number} {lecture.title}]({lecture.stem}.ipynb)" in text


def test_every_panel_of_a_lecture_is_shown_in_its_notebook():
    for lecture in PANEL_LECTURES:
        module = getattr(ig.panels, lecture)
        path = next((ROOT / "notebooks").glob(f"*_{lecture}.ipynb"))
        text = path.read_text(encoding="utf-8")
        panels = [name for name, value in vars(module).items() if isinstance(value, Panel)]
        assert panels
        for name in panels:
            assert re.search(rf"ig\.panels\.{lecture}\.{name}\b", text), f"{path.stem} does not show {name}"
