"""The cubic tensor of exponential families, in any chart.

Amari's connections Γ^(α) = Γ^(0) − (α/2)·T differ by it: the exponential one (α = 1, natural coordinates are
straight), the mixture one (α = −1, expectation coordinates are straight), and between them the Levi-Civita
connection of the Fisher metric (α = 0). Γ^(α) and Γ^(−α) are dual: ∂ₐg_bc = Γ^(α)_ab,c + Γ^(−α)_ac,b.

References
----------
Amari, S. (2016). Information Geometry and Its Applications, chapter 6.
Chentsov, N. N. (1982). Statistical Decision Rules and Optimal Inference, section 12.
"""

from __future__ import annotations

import numpy as np

from igviz.geometry.families.exponential_family import ExponentialFamily


def cubic_tensor(p: ExponentialFamily, chart: str = "natural") -> np.ndarray:
    """Return the cubic tensor T_abc = E[s_a·s_b·s_c] of the score s in a chart.

    In the natural chart it is ∂³A, the third cumulant of the sufficient statistics; other charts have it by
    the Jacobian, as it is a tensor. It is what tells the two KL divergences apart in third order: with steps
    in natural coordinates KL(p‖q) has ⅙·T and KL(q‖p) has ⅓·T.

    Parameters
    ----------
    p : distributions of an exponential family
        One or a grid.
    chart : {"natural", "expectation", "source"}
        The coordinates of the score.

    Returns
    -------
    numpy.ndarray
        Shape (..., k, k, k), symmetric in all three indices.

    Raises
    ------
    TypeError
        If p is not of an exponential family.
    ValueError
        If the chart is unknown, or a distribution has no natural coordinates.
    """
    if not isinstance(p, ExponentialFamily):
        raise TypeError(f"cubic_tensor: p must be of an exponential family such as igviz.Normal, got {p!r}")
    p.require_chart("cubic_tensor", chart)
    natural = p.third_cumulant()
    if chart == "natural":
        return natural
    turn = p.jacobian("natural", chart)
    return np.einsum("...ijk,...ia,...jb,...kc->...abc", natural, turn, turn, turn, optimize=True)
