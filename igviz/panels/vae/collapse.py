"""The weight β of the KL: what the encoder says about an image, unit by unit, until it says nothing.

All autoencoders are trained alike but for β, by `igviz.models.digit_vaes.by_beta`, each when it is first
looked at: while a slider moves, an untrained one is stood in for by the nearest that is trained.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patches import Circle, Ellipse, Rectangle

from igviz.models import digit_vaes
from igviz.models.images import digits
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import digits as ink
from igviz.plots import stored, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

IMAGES = 50  # to choose from
COLLAPSED = 0.05  # nats: a unit whose mean KL is smaller says next to nothing
GAP = 4  # pixels between the two digits, for a word
REACH = 4.1  # of the latent plane
PER_SD = 2.0  # sd: the radius of the prior's circle and of q's ellipse
HIGHEST_KL, HIGHEST = 4.4, 29.0  # nats
BAR = 0.7  # width
TOPS = (GAP, ink.SIDE + 2 * GAP)  # of the two digits

UNITS: tuple[dict[str, Any], ...] = (
    {"facecolor": style.BLUE, "edgecolor": style.PAPER, "linewidth": 0.8},
    {"facecolor": style.PAPER, "edgecolor": style.GREEN, "hatch": "////", "linewidth": 1.2},
)
RECONSTRUCTION: dict[str, Any] = {"facecolor": style.LIGHT, "edgecolor": style.GREY, "linewidth": 0.8}
WORDS: dict[str, Any] = {
    "fontsize": style.TEXT_SIZE,
    "family": style.FONT,
    "color": style.INK,
    "ha": "center",
    "zorder": 3.0,
}


class Account(NamedTuple):
    """What one autoencoder makes of the validation images, in nats."""

    mean: np.ndarray  # of q(z|x), shape (n, 2)
    std: np.ndarray  # shape (n, 2)
    kl: np.ndarray  # of each unit, shape (n, 2)
    elbo: np.ndarray  # with β = 1, shape (n,)
    decoded: np.ndarray  # pixels' probabilities at the mean, of the images to choose from, shape (IMAGES, 64)

    @property
    def reconstruction(self) -> np.ndarray:
        """E_q[log p(x|z)], shape (n,)."""
        return self.elbo + np.sum(self.kl, axis=1)


@cache
def account(beta: float) -> Account:
    """Return the account of the autoencoder trained with this β; the first time it is trained (1 to 5 s)."""
    vae, images = digit_vaes.by_beta(beta), digits().validation
    q = vae.encode(images)
    return Account(q.mean, q.std, vae.kl(images), vae.elbo(images), vae.decode(q.mean[:IMAGES]))


def standing_in(beta: float) -> float:
    """Return the nearest β whose autoencoder is trained; the given one where there is none."""
    ready = [one for one in digit_vaes.BETAS if digit_vaes.is_trained(one)]
    return min(ready, key=lambda one: abs(math.log(one / beta)), default=beta)


@cache
def codes(beta: float) -> stored.Pixels:
    """Return the images' codes, as numerals, as pixels: drawn once for a β and a size of picture."""
    return stored.Pixels(lambda: ink.numerals(account(beta).mean, digits().validation_labels))


def _setup(axes: tuple[Axes, Axes, Axes, Axes]) -> None:
    plane, units, whole, pixels = axes
    plane.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal", xlabel="z₁", ylabel="z₂")
    plane.set_xticks([-4, -2, 0, 2, 4])
    plane.set_yticks([-4, -2, 0, 2, 4])
    plane.add_patch(Circle((0.0, 0.0), PER_SD, fill=False, zorder=0.9, **_patch(style.GUIDE)))
    units.set(xlim=(-0.55, 1.55), ylim=(0.0, HIGHEST_KL), ylabel="validation mean of the KL, nats")
    units.set_xticks([0, 1], ["1", "2"])
    units.set_xlabel("unit")
    whole.set(xlim=(-0.55, 1.55), ylim=(0.0, HIGHEST), ylabel="validation mean, nats")
    units.set_yticks([0, 1, 2, 3, 4])
    whole.set_xticks([0, 1], ["−ELBO", "\n−β-ELBO"])
    for one in (units, whole, pixels):
        one.set_title(" ", fontsize=style.LABEL_SIZE, family=style.FONT, pad=6.0)  # beside the legend
    for one in (units, whole):
        one.grid(False, axis="x")
        one.tick_params(axis="x", length=0.0)
    plane.plot([], [], label="q, 2 sd", **style.APPROXIMATION)
    plane.plot([], [], label="prior, 2 sd", **style.GUIDE)
    for words, look in (
        ("−reconstruction", RECONSTRUCTION),
        ("KL of unit 1", UNITS[0]),
        ("KL of unit 2", UNITS[1]),
    ):
        plane.add_patch(Rectangle((0.0, 0.0), 0.0, 0.0, label=words, **look))
    style.legend_above(plane, 5, handlelength=2.0)  # it reaches over all
    ink.prepare(pixels)
    for spine in pixels.spines.values():
        spine.set_visible(False)
    pixels.set(xlim=(-0.8, ink.SIDE - 0.2), ylim=(2.0 * (ink.SIDE + GAP) - 0.5, -0.5), aspect="equal")
    for top, word in zip(TOPS, ("x", "decoded"), strict=True):
        pixels.text(0.5 * (ink.SIDE - 1), top - 1.0, word, va="bottom", **WORDS)
        frame = Rectangle(
            (-0.5, top - 0.5), ink.SIDE, ink.SIDE, fill=False, edgecolor=style.LIGHT, zorder=2.0
        )
        pixels.add_patch(frame)


@panel(
    layout=(1, 4),
    widths=(3.6, 1.1, 1.3, 0.8),
    setup=_setup,
    beta=Slider(choices=digit_vaes.BETAS, value=1.0, label="β, weight of the KL"),
    image=Slider(0, IMAGES - 1, 1, label="validation image"),
    play="image",
    scenes={
        "β = 1: the ELBO": {"beta": 1.0},
        "Too little": {"beta": digit_vaes.BETAS[0]},
        "Dearer": {"beta": 2.0},
        "Collapse": {"beta": 4.0},
    },
    predict=Prediction(
        f"The encoder spends 3.5 nats of KL on an image at β = 1. How many at β = {digit_vaes.BETAS[-1]:g}?",
        ["About 3.5: the data ask for it", "About 1", "Less than 0.01"],
        at={"beta": digit_vaes.BETAS[-1]},
    ),
)
def collapse(
    axes: tuple[Axes, Axes, Axes, Axes], beta: float = 1.0, image: int = 4, moving: bool = False
) -> str:
    """Weigh the KL more and more: unit after unit says nothing about the image. Only β = 1 is the ELBO."""
    plane, units, whole, pixels = axes
    shown = standing_in(beta) if moving else beta
    made = account(shown)
    kl = np.mean(made.kl, axis=0)
    plane.add_artist(stored.Stored(codes(shown)))
    size = 2.0 * PER_SD * made.std[image]
    plane.add_artist(
        Ellipse(tuple(made.mean[image]), *size, fill=False, zorder=2.5, **_patch(style.APPROXIMATION))
    )
    for number, look in enumerate(UNITS):
        units.add_artist(Rectangle((number - 0.5 * BAR, 0.0), BAR, kl[number], zorder=1.5, **look))
        units.text(number, kl[number] + 0.03 * HIGHEST_KL, f"{kl[number]:.2f}", **WORDS)
    lost = -float(np.mean(made.reconstruction))
    for number, weight in enumerate((1.0, shown)):
        _stack(whole, number, [lost, *(weight * kl)])
    for top, digit in zip(TOPS, (digits().validation[image], made.decoded[image]), strict=True):
        place = (-0.5, ink.SIDE - 0.5, top + ink.SIDE - 0.5, top - 0.5)
        ink.show(pixels, digit, extent=place)
    return _sentence(beta, shown, made, image)


def _stack(axes: Axes, place: int, heights: list[float]) -> None:
    """Stack reconstruction and the units' KLs, and write the sum above."""
    bottom = 0.0
    for height, look in zip(heights, (RECONSTRUCTION, *UNITS), strict=True):
        axes.add_artist(Rectangle((place - 0.5 * BAR, bottom), BAR, height, zorder=1.5, **look))
        bottom += height
    axes.text(place, bottom + 0.02 * HIGHEST, f"{bottom:.1f}", **WORDS)


def _patch(line: style.LineStyle) -> dict[str, Any]:
    return {"edgecolor": line["color"], "linestyle": line["linestyle"], "linewidth": line["linewidth"]}


def _sentence(beta: float, shown: float, made: Account, image: int) -> str:
    kl, elbo = np.mean(made.kl, axis=0), float(np.mean(made.elbo))
    objective = elbo + (1.0 - shown) * float(np.sum(kl))
    gone = [str(unit) for unit, one in enumerate(kl, start=1) if one < COLLAPSED]
    collapsed = {0: "", 1: f", unit {''.join(gone)} has collapsed", 2: ", both have collapsed"}[len(gone)]
    account_ = (
        f"ELBO {elbo:.2f} is the objective"
        if shown == 1.0
        else f"ELBO {elbo:.2f}; the β-ELBO it was trained for is {objective:.2f}"
    )
    words = f"β = {shown:g}: the units' mean KLs are {kl[0]:.2f} and {kl[1]:.2f} nats{collapsed}; {account_}."
    if shown == beta:
        kl_here, elbo_here = np.sum(made.kl[image]), made.elbo[image]
        words += (
            f" Image {image}, a {digits().validation_labels[image]}: KL {kl_here:.2f}, ELBO {elbo_here:.1f}."
        )
    else:  # no room for the image
        words = f"β = {beta:g} is being trained, some seconds; still {words}"
    return words.replace(" -", " −")
