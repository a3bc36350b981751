"""An autoencoder in a file goes on as if there had been none; other files are refused."""

from __future__ import annotations

import copy
import json
import pickle
import zipfile

import numpy as np
import pytest

import igviz as ig

RNG = np.random.default_rng(4)
IMAGES, HELD_OUT = (RNG.random((40, 6)) < 0.4).astype(float), (RNG.random((9, 6)) < 0.4).astype(float)


def fit(vae, epochs=3, validation=HELD_OUT):
    return vae.fit(IMAGES, validation, epochs, batch=16, progress=False)


def small(**others):
    return ig.VAE(**{"latent": 3, "hidden": (5, 4), "seed": 7} | others)


def assert_same(one, other):
    np.testing.assert_equal(one.training.standing, other.training.standing)
    assert one.fingerprint == other.fingerprint
    assert repr(one) == repr(other)
    assert one.training.stopped == other.training.stopped


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("validation", [HELD_OUT, None])
@pytest.mark.parametrize("latent", [1, 2, 3, 5])
def test_there_and_back(tmp_path, dtype, validation, latent):
    vae = fit(small(dtype=dtype, latent=latent), 3, validation)
    read = ig.VAE.load(vae.save(tmp_path / "vae.npz"))
    assert_same(read, vae)
    assert read.encoder.dtype == read.decoder.dtype == dtype
    for one, other in zip(read.history, vae.history, strict=True):
        assert type(one) is type(other)
        np.testing.assert_equal(tuple(one), tuple(other))
    np.testing.assert_array_equal(read.elbo(IMAGES), vae.elbo(IMAGES))
    assert_same(fit(read, 3, validation), fit(vae, 3, validation))


def test_the_best_weights_are_not_the_last(tmp_path):
    vae = small()
    vae.fit(IMAGES, HELD_OUT, 200, rate=0.05, patience=5, progress=False)
    assert 0 < vae.best_epoch < len(vae.history)
    read = ig.VAE.load(vae.save(tmp_path / "vae"))
    np.testing.assert_array_equal(read.decoder.parameters, vae.decoder.parameters)
    assert_same(fit(read), fit(vae))


def test_the_file_is_named_as_the_path_says(tmp_path):
    vae = fit(small())
    assert vae.save(tmp_path / "one") == tmp_path / "one.npz"
    assert vae.save(str(tmp_path / "v1.2")) == tmp_path / "v1.2.npz"
    assert vae.save(tmp_path / "two.npz") == tmp_path / "two.npz"
    assert {path.name for path in tmp_path.iterdir()} == {"one.npz", "v1.2.npz", "two.npz"}
    assert_same(ig.VAE.load(tmp_path / "one"), vae)
    assert_same(ig.VAE.load(str(tmp_path / "v1.2")), vae)
    with np.load(tmp_path / "two.npz", allow_pickle=False) as file:  # nothing is pickled
        assert json.loads(str(file["about"]))["format"] == "igviz.VAE 1"


def test_an_interrupted_save_leaves_the_file_before(tmp_path, monkeypatch):
    vae = fit(small())
    path = vae.save(tmp_path / "vae")
    before = path.read_bytes()

    def interrupted(file, **_arrays):
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(np, "savez_compressed", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit(vae).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def damaged(whole):
    """Bytes that are not what `save` wrote."""
    yield "empty", b""
    yield "text", b"igviz.VAE 1"
    for part in (10, len(whole) // 3, len(whole) - 30):
        yield f"cut at {part}", whole[:part]
    rng = np.random.default_rng(0)
    for _ in range(60):
        place = int(rng.integers(len(whole)))
        yield f"byte {place}", whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]


def test_a_damaged_file(tmp_path):
    vae = fit(small())
    whole = vae.save(tmp_path / "whole").read_bytes()
    path = tmp_path / "damaged.npz"
    refused = 0
    for what, content in damaged(whole):
        path.write_bytes(content)
        try:
            read = ig.VAE.load(path)
        except ValueError as error:
            assert str(error).startswith(
                "VAE.load: path must name a whole file written by VAE.save, got '"
            ), what
            refused += 1
        else:  # the byte was one of those that say when the file was made, and the like
            assert_same(read, vae)
    assert refused >= 40


def rewritten(path, **others):
    with np.load(path) as file:
        arrays = dict(file)
    words = json.loads(str(arrays["about"])) | others.pop("words", {})
    arrays = {name: array for name, array in (arrays | others).items() if array is not None}
    np.savez(
        path, **{"about": np.array(json.dumps(words))} | {k: v for k, v in arrays.items() if k != "about"}
    )


@pytest.mark.parametrize(
    "change",
    [
        {"words": {"format": "igviz.VAE 2"}},
        {"words": {"latent": 0}},
        {"words": {"pixels": 7}},
        {"words": {"hidden": [5, 5]}},
        {"words": {"last": {}}},
        {"best_encoder": None},
        {"history": None},
        {"history": np.zeros((3, 4))},
        {"last_decoder": np.zeros(3)},
        {"last_encoder_mean": None},
        {"best_decoder": np.zeros(3)},
    ],
    ids=str,
)
def test_a_file_with_other_contents(tmp_path, change):
    path = fit(small()).save(tmp_path / "vae")
    rewritten(path, **change)
    with pytest.raises(
        ValueError, match=r"^VAE.load: path must name a whole file written by VAE.save, got '"
    ):
        ig.VAE.load(path)


def test_other_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz"):
        ig.VAE.load(tmp_path / "nowhere")
    np.save(tmp_path / "array.npy", np.ones(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    np.savez(tmp_path / "others.npz", weights=np.ones(3))
    np.savez(tmp_path / "pickled.npz", about=np.array([{"format": "igviz.VAE 1"}], dtype=object))
    with zipfile.ZipFile(tmp_path / "archive.npz", "w") as archive:
        archive.writestr("about.txt", "igviz.VAE 1")
    for name in ("array", "others", "pickled", "archive"):
        with pytest.raises(ValueError, match=rf"^VAE.load: path must name a whole file .*{name}\.npz'"):
            ig.VAE.load(tmp_path / f"{name}.npz")


@pytest.mark.parametrize("path", [None, 3, ["vae.npz"], b"vae.npz"])
def test_what_is_no_path(path):
    with pytest.raises(TypeError, match=r"^VAE.load: path must be a str or a pathlib.Path, got "):
        ig.VAE.load(path)
    with pytest.raises(TypeError, match=r"^VAE.save: path must be a str or a pathlib.Path, got "):
        fit(small(), 1).save(path)


@pytest.mark.parametrize("path", ["", ".", "/"])
def test_a_path_without_a_name(path):
    with pytest.raises(ValueError, match=r"^VAE.save: path must name a file, got "):
        fit(small(), 1).save(path)


def test_save_before_fit(tmp_path):
    with pytest.raises(ValueError, match=r"no weights before the first fit; call fit\(images\) or VAE.load"):
        small().save(tmp_path / "vae")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda vae: pickle.loads(pickle.dumps(vae))])
def test_a_copy_shares_nothing_and_goes_on_alike(copied):
    vae = fit(small())
    other, before = copied(vae), vae.fingerprint
    assert_same(other, vae)
    fit(other)
    assert vae.fingerprint == before
    assert_same(fit(vae), other)
    fresh = copied(small())
    assert repr(fresh) == repr(small())
    assert_same(fit(fresh), fit(small()))
