"""What lecture 04 types out agrees with what igviz computes."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import igviz as ig
from tests.notebooks.typed import Typed


@pytest.fixture(scope="module")
def typed() -> Typed:
    return Typed("04_elbo", without=["load_iris"])


def test_the_typed_bound_of_linear_regression_is_the_library_s(typed):
    names = typed.after("def elbo_of_linear_regression")
    rng = np.random.default_rng(11)
    for _ in range(5):
        root = rng.normal(size=(3, 3))
        q = ig.MultivariateNormal(rng.normal(size=3), root @ root.T)
        by_hand = names["elbo_of_linear_regression"](q.mean, q.cov)
        assert by_hand == pytest.approx(ig.elbo(names["model"], q), abs=1e-10)
        assert by_hand + q.kl(names["posterior"]) == pytest.approx(names["model"].log_evidence(), abs=1e-9)


def test_the_typed_log_joints_are_the_running_examples(typed):
    names = typed.after("def f_square")
    z = np.linspace(-4.0, 3.0, 29)
    np.testing.assert_allclose(names["f_skewed"](z), ig.models.skewed_posterior.log_joint(z), rtol=1e-13)
    model = ig.models.bimodal_posterior.model(3)
    np.testing.assert_allclose(names["f_square"](z), model.log_joint(z[:, None]), rtol=1e-13)


def test_the_typed_quadrature_is_the_library_s(typed):
    names = typed.after("def elbo_by_quadrature")
    for f in (names["f_skewed"], names["f_square"]):
        model = ig.OneDimensionalModel(f, prior=ig.Normal(0.0, 2.0))
        for mean, std in ((0.8, 0.5), (-1.6, 0.3), (0.1, 1.2)):
            by_hand = names["elbo_by_quadrature"](f, mean, std)
            assert by_hand == pytest.approx(float(ig.elbo(model, ig.Normal(mean, std))), abs=1e-10)


def test_the_typed_divergences_of_mean_field_are_the_library_s(typed):
    names = typed.after("def kl_of_zero_means")
    values = {names["rho"]: 0.7, names["v1"]: 0.4, names["v2"]: 1.7}
    target = ig.MultivariateNormal([0, 0], [[1, 0.7], [0.7, 1]])
    q = ig.MultivariateNormal([0, 0], np.diag([0.4, 1.7]))
    for first, second, expected in (("V", "S", q.kl(target)), ("S", "V", target.kl(q))):
        typed_kl = names["kl_of_zero_means"](names[first], names[second])
        assert float(typed_kl.subs(values)) == pytest.approx(expected, rel=1e-12)
    assert names["best"] == {names["v1"]: 1, names["v2"]: 1}
    reverse = names["kl_of_zero_means"](names["V"], names["S"])
    slope = sp.diff(reverse, names["v1"])
    assert sp.simplify(slope.subs(names["v1"], 1 - names["rho"] ** 2)) == 0


def test_each_typed_estimator_has_the_exact_gradient_as_its_mean(typed):
    names = typed.after("def gradients_by_the_mean")
    epsilon, weight = names["epsilon"], names["weight"]
    for mean, std in ((-0.227, 0.804), (0.8, 0.5), (-2.0, 1.1)):
        model = ig.OneDimensionalModel(names["f_skewed"], prior=ig.Normal(0, 1.5))
        exact = ig.elbo_gradient(model, ig.Normal(mean, std)).mean[0]
        estimates = names["gradients_by_the_mean"](mean, std, epsilon)
        assert len(estimates) == 4
        for one in estimates:
            assert weight @ one == pytest.approx(exact, abs=1e-9)


def test_the_typed_control_variate_makes_the_least_variance(typed):
    names = typed.after("def gradients_by_the_mean")
    epsilon, weight = names["epsilon"], names["weight"]
    plain, best, *_ = names["gradients_by_the_mean"](0.8, 0.5, epsilon)
    score = epsilon / 0.5

    def variance(values):
        return weight @ values**2 - (weight @ values) ** 2

    assert variance(best) < variance(plain)
    for more in (-0.3, 0.3):
        assert variance(best) < variance(best + more * score)


def test_sticking_the_landing_is_the_least_noisy_by_the_mean(typed):
    names = typed.after("def gradients_by_the_mean")
    epsilon, weight, spreads = names["epsilon"], names["weight"], []
    for mean, std in ((-0.227, 0.804), (0.8, 0.5)):
        estimates = np.stack(names["gradients_by_the_mean"](mean, std, epsilon))
        spreads.append(np.sqrt(estimates**2 @ weight - (estimates @ weight) ** 2))
    top, away = spreads
    assert [top[3], away[3]] == pytest.approx([0.564, 0.695], abs=1e-3)
    assert top[3] < top[1] < top[2] < top[0]  # the control variate before reparameterisation
    assert away[3] < away[2] < away[1] < away[0]
