"""The map of the course: a walk along a geodesic, one station for each lecture that exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from igviz.geometry.families.normal import Normal
from igviz.geometry.geodesics import geodesic
from igviz.plots import half_plane, style
from igviz.plots.still import Still


@dataclass(frozen=True)
class Lecture:
    """A station of the map: the notebook's stem, its title, and its one idea."""

    stem: str
    title: str
    idea: str

    @property
    def number(self) -> str:
        """The two digits the notebook's name begins with."""
        return self.stem[:2]


LECTURES = (
    Lecture("00_start_here", "Start here", "equal steps of the parameters\nare not equal distances"),
    Lecture(
        "01_manifold_intuition",
        "Manifold intuition",
        "a family is a surface\nand Fisher information its ruler",
    ),
    Lecture(
        "02_fisher_information",
        "Fisher information",
        "the ruler is the variance\nof the score",
    ),
)


def course_map() -> Still:
    """Draw the lectures that exist, in order, along a shortest path in the half-plane of normals.

    Returns
    -------
    Still
        A picture with the list of the lectures as its sentence.
    """
    figure = Figure(figsize=(7.2, 2.6), dpi=100, facecolor=style.PAPER)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    style.prepare(axes)
    axes.set(xlim=(-7.2, 7.2), ylim=(0, 5.2))
    half_plane.rulers(axes, 0.35 * np.exp(np.sqrt(2.0) * 0.5) ** np.arange(4), 0.5)
    axes.set_axis_off()
    start, end = Normal(-5.6, 0.9), Normal(5.6, 0.9)
    path = geodesic(start, end)
    along = path(np.linspace(0.0, 1.0, 200))
    axes.plot(along.mean, along.std, **style.GEODESIC)
    # stations lie evenly in the picture's width, not in Fisher–Rao length, so that their words have room
    means = np.linspace(-5.2, 5.2, 2 * len(LECTURES) + 1)[1::2]
    heights = np.interp(means, along.mean, along.std)
    for lecture, mean, height in zip(LECTURES, means, heights, strict=True):
        axes.plot([mean], [height], marker="o", markersize=27, color=style.GREEN, linestyle="none")
        axes.text(mean, height, lecture.number, color="white", ha="center", va="center", fontsize=12.5)
        words: dict[str, Any] = {
            "color": style.INK,
            "ha": "center",
            "va": "top",
            "fontsize": style.TEXT_SIZE,
            "family": style.FONT,
            "linespacing": 1.35,
        }
        axes.text(mean, height - 0.62, f"\n{lecture.idea}", bbox=style.CARD, **words)
        axes.text(mean, height - 0.62, lecture.title, fontweight="bold", **words)
    listed = "; ".join(f"{one.number} {one.title} ({' '.join(one.idea.split())})" for one in LECTURES)
    return Still(figure, f"The lectures, in order: {listed}.")
