"""Write environment.yml, binder/environment.yml and constraints.txt from the ranges of pyproject.toml.

``python run.py environments`` writes them, ``--check`` compares them without writing and without network. The
conda files hold ranges, for readers and for Binder; constraints.txt holds one version of everything, for
``run.py`` and the strict tests. Nobody edits the three by hand.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
CONDA_FILES = ("environment.yml", "binder/environment.yml")
CONSTRAINTS = "constraints.txt"

# repo2docker understands no other way of writing the version.
CONDA_PYTHON = "python=3.12"
# conda-forge's "matplotlib" pulls in Qt; the pictures need none of it.
CONDA_NAMES = {"matplotlib": "matplotlib-base"}

UV_COMMAND = (
    "pip", "compile", "--universal", "--all-extras", "--no-header", "--no-annotate", "--no-emit-index-url",
    "--quiet", "pyproject.toml", "-o", CONSTRAINTS,
)  # fmt: skip


def conda_environment(pyproject: str) -> str:
    """Return the text of the conda files.

    Parameters
    ----------
    pyproject
        The text of pyproject.toml: its dependencies and the extra ``lab`` are taken.

    Raises
    ------
    ValueError
        If a requirement is more than a name and a range, which conda could not be told.
    """
    project = tomllib.loads(pyproject)["project"]
    requirements = [*project["dependencies"], *project["optional-dependencies"]["lab"]]
    lines = [
        f"# Written from pyproject.toml by `python run.py environments`; change the ranges there.\n"
        f"name: {project['name']}",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        f"  - {CONDA_PYTHON}",
        "  - pip",
        *(f"  - {line}" for line in sorted(map(_conda_requirement, requirements))),
    ]
    return "\n".join(lines) + "\n"


def _conda_requirement(text: str) -> str:
    requirement = Requirement(text)
    if requirement.marker or requirement.extras or requirement.url:
        raise ValueError(f"pyproject.toml: {text!r} must be a name and a range, conda knows nothing else")
    return CONDA_NAMES.get(requirement.name, requirement.name) + str(requirement.specifier)


def constraint_faults(pyproject: str, constraints: str) -> list[str]:
    """Return what is wrong with the constraints, one line each: a missing pin, one out of range, an address.

    Parameters
    ----------
    pyproject, constraints
        The texts of the two files.
    """
    project = tomllib.loads(pyproject)["project"]
    faults = []
    pins: dict[str, list[str]] = {}
    for line in constraints.splitlines():
        match = re.fullmatch(r"([a-z0-9.-]+)==(\S+)(?: ; .+)?", line)
        if match:
            pins.setdefault(match[1], []).append(match[2])
        else:
            faults.append(f"{CONSTRAINTS}: {line!r} is not a pin")
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for text in (text for group in groups for text in group):
        requirement = Requirement(text)
        versions = pins.get(canonicalize_name(requirement.name), [])
        if not versions:
            faults.append(f"{CONSTRAINTS}: no pin for {text}")
        faults += [
            f"{CONSTRAINTS}: {requirement.name}=={version} is outside {text}"
            for version in versions
            if not requirement.specifier.contains(version, prereleases=True)
        ]
    return faults


def check(root: Path) -> list[str]:
    """Return a line for every file below ``root`` that pyproject.toml does not agree with."""
    pyproject = (root / "pyproject.toml").read_text(encoding="utf-8")
    wanted = conda_environment(pyproject).encode()
    faults = [
        f"{name} is not what pyproject.toml says"
        for name in CONDA_FILES
        if not (root / name).is_file() or (root / name).read_bytes() != wanted
    ]
    return faults + constraint_faults(pyproject, (root / CONSTRAINTS).read_text(encoding="utf-8"))


def write(root: Path) -> None:
    """Write the conda files below ``root``."""
    text = conda_environment((root / "pyproject.toml").read_text(encoding="utf-8"))
    for name in CONDA_FILES:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(text.encode())


def compile_constraints(root: Path, arguments: Sequence[str]) -> str:
    """Let uv choose the pins; return an empty text, or the line that says why it could not.

    Parameters
    ----------
    root
        The folder of pyproject.toml.
    arguments
        Further arguments of ``uv pip compile``, such as ``--upgrade``.
    """
    if importlib.util.find_spec("uv") is None:
        return f'{CONSTRAINTS} needs uv: "{sys.executable}" -m pip install uv, and try again'
    done = subprocess.run(
        [sys.executable, "-m", "uv", *UV_COMMAND, *arguments],
        cwd=root,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    return "" if done.returncode == 0 else f"{CONSTRAINTS} was not written: uv says why above"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write or check; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="run.py environments", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing, fail if something is out of date"
    )
    options, further = parser.parse_known_args(arguments)
    if not options.check:
        write(root)
        fault = compile_constraints(root, further)
        if fault:
            print(fault, file=sys.stderr)
            return 1
    faults = check(root)
    for fault in faults:
        print(f"{fault}: run python run.py environments", file=sys.stderr)
    if not faults:
        print(f"{', '.join([*CONDA_FILES, CONSTRAINTS])} agree with pyproject.toml")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
