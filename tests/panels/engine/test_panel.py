"""A panel as an object of Python: its values, names, scenes, copies, line and errors."""

from __future__ import annotations

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from igviz.panels.engine import Prediction, Slider, panel


def small(**options):
    return panel(size=(320, 200), setup=lambda axes: axes.set(xlim=(-5, 5), ylim=(-5, 5)), **options)


def make(**options):
    @small(**{"a": (-4, 4, 0.5), "b": (0, 4, 1), **options})
    def point(axes, a=1.0, b=2):
        axes.plot([a], [b], "o")
        return f"a is {a:.1f} and b is {b}"

    return point


# -- values --------------------------------------------------------------------------------------------


def test_a_panel_starts_at_the_functions_defaults_and_reads_them_in_words():
    p = make()
    assert p.values == {"a": 1.0, "b": 2}
    assert p.sentence == "a is 1.0 and b is 2"


def test_set_goes_to_the_nearest_grid_point():
    p = make()
    p.set(a=0.3, b=2.6)
    assert p.values == {"a": 0.5, "b": 3}
    p.values = {"a": -4}
    assert p.values == {"a": -4.0, "b": 3}


@pytest.mark.parametrize(
    "given, said",
    [
        ({"a": 4.1}, ["a must be a number from -4 to 4", "got 4.1"]),
        ({"a": float("nan")}, ["a must be", "got nan"]),
        ({"a": "wide"}, ["a must be", "got 'wide'"]),
        ({"a": None}, ["a must be", "got None"]),
        ({"a": True}, ["a must be", "got True"]),
        ({"b": 1, "a": 1j}, ["a must be", "got 1j"]),
        ({"b": 1, "c": 0}, ["no slider 'c'", "a, b"]),
    ],
)
def test_a_bad_value_is_named_and_nothing_moves(given, said):
    p = make()
    for act in (lambda: p.set(**given), lambda: p(**given)):
        with pytest.raises(ValueError) as caught:
            act()
        assert all(words in str(caught.value) for words in ("point", *said))
        assert p.values == {"a": 1.0, "b": 2}


def test_a_copy_starts_elsewhere_and_is_independent():
    p = make()
    q = p(a=-4)
    p.set(b=0)
    assert (p.values, q.values) == ({"a": 1.0, "b": 0}, {"a": -4.0, "b": 2})
    q.set(a=0)
    q.reset()
    assert q.values == {"a": -4.0, "b": 2}
    with pytest.raises(ValueError, match=r"nearest value is 0\.5"):
        p(a=0.4)


def test_the_function_never_sees_old_and_new_values_mixed():
    calls = []

    @small(a=(0, 10, 1), b=(0, 10, 1), scenes={"far": {"a": 8, "b": 9}, "near": {"a": 0, "b": 1}})
    def ordered(axes, a=0, b=1):
        calls.append((a, b))
        assert a < b, "mixed"
        return f"{a} < {b}"

    ordered.widget  # noqa: B018
    calls.clear()
    for act in (
        lambda: ordered.scene("far"),
        lambda: ordered.scene("near"),
        lambda: ordered.set(a=6, b=7),
        lambda: ordered.set(b=3, a=2),
        ordered.reset,
    ):
        act()
    assert calls == [(8, 9), (0, 1), (6, 7), (2, 3), (0, 1)]


# -- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["value", "children", "model_id", "keys", "self", "comm", "frame", "name"])
def test_a_slider_may_have_any_name_that_is_not_an_option_of_panel(name):
    p = small(**{name: (0, 4, 1)})(eval(f"lambda axes, {name}: f'it is {{{name}}}'"))
    p.widget  # noqa: B018
    p.set(**{name: 3})
    assert p.values == {name: 3}
    assert p(**{name: 4}).sentence == "it is 4"


def test_options_of_panel_cannot_be_sliders():
    with pytest.raises(ValueError, match="must have the same names"):
        panel(a=(0, 1), layout=(1, 2))(lambda axes, a, layout: "words")


@pytest.mark.parametrize("name", ["axes", "moving", "result", "progress"])
def test_names_the_engine_passes_itself_are_refused(name):
    with pytest.raises(ValueError, match=f"cannot be called '{name}'"):
        small(**{name: (0, 4, 1)})(eval(f"lambda x, {name}: 'words'"))


@pytest.mark.parametrize(
    "function, sliders",
    [
        (lambda axes, a: "", {"b": (0, 1)}),
        (lambda axes, a, b: "", {"a": (0, 1)}),
        (lambda axes: "", {"a": (0, 1)}),
        (lambda axes, **rest: "", {"a": (0, 1)}),
    ],
)
def test_arguments_and_sliders_must_have_the_same_names(function, sliders):
    with pytest.raises(ValueError, match="must have the same names"):
        panel(**sliders)(function)


def test_there_are_one_to_four_sliders():
    with pytest.raises(ValueError, match="one to 4 sliders, got 0"):
        panel()(lambda axes: "")
    with pytest.raises(ValueError, match="one to 4 sliders, got 5"):
        panel(a=(0, 1), b=(0, 1), c=(0, 1), d=(0, 1), e=(0, 1))(lambda axes, a, b, c, d, e: "")


@pytest.mark.parametrize(
    "options, said",
    [
        ({"play": "c"}, "no slider 'c'"),
        ({"drag": ("a", "c")}, "no slider 'c'"),
        ({"drag": ("a", "b", 1)}, "drag names axes 1"),
        ({"drag": ("a", "b"), "b": ["up", "down"]}, "'b' has words"),
        ({"scenes": {"Far": {"c": 1}}}, "scene 'Far'.*no slider 'c'"),
        ({"scenes": {"Far": {"a": 99}}}, "scene 'Far'.*got 99"),
        ({"predict": Prediction("?", ["a", "b"], at={"c": 1})}, "no slider 'c'"),
        ({"predict": Prediction("?", ["a", "b"], at={"a": 1})}, "another place than the start"),
        ({"widths": (1, 2)}, "widths must have 1 entries"),
    ],
)
def test_options_that_do_not_fit_are_refused_at_construction(options, said):
    with pytest.raises(ValueError, match=said):
        small(**{"a": (0, 4, 1), "b": (0, 4, 1), **options})(lambda axes, a=1, b=None: "words")


# -- scenes, line ------------------------------------------------------------------------------------------


def test_scenes_move_and_what_they_leave_out_goes_to_the_start():
    p = make(scenes={"Left": {"a": -4}, "Up": {"b": 4}})
    p.scene("Left")
    p.scene("Up")
    assert p.values == {"a": 1.0, "b": 4}
    with pytest.raises(ValueError, match="no scene 'Down'; there are: 'Left', 'Up'"):
        p.scene("Down")
    with pytest.raises(ValueError, match="there are: none"):
        make().scene("Down")


def test_the_line_recreates_the_present_state():
    @small(a=(-4, 4, 0.1), n=(1, 5, 1), word=["it's", "b"], scale=list(np.logspace(-2, 2, 5)))
    def many(axes, a=0.0, n=2, word="b", scale=1.0):
        return f"{a} {n} {word} {scale}"

    many.set(a=-2.3, n=4, word="it's", scale=0.1)
    assert many.line == repr(many) == 'many(a=-2.3, n=4, word="it\'s", scale=0.1)'
    again = eval(many.line, {"many": many})
    assert again.values == many.values
    assert again.sentence == many.sentence


def test_the_line_of_a_panel_of_the_collection_names_its_lecture():
    def bells(axes, a=0.5):
        return "words"

    bells.__module__ = "igviz.panels.start_here"
    assert small(a=(0, 1))(bells).line == "ig.panels.start_here.bells(a=0.5)"


def test_the_line_of_a_real_panel_of_the_collection_runs():
    import igviz as ig

    shown = ig.panels.start_here.equal_steps(std=2.0)
    again = eval(shown.line, {"ig": ig})
    assert again.values == shown.values
    assert again.pixels().tobytes() == shown.pixels().tobytes()


def test_a_slider_object_brings_its_own_label_and_start():
    p = make(a=Slider(-4, 4, 0.5, value=3, label="mean of q"))
    assert p.values["a"] == 3.0
    assert p.widget.children[0].children[-1].children[0].description == "mean of q"


# -- figures -------------------------------------------------------------------------------------------------


def test_several_axes_reach_the_function_as_a_tuple_row_by_row():
    def setup(axes):
        for one in axes:
            one.set(xlim=(0, 1), ylim=(0, 1))

    @panel(layout=(2, 2), size=(320, 200), setup=setup, a=(0, 1))
    def four(axes, a):
        axes[1].plot([0, 1], [0, a])
        return f"{len(axes)} axes"

    assert four.sentence == "4 axes"
    with four.drawn() as axes:
        boxes = [one.get_position() for one in axes]
        assert [len(one.lines) for one in axes] == [0, 1, 0, 0]
    assert boxes[0].x0 < boxes[1].x0
    assert boxes[0].y0 > boxes[2].y0


def test_what_drawn_yields_holds_the_artists_and_gives_them_back():
    p = make()
    with p.drawn() as axes:
        assert axes.lines[0].get_xydata().tolist() == [[1.0, 2.0]]
    assert len(axes.lines) == 0


def test_no_pyplot_figure_is_made():
    p = make()
    p._repr_mimebundle_()
    p.set(a=0)
    assert plt.get_fignums() == []
    code = (
        "import sys, igviz as ig\n"
        "p = ig.panel(a=(0, 1))(lambda axes, a: [axes.plot([0, a]), 'words'][1])\n"
        "p._repr_mimebundle_(); p.set(a=1)\n"
        "assert p.sentence == 'words'\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
