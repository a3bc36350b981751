"""Arrows point down only, as declared and as seen in a running Python; and the declaration can fail."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import igviz

ROOT = Path(__file__).resolve().parent.parent
LINT = "from importlinter.cli import lint_imports_command as check; check()"

PICTURES = {"matplotlib", "PIL"}
WIDGETS = {"ipywidgets", "anywidget", "IPython", "ipykernel"}


def lint(folder):
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    return done.returncode, done.stdout + done.stderr


def loaded_after(code):
    """Names of the modules that a fresh Python holds after ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    return modules | {name.split(".")[0] for name in modules}


def test_the_contracts_hold():
    code, text = lint(ROOT)
    assert code == 0, text
    assert re.search(r"\b0 broken", text), text


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("igviz/geometry/__init__.py", "import matplotlib"),
        ("igviz/geometry/__init__.py", "def draw():\n    import igviz.plots"),
        ("igviz/plots/__init__.py", "import ipywidgets"),
        ("igviz/plots/__init__.py", "import igviz.panels"),
    ],
)
def test_a_broken_contract_is_noticed(tmp_path, module, line):
    shutil.copytree(ROOT / "igviz", tmp_path / "igviz", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    code, text = lint(tmp_path)
    assert code != 0, text
    assert re.search(r"\b[1-9] broken", text), text


def test_import_igviz_is_light():
    assert not loaded_after("import igviz") & {"numpy", "scipy", "sympy", "sklearn", *PICTURES, *WIDGETS}


def numerical_layers():
    folders = ("geometry", "inference", "models")
    return [f"igviz.{name}" for name in folders if (ROOT / "igviz" / name / "__init__.py").exists()]


def modules_below(package):
    folder = ROOT.joinpath(*package.split("."))
    paths = sorted(path.relative_to(ROOT).with_suffix("") for path in folder.rglob("*.py"))
    return [".".join(path.parts).removesuffix(".__init__") for path in paths]


@pytest.mark.parametrize("layer", numerical_layers())
def test_numerical_layers_load_no_picture_and_no_widget(layer):
    loaded = loaded_after(f"import {', '.join(modules_below(layer))}")
    assert layer in loaded
    assert not loaded & {"scipy.stats", *PICTURES, *WIDGETS}


def test_only_the_symbolic_package_loads_sympy():
    modules = [name for layer in numerical_layers() for name in modules_below(layer)]
    rest = [name for name in modules if not name.startswith("igviz.geometry.symbolic")]
    assert len(rest) < len(modules)
    assert not loaded_after(f"import {', '.join(rest)}") & {"sympy", "mpmath"}
    assert "sympy" in loaded_after("import igviz\nigviz.symbolic")


def test_plots_load_no_widget():
    loaded = loaded_after(f"import {', '.join(modules_below('igviz.plots'))}")
    assert "igviz.plots" in loaded
    assert not loaded & {"scipy.stats", "ipywidgets", "anywidget"}


def test_using_every_public_name_never_loads_scipy_stats():
    names = "\n".join(f"igviz.{name}" for name in igviz.__all__)
    loaded = loaded_after(f"import igviz\n{names}")
    assert "ipywidgets" in loaded, "every public name was loaded, so the panels were"
    assert "scipy.stats" not in loaded


def test_the_environment_check_needs_no_package():
    """It must work where NumPy is the thing that is missing."""
    loaded = loaded_after("import igviz\nrepr(igviz.check_environment())")
    assert "igviz.environment" in loaded
    assert not loaded & {"numpy", "packaging", *PICTURES, *WIDGETS}
