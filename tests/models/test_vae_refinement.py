"""Natural-gradient steps on many images' q: none falls, all end where nothing pulls, each for itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit

from igviz.models import digit_vaes, vae_refinement
from igviz.models.images import digits
from igviz.models.network import Network
from igviz.models.vae_quadrature import expected_derivatives, expected_log_likelihood
from igviz.models.vae_refinement import FALL, refine


@pytest.fixture(scope="module")
def lecture():
    """The decoder, some test images, and the encoder's q."""
    vae, images = digit_vaes.lecture(), digits().test[::9]
    q = vae.encode(images)
    return vae.decoder, images, q.mean, q.std


def elbo(decoder, images, mean, std):
    """By the textbook's formula of the KL, not the module's."""
    kl = 0.5 * np.sum(mean**2 + std**2 - 1.0 - 2.0 * np.log(std), axis=1)
    return expected_log_likelihood(decoder, images, mean, std) - kl


def pulls(decoder, images, mean, std):
    """∇ELBO by the mean in stds, and the share by which Λ differs from 1 − E[∂²]."""
    _value, by_mean, by_std = expected_derivatives(decoder, images, mean, std)
    return std * (by_mean - mean), std**2 * (1.0 - by_std / std) - 1.0


@pytest.mark.parametrize("step", [1.0, 0.5])
def test_no_step_lowers_an_elbo(lecture, step):
    decoder, images, mean, std = lecture
    places = [(mean, std)] + [refine(decoder, images, mean, std, k, step) for k in (1, 2, 3, 5, 8)]
    values = [elbo(decoder, images, *place) for place in places]
    for before, after in pairwise(values):
        assert np.all(after >= before - FALL * np.maximum(1.0, np.abs(before)) - 1e-13)
    assert np.mean(values[-1] - values[0]) > 0.3


@pytest.mark.parametrize("step", [1.0, 0.5])
def test_nothing_pulls_at_the_end(lecture, step):
    """But for a few images with a flat ridge along which steps creep: there less than 1e-4 nats are left."""
    decoder, images, mean, std = (array if index == 0 else array[::2] for index, array in enumerate(lecture))
    mean, std = refine(decoder, images, mean, std, 60, step)
    by_mean, by_precision = pulls(decoder, images, mean, std)
    largest = np.max(np.abs(np.hstack([by_mean, by_precision])), axis=1)
    assert np.mean(largest < 1e-6) > 0.7
    assert np.all(0.5 * np.sum(by_mean**2 + 0.5 * by_precision**2, axis=1) < 1e-4)


def test_gaps_have_their_sign():
    vae, images = digit_vaes.lecture(), digits().test[::9]
    refined = vae.refine(images, steps=20)
    amortisation = vae.elbo(images, refined) - vae.elbo(images)
    approximation = vae.log_likelihood(images) - vae.elbo(images, refined)
    assert np.all(amortisation >= 0.0)
    assert np.all(approximation >= -3e-3)  # the error of the quadrature
    assert 0.3 < np.mean(amortisation) < 3.0


def test_one_step_is_the_formula_of_the_lecture():
    """At step ρ of one image with the numbers of a decoder without hidden layer, by draws of its own."""
    decoder = Network((2, 5), seed=1)
    image = np.array([[1.0, 0.0, 1.0, 1.0, 0.0]])
    mean, std, rho = np.array([[0.7, -0.4]]), np.array([[0.6, 0.9]]), 0.3
    rng = np.random.default_rng(0)
    z = mean + std * rng.standard_normal((400_000, 2))
    p, weights = expit(decoder(z)), decoder.weights[0]
    gradient = (image - p) @ weights.T - z
    bend = -(p * (1.0 - p)) @ (weights**2).T - 1.0
    precision = (1 - rho) * std**-2 + rho * -bend.mean(axis=0)
    new_mean, new_std = refine(decoder, image, mean, std, 1, rho)
    np.testing.assert_allclose(new_std, precision**-0.5, rtol=1e-4)
    np.testing.assert_allclose(new_mean, mean + rho * gradient.mean(axis=0) / precision, atol=2e-3)


def test_where_the_posterior_is_gaussian_one_step_arrives():
    """A decoder of tiny logits says nearly nothing: the posterior is the prior moved a little."""
    decoder = Network((2, 6, 12), seed=4)
    decoder.parameters *= 0.03
    images = (np.random.default_rng(2).random((7, 12)) < 0.5).astype(float)
    far = np.random.default_rng(3).normal(0.0, 0.7, (7, 2))
    start = far, np.full((7, 2), 0.3)
    one, many = (refine(decoder, images, *start, steps, 1.0) for steps in (1, 60))
    np.testing.assert_allclose(one[0], many[0], atol=1e-3)
    np.testing.assert_allclose(one[1], many[1], atol=1e-3)
    by_mean, by_precision = pulls(decoder, images, *many)
    np.testing.assert_allclose(by_mean, 0.0, atol=1e-6)
    np.testing.assert_allclose(by_precision, 0.0, atol=1e-6)


def valley():
    """A decoder between whose two hills of p(x|z) a narrow q sees a log likelihood that is convex."""
    decoder = Network((1, 2, 4), seed=0)
    decoder.weights[0][:] = [[2.0, 2.0]]
    decoder.biases[0][:] = [-1.5, 1.5]
    decoder.weights[1][:] = np.array([[5.0] * 4, [-5.0] * 4])
    decoder.biases[1][:] = 5.0
    return decoder, np.ones((1, 4)), np.array([[0.05]]), np.array([[0.2]])


def test_steps_out_of_the_space_are_shortened_not_clipped():
    decoder, image, mean, std = valley()
    _value, by_mean, by_std = expected_derivatives(decoder, image, mean, std)
    bend = 1.0 - by_std / std  # the new precision at step 1
    assert np.all(bend < 0.0)
    after = [refine(decoder, image, mean, std, steps, 1.0) for steps in range(1, 12)]
    moved = [k for k, place in enumerate(after) if not np.array_equal(place[0], mean)]
    first = moved[0]
    assert first > 0  # the whole step was none
    rho = 0.5**first
    precision = (1.0 - rho) * std**-2 + rho * bend
    assert np.all(precision > 0.0)
    np.testing.assert_allclose(after[first][1], precision**-0.5, rtol=1e-12)
    np.testing.assert_allclose(after[first][0], mean + rho * (by_mean - mean) / precision, rtol=1e-12)
    end = refine(decoder, image, mean, std, 100, 1.0)
    assert abs(end[0][0, 0]) > 1.0  # it has found a hill
    np.testing.assert_allclose(np.ravel(pulls(decoder, image, *end)), 0.0, atol=1e-6)


def test_images_keep_to_themselves(lecture):
    decoder, images, mean, std = lecture
    together = refine(decoder, images, mean, std, 6, 1.0)
    some = np.array([3, 17, 30])
    apart = refine(decoder, images[some], mean[some], std[some], 6, 1.0)
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_allclose(one[some], other, rtol=1e-10, atol=1e-12)


def test_resting_images_are_not_decoded(lecture, monkeypatch):
    decoder, images, mean, std = lecture
    counts = []

    def counted(decoder, images, mean, std):
        counts.append(len(images))
        return expected_derivatives(decoder, images, mean, std)

    monkeypatch.setattr(vae_refinement, "expected_derivatives", counted)
    mean, std = refine(decoder, images, mean, std, 50, 1.0)
    assert counts[0] == len(images)
    assert counts[-1] < 0.5 * len(images)
    by_mean, by_precision = pulls(decoder, images, mean, std)
    left = 0.5 * np.sum(by_mean**2 + 0.5 * by_precision**2, axis=1)
    resting = left < 0.9 * vae_refinement.SETTLED
    assert np.mean(resting) > 0.5
    counts.clear()
    refine(decoder, images[resting], mean[resting], std[resting], 60, 1.0)
    assert counts == [np.sum(resting)]


def test_what_is_passed_is_not_changed(lecture):
    decoder, images, mean, std = lecture
    copies = mean.copy(), std.copy()
    refine(decoder, images, mean, std, 2, 1.0)
    np.testing.assert_array_equal(mean, copies[0])
    np.testing.assert_array_equal(std, copies[1])


def test_single_precision_decoders_do_not_wander():
    """The noise of float32 would be taken for rises and falls."""
    decoder = Network((2, 8, 12), "tanh", 4, np.float32)
    decoder.parameters *= 2
    images = (np.random.default_rng(2).random((9, 12)) < 0.5).astype(float)
    mean, std = refine(decoder, images, np.zeros((9, 2)), np.ones((9, 2)), 100, 1.0)
    by_mean, by_precision = pulls(decoder, images, mean, std)
    np.testing.assert_allclose(by_mean, 0.0, atol=1e-6)
    np.testing.assert_allclose(by_precision, 0.0, atol=1e-6)
