"""Projections: where they are known, how right they are, what is at right angles and what is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

import igviz as ig
from igviz.geometry.newton import minimise
from igviz.geometry.projections import e_projection, m_projection, pythagorean_residual
from igviz.geometry.submanifolds import Curve, FlatSubmanifold
from tests.geometry.registry import EXPONENTIAL

TABLE = ig.Categorical([0.1, 0.3, 0.25, 0.35])
NORMAL = ig.Normal(1.3, 0.7)
VECTOR = ig.MultivariateNormal([1.0, -2.0, 0.3], [[1.0, 0.8, 0.1], [0.8, 2.0, -0.3], [0.1, -0.3, 0.5]])

# tables P(i, j) = P(i)·P(j) of two rows and two columns, entries row by row
INDEPENDENT = FlatSubmanifold(ig.Categorical(np.full(4, 0.25)), [[1, 1, 0], [1, 0, 1]], "natural")
# tables with the marginals (0.5, 0.5) and (0.6, 0.4)
WITH_MARGINALS = FlatSubmanifold(ig.Categorical([0.4, 0.1, 0.2, 0.3]), [1, -1, -1], "expectation")
# normals of one standard deviation, and those of one mean in either chart
OF_STD = FlatSubmanifold(ig.Normal(0.0, 2.0), [1, 0], "natural")
OF_MEAN = {
    chart: FlatSubmanifold(ig.Normal(-0.5, 1.0), direction, chart)
    for chart, direction in (("natural", [1, 1]), ("expectation", [0, 1]))
}
# normals on vectors of three numbers with diagonal covariance
DIAGONAL = FlatSubmanifold(
    ig.MultivariateNormal(np.zeros(3), np.eye(3)), np.eye(9)[[0, 1, 2, 3, 5, 8]], "natural"
)

# a generic submanifold through one point of each family with more than one coordinate, in both senses
MANY = [family for family in EXPONENTIAL if family.points["single"].dimension > 1]
for_many = pytest.mark.parametrize("family", MANY, ids=[family.name for family in MANY])
for_charts = pytest.mark.parametrize("chart", ["natural", "expectation"])


def generic(family, chart):
    """A point, another one, and a flat submanifold of about half the dimension through the first."""
    rng = np.random.default_rng(301)
    r, p = family.random(rng, ()), family.random(rng, ())
    if family.name == "Categorical":
        p = ig.Categorical(np.roll(p.probabilities, 1))
    k = r.dimension
    return r, p, FlatSubmanifold(r, rng.normal(size=((k + 1) // 2, k)), chart)


# -- known projections --------------------------------------------------------------------------------------


def test_independent_tables():
    q = m_projection(TABLE, INDEPENDENT)
    table = TABLE.probabilities.reshape(2, 2)
    product = np.outer(table.sum(axis=1), table.sum(axis=0))
    np.testing.assert_allclose(q.probabilities, product.ravel(), rtol=1e-13)
    mutual = np.sum(table * np.log(table / product))
    assert TABLE.kl(q) == pytest.approx(mutual, rel=1e-12)
    # the e-projection is independent too, and another table
    e = e_projection(TABLE, INDEPENDENT)
    a, b, c, d = e.probabilities
    assert a * d == pytest.approx(b * c, rel=1e-12)
    assert e.kl(TABLE) < q.kl(TABLE) - 1e-5 and TABLE.kl(e) > TABLE.kl(q) + 1e-5


def test_a_table_with_empty_entries_has_an_independent_one():
    q = m_projection(ig.Categorical([0.5, 0.0, 0.2, 0.3]), INDEPENDENT)
    np.testing.assert_allclose(q.probabilities, [0.35, 0.15, 0.35, 0.15], rtol=1e-13)


def test_tables_with_marginals_keep_the_odds_ratio():
    q = e_projection(TABLE, WITH_MARGINALS)
    table = q.probabilities.reshape(2, 2)
    np.testing.assert_allclose(table.sum(axis=1), [0.5, 0.5], rtol=1e-13)
    np.testing.assert_allclose(table.sum(axis=0), [0.6, 0.4], rtol=1e-13)
    a, b, c, d = q.probabilities
    assert a * d / (b * c) == pytest.approx(0.1 * 0.35 / (0.3 * 0.25), rel=1e-12)


def test_normals():
    for projection in (m_projection, e_projection):
        q = projection(NORMAL, OF_STD)
        np.testing.assert_allclose(q.source, [1.3, 2.0], rtol=1e-13)
    # one mean: moment matching the one way, matching precision the other, in either chart
    for chart in ("natural", "expectation"):
        q = m_projection(NORMAL, OF_MEAN[chart])
        np.testing.assert_allclose(q.source, [-0.5, np.sqrt(0.49 + 1.8**2)], rtol=1e-13)
        q = e_projection(NORMAL, OF_MEAN[chart])
        np.testing.assert_allclose(q.source, [-0.5, 0.7], rtol=1e-13)


def test_diagonal_normals():
    q = m_projection(VECTOR, DIAGONAL)
    np.testing.assert_allclose(q.mean, VECTOR.mean, rtol=1e-12)
    np.testing.assert_allclose(q.cov, np.diag(np.diag(VECTOR.cov)), rtol=1e-12)
    e = e_projection(VECTOR, DIAGONAL)
    np.testing.assert_allclose(e.mean, VECTOR.mean, rtol=1e-12)
    np.testing.assert_allclose(e.cov, np.diag(1 / np.diag(np.linalg.inv(VECTOR.cov))), rtol=1e-12)
    # the variances of reverse KL are too small
    assert np.all(np.diag(e.cov) < np.diag(q.cov))


# -- optimality ---------------------------------------------------------------------------------------------


@for_many
@for_charts
def test_the_gradient_vanishes_and_neighbours_are_farther(family, chart):
    _, p, flat = generic(family, chart)
    rng = np.random.default_rng(304)
    for projection in (m_projection, e_projection):
        q = projection(p, flat)
        mixture = projection is m_projection
        if mixture == (chart == "natural"):
            gap = q.expectation - p.expectation if mixture else q.natural - p.natural
            root = np.linalg.cholesky(flat.directions @ q.fisher(chart) @ flat.directions.T)
            assert np.linalg.norm(np.linalg.solve(root, flat.directions @ gap)) < 1e-12
        weights = np.linalg.lstsq(
            flat.directions.T, q.coordinates(chart) - flat.point.coordinates(chart), rcond=None
        )[0]
        np.testing.assert_allclose(flat(weights).coordinates(chart), q.coordinates(chart), rtol=1e-9)
        least = p.kl(q) if mixture else q.kl(p)
        metric = flat.directions @ q.fisher(chart) @ flat.directions.T
        for length in (1e-3, 0.1):
            step = np.linalg.solve(np.linalg.cholesky(metric).T, rng.normal(size=(flat.dimension, 8)))
            step *= length / np.linalg.norm(step, axis=0)
            step /= np.maximum(1.0, 20.0 * np.abs(step).max() if length > 0.01 else 1.0)
            near = flat(weights + step.T)
            assert np.all((p.kl(near) if mixture else near.kl(p)) > least)


def test_the_gradients_are_those_of_the_divergences():
    from igviz.geometry.differences import gradient
    from igviz.geometry.projections import _slopes

    rng = np.random.default_rng(305)
    for family in EXPONENTIAL:
        p, q = family.random(rng, ()), family.random(rng, ())
        cls = type(p)
        for chart in ("natural", "expectation"):
            scale = 0.3 / np.sqrt(np.diag(q.fisher(chart)))
            for where in ("m_projection", "e_projection"):

                def value(x, p=p, cls=cls, chart=chart, where=where):
                    r = cls.from_coordinates(x, chart)
                    return p.kl(r) if where == "m_projection" else r.kl(p)

                first, second = _slopes(where, p, q, chart)
                x = q.coordinates(chart)
                size = np.sqrt(np.diag(q.fisher(chart)))
                np.testing.assert_allclose(gradient(value, x, scale) / size, first / size, atol=1e-7)
                for i in range(x.size):
                    step = np.eye(x.size)[i] * scale[i] * 1e-4
                    up, down = (
                        _slopes(where, p, cls.from_coordinates(x + s * step, chart), chart)[0]
                        for s in (1, -1)
                    )
                    column = (up - down) / (2e-4 * scale[i])
                    np.testing.assert_allclose(
                        column / (size * size[i]), second[:, i] / (size * size[i]), atol=1e-5
                    )


def test_local_minima():
    # KL(q‖p) on an e-flat line of narrow bumps, for a p with two modes: as in variational inference
    p = ig.Categorical([0.32, 0.12, 0.02, 0.02, 0.11, 0.41])
    bump = np.exp(-2.0 * (np.arange(6) - 2.5) ** 2)
    line = FlatSubmanifold(ig.Categorical(bump / np.sum(bump)), np.arange(5.0) - 5.0, "natural")
    weights = np.linspace(-15, 15, 3001)[:, None]
    values = line(weights).kl(p)
    valleys = np.flatnonzero((values[1:-1] < values[2:]) & (values[1:-1] < values[:-2])) + 1
    assert len(valleys) == 3
    for valley in valleys:
        q = e_projection(p, line, start=weights[valley] + 0.3)
        assert q.kl(p) == pytest.approx(values[valley], abs=1e-4) and q.kl(p) <= values[valley]
    # without a start, one of them
    assert np.min(np.abs(e_projection(p, line).kl(p) - values[valleys])) < 1e-4
    # KL(p‖q) has one minimum, and every start leads there
    expected = m_projection(p, line).probabilities
    for start in (-14.0, 0.4, 9.0):
        np.testing.assert_allclose(m_projection(p, line, [start]).probabilities, expected, rtol=1e-10)


def test_projections_agree_with_scipy():
    rng = np.random.default_rng(306)
    flat = FlatSubmanifold(TABLE, rng.normal(size=(2, 3)), "natural")
    p = ig.Categorical(rng.dirichlet(np.ones(4)))
    for projection, value in ((m_projection, lambda q: p.kl(q)), (e_projection, lambda q: q.kl(p))):
        found = minimize(
            lambda w, f=value: float(f(flat(w))),
            np.zeros(2),
            method="Nelder-Mead",
            options={"xatol": 1e-10, "fatol": 1e-15, "maxiter": 4000},
        )
        q = projection(p, flat)
        np.testing.assert_allclose(q.probabilities, flat(found.x).probabilities, rtol=1e-6)
        assert value(q) <= found.fun + 1e-14


def test_curves():
    path = ig.geodesic(ig.Normal(-1.0, 0.5), ig.Normal(3.0, 2.0))
    for projection, value in ((m_projection, NORMAL.kl), (e_projection, lambda q: q.kl(NORMAL))):
        q = projection(NORMAL, Curve(path))
        times = np.linspace(0, 1, 100_001)
        values = value(path(times))
        least = np.argmin(values)
        assert value(q) <= values[least]
        np.testing.assert_allclose(q.source, path(times[least]).source, atol=1e-4)
        # the derivative along the curve vanishes
        step = 1e-4
        near = time_of(path, q)
        slope = (value(path(near + step)) - value(path(near - step))) / (2 * step)
        assert abs(slope) < 1e-6
    # a straight curve is the flat line
    flat = FlatSubmanifold(ig.Normal(0.4, 1.0), [0.0, 1.0], "expectation")
    line = Curve(lambda t: flat(t[..., None]), -0.9, 8.0)
    for projection in (m_projection, e_projection):
        np.testing.assert_allclose(
            projection(NORMAL, line).source, projection(NORMAL, flat).source, rtol=1e-10
        )
    # the nearest point may be an end
    assert m_projection(NORMAL, Curve(path, 0.8, 1.0)) == path(0.8)


def time_of(path, q):
    """The time at which a path from (−1, 0.5) to (3, 2), along which the mean rises, has the mean of q."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if path(middle).mean < q.mean else (low, middle)
    return low


# -- Pythagoras ---------------------------------------------------------------------------------------------


def by_divergences(p, q, r):
    return p.kl(r) - p.kl(q) - q.kl(r)


@pytest.mark.parametrize("family", EXPONENTIAL, ids=[family.name for family in EXPONENTIAL])
def test_the_residual_both_ways(family):
    p, q = family.pair(307, 8)
    r, _ = family.pair(308, 8)
    np.testing.assert_allclose(pythagorean_residual(p, q, r), by_divergences(p, q, r), rtol=1e-8, atol=1e-9)
    assert np.all(np.abs(pythagorean_residual(p, q, r)) > 1e-8)


@for_many
def test_matching_pairs_are_at_right_angles(family):
    rng = np.random.default_rng(309)
    r, p, flat = generic(family, "natural")
    q = m_projection(p, flat)
    for other in (r, flat(0.01 * rng.normal(size=flat.dimension))):
        scale = 1e-10 * (1 + p.kl(other))
        assert abs(pythagorean_residual(p, q, other)) < scale
        assert abs(by_divergences(p, q, other)) < scale
    # and the other pair: r is projected, p lies in the submanifold
    p, r, flat = generic(family, "expectation")
    q = e_projection(r, flat)
    for other in (p, flat(1e-4 * rng.normal(size=flat.dimension))):
        scale = 1e-10 * (1 + other.kl(r))
        assert abs(pythagorean_residual(other, q, r)) < scale
        assert abs(by_divergences(other, q, r)) < scale


def test_projections_that_do_not_match_are_not():
    # the projection of variational inference, KL(q‖p) on an e-flat submanifold
    q, r = e_projection(TABLE, INDEPENDENT), INDEPENDENT([0.3, -0.8])
    assert abs(pythagorean_residual(TABLE, q, r)) > 1e-3
    assert abs(pythagorean_residual(r, q, TABLE)) > 1e-4
    # KL(p‖q) on an m-flat one
    p, q = WITH_MARGINALS([0.05]), m_projection(TABLE, WITH_MARGINALS)
    assert abs(pythagorean_residual(p, q, TABLE)) > 1e-4
    assert abs(pythagorean_residual(p, e_projection(TABLE, WITH_MARGINALS), TABLE)) < 1e-14


# -- arguments ----------------------------------------------------------------------------------------------


def test_submanifolds_say_what_they_take():
    with pytest.raises(TypeError, match=r"FlatSubmanifold: point must be of an exponential family"):
        FlatSubmanifold(ig.Cauchy(0.0, 1.0), [1.0, 0.0], "natural")
    with pytest.raises(ValueError, match=r"point must be one distribution, got a grid of shape \(2,\)"):
        FlatSubmanifold(ig.Normal([0.0, 1.0], 1.0), [1.0, 0.0], "natural")
    with pytest.raises(ValueError, match="chart must be 'natural' or 'expectation', got 'source'"):
        FlatSubmanifold(NORMAL, [1.0, 0.0], "source")
    for directions in ([1.0], np.eye(3), np.zeros((0, 2))):
        with pytest.raises(ValueError, match=r"directions must have shape \(m, 2\) with m from 1 to 2"):
            FlatSubmanifold(NORMAL, directions, "natural")
    for directions in ([[1.0, 2.0], [2.0, 4.0]], [0.0, 0.0]):
        with pytest.raises(ValueError, match="directions must be linearly independent"):
            FlatSubmanifold(NORMAL, directions, "natural")
    with pytest.raises(ValueError, match="directions must be finite"):
        FlatSubmanifold(NORMAL, [np.nan, 0.0], "natural")
    with pytest.raises(ValueError, match=r"weights must have shape \(..., 1\), got shape \(2,\)"):
        OF_STD([0.1, 0.2])
    assert OF_STD(np.zeros((5, 1))).shape == (5,)
    with pytest.raises(TypeError, match="Curve: curve must be a function of time, got 3"):
        Curve(3)
    with pytest.raises(ValueError, match=r"Curve: low must be less than high, got 1.0 and 0.0"):
        Curve(lambda t: ig.Normal(t, 1.0), 1.0, 0.0)


@pytest.mark.parametrize("projection", [m_projection, e_projection])
def test_projections_say_what_they_take(projection):
    name = projection.__name__
    with pytest.raises(TypeError, match=f"{name}: p must be of an exponential family"):
        projection(ig.Cauchy(0.0, 1.0), OF_STD)
    with pytest.raises(ValueError, match=rf"{name}: p must be one distribution, got a grid of shape \(2,\)"):
        projection(ig.Normal([0.0, 1.0], 1.0), OF_STD)
    with pytest.raises(TypeError, match=f"{name}: both distributions must be of one family"):
        projection(TABLE, OF_STD)
    with pytest.raises(TypeError, match=f"{name}: submanifold must be a FlatSubmanifold or a Curve, got 3"):
        projection(NORMAL, 3)
    with pytest.raises(ValueError, match=rf"{name}: start must have shape \(1,\), got shape \(2,\)"):
        projection(NORMAL, OF_STD, [0.1, 0.2])
    with pytest.raises(ValueError, match="Normal: the second natural coordinate must be negative"):
        projection(NORMAL, OF_MEAN["natural"], [2.0])
    with pytest.raises(TypeError, match="pythagorean_residual: p must be of an exponential family"):
        pythagorean_residual(3, NORMAL, NORMAL)


def test_a_projection_that_is_not_there():
    # a table without one row has no independent table of full support nearest to it
    p = ig.Categorical([0.4, 0.6, 0.0, 0.0])
    with pytest.raises(ArithmeticError, match="m_projection: no minimum was found inside the family"):
        m_projection(p, INDEPENDENT)


def test_newton_leaves_a_saddle_and_stops_at_the_edge():
    def value(x):
        return float(np.cos(x[0]) + x[1] ** 2) if abs(x[0]) < 5 else np.inf

    def slopes(x):
        return np.array([-np.sin(x[0]), 2 * x[1]]), np.diag([-np.cos(x[0]), 2.0]), np.eye(2)

    found = minimise(value, slopes, np.array([0.2, 1.0]))
    np.testing.assert_allclose(found.x, [np.pi, 0.0], atol=1e-12)
    assert found.residual < 1e-12 and found.value == pytest.approx(-1.0)
    assert minimise(value, slopes, np.array([0.0, 0.0])).residual == np.inf
