"""Panels of lecture 03: the KL divergence, and half the squared ruler that it is up close."""

from igviz.panels.kl_quadratic_approximation.divergences import divergences as divergences
from igviz.panels.kl_quadratic_approximation.kl_balls import kl_balls as kl_balls
from igviz.panels.kl_quadratic_approximation.order_of_error import order_of_error as order_of_error
from igviz.panels.kl_quadratic_approximation.pythagoras import pythagoras as pythagoras
from igviz.panels.kl_quadratic_approximation.steepest_ascent import steepest_ascent as steepest_ascent
