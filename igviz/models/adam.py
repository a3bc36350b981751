"""Adam on a flat array of parameters, in place: what trains the networks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike


class Adam:
    """Adam, on a flat array of parameters, in place: downhill.

    Parameters
    ----------
    size : int
        The number of parameters.
    dtype : dtype
        Of the parameters.
    decay, decay_of_squares : float
        Of the running means of the gradient and of its square.
    floor : float
        Added to the root of the mean square.

    References
    ----------
    Kingma, D. P., Ba, J. (2015). Adam: A Method for Stochastic Optimization. ICLR, algorithm 1.
    """

    def __init__(
        self,
        size: int,
        dtype: DTypeLike = np.float64,
        decay: float = 0.9,
        decay_of_squares: float = 0.999,
        floor: float = 1e-8,
    ) -> None:
        self.steps = 0
        self.mean, self.square = np.zeros(size, dtype), np.zeros(size, dtype)
        self._work = np.empty(size, dtype)
        self._decays, self._floor = (decay, decay_of_squares), floor

    def step(self, parameters: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Move the parameters one step of Adam against the gradient."""
        self.steps += 1
        first, second = self._decays
        work, kind = self._work, parameters.dtype.type
        self.mean *= kind(first)
        np.multiply(gradient, kind(1.0 - first), out=work)
        self.mean += work
        self.square *= kind(second)
        np.multiply(gradient, gradient, out=work)
        work *= kind(1.0 - second)
        self.square += work
        # the corrections of both means for their start at 0 go into two numbers
        root = math.sqrt(1.0 - second**self.steps)
        np.sqrt(self.square, out=work)
        work += kind(self._floor * root)
        np.divide(self.mean, work, out=work)
        work *= kind(rate * root / (1.0 - first**self.steps))
        parameters -= work
