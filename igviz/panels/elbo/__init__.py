"""Panels of lecture 04: the evidence lower bound."""

from igviz.panels.elbo.estimators import estimators as estimators
from igviz.panels.elbo.importance_weighted import importance_weighted as importance_weighted
from igviz.panels.elbo.landscape import landscape as landscape
from igviz.panels.elbo.mean_field import mean_field as mean_field
from igviz.panels.elbo.two_projections import two_projections as two_projections
