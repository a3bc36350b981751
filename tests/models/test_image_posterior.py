"""One image under a decoder as a model: its derivatives, and that inference on it is what the VAE reports."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import multivariate_normal

import igviz as ig
from igviz.models import digit_vaes
from igviz.models.image_posterior import ImagePosterior
from igviz.models.images import digits
from igviz.models.network import Network
from igviz.models.vae import VAE

IMAGES = range(0, 48, 4)


def random_posterior(latent=2, activation="tanh", sharpness=2.0, dtype=np.float64):
    decoder = Network((latent, 7, 6, 9), activation, 3, dtype)
    decoder.parameters *= sharpness
    for bias in decoder.biases:
        bias[:] = np.random.default_rng(8).normal(0.0, 0.4, bias.shape)
    return ImagePosterior(decoder, (np.arange(9) % 3 == 0).astype(float))


@pytest.fixture(scope="module")
def digit_posteriors():
    """For a dozen test images the model, the encoder's q as one Gaussian, and the image in a row."""
    vae, images = digit_vaes.lecture(), digits().test
    q = vae.encode(images)
    return [
        (
            vae.posterior(images[i]),
            ig.MultivariateNormal(q.mean[i], np.diag(q.std[i] ** 2)),
            images[i : i + 1],
        )
        for i in IMAGES
    ]


# -- the log joint -------------------------------------------------------------------------------------------


def test_log_joint_is_likelihood_times_prior():
    model = random_posterior()
    z = np.random.default_rng(0).normal(size=(3, 4, 2))
    p = expit(model.decoder(z))
    likelihood = np.sum(np.log(np.where(model.image == 1.0, p, 1.0 - p)), axis=-1)
    expected = likelihood + multivariate_normal(np.zeros(2)).logpdf(z)
    np.testing.assert_allclose(model.log_joint(z), expected, rtol=1e-12)
    assert model.log_joint([0.3, 0.1]).shape == ()


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
@pytest.mark.parametrize("latent", [1, 2, 3])
def test_derivatives_against_differences(latent, activation):
    model = random_posterior(latent, activation)
    z = np.random.default_rng(1).normal(0.0, 1.2, (5, latent))
    gradient, hessian = model.log_joint_gradient(z), model.log_joint_hessian(z)
    assert gradient.shape == (5, latent)
    assert hessian.shape == (5, latent, latent)
    np.testing.assert_array_equal(hessian, np.swapaxes(hessian, 1, 2))
    small = 1e-5
    for axis, unit in enumerate(small * np.eye(latent)):
        slope = (model.log_joint(z + unit) - model.log_joint(z - unit)) / (2 * small)
        np.testing.assert_allclose(gradient[:, axis], slope, rtol=1e-7, atol=1e-8)
        bend = (model.log_joint_gradient(z + unit) - model.log_joint_gradient(z - unit)) / (2 * small)
        np.testing.assert_allclose(hessian[:, axis], bend, rtol=1e-7, atol=1e-8)


# -- means under q -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latent", [1, 2, 3])
def test_means_move_as_their_derivatives_say(latent):
    """By mean and covariance, each entry of a symmetric pair with the other."""
    model, rng = random_posterior(latent), np.random.default_rng(4)
    mean = rng.normal(size=latent)
    cov = np.cov(rng.normal(0.0, 0.7, (latent, 3 * latent))).reshape(latent, latent) + 0.1 * np.eye(latent)
    value, gradient, hessian = model.expected_derivatives(mean, np.linalg.cholesky(cov))
    assert value == pytest.approx(model.expected_log_joint(mean, np.linalg.cholesky(cov)), rel=1e-13)
    np.testing.assert_array_equal(hessian, hessian.T)
    small = 1e-5

    def at(mean, cov):
        return model.expected_log_joint(mean, np.linalg.cholesky(cov))

    for i in range(latent):
        unit = small * np.eye(latent)[i]
        assert gradient[i] == pytest.approx(
            (at(mean + unit, cov) - at(mean - unit, cov)) / (2 * small), rel=1e-6
        )
        for j in range(i + 1):
            change = np.zeros((latent, latent))
            change[i, j] = change[j, i] = small
            slope = (at(mean, cov + change) - at(mean, cov - change)) / (2 * small)
            twice = hessian[i, j] * (2.0 if i != j else 1.0)
            assert twice == pytest.approx(2 * slope, rel=1e-6, abs=1e-7)


def test_the_covariance_decides_and_not_its_root():
    for latent in (2, 3):
        model, root = random_posterior(latent), np.tril(np.full((latent, latent), 0.3)) + 0.4 * np.eye(latent)
        turn = np.linalg.qr(np.random.default_rng(0).normal(size=(latent, latent)))[0]
        mean = np.full(latent, 0.2)
        expected = model.expected_derivatives(mean, root)
        for other in (root @ turn, root * np.array([1.0, -1.0, 1.0])[:latent]):
            for one, two in zip(expected, model.expected_derivatives(mean, other), strict=True):
                np.testing.assert_allclose(one, two, rtol=1e-11, atol=1e-12)


def test_stds_are_a_diagonal_covariance():
    model, mean, std = random_posterior(), np.array([0.4, -0.8]), np.array([0.3, 0.9])
    one, other = model.expected_derivatives(mean, std), model.expected_derivatives(mean, np.diag(std))
    assert one.value == pytest.approx(other.value, rel=1e-13)
    np.testing.assert_allclose(one.gradient, other.gradient, rtol=1e-12)
    np.testing.assert_allclose(one.hessian, np.diagonal(other.hessian), rtol=1e-11)


def test_bonnet_and_price_against_draws():
    """The Hessian's mean is that of log_joint_hessian, within five standard errors."""
    model, mean = random_posterior(sharpness=1.5), np.array([0.4, -0.8])
    root = np.array([[0.5, 0.0], [-0.3, 0.4]])
    z = mean + np.random.default_rng(3).standard_normal((100_000, 2)) @ root.T
    found = model.expected_derivatives(mean, root)
    for ours, draws in (
        (found.value, model.log_joint(z)),
        (found.gradient, model.log_joint_gradient(z)),
        (found.hessian, model.log_joint_hessian(z)),
    ):
        error = draws.std(axis=0) / np.sqrt(len(draws))
        assert np.all(np.abs(ours - draws.mean(axis=0)) < 5 * error)


def test_grids_of_q():
    model = random_posterior()
    mean = np.random.default_rng(0).normal(size=(2, 3, 2))
    root = np.broadcast_to(np.array([[0.5, 0.0], [-0.3, 0.4]]), (2, 3, 2, 2))
    found = model.expected_derivatives(mean, root)
    assert found.value.shape == (2, 3)
    assert found.gradient.shape == (2, 3, 2)
    assert found.hessian.shape == (2, 3, 2, 2)
    one = model.expected_derivatives(mean[1, 2], root[1, 2])
    np.testing.assert_allclose(found.hessian[1, 2], one.hessian, rtol=1e-11)
    assert found.value[1, 2] == pytest.approx(float(one.value), rel=1e-13)


# -- inference on the lecture's digits -----------------------------------------------------------------------


def test_the_elbo_is_that_of_the_vae(digit_posteriors):
    vae = digit_vaes.lecture()
    for model, q, image in digit_posteriors:
        assert ig.elbo(model, q) == pytest.approx(vae.elbo(image)[0], abs=1e-10)


def test_natural_gradients_end_where_refine_does(digit_posteriors):
    vae = digit_vaes.lecture()
    refined = vae.refine(digits().test[list(IMAGES)], steps=60)
    for row, (model, q, image) in enumerate(digit_posteriors):
        fit = ig.natural_gradient_vi(model, q, covariance="diagonal")
        assert fit.converged
        own = ig.Normal(refined.mean[row : row + 1], refined.std[row : row + 1])
        assert fit.elbo == pytest.approx(vae.elbo(image, own)[0], abs=1e-6)
        np.testing.assert_allclose(fit.q.mean, refined.mean[row], atol=1e-3)


def test_elbo_and_kl_add_up_to_the_likelihood(digit_posteriors):
    """The gap of a q is KL(q‖p(z|x)) on a grid; a full covariance leaves no more of it."""
    vae = digit_vaes.lecture()
    step = 0.03
    line = np.arange(-5.0, 5.0, step)
    z = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    for model, q, image in digit_posteriors[:3]:
        likelihood = vae.log_likelihood(image)[0]
        joint = model.log_joint(z)
        assert logsumexp(joint) + 2 * np.log(step) == pytest.approx(likelihood, abs=1e-6)
        fits = [ig.natural_gradient_vi(model, q, covariance=form) for form in ("diagonal", "full")]
        assert fits[1].elbo >= fits[0].elbo - 1e-10
        for fit in fits:
            log_q = multivariate_normal(fit.q.mean, fit.q.cov).logpdf(z)
            kl = step**2 * np.sum(np.exp(log_q) * (log_q - joint + likelihood))
            assert fit.elbo < likelihood
            assert fit.elbo + kl == pytest.approx(likelihood, abs=1e-4)


def test_other_ways_of_inference_run(digit_posteriors):
    model, q, _image = digit_posteriors[1]
    best = ig.natural_gradient_vi(model, q)
    quasi_newton = ig.lbfgs(model, q)
    assert quasi_newton.converged
    assert quasi_newton.elbo == pytest.approx(best.elbo, abs=1e-8)
    at_mode = ig.laplace(model, start=q.mean)
    assert at_mode.elbo < best.elbo
    np.testing.assert_allclose(model.log_joint_gradient(at_mode.q.mean), 0.0, atol=1e-6)
    bound = ig.natural_gradient_vi(model, covariance="diagonal")  # from the prior
    assert bound.elbo <= best.elbo + 1e-10


def test_single_precision_weights_are_one_function():
    single = random_posterior(dtype=np.float32)
    fit = ig.natural_gradient_vi(single)
    assert fit.converged
    assert single.log_joint_gradient([0.1, 0.2]).dtype == np.float64


# -- what may be passed --------------------------------------------------------------------------------------


def test_bad_input_is_named():
    vae = VAE(latent=2, hidden=(4,))
    vae.make(9)
    image = np.zeros(9)
    for wrong in (np.zeros((1, 9)), np.zeros(8), 0.0):
        with pytest.raises(ValueError, match=r"VAE.posterior: image must have shape \(9,\), got"):
            vae.posterior(wrong)
    with pytest.raises(ValueError, match=r"image must be 0 or 1 in every pixel, got 0\.5"):
        vae.posterior(image + 0.5)
    model = vae.posterior(image)
    image[0] = 1.0
    assert model.image[0] == 0.0
    assert repr(model) == "<ImagePosterior of 2 latent numbers, 9 pixels>"
    with pytest.raises(ValueError, match=r"latent must have shape \(..., 2\), got shape \(3,\)"):
        model.log_joint([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="q must be on vectors of 2 numbers"):
        ig.elbo(model, ig.Normal(0.0, 1.0))
