"""Every notebook of the course in JupyterLab, touched as a reader touches it."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import igviz as ig
from tests.browser.conftest import NOTEBOOKS
from tests.browser.lab import Lab, Panel

NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
LARGEST = (900, 560)


def copied_line(panel: Panel) -> str:
    """Press Copy and return the line it shows."""
    panel.button("Copy").click()
    return panel.locator.locator(".igviz-line").inner_text()


def assert_agrees(panel: Panel) -> None:
    """The picture and the words on screen are those that the copied line makes by itself."""
    line = panel.locator.locator(".igviz-line").text_content()
    assert line.startswith("ig.panels."), line
    alone = eval(line, {"ig": ig})
    assert panel.sentence == panel.alt == alone.sentence
    shown = np.asarray(Image.open(io.BytesIO(panel.pixels())).convert("RGB"))
    assert np.array_equal(shown, alone.pixels()[..., :3]), f"the picture on screen is not that of {line}"
    alone.close()


@pytest.fixture(params=NAMES)
def opened(request: pytest.FixtureRequest, new_page: Callable[..., Lab]) -> Lab:
    lab = new_page(permissions=["clipboard-read", "clipboard-write"])
    lab.open(request.param)
    lab.name = request.param
    return lab


def test_a_notebook_as_a_reader_meets_it(opened: Lab) -> None:
    lab = opened
    lab.page.wait_for_timeout(1500)
    assert lab.dialogs() == []
    # before anything runs, the stored pictures stand there with their words
    assert lab.count == 0
    assert lab.page.locator(".jp-OutputArea img").count() > 0
    assert "model not found" not in lab.page.inner_text(".jp-Notebook").lower()

    lab.run_all()
    assert lab.page.locator(".jp-OutputArea-output[data-mime-type*='error']").count() == 0
    assert lab.page.locator("[data-mime-type*='stderr']").count() == 0
    assert lab.count > 0

    for number, panel in enumerate(lab.panels):
        panel.locator.scroll_into_view_if_needed()
        panel.settle()
        box = panel.locator.bounding_box()
        assert box["height"] <= LARGEST[1], f"panel {number} is {box['height']} px high"
        content = panel.locator.locator(".igviz-card").bounding_box()
        assert content["width"] <= LARGEST[0]
        assert_agrees(panel)
        touch_sliders(panel)
        touch_buttons(panel)
    drag_by_mouse(lab.panels[0])

    assert lab.console_errors == []
    assert lab.foreign == [], "a page of the course asks another host"
    assert lab.dialogs() == []

    lab.restart_kernel()
    lab.page.wait_for_selector("text=/Python 3 \\(ipykernel\\) \\| Idle/")
    first = lab.panels[0]
    first.handles[0].focus()
    lab.page.keyboard.press("ArrowRight")
    lab.page.wait_for_timeout(300)
    assert first.notice == "The kernel was restarted. Run this cell again to move the sliders."


def touch_sliders(panel: Panel) -> None:
    keyboard = panel.lab.page.keyboard
    for number, handle in enumerate(panel.handles):
        assert handle.get_attribute("aria-label")
        sentences = set()
        for key in ("Home", *["PageUp"] * 10, "End"):
            before = panel.readouts[number]
            handle.focus()
            keyboard.press(key)
            panel.settle()
            assert handle.get_attribute("aria-valuetext") == panel.readouts[number]
            assert_agrees(panel)
            sentences.add(panel.sentence)
            assert panel.notice == "", f"{before} to {panel.readouts[number]}: {panel.notice}"
        assert len(sentences) >= 3, "the sentence does not say that the slider moved"
    panel.button("Reset").click()
    panel.settle()


def touch_buttons(panel: Panel) -> None:
    start = panel.sentence
    labels = [
        label
        for label in panel.locator.locator(".igviz-row button").all_inner_texts()
        if label.strip() and label not in ("Reset", "Show me")
    ]
    for label in [*labels, "Show me", "Reset"]:
        if label == "Show me" and panel.locator.locator("button", has_text="Show me").count() == 0:
            continue
        before, words = panel.serial, panel.sentence
        panel.button(label).click()
        panel.settle()
        assert panel.serial - before == (1 if panel.serial != before else 0), "one change, one frame"
        assert (panel.serial != before) or panel.sentence == words
        assert_agrees(panel)
    assert panel.sentence == start
    line = copied_line(panel)
    assert panel.lab.page.evaluate("navigator.clipboard.readText()") == line
    assert_agrees(panel)


def drag_by_mouse(panel: Panel) -> None:
    panel.locator.scroll_into_view_if_needed()
    mouse, before = panel.lab.page.mouse, panel.serial
    grip = panel.handles[0].bounding_box()
    track = panel.locator.locator(".noUi-base").first.bounding_box()
    mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    mouse.down()
    for share in np.linspace(0.1, 0.9, 12):
        mouse.move(track["x"] + share * track["width"], grip["y"] + grip["height"] / 2)
        panel.lab.page.wait_for_timeout(30)
    mouse.up()
    panel.settle()
    assert panel.serial > before
    assert_agrees(panel)


def test_the_course_is_not_empty() -> None:
    assert NAMES, "there is no notebook"
