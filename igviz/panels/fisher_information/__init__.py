"""Panels of lecture 02: the Fisher information, what it is and what is lost of it."""

from igviz.panels.fisher_information.bins import bins as bins
from igviz.panels.fisher_information.breaks import breaks as breaks
from igviz.panels.fisher_information.curvature import curvature as curvature
from igviz.panels.fisher_information.matrices import four_matrices as four_matrices
from igviz.panels.fisher_information.score import score as score
