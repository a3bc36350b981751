"""Expected, observed, Monte Carlo and empirical Fisher matrices: where they agree and where they part."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate
import sympy

import igviz as ig
from igviz.geometry.fisher import empirical_fisher, expected_fisher, monte_carlo_fisher, observed_fisher
from tests.geometry.registry import EXPONENTIAL, EXPONENTIAL_IDS, FAMILIES, FAMILY_IDS

CHARTS = [(family, chart) for family in FAMILIES for chart in family.cls.charts]
for_charts = pytest.mark.parametrize(
    ("family", "chart"), CHARTS, ids=[f"{family.name}-{chart}" for family, chart in CHARTS]
)
for_families = pytest.mark.parametrize("family", FAMILIES, ids=FAMILY_IDS)
AT_DATA = [empirical_fisher, observed_fisher]


def all_four(p, data, chart="source", scaling="sum"):
    n = len(data)
    return {
        "expected": expected_fisher(p, n, chart, scaling),
        "observed": observed_fisher(p, data, chart, scaling),
        "Monte Carlo": monte_carlo_fisher(p, n, np.random.default_rng(1), chart, scaling),
        "empirical": empirical_fisher(p, data, chart, scaling),
    }


def assert_mean(batches, expected):
    """The mean over the first axis is as expected, within 5 standard errors."""
    error = batches.std(axis=0) / np.sqrt(len(batches))
    assert np.all(np.abs(batches.mean(axis=0) - expected) <= 5 * error + 1e-12 * np.max(np.abs(expected)))


def smooth(family):
    """What the mean of −∇² log p is, beside the Fisher matrix: a corner takes its share away."""
    return np.array([[0.0, 0.0], [0.0, 1.0]]) if family.kinks else 1.0


@for_charts
def test_on_the_models_own_data_all_have_the_same_mean(family, chart):
    p, batches, n = family.points["single"], 150, 60
    rng = np.random.default_rng(17)
    data = p.sample(n * batches, rng)
    data = data.reshape(n, batches, *data.shape[1:])
    expected = expected_fisher(p, n, chart)
    np.testing.assert_allclose(expected, n * p.fisher(chart), rtol=1e-15)
    assert_mean(empirical_fisher(p, data, chart), expected)
    assert_mean(observed_fisher(p, data, chart), expected * smooth(family))
    monte_carlo = np.array([monte_carlo_fisher(p, n, rng, chart) for _ in range(batches)])
    assert_mean(monte_carlo, expected)


@pytest.mark.parametrize("family", EXPONENTIAL, ids=EXPONENTIAL_IDS)
def test_in_the_natural_chart_observed_is_expected_at_any_data(family):
    for p in family.points.values():
        other = family.random(np.random.default_rng(4), ())
        if other.dimension != p.dimension:
            other = p[(0,) * len(p.shape)]
        data = other.sample(7, np.random.default_rng(5)).reshape(
            7, *(1,) * len(p.shape), *np.shape(other.sample(1, np.random.default_rng(0)))[1:]
        )
        np.testing.assert_array_equal(observed_fisher(p, data, "natural"), expected_fisher(p, 7, "natural"))


@for_charts
def test_observed_is_minus_the_derivative_of_the_score(family, chart):
    for p in family.points.values():
        data = p.sample(4, np.random.default_rng(6))
        unit = 1.0 / np.sqrt(np.diagonal(p.fisher(chart), axis1=-2, axis2=-1))
        observed = observed_fisher(p, data, chart)
        for i, axis in enumerate(np.eye(p.dimension)):
            step = 2e-4 * unit * axis

            def total(fraction, p=p, data=data, step=step):
                moved = p.with_coordinates(p.coordinates(chart) + fraction * step, chart)
                return np.sum(moved.score(data, chart), axis=0)

            slope = 8 * (total(1) - total(-1)) - (total(2) - total(-2))
            column = -slope / (12 * 2e-4 * unit[..., i : i + 1])
            scale = np.max(np.abs(observed))
            np.testing.assert_allclose(observed[..., i] / scale, column / scale, atol=3e-8)


@for_families
def test_observed_against_sympy(family):
    symbolic = family.symbolic
    value = symbolic.value if isinstance(symbolic.value, tuple) else (symbolic.value,)
    members = [p[(0,) * len(p.shape)] for p in family.points.values()]
    p = next((p for p in members if p.dimension == len(symbolic.parameters)), None)
    if p is None or family.kinks:
        pytest.skip("SymPy knows another number of parameters, or differentiates a corner to a delta")
    hessian = sympy.hessian(symbolic.log_density, symbolic.parameters)
    data = p.sample(3, np.random.default_rng(8))
    expected = np.zeros((p.dimension, p.dimension))
    for x in data:
        numbers = dict(zip(value, np.atleast_1d(x).tolist(), strict=False))
        numbers |= dict(zip(symbolic.parameters, p.source.tolist(), strict=True))
        expected -= np.array(hessian.evalf(30, subs=numbers).tolist(), dtype=float)
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(observed_fisher(p, data) / scale, expected / scale, atol=1e-9)


def test_closed_forms_of_the_observed_matrix():
    x = np.array([0.3, -1.2, 2.6, 4.4])
    mean, std = 1.1, 1.7
    gap = x - mean
    mixed = 2 * gap.sum() / std**3
    expected = [[4 / std**2, mixed], [mixed, 3 * (gap**2).sum() / std**4 - 4 / std**2]]
    np.testing.assert_allclose(observed_fisher(ig.Normal(mean, std), x), expected, rtol=1e-9)
    z = gap / std
    location = 2 * np.sum((1 - z**2) / (1 + z**2) ** 2) / std**2
    np.testing.assert_allclose(observed_fisher(ig.Cauchy(mean, std), x)[0, 0], location, rtol=1e-13)
    for rate, counts in ((1e-6, [0, 3, 5]), (2.3, [4, 0, 1]), (4e5, [399_000, 400_321, 401_234])):
        expected = np.sum(counts) / rate**2
        np.testing.assert_allclose(observed_fisher(ig.Poisson(rate), counts), [[expected]], rtol=1e-9)
    for probability in (1e-8, 0.31, 0.9995):
        y = np.array([1.0, 0.0, 1.0])
        expected = 2 / probability**2 + 1 / (1 - probability) ** 2
        np.testing.assert_allclose(observed_fisher(ig.Bernoulli(probability), y), [[expected]], rtol=1e-9)


def test_observed_where_everything_is_small_or_large():
    for mean, std in ((2e-7, 3e-8), (-4e6, 5e5), (1e6, 1e-2)):
        data = mean + std * np.array([0.4, -1.3, 2.2])
        observed = observed_fisher(ig.Normal(mean, std), data) * std**2
        gap = np.array([0.4, -1.3, 2.2])
        expected = [[3, 2 * gap.sum()], [2 * gap.sum(), 3 * (gap**2).sum() - 3]]
        np.testing.assert_allclose(observed, expected, rtol=1e-8)


def test_cauchy_observed_may_be_negative_and_expected_is_a_half():
    p = ig.Cauchy(0.4, 1.3)
    far = 0.4 + 1.3 * np.array([-2.5, 1.8, 3.0])
    assert observed_fisher(p, far)[0, 0] < 0.0
    assert empirical_fisher(p, far)[0, 0] > 0.0
    np.testing.assert_allclose(expected_fisher(p, 3)[0, 0], 3 / (2 * 1.3**2), rtol=1e-15)
    np.testing.assert_allclose(expected_fisher(p, 3, scaling="mean")[0, 0], 1 / (2 * 1.3**2), rtol=1e-15)


@for_charts
def test_the_sum_is_n_times_the_mean(family, chart):
    p = family.points["row"]
    data = p.sample(9, np.random.default_rng(2))
    means = all_four(p, data, chart, "mean")
    for name, total in all_four(p, data, chart, "sum").items():
        np.testing.assert_allclose(total, 9 * means[name], rtol=1e-13, atol=1e-300)
        default = all_four(p, data, chart)[name]
        np.testing.assert_array_equal(default, total)


@for_charts
@pytest.mark.parametrize("label", ["single", "row", "grid"])
def test_shapes_and_grids(family, chart, label):
    p = family.points[label]
    data = p.sample(5, np.random.default_rng(3))
    k = p.dimension
    for matrix in all_four(p, data, chart).values():
        assert matrix.shape == (*p.shape, k, k)
        np.testing.assert_allclose(matrix, np.swapaxes(matrix, -1, -2), rtol=1e-13, atol=1e-300)
    for function in AT_DATA:
        for i in np.ndindex(p.shape):
            alone = function(p[i], data[(slice(None), *i)], chart)
            np.testing.assert_allclose(
                function(p, data, chart)[i], alone, rtol=1e-9, atol=1e-12 * np.max(np.abs(alone))
            )


@for_families
def test_the_same_data_serve_a_whole_grid(family):
    p = family.points["row"]
    data = p[0].sample(6, np.random.default_rng(9))
    for function in AT_DATA:
        together = function(p, data)
        assert together.shape == (*p.shape, p.dimension, p.dimension)
        for i in range(len(together)):
            alone = function(p[i], data)
            np.testing.assert_allclose(together[i], alone, rtol=1e-9, atol=1e-12 * np.max(np.abs(alone)))


def test_data_may_have_axes_that_the_grid_has_not():
    p = ig.Normal([0.4, -1.0, 2.0], [1.0, 0.5, 3.0])
    data = np.random.default_rng(0).normal(size=(8, 5, 3))
    for chart in p.charts:
        for function in AT_DATA:
            matrices = function(p, data, chart)
            assert matrices.shape == (5, 3, 2, 2)
            np.testing.assert_allclose(matrices[2], function(p, data[:, 2], chart), rtol=1e-12)


@pytest.mark.parametrize("family", EXPONENTIAL, ids=EXPONENTIAL_IDS)
def test_under_a_change_of_chart_scores_turn_by_the_jacobian_but_the_observed_matrix_does_not(family):
    p = family.points["single"]
    data = p.sample(3, np.random.default_rng(13))
    for new in ("source", "expectation"):
        jacobian = p.jacobian("natural", new)
        turned = jacobian.T @ empirical_fisher(p, data, "natural") @ jacobian
        scale = np.max(np.abs(turned))
        np.testing.assert_allclose(empirical_fisher(p, data, new) / scale, turned / scale, atol=1e-10)
        bent = observed_fisher(p, data, new) - jacobian.T @ observed_fisher(p, data, "natural") @ jacobian
        affine = new == "source" and family.name in ("Exponential", "Gamma", "Beta", "Dirichlet")
        assert (np.max(np.abs(bent)) < 1e-9 * scale) == affine


def test_at_the_maximum_of_the_likelihood_the_observed_matrix_turns_by_the_jacobian():
    data = np.array([0.3, -1.2, 2.6, 4.4])
    p = ig.Normal(data.mean(), data.std())
    for chart in p.charts:
        np.testing.assert_allclose(
            observed_fisher(p, data, chart), expected_fisher(p, 4, chart), rtol=1e-9, atol=1e-9
        )


def test_data_of_another_kind_part_the_four_for_ever():
    # normal data under a Cauchy model: the limits per datum are integrals over the data's distribution
    truth, model, n = ig.Normal(0.2, 1.0), ig.Cauchy(0.2, 1.0), 200_000
    data = truth.sample(n, np.random.default_rng(21))

    def limit(values):
        return scipy.integrate.quad_vec(lambda x: values(x) * truth.pdf(x), -np.inf, np.inf)[0]

    def outer(x):
        return model.score(x)[..., :, None] * model.score(x)[..., None, :]

    limits = {"empirical": limit(outer), "observed": limit(lambda x: -model.hessian_log_prob(x))}
    spread = {"empirical": outer(data), "observed": -model.hessian_log_prob(data)}
    matrices = all_four(model, data, scaling="mean")
    for name, expected in limits.items():
        error = spread[name].std(axis=0) / np.sqrt(n)
        assert np.all(np.abs(matrices[name] - expected) < 5 * error)
        assert abs(expected[0, 0] - 0.5) > 50 * error[0, 0]
    assert abs(matrices["Monte Carlo"][0, 0] - 0.5) < 0.01
    assert abs(limits["empirical"][0, 0] - limits["observed"][0, 0]) > 0.05


def test_few_data_make_low_rank():
    p = ig.MultivariateNormal([0.7, -1.1], [[1.3, 0.4], [0.4, 0.9]])
    data = p.sample(2, np.random.default_rng(1))
    assert np.linalg.matrix_rank(empirical_fisher(p, data)) == 2
    assert np.linalg.matrix_rank(monte_carlo_fisher(p, 2, np.random.default_rng(2))) == 2
    assert np.linalg.matrix_rank(expected_fisher(p)) == 5


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: expected_fisher(3.0), TypeError, "expected_fisher: p must be a distribution such as"),
        (
            lambda: expected_fisher(ig.Normal(0, 1), 1.5),
            TypeError,
            "expected_fisher: n must be an integer, got 1.5",
        ),
        (
            lambda: expected_fisher(ig.Normal(0, 1), 0),
            ValueError,
            "expected_fisher: n must be at least 1, got 0",
        ),
        (
            lambda: expected_fisher(ig.Normal(0, 1), scaling="total"),
            ValueError,
            "expected_fisher: scaling must be one of 'sum', 'mean', got 'total'",
        ),
        (
            lambda: expected_fisher(ig.Normal(0, 1), chart="polar"),
            ValueError,
            "Normal.expected_fisher: chart must be one of 'source', 'natural', 'expectation', got 'polar'",
        ),
        (
            lambda: observed_fisher(ig.Cauchy(0, 1), [0.3], "natural"),
            ValueError,
            "Cauchy.observed_fisher: .* no natural coordinates",
        ),
        (
            lambda: monte_carlo_fisher(ig.Normal(0, 1), 3, 0),
            TypeError,
            "rng must be a numpy.random.Generator",
        ),
        (
            lambda: monte_carlo_fisher(ig.Normal(0, 1), 0, np.random.default_rng(0)),
            ValueError,
            "monte_carlo_fisher: n must be at least 1, got 0",
        ),
        (
            lambda: empirical_fisher(ig.Normal(0, 1), 0.5),
            ValueError,
            r"empirical_fisher: data must have shape \(n, ...\) with n at least 1, got shape \(\)",
        ),
        (
            lambda: observed_fisher(ig.Normal(0, 1), []),
            ValueError,
            r"data must have shape .* got shape \(0,\)",
        ),
        (
            lambda: observed_fisher(ig.MultivariateNormal([0, 0], np.eye(2)), [0.1, 0.2]),
            ValueError,
            r"data must have shape \(n, ..., d\) with n at least 1, got shape \(2,\)",
        ),
        (
            lambda: empirical_fisher(ig.Normal(0, 1), [0.1, np.nan]),
            ValueError,
            "empirical_fisher: data must be finite, got nan",
        ),
        (
            lambda: observed_fisher(ig.Normal([0, 1], 1), np.ones((5, 3))),
            ValueError,
            r"data of shape \(5, 3\) must broadcast behind the first axis with the grid of p, \(2,\)",
        ),
        (
            lambda: empirical_fisher(ig.Poisson(2.0), [1.0, 2.0, 0.5]),
            ValueError,
            r"empirical_fisher: data must lie in the support of p, got .* at index \(2,\)",
        ),
        (
            lambda: observed_fisher(ig.Bernoulli(0.3), [2.0]),
            ValueError,
            "observed_fisher: data must lie in the support of p",
        ),
        (
            lambda: observed_fisher(ig.Normal(0, 1), "x"),
            ValueError,
            "data must be a number or an array of numbers",
        ),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
