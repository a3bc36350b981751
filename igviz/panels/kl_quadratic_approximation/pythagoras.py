"""The theorem of Pythagoras for KL divergences: which projections have it, and that VI's own has not."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patches import Polygon, Rectangle

from igviz.geometry.families.categorical import Categorical
from igviz.geometry.geodesics import geodesic
from igviz.geometry.projections import e_projection, m_projection, pythagorean_residual
from igviz.geometry.submanifolds import FlatSubmanifold
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# two tosses of a coin: two heads, one of each, two tails
INDEPENDENT = FlatSubmanifold(Categorical([0.25, 0.5, 0.25]), np.array([2.0, 1.0]), "natural")
HEADS = 0.75
FIXED_HEADS = FlatSubmanifold(
    Categorical([HEADS - 0.125, 0.25, 1.0 - HEADS - 0.125]), np.array([-0.5, 1.0]), "expectation"
)
TIMES = np.linspace(0.0, 1.0, 41)
NONE = 1e-10  # a residual below this is rounding
MOST = 2.7  # nats, of the picture of the bars
BARS = (2.05, 0.75)
THICK = 0.5


class Case(NamedTuple):
    """A projection and what it is onto."""

    mixture: bool  # whether KL(p‖q) is least, and not KL(q‖p)
    flat: FlatSubmanifold[Categorical]
    name: str


CASES = {
    "m-projection onto e-flat": Case(True, INDEPENDENT, "the m-projection onto an e-flat family"),
    "e-projection onto m-flat": Case(False, FIXED_HEADS, "the e-projection onto an m-flat family"),
    "e-projection onto e-flat (VI)": Case(False, INDEPENDENT, "VI's e-projection onto an e-flat family"),
    "m-projection onto m-flat": Case(True, FIXED_HEADS, "the m-projection onto an m-flat family"),
}
PROJECTIONS = tuple(CASES)

FLAT: dict[str, Any] = {"color": "#C4C4C4", "linestyle": "-", "linewidth": 7.0, "solid_capstyle": "round"}
R_POINT: dict[str, Any] = {**style.APPROXIMATION_POINT, "color": style.PURPLE, "marker": "D"}
KEY = (("r, in the family", R_POINT), ("p", style.TARGET_POINT), ("q, projected", style.APPROXIMATION_POINT))
SECOND: dict[str, Any] = {**style.APPROXIMATION_POINT, "fillstyle": "none", "markeredgewidth": 1.8}
WORDS: dict[str, Any] = {"color": style.INK, "family": style.FONT}
NAME: dict[str, Any] = {"fontsize": style.LABEL_SIZE, **WORDS}
WHOLE: dict[str, Any] = {"facecolor": style.BLACK, "edgecolor": style.BLACK}
M_PART: dict[str, Any] = {"facecolor": "#DCEBF5", "edgecolor": style.BLUE, "linewidth": 1.8, "hatch": "//"}
E_PART: dict[str, Any] = {
    "facecolor": "#FBE6DA",
    "edgecolor": style.VERMILLION,
    "linewidth": 1.8,
    "hatch": "\\\\",
}
GAP: dict[str, Any] = {
    "facecolor": "none",
    "edgecolor": style.PURPLE,
    "linewidth": 2.0,
    "linestyle": (0, (2, 1.2)),
}


def tosses(heads: float, mixed: float) -> Categorical:
    """Return the distribution with a share of heads in which one of each has the probability `mixed`."""
    return Categorical([heads - 0.5 * mixed, mixed, 1.0 - heads - 0.5 * mixed])


def place(p: Categorical) -> np.ndarray:
    """Return share of heads and probability of one of each, shape (..., 2): m-geodesics are straight."""
    probabilities = p.probabilities
    return np.stack([probabilities[..., 0] + 0.5 * probabilities[..., 1], probabilities[..., 1]], axis=-1)


@lru_cache(maxsize=4096)
def along(flat: FlatSubmanifold[Categorical], r: float) -> Categorical:
    """Return the point r, from 0 to 1, of a submanifold: a share of heads, or of the most of one of each."""
    return tosses(r, 2.0 * r * (1.0 - r)) if flat is INDEPENDENT else tosses(HEADS, 2.0 * (1.0 - HEADS) * r)


@lru_cache(maxsize=4096)
def projections(heads: float, mixed: float, projection: str) -> tuple[Categorical, ...]:
    """Return all local minima of the divergence on the submanifold, the least first.

    Only VI's projection, whose divergence is not convex in the coordinates that are straight, can have two.
    """
    case, p = CASES[projection], tosses(heads, mixed)
    if case.mixture:
        return (m_projection(p, case.flat),)
    if case.flat is FIXED_HEADS:
        return (e_projection(p, case.flat),)
    weights = np.linspace(-4.0, 4.0, 161)  # log odds of heads
    values = case.flat(weights[:, None]).kl(p)
    low = 1 + np.flatnonzero((values[1:-1] <= values[:-2]) & (values[1:-1] < values[2:]))
    found = [e_projection(p, case.flat, [weight]) for weight in weights[low]]
    # of two that are equally good the one with fewer heads, whatever the rounding
    return tuple(sorted(found, key=lambda q: round(float(q.kl(p)), 12)))


class Triangle(NamedTuple):
    """Three distributions a, q, c: an m-geodesic from a to q and an e-geodesic from q to c."""

    whole: float  # KL(a‖c)
    mixture: float  # KL(a‖q)
    exponential: float  # KL(q‖c)
    residual: float
    angle: float  # at q, in degrees, in the Fisher metric; nan if a side has no length


def triangle(a: Categorical, q: Categorical, c: Categorical) -> Triangle:
    """Return the divergences along the sides, and the residual (μ̄_a − μ̄_q)·(η_q − η_c)."""
    residual = float(pythagorean_residual(a, q, c))
    to_a, to_c = a.expectation - q.expectation, c.natural - q.natural
    sides = np.sqrt((to_a @ q.fisher("expectation") @ to_a) * (to_c @ q.fisher("natural") @ to_c))
    angle = np.degrees(np.arccos(np.clip(-residual / sides, -1.0, 1.0))) if sides > NONE else np.nan
    return Triangle(float(a.kl(c)), float(a.kl(q)), float(q.kl(c)), residual, float(angle))


def _setup(axes: tuple[Axes, Axes]) -> None:
    plane, bars = axes
    plane.set(xlim=(-0.04, 1.04), ylim=(-0.02, 1.02), xlabel="share of heads", ylabel="P(one of each)")
    for axis in (plane.xaxis, plane.yaxis):
        axis.set_ticks([0, 0.25, 0.5, 0.75, 1], ["0", "¼", "½", "¾", "1"])
    outside = [[-0.04, -0.02], [0.0, 0.0], [0.5, 1.0], [1.0, 0.0], [1.04, -0.02], [1.04, 1.02], [-0.04, 1.02]]
    plane.add_patch(Polygon(outside, facecolor="#EEEEEE", edgecolor="none", zorder=0.6))
    plane.plot(
        [0.0, 0.5, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], color=style.GREY, linestyle="-", linewidth=1.2, zorder=0.9
    )
    for points, words, x, y in (
        (_SHOWN[INDEPENDENT], "e-flat:\nindependent\ntosses", 0.125, 0.64),
        (_SHOWN[FIXED_HEADS], "m-flat:\n¾ heads", 0.88, 0.64),
    ):
        plane.plot(*points.T, color=FLAT["color"], linestyle="-", linewidth=1.2, zorder=0.8)
        plane.text(x, y, words, ha="center", va="center", fontsize=9.0, zorder=0.9, **WORDS)
    for x, y, (name, point) in zip((0.67, 0.02, 0.02), (0.95, 0.95, 0.87), KEY, strict=True):
        plane.plot([x], [y], zorder=0.9, **point)
        plane.text(x + 0.04, y, name, va="center", fontsize=style.TICK_SIZE, zorder=0.9, **WORDS)
    plane.plot([], [], label="family", **FLAT)
    plane.plot([], [], label="m-geodesic", **style.EXPECTATION_GEODESIC)
    plane.plot([], [], label="e-geodesic", **style.NATURAL_GEODESIC)
    style.legend_above(plane, 3, handlelength=2.4, columnspacing=0.8, handletextpad=0.4)
    bars.set(xlim=(0.0, MOST), ylim=(0.0, 3.0), xlabel="nats")
    bars.set_xticks([0, 0.5, 1, 1.5, 2, 2.5])
    bars.set_yticks([])
    bars.grid(visible=False, axis="y")
    bars.add_patch(Rectangle((0, 0), 0, 0, label="m-side", **M_PART))
    bars.add_patch(Rectangle((0, 0), 0, 0, label="e-side", **E_PART))
    bars.add_patch(Rectangle((0, 0), 0, 0, label="residual", **GAP))
    style.legend_above(bars, 3, handlelength=1.8, columnspacing=1.0)


def _draw_plane(
    axes: Axes, case: Case, p: Categorical, found: tuple[Categorical, ...], r: Categorical
) -> None:
    q = found[0]
    first, last = (p, r) if case.mixture else (r, p)
    axes.plot(*_SHOWN[case.flat].T, **FLAT)
    axes.plot(*place(geodesic(q, last, "natural")(TIMES)).T, **style.NATURAL_GEODESIC)
    axes.plot(*np.stack([place(first), place(q)], axis=-1), **style.EXPECTATION_GEODESIC)
    for other in found[1:]:
        axes.plot(*place(other)[:, None], **SECOND)
    for one, (_name, point) in zip((r, p, q), KEY, strict=True):
        axes.plot(*place(one)[:, None], **point)


def _draw_bars(axes: Axes, case: Case, now: Triangle) -> None:
    names = ("KL(p‖r)", "KL(p‖q) + KL(q‖r)") if case.mixture else ("KL(r‖p)", "KL(r‖q) + KL(q‖p)")
    total = now.mixture + now.exponential
    parts = [
        (0.0, now.whole, BARS[0], WHOLE),
        (0.0, now.mixture, BARS[1], M_PART),
        (now.mixture, now.exponential, BARS[1], E_PART),
    ]
    if abs(now.residual) > NONE:
        shorter = BARS[0] if now.residual < 0.0 else BARS[1]
        parts.append((min(now.whole, total), abs(now.residual), shorter, GAP))
    for left, width, bottom, look in parts:
        axes.add_artist(Rectangle((left, bottom), width, THICK, **look))
    for bottom, name in zip(BARS, names, strict=True):
        axes.text(0.03, bottom + THICK + 0.08, name, va="bottom", **NAME)
    axes.text(0.03, BARS[1] - 0.1, f"residual {_signed(now.residual)}", va="top", **NAME)


def _signed(residual: float) -> str:
    if abs(residual) < NONE:
        return "0"
    digits = 3 if abs(residual) >= 0.0005 else 6
    return f"{residual:+.{digits}f}".replace("-", "−")


_SHOWN = {
    INDEPENDENT: place(INDEPENDENT(np.linspace(-8.0, 8.0, 121)[:, None])),
    FIXED_HEADS: np.array([[HEADS, 0.0], [HEADS, 2.0 * (1.0 - HEADS)]]),
}


@panel(
    layout=(1, 2),
    widths=(1.15, 1.0),
    setup=_setup,
    heads=Slider(0.3, 0.7, 0.01, label="p: share of heads"),
    mixed=Slider(0.08, 0.56, 0.01, label="p: one of each"),
    r=Slider(0.3, 0.7, 0.02, label="r, along the family"),
    projection=Slider(choices=PROJECTIONS),
    drag=("heads", "mixed", 0),
    play="r",
    scenes={
        "Mutual information": {},
        "e onto m-flat: holds": {"projection": PROJECTIONS[1]},
        "VI's own: fails": {"projection": PROJECTIONS[2]},
        "VI: two minima": {"projection": PROJECTIONS[2], "heads": 0.48, "mixed": 0.08},
        "m onto m-flat: fails": {"projection": PROJECTIONS[3]},
    },
    predict=Prediction(
        "VI takes the independent q of least KL(q‖p). Is KL(r‖p) = KL(r‖q) + KL(q‖p), r another one?",
        ["Yes, a projection has right angles", "No, KL(r‖p) is larger", "No, KL(r‖p) is smaller"],
        at={"projection": PROJECTIONS[2], "r": 0.6},
    ),
)
def pythagoras(
    axes: tuple[Axes, Axes],
    heads: float = 0.4,
    mixed: float = 0.16,
    r: float = 0.7,
    projection: str = PROJECTIONS[0],
) -> str:
    """Project a distribution of two tosses onto a flat family: KL adds up along the sides, or does not."""
    plane, bars = axes
    case, p = CASES[projection], tosses(heads, mixed)
    found, end = projections(heads, mixed, projection), along(CASES[projection].flat, r)
    now = triangle(p, found[0], end) if case.mixture else triangle(end, found[0], p)
    _draw_plane(plane, case, p, found, end)
    _draw_bars(bars, case, now)
    return _sentence(case, now, len(found))


def _sentence(case: Case, now: Triangle, minima: int) -> str:
    whole, sides = ("p‖r", "p‖q) + KL(q‖r") if case.mixture else ("r‖p", "r‖q) + KL(q‖p")
    total = now.mixture + now.exponential
    sum_ = f"{now.mixture:.3f} + {now.exponential:.3f} = {total:.3f}"
    angle = "" if np.isnan(now.angle) else f", {now.angle:.1f}° at q"
    return (
        f"KL({whole}) = {now.whole:.3f}, KL({sides}) = {sum_}: residual {_signed(now.residual)}{angle}. "
        f"q is {case.name}: {_verdict(case, minima)}."
    )


def _verdict(case: Case, minima: int) -> str:
    if minima > 1:
        return "no Pythagoras, and KL(q‖p) has two minima"
    if case.mixture == (case.flat is INDEPENDENT):
        return "Pythagoras holds" + (", KL(p‖q) is mutual information" if case.mixture else "")
    return "no Pythagoras"
