"""A result that says how it was obtained, prints as LaTeX and turns into numbers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import sympy

from igviz.geometry.symbolic.compiled import compiled
from igviz.geometry.symbolic.printing import latex_with_words
from igviz.geometry.symbolic.rule import Rule


@dataclasses.dataclass(frozen=True, repr=False)
class Derived:
    """An expression that SymPy derived, with the way it was obtained.

    Attributes
    ----------
    expression : sympy.Expr or sympy.ImmutableMatrix
        The result; entries that have no confirmed closed form are Integral or Sum, not evaluated.
    how : str
        How it was obtained, in words.
    parameters : tuple of sympy.Symbol
        What `numeric` takes values of, in this order.
    constants : tuple of sympy.Symbol
        Other symbols of the density, which `numeric` takes by name.
    reason : str
        Why there is no closed form by integration, if there is none.
    """

    expression: Any
    how: str
    parameters: tuple[sympy.Symbol, ...]
    constants: tuple[sympy.Symbol, ...] = ()
    reason: str = ""
    _rule: Rule | None = None
    # the Integral or Sum as it stands in the expression -> the function under the expectation
    _averages: tuple[tuple[sympy.Expr, sympy.Expr], ...] = ()

    def __repr__(self) -> str:
        return f"{sympy.sstr(self.expression)}\n({self.how})"

    def _repr_latex_(self) -> str:
        return latex_with_words(self.expression, f"({self.how})")

    def _sympy_(self) -> Any:
        return self.expression

    def numeric(self, *values: Any, **constants: float) -> np.ndarray:
        """Return the result as numbers, for a grid of parameters at once.

        Parameters
        ----------
        *values : array_like
            One for each of `parameters`; they broadcast to a shape (...).
        **constants : float
            One for each of `constants`, by its name.

        Returns
        -------
        numpy.ndarray
            Shape (...) for an expression, (..., k, m) for a matrix of k rows and m columns.

        Raises
        ------
        TypeError
            If the number of values or the names of the constants are not those of the density.
        ArithmeticError
            If a quadrature does not settle.
        """
        self._require(values, constants)
        numbers = [*values, *(constants[s.name] for s in self.constants)]
        arrays = [np.array(a) for a in np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in numbers))]
        shape = arrays[0].shape if arrays else ()
        symbols = [*self.parameters, *self.constants]
        averaged = []
        if self._rule is not None and self._averages:
            averaged = self._rule.mean([function for _, function in self._averages], *arrays)
        names = [sympy.Dummy() for _ in self._averages]
        closed = {average: name for (average, _), name in zip(self._averages, names, strict=True)}
        matrix = isinstance(self.expression, sympy.MatrixBase)
        entries = list(self.expression) if matrix else [self.expression]
        evaluate = compiled([*symbols, *names], [sympy.sympify(e).xreplace(closed) for e in entries])
        flat = [np.broadcast_to(np.asarray(v, dtype=float), shape) for v in evaluate(*arrays, *averaged)]
        if not matrix:
            return np.array(flat[0])[()]
        rows, columns = self.expression.shape
        return np.stack(flat, axis=-1).reshape(*shape, rows, columns)

    def _require(self, values: tuple[Any, ...], constants: dict[str, float]) -> None:
        if len(values) != len(self.parameters):
            names = ", ".join(s.name for s in self.parameters)
            raise TypeError(f"numeric: takes one value for each of ({names}), got {len(values)}")
        expected = [s.name for s in self.constants]
        if sorted(constants) != sorted(expected):
            raise TypeError(f"numeric: takes the constants {expected} by name, got {sorted(constants)}")
