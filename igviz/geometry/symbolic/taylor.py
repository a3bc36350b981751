"""The Taylor series of a divergence about the diagonal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy

from igviz.geometry.symbolic.exponential import require_symbols
from igviz.geometry.symbolic.printing import latex
from igviz.geometry.symbolic.simplification import tidy


class TaylorSeries:
    """The terms of D(θ, θ + δ) by their order in δ.

    Attributes
    ----------
    terms : tuple of sympy.Expr
        ``terms[n]`` is the term of order n, a homogeneous polynomial in δ.
    displacement : tuple of sympy.Symbol
        δ, one symbol for each parameter.
    """

    def __init__(self, terms: Sequence[sympy.Expr], displacement: tuple[sympy.Symbol, ...]) -> None:
        self.terms = tuple(terms)
        self.displacement = displacement

    def __getitem__(self, order: int) -> sympy.Expr:
        return self.terms[order]

    def __len__(self) -> int:
        return len(self.terms)

    def __iter__(self) -> Iterator[sympy.Expr]:
        return iter(self.terms)

    @property
    def polynomial(self) -> sympy.Expr:
        """The sum of the terms."""
        return sympy.Add(*self.terms)

    def derivatives(self, order: int) -> Any:
        """Return the derivatives of one order by θ′ on the diagonal.

        Parameters
        ----------
        order : int
            1 for the gradient, a column; 2 for the Hessian, a Matrix, which for a KL divergence is the
            Fisher matrix; more for an Array with that many indices.
        """
        if not 1 <= order < len(self.terms):
            raise ValueError(f"derivatives: order must be from 1 to {len(self.terms) - 1}, got {order}")
        if order == 1:
            return sympy.Matrix([self.terms[1].diff(d) for d in self.displacement])
        if order == 2:
            return sympy.hessian(self.terms[2], self.displacement).applyfunc(tidy)
        array = sympy.derive_by_array(self.terms[order], self.displacement)
        for _ in range(order - 1):
            array = sympy.derive_by_array(array, self.displacement)
        return array.applyfunc(tidy)

    def __repr__(self) -> str:
        return "\n".join(f"order {order}: {sympy.sstr(term)}" for order, term in enumerate(self.terms))

    def _repr_latex_(self) -> str:
        lines = [rf"\text{{order {n}:}} & \displaystyle {latex(t)}" for n, t in enumerate(self.terms)]
        rows = r"\\".join(lines)
        return rf"$\displaystyle \begin{{array}}{{ll}}{rows}\end{{array}}$"


def taylor_divergence(
    divergence: Any,
    parameters: Sequence[sympy.Symbol],
    shifted: Sequence[sympy.Symbol],
    order: int = 3,
) -> TaylorSeries:
    """Expand a divergence D(θ, θ′) about θ′ = θ in δ = θ′ − θ.

    Orders 0 and 1 vanish for every divergence, and order 2 is ½·δᵀ·I·δ for a KL divergence of either
    direction. The directions part at order 3: in natural coordinates η it is (1/6)·∇³A(δ, δ, δ) for
    KL(η‖η + δ) and (1/3)·∇³A(δ, δ, δ) for KL(η + δ‖η).

    Parameters
    ----------
    divergence : sympy.Expr or Derived
        D, in both sets of symbols.
    parameters : sequence of sympy.Symbol
        θ, which stays.
    shifted : sequence of sympy.Symbol
        θ′, in the same order: to expand KL(θ′‖θ) leave the roles here and exchange them in the divergence.
    order : int
        Highest order.

    Returns
    -------
    TaylorSeries
        With terms of order 0 to `order`.

    Raises
    ------
    TypeError
        If a parameter is not a symbol.
    ValueError
        If the lengths differ, the symbols are shared, the order is not an integer from 0, or the divergence
        is not smooth on the diagonal.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, sections 1.3 and 6.2.
    """
    old = require_symbols("taylor_divergence", "parameters", parameters)
    new = require_symbols("taylor_divergence", "shifted", shifted)
    if len(old) != len(new):
        raise ValueError(f"taylor_divergence: shifted must be {len(old)} symbols, got {len(new)}")
    if set(old) & set(new):
        raise ValueError(f"taylor_divergence: shifted must be other symbols than parameters, got {new}")
    if not isinstance(order, int) or order < 0:
        raise ValueError(f"taylor_divergence: order must be an integer from 0, got {order!r}")
    step = sympy.Dummy("step", real=True)
    displacement = tuple(sympy.Symbol(f"delta_{s.name}", real=True) for s in old)
    moved = {after: before + step * d for before, after, d in zip(old, new, displacement, strict=True)}
    along = sympy.sympify(divergence).subs(moved, simultaneous=True)
    if _has_kink(along, step):
        raise ValueError(f"taylor_divergence: divergence must be smooth on the diagonal, got {divergence}")
    terms = []
    for n in range(order + 1):
        term = (along.diff(step, n) if n else along).subs(step, 0) / sympy.factorial(n)
        if term.has(sympy.nan, sympy.zoo, sympy.oo):
            raise ValueError(
                f"taylor_divergence: divergence must be smooth on the diagonal, got {divergence}"
            )
        terms.append(tidy(term))
    return TaylorSeries(terms, displacement)


def _has_kink(expression: sympy.Expr, step: sympy.Symbol) -> bool:
    """Whether an absolute value, a sign, a maximum or a case changes at step = 0."""
    places = [a.args[0] for a in expression.atoms(sympy.Abs, sympy.sign, sympy.Heaviside)]
    places += [a.args[0] - b for a in expression.atoms(sympy.Max, sympy.Min) for b in a.args[1:]]
    places += [c.lhs - c.rhs for c in expression.atoms(sympy.core.relational.Relational)]
    return any(place.has(step) and sympy.simplify(place.subs(step, 0)) == 0 for place in places)
