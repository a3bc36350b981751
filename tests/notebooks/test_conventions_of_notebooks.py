"""What every stored notebook promises its reader, checked without running it."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST = 300_000
LONGEST_CELL = 15
IMPORTS = {
    "import numpy as np",
    "import matplotlib.pyplot as plt",
    "import igviz as ig",
    "import sympy as sp",
    "from scipy.optimize import minimize",
    # data that come with the package: load_, never fetch_
    "from sklearn.datasets import load_iris",
    "from sklearn.datasets import load_digits, load_iris",
    "from sklearn.datasets import load_digits",
    "from sklearn.model_selection import train_test_split",
}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def book(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def cells(book: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [cell for cell in book["cells"] if cell["cell_type"] == kind]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def outputs(book: dict[str, Any]) -> list[dict[str, Any]]:
    return [output for cell in cells(book, "code") for output in cell["outputs"]]


def prose(book: dict[str, Any]) -> str:
    return "\n\n".join(source(cell) for cell in cells(book, "markdown"))


def test_there_is_a_first_notebook():
    assert [path.stem for path in NOTEBOOKS][:1] == ["00_start_here"]


def test_every_cell_was_run_once_in_order(book):
    counts = [cell["execution_count"] for cell in cells(book, "code")]
    assert counts == list(range(1, len(counts) + 1))


def test_no_error_and_nothing_on_stderr(book):
    for cell in cells(book, "code"):
        for output in cell["outputs"]:
            expected = "raises-exception" in cell["metadata"].get("tags", [])
            assert output["output_type"] != "error" or expected
            assert output.get("name") != "stderr"


def test_no_widget_state_and_a_picture_for_every_panel(book):
    assert "widgets" not in book["metadata"]
    for output in outputs(book):
        assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
        if "image/png" in output.get("data", {}):
            words = "".join(output["data"]["text/plain"])
            assert len(words.split()) >= 4, f"a picture without words: {words!r}"
            assert not re.search(r"<.* at 0x", words), "an artist's repr instead of a sentence"


def test_language_and_kernel(book):
    assert book["metadata"]["language_info"]["name"] == "python"
    assert book["metadata"]["kernelspec"]["name"] == "python3"


def test_no_network_no_magic_no_silenced_cell(book):
    for cell in cells(book, "code"):
        text = source(cell)
        assert not re.search(r"https?:", text)
        assert not re.search(r"\bfetch_", text), "data are loaded from the package: load_*, never fetch_*"
        assert not re.search(r"^\s*[%!]", text, re.MULTILINE), "no magics, no shell lines"
        assert not text.rstrip().endswith(";")


def test_only_the_imports_of_the_course(book):
    for cell in cells(book, "code"):
        for line in re.findall(r"^(?:import|from) .*$", source(cell), re.MULTILINE):
            assert line in IMPORTS, line


def test_cells_are_short(book):
    for cell in cells(book, "code"):
        if "solution" not in cell["metadata"].get("tags", []):
            lines = [line for line in source(cell).splitlines() if line.strip()]
            assert len(lines) <= LONGEST_CELL


def test_every_code_cell_is_introduced(book):
    kinds = [(cell["cell_type"], "solution" in cell["metadata"].get("tags", [])) for cell in book["cells"]]
    for before, (kind, solution) in itertools.pairwise(kinds):
        assert kind != "code" or solution or before[0] == "markdown", "two code cells without words between"


def test_size(path):
    assert path.stat().st_size <= LARGEST


def test_internal_links_resolve(path, book):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose(book)):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), f"{path.stem} links to {target}, which is not there"


def test_header_and_closing(path, book):
    first = source(book["cells"][0])
    assert re.match(rf"# {path.stem[:2]} \S", first), "a title with the lecture's number"
    assert re.search(r"\d+ minutes; runs in about \d+ s", first), "minutes, and the measured run time"
    text = prose(book)
    assert re.search(r"^## What you will be able to do$", text, re.MULTILINE)
    objectives = re.findall(r"^\d\. \*\*(\w+)\*\*", text, re.MULTILINE)
    assert 3 <= len(objectives) <= 5
    assert "*Prerequisites:*" in text
    assert "**Common mistake.**" in text
    assert re.search(r"^## What we learned$", text, re.MULTILINE)
    assert "**References.**" in text


def test_no_path_of_a_machine(book):
    for output in outputs(book):
        text = json.dumps(output.get("text", "")) + json.dumps(output.get("data", {}).get("text/plain", ""))
        assert not re.search(r"(/home/|/root|/tmp/|/work/|[A-Z]:\\\\Users|site-packages)", text)


def test_plain_words(book):
    for word in ("simply", "obviously", "clearly", "of course", "delve", "leverage", "powerful"):
        assert not re.search(rf"\b{word}\b", prose(book), re.IGNORECASE), word


def test_one_letter_has_one_meaning(book):
    text = prose(book)
    assert not re.search(r"0, \$?I\b(?!\^)|\\alpha I\b", text), "I is the Fisher information, Id the identity"
    assert not re.search(r"\bT\(x\)|eta, T\b|_[pq]\[T\b|Cov\}\(T\)", text), (
        "T is the tensor, t(x) the statistics"
    )


def test_numbers_in_the_prose_stand_in_an_output(book):
    shown = " ".join(
        "".join(output.get("text", [])) + "".join(output.get("data", {}).get("text/plain", []))
        for output in outputs(book)
    )
    # what a cell is given need not be shown again
    shown += " ".join(source(cell) for cell in cells(book, "code"))
    for number in re.findall(r"(?<![\w.])\d\.\d{3,}(?!\d)", prose(book)):
        assert number in shown, f"{number} is claimed and not shown"


def test_the_first_notebook_is_short():
    book = json.loads((ROOT / "notebooks" / "00_start_here.ipynb").read_text(encoding="utf-8"))
    assert len(book["cells"]) <= 15


def test_solutions_are_folded_and_never_overwrite_an_answer(book):
    solutions = [cell for cell in cells(book, "code") if "solution" in cell["metadata"].get("tags", [])]
    checked = re.findall(
        r"^ig\.check\(\"\d\d\.(\d)\", solution_\1\)$", "\n".join(map(source, solutions)), re.M
    )
    assert len(checked) == len(solutions)
    for number, cell in enumerate(solutions, 1):
        assert source(cell).startswith(f"# Solution {number} (click to open)")
        assert f"answer_{number}" not in source(cell)
        assert cell["metadata"]["jupyter"] == {"source_hidden": True, "outputs_hidden": True}


def test_every_lecture_has_exercises(path, book):
    stubs = re.findall(
        r"^ig\.check\(\"(\d\d)\.\d\", answer_\d\)$", "\n".join(map(source, cells(book, "code"))), re.M
    )
    assert set(stubs) <= {path.stem[:2]}
    if path.stem != "00_start_here":
        assert 3 <= len(stubs) <= 5
        assert re.search(r"^ *def answer_\d\(", "\n".join(map(source, cells(book, "code"))), re.M)


def test_what_goes_further_is_folded_and_the_core_is_short(book):
    heads = [
        cell["cell_type"] == "markdown" and source(cell).startswith("## Going further")
        for cell in book["cells"]
    ]
    further = [number for number, head in enumerate(heads) if head] or [len(heads)]
    assert all(book["cells"][n]["metadata"]["jp-MarkdownHeadingCollapsed"] for n in further if n < len(heads))
    assert further[0] <= 45
    assert len(heads) - further[0] <= 25
