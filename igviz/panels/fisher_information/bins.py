"""Information can only be lost: what a datum still tells when only its bin is kept."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import StepPatch

from igviz.geometry.binning import binned_information
from igviz.geometry.families.normal import Normal
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

P = Normal(0.0, 1.0)
PARAMETERS = ("mean", "std")
LAW = {"mean": 12, "std": 6}  # of fine bins: the share w²/12 or w²/6 is lost
BASES = np.round(np.arange(0.5, 1.501, 0.05), 2)
DOUBLINGS = np.arange(7)
WIDTHS = np.unique(
    np.round(np.outer(BASES, 2.0 ** np.arange(-1, 7)), 3)
)  # all that can be reached, and halves
PLACES = np.arange(
    -48, 49
)  # edges in units of the width: the finest bins reach 9 std beyond the furthest edge
SIDE = 4.2  # half the width of the left picture
X = np.linspace(-SIDE, SIDE, 211)
SEEN = 0.005  # a difference of shares that can be seen

BARS: dict[str, Any] = {"facecolor": style.LIGHT, "edgecolor": style.GREY, "linewidth": 1.0, "fill": True}
EDGES: dict[str, Any] = {"color": style.GREY, "linestyle": "-", "linewidth": 1.2}
CURVE: dict[str, Any] = {"color": style.GREY, "linestyle": "-", "linewidth": 2.0}
CHAIN: dict[str, Any] = {**style.TARGET_POINT, "markersize": 7}
RIVAL: dict[str, Any] = {
    "color": style.VERMILLION,
    "marker": "D",
    "markersize": 9,
    "linestyle": "none",
    "markerfacecolor": style.PAPER,
    "markeredgewidth": 2.2,
}
NOTE: dict[str, Any] = {
    "fontsize": style.TICK_SIZE,
    "color": style.INK,
    "family": style.FONT,
    "ha": "right",
    "va": "top",
}


@lru_cache(maxsize=64)
def shares(edge: float) -> np.ndarray:
    """Return the share of the information that bins of each of WIDTHS keep, of the mean and of the std.

    Shape (len(WIDTHS), 2). Each parameter is asked for with the other one known. Measured in bin widths all
    bins are alike and the bells differ, so that one grid of bells answers for every width.
    """
    bells = Normal(-edge / WIDTHS, 1.0 / WIDTHS)
    kept, whole = binned_information(bells, PLACES), bells.fisher("source")
    return np.diagonal(kept, axis1=1, axis2=2) / np.diagonal(whole, axis1=1, axis2=2)


def place(width: float) -> int:
    """Return where a width stands in WIDTHS."""
    return int(np.argmin(np.abs(WIDTHS - width)))


def rival(here: int, curve: np.ndarray) -> int | None:
    """Return the place in WIDTHS of the narrower bins that keep least, if that is less than the bins here."""
    worst = int(np.argmin(curve[: here + 1]))
    return worst if curve[worst] < curve[here] - SEEN else None


def _setup(axes: tuple[Axes, Axes]) -> None:
    bars, kept = axes
    bars.set(xlim=(-SIDE, SIDE), ylim=(0.0, 0.46), xlabel="x, in std from the mean", ylabel="density")
    bars.set_xticks([-4, -3, -2, -1, 0, 1, 2, 3, 4])
    bars.set_yticks([0.0, 0.1, 0.2, 0.3, 0.4])
    bars.plot([], [], label="exact", **style.TARGET)
    bars.add_artist(StepPatch([np.nan], [0.0, 0.0], label="only the bin is kept", **BARS))
    kept.set(xscale="log", xlim=(0.42, 118.0), ylim=(-0.04, 1.08), xlabel="bin width w, in std")
    kept.set_ylabel("share of the information kept")
    kept.set_xticks([0.5, 1, 2, 4, 8, 16, 32, 64], ["½", "1", "2", "4", "8", "16", "32", "64"])
    kept.minorticks_off()
    kept.set_yticks([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    kept.axhline(1.0, zorder=0.8, **style.GUIDE)
    kept.plot([], [], label="any width", **CURVE)
    kept.plot([], [], label="nested: h·2ᵏ", **CHAIN)
    kept.plot([], [], label="now", **style.APPROXIMATION_POINT)
    style.legend_above(bars, 2)
    style.legend_above(kept, 3, handlelength=1.4, columnspacing=0.9)


def _draw_bins(axes: Axes, width: float, edge: float) -> None:
    first, last = np.floor((-SIDE - edge) / width), np.ceil((SIDE - edge) / width)
    edges = edge + width * np.arange(first, last + 1.0)
    axes.add_artist(StepPatch(np.diff(P.cdf(edges)) / width, edges, **BARS))
    inside = edges[np.abs(edges) <= SIDE]
    posts = np.stack([inside, inside, np.full_like(inside, np.nan)], axis=-1).ravel()
    axes.plot(posts, np.tile([0.0, 0.46, np.nan], inside.size), **EDGES)
    axes.plot(X, P.pdf(X), **style.TARGET)


@panel(
    layout=(1, 2),
    widths=(1.0, 1.15),
    setup=_setup,
    doublings=Slider(0, 6, 1, label="doublings k"),
    base=Slider(0.5, 1.5, 0.05, label="base width h"),
    edge=Slider(0, 3, 0.1, label="an edge at"),
    parameter=Slider(choices=PARAMETERS, label="information about the"),
    play="doublings",
    scenes={
        "Fine bins": {"doublings": 0, "base": 0.5},
        "Only the sign": {"doublings": 3, "edge": 0},
        "A bin over the mean": {"doublings": 2, "base": 1.5, "edge": 3},
        "Wider, yet better": {"doublings": 2, "base": 1.15, "edge": 3, "parameter": "std"},
    },
    predict=Prediction(
        "Of 100 data only the sign is kept. How much is left of what they told about the mean?",
        ["A third", "Half", "About two thirds", "Nine tenths"],
        at={"doublings": 3, "edge": 0},
    ),
)
def bins(
    axes: tuple[Axes, Axes],
    doublings: int = 1,
    base: float = 1.0,
    edge: float = 0.3,
    parameter: str = "mean",
) -> str:
    """Keep of each datum only its bin: twice as wide tells less, and none tells more than the exact datum."""
    bars, kept = axes
    chain = [place(one) for one in base * 2.0**DOUBLINGS]
    here, half = chain[doublings], place(base * 2.0 ** (doublings - 1))
    width, curve = float(WIDTHS[here]), shares(edge)[:, PARAMETERS.index(parameter)]
    _draw_bins(bars, width, edge)
    kept.plot(WIDTHS, curve, **CURVE)
    kept.plot(WIDTHS[chain], curve[chain], **CHAIN)
    worse = rival(here, curve)
    if worse is not None:
        kept.plot(WIDTHS[worse], curve[worse], **RIVAL)
        kept.text(0.84 * WIDTHS[worse], curve[worse] + 0.02, "narrower,\nyet worse", **NOTE)
    kept.plot(width, curve[here], **style.APPROXIMATION_POINT)
    now = curve[here]
    words = (
        f"Bins {width:.2f} std wide keep {now:.3f} of the information about the {parameter}: 100 binned data "
        f"are worth {100.0 * now:.0f} exact ones. Halved bins keep {curve[half]:.3f}."
    )
    if worse is not None:
        return f"{words} At {WIDTHS[worse]:.2f}, narrower but not nested: {curve[worse]:.3f}."
    if width <= 1.0:
        law = LAW[parameter]
        return f"{words} Fine bins: about 1 − w²/{law} = {1.0 - width**2 / law:.3f}."
    if parameter == "mean" and abs(now - 2.0 / np.pi) < 1e-9:
        return f"{words} It is 2/π: only the sign is left."
    return words
