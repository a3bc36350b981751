"""What a notebook types out, as names that tests can use."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


class Typed:
    """The names that the cells of a stored notebook define, cell by cell.

    Lines that show a panel are left out, and so are cells that contain one of the words in `without`.
    """

    def __init__(self, stem: str, without: Sequence[str] = ()) -> None:
        self.cells = json.loads((NOTEBOOKS / f"{stem}.ipynb").read_text(encoding="utf-8"))["cells"]
        self._states: list[tuple[str, dict[str, Any]]] = []
        found: dict[str, Any] = {}
        for cell in self.cells:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and not any(word in source for word in without):
                # a copy for each cell: a function keeps the names it was typed with
                found = dict(found)
                exec("\n".join(line for line in source.splitlines() if "ig.panels" not in line), found)
                self._states.append((source, found))

    def after(self, words: str) -> dict[str, Any]:
        """Return all names as they are after the first cell that contains the words."""
        return next(names for source, names in self._states if words in source)

    @property
    def last(self) -> dict[str, Any]:
        """All names as they are at the end."""
        return self._states[-1][1]
