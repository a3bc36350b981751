"""Chernoff information: how fast the error of telling two distributions apart falls with the data."""

from __future__ import annotations

from typing import Literal, TypeVar, overload

import numpy as np

from igviz.geometry.families.exponential_family import ExponentialFamily

Family = TypeVar("Family", bound=ExponentialFamily)

_STEPS = 200


@overload
def chernoff_information(p: Family, q: Family, return_weight: Literal[False] = False) -> np.ndarray: ...
@overload
def chernoff_information(
    p: Family, q: Family, return_weight: Literal[True]
) -> tuple[np.ndarray, np.ndarray]: ...
def chernoff_information(
    p: Family, q: Family, return_weight: bool = False
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Return the Chernoff information of p and q in nats, symmetric in the two.

    C = max over t in [0, 1] of −log ∫ p^(1−t)·q^t dx
      = max of (1 − t)·A(η_p) + t·A(η_q) − A((1 − t)·η_p + t·η_q).

    Between two hypotheses with n independent observations the least probability of error falls as exp(−n·C),
    up to a factor of about 1/√n. With r the point of the e-geodesic at the maximum, KL(r‖p) = KL(r‖q) = C.
    For near points C ≈ distance²/8 ≈ KL/4; for two normals of one standard deviation it is
    (Δmean)²/(8·std²).

    Parameters
    ----------
    p, q : distributions of one exponential family
        Their grids broadcast.
    return_weight : bool
        Whether to return the maximising t too.

    Returns
    -------
    information : numpy.ndarray
        Of the broadcast shape. inf where no outcome is possible under both.
    weight : numpy.ndarray
        Only with `return_weight`: the maximising t; ½ for equal points, nan where the information is inf.
        Where a zero probability leaves no maximum inside (0, 1) it is 0 or 1, and the limit of the integral
        counts. Less exact than the information, which does not feel a small error of it: to about 1e-15 over
        the separation of the points.

    Raises
    ------
    TypeError
        If p and q are not distributions of one exponential family.
    ValueError
        If their grids do not broadcast.
    ArithmeticError
        If the maximum is not found, as may happen where divergences overflow.

    Notes
    -----
    At each t the objective is the minimum over r of (1 − t)·KL(r‖p) + t·KL(r‖q), reached on the e-geodesic.
    It is evaluated in this form, a sum of non-negative terms whose derivative in t is KL(r‖q) − KL(r‖p): no
    large log-partitions are subtracted, and an error of r or t enters squared.

    References
    ----------
    Nielsen, F. (2013). An information-geometric characterization of Chernoff information.
    """
    if not isinstance(p, ExponentialFamily):
        raise TypeError(
            f"chernoff_information: p must be of an exponential family such as igviz.Normal, got {p!r}"
        )
    p.require_same_family("chernoff_information", q)
    shape = np.broadcast_shapes(p.shape, q.shape)
    overlap = np.broadcast_to(p.overlaps(q), shape)
    information, weight = np.full(shape, np.inf), np.full(shape, np.nan)
    if np.any(overlap):
        # a list of the pairs that have something in common
        start, end = (r.broadcast_to(shape)[overlap if shape else None] for r in (p, q))
        t = _balance(start, end)
        point = start.straight_point(end, t, "natural")
        information[overlap] = (1.0 - t) * point.kl(start) + t * point.kl(end)
        weight[overlap] = t
    return (information[()], weight[()]) if return_weight else information[()]


def _balance(p: Family, q: Family) -> np.ndarray:
    """Return t in [0, 1] with KL(r‖p) = KL(r‖q) on the e-geodesic, for a list of pairs.

    The difference of the two rises with t. False position in the manner of Anderson and Björck, with a
    bisection whenever the bracket has not halved in three steps.
    """

    def difference(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        point = p.straight_point(q, t, "natural")
        to_start, to_end = point.kl(p), point.kl(q)
        return to_start - to_end, to_start + to_end

    # the root lies between `latest` and `other`
    other, latest = np.zeros(p.shape), np.ones(p.shape)
    other_value, latest_value = difference(other)[0], difference(latest)[0]
    # where a probability is zero the maximum may lie at an end, and for equal points anywhere
    result = np.where(other_value >= 0.0, np.where(latest_value <= 0.0, 0.5, 0.0), 1.0)
    settled = (other_value >= 0.0) | (latest_value <= 0.0)
    before = np.ones(p.shape)
    for step in range(_STEPS):
        width = latest - other
        with np.errstate(all="ignore"):
            t = latest - latest_value * (width / (latest_value - other_value))
        middle = 0.5 * (latest + other)
        bisect = ~(np.abs(t - middle) < 0.5 * np.abs(width))
        if step % 3 == 0:
            bisect |= np.abs(width) > 0.5 * before
            before = np.abs(width) * np.where(bisect, 0.5, 1.0)
        t = np.where(bisect, middle, t)
        value, scale = difference(t)
        # the rounding of a near point is large against its divergence: relative to it, as its square root
        noise = 4e-16 * np.maximum(scale, np.sqrt(scale))
        done = (np.abs(value) <= noise) | (np.abs(width) <= 1e-15)
        result = np.where(done & ~settled, t, result)
        settled |= done
        if np.all(settled):
            return result
        crossed = (value > 0.0) != (latest_value > 0.0)
        # the value of an end that is kept again is shrunk, else false position would crawl
        with np.errstate(all="ignore"):
            shrink = 1.0 - value / latest_value
        shrink = np.where(shrink > 0.0, shrink, 0.5)
        other_value = np.where(crossed, latest_value, shrink * other_value)
        other = np.where(crossed, latest, other)
        latest, latest_value = t, value
    raise ArithmeticError(f"chernoff_information: not settled in {_STEPS} steps")
