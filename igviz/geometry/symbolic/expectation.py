"""Expectations in SymPy, none of which is believed before quadrature has confirmed it."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import sympy

from igviz.geometry.symbolic.deadline import TimeLimitExceeded, within
from igviz.geometry.symbolic.derived import Derived
from igviz.geometry.symbolic.rule import Rule
from igviz.geometry.symbolic.simplification import expanded, tidy

# agreement that is asked of SymPy's answer, relative to 1 + the size of the number
_AGREEMENT = 1e-8
_NOT_CLOSED = (sympy.Integral, sympy.Sum, sympy.Piecewise, sympy.meijerg, sympy.hyper, sympy.Limit)
_INFINITE = (sympy.oo, -sympy.oo, sympy.zoo, sympy.nan)


class Integrand(NamedTuple):
    """A function under an expectation, in the variables of the rule.

    Attributes
    ----------
    simple : sympy.Expr
        Simplified, for SymPy to integrate and for people to read.
    raw : sympy.Expr
        Not simplified, to be evaluated: another form may overflow, and a check is to be of the original.
    """

    simple: sympy.Expr
    raw: sympy.Expr


@dataclasses.dataclass(frozen=True)
class Attempt:
    """What came of one expectation: a confirmed closed form, or the reason why there is none."""

    value: sympy.Expr | None
    reason: str = ""
    late: bool = False


def attempt(
    rule: Rule, integrand: Integrand, time_limit: float, points: tuple[Any, ...], known: dict[Any, Any]
) -> Attempt:
    """Try to find the expectation of a function under the rule in closed form.

    Parameters
    ----------
    rule : Rule
        Where and with what weight.
    integrand : Integrand
        What to average.
    time_limit : float
        Seconds that SymPy may take.
    points : tuple
        Values of the rule's symbols at which SymPy's answer is compared with quadrature.
    known : dict
        Integrals that were found before; new ones are added.
    """
    word = "sum" if rule.discrete else "integral"
    if not integrand.raw.has(*rule.variables):
        return Attempt(integrand.simple)
    if not integrand.simple.has(*rule.variables):
        return _confirmed(rule, integrand.raw, integrand.simple, points, word)
    try:
        value = within(time_limit, _closed_form, rule, integrand.simple, points, known)
    except TimeLimitExceeded:
        return Attempt(None, f"SymPy's {word} took more than {time_limit:g} s", late=True)
    except Exception as error:  # SymPy gives up with errors of many kinds
        return Attempt(None, f"SymPy's {word} ended in {type(error).__name__}")
    if value.has(*_NOT_CLOSED) and not _is_infinite(value):
        return Attempt(None, f"SymPy found no closed form of the {word}")
    return _confirmed(rule, integrand.raw, value, points, word)


def _confirmed(
    rule: Rule, function: sympy.Expr, value: sympy.Expr, points: tuple[Any, ...], word: str
) -> Attempt:
    for point in points:
        told = sympy.nan
        if not value.has(*_NOT_CLOSED) and not _is_infinite(value):
            told = value.subs(dict(zip(rule.symbols, point, strict=True))).evalf(20)
        shown = sympy.sstr(told.evalf(6)) if told.is_finite else "undefined"
        shown = "infinite" if value.has(sympy.oo, -sympy.oo) else shown
        try:
            found = float(rule.mean([function], *point)[0])
        except ArithmeticError:
            if value in (sympy.oo, -sympy.oo):
                return Attempt(value)
            return Attempt(None, f"SymPy's {word} is {shown} where quadrature does not settle")
        if not told.is_finite or not abs(complex(told) - found) <= _AGREEMENT * (1.0 + abs(found)):
            return Attempt(None, f"SymPy's {word} is {shown} where quadrature gives {found:.6g}")
    return Attempt(value)


def _closed_form(
    rule: Rule, function: sympy.Expr, points: tuple[Any, ...], known: dict[Any, Any]
) -> sympy.Expr:
    """Return SymPy's answer, term by term where the terms converge: that is faster and finds more."""
    total = sympy.Integer(0)
    for piece in sympy.Add.make_args(expanded(function, rule.variables)):
        factor, rest = piece.as_independent(*rule.variables, as_Add=False)
        if rest not in known:
            known[rest] = _one(rule, rest)
        if known[rest].has(*_NOT_CLOSED) or _is_infinite(known[rest]):
            # a term may diverge though the sum does not; if it converges, SymPy has failed
            return factor * known[rest] if _converges(rule, rest, points) else _one(rule, function)
        total += factor * known[rest]
    return tidy(total)


def _is_infinite(value: sympy.Expr) -> bool:
    """Whether an infinity stands in it elsewhere than in the limits of an integral or sum."""
    unevaluated = value.atoms(sympy.Integral, sympy.Sum, sympy.Limit, sympy.Piecewise)
    return value.xreplace({part: sympy.Dummy(positive=True) for part in unevaluated}).has(*_INFINITE)


def _converges(rule: Rule, function: sympy.Expr, points: tuple[Any, ...]) -> bool:
    try:
        rule.mean([function], *points[0])
    except ArithmeticError:
        return False
    return True


def _one(rule: Rule, function: sympy.Expr) -> sympy.Expr:
    integrand = sympy.powsimp(function * rule.density)
    if rule.discrete:
        low, high = rule.limits[0]
        return sympy.summation(integrand, (rule.variables[0], low, high))
    for variable, (low, high) in zip(rule.variables[::-1], rule.limits[::-1], strict=True):
        if (low, high) == (-sympy.oo, sympy.oo):
            integrand = _over_the_line(integrand, variable)
        else:
            integrand = sympy.integrate(integrand, (variable, low, high))
    return integrand


def _over_the_line(integrand: sympy.Expr, variable: sympy.Symbol) -> sympy.Expr:
    """Integrate over the real line, by halves where that is easier: odd, even and absolute values."""
    half = sympy.Dummy(variable.name, positive=True)
    right, left = (sympy.powsimp(integrand.subs(variable, sign * half)) for sign in (1, -1))
    if left == -right:
        return sympy.Integer(0)
    if integrand.has(sympy.Abs, sympy.sign):
        return sum(sympy.integrate(side, (half, 0, sympy.oo)) for side in (right, left))
    if integrand.has(sympy.exp, sympy.functions.elementary.hyperbolic.HyperbolicFunction):
        exponentials = sympy.factor(integrand.rewrite(sympy.exp))
        return sympy.integrate(exponentials, (variable, -sympy.oo, sympy.oo))
    if left == right:
        return 2 * sympy.integrate(right, (half, 0, sympy.oo))
    return sympy.integrate(integrand, (variable, -sympy.oo, sympy.oo))


def averages(
    rule: Rule,
    integrands: list[Integrand],
    columns: int,
    time_limit: float,
    points: tuple[Any, ...],
    known: dict[Any, Any],
) -> Derived:
    """Average each function, in closed form where possible, and tell how.

    Parameters
    ----------
    rule : Rule
        Where and with what weight.
    integrands : list of Integrand
        Entries of a matrix row by row, or a single expression.
    columns : int
        Columns of that matrix; 0 if it is a single expression.
    time_limit, points, known
        As for `attempt`.

    Returns
    -------
    Derived
        Its `expression` is the list of the expectations, its parameters are the rule's symbols.
    """
    found: dict[sympy.Expr, Attempt] = {}
    late: Attempt | None = None
    for integrand in integrands:
        if integrand.simple not in found:
            # the first integral that takes too long ends the search: a matrix of them would take minutes
            found[integrand.simple] = late or attempt(rule, integrand, time_limit, points, known)
            late = found[integrand.simple] if found[integrand.simple].late else late
    values, numerical = [], {}
    for simple, raw in integrands:
        value = found[simple].value
        if value is None:
            value = rule.unevaluated(_readable(rule, Integrand(simple, raw), points))
            numerical[value] = raw
        values.append(value)
    how, reason = _told(rule, [i.simple for i in integrands], columns, found)
    return Derived(values, how, rule.symbols, (), reason, rule, tuple(numerical.items()))


def _readable(rule: Rule, integrand: Integrand, points: tuple[Any, ...]) -> sympy.Expr:
    """Return the simplified function, unless it is SymPy's simplification that was wrong."""
    try:
        simple, raw = rule.mean(list(integrand), *points[0])
    except ArithmeticError:
        return integrand.raw
    return integrand.simple if abs(simple - raw) <= _AGREEMENT * (1.0 + abs(raw)) else integrand.raw


def _told(
    rule: Rule, functions: list[sympy.Expr], columns: int, found: dict[sympy.Expr, Attempt]
) -> tuple[str, str]:
    """Return how the values were obtained, and why some have no closed form."""
    closed, fallback = "SymPy's integral, confirmed by quadrature", "quadrature of the derived integrand"
    if rule.discrete:
        closed, fallback = "SymPy's sum, confirmed by adding up", "the derived series added up"
    failed = {f: a.reason for f, a in found.items() if a.value is None}
    if not failed:
        constant = not any(f.has(*rule.variables) for f in found)
        return ("nothing to integrate: it does not depend on x" if constant else closed), ""
    reasons = "; ".join(dict.fromkeys(failed.values()))
    how = f"{fallback}, because {reasons}"
    if len(failed) == len(found):
        return how, reasons
    places = [divmod(i, columns) for i, f in enumerate(functions) if f in failed]
    shown = ", ".join(f"({row + 1}, {column + 1})" for row, column in places)
    return f"{closed}; entries {shown}: {how}", reasons
