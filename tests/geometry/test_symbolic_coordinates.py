"""A Fisher matrix in other coordinates, against the charts of the classes and of exponential families."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import igviz as ig

change = ig.symbolic.change_coordinates


@pytest.mark.parametrize("name", ["Normal", "Bernoulli", "Categorical", "Poisson", "Gamma"])
def test_natural_coordinates_bring_the_hessian_of_the_log_partition(name):
    d = ig.symbolic.density(name)
    family = d.exponential_family
    back = change(family.fisher, family.natural_symbols, d.parameters, d.natural)
    assert sympy.simplify(back - d.fisher().expression) == sympy.zeros(*back.shape)


def test_logit_of_a_bernoulli():
    d, psi = ig.symbolic.density("Bernoulli"), sympy.Symbol("psi", real=True)
    logit = change(d.fisher(), d.parameters, (psi,), [1 / (1 + sympy.exp(-psi))])
    value = sympy.lambdify(psi, logit[0])(np.array([-1.3, 0.4, 2.2]))
    p = 1 / (1 + np.exp(-np.array([-1.3, 0.4, 2.2])))
    np.testing.assert_allclose(value, p * (1 - p), rtol=1e-13)


def test_expectation_coordinates_bring_the_inverse():
    d = ig.symbolic.density("Normal")
    m = sympy.Symbol("m_1", real=True), sympy.Symbol("m_2", positive=True)
    expectation = change(d.fisher(), d.parameters, m, (m[0], sympy.sqrt(m[1] - m[0] ** 2)))
    p = ig.Normal(0.7, 1.9)
    found = np.array(expectation.subs(dict(zip(m, p.expectation.tolist(), strict=True))), dtype=float)
    np.testing.assert_allclose(found, p.fisher("expectation"), rtol=1e-12)
    np.testing.assert_allclose(found @ p.fisher("natural"), np.eye(2), atol=1e-12)


def test_the_same_name_may_stand_for_both():
    """std → std² under the name of the std."""
    d = ig.symbolic.density("Normal")
    mu, sigma = d.parameters
    variance = change(d.fisher(), d.parameters, (mu, sigma), (mu, sympy.sqrt(sigma)))
    assert variance == sympy.diag(1 / sigma, 1 / (2 * sigma**2))


def test_coordinates_may_be_exchanged():
    assert change(sympy.diag(a, b**2), (a, b), (a, b), (b, a)) == sympy.diag(a**2, b)


def test_a_submodel():
    """Normals with std = |mean|: the information of both entries adds up."""
    d, c = ig.symbolic.density("Normal"), sympy.Symbol("c", positive=True)
    assert change(d.fisher(), d.parameters, c, (c, c)) == sympy.Matrix([3 / c**2])


a, b, u, v = sympy.symbols("a b u v", positive=True)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (
            (sympy.eye(2), (a, b), (u, v), (u,)),
            ValueError,
            "old_in_terms_of_new must have one expression for each",
        ),
        ((sympy.eye(2), (a,), (u,), (u,)), ValueError, r"fisher must have shape \(1, 1\), got \(2, 2\)"),
        (
            (sympy.eye(1), (a,), (u, v), (u,)),
            ValueError,
            "new must be at most 1 coordinates, as old is, got 2",
        ),
        ((sympy.Matrix([[1, 2], [0, 1]]), (a, b), (u, v), (u, v)), ValueError, "fisher must be symmetric"),
        ((sympy.eye(1), ("a",), (u,), (u,)), TypeError, "old must be SymPy symbols, got 'a'"),
    ],
)
def test_bad_arguments_are_named(arguments, error, match):
    with pytest.raises(error, match=match):
        change(*arguments)
