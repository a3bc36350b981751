"""Four estimates of one gradient: how they scatter, and how slowly that falls with the number of samples."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from igviz.geometry.families.normal import Normal
from igviz.inference import gradients
from igviz.inference.gradients import ESTIMATORS, GaussianGradient
from igviz.inference.sampling import one_gaussian
from igviz.panels.elbo.running_example import AT_ONCE, CHANCES, EPSILON, MODEL, noise
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAMPLES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
COMPONENTS = ("mean", "std")
ROWS, DRAWS = 300, 250  # an estimate takes the first S draws of a row, or 2 or 4 whole rows
FEWER = 15_000  # draws in all while a slider moves
SIDE = 6.0  # half the width of the left picture
LEAST, MOST = 3e-4, 2e2  # of the right one
BEHIND = 0.9  # what lies behind everything that moves is drawn once and not in each frame

# each marker fits into the one drawn before it, with a white edge, where the standard errors are equal
EDGED: dict[str, Any] = {"markeredgecolor": style.PAPER, "markeredgewidth": 0.9}
LOOKS: dict[str, dict[str, Any]] = {
    "score function": {"color": style.VERMILLION, "linestyle": "-.", "marker": "D", "markersize": 5.5},
    "control variate": {"color": style.PURPLE, "linestyle": (0, (1, 1)), "marker": "^", "markersize": 7},
    "reparameterised": {"color": style.BLUE, "linestyle": "--", "marker": "s", "markersize": 7},
    "Bonnet and Price": {"color": style.GREEN, "linestyle": "-", "marker": "o", "markersize": 11},
}
WRAPPED = ("score\nfunction", "control\nvariate", "reparam-\neterised", "Bonnet\nand Price")
DOTS: dict[str, Any] = {"marker": ".", "markersize": 3.5, "linestyle": "none"}
SLOPE: dict[str, Any] = {**style.GUIDE, "linewidth": 2.0, "zorder": BEHIND}
WORDS: dict[str, Any] = {"fontsize": style.TICK_SIZE, "color": style.INK, "family": style.FONT}
NOTE: dict[str, Any] = {
    **WORDS,
    "ha": "right",
    "va": "center",
    "bbox": {"facecolor": style.PAPER, "edgecolor": "none", "pad": 1.0},
}


@lru_cache(maxsize=1)
def heights() -> np.ndarray:
    """Return how high above the middle of its strip each estimate is drawn, only to part the dots."""
    return np.random.default_rng(0).uniform(-0.24, 0.24, ROWS)


@lru_cache(maxsize=512)
def constants(mean: float, std: float) -> GaussianGradient:
    """Return what the control variate takes off: the constants of least variance, exactly."""
    at = one_gaussian("estimators", Normal(mean, std), 1)
    weight = CHANCES * at.log_weight(MODEL, EPSILON)
    found = [
        (weight @ s**2) / (CHANCES @ s**2)
        for s in (one.ravel() for one in gradients.gaussian_score(at, EPSILON))
    ]
    return GaussianGradient(np.array([found[0]]), np.array([[found[1]]]))


def of_one_draw(mean: float, std: float, epsilon: np.ndarray) -> np.ndarray:
    """Return the estimates of each ε alone, shape (4, 2, n), by mean and std.

    A std moves the variance by 2·std.
    """
    at, none = one_gaussian("estimators", Normal(mean, std), 1), GaussianGradient(np.zeros(()), np.zeros(()))
    found = np.empty((len(ESTIMATORS), 2, len(epsilon)))
    for row, name in enumerate(ESTIMATORS):
        taken = constants(mean, std) if name == "control variate" else none
        estimate = gradients.ESTIMATES[name](MODEL, at, epsilon, taken)
        found[row] = estimate.mean[:, 0], 2.0 * std * estimate.cov[:, 0, 0]
    return found


@lru_cache(maxsize=512)
def exact(mean: float, std: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient by mean and std, and the std of each estimate from one draw, shape (4, 2)."""
    values = of_one_draw(mean, std, EPSILON)
    gradient = gradients.elbo_gradient(MODEL, Normal(mean, std))
    centre = np.array([gradient.mean[0], 2.0 * std * gradient.cov[0, 0]])
    return centre, np.sqrt((values - centre[:, None]) ** 2 @ CHANCES)


@lru_cache(maxsize=512)
def estimates(mean: float, std: float, samples: int, draws: int = ROWS * DRAWS) -> np.ndarray:
    """Return independent estimates from so many samples each, of `draws` in all, shape (4, 2, count)."""
    each = noise(ROWS * DRAWS).reshape(-1, max(samples, DRAWS))[: draws // samples, :samples]
    rows = max(AT_ONCE // samples, 1)
    parts = [
        of_one_draw(mean, std, some.reshape(-1, 1)).reshape(len(ESTIMATORS), 2, -1, samples).mean(axis=-1)
        for some in (each[start : start + rows] for start in range(0, len(each), rows))
    ]
    return np.concatenate(parts, axis=-1)


def _setup(axes: tuple[Axes, Axes]) -> None:
    strips, errors = axes
    strips.set(xlim=(-SIDE, SIDE), ylim=(4.05, -0.6), xlabel="estimate − exact gradient")
    strips.set_xticks([-6, -4, -2, 0, 2, 4, 6], ["−6", "−4", "−2", "0", "2", "4", "6"])
    strips.set_yticks(range(4), WRAPPED)
    strips.tick_params(axis="y", length=0.0)
    strips.grid(False, axis="y")
    strips.text(-0.97 * SIDE, 3.8, "bar: ± standard error", va="center", zorder=BEHIND, **WORDS)
    strips.axvline(0.0, 0.13, zorder=BEHIND, **style.TARGET)
    errors.set(xscale="log", yscale="log", xlim=(0.8, 1250.0), ylim=(LEAST, MOST))
    errors.set(xlabel="S, samples an estimate", ylabel="standard error")
    errors.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    errors.set_yticks([0.001, 0.01, 0.1, 1, 10, 100], ["0.001", "0.01", "0.1", "1", "10", "100"])
    errors.minorticks_off()
    ends = np.array([1.0, 100.0])
    errors.plot(ends, 4e-3 / np.sqrt(ends), **SLOPE)
    errors.text(1.0, 6e-4, "slope −½", zorder=BEHIND, **WORDS)
    errors.text(1100.0, 45.0, "lines exact, points measured", zorder=BEHIND, **{**WORDS, "ha": "right"})
    for name, look in LOOKS.items():
        strips.plot([], [], label=name, linewidth=2.0, **look, **EDGED)
    style.legend_above(strips, 4, columnspacing=1.4, bbox_to_anchor=(-0.2, 1.0))
    errors.set_title(" ", fontsize=style.LABEL_SIZE, family=style.FONT, pad=6.0)


@panel(
    layout=(1, 2),
    widths=(1.0, 1.0),
    setup=_setup,
    samples=Slider(choices=SAMPLES, label="S, samples"),
    mean=Slider(-1.5, 1, 0.1, label="mean of q"),
    std=Slider(0.4, 1.2, 0.1, label="std of q"),
    component=Slider(choices=COMPONENTS, label="gradient by the"),
    play="samples",
    scenes={
        "One sample": {"samples": 1},
        "A hundred samples": {"samples": 100},
        "By the std": {"component": "std"},
        "The best q": {"mean": -0.2, "std": 0.8},
        "A narrow q, far away": {"mean": -1.5, "std": 0.4},
    },
    predict=Prediction(
        "At the q of highest ELBO, which of these estimates of its gradient by the mean varies least?",
        ["Score function", "Control variate", "Reparameterised", "All alike"],
        at={"mean": -0.2, "std": 0.8},
    ),
)
def estimators(
    axes: tuple[Axes, Axes],
    samples: int = 10,
    mean: float = 0.8,
    std: float = 0.6,
    component: str = "mean",
    moving: bool = False,
) -> str:
    """Four estimates of the ELBO's gradient, right on average: each dot is one, from S samples of q."""
    strips, errors = axes
    part = COMPONENTS.index(component)
    centre, spread = (one[..., part] for one in exact(mean, std))
    deviations = estimates(mean, std, samples, FEWER if moving else ROWS * DRAWS)[:, part] - centre
    ends = np.array([SAMPLES[0], SAMPLES[-1]])
    reach, colours = spread / np.sqrt(samples), [look["color"] for look in LOOKS.values()]
    strips.hlines(np.arange(4) + 0.36, -reach, reach, colors=colours, linewidth=3.5)
    for row in (3, 2, 1, 0):  # by the mean the last two are the same: the upper one's dashes on the lower
        look, some = LOOKS[ESTIMATORS[row]], deviations[row]
        strips.plot(some, row + heights()[: some.size], color=look["color"], **DOTS)
        outside = np.mean(np.abs(some) > SIDE)
        if outside:
            strips.text(SIDE, row - 0.38, f"{100 * outside:.1f}% outside", **NOTE)
        curve = {"color": look["color"], "linestyle": look["linestyle"], "linewidth": 2.0}
        errors.plot(ends, spread[row] / np.sqrt(ends), **curve)
        errors.plot([samples], [np.sqrt(np.mean(some**2))], **{**look, **EDGED, "linestyle": "none"})
    return _sentence(samples, mean, std, component)


def _sentence(samples: int, mean: float, std: float, component: str) -> str:
    part = COMPONENTS.index(component)
    centre, spread = (one[..., part] for one in exact(mean, std))
    errors = [f"{name} {_few(one)}" for name, one in zip(ESTIMATORS, spread / np.sqrt(samples), strict=True)]
    if component == "mean":  # the last two are the same numbers
        errors[2:] = [f"{ESTIMATORS[2]} = {errors[3]}"]
    more = (spread[0] / np.min(spread)) ** 2
    errors[0] += f" (needs {more:,.{0 if more >= 9.95 else 1}f} × the best's samples)"
    words = (
        f"∂ELBO/∂{component} = {centre:.2f} at N({mean:.1f}, {std:.1f}). Standard errors, S = {samples}: "
        f"{', '.join(errors)}."
    )
    return words.replace("(-", "(−").replace("= -", "= −")


def _few(value: float) -> str:
    """Write a number with three significant digits, or five decimals."""
    return f"{value:#.3g}" if value >= 1e-3 else f"{value:.5f}"
