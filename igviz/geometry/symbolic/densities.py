"""A density as SymPy knows it: score, expectations and Fisher matrix."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import sympy

from igviz.geometry.symbolic.deadline import TimeLimitExceeded, within
from igviz.geometry.symbolic.derived import Derived
from igviz.geometry.symbolic.expectation import Integrand, averages
from igviz.geometry.symbolic.exponential import SymbolicExponentialFamily, require_symbols
from igviz.geometry.symbolic.points import generic_points
from igviz.geometry.symbolic.printing import latex
from igviz.geometry.symbolic.rule import Rule
from igviz.geometry.symbolic.simplification import complements, pointwise, substituted, tidy
from igviz.geometry.symbolic.support import outcomes, rule_for

# seconds for the simplification of what is only to be read
_SIMPLIFYING = 5.0
_FORMS = ("outer product", "hessian", "log-partition")
# functions whose second derivative has point masses, which a pointwise derivative misses
_KINKED = (sympy.Abs, sympy.sign, sympy.Heaviside, sympy.Piecewise, sympy.Max, sympy.Min)


class Density:
    """A probability density or mass function of x with parameters, for SymPy.

    Parameters
    ----------
    x : sympy.Symbol or tuple of sympy.Symbol
        What is observed, declared real where it is integrated.
    parameters : sympy.Symbol or tuple of sympy.Symbol
        What the score differentiates by. Other symbols of the density are `constants`.
    log_density : sympy.Expr
        Its logarithm in nats, normalised.
    support : sympy.Set or sequence
        An Interval, ``S.Reals`` included, for an integral; a sequence of outcomes, or ``Range(0, oo)`` or
        ``S.Naturals0``, for a sum. For a tuple x one Interval for each, where the ends of a later one may
        contain earlier symbols, or outcomes that are tuples. Ends may contain parameters.
    location, scale : sympy.Expr, optional
        For one variable x that is integrated: x = location + scale·z is substituted first, which makes
        SymPy fast and puts quadrature in the right place.
    exponential_family : SymbolicExponentialFamily, optional
        What `exponential_family` returns, if the density belongs to one.
    natural : sequence of sympy.Expr, optional
        Its natural coordinates in terms of the parameters.
    points : sequence of sequence of number, optional
        Two values of (*parameters, *constants) at which SymPy's integrals are compared with quadrature.
        Without it they are 1.3, 0.7, … for positive symbols and 0.3, −0.6, … for others.

    Attributes
    ----------
    x, parameters, constants : tuple of sympy.Symbol
        Observations, parameters, and other symbols in alphabetical order.
    log_density : sympy.Expr
        In nats.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above; names it. If the density does not integrate to 1.

    Notes
    -----
    SymPy's own ``E`` is Euler's number 2.718…; the expectation is the method `expectation`.
    """

    def __init__(
        self,
        x: Any,
        parameters: Any,
        log_density: Any,
        support: Any,
        *,
        location: Any = 0,
        scale: Any = 1,
        exponential_family: SymbolicExponentialFamily | None = None,
        natural: Sequence[Any] = (),
        points: Sequence[Sequence[Any]] | None = None,
    ) -> None:
        self.x = require_symbols("Density", "x", x)
        self.parameters = require_symbols("Density", "parameters", parameters)
        if set(self.x) & set(self.parameters):
            raise ValueError(f"Density: parameters must not contain x, got {self.parameters}")
        self.log_density = sympy.sympify(log_density)
        self.support = support
        self.exponential_family, self.natural = exponential_family, tuple(map(sympy.sympify, natural))
        if exponential_family is not None and len(self.natural) != len(exponential_family.natural_symbols):
            raise ValueError(
                f"Density: natural must have {len(exponential_family.natural_symbols)} coordinates, "
                f"got {len(self.natural)}"
            )
        self._outcomes = outcomes(self.x, support)
        self._location, self._scale = sympy.sympify(location), sympy.sympify(scale)
        self._rule: Rule | None = None
        self._there: dict[sympy.Symbol, sympy.Expr] = {}
        if self._outcomes is None:
            self._rule, self._there = rule_for(self.x, support, self.log_density, self._location, self._scale)
        self.constants = self._other_symbols(sympy.Tuple(self.log_density, *self._ends()))
        self._points = points
        self._found: dict[tuple[str, float], Derived] = {}
        self._known: dict[Any, Any] = {sympy.Integer(1): sympy.Integer(1)}
        self._normalised = False
        self._require_sum_one()

    def _ends(self) -> list[Any]:
        return [end for pair in self._rule.limits for end in pair] if self._rule else []

    def _other_symbols(self, *expressions: Any) -> tuple[sympy.Symbol, ...]:
        """Symbols that are neither observed nor a parameter, in alphabetical order."""
        free = set().union(*(sympy.sympify(e).free_symbols for e in expressions))
        free -= {*self.x, *self.parameters, *(self._rule.variables if self._rule else ())}
        return tuple(sorted(free, key=lambda s: s.name))

    def __repr__(self) -> str:
        x, names = (", ".join(s.name for s in group) for group in (self.x, self.parameters))
        return f"density of {x} with parameters ({names}) and log-density {sympy.sstr(self.log_density)}"

    def _repr_latex_(self) -> str:
        x, names = (", ".join(latex(s) for s in group) for group in (self.x, self.parameters))
        return rf"$\displaystyle \log p({x}; {names}) = {latex(self.log_density)}$"

    # -- derivatives ---------------------------------------------------------------------------------------

    def score(self) -> sympy.Matrix:
        """Return the column of the derivatives of the log-density by the parameters."""

        def simplified(entry: sympy.Expr) -> sympy.Expr:
            try:
                return within(_SIMPLIFYING, sympy.simplify, entry)
            except TimeLimitExceeded:
                return entry

        return self._derivatives().applyfunc(simplified)

    def _derivatives(self) -> sympy.Matrix:
        return sympy.Matrix([pointwise(self.log_density.diff(p)) for p in self.parameters])

    def hessian(self) -> sympy.Matrix:
        """Return the second derivatives of the log-density, taken pointwise: a kink adds nothing."""
        bound = self._rule.variables if self._rule is not None else self.x
        back = {z: (x - self._location) / self._scale for x, z in zip(self.x, bound, strict=True)}
        return self._second_derivatives().applyfunc(
            lambda entry: self._carried(entry, _SIMPLIFYING).simple.subs(back, simultaneous=True)
        )

    def _second_derivatives(self) -> sympy.Matrix:
        return sympy.hessian(self.log_density, self.parameters).applyfunc(pointwise)

    # -- expectations --------------------------------------------------------------------------------------

    def expectation(self, function: Any, *, time_limit: float = 5.0) -> Derived:
        """Return the expectation of a function of x under the density.

        Parameters
        ----------
        function : sympy.Expr or sympy.Matrix
            In x, the parameters and possibly other symbols.
        time_limit : float
            Seconds of processor time for each integral; the first that takes longer ends the search.

        Returns
        -------
        Derived
            With a closed form where SymPy finds one in time *and* quadrature agrees at two generic points.
        """
        return self._expect(sympy.sympify(function), time_limit)

    def mean_score(self, *, time_limit: float = 5.0) -> Derived:
        """Return E[score], a column: zero unless the support moves with the parameters."""
        return self._expect(self._derivatives(), time_limit)

    def kl(self, other: Sequence[sympy.Symbol], *, time_limit: float = 5.0) -> Derived:
        """Return KL(p(·; parameters)‖p(·; other)) in nats.

        For an exponential family whose Hessian does not depend on x, and instead of a double integral, it is
        the Bregman divergence of the log-partition; else an expectation.

        Parameters
        ----------
        other : sequence of sympy.Symbol
            One symbol for each parameter; `numeric` takes them after the parameters.
        time_limit : float
            Seconds of processor time for the integral.
        """
        others = require_symbols("Density.kl", "other", other)
        if len(others) != len(self.parameters):
            raise ValueError(f"Density.kl: other must have {len(self.parameters)} symbols, got {len(others)}")
        exchange = dict(zip(self.parameters, others, strict=True))
        if self.exponential_family is not None and self._cheapest_form() != "outer product":
            return self._bregman(exchange, "Bregman divergence of the log-partition")
        gap = sympy.expand_log(self.log_density - self.log_density.subs(exchange, simultaneous=True))
        derived = self._expect(gap, time_limit, others)
        if self.exponential_family is None or not derived.reason:
            return derived
        return self._bregman(exchange, f"Bregman divergence of the log-partition, because {derived.reason}")

    def _bregman(self, exchange: dict[sympy.Symbol, sympy.Symbol], how: str) -> Derived:
        assert self.exponential_family is not None
        other = [eta.subs(exchange, simultaneous=True) for eta in self.natural]
        value = self.exponential_family.kl(self.natural, other)
        return Derived(value, how, (*self.parameters, *exchange.values()), self.constants)

    def fisher(self, form: str | None = None, *, time_limit: float = 5.0) -> Derived:
        """Return the Fisher matrix.

        Parameters
        ----------
        form : {"outer product", "hessian", "log-partition"}, optional
            E[score·scoreᵀ]; −E[∇² log-density], with pointwise derivatives; or Jᵀ·∇²A·J, J = ∂natural/
            ∂parameters, for an exponential family. All agree for regular families. Without it the Hessian is
            taken if it does not depend on x, so that nothing has to be integrated; the log-partition, if it
            is known, instead of a double integral; and else the outer product. Where SymPy has no confirmed
            integral, an exponential family falls back on ∇²A. What was found is kept.
        time_limit : float
            Seconds of processor time for each integral; the first that takes longer ends the search.

        Returns
        -------
        Derived
            A matrix, with what it took in `how`.

        Raises
        ------
        ValueError
            If the form is none of these, or "log-partition" is asked of another density.
        """
        if form is not None and form not in _FORMS:
            raise ValueError(
                f"Density.fisher: form must be one of {', '.join(map(repr, _FORMS))}, got {form!r}"
            )
        if form == "log-partition" and self.exponential_family is None:
            raise ValueError("Density.fisher: form 'log-partition' needs exponential_family=, got None")
        _require_positive(time_limit)
        key = (form or self._cheapest_form(), time_limit)
        if key not in self._found:
            self._found[key] = self._fisher(*key)
        return self._found[key]

    def _fisher(self, form: str, time_limit: float) -> Derived:
        if form == "log-partition":
            return self._from_log_partition("Hessian of the log-partition")
        if form == "hessian":
            hessian = self._second_derivatives()
            derived = self._expect(-hessian, time_limit)
            if not hessian.has(*self.x):
                how = "Hessian of the log-density, which does not depend on x"
                derived = dataclasses.replace(derived, how=how)
        else:
            # simplified before it is multiplied, so that squares stay squares
            score = [self._carried(entry, time_limit) for entry in self._derivatives()]
            products = [Integrand(a.simple * b.simple, a.raw * b.raw) for a in score for b in score]
            derived = self._average(products, (len(score), len(score)), time_limit)
        if self.exponential_family is None or not derived.reason:
            return derived
        return self._from_log_partition(f"Hessian of the log-partition, because {derived.reason}")

    def _from_log_partition(self, how: str) -> Derived:
        assert self.exponential_family is not None
        matrix = self.exponential_family.fisher_in(self.parameters, self.natural)
        return Derived(sympy.ImmutableMatrix(matrix), how, self.parameters, self.constants)

    def _cheapest_form(self) -> str:
        if self._has_constant_hessian():
            return "hessian"
        double_integral = self._rule is not None and len(self.x) > 1
        return "log-partition" if double_integral and self.exponential_family else "outer product"

    def _has_constant_hessian(self) -> bool:
        moving = any(end.has(*self.parameters) for end in self._ends())
        return (
            not moving and not self.log_density.has(*_KINKED) and not self._second_derivatives().has(*self.x)
        )

    # -- how an expectation is found -----------------------------------------------------------------------

    def _carried(self, function: sympy.Expr, time_limit: float) -> Integrand:
        """Return a function of x in terms of the variables of the rule, simplified if that is quick."""
        if self._rule is None:
            return Integrand(function, function)
        try:
            simple = within(time_limit, substituted, function, self._there)
        except TimeLimitExceeded:
            simple = function.subs(self._there, simultaneous=True)
        return Integrand(simple, function.subs(self._there, simultaneous=True))

    def _expect(self, function: Any, time_limit: float, extra: tuple[sympy.Symbol, ...] = ()) -> Derived:
        """Average a function of x, or a matrix of them."""
        _require_positive(time_limit)
        self._require_no_variable(function)
        shape = function.shape if isinstance(function, sympy.MatrixBase) else None
        entries = list(function) if shape else [function]
        return self._average([self._carried(e, time_limit) for e in entries], shape, time_limit, extra)

    def _average(
        self,
        integrands: list[Integrand],
        shape: tuple[int, int] | None,
        time_limit: float,
        extra: tuple[sympy.Symbol, ...] = (),
    ) -> Derived:
        """Average entry by entry, each different entry once."""
        others = self._other_symbols(self.log_density, *self._ends(), *(i.raw for i in integrands))
        constants = tuple(s for s in others if s not in extra)
        parameters = (*self.parameters, *extra)
        if self._rule is None:
            values = [self._over_outcomes(integrand.raw) for integrand in integrands]
            result = Derived(values, "sum over the outcomes", parameters, constants)
        else:
            rule = dataclasses.replace(self._rule, symbols=(*parameters, *constants))
            self._require_integral_one(rule)
            points = self._test_points(rule, extra)
            result = averages(rule, integrands, shape[1] if shape else 0, time_limit, points, self._known)
            result = dataclasses.replace(result, parameters=parameters, constants=constants)
        values = result.expression
        expression = sympy.ImmutableMatrix(*shape, values) if shape else values[0]
        return dataclasses.replace(result, expression=expression)

    def _require_no_variable(self, function: Any) -> None:
        if self._rule is None:
            return
        for variable in set(self._rule.variables) - set(self.x):
            if sympy.sympify(function).has(variable):
                raise ValueError(f"Density: {variable} is the variable of integration, got it in {function}")

    def _over_outcomes(self, function: sympy.Expr) -> sympy.Expr:
        mass = sympy.exp(self.log_density)
        total = tidy(sum((function * mass).subs(o, simultaneous=True) for o in self._outcomes or ()))
        return complements(total)

    def _test_points(self, rule: Rule, extra: tuple[sympy.Symbol, ...] = ()) -> tuple[tuple[Any, ...], ...]:
        return generic_points((*self.parameters, *self.constants), extra, self._points, rule.symbols)

    def _require_sum_one(self) -> None:
        if self._outcomes is None:
            return
        total = self._over_outcomes(sympy.Integer(1))
        if total != 1 and not total.equals(1):
            raise ValueError(f"Density: log_density must give probabilities with sum 1, got {total}")

    def _require_integral_one(self, rule: Rule) -> None:
        if self._normalised:
            return
        for point in self._test_points(rule):
            try:
                rule.mean([], *point)
            except ArithmeticError as error:
                at = ", ".join(f"{s} = {value}" for s, value in zip(rule.symbols, point, strict=True))
                raise ValueError(
                    f"Density: log_density must be that of a normalised density, but at {at} {error} "
                    "(points= names other places to try)"
                ) from None
        self._normalised = True


def _require_positive(time_limit: float) -> None:
    if not time_limit > 0.0:
        raise ValueError(f"Density: time_limit must be positive, got {time_limit!r}")
