"""The posterior with two humps: against SciPy, polynomial means, and its two ways of being approximated."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from scipy.integrate import quad
from scipy.optimize import minimize

import igviz as ig
from igviz.models import bimodal_posterior

SQUARES = (-2.0, 0.5, 4.0, 9.0, 100.0)


@pytest.mark.parametrize("square", SQUARES)
def test_the_log_joint_keeps_every_constant(square):
    z = np.array([-3.0, -0.4, 1.7])
    twin = scipy.stats.norm.logpdf(square, z**2, 1.0) + scipy.stats.norm.logpdf(z, 0.3, 2.0)
    np.testing.assert_allclose(bimodal_posterior.model(square).log_joint(z[:, None]), twin, rtol=1e-13)


@pytest.mark.parametrize("square", SQUARES)
def test_evidence_and_moments(square):
    model = bimodal_posterior.model(square)
    top = float(np.max(model.log_joint(model.modes[:, None])))
    width = 12.0 / np.sqrt(max(4.0 * square, 2.0))
    pieces = [(-8.0, 8.0)] if square < 6 else [(mode - width, mode + width) for mode in model.modes]

    def integral(function):
        def share(z):
            return function(z) * np.exp(float(model.log_joint([z])) - top)

        return sum(quad(share, *ends, epsabs=0, epsrel=1e-12, limit=400)[0] for ends in pieces)

    mass = integral(lambda _: 1.0)
    mean = integral(lambda z: z) / mass
    std = np.sqrt(integral(lambda z: (z - mean) ** 2) / mass)
    assert model.log_evidence() == pytest.approx(top + np.log(mass), abs=1e-10)
    np.testing.assert_allclose(model.posterior_moments(), (mean, std), rtol=1e-9)


@pytest.mark.parametrize(("mean", "std"), [(-1.3, 0.4), (2.0, 0.2), (0.1, 3.0)])
def test_the_elbo_by_moments(mean, std):
    """E[z²] and E[z⁴] of a normal are all it takes."""
    square, second = 4.0, mean**2 + std**2
    fourth = mean**4 + 6 * mean**2 * std**2 + 3 * std**4
    misfit = square**2 - 2 * square * second + fourth
    distance = (second - 0.6 * mean + 0.09) / 4.0
    q = ig.Normal(mean, std)
    exact = -0.5 * (misfit + distance) - np.log(2 * np.pi * 2.0) + q.entropy()
    assert ig.elbo(bimodal_posterior.model(square), q) == pytest.approx(exact, rel=1e-13)


def test_one_hump_or_two():
    assert len(bimodal_posterior.model(-2.0).modes) == 1
    low, high = bimodal_posterior.model(4.0).modes
    assert low == pytest.approx(-2.0, abs=0.1) and high == pytest.approx(2.0, abs=0.1)
    assert len(bimodal_posterior.model(1e4).modes) == 2, "also humps much narrower than their distance"


def test_two_optima_and_why():
    """Each normal that is best nearby sits on one hump: between them the mean log joint pays for the hole."""
    model = bimodal_posterior.model(4.0)
    tops = []
    for start in (-1.5, 1.5):
        found = minimize(lambda x: -float(ig.elbo(model, ig.Normal(x[0], np.exp(x[1])))), [start, -1.0])
        q = ig.Normal(found.x[0], np.exp(found.x[1]))
        np.testing.assert_allclose(
            model.expected_derivatives(q.mean[None], q.std[None]).gradient, 0, atol=1e-4
        )
        tops.append((float(q.mean), -found.fun))
    (left, lower), (right, higher) = tops
    assert left < -1.5 and right > 1.5
    assert lower < higher < model.log_evidence(), "the prior prefers the right one a little"
    both = ig.Normal(*model.posterior_moments())
    assert ig.elbo(model, both) < lower


def test_models_are_kept():
    assert bimodal_posterior.model(4.0) is bimodal_posterior.model(4.0)
    assert ig.models.bimodal_posterior is bimodal_posterior
