"""Overfitting has an address: trained on and on, p(x) of unseen images still rises, and their q get worse.

The gap between log p(x) and the encoder's ELBO is taken apart by natural-gradient steps on each image's own
q: what they gain is the encoder's, the amortisation gap; what they leave is the approximation gap. A walk may
end in a local optimum; the means take the better of two, from the encoder's q and from p(z|x)'s mode.
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
from igviz.models.vae_refinement import Place, walk
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import digits as ink
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from igviz.models.vae import VAE

IMAGES = 60  # of the test images: those of the means, and to choose from
STEPS = 10
# of the grid of log p(x), a tenth of a second: right to 0.02 nats for each image, to 0.001 in the mean
SPACING, RADIUS, ROWS = 0.05, 4.5, 2048
LOWEST, HIGHEST = -24.4, -15.4  # nats, of the means
CELLS, FEWER_CELLS = 72, 36  # to a side, of a posterior at rest and while a slider moves
SDS = (
    3.0,
    2.0,
    1.0,
)  # where the density is exp(−sd²/2) of its highest: for a Gaussian, ellipses of so many sd
PER_SD = 2.0  # of the ellipses
START_SD = 0.1  # of the normal on the mode from which a second walk starts
SAME = 0.3  # sd of the first walk's end: with the mode so near, a second would find nothing better
MUCH, LONG = 0.5, 100  # nats below the best q, still after so many steps: the walk is on another heap
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
_GEOMETRIC = np.geomspace(digit_vaes.STATIONS[0], digit_vaes.STATIONS[-1], 50)
# whose training ELBO is drawn
PASSES = np.unique(np.concatenate([np.round(_GEOMETRIC).astype(int), np.array(digit_vaes.STATIONS)]))
WORDS: dict[str, Any] = {"fontsize": style.TICK_SIZE, "family": style.FONT, "color": style.INK, "zorder": 3.0}


class Measure(NamedTuple):
    """What the test images are given after some epochs, in nats, each of shape (IMAGES,)."""

    elbo: np.ndarray  # with the encoder's q
    refined: np.ndarray  # after STEPS natural-gradient steps on each image's q, the better of two starts
    log_p: np.ndarray
    box: np.ndarray  # ends of where each p(z|x) is at least exp(−2) of its highest, shape (2, IMAGES, 2)
    walk: tuple[Place, ...]  # the steps from the encoder's q, of length STEPS + 1


class View(NamedTuple):
    """One image in the latent plane after some epochs."""

    q: Normal  # the walk, shape (STEPS + 1, 2): first the encoder's
    elbo: np.ndarray  # of each, in nats, shape (STEPS + 1,)
    wrong: bool  # no walk from the encoder's q comes near the best q's ELBO
    centre: np.ndarray  # of what is shown
    reach: float  # of it, to each side
    posterior: tuple[Path, ...]  # regions of p(z|x), the lowest first


@cache
def measure(epoch: int) -> Measure:
    """Return what the test images are given after one of `digit_vaes.STATIONS`."""
    vae, images = digit_vaes.after(epoch), digits().test[:IMAGES]
    line = np.arange(-RADIUS, RADIUS, SPACING)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    grid = grid[np.sum(grid**2, axis=1) < RADIUS**2]
    parts = (grid[start : start + ROWS] for start in range(0, len(grid), ROWS))
    height = np.concatenate([log_joint(epoch, part, images) for part in parts])
    log_p = logsumexp(height, axis=0) + 2.0 * np.log(SPACING)
    high = height >= np.max(height, axis=0) - 0.5 * PER_SD**2
    box = [[end(grid[seen], axis=0) for seen in high.T] for end in (np.min, np.max)]
    start = vae.encode(images)
    places = tuple(walk(vae.decoder, images, start.mean, start.std, STEPS, 1.0))
    places += places[-1:] * (STEPS + 1 - len(places))  # images that have arrived rest
    refined = _refined(vae, images, places[-1], grid[np.argmax(height, axis=0)])
    return Measure(places[0].elbo, refined, log_p, np.array(box), places)


def _refined(vae: VAE, images: np.ndarray, end: Place, mode: np.ndarray) -> np.ndarray:
    """Return the ELBO after STEPS from the encoder's q or from a normal on the mode: the higher."""
    best = end.elbo.copy()
    far = np.any(np.abs(mode - end.mean) > SAME * end.std, axis=1)
    if np.any(far):
        start = Normal(mode[far], np.full(mode[far].shape, START_SD))
        best[far] = np.maximum(best[far], vae.elbo(images[far], vae.refine(images[far], start, STEPS)))
    return best


def log_joint(epoch: int, z: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return log p(x, z), shape (m, n), at z, shape (m, 2), of images, shape (n, 64)."""
    logits = in_double(digit_vaes.after(epoch).decoder)(z)
    alone = log_normaliser(logits) + 0.5 * np.sum(z**2, axis=1) + np.log(2.0 * np.pi)
    return logits @ images.T - alone[:, None]


@lru_cache(maxsize=512)
def view(epoch: int, image: int, moving: bool = False) -> View:
    """Return the way of one image's q by natural-gradient steps, and its posterior."""
    vae, x, known = digit_vaes.after(epoch), digits().test[image : image + 1], measure(epoch)
    mean, std, elbo = (np.stack([place[part][image] for place in known.walk]) for part in range(3))
    q, best, ends = Normal(mean, std), known.refined[image], known.box[:, image]
    wrong = bool(elbo[-1] < best - MUCH and vae.elbo(x, vae.refine(x, steps=LONG))[0] < best - MUCH)
    low = np.min([*(q.mean - PER_SD * q.std), ends[0]], axis=0)
    high = np.max([*(q.mean + PER_SD * q.std), ends[1]], axis=0)
    centre, reach = 0.5 * (low + high), 0.5 * MARGIN * float(np.max(high - low))
    cells = FEWER_CELLS if moving else CELLS
    return View(q, elbo, wrong, centre, reach, _regions(epoch, x, centre, reach, cells))


def _regions(epoch: int, x: np.ndarray, centre: np.ndarray, reach: float, cells: int) -> tuple[Path, ...]:
    """Return where p(z|x) is at least exp(−sd²/2) of its highest value in view; within −1 to 1."""
    side = np.linspace(-1.0, 1.0, cells + 1)
    places = np.stack(np.meshgrid(side, side), axis=-1)
    height = log_joint(epoch, (centre + reach * places).reshape(-1, 2), x).reshape(side.size, side.size)
    levels = [-0.5 * sd**2 for sd in SDS] + [1.0]
    made = _paper().contourf(side, side, height - np.max(height), levels=levels, colors="k")
    made.remove()
    return tuple(made.get_paths())


@cache
def _paper() -> Axes:
    """Return axes on which nothing stays; they are slow to make."""
    return Figure().add_subplot()


def _setup(axes: tuple[Axes, Axes, Axes]) -> None:
    curves, plane, pixels = axes
    for epoch in digit_vaes.STATIONS:  # now, for no later frame is to wait
        measure(epoch)
    curves.set(xscale="log", xlim=(4.2, 1200.0), ylim=(LOWEST, HIGHEST), xlabel="epoch", ylabel="nats")
    curves.set_xticks([5, 20, 50, 200, 1000], ["5", "20", "50", "200", "1,000"])
    curves.minorticks_off()
    for label, look in (("log p(x)", LOG_P), ("training ELBO", TRAINING), ("ELBO, encoder's q", ENCODER)):
        curves.plot([], [], label=label, **look)
    curves.plot([], [], label="ELBO, q refined", **REFINED)
    for label, look in (("amortisation gap", AMORTISATION), ("approximation gap", APPROXIMATION)):
        curves.add_patch(Rectangle((1.0, 0.0), 0.0, 0.0, label=label, zorder=0.6, **look))
    curves.add_patch(Rectangle((1.0, 0.0), 0.0, 0.0, zorder=0.6, facecolor=DENSITY[1], label="p(z|x)"))
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
        "Highest test ELBO": {"epoch": 200},
        "Overfitted": {"epoch": 1000, "image": 55, "steps": 0},
        "Gap closed": {"epoch": 1000, "image": 55, "steps": 10},
        "The wrong heap": {"epoch": 1000, "image": 15, "steps": 10},
    },
    predict=Prediction(
        "At epoch 1,000 the test ELBO has fallen by 2 nats. Has the model's p(x) of test images got worse?",
        ["Yes, as much", "Yes, a little", "No, it has risen"],
        at={"epoch": 1000},
    ),
)
def overfitting(
    axes: tuple[Axes, Axes, Axes],
    epoch: int = 200,
    image: int = 36,
    steps: int = 3,
    moving: bool = False,
) -> str:
    """Train without stopping: the decoder still learns, the encoder overfits, and each q can be mended."""
    curves, plane, pixels = axes
    here = view(epoch, image, moving)
    _draw_curves(curves, epoch)
    regions = PathCollection(here.posterior, facecolors=DENSITY, linewidths=0.0, zorder=1.0)
    plane.add_collection(regions, autolim=False)
    _draw_walk(plane, here, steps)
    decoded = digit_vaes.after(epoch).decode(here.q.mean[[0, steps]])
    ink.show(pixels, ink.mosaic([digits().test[image], *decoded], 1))
    return _sentence(epoch, image, steps, here)


def _draw_curves(curves: Axes, epoch: int) -> None:
    """Draw the means up to this epoch, for what comes later is asked."""
    epochs = [one for one in digit_vaes.STATIONS if one <= epoch]
    elbo, refined, log_p = (np.mean([measure(one)[part] for one in epochs], axis=1) for part in range(3))
    history = digit_vaes.after(digit_vaes.STATIONS[-1]).history
    passes = PASSES[epoch >= PASSES]
    curves.plot(passes, [history[one - 1].elbo for one in passes], zorder=0.9, **TRAINING)
    style.area(curves, epochs, elbo, refined, zorder=0.7, **AMORTISATION)
    style.area(curves, epochs, refined, log_p, zorder=0.7, **APPROXIMATION)
    curves.axvline(epoch, zorder=0.8, color=style.GREY, linewidth=1.2)
    for values, look in ((elbo, ENCODER), (refined, REFINED), (log_p, LOG_P)):
        curves.plot(epochs, values, zorder=1.5, **look)
        point = {"marker": "o", **look, "markersize": 9}
        curves.plot([epoch], [values[-1]], zorder=2.0, **point)


def _sentence(epoch: int, image: int, steps: int, here: View) -> str:
    means = measure(epoch)
    elbo, refined, log_p = (np.mean(one) for one in means[:3])
    after = f", after {steps} {'step' if steps == 1 else 'steps'} {here.elbo[steps]:.2f}" if steps else ""
    lost = here.wrong and steps == STEPS
    end = f"; the walk ends on the wrong heap: another q has {means.refined[image]:.2f}" if lost else ""
    start = f"Epoch {epoch:,}: ELBO {elbo:.2f}, refined {refined:.2f}, log p(x) {log_p:.2f}"
    one = f"Image {image}: {here.elbo[0]:.2f}{after}, log p(x) {means.log_p[image]:.2f}{end}"
    return f"{start} ({IMAGES} test images). {one}.".replace(" -", " −")


def _draw_walk(plane: Axes, here: View, steps: int) -> None:
    """Draw the encoder's q, the walk as far as it has gone, and q there."""
    mean, std = (here.q.mean - here.centre) / here.reach, here.q.std / here.reach
    ends = ((0, 2.1, style.APPROXIMATION), (steps, 2.0, style.NATURAL_GRADIENT))
    for number, zorder, look in ends if steps else ends[:1]:
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
    way: dict[str, Any] = {"color": style.VERMILLION, "linewidth": 1.4}
    plane.plot(*mean[: steps + 1].T, marker=".", markersize=7, zorder=2.2, **way)
    plane.plot(*mean[:1].T, zorder=2.3, **style.APPROXIMATION_POINT)
    if steps:
        plane.plot(*mean[steps : steps + 1].T, zorder=2.4, marker="D", markersize=8, **way)
    _draw_ruler(plane, here.reach)


def _draw_ruler(plane: Axes, reach: float) -> None:
    """Draw how long a round number is in the picture."""
    power = 10.0 ** np.floor(np.log10(reach))
    length = max(part * power for part in (0.2, 0.5, 1.0) if part * power < 0.6 * reach)
    plane.plot([-0.92, -0.92 + length / reach], [-0.92] * 2, color=style.INK, linewidth=2.0, zorder=3.0)
    plane.text(-0.92, -0.88, f"{length:g}", **WORDS)
