"""Projections onto submanifolds of an exponential family, and the theorem of Pythagoras for divergences.

The m-projection of p minimises KL(p‖q) over the q of a submanifold: the m-geodesic from p to q, straight in
expectation coordinates, meets the submanifold at a right angle. The e-projection minimises KL(q‖p), and its
right angle is one of e-geodesics. Each is unique on submanifolds that are flat in the other sense: there the
divergence is a convex function of the coordinates in which the submanifold is straight. Variational inference
projects by KL(q‖p) onto e-flat families: no uniqueness, hence local optima.

References
----------
Amari, S. (2016). Information Geometry and Its Applications, sections 1.6 and 2.4.
Csiszár, I. (1975). I-divergence geometry of probability distributions and minimization problems.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from igviz.geometry import differences
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.newton import minimise
from igviz.geometry.numerics import as_numbers
from igviz.geometry.submanifolds import Curve, FlatSubmanifold

Family = TypeVar("Family", bound=ExponentialFamily)

# a projection whose gradient, in the Fisher norm, stays above this has not been found
_OPTIMAL = 1e-9
_PLACES = 257  # of a curve at which a minimum is looked for


def m_projection(
    p: Family, submanifold: FlatSubmanifold[Family] | Curve[Family], start: ArrayLike | None = None
) -> Family:
    """Return argmin KL(p‖q) over the q of a submanifold: the m-projection of p.

    On an e-flat submanifold it is unique, and there the statistics t have E_q[t] = E_p[t] along the
    directions: moment matching. On an m-flat one or a curve there may be several minima; the lowest
    that is found from two starts, or on a dense grid of the curve, is returned.

    Parameters
    ----------
    p : distribution
        One distribution of an exponential family. Zero probabilities are allowed.
    submanifold : FlatSubmanifold or Curve
        Of the same family.
    start : array_like, optional
        Weights of the directions of a FlatSubmanifold, shape (m,): where the search starts. Then the minimum
        is returned to which this start leads, whether or not there is a lower one.

    Returns
    -------
    distribution
        At flat submanifolds the gradient of the divergence vanishes to about 1e-14 in the Fisher norm; a
        curve's time is right to about 1e-12, and its first and last point count.

    Raises
    ------
    TypeError
        If p is not of the family of the submanifold.
    ValueError
        If p is a grid, or start has another shape or is not in the family.
    ArithmeticError
        If no minimum is found: it may lie at infinity or on the boundary of the family.
    """
    return _project("m_projection", p, submanifold, start)


def e_projection(
    p: Family, submanifold: FlatSubmanifold[Family] | Curve[Family], start: ArrayLike | None = None
) -> Family:
    """Return argmin KL(q‖p) over the q of a submanifold: the e-projection of p.

    On an m-flat submanifold it is unique, and there η_q − η_p is at right angles to the directions. On an
    e-flat one, as in variational inference, or a curve there may be several minima; the lowest that is found
    from two starts, or on a dense grid of the curve, is returned.

    Parameters
    ----------
    p : distribution
        One distribution of an exponential family, with natural coordinates.
    submanifold : FlatSubmanifold or Curve
        Of the same family.
    start : array_like, optional
        As for `m_projection`.

    Returns
    -------
    distribution
        As exact as `m_projection`.

    Raises
    ------
    TypeError
        If p is not of the family of the submanifold.
    ValueError
        If p is a grid or has no natural coordinates, or start has another shape or is not in the family.
    ArithmeticError
        If no minimum is found: it may lie at infinity or on the boundary of the family.
    """
    return _project("e_projection", p, submanifold, start)


def pythagorean_residual(p: Family, q: Family, r: Family) -> np.ndarray:
    """Return KL(p‖r) − KL(p‖q) − KL(q‖r) in nats, as the inner product (μ̄_p − μ̄_q)·(η_q − η_r).

    It is 0, and the theorem of Pythagoras holds, if and only if the m-geodesic from p to q and the
    e-geodesic from q to r are at right angles: for the m-projection q of p onto an e-flat submanifold that
    holds r, and for the e-projection q of r onto an m-flat submanifold that holds p.

    Parameters
    ----------
    p, q, r : distributions of one exponential family
        Their grids broadcast.

    Returns
    -------
    numpy.ndarray
        Of the broadcast shape, of either sign.

    Raises
    ------
    TypeError
        If the three are not of one exponential family.
    ValueError
        If q or r has no natural coordinates.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, theorem 1.2.
    """
    _require_family("pythagorean_residual", p)
    p.require_same_family("pythagorean_residual", q)
    q.require_same_family("pythagorean_residual", r)
    return np.sum((p.expectation - q.expectation) * (q.natural - r.natural), axis=-1)[()]


def _require_family(where: str, p: object) -> None:
    if not isinstance(p, ExponentialFamily):
        raise TypeError(f"{where}: p must be of an exponential family such as igviz.Normal, got {p!r}")


def _project(
    where: str, p: Family, submanifold: FlatSubmanifold[Family] | Curve[Family], start: ArrayLike | None
) -> Family:
    _require_family(where, p)
    if p.shape != ():
        raise ValueError(f"{where}: p must be one distribution, got a grid of shape {p.shape}")
    if isinstance(submanifold, FlatSubmanifold):
        p.require_same_family(where, submanifold.point)
        if start is None:
            return _onto_flat(where, p, submanifold)
        weights = as_numbers(where, "start", start)
        if weights.shape != (submanifold.dimension,):
            raise ValueError(
                f"{where}: start must have shape ({submanifold.dimension},), got shape {weights.shape}"
            )
        submanifold(weights)  # raises where there is no distribution
        return _onto_flat(where, p, submanifold, weights)
    if isinstance(submanifold, Curve):
        p.require_same_family(where, submanifold(submanifold.low))
        return _onto_curve(where, p, submanifold)
    raise TypeError(f"{where}: submanifold must be a FlatSubmanifold or a Curve, got {submanifold!r}")


def _slopes(where: str, p: Family, q: Family, chart: str) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient and Hessian, in a dual chart of q, of KL(p‖q) or KL(q‖p).

    KL(p‖q) has the gradient μ̄_q − μ̄_p in natural and I·(μ̄_q − μ̄_p) in expectation coordinates, where I is
    the Fisher matrix there; KL(q‖p) has η_q − η_p in expectation and I·(η_q − η_p) in natural coordinates.
    The derivative of I is the cubic tensor T in natural coordinates and −T in expectation coordinates.
    """
    mixture = where == "m_projection"
    gap = q.expectation - p.expectation if mixture else q.natural - p.natural
    metric = q.fisher(chart)
    if mixture == (chart == "natural"):
        return gap, metric
    cubic = q.third_cumulant()
    if chart == "natural":
        return metric @ gap, metric + cubic @ gap
    carried = np.einsum("ijk,ia,jb,kc->abc", cubic, metric, metric, metric)
    return metric @ gap, metric - carried @ gap


def _onto_flat(
    where: str, p: Family, flat: FlatSubmanifold[Family], start: np.ndarray | None = None
) -> Family:
    directions = flat.directions

    def value(weights: np.ndarray) -> float:
        try:
            q = flat(weights)
        except ValueError:  # outside the family
            return np.inf
        return float(p.kl(q) if where == "m_projection" else q.kl(p))

    def slopes(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        q = flat(weights)
        gradient, hessian = _slopes(where, p, q, flat.chart)
        metric = directions @ q.fisher(flat.chart) @ directions.T
        return directions @ gradient, directions @ hessian @ directions.T, metric

    found = [minimise(value, slopes, np.zeros(flat.dimension) if start is None else start)]
    if start is None and (where == "m_projection") != (flat.chart == "natural"):
        # not convex: the other projection, which is unique, is a second place to start from
        other = "e_projection" if where == "m_projection" else "m_projection"
        try:
            nearby = _onto_flat(other, p, flat).coordinates(flat.chart) - flat.point.coordinates(flat.chart)
            found.append(minimise(value, slopes, np.linalg.lstsq(directions.T, nearby, rcond=None)[0]))
        except (ArithmeticError, ValueError):
            pass  # it need not exist
    settled = [result for result in found if result.residual <= _OPTIMAL]
    if not settled:
        raise ArithmeticError(f"{where}: no minimum was found inside the family for {p!r}")
    return flat(min(settled, key=lambda result: result.value).x)


def _onto_curve(where: str, p: Family, curve: Curve[Family]) -> Family:
    def value(t: np.ndarray) -> np.ndarray:
        q = curve(t)
        return p.kl(q) if where == "m_projection" else q.kl(p)

    times = np.linspace(curve.low, curve.high, _PLACES)
    values = value(times)
    least = int(np.argmin(values))
    if least in (0, _PLACES - 1):
        return curve(times[least])
    width = times[1] - times[0]

    def slope(t: float) -> float:
        q = curve(np.asarray(t))
        velocity = differences.gradient(_coordinates(curve), np.array([t]), np.array([width]))[..., 0]
        return float(_slopes(where, p, q, "natural")[0] @ velocity)

    low, high = (_bracket(slope, times[least], sign * width) for sign in (-1.0, 1.0))
    return curve(np.asarray(brentq(slope, low, high, xtol=1e-300, rtol=1e-15)))


def _coordinates(curve: Curve[Family]) -> Callable[[np.ndarray], np.ndarray]:
    """Return the natural coordinates as a function of times, shape (..., 1)."""
    return lambda t: curve(t[..., 0]).natural


def _bracket(slope: Callable[[float], float], centre: float, reach: float) -> float:
    """Return a time on one side of a minimum, at which the divergence rises away from it."""
    # short of the neighbour on the grid, so that differences stay within the interval
    for part in (0.5, 0.9):
        if slope(centre + part * reach) * reach > 0.0:
            return centre + part * reach
    raise ArithmeticError("the curve is too rough for its projection to be found")
