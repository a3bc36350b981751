"""What every panel of the collection must do, asked of one at a few places; and words that fit two lines."""

from __future__ import annotations

import numpy as np

from igviz.panels.engine import Panel
from igviz.panels.engine.encode import CAPTION_MARGIN, _fonts, _wrapped
from tests.panels import test_collection


def check(panel: Panel) -> None:
    test_collection.test_every_slider_moves_the_picture_and_the_words(panel)
    test_collection.test_a_panel_has_scenes_and_says_what_it_is(panel)
    rng, one, twin = np.random.default_rng(3), panel(), panel()
    sliders = one.definition.sliders
    for round_ in range(24):
        ends = rng.random(len(sliders)) < 0.3
        places = [rng.choice([0, slider.count - 1]) if end else rng.integers(slider.count)
                  for slider, end in zip(sliders, ends, strict=True)]  # fmt: skip
        one.set(**{slider.name: slider.value(int(at)) for slider, at in zip(sliders, places, strict=True)})
        words = one.sentence
        assert "nan" not in words
        assert len(_wrapped(words, 720 - 2 * CAPTION_MARGIN, _fonts()[0])) <= 2, words
        if round_ % 3 == 0:
            twin.values = one.values
            assert twin.sentence == words
            assert np.array_equal(twin.pixels(plain=True), one.pixels()), "a frame depends on the one before"
    assert one._figure().full_draws == 0, "a frame could not use the cached background"
    assert len(one._repr_mimebundle_()[0]["image/png"]) < 60_000
    for made in (one, twin):
        made.close()
