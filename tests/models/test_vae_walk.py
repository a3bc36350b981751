"""A training can be interrupted anywhere, and goes on as if it had not been."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import igviz as ig
from igviz.models import digit_vaes
from igviz.models.vae_walk import Training

RNG = np.random.default_rng(3)
IMAGES = (RNG.random((7, 5)) < [0.1, 0.4, 0.5, 0.7, 0.9]).astype(float)
HELD_OUT = (RNG.random((4, 5)) < [0.1, 0.4, 0.5, 0.7, 0.9]).astype(float)
WATCHED = ("vae.py", "vae_walk.py", "vae_training.py", "adam.py")


def small(**others):
    return ig.VAE(latent=2, hidden=(3,), seed=5, **others)


def fit(vae, epochs, **others):
    return vae.fit(IMAGES, HELD_OUT, epochs, batch=3, rate=0.05, **{"progress": False} | others)


STARTED = fit(small(), 1).training.standing


def assert_same(one, other):
    """All that decides how two autoencoders go on, to the last bit."""
    np.testing.assert_equal(one.training.standing, other.training.standing)
    assert one.fingerprint == other.fingerprint
    assert one.history == other.history


def assert_best(vae):
    """The networks have the best weights, which are those of the best epoch."""
    standing = vae.training.standing
    for network, best in zip((vae.encoder, vae.decoder), standing.best, strict=True):
        np.testing.assert_array_equal(network.parameters, best)
    assert [epoch.number for epoch in vae.history] == list(range(1, len(vae.history) + 1))
    assert standing.last["epoch"] == len(vae.history)
    reached = [epoch.validation_elbo for epoch in vae.history]
    assert vae.best_epoch == (int(np.argmax(reached)) + 1 if reached else 0)


class Interruption:
    """KeyboardInterrupt at the n-th line run of the modules in which a training walks."""

    def __init__(self, line):
        self.left, self.line = line, ""

    def __call__(self, frame, event, _value):
        watched = frame.f_code.co_filename.endswith(WATCHED)
        if watched and event == "line" and not self.line:
            self.left -= 1
            if self.left < 0:
                self.line = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return self if watched else None

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self)
        return self

    def __exit__(self, kind, value, trace):
        sys.settrace(self.before)
        return kind is KeyboardInterrupt


def after_one_epoch():
    vae = small()
    vae.make(5)
    vae.training.resume(STARTED, "")
    return vae


def test_an_interruption_at_any_line_loses_one_epoch_at_most():
    whole, lost = fit(small(), 4), set()
    for line in range(0, 1000, 3):
        vae = after_one_epoch()
        with Interruption(line) as interruption:
            fit(vae, 2)
        if not interruption.line:
            break
        assert_best(vae)
        done = len(vae.history)
        lost.add(3 - done)
        fit(vae, 4 - done)
        np.testing.assert_equal(vae.training.standing, whole.training.standing, err_msg=interruption.line)
    else:
        pytest.fail("the training has more lines than this")
    assert line > 100
    assert lost == {0, 1, 2}


@pytest.mark.parametrize("method", ["__init__", "set_postfix_str", "update", "close"])
def test_an_interruption_within_the_bar(monkeypatch, method):
    from tqdm.std import tqdm

    before = getattr(tqdm, method)

    def interrupted(self, *arguments, **others):
        before(self, *arguments, **others)
        if sys._getframe(1).f_code.co_name in ("show", "__exit__"):
            raise KeyboardInterrupt

    vae = after_one_epoch()
    with monkeypatch.context() as patched:
        patched.setattr(tqdm, method, interrupted)
        fit(vae, 2, progress=True)
    assert_best(vae)
    assert len(vae.history) == {"__init__": 1, "close": 3}.get(method, 2)
    fit(vae, 4 - len(vae.history))
    assert_same(vae, fit(small(), 4))


def test_a_watcher_sees_the_weights_of_the_moment_and_leaves_the_best():
    vae, seen = small(), []
    for epoch in vae.epochs(IMAGES, HELD_OUT, 30, batch=3, rate=0.2):
        np.testing.assert_array_equal(vae.encoder.parameters, vae.training.standing.last["encoder"])
        seen.append(epoch)
    assert tuple(seen) == vae.history
    assert vae.best_epoch < 30
    assert_best(vae)


def test_a_closed_iterator_leaves_the_best_weights_and_can_be_gone_on_from():
    vae = small()
    going = vae.epochs(IMAGES, HELD_OUT, 4, batch=3, rate=0.05)
    assert next(going).number == 1
    going.close()
    assert_best(vae)
    assert vae.training.stopped == "Interrupted."
    assert_same(fit(vae, 3), fit(small(), 4))


def test_an_iterator_that_another_training_has_overtaken():
    vae = small()
    first = vae.epochs(IMAGES, HELD_OUT, 4, batch=3, rate=0.05)
    next(first)
    second = vae.epochs(IMAGES, HELD_OUT, 3, batch=3, rate=0.05)
    next(second)
    with pytest.raises(RuntimeError, match="another training of this VAE has begun"):
        next(first)
    for _epoch in second:
        pass
    assert_same(vae, fit(small(), 4))


def test_an_interruption_is_told_without_a_bar_too(monkeypatch, capsys):
    before = Training._stand

    def stand(self, epoch, better):
        before(self, epoch, better)
        raise KeyboardInterrupt

    monkeypatch.setattr(Training, "_stand", stand)
    small().fit(IMAGES, HELD_OUT, 3, progress=False)
    assert "Interrupted." in capsys.readouterr().out


def test_an_interruption_of_the_lecture_is_not_taken_for_its_end(monkeypatch):
    before, calls = Training._stand, []

    def stand(self, epoch, better):
        before(self, epoch, better)
        calls.append(epoch)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Training, "_stand", stand)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                digit_vaes.by_beta(0.123)
    assert [epoch.number for epoch in calls] == [1, 1]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("validation", [HELD_OUT, None])
@pytest.mark.parametrize("batch", [3, 100])
def test_a_training_that_runs_away_keeps_the_best_weights(dtype, validation, batch):
    vae = small(dtype=dtype).fit(IMAGES, validation, 3, progress=False)
    before = vae.training.standing
    with pytest.raises(
        FloatingPointError, match=r"^VAE.fit: the training ran away in epoch \d at rate 1e\+10"
    ):
        vae.fit(IMAGES, validation, 9, rate=1e10, batch=batch, progress=False)
    np.testing.assert_equal(vae.training.standing, before)
    np.testing.assert_array_equal(vae.decoder.parameters, before.best[1])
    assert vae.training.stopped == "Ran away."
    assert np.all(np.isfinite(vae.elbo(IMAGES)))
    assert len(vae.fit(IMAGES, validation, 2, progress=False).history) == 5
