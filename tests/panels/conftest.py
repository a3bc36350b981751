"""What the panel tests share: a tidy-up, a wire to look at, and a page that talks back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm

from igviz.panels.engine import cells, projector
from igviz.panels.engine.panel import _shown


@pytest.fixture(autouse=True)
def tidy(wire):
    """Leave no panel open behind a test."""
    yield
    for one in list(_shown):
        one.close()
    cells._made.clear()
    projector(False)


@dataclass
class Wire:
    """All messages that left for the page, as (identity of the widget, content, buffers)."""

    sent: list[tuple[str, dict[str, Any], list[Any]]] = field(default_factory=list)

    def clear(self) -> None:
        self.sent.clear()

    def updates(self, widget: Any) -> list[dict[str, Any]]:
        """The state updates of one widget, each with its buffers put back in place."""
        found = []
        for identity, data, buffers in self.sent:
            if identity == widget.model_id and data.get("method") == "update":
                state = dict(data["state"])
                for path, buffer in zip(data["buffer_paths"], buffers or [], strict=True):
                    state[path[0]] = bytes(buffer)
                found.append(state)
        return found

    def custom(self, widget: Any) -> list[Any]:
        """The other messages of one widget."""
        return [
            data["content"]
            for identity, data, _ in self.sent
            if identity == widget.model_id and data.get("method") == "custom"
        ]

    @staticmethod
    def page(widget: Any, **state: Any) -> None:
        """Say what the page would say when a reader touched the widget."""
        widget.comm.handle_msg({"content": {"data": {"method": "update", "state": state}}, "buffers": []})

    @staticmethod
    def say(widget: Any, **content: Any) -> None:
        """Send a custom message from the page."""
        widget.comm.handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Replace the connection to the page by a list."""
    made = Wire()

    class Line(BaseComm):
        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            made.sent.append((self.comm_id, data or {}, list(buffers or [])))

    monkeypatch.setattr(comm, "create_comm", lambda **options: Line(**options))
    return made
