"""What lecture 03 types out agrees with what igviz computes."""

from __future__ import annotations

import re

import numpy as np
import pytest

import igviz as ig
from igviz.models import skewed_posterior
from tests.notebooks.typed import Typed


@pytest.fixture(scope="module")
def typed() -> Typed:
    return Typed("03_kl_quadratic_approximation")


def test_the_typed_divergence_is_the_library_s(typed):
    kl = typed.after("def kl(")["kl"]
    p, q = ig.Normal(1.3, 0.7), ig.Normal(-0.4, 1.9)
    assert float(kl(1.3, 0.7, -0.4, 1.9)) == pytest.approx(p.kl(q), rel=1e-12)
    assert float(kl(-0.4, 1.9, 1.3, 0.7)) == pytest.approx(q.kl(p), rel=1e-12)


def test_the_typed_cubic_tensor_is_the_library_s(typed):
    names = typed.after("A_along")
    for mean, std, step in ((1.3, 0.7, (0.3, -0.2)), (-2.0, 1.9, (-0.4, 0.5))):
        values = {names["m"]: mean, names["s"]: std, names["a"]: step[0], names["b"]: step[1]}
        tensor = ig.cubic_tensor(ig.Normal(mean, std), "source")
        library = np.einsum("ijk,i,j,k", tensor, step, step, step)
        assert float(names["T"].subs(values)) == pytest.approx(library, rel=1e-12)
        by_hand = names["third"][1] - names["third"][0]
        assert float(by_hand.subs(values)) == pytest.approx(library / 6, rel=1e-12)


def test_the_typed_slopes_are_three_and_four_at_generic_places(typed):
    slopes = typed.after("def slopes")["slopes"]
    for p in (ig.Normal(-0.6, 1.4), ig.Gamma(2.5, 0.8)):
        for chart in ("source", "natural"):
            found = slopes(p, [0.2, 0.3], chart)
            np.testing.assert_allclose(found[:3], 3.0, atol=0.2)
            assert found[3] == pytest.approx(4.0, abs=0.25)


def test_the_typed_landscape_is_the_running_example_s(typed):
    landscape = typed.after("def L(")["L"]
    normals = ig.Normal([0.3, -1.2, 0.9], [0.4, 0.5, 1.7])
    gap = landscape(normals.mean, normals.std) - skewed_posterior.elbo(normals)
    np.testing.assert_allclose(gap, gap[0], atol=1e-12)


def test_the_typed_natural_gradient_is_the_steepest_direction(typed):
    names = typed.after("def L(")
    start, natural = names["start"], names["natural"]
    gradient = skewed_posterior.elbo_gradient(start)
    np.testing.assert_allclose(names["gradient"], gradient, rtol=1e-7)
    np.testing.assert_allclose(natural, np.linalg.solve(start.fisher(), gradient), rtol=1e-7)
    ball = ig.kl_ball(start, 1e-6, "KL(q‖p)", count=200_001)
    best = ball[int(np.argmax(names["L"](ball.mean, ball.std)))].source - start.source
    turn = np.arctan2(*best[::-1]) - np.arctan2(*natural[::-1])
    assert abs(turn) < 1e-3


def test_what_the_ordinary_gradient_gains_less_is_as_the_text_says(typed):
    def share(p, chart):
        gradient = p.jacobian("source", chart).T @ skewed_posterior.elbo_gradient(p)
        fisher = p.fisher(chart)
        best = gradient @ np.linalg.solve(fisher, gradient)
        return gradient @ gradient / np.sqrt((gradient @ fisher @ gradient) * best)

    for p in ig.Normal(np.linspace(-3, 3, 40), np.linspace(0.2, 3, 40)[::-1]):
        assert share(p, "source") >= 2 * np.sqrt(2) / 3 - 1e-12
    assert share(ig.Normal(-1.2, 0.3), "natural") == pytest.approx(0.36, abs=0.005)
    assert share(ig.Normal(1.5, 1.5), "expectation") == pytest.approx(0.33, abs=0.005)
    panel = ig.panels.kl_quadratic_approximation.steepest_ascent()
    best, circle = (float(word) for word in re.findall(r"([\d.]+) nats up", panel.sentence))
    panel.close()
    assert 1 - circle / best == pytest.approx(0.03, abs=0.005)


def test_a_divergence_between_normals_is_infinite_once_the_variance_is_twice_as_large():
    p = ig.Normal(0.0, 1.0)
    assert np.isfinite(ig.alpha_divergence(p, ig.Normal(0.5, np.sqrt(1.99)), 3))
    assert np.isinf(ig.alpha_divergence(p, ig.Normal([0.0, 0.5], np.sqrt(2.0)), 3)).all()


def test_the_typed_bregman_divergence_has_the_library_s_order(typed):
    names = typed.after("def mean_of_t")
    p, q = names["p"], names["q"]
    by_library = ig.bregman_divergence(names["A"], names["mean_of_t"], q.natural, p.natural)
    assert by_library == pytest.approx(p.kl(q), rel=1e-10)
    assert names["left"] == pytest.approx(names["right"], rel=1e-10)
    assert names["left"] == pytest.approx(ig.pythagorean_residual(p, q, names["r"]), rel=1e-10)


def test_matching_pairs_obey_pythagoras_and_vi_does_not(typed):
    names = typed.after("e_flat, m_flat")
    p, r = names["p"], names["r"]
    m_onto_e = ig.m_projection(p, names["e_flat"])
    e_onto_m = ig.e_projection(p, names["m_flat"])
    of_vi = ig.e_projection(p, names["e_flat"])
    assert abs(p.kl(r) - p.kl(m_onto_e) - m_onto_e.kl(r)) < 1e-10
    assert abs(r.kl(p) - r.kl(e_onto_m) - e_onto_m.kl(p)) < 1e-10
    assert abs(p.kl(r) - p.kl(of_vi) - of_vi.kl(r)) > 0.1
    assert abs(r.kl(p) - r.kl(of_vi) - of_vi.kl(p)) > 0.1


def test_every_solution_is_correct_and_no_stub_is_answered(typed):
    for number in range(1, 6):
        assert ig.check(f"03.{number}", typed.last[f"solution_{number}"]).correct
        assert not ig.check(f"03.{number}", typed.last[f"answer_{number}"]).correct
