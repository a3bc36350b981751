"""The teacher's page names scenes, panels and lectures that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import igviz as ig
from igviz.panels.engine import Panel
from igviz.plots.course_map import LECTURES

TEXT = (Path(__file__).parents[1] / "TEACHING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("lecture", LECTURES, ids=lambda lecture: lecture.stem)
def test_a_plan_for_every_lecture(lecture):
    section = re.search(
        rf"^## {lecture.number} {lecture.title} \(\d+ minutes\)$(.*?)(?=^## |\Z)", TEXT, re.M | re.S
    )
    assert section, f"TEACHING.md has no plan for {lecture.stem}"
    plan = section.group(1)
    panels = {
        name: value
        for name, value in vars(getattr(ig.panels, lecture.stem[3:])).items()
        if isinstance(value, Panel)
    }
    scenes = {scene for one in panels.values() for scene in one.definition.scenes}
    for row in re.findall(r"^\| \d+ \| ([^|]*) \|", plan, re.M):
        for scene in re.findall(r"\*([^*]+)\*", row):
            assert scene in scenes, f"there is no scene {scene!r}"
        for name in re.findall(r"`(\w+)`", row):
            assert name in panels, f"there is no panel {name}"
    minutes = [int(number) for number in re.findall(r"^\| (\d+) \|", plan, re.M)]
    assert minutes == sorted(minutes)
    assert "*Usual wrong answers.*" in plan
    assert "*Do not explain*" in plan


def test_the_ways_of_a_classroom_are_described():
    for word in ("Projector", "Play", "Copy", "nbgitpuller", "2 GB", "10 idle minutes", "Tag the version"):
        assert word in TEXT
