"""What lecture 01 types out agrees with what igviz computes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import igviz as ig
from igviz.models import skewed_posterior

PATH = Path(__file__).parents[2] / "notebooks" / "01_manifold_intuition.ipynb"


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """Run every cell that shows no panel, and return the names they define."""
    found: dict[str, Any] = {}
    for cell in json.loads(PATH.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            kept = "\n".join(line for line in source.splitlines() if "ig.panels" not in line)
            before = dict(found)
            exec(kept, found)
            # a later section uses p, q and t again: keep what each name was when it was first typed
            found.update(
                {name: before[name] for name in ("fisher_rao", "kl_from_posterior") if name in before}
            )
    return found


def test_the_typed_distance_is_the_library_s(names):
    rng = np.random.default_rng(2)
    mean, std = rng.normal(0, 3, (2, 200)), rng.uniform(0.2, 4, (2, 200))
    typed = names["fisher_rao"](mean[0], std[0], mean[1], std[1])
    library = ig.fisher_rao_distance(ig.Normal(mean[0], std[0]), ig.Normal(mean[1], std[1]))
    np.testing.assert_allclose(typed, library, rtol=1e-10)


def test_the_typed_posterior_is_the_running_example(names):
    z = np.linspace(-14, 8, 8801)
    np.testing.assert_allclose(names["z"], z)
    np.testing.assert_allclose(names["posterior"], skewed_posterior.posterior_pdf(z), rtol=1e-9, atol=1e-300)


def test_the_moment_matched_bell_has_the_least_kl(names):
    mean, std = skewed_posterior.posterior_moments()
    least = names["kl_from_posterior"](mean, std)
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        there = mean + 1e-3 * np.cos(angle), std + 1e-3 * np.sin(angle)
        assert names["kl_from_posterior"](*there) > least


def test_the_typed_geodesics_are_the_library_s(names):
    p, q = ig.Normal(0, 1), ig.Normal(4, 1.5)
    for kind, name in (("natural", "e"), ("expectation", "m")):
        there = ig.geodesic(p, q, kind)(0.3)
        assert ig.fisher_rao_distance(names[name], there) < 1e-12


def test_every_solution_is_correct_and_no_stub_is_answered(names):
    for number in range(1, 6):
        assert ig.check(f"01.{number}", names[f"solution_{number}"]).correct
        assert not ig.check(f"01.{number}", names[f"answer_{number}"]).correct


def test_solutions_are_folded_and_never_overwrite_an_answer():
    cells = json.loads(PATH.read_text(encoding="utf-8"))["cells"]
    solutions = [cell for cell in cells if "solution" in cell["metadata"].get("tags", [])]
    assert len(solutions) == 5
    for number, cell in enumerate(solutions, 1):
        source = "".join(cell["source"])
        assert source.startswith(f"# Solution {number} (click to open)")
        assert f"answer_{number}" not in source
        assert cell["metadata"]["jupyter"] == {"source_hidden": True, "outputs_hidden": True}


def test_what_goes_further_is_folded_and_the_core_is_short():
    cells = json.loads(PATH.read_text(encoding="utf-8"))["cells"]
    further = [
        number
        for number, cell in enumerate(cells)
        if cell["cell_type"] == "markdown" and "".join(cell["source"]).startswith("## Going further")
    ]
    assert len(further) == 2
    assert all(cells[number]["metadata"]["jp-MarkdownHeadingCollapsed"] for number in further)
    assert further[0] <= 45
    assert len(cells) - further[0] <= 25
