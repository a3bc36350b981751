"""Loading a part of igviz on first use, with an error that says what to do when a package is missing."""

from __future__ import annotations

import importlib
from types import ModuleType


def load(module: str) -> ModuleType:
    """Import a module of igviz.

    Raises
    ------
    ImportError
        If a package that the module needs is not installed; names it and the command that mends it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "igviz":
            raise
        from igviz.environment import check_environment

        raise ImportError(f"{module} needs {error.name}.\n{check_environment()}") from None
