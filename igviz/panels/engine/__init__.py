"""The slider engine: a drawing function that returns a sentence becomes a panel that answers at once."""

from igviz.panels.engine.panel import Panel, panel, projector
from igviz.panels.engine.prediction import Prediction
from igviz.panels.engine.sliders import Slider
from igviz.panels.engine.work import StoppedError, Work

__all__ = ["Panel", "Prediction", "Slider", "StoppedError", "Work", "panel", "projector"]
