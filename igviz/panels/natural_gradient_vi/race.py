"""Four walkers from one start on one landscape: they know the same, and measure a step differently.

All are given the exact gradient. Two follow it in (mean, variance) and in (mean, std), Adam rescales that of
(mean, std), and one follows the natural gradient in natural coordinates, damped: η ← η + step·(I + λ·Id)⁻¹∇L.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.path import Path

from igviz.geometry.families.normal import Normal
from igviz.inference.one_dimensional_walks import walk
from igviz.models.skewed_posterior import COUNT, PRIOR_STD, best_normal, elbo
from igviz.panels.engine import Prediction, Slider, panel
from igviz.panels.natural_gradient_vi.borders import mark_end
from igviz.plots import landscape as terrain
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEANS, LOG_STDS = (-3.2, 2.2), (-2.3, 1.3)  # of the picture
INSET = (0.09, 0.07)  # of a mark at the border
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)
DAMPINGS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
ITERATIONS = 60
FAR = 1e6  # what runs away is drawn as far
CLOSE = 0.001  # nats below the top
LOWEST, HIGHEST, SEEN = 1e-6, 100.0, 50.0  # nats: the ends of the axes, and the highest mark

# the words, the look and the marker of the end
WALKERS: dict[str, tuple[str, dict[str, Any], str]] = {
    "mean and covariance": ("(mean, variance)", {**style.ORDINARY_GRADIENT}, "s"),
    "mean and Cholesky factor": ("(mean, std)", {**style.STRAIGHT}, "^"),
    "Adam": ("Adam in (mean, std)", {"color": style.GREEN, "linestyle": "--"}, "o"),
    "natural gradient": ("natural gradient", {**style.NATURAL_GRADIENT}, "D"),
}
WIDTH = 1.8
LEFT: dict[str, Any] = {"marker": "X", "zorder": 4.0, "markeredgewidth": 1.0}  # above the lines and the start
SIZES = (16.0, 11.5, 9.0)  # of those marks, in turn: where two lie on one point, both are seen
P: dict[str, Any] = {**style.TARGET_POINT, "markersize": 7}


class Run(NamedTuple):
    """One walker's way, and how far below the top it was after each step."""

    way: np.ndarray  # (mean, log std), shape (n, 2), none larger than FAR
    gap: np.ndarray  # nats, shape (n,)
    left: int | None  # the step that left the space
    close: int | None  # the step from which on it stayed within CLOSE


def derivatives(mean: float, std: float) -> tuple[float, float]:
    """Return E_q[f′] and E_q[f″] of the skewed posterior's log joint f."""
    rate = math.exp(mean + 0.5 * std**2)
    return COUNT - rate - mean / PRIOR_STD**2, -rate - 1.0 / PRIOR_STD**2


@lru_cache(maxsize=8192)
def run(kind: str, mean: float, log_std: float, step: float, damping: float) -> Run:
    """Let one walker go its way."""
    made = walk(kind, derivatives, (mean, math.exp(log_std)), step, ITERATIONS, damping)
    with np.errstate(over="ignore"):
        gap = float(elbo(best_normal())) - elbo(Normal(np.array(made.mean), np.array(made.std)))
    far = np.flatnonzero(~(gap < CLOSE))
    close = int(far[-1]) + 1 if far.size else 0
    stays = made.left is None and close < gap.size
    way = np.clip(np.stack([made.mean, np.log(made.std)], axis=-1), -FAR, FAR)
    return Run(way, gap, made.left, close if stays else None)


@cache
def terraces() -> list[Path]:
    """Return the landscape, as `igviz.plots.landscape` draws it."""
    return terrain.survey(elbo, MEANS, LOG_STDS).terraces(float(elbo(best_normal())))


def _setup(axes: tuple[Axes, Axes]) -> None:
    chart, gaps = axes
    chart.set(xlim=MEANS, ylim=LOG_STDS, xlabel="mean", ylabel="log std")
    chart.set_xticks([-3, -2, -1, 0, 1, 2])
    chart.set_yticks([-2, -1, 0, 1])
    chart.add_collection(terrain.filled(terraces()), autolim=False)
    best = best_normal()
    chart.plot(best.mean, np.log(best.std), zorder=0.9, **terrain.TOP)
    gaps.set(xlim=(-1.0, ITERATIONS + 1.0), yscale="log", ylim=(LOWEST, HIGHEST))
    gaps.set(xlabel="iteration", ylabel="nats below the top")
    gaps.set_xticks([0, 20, 40, 60])
    gaps.set_yticks([1e-6, 1e-4, 1e-2, 1.0, 100.0], ["10⁻⁶", "10⁻⁴", "10⁻²", "10⁰", "10²"])
    gaps.minorticks_off()
    gaps.axhline(CLOSE, zorder=0.9, **style.GUIDE)
    for words, look, marker in WALKERS.values():
        chart.plot([], [], label=words, marker=marker, markersize=7, **{**look, "linewidth": WIDTH})
    style.legend_above(
        chart, len(WALKERS), handlelength=2.2, columnspacing=0.9, handletextpad=0.4
    )  # it reaches over both


@panel(
    layout=(1, 2),
    widths=(1.4, 1.0),
    setup=_setup,
    step=Slider(choices=STEPS, label="step, of all"),
    damping=Slider(choices=DAMPINGS, label="damping λ"),
    mean=Slider(-3, 2, 0.05, label="start mean"),
    log_std=Slider(-2, 1, 0.05, label="start log std"),
    drag=("mean", "log_std", 0),
    play="step",
    scenes={
        "Short steps": {"step": 0.1},
        "Step 1 for all": {"step": 1.0},
        "From a wide bell": {"mean": 1.5, "log_std": 0.6, "step": 0.2},
        "Near and away": {"mean": -2.8, "log_std": -0.6, "step": 0.5},
        "Damped": {"step": 1.0, "damping": 1.0},
    },
    predict=Prediction(
        "All four now take step 1. Who is the first to stay within 0.001 nats of the top?",
        [
            "Gradient in (mean, variance)",
            "Gradient in (mean, std)",
            "Adam in (mean, std)",
            "Natural gradient",
        ],
        at={"step": 1.0},
    ),
)
def race(
    axes: tuple[Axes, Axes],
    step: float = 0.3,
    damping: float = 0.0,
    mean: float = 1.3,
    log_std: float = -0.2,
) -> str:
    """Race four walkers with the same exact gradients to the top of the ELBO: only the geometry differs."""
    chart, gaps = axes
    runs = {kind: run(kind, mean, log_std, step, damping) for kind in WALKERS}
    sizes = iter(SIZES)
    for one, (_words, look, marker) in zip(runs.values(), WALKERS.values(), strict=True):
        line = {**look, "linewidth": WIDTH}
        chart.plot(*one.way.T, marker=".", markersize=4.5, **line)
        gaps.plot(np.clip(one.gap, 1e-3 * LOWEST, 10.0 * HIGHEST), **line)
        point = {"color": look["color"], "marker": marker, "markersize": 8}
        if one.left is not None:
            point |= {**LEFT, "markersize": next(sizes)}
            gaps.plot([len(one.gap) - 1], [min(one.gap[-1], SEEN)], markeredgecolor=style.PAPER, **point)
        mark_end(chart, one.way, INSET, point)
    chart.plot([mean], [log_std], **P)
    return _sentence(runs, step, damping, mean, log_std)


def _sentence(runs: dict[str, Run], step: float, damping: float, mean: float, log_std: float) -> str:
    names = {kind: WALKERS[kind][0] for kind in runs}
    stayed = [
        f"{names[kind]} {f'over {ITERATIONS}' if one.close is None else one.close}"
        for kind, one in runs.items()
        if one.left is None
    ]
    left = [f"{names[kind]} at {one.left}" for kind, one in runs.items() if one.left is not None]
    return (
        f"Iterations to stay within {CLOSE:g} nats, from N({mean:.2f}, {math.exp(log_std):.2f}), "
        f"step {step:g}, damping {damping:g}: {', '.join(stayed) or 'none does'}."
        + (f" Left the space: {', '.join(left)}." if left else "")
    ).replace("(-", "(−")
