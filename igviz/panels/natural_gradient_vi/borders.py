"""Where a way that leads out of the picture crosses its border."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def mark_end(axes: Axes, way: np.ndarray, inset: tuple[float, float], point: dict[str, Any]) -> None:
    """Mark the end of a way, shape (n, 2), or, hollow, where it left the picture and did not come back.

    Marks keep off the border by the inset, so that none is cut off; the way starts farther inside than that.
    """
    ends = np.array([axes.get_xlim(), axes.get_ylim()])
    low, high = ends[:, 0] + inset, ends[:, 1] - inset
    number = np.flatnonzero(np.all((way >= low) & (way <= high), axis=1))[-1]  # the last one inside
    if number == len(way) - 1:
        axes.plot(*way[-1:].T, markeredgecolor=style.PAPER, **point)
        return
    last, step = way[number], way[number + 1] - way[number]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nanmin(np.where(step > 0.0, high - last, last - low) / np.abs(step))
    look = {**point, "markerfacecolor": style.PAPER, "markeredgecolor": point["color"]}
    axes.plot(*(last + share * step)[:, None], **look)
