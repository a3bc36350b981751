"""Nodes for means under many Gaussians: moments, derivatives of what is computed, and its error."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import expit

from igviz.models import digit_vaes, vae_quadrature
from igviz.models.images import digits
from igviz.models.network import Network
from igviz.models.vae_quadrature import (
    expected_derivatives,
    expected_log_likelihood,
    in_double,
    log_likelihood,
    log_normaliser,
    nodes,
)


def random_decoder(latent, pixels=9, sharpness=1.0, dtype=np.float64, seed=3):
    decoder = Network((latent, 7, 6, pixels), "tanh", seed, dtype)
    decoder.parameters *= sharpness
    for bias in decoder.biases:
        bias[:] = np.random.default_rng(8).normal(0.0, 0.4, bias.shape)
    return decoder


def random_images(count, pixels=9):
    return (np.random.default_rng(5).random((count, pixels)) < 0.45).astype(float)


def random_roots(count, latent):
    """Lower triangular, neither small nor near the identity."""
    rng = np.random.default_rng(11)
    return np.tril(rng.normal(0.0, 0.3, (count, latent, latent))) + 0.6 * np.eye(latent)


# -- nodes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latent", [1, 2])
def test_moments_up_to_the_eighth(latent):
    points, weights = nodes(latent)
    assert weights.sum() == pytest.approx(1.0, abs=1e-14)
    np.testing.assert_allclose(weights @ points**2, 1.0, atol=3e-7)
    np.testing.assert_allclose(weights @ points**4, 3.0, atol=2e-5)
    np.testing.assert_allclose(weights @ points**8, 105.0, rtol=1e-3)
    for odd in (1, 3, 5):
        np.testing.assert_allclose(weights @ points**odd, 0.0, atol=1e-10)
    if latent == 2:
        assert weights @ np.prod(points, axis=1) == pytest.approx(0.0, abs=1e-12)
        assert weights @ np.prod(points**2, axis=1) == pytest.approx(1.0, abs=1e-6)


def test_what_is_left_out_is_as_light_as_the_comment_says():
    weights = hermegauss(vae_quadrature.NODES[2])[1]
    weights /= weights.sum()
    product = np.outer(weights, weights)
    assert product[product <= vae_quadrature.LIGHTEST].sum() < 2e-9
    assert np.sum(product > vae_quadrature.LIGHTEST) == len(nodes(2)[0])


@pytest.mark.parametrize("latent", [3, 5])
def test_draws_come_in_pairs_of_variance_one(latent):
    points, weights = nodes(latent)
    assert points.shape == (512, latent)
    np.testing.assert_allclose(weights @ points, 0.0, atol=1e-14)
    np.testing.assert_allclose(weights @ points**2, 1.0, rtol=1e-13)
    np.testing.assert_array_equal(points[:256], -points[256:])
    covariance = points.T @ points / 512
    # 256 independent pairs: five standard errors
    assert np.max(np.abs(covariance - np.eye(latent))) < 5 / np.sqrt(256)
    assert nodes(latent)[0] is points


# -- log p(x|z) ----------------------------------------------------------------------------------------------


def test_log_likelihood_is_that_of_independent_pixels():
    logits = np.random.default_rng(0).normal(0.0, 3.0, (4, 5, 9))
    images = random_images(5)
    p = expit(logits)
    expected = np.sum(np.where(images == 1.0, np.log(p), np.log(1.0 - p)), axis=-1)
    np.testing.assert_allclose(log_likelihood(logits, images), expected, rtol=1e-12)


def test_large_logits_neither_overflow_nor_lose_digits():
    logits = np.array([[800.0, -800.0], [40.0, -40.0], [-45.0, 45.0]])
    found = log_likelihood(logits, np.array([1.0, 0.0]))
    np.testing.assert_allclose(found, [0.0, -2 * np.exp(-40.0), -90.0], rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(log_normaliser(logits), [800.0, 40.0, 45.0], rtol=1e-14)


# -- means under q -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latent", [1, 2, 3])
@pytest.mark.parametrize("form", ["stds", "roots"])
def test_derivatives_are_those_of_the_computed_value(latent, form):
    """A sharp decoder, where 32 nodes are far from the mean itself: their derivative is still their own."""
    decoder, images = random_decoder(latent, sharpness=3.0), random_images(4)
    mean = np.random.default_rng(1).normal(0.0, 0.8, (4, latent))
    root = random_roots(4, latent)
    if form == "stds":
        root = np.abs(np.diagonal(root, axis1=1, axis2=2)).copy()
    value, by_mean, by_root = expected_derivatives(decoder, images, mean, root)
    np.testing.assert_allclose(value, expected_log_likelihood(decoder, images, mean, root), rtol=1e-13)
    small = 1e-5
    for array, derivative in ((mean, by_mean), (root, by_root)):
        for index in np.ndindex(array.shape[1:]):
            ends = []
            for sign in (1.0, -1.0):
                array[(slice(None), *index)] += sign * small
                ends.append(expected_log_likelihood(decoder, images, mean, root))
                array[(slice(None), *index)] -= sign * small
            numeric = (ends[0] - ends[1]) / (2 * small)
            np.testing.assert_allclose(derivative[(slice(None), *index)], numeric, rtol=1e-6, atol=2e-8)


def test_stds_are_a_diagonal_root():
    decoder, images = random_decoder(2), random_images(3)
    mean, std = (
        np.array([[0.3, -1.0], [1.2, 0.1], [-0.4, 0.9]]),
        np.array([[0.2, 0.7], [0.5, 0.4], [1.1, 0.3]]),
    )
    diagonal = expected_derivatives(decoder, images, mean, std)
    full = expected_derivatives(decoder, images, mean, std[:, :, None] * np.eye(2))
    np.testing.assert_allclose(diagonal[0], full[0], rtol=1e-13)
    np.testing.assert_allclose(diagonal[1], full[1], rtol=1e-11)
    np.testing.assert_allclose(diagonal[2], np.diagonal(full[2], axis1=1, axis2=2), rtol=1e-11)


def test_against_draws():
    """The mean, its gradient (Bonnet), E[∇²]·root (Price, by Stein's E[∇f·εᵀ]) within 5 standard errors."""
    decoder, images = random_decoder(2, sharpness=2.0), random_images(1)
    mean, root = np.array([[0.4, -0.7]]), random_roots(1, 2)
    noise = np.random.default_rng(2).standard_normal((100_000, 2))
    z = mean + noise @ root[0].T
    trace = decoder.forward(z)
    slopes = decoder.pull(trace, images - expit(trace.outputs))
    drawn = (log_likelihood(trace.outputs, images), slopes, slopes[:, :, None] * noise[:, None, :])
    for found, draws in zip(expected_derivatives(decoder, images, mean, root), drawn, strict=True):
        error = draws.std(axis=0) / np.sqrt(len(draws))
        assert np.all(np.abs(found[0] - draws.mean(axis=0)) < 5 * error)


def test_many_images_are_decoded_in_parts(monkeypatch):
    decoder, images = random_decoder(2), random_images(11)
    mean, std = np.random.default_rng(0).normal(size=(11, 2)), np.full((11, 2), 0.4)
    at_once = expected_derivatives(decoder, images, mean, std)
    monkeypatch.setattr(vae_quadrature, "ROWS", 1)
    for one, other in zip(at_once, expected_derivatives(decoder, images, mean, std), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_single_precision_is_of_training_only():
    """A float32 decoder is the function its weights say, to the digits of float64."""
    single = random_decoder(2, sharpness=2.0, dtype=np.float32)
    double = random_decoder(2)
    double.parameters[:] = single.parameters
    assert in_double(double) is double
    images = random_images(3)
    mean, std = np.full((3, 2), 0.3), np.full((3, 2), 0.6)
    for one, other in zip(
        expected_derivatives(single, images, mean, std),
        expected_derivatives(double, images, mean, std),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == np.float64


def test_error_on_the_lectures_digits(monkeypatch):
    """What the comment at the nodes says, against 100 nodes along each axis."""
    vae, images = digit_vaes.lecture(), digits().test[::3]
    ours = vae.reconstruction(images)
    points, weights = hermegauss(100)
    weights /= weights.sum()
    grid = np.stack(np.meshgrid(points, points, indexing="ij"), axis=-1).reshape(-1, 2)
    product = np.outer(weights, weights).ravel()
    kept = product > 1e-14
    monkeypatch.setattr(vae_quadrature, "nodes", lambda latent: (grid[kept], product[kept]))
    error = np.abs(ours - vae.reconstruction(images))
    assert np.max(error) < 4e-3
    assert np.median(error) < 1e-6
