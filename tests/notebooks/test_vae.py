"""What lecture 06 types out agrees with what igviz computes."""

from __future__ import annotations

import numpy as np
import pytest

import igviz as ig
from igviz.models import digit_vaes
from igviz.models.images import digits
from igviz.models.vae_training import kl_of_units
from tests.notebooks.typed import Typed


@pytest.fixture(scope="module")
def typed() -> Typed:
    # long trainings, and what is only a table of the library's own numbers
    without = ("BETAS", "STATIONS", "wide = ", "log_likelihood = vae", "curve.kl_steps", "refined = ")
    yield Typed("06_vae", without)
    digit_vaes.use(None)


def test_the_typed_parts_are_the_library_s(typed):
    names, parts = typed.after("train_test_split("), digits()
    for name in ("training", "validation", "test"):
        np.testing.assert_array_equal(names[name], getattr(parts, name))


def test_the_typed_gradient_is_that_of_the_typed_elbo_and_the_library_s(typed):
    names = typed.after("def gradient(")
    m, log_s, h = np.array([-0.8, 0.35]), np.array([-0.9, 0.2]), 1e-6
    at = np.concatenate([m, log_s])
    differences = [
        (names["elbo"](*np.split(at + h * unit, 2)) - names["elbo"](*np.split(at - h * unit, 2))) / (2 * h)
        for unit in np.eye(4)
    ]
    np.testing.assert_allclose(names["gradient"](m, log_s), differences, rtol=1e-6)

    decoder, x, noise = names["decoder"], names["x"], names["noise"]
    trace = decoder.forward(m + np.exp(log_s) * noise)
    slopes = decoder.pull(trace, x - 1 / (1 + np.exp(-trace.outputs)))
    by_log_s = np.mean(slopes * noise, axis=0) * np.exp(log_s) + 1 - np.exp(2 * log_s)
    np.testing.assert_allclose(
        names["gradient"](m, log_s), [*(np.mean(slopes, axis=0) - m), *by_log_s], rtol=1e-10
    )


def test_the_typed_kl_is_the_library_s(typed):
    names, log_s = typed.after("def gradient("), np.array([-0.9, 0.2])
    flat = names["elbo"](np.zeros(2), log_s - 700.0) - names["elbo"](np.zeros(2), log_s - 701.0)
    # with no spread the reconstruction stays; what is left is log s, once for each unit
    assert flat == pytest.approx(2.0)
    assert np.sum(kl_of_units(np.zeros(2), log_s - 701.0) - kl_of_units(np.zeros(2), log_s - 700.0)) == flat


def test_the_trained_model_is_the_library_s_own(typed):
    vae = typed.after("vae = ig.VAE")["vae"]
    assert digit_vaes.lecture() is vae
    digit_vaes.use(None)
    assert digit_vaes.lecture().fingerprint == vae.fingerprint
    digit_vaes.use(vae)


def test_the_typed_natural_step_is_that_of_refine(typed):
    names = typed.after("def natural_step(")
    vae, test = names["vae"], digits().test
    steps = 0
    for row in range(12):
        image = test[[row]]
        q, once = vae.encode(image), vae.refine(image, steps=1)
        with np.errstate(invalid="ignore"):
            mean, std = names["natural_step"](image[0], q.mean[0], q.std[0])
        if np.array_equal(once.mean, q.mean):  # a full step would have been a fall
            continue
        steps += 1
        np.testing.assert_allclose(once.mean[0], mean, atol=5e-3)
        np.testing.assert_allclose(once.std[0], std, rtol=1e-2)
    assert steps >= 6


def test_the_typed_metric_and_kl_are_the_library_s(typed):
    names = typed.after("def metric(")
    geometry = ig.PullbackGeometry(names["vae"].decoder, "logits")
    for z in np.random.default_rng(3).normal(size=(5, 2)):
        np.testing.assert_allclose(names["metric"](z), geometry.metric(z), rtol=1e-10)
        other = z + np.array([0.3, -0.2])
        assert names["kl"](z, other) == pytest.approx(float(geometry.kl(z, other)), rel=1e-9)
        np.testing.assert_allclose(names["hessian"](z), geometry.metric(z), rtol=1e-3, atol=1e-3)


def test_a_picture_freezes_along_a_ray_and_not_around(typed):
    vae = typed.after("def metric(")["vae"]
    angle = np.linspace(0.0, 2.0 * np.pi, 721)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    black = {radius: vae.decode(radius * around[:-1]) > 0.5 for radius in (8, 20)}
    pairs = np.mean(black[8][:, None] != black[8], axis=(0, 1))
    assert pairs.sum() * 720 / 719 == pytest.approx(18, abs=0.5)  # pixels that differ between two rays
    assert np.mean(np.sum(black[8] != black[20], axis=1)) < 2  # and along one
    geometry = ig.PullbackGeometry(vae.decoder, "logits")
    for radius in (3, 5, 8, 12, 20):
        step = radius * np.diff(around, axis=0)
        metric = geometry.metric(radius * (around[1:] + around[:-1]) / 2)
        assert 77 < np.sqrt(np.einsum("ni,nij,nj->n", step, metric, step)).sum() < 88


def test_64_pixels_are_at_most_4_pi_from_one_half():
    half, sure = ig.Bernoulli(0.5), ig.Bernoulli([0.0, 1.0])
    np.testing.assert_allclose(8 * ig.fisher_rao_distance(half, sure), 4 * np.pi, rtol=1e-12)
