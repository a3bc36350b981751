"""Lengths measured in one chart at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

import igviz as ig
from igviz.geometry.lengths import lengths_along

A, B = ig.Normal(-1.2, 0.6), ig.Normal(1.5, 1.4)
TIMES = np.linspace(0.0, 1.0, 41)


def wave(t):
    return ig.Normal(np.sin(3.0 * t) - 2.0 * t, 0.7 + 0.4 * t**2)


@pytest.mark.parametrize("curve", [ig.geodesic(A, B), ig.geodesic(A, B, "natural"), wave])
def test_three_charts_one_length(curve):
    source, natural, expectation = (lengths_along(curve, chart, TIMES) for chart in ig.Normal.charts)
    assert source[0] == 0.0
    assert np.all(np.diff(source) > 0.0)
    np.testing.assert_allclose(natural, source, rtol=0, atol=1e-10)
    np.testing.assert_allclose(expectation, source, rtol=0, atol=1e-10)


@pytest.mark.parametrize("chart", ig.Normal.charts)
def test_along_a_fisher_rao_geodesic_it_is_the_distance(chart):
    path = ig.geodesic(A, B)
    expected = ig.fisher_rao_distance(A, path(TIMES))
    np.testing.assert_allclose(lengths_along(path, chart, TIMES), expected, rtol=0, atol=1e-10)


def test_against_adaptive_quadrature_of_the_derivative():
    def speed(t):
        dmean, dstd = 3.0 * np.cos(3.0 * t) - 2.0, 0.8 * t
        return np.sqrt(dmean**2 + 2.0 * dstd**2) / float(wave(t).std)

    whole = quad(speed, 0.0, 1.0, epsabs=1e-13)[0]
    assert lengths_along(wave, "natural", TIMES)[-1] == pytest.approx(whole, rel=1e-10)

    def plain(t):
        dmean, dstd = 3.0 * np.cos(3.0 * t) - 2.0, 0.8 * t
        here = wave(t)
        return np.hypot(dmean, 2.0 * float(here.mean) * dmean + 2.0 * float(here.std) * dstd)

    whole = quad(plain, 0.2, 0.9, epsabs=1e-13)[0]
    measured = lengths_along(wave, "expectation", np.linspace(0.2, 0.9, 30), "euclidean")[-1]
    assert measured == pytest.approx(whole, rel=1e-10)


def test_a_straight_path_has_the_ruler_length_of_its_ends():
    path = ig.geodesic(A, B, "natural")
    across = np.linalg.norm(B.natural - A.natural)
    measured = lengths_along(path, "natural", [0.0, 0.25, 1.0], "euclidean")
    np.testing.assert_allclose(measured, across * np.array([0.0, 0.25, 1.0]), rtol=1e-12)


def test_one_coordinate_is_enough():
    p, q = ig.Bernoulli(0.1), ig.Bernoulli(0.8)
    for chart in p.charts:
        whole = lengths_along(ig.geodesic(p, q), chart, TIMES)[-1]
        assert whole == pytest.approx(float(ig.fisher_rao_distance(p, q)), rel=1e-11)


@pytest.mark.parametrize("t", [[0.0], [0.0, 0.0, 1.0], [1.0, 0.0], 1.0])
def test_bad_times(t):
    with pytest.raises(ValueError, match="t must be at least two increasing times"):
        lengths_along(wave, "source", t)


def test_bad_words():
    with pytest.raises(ValueError, match="ruler must be 'fisher' or 'euclidean', got 'tape'"):
        lengths_along(wave, "source", TIMES, "tape")
    with pytest.raises(ValueError, match="chart must be one of"):
        lengths_along(wave, "polar", TIMES)
