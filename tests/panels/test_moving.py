"""While a slider moves a picture may be coarser; what it says is what it says at rest."""

from __future__ import annotations

import numpy as np
import pytest

from tests.panels.test_collection import PANELS

MOVING = [one for one in PANELS if "moving" in one.values[0].definition.special]


def places(panel, count):
    rng = np.random.default_rng(3)
    for _ in range(count):
        yield {one.name: one.value(int(rng.integers(one.count))) for one in panel.definition.sliders}


@pytest.mark.parametrize("panel", MOVING)
def test_the_sentence_is_that_of_the_picture_at_rest(panel):
    one = panel()
    if one.definition.work is not None:
        one.compute()
    geodesic = panel.__name__ == "geodesic"
    for place in places(one, 5 if geodesic else 20):
        one.set(**place)
        with one.drawn():  # first, for `collapse` says once that it has to train a model
            rest = one.sentence
        with one.drawn(moving=True):
            moving = one.sentence
        if geodesic:  # of a curve found in a tenth of the time the length is another
            moving, rest = (said.partition(", geodesic ")[0] for said in (moving, rest))
        assert moving == rest
    one.close()


def test_some_panels_are_coarser_while_they_move():
    assert len(MOVING) >= 4
