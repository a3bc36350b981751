"""A mean and a matrix that a reader's function returns: one table (mean | matrix), and cases by its parts."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from igviz.exercises.checker import Case, agrees
from igviz.exercises.functions import Rule, Tried

MEAN, MATRIX = slice(0, 1), slice(1, None)  # the columns of a table, shape (d, 1 + d)
_NONE = np.empty(0)


def as_table(mean: Any, matrix: Any) -> np.ndarray:
    """Return the table, shape (d, 1 + d), of a mean, shape (d,) or (d, 1), and a matrix, shape (d, d).

    Turned round, a matrix and then a mean, they give a table of shape (1 + d, d), and other shapes give an
    empty one.
    """
    first, second = _numbers(mean), _numbers(matrix)
    for vector, square, in_order in ((first, second, True), (second, first, False)):
        d = vector.size
        if square.shape == (d, d) and vector.shape in ((d,), (d, 1)):
            row = vector.reshape(1, d)
            return np.hstack([row.T, square]) if in_order else np.vstack([row, square])
    return _NONE


def _numbers(values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "iufO":
        raise TypeError(f"expected numbers, got {array.dtype}")
    return array.astype(float)


def pair_as_table(result: Any) -> Any:
    """Return the table of a pair of numbers, empty if it is no mean and matrix; the stub passes as it is."""
    parts = result if isinstance(result, tuple | list) else (result,)
    if any(part is ... or part is None for part in parts):
        return result
    with contextlib.suppress(Exception):  # more or fewer than two, or no numbers
        return as_table(*result)
    return _NONE


def in_columns(columns: slice, rules: Sequence[Rule], text: str, relative: float = 1e-6) -> Case:
    """Return the case of a function that returns in these columns what one of the rules does."""
    return Case(lambda tried: any(columns_agree(tried, columns, rule, relative) for rule in rules), text)


def columns_agree(tried: Tried, columns: slice, rule: Rule, relative: float = 1e-6) -> bool:
    """Whether the function returns in these columns what the rule does, on all inputs."""
    return all(
        agrees(tried.values[name][:, columns], rule(*arguments)[:, columns], relative, relative)
        for name, arguments in tried.inputs.items()
    )


def turned_round(tried: Tried) -> bool:
    """Whether the matrix comes first and the mean second, each of its right shape."""
    return all(tried.values[name].shape == (d + 1, d) for name, d in _dimensions(tried))


def misshapen(tried: Tried) -> bool:
    """Whether something that is no mean and matrix of their right shapes has been returned."""
    return any(tried.values[name].shape != (d, d + 1) for name, d in _dimensions(tried))


def _dimensions(tried: Tried) -> list[tuple[str, int]]:
    """Return for each input the number d of columns of its first argument."""
    return [(name, np.shape(arguments[0])[-1]) for name, arguments in tried.inputs.items()]
