"""Fisher–Rao distances and paths of multivariate normals, closed and numeric: none is shorter."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

import igviz as ig
from igviz.geometry.families import multivariate_geodesics
from tests.geometry.families.test_multivariate_normal import exact_matrix, generic

ROTATION = np.linalg.qr(np.random.default_rng(120).normal(size=(3, 3)))[0]


def linked(seed, size, d=3, spread=0.8, separation=1.0):
    """Pairs whose means differ along an axis common to both covariances; the axes are not orthogonal."""
    rng = np.random.default_rng(seed)
    axes = rng.normal(size=(size, d, d)) + np.eye(d)
    first = np.exp(spread * rng.normal(size=(size, 1, d)))
    second = first * np.exp(separation * spread * rng.normal(size=(size, 1, d)))
    mean = rng.normal(size=(size, d))
    step = separation * rng.normal(size=(size, 1)) * axes[:, :, 0]
    transposed = np.swapaxes(axes, -1, -2)
    return (
        ig.MultivariateNormal(mean, axes * first @ transposed),
        ig.MultivariateNormal(mean + step, axes * second @ transposed),
    )


def exact_same_mean(p, q):
    """√(½·Σ log²λ), with the eigenvalues of L⁻¹·cov_q·L⁻ᵀ in sixty digits."""
    root = mpmath.cholesky(exact_matrix(p.cov))
    ratio = root**-1 * exact_matrix(q.cov) * (root**-1).T
    values = mpmath.eigsy(ratio, eigvals_only=True)
    return mpmath.sqrt(sum(mpmath.log(v) ** 2 for v in values) / 2)


def exact_same_cov(p, q):
    gap = exact_matrix(q.mean).T - exact_matrix(p.mean).T
    square = (gap.T * exact_matrix(p.cov) ** -1 * gap)[0]
    with mpmath.workdps(120):
        return mpmath.sqrt(2) * mpmath.acosh(1 + square / 4)


def worst(p, q, exact):
    distances = ig.fisher_rao_distance(p, q)
    return max(abs(float(d) / exact(a, b) - 1) for d, a, b in zip(distances, p, q, strict=True))


# -- distances ----------------------------------------------------------------------------------------------


def test_anchors():
    p = ig.MultivariateNormal([1.0, -2.0], np.diag([1.0, 4.0]))
    # Mahalanobis distance √2: cosh(d/√2) = 1.5
    q = ig.MultivariateNormal([2.0, 0.0], np.diag([1.0, 4.0]))
    np.testing.assert_allclose(ig.fisher_rao_distance(p, q), np.sqrt(2) * np.arccosh(1.5), rtol=1e-15)
    # one variance times e², the other by e⁻⁴: √((4 + 16)/2)
    q = ig.MultivariateNormal([1.0, -2.0], np.diag([np.exp(2), 4 * np.exp(-4)]))
    np.testing.assert_allclose(ig.fisher_rao_distance(p, q), np.sqrt(10), rtol=1e-15)
    # a univariate pair along one axis and a stretch along the other
    q = ig.MultivariateNormal([2.0, -2.0], np.diag([1.0, 4 * np.exp(2)]))
    np.testing.assert_allclose(ig.fisher_rao_distance(p, q), np.sqrt(2 * np.log(2) ** 2 + 2), rtol=1e-15)


def test_naive_twins():
    rng = np.random.default_rng(121)
    p, q = generic(rng, (30,), 4), generic(rng, (30,), 4)
    same_mean = ig.fisher_rao_distance(p, ig.MultivariateNormal(p.mean, q.cov))
    same_cov = ig.fisher_rao_distance(p, ig.MultivariateNormal(q.mean, p.cov))
    for i in range(30):
        values = scipy.linalg.eigh(q.cov[i], p.cov[i], eigvals_only=True)
        np.testing.assert_allclose(same_mean[i], np.sqrt(0.5) * np.linalg.norm(np.log(values)), rtol=1e-9)
        gap = q.mean[i] - p.mean[i]
        square = gap @ np.linalg.solve(p.cov[i], gap)
        np.testing.assert_allclose(same_cov[i], np.sqrt(2) * np.arccosh(1 + square / 4), rtol=1e-9)


@pytest.mark.parametrize("separation", [1.0, 1e-2, 1e-5, 1e-8, 1e-12])
def test_distances_keep_their_digits(separation):
    rng = np.random.default_rng(122)
    p = generic(rng, (15,), 3)
    root = np.linalg.cholesky(p.cov)
    change = rng.normal(size=(15, 3, 3))
    change = change + np.swapaxes(change, -1, -2)
    cov = root @ scipy.linalg.expm(0.2 * separation * change) @ np.swapaxes(root, -1, -2)
    if separation < 1e-3:
        cov = p.cov + 0.2 * separation * root @ change @ np.swapaxes(root, -1, -2)
    q = ig.MultivariateNormal(p.mean, 0.5 * (cov + np.swapaxes(cov, -1, -2)))
    assert worst(p, q, exact_same_mean) < 1e-12
    shift = (root @ rng.normal(size=(15, 3, 1)))[..., 0]
    q = ig.MultivariateNormal(p.mean + separation * shift, p.cov)
    assert worst(p, q, exact_same_cov) < 1e-12


def test_ill_conditioned_ratios():
    rng = np.random.default_rng(123)
    p = ig.MultivariateNormal(np.zeros(3), np.eye(3))
    stretch = 10.0 ** rng.uniform(-5, 5, (20, 1, 3))
    turn = np.linalg.qr(rng.normal(size=(20, 3, 3)))[0]
    cov = turn * stretch @ np.swapaxes(turn, -1, -2)
    q = ig.MultivariateNormal(np.zeros((20, 3)), 0.5 * (cov + np.swapaxes(cov, -1, -2)))
    assert worst(p.broadcast_to((20,)), q, exact_same_mean) < 1e-8
    # coordinates of very different sizes lose little
    mixed = generic(rng, (20,), 3)
    scale = 10.0 ** rng.uniform(-7, 7, (20, 3))
    q = ig.MultivariateNormal(np.zeros(3), scale[:, :, None] * mixed.cov * scale[:, None, :])
    assert worst(p.broadcast_to((20,)), q, exact_same_mean) < 1e-12
    # without rotation nothing is lost, however different the scales
    q = ig.MultivariateNormal(np.zeros(3), 10.0 ** rng.uniform(-100, 100, (20, 1, 3)) * np.eye(3))
    expected = np.linalg.norm(np.log(np.diagonal(q.cov, axis1=-2, axis2=-1)), axis=-1) / np.sqrt(2)
    np.testing.assert_allclose(ig.fisher_rao_distance(p, q), expected, rtol=1e-14)


def test_an_affine_map_is_an_isometry():
    p, q = linked(124, 20)
    rng = np.random.default_rng(125)
    matrix, shift = rng.normal(size=(3, 3)) + np.eye(3), rng.normal(size=3)
    moved = [ig.MultivariateNormal(r.mean @ matrix.T + shift, matrix @ r.cov @ matrix.T) for r in (p, q)]
    np.testing.assert_allclose(ig.fisher_rao_distance(*moved), ig.fisher_rao_distance(p, q), rtol=1e-11)


def test_between_the_bound_of_the_embedding_and_any_other_path():
    # normals embed in the positive-definite matrices [[cov + mean·meanᵀ, mean], [meanᵀ, 1]], whose
    # distance is never longer
    p, q = linked(126, 30)

    def embed(r):
        top = np.concatenate([r.cov + r.mean[:, :, None] * r.mean[:, None, :], r.mean[:, :, None]], axis=2)
        bottom = np.concatenate([r.mean[:, None, :], np.ones((30, 1, 1))], axis=2)
        return np.concatenate([top, bottom], axis=1)

    values = np.array(
        [scipy.linalg.eigh(b, a, eigvals_only=True) for a, b in zip(embed(p), embed(q), strict=True)]
    )
    lower = np.sqrt(0.5) * np.linalg.norm(np.log(values), axis=-1)
    distance = ig.fisher_rao_distance(p, q)
    assert np.all(lower <= distance * (1 + 1e-9))
    # random detours, also out of the pair's axes, are longer
    rng = np.random.default_rng(127)
    times = np.linspace(0.0, 1.0, 401)
    path = ig.geodesic(p, q)(times)
    bump = np.sin(np.pi * times)[:, None, None]
    for size in (0.05, 0.3):
        mean = path.mean + size * bump * rng.normal(size=(30, 3))
        turn = scipy.linalg.expm(
            size * np.sin(np.pi * times)[:, None, None, None] * rng.normal(size=(30, 3, 3))
        )
        detour = ig.MultivariateNormal(mean, turn @ path.cov @ np.swapaxes(turn, -1, -2))
        steps = np.diff(detour.source, axis=0)
        middle = ig.MultivariateNormal.from_source(detour.source[:-1] + 0.5 * steps)
        length = np.sqrt(np.einsum("tni,tnij,tnj->tn", steps, middle.fisher(), steps)).sum(axis=0)
        assert np.all(length > distance)


def test_the_map_to_the_product_lengthens_nothing():
    # the inequality of metrics on which the closed form rests, at random points and for random velocities
    rng = np.random.default_rng(128)
    p = generic(rng, (200,), 3)
    velocity = rng.normal(size=(200, 9))

    def product(r):
        pivots = np.diagonal(np.linalg.cholesky(r.cov), axis1=-2, axis2=-1)
        return np.concatenate([r.mean[:, :1], np.log(pivots)], axis=1), pivots

    h = 1e-6
    up, down = (ig.MultivariateNormal.from_source(p.source + s * h * velocity) for s in (1, -1))
    moved = (product(up)[0] - product(down)[0]) / (2 * h)
    std = product(p)[1][:, 0]
    squared = (moved[:, 0] / std) ** 2 + 2.0 * np.sum(moved[:, 1:] ** 2, axis=1)
    assert np.all(squared <= p.squared_speed(velocity, "source") * (1 + 1e-6))


def test_rounding_leaves_the_digits_of_pairs_with_a_closed_form():
    for separation in (3.0, 1.0, 1e-2, 1e-4):
        p, q = linked(129, 200, separation=separation)
        assert np.max(np.linalg.cond(p.cov)) > 1e6
        distances = ig.fisher_rao_distance(p, q)
        np.testing.assert_allclose(distances, ig.fisher_rao_distance(q, p), rtol=1e-8)


# -- pairs without a closed form ----------------------------------------------------------------------------


def test_any_pair_agrees_with_the_path_of_least_energy_in_the_source_chart():
    # another coordinate system, another parametrisation of paths, and a metric differentiated numerically
    p = ig.MultivariateNormal([0.3, -0.4], [[1.2, 0.3], [0.3, 0.8]])
    q = ig.MultivariateNormal(
        [[1.1, 0.5], [-0.2, 0.1]], [[[0.7, -0.2], [-0.2, 1.5]], [[1.0, 0.5], [0.5, 0.9]]]
    )

    def inside(x):
        return (x[..., 2] > 0.05) & (x[..., 4] > 0.05) & (x[..., 2] * x[..., 4] - x[..., 3] ** 2 > 0.01)

    manifold = ig.RiemannianManifold(lambda x: ig.MultivariateNormal.from_source(x).fisher(), inside=inside)
    expected = manifold.distance(p.source, q.source)
    np.testing.assert_allclose(ig.fisher_rao_distance(p, q), expected, rtol=1e-11)
    # the only point that far from both ends
    middle = ig.geodesic(p, q)(0.37).source
    np.testing.assert_allclose(manifold.distance(p.source, middle), 0.37 * expected, rtol=1e-10)
    np.testing.assert_allclose(manifold.distance(middle, q.source), 0.63 * expected, rtol=1e-10)


def test_any_pair_has_symmetric_distances_constant_speed_and_exact_ends():
    rng = np.random.default_rng(140)
    for d in (2, 3, 5):
        p, q = generic(rng, (40,), d), generic(rng, (40,), d)
        distance, path = ig.fisher_rao_distance(p, q), ig.geodesic(p, q)
        np.testing.assert_allclose(ig.fisher_rao_distance(q, p), distance, rtol=1e-13)
        ends = path([0.0, 1.0])
        np.testing.assert_allclose(ends[0].source, p.source, rtol=1e-14, atol=1e-14)
        np.testing.assert_allclose(ends[1].source, q.source, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(path.length(), distance, rtol=1e-11)
        before, inside, after = path([-0.3, 0.4, 1.5])
        np.testing.assert_allclose(ig.fisher_rao_distance(before, after), 1.8 * distance, rtol=1e-9)
        np.testing.assert_allclose(ig.fisher_rao_distance(inside, after), 1.1 * distance, rtol=1e-9)


@pytest.mark.parametrize("separation", [1e-2, 1e-5, 1e-8, 1e-12])
def test_any_pair_keeps_its_digits_up_close(separation):
    rng = np.random.default_rng(141)
    p = generic(rng, (30,), 3)
    q = ig.MultivariateNormal.from_source(p.source + separation * 0.1 * rng.normal(size=p.source.shape))
    # half the sum of the two divergences, which keep their digits, is ½·distance² up to the fourth order
    expected = np.sqrt(p.kl(q) + q.kl(p))
    distance = ig.fisher_rao_distance(p, q)
    np.testing.assert_allclose(distance, expected, rtol=1e-12 + 10.0 * np.max(distance) ** 2)
    np.testing.assert_allclose(ig.fisher_rao_distance(q, p), distance, rtol=1e-13)


def test_closed_forms_are_limits_of_the_other_pairs():
    rng = np.random.default_rng(142)
    p, q = linked(143, 20)
    closed = ig.fisher_rao_distance(p, q)
    twist = rng.normal(size=(20, 3, 3))
    for size in (1e-2, 1e-4, 1e-6):
        turn = scipy.linalg.expm(size * (twist - np.swapaxes(twist, -1, -2)))
        near = ig.MultivariateNormal(q.mean, turn @ q.cov @ np.swapaxes(turn, -1, -2))
        change = ig.fisher_rao_distance(q, near)
        assert np.all(change > 0)
        assert np.all(np.abs(ig.fisher_rao_distance(p, near) - closed) <= change)
    # an affine map moves a pair without a closed form to another
    p, q = generic(rng, (20,), 3), generic(rng, (20,), 3)
    matrix, shift = rng.normal(size=(3, 3)) + np.eye(3), rng.normal(size=3)
    moved = [ig.MultivariateNormal(r.mean @ matrix.T + shift, matrix @ r.cov @ matrix.T) for r in (p, q)]
    np.testing.assert_allclose(ig.fisher_rao_distance(*moved), ig.fisher_rao_distance(p, q), rtol=1e-11)


def test_there_is_one_minimum_only_wherever_newtons_method_starts():
    rng = np.random.default_rng(144)
    p, q = generic(rng, (25,), 3), generic(rng, (25,), 3)
    shift, ratio, excess, _ = p._compare(q)
    distance = ig.fisher_rao_distance(p, q)
    lift = multivariate_geodesics._Lift(shift, ratio, excess, near=False)
    for size in (0.1, 1.0, 10.0, 100.0):
        start = size * rng.normal(size=(25, 3, 3))
        turn, found = multivariate_geodesics._minimise(lift, start - np.swapaxes(start, -1, -2))
        assert np.all(found)
        np.testing.assert_allclose(np.sqrt(lift.spectrum(turn).energy()), distance, rtol=1e-12)


def test_closed_forms_and_others_in_one_grid():
    p = ig.MultivariateNormal([0.0, 0.0], np.eye(2))
    grid = ig.MultivariateNormal([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]], np.diag([1.0, 2.0]))
    distances, path = ig.fisher_rao_distance(p, grid), ig.geodesic(p, grid)
    for i, q in enumerate(grid):
        np.testing.assert_allclose(ig.fisher_rao_distance(p, q), distances[i], rtol=1e-14)
        np.testing.assert_allclose(ig.geodesic(p, q)(0.3).source, path(0.3)[i].source, rtol=1e-13)


def test_pairs_without_eight_digits_are_refused():
    p = ig.MultivariateNormal([0.0, 0.0], np.eye(2))
    q = ig.MultivariateNormal([1.0, 1e9], np.diag([1e-14, 3.0]))
    with pytest.raises(ArithmeticError, match="fisher_rao_distance: rounding leaves fewer than 8 digits"):
        ig.fisher_rao_distance(p, q)
    grid = ig.MultivariateNormal([[1.0, 2.0], [1.0, 1e9]], [np.diag([2.0, 3.0]), np.diag([1e-14, 3.0])])
    with pytest.raises(ArithmeticError, match=r"geodesic: rounding .* multivariate normals at index \(1,\)"):
        ig.geodesic(p, grid)


# -- geodesics ----------------------------------------------------------------------------------------------


def integrate(p, q, times):
    """Solve mean″ = C′C⁻¹mean′, C″ = C′C⁻¹C′ − mean′mean′ᵀ from the closed form's first direction."""
    d = p.mean.size
    path, h = ig.geodesic(p, q), 1e-3
    near = [path(k * h).mean for k in (-2, -1, 1, 2)], [path(k * h).cov for k in (-2, -1, 1, 2)]
    mean_speed, cov_speed = ((a - 8 * b + 8 * c - e) / (12 * h) for a, b, c, e in near)

    def slope(_, state):
        m1, c, c1 = (
            state[d : 2 * d],
            state[2 * d : 2 * d + d * d].reshape(d, d),
            state[2 * d + d * d :].reshape(d, d),
        )
        pull = c1 @ np.linalg.inv(c)
        return np.concatenate([m1, pull @ m1, c1.ravel(), (pull @ c1 - np.outer(m1, m1)).ravel()])

    start = np.concatenate([p.mean, mean_speed, p.cov.ravel(), cov_speed.ravel()])
    solution = scipy.integrate.solve_ivp(slope, (0.0, 1.0), start, "DOP853", times, rtol=1e-11, atol=1e-12)
    return solution.y[:d].T, solution.y[2 * d : 2 * d + d * d].T.reshape(-1, d, d)


@pytest.mark.parametrize("case", ["same mean", "same covariance", "common axis", "any pair"])
def test_paths_solve_the_geodesic_equation(case):
    rng = np.random.default_rng(130)
    times = np.array([0.25, 0.5, 0.75, 1.0])
    for i in range(4):
        p, q = (r[i] for r in linked(131, 4))
        other = generic(rng, (), 3)
        if case == "same mean":
            q = ig.MultivariateNormal(p.mean, other.cov)
        elif case == "same covariance":
            q = ig.MultivariateNormal(other.mean, p.cov)
        elif case == "any pair":
            q = other
        mean, cov = integrate(p, q, times)
        path = ig.geodesic(p, q)(times)
        np.testing.assert_allclose(path.mean, mean, atol=1e-7)
        np.testing.assert_allclose(path.cov, cov, atol=1e-7 * np.abs(cov).max())
        np.testing.assert_allclose(path.cov[-1], q.cov, rtol=1e-11, atol=1e-12)


def test_same_mean_is_the_geometric_mean_of_matrices():
    rng = np.random.default_rng(132)
    p, q = generic(rng, (), 3), generic(rng, (), 3)
    root = scipy.linalg.sqrtm(p.cov)
    inverse = np.linalg.inv(root)
    path = ig.geodesic(p, ig.MultivariateNormal(p.mean, q.cov))
    for t in (0.0, 0.3, 0.8, 1.0, 1.5):
        power = scipy.linalg.fractional_matrix_power(inverse @ q.cov @ inverse, t)
        np.testing.assert_allclose(path(t).cov, root @ power @ root, rtol=1e-9, atol=1e-10)
        np.testing.assert_array_equal(path(t).mean, p.mean)


def test_same_covariance_changes_along_the_means_only():
    rng = np.random.default_rng(133)
    p = generic(rng, (), 3)
    gap = rng.normal(size=3)
    path = ig.geodesic(p, ig.MultivariateNormal(p.mean + gap, p.cov))
    middle = path(0.5)
    size = gap @ np.linalg.solve(p.cov, gap)
    # the univariate middle has variance 1 + D²/8 in units of the covariance along the gap
    extra = np.outer(gap, gap) / 8.0
    np.testing.assert_allclose(middle.mean, p.mean + 0.5 * gap, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(middle.cov, p.cov + extra, rtol=1e-12)
    assert size > 0


def test_m_geodesic_holds_the_spread_of_the_means():
    rng = np.random.default_rng(134)
    p, q = generic(rng, (6,), 3), generic(rng, (6,), 3)
    t, gap = 0.3, q.mean - p.mean
    m = ig.geodesic(p, q, "expectation")(t)
    expected = 0.7 * p.cov + 0.3 * q.cov + 0.21 * gap[:, :, None] * gap[:, None, :]
    np.testing.assert_allclose(m.cov, expected, rtol=1e-13)
    e = ig.geodesic(p, q, "natural")(t)
    np.testing.assert_allclose(
        np.linalg.inv(e.cov), 0.7 * np.linalg.inv(p.cov) + 0.3 * np.linalg.inv(q.cov), rtol=1e-9
    )
    x = rng.normal(size=(9, 1, 3))
    ratio = e.log_prob(x) - 0.7 * p.log_prob(x) - 0.3 * q.log_prob(x)
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[0], ratio.shape), rtol=1e-9)
    far = [ig.MultivariateNormal(r.mean + 1e8, r.cov) for r in (p, q)]
    for kind in ("natural", "expectation"):
        there = ig.geodesic(*far, kind)(t)
        np.testing.assert_allclose(there.cov, ig.geodesic(p, q, kind)(t).cov, rtol=1e-6)


@pytest.mark.parametrize("kind", ["natural", "expectation"])
def test_straight_paths_agree_with_the_generic_form_and_end(kind):
    rng = np.random.default_rng(135)
    p, q = generic(rng, (8,), 2, spread=0.3), generic(rng, (8,), 2, spread=0.3)
    t = np.array([0.0, 0.2, 0.7, 1.0])
    generic_form = ig.ExponentialFamily.straight_point(p, q, t[:, None], kind)
    np.testing.assert_allclose(ig.geodesic(p, q, kind)(t).source, generic_form.source, rtol=1e-8, atol=1e-10)
    with pytest.raises(
        ValueError, match=rf"geodesic: the {kind} path has no point at t = .* positive definite"
    ):
        ig.geodesic(p, q, kind)([-200.0, 200.0])
