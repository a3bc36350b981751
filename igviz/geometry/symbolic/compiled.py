"""SymPy expressions as NumPy functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy
from scipy import special

# asking lambdify for "scipy" would load all of SciPy, scipy.stats included
_SPECIAL = {
    "gamma": special.gamma,
    "loggamma": special.gammaln,
    "digamma": special.digamma,
    "trigamma": lambda x: special.polygamma(1, x),
    "polygamma": special.polygamma,
    "beta": special.beta,
    "factorial": lambda n: special.gamma(n + 1.0),
    "binomial": special.binom,
    "erf": special.erf,
    "erfc": special.erfc,
    "zeta": special.zeta,
    "sech": lambda x: 1.0 / np.cosh(x),
    "csch": lambda x: 1.0 / np.sinh(x),
    "coth": lambda x: 1.0 / np.tanh(x),
}


def compiled(symbols: Sequence[sympy.Symbol], expressions: Sequence[Any]) -> Callable[..., list[Any]]:
    """Return a function from arrays, one for each symbol, to the list of the values of the expressions.

    Logarithms of gamma functions and factorials are computed as such, so that they do not overflow.

    Parameters
    ----------
    symbols : sequence of sympy.Symbol
        Arguments of the function.
    expressions : sequence of sympy.Expr
        Closed forms without other free symbols.
    """
    stable = [_without_overflow(sympy.sympify(e)) for e in expressions]
    return sympy.lambdify(list(symbols), stable, modules=[_SPECIAL, "numpy"], cse=True)


def _without_overflow(expression: sympy.Expr) -> sympy.Expr:
    argument = sympy.Wild("argument")
    for function, shift in ((sympy.gamma, 0), (sympy.factorial, 1)):
        expression = expression.replace(sympy.log(function(argument)), sympy.loggamma(argument + shift))
    return expression
