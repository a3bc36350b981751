"""Exponential families: everything from the log-partition."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import sympy

from igviz.geometry.symbolic.printing import latex
from igviz.geometry.symbolic.simplification import tidy


class SymbolicExponentialFamily:
    """What the log-partition A(η) of an exponential family determines, each derived when it is asked for.

    Attributes
    ----------
    log_partition : sympy.Expr
        A in nats, in the natural symbols.
    natural_symbols : tuple of sympy.Symbol
        Natural coordinates η.
    """

    def __init__(self, log_partition: sympy.Expr, natural_symbols: tuple[sympy.Symbol, ...]) -> None:
        self.log_partition = log_partition
        self.natural_symbols = natural_symbols

    @cached_property
    def expectation_parameters(self) -> sympy.Matrix:
        """The column ∇A: the means of the sufficient statistics."""
        return tidy(sympy.ImmutableMatrix([self.log_partition.diff(s) for s in self.natural_symbols]))

    @cached_property
    def fisher(self) -> sympy.Matrix:
        """∇²A, the covariance of the sufficient statistics: the Fisher matrix in natural coordinates."""
        return tidy(sympy.ImmutableMatrix(sympy.hessian(self.log_partition, self.natural_symbols)))

    @cached_property
    def cubic_tensor(self) -> sympy.Array:
        """∇³A, the third cumulants of the sufficient statistics, totally symmetric."""
        return sympy.Array([self.fisher.diff(s).applyfunc(tidy).tolist() for s in self.natural_symbols])

    def __repr__(self) -> str:
        names = ", ".join(s.name for s in self.natural_symbols)
        return f"exponential family with log-partition {sympy.sstr(self.log_partition)} in ({names})"

    def _repr_latex_(self) -> str:
        names = ", ".join(latex(s) for s in self.natural_symbols)
        return rf"$\displaystyle A({names}) = {latex(self.log_partition)}$"

    def kl(self, natural: Sequence[Any], other: Sequence[Any]) -> sympy.Expr:
        """Return KL(p_η‖p_η′) = A(η′) − A(η) − ⟨η′ − η, ∇A(η)⟩ in nats, a Bregman divergence.

        Parameters
        ----------
        natural, other : sequence of sympy.Expr
            η and η′, in any parameters.
        """
        here, there = (dict(zip(self.natural_symbols, eta, strict=True)) for eta in (natural, other))
        means = self.expectation_parameters.subs(here, simultaneous=True)
        gap = sympy.Matrix([b - a for a, b in zip(natural, other, strict=True)])
        potential, moved = (self.log_partition.subs(eta, simultaneous=True) for eta in (here, there))
        return tidy(moved - potential - means.dot(gap))

    def fisher_in(self, parameters: Sequence[sympy.Symbol], natural: Sequence[Any]) -> sympy.Matrix:
        """Return Jᵀ·∇²A·J with J = ∂natural/∂parameters, in the parameters.

        By the chain rule ∇²A·J = ∂∇A/∂parameters, which needs no second derivative of A.

        Parameters
        ----------
        parameters : sequence of sympy.Symbol
            New coordinates.
        natural : sequence of sympy.Expr
            Natural coordinates in terms of them.
        """
        there = dict(zip(self.natural_symbols, natural, strict=True))
        means = tidy(self.expectation_parameters.subs(there, simultaneous=True))
        jacobian = sympy.Matrix(list(natural)).jacobian(list(parameters))
        return tidy(jacobian.T * means.jacobian(list(parameters)))


def exponential_family(
    log_partition: sympy.Expr, natural_symbols: Sequence[sympy.Symbol]
) -> SymbolicExponentialFamily:
    """Derive expectation parameters, Fisher matrix and cubic tensor from a log-partition.

    Parameters
    ----------
    log_partition : sympy.Expr
        A(η) in nats.
    natural_symbols : sequence of sympy.Symbol
        η, in minimal coordinates.

    Returns
    -------
    SymbolicExponentialFamily
        With `expectation_parameters` ∇A, `fisher` ∇²A and `cubic_tensor` ∇³A.

    Raises
    ------
    TypeError
        If a natural coordinate is not a symbol.
    ValueError
        If there is none, one occurs twice or the log-partition contains none of them.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, section 2.1.
    """
    symbols = require_symbols("exponential_family", "natural_symbols", natural_symbols)
    potential = sympy.sympify(log_partition)
    missing = [s.name for s in symbols if not potential.has(s)]
    if missing:
        raise ValueError(
            f"exponential_family: log_partition must contain every natural symbol, got {potential} "
            f"without {', '.join(missing)}"
        )
    return SymbolicExponentialFamily(potential, symbols)


def require_symbols(owner: str, name: str, value: Any) -> tuple[sympy.Symbol, ...]:
    """Return a symbol or a sequence of different symbols as a tuple, or say what is wrong."""
    symbols = (value,) if isinstance(value, sympy.Symbol) else tuple(value)
    for symbol in symbols:
        if not isinstance(symbol, sympy.Symbol):
            raise TypeError(f"{owner}: {name} must be SymPy symbols, got {symbol!r}")
    if not symbols:
        raise ValueError(f"{owner}: {name} must name at least one symbol, got none")
    if len(set(symbols)) < len(symbols):
        raise ValueError(f"{owner}: {name} must be different symbols, got {symbols}")
    return symbols
