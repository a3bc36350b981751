"""The latent plane of two panels: the decoder's volume element in greys, and the codes, drawn from store."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.patheffects import withStroke

from igviz.panels.vae.decoders import REACH, Decoded
from igviz.plots import stored, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EDGE = REACH + 0.25  # of the frame: a point at the end of its sliders is seen
CELLS = 84  # to a side, at whose corners the volume is computed
LOWEST, HIGHEST = 0.01, 100.0  # of the volume's greys
GREYS = LinearSegmentedColormap.from_list("volume", [style.PAPER, "#7A7A7A"])  # marks stay legible on it
NORM = LogNorm(LOWEST, HIGHEST, clip=True)
CODES: dict[str, Any] = {"color": style.INK, "marker": ".", "markersize": 2.0, "linestyle": "none"}
OUTLINE = [withStroke(linewidth=4.4, foreground=style.PAPER)]


def setup(axes: Axes, edge: float = EDGE) -> None:
    """Set up the plane's axes."""
    axes.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal", xlabel="z₁", ylabel="z₂")
    axes.set_xticks([-4, -2, 0, 2, 4])
    axes.set_yticks([-4, -2, 0, 2, 4])


def scale(axes: Axes, **options: Any) -> None:
    """Add the scale of the greys beside the plane; for a ``setup``."""
    bar = axes.figure.colorbar(ScalarMappable(NORM, GREYS), ax=axes, extend="both", pad=0.02, **options)
    bar.set_ticks([0.01, 0.1, 1.0, 10.0, 100.0], labels=["0.01", "0.1", "1", "10", "100"])
    bar.minorticks_off()
    bar.ax.tick_params(
        labelsize=style.TICK_SIZE, labelfontfamily=style.FONT, labelcolor=style.INK, length=2.0
    )
    bar.outline.set_edgecolor(style.LIGHT)
    # at its side: above, it would reach over the plane, and be drawn anew in every frame
    bar.set_label("volume", fontsize=style.LABEL_SIZE, family=style.FONT, color=style.INK, labelpad=0.0)


@lru_cache(maxsize=8)
def picture(shown: Decoded) -> stored.Pixels:
    """Return volume and codes as pixels; what is decoded is decoded once for a decoder."""
    side = np.linspace(-EDGE, EDGE, CELLS + 1)
    volume = shown.geometry.volume_element(np.stack(np.meshgrid(side, side), axis=-1))
    return stored.Pixels(lambda: [_greys(side, volume), _dots(shown.codes)])


def draw(axes: Axes, shown: Decoded) -> None:
    """Draw the plane of a decoder."""
    axes.add_artist(stored.Stored(picture(shown)))


def _greys(side: np.ndarray, volume: np.ndarray) -> QuadMesh:
    corners = np.stack(np.meshgrid(side, side), axis=-1)
    mesh = QuadMesh(corners, shading="gouraud", antialiased=False)
    mesh.set(array=np.clip(volume, LOWEST, HIGHEST), cmap=GREYS, norm=NORM)
    return mesh


def _dots(codes: np.ndarray) -> LineCollection:
    """Return a dot for each code: a line that goes almost nowhere, with round caps."""
    return LineCollection(
        list(np.stack([codes, codes + np.array([0.02, 0.0])], axis=1)),
        colors=style.INK,
        linewidths=1.5,
        capstyle="round",
        snap=False,
    )
