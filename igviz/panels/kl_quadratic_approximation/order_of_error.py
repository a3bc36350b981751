"""Of which order the error of ½·δᵀIδ is: slopes in a log–log picture, and the exceptions."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from igviz.geometry.families.bernoulli import Bernoulli
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.families.gamma import Gamma
from igviz.geometry.families.normal import Normal
from igviz.geometry.families.poisson import Poisson
from igviz.geometry.quadratic_errors import direction, fitted_slopes, quadratic_errors
from igviz.panels.engine import Prediction, Slider, panel
from igviz.panels.kl_quadratic_approximation import zoomed_chart
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLACES = (1, 2, 3, 4, 5)
NORMALS = tuple(
    Normal(mean, std) for mean, std in ((-1.0, 1.5), (-0.3, 0.6), (0.5, 0.8), (1.0, 2.0), (1.0, 0.7))
)
SIZES = (0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3)
CURVE = np.geomspace(SIZES[0], SIZES[-1], 31)
FITTED = np.geomspace(0.01, 0.1, 21)  # the sizes whose slope is given
LOWEST, HIGHEST = 1e-11, 0.3
BEHIND = 0.9  # what lies behind everything that moves is drawn once and not in each frame
REACH = 1.7  # half the width of the chart, in half-widths of the ellipse


class Family(NamedTuple):
    """A family in one chart, with places for p."""

    places: tuple[ExponentialFamily, ...]
    chart: str
    labels: tuple[str, ...]
    words: str  # where the step is taken


FAMILIES = {
    "Normal, (mean, std)": Family(NORMALS, "source", ("mean", "std"), "(mean, std)"),
    "Normal, natural": Family(NORMALS, "natural", ("η₁", "η₂"), "(η₁, η₂)"),
    "Normal, expectation": Family(NORMALS, "expectation", ("m₁", "m₂"), "(m₁, m₂)"),
    "Gamma, (shape, rate)": Family(
        tuple(Gamma(a, b) for a, b in ((0.7, 0.5), (1.0, 2.0), (2.0, 1.5), (3.0, 0.8), (6.0, 1.2))),
        "source",
        ("shape", "rate"),
        "(shape, rate)",
    ),
    "Bernoulli, logit": Family(
        tuple(Bernoulli(p) for p in (0.1, 0.3, 0.5, 0.7, 0.9)), "natural", ("logit",), "logit"
    ),
    "Poisson, rate": Family(
        tuple(Poisson(rate) for rate in (0.5, 1.0, 2.0, 4.0, 8.0)), "source", ("rate",), "rate"
    ),
}

KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "KL(p‖q)": ({**style.TARGET, "linewidth": 2.0}, "o"),
    "KL(q‖p)": ({**style.APPROXIMATION, "linewidth": 2.0}, "s"),
    "average": ({**style.STRAIGHT, "linewidth": 2.0}, "^"),
    "average, I at midpoint": ({**style.GEODESIC, "linewidth": 2.0}, "D"),
}
BAND: dict[str, Any] = {"color": "#C4C4C4", "linestyle": "-", "linewidth": 7.0}
MIDDLE: dict[str, Any] = {**style.GEODESIC, "linewidth": 1.8}
STEP: dict[str, Any] = {"color": style.BLACK, "linestyle": "-", "linewidth": 2.0}
P: dict[str, Any] = {**style.TARGET_POINT, "markersize": 8}
Q: dict[str, Any] = {**style.APPROXIMATION_POINT, "markersize": 8}
M: dict[str, Any] = {"color": style.GREEN, "marker": "D", "markersize": 7, "linestyle": "none"}
SLOPE: dict[str, Any] = {**style.GUIDE, "linewidth": 2.0, "zorder": BEHIND}
NOTE: dict[str, Any] = {"fontsize": style.TICK_SIZE, "color": style.INK, "family": style.FONT}


class Errors(NamedTuple):
    """What does not depend on the size of the step."""

    unit: np.ndarray  # the step of length 1
    curves: np.ndarray  # errors at the sizes CURVE, shape (31, 4)
    slopes: np.ndarray


@lru_cache(maxsize=1024)
def errors(family: str, place: int, angle: int) -> Errors:
    """Return the errors of ½·δᵀIδ along one direction."""
    one = FAMILIES[family]
    p = one.places[place - 1]
    unit = direction(p, angle, one.chart)
    fitted = quadratic_errors(p, FITTED[:, None] * unit, one.chart)
    return Errors(unit, quadratic_errors(p, CURVE[:, None] * unit, one.chart), fitted_slopes(FITTED, fitted))


@lru_cache(maxsize=4096)
def here(family: str, place: int, angle: int, size: float) -> np.ndarray:
    """Return the four errors of one step in nats."""
    one = FAMILIES[family]
    return quadratic_errors(one.places[place - 1], size * errors(family, place, angle).unit, one.chart)


def half_widths(p: ExponentialFamily, chart: str) -> np.ndarray:
    """Return how far the ellipse δᵀIδ = 1 reaches along each coordinate."""
    return np.sqrt(np.diagonal(np.linalg.inv(p.fisher(chart))))


def ellipse(p: ExponentialFamily, chart: str) -> np.ndarray:
    """Return the steps with δᵀIδ = 1, shape (91, k); two steps, there and back, where k is 1."""
    angle = np.linspace(0.0, 2.0 * np.pi, 91)
    circle = np.stack([np.cos(angle), np.sin(angle)])[: p.dimension]
    return np.linalg.solve(np.linalg.cholesky(p.fisher(chart)).T, circle).T


def _on_page(steps: np.ndarray) -> np.ndarray:
    """Return steps as (x, y), shape (2, n): one coordinate alone is drawn along a line."""
    return np.pad(steps, ((0, 0), (0, 2 - steps.shape[1]))).T


def _setup(axes: tuple[Axes, Axes]) -> None:
    chart, orders = axes
    zoomed_chart.prepare(chart, REACH)
    chart.plot([], [], label="δᵀIδ = r², I at p", **BAND)
    chart.plot([], [], label="I at the midpoint", marker="D", markersize=7, **MIDDLE)
    chart.plot([], [], label="p", **P)
    chart.plot([], [], label="q = p + δ", **Q)
    orders.set(xscale="log", yscale="log", xlim=(CURVE[0] / 1.1, CURVE[-1] * 1.1), ylim=(LOWEST, HIGHEST))
    orders.set(xlabel="size r of δ, r² = δᵀIδ", ylabel="size of the error in nats")
    orders.set_xticks([0.01, 0.03, 0.1, 0.3], ["0.01", "0.03", "0.1", "0.3"])
    orders.set_yticks([1e-10, 1e-8, 1e-6, 1e-4, 1e-2], ["10⁻¹⁰", "10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²"])
    orders.minorticks_off()
    for power, start, end, height, place in (
        (3, 0.011, 0.04, 1e-4, (0.0115, 2e-3)),
        (4, 0.08, 0.28, 1e-9, (0.16, 1e-9)),
    ):
        ends = np.array([start, end])
        orders.plot(ends, height * (ends / start) ** power, **SLOPE)
        orders.text(*place, f"slope {power}", zorder=BEHIND, **NOTE)
    for label, (look, marker) in KINDS.items():
        orders.plot([], [], label=label, marker=marker, markersize=7, **look)
    for one in axes:
        style.legend_above(one, 2, handlelength=2.4, columnspacing=1.0)
        one.set_title(" \n ", fontsize=style.LABEL_SIZE, family=style.FONT, pad=12.0)


@panel(
    layout=(1, 2),
    widths=(1.0, 1.35),
    setup=_setup,
    family=Slider(choices=tuple(FAMILIES)),
    angle=Slider(0, 345, 15, label="direction of δ, °"),
    place=Slider(choices=PLACES, label="place of p"),
    r=Slider(choices=SIZES, label="size r of δ"),
    play="r",
    scenes={
        "Generic direction": {"angle": 60, "r": 0.3},
        "Only the mean": {"angle": 0},
        "Natural coordinates": {"family": "Normal, natural"},
        "Coin, p = 0.1": {"family": "Bernoulli, logit", "place": 1},
        "A fair coin": {"family": "Bernoulli, logit"},
    },
    predict=Prediction(
        "A fair coin's logit moves by δ. With which power of δ does KL(p‖q) − ½·I·δ² shrink?",
        ["The second", "The third", "The fourth"],
        at={"family": "Bernoulli, logit"},
    ),
)
def order_of_error(
    axes: tuple[Axes, Axes],
    family: str = "Normal, (mean, std)",
    angle: int = 60,
    place: int = 3,
    r: float = 0.1,
) -> str:
    """Half the squared ruler errs in the third order of the step, and in the fourth from the midpoint."""
    chart, orders = axes
    one, now = FAMILIES[family], errors(family, place, angle)
    p = one.places[place - 1]
    centre, widths = p.coordinates(one.chart), half_widths(p, one.chart)
    middle = p.with_coordinates(centre + 0.5 * r * now.unit, one.chart)
    chart.plot(*_on_page(ellipse(p, one.chart) / widths), **BAND)
    chart.plot(*_on_page(ellipse(middle, one.chart) / widths), **MIDDLE)
    way = _on_page(np.outer([0.0, 0.5, 1.0], now.unit / widths))
    chart.plot(*way, **STEP)
    for number, point in enumerate((P, M, Q)):
        chart.plot(*way[:, number : number + 1], **point)
    zoomed_chart.write(chart, one.labels, centre, r * widths)
    found = here(family, place, angle, r)
    for (look, marker), curve, error in zip(KINDS.values(), now.curves.T, found, strict=True):
        if np.all(curve != 0.0):
            orders.plot(CURVE, np.abs(curve), **look)
        if error != 0.0:
            orders.plot([r], [abs(error)], color=look["color"], marker=marker, markersize=8)
    if not np.any(now.curves):
        orders.text(0.0115, 1e-6, "all four errors are exactly 0:\nno logarithm to draw", **NOTE)
    return _sentence(family, place, angle, r)


def _sentence(family: str, place: int, angle: int, r: float) -> str:
    one, now, found = FAMILIES[family], errors(family, place, angle), here(family, place, angle, r)
    p = one.places[place - 1]
    way = f"at {angle}°" if len(one.labels) == 2 else "up" if now.unit[0] > 0.0 else "down"
    start = f"{_named(p)}, size {r:g} {way} in {one.words}: "
    if not np.any(now.curves):
        return start + (
            "only the mean moves. KL(p‖q), KL(q‖p) and their average are ½·δᵀIδ exactly, whatever the size, "
            "so there is no error."
        )
    there, back, average, middle = (_percent(100.0 * error / (0.5 * r**2)) for error in found)
    slopes = ", ".join("none" if np.isnan(slope) else f"{slope:.2f}" for slope in now.slopes)
    return start + (
        f"KL(p‖q) is {there} off ½·δᵀIδ, KL(q‖p) {back}, average {average}, I at the midpoint {middle}. "
        f"Slopes up to 0.1: {slopes}."
    )


def _named(p: ExponentialFamily) -> str:
    if isinstance(p, Normal):
        return f"N({p.mean:.2f}, {p.std:.2f})".replace("-", "−")
    if isinstance(p, Gamma):
        return f"Gamma({p.shape_parameter:g}, {p.rate:g})"
    name = "p" if isinstance(p, Bernoulli) else "rate"
    return f"{p.family_name()}, {name} = {p.source[0]:g}"


def _percent(value: float) -> str:
    digits = np.format_float_positional(abs(value), precision=2, fractional=False, trim="-", unique=False)
    return "0%" if value == 0.0 else f"{'+' if value > 0.0 else '−'}{digits}%"
