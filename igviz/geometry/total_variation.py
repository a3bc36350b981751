"""Total variation: the largest difference of two distributions' probabilities of one event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from scipy.special import erf, ndtr

from igviz.geometry.families.bernoulli import Bernoulli
from igviz.geometry.families.categorical import Categorical
from igviz.geometry.families.distribution import Distribution
from igviz.geometry.families.exponential import Exponential
from igviz.geometry.families.normal import Normal
from igviz.geometry.pair_integrals import pairs, total

Family = TypeVar("Family", bound=Distribution)

_ABSCISSAE, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_NODES, _WEIGHTS = 0.5 * (1.0 + _ABSCISSAE), 0.5 * _WEIGHTS
# two bounds closer than this are bridged by quadrature
_CLOSE = 0.5


def total_variation(p: Family, q: Family) -> np.ndarray:
    """Return the total variation ½·∫|p − q|, symmetric in the two and at most 1.

    It is the largest difference P(A) − Q(A) over all events A, reached where p > q: with n = 1 the best test
    between equally likely p and q errs with probability ½·(1 − total variation). As an f-divergence it has
    f(u) = ½·|u − 1|, which is not smooth at 1. So it is of first order in small steps and knows no metric.

    Parameters
    ----------
    p, q : distributions of one family
        Their grids broadcast. Closed forms for Normal, by the points where the densities cross, Exponential,
        Bernoulli and Categorical; sums for Poisson; quadrature, pair by pair, for the other distributions of
        one number.

    Returns
    -------
    numpy.ndarray
        Probabilities, of the broadcast shape. Closed forms keep their digits for near points; quadrature and
        sums are right to about 1e-11.

    Raises
    ------
    TypeError
        If p and q are not distributions of one family.
    ValueError
        If their grids do not broadcast.
    NotImplementedError
        For several numbers at once: Dirichlet, and multivariate normals.

    References
    ----------
    Levin, D. A. and Peres, Y. (2017). Markov Chains and Mixing Times, section 4.1.
    """
    if not isinstance(p, Distribution):
        raise TypeError(f"total_variation: p must be a distribution such as igviz.Normal, got {p!r}")
    p.require_same_family("total_variation", q)
    for family, closed_form in _CLOSED_FORMS.items():
        if isinstance(p, family):
            return closed_form(p, q)
    shape, all_pairs = pairs(p, q)
    results = [total("total_variation", _half_gap, *pair) for pair in all_pairs]
    return np.array(results).reshape(shape)[()]


def _half_gap(log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    """Return ½·|p − q|, with the digits that the difference of the logarithms has."""
    larger = np.maximum(log_p, log_q)
    gap = np.where(np.isneginf(larger), 0.0, np.abs(log_p - log_q))
    return -0.5 * np.exp(larger) * np.expm1(-gap)


def _exponential_pair(p: Exponential, q: Exponential) -> np.ndarray:
    """Return the difference of the tails exp(−rate·x) at the crossing x = log(b/a)/(b − a), rates a < b."""
    low, high = np.minimum(p.rate, q.rate), np.maximum(p.rate, q.rate)
    rise = (high - low) / low
    # rate·x for the smaller rate, which tends to 1 as the rates meet
    crossing = np.where(rise > 0.0, np.log1p(rise) / np.where(rise > 0.0, rise, 1.0), 1.0)
    return (np.exp(-crossing) * ((high - low) / high))[()]


def _normal_pair(p: Normal, q: Normal) -> np.ndarray:
    """Return (F_p − F_q)(upper) − (F_p − F_q)(lower), at the crossings of the densities, by normal tails.

    p is made standard and q = N(shift, 1 + rise). Crossings solve −rise·(2 + rise)·z² − 2·shift·z + c = 0.
    Each of the two terms is extreme at its crossing, so that rounding of a crossing does no harm.
    """
    shift, rise = (q.mean - p.mean) / p.std, (q.std - p.std) / p.std
    std = q.std / p.std
    spread = rise * (2.0 + rise)
    logarithm = np.where(np.abs(rise) < 0.5, np.log1p(np.maximum(rise, -0.5)), np.log(std))
    constant = shift**2 + 2.0 * std**2 * logarithm
    root = std * np.sqrt(shift**2 + 2.0 * spread * logarithm)
    ahead = shift + np.where(shift < 0.0, -root, root)
    with np.errstate(all="ignore"):
        first, second = -ahead / spread, constant / ahead
        both = _rise(first, shift, rise) + _rise(second, shift, rise)
        equal_std = erf(np.abs(shift) / np.sqrt(8.0))
    return np.minimum(np.where(rise == 0.0, equal_std, np.where(ahead == 0.0, 0.0, both)), 1.0)[()]


def _rise(z: np.ndarray, shift: np.ndarray, rise: np.ndarray) -> np.ndarray:
    """Return |Φ(z) − Φ(w)| with w = (z − shift)/(1 + rise), as q sees z; 0 where z is infinite."""
    far = ~np.isfinite(z)
    z = np.where(far, 0.0, z)
    w = (z - shift) / (1.0 + rise)
    gap = (rise * z + shift) / (1.0 + rise)  # z − w
    # on the side where both tails are small
    sign = np.where(z + w > 0.0, -1.0, 1.0)
    tails = np.abs(ndtr(sign * z) - ndtr(sign * w))
    close = np.abs(gap) < _CLOSE
    inside = w[..., None] + np.where(close, gap, 0.0)[..., None] * _NODES
    density = np.exp(-0.5 * inside**2) @ _WEIGHTS / np.sqrt(2.0 * np.pi)
    return np.where(far, 0.0, np.where(close, np.abs(gap) * density, tails))


_CLOSED_FORMS: dict[type, Callable[[Any, Any], np.ndarray]] = {
    Normal: _normal_pair,
    Exponential: _exponential_pair,
    Bernoulli: lambda p, q: np.abs(p.probability - q.probability),
    Categorical: lambda p, q: 0.5 * np.sum(np.abs(p.probabilities - q.probabilities), axis=-1),
}
