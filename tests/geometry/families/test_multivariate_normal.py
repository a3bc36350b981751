"""The multivariate normal: conventions, sixty digits, and agreement with the univariate normal."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import igviz as ig

P = ig.MultivariateNormal([1.0, -2.0], [[2.0, 0.5], [0.5, 1.0]])


def exact_matrix(array):
    return mpmath.matrix([[mpmath.mpf(float(v)) for v in row] for row in np.atleast_2d(array)])


def exact_kl(p, q):
    """The textbook formula on the numbers as given."""
    a, b = exact_matrix(p.cov), exact_matrix(q.cov)
    gap = exact_matrix(q.mean).T - exact_matrix(p.mean).T
    ratio = b**-1 * a
    trace = sum(ratio[i, i] for i in range(a.rows))
    square = (gap.T * b**-1 * gap)[0]
    return (trace - a.rows - mpmath.log(mpmath.det(ratio)) + square) / 2


def generic(rng, shape, d, spread=1.0):
    root = rng.normal(size=(*shape, d, d)) + 0.5 * np.eye(d)
    scale = np.exp(spread * rng.normal(size=(*shape, d)))
    cov = scale[..., :, None] * (root @ np.swapaxes(root, -1, -2) + 0.1 * np.eye(d)) * scale[..., None, :]
    return ig.MultivariateNormal(rng.normal(size=(*shape, d)), cov)


def worst_kl(p, q):
    return max(abs(float(v) / exact_kl(a, b) - 1) for v, a, b in zip(p.kl(q), p, q, strict=True))


# -- conventions --------------------------------------------------------------------------------------------


def test_coordinates_of_a_generic_point():
    np.testing.assert_array_equal(P.source, [1.0, -2.0, 2.0, 0.5, 1.0])
    # precision [[1, −½], [−½, 2]]/1.75
    np.testing.assert_allclose(P.natural, np.array([2.0, -4.5, -0.5, 0.5, -1.0]) / 1.75, rtol=1e-14)
    np.testing.assert_allclose(P.expectation, [1.0, -2.0, 3.0, -1.5, 5.0], rtol=1e-15)
    np.testing.assert_array_equal(P.sufficient_statistics([3.0, -2.0]), [3.0, -2.0, 9.0, -6.0, 4.0])
    assert P.dimension == 5


def test_lower_triangle_is_row_by_row():
    cov = np.array([[4.0, 1.0, 2.0], [1.0, 5.0, 3.0], [2.0, 3.0, 6.0]])
    p = ig.MultivariateNormal(np.zeros(3), cov)
    np.testing.assert_array_equal(p.source[3:], [4.0, 1.0, 5.0, 2.0, 3.0, 6.0])
    assert ig.MultivariateNormal.from_source(p.source) == p


def test_natural_fisher_of_the_standard_normal():
    standard = ig.MultivariateNormal([0.0, 0.0], np.eye(2))
    np.testing.assert_array_equal(standard.fisher("natural"), np.diag([1.0, 1.0, 2.0, 1.0, 2.0]))
    np.testing.assert_array_equal(standard.fisher("source"), np.diag([1.0, 1.0, 0.5, 1.0, 0.5]))
    np.testing.assert_array_equal(standard.fisher("expectation"), np.diag([1.0, 1.0, 0.5, 1.0, 0.5]))


def naive_fisher_source(p):
    """dmeanᵀ·Λ·dmean + ½·tr(Λ·dcov·Λ·dcov), one pair of basis directions at a time."""
    d = p.mean.size
    precision = np.linalg.inv(p.cov)
    directions = [(np.eye(d)[i], np.zeros((d, d))) for i in range(d)]
    for i in range(d):
        for j in range(i + 1):
            basis = np.zeros((d, d))
            basis[i, j] = basis[j, i] = 1.0
            directions.append((np.zeros(d), basis))
    return np.array(
        [
            [m @ precision @ n + 0.5 * np.trace(precision @ a @ precision @ b) for n, b in directions]
            for m, a in directions
        ]
    )


@pytest.mark.parametrize("d", [1, 2, 4])
def test_fisher_is_the_naive_loop(d):
    p = generic(np.random.default_rng(100 + d), (), d)
    source = naive_fisher_source(p)
    np.testing.assert_allclose(p.fisher("source"), source, rtol=1e-11, atol=1e-12 * source.max())
    for chart in ("natural", "expectation"):
        jacobian = p.jacobian("source", chart)
        carried = jacobian.T @ source @ jacobian
        np.testing.assert_allclose(p.fisher(chart), carried, rtol=1e-9, atol=1e-11 * carried.max())


def test_kl_direction():
    p, q = (
        ig.MultivariateNormal([1.0, 0.0], np.diag([1.0, 4.0])),
        ig.MultivariateNormal([0.0, 0.0], np.eye(2)),
    )
    # ½(1 + 4 − 2 − log 4 + 1)
    np.testing.assert_allclose(p.kl(q), 2.0 - np.log(2.0), rtol=1e-15)
    np.testing.assert_allclose(q.kl(p), 0.5 * (1.25 - 2.0 + np.log(4.0) + 1.0), rtol=1e-15)


def test_diagonal_normals_are_independent_normals():
    rng = np.random.default_rng(101)
    m, n = rng.normal(size=(2, 6, 3))
    s, r = np.exp(rng.normal(size=(2, 6, 3)))
    p, q = (ig.MultivariateNormal(a, b[..., None] ** 2 * np.eye(3)) for a, b in ((m, s), (n, r)))
    np.testing.assert_allclose(p.kl(q), ig.Normal(m, s).kl(ig.Normal(n, r)).sum(axis=-1), rtol=1e-13)
    np.testing.assert_allclose(p.entropy(), ig.Normal(m, s).entropy().sum(axis=-1), rtol=1e-13)
    x = rng.normal(size=(9, 6, 3))
    np.testing.assert_allclose(p.log_prob(x), ig.Normal(m, s).log_prob(x).sum(axis=-1), rtol=1e-13)


def test_one_dimension_is_the_normal():
    rng = np.random.default_rng(102)
    p, q = (ig.Normal(rng.normal(size=30), np.exp(rng.normal(size=30))) for _ in range(2))
    lifted = [ig.MultivariateNormal(r.mean[:, None], r.std[:, None, None] ** 2) for r in (p, q)]
    np.testing.assert_allclose(lifted[0].kl(lifted[1]), p.kl(q), rtol=1e-13)
    np.testing.assert_allclose(ig.fisher_rao_distance(*lifted), ig.fisher_rao_distance(p, q), rtol=1e-14)
    for chart in ("natural", "expectation"):
        np.testing.assert_allclose(lifted[0].coordinates(chart), p.coordinates(chart), rtol=1e-14)
        np.testing.assert_allclose(lifted[0].fisher(chart), p.fisher(chart), rtol=1e-13)
    # (mean, std²) by (mean, std)
    jacobian = np.zeros((30, 2, 2))
    jacobian[:, 0, 0], jacobian[:, 1, 1] = 1.0, 2.0 * p.std
    carried = np.swapaxes(jacobian, -1, -2) @ lifted[0].fisher("source") @ jacobian
    np.testing.assert_allclose(carried, p.fisher("source"), rtol=1e-13)
    times = [0.0, 0.3, 1.0, 1.7]
    for kind, t in (("fisher-rao", times), ("natural", times[:3]), ("expectation", times[:3])):
        there, here = ig.geodesic(*lifted, kind)(t), ig.geodesic(p, q, kind)(t)
        np.testing.assert_allclose(there.mean[..., 0], here.mean, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(there.cov[..., 0, 0], here.std**2, rtol=1e-12)


# -- digits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("separation", [1e-1, 1e-3, 1e-5, 1e-8, 1e-12])
def test_kl_keeps_its_digits_up_close(separation, d):
    rng = np.random.default_rng(103)
    p = generic(rng, (20,), d)
    root = np.linalg.cholesky(p.cov)
    change = rng.normal(size=(20, d, d))
    change = change + np.swapaxes(change, -1, -2)
    shift = (root @ rng.normal(size=(20, d, 1)))[..., 0]
    scale = separation / (4.0 * d)
    cov = p.cov + scale * root @ change @ np.swapaxes(root, -1, -2)
    q = ig.MultivariateNormal(p.mean + scale * shift, 0.5 * (cov + np.swapaxes(cov, -1, -2)))
    assert worst_kl(p, q) < 2e-12
    # what the generic form loses
    if separation == 1e-8:
        generic_form = ig.ExponentialFamily.kl(p, q)
        assert np.max(np.abs(generic_form / p.kl(q) - 1)) > 0.1


@pytest.mark.parametrize("d", [1, 2, 5])
def test_kl_of_far_pairs(d):
    rng = np.random.default_rng(104)
    p, q = generic(rng, (40,), d, spread=3.0), generic(rng, (40,), d, spread=3.0)
    assert worst_kl(p, q) < 1e-12


def test_kl_of_very_different_scales():
    rng = np.random.default_rng(105)
    p, q = (
        ig.MultivariateNormal(np.zeros(3), 10.0 ** rng.uniform(-60, 60, (20, 3, 1)) * np.eye(3))
        for _ in range(2)
    )
    with mpmath.workdps(300):
        assert worst_kl(p, q) < 1e-14


def test_round_trips_of_badly_scaled_covariances():
    p = generic(np.random.default_rng(106), (30,), 3, spread=6.0)
    root = np.sqrt(np.diagonal(p.cov, axis1=-2, axis2=-1))
    p = ig.MultivariateNormal(root * p.mean, p.cov)
    back = ig.MultivariateNormal.from_natural(p.natural)
    scale = root[..., :, None] * root[..., None, :]
    assert np.max(np.abs(back.cov - p.cov) / scale) < 1e-11
    assert np.max(np.abs(back.mean - p.mean) / root) < 1e-10


def test_from_expectation_does_not_round_the_products():
    rng = np.random.default_rng(107)
    mean = rng.uniform(1e5, 2e5, (50, 2))
    second = mean[:, :, None] * mean[:, None, :] + np.array([[1e-3, 2e-4], [2e-4, 2e-3]])
    second = 0.5 * (second + np.swapaxes(second, 1, 2))
    rows, columns = np.tril_indices(2)
    for m, s in zip(mean, second, strict=True):
        exact = [
            mpmath.mpf(s[i, j]) - mpmath.mpf(m[i]) * mpmath.mpf(m[j]) for i, j in ((0, 0), (1, 0), (1, 1))
        ]
        coordinates = np.concatenate([m, s[rows, columns]])
        if exact[0] > 0 and exact[0] * exact[2] > exact[1] ** 2:
            cov = ig.MultivariateNormal.from_expectation(coordinates).cov
            assert all(
                abs(float(c) - e) <= 4e-16 * abs(e) for c, e in zip(cov[rows, columns], exact, strict=True)
            )
        else:
            with pytest.raises(ValueError, match="must be positive definite"):
                ig.MultivariateNormal.from_expectation(coordinates)


# -- details ------------------------------------------------------------------------------------------------


def test_log_prob_far_from_the_origin():
    p = ig.MultivariateNormal([1e8, -1e8], P.cov)
    np.testing.assert_allclose(p.log_prob([1e8 + 0.5, -1e8]), P.log_prob([1.5, -2.0]), rtol=1e-14)


def test_log_prob_of_what_is_not_finite():
    np.testing.assert_array_equal(P.log_prob([[np.inf, 0.0], [-np.inf, np.inf]]), -np.inf)
    assert np.all(np.isnan(P.log_prob([[np.nan, 0.0], [np.nan, np.inf]])))


def test_samples_have_the_covariance():
    x = P.sample(100_000, np.random.default_rng(108))
    products = (x - P.mean)[:, :, None] * (x - P.mean)[:, None, :]
    error = products.std(axis=0) / np.sqrt(len(x))
    assert np.all(np.abs(products.mean(axis=0) - P.cov) < 5 * error)


def test_singular_matrices_are_refused_though_rounding_may_lift_them():
    vectors = np.random.default_rng(110).normal(size=(200, 2))
    products = vectors[:, :, None] * vectors[:, None, :]
    for cov in products:
        with pytest.raises(ValueError, match="cov must be positive definite"):
            ig.MultivariateNormal([0.0, 0.0], cov)
    pivots = products[:, 1, 1] - (products[:, 1, 0] / np.sqrt(products[:, 0, 0])) ** 2
    assert np.any(pivots > 0)
    # near, but not, singular
    assert ig.MultivariateNormal([0.0, 0.0], [[1.0, 1.0 - 1e-13], [1.0 - 1e-13, 1.0]]).shape == ()


def test_rounding_in_mirrored_entries_is_averaged():
    cov = np.array([[2.0, 0.5], [0.5 + 1e-12, 1.0]])
    p = ig.MultivariateNormal([0.0, 0.0], cov)
    assert p.cov[0, 1] == p.cov[1, 0] == 0.5 + 0.5e-12
    assert cov[0, 1] == 0.5


def test_one_mean_for_many_covariances():
    p = ig.MultivariateNormal([0.0, 1.0], np.array([1.0, 2.0, 3.0])[:, None, None] * np.eye(2))
    assert p.shape == (3,) and p.mean.shape == (3, 2)
    assert p[1].cov[0, 0] == 2.0
    assert p.kl(ig.MultivariateNormal([0.0, 0.0], np.eye(2))).shape == (3,)


def test_two_hundred_dimensions():
    rng = np.random.default_rng(109)
    p, q = (
        ig.MultivariateNormal(rng.normal(size=200), a @ a.T + 20.0 * np.eye(200))
        for a in rng.normal(size=(2, 200, 200))
    )
    ratio = np.linalg.solve(q.cov, p.cov)
    gap = q.mean - p.mean
    naive = 0.5 * (np.trace(ratio) - 200 - np.linalg.slogdet(ratio)[1] + gap @ np.linalg.solve(q.cov, gap))
    np.testing.assert_allclose(p.kl(q), naive, rtol=1e-11)
