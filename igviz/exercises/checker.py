"""Checking a reader's answer: not answered, not yet with a hint for the kind of mistake, or correct.

An exercise is a small declaration. `read` turns what the reader wrote into a value, `correct` judges it, and
the near-misses are asked in order for the hint that fits. No hint gives the answer away.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import traceback
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from igviz.exercises import LECTURES
from igviz.loading import load

# how exact an answer must be, relative to its size, and how near a wrong one must come to a known mistake
TOLERANCE = 1e-3
NEAR = 5e-3

Text: TypeAlias = "str | Callable[[Any], str]"


class NotYet(Exception):  # noqa: N818 (feedback, not an error)
    """What a reader wrote cannot be judged; the message is the hint."""


class NotAnswered(Exception):  # noqa: N818 (feedback, not an error)
    """The stub has not been filled in, or only in part."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A kind of answer and what to say about it.

    Parameters
    ----------
    matches : callable
        From the value that was read to bool.
    text : str or callable
        The hint, or a function that makes it from the value.
    """

    matches: Callable[[Any], bool]
    text: Text


@dataclasses.dataclass(frozen=True)
class Exercise:
    """A question with its answer and the ways to miss it.

    Parameters
    ----------
    key : str
        Lecture and number, such as "01.2".
    title : str
        What is asked for, in a few words.
    expects : str
        What to put in place of the stub's dots.
    read : callable
        From the reader's answer to a value; raises `NotYet` or `NotAnswered`.
    correct : callable
        From the value to bool.
    why : str
        Why it matters: one sentence, said when the answer is correct.
    near_misses : sequence of Case
        Asked in order, the first that matches gives the hint.
    otherwise : str or callable
        The hint where no near-miss matches.
    remarks : sequence of Case
        Said in addition about correct answers.
    """

    key: str
    title: str
    expects: str
    read: Callable[[Any], Any]
    correct: Callable[[Any], bool]
    why: str
    near_misses: Sequence[Case]
    otherwise: Text
    remarks: Sequence[Case] = ()

    def check(self, answer: Any) -> Feedback:
        """Return the feedback on an answer; whatever was answered, nothing is raised."""
        try:
            value = self.read(answer)
        except NotAnswered:
            return Feedback(self.key, "not answered yet", f"put {self.expects} in place of the dots.")
        except NotYet as hint:
            return Feedback(self.key, "not yet", str(hint))
        if self.correct(value):
            remarks = [_say(remark.text, value) for remark in self.remarks if remark.matches(value)]
            return Feedback(self.key, "correct", " ".join([self.why, *remarks]))
        fitting = (miss.text for miss in self.near_misses if miss.matches(value))
        return Feedback(self.key, "not yet", _say(next(fitting, self.otherwise), value))


@dataclasses.dataclass(frozen=True, repr=False)
class Feedback:
    """What `check` has to say; shown as the value of a cell.

    Attributes
    ----------
    key : str
        The exercise.
    state : {"not answered yet", "not yet", "correct"}
        How it stands.
    text : str
        The hint, or why it matters.
    """

    key: str
    state: str
    text: str

    @property
    def correct(self) -> bool:
        """Whether the answer is correct."""
        return self.state == "correct"

    def __repr__(self) -> str:
        return f"{self.key} {self.state}: {self.text}"


def check(key: str, answer: Any) -> Feedback:
    """Check an answer to an exercise of the lectures.

    Parameters
    ----------
    key : str
        Lecture and number of the exercise, such as "01.2".
    answer : object
        A number, several numbers, a word or a function, as the exercise asks; `...` if not yet answered.

    Returns
    -------
    Feedback
        Not answered yet, not yet with a hint for the kind of mistake, or correct; never the answer itself.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    lecture = LECTURES.get(key.partition(".")[0]) if isinstance(key, str) else None
    for exercise in _exercises(lecture) if lecture else ():
        if exercise.key == key:
            return exercise.check(answer)
    every = (exercise for name in LECTURES.values() for exercise in _exercises(name))
    known = ", ".join(f"{exercise.key!r} ({exercise.title})" for exercise in every)
    raise ValueError(f"check: key must be one of {known}, got {key!r}")


def _exercises(lecture: str) -> tuple[Exercise, ...]:
    return load(f"igviz.exercises.{lecture}").EXERCISES


def _say(text: Text, value: Any) -> str:
    return text if isinstance(text, str) else text(value)


# -- tests of a value --------------------------------------------------------------------------------------


def agrees(value: Any, wanted: Any, relative: float = TOLERANCE, absolute: float = 0.0) -> bool:
    """Whether numbers of one shape agree everywhere; nan agrees with nan."""
    value, wanted = np.asarray(value), np.asarray(wanted)
    if value.shape != wanted.shape:
        return False
    return bool(np.allclose(value, wanted, rtol=relative, atol=absolute, equal_nan=True))


def close_to(wanted: Any, relative: float = TOLERANCE) -> Callable[[Any], bool]:
    """Return the test whether a value agrees with the wanted one."""
    return lambda value: agrees(value, wanted, relative)


def rounded(wanted: Any) -> Case:
    """Return the hint for an answer that is right but for digits that were dropped."""
    return Case(close_to(wanted, 2e-2), "Very near: carry more digits, one part in 1000 is asked for.")


class Watched:
    """The reader's function, watched for changes of its arguments and for NumPy's warnings."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__name__ = name_of(function)  # for the hints, which quote the call
        self.changed = self.warned = False

    def __call__(self, *arguments: float | np.ndarray) -> Any:
        """Call it, and note whether an argument changed and whether NumPy warned."""
        before = [np.copy(argument) for argument in arguments]  # a plain number has no copy of its own
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = self.function(*arguments)
        # some linear algebra libraries make matrix products warn without a cause
        self.warned |= any(
            issubclass(one.category, RuntimeWarning) and not str(one.message).endswith(("matmul", "dot"))
            for one in caught
        )
        self.changed |= not all(map(np.array_equal, arguments, before))
        return result


def near_miss(wrong: Any, text: Text) -> Case:
    """Return the case of an answer that comes near a known wrong value."""
    return Case(close_to(wrong, NEAR), text)


# -- reading an answer -------------------------------------------------------------------------------------


def read_number(answer: Any) -> float:
    """Return the answer as a finite float, from anything that has one value, also of NumPy or SymPy.

    Raises
    ------
    NotAnswered
        If it is the stub.
    NotYet
        If it is no number, or not finite.
    """
    array = _array(answer, "a number")
    if array.size != 1:
        raise NotYet(f"Expected one number, got an array of shape {array.shape}.")
    return _finite(float(array.reshape(())), "The answer")


def read_numbers(answer: Any, names: Sequence[str]) -> np.ndarray:
    """Return the answer, a tuple, list or array, as one finite number for each name, shape (k,).

    Raises
    ------
    NotAnswered
        If it is the stub, or a part of it is.
    NotYet
        If it is not that many numbers, or one is not finite.
    """
    wanted = f"({', '.join(names)})"
    array = _array(answer, f"the {len(names)} numbers {wanted}")
    if array.shape != (len(names),):
        got = "one number" if array.ndim == 0 else f"numbers of shape {array.shape}"
        raise NotYet(f"Expected the {len(names)} numbers {wanted}, got {got}.")
    for name, value in zip(names, array, strict=True):
        _finite(float(value), f"The {name}")
    return array


def read_array(answer: Any, wanted: str, shapes: Collection[tuple[int, ...]]) -> np.ndarray:
    """Return the answer as finite numbers, an array of one of the shapes; matrices of SymPy are arrays too.

    `wanted` says in words what is expected.

    Raises
    ------
    NotAnswered
        If it is the stub, or a part of it is.
    NotYet
        If it has another shape, holds something else than numbers, or one is not finite.
    """
    array = _array(answer, wanted)
    if array.shape not in shapes:
        got = "one number" if array.ndim == 0 else f"an array of shape {array.shape}"
        raise NotYet(f"Expected {wanted}, got {got}.")
    for value in array.flat:
        _finite(float(value), "An entry")
    return array


def read_choice(answer: Any, options: Sequence[str]) -> str:
    """Return the one of the options that the answer names; capitals and blanks around it do not matter.

    Raises
    ------
    NotAnswered
        If it is the stub.
    NotYet
        If it is none of the options.
    """
    if answer is ...:
        raise NotAnswered
    known = ", ".join(repr(option) for option in options)
    if not isinstance(answer, str):
        raise NotYet(f"Expected one of the texts {known}, in quotation marks, got {_kind(answer)}.")
    for option in options:
        if option.casefold() == answer.strip().casefold():
            return option
    raise NotYet(f"Expected one of {known}, got another text.")


def read_choices(answer: Any, letters: str) -> frozenset[str]:
    """Return which of the letters the answer names: a text, or a list, tuple, set or array of texts.

    Capitals, blanks, punctuation, the order, repetitions and the word "and" do not matter.

    Raises
    ------
    NotAnswered
        If it is the stub, or a part of it is.
    NotYet
        If it names no letter, or something else than the letters.
    """
    known = ", ".join(letters)
    parts = answer.tolist() if isinstance(answer, np.ndarray) else answer
    parts = list(parts) if isinstance(parts, list | tuple | set | frozenset) else [parts]
    if any(part is ... for part in parts):
        raise NotAnswered
    if not all(isinstance(part, str) for part in parts):
        raise NotYet(f"Expected one or more of the letters {known}, in quotation marks, got {_kind(answer)}.")
    words = [word for part in parts for word in re.findall(r"\w+", part.casefold()) if word != "and"]
    if not words:
        raise NotYet(f"Name at least one of the letters {known}.")
    if not set("".join(words)) <= set(letters):
        raise NotYet(f"Expected one or more of the letters {known}, got another text.")
    return frozenset("".join(words))


def has(letter: str) -> Callable[[frozenset[str]], bool]:
    """Return whether a choice has the letter, as a function of the choice."""
    return lambda chosen: letter in chosen


def lacks(letter: str) -> Callable[[frozenset[str]], bool]:
    """Return whether a choice lacks the letter, as a function of the choice."""
    return lambda chosen: letter not in chosen


def for_numbers_only(_error: Exception) -> str:
    """Return what to say of a function that raises when it is given arrays."""
    return "It must work for arrays too: NumPy's functions do, those of math do not."


def read_function(
    answer: Any,
    inputs: Mapping[str, tuple[Any, ...]],
    *,
    any_shape: bool = False,
    advice: Callable[[Exception], str] = for_numbers_only,
) -> dict[str, np.ndarray]:
    """Call the reader's function on each tuple of inputs and return what it returns.

    What it prints is swallowed, and so are warnings. It gets copies of the arrays.

    Parameters
    ----------
    answer : callable
        The function. It is the stub if it returns `...`.
    inputs : mapping
        From a name to positional arguments, numbers or arrays that broadcast.
    any_shape : bool
        Let arrays of every shape pass; otherwise it must be the broadcast one.
    advice : callable
        What to say in addition, if anything, when the function raises for arrays, from the exception.

    Returns
    -------
    dict
        From the same names to arrays; they may hold nan.

    Raises
    ------
    NotAnswered
        If it is the stub.
    NotYet
        If it is no function, raises, or returns something else than numbers of the right shape.
    """
    if answer is ...:
        raise NotAnswered
    if not callable(answer):
        raise NotYet(f"Expected a function, got {_kind(answer)}: name the function and do not call it.")
    values = {}
    for name, arguments in inputs.items():
        shape = None if any_shape else np.broadcast_shapes(*(np.shape(a) for a in arguments))
        values[name] = _call(answer, arguments, shape, advice)
    return values


def _call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    shape: tuple[int, ...] | None,
    advice: Callable[[Exception], str],
) -> np.ndarray:
    """Return the function's numbers, or raise a hint that says how it was called; None: any shape."""
    call = _written(function, arguments)
    fresh = [np.array(a) if isinstance(a, np.ndarray) else a for a in arguments]
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(*fresh)
    except Exception as error:
        said = "".join(traceback.format_exception_only(error)).strip().splitlines()[0]
        hint = advice(error) if any(np.ndim(a) for a in arguments) else ""
        raise NotYet(f"{call} raises {_short(said)}. {hint}".rstrip()) from None
    if result is None:
        also = " It prints: return the value instead." if printed.getvalue() else ""
        raise NotYet(f"{call} returns nothing: is there a return?{also}")
    try:
        array = _array(result, "numbers")
    except NotYet:
        wanted = "an array" if shape is None else f"an array of shape {shape}" if shape else "a number"
        raise NotYet(f"{call} returns {_kind(result)}; expected {wanted}.") from None
    if shape is not None and array.shape != shape:
        got = f"an array of shape {array.shape}" if array.ndim else "a single number"
        wanted = f"one of shape {shape}: one value for each pair of points" if shape else "a number"
        raise NotYet(f"{call} returns {got}; expected {wanted}.")
    return array


def _array(answer: Any, wanted: str) -> np.ndarray:
    """Return a float array of the answer, or raise what is the matter with its type."""
    if answer is ... or (isinstance(answer, tuple | list) and any(part is ... for part in answer)):
        raise NotAnswered
    if callable(answer):
        raise NotYet(f"Expected {wanted}, got {_kind(answer)}: was it called, with parentheses?")
    if isinstance(answer, str):
        raise NotYet(f"Expected {wanted}, got {_kind(answer)}: leave out the quotation marks.")
    if answer is None:
        raise NotYet(f"Expected {wanted}, got None: a function without return, or print, gives None.")
    parts: list[Any] = []
    with contextlib.suppress(Exception):  # a ragged list, or whatever stands in the way of float
        array = np.asarray(answer)
        if array.dtype.kind in "iuf":
            return array.astype(float)
        if array.dtype.kind == "O":  # SymPy's numbers and matrices, and fractions
            parts = list(array.flat)
            return np.array([float(part) for part in parts]).reshape(array.shape)
    if any(part is ... for part in parts):
        raise NotAnswered
    symbols = _symbols(parts)
    if symbols:
        raise NotYet(f"Expected {wanted}, got an expression with {symbols}: put in the numbers, with subs.")
    raise NotYet(f"Expected {wanted}, got {_kind(answer)}.")


def _symbols(parts: Sequence[Any]) -> str:
    """Return the names of the symbols left in SymPy's expressions."""
    names: set[str] = set()
    for part in parts:
        with contextlib.suppress(Exception):  # whatever has such an attribute and is none of SymPy's
            names |= {str(symbol) for symbol in part.free_symbols}
    return _short(", ".join(sorted(names)), 40)


def _finite(value: float, name: str) -> float:
    if not np.isfinite(value):
        raise NotYet(f"{name} is {value}: a logarithm, a root or a division has left its domain.")
    return value


def _kind(answer: Any) -> str:
    """Return in words what sort of object the answer is."""
    words = {
        str: "a text",
        bool: "True or False",
        int: "a number",
        float: "a number",
        complex: "a complex number",
    }
    if answer is None:
        return "None"
    if isinstance(answer, np.ndarray):
        return f"an array of {answer.dtype} of shape {answer.shape}"
    if callable(answer):
        return "a function"
    name = type(answer).__name__
    return words.get(type(answer), f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}")


def name_of(function: Any) -> str:
    """Return what the reader has called the function, if that can be known."""
    name = None
    with contextlib.suppress(Exception):  # an object may refuse to answer
        name = function.__name__
    return name if isinstance(name, str) and name.isidentifier() else "your_function"


def _written(function: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    """Return the call as one would write it."""
    shown = [_shown(a) if isinstance(a, np.ndarray) else repr(a) for a in arguments]
    return f"{name_of(function)}({', '.join(' '.join(part.split()) for part in shown)})"


def _shown(array: np.ndarray) -> str:
    return repr(array).replace("\n", "") if array.size <= 8 else f"an array of shape {array.shape}"


def _short(text: str, length: int = 150) -> str:
    text = text.rstrip(".")
    return text if len(text) <= length else f"{text[: length - 1]}…"
