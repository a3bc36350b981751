"""Every panel of the collection, over random places of its sliders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import igviz as ig
from igviz.panels import LECTURES
from igviz.panels.engine import Panel

PANELS = [
    pytest.param(value, id=f"{lecture}.{name}")
    for lecture in LECTURES
    for name, value in vars(getattr(ig.panels, lecture)).items()
    if isinstance(value, Panel)
]
profile = settings(derandomize=True, database=None, deadline=None, max_examples=25)


def place(data: st.DataObject, panel: Panel) -> dict[str, Any]:
    return {
        one.name: one.value(data.draw(st.integers(0, one.count - 1), label=one.name))
        for one in panel.definition.sliders
    }


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_answers_everywhere(panel: Panel) -> None:
    one, twin = panel(), panel()

    @profile
    @given(st.data())
    def answers(data: st.DataObject) -> None:
        one.set(**place(data, one))
        sentence, pixels = one.sentence, one.pixels()
        assert "nan" not in sentence.lower().split()
        twin.values = one.values
        assert twin.sentence == sentence
        assert np.array_equal(twin.pixels(plain=True), pixels), "a frame depends on the one before"

    answers()
    assert one._figure().full_draws == 0, "a frame could not use the cached background"
    one.close()
    twin.close()


@pytest.mark.parametrize("panel", PANELS)
def test_every_slider_moves_the_picture_and_the_words(panel: Panel) -> None:
    one = panel()
    for slider in one.definition.sliders:
        seen = set()
        for position in (0, slider.count // 2, slider.count - 1):
            one.reset()
            one.set(**{slider.name: slider.value(position)})
            seen.add((one.sentence, one.pixels().tobytes()))
        assert len({words for words, _ in seen}) >= 2, f"{slider.name} changes no word"
        assert len({picture for _, picture in seen}) >= 2, f"{slider.name} changes no pixel"
    one.close()


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_has_scenes_and_says_what_it_is(panel: Panel) -> None:
    assert panel.__doc__, "a panel says in one line what it shows"
    assert panel.definition.scenes
    for name in panel.definition.scenes:
        assert len(name) <= 28, f"{name!r} does not fit a button"


def test_the_stored_picture_is_small() -> None:
    for parameter in PANELS:
        panel = parameter.values[0]()
        bundle = panel._repr_mimebundle_()[0]
        assert len(bundle["image/png"]) < 60_000
        panel.close()
