"""Information geometry in SymPy: densities, Fisher matrices, curvature and Taylor series, all derived."""

from igviz.geometry.symbolic.density import Density
from igviz.geometry.symbolic.derived import Derived
from igviz.geometry.symbolic.exponential import SymbolicExponentialFamily, exponential_family
from igviz.geometry.symbolic.families import density

__all__ = ["Density", "Derived", "SymbolicExponentialFamily", "density", "exponential_family"]
