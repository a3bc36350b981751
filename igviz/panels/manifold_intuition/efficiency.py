"""Asymptotic efficiency: how the fits of a normal scatter, and what the Fisher matrix says about it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import StepPatch
from scipy.special import gammaln

from igviz.geometry.balls import tangent_ellipse
from igviz.geometry.efficiency import normal_fits, std_moments
from igviz.geometry.families.normal import Normal
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAMPLES = (2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500)
FITS = 2000
SEED = 1
LEVEL = -2.0 * np.log(0.05)  # 5.99, the 95 % point of χ² with two degrees of freedom
WIDE, HIGH = 4.6, 3.6  # half the width and height of the left picture
REACH = 3.4  # of the right one
EDGES = np.linspace(-REACH, REACH, 69)
GRID = np.linspace(-REACH, REACH, 273)
BEHIND = 0.9  # words behind everything that moves are drawn once and not in each frame

CLOUD: dict[str, Any] = {"color": style.GREY, "marker": ".", "markersize": 2.2, "linestyle": "none"}
BARS: dict[str, Any] = {"facecolor": style.LIGHT, "edgecolor": "none", "fill": True}


@lru_cache(maxsize=len(SAMPLES))
def deviations(n: int) -> np.ndarray:
    """Return √n·(fit − truth) for FITS fits from n samples of N(0, 1), shape (FITS, 2), always the same ones.

    They are drawn from the exact distribution of the fits; for N(mean, std) they are std times as large.
    """
    truth = Normal(0.0, 1.0)
    fits = normal_fits(truth, n, FITS, np.random.default_rng(SEED))
    return np.sqrt(n) * (fits.source - truth.source)


def std_density(x: np.ndarray, n: int, std: float) -> np.ndarray:
    """Return the exact density of √n·(σ̂ − std) at x, from n·σ̂²/std² ~ χ² with n − 1 degrees of freedom."""
    ratio = 1.0 + x / (np.sqrt(n) * std)
    inside = np.maximum(ratio, 1e-300)
    constant = np.log(2.0) + 0.5 * (n - 1) * np.log(0.5 * n) - gammaln(0.5 * (n - 1))
    logarithm = constant + (n - 2) * np.log(inside) - 0.5 * n * inside**2
    return np.where(ratio > 0.0, np.exp(logarithm) / (np.sqrt(n) * std), 0.0)


def _efficiency_setup(axes: tuple[Axes, Axes]) -> None:
    cloud, bell = axes
    cloud.set(xlim=(-WIDE, WIDE), ylim=(-HIGH, HIGH), xlabel="√n · (fitted mean − mean)")
    cloud.set_ylabel("√n · (fitted std − std)")
    cloud.set_aspect("equal", adjustable="box")
    cloud.plot([], [], label="2,000 fits", **{**CLOUD, "markersize": 7})
    cloud.plot([], [], label="95% if N(0, I⁻¹)", **style.APPROXIMATION)
    cloud.plot([], [], label="fitted std 0", **style.GUIDE)
    bell.set(xlim=(-REACH, REACH), ylim=(0.0, 1.25), xlabel="√n · (fitted std − std)", ylabel="density")
    bell.plot([], [], label="exact", **style.TARGET)
    bell.plot([], [], label="limit N(0, std²/2)", **style.APPROXIMATION)
    for one in axes:
        style.legend_above(one, 3, handlelength=1.6, columnspacing=0.9, handletextpad=0.4)
        one.get_legend().set_zorder(BEHIND)  # type: ignore[union-attr]


@panel(
    layout=(1, 2),
    widths=(1.25, 1.0),
    setup=_efficiency_setup,
    n=Slider(choices=SAMPLES, label="n, samples a fit"),
    std=(0.7, 1.5, 0.1),
    play="n",
    scenes={
        "Two samples": {"n": 2},
        "Ten samples": {"n": 10},
        "A hundred samples": {"n": 100},
        "A narrower bell": {"n": 100, "std": 0.7},
    },
    predict=Prediction(
        "Fit from two samples only. How does the fitted std vary, measured against the Cramér–Rao bound?",
        ["More than the bound", "As the bound says", "Less than the bound"],
        at={"n": 2},
    ),
)
def efficiency(axes: tuple[Axes, Axes], n: int = 5, std: float = 1.0) -> str:
    """Two thousand fits from n samples each: the cloud settles into the ellipse of the Fisher matrix."""
    cloud, bell = axes
    truth, fits = Normal(0.0, std), std * deviations(n)
    limit = Normal(0.0, std / np.sqrt(2.0))
    cloud.plot([-WIDE, WIDE], np.full(2, -np.sqrt(n) * std), **style.GUIDE)
    cloud.plot(*fits.T, **CLOUD)
    cloud.plot(*(tangent_ellipse(truth, np.sqrt(LEVEL)) - truth.source).T, **style.APPROXIMATION)
    heights = np.histogram(fits[:, 1], EDGES)[0] / (FITS * np.diff(EDGES))
    bell.add_artist(StepPatch(heights, EDGES, **BARS))
    bell.plot(GRID, std_density(GRID, n, std), **style.TARGET)
    bell.plot(GRID, limit.pdf(GRID), **style.APPROXIMATION)
    squares = np.einsum("ni,ij,nj->n", fits, truth.fisher("source"), fits)
    bias, variance = std_moments(n, std)
    inside, bound = np.sum(squares <= LEVEL), std**2 / 2.0
    words = f"{bias:.3f}".replace("-", "−")
    return (
        f"n = {n}: {inside:,} of {FITS:,} fits lie in the 95% ellipse. Fitted std: bias {words}, "
        f"n·variance {n * variance:.4f}, less than std²/2 = {bound:.4f}, the bound for unbiased estimators. "
        f"Fitted mean: at its bound, {std**2:.2f}."
    )
