"""What holds for the exercises of every lecture, from its table of answers and replies.

A lecture's test module has SOLUTIONS, from key to answer; WRITTEN, from key to a pattern of how the right
answer may be written, which no reply may hold; and REPLIES, triples of key, wrong answer and a part of the
reply. It imports these tests, which read its tables.
"""

from __future__ import annotations

import importlib
import math
import re
from typing import Any

import numpy as np
import pytest

import igviz as ig

GARBAGE = [
    *(None, "text", "", math.nan, math.inf, [1.0, 2.0, 3.0], np.zeros((2, 2))),
    *({}, object(), 1j, True, print, ()),
]
NUMBERS = [*np.geomspace(1e-320, 1e308, 400), *np.linspace(-5.0, 160.0, 3301), *range(161, 401)]


def lecture_of(module: Any) -> Any:
    return importlib.import_module(f"igviz.exercises.{module.__name__.rpartition('.test_')[2]}")


def reply(key: str, answer: Any) -> str:
    return repr(ig.check(key, answer))


def assert_nothing_given_away(written: dict[str, str], key: str, text: str) -> None:
    pattern = rf"(?<![\w.])({written[key]})(?![\w.]*\d)(?!\w)"
    assert not re.search(pattern, text.removeprefix(key)), text


def test_the_keys(request):
    keys = [exercise.key for exercise in lecture_of(request.module).EXERCISES]
    assert keys == [f"{keys[0][:2]}.{number}" for number in range(1, 6)]
    assert list(request.module.SOLUTIONS) == list(request.module.WRITTEN) == keys


def test_stubs_and_solutions(request):
    for key, solution in request.module.SOLUTIONS.items():
        assert reply(key, solution).startswith(f"{key} correct: ")
        stub = reply(key, ...)
        assert stub.startswith(f"{key} not answered yet: put ")
        assert_nothing_given_away(request.module.WRITTEN, key, stub)


def test_a_wrong_answer_gets_the_hint_that_fits(request, wrong):
    key, answer, part = wrong
    text = reply(key, answer)
    assert text.startswith(f"{key} not yet: ")
    assert part in text and "\n" not in text
    assert text == reply(key, answer)
    if "Expected" not in text:  # which says how many, not which
        assert_nothing_given_away(request.module.WRITTEN, key, text)


@pytest.mark.parametrize("answer", GARBAGE, ids=lambda answer: type(answer).__name__)
def test_garbage_is_answered_in_one_kind_line(request, answer):
    for key in request.module.SOLUTIONS:
        text = reply(key, answer)
        assert text.startswith(f"{key} not yet: ")
        assert "\n" not in text and len(text) < 300


def test_every_hint_is_one_line_gives_nothing_away_and_was_met(request):
    heard = [reply(key, answer) for key, answer, _ in request.module.REPLIES]
    for exercise in lecture_of(request.module).EXERCISES:
        for text in [*(miss.text for miss in exercise.near_misses), exercise.otherwise]:
            if isinstance(text, str):
                assert "\n" not in text and "  " not in text and text.endswith((".", "?"))
                assert_nothing_given_away(request.module.WRITTEN, exercise.key, text)
                assert f"{exercise.key} not yet: {text}" in heard, text


def test_no_right_answer_is_taken_for_a_mistake_and_no_number_breaks_a_check(request):
    for exercise in lecture_of(request.module).EXERCISES:
        value = exercise.read(request.module.SOLUTIONS[exercise.key])
        fitting = [miss.text for miss in exercise.near_misses if miss.matches(value)]
        assert all("Very near" in text for text in fitting) or callable(
            request.module.SOLUTIONS[exercise.key]
        )
        if isinstance(value, float):
            for number in NUMBERS:
                feedback = ig.check(exercise.key, float(number))
                if not feedback.correct:
                    assert_nothing_given_away(request.module.WRITTEN, exercise.key, repr(feedback))
