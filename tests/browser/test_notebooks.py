"""Every notebook of the course in JupyterLab, touched as a reader touches it."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import igviz as ig
import igviz.panels.engine
from tests.browser.conftest import NOTEBOOKS
from tests.browser.lab import Lab, Panel

NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
LARGEST = (900, 560)
TWINS: dict[str, ig.panels.engine.Panel] = {}


def copied_line(panel: Panel) -> str:
    """Press Copy and return the line it shows."""
    panel.button("Copy").click()
    return panel.locator.locator(".igviz-line").inner_text()


def alone(line: str) -> ig.panels.engine.Panel:
    """Return a panel of this process in the state that a copied line describes."""
    name, _, values = line.partition("(")
    assert name.startswith("ig.panels."), line
    if name not in TWINS:
        TWINS[name] = eval(name, {"ig": ig})()
    TWINS[name].values = eval(f"dict({values}")
    assert TWINS[name].line == line
    return TWINS[name]


def assert_words_agree(panel: Panel) -> None:
    """The words on screen are those that the copied line makes by itself."""
    line, sentence, alt = panel.words()
    assert sentence == alt == alone(line).sentence


def assert_agrees(panel: Panel) -> None:
    """The picture and the words on screen are those that the copied line makes by itself."""
    assert_words_agree(panel)
    line, _, _ = panel.words()
    shown = np.asarray(Image.open(io.BytesIO(panel.pixels())).convert("RGB"))
    assert np.array_equal(shown, alone(line).pixels()[..., :3]), (
        f"the picture on screen is not that of {line}"
    )


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
    lab.unfold()
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
        touch_work(panel)
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
        for key in ("Home", "PageUp", "End"):
            frame, reading = panel.serial, panel.readouts[number]
            handle.focus()
            keyboard.press(key)
            if panel.readouts[number] != reading:
                panel.wait_for_frame(frame)
            assert handle.get_attribute("aria-valuetext") == panel.readouts[number]
            if key == "PageUp" and "moving" not in alone(panel.words()[0]).definition.special:
                assert_words_agree(panel)
            else:
                panel.settle()
                assert_agrees(panel)
            sentences.add(panel.sentence)
            assert panel.notice == "", f"{reading} to {panel.readouts[number]}: {panel.notice}"
        assert len(sentences) >= 2, "the sentence does not say that the slider moved"
        panel.button("Reset").click()
        panel.settle()


WORK = ".igviz-row:has(.progress) button"


def touch_work(panel: Panel) -> None:
    """Start slow work, see pictures on its way, stop it: the panel is at rest where it began."""
    button = panel.locator.locator(WORK)
    if button.count() == 0:
        return
    label, start = button.inner_text(), panel.sentence
    before = panel.serial
    button.click()
    for _ in range(3):  # it draws a few times a second
        panel.wait_for_frame(panel.serial, 30_000)
    assert panel.serial > before
    button.click()  # it says Stop now
    for _ in range(300):
        if button.inner_text() == label:
            break
        panel.lab.page.wait_for_timeout(100)
    assert button.inner_text() == label
    panel.settle()
    assert_agrees(panel)
    panel.button("Reset").click()
    panel.settle()
    assert panel.sentence == start


def touch_buttons(panel: Panel) -> None:
    start = panel.sentence
    work = panel.locator.locator(WORK).all_inner_texts()
    labels = [
        label
        for label in panel.locator.locator(".igviz-row button").all_inner_texts()
        if label.strip() and label not in ("Reset", "Show me", *work)
    ]
    for label in [*labels, "Show me", "Reset"]:
        if label == "Show me" and panel.locator.locator("button", has_text="Show me").count() == 0:
            continue
        before, words = panel.serial, panel.sentence
        panel.button(label).click()
        panel.settle()
        if panel.serial == before:  # perhaps no change, perhaps a frame that takes its time
            panel.lab.wait_until_idle()
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
