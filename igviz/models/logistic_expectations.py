"""Means of log(1 + e^f) and its derivatives for a normal f, to rounding at any mean and standard deviation.

Three rules serve, by the std. For a narrow f Gauss–Hermite is best: the poles of the logistic function at ±iπ
are many stds away. As they come nearer it needs ever more nodes, and the trapezoid rule in (f − mean)/std is
better; its error falls like exp(−2π²/(step·std)) (Trefethen and Weideman 2014, section 5). For a wide f what
differs from the kinked max(f, 0), which has a closed form, lives near f = 0 on both sides and is integrated
there in f itself by Gauss–Legendre panels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

Means = tuple[np.ndarray, np.ndarray, np.ndarray]

_WIDE = 1.75  # from this std on the panels are cheaper
_HERMITE = (1, 2, 3, 4, 6, 8, 10, 13, 16, 20)  # numbers of nodes
_FINER = 1.25  # from one trapezoid rule to the next
_BLOCK = 1 << 14  # evaluations at a time: they stay in the processor's cache
_CALL = 4_000  # evaluations that take as long as one more rule for a few rows
_ROOT_TWO, _ROOT_TWO_PI = np.sqrt(2.0), np.sqrt(2.0 * np.pi)


def softplus_means(mean: np.ndarray, std: np.ndarray, digits: int) -> Means:
    """Return E[log(1 + e^f)], E[σ(f)] and E[σ(f)(1 − σ(f))] of f ~ N(mean, std), all of one shape.

    σ(f) = 1/(1 + e^−f). The errors are below 10^−digits, or rounding; std = 0 is allowed.
    """
    # log(1 + e^f) = max(f, 0) + log(1 + e^−|f|): seen from the side where f is rather negative, no large
    # numbers cancel and nothing overflows
    positive = mean.ravel() >= 0.0
    below, spread = np.abs(mean.ravel()), std.ravel()
    wide = spread >= _WIDE
    work = np.empty((3, _BLOCK))  # once: fresh memory takes longer than what is done in it
    if not wide.any():
        found = _by_nodes(below, spread, digits, work)
    else:
        found = np.empty((3, mean.size))
        for which, rule in ((np.flatnonzero(wide), _by_panels), (np.flatnonzero(~wide), _by_nodes)):
            if which.size:
                _put(found, which, rule(below[which], spread[which], digits, work))
    found[0] += np.where(positive, below, 0.0)
    found[1] = np.where(positive, 1.0 - found[1], found[1])
    return tuple(found.reshape(3, *mean.shape))


# -- narrow: one rule for a standard normal, as good as the std needs it ------------------------------------


class _Rules(NamedTuple):
    """Nodes and weights of rules for means under a standard normal, from few nodes to many."""

    widest: np.ndarray  # up to which std each is exact
    nodes: list[np.ndarray]
    weights: list[np.ndarray]


@cache
def _rules(digits: int) -> _Rules:
    neglected = 2.3026 * digits + 4.0  # −log of the error allowed
    candidates: list[tuple[float, np.ndarray, np.ndarray]] = [
        (_widest_for_hermite(count, neglected), *np.polynomial.hermite_e.hermegauss(count))
        for count in _HERMITE
    ]
    step, widest = math.pi * math.sqrt(2.0 / neglected), 0.0  # the longest that the Gaussian itself allows
    while widest < _WIDE:
        widest = _widest_for_trapezoid(step, neglected)
        last = math.ceil(math.sqrt(2.0 * neglected) / step)
        z = step * np.arange(-last, last + 1)
        candidates.append((widest, z, np.exp(-0.5 * z**2)))
        step /= _FINER
    best = candidates[:0]
    for candidate in sorted(candidates, key=lambda candidate: candidate[1].size):
        if not best or candidate[0] > best[-1][0]:  # else a shorter one does as much
            best.append(candidate)
    limits, nodes, weights = zip(*best, strict=True)
    return _Rules(np.array(limits), list(nodes), [w / w.sum() for w in weights])


def _widest_for_hermite(count: int, neglected: float) -> float:
    """Return the std up to which so many Gauss–Hermite nodes will do.

    With n nodes the error is std^(2n)·n!/(2n)! times a 2n-th derivative of the integrand (Davis and
    Rabinowitz 1984, section 3.6). By its poles at ±iπ the k-th derivative of σ(1 − σ) is at most
    2·(k + 1)!/π^(k + 2), up to what the poles farther out add. The other two integrands have less, or for
    n = 1 hardly more.
    """
    logarithm = 2.0 * math.log(math.pi) - neglected - math.log(4 * count + 2) - math.lgamma(count + 1)
    return math.pi * math.exp(logarithm / (2 * count))


def _widest_for_trapezoid(step: float, neglected: float) -> float:
    """Return the std up to which a step, in stds, will do.

    On the line at the height a = π/std of the poles the error is e^(a²/2 − 2πa/step).
    """
    root = math.sqrt(max(0.0, 1.0 - 0.5 * neglected * (step / math.pi) ** 2))
    return math.pi**2 * (1.0 + root) / (neglected * step)


def _by_nodes(below: np.ndarray, std: np.ndarray, digits: int, work: np.ndarray) -> np.ndarray:
    """Return the three means, shape (3, n), for f ~ N(−below, std)."""
    rules, found = _rules(digits), np.empty((3, std.size))
    needed = np.searchsorted(rules.widest, std)
    counts = np.bincount(needed).tolist()
    served, waiting = -1, 0
    last = len(counts) - 1
    for rule, count in enumerate(counts):
        waiting += count
        # a better rule serves too: few rows wait for it
        if rule < last and waiting * (rules.nodes[rule + 1].size - rules.nodes[rule].size) < _CALL:
            continue
        if waiting == std.size:
            return _sum(below, std, rules.nodes[rule], rules.weights[rule], work)
        if waiting:
            which = np.flatnonzero((needed > served) & (needed <= rule))
            part = _sum(below[which], std[which], rules.nodes[rule], rules.weights[rule], work)
            _put(found, which, part)
        served, waiting = rule, 0
    return found


def _sum(
    below: np.ndarray, std: np.ndarray, nodes: np.ndarray, weights: np.ndarray, work: np.ndarray
) -> np.ndarray:
    found = np.empty((3, std.size))
    for some, (odds, other) in _blocks(nodes.size, std.size, work[:2]):
        np.multiply.outer(nodes, std[some], out=odds)
        odds -= below[some]
        np.exp(odds, out=odds)  # e^f, at most e^(std·reach)
        np.log1p(odds, out=other)
        np.matmul(weights, other, out=found[0, some])
        np.add(odds, 1.0, out=other)
        odds /= other
        np.matmul(weights, odds, out=found[1, some])
        odds /= other
        np.matmul(weights, odds, out=found[2, some])
    return found


# -- wide: the density of f is smooth where the integrands are not -------------------------------------------


@cache
def _panels(digits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points f/√2 > 0, and weights that hold log(1 + e^−f), σ(−f) or σ(f)σ(−f)."""
    x, w = np.polynomial.legendre.leggauss(digits + 2)
    ends = 2.3026 * digits * (np.arange(4) / 3) ** 1.8  # e^−f is large and steep near 0
    left, right = ends[:-1, None], ends[1:, None]
    f = (0.5 * (left + right) + 0.5 * (right - left) * x).ravel()
    small = np.exp(-f)
    share = 1.0 / (1.0 + small)
    weights = (0.5 * (right - left) * w).ravel() / _ROOT_TWO_PI
    return f / _ROOT_TWO, weights * np.stack([np.log1p(small), small * share, small * share**2])


def _by_panels(below: np.ndarray, std: np.ndarray, digits: int, work: np.ndarray) -> np.ndarray:
    """Return the three means, shape (3, n), for f ~ N(−below, std)."""
    (points, weights), found = _panels(digits), np.empty((3, std.size))
    for some, (positive, negative, difference) in _blocks(points.size, std.size, work):
        np.multiply.outer(points, 1.0 / std[some], out=positive)
        centre = below[some] / (_ROOT_TWO * std[some])
        np.subtract(positive, centre, out=negative)
        positive += centre
        for place in (positive, negative):  # becomes the density at ±points, but for 1/std
            np.square(place, out=place)
            np.negative(place, out=place)
            np.exp(place, out=place)
        np.subtract(positive, negative, out=difference)
        np.matmul(weights[1], difference, out=found[1, some])
        positive += negative
        np.matmul(weights[0], positive, out=found[0, some])
        np.matmul(weights[2], positive, out=found[2, some])
    found /= std
    standardised = below / std
    tail = ndtr(-standardised)
    found[0] += std * np.exp(-0.5 * standardised**2) / _ROOT_TWO_PI - below * tail  # E[max(f, 0)]
    np.subtract(tail, found[1], out=found[1])
    return found


def _blocks(nodes: int, count: int, work: np.ndarray) -> Iterator[tuple[slice, tuple[np.ndarray, ...]]]:
    """Yield rows that fit, with parts of the memory of shape (nodes, rows)."""
    at_once = max(1, _BLOCK // nodes)
    for start in range(0, count, at_once):
        some = slice(start, min(start + at_once, count))
        size = some.stop - start
        yield some, tuple(memory[: nodes * size].reshape(nodes, size) for memory in work)


def _put(found: np.ndarray, which: np.ndarray, part: np.ndarray) -> None:
    for whole, some in zip(found, part, strict=True):  # three times as fast as found[:, which] = part
        whole[which] = some
