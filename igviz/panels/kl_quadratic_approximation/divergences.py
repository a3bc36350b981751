"""One slider through a family of divergences, and through the geodesics that belong to them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patches import Rectangle

from igviz.geometry.distances import fisher_rao_distance
from igviz.geometry.divergences import alpha_divergence
from igviz.geometry.families.normal import Normal
from igviz.geometry.normal_alpha_curves import normal_alpha_curve, normal_alpha_limit
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

P = Normal(0.0, 1.0)
STEPS = (1, 0.7, 0.5, 0.3, 0.2, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01)
ALPHAS = np.linspace(-3.0, 3.0, 121)
SHARES = np.linspace(0.0, 1.0, 61)
LEAST, MOST = 0.4, 60.0  # of the picture of the divergences, in units of ½d²
BEYOND = 1e6 * MOST
OFF = 47.0  # where an arrow stands for what is above the picture
WIDTH, HEIGHT = (-0.4, 3.4), (0.0, 3.6)
NAMES = {
    -3.0: "½χ²(p‖q)",
    -1.0: "KL(p‖q)",
    0.0: "4H²",
    1.0: "KL(q‖p)",
    3.0: "½χ²(q‖p)",
}

CURRENT: dict[str, Any] = {**style.TARGET, "linewidth": 4.6, "solid_capstyle": "round"}
KNOWN: dict[float, tuple[str, dict[str, Any], str]] = {
    1.0: ("e", {**style.NATURAL_GEODESIC, "linewidth": 1.8}, "^"),
    0.0: ("Fisher–Rao", {**style.GEODESIC, "linewidth": 1.8}, "o"),
    -1.0: ("m", {**style.EXPECTATION_GEODESIC, "linewidth": 1.8}, "v"),
}
INFINITE: dict[str, Any] = {"facecolor": "#EEEEEE", "edgecolor": style.GREY, "linewidth": 0.0, "hatch": "//"}
COMMON: dict[str, Any] = {**style.GUIDE, "linewidth": 2.0}
MIDDLE: dict[str, Any] = {**style.TARGET_POINT, "marker": "D", "markersize": 7.0}
ENDS: dict[str, Any] = {**style.TARGET_POINT, "marker": "D", "markersize": 6.0}
RING: dict[str, Any] = {
    **style.TARGET_POINT,
    "markersize": 11.0,
    "fillstyle": "none",
    "markeredgewidth": 2.4,
}
WORDS: dict[str, Any] = {"color": style.INK, "family": style.FONT}
NAME: dict[str, Any] = {"fontsize": style.LABEL_SIZE, "ha": "left", "va": "top", **WORDS}


class Family(NamedTuple):
    """All α-divergences between P and one q."""

    half: float  # ½·d², with the Fisher–Rao distance d
    values: np.ndarray  # at ALPHAS, in nats


def other(q_mean: float, q_std: float, step: float) -> Normal:
    """Return q: a part, `step`, of the way from P that the sliders name, straight in (mean, std)."""
    return Normal(step * q_mean, 1.0 + step * (q_std - 1.0))


@lru_cache(maxsize=4096)
def family(q_mean: float, q_std: float, step: float) -> Family:
    """Return the α-divergences between P and q."""
    q = other(q_mean, q_std, step)
    return Family(0.5 * float(fisher_rao_distance(P, q)) ** 2, alpha_divergence(P, q, ALPHAS))


def infinite_from(p: Normal, q: Normal) -> float:
    """Return the α from which on, away from 0, D^(α)(p, q) is infinite; ±inf if all are finite.

    p^((1 − α)/2)·q^((1 + α)/2) falls in the tails only if (1 − α)/std_p² + (1 + α)/std_q² is positive.
    """
    rise = float(q.std**2 - p.std**2)
    return float(p.std**2 + q.std**2) / rise if rise else np.inf


@lru_cache(maxsize=256)
def path(q_mean: float, q_std: float, step: float, alpha: float) -> np.ndarray | None:
    """Return the α-geodesic in the coordinates of the picture, shape (n, 2); None if there is none."""
    q = other(q_mean, q_std, step)
    if alpha >= normal_alpha_limit(P, q):
        return None
    return _magnified(normal_alpha_curve(P, q, alpha, SHARES), step)


def _magnified(points: Normal, step: float) -> np.ndarray:
    """Return (mean, std) as the picture shows them: steps from P are divided by `step`."""
    return P.source + (points.source - P.source) / step


def _setup(axes: tuple[Axes, Axes]) -> None:
    plane, curves = axes
    plane.set(xlim=WIDTH, ylim=HEIGHT, xlabel="mean", ylabel="std")
    plane.set_aspect("equal", adjustable="box")
    # the words of most ticks change with the step: room for them
    plane.set_xticks([0, 1, 2, 3], ["0", "", "", ""])
    plane.set_yticks([0, 1, 2, 3], ["0.99", "1", "", ""])
    plane.get_yticklabels()[0].set_color("none")
    plane.plot([], [], label="this α", **style.TARGET)
    for words, line, _marker in KNOWN.values():
        plane.plot([], [], label=words, **line)
    style.legend_above(plane, 4, handlelength=2.0, columnspacing=1.0, handletextpad=0.5)
    plane.plot([0.0], [1.0], zorder=3.0, **style.TARGET_POINT)
    plane.text(0.04, 0.88, "p", zorder=0.9, **NAME)
    curves.set(xlim=(-3.15, 3.15), ylim=(LEAST, MOST), yscale="log", ylabel="D^(α)(p, q) ÷ ½d²")
    curves.set_yticks([0.5, 1, 2, 5, 10, 20, 50], ["0.5", "1", "2", "5", "10", "20", "50"])
    curves.minorticks_off()
    ticks = (-3, -2, -1, 0, 1, 2, 3)
    curves.set_xticks(ticks, [f"{tick}\n{NAMES.get(tick, '')}".replace("-", "−") for tick in ticks])
    curves.set_xlabel("α", labelpad=-1.0)
    curves.axhline(1.0, **COMMON)
    curves.plot([], [], label="½d², d the Fisher–Rao distance", **COMMON)
    style.legend_above(curves, 1)


def _ticks(axes: Axes, step: float) -> None:
    """Write which means and standard deviations the ticks are: the picture is magnified with the step."""
    digits = 0 if step == 1 else 1 if step >= 0.1 else 2
    for tick in (0, 1, 2, 3):
        if tick > 0:
            _write(axes, tick, -0.095, f"{step * tick:.{digits}f}", ha="center", va="top")
        if tick != 1:
            std = f"{1.0 + step * (tick - 1):.{digits}f}"
            _write(axes, WIDTH[0] - 0.1, tick, std, ha="right", va="center")


def _write(axes: Axes, x: float, y: float, words: str, **options: Any) -> None:
    """Write beside an axes; clipped to the figure, so that the engine need not ask how far it reaches."""
    made = axes.text(x, y, words, fontsize=style.TICK_SIZE, **WORDS, **options)
    made.set_clip_box(axes.figure.bbox)


def _draw_plane(axes: Axes, q_mean: float, q_std: float, step: float, alpha: float) -> None:
    for at, line in ((alpha, CURRENT), *((at, known[1]) for at, known in KNOWN.items())):
        points = path(q_mean, q_std, step, at)
        if points is not None:
            axes.plot(*points.T, **line)
    current = path(q_mean, q_std, step, alpha)
    if current is not None:
        axes.plot(*current[len(SHARES) // 2, :, None], **MIDDLE)
    axes.plot([q_mean], [q_std], **style.APPROXIMATION_POINT)
    axes.text(q_mean + 0.06, q_std - 0.12, "q", **NAME)
    _ticks(axes, step)


def _draw_curve(axes: Axes, now: Family, edge: float, alpha: float) -> None:
    ratio = now.values / now.half
    finite = np.isfinite(ratio)
    shown = np.minimum(ratio, BEYOND)
    x, y = ALPHAS[finite], shown[finite]
    if abs(edge) < 3.0:
        # the curve goes to the top where the infinite ones begin
        order = len(x) if edge > 0.0 else 0
        x, y = np.insert(x, order, edge), np.insert(y, order, BEYOND)
        left, right = (edge, 3.15) if edge > 0.0 else (-3.15, edge)
        axes.add_artist(Rectangle((left, LEAST), right - left, MOST - LEAST, zorder=0.7, **INFINITE))
        axes.text(0.5 * (left + right), 25.0, "∞", fontsize=20, ha="center", va="center", **WORDS)
    axes.plot(x, y, **style.TARGET)
    axes.plot(ALPHAS[[0, -1]], shown[[0, -1]], **ENDS)
    for at, (_words, line, marker) in KNOWN.items():
        axes.plot([at], [ratio[_position(at)]], color=line["color"], marker=marker, markersize=8)
    here = ratio[_position(alpha)]
    off = here > MOST
    axes.plot([alpha], [OFF if off else here], **{**RING, "marker": "^" if off else "o"})


def _position(alpha: float) -> int:
    return round((alpha + 3.0) * 20.0)


@panel(
    layout=(1, 2),
    setup=_setup,
    alpha=Slider(-3, 3, 0.1, label="α"),
    q_mean=Slider(0.4, 3, 0.1, label="q's mean, at step 1"),
    q_std=Slider(0.4, 3, 0.1, label="q's std, at step 1"),
    step=Slider(choices=STEPS, label="step from p to q"),
    drag=("q_mean", "q_std", 0),
    play="alpha",
    scenes={
        "KL(p‖q)": {"alpha": -1},
        "Both alike": {"alpha": 0},
        "KL(q‖p)": {"alpha": 1},
        "Infinite": {"alpha": 2.5, "q_std": 2},
        "Up close": {"alpha": 2.5, "q_std": 2, "step": 0.01},
    },
    predict=Prediction(
        "q = N(2, 2) is twice as wide as p. Is χ² infinite, and which?",
        ["χ²(p‖q) = E_q[(p/q − 1)²]", "χ²(q‖p) = E_p[(q/p − 1)²]", "Both", "Neither"],
        at={"alpha": 3, "q_std": 2},
    ),
)
def divergences(
    axes: tuple[Axes, Axes], alpha: float = -0.5, q_mean: float = 2.0, q_std: float = 1.5, step: float = 1
) -> str:
    """Slide α through divergences and geodesics between p = N(0, 1) and q: up close all are one."""
    plane, curves = axes
    q, now = other(q_mean, q_std, step), family(q_mean, q_std, step)
    edge = infinite_from(P, q)
    _draw_plane(plane, q_mean, q_std, step, alpha)
    _draw_curve(curves, now, edge, alpha)
    return _sentence(q, now, edge, alpha)


def _sentence(q: Normal, now: Family, edge: float, alpha: float) -> str:
    return f"q = N({q.mean:.4g}, {q.std:.4g}): {_of_divergence(now, edge, alpha)}. {_of_path(q, alpha)}."


def _of_divergence(now: Family, edge: float, alpha: float) -> str:
    value = now.values[_position(alpha)]
    name = f"D^({_signed(alpha)})" + (f" = {NAMES[alpha]}" if alpha in NAMES else "")
    name = name.replace("4H²", "4·Hellinger²")
    if np.isinf(value):
        where, shape = ("≥", "wide") if edge > 0.0 else ("≤", "narrow")
        return f"{name} is infinite, as for all α {where} {_signed(round(edge, 2))}: q is too {shape}"
    low = f"{now.values.min() / now.half:.3g}"
    high = f"{now.values.max() / now.half:.3g}" if np.isfinite(now.values.max()) else "∞"
    return f"{name} = {value:.3g} nats, {value / now.half:.3g}·½d² (all α: {low} to {high})"


def _of_path(q: Normal, alpha: float) -> str:
    limit = normal_alpha_limit(P, q)
    if alpha >= limit:
        return f"No α-geodesic joins p and q for α ≥ {limit:.2f}: its std would reach 0"
    bulge = 0.5 * (1.0 - alpha) * (0.5 * float(q.mean)) ** 2
    size = np.format_float_positional(abs(bulge), precision=2, fractional=False, trim="-")
    return (
        f"At mean {0.5 * q.mean:.4g} the α-geodesic has variance {0.5 * (P.std**2 + q.std**2):.4g} "
        f"{'−' if bulge < 0.0 else '+'} {size}, ½(1−α) of the mixture's bulge"
    )


def _signed(number: float) -> str:
    return f"{number:g}".replace("-", "−")
