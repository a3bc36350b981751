"""Four ways to move one figure, each the value of a notebook cell, and the clock that watches the kernel.

All draw the same two axes with the same Matplotlib calls on 720 × 360 pixels, with the axes in the same
places: a density beside its point in the half-plane of mean and standard deviation. Where a way leaves room
for choice the faster one is taken: `interact` and ipympl get the finished layout instead of computing it,
`interact` does not crop its picture, ipympl shows neither toolbar nor title, and neither writes a sentence.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.figure import Figure

import igviz as ig
from igviz.panels.engine import encode
from igviz.plots import style

SIZE = (7.2, 3.6)  # inches at 100 dots per inch
FIRST, LAST, STEP = -3.0, 3.0, 0.05
REPORT = "kernel.json"
INLINE = "module://matplotlib_inline.backend_inline"

TARGET = ig.Normal(0.0, 1.0)
X = np.linspace(-6.0, 6.0, 400)
ALONG = np.linspace(0.0, 1.0, 100)

# -- the figure ------------------------------------------------------------------------------------


def setup(axes: Any) -> None:
    density, plane = axes
    density.set(xlim=(-6, 6), ylim=(0, 0.85), xlabel="x", ylabel="density")
    density.plot(X, TARGET.pdf(X), **style.TARGET)
    plane.set(xlim=(-3.4, 3.4), ylim=(0, 3), xlabel="mean", ylabel="standard deviation")
    plane.plot([0.0], [1.0], **style.TARGET_POINT)


def curves(mean: float, std: float) -> tuple[Any, Any, Any]:
    point = ig.Normal(mean, std)
    path = ig.geodesic(TARGET, point)(ALONG)
    return (X, point.pdf(X)), (path.mean, path.std), ([mean], [std])


def draw(axes: Any, mean: float = 0.0, std: float = 0.7) -> str:
    add_lines(axes, mean, std)
    distance = ig.fisher_rao_distance(TARGET, ig.Normal(mean, std))
    return f"The Fisher–Rao distance is {distance:.3f}."


def add_lines(axes: Any, mean: float, std: float) -> list[Any]:
    density, plane = axes
    curve, path, point = curves(mean, std)
    return [
        *density.plot(*curve, **style.APPROXIMATION),
        *plane.plot(*path, **style.GEODESIC),
        *plane.plot(*point, **style.APPROXIMATION_POINT),
    ]


panel = ig.panel(setup=setup, layout=(1, 2), mean=(FIRST, LAST, STEP), std=(0.5, 2.5, 0.05))(draw)


def places() -> list[Any]:
    """Where the panel's layout puts the axes."""
    with panel.drawn() as axes:
        return [one.get_position() for one in axes]


def prepare(axes: Any, positions: list[Any]) -> None:
    for one, position in zip(axes, positions, strict=True):
        style.prepare(one)
        one.set_position(position)
    setup(axes)


def sliders() -> dict[str, Any]:
    return {
        "mean": ipywidgets.FloatSlider(value=0.0, min=FIRST, max=LAST, step=STEP, description="mean"),
        "std": ipywidgets.FloatSlider(value=0.7, min=0.5, max=2.5, step=0.05, description="std"),
    }


# -- the ways --------------------------------------------------------------------------------------

SWAP = """
export default { render({ model, el }) {
  let picture = document.createElement("img");
  el.append(picture);
  const show = async () => {
    const next = new Image();
    next.decoding = "sync"; // shown in one frame with the swap, and a frame sooner than by decode()
    next.src = URL.createObjectURL(new Blob([model.get("frame")], { type: "image/jpeg" }));
    await new Promise((loaded) => (next.onload = loaded));
    picture.replaceWith(next);
    URL.revokeObjectURL(next.src);
    picture = next;
  };
  model.on("change:frame", show);
  show();
} };
"""


class Swap(anywidget.AnyWidget):
    """A picture, and nothing else."""

    _esm = SWAP
    frame = traitlets.Bytes(b"").tag(sync=True)


def floor() -> Any:
    """Swap two ready pictures: what the transport and the page cost when nothing is drawn."""
    pictures = [encode.jpeg(panel(mean=mean).pixels()) for mean in (-1.0, 1.0)]
    swap = Swap(frame=pictures[0])
    both = sliders()

    def moved(_change: Any) -> None:
        pictures.reverse()
        swap.frame = pictures[0]

    for slider in both.values():
        slider.observe(moved, "value")
    return ipywidgets.VBox([*both.values(), swap])


def interact() -> None:
    """A new pyplot figure for each value, through the inline backend."""
    from IPython import get_ipython
    from matplotlib_inline.backend_inline import configure_inline_support
    from matplotlib_inline.config import InlineBackend

    InlineBackend.instance().print_figure_kwargs = {"bbox_inches": None}
    configure_inline_support(get_ipython(), INLINE)
    plt.switch_backend(INLINE)
    positions = places()

    def show(mean: float, std: float) -> None:
        if plt.get_backend() != INLINE:
            raise RuntimeError(f"interact must draw inline, not with {plt.get_backend()}")
        _, axes = plt.subplots(1, 2, figsize=SIZE, dpi=100)
        prepare(axes, positions)
        draw(axes, mean, std)
        plt.show()

    ipywidgets.interact(show, **sliders())


def ipympl() -> Any:
    """Matplotlib's own live canvas: new data for the lines of one figure."""
    from ipympl.backend_nbagg import Canvas, FigureManager

    plt.switch_backend(INLINE)  # importing ipympl changed it for everybody
    figure = Figure(figsize=SIZE, dpi=100)
    canvas = Canvas(figure)
    FigureManager(canvas, 0)
    canvas.toolbar_visible = canvas.header_visible = canvas.footer_visible = canvas.resizable = False
    axes = figure.subplots(1, 2)
    prepare(axes, places())
    both = sliders()
    lines = add_lines(axes, both["mean"].value, both["std"].value)

    def moved(_change: Any) -> None:
        mean, std = both["mean"].value, both["std"].value
        for line, data in zip(lines, curves(mean, std), strict=True):
            line.set_data(*data)
        ig.fisher_rao_distance(TARGET, ig.Normal(mean, std))
        canvas.draw_idle()

    for slider in both.values():
        slider.observe(moved, "value")
    return ipywidgets.VBox([*both.values(), canvas])


# -- the kernel's clock ----------------------------------------------------------------------------

# Where the processor's clock is too coarse (Windows) the wall's has to do.
FINE = time.get_clock_info("thread_time").resolution < 1e-3
processor_time = time.thread_time if FINE else time.perf_counter

handled: list[tuple[float, float]] = []


def watch_kernel() -> None:
    """Note when each message of a widget comes and how many milliseconds it takes; call this first."""
    handle = ipywidgets.Widget._handle_msg

    def timed(widget: Any, message: Any) -> None:
        when, start = time.time(), processor_time()
        try:
            handle(widget, message)
        finally:
            handled.append((when, 1000 * (processor_time() - start)))

    ipywidgets.Widget._handle_msg = timed


def report() -> Any:
    """Make a button that writes down what `watch_kernel` saw."""
    button = ipywidgets.Button(description="Report")
    button.on_click(lambda _: Path(REPORT).write_text(json.dumps(list(handled)), encoding="utf-8"))
    return button
