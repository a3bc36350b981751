"""Moment matching against the minimum of KL(posterior‖q), found by quadrature on a fine grid."""

from __future__ import annotations

import numpy as np
import pytest

import igviz as ig
from tests.inference.gaussian_cases import skewed

MODELS = {
    "skewed": skewed(),
    "bimodal": ig.models.bimodal_posterior.model(4.0),
    "hardly bimodal": ig.models.bimodal_posterior.model(1.2),
}
for_models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
Z = np.linspace(-14.0, 10.0, 4_001)


def forward_kl(model, q):
    """KL(posterior‖q) by the trapezoid rule, of q's shape."""
    density = model.posterior_pdf(Z)
    log_q = ig.Normal(q.mean[..., None], q.std[..., None]).log_prob(Z)
    posterior = model.log_joint(Z[:, None]) - model.log_evidence()
    return np.trapezoid(density * (posterior - log_q), Z)


@for_models
def test_it_is_the_minimum_of_the_forward_divergence(model):
    found = ig.moment_matching(model)
    assert found.shape == ()
    # the grid does not hold the answer
    mean = float(found.mean) + np.arange(-14.3, 16.0) * 1e-3
    std = float(found.std) + np.arange(-15.4, 15.0) * 1e-3
    grid = ig.Normal(mean[:, None], std)
    values = np.stack([forward_kl(model, row) for row in grid])
    i, j = np.unravel_index(np.argmin(values), grid.shape)
    assert abs(mean[i] - found.mean) < 0.51e-3
    assert abs(std[j] - found.std) < 0.51e-3
    assert np.min(values) > forward_kl(model, found)


@for_models
def test_it_has_the_moments_of_the_posterior(model):
    found, density = ig.moment_matching(model), model.posterior_pdf(Z)
    moments = np.array([np.trapezoid(density * Z**power, Z) for power in (1, 2)])
    np.testing.assert_allclose(found.expectation, moments, rtol=1e-10)


@for_models
def test_no_other_minimum(model):
    """KL(p‖q) is convex in the natural coordinates of q: from anywhere it falls on the way to the answer."""
    found, rng = ig.moment_matching(model), np.random.default_rng(41)
    for start in zip(rng.normal(size=6), np.exp(rng.normal(size=6)), strict=True):
        path = ig.geodesic(ig.Normal(*start), found, "natural")(np.linspace(0.0, 1.0, 30))
        assert np.all(np.diff(forward_kl(model, path)) < 0.0)


def test_it_covers_both_humps_where_variational_inference_takes_one():
    model = MODELS["bimodal"]
    found, z = ig.moment_matching(model), ig.Normal(1.9, 0.25)
    assert ig.elbo(model, z) > ig.elbo(model, found) + 0.5
    assert forward_kl(model, z) > forward_kl(model, found) + 5.0
    low, high = model.modes
    assert found.mean - found.std < high < found.mean + 2.5 * found.std
    assert found.mean - 2.5 * found.std < low < found.mean + found.std
    assert found.std > 5.0 * z.std


def test_on_the_running_example():
    """The module itself has the moments too; matching them is wider than the best normal of the ELBO."""
    example = ig.models.skewed_posterior
    found = ig.moment_matching(example)
    np.testing.assert_allclose(found.source, ig.moment_matching(skewed()).source, rtol=1e-9)
    best = example.best_normal()
    assert found.std > 1.05 * best.std
    assert forward_kl(skewed(), best) > forward_kl(skewed(), found)
    assert ig.elbo(skewed(), best) > ig.elbo(skewed(), found)


@pytest.mark.parametrize("wrong", [ig.Normal(0.2, 1.1), None, "skewed"])
def test_what_has_no_moments_is_refused(wrong):
    with pytest.raises(TypeError, match=r"^moment_matching: model must have a method posterior_moments\(\)"):
        ig.moment_matching(wrong)
