"""The density of every family of the package, by name, for SymPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import sympy
from sympy import Interval, Rational, S, log, loggamma, oo, pi, symbols

from igviz.geometry.symbolic.densities import Density
from igviz.geometry.symbolic.exponential import exponential_family


def density(family: str | type, **constants: Any) -> Density:
    """Return the symbolic density of a family of the package.

    Parameters
    ----------
    family : str or type
        Name of a family, such as "Gamma", or the class itself, such as ``ig.Gamma``. Categorical and
        Dirichlet have three classes, MultivariateNormal two dimensions.
    **constants
        Only ``degrees_of_freedom`` of "StudentT": a number or a positive SymPy symbol, ν without it.

    Returns
    -------
    Density
        Its parameters are the source coordinates of the numerical class, in their order, so that
        ``density("Gamma").fisher().numeric(*p.source)`` is to be compared with ``p.fisher("source")``.

    Raises
    ------
    TypeError
        If a constant is not one of the family.
    ValueError
        If there is no family of this name; lists them. If the degrees of freedom are not positive.
    """
    name = family.__name__ if isinstance(family, type) else family
    if name not in FAMILIES:
        names = ", ".join(FAMILIES)
        raise ValueError(f"density: family must be one of {names}, got {name!r}")
    allowed = {"degrees_of_freedom"} if name == "StudentT" else set()
    if not set(constants) <= allowed:
        raise TypeError(f"density: {name} takes {sorted(allowed) or 'no constants'}, got {sorted(constants)}")
    return _made(name, **constants)


@cache
def _made(name: str, **constants: Any) -> Density:
    """One object for each family, so that what it has found out is found once."""
    return FAMILIES[name](**constants)


def _normal() -> Density:
    x, mean = symbols("x mu", real=True)
    std = sympy.Symbol("sigma", positive=True)
    first, second = sympy.Symbol("eta_1", real=True), sympy.Symbol("eta_2", negative=True)
    return Density(
        x,
        (mean, std),
        -(((x - mean) / std) ** 2) / 2 - log(std) - log(2 * pi) / 2,
        S.Reals,
        location=mean,
        scale=std,
        exponential_family=exponential_family(
            -(first**2) / (4 * second) + log(-pi / second) / 2, (first, second)
        ),
        natural=(mean / std**2, -1 / (2 * std**2)),
    )


def _bernoulli() -> Density:
    x, natural = symbols("x eta", real=True)
    p = sympy.Symbol("p", positive=True)
    return Density(
        x,
        p,
        x * log(p) + (1 - x) * log(1 - p),
        (0, 1),
        exponential_family=exponential_family(log(1 + sympy.exp(natural)), natural),
        natural=(log(p / (1 - p)),),
    )


def _categorical() -> Density:
    """Three classes; x is the indicator of class 0 and of class 1, so that class 2 is (0, 0)."""
    x = symbols("x_0 x_1", real=True)
    p, natural = symbols("p_0 p_1", positive=True), symbols("eta_0 eta_1", real=True)
    last = 1 - p[0] - p[1]
    return Density(
        x,
        p,
        x[0] * log(p[0]) + x[1] * log(p[1]) + (1 - x[0] - x[1]) * log(last),
        ((1, 0), (0, 1), (0, 0)),
        exponential_family=exponential_family(log(1 + sum(map(sympy.exp, natural))), natural),
        natural=(log(p[0] / last), log(p[1] / last)),
    )


def _poisson() -> Density:
    x = sympy.Symbol("x", integer=True, nonnegative=True)
    rate, natural = sympy.Symbol("lambda", positive=True), sympy.Symbol("eta", real=True)
    return Density(
        x,
        rate,
        x * log(rate) - rate - log(sympy.factorial(x)),
        S.Naturals0,
        exponential_family=exponential_family(sympy.exp(natural), natural),
        natural=(log(rate),),
    )


def _exponential() -> Density:
    x, rate = symbols("x lambda", positive=True)
    natural = sympy.Symbol("eta", negative=True)
    return Density(
        x,
        rate,
        log(rate) - rate * x,
        Interval(0, oo),
        scale=1 / rate,
        exponential_family=exponential_family(-log(-natural), natural),
        natural=(-rate,),
    )


def _gamma() -> Density:
    x, shape, rate = symbols("x alpha beta", positive=True)
    first, second = sympy.Symbol("eta_1", real=True), sympy.Symbol("eta_2", negative=True)
    return Density(
        x,
        (shape, rate),
        shape * log(rate) + (shape - 1) * log(x) - rate * x - loggamma(shape),
        Interval(0, oo),
        scale=1 / rate,
        exponential_family=exponential_family(
            loggamma(first + 1) - (first + 1) * log(-second), (first, second)
        ),
        natural=(shape - 1, -rate),
    )


def _beta() -> Density:
    x, a, b = symbols("x a b", positive=True)
    normaliser = loggamma(a) + loggamma(b) - loggamma(a + b)
    return Density(
        x,
        (a, b),
        (a - 1) * log(x) + (b - 1) * log(1 - x) - normaliser,
        Interval(0, 1),
        exponential_family=exponential_family(normaliser, (a, b)),
        natural=(a, b),
        points=((Rational(13, 10), Rational(17, 10)), (Rational(21, 10), Rational(6, 5))),
    )


def _dirichlet() -> Density:
    """Three classes; x holds the first two shares."""
    x, a = symbols("x_1 x_2", positive=True), symbols("alpha_1:4", positive=True)
    shares = (*x, 1 - x[0] - x[1])
    normaliser = sum(map(loggamma, a)) - loggamma(sum(a))
    return Density(
        x,
        a,
        sum((c - 1) * log(share) for c, share in zip(a, shares, strict=True)) - normaliser,
        (Interval(0, 1), Interval(0, 1 - x[0])),
        exponential_family=exponential_family(normaliser, a),
        natural=a,
        points=((Rational(13, 10), Rational(17, 10), Rational(6, 5)), (Rational(21, 10), Rational(6, 5), 2)),
    )


def _location_scale(log_density: Callable[[Any], Any]) -> Density:
    """Return the density of location + scale·z from the logarithm of that of z."""
    x, location = symbols("x mu", real=True)
    scale = sympy.Symbol("sigma", positive=True)
    z = (x - location) / scale
    return Density(x, (location, scale), log_density(z) - log(scale), S.Reals, location=location, scale=scale)


def _laplace() -> Density:
    return _location_scale(lambda z: -abs(z) - log(2))


def _cauchy() -> Density:
    return _location_scale(lambda z: -log(1 + z**2) - log(pi))


def _student_t(degrees_of_freedom: Any = None) -> Density:
    nu = sympy.Symbol("nu", positive=True) if degrees_of_freedom is None else degrees_of_freedom
    nu = sympy.nsimplify(nu, rational=True)
    if not nu.is_positive:
        raise ValueError(f"density: degrees_of_freedom must be positive, got {degrees_of_freedom!r}")
    constant = loggamma((nu + 1) / 2) - loggamma(nu / 2) - log(pi * nu) / 2
    return _location_scale(lambda z: constant - (nu + 1) / 2 * log(1 + z**2 / nu))


def _logistic() -> Density:
    # as 1/(4·cosh²(z/2)), which is even in z for SymPy too
    return _location_scale(lambda z: -2 * log(2 * sympy.cosh(z / 2)))


def _multivariate_normal() -> Density:
    """Two dimensions; the parameters are the mean and the lower triangle of the covariance."""
    x, mean = symbols("x_1 x_2", real=True), symbols("mu_1 mu_2", real=True)
    v, w = symbols("sigma_11 sigma_22", positive=True)
    c = sympy.Symbol("sigma_21", real=True)
    precision = sympy.Matrix([[w, -c], [-c, v]]) / (v * w - c**2)
    gap = sympy.Matrix(x) - sympy.Matrix(mean)
    weighted = precision * sympy.Matrix(mean)
    a, b, n = symbols("eta_1 eta_2 eta_21", real=True)
    m, o = symbols("eta_11 eta_22", negative=True)
    determinant = 4 * m * o - n**2
    return Density(
        x,
        (*mean, v, c, w),
        -(gap.T * precision * gap)[0] / 2 - log(v * w - c**2) / 2 - log(2 * pi),
        (S.Reals, S.Reals),
        exponential_family=exponential_family(
            -(o * a**2 - n * a * b + m * b**2) / determinant - log(determinant) / 2 + log(2 * pi),
            (a, b, m, n, o),
        ),
        natural=(*weighted, -precision[0, 0] / 2, -precision[1, 0], -precision[1, 1] / 2),
        points=((0.3, -0.6, 1.3, 0.4, 0.7), (-0.6, 0.8, 0.7, -0.3, 1.9)),
    )


FAMILIES: dict[str, Callable[..., Density]] = {
    "Normal": _normal,
    "Bernoulli": _bernoulli,
    "Categorical": _categorical,
    "Poisson": _poisson,
    "Exponential": _exponential,
    "Gamma": _gamma,
    "Beta": _beta,
    "Dirichlet": _dirichlet,
    "Laplace": _laplace,
    "Cauchy": _cauchy,
    "StudentT": _student_t,
    "Logistic": _logistic,
    "MultivariateNormal": _multivariate_normal,
}
