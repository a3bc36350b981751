"""Divergences between distributions of one family, vectorised over grids, with their digits up close.

KL(p‖q) = E_p[log p − log q] itself is the method `p.kl(q)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry import exponential_alpha
from igviz.geometry.alpha_shares import alpha_share, alpha_share_of_logarithms
from igviz.geometry.families.bernoulli import Bernoulli
from igviz.geometry.families.categorical import Categorical
from igviz.geometry.families.distribution import Distribution
from igviz.geometry.families.laplace import Laplace
from igviz.geometry.families.location_scale import LocationScale
from igviz.geometry.families.logistic import Logistic
from igviz.geometry.families.poisson import Poisson
from igviz.geometry.families.student_t import StudentT
from igviz.geometry.numerics import as_numbers
from igviz.geometry.pair_integrals import pairs, total

Family = TypeVar("Family", bound=Distribution)


def alpha_divergence(p: Family, q: Family, alpha: ArrayLike) -> np.ndarray:
    """Return Amari's α-divergence D^(α)(p, q) = 4/(1 − α²)·(1 − ∫ p^((1 − α)/2)·q^((1 + α)/2)).

    - α = −1: its limit KL(p‖q) = E_p[log p − log q], in nats;
    - α = +1: its limit KL(q‖p) = E_q[log q − log p], in nats;
    - α = 0: 2·∫(√p − √q)² = 4·(1 − ∫√(p·q)), symmetric and at most 4;
    - α = −3: ½·χ²(p‖q) = ½·E_q[(p/q − 1)²], and α = 3: ½·χ²(q‖p).

    D^(α)(p, q) = D^(−α)(q, p). Whatever α, near points have ½·δᵀIδ.

    Parameters
    ----------
    p, q : distributions of one family
        An exponential family, or Cauchy, Laplace, Logistic or StudentT.
    alpha : array_like
        Finite numbers; they broadcast with the grids of p and q.

    Returns
    -------
    numpy.ndarray
        Non-negative, of the broadcast shape. inf where the divergence is infinite, as it may be for |α| ≥ 1:
        between normals if (1 − α)/std_p² + (1 + α)/std_q² ≤ 0; for α ≤ −1 if q, and for α ≥ 1 if p excludes
        what the other allows. inf also where it exceeds the largest float.

        For exponential families the relative error is about 1e-14; for points at a distance d below 1e-6 it
        is (1e-16/d)², next to α = ±1 over 1 − |α|. The others are integrated pair by pair, to about 1e-11,
        and near points lose digits: 1e-15/d is left.

    Raises
    ------
    TypeError
        If p and q are not distributions of one family.
    ValueError
        If alpha is not finite, or shapes do not broadcast.
    NotImplementedError
        If the family is none of these.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, chapters 3 and 4.
    """
    _require("alpha_divergence", p, q)
    order = as_numbers("alpha_divergence", "alpha", alpha)
    if not np.all(np.isfinite(order)):
        raise ValueError(f"alpha_divergence: alpha must be finite, got {alpha!r}")
    try:
        shape = np.broadcast_shapes(p.shape, q.shape, order.shape)
    except ValueError:
        raise ValueError(
            f"alpha_divergence: alpha of shape {order.shape} must broadcast with grids of shapes "
            f"{p.shape} and {q.shape}"
        ) from None
    return _alpha_divergence(p, q, order, shape)


def bregman_divergence(
    function: Callable[[np.ndarray], ArrayLike],
    gradient: Callable[[np.ndarray], ArrayLike],
    x: ArrayLike,
    y: ArrayLike,
) -> np.ndarray:
    """Return the Bregman divergence B_F(x, y) = F(x) − F(y) − ∇F(y)·(x − y): F above its tangent at y.

    With the log-partition A of an exponential family KL(p_η‖p_η′) = B_A(η′, η): the arguments are exchanged.
    With the dual function, the negative entropy A*(μ̄) of expectation coordinates, they are not:
    KL(p‖q) = B_A*(μ̄_p, μ̄_q).

    Parameters
    ----------
    function, gradient : callable
        F, convex, maps points (..., k) to values (...); ∇F maps them to (..., k).
    x, y : array_like
        Points, shape (..., k), that broadcast.

    Returns
    -------
    numpy.ndarray
        Shape (...). The formula as it stands: near points lose digits.

    Raises
    ------
    ValueError
        If the points are not arrays of one length k, or the functions return other shapes.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, chapter 1.
    """
    first, second = (as_numbers("bregman_divergence", name, value) for name, value in (("x", x), ("y", y)))
    if first.ndim == 0 or second.ndim == 0 or first.shape[-1] != second.shape[-1]:
        raise ValueError(
            f"bregman_divergence: x and y must have shapes (..., k), got {first.shape} and {second.shape}"
        )
    slope = np.asarray(gradient(second), dtype=np.float64)
    if slope.shape != second.shape:
        raise ValueError(
            f"bregman_divergence: gradient must return the shape of its points, {second.shape}, "
            f"got {slope.shape}"
        )
    values = []
    for point in (first, second):
        value = np.asarray(function(point), dtype=np.float64)
        if value.shape != point.shape[:-1]:
            raise ValueError(
                f"bregman_divergence: function must return shape {point.shape[:-1]} for points of shape "
                f"{point.shape}, got {value.shape}"
            )
        values.append(value)
    return (values[0] - values[1] - np.sum(slope * (first - second), axis=-1))[()]


def _require(where: str, p: object, q: object) -> None:
    if not isinstance(p, Distribution):
        raise TypeError(f"{where}: p must be a distribution such as igviz.Normal, got {p!r}")
    p.require_same_family(where, q)


def _alpha_divergence(p: Any, q: Any, alpha: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the α-divergence in the form that the family has."""
    if isinstance(p, Bernoulli):
        # the difference of the complements is known exactly, though the complements are rounded
        a, b = p.probability, q.probability
        return alpha_share(a, b, alpha) + alpha_share(1.0 - a, 1.0 - b, alpha, difference=a - b)
    if isinstance(p, Categorical):
        return np.sum(alpha_share(p.probabilities, q.probabilities, alpha[..., None]), axis=-1)
    if isinstance(p, Poisson):
        return _poisson(alpha_share(p.rate, q.rate, alpha), alpha)
    if type(p) in exponential_alpha.SUPPORTED:
        every = np.ones(shape, dtype=bool) if shape else None
        start, end = p.broadcast_to(shape)[every], q.broadcast_to(shape)[every]
        orders = np.broadcast_to(alpha, shape).ravel()
        return exponential_alpha.exponential_alpha_divergence(start, end, orders).reshape(shape)[()]
    if isinstance(p, LocationScale):
        return _by_quadrature(p, q, alpha)
    raise NotImplementedError(f"alpha_divergence: no form for {p.family_name()}")


def _poisson(share: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return (1 − exp(−w·share))/w with w = (1 − α²)/4: the rates' share is −log of the integral over w."""
    weight = 0.25 * (1.0 - alpha) * (1.0 + alpha)
    with np.errstate(over="ignore"):
        value = -np.expm1(-weight * share) / np.where(weight == 0.0, 1.0, weight)
    return np.where(weight == 0.0, share, value)[()]


def _by_quadrature(p: Any, q: Any, alpha: np.ndarray) -> np.ndarray:
    """Integrate the shares of location–scale families, pair by pair."""
    shape, all_pairs = pairs(p, q, alpha)
    results = []
    for one, other, order in all_pairs:
        if order in (-1.0, 1.0):
            results.append(one.kl(other) if order < 0.0 else other.kl(one))
        elif not _has_light_tails(one, other, order):
            results.append(np.inf)
        else:

            def share(log_p: np.ndarray, log_q: np.ndarray, order: np.ndarray = order) -> np.ndarray:
                gone = np.isneginf(log_p) | np.isneginf(log_q)
                logarithm = np.where(gone, 0.0, log_q - log_p)
                return np.where(gone, 0.0, alpha_share_of_logarithms(log_p, logarithm, order))

            results.append(total("alpha_divergence", share, one, other))
    return np.array(results).reshape(shape)[()]


def _has_light_tails(p: Any, q: Any, alpha: float) -> bool:
    """Whether the tails of p^((1 − α)/2)·q^((1 + α)/2) have a finite integral."""
    if isinstance(p, Laplace | Logistic):
        # the logarithms of the tails fall like 1/scale
        rates = 1.0 / p.scale, 1.0 / q.scale
    elif isinstance(p, StudentT):
        rates = p.degrees_of_freedom, q.degrees_of_freedom
    else:
        return True
    back, ahead = (1.0 - alpha) * rates[0], (1.0 + alpha) * rates[1]
    return bool(back + ahead > 1e-15 * (abs(back) + abs(ahead)))
