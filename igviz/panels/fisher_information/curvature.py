"""What curvature means: circles on surfaces of distributions are longer, or shorter, than on a plane."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from igviz.geometry.families.categorical import Categorical
from igviz.geometry.families.cauchy import Cauchy
from igviz.geometry.families.distribution import Distribution
from igviz.geometry.families.gamma import Gamma
from igviz.geometry.families.laplace import Laplace
from igviz.geometry.families.normal import Normal
from igviz.geometry.families.student_t import StudentT
from igviz.geometry.geodesic_circles import (
    GeodesicFan,
    circumference,
    gaussian_curvature,
    geodesic_fan,
)
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEP, COUNT = 0.05, 40
RADII = STEP * np.arange(1, COUNT + 1)
PLACES = (1, 2, 3, 4, 5)
# location, as a part of half the picture, and scale of the centres: the largest circles still fit
LOCATIONS = (-0.5, -0.2, 0.0, 0.2, 0.5)
SCALES = (0.5, 0.8, 1.0, 0.8, 0.5)
SHARES = (0.1, 0.2, 1.0 / 3.0, 0.5, 0.7)
SHAPES = (0.3, 0.6, 1.0, 2.0, 5.0)
EVERY = 4  # one geodesic in four is drawn
SPAN = 4.0  # width and height of the chart, in units between ticks
BEHIND = 0.9  # words behind everything that moves are drawn once and not in each frame

SPOKE: dict[str, Any] = {**style.GEODESIC, "linewidth": 1.3}
# its two ends meet: longer or overlapping ones would show as a knot
CIRCLE: dict[str, Any] = {**style.TARGET, "solid_capstyle": "butt"}
CONSTANT: dict[str, Any] = {"color": "#A6A6A6", "linestyle": "-", "linewidth": 1.0}
WORDS: dict[str, Any] = {
    "color": style.INK,
    "family": style.FONT,
}
CENTRE: dict[str, Any] = {**style.TARGET_POINT, "markersize": 5.0}


class Surface(NamedTuple):
    """A family with places for a centre, and the chart it is drawn in."""

    centres: tuple[Distribution, ...]
    words: Callable[[Any], str]
    across: str  # what the axes of the chart mean
    up: str
    ticks: tuple[tuple[str, str, str], tuple[str, str, str]]
    chart: Callable[[np.ndarray], np.ndarray]  # source coordinates to those of the picture, 0 to SPAN


def _half_plane(make: Callable[[float, float], Distribution], name: str, reach: int) -> Surface:
    location, scale = ("mean", "std") if name == "Normal" else ("location", "scale")
    return Surface(
        tuple(make(reach * x, y) for x, y in zip(LOCATIONS, SCALES, strict=True)),
        lambda p: f"{name} at ({_signed(p.source[0])}, {p.source[1]:.1f})",
        location,
        scale,
        ((f"−{reach}", "0", f"{reach}"), ("0", f"{reach}", f"{2 * reach}")),
        lambda x: x / (0.5 * reach) + np.array([0.5 * SPAN, 0.0]),
    )


def _signed(number: float) -> str:
    return f"{number:.1f}".replace("-", "−")


def _of_mean_and_shape(source: np.ndarray) -> np.ndarray:
    shape, rate = source[..., 0], source[..., 1]
    return 0.5 * SPAN + np.log10(np.stack([shape / rate, shape], axis=-1))


SURFACES = {
    "Normal": _half_plane(Normal, "Normal", 3),
    "Student t, ν = 5": _half_plane(lambda x, y: StudentT(x, y, 5.0), "Student t₅", 4),
    "Laplace": _half_plane(Laplace, "Laplace", 4),
    "Cauchy": _half_plane(Cauchy, "Cauchy", 9),
    "Categorical": Surface(
        tuple(Categorical([a, 0.5 * (1.0 - a), 0.5 * (1.0 - a)]) for a in SHARES),
        lambda p: f"Categorical at P(A) = {p.probabilities[0]:.2f}",
        "P(A)",
        "P(B)",
        (("0", "0.5", "1"), ("0", "0.5", "1")),
        lambda x: SPAN * x,
    ),
    "Gamma": Surface(
        tuple(Gamma(a, a) for a in SHAPES),
        lambda p: f"Gamma at shape {p.shape_parameter:g}",
        "mean",
        "shape",
        (("0.01", "1", "100"), ("0.01", "1", "100")),
        _of_mean_and_shape,
    ),
}
FAMILIES = tuple(SURFACES)


class Drawing(NamedTuple):
    """What does not depend on the radius."""

    fan: GeodesicFan
    spokes: np.ndarray  # in the picture's coordinates, shape (COUNT + 1, n, 2)
    circles: np.ndarray
    curvature: float
    same: bool  # whether the curvature is the same at all places


@lru_cache(maxsize=len(FAMILIES) * len(PLACES))
def drawing(family: str, place: int) -> Drawing:
    """Return the geodesics and circles about one of a family's centres."""
    surface = SURFACES[family]
    p = surface.centres[place - 1]
    fan = geodesic_fan(p, RADII)
    centre = np.broadcast_to(surface.chart(p.source), (1, fan.geodesics.shape[1], 2))
    spokes = np.concatenate([centre, surface.chart(fan.geodesics)])[:, ::EVERY]
    return Drawing(fan, spokes, surface.chart(fan.circles), gaussian_curvature(p), family != "Gamma")


def _lines(spokes: np.ndarray) -> np.ndarray:
    """Return all geodesics as one broken line, shape (2, points)."""
    broken = np.pad(np.swapaxes(spokes, 0, 1), ((0, 0), (0, 1), (0, 0)), constant_values=np.nan)
    return broken.reshape(-1, 2).T


def _setup(axes: tuple[Axes, Axes]) -> None:
    chart, ratios = axes
    drawing("Gamma", PLACES[2])  # loads the integrator now, so that no slider waits for it
    chart.set(xlim=(0.0, SPAN), ylim=(0.0, SPAN), xlabel="M", ylabel="M")
    chart.set_aspect("equal", adjustable="box")
    # room for the words that change with the family
    chart.set_xticks(range(5), ["0"] * 5)
    chart.set_yticks(range(5), ["100"] * 5)
    chart.tick_params(labelcolor="none")
    for axis in (chart.xaxis, chart.yaxis):
        axis.label.set_color("none")
    chart.plot([], [], label="geodesics", **SPOKE)
    chart.plot([], [], label="circle", **style.TARGET)
    chart.plot([], [], label="its centre", **CENTRE)
    style.legend_above(chart, 3, handlelength=1.6, columnspacing=0.8, handletextpad=0.4)
    ratios.set(xlim=(0.0, 2.5), ylim=(0.8, 3.2), yscale="log")
    ratios.set(xlabel="radius r", ylabel="circumference ÷ 2πr")
    ratios.set_xticks([0, 0.5, 1, 1.5, 2])
    ratios.set_yticks([0.8, 1, 1.5, 2, 3], ["0.8", "1", "1.5", "2", "3"])
    ratios.minorticks_off()
    for family in FAMILIES:
        if family != "Gamma":
            curvature = gaussian_curvature(SURFACES[family].centres[0])
            _guide(ratios, curvature, f"{curvature:+.2g}".replace("-", "−"))
    _guide(ratios, 0.0, "flat")
    ratios.plot([], [], label="this surface", **style.TARGET)
    ratios.plot([], [], label="constant curvature", **CONSTANT)
    style.legend_above(ratios, 2, handlelength=1.6, columnspacing=0.8, handletextpad=0.4)


def _guide(axes: Axes, curvature: float, words: str) -> None:
    ratio = circumference(curvature, RADII) / (2.0 * np.pi * RADII)
    axes.plot(RADII, ratio, **(style.GUIDE if curvature == 0.0 else CONSTANT))
    axes.text(2.1, ratio[-1], words, fontsize=style.TICK_SIZE, va="center", zorder=BEHIND, **WORDS)


def _frame(axes: Axes, family: str) -> None:
    """Write what the chart's axes mean, and draw the end of the family where there is one."""
    surface = SURFACES[family]
    for at, across, up in zip((0.0, 2.0, 4.0), *surface.ticks, strict=True):
        _write(axes, at, -0.13, across, fontsize=style.TICK_SIZE, ha="center", va="top")
        _write(axes, -0.11, at, up, fontsize=style.TICK_SIZE, ha="right", va="center")
    _write(axes, 1.0, -0.13, surface.across, fontsize=style.LABEL_SIZE, ha="center", va="top")
    _write(axes, -0.11, 3.0, surface.up, fontsize=style.LABEL_SIZE, ha="right", va="center", rotation=90)
    if family == "Categorical":
        axes.plot([0.0, SPAN], [SPAN, 0.0], color=style.GREY, linestyle="-", linewidth=1.4)


def _write(axes: Axes, x: float, y: float, words: str, **options: Any) -> None:
    """Write beside an axes; clipped to the figure, so that the engine need not ask how far it reaches."""
    axes.text(x, y, words, **WORDS, **options).set_clip_box(axes.figure.bbox)


@panel(
    layout=(1, 2),
    widths=(1.0, 1.1),
    setup=_setup,
    family=Slider(choices=FAMILIES),
    r=Slider(0.2, 2, 0.05, label="radius r"),
    place=Slider(choices=PLACES, label="place of the centre"),
    play="r",
    scenes={
        "Small circle": {"r": 0.2},
        "Elsewhere": {"place": 5},
        "Cauchy: most curved": {"family": "Cauchy", "r": 2.0},
        "Categorical: a sphere": {"family": "Categorical"},
        "Gamma: uneven": {"family": "Gamma", "place": 1, "r": 2.0},
    },
    predict=Prediction(
        "On the surface of normals, is a circle of radius 2 longer or shorter than 2π·2?",
        ["Longer", "Equally long", "Shorter"],
        at={"r": 2.0},
    ),
)
def curvature(axes: tuple[Axes, Axes], family: str = "Normal", r: float = 1.0, place: int = 3) -> str:
    """Circles about a distribution: how much longer or shorter they are than on a plane is curvature."""
    chart, ratios = axes
    now, step = drawing(family, place), round(r / STEP)
    _frame(chart, family)
    chart.plot(*_lines(now.spokes[: step + 1]), **SPOKE)
    chart.plot(*now.circles[step - 1].T, **CIRCLE)
    chart.plot(*now.spokes[0, :1].T, **CENTRE)
    flat = 2.0 * np.pi * RADII
    ratio = now.fan.circumferences / flat
    ratios.plot(RADII, ratio, **style.TARGET)
    ratios.plot([r], [ratio[step - 1]], **style.TARGET_POINT)
    return _sentence(family, place, step, now)


def _sentence(family: str, place: int, step: int, now: Drawing) -> str:
    surface, radius, length = SURFACES[family], RADII[step - 1], now.fan.circumferences[step - 1]
    flat, curvature = 2.0 * np.pi * radius, f"{now.curvature:+.3f}".replace("-", "−")
    where = "everywhere" if now.same else "at this shape"
    faster, sign = ("faster", "<") if now.curvature < 0.0 else ("slower", ">")
    outside = np.mean(np.isnan(now.circles[step - 1, :-1, 0]))
    # where part of the circle is not there, one must say so; two lines hold no more
    beyond = f" ({100.0 * outside:.0f}% outside)" if outside > 0.0 else ""
    triangles = "" if beyond else f", triangles {sign} 180°"
    return (
        f"{surface.words(surface.centres[place - 1])}: radius {radius:.2f}, circumference {length:.3f}"
        f"{beyond}, {length / flat:.3f} times 2πr = {flat:.3f}. Curvature {curvature} {where}: geodesics "
        f"part {faster} than on a plane{triangles}."
    )
