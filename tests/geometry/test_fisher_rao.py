"""Fisher–Rao distances and paths found numerically: against thirty digits, quadratures, other solvers."""

from __future__ import annotations

import json
from pathlib import Path

import mpmath
import numpy as np
import pytest
import scipy.integrate
import scipy.optimize

import igviz as ig
from igviz.geometry.gamma_functions import excess_curvature, excess_curvature_slope

REFERENCES = json.loads((Path(__file__).parent / "fisher_rao_references.json").read_text(encoding="utf-8"))
FAMILIES = [ig.Gamma, ig.Beta, ig.Dirichlet]
for_families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)


def generic(family, seed, size=15, spread=0.9):
    rng = np.random.default_rng(seed)
    return [
        family.from_source(np.exp(rng.normal(0.4, spread, (size, 2 + (family is ig.Dirichlet)))))
        for _ in range(2)
    ]


# -- distances ---------------------------------------------------------------------------------------------


@for_families
def test_thirty_digits(family):
    entries = REFERENCES[family.__name__]
    assert len(entries) >= 12
    pairs = np.array([entry["pair"] for entry in entries])
    p, q = family.from_source(pairs[:, 0]), family.from_source(pairs[:, 1])
    errors = [
        abs(mpmath.mpf(float(d)) / mpmath.mpf(entry["distance"]) - 1)
        for d, entry in zip(ig.fisher_rao_distance(p, q), entries, strict=True)
    ]
    assert max(errors) < 1e-14


def clairaut(p, q):
    """Gamma distances from the isometry that changes the unit of x, as in _geometry_references.py."""
    a, other = float(p.shape_parameter), float(q.shape_parameter)
    low, high = min(a, other), max(a, other)
    shift = abs(np.log(other / float(q.rate)) - np.log(a / float(p.rate)))

    def element(s, c):
        return 2.0 * np.sqrt(excess_curvature(c**2 * (1.0 + s**2)) / (1.0 + s**2))

    def integrate(c, turn, weight):
        first, last = (np.sqrt(max(x / c**2 - 1.0, 0.0)) for x in (low, high))
        # s = sinh r, so that long ways are short
        ends = np.arcsinh([-turn * first, last])
        return scipy.integrate.quad(
            lambda r: element(np.sinh(r), c) * np.cosh(r) * weight(np.sinh(r), c),
            *ends,
            epsabs=1e-14,
            epsrel=1e-13,
            limit=200,
        )[0]

    def miss(log_c, turn):
        c = np.exp(log_c)
        return integrate(c, turn, lambda s, c: 1.0 / (c * (1.0 + s**2))) - shift

    edge = 0.5 * np.log(low)
    turn = 1.0 if miss(edge, -1.0) < 0.0 else -1.0
    log_c = scipy.optimize.brentq(miss, edge - 30.0, edge, args=(turn,), xtol=1e-15)
    return integrate(np.exp(log_c), turn, lambda s, c: 1.0)


@pytest.mark.parametrize("spread", [0.5, 1.5, 3.0])
def test_gamma_distances_are_quadratures(spread):
    p, q = generic(ig.Gamma, 210, size=8, spread=spread)
    expected = [clairaut(a, b) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(ig.fisher_rao_distance(p, q), expected, rtol=1e-12)


@for_families
def test_distances_and_paths_solve_the_geodesic_equation_of_the_natural_chart(family):
    p, q = generic(family, 211, size=2, spread=0.6)
    for a, b in zip(p, q, strict=True):
        start, end = a.natural, b.natural

        def slope(_, state, k=start.size, family=family):
            points, v = state[:k].T, state[k:].T
            some = family.from_natural(points)
            pull = np.einsum("nabc,nb,nc->na", some.third_cumulant(), v, v)
            # ∇²A·ẍ = −½·∇³A(ẋ, ẋ)
            return np.concatenate(
                [v.T, -0.5 * np.linalg.solve(some.fisher("natural"), pull[..., None])[..., 0].T]
            )

        t = np.linspace(0.0, 1.0, 40)
        # geometric, so that the guess stays in the domain
        guess = start * (end / start) ** t[:, None]
        speed = guess * np.log(end / start)
        k = start.size
        solution = scipy.integrate.solve_bvp(
            slope,
            lambda x, y, k=k, start=start, end=end: np.concatenate([x[:k] - start, y[:k] - end]),
            t,
            np.concatenate([guess.T, speed.T]),
            tol=1e-9,
            max_nodes=20_000,
        )
        assert solution.success
        first = solution.sol(0.0)[k:]
        np.testing.assert_allclose(
            ig.fisher_rao_distance(a, b), np.sqrt(a.squared_speed(first, "natural")), rtol=1e-8
        )
        middle = ig.geodesic(a, b)([0.2, 0.5, 0.8])
        np.testing.assert_allclose(middle.natural, solution.sol([0.2, 0.5, 0.8])[:k].T, rtol=1e-7)


@for_families
@pytest.mark.parametrize("separation", [1e-2, 1e-5, 1e-8, 1e-12])
def test_near_points(family, separation):
    p, other = generic(family, 212)
    q = family.from_source(p.source * (1.0 + separation * np.log(other.source / p.source)))
    distance = ig.fisher_rao_distance(p, q)
    # the sum of the two divergences is the squared distance up to the fourth order
    np.testing.assert_allclose(distance, np.sqrt(p.kl(q) + q.kl(p)), rtol=1e-12 + np.max(distance) ** 2)
    np.testing.assert_allclose(ig.fisher_rao_distance(q, p), distance, rtol=1e-13)
    end = ig.geodesic(p, q)(1.0)
    assert np.max(np.abs(end.source - q.source) / p.source) <= 4e-16


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (ig.Gamma(0.1, 3.0), ig.Gamma(100.0, 0.2)),
        (ig.Gamma(1e-3, 3.0), ig.Gamma(1e6, 0.2)),
        (ig.Gamma(1e6, 1.0), ig.Gamma(1e6, 1e3)),
        (ig.Gamma(1e-6, 1e-6), ig.Gamma(1e-6, 1e6)),
        (ig.Gamma(2.0, 1e-150), ig.Gamma(3.0, 1e150)),
    ],
    ids=["issue", "six decades", "far means", "flat", "units"],
)
def test_extreme_gamma_pairs(p, q):
    distance = ig.fisher_rao_distance(p, q)
    np.testing.assert_allclose(ig.fisher_rao_distance(q, p), distance, rtol=1e-13)
    if np.abs(np.log(q.rate / p.rate)) < 100.0:
        np.testing.assert_allclose(distance, clairaut(p, q), rtol=1e-11)
    along = ig.geodesic(p, q)([0.0, 0.3, 0.8, 1.0])
    np.testing.assert_allclose(ig.fisher_rao_distance(along[1], along[2]), 0.5 * distance, rtol=1e-9)


def test_extreme_concentrations():
    p = ig.Beta([1e-3, 1e3, 1e-4, 50.0], [3.0, 2.0, 1e-4, 50.0])
    q = ig.Beta([1e3, 1e-2, 1e6, 50.0], [0.02, 1e2, 1e6, 60.0])
    distance = ig.fisher_rao_distance(p, q)
    np.testing.assert_allclose(ig.fisher_rao_distance(q, p), distance, rtol=1e-13)
    along = ig.geodesic(p, q)([0.3, 0.8])
    np.testing.assert_allclose(ig.fisher_rao_distance(along[0], along[1]), 0.5 * distance, rtol=1e-9)
    # equal concentrations only change along a line that x → 1 − x keeps: an integral
    expected = scipy.integrate.quad(
        lambda u: np.sqrt(2.0 * excess_curvature(np.exp(u)) - excess_curvature(2.0 * np.exp(u))),
        np.log(1e-4),
        np.log(1e6),
        epsrel=1e-13,
        limit=200,
    )[0]
    np.testing.assert_allclose(distance[2], expected, rtol=1e-12)


def test_beta_is_dirichlet_of_two_and_turns_about():
    p, q = generic(ig.Beta, 213)
    distance = ig.fisher_rao_distance(p, q)
    dirichlet = [ig.Dirichlet(r.source) for r in (p, q)]
    np.testing.assert_allclose(ig.fisher_rao_distance(*dirichlet), distance, rtol=1e-14)
    turned = [ig.Beta(r.b, r.a) for r in (p, q)]
    np.testing.assert_allclose(ig.fisher_rao_distance(*turned), distance, rtol=1e-13)


def test_isometries():
    p, q = generic(ig.Gamma, 214)
    unit = 10.0 ** np.random.default_rng(215).uniform(-50, 50, 15)
    moved = [ig.Gamma(r.shape_parameter, unit * r.rate) for r in (p, q)]
    np.testing.assert_allclose(ig.fisher_rao_distance(*moved), ig.fisher_rao_distance(p, q), rtol=1e-12)
    p, q = generic(ig.Dirichlet, 216)
    order = [2, 0, 1]
    moved = [ig.Dirichlet(r.concentration[:, order]) for r in (p, q)]
    np.testing.assert_allclose(ig.fisher_rao_distance(*moved), ig.fisher_rao_distance(p, q), rtol=1e-13)


# -- charts ------------------------------------------------------------------------------------------------


@for_families
def test_the_metric_of_the_chart_is_the_fisher_matrix(family):
    p, q = generic(family, 217)
    chart = family.fisher_rao_chart
    k = p.dimension
    columns = np.stack(
        [chart.velocity(p, np.broadcast_to(row, p.source.shape)) for row in np.eye(k)], axis=-1
    )
    carried = np.einsum("nai,nab,nbj->nij", columns, chart.manifold.metric(chart.coordinates(p)), columns)
    np.testing.assert_allclose(carried, p.fisher(), rtol=1e-10, atol=1e-11 * np.max(np.abs(p.fisher())))
    np.testing.assert_allclose(
        chart.coordinates(p) + chart.step(p, q), chart.coordinates(q), rtol=1e-13, atol=1e-14
    )
    np.testing.assert_allclose(chart.moved(p, chart.step(p, q)), q.source, rtol=1e-13)
    numeric = ig.RiemannianManifold(chart.manifold._given_metric)
    points = chart.coordinates(p)
    np.testing.assert_allclose(
        chart.manifold.derivative(points), numeric.derivative(points), atol=1e-11 * np.exp(3)
    )


def test_the_slope_of_the_excess_curvature():
    for x in (1e-8, 1e-3, 0.5, 3.0, 7.99, 8.01, 50.0, 1e6):
        y = mpmath.mpf(x)
        exact = 2 * y**2 * mpmath.polygamma(1, y) + y**3 * mpmath.polygamma(2, y) - y
        assert abs(excess_curvature_slope(np.float64(x)) - exact) < 1e-14 * min(1.0, x)


# -- geodesics from a point --------------------------------------------------------------------------------


@for_families
def test_geodesics_go_as_far_as_the_velocity_is_long(family):
    p, other = generic(family, 218)
    velocity = p.source * np.log(other.source / p.source)
    length = np.sqrt(p.squared_speed(velocity, "source"))
    chart = family.fisher_rao_chart
    start = chart.coordinates(p)
    path = chart.manifold.geodesic(start, chart.velocity(p, velocity))

    def along(t):
        return family.from_source(chart.moved(p, path(t) - start))

    q = along(1.0)
    np.testing.assert_allclose(ig.fisher_rao_distance(p, q), length, rtol=1e-10)
    times = np.array([-0.5, 0.0, 0.3, 1.0])
    np.testing.assert_allclose(along(times).source, ig.geodesic(p, q)(times).source, rtol=1e-9)
    # a velocity of another sign or in another chart would not start along it
    step = 1e-5
    near = along([step, -step])
    np.testing.assert_allclose((near[0].source - near[1].source) / (2 * step), velocity, rtol=1e-7, atol=1e-8)


# -- refusals ----------------------------------------------------------------------------------------------


def test_what_is_out_of_reach_is_an_error():
    p, q = ig.Gamma([1.0, 1e300], [1.0, 1.0]), ig.Gamma([2.0, 1e300], [3.0, 1e300])
    with pytest.raises(
        ArithmeticError, match=r"fisher_rao_distance: no shortest path was found .* at index \(1,\)"
    ):
        ig.fisher_rao_distance(p, q)
    with pytest.raises(ArithmeticError, match="geodesic: no shortest path was found"):
        ig.geodesic(p, q)
