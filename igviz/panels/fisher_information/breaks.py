"""Where Fisher information breaks: an end that moves, a component that fades, a kink."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patches import Polygon

from igviz.geometry.regularity import (
    Information,
    LaplaceLocation,
    MixturePosition,
    NormalMean,
    OneParameterModel,
    UniformEnd,
)
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNIFORM, MIXTURE, LAPLACE, NORMAL = CASES = (
    "Uniform on (0, θ)",
    "Mixture",
    "Laplace location",
    "Normal mean",
)
STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5)
CURVE = np.geomspace(STEPS[0], STEPS[-1], 31)
X = np.linspace(-4.0, 5.0, 226)
BESIDE = 1e-9  # to both sides of a jump or a kink
NOTHING, EVERYTHING = 10**-11.5, 10**1.5  # where KL = 0 and KL = ∞ are drawn
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

BAND: dict[str, Any] = {"color": "#C4C4C4", "linestyle": "-", "linewidth": 8.0, "solid_capstyle": "butt"}
# a circle within a square: both are seen where they meet
P: dict[str, Any] = {**style.TARGET_POINT, "markersize": 6.0, "markeredgecolor": style.PAPER}
Q: dict[str, Any] = {**style.APPROXIMATION_POINT, "markersize": 10.0}
NOTE: dict[str, Any] = {"fontsize": 10.0, "color": style.INK, "family": style.FONT, "ha": "left", "va": "top"}
WEAK: dict[str, Any] = {"facecolor": style.LIGHT, "edgecolor": style.GREY, "linewidth": 0.8}


def model(case: str, scale: float, w: float) -> OneParameterModel:
    """Return the model that the sliders name."""
    if case == UNIFORM:
        return UniformEnd(scale)
    if case == MIXTURE:
        return MixturePosition(w, scale)
    return LaplaceLocation(scale) if case == LAPLACE else NormalMean(scale)


class Curves(NamedTuple):
    """What does not depend on δ."""

    there: np.ndarray  # KL(p‖q) at the steps CURVE, 0 and ∞ where they are drawn
    back: np.ndarray
    information: Information


@lru_cache(maxsize=512)
def curves(one: OneParameterModel) -> Curves:
    """Return the divergences of a model along the steps, and its information."""
    there, back = (np.clip(values, NOTHING, EVERYTHING) for values in one.kl(CURVE))
    return Curves(there, back, one.information())


@lru_cache(maxsize=4096)
def here(one: OneParameterModel, delta: float) -> tuple[float, float, float]:
    """Return KL(p‖q), KL(q‖p) and the slope of the first in the log–log picture."""
    there, back = one.kl(delta)
    return float(there), float(back), one.order(delta)


def outline(one: OneParameterModel, step: float) -> np.ndarray:
    """Return points of the density's graph, shape (2, n), with its jumps and kinks where they are."""
    corners: tuple[float, ...] = ()
    if isinstance(one, UniformEnd):
        corners = (0.0, one.end + step)
    elif isinstance(one, LaplaceLocation):
        corners = (step,)
    x = np.sort(np.concatenate([X, *([corner - BESIDE, corner + BESIDE] for corner in corners)]))
    return np.stack([x, one.pdf(x, step)])


def parameter(one: OneParameterModel) -> float:
    """Return the parameter that moves."""
    if isinstance(one, UniformEnd):
        return one.end
    return one.position if isinstance(one, MixturePosition) else 0.0


def number(value: float) -> str:
    """Write a number with three digits, very small ones with a power of ten."""
    rounded = float(f"{value:.2e}")
    if abs(rounded) < 1e-12:
        return "0"
    if abs(rounded) >= 0.001:
        digits = max(0, 2 - int(np.floor(np.log10(abs(rounded)))))
        return f"{rounded:.{digits}f}".replace("-", "−")
    mantissa, power = f"{rounded:.2e}".split("e")
    return f"{mantissa}·10{str(int(power)).translate(SUPERSCRIPTS)}".replace("-", "−")


def _setup(axes: tuple[Axes, Axes]) -> None:
    densities, orders = axes
    densities.set(
        xlim=(X[0], X[-1]), ylim=(0.0, 1.08), xlabel="x (on the axis: θ and θ + δ)", ylabel="density"
    )
    densities.set_yticks([0, 0.5, 1])
    densities.plot([], [], label="p, at θ", **style.TARGET)
    densities.plot([], [], label="q, at θ + δ", **style.APPROXIMATION)
    densities.fill([], [], label="weak part", **WEAK)
    style.legend_above(densities, 3, handlelength=1.8, columnspacing=0.8, handletextpad=0.4)
    orders.set(xscale="log", yscale="log", xlim=(STEPS[0] / 1.3, STEPS[-1] * 1.3), ylim=(1e-12, 1e2))
    orders.set(xlabel="step δ", ylabel="KL in nats")
    orders.set_xticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    orders.set_yticks([NOTHING, 1e-9, 1e-6, 1e-3, 1.0, EVERYTHING], ["0", "10⁻⁹", "10⁻⁶", "0.001", "1", "∞"])
    orders.minorticks_off()
    orders.plot([], [], label="KL(p‖q)", **style.TARGET)
    orders.plot([], [], label="KL(q‖p)", **style.APPROXIMATION)
    orders.plot([], [], label="½·I·δ²", **BAND)
    style.legend_above(orders, 3, handlelength=1.8, columnspacing=0.8, handletextpad=0.4)


def _sentence(one: OneParameterModel, delta: float) -> str:
    there, back, slope = here(one, delta)
    outer, hessian, mean = (number(value) for value in curves(one).information)
    place = f"slope {slope:.3f} at δ = {delta:g}"
    if isinstance(one, UniformEnd):
        return (
            f"KL(p‖q) = log(1 + δ/θ) = {number(there)} nats, {place} and not 2; KL(q‖p) is infinite. "
            f"E[score] = {mean}, not 0. Outer product {outer}, Hessian form {hessian}: no ½·I·δ²."
        )
    if isinstance(one, LaplaceLocation):
        return (
            f"KL is {number(there)} nats both ways, {place}. E[score] = {mean}. Outer product 1/b² = {outer} "
            f"is right; the Hessian form is {hessian}: log p is straight but for a kink that moves."
        )
    if isinstance(one, NormalMean):
        return (
            f"KL is {number(there)} nats both ways, {place}. E[score] = {mean}; outer product {outer} = "
            f"Hessian form {hessian} = I, and KL is ½·I·δ² for every δ."
        )
    assert isinstance(one, MixturePosition)
    fisher = one.fisher()
    determinant = number(float(np.linalg.det(fisher)))
    if one.weight == 0.0:
        return (
            f"w = 0 is no interior point: m moves by δ = {delta:g}, p stays, both KL are 0. "
            f"E[score] = {mean}, outer product {outer}, Hessian form {hessian}. "
            f"I(w) = {number(fisher[0, 0])}, yet the matrix of (w, m) has det {determinant}."
        )
    return (
        f"KL(p‖q) {number(there)}, KL(q‖p) {number(back)} nats, {place}. E[score] = {mean}; outer product "
        f"{outer} = Hessian form {hessian} = I(m). Matrix of (w, m): det {determinant}."
    )


@panel(
    layout=(1, 2),
    setup=_setup,
    case=Slider(choices=CASES),
    delta=Slider(choices=STEPS, label="step δ"),
    scale=Slider(1, 2, 0.1, label="θ, b or std"),
    w=Slider(choices=WEIGHTS, label="w (mixture)"),
    play="delta",
    scenes={
        "All is well": {"case": NORMAL},
        "The end moves": {"case": UNIFORM},
        "A part fades": {"w": 0.02},
        "A part is dead": {"w": 0.0},
        "A kink moves": {"case": LAPLACE},
    },
    predict=Prediction(
        "The end of a uniform moves from θ to θ + δ. Halve the step δ: what happens to KL(p‖q)?",
        ["It falls to about a quarter", "It falls to about a half", "It stays infinite"],
        at={"case": UNIFORM, "delta": 0.1},
    ),
)
def breaks(
    axes: tuple[Axes, Axes], case: str = MIXTURE, delta: float = 0.2, scale: float = 1.0, w: float = 0.2
) -> str:
    """Three models on which Fisher information breaks, and one on which it does not."""
    densities, orders = axes
    one = model(case, scale, w)
    start = parameter(one)
    if isinstance(one, MixturePosition):
        part = np.stack([X, one.component(X)], axis=-1)
        densities.add_artist(Polygon(np.vstack([[X[0], 0.0], part, [X[-1], 0.0]]), **WEAK))
    densities.plot(*outline(one, 0.0), **style.TARGET)
    densities.plot(*outline(one, delta), **style.APPROXIMATION)
    there, back, information = curves(one)
    now = here(one, delta)
    if isinstance(one, UniformEnd):  # nothing to compare with but the slope that there ought to be
        orders.plot(CURVE, there[-1] * CURVE**2, **style.GUIDE)
        orders.text(0.0025, there[-1] * 0.002**2, "slope 2", **NOTE)
    else:
        orders.plot(CURVE, np.maximum(0.5 * information.outer_product * CURVE**2, NOTHING), **BAND)
    orders.plot(CURVE, there, **style.TARGET)
    orders.plot(CURVE, back, **style.APPROXIMATION)
    for step, point, marker in ((delta, now[1], Q), (0.0, now[0], P)):
        densities.plot([start + step], [0.0], clip_on=False, **marker)
        orders.plot([delta], np.clip([point], NOTHING, EVERYTHING), **marker)
    return _sentence(one, delta)
