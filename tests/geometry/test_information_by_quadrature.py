"""Information of any log-density: against closed forms, and where its two definitions part."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln, polygamma, xlogy

import igviz as ig
from igviz.geometry.adaptive_quadrature import integrate
from igviz.geometry.information_by_quadrature import information_by_quadrature
from tests.geometry.registry import FAMILIES

LINE = (-np.inf, np.inf)


def plane(p):
    """Whether p is of a family of scalar observations with one or two coordinates."""
    return p.observation_rank == 0 and p.source.shape[-1] <= 2


MEMBERS = [
    pytest.param(family, p, id=f"{family.name}-{i}")
    for family in FAMILIES
    for i, p in enumerate([family.points["single"], *np.ravel(list(family.points["row"]))])
    if plane(p)
]


def normal(x, mean, std):
    return -0.5 * ((x - mean) / std) ** 2 - np.log(std) - 0.5 * np.log(2 * np.pi)


def laplace(x, location, scale):
    return -np.abs(x - location) / scale - np.log(2 * scale)


def mixture(x, weight, position):
    return np.logaddexp(np.log1p(-weight) + normal(x, 0, 1), np.log(weight) + normal(x, position, 1))


def mixture_that_may_be_dead(x, weight, position):
    return np.log((1 - weight) * np.exp(normal(x, 0, 1)) + weight * np.exp(normal(x, position, 1)))


def uniform(x, end):
    return np.where((x >= 0) & (x <= end), -np.log(end), -np.inf)


def domain(family, p):
    """Where a family's values lie, as told by its density."""
    x, weights = family.support(p)
    if np.all(weights == 1.0):
        return {"outcomes": x}
    low = 0.0 if p.log_prob(-2.0) == -np.inf else -np.inf
    high = 1.0 if p.log_prob(2.0) == -np.inf else np.inf
    return {"support": (low, high), "points": [p.source[0]] if family.kinks else []}


def assert_matrix(actual, expected, rtol):
    """Entries as parts of √(I_ii·I_jj)."""
    root = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(
        actual / np.outer(root, root), expected / np.outer(root, root), atol=rtol, rtol=0
    )


@pytest.mark.parametrize(("family", "p"), MEMBERS)
def test_both_forms_are_the_closed_form_of_the_family(family, p):
    result = information_by_quadrature(
        lambda x, *theta: p.with_coordinates(theta).log_prob(x), p.source, **domain(family, p)
    )
    assert_matrix(result.outer_product, p.fisher(), 3e-9)
    expected = p.fisher() * (np.array([[0.0, 0.0], [0.0, 1.0]]) if family.kinks else 1.0)
    root = np.sqrt(np.diag(p.fisher()))
    np.testing.assert_allclose(
        result.minus_hessian / np.outer(root, root), expected / np.outer(root, root), atol=2e-8
    )
    np.testing.assert_allclose(result.mean_score / root, 0.0, atol=2e-8)
    assert abs(result.total - 1.0) < 1e-10


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (1e3, 2.0), (1.3, 1e6), (-4.1, 1e-3), (5e-7, 0.3)])
def test_parameters_of_all_sizes(mean, std):
    result = information_by_quadrature(normal, (mean, std), LINE, points=[mean] if std < 0.01 else [])
    expected = np.diag([1 / std**2, 2 / std**2])
    assert_matrix(result.outer_product, expected, 1e-9)
    assert_matrix(result.minus_hessian, expected, 1e-7 if std < 0.01 else 1e-9)


def test_large_logarithms_and_a_rate_below_one_step():
    shape, rate = 80.0, 0.01
    result = information_by_quadrature(
        lambda x, a, b: a * np.log(b) - gammaln(a) + (a - 1) * np.log(x) - b * x, (shape, rate), (0, np.inf)
    )
    expected = np.array([[polygamma(1, shape), -1 / rate], [-1 / rate, shape / rate**2]])
    assert_matrix(result.outer_product, expected, 1e-10)
    assert_matrix(result.minus_hessian, expected, 1e-8)


def test_an_infinite_density_at_the_end():
    a, b = 0.3, 2.0
    result = information_by_quadrature(
        lambda x, a, b: (
            (a - 1) * np.log(x) + (b - 1) * np.log1p(-x) + gammaln(a + b) - gammaln(a) - gammaln(b)
        ),
        (a, b),
        (0, 1),
    )
    common = polygamma(1, a + b)
    expected = np.array([[polygamma(1, a) - common, -common], [-common, polygamma(1, b) - common]])
    assert_matrix(result.outer_product, expected, 1e-9)


def test_a_support_that_moves_with_the_parameter():
    # E[score] = −1/θ, and the two forms have opposite signs
    result = information_by_quadrature(uniform, [2.5], (0.0, 2.5))
    np.testing.assert_allclose(result.outer_product, [[1 / 2.5**2]], rtol=1e-9)
    np.testing.assert_allclose(result.minus_hessian, [[-1 / 2.5**2]], rtol=1e-7)
    np.testing.assert_allclose(result.mean_score, [-1 / 2.5], rtol=1e-9)


def test_an_exponential_that_starts_at_its_parameter():
    # by the start: score = rate for all x, second derivative 0
    result = information_by_quadrature(
        lambda x, start, rate: np.where(x >= start, np.log(rate) - rate * (x - start), -np.inf),
        (0.7, 1.6),
        (0.7, np.inf),
    )
    np.testing.assert_allclose(result.outer_product, [[1.6**2, 0.0], [0.0, 1.6**-2]], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(result.minus_hessian, [[0.0, -1.0], [-1.0, 1.6**-2]], rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(result.mean_score, [1.6, 0.0], atol=1e-8)


def test_laplace_has_a_hessian_that_knows_nothing_of_the_location():
    result = information_by_quadrature(laplace, (1.3, 0.7), LINE, points=[1.3])
    np.testing.assert_allclose(result.outer_product, np.eye(2) / 0.49, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(result.minus_hessian, [[0.0, 0.0], [0.0, 1 / 0.49]], rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(result.mean_score, 0.0, atol=1e-7)


def test_a_dead_component_leaves_one_parameter_without_information():
    position = 2.0
    result = information_by_quadrature(mixture_that_may_be_dead, (0.0, position), LINE)
    # E[(q/p − 1)²] = e^(position²) − 1 for normals of unit variance
    expected = [[np.expm1(position**2), 0.0], [0.0, 0.0]]
    np.testing.assert_allclose(result.outer_product, expected, rtol=1e-9, atol=1e-12)
    assert np.linalg.det(result.outer_product) == 0.0
    alive = information_by_quadrature(mixture, (0.3, position), LINE).outer_product
    assert np.linalg.det(alive) > 0.1
    dying = information_by_quadrature(mixture, (1e-6, position), LINE).outer_product
    # to leading order in the weight
    leading = 1e-12 * np.exp(position**2) * (1 + position**2)
    np.testing.assert_allclose(dying[1, 1], leading, rtol=1e-2)


def test_discrete_outcomes():
    result = information_by_quadrature(
        lambda k, m: xlogy(k, m) - m - gammaln(k + 1), [3.7], outcomes=range(60)
    )
    np.testing.assert_allclose(result.outer_product, [[1 / 3.7]], rtol=1e-11)
    np.testing.assert_allclose(result.minus_hessian, [[1 / 3.7]], rtol=1e-9)
    near = 1e-4
    result = information_by_quadrature(
        lambda y, p: xlogy(y, p) + xlogy(1 - y, 1 - p), [near], outcomes=[0, 1]
    )
    np.testing.assert_allclose(result.outer_product, [[1 / near / (1 - near)]], rtol=1e-10)


def test_a_parameter_at_the_edge_of_what_is_allowed():
    # ValueError and nan both say that there is no such distribution
    p = 1e-3
    for density in (
        lambda y, q: ig.Bernoulli(q).log_prob(y),
        lambda y, q: np.where(y == 1, np.log(q), np.log(1 - q)),
    ):
        result = information_by_quadrature(density, [p], outcomes=[0, 1])
        np.testing.assert_allclose(result.outer_product, [[1 / p / (1 - p)]], rtol=1e-10)


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((normal, (0, 1), None), {}, "either support or outcomes must be given"),
        (
            (normal, (0, 1), LINE),
            {"outcomes": [0, 1]},
            "either support or outcomes must be given, and not both",
        ),
        (
            (normal, (0, 1, 2), LINE),
            {},
            r"theta must be one or two finite numbers in a sequence, got \(0, 1, 2\)",
        ),
        ((normal, 1.0, LINE), {}, "theta must be one or two finite numbers"),
        ((normal, (0, np.nan), LINE), {}, "theta must be one or two finite numbers"),
        ((normal, ("0", 1), LINE), {}, "theta must be a number or an array of numbers"),
        ((normal, (0, 1), (1, 1)), {}, r"support must be \(low, high\) with low < high, got \(1, 1\)"),
        ((normal, (0, 1), (0, np.nan)), {}, "support must be"),
        ((normal, (0, 1), [1, 2, 3]), {}, "support must be"),
        (
            (normal, (0, 1), (0, 5)),
            {"points": [5]},
            r"points must lie inside the support \(0, 5\), got \[5\]",
        ),
        ((normal, (0, 1), (0, 5)), {"points": [np.nan]}, "points must lie inside the support"),
        ((normal, (0, 1), None), {"outcomes": [1, 1, 2]}, "outcomes must be different numbers on one axis"),
        ((normal, (0, 1), None), {"outcomes": 3}, "outcomes must be different numbers on one axis"),
        ((normal, (0, 1), (0, np.inf)), {}, "must be normalised, but its density integrates to 0.5;"),
        ((normal, (1e6, 1e-3), LINE), {}, "integrates to 0; if it is narrow, put its centre into points"),
        (
            (normal, (0, 1), None),
            {"outcomes": [0, 1]},
            r"must be normalised, but its density integrates to 0\.640",
        ),
        ((lambda x, m: 0 * x, [0], LINE), {}, "the integrals do not converge; points must name every kink"),
        (
            (lambda x, m: np.log(x - m), [0], LINE),
            {},
            "log_density must be a number or -inf, got nan at x = -",
        ),
        ((lambda x, m: x[:3], [0], LINE), {}, "log_density must return an array of the shape of x"),
        (
            (lambda x, m: x + 1j, [0], LINE),
            {},
            "what log_density returns must be a number or an array of numbers",
        ),
        ((lambda x, s: ig.Normal(0, s).log_prob(x), [-1], LINE), {}, "Normal: std must be positive, got -1"),
    ],
)
def test_bad_arguments_are_named(arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        information_by_quadrature(*arguments, **keywords)


@pytest.mark.parametrize(("excess", "allowed"), [(5e-7, True), (-5e-7, True), (3e-6, False), (-3e-6, False)])
def test_normalised_means_to_one_millionth(excess, allowed):
    def nearly(x, mean, std):
        return normal(x, mean, std) + np.log1p(excess)

    if allowed:
        assert abs(information_by_quadrature(nearly, (0.3, 1.2), LINE).total - 1 - excess) < 1e-12
    else:
        with pytest.raises(ValueError, match="log_density must be normalised"):
            information_by_quadrature(nearly, (0.3, 1.2), LINE)


def test_what_cannot_be_called_is_named():
    with pytest.raises(TypeError, match="log_density must be callable"):
        information_by_quadrature(3.0, [0], LINE)


@pytest.mark.parametrize(
    ("function", "breaks", "expected"),
    [
        (lambda x: np.exp(-(x**2)), LINE, np.sqrt(np.pi)),
        (lambda x: 1 / (1 + x**2), LINE, np.pi),
        (lambda x: np.exp(-np.abs(x - 0.3)), (-np.inf, 0.3, np.inf), 2.0),
        (lambda x: np.exp(-x), (0.0, np.inf), 1.0),
        (lambda x: np.exp(x - 2), (-np.inf, 2.0), 1.0),
        (lambda x: -np.log(x) / np.sqrt(x), (0.0, 1.0), 4.0),
        (lambda x: x**-0.9, (0.0, 1.0), 10.0),
        (lambda x: (x > 0.4) * 1.0, (-1.0, 0.4, 2.0), 1.6),
        (lambda x: 1e-7 / (1e-14 + x**2), LINE, np.pi),
    ],
)
def test_integrals(function, breaks, expected):
    with np.errstate(over="ignore"):
        total, x, weights = integrate(function, breaks)
        np.testing.assert_allclose(total, expected, rtol=3e-12)
        # the rule returned gives the same
        np.testing.assert_allclose(np.sum(function(x) * weights), expected, rtol=3e-12)


def test_several_integrals_at_once():
    with np.errstate(all="ignore"):
        total = integrate(
            lambda x: np.nan_to_num(np.exp(-x) * x ** np.arange(6).reshape(2, 3, 1)), (0.0, np.inf)
        )[0]
    np.testing.assert_allclose(total, [[1, 1, 2], [6, 24, 120]], rtol=1e-12)


@pytest.mark.parametrize(
    ("function", "breaks"),
    [(lambda x: 1 / x, (0.0, 1.0)), (np.ones_like, LINE), (lambda x: 1 / (1 + np.abs(x)), LINE)],
)
def test_an_integral_that_does_not_exist(function, breaks):
    with pytest.raises(ArithmeticError):
        integrate(function, breaks)
