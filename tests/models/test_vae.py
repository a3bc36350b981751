"""The autoencoder reaches its aims on the digits, its numbers are what they say, bad arguments are named."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.special import expit

import igviz as ig
from igviz.models import digit_vaes
from igviz.models.images import digits

RNG = np.random.default_rng(6)
SHARES = [0.1, 0.3, 0.5, 0.6, 0.8, 0.9]
IMAGES = (RNG.random((30, 6)) < SHARES).astype(float)
HELD_OUT = (RNG.random((12, 6)) < SHARES).astype(float)


def small(**others):
    return ig.VAE(**{"latent": 2, "hidden": (5,), "seed": 7} | others)


def fit(vae, epochs=4, validation=HELD_OUT, **others):
    return vae.fit(IMAGES, validation, epochs, **{"batch": 8, "rate": 0.02, "progress": False} | others)


@pytest.fixture(scope="module")
def trained():
    parts = digits()
    others = [ig.VAE(seed=s).fit(parts.training, parts.validation, progress=False) for s in range(1, 5)]
    return [digit_vaes.lecture(), *others]


# -- the aims ----------------------------------------------------------------------------------------------


def test_the_test_elbo_of_five_seeds(trained):
    reached = [np.mean(vae.elbo(digits().test)) for vae in trained]
    assert np.median(reached) >= -20.5
    assert min(reached) >= -21.5


def test_independent_pixels_are_far_below():
    parts = digits()
    p = (parts.training.sum(axis=0) + 1.0) / (len(parts.training) + 2.0)
    assert np.mean(parts.test @ np.log(p) + (1.0 - parts.test) @ np.log1p(-p)) == pytest.approx(
        -25.2, abs=0.1
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_the_elbo_is_below_the_likelihood_for_every_image(trained, seed):
    images = digits().test[:180]
    gap = trained[seed].log_likelihood(images) - trained[seed].elbo(images)
    assert np.all(gap > 0.0)
    assert 0.3 < np.mean(gap) < 3.0


def test_the_validation_images_stopped_each_training(trained):
    for vae in trained:
        assert vae.training.stopped == "None of the last 50 was better."
        assert vae.best_epoch == len(vae.history) - 50
        reached = [epoch.validation_elbo for epoch in vae.history]
        assert vae.best_epoch == 1 + int(np.argmax(reached))
        assert np.mean(vae.elbo(digits().validation)) == pytest.approx(max(reached), abs=0.2)


# -- the numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("latent", [1, 2, 3, 5])
@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0, 4.0])
def test_the_elbo_is_the_elbo_whatever_was_climbed(latent, beta, dtype):
    """By its two parts, and by Monte Carlo with densities written out: log p(x|z) + log p(z) − log q(z)."""
    vae = fit(small(latent=latent, dtype=dtype), 40, beta=beta)
    images = IMAGES[:3]
    q, elbo = vae.encode(images), vae.elbo(images)
    np.testing.assert_allclose(elbo, vae.reconstruction(images) - vae.kl(images).sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(vae.kl(images), q.kl(ig.Normal(0.0, 1.0)), rtol=1e-9, atol=1e-12)
    noise = np.random.default_rng(1).standard_normal((40_000, 1, latent))
    z = q.mean + q.std * noise
    p = vae.decode(z)
    terms = np.sum(np.where(images == 1.0, np.log(p), np.log1p(-p)), axis=-1)
    terms += np.sum(0.5 * noise**2 + np.log(q.std) - 0.5 * z**2, axis=-1)
    error = np.std(terms, axis=0) / np.sqrt(len(terms))
    fixed_draws = 5.0 * np.std(terms, axis=0) / np.sqrt(512) if latent > 2 else 0.0
    assert np.all(np.abs(elbo - terms.mean(axis=0)) < 5.0 * error + fixed_draws + 1e-6)


def test_a_q_of_ones_own():
    vae = fit(small())
    q = ig.Normal(np.full((30, 2), 0.3), 0.7)
    expected = vae.reconstruction(IMAGES, q) - vae.kl(IMAGES, q).sum(axis=1)
    np.testing.assert_allclose(vae.elbo(IMAGES, q), expected, atol=1e-12)
    np.testing.assert_allclose(vae.kl(IMAGES, q), 0.5 * (0.09 + 0.49 - 1.0) - np.log(0.7))
    assert np.all(vae.elbo(IMAGES, q) < vae.log_likelihood(IMAGES))
    np.testing.assert_array_equal(vae.elbo(IMAGES), vae.elbo(IMAGES, vae.encode(IMAGES)))


def test_refined_q_are_between_the_encoders_and_the_likelihood():
    vae = fit(small(), 20)
    amortised, refined = vae.elbo(IMAGES), vae.elbo(IMAGES, vae.refine(IMAGES))
    assert np.all(refined >= amortised - 1e-10)
    assert np.mean(refined - amortised) > 1e-3
    assert np.all(refined < vae.log_likelihood(IMAGES))


def test_the_importance_bound_rises_and_is_the_same_for_a_seed():
    vae = fit(small(latent=3), 20)
    few = [vae.log_likelihood(IMAGES, samples=2, seed=seed) for seed in range(100)]
    many = vae.log_likelihood(IMAGES, samples=4000)
    assert np.mean(vae.elbo(IMAGES)) < np.mean(few) < np.mean(many)
    np.testing.assert_array_equal(many, vae.log_likelihood(IMAGES, 4000, 0))
    assert np.any(many != vae.log_likelihood(IMAGES, 4000, 1))


def test_decode_gives_the_probability_of_each_pixel():
    vae = fit(small())
    z = np.array([[[0.3, -1.2], [2.0, 0.1]]])
    np.testing.assert_allclose(vae.decode(z), expit(vae.decoder(z)))
    assert vae.decode(z).shape == (1, 2, 6)
    assert vae.decode([0.3, -1.2]).shape == (6,)


def test_the_history_has_both_parts():
    """Without steps to speak of they are those of the weights: as met by one z each, and by eight fixed z."""
    vae = small()
    for beta in (1.0, 3.0):
        fit(vae, 200, rate=1e-12, beta=beta, patience=None)
    met = np.array(vae.history)
    assert met.shape == (400, 5)
    np.testing.assert_array_equal(met[:, 0], np.arange(400) + 1)
    error = np.std(met[:, 1]) / np.sqrt(400)
    assert np.mean(met[:, 1]) == pytest.approx(np.mean(vae.reconstruction(IMAGES)), abs=5 * error)
    np.testing.assert_allclose(met[:, 2], np.mean(vae.kl(IMAGES).sum(axis=1)), rtol=1e-6)
    np.testing.assert_allclose(met[:, 4], np.mean(vae.kl(HELD_OUT).sum(axis=1)), rtol=1e-6)
    assert np.ptp(met[:, 3]) < 1e-6  # the noise is fixed
    assert met[0, 3] == pytest.approx(np.mean(vae.reconstruction(HELD_OUT)), abs=0.5)
    epoch = vae.history[0]
    assert epoch.elbo == epoch.reconstruction - epoch.kl
    assert epoch.validation_elbo == epoch.validation_reconstruction - epoch.validation_kl
    assert np.isnan(fit(vae, 1, None).history[-1].validation_elbo)


# -- training ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("validation", [HELD_OUT, None])
def test_two_calls_are_one_to_the_last_bit(dtype, validation):
    once = fit(small(dtype=dtype), 20, validation)
    twice = fit(fit(small(dtype=dtype), 10, validation), 10, validation)
    np.testing.assert_equal(twice.training.standing, once.training.standing)
    assert twice.fingerprint == once.fingerprint


def test_patience():
    vae = fit(small(), 500, rate=0.1, patience=4)
    assert len(vae.history) == vae.best_epoch + 4 < 500
    assert vae.training.stopped == "None of the last 4 was better."
    more = len(fit(vae, 500, rate=0.1, patience=4).history)  # anew, judged by the best so far
    assert more == max(vae.best_epoch, more - 4) + 4
    assert len(fit(small(), 30, rate=0.1, patience=None).history) == 30


def test_a_second_call_is_judged_by_its_own_images_and_beta():
    """The best weights so far are looked at again; where none is better, they stay."""
    vae = fit(small(), 60)
    before, best = vae.decoder.parameters.copy(), vae.best_epoch
    fit(vae, 5, rate=1e-12)  # the last weights, hardly changed
    if best < 60:
        np.testing.assert_array_equal(vae.decoder.parameters, before)
    fit(vae, 40, beta=30.0)  # the old best have too large a KL for this
    assert vae.best_epoch > 65
    assert np.mean(vae.kl(HELD_OUT).sum(axis=1)) < 0.1
    turned = 1.0 - HELD_OUT
    assert np.mean(fit(vae, 3, turned).elbo(turned)) < vae.history[0].validation_elbo


def test_without_validation_images_the_last_weights_are_kept():
    vae = fit(small(), 7, None)
    assert vae.best_epoch == len(vae.history) == 7
    assert vae.training.stopped == "All were done."


def test_a_large_beta_collapses_the_units():
    assert np.all(np.mean(fit(small(), 300, beta=20.0).kl(IMAGES), axis=0) < 0.01)


def test_one_image_and_batches_that_are_too_large():
    vae = small().fit(IMAGES[:1], epochs=200, rate=0.02, progress=False)
    assert vae.elbo(IMAGES[:1])[0] > -1.0
    huge, whole = (fit(small(), 3, batch=size) for size in (10**6, 30))
    assert huge.fingerprint == whole.fingerprint
    assert len(fit(small(), 1, HELD_OUT[:1]).history) == 1


def test_nothing_is_shared_and_the_global_state_is_left_alone():
    np.random.seed(0)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    one, other = small(), small()
    fit(one, 2)
    fit(other, 4)
    fit(one, 2)
    assert one.fingerprint == other.fingerprint
    assert one.fingerprint != fit(small(seed=8), 4).fingerprint
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    networks = [one.encoder, one.decoder, other.encoder, other.decoder]
    kept = [*one.training.standing.best, *other.training.standing.best]
    for i, first in enumerate(networks):
        assert not any(np.shares_memory(first.parameters, best) for best in kept)
        assert not any(np.shares_memory(first.parameters, second.parameters) for second in networks[:i])


def test_the_images_may_change_after_the_call():
    images = IMAGES.copy()
    vae = small()
    going = vae.epochs(images, HELD_OUT, 4, batch=8, rate=0.02)
    next(going)
    images[:] = 0.0
    list(going)
    assert vae.fingerprint == fit(small(), 4).fingerprint


def test_the_history_cannot_be_changed():
    vae = fit(small())
    with pytest.raises(AttributeError):
        vae.history.append(vae.history[0])
    with pytest.raises(AttributeError):
        vae.history[0].kl = 0.0


def test_the_fingerprint_follows_weights_and_epochs():
    vae = fit(small())
    seen = [vae.fingerprint]
    vae.decoder.parameters[3] += 1e-9
    seen.append(vae.fingerprint)
    vae.decoder.parameters[:] = vae.training.standing.best[1]
    assert vae.fingerprint == seen[0]
    seen.append(fit(vae, 1).fingerprint)
    for _epoch in vae.epochs(IMAGES, HELD_OUT, 3):
        seen.append(vae.fingerprint)
    assert len(set(seen)) == len(seen)


# -- what is said ------------------------------------------------------------------------------------------


def collapsed(text):
    """What a notebook keeps of a stream: a line is written over from each carriage return on."""
    return re.sub(r".*\r(?=[^\n])", "", text)


@pytest.mark.parametrize("validation", [HELD_OUT, None])
def test_the_bar_leaves_one_line(capfd, validation):
    vae = fit(small(), 30, validation, progress=True)
    out, err = capfd.readouterr()
    assert err == ""
    assert "Training:" in out
    assert "ELBO -" in out
    assert collapsed(out) == vae.summary() + "\n"
    assert out.count("\n") == 1
    fit(small(), 2, validation)
    assert capfd.readouterr() == ("", "")


def test_a_bar_that_ends_in_an_error_is_wiped(capfd):
    with pytest.raises(FloatingPointError):
        fit(small(), 5, rate=1e10, progress=True)
    out, err = capfd.readouterr()
    assert err == ""
    assert collapsed(out + "x").strip() == "x"


def test_the_sentences():
    vae = small()
    assert repr(vae) == "<VAE latent=2 hidden=(5,) seed=7 dtype=float64: not fitted>"
    assert vae.summary() == "Not fitted."
    assert (vae.history, vae.best_epoch) == ((), 0)
    fit(vae, 3, None)
    assert repr(vae) == "<VAE latent=2 hidden=(5,) seed=7 dtype=float64: epoch 3 of 3>"
    value = vae.history[2].elbo
    assert (
        vae.summary() == f"3 epochs. All were done. Kept: epoch 3, training ELBO {value:.2f} nats an image."
    )
    fit(vae, 2, rate=1e-4)
    assert f"validation ELBO {vae.history[vae.best_epoch - 1].validation_elbo:.2f} nats" in vae.summary()


# -- bad arguments -----------------------------------------------------------------------------------------

COUNTS = ["3", None, 2.5, 2.0, -1, True, np.nan]


def named(where, name):
    return pytest.raises((TypeError, ValueError), match=rf"^{re.escape(where)}: {name} must .*, got ")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("latent", [*COUNTS, 0, (2,)]),
        ("seed", ["0", None, 1.0, -1, True]),
        ("hidden", [64, None, (), [], "64", (64, 0), (64, 2.0), (64, "64"), [[3]], {64, 3}]),
        ("dtype", ["int", int, np.float16, complex]),
    ],
)
def test_bad_makings(name, values):
    for value in values:
        with named("VAE", name):
            ig.VAE(**{name: value})


def test_good_makings():
    assert small(hidden=np.array([4, 3])).hidden == small(hidden=[np.int64(4), 3]).hidden == (4, 3)
    assert small(dtype="float32").dtype == np.float32


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("epochs", [*COUNTS, 0]),
        ("beta", [-0.1, np.nan, np.inf, "1", None, True, [1.0, 2.0]]),
        ("batch", [*COUNTS, 0]),
        ("rate", [0.0, -1e-3, np.nan, np.inf, "1e-3", None]),
        ("patience", [0, -1, 2.5, "3", True]),
        (
            "images",
            [None, 1.0, IMAGES[0], IMAGES[:0], IMAGES * 0.5, IMAGES * np.nan, IMAGES.astype(str), "x"],
        ),
        ("validation", [100, IMAGES[0], IMAGES[:, :5], IMAGES[:0], IMAGES * 16, IMAGES + np.inf, "x"]),
    ],
)
def test_bad_trainings(name, values):
    for value in values:
        for vae in (small(), FITTED):
            before = vae.history
            for method in (vae.fit, vae.epochs):
                with named("VAE.fit", name):
                    method(**{"images": IMAGES, "epochs": 1} | {name: value})
            assert vae.history == before


FITTED = fit(small(), 1)


@pytest.mark.parametrize(
    "method", ["fit", "encode", "elbo", "reconstruction", "kl", "log_likelihood", "refine"]
)
def test_images_of_another_size(method):
    for bad in (IMAGES[:, :5], IMAGES[0], IMAGES[:0], IMAGES + 1.0, IMAGES * np.nan, "x", None):
        with named(f"VAE.{method}", "images"):
            getattr(FITTED, method)(bad)


@pytest.mark.parametrize("method", ["elbo", "reconstruction", "kl", "refine"])
def test_a_q_that_does_not_fit(method):
    for bad in (ig.Normal(np.zeros((29, 2)), 1.0), ig.Normal(np.zeros((30, 3)), 1.0), ig.Normal(0.0, 1.0)):
        with pytest.raises(ValueError, match=rf"^VAE.{method}: q must have shape \(30, 2\), .* got \("):
            getattr(FITTED, method)(IMAGES, bad)
    for bad in ("q", 1.0, (np.zeros((30, 2)), np.ones((30, 2)))):
        with pytest.raises(
            TypeError, match=rf"^VAE.{method}: q must be an igviz.Normal of shape \(30, 2\), got"
        ):
            getattr(FITTED, method)(IMAGES, bad)


def test_other_bad_arguments():
    for bad in (0.5, [1.0], [1.0, 2.0, 3.0], [1.0, np.nan], [np.inf, 0.0], "zz", None, [["a", "b"]], [1j, 0]):
        with named("VAE.decode", "latent"):
            FITTED.decode(bad)
    for bad in [*COUNTS, 0]:
        with named("VAE.log_likelihood", "samples"):
            FITTED.log_likelihood(IMAGES, samples=bad)
        with named("VAE.refine", "steps"):
            FITTED.refine(IMAGES, steps=bad)
    for bad in ("0", None, -1, 0.5):
        with named("VAE.log_likelihood", "seed"):
            FITTED.log_likelihood(IMAGES, seed=bad)
    for bad in (0.0, 1.5, -1.0, np.nan, "1", None):
        with named("VAE.refine", "step"):
            FITTED.refine(IMAGES, step=bad)


@pytest.mark.parametrize("method", ["encode", "elbo", "reconstruction", "kl", "log_likelihood", "refine"])
def test_use_before_fit(method):
    with pytest.raises(ValueError, match=r"^VAE: there are no weights before the first fit; call fit"):
        getattr(small(), method)(IMAGES)
    for use in (lambda vae: vae.decode([0.0, 0.0]), lambda vae: vae.encoder, lambda vae: vae.fingerprint):
        with pytest.raises(ValueError, match=r"^VAE: there are no weights before the first fit; call fit"):
            use(small())
