"""LaTeX as books write it where SymPy writes the names of its functions."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

from sympy.printing.latex import LatexPrinter

# characters of small text that fit beside a notebook's prompt
_LINE = 90


class _Printer(LatexPrinter):
    def _print_polygamma(self, expression: Any, exp: str | None = None) -> str:
        order, argument = expression.args
        name = r"\psi" if order == 0 else rf"\psi^{{({self._print(order)})}}"
        return _power(rf"{name}\left({self._print(argument)}\right)", exp)

    def _print_loggamma(self, expression: Any, exp: str | None = None) -> str:
        return _power(rf"\log \Gamma\left({self._print(expression.args[0])}\right)", exp)


def _power(base: str, exponent: str | None) -> str:
    return base if exponent is None else rf"\left[{base}\right]^{{{exponent}}}"


def latex(expression: Any) -> str:
    """Return LaTeX with ψ for polygamma functions and log Γ, without dollar signs."""
    return _Printer().doprint(expression)


def latex_with_words(expression: Any, words: str) -> str:
    """Return displayed LaTeX of an expression with words in small letters under it, broken into lines."""
    text = words.replace("_", r"\_").replace("%", r"\%")
    rows = [rf"\displaystyle {latex(expression)}", *(rf"\small\text{{{line}}}" for line in wrap(text, _LINE))]
    return r"$\displaystyle \begin{array}{l}" + r"\\".join(rows) + r"\end{array}$"
