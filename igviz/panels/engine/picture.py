"""The picture of a panel in the page: bytes and sentence in one message, and what the page says back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from igviz.plots.settings import LOCK

HERE = Path(__file__).parent
PROJECTOR = 1.53
LARGEST_DENSITY = 2.0


class Picture(anywidget.AnyWidget):
    """What the page shows of a panel besides its controls.

    The kernel writes ``frame`` (the encoded bytes) with all that belongs to it in one message. The page
    writes ``density`` (its dots per CSS pixel), ``projector`` and ``pointer`` (across, down, count:
    fractions of the picture and a counter), asks once for the picture at rest when nothing moves, and for
    everything again after its line to the kernel was cut.
    """

    _esm = HERE / "picture.js"
    _css = HERE / "picture.css"

    frame = traitlets.Bytes(b"").tag(sync=True)
    mime = traitlets.Unicode("image/png").tag(sync=True)
    serial = traitlets.Int(0).tag(sync=True)
    sentence = traitlets.Unicode("").tag(sync=True)
    quote = traitlets.Unicode("").tag(sync=True)
    line = traitlets.Unicode("").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    width = traitlets.Int(720).tag(sync=True)
    height = traitlets.Int(360).tag(sync=True)
    handle = traitlets.List(traitlets.Float(), default_value=[]).tag(sync=True)
    area = traitlets.List(traitlets.Float(), default_value=[]).tag(sync=True)
    own_id = traitlets.Unicode("").tag(sync=True)
    control_ids = traitlets.List(traitlets.Unicode(), default_value=[]).tag(sync=True)
    density = traitlets.Float(1.0).tag(sync=True)
    projector = traitlets.Bool(False).tag(sync=True)
    pointer = traitlets.List(traitlets.Float(), default_value=[]).tag(sync=True)

    def __init__(self, on_rest: Callable[[int], None], **traits: Any) -> None:
        super().__init__(**traits)
        self.own_id = self.model_id or ""
        self._on_rest = on_rest
        self.on_msg(self._receive)

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        kind = content.get("kind") if isinstance(content, dict) else None
        if kind == "rest":
            self._on_rest(int(content.get("serial", -1)))
        elif kind == "again":
            with LOCK:
                self.send_state()
                self.settled()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page says; never while another thread sends a frame, which would come in pieces."""
        with LOCK:
            super().set_state(sync_data)

    @property
    def enlarged(self) -> float:
        """How many times as large as usual the page shows the picture."""
        return PROJECTOR if self.projector else 1.0

    @property
    def dots(self) -> float:
        """Dots of the buffer for one CSS pixel: the page's density, within reason."""
        return min(max(self.density, 1.0), LARGEST_DENSITY)

    def show(self, **traits: Any) -> None:
        """Send a new frame and everything that belongs to it in one message."""
        if all(getattr(self, name) == value for name, value in traits.items()):
            self.settled()  # no message would leave, and the page waits for one
            return
        with self.hold_sync():
            for name, value in traits.items():
                setattr(self, name, value)

    def settled(self) -> None:
        """Tell the page that its last change needed no new picture."""
        self.send({"kind": "settled"})
