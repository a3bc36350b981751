"""Every family of the package as SymPy derives it, against the closed forms of the numerical classes."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy

import igviz as ig
from igviz.geometry.symbolic.families import FAMILIES

LOCATIONS, SCALES = np.array([[-1.3], [0.4], [2.7]]), np.array([0.3, 1.1, 4.2])
POINTS = {
    "Normal": ig.Normal(LOCATIONS, SCALES),
    "Bernoulli": ig.Bernoulli([0.08, 0.36, 0.91]),
    "Categorical": ig.Categorical([[0.2, 0.7, 0.1], [0.31, 0.23, 0.46], [0.05, 0.9, 0.05]]),
    "Poisson": ig.Poisson([0.3, 2.7, 14.0]),
    "Exponential": ig.Exponential([0.3, 1.4, 9.0]),
    "Gamma": ig.Gamma([[0.4], [2.3], [17.0]], [0.3, 1.1, 4.2]),
    "Beta": ig.Beta([[0.4], [2.3], [17.0]], [0.3, 1.1, 4.2]),
    "Dirichlet": ig.Dirichlet([[0.4, 1.3, 2.2], [3.0, 0.8, 1.7]]),
    "Laplace": ig.Laplace(LOCATIONS, SCALES),
    "Cauchy": ig.Cauchy(LOCATIONS, SCALES),
    "StudentT": ig.StudentT(LOCATIONS, SCALES, 3.7),
    "Logistic": ig.Logistic(LOCATIONS, SCALES),
    "MultivariateNormal": ig.MultivariateNormal(
        [[0.6, -1.3], [-0.2, 0.9]], [[[0.8, -0.3], [-0.3, 1.9]], [[1.7, 0.9], [0.9, 0.6]]]
    ),
}
INTEGRAL = "SymPy's integral, confirmed by quadrature"
CONSTANT = "Hessian of the log-density, which does not depend on x"
HOW = {
    "Normal": INTEGRAL,
    "Bernoulli": "sum over the outcomes",
    "Categorical": "sum over the outcomes",
    "Poisson": "SymPy's sum, confirmed by adding up",
    "Exponential": CONSTANT,
    "Gamma": CONSTANT,
    "Beta": CONSTANT,
    "Dirichlet": CONSTANT,
    "Laplace": INTEGRAL,
    "Cauchy": INTEGRAL,
    "StudentT": INTEGRAL,
    "Logistic": f"{INTEGRAL}; entries (2, 2): quadrature of the derived integrand, because SymPy's integral "
    "is infinite where quadrature gives 0.846128",
    "MultivariateNormal": "Hessian of the log-partition",
}
CONSTANTS = {"StudentT": {"nu": 3.7}}


@cache
def density(name):
    return ig.symbolic.density(name)


@cache
def fisher(name, form=None):
    return density(name).fisher(form)


def test_what_was_found_is_kept():
    assert ig.symbolic.density("Cauchy") is density("Cauchy")
    assert density("Cauchy").fisher() is fisher("Cauchy", "outer product")
    with pytest.raises(TypeError):  # and nobody can change it
        fisher("Cauchy").expression[0, 0] = 1


def test_every_family_is_there():
    assert list(FAMILIES) == list(POINTS)
    assert ig.symbolic.density(ig.Gamma).parameters == density("Gamma").parameters


@pytest.mark.parametrize("name", POINTS)
def test_the_fisher_matrix_is_that_of_the_class(name):
    p, derived = POINTS[name], fisher(name)
    found = derived.numeric(*np.moveaxis(p.source, -1, 0), **CONSTANTS.get(name, {}))
    expected = p.fisher("source")
    assert found.shape == expected.shape
    size = np.abs(expected).max(axis=(-2, -1), keepdims=True)
    np.testing.assert_allclose(found / size, expected / size, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", POINTS)
def test_how_it_was_obtained_is_told(name):
    derived = fisher(name)
    assert derived.how == HOW[name]
    quadrature = derived.expression.has(sympy.Integral)
    assert quadrature == ("quadrature of" in derived.how) == bool(derived.reason)


@pytest.mark.parametrize("name", POINTS)
def test_the_log_density_is_that_of_the_class(name):
    if name in ("Categorical", "Dirichlet"):
        p = POINTS[name][0]
        x = np.eye(3)[:, :2] if name == "Categorical" else np.array([[0.2, 0.5], [0.6, 0.1]])
        at = np.arange(3) if name == "Categorical" else np.c_[x, 1 - x.sum(1)]
    elif name == "MultivariateNormal":
        p, x = POINTS[name][0], np.array([[0.3, -0.8], [1.9, 0.4]])
        at = x
    else:
        x = {"Bernoulli": [0, 1], "Poisson": [0, 4], "Beta": [0.2, 0.7]}.get(name, [0.35, 2.6])
        p, x = POINTS[name][(1,) * len(POINTS[name].shape)], np.array(x)[:, None]
        at = x[:, 0]
    d = density(name)
    values = dict(zip(d.parameters, map(float, p.source), strict=True))
    values |= {sympy.Symbol(k, positive=True): v for k, v in CONSTANTS.get(name, {}).items()}
    told = [float(d.log_density.subs(values | dict(zip(d.x, row, strict=True)))) for row in x.tolist()]
    np.testing.assert_allclose(told, p.log_prob(at), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("Normal", ("outer product", "hessian", "log-partition")),
        ("Bernoulli", ("outer product", "hessian", "log-partition")),
        ("Categorical", ("outer product", "hessian", "log-partition")),
        ("Poisson", ("outer product", "hessian", "log-partition")),
        ("Exponential", ("outer product", "hessian", "log-partition")),
        ("Gamma", ("hessian", "log-partition")),
        ("Beta", ("hessian", "log-partition")),
        ("Dirichlet", ("hessian", "log-partition")),
        ("Cauchy", ("outer product", "hessian")),
        ("StudentT", ("outer product", "hessian")),
    ],
)
def test_the_forms_agree_symbol_by_symbol(name, forms):
    reference = fisher(name).expression
    for form in forms:
        derived = fisher(name, form)
        assert sympy.simplify(derived.expression - reference) == sympy.zeros(*reference.shape)
        assert not derived.reason


@pytest.mark.parametrize(
    "name", ["Normal", "Bernoulli", "Categorical", "Poisson", "Exponential", "Laplace", "Cauchy", "StudentT"]
)
def test_the_mean_score_vanishes(name):
    derived = density(name).mean_score()
    assert derived.expression == sympy.zeros(len(density(name).parameters), 1)


BREGMAN = "Bregman divergence of the log-partition"
DIVERGENCES = {
    "Normal": (ig.Normal([1.3, -0.4], 0.7), ig.Normal(0.2, [1.9, 0.3]), INTEGRAL),
    "Bernoulli": (ig.Bernoulli([0.3, 0.9]), ig.Bernoulli(0.62), "sum over the outcomes"),
    "Categorical": (
        ig.Categorical([0.2, 0.3, 0.5]),
        ig.Categorical([0.4, 0.5, 0.1]),
        "sum over the outcomes",
    ),
    "Poisson": (ig.Poisson([0.4, 3.1]), ig.Poisson(1.7), "SymPy's sum, confirmed by adding up"),
    "Exponential": (ig.Exponential([0.4, 3.1]), ig.Exponential(1.7), BREGMAN),
    # ratios of powers would overflow
    "Gamma": (ig.Gamma([1.3, 400.0], 20.0), ig.Gamma(0.8, [700.0, 19.0]), BREGMAN),
    "Beta": (ig.Beta([1.3, 2.0], 2.0), ig.Beta(1.8, [1.7, 1.4]), BREGMAN),
    "Dirichlet": (ig.Dirichlet([1.4, 2.3, 1.7]), ig.Dirichlet([2.0, 1.1, 1.9]), BREGMAN),
    "MultivariateNormal": (
        ig.MultivariateNormal([0.3, -0.7], [[1.0, 0.3], [0.3, 0.8]]),
        ig.MultivariateNormal([0.1, 0.5], [[0.6, -0.2], [-0.2, 1.1]]),
        BREGMAN,
    ),
    "Laplace": (ig.Laplace([0.4, -1.3], 0.7), ig.Laplace(0.7, [1.9, 0.4]), "quadrature"),
    "Cauchy": (ig.Cauchy([0.4, -1.3], 0.7), ig.Cauchy(0.7, [1.9, 0.4]), "quadrature"),
    "Logistic": (ig.Logistic([0.4, -1.3], 0.7), ig.Logistic(0.7, [1.9, 0.4]), "quadrature"),
}


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_divergence_is_that_of_the_class(name):
    p, q, how = DIVERGENCES[name]
    d = density(name)
    other = [sympy.Symbol(f"{s.name}_q", **s.assumptions0) for s in d.parameters]
    derived = d.kl(other, time_limit=0.1 if how == "quadrature" else 5.0)
    assert derived.how.startswith(how)
    here, there = (np.moveaxis(r.source, -1, 0) for r in (p, q))
    np.testing.assert_allclose(derived.numeric(*here, *there), p.kl(q), rtol=1e-11)


def test_student_t_with_given_degrees_of_freedom():
    d = ig.symbolic.density("StudentT", degrees_of_freedom=4)
    sigma = d.parameters[1]
    assert d.constants == ()
    expected = sympy.diag(sympy.Rational(5, 7), sympy.Rational(8, 7)) / sigma**2
    assert d.fisher().expression == expected


def test_results_do_not_depend_on_the_hash_seed():
    names = ("Categorical", "Cauchy")
    code = (
        "import igviz as ig\n"
        f"for name in {names!r}:\n"
        "    d = ig.symbolic.density(name)\n"
        "    print(d, d.score(), d.fisher(), d.fisher()._repr_latex_())"
    )
    root = Path(__file__).resolve().parent.parent.parent
    told = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        cwd=root,
        env={"PYTHONHASHSEED": "4242", "PYTHONPATH": str(root)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    here = ""
    for name in names:
        d = density(name)
        here += f"{d} {d.score()} {fisher(name)} {fisher(name)._repr_latex_()}\n"
    assert told == here


@pytest.mark.parametrize(
    ("arguments", "constants", "error", "match"),
    [
        (("Gaussian",), {}, ValueError, "density: family must be one of Normal, .*, got 'Gaussian'"),
        (("Normal",), {"degrees_of_freedom": 3}, TypeError, "density: Normal takes no constants"),
        (("StudentT",), {"nu": 3}, TypeError, r"density: StudentT takes \['degrees_of_freedom'\]"),
        (
            ("StudentT",),
            {"degrees_of_freedom": -2},
            ValueError,
            "degrees_of_freedom must be positive, got -2",
        ),
    ],
)
def test_bad_names_are_refused(arguments, constants, error, match):
    with pytest.raises(error, match=match):
        ig.symbolic.density(*arguments, **constants)
