"""Reverse against forward KL: one normal goes where p is, the other must be everywhere p is."""

from __future__ import annotations

from functools import lru_cache
from math import exp, hypot, log, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from igviz.geometry.families.normal import Normal
from igviz.inference.moment_matching import moment_matching
from igviz.panels.elbo import targets
from igviz.panels.elbo.mean_field import FORWARD, REVERSE
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

START_STD = 0.8  # of the normal from which VI climbs
STEP, LONGEST = 0.1, 0.1  # of the climb: a share of the natural gradient, and most in Fisher–Rao length
NEAR, MOST_STEPS = 1e-3, 5_000
STARTS = (-2.0, 0.0, 2.0)
GRID = np.linspace(-6.0, 6.0, 1_201)  # beyond it p holds less than 1e-100
SHOWN = slice(None, None, 2)
Z = GRID[SHOWN]
REACH = GRID[-1]  # of the picture; the matched q, wide as it is, has an eighth of KL(q‖p) outside at z² ≈ 4
ABOVE, PLACES = 1.12, (-3.9, -1.9)  # of the numbers above their row, a share of its height and of z
LOWEST, HIGHEST = -0.65, 2.5  # nats per unit of z, of the two integrands

START: dict[str, Any] = {
    "color": style.GREEN,
    "marker": "v",
    "markersize": 9,
    "linestyle": "none",
}
REVERSE_AREA: dict[str, Any] = {"facecolor": "#CFEBE2", "linewidth": 0.0}
FORWARD_AREA: dict[str, Any] = {"facecolor": "#FBDFCD", "linewidth": 0.0}
WORDS: dict[str, Any] = {
    "color": style.INK,
    "family": style.FONT,
    "fontsize": style.TEXT_SIZE,
    "va": "center",
}


class Pair(NamedTuple):
    """A normal with its divergences to and from p, and what they are integrals of, at `Z`."""

    q: Normal
    reverse: float  # KL(q‖p)
    forward: float  # KL(p‖q)
    density: np.ndarray
    reverse_integrand: np.ndarray
    forward_integrand: np.ndarray


@lru_cache(maxsize=64)
def log_posterior(square: float) -> np.ndarray:
    """Return log p at `GRID`."""
    model = targets.bimodal(square).model
    return model.log_joint(GRID[:, None]) - model.log_evidence()


def pair(square: float, q: Normal) -> Pair:
    """Return a normal q with all that is drawn and said of it; both divergences are finite for every q."""
    log_p, log_q = log_posterior(square), q.log_prob(GRID)
    p, density = np.exp(log_p), np.exp(log_q)
    there = p * (log_p - log_q)
    return Pair(
        q,
        targets.bimodal(square).kl(q),
        float(np.trapezoid(there, GRID)),
        density[SHOWN],
        (density * (log_q - log_p))[SHOWN],
        there[SHOWN],
    )


@lru_cache(maxsize=64)
def forward(square: float) -> Pair:
    """Return the q of least KL(p‖q), the only one: it has the mean and the std of p."""
    return pair(square, moment_matching(targets.bimodal(square).model))


@lru_cache(maxsize=4096)
def reverse(square: float, start: float) -> Pair:
    """Return the q of least KL(q‖p) among its neighbours that VI finds from N(start, 0.8).

    It climbs the ELBO by natural gradients in steps so short that it stays in the basin of its start.
    """
    mean, log_std = start, log(START_STD)
    for _ in range(MOST_STEPS):
        std = exp(log_std)
        first, second = targets.expected_derivatives(square, mean, std)
        along, up = (
            std**2 * first,
            0.5 * (1.0 + std**2 * second),
        )  # the inverse Fisher matrix is diag(std², ½)
        length = hypot(along / std, sqrt(2.0) * up)
        if length < NEAR:
            break
        share = min(STEP, LONGEST / length)
        mean, log_std = mean + share * along, log_std + share * up
    return pair(square, targets.bimodal(square).settle(Normal(mean, exp(log_std))))


def least(square: float) -> float:
    """Return the least KL(q‖p) of all: whatever optima there are, one of these starts leads to each."""
    return min(reverse(square, start).reverse for start in STARTS)


def _setup(axes: tuple[Axes, Axes, Axes]) -> None:
    bells, there, back = axes
    for one in axes:
        one.set(xlim=(-REACH, REACH))
        one.set_xticks(np.arange(-6, 7))
    for one in axes[:2]:
        one.tick_params(axis="x", labelbottom=False)
    for one, words in ((there, "q·log(q/p)"), (back, "p·log(p/q)")):
        one.set(ylim=(LOWEST, HIGHEST), ylabel=words)
        one.set_yticks([0, 1, 2])
        one.set_title(" ", fontsize=style.TICK_SIZE, family=style.FONT, pad=2.0)  # room for the numbers
        one.axhline(0.0, color=style.GREY, linewidth=0.9, linestyle="-", zorder=0.7)
    bells.set(ylim=(0.0, 1.65), ylabel="density")
    bells.set_yticks([0, 1])
    back.set_xlabel("z")
    bells.plot([], [], label="p", **style.TARGET)
    bells.plot([], [], label="VI's q, by KL(q‖p): zero-forcing", **REVERSE)
    bells.plot([], [], label="least KL(p‖q): zero-avoiding", **FORWARD)
    bells.plot([], [], label="start", **START)
    style.legend_above(bells, 4, handlelength=2.0, columnspacing=1.0, handletextpad=0.5)


def _draw_integrands(axes: Axes, name: str, curves: tuple[np.ndarray, ...], areas: tuple[float, ...]) -> None:
    """Draw what the divergences are integrals of, and the divergences above, beside their look."""
    above = axes.get_xaxis_transform()
    axes.text(-REACH, ABOVE, f"{name}, nats:", transform=above, **WORDS)
    for place, curve, area, look, shade in zip(
        PLACES, curves, areas, (REVERSE, FORWARD), (REVERSE_AREA, FORWARD_AREA), strict=True
    ):
        style.area(axes, Z, np.zeros(Z.size), curve, **shade)
        axes.plot(Z, curve, **look)
        axes.plot([place, place + 0.6], [ABOVE] * 2, transform=above, clip_on=False, **look)
        axes.text(place + 0.75, ABOVE, _number(area), transform=above, **WORDS)


@panel(
    layout=(3, 1),
    heights=(1.25, 1.0, 1.0),
    size=(720, 400),
    setup=_setup,
    square=Slider(-1, 4, 0.1, label="measured z²"),
    start=Slider(-3, 3, 0.1, label="start of VI: mean"),
    play="square",
    scenes={
        "One hump": {"square": 0.0},
        "Right hump": {"square": 3.0, "start": 1.0},
        "Left hump": {"square": 3.0, "start": -1.0},
        "Stuck between": {"square": 3.0, "start": 0.0},
        "Far apart": {"square": 4.0, "start": 1.0},
    },
    predict=Prediction(
        "z² is measured as 3: p has two humps. Which best normal q covers both?",
        ["The one of least KL(q‖p)", "The one of least KL(p‖q)", "Both", "Neither"],
        at={"square": 3.0, "start": 1.0},
    ),
)
def two_projections(axes: tuple[Axes, Axes, Axes], square: float = 2.5, start: float = 1.0) -> str:
    """Least KL(q‖p) keeps off where p is nearly zero; least KL(p‖q) leaves out nowhere that p is."""
    bells, there, back = axes
    vi, moments = reverse(square, start), forward(square)
    bells.plot(Z, np.exp(log_posterior(square))[SHOWN], **style.TARGET)
    bells.plot(Z, vi.density, **REVERSE)
    bells.plot(Z, moments.density, **FORWARD)
    bells.plot([start], [0.12], **START)
    _draw_integrands(
        there, "KL(q‖p)", (vi.reverse_integrand, moments.reverse_integrand), (vi.reverse, moments.reverse)
    )
    _draw_integrands(
        back, "KL(p‖q)", (vi.forward_integrand, moments.forward_integrand), (vi.forward, moments.forward)
    )
    return _sentence(square, start, vi, moments)


def _sentence(square: float, start: float, vi: Pair, moments: Pair) -> str:
    best = least(square)
    local = f" (least: {_number(best)})" if vi.reverse > best + 1e-6 else ""
    return (
        f"z² ≈ {square:.1f}: from N({start:.1f}, {START_STD}) VI ends at {_named(vi.q)}, "
        f"KL(q‖p) = {_number(vi.reverse)}{local}, KL(p‖q) = {_number(vi.forward)}; matching moments "
        f"gives {_named(moments.q)}, KL(q‖p) = {_number(moments.reverse)}, "
        f"KL(p‖q) = {_number(moments.forward)} nats."
    ).replace("-", "−")


def _named(q: Normal) -> str:
    return f"N({q.mean:.2f}, {q.std:.2f})"


def _number(nats: float) -> str:
    return f"{nats:.3f}" if nats < 10.0 else f"{nats:.1f}"
