"""Information geometry in SymPy: densities, Fisher matrices, geodesics and curvature, all derived."""

from igviz.geometry.symbolic.densities import Density
from igviz.geometry.symbolic.derived import Derived
from igviz.geometry.symbolic.exponential import SymbolicExponentialFamily, exponential_family
from igviz.geometry.symbolic.families import density
from igviz.geometry.symbolic.four_ways import FourWays, fisher_four_ways
from igviz.geometry.symbolic.riemann import (
    christoffel_symbols,
    gaussian_curvature,
    geodesic_equations,
    sectional_curvature,
)

__all__ = [
    "Density",
    "Derived",
    "FourWays",
    "SymbolicExponentialFamily",
    "christoffel_symbols",
    "density",
    "exponential_family",
    "fisher_four_ways",
    "gaussian_curvature",
    "geodesic_equations",
    "sectional_curvature",
]
