"""What lecture 06 says of its autoencoders holds of them."""

from __future__ import annotations

import numpy as np
import pytest

import igviz as ig
from igviz.models import digit_vaes
from igviz.models.images import digits


def test_the_lectures_own():
    vae = digit_vaes.lecture()
    assert digit_vaes.lecture() is vae
    assert digit_vaes.by_beta(1.0) is vae
    assert digit_vaes.by_beta(1) is vae
    assert digit_vaes.is_trained(1)
    assert not digit_vaes.is_trained(77.0)
    assert repr(vae).startswith("<VAE latent=2 hidden=(64, 64) seed=0 dtype=float64: epoch ")


def test_another_in_its_place():
    own = digit_vaes.lecture()
    other = ig.VAE(hidden=(3,)).fit(digits().training[:50], epochs=1, progress=False)
    try:
        digit_vaes.use(other)
        assert digit_vaes.lecture() is other
        assert digit_vaes.by_beta(1.0) is own
        before = digit_vaes.lecture().fingerprint
        other.fit(digits().training[:50], epochs=1, progress=False)
        assert digit_vaes.lecture().fingerprint != before  # what panels cache by
    finally:
        digit_vaes.use(None)
    assert digit_vaes.lecture() is own


def test_what_cannot_be_in_its_place():
    images = digits().training[:20]
    for bad in ("vae", 3, ig.VAE, images):
        with pytest.raises(TypeError, match=r"^digit_vaes.use: vae must be an igviz.VAE or None, got "):
            digit_vaes.use(bad)
    three = ig.VAE(latent=3, hidden=(3,)).fit(images, epochs=1, progress=False)
    narrow = ig.VAE(hidden=(3,)).fit(images[:, :63], epochs=1, progress=False)
    untrained = ig.VAE()
    for bad in (three, narrow, untrained):
        with pytest.raises(
            ValueError, match=r"^digit_vaes.use: vae must be fitted to the digits .* got <VAE"
        ):
            digit_vaes.use(bad)
    untrained.make(64)
    with pytest.raises(ValueError, match="not fitted"):
        digit_vaes.use(untrained)


def test_the_weight_of_the_kl():
    """The KL falls with beta, at 4 to next to nothing, at 8 in both units to nothing; 1 has the best ELBO."""
    betas = [beta for beta in digit_vaes.BETAS if beta not in (2.0, 3.0)]  # which take longest
    kl = np.array([np.mean(digit_vaes.by_beta(beta).kl(digits().test), axis=0) for beta in betas])
    assert np.all(np.diff(kl.sum(axis=1)) < 0.05)
    assert kl[betas.index(4.0)].sum() < 0.25
    assert np.all(kl[betas.index(8.0)] < 0.01)
    elbo = [np.mean(digit_vaes.by_beta(beta).elbo(digits().test)) for beta in betas]
    assert betas[int(np.argmax(elbo))] == 1.0


def test_the_long_run_overfits_its_encoder():
    """Between epochs 200 and 1000 the test ELBO falls while log p(x) of the same images rises."""
    early, late = digit_vaes.after(200), digit_vaes.after(1000)
    images = digits().test
    assert np.mean(late.elbo(images)) < np.mean(early.elbo(images)) - 0.5
    assert np.mean(late.log_likelihood(images)) > np.mean(early.log_likelihood(images)) + 0.3


def test_the_stations_of_the_long_run():
    last = digit_vaes.STATIONS[-1]
    assert [standing.best_epoch for standing in digit_vaes.long_run()] == list(digit_vaes.STATIONS)
    assert digit_vaes.after(last) is digit_vaes.after(last)
    assert len(digit_vaes.after(50).history) == 50
    for epoch in digit_vaes.STATIONS:
        vae = digit_vaes.after(epoch)
        assert vae.history == digit_vaes.after(last).history[:epoch]
        np.testing.assert_array_equal(vae.decoder.parameters, vae.training.standing.last["decoder"])
    with pytest.raises(ValueError, match=r"^digit_vaes.after: epoch must be one of \(5, .*\), got 7"):
        digit_vaes.after(7)
