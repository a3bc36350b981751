"""The palette on a white page, and as readers with a colour-vision deficiency see it."""

from __future__ import annotations

import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from igviz.plots import style

# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB
DEFICIENCIES = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteran": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    ratio = TO_XYZ @ np.clip(rgb, 0, 1) / (TO_XYZ @ np.ones(3))
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("colour", style.PALETTE)
def test_contrast_on_white(colour):
    luminance = TO_XYZ[1] @ linear(colour)
    assert 1.05 / (luminance + 0.05) >= 3.0


@pytest.mark.parametrize("deficiency", [None, *DEFICIENCIES])
def test_any_two_colours_stay_apart(deficiency):
    matrix = np.eye(3) if deficiency is None else np.array(DEFICIENCIES[deficiency])
    seen = {colour: lab(matrix @ linear(colour)) for colour in style.PALETTE}
    for one, other in itertools.combinations(style.PALETTE, 2):
        assert np.linalg.norm(seen[one] - seen[other]) >= 10.0, f"{one} and {other} for {deficiency} readers"


def test_no_idea_is_told_by_colour_alone():
    lines = [
        style.TARGET,
        style.APPROXIMATION,
        style.GEODESIC,
        style.STRAIGHT,
        style.NATURAL_GRADIENT,
        style.ORDINARY_GRADIENT,
        style.NATURAL_GEODESIC,
        style.EXPECTATION_GEODESIC,
    ]
    looks = [(line["color"], str(line["linestyle"])) for line in lines]
    assert len(set(looks)) == len(lines)
    assert style.TARGET_POINT["marker"] != style.APPROXIMATION_POINT["marker"]


def test_a_prepared_axes_looks_the_same_whatever_the_reader_has_configured():
    def picture() -> np.ndarray:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        figure = Figure(figsize=(4, 3), dpi=100, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_axes((0.15, 0.15, 0.8, 0.8))
        style.prepare(axes)
        axes.set(xlabel="mean", ylabel="std", xlim=(0, 1), ylim=(0, 1))
        axes.plot([0, 1], [0, 1], **style.GEODESIC)
        canvas.draw()
        return np.array(canvas.buffer_rgba())

    plain = picture()
    with mpl.rc_context({"axes.facecolor": "black", "axes.labelsize": 30, "axes.spines.top": True}):
        assert np.array_equal(plain, picture())
