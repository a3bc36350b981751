"""The elementary functions against fifty digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from igviz.geometry import numerics


def relative_error(values, exact):
    return max(abs(mpmath.mpf(float(v)) / e - 1) for v, e in zip(values, exact, strict=True))


def test_itakura_saito_over_all_scales():
    rng = np.random.default_rng(51)
    b = 10.0 ** rng.uniform(-100, 100, 400)
    # from one part in 1e14 to a factor of 1e100, through the seam between series and logarithm
    u = np.concatenate(
        [10.0 ** rng.uniform(-14, 0, 200), rng.uniform(0.25, 0.35, 100), 10.0 ** rng.uniform(0, 99, 100)]
    )
    a = b * np.where(rng.random(400) < 0.5, 1 + u, 1 / (1 + u))
    exact = [
        mpmath.mpf(x) / mpmath.mpf(y) - 1 - mpmath.log(mpmath.mpf(x) / mpmath.mpf(y))
        for x, y in zip(a, b, strict=True)
    ]
    assert relative_error(numerics.itakura_saito(a, b), exact) < 5e-15
    assert numerics.itakura_saito(3.0, 3.0) == 0.0


def test_generalised_kl_over_all_scales():
    rng = np.random.default_rng(52)
    p = 10.0 ** rng.uniform(-270, 0, 300)
    factor = np.concatenate([10.0 ** rng.uniform(-13, 0, 150), 10.0 ** rng.uniform(0, 200, 150)])
    q = np.maximum(np.where(rng.random(300) < 0.5, p * (1 + factor), p / (1 + factor)), 1e-307)
    keep = q < 1e100
    p, q = p[keep], q[keep]
    exact = [
        mpmath.mpf(a) * mpmath.log(mpmath.mpf(a) / mpmath.mpf(b)) - mpmath.mpf(a) + mpmath.mpf(b)
        for a, b in zip(p, q, strict=True)
    ]
    assert relative_error(numerics.generalised_kl(p, q), exact) < 5e-15


def test_generalised_kl_with_empty_outcomes():
    p, q = np.array([0.0, 0.0, 0.4, 0.4]), np.array([0.0, 0.3, 0.0, 0.4])
    np.testing.assert_array_equal(numerics.generalised_kl(p, q), [0.0, 0.3, np.inf, 0.0])


def test_log_ratio_where_the_quotient_overflows():
    a, b = np.array([1e300, 1e-300, 2.0, 0.0]), np.array([1e-300, 1e300, 1.0, 1.0])
    np.testing.assert_allclose(
        numerics.log_ratio(a, b), [600 * np.log(10), -600 * np.log(10), np.log(2), -np.inf], rtol=1e-15
    )


def test_minus_product_is_exact_up_to_one_rounding():
    rng = np.random.default_rng(53)
    b = rng.normal(0.0, 1.0, 300) * 10.0 ** rng.uniform(-50, 50, 300)
    a = b**2 * (1 + np.concatenate([rng.normal(0, 1e-15, 150), rng.uniform(-1, 3, 150)]))
    exact = [mpmath.mpf(x) - mpmath.mpf(y) ** 2 for x, y in zip(a, b, strict=True)]
    assert relative_error(numerics.minus_product(a, b, b), exact) < 5e-16
    c = rng.normal(0.0, 1.0, 300)
    a = b * c * (1 + np.concatenate([rng.normal(0, 1e-15, 150), rng.uniform(-1, 3, 150)]))
    exact = [mpmath.mpf(x) - mpmath.mpf(y) * mpmath.mpf(z) for x, y, z in zip(a, b, c, strict=True)]
    assert relative_error(numerics.minus_product(a, b, c), exact) < 5e-16


def test_log_deficit_over_all_scales():
    rng = np.random.default_rng(54)
    u = np.concatenate([10.0 ** rng.uniform(-15, 3, 200), -(10.0 ** rng.uniform(-15, 0, 200)), [0.3, -0.3]])
    exact = [mpmath.mpf(v) - mpmath.log(1 + mpmath.mpf(v)) for v in u]
    assert relative_error(numerics.log_deficit(u), exact) < 2e-15
    assert numerics.log_deficit(0.0) == 0.0


def test_forward_substitution_over_grids_and_badly_scaled_rows():
    rng = np.random.default_rng(55)
    factor = np.tril(rng.normal(size=(3, 1, 4, 4))) + 4.0 * np.eye(4)
    right = rng.normal(size=(5, 4, 2))
    solution = numerics.forward_substitution(factor, right)
    assert solution.shape == (3, 5, 4, 2)
    np.testing.assert_allclose(solution, np.linalg.solve(factor, right), rtol=1e-12)
    # rows and columns of very different sizes give the same numbers as rows and columns of one size
    size = 2.0 ** np.array([-300.0, 200.0, 0.0, -80.0])
    scaled = numerics.forward_substitution(size[:, None] * factor, size[:, None] * right)
    np.testing.assert_array_equal(scaled, solution)


def test_matrices():
    entries = numerics.matrix([[1.0, np.array([2.0, 3.0])], [4.0, 5.0]])
    np.testing.assert_array_equal(entries, [[[1, 2], [4, 5]], [[1, 3], [4, 5]]])
    np.testing.assert_array_equal(numerics.diagonal(2.0, np.array([3.0])), [[[2, 0], [0, 3]]])


@pytest.mark.parametrize("value", ["1.0", None, 1j, [1, [2, 3]], object(), ["a"]])
def test_as_numbers_refuses_what_is_not_numeric(value):
    with pytest.raises(ValueError, match="Owner: argument must be a number or an array of numbers, got "):
        numerics.as_numbers("Owner", "argument", value)


def test_as_numbers_copies():
    given = np.array([1.0, 2.0])
    taken = numerics.as_numbers("Owner", "argument", given)
    taken[0] = 5.0
    assert given[0] == 1.0
    assert numerics.as_numbers("Owner", "argument", [1, 2]).dtype == np.float64
