"""Panels of lecture 00: a first taste."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from igviz.geometry.distances import fisher_rao_distance
from igviz.geometry.families.normal import Normal
from igviz.panels.engine import Prediction, panel
from igviz.plots import half_plane, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RULER = 0.5  # Fisher–Rao radius of the ovals
ROWS = 0.5 * np.exp(np.sqrt(2.0) * RULER) ** np.arange(5)  # so that one row touches the next
X = np.linspace(-9.0, 13.0, 441)


def _equal_steps_setup(axes: tuple[Axes, Axes]) -> None:
    bells, plane = axes
    bells.set(xlim=(-9, 13), ylim=(0, 1.36), xlabel="x", ylabel="density ÷ its peak")
    bells.set_yticks([0, 0.5, 1])
    bells.plot([], [], label="p = N(0, std)", **style.TARGET)
    bells.plot([], [], label="q = N(step, std)", **style.APPROXIMATION)
    style.legend(bells, loc="upper right")
    half_plane.prepare(plane, (-4, 8), (0, 12.2))
    half_plane.rulers(plane, ROWS, RULER)
    plane.set_xticks([-4, 0, 4, 8])


@panel(
    layout=(1, 2),
    widths=(1.0, 1.0),
    setup=_equal_steps_setup,
    std=(0.5, 10, 0.5),
    step=(0, 4, 0.1),
    play="std",
    scenes={
        "Narrow bells": {"std": 1, "step": 1},
        "Wide bells": {"std": 10, "step": 1},
        "Everything four times": {"std": 4, "step": 4},
    },
    predict=Prediction(
        "Make both bells ten times as wide and keep the step of 1. How far apart are they?",
        ["As far as before", "Ten times nearer", "Ten times farther"],
        at={"std": 10},
    ),
)
def equal_steps(axes: tuple[Axes, Axes], std: float = 1.0, step: float = 1.0) -> str:
    """Two bells, one step of the mean apart: the step is the same, the distance is not."""
    bells, plane = axes
    p, q = Normal(0.0, std), Normal(step, std)
    heights = p.pdf(X) / p.pdf(0.0), q.pdf(X) / q.pdf(step)
    bells.fill_between(X, *heights, color=style.LIGHT, linewidth=0)
    bells.plot(X, heights[0], **style.TARGET)
    bells.plot(X, heights[1], **style.APPROXIMATION)
    half_plane.path(plane, p, q, "fisher-rao", style.GEODESIC)
    plane.plot([0.0], [std], **style.TARGET_POINT)
    plane.plot([step], [std], **style.APPROXIMATION_POINT)
    distance = fisher_rao_distance(p, q)
    guess = 100.0 * ndtr(step / (2.0 * std))
    return (
        f"N(0, {std:g}) and N({step:g}, {std:g}): means {step:.1f} apart, Fisher–Rao distance "
        f"{distance:.3f}. The best guess which bell one sample came from is right {guess:.1f}% of the time."
    )
