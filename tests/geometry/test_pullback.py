"""Decoders pull the Fisher metric back: against the Hessian of KL, SymPy, sums over pixels, and refusals."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy
from scipy.special import expit

import igviz as ig
from igviz.geometry import differences

KINDS = ("logits", "probabilities", "means and stds")


def affine(k: int, pixels: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(10 * k + pixels)
    return rng.normal(size=(k, pixels)), rng.normal(size=pixels)


def logits(k: int):
    """A smooth decoder of k latent numbers, for points of any leading axes."""
    weights, biases = affine(k)
    return lambda z: 2.0 * np.sin(z @ weights + biases) + 0.3 * (z @ weights) ** 2 - 0.7


def decoder(kind: str, k: int):
    made = logits(k)
    if kind == "logits":
        return made
    if kind == "probabilities":
        return lambda z: expit(made(z))
    return lambda z: np.concatenate([made(z), 0.4 + np.exp(0.3 * made(z))], axis=-1)


def points(k: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(k).normal(size=(*shape, k))


def hessian_of_kl(geometry: ig.PullbackGeometry, z: np.ndarray, first: bool) -> np.ndarray:
    """The second derivatives of KL at z itself, in its first or its second argument."""

    def value(moved):
        return geometry.kl(moved, z) if first else geometry.kl(z, moved)

    def slope(moved):
        return differences.gradient(value, moved, np.ones_like(moved))

    return differences.gradient(slope, z, np.ones_like(z))


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_metric_is_the_hessian_of_both_kls(kind, k):
    geometry = ig.PullbackGeometry(decoder(kind, k), kind)
    z = points(k, 5)
    metric = geometry.metric(z)
    np.testing.assert_array_equal(metric, np.swapaxes(metric, -1, -2))
    assert np.all(np.linalg.eigvalsh(metric) > 0.0)
    size = np.max(np.abs(metric))
    for first in (False, True):
        for at, expected in zip(z, metric, strict=True):
            np.testing.assert_allclose(hessian_of_kl(geometry, at, first), expected, atol=2e-8 * size)


@pytest.mark.parametrize("kind", KINDS)
def test_the_metric_of_two_pixels_is_sympys(kind):
    a, b, u, v = sympy.symbols("a b u v", real=True)
    first, second = a + a * b / 3, sympy.sin(b) - a**2 / 5
    other = {a: u, b: v}
    if kind == "means and stds":
        stds = sympy.exp(a / 2 - b), 1 + b**2 + a / 4
        made = [first, second, *stds]
        kl = sum(
            sympy.log(s.subs(other) / s) + (s**2 + (m - m.subs(other)) ** 2) / (2 * s.subs(other) ** 2)
            for m, s in zip((first, second), stds, strict=True)
        )
    else:
        ps = [1 / (1 + sympy.exp(-f)) for f in (first, second)]
        made = [first, second] if kind == "logits" else ps
        kl = sum(
            p * sympy.log(p / p.subs(other)) + (1 - p) * sympy.log((1 - p) / (1 - p.subs(other))) for p in ps
        )
    values = {a: 0.3, b: -0.7}
    hessian = sympy.hessian(kl, (u, v)).subs({u: a, v: b}).subs(values)
    function = sympy.lambdify((a, b), made, "numpy")
    geometry = ig.PullbackGeometry(lambda z: np.stack(function(z[:, 0], z[:, 1]), axis=-1), kind)
    np.testing.assert_allclose(
        geometry.metric([0.3, -0.7]), np.array(hessian, dtype=float), rtol=1e-9, atol=1e-10
    )


def test_logits_and_probabilities_say_the_same():
    z = points(2, 4, 3)
    by_logits, by_probabilities = (ig.PullbackGeometry(decoder(kind, 2), kind) for kind in KINDS[:2])
    np.testing.assert_allclose(by_logits.metric(z), by_probabilities.metric(z), rtol=1e-9)
    np.testing.assert_allclose(by_logits.volume_element(z), by_probabilities.volume_element(z), rtol=1e-9)
    np.testing.assert_allclose(by_logits.kl(z[:1], z), by_probabilities.kl(z[:1], z), rtol=1e-9)
    (sum1, slope1), (sum2, slope2) = (g.both_ways(z[0]) for g in (by_logits, by_probabilities))
    np.testing.assert_allclose(sum1, sum2, rtol=1e-12)
    np.testing.assert_allclose(slope1, slope2, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_other_latent_coordinates_carry_the_metric_along(kind):
    def old(y):
        return np.stack([y[..., 0] + 0.3 * np.sin(y[..., 1]), y[..., 1] + 0.1 * y[..., 0] ** 3], axis=-1)

    made = decoder(kind, 2)
    there, here = ig.PullbackGeometry(lambda y: made(old(y)), kind), ig.PullbackGeometry(made, kind)
    y = points(2, 7)
    jacobian = differences.gradient(old, y, np.ones_like(y))
    expected = np.swapaxes(jacobian, -1, -2) @ here.metric(old(y)) @ jacobian
    np.testing.assert_allclose(there.metric(y), expected, rtol=1e-8, atol=1e-9)
    volume = here.volume_element(old(y)) * np.abs(np.linalg.det(jacobian))
    np.testing.assert_allclose(there.volume_element(y), volume, rtol=1e-8)


def test_the_variance_alone_moves_a_normal_decoder():
    geometry = ig.PullbackGeometry(
        lambda z: np.stack([np.full(len(z), 1.3), 0.5 + z[:, 0] ** 2], axis=-1), "means and stds"
    )
    z = np.array([0.9])
    std, slope = 0.5 + 0.9**2, 1.8
    np.testing.assert_allclose(geometry.metric(z), [[2.0 * slope**2 / std**2]], rtol=1e-11)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_differences_do_as_well_as_the_network_itself(k):
    network = ig.VAE(latent=k, hidden=(7, 5), seed=3)
    network.make(9, 0.4)
    own = ig.PullbackGeometry(network.decoder)
    plain = ig.PullbackGeometry(lambda z: network.decoder(z))
    given = ig.PullbackGeometry(lambda z: network.decoder(z), jacobian=network.decoder.jacobian)
    z = points(k, 2, 3)
    assert own.jacobian(z).shape == (2, 3, 9, k)
    np.testing.assert_allclose(plain.jacobian(z), own.jacobian(z), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(given.metric(z), own.metric(z))
    for geometry in (own, plain):
        one = geometry.metric(z[1, 2])
        assert one.shape == (k, k)
        np.testing.assert_allclose(one, geometry.metric(z)[1, 2], rtol=1e-12, atol=1e-15)
        assert geometry.outputs(z[1, 2]).shape == (9,)
        assert np.shape(geometry.kl(z[0, 0], z[1, 1])) == np.shape(geometry.volume_element(z[0, 0])) == ()
        assert geometry.kl(z[0, 0], z).shape == geometry.volume_element(z).shape == (2, 3)


def test_a_readers_function_of_rows_is_enough():
    geometry = ig.PullbackGeometry(lambda z: np.stack([z[:, 0] * z[:, 1], z[:, 0] - z[:, 1]], axis=-1))
    z = points(2, 3, 2)
    assert geometry.metric(z).shape == (3, 2, 2, 2)
    np.testing.assert_allclose(geometry.metric(z)[2, 1], geometry.metric(z[2, 1]), rtol=1e-12)
    assert geometry.outputs(np.empty((0, 2))).shape == (0, 2)


# -- KL ----------------------------------------------------------------------------------------------------


def test_kl_is_the_sum_over_the_pixels():
    z, other = points(2, 6), points(2, 1) + 0.4
    p, q = (expit(logits(2)(at)) for at in (z, other))
    expected = np.sum(ig.Bernoulli(p).kl(ig.Bernoulli(q)), axis=-1)
    for kind in KINDS[:2]:
        found = ig.PullbackGeometry(decoder(kind, 2), kind).kl(z, other)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    normal = decoder(KINDS[2], 2)
    (m, s), (n, t) = (np.split(normal(at), 2, axis=-1) for at in (z, other))
    expected = np.sum(ig.Normal(m, s).kl(ig.Normal(n, t)), axis=-1)
    np.testing.assert_allclose(ig.PullbackGeometry(normal, KINDS[2]).kl(z, other), expected, rtol=1e-12)


def identity(kind: str) -> ig.PullbackGeometry:
    """The outputs are the latent numbers themselves."""
    return ig.PullbackGeometry(
        lambda z: z, kind, jacobian=lambda z: np.tile(np.eye(z.shape[1]), (len(z), 1, 1))
    )


def exact_kl(kind: str, first: np.ndarray, second: np.ndarray) -> mpmath.mpf:
    if kind == "means and stds":
        (m, s), (n, t) = (map(mpmath.mpf, map(float, one)) for one in (first, second))
        return mpmath.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - mpmath.mpf(1) / 2
    p, q = (mpmath.mpf(float(one[0])) for one in (first, second))
    if kind == "logits":
        p, q = 1 / (1 + mpmath.exp(-p)), 1 / (1 + mpmath.exp(-q))
    return p * mpmath.log(p / q) + (1 - p) * mpmath.log((1 - p) / (1 - q))


PAIRS = {
    "logits": [
        (a, b)
        for a in (-700.0, -40.0, -1.5, 0.0, 0.3, 40.0, 41.0, 100.0)
        for b in (a + 1e-8, a - 0.999, a + 1.001, 40.0, -40.0, -a + 0.2)
    ],
    "probabilities": [(p, q) for p in (1e-9, 0.2, 0.5, 0.9) for q in (p * (1 + 1e-8), 0.3, 1e-12, 0.999)],
}


@pytest.mark.parametrize("kind", ["logits", "probabilities"])
def test_kl_of_bernoulli_pixels_keeps_its_digits(kind):
    first, second = (np.array(column)[:, None] for column in zip(*PAIRS[kind], strict=True))
    geometry = identity(kind)
    found, back = geometry.kl(first, second), geometry.kl(second, first)
    with mpmath.workdps(400):
        there = [float(exact_kl(kind, a, b)) for a, b in zip(first, second, strict=True)]
        again = [float(exact_kl(kind, b, a)) for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(found, there, rtol=2e-12)
    np.testing.assert_allclose(back, again, rtol=2e-12)
    sums = [geometry.both_ways(np.stack([a, b]))[0] for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(sums, np.add(there, again), rtol=2e-12)


def test_kl_of_normal_pixels_keeps_its_digits():
    geometry = identity("means and stds")
    for first in np.array([[0.3, 1.7], [-4.0, 1e-3], [0.0, 20.0]]):
        for second in (
            first * (1 + 1e-8),
            first * [1, 1 + 1e-8],
            first + np.array([1.0, 0.2]),
            first * [1, 1e12],
        ):
            with mpmath.workdps(60):
                there, again = (float(exact_kl("means and stds", *pair)) for pair in
                                ((first, second), (second, first)))  # fmt: skip
            np.testing.assert_allclose(geometry.kl(first, second), there, rtol=2e-12)
            np.testing.assert_allclose(geometry.both_ways([first, second])[0], there + again, rtol=2e-12)


def test_pixels_that_are_sure_to_all_digits_differ_by_their_logits():
    np.testing.assert_allclose(identity("logits").kl([800.0], [-800.0]), 1600.0 - 800.0, rtol=1e-14)
    assert identity("logits").kl([-800.0], [-900.0]) == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_the_sum_of_both_kls_and_its_gradient(kind):
    geometry = ig.PullbackGeometry(decoder(kind, 2), kind)
    curve = points(2, 9)
    value, slope = geometry.both_ways(curve)
    there, back = geometry.kl(curve[:-1], curve[1:]), geometry.kl(curve[1:], curve[:-1])
    np.testing.assert_allclose(value, np.sum(there + back), rtol=1e-12)
    np.testing.assert_allclose(geometry.kl_steps(curve), 0.5 * (there + back), rtol=1e-12)

    def flat(rows):
        return np.array([geometry.both_ways(row.reshape(9, 2))[0] for row in rows.reshape(-1, 18)]).reshape(
            rows.shape[:-1]
        )

    expected = differences.gradient(flat, curve.ravel(), np.ones(18)).reshape(9, 2)
    np.testing.assert_allclose(slope, expected, rtol=1e-8, atol=1e-8 * np.max(np.abs(expected)))


# -- volume ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_volume_element_is_the_root_of_the_determinant(kind, k):
    geometry = ig.PullbackGeometry(decoder(kind, k), kind)
    z = points(k, 8)
    expected = np.sqrt(np.linalg.det(geometry.metric(z)))
    np.testing.assert_allclose(geometry.volume_element(z), expected, rtol=1e-9)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_where_outputs_do_not_change_there_is_no_volume(k):
    still = ig.PullbackGeometry(lambda z: np.full((len(z), 4), 0.3))
    np.testing.assert_array_equal(still.volume_element(points(k, 5)), 0.0)
    np.testing.assert_array_equal(still.metric(points(k, 5)), 0.0)
    if k > 1:
        one_way = ig.PullbackGeometry(lambda z: z[:, :1] * np.array([1.0, -0.4, 2.0]))
        np.testing.assert_array_equal(one_way.volume_element(points(k, 5)), 0.0)
    sure = ig.PullbackGeometry(lambda z: 1e4 * (2.0 + z @ np.ones((k, 5))), jacobian=lambda z: np.full(
        (len(z), 5, k), 1e4))  # fmt: skip
    np.testing.assert_array_equal(sure.volume_element(np.abs(points(k, 5))), 0.0)


def test_a_thin_volume_keeps_its_digits():
    thin = np.array([[1.0, 1.0], [0.0, 1e-11]])
    geometry = ig.PullbackGeometry(
        lambda z: z @ thin.T, "logits", jacobian=lambda z: np.tile(thin, (len(z), 1, 1))
    )
    np.testing.assert_allclose(geometry.volume_element([0.0, 0.0]), 0.25e-11, rtol=1e-4)


# -- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "returned", "words"),
    [
        ("logits", [np.nan, 1.0], "decoder must return finite numbers"),
        ("logits", [np.inf, 1.0], "decoder must return finite numbers"),
        ("probabilities", [0.3, 1.0], "strictly between 0 and 1, got 1"),
        ("probabilities", [0.3, -0.2], "strictly between 0 and 1, got -0.2"),
        ("means and stds", [0.3, 1.0, 2.0], "as many standard deviations as means, got 3"),
        ("means and stds", [0.3, 1.0, 2.0, 0.0], "positive standard deviations, got 0"),
        ("logits", [], r"shape \(3, D\) for 3 points"),
    ],
)
def test_outputs_that_are_no_parameters_are_refused(outputs, returned, words):
    geometry = ig.PullbackGeometry(lambda z: np.tile(returned, (len(z), 1)), outputs)
    for method in (geometry.outputs, geometry.metric, geometry.volume_element):
        with pytest.raises(ValueError, match=words):
            method(np.ones((3, 2)))


def test_wrong_arguments_are_refused():
    with pytest.raises(TypeError, match="decoder must be a function"):
        ig.PullbackGeometry(3.0)
    with pytest.raises(TypeError, match="jacobian must be a function"):
        ig.PullbackGeometry(np.sin, jacobian=2)
    with pytest.raises(ValueError, match="outputs must be one of 'logits'"):
        ig.PullbackGeometry(np.sin, "odds")
    geometry = ig.PullbackGeometry(lambda z: z)
    for wrong in (1.0, [np.nan, 0.0], [], "text", [[1.0, 2.0], [3.0]]):
        with pytest.raises(ValueError, match=r"PullbackGeometry\.metric: z must be"):
            geometry.metric(wrong)
    with pytest.raises(ValueError, match=r"curve must have shape \(\.\.\., n, k\)"):
        geometry.both_ways([1.0, 2.0])


def test_wrong_shapes_are_refused():
    flat = ig.PullbackGeometry(lambda z: np.sum(z, axis=-1))
    with pytest.raises(ValueError, match=r"shape \(4, D\) for 4 points, got shape \(4,\)"):
        flat.metric(np.ones((4, 2)))
    with pytest.raises(ValueError, match=r"shape \(4, D\) for 4 points, got shape \(5, 2\)"):
        ig.PullbackGeometry(lambda z: np.ones((5, 2))).outputs(np.ones((4, 2)))
    turned = ig.PullbackGeometry(lambda z: z @ np.ones((2, 3)), jacobian=lambda z: np.ones((len(z), 2, 3)))
    with pytest.raises(ValueError, match=r"jacobian must return an array of shape \(4, 3, 2\)"):
        turned.metric(np.ones((4, 2)))
    missing = ig.PullbackGeometry(lambda z: z, jacobian=lambda z: np.full((len(z), 2, 2), np.nan))
    with pytest.raises(ValueError, match="jacobian must return finite numbers"):
        missing.metric(np.ones((4, 2)))
