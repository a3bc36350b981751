"""Executing and cleaning notebooks: what is written, what is refused, that a second run changes nothing."""

import json
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest

from igviz.jupyter import WIDGET_VIEW
from tools import execute_notebooks as tool

PANEL = """
import base64
import ipywidgets

class Panel(ipywidgets.VBox):
    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle |= {"image/png": base64.b64encode(b"a picture").decode(), "text/plain": "a sentence"}
        colab = {"colab": {"custom_widget_manager": {"url": "an address"}}}
        view = "application/vnd.jupyter.widget-view+json"
        return bundle, {view: colab, "image/png": {"alt": "a sentence"}}

Panel()
"""


def code(source, **metadata):
    stale = [{"output_type": "stream", "name": "stdout", "text": "stale"}]
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": stale,
        "execution_count": 99,
    }


def markdown(source, **metadata):
    return {"cell_type": "markdown", "metadata": metadata, "source": source}


def save(path, *cells, minor=5, **metadata):
    for index, cell in enumerate(cells):
        if minor == 5:
            cell.setdefault("id", f"given-{index}")
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": minor}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A notebook full of what editors leave behind, executed once; its path and what the tool said."""
    path = tmp_path_factory.mktemp("with space") / "lecture.ipynb"
    save(
        path,
        markdown("# Title  \nsecond line", collapsed=True, **{"jp-MarkdownHeadingCollapsed": True}),
        code("print('one', flush=True)\nprint('two')", execution={"iopub.status.busy": "now"}, scrolled=True),
        code("import os\nprint(os.getcwd()[-11:-1])", tags=["solution"], jupyter={"source_hidden": True}),
        code(PANEL),
        code("1 / 0", tags=["raises-exception"]),
        code(""),
        minor=4,
        widgets={"state": {}},
        language_info={"name": "python", "version": "2.7.1"},
        title="kept",
    )  # fmt: skip
    said = tool.refresh(path)
    return path, said


def test_the_report_has_time_cells_and_size(executed):
    path, said = executed
    assert said.split()[0] == path.name
    assert " s " in said
    assert "6 cells" in said
    assert said.endswith("written")


def test_what_is_kept_and_what_goes(executed):
    content = load(executed[0])
    title, prints, folder, panel, raising, empty = content["cells"]
    assert title["source"] == ["# Title  \n", "second line"]
    assert title["metadata"] == {"jp-MarkdownHeadingCollapsed": True}
    assert prints["metadata"] == {}
    assert prints["outputs"] == [{"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]}]
    assert folder["metadata"] == {"jupyter": {"source_hidden": True}, "tags": ["solution"]}
    assert folder["outputs"][0]["text"] == ["with space\n"]
    assert panel["outputs"][0]["data"] == {"image/png": "YSBwaWN0dXJl", "text/plain": ["a sentence"]}
    assert panel["outputs"][0]["metadata"] == {"image/png": {"alt": "a sentence"}}
    assert raising["outputs"][0]["ename"] == "ZeroDivisionError"
    assert (empty["outputs"], empty["execution_count"]) == ([], None)
    assert [cell.get("execution_count") for cell in content["cells"]] == [None, 1, 2, 3, 4, None]
    assert content["metadata"] == {"kernelspec": tool.KERNEL, "language_info": tool.LANGUAGE, "title": "kept"}
    assert content["metadata"]["language_info"]["name"] == "python"
    assert "version" not in content["metadata"]["language_info"]


def test_the_written_file_is_a_valid_notebook(executed):
    content = executed[0].read_bytes()
    assert content.endswith(b"}\n")
    assert b"\r" not in content
    nbformat.validate(nbformat.from_dict(json.loads(content)))
    assert len({cell["id"] for cell in json.loads(content)["cells"]}) == 6


def test_a_second_run_changes_no_byte(executed):
    path, _ = executed
    before, time = path.read_bytes(), path.stat().st_mtime_ns
    assert tool.refresh(path).endswith("unchanged")
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == time
    assert tool.check(path) == "lecture.ipynb is clean"


def test_given_identifiers_are_kept_and_missing_ones_are_no_chance(tmp_path):
    cells = [markdown("a"), {**markdown("b"), "id": "mine"}, {**markdown("c"), "id": "mine"}]
    identifiers = []
    for _ in range(2):
        notebook = tool.read(save(tmp_path / "x.ipynb", *json.loads(json.dumps(cells)), minor=4))
        tool.clean(notebook)
        identifiers.append([cell.id for cell in notebook.cells])
    assert identifiers[0] == identifiers[1]
    assert identifiers[0][1] == "mine"
    assert len(set(identifiers[0])) == 3


def test_a_widget_without_a_picture_is_not_hidden():
    """Cleaning must not make it look as if the cell had no output: the tests of the notebooks refuse it."""
    output = {"output_type": "display_data", "metadata": {}, "data": {WIDGET_VIEW: {"model_id": "1"}}}
    notebook = nbformat.from_dict({"cells": [{**code(""), "outputs": [output]}], "metadata": {}})
    tool.clean(notebook)
    assert WIDGET_VIEW in notebook.cells[0].outputs[0].data


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("raise ValueError('std must be positive')", "x.ipynb, cell 3: ValueError: std must be positive"),
        ("import tempfile\nprint(tempfile.gettempdir() + '/secret')",
         f"x.ipynb, cell 3: its output names {tempfile.gettempdir()}, a folder of this machine"),
    ],
)  # fmt: skip
def test_a_failing_or_telling_notebook_is_named_and_left_alone(tmp_path, capsys, source, fault):
    path = save(tmp_path / "x.ipynb", markdown("a"), code("1"), code(source), code("2"))
    before = path.read_bytes()
    assert tool.main([str(path)]) == 1
    assert fault in capsys.readouterr().err.splitlines()
    assert path.read_bytes() == before


def test_a_cell_that_takes_too_long_is_refused(tmp_path):
    path = save(tmp_path / "x.ipynb", code("import time; time.sleep(60)"))
    with pytest.raises(tool.NotebookFault, match=r"^x.ipynb: .*timed out"):
        tool.refresh(path, seconds=1)


def test_check_executes_nothing_and_writes_nothing(tmp_path, capsys):
    path = save(tmp_path / "x.ipynb", code("raise SystemExit", execution={"busy": 1}))
    before = path.read_bytes()
    assert tool.main(["--check", str(path)]) == 1
    assert capsys.readouterr().err == "x.ipynb is not clean: run python run.py notebooks\n"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "fault"),
    [(None, "there is no such notebook"), ("{", "this is not a notebook"), ("[1]", "this is not a notebook"),
     ("{}", "this is not a notebook"), ("\ufffe", "this is not a notebook")],
)  # fmt: skip
def test_what_is_no_notebook_is_one_line(tmp_path, capsys, content, fault):
    path = tmp_path / "x.ipynb"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert tool.main([str(path)]) == 1
    assert capsys.readouterr().err == f"x.ipynb: {fault}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{}", True),
        ("File {}/a.py", True),
        ("{}x", False),
        ("{}-more", False),
        ("a{}", False),
        ("nothing", False),
    ],
)
def test_machine_paths_are_found_where_they_are_and_nowhere_else(text, found):
    output = {"output_type": "stream", "name": "stdout", "text": text.format(sys.prefix)}
    notebook = nbformat.from_dict({"cells": [{**code("1"), "outputs": [output]}]})
    # The environment may lie in another telling folder: only the prefix itself is asked for.
    assert (sys.prefix in {folder for _, folder in tool.machine_paths(notebook)}) == found


def test_pictures_are_not_searched_for_paths():
    folder = str(Path.home())
    data = {"image/png": folder, "text/plain": "a sentence"}
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    notebook = nbformat.from_dict({"cells": [{**code("1"), "outputs": [output]}]})
    assert list(tool.machine_paths(notebook)) == []
    output["data"] = {"image/svg+xml": folder}
    notebook = nbformat.from_dict({"cells": [{**code("1"), "outputs": [output]}]})
    assert list(tool.machine_paths(notebook)) == [(1, folder)]
