"""One source for every environment: pyproject.toml; and the check that readers run."""

import re
import shutil
import stat
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import igviz
import run
from igviz import environment
from igviz.environment import check_environment
from tools import write_environments as tool

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)["project"]
READERS = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["lab"]]


# ------------------------------------------------------------------- files written from pyproject.toml


def test_environment_files_agree_with_pyproject():
    assert tool.check(ROOT) == []


@pytest.fixture
def project(tmp_path):
    """A copy of the files that the tool reads and writes."""
    for name in ("pyproject.toml", tool.CONSTRAINTS, *tool.CONDA_FILES):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


def test_a_changed_range_is_noticed_and_written(project, capsys):
    path = project / "pyproject.toml"
    path.write_text(PYPROJECT.replace('"sympy>=1.13.3"', '"sympy>=1.14"'), encoding="utf-8")
    assert tool.main(["--check"], project) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "environment.yml is not what pyproject.toml says: run python run.py environments",
        "binder/environment.yml is not what pyproject.toml says: run python run.py environments",
    ]
    tool.write(project)
    assert tool.main(["--check"], project) == 0
    assert "  - sympy>=1.14\n" in (project / "environment.yml").read_text(encoding="utf-8")


def test_a_missing_environment_file_is_noticed(project):
    (project / "binder/environment.yml").unlink()
    assert tool.check(project) == ["binder/environment.yml is not what pyproject.toml says"]


def test_conda_file_by_hand():
    pyproject = (
        '[project]\nname = "igviz"\ndependencies = ["numpy>=2.2", "matplotlib>=3.10"]\n'
        '[project.optional-dependencies]\nlab = ["jupyterlab>=4.4"]\ntest = ["pytest>=8"]\n'
    )
    lines = tool.conda_environment(pyproject).splitlines()
    assert lines[1:] == [
        "name: igviz", "channels:", "  - conda-forge", "  - nodefaults", "dependencies:", "  - python=3.12",
        "  - pip", "  - jupyterlab>=4.4", "  - matplotlib-base>=3.10", "  - numpy>=2.2",
    ]  # fmt: skip


def test_a_requirement_that_conda_cannot_be_told_is_refused():
    pyproject = PYPROJECT.replace('"sympy>=1.13.3"', "\"sympy>=1.13.3; sys_platform == 'linux'\"")
    with pytest.raises(ValueError, match=r"sympy.*must be a name and a range"):
        tool.conda_environment(pyproject)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (r"sympy==.*\n", "", "no pin for sympy>=1.13.3"),
        (r"sympy==.*\n", "sympy==1.0\n", "sympy==1.0 is outside sympy>=1.13.3"),
        (r"^", "--index-url somewhere\n", "'--index-url somewhere' is not a pin"),
        (r"sympy==.*\n", "sympy @ file\n", "'sympy @ file' is not a pin"),
    ],
)
def test_faulty_constraints_are_noticed(old, new, fault):
    constraints = (ROOT / tool.CONSTRAINTS).read_text(encoding="utf-8")
    faults = tool.constraint_faults(PYPROJECT, re.sub(old, new, constraints, count=1))
    assert f"{tool.CONSTRAINTS}: {fault}" in faults


def test_without_uv_the_line_says_how_to_get_it(project, monkeypatch, capsys):
    monkeypatch.setattr(tool.importlib.util, "find_spec", lambda name: None)
    assert tool.main([], project) == 1
    assert re.fullmatch(
        r'constraints.txt needs uv: ".+" -m pip install uv, and try again\n', capsys.readouterr().err
    )


def test_environment_files_name_no_address():
    for name in (*tool.CONDA_FILES, tool.CONSTRAINTS, "pyproject.toml", "binder/postBuild"):
        assert "://" not in (ROOT / name).read_text(encoding="utf-8"), name


# ------------------------------------------------------------------- facts that stand in two files


def test_versions_agree():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == PROJECT["version"]
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE)[1] == PROJECT["version"]
    assert igviz.__version__ == PROJECT["version"]


def test_run_py_takes_the_pythons_of_pyproject():
    oldest, too_new = (".".join(map(str, version)) for version in (run.OLDEST, run.TOO_NEW))
    assert PROJECT["requires-python"] == f">={oldest},<{too_new}"


def test_both_licences_are_named():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Permission is hereby granted, free of charge" in text
    for name in PROJECT["license"].split(" AND "):
        assert name in text


def test_readers_have_what_runs_the_lectures_as_tests():
    """Without run.py, with conda or on Binder."""
    assert {"nbval", "pytest"} <= {Requirement(text).name for text in READERS}
    assert "`pytest --nbval-lax notebooks`" in (ROOT / "README.md").read_text(encoding="utf-8")


# ------------------------------------------------------------------- Binder


@pytest.fixture
def binder(tmp_path, monkeypatch):
    """What repo2docker makes of a copy of the repository, as its own code sees it."""
    from repo2docker.app import Repo2Docker

    for name in ("pyproject.toml", "environment.yml", "binder/environment.yml", "binder/postBuild"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "binder/postBuild").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    application = Repo2Docker()
    packs = (pack(application.base_image) for pack in application.buildpacks)
    chosen = next(pack for pack in packs if pack.detect())
    chosen.platform = "linux/amd64"
    return chosen


# repo2docker imports the log formatter by its old name.
old_import = pytest.mark.filterwarnings(
    "ignore:pythonjsonlogger.jsonlogger has been moved:DeprecationWarning"
)


@old_import
def test_binder_takes_the_conda_route(binder):
    assert type(binder).__name__ == "CondaBuildPack"
    assert binder.environment_yaml_path == "binder/environment.yml"
    assert binder.python_version == "3.12"
    assert not binder.separate_kernel_env
    dockerfile = binder.render()
    assert "binder/environment.yml" in dockerfile
    assert "./binder/postBuild" in dockerfile
    assert "requirements" not in " ".join(script for _, script in binder.get_assemble_scripts())
    assert binder.get_post_build_scripts() == ["binder/postBuild"]


@old_import
def test_without_its_folder_binder_would_take_the_other_file(binder, tmp_path):
    """The test above can fail: the folder is what decides."""
    shutil.rmtree(tmp_path / "binder")
    again = type(binder)(binder.base_image)
    assert again.environment_yaml_path == "environment.yml"
    assert again.get_post_build_scripts() == []


@old_import
def test_binder_understands_no_other_way_of_writing_the_python_version(binder, tmp_path):
    """Why the tool writes ``python=3.12`` and not a range."""
    path = tmp_path / "binder/environment.yml"
    path.write_text(path.read_text().replace("python=3.12", "python >=3.12,<3.13"))
    assert type(binder)(binder.base_image).python_version != "3.12"


def test_post_build_can_run():
    path = ROOT / "binder/postBuild"
    content = path.read_bytes()
    assert content.startswith(b"#!/bin/bash\n")
    assert b"\r" not in content
    assert b"\nset -euo pipefail\n" in content
    if sys.platform != "win32":
        assert path.stat().st_mode & stat.S_IXUSR


# ------------------------------------------------------------------- check_environment


@pytest.fixture
def installed(monkeypatch):
    """Versions of packages to pretend; None stands for a missing one."""
    pretended: dict[str, str | None] = {}
    real = metadata.version

    def version(name):
        if name not in pretended:
            return real(name)
        if pretended[name] is None:
            raise metadata.PackageNotFoundError(name)
        return pretended[name]

    monkeypatch.setattr(environment.metadata, "version", version)
    return pretended


def test_every_range_can_be_read_by_the_check():
    for text in READERS:
        match = environment._REQUIREMENT.fullmatch(text)
        requirement = Requirement(text)
        assert match, f"pyproject.toml: {text!r} must be NAME>=VERSION, igviz.environment reads nothing else"
        assert (match["name"], f">={match['oldest']}") == (requirement.name, str(requirement.specifier))


def test_a_complete_environment_is_one_sentence_without_versions():
    report = check_environment()
    assert report.ok
    assert repr(report) == f"All {len(READERS)} packages are present and new enough."


def test_the_table_has_a_line_for_python_and_each_package():
    lines = check_environment().table().splitlines()
    names = [line.split()[0] for line in lines]
    assert names == ["Python", *sorted((Requirement(text).name for text in READERS), key=str.lower)]
    assert all(line.split()[2] == "ok" for line in lines)
    assert metadata.version("numpy") in next(line for line in lines if line.startswith("numpy"))


def test_a_missing_and_an_old_package_are_named_with_the_command(installed, monkeypatch):
    installed.update(numpy="1.26.4", sympy=None)
    monkeypatch.setattr(environment, "_in_own_venv", lambda: False)
    monkeypatch.setattr(environment.sys, "executable", "python")
    report = check_environment()
    assert not report.ok
    assert repr(report).splitlines() == [
        "numpy 1.26.4 found, numpy>=2.2 is needed",
        "sympy is missing, sympy>=1.13.3 is needed",
        'To mend it: python -m pip install "numpy>=2.2" "sympy>=1.13.3"',
        "Then restart the kernel.",
    ]
    assert "NOT OK" in report.table()


def test_in_the_environment_of_run_py_the_command_is_setup(installed, monkeypatch):
    installed["jupyterlab"] = "4.3.9"
    monkeypatch.setattr(environment, "_in_own_venv", lambda: True)
    assert repr(check_environment()).splitlines() == [
        "jupyterlab 4.3.9 found, jupyterlab>=4.4 is needed",
        "To mend it: in a terminal, in the folder of the course, run: python run.py setup",
        "Then restart the kernel.",
    ]


def test_a_path_with_a_space_is_quoted(installed, monkeypatch):
    installed["numpy"] = None
    monkeypatch.setattr(environment, "_in_own_venv", lambda: False)
    monkeypatch.setattr(environment.sys, "executable", "/some where/python")
    assert '"/some where/python" -m pip install "numpy>=2.2"' in repr(check_environment())


@pytest.mark.parametrize("version", ["2.2", "2.2.0", "2.10", "3", "2.3.0rc1", "2.2.1+local"])
def test_versions_that_will_do(installed, version):
    installed["numpy"] = version
    assert check_environment().ok


@pytest.mark.parametrize("version", ["2.1.9", "2", "1.26.4", "0.2.2", None])
def test_versions_that_will_not_do(installed, version):
    installed["numpy"] = version
    report = check_environment()
    assert [package.name for package in report.packages if not package.fits] == ["numpy"]


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 15, 0)])
def test_the_python_version_is_checked(monkeypatch, version):
    monkeypatch.setattr(environment.sys, "version_info", version)
    first, remedy, _ = repr(check_environment()).splitlines()
    assert first.startswith(f"Python {'.'.join(map(str, version))} found, Python")
    assert remedy.startswith("To mend it: install Python")


def test_a_plain_checkout_is_told_to_run_setup(monkeypatch):
    def nothing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(environment.metadata, "distribution", nothing)
    report = check_environment()
    assert not report.ok
    assert repr(report).splitlines() == [
        "igviz itself is not installed.",
        "To mend it: in a terminal, in the folder of the course, run: python run.py setup",
        "Then restart the kernel.",
    ]
    assert report.table() == ""
