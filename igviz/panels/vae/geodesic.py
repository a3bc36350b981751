"""Two ways between two digits: the straight line, and the shortest way the decoder's geometry knows.

Along the straight line some steps change nothing and others everything; along the geodesic all steps cost
the decoder the same. As trained, the decoder knows nothing of where its data lie; with the cure it does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patheffects import withStroke

from igviz.geometry.pullback_geodesics import LatentGeodesic, curve
from igviz.models.images import digits
from igviz.panels.engine import Prediction, Slider, panel
from igviz.panels.vae import decoders, plane
from igviz.panels.vae.decoders import WIDTH, Decoded
from igviz.plots import digits as pictures
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRAINED, CURED = "as trained", "with the cure"
STARTS = tuple(f"a {digit}" for digit in range(10))
STEPS = 32  # whose KL is drawn
FRAMES = 9  # of a film
COARSE: dict[str, int] = {"waves": 3, "pieces": 12, "iterations": 6}  # while a point is dragged
FINE: dict[str, int] = {}  # at rest, as the geometry itself chooses
T, FILM = np.linspace(0.0, 1.0, 129), np.linspace(0.0, 1.0, FRAMES)
MIDDLES = (np.arange(STEPS) + 0.5) / STEPS
TALLER = 1.5  # of a film, in heights of a digit, its words included
EDGE = 4.2  # of the plane's frame
TOP = 8.0  # of the axis of steps; what is higher has a mark with its number

LOOKS = (style.STRAIGHT, style.GEODESIC)
HALO: dict[str, Any] = {"path_effects": [withStroke(linewidth=4.6, foreground=style.PAPER)]}
DOT: dict[str, Any] = {
    "marker": "o",
    "markersize": 4.5,
    "markeredgecolor": style.PAPER,
    "markeredgewidth": 0.6,
}
START: dict[str, Any] = {
    "color": style.BLACK,
    "marker": "s",
    "markersize": 8,
    "linestyle": "none",
    "markeredgecolor": style.PAPER,
    "zorder": 4.0,
}
END: dict[str, Any] = {**START, "marker": "o", "markersize": 9}

PEAK: dict[str, Any] = {"marker": "^", "markersize": 9, "linestyle": "none", "zorder": 4.0}
HEIGHT: dict[str, Any] = {
    "fontsize": style.TICK_SIZE,
    "family": style.FONT,
    "color": style.INK,
    "va": "center",
    "zorder": 4.0,
    "bbox": {**style.CARD, "boxstyle": "round,pad=0.15"},
}


class Ways(NamedTuple):
    """The two ways, as they are drawn."""

    geodesic: LatentGeodesic
    curves: tuple[np.ndarray, ...]  # straight line and geodesic, shape (len(T), 2)
    steps: tuple[np.ndarray, ...]  # KL of each step, both directions averaged, nats
    stops: tuple[np.ndarray, ...]  # the films' places, shape (FRAMES, 2)


def typical(shown: Decoded, digit: int) -> np.ndarray:
    """Return the code, shape (2,), of the training image of a digit that is nearest to the medians."""
    mine = shown.codes[digits().training_labels == digit]
    return mine[np.argmin(np.sum((mine - np.median(mine, axis=0)) ** 2, axis=1))]


@lru_cache(maxsize=1024)
def ways(shown: Decoded, digit: int, x: float, y: float, coarse: bool) -> Ways:
    """Return both ways from a typical digit to a point; coarse ones cost a fraction."""
    geometry = shown.coarse_geometry if coarse else shown.geometry
    found = geometry.geodesic(typical(shown, digit), np.array([x, y]), **(COARSE if coarse else FINE))
    both = (found.straight, found)
    return Ways(
        found,
        tuple(curve(found.start, found.end, waves, T) for waves in (found.waves[:0], found.waves)),
        tuple(shown.geometry.kl_steps(way(np.linspace(0.0, 1.0, STEPS + 1))) for way in both),
        tuple(way(FILM) for way in both),
    )


def _setup(axes: tuple[Axes, Axes, Axes, Axes]) -> None:
    chart, straight, shortest, steps = axes
    grid = chart.get_gridspec()
    three = grid[:, 1].subgridspec(3, 1, height_ratios=(TALLER, TALLER, 4.2), hspace=0.0)  # type: ignore[index]
    chart.set_subplotspec(grid[:, 0])  # type: ignore[index]
    for place, one in enumerate((straight, shortest, steps)):
        one.set_subplotspec(three[place])
    plane.setup(chart, EDGE)
    chart.plot([], [], label="straight line", **style.STRAIGHT)
    chart.plot([], [], label="geodesic", **style.GEODESIC)
    chart.plot([], [], label="from", **START)
    chart.plot([], [], label="to: drag it", **END)
    style.legend_above(chart, 2, columnspacing=1.4)
    chart.set_title(" \n ", fontsize=style.LABEL_SIZE, family=style.FONT, pad=6.0)  # two rows are kept free
    chart.set_xlabel("z₁  (darker: more volume)")
    for one, title in (
        (straight, "straight line, in equal steps"),
        (shortest, "geodesic, in equal lengths"),
    ):
        pictures.prepare(one)
        wide = pictures.SIDE + pictures.GAP
        one.set(xlim=(-0.5, FRAMES * wide - 1.5), ylim=(pictures.SIDE - 0.5, -0.5), aspect="equal")
        for spine in one.spines.values():
            spine.set_visible(False)
        head = one.set_title(title, fontsize=style.LABEL_SIZE, family=style.FONT, color=style.INK, pad=4.0)
        head.set_zorder(0.4)  # below the moving image: drawn once
    steps.set(xlim=(0.0, 1.0), ylim=(0.0, TOP), xlabel="share of the way", ylabel="KL of a step ÷ mean")
    steps.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0", "¼", "½", "¾", "1"])
    steps.set_yticks([0, 1, 2, 4, 6, 8])


@panel(
    layout=(2, 2),
    widths=(1.0, 1.08),
    setup=_setup,
    start=Slider(choices=STARTS, label="from"),
    x=Slider(-4, 4, 0.05, label="to z₁"),
    y=Slider(-4, 4, 0.05, label="to z₂"),
    decoder=Slider(choices=(TRAINED, CURED), label="decoder"),
    drag=("x", "y", 0),
    scenes={
        "Across the plane": {},
        "From a 3 to a 7": {"start": "a 3", "x": 1.5, "y": -1.1},
        "Same way, other pace": {"start": "a 6", "x": -1.5, "y": 1.1},
        "Around the codes": {"start": "a 4", "x": -1.8, "y": 0.6},
        "Cured": {"start": "a 4", "x": -1.8, "y": 0.6, "decoder": CURED},
    },
    predict=Prediction(
        "From a 4 to a 0: where does the geodesic of the decoder as trained go?",
        ["Nearly straight", "Through the middle", "Outside the codes"],
        at={"start": "a 4", "x": -1.8, "y": 0.6},
    ),
)
def geodesic(
    axes: tuple[Axes, Axes, Axes, Axes],
    start: str = "a 7",
    x: float = -2.6,
    y: float = 0.0,
    decoder: str = TRAINED,
    moving: bool = False,
) -> str:
    """Go from one digit to another straight, and by the shortest way: in which the decoder changes evenly."""
    chart, straight, shortest, steps = axes
    shown = decoders.now(WIDTH if decoder == CURED else None)
    found = ways(shown, STARTS.index(start), x, y, moving)
    plane.draw(chart, shown)
    for line, stops, look in zip(found.curves, found.stops, LOOKS, strict=True):
        chart.plot(*line.T, **look, **HALO)
        chart.plot(*stops[1:-1].T, linestyle="none", color=look["color"], **DOT)
    chart.plot(*found.geodesic.start, **START)
    chart.plot([x], [y], **END)
    for one, stops in zip((straight, shortest), found.stops, strict=True):
        pictures.show(one, pictures.mosaic(shown.pixels(stops), FRAMES))
    for each, look in zip(found.steps, LOOKS, strict=True):
        if np.any(each > 0.0):
            steps.plot(MIDDLES, each / np.mean(each), **look)
            _peak(steps, each / np.mean(each), look["color"])
    return _sentence(found, start, x, y, decoder)


def _peak(steps: Axes, heights: np.ndarray, color: str) -> None:
    """Mark a peak that leaves the axes, and write how high it is."""
    highest = int(np.argmax(heights))
    if heights[highest] > TOP:
        at, high = MIDDLES[highest], 0.94 * TOP
        steps.plot([at], [high], **PEAK, color=color)
        side, place = ("left", at + 0.03) if at < 0.8 else ("right", at - 0.03)
        steps.text(place, high, f"{heights[highest]:.1f}", ha=side, **HEIGHT)


def _sentence(found: Ways, start: str, x: float, y: float, decoder: str) -> str:
    way = found.geodesic
    place = f"From {start} to ({x:.2f}, {y:.2f}), {decoder}"
    if way.straight_length == 0.0:
        return f"{place}: both ways have length 0."
    peaks = [np.max(each) / np.mean(each) for each in found.steps]
    shorter = 100.0 * (1.0 - way.length / way.straight_length)
    return (
        f"{place}: straight line {way.straight_length:.2f} standard distances, geodesic "
        f"{way.length:.2f}, {shorter:.1f} % less. Largest KL step ÷ mean: {peaks[0]:.2f} and {peaks[1]:.2f}."
    ).replace("-", "−")
