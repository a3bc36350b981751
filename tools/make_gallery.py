"""Draw the pictures of the README from the panels themselves: one that moves, and one of every panel.

``python run.py pictures`` writes them to ``pictures/``; with ``--check`` nothing is written, and a picture
that is missing or no longer what its panel draws is named.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

import igviz as ig
from igviz.panels import LECTURES
from igviz.panels.engine import Panel, encode
from igviz.plots import style

FOLDER = Path(__file__).parents[1] / "pictures"
MOVING = "moving.gif"
LARGEST = 1_000_000
MILLISECONDS = 90
COLOURS = 48


def panels() -> dict[str, Panel]:
    """Return every panel of the collection by its file name."""
    return {
        f"{lecture}_{name}.png": value
        for lecture in LECTURES
        for name, value in vars(getattr(ig.panels, lecture)).items()
        if isinstance(value, Panel)
    }


def still(panel: Panel) -> bytes:
    """Return a panel at its start, with its sentence as a caption."""
    one = panel()
    picture = encode.small_png(encode.captioned(one.pixels(), one.sentence))
    one.close()
    return picture


def moving() -> bytes:
    """Return the first panel of the course as an animation: the bells widen, and the distance shrinks."""
    panel = ig.panels.start_here.equal_steps()
    up = np.arange(1.0, 10.5, 0.5)
    path = [1.0] * 5 + up.tolist() + [10.0] * 8 + up[::-1].tolist()
    cards = []
    for std in path:
        panel.set(std=std)
        cards.append(encode.captioned(panel.pixels(), panel.sentence, fewest_lines=2))
    panel.close()
    # one palette for all frames, with every colour of the course exactly in it
    together = Image.fromarray(np.concatenate([np.asarray(card) for card in cards[::6]]))
    reduced_together = together.quantize(COLOURS, dither=Image.Dither.NONE)
    found = np.reshape(np.array(reduced_together.getpalette(), dtype=int), (-1, 3))
    exact = np.array([np.round(255 * np.array(to_rgb(colour))) for colour in (*style.PALETTE, style.PAPER)])
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate([exact.astype(int), found]).ravel().tolist())
    reduced = [card.quantize(palette=palette, dither=Image.Dither.NONE) for card in cards]
    stream = io.BytesIO()
    reduced[0].save(
        stream,
        "GIF",
        save_all=True,
        append_images=reduced[1:],
        duration=MILLISECONDS,
        loop=0,
        optimize=True,
        disposal=1,
    )
    return stream.getvalue()


def same(one: bytes, other: bytes) -> bool:
    """Tell whether two files show the same frames."""
    first, second = Image.open(io.BytesIO(one)), Image.open(io.BytesIO(other))
    if first.size != second.size or getattr(first, "n_frames", 1) != getattr(second, "n_frames", 1):
        return False
    for number in range(getattr(first, "n_frames", 1)):
        first.seek(number)
        second.seek(number)
        if not np.array_equal(np.asarray(first.convert("RGB")), np.asarray(second.convert("RGB"))):
            return False
    return True


def main(arguments: list[str] | None = None) -> int:
    """Write or check the pictures; return 1 when a check finds a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; name what is out of date")
    check = parser.parse_args(arguments).check
    wanted = {name: still(panel) for name, panel in panels().items()} | {MOVING: moving()}
    FOLDER.mkdir(exist_ok=True)
    stale = []
    for name, picture in wanted.items():
        path = FOLDER / name
        if len(picture) > LARGEST:
            print(f"{name} has {len(picture):,} bytes; at most {LARGEST:,} are allowed", file=sys.stderr)
            return 1
        if path.exists() and same(path.read_bytes(), picture):
            continue
        stale.append(name)
        if not check:
            path.write_bytes(picture)
            print(f"pictures/{name}  {len(picture) // 1000} kB")
    left_over = [path.name for path in FOLDER.iterdir() if path.name not in wanted]
    for name in left_over:
        if not check:
            (FOLDER / name).unlink()
    if check and (stale or left_over):
        names = ", ".join(sorted([*stale, *left_over]))
        print(f"Out of date in pictures/: {names}. Run: python run.py pictures", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
