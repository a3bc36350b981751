"""The Kullback–Leibler divergence between two Student's t distributions, by quadrature.

With z = √ν·sinh u the mass of p is Γ((ν + 1)/2)/(√π·Γ(ν/2))·cosh(u)^(−ν) du: powers of heavy tails become
exponentials, the mass is smooth for |Im u| < π/2, and the trapezoid rule in u converges exponentially.

Everything is in standard units of p, in which q has the location gap/scale and the scale other/scale. Both
densities are symmetric, so that only the distance of the locations matters. ν are p's degrees of freedom,
`others` q's. The logarithm of q's density is singular at z = gap/scale ± i·√others·other/scale.

References
----------
Trefethen, L. N. and Weideman, J. A. C. (2014). The exponentially convergent trapezoidal rule, section 5.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from igviz.geometry.families.location_scale import by_cases, exponential_excess, log_one_plus_square
from igviz.geometry.families.student_t_density import HALF_LOG_PI, log_gamma_rise, log_height, mean_tail

_LOG_TWO = np.log(2.0)
# the quadrature stops where p's mass has fallen by exp(−40), and its error by discreteness is exp(−36)
_DECAY, _RESOLUTION = 40.0, 36.0


def student_t_kl(
    gap: np.ndarray, scale: np.ndarray, other: np.ndarray, degrees: np.ndarray, others: np.ndarray
) -> np.ndarray:
    """Return KL(p‖q) in nats for locations `gap` apart; all arguments have one shape.

    What overflows is inf or nan.
    """
    arguments = (gap, scale, other, degrees, others)
    with np.errstate(all="ignore"):
        return by_cases(_cases(*arguments), *arguments)


def _cases(
    gap: np.ndarray, scale: np.ndarray, other: np.ndarray, degrees: np.ndarray, others: np.ndarray
) -> list[tuple[np.ndarray, Callable[..., np.ndarray], int]]:
    """Return which form to use for which pair, with a power of two of nodes that resolves it."""
    shift, stretch = gap / scale, other / scale
    near = (shift < 0.5 * np.minimum(1.0, np.sqrt(degrees))) & (stretch > 0.65) & (stretch < 1.5)
    near &= (others > 0.8 * degrees) & (others < 1.25 * degrees)
    singular = np.arcsinh((shift + 1j * stretch * np.sqrt(others)) / np.sqrt(degrees)).imag
    far = ~near & (singular >= _strip(degrees))
    ends = np.where(near, _near_end(shift, stretch, degrees, others), _end(degrees))
    strip = np.where(near, 0.8, 1.0) * _strip(degrees)
    nodes = 2 ** np.ceil(np.log2(np.maximum(2.0 * ends * _RESOLUTION / (2.0 * np.pi * strip), 128.0)))
    cases = []
    for n in np.unique(nodes).astype(int):
        for mask, function in ((near, _near_kl), (far, _far_kl), (~near & ~far, _shifted_kl)):
            cases.append((mask & (nodes == n), _with_nodes(function, n), n))
    return cases


def _with_nodes(function: Callable[..., np.ndarray], n: int) -> Callable[..., np.ndarray]:
    fractions = np.linspace(-1.0, 1.0, n + 1)
    return lambda *columns: function(fractions, *columns)


def _strip(degrees: np.ndarray) -> np.ndarray:
    """Return how far from the real line p's mass is smooth without growing."""
    return np.minimum(0.6, 1.0 / np.sqrt(degrees))


def _end(degrees: np.ndarray) -> np.ndarray:
    """Return the u at which cosh(u)^(−ν) has decayed: arcosh(exp(decay/ν))."""
    logarithm = _DECAY / degrees
    return logarithm + np.log1p(np.sqrt(-np.expm1(-2.0 * logarithm)))


def _near_end(shift: np.ndarray, stretch: np.ndarray, degrees: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the u at which both p and q have decayed."""
    end = _end(np.minimum(degrees, others))
    return np.arcsinh(shift / np.sqrt(degrees) + np.maximum(stretch, 1.0) * np.sinh(end))


def _near_kl(
    fractions: np.ndarray,
    gap: np.ndarray,
    scale: np.ndarray,
    other: np.ndarray,
    degrees: np.ndarray,
    others: np.ndarray,
) -> np.ndarray:
    """Integrate r − 1 − log r under p."""
    shift, stretch, rise = gap / scale, other / scale, (other - scale) / scale
    end = _near_end(shift, stretch, degrees, others)
    u = end * fractions
    mass = _mass(_log_cosh(u), degrees, end, fractions)
    # q sees z as z + step; here both over √(ν + z²)
    sine, step = np.tanh(u), -(shift / np.sqrt(degrees) / np.cosh(u) + rise * np.tanh(u)) / stretch
    # (1 + (z + step)²/others)/(1 + z²/ν) − 1
    growth = (degrees * step * (2.0 * sine + step) - sine**2 * (others - degrees)) / others
    log_ratio = log_height(others) - log_height(degrees) - np.log1p(rise)
    log_ratio = log_ratio - 0.5 * (others + 1.0) * np.log1p(growth) - (others - degrees) * _log_cosh(u)
    return np.sum(mass * exponential_excess(log_ratio), axis=-1)


def _far_kl(
    fractions: np.ndarray,
    gap: np.ndarray,
    scale: np.ndarray,
    other: np.ndarray,
    degrees: np.ndarray,
    others: np.ndarray,
) -> np.ndarray:
    """Integrate the logarithm of q's density under p along the real line."""
    end = _end(degrees)
    u = end * fractions
    mass = _mass(_log_cosh(u), degrees, end, fractions)
    y = (np.sqrt(degrees) * np.sinh(u) - gap / scale) * (scale / other)
    mean = np.sum(mass * log_one_plus_square(y / np.sqrt(others)), axis=-1, keepdims=True)
    return _from_mean(mean, scale, other, degrees, others)


def _shifted_kl(
    fractions: np.ndarray,
    gap: np.ndarray,
    scale: np.ndarray,
    other: np.ndarray,
    degrees: np.ndarray,
    others: np.ndarray,
) -> np.ndarray:
    """Integrate along the line Im u = −strip.

    On the real line log(1 + y²/others) is twice the real part of log((w − z)/|Im w|) with the singular point
    w in the upper half-plane. That logarithm is smooth in the lower half-plane, however close w is.
    """
    end, strip = _end(degrees), _strip(degrees)
    u = end * fractions
    size = np.abs(u)
    # log|cosh(u − i·strip)|, by cosh²u − sin² strip near 0
    close = 0.5 * np.log1p(np.sinh(np.minimum(size, 1.0)) ** 2 - np.sin(strip) ** 2)
    away = size - _LOG_TWO
    away = away + 0.5 * np.log1p(2.0 * np.cos(2.0 * strip) * np.exp(-2.0 * size) + np.exp(-4.0 * size))
    mass = _mass(np.where(size < 1.0, close, away), degrees, end, fractions)
    phase = degrees * np.arctan(np.tanh(u) * np.tan(strip))
    height = other / scale * np.sqrt(others)
    logarithm = np.log(gap / scale + 1j * height - np.sqrt(degrees) * np.sinh(u - 1j * strip))
    real = mass * (np.cos(phase) * logarithm.real - np.sin(phase) * logarithm.imag)
    mean = 2.0 * (np.sum(real, axis=-1, keepdims=True) - np.log(height))
    return _from_mean(mean, scale, other, degrees, others)


def _from_mean(
    mean: np.ndarray, scale: np.ndarray, other: np.ndarray, degrees: np.ndarray, others: np.ndarray
) -> np.ndarray:
    """Return the divergence from E[log(1 + y²/others)]."""
    cross = np.log(other / scale) - log_height(others) + 0.5 * (others + 1.0) * mean
    return (cross + log_height(degrees) - mean_tail(degrees))[..., 0]


def _mass(log_cosh: np.ndarray, degrees: np.ndarray, end: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Return p's mass at the nodes of the trapezoid rule, whose ends weigh next to nothing."""
    step = end * (fractions[1] - fractions[0])
    return step * np.exp(log_gamma_rise(degrees) - HALF_LOG_PI - degrees * log_cosh)


def _log_cosh(u: np.ndarray) -> np.ndarray:
    """Return log cosh u to its last digits near 0 too."""
    size = np.abs(u)
    close = 0.5 * np.log1p(np.sinh(np.minimum(size, 1.0)) ** 2)
    return np.where(size < 1.0, close, size - _LOG_TWO + np.log1p(np.exp(-2.0 * size)))
