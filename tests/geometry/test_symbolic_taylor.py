"""Taylor series of divergences: what vanishes, what is the Fisher matrix, what tells the directions apart."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
import sympy

import igviz as ig
from igviz.geometry.symbolic import taylor_divergence

NAMES = ["Normal", "Bernoulli", "Poisson"]


@cache
def series(name, direction, order=3):
    """Taylor series of KL(θ‖θ + δ), "forward", or KL(θ + δ‖θ), "reverse"."""
    d = ig.symbolic.density(name)
    shifted = tuple(sympy.Symbol(f"{s.name}_s", **s.assumptions0) for s in d.parameters)
    forward = d.kl(shifted).expression
    exchange = dict(zip((*d.parameters, *shifted), (*shifted, *d.parameters), strict=True))
    divergence = forward if direction == "forward" else forward.subs(exchange, simultaneous=True)
    return d, taylor_divergence(divergence, d.parameters, shifted, order)


@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("name", NAMES)
def test_orders_zero_and_one_vanish_and_two_is_fisher(name, direction):
    d, terms = series(name, direction)
    assert (terms[0], terms[1]) == (0, 0)
    fisher = d.fisher().expression
    assert sympy.simplify(terms.derivatives(2) - fisher) == sympy.zeros(*fisher.shape)
    delta = sympy.Matrix(terms.displacement)
    assert sympy.simplify(terms[2] - (delta.T * fisher * delta)[0] / 2) == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_directions_part_by_the_cubic_tensor(name):
    """KL(θ+δ‖θ) − KL(θ‖θ+δ) = (1/6)·E[score ⊗ score ⊗ score](δ, δ, δ) + …, in every chart."""
    d, forward = series(name, "forward")
    _, reverse = series(name, "reverse")
    score, delta = d.score(), forward.displacement
    size = range(len(delta))
    cubic = sum(
        d.expectation(score[i] * score[j] * score[k]).expression * delta[i] * delta[j] * delta[k]
        for i, j, k in product(size, repeat=3)
    )
    assert sympy.simplify(reverse[3] - forward[3] - cubic / 6) == 0
    assert sympy.simplify(cubic) != 0


@pytest.mark.parametrize("name", NAMES)
def test_in_natural_coordinates_the_third_order_is_a_sixth_and_a_third(name):
    family = ig.symbolic.density(name).exponential_family
    eta = family.natural_symbols
    other = tuple(sympy.Symbol(f"{s.name}_s", **s.assumptions0) for s in eta)
    there = dict(zip(eta, other, strict=True))

    def bregman(at, base):
        """B_A(at, base), which is KL(base‖at)."""
        a = family.log_partition
        gradient = family.expectation_parameters
        inner = sum((at[s] - base[s]) * gradient[i].subs(base) for i, s in enumerate(eta))
        return a.subs(at) - a.subs(base) - inner

    here = {s: s for s in eta}
    forward = taylor_divergence(bregman(there, here), eta, other)
    reverse = taylor_divergence(bregman(here, there), eta, other)
    delta, size = forward.displacement, range(len(eta))
    cubic = sum(
        family.cubic_tensor[i, j, k] * delta[i] * delta[j] * delta[k] for i, j, k in product(size, repeat=3)
    )
    assert sympy.simplify(forward[3] - cubic / 6) == 0
    assert sympy.simplify(reverse[3] - cubic / 3) == 0
    difference = forward.derivatives(3) - family.cubic_tensor
    assert difference.applyfunc(sympy.simplify) == sympy.Array.zeros(*[len(eta)] * 3)


def test_known_terms_of_a_normal():
    d, terms = series("Normal", "forward")
    sigma, (first, second) = d.parameters[1], terms.displacement
    expected = -(first**2 * second) / sigma**3 - sympy.Rational(5, 3) * second**3 / sigma**3
    assert sympy.simplify(terms[3] - expected) == 0
    _, back = series("Normal", "reverse")
    assert sympy.simplify(back[3] + second**3 / (3 * sigma**3)) == 0


def test_the_polynomial_follows_the_divergence():
    """The remainder after order 4 falls like the fifth power."""
    d, terms = series("Poisson", "forward", 4)
    polynomial = sympy.lambdify((*d.parameters, *terms.displacement), terms.polynomial)
    rest = [float(ig.Poisson(1.7).kl(ig.Poisson(1.7 + h)) - polynomial(1.7, h)) for h in (0.1, 0.05)]
    assert abs(np.log2(rest[0] / rest[1]) - 5) < 0.2


def test_texts():
    _, terms = series("Poisson", "forward")
    assert repr(terms) == (
        "order 0: 0\norder 1: 0\norder 2: delta_lambda**2/(2*lambda)\norder 3: -delta_lambda**3/(3*lambda**2)"
    )
    assert terms._repr_latex_().startswith(
        r"$\displaystyle \begin{array}{ll}\text{order 0:} & \displaystyle 0\\"
    )
    assert len(terms) == 4
    assert list(terms) == list(terms.terms)
    assert terms.derivatives(1) == sympy.zeros(1, 1)


a, b, u, v = sympy.symbols("a b u v", positive=True)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((a * u, (a, b), (u,)), ValueError, "shifted must be 2 symbols, got 1"),
        ((a * u, (a,), (a,)), ValueError, "shifted must be other symbols than parameters"),
        ((a * u, (a,), (u,), -1), ValueError, "order must be an integer from 0, got -1"),
        ((a * u, (a,), (u,), 2.0), ValueError, r"order must be an integer from 0, got 2\.0"),
        ((sympy.log(a - u), (a,), (u,)), ValueError, "divergence must be smooth on the diagonal"),
        ((abs(a - u), (a,), (u,)), ValueError, "divergence must be smooth on the diagonal"),
        ((a * u, ("a",), (u,)), TypeError, "parameters must be SymPy symbols, got 'a'"),
    ],
)
def test_bad_arguments_are_named(arguments, error, match):
    with pytest.raises(error, match=match):
        taylor_divergence(*arguments)


def test_orders_that_are_not_there_are_refused():
    _, terms = series("Poisson", "forward")
    with pytest.raises(ValueError, match="order must be from 1 to 3, got 4"):
        terms.derivatives(4)
