"""The hyperbolic half-plane, metric (dx² + dy²)/y², in forms that are stable for near and for far points.

Symmetric location-scale families have this geometry after stretching their location and scaling their
lengths: for the normal distribution x = mean/√2, y = std, and lengths are √2 times the hyperbolic ones. The
half-plane does not care where x starts, so the functions take the *shift* x₂ − x₁: a difference keeps digits
that two numbers lose.

References
----------
Costa, Santos, Strapasson (2015). Fisher information distance: a geometrical reading, section 2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def distance(
    shift: np.ndarray, start: np.ndarray, end: np.ndarray, rise: np.ndarray | None = None
) -> np.ndarray:
    """Return the hyperbolic distance between (0, start) and (shift, end), with positive heights.

    cosh d = 1 + (shift² + (end − start)²)/(2·start·end), evaluated as
    2·asinh(√((cosh d − 1)/2)) because arccosh loses half the digits of a small distance. `rise` is
    end − start where the caller knows it more exactly than the subtraction does.
    """
    euclidean = np.hypot(shift, end - start if rise is None else rise)
    root_start, root_end = np.sqrt(start), np.sqrt(end)
    with np.errstate(over="ignore", divide="ignore"):
        chord = euclidean / root_start / root_end
        far = np.log(euclidean) - np.log(root_start) - np.log(root_end)
    return np.where(np.isfinite(chord), 2.0 * np.arcsinh(0.5 * chord), 2.0 * far)[()]


def geodesic(
    shift: np.ndarray, start: np.ndarray, end: np.ndarray, rise: np.ndarray | None = None
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return the geodesic from (0, start) at t = 0 to (shift, end) at t = 1, at constant speed, for all t.

    In units of the first height, a geodesic from (0, 1) at the angle ψ from the vertical is, at length s,

        y = 1/(cosh s − cos ψ·sinh s),  x = sin ψ·sinh s·y.

    There is no circle in it whose radius grows as the shift vanishes: vertical lines are the case sin ψ = 0.
    The denominator is a sum of two positive terms, ½(1 − cos ψ)·eˢ + ½(1 + cos ψ)·e⁻ˢ. `rise` as
    for `distance`.

    Returns
    -------
    callable
        t (broadcasting with the points) → (x, height) arrays.
    """
    across = shift / start
    total = distance(shift, start, end, rise)
    rise = (end - start if rise is None else rise) / start
    below, above = np.hypot(across, rise), np.hypot(across, rise + 2.0)
    apart = below > 0.0
    unit = np.where(apart, below, 1.0)
    sine = 2.0 * (across / unit) / above
    # equal points have no direction; straight up serves
    cosine = np.where(apart, (across / unit) * (across / above) + (rise / unit) * ((rise + 2.0) / above), 1.0)
    minus, plus = 1.0 - cosine, 1.0 + cosine
    # 1 ∓ cos ψ = sin²ψ/(1 ± cos ψ) without cancellation
    falling = np.where(cosine > 0.0, sine**2 / np.where(cosine > 0.0, plus, 1.0), minus)
    rising = np.where(cosine < 0.0, sine**2 / np.where(cosine < 0.0, minus, 1.0), plus)

    return lambda t: _along(start, sine, falling, rising, t * total)


def exponential_map(start: float, angle: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (x, height) a length away from (0, start) on the geodesics that leave it at an angle.

    The angle is counted from the direction of growing x towards that of growing height; angles and lengths
    broadcast.
    """
    from_above = 0.5 * (0.5 * np.pi - angle)  # half the angle from the vertical
    return _along(start, np.cos(angle), 2.0 * np.sin(from_above) ** 2, 2.0 * np.cos(from_above) ** 2, length)


def _along(
    start: np.ndarray | float, sine: np.ndarray, falling: np.ndarray, rising: np.ndarray, length: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (x, height) at a length from (0, start), given sin ψ, 1 − cos ψ and 1 + cos ψ."""
    height = 2.0 / (falling * np.exp(length) + rising * np.exp(-length))
    return start * (sine * np.sinh(length) * height), start * height
