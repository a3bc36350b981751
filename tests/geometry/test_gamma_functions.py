"""The excess of log Γ over x·log x − x, its divergence and the inverses, against many digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from igviz.geometry import gamma_functions

SEPARATIONS = (1e-12, 1e-8, 1e-4, 1e-2, 0.5, 1.9, 2.1, 2.4, 1e3)


def arguments(seed, count=60):
    """Small, middling and large numbers, and both sides of the seam between series and direct form."""
    rng = np.random.default_rng(seed)
    middle = 10.0 ** rng.uniform(-1.0, 1.3, count)
    return np.concatenate(
        [10.0 ** rng.uniform(-12, -1, 20), middle, 10.0 ** rng.uniform(1.3, 9, 20), [8.0, 7.999999]]
    )


def exact(function, values):
    with mpmath.workdps(90):
        return [function(mpmath.mpf(float(v))) for v in values]


def errors(values, references, floor=0.0):
    """Errors relative to the reference, or to the floor where that is larger."""
    pairs = zip(values, references, strict=True)
    return np.array([float(abs(mpmath.mpf(float(v)) - r) / max(abs(r), floor)) for v, r in pairs])


def excess(x):
    return mpmath.loggamma(x) - x * mpmath.log(x) + x


def test_derivatives_of_log_gamma():
    x = arguments(261)
    assert np.max(errors(gamma_functions.trigamma(x), exact(lambda t: mpmath.psi(1, t), x))) < 1e-15
    assert np.max(errors(gamma_functions.tetragamma(x), exact(lambda t: mpmath.psi(2, t), x))) < 1e-15


def test_excess_and_its_derivatives():
    x = arguments(262)
    # the excess itself has a zero near 6.44
    assert np.max(errors(gamma_functions.log_gamma_excess(x), exact(excess, x), floor=0.3)) < 1e-14
    slope = exact(lambda t: mpmath.psi(0, t) - mpmath.log(t), x)
    assert np.max(errors(gamma_functions.digamma_excess(x), slope)) < 1e-14
    curvature = exact(lambda t: t**2 * mpmath.psi(1, t) - t, x)
    assert np.max(errors(gamma_functions.excess_curvature(x), curvature)) < 1e-14
    assert np.all((gamma_functions.excess_curvature(x) > 0.5) & (gamma_functions.excess_curvature(x) <= 1.0))


@pytest.mark.parametrize("separation", SEPARATIONS)
def test_excess_divergence_over_all_scales(separation):
    x = arguments(263, 30)
    for y in (x * (1 + separation), x / (1 + separation)):
        with mpmath.workdps(90):
            references = []
            for a, b in zip(x, y, strict=True):
                a, b = mpmath.mpf(float(a)), mpmath.mpf(float(b))
                slope = mpmath.psi(0, a) - mpmath.log(a)
                references.append(excess(b) - excess(a) - slope * (b - a))
        assert np.max(errors(gamma_functions.excess_divergence(x, y, y - x), references)) < 2e-14
    assert np.all(gamma_functions.excess_divergence(x, x, 0.0 * x) == 0.0)


def test_inverse_of_digamma():
    rng = np.random.default_rng(264)
    y = np.concatenate([-(10.0 ** rng.uniform(-3, 30, 40)), rng.uniform(-4, 3, 60), rng.uniform(3, 300, 20)])
    x = gamma_functions.digamma_inverse(y)
    with mpmath.workdps(90):
        for a, b in zip(x, y, strict=True):
            a, b = mpmath.mpf(float(a)), mpmath.mpf(float(b))
            # the rounding of y alone moves x by |y|/ψ′(x)
            error = abs(mpmath.psi(0, a) - b) / mpmath.psi(1, a) / a
            assert error < 4e-16 * max(1, b)
    assert np.isnan(gamma_functions.digamma_inverse(np.array(np.nan)))
    np.testing.assert_allclose(gamma_functions.digamma_inverse(np.array(-np.euler_gamma)), 1.0, rtol=1e-15)


def test_inverse_of_the_slope_of_the_excess():
    y = 10.0 ** np.random.default_rng(265).uniform(-12, 12, 100)
    x = gamma_functions.digamma_excess_inverse(y)
    assert np.max(errors(y, exact(lambda t: mpmath.log(t) - mpmath.psi(0, t), x))) < 1e-14
