"""JupyterLab in headless Chromium, driven as a reader drives it."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from PIL import Image

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# a machine's proxy knows nothing of servers on the machine itself
WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def chromium() -> str | None:
    """Return the path of an installed Chromium or Chrome, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        found = shutil.which(name)
        if found:
            return found
    return None


def notebook(*sources: str) -> str:
    """Return the text of a notebook with one code cell for each source."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return json.dumps(
        {
            "cells": cells,
            "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


class Server:
    """A JupyterLab server on a free port of this machine, with settings and workspaces of its own."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home = root, home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        environment = os.environ | {
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }
        self._log = (home / "server.log").open("w")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyter",
                "lab",
                "--no-browser",
                "--allow-root",
                "--ServerApp.ip=127.0.0.1",
                f"--ServerApp.port={self.port}",
                "--IdentityProvider.token=",
                "--ServerApp.disable_check_xsrf=True",
                f"--ServerApp.root_dir={root}",
            ],
            env=environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        end = time.monotonic() + 60
        while True:
            try:
                WITHOUT_PROXY.open(f"http://{self.address}/api/status", timeout=2).read()
                return
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError(
                        "JupyterLab did not start:\n" + (home / "server.log").read_text()
                    ) from None
                time.sleep(0.2)

    def shut_down_kernels(self) -> None:
        """Shut down every kernel, as a reader does who leaves."""
        with WITHOUT_PROXY.open(f"http://{self.address}/api/sessions") as answer:
            sessions = json.load(answer)
        for session in sessions:
            address = f"http://{self.address}/api/sessions/{session['id']}"
            WITHOUT_PROXY.open(urllib.request.Request(address, method="DELETE")).close()

    def stop(self) -> None:
        """Stop the server and its kernels."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self._log.close()


class Line:
    """A line to a server that can be cut: a port of this machine that passes everything on.

    While `lossy` is true it takes what either side says and passes nothing on, as a network that was lost;
    `cut` then ends every connection, and new ones work.
    """

    def __init__(self, server: Server) -> None:
        self.lossy = False
        self._server = server
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._door.getsockname()[1]}"
        self._start(self._accept)

    def _start(self, act: Callable[..., None], *arguments: Any) -> None:
        self._threads.append(threading.Thread(target=act, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):  # the door was closed
            while True:
                page, _ = self._door.accept()
                server = socket.create_connection(("127.0.0.1", self._server.port))
                self._ends += [page, server]
                for give, take in ((page, server), (server, page)):
                    self._start(self._pass_on, give, take)

    def _pass_on(self, give: socket.socket, take: socket.socket) -> None:
        with give, suppress(OSError):
            while data := give.recv(65536):
                if not self.lossy:
                    take.sendall(data)
            take.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """End every connection."""
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut the line for good."""
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)


class Lab:
    """One browser page on JupyterLab, with what went wrong in it."""

    def __init__(self, page: Any, server: Server) -> None:
        self.page, self.server = page, server
        self.address = server.address  # where the page finds the server
        self.console_errors: list[str] = []
        self.foreign: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.console_errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _request(self, request: Any) -> None:
        address = request.url
        if address.split("/")[2] != self.address and not address.startswith(("data:", "blob:")):
            self.foreign.append(address)

    def open(self, path: str) -> None:
        """Open a notebook and wait for its kernel."""
        workspace = f"lab/workspaces/{uuid.uuid4().hex}"  # nothing of an earlier page comes back
        self.page.goto(f"http://{self.address}/{workspace}/tree/{path}", wait_until="domcontentloaded")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self.page.wait_for_selector("text=/Python 3 \\(ipykernel\\) \\| Idle/", timeout=60_000)

    def menu(self, menu: str, item: str) -> None:
        """Choose an item of JupyterLab's menu bar."""
        self.page.click(f"#jp-MainMenu >> text={menu}")
        self.page.click(f".lm-Menu >> text={item}")

    def run_all(self, timeout: float = 240_000) -> None:
        """Run every cell and wait until all have run."""
        self.menu("Run", "Run All Cells")
        self.page.wait_for_function(RUN, timeout=timeout)
        self.page.wait_for_timeout(500)

    def unfold(self) -> None:
        """Open every folded heading."""
        while (button := self.page.locator(".jp-showHiddenCellsButton:visible").first).count():
            button.click()
            self.page.wait_for_timeout(300)

    def wait_until_idle(self) -> None:
        """Wait until the kernel has had time to begin, and is done with all it was asked."""
        self.page.wait_for_timeout(700)
        self.page.wait_for_selector("text=/Python 3 \\(ipykernel\\) \\| Idle/", timeout=60_000)

    def restart_kernel(self) -> None:
        """Restart the kernel, by the menu and its dialog."""
        self.menu("Kernel", "Restart Kernel…")
        self.page.click(".jp-Dialog .jp-mod-accept")

    @property
    def panels(self) -> list[Panel]:
        """Return the panels of the page, from top to bottom; hidden ones are scrolled to first."""
        return [Panel(self, self.page.locator(".igviz-panel").nth(k)) for k in range(self.count)]

    @property
    def count(self) -> int:
        """Return how many panels are in the page."""
        return self.page.locator(".igviz-panel").count()

    def screenshot(self, locator: Any) -> Image.Image:
        """Return an element as it looks."""
        box = locator.bounding_box()
        clip = {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}
        return Image.open(io.BytesIO(self.page.screenshot(clip=clip))).convert("RGB")

    def dialogs(self) -> list[str]:
        """Return the texts of dialogs and toasts on screen."""
        return self.page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts()


RUN = """() => {
  const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(p => p.textContent);
  const status = document.querySelector(".jp-Notebook-ExecutionIndicator")?.dataset.status;
  const all = prompts.length > 0 && prompts.every(prompt => !prompt.includes('*'));
  return all && prompts.some(prompt => /\\d/.test(prompt)) && status === 'idle';
}"""


# the picture and the sliders' words have stood still for 160 ms, and the picture is the lossless one
AT_REST = """async panel => {
  const look = () => {
    const picture = panel.querySelector('img.igviz-picture');
    const words = [...panel.querySelectorAll('.widget-readout')].map(one => one.textContent);
    return [picture.src, picture.dataset.mime, ...words].join('\\n');
  };
  let last = look(), quiet = 0;
  for (let turn = 0; turn < 300; turn++) {
    await new Promise(done => setTimeout(done, 40));
    const now = look();
    quiet = now === last ? quiet + 40 : 0;
    last = now;
    const lossless = panel.querySelector('img.igviz-picture').dataset.mime === 'image/png';
    // a key or a button that was just pressed may need 200 ms before anything moves
    if (lossless && quiet >= 160 && turn >= 7) return [true, last];
  }
  return [false, last];
}"""


class Panel:
    """One panel in the page."""

    def __init__(self, lab: Lab, locator: Any) -> None:
        self.lab, self.locator = lab, locator

    @property
    def sentence(self) -> str:
        """The sentence in the page."""
        return self.locator.locator(".igviz-sentence").inner_text()

    @property
    def alt(self) -> str:
        """The picture's alternative text."""
        return self.locator.locator("img.igviz-picture").get_attribute("alt")

    def words(self) -> tuple[str, str, str]:
        """Return the line that Copy gives, the sentence and the alternative text, all of one moment."""
        found = self.locator.evaluate(
            """panel => ['.igviz-line', '.igviz-sentence'].map(name => panel.querySelector(name).textContent)
               .concat(panel.querySelector('img.igviz-picture').alt)"""
        )
        return tuple(found)

    @property
    def serial(self) -> int:
        """The number of the frame on screen."""
        return int(self.locator.locator("img.igviz-picture").get_attribute("data-serial") or 0)

    @property
    def notice(self) -> str:
        """The line under the picture that says what is wrong, if anything."""
        return self.locator.locator(".igviz-notice").inner_text()

    @property
    def handles(self) -> list[Any]:
        """The sliders' handles."""
        found = self.locator.locator(".noUi-handle")
        return [found.nth(k) for k in range(found.count())]

    @property
    def readouts(self) -> list[str]:
        """What the sliders read."""
        return self.locator.locator(".widget-readout").all_inner_texts()

    def pixels(self) -> bytes:
        """Return the bytes of the picture on screen."""
        # as text: an array of a hundred thousand numbers takes Playwright half a second
        return base64.b64decode(
            self.lab.page.evaluate(
                """async (picture) => {
                  const bytes = new Uint8Array(await (await fetch(picture.src)).arrayBuffer());
                  return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
                }""",
                self.locator.locator("img.igviz-picture").element_handle(),
            )
        )

    def button(self, label: str) -> Any:
        """Return a button by its label."""
        return self.locator.locator("button", has_text=label).first

    def wait_for_frame(self, after: int, timeout: float = 10_000) -> None:
        """Wait until a later frame than the given one is on screen."""
        self.lab.page.wait_for_function(
            "([picture, after]) => Number(picture.querySelector('img.igviz-picture').dataset.serial) > after",
            arg=[self.locator.element_handle(), after],
            timeout=timeout,
        )

    def settle(self) -> None:
        """Wait until no frame has come for a while, the lossless picture included."""
        rested, last = self.lab.page.evaluate(AT_REST, self.locator.element_handle())
        assert rested, f"the panel does not come to rest: {last}"


@contextmanager
def browser_page(playwright: Any, server: Server, **context: Any) -> Iterator[Lab]:
    """Open Chromium with an empty profile on a server."""
    browser = playwright.chromium.launch(executable_path=chromium(), headless=True, args=CHROMIUM_FLAGS)
    try:
        settings = {"viewport": {"width": 1280, "height": 720}} | context
        page = browser.new_context(**settings).new_page()
        yield Lab(page, server)
    finally:
        browser.close()
        server.shut_down_kernels()
