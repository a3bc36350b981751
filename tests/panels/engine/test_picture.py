"""The live view: one change is one frame, one message holds all of it, and nothing dies silently."""

from __future__ import annotations

import io

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from igviz.panels.engine import encode, panel, projector
from igviz.panels.engine.controls import every_widget

SIZE = (320, 200)


def setup(axes):
    axes.set(xlim=(-5, 5), ylim=(-5, 5))


def make(**options):
    @panel(
        **{
            "size": SIZE,
            "setup": setup,
            "a": (-3, 3, 0.05),
            "b": (0, 4, 1),
            "c": ["x", "y"],
            "scenes": {"Far": {"a": 3, "b": 4, "c": "y"}},
            **options,
        }
    )
    def point(axes, a=1.0, b=2, c="x"):
        if b == 3:
            raise ArithmeticError("no picture\nwith three")
        axes.plot([a], [b], "o", ms=9)
        return f"a is {a:.2f}, b is {b}, c is {c}"

    return point


def inputs(p):
    return p.widget.children[0].children[-1].children


def button(p, label):
    return next(
        one
        for one in every_widget(p.widget)
        if isinstance(one, ipywidgets.Button) and one.description == label
    )


def decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.fixture
def shown(wire):
    """A panel in the page, its first messages forgotten."""
    p = make()
    p.widget  # noqa: B018
    wire.clear()
    return p


# -- one change, one frame --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        lambda p: p.set(a=2, b=4, c="y"),
        lambda p: p.scene("Far"),
        lambda p: setattr(p, "values", {"a": 0, "b": 0}),
        lambda p: button(p, "Far").click(),
        lambda p: setattr(inputs(p)[0], "value", 0.5),
        lambda p: setattr(inputs(p)[2], "index", 1),
    ],
)
def test_any_change_is_one_frame_in_one_message(act, shown, wire):
    picture = shown.widget.picture
    before, old = picture.serial, picture.frame
    act(shown)
    (update,) = wire.updates(picture)
    assert picture.serial == before + 1
    assert update["serial"] == before + 1
    assert update["sentence"] == shown.sentence
    assert update["line"] == shown.line
    assert update["frame"] == picture.frame != old
    assert np.abs(decoded(update["frame"]).astype(float) - shown.pixels()[..., :3]).mean() < 2
    wire.clear()
    shown.reset()
    assert picture.serial == before + 2
    assert len(wire.updates(picture)) == 1


@pytest.mark.parametrize(
    "act",
    [
        lambda p: p.set(),
        lambda p: p.set(a=1.01),
        lambda p: p.reset(),
        lambda p: button(p, "Reset").click(),
    ],
)
def test_a_change_of_nothing_is_no_frame_but_an_answer(act, shown, wire):
    act(shown)
    assert wire.updates(shown.widget.picture) == []
    assert wire.custom(shown.widget.picture) == [{"kind": "settled"}]


def test_the_controls_show_what_the_panel_says(shown):
    shown.set(a=-3, b=4, c="y")
    assert [inputs(shown)[0].value, inputs(shown)[1].value, inputs(shown)[2].index] == [-3.0, 4, 1]


def test_a_value_off_the_grid_is_sent_back_to_it(shown, wire):
    wire.page(inputs(shown)[0], value=0.512)
    assert shown.values["a"] == 0.5
    assert wire.updates(inputs(shown)[0]) == [{"value": 0.5}]


@pytest.mark.parametrize("value, meant", [(0.30000000000000004, 0.3), (-3 + 61 * 0.05, 0.05)])
def test_a_rounding_error_of_the_page_is_not_sent_back(value, meant, shown, wire):
    """It would overtake the reader's next key press."""
    wire.page(inputs(shown)[0], value=value)
    assert shown.values["a"] == meant
    assert wire.updates(inputs(shown)[0]) == []
    assert len(wire.updates(shown.widget.picture)) == 1


# -- at rest, sizes ----------------------------------------------------------------------------------------


def test_a_jpeg_while_moving_and_a_png_of_the_same_buffer_at_rest(shown, wire):
    picture = shown.widget.picture
    shown.set(a=2)
    assert picture.mime == "image/jpeg"
    moving = picture.frame
    wire.clear()
    wire.say(picture, kind="rest", serial=picture.serial)
    (update,) = wire.updates(picture)
    assert update["mime"] == "image/png"
    assert "serial" not in update, "the same frame, only finer"
    buffer = decoded(update["frame"])
    assert np.array_equal(buffer, shown.pixels()[..., :3])
    assert moving == encode.jpeg(np.dstack([buffer, np.full(SIZE[::-1], 255, np.uint8)]))


@pytest.mark.parametrize("content", [{"kind": "rest", "serial": 1}, {"kind": "rest"}, {"kind": "other"}])
def test_a_stale_or_strange_request_is_ignored(content, shown, wire):
    shown.set(a=2)
    shown.set(a=3)
    wire.clear()
    wire.say(shown.widget.picture, **content)
    assert wire.sent == []


def test_a_function_that_asks_is_told_whether_it_moves(wire):
    calls = []

    @panel(size=SIZE, setup=setup, a=(0, 4, 1))
    def coarse(axes, a, moving):
        calls.append(moving)
        axes.plot(np.linspace(0, a, 3 if moving else 30), np.linspace(0, a, 3 if moving else 30) ** 2)
        return f"a is {a}"

    picture = coarse.widget.picture
    coarse.set(a=3)
    assert calls == [False, True]
    serial = picture.serial
    wire.say(picture, kind="rest", serial=serial)
    assert calls == [False, True, False]
    assert (picture.mime, picture.serial) == ("image/png", serial)
    assert np.array_equal(decoded(picture.frame), coarse.pixels()[..., :3])


def pixels_of(picture):
    height, width, _ = decoded(picture.frame).shape
    return width, height


@pytest.mark.parametrize("size", [(320, 200), (333, 217), (720, 360)])
@pytest.mark.parametrize("density, counted", [(1, 1), (1.25, 1.25), (4 / 3, 4 / 3), (2, 2), (3, 2), (0.5, 1)])
def test_the_buffer_has_as_many_dots_as_the_page_shows(size, density, counted, wire):
    p = make(size=size)
    picture = p.widget.picture
    before = picture.serial
    wire.page(picture, density=density)
    assert (picture.width, picture.height) == size
    assert pixels_of(picture) == (round(size[0] * counted), round(size[1] * counted))
    assert picture.serial == before + (density != 1)


def test_the_projector_draws_open_and_new_panels_larger(wire):
    p = make(size=(720, 360))
    picture = p.widget.picture
    still = p.pixels()
    projector()
    assert (picture.width, picture.height) == (1102, 551)
    assert pixels_of(picture) == (1102, 551)
    wire.page(picture, density=2)
    assert pixels_of(picture) == (2204, 1102)
    new = make(size=(720, 360)).widget.picture
    assert new.projector
    assert pixels_of(new) == (1102, 551)
    projector(False)
    assert (picture.width, picture.height) == (720, 360)
    assert pixels_of(new) == (720, 360)
    assert np.array_equal(p.pixels(), still), "what is stored does not know of the projector"
    wire.page(new, projector=True)
    assert (pixels_of(new), picture.width) == ((1102, 551), 720), "the button of one panel is its own"


# -- two views, two panels --------------------------------------------------------------------------------


def test_one_panel_shown_twice_is_one_widget_and_two_copies_are_two(wire):
    p = make()
    first, second = p._repr_mimebundle_()[0], p._repr_mimebundle_()[0]
    assert first == second
    other = p(a=2)
    view = "application/vnd.jupyter.widget-view+json"
    assert other._repr_mimebundle_()[0][view] != first[view]
    p.set(b=0)
    assert other.values["b"] == 2
    assert other.widget.picture.sentence == "a is 2.00, b is 2, c is x"


# -- trouble ------------------------------------------------------------------------------------------------


def test_a_function_that_raises_is_one_line_and_the_last_good_picture_stays(shown, wire):
    picture = shown.widget.picture
    shown.set(a=2)
    good = picture.frame, picture.sentence, picture.serial, picture.line
    wire.clear()
    shown.set(b=3)
    assert picture.problem == "ArithmeticError: no picture with three"
    assert (picture.frame, picture.sentence, picture.serial, picture.line) == good
    assert wire.updates(picture) == [{"problem": picture.problem}]
    wire.clear()
    shown.set(a=1)
    assert wire.updates(picture) == []
    assert wire.custom(picture) == [{"kind": "settled"}], "the same trouble again is still an answer"
    shown.set(b=4)
    assert (picture.problem, picture.sentence) == ("", "a is 1.00, b is 4, c is x")


def test_an_error_at_the_first_draw_is_an_error_of_the_cell_and_leaves_no_widget(wire):
    before = dict(ipywidgets.widgets.widget._instances)
    p = make()(b=3)
    for _ in range(2):
        with pytest.raises(ArithmeticError):
            p._repr_mimebundle_()
    assert ipywidgets.widgets.widget._instances == before
    p.set(b=0)
    assert p._repr_mimebundle_()[0]["text/plain"] == "a is 1.00, b is 0, c is x"


# -- drag, Play ----------------------------------------------------------------------------------------------


def test_a_drag_moves_both_sliders_in_one_frame_and_is_clipped(wire):
    p = make(drag=("a", "b"))
    picture = p.widget.picture
    left, top, right, bottom = picture.area
    assert 0 < left < right < 1
    assert 0 < top < bottom < 1
    across, down = picture.handle
    assert across == pytest.approx(left + (1 + 5) / 10 * (right - left))
    assert down == pytest.approx(bottom - (2 + 5) / 10 * (bottom - top))
    wire.clear()
    wire.page(picture, pointer=[left + 0.7 * (right - left), bottom - 0.9 * (bottom - top), 1])
    assert (p.values["a"], p.values["b"]) == (2.0, 4)
    assert len(wire.updates(picture)) == 1
    wire.page(picture, pointer=[7.0, 7.0, 2])
    assert (p.values["a"], p.values["b"]) == (3.0, 0)
    wire.clear()
    wire.page(picture, pointer=[7.0, 7.5, 3])
    assert wire.custom(picture) == [{"kind": "settled"}]
    wire.page(picture, pointer=[float("nan"), 0.5, 4])
    wire.page(picture, pointer=[])
    assert p.values["a"] == 3.0


def test_a_drag_in_the_second_axes_reads_its_coordinates(wire):
    def both(axes):
        axes[0].set(xlim=(0, 1), ylim=(0, 1))
        axes[1].set(xlim=(0.1, 100), xscale="log", ylim=(0, 4))

    @panel(layout=(1, 2), size=(480, 200), setup=both, drag=("a", "b", 1), a=[0.1, 1, 10, 100], b=(0, 4, 1))
    def point(axes, a=1, b=2):
        axes[1].plot([a], [b], "o")
        return f"a is {a}, b is {b}"

    picture = point.widget.picture
    left, top, right, bottom = picture.area
    assert left > 0.5
    wire.page(picture, pointer=[left + (right - left) * 2 / 3, (top + bottom) / 2, 1])
    assert point.values == {"a": 10, "b": 2}


def test_play_moves_its_slider_follows_it_and_stops_at_reset(wire):
    p = make(play="b")
    picture = p.widget.picture
    (play,) = [one for one in every_widget(p.widget) if isinstance(one, ipywidgets.Play)]
    assert (play.min, play.max, play.value) == (0, 4, 2)
    wire.clear()
    wire.page(play, playing=True)
    wire.page(play, value=4)
    assert p.values["b"] == 4
    assert inputs(p)[1].value == 4
    assert len(wire.updates(picture)) == 1
    p.set(b=1)
    assert play.value == 1
    assert len(wire.updates(picture)) == 2
    assert play.playing
    p.reset()
    assert not play.playing
    assert (play.value, p.values["b"]) == (2, 2)
    wire.page(play, value=4)  # a step that the page sent before it heard of Reset
    assert (play.value, p.values["b"]) == (2, 2)


def test_what_the_page_only_sends_back_moves_nothing(wire):
    p = make()
    slider, picture = inputs(p)[0], p.widget.picture
    grid = p.definition.sliders[0]
    there, here = grid.value(3), grid.value(1)
    p.set(a=there)
    p.set(a=here)
    wire.clear()
    # the page rounds both to floats of its own and reports them, the older one after the newer was set
    wire.page(slider, value=np.nextafter(there, np.inf))
    assert p.values["a"] == here
    assert slider.value == here
    wire.page(slider, value=np.nextafter(here, np.inf))
    assert p.values["a"] == here
    assert [update for update in wire.updates(picture) if "frame" in update["state"]] == []
    # the same value is a reader's move once nothing of ours is under way
    wire.page(slider, value=np.nextafter(there, np.inf))
    assert p.values["a"] == there


def test_a_scene_stops_play(wire):
    p = make(play="a")
    (play,) = [one for one in every_widget(p.widget) if isinstance(one, ipywidgets.Play)]
    play.playing = True
    p.scene("Far")
    assert not play.playing
    assert play.value == 120
    assert 40 <= play.interval <= 600


def test_the_page_finds_the_classes_it_looks_for(shown):
    assert "igviz-panel" in shown.widget._dom_classes
    assert shown.widget.picture.control_ids == [one.model_id for one in inputs(shown)]
    assert shown.widget.picture.own_id == shown.widget.picture.model_id
