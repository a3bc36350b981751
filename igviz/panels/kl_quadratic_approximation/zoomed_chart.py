"""A chart magnified around one point: the picture keeps its size, the words on its axes change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORDS: dict[str, Any] = {"fontsize": style.LABEL_SIZE, "color": style.INK, "family": style.FONT}


def prepare(axes: Axes, reach: float) -> None:
    """Set limits and an equal aspect, and keep the room of the words that `write` puts there later."""
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel="M", ylabel="M")
    axes.set_aspect("equal", adjustable="box")
    ticks = np.arange(np.ceil(-reach), reach + 1e-9)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [f"{tick:.0f}".replace("-", "−") for tick in ticks])
        axis.label.set_color("none")


def write(axes: Axes, labels: tuple[str, ...], centre: np.ndarray, units: np.ndarray) -> None:
    """Write what the axes mean: (coordinate − centre) ÷ unit. A line has one coordinate and one label."""
    places: tuple[dict[str, Any], ...] = (
        {"x": 0.5, "y": -0.115, "ha": "center", "va": "top"},
        {"x": -0.13, "y": 0.5, "ha": "right", "va": "center", "rotation": 90},
    )
    for label, middle, unit, place in zip(labels, centre, units, places, strict=False):
        words = f"({label} {_minus(middle, unit)}) ÷ {_digits(unit, unit)}"
        # clipped to the figure, so that the engine need not ask how far it reaches
        axes.text(s=words, transform=axes.transAxes, **place, **WORDS).set_clip_box(axes.figure.bbox)


def _minus(value: float, unit: float) -> str:
    words = _digits(abs(value), unit)
    return f"+ {words}" if value < 0.0 and float(words) else f"− {words}"


def _digits(value: float, unit: float) -> str:
    """Write a number with two decimals, or as many as show two digits of the unit."""
    return f"{value:.{max(2, 1 - int(np.floor(np.log10(unit))))}f}"
