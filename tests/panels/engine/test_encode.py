"""From pixels to bytes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from igviz.panels.engine import encode, panel


@panel(setup=lambda axes: axes.set(xlim=(0, 10), ylim=(-2, 2)), v=(0, 10, 1))
def wave(axes, v=3):
    x = np.linspace(0, 10, 201)
    axes.contourf(*np.meshgrid(x, [-2, 2]), np.tile(np.sin(x + v), (2, 1)), levels=30)
    axes.plot(x, np.sin(x + v), lw=3, color="red")
    return f"v is {v}"


def opened(data):
    return Image.open(io.BytesIO(data))


def test_a_png_holds_exactly_the_pixels():
    pixels = wave.pixels()
    image = opened(encode.png(pixels))
    assert image.format == "PNG"
    assert np.array_equal(np.asarray(image), pixels[..., :3])


def test_a_jpeg_is_nearly_the_pixels_at_full_colour_resolution():
    pixels = wave.pixels()
    data = encode.jpeg(pixels)
    image = opened(data)
    assert image.format == "JPEG"
    assert {part[1:3] for part in image.layer} == {(1, 1)}, "4:4:4: no colour is averaged over neighbours"
    quality = io.BytesIO()
    Image.new("RGB", (8, 8)).save(quality, "JPEG", quality=90, subsampling=0)
    assert image.quantization == opened(quality.getvalue()).quantization
    error = np.asarray(image).astype(float) - pixels[..., :3]
    assert np.sqrt(np.mean(error**2)) < 3
    assert np.abs(error.mean()) < 0.5
    assert len(data) < 0.2 * pixels.nbytes


def test_the_stored_picture_is_small_has_few_colours_and_a_caption():
    pixels = wave.pixels()
    data = encode.stored_png((pixels, wave.sentence))
    image = opened(data)
    assert len(data) < 64_000
    assert image.width == 720
    assert image.height >= 360 + 2 * encode.LINE_HEIGHT
    shown = np.asarray(image.convert("RGB"))
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) <= 64
    caption = shown[360:]
    assert (caption < 100).any(), "words stand below the picture"
    assert (shown[0, 0] == 255).all(), "the paper stays white"
    assert (caption[-2:] == 255).all()


def test_the_same_picture_is_stored_as_the_same_bytes():
    first, second = (encode.stored_png((wave().pixels(), wave().sentence)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "sentence",
    [
        "short.",
        "a sentence of words " * 30,
        "WWWWW MMMMM " * 40,
        "iiii " * 200 + "WWWW " * 60,
        "KL(q‖p) = ½ " * 30,
    ],
)
def test_no_caption_is_wider_than_the_picture(sentence):
    font, _ = encode._fonts()
    lines = encode._wrapped(sentence, 696, font)
    assert " ".join(lines) == " ".join(sentence.split())
    assert all(font.getlength(line) <= 696 for line in lines)
