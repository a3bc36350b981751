"""Divergences that are the mean of a convex function of the ratio of two densities."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np

from igviz.geometry.families.distribution import Distribution
from igviz.geometry.pair_integrals import VISIBLE, pairs, total

Family = TypeVar("Family", bound=Distribution)
Function = Callable[[np.ndarray], np.ndarray]

# ratios whose logarithms are farther from 0 are left to the limits of f
_LARGEST = 690.0


def f_divergence(p: Family, q: Family, f: Function) -> np.ndarray:
    """Return the f-divergence D_f(p‖q) = E_q[f(p/q)] by sums or quadrature.

    Examples, of u = p/q: u·log u gives KL(p‖q), −log u gives KL(q‖p), (u − 1)² Pearson's χ²(p‖q), (√u − 1)²
    twice the squared Hellinger distance, ½·|u − 1| the total variation. Where f is smooth at 1 the divergence
    of near points is ½·f″(1)·δᵀIδ: all of these but the last know the Fisher metric and no other.

    Parameters
    ----------
    p, q : distributions of one family
        Bernoulli, Categorical, Poisson, or of one continuous number. Their grids broadcast; the pairs are
        computed one after the other, in a few milliseconds each if they are continuous.
    f : callable
        Convex on [0, ∞) with f(1) = 0, maps an array of ratios u ≥ 0 to values. Kinks are allowed at u = 1
        only.

    Returns
    -------
    numpy.ndarray
        Of the broadcast shape, in the units of f. inf where a tail of the integral grows without bound, and
        where outcomes with q = 0 < p or p = 0 < q make it infinite. Right to about 1e-11 of
        E_q|f(p/q)| for smooth f; f itself loses digits next to 1, so that near points are better served by
        `igviz.alpha_divergence` and the other closed forms.

    Raises
    ------
    TypeError
        If p and q are not distributions of one family, or f cannot be called.
    ValueError
        If f(1) is not 0.
    NotImplementedError
        If an observation of the family is not one number.
    ArithmeticError
        If the integral is not settled, or the ratios that matter are beyond the floats.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, chapter 3.
    Csiszár, I. (1967). Information-type measures of difference of probability distributions.
    """
    if not isinstance(p, Distribution):
        raise TypeError(f"f_divergence: p must be a distribution such as igviz.Normal, got {p!r}")
    p.require_same_family("f_divergence", q)
    if not callable(f):
        raise TypeError(f"f_divergence: f must be a function of p/q, got {f!r}")
    at_one = float(np.asarray(f(np.ones(1)))[0])
    if not abs(at_one) <= 1e-14:
        raise ValueError(f"f_divergence: f(1) must be 0, got {at_one!r}")
    shape, all_pairs = pairs(p, q)
    results = [total("f_divergence", partial(_weighted, f), *pair) for pair in all_pairs]
    return np.array(results).reshape(shape)[()]


def _weighted(f: Function, log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    """Return q·f(p/q), at the ends too, where it is p·lim f(u)/u for u → ∞ or q·lim f(u) for u → 0."""
    gone = np.isneginf(log_p) & np.isneginf(log_q)
    logarithm = np.where(gone, 0.0, log_p - log_q)
    steep, flat = logarithm > _LARGEST, logarithm < -_LARGEST
    weight, values = np.exp(log_q), np.asarray(f(np.exp(np.where(steep | flat, 0.0, logarithm))))
    # where both densities have died away nothing is left, whatever their ratio
    shares = np.where((weight == 0.0) & (np.isfinite(values) | (log_p < -800.0)), 0.0, weight * values)
    large, small = np.array([1e150, 1e300]), np.array([1e-150, 1e-300])
    for end, log_mass, ratios, slope in ((steep, log_p, large, 1.0 / large), (flat, log_q, small, 1.0)):
        if np.any(end):
            shares = np.where(end, _at_end(np.asarray(f(ratios)) * slope, log_mass, logarithm), shares)
    return shares


def _at_end(limits: np.ndarray, log_mass: np.ndarray, logarithm: np.ndarray) -> np.ndarray:
    """Return the mass times a limit of which two approximations are given; nan where it is unknown."""
    before, after = limits
    shares = np.exp(log_mass) * after
    if abs(after - before) <= 1e-6 * (1.0 + abs(before)):
        return shares
    # not settled: infinite where an outcome is impossible, unknown where it is merely improbable
    return np.where(np.isinf(logarithm), np.inf, np.where(log_mass > VISIBLE, np.nan, shares))
