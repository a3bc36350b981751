"""Laws that hold for every family in the registry, each checked at generic points."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import sympy

import igviz as ig
from tests.geometry.family import Family
from tests.geometry.registry import FAMILIES

SAMPLES = 40_000
DUAL = ("natural", "expectation")


def is_exponential(family):
    return issubclass(family.cls, ig.ExponentialFamily)


def kinds_of(family):
    """The geodesics that a family has."""
    return ("fisher-rao",) * family.measured + DUAL * is_exponential(family)


def points_of(families):
    return [
        pytest.param(family, point, id=f"{family.name}-{label}")
        for family in families
        for label, point in family.points.items()
    ]


EXPONENTIAL = [family for family in FAMILIES if is_exponential(family)]
MEASURED = [family for family in FAMILIES if family.measured]

at_points = pytest.mark.parametrize(("family", "p"), points_of(FAMILIES))
at_exponential_points = pytest.mark.parametrize(("family", "p"), points_of(EXPONENTIAL))
in_charts = pytest.mark.parametrize(
    ("family", "p", "chart"),
    [
        pytest.param(family, point, chart, id=f"{family.name}-{label}-{chart}")
        for family in FAMILIES
        for label, point in family.points.items()
        for chart in family.cls.charts
    ],
)
for_families = pytest.mark.parametrize("family", [pytest.param(f, id=f.name) for f in FAMILIES])
for_exponential = pytest.mark.parametrize("family", [pytest.param(f, id=f.name) for f in EXPONENTIAL])
for_measured = pytest.mark.parametrize("family", [pytest.param(f, id=f.name) for f in MEASURED])
for_paths = pytest.mark.parametrize(
    ("family", "kind"),
    [pytest.param(f, kind, id=f"{f.name}-{kind}") for f in FAMILIES for kind in kinds_of(f)],
)


def close(actual, expected, rtol=1e-12, atol=0.0):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)


def matrix_close(actual, expected, tolerance):
    """Entries agree relative to the geometric mean of the two diagonal entries: the scale of the chart."""
    assert np.shape(actual) == np.shape(expected)
    root = np.sqrt(np.diagonal(expected, axis1=-2, axis2=-1))
    scale = root[..., :, None] * root[..., None, :]
    assert np.max(np.abs(actual - expected) / scale) < tolerance


def steps(p, chart, size):
    """Central-difference neighbours of p along each coordinate of a chart, scaled by the metric there."""
    centre = p.coordinates(chart)
    lengths = size / np.sqrt(np.diagonal(p.fisher(chart), axis1=-2, axis2=-1))
    for i in range(p.dimension):
        shift = np.zeros_like(centre)
        shift[..., i] = lengths[..., i]
        # the step that was really taken, after rounding
        up, down = centre + shift, centre - shift
        yield (
            p.with_coordinates(up, chart),
            p.with_coordinates(down, chart),
            (up - down)[..., i],
        )


def score(family, p, x, chart):
    """Score independent of the package's, shape (*x.shape, k); where differences fail, the package's."""
    return p.score(x, chart) if family.kinks else by_differences(p, x, chart)


def by_differences(p, x, chart):
    """Score by central differences of the log-density, shape (*x.shape, k)."""
    columns = []
    for (up, down, gap), (up2, down2, gap2) in zip(steps(p, chart, 1e-3), steps(p, chart, 2e-3), strict=True):
        near = (up.log_prob(x) - down.log_prob(x)) / gap
        far = (up2.log_prob(x) - down2.log_prob(x)) / gap2
        columns.append((4.0 * near - far) / 3.0)
    return np.stack(columns, axis=-1)


def monte_carlo(values, expected):
    """The mean over the first axis is within 5 standard errors of what is expected."""
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    rounding = 1e-12 + 1e-11 * np.abs(expected)
    assert np.all(np.abs(values.mean(axis=0) - expected) <= 5.0 * error + rounding)


# -- densities -------------------------------------------------------------------------------------------


@at_points
def test_log_prob_is_scipys(family: Family, p):
    x = p.sample(50, np.random.default_rng(1))
    close(p.log_prob(x), family.scipy(p).log_prob(x), rtol=1e-12, atol=1e-12)
    close(p.pdf(x), np.exp(p.log_prob(x)))


@at_exponential_points
def test_log_prob_is_the_exponential_form(family: Family, p):
    x = p.sample(50, np.random.default_rng(2))
    inner = sum(p.natural[..., i] * p.sufficient_statistics(x)[..., i] for i in range(p.dimension))
    close(p.log_prob(x), p.log_base_measure(x) + inner - p.log_partition(), rtol=1e-11, atol=1e-11)


@at_exponential_points
def test_generic_log_prob_and_entropy_agree_with_the_closed_forms(family: Family, p):
    x = p.sample(50, np.random.default_rng(3))
    close(ig.ExponentialFamily.log_prob(p, x), p.log_prob(x), rtol=1e-11, atol=1e-11)
    close(ig.ExponentialFamily.entropy(p), p.entropy(), rtol=1e-11, atol=1e-11)


@at_points
def test_mass_is_one(family: Family, p):
    close(family.mean_under(p, lambda x: np.ones_like(p.log_prob(x))), np.ones(p.shape))


@at_points
def test_entropy(family: Family, p):
    close(p.entropy(), family.scipy(p).entropy, rtol=1e-12, atol=1e-13)
    close(p.entropy(), family.mean_under(p, lambda x: -p.log_prob(x)), rtol=1e-11, atol=1e-12)
    monte_carlo(-p.log_prob(p.sample(SAMPLES, np.random.default_rng(4))), p.entropy())


@at_points
def test_samples_follow_the_density(family: Family, p):
    x = p.sample(SAMPLES, np.random.default_rng(5))
    assert x.shape[: 1 + len(p.shape)] == (SAMPLES, *p.shape)
    assert p.log_prob(x).shape == (SAMPLES, *p.shape)
    monte_carlo(np.sqrt(p.pdf(x)), family.mean_under(p, lambda x: np.sqrt(p.pdf(x))))


@at_exponential_points
def test_samples_have_the_expectation_parameters(family: Family, p):
    monte_carlo(p.sufficient_statistics(p.sample(SAMPLES, np.random.default_rng(5))), p.expectation)


# -- charts ----------------------------------------------------------------------------------------------


@in_charts
def test_coordinates_round_trip(family: Family, p, chart):
    coordinates = p.coordinates(chart)
    assert coordinates.shape == (*p.shape, p.dimension)
    back = p.with_coordinates(coordinates, chart)
    close(back.source, p.source, rtol=1e-12)
    fixed = {name: getattr(p, name) for name in p._fixed}
    assert family.cls.from_coordinates(coordinates, chart, **fixed) == back
    assert getattr(family.cls, f"from_{chart}")(coordinates, **fixed) == back


@at_exponential_points
def test_expectation_is_the_mean_of_the_sufficient_statistics(family: Family, p):
    close(p.expectation, family.mean_under(p, p.sufficient_statistics), rtol=1e-12, atol=1e-12)


@at_exponential_points
def test_expectation_is_the_gradient_of_the_log_partition(family: Family, p):
    slopes = [
        (4 * (a.log_partition() - b.log_partition()) / gap - (c.log_partition() - d.log_partition()) / wide)
        / 3
        for (a, b, gap), (c, d, wide) in zip(
            steps(p, "natural", 1e-3), steps(p, "natural", 2e-3), strict=True
        )
    ]
    close(np.stack(slopes, axis=-1), p.expectation, rtol=1e-8)


@at_exponential_points
@pytest.mark.parametrize("old", ("source", "natural", "expectation"))
@pytest.mark.parametrize("new", ("source", "natural", "expectation"))
def test_change_of_chart(family: Family, p, old, new):
    jacobian = p.jacobian(old, new)
    columns = [
        (up.coordinates(old) - down.coordinates(old)) / gap[..., None]
        for up, down, gap in steps(p, new, 1e-5)
    ]
    scale = np.max(np.abs(jacobian), axis=(-2, -1), keepdims=True)
    close(np.stack(columns, axis=-1) / scale, jacobian / scale, rtol=0, atol=1e-7)
    carried = np.einsum("...ji,...jk,...kl->...il", jacobian, p.fisher(old), jacobian)
    matrix_close(carried, p.fisher(new), 1e-9)


# -- the Fisher matrix -----------------------------------------------------------------------------------


@in_charts
def test_fisher_is_the_quadrature_of_the_scores_outer_product(family: Family, p, chart):
    def outer(x):
        s = score(family, p, x, chart)
        return s[..., :, None] * s[..., None, :]

    matrix_close(family.mean_under(p, outer), p.fisher(chart), 1e-7)


@in_charts
def test_fisher_is_the_monte_carlo_mean(family: Family, p, chart):
    s = score(family, p, p.sample(SAMPLES, np.random.default_rng(6)), chart)
    monte_carlo(s, 0.0)
    # differences carry a bias of their own, which shows where the score has hardly any spread
    bias = 0.0 if family.kinks else 1e-7
    monte_carlo(s[..., :, None] * s[..., None, :], p.fisher(chart) * (1 + bias))


@at_exponential_points
def test_natural_fisher_is_the_hessian_of_the_log_partition(family: Family, p):
    columns = [
        (up.expectation - down.expectation) / gap[..., None] for up, down, gap in steps(p, "natural", 1e-5)
    ]
    matrix_close(np.stack(columns, axis=-1), p.fisher("natural"), 1e-7)

    curvature = []
    for i, (up, down, gap) in enumerate(steps(p, "natural", 1e-3)):
        second = up.log_partition() - 2 * p.log_partition() + down.log_partition()
        curvature.append(second / (0.5 * gap) ** 2 / p.fisher("natural")[..., i, i])
    close(np.stack(curvature, axis=-1), 1.0, rtol=1e-5)


@at_exponential_points
def test_natural_and_expectation_fisher_are_inverses(family: Family, p):
    product = p.fisher("natural") @ p.fisher("expectation")
    identity = np.broadcast_to(np.eye(p.dimension), product.shape)
    size = np.abs(p.fisher("natural")) @ np.abs(p.fisher("expectation"))
    assert np.max(np.abs(product - identity) / np.maximum(size, 1.0)) < 1e-14


@at_exponential_points
def test_generic_fisher_agrees_with_the_closed_forms(family: Family, p):
    matrix_close(ig.ExponentialFamily._fisher_source(p), p.fisher("source"), 1e-10)
    matrix_close(ig.ExponentialFamily._fisher_expectation(p), p.fisher("expectation"), 1e-9)


@pytest.mark.parametrize(("family", "p"), points_of([f for f in FAMILIES if hasattr(f.cls, "score")]))
def test_score_is_the_gradient_of_the_log_density(family: Family, p):
    x = p.sample(200, np.random.default_rng(25))
    for chart in family.cls.charts:
        value = p.score(x, chart)
        scale = np.sqrt(np.diagonal(p.fisher(chart), axis1=-2, axis2=-1))
        numeric = by_differences(p, x, chart) / scale
        wrong = np.abs(value / scale - numeric) > 1e-8 * (1.0 + np.abs(numeric))
        # a difference may reach over a corner
        assert np.mean(wrong) < 0.01 if family.kinks else not np.any(wrong)


@at_points
def test_fisher_is_symmetric_positive_definite_and_shaped(family: Family, p):
    for chart in family.cls.charts:
        fisher = p.fisher(chart)
        assert fisher.shape == (*p.shape, p.dimension, p.dimension)
        assert np.array_equal(fisher, np.swapaxes(fisher, -1, -2))
        assert np.all(np.linalg.eigvalsh(fisher) > 0)


@for_families
def test_fisher_is_what_sympy_derives(family: Family):
    s = family.symbolic
    scores = [sympy.diff(s.log_density, parameter) for parameter in s.parameters]
    assert all(s.expect(entry) == 0 for entry in scores)
    derived = sympy.Matrix([[s.expect(a * b) for b in scores] for a in scores])
    if not family.kinks:
        hessian = -sympy.hessian(s.log_density, s.parameters).applyfunc(s.expect)
        assert sympy.simplify(derived - hessian) == sympy.zeros(*derived.shape)
    evaluate = sympy.lambdify(s.parameters, derived, "scipy")
    p, _ = family.pair(seed=7)
    assert p.dimension == len(s.parameters)
    expected = np.array([evaluate(*row) for row in p.source], dtype=float)
    matrix_close(p.fisher("source"), expected, 1e-12)


# -- Kullback–Leibler ------------------------------------------------------------------------------------


@for_families
def test_kl_is_quadrature_and_monte_carlo(family: Family):
    p, q = family.pair(seed=8)
    divergence = p.kl(q)
    quadrature = family.mean_under(p, lambda x: p.log_prob(x) - q.log_prob(x), q)
    close(divergence, quadrature, rtol=1e-10, atol=1e-11)
    x = p.sample(SAMPLES, np.random.default_rng(9))
    monte_carlo(p.log_prob(x) - q.log_prob(x), divergence)


@for_exponential
def test_kl_is_bregman(family: Family):
    p, q = family.pair(seed=8)
    divergence = p.kl(q)
    # B_A(η′, η) with η of p and η′ of q, term by term
    bregman = q.log_partition() - p.log_partition() - np.sum((q.natural - p.natural) * p.expectation, axis=-1)
    close(divergence, bregman, rtol=1e-10, atol=1e-10)
    close(divergence, ig.ExponentialFamily.kl(p, q), rtol=1e-10, atol=1e-10)


@for_families
def test_kl_has_a_direction_and_vanishes_only_at_home(family: Family):
    p, q = family.pair(seed=10)
    assert np.all(p.kl(q) > 0)
    assert np.all(p.kl(p) == 0)
    if family.symmetric:
        close(p.kl(q), q.kl(p), rtol=1e-14)
    else:
        assert np.median(np.abs(p.kl(q) - q.kl(p))) > 1e-3


@for_measured
def test_kl_up_close_is_half_the_squared_distance(family: Family):
    p, q = family.grids(seed=11)
    near = ig.geodesic(p, q)(1e-4)
    squared = ig.fisher_rao_distance(p, near) ** 2
    close(p.kl(near), 0.5 * squared, rtol=1e-2)
    # the cubic terms of the two directions cancel on a geodesic, so the average is better by one order;
    # a corner leaves a term with the cube of the absolute step
    close(0.5 * (p.kl(near) + near.kl(p)), 0.5 * squared, rtol=1e-3 if family.kinks else 1e-5)
    step = near.source - p.source
    close(np.einsum("ni,nij,nj->n", step, p.fisher(), step), squared, rtol=1e-2)


# -- distances and geodesics -----------------------------------------------------------------------------


@for_measured
def test_distance_is_a_metric(family: Family):
    p, q, r = family.grids(seed=12, count=3)
    d = ig.fisher_rao_distance
    assert np.all(d(p, q) > 0)
    assert np.all(d(p, p) == 0)
    close(d(p, q), d(q, p), rtol=1e-14)
    assert np.all(d(p, r) <= d(p, q) + d(q, r) + 1e-13)


@for_paths
def test_geodesics_end_where_they_should(family: Family, kind):
    p, q = family.grids(seed=14)
    path = ig.geodesic(p, q, kind)
    ends = path([0.0, 1.0])
    assert ends.shape == (2, *p.shape)
    close(ends[0].source, p.source, rtol=1e-12, atol=1e-12)
    close(ends[1].source, q.source, rtol=1e-12, atol=1e-12)


@for_measured
def test_fisher_rao_geodesics_have_constant_speed_and_the_distance_as_length(family: Family):
    p, q = family.grids(seed=15)
    path = ig.geodesic(p, q)
    total = ig.fisher_rao_distance(p, q)
    close(path.length(), total, rtol=1e-10)
    # distances along the path are differences of t
    times = np.array([0.0, 0.13, 0.4, 0.55, 0.91, 1.0])
    points = path(times)
    for i, j in [(0, 2), (1, 3), (2, 4), (3, 5), (1, 2)]:
        close(ig.fisher_rao_distance(points[i], points[j]), (times[j] - times[i]) * total, rtol=1e-11)


@for_measured
def test_fisher_rao_length_is_the_naive_sum_of_short_chords(family: Family):
    p, q = family.grids(seed=16, shape=(6,))
    path = ig.geodesic(p, q)
    times = np.linspace(0.0, 1.0, 4001)
    points = path(times)
    middle = path(0.5 * (times[1:] + times[:-1]))
    steps_taken = np.diff(points.source, axis=0)
    chords = np.sqrt(np.einsum("tni,tnij,tnj->tn", steps_taken, middle.fisher(), steps_taken))
    close(chords, np.broadcast_to(chords.mean(axis=0), chords.shape), rtol=1e-5)
    close(chords.sum(axis=0), ig.fisher_rao_distance(p, q), rtol=1e-6)


@for_exponential
@pytest.mark.parametrize("kind", DUAL)
def test_dual_geodesics_are_straight_in_their_chart(family: Family, kind):
    p, q = family.pair(seed=17)
    times = np.array([0.2, 0.5, 0.9])
    along = ig.geodesic(p, q, kind)(times).coordinates(kind)
    start, end = p.coordinates(kind), q.coordinates(kind)
    t = times[:, None, None]
    size = np.abs(start) + np.abs(end)
    close(along / size, (start + t * (end - start)) / size, rtol=0, atol=1e-13)


@pytest.mark.parametrize("family", [pytest.param(f, id=f.name) for f in EXPONENTIAL if f in MEASURED])
@pytest.mark.parametrize("kind", DUAL)
def test_no_path_is_shorter_than_the_distance(family: Family, kind):
    p, q = family.grids(seed=18)
    path = ig.geodesic(p, q, kind)
    length = path.length()
    assert np.all(length >= ig.fisher_rao_distance(p, q) * (1 - 1e-9))
    # the same length as a naive sum in another chart
    points = path(np.linspace(0.0, 1.0, 8001))
    chords = np.diff(points.source, axis=0)
    middles = family.cls.from_source(points.source[:-1] + 0.5 * chords)
    naive = np.sqrt(np.einsum("tni,tnij,tnj->tn", chords, middles.fisher(), chords)).sum(axis=0)
    close(length, naive, rtol=1e-5)


@for_paths
def test_paths_from_a_point_to_itself_rest(family: Family, kind):
    p, _ = family.pair(seed=19)
    path = ig.geodesic(p, p, kind)
    close(path([0.0, 0.3, 1.0]).source, np.broadcast_to(p.source, (3, *p.source.shape)), rtol=1e-13)
    close(path.length(), 0.0, atol=1e-12)


# -- one object for a grid -------------------------------------------------------------------------------


@for_families
def test_vectorised_methods_are_the_scalar_loop(family: Family):
    many, few = (4, 2) if family.numeric else (12, 5)
    p, q = family.grids(seed=20, shape=(many,))
    p, q = p[:, None], q[None, :few]
    x = p.sample(1, np.random.default_rng(21))[0]
    path = {kind: ig.geodesic(p, q, kind) for kind in kinds_of(family)}
    times = np.array([0.25, 0.75])
    divergences = p.kl(q)
    distances = ig.fisher_rao_distance(p, q) if family.measured else None
    for i in range(many):
        a = p[i, 0]
        assert a.shape == ()
        close(p.log_prob(x)[i, 0], a.log_prob(x[i, 0]), rtol=1e-14)
        close(p.pdf(x)[i, 0], a.pdf(x[i, 0]), rtol=1e-14)
        close(p.entropy()[i, 0], a.entropy(), rtol=1e-14)
        if is_exponential(family):
            close(p.log_partition()[i, 0], a.log_partition(), rtol=1e-14)
        for chart in family.cls.charts:
            close(p.coordinates(chart)[i, 0], a.coordinates(chart), rtol=1e-14)
            close(p.fisher(chart)[i, 0], a.fisher(chart), rtol=1e-14)
        for j in range(few):
            b = q[0, j]
            close(divergences[i, j], a.kl(b), rtol=1e-14)
            if distances is not None:
                close(distances[i, j], ig.fisher_rao_distance(a, b), rtol=1e-14)
            for kind, grid in path.items():
                alone = ig.geodesic(a, b, kind)(times)
                close(grid(times).source[:, i, j], alone.source, rtol=1e-13, atol=1e-15)


@for_families
def test_results_for_one_distribution_format_as_numbers(family: Family):
    p, q = family.grids(seed=24, shape=())
    x = p.sample(1, np.random.default_rng(22))[0]
    results = [p.entropy(), p.kl(q), p.log_prob(x), p.pdf(x)]
    results += [ig.geodesic(p, q, kind).length() for kind in kinds_of(family)]
    if is_exponential(family):
        results += [p.log_partition(), p.log_base_measure(x)]
    if family.measured:
        results.append(ig.fisher_rao_distance(p, q))
    for value in results:
        assert isinstance(value, np.float64)
        assert f"{value:.3f}"


@at_points
def test_indexing_is_numpys(family: Family, p):
    indices = np.arange(int(np.prod(p.shape))).reshape(p.shape)
    trials = [(), (Ellipsis,), (None,)]
    trials += [(0,), (slice(None, None, -1),), (Ellipsis, -1), (indices > 0,)] if p.shape else []
    for index in trials:
        part = p[index]
        assert part.shape == indices[index].shape
        close(part.source, p.source.reshape(-1, p.dimension)[indices[index]], rtol=0)
    if p.shape:
        assert [part.shape for part in p] == [p.shape[1:]] * p.shape[0]
        with pytest.raises(IndexError):
            p[99]
    else:
        with pytest.raises(TypeError, match="not a grid"):
            iter(p)
        with pytest.raises(IndexError):
            p[0]


@at_points
def test_equality_and_hash_go_by_parameters(family: Family, p):
    twin = family.cls(*(getattr(p, field.name) for field in dataclasses.fields(p)))
    assert twin == p and hash(twin) == hash(p) and twin is not p
    chart = "natural" if is_exponential(family) else "source"
    assert p.with_coordinates(1.01 * p.coordinates(chart), chart) != p
    assert p != "something else"


def test_both_zeros_are_one_parameter():
    assert ig.Normal(0.0, 1.0) == ig.Normal(-0.0, 1.0)
    assert hash(ig.Normal(0.0, 1.0)) == hash(ig.Normal(-0.0, 1.0))
    assert ig.Normal(0.0, 1.0) != ig.Normal([0.0], 1.0)


@at_points
def test_parameters_are_read_only_copies(family: Family, p):
    for name in (field.name for field in dataclasses.fields(p)):
        stored = getattr(p, name)
        assert stored.dtype == np.float64 and stored.shape[: len(p.shape)] == p.shape
        with pytest.raises(ValueError, match="read-only"):
            stored[...] = 0.5
        with pytest.raises(AttributeError):
            setattr(p, name, 0.5)


@at_points
def test_repr_rebuilds_the_distribution(family: Family, p):
    if p.shape == ():
        assert eval(repr(p), {family.name: family.cls}) == p
    assert repr(p).startswith(f"{family.name}(")


@at_points
def test_samples_are_reproducible(family: Family, p):
    first, second = (p.sample(7, np.random.default_rng(23)) for _ in range(2))
    assert np.array_equal(first, second)
    assert p.sample(0, np.random.default_rng(0)).shape == (0, *first.shape[1:])
