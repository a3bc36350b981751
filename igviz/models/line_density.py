"""Maxima, integral and moments of a density on a line, given by its logarithm up to a constant."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from scipy.optimize import minimize_scalar

from igviz.geometry.adaptive_quadrature import integrate
from igviz.models.line_differences import first_derivative, second_derivative

_SCAN = np.sinh(np.linspace(-14.0, 14.0, 5_601))  # where maxima are looked for, in units of the ruler
_FORGOTTEN = 60.0  # nats below the highest maximum another one does not matter
_FAR = 1e6  # widths from the highest maximum begin the tails
_NOTHING = 1e-12  # of an integral may be in their last part
_ROUNDING = np.finfo(float).eps


class LineDensity:
    """A density e^f, not normalised, of a function f on a line.

    Parameters
    ----------
    logarithm : callable
        Maps points of any shape to f in nats; −∞ is allowed, and nan, which is taken for −∞, where the
        density is next to nothing: there f is often the difference of two numbers that overflow.
    centre, unit : float
        Around where maxima are looked for and on which scale: between centre ± 600,000 units, 0.005 units
        apart near the centre and 0.5 % of the distance farther out. What is narrower than that is found if
        the slopes around lead to it.

    Raises
    ------
    ArithmeticError
        By each property, with the reason: the density has no maximum, is not integrable, and so on.
    """

    def __init__(
        self, logarithm: Callable[[np.ndarray], np.ndarray], centre: float = 0.0, unit: float = 1.0
    ) -> None:
        self._given, self._unit = logarithm, unit
        self._scan = centre + unit * _SCAN

    def _logarithm(self, z: np.ndarray) -> np.ndarray:
        values = self._given(z)
        return np.where(np.isnan(values), -np.inf, values)

    @cached_property
    def modes(self) -> np.ndarray:
        """The maxima that matter, shape (count,), in increasing order."""
        z, values = self._scan, self._logarithm(self._scan)
        if np.any(values == np.inf):
            raise ArithmeticError(f"it is infinite at z = {z[np.argmax(values)]:.6g}")
        self._require_numbers(values)
        peaks = np.flatnonzero((values[1:-1] >= values[:-2]) & (values[1:-1] > values[2:])) + 1
        if not peaks.size:
            raise ArithmeticError("it has no maximum")
        found = np.array([self._highest(*z[peak - 1 : peak + 2]) for peak in peaks])
        heights = self._logarithm(found)
        return np.array([self._polished(mode) for mode in found[heights > np.max(heights) - _FORGOTTEN]])

    def _require_numbers(self, values: np.ndarray) -> None:
        """Raise if next to a place that is nan the density is not next to nothing."""
        unknown = np.isnan(self._given(self._scan))
        beside = np.zeros_like(unknown)
        beside[1:] |= unknown[:-1]
        beside[:-1] |= unknown[1:]
        dense = beside & ~unknown & (values > np.max(values) - _FORGOTTEN)
        if np.any(dense) or np.all(unknown):
            place = np.argmax(dense)
            raise ArithmeticError(f"it is no number, nan, next to z = {self._scan[place]:.6g}")

    def _highest(self, low: float, middle: float, high: float) -> float:
        """Return the maximum between two points."""
        result = minimize_scalar(
            lambda z: -float(self._logarithm(np.array(z))),
            bounds=(low, high),
            method="bounded",
            options={"xatol": 1e-10 * (high - low)},
        )
        return float(result.x) if -result.fun >= self._logarithm(np.array(middle)) else middle

    def _polished(self, mode: float) -> float:
        """Return the mode after one step of Newton's method: heights alone give half of the digits."""
        width = self._fall(mode)
        slope = first_derivative(self._logarithm, np.array(mode), width)
        curvature = second_derivative(self._logarithm, np.array(mode), width)
        step = -slope / curvature if curvature < 0.0 else 0.0
        return float(mode + step if abs(step) < 1e-3 * width else mode)

    def _fall(self, mode: float) -> float:
        """Return how far from a maximum f has fallen by 1 nat on one side, up to a factor of 2."""
        distances = self._unit * 2.0 ** np.arange(-60, 41)
        higher = np.minimum(self._logarithm(mode - distances), self._logarithm(mode + distances))
        fallen = higher < self._logarithm(np.array(mode)) - 1.0
        if not np.any(fallen):
            raise ArithmeticError("it falls on neither side of its maximum")
        return float(distances[np.argmax(fallen)])

    @cached_property
    def _top(self) -> tuple[float, float, float]:
        """Place, height and width of the highest maximum."""
        heights = self._logarithm(self.modes)
        highest = int(np.argmax(heights))
        mode, height = float(self.modes[highest]), float(heights[highest])
        return mode, height, self._fall(mode)

    @property
    def width(self) -> float:
        """How far from the highest maximum the logarithm has fallen by 1 nat, up to a factor of 2."""
        return self._top[2]

    # -- integrals, of e^(f − height) ----------------------------------------------------------------------

    def _density(self, z: np.ndarray) -> np.ndarray:
        return np.exp(self._logarithm(z) - self._top[1])

    @cached_property
    def _share(self) -> float:
        """By what integrands of values around 1 are multiplied.

        They are found to an absolute tolerance, and their rounding has to be below it: that of f, and that of
        places which are far out and close to each other.
        """
        mode, height, width = self._top
        rounding = _ROUNDING * (abs(height) + np.max(np.abs(self.modes)) / width)
        if rounding > 1e-4:
            raise ArithmeticError(
                f"rounding hides it: around z = {mode:.6g}, where it is {height:.6g}, it falls by 1 within "
                f"{width:.3g}"
            )
        return 1e-13 / max(1e-13, rounding)

    def _integrate(self, integrand: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, ...]:
        breaks = [-np.inf, *self.modes, np.inf]
        total, z, weights = integrate(lambda z: self._share * integrand(z), breaks)
        return total / self._share, z, weights

    @cached_property
    def _mass(self) -> tuple[float, np.ndarray, np.ndarray]:
        """The integral, and points with their shares of it."""
        with np.errstate(over="ignore"):
            scale = max(self.width, float(np.trapezoid(self._density(self._scan), self._scan)))
        total, z, weights = self._integrate(lambda z: self._density(z) / scale)
        weights = weights * self._density(z) / float(total) / scale
        self._require_no_tail(z, weights, "integral")
        return float(total) * scale, z, weights

    def _require_no_tail(self, z: np.ndarray, shares: np.ndarray, name: str) -> None:
        """Raise if a tail is cut off by an overflow, and not by its own fall."""
        distances = np.abs(z - self._top[0])
        end = np.max(distances[shares > 0.0])
        beyond = np.sum(shares[distances > 0.5 * end])
        if end > _FAR * self.width and beyond > _NOTHING * np.sum(shares):
            raise ArithmeticError(f"its {name} is not finite")

    @property
    def log_integral(self) -> float:
        """The logarithm of ∫ e^f dz."""
        return self._top[1] + float(np.log(self._mass[0]))

    @cached_property
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation."""
        mass, z, shares = self._mass
        z, shares = z[shares > 0.0], shares[shares > 0.0]
        with np.errstate(over="ignore"):
            # nearly right: these points were chosen for the integral
            mean = float(shares @ z)
            squares = shares * (z - mean) ** 2
            std = float(np.sqrt(np.sum(squares)))
        self._require_no_tail(z, squares, "variance")

        def powers(z: np.ndarray) -> np.ndarray:
            density = self._density(z) / mass
            with np.errstate(over="ignore", invalid="ignore"):
                shift = (z - mean) / std
                return np.where(density > 0.0, np.stack([shift, shift**2]) * density, 0.0)

        try:
            first, second = self._integrate(powers)[0]
        except ArithmeticError as error:
            raise ArithmeticError(f"its variance is not finite: {error}") from None
        # the square of first is below rounding: what was missed has next to no mass
        return mean + std * float(first), std * float(np.sqrt(second))
