"""Digits of 8 by 8 pixels: one, a film of many, and the codes of a data set as small numerals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

SIDE = 8
INK: dict[str, Any] = {
    "cmap": "Greys",
    "vmin": 0.0,
    "vmax": 1.0,
    "interpolation": "nearest",
    "zorder": 1.0,
}
GAP = 1  # pixels of paper between two digits
# five colours twice: the numerals tell two of one colour apart
COLOURS = tuple(style.PALETTE[digit % 5] for digit in range(10))


def prepare(axes: Axes) -> None:
    """Set up an axes for a picture: no ticks, no grid, a thin frame."""
    axes.grid(False)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(style.LIGHT)


def mosaic(images: ArrayLike, columns: int) -> np.ndarray:
    """Return digits side by side, row by row, as one picture.

    Parameters
    ----------
    images : array_like
        Probabilities of black, shape (n, 64).
    columns : int
        Digits in a row.

    Returns
    -------
    numpy.ndarray
        Shape (rows·9 − 1, columns·9 − 1); between two digits, and where there is none, NaN.
    """
    given = np.asarray(images, dtype=np.float64).reshape(-1, SIDE, SIDE)
    rows, pitch = -(-len(given) // columns), SIDE + GAP
    made = np.full((rows * pitch - GAP, columns * pitch - GAP), np.nan)
    for place, image in enumerate(given):
        top, left = place // columns * pitch, place % columns * pitch
        made[top : top + SIDE, left : left + SIDE] = image
    return made


def show(axes: Axes, picture: np.ndarray, **options: Any) -> AxesImage:
    """Draw a digit, shape (64,), or a mosaic, in shades of black, without changing the axes' aspect."""
    shaped = picture.reshape(SIDE, SIDE) if picture.ndim == 1 else picture
    return axes.imshow(shaped, **{**INK, "aspect": "equal", **options})


def numerals(places: ArrayLike, labels: ArrayLike, **options: Any) -> list[Line2D]:
    """Return, in no axes yet, each image's place in the plane, shape (n, 2), as the numeral it shows."""
    points, which = np.asarray(places), np.asarray(labels)
    made = []
    for digit in range(10):
        settings: dict[str, Any] = {
            "marker": f"${digit}$",
            "color": COLOURS[digit],
            "markersize": 4.6,
            "markeredgewidth": 0.2,
            "linestyle": "none",
            "zorder": 1.2,
        }
        made.append(Line2D(*points[which == digit].T, **{**settings, **options}))
    return made
