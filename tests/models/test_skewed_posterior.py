"""The running example against SciPy's adaptive quadrature and distributions."""

from __future__ import annotations

import numpy as np
import scipy.stats
from scipy.integrate import quad

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
