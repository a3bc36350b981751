"""A wheel holds the whole package, and works where there is no checkout."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def package_files():
    """Return the files of the package that belong to the repository, also those not yet committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", "igviz"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
            "\0"
        )
    except (OSError, subprocess.CalledProcessError):
        found = (path for path in (ROOT / "igviz").rglob("*") if "__pycache__" not in path.parts)
        listed = [path.relative_to(ROOT).as_posix() for path in found]
    return sorted(name for name in listed if name and (ROOT / name).is_file())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy, so that nothing is left in the checkout and nothing there is picked up."""
    source = tmp_path_factory.mktemp("a copy")
    for name in [*package_files(), "pyproject.toml", "README.md", "LICENSE"]:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    target = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index",
        "--disable-pip-version-check", "-w", str(target), str(source),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=target)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = target.glob("*.whl")
    return path


def test_the_wheel_holds_every_file_of_the_package(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert sorted(name for name in names if name.startswith("igviz/")) == package_files()
    assert {name.split("/")[0] for name in names if not name.startswith("igviz/")} == {
        f"{wheel.stem.split('-py')[0]}.dist-info"
    }


def test_the_wheel_holds_the_licence_and_its_requirements(wheel):
    archive = zipfile.ZipFile(wheel)
    (licence,) = (name for name in archive.namelist() if name.endswith("LICENSE"))
    assert archive.read(licence).replace(b"\r\n", b"\n") == (ROOT / "LICENSE").read_bytes()
    (metadata,) = (name for name in archive.namelist() if name.endswith("METADATA"))
    text = archive.read(metadata).decode()
    for requirement in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]:
        assert f"Requires-Dist: {requirement}\n" in text


def test_the_wheel_works_without_the_checkout(wheel, tmp_path):
    """Every public name and every module loads from the unpacked wheel, far from the repository."""
    site = tmp_path / "site packages"
    zipfile.ZipFile(wheel).extractall(site)
    modules = [
        name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        for name in package_files()
        if name.endswith(".py")
    ]
    code = f"""
import importlib, pathlib, sys
sys.path.insert(0, {str(site)!r})
# An editable installation of the checkout must not step in.
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
checkout = pathlib.Path({str(ROOT)!r})
sys.path[:] = [folder for folder in sys.path if pathlib.Path(folder or ".").resolve() != checkout]
for name in {modules!r}:
    importlib.import_module(name)
import igviz
for name in igviz.__all__:
    getattr(igviz, name)
strangers = [name for name, module in sys.modules.items() if name.split(".")[0] == "igviz"
             and not str(getattr(module, "__file__", "")).startswith({str(site)!r})]
assert not strangers, strangers
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_pyproject_lists_every_package():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    folders = [Path(name).parent for name in package_files() if name.endswith("__init__.py")]
    assert listed == sorted(".".join(folder.parts) for folder in folders)
