"""Stored panels where no kernel has run: files of other programs, lectures that are only opened."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.sign import NotebookNotary

from tests.browser.conftest import NOTEBOOKS
from tests.browser.lab import CHROMIUM_FLAGS, Lab, Server, browser_page, chromium, notebook

PANEL = """
import igviz as ig

@ig.panel(mean=(-3, 3))
def point(axes, mean=0.0):
    axes.plot([mean], [1], "o", color="#0072B2")
    return f'The "point" stands at mean {mean:.2f} < 4.'

point
"""
SENTENCE = 'The "point" stands at mean 0.00 < 4.'
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def executed() -> Any:
    """A notebook as a program without the course's server saves it: a widget view beside each picture."""
    content = nbformat.reads(notebook(PANEL), as_version=4)
    NotebookClient(content, kernel_name="python3").execute()
    (output,) = content.cells[0].outputs
    assert set(output.data) == {VIEW, "image/png", "text/plain"}
    return content


def assert_the_picture_is_seen(page: Any) -> None:
    """Assert that the page shows the one stored picture, whole, and no widget."""
    page.wait_for_timeout(1000)  # a widget's view comes later
    assert "model not found" not in page.locator(".jp-Notebook").inner_text()
    assert page.locator(".jupyter-widgets, .igviz-panel").count() == 0
    picture = page.locator(".jp-RenderedImage img")
    assert picture.is_visible()
    assert picture.evaluate("picture => picture.naturalWidth") >= 720


@pytest.mark.parametrize("state", [False, True])
def test_a_file_of_another_program_opens_with_its_picture(
    lab: Lab, server: Server, executed: Any, state: bool
) -> None:
    path, content = server.root / f"of_another_program_{state}.ipynb", deepcopy(executed)
    if not state:  # some programs store the widgets' state, some do not
        del content.metadata["widgets"]
    nbformat.write(content, path)
    # JupyterLab shows a widget view only where it trusts the file
    NotebookNotary(data_dir=str(server.home / "data")).sign(content)
    lab.open(path.name)
    assert_the_picture_is_seen(lab.page)
    assert VIEW in path.read_text(), "it is the opening that mends, nothing was saved"


@pytest.fixture
def lecture(server: Server) -> Path:
    """A lecture with folded solutions, as it is committed."""
    return Path(shutil.copy(NOTEBOOKS / "01_manifold_intuition.ipynb", server.root / "only_opened.ipynb"))


def test_a_lecture_that_was_only_opened_closes_without_a_question(lab: Lab, lecture: Path) -> None:
    before = lecture.read_bytes()
    lab.open(lecture.name)
    lab.page.wait_for_timeout(1500)  # what the kernel says of itself is noted after its first answer
    assert lab.page.locator(".jp-mod-dirty").count() == 0
    lab.menu("File", "Save Notebook")
    lab.page.wait_for_timeout(1500)
    assert lecture.read_bytes() == before, "nor is anything else of the page's in its file"
    lab.page.click(".lm-TabBar-tab.lm-mod-current .lm-TabBar-tabCloseIcon >> visible=true")
    lab.page.wait_for_selector(".jp-NotebookPanel", state="detached", timeout=5000)
    assert lab.dialogs() == []


def test_a_lecture_that_was_run_is_saved_without_the_version(lab: Lab, lecture: Path) -> None:
    lab.open(lecture.name)
    lab.page.locator(".jp-CodeCell .cm-content").first.click()
    lab.page.keyboard.press("Shift+Enter")
    lab.wait_until_idle()
    assert lab.page.locator(".jp-mod-dirty").count() > 0
    lab.menu("File", "Save Notebook")
    lab.page.wait_for_selector(".jp-mod-dirty", state="detached")
    committed = json.loads((NOTEBOOKS / "01_manifold_intuition.ipynb").read_text())
    assert json.loads(lecture.read_text())["metadata"] == committed["metadata"]


def test_notebook_7_shows_stored_pictures_and_moves_live_ones(
    lab: Lab, server: Server, executed: Any
) -> None:
    path = server.root / "in_notebook_7.ipynb"
    nbformat.write(executed, path)
    NotebookNotary(data_dir=str(server.home / "data")).sign(executed)
    lab.page.goto(f"http://{server.address}/notebooks/{path.name}")
    lab.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    assert_the_picture_is_seen(lab.page)
    lab.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", state="attached")
    lab.run_all()
    (panel,) = lab.panels
    assert panel.sentence == panel.alt == SENTENCE
    before = panel.serial
    panel.handles[0].focus()
    lab.page.keyboard.press("End")
    panel.wait_for_frame(before)
    assert "mean 3.00" in panel.sentence


def test_a_page_of_html_shows_the_picture_without_network(
    playwright: Any, executed: Any, tmp_path: Path
) -> None:
    nbformat.write(executed, tmp_path / "page.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "page.ipynb"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
    try:
        context = browser.new_context()
        context.set_offline(True)
        page = context.new_page()
        page.goto((tmp_path / "page.html").as_uri())
        assert_the_picture_is_seen(page)
        assert page.get_by_role("img", name=SENTENCE, exact=True).is_visible()
    finally:
        browser.close()


def test_a_proxy_is_not_asked_for_this_machine(
    playwright: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:9")
    source = "import os, urllib.request\nurllib.request.proxy_bypass('127.0.0.1')"
    (tmp_path / "x.ipynb").write_text(notebook(source))
    running = Server(tmp_path, tmp_path)
    try:
        with browser_page(playwright, running) as lab:
            lab.open("x.ipynb")
            lab.run_all()
            assert lab.page.locator(".jp-OutputArea-output pre").last.inner_text() in ("True", "1")
    finally:
        running.stop()
