"""A training watched: the ELBO and its two parts epoch by epoch, and what the decoder shows at each."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patches import Polygon

from igviz.models import digit_vaes
from igviz.models.vae import EPOCHS, RATE, VAE
from igviz.models.vae_record import QUANTILES, ROW, Record, recorded
from igviz.panels.engine import Prediction, Slider, Work, panel
from igviz.plots import digits as pictures
from igviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RATES = (5e-4, 1e-3, RATE, 5e-3, 1e-2, 5e-2)
HIDDEN = (16, 64, 128)
# those of the lecture's run with a name are among them: the best one and the last
PLACES: tuple[int, ...] = (1, 2, 3, 5, 7, 10, 14, 20, 30, 40, 60, 80, 100, 120, 140, 171, 200, 221)
PLACES += (250, 300, 350, 400, 500, EPOCHS)
LOWEST, HIGHEST = -27.0, -13.0  # nats, of the picture

ELBO: dict[str, Any] = {**style.TARGET}
VALIDATION: dict[str, Any] = {"color": style.VERMILLION, "linestyle": (0, (4, 1.6)), "linewidth": 2.4}
RECONSTRUCTION: dict[str, Any] = {"color": style.BLUE, "linestyle": "-", "linewidth": 1.4}
KL: dict[str, Any] = {"facecolor": "#CDE9E0", "edgecolor": "none"}  # what the one curve has more
BEST: dict[str, Any] = {
    "color": style.VERMILLION,
    "marker": "o",
    "markersize": 10,
    "markerfacecolor": "none",
    "markeredgewidth": 2.2,
    "linestyle": "none",
}
NOW: dict[str, Any] = {"marker": "o", "markersize": 6}
WORDS: dict[str, Any] = {"color": style.INK, "family": style.FONT, "fontsize": style.TICK_SIZE}


class Run(NamedTuple):
    """What the button hands on: a training as far as it has come, and whether it goes on."""

    record: Record
    over: Event


def train(progress: Callable[..., None], rate: float, hidden: int, seed: int, **_place: int) -> Run:
    """Train an autoencoder by the digits; after each epoch hand on what there is, the slider in step."""
    over = Event()
    try:
        for made in recorded(VAE(latent=2, hidden=(hidden, hidden), seed=seed), rate):
            last = made.epochs[-1]
            words = f"epoch {last.number}: validation ELBO {last.validation_elbo:.2f} nats"
            run = Run(made, over)
            progress(last.number / EPOCHS, words.replace("-", "−"), result=run, epoch=_place_for(made))
    finally:
        over.set()
    return run


def _place_for(record: Record) -> int:
    """Return the slider's last place that has been reached; at the end the one that shows the end."""
    count = len(record.epochs)
    if record.ended:
        return min(place for place in PLACES if place >= count)
    return max(place for place in PLACES if place <= count)


def _setup(axes: tuple[Axes, Axes]) -> None:
    curves, plane = axes
    curves.set(xscale="log", xlim=(0.93, 1.04 * EPOCHS), ylim=(LOWEST, HIGHEST))
    curves.set(xlabel="epoch", ylabel="nats an image")
    curves.set_xticks([1, 3, 10, 30, 100, 300], ["1", "3", "10", "30", "100", "300"])
    curves.set_yticks([-26, -24, -22, -20, -18, -16, -14])
    curves.minorticks_off()
    for words, look in (
        ("ELBO, training", ELBO),
        ("ELBO, validation", VALIDATION),
        ("best so far", BEST),
        ("reconstruction", RECONSTRUCTION),
    ):
        curves.plot([], [], label=words, **look)
    curves.add_artist(Polygon(np.full((3, 2), np.nan), label="KL", **KL))
    style.legend_above(
        curves, 5, handlelength=1.9, columnspacing=1.0, handletextpad=0.5
    )  # it reaches over both
    pictures.prepare(plane)
    side = ROW * (pictures.SIDE + pictures.GAP) - pictures.GAP
    plane.set(xlim=(-0.5, side - 0.5), ylim=(side - 0.5, -0.5), aspect="equal", xlabel="z₁", ylabel="z₂")
    middles = np.arange(ROW) * (pictures.SIDE + pictures.GAP) + 0.5 * (pictures.SIDE - 1)
    ticks = [f"{z:.1f}".replace("-", "−") for z in QUANTILES]
    few = [0, 2, 5, 7]
    plane.set_xticks(middles[few], [ticks[place] for place in few])
    plane.set_yticks(middles[few], [ticks[::-1][place] for place in few])
    plane.tick_params(length=0.0)


@panel(
    layout=(1, 2),
    widths=(1.3, 1.0),
    size=(720, 330),
    setup=_setup,
    epoch=Slider(choices=PLACES),
    rate=Slider(choices=RATES, label="Adam's rate"),
    hidden=Slider(choices=HIDDEN, label="hidden units"),
    seed=Slider(0, 4, 1),
    play="epoch",
    work=Work("Train", train),
    scenes={
        "The first epoch": {"epoch": 1},
        "After 10": {"epoch": 10},
        "The best epoch": {"epoch": 171},
        "The last": {"epoch": EPOCHS},
    },
    predict=Prediction(
        "In the lecture's run the validation ELBO is at its best at epoch 171. "
        "What does the training ELBO do in the next 50?",
        ["It falls as well", "It stays", "It goes on rising"],
        at={"epoch": 221},
    ),
)
def training(
    axes: tuple[Axes, Axes],
    epoch: int = 30,
    rate: float = RATE,
    hidden: int = 64,
    seed: int = 0,
    result: Run | None = None,
) -> str:
    """Watch an autoencoder learn: its ELBO, the two parts of it, and the digits over the latent plane."""
    curves, plane = axes
    chosen = (rate, hidden, seed)
    record = _record(result, chosen)
    at = min(epoch, len(record.epochs))
    best = record.best_so_far(at)
    seen = np.array([(one.reconstruction, one.elbo, one.validation_elbo) for one in record.epochs[:at]]).T
    numbers = np.arange(1, at + 1)
    there_and_back = np.concatenate(
        [np.stack([numbers, seen[0]], axis=-1), np.stack([numbers, seen[1]], axis=-1)[::-1]]
    )
    curves.add_artist(Polygon(there_and_back, **KL))
    for height, look in zip(seen, (RECONSTRUCTION, ELBO, VALIDATION), strict=True):
        curves.plot(numbers, height, markevery=[at - 1], **look, **NOW)
    curves.plot([best], [seen[2, best - 1]], **BEST)
    if record.ended and at == len(record.epochs):
        curves.axvline(at, **style.GUIDE)
        words = "the end:\n" + record.ended.rstrip(".").lower().replace(" was ", "\nwas ")
        curves.text(at / 1.05, LOWEST + 0.3, words, ha="right", va="bottom", **WORDS)
    curves.text(1.05, HIGHEST - 0.7, _run(record[:3]), va="center", **WORDS)
    if chosen != record[:3]:
        words = f"chosen: {_run(chosen)}"
        curves.text(1.05, HIGHEST - 1.7, words, va="center", **{**WORDS, "color": style.VERMILLION})
    pictures.show(plane, pictures.mosaic(record.shown[at - 1], ROW))
    return _sentence(record, at, best, chosen)


def _record(result: Run | None, chosen: tuple[float, int, int]) -> Record:
    """Return the training to show: the lecture's where its settings are chosen and no work goes on."""
    lecture = digit_vaes.record()
    if result is None or (result.over.is_set() and chosen == lecture[:3]):
        return lecture
    return result.record


def _run(settings: tuple[float, int, int]) -> str:
    rate, hidden, seed = settings
    return f"rate {rate:g}, {hidden} units, seed {seed}"


def _sentence(record: Record, at: int, best_epoch: int, chosen: tuple[float, int, int]) -> str:
    now, best, count = record.epochs[at - 1], record.epochs[best_epoch - 1], len(record.epochs)
    where = f"Epoch {at} of {count}" if record.ended else f"Epoch {at}, {count} done"
    if chosen != record[:3]:
        words = (
            f"Train starts {_run(chosen)}. Still shown: {_run(record[:3])}; {where.lower()}: "
            f"ELBO {now.elbo:.2f}, validation {now.validation_elbo:.2f} nats."
        )
        return words.replace("-", "−")
    digits = next((some for some in range(2, 6) if _adds_up(now.reconstruction, now.kl, now.elbo, some)), 6)
    words = (
        f"{where}: ELBO {now.elbo:.{digits}f} = reconstruction {now.reconstruction:.{digits}f} "
        f"− KL {now.kl:.{digits}f} nats; validation {now.validation_elbo:.2f}. "
        f"Best so far: {best_epoch} ({best.elbo:.2f}; {best.validation_elbo:.2f})."
    )
    return words.replace("-", "−")


def _adds_up(reconstruction: float, kl: float, elbo: float, digits: int) -> bool:
    """Tell whether numbers rounded to so many decimals still make an equation."""
    return round(round(reconstruction, digits) - round(kl, digits) - round(elbo, digits), digits) == 0.0
