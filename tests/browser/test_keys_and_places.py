"""A panel keeps its keys, survives a lost line, says where it went; under fingers, in high contrast."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image

from tests.browser.lab import WITHOUT_PROXY, Lab, Line, Panel, Server
from tests.browser.test_engine import BELL, press, touching

SHUT_DOWN = "The kernel was shut down. Start one in the menu Kernel and run this cell again."
MOVED = "This panel was closed, or made anew where its cell ran again. Run this cell to show it here."


def cells(lab: Lab) -> tuple[int, int]:
    """Return how many cells there are, and how many of them hold text."""
    return lab.page.locator(".jp-Cell").count(), lab.page.locator(".jp-MarkdownCell").count()


def type_commands(lab: Lab) -> None:
    """Press the keys that delete, change, add and move cells in JupyterLab's command mode."""
    for key in ("x", "d", "d", "m", "a", "b", "0", "0", "c", "v", "Control+Shift+ArrowUp"):
        lab.page.keyboard.press(key)
    lab.page.wait_for_timeout(300)


# -- keys ---------------------------------------------------------------------------------------------------


def test_keys_pressed_in_a_panel_stay_there(lab: Lab, run: Callable[..., Lab]) -> None:
    panel = run(lab, BELL + "\nbell", "0").panels[0]
    panel.locator.scroll_into_view_if_needed()
    before = cells(lab)
    places = [lambda handle=handle: handle.focus() for handle in panel.handles]
    places += [
        lambda: panel.button("Wide").focus(),
        lambda: panel.button("Copy").focus(),
        lambda: panel.locator.get_by_role("button", name="Stop", exact=True).focus(),
        lambda: panel.locator.locator(".igviz-card").click(position={"x": 90, "y": 90}),
        lambda: panel.locator.locator(".igviz-sentence").click(),
    ]
    for focus in places:
        focus()
        type_commands(lab)
        assert cells(lab) == before
        assert lab.dialogs() == []
    panel.button("Reset").click()
    press(lab, panel.handles[0], "ArrowRight", "ArrowDown", "ArrowRight", "End", "ArrowLeft")
    panel.settle()
    assert "mean 2.95" in panel.sentence


def test_what_is_typed_into_a_reading_stays_there(lab: Lab, run: Callable[..., Lab]) -> None:
    panel = run(lab, BELL + "\nbell", "0").panels[0]
    before = cells(lab)
    panel.locator.locator(".widget-readout").nth(1).click()
    lab.page.keyboard.press("Control+A")
    lab.page.keyboard.type("2.3")
    lab.page.keyboard.press("Enter")
    panel.settle()
    assert panel.sentence.endswith("with std 2.3.")
    assert cells(lab) == before


def test_shift_enter_on_a_slider_still_runs_the_cell_and_control_s_saves(
    lab: Lab, run: Callable[..., Lab], server: Server
) -> None:
    panel = run(lab, BELL + "\nbell", "0").panels[0]
    press(lab, panel.handles[0], "ArrowRight", "Control+S")
    path = next(server.root.glob("test_shift_enter*.ipynb"))
    lab.page.wait_for_timeout(2000)
    assert json.loads(path.read_text())["cells"][0]["outputs"]
    press(lab, panel.handles[0], "Shift+Enter")
    lab.page.wait_for_function("document.querySelector('.jp-InputPrompt').textContent === '[3]:'")
    press(lab, lab.panels[0].handles[0], "Control+Enter")
    lab.page.wait_for_function("document.querySelector('.jp-InputPrompt').textContent === '[4]:'")


@pytest.fixture
def seven(lab: Lab, server: Server) -> Iterator[Lab]:
    """A page on Notebook 7 with one panel, its cell run."""
    from tests.browser.lab import notebook

    (server.root / "seven.ipynb").write_text(notebook(BELL + "\nbell", "0", "1"))
    lab.page.goto(f"http://{server.address}/notebooks/seven.ipynb", wait_until="domcontentloaded")
    lab.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    lab.page.wait_for_selector(".jp-NotebookKernelStatus, .jp-Notebook-ExecutionIndicator", timeout=60_000)
    lab.page.wait_for_timeout(2000)
    lab.page.locator(".jp-CodeCell .cm-content").first.click()
    lab.page.keyboard.press("Control+Enter")
    lab.page.wait_for_selector(".igviz-panel img[data-serial]", timeout=60_000)
    yield lab


def test_arrow_keys_move_the_slider_in_notebook_7(seven: Lab) -> None:
    panel = seven.panels[0]
    panel.settle()
    before = cells(seven)
    panel.handles[0].click()
    for key in ("ArrowRight", "ArrowUp", "ArrowRight", "ArrowDown", "ArrowRight"):
        seven.page.keyboard.press(key)
    panel.settle()
    assert "mean 0.15" in panel.sentence
    type_commands(seven)
    assert cells(seven) == before


# -- lines and kernels --------------------------------------------------------------------------------------


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    made = Line(server)
    yield made
    made.close()


def test_a_line_that_drops_in_the_middle_of_a_drag(lab: Lab, run: Callable[..., Lab], line: Line) -> None:
    lab.address = line.address
    panel = run(lab, BELL + "\nbell").panels[0]
    panel.locator.scroll_into_view_if_needed()
    press(lab, panel.handles[0], "ArrowRight")
    panel.settle()
    line.lossy = True
    press(lab, panel.handles[0], "ArrowRight", "ArrowRight", "ArrowRight")
    lab.page.wait_for_timeout(5000)
    assert "mean 0.05" in panel.sentence
    line.lossy = False
    line.cut()
    # what the reader chose meanwhile is not lost
    lab.page.wait_for_selector("text=The round bell stands at mean 0.20", timeout=15_000)
    panel.settle()
    assert panel.readouts[0] == "0.20"
    assert panel.notice == ""
    press(lab, panel.handles[0], "ArrowRight")
    panel.settle()
    assert "mean 0.25" in panel.sentence
    lab.page.wait_for_timeout(3300)
    assert panel.notice == ""


def test_a_frame_that_was_lost_with_the_line_comes_again(
    lab: Lab, run: Callable[..., Lab], line: Line
) -> None:
    lab.address = line.address
    later = "import threading; threading.Timer(2, bell.set, kwargs={'mean': 2}).start()"
    panel = run(lab, BELL + "\nbell", later).panels[0]
    line.lossy = True
    lab.page.wait_for_timeout(3500)
    assert "mean 0.00" in panel.sentence
    line.lossy = False
    line.cut()
    lab.page.wait_for_selector("text=The round bell stands at mean 2.00", timeout=15_000)
    panel.settle()
    assert panel.readouts[0] == "2.00"


def kernels(server: Server) -> list[str]:
    with WITHOUT_PROXY.open(f"http://{server.address}/api/kernels") as answer:
        return [kernel["id"] for kernel in json.load(answer)]


@pytest.mark.parametrize("way", ["menu", "culled"])
def test_a_kernel_that_is_shut_down_is_told_as_such(
    way: str, lab: Lab, run: Callable[..., Lab], server: Server
) -> None:
    panel = run(lab, BELL + "\nbell").panels[0]
    panel.settle()
    if way == "menu":
        lab.menu("Kernel", "Shut Down Kernel")
    else:
        (kernel,) = kernels(server)
        address = f"http://{server.address}/api/kernels/{kernel}"
        WITHOUT_PROXY.open(urllib.request.Request(address, method="DELETE")).close()
    lab.page.wait_for_selector(f"text={SHUT_DOWN}", timeout=15_000)
    press(lab, panel.handles[0], "ArrowRight")
    lab.page.wait_for_timeout(3300)
    assert panel.notice == SHUT_DOWN


def test_an_interrupted_loop_leaves_sliders_and_picture_in_agreement(
    lab: Lab, run: Callable[..., Lab]
) -> None:
    loop = "for turn in range(100_000):\n    bell.set(mean=(turn % 50) / 25)"
    panel = run(lab, BELL + "\nbell", "0").panels[0]
    panel.locator.scroll_into_view_if_needed()
    lab.page.locator(".jp-CodeCell .cm-content").nth(1).click()
    lab.page.keyboard.press("Control+A")
    lab.page.keyboard.insert_text(loop)
    lab.page.keyboard.press("Control+Enter")
    lab.page.wait_for_selector("text=/ipykernel\\) \\| Busy/")
    panel.wait_for_frame(panel.serial + 3)
    lab.menu("Kernel", "Interrupt Kernel")
    lab.page.wait_for_selector(".jp-OutputArea-output >> text=KeyboardInterrupt")
    panel.settle()
    assert f"mean {float(panel.readouts[0]):.2f}" in panel.sentence
    before, frame = panel.sentence, panel.serial
    for _ in range(3):  # the page may still be at what the loop sent, and then a key meets an older place
        press(lab, panel.handles[0], "ArrowLeft" if float(panel.readouts[0]) > 0 else "ArrowRight")
        lab.page.wait_for_timeout(2_000)
        if panel.serial > frame:
            break
    panel.settle()
    assert panel.sentence != before
    assert f"mean {float(panel.readouts[0]):.2f}" in panel.sentence


# -- boxes and places ---------------------------------------------------------------------------------------

BOXES = [
    "import ipywidgets\nipywidgets.HBox([bell(mean=1.0).widget, bell(mean=2.0).widget])",
    "ipywidgets.Stack([bell(mean=-1.0).widget, bell(mean=-2.0).widget], selected_index=0)",
]


def card_size(panel: Panel) -> tuple[float, float]:
    box = panel.locator.locator(".igviz-card").bounding_box()
    return box["width"], box["height"]


def test_panels_in_boxes_have_their_size_and_survive_save_restart_and_reload(
    lab: Lab, run: Callable[..., Lab], server: Server
) -> None:
    run(lab, BELL, *BOXES)
    left, right, stacked = lab.panels[:3]
    for panel in (left, right, stacked):
        panel.locator.scroll_into_view_if_needed()
        panel.settle()
        assert min(card_size(panel)) > 150
    assert left.locator.bounding_box()["x"] < right.locator.bounding_box()["x"]
    press(lab, stacked.handles[0], "ArrowRight")
    stacked.settle()
    assert "mean -0.95" in stacked.sentence
    lab.page.keyboard.press("Control+S")
    lab.page.wait_for_timeout(1500)
    path = next(server.root.glob("test_panels_in_boxes*.ipynb"))
    lab.restart_kernel()
    lab.page.wait_for_timeout(1500)
    lab.open(path.name)
    lab.page.wait_for_timeout(1500)
    pictures = lab.page.locator(".jp-OutputArea-output img")
    assert pictures.count() == len(BOXES)
    assert all(pictures.nth(k).bounding_box()["height"] > 300 for k in range(len(BOXES)))
    assert "model not found" not in lab.page.inner_text(".jp-Notebook").lower()


def test_a_panel_made_anew_elsewhere_says_so_in_its_old_place(lab: Lab, run: Callable[..., Lab]) -> None:
    run(lab, BELL + "\nbell", "bell")
    first, _ = lab.panels
    first.locator.scroll_into_view_if_needed()
    press(lab, first.handles[0], "Shift+Enter")
    lab.page.wait_for_selector(f"text={MOVED}", timeout=15_000)
    note = lab.page.locator(".igviz-moved")
    assert note.count() == 1
    assert note.is_visible()
    lab.page.locator(".jp-CodeCell .cm-content").nth(1).click()
    lab.page.keyboard.press("Control+Enter")
    lab.page.wait_for_function("document.querySelectorAll('.igviz-panel').length === 2")
    assert note.count() == 0
    first, again = lab.panels
    press(lab, again.handles[0], "ArrowRight")
    again.settle()
    first.settle()
    assert first.sentence == again.sentence


# -- fingers and contrast -----------------------------------------------------------------------------------


def test_a_finger_on_the_picture_scrolls_the_page_and_a_tap_moves_the_point(
    new_page: Callable[..., Lab], run: Callable[..., Lab]
) -> None:
    lab = new_page(has_touch=True)
    panel = run(lab, BELL + "\nbell", *["0"] * 12).panels[0]
    panel.locator.locator(".igviz-card").scroll_into_view_if_needed()
    card = panel.locator.locator(".igviz-card").bounding_box()
    x, y = card["x"] + 0.7 * card["width"], card["y"] + 0.3 * card["height"]
    before = panel.sentence
    touch = touching(lab)
    touch("touchStart", (x, y))
    for step in range(1, 16):
        touch("touchMove", (x, y - 10 * step))
        lab.page.wait_for_timeout(16)
    touch("touchEnd")
    lab.page.wait_for_timeout(500)
    assert panel.locator.locator(".igviz-card").bounding_box()["y"] < card["y"] - 100, (
        "the page did not scroll"
    )
    panel.settle()
    assert panel.sentence == before
    panel.locator.locator(".igviz-card").scroll_into_view_if_needed()
    card = panel.locator.locator(".igviz-card").bounding_box()
    lab.page.touchscreen.tap(card["x"] + 0.7 * card["width"], card["y"] + 0.3 * card["height"])
    panel.settle()
    assert panel.sentence != before
    assert not panel.sentence.startswith("The round bell stands at mean 0.00")


def test_the_ring_lies_around_the_point(lab: Lab, run: Callable[..., Lab]) -> None:
    panel = run(lab, BELL + "\nbell(mean=1.0, std=2.0)").panels[0]
    panel.locator.scroll_into_view_if_needed()
    panel.settle()
    picture = np.asarray(lab.screenshot(panel.locator.locator(".igviz-card"))).astype(int)
    point = np.argwhere(np.abs(picture - (0xD5, 0x5E, 0x00)).sum(axis=-1) < 60)
    down, across = point.mean(axis=0)
    ring = panel.locator.locator(".igviz-handle").bounding_box()
    card = panel.locator.locator(".igviz-card").bounding_box()
    assert ring["x"] + ring["width"] / 2 - card["x"] == pytest.approx(across, abs=1)
    assert ring["y"] + ring["height"] / 2 - card["y"] == pytest.approx(down, abs=1)


def test_forced_colours_leave_tracks_and_borders_visible(
    new_page: Callable[..., Lab], run: Callable[..., Lab]
) -> None:
    lab = new_page(forced_colors="active")
    panel = run(lab, BELL + "\nbell").panels[0]
    panel.locator.scroll_into_view_if_needed()
    panel.settle()
    for part in (".noUi-target", ".noUi-handle", ".igviz-card", ".igviz-answers button"):
        image: Image.Image = lab.screenshot(panel.locator.locator(part).first)
        pixels = np.asarray(image.convert("L")).astype(int)
        middle = pixels[:, pixels.shape[1] // 4]
        assert middle.max() - middle.min() > 100, f"{part} has no edge"
