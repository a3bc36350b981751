"""The standard density of Student's t with ν degrees of freedom: slopes, height and mean of the tail."""

from __future__ import annotations

from typing import Any

import numpy as np

from igviz.geometry.gamma_functions import digamma_excess, log_gamma_excess

HALF_LOG_PI = 0.5 * np.log(np.pi)


def heavy_tailed_score(z: np.ndarray, degrees: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return ψ = (ν + 1)·z/(ν + z²), minus the slope of the log-density, and z·ψ."""
    sine, radius = _polar(z, degrees)
    return (degrees + 1.0) * (sine / radius), (degrees + 1.0) * sine**2


def heavy_tailed_curvature(z: np.ndarray, degrees: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ψ′ = (ν + 1)·(ν − z²)/(ν + z²)², z·ψ′ and z²·ψ′."""
    sine, radius = _polar(z, degrees)
    turn = (degrees + 1.0) * (1.0 - 2.0 * sine**2)
    return turn / radius / radius, turn * (sine / radius), turn * sine**2


def _polar(z: np.ndarray, degrees: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return z/√(ν + z²) and √(ν + z²); z² might overflow."""
    z = np.clip(z, -1e300, 1e300)  # at infinity the limits hold
    radius = np.hypot(np.sqrt(degrees), z)
    return z / radius, radius


def log_gamma_rise(degrees: Any) -> Any:
    """Return log Γ((ν + 1)/2) − log Γ(ν/2), without the cancellation for large ν."""
    x = 0.5 * degrees
    elementary = 0.5 * np.log(x) + ((x + 0.5) * np.log1p(0.5 / x) - 0.5)
    return elementary + (log_gamma_excess(x + 0.5) - log_gamma_excess(x))


def log_height(degrees: Any) -> Any:
    """Return the standard log-density at 0."""
    return log_gamma_rise(degrees) - 0.5 * np.log(degrees) - HALF_LOG_PI


def mean_tail(degrees: Any) -> Any:
    """Return (ν + 1)/2·E[log(1 + z²/ν)] = (ν + 1)/2·(ψ((ν + 1)/2) − ψ(ν/2)) with the digamma function ψ."""
    x = 0.5 * degrees
    return (x + 0.5) * (np.log1p(0.5 / x) + (digamma_excess(x + 0.5) - digamma_excess(x)))
