"""Double-exponential quadrature against known integrals and QUADPACK; series with late peaks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate as quadpack

from igviz.geometry.symbolic import quadrature

INF = np.inf


@pytest.mark.parametrize(
    ("function", "low", "high", "exact"),
    [
        (lambda x: np.exp(-0.5 * x**2), -INF, INF, math.sqrt(2 * math.pi)),
        (lambda x: 1 / (1 + x**2), -INF, INF, math.pi),
        (lambda x: x**1.3 * np.exp(-x), 0.0, INF, math.gamma(2.3)),
        (lambda x: x**-0.6 * np.exp(-x), 0.0, INF, math.gamma(0.4)),
        (lambda x: np.log(x) ** 2, 0.0, 1.0, 2.0),
        (lambda x: np.exp(x), -INF, 0.7, math.exp(0.7)),
        (lambda x: (-x) ** -0.6, -1.0, 0.0, 2.5),
        (lambda x: np.cos(x), -0.4, 1.9, math.sin(1.9) + math.sin(0.4)),
        (lambda x: x**3 * np.exp(-0.5 * x**2), -INF, INF, 0.0),
    ],
)
def test_known_integrals(function, low, high, exact):
    np.testing.assert_allclose(quadrature.integrate(function, low, high), exact, rtol=1e-12, atol=1e-12)


def test_a_grid_at_once_agrees_with_quadpack():
    shape, rate = np.array([[0.7], [2.3], [11.0]]), np.array([0.4, 1.9])

    def integrand(x):
        return np.sin(x) * x ** (shape - 1) * np.exp(-rate * x)

    found = quadrature.integrate(integrand, np.zeros((3, 2)), INF)
    assert found.shape == (3, 2)
    for i, j in np.ndindex(3, 2):
        k, r = shape[i, 0], rate[j]
        expected = quadpack.quad(
            lambda x, k=k, r=r: math.sin(x) * x ** (k - 1) * math.exp(-r * x), 0, 200, limit=400
        )[0]
        np.testing.assert_allclose(found[i, j], expected, rtol=1e-7)


def test_kinks_are_ends():
    places = np.array([-0.3, 1.1])
    found = quadrature.integrate(
        lambda x: np.exp(-np.abs(x - places)), np.full(2, -INF), INF, [places, 7.0, -9.0]
    )
    np.testing.assert_allclose(found, 2.0, rtol=1e-13)
    # outside the interval they do not matter
    np.testing.assert_allclose(quadrature.integrate(np.exp, 0.0, 1.0, [-3.0, 5.0]), math.e - 1, rtol=1e-13)


def test_ends_move_with_the_grid():
    high = np.array([0.5, 1.5, INF])
    found = quadrature.integrate(lambda x: np.exp(-x), 0.0, high)
    np.testing.assert_allclose(found, 1.0 - np.exp(-high), rtol=1e-13)


def hole(x):
    """Two bells, with no number between them."""
    return np.where(abs(x - 15.0) < 2.0, np.nan, np.exp(-((x - 5.0) ** 2)) + np.exp(-((x - 25.0) ** 2)))


@pytest.mark.parametrize("function", [lambda x: 1 / x, lambda x: np.exp(x), lambda x: 0 * x + np.nan, hole])
def test_what_does_not_settle_is_an_error(function):
    with pytest.raises(ArithmeticError, match="does not settle"):
        quadrature.integrate(function, 0.0, INF)


def test_overflow_far_out_is_dropped():
    found = quadrature.integrate(lambda x: np.exp(-x) * np.cosh(x / 2), 0.0, INF)
    np.testing.assert_allclose(found, 4 / 3, rtol=1e-12)


def test_series_with_early_and_late_peaks():
    from scipy.special import gammaln

    rate = np.array([0.3, 4.0, 9000.0])

    def mass(n):
        return np.exp(n * np.log(rate) - rate - gammaln(n + 1))

    np.testing.assert_allclose(
        quadrature.add_up(lambda n: n**2 * mass(n), mass, 0, (3,)), rate + rate**2, rtol=1e-11
    )


def test_a_series_without_end_is_an_error():
    with pytest.raises(ArithmeticError, match="does not settle"):
        quadrature.add_up(lambda n: 1 / n, lambda n: 1 / n**2, 1, ())
