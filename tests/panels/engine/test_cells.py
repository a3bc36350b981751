"""Nothing is left behind: not by a hundred panels, not by one cell run a hundred times."""

from __future__ import annotations

import gc
import sys
import textwrap
import time
import types

import ipywidgets
import pytest
from jupyter_client.manager import KernelManager
from matplotlib.figure import Figure

from igviz.panels.engine import Prediction, Work, cells, panel


def make():
    @panel(
        size=(160, 100),
        setup=lambda axes: (axes.axis("off"), axes.set(xlim=(0, 1), ylim=(0, 1))),
        a=(0, 4, 1),
        b=["x", "y"],
        scenes={"Far": {"a": 4}},
        predict=Prediction("Where?", ["here", "there"], at={"a": 3}),
        play="a",
        work=Work("Train", lambda progress, a, b: a),
    )
    def line(axes, a=1, b="x", result=None):
        axes.plot([0, 1], [0, a])
        return f"a is {a}, {b}, {result}"

    return line


def count():
    gc.collect()
    return (
        len(ipywidgets.widgets.widget._instances),
        sum(isinstance(one, Figure) for one in gc.get_objects()),
    )


def test_a_hundred_panels_made_shown_and_closed_leave_nothing(wire):
    make()._repr_mimebundle_()  # caches of the libraries are filled once
    before = count()
    for _ in range(100):
        p = make()
        p._repr_mimebundle_()
        p.close()
    del p
    assert count() == before


def test_a_closed_panel_says_so_to_the_page_and_can_be_shown_again(wire):
    p = make()
    first = p._repr_mimebundle_()[0]
    p.set(a=3)
    identities = {identity for identity, _, _ in wire.sent}
    wire.clear()
    p.close()
    assert {identity for identity, _, _ in wire.sent} == identities, "every widget's line is closed"
    p.close()
    assert p.values == {"a": 3, "b": "x"}
    again = p._repr_mimebundle_()[0]
    assert again["text/plain"] == "a is 3, x, None"
    assert again != first
    p.set(a=1)
    assert p.widget.picture.sentence == "a is 1, x, None"


def test_messages_to_a_closed_view_do_nothing(wire):
    p = make()
    old = p.widget
    slider, lines = old.children[0].children[-1].children[0], old.picture.comm
    p.close()
    p.widget  # noqa: B018
    slider.value = 4
    old.picture.pointer = [0.1, 0.1, 1.0]
    lines.handle_msg({"content": {"data": {"method": "custom", "content": {"kind": "rest", "serial": 1}}}})
    assert p.values["a"] == 1


# -- cells ------------------------------------------------------------------------------------------------


@pytest.fixture
def cell(monkeypatch):
    """Pretend to be a kernel: ``cell(identity)`` starts a new run of a cell."""
    shell = types.SimpleNamespace(parent_header={})
    module = types.ModuleType("IPython")
    module.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    runs = iter(range(10_000))

    def start(identity):
        shell.parent_header = {"header": {"msg_id": f"run {next(runs)}"}, "metadata": {"cellId": identity}}

    return start


def is_open(p):
    return p._view is not None


def test_one_cell_run_a_hundred_times_leaves_one_panel(wire, cell):
    cell("A")
    make()._repr_mimebundle_()
    before = count()
    for _ in range(100):
        cell("A")
        p = make()
        p._repr_mimebundle_()
    del p
    after = count()
    assert after == before


def test_a_run_closes_what_the_cell_made_before_and_nothing_else(wire, cell):
    cell("A")
    first, second = make(), make()
    first._repr_mimebundle_(), second._repr_mimebundle_()
    cell("B")
    other = make()
    other._repr_mimebundle_()
    assert all(map(is_open, (first, second, other)))
    cell("A")
    third = make()
    third._repr_mimebundle_()
    assert [is_open(one) for one in (first, second, third, other)] == [False, False, True, True]


def test_a_closed_panel_is_not_kept_in_the_notes(wire, cell):
    cell("A")
    first, second = make(), make()
    first.widget, second.widget  # noqa: B018
    first.close()
    assert [kept for _, panels in cells._made.values() for kept in panels] == [second]
    second.close()
    assert cells._made == {}


def test_a_panel_shown_again_by_the_same_cell_stays_open(wire, cell):
    p = make()
    for _ in range(3):
        cell("A")
        view = p._repr_mimebundle_()[0]["application/vnd.jupyter.widget-view+json"]
    assert is_open(p)
    assert view["model_id"] == p.widget.model_id


def test_without_a_cells_identity_nothing_is_closed(wire, cell):
    cell(None)
    first, second = make(), make()
    first._repr_mimebundle_()
    cell(None)
    second._repr_mimebundle_()
    assert is_open(first)
    assert is_open(second)


# -- a real kernel -----------------------------------------------------------------------------------------


class Kernel:
    """A running IPython kernel that is sent cells as JupyterLab sends them."""

    def __init__(self):
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def request(self, code, identity=None):
        content = {"code": textwrap.dedent(code), "silent": False, "store_history": True}
        content |= {"user_expressions": {}, "allow_stdin": False, "stop_on_error": True}
        message = self.client.session.msg(
            "execute_request", content, metadata={"cellId": identity} if identity else {}
        )
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def until(self, done):
        found = []
        end = time.monotonic() + 60
        while time.monotonic() < end:
            message = self.client.get_iopub_msg(timeout=60)
            found.append(message)
            if message["msg_type"] == "error":
                raise AssertionError("\n".join(message["content"]["traceback"]))
            if done(message):
                return found
        raise AssertionError("the kernel said nothing more")

    def run(self, code, identity=None):
        number = self.request(code, identity)
        return self.until(lambda message: self.idle(message, number))

    @staticmethod
    def idle(message, number):
        return (
            message["msg_type"] == "status"
            and message["content"]["execution_state"] == "idle"
            and message["parent_header"].get("msg_id") == number
        )

    def told(self, code):
        return "".join(m["content"]["text"] for m in self.run(code) if m["msg_type"] == "stream")


@pytest.fixture(scope="module")
def kernel():
    made = Kernel()
    yield made
    made.client.stop_channels()
    made.manager.shutdown_kernel(now=True)


DEFINE = """
import igviz as ig

@ig.panel(size=(160, 100), setup=lambda axes: axes.set(xlim=(0, 4), ylim=(0, 1)), a=(0, 4, 1), b=(0, 4, 1))
def line(axes, a=1, b=1):
    axes.plot([0, a], [0, 1])
    return f"a is {a}, b is {b}"

line
"""
COUNT = """
import gc, ipywidgets, matplotlib.figure
gc.collect()
print(len(ipywidgets.widgets.widget._instances),
      sum(isinstance(one, matplotlib.figure.Figure) for one in gc.get_objects()))
"""


def test_a_cell_run_again_in_a_real_kernel_leaves_one_panel(kernel):
    counts = []
    for _ in range(3):
        for _ in range(4):
            messages = kernel.run(DEFINE, "cell one")
        counts.append(kernel.told(COUNT).split())
    assert counts[0] == counts[1] == counts[2]
    (result,) = [m["content"]["data"] for m in messages if m["msg_type"] == "execute_result"]
    assert result["text/plain"] == "a is 1, b is 1"
    assert "image/png" in result


def test_a_panel_moves_while_a_cell_sleeps(kernel):
    """JupyterLab sends slider messages to a subshell; the answer comes while the main thread sleeps."""
    if "kernel subshells" not in kernel.client.kernel_info(reply=True, timeout=30)["content"].get(
        "supported_features", []
    ):
        pytest.skip("this kernel has no subshells")
    kernel.run(DEFINE, "cell one")
    identity = kernel.told("print(line.widget.children[0].children[-1].children[0].model_id)").strip()
    picture = kernel.told("print(line.widget.picture.model_id)").strip()
    session, control = kernel.client.session, kernel.client.control_channel
    control.send(session.msg("create_subshell_request", {}))
    subshell = kernel.client.get_control_msg(timeout=30)["content"]["subshell_id"]
    sleep = kernel.request("import time; time.sleep(3)", "cell two")
    kernel.until(lambda m: m["msg_type"] == "execute_input" and m["parent_header"].get("msg_id") == sleep)
    data = {"method": "update", "state": {"value": 4}, "buffer_paths": []}
    message = session.msg("comm_msg", {"comm_id": identity, "data": data})
    message["header"]["subshell_id"] = subshell
    kernel.client.shell_channel.send(message)
    messages = kernel.until(lambda m: kernel.idle(m, sleep))
    frames = [
        m["content"]["data"]["state"]
        for m in messages
        if m["msg_type"] == "comm_msg"
        and m["content"]["comm_id"] == picture
        and m["content"]["data"]["method"] == "update"
    ]
    assert [state["sentence"] for state in frames] == ["a is 4, b is 1"]
