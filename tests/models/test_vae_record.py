"""A training that is watched is the same training, and its record never changes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import igviz as ig
from igviz.models import digit_vaes
from igviz.models.images import digits
from igviz.models.vae_record import PLACES, recorded


def test_a_watched_training_is_the_one_that_fit_makes():
    parts, watched, fitted = digits(), ig.VAE(hidden=(6, 6), seed=3), ig.VAE(hidden=(6, 6), seed=3)
    fitted.fit(parts.training, parts.validation, 4, progress=False, rate=0.004)
    *on_the_way, last = recorded(watched, 0.004, 4)
    assert watched.fingerprint == fitted.fingerprint
    assert (last.rate, last.hidden, last.seed) == (0.004, 6, 3)
    assert list(last.epochs) == list(fitted.history)
    assert [len(one.epochs) for one in on_the_way] == [len(one.shown) for one in on_the_way] == [1, 2, 3, 4]
    assert [one.ended for one in on_the_way] == [""] * 4
    assert last.ended == "All were done."


def test_what_is_shown_is_what_the_decoder_of_that_epoch_makes_of_the_places():
    parts, vae = digits(), ig.VAE(hidden=(5, 5), seed=1)
    *_, last = recorded(ig.VAE(hidden=(5, 5), seed=1), 0.01, 3)
    for epoch, shown in zip(
        vae.epochs(parts.training, parts.validation, 3, rate=0.01), last.shown, strict=True
    ):
        np.testing.assert_allclose(shown, vae.decode(PLACES), atol=1e-7)
        assert epoch.number <= 3
    assert np.ptp(last.shown[0] - last.shown[2]) > 1e-3


def test_the_places_are_the_middles_of_equal_shares_of_the_prior():
    shares = stats.norm.cdf(PLACES).reshape(8, 8, 2)
    np.testing.assert_allclose(shares[0, :, 0], (np.arange(8) + 0.5) / 8)
    np.testing.assert_allclose(
        shares[:, 5, 1], (np.arange(8)[::-1] + 0.5) / 8
    )  # the first row is the highest


def test_the_kept_epoch_is_the_best_so_far():
    record = digit_vaes.record()
    values = [one.validation_elbo for one in record.epochs]
    for epoch in (1, 2, 40, 60, 171, 200, len(values)):
        best = record.best_so_far(epoch)
        assert values[best - 1] == max(values[:epoch])
        assert best <= epoch
    assert record.best_so_far(len(values)) == digit_vaes.by_beta(1.0).best_epoch == 171


def test_the_lectures_record_is_of_the_autoencoder_that_is_shown():
    record, vae = digit_vaes.record(), digit_vaes.by_beta(1.0)
    assert list(record.epochs) == list(vae.history)
    assert (record.rate, record.hidden, record.seed) == (0.002, 64, 0)
    np.testing.assert_allclose(record.shown[vae.best_epoch - 1], vae.decode(PLACES), atol=1e-7)
    assert record.ended == "None of the last 50 was better."


def test_a_training_that_runs_away_is_no_record():
    with pytest.raises(FloatingPointError, match="ran away"):
        list(recorded(ig.VAE(hidden=(5, 5)), 1e6, 3))
