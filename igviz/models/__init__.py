"""What is walked on: models with a log joint density."""

from __future__ import annotations

from typing import Any

from igviz.loading import load

# the running examples of the lectures, as `ig.models.skewed_posterior`
EXAMPLES = ("skewed_posterior", "bimodal_posterior", "images", "network", "digit_vaes")


def __getattr__(name: str) -> Any:
    if name in EXAMPLES:
        return load(f"igviz.models.{name}")
    raise AttributeError(f"igviz.models has no example {name!r}; the examples are: {', '.join(EXAMPLES)}")


def __dir__() -> list[str]:
    return sorted(EXAMPLES)
