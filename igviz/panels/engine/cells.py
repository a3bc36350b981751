"""Which cell made a panel: a cell that runs again closes what it made before."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from igviz.panels.engine.panel import Panel

_made: dict[str, tuple[str, list[Panel]]] = {}


def current_cell() -> tuple[str, str] | None:
    """Return the identity of the running cell and of this run, or None outside a notebook.

    JupyterLab sends the cell's identity with each request; a plain shell does not, and nothing is closed.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    header = getattr(shell, "parent_header", None) or {}
    cell = (header.get("metadata") or {}).get("cellId")
    run = (header.get("header") or {}).get("msg_id")
    return (cell, run) if cell and run else None


def remember(panel: Panel) -> None:
    """Note that the running cell shows a panel for the first time, and close those of its earlier runs."""
    place = current_cell()
    if place is None:
        return
    cell, run = place
    before, panels = _made.get(cell, (run, []))
    if before != run:
        for old in panels:
            if old is not panel:
                old.close()
        panels = []
    panels.append(panel)
    _made[cell] = (run, panels)


def forget(panel: Panel) -> None:
    """Drop a closed panel from the notes."""
    for cell, (run, panels) in list(_made.items()):
        left = [one for one in panels if one is not panel]
        if left:
            _made[cell] = (run, left)
        else:
            del _made[cell]
