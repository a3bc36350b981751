"""Curvature in SymPy: known surfaces, planes in more dimensions, and geodesics that solve their equation."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pytest
import sympy
from sympy import Matrix, Rational, diag, pi

import igviz as ig
from igviz.geometry.symbolic import (
    christoffel_symbols,
    gaussian_curvature,
    geodesic_equations,
    sectional_curvature,
)

mu = sympy.Symbol("mu", real=True)
sigma, nu, r, theta, phi, R = sympy.symbols("sigma nu r theta phi R", positive=True)
HALF_PLANE = diag(1, 2) / sigma**2
SPHERE = R**2 * diag(1, sympy.sin(theta) ** 2)
t = sympy.Symbol("t", real=True)
GENERIC = dict(
    zip(
        ig.symbolic.density("MultivariateNormal").parameters,
        map(Rational, ("0.3", "-0.7", "1.3", "0.4", "0.9")),
        strict=True,
    )
)


@cache
def fisher(name):
    d = ig.symbolic.density(name)
    return d.parameters, d.fisher()


# -- anchors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Normal", Rational(-1, 2)),
        ("StudentT", -(sympy.Symbol("nu", positive=True) + 3) / (2 * sympy.Symbol("nu", positive=True))),
        ("Laplace", -1),
        ("Cauchy", -2),
        ("Categorical", Rational(1, 4)),
    ],
)
def test_surfaces_of_distributions(name, expected):
    coordinates, metric = fisher(name)
    assert sympy.simplify(gaussian_curvature(metric, coordinates) - expected) == 0


def test_the_logistic_surface():
    """With the scale's entry in closed form, (3 + π²)/9, which SymPy's integral does not give."""
    metric = diag(Rational(1, 3), (3 + pi**2) / 9) / sigma**2
    assert gaussian_curvature(metric, (mu, sigma)) == -9 / (3 + pi**2)


def test_sphere_and_plane():
    assert gaussian_curvature(SPHERE, (theta, phi)) == 1 / R**2
    assert gaussian_curvature(diag(1, r**2), (r, phi)) == 0
    ball = diag(1, r**2, r**2 * sympy.sin(theta) ** 2)
    for u, v in combinations(np.eye(3, dtype=int).tolist(), 2):
        assert sectional_curvature(ball, (r, theta, phi), u, v) == 0


def test_curvature_does_not_depend_on_the_coordinates():
    family = ig.symbolic.density("Normal").exponential_family
    assert gaussian_curvature(family.fisher, family.natural_symbols) == Rational(-1, 2)


def test_the_gamma_surface_as_numbers():
    """Against the formula with differences of the metric's entries, at a generic point."""
    coordinates, metric = fisher("Gamma")
    value = gaussian_curvature(metric, coordinates)
    assert value.free_symbols == {coordinates[0]}
    at = {coordinates[0]: sympy.Float("2.3", 40), coordinates[1]: sympy.Float("0.7", 40)}
    # in (shape, log rate − …) it is an orthogonal surface E·dk² + G·dm² with the mean m = k/rate:
    # E = ψ′(k) − 1/k, G = k/m², and K = −(1/(2·√(EG)))·∂_k(∂_k G/√(EG))
    k, mean = sympy.symbols("k m", positive=True)
    e, g = sympy.polygamma(1, k) - 1 / k, k / mean**2
    root = sympy.sqrt(e * g)
    expected = -(g.diff(k) / root).diff(k) / (2 * root)
    np.testing.assert_allclose(
        float(value.subs(at)), float(expected.subs({k: 2.3, mean: 1.7}).evalf(30)), rtol=1e-12
    )
    assert float(value.subs(at)) < 0


def test_the_bivariate_normal_has_positive_and_negative_planes():
    """At N(0, Id), and the plane of the two means everywhere: +1/4."""
    coordinates, metric = fisher("MultivariateNormal")
    origin = dict(zip(coordinates, (0, 0, 1, 0, 1), strict=True))
    unit = np.eye(5, dtype=int).tolist()
    assert sectional_curvature(metric, coordinates, unit[0], unit[1]) == Rational(1, 4)
    for (i, j), value in {(0, 2): "-1/2", (2, 4): "0"}.items():
        assert sectional_curvature(metric, coordinates, unit[i], unit[j], at=origin) == Rational(value)


# -- planes in more dimensions ------------------------------------------------------------------------------


def test_planes_are_curved_as_the_numerical_class_has_it():
    """Whose symbols are differentiated by differences; every plane of two of five vectors."""
    coordinates, metric = fisher("MultivariateNormal")
    manifold = ig.RiemannianManifold(lambda x: ig.MultivariateNormal.from_source(x).fisher("source"))
    point = np.array([float(v) for v in GENERIC.values()])
    vectors = [[1, 0, 2, 0, 1], [0, 1, 1, -1, 0], [2, -1, 0, 1, 3], [0, 0, 1, 2, -1], [1, 1, 0, 0, 2]]
    pairs = list(combinations(vectors, 2))
    found = [float(sectional_curvature(metric, coordinates, u, v, at=GENERIC)) for u, v in pairs]
    u, v = np.moveaxis(np.array(pairs, dtype=float), 1, 0)
    np.testing.assert_allclose(found, manifold.sectional_curvature(point, u, v), atol=1e-8)
    assert min(found) < -0.1 and np.ptp(found) > 0.1


def test_planes_are_curved_as_the_connection_has_it():
    """R^l_kij = ∂_i Γ^l_jk − ∂_j Γ^l_ik + Γ^l_im·Γ^m_jk − Γ^l_jm·Γ^m_ik, said slowly."""
    g = Matrix([[1, r / 5, 0], [r / 5, r**2, phi], [0, phi, 3 + r**4]])
    coordinates, size = (r, theta, phi), range(3)
    at = {r: Rational(13, 10), theta: Rational(1, 3), phi: Rational(7, 10)}
    christoffel = christoffel_symbols(g, coordinates)
    slope = [christoffel.diff(c).subs(at) for c in coordinates]
    here, metric = christoffel.subs(at), g.subs(at)

    def tensor(m, k, i, j):
        turned = sum(here[m, i, a] * here[a, j, k] - here[m, j, a] * here[a, i, k] for a in size)
        return slope[i][m, j, k] - slope[j][m, i, k] + turned

    for u, v in [((1, 0, 0), (0, 1, 0)), ((0, 1, 0), (0, 0, 1)), ((1, -2, 1), (0, 3, 1))]:
        turned = Matrix(
            [
                sum(tensor(m, k, i, j) * v[k] * u[i] * v[j] for k in size for i in size for j in size)
                for m in size
            ]
        )
        uu, uv, vv = ((Matrix(a).T * metric * Matrix(b))[0] for a, b in ((u, u), (u, v), (v, v)))
        slow = (turned.T * metric * Matrix(u))[0] / (uu * vv - uv**2)
        assert slow != 0
        assert sympy.simplify(slow - sectional_curvature(g, coordinates, u, v, at)) == 0


def test_sectional_curvature_belongs_to_the_plane():
    coordinates, metric = fisher("MultivariateNormal")
    at = dict(zip(coordinates, (0, 0, 2, Rational(1, 2), 1), strict=True))
    u, v = Matrix([1, 0, 2, 0, 1]), Matrix([0, 1, 1, -1, 0])
    first = sectional_curvature(metric, coordinates, list(u), list(v), at)
    assert first == sectional_curvature(metric, coordinates, list(3 * u - v), list(u + 2 * v), at)


# -- connection and geodesics -------------------------------------------------------------------------------


def test_christoffel_symbols_have_the_upper_index_first():
    symbols = christoffel_symbols(HALF_PLANE, (mu, sigma))
    expected = [[[0, -1 / sigma], [-1 / sigma, 0]], [[1 / (2 * sigma), 0], [0, -1 / sigma]]]
    assert symbols == sympy.Array(expected)


def test_the_half_ellipse_solves_the_geodesic_equations():
    equations = geodesic_equations(HALF_PLANE, (mu, sigma), t)
    mean, std = sympy.Function("mu")(t), sympy.Function("sigma")(t)
    assert [e.lhs for e in equations] == [mean.diff(t, 2), std.diff(t, 2)]
    curve = {mean: 3 + 2 * sympy.sqrt(2) * sympy.tanh(t), std: 2 / sympy.cosh(t)}
    line = {mean: 3 + t, std: 2 + 0 * t}
    assert all(sympy.simplify((e.lhs - e.rhs).subs(curve).doit().rewrite(sympy.exp)) == 0 for e in equations)
    assert any(sympy.simplify((e.lhs - e.rhs).subs(line).doit()) != 0 for e in equations)


def test_the_path_of_the_package_solves_the_equations():
    """Second differences of the Fisher–Rao geodesic of Poisson, where it is quadratic in t."""
    coordinates, metric = fisher("Poisson")
    (equation,) = geodesic_equations(metric, coordinates, t)
    path = ig.geodesic(ig.Poisson(1.3), ig.Poisson(5.1), "fisher-rao")
    h, at = 1e-3, 0.37
    before, here, after = (float(path(s).rate) for s in (at - h, at, at + h))
    rate, speed = equation.lhs.args[0], sympy.Derivative(equation.lhs.args[0], t)
    told = equation.rhs.subs(speed, (after - before) / (2 * h)).subs(rate, here)
    np.testing.assert_allclose((after - 2 * here + before) / h**2, float(told), rtol=1e-7)


def test_everything_turns_into_numbers_and_latex():
    symbols = christoffel_symbols(HALF_PLANE, (mu, sigma))
    found = np.array(sympy.lambdify((mu, sigma), symbols.tolist())(0.3, 2.0), dtype=float)
    np.testing.assert_allclose(found, [[[0, -0.5], [-0.5, 0]], [[0.25, 0], [0, -0.5]]])
    assert r"\frac{1}{2 \sigma}" in sympy.latex(symbols)
    equations = geodesic_equations(HALF_PLANE, (mu, sigma), t)
    assert sympy.latex(equations[0]).startswith(r"\frac{d^{2}}{d t^{2}} \mu{\left(t \right)} = \frac{2")


# -- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: christoffel_symbols(HALF_PLANE, (mu,)), ValueError, r"metric must have shape \(1, 1\), got"),
        (lambda: christoffel_symbols(Matrix([[1, 2], [3, 4]]), (mu, sigma)), ValueError, "must be symmetric"),
        (
            lambda: christoffel_symbols(HALF_PLANE, ("mu", sigma)),
            TypeError,
            "coordinates must be SymPy symbols",
        ),
        (lambda: gaussian_curvature(sympy.eye(3), (r, theta, phi)), ValueError, "must be two, got 3"),
        (lambda: geodesic_equations(HALF_PLANE, (mu, sigma), mu), ValueError, "t must not be a coordinate"),
        (lambda: geodesic_equations(HALF_PLANE, (mu, sigma), 3), TypeError, "'int' object|t must be SymPy"),
        (
            lambda: sectional_curvature(HALF_PLANE, (mu, sigma), (1, 2), (2, 4)),
            ValueError,
            "u and v must not be parallel",
        ),
        (
            lambda: sectional_curvature(HALF_PLANE, (mu, sigma), (1,), (0, 1)),
            ValueError,
            "u must have 2 comp",
        ),
    ],
)
def test_bad_arguments_are_named(call, error, match):
    with pytest.raises(error, match=match):
        call()
