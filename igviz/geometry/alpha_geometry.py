"""The cubic tensor and Amari's α-connections of exponential families, in any chart.

The connections Γ^(α) = Γ^(0) − (α/2)·T join the exponential one (α = 1, natural coordinates are straight) to
the mixture one (α = −1, expectation coordinates are straight) through the Levi-Civita connection of the
Fisher metric (α = 0). Γ^(α) and Γ^(−α) are dual: ∂ₐg_bc = Γ^(α)_ab,c + Γ^(−α)_ac,b.

References
----------
Amari, S. (2016). Information Geometry and Its Applications, chapter 6.
Chentsov, N. N. (1982). Statistical Decision Rules and Optimal Inference, section 12.
"""

from __future__ import annotations

import numpy as np

from igviz.geometry.differences import gradient
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.fisher import _natural_scale


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
    _require("cubic_tensor", p, chart)
    natural = p.third_cumulant()
    if chart == "natural":
        return natural
    turn = p.jacobian("natural", chart)
    return np.einsum("...ijk,...ia,...jb,...kc->...abc", natural, turn, turn, turn, optimize=True)


def alpha_connection(p: ExponentialFamily, alpha: float, chart: str = "natural") -> np.ndarray:
    """Return the coefficients of the α-connection, with all indices below.

    Γ^(α)_ab,c is the inner product of ∇ₐ∂_b with ∂_c. It is (1 − α)/2·T_abc in natural coordinates and
    −(1 + α)/2·T_abc in expectation coordinates. A connection is no tensor: another chart adds the bend of its
    coordinates.

    Parameters
    ----------
    p : distributions of an exponential family
        One or a grid.
    alpha : float
        1 is exponential, −1 mixture, 0 the Levi-Civita connection of the Fisher metric.
    chart : {"natural", "expectation", "source"}
        The coordinates.

    Returns
    -------
    numpy.ndarray
        Shape (..., a, b, c), symmetric in a and b. Raise c by the inverse Fisher matrix of the chart for the
        symbols of the second kind. In the source chart second derivatives of the natural coordinates are
        differences of eighth order, right to about 1e-10; the other two are exact.

    Raises
    ------
    TypeError
        If p is not of an exponential family.
    ValueError
        If the chart is unknown, alpha not finite, or a distribution has no natural coordinates.
    """
    _require("alpha_connection", p, chart)
    if not np.isfinite(alpha):
        raise ValueError(f"alpha_connection: alpha must be a finite number, got {alpha!r}")
    cubic = cubic_tensor(p, chart)
    if chart != "source":
        return (0.5 * (1.0 - alpha) if chart == "natural" else -0.5 * (1.0 + alpha)) * cubic
    family, turn = type(p), p.jacobian("natural", chart)
    by_natural = gradient(lambda x: family.from_natural(x)._natural_by(chart), p.natural, _natural_scale(p))
    bend = np.einsum("...ibl,...la->...abi", by_natural, turn)
    bend = 0.5 * (bend + np.swapaxes(bend, -3, -2))
    exponential = np.einsum("...abi,...ij,...jc->...abc", bend, p.fisher("natural"), turn)
    return exponential + 0.5 * (1.0 - alpha) * cubic


def _require(where: str, p: object, chart: str) -> None:
    if not isinstance(p, ExponentialFamily):
        raise TypeError(f"{where}: p must be of an exponential family such as igviz.Normal, got {p!r}")
    p._require_chart(where, chart)
