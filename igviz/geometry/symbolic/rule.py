"""Where and with what weight a function is integrated or summed, and the value of that as a number."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from igviz.geometry.symbolic import quadrature
from igviz.geometry.symbolic.compiled import compiled
from igviz.geometry.symbolic.simplification import logarithms_apart

# relative to the highest value of the density
_NEGLIGIBLE = 1e-30


@dataclasses.dataclass(frozen=True)
class Rule:
    """Expectations under exp(log_density) over variables between limits.

    Attributes
    ----------
    variables : tuple of sympy.Symbol
        What is integrated or summed over.
    limits : tuple of pair
        Lowest and highest value of each variable; those of a later one may contain earlier ones.
    log_density : sympy.Expr
        In the variables and the parameters.
    symbols : tuple of sympy.Symbol
        Parameters and constants, in the order in which numbers are given.
    discrete : bool
        Whether this is a sum over integers, for one variable only.
    """

    variables: tuple[sympy.Symbol, ...]
    limits: tuple[tuple[Any, Any], ...]
    log_density: sympy.Expr
    symbols: tuple[sympy.Symbol, ...]
    discrete: bool

    @cached_property
    def density(self) -> sympy.Expr:
        """exp(log_density) as a product of powers and gamma functions as far as possible."""
        product = sympy.Integer(1)
        for term in sympy.Add.make_args(logarithms_apart(self.log_density)):
            factor, rest = term.as_independent(sympy.log, sympy.loggamma, as_Add=False)
            if isinstance(rest, sympy.log):
                product *= rest.args[0] ** factor
            elif isinstance(rest, sympy.loggamma):
                product *= sympy.gamma(rest.args[0]) ** factor
            else:
                product *= sympy.exp(term)
        return product

    def unevaluated(self, function: sympy.Expr) -> sympy.Expr:
        """Return the expectation as a SymPy Integral or Sum, with free factors in front of it."""
        kind = sympy.Sum if self.discrete else sympy.Integral
        factor, rest = (function * self.density).as_independent(*self.variables, as_Add=False)
        # SymPy wants the innermost variable first
        limits = [(v, *ends) for v, ends in zip(self.variables, self.limits, strict=True)][::-1]
        return factor * kind(sympy.powsimp(rest), *limits)

    def mean(self, functions: list[Any], *values: Any) -> list[np.ndarray]:
        """Return the expectations of functions of variables and symbols as numbers.

        Parameters
        ----------
        functions : list of sympy.Expr
            What to average.
        *values : array_like
            One for each symbol; they broadcast.

        Returns
        -------
        list of numpy.ndarray
            Of the broadcast shape.

        Raises
        ------
        ArithmeticError
            If one does not settle, or if the density does not integrate to 1.
        """
        arrays = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in values)) if values else []
        results = []
        for function in [sympy.Integer(1), *functions]:
            results.append(
                self._add_up(function, arrays) if self.discrete else self._integrate(function, arrays)
            )
        if not np.allclose(results[0], 1.0, rtol=0.0, atol=1e-7):
            worst = results[0].flat[np.argmax(np.abs(results[0] - 1.0))]
            raise ArithmeticError(f"the density integrates to {float(worst):.7g} and not to 1")
        return results[1:]

    def _weighted(self, function: sympy.Expr) -> Any:
        names = [*self.variables, *self.symbols]
        evaluate = compiled(names, [function, self.log_density])

        def values(*arguments: Any) -> np.ndarray:
            height, logarithm = evaluate(*arguments)
            mass = np.exp(logarithm)
            product = height * mass
            # ratios of densities underflow to 0/0 where next to nothing can occur
            lost = ~np.isfinite(product) & (mass <= _NEGLIGIBLE * np.max(mass, axis=0))
            return np.where(lost, 0.0, product)

        return values

    def _add_up(self, function: sympy.Expr, arrays: Any) -> np.ndarray:
        term, mass = self._weighted(function), self._weighted(sympy.Integer(1))
        shape = arrays[0].shape if len(arrays) else ()
        low = int(self.limits[0][0])
        return quadrature.add_up(lambda n: term(n, *arrays), lambda n: mass(n, *arrays), low, shape)

    def _integrate(self, function: sympy.Expr, arrays: Any) -> np.ndarray:
        values, depth = self._weighted(function), len(self.variables)
        bounds = [compiled([*self.variables[:i], *self.symbols], pair) for i, pair in enumerate(self.limits)]
        places = self._kinks(function)
        kinks = [compiled([*self.variables[:i], *self.symbols], places[i]) for i in range(depth)]

        def inner(*outer: np.ndarray) -> np.ndarray:
            i = len(outer)
            if i == depth:
                return values(*outer, *arrays)
            low, high = bounds[i](*outer, *arrays)
            shape = np.broadcast_shapes(*(np.shape(a) for a in (*outer, *arrays)))
            return quadrature.integrate(
                lambda x: inner(*outer, x),
                np.broadcast_to(low, shape),
                high,
                kinks[i](*outer, *arrays),
                inside=i > 0,
            )

        return inner()

    def _kinks(self, function: sympy.Expr) -> list[list[sympy.Expr]]:
        """Where an absolute value or a sign changes, for each variable in terms of earlier ones."""
        expression = sympy.Tuple(function, self.log_density)
        arguments = {a.args[0] for a in expression.atoms(sympy.Abs, sympy.sign, sympy.Heaviside)}
        arguments |= {r.lhs - r.rhs for r in expression.atoms(sympy.core.relational.Relational)}
        places: list[list[sympy.Expr]] = [[] for _ in self.variables]
        for argument in sorted(arguments, key=sympy.default_sort_key):
            last = max((i for i, v in enumerate(self.variables) if argument.has(v)), default=None)
            if last is not None and argument.is_polynomial(self.variables[last]):
                coefficients = sympy.Poly(argument, self.variables[last]).all_coeffs()
                if len(coefficients) == 2:
                    places[last].append(-coefficients[1] / coefficients[0])
        return places
