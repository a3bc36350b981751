"""The map of the course: walks along geodesics, one station for each lecture that exists."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from igviz.geometry.families.normal import Normal
from igviz.geometry.geodesics import geodesic
from igviz.plots import half_plane, style
from igviz.plots.settings import own_settings
from igviz.plots.still import Still

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    Lecture(
        "03_kl_quadratic_approximation",
        "KL and its quadratic approximation",
        "up close, KL is half the\nsquare of a length",
    ),
    Lecture("04_elbo", "The ELBO", "a bound whose gap\nis a KL divergence"),
    Lecture(
        "05_natural_gradient_vi",
        "Natural-gradient variational inference",
        "the steepest way,\nwhatever the map",
    ),
    Lecture(
        "06_vae", "The variational autoencoder", "inference for every image,\nand the shape of its codes"
    ),
)


COLUMNS = 3
ROW_HEIGHT = 2.4  # inches


@own_settings()
def course_map() -> Still:
    """Draw the lectures that exist, in order, along shortest paths in the half-plane of normals.

    Returns
    -------
    Still
        A picture with the list of the lectures as its sentence.
    """
    rows = [LECTURES[k : k + COLUMNS] for k in range(0, len(LECTURES), COLUMNS)]
    figure = Figure(figsize=(7.2, ROW_HEIGHT * len(rows)), dpi=100, facecolor=style.PAPER)
    for k, row in enumerate(rows):
        below = 1.0 - (k + 1) / len(rows)
        _draw_row(figure.add_axes((0.0, below, 1.0, 1.0 / len(rows))), row)
    listed = "; ".join(f"{one.number} {one.title} ({' '.join(one.idea.split())})" for one in LECTURES)
    return Still(figure, f"The lectures, in order: {listed}.")


def _draw_row(axes: Axes, row: tuple[Lecture, ...]) -> None:
    """Draw a few stations on one geodesic, each with its words below it."""
    style.prepare(axes)
    axes.set(xlim=(-7.2, 7.2), ylim=(-0.4, 5.0))
    half_plane.rulers(axes, 0.35 * np.exp(np.sqrt(2.0) * 0.5) ** np.arange(4), 0.5)
    axes.set_axis_off()
    path = geodesic(Normal(-5.7, 1.2), Normal(5.7, 1.2))
    along = path(np.linspace(0.0, 1.0, 400))
    # stations lie evenly in the picture's width, not in Fisher–Rao length, so that their words have room
    means = np.linspace(-7.2, 7.2, 2 * COLUMNS + 1)[1::2][: len(row)]
    heights = np.interp(means, along.mean, along.std)
    reached = along.mean <= (means[-1] if len(row) < COLUMNS else along.mean[-1])
    axes.plot(along.mean[reached], along.std[reached], **style.GEODESIC)
    for lecture, mean, height in zip(row, means, heights, strict=True):
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
        title = textwrap.fill(lecture.title, 22)
        blank = "\n" * (title.count("\n") + 1)
        axes.text(mean, height - 0.72, f"{blank}{lecture.idea}", bbox=style.CARD, **words)
        axes.text(mean, height - 0.72, title, fontweight="bold", **words)
