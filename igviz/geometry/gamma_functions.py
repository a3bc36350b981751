"""The gamma function and its derivatives, less the part that is elementary.

log Γ(x) = x·log x − x + g(x). The first part is large and elementary, and most of it cancels in whatever is
built on Γ; the excess g, which Stirling's series describes, is small: g ≈ ½·log(2π/x) for large x, −log x
near 0. It is convex. Formulas written in g and in Kullback–Leibler divergences of the rest keep their digits.

Nothing here knows about distributions. Every function is a NumPy expression over broadcast arrays.

References
----------
Whittaker, Watson (1927). A Course of Modern Analysis, sections 12.31 and 12.33.
Loader, C. (2000). Fast and accurate computation of binomial probabilities.
Minka, T. (2000). Estimating a Dirichlet distribution, appendix C.
Minka, T. (2002). Estimating a Gamma distribution.
"""

from __future__ import annotations

import numpy as np
from scipy import special

# Bernoulli numbers B₂, B₄, …, B₂₂: Stirling's series is right to the last digit from x = 8 on
_BERNOULLI = special.bernoulli(22)[2::2]
_ORDERS = 2.0 * np.arange(1, _BERNOULLI.size + 1)
_SERIES_FROM = 8.0
_HALF_LOG_TWO_PI = 0.5 * np.log(2.0 * np.pi)
_EULER = -float(special.psi(1.0))
# relative differences between these are integrated, others subtracted
_FALL, _RISE = -0.7, 2.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_NODES, _WEIGHTS = 0.5 * (1.0 + _NODES), 0.5 * _WEIGHTS
_STEPS = 100
# after relative steps of these sizes Newton's method has all digits, with a derivative of all or of three
_SMALL, _TINY = 1e-8, 1e-12


def trigamma(x: np.ndarray) -> np.ndarray:
    """Return ψ′(x) = (log Γ)″(x) for x > 0."""
    return special.zeta(2.0, x)


def tetragamma(x: np.ndarray) -> np.ndarray:
    """Return ψ″(x) = (log Γ)‴(x) for x > 0."""
    return -2.0 * special.zeta(3.0, x)


# -- the excess g and its derivatives ------------------------------------------------------------------------


def log_gamma_excess(x: np.ndarray) -> np.ndarray:
    """Return g(x) = log Γ(x) − x·log x + x for x > 0."""
    large, small = _split(x)
    series = (
        _HALF_LOG_TWO_PI - 0.5 * np.log(large) + large * _series(large, 1.0 / (_ORDERS * (_ORDERS - 1.0)))
    )
    return _join(x, series, special.gammaln(small) - special.xlogy(small, small) + small)


def digamma_excess(x: np.ndarray) -> np.ndarray:
    """Return g′(x) = ψ(x) − log x for x > 0; it is negative and rises to 0."""
    large, small = _split(x)
    return _join(x, -0.5 / large - _series(large, 1.0 / _ORDERS), special.psi(small) - np.log(small))


def excess_curvature(x: np.ndarray) -> np.ndarray:
    """Return x²·g″(x) = x²·ψ′(x) − x for x > 0; it falls from 1 at 0 to ½ at infinity."""
    large, small = _split(x)
    # ψ′(x) = 1/x² + ψ′(x + 1) does not overflow
    direct = 1.0 + small * (small * trigamma(1.0 + small) - 1.0)
    return _join(x, 0.5 + large * _series(large, np.ones_like(_ORDERS)), direct)


def excess_curvature_slope(x: np.ndarray) -> np.ndarray:
    """Return the derivative of x²·g″(x) with respect to log x, 2·x²·ψ′(x) + x³·ψ″(x) − x, for x > 0."""
    large, small = _split(x)
    direct = small * (small * (2.0 * trigamma(1.0 + small) + small * tetragamma(1.0 + small)) - 1.0)
    return _join(x, large * _series(large, 1.0 - _ORDERS), direct)


def _split(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return arguments for the series and for the direct form, each harmless where the other is used."""
    return np.maximum(x, _SERIES_FROM), np.minimum(x, _SERIES_FROM)


def _join(x: np.ndarray, series: np.ndarray, direct: np.ndarray) -> np.ndarray:
    return np.where(np.asarray(x) < _SERIES_FROM, direct, series)[()]


def _series(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Σₖ weightₖ·B₂ₖ/x²ᵏ."""
    square = (1.0 / np.asarray(x)) ** 2
    total = np.zeros_like(square)
    for coefficient in (weights * _BERNOULLI)[::-1]:
        total = (total + coefficient) * square
    return total


def excess_divergence(x: np.ndarray, y: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """Return g(y) − g(x) − g′(x)·(y − x) ≥ 0 for x, y > 0: the Bregman divergence of the excess.

    For near arguments it is (y − x)²·∫₀¹ (1 − t)·g″(x + t·(y − x)) dt, by Gauss–Legendre quadrature: a sum of
    non-negative terms. For far ones it is formed as it stands.

    Parameters
    ----------
    x, y : numpy.ndarray
        Positive.
    difference : numpy.ndarray
        y − x, which the caller may know more exactly than the subtraction does.
    """
    x, y, difference = np.broadcast_arrays(x, y, difference)
    near = (difference > _FALL * x) & (difference < _RISE * x)
    step = np.where(near, difference, 0.0)
    relative = step / x
    stretch = 1.0 + relative[..., None] * _NODES
    inside = x[..., None] * stretch
    with np.errstate(all="ignore"):
        bend = (excess_curvature(inside) / stretch**2) @ (_WEIGHTS * (1.0 - _NODES))
        far = log_gamma_excess(y) - log_gamma_excess(x) - digamma_excess(x) * difference
        return np.where(near, relative**2 * bend, far)[()]


# -- inverses ------------------------------------------------------------------------------------------------


def digamma_inverse(y: np.ndarray) -> np.ndarray:
    """Return the x > 0 with ψ(x) = y.

    Newton's method from above: ψ is concave, so that the first step lands below the root and the following
    ones rise to it. Since log(x − ½) < ψ(x) < log x and ψ(x) > −1/x − γ, the root lies between exp y and both
    exp y + ½ and, for y < −γ, −1/(y + γ). ψ′ to three digits is enough: each step then gains as many.
    """
    y = np.asarray(y)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        least = np.exp(y)
        x = np.where(y > -2.22, least + 0.5, -1.0 / (y + _EULER))
        for _ in range(_STEPS):
            step = (special.psi(x) - y) / _rough_trigamma(x)
            x = np.maximum(x - step, np.maximum(least, 0.1 * x))
            if not np.any(np.abs(step) > _TINY * x):
                break
    return x[()]


def _rough_trigamma(x: np.ndarray) -> np.ndarray:
    """Return ψ′(x) to a relative error of 3e-4, as 1/x² + ψ′(x + 1) with four terms of Stirling's series."""
    z = 1.0 / (1.0 + x)
    return 1.0 / x**2 + z * (1.0 + z * (1 / 2 + z * (1 / 6 - z * z / 30)))


def digamma_excess_inverse(y: np.ndarray) -> np.ndarray:
    """Return the x > 0 with log x − ψ(x) = y > 0.

    Newton's method for log y as a function of log x, which is nearly a straight line: x·(log x − ψ(x)) falls
    from 1 to ½, so that x lies between ½/y and 1/y.
    """
    y = np.asarray(y)
    least, most = 0.5 / y, 1.0 / y
    x = 0.75 / y
    for _ in range(_STEPS):
        value = digamma_excess(x)
        with np.errstate(over="ignore", invalid="ignore"):
            step = np.log(-value / y) * value * x / excess_curvature(x)
        x, before = np.clip(x * np.exp(-step), least, most), x
        if not np.any(np.abs(x - before) > _SMALL * x):
            break
    return x[()]
