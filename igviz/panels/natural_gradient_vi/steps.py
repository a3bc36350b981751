"""One step of an ascent in a chart of the normal distributions, along either gradient."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.normal import Normal
from igviz.geometry.normal_charts import NORMAL_CHARTS


def natural_gradient(p: Normal, slope: np.ndarray) -> np.ndarray:
    """Return I⁻¹∇L in (mean, std), shape (2,), from the gradient ∇L in (mean, std)."""
    return p.std**2 * slope * np.array([1.0, 0.5])


def natural_step(p: Normal, slope: np.ndarray, chart: str, size: ArrayLike) -> np.ndarray:
    """Return (mean, std) after x ← x + size·I⁻¹∇L, taken in the coordinates x of a chart.

    The vector is the same in all charts, v in (mean, std) and J·v with the Jacobian J elsewhere; the straight
    lines along it are not.

    Parameters
    ----------
    p : Normal
        Where the step starts, one distribution.
    slope : numpy.ndarray
        The gradient of L at p in (mean, std), shape (2,).
    chart : str
        One of `igviz.geometry.normal_charts.NORMAL_CHARTS`.
    size : array_like
        Sizes of the step, shape (...).

    Returns
    -------
    numpy.ndarray
        Shape (..., 2); nan where the coordinates are those of no distribution.
    """
    one = NORMAL_CHARTS[chart]
    return _landing(p, one.jacobian(p) @ natural_gradient(p, slope), chart, size)


def plain_step(p: Normal, slope: np.ndarray, chart: str, size: ArrayLike) -> np.ndarray:
    """Return (mean, std) after x ← x + size·∂L/∂x in the coordinates x of a chart; see `natural_step`."""
    return _landing(p, NORMAL_CHARTS[chart].gradient(p, slope), chart, size)


def leaves(p: Normal, slope: np.ndarray, chart: str) -> float:
    """Return the size of the natural-gradient step in a chart that leaves the distributions, or inf.

    The arguments are those of `natural_step`.
    """
    one = NORMAL_CHARTS[chart]
    start, way = one.coordinates(p), one.jacobian(p) @ natural_gradient(p, slope)
    if chart == "(mean, log std)":
        return np.inf
    if chart == "natural":  # the precision −2η₂
        bound = [-start[1], -way[1], 0.0]
    elif chart == "expectation":  # the variance m₂ − m₁²
        bound = [float(p.std) ** 2, way[1] - 2.0 * start[0] * way[0], -(way[0] ** 2)]
    else:
        bound = [start[1], way[1], 0.0]
    # all roots are real: the bound is positive at 0 and no parabola that opens upwards
    roots = np.polynomial.Polynomial(bound).trim().roots().real
    return float(np.min(roots[roots > 0.0], initial=np.inf))


def _landing(p: Normal, way: np.ndarray, chart: str, size: ArrayLike) -> np.ndarray:
    one = NORMAL_CHARTS[chart]
    return one.to_source(one.coordinates(p) + np.asarray(size, dtype=float)[..., None] * way)
