"""Divergences: closed forms against quadrature, many digits and samples; orders, limits, infinities."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest
from scipy.special import xlogy

import igviz as ig
from igviz.geometry.alpha_shares import alpha_share
from igviz.geometry.divergences import (
    alpha_divergence,
    bregman_divergence,
)
from igviz.geometry.f_divergences import f_divergence
from igviz.geometry.total_variation import total_variation
from tests.geometry.family import Family
from tests.geometry.registry import EXPONENTIAL, EXPONENTIAL_IDS, FAMILIES, FAMILY_IDS


def chi_squared(p, q):
    """Pearson's: E_q[(p/q − 1)²]."""
    return 2.0 * alpha_divergence(p, q, -3.0)


for_families = pytest.mark.parametrize("family", FAMILIES, ids=FAMILY_IDS)
for_exponential = pytest.mark.parametrize("family", EXPONENTIAL, ids=EXPONENTIAL_IDS)
NUMBERS = [family for family in FAMILIES if family.name not in ("MultivariateNormal", "Dirichlet")]
for_numbers = pytest.mark.parametrize("family", NUMBERS, ids=[family.name for family in NUMBERS])

# generators whose divergences are of the form 4/(1 − α²)·(1 − ∫p^((1−α)/2)·q^((1+α)/2)), and f″(1) = 1
GENERATORS = {
    -3.0: lambda u: 0.5 * (u - 1) ** 2,
    -1.0: lambda u: xlogy(u, u) - u + 1,
    0.0: lambda u: 2 * (np.sqrt(u) - 1) ** 2,
    0.6: lambda u: (0.2 * u + 0.8 - u**0.2) / 0.16,
    1.0: lambda u: u - 1 - np.log(u),
}


def path(family: Family, p, q):
    return ig.geodesic(p, q, "natural" if family in EXPONENTIAL else "fisher-rao")


def moderate(family: Family, seed: int, size: int) -> tuple:
    """Pairs between which no divergence is beyond the floats."""
    p, q = family.pair(seed, size)
    return p, path(family, p, q)(0.25)


# -- definitions --------------------------------------------------------------------------------------------


@for_numbers
@pytest.mark.parametrize("alpha", sorted(GENERATORS))
def test_alpha_divergences_are_f_divergences(family: Family, alpha: float):
    p, q = moderate(family, 201, 3)
    exact = alpha_divergence(p, q, alpha)
    finite = np.isfinite(exact)
    # the formula of f cancels next to 1
    expected = f_divergence(p, q, GENERATORS[alpha])
    np.testing.assert_allclose(exact[finite], expected[finite], rtol=1e-8, atol=1e-12)
    assert np.all(np.isinf(expected[~finite]))
    assert np.all(exact > 0.0)


@for_families
def test_alpha_of_one_is_kl_in_this_order(family: Family):
    p, q = family.pair(202, 5)
    np.testing.assert_allclose(alpha_divergence(p, q, -1), p.kl(q), rtol=1e-14)
    np.testing.assert_allclose(alpha_divergence(p, q, 1), q.kl(p), rtol=1e-14)
    if not family.symmetric:
        assert np.all(np.abs(p.kl(q) / q.kl(p) - 1) > 1e-6)


@for_families
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_alpha_tends_to_one(family: Family, sign: float):
    p, q = moderate(family, 203, 3)
    limit = alpha_divergence(p, q, sign)
    for step in (1e-4, 1e-6, 1e-9, 1e-12):
        for near in (sign - step, sign + step):
            value = alpha_divergence(p, q, near)
            np.testing.assert_allclose(value, limit, rtol=100 * step + 1e-10)


@for_families
def test_exchanging_the_points_is_changing_the_sign_of_alpha(family: Family):
    p, q = moderate(family, 204, 3)
    for alpha in (0.0, 0.35, -2.2, 1.0):
        np.testing.assert_allclose(
            alpha_divergence(p, q, alpha), alpha_divergence(q, p, -alpha), rtol=1e-10, atol=0
        )


@for_exponential
def test_alpha_by_log_partitions(family: Family):
    p, q = family.pair(205, 12)
    cls = family.cls
    for alpha in (0.0, -0.7, 0.9):
        t, s = (1 + alpha) / 2, (1 - alpha) / 2
        mixed = cls.from_natural(s * p.natural + t * q.natural)
        integral = np.exp(mixed.log_partition() - s * p.log_partition() - t * q.log_partition())
        np.testing.assert_allclose(
            alpha_divergence(p, q, alpha), (1 - integral) / (s * t), rtol=1e-10, atol=1e-12
        )


@for_families
def test_samples(family: Family):
    p, q = moderate(family, 206, 4)
    x = q.sample(40_000, np.random.default_rng(207))
    ratio = np.exp(p.log_prob(x) - q.log_prob(x))
    values = {
        0.0: 4 * (1 - np.sqrt(ratio)),
        0.5: 16 / 3 * (1 - ratio**0.25),
        1.0: -np.log(ratio),
    }
    for alpha, drawn in values.items():
        error = 5 * np.std(drawn, axis=0) / np.sqrt(len(x))
        assert np.all(np.abs(np.mean(drawn, axis=0) - alpha_divergence(p, q, alpha)) < error)
    if family in NUMBERS:
        drawn = np.maximum(1 - ratio, 0)
        error = 5 * np.std(drawn, axis=0) / np.sqrt(len(x))
        assert np.all(np.abs(np.mean(drawn, axis=0) - total_variation(p, q)) < error)


# -- the Fisher metric on the diagonal ----------------------------------------------------------------------


@for_families
def test_every_smooth_divergence_has_the_fisher_metric(family: Family):
    p, q = family.pair(208)
    for step, tolerance in ((1e-4, 2e-2), (1e-6, 2e-4)):
        near = path(family, p, q)(step)
        gap = near.source - p.source
        square = np.einsum("ni,nij,nj->n", gap, p.fisher("source"), gap)
        for alpha in (-3.0, -1.0, 0.0, 0.4, 1.0, 2.0) if family in EXPONENTIAL else (-1.0, 0.0):
            some = slice(None) if family in EXPONENTIAL else slice(3)
            value = alpha_divergence(p[some], near[some], alpha)
            np.testing.assert_allclose(value, 0.5 * square[some], rtol=tolerance)
        if family in EXPONENTIAL:
            np.testing.assert_allclose(p.kl(near) + near.kl(p), square, rtol=tolerance)


@pytest.mark.parametrize(
    ("f", "second"),
    [
        (lambda u: xlogy(u, u), 1.0),
        (lambda u: -np.log(u), 1.0),
        (lambda u: (u - 1) ** 2, 2.0),
        (lambda u: 0.5 * (np.sqrt(u) - 1) ** 2, 0.25),
    ],
)
def test_the_hessian_is_the_second_derivative_of_f_times_the_metric(f, second):
    for p, q in (
        (ig.Normal(-1.3, 0.7), ig.Normal(-1.3 + 2e-3, 0.7 + 3e-3)),
        (ig.Categorical([0.2, 0.3, 0.5]), ig.Categorical([0.2004, 0.3007, 0.4989])),
    ):
        delta = q.source - p.source
        expected = 0.5 * second * delta @ p.fisher("source") @ delta
        assert f_divergence(p, q, f) == pytest.approx(expected, rel=2e-2)


def test_total_variation_is_of_first_order():
    p, q = ig.Normal(-1.3, 0.7), ig.Normal(0.4, 1.1)
    path = ig.geodesic(p, q)
    ratios = [total_variation(p, path(t)) / t for t in (1e-3, 1e-5, 1e-7)]
    np.testing.assert_allclose(ratios, ratios[-1], rtol=1e-2)


# -- digits -------------------------------------------------------------------------------------------------


def exact_normal(p, q, alpha):
    m, n, v, w = (mpmath.mpf(float(x)) for x in (p.mean, q.mean, p.std, q.std))
    t, s = (1 + mpmath.mpf(alpha)) / 2, (1 - mpmath.mpf(alpha)) / 2
    precision = s / v**2 + t / w**2
    if precision <= 0:
        return mpmath.inf
    centre = (s * m / v**2 + t * n / w**2) / precision
    exponent = (s * m**2 / v**2 + t * n**2 / w**2 - precision * centre**2) / 2
    integral = mpmath.exp(-exponent) / (v**s * w**t * mpmath.sqrt(precision))
    return (1 - integral) / (s * t)


@pytest.mark.parametrize("alpha", [-3.0, -1.0 - 1e-7, -0.9999, 0.0, 0.3, 1.0 + 1e-3, 2.5, 9.0])
def test_normals_in_sixty_digits(alpha):
    rng = np.random.default_rng(209)
    for separation in (3.0, 0.5, 1e-2, 1e-5, 1e-7):
        p = ig.Normal(rng.normal(size=6), np.exp(rng.normal(size=6)))
        q = ig.Normal(
            p.mean + separation * rng.normal(size=6), p.std * np.exp(separation * rng.uniform(-1, 1, 6))
        )
        for value, a, b in zip(alpha_divergence(p, q, alpha), p, q, strict=True):
            expected = exact_normal(a, b, alpha)
            if expected > 1e300:
                assert value == np.inf
            else:
                # an exponent of size J leaves J·eps in its exponential, and the rounding of the point in
                # between enters squared
                size = 1 + mpmath.log(1 + expected)
                squared = 4e-31 / (expected * min(abs(alpha - 1), abs(alpha + 1)))
                assert abs(mpmath.mpf(float(value)) / expected - 1) < 1e-13 * size + squared


def test_shares_in_sixty_digits():
    rng = np.random.default_rng(210)
    alphas = [-1, 1, 0, -1 + 1e-9, 1 - 1e-12, 1 + 1e-7, 0.3, -0.7, 3, -3, -5.5, 11, 1e-9, 41]
    steps = [1e-12, 1e-8, 1e-3, 0.1, 0.3, 1, 5, 15]
    for alpha, step in itertools.product(alphas, steps):
        p = np.exp(rng.uniform(-5, 5, 4))
        q = p * np.exp(step * rng.uniform(-1, 1, 4))
        for value, a, b in zip(alpha_share(p, q, alpha), p, q, strict=True):
            a, b, t = mpmath.mpf(a), mpmath.mpf(b), (1 + mpmath.mpf(float(alpha))) / 2
            if alpha == 1:
                expected = a - b + b * mpmath.log(b / a)
            elif alpha == -1:
                expected = b - a + a * mpmath.log(a / b)
            else:
                expected = ((1 - t) * a + t * b - a ** (1 - t) * b**t) / (t * (1 - t))
            assert abs(mpmath.mpf(float(value)) / expected - 1) < 1e-13


@pytest.mark.parametrize("alpha", [-3.0, 0.0, 0.5, 3.0])
def test_near_bernoullis_and_poissons_in_sixty_digits(alpha):
    t, s = (1 + mpmath.mpf(alpha)) / 2, (1 - mpmath.mpf(alpha)) / 2
    for p in (0.3, 1e-9, 1 - 1e-7):
        for gap in (1e-3, 1e-8, 1e-12):
            q = p + gap * p * (1 - p)
            if q == p:
                continue
            a, b = mpmath.mpf(p), mpmath.mpf(q)
            expected = (1 - a**s * b**t - (1 - a) ** s * (1 - b) ** t) / (s * t)
            assert (
                abs(float(alpha_divergence(ig.Bernoulli(p), ig.Bernoulli(q), alpha)) / expected - 1) < 1e-13
            )
            expected = (1 - mpmath.exp(a**s * b**t - s * a - t * b)) / (s * t)
            assert abs(float(alpha_divergence(ig.Poisson(p), ig.Poisson(q), alpha)) / expected - 1) < 1e-13


def test_total_variation_of_normals_in_many_digits():
    rng = np.random.default_rng(211)
    pairs = [(ig.Normal(0.4, 1.3), ig.Normal(0.4, 1.3 + 1e-9)), (ig.Normal(0.4, 1.3), ig.Normal(2.4, 1.3))]
    for separation in (6.0, 1.0, 1e-2, 1e-5, 1e-9):
        for _ in range(4):
            m, s = rng.normal(), np.exp(rng.normal())
            factor = np.exp(separation * rng.uniform(-1, 1))
            pairs.append((ig.Normal(m, s), ig.Normal(m + separation * rng.normal(), s * factor)))
    for p, q in pairs:
        m, n, v, w = (mpmath.mpf(float(x)) for x in (p.mean, q.mean, p.std, q.std))
        if v == w:
            crossings = [(m + n) / 2]
        else:
            a, b = 1 / w**2 - 1 / v**2, m / v**2 - n / w**2
            c = n**2 / w**2 - m**2 / v**2 + 2 * mpmath.log(w / v)
            root = mpmath.sqrt(b**2 - a * c)
            crossings = [(-b + sign * root) / a for sign in (1, -1)]
        expected = sum(abs(mpmath.ncdf(z, m, v) - mpmath.ncdf(z, n, w)) for z in crossings)
        for value in (total_variation(p, q), total_variation(q, p)):
            assert abs(mpmath.mpf(float(value)) / expected - 1) < 1e-13
    assert total_variation(ig.Normal(0.0, 1.0), ig.Normal(0.0, 1.0)) == 0.0


def test_total_variation_of_exponentials_keeps_its_digits():
    for gap in (3.0, 1e-4, 1e-12):
        a, b = 0.7, 0.7 * (1 + gap)
        x, y = mpmath.mpf(a), mpmath.mpf(b)
        z = mpmath.log(y / x) / (y - x)
        expected = mpmath.exp(-x * z) - mpmath.exp(-y * z)
        assert abs(float(total_variation(ig.Exponential(b), ig.Exponential(a))) / expected - 1) < 1e-14


@for_numbers
def test_total_variation_is_an_f_divergence(family: Family):
    p, q = family.pair(212, 3)
    value = total_variation(p, q)
    np.testing.assert_allclose(value, f_divergence(p, q, lambda u: 0.5 * np.abs(u - 1)), rtol=1e-10)
    np.testing.assert_allclose(value, total_variation(q, p), rtol=1e-10)
    # Le Cam: H² ≤ total variation ≤ H·√(2 − H²), and Pinsker: total variation ≤ √(KL/2)
    square = 0.25 * alpha_divergence(p, q, 0.0)
    assert np.all(square <= value) and np.all(value <= np.sqrt(square * (2 - square)))
    assert np.all(value <= np.sqrt(np.minimum(p.kl(q), q.kl(p)) / 2))


def test_cauchy_divergences_depend_on_chi_squared_alone():
    # χ² = ((Δlocation)² + (Δscale)²)/(2·scale·scale′), and KL = log(1 + χ²/2)
    p, q = ig.Cauchy([0.3, -1.0], [1.2, 0.4]), ig.Cauchy([1.1, 2.5], [0.5, 0.9])
    expected = ((p.location - q.location) ** 2 + (p.scale - q.scale) ** 2) / (2 * p.scale * q.scale)
    np.testing.assert_allclose(chi_squared(p, q), expected, rtol=1e-10)
    np.testing.assert_allclose(p.kl(q), np.log1p(expected / 2), rtol=1e-12)


# -- order, infinities, corners -----------------------------------------------------------------------------


def test_chi_squared_divides_by_the_second():
    p, q = ig.Categorical([0.2, 0.3, 0.5]), ig.Categorical([0.6, 0.1, 0.3])
    a, b = p.probabilities, q.probabilities
    assert chi_squared(p, q) == pytest.approx(np.sum((a - b) ** 2 / b), rel=1e-14)
    assert f_divergence(p, q, lambda u: (u - 1) ** 2) == pytest.approx(np.sum((a - b) ** 2 / b), rel=1e-12)


def test_normals_of_unfit_widths():
    narrow, wide = ig.Normal(0.3, 1.0), ig.Normal(0.3, 2.0)
    assert chi_squared(wide, narrow) == np.inf
    assert chi_squared(narrow, wide) == pytest.approx(4 / np.sqrt(7) - 1, rel=1e-14)
    assert f_divergence(wide, narrow, lambda u: (u - 1) ** 2) == np.inf
    # right at the edge, (1 − α)/std_p² + (1 + α)/std_q² = 0
    p, q = ig.Normal(0.2, 1.0), ig.Normal(0.2, 3.0)
    assert alpha_divergence(p, q, 1.25) == np.inf
    assert np.isfinite(alpha_divergence(p, q, 1.25 - 1e-9))
    grid = alpha_divergence(p, ig.Normal(0.1, [[0.5], [1.4], [3.0]]), np.array([-6.0, -3.0, 0.0, 3.0, 6.0]))
    assert grid.shape == (3, 5)
    np.testing.assert_array_equal(np.isinf(grid[:, 3:]), [[False, False], [False, True], [True, True]])
    np.testing.assert_array_equal(np.isinf(grid[:, :2]), [[True, True], [False, False], [False, False]])


def test_other_infinities():
    wide, narrow = ig.Laplace(0.3, 1.0), ig.Laplace(-0.4, 0.4)
    assert chi_squared(wide, narrow) == np.inf and np.isfinite(chi_squared(narrow, wide))
    assert f_divergence(wide, narrow, lambda u: (u - 1) ** 2) == np.inf
    assert chi_squared(ig.Logistic(0.3, 1.0), ig.Logistic(0.1, 0.4)) == np.inf
    assert chi_squared(ig.StudentT(0.3, 1.0, 1.5), ig.StudentT(0.1, 0.4, 9.0)) == np.inf
    assert np.isfinite(chi_squared(ig.StudentT(0.3, 1.0, 9.0), ig.StudentT(0.1, 0.4, 1.5)))
    assert chi_squared(ig.Exponential(0.4), ig.Exponential(0.9)) == np.inf
    assert chi_squared(ig.Gamma(1.0, 0.4), ig.Gamma(2.5, 0.4)) == np.inf
    assert chi_squared(ig.Beta(1.0, 0.4), ig.Beta(2.5, 0.4)) == np.inf
    p = ig.MultivariateNormal([0.1, 0.4], [[1.0, 0.9], [0.9, 1.0]])
    q = ig.MultivariateNormal([0.1, 0.4], np.eye(2))
    assert np.isfinite(chi_squared(p, q)) and chi_squared(q, p) == np.inf
    # beyond the largest float
    assert chi_squared(ig.Normal(0.0, 1.0), ig.Normal(60.0, 1.0)) == np.inf


def test_corners():
    p, q = ig.Categorical([0.2, 0.8, 0.0]), ig.Categorical([0.5, 0.0, 0.5])
    for alpha in (-3.0, -1.0, 1.0, 3.0):
        assert alpha_divergence(p, q, alpha) == np.inf
    assert alpha_divergence(p, q, 0.0) == pytest.approx(4 * (1 - np.sqrt(0.1)), rel=1e-15)
    inside = ig.Categorical([0.2, 0.3, 0.5])
    assert chi_squared(p, inside) == pytest.approx(0.25 / 0.3 + 0.5, rel=1e-14)
    assert chi_squared(inside, p) == np.inf
    assert inside.kl(p) == np.inf and np.isfinite(p.kl(inside))
    assert f_divergence(inside, p, lambda u: xlogy(u, u)) == np.inf
    assert f_divergence(p, inside, lambda u: -np.log(u)) == np.inf
    assert f_divergence(p, inside, lambda u: xlogy(u, u)) == pytest.approx(p.kl(inside), rel=1e-14)
    zero, one = ig.Bernoulli(0.0), ig.Bernoulli(1.0)
    assert alpha_divergence(zero, one, 0.0) == 4.0 and total_variation(zero, one) == 1.0
    assert alpha_divergence(zero, one, 0.5) == pytest.approx(16 / 3, rel=1e-15)
    assert f_divergence(zero, one, lambda u: 0.5 * np.abs(u - 1)) == 1.0
    for alpha in (-2.0, 0.0, 1.0):
        assert alpha_divergence(zero, zero, alpha) == 0.0
    # two probabilities that are small, and log-odds that are far beyond those of any float in (0, 1)
    assert alpha_divergence(ig.Bernoulli(0.5), ig.Bernoulli(0.9999), 19.0) == pytest.approx(
        float(
            (1 - mpmath.mpf("0.5") ** -9 * (mpmath.mpf(0.9999) ** 10 + (1 - mpmath.mpf(0.9999)) ** 10)) / -90
        ),
        rel=1e-13,
    )


# -- Bregman divergences ------------------------------------------------------------------------------------


@for_exponential
def test_kl_is_the_bregman_divergence_with_its_arguments_exchanged(family: Family):
    p, q = family.pair(213, 10)
    cls = type(p)

    def partition(eta):
        return cls.from_natural(eta).log_partition()

    def mean(eta):
        return cls.from_natural(eta).expectation

    def dual(mu):
        r = cls.from_expectation(mu)
        return np.sum(r.natural * mu, axis=-1) - r.log_partition()

    def natural(mu):
        return cls.from_expectation(mu).natural

    value = bregman_divergence(partition, mean, q.natural, p.natural)
    np.testing.assert_allclose(value, p.kl(q), rtol=1e-8, atol=1e-11)
    value = bregman_divergence(dual, natural, p.expectation, q.expectation)
    np.testing.assert_allclose(value, p.kl(q), rtol=1e-7, atol=1e-10)
    assert np.any(np.abs(p.kl(q) / q.kl(p) - 1) > 0.1)
    inner = np.sum((p.natural - q.natural) * (p.expectation - q.expectation), axis=-1)
    np.testing.assert_allclose(p.kl(q) + q.kl(p), inner, rtol=1e-9)


# -- grids and arguments ------------------------------------------------------------------------------------


@for_families
def test_grids_are_the_scalar_loop(family: Family):
    p, q = moderate(family, 214, 2)
    alphas = np.array([-1.0, -0.2, 0.5])
    grid = alpha_divergence(p[:, None, None], q[:, None], alphas)
    assert grid.shape == (2, 2, 3)
    for i, j, k in np.ndindex(grid.shape):
        single = alpha_divergence(p[i], q[j], alphas[k])
        assert isinstance(single, np.float64)
        np.testing.assert_allclose(grid[i, j, k], single, rtol=1e-13)
    if family in NUMBERS:
        crossed = total_variation(p[:, None], q)
        assert crossed.shape == (2, 2) and isinstance(total_variation(p[0], q[0]), np.float64)
        np.testing.assert_allclose(crossed[1, 0], total_variation(p[1], q[0]), rtol=1e-13)


def test_arguments():
    p = ig.Normal([0.0, 1.0], 1.0)
    calls = {
        "alpha_divergence": lambda a, b: alpha_divergence(a, b, 0.3),
        "total_variation": total_variation,
        "f_divergence": lambda a, b: f_divergence(a, b, lambda u: (u - 1) ** 2),
    }
    for name, call in calls.items():
        with pytest.raises(TypeError, match=f"^{name}: p must be a distribution such as igviz.Normal"):
            call(0.5, p)
        with pytest.raises(TypeError, match=f"^{name}: both distributions must be of one family"):
            call(p, ig.Bernoulli(0.5))
        with pytest.raises(ValueError, match=f"^{name}: the shapes of the two grids must broadcast"):
            call(p, ig.Normal([0.0, 1.0, 2.0], 1.0))
    with pytest.raises(ValueError, match="alpha_divergence: alpha must be finite, got inf"):
        alpha_divergence(p, p, np.inf)
    with pytest.raises(ValueError, match="alpha_divergence: alpha must be a number"):
        alpha_divergence(p, p, "KL")
    with pytest.raises(ValueError, match=r"alpha_divergence: alpha of shape \(3,\) must broadcast"):
        alpha_divergence(p, p, [0.0, 0.1, 0.2])
    with pytest.raises(TypeError, match="f_divergence: f must be a function of p/q, got 2"):
        f_divergence(p, p, 2)
    with pytest.raises(ValueError, match=r"f_divergence: f\(1\) must be 0, got 1.0"):
        f_divergence(p, p, lambda u: u)
    many = ig.MultivariateNormal([0.0, 1.0], np.eye(2))
    for name in ("total_variation", "f_divergence"):
        with pytest.raises(NotImplementedError, match=f"{name}: not available for MultivariateNormal"):
            calls[name](many, many)
    with pytest.raises(ArithmeticError, match="beyond the floats"):
        f_divergence(ig.Normal(0.0, 1.0), ig.Normal(60.0, 1.0), lambda u: xlogy(u, u))
    with pytest.raises(ValueError, match="bregman_divergence: x and y must have shapes"):
        bregman_divergence(np.sum, np.sin, [1.0, 2.0], 3.0)
    with pytest.raises(ValueError, match="bregman_divergence: function must return shape"):
        bregman_divergence(np.sin, np.cos, [1.0, 2.0], [1.0, 3.0])
    with pytest.raises(ValueError, match="bregman_divergence: gradient must return the shape"):
        bregman_divergence(lambda x: np.sum(x**2, -1), lambda x: x[..., :1], [1.0, 2.0], [1.0, 3.0])
