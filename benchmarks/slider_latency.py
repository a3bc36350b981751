"""How long after a key press do the pixels change? Four ways to move one figure, in one run.

    python run.py bench slider_latency

JupyterLab runs in headless Chromium with all four ways in one notebook:

- floor: a slider swaps two ready-made JPEGs. Nothing is drawn; what is left is the transport and the page.
- interact: `ipywidgets.interact` with a new pyplot figure for each value, inline backend.
- ipympl: Matplotlib's live canvas, `set_data` and `draw_idle`.
- igviz: a panel.

Playwright presses the arrow key on the handle of the slider, as a hand does. A script in the page notes the
time of the keydown event before anything else hears of it. At every animation frame the same script scales
the picture in the cell, image or canvas, down to 96 × 48 and compares it with the last one. The *latency*
is the time from the keydown to the start of the first animation frame that finds another picture; one frame
later, at the latest, it is on screen. The clock ticks in animation frames of 16.7 ms for every way alike.
The next key is pressed when the picture has stood still for a while, so no press waits for another one.

In a *burst* the key repeats thirty times a second, as a held key does, and the different pictures that
appear are counted.

The ways take turns at each key press, so that whatever else the machine does meets all of them. A number of
milliseconds is the median over the rounds of the median of a round; the 95th centile is over all presses.
Ratios and differences are taken between presses that follow each other, then their median over a round, then
over the rounds; how far single rounds lie apart tells how far the machine was at rest. *Kernel* is the
processor time the kernel spends on all the widgets' messages that arrive between the press and the change of
pixels; other programs on the machine do not count.

The second part presses the keys of every slider of every panel of the course, in turn with the floor's: each
press goes to a place not drawn before. A press that changes less of the picture than the probe can see
is not counted.

The third part does without a browser. It drags each panel along its sliders, a step at a time from random
places, draws it, encodes it as while it moves (JPEG, one dot a pixel), and hands it to the widget. Only the
first drawing of a place counts, so that nothing kept from an earlier one hides what it costs. The processor
time is held against the aim; on a quiet machine the time by the clock is the same.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

WAYS = {
    "floor": "ways.floor()",
    "interact": "ways.interact()",
    "ipympl": "ways.ipympl()",
    "igviz": "ways.panel",
}
NAMES = {
    "floor": "two ready pictures swapped: the floor",
    "interact": "`interact`, a new figure each time",
    "ipympl": "ipympl, `set_data` and `draw_idle`",
    "igviz": "**igviz**",
}
REST = 150  # ms for the page to come to rest when another picture is scrolled into view
QUIET = 350  # ms without a new picture after which a press is over
PATIENCE = 15_000  # ms to wait for a new picture
TURNS = 4  # presses of each slider of a panel
SLOWEST = 100.0  # ms from key to pixels, aimed at for the slowest panel
AT_REST = "cell => [...cell.querySelectorAll('[data-mime]')].every(one => one.dataset.mime === 'image/png')"
REPEAT = 1 / 30  # seconds between the keys of a burst
BURST = 45  # keys in a burst
MOST_PRESSES = 60  # the slider is not longer

DRAGS = 12  # of each panel without a browser, each from a random place
STEPS = 8  # to neighbouring places in a drag
FRAME_AIM = 12.0


# -- in the browser --------------------------------------------------------------------------------


class Round:
    """What one way did in one round."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.windows: list[tuple[float, float]] = []  # from press to change, in seconds since 1970
        self.rate = 0.0  # pictures a second in the burst
        self.kernel: list[float] = []

    def add_kernel(self, handled: Sequence[Sequence[float]]) -> None:
        """Pick, for each press, the messages that the kernel handled before the pixels changed."""
        for begin, end in self.windows:
            self.kernel.append(sum(ms for when, ms in handled if begin <= when <= end))


class Cell:
    """The cell of one way, and how to press its key."""

    def __init__(self, page: Any, number: int, slider: int = 0) -> None:
        self.page = page
        self.cell = page.locator(".jp-CodeCell").nth(number)
        self.handle = self.cell.locator(".noUi-handle").nth(slider)

    def visit(self) -> None:
        """Scroll the picture into view, take hold of the slider, and let the page come to rest."""
        self.cell.locator(".jp-OutputArea").first.evaluate("area => area.scrollIntoView({block: 'center'})")
        self.handle.focus()
        self.page.wait_for_timeout(REST)

    def home(self) -> None:
        """Move the slider to its left end."""
        self.visit()
        self.watched(lambda: self.page.keyboard.press("Home"), needed=False)

    def watched(self, act: Callable[[], None], *, needed: bool = True) -> dict[str, Any]:
        """Do something under the eyes of the probe; return its presses and changes, in milliseconds."""
        self.page.evaluate("cell => sliderProbe.watch(cell)", self.cell.element_handle())
        act()
        return self.page.evaluate(f"sliderProbe.settled({QUIET}, {PATIENCE}, {json.dumps(needed)})")

    def latency(self, key: str) -> float:
        """Return the milliseconds from one press to the change of pixels, nan where none is seen."""
        seen = self.watched(lambda: self.page.keyboard.press(key), needed=False)
        # the picture at rest may take longer than the pause: the next press is not to wait for it
        self.page.wait_for_function(AT_REST, arg=self.cell.element_handle())
        return seen["changes"][0] - seen["presses"][0] if seen["changes"] else float("nan")

    def press(self, result: Round) -> None:
        """Press the key once."""
        seen = self.watched(lambda: self.page.keyboard.press("ArrowRight"))
        start, end = seen["presses"][0], seen["changes"][0]
        result.latencies.append(end - start)
        result.windows.append(((seen["origin"] + start) / 1000, (seen["origin"] + end) / 1000))

    def burst(self, result: Round) -> None:
        """Hold the key; count the pictures from the first press to the last."""

        def hold() -> None:
            begin = time.perf_counter()
            for number in range(1, BURST + 1):
                self.page.keyboard.down("ArrowRight")
                time.sleep(max(0.0, begin + number * REPEAT - time.perf_counter()))
            self.page.keyboard.up("ArrowRight")

        seen = self.watched(hold)
        first, last = seen["presses"][0], seen["presses"][-1]
        result.rate = 1000 * sum(first < when <= last for when in seen["changes"]) / (last - first)


def one_round(cells: dict[str, Cell], presses: int) -> dict[str, Round]:
    """Press each way's key in turn, again and again; then give each a burst."""
    results = {way: Round() for way in cells}
    for cell in cells.values():
        cell.home()
    for _ in range(presses):
        for way, cell in cells.items():
            cell.visit()
            cell.press(results[way])
    for way, cell in cells.items():
        cell.home()
        cell.burst(results[way])
    return results


@contextmanager
def jupyterlab() -> Iterator[tuple[Any, Path]]:
    """Yield a page on a JupyterLab of its own, and the folder of its notebooks."""
    from playwright.sync_api import sync_playwright

    from tests.browser.lab import Server, browser_page

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        root, home = Path(folder, "root"), Path(folder, "home")
        root.mkdir()
        home.mkdir()
        server = Server(root, home)
        try:
            with sync_playwright() as playwright, browser_page(playwright, server) as lab:
                yield lab, root
        finally:
            server.stop()


def opened(lab: Any, root: Path, name: str, *sources: str) -> Any:
    """Write a notebook, open it, run it, and return its page with the probe in it."""
    from tests.browser.lab import notebook

    (root / name).write_text(notebook(*sources), encoding="utf-8")
    lab.open(name)
    lab.run_all()
    lab.page.evaluate((HERE / "_slider_probe.js").read_text(encoding="utf-8"))
    return lab.page


def drive(lab: Any, root: Path, rounds: int, presses: int) -> dict[str, list[Round]]:
    """Run all ways in turn; return what they did."""
    results: dict[str, list[Round]] = {way: [] for way in WAYS}
    first = "from benchmarks import _slider_ways as ways\nways.watch_kernel()"
    page = opened(lab, root, "sliders.ipynb", first, *WAYS.values(), "ways.report()")
    ways = {way: Cell(page, place) for place, way in enumerate(WAYS, start=1)}
    for number in range(rounds):
        note(f"round {number + 1} of {rounds}")
        for way, one in one_round(ways, presses).items():
            results[way].append(one)
    note("")
    handled = kernel_report(page, root)
    for some in results.values():
        for one in some:
            one.add_kernel(handled)
    return results


def drive_panels(lab: Any, root: Path) -> Iterator[tuple[str, list[float], list[float]]]:
    """Press every slider of every panel; yield name, latencies and those of the floor, in milliseconds."""
    for lecture, some in groupby(panels(), key=lambda pair: pair[0].partition(".")[0]):
        named = [(name, panel) for name, panel in some if not isinstance(panel, str)]
        sources = ["from benchmarks import _slider_ways as ways", "ways.floor()"]
        for name, panel in named:
            compute = "one.compute()\n" if panel.definition.work is not None else ""
            sources.append(f"import igviz as ig\none = ig.panels.{name}()\n{compute}one")
        page = opened(lab, root, f"{lecture}.ipynb", *sources)
        floor = Cell(page, 1)
        floor.home()
        for number, (name, panel) in enumerate(named, start=2):
            note(name)
            ours, beside = [], []
            for slider in range(len(panel.definition.sliders)):
                cell = Cell(page, number, slider)
                cell.home()
                for _ in range(min(TURNS, panel.definition.sliders[slider].count - 1)):
                    floor.visit()
                    beside.append(floor.latency("ArrowRight"))
                    cell.visit()
                    ours.append(cell.latency("ArrowRight"))
            yield name, ours, beside
        lab.server.shut_down_kernels()
    note("")


def kernel_report(page: Any, root: Path) -> list[list[float]]:
    """Let the kernel write down the messages it handled, and read them."""
    page.locator(".jp-OutputArea button", has_text="Report").click()
    file, end = root / "kernel.json", time.monotonic() + 20
    while True:
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            if time.monotonic() > end:
                raise RuntimeError("the kernel did not report") from None
            time.sleep(0.1)


# -- without a browser -----------------------------------------------------------------------------


def panels() -> Iterator[tuple[str, Any]]:
    """Yield the name of each panel of the course with the panel, or with the reason why there is none."""
    import igviz.panels
    from igviz.panels.engine import Panel

    seen: set[int] = set()
    for lecture in igviz.panels.LECTURES:
        name = f"igviz.panels.{lecture}"
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            yield lecture, "not written yet"
            continue
        for word, value in vars(module).items():
            if isinstance(value, Panel) and id(value) not in seen:
                seen.add(id(value))
                yield f"{lecture}.{word}", value


def drags(sliders: Sequence[Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield the places of each drag: a random one, then neighbours along one slider, each time the next."""
    rng = np.random.default_rng(0)
    for number in range(DRAGS):
        at = [int(rng.integers(one.count)) for one in sliders]
        moved = number % len(sliders)
        steps = min(STEPS, sliders[moved].count - 1)
        first = int(rng.integers(sliders[moved].count - steps))
        track = [[*at[:moved], first + step, *at[moved + 1 :]] for step in range(steps + 1)]
        yield [
            {one.name: one.value(k) for one, k in zip(sliders, place, strict=True)}
            for place in (track if rng.random() < 0.5 else track[::-1])
        ]


def frame_times(panel: Any) -> tuple[np.ndarray, np.ndarray]:
    """Draw, encode and hand over a panel while its sliders are dragged, each place for the first time.

    Returns
    -------
    (ndarray, ndarray)
        Milliseconds a frame by the clock and of the processor; empty if the panel draws nothing.
    """
    from benchmarks._slider_ways import processor_time

    one = panel()
    if one.definition.work is not None:
        one.compute()
    picture, times, seen = one.widget.picture, [], set()
    for drag in drags(one.definition.sliders):
        one.set(**drag[0])  # a press on the track: what it costs is not a frame of the drag
        seen.add(one.line)
        for values in drag[1:]:
            serial = picture.serial
            start = time.perf_counter(), processor_time()
            one.set(**values)
            end = time.perf_counter(), processor_time()
            if picture.serial != serial and one.line not in seen:
                times.append(1000 * np.subtract(end, start))
            seen.add(one.line)
    one.close()
    clock, processor = np.reshape(times, (-1, 2)).T
    return clock, processor


def kernel_lines() -> Iterator[str]:
    from benchmarks import _slider_ways

    yield f"| panel | ms a frame | 95 % | processor, ms | at most {FRAME_AIM:.0f} ms |"
    yield "|---|---:|---:|---:|---|"
    for name, panel in [("the figure of this benchmark", _slider_ways.panel), *panels()]:
        if isinstance(panel, str):
            yield f"| {name} | – | – | – | {panel} |"
            continue
        note(name)
        clock, processor = frame_times(panel)
        note("")
        if not clock.size:
            yield f"| {name} | – | – | – | **NO**: it draws nothing |"
            continue
        fine = "yes" if np.median(processor) <= FRAME_AIM else "**NO**"
        yield (
            f"| {name} | {np.median(clock):.1f} | {np.percentile(clock, 95):.1f} "
            f"| {np.median(processor):.1f} | {fine} |"
        )


# -- words -----------------------------------------------------------------------------------------


def over_rounds(some: Sequence[Round], measure: Callable[[Round], float]) -> float:
    return median(measure(one) for one in some)


def latency(one: Round) -> float:
    return median(one.latencies)


def way_lines(results: dict[str, list[Round]]) -> Iterator[str]:
    yield "| way | key press to changed pixels, ms | 95 % | frames/s in a burst | kernel, ms a frame |"
    yield "|---|---:|---:|---:|---:|"
    for way, some in results.items():
        everything = [ms for one in some for ms in one.latencies]
        yield (
            f"| {NAMES[way]} | {over_rounds(some, latency):.0f} | {np.percentile(everything, 95):.0f} "
            f"| {over_rounds(some, lambda one: one.rate):.1f} "
            f"| {over_rounds(some, lambda one: median(one.kernel)):.1f} |"
        )


def panel_lines(found: Iterable[tuple[str, list[float], list[float]]]) -> Iterator[str]:
    yield "| panel | key press to changed pixels, ms | slowest | the floor beside it | at most 100 ms |"
    yield "|---|---:|---:|---:|---|"
    for name, ours, beside in found:
        seen = [ms for ms in ours if ms == ms]
        if not seen:
            yield f"| {name} | – | – | – | **NO**: nothing changed |"
            continue
        fine = "yes" if median(seen) <= SLOWEST else "**NO**"
        floor = median(ms for ms in beside if ms == ms)
        yield f"| {name} | {median(seen):.0f} | {max(seen):.0f} | {floor:.0f} | {fine} |"


def comparison_lines(results: dict[str, list[Round]]) -> Iterator[str]:
    ours = results["igviz"]

    def against(way: str, compare: Callable[[float, float], float]) -> list[float]:
        return [
            median(map(compare, one.latencies, other.latencies))
            for one, other in zip(ours, results[way], strict=True)
        ]

    for way, aim in (("interact", 0.35), ("ipympl", 0.45)):
        ratios = against(way, lambda one, other: one / other)
        ratio = median(ratios)
        yield (
            f"- igviz / {way}: {ratio:.2f} (aim: at most {aim}; {verdict(ratio <= aim)}; "
            f"single rounds {min(ratios):.2f} to {max(ratios):.2f})"
        )
    more = against("floor", lambda one, other: one - other)
    yield (
        f"- igviz − floor: {median(more):.0f} ms (aim: at most 15 ms; {verdict(median(more) <= 15)}; "
        f"single rounds {min(more):.0f} to {max(more):.0f} ms)"
    )


def verdict(met: bool) -> str:
    return "met" if met else "**MISSED**"


def machine(*more: str) -> str:
    packages = ("matplotlib", "ipywidgets", "anywidget", "ipykernel", "jupyterlab", "ipympl")
    found = []
    for name in packages:
        try:
            found.append(f"{name} {version(name)}")
        except ImportError:
            continue
    cores = f"{os.cpu_count()} cores"
    return ", ".join([cores, f"Python {platform.python_version()}", *found, *more])


def note(text: str) -> None:
    """Say on a terminal what is going on; an empty text wipes it away."""
    if sys.stderr.isatty():
        print(f"\r{text:<60}", end="" if text else "\r", file=sys.stderr, flush=True)


def number_from(low: int, high: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"must be from {low} to {high}, got {number}")
        return number

    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=number_from(1, 100), default=5, help="rounds through the four ways")
    parser.add_argument(
        "--presses",
        type=number_from(1, MOST_PRESSES),
        default=6,
        help="single key presses of each way in a round",
    )
    parser.add_argument("--no-browser", action="store_true", help="only the kernel's part")
    options = parser.parse_args(arguments)

    if not options.no_browser:
        from tests.browser.lab import chromium

        if chromium() is None:
            print("slider_latency: no Chromium or Chrome is installed; --no-browser does the rest")
            return 1
        with jupyterlab() as (lab, root):
            results = drive(lab, root, options.rounds, options.presses)
            print("Key press to changed pixels, two axes, 720 × 360:\n")
            print("\n".join(way_lines(results)) + "\n")
            print("\n".join(comparison_lines(results)) + "\n")
            browser = f"Chromium {lab.page.context.browser.version.split('.')[0]}"
            print(f"{options.rounds} rounds of {options.presses} presses of each way; {machine(browser)}.\n")
            print("Every slider of every panel:\n")
            for line in panel_lines(drive_panels(lab, root)):
                print(line, flush=True)
            print()
    print("One frame in the kernel, drawn, encoded as JPEG and handed over, at one dot a pixel:\n")
    print("\n".join(kernel_lines()))
    if options.no_browser:
        print(f"\n{machine()}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
