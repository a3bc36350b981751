"""Derivatives by its parameters of a log-density that is known as a function only.

Steps are measured in units of about ½/√I, the change of a parameter that shows in the data, and are smaller
for a value x at which the log-density changes faster than it does on average.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.numerics import as_numbers

WHO = "information_by_quadrature"
# f′ ≈ Σⱼ aⱼ·(f(jh) − f(−jh))/h and f″ ≈ Σⱼ bⱼ·(f(jh) − 2·f(0) + f(−jh))/h², j = 1 … 4
_FIRST = np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])
_SECOND = np.array([8 / 5, -1 / 5, 8 / 315, -1 / 560])
_STEP = 1 / 32  # of a unit: truncation and rounding of f″ are then both near 1e-12
_CLEAR = 1 / 16  # of the distance to a place that moves with the parameter a step is at most
_REACH = len(_FIRST) * _STEP
_CHANGE = 0.25  # of the log-density from one end of the differences to the other, at most
_HALVINGS = 100
_CLOSE = 3e-5  # of the density's width: as near such a place derivatives are taken from further off


class LogDensity:
    """A log-density at one theta, shape (k,), and its derivatives there by differences of eighth order.

    `log_density(x, *theta)` is as for `igviz.information_by_quadrature`.
    """

    def __init__(self, log_density: Callable[..., ArrayLike], theta: np.ndarray) -> None:
        if not callable(log_density):
            raise TypeError(
                f"{WHO}: log_density must be callable as log_density(x, *theta), got {log_density!r}"
            )
        self.log_density, self.theta = log_density, theta
        self.units, self.width, self.moving = np.ones(theta.size), 1.0, np.empty(0)

    def log_prob(self, x: np.ndarray, shift: Any = 0.0) -> np.ndarray:
        """Return the log-density at x, shape (n,), with theta moved by the shift."""
        try:
            with np.errstate(all="ignore"):  # a log of 0 is meant
                returned = self.log_density(x, *(self.theta + shift).tolist())
        except ValueError:
            if not np.any(shift):
                raise
            return np.full(x.shape, np.nan)  # no distribution has these parameters
        values = as_numbers(WHO, "what log_density returns", returned)
        try:
            return np.broadcast_to(values, x.shape)
        except ValueError:
            raise ValueError(
                f"{WHO}: log_density must return an array of the shape of x, {x.shape}, got {values.shape}"
            ) from None

    def pdf(self, x: np.ndarray) -> np.ndarray:
        """Return the density at x."""
        values = self.log_prob(x)
        if np.any(np.isnan(values)):
            where = x[np.isnan(values)][0]
            raise ValueError(f"{WHO}: log_density must be a number or -inf, got nan at x = {where:.6g}")
        with np.errstate(over="ignore"):
            return np.exp(values)

    # -- scales --------------------------------------------------------------------------------------------

    def measure(self, x: np.ndarray, mass: np.ndarray, breaks: list[float]) -> None:
        """Find the units of the parameters, the width of the density, and the places that move with theta."""
        self.units = np.array([self._unit(axis, x, mass) for axis in np.eye(self.theta.size)])
        if not breaks:
            return
        order = np.argsort(x)
        share = np.cumsum(mass[order])
        quartiles = x[order][np.searchsorted(share, [0.25 * share[-1], 0.75 * share[-1]])]
        self.width = float(quartiles[1] - quartiles[0])
        reaches = [sign * _REACH * shift for shift in self._shifts() for sign in (1.0, -1.0)]
        ends_move = any(np.any(np.isneginf(self.log_prob(x, reach))) for reach in reaches)
        places = np.array(breaks if ends_move else breaks[1:-1])
        self.moving = places[np.isfinite(places)]

    def _unit(self, axis: np.ndarray, x: np.ndarray, mass: np.ndarray) -> float:
        """Return a change of one parameter to which the log-density responds visibly but linearly.

        It is a power of 2, so that theta moved by it is exact.
        """

        def response(step: float) -> float:
            up, down = (self.log_prob(x, sign * step * axis) for sign in (1.0, -1.0))
            known = np.isfinite(up) & np.isfinite(down)
            # where there is no distribution the log-density is nan, for most x or for a few far ones
            if np.sum(mass[np.isnan(up + down)]) > 1e-3 or not np.any(known):
                return np.inf
            return float(np.sqrt(np.sum(mass[known] * (up[known] - down[known]) ** 2)))

        def fits(step: float) -> bool:
            far, near = response(step), response(0.5 * step)
            return 0.0 < far <= 1.0 and 1.8 * near <= far <= 2.2 * near

        start = step = 2.0 ** np.ceil(np.log2(max(1.0, abs(float(axis @ self.theta)))))
        while not fits(step):
            step *= 0.5
            if step < 1e-15 * start:
                return start  # the parameter does not matter
        while fits(2.0 * step) and step < 1e300:
            step *= 2.0
        return step

    def _shifts(self) -> np.ndarray:
        """Return the directions of the differences: each parameter by its unit, and two together."""
        single = np.diag(self.units)
        return single if self.theta.size == 1 else np.vstack([single, self.units])

    # -- derivatives ---------------------------------------------------------------------------------------

    def products(self, x: np.ndarray) -> np.ndarray:
        """Return rows of functions of x in units: the k scores, their products, minus second derivatives.

        The products and second derivatives are those of the parameters 11 or, if k = 2, of 11, 22 and 12.
        """
        first, second = np.stack([self._derivatives(x, shift) for shift in self._shifts()], axis=1)
        if self.theta.size == 1:
            return np.vstack([first, first**2, -second])
        a, b, _ = first
        mixed = 0.5 * (second[2] - second[0] - second[1])
        return np.vstack([a, b, a * a, b * b, a * b, -second[0], -second[1], -mixed])

    def _derivatives(self, x: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Return first and second derivative of the log-density along a shift, shape (2, n).

        The step is halved until the log-density hardly changes and no moving place is passed, for each x.
        """
        x, gap = self._away(x)
        result, waiting, step = np.empty((2, x.size)), np.arange(x.size), _STEP
        for _ in range(_HALVINGS):
            with np.errstate(invalid="ignore"):
                reach = _REACH / _STEP * step * shift
                change = np.abs(self.log_prob(x[waiting], reach) - self.log_prob(x[waiting], -reach))
            clear = step * np.max(np.abs(shift)) <= _CLEAR * gap[waiting]
            fits = clear & (change <= _CHANGE)
            here, waiting = waiting[fits], waiting[~fits]
            result[:, here] = self._differences(x[here], step * shift) / np.array([[step], [step**2]])
            if not waiting.size:
                return result
            step *= 0.5
        raise ValueError(
            f"{WHO}: log_density must have finite derivatives by theta, but has none at "
            f"x = {x[waiting][0]:.6g}; points must name every place where it jumps"
        )

    def _away(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return x and its distance to the nearest moving place, which is kept above a least value.

        Right at such a place no step is left: derivatives there are those a little way off.
        """
        if not self.moving.size:
            return x, np.full(x.size, np.inf)
        gaps = x[:, None] - self.moving
        nearest = np.argmin(np.abs(gaps), axis=1)
        gap = gaps[np.arange(x.size), nearest]
        distance = np.maximum(np.abs(gap), _CLOSE * self.width)
        return self.moving[nearest] + np.copysign(distance, gap), distance

    def _differences(self, x: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Return the differences of first and second order for a step, shape (2, n)."""
        centre = self.log_prob(x)
        odd, even = np.zeros(x.size), np.zeros(x.size)
        for j, (a, b) in enumerate(zip(_FIRST, _SECOND, strict=True), start=1):
            up, down = self.log_prob(x, j * shift) - centre, self.log_prob(x, -j * shift) - centre
            odd, even = odd + a * (up - down), even + b * (up + down)
        return np.stack([odd, even])
