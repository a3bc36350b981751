"""Answers and hints: the checker, and one module of exercises for each lecture, named as its notebook."""

from __future__ import annotations

from typing import Any

from igviz.loading import load

# the number of a lecture, with which the keys of its exercises begin -> its module
LECTURES = {
    "01": "manifold_intuition",
    "02": "fisher_information",
    "03": "kl_quadratic_approximation",
    "04": "elbo",
    "05": "natural_gradient_vi",
    "06": "vae",
}


def __getattr__(name: str) -> Any:
    if name in LECTURES.values():
        return load(f"igviz.exercises.{name}")
    known = ", ".join(LECTURES.values())
    raise AttributeError(f"igviz.exercises has no lecture {name!r}; the lectures are: {known}")


def __dir__() -> list[str]:
    return sorted(LECTURES.values())
