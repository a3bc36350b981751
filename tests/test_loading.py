"""What is loaded when, and what a reader is told when a package is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import igviz as ig


def run(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return result.stdout


@pytest.mark.parametrize(
    ("package", "use"),
    [
        ("matplotlib", "ig.panels.start_here"),
        ("matplotlib", "ig.course_map()"),
        ("ipywidgets", "ig.panels.start_here.equal_steps"),
        ("numpy", "ig.Normal"),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_mends_it(package, use):
    code = f"""
import sys
import importlib.metadata
sys.modules["{package}"] = None  # as if it were not installed
found = importlib.metadata.version
def version(name):
    if name == "{package}":
        raise importlib.metadata.PackageNotFoundError(name)
    return found(name)
importlib.metadata.version = version
import igviz as ig
try:
    {use}
except ImportError as error:
    print(error)
"""
    told = run(code)
    assert f"needs {package}" in told
    assert f"{package} is missing" in told
    assert "To mend it:" in told


def test_an_unknown_name_lists_those_that_exist():
    with pytest.raises(AttributeError, match=r"igviz has no name 'Gauss'; the names are: .*Normal"):
        ig.Gauss  # noqa: B018
    with pytest.raises(AttributeError, match="no lecture 'nowhere'; the lectures are: start_here"):
        ig.panels.nowhere  # noqa: B018


def test_every_public_name_is_there():
    for name in ig.__all__:
        assert getattr(ig, name) is not None
    assert set(ig.__all__) <= set(dir(ig))
