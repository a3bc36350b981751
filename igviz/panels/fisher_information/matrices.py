"""Four matrices with one name: expected, Monte Carlo, observed and empirical, on a Cauchy location."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from igviz.geometry.families.cauchy import Cauchy
from igviz.geometry.families.normal import Normal
from igviz.geometry.fisher import empirical_fisher, expected_fisher, monte_carlo_fisher, observed_fisher
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRUTHS = {"the model": Cauchy(0.0, 1.0), "a narrow normal": Normal(0.0, 0.3)}
COUNTS = (5, 10, 20, 50, 100, 500, 2000)
SCALINGS = {"mean per datum": "mean", "sum": "sum"}
DATA_SEED, MODEL_SEED = 6, 1
REACH = 6.0  # half the width of the left picture
PIXEL = 0.025
LOW, HIGH = -3.1, 0.5  # of the log-likelihood per datum
GRID = np.linspace(-REACH, REACH, 241)
STEPS = np.linspace(-2.5, 2.5, 61)  # from the place, where the parabolas are drawn
ERRORS = 2.0  # standard errors within which two numbers agree
LEAST, MOST = -1.1, 4.7  # of the right picture, in units of the expected one

LOOKS: dict[str, dict[str, Any]] = {
    "expected": {"color": style.GREEN, "linestyle": "-", "marker": "o"},
    "Monte Carlo": {"color": style.PURPLE, "linestyle": (0, (1, 1)), "marker": "^"},
    "observed": {"color": style.BLUE, "linestyle": "--", "marker": "s"},
    "empirical": {"color": style.VERMILLION, "linestyle": "-.", "marker": "D"},
}
RUG: dict[str, Any] = {"color": style.GREY, "marker": "|", "markersize": 9, "linestyle": "none"}
UNIT: dict[str, Any] = {
    "fontsize": style.LABEL_SIZE,
    "color": style.INK,
    "family": style.FONT,
    "ha": "left",
    "va": "center",
}


@lru_cache(maxsize=len(TRUTHS))
def _drawn(truth: str) -> np.ndarray:
    return TRUTHS[truth].sample(max(COUNTS), np.random.default_rng(DATA_SEED))


def data(truth: str, n: int) -> np.ndarray:
    """Return n data from the truth, always the same; fewer are the first of more."""
    return _drawn(truth)[:n]


def log_likelihood(location: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the log-likelihood per datum of Cauchy locations, shape (m,), for the data x."""
    return np.mean(Cauchy(location, 1.0).log_prob(x[:, None]), axis=0)


class Likelihood(NamedTuple):
    """What does not depend on the place."""

    rug: np.ndarray  # where data are seen: marks nearer than a pixel are one
    curve: np.ndarray  # on GRID, relative to the highest
    best: float
    highest: float


@lru_cache(maxsize=32)
def likelihood(truth: str, n: int) -> Likelihood:
    """Return the log-likelihood per datum, its highest place and value."""
    x = data(truth, n)
    curve = log_likelihood(GRID, x)
    best, step = GRID[np.argmax(curve)], GRID[1] - GRID[0]
    for _ in range(3):
        near = best + step * np.linspace(-1.0, 1.0, 21)
        best, step = near[np.argmax(log_likelihood(near, x))], 0.1 * step
    highest = float(log_likelihood(np.array([best]), x)[0])
    rug = PIXEL * np.unique(np.round(x[np.abs(x) < REACH] / PIXEL))
    return Likelihood(rug, curve - highest, float(best), highest)


class Four(NamedTuple):
    """The four numbers per datum, in the order of LOOKS, and their standard errors."""

    values: np.ndarray
    errors: np.ndarray


@lru_cache(maxsize=512)
def four(location: float, truth: str, n: int) -> Four:
    """Return the four Fisher informations of the location at one place, scale 1 known."""
    p, x = Cauchy(location, 1.0), data(truth, n)
    matrices = (
        expected_fisher(p, scaling="mean"),
        monte_carlo_fisher(p, n, np.random.default_rng(MODEL_SEED), scaling="mean"),
        observed_fisher(p, x, scaling="mean"),
        empirical_fisher(p, x, scaling="mean"),
    )
    sampled = p.sample(n, np.random.default_rng(MODEL_SEED))  # the same samples once more
    terms = (  # of the means; the second up to its sign, which does not matter to its spread
        p.score(sampled)[:, 0] ** 2,
        p.hessian_log_prob(x)[:, 0, 0],
        p.score(x)[:, 0] ** 2,
    )
    errors = [0.0, *(np.std(one, ddof=1) / np.sqrt(n) for one in terms)]
    return Four(np.array([one[0, 0] for one in matrices]), np.array(errors))


def _setup(axes: tuple[Axes, Axes]) -> None:
    curves, numbers = axes
    curves.set(xlim=(-REACH, REACH), ylim=(LOW, HIGH), xlabel="location θ")
    curves.set_ylabel("log-likelihood per datum")
    curves.set_xticks([-6, -4, -2, 0, 2, 4, 6])
    curves.set_yticks([-3, -2, -1, 0])
    for name, look in LOOKS.items():
        curves.plot([], [], label=name, linewidth=2.2, markersize=7, **look)
    style.legend_above(curves, 4, handlelength=3.0, columnspacing=1.6)
    numbers.set_title(" ", fontsize=style.LABEL_SIZE, family=style.FONT, pad=6.0)
    numbers.set(xlim=(LEAST, MOST), ylim=(3.6, -0.6), xlabel="÷ expected\n(bars: ±2 standard errors)")
    numbers.set_xticks([0, 1, 2, 3, 4])
    numbers.set_yticks(range(4), LOOKS)
    numbers.grid(False, axis="y")
    numbers.axvline(0.0, color=style.GREY, linewidth=0.9, zorder=0.7)
    numbers.axvline(1.0, zorder=0.8, **style.GUIDE)


@panel(
    layout=(1, 2),
    widths=(1.2, 1.0),
    setup=_setup,
    location=Slider(-4, 4, 0.05, label="location θ"),
    n=Slider(choices=COUNTS, label="n, data"),
    truth=Slider(choices=tuple(TRUTHS), label="data from"),
    scaling=Slider(choices=tuple(SCALINGS)),
    play="location",
    scenes={
        "At the best fit": {"location": 0.4},
        "Far from the data": {"location": -3.5},
        "Two thousand data": {"location": 0, "n": 2000},
        "The wrong model": {"location": 0, "n": 2000, "truth": "a narrow normal"},
    },
    predict=Prediction(
        "A Cauchy is fitted to 2,000 data from a narrow normal. At the best fit, which still agree?",
        ["All four", "Expected, Monte Carlo", "Observed, empirical", "Expected, observed"],
        at={"location": 0, "n": 2000, "truth": "a narrow normal"},
    ),
)
def four_matrices(
    axes: tuple[Axes, Axes],
    location: float = 1.5,
    n: int = 20,
    truth: str = "the model",
    scaling: str = "mean per datum",
) -> str:
    """Four curvatures of one log-likelihood: each parabola takes another number for its bend."""
    curves, numbers = axes
    x, shape, now = data(truth, n), likelihood(truth, n), four(location, truth, n)
    curves.plot(shape.rug, np.full_like(shape.rug, LOW + 0.12), **RUG)
    curves.plot(GRID, shape.curve, **style.TARGET)
    here = float(log_likelihood(np.array([location]), x)[0]) - shape.highest
    slope = float(np.mean(Cauchy(location, 1.0).score(x)[:, 0]))
    tangent = here + slope * STEPS
    total = n if SCALINGS[scaling] == "sum" else 1
    unit = _number(now.values[0] * total, total)  # beside the expected one, whose bar has no length
    numbers.text(1.35, 0.0, f"{unit} {_scale(total)}", **UNIT)
    rows = zip(LOOKS.values(), now.values, now.errors, strict=True)
    for row, (look, value, error) in enumerate(rows):
        line = {"color": look["color"], "linestyle": look["linestyle"], "linewidth": 2.2}
        curves.plot(location + STEPS, tangent - 0.5 * value * STEPS**2, **line)
        reach = ERRORS * np.array([-error, 0.0, error])
        numbers.plot((value + reach) / now.values[0], [row] * 3, markevery=[1], markersize=10, **look)
    curves.plot(location, here, **style.TARGET_POINT)
    return _sentence(location, n, shape.best, now, total)


def _number(value: float, total: int) -> str:
    return (f"{value:.3f}" if total == 1 else f"{value:.1f}").replace("-", "−")


def _scale(total: int) -> str:
    return "per datum" if total == 1 else "in sum"


def _sentence(location: float, n: int, best: float, now: Four, total: int) -> str:
    numbers = dict(zip(LOOKS, (_number(one, total) for one in now.values * total), strict=True))
    if now.values[2] < 0.0:
        numbers["observed"] += " (bends up)"
    listed = ", ".join(f"{name} {number}" for name, number in numbers.items())
    near = np.abs(now.values - now.values[0]) <= ERRORS * now.errors
    agree = [name for name, one in zip(LOOKS, near, strict=True) if one][1:]
    verdict = "All" if len(agree) == 3 else " and ".join(agree) or "None"
    places = f"θ = {location:.2f} (best fit {best:.2f})".replace("-", "−")
    return f"{places}, n = {n:,}, {_scale(total)}: {listed}. {verdict} within 2 standard errors of expected."
