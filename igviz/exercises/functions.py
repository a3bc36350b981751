"""A reader's function, called on inputs that tell mistakes apart, and held against rules of one's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from igviz.exercises.checker import Case, Text, Watched, agrees, for_numbers_only, read_function

Inputs: TypeAlias = Mapping[str, tuple[Any, ...]]
Rule: TypeAlias = Callable[..., np.ndarray]


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


def like(*rules: Rule, text: str) -> Case:
    """Return the case of a function that does what one of the rules does."""
    return Case(lambda tried: any(tried.same(rule) for rule in rules), text)


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
