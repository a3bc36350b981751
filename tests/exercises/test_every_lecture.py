"""What holds for the exercises of every lecture, from its table of answers and replies.

The test module of a lecture has SOLUTIONS, from key to answer; WRITTEN, from key to a pattern of how the
right answer may be written, which no reply may hold; and REPLIES, triples of key, wrong answer and a part of
the reply.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import igviz as ig
from igviz.exercises import LECTURES
from tests.exercises.replies import GARBAGE, assert_nothing_given_away, reply

TABLES = {name: importlib.import_module(f"tests.exercises.test_{name}") for name in LECTURES.values()}
NUMBERS = [*np.geomspace(1e-320, 1e308, 400), *np.linspace(-5.0, 160.0, 3301), *range(161, 401)]
WRONG = [
    pytest.param(table, wrong, id=f"{wrong[0]}-{wrong[2][:40]}")
    for table in TABLES.values()
    for wrong in table.REPLIES
]
for_lectures = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


def lecture_of(table: Any) -> Any:
    return importlib.import_module(f"igviz.exercises.{table.__name__.rpartition('.test_')[2]}")


@for_lectures
def test_the_keys(table):
    keys = [exercise.key for exercise in lecture_of(table).EXERCISES]
    assert keys == [f"{keys[0][:2]}.{number}" for number in range(1, 6)]
    assert list(table.SOLUTIONS) == list(table.WRITTEN) == keys


@for_lectures
def test_stubs_and_solutions(table):
    for key, solution in table.SOLUTIONS.items():
        assert reply(key, solution).startswith(f"{key} correct: ")
        stub = reply(key, ...)
        assert stub.startswith(f"{key} not answered yet: put ")
        assert_nothing_given_away(table.WRITTEN, key, stub)


@pytest.mark.parametrize(("table", "wrong"), WRONG)
def test_a_wrong_answer_gets_the_hint_that_fits(table, wrong):
    key, answer, part = wrong
    text = reply(key, answer)
    assert text.startswith(f"{key} not yet: ")
    assert part in text and "\n" not in text
    assert text == reply(key, answer)
    if "Expected" not in text:  # which says how many, not which
        assert_nothing_given_away(table.WRITTEN, key, text)


@for_lectures
@pytest.mark.parametrize("answer", GARBAGE, ids=lambda answer: type(answer).__name__)
def test_garbage_is_answered_in_one_kind_line(table, answer):
    for key in table.SOLUTIONS:
        text = reply(key, answer)
        assert text.startswith(f"{key} not yet: ")
        assert "\n" not in text and len(text) < 300


@for_lectures
def test_every_hint_is_one_line_gives_nothing_away_and_was_met(table):
    heard = [reply(key, answer) for key, answer, _ in table.REPLIES]
    for exercise in lecture_of(table).EXERCISES:
        for text in [*(miss.text for miss in exercise.near_misses), exercise.otherwise]:
            if isinstance(text, str):
                assert "\n" not in text and "  " not in text and text.endswith((".", "?"))
                assert_nothing_given_away(table.WRITTEN, exercise.key, text)
                assert f"{exercise.key} not yet: {text}" in heard, text


@for_lectures
def test_no_right_answer_is_taken_for_a_mistake_and_no_number_breaks_a_check(table):
    for exercise in lecture_of(table).EXERCISES:
        value = exercise.read(table.SOLUTIONS[exercise.key])
        fitting = [miss.text for miss in exercise.near_misses if miss.matches(value)]
        assert all("Very near" in text for text in fitting) or callable(table.SOLUTIONS[exercise.key])
        if isinstance(value, float):
            for number in NUMBERS:
                feedback = ig.check(exercise.key, float(number))
                if not feedback.correct:
                    assert_nothing_given_away(table.WRITTEN, exercise.key, repr(feedback))
