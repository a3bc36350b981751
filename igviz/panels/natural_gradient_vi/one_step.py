"""A conjugate model: one natural-gradient step of size 1 is the answer, in natural coordinates only."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Rectangle

from igviz.geometry.families.normal import Normal
from igviz.geometry.kl_balls import kl_ball
from igviz.models.linear_regression import LinearRegression
from igviz.panels.engine import Prediction, Slider, panel
from igviz.panels.natural_gradient_vi.borders import mark_end
from igviz.panels.natural_gradient_vi.steps import leaves, natural_step
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OTHERS = ("(mean, std)", "(mean, std²)", "(mean, log std)", "expectation")
MEANS, STDS = (-2.2, 3.2), (-0.55, 2.15)  # of the picture
INSET = (0.08, 0.05)  # of a mark at the border
MOST = 1.5  # of the step ρ
SIZES = np.linspace(0.0, MOST, 151)
NEARER = 1.0 - np.geomspace(1e-2, 1e-9, 15)  # shares of the step that leaves the space
LEVELS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # of KL(q‖posterior), drawn as contours
HIGHEST, SEEN, LINEAR = 40.0, 30.0, 0.01  # nats: the top of the axes and of the markers; linear below
ROUNDING = 1e-18  # nats
LANDS = "it lands "  # said once if both do

CONTOUR: dict[str, Any] = {"color": "#B0B0B0", "linestyle": "-", "linewidth": 1.0}
NOTHING: dict[str, Any] = {"facecolor": "#EEEEEE", "edgecolor": "none", "zorder": 0.6}
POSTERIOR: dict[str, Any] = {"color": style.BLACK, "marker": "*", "markersize": 14, "linestyle": "none"}
P: dict[str, Any] = {**style.TARGET_POINT, "markersize": 7}
NATURAL: dict[str, Any] = {**style.NATURAL_GRADIENT, "linewidth": 2.2}
OTHER: dict[str, Any] = {**style.STRAIGHT, "linewidth": 2.4}
MARKERS = {"natural": "D", "other": "s"}
NOTE: dict[str, Any] = {"fontsize": style.TICK_SIZE, "color": style.INK, "family": style.FONT}


@cache
def model() -> LinearRegression:
    """Return a line through the origin and two measured points: one coefficient, of prior N(0, 1)."""
    return LinearRegression([[1.0], [0.8]], [1.2, 0.3], noise_precision=1.5)


@cache
def posterior() -> Normal:
    """Return the posterior of the coefficient."""
    exact = model().posterior
    return Normal(exact.mean[0], np.sqrt(exact.cov[0, 0]))


def elbo_slope(q: Normal) -> np.ndarray:
    """Return the gradient of the ELBO in (mean, std): that of −KL(q‖posterior), as log p(x) is constant."""
    p = posterior()
    return np.stack([(p.mean - q.mean) / p.std**2, 1.0 / q.std - q.std / p.std**2], axis=-1)


def walk(start: Normal, chart: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Return steps from 0 on, where they lead to in (mean, std), and the step that leaves the space.

    The last of the steps lies just before that one, or at the end of the slider.
    """
    slope = elbo_slope(start)
    edge = leaves(start, slope, chart)
    sizes = SIZES if edge > MOST else np.append(SIZES[edge * NEARER[0] > SIZES], edge * NEARER)
    return sizes, natural_step(start, slope, chart, sizes), edge


def _setup(axes: tuple[Axes, Axes]) -> None:
    plane, gap = axes
    plane.set(xlim=MEANS, ylim=STDS, xlabel="mean", ylabel="std")
    plane.set_xticks([-2, -1, 0, 1, 2, 3])
    plane.set_yticks([0, 1, 2])
    plane.add_artist(Rectangle((MEANS[0], STDS[0]), np.ptp(MEANS), -STDS[0], **NOTHING))
    plane.text(
        float(np.mean(MEANS)), 0.5 * STDS[0], "no distributions", ha="center", va="center", zorder=0.7, **NOTE
    )
    for level in LEVELS:
        ring = kl_ball(posterior(), level, "KL(q‖p)", 181).source
        plane.plot(*ring.T, zorder=0.9, **CONTOUR)
    plane.plot([], [], label="level of KL", **CONTOUR)
    plane.plot(*posterior().source, label="posterior", zorder=0.95, **POSTERIOR)
    plane.plot([], [], label="start", **P)
    style.legend_above(plane, 3, handlelength=1.6, columnspacing=1.2)
    gap.set(xlim=(-0.04, MOST + 0.04), xlabel="step ρ", ylabel="KL(q‖posterior) in nats")
    gap.set_yscale("asinh", linear_width=LINEAR)
    gap.set_ylim(-0.004, HIGHEST)
    gap.set_yticks([0.0, 0.01, 0.1, 1.0, 10.0], ["0", "0.01", "0.1", "1", "10"])
    gap.set_xticks([0.0, 0.5, 1.0, 1.5], ["0", "0.5", "1", "1.5"])
    gap.minorticks_off()
    gap.plot([], [], label="natural", marker=MARKERS["natural"], markersize=7, **NATURAL)
    gap.plot([], [], label="other chart", marker=MARKERS["other"], markersize=7, **OTHER)
    style.legend_above(gap, 2, handlelength=2.6)


@panel(
    layout=(1, 2),
    widths=(1.45, 1.0),
    setup=_setup,
    mean=Slider(-1.8, 2.8, 0.02, label="start mean"),
    std=Slider(0.1, 2, 0.02, label="start std"),
    rho=Slider(0, MOST, 0.01, label="step ρ"),
    chart=Slider(choices=OTHERS, label="other chart"),
    drag=("mean", "std", 0),
    play="rho",
    scenes={
        "The whole step": {"rho": 1.0},
        "From the prior": {"mean": 0.0, "std": 1.0, "rho": 1.0},
        "From a narrow bell": {"std": 0.2, "rho": 1.0},
        "Log std never leaves": {"rho": 1.0, "chart": "(mean, log std)"},
        "Too long a step": {"mean": 1.6, "std": 0.24, "rho": 1.5, "chart": "expectation"},
    },
    predict=Prediction(
        "Step 1 ends on the posterior in natural coordinates. Where does it end in (mean, std)?",
        ["On the posterior too", "Short of it", "Beyond it", "At no distribution"],
        at={"rho": 1.0},
    ),
)
def one_step(
    axes: tuple[Axes, Axes],
    mean: float = -0.6,
    std: float = 1.1,
    rho: float = 0.5,
    chart: str = "(mean, std)",
) -> str:
    """Solve a conjugate model by one natural-gradient step of size 1, in natural coordinates."""
    plane, gap = axes
    start = Normal(mean, std)
    for one, kind, look in ((chart, "other", OTHER), ("natural", "natural", NATURAL)):
        sizes, way, edge = walk(start, one)
        kl = _kl(way)
        if edge < MOST:  # the divergence goes to infinity there
            sizes, kl = np.append(sizes, edge), np.append(kl, 10.0 * HIGHEST)
        plane.plot(*way.T, **look)
        gap.plot(sizes, kl, **look)
        point = {"color": look["color"], "marker": MARKERS[kind], "markersize": 9}
        if rho < edge:
            here = natural_step(start, elbo_slope(start), one, rho)
            mark_end(plane, np.vstack([way[sizes[: len(way)] < rho], here]), INSET, point)
            if _kl(here) > SEEN:
                high = {**point, "markerfacecolor": style.PAPER, "markeredgecolor": look["color"]}
                gap.plot([_crossing(sizes, kl)], [SEEN], **high)
            else:
                gap.plot([rho], [_kl(here)], markeredgecolor=style.PAPER, **point)
        else:
            gone = {**point, "marker": "X", "markersize": 12}
            mark_end(plane, way, INSET, gone)
            gap.plot([_crossing(sizes, kl)], [SEEN], markeredgecolor=style.PAPER, **gone)
    plane.plot([mean], [std], **P)
    return _sentence(start, rho, chart)


def _crossing(sizes: np.ndarray, kl: np.ndarray) -> float:
    """Return the step at which the curve leaves through the height SEEN, on the line that is drawn."""
    last = int(np.flatnonzero(kl < SEEN)[-1])
    heights = np.arcsinh(kl[last : last + 2] / LINEAR)  # straight lines on the axes of that scale
    return float(np.interp(np.arcsinh(SEEN / LINEAR), heights, sizes[last : last + 2]))


def _kl(source: np.ndarray) -> np.ndarray:
    """Return KL(q‖posterior) in nats of the q at (mean, std), shape (...)."""
    return Normal.from_source(source).kl(posterior())


def _sentence(start: Normal, rho: float, chart: str) -> str:
    name = "expectation coordinates" if chart == "expectation" else chart
    natural, other = _end(start, rho, "natural"), _end(start, rho, chart)
    if natural.startswith(LANDS) and other.startswith(LANDS):
        other = other.removeprefix(LANDS)
    return f"From {_named(start)}, ρ = {rho:.2f}: in natural coordinates {natural}; in {name} {other}."


def _end(start: Normal, rho: float, chart: str) -> str:
    """Write where a step ends and its divergence from the posterior, or at which ρ it left the space."""
    slope = elbo_slope(start)
    edge = leaves(start, slope, chart)
    if rho >= edge:
        return f"it leaves the space at ρ = {edge:.2f}"
    end = natural_step(start, slope, chart, rho)
    kl = float(_kl(end))
    words = "0 to rounding" if kl < ROUNDING else f"{kl:.3f} nats" if kl >= 0.001 else "< 0.001 nats"
    return f"{LANDS}on {_named(Normal.from_source(end))}, KL {words}"


def _named(q: Normal) -> str:
    return f"N({q.mean:.2f}, {q.std:.2f})".replace("-", "−")
