"""The half-plane of normal distributions: every point (mean, std) is one bell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from igviz.geometry.balls import fisher_rao_circle
from igviz.geometry.families.normal import Normal
from igviz.geometry.geodesics import geodesic
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def prepare(axes: Axes, mean: tuple[float, float], std: tuple[float, float]) -> None:
    """Set limits, labels and an equal aspect: where lengths are the point, both axes share one scale."""
    axes.set(xlim=mean, ylim=std, xlabel="mean", ylabel="std")
    axes.set_aspect("equal", adjustable="box")


def rulers(axes: Axes, stds: Sequence[float], radius: float) -> None:
    """Fill the plane with balls of one Fisher–Rao radius: they look different and are the same size."""
    left, right = axes.get_xlim()
    for std in stds:
        width = np.ptp(fisher_rao_circle(Normal(0.0, std), radius).mean)
        count = int(np.ceil((right - left) / width / 2)) + 1
        for mean in (left + right) / 2 + width * np.arange(-count, count + 1):
            ball = fisher_rao_circle(Normal(mean, std), radius)
            axes.fill(ball.mean, ball.std, facecolor="#EDEDED", edgecolor="#A6A6A6", linewidth=0.9)


def path(axes: Axes, p: Normal, q: Normal, kind: str, line: style.LineStyle, count: int = 61) -> None:
    """Draw a geodesic of one kind between two normals."""
    along = geodesic(p, q, kind)(np.linspace(0.0, 1.0, count))
    axes.plot(along.mean, along.std, **line)
