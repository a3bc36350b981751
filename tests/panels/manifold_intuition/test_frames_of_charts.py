"""Frames over the cached background equal full redraws, and the words fit two lines."""

from __future__ import annotations

import numpy as np
import pytest

import igviz.panels.manifold_intuition as lecture
from igviz.panels.engine.encode import CAPTION_MARGIN, _fonts, _wrapped

PANELS = [lecture.charts, lecture.simplex_and_sphere, lecture.efficiency]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.__name__)
def test_frames_equal_redraws_and_words_fit(panel):
    one, twin = panel(), panel()
    rng = np.random.default_rng(2)
    for _ in range(12):
        place = {}
        for slider in one.definition.sliders:
            ends = (0, slider.count - 1, int(rng.integers(slider.count)))
            place[slider.name] = slider.value(ends[int(rng.integers(3))])
        one.set(**place)
        twin.values = one.values
        assert np.array_equal(twin.pixels(plain=True), one.pixels())
        assert twin.sentence == one.sentence
        assert "nan" not in one.sentence
        assert len(_wrapped(one.sentence, 720 - 2 * CAPTION_MARGIN, _fonts()[0])) <= 2
    assert one._figure().full_draws == 0
    for made in (one, twin):
        made.close()


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.__name__)
def test_every_slider_moves_picture_and_words(panel):
    one = panel()
    for slider in one.definition.sliders:
        words, pictures = set(), set()
        for position in (0, slider.count // 2, slider.count - 1):
            one.reset()
            one.set(**{slider.name: slider.value(position)})
            words.add(one.sentence)
            pictures.add(one.pixels().tobytes())
        assert len(words) > 1
        assert len(pictures) > 1
    one.close()
