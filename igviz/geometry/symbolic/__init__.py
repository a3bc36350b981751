"""Information geometry in SymPy: densities, Fisher matrices, curvature and Taylor series, all derived."""

from igviz.geometry.symbolic.coordinates import change_coordinates
from igviz.geometry.symbolic.densities import Density
from igviz.geometry.symbolic.derived import Derived
from igviz.geometry.symbolic.exponential import SymbolicExponentialFamily, exponential_family
from igviz.geometry.symbolic.families import density
from igviz.geometry.symbolic.four_ways import FourWays, fisher_four_ways
from igviz.geometry.symbolic.riemann import (
    christoffel_symbols,
    gaussian_curvature,
    geodesic_equations,
    riemann_tensor,
    scalar_curvature,
    sectional_curvature,
)
from igviz.geometry.symbolic.taylor import TaylorSeries, taylor_divergence

__all__ = [
    "Density",
    "Derived",
    "FourWays",
    "SymbolicExponentialFamily",
    "TaylorSeries",
    "change_coordinates",
    "christoffel_symbols",
    "density",
    "exponential_family",
    "fisher_four_ways",
    "gaussian_curvature",
    "geodesic_equations",
    "riemann_tensor",
    "scalar_curvature",
    "sectional_curvature",
    "taylor_divergence",
]
