"""Panels of lecture 01: a family of distributions is a surface."""

from igviz.panels.manifold_intuition.charts import charts as charts
from igviz.panels.manifold_intuition.efficiency import efficiency as efficiency
from igviz.panels.manifold_intuition.hypotheses import hypotheses as hypotheses
from igviz.panels.manifold_intuition.paths import shortest_path as shortest_path
from igviz.panels.manifold_intuition.paths import three_geodesics as three_geodesics
from igviz.panels.manifold_intuition.points import point as point
from igviz.panels.manifold_intuition.simplex import simplex_and_sphere as simplex_and_sphere
