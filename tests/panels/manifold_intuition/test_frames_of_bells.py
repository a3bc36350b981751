"""Frames over the cached background equal full redraws, for the panels of bells and paths."""

from __future__ import annotations

import numpy as np
import pytest

from igviz.panels import manifold_intuition

PANELS = ["point", "hypotheses", "shortest_path", "three_geodesics"]
LONGEST = 190  # characters: two lines below a picture of 720 px


@pytest.mark.parametrize("name", PANELS)
def test_no_frame_depends_on_the_one_before(name):
    panel = getattr(manifold_intuition, name)
    one, twin = panel(), panel()
    rng = np.random.default_rng(2)
    sliders = one.definition.sliders
    places = [{s.name: s.value(int(rng.integers(s.count))) for s in sliders} for _ in range(12)]
    for place in places:
        one.set(**place)
        twin.values = one.values
        assert np.array_equal(one.pixels(), twin.pixels(plain=True))
        assert one.sentence == twin.sentence
        assert len(one.sentence) <= LONGEST
    assert one._figure().full_draws == 0
    one.close()
    twin.close()


@pytest.mark.parametrize("name", PANELS)
def test_both_ends_of_every_slider_and_every_scene_can_be_read(name):
    panel = getattr(manifold_intuition, name)()
    for slider in panel.definition.sliders:
        for position in (0, slider.count - 1):
            panel.reset()
            panel.set(**{slider.name: slider.value(position)})
            assert len(panel.sentence) <= LONGEST
            assert "nan" not in panel.sentence
    for scene in panel.definition.scenes:
        panel.scene(scene)
        assert len(panel.sentence) <= LONGEST
    panel.close()
