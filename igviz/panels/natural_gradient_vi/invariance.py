"""Natural-gradient steps taken in three charts nearly agree on where to land; plain gradient steps do not."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from igviz.geometry.distances import fisher_rao_distance
from igviz.geometry.families.normal import Normal
from igviz.models.skewed_posterior import elbo_gradient
from igviz.panels.engine import Prediction, Slider, panel
from igviz.panels.kl_quadratic_approximation import zoomed_chart
from igviz.panels.natural_gradient_vi.borders import mark_end
from igviz.panels.natural_gradient_vi.steps import natural_gradient, natural_step, plain_step
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# each with its marker
CHARTS = {"expectation": "s", "natural": "o", "(mean, std)": "^"}
# of the marks: where natural gradients land on one point, each is seen around the next
NATURAL_SIZES, PLAIN_SIZES = (15.0, 11.5, 8.5), (7.5, 7.0, 7.0)
STEPS = (0.4, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
TWICE = tuple(min(2.0 * step, STEPS[0]) for step in STEPS)
CURVE = np.geomspace(STEPS[-1], STEPS[0], 25)
FITTED = np.geomspace(0.0001, 0.001, 11)  # the steps whose slope is given
LOWEST, HIGHEST = 3e-10, 10.0
# the magnified plane, in units: the start lies where the ways, mostly to the right and upwards, have room
LEAST, MOST = np.array([-0.5, -1.0]), np.array([2.5, 2.0])
INSET = 0.14  # of a mark at the border
SHORTEST, LONGEST = 0.5, 0.8  # of the natural-gradient step, in units
BEHIND = 0.9
SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"

NATURAL: dict[str, Any] = {**style.NATURAL_GRADIENT, "linewidth": 2.0}
PLAIN: dict[str, Any] = {**style.ORDINARY_GRADIENT, "linewidth": 2.0}
P: dict[str, Any] = {**style.TARGET_POINT, "markersize": 7}
SLOPE: dict[str, Any] = {**style.GUIDE, "linewidth": 2.0, "zorder": BEHIND}
NOTE: dict[str, Any] = {"fontsize": style.TICK_SIZE, "color": style.INK, "family": style.FONT}


class Landing(NamedTuple):
    """Where the steps of one kind land, and how far apart: at STEPS, at twice those, and at CURVE."""

    landed: np.ndarray  # (mean, std), shape (3, len(STEPS), 2), charts in the order of CHARTS
    apart: np.ndarray
    twice: np.ndarray  # the largest of STEPS is not doubled
    curve: np.ndarray
    slope: float


def landings(mean: float, std: float, size: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return (mean, std) after one step in each chart, natural and plain, each of shape (3, ..., 2)."""
    p = Normal(mean, std)
    slope = elbo_gradient(p)
    natural, plain = (
        np.stack([step(p, slope, chart, size) for chart in CHARTS]) for step in (natural_step, plain_step)
    )
    return natural, plain


def apart(landed: np.ndarray) -> np.ndarray:
    """Return the largest Fisher–Rao distance between two of the three charts' landing points, shape (...)."""
    pairs = [fisher_rao_distance(*map(Normal.from_source, pair)) for pair in combinations(landed, 2)]
    return np.max(pairs, axis=0)


@lru_cache(maxsize=4096)
def kinds(mean: float, std: float) -> tuple[Landing, Landing]:
    """Return where natural-gradient steps and plain gradient steps land, for all steps of the panel."""
    count, ends = len(STEPS), len(STEPS) + len(CURVE)
    sizes = np.concatenate([STEPS, CURVE, TWICE, FITTED])
    found = []
    for landed in landings(mean, std, sizes):
        now, curve, twice, small = np.split(apart(landed), [count, ends, ends + count])
        fitted = np.polyfit(np.log(FITTED), np.log(small), 1)
        found.append(Landing(landed[:, :count], now, twice, curve, float(fitted[0])))
    return found[0], found[1]


def unit(mean: float, std: float, step: float) -> float:
    """Return the unit of the magnified plane: the smallest at which all arrows fit.

    But the natural-gradient step is to be seen: it gets from SHORTEST to LONGEST units, and others may leave.
    """
    p = Normal(mean, std)
    one = step * float(np.linalg.norm(natural_gradient(p, elbo_gradient(p))))
    arrows = np.array([kind.landed[:, STEPS.index(step)] - p.source for kind in kinds(mean, std)])
    fits = float(np.max(arrows / np.where(arrows > 0.0, MOST - INSET, LEAST + INSET)))
    return min(max(fits, one / LONGEST), one / SHORTEST)


def _setup(axes: tuple[Axes, Axes]) -> None:
    plane, orders = axes
    zoomed_chart.prepare(plane, 2.0)
    plane.set(xlim=(LEAST[0], MOST[0]), ylim=(LEAST[1], MOST[1]))
    for chart, marker in reversed(CHARTS.items()):
        name = "natural coord." if chart == "natural" else chart  # the natural gradient is another thing
        plane.plot([], [], label=name, color=style.INK, linestyle="none", marker=marker, markersize=8)
    orders.set(xscale="log", yscale="log", xlim=(STEPS[-1] / 1.4, STEPS[0] * 1.4), ylim=(LOWEST, HIGHEST))
    orders.set(xlabel="step", ylabel="farthest apart, Fisher–Rao")
    orders.set_xticks([0.0001, 0.001, 0.01, 0.1], ["0.0001", "0.001", "0.01", "0.1"])
    orders.set_yticks([1e-8, 1e-6, 1e-4, 1e-2, 1.0], ["10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²", "1"])
    orders.minorticks_off()
    for power, ends, height, place in (
        (1, np.array([0.0002, 0.003]), 4e-5, (0.0007, 3e-5)),
        (2, np.array([0.001, 0.02]), 1e-8, (0.008, 2e-8)),
    ):
        orders.plot(ends, height * (ends / ends[0]) ** power, **SLOPE)
        orders.text(*place, f"slope {power}", zorder=BEHIND, **NOTE)
    orders.plot([], [], label="natural gradient", **NATURAL)
    orders.plot([], [], label="plain gradient", **PLAIN)
    style.legend_above(
        plane, 3, bbox_to_anchor=(-0.2, 1.0), handlelength=1.0, columnspacing=0.7, handletextpad=0.2
    )
    style.legend_above(orders, 2, columnspacing=1.0, handlelength=1.8, handletextpad=0.4)


@panel(
    layout=(1, 2),
    widths=(1.0, 1.25),
    setup=_setup,
    mean=(-1.6, -0.4, 0.02),
    std=(0.5, 1.1, 0.02),
    step=Slider(choices=STEPS, label="step, shrinking"),
    play="step",
    scenes={
        "A large step": {},
        "A small step": {"step": 0.05},
        "A tiny step": {"step": 0.0005},
        "A wide bell": {"mean": -1.5, "std": 1.1, "step": 0.1},
        "A narrow bell": {"mean": -0.8, "std": 0.5, "step": 0.1},
    },
    predict=Prediction(
        "Halve the step, 0.4 to 0.2. How many times closer do the natural-gradient steps land?",
        ["About √2", "About 2", "About 4", "About 8"],
        at={"step": 0.2},
    ),
)
def invariance(axes: tuple[Axes, Axes], mean: float = -1.4, std: float = 0.7, step: float = 0.4) -> str:
    """One step in three charts: natural gradients land O(step²) apart, plain gradients O(step)."""
    plane, orders = axes
    now, number, start = kinds(mean, std), STEPS.index(step), np.array([mean, std])
    scale = unit(mean, std, step)
    for one, look, sizes in zip(now, (NATURAL, PLAIN), (NATURAL_SIZES, PLAIN_SIZES), strict=True):
        ways = (one.landed[:, number] - start) / scale
        for way, marker, size in zip(ways, CHARTS.values(), sizes, strict=True):
            arrow = np.outer([0.0, 1.0], way)
            plane.plot(*arrow.T, **look)
            end = {"marker": marker, "markersize": size, "color": look["color"], "zorder": 3.0}
            mark_end(plane, arrow, (INSET, INSET), end)
    plane.plot([0.0], [0.0], **P)
    zoomed_chart.write(plane, ("mean", "std"), start, np.array([scale, scale]))
    for one, look in zip(now, (NATURAL, PLAIN), strict=True):
        orders.plot(CURVE, one.curve, **look)
        orders.plot([step], [one.apart[number]], color=look["color"], marker="D", markersize=8)
    return _sentence(mean, std, step)


def _sentence(mean: float, std: float, step: float) -> str:
    natural, plain = kinds(mean, std)
    number, closer = STEPS.index(step), ["", ""]
    if TWICE[number] > step:
        closer = [f", {one.twice[number] / one.apart[number]:.1f} times closer" for one in (natural, plain)]
        closer[0] += f" than at {TWICE[number]:g}"
    return (
        f"N({mean:.2f}, {std:.2f}), step {step:g}: natural steps in three charts land within "
        f"{_digits(natural.apart[number])} of each other{closer[0]}; plain ones within "
        f"{_digits(plain.apart[number])}{closer[1]}. Slopes {natural.slope:.2f} and {plain.slope:.2f}."
    ).replace("(-", "(−")


def _digits(number: float) -> str:
    """Write a positive number with two digits, as a power of ten where it is small."""
    if number >= 0.001:
        return f"{number:#.2g}".rstrip(".")
    digits, power = f"{number:.1e}".split("e-")
    return f"{digits}·10⁻{''.join(SUPERSCRIPTS[int(one)] for one in power.lstrip('0'))}"
