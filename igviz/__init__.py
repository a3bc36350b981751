"""igviz: information geometry for variational inference as something you can move.

``import igviz as ig`` is light: every public name below is loaded on first use, so the numerical core
never pays for the pictures and the pictures never pay for the widgets.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# public name -> the module that defines it
_HOME = {
    "Bernoulli": "igviz.geometry.families.bernoulli",
    "ExponentialFamily": "igviz.geometry.families.exponential_family",
    "Normal": "igviz.geometry.families.normal",
    "fisher_rao_distance": "igviz.geometry.distances",
    "geodesic": "igviz.geometry.geodesics",
    "Prediction": "igviz.panels.engine",
    "Slider": "igviz.panels.engine",
    "Work": "igviz.panels.engine",
    "panel": "igviz.panels.engine",
    "projector": "igviz.panels.engine",
    "check_environment": "igviz.environment",
}
_MODULES = ("geometry", "panels", "plots")

__all__ = sorted([*_HOME, *_MODULES])

if TYPE_CHECKING:
    from igviz import geometry, panels, plots
    from igviz.environment import check_environment
    from igviz.geometry.distances import fisher_rao_distance
    from igviz.geometry.families.bernoulli import Bernoulli
    from igviz.geometry.families.exponential_family import ExponentialFamily
    from igviz.geometry.families.normal import Normal
    from igviz.geometry.geodesics import geodesic
    from igviz.panels.engine import Prediction, Slider, Work, panel, projector


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value = importlib.import_module(f"igviz.{name}")
    elif name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"igviz has no name {name!r}; the names are: {', '.join(__all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
