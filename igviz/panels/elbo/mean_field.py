"""Mean field: an independent q for a correlated p, least in KL(q‖p) or in KL(p‖q), and in which axes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patches import Polygon

from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.inference.mean_field import mean_field as mean_field_of
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REACH = 2.1  # half the width of the left picture
STDS = np.linspace(0.05, 1.6, 94)  # of q in units of p's, where the divergences are drawn
LEAST, MOST = -0.12, 3.2  # nats, of the right picture: a mark at 0 is whole
TOP = MOST - 0.12  # where points beyond it are drawn
ANGLES = np.linspace(0.0, 2.0 * np.pi, 91)
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)
BOX = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [1.0, 1.0]])
CROSS = 3.0 * np.array([[-1.0, 0.0], [1.0, 0.0], [np.nan, np.nan], [0.0, -1.0], [0.0, 1.0]])
TIPS = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
BEHIND = 0.9  # what lies behind everything that moves is drawn once and not in each frame

REVERSE: dict[str, Any] = {"color": style.GREEN, "linestyle": "-", "linewidth": 2.0}
FORWARD: dict[str, Any] = {"color": style.VERMILLION, "linestyle": (0, (6, 1.4, 1.2, 1.4)), "linewidth": 2.0}
REVERSE_POINT: dict[str, Any] = {"color": style.GREEN, "marker": "o", "markersize": 7, "linestyle": "none"}
FORWARD_POINT: dict[str, Any] = {
    "color": style.VERMILLION,
    "marker": "D",
    "markersize": 7,
    "linestyle": "none",
}
OWN: dict[str, Any] = {**style.APPROXIMATION, "linewidth": 2.0}
OWN_POINT: dict[str, Any] = {  # hollow: the least divergence is seen inside
    **style.APPROXIMATION_POINT,
    "markersize": 11,
    "markerfacecolor": "none",
    "markeredgewidth": 1.8,
}
TARGET: dict[str, Any] = {**style.TARGET, "linewidth": 2.0}
SHADES = ((2.0, "#F2F2F2"), (1.0, "#E2E2E2"))
NOTE: dict[str, Any] = {
    "fontsize": style.TICK_SIZE,
    "color": style.INK,
    "family": style.FONT,
    "va": "center",
    "bbox": {"facecolor": style.PAPER, "edgecolor": "none", "pad": 1.0},
}


class Fits(NamedTuple):
    """What does not depend on the q of the reader, in coordinates along the axes of q."""

    p: MultivariateNormal
    reverse: np.ndarray  # the two variances of least KL(q‖p)
    forward: np.ndarray  # and of least KL(p‖q)
    missed: float  # nats, by each of the two
    curves: np.ndarray  # KL(q‖p) and KL(p‖q) at STDS, shape (2, 94)


def turned(degrees: float) -> np.ndarray:
    """Return the axes along which q is independent, as columns."""
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def independent(variances: np.ndarray) -> MultivariateNormal:
    """Return the normals with mean 0 and these variances, shape (..., 2), and no correlation."""
    return MultivariateNormal(np.zeros(2), variances[..., None] * np.eye(2))


@lru_cache(maxsize=1024)
def fits(rho: float, turn: float) -> Fits:
    """Return p = N(0, [[1, ρ], [ρ, 1]]) along turned axes, and its two best independent q.

    KL(p‖q) is least where the variances are p's own: moments match. With two entries the best of both
    divergences have their stds in one ratio, so that one number, q's stds in units of p's, reaches both.
    """
    axes = turned(turn)
    p = MultivariateNormal(np.zeros(2), axes.T @ np.array([[1.0, rho], [rho, 1.0]]) @ axes)
    best, variances = mean_field_of(p), np.diagonal(p.cov)
    q = independent(STDS[:, None] ** 2 * variances)
    curves = np.stack([q.kl(p), p.kl(q)])
    return Fits(p, np.diagonal(best.cov), variances, float(best.kl(p)), curves)


def _setup(axes: tuple[Axes, Axes]) -> None:
    plane, divergences = axes
    plane.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xlabel="z₁", ylabel="z₂")
    plane.set_aspect("equal", adjustable="box")
    for axis in (plane.xaxis, plane.yaxis):
        axis.set_ticks([-2, -1, 0, 1, 2], ["−2", "−1", "0", "1", "2"])
    plane.plot([], [], label="p, 1 std", **TARGET)
    plane.plot([], [], label="q at the slider", **OWN)
    plane.plot([], [], label="least KL(q‖p)", marker="o", markersize=7, **REVERSE)
    plane.plot([], [], label="least KL(p‖q)", marker="D", markersize=7, **FORWARD)
    divergences.set(xlim=(0.0, STDS[-1]), ylim=(LEAST, MOST), xlabel="q's std ÷ p's std", ylabel="nats")
    divergences.set_xticks([0.0, 0.5, 1.0, 1.5], ["0", "0.5", "1", "1.5"])
    divergences.set_yticks([0, 1, 2, 3])
    divergences.plot(STDS, -np.log(STDS), zorder=BEHIND, **style.GUIDE)
    divergences.axvline(1.0, zorder=BEHIND, **style.GUIDE)
    divergences.plot([], [], label="KL(q‖p)", **REVERSE)
    divergences.plot([], [], label="KL(p‖q)", **FORWARD)
    divergences.plot([], [], label="minima for every ρ", **style.GUIDE)
    for one in axes:
        style.legend_above(one, 2, handlelength=2.4, columnspacing=1.0)
        one.set_title(" \n ", fontsize=style.LABEL_SIZE, family=style.FONT, pad=12.0)


@panel(
    layout=(1, 2),
    widths=(1.0, 1.2),
    setup=_setup,
    rho=Slider(-0.99, 0.99, 0.01, label="correlation ρ"),
    std=Slider(0.1, 1.5, 0.01, label="q's std ÷ p's std"),
    turn=Slider(0, 90, 5, label="axes of q turned by, °"),
    play="rho",
    scenes={
        "Least KL(q‖p)": {"std": 0.6},
        "Least KL(p‖q)": {"std": 1.0},
        "Strong correlation": {"rho": 0.95, "std": 0.31},
        "Other axes": {"rho": 0.95, "turn": 20},
        "The right axes": {"rho": 0.95, "std": 1.0, "turn": 45},
    },
    predict=Prediction(
        "Both variances of p are 1 and ρ = 0.9. Which variance has the independent q of least KL(q‖p)?",
        ["1.00", "0.44", "0.19", "0.05"],
        at={"rho": 0.9, "std": 0.44},
    ),
)
def mean_field(axes: tuple[Axes, Axes], rho: float = 0.8, std: float = 0.8, turn: int = 0) -> str:
    """Without correlation q can be as wide as p's cut through the middle, or as p's shadow on the axes."""
    plane, divergences = axes
    now, across = fits(rho, turn), turned(turn).T  # from coordinates along the axes of q onto the page
    own = std**2 * now.forward
    root = now.p.cholesky_factor.T
    for size, shade in SHADES:
        plane.add_artist(Polygon(size * CIRCLE @ root @ across, facecolor=shade, zorder=0.6))
    plane.plot(*(CROSS @ across).T, **style.GUIDE)
    plane.plot(*(BOX * np.sqrt(now.forward) @ across).T, **style.GUIDE)
    plane.plot(*(CIRCLE @ root @ across).T, **TARGET)
    looks = ((now.forward, FORWARD, FORWARD_POINT), (now.reverse, REVERSE, REVERSE_POINT))
    for variances, look, point in looks:
        plane.plot(*(CIRCLE * np.sqrt(variances) @ across).T, **look)
        plane.plot(*(TIPS * np.sqrt(variances) @ across).T, **point)
    plane.plot(*(CIRCLE * np.sqrt(own) @ across).T, **OWN)
    best = (np.sqrt(now.reverse[0] / now.forward[0]), 1.0)
    q = independent(own)
    values = (float(q.kl(now.p)), float(now.p.kl(q)))
    for curve, look, point, least in zip(
        now.curves, (REVERSE, FORWARD), (REVERSE_POINT, FORWARD_POINT), best, strict=True
    ):
        divergences.plot(STDS, curve, **look)
        divergences.plot([least], [now.missed], **point)
    divergences.plot([std, std], np.minimum(values, TOP), **OWN_POINT)
    above = [f"{value:.1f}" for value in values if value > MOST]
    if above:
        x, side = (std + 0.06, "left") if std < 1.0 else (std - 0.06, "right")
        divergences.text(x, TOP, f"↑ {' and '.join(above)}", ha=side, **NOTE)
    return _sentence(rho, std, turn, values)


def _sentence(rho: float, std: float, turn: int, values: tuple[float, float]) -> str:
    now = fits(rho, turn)
    missed = f"{now.missed:.3f} nats"
    if turn == 0:
        start = (
            f"ρ = {rho:.2f}: KL(q‖p) is least at variance {now.reverse[0]:.3f}, KL(p‖q) at 1.000; "
            f"each misses {missed}. At variance {std**2:.3f}"
        )
    else:
        reverse, forward = (f"{one[0]:.3f} and {one[1]:.3f}" for one in (now.reverse, now.forward))
        least = (
            f"KL(q‖p) and KL(p‖q) are least at variances {reverse} and miss"
            if reverse == forward
            else f"KL(q‖p) is least at variances {reverse}, KL(p‖q) at {forward}; each misses"
        )
        start = f"ρ = {rho:.2f}, axes turned by {turn}°: {least} {missed}. At {std:.2f} of p's stds"
    return f"{start}: KL(q‖p) = {values[0]:.3f}, KL(p‖q) = {values[1]:.3f}.".replace("= -", "= −")
