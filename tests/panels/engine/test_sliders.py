"""A slider is a finite grid with names and ends; whatever is off it is said to be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igviz.panels.engine import Prediction, Slider, panel
from igviz.panels.engine.sliders import slider


def grid(given, start=None, name="std"):
    return slider(name, given, start)


def values(one):
    return [one.value(k) for k in range(one.count)]


@pytest.mark.parametrize(
    "given, step, count, decimals",
    [
        ((0, 1), 0.01, 101, 2),
        ((-3, 3), 0.05, 121, 2),
        ((0.2, 3), 0.02, 141, 2),
        ((0, 1000), 10, 101, 0),
        ((0, 1e-6), 1e-8, 101, 8),
        ((-0.5, 0.25, 0.25), 0.25, 4, 2),
        ((0.125, 1.125, 0.5), 0.5, 3, 3),
    ],
)
def test_steps_are_nice_decimals_and_the_grid_hits_both_ends(given, step, count, decimals):
    one = grid(given)
    assert (one.step, one.count, one.decimals) == (step, count, decimals)
    assert (one.value(0), one.value(one.count - 1)) == given[:2]
    assert one.default == count // 2


def test_grid_values_are_the_floats_a_reader_would_type():
    one = grid((-3, 3, 0.05))
    assert values(one) == [float(f"{-3 + 0.05 * k:.2f}") for k in range(121)]
    assert -3 + 61 * 0.05 not in values(one), "the naive sum misses it"


def test_whole_ends_and_step_give_whole_values_even_from_numpy():
    assert values(grid((1, 5, 2))) == [1, 3, 5]
    assert {type(value) for value in values(grid((np.int64(1), 5, np.int64(2))))} == {int}
    assert {type(value) for value in values(grid((0, 5, 2.5)))} == {float}


def test_choices_keep_their_values_and_their_order():
    one = grid([0.01, 10, 0.1, 1], 0.1)
    assert values(one) == [0.01, 10, 0.1, 1]
    assert one.default == 2
    assert one.position(0.09) == 2
    assert grid(["a", "b"]).default == 0


def test_choices_from_numpy_become_plain_python():
    one = grid(list(np.array([0.5, 0.25])), 0.25)
    assert [repr(value) for value in values(one)] == ["0.5", "0.25"]


def test_choices_read_apart():
    one = grid([0.1234567, 0.1234568, 1234567, 1e-3])
    assert [one.text(k) for k in range(4)] == ["0.1234567", "0.1234568", "1234567", "0.001"]


@pytest.mark.parametrize(
    "given, said",
    [
        ((0, math.nan), "stop must be a finite number, got nan"),
        ((0, math.inf), "stop must be a finite number, got inf"),
        (("0", 1), "start must be a finite number, got '0'"),
        ((True, 2), "start must be a finite number, got True"),
        ((1, 1), "start must be below stop, got 1 and 1"),
        ((2, 1), "start must be below stop, got 2 and 1"),
        ((0, 1, 0), "step must be a positive number, got 0"),
        ((0, 1, -0.1), "step must be a positive number, got -0.1"),
        ((0, 1, 0.3), "step must divide stop - start"),
        ((0, 1, 1e-7), "at most 100000 steps"),
        ([1], "at least two different values"),
        ([1, 1], "at least two different values"),
        ("words", "a slider is"),
        ((1,), "a slider is"),
        (3, "a slider is"),
    ],
)
def test_what_makes_no_grid_is_refused_by_name(given, said):
    with pytest.raises(ValueError, match=r"^std: ") as caught:
        grid(given)
    assert said in str(caught.value)


def test_a_slider_takes_choices_or_ends():
    with pytest.raises(ValueError, match="not both"):
        Slider(0, 1, choices=[1, 2])


def test_a_name_at_the_head_of_the_message_is_still_given():
    with pytest.raises(ValueError, match=r"^S: Slider: start"):
        grid((2, 1), name="S")


@pytest.mark.parametrize(
    "given, start, said",
    [
        ((0, 1), 0.123, ["std", "0.123", "steps of 0.01", "nearest value is 0.12"]),
        ((0, 1), 2, ["std", "from 0 to 1", "got 2"]),
        ((1, 9, 2), 4, ["std", "steps of 2", "got 4"]),
        ([1, 2], 1.4, ["std", "1, 2", "got 1.4"]),
        (["a", "b"], "c", ["std", "'a', 'b'", "got 'c'"]),
    ],
)
def test_a_start_off_the_grid_is_refused_with_name_value_and_neighbour(given, start, said):
    with pytest.raises(ValueError) as caught:
        grid(given, start)
    assert all(words in str(caught.value) for words in said)


@pytest.mark.parametrize(
    "options",
    [
        {"scenes": {"Wide": {"std": 0.123}}},
        {"predict": Prediction("Where?", ["a", "b"], at={"std": 0.123})},
        {"std": Slider(0, 1, value=0.123)},
    ],
)
def test_scenes_predictions_and_starts_must_lie_on_the_grid(options):
    with pytest.raises(ValueError, match=r"0\.123.*nearest value is 0\.12"):
        panel(**{"std": (0, 1)} | options)(lambda axes, std: "words")


@settings(max_examples=25, derandomize=True, deadline=None, database=None)
@given(st.integers(-500, 500), st.integers(1, 300), st.sampled_from([1, 2, 5]), st.integers(-4, 2), st.data())
def test_every_value_of_a_grid_finds_its_own_place(first, steps, digit, power, data):
    step = float(f"{digit}e{power}")
    start, stop = float(f"{first * digit}e{power}"), float(f"{(first + steps) * digit}e{power}")
    one = grid((start, stop, step))
    position = data.draw(st.integers(0, one.count - 1))
    assert one.exactly(one.value(position)) == position
    assert one.nearest(one.value(position) + 0.4 * step) == position
    assert one.position(start + position * step if start + position * step <= stop else stop) == position
    assert float(one.text(position)) == one.value(position)
    assert (one.nearest(-math.inf), one.nearest(math.inf)) == (0, one.count - 1)
