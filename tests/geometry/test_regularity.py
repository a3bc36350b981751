"""Divergences and information of models that keep the regularity conditions, and of models that do not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import integrate, stats

from igviz.geometry.information_by_quadrature import information_by_quadrature
from igviz.geometry.regularity import LaplaceLocation, MixturePosition, NormalMean, UniformEnd

MIXTURES = [MixturePosition(w, s, m) for w, s, m in [(0.2, 1.0, 2.0), (0.02, 1.7, 2.0), (0.6, 0.9, -1.3)]]
ALL = [UniformEnd(1.7), NormalMean(1.3), LaplaceLocation(0.7), *MIXTURES]
REGULAR = ALL[1:]


def name(one):
    return type(one).__name__


def log_mixture(x, w, m, s):
    parts = np.log1p(-w) + stats.norm.logpdf(x, 0, s), np.log(w) + stats.norm.logpdf(x, m, s)
    return np.logaddexp(*parts)


def divergence(p, q, breaks):
    """KL by adaptive quadrature from the two densities alone."""

    def integrand(x):
        return p(x) * np.log(p(x) / q(x)) if p(x) > 0 else 0.0

    ends = itertools.pairwise(breaks)
    return sum(integrate.quad(integrand, low, high, epsabs=1e-13, epsrel=1e-11)[0] for low, high in ends)


@pytest.mark.parametrize("one", ALL, ids=name)
@pytest.mark.parametrize("step", [0.05, 0.4, 1.0])
def test_divergences_are_integrals(one, step):
    p, q = (lambda x: float(one.pdf(x))), (lambda x: float(one.pdf(x, step)))
    if isinstance(one, UniformEnd):
        assert float(one.kl(step)[0]) == pytest.approx(divergence(p, q, [0.0, one.end]), rel=1e-9)
        assert float(one.kl(step)[1]) == np.inf
        return
    breaks = [-20.0, -5.0, 0.0, step, 3.0, 8.0, 22.0]
    there, back = one.kl(step)
    assert float(there) == pytest.approx(divergence(p, q, breaks), rel=1e-8, abs=1e-12)
    assert float(back) == pytest.approx(divergence(q, p, breaks), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("one", ALL, ids=name)
def test_densities_integrate_to_one(one):
    x = np.linspace(-30.0, 30.0, 600_001)
    for step in (0.0, 0.35):
        assert np.trapezoid(one.pdf(x, step), x) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("one", REGULAR, ids=name)
def test_small_steps_keep_their_digits(one):
    """KL/step² has a limit, ½·I, that is met to the order of the step and not lost in rounding."""
    steps = np.array([1e-3, 1e-4, 1e-5, 1e-6])
    for values in one.kl(steps):
        ratios = values / (0.5 * one.information().outer_product * steps**2)
        assert np.all(np.abs(ratios - 1.0) < 2.0 * steps + 1e-9)


@pytest.mark.parametrize(
    ("one", "order"), [(UniformEnd(1.4), 1.0), (NormalMean(1.3), 2.0), (LaplaceLocation(0.7), 2.0)]
    + [(one, 2.0) for one in MIXTURES], ids=lambda value: "",
)  # fmt: skip
def test_the_order_in_the_step(one, order):
    assert one.order(1e-4) == pytest.approx(order, abs=1e-3)
    step, there = 0.3, lambda step: float(one.kl(step)[0])
    slope = (there(step * 1.0001) - there(step * 0.9999)) / (0.0002 * there(step))
    assert one.order(step) == pytest.approx(slope, abs=1e-6)


def test_a_dead_component_has_no_order():
    dead = MixturePosition(0.0)
    there, back = dead.kl([0.001, 1.0])
    assert np.all(there == 0) and np.all(back == 0)
    assert np.isnan(dead.order(0.1))
    assert dead.information() == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("one", MIXTURES, ids=name)
def test_information_of_mixtures_by_quadrature(one):
    found = information_by_quadrature(
        lambda x, w, m: log_mixture(x, w, m, one.std), (one.weight, one.position), (-np.inf, np.inf)
    )
    np.testing.assert_allclose(one.fisher(), found.outer_product, rtol=1e-7)
    np.testing.assert_allclose(one.fisher(), found.minus_hessian, rtol=1e-6)
    outer, hessian, mean = one.information()
    assert outer == pytest.approx(found.outer_product[1, 1], rel=1e-7)
    assert hessian == pytest.approx(outer, rel=1e-12)
    assert abs(mean) < 1e-14


@pytest.mark.parametrize("std", [0.9, 1.0, 2.0])
def test_what_becomes_of_the_matrix_as_the_component_dies(std):
    m, r = 2.0, (2.0 / std) ** 2
    limit = np.exp(r) - 1.0
    assert MixturePosition(0.0, std).fisher()[0, 0] == pytest.approx(limit, rel=1e-12)
    w = 1e-7 * np.exp(-r)
    fisher = MixturePosition(w, std).fisher()
    growth = np.exp(r)
    expected = [[limit, w * growth * m / std**2], [0.0, w**2 * growth * (1.0 + r) / std**2]]
    expected[1][0] = expected[0][1]
    np.testing.assert_allclose(fisher, expected, rtol=1e-4)
    determinant = w**2 * growth * (growth - 1.0 - r) / std**2
    assert np.linalg.det(fisher) == pytest.approx(determinant, rel=1e-3)
    falling = [np.linalg.det(MixturePosition(w, std).fisher()) for w in (0.5, 0.2, 0.1, 0.05, 0.02, 0.0)]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] == 0.0


def test_a_moving_end():
    found = information_by_quadrature(lambda x, end: -np.log(end) + 0.0 * x, [1.7], (0.0, 1.7))
    outer, hessian, mean = UniformEnd(1.7).information()
    assert outer == pytest.approx(found.outer_product[0, 0], rel=1e-8)
    assert hessian == pytest.approx(found.minus_hessian[0, 0], rel=1e-8)
    assert mean == pytest.approx(found.mean_score[0], rel=1e-8)
    assert outer > 0 > hessian


def test_a_moving_kink():
    b = 0.7
    found = information_by_quadrature(
        lambda x, mu: stats.laplace.logpdf(x, mu, b), [0.0], (-np.inf, np.inf), points=[0.0]
    )
    outer, hessian, mean = LaplaceLocation(b).information()
    assert outer == pytest.approx(found.outer_product[0, 0], rel=1e-7) == pytest.approx(b**-2)
    assert hessian == pytest.approx(found.minus_hessian[0, 0], abs=1e-7)
    assert mean == pytest.approx(found.mean_score[0], abs=1e-9)
    u = 0.3 / b
    assert float(LaplaceLocation(b).kl(0.3)[0]) == pytest.approx(u + np.exp(-u) - 1.0, rel=1e-12)


def test_the_usual_case():
    outer, hessian, mean = NormalMean(1.3).information()
    assert (outer, hessian, mean) == (pytest.approx(1.3**-2), pytest.approx(1.3**-2), 0.0)
    steps = np.array([1e-6, 0.3, 4.0])
    for values in NormalMean(1.3).kl(steps):
        np.testing.assert_allclose(values, 0.5 * outer * steps**2, rtol=1e-14)


def test_bad_models_and_steps():
    with pytest.raises(ValueError, match=r"UniformEnd: end must be positive, got -1\.0"):
        UniformEnd(-1.0)
    with pytest.raises(ValueError, match=r"MixturePosition: weight must be in \[0, 1\], got 1\.5"):
        MixturePosition(1.5)
    with pytest.raises(ValueError, match=r"position must be within 6 std of 0, got 9\.0"):
        MixturePosition(0.5, 1.0, 9.0)
    with pytest.raises(ValueError, match="std must be positive, got 0"):
        MixturePosition(0.5, 0.0)
    for bad in (0.0, -0.1, np.nan, [0.1, -2.0]):
        with pytest.raises(ValueError, match="kl: steps must be positive, got"):
            NormalMean(1.0).kl(bad)
