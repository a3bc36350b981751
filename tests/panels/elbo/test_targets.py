"""The targets in closed form against quadrature, and their optima against gradients and walks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

import igviz as ig
from igviz.models import bimodal_posterior, skewed_posterior
from igviz.panels.elbo import targets

NAMED = {
    "skewed": targets.skewed(),
    **{str(square): targets.bimodal(square) for square in (-0.7, 1.0, 2.3, 3.0, 4.0)},
}
PLACES = [(-1.3, 0.4), (0.37, 1.21), (1.9, 0.23), (-0.05, 2.4)]


@pytest.fixture(params=NAMED)
def target(request):
    return NAMED[request.param]


@pytest.mark.parametrize(("mean", "std"), PLACES)
def test_the_closed_forms(target, mean, std):
    q = ig.Normal(mean, std)
    assert target.elbo(q) == pytest.approx(ig.elbo(target.model, q), rel=1e-11)
    exact = ig.elbo_gradient(target.model, q)
    by_hand = [exact.mean[0], 2 * std * exact.cov[0, 0]]
    np.testing.assert_allclose(target.gradient(q), by_hand, rtol=1e-9, atol=1e-9)


def test_they_serve_grids(target):
    q = ig.Normal([[0.1, -1.0, 2.0]], [[0.5], [1.5]])
    assert target.elbo(q).shape == (2, 3)
    assert target.gradient(q).shape == (2, 3, 2)
    assert target.elbo(q)[1, 2] == target.elbo(ig.Normal(2.0, 1.5))


@pytest.mark.parametrize(("mean", "std"), PLACES)
def test_kl_is_its_own_integral(target, mean, std):
    def integrand(z):
        log_q = stats.norm.logpdf(z, mean, std)
        return np.exp(log_q) * (log_q - target.model.log_joint([z]) + target.model.log_evidence())

    wanted = integrate.quad(
        integrand, mean - 14 * std, mean + 14 * std, points=[mean], epsabs=1e-12, limit=200
    )[0]
    q = ig.Normal(mean, std)
    assert target.kl(q) == pytest.approx(wanted, rel=1e-10)
    assert target.elbo(q) + target.kl(q) == pytest.approx(target.model.log_evidence(), rel=1e-10)


def test_the_targets_are_those_of_the_models():
    z = np.array([-2.1, 0.4, 1.3])
    np.testing.assert_allclose(
        targets.skewed().model.posterior_pdf(z), skewed_posterior.posterior_pdf(z), rtol=1e-10
    )
    np.testing.assert_array_equal(
        targets.bimodal(2.5).model.log_joint(z[:, None]), bimodal_posterior.model(2.5).log_joint(z[:, None])
    )


def test_climbing_and_settling_end_where_the_gradient_vanishes(target):
    for start in (ig.Normal(-1.5, 0.6), ig.Normal(1.2, 0.5)):
        top = target.climb(start)
        np.testing.assert_allclose(target.gradient(top), 0, atol=1e-9)
        assert target.elbo(top) > target.elbo(start)
        again = target.settle(ig.Normal(top.mean + 1e-4, top.std - 1e-4))
        np.testing.assert_allclose(again.source, top.source, atol=1e-12)


def test_optima_that_are_one_count_once():
    three = targets.bimodal(3.0)
    starts = [ig.Normal(-1.7, 0.3), ig.Normal(1.5, 0.3), ig.Normal(1.7, 0.35), ig.Normal(0.1, 1.0)]
    found = three.optima(starts)
    assert [round(float(q.mean), 2) for q in found] == [1.62, -1.60, 0.09], "the highest first"
    assert len(targets.skewed().optima([ig.Normal(-1, 1), ig.Normal(0, 0.5)])) == 1
