"""The affine parameter of a curve that is known in another one.

A geodesic of a connection is often known as a curve x(u), 0 ≤ u ≤ 1, with a rate dt/du > 0 up to a factor,
where t is its affine parameter with t(0) = 0 and t(1) = 1. Here is t(u) and its inverse.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Rate = Callable[[np.ndarray], np.ndarray]

# pieces that halve towards both ends, where a rate may be steep, and are even between
_HALF = np.concatenate([[0.0], 2.0 ** np.arange(-30.0, -5.0), np.arange(2, 17) / 32.0])
_EDGES = np.concatenate([_HALF, 1.0 - _HALF[-2::-1]])
_WIDTHS = np.diff(_EDGES)
_ABSCISSAE, _GAUSS = np.polynomial.legendre.leggauss(16)
_ITERATIONS = 12


class AffineTime:
    """t(u) of one curve, to about 1e-14 for rates that are smooth beyond the ends.

    Parameters
    ----------
    rate : callable
        Maps u of any shape to dt/du up to a constant factor; nan or not positive where the curve has ended.
    """

    def __init__(self, rate: Rate) -> None:
        nodes = _EDGES[:-1, None] + 0.5 * _WIDTHS[:, None] * (1.0 + _ABSCISSAE)
        passed = np.concatenate([[0.0], np.cumsum(0.5 * _WIDTHS * (rate(nodes) @ _GAUSS))])
        self._given, self._total, self._times = rate, passed[-1], passed / passed[-1]

    def rate(self, u: np.ndarray) -> np.ndarray:
        """Return dt/du."""
        return self._given(u) / self._total

    def inverse(self, t: np.ndarray) -> np.ndarray:
        """Return u at times of shape (m,).

        Raises
        ------
        ValueError
            If the curve ends before one of the times.
        """
        u = self._inside(np.clip(t, 0.0, 1.0))
        for outside, start in ((t < 0.0, 0.0), (t > 1.0, 1.0)):
            if np.any(outside):
                u[outside] = self._beyond(t[outside], start)
        return u

    def _inside(self, t: np.ndarray) -> np.ndarray:
        """Newton's method within one piece, on which the rate hardly changes."""
        piece = np.clip(np.searchsorted(self._times, t, side="right") - 1, 0, _WIDTHS.size - 1)
        low, width, rest = _EDGES[piece], _WIDTHS[piece], t - self._times[piece]
        # a piece that is over in no time is passed at once
        duration = np.maximum(np.diff(self._times)[piece], 1e-300)
        part = width * np.clip(rest / duration, 0.0, 1.0)
        for _ in range(_ITERATIONS):
            nodes = low[:, None] + 0.5 * part[:, None] * (1.0 + _ABSCISSAE)
            missing = rest - 0.5 * part * (self.rate(nodes) @ _GAUSS)
            speed = np.maximum(self.rate(low + part), 1e-300)
            before, part = part, np.clip(part + missing / speed, 0.0, width)
            if np.all(np.abs(part - before) <= 1e-15):
                break
        return np.where(t >= 1.0, 1.0, low + part)

    def _beyond(self, t: np.ndarray, start: float) -> np.ndarray:
        """Integrate du/dt = 1/rate from an end."""
        from scipy.integrate import solve_ivp  # half a second on first use, and seldom used

        order = np.argsort(np.abs(t - start))
        with np.errstate(all="ignore"):
            solution = solve_ivp(
                lambda _, u: 1.0 / self.rate(u),
                (start, t[order[-1]]),
                [start],
                method="DOP853",
                t_eval=t[order],
                rtol=1e-12,
                atol=1e-14,
            )
        if solution.status != 0 or not np.all(self.rate(solution.y[0]) > 0.0):
            raise ValueError("the path ends before it gets there")
        result = np.empty(t.size)
        result[order] = solution.y[0]
        return result
