"""The categorical distribution: conventions, agreement with the Bernoulli, corners and faces."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import igviz as ig

P = ig.Categorical([0.2, 0.5, 0.3])


def exact(p):
    """Probabilities as numbers with sum exactly 1."""
    numbers = [mpmath.mpf(float(v)) for v in p.probabilities]
    total = sum(numbers)
    return [v / total for v in numbers]


def exact_kl(p, q):
    return sum(a * mpmath.log(a / b) for a, b in zip(exact(p), exact(q), strict=True) if a > 0)


def exact_distance(p, q):
    with mpmath.workdps(200):
        cosine = sum(mpmath.sqrt(a * b) for a, b in zip(exact(p), exact(q), strict=True))
        return 2 * mpmath.acos(min(cosine, mpmath.mpf(1)))


def near(separation, seed, classes=4, size=25):
    rng = np.random.default_rng(seed)
    first = rng.dirichlet(np.ones(classes), size)
    second = first * (1.0 + separation * rng.uniform(-1.0, 1.0, (size, classes)))
    return ig.Categorical(first), ig.Categorical(second / second.sum(axis=-1, keepdims=True))


def test_coordinates_of_a_generic_point():
    np.testing.assert_array_equal(P.source, [0.2, 0.5])
    np.testing.assert_array_equal(P.expectation, [0.2, 0.5])
    np.testing.assert_allclose(P.natural, [np.log(2 / 3), np.log(5 / 3)], rtol=1e-15)
    np.testing.assert_allclose(P.log_partition(), np.log(1 + 2 / 3 + 5 / 3), rtol=1e-15)
    back = ig.Categorical.from_natural([np.log(2 / 3), np.log(5 / 3)])
    np.testing.assert_allclose(back.probabilities, [0.2, 0.5, 0.3], rtol=1e-15)


def test_fisher_of_a_generic_point_in_each_chart():
    np.testing.assert_allclose(P.fisher("source"), [[5 + 10 / 3, 10 / 3], [10 / 3, 2 + 10 / 3]], rtol=1e-15)
    np.testing.assert_allclose(P.fisher("expectation"), P.fisher("source"), rtol=0)
    np.testing.assert_allclose(P.fisher("natural"), [[0.16, -0.1], [-0.1, 0.25]], rtol=1e-15)


def test_observations_are_classes():
    np.testing.assert_allclose(P.pdf([0, 1, 2]), [0.2, 0.5, 0.3], rtol=1e-15)
    np.testing.assert_array_equal(P.pdf([0.5, 3, -1, np.inf]), 0.0)
    assert np.isnan(P.log_prob(np.nan)) and np.all(np.isnan(P.sufficient_statistics(np.nan)))
    np.testing.assert_array_equal(P.sufficient_statistics([0, 1, 2]), [[1, 0], [0, 1], [0, 0]])
    x = P.sample(20_000, np.random.default_rng(110))
    assert x.dtype.kind == "i" and set(np.unique(x)) == {0, 1, 2}
    error = np.sqrt(P.probabilities * (1 - P.probabilities) / 20_000)
    assert np.all(np.abs(np.bincount(x) / 20_000 - P.probabilities) < 5 * error)


def test_two_classes_are_a_bernoulli_with_class_0_as_its_1():
    rng = np.random.default_rng(111)
    a, b = rng.uniform(size=(2, 30))
    p, q = ig.Bernoulli(a), ig.Bernoulli(b)
    c, d = (ig.Categorical(np.stack([r, 1 - r], axis=-1)) for r in (a, b))
    for chart in p.charts:
        np.testing.assert_allclose(c.coordinates(chart), p.coordinates(chart), rtol=1e-12)
        np.testing.assert_allclose(c.fisher(chart), p.fisher(chart), rtol=1e-14)
    np.testing.assert_allclose(c.kl(d), p.kl(q), rtol=1e-13)
    np.testing.assert_allclose(c.entropy(), p.entropy(), rtol=1e-14)
    np.testing.assert_allclose(ig.fisher_rao_distance(c, d), ig.fisher_rao_distance(p, q), rtol=1e-14)
    np.testing.assert_allclose(ig.chernoff_information(c, d), ig.chernoff_information(p, q), rtol=1e-13)
    np.testing.assert_array_equal(c.log_prob(0), p.log_prob(1))
    for kind in ("fisher-rao", "natural", "expectation"):
        there, here = ig.geodesic(c, d, kind)([0.2, 0.7]), ig.geodesic(p, q, kind)([0.2, 0.7])
        np.testing.assert_allclose(there.probabilities[..., 0], here.probability, rtol=1e-12)


@pytest.mark.parametrize("separation", [1.0, 1e-1, 1e-3, 1e-5, 1e-8, 1e-12])
def test_kl_and_distance_keep_their_digits(separation):
    p, q = near(separation, seed=112)
    for kl, distance, a, b in zip(p.kl(q), ig.fisher_rao_distance(p, q), p, q, strict=True):
        # the sums of probabilities miss 1 by 1e-16, which enters squared
        expected = exact_kl(a, b)
        assert abs(float(kl) - expected) < 5e-15 * expected + 1e-31
        expected = exact_distance(a, b)
        assert abs(float(distance) - expected) < 5e-15 * expected + 1e-31 / expected


def test_naive_twins():
    p, q = near(1.0, seed=113)
    a, b = p.probabilities, q.probabilities
    np.testing.assert_allclose(p.kl(q), np.sum(a * np.log(a / b), axis=-1), rtol=1e-12)
    naive = 2 * np.arccos(np.sum(np.sqrt(a * b), axis=-1))
    np.testing.assert_allclose(ig.fisher_rao_distance(p, q), naive, rtol=1e-10)


def test_a_sum_near_one_is_mended_and_a_copy_is_a_copy():
    p = ig.Categorical([0.2, 0.5, 0.3 + 5e-10])
    assert abs(p.probabilities.sum() - 1) < 1e-15
    assert ig.Categorical(p.probabilities) == p
    tenths = ig.Categorical(np.full(10, 0.1))
    np.testing.assert_array_equal(tenths.probabilities, 0.1)


def test_rare_last_class():
    p = ig.Categorical.from_natural([40.0, 1.0])
    np.testing.assert_allclose(p.natural, [40.0, 1.0], rtol=1e-14)
    np.testing.assert_allclose(p.fisher("natural")[0, 0], (1 + np.e) * np.exp(-40.0), rtol=1e-14)
    q = ig.Categorical.from_natural([-40.0, -41.0])
    np.testing.assert_allclose(q.log_partition(), np.exp(-40.0) + np.exp(-41.0), rtol=1e-14)


# -- corners and faces --------------------------------------------------------------------------------------


CORNERS = ig.Categorical(np.eye(3))


def test_kl_at_corners_and_on_faces():
    assert CORNERS[0].kl(P) == -np.log(0.2)
    assert P.kl(CORNERS[0]) == np.inf
    assert CORNERS[0].kl(CORNERS[1]) == np.inf
    face = ig.Categorical([0.4, 0.6, 0.0])
    np.testing.assert_allclose(face.kl(P), 0.4 * np.log(2) + 0.6 * np.log(1.2), rtol=1e-14)
    assert P.kl(face) == np.inf and face.kl(face) == 0.0
    np.testing.assert_array_equal(CORNERS.entropy(), 0.0)
    np.testing.assert_array_equal(CORNERS.log_partition(), [np.inf, np.inf, 0.0])
    np.testing.assert_array_equal(CORNERS.sample(4, np.random.default_rng(0)), [[0, 1, 2]] * 4)


def test_metric_at_corners_and_on_faces():
    np.testing.assert_array_equal(CORNERS.fisher("natural"), 0.0)
    source = CORNERS.fisher("source")
    np.testing.assert_array_equal(source[0], np.inf)
    np.testing.assert_array_equal(source[2], [[np.inf, 1.0], [1.0, np.inf]])
    face = ig.Categorical([0.0, 0.4, 0.6])
    np.testing.assert_allclose(face.fisher("natural"), [[0.0, 0.0], [0.0, 0.24]], rtol=1e-15)
    np.testing.assert_allclose(
        face.fisher("source"), [[np.inf, 1 / 0.6], [1 / 0.6, 2.5 + 1 / 0.6]], rtol=1e-15
    )


def test_natural_coordinates_end_at_the_boundary():
    message = (
        r"Categorical: probabilities must be positive to have natural coordinates, got 0.0 at index \(1,\)"
    )
    face = ig.Categorical([0.4, 0.0, 0.6])
    for call in (
        lambda: face.natural,
        lambda: face.jacobian("source", "natural"),
        lambda: ig.geodesic(P, face, "natural"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_corners_are_pi_apart():
    distances = ig.fisher_rao_distance(CORNERS[:, None], CORNERS)
    np.testing.assert_allclose(distances, np.pi * (1 - np.eye(3)), rtol=1e-15, atol=0)
    centre = ig.Categorical(np.full(3, 1 / 3))
    np.testing.assert_allclose(ig.fisher_rao_distance(centre, CORNERS), 2 * np.arccos(3**-0.5), rtol=1e-15)


def test_paths_along_an_edge_and_to_a_corner():
    edge = ig.geodesic(CORNERS[0], CORNERS[1])
    np.testing.assert_allclose(edge(1 / 3).probabilities, [0.75, 0.25, 0.0], atol=1e-15)
    np.testing.assert_allclose(edge.length(), np.pi, rtol=1e-10)
    np.testing.assert_allclose(ig.geodesic(CORNERS[0], CORNERS[1], "expectation").length(), np.pi, rtol=1e-9)
    inward = ig.geodesic(CORNERS[0], P)
    np.testing.assert_array_equal(inward(0.0).probabilities, [1.0, 0.0, 0.0])
    np.testing.assert_allclose(inward.length(), ig.fisher_rao_distance(CORNERS[0], P), rtol=1e-10)
    with pytest.raises(
        ValueError, match=r"has no point at t = -0.1 \(Categorical: the path ends at the boundary"
    ):
        inward(-0.1)


def test_the_path_is_a_great_circle():
    p, q = near(1.0, seed=114, classes=3)
    points = 2.0 * np.sqrt(ig.geodesic(p, q)(np.linspace(0, 1, 9)).probabilities)
    np.testing.assert_allclose(np.linalg.norm(points, axis=-1), 2.0, rtol=1e-15)
    normal = np.cross(points[0], points[-1])
    assert np.max(np.abs(np.sum(normal * points, axis=-1))) < 1e-14
    # equal steps are equal angles
    cosines = np.sum(points[1:] * points[:-1], axis=-1) / 4.0
    np.testing.assert_allclose(cosines, np.broadcast_to(cosines[0], cosines.shape), rtol=1e-14)


def test_mixtures_of_categoricals_are_the_m_geodesic():
    p, q = near(1.0, seed=115)
    m = ig.geodesic(p, q, "expectation")(0.3)
    np.testing.assert_allclose(m.probabilities, 0.7 * p.probabilities + 0.3 * q.probabilities, rtol=1e-14)
    x = np.arange(4)[:, None]
    e = ig.geodesic(p, q, "natural")(0.3)
    ratio = e.log_prob(x) - 0.7 * p.log_prob(x) - 0.3 * q.log_prob(x)
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[0], ratio.shape), rtol=1e-12, atol=1e-15)


def test_rounding_at_the_boundary():
    rng = np.random.default_rng(116)
    left, right = rng.dirichlet(np.ones(3), 200), rng.dirichlet(np.ones(3), 200)
    p = ig.Categorical(np.concatenate([left, 0 * left], axis=-1))
    q = ig.Categorical(np.concatenate([0 * right, right], axis=-1))
    distances = ig.fisher_rao_distance(p, q)
    assert np.all(distances <= np.pi)
    assert ig.Categorical.from_source([0.5, 0.5 + 5e-10]).probabilities[2] == 0.0
    np.testing.assert_allclose(distances, np.pi, rtol=1e-15)
    # a class that neither end allows stays out, though the others need not add to 1 in floating point
    mixed = ig.geodesic(p[:100], p[100:], "expectation")([0.1, 0.4, 0.7])
    np.testing.assert_array_equal(mixed.probabilities[..., 3:], 0.0)


@pytest.mark.parametrize(("uniform", "expected"), [(0.0, 1), (1.0 - 2.0**-53, 10)])
def test_classes_without_probability_are_never_drawn(uniform, expected):
    class Constant(np.random.Generator):
        def random(self, *args, **kwargs):
            return np.full(args[0], uniform)

    # in floating point ten tenths add to less than 1
    p = ig.Categorical([0.0, *[0.1] * 10, 0.0])
    np.testing.assert_array_equal(p.sample(3, Constant(np.random.PCG64(0))), expected)
