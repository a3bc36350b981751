"""The importance-weighted bound: on average it rises towards log p(x), and one estimate may exceed that."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Polygon, StepPatch

from igviz.geometry.families.normal import Normal
from igviz.inference.elbo import elbo
from igviz.inference.sampling import one_gaussian
from igviz.models import skewed_posterior
from igviz.panels.elbo.running_example import AT_ONCE, CHANCES, EPSILON, MODEL, noise
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAMPLES = tuple(2**power for power in range(11))
POOL = 2**18  # weights of one q; pairs of estimates from K become estimates from 2K
SHOWN = 4096  # estimates, at most
STEP = 1 / 32  # of v in log t = 12·sinh(v), see `expected_bounds`
LOG_T, WIDTHS = (12.0 * one(np.arange(-1.75, 5.75, STEP)) for one in (np.sinh, np.cosh))
LOW, HIGH = -4.2, -0.2  # nats, of both pictures
OVER_BARS = 1.5  # below the lines that move

EVIDENCE: dict[str, Any] = {**style.TARGET, "linewidth": 3.6}  # seen on both sides of a bound that reaches it
ELBO: dict[str, Any] = {**style.APPROXIMATION, "linewidth": 2.0}
BOUND: dict[str, Any] = {**style.GEODESIC, "linewidth": 1.4}
POINT: dict[str, Any] = {"color": style.GREEN, "marker": "o", "linestyle": "none"}
BAND: dict[str, Any] = {"facecolor": style.LIGHT, "edgecolor": "none", "zorder": 0.7}
BARS: dict[str, Any] = {"facecolor": style.LIGHT, "edgecolor": style.GREY, "linewidth": 1.0, "fill": True}


@lru_cache(maxsize=64)
def estimates(mean: float, std: float) -> tuple[np.ndarray, ...]:
    """Return, for each of SAMPLES, independent estimates in nats, each from so many draws of its own."""
    log_weights = np.empty(POOL)
    for start in range(0, POOL, AT_ONCE):  # in closed form: a third of the time of `OneGaussian.log_weight`
        epsilon = noise(POOL)[start : start + AT_ONCE, 0]
        log_q = -0.5 * epsilon**2 - np.log(std) - 0.5 * np.log(2.0 * np.pi)
        log_weights[start : start + AT_ONCE] = skewed_posterior.log_joint(mean + std * epsilon) - log_q
    top = np.max(log_weights)
    found, weights = [log_weights[:SHOWN].copy()], np.exp(log_weights - top)
    for _ in SAMPLES[1:]:
        weights = 0.5 * (weights[0::2] + weights[1::2])
        found.append(top + np.log(weights[:SHOWN]))
    return tuple(found)


@lru_cache(maxsize=64)
def band(mean: float, std: float) -> np.ndarray:
    """Return between which two values nine tenths of the estimates lie, shape (2, len(SAMPLES))."""
    return np.stack([np.quantile(one, [0.05, 0.95]) for one in estimates(mean, std)], axis=-1)


@lru_cache(maxsize=512)
def expected_bounds(mean: float, std: float) -> np.ndarray:
    """Return the expectation of the estimates from each of SAMPLES in nats, exactly.

    As log y = ∫ (e^−t − e^−ty)/t dt over t > 0 (Frullani), the mean of log Σ wₖ over K independent weights is
    ∫ (e^−t − M(t)ᴷ)/t dt with M(t) = E[e^−tw], by the trapezoid rule in ε and in v, where log t = 12·sinh(v)
    reaches far to where M vanishes at last. One weight alone, whose M falls slowest, is the ELBO. Right to
    1e-9 for q no wider than 1.1, to 2e-5 at N(1, 1.5), where log w bends within one step of ε.
    """
    at, evidence = one_gaussian("importance_weighted", Normal(mean, std), 1), skewed_posterior.log_evidence()
    log_weight = at.log_weight(MODEL, EPSILON) - evidence
    with np.errstate(over="ignore"):
        power = np.exp(-np.exp(LOG_T[:, None] + log_weight)) @ CHANCES
        one = np.exp(-np.exp(LOG_T))
    found = [float(elbo(MODEL, Normal(mean, std)))]
    for k in SAMPLES[1:]:
        power = power**2
        found.append(evidence + STEP * float(WIDTHS @ (one - power)) - np.log(k))
    return np.array(found)


def _setup(axes: tuple[Axes, Axes]) -> None:
    rising, spread = axes
    evidence = skewed_posterior.log_evidence()
    for one in axes:
        one.set(ylim=(LOW, HIGH))
        one.set_yticks([-4, -3, -2, -1], ["−4", "−3", "−2", "−1"] if one is rising else [""] * 4)
        one.axhline(evidence, zorder=OVER_BARS, **EVIDENCE)
    rising.set(xscale="log", xlim=(0.85, 1200.0), xlabel="K, samples an estimate", ylabel="nats")
    rising.set_xticks([1, 4, 16, 64, 256, 1024], ["1", "4", "16", "64", "256", "1,024"])
    rising.minorticks_off()
    rising.plot([], [], label="log p(x)", **EVIDENCE)
    rising.plot([], [], label="ELBO", **ELBO)
    rising.plot([], [], label="E[bound]", marker="o", markersize=6, **BOUND)
    rising.add_artist(Polygon(np.full((3, 2), np.nan), label="90% of single estimates", **BAND))
    style.legend_above(rising, 4, columnspacing=1.4)
    spread.set(xlim=(0.0, 1.08), xlabel="single estimates at this K")
    spread.set_xticks([0.5], [" "])
    spread.tick_params(length=0.0)
    spread.grid(False, axis="x")
    spread.set_title(" ", fontsize=style.LABEL_SIZE, family=style.FONT, pad=6.0)


@panel(
    layout=(1, 2),
    widths=(1.6, 1.0),
    setup=_setup,
    samples=Slider(choices=SAMPLES, label="K, samples"),
    mean=Slider(-1.5, 1, 0.1, label="mean of q"),
    std=Slider(0.3, 1.5, 0.1, label="std of q"),
    play="samples",
    scenes={
        "One weight: the ELBO": {"samples": 1},
        "A thousand weights": {"samples": 1024},
        "The best q": {"mean": -0.2, "std": 0.8},
        "Too narrow": {"samples": 1024, "mean": -0.2, "std": 0.4},
        "Too wide": {"samples": 1024, "mean": -0.2, "std": 1.5},
    },
    predict=Prediction(
        "With q = N(−0.3, 1.1) and K = 64, how many single estimates lie above log p(x)?",
        ["None", "About 1 in 20", "About half", "Nearly all"],
        at={"samples": 64, "mean": -0.3, "std": 1.1},
    ),
)
def importance_weighted(
    axes: tuple[Axes, Axes], samples: int = 8, mean: float = 0.8, std: float = 0.6
) -> str:
    """Average K weights before taking the logarithm: the bound rises with K, from the ELBO to log p(x)."""
    rising, spread = axes
    bounds, singles = expected_bounds(mean, std), estimates(mean, std)[SAMPLES.index(samples)]
    here = bounds[SAMPLES.index(samples)]
    low, high = band(mean, std)
    style.area(rising, SAMPLES, low, high, **BAND)
    ends = np.clip([singles.min(), singles.max()], LOW - 1.0, HIGH + 1.0)
    heights, edges = np.histogram(singles, round(2.0 * np.cbrt(singles.size)), ends)
    spread.add_artist(StepPatch(heights / max(heights), edges, orientation="horizontal", **BARS))
    for one in axes:
        one.plot([0.0, 2000.0], [bounds[0]] * 2, **ELBO)
    rising.plot(SAMPLES, bounds, marker="o", markersize=5, **BOUND)
    rising.plot([samples], [here], markersize=11, **POINT)
    spread.plot([0.0, 2.0], [here] * 2, **BOUND)
    above = np.mean(singles > skewed_posterior.log_evidence())
    return _sentence(samples, mean, std, singles.size, 100.0 * float(above))


def _sentence(samples: int, mean: float, std: float, count: int, above: float) -> str:
    bounds, evidence = expected_bounds(mean, std), skewed_posterior.log_evidence()
    here = bounds[SAMPLES.index(samples)]
    start = f"N({mean:.1f}, {std:.1f}), K = {samples:,}: E[bound]"
    rising = (
        f"{start} = {here:.3f} lies between ELBO = {bounds[0]:.3f} and log p(x) = {evidence:.3f}; the gap of "
        f"{evidence - bounds[0]:#.2g} nats falls to {evidence - here:#.2g}"
        if samples > 1
        else f"{start} is the ELBO = {here:.3f}, {evidence - here:#.2g} nats below log p(x) = {evidence:.3f}"
    )
    words = f"{rising}. {above:.0f}% of {count:,} single estimates lie above log p(x)."
    return words.replace("(-", "(−").replace("= -", "= −")
