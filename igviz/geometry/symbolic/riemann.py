"""Christoffel symbols, geodesic equations and curvature of a metric, in SymPy.

Indices count from 0 and the metric is g_ij. Conventions: Γ^k_ij = ½·g^kl·(∂_i g_jl + ∂_j g_il − ∂_l g_ij) and
R(∂_i, ∂_j)∂_k = R^l_kij·∂_l = ∇_i∇_j∂_k − ∇_j∇_i∂_k, so that a sphere has positive curvature.

References
----------
Lee, J. M. (2018). Introduction to Riemannian Manifolds, chapters 5, 7 and 8.
Amari, S. (2016). Information Geometry and Its Applications, chapter 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import sympy

from igviz.geometry.symbolic.exponential import require_symbols
from igviz.geometry.symbolic.simplification import tidy


def christoffel_symbols(metric: Any, coordinates: Sequence[sympy.Symbol]) -> sympy.Array:
    """Return the Christoffel symbols of the Levi-Civita connection.

    Parameters
    ----------
    metric : sympy.Matrix or Derived
        Symmetric, k rows and columns, in the coordinates.
    coordinates : sequence of sympy.Symbol
        k of them.

    Returns
    -------
    sympy.Array
        Shape (k, k, k): entry [k, i, j] is Γ^k_ij, the upper index first.

    Raises
    ------
    TypeError, ValueError
        If the coordinates are not symbols, or the metric is not a symmetric matrix of their number.
    """
    symbols, g = _read("christoffel_symbols", metric, coordinates)
    first = _first_kind(g, symbols)
    inverse = tidy(g.inv())
    size = range(len(symbols))
    return sympy.Array(
        [
            [[tidy(sum(inverse[k, m] * first[m][i][j] for m in size)) for j in size] for i in size]
            for k in size
        ]
    )


def geodesic_equations(
    metric: Any, coordinates: Sequence[sympy.Symbol], t: sympy.Symbol
) -> list[sympy.Equality]:
    """Return the geodesic equations, solved for the second derivatives.

    Parameters
    ----------
    metric, coordinates
        As for `christoffel_symbols`.
    t : sympy.Symbol
        Time; each coordinate x becomes the function x(t).

    Returns
    -------
    list of sympy.Eq
        For each k the equation d²x^k/dt² = −Γ^k_ij·(dx^i/dt)·(dx^j/dt).

    Raises
    ------
    TypeError, ValueError
        As for `christoffel_symbols`; also if t is not a symbol or is a coordinate.
    """
    symbols, _ = _read("geodesic_equations", metric, coordinates)
    (time,) = require_symbols("geodesic_equations", "t", t)
    if time in symbols:
        raise ValueError(f"geodesic_equations: t must not be a coordinate, got {time}")
    gamma = christoffel_symbols(metric, symbols)
    path = {symbol: sympy.Function(symbol.name)(time) for symbol in symbols}
    speed = [curve.diff(time) for curve in path.values()]
    size = range(len(symbols))
    equations = []
    for k, curve in zip(size, path.values(), strict=True):
        pull = sum(gamma[k, i, j].subs(path) * speed[i] * speed[j] for i in size for j in size)
        equations.append(sympy.Eq(curve.diff(time, 2), -sympy.expand(pull)))
    return equations


def sectional_curvature(
    metric: Any,
    coordinates: Sequence[sympy.Symbol],
    u: Sequence[Any],
    v: Sequence[Any],
    at: Mapping[sympy.Symbol, Any] | None = None,
) -> sympy.Expr:
    """Return the curvature of the plane that two tangent vectors span.

    Parameters
    ----------
    metric, coordinates
        As for `christoffel_symbols`.
    u, v : sequence of sympy.Expr
        Components of the vectors, k each, not parallel.
    at : mapping from coordinates to values, optional
        A point; without it the result holds everywhere, which takes longer in many dimensions.

    Returns
    -------
    sympy.Expr
        g(R(u, v)v, u)/(g(u, u)·g(v, v) − g(u, v)²).

    Raises
    ------
    TypeError, ValueError
        As for `christoffel_symbols`; also if u or v do not have k components or are parallel.
    """
    symbols, g = _read("sectional_curvature", metric, coordinates)
    first, second = (
        _vector("sectional_curvature", name, w, len(symbols)) for name, w in (("u", u), ("v", v))
    )
    here = _here(g, at)
    area = tidy(
        (first.T * here * first)[0] * (second.T * here * second)[0] - (first.T * here * second)[0] ** 2
    )
    if area == 0:
        raise ValueError(
            f"sectional_curvature: u and v must not be parallel, got {list(first)} and {list(second)}"
        )
    tensor = _lowered(g, symbols, at)
    size = range(len(symbols))
    value = sum(
        (first[i] * second[j] - first[j] * second[i])
        * (first[m] * second[k] - first[k] * second[m])
        * tensor[m, k, i, j]
        for i, j in combinations(size, 2)
        for m, k in combinations(size, 2)
    )
    return tidy(value / area)


def gaussian_curvature(
    metric: Any, coordinates: Sequence[sympy.Symbol], at: Mapping[sympy.Symbol, Any] | None = None
) -> sympy.Expr:
    """Return the curvature of a surface: the sectional curvature of its only plane.

    Parameters
    ----------
    metric, coordinates, at
        As for `sectional_curvature`, with two coordinates.

    Raises
    ------
    TypeError, ValueError
        As for `christoffel_symbols`; also if there are not two coordinates.
    """
    symbols, _ = _read("gaussian_curvature", metric, coordinates)
    if len(symbols) != 2:
        raise ValueError(f"gaussian_curvature: coordinates must be two, got {len(symbols)}")
    return sectional_curvature(metric, symbols, (1, 0), (0, 1), at)


def _read(owner: str, metric: Any, coordinates: Any) -> tuple[tuple[sympy.Symbol, ...], sympy.Matrix]:
    symbols, matrix = require_symbols(owner, "coordinates", coordinates), sympy.Matrix(sympy.sympify(metric))
    size = len(symbols)
    if matrix.shape != (size, size):
        raise ValueError(f"{owner}: metric must have shape ({size}, {size}), got {matrix.shape}")
    if not matrix.is_symmetric():
        raise ValueError(f"{owner}: metric must be symmetric, got {matrix}")
    return symbols, matrix


def _here(expression: Any, at: Mapping[sympy.Symbol, Any] | None) -> Any:
    """Return an expression at a point, if there is one."""
    return expression.xreplace({s: sympy.sympify(value) for s, value in at.items()}) if at else expression


def _vector(owner: str, name: str, value: Sequence[Any], size: int) -> sympy.Matrix:
    components = [sympy.sympify(c) for c in value]
    if len(components) != size:
        raise ValueError(f"{owner}: {name} must have {size} components, got {len(components)}")
    return sympy.Matrix(components)


def _first_kind(g: sympy.Matrix, symbols: tuple[sympy.Symbol, ...]) -> list[list[list[sympy.Expr]]]:
    """Return Γ_l,ij = ½·(∂_i g_jl + ∂_j g_il − ∂_l g_ij), the lowered index first."""
    size = range(len(symbols))
    slope = [g.diff(s) for s in symbols]
    return [
        [[(slope[i][j, m] + slope[j][i, m] - slope[m][i, j]) / 2 for j in size] for i in size] for m in size
    ]


def _lowered(
    g: sympy.Matrix, symbols: tuple[sympy.Symbol, ...], at: Mapping[sympy.Symbol, Any] | None
) -> sympy.Array:
    """Return R_lkij from second derivatives of the metric and products of Christoffel symbols.

    R_lkij = ½·(∂_k∂_i g_lj + ∂_l∂_j g_ki − ∂_k∂_j g_li − ∂_l∂_i g_kj) + g^mn·(Γ_m,ki·Γ_n,lj − Γ_m,kj·Γ_n,li),
    for one of each set of entries that are equal or opposite.
    """
    size = range(len(symbols))
    first = [[[_here(entry, at) for entry in row] for row in block] for block in _first_kind(g, symbols)]
    inverse = tidy(_here(g, at).inv())
    raised = [[[sum(inverse[m, n] * first[n][i][j] for n in size) for j in size] for i in size] for m in size]

    @cache
    def second(m: int, k: int, i: int, j: int) -> sympy.Expr:
        return _here(g[m, k].diff(symbols[i], symbols[j]), at)

    def bend(m: int, k: int, i: int, j: int) -> sympy.Expr:
        return second(min(m, k), max(m, k), min(i, j), max(i, j))

    tensor = sympy.MutableDenseNDimArray.zeros(*[len(symbols)] * 4)
    pairs = list(combinations(size, 2))
    for a, (m, k) in enumerate(pairs):
        for i, j in pairs[a:]:
            value = (bend(m, j, k, i) + bend(k, i, m, j) - bend(m, i, k, j) - bend(k, j, m, i)) / 2
            value += sum(raised[n][k][i] * first[n][m][j] - raised[n][k][j] * first[n][m][i] for n in size)
            value = tidy(value)
            for p, q, r, s in ((m, k, i, j), (i, j, m, k)):
                tensor[p, q, r, s] = tensor[q, p, s, r] = value
                tensor[q, p, r, s] = tensor[p, q, s, r] = -value
    return sympy.Array(tensor)
