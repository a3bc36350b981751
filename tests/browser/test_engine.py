"""What only a real page can show of the slider engine."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.browser.lab import Lab

BELL = """
import time
import numpy as np
import igviz as ig

X = np.linspace(-8, 8, 200)

def setup(axes):
    axes[0].set(xlim=(-8, 8), ylim=(0, 1))
    axes[1].set(xlim=(-3, 3), ylim=(0, 3))

@ig.panel(
    mean=(-3, 3), std=(0.2, 3, 0.1), shape=["round", "flat", "steep"], layout=(1, 2), setup=setup,
    play="mean", drag=("mean", "std", 1), scenes={"Wide": {"mean": 2.0, "std": 3.0}},
    predict=ig.Prediction("What is 1 < 2?", ["True", "False"], at={"mean": 1.0}),
)
def bell(axes, mean=0.0, std=1.0, shape="round"):
    if mean == 3:
        raise ValueError("the bell fell off the table")
    if mean == -3:
        time.sleep(4)
    axes[0].plot(X, np.exp(-((X - mean) ** 2) / (2 * std**2)) / std / 2.5066, color="#0072B2")
    axes[1].plot([mean], [std], "o", color="#D55E00")
    return f"The {shape} bell stands at mean {mean:.2f} with std {std:.1f}."
"""


def press(lab: Lab, handle: object, *keys: str) -> None:
    handle.focus()
    for key in keys:
        lab.page.keyboard.press(key)


def touching(lab: Lab) -> Callable[..., None]:
    """Return a function that touches the page: a kind of event, and where the fingers are."""
    client = lab.page.context.new_cdp_session(lab.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        given = [{"x": x, "y": y} for x, y in points]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})

    return touch


def test_every_key_press_of_a_burst_counts(lab: Lab, run: Callable[..., Lab]) -> None:
    panel = run(lab, BELL + "\nbell").panels[0]
    press(lab, panel.handles[0], *["ArrowRight"] * 25)
    panel.settle()
    assert panel.readouts[0] == "1.25"
    assert panel.sentence == "The round bell stands at mean 1.25 with std 1.0."
    press(lab, panel.handles[2], "ArrowRight", "ArrowRight")
    panel.settle()
    assert panel.sentence.startswith("The steep bell")
    assert panel.handles[2].get_attribute("aria-valuetext") == "steep"


def test_a_sleeping_cell_does_not_block_a_panel(lab: Lab, run: Callable[..., Lab], server: object) -> None:
    run(lab, BELL + "\nbell", "0")
    panel = lab.panels[0]
    lab.page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    lab.page.keyboard.press("Control+A")
    lab.page.keyboard.type("time.sleep(20)")
    lab.page.keyboard.press("Control+Enter")
    lab.page.wait_for_selector("text=/ipykernel\\) \\| Busy/")
    before = panel.serial
    press(lab, panel.handles[0], "ArrowRight")
    panel.wait_for_frame(before, timeout=8_000)
    assert panel.sentence == "The round bell stands at mean 0.05 with std 1.0."
    prompt = lab.page.locator(".jp-CodeCell").nth(1).locator(".jp-InputPrompt")
    assert "*" in prompt.inner_text(), "the cell should still sleep"


def test_a_busy_kernel_is_told_and_the_picture_follows(lab: Lab, run: Callable[..., Lab]) -> None:
    panel = run(lab, BELL + "\nbell").panels[0]
    before = panel.serial
    press(lab, panel.handles[0], "Home")
    lab.page.wait_for_timeout(3300)
    assert panel.notice == "The kernel is busy. The picture follows when it is free."
    panel.wait_for_frame(before)
    lab.page.wait_for_timeout(200)
    assert panel.notice == ""
    assert panel.sentence == "The round bell stands at mean -3.00 with std 1.0."


def test_a_raising_function_leaves_the_last_good_picture(lab: Lab, run: Callable[..., Lab]) -> None:
    panel = run(lab, BELL + "\nbell").panels[0]
    panel.settle()
    picture, words = panel.pixels(), panel.sentence
    press(lab, panel.handles[0], "End")
    lab.page.wait_for_selector("text=ValueError: the bell fell off the table")
    assert panel.pixels() == picture
    assert panel.sentence == words
    press(lab, panel.handles[0], "ArrowLeft")
    panel.settle()
    assert panel.notice == ""
    assert "2.95" in panel.sentence


def test_what_a_reader_types_goes_to_the_grid(lab: Lab, run: Callable[..., Lab]) -> None:
    panel = run(lab, BELL + "\nbell").panels[0]
    readout = panel.locator.locator(".widget-readout").nth(1)
    readout.click()
    lab.page.keyboard.press("Control+A")
    lab.page.keyboard.type("2.34")
    lab.page.keyboard.press("Enter")
    panel.settle()
    assert panel.readouts[1] == "2.30"[: len(panel.readouts[1])]
    assert panel.sentence.endswith("with std 2.3.")


def test_the_point_can_be_dragged(lab: Lab, run: Callable[..., Lab]) -> None:
    panel = run(lab, BELL + "\nbell").panels[0]
    card = panel.locator.locator(".igviz-card")
    card.scroll_into_view_if_needed()
    box, grip = card.bounding_box(), panel.locator.locator(".igviz-handle").bounding_box()
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
    lab.page.mouse.move(x, y)
    lab.page.mouse.down()
    lab.page.mouse.move(x + 70, y - 60, steps=10)
    lab.page.mouse.up()
    panel.settle()
    ring = panel.locator.locator(".igviz-handle").bounding_box()
    # the ring follows the pointer, up to half a step of the sliders
    assert abs(ring["x"] + ring["width"] / 2 - (x + 70)) < 4
    assert abs(ring["y"] + ring["height"] / 2 - (y - 60)) < 7
    assert float(panel.readouts[0]) > 1.0
    assert float(panel.readouts[1]) > 1.3
    before = panel.sentence
    lab.page.mouse.click(box["x"] + 120, box["y"] + 100)  # the other axes has no point to drag
    panel.settle()
    assert panel.sentence == before


def test_touch_drags_the_point(new_page: Callable[..., Lab], run: Callable[..., Lab]) -> None:
    lab = new_page(has_touch=True)
    panel = run(lab, BELL + "\nbell").panels[0]
    card = panel.locator.locator(".igviz-card")
    card.scroll_into_view_if_needed()
    grip = panel.locator.locator(".igviz-handle").bounding_box()
    x, y = grip["x"] + 15, grip["y"] + 15
    touch = touching(lab)
    touch("touchStart", (x, y))
    for share in range(1, 6):
        touch("touchMove", (x - 10 * share, y - 5 * share))
        lab.page.wait_for_timeout(30)
    touch("touchEnd")
    panel.settle()
    assert float(panel.readouts[0].replace("−", "-")) < -0.5


def test_scenes_predictions_reset_and_play(lab: Lab, run: Callable[..., Lab]) -> None:
    panel = run(lab, BELL + "\nbell").panels[0]
    before = panel.serial
    panel.button("Wide").click()
    panel.settle()
    assert panel.serial == before + 1
    assert panel.readouts[:2] == ["2.00", "3.0"] or panel.readouts[:2] == ["2.00", "3.00"]
    assert "What is 1 < 2?" in panel.locator.inner_text()
    panel.button("False").click()
    panel.settle()
    assert panel.serial == before + 2
    assert panel.locator.locator(".igviz-quote").inner_text() == "You predicted: False."
    assert "mean 1.00" in panel.sentence
    panel.button("Reset").click()
    panel.settle()
    assert not panel.locator.locator(".igviz-quote").is_visible()
    assert "mean 0.00" in panel.sentence

    play = panel.locator.get_by_role("button", name="Play", exact=True)
    assert play.count() == 1
    before = panel.serial
    play.click()
    panel.wait_for_frame(before + 3, timeout=10_000)
    panel.button("Reset").click()  # a moving panel stops
    lab.page.wait_for_timeout(600)
    panel.settle()
    now = panel.serial
    lab.page.wait_for_timeout(600)
    assert panel.serial == now
    assert "mean 0.00" in panel.sentence


def test_words_for_those_who_do_not_see_it(lab: Lab, run: Callable[..., Lab]) -> None:
    panel = run(lab, BELL + "\nbell").panels[0]
    handle = panel.handles[0]
    assert handle.get_attribute("aria-label") == "mean"
    press(lab, handle, "ArrowRight")
    panel.settle()
    assert handle.get_attribute("aria-valuetext") == "0.05"
    assert panel.alt == panel.sentence
    lab.page.wait_for_timeout(800)
    live = panel.locator.locator(".igviz-live")
    assert live.get_attribute("aria-live") == "polite"
    assert live.text_content() == panel.sentence
    assert live.bounding_box()["width"] <= 1


def test_one_panel_in_two_cells_stays_in_step_and_a_second_is_independent(
    lab: Lab, run: Callable[..., Lab]
) -> None:
    run(lab, BELL, "bell", "bell", "bell(mean=2.0)")
    first, again, other = lab.panels
    other.locator.scroll_into_view_if_needed()
    assert "2.00" in other.sentence
    first.locator.scroll_into_view_if_needed()
    press(lab, first.handles[0], "ArrowLeft")
    first.settle()
    again.settle()
    assert first.sentence == again.sentence == "The round bell stands at mean -0.05 with std 1.0."
    assert first.pixels() == again.pixels()
    assert "2.00" in other.sentence


@pytest.mark.parametrize("density", [1, 1.25, 2, 3])
def test_the_picture_has_the_density_of_the_page(
    density: float, new_page: Callable[..., Lab], run: Callable[..., Lab]
) -> None:
    lab = new_page(device_scale_factor=density)
    panel = run(lab, BELL + "\nbell").panels[0]
    panel.settle()
    image = panel.locator.locator("img.igviz-picture")
    assert image.evaluate("picture => picture.naturalWidth") == round(720 * min(density, 2))
    assert image.bounding_box()["width"] == pytest.approx(720, abs=1)
    press(lab, panel.handles[0], "ArrowRight")
    panel.settle()
    assert image.evaluate("picture => picture.naturalWidth") == round(720 * min(density, 2))


def test_projector_dark_page_and_narrow_page(new_page: Callable[..., Lab], run: Callable[..., Lab]) -> None:
    lab = new_page(viewport={"width": 1600, "height": 900})
    panel = run(lab, BELL + "\nbell").panels[0]
    card = panel.locator.locator(".igviz-card")
    panel.button("Projector").click()
    panel.settle()
    assert card.bounding_box()["width"] == pytest.approx(1102, abs=2)
    natural = panel.locator.locator("img.igviz-picture").evaluate("picture => picture.naturalWidth")
    assert natural == pytest.approx(1102, abs=2)
    panel.button("Projector").click()
    panel.settle()
    assert card.bounding_box()["width"] == pytest.approx(720, abs=1)
    lab.menu("Settings", "Theme")
    lab.page.click(".lm-Menu >> text=JupyterLab Dark")
    lab.page.wait_for_selector("body[data-jp-theme-light='false']", state="attached")
    lab.page.wait_for_timeout(300)
    style = "element => { const s = getComputedStyle(element); return [s.backgroundColor, s.borderRadius]; }"
    assert card.evaluate(style) == ["rgb(255, 255, 255)", "8px"]
    colours = panel.locator.locator(".igviz-sentence").evaluate(
        "element => getComputedStyle(element).color.match(/[0-9.]+/g).slice(0, 3).map(Number)"
    )
    assert min(colours) > 150, "dark words on a dark page"
    lab.page.set_viewport_size({"width": 820, "height": 900})
    lab.page.wait_for_timeout(500)
    sliders = panel.locator.locator(".igviz-sliders").bounding_box()
    assert card.bounding_box()["width"] < 700
    assert sliders["y"] > card.bounding_box()["y"] + card.bounding_box()["height"], "controls go below"


LONG_CHOICES = """
import igviz as ig

@ig.panel(family=ig.Slider(choices=("Exponential, rate", "Cauchy, location"), label="parameter θ"), x=(0, 1))
def chosen(axes, family="Cauchy, location", x=0.5):
    return f"{family} at {x:.2f}"

chosen
"""
TOO_WIDE = """readout => {
  const words = document.createRange();
  words.selectNodeContents(readout);
  return words.getBoundingClientRect().width - readout.getBoundingClientRect().width;
}"""


def test_a_long_choice_is_read_to_its_last_letter(
    new_page: Callable[..., Lab], run: Callable[..., Lab]
) -> None:
    panel = run(new_page(viewport={"width": 1600, "height": 900}), LONG_CHOICES).panels[0]
    readout = panel.locator.locator(".widget-readout").first
    for key in ("End", "Home"):
        press(panel.lab, panel.handles[0], key)
        panel.settle()
        assert readout.evaluate(TOO_WIDE) < 0.1, panel.readouts[0]
    panel.button("Projector").click()
    panel.settle()
    assert readout.evaluate(TOO_WIDE) < 0.1, "cut off on the projector"


def test_a_cell_run_again_closes_its_old_panel(lab: Lab, run: Callable[..., Lab]) -> None:
    count = "from ipywidgets.widgets.widget import _instances; len(_instances)"
    run(lab, BELL, "bell(mean=1.0)", count)
    lab.run_all()
    before = lab.page.locator(".jp-OutputArea-output pre").last.inner_text()
    for _ in range(4):
        lab.run_all()
    assert lab.page.locator(".jp-OutputArea-output pre").last.inner_text() == before
    assert lab.count == 1


def test_a_saved_notebook_holds_pictures_not_dead_widgets(
    lab: Lab, run: Callable[..., Lab], server: object
) -> None:
    run(lab, BELL + "\nbell", "import ipywidgets; ipywidgets.IntSlider()")
    lab.page.keyboard.press("Control+S")
    lab.page.wait_for_timeout(1500)
    saved = json.loads(next(server.root.glob("test_a_saved_notebook*.ipynb")).read_text())
    data = saved["cells"][0]["outputs"][0]["data"]
    assert set(data) == {"image/png", "text/plain"}
    assert "".join(data["text/plain"]) == "The round bell stands at mean 0.00 with std 1.0."
    assert "widgets" not in saved["metadata"]
    # a widget without a picture is the reader's own affair
    assert "application/vnd.jupyter.widget-view+json" in saved["cells"][1]["outputs"][0]["data"]


def test_slow_work_leaves_the_sliders_free(lab: Lab, run: Callable[..., Lab]) -> None:
    source = """
import time
import igviz as ig

def train(progress, height):
    for step in range(30):
        time.sleep(0.1)
        progress(step / 30, f"step {step}")
    return height

@ig.panel(height=(0, 10, 1), work=ig.Work("Train", train))
def towers(axes, height=3, result=None):
    axes.bar([0, 1], [height, result or 0], color="#0072B2")
    return f"height {height}, trained {result}"

towers
"""
    panel = run(lab, source).panels[0]
    panel.button("Train").click()
    before = panel.serial
    press(lab, panel.handles[0], "ArrowRight")
    panel.wait_for_frame(before, timeout=2_500)
    assert panel.sentence == "height 4, trained None"
    lab.page.wait_for_function(
        "panel => panel.querySelector('.igviz-sentence').textContent === 'height 4, trained 3'",
        arg=panel.locator.element_handle(),
        timeout=10_000,
    )
    assert panel.button("Train").is_visible()


def test_results_on_the_way_take_a_slider_along_until_the_reader_moves_it(
    lab: Lab, run: Callable[..., Lab]
) -> None:
    source = """
import time
import igviz as ig

def train(progress, epoch):
    for step in range(1, 101):
        time.sleep(0.05)
        progress(step / 100, f"step {step}", result=step, epoch=step)
    return step

@ig.panel(epoch=(0, 100, 1), work=ig.Work("Train", train))
def towers(axes, epoch=50, result=None):
    axes.bar([0, 1], [epoch, result or 0], color="#0072B2")
    return f"epoch {epoch} of {result}"

towers
"""
    panel = run(lab, source).panels[0]
    panel.button("Train").click()
    before = panel.serial
    panel.wait_for_frame(before + 2)
    followed = [int(number) for number in panel.sentence.split()[1::2]]
    assert followed[0] == followed[1] < 50
    press(lab, panel.handles[0], "End")
    lab.page.wait_for_timeout(1200)
    epoch, result = (int(number) for number in panel.sentence.split()[1::2])
    assert panel.readouts == ["100"]
    assert epoch == 100 > result > followed[1]
    panel.button("Stop").click()
    panel.settle()
    assert panel.notice == "Stopped; the picture shows the last result."
    assert panel.sentence.startswith("epoch 100 of ")
