"""One Fisher matrix, four ways: they agree, and a wrong one is noticed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import igviz as ig
from igviz.geometry.symbolic.four_ways import fisher_four_ways

POINTS = [
    ig.Bernoulli(0.3),
    ig.Categorical([0.2, 0.5, 0.3]),
    ig.Poisson(2.5),
    ig.Exponential(0.8),
    ig.Gamma(2.5, 0.8),
    ig.Beta(2.2, 3.1),
    ig.Dirichlet([1.5, 2.2, 3.1]),
    ig.Normal(1.3, 0.7),
    ig.MultivariateNormal([0.3, -1.1], [[1.3, 0.4], [0.4, 0.9]]),
    ig.Laplace(0.4, 1.2),
    ig.Cauchy(0.4, 1.2),
    ig.StudentT(0.4, 1.2, 5.0),
    ig.Logistic(0.4, 1.2),
]


@pytest.mark.parametrize("p", POINTS, ids=lambda p: type(p).__name__)
def test_four_ways_agree(p):
    four = fisher_four_ways(p, 20_000, np.random.default_rng(3), time_limit=1.0)
    assert four.difference("symbolic") < 1e-8
    assert four.difference("quadrature") < 1e-8
    assert four.standard_errors_off < 5.0


def test_every_family_is_in_the_table():
    assert {type(p).__name__ for p in POINTS} == set(ig.symbolic.families.FAMILIES)


def test_a_wrong_matrix_is_noticed():
    four = fisher_four_ways(ig.Normal(1.3, 0.7), 20_000, np.random.default_rng(3))
    wrong = dataclasses.replace(four, symbolic=four.symbolic * [[1.0, 0.0], [0.0, 0.5]])
    assert wrong.difference("symbolic") == pytest.approx(0.5)
    shifted = dataclasses.replace(four, monte_carlo=1.1 * four.monte_carlo)
    assert shifted.standard_errors_off > 5.0


def test_bad_input_is_named():
    rng = np.random.default_rng(0)
    with pytest.raises(TypeError, match="p must be a distribution"):
        fisher_four_ways(0.3, 100, rng)
    with pytest.raises(ValueError, match=r"p must be a single distribution.*\(2,\)"):
        fisher_four_ways(ig.Poisson([1.0, 2.0]), 100, rng)
    with pytest.raises(ValueError, match="samples must be at least 2, got 1"):
        fisher_four_ways(ig.Poisson(1.0), 1, rng)
    with pytest.raises(ValueError, match="p must have 2 coordinates, got 3"):
        fisher_four_ways(ig.Categorical([0.1, 0.2, 0.3, 0.4]), 100, rng)
    four = fisher_four_ways(ig.Poisson(2.5), 100, rng)
    with pytest.raises(ValueError, match="way must be 'symbolic' or 'quadrature', got 'monte_carlo'"):
        four.difference("monte_carlo")
