"""The exercises of lecture 01: stub, solution, the mistakes one makes, and what is no answer at all."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import sympy
from scipy.special import ndtr
from scipy.stats import norm

import igviz as ig
from igviz.exercises import manifold_intuition as lecture

KEYS = [exercise.key for exercise in lecture.EXERCISES]
ROOT = math.sqrt(2)


def right(mean1, std1, mean2, std2):
    """The solution as in the notebook."""
    x = ((mean1 - mean2) ** 2 / 2 + (std1 - std2) ** 2) / (2 * std1 * std2)
    return ROOT * np.arccosh(1 + x)


def exact(mean1, std1, mean2, std2):
    x = ((mean1 - mean2) ** 2 / 2 + (std1 - std2) ** 2) / (2 * std1 * std2)
    return 2 * ROOT * np.arcsinh(np.sqrt(x / 2))


SOLUTIONS = {
    "01.1": ROOT * np.arccosh(1 + (2**2 / 2) / 2),
    "01.2": 3.0,
    "01.3": right,
    "01.4": 87,
    "01.5": (2.0, math.sqrt(5.0)),
}
# how the right numbers may be written
WRITTEN = {
    "01.1": r"1\.86\d*|1\.9",
    "01.2": r"3(\.0*)?|three",
    "01.3": "arcsinh",
    "01.4": r"87(\.0*)?|eighty-seven",
    "01.5": r"2(\.0*)?|2\.23\d*|2\.24|√5|5",
}


def said(key, answer):
    return repr(ig.check(key, answer))


def assert_nothing_given_away(key, text):
    assert not re.search(rf"(?<![\w.])({WRITTEN[key]})(?![\w.]*\d)(?!\w)", text.removeprefix(key)), text


def test_the_keys():
    assert " ".join(KEYS) == "01.1 01.2 01.3 01.4 01.5"
    assert set(SOLUTIONS) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_stub(key):
    text = said(key, ...)
    assert text.startswith(f"{key} not answered yet: put ")
    assert_nothing_given_away(key, text)


@pytest.mark.parametrize("key", KEYS)
def test_the_solution(key):
    feedback = ig.check(key, SOLUTIONS[key])
    assert feedback.correct
    assert repr(feedback).startswith(f"{key} correct: ")


def test_solutions_from_igviz():
    p, q = ig.Normal(0, 1), ig.Normal(4, 1)
    assert ig.check("01.1", ig.fisher_rao_distance(p, ig.Normal(2, 1))).correct
    assert ig.check(
        "01.3", lambda a, b, c, d: ig.fisher_rao_distance(ig.Normal(a, b), ig.Normal(c, d))
    ).correct
    n = np.arange(1, 1000)
    assert ig.check("01.4", n[ig.bayes_error(ig.Normal(0, 1), ig.Normal(0.5, 1), n) < 0.01][0]).correct
    assert ig.check("01.5", ig.geodesic(p, q, "expectation")(0.5)).correct
    assert ig.check("01.5", ig.geodesic(p, q, "expectation")(0.5).source).correct


def test_the_right_numbers_from_elsewhere():
    n = np.arange(1, 1000)
    bayes = 0.5 * (norm.sf(0.25, scale=1 / np.sqrt(n)) + norm.cdf(0.25, loc=0.5, scale=1 / np.sqrt(n)))
    assert n[bayes < 0.01][0] == SOLUTIONS["01.4"]
    mixture = np.repeat([0.0, 4.0], 2) + np.tile([-1.0, 1.0], 2)  # has the moments of the even mixture
    np.testing.assert_allclose((mixture.mean(), mixture.std()), SOLUTIONS["01.5"])
    s = SOLUTIONS["01.2"]
    np.testing.assert_allclose(right(0, s, 3, s), right(0, 1, 1, 1))


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("01.1", 1.8625),
        ("01.1", ROOT * sympy.acosh(2)),
        ("01.2", np.int64(3)),
        ("01.2", np.array([3.0])),
        ("01.4", 87.0),
        ("01.4", np.int64(87)),
        ("01.5", [2, 2.236]),
        ("01.5", np.array([2.0, 5**0.5])),
        ("01.5", (2, sympy.sqrt(5))),
    ],
)
def test_the_solution_in_other_clothes(key, answer):
    assert ig.check(key, answer).correct


NEAR_MISSES = [
    ("01.1", np.arccosh(2), "without the factor √2"),
    ("01.1", 1.32, "without the factor √2"),
    ("01.1", ROOT * np.arccosh(3), "A factor ½ is missing"),
    ("01.1", np.arccosh(3), "plain hyperbolic distance"),
    ("01.1", 2, "length of the straight path"),
    ("01.1", 2 * np.arccosh(2) ** 2, "square of the distance"),
    ("01.1", ROOT * 2, "arccosh has not been taken"),
    ("01.1", np.sqrt(2 * np.arccosh(2)), "The root is that of two alone"),
    ("01.1", 1.87, "carry more digits"),
    ("01.1", -1.8625, "is positive"),
    ("01.1", 0.3, "Put the four parameters into"),
    ("01.2", 9, "This is the variance; the std is asked for"),
    ("01.2", 1.732, "used the variance where the std belongs"),
    ("01.2", 1 / 3, "upside down"),
    ("01.2", 1, "With the std unchanged"),
    ("01.2", -3, "A std is positive"),
    ("01.2", 0, "A std is positive"),
    ("01.2", 2, "apart, the first 0.9803: widen the second"),
    ("01.2", 5.5, "apart, the first 0.9803: narrow the second"),
    ("01.2", 1e300, "The size is far off"),
    ("01.2", 1e-300, "The size is far off"),
    ("01.4", 148, "slope alone"),
    ("01.4", -32 * np.log(0.01), "slope alone"),
    ("01.4", 126, "bound ½·exp(−nC)"),
    ("01.4", 37, "uses KL as the exponent"),
    ("01.4", 22, "A ½ is missing"),
    ("01.4", 107, "adds the two kinds of error"),
    ("01.4", 10, "square root is missing"),
    ("01.4", 27, "the n for 10 %"),
    ("01.4", 86.59, "Samples come whole"),
    ("01.4", 60.5, "n is the smallest whole number"),
    ("01.4", 86, "Rounded the wrong way"),
    ("01.4", 88, "fewer would do"),
    ("01.4", 60, f"{100 * ndtr(-np.sqrt(60) / 4):.2f} %, still above 1 %"),
    ("01.4", 10**6, "less than 0.01 %: fewer would do"),
    ("01.4", 0, "At least one sample"),
    ("01.4", -87, "At least one sample"),
    ("01.5", (2, 1), "midpoint of the straight line in (mean, std), and of the e-geodesic"),
    ("01.5", (2, 5), "variance where the std belongs"),
    ("01.5", (2, math.sqrt(3)), "midpoint of the Fisher–Rao geodesic"),
    ("01.5", (2, 9), "These are the expectation coordinates"),
    ("01.5", (2, 3), "squared mean has not been subtracted"),
    ("01.5", (2, math.sqrt(7)), "where its square belongs"),
    ("01.5", (math.sqrt(5), 2), "swapped"),
    ("01.5", (2, 2.25), "carry more digits"),
    ("01.5", (1, math.sqrt(5)), "The mean is not right yet"),
    ("01.5", (2, -1), "A std is positive"),
    ("01.5", (2, 40), "The mean is right, the std is not yet"),
    ("01.5", 2, "Expected the 2 numbers (mean, std), got one number"),
    ("01.5", ig.Normal([2, 2], 1), "Expected the 2 numbers"),
]


@pytest.mark.parametrize(("key", "answer", "hint"), NEAR_MISSES)
def test_a_near_miss_gets_the_hint_that_fits(key, answer, hint):
    text = said(key, answer)
    assert text.startswith(f"{key} not yet: ")
    assert hint in text
    if "Expected the 2 numbers" not in text:  # which says how many, not which
        assert_nothing_given_away(key, text)


def x(m1, s1, m2, s2, half=0.5, power=1):
    return (half * (m1 - m2) ** 2 + (s1**power - s2**power) ** 2) / (2 * s1**power * s2**power)


WRONG_FUNCTIONS = {
    "without √2": (lambda *p: np.arccosh(1 + x(*p)), "without the factor √2"),
    "variances given": (
        lambda *p: ROOT * np.arccosh(1 + x(*p, power=0.5)),
        "used the variance where the std",
    ),
    "variances used": (lambda *p: ROOT * np.arccosh(1 + x(*p, power=2)), "used the variance where the std"),
    "variances below": (
        lambda m1, s1, m2, s2: ROOT * np.arccosh(1 + x(m1, s1, m2, s2) / (s1 * s2)),
        "used the variance where the std",
    ),
    "hyperbolic": (lambda *p: np.arccosh(1 + x(*p, half=1)), "plain hyperbolic"),
    "no half": (lambda *p: ROOT * np.arccosh(1 + x(*p, half=1)), "A factor ½ is missing"),
    "half squared": (lambda *p: ROOT * np.arccosh(1 + x(*p, half=0.25)), "The weight of (Δmean)²"),
    "no 2 below": (lambda *p: ROOT * np.arccosh(1 + 2 * x(*p)), "twice the product"),
    "parentheses": (
        lambda m1, s1, m2, s2: ROOT * np.arccosh(1 + ((m1 - m2) ** 2 / 2 + (s1 - s2) ** 2) / 2 * s1 * s2),
        "put the whole denominator in parentheses",
    ),
    "no 1": (lambda *p: ROOT * np.arccosh(x(*p)), "The 1 + inside the arccosh is missing"),
    "wide root": (lambda *p: np.sqrt(2 * np.arccosh(1 + x(*p))), "The root is that of two alone"),
    "square": (lambda *p: right(*p) ** 2, "square of the distance"),
    "Euclidean": (lambda m1, s1, m2, s2: np.sqrt((m1 - m2) ** 2 + (s1 - s2) ** 2), "Euclidean"),
    "one ruler": (
        lambda m1, s1, m2, s2: np.sqrt((m1 - m2) ** 2 + 2 * (s1 - s2) ** 2) / s1 * np.ones_like(s2),
        "the ruler at one end",
    ),
    "nan": (lambda *p: np.arccos(1 + x(*p)), "nan"),
    "infinite": (lambda *p: np.inf * (1 + x(*p)), "nan or infinite"),
    "negative": (lambda *p: -right(*p), "negative"),
    "std1 twice": (
        lambda m1, s1, m2, s2: ROOT * np.arccosh(1 + x(m1, s1, m2, s2) * s2 / s1),
        "not symmetric",
    ),
    "no mean": (lambda m1, s1, m2, s2: right(0 * m1, s1, 0 * m2, s2), "look at the part with Δmean"),
    "no std": (
        lambda m1, s1, m2, s2: ROOT * np.arccosh(1 + (m1 - m2) ** 2 / (4 * s1 * s2)),
        "look at the part with Δstd",
    ),
    "not at home": (lambda *p: np.where(x(*p) == 0, 1.0, right(*p)), "From a point to itself"),
    "something else": (lambda *p: 3 * right(*p), "compare term by term"),
    "arrays mixed up": (
        lambda *p: np.sort(right(*p), axis=None).reshape(np.shape(right(*p))),
        "right for some points and wrong for others",
    ),
    "numbers only": (
        lambda m1, s1, m2, s2: ROOT * math.acosh(1 + x(m1, s1, m2, s2)),
        "It must work for arrays too",
    ),
    "no return": (lambda *p: None, "returns nothing: is there a return?"),
    "raises": (lambda *p: [][0], "raises IndexError: list index out of range"),
    "two arguments": (lambda p, q: 0.0, "takes 2 positional arguments but 4 were given"),
    "text": (lambda *p: "far", "returns a text; expected a number"),
    "one for all": (lambda *p: np.max(right(*p)), "one value for each pair of points"),
}


@pytest.mark.parametrize("name", WRONG_FUNCTIONS)
def test_a_wrong_function_gets_the_hint_that_fits(name):
    function, hint = WRONG_FUNCTIONS[name]
    text = said("01.3", function)
    assert text.startswith("01.3 not yet: ")
    assert hint in text
    assert "\n" not in text
    assert_nothing_given_away("01.3", text)


def test_the_stub_of_the_function():
    def answer_3(mean1, std1, mean2, std2):
        return ...

    assert said("01.3", answer_3).startswith("01.3 not answered yet: ")


def test_digits_lost_for_near_points_are_remarked_on_but_right():
    assert "One remark: " in said("01.3", right)
    assert ig.check("01.3", exact).correct
    assert "One remark: " not in said("01.3", exact)


def test_a_list_for_an_array_is_accepted():
    assert ig.check("01.3", lambda *p: np.asarray(exact(*p)).tolist()).correct


GARBAGE = [
    None,
    "text",
    "",
    math.nan,
    math.inf,
    [1.0, 2.0, 3.0],
    np.zeros((2, 2)),
    {},
    object(),
    1j,
    True,
    print,
    (),
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("answer", GARBAGE, ids=lambda answer: type(answer).__name__)
def test_garbage_is_answered_in_one_kind_line(key, answer):
    text = said(key, answer)
    assert text.startswith(f"{key} not yet: ")
    assert "\n" not in text
    assert len(text) < 300
    if key != "01.5":
        assert_nothing_given_away(key, text.replace("shape (3,)", ""))


@pytest.mark.parametrize("key", ["01.1", "01.2", "01.4"])
def test_no_number_breaks_a_check_or_learns_the_answer(key):
    for value in [*np.geomspace(1e-320, 1e308, 400), *np.linspace(-5.0, 160.0, 3301)]:
        feedback = ig.check(key, float(value))
        if not feedback.correct:
            assert_nothing_given_away(key, repr(feedback))


def test_no_pair_breaks_a_check():
    for mean in (-1e308, -1.0, 0.0, 2.0, 1e308):
        for std in (-1e308, 0.0, 1e-320, 2.2, 1e308):
            feedback = ig.check("01.5", (mean, std))
            assert not feedback.correct
            assert_nothing_given_away("01.5", repr(feedback))


def test_every_hint_is_one_line_and_gives_nothing_away():
    for exercise in lecture.EXERCISES:
        texts = [miss.text for miss in exercise.near_misses] + [exercise.otherwise]
        for text in texts:
            if isinstance(text, str):
                assert "\n" not in text and "  " not in text
                assert text.endswith((".", "?"))
                assert_nothing_given_away(exercise.key, text)


def test_every_hint_was_met_above():
    heard = [said(key, answer) for key, answer, _ in NEAR_MISSES]
    heard += [said("01.3", function) for function, _ in WRONG_FUNCTIONS.values()]
    for exercise in lecture.EXERCISES:
        for text in (*(miss.text for miss in exercise.near_misses), exercise.otherwise):
            if isinstance(text, str):
                assert f"{exercise.key} not yet: {text}" in heard


@pytest.mark.parametrize("exercise", [e for e in lecture.EXERCISES if e.key != "01.3"], ids=lambda e: e.key)
def test_no_right_answer_is_taken_for_a_mistake(exercise):
    value = exercise.read(SOLUTIONS[exercise.key])
    fitting = [miss.text for miss in exercise.near_misses if miss.matches(value)]
    assert all("Very near" in text for text in fitting)


def test_feedback_is_the_same_each_time():
    for key, answer, _ in NEAR_MISSES:
        assert said(key, answer) == said(key, answer)
