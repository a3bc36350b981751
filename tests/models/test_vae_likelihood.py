"""log p(x) as an integral and by samples: against other quadrature, far tails, sharp decoders."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.special import expit, logsumexp

from igviz.models import digit_vaes, vae_likelihood
from igviz.models.images import digits
from igviz.models.network import Network
from igviz.models.vae_likelihood import by_importance, by_quadrature
from igviz.models.vae_quadrature import expected_log_likelihood


def random_decoder(latent, sharpness=1.0, dtype=np.float64, pixels=9, seed=3):
    decoder = Network((latent, 7, 6, pixels), "tanh", seed, dtype)
    decoder.parameters *= sharpness
    for bias in decoder.biases:
        bias[:] = np.random.default_rng(8).normal(0.0, 0.4, bias.shape)
    return decoder


def random_images(count, pixels=9):
    return (np.random.default_rng(5).random((count, pixels)) < 0.45).astype(float)


def joint(decoder, image, z):
    """p(x|z)·p(z), said slowly."""
    p = expit(decoder(z))
    likelihood = np.prod(np.where(image == 1.0, p, 1.0 - p), axis=-1)
    return likelihood * np.exp(-0.5 * np.sum(z**2, axis=-1)) / (2 * np.pi) ** (z.shape[-1] / 2)


def brute_force(decoder, images, step, radius=10.0):
    """log p(x) on one grid, line by line, of at most two latent numbers."""
    line = np.arange(-radius, radius, step) + 0.3 * step
    total = np.zeros(len(images))
    for x in line if decoder.sizes[0] == 2 else [None]:
        z = line[:, None] if x is None else np.column_stack([np.full(line.size, x), line])
        logits = decoder(z)
        log_p = logits @ images.T - np.sum(np.logaddexp(0.0, logits), axis=1)[:, None]
        log_p -= 0.5 * np.sum(z**2, axis=1)[:, None] + 0.5 * z.shape[1] * np.log(2 * np.pi)
        total += np.sum(np.exp(log_p), axis=0)
    return np.log(total) + decoder.sizes[0] * np.log(step)


# -- quadrature ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sharpness", [1.0, 3.0])
def test_one_latent_number_against_adaptive_quadrature(sharpness):
    decoder, images = random_decoder(1, sharpness), random_images(4)
    for found, image in zip(by_quadrature(decoder, images), images, strict=True):
        exact = quad(
            lambda z, image=image: float(joint(decoder, image, np.array([z]))),
            *(-10, 10),
            epsabs=0,
            epsrel=1e-10,
            limit=400,
        )[0]
        assert found == pytest.approx(np.log(exact), abs=1e-8)


def test_two_latent_numbers_against_adaptive_quadrature():
    decoder, image = random_decoder(2), random_images(1)
    exact = dblquad(
        lambda y, x: float(joint(decoder, image[0], np.array([x, y]))), -7, 7, -7, 7, epsabs=1e-9, epsrel=1e-6
    )[0]
    assert by_quadrature(decoder, image)[0] == pytest.approx(np.log(exact), abs=1e-5)


@pytest.mark.parametrize("sharpness", [1.0, 3.0])
def test_two_latent_numbers_against_a_fine_grid(sharpness):
    decoder, images = random_decoder(2, sharpness), random_images(6)
    expected = brute_force(decoder, images, 0.02)
    np.testing.assert_allclose(by_quadrature(decoder, images), expected, atol=2e-7)


def test_the_lectures_digits_against_a_fine_grid():
    vae, images = digit_vaes.lecture(), digits().test[[0, 7, 33]]
    expected = brute_force(vae.decoder, images, 0.025, radius=7.0)
    np.testing.assert_allclose(vae.log_likelihood(images), expected, atol=1e-6)


def test_all_images_together_have_probability_one():
    decoder = random_decoder(2, 2.0, pixels=5)
    every = (np.arange(32)[:, None] >> np.arange(5) & 1).astype(float)
    assert np.sum(np.exp(by_quadrature(decoder, every))) == pytest.approx(1.0, abs=1e-9)


def test_single_precision_weights():
    """The same function, not its float32 arithmetic: that could not tell 1e-6 nats."""
    single, double = random_decoder(2, 3.0, np.float32), random_decoder(2)
    double.parameters[:] = single.parameters
    images = random_images(5)
    np.testing.assert_array_equal(by_quadrature(single, images), by_quadrature(double, images))


def switch(place, height, pixels=64):
    """A decoder that shows the white image beyond a place, and all but surely the black one before."""
    decoder = Network((1, 1, pixels))
    decoder.weights[0][:], decoder.biases[0][:] = 4.0, -4.0 * place
    decoder.weights[1][:], decoder.biases[1][:] = height, 0.0
    return decoder


@pytest.mark.parametrize("place", [2.0, 8.5, 10.5, 14.0])
def test_far_tails(place):
    """An image that is seen only out there: beyond the first radius, too."""
    decoder, white = switch(place, 6.0), np.ones((1, 64))
    line = np.arange(-30.0, 30.0, 1e-3)
    logits = decoder(line[:, None])[:, 0]
    log_joint = -64 * np.logaddexp(0.0, -logits) - 0.5 * line**2 - 0.5 * np.log(2 * np.pi)
    expected = logsumexp(log_joint) + np.log(1e-3)
    assert by_quadrature(decoder, white)[0] == pytest.approx(expected, abs=1e-6)
    assert expected < -0.5 * place**2 + 5.0


def test_what_lies_out_of_reach_is_below_the_bound():
    """P(|z| > r) = exp(−r²/2) in the plane, less on a line; the tail is TAIL nats below p(x) at least."""
    rough = random_images(3, 64)
    decoder = random_decoder(2, 3.0, pixels=64)
    total, radius = vae_likelihood._first_sums(decoder, rough)
    log_likelihood = total + 2 * np.log(vae_likelihood.STEP)
    assert np.min(log_likelihood) < -25.0
    assert radius > vae_likelihood.RADIUS
    assert -0.5 * radius**2 <= np.min(log_likelihood) - vae_likelihood.TAIL + 1e-6


def test_too_sharp_a_decoder_is_refused(monkeypatch):
    monkeypatch.setattr(vae_likelihood, "HALVINGS", 1)
    with pytest.raises(ArithmeticError, match=r"VAE\.log_likelihood: the last halving of the grid still"):
        by_quadrature(random_decoder(2, 6.0), random_images(3))


def test_images_keep_to_themselves(monkeypatch):
    decoder, images = random_decoder(2, 2.0), random_images(7)
    together = by_quadrature(decoder, images)
    np.testing.assert_allclose(by_quadrature(decoder, images[2:4]), together[2:4], atol=1e-8)
    monkeypatch.setattr(vae_likelihood, "IMAGES", 3)
    np.testing.assert_allclose(by_quadrature(decoder, images), together, atol=1e-8)


def test_memory_stays_small():
    vae, images = digit_vaes.lecture(), digits().test
    tracemalloc.start()
    vae.log_likelihood(images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


# -- samples -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latent", [1, 2])
def test_importance_weights_are_unbiased(latent):
    """The mean of exp(estimate) is p(x), within five standard errors, for a q that is off."""
    decoder, image = random_decoder(latent, 1.5), random_images(1)
    many = np.repeat(image, 4000, axis=0)
    mean, std = np.full((4000, latent), 0.4), np.full((4000, latent), 0.8)
    draws = np.exp(by_importance(decoder, many, mean, std, 10, np.random.default_rng(1)))
    error = draws.std() / np.sqrt(draws.size)
    assert abs(draws.mean() - np.exp(by_quadrature(decoder, image)[0])) < 5 * error
    assert error < 0.05 * draws.mean()


def test_more_samples_bound_more_tightly():
    """From the ELBO of one sample up to log p(x), on average (Burda et al. 2016, theorem 1)."""
    decoder, image = random_decoder(2, 1.5), random_images(1)
    count = 2000
    many = np.repeat(image, count, axis=0)
    mean, std = np.full((count, 2), 0.6), np.full((count, 2), 0.5)
    kl = 0.5 * np.sum(mean[0] ** 2 + std[0] ** 2 - 1.0 - 2.0 * np.log(std[0]))
    bounds, errors = [], []
    for samples in (1, 4, 16, 64):
        found = by_importance(decoder, many, mean, std, samples, np.random.default_rng(samples))
        bounds.append(found.mean())
        errors.append(found.std() / np.sqrt(count))
    elbo = expected_log_likelihood(decoder, image, mean[:1], std[:1])[0] - kl
    assert abs(bounds[0] - elbo) < 5 * errors[0]
    assert np.all(np.diff(bounds) > 0.0)
    assert bounds[-1] < by_quadrature(decoder, image)[0] + 5 * errors[-1]


def test_three_latent_numbers_against_a_grid():
    decoder, images = random_decoder(3, 1.5), random_images(3)
    step = 0.2
    line = np.arange(-6.0, 6.0, step)
    z = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    exact = [np.log(np.sum(joint(decoder, image, z)) * step**3) for image in images]
    found = by_importance(
        decoder, images, np.zeros((3, 3)), np.ones((3, 3)), 20_000, np.random.default_rng(2)
    )
    # one over the root of 20,000 by the spread of the weights, which is about 1
    np.testing.assert_allclose(found, exact, atol=0.05)
