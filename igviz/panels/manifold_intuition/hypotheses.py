"""Equal steps of a parameter are not equal: two hypotheses, n samples, the error of the best test."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gammaln, ive

from igviz.geometry.chernoff import chernoff_information
from igviz.geometry.distances import fisher_rao_distance
from igviz.geometry.families.normal import Normal
from igviz.geometry.hypothesis_testing import bayes_error, log_ratio_variance
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

P = Normal(0.0, 1.0)
SAMPLES = [1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 56, 80, 112, 160, 200]
CURVE = np.union1d(np.round(np.geomspace(1, 200, 40)), SAMPLES)  # where the curve is computed
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
ERRORS = "#8C8C8C"
NOTHING = 1e-4  # a density that is not seen


class Pair(NamedTuple):
    """What does not depend on n."""

    information: float
    distance: float
    kl: float
    spread: float
    curve: np.ndarray


@lru_cache(maxsize=1024)
def pair(shift: float, width: float) -> Pair:
    """Return what p = N(0, 1) and q = N(shift, width) have in common, whatever n is."""
    q = Normal(shift, width)
    return Pair(
        information=float(chernoff_information(P, q)),
        distance=float(fisher_rao_distance(P, q)),
        kl=float(P.kl(q)),
        spread=float(np.sqrt(log_ratio_variance(P, q))),
        curve=bayes_error(P, q, CURVE),
    )


def log_ratio_density(shift: float, width: float, n: int, total: np.ndarray) -> np.ndarray:
    """Return the density under p of the total log-likelihood ratio, Σ log q/p, of n samples.

    For equal widths it is normal. Otherwise log q/p = a·(x + h)² + k, and under p the sum of the (x + h)² is
    noncentral χ² with n degrees of freedom.
    """
    if width == 1.0:
        return Normal(-0.5 * n * shift**2, np.sqrt(n) * abs(shift)).pdf(total)
    a = 0.5 * (1.0 - 1.0 / width**2)
    h = shift / (width**2 - 1.0)
    k = -0.5 * shift**2 / width**2 - np.log(width) - a * h**2
    chi = (total - n * k) / a
    possible = chi > 0.0
    chi, order, off = np.where(possible, chi, 1.0), 0.5 * n - 1.0, n * h**2
    if off == 0.0:
        log_density = order * np.log(0.5 * chi) - 0.5 * chi - gammaln(order + 1.0)
    else:
        root = np.sqrt(off * chi)
        bessel = np.log(ive(order, root)) + root
        log_density = 0.5 * order * np.log(chi / off) - 0.5 * (chi + off) + bessel
    return np.where(possible, 0.5 * np.exp(log_density) / abs(a), 0.0)


@lru_cache(maxsize=1024)
def ratios(shift: float, width: float, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return standardised total log-likelihood ratios and their densities under p and under q."""
    unit = np.sqrt(n) * pair(shift, width).spread
    at = np.linspace(-12.0, 12.0, 481)
    under_p = unit * log_ratio_density(shift, width, n, unit * at)
    # seen from q, in its units, p is the other hypothesis
    under_q = unit * log_ratio_density(-shift / width, 1.0 / width, n, -unit * at)
    return at, under_p, under_q


def _probability(number: float) -> str:
    """Write a probability for a sentence: four decimals, or a power of ten."""
    if number >= 0.001:
        return f"{number:.4f}"
    digits, power = f"{number:.1e}".split("e")
    return f"{digits}·10{str(int(power)).translate(SUPERSCRIPTS)}"


def _setup(axes: tuple[Axes, Axes]) -> None:
    bells, errors = axes
    bells.set(xlim=(-12, 12), ylim=(0, 0.8), xlabel="Σ log q/p, in units of its spread", ylabel="density")
    bells.set_yticks([0, 0.2, 0.4, 0.6, 0.8])
    bells.axvline(0, zorder=0.8, **style.GUIDE)
    bells.plot([], [], label="p is true", **style.TARGET)
    bells.plot([], [], label="q is true", **style.APPROXIMATION)
    bells.fill_between([], [], color=ERRORS, linewidth=0, label="wrong guess")
    style.legend_above(bells, 3, handlelength=2.0)
    errors.set(
        xlim=(-5, 206), xlabel="samples n", ylabel="probability of error", yscale="log", ylim=(2e-13, 2)
    )
    errors.set_yticks([1e-12, 1e-9, 1e-6, 1e-3, 1], ["10⁻¹²", "10⁻⁹", "10⁻⁶", "0.001", "1"])
    errors.minorticks_off()
    errors.plot([], [], label="best test, exact", **style.TARGET)
    errors.plot([], [], label="exp(−nC)", **style.STRAIGHT)
    style.legend_above(errors, 2)


@panel(
    layout=(1, 2),
    widths=(1.0, 1.0),
    setup=_setup,
    shift=(0, 1, 0.1),
    width=(0.7, 1.5, 0.1),
    n=Slider(choices=SAMPLES, label="samples n"),
    play="n",
    scenes={
        "One sample": {"n": 1},
        "Four times the samples": {"n": 80},
        "Half the step": {"shift": 0.5, "n": 20},
        "Same mean, wider": {"shift": 0, "width": 1.5, "n": 80},
    },
    predict=Prediction(
        "Now q is only half as far off. How many samples make the best test as good as 20 did?",
        ["20, as before", "40, twice as many", "80, four times as many"],
        at={"shift": 0.5, "n": 80},
    ),
)
def hypotheses(axes: tuple[Axes, Axes], shift: float = 1.0, width: float = 1.0, n: int = 20) -> str:
    """Is it p = N(0, 1) or q = N(shift, width)? The error of the best guess falls like exp(−nC)/√n."""
    bells, errors = axes
    now = pair(shift, width)
    if now.distance > 0.0:
        at, under_p, under_q = ratios(shift, width, n)
        wrong = np.where(at >= 0.0, under_p, under_q)
        near = np.abs(at) < 5.0
        bells.fill_between(at[near], wrong[near], color=ERRORS, linewidth=0)
        for density, line in ((under_p, style.TARGET), (under_q, style.APPROXIMATION)):
            seen = density > NOTHING
            bells.plot(at[seen], density[seen], **line)
    else:
        bells.plot([0.0, 0.0], [0.0, 1.0], **style.TARGET)
        bells.plot([0.0, 0.0], [0.0, 1.0], **style.APPROXIMATION)
    guide = np.exp(-now.information * CURVE)
    errors.fill_between(CURVE, now.curve, guide, color=style.LIGHT, alpha=0.6, linewidth=0)
    errors.plot(CURVE, guide, **style.STRAIGHT)
    errors.plot(CURVE, now.curve, **style.TARGET)
    error = float(now.curve[np.searchsorted(CURVE, n)])
    errors.plot([n], [error], **style.TARGET_POINT)
    if now.distance == 0.0:
        return f"p and q are the same: no number of samples helps, the error stays {error:.4f}, and C = 0."
    factor = error / np.exp(-now.information * n)
    return (
        f"With n = {n} the best test errs with probability {_probability(error)} = {factor:.3f}·exp(−nC), "
        f"C = {now.information:.4f} nats; d²/8 = {now.distance**2 / 8:.4f} (d Fisher–Rao), "
        f"KL(p‖q)/4 = {now.kl / 4:.4f}; up close the three agree."
    )
