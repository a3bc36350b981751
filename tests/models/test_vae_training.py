"""The autoencoder's loss: literal values, finite differences, quadrature, and the KL's digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit

import igviz as ig
from igviz.models.network import Network
from igviz.models.vae_quadrature import expected_log_likelihood
from igviz.models.vae_training import kl_of_units, loss, validate

PIXELS, LATENT = 5, 2


def networks(dtype=np.float64, hidden=(4,), activation="tanh") -> tuple[Network, Network]:
    """An encoder and a decoder at generic weights."""
    rng = np.random.default_rng(11)
    made = (
        Network((PIXELS, *hidden, 2 * LATENT), activation, dtype=dtype),
        Network((LATENT, *hidden[::-1], PIXELS), activation, dtype=dtype),
    )
    for network in made:
        network.parameters[:] = rng.normal(0.05, 0.6, network.parameters.size)
    return made


def batch(count: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return (rng.random((count, PIXELS)) < 0.4).astype(float), rng.standard_normal((count, LATENT))


def literal(encoder, decoder, images, noise):
    """log p(x|z) and KL of each image, as the textbook has them."""
    mean, log_std = np.split(encoder(images), 2, axis=1)
    p = expit(decoder(mean + np.exp(log_std) * noise))
    reconstruction = np.sum(images * np.log(p) + (1 - images) * np.log(1 - p), axis=1)
    return reconstruction, np.sum(0.5 * (mean**2 + np.exp(log_std) ** 2 - 1) - log_std, axis=1)


def differences(value, parameters: np.ndarray, h: float = 1e-3) -> np.ndarray:
    """Central differences of fourth order of value() by each parameter, changed in place."""
    made = np.empty(parameters.size)
    for i, kept in enumerate(parameters.copy()):
        seen = {}
        for step in (-2, -1, 1, 2):
            parameters[i] = kept + step * h
            seen[step] = value()
        parameters[i] = kept
        made[i] = (8.0 * (seen[1] - seen[-1]) - (seen[2] - seen[-2])) / (12.0 * h)
    return made


# -- the loss --------------------------------------------------------------------------------------------


def test_the_values_are_those_of_the_textbook():
    pair, (images, noise) = networks(), batch()
    reconstruction, kl = literal(*pair, images, noise)
    for beta in (0.0, 1.0, 2.5):
        made = loss(*pair, images, noise, beta)
        np.testing.assert_allclose(made.reconstruction, reconstruction, rtol=1e-12)
        np.testing.assert_allclose(made.kl, kl, rtol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
@pytest.mark.parametrize("hidden", [(4,), (4, 3)], ids=str)
@pytest.mark.parametrize("beta", [0.0, 1.0, 2.5])
def test_the_gradient_at_fixed_noise_is_that_of_finite_differences(beta, hidden, activation):
    pair, (images, noise) = networks(hidden=hidden, activation=activation), batch()

    def value():
        reconstruction, kl = literal(*pair, images, noise)
        return np.mean(beta * kl - reconstruction)

    made = loss(*pair, images, noise, beta)
    for network, gradient in zip(pair, (made.encoder, made.decoder), strict=True):
        numbers = differences(value, network.parameters)
        assert np.max(np.abs(numbers)) > 1e-2
        np.testing.assert_allclose(gradient, numbers, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.5])
def test_the_mean_over_noises_is_the_derivative_of_the_elbo_by_quadrature(beta):
    pair, images = networks(hidden=(3,)), batch()[0][:3]
    encoder, decoder = pair

    def value():
        mean, log_std = np.split(encoder(images), 2, axis=1)
        reconstruction = expected_log_likelihood(decoder, images, mean, np.exp(log_std))
        return np.mean(beta * np.sum(kl_of_units(mean, log_std), axis=1) - reconstruction)

    rng, many = np.random.default_rng(8), np.tile(images, (50, 1))
    draws = [loss(*pair, many, rng.standard_normal((len(many), LATENT)), beta) for _ in range(400)]
    for name, network in zip(("encoder", "decoder"), pair, strict=True):
        seen = np.array([getattr(draw, name) for draw in draws])
        error = np.std(seen, axis=0, ddof=1) / math.sqrt(len(seen))
        expected = differences(value, network.parameters)
        assert np.all(np.abs(seen.mean(axis=0) - expected) < 5.0 * error + 1e-9)
        # the test can tell: most derivatives are far from 0 by this measure
        assert np.mean(np.abs(expected) > 20.0 * error) > 0.5


def test_float32_stays_float32_and_agrees():
    images, noise = batch()
    wide = loss(*networks(), images, noise, 0.7)
    for given in ((images, noise), (images.astype(np.float32), noise.astype(np.float32))):
        narrow = loss(*networks(np.float32), *given, 0.7)
        for name, value in narrow._asdict().items():
            assert value.dtype == np.float32
            np.testing.assert_allclose(value, getattr(wide, name), rtol=3e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [bool, np.int64, np.uint8])
def test_pixels_may_be_whole_numbers(dtype):
    images, noise = batch()
    expected, found = (
        loss(*networks(), images, noise, 1.0),
        loss(*networks(), images.astype(dtype), noise, 1.0),
    )
    for name, value in expected._asdict().items():
        np.testing.assert_array_equal(getattr(found, name), value)


def test_nothing_that_is_passed_changes():
    pair, (images, noise) = networks(), batch()
    kept = [array.copy() for array in (images, noise, *(one.parameters for one in pair))]
    loss(*pair, images, noise, 1.0)
    for array, before in zip((images, noise, *(one.parameters for one in pair)), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_logits_far_out():
    """A sure decoder costs no digits and raises no warning."""
    (encoder, decoder), (images, noise) = networks(), batch()
    signs = np.where(np.arange(PIXELS) % 2, 1.0, -1.0)
    decoder.parameters[:] = 0.0
    decoder.biases[-1][:] = 800.0 * signs
    made = loss(encoder, decoder, images, noise, 1.0)
    np.testing.assert_allclose(made.reconstruction, -800.0 * np.sum(images != (signs > 0), axis=1))
    gradient = decoder.views(made.decoder)[1][-1]
    np.testing.assert_allclose(gradient, np.mean((signs > 0) - images, axis=0), atol=1e-15)


def test_what_does_not_fit_is_named():
    (encoder, decoder), (images, noise) = networks(), batch()
    for wrong in (noise[:1], noise[:, :1], noise[0], np.ones((6, 3))):
        with pytest.raises(ValueError, match=r"^loss: noise's shape must be \(6, 2\), got \("):
            loss(encoder, decoder, images, wrong, 1.0)
    for wrong in (images[:0], images[:, :4], images[0]):
        with pytest.raises(ValueError, match=r"^loss: images' shape must be \(n, 5\), n at least 1, got \("):
            loss(encoder, decoder, wrong, noise, 1.0)
    for other in (Network((PIXELS, 3)), Network((4, 4))):
        with pytest.raises(ValueError, match=r"^loss: encoder's inputs and outputs must be \(5, 4\), got \("):
            loss(other, decoder, images, noise, 1.0)


# -- the KL ----------------------------------------------------------------------------------------------


def test_the_kl_is_that_of_normals():
    prior = ig.Normal(0.0, 1.0)
    mean, log_std = np.meshgrid([0.0, 1e-9, -0.3, 40.0], [-300.0, -80.0, -2.0, -0.4, 0.3, 3.0, 150.0])
    expected = ig.Normal(mean, np.exp(log_std)).kl(prior)
    np.testing.assert_allclose(kl_of_units(mean, log_std), expected, rtol=1e-12)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_the_kl_of_a_unit_that_almost_collapsed(sign):
    above = sign * 2.0 ** -np.arange(1.0, 45.0)  # std is then 1 + above, exactly
    expected = ig.Normal(0.0, 1.0 + above).kl(ig.Normal(0.0, 1.0))
    assert np.all(expected > 0.0)
    np.testing.assert_allclose(kl_of_units(0.0, np.log1p(above)), expected, rtol=1e-12)


def test_the_kl_is_0_at_the_prior_only_and_broadcasts():
    assert kl_of_units(np.zeros(3), np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
    assert kl_of_units(np.zeros((3, 1)), np.array([0.1, -0.1])).shape == (3, 2)
    assert kl_of_units(np.float32([0.1]), np.float32([0.01])).dtype == np.float32
    assert np.isnan(kl_of_units(np.array([np.nan]), np.array([0.2])))


# -- validation ------------------------------------------------------------------------------------------


def test_validation_is_the_mean_over_its_noises():
    pair, (images, _) = networks(), batch()
    noise = np.random.default_rng(4).standard_normal((3, 6, LATENT))
    each = [literal(*pair, images, part) for part in noise]
    reconstruction, kl = validate(*pair, images, noise)
    assert reconstruction == pytest.approx(np.mean([one[0] for one in each]), rel=1e-12)
    assert kl == pytest.approx(np.mean(each[0][1]), rel=1e-12)
