"""α-divergences of exponential families without corners, from one integral.

With t = (1 + α)/2 and the natural point r = (1 − t)·η_p + t·η_q, ∫ p^(1−t)·q^t = exp(−J), where
J = (1 − t)·A(η_p) + t·A(η_q) − A(η_r). Written in log-partitions J cancels. Each of the following is the same
J, in KL divergences:

- (1 − t)·KL(r‖p) + t·KL(r‖q), stationary in r, so that a rounding of r enters squared;
- for t > 1, where it is negative, −((t − 1)·KL(q‖p) + KL(q‖r)), and for t < 0 likewise with p and q
  exchanged, in which nothing cancels however far r is.

The integral is infinite where r is no natural point.

References
----------
Nielsen, F. and Nock, R. (2011). On Rényi and Tsallis entropies and divergences for exponential families.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from igviz.geometry.families.beta import Beta
from igviz.geometry.families.dirichlet import Dirichlet
from igviz.geometry.families.exponential import Exponential
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.families.gamma import Gamma
from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.geometry.families.normal import Normal
from igviz.geometry.numerics import forward_substitution

Family = TypeVar("Family", bound=ExponentialFamily)

# a natural point that rounding cannot tell from the boundary counts as outside
_MARGIN = 1e-15
# exponents below this are taken from the stationary form
_SMALL = 0.1
_NEGLIGIBLE = 1e-14


def _normal_ratios(p: Normal, q: Normal) -> np.ndarray:
    return ((p.std / q.std) ** 2)[..., None]


def _multivariate_ratios(p: MultivariateNormal, q: MultivariateNormal) -> np.ndarray:
    half = forward_substitution(q.cholesky_factor, p.cholesky_factor)
    return np.linalg.svd(half, compute_uv=False) ** 2


def _natural_ratios(p: ExponentialFamily, q: ExponentialFamily) -> np.ndarray:
    return q.natural / p.natural


# numbers in natural coordinates that must be positive: those of q over those of p, shape (..., m)
_RATIOS: dict[type, Callable[..., np.ndarray]] = {
    Normal: _normal_ratios,
    MultivariateNormal: _multivariate_ratios,
    Exponential: _natural_ratios,
    Gamma: _natural_ratios,
    Beta: _natural_ratios,
    Dirichlet: _natural_ratios,
}

SUPPORTED = tuple(_RATIOS)


def exponential_alpha_divergence(p: Family, q: Family, alpha: np.ndarray) -> np.ndarray:
    """Return the α-divergences of a list of pairs, all of shape (n,), of one of the `SUPPORTED` families."""
    t, s = 0.5 * (1.0 + alpha), 0.5 * (1.0 - alpha)
    result, limit = np.empty(alpha.shape), np.zeros(alpha.shape, dtype=bool)
    for near, far, weight in ((p, q, t), (q, p, s)):
        value = near.kl(far)
        # a small weight changes the divergence by about this part of it, and is divided by
        close = np.abs(weight) * (np.sqrt(value) + value) < _NEGLIGIBLE
        result[close], limit[close] = value[close], True
    inside = (np.abs(alpha) < 1.0) & ~limit
    if np.any(inside):
        a, b, c, d = p[inside], q[inside], t[inside], s[inside]
        r = a.straight_point(b, c, "natural")
        exponent = d * r.kl(a) + c * r.kl(b)
        result[inside] = -np.expm1(-exponent) / (c * d)
    for outside, near, far, weight, excess in ((alpha > 1.0, q, p, t, -s), (alpha < -1.0, p, q, s, -t)):
        outside = outside & ~limit
        if np.any(outside):
            growth = _growth(far[outside], near[outside], weight[outside], excess[outside])
            with np.errstate(over="ignore"):
                result[outside] = np.expm1(growth) / -(t * s)[outside]
    return result


def _growth(p: Family, q: Family, t: np.ndarray, excess: np.ndarray) -> np.ndarray:
    """Return log ∫ p^(1−t)·q^t for t > 1, which is positive, or infinite; `excess` is t − 1."""
    back, ahead = excess[:, None], t[:, None] * _RATIOS[type(p)](p, q)
    exists = np.all(ahead - back > _MARGIN * (ahead + back), axis=-1)
    result = np.full(t.shape, np.inf)
    if np.any(exists):
        a, b, c, d = p[exists], q[exists], t[exists], excess[exists]
        r = a.straight_point(b, c, "natural")
        plain = d * b.kl(a) + b.kl(r)
        stationary = d * r.kl(a) - c * r.kl(b)
        result[exists] = np.where(plain < _SMALL, np.maximum(stationary, 0.0), plain)
    return result
