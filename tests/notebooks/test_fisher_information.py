"""What lecture 02 types out agrees with what igviz computes."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import igviz as ig
from tests.notebooks.typed import Typed


@pytest.fixture(scope="module")
def typed() -> Typed:
    # the table has tests of its own
    return Typed("02_fisher_information", without=["fisher_four_ways"])


def test_the_typed_coin_is_the_library_s(typed):
    names = typed.after("score_of_logit")
    p = names["p"]
    outer = sp.lambdify(p, names["mean_over_x"](names["score"] ** 2))
    hessian = sp.lambdify(p, names["mean_over_x"](-sp.diff(names["score"], p)))
    for value in (0.07, 0.3, 0.84):
        fisher = ig.Bernoulli(value).fisher()[0, 0]
        assert outer(value) == pytest.approx(fisher, rel=1e-13)
        assert hessian(value) == pytest.approx(fisher, rel=1e-13)


def test_the_typed_bell_is_the_library_s(typed):
    names = typed.after("bell = sp.exp")
    outer = (names["score"] * names["score"].T).applyfunc(names["mean_over_z"])
    for mean, std in ((1.3, 0.7), (-2.0, 3.1)):
        there = np.array(outer.subs({names["m"]: mean, names["s"]: std}), dtype=float)
        np.testing.assert_allclose(there, ig.Normal(mean, std).fisher(), rtol=1e-13)


def test_the_typed_log_partition_gives_the_library_s_fisher(typed):
    names = typed.after("I_natural")
    evaluate = sp.lambdify((names["a"], names["b"]), names["I_natural"], "scipy")
    for shape, rate in ((2.5, 0.8), (0.4, 3.0)):
        np.testing.assert_allclose(evaluate(shape, rate), ig.Gamma(shape, rate).fisher("natural"), rtol=1e-12)


def test_the_typed_logistic_regression_is_a_mean_over_labels(typed):
    names = typed.after("log_likelihood")
    inputs, theta = np.array([1.4, -0.6]), np.array([0.3, 1.1])
    symbols = [names[name] for name in ("x1", "x2", "t1", "t2")]
    there = np.array(names["expected"].subs(dict(zip(symbols, [*inputs, *theta], strict=True))), dtype=float)
    p = 1 / (1 + np.exp(-inputs @ theta))
    np.testing.assert_allclose(there, p * (1 - p) * np.outer(inputs, inputs), rtol=1e-12)


def test_the_typed_changes_of_chart_are_the_library_s(typed):
    names = typed.after("fishers = {}")
    for chart, symbolic in names["fishers"].items():
        there = np.array(symbolic.subs({names["m"]: 1.3, names["s"]: 0.7}), dtype=float)
        np.testing.assert_allclose(there, ig.Normal(1.3, 0.7).fisher(chart), rtol=1e-12)


def test_the_typed_cauchy_is_the_library_s(typed):
    names = typed.after("def second_derivative")
    x, model = np.linspace(-7, 9, 33), ig.Cauchy(0.4, 1.0)
    np.testing.assert_allclose(names["score"](x, 0.4), model.score(x)[:, 0], rtol=1e-12, atol=1e-15)
    hessian = model.hessian_log_prob(x)[:, 0, 0]
    np.testing.assert_allclose(names["second_derivative"](x, 0.4), hessian, rtol=1e-11, atol=1e-15)


def test_the_typed_sign_keeps_two_over_pi(typed):
    names = typed.after("I_sign")
    assert sp.simplify(names["I_sign"].subs(names["m"], 0)) == 2 / sp.pi
    assert names["share"](64, 0) == pytest.approx(2 / np.pi, rel=1e-12)


def test_the_typed_christoffel_symbols_are_the_library_s(typed):
    names = typed.after("def christoffel")
    theta, phi = sp.symbols("theta phi", positive=True)
    sphere = sp.diag(1, sp.sin(theta) ** 2)
    library = ig.symbolic.christoffel_symbols(sphere, (theta, phi))
    by_hand = names["christoffel"](sphere, (theta, phi))
    assert all(
        sp.simplify(by_hand[k][i][j] - library[k, i, j]) == 0 for k in (0, 1) for i in (0, 1) for j in (0, 1)
    )


def test_every_solution_is_correct_and_no_stub_is_answered(typed):
    for number in range(1, 6):
        assert ig.check(f"02.{number}", typed.last[f"solution_{number}"]).correct
        assert not ig.check(f"02.{number}", typed.last[f"answer_{number}"]).correct
