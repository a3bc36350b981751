"""What the decoder holds apart: the volume element of the metric it pulls back, without and with the cure.

A Bernoulli decoder is sure of its pixels where it saw no data, and going outwards changes none of them.
The cure takes every pixel to ½ away from the codes: on the way the pixels change, and a wall stands around
the codes. Beyond it all pixels are at ½, and nothing changes again.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patheffects import withStroke

from igviz.panels.engine import Prediction, Slider, panel
from igviz.panels.vae import decoders, plane
from igviz.panels.vae.decoders import REACH, WIDTH, WIDTHS, Decoded
from igviz.plots import digits, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OFF, ON = "off", "on"
RAY = np.linspace(0.0, math.sqrt(2.0) * REACH, 101)
LOW, HIGH = 1e-3, 1e3  # of the curves
CIRCLE = np.stack([np.cos(np.linspace(0.0, 2.0 * np.pi, 121)), np.sin(np.linspace(0.0, 2.0 * np.pi, 121))])
LENGTH = 3.0  # Fisher length of the ellipse's half axes: one of 1 would be lost under its point
LARGEST = 30.0  # half axis of an ellipse that is drawn
SMALLEST = 1e-6  # of numbers that are written
MOST = 64.0 * math.log(2.0)  # nats
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

TRAINED: dict[str, Any] = {"color": style.BLACK, "linestyle": "-", "linewidth": 2.2}
CURED: dict[str, Any] = {"color": style.VERMILLION, "linestyle": (0, (3.5, 1.4)), "linewidth": 2.2}
POINT: dict[str, Any] = {
    "color": style.BLUE,
    "marker": "o",
    "markersize": 5,
    "linestyle": "none",
    "markeredgecolor": style.PAPER,
    "markeredgewidth": 0.8,
    "zorder": 4.0,
}
ELLIPSE: dict[str, Any] = {
    "color": style.BLUE,
    "linewidth": 2.0,
    "path_effects": [withStroke(linewidth=4.0, foreground=style.PAPER)],
}
THROUGH: dict[str, Any] = {**style.GUIDE, "linewidth": 1.6, "color": style.INK}
NOTE: dict[str, Any] = {
    "fontsize": style.TICK_SIZE,
    "family": style.FONT,
    "color": style.INK,
    "bbox": {**style.CARD, "boxstyle": "round,pad=0.25"},
}


class Place(NamedTuple):
    """What one decoder has at a point."""

    pixels: np.ndarray  # shape (64,)
    entropy: float  # nats
    metric: np.ndarray  # shape (2, 2)
    volume: float
    share: float  # of the median among the codes


@lru_cache(maxsize=4096)
def place(shown: Decoded, x: float, y: float) -> Place:
    """Return what a decoder has at a point."""
    z = np.array([x, y])
    metric = shown.geometry.metric(z)
    volume = math.sqrt(max(float(np.linalg.det(metric)), 0.0))
    return Place(shown.pixels(z), float(shown.entropy(z)), metric, volume, volume / shown.median_volume)


def direction(x: float, y: float) -> tuple[float, float]:
    """Return the direction of a point from the origin; for the origin itself, to the right."""
    far = math.hypot(x, y)
    return (x / far, y / far) if far > 0.0 else (1.0, 0.0)


@lru_cache(maxsize=512)
def along(shown: Decoded, across: float, up: float) -> np.ndarray:
    """Return the volume element at RAY from the origin in a direction."""
    return shown.geometry.volume_element(RAY[:, None] * np.array([across, up]))


def ellipse(metric: np.ndarray) -> np.ndarray:
    """Return δ with δᵀgδ = LENGTH², shape (2, 121), no half axis longer than LARGEST."""
    squares, axes = np.linalg.eigh(metric)
    half = LENGTH / np.sqrt(np.maximum(squares, (LENGTH / LARGEST) ** 2))
    return axes @ (half[:, None] * CIRCLE)


def _setup(axes: tuple[Axes, Axes, Axes, Axes]) -> None:
    chart, left, right, curve = axes
    grid = chart.get_gridspec()
    two = grid[0, 1].subgridspec(1, 2)  # type: ignore[index]
    chart.set_subplotspec(grid[:, 0])  # type: ignore[index]
    left.set_subplotspec(two[0])
    right.set_subplotspec(two[1])
    plane.setup(chart)
    plane.scale(chart, fraction=0.05, aspect=32)
    chart.plot([], [], label="codes", **plane.CODES | {"markersize": 6})
    chart.plot([], [], label=f"Fisher length {LENGTH:g}", **ELLIPSE)
    style.legend_above(chart, 2, handlelength=1.4)
    for one, title in ((left, "as trained"), (right, "with the cure")):
        digits.prepare(one)
        one.set(xlim=(-0.5, 7.5), ylim=(7.5, -0.5), aspect="equal")
        head = one.set_title(title, fontsize=style.LABEL_SIZE, family=style.FONT, color=style.INK, pad=5.0)
        head.set_zorder(0.4)  # below the moving image: drawn once
    curve.set(xlim=(0.0, RAY[-1] + 0.2), yscale="log", ylim=(LOW, HIGH))
    curve.set(xlabel="distance along the dotted ray", ylabel="volume")
    curve.set_yticks([1e-3, 1e-1, 1e1, 1e3], ["0.001", "0.1", "10", "1000"])
    curve.minorticks_off()
    curve.plot([], [], label="as trained", **TRAINED)
    curve.plot([], [], label="with the cure", **CURED)
    style.legend_above(curve, 2, bbox_to_anchor=(-0.2, 1.0), handlelength=1.9, columnspacing=0.9)


@panel(
    layout=(2, 2),
    widths=(1.2, 1.0),
    heights=(1.0, 1.25),
    setup=_setup,
    x=Slider(-5, 5, 0.05, label="z₁"),
    y=Slider(-5, 5, 0.05, label="z₂"),
    cure=Slider(choices=(OFF, ON), label="cure"),
    width=Slider(choices=WIDTHS, label="width of the cure"),
    drag=("x", "y", 0),
    play="x",
    scenes={
        "Among the codes": {},
        "Far out": {"x": 4.0, "y": 3.0},
        "The wall": {"x": 2.5, "y": 1.9, "cure": ON},
        "Beyond the wall": {"x": 4.0, "y": 3.0, "cure": ON},
        "A wider wall": {"x": 3.95, "y": 2.95, "cure": ON, "width": 0.8},
    },
    predict=Prediction(
        "With the cure, is a step at (4, 3), beyond the wall, long?",
        ["Yes, nothing is known", "As among the codes", "No, nothing changes"],
        at={"x": 4.0, "y": 3.0, "cure": ON},
    ),
)
def volume(
    axes: tuple[Axes, Axes, Axes, Axes],
    x: float = 0.6,
    y: float = 0.45,
    cure: str = OFF,
    width: float = WIDTH,
) -> str:
    """See how much the decoder holds apart around each point: without the cure a step outwards is cheap."""
    chart, left, right, curve = axes
    views = decoders.now(), decoders.now(width)
    trained, cured = (place(one, x, y) for one in views)
    shown = cured if cure == ON else trained
    plane.draw(chart, views[cure == ON])
    toward = direction(x, y)
    chart.plot([0.0, RAY[-1] * toward[0]], [0.0, RAY[-1] * toward[1]], **THROUGH)
    outline = ellipse(shown.metric)
    chart.plot(x + outline[0], y + outline[1], **ELLIPSE)
    chart.plot([x], [y], **POINT)
    if np.max(np.hypot(*outline)) > plane.EDGE:
        chart.text(-4.7, -4.6, "the ellipse is larger than the frame", zorder=4.0, **NOTE)
    digits.show(left, trained.pixels)
    digits.show(right, cured.pixels)
    # the cured curve would give away what the question asks
    for one, look in list(zip(views, (TRAINED, CURED), strict=True))[: 1 + (cure == ON)]:
        curve.plot(RAY, np.clip(along(one, *toward), 1e-3 * LOW, None), **look)
    below = {"marker": "v", "markersize": 9} if shown.volume < LOW else {"markersize": 7}
    curve.plot([math.hypot(x, y)], [max(shown.volume, 2.0 * LOW)], **POINT | below)
    return _sentence(trained, cured, x, y, cure, width)


def _sentence(trained: Place, cured: Place, x: float, y: float, cure: str, width: float) -> str:
    names = "as trained", f"cured (width {width:g})"
    pairs = list(zip(names, (trained, cured), strict=True))
    (name, shown), (other, beside) = pairs[::-1] if cure == ON else pairs
    short, long = np.sqrt(np.maximum(np.linalg.eigvalsh(shown.metric), 0.0))
    step = number(long) if long < SMALLEST else f"{number(short)} to {number(long)}"
    share = "" if shown.volume < SMALLEST else f", {number(shown.share)} × the codes' median"
    return (
        f"({x:.2f}, {y:.2f}) {name}: volume {number(shown.volume)}{share}; "
        f"a step of 1 is {step} long; entropy {shown.entropy:.1f} of {MOST:.1f} nats. "
        f"{other[0].upper()}{other[1:]}: volume {number(beside.volume)}, entropy {beside.entropy:.1f}."
    ).replace("-", "−")


def number(value: float) -> str:
    """Write a positive number with two digits, as a power of ten where it is small."""
    if value < SMALLEST:
        return "below 10⁻⁶"
    if value >= 0.001:
        return f"{value:.0f}" if value >= 10.0 else f"{value:.2g}"
    digit, power = f"{value:.0e}".split("e")
    return f"{digit}·10{str(int(power)).translate(SUPERSCRIPTS)}"
