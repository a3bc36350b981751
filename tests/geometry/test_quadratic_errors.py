"""The errors of ½·δᵀIδ against forty digits, their orders, and where they vanish."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from igviz.geometry.families.bernoulli import Bernoulli
from igviz.geometry.families.gamma import Gamma
from igviz.geometry.families.laplace import Laplace
from igviz.geometry.families.normal import Normal
from igviz.geometry.families.poisson import Poisson
from igviz.geometry.quadratic_errors import direction, fitted_slopes, quadratic_errors

SIZES = np.geomspace(0.01, 0.1, 21)


def normal(chart):
    """Divergence and metric of N in many digits, of coordinates in a chart."""

    def source(x):
        if chart == "source":
            return x
        if chart == "natural":
            variance = -1 / (2 * x[1])
            return [x[0] * variance, mpmath.sqrt(variance)]
        return [x[0], mpmath.sqrt(x[1] - x[0] ** 2)]

    def kl(x, y):
        (a, s), (b, t) = source(x), source(y)
        return mpmath.log(t / s) + (s**2 + (a - b) ** 2) / (2 * t**2) - mpmath.mpf(1) / 2

    def metric(x):
        a, s = source(x)
        if chart == "source":
            return mpmath.matrix([[1 / s**2, 0], [0, 2 / s**2]])
        natural = mpmath.matrix([[s**2, 2 * a * s**2], [2 * a * s**2, 4 * a**2 * s**2 + 2 * s**4]])
        return natural if chart == "natural" else mpmath.inverse(natural)

    return kl, metric


def gamma():
    def kl(x, y):
        (a, b), (c, d) = x, y
        return (
            (a - c) * mpmath.digamma(a)
            - mpmath.loggamma(a)
            + mpmath.loggamma(c)
            + c * (mpmath.log(b) - mpmath.log(d))
            + a * (d - b) / b
        )

    return kl, lambda x: mpmath.matrix([[mpmath.psi(1, x[0]), -1 / x[1]], [-1 / x[1], x[0] / x[1] ** 2]])


def bernoulli():
    def kl(x, y):
        p, q = (1 / (1 + mpmath.exp(-one[0])) for one in (x, y))
        return p * mpmath.log(p / q) + (1 - p) * mpmath.log((1 - p) / (1 - q))

    return kl, lambda x: mpmath.matrix([[1 / (2 + mpmath.exp(x[0]) + mpmath.exp(-x[0]))]])


def poisson():
    return (
        lambda x, y: x[0] * mpmath.log(x[0] / y[0]) - x[0] + y[0],
        lambda x: mpmath.matrix([[1 / x[0]]]),
    )


CASES = [
    (Normal(0.5, 0.8), "source", *normal("source")),
    (Normal(-1.0, 1.5), "natural", *normal("natural")),
    (Normal(1.0, 0.7), "expectation", *normal("expectation")),
    (Gamma(0.7, 0.5), "source", *gamma()),
    (Bernoulli(0.1), "natural", *bernoulli()),
    (Bernoulli(0.5), "natural", *bernoulli()),
    (Poisson(2.0), "source", *poisson()),
]


def exact(p, chart, kl, metric, step):
    with mpmath.workdps(40):
        x, d = ([mpmath.mpf(float(one)) for one in part] for part in (p.coordinates(chart), step))
        if chart == "natural" and isinstance(p, Bernoulli):
            x = [mpmath.log(mpmath.mpf(float(p.probability)) / (1 - mpmath.mpf(float(p.probability))))]
        y = [a + b for a, b in zip(x, d, strict=True)]
        middle = [a + b / 2 for a, b in zip(x, d, strict=True)]
        half, half_middle = (
            (mpmath.matrix(d).T * metric(one) * mpmath.matrix(d))[0] / 2 for one in (x, middle)
        )
        there, back = kl(x, y), kl(y, x)
        average = (there + back) / 2
        return [float(one) for one in (there - half, back - half, average - half, average - half_middle)]


@pytest.mark.parametrize(("p", "chart", "kl", "metric"), CASES)
@pytest.mark.parametrize("size", [0.001, 0.01, 0.3])
def test_errors_against_many_digits(p, chart, kl, metric, size):
    for angle in (30, 195, 250):
        step = size * direction(p, angle, chart)
        found = quadratic_errors(p, step, chart)
        np.testing.assert_allclose(found, exact(p, chart, kl, metric, step), rtol=1e-4)


@pytest.mark.parametrize(("p", "chart"), [case[:2] for case in CASES if case[0] != Bernoulli(0.5)])
def test_third_order_and_fourth_from_the_midpoint(p, chart):
    for angle in (70, 250):
        errors = quadratic_errors(p, SIZES[:, None] * direction(p, angle, chart), chart)
        np.testing.assert_allclose(fitted_slopes(SIZES, errors), [3, 3, 3, 4], atol=0.15)
        closer = quadratic_errors(p, 0.1 * SIZES[:, None] * direction(p, angle, chart), chart)
        np.testing.assert_allclose(fitted_slopes(SIZES, closer), [3, 3, 3, 4], atol=0.02)


def test_the_third_order_is_the_cubic_tensor():
    """In natural coordinates KL(p‖q) has ⅙·∂³A and KL(q‖p) has ⅓·∂³A."""
    p = Normal(0.5, 0.8)
    unit = direction(p, 40, "natural")
    cubic = np.einsum("ijk,i,j,k->", p.third_cumulant(), unit, unit, unit)
    errors = quadratic_errors(p, 1e-3 * unit, "natural") / 1e-9
    np.testing.assert_allclose(errors[:3], cubic * np.array([1 / 6, 1 / 3, 1 / 4]), rtol=3e-3)


def test_exceptions():
    coin = quadratic_errors(
        Bernoulli(0.5), SIZES[:, None] * direction(Bernoulli(0.5), 0, "natural"), "natural"
    )
    np.testing.assert_allclose(fitted_slopes(SIZES, coin), 4, atol=0.01)
    for chart in ("source", "natural"):
        for angle in (0, 180):
            p = Normal(-0.3, 0.6)
            errors = quadratic_errors(p, SIZES[:, None] * direction(p, angle, chart), chart)
            assert np.all(errors == 0), "only the mean moves"
            assert np.all(np.isnan(fitted_slopes(SIZES, errors)))
    p = Normal(-0.3, 0.6)
    moved = quadratic_errors(p, 0.1 * direction(p, 0, "expectation"), "expectation")
    assert np.all(moved != 0), "in expectation coordinates the std moves along"


@pytest.mark.parametrize(("p", "chart"), [case[:2] for case in CASES])
def test_directions(p, chart):
    for angle in (0, 35, 90, 180, 225):
        step = direction(p, angle, chart)
        assert step @ p.fisher(chart) @ step == pytest.approx(1, rel=1e-12)
        widths = np.sqrt(np.diag(np.linalg.inv(p.fisher(chart))))
        if len(step) == 2:
            assert np.degrees(np.arctan2(*(step / widths)[::-1])) % 360 == pytest.approx(angle, abs=1e-9)
        else:
            assert (step[0] > 0) == (angle <= 90)


def test_bad_input():
    with pytest.raises(TypeError, match="exponential family"):
        quadratic_errors(Laplace(0.0, 1.0), [0.1, 0.1])
    with pytest.raises(ValueError, match="one distribution"):
        quadratic_errors(Normal([0, 1], 1.0), [0.1, 0.1])
    with pytest.raises(ValueError, match="std"):
        quadratic_errors(Normal(0, 1.0), [0.0, -1.0])
