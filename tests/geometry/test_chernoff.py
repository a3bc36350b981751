"""Chernoff information: known values, brute force with many digits, near points, corners."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy.special import gammaln

import igviz as ig
from tests.geometry.families.test_multivariate_normal import generic
from tests.geometry.family import Family
from tests.geometry.registry import EXPONENTIAL, EXPONENTIAL_IDS

for_families = pytest.mark.parametrize("family", EXPONENTIAL, ids=EXPONENTIAL_IDS)
MEASURED = [f for f in EXPONENTIAL if f.measured]


def objective(p, q, t):
    """(1 − t)·A(η_p) + t·A(η_q) − A((1 − t)·η_p + t·η_q), as it stands in the books."""
    between = type(p).from_natural((1 - t)[:, None] * p.natural + t[:, None] * q.natural)
    return (1 - t) * p.log_partition() + t * q.log_partition() - between.log_partition()


def chernoff_point(p, q):
    """The point of the e-geodesic at the maximum."""
    _, t = ig.chernoff_information(p, q, return_weight=True)
    return type(p).from_natural((1 - t)[..., None] * p.natural + t[..., None] * q.natural)


# -- laws ---------------------------------------------------------------------------------------------------


@for_families
def test_it_is_the_largest_value_of_the_objective(family: Family):
    p, q = family.pair(seed=140)
    information, t = ig.chernoff_information(p, q, return_weight=True)
    np.testing.assert_allclose(information, objective(p, q, t), rtol=1e-9, atol=1e-10)
    for other in (t - 1e-2, t + 1e-2, 0.5 * t, 0.5 + 0.5 * t):
        assert np.all(objective(p, q, other) < information)


@for_families
def test_it_is_minus_the_log_of_the_smallest_overlap(family: Family):
    p, q = family.pair(seed=141)
    information, t = ig.chernoff_information(p, q, return_weight=True)
    r = chernoff_point(p, q)
    overlap = family.mean_under(
        r, lambda x: np.exp((1 - t) * p.log_prob(x) + t * q.log_prob(x) - r.log_prob(x))
    )
    np.testing.assert_allclose(-np.log(overlap), information, rtol=1e-9, atol=1e-10)


@for_families
def test_symmetry_and_bounds(family: Family):
    p, q = family.pair(seed=142)
    information, t = ig.chernoff_information(p, q, return_weight=True)
    back, u = ig.chernoff_information(q, p, return_weight=True)
    np.testing.assert_allclose(back, information, rtol=1e-13)
    np.testing.assert_allclose(t + u, 1.0, rtol=1e-12)
    assert np.all(information > 0)
    assert np.all(information < np.minimum(p.kl(q), q.kl(p)))
    assert np.median(np.abs(t - 0.5)) > 1e-3


@for_families
def test_the_point_is_equally_far_from_both(family: Family):
    p, q = family.pair(seed=143)
    information = ig.chernoff_information(p, q)
    r = chernoff_point(p, q)
    np.testing.assert_allclose(r.kl(p), information, rtol=1e-9)
    np.testing.assert_allclose(r.kl(q), information, rtol=1e-9)


@pytest.mark.parametrize("family", MEASURED, ids=lambda family: family.name)
def test_up_close_it_is_an_eighth_of_the_squared_distance(family: Family):
    p, q = family.grids(seed=144)
    for t, tolerance in ((1e-3, 1e-5), (1e-6, 1e-8)):
        near = ig.geodesic(p, q)(t)
        information = ig.chernoff_information(p, near)
        np.testing.assert_allclose(information, ig.fisher_rao_distance(p, near) ** 2 / 8, rtol=tolerance)
        np.testing.assert_allclose(information, (p.kl(near) + near.kl(p)) / 8, rtol=tolerance)


@for_families
def test_grids_are_the_scalar_loop(family: Family):
    p, q = family.pair(seed=145, size=6)
    grid, weights = ig.chernoff_information(p[:, None], q, return_weight=True)
    assert grid.shape == weights.shape == (6, 6)
    for i in range(6):
        for j in range(6):
            value = ig.chernoff_information(p[i], q[j])
            assert isinstance(value, np.float64)
            np.testing.assert_allclose(grid[i, j], value, rtol=1e-13)


@for_families
def test_equal_points(family: Family):
    p = family.points["single"]
    information, t = ig.chernoff_information(p, p, return_weight=True)
    assert information < 1e-30 and t == 0.5


# -- values -------------------------------------------------------------------------------------------------


def test_normals_of_one_standard_deviation():
    assert ig.chernoff_information(ig.Normal(0.0, 1.0), ig.Normal(1.0, 1.0)) == pytest.approx(
        0.125, rel=1e-15
    )
    p, q = ig.Normal([0.3, -2.0, 5.0], [0.7, 2.0, 0.1]), ig.Normal([1.7, 3.0, 5.2], [0.7, 2.0, 0.1])
    information, t = ig.chernoff_information(p, q, return_weight=True)
    np.testing.assert_allclose(information, (p.mean - q.mean) ** 2 / (8 * p.std**2), rtol=1e-14)
    np.testing.assert_allclose(t, 0.5, rtol=1e-14)


def test_multivariate_normals_of_one_covariance():
    rng = np.random.default_rng(146)
    p = generic(rng, (8,), 3)
    q = ig.MultivariateNormal(rng.normal(size=(8, 3)), p.cov)
    gap = q.mean - p.mean
    square = np.einsum("ni,ni->n", gap, np.linalg.solve(p.cov, gap[..., None])[..., 0])
    np.testing.assert_allclose(ig.chernoff_information(p, q), square / 8, rtol=1e-10)


def test_one_dimension_is_the_normal():
    rng = np.random.default_rng(147)
    p, q = (ig.Normal(rng.normal(size=20), np.exp(rng.normal(size=20))) for _ in range(2))
    lifted = [ig.MultivariateNormal(r.mean[:, None], r.std[:, None, None] ** 2) for r in (p, q)]
    np.testing.assert_allclose(ig.chernoff_information(*lifted), ig.chernoff_information(p, q), rtol=1e-13)


def exact_bernoulli(a, b):
    """Solve for the maximum in sixty digits, on a bracket found by a grid."""
    a, b = mpmath.mpf(a), mpmath.mpf(b)

    def value(t):
        return -mpmath.log(a ** (1 - t) * b**t + (1 - a) ** (1 - t) * (1 - b) ** t)

    grid = [mpmath.mpf(k) / 400 for k in range(401)]
    best = max(range(1, 400), key=lambda k: value(grid[k]))
    low, high = grid[best - 1], grid[best + 1]
    for _ in range(130):  # golden section would do as well: thirds of a concave function
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (left, high) if value(left) < value(right) else (low, right)
    return value(low), low


@pytest.mark.parametrize(
    ("a", "b"),
    [(0.3, 0.6), (0.01, 0.9), (1e-6, 0.5), (0.999, 0.2), (1e-12, 1e-3), (0.4, 0.4004), (0.4, 0.4 + 1e-8)],
)
def test_bernoulli_by_brute_force(a, b):
    information, t = ig.chernoff_information(ig.Bernoulli(a), ig.Bernoulli(b), return_weight=True)
    expected, weight = exact_bernoulli(a, b)
    assert abs(float(information) / expected - 1) < 1e-13
    assert abs(float(t) - weight) < 1e-13 + 4e-16 / abs(a - b)


@pytest.mark.parametrize("separation", [1e-1, 1e-3, 1e-5, 1e-8])
def test_normals_in_sixty_digits(separation):
    rng = np.random.default_rng(148)
    p = ig.Normal(rng.normal(size=8), np.exp(rng.normal(size=8)))
    q = ig.Normal(p.mean + separation * rng.normal(size=8), p.std * (1 + separation * rng.uniform(-1, 1, 8)))
    information, weight = ig.chernoff_information(p, q, return_weight=True)
    for value, t, a, b in zip(information, weight, p, q, strict=True):
        m, n, v, w = (mpmath.mpf(float(x)) for x in (a.mean, b.mean, a.std, b.std))
        v, w = v**2, w**2

        def overlap(t, m=m, n=n, v=v, w=w):
            mixed = t * v + (1 - t) * w
            spread = mpmath.log(mixed) - t * mpmath.log(v) - (1 - t) * mpmath.log(w)
            return t * (1 - t) * (m - n) ** 2 / (2 * mixed) + spread / 2

        # refine the maximum by Newton's method on the exact function
        best = mpmath.mpf(float(t))
        for _ in range(4):
            best -= mpmath.diff(overlap, best) / mpmath.diff(overlap, best, 2)
        assert abs(float(value) / overlap(best) - 1) < 5e-14
        assert abs(best - float(t)) < 1e-13 + 1e-14 / separation


def test_far_pairs_settle():
    rng = np.random.default_rng(149)
    p = ig.Normal(rng.normal(size=50), 10.0 ** rng.uniform(-6, 6, 50))
    q = ig.Normal(rng.normal(size=50), 10.0 ** rng.uniform(-6, 6, 50))
    information, t = ig.chernoff_information(p, q, return_weight=True)
    assert np.all((t > 0) & (t < 1)) and np.all(np.isfinite(information))
    # near points far from the origin: the rounding of the mean is large against their separation
    far = ig.chernoff_information(ig.Normal(1e9, 1.0), ig.Normal(1e9 + 1e-3, 1.0))
    np.testing.assert_allclose(far, 1e-6 / 8, rtol=1e-3)


# -- corners ------------------------------------------------------------------------------------------------


def test_bernoulli_corners():
    p, q = ig.Bernoulli([0.0, 0.0, 0.3, 1.0, 0.7]), ig.Bernoulli([1.0, 0.0, 1.0, 0.2, 0.0])
    information, t = ig.chernoff_information(p, q, return_weight=True)
    # only the outcome that both allow counts: its probability under the one that is not certain
    np.testing.assert_allclose(
        information, [np.inf, 0.0, -np.log(0.3), -np.log(0.2), -np.log(0.3)], rtol=1e-14
    )
    np.testing.assert_array_equal(t, [np.nan, 0.5, 0.0, 1.0, 0.0])
    assert ig.chernoff_information(p[0], q[0]) == np.inf


def test_categorical_faces():
    p, q = ig.Categorical([0.2, 0.5, 0.3, 0.0]), ig.Categorical([0.6, 0.3, 0.0, 0.1])
    information, t = ig.chernoff_information(p, q, return_weight=True)
    grid = np.linspace(1e-6, 1 - 1e-6, 200_001)
    overlap = 0.2 ** (1 - grid) * 0.6**grid + 0.5 ** (1 - grid) * 0.3**grid
    np.testing.assert_allclose(information, -np.log(overlap.min()), rtol=1e-9)
    assert abs(t - grid[overlap.argmin()]) < 1e-4
    # the whole of q inside the support of p, and nothing to balance: the limit t → 0
    corner = ig.Categorical([0.0, 1.0, 0.0, 0.0])
    information, t = ig.chernoff_information(p, corner, return_weight=True)
    assert information == -np.log(0.5) and t == 0.0
    assert ig.chernoff_information(p, ig.Categorical([0.0, 0.0, 0.0, 1.0])) == np.inf


def test_the_error_of_the_best_test_falls_at_this_rate():
    # exact sums over the binomial: −log(error)/n tends to C from above with the prefactor 1/√n
    p, q = ig.Bernoulli(0.3), ig.Bernoulli(0.55)
    information = float(ig.chernoff_information(p, q))

    def log_error(n):
        k = np.arange(n + 1)
        choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        smaller = np.minimum(*(choose + k * r.log_prob(1) + (n - k) * r.log_prob(0) for r in (p, q)))
        return np.log(0.5 * np.sum(np.exp(smaller)))

    slope = (log_error(4000) - log_error(2000)) / 2000
    assert abs(-slope - information - 0.5 * np.log(2) / 2000) < 1e-4


# -- arguments ----------------------------------------------------------------------------------------------


def test_arguments():
    p = ig.Normal([0.0, 1.0], 1.0)
    name, call = "chernoff_information", ig.chernoff_information
    with pytest.raises(TypeError, match=f"{name}: p must be of an exponential family such as igviz.Normal"):
        call(0.5, p)
    with pytest.raises(TypeError, match=f"{name}: both distributions must be of one family"):
        call(p, ig.Bernoulli(0.5))
    with pytest.raises(ValueError, match=f"{name}: the shapes of the two grids must broadcast"):
        call(p, ig.Normal([0.0, 1.0, 2.0], 1.0))
