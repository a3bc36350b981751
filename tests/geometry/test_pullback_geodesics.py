"""Shortest curves in latent space: known surfaces, independent lengths and solvers, the lecture's decoder."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

import igviz as ig
from igviz.geometry import differences
from igviz.geometry.pullback_geodesics import _Energy, curve, velocity
from igviz.models import digit_vaes
from igviz.models.images import digits

# mean z₁ and std exp(z₂): the half-plane
NORMAL = ig.PullbackGeometry(lambda z: np.stack([z[:, 0], np.exp(z[:, 1])], axis=-1), "means and stds")


@pytest.fixture(scope="module")
def vae():
    return digit_vaes.lecture()


@pytest.fixture(scope="module")
def plain(vae):
    return ig.PullbackGeometry(vae.decoder)


@pytest.fixture(scope="module")
def cured(vae):
    return ig.PullbackGeometry(ig.UncertainDecoder(vae.decoder, vae.encode(digits().training).mean))


@pytest.fixture(scope="module")
def pairs(vae):
    rng = np.random.default_rng(1)
    codes = vae.encode(digits().test).mean
    return [codes[rng.choice(len(codes), 2, replace=False)] for _ in range(30)]


@pytest.fixture(scope="module")
def found(plain, pairs):
    return [plain.geodesic(*pair) for pair in pairs]


def brute_force(geometry, path, points=8001):
    """The length of a fine polygon, by the metric in the middle of each side."""
    at = curve(path.start, path.end, path.waves, np.linspace(0.0, 1.0, points))
    step, middle = np.diff(at, axis=0), 0.5 * (at[1:] + at[:-1])
    return float(np.sum(np.sqrt(np.einsum("ni,nij,nj->n", step, geometry.metric(middle), step))))


def uneven(steps):
    return np.ptp(steps) / np.mean(steps)


# -- known surfaces ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ([0.2, -0.3], [1.5, 0.6]),
        ([-2.0, 0.1], [2.5, -0.2]),
        ([0.4, -1.0], [0.4, 1.2]),
        ([0.1, 2.0], [-3, -1]),
    ],
)
def test_normal_pixels_have_the_half_plane(start, end):
    path = NORMAL.geodesic(start, end)
    p, q = (ig.Normal(z[0], np.exp(z[1])) for z in (start, end))
    distance = ig.fisher_rao_distance(p, q)
    np.testing.assert_allclose(path.length, distance, rtol=1e-4)
    assert path.length > distance * (1.0 - 1e-7)
    along = ig.geodesic(p, q, "fisher-rao")
    t = np.linspace(0.0, 1.0, 9)
    expected = np.stack([along(t).mean, np.log(along(t).std)], axis=-1)
    np.testing.assert_allclose(path(t), expected, atol=2e-2)


def test_one_pixel_has_a_great_circle():
    for geometry in (ig.PullbackGeometry(lambda z: 2.0 * z - 0.3), ig.PullbackGeometry(
            lambda z: expit(2.0 * z - 0.3), "probabilities")):  # fmt: skip
        path = geometry.geodesic([-1.2], [2.4])
        p, q = expit(-2.7), expit(4.5)
        expected = 2.0 * (np.arcsin(np.sqrt(q)) - np.arcsin(np.sqrt(p)))
        np.testing.assert_allclose(path.length, expected, rtol=1e-6)
        assert path.length == path.straight_length
        middle = np.sin(0.5 * (np.arcsin(np.sqrt(p)) + np.arcsin(np.sqrt(q)))) ** 2
        np.testing.assert_allclose(expit(2.0 * path(0.5) - 0.3), [middle], rtol=1e-5)


def test_pixels_of_their_own_have_a_product_of_circles():
    geometry = ig.PullbackGeometry(lambda z: z)
    start, end = np.array([-2.0, 0.5, 1.0]), np.array([1.5, 3.0, -1.2])
    angles = 2.0 * (np.arcsin(np.sqrt(expit(end))) - np.arcsin(np.sqrt(expit(start))))
    path = geometry.geodesic(start, end)
    np.testing.assert_allclose(path.length, np.linalg.norm(angles), rtol=1e-5)
    assert path.length < 0.995 * path.straight_length


def test_other_units_do_not_matter():
    scale = np.array([1e3, 1e-2])
    other = ig.PullbackGeometry(
        lambda z: np.stack([z[:, 0] / scale[0], np.exp(z[:, 1] / scale[1])], axis=-1),
        "means and stds",
        lambda z: np.stack(
            [np.stack([np.full(len(z), 1e-3), np.zeros(len(z))], -1),
             np.stack([np.zeros(len(z)), np.exp(z[:, 1] / scale[1]) / scale[1]], -1)], axis=-2),
    )  # fmt: skip
    start, end = np.array([-1.0, 0.3]), np.array([1.4, -0.2])
    lengths = NORMAL.geodesic(start, end).length, other.geodesic(scale * start, scale * end).length
    np.testing.assert_allclose(*lengths, rtol=1e-4)


# -- the lecture's decoder ---------------------------------------------------------------------------------


def test_it_is_never_longer_than_the_straight_line(found):
    for path in found:
        assert path.length <= path.straight_length
    assert np.median([path.length / path.straight_length for path in found]) < 0.98


def test_lengths_are_measured_right(plain, cured, found):
    for path in found[:3]:
        np.testing.assert_allclose(path.length, brute_force(plain, path), rtol=1e-6)
        measured = plain.manifold().length(
            lambda t, path=path: curve(path.start, path.end, path.waves, t), pieces=80
        )
        np.testing.assert_allclose(path.length, measured, rtol=1e-6)
    across = cured.geodesic([-1.0, 0.5], [5.5, 1.0])
    np.testing.assert_allclose(across.length, brute_force(cured, across), rtol=1e-6)
    assert across.length <= across.straight_length


def test_it_is_the_same_both_ways(plain, found):
    for path in found[:6]:
        back = plain.geodesic(path.end, path.start)
        np.testing.assert_allclose(back.length, path.length, rtol=1e-3)


def test_near_points_have_the_geodesic_equations_length(plain, pairs):
    manifold = plain.manifold()
    for start, end in pairs[:3]:
        near = start + 0.05 * (end - start)
        path = plain.geodesic(start, near)
        np.testing.assert_allclose(path.length, manifold.distance(start, near), rtol=1e-5)
        halves = manifold.distance(path(0.5), [start, near])
        np.testing.assert_allclose(halves, 0.5 * path.length, rtol=2e-3)


def test_its_speed_is_constant(plain, found):
    t = np.linspace(0.0, 1.0, 33)
    for path in found:
        many = path.kl_steps(256)
        assert uneven(many) < 0.01
        # steps of equal length have equal KL up to the fourth order
        assert uneven(path.kl_steps(32)) < 0.12
        np.testing.assert_array_equal(path.kl_steps(32), plain.kl_steps(path(t)))
        np.testing.assert_allclose(np.sum(np.sqrt(2.0 * many)), path.length, rtol=1e-3)
    assert max(uneven(path.kl_steps(straight=True)) for path in found) > 1.0


def test_it_has_least_energy_among_its_neighbours(plain, found):
    rng = np.random.default_rng(0)
    path = found[0]
    orders = np.arange(1, len(path.waves) + 1)[:, None]
    for _ in range(5):
        moved = path.waves + 0.02 * rng.normal(size=path.waves.shape) / orders**2
        other = type(path)(plain, path.start, path.end, moved, *(None,) * 4)
        assert brute_force(plain, other, 2001) > path.length


def test_the_cure_keeps_curves_inside(plain, cured, found):
    paths = [cured.geodesic(path.start, path.end) for path in found[:5]]
    for path in paths:
        assert path.length <= path.straight_length
        assert uneven(path.kl_steps(1024)) < 0.03


def test_far_beyond_the_codes_nothing_breaks(plain, cured):
    # beyond the wall all points are one: the way round it has no length, the way through has
    around = cured.geodesic([-40.0, 3.0], [35.0, 0.0])
    assert around.length < 1e-9
    assert around.straight_length > 15.0
    inwards = cured.geodesic([-40.0, 3.0], [0.3, 0.0])
    assert 5.0 < inwards.length <= inwards.straight_length
    for path in (around, inwards, plain.geodesic([-40.0, 3.0], [35.0, 0.0])):
        points = path(np.linspace(0.0, 1.0, 65))
        assert np.all(np.isfinite(points))
        np.testing.assert_allclose(points[[0, -1]], [path.start, path.end], atol=1e-12)
        assert path.length <= path.straight_length
    outside = cured.geodesic([50.0, 50.0], [60.0, 50.0])
    assert outside.length == outside.straight_length == 0.0
    np.testing.assert_allclose(outside(0.5), [55.0, 50.0])


# -- parts -------------------------------------------------------------------------------------------------


def test_the_energy_and_its_gradient(monkeypatch, plain):
    caught = {}

    def catch(function, first, **_):
        caught["energy"] = function
        return type("Found", (), {"fun": function(first)[0], "x": first})

    monkeypatch.setattr("igviz.geometry.pullback_geodesics.minimize", catch)
    start, end = np.array([-1.0, 0.4]), np.array([0.8, -0.9])
    waves = 0.1 * np.random.default_rng(4).normal(size=(2, 3, 2))
    straight = 7.0
    values, back = _Energy(plain, start, end, straight, 400).lowered(waves, 1e-9, 5)
    np.testing.assert_allclose(back, waves, rtol=1e-12)
    t = (np.arange(4000) + 0.5) / 4000
    speed = velocity(start, end, waves, t)
    metric = plain.metric(curve(start, end, waves, t))
    expected = np.mean(np.einsum("cni,cnij,cnj->cn", speed, metric, speed), axis=-1) / straight**2
    np.testing.assert_allclose(values, expected, rtol=1e-3)
    x = np.random.default_rng(5).normal(size=12) * 0.1
    found = differences.gradient(
        lambda rows: np.array([caught["energy"](row)[0] for row in rows.reshape(-1, 12)]).reshape(
            rows.shape[:-1]
        ),
        x,
        np.full(12, 0.1),
    )
    np.testing.assert_allclose(caught["energy"](x)[1], found, rtol=1e-7, atol=1e-9)


def test_what_is_found_is_never_taken_if_it_is_longer(monkeypatch, plain):
    def astray(function, first, **_):
        return type("Found", (), {"fun": 0.0, "x": first + 1.0})

    monkeypatch.setattr("igviz.geometry.pullback_geodesics.minimize", astray)
    path = plain.geodesic([-1.0, 0.4], [0.8, -0.9])
    assert path.length == path.straight_length
    assert path.waves.size == 0
    np.testing.assert_allclose(path.length, brute_force(plain, path), rtol=1e-6)


def test_equal_ends_and_straight_lines(plain):
    z = np.array([0.3, -0.2])
    still = plain.geodesic(z, z)
    assert still.length == still.straight_length == 0.0
    np.testing.assert_array_equal(still(np.array([0.0, 0.3, 1.0])), np.tile(z, (3, 1)))
    # the points are equal; a product of matrices may round each of their rows in its own way
    np.testing.assert_allclose(still.kl_steps(4), 0.0, atol=1e-28)
    near = plain.geodesic(z, z + 1e-8)
    step = np.full(2, 1e-8)
    np.testing.assert_allclose(near.length, np.sqrt(step @ plain.metric(z) @ step), rtol=1e-6)
    # the outputs change along one direction only, and not along the other
    one_way = ig.PullbackGeometry(lambda z: z[:, :1] * np.array([1.0, -0.4]))
    across = one_way.geodesic([0.0, 0.0], [0.0, 5.0])
    assert across.length == 0.0
    slanted = one_way.geodesic([0.0, 0.0], [1.0, 5.0])
    np.testing.assert_allclose(slanted.length, one_way.geodesic([0.0, 0.0], [1.0, 0.0]).length, rtol=1e-6)


def test_three_latent_numbers():
    network = ig.VAE(latent=3, hidden=(12,), seed=2)
    network.make(20, 0.2)
    network.decoder.parameters[:] *= 2.0
    geometry = ig.PullbackGeometry(network.decoder)
    start, end = np.array([-1.0, 0.5, 0.3]), np.array([1.2, -0.4, 1.0])
    path = geometry.geodesic(start, end)
    np.testing.assert_allclose(path.length, geometry.manifold().distance(start, end), rtol=1e-4)
    np.testing.assert_allclose(path.length, brute_force(geometry, path), rtol=1e-6)


def test_wrong_arguments_are_refused(plain, found):
    for start, end in (([0.0, 0.0], [1.0]), ([[0.0, 0.0]], [[1.0, 0.0]])):
        with pytest.raises(ValueError, match=r"start and end must have one shape \(k,\)"):
            plain.geodesic(start, end)
    with pytest.raises(ValueError, match="end must be finite"):
        plain.geodesic([0.0, 0.0], [np.nan, 0.0])
    for name in ("waves", "pieces", "iterations"):
        for value in (0, 2.5, True):
            with pytest.raises(ValueError, match=f"{name} must be a positive integer, got"):
                plain.geodesic([0.0, 0.0], [1.0, 0.0], **{name: value})
    with pytest.raises(ValueError, match="steps must be a positive integer, got 0"):
        found[0].kl_steps(0)
    with pytest.raises(ValueError, match=r"t must lie in \[0, 1\]"):
        found[0](1.1)
