"""The latent plane: where the digits lie, what is decoded between and beyond them, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from igviz.geometry.families.bernoulli import Bernoulli
from igviz.models import digit_vaes
from igviz.models.images import digits
from igviz.models.vae import VAE
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import digits as pictures
from igviz.plots import stored, style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

REACH = 4.1  # of the picture: the sliders' ends, where no code is, are just inside
TILES = 13  # decoded digits in a row
FINE = 129  # places in a row where the entropy is computed
AROUND = 0.5  # codes as near as that are counted
KEPT = 3  # autoencoders
PIXEL = math.log(2.0)  # nats, the most a pixel can have
MOST = pictures.SIDE**2 * PIXEL

POINT: dict[str, Any] = {
    "color": style.BLACK,
    "marker": "o",
    "markersize": 9,
    "markeredgecolor": style.PAPER,
    "markeredgewidth": 1.4,
    "linestyle": "none",
}
CIRCLE: dict[str, Any] = {"color": style.BLACK, "linewidth": 1.8}
EDGE: dict[str, Any] = {"path_effects": [withStroke(linewidth=4.2, foreground=style.PAPER)]}
MIDDLE: dict[str, Any] = {
    "color": style.INK,
    "family": style.FONT,
    "fontsize": 14.0,
    "fontweight": "bold",
    "ha": "center",
    "va": "center_baseline",
    "path_effects": [withStroke(linewidth=3.4, foreground=style.PAPER)],
}
NEAREST: dict[str, Any] = {"color": style.INK, "linewidth": 1.8, "linestyle": (0, (2, 1))}
BAR: dict[str, Any] = {"facecolor": "#DCEBF5", "edgecolor": style.BLUE, "linewidth": 1.8}
AT_CODES: dict[str, Any] = {"color": style.INK, "linewidth": 1.8, "linestyle": "-"}
SHADES = "Blues"
WORDS: dict[str, Any] = {"color": style.INK, "family": style.FONT, "fontsize": style.TICK_SIZE}


class Plane(NamedTuple):
    """What one autoencoder makes of the latent plane, whichever point is looked at."""

    codes: np.ndarray  # means of q(z|x) of the training images, shape (n, 2)
    at_codes: float  # entropy of what is decoded there, on average, nats
    ends: tuple[float, float]  # the lowest and the highest entropy in the picture, nats
    backgrounds: dict[str, stored.Pixels]
    keys: dict[str, stored.Pixels]  # what stands in the bar beside the length


_planes: dict[str, Plane] = {}


def plane(vae: VAE) -> Plane:
    """Return what an autoencoder makes of the plane; the last few are kept."""
    key = vae.fingerprint
    if key not in _planes:
        while len(_planes) >= KEPT:
            del _planes[next(iter(_planes))]
        _planes[key] = _survey(vae)
    return _planes[key]


def _survey(vae: VAE) -> Plane:
    codes, labels = vae.encode(digits().training).mean, digits().training_labels
    edges = np.linspace(-REACH, REACH, FINE + 1)
    middles = 0.5 * (edges[:-1] + edges[1:])
    rows = [np.stack(np.broadcast_arrays(middles, height), axis=-1) for height in middles]
    everywhere = np.stack([entropy(vae.decode(row)) for row in rows])  # row by row: all at once is 60 MB
    ends = (float(everywhere.min()), float(everywhere.max()))
    mosaic = _mosaic(vae)
    backgrounds: dict[str, Callable[[], list[Artist]]] = {
        "codes": lambda: [*pictures.numerals(codes, labels), *_middles(codes, labels)],
        "digits": lambda: [_mesh(mosaic[1], mosaic[1], mosaic[0], pictures.INK)],
        "entropy": lambda: [_mesh(edges, edges, everywhere, _shades(ends)), _dots(codes)],
    }
    at_codes = float(np.mean(entropy(vae.decode(codes))))
    keys = {name: stored.Pixels(partial(_key, at_codes, ends, name)) for name in backgrounds}
    return Plane(
        codes, at_codes, ends, {name: stored.Pixels(make) for name, make in backgrounds.items()}, keys
    )


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Return the entropy of independent pixels, shape (..., 64), in nats, shape (...)."""
    return np.sum(Bernoulli(probabilities).entropy(), axis=-1)


def _mosaic(vae: VAE) -> tuple[np.ndarray, np.ndarray]:
    """Return digits around the places they are decoded from, lowest row first, and their pixels' edges."""
    middles = REACH * (np.arange(1 - TILES, TILES, 2) / TILES)
    drawn = pictures.mosaic(vae.decode(np.stack(np.meshgrid(middles, middles[::-1]), axis=-1)), TILES)
    pitch = 2.0 * REACH / (TILES * (pictures.SIDE + pictures.GAP))
    return drawn[::-1], (np.arange(len(drawn) + 1) - 0.5 * len(drawn)) * pitch


def _mesh(across: np.ndarray, up: np.ndarray, picture: np.ndarray, look: dict[str, Any]) -> QuadMesh:
    return QuadMesh(
        np.stack(np.meshgrid(across, up), axis=-1),
        antialiased=False,
        array=np.ma.masked_invalid(picture),
        cmap=look["cmap"],
        norm=Normalize(look["vmin"], look["vmax"]),
        linewidth=0.0,
    )


def _middles(codes: np.ndarray, labels: np.ndarray) -> list[Text]:
    """Return each digit as one large numeral where the median of its codes is."""
    return [
        Text(float(np.median(own[:, 0])), float(np.median(own[:, 1])), str(digit), **MIDDLE)
        for digit in np.unique(labels)
        for own in (codes[labels == digit],)
    ]


def _dots(codes: np.ndarray) -> Line2D:
    return Line2D(*codes.T, color=style.INK, marker=".", markersize=3.0, markeredgewidth=0, linestyle="none")


def _shades(ends: tuple[float, float]) -> dict[str, Any]:
    """Return the shades of the map: the darkest is light enough for dots to be seen on it."""
    return {"cmap": SHADES, "vmin": ends[0], "vmax": ends[1] + 0.4 * (ends[1] - ends[0])}


def _setup(axes: tuple[Axes, Axes, Axes, Axes]) -> None:
    chart, shown, unsure, bar = axes
    outer = chart.get_gridspec()
    right = outer[:, 1:].subgridspec(2, 2, height_ratios=(1.0, 0.42))  # type: ignore[index]
    chart.set_subplotspec(outer[:, 0])  # type: ignore[index]
    for one, cell in ((shown, right[0, 0]), (unsure, right[0, 1]), (bar, right[1, :])):
        one.set_subplotspec(cell)
    chart.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xlabel="z₁", ylabel="z₂", aspect="equal")
    chart.set_xticks([-4, -2, 0, 2, 4])
    chart.set_yticks([-4, -2, 0, 2, 4])
    chart.grid(visible=False)
    chart.plot([], [], label="z", **POINT)
    chart.plot([], [], label=f"{AROUND:g} around z", marker="o", fillstyle="none", markersize=11,
               linestyle="none", markeredgewidth=1.8, color=style.BLACK)  # fmt: skip
    chart.plot([], [], label="nearest code", **NEAREST)
    style.legend_above(chart, 3, handlelength=1.3, columnspacing=0.9, handletextpad=0.4)
    titles = ("P(pixel is black)", "entropy of the pixel")
    keys = ("white 0, black 1", "white 0, dark log 2")
    for one, title, key in zip((shown, unsure), titles, keys, strict=True):
        pictures.prepare(one)
        one.set(xlim=(-0.5, 7.5), ylim=(7.5, -0.5), aspect="equal")
        one.set_title(title, fontsize=style.LABEL_SIZE, color=style.INK, family=style.FONT, pad=5.0)
        one.title.set_zorder(0.4)  # below what moves, so that it is not drawn anew
        one.set_xlabel(key, fontsize=style.TICK_SIZE)
    bar.set(xlim=(0.0, MOST), ylim=(0.0, 1.0), xlabel=f"entropy of all 64 pixels, at most {MOST:.1f} nats")
    bar.set_xticks([0, 10, 20, 30, 40])
    bar.set_yticks([])
    bar.grid(visible=False)


def _key(at_codes: float, ends: tuple[float, float], background: str) -> list[Artist]:
    """Return a mark at the codes' mean entropy, and below the bar the shades of the map if there is one."""
    made: list[Artist] = [
        Line2D([at_codes, at_codes], [0.16, 0.68], **AT_CODES),
        Text(at_codes, 0.86, f"at the codes {at_codes:.2f}", ha="center", va="center", **WORDS),
    ]
    if background == "entropy":
        look = _shades(ends)
        edges = np.linspace(*ends, 65)
        made.append(_mesh(edges, np.array([0.0, 0.14]), 0.5 * (edges[:-1] + edges[1:])[None], look))
        made.append(Text(ends[1] + 0.8, 0.08, "map", va="center", **WORDS))
    return made


@panel(
    layout=(1, 4),
    widths=(2.15, 1.0, 1.0, 0.1),
    setup=_setup,
    z1=Slider(-4, 4, 0.05, label="z₁"),
    z2=Slider(-4, 4, 0.05, label="z₂"),
    background=Slider(choices=("codes", "digits", "entropy"), label="behind it"),
    drag=("z1", "z2", 0),
    play="z1",
    scenes={
        "A clear 0": {"z1": -1.5, "z2": 0.7},
        "Between 2 and 3": {"z1": 0.5, "z2": 0.8},
        "Far out": {"z1": 0.0, "z2": 4.0},
        "Mosaic": {"background": "digits"},
        "Entropy": {"z1": 0.5, "z2": 0.4, "background": "entropy"},
    },
    predict=Prediction(
        "The point goes to (0, 4), where no digit was ever seen. Is the decoder less sure there?",
        ["Less sure", "Just as sure", "Surer"],
        at={"z1": 0.0, "z2": 4.0, "background": "entropy"},
    ),
)
def latent_plane(
    axes: tuple[Axes, Axes, Axes, Axes], z1: float = 0.5, z2: float = -1.0, background: str = "codes"
) -> str:
    """Walk over the latent plane: what is decoded at a point, how sure it is, and where the digits lie."""
    chart, shown, unsure, bar = axes
    vae = digit_vaes.lecture()
    now, z = plane(vae), np.array([z1, z2])
    probabilities = vae.decode(z)
    here = float(entropy(probabilities))
    away = np.hypot(*(now.codes - z).T)
    nearest = int(np.argmin(away))
    chart.add_artist(stored.Stored(now.backgrounds[background]))
    chart.plot(*np.stack([z, now.codes[nearest]]).T, **NEAREST)
    chart.add_artist(Circle((z1, z2), AROUND, fill=False, zorder=2.5, **CIRCLE, **EDGE))
    chart.plot([z1], [z2], clip_on=False, in_layout=False, **POINT)  # whole at the sliders' ends
    pictures.show(shown, probabilities)
    pictures.show(unsure, Bernoulli(probabilities).entropy(), cmap=SHADES, vmax=PIXEL)
    bar.add_artist(Rectangle((-1.0, 0.18), here + 1.0, 0.4, **BAR))
    bar.add_artist(stored.Stored(now.keys[background], zorder=3.0))
    bar.text(max(here, now.at_codes) + 0.8, 0.38, f"at z {here:.2f}", va="center", **WORDS)
    behind = {
        "codes": "",
        "digits": f" Behind it: {TILES}² digits.",
        "entropy": f" Map: {now.ends[0]:.1f} to {now.ends[1]:.1f}.",
    }[background]
    count, label = int(np.sum(away <= AROUND)), digits().training_labels[nearest]
    return (
        f"z = ({z1:.2f}, {z2:.2f}): entropy {here:.2f} nats, mean at the codes {now.at_codes:.2f}. "
        f"Nearest code: a {label}, {away[nearest]:.2f} away; "
        f"{count} of {len(away):,} within {AROUND:g}.{behind}"
    ).replace("-", "−")
