"""Two derivatives, or two numbers, that a reader's function returns: one array, and cases by its parts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from igviz.exercises.checker import Case, agrees
from igviz.exercises.functions import Rule, Tried

_NONE = np.empty(0)


def as_pair(result: Any) -> Any:
    """Return a pair as one array with the two in front, empty if it is none; the stub passes as it is."""
    if not isinstance(result, tuple | list) or any(part is ... or part is None for part in result):
        return result
    with contextlib.suppress(Exception):  # not two, of two shapes, or no numbers
        first, second = result
        return np.stack([np.asarray(first), np.asarray(second)])
    return _NONE


def in_part(index: int, *rules: Rule, text: str) -> Case:
    """Return the case of a function whose part of this index is what one of the rules gives."""
    return Case(lambda tried: any(part_agrees(tried, index, rule) for rule in rules), text)


def part_agrees(tried: Tried, index: int, rule: Rule, relative: float = 1e-6) -> bool:
    """Whether the part of this index is what the rule gives, on all inputs."""
    return all(
        agrees(tried.values[name][index], rule(*arguments)[index], relative, relative)
        for name, arguments in tried.inputs.items()
    )


def by_part(index: int, rule: Rule, relative: float = 1e-6) -> Callable[[Tried], bool]:
    """Return `part_agrees` as a function of what was tried."""
    return lambda tried: part_agrees(tried, index, rule, relative)


def swapped(rules: Sequence[Rule]) -> Case:
    """Return the case of a function whose parts are what one of the rules gives, in the other order."""

    def turned(rule: Rule) -> Rule:
        return lambda *arguments: rule(*arguments)[::-1]

    return Case(
        lambda tried: any(tried.same(turned(rule)) for rule in rules),
        "The two are swapped: they belong in the order of the question.",
    )
