"""Simplifications that SymPy's own do not make, or not fast enough."""

from __future__ import annotations

from typing import Any

import sympy


def tidy(expression: Any) -> Any:
    """Simplify, in the factored form if that is not longer; ratios of gamma functions cancel first."""
    if isinstance(expression, sympy.MatrixBase):
        return expression.applyfunc(tidy)
    if expression.has(sympy.gamma, sympy.factorial, sympy.beta):
        expression = sympy.gammasimp(sympy.powsimp(sympy.expand_func(expression)))
    if expression.is_rational_function():
        return sympy.factor(expression)
    plain = sympy.simplify(expression)
    short = min((plain, sympy.factor(plain)), key=lambda e: (sympy.count_ops(e), sympy.default_sort_key(e)))
    return sympy.expand_log(short) if any(map(_has_open_power, short.atoms(sympy.log))) else short


def _has_open_power(logarithm: sympy.Expr) -> bool:
    """Whether it is the logarithm of a power such as p**p, which overflows and is hard to read."""
    return any(power.exp.free_symbols for power in logarithm.args[0].atoms(sympy.Pow))


def complements(expression: sympy.Expr) -> sympy.Expr:
    """Write p − 1 as −(1 − p) in the factors of a product where the signs then cancel."""
    factors, flipped = [], 1
    for factor in sympy.Mul.make_args(expression):
        base, exponent = factor.as_base_exp()
        constant, rest = base.as_coeff_Add()
        if exponent.is_odd and constant.is_negative and not rest.could_extract_minus_sign():
            factor, flipped = (-base) ** exponent, -flipped
        factors.append(factor)
    result = sympy.Mul(flipped, *factors)
    return expression if result.as_coeff_Mul()[0].is_negative else result


def substituted(expression: sympy.Expr, there: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
    """Substitute, and simplify factor by factor, so that a square stays a square."""
    if expression.is_Mul or (expression.is_Pow and expression.exp.is_Integer):
        return expression.func(*(substituted(part, there) for part in expression.args))
    return sympy.factor_terms(sympy.factor(sympy.simplify(expression.subs(there, simultaneous=True))))


def expanded(function: sympy.Expr, variables: tuple[sympy.Symbol, ...]) -> sympy.Expr:
    """Multiply out all but the denominators."""
    hidden: dict[sympy.Expr, sympy.Dummy] = {}

    def hide(power: sympy.Expr) -> sympy.Expr:
        # 1 + z²/4 and 4 + z² are to be seen as powers of one base
        content, primitive = power.base.as_content_primitive()
        return content**power.exp * hidden.setdefault(primitive, sympy.Dummy()) ** power.exp

    def is_denominator(e: sympy.Expr) -> bool:
        return e.is_Pow and e.exp.could_extract_minus_sign() and e.base.has(*variables)

    open_form = sympy.expand(function.replace(is_denominator, hide), power_base=False, log=False)
    return open_form.xreplace({dummy: base for base, dummy in hidden.items()})


def logarithms_apart(expression: sympy.Expr) -> sympy.Expr:
    """Return a sum in which each logarithm stands in one term, with its coefficient."""
    together = expression.replace(sympy.log, lambda argument: sympy.log(sympy.together(argument)))
    terms = []
    for term in sympy.Add.make_args(sympy.expand_log(together)):
        terms.append(sympy.expand_mul(term) if term.has(sympy.log) else term)
    return sympy.collect(sympy.Add(*terms), _logarithms(terms))


def _logarithms(terms: list[sympy.Expr]) -> list[sympy.Expr]:
    found = sympy.Tuple(*terms).atoms(sympy.log)
    return sorted((f for f in found if f.args[0].free_symbols), key=sympy.default_sort_key)


def pointwise(expression: sympy.Expr) -> sympy.Expr:
    """Return a derivative as it is almost everywhere: without point masses."""
    return expression.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
