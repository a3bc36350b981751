"""Ways from one bell to another: the shortest, the straight line, and the two dual geodesics."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from igviz.geometry.families.normal import Normal
from igviz.geometry.geodesics import geodesic
from igviz.panels.engine import Prediction, panel
from igviz.plots import half_plane, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

P = Normal(0.0, 1.0)
RULER = 0.35  # Fisher–Rao radius of the ovals
ROWS = 0.25 * np.exp(np.sqrt(2.0) * RULER) ** np.arange(7)  # so that one row touches the next
X = np.linspace(-4.0, 9.0, 235)
SLIDERS = {"q_mean": (0, 5, 0.1), "q_std": (0.5, 3, 0.1), "t": (0, 1, 0.01)}
THIN_P: style.LineStyle = {**style.TARGET, "linewidth": 1.2}
THIN_Q: style.LineStyle = {**style.APPROXIMATION, "linewidth": 1.2}
MIXTURE: style.LineStyle = {"color": style.GREY, "linestyle": "-", "linewidth": 1.5}
KINDS = {
    "natural": style.NATURAL_GEODESIC,
    "fisher-rao": style.GEODESIC,
    "expectation": style.EXPECTATION_GEODESIC,
}


@lru_cache(maxsize=4096)
def geodesic_length(q_mean: float, q_std: float) -> float:
    """Return the length of the shortest path from N(0, 1)."""
    return float(geodesic(P, Normal(q_mean, q_std)).length())


def straight_length(q_mean: float, q_std: float) -> float:
    """Return the Fisher length of the straight line in (mean, std) from N(0, 1).

    ∫ ds = √(Δmean² + 2·Δstd²)·∫₀¹ dt/(1 + t·Δstd).
    """
    rise = q_std - 1.0
    return float(np.hypot(q_mean, np.sqrt(2.0) * rise) * (np.log(q_std) / rise if rise else 1.0))


def _walker(axes: Axes, here: Normal, line: style.LineStyle, marker: str) -> None:
    axes.plot(
        [here.mean],
        [here.std],
        color=line["color"],
        marker=marker,
        markersize=11,
        markeredgecolor=style.PAPER,
        markeredgewidth=1.2,
        linestyle="none",
    )


def _plane(axes: Axes) -> None:
    half_plane.prepare(axes, (-0.8, 5.8), (0, 5.2))
    half_plane.rulers(axes, ROWS, RULER)
    axes.set_xticks([0, 1, 2, 3, 4, 5])
    axes.set_yticks([0, 1, 2, 3, 4, 5])


def _bells(axes: Axes) -> None:
    axes.set(xlim=(-4, 9), ylim=(0, 0.82), xlabel="x", ylabel="density")
    axes.set_xticks([-4, 0, 4, 8])
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8])


def _ends(axes: Axes, q: Normal) -> None:
    axes.plot([P.mean], [P.std], **style.TARGET_POINT)
    axes.plot([q.mean], [q.std], **style.APPROXIMATION_POINT)


def _shortest_setup(axes: tuple[Axes, Axes]) -> None:
    plane, bells = axes
    _plane(plane)
    _bells(bells)
    plane.plot([], [], label="shortest path", **style.GEODESIC)
    plane.plot([], [], label="straight line", **style.STRAIGHT)
    style.legend_above(plane, 2)
    bells.plot([], [], label="p, at t = 0", **THIN_P)
    bells.plot([], [], label="q, at t = 1", **THIN_Q)
    style.legend_above(bells, 2)
    bells.plot(X, P.pdf(X), **THIN_P)


@panel(
    layout=(1, 2),
    widths=(1.35, 1.0),
    setup=_shortest_setup,
    q_mean=SLIDERS["q_mean"],
    q_std=SLIDERS["q_std"],
    t=SLIDERS["t"],
    play="t",
    scenes={
        "Same mean": {"q_mean": 0, "q_std": 3, "t": 0.5},
        "Same width, far means": {"q_mean": 5, "q_std": 1, "t": 0.5},
        "Narrow, far off": {"q_mean": 5, "q_std": 0.5, "t": 0.5},
        "A short step": {"q_mean": 1, "q_std": 1, "t": 0.5},
    },
    predict=Prediction(
        "From N(0, 1) to N(5, 1): how wide is the bell halfway along the shortest path?",
        ["1, as at both ends", "Narrower than 1", "About twice as wide"],
        at={"q_mean": 5, "q_std": 1, "t": 0.5},
    ),
)
def shortest_path(axes: tuple[Axes, Axes], q_mean: float = 4.0, q_std: float = 2.0, t: float = 0.5) -> str:
    """Walk the shortest path, a half-ellipse, against the straight line; optimisation follows neither."""
    plane, bells = axes
    q = Normal(q_mean, q_std)
    here = geodesic(P, q)(t)
    straight = Normal(t * q_mean, 1.0 + t * (q_std - 1.0))
    plane.plot([0.0, q_mean], [1.0, q_std], **style.STRAIGHT)
    half_plane.path(plane, P, q, "fisher-rao", style.GEODESIC)
    _ends(plane, q)
    _walker(plane, straight, style.STRAIGHT, "D")
    _walker(plane, here, style.GEODESIC, "o")
    bells.plot(X, q.pdf(X), **THIN_Q)
    bells.plot(X, straight.pdf(X), **style.STRAIGHT)
    bells.plot(X, here.pdf(X), **style.GEODESIC)
    return (
        f"From N(0, 1) to N({q_mean:g}, {q_std:g}): shortest path {geodesic_length(q_mean, q_std):.3f} long, "
        f"straight line {straight_length(q_mean, q_std):.3f}. At t = {t:.2f} the shortest path is at "
        f"N({here.mean:.2f}, {here.std:.2f})."
    )


def _three_setup(axes: tuple[Axes, Axes]) -> None:
    plane, bells = axes
    _plane(plane)
    _bells(bells)
    for label, kind in (
        ("e-geodesic", "natural"),
        ("Fisher–Rao", "fisher-rao"),
        ("m-geodesic", "expectation"),
    ):
        plane.plot([], [], label=label, **KINDS[kind])
    style.legend_above(plane, 3, handlelength=2.1, columnspacing=0.8)
    bells.plot([], [], label="mixture of p and q", **MIXTURE)
    style.legend_above(bells, 1)


@panel(
    layout=(1, 2),
    widths=(1.35, 1.0),
    setup=_three_setup,
    q_mean=SLIDERS["q_mean"],
    q_std=SLIDERS["q_std"],
    t=SLIDERS["t"],
    play="t",
    scenes={
        "Same width": {"q_mean": 5, "q_std": 1, "t": 0.5},
        "Same mean": {"q_mean": 0, "q_std": 3, "t": 0.5},
        "Narrow and wide": {"q_mean": 4, "q_std": 3, "t": 0.5},
        "A short step": {"q_mean": 1, "q_std": 1, "t": 0.5},
    },
    predict=Prediction(
        "Both bells have std 1, their means are 5 apart. How wide is the bell halfway along the m-geodesic?",
        ["1, as at both ends", "As wide as the shortest path's", "Wider than any other path's"],
        at={"q_mean": 5, "q_std": 1, "t": 0.5},
    ),
)
def three_geodesics(axes: tuple[Axes, Axes], q_mean: float = 4.0, q_std: float = 2.0, t: float = 0.5) -> str:
    """Three ways from p to q: straight in natural, straight in expectation coordinates, and shortest."""
    plane, bells = axes
    q = Normal(q_mean, q_std)
    here = {kind: geodesic(P, q, kind)(t) for kind in KINDS}
    for kind, line in KINDS.items():
        half_plane.path(plane, P, q, kind, line)
    _ends(plane, q)
    bells.plot(X, (1.0 - t) * P.pdf(X) + t * q.pdf(X), **MIXTURE)
    for (kind, line), marker in zip(KINDS.items(), "^ov", strict=True):
        _walker(plane, here[kind], line, marker)
        bells.plot(X, here[kind].pdf(X), **line)
    held = t * (1.0 - t) * q_mean**2
    e, shortest, m = (f"N({here[kind].mean:.2f}, {here[kind].std:.2f})" for kind in KINDS)
    return (
        f"At t = {t:.2f}: e-geodesic {e}, Fisher–Rao {shortest}, m-geodesic {m}. "
        f"The m-geodesic's variance, like the mixture's, holds t(1−t)Δmean² = {held:.2f}."
    )
