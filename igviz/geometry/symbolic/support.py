"""The support of a density: outcomes to sum over, or a rule to integrate or sum by."""

from __future__ import annotations

from typing import Any

import sympy

from igviz.geometry.symbolic.rule import Rule

_ALLOWED = (
    "an Interval (for several variables one for each), Range(a, oo), S.Naturals0 or a sequence of outcomes"
)


def outcomes(variables: tuple[sympy.Symbol, ...], support: Any) -> list[dict[sympy.Symbol, Any]] | None:
    """Return the finitely many outcomes as substitutions, or None if the support is not finite."""
    if isinstance(support, sympy.Range) and support.is_finite_set:
        support = list(support)
    if isinstance(support, sympy.Set) and not isinstance(support, sympy.FiniteSet):
        return None
    if not isinstance(support, (sympy.FiniteSet, tuple, list, range, set, frozenset)):
        raise TypeError(f"Density: support must be {_ALLOWED}, got {support!r}")
    if any(isinstance(part, sympy.Set) for part in support):
        return None
    values = sorted((sympy.sympify(v) for v in support), key=sympy.default_sort_key)
    if not values:
        raise ValueError("Density: support must hold at least one outcome, got none")
    found = []
    for value in values:
        parts = (value,) if len(variables) == 1 else tuple(value) if isinstance(value, sympy.Tuple) else ()
        if len(parts) != len(variables):
            raise ValueError(f"Density: an outcome must have {len(variables)} entries as x has, got {value}")
        found.append(dict(zip(variables, parts, strict=True)))
    return found


def rule_for(
    variables: tuple[sympy.Symbol, ...],
    support: Any,
    log_density: sympy.Expr,
    location: sympy.Expr,
    scale: sympy.Expr,
) -> tuple[Rule, dict[sympy.Symbol, sympy.Expr]]:
    """Return the rule, and the substitution that carries functions of x to its variables."""
    sets = tuple(support) if isinstance(support, (tuple, list)) else (support,)
    if len(sets) != len(variables):
        raise ValueError(f"Density: support must be one set for each of {variables}, got {len(sets)}")
    if not isinstance(sets[0], sympy.Interval) and len(variables) == 1:
        low = _lowest_integer(sets[0])
        inside = sympy.Symbol(variables[0].name, integer=True, nonnegative=True if low >= 0 else None)
        there = {variables[0]: inside}
        return Rule((inside,), ((low, sympy.oo),), log_density.subs(there), (), discrete=True), there
    standard = (location, scale) != (0, 1)
    if standard and len(variables) > 1:
        raise ValueError(f"Density: location and scale are for one variable x, got {variables}")
    there, limits, bound = {}, [], []
    for variable, interval in zip(variables, sets, strict=True):
        if not isinstance(interval, sympy.Interval):
            raise TypeError(f"Density: support must be {_ALLOWED}, got {interval!r}")
        if not variable.is_extended_real:
            raise ValueError(f"Density: x must be declared real to be integrated, got {variable} without")
        ends = [((end - location) / scale).subs(there) for end in (interval.start, interval.end)]
        name = _unused(log_density) if standard else variable.name
        inside = sympy.Symbol(name, **({"positive": True} if ends[0].is_nonnegative else {"real": True}))
        there[variable] = location + scale * inside
        bound.append(inside)
        limits.append((ends[0], ends[1]))
    carried = log_density.subs(there, simultaneous=True) + sympy.log(scale)
    return Rule(tuple(bound), tuple(limits), carried, (), discrete=False), there


def _lowest_integer(integers: Any) -> sympy.Integer:
    if integers in (sympy.S.Naturals0, sympy.S.Naturals):
        return sympy.Integer(0 if integers is sympy.S.Naturals0 else 1)
    is_ray = isinstance(integers, sympy.Range) and integers.step == 1 and integers.stop is sympy.oo
    if not is_ray or not integers.start.is_Integer:
        raise TypeError(f"Density: support must be {_ALLOWED}, got {integers!r}")
    return integers.start


def _unused(expression: sympy.Expr) -> str:
    taken = {s.name for s in expression.free_symbols}
    return next(name for name in ("z", "u", "w", "z_0") if name not in taken)
