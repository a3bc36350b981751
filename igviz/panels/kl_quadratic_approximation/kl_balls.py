"""Four balls of one radius: two of the KL divergence, the metric's ellipse and the geodesic ball."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patches import Polygon

from igviz.geometry.balls import fisher_rao_circle
from igviz.geometry.families.normal import Normal
from igviz.geometry.kl_balls import kl_ball
from igviz.geometry.normal_charts import NORMAL_CHARTS
from igviz.panels.engine import Prediction, Slider, panel
from igviz.panels.kl_quadratic_approximation import zoomed_chart
from igviz.plots import half_plane, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHARTS = ("(mean, std)", "(mean, log std)", "natural", "expectation")
RADII = (
    *(1.0, 0.7, 0.5, 0.3, 0.2, 0.15),
    *(0.1, 0.07, 0.05, 0.03, 0.02, 0.015),
    *(0.01, 0.007, 0.005, 0.003, 0.002, 0.0015),
    *(0.001, 0.0007, 0.0005, 0.0003, 0.0002, 0.0001),
)
COUNT = 181
REACH = 2.6  # half the width of the zoomed picture, in half-widths of the ellipse
STANDARD = Normal(0.0, 1.0)

THERE: dict[str, Any] = {**style.TARGET, "linewidth": 2.0}
BACK: dict[str, Any] = {**style.APPROXIMATION, "linewidth": 2.0}
BALL: dict[str, Any] = {**style.GEODESIC, "linestyle": (0, (6, 1.4, 1.2, 1.4)), "linewidth": 2.0}
ELLIPSE: dict[str, Any] = {"color": "#C4C4C4", "linestyle": "-", "linewidth": 7.0, "solid_joinstyle": "round"}
NOTHING: dict[str, Any] = {"facecolor": "#EEEEEE", "edgecolor": "none", "zorder": 0.6}
NOTE: dict[str, Any] = {
    "fontsize": 9.0,
    "color": style.INK,
    "family": style.FONT,
    "ha": "center",
    "va": "center",
}
P: dict[str, Any] = {**style.TARGET_POINT, "markersize": 7}


class Balls(NamedTuple):
    """The boundaries around N(0, 1), each shape (COUNT, 2) in (mean, std)."""

    there: np.ndarray
    back: np.ndarray
    geodesic: np.ndarray


@lru_cache(maxsize=len(RADII))
def balls(epsilon: float) -> Balls:
    """Return {q: KL(p‖q) = ε}, {q: KL(q‖p) = ε} and the geodesic ball of radius √(2ε), p being N(0, 1).

    Around N(mean, std) they are std times as large: all are carried along by x → mean + std·x.
    """
    there, back = (kl_ball(STANDARD, epsilon, kind, COUNT).source for kind in ("KL(p‖q)", "KL(q‖p)"))
    return Balls(there, back, fisher_rao_circle(STANDARD, np.sqrt(2.0 * epsilon), COUNT).source)


@lru_cache(maxsize=4 * len(RADII))
def ratios(epsilon: float, chart: str) -> tuple[tuple[float, float], ...]:
    """Return least and most of KL(p‖q) ÷ ε on KL(q‖p) = ε, on the geodesic ball and on the chart's ellipse.

    They are the same around all normals p: x → mean + std·x turns each chart's coordinates linearly, and so
    ellipses into ellipses; in (mean, log std) it shifts the second one.
    """
    _there, back, geodesic = balls(epsilon)
    found = []
    for curve in (back, geodesic, ellipse(STANDARD, epsilon, chart)):
        inside = curve[~np.isnan(curve[:, 0])]
        kl = STANDARD.kl(Normal.from_source(inside)) / epsilon
        found.append((float(kl.min()), float(kl.max()) if len(inside) == COUNT else np.inf))
    return tuple(found)


def ellipse(p: Normal, epsilon: float, chart: str) -> np.ndarray:
    """Return (mean, std) of the chart's ellipse ½·δᵀIδ = ε, nan where there is no distribution."""
    one = NORMAL_CHARTS[chart]
    return one.to_source(one.coordinates(p) + one.ellipse(p, np.sqrt(2.0 * epsilon), COUNT))


def _outside(chart: str, centre: np.ndarray, units: np.ndarray) -> np.ndarray | None:
    """Return the corners of the zoomed region without distributions, shape (n, 2), if there can be one."""
    far = 2.0 * REACH
    if chart == "(mean, log std)":
        return None
    if chart == "expectation":  # below the parabola m₂ = m₁²
        x = np.linspace(-REACH, REACH, 41)
        edge = ((centre[0] + units[0] * x) ** 2 - centre[1]) / units[1]
        return np.vstack([np.stack([x, edge], axis=-1), [[REACH, -far], [-REACH, -far]]])
    edge, side = -centre[1] / units[1], far if chart == "natural" else -far
    return np.array([[-REACH, edge], [REACH, edge], [REACH, side], [-REACH, side]])


def _note(axes: Axes, chart: str, centre: np.ndarray, units: np.ndarray) -> None:
    """Say what the grey region is, where there is room for it."""
    edge = -centre[1] / units[1]
    if chart == "expectation":
        edge += centre[0] ** 2 / units[1]
    up = 1.0 if chart == "natural" else -1.0
    if abs(edge) < REACH - 0.45:
        axes.text(0.0, up * (REACH - 0.25), "no distributions", **NOTE)


def _setup(axes: tuple[Axes, Axes]) -> None:
    plane, zoom = axes
    half_plane.prepare(plane, (-3.6, 3.6), (0.0, 5.6))
    plane.set_xticks([-3, -2, -1, 0, 1, 2, 3])
    plane.set_yticks([0, 1, 2, 3, 4, 5])
    plane.plot([], [], label="KL(p‖q) = ε", **THERE)
    plane.plot([], [], label="KL(q‖p) = ε", **BACK)
    plane.plot([], [], label="geodesic √(2ε)", **BALL)
    plane.plot([], [], label="ellipse ½·δᵀIδ = ε", **ELLIPSE)
    style.legend_above(plane, 4, handlelength=2.6, columnspacing=1.4)
    zoomed_chart.prepare(zoom, REACH)
    zoom.set_title(" ", fontsize=style.LABEL_SIZE, family=style.FONT, pad=6.0)


@panel(
    layout=(1, 2),
    widths=(1.24, 1.0),
    setup=_setup,
    mean=(-1, 1, 0.01),
    std=(0.4, 1, 0.01),
    epsilon=Slider(choices=RADII, label="ε, shrinking"),
    chart=Slider(choices=CHARTS, label="zoomed chart"),
    drag=("mean", "std", 0),
    play="epsilon",
    scenes={
        "They differ": {"epsilon": 0.7},
        "They merge": {"epsilon": 0.001},
        "Natural coordinates": {"epsilon": 0.1, "chart": "natural"},
        "The posterior's mean and std": {"mean": -0.23, "std": 0.86, "epsilon": 0.1},
    },
    predict=Prediction(
        "Both KL balls have ε = 0.5. Which one reaches farther towards wide bells, large std?",
        ["KL(p‖q) = 0.5", "KL(q‖p) = 0.5", "Both equally far"],
        at={"epsilon": 0.5},
    ),
)
def kl_balls(
    axes: tuple[Axes, Axes],
    mean: float = 0.6,
    std: float = 0.8,
    epsilon: float = 0.2,
    chart: str = "(mean, std)",
) -> str:
    """Two KL balls, the metric's ellipse and the geodesic ball: one and the same as the radius shrinks."""
    plane, zoom = axes
    p, now, view = Normal(mean, std), balls(epsilon), NORMAL_CHARTS[chart]
    radius = np.sqrt(2.0 * epsilon)
    centre, units = view.coordinates(p), radius * view.half_widths(p)
    plane.plot(*ellipse(p, epsilon, chart).T, **ELLIPSE)
    zoom.plot(*(view.ellipse(p, radius, COUNT) / units).T, **ELLIPSE)
    corners = _outside(chart, centre, units)
    if corners is not None:
        zoom.add_artist(Polygon(corners, **NOTHING))
        _note(zoom, chart, centre, units)
    for curve, look in zip(now, (THERE, BACK, BALL), strict=True):
        source = np.array([mean, 0.0]) + std * curve
        plane.plot(*source.T, **look)
        zoom.plot(*((view.coordinates(Normal.from_source(source)) - centre) / units).T, **look)
    plane.plot([mean], [std], **P)
    zoom.plot([0.0], [0.0], **P)
    zoomed_chart.write(zoom, view.labels, centre, units)
    return _sentence(mean, std, epsilon, chart)


def _sentence(mean: float, std: float, epsilon: float, chart: str) -> str:
    there, back, _geodesic = balls(epsilon)
    digits = 2 if epsilon >= 0.01 else 3

    def between(values: tuple[float, float]) -> str:
        low, high = (f"{one:.{digits}f}" if np.isfinite(one) else "∞" for one in values)
        return f"{low}–{high}"

    reach, reach_back = (between((std * one[:, 1].min(), std * one[:, 1].max())) for one in (there, back))
    other, geodesic, flat = (between(one) for one in ratios(epsilon, chart))
    return (
        f"N({mean:.2f}, {std:.2f}): KL(p‖q) = {epsilon:g} reaches std {reach}, KL(q‖p) = {epsilon:g} "
        f"{reach_back}. KL(p‖q) ÷ ε: {other} there, geodesic ball {geodesic}, {chart} ellipse {flat}."
    ).replace("(-", "(−")
