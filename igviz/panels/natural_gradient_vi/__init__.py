"""Panels of lecture 05: natural-gradient variational inference."""

from igviz.panels.natural_gradient_vi.invariance import invariance as invariance
from igviz.panels.natural_gradient_vi.one_step import one_step as one_step
from igviz.panels.natural_gradient_vi.race import race as race
