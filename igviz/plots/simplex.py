"""Three probabilities: a point of a triangle, and the same point of an eighth of a ball of radius 2.

p → 2√p takes the probabilities (p₁, p₂, p₃) to a sphere of radius 2, where the Fisher metric is the usual
length. The ball is seen from the direction (1, 1, 1), so that its three corners stand as the triangle's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RADIUS = 2.0
# the page's axes as seen from (1, 1, 1): across, and up; the third class stands at the top
ACROSS = np.array([-1.0, 1.0, 0.0]) / np.sqrt(2.0)
UP = np.array([-1.0, -1.0, 2.0]) / np.sqrt(6.0)
TOWARDS = np.ones(3) / np.sqrt(3.0)
_GRID = (0.25, 0.5, 0.75)
_WORDS: dict[str, Any] = {"color": style.INK, "family": style.FONT, "ha": "center", "va": "center"}


def on_triangle(probabilities: ArrayLike) -> np.ndarray:
    """Return the place in the triangle of three probabilities, shape (..., 3), as (x, y), shape (..., 2).

    Its corners are those of the ball's eighth as it is seen, √(8/3) from the middle.
    """
    return _seen(RADIUS * np.asarray(probabilities))


def on_ball(probabilities: ArrayLike) -> np.ndarray:
    """Return the place on the page of 2√p, seen without perspective, as (x, y), shape (..., 2)."""
    return _seen(RADIUS * np.sqrt(np.asarray(probabilities)))


def _seen(points: np.ndarray) -> np.ndarray:
    return np.stack([points @ ACROSS, points @ UP], axis=-1)


def prepare_triangle(axes: Axes, names: tuple[str, str, str]) -> None:
    """Set up an axes for points of the triangle: its sides, corners and lines of equal probability."""
    _prepare(axes, names)
    axes.set(xlim=(-1.9, 1.9), ylim=(-1.85, 1.95))  # with room for a legend below
    _lines(axes, on_triangle)


def prepare_ball(axes: Axes, names: tuple[str, str, str]) -> None:
    """Set up an axes for points of the ball: its outline, the eighth that carries the distributions."""
    _prepare(axes, names)
    side = np.linspace(-RADIUS, RADIUS, 401)
    x, y = np.meshgrid(side, side)
    depth = np.sqrt(np.maximum(RADIUS**2 - x**2 - y**2, 0.0))
    place = x[..., None] * ACROSS + y[..., None] * UP + depth[..., None] * TOWARDS
    light = place @ (np.array([-0.35, 0.5, 0.8]) @ np.stack([ACROSS, UP, TOWARDS])) / RADIUS
    eighth = np.all(place >= 0.0, axis=-1)
    grey = np.where(eighth, 0.90 + 0.10 * np.clip(light, 0.0, 1.0), 0.74 + 0.16 * np.clip(light, 0.0, 1.0))
    # the outline fades within one dot
    edge = np.clip((RADIUS - np.hypot(x, y)) / (side[1] - side[0]), 0.0, 1.0)
    axes.imshow(
        np.stack([grey, grey, grey, edge], axis=-1),
        origin="lower",
        extent=(-RADIUS, RADIUS, -RADIUS, RADIUS),
        interpolation="bilinear",
        aspect="equal",
    )
    _lines(axes, on_ball)


def _prepare(axes: Axes, names: tuple[str, str, str]) -> None:
    axes.set(xlim=(-2.1, 2.1), ylim=(-2.05, 2.15))
    axes.set_aspect("equal", adjustable="box")
    axes.grid(False)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    for place, name in zip(on_triangle(1.13 * np.eye(3)), names, strict=True):
        axes.text(place[0], place[1], name, fontsize=style.LABEL_SIZE + 1.0, zorder=1.5, **_WORDS)


def _lines(axes: Axes, place: Any) -> None:
    """Draw the sides, and the lines on which one class has probability ¼, ½, ¾."""
    share = np.linspace(0.0, 1.0, 81)
    for first in range(3):
        for level in (0.0, *_GRID):
            points = np.empty((share.size, 3))
            points[:, first] = level
            points[:, (first + 1) % 3] = (1.0 - level) * share
            points[:, (first + 2) % 3] = (1.0 - level) * (1.0 - share)
            side = level == 0.0
            axes.plot(
                *place(points).T,
                color=style.GREY if side else "#B5B5B5",
                linewidth=1.4 if side else 0.8,
                linestyle="-",
                zorder=1.5,
            )
