"""Moving pictures: the slider engine, and one module of panels for each lecture, named as its notebook."""

from __future__ import annotations

from typing import Any

from igviz.loading import load

LECTURES = (
    "start_here",
    "manifold_intuition",
    "fisher_information",
    "kl_quadratic_approximation",
    "elbo",
    "natural_gradient_vi",
    "vae",
)


def __getattr__(name: str) -> Any:
    if name in LECTURES:
        return load(f"igviz.panels.{name}")
    raise AttributeError(f"igviz.panels has no lecture {name!r}; the lectures are: {', '.join(LECTURES)}")


def __dir__() -> list[str]:
    return sorted(LECTURES)
