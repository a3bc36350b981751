"""A panel looks the same whatever a reader has set in Matplotlib and NumPy, and leaves it as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib
import matplotlib.style
import numpy as np
import pytest

import igviz as ig
from igviz.panels.engine import Panel
from igviz.plots.settings import OWN, own_settings
from tests.panels.test_collection import PANELS


def rc(**values: Any) -> Callable[[], None]:
    settings = {name.replace("_", ".", 1): value for name, value in values.items()}
    return lambda: matplotlib.rcParams.update(settings)


SETTINGS: dict[str, Callable[[], Any]] = {
    "TeX without LaTeX": rc(text_usetex=True),
    "warnings as errors": lambda: np.seterr(all="raise"),
    "a style for talks": lambda: matplotlib.style.use("seaborn-v0_8-talk"),
    "serif": rc(font_family="serif", mathtext_fontset="cm"),
    "hand-drawn": rc(path_sketch=(1, 100, 2), lines_linewidth=2.0, axes_unicode_minus=False),
    "hinting": rc(text_hinting="no_autohint", text_antialiased=False),
}


@pytest.fixture(autouse=True)
def reader() -> Iterator[None]:
    """A reader whose settings nobody else meets."""
    with np.errstate(), matplotlib.rc_context():
        yield


def looks(panel: Panel) -> list[Any]:
    """Return picture and words of a new copy at its start, and with its first slider at the end."""
    one, slider = panel(), panel.definition.sliders[0]
    seen = [one.pixels(), one.sentence]
    one.set(**{slider.name: slider.value(slider.count - 1)})
    seen += [one.pixels(), one.sentence]
    one.close()
    return seen


def assert_untouched_by(panel: Panel, *chosen: Callable[[], Any]) -> None:
    wanted = looks(panel)
    for choose in chosen:
        choose()
    before = dict(dict.items(matplotlib.rcParams)), np.geterr()
    for got, want in zip(looks(panel), wanted, strict=True):
        assert np.array_equal(got, want)
    assert (dict(dict.items(matplotlib.rcParams)), np.geterr()) == before


@pytest.mark.parametrize("panel", PANELS)
def test_all_settings_together_change_no_pixel_and_break_no_frame(panel: Panel) -> None:
    assert_untouched_by(panel, *SETTINGS.values())


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_alone_changes_no_pixel(name: str) -> None:
    assert_untouched_by(ig.panels.start_here.equal_steps, SETTINGS[name])


def test_a_still_picture_looks_the_same_too() -> None:
    wanted = ig.course_map().png()
    for choose in SETTINGS.values():
        with np.errstate(), matplotlib.rc_context():
            choose()
            assert ig.course_map().png() == wanted


def test_what_a_reader_sets_while_a_frame_is_drawn_stays() -> None:
    matplotlib.rcParams["font.size"] = 20.0
    matplotlib.rcParams["lines.linewidth"] = 5.0

    def sets() -> None:
        matplotlib.rcParams["font.size"] = 7.0

    with own_settings():
        assert matplotlib.rcParams["font.size"] == OWN["font.size"] == 10.0
        reader = threading.Thread(target=sets)
        reader.start()
        reader.join()
    assert matplotlib.rcParams["font.size"] == 7.0
    assert matplotlib.rcParams["lines.linewidth"] == 5.0


def test_settings_come_back_after_an_error() -> None:
    matplotlib.rcParams["font.size"] = 20.0

    @ig.panel(a=(0, 1))
    def fails(axes: Any, a: float = 0.0) -> str:
        raise FloatingPointError("no")

    with pytest.raises(FloatingPointError, match="no"):
        fails.pixels()
    assert matplotlib.rcParams["font.size"] == 20.0
