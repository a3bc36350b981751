"""Integrals and series as numbers, for a whole grid of parameters at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

# the step is 2 to the minus this
_FINEST, _FINEST_INSIDE = 10, 6
_LONGEST_SERIES, _LONGEST_BLOCK = 2**22, 2**13


def integrate(
    function: Callable[[np.ndarray], np.ndarray],
    low: np.ndarray,
    high: np.ndarray,
    kinks: Sequence[np.ndarray] = (),
    tolerance: float = 1e-9,
    inside: bool = False,
) -> np.ndarray:
    """Integrate a function over (low, high), either end possibly infinite, by the double-exponential rule.

    Parameters
    ----------
    function : callable
        Takes x, shape (m, ...), and returns values of that shape.
    low, high : array_like
        Shape (...).
    kinks : sequence of array_like
        Places, each of shape (...), where a derivative jumps; those outside (low, high) do not matter.
    tolerance : float
        The step is halved until the integral changes by no more than this, relative to the integral of the
        absolute value. The error is then far smaller, about its square for smooth functions.
    inside : bool
        Whether this is the inner one of two integrals. It may then fail to settle, as it does by rounding
        at the far ends of the outer one; the outer one settles or says that it does not.

    Returns
    -------
    numpy.ndarray
        Shape (...).

    Raises
    ------
    ArithmeticError
        If the integral does not settle, because it diverges or the function is too narrow or too rough.

    References
    ----------
    Takahasi, H. and Mori, M. (1974). Double exponential formulas for numerical integration, section 3.
    """
    low, high, *places = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (low, high, *kinks)))
    within = [np.clip(place, low, high) for place in places]
    ends = [low, *np.sort(within, axis=0), high] if within else [low, high]
    pieces = [_piece(function, a, b, tolerance, inside) for a, b in pairwise(ends)]
    return np.sum(pieces, axis=0)


def _piece(
    function: Callable[[np.ndarray], np.ndarray],
    low: np.ndarray,
    high: np.ndarray,
    tolerance: float,
    inside: bool,
) -> np.ndarray:
    before: np.ndarray | None = None
    for level in range(2, (_FINEST_INSIDE if inside else _FINEST) + 1):
        step = 0.5**level
        t = np.arange(-6.0, 6.0 + 0.5 * step, step).reshape(-1, *(1,) * low.ndim)
        with np.errstate(all="ignore"):
            x, slope = _nodes(t, low, high)
            parts = _drop_tails(np.asarray(function(x)) * slope)
        value, size = step * np.sum(parts, axis=0), step * np.sum(np.abs(parts), axis=0)
        if not inside and not np.all(np.isfinite(size)):
            break
        if before is not None and np.all(np.abs(value - before) <= tolerance * size):
            return value
        before = value
    if inside and before is not None:
        return before
    raise ArithmeticError(
        "the quadrature does not settle: the integral diverges or is too narrow or too rough"
    )


def _nodes(t: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return x(t) and dx/dt, which carry the real line to (low, high)."""
    u, du = 0.5 * np.pi * np.sinh(t), 0.5 * np.pi * np.cosh(t)
    start, end = np.isfinite(low), np.isfinite(high)
    a, b = np.where(start, low, 0.0), np.where(end, high, 0.0)
    share, rest = 1.0 / (1.0 + np.exp(-2.0 * u)), 1.0 / (1.0 + np.exp(2.0 * u))
    x = np.select(
        [start & end & (share <= 0.5), start & end, start, end],
        [a + (b - a) * share, b - (b - a) * rest, a + np.exp(u), b - np.exp(-u)],
        np.sinh(u),
    )
    slope = np.select(
        [start & end, start, end],
        [2.0 * (b - a) * share * rest * du, np.exp(u) * du, np.exp(-u) * du],
        np.cosh(u) * du,
    )
    return x, slope


def _drop_tails(parts: np.ndarray) -> np.ndarray:
    """Put 0 where the integrand is not a number beyond all that counts, and nan where it matters."""
    bad = ~np.isfinite(parts)
    if not np.any(bad):
        return parts
    clean = np.where(bad, 0.0, parts)
    size = np.abs(clean)
    counts = size > 1e-18 * np.max(size, axis=0)
    before = np.cumsum(counts, axis=0)
    between = (before > 0) & (before < before[-1]) | np.all(bad, axis=0)
    return np.where(bad & between, np.nan, clean)


def add_up(
    term: Callable[[np.ndarray], np.ndarray],
    mass: Callable[[np.ndarray], np.ndarray],
    low: int,
    shape: tuple[int, ...],
) -> np.ndarray:
    """Sum a series over low, low + 1, … until nothing is left.

    Parameters
    ----------
    term, mass : callable
        Take integers as floats, shape (m, ...), and return the terms and the probabilities, of that shape.
        The sum ends only when the probabilities have added up to 1, so that no late peak is missed.
    low : int
        Where the series starts.
    shape : tuple of int
        Shape of the grid of parameters.

    Returns
    -------
    numpy.ndarray
        Shape `shape`.

    Raises
    ------
    ArithmeticError
        If the series does not settle within four million terms.
    """
    total, size, weight, start, length = (np.zeros(shape), np.zeros(shape), np.zeros(shape), low, 64)
    while start - low < _LONGEST_SERIES:
        n = np.arange(start, start + length, dtype=float).reshape(-1, *(1,) * len(shape))
        with np.errstate(all="ignore"):
            parts, chances = np.broadcast_to(term(n), (length, *shape)), mass(n)
        part = np.sum(np.abs(parts), axis=0)
        total, size = total + np.sum(parts, axis=0), size + part
        weight = weight + np.sum(chances, axis=0)
        if np.all(part <= 1e-17 * size) and np.all(np.abs(weight - 1.0) < 1e-9):
            return total
        start, length = start + length, min(2 * length, _LONGEST_BLOCK)
    raise ArithmeticError("the series does not settle")
