"""A Fisher matrix in other coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from igviz.geometry.symbolic.exponential import require_symbols
from igviz.geometry.symbolic.simplification import tidy


def change_coordinates(
    fisher: Any,
    old: Sequence[sympy.Symbol],
    new: Sequence[sympy.Symbol],
    old_in_terms_of_new: Sequence[Any],
) -> sympy.Matrix:
    """Return I_new = Jᵀ·I·J with J = ∂old/∂new, in the new coordinates.

    Parameters
    ----------
    fisher : sympy.Matrix or Derived
        Fisher matrix, or any metric, in the old coordinates; k rows and columns.
    old : sequence of sympy.Symbol
        The k old coordinates.
    new : sequence of sympy.Symbol
        The new coordinates, as many or fewer: with fewer it is the metric of a submodel.
    old_in_terms_of_new : sequence of sympy.Expr
        The old coordinates as functions of the new ones. A new coordinate may have the name of an old one.

    Returns
    -------
    sympy.Matrix
        Simplified.

    Raises
    ------
    TypeError
        If a coordinate is not a symbol.
    ValueError
        If the lengths do not fit, or the matrix is not symmetric.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, section 1.3.
    """
    before = require_symbols("change_coordinates", "old", old)
    after = require_symbols("change_coordinates", "new", new)
    matrix = require_metric("change_coordinates", "fisher", fisher, len(before))
    given = (
        old_in_terms_of_new
        if isinstance(old_in_terms_of_new, Sequence | sympy.Tuple)
        else (old_in_terms_of_new,)
    )
    values = [sympy.sympify(v) for v in given]
    if len(values) != len(before):
        raise ValueError(
            f"change_coordinates: old_in_terms_of_new must have one expression for each of {before}, "
            f"got {len(values)}"
        )
    if len(after) > len(before):
        raise ValueError(
            f"change_coordinates: new must be at most {len(before)} coordinates, as old is, got {len(after)}"
        )
    jacobian = sympy.Matrix(values).jacobian(after)
    there = matrix.subs(dict(zip(before, values, strict=True)), simultaneous=True)
    return tidy(jacobian.T * there * jacobian)


def require_metric(owner: str, name: str, value: Any, size: int) -> sympy.Matrix:
    """Return a symmetric matrix of `size` rows, or say what is wrong."""
    matrix = sympy.Matrix(sympy.sympify(value))
    if matrix.shape != (size, size):
        raise ValueError(f"{owner}: {name} must have shape ({size}, {size}), got {matrix.shape}")
    if not matrix.is_symmetric():
        raise ValueError(f"{owner}: {name} must be symmetric, got {matrix}")
    return matrix
