"""The running example against SciPy's adaptive quadrature and distributions."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from scipy.integrate import quad
from scipy.optimize import minimize

import igviz as ig
from igviz.geometry.families.normal import Normal
from igviz.models import skewed_posterior as example


def test_the_log_joint_keeps_every_constant():
    z = np.array([-3.0, 0.4, 2.0])
    twin = scipy.stats.poisson.logpmf(1, np.exp(z)) + scipy.stats.norm.logpdf(z, scale=1.5)
    np.testing.assert_allclose(example.log_joint(z), twin, rtol=1e-13)


def test_evidence_and_moments():
    def integral(f):
        return quad(lambda z: f(z) * np.exp(example.log_joint(z)), -25, 10, limit=400, epsabs=1e-14)[0]

    evidence = integral(lambda _: 1.0)
    mean = integral(lambda z: z) / evidence
    std = np.sqrt(integral(lambda z: (z - mean) ** 2) / evidence)
    np.testing.assert_allclose(example.log_evidence(), np.log(evidence), rtol=1e-10)
    np.testing.assert_allclose(example.posterior_moments(), (mean, std), rtol=1e-9)


def test_it_is_skewed_to_the_left():
    mean, std = example.posterior_moments()
    z = example.GRID
    skewness = np.trapezoid(((z - mean) / std) ** 3 * example.posterior_pdf(z), z)
    assert -1.0 < skewness < -0.3


@pytest.mark.parametrize(("mean", "std"), [(-1.4, 0.5), (0.3, 1.2), (-0.2, 0.8)])
def test_the_elbo_by_quadrature(mean, std):
    q = scipy.stats.norm(mean, std)

    def integrand(z):
        return q.pdf(z) * (example.log_joint(z) - q.logpdf(z))

    ends = mean - 12 * std, mean + 12 * std
    value = quad(integrand, *ends, epsabs=1e-13, limit=200)[0]
    np.testing.assert_allclose(example.elbo(Normal(mean, std)), value, rtol=1e-11)
    step = 1e-5
    for k, shift in enumerate(step * np.eye(2)):
        ends = [example.elbo(Normal(*(np.array([mean, std]) + sign * shift))) for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(example.elbo_gradient(Normal(mean, std))[k], slope, rtol=1e-7, atol=1e-8)


def test_the_elbo_and_the_divergence_make_the_evidence():
    q, z = Normal(-0.7, 0.6), example.GRID
    kl = np.trapezoid(q.pdf(z) * (q.log_prob(z) - example.log_joint(z) + example.log_evidence()), z)
    np.testing.assert_allclose(example.elbo(q) + kl, example.log_evidence(), rtol=1e-11)


def test_it_is_one_model_in_three_forms():
    """A Poisson regression on a constant, a model of one number, and the functions of this module."""
    q = Normal([[-1.4], [0.3]], [0.5, 1.2, 1e-3])
    np.testing.assert_allclose(ig.elbo(example.REGRESSION, q), example.elbo(q), rtol=1e-14)
    np.testing.assert_allclose(ig.elbo(example.MODEL, q), example.elbo(q), rtol=1e-13)
    assert example.MODEL.prior == Normal(0.0, 1.5)
    z = np.array([-3.0, 0.4, 2.0])
    np.testing.assert_array_equal(example.MODEL.log_joint(z[:, None]), example.log_joint(z))
    assert example.elbo_gradient(q).shape == (2, 3, 2)


def test_the_best_normal():
    found = minimize(lambda x: -float(example.elbo(Normal(*x))), [-0.5, 1.0], method="Nelder-Mead",
                     options={"xatol": 1e-9, "fatol": 1e-14})  # fmt: skip
    best = example.best_normal()
    np.testing.assert_allclose(best.source, found.x, atol=1e-6)
    np.testing.assert_allclose(example.elbo_gradient(best), 0, atol=1e-14)
    assert example.elbo(best) < example.log_evidence()
    assert example.elbo(Normal(100.0, 40.0)) == -np.inf
