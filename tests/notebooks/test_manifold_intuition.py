"""What lecture 01 types out agrees with what igviz computes."""

from __future__ import annotations

import numpy as np
import pytest

import igviz as ig
from igviz.models import skewed_posterior
from tests.notebooks.typed import Typed


@pytest.fixture(scope="module")
def typed() -> Typed:
    return Typed("01_manifold_intuition")


def test_the_typed_distance_is_the_library_s(typed):
    fisher_rao = typed.after("def fisher_rao")["fisher_rao"]
    rng = np.random.default_rng(2)
    mean, std = rng.normal(0, 3, (2, 200)), rng.uniform(0.2, 4, (2, 200))
    by_hand = fisher_rao(mean[0], std[0], mean[1], std[1])
    library = ig.fisher_rao_distance(ig.Normal(mean[0], std[0]), ig.Normal(mean[1], std[1]))
    np.testing.assert_allclose(by_hand, library, rtol=1e-10)


def test_the_typed_posterior_is_the_running_example(typed):
    names = typed.after("def kl_from_posterior")
    z = np.linspace(-14, 8, 8801)
    np.testing.assert_allclose(names["z"], z)
    np.testing.assert_allclose(names["posterior"], skewed_posterior.posterior_pdf(z), rtol=1e-9, atol=1e-300)


def test_the_moment_matched_bell_has_the_least_kl(typed):
    names = typed.after("def kl_from_posterior")
    mean, std = skewed_posterior.posterior_moments()
    least = names["kl_from_posterior"](mean, std)
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        there = mean + 1e-3 * np.cos(angle), std + 1e-3 * np.sin(angle)
        assert names["kl_from_posterior"](*there) > least


def test_the_typed_geodesics_are_the_library_s(typed):
    names = typed.after("m = ig.Normal.from_expectation")
    p, q = ig.Normal(0, 1), ig.Normal(4, 1.5)
    for kind, name in (("natural", "e"), ("expectation", "m")):
        there = ig.geodesic(p, q, kind)(0.3)
        assert ig.fisher_rao_distance(names[name], there) < 1e-12


def test_every_solution_is_correct_and_no_stub_is_answered(typed):
    names = typed.last
    for number in range(1, 6):
        assert ig.check(f"01.{number}", names[f"solution_{number}"]).correct
        assert not ig.check(f"01.{number}", names[f"answer_{number}"]).correct
