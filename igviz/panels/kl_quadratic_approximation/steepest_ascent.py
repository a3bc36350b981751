"""Which way is steepest: a ruler on the page answers by the chart, the KL divergence does not."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from igviz.geometry.families.normal import Normal
from igviz.geometry.kl_balls import kl_ball
from igviz.geometry.normal_charts import NORMAL_CHARTS, NormalChart
from igviz.geometry.steepest_ascent import steepest_in_chart, steepest_on_kl_ball
from igviz.models.skewed_posterior import best_normal, elbo, elbo_gradient
from igviz.panels.engine import Prediction, Slider, panel
from igviz.panels.kl_quadratic_approximation import zoomed_chart
from igviz.plots import half_plane, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHARTS = ("(mean, std)", "(mean, log std)", "(mean, std²)")
BUDGETS = (
    *(0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.015),
    *(0.01, 0.007, 0.005, 0.003, 0.002, 0.0015),
    *(0.001, 0.0007, 0.0005, 0.0003, 0.0002, 0.0001),
)
BELOW = (0.02, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)  # of the contours, in nats from the top
COUNT = 121
ANGLES = np.linspace(0.0, 2.0 * np.pi, COUNT)
REACH = 1.85  # half the width of the zoomed picture

CONTOUR: dict[str, Any] = {"color": "#9A9A9A", "linestyle": "-", "linewidth": 1.0}
TOP: dict[str, Any] = {"color": style.BLACK, "marker": "*", "markersize": 12, "linestyle": "none"}
P: dict[str, Any] = {**style.TARGET_POINT, "markersize": 7}
KL_BALL: dict[str, Any] = {**style.NATURAL_GRADIENT, "linewidth": 1.6}
CIRCLE: dict[str, Any] = {**style.ORDINARY_GRADIENT, "linewidth": 1.6}
NATURAL_BEST: dict[str, Any] = {**style.NATURAL_GRADIENT, "marker": "D", "markersize": 8}
ORDINARY_BEST: dict[str, Any] = {**style.ORDINARY_GRADIENT, "marker": "s", "markersize": 8}
NATURAL_RAY: dict[str, Any] = {"color": style.VERMILLION, "linestyle": (0, (1, 1.2)), "linewidth": 2.0}
ORDINARY_RAY: dict[str, Any] = {"color": style.BLUE, "linestyle": (0, (1, 1.2)), "linewidth": 2.0}


class Ascent(NamedTuple):
    """The best points of one budget, and what is drawn of them in a chart."""

    top: bool  # the highest point of all is within the budget, and both reach it
    spent: float  # KL(q‖p) of the best points
    natural: Normal
    ordinary: Normal
    gains: tuple[float, float]
    angles: tuple[float, float]  # on the chart's page, in degrees, from I⁻¹∇L and from ∇L
    ways: np.ndarray  # the unit vectors I⁻¹∇L and ∇L on the page, shape (2, 2)
    circle: np.ndarray  # coordinates in the chart, shape (COUNT, 2)


@lru_cache(maxsize=4096)
def ascent(mean: float, std: float, budget: float, chart: str) -> Ascent:
    """Return where L is largest on the KL ball around N(mean, std), and on the circle of the same KL."""
    p, view, best = Normal(mean, std), NORMAL_CHARTS[chart], best_normal()
    top = float(best.kl(p)) <= budget
    natural = best if top else steepest_on_kl_ball(p, budget, elbo, elbo_gradient)
    ordinary = best if top else steepest_in_chart(p, budget, elbo, elbo_gradient, view)
    start, slope = view.coordinates(p), elbo_gradient(p)
    raised = p.std**2 * slope * np.array([1.0, 0.5])  # I⁻¹∇L in (mean, std), carried to the chart
    ways = np.stack([view.jacobian(p) @ raised, view.gradient(p, slope)])
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    steps = np.stack([view.coordinates(q) - start for q in (natural, ordinary)])
    radius = np.linalg.norm(steps[1])
    across = ways[:, 0] * steps[:, 1] - ways[:, 1] * steps[:, 0]
    degrees = np.degrees(np.abs(np.arctan2(across, np.sum(ways * steps, axis=1))))
    return Ascent(
        top,
        float(natural.kl(p)),
        natural,
        ordinary,
        (float(elbo(natural) - elbo(p)), float(elbo(ordinary) - elbo(p))),
        (float(degrees[0]), float(degrees[1])),
        ways,
        start + radius * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1),
    )


def contour(below: float) -> np.ndarray:
    """Return the normals at which L is so many nats below its top, by bisection, shape (COUNT, 2)."""
    best = best_normal()
    way = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)
    falls = way[:, 1] < 0.0
    near = np.zeros(COUNT)
    floor = best.std / np.where(falls, -way[:, 1], 1.0) * (1.0 - 1e-12)  # just above std = 0
    far = np.where(falls, np.minimum(floor, 20.0), 20.0)
    for _ in range(60):
        middle = 0.5 * (near + far)
        inside = elbo(Normal.from_source(best.source + middle[:, None] * way)) > elbo(best) - below
        near, far = np.where(inside, middle, near), np.where(inside, far, middle)
    return best.source + near[:, None] * way


def level(q: Normal, view: NormalChart, unit: float, reach: float) -> np.ndarray:
    """Return the contour of L through q near q, in the chart, shape (41, 2).

    From the tangent, along the gradient, by Newton's method: as L is concave in the chart the contour lies
    on the gradient's side and the method rises to it; nan where there is none.
    """
    start, height = view.coordinates(q), elbo(q)
    up = view.gradient(q, elbo_gradient(q))
    up = up / np.linalg.norm(up)
    base = start + np.linspace(-reach, reach, 41)[:, None] * unit * np.array([-up[1], up[0]])
    rise = np.zeros(41)
    for _ in range(7):
        source = view.to_source(base + rise[:, None] * up)
        known = (source[:, 1] > 1e-3) & (source[:, 1] < 10.0) & (np.abs(source[:, 0]) < 10.0)
        here = Normal.from_source(np.where(known[:, None], source, 1.0))
        slope = view.gradient(here, elbo_gradient(here)) @ up
        known &= slope > 0.0
        rise = np.where(known, rise + (height - elbo(here)) / np.where(known, slope, 1.0), np.nan)
    return base + rise[:, None] * up


def _setup(axes: tuple[Axes, Axes]) -> None:
    plane, zoom = axes
    half_plane.prepare(plane, (-2.9, 1.7), (0.0, 3.3))
    plane.set_xticks([-2, -1, 0, 1])
    plane.set_yticks([0, 1, 2, 3])
    for below in BELOW:
        plane.plot(*contour(below).T, zorder=0.9, **CONTOUR)
    plane.plot([], [], label="level of L", **CONTOUR)
    plane.plot(*best_normal().source, label="its top", zorder=0.95, **TOP)
    plane.plot([], [], label="KL ball, best", **{**NATURAL_BEST, "linewidth": 1.6})
    plane.plot([], [], label="circle, best", **{**ORDINARY_BEST, "linewidth": 1.6})
    plane.plot([], [], label="I⁻¹∇L", **NATURAL_RAY)
    plane.plot([], [], label="∇L", **ORDINARY_RAY)
    style.legend_above(plane, 6, handlelength=1.9, columnspacing=0.9, handletextpad=0.4)
    zoomed_chart.prepare(zoom, REACH)
    zoom.set_title(" ", fontsize=style.LABEL_SIZE, family=style.FONT, pad=6.0)


@panel(
    layout=(1, 2),
    widths=(1.3, 1.0),
    setup=_setup,
    mean=(-2, 1, 0.01),
    std=(0.3, 1.5, 0.01),
    budget=Slider(choices=BUDGETS, label="KL budget ε"),
    chart=Slider(choices=CHARTS, label="chart of the circle"),
    drag=("mean", "std", 0),
    play="budget",
    scenes={
        "A large budget": {"budget": 0.5},
        "A small budget": {"budget": 0.0001},
        "Another chart": {"chart": "(mean, log std)"},
        "A narrow bell": {"mean": -1.2, "std": 0.3, "chart": "(mean, std²)"},
        "A wide bell": {"mean": -1.5, "std": 1.5, "chart": "(mean, log std)"},
    },
    predict=Prediction(
        "Swap (mean, std) for (mean, log std). Which best point becomes another distribution?",
        ["The KL ball's", "The circle's", "Both", "Neither"],
        at={"chart": "(mean, log std)"},
    ),
)
def steepest_ascent(
    axes: tuple[Axes, Axes],
    mean: float = -1.4,
    std: float = 0.5,
    budget: float = 0.1,
    chart: str = "(mean, std)",
) -> str:
    """On a KL ball the best point is the same in every chart; on a circle it is the chart's own."""
    plane, zoom = axes
    p, view, now = Normal(mean, std), NORMAL_CHARTS[chart], ascent(mean, std, budget, chart)
    ball = kl_ball(p, budget, "KL(q‖p)", COUNT)
    start = view.coordinates(p)
    unit = float(np.sqrt(2.0 * budget) * np.max(view.half_widths(p)))
    plane.plot(*ball.source.T, **KL_BALL)
    plane.plot(*view.to_source(now.circle).T, **CIRCLE)
    if not now.top:  # the highest level that the KL ball touches
        zoom.plot(*_page(level(now.natural, view, unit, 1.3), start, unit), **CONTOUR)
    zoom.plot(*_page(view.coordinates(ball), start, unit), **KL_BALL)
    zoom.plot(*_page(now.circle, start, unit), **CIRCLE)
    for way, look in zip(now.ways, (NATURAL_RAY, ORDINARY_RAY), strict=True):
        zoom.plot(*np.outer(way, [0.0, 3.0 * REACH]), **look)
    for q, best in ((now.ordinary, ORDINARY_BEST), (now.natural, NATURAL_BEST)):
        way = np.stack([start, view.coordinates(q)])
        zoom.plot(*_page(way, start, unit), markevery=[1], **best)
        plane.plot(*np.stack([p.source, q.source], axis=-1), markevery=[1], **best)
    plane.plot([mean], [std], **P)
    zoom.plot([0.0], [0.0], **P)
    zoomed_chart.write(zoom, view.labels, start, np.array([unit, unit]))
    return _sentence(p, budget, chart, now)


def _page(coordinates: np.ndarray, start: np.ndarray, unit: float) -> np.ndarray:
    """Return coordinates of the chart in those of the zoomed picture, shape (2, n)."""
    return ((coordinates - start) / unit).T


def _named(q: Normal) -> str:
    return f"N({q.mean:.3f}, {q.std:.3f})".replace("-", "−")


def _sentence(p: Normal, budget: float, chart: str, now: Ascent) -> str:
    start = f"From N({p.mean:.2f}, {p.std:.2f}), ε = {budget:g}: ".replace("(-", "(−")
    first, second = (f"{gain:#.3g}" for gain in now.gains)
    if now.top:
        return start + (
            f"the top {_named(now.natural)} is within the budget, {now.spent:.3g} nats of KL away. "
            f"Both steps end there, {first} nats up: in {chart} {now.angles[0]:.1f}° off I⁻¹∇L, "
            f"{now.angles[1]:.1f}° off ∇L."
        )
    return start + (
        f"KL ball's best {_named(now.natural)}, {first} nats up, {now.angles[0]:.1f}° off I⁻¹∇L; "
        f"the {chart} circle's, same KL, {_named(now.ordinary)}, {second} nats up, "
        f"{now.angles[1]:.1f}° off ∇L."
    )
