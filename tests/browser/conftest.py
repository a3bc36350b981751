"""One JupyterLab server and one Chromium for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Lab, Server, browser_page, chromium, notebook

FAILED = pytest.StashKey[bool]()
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, and say why, where a reader has no browser; in CI a missing browser is a failure."""
    if chromium() is not None or os.environ.get("CI") == "true":
        return
    why = "no Chromium or Chrome on this machine: the tests in a real browser are skipped"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on copies of the course's notebooks."""
    root, home = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("home")
    for path in NOTEBOOKS.glob("*.ipynb"):
        shutil.copy(path, root)
    running = Server(root, home)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    """Playwright, driving the Chromium of this machine."""
    if chromium() is None:
        pytest.fail("CI=true, but there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Keep whether a test failed, for the picture of what its page looked like."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture
def new_page(
    playwright: Any, server: Server, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., Lab]]:
    """Return a function that opens a page with an empty profile; options go to the browser's context."""
    labs: list[Lab] = []

    def open_page(**options: Any) -> Lab:
        labs.append(open_pages.enter_context(browser_page(playwright, server, **options)))
        return labs[-1]

    with ExitStack() as open_pages:
        yield open_page
        if request.node.stash.get(FAILED, False):
            for number, lab in enumerate(labs):
                lab.page.screenshot(path=tmp_path / f"failed_{number}.png")
                print(f"what the page looked like: {tmp_path}/failed_{number}.png; {lab.console_errors}")


@pytest.fixture
def lab(new_page: Callable[..., Lab]) -> Lab:
    """A page of 1280 × 720."""
    return new_page()


@pytest.fixture
def run(server: Server, request: pytest.FixtureRequest) -> Callable[..., Lab]:
    """Return a function that puts sources into a new notebook, opens it in a page and runs it."""
    count = 0

    def write_and_run(lab: Lab, *sources: str) -> Lab:
        nonlocal count
        count += 1
        name = f"{request.node.name.partition('[')[0]}_{count}.ipynb"
        (server.root / name).write_text(notebook(*sources))
        lab.open(name)
        lab.run_all()
        return lab

    return write_and_run
