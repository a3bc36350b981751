"""Overfitting has an address: trained on and on, p(x) of unseen images still rises, and their q get worse.

The gap between log p(x) and the encoder's ELBO is taken apart by natural-gradient steps on each image's own
q: what they gain is the encoder's, the amortisation gap; what they leave is the approximation gap.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle
from matplotlib.path import Path
from scipy.special import logsumexp

from igviz.geometry.families.normal import Normal
from igviz.models import digit_vaes
from igviz.models.images import digits
from igviz.models.vae_quadrature import in_double, log_normaliser
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import digits as ink
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

IMAGES = 60  # of the test images: those of the means, and to choose from
STEPS = 10
# of the grid of log p(x), a tenth of a second: right to 0.02 nats for each image, to 0.001 in the mean
SPACING, RADIUS, ROWS = 0.05, 4.5, 2048
LOWEST, HIGHEST = -24.4, -15.4  # nats, of the means
CELLS = 72  # to a side, of a posterior
SDS = (
    3.0,
    2.0,
    1.0,
)  # where the density is exp(−sd²/2) of its highest: for a Gaussian, ellipses of so many sd
PER_SD = 2.0  # of the ellipses
MARGIN = 1.2

LOG_P: dict[str, Any] = {**style.TARGET}
REFINED: dict[str, Any] = {**style.NATURAL_GRADIENT, "marker": "D", "markersize": 5.5}
ENCODER: dict[str, Any] = {**style.APPROXIMATION, "marker": "s", "markersize": 5.5}
TRAINING: dict[str, Any] = {**style.GUIDE, "linewidth": 1.8}
AMORTISATION: dict[str, Any] = {"facecolor": "#CFE3F1", "edgecolor": style.BLUE, "linewidth": 0.0}
APPROXIMATION: dict[str, Any] = {
    "facecolor": style.PAPER,
    "edgecolor": style.VERMILLION,
    "hatch": "////",
    "linewidth": 0.0,
}
DENSITY = ("#E4E4E4", "#BDBDBD", "#8F8F8F")
WORDS: dict[str, Any] = {"fontsize": style.TICK_SIZE, "family": style.FONT, "color": style.INK, "zorder": 3.0}


class Measure(NamedTuple):
    """What the test images are given after some epochs, in nats, each of shape (IMAGES,)."""

    elbo: np.ndarray  # with the encoder's q
    refined: np.ndarray  # after STEPS natural-gradient steps on each image's q
    log_p: np.ndarray
    box: np.ndarray  # ends of where each p(z|x) is at least exp(−2) of its highest, shape (2, IMAGES, 2)


class View(NamedTuple):
    """One image in the latent plane after some epochs."""

    q: Normal  # the walk, shape (STEPS + 1, 2): first the encoder's
    elbo: np.ndarray  # of each, in nats, shape (STEPS + 1,)
    centre: np.ndarray  # of what is shown
    reach: float  # of it, to each side
    posterior: tuple[Path, ...]  # regions of p(z|x), the lowest first


@cache
def measure(epoch: int) -> Measure:
    """Return what the test images are given after one of `digit_vaes.STATIONS`."""
    vae, images = digit_vaes.after(epoch), digits().test[:IMAGES]
    q = vae.refine(images, steps=STEPS)
    line = np.arange(-RADIUS, RADIUS, SPACING)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    grid = grid[np.sum(grid**2, axis=1) < RADIUS**2]
    parts = (grid[start : start + ROWS] for start in range(0, len(grid), ROWS))
    height = np.concatenate([log_joint(epoch, part, images) for part in parts])
    log_p = logsumexp(height, axis=0) + 2.0 * np.log(SPACING)
    high = height >= np.max(height, axis=0) - 0.5 * PER_SD**2
    box = [[end(grid[seen], axis=0) for seen in high.T] for end in (np.min, np.max)]
    return Measure(vae.elbo(images), vae.elbo(images, q), log_p, np.array(box))


def log_joint(epoch: int, z: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return log p(x, z), shape (m, n), at z, shape (m, 2), of images, shape (n, 64)."""
    logits = in_double(digit_vaes.after(epoch).decoder)(z)
    alone = log_normaliser(logits) + 0.5 * np.sum(z**2, axis=1) + np.log(2.0 * np.pi)
    return logits @ images.T - alone[:, None]


@lru_cache(maxsize=512)
def view(epoch: int, image: int) -> View:
    """Return the way of one image's q by natural-gradient steps, and its posterior."""
    vae, x = digit_vaes.after(epoch), digits().test[image : image + 1]
    # each anew from the encoder's: how long a step is depends on those before it
    walk = [vae.encode(x), *(vae.refine(x, steps=count) for count in range(1, STEPS + 1))]
    q = Normal(np.concatenate([one.mean for one in walk]), np.concatenate([one.std for one in walk]))
    elbo = np.concatenate([vae.elbo(x, one) for one in walk])
    ends = measure(epoch).box[:, image]
    low = np.min([*(q.mean - PER_SD * q.std), ends[0]], axis=0)
    high = np.max([*(q.mean + PER_SD * q.std), ends[1]], axis=0)
    centre, reach = 0.5 * (low + high), 0.5 * MARGIN * float(np.max(high - low))
    return View(q, elbo, centre, reach, _regions(epoch, x, centre, reach))


def _regions(epoch: int, x: np.ndarray, centre: np.ndarray, reach: float) -> tuple[Path, ...]:
    """Return where p(z|x) is at least exp(−sd²/2) of its highest value in view; within −1 to 1."""
    side = np.linspace(-1.0, 1.0, CELLS + 1)
    places = np.stack(np.meshgrid(side, side), axis=-1)
    height = log_joint(epoch, (centre + reach * places).reshape(-1, 2), x).reshape(side.size, side.size)
    levels = [-0.5 * sd**2 for sd in SDS] + [1.0]
    made = Figure().add_subplot().contourf(side, side, height - np.max(height), levels=levels)
    return tuple(made.get_paths())


def _setup(axes: tuple[Axes, Axes, Axes]) -> None:
    curves, plane, pixels = axes
    epochs = digit_vaes.STATIONS
    curves.set(xscale="log", xlim=(4.2, 1200.0), ylim=(LOWEST, HIGHEST), xlabel="epoch", ylabel="nats")
    curves.set_xticks([5, 20, 50, 200, 1000], ["5", "20", "50", "200", "1,000"])
    curves.minorticks_off()
    all_ = [measure(epoch) for epoch in epochs]
    elbo, refined, log_p = (np.mean([one[part] for one in all_], axis=1) for part in range(3))
    curves.plot(epochs, log_p, label="log p(x)", zorder=1.5, **LOG_P)
    history = digit_vaes.after(epochs[-1]).history
    passes = np.unique(np.round(np.geomspace(epochs[0], epochs[-1], 50)).astype(int))
    curves.plot(
        passes, [history[one - 1].elbo for one in passes], label="training ELBO", zorder=0.9, **TRAINING
    )
    curves.plot(epochs, elbo, label="ELBO, encoder's q", zorder=1.5, **ENCODER)
    curves.plot(epochs, refined, label=f"ELBO, {STEPS} steps on q", zorder=1.5, **REFINED)
    curves.fill_between(epochs, elbo, refined, label="amortisation gap", zorder=0.7, **AMORTISATION)
    curves.fill_between(epochs, refined, log_p, label="approximation gap", zorder=0.7, **APPROXIMATION)
    curves.add_patch(Rectangle((1.0, 0.0), 0.0, 0.0, facecolor=DENSITY[1], label="p(z|x)"))
    style.legend_above(curves, 4, columnspacing=1.2)  # it reaches over the plane
    curves.set_title(" \n ", fontsize=style.LABEL_SIZE, family=style.FONT, pad=6.0)
    plane.set(xlim=(-1.0, 1.0), ylim=(-1.0, 1.0), aspect="equal", xlabel="z₁", ylabel="z₂")
    plane.set_xticks([])
    plane.set_yticks([])
    plane.grid(False)
    for spine in plane.spines.values():
        spine.set_visible(True)
    ink.prepare(pixels)
    rows = 3 * ink.SIDE + 2 * ink.GAP
    pixels.set(xlim=(-0.5, ink.SIDE - 0.5), ylim=(rows - 0.5, -0.5), aspect="equal")
    middles = [(ink.SIDE + ink.GAP) * row + 0.5 * (ink.SIDE - 1) for row in range(3)]
    pixels.set_yticks(middles, ["x", "■", "◆"])
    pixels.tick_params(axis="y", length=0.0)
    for text, look in zip(pixels.get_yticklabels()[1:], (ENCODER, REFINED), strict=True):
        text.set(color=look["color"], fontsize=style.LABEL_SIZE + 2.0)


@panel(
    layout=(1, 3),
    widths=(3.2, 2.9, 0.85),
    setup=_setup,
    epoch=Slider(choices=digit_vaes.STATIONS, label="epoch"),
    image=Slider(0, IMAGES - 1, 1, label="test image"),
    steps=Slider(0, STEPS, 1, label="steps on its own q"),
    play="steps",
    scenes={
        "Early": {"epoch": 20},
        "The best epoch": {"epoch": 200},
        "Overfitted": {"epoch": 1000, "image": 55, "steps": 0},
        "Gap closed": {"epoch": 1000, "image": 55, "steps": 10},
        "A hard image": {"epoch": 1000, "image": 15, "steps": 10},
    },
    predict=Prediction(
        "At epoch 1,000 the test ELBO has fallen by 2 nats. Has the model's p(x) of test images got worse?",
        ["Yes, as much", "Yes, a little", "No, it has risen"],
        at={"epoch": 1000},
    ),
)
def overfitting(axes: tuple[Axes, Axes, Axes], epoch: int = 200, image: int = 36, steps: int = 3) -> str:
    """Train without stopping: the decoder still learns, the encoder overfits, and each q can be mended."""
    curves, plane, pixels = axes
    means, here = measure(epoch), view(epoch, image)
    curves.axvline(epoch, zorder=0.8, color=style.GREY, linewidth=1.2)
    for values, look in zip(means, (ENCODER, REFINED, {**LOG_P, "marker": "o"}), strict=False):
        curves.plot([epoch], [np.mean(values)], zorder=2.0, **{**look, "markersize": 9})
    regions = PathCollection(here.posterior, facecolors=DENSITY, linewidths=0.0, zorder=1.0)
    plane.add_collection(regions, autolim=False)
    _draw_walk(plane, here, steps)
    decoded = digit_vaes.after(epoch).decode(here.q.mean[[0, steps]])
    ink.show(pixels, ink.mosaic([digits().test[image], *decoded], 1))
    start = f"Epoch {epoch:,}: mean ELBO {np.mean(means.elbo):.2f}, log p(x) {np.mean(means.log_p):.2f}"
    return (
        f"{start} nats over {IMAGES} test images. Image {image}: ELBO {here.elbo[0]:.2f}, after {steps} "
        f"{'step' if steps == 1 else 'steps'} {here.elbo[steps]:.2f}, log p(x) {means.log_p[image]:.2f}."
    ).replace(" -", " −")


def _draw_walk(plane: Axes, here: View, steps: int) -> None:
    """Draw the encoder's q, the walk as far as it has gone, and q there."""
    mean, std = (here.q.mean - here.centre) / here.reach, here.q.std / here.reach
    # the dashes above, so that both are seen before the first step
    for number, zorder, look in ((0, 2.1, style.APPROXIMATION), (steps, 2.0, style.NATURAL_GRADIENT)):
        edge = {"edgecolor": look["color"], "linestyle": look["linestyle"], "linewidth": look["linewidth"]}
        plane.add_artist(
            Ellipse(
                mean[number],
                *(2.0 * PER_SD * std[number]),
                fill=False,
                zorder=zorder,
                **edge,
            )
        )
    plane.plot(
        *mean[: steps + 1].T, marker=".", markersize=7, zorder=2.2, color=style.VERMILLION, linewidth=1.4
    )
    plane.plot(*mean[:1].T, zorder=2.3, **style.APPROXIMATION_POINT)
    plane.plot(*mean[steps : steps + 1].T, zorder=2.4, color=style.VERMILLION, marker="D", markersize=8)
    _draw_ruler(plane, here.reach)


def _draw_ruler(plane: Axes, reach: float) -> None:
    """Draw how long a round number is in the picture."""
    power = 10.0 ** np.floor(np.log10(reach))
    length = max(part * power for part in (0.2, 0.5, 1.0) if part * power < 0.6 * reach)
    plane.plot([-0.92, -0.92 + length / reach], [-0.92] * 2, color=style.INK, linewidth=2.0, zorder=3.0)
    plane.text(-0.92, -0.88, f"{length:g}", **WORDS)
