"""The visual language of the course: each idea has one colour, line style and marker in every lecture.

The five colours are Okabe and Ito's (2008); black, blue, vermillion, green and purple keep a contrast of
at least 3:1 on white and stay apart under simulated colour-blindness. Grey is for data and guides only.
Nothing here reads or sets ``rcParams``: a picture looks the same whatever a reader has configured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from matplotlib.patches import Polygon

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLACK = "#000000"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
GREY = "#767676"
LIGHT = "#D9D9D9"
INK = "#222222"
PAPER = "#FFFFFF"

PALETTE = (BLACK, BLUE, VERMILLION, GREEN, PURPLE)


class LineStyle(TypedDict):
    """What makes one idea recognisable: never its colour alone."""

    color: str
    linestyle: Any
    linewidth: float


class MarkerStyle(TypedDict):
    """A point that stands for one idea."""

    color: str
    marker: str
    markersize: float
    linestyle: str


TARGET: LineStyle = {"color": BLACK, "linestyle": "-", "linewidth": 2.4}
APPROXIMATION: LineStyle = {"color": BLUE, "linestyle": "--", "linewidth": 2.4}
GEODESIC: LineStyle = {"color": GREEN, "linestyle": "-", "linewidth": 2.6}
STRAIGHT: LineStyle = {"color": PURPLE, "linestyle": (0, (1, 1)), "linewidth": 2.6}
NATURAL_GRADIENT: LineStyle = {"color": VERMILLION, "linestyle": "-", "linewidth": 2.4}
ORDINARY_GRADIENT: LineStyle = {"color": BLUE, "linestyle": "-.", "linewidth": 2.4}
NATURAL_GEODESIC: LineStyle = {"color": VERMILLION, "linestyle": (0, (4, 1.6)), "linewidth": 2.6}
EXPECTATION_GEODESIC: LineStyle = {
    "color": BLUE,
    "linestyle": (0, (6, 1.4, 1.2, 1.4, 1.2, 1.4)),
    "linewidth": 2.6,
}
GUIDE: LineStyle = {"color": GREY, "linestyle": ":", "linewidth": 1.2}

TARGET_POINT: MarkerStyle = {"color": BLACK, "marker": "o", "markersize": 9, "linestyle": "none"}
APPROXIMATION_POINT: MarkerStyle = {"color": BLUE, "marker": "s", "markersize": 9, "linestyle": "none"}

CARD: dict[str, Any] = {
    "facecolor": PAPER,
    "edgecolor": LIGHT,
    "boxstyle": "round,pad=0.4",
    "linewidth": 0.8,
}

FONT = "DejaVu Sans"
LABEL_SIZE = 11.0
TICK_SIZE = 10.0
TEXT_SIZE = 10.5


def prepare(axes: Axes) -> None:
    """Give one empty axes the look of the course, everything explicit.

    Parameters
    ----------
    axes : matplotlib Axes
        Labels, titles and lines added afterwards keep what is set here.
    """
    axes.set_facecolor(PAPER)
    axes.set_axisbelow(True)
    axes.set_prop_cycle(color=list(PALETTE))
    axes.grid(True, color="#ECECEC", linewidth=0.8, linestyle="-", alpha=1.0)
    axes.minorticks_off()
    axes.tick_params(
        which="both",
        labelsize=TICK_SIZE,
        labelfontfamily=FONT,
        color=GREY,
        labelcolor=INK,
        length=3.5,
        width=0.8,
        pad=3.5,
        direction="out",
    )
    axes.tick_params(axis="x", bottom=True, top=False, labelbottom=True, labeltop=False)
    axes.tick_params(axis="y", left=True, right=False, labelleft=True, labelright=False)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GREY)
        spine.set_linewidth(0.9)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(fontsize=LABEL_SIZE, color=INK, family=FONT)
        axis.labelpad = 4.0
    axes.margins(0.05)


def area(axes: Axes, x: Any, low: Any, high: Any, **look: Any) -> None:
    """Fill between two curves over x, each of shape (n,): in a fifth of the time of ``fill_between``."""
    corners = np.stack([np.append(x, x[::-1]), np.append(low, high[::-1])], axis=-1)
    axes.add_artist(Polygon(corners, **look))


def legend(axes: Axes, **options: Any) -> None:
    """Add a legend in the course's look to a prepared axes; for a panel's ``setup``."""
    settings: dict[str, Any] = {
        "fontsize": TICK_SIZE,
        "frameon": True,
        "framealpha": 0.9,
        "edgecolor": LIGHT,
        "facecolor": PAPER,
        "labelcolor": INK,
        "handlelength": 2.4,
        "borderpad": 0.4,
        "loc": "best",
    }
    axes.legend(**{**settings, **options})


def legend_above(axes: Axes, columns: int, **options: Any) -> None:
    """Add a legend in the margin above a prepared axes, where no curve runs behind it; for a ``setup``.

    It lies below everything in the z-order, so that a panel draws it once and not in every frame. The layout
    keeps its height free, as an axes' title, and not its width: it may reach over the end of its axes.
    """
    settings: dict[str, Any] = {
        "loc": "lower left",
        "bbox_to_anchor": (0.0, 1.0),
        "ncols": columns,
        "frameon": False,
        "borderpad": 0.2,
        "borderaxespad": 0.3,
        "columnspacing": 1.1,
        "handletextpad": 0.6,
    }
    legend(axes, **{**settings, **options})
    made = axes.get_legend()
    assert made is not None
    made.set_in_layout(False)
    made.set_zorder(0.4)
    axes.set_title(" ", fontsize=LABEL_SIZE, family=FONT, pad=6.0)
