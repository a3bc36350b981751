"""The ELBO as a landscape: a point is a normal q, what its height lacks of log p(x) is KL(q‖posterior)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from igviz.geometry.families.normal import Normal
from igviz.panels.elbo import targets
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import landscape as terrain
from igviz.plots import stored, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

SQUARES = {f"z² ≈ {square}": float(square) for square in range(5)}
TARGETS = ("skewed", *SQUARES)
MEANS, LOG_STDS = (-3.2, 3.2), (-2.3, 1.15)  # of the picture
RULER = 0.3  # Fisher–Rao radius of the ellipses
CENTRES = [Normal(mean, np.exp(log_std)) for log_std in (-1.8, -0.7, 0.4) for mean in (-2.2, 0.0, 2.2)]
Z = np.linspace(-4.5, 4.5, 361)
LOWEST, HIGHEST = -6.6, 0.0  # nats, of the bar
THICK = 0.34  # of the bar
AROUND = (0.005, 0.02, 0.05, 0.1)  # nats below an optimum that is not the best

Q_POINT: dict[str, Any] = {  # hollow: a star and its rings are seen inside
    **style.APPROXIMATION_POINT,
    "markersize": 18,
    "markerfacecolor": "none",
    "markeredgewidth": 2.2,
    "path_effects": [withStroke(linewidth=4.2, foreground=style.PAPER)],
}
OTHER: dict[str, Any] = {
    **terrain.TOP,
    "markersize": 9,
    "markerfacecolor": style.PAPER,
    "markeredgewidth": 1.2,
}
RING: dict[str, Any] = {
    "color": style.GREY,
    "marker": "o",
    "fillstyle": "none",
    "markersize": 9,
    "linestyle": "none",
}
CEILING: dict[str, Any] = {**style.TARGET, "solid_capstyle": "butt"}
ELBO: dict[str, Any] = {"facecolor": "#DCEBF5", "edgecolor": style.BLUE, "linewidth": 1.8}
GAP: dict[str, Any] = {
    "facecolor": "#FBE6DA",
    "edgecolor": style.VERMILLION,
    "linewidth": 1.8,
    "hatch": "//",
}
WORDS: dict[str, Any] = {
    "color": style.INK,
    "family": style.FONT,
    "fontsize": style.TICK_SIZE,
    "va": "center",
}


class Backdrop(NamedTuple):
    """What does not move with q."""

    target: targets.Target
    optima: tuple[Normal, ...]  # the best first
    left: tuple[float, ...]  # KL(q‖posterior) at each of them
    surface: stored.Pixels
    density: np.ndarray


@cache
def backdrop(name: str) -> Backdrop:
    """Return the posterior of a name, its optima and its landscape, all that a frame draws from store."""
    target = targets.skewed() if name == "skewed" else targets.bimodal(SQUARES[name])
    surface = terrain.survey(target.elbo, MEANS, LOG_STDS)
    optima = target.optima(surface.peaks())
    terraces = surface.terraces(float(target.elbo(optima[0])))
    rings = []
    for q in optima[1:]:
        others = [one for one in optima if one is not q]
        rings += surface.rings(q, float(target.elbo(q)), others, AROUND)
    return Backdrop(
        target,
        optima,
        tuple(target.kl(q) for q in optima),
        stored.Pixels(lambda: [terrain.filled(terraces), _dashed(rings)]),
        target.model.posterior_pdf(Z),
    )


def _dashed(rings: Sequence[Path]) -> PathCollection:
    """Return the rings of other optima: levels below their own top, and none of the bar beside the chart."""
    made = terrain.outlined(rings)
    made.set_linestyle((0.0, (3.5, 2.0)))
    return made


def _setup(axes: tuple[Axes, Axes, Axes, Axes]) -> None:
    chart, bells, key, bar = axes
    inner = chart.get_gridspec()[:, 0].subgridspec(1, 2, width_ratios=(1.0, 0.05), wspace=0.0)  # type: ignore[index]
    chart.set_subplotspec(inner[0])
    key.set_subplotspec(inner[1])
    chart.set(xlim=MEANS, ylim=LOG_STDS, xlabel="mean of q", ylabel="log std of q")
    chart.set_xticks([-3, -2, -1, 0, 1, 2, 3])
    chart.set_yticks([-2, -1, 0, 1])
    terrain.rulers(chart, CENTRES, RULER)
    terrain.key(key)
    chart.plot([], [], label="q", **{**Q_POINT, "markersize": 8})
    chart.plot([], [], label="best", **terrain.TOP)
    chart.plot([], [], label="other optimum", **OTHER)
    chart.plot([], [], label=f"Fisher radius {RULER:g}", **RING)
    style.legend_above(chart, 4, handlelength=0.9, columnspacing=0.9, handletextpad=0.4)
    bells.set(xlim=(Z[0], Z[-1]), ylim=(0.0, 1.65), xlabel="z", ylabel="density")
    bells.set_xticks([-4, -2, 0, 2, 4])
    bells.set_yticks([0, 0.5, 1, 1.5])
    bells.plot([], [], label="posterior", **style.TARGET)
    bells.plot([], [], label="q", **style.APPROXIMATION)
    style.legend_above(bells, 2)
    bar.set(xlim=(LOWEST, HIGHEST), ylim=(0.0, 1.0), xlabel="nats")
    bar.set_xticks([-6, -4, -2, 0])
    bar.set_yticks([])
    bar.grid(visible=False)


def _draw_bar(axes: Axes, evidence: float, elbo: float, kl: float) -> None:
    """Draw how log p(x) is made up: the ELBO from the left, and KL(q‖posterior) up to it."""
    foot = max(elbo, LOWEST - 1.0)
    axes.add_artist(Rectangle((LOWEST - 2.0, 0.06), foot - LOWEST + 2.0, THICK, **ELBO))
    axes.add_artist(Rectangle((foot, 0.06), evidence - foot, THICK, **GAP))
    axes.plot([evidence, evidence], [0.0, THICK + 0.09], **CEILING)
    digits = _adding_up(elbo, kl, evidence)
    lines = (f"ELBO {_signed(elbo, digits)} + KL {kl:.{digits}f}", f"= log p(x) {_signed(evidence, digits)}")
    for height, words in zip((0.92, 0.73), lines, strict=True):
        axes.text(0.01, height, words, transform=axes.transAxes, **WORDS)
    axes.text(evidence + 0.12, 0.06 + 0.5 * THICK, "log p(x)", **WORDS)
    if foot > LOWEST + 1.1:
        axes.text(LOWEST + 0.1, 0.06 + 0.5 * THICK, "ELBO", **WORDS)
    axes.text(0.5 * (max(foot, LOWEST) + evidence), THICK + 0.16, "KL", ha="center", **WORDS)


@panel(
    layout=(2, 2),
    widths=(1.8, 1.0),
    heights=(1.5, 1.0),
    size=(720, 380),
    setup=_setup,
    target=Slider(choices=TARGETS, label="posterior"),
    mean=Slider(-3, 3, 0.01, label="mean of q"),
    log_std=Slider(-2.2, 1, 0.01, label="log std of q"),
    drag=("mean", "log_std", 0),
    scenes={
        "Start": {},
        "Best q": {"mean": -0.24, "log_std": -0.22},
        "Two humps": {"target": "z² ≈ 3", "mean": 1.62, "log_std": -1.17},
        "The other hump": {"target": "z² ≈ 3", "mean": -1.6, "log_std": -1.16},
        "Between": {"target": "z² ≈ 3", "mean": 0.09, "log_std": 0.05},
    },
    predict=Prediction(
        "The posterior gets two humps of equal width, at −1.7 and 1.7. Where does the best normal sit?",
        ["Wide, over both", "On one of them", "In the valley between"],
        at={"target": "z² ≈ 3", "mean": 1.62, "log_std": -1.17},
    ),
)
def landscape(
    axes: tuple[Axes, Axes, Axes, Axes], target: str = "skewed", mean: float = -1.5, log_std: float = 0.4
) -> str:
    """Walk over the ELBO's landscape: its height and KL(q‖posterior) are always log p(x) together."""
    chart, bells, _key, bar = axes
    now, q = backdrop(target), Normal(mean, np.exp(log_std))
    elbo, kl, evidence = float(now.target.elbo(q)), now.target.kl(q), now.target.model.log_evidence()
    chart.add_artist(stored.Stored(now.surface))
    for one, look in zip(now.optima, (terrain.TOP, *[OTHER] * len(now.optima)), strict=False):
        chart.plot(one.mean, np.log(one.std), **look)
    chart.plot([mean], [log_std], **Q_POINT)
    bells.plot(Z, now.density, **style.TARGET)
    bells.plot(Z, q.pdf(Z), **style.APPROXIMATION)
    _draw_bar(bar, evidence, elbo, kl)
    return _sentence(now, q, elbo, kl, evidence)


def _sentence(now: Backdrop, q: Normal, elbo: float, kl: float, evidence: float) -> str:
    digits = _adding_up(elbo, kl, evidence)
    sum_ = (
        f"{_named(q)}: ELBO {_signed(elbo, digits)} + KL {kl:.{digits}f} "
        f"= log p(x) {_signed(evidence, digits)} nats."
    )
    left = [f"{_named(one)} leaves {rest:.3f}" for one, rest in zip(now.optima, now.left, strict=True)]
    if len(left) == 1:
        return f"{sum_} One optimum: {left[0]}."
    others = [one.replace(" leaves", "") for one in left[1:]]  # the words fit two lines
    return f"{sum_} {len(left)} optima: {', '.join([left[0], *others])}."


def _adding_up(elbo: float, kl: float, evidence: float) -> int:
    """Return the fewest decimals, three at least, at which the rounded numbers still add up."""
    for digits in range(3, 9):
        if round(round(elbo, digits) + round(kl, digits) - round(evidence, digits), digits) == 0.0:
            return digits
    return digits


def _signed(number: float, digits: int = 3) -> str:
    return f"{number:.{digits}f}".replace("-", "−")


def _named(q: Normal) -> str:
    return f"N({q.mean:.2f}, {q.std:.2f})".replace("(-", "(−")
