"""Fisher matrix of a bin label: closed forms, four independent computations, and that it can only lose."""

from __future__ import annotations

from itertools import pairwise

import mpmath
import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import igviz as ig
from igviz.geometry.binning import binned_information
from tests.geometry.registry import FAMILIES

profile = settings(derandomize=True, database=None, deadline=None, max_examples=60)

SCIPY = {
    "Normal": scipy.stats.norm,
    "Cauchy": scipy.stats.cauchy,
    "Laplace": scipy.stats.laplace,
    "Logistic": scipy.stats.logistic,
    "StudentT": scipy.stats.t,
}

BINNABLE = [family for family in FAMILIES if family.name in SCIPY]
for_families = pytest.mark.parametrize("family", BINNABLE, ids=lambda family: family.name)
edge_sets = st.lists(st.floats(-20, 20), min_size=2, max_size=9, unique_by=lambda x: round(x, 3))


def twin(p):
    """SciPy's distribution, by location and scale and what is no coordinate."""
    fixed = [getattr(p, name) for name in p._fixed]
    return SCIPY[type(p).__name__](*fixed, p.source[..., 0], p.source[..., 1])


def edges_for(p):
    """Edges at generic places: neither symmetric about a location nor evenly spaced."""
    location, scale = p.source[..., 0].mean(), p.source[..., 1].mean()
    return location + scale * np.array([-2.3, -0.9, -0.2, 0.6, 1.7, 4.1])


def score(p, x, step=1e-5):
    """Derivative of log p(x) by (location, scale), shape (2, ...), knowing nothing but the density."""
    parts = []
    for move in np.eye(2):
        up, down = (p.with_coordinates(p.source + sign * step * move) for sign in (1, -1))
        parts.append((up.log_prob(x) - down.log_prob(x)) / (2 * step))
    return np.array(parts)


def excess(a, b):
    """Smallest eigenvalue of a − b."""
    return np.min(np.linalg.eigvalsh(a - b))


def exact_normal(mean, std, edges):
    """The same with 700 digits, enough to subtract what is far in a tail."""
    with mpmath.workdps(700):
        mean, std = mpmath.mpf(float(mean)), mpmath.mpf(float(std))
        z = [-mpmath.inf, *((mpmath.mpf(float(e)) - mean) / std for e in edges), mpmath.inf]
        f = [mpmath.npdf(a) if mpmath.isfinite(a) else mpmath.mpf(0) for a in z]
        zf = [a * b if mpmath.isfinite(a) else mpmath.mpf(0) for a, b in zip(z, f, strict=True)]
        total = mpmath.zeros(2)
        for i in range(len(z) - 1):
            probability = (mpmath.erfc(z[i] / mpmath.sqrt(2)) - mpmath.erfc(z[i + 1] / mpmath.sqrt(2))) / 2
            slope = mpmath.matrix([-(f[i + 1] - f[i]) / std, -(zf[i + 1] - zf[i]) / std])
            total += slope * slope.T / probability
        return np.array(total.tolist(), dtype=float)


def test_the_sign_of_a_gaussian_keeps_two_over_pi_of_the_mean_and_nothing_of_the_std():
    p = ig.Normal(0.7, 1.6)
    information = binned_information(p, [0.7])
    np.testing.assert_allclose(information, [[2 / (np.pi * 1.6**2), 0.0], [0.0, 0.0]], rtol=1e-15, atol=1e-30)


def test_one_edge_anywhere():
    # a Bernoulli label of probability F(z): I = (pdf·∂z)²/(F·(1 − F))
    p, edge = ig.Normal(-0.4, 1.3), 0.9
    inside = float(p.cdf(edge))
    slope = -p.pdf(edge) * np.array([1.0, (edge + 0.4) / 1.3])
    expected = np.outer(slope, slope) / (inside * (1 - inside))
    np.testing.assert_allclose(binned_information(p, [edge]), expected, rtol=1e-14)


@for_families
def test_against_scipy_quadrature_of_the_score(family):
    p = family.points["single"]
    edges = edges_for(p)
    expected = np.zeros((2, 2))
    for low, high in zip([-np.inf, *edges], [*edges, np.inf], strict=True):

        def mass(x, low=low, high=high):
            return np.array([1.0, *score(p, x)]) * p.pdf(x)

        probability, *slope = scipy.integrate.quad_vec(mass, low, high, points=[float(p.source[0])])[0]
        expected += np.outer(slope, slope) / probability
    np.testing.assert_allclose(binned_information(p, edges), expected, rtol=1e-7, atol=1e-8)


@for_families
def test_against_derivatives_of_scipys_distribution_function(family):
    p = family.points["single"]
    edges, step = edges_for(p), 1e-4

    def probabilities(source):
        return np.diff(np.concatenate([[0.0], twin(p.with_coordinates(source)).cdf(edges), [1.0]]))

    slopes = np.array(
        [
            (8 * probabilities(p.source + h) - 8 * probabilities(p.source - h)
            - probabilities(p.source + 2 * h) + probabilities(p.source - 2 * h)) / (12 * step)
            for h in step * np.eye(2)
        ]
    )  # fmt: skip
    expected = (slopes / probabilities(p.source)) @ slopes.T
    np.testing.assert_allclose(binned_information(p, edges), expected, rtol=1e-9, atol=1e-10)


@for_families
def test_against_monte_carlo_of_the_label(family):
    p, n = family.points["single"], 200_000
    edges, step = edges_for(p), 1e-5
    label = np.searchsorted(edges, p.sample(n, np.random.default_rng(5)))

    def log_probability(source):
        at = p.with_coordinates(source).cdf(edges)
        return np.log(np.diff(np.concatenate([[0.0], at, [1.0]])))

    scores = [
        (log_probability(p.source + h) - log_probability(p.source - h))[label] / (2 * step)
        for h in step * np.eye(2)
    ]
    information = binned_information(p, edges)
    for i in range(2):
        assert abs(np.mean(scores[i])) < 5 * np.std(scores[i]) / np.sqrt(n)
        for j in range(2):
            products = scores[i] * scores[j]
            assert abs(products.mean() - information[i, j]) < 5 * products.std() / np.sqrt(n)


def test_against_sympy():
    mean, std = sympy.symbols("mean std", positive=True)
    edges = [sympy.Rational(-1, 2), sympy.Rational(3, 4), sympy.Integer(3)]
    below = [0, *((1 + sympy.erf((e - mean) / std / sympy.sqrt(2))) / 2 for e in edges), 1]
    bins = [b - a for a, b in pairwise(below)]
    slopes = [sympy.Matrix([sympy.diff(b, mean), sympy.diff(b, std)]) for b in bins]
    total = sum((s * s.T / b for s, b in zip(slopes, bins, strict=True)), sympy.zeros(2))
    expected = total.evalf(30, subs={mean: sympy.Rational(11, 10), std: sympy.Rational(17, 10)})
    information = binned_information(ig.Normal(1.1, 1.7), [-0.5, 0.75, 3.0])
    np.testing.assert_allclose(information, np.array(expected.tolist(), dtype=float), rtol=1e-14)


@pytest.mark.parametrize(
    "z", [[-3.1, 0.4, 2.2], [12.0], [-25.0, -24.5], [30.0, 30.001, 31.0], [36.5, 37.0], np.arange(-4, 4, 0.1)]
)
def test_digits_in_far_tails_and_narrow_bins(z):
    p = ig.Normal(0.75, 2.5)
    edges = p.mean + p.std * np.asarray(z)
    np.testing.assert_allclose(
        binned_information(p, edges),
        exact_normal(0.75, 2.5, edges),
        rtol=3e-12,
        atol=1e-16 if len(z) > 9 else 0,
    )


@for_families
@profile
@given(edges=edge_sets, data=st.data())
def test_joining_bins_never_gains_and_no_label_beats_the_observation(family, edges, data):
    p = family.points["single"]
    fine = np.sort(edges)
    keep = data.draw(st.lists(st.booleans(), min_size=len(fine) - 1, max_size=len(fine) - 1))
    coarse = fine[[True, *keep]]
    information, less = binned_information(p, fine), binned_information(p, coarse)
    scale = np.max(p.fisher())
    assert excess(information, less) > -1e-14 * scale
    assert excess(p.fisher(), information) > -1e-14 * scale


@for_families
def test_doubling_the_width_loses_each_time(family):
    p = family.points["single"]
    widths = 0.21 * float(p.source[1]) * 2.0 ** np.arange(7)
    chain = [binned_information(p, 0.1 + w * np.arange(-256, 257)) for w in widths]
    for fine, coarse in pairwise(chain):
        assert excess(fine, coarse) > -1e-14
        assert np.trace(fine) > np.trace(coarse)


def test_bins_that_are_not_nested_may_keep_more_though_they_are_wider():
    # an edge at the mean is worth more than narrower bins that put it in the middle of one
    p = ig.Normal(4.5, 1.0)
    kept = [binned_information(p, width * np.arange(-20, 21))[0, 0] for width in (3.0, 4.0, 4.5)]
    np.testing.assert_allclose(kept, [0.50223758953, 0.58348102630, 0.63672347167], rtol=1e-10)
    np.testing.assert_allclose(kept[2], 2 / np.pi, rtol=2e-4)
    assert kept[0] < kept[1] < kept[2] < p.fisher()[0, 0]


@pytest.mark.parametrize(("h", "tolerance"), [(0.4, 0.02), (0.1, 1e-3), (0.03, 1e-4)])
def test_narrow_bins_lose_what_sheppards_correction_says(h, tolerance):
    # the label's variance exceeds the observation's by h²/12 (in units of the std)
    p = ig.Normal(0.37, 1.9)
    edges = p.mean + p.std * (np.arange(-12, 12, h) + 0.013)
    lost = 1.0 - binned_information(p, edges)[0, 0] * p.std**2
    np.testing.assert_allclose(lost / (h**2 / 12), 1.0, atol=tolerance)


@for_families
@pytest.mark.parametrize("label", ["single", "row", "grid"])
def test_grids_are_their_members(family, label):
    p = family.points[label]
    information = binned_information(p, edges_for(p))
    assert information.shape == (*p.shape, 2, 2)
    for i in np.ndindex(p.shape):
        np.testing.assert_allclose(information[i], binned_information(p[i], edges_for(p)), rtol=1e-14)


@for_families
def test_charts(family):
    p = family.points["row"]
    edges = edges_for(p)
    information = binned_information(p, edges)
    for chart in p.charts:
        moved = np.linalg.inv(p.jacobian("source", chart)) if chart != "source" else np.eye(2)
        back = np.swapaxes(moved, -1, -2) @ binned_information(p, edges, chart) @ moved
        np.testing.assert_allclose(back, information, rtol=1e-11, atol=1e-13)


def test_edges_where_nothing_falls_tell_nothing():
    p = ig.Normal(1.0, 1e-3)
    information = binned_information(p, [1.0, 1.5, 90.0, 1e300])
    np.testing.assert_allclose(information, binned_information(p, [1.0]), rtol=1e-14, atol=1e-20)
    np.testing.assert_array_equal(
        binned_information(ig.Normal(0.0, 1e-200), [1e150, 1e200]), np.zeros((2, 2))
    )


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([], r"edges must have shape \(m,\) with m at least 1, got shape \(0,\)"),
        (0.5, r"edges must have shape \(m,\)"),
        ([[0.0, 1.0]], r"edges must have shape \(m,\) with m at least 1, got shape \(1, 2\)"),
        ([0.0, np.inf], "edges must be finite, got inf"),
        ([0.0, np.nan], "edges must be finite, got nan"),
        ([0.0, 1.0, 1.0], "edges must increase, got 1.0 before 1.0 at index 1"),
        ([0.0, -1.0], "edges must increase, got 0.0 before -1.0 at index 0"),
        ("wide", "edges must be a number or an array of numbers, got 'wide'"),
    ],
)
def test_bad_edges_are_named(edges, message):
    with pytest.raises(ValueError, match=f"binned_information: {message}"):
        binned_information(ig.Normal(0.3, 1.0), edges)


def test_bad_distributions_and_charts_are_named():
    with pytest.raises(TypeError, match=r"p must be a distribution with a location and a scale.*Bernoulli"):
        binned_information(ig.Bernoulli(0.3), [0.5])
    with pytest.raises(ValueError, match=r"chart must be one of 'source'.*got 'nature'"):
        binned_information(ig.Normal(0.3, 1.0), [0.5], chart="nature")


@pytest.mark.parametrize("degrees", [0.3, 1.0, 2.5, 7.0, 1e3, 1e6])
def test_tails_of_student_t_keep_their_digits(degrees):
    z = -np.array([1e-6, 0.3, 1.0, 3.0, 20.0, 1e3, 1e8])
    half = mpmath.mpf(degrees) / 2
    with mpmath.workdps(40):
        exact = [
            mpmath.betainc(half, 0.5, 0, 2 * half / (2 * half + mpmath.mpf(v) ** 2), True) / 2 for v in z
        ]
    exact = np.array([float(v) for v in exact])
    keep = exact > 1e-290
    np.testing.assert_allclose(ig.StudentT(0.0, 1.0, degrees).cdf(z)[keep], exact[keep], rtol=1e-12)


@for_families
def test_the_distribution_function_is_scipys(family):
    for p in family.points.values():
        x = np.concatenate([p.sample(50, np.random.default_rng(3)), np.full((1, *p.shape), -np.inf)])
        np.testing.assert_allclose(p.cdf(x), twin(p).cdf(x), rtol=1e-13)
        assert np.all(p.cdf(np.inf) == 1.0)
