"""Execute notebooks in place and clean them, so that a second run changes no byte.

``python run.py notebooks`` does all of the course, or those named. A notebook is written only if every cell
ran and its outputs say nothing about this machine. ``--check`` executes nothing and tells which notebooks
are not clean.

What is kept: sources, tags, folded cells, the outputs of this run with their pictures. What goes: widget
state, the widget view where a picture stands, timings, versions of the kernel, whatever editors leave behind.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from igviz.jupyter import LANGUAGE, drop_widget_views

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
CELL_SECONDS = 120

NOTEBOOK_METADATA = ("authors", "title")
CELL_METADATA = ("deletable", "editable", "jp-MarkdownHeadingCollapsed", "slideshow", "tags")
FOLDING = ("outputs_hidden", "source_hidden")
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


class NotebookFault(Exception):  # noqa: N818 - the fault is the notebook's
    """Why a notebook was not written: one line naming the notebook, the cell and the fault."""


def execute(notebook: Any, name: str, folder: Path, seconds: int = CELL_SECONDS) -> None:
    """Run every cell in a fresh kernel and store the outputs in ``notebook``.

    Parameters
    ----------
    notebook
        As ``nbformat.read`` gives it; changed in place.
    name
        How errors call it.
    folder
        The working directory of the kernel.
    seconds
        The time limit of a cell.

    Raises
    ------
    NotebookFault
        If a cell raises that is not tagged ``raises-exception``, takes too long, or kills the kernel.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=seconds,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise NotebookFault(
            f"{name}, cell {_raising_cell(notebook)}: {error.ename}: {error.evalue}"
        ) from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise NotebookFault(f"{name}: {' '.join(str(error).split())}") from None


def _raising_cell(notebook: Any) -> int:
    """Return the position of the last code cell that ran, counted over all cells from 1."""
    ran = [index for index, cell in enumerate(notebook.cells, 1) if cell.get("execution_count")]
    return max(ran, default=1)


def clean(notebook: Any) -> None:
    """Remove from ``notebook`` whatever differs between two runs or two machines; changed in place.

    Cells without an identifier get one made from their place and text, not from chance.
    """
    drop_widget_views({"type": "notebook", "content": notebook})
    kept = {key: notebook.metadata[key] for key in NOTEBOOK_METADATA if key in notebook.metadata}
    notebook.metadata = nbformat.from_dict({**kept, "kernelspec": KERNEL, "language_info": LANGUAGE})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    names: set[str] = set()
    for index, cell in enumerate(notebook.cells):
        _clean_cell(cell)
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell.get("id", "")) or cell.id in names:
            cell.id = hashlib.sha256(f"{index} {cell.source}".encode()).hexdigest()[:8]
        names.add(cell.id)


def _clean_cell(cell: Any) -> None:
    kept = {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
    folding = cell.metadata.get("jupyter", {})
    folded = {key: True for key in FOLDING if folding.get(key)}
    if folded:
        kept["jupyter"] = folded
    cell.metadata = nbformat.from_dict(kept)


def machine_paths(notebook: Any) -> Iterator[tuple[int, str]]:
    """Yield each cell, counted from 1, whose outputs name a folder of this machine, with that folder."""
    folders = {str(ROOT), str(Path.home()), sys.prefix, tempfile.gettempdir()}
    # A home of "/" would be found everywhere.
    telling = sorted((folder for folder in folders if len(folder) > 3), key=len, reverse=True)
    for index, cell in enumerate(notebook.cells, 1):
        text = "\n".join(_output_texts(cell))
        found = [
            folder for folder in telling if re.search(r"(?<![\w.])" + re.escape(folder) + r"(?![\w-])", text)
        ]
        if found:
            yield index, found[0]


def _output_texts(cell: Any) -> Iterator[str]:
    for output in cell.get("outputs", []):
        yield output.get("text", "")
        yield from output.get("traceback", [])
        for kind, content in output.get("data", {}).items():
            if not kind.startswith("image/") or kind == "image/svg+xml":
                yield str(content)


def to_bytes(notebook: Any) -> bytes:
    """Return the file's content: keys in order, one blank per level, LF, the same on every system."""
    nbformat.validate(notebook)
    return (nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n").encode()


def read(path: Path) -> Any:
    """Read a notebook.

    Raises
    ------
    NotebookFault
        If there is none, or it is not one.
    """
    try:
        # Not nbformat.read: its own repair of missing cell identifiers is random, and warns.
        content = nbformat.reader.reads(path.read_text(encoding="utf-8"))
        return content if content.nbformat == 4 else nbformat.convert(content, 4)
    except FileNotFoundError:
        raise NotebookFault(f"{path.name}: there is no such notebook") from None
    except (nbformat.reader.NotJSONError, AttributeError, UnicodeDecodeError):
        raise NotebookFault(f"{path.name}: this is not a notebook") from None


def refresh(path: Path, seconds: int = CELL_SECONDS) -> str:
    """Execute and clean one notebook; write it if a byte changed.

    Parameters
    ----------
    path
        The notebook; its folder is the working directory.
    seconds
        The time limit of a cell.

    Returns
    -------
    str
        A line on how long it took, how large it is and whether it changed.

    Raises
    ------
    NotebookFault
        If a cell failed or an output names a folder of this machine; the file is left as it was.
    """
    notebook = read(path)
    start = time.monotonic()
    execute(notebook, path.name, path.parent, seconds)
    took = time.monotonic() - start
    clean(notebook)
    for index, folder in machine_paths(notebook):
        raise NotebookFault(f"{path.name}, cell {index}: its output names {folder}, a folder of this machine")
    content = to_bytes(notebook)
    changed = path.read_bytes() != content
    if changed:
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes(content)
        partial.replace(path)
    size = f"{len(notebook.cells):3} cells  {len(content) / 1000:6.0f} kB"
    return f"{path.name:<44} {took:6.1f} s  {size}  {'written' if changed else 'unchanged'}"


def check(path: Path) -> str:
    """Return a line saying that the notebook is clean.

    Raises
    ------
    NotebookFault
        If cleaning would change it.
    """
    notebook = read(path)
    clean(notebook)
    if to_bytes(notebook) != path.read_bytes():
        raise NotebookFault(f"{path.name} is not clean: run python run.py notebooks")
    for index, folder in machine_paths(notebook):
        raise NotebookFault(f"{path.name}, cell {index}: its output names {folder}, a folder of this machine")
    return f"{path.name} is clean"


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute or check the notebooks named, by default those of the course; return the exit code."""
    parser = argparse.ArgumentParser(prog="run.py notebooks", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="by default all in notebooks/")
    parser.add_argument("--check", action="store_true", help="execute nothing, fail if one is not clean")
    parser.add_argument("--cell-seconds", type=int, default=CELL_SECONDS, help="time limit of a cell")
    options = parser.parse_args(arguments)
    failed = 0
    for path in options.notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
        try:
            print(check(path) if options.check else refresh(path, options.cell_seconds), flush=True)
        except NotebookFault as fault:
            print(fault, file=sys.stderr, flush=True)
            failed += 1
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
