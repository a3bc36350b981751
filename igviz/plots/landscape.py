"""The ELBO as a landscape over a chart of the normal distributions: terraces around its top, and a ruler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from scipy.interpolate import RectBivariateSpline

from igviz.geometry.families.normal import Normal
from igviz.geometry.normal_charts import NORMAL_CHARTS
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BELOW = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)  # nats below the top at which a terrace begins
FINER = 4  # grid lines between two of the survey's, by a spline: contours without corners
FAR, NEAR = "#FDFAF0", "#FAE497"  # of the lowest and the highest terrace: light enough for every path on it

EDGE: dict[str, Any] = {"edgecolors": "#A39A80", "linewidths": 0.8}
RULER: dict[str, Any] = {"facecolors": "none", "edgecolors": style.GREY, "linewidths": 1.3, "zorder": 0.8}
TOP: style.MarkerStyle = {"color": style.BLACK, "marker": "*", "markersize": 12, "linestyle": "none"}


@dataclass(frozen=True)
class Landscape:
    """Heights over a rectangle of a chart.

    Parameters
    ----------
    chart : str
        One of `igviz.geometry.normal_charts.NORMAL_CHARTS`.
    first, second : numpy.ndarray
        Its coordinates along the two sides of the rectangle.
    heights : numpy.ndarray, shape (second.size, first.size)
        In nats.
    """

    chart: str
    first: np.ndarray
    second: np.ndarray
    heights: np.ndarray

    def peaks(self) -> list[Normal]:
        """Return the grid's normals that are higher than all eight around them, the highest first.

        Each is within a step of a maximum, as a start for a method that finds it; those at the rectangle's
        border are none.
        """
        inside = self.heights[1:-1, 1:-1]
        rows, columns = self.heights.shape
        higher = np.full(inside.shape, True)
        for down, right in np.argwhere(np.ones((3, 3))):
            if (down, right) != (1, 1):
                higher &= inside > self.heights[down : rows - 2 + down, right : columns - 2 + right]
        found = sorted(np.argwhere(higher) + 1, key=lambda at: -self.heights[at[0], at[1]])
        places = [np.array([self.first[column], self.second[row]]) for row, column in found]
        return [Normal.from_source(NORMAL_CHARTS[self.chart].to_source(place)) for place in places]

    def terraces(self, top: float, below: Sequence[float] = BELOW) -> list[Path]:
        """Return the regions between one level and the next, the lowest first and the summit last.

        Parameters
        ----------
        top : float
            The height that the levels hang from, in nats. The grid's own highest value lies lower.
        below : sequence of float
            How far below it they are, increasing.
        """
        first, second, heights = self._finer
        levels = [top - one for one in reversed(below)]
        levels.append(max(top, heights.max()) + 1.0)
        return list(self._sheet.contourf(first, second, heights, levels=levels).get_paths())

    def rings(
        self, peak: Normal, height: float, others: Sequence[Normal], below: Sequence[float]
    ) -> list[Path]:
        """Return the closed contours around one maximum that go around no other: they show that it is one.

        Parameters
        ----------
        peak, height : Normal, float
            The maximum, and how high it is.
        others : sequence of Normal
            The other maxima of the landscape.
        below : sequence of float
            How far below the maximum contours are tried, in nats.
        """
        first, second, heights = self._finer
        levels = sorted(height - one for one in below)
        made = self._sheet.contour(first, second, heights, levels=levels)
        parts = [
            np.asarray(part) for path in made.get_paths() for part in path.to_polygons(closed_only=False)
        ]
        loops = [Path(part, closed=True) for part in parts if np.array_equal(part[0], part[-1])]
        return [
            loop
            for loop in loops
            if loop.contains_point(self._at(peak))
            and not any(loop.contains_point(self._at(other)) for other in others)
        ]

    def _at(self, q: Normal) -> tuple[float, float]:
        first, second = NORMAL_CHARTS[self.chart].coordinates(q)
        return float(first), float(second)

    @cached_property
    def _sheet(self) -> Axes:
        """An axes on which nothing is drawn: only its methods know how to cut."""
        return Figure().add_subplot()

    @cached_property
    def _finer(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Both sides and the heights on a finer grid, by a spline."""
        sides = [
            np.linspace(one[0], one[-1], FINER * (one.size - 1) + 1) for one in (self.first, self.second)
        ]
        heights = RectBivariateSpline(self.second, self.first, self.heights)(sides[1], sides[0])
        return sides[0], sides[1], heights


def survey(
    elbo: Callable[[Normal], np.ndarray],
    first: tuple[float, float],
    second: tuple[float, float],
    chart: str = "(mean, log std)",
    count: tuple[int, int] = (81, 61),
) -> Landscape:
    """Measure the ELBO on a grid.

    Parameters
    ----------
    elbo : callable
        elbo(q) returns the heights, in nats, of a grid of normals.
    first, second : (float, float)
        The ends of the rectangle in the chart's coordinates, each of its points a normal distribution.
    chart : str
        One of `igviz.geometry.normal_charts.NORMAL_CHARTS`.
    count : (int, int)
        Points along the two sides.

    Raises
    ------
    ValueError
        If a point of the rectangle is no distribution, or has no finite height.
    """
    sides = [np.linspace(*ends, number) for ends, number in zip((first, second), count, strict=True)]
    places = np.stack(np.meshgrid(*sides), axis=-1)
    source = NORMAL_CHARTS[chart].to_source(places)
    if np.any(np.isnan(source)):
        raise ValueError(
            f"survey: first and second must span distributions only, got {first} and {second} in {chart}"
        )
    heights = np.asarray(elbo(Normal.from_source(source)))
    if not np.all(np.isfinite(heights)):
        where = tuple(float(one) for one in places[~np.isfinite(heights)][0])
        raise ValueError(f"survey: elbo must be finite, got {heights[~np.isfinite(heights)][0]} at {where}")
    return Landscape(chart, sides[0], sides[1], heights)


def filled(terraces: Sequence[Path], zorder: float = 0.6) -> PathCollection:
    """Return terraces to be drawn: pale far below the top, and darker with each level.

    At this z-order they lie above the grid lines and below everything else.
    """
    return PathCollection(terraces, facecolors=tints(len(terraces)), zorder=zorder, **EDGE)


def outlined(rings: Sequence[Path], zorder: float = 0.6) -> PathCollection:
    """Return contours to be drawn without a filling."""
    return PathCollection(rings, facecolors="none", zorder=zorder, **EDGE)


def key(axes: Axes, below: Sequence[float] = BELOW, words: str = "nats below the best") -> None:
    """Turn a narrow axes into the scale of the tints; for a panel's ``setup``."""
    axes.set(xlim=(0.0, 1.0), ylim=(0.0, len(below)), xticks=[])
    axes.set_yticks(range(len(below) + 1), [*(f"{level:g}" for level in reversed(below)), "0"])
    axes.yaxis.set_label_position("right")
    axes.yaxis.tick_right()
    axes.set_ylabel(words)
    axes.grid(visible=False)
    for step, tint in enumerate(tints(len(below))):
        look = {"facecolor": tint, "edgecolor": EDGE["edgecolors"], "linewidth": EDGE["linewidths"]}
        axes.add_artist(Rectangle((0.0, step), 1.0, 1.0, zorder=0.4, **look))
    for spine in axes.spines.values():
        spine.set_visible(False)


def rulers(axes: Axes, centres: Sequence[Normal], radius: float, chart: str = "(mean, log std)") -> None:
    """Draw ellipses δᵀIδ = radius² around some normals: they look different and are the same size."""
    one = NORMAL_CHARTS[chart]
    rings = [one.coordinates(p) + one.ellipse(p, radius, 61) for p in centres]
    axes.add_collection(PathCollection([Path(ring, closed=True) for ring in rings], **RULER), autolim=False)


def tints(count: int) -> list[str]:
    """Return the colours of so many terraces, the lowest first."""
    far, near = (np.array(to_rgb(colour)) for colour in (FAR, NEAR))
    return [to_hex(far + share * (near - far)) for share in np.linspace(0.0, 1.0, count)]
