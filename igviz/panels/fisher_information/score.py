"""The score: how hard one observation pulls at a parameter, and how the pulls are spread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patches import StepPatch
from scipy.special import ndtri, pdtr

from igviz.geometry.families.bernoulli import Bernoulli
from igviz.geometry.families.cauchy import Cauchy
from igviz.geometry.families.exponential import Exponential
from igviz.geometry.families.normal import Normal
from igviz.geometry.families.poisson import Poisson
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEFT, RIGHT, TOP = -2.9, 6.9, 5.5  # of x, and of the score up and down
HIGH = 1.2  # of the densities
X = np.linspace(LEFT, RIGHT, 295)
CENTRE, SCALE = 2.0, 0.5  # of the normals, and of the Cauchy distributions
STEP = 0.3  # from θ to the dashed density, in units of 1/√I
BIN = 0.25  # of scores that are counted together
SHOWN = 7  # outcomes of a discrete family that fit the picture
LEVELS = (np.arange(4000) + 0.5) / 4000  # equally likely shares of the observations
OUTCOMES = np.arange(41.0)

# double-exponential quadrature over the levels from 0 to 1 (Takahasi and Mori 1974)
_T = np.linspace(-3.0, 3.0, 121)
NODES = 0.5 * (1.0 + np.tanh(0.5 * np.pi * np.sinh(_T)))
WEIGHTS = 0.25 * np.pi * (_T[1] - _T[0]) * np.cosh(_T) / np.cosh(0.5 * np.pi * np.sinh(_T)) ** 2

BARS: dict[str, Any] = {
    "facecolor": style.LIGHT,
    "edgecolor": style.GREY,
    "linewidth": 0.8,
    "fill": True,
    "orientation": "horizontal",
}
ATOMS: dict[str, Any] = {"color": style.GREY, "linestyle": "-", "linewidth": 5.0, "solid_capstyle": "butt"}
OBSERVATION: dict[str, Any] = {"color": style.VERMILLION, "linestyle": "-.", "linewidth": 1.8}
PULL: dict[str, Any] = {"color": style.VERMILLION, "marker": "D", "markersize": 10, "linestyle": "none"}
SPREAD: dict[str, Any] = {"color": style.GREEN, "linestyle": "-", "linewidth": 2.6}
DOTS: dict[str, Any] = {"color": style.BLACK, "linestyle": "none", "marker": "o", "markersize": 6}
SQUARES: dict[str, Any] = {"color": style.BLUE, "linestyle": "none", "marker": "s", "markersize": 6}


@dataclass(frozen=True)
class Case:
    """One parameter of a family, the others fixed."""

    word: str
    low: float
    high: float
    member: Callable[[Any], Any]
    quantile: Callable[[float, Any], Any]  # of a parameter and a level
    formula: str  # of the Fisher information
    entry: int = 0  # of the parameter among the source coordinates
    outcomes: np.ndarray | None = None  # where discrete


def _cauchy(location: Any) -> Cauchy:
    return Cauchy(location, SCALE)


def _poisson_quantile(rate: float, level: Any) -> Any:
    return OUTCOMES[np.searchsorted(pdtr(OUTCOMES, rate), level)]


CASES = {
    "Normal, mean": Case(
        "mean", 1.0, 3.0, lambda mean: Normal(mean, 1.0), lambda mean, level: mean + ndtri(level), "1/std²"
    ),
    "Normal, std": Case(
        "std",
        0.5,
        1.5,
        lambda std: Normal(CENTRE, std),
        lambda std, level: CENTRE + std * ndtri(level),
        "2/std²",
        entry=1,
    ),
    "Bernoulli, p": Case(
        "p",
        0.2,
        0.8,
        Bernoulli,
        lambda p, level: np.where(np.asarray(level) > 1.0 - p, 1.0, 0.0),
        "1/(p·(1\N{NO-BREAK SPACE}−\N{NO-BREAK SPACE}p))",  # not to be torn apart at the end of a line
        outcomes=OUTCOMES[:2],
    ),
    "Poisson, rate": Case("rate", 1.0, 3.0, Poisson, _poisson_quantile, "1/rate", outcomes=OUTCOMES),
    "Exponential, rate": Case(
        "rate", 0.5, 0.9, Exponential, lambda rate, level: -np.log1p(-np.asarray(level)) / rate, "1/rate²"
    ),
    "Cauchy, location": Case(
        "location",
        1.0,
        3.0,
        _cauchy,
        lambda location, level: location + SCALE * np.tan(np.pi * (np.asarray(level) - 0.5)),
        "1/(2·scale²)",
    ),
}


class Pulls(NamedTuple):
    """What does not depend on the observation."""

    theta: float
    larger: float
    density: np.ndarray  # at X or the outcomes
    moved: np.ndarray  # at the larger parameter
    score: np.ndarray
    edges: np.ndarray  # between which scores are counted; the scores themselves where discrete
    how_often: np.ndarray  # relative to the most frequent
    mean: float
    information: float


def parameter(case: Case, place: float) -> float:
    """Return the parameter at a place between its lowest, 0, and highest value, 1."""
    return case.low + (case.high - case.low) * place


def score_of(case: Case, theta: float, x: Any) -> np.ndarray:
    """Return the slope of the log-density at x in the parameter of the case."""
    return case.member(theta).score(x)[..., case.entry]


def _counted(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a histogram that begins or ends where the values do, at the end where more of them are."""
    low, high = np.min(values), np.nextafter(np.max(values), np.inf)  # bins are open at their end
    anchor = low if np.sum(values < low + BIN) > np.sum(values > high - BIN) else high
    first, last = np.ceil((-TOP - anchor) / BIN), np.floor((TOP - anchor) / BIN)
    edges = anchor + BIN * np.arange(first, last + 1.0)
    return edges, np.histogram(values, edges)[0]


@lru_cache(maxsize=512)
def pulls(family: str, place: float) -> Pulls:
    """Return densities, scores and how the scores are spread, for one parameter value."""
    case = CASES[family]
    theta = parameter(case, place)
    p = case.member(theta)
    larger = theta + STEP / float(np.sqrt(p.fisher("source")[case.entry, case.entry]))
    if case.outcomes is None:
        at = X
        chance, values = WEIGHTS, score_of(case, theta, case.quantile(theta, NODES))
        edges, counts = _counted(score_of(case, theta, case.quantile(theta, LEVELS)))
    else:
        at, chance = case.outcomes, p.pdf(case.outcomes)
        values = score_of(case, theta, at)
        edges, counts = values, chance
    possible = p.pdf(at) > 0.0
    score = np.full(at.shape, np.nan)
    score[possible] = score_of(case, theta, at[possible])
    mean = float(chance @ values)
    return Pulls(
        theta=theta,
        larger=larger,
        density=p.pdf(at),
        moved=case.member(larger).pdf(at),
        score=score,
        edges=edges,
        how_often=counts / counts.max(),
        mean=mean,
        information=float(chance @ (values - mean) ** 2),
    )


def _setup(axes: tuple[Axes, Axes, Axes]) -> None:
    bell, slope, spread = axes
    for one in (bell, slope):
        one.set(xlim=(LEFT, RIGHT), xlabel="observation x")
        one.set_xticks([-2, 0, 2, 4, 6])
    bell.set(ylim=(0.0, HIGH), ylabel="density or probability")
    bell.set_yticks([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    bell.plot([], [], label="at θ", **style.TARGET)
    bell.plot([], [], label="θ a little larger", **style.APPROXIMATION)
    for one in (slope, spread):
        one.set(ylim=(-TOP, TOP))
        one.set_yticks([-4, -2, 0, 2, 4])
        one.axhline(0.0, zorder=0.8, **style.GUIDE)
    slope.set_ylabel("score")
    slope.plot([], [], label="score", **style.TARGET)
    slope.plot([], [], label="this x", **{**PULL, "markersize": 8})
    spread.set(xlim=(0.0, 1.25), xlabel="how often")
    spread.set_xticks([0.0], [" "])
    spread.tick_params(axis="y", labelleft=False)
    spread.plot([], [], label="0 ± √I", **SPREAD)
    for one, columns in zip(axes, (2, 2, 1), strict=True):
        style.legend_above(one, columns, handlelength=1.8, columnspacing=0.9)


def _sticks(x: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return one broken line that goes up from 0 to each height."""
    gap = np.full_like(x, np.nan)
    return np.stack([x, x, gap], axis=-1).ravel(), np.stack([0.0 * x, heights, gap], axis=-1).ravel()


def _stems(axes: Axes, x: np.ndarray, heights: np.ndarray, line: Any, dots: Any) -> None:
    axes.plot(*_sticks(x, heights), **line)
    axes.plot(x, heights, **dots)


def _words(score: float) -> str:
    number = f"{abs(score):.2f}"
    return f"+{number}" if score > 0.0 and float(number) else f"−{number}" if float(number) else "0.00"


@panel(
    layout=(1, 3),
    widths=(1.0, 1.0, 0.42),
    setup=_setup,
    family=Slider(choices=tuple(CASES), label="parameter θ"),
    place=Slider(0, 1, 0.025, label="θ, low to high"),
    level=Slider(0.05, 0.95, 0.01, label="x, from low to high"),
    play="level",
    scenes={
        "Far out: wider!": {"level": 0.95},
        "In the middle: narrower!": {"level": 0.5},
        "Heads": {"family": "Bernoulli, p", "level": 0.95},
        "A count of none": {"family": "Poisson, rate", "place": 0.5, "level": 0.05},
        "A Cauchy outlier": {"family": "Cauchy, location", "place": 0.5, "level": 0.95},
    },
    predict=Prediction(
        "Which observation pulls hardest at the location of a Cauchy distribution?",
        ["One at the location", "One a scale away", "A far outlier"],
        at={"family": "Cauchy, location", "place": 0.5, "level": 0.75},
    ),
)
def score(
    axes: tuple[Axes, Axes, Axes], family: str = "Normal, std", place: float = 0.2, level: float = 0.9
) -> str:
    """One observation pulls the parameter up or down; over all observations the pulls cancel."""
    bell, slope, spread = axes
    case, now = CASES[family], pulls(family, place)
    x = float(case.quantile(now.theta, level))
    pull = float(score_of(case, now.theta, x))
    bell.plot([x, x], [0.0, HIGH], **OBSERVATION)
    slope.plot([x, x], [0.0, pull], **OBSERVATION)
    if case.outcomes is None:
        bell.plot(X, now.density, **style.TARGET)
        bell.plot(X, now.moved, **style.APPROXIMATION)
        slope.plot(X, now.score, **style.TARGET)
        bell.plot(x, case.member(now.theta).pdf(x), **DOTS)
        bell.plot(x, case.member(now.larger).pdf(x), **SQUARES)
        spread.add_artist(StepPatch(now.how_often, now.edges, **BARS))
    else:
        shown = case.outcomes[:SHOWN]
        _stems(bell, shown, now.density[:SHOWN], style.TARGET, DOTS)
        _stems(bell, shown + 0.16, now.moved[:SHOWN], style.APPROXIMATION, SQUARES)
        slope.plot(shown, now.score[:SHOWN], **DOTS)
        spread.plot(*_sticks(now.edges, now.how_often)[::-1], **ATOMS)
    slope.plot(x, pull, **PULL)
    spread.plot([0.0, 1.25], [pull, pull], **OBSERVATION)
    root = np.sqrt(now.information)
    spread.plot([1.12, 1.12], [-root, root], **SPREAD)
    spread.plot(1.12, now.mean, color=style.GREEN, marker="o", markersize=8)
    return _sentence(case, now, x, pull)


def _sentence(case: Case, now: Pulls, x: float, pull: float) -> str:
    seen = f"x = {x:.2f}" if case.outcomes is None else f"x = {x:.0f}"
    cauchy = case.member is _cauchy
    if cauchy:
        seen += f", {abs(x - now.theta) / SCALE:.1f} scales off,"
    parameter = case.word if case.word == "p" else f"the {case.word}"
    effect = f"pulls {parameter} {'up' if pull > 0.0 else 'down'}"
    if _words(pull) == "0.00":
        effect = f"leaves {parameter} where it is"
    words = f"At {case.word} {now.theta:.3f}, {seen} {effect}: score {_words(pull)}"
    if cauchy:
        words += f"; the most is {1.0 / SCALE:.2f}, one scale off"
    words += f". All pulls average {_words(now.mean)}; variance {now.information:.3f} = {case.formula}"
    return words.replace("x = -", "x = −") + (" = I." if cauchy else ", the Fisher information.")
