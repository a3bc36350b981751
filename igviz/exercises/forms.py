"""The forms an exercise can have: a number, a whole number, several numbers, letters, a function.

An exercise is its question's key, the right answer, the wrong ones with their hints, and why it matters. A
wrong answer is a pair (what, hint): *what* is a value near which an answer counts, a list of such values, or
whatever else the form says; a `Case` is a pair whose *what* is a test of its own. They are asked in order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from igviz.exercises.checker import (
    NEAR,
    Case,
    Exercise,
    Text,
    Watched,
    agrees,
    close_to,
    for_numbers_only,
    read_choices,
    read_function,
    read_number,
    read_numbers,
    rounded,
)

Inputs: TypeAlias = Mapping[str, tuple[Any, ...]]
Rule: TypeAlias = Callable[..., np.ndarray]
Wrong: TypeAlias = "Case | tuple[Any, Text]"

NUMBER = "a number (right to 1 part in 1000)"
ROUNDED = Case(lambda _: False, "")  # stands where dropped digits are asked for, if that is not last


def number(
    key: str, title: str, right: Any, *, why: str, wrong: Sequence[Wrong], otherwise: Text, **more: Any
) -> Exercise:
    """Return an exercise that asks for a number, right to 1 part in 1000.

    `more` are other fields of `Exercise`, such as another way to read the answer: then `right` and the wrong
    values may be arrays.
    """
    given = {"expects": NUMBER, "read": read_number, "correct": close_to(right), **more}
    cases = [rounded(right) if case is ROUNDED else case for case in _near(wrong, NEAR)]
    if ROUNDED not in wrong:
        cases.append(rounded(right))
    return Exercise(key, title, why=why, near_misses=cases, otherwise=otherwise, **given)


def numbers(key: str, title: str, right: Any, names: Sequence[str], **more: Any) -> Exercise:
    """Return an exercise that asks for several numbers, each right to 1 part in 1000."""
    words = "pair" if len(names) == 2 else f"{len(names)} numbers"
    given = {
        "expects": f"the {words} ({', '.join(names)}), each right to 1 part in 1000,",
        "read": lambda answer: read_numbers(answer, names),
        **more,
    }
    return number(key, title, right, **given)


def whole_number(
    key: str,
    title: str,
    right: int,
    *,
    why: str,
    wrong: Sequence[Wrong],
    otherwise: Text,
    few: str,
    level: str,
    broken: str,
) -> Exercise:
    """Return an exercise that asks for the smallest whole number that is enough.

    A wrong value may be missed by 1. The hints: `few` for numbers below 1, `level` for one just below the
    right one, `broken` for others that are not whole.
    """
    at_root = Case(lambda value: value != round(value) and right - 1 < value < right, level)
    return Exercise(
        key,
        title,
        expects="a whole number",
        read=read_number,
        correct=lambda value: value == right,
        why=why,
        near_misses=[
            Case(lambda value: value < 1.0, few),
            at_root,
            *_near(wrong, 0.0, 1.0),
            Case(lambda value: value != round(value), broken),
        ],
        otherwise=otherwise,
    )


def letters(
    key: str,
    title: str,
    right: str,
    among: str,
    *,
    expects: str,
    why: str,
    wrong: Sequence[Wrong],
    otherwise: Text,
) -> Exercise:
    """Return an exercise that asks which letters fit; a wrong answer is a text of just the letters chosen."""

    def case(what: str, text: Text) -> Case:
        return Case(lambda chosen: chosen == frozenset(what), text)

    return Exercise(
        key,
        title,
        expects=expects,
        read=lambda answer: read_choices(answer, among),
        correct=lambda chosen: chosen == frozenset(right),
        why=why,
        near_misses=[one if isinstance(one, Case) else case(*one) for one in wrong],
        otherwise=otherwise,
    )


def function(
    key: str,
    title: str,
    right: Rule,
    inputs: Inputs,
    *,
    expects: str,
    why: str,
    wrong: Sequence[Wrong],
    otherwise: Text,
    remarks: Sequence[Case] = (),
    limits: Sequence[str] = (),
    faults: Sequence[Case] = (),
    shaped: bool = False,
    adapt: Callable[[Any], Any] = lambda result: result,
    advice: Callable[[Exception], str] = for_numbers_only,
    digits: float = 1e-6,
) -> Exercise:
    """Return an exercise that asks for a function, tried on inputs that tell mistakes apart.

    A wrong answer is a rule, or a list of rules, that does the same on all inputs but the `limits`, on which
    only the right rule is tried, and to 1e-6 absolute. `faults` are asked first, and spoil even the right
    values; `shaped` asks for results of the shape to which the inputs broadcast, `adapt` is applied to each
    before it is read, and `digits` are how far values may be off, relative to their size.
    """
    generic = tuple(name for name in inputs if name not in limits)

    def correct(tried: Tried) -> bool:
        exact = tried.same(right, *generic, relative=digits, absolute=0.0)
        exact = exact and all(tried.same(right, name) for name in limits)
        return exact and not any(fault.matches(tried) for fault in faults)

    def case(what: Rule | list[Rule], text: Text) -> Case:
        rules = what if isinstance(what, list) else [what]

        def matches(tried: Tried) -> bool:
            with np.errstate(all="ignore"):
                return any(tried.same(rule, *generic, relative=digits, absolute=0.0) for rule in rules)

        return Case(matches, text)

    return Exercise(
        key,
        title,
        expects=expects,
        read=lambda answer: try_out(answer, inputs, adapt=adapt, advice=advice, any_shape=not shaped),
        correct=correct,
        why=why,
        near_misses=[
            *faults,
            *(one if isinstance(one, Case) else case(*one) for one in wrong),
        ],
        otherwise=otherwise,
        remarks=remarks,
    )


def _near(wrong: Sequence[Wrong], relative: float, absolute: float = 0.0) -> Iterator[Case]:
    """Yield the cases of answers near a value, or near one of a list of values."""

    def case(values: list[Any], text: Text) -> Case:
        return Case(lambda given: any(agrees(given, value, relative, absolute) for value in values), text)

    for one in wrong:
        if isinstance(one, Case):
            yield one
        else:
            yield case(one[0] if isinstance(one[0], list) else [one[0]], one[1])


# -- a reader's function -----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Tried:
    """What the reader's function returned for the inputs, and whether it changed them or NumPy warned."""

    inputs: Inputs
    values: dict[str, np.ndarray]
    changed: bool
    warned: bool = False

    def same(self, rule: Rule, *names: str, relative: float = 1e-6, absolute: float = 1e-6) -> bool:
        """Whether the function does what the rule does on these inputs, on all if none is named."""
        return all(
            agrees(self.values[name], rule(*self.inputs[name]), relative, absolute)
            for name in names or self.inputs
        )

    def somewhere(self, rule: Rule) -> bool:
        """Whether the function does what the rule does on at least one input."""
        return any(self.same(rule, name) for name in self.inputs)


def try_out(
    answer: Any,
    inputs: Inputs,
    *,
    adapt: Callable[[Any], Any] = lambda result: result,
    advice: Callable[[Exception], str] = for_numbers_only,
    any_shape: bool = True,
) -> Tried:
    """Call the reader's function on each of the inputs; its results may have any shape, or the broadcast one.

    `adapt` is applied to each result before it is read. See `igviz.exercises.checker.read_function` for what
    is raised where the answer cannot be judged, and for `advice`.
    """
    if not callable(answer):
        return Tried(inputs, read_function(answer, inputs), False)
    watched = Watched(answer)

    def adapted(*arguments: Any) -> Any:
        return adapt(watched(*arguments))

    adapted.__name__ = watched.__name__  # for the hints, which quote the call
    values = read_function(adapted, inputs, any_shape=any_shape, advice=advice)
    return Tried(inputs, values, watched.changed, watched.warned)


def of_shape(shape: Callable[..., tuple[int, ...]], text: Text) -> Case:
    """Return the case of a function whose results have this shape, from the shapes of its arguments."""

    def matches(tried: Tried) -> bool:
        shapes = {name: shape(*map(np.shape, arguments)) for name, arguments in tried.inputs.items()}
        return all(tried.values[name].shape == wanted for name, wanted in shapes.items())

    return Case(matches, text)


def changes(arguments: str, example: str = "a = a + b instead of a += b") -> Case:
    """Return the case of a function that changes its arguments, which are named in the hint."""
    return Case(
        lambda tried: tried.changed,
        f"It changes {arguments} itself, so that the next call meets other numbers: work on new arrays, as "
        f"in {example}.",
    )


def varies(name: str, again: str, text: str) -> Case:
    """Return the case of a function that returns other values in a second call with the same arguments."""
    return Case(lambda tried: not agrees(tried.values[name], tried.values[again], 1e-12), text)


def not_finite() -> Case:
    """Return the case of a function that returns values which are no finite numbers."""
    return Case(
        lambda tried: not all(np.all(np.isfinite(value)) for value in tried.values.values()),
        "Some values are nan or infinite: a logarithm, a root or a division has left its domain.",
    )
