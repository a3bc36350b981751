"""The cure of a decoder that is sure where it saw nothing: derivatives, both ends, and what it costs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import entr, expit

import igviz as ig
from igviz.geometry import differences
from igviz.models import digit_vaes
from igviz.models.images import digits
from igviz.models.vae_quadrature import log_likelihood, nodes

MOST = 64 * np.log(2.0)


@pytest.fixture(scope="module")
def vae():
    return digit_vaes.lecture()


@pytest.fixture(scope="module")
def codes(vae):
    return vae.encode(digits().training).mean


@pytest.fixture(scope="module")
def cured(vae, codes):
    return ig.UncertainDecoder(vae.decoder, codes)


def entropy(logits):
    p, rest = expit(logits), expit(-logits)
    return np.sum(entr(p) + entr(rest), axis=-1)


def rays(*distances):
    """Points at these distances from the origin in 16 directions, shape (m, 16, 2)."""
    angle = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False) + 0.1
    return np.array(distances)[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def by_hand(codes, width, z):
    count = np.sum(np.exp(-np.sum((z[..., None, :] - codes) ** 2, axis=-1) / (2.0 * width**2)), axis=-1)
    return count / (count + 0.1)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_trust_is_what_it_says_wherever_the_codes_lie(k):
    rng = np.random.default_rng(k)
    network = ig.VAE(latent=k, hidden=(6,), seed=1)
    network.make(5, 0.7)
    codes, z = rng.normal(size=(9, k)), 1.5 * rng.normal(size=(4, 3, k))
    near = ig.UncertainDecoder(network.decoder, codes, 0.4)
    np.testing.assert_allclose(near.trust(z), by_hand(codes, 0.4, z), rtol=1e-12)
    np.testing.assert_allclose(near(z), near.trust(z)[..., None] * network.decoder(z), rtol=1e-14)
    far = ig.UncertainDecoder(network.decoder, codes + 2.0**20, 0.4)
    np.testing.assert_allclose(far.trust(z + 2.0**20), near.trust(z), rtol=1e-8)
    assert near(z[0, 0]).shape == (5,)
    assert np.shape(near.trust(z[0, 0])) == ()
    assert near.jacobian(z).shape == (4, 3, 5, k)
    expected = differences.gradient(near, z, np.full(z.shape, 0.4))
    np.testing.assert_allclose(near.jacobian(z), expected, rtol=0, atol=2e-9 * np.max(np.abs(expected)))
    value, jacobian = near.value_and_jacobian(z)
    np.testing.assert_array_equal(value, near(z))
    np.testing.assert_array_equal(jacobian, near.jacobian(z))


def test_many_points_are_as_good_as_one(cured):
    z = np.random.default_rng(0).normal(size=(700, 2)) * 2.0
    np.testing.assert_allclose(cured.trust(z)[::99], [cured.trust(one) for one in z[::99]], rtol=1e-12)


def test_far_away_it_is_exactly_safe(cured):
    with np.errstate(all="raise"):
        for far in (10.0, 30.0, 1e3, 1e6):
            z = rays(far)
            trust, logits, jacobian = cured.trust(z), cured(z), cured.jacobian(z)
            assert np.all((trust >= 0.0) & (trust < 1e-30))
            assert np.all(np.isfinite(logits)) and np.all(np.isfinite(jacobian))
            np.testing.assert_allclose(entropy(logits), MOST, rtol=1e-12)
    assert np.all(ig.PullbackGeometry(cured).volume_element(rays(30.0, 1e3)) == 0.0)


def test_among_the_codes_little_changes(vae, codes, cured):
    assert np.all((cured.trust(codes) > 10 / 11) & (cured.trust(codes) <= 1.0))
    risen = entropy(cured(codes)) - entropy(vae.decoder(codes))
    assert 0.0 < np.mean(risen) < 0.1
    images = digits().test[::4]
    q = vae.encode(images)
    points, weights = nodes(2)
    points, weights = points[weights > 1e-6], weights[weights > 1e-6]
    z = q.mean[:, None] + q.std[:, None] * points
    before, after = (log_likelihood(made(z), images[:, None]) @ weights for made in (vae.decoder, cured))
    assert -0.05 < np.mean(after - before) < 0.0


def test_entropy_rises_to_its_largest_value(cured):
    assert np.mean(entropy(cured(rays(0.5)))) < 0.5 * MOST
    np.testing.assert_allclose(entropy(cured(rays(6.0))), MOST, rtol=1e-9)


def test_the_cure_is_a_wall_and_not_a_hill(vae, cured):
    plain, geometry = ig.PullbackGeometry(vae.decoder), ig.PullbackGeometry(cured)
    r = np.linspace(0.0, 12.0, 241)
    z = rays(*r)
    trust, volume = cured.trust(z), geometry.volume_element(z)
    direction = np.broadcast_to(rays(1.0)[0], z.shape)
    speed = np.sqrt(np.einsum("rti,rtij,rtj->rt", direction, geometry.metric(z), direction))
    steeper = []
    for j in range(z.shape[1]):
        inner, outer = (int(np.flatnonzero(trust[:, j] > level)[-1]) for level in (0.9, 0.01))
        across = np.trapezoid(speed[inner:, j], r[inner:])
        assert 5.0 < across < 0.5 * np.pi * np.sqrt(64)
        assert np.trapezoid(speed[outer + 1 :, j], r[outer + 1 :]) < 0.3
        rim = slice(inner, outer + 1)
        steeper.append(np.max(volume[rim, j]) / np.max(plain.volume_element(z[rim, j])))
        assert volume[-1, j] < 1e-12
    assert np.median(steeper) > 5.0 and np.min(steeper) > 2.0


def test_wrong_arguments_are_refused(vae, cured):
    for codes in ([1.0, 2.0], np.empty((0, 2)), [[np.nan, 0.0]]):
        with pytest.raises(ValueError, match="UncertainDecoder: codes must be finite points"):
            ig.UncertainDecoder(vae.decoder, codes)
    for width in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="UncertainDecoder: width must be a positive"):
            ig.UncertainDecoder(vae.decoder, [[0.0, 0.0]], width)
    for latent in (1.0, [1.0, 2.0, 3.0]):
        with pytest.raises(ValueError, match=r"latent must have shape \(\.\.\., 2\)"):
            cured(latent)
