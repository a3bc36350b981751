"""Densities in SymPy: what is derived, what is caught, what is told, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from scipy import integrate as quadpack
from scipy.special import polygamma
from sympy import Interval, Rational, S, oo

import igviz as ig
from igviz.geometry.symbolic import Density, densities, expectation
from igviz.geometry.symbolic.simplification import complements

x, m = sympy.symbols("x m", real=True)
y, s, t, a, b = sympy.symbols("y s t a b", positive=True)
p = sympy.Symbol("p", positive=True)


def beta(**more):
    normaliser = sympy.loggamma(a) + sympy.loggamma(b) - sympy.loggamma(a + b)
    log_density = (a - 1) * sympy.log(y) + (b - 1) * sympy.log(1 - y) - normaliser
    return Density(y, (a, b), log_density, Interval(0, 1), **more)


def normal(**more):
    log_density = -((x - m) ** 2) / (2 * s**2) - sympy.log(s) - sympy.log(2 * sympy.pi) / 2
    return Density(x, (m, s), log_density, S.Reals, **more)


def laplace_location():
    return Density(x, m, -abs(x - m) - sympy.log(2), S.Reals, location=m)


def uniform():
    return Density(y, t, -sympy.log(t), Interval(0, t))


# -- what is derived ----------------------------------------------------------------------------------------


def test_score_and_hessian():
    d = normal()
    assert sympy.simplify(d.score() - sympy.Matrix([(x - m) / s**2, (x - m) ** 2 / s**3 - 1 / s])) == (
        sympy.zeros(2, 1)
    )
    expected = sympy.Matrix(
        [[-1 / s**2, -2 * (x - m) / s**3], [-2 * (x - m) / s**3, 1 / s**2 - 3 * (x - m) ** 2 / s**4]]
    )
    for density in (d, normal(location=m, scale=s)):
        assert sympy.simplify(density.hessian() - expected) == sympy.zeros(2)


def test_a_density_that_is_not_standardised():
    d = Density(x, m, -((x - m) ** 2) / 2 - sympy.log(2 * sympy.pi) / 2, S.Reals)
    derived = d.expectation((x - m) ** 2)
    assert derived.expression == 1
    assert derived.how == "SymPy's integral, confirmed by quadrature"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (-1 / (p * (p - 1)), "1/(p*(1 - p))"),
        ((p - 1) / (a * (a + p - 1)), "(1 - p)/(a*(-a - p + 1))"),
        (a / (p - 1) ** 2, "a/(p - 1)**2"),
        (a / (p - 2), "a/(p - 2)"),
        ((p - 1) / (a - 1) ** 2, "(p - 1)/(a - 1)**2"),
    ],
)
def test_complements_are_written_as_such(given, shown):
    assert str(complements(given)) == shown
    assert sympy.simplify(complements(given) - given) == 0


def test_expectations_of_functions():
    d = normal(location=m, scale=s)
    assert sympy.expand(d.expectation(x**3).expression - m**3 - 3 * m * s**2) == 0
    shift = sympy.Symbol("c", real=True)
    derived = d.expectation(sympy.exp(shift * x))
    assert sympy.simplify(derived.expression - sympy.exp(shift * m + shift**2 * s**2 / 2)) == 0
    assert derived.constants == (shift,)
    np.testing.assert_allclose(
        derived.numeric(0.3, [0.5, 1.2], c=0.7), np.exp(0.21 + 0.245 * np.array([0.25, 1.44]))
    )
    coin = ig.symbolic.density("Bernoulli")
    assert coin.expectation(coin.x[0] ** 2).expression == coin.parameters[0]


def test_a_range_of_integers_that_starts_late():
    n = sympy.Symbol("n", integer=True)
    geometric = Density(n, p, sympy.log(p) + (n - 1) * sympy.log(1 - p), S.Naturals, points=((0.3,), (0.8,)))
    derived = geometric.fisher("hessian")
    np.testing.assert_allclose(
        derived.numeric([0.2, 0.7]).ravel(), 1 / (np.array([0.2, 0.7]) ** 2 * [0.8, 0.3])
    )
    dice = Density(n, p, -sympy.log(6), range(1, 7))
    assert dice.expectation(n).expression == Rational(7, 2)


def test_an_end_that_moves():
    d = uniform()
    assert d.mean_score().expression == sympy.Matrix([-1 / t])
    assert d.fisher().expression == d.fisher("outer product").expression == sympy.Matrix([1 / t**2])
    assert d.fisher("hessian").expression == sympy.Matrix([-1 / t**2])


def test_a_kink():
    """Only the Hessian form fails: pointwise the second derivative is 0."""
    d = laplace_location()
    assert d.hessian() == d.fisher("hessian").expression == sympy.zeros(1)
    assert d.fisher().expression == d.fisher("outer product").expression == sympy.eye(1)
    assert d.mean_score().expression == sympy.zeros(1)


def test_a_double_integral():
    """Dirichlet: quadrature over the simplex, where SymPy finds nothing in time."""
    d = ig.symbolic.density("Dirichlet")
    derived = d.expectation(d.x[0] * sympy.log(d.x[1]), time_limit=0.05)
    assert derived.reason == "SymPy's integral took more than 0.05 s"
    assert derived.expression.has(sympy.Integral)
    c = np.array([1.4, 2.3, 1.7])
    # E[x₁·log x₂] = (a₁/a₀)·(ψ(a₂) − ψ(a₀ + 1))
    expected = c[0] / c.sum() * (polygamma(0, c[1]) - polygamma(0, c.sum() + 1))
    np.testing.assert_allclose(derived.numeric(*c), expected, rtol=1e-8)


def test_a_mixture_by_quadrature():
    w = sympy.Symbol("w", positive=True)
    bells = [sympy.exp(-((x - c) ** 2) / 2) / sympy.sqrt(2 * sympy.pi) for c in (m, 0)]
    mixture = Density(
        x, (w, m), sympy.log(w * bells[0] + (1 - w) * bells[1]), S.Reals, points=((0.3, 0.8), (0.7, -0.4))
    )
    derived = mixture.fisher(time_limit=0.2)
    assert derived.how.startswith("quadrature of the derived integrand, because SymPy's integral took more")
    found = derived.numeric([0.4, 0.0], [1.3, 1.3])

    def entry(v):
        first, second = np.exp(-((v - 1.3) ** 2) / 2), np.exp(-(v**2) / 2)
        return (first - second) ** 2 / (0.4 * first + 0.6 * second) / np.sqrt(2 * np.pi)

    np.testing.assert_allclose(found[0, 0, 0], quadpack.quad(entry, -12, 12)[0], rtol=1e-9)
    # the dead component's mean leaves no trace
    assert found.shape == (2, 2, 2)
    assert abs(np.linalg.det(found[1])) < 1e-12


def test_a_gap_where_the_density_underflows():
    """Between the bells everything is 0/0; each is seen alone, so w has the information of a coin."""
    w = sympy.Symbol("w", positive=True)
    bells = [sympy.exp(-((x - c) ** 2) / 2) / sympy.sqrt(2 * sympy.pi) for c in (m, 0)]
    mixture = Density(
        x, w, sympy.log(w * bells[0] + (1 - w) * bells[1]), S.Reals, points=((0.3, 0.8), (0.7, -0.4))
    )
    derived = mixture.fisher(time_limit=0.1)
    np.testing.assert_allclose(derived.numeric(0.3, m=80.0), [[1 / (0.3 * 0.7)]], rtol=1e-9)


# -- what is caught -----------------------------------------------------------------------------------------


def test_an_integral_that_hangs_is_left():
    derived = beta().fisher("outer product", time_limit=0.4)
    assert derived.how == (
        "quadrature of the derived integrand, because SymPy's integral took more than 0.4 s"
    )
    assert derived.expression.has(sympy.Integral)
    v, w = np.array([1.3, 4.2]), np.array([2.2, 0.8])
    both = polygamma(1, v + w)
    expected = np.array([[polygamma(1, v) - both, -both], [-both, polygamma(1, w) - both]])
    np.testing.assert_allclose(derived.numeric(v, w), np.moveaxis(expected, -1, 0), rtol=1e-7)


def test_the_first_integral_that_hangs_ends_the_search(monkeypatch):
    """Else a matrix of them would take minutes."""
    started = []

    def within(seconds, function, *arguments):
        started.append(arguments[1])
        raise expectation.TimeLimitExceeded

    monkeypatch.setattr(expectation, "within", within)
    derived = beta().fisher("outer product", time_limit=2.0)
    assert len(started) == 1
    assert derived.reason == "SymPy's integral took more than 2 s"


def test_an_exponential_family_falls_back_on_its_log_partition():
    derived = ig.symbolic.density("Beta").fisher("outer product", time_limit=0.4)
    assert derived.how == ("Hessian of the log-partition, because SymPy's integral took more than 0.4 s")
    assert derived.expression == ig.symbolic.density("Beta").fisher("hessian").expression


def test_the_scale_of_the_logistic():
    """SymPy's integral is ∞ + …; the true value is (3 + π²)/9."""
    derived = ig.symbolic.density("Logistic").fisher("outer product")
    assert "SymPy's integral is infinite where quadrature gives 0.846128" in derived.how
    scale = np.array([0.4, 2.5])
    np.testing.assert_allclose(
        derived.numeric(0.7, scale)[:, 1, 1], (3 + np.pi**2) / 9 / scale**2, rtol=1e-12
    )


@pytest.mark.parametrize(
    "wrong", [lambda v: -v, lambda v: v + Rational(1, 10**6), lambda v: v * (1 + s / 10**6)]
)
def test_a_wrong_answer_is_caught(monkeypatch, wrong):
    integrate = sympy.integrate
    monkeypatch.setattr(expectation.sympy, "integrate", lambda *args: wrong(integrate(*args)))
    derived = normal(location=m, scale=s).expectation((x - m) ** 2)
    assert derived.how.startswith("quadrature of the derived integrand, because SymPy's integral is ")
    assert "where quadrature gives 1.69" in derived.how
    np.testing.assert_allclose(derived.numeric(0.4, 2.0), 4.0, rtol=1e-12)


@pytest.mark.parametrize("wrong", [lambda e: 2 * e, lambda e: sympy.Integer(3)])
def test_a_wrong_simplification_is_caught(monkeypatch, wrong):
    """Quadrature sees the function as it was given."""
    monkeypatch.setattr(densities, "substituted", lambda e, there: wrong(e.subs(there)))
    derived = normal(location=m, scale=s).expectation((x - m) ** 2)
    assert "where quadrature gives 1.69" in derived.reason
    assert derived.expression.doit() == s**2
    np.testing.assert_allclose(derived.numeric(0.4, 2.0), 4.0, rtol=1e-12)


def test_an_error_inside_sympy_is_told(monkeypatch):
    def fail(*_):
        raise NotImplementedError

    monkeypatch.setattr(expectation.sympy, "integrate", fail)
    derived = normal(location=m, scale=s).expectation((x - m) ** 2)
    assert derived.reason == "SymPy's integral ended in NotImplementedError"


def test_terms_that_diverge_though_their_sum_does_not(monkeypatch):
    """Frullani's integral: E[(1 − exp(−x))/x] = λ·log(1 + 1/λ); then SymPy is asked for the whole."""
    rate = sympy.Symbol("lambda", positive=True)
    asked = []

    def one(rule, function):
        asked.append(function)
        return oo if len(asked) < 2 else rate * sympy.log(1 + 1 / rate)

    monkeypatch.setattr(expectation, "_one", one)
    d = Density(y, rate, sympy.log(rate) - rate * y, Interval(0, oo))
    derived = d.expectation((1 - sympy.exp(-y)) / y)
    assert len(asked) == 2
    assert sympy.simplify(derived.expression - rate * sympy.log(1 + 1 / rate)) == 0
    assert not derived.reason


def test_a_term_that_converges_and_is_not_found_ends_the_search(monkeypatch):
    asked = []

    def one(rule, function):
        asked.append(function)
        return sympy.Integral(function, (y, 0, oo))

    monkeypatch.setattr(expectation, "_one", one)
    derived = Density(y, s, sympy.log(s) - s * y, Interval(0, oo)).expectation(y**2 + y)
    assert len(asked) == 1
    assert derived.reason == "SymPy found no closed form of the integral"


def test_an_infinite_expectation():
    cauchy = ig.symbolic.density("Cauchy")
    derived = cauchy.expectation((cauchy.x[0] - cauchy.parameters[0]) ** 2)
    assert derived.expression == oo
    assert derived.numeric(0.3, 1.2) == np.inf


def test_a_density_that_is_not_normalised():
    with pytest.raises(ValueError, match="sum 1, got 2"):
        Density(x, p, sympy.log(2 * p) * x + (1 - x) * sympy.log(2 - 2 * p), (0, 1))
    wrong = Density(x, m, -((x - m) ** 2) / 2, S.Reals)
    with pytest.raises(ValueError, match=r"at m = 3/10 the density integrates to 2\.506628 and not to 1"):
        wrong.fisher()
    n = sympy.Symbol("n", integer=True)
    with pytest.raises(ValueError, match="does not settle"):
        Density(n, s, n * sympy.log(s) - sympy.loggamma(n + 1), S.Naturals0).fisher("outer product")


# -- what is told -------------------------------------------------------------------------------------------


def test_texts():
    d = laplace_location()
    assert repr(d) == "density of x with parameters (m) and log-density -Abs(m - x) - log(2)"
    assert d._repr_latex_().startswith(r"$\displaystyle \log p(x; m) = ")
    derived = d.fisher()
    assert repr(derived) == "Matrix([[1]])\n(SymPy's integral, confirmed by quadrature)"
    assert derived._repr_latex_() == (
        r"$\displaystyle \begin{array}{l}\displaystyle \left[\begin{matrix}1\end{matrix}\right]\\"
        r"\small\text{(SymPy's integral, confirmed by quadrature)}\end{array}$"
    )
    assert sympy.sympify(derived) == derived.expression


def test_latex_has_the_letters_of_the_books_and_lines_that_fit():
    gamma = ig.symbolic.density("Gamma")
    assert gamma._repr_latex_().endswith(r"- \log \Gamma\left(\alpha\right)$")
    assert r"\psi^{(1)}\left(\alpha\right) & - \frac{1}{\beta}" in gamma.fisher()._repr_latex_()
    square = gamma.expectation(sympy.digamma(gamma.parameters[0]) ** 2)
    assert r"\left[\psi\left(\alpha\right)\right]^{2}" in square._repr_latex_()
    lines = ig.symbolic.density("Logistic").fisher()._repr_latex_().split(r"\small\text{")[1:]
    assert len(lines) == 2
    assert max(map(len, lines)) < 110


def test_numbers_of_scalars_columns_and_matrices():
    d = normal(location=m, scale=s)
    assert d.expectation(x**2).numeric([1.0, 2.0], 3.0).shape == (2,)
    assert float(d.expectation(x**2).numeric(1.0, 3.0)) == 10.0
    assert d.mean_score().numeric(np.ones((4, 1)), np.ones(3)).shape == (4, 3, 2, 1)
    assert d.fisher().numeric(np.ones((4, 1)), np.ones(3)).shape == (4, 3, 2, 2)


# -- what is refused ----------------------------------------------------------------------------------------

LOG = -((x - m) ** 2) / 2 - sympy.log(2 * sympy.pi) / 2


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (("x", m, LOG, S.Reals), TypeError, "Density: x must be SymPy symbols, got 'x'"),
        ((x, (m, 2), LOG, S.Reals), TypeError, "Density: parameters must be SymPy symbols, got 2"),
        ((x, (), LOG, S.Reals), ValueError, "parameters must name at least one"),
        ((x, (m, m), LOG, S.Reals), ValueError, "parameters must be different"),
        ((x, (m, x), LOG, S.Reals), ValueError, "parameters must not contain x"),
        ((x, m, LOG, 3), TypeError, "support must be an Interval .*, got 3"),
        ((x, m, LOG, S.Integers), TypeError, "support must be an Interval"),
        ((x, m, LOG, ()), ValueError, "support must hold at least one outcome"),
        (((x, y), m, LOG, (0, 1)), ValueError, "an outcome must have 2 entries as x has, got 0"),
        (((x, y), m, LOG, (S.Reals,)), ValueError, "support must be one set for each of"),
        ((sympy.Symbol("v"), m, LOG, S.Reals), ValueError, "x must be declared real to be integrated, got v"),
    ],
)
def test_bad_arguments_are_named(arguments, error, match):
    with pytest.raises(error, match=match):
        Density(*arguments)


def test_bad_uses_are_named():
    d = normal(location=m, scale=s)
    with pytest.raises(ValueError, match=r"form must be one of 'outer product', .*, got 'empirical'"):
        d.fisher("empirical")
    with pytest.raises(ValueError, match="form 'log-partition' needs exponential_family="):
        d.fisher("log-partition")
    with pytest.raises(ValueError, match="z is the variable of integration"):
        d.expectation(x * sympy.Symbol("z", real=True))
    with pytest.raises(ValueError, match="time_limit must be positive, got 0"):
        d.expectation(x, time_limit=0)
    with pytest.raises(ValueError, match="other must have 2 symbols, got 1"):
        d.kl((t,))
    with pytest.raises(TypeError, match=r"one value for each of \(m, s\), got 1"):
        d.fisher().numeric(1.0)
    with pytest.raises(TypeError, match=r"constants \[\] by name, got \['nu'\]"):
        d.fisher().numeric(1.0, 2.0, nu=3.0)
    with pytest.raises(ValueError, match="natural must have 2 coordinates, got 1"):
        normal(exponential_family=ig.symbolic.exponential_family(a * b, (a, b)), natural=(m,))
    with pytest.raises(ValueError, match="location and scale are for one variable"):
        Density((x, y), m, LOG, (S.Reals, S.Reals), location=m)


# -- exponential families -----------------------------------------------------------------------------------


def test_everything_from_a_log_partition():
    eta = sympy.Symbol("eta", real=True)
    family = ig.symbolic.exponential_family(sympy.log(1 + sympy.exp(eta)), eta)
    mean = 1 / (1 + sympy.exp(-eta))
    assert sympy.simplify(family.expectation_parameters[0] - mean) == 0
    assert sympy.simplify(family.fisher[0] - mean * (1 - mean)) == 0
    assert sympy.simplify(family.cubic_tensor[0, 0, 0] - mean * (1 - mean) * (1 - 2 * mean)) == 0
    assert repr(family) == "exponential family with log-partition log(exp(eta) + 1) in (eta)"
    assert family._repr_latex_() == r"$\displaystyle A(\eta) = \log{\left(e^{\eta} + 1 \right)}$"


def test_the_cubic_tensor_is_symmetric_and_the_third_central_moment():
    d = ig.symbolic.density("Normal")
    family = d.exponential_family
    cubic, there = family.cubic_tensor, dict(zip(family.natural_symbols, d.natural, strict=True))
    statistics = [d.x[0], d.x[0] ** 2]
    centred = [v - d.expectation(v).expression for v in statistics]
    for i, j, k in [(0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 0, 1), (1, 1, 0)]:
        moment = d.expectation(centred[i] * centred[j] * centred[k]).expression
        assert sympy.simplify(cubic[i, j, k].subs(there) - moment) == 0


def test_a_log_partition_without_its_symbols_is_refused():
    with pytest.raises(ValueError, match="must contain every natural symbol, got a without b"):
        ig.symbolic.exponential_family(a, (a, b))
    with pytest.raises(TypeError, match="natural_symbols must be SymPy symbols"):
        ig.symbolic.exponential_family(a, ("a",))
