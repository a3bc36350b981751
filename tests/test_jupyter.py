"""What is saved, what is opened, and the settings: by themselves, and in a running JupyterLab."""

import asyncio
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from traitlets.config import Config

from igviz import jupyter
from igviz.jupyter import LANGUAGE, PICTURE, WIDGET_VIEW, drop_widget_views, install, opened

NOTIFICATION = "@jupyterlab/apputils-extension:notification"


def output(**data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def notebook(*outputs):
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Title"},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {},
            "source": "1",
            "execution_count": 1,
            "outputs": [*outputs],
        },
    ]
    metadata = {"widgets": {"state": {}}, "title": "kept"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def both():
    content = output(**{WIDGET_VIEW: {"model_id": "1"}, PICTURE: "iVBORw0KGgo=", "text/plain": "a sentence"})
    colab = {"colab": {"custom_widget_manager": {"url": "an address"}}}
    return content | {"metadata": {WIDGET_VIEW: colab, PICTURE: {"alt": "a sentence"}}}


def view_alone():
    return output(**{WIDGET_VIEW: {"model_id": "2"}, "text/plain": "IntSlider()"})


# ------------------------------------------------------------------- the hook


def test_a_view_goes_where_a_picture_stands_and_stays_where_none_does():
    content = notebook(both(), view_alone())
    drop_widget_views(model={"type": "notebook", "content": content}, path="x.ipynb", contents_manager=None)
    first, second = content["cells"][1]["outputs"]
    assert first["data"] == {PICTURE: "iVBORw0KGgo=", "text/plain": "a sentence"}
    assert first["metadata"] == {PICTURE: {"alt": "a sentence"}}
    assert second == view_alone()
    assert content["metadata"] == {"title": "kept"}


def test_the_extension_registers_the_hook_and_survives_a_manager_without_hooks():
    registered = []
    manager = SimpleNamespace(register_pre_save_hook=registered.append)
    jupyter._load_jupyter_server_extension(SimpleNamespace(contents_manager=manager, config=Config()))
    assert registered == [drop_widget_views]
    jupyter._load_jupyter_server_extension(SimpleNamespace(contents_manager=object(), config=Config()))


def test_folded_outputs_are_noted_once():
    content = notebook()
    cell = content["cells"][1]
    for metadata, saved in [
        ({"collapsed": True, "jupyter": {"outputs_hidden": True}}, {"jupyter": {"outputs_hidden": True}}),
        ({"collapsed": True}, {"collapsed": True}),
        ({"collapsed": True, "jupyter": {}}, {"collapsed": True, "jupyter": {}}),
    ]:
        cell["metadata"] = metadata
        drop_widget_views(model={"type": "notebook", "content": content})
        assert cell["metadata"] == saved


def test_other_files_are_left_alone():
    content = notebook(both())
    drop_widget_views(model={"type": "file", "content": content})
    opened({"type": "file", "content": content}, running())
    assert content == notebook(both())


# ------------------------------------------------------------------- opening


def running(*command):
    """A server whose kernel ``python3`` has this command, and what its page notes of that kernel."""
    spec = SimpleNamespace(argv=command or ["python"], display_name="Python 3 (ipykernel)", language="python")
    specs = SimpleNamespace(get_kernel_spec=lambda name: {"python3": spec}[name])
    return SimpleNamespace(kernel_spec_manager=specs, contents_manager=None, config=Config())


KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def stored(kernel="python3", **language):
    content = notebook(both(), view_alone())
    content["metadata"] |= {"kernelspec": {"name": kernel}, "language_info": {"name": "python"} | language}
    return {"type": "notebook", "content": content}


def test_an_opened_notebook_shows_pictures_and_keeps_the_state_of_other_widgets():
    content = opened(stored(), running())["content"]
    first, second = content["cells"][1]["outputs"]
    assert first["data"] == {PICTURE: "iVBORw0KGgo=", "text/plain": "a sentence"}
    assert second == view_alone()
    assert content["metadata"]["widgets"] == {"state": {}}


@pytest.mark.parametrize("command", ["python", f"python3.{sys.version_info[1]}", sys.executable])
def test_what_the_kernel_will_say_is_there_already(command):
    from ipykernel.ipkernel import IPythonKernel

    metadata = opened(stored(), running(command, "-m", "ipykernel_launcher"))["content"]["metadata"]
    assert metadata["language_info"] == IPythonKernel.language_info
    assert metadata["kernelspec"] == KERNEL
    assert "version" not in LANGUAGE, "the constant is shared with the tools"


@pytest.mark.parametrize(
    ("server", "kernel"),
    [
        (running("python2"), "python3"),
        (running("/some where/else/python"), "python3"),
        (running(os.devnull), "python3"),
        (running(), "ir"),
        (SimpleNamespace(), "python3"),
    ],
)
def test_another_kernel_speaks_for_itself(server, kernel):
    given = stored(kernel, version="4.3")["content"]["metadata"]
    assert opened(stored(kernel, version="4.3"), server)["content"]["metadata"] == given


def test_a_kernel_on_another_machine_speaks_for_itself():
    async def get_kernel_spec(name):
        raise AssertionError(name)

    server = SimpleNamespace(kernel_spec_manager=SimpleNamespace(get_kernel_spec=get_kernel_spec))
    assert opened(stored(), server)["content"]["metadata"]["language_info"] == {"name": "python"}


@pytest.mark.parametrize("later", [False, True])
def test_the_managers_get_is_wrapped_whether_it_answers_at_once_or_later(later):
    class Manager:
        def get(self, path, content=True, type=None):
            return stored() if content else {"type": "notebook", "content": None}

    class AsynchronousManager(Manager):
        async def get(self, *arguments, **options):
            return super().get(*arguments, **options)

    manager = AsynchronousManager() if later else Manager()
    server = running()
    server.contents_manager = manager
    jupyter._load_jupyter_server_extension(server)
    answers = [manager.get("x.ipynb"), manager.get("x.ipynb", content=False, type="notebook")]
    if later:
        answers = [asyncio.run(answer) for answer in answers]
    model, without = answers
    assert WIDGET_VIEW not in model["content"]["cells"][1]["outputs"][0]["data"]
    assert model["content"]["metadata"]["language_info"]["version"] == sys.version.split()[0]
    assert without == {"type": "notebook", "content": None}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "content", "cells", "outputs", "data", "metadata", PICTURE, WIDGET_VIEW]
            ),
            inner | st.just("notebook"),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(json_values, json_values, json_values, json_values)
def test_nothing_of_an_odd_shape_fails_a_save_or_an_opening(model, content, cell, odd_output):
    cells = [cell, {"metadata": cell, "outputs": [odd_output, {"data": {PICTURE: ""}, "metadata": cell}]}]
    for odd in (
        model,
        {"type": "notebook", "content": content},
        {"type": "notebook", "content": {"cells": cells, "metadata": cell}},
        {"type": "notebook", "content": {"metadata": {"kernelspec": cell, "language_info": cell}}},
    ):
        assert opened(odd, running()) is odd
        drop_widget_views(model=odd)


def test_the_module_is_light():
    """The Jupyter server imports it at its start."""
    code = (
        "import sys, igviz.jupyter; heavy = {'numpy', 'matplotlib', 'ipywidgets', 'nbformat', 'traitlets'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    assert done.stderr.strip() == ""


# ------------------------------------------------------------------- installing


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_install_writes_four_files_and_is_repeatable(tmp_path):
    overrides, nbconvert, server, template = files = install(tmp_path)
    assert overrides == tmp_path / "share/jupyter/lab/settings/overrides.json"
    assert read(overrides) == {NOTIFICATION: {"fetchNews": "false", "checkForUpdates": False}}
    assert server == tmp_path / "etc/jupyter/jupyter_server_config.d/igviz.json"
    assert read(server) == {"ServerApp": {"jpserver_extensions": {"igviz.jupyter": True}}}
    assert nbconvert == tmp_path / "etc/jupyter/jupyter_nbconvert_config.json"
    (ours, theirs) = read(nbconvert)["TemplateExporter"]["extra_template_basedirs"]
    assert (Path(ours) / "lab" / "index.html.j2", theirs) == (template, ".")
    before = {path: path.read_bytes() for path in files}
    install(tmp_path)
    assert {path: path.read_bytes() for path in before} == before
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 4


def test_settings_of_somebody_else_are_kept(tmp_path):
    path = tmp_path / "share/jupyter/lab/settings/overrides.json"
    path.parent.mkdir(parents=True)
    theirs = {"theme": {"dark": True}, NOTIFICATION: {"fetchNews": "true", "doNotDisturbMode": True}}
    path.write_text(json.dumps(theirs), encoding="utf-8")
    install(tmp_path)
    assert read(path) == {
        "theme": {"dark": True},
        NOTIFICATION: {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
    }


def test_nbconverts_configuration_of_somebody_else_is_kept(tmp_path):
    path = tmp_path / "etc/jupyter/jupyter_nbconvert_config.json"
    path.parent.mkdir(parents=True)
    theirs = {"extra_template_basedirs": ["/theirs", "."], "exclude_input": True}
    path.write_text(json.dumps({"NbConvertApp": {"x": 1}, "TemplateExporter": theirs}), encoding="utf-8")
    for _ in range(2):
        install(tmp_path)
        ours = str(tmp_path / "share/jupyter/nbconvert/igviz")
        merged = theirs | {"extra_template_basedirs": [ours, ".", "/theirs"]}
        assert read(path) == {"NbConvertApp": {"x": 1}, "TemplateExporter": merged}


@pytest.mark.parametrize("content", ["{ broken", "[1, 2]", ""])
@pytest.mark.parametrize(
    "name", ["share/jupyter/lab/settings/overrides.json", "etc/jupyter/jupyter_nbconvert_config.json"]
)
def test_a_file_that_cannot_be_merged_is_named_and_nothing_is_written(
    tmp_path, name, content, monkeypatch, capsys
):
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    monkeypatch.setattr(jupyter, "install", lambda: install(tmp_path))
    assert jupyter.main() == 1
    shown = capsys.readouterr()
    assert shown.err == f"igviz.jupyter: {path} is not a JSON object: move it away and try again\n"
    assert path.read_text(encoding="utf-8") == content
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [path]


# ------------------------------------------------------------------- pages of HTML


def pages_pictures(page):
    """The attributes of each picture in a page of HTML, and what the page has of widgets."""
    soup = BeautifulSoup(page, "html.parser")
    return [dict(img.attrs) for img in soup("img")], soup(type=WIDGET_VIEW)


def for_nbconvert():
    """A notebook with panels, stored by another program, and one widget that has no picture."""
    panel = both()
    panel["metadata"] = {PICTURE: {"alt": 'a "sentence" < 4 & more'}}
    content = notebook(panel, view_alone(), output(**{PICTURE: "iVBORw0KGgo=", "text/plain": "no words"}))
    states = {name: {"model_name": "x", "state": {}} for name in "12"}
    content["metadata"]["widgets"] = {WIDGET_VIEW.replace("view", "state"): {"state": states}}
    return content


@pytest.fixture
def convert(tmp_path):
    """A function that runs nbconvert as a reader does, with what `install` wrote."""
    configuration = install(tmp_path / "the prefix")[1]
    variables = os.environ | {"JUPYTER_CONFIG_PATH": str(configuration.parent)}
    for name in ("CONFIG", "DATA"):
        variables[f"JUPYTER_{name}_DIR"] = str(tmp_path / name)
    (tmp_path / "x.ipynb").write_text(json.dumps(for_nbconvert()), encoding="utf-8")

    def run(*options, **more):
        command = [sys.executable, "-m", "nbconvert", *options, "--stdout", "x.ipynb"]
        done = subprocess.run(command, cwd=tmp_path, env=variables | more, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    return run


def test_nbconvert_shows_the_stored_picture_with_its_words(convert):
    (panel, other), (view,) = pages_pictures(convert("--to", "html"))
    assert panel["alt"] == 'a "sentence" < 4 & more'
    assert panel["src"] == "data:image/png;base64,iVBORw0KGgo="
    assert other["alt"].startswith("No description")
    assert json.loads(view.string) == {"model_id": "2"}, "a widget without a picture is the reader's affair"


@pytest.mark.parametrize("options", [["--to=html", "--template=classic"], ["--to=slides"], ["--to=markdown"]])
def test_other_templates_and_formats_are_not_touched(convert, options):
    def without_chance(page):
        return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", page)

    plain = convert(*options, JUPYTER_CONFIG_PATH="", JUPYTER_NO_CONFIG="1")
    assert without_chance(convert(*options)) == without_chance(plain)


# ------------------------------------------------------------------- a running JupyterLab


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """JupyterLab as a reader's is, with what `install` wrote; yields a function that sends requests."""
    folder = tmp_path_factory.mktemp("jupyter lab")
    overrides, _, configuration, _ = install(folder / "prefix")
    (folder / "work").mkdir()
    variables = {
        **os.environ,
        "JUPYTER_CONFIG_PATH": str(configuration.parent.parent),
        **{f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")},
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.port=0",
        "--IdentityProvider.token=secret", f"--ServerApp.root_dir={folder / 'work'}",
        f"--LabApp.app_settings_dir={overrides.parent}", "--debug",
    ]  # fmt: skip
    log = folder / "log.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=variables, stdout=file, stderr=file, cwd=folder)
    try:
        yield Requests(process, folder, log)
    finally:
        process.terminate()
        process.wait(20)


class Requests:
    @staticmethod
    def _port(runtime):
        """The port that the server wrote down; nothing before it has, for an empty file comes first."""
        for file in runtime.glob("jpserver-*.json"):
            with suppress(ValueError):
                return json.loads(file.read_text())["port"]
        return None

    def __init__(self, process, folder, log):
        self.folder, self.log = folder, log
        limit = time.monotonic() + 60
        while not (port := self._port(folder / "runtime")):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < limit, log.read_text()
            time.sleep(0.05)
        self.port = port
        while True:  # the file is written shortly before the server listens
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=30).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None and time.monotonic() < limit, log.read_text()
                time.sleep(0.1)

    def __call__(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Authorization": "token secret"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status < 300, f"{answer.status} {text!r} {self.log.read_text()}"
        return json.loads(text) if answer.getheader("Content-Type") == "application/json" else text


def test_a_notebook_saved_by_jupyterlab_has_lost_its_views(server):
    content = notebook(both(), view_alone())
    server("PUT", "/api/contents/saved.ipynb", {"type": "notebook", "format": "json", "content": content})
    saved = read(server.folder / "work" / "saved.ipynb")
    first, second = saved["cells"][1]["outputs"]
    assert set(first["data"]) == {PICTURE, "text/plain"}
    assert set(second["data"]) == {WIDGET_VIEW, "text/plain"}
    assert "widgets" not in saved["metadata"]


def test_the_hook_ran_in_the_usual_file_manager(server):
    """Without a manager of the reader's own, JupyterLab saves through the asynchronous one."""
    from jupyter_server.serverapp import ServerApp

    assert ServerApp.contents_manager_class.default_value.__name__ == "AsyncLargeFileManager"


def test_a_notebook_of_another_program_is_read_with_its_pictures(server):
    path = server.folder / "work" / "foreign.ipynb"
    path.write_text(json.dumps(stored()["content"] | {"metadata": {"kernelspec": KERNEL}}))
    before = path.read_bytes()
    content = server("GET", "/api/contents/foreign.ipynb")["content"]
    first, second = content["cells"][1]["outputs"]
    assert set(first["data"]) == {PICTURE, "text/plain"}
    assert set(second["data"]) == {WIDGET_VIEW, "text/plain"}
    assert content["metadata"]["language_info"]["version"] == sys.version.split()[0]
    for listing in ("foreign.ipynb?content=0", "?content=1", "foreign.ipynb?type=file"):
        server("GET", f"/api/contents/{listing}")
    assert path.read_bytes() == before
    server("PUT", "/api/contents/foreign.ipynb", {"type": "notebook", "format": "json", "content": content})
    assert read(path)["metadata"] == {"kernelspec": KERNEL, "language_info": LANGUAGE}


def test_jupyterlabs_own_page_of_html_has_the_words(server):
    (server.folder / "work" / "page.ipynb").write_text(json.dumps(for_nbconvert()))
    (panel, _), _ = pages_pictures(server("GET", "/nbconvert/html/page.ipynb"))
    assert panel["alt"] == 'a "sentence" < 4 & more'


def test_other_files_are_saved_as_they_are(server):
    text = json.dumps(notebook(both()))
    server("PUT", "/api/contents/saved.txt", {"type": "file", "format": "text", "content": text})
    assert (server.folder / "work" / "saved.txt").read_text() == text


def test_news_and_update_check_are_off(server):
    properties = server("GET", f"/lab/api/settings/{NOTIFICATION}")["schema"]["properties"]
    assert properties["fetchNews"]["default"] == "false"
    assert properties["checkForUpdates"]["default"] is False


def test_this_environment_has_every_file(tmp_path):
    """``run.py`` installed them: without them the readers' own saved notebooks would go blank."""
    overrides, nbconvert, server, template = (
        Path(sys.prefix, path.relative_to(tmp_path)) for path in install(tmp_path)
    )
    assert read(overrides)[NOTIFICATION] == jupyter.OVERRIDES[NOTIFICATION]
    assert str(template.parents[1]) in read(nbconvert)["TemplateExporter"]["extra_template_basedirs"]
    assert read(server)["ServerApp"] == jupyter.SERVER_CONFIG["ServerApp"]
    assert template.read_text(encoding="utf-8") == jupyter.TEMPLATE
