"""What JupyterLab needs to know about the course, and the one command that tells it.

Two files go below the environment's own prefix. The settings turn JupyterLab's news toast and update check
off. The server configuration makes this module an extension of the Jupyter server. The extension registers
`drop_widget_views`, which keeps a saved notebook readable where no kernel runs: a panel's stored picture
stays, the reference to a widget that died with its kernel goes. As an extension it stands beside a reader's
own save hook, and a server without the course starts with a warning; a hook named in the configuration
would replace the one and stop the other.

Standard library only, because the Jupyter server imports this module when it starts.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PICTURE = "image/png"

# The news switch is a string and the update switch a boolean: that is how JupyterLab's schema has them.
OVERRIDES: dict[str, Any] = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
}
SERVER_CONFIG: dict[str, Any] = {"ServerApp": {"jpserver_extensions": {"igviz.jupyter": True}}}


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Say where the extension is; the Jupyter server asks."""
    return [{"module": "igviz.jupyter"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Register the save hook; the Jupyter server calls this when it starts."""
    # A contents manager that keeps its files elsewhere may know no hooks.
    register = getattr(server.contents_manager, "register_pre_save_hook", None)
    if register is not None:
        register(drop_widget_views)


def drop_widget_views(model: Any, **_: Any) -> None:
    """Save a notebook as the course stores it; Jupyter's file manager calls this at each save.

    Viewers show only the richest form of an output. A widget view outlives its kernel as "model not found",
    so where a PNG of the same output is stored, the view is dropped from the file. The page that is being
    saved keeps its live panel. JupyterLab also notes the version of the running Python in the file; without
    it a lecture that was only opened stays as it was, and an update meets no change of the reader's. Anything
    of an unexpected shape is left as it is: a save must never fail here.

    Parameters
    ----------
    model
        The contents model about to be saved; changed in place when it is a notebook.
    **_
        The path and the contents manager, which Jupyter passes by name; not used.
    """
    if not isinstance(model, dict) or model.get("type") != "notebook":
        return
    notebook = model.get("content")
    if not isinstance(notebook, dict):
        return
    metadata = notebook.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("widgets", None)
        language = metadata.get("language_info")
        if isinstance(language, dict):
            for key in ("version", "codemirror_mode"):
                language.pop(key, None)
    for cell in _list(notebook.get("cells")):
        for output in _list(cell.get("outputs") if isinstance(cell, dict) else None):
            data = output.get("data") if isinstance(output, dict) else None
            if isinstance(data, dict) and PICTURE in data:
                data.pop(WIDGET_VIEW, None)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def install(prefix: str | os.PathLike[str] = sys.prefix) -> list[Path]:
    """Write the settings and the server configuration below ``prefix``.

    The settings are shared with others, whose entries are kept; the configuration is a file of our own.

    Parameters
    ----------
    prefix
        The environment's folder; by default the one of the running Python.

    Returns
    -------
    list of Path
        The two files.

    Raises
    ------
    ValueError
        If the settings exist and are not a JSON object; the line names them. Nothing is changed then.
    """
    settings = Path(prefix, "share", "jupyter", "lab", "settings", "overrides.json")
    configuration = Path(prefix, "etc", "jupyter", "jupyter_server_config.d", "igviz.json")
    contents = {settings: _merge(_read_object(settings), OVERRIDES), configuration: SERVER_CONFIG}
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes((json.dumps(content, indent=2) + "\n").encode())
        partial.replace(path)
    return list(contents)


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
        merged[key] = _merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
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
