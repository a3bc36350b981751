"""A distribution is a point: the half-plane of normals beside their densities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from igviz.geometry.families.normal import Normal
from igviz.models import skewed_posterior
from igviz.panels.engine import Prediction, panel
from igviz.plots import half_plane, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RULER = 0.35  # Fisher–Rao radius of the ovals
ROWS = 0.25 * np.exp(np.sqrt(2.0) * RULER) ** np.arange(7)  # so that one row touches the next
X = np.linspace(-5.0, 4.0, 226)
STANDARDISED = np.linspace(-12.0, 12.0, 1_201)
POSTERIOR = skewed_posterior.posterior_pdf(X)
WEIGHT = skewed_posterior.posterior_pdf(skewed_posterior.GRID)
OUTCOMES = WEIGHT > 0.0
NEGENTROPY = float(np.trapezoid(WEIGHT[OUTCOMES] * np.log(WEIGHT[OUTCOMES]), skewed_posterior.GRID[OUTCOMES]))


def kl_from_posterior(q: Normal) -> float:
    """Return KL(posterior‖q) in nats, by the trapezoid rule."""
    cross = np.trapezoid(WEIGHT * q.log_prob(skewed_posterior.GRID), skewed_posterior.GRID)
    return float(NEGENTROPY - cross)


def kl_to_posterior(q: Normal) -> float:
    """Return KL(q‖posterior) in nats, by the trapezoid rule."""
    z = q.mean + q.std * STANDARDISED
    log_q = q.log_prob(z)
    log_posterior = skewed_posterior.log_joint(z) - skewed_posterior.log_evidence()
    return float(np.trapezoid(np.exp(log_q) * (log_q - log_posterior), z))


def _setup(axes: tuple[Axes, Axes]) -> None:
    plane, bells = axes
    half_plane.prepare(plane, (-3.2, 2.2), (0, 4.9))
    half_plane.rulers(plane, ROWS, RULER)
    plane.set_xticks([-3, -2, -1, 0, 1, 2])
    plane.set_yticks([0, 1, 2, 3, 4])
    plane.plot(*skewed_posterior.posterior_moments(), **style.TARGET_POINT, label="posterior's mean, std")
    plane.plot([], [], label="N(mean, std)", **style.APPROXIMATION_POINT)
    style.legend_above(plane, 2, handlelength=1.0)
    bells.set(xlim=(-5, 4), ylim=(0, 1.05), xlabel="z", ylabel="density")
    bells.set_yticks([0, 0.5, 1])
    bells.plot(X, POSTERIOR, label="posterior", **style.TARGET)
    bells.plot([], [], label="N(mean, std)", **style.APPROXIMATION)
    style.legend_above(bells, 2)


@panel(
    layout=(1, 2),
    widths=(1.25, 1.0),
    setup=_setup,
    mean=(-3, 2, 0.01),
    std=(0.4, 3, 0.01),
    drag=("mean", "std", 0),
    scenes={
        "Match mean and std": {"mean": -0.23, "std": 0.86},
        "Too narrow": {"mean": -0.23, "std": 0.4},
        "Too wide": {"mean": -0.23, "std": 2},
        "Far off": {"mean": 2, "std": 0.4},
    },
    predict=Prediction(
        "Give N the posterior's own mean and std. What is left of KL(posterior‖N)?",
        ["Nothing: it is 0", "A few hundredths of a nat", "About half a nat"],
        at={"mean": -0.23, "std": 0.86},
    ),
)
def point(axes: tuple[Axes, Axes], mean: float = -1.5, std: float = 1.5) -> str:
    """One point of the half-plane is one bell: drag it to the posterior and read how far it still is."""
    plane, bells = axes
    q = Normal(mean, std)
    bells.plot(X, q.pdf(X), **style.APPROXIMATION)
    plane.plot([mean], [std], **style.APPROXIMATION_POINT)
    where = f"{mean:.2f}".replace("-", "−")
    return (
        f"N({where}, {std:.2f}) has entropy {q.entropy():.3f} nats. "
        f"By quadrature, KL(posterior‖N) = {kl_from_posterior(q):.3f} nats "
        f"and KL(N‖posterior) = {kl_to_posterior(q):.3f} nats."
    )
