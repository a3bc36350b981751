"""One curve in three charts: the shapes differ, the lengths do not."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patches import Polygon

from igviz.geometry.balls import tangent_ellipse
from igviz.geometry.distances import fisher_rao_distance
from igviz.geometry.families.normal import Normal
from igviz.geometry.geodesics import geodesic
from igviz.geometry.lengths import lengths_along
from igviz.panels.engine import Prediction, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHARTS = ("source", "natural", "expectation")
START, END = Normal(-1.2, 0.8), Normal(1.5, 0.6)
STEPS = 50
TIMES = np.arange(STEPS + 1) / STEPS
AGREE = 1e-10
BESIDE = [0, 12, 25, 38, 50]  # the steps at which the curve carries a pale ellipse
NEAR = 1e-5  # differences of times that give the direction of the curve

BEHIND = 0.9  # words behind everything that moves are drawn once and not in each frame

LIMITS = {
    "source": ((-1.9, 2.1), (0.0, 3.1)),
    "natural": ((-4.2, 8.4), (-2.75, 0.36)),
    "expectation": ((-1.9, 2.1), (-0.7, 6.1)),
}
LABELS = {
    "source": ("mean", "std"),
    "natural": ("η₁ = mean ÷ std²", "η₂ = −1 ÷ (2·std²)"),
    "expectation": ("m₁ = mean", "m₂ = mean² + std²"),
}
TITLES = {"source": "(mean, std)", "natural": "natural", "expectation": "expectation"}

SHORTEST: dict[str, Any] = {**style.GEODESIC, "linewidth": 1.8}
AHEAD: dict[str, Any] = {**style.TARGET, "linewidth": 1.0}
PALE: dict[str, Any] = {"color": "#A6A6A6", "linestyle": "-", "linewidth": 0.8}
BALL: dict[str, Any] = {"facecolor": "#DCEBF5", "edgecolor": style.BLUE, "linewidth": 1.4}
STEP: dict[str, Any] = {
    "color": style.BLUE,
    "linestyle": "-",
    "linewidth": 2.2,
    "marker": "o",
    "markersize": 5,
    "markevery": [1],
}


def curve(t: np.ndarray, bend: float) -> Normal:
    """Return the Fisher–Rao geodesic from START to END, the std in its middle times exp(bend)."""
    straight = geodesic(START, END)(t)
    return Normal(straight.mean, straight.std * np.exp(bend * np.sin(np.pi * np.asarray(t))))


@lru_cache(maxsize=64)
def lengths(chart: str, ruler: str, bend: float) -> np.ndarray:
    """Return the length from the start to each of TIMES, measured in one chart."""
    return lengths_along(lambda t: curve(t, bend), chart, TIMES, ruler)


@lru_cache(maxsize=64)
def _distances(bend: float) -> np.ndarray:
    """Return the Fisher–Rao distance from the start to each of TIMES, in closed form."""
    return fisher_rao_distance(START, curve(TIMES, bend))


class Way(NamedTuple):
    """The walk at TIMES, ready to be drawn in one chart."""

    points: np.ndarray  # coordinates, shape (STEPS + 1, 2)
    ovals: np.ndarray  # steps of length 1 all the way round, shape (STEPS + 1, 73, 2)
    ahead: np.ndarray  # the step of length 1 along the walk, shape (STEPS + 1, 2)


@lru_cache(maxsize=64)
def way(chart: str, bend: float) -> Way:
    """Return the walk in a chart; its steps are found in (mean, std) and carried over by the Jacobian."""
    walk = curve(TIMES, bend)
    points = walk.coordinates(chart)
    steps = curve(TIMES + NEAR, bend).source - curve(TIMES - NEAR, bend).source
    speed = np.sqrt(np.einsum("...i,...ij,...j->...", steps, walk.fisher("source"), steps))
    ahead = walk.jacobian(chart, "source") @ (steps / speed[:, None])[..., None]
    return Way(points, tangent_ellipse(walk, 1.0, chart, 73) - points[:, None], ahead[..., 0])


def _pale(walk: Way, radius: float) -> np.ndarray:
    """Return the ovals beside the walk as one broken line, shape (points, 2)."""
    rings = walk.points[BESIDE, None] + radius * walk.ovals[BESIDE, ::2]
    return np.pad(rings, ((0, 0), (0, 1), (0, 0)), constant_values=np.nan).reshape(-1, 2)


def _charts_setup(axes: tuple[Axes, ...]) -> None:
    for one, chart in zip(axes, CHARTS, strict=True):
        (left, right), (bottom, top) = LIMITS[chart]
        one.set(xlim=(left, right), ylim=(bottom, top), xlabel=LABELS[chart][0], ylabel=LABELS[chart][1])
        title = one.set_title(TITLES[chart], fontsize=style.LABEL_SIZE, color=style.INK, family=style.FONT)
        title.set_zorder(BEHIND)
        one.plot(*way(chart, 0.0).points.T, **SHORTEST)
    source, natural, expectation = axes
    source.set_xticks([-1, 0, 1, 2])
    source.set_yticks([0, 1, 2, 3])
    natural.set_xticks([-3, 0, 3, 6])
    natural.set_yticks([-2, -1, 0])
    expectation.set_xticks([-1, 0, 1, 2])
    m = np.linspace(*LIMITS["expectation"][0], 91)
    natural.axhspan(0.0, 1.0, facecolor=style.LIGHT, edgecolor="none", zorder=0.6)
    expectation.fill_between(m, -2.0, m**2, facecolor=style.LIGHT, edgecolor="none", zorder=0.6)
    note: dict[str, Any] = {
        "fontsize": 9.0,
        "color": style.INK,
        "family": style.FONT,
        "ha": "center",
        "va": "center",
        "zorder": BEHIND,
    }
    natural.text(2.1, 0.19, "no distributions", **note)
    expectation.text(0.1, -0.42, "no distributions", **note)
    source.plot([], [], label="shortest path", **SHORTEST)
    source.plot([], [], label="our walk", **style.TARGET)
    style.legend(source, loc="upper right", handlelength=1.8)
    source.get_legend().set_zorder(BEHIND)  # type: ignore[union-attr]


@panel(
    layout=(1, 3),
    setup=_charts_setup,
    t=(0, 1, 0.02),
    radius=(0.2, 0.6, 0.05),
    bend=(-0.4, 0.4, 0.05),
    play="t",
    scenes={
        "Half the way": {"t": 0.5},
        "The whole way": {"t": 1},
        "A detour, wider bells": {"t": 1, "bend": 0.4},
        "A detour, narrower bells": {"t": 1, "bend": -0.4},
    },
    predict=Prediction(
        "Walk to the end. Each chart measures the way with its own Fisher matrix: where is it longest?",
        ["In (mean, std)", "In natural", "In expectation", "The same in all three"],
        at={"t": 1},
    ),
)
def charts(axes: tuple[Axes, ...], t: float = 0.3, radius: float = 0.5, bend: float = 0.0) -> str:
    """One walk in three charts: shapes and ruler lengths differ, Fisher lengths agree."""
    step = round(t * STEPS)
    for one, chart in zip(axes, CHARTS, strict=True):
        walk = way(chart, bend)
        point = walk.points[step]
        one.plot(*_pale(walk, radius).T, **PALE)
        one.add_artist(Polygon(point + radius * walk.ovals[step], **BALL))
        if bend:
            one.plot(*walk.points.T, **AHEAD)
        one.plot(*walk.points[: step + 1].T, **style.TARGET)
        one.plot(*np.stack([point, point + radius * walk.ahead[step]]).T, **STEP)
        one.plot(*point[:, None], **style.TARGET_POINT)
    fisher = [float(lengths(chart, "fisher", bend)[step]) for chart in CHARTS]
    ruler = [float(lengths(chart, "euclidean", bend)[step]) for chart in CHARTS]
    agree = "to 1e-10" if np.ptp(fisher) < AGREE else "but not to 1e-10"
    shortest = float(_distances(bend)[step])
    on_page = f"{ruler[0]:.2f}, {ruler[1]:.2f} and {ruler[2]:.2f}"
    return (
        f"From t = 0 to {t:.2f} the Fisher matrix of each chart measures {fisher[0]:.3f}, the same {agree} "
        f"(shortest way: {shortest:.3f}); a ruler on the page {on_page}. All ovals have radius {radius:.2f}."
    )
