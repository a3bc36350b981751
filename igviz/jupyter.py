"""What JupyterLab and nbconvert need to know about the course, and the one command that tells them.

Four files go below the environment's own prefix. The settings turn JupyterLab's news toast and update check
off. The server configuration makes this module an extension of the Jupyter server. The extension lets each
notebook that is saved pass through `drop_widget_views` and each that is read through `opened`, so that it is
readable where no kernel runs: a panel's stored picture stays, the reference to a widget that died with its
kernel goes. As an extension it stands beside a reader's own save hook, and a server without the course starts
with a warning; a hook named in the configuration would replace the one and stop the other. The template lets
nbconvert's page of HTML show a panel's stored picture with its words, and the last file tells nbconvert where
the template is. It takes the place of ``lab``, the template of ``--to html``, and of no other; a configured
``template_name`` would also overrule ``--template`` and spoil ``--to slides``.

Standard library only, because the Jupyter server imports this module when it starts.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import os
import sys
from pathlib import Path
from typing import Any

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PICTURE = "image/png"
KERNEL = "python3"
# What ipykernel says of its language, without the version: that differs between machines.
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}

# The news switch is a string and the update switch a boolean: that is how JupyterLab's schema has them.
OVERRIDES: dict[str, Any] = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
}
SERVER_CONFIG: dict[str, Any] = {"ServerApp": {"jpserver_extensions": {"igviz.jupyter": True}}}
TEMPLATES = Path("share", "jupyter", "nbconvert", "igviz")
TEMPLATE = """\
{#- nbconvert's own, with the words stored beside a picture, and with the picture before a widget's view -#}
{%- extends 'lab/index.html.j2' -%}
{%- block data_png scoped -%}
{%- set alt = output | get_metadata('alt', 'image/png') -%}
{{ super() | replace('<img ', '<img alt="' ~ (alt | escape_html) ~ '" ', 1) if alt else super() }}
{%- endblock -%}
{%- block data_widget_view scoped -%}
{{ self.data_png() if 'image/png' in output.data else super() }}
{%- endblock -%}
"""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Say where the extension is; the Jupyter server asks."""
    return [{"module": "igviz.jupyter"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Take part in each save and each opening; the Jupyter server calls this when it starts."""
    # A contents manager that keeps its files elsewhere may know no hooks.
    register = getattr(server.contents_manager, "register_pre_save_hook", None)
    if register is not None:
        register(drop_widget_views)
    # JupyterLab's own export to HTML does not read nbconvert's configuration.
    server.config["TemplateExporter"].setdefault("extra_template_basedirs", _templates(sys.prefix))
    get = getattr(server.contents_manager, "get", None)
    if get is None:
        return

    # There is no hook for an opening. The server's own manager answers later, others at once.
    @functools.wraps(get)
    def opening(*arguments: Any, **options: Any) -> Any:
        model = get(*arguments, **options)
        return later(model) if inspect.isawaitable(model) else opened(model, server)

    async def later(model: Any) -> Any:
        return opened(await model, server)

    server.contents_manager.get = opening


def drop_widget_views(model: Any, **_: Any) -> None:
    """Save a notebook as the course stores it; Jupyter's file manager calls this at each save.

    Viewers show only the richest form of an output. A widget view outlives its kernel as "model not found",
    so where a PNG of the same output is stored, the view is dropped from the file. The page that is being
    saved keeps its live panel. JupyterLab also notes the version of the running Python in the file, and that
    outputs are folded a second time by an older name; without them a lecture that was opened and saved stays
    as it was, and an update meets no change of the reader's. Anything of an unexpected shape is left as it
    is: a save must never fail here.

    Parameters
    ----------
    model
        The contents model about to be saved; changed in place when it is a notebook.
    **_
        The path and the contents manager, which Jupyter passes by name; not used.
    """
    notebook = _notebook(model)
    _drop_views(notebook)
    metadata = _dict(notebook.get("metadata"))
    metadata.pop("widgets", None)
    for key in ("version", "codemirror_mode"):
        _dict(metadata.get("language_info")).pop(key, None)
    for cell in _list(notebook.get("cells")):
        noted = _dict(_dict(cell).get("metadata"))
        if noted.get("collapsed") == _dict(noted.get("jupyter")).get("outputs_hidden"):
            noted.pop("collapsed", None)


def opened(model: Any, server: Any) -> Any:
    """Hand a notebook read from disk to its page: pictures for dead views, and the kernel it will have.

    A file that another program saved holds widget views whose models are gone. And JupyterLab writes into
    the notebook's metadata what its kernel says of itself; where that differs from the file, a lecture that
    was only opened asks "Save your work?" when it is closed. So what the kernel will say is there already.

    Parameters
    ----------
    model
        The contents model that was read; changed in place when it is a notebook with its content.
    server
        The Jupyter server, which knows the command of the kernel.

    Returns
    -------
    dict
        The model.
    """
    notebook = _notebook(model)
    _drop_views(notebook)
    with contextlib.suppress(Exception):  # an opening must never fail here
        if notebook["metadata"]["kernelspec"]["name"] == KERNEL:
            notebook["metadata"].update(_kernel(server.kernel_spec_manager))
    return model


def _kernel(specs: Any) -> dict[str, Any]:
    """Return the metadata that JupyterLab will write, nothing unless this Python is the kernel's, too."""
    if inspect.iscoroutinefunction(specs.get_kernel_spec):  # the kernels run on another machine
        return {}
    spec = specs.get_kernel_spec(KERNEL)
    # Jupyter starts the server's own Python for the bare names.
    major, minor = sys.version_info[:2]
    ours = {"python", f"python{major}", f"python{major}.{minor}"}
    if spec.argv[0] not in ours and not Path(spec.argv[0]).samefile(sys.executable):
        return {}
    language = LANGUAGE | {
        "version": sys.version.split()[0],
        "codemirror_mode": {"name": "ipython", "version": major},
    }
    kernelspec = {"display_name": spec.display_name, "language": spec.language, "name": KERNEL}
    return {"kernelspec": kernelspec, "language_info": language}


def _notebook(model: Any) -> dict[str, Any]:
    """Return the notebook in a contents model, an empty one if there is none."""
    model = _dict(model)
    return _dict(model.get("content")) if model.get("type") == "notebook" else {}


def _drop_views(notebook: dict[str, Any]) -> None:
    """Drop each widget view, and what a front end noted on it, where a PNG of the same output is stored."""
    for cell in _list(notebook.get("cells")):
        for output in map(_dict, _list(_dict(cell).get("outputs"))):
            data = _dict(output.get("data"))
            if PICTURE in data:
                data.pop(WIDGET_VIEW, None)
                _dict(output.get("metadata")).pop(WIDGET_VIEW, None)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def install(prefix: str | os.PathLike[str] = sys.prefix) -> list[Path]:
    """Write the settings, the template and both configurations below ``prefix``.

    The settings and nbconvert's configuration are shared with others, whose entries are kept.

    Parameters
    ----------
    prefix
        The environment's folder; by default the one of the running Python.

    Returns
    -------
    list of Path
        The four files.

    Raises
    ------
    ValueError
        If a shared file exists and is not a JSON object; the line names it. Nothing is changed then.
    """
    exporter = {"TemplateExporter": {"extra_template_basedirs": _templates(prefix)}}
    settings = Path(prefix, "share", "jupyter", "lab", "settings", "overrides.json")
    nbconvert = Path(prefix, "etc", "jupyter", "jupyter_nbconvert_config.json")
    contents = {
        settings: _text(_merge(_read_object(settings), OVERRIDES)),
        nbconvert: _text(_merge(_read_object(nbconvert), exporter)),
        Path(prefix, "etc", "jupyter", "jupyter_server_config.d", "igviz.json"): _text(SERVER_CONFIG),
        Path(prefix, TEMPLATES, "lab", "index.html.j2"): TEMPLATE,
    }
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes(content.encode())
        partial.replace(path)
    return list(contents)


def _templates(prefix: str | os.PathLike[str]) -> list[str]:
    """Return where nbconvert looks for templates first: with us, then where it is called, its own default."""
    return [str(Path(prefix, TEMPLATES)), "."]


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2) + "\n"


def _read_object(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not a JSON object: move it away and try again")
    return content


def _merge(present: dict[str, Any], entries: dict[str, Any]) -> dict[str, Any]:
    merged = dict(present)
    for key, value in entries.items():
        inner = merged.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            merged[key] = _merge(inner, value)
        elif isinstance(inner, list) and isinstance(value, list):
            merged[key] = value + [item for item in inner if item not in value]
        else:
            merged[key] = value
    return merged


def main() -> int:
    """Install into the running environment and say where; return the exit code."""
    try:
        paths = install()
    except (OSError, ValueError) as error:
        print(f"igviz.jupyter: {error}", file=sys.stderr)
        return 1
    for path in paths:
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
