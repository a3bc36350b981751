"""Every wrong argument is named, with its value and what is allowed."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest

import igviz as ig
from tests.geometry.registry import FAMILIES, FAMILY_IDS

for_families = pytest.mark.parametrize("family", FAMILIES, ids=FAMILY_IDS)
for_charts = pytest.mark.parametrize(
    ("family", "chart"),
    [(family, chart) for family in FAMILIES for chart in family.cls.charts],
    ids=lambda value: value if isinstance(value, str) else value.name,
)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ig.Normal(0.0, -0.5), "Normal: std must be positive, got -0.5"),
        (lambda: ig.Normal(0.0, 0.0), "Normal: std must be positive, got 0.0"),
        (
            lambda: ig.Normal(0.0, [[1.0], [-2.0]]),
            r"Normal: std must be positive, got -2.0 at index \(1, 0\)",
        ),
        (lambda: ig.Normal(np.nan, 1.0), "Normal: mean must be finite, got nan"),
        (lambda: ig.Normal([0.0, np.inf], 1.0), r"Normal: mean must be finite, got inf at index \(1,\)"),
        (lambda: ig.Normal(0.0, -np.inf), "Normal: std must be finite, got -inf"),
        (
            lambda: ig.Normal([1, 2], [1, 2, 3]),
            r"Normal: shapes must broadcast, got mean \(2,\) and std \(3,\)",
        ),
        (lambda: ig.Normal("0.0", 1.0), "Normal: mean must be a number or an array of numbers, got '0.0'"),
        (lambda: ig.Normal(0.0, None), "Normal: std must be a number or an array of numbers, got None"),
        (lambda: ig.Normal(0.0, 1j), "Normal: std must be a number or an array of numbers, got 1j"),
        (lambda: ig.Bernoulli(1.5), r"Bernoulli: probability must be in \[0, 1\], got 1.5"),
        (
            lambda: ig.Bernoulli([0.5, -0.1]),
            r"Bernoulli: probability must be in \[0, 1\], got -0.1 at index \(1,\)",
        ),
        (lambda: ig.Bernoulli(np.nan), "Bernoulli: probability must be finite, got nan"),
        (
            lambda: ig.Bernoulli("half"),
            "Bernoulli: probability must be a number or an array of numbers, got 'half'",
        ),
        (lambda: ig.Normal.from_source([0.0, -1.0]), "Normal: std must be positive, got -1.0"),
        (
            lambda: ig.Normal.from_natural([1.0, 0.0]),
            "Normal: the second natural coordinate must be negative, got 0.0",
        ),
        (
            lambda: ig.Normal.from_natural([[1.0, -1.0], [1.0, 2.0]]),
            r"Normal: the second natural coordinate must be negative, got 2.0 at index \(1,\)",
        ),
        (
            lambda: ig.Normal.from_expectation([2.0, 4.0]),
            "Normal: the second moment minus the squared first must be positive, got 0.0",
        ),
        (
            lambda: ig.Normal.from_expectation([2.0, 3.0]),
            "Normal: the second moment minus the squared first must be positive, got -1.0",
        ),
        (lambda: ig.Normal.from_natural([1e300, -1e-300]), "Normal: mean must be finite, got inf"),
        (lambda: ig.Normal.from_natural([1.0, -np.inf]), "Normal: natural must be finite, got -inf"),
        (
            lambda: ig.Bernoulli.from_expectation([1.01]),
            r"Bernoulli: probability must be in \[0, 1\], got 1.01",
        ),
        (
            lambda: ig.MultivariateNormal([0.0, 0.0], [[1.0, 0.5], [0.2, 1.0]]),
            r"MultivariateNormal: cov must be symmetric, got 0.5 at index \(0, 1\) and 0.2 in the mirrored",
        ),
        (
            lambda: ig.MultivariateNormal([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]),
            "MultivariateNormal: cov must be positive definite, got smallest eigenvalue -1$",
        ),
        (
            lambda: ig.MultivariateNormal([0.0, 0.0], [np.eye(2), np.ones((2, 2)), -np.eye(2)]),
            r"MultivariateNormal: cov must be positive definite, got smallest eigenvalue \S+ at index \(1,\)",
        ),
        (
            lambda: ig.MultivariateNormal(np.zeros(3), 0.1 * np.ones((3, 3))),
            "MultivariateNormal: cov must be positive definite",
        ),
        (
            lambda: ig.MultivariateNormal([0.0, np.nan], np.eye(2)),
            r"MultivariateNormal: mean must be finite, got nan at index \(1,\)",
        ),
        (
            lambda: ig.MultivariateNormal([0.0, 0.0], [[1.0, np.nan], [np.nan, 1.0]]),
            r"MultivariateNormal: cov must be finite, got nan at index \(0, 1\)",
        ),
        (
            lambda: ig.MultivariateNormal(0.0, [[1.0]]),
            r"MultivariateNormal: mean must have at least 1 axis, got shape \(\)",
        ),
        (
            lambda: ig.MultivariateNormal([0.0, 0.0], [1.0, 1.0]),
            r"MultivariateNormal: cov must have at least 2 axes, got shape \(2,\)",
        ),
        (
            lambda: ig.MultivariateNormal([0.0, 0.0], np.eye(3)),
            r"MultivariateNormal: cov must have shape \(..., 2, 2\) to go with a mean of 2 entries, "
            r"got shape \(3, 3\)",
        ),
        (
            lambda: ig.MultivariateNormal(np.zeros((2, 0)), np.zeros((0, 0))),
            "MultivariateNormal: mean must have at least one entry",
        ),
        (
            lambda: ig.MultivariateNormal(np.zeros((3, 2)), np.ones((2, 1, 1)) * np.eye(2)),
            r"MultivariateNormal: shapes must broadcast, got mean \(3, 2\) and cov \(2, 2, 2\)",
        ),
        (
            lambda: ig.MultivariateNormal.from_natural([0.0, 0.0, -0.5, 2.0, -0.5]),
            "MultivariateNormal: the precision in the natural coordinates must be positive definite, "
            "got smallest eigenvalue -1$",
        ),
        (
            lambda: ig.MultivariateNormal.from_expectation([1.0, 1.0, 1.0, 1.0, 3.0]),
            "MultivariateNormal: the second moments minus the products of the first must be positive "
            "definite, got smallest eigenvalue 0$",
        ),
        (
            lambda: ig.Categorical([0.5, 0.6]),
            "Categorical: the sum of probabilities must be 1 to within 1e-9, got 1.1",
        ),
        (
            lambda: ig.Categorical([[0.5, 0.5], [0.5, 0.5 + 1e-8]]),
            r"Categorical: the sum of probabilities must be 1 to within 1e-9, got 1.00000001 at index \(1,\)",
        ),
        (
            lambda: ig.Categorical([0.5, -0.1, 0.6]),
            r"Categorical: probabilities must be in \[0, 1\], got -0.1 at index \(1,\)",
        ),
        (lambda: ig.Categorical([1.5, -0.5]), r"Categorical: probabilities must be in \[0, 1\], got 1.5"),
        (lambda: ig.Categorical([0.5, np.nan]), "Categorical: probabilities must be finite, got nan"),
        (
            lambda: ig.Categorical([1.0]),
            r"Categorical: probabilities must have shape \(..., K\) with K at least 2, got shape \(1,\)",
        ),
        (lambda: ig.Categorical(0.5), "Categorical: probabilities must have at least 1 axis, got shape"),
        (
            lambda: ig.Categorical.from_source([0.5, 0.6]),
            "Categorical: the sum of source must be at most 1, got 1.1",
        ),
        (
            lambda: ig.Categorical.from_expectation([[0.5, 0.4], [1.2, 0.4]]),
            r"Categorical: the sum of expectation must be at most 1, got 1.6 at index \(1,\)",
        ),
    ],
)
def test_parameters(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@for_charts
def test_coordinates_need_their_last_axis(family, chart):
    p = family.points["single"]

    def make(coordinates):
        return p.with_coordinates(coordinates, chart)

    message = rf"{family.name}: {chart} must have shape \(..., {re.escape(family.allowed)}\)"
    with pytest.raises(ValueError, match=rf"{message}.*, got shape \(2, {family.refused}\)"):
        make(np.full((2, family.refused), 0.1))
    with pytest.raises(ValueError, match=rf"{message}.*, got shape \(\)"):
        make(0.5)
    with pytest.raises(ValueError, match="must be finite, got nan"):
        make(np.full(p.dimension, np.nan))
    with pytest.raises(ValueError, match=f"{chart} must be a number or an array of numbers"):
        make("text")


@for_families
def test_charts(family):
    p = family.points["single"]
    calls = [p.fisher, p.coordinates, lambda chart: p.with_coordinates(p.source, chart)]
    if isinstance(p, ig.ExponentialFamily):
        calls += [lambda chart: p.jacobian(chart, "source"), lambda chart: p.jacobian("source", chart)]
    names = ", ".join(repr(chart) for chart in family.cls.charts)
    for call in calls:
        with pytest.raises(ValueError, match=f"chart must be one of {names}, got 'polar'"):
            call("polar")
    with pytest.raises(ValueError, match="chart must be one of"):
        family.cls.from_coordinates(p.source, "polar")


@for_families
def test_samplers(family):
    p = family.points["row"]
    with pytest.raises(
        TypeError, match=rf"{family.name}.sample: rng must be a numpy.random.Generator, .*got 0"
    ):
        p.sample(5, 0)
    with pytest.raises(TypeError, match=r"rng must be a numpy.random.Generator"):
        p.sample(5, np.random.RandomState(0))
    with pytest.raises(TypeError, match=rf"{family.name}.sample: n must be an integer, got 2.5"):
        p.sample(2.5, np.random.default_rng(0))
    with pytest.raises(ValueError, match=rf"{family.name}.sample: n must not be negative, got -1"):
        p.sample(-1, np.random.default_rng(0))


@for_families
def test_observations(family):
    p = family.points["single"]
    calls = [p.log_prob, p.pdf]
    calls += [p.sufficient_statistics] if isinstance(p, ig.ExponentialFamily) else []
    for call in calls:
        with pytest.raises(ValueError, match=f"{family.name}: x must be a number or an array of numbers"):
            call("text")


def test_two_families_do_not_mix():
    normal, bernoulli = ig.Normal(0.0, 1.0), ig.Bernoulli(0.5)
    with pytest.raises(
        TypeError, match=r"Normal.kl: both distributions must be of one family, got Normal and Bernoulli"
    ):
        normal.kl(bernoulli)
    with pytest.raises(TypeError, match=r"Bernoulli.kl: both distributions must be of one family"):
        bernoulli.kl(normal)
    with pytest.raises(TypeError, match="fisher_rao_distance: both distributions must be of one family"):
        ig.fisher_rao_distance(normal, bernoulli)
    with pytest.raises(
        TypeError, match="geodesic: both distributions must be of one family, got Normal and float"
    ):
        ig.geodesic(normal, 1.0)
    with pytest.raises(TypeError, match="fisher_rao_distance: p must be a distribution"):
        ig.fisher_rao_distance(0.0, normal)
    with pytest.raises(TypeError, match="geodesic: p must be a distribution"):
        ig.geodesic(0.0, normal)


def test_vectors_and_classes_must_match():
    p, q = ig.MultivariateNormal([0.0, 0.0], np.eye(2)), ig.MultivariateNormal(np.zeros(3), np.eye(3))
    a, b = ig.Categorical([0.5, 0.5]), ig.Categorical([0.2, 0.3, 0.5])
    for call in (lambda r, s: r.kl(s), ig.fisher_rao_distance, ig.geodesic, ig.chernoff_information):
        with pytest.raises(
            ValueError, match="both distributions must be on vectors of one length, got 2 and 3"
        ):
            call(p, q)
        with pytest.raises(
            ValueError, match="both distributions must have the same number of classes, got 2 and 3"
        ):
            call(a, b)
    for call in (p.log_prob, p.sufficient_statistics):
        with pytest.raises(
            ValueError, match=r"MultivariateNormal: x must have shape \(..., 2\), got shape \(3,\)"
        ):
            call(np.zeros(3))
        with pytest.raises(ValueError, match=r"x must have shape \(..., 2\), got shape \(\)"):
            call(0.0)


@for_families
def test_grids_must_broadcast(family):
    rng = np.random.default_rng(0)
    p, q = family.random(rng, (2,)), family.random(rng, (3,))
    for call in (lambda a, b: a.kl(b), ig.fisher_rao_distance, ig.geodesic):
        with pytest.raises(
            ValueError, match=r"the shapes of the two grids must broadcast, got \(2,\) and \(3,\)"
        ):
            call(p, q)


@pytest.mark.parametrize("kind", ["euclidean", None, True, "source"])
def test_kinds_of_geodesics(kind):
    message = (
        f"geodesic: kind must be one of 'fisher-rao', 'natural', 'expectation', or a number, got {kind!r}"
    )
    with pytest.raises(ValueError, match=message):
        ig.geodesic(ig.Normal(0.0, 1.0), ig.Normal(1.0, 1.0), kind)


def test_times():
    path = ig.geodesic(ig.Normal(0.0, 1.0), ig.Normal(1.0, 1.0))
    with pytest.raises(ValueError, match="geodesic: t must be finite, got nan"):
        path(np.nan)
    with pytest.raises(ValueError, match="geodesic: t must be a number or an array of numbers, got 'half'"):
        path("half")


def test_the_source_array_is_not_shared():
    mean = np.zeros(3)
    p = ig.Normal(mean, 1.0)
    mean[0] = 9.0
    assert np.array_equal(p.mean, [0.0, 0.0, 0.0])


def test_the_geometry_imports_no_pictures_and_no_statistics():
    code = (
        "import sys, igviz as ig; p = ig.Normal(0, 1); b = ig.Bernoulli(0.5);"
        "m = ig.MultivariateNormal([0.0, 1.0], [[1.0, 0.0], [0.0, 1.0]]); c = ig.Categorical([0.2, 0.8]);"
        "ig.fisher_rao_distance(p, p); ig.geodesic(b, b).length();"
        "ig.geodesic(m, m).length(); ig.chernoff_information(c, c);"
        "print(sorted({'matplotlib', 'ipywidgets', 'scipy.stats', 'sympy', 'sklearn'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": "."},
    )
    assert run.stdout.strip() == "[]"
