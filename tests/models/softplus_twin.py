"""Means of log(1 + e^f), σ(f) and σ(f)(1 − σ(f)) under a normal f, slowly: the twins of softplus_means."""

from __future__ import annotations

import mpmath
import numpy as np

# where f is near 0 its functions bend, and beyond 40 they are straight to rounding
BENDS = np.array([-45.0, -30, -20, -12, -7, -4, -2, -1, 0, 1, 2, 4, 7, 12, 20, 30, 45])


def by_panels(mean, std):
    """By 40-point Gauss–Legendre panels between all bends of the integrands and of the density, in rows."""
    x, w = np.polynomial.legendre.leggauss(40)
    mean, std = np.atleast_1d(mean), np.atleast_1d(std)
    own = np.broadcast_to(np.linspace(-12.0, 12.0, 13), (mean.size, 13))
    ends = np.sort(np.clip(np.concatenate([own, (BENDS - mean[:, None]) / std[:, None]], axis=1), -12, 12))
    half = 0.5 * np.diff(ends)[..., None]
    z = 0.5 * (ends[:, 1:] + ends[:, :-1])[..., None] + half * x
    weight = half * w * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    f = mean[:, None, None] + std[:, None, None] * z
    small = np.exp(-np.abs(f))
    share = np.where(f > 0, 1.0, small) / (1.0 + small)
    functions = np.maximum(f, 0) + np.log1p(small), share, small / (1.0 + small) ** 2
    return np.stack([np.sum(weight * g, axis=(1, 2)) for g in functions])


def by_mpmath(mean, std, count=3):
    """By mpmath's adaptive quadrature with more than 30 digits, as mpmath numbers; the first `count`."""
    with mpmath.workdps(34):
        m, s = mpmath.mpf(mean), mpmath.mpf(std)
        bends = [(b - m) / s for b in (-40, -15, -5, 0, 5, 15, 40)]
        ends = sorted([-13, -6, -2, 2, 6, 13, *(b for b in bends if abs(b) < 13)])
        scale = 1 / mpmath.sqrt(2 * mpmath.pi)

        def sigma(f):
            return 1 / (1 + mpmath.exp(-f))

        functions = (
            lambda f: (f if f > 0 else 0) + mpmath.log1p(mpmath.exp(-abs(f))),
            sigma,
            lambda f: sigma(f) * sigma(-f),
        )
        return [
            mpmath.quad(
                lambda z, g=g: scale * mpmath.exp(-z * z / 2) * g(m + s * z), ends, method="gauss-legendre"
            )
            for g in functions[:count]
        ]
