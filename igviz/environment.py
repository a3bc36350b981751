"""Is everything installed that the course needs, and what mends it if not.

Standard library only: the check must work where NumPy is the thing that is missing.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

# The ranges of pyproject.toml are a name, at most one lower bound, and at most the extra they belong to; a
# test holds that. So they are read here and no package is needed to read them.
_REQUIREMENT = re.compile(
    r"""(?P<name>[A-Za-z0-9._-]+)\s*
        (?:>=\s*(?P<oldest>[0-9.]+))?\s*
        (?:;\s*extra\s*==\s*['"](?P<extra>[^'"]+)['"])?\s*""",
    re.VERBOSE,
)
_EXTRAS = (None, "lab")


@dataclass(frozen=True)
class Package:
    """One package of the course: what is wanted and what was found.

    Parameters
    ----------
    name
        The name it is installed by; ``Python`` for the interpreter.
    wanted
        The range, such as ``>=2.2``; empty if any version will do.
    found
        The installed version, or None if it is missing.
    fits
        Whether what was found is in the range.
    """

    name: str
    wanted: str
    found: str | None
    fits: bool

    def __str__(self) -> str:
        found = "is missing" if self.found is None else self.found
        if self.fits:
            return f"{self.name} {found}"
        verb = "" if self.found is None else " found"
        return f"{self.name} {found}{verb}, {self.name}{self.wanted} is needed"


@dataclass(frozen=True, repr=False)
class EnvironmentReport:
    """The answer of `check_environment`: one sentence if all is well, else a line for each fault.

    Parameters
    ----------
    packages
        The Python version first, then every package in the order of their names.
    fault
        A fault that hides all others, such as a course that is not installed; empty if there is none.
    remedy
        The command that mends the faults; empty if there is nothing to mend.
    """

    packages: tuple[Package, ...]
    fault: str = ""
    remedy: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything is present and new enough."""
        return not self.fault and all(package.fits for package in self.packages)

    def table(self) -> str:
        """Return a line for each package: its version, and whether it will do."""
        width = max((len(package.name) for package in self.packages), default=0)
        return "\n".join(
            f"{package.name:<{width}}  {package.found or 'missing':<12}  {'ok' if package.fits else 'NOT OK'}"
            f"  {package.wanted or 'any version'}"
            for package in self.packages
        )

    def __repr__(self) -> str:
        if self.ok:
            return f"All {len(self.packages) - 1} packages are present and new enough."
        lines = [self.fault] if self.fault else [str(p) for p in self.packages if not p.fits]
        return "\n".join([*lines, self.remedy])


def check_environment() -> EnvironmentReport:
    """Compare Python and the installed packages with what the course needs.

    The ranges are those of the installed course, so there is no second list to keep. As the value of a cell
    the report is one sentence without version numbers when all is well; `EnvironmentReport.table` has them.

    Returns
    -------
    EnvironmentReport
        Prints as one sentence, or as the faults followed by the command that mends them.
    """
    try:
        course = metadata.distribution("igviz")
    except metadata.PackageNotFoundError:
        return EnvironmentReport((), "igviz itself is not installed.", f"To mend it: {_setup_command()}")
    python = ".".join(str(part) for part in sys.version_info[:3])
    range_wanted = course.metadata["Requires-Python"] or ""
    packages = [Package("Python", range_wanted, python, _python_fits(python, range_wanted))]
    for line in sorted(course.requires or [], key=str.lower):
        match = _REQUIREMENT.fullmatch(line)
        if match and match["extra"] in _EXTRAS:
            packages.append(_look_up(match["name"], match["oldest"]))
    return EnvironmentReport(tuple(packages), remedy=_remedy(packages))


def _look_up(name: str, oldest: str | None) -> Package:
    wanted = f">={oldest}" if oldest else ""
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Package(name, wanted, None, False)
    # A half-removed package has metadata without a version.
    if not found:
        return Package(name, wanted, None, False)
    return Package(name, wanted, found, oldest is None or _release(found) >= _release(oldest))


def _release(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version without trailing zeros, so that 2.2 equals 2.2.0."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _python_fits(python: str, wanted: str) -> bool:
    bounds = re.findall(r"(>=|<)\s*([0-9.]+)", wanted)
    return all(
        _release(python) >= _release(bound) if sign == ">=" else _release(python) < _release(bound)
        for sign, bound in bounds
    )


def _remedy(packages: list[Package]) -> str:
    python, *others = packages
    if not python.fits:
        return f"To mend it: install Python {python.wanted}, then {_setup_command()}"
    wrong = [package for package in others if not package.fits]
    if not wrong:
        return ""
    if _in_own_venv():
        return f"To mend it: {_setup_command()}"
    wishes = " ".join(f'"{package.name}{package.wanted}"' for package in wrong)
    # Quoted only where it must be: PowerShell takes a quoted program for a text.
    python_path = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return f"To mend it: {python_path} -m pip install {wishes}\nThen restart the kernel."


def _setup_command() -> str:
    return "in a terminal, in the folder of the course, run: python run.py setup\nThen restart the kernel."


def _in_own_venv() -> bool:
    """Whether this Python is the one that ``run.py`` made beside the course."""
    return Path(sys.prefix).resolve() == Path(__file__).resolve().parent.parent / ".venv"
