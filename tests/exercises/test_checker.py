"""The checker for every kind of answer, and for everything a reader may write instead of one."""

from __future__ import annotations

import fractions
import math

import numpy as np
import pytest
import sympy

import igviz as ig
from igviz.exercises import checker
from igviz.exercises.checker import Case, Exercise, NotAnswered, NotYet, near_miss


def doubling(answer):
    """An exercise made for the tests: what is twice 21?"""
    return Exercise(
        key="99.1",
        title="Twice",
        expects="a number",
        read=checker.read_number,
        correct=checker.close_to(42.0),
        why="Doubling matters.",
        near_misses=(
            near_miss(21.0, "This is once."),
            Case(lambda value: value < 100.0, "Small."),
            Case(lambda value: value < 0.0, "Never asked for: the first that fits speaks."),
        ),
        otherwise=lambda value: f"{value:g} is large.",
        remarks=(
            Case(lambda value: value != 42.0, "Nearly exact."),
            Case(lambda value: value > 42.0, "Above."),
        ),
    ).check(answer)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (..., "99.1 not answered yet: put a number in place of the dots."),
        (42, "99.1 correct: Doubling matters."),
        (42.01, "99.1 correct: Doubling matters. Nearly exact. Above."),
        (21, "99.1 not yet: This is once."),
        (-3.0, "99.1 not yet: Small."),
        (1000, "99.1 not yet: 1000 is large."),
        (None, "99.1 not yet: Expected a number, got None: a function without return, or print, gives None."),
        ("42", "99.1 not yet: Expected a number, got a text: leave out the quotation marks."),
        (abs, "99.1 not yet: Expected a number, got a function: was it called, with parentheses?"),
        (True, "99.1 not yet: Expected a number, got True or False."),
        (42j, "99.1 not yet: Expected a number, got a complex number."),
        ({42}, "99.1 not yet: Expected a number, got a set."),
        ([1.0, 2.0], "99.1 not yet: Expected one number, got an array of shape (2,)."),
        ([], "99.1 not yet: Expected one number, got an array of shape (0,)."),
        ([[1.0], [2.0, 3.0]], "99.1 not yet: Expected a number, got a list."),
        ([1.0, ...], "99.1 not answered yet: put a number in place of the dots."),
        ([[1.0, ...]], "99.1 not answered yet: put a number in place of the dots."),
        (sympy.I, "99.1 not yet: Expected a number, got an ImaginaryUnit."),
        (
            sympy.nan,
            "99.1 not yet: The answer is nan: a logarithm, a root or a division has left its domain.",
        ),
        (
            50 / sympy.Symbol("p") + sympy.Symbol("n"),
            "99.1 not yet: Expected a number, got an expression with n, p: put in the numbers, with subs.",
        ),
    ],
)
def test_what_is_said_of_an_answer(answer, said):
    feedback = doubling(answer)
    assert repr(feedback) == said
    assert feedback.correct == (" correct: " in said)


@pytest.mark.parametrize("answer", [math.nan, math.inf, -np.inf, np.float64("nan")])
def test_a_number_that_is_not_finite(answer):
    assert "has left its domain" in repr(doubling(answer))


@pytest.mark.parametrize(
    "answer",
    [
        *(42.0, 42.04, 41.96, np.float64(42), np.int32(42), np.array(42.0), [42], np.array([42.0])),
        *(fractions.Fraction(84, 2), sympy.Integer(42), 21 * sympy.sqrt(4)),
    ],
)
def test_whatever_has_one_value_is_a_number(answer):
    assert doubling(answer).correct


@pytest.mark.parametrize("answer", [42.06, 41.94])
def test_the_tolerance(answer):
    assert not doubling(answer).correct


class Awkward:
    """An answer that raises whatever is asked of it."""

    def __float__(self):
        raise ZeroDivisionError

    def __array__(self, *_args, **_options):
        raise RuntimeError("no")

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self):
        raise RuntimeError("no")


def test_no_object_is_too_awkward():
    assert repr(doubling(Awkward())) == "99.1 not yet: Expected a number, got an Awkward."
    with pytest.raises(NotYet, match="an Awkward"):
        checker.read_choice(Awkward(), ("a",))
    with pytest.raises(NotYet, match=r"your_function\(0\.5\) returns an Awkward; expected a number"):
        checker.read_function(lambda x: Awkward(), {"one": (0.5,)})


def test_only_the_first_near_miss_that_fits_is_asked():
    def refuse(value):
        raise RuntimeError

    exercise = Exercise(
        "99.2",
        "",
        "",
        checker.read_number,
        lambda value: False,
        "",
        (near_miss(1.0, "One."), Case(refuse, "")),
        "",
    )
    assert exercise.check(1).text == "One."


def test_an_unknown_key_lists_those_that_exist():
    for key in ("01.9", "77.1", "", 1.2, None, ["01.1"]):
        with pytest.raises(ValueError, match=r"^check: key must be one of '01\.1' \(.*'01\.5' \(") as error:
            ig.check(key, 3.0)
        assert repr(key) in str(error.value)


def test_the_public_name():
    assert ig.check is checker.check
    assert "check" in dir(ig)


# -- several numbers, a choice -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [(1, 2.5), [1, 2.5], np.array([1, 2.5]), (np.float64(1), sympy.Rational(5, 2))]
)
def test_several_numbers(answer):
    np.testing.assert_array_equal(checker.read_numbers(answer, ("mean", "std")), [1.0, 2.5])


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (1.0, r"Expected the 2 numbers \(mean, std\), got one number"),
        ((1.0, 2.0, 3.0), r"got numbers of shape \(3,\)"),
        (([1.0, 2.0], 3.0), "got a tuple"),
        (None, "got None"),
        ("1, 2", "leave out the quotation marks"),
        ({"mean": 1}, "got a dict"),
        ((1.0, math.nan), "^The std is nan"),
        ((math.inf, 1.0), "^The mean is inf"),
    ],
)
def test_not_several_numbers(answer, hint):
    with pytest.raises(NotYet, match=hint):
        checker.read_numbers(answer, ("mean", "std"))


@pytest.mark.parametrize("answer", [..., (..., ...), (1.0, ...), [..., 2.0]])
def test_several_numbers_not_all_answered(answer):
    with pytest.raises(NotAnswered):
        checker.read_numbers(answer, ("mean", "std"))


def test_a_choice():
    options = ("forward", "reverse", "KL(q‖p)")
    assert checker.read_choice(" Forward ", options) == "forward"
    assert checker.read_choice("kl(q‖p)", options) == "KL(q‖p)"
    with pytest.raises(NotAnswered):
        checker.read_choice(..., options)
    with pytest.raises(NotYet, match=r"one of 'forward', 'reverse', 'KL.*', got another text"):
        checker.read_choice("backward", options)
    with pytest.raises(NotYet, match="in quotation marks, got a number"):
        checker.read_choice(1, options)


@pytest.mark.parametrize(
    "answer", [[[1, 2], [3, 4]], np.array([[1, 2], [3, 4]]), sympy.Matrix([[1, 2], [3, sympy.sqrt(16)]])]
)
def test_an_array(answer):
    array = checker.read_array(answer, "a matrix", ((2, 2),))
    assert array.dtype == np.float64
    np.testing.assert_array_equal(array, [[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (1.0, "^Expected a matrix, got one number"),
        (np.ones((2, 3)), r"^Expected a matrix, got an array of shape \(2, 3\)"),
        ([[1.0, math.nan], [0.0, 1.0]], "^An entry is nan"),
        ("1 2", "leave out the quotation marks"),
        (sympy.Matrix([[sympy.Symbol("v"), 0], [0, 1]]), "an expression with v: put in the numbers"),
    ],
)
def test_not_an_array(answer, hint):
    with pytest.raises(NotYet, match=hint):
        checker.read_array(answer, "a matrix", ((2, 2),))


@pytest.mark.parametrize(
    "answer",
    ["bd", "DB", " (b), (d)", "b and d", ["b", "d"], ("d", "b", "b"), {"b", "d"}, np.array(["b", "d"])],
)
def test_several_choices(answer):
    assert checker.read_choices(answer, "abcd") == {"b", "d"}


def test_no_choices():
    for stub in (..., [...], ("a", ...)):
        with pytest.raises(NotAnswered):
            checker.read_choices(stub, "abcd")
    for empty in ("", " , ", [], set(), np.array([])):
        with pytest.raises(NotYet, match="Name at least one of the letters a, b, c, d"):
            checker.read_choices(empty, "abcd")
    for other in ("e", "abx", ["a", "probit"], "a1"):
        with pytest.raises(NotYet, match="the letters a, b, c, d, got another text"):
            checker.read_choices(other, "abcd")
    with pytest.raises(NotYet, match="in quotation marks, got a list"):
        checker.read_choices(["a", 1], "abcd")
    with pytest.raises(NotYet, match="got an Awkward"):
        checker.read_choices(Awkward(), "abcd")


# -- functions ---------------------------------------------------------------------------------------------

INPUTS = {"number": (0.5, 2.0), "array": (np.array([0.5, 1.0]), 2.0), "grid": (np.ones(2), np.ones((3, 1)))}


def read(function):
    return checker.read_function(function, INPUTS)


def hint_for(function):
    with pytest.raises(NotYet) as hint:
        read(function)
    return str(hint.value)


def test_a_function_is_called_on_every_input():
    values = read(lambda a, b: a * b)
    assert {name: value.shape for name, value in values.items()} == {
        "number": (),
        "array": (2,),
        "grid": (3, 2),
    }
    np.testing.assert_array_equal(values["array"], [1.0, 2.0])


def test_a_list_of_the_right_shape_is_as_good_as_an_array():
    values = read(lambda a, b: (np.asarray(a) * b).tolist())
    np.testing.assert_array_equal(values["array"], [1.0, 2.0])


@pytest.mark.parametrize("stub", [..., lambda a, b: ..., lambda a, b: [..., ...]])
def test_the_stub_of_a_function(stub):
    with pytest.raises(NotAnswered):
        read(stub)


def test_what_is_no_function():
    assert hint_for(1.5) == "Expected a function, got a number: name the function and do not call it."
    assert hint_for(None).startswith("Expected a function, got None")
    assert hint_for(np.zeros(3)).startswith("Expected a function, got an array of float64 of shape (3,)")


def test_a_function_that_raises():
    def broken(a, b):
        raise KeyError("first line\nsecond line")

    def nameless(a, b):
        raise ValueError("x" * 1000 + "\nmore")

    assert hint_for(broken) == r"broken(0.5, 2.0) raises KeyError: 'first line\nsecond line'."
    assert len(hint_for(nameless)) < 200
    assert "\n" not in hint_for(nameless)
    assert "takes 1 positional argument but 2 were given" in hint_for(lambda a: a)
    assert "RecursionError" in hint_for(endless)


def endless(a, b):
    return endless(a, b)


def test_a_function_for_numbers_only():
    hint = hint_for(lambda a, b: math.sqrt(a) * b)
    assert hint.startswith("your_function(array([0.5, 1. ]), 2.0) raises TypeError: ")
    assert hint.endswith("It must work for arrays too: NumPy's functions do, those of math do not.")
    assert "It must work for arrays too" in hint_for(lambda a, b: a if a > b else b)


def test_arrays_of_any_shape_and_words_of_ones_own():
    inputs = {"matrix": (np.ones((5, 2)), np.ones(5))}
    with pytest.raises(
        NotYet, match=r"your_function\(an array of shape \(5, 2\), array\(\[1\., 1\..*Transpose\.$"
    ):
        checker.read_function(lambda a, b: a @ b, inputs, any_shape=True, advice=lambda error: "Transpose.")
    with pytest.raises(NotYet, match="returns a text; expected an array"):
        checker.read_function(lambda a, b: "", inputs, any_shape=True)
    for shape in ((2, 2), (5,), ()):
        values = checker.read_function(lambda a, b, shape=shape: np.zeros(shape), inputs, any_shape=True)
        assert values["matrix"].shape == shape


def test_a_function_without_return(capsys):
    def silent(a, b):
        pass

    def printing(a, b):
        print(a * b)

    assert hint_for(silent) == "silent(0.5, 2.0) returns nothing: is there a return?"
    assert hint_for(printing).endswith("is there a return? It prints: return the value instead.")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda a, b: "one", r"\(0\.5, 2\.0\) returns a text; expected a number\."),
        (lambda a, b: np.sum(a * b), r"returns a single number; expected one of shape \(2,\)"),
        (lambda a, b: np.array([a * b]), r"returns an array of shape \(1,\); expected a number"),
        (lambda a, b: (a, b), r"returns an array of shape \(2,\); expected a number"),
        (lambda a, b: {"distance": a}, "returns a dict; expected a number"),
        (lambda a, b: (x for x in (a, b)), "returns a generator; expected a number"),
        (lambda a, b: a * 1j, "returns a complex number; expected a number"),
        (lambda a, b: print, "returns a function; expected a number"),
        (lambda a, b: a > b, "returns .*; expected a number"),
    ],
)
def test_a_function_that_returns_something_else(function, hint):
    with pytest.raises(NotYet, match=hint):
        read(function)


def test_a_function_cannot_spoil_the_inputs():
    def spoiling(a, b):
        a = np.asarray(a)
        result = a * b
        if a.ndim:
            a[...] = np.nan
        return result

    np.testing.assert_array_equal(read(spoiling)["array"], [1.0, 2.0])
    np.testing.assert_array_equal(read(spoiling)["array"], [1.0, 2.0])


def test_warnings_of_a_function_are_its_own_affair():
    values = read(lambda a, b: np.log(-np.asarray(a)) * b)
    assert np.isnan(values["array"]).all()


def test_a_keyboard_interrupt_is_not_swallowed():
    def interrupted(a, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(interrupted)


def test_agreement_wants_equal_shapes():
    assert not checker.agrees([1.0, 1.0], 1.0)
    assert checker.agrees(np.nan, np.nan)
    assert not checker.agrees(np.nan, 1.0)
