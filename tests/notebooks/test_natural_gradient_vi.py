"""What lecture 05 types out agrees with what igviz computes."""

from __future__ import annotations

import numpy as np
import pytest

import igviz as ig
from igviz.models import skewed_posterior
from tests.notebooks.typed import Typed


@pytest.fixture(scope="module")
def typed() -> Typed:
    return Typed("05_natural_gradient_vi")


def test_the_typed_identity_holds_at_generic_points(typed):
    names = typed.after("fisher = sp.simplify")
    for mean, std in ((1.3, 0.7), (-0.4, 1.9)):
        at, q = {names["m"]: mean, names["s"]: std}, ig.Normal(mean, std)
        fisher = np.array(names["fisher"].subs(at), dtype=float)
        np.testing.assert_allclose(fisher, q.fisher("natural"), rtol=1e-12)
        by_eta = np.array(names["by_eta"].subs(at), dtype=float).ravel()
        by_mu = np.array(names["by_mu"].subs(at), dtype=float).ravel()
        np.testing.assert_allclose(np.linalg.solve(fisher, by_eta), by_mu, rtol=1e-10)
        # by the library: differences of the ELBO along the expectation parameters
        h = 1e-6
        for k in range(2):
            ends = [
                ig.elbo(
                    skewed_posterior.MODEL,
                    ig.Normal.from_expectation(q.expectation + sign * h * np.eye(2)[k]),
                )
                for sign in (1, -1)
            ]
            assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(by_mu[k], rel=1e-7, abs=1e-7)


def test_the_typed_charts_are_the_library_s(typed):
    names = typed.after("def land(")
    start = ig.Normal(0.8, 0.6)
    for chart in ("source", "natural", "expectation"):
        jacobian = names["to_chart"][chart](*start.source)
        ends = [ig.Normal.from_source(start.source + sign * 1e-6 * np.eye(2)) for sign in (1, -1)]
        by_difference = (ends[0].coordinates(chart) - ends[1].coordinates(chart)) / 2e-6
        np.testing.assert_allclose(jacobian, by_difference.T, rtol=1e-8, atol=1e-8)


def test_a_typed_natural_step_is_the_library_s(typed):
    land = typed.after("def land(")["land"]
    start = ig.Normal(-1.2, 0.5)
    for step in (0.3, 1.0):
        fit = ig.natural_gradient_vi(skewed_posterior.MODEL, start, step=step, safeguard=False, max_iter=1)
        assert land(start, step, "natural", True).kl(fit.q) < 1e-12


def test_the_typed_loop_takes_the_library_s_steps(typed):
    names = typed.after("flowers = ")
    for count in (1, 3, 7):
        bare = ig.natural_gradient_vi(names["flowers"], safeguard=False, max_iter=count)
        q = names["natural_gradient_vi"](names["X"], names["y"], steps=count)
        assert q.kl(bare.q) < 1e-12
    half = ig.natural_gradient_vi(names["flowers"], safeguard=False, step=0.5, max_iter=4)
    assert names["natural_gradient_vi"](names["X"], names["y"], steps=4, rho=0.5).kl(half.q) < 1e-12


def test_the_typed_mirror_step_is_the_library_s(typed):
    names = typed.after("def minus_value")
    fit = ig.natural_gradient_vi(
        skewed_posterior.MODEL, names["now"], step=names["rho_step"], safeguard=False, max_iter=1
    )
    assert names["step_taken"].kl(fit.q) < 1e-12
    assert ig.Normal(names["found"][0], np.exp(names["found"][1])).kl(fit.q) < 1e-9


def test_the_listing_with_its_minus_walks_downhill(typed):
    names = typed.after("def listing")
    start = names["log_likelihood"](np.zeros(5))
    down, up = (names["log_likelihood"](names["listing"](names["X"], names["y"], sign)) for sign in (-1, 1))
    assert down < start < up
    # what the text says of the plus: ten steps are not enough, and more pass the mean of the best q
    best = names["log_likelihood"](names["fit"].q.mean)
    more = names["log_likelihood"](names["listing"](names["X"], names["y"], 1, steps=100))
    assert up < best < more
