"""Generic values of parameters, at which SymPy's answers are compared with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

_POSITIVE = tuple(sympy.Rational(n, 10) for n in (13, 7, 19, 9, 16))
_REAL = tuple(sympy.Rational(n, 10) for n in (3, -6, 8, -2))


def generic_points(
    own: Sequence[sympy.Symbol],
    other: Sequence[sympy.Symbol],
    given: Sequence[Sequence[Any]] | None,
    symbols: Sequence[sympy.Symbol],
) -> tuple[tuple[Any, ...], ...]:
    """Return two points.

    Parameters
    ----------
    own : sequence of sympy.Symbol
        Parameters and constants of a density.
    other : sequence of sympy.Symbol
        Parameters of a second density of the family: at each point they have the values of the other point.
    given : sequence of sequence of number, optional
        Two values of (the first of) `own`; 1.3, 0.7, … for positive and 0.3, −0.6, … for real ones without.
    symbols : sequence of sympy.Symbol
        What values are wanted of: these and others.
    """
    found = []
    for i, point in enumerate(given if given is not None else ((), ())):
        values = map(sympy.sympify, point)
        found.append(dict(zip(own, _generic(own, i), strict=True)) | dict(zip(own, values, strict=False)))
    points = []
    for here, there in zip(found, found[::-1], strict=True):
        known = here | {theirs: there[ours] for theirs, ours in zip(other, own, strict=False)}
        rest = [s for s in symbols if s not in known]
        known |= dict(zip(rest, _generic(rest, 0), strict=True))
        points.append(tuple(known[s] for s in symbols))
    return tuple(points)


def _generic(symbols: Sequence[sympy.Symbol], start: int) -> list[sympy.Rational]:
    """Return values in the domain of the symbols, others for each start."""
    chosen, used = [], {True: start, False: start}
    for symbol in symbols:
        positive = bool(symbol.is_positive)
        pool = _POSITIVE if positive else _REAL
        chosen.append(pool[used[positive] % len(pool)])
        used[positive] += 1
    return chosen
