"""Integrals and sums over one observation of what depends on two densities, one pair at a time.

The integrand is given the logarithms of both densities. Integrals over a line are cut at the centres of the
two densities, next to which every scale is resolved, and where the densities are equal, where a function of
their ratio may have a kink.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import special
from scipy.optimize import brentq

from igviz.geometry.adaptive_quadrature import integrate
from igviz.geometry.families.bernoulli import Bernoulli
from igviz.geometry.families.beta import Beta
from igviz.geometry.families.categorical import Categorical
from igviz.geometry.families.distribution import Distribution
from igviz.geometry.families.exponential import Exponential
from igviz.geometry.families.gamma import Gamma
from igviz.geometry.families.location_scale import LocationScale
from igviz.geometry.families.normal import Normal
from igviz.geometry.families.poisson import Poisson

Integrand = Callable[[np.ndarray, np.ndarray], np.ndarray]

# places at which an integrand is tried before it is integrated, by their distance to a centre
_REACHES = np.exp(np.linspace(-30.0, 30.0, 241))
# what a tail that has come to its end may hold, against the largest part
_DECAYED = 1e-9
# log-densities above this may matter to an integral
VISIBLE = -31.0
_MOST_COUNTS = 10_000_000


class _Line(NamedTuple):
    """How to integrate over the observations of a pair, from `low` to infinity.

    Next to the centres the densities vary on any scale; `logarithms` gives both log-densities at points (n,).
    """

    low: float
    centres: list[float]
    logarithms: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def pairs(p: Any, q: Any, *others: np.ndarray) -> tuple[tuple[int, ...], list[tuple[Any, ...]]]:
    """Return the broadcast shape and one tuple (p, q, *others) for each of its points."""
    shape = np.broadcast_shapes(p.shape, q.shape, *(other.shape for other in others))
    p, q = p.broadcast_to(shape), q.broadcast_to(shape)
    values = [np.broadcast_to(other, shape) for other in others]
    return shape, [(p[i], q[i], *(value[i] for value in values)) for i in np.ndindex(shape)]


def total(where: str, integrand: Integrand, p: Distribution, q: Distribution) -> float:
    """Return the sum or integral over x of integrand(log p(x), log q(x)) for one p and one q.

    Returns
    -------
    float
        Right to about 1e-11 of the sum or integral of the absolute value; inf where an outcome has it or a
        tail grows without bound.

    Raises
    ------
    NotImplementedError
        If observations of the family are not single numbers.
    ArithmeticError
        If the integral is not settled, or the ratio of the densities is beyond the floats where it matters.
    """
    if isinstance(p, Bernoulli | Categorical):
        outcomes = np.arange(2.0 if isinstance(p, Bernoulli) else p.probabilities.shape[-1])
        with np.errstate(all="ignore"):
            return float(np.sum(integrand(p.log_prob(outcomes), q.log_prob(outcomes))))
    if isinstance(p, Poisson):
        return _count(where, integrand, p, q)
    return _integral(where, integrand, p, q)


def _count(where: str, integrand: Integrand, p: Distribution, q: Distribution) -> float:
    """Return the sum over the counts, up to where they add nothing more."""
    rates = np.concatenate([p.source, q.source])
    high = 2.0 * np.ceil(np.max(rates)) + 100.0
    while high < _MOST_COUNTS:
        counts = np.arange(high)
        logarithms = p.log_prob(counts), q.log_prob(counts)
        with np.errstate(all="ignore"):
            shares = np.asarray(integrand(*logarithms))
        known = np.isfinite(shares)
        if np.any(~known & (np.maximum(*logarithms) > VISIBLE)):
            raise ArithmeticError(f"{where}: the ratio of the probabilities is beyond the floats")
        # far out in both tails, where a ratio may overflow, nothing is left
        size = np.abs(shares if np.all(known) else shares[: int(np.argmin(known))])
        if np.sum(size[-20:]) <= 1e-17 * np.sum(size):
            return float(np.sum(shares[: size.size]))
        if not np.all(known):
            break
        high *= 2.0
    raise ArithmeticError(f"{where}: the sum over the counts does not settle for {p!r} and {q!r}")


def _integral(where: str, integrand: Integrand, p: Distribution, q: Distribution) -> float:
    """Return the integral over a line.

    Where the integrand is not finite it counts as 0, if it has become negligible on the way there.
    """
    line = _line(where, p, q)

    def at(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.asarray(integrand(*line.logarithms(x)), dtype=np.float64)

    x = _places(line)
    values = at(x)
    scale = _size(where, x, values, line)
    if not 0.0 < scale < np.inf:
        return scale

    def scaled(x: np.ndarray) -> np.ndarray:
        values = at(x)
        return np.where(np.isfinite(values), values / scale, 0.0)

    breaks = sorted({line.low, np.inf, *line.centres, *_crossings(line, x)})
    try:
        return float(scale * integrate(scaled, breaks)[0])
    except ArithmeticError:
        raise ArithmeticError(f"{where}: the integral does not converge for {p!r} and {q!r}") from None


def _line(where: str, p: Any, q: Any) -> _Line:
    if isinstance(p, Normal | LocationScale):
        # in units of p, so that digits of a location far from 0 are not lost
        (location, scale), (other, width) = p.source, q.source
        seen = q.with_coordinates([(other - location) / scale, width / scale])
        return _line_of(p.with_coordinates([0.0, 1.0]), seen, -np.inf, [0.0, float(seen.source[0])])
    if isinstance(p, Exponential):
        return _line_of(p, q, 0.0, [float(1.0 / r.rate) for r in (p, q)])
    if isinstance(p, Gamma):
        return _line_of(p, q, 0.0, [float(r.shape_parameter / r.rate) for r in (p, q)])
    if isinstance(p, Beta):
        return _Line(-np.inf, [_log_odds(r) for r in (p, q)], lambda y: (_at(p, y), _at(q, y)))
    raise NotImplementedError(f"{where}: not available for {type(p).__name__}, only for single numbers")


def _line_of(p: Distribution, q: Distribution, low: float, centres: list[float]) -> _Line:
    return _Line(low, centres, lambda x: (p.log_prob(x), q.log_prob(x)))


def _log_odds(r: Any) -> float:
    return float(np.log(r.a) - np.log(r.b))


def _at(r: Any, y: np.ndarray) -> np.ndarray:
    """Return the log-density of y = log(x/(1 − x)), which resolves both ends of (0, 1), for Beta."""
    return r.a * special.log_expit(y) + r.b * special.log_expit(-y) - r.log_partition()


def _places(line: _Line) -> np.ndarray:
    """Return increasing places inside the line, dense about the centres."""
    around = np.concatenate([c + sign * _REACHES for c in line.centres for sign in (1.0, -1.0)])
    if np.isfinite(line.low):
        around = np.concatenate([around, line.low + _REACHES])
    return np.unique(around[around > line.low])


def _size(where: str, x: np.ndarray, values: np.ndarray, line: _Line) -> float:
    """Return roughly the integral of |values|, or inf where they grow towards an end or an overflow."""
    finite = np.isfinite(values)
    beyond = f"{where}: the ratio of the densities is beyond the floats"
    if np.any(~finite & (np.maximum(*line.logarithms(x)) > VISIBLE)):
        raise ArithmeticError(beyond)
    # what a factor of e in the distance to a centre or an end holds
    marks = [mark for mark in (line.low, *line.centres) if np.isfinite(mark)]
    reach = np.min(np.abs(x[:, None] - np.array(marks)), axis=1)
    weights = np.where(finite, np.abs(values), 0.0) * reach
    most = float(np.max(weights))
    if most == 0.0:
        return 0.0
    for side, outwards in ((x >= max(line.centres), 1), (x <= min(line.centres), -1)):
        parts, known = weights[side][::outwards], finite[side][::outwards]
        end = int(np.argmin(known)) - 1 if not np.all(known) else parts.size - 1
        if parts[end] > 0.0 and parts[end] >= 0.5 * np.max(parts[: end + 1]):
            return np.inf
        if end < parts.size - 1 and parts[end] > _DECAYED * most:
            raise ArithmeticError(beyond)
    inner = np.where(finite, np.abs(values), 0.0)
    return float(np.sum(0.5 * (inner[1:] + inner[:-1]) * np.diff(x)))


def _crossings(line: _Line, x: np.ndarray) -> list[float]:
    """Return the places between x at which the two densities are equal."""

    def gap(x: Any) -> Any:
        first, second = line.logarithms(np.atleast_1d(x))
        return first - second

    with np.errstate(all="ignore"):
        values = gap(x)
        changes = np.flatnonzero(values[:-1] * values[1:] < 0.0)
        # a change of sign within the rounding of the logarithms is none
        size = 1e-14 * (1.0 + np.abs(line.logarithms(x)[0]))
        clear = (np.abs(values) > size) & np.isfinite(values)
        return [
            float(brentq(lambda z: float(gap(z)[0]), x[i], x[i + 1], xtol=1e-300, rtol=1e-13))
            for i in changes
            if clear[i] and clear[i + 1]
        ]
