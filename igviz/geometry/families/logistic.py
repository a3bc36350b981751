"""The logistic distribution, whose distribution function is the sigmoid."""

from __future__ import annotations

import dataclasses
from typing import Any, Self

import numpy as np
from scipy import special

from igviz.geometry.families.location_scale import LocationScale, by_cases, exponential_excess
from igviz.geometry.numerics import log_ratio

# for near pairs: the trapezoid rule in v with z = 4·sinh v, which ends where the density is below 1e-30
_V, _STEP = np.linspace(-3.6, 3.6, 121, retstep=True)
_NEAR_NODES = 4.0 * np.sinh(_V)
_NEAR_WEIGHTS = _STEP * 4.0 * np.cosh(_V) * special.expit(_NEAR_NODES) * special.expit(-_NEAR_NODES)

# for far pairs: sigmoid(−y) dy on y > 0 by Gauss–Legendre quadrature on pieces that widen
_ABSCISSAE, _GAUSS = np.polynomial.legendre.leggauss(16)
_EDGES = 42.0 * np.linspace(0.0, 1.0, 9) ** 1.5
_HALVES = 0.5 * np.diff(_EDGES)[:, None]
_FAR_NODES = (_EDGES[:-1, None] + _HALVES * (1.0 + _ABSCISSAE)).ravel()
_FAR_WEIGHTS = (_HALVES * _GAUSS).ravel() * special.expit(-_FAR_NODES)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Logistic(LocationScale):
    """Logistic distributions, with density exp(−z)/(scale·(1 + exp(−z))²) and z = (x − location)/scale.

    The chart is source, (location, scale). The Fisher metric is
    (dlocation²/3 + (3 + π²)/9·dscale²)/scale², of curvature −9/(3 + π²).

    Parameters
    ----------
    location : array_like
        The mean and the median.
    scale : array_like
        Positive; the standard deviation is π/√3 times as large.

    Raises
    ------
    ValueError
        If a parameter is not finite, scale not positive, or the shapes do not broadcast.

    References
    ----------
    Mitchell, A. F. S. (1988). Statistical manifolds of univariate elliptic distributions.
    """

    def standard_metric(self) -> tuple[Any, Any]:
        """Return a and b of the Fisher metric (a·dlocation² + b·dscale²)/scale²."""
        return 1.0 / 3.0, (3.0 + np.pi**2) / 9.0

    def _standard_log_prob(self, z: np.ndarray) -> np.ndarray:
        distance = np.abs(z)
        return -distance - 2.0 * np.log1p(np.exp(-distance))

    def _standard_score(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        slope = np.tanh(0.5 * z)
        return slope, z * slope

    def _standard_curvature(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        z = np.clip(z, -1e300, 1e300)  # at infinity the limits hold
        # ψ′ = 2f by its square root, which vanishes before z does any harm
        root = np.sqrt(2.0) * np.exp(-0.5 * np.abs(z)) * special.expit(np.abs(z))
        return root**2, (z * root) * root, (z * root) ** 2

    def standard_cdf(self, z: np.ndarray) -> np.ndarray:
        """Return the distribution function of the standard member at z."""
        return special.expit(z)

    def _standard_entropy(self) -> Any:
        return 2.0

    def _standard_draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.logistic(size=size)

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) in nats, of the broadcast shape, by deterministic quadrature.

        It has no elementary closed form. For near pairs r − 1 − log r with r = q/p is integrated under
        p = self by the trapezoid rule, which converges exponentially and cannot cancel. For far pairs only
        E[log(1 + exp y)] is integrated, with y = (x − location_q)/scale_q: after integration by parts its
        integrand is a product of two sigmoids, the steeper of which is a step and two tails. Relative errors
        stay below 1e-13.

        Raises
        ------
        TypeError
            If q is not a Logistic.

        References
        ----------
        Trefethen, L. N. and Weideman, J. A. C. (2014). The exponentially convergent trapezoidal rule,
        section 5.
        """
        self.require_same_family("Logistic.kl", q)
        arguments = np.broadcast_arrays(np.abs(q.location - self.location), self.scale, q.scale)
        gap, scale, other = arguments
        near = (gap < 0.5 * scale) & (other > 0.65 * scale) & (other < 1.5 * scale)
        narrow = ~near & (other < scale)
        cases = [
            (near, _near_kl, _V.size),
            (narrow, _kl_to_narrow, _FAR_NODES.size),
            (~near & ~narrow, _kl_to_wide, _FAR_NODES.size),
        ]
        with np.errstate(all="ignore"):
            return by_cases(cases, *arguments)


# In standard units of p, q has the location gap/scale and the scale other/scale; both densities are
# symmetric, so that only the distance of the locations matters.


def _near_kl(gap: np.ndarray, scale: np.ndarray, other: np.ndarray) -> np.ndarray:
    z, shift, rise = _NEAR_NODES, gap / scale, (other - scale) / scale
    # q sees z as z + step; cosh((z + step)/2)/cosh(z/2) = 1 + 2·sinh²(step/4) + tanh(z/2)·sinh(step/2)
    step = -(shift + rise * z) / (other / scale)
    growth = 2.0 * np.sinh(0.25 * step) ** 2 + np.tanh(0.5 * z) * np.sinh(0.5 * step)
    return np.sum(_NEAR_WEIGHTS * exponential_excess(-np.log1p(rise) - 2.0 * np.log1p(growth)), axis=-1)


def _kl_to_narrow(gap: np.ndarray, scale: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Integrate over y, in which q is the standard one; p's distribution function is then wide and smooth."""
    shift, stretch = gap / scale, other / scale
    rise = special.expit(-shift + stretch * _FAR_NODES) - special.expit(-shift - stretch * _FAR_NODES)
    beyond = np.logaddexp(0.0, -shift) / stretch + np.sum(_FAR_WEIGHTS * rise, axis=-1, keepdims=True)
    return _from_tail(gap, scale, other, beyond)


def _kl_to_wide(gap: np.ndarray, scale: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Integrate over z, in which p is the standard one; q's distribution function is then wide and smooth."""
    shift, shrink = gap / other, scale / other
    rise = special.expit(-shift + shrink * _FAR_NODES) - special.expit(-shift - shrink * _FAR_NODES)
    beyond = np.logaddexp(0.0, -shift) + shrink * np.sum(_FAR_WEIGHTS * rise, axis=-1, keepdims=True)
    return _from_tail(gap, scale, other, beyond)


def _from_tail(gap: np.ndarray, scale: np.ndarray, other: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """Return the divergence from E[log(1 + exp y)], the only mean that has no formula.

    With y = (z·scale − gap)/other, −log of q's standard density is −y + 2·log(1 + exp y), and p's entropy
    is 2. By parts the mean is an integral of two sigmoids, p's falling and q's rising. The steeper one is a
    step and two tails; the step gives log(1 + exp(−gap/wider)), times the wider scale over q's.
    """
    return (log_ratio(other, scale) - 2.0 + gap / other + 2.0 * beyond)[..., 0]
