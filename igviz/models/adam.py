"""Adam on a flat array of parameters, in place: what trains the networks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike

from igviz.inference.arguments import require, require_count, require_positive
from igviz.models.network import checked_dtype


class Adam:
    """Adam, on a flat array of parameters, in place: downhill.

    Parameters
    ----------
    size : int
        The number of parameters.
    dtype : {numpy.float64, numpy.float32}
        Of the parameters and the gradients.
    decay, decay_of_squares : float
        Of the running means of the gradient and of its square, at least 0 and below 1.
    floor : float
        Added to the root of the mean square after its correction, the ε of the paper's algorithm 1.

    Attributes
    ----------
    steps : int
        So many were done.
    mean, square : numpy.ndarray
        The running means, not corrected for their start at 0.

    Raises
    ------
    ValueError
        If an argument is of the wrong kind or out of its range.

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
        require_count("Adam", "size", size, 1)
        for name, value in (("decay", decay), ("decay_of_squares", decay_of_squares)):
            number = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
            require(number and 0 <= value < 1, "Adam", name, value, "at least 0 and below 1")
        require_positive("Adam", "floor", floor)
        dtype = checked_dtype("Adam", dtype)
        self.steps = 0
        self.mean, self.square = np.zeros(size, dtype), np.zeros(size, dtype)
        self._work = np.empty(size, dtype)
        self._decays, self._floor = (decay, decay_of_squares), floor

    def step(self, parameters: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Move the parameters one step of Adam against the gradient.

        Raises
        ------
        ValueError
            If one of the arrays has another shape or dtype than was announced.
        """
        for name, given in (("parameters", parameters), ("gradient", gradient)):
            if given.shape != self.mean.shape or given.dtype != self.mean.dtype:
                wanted = f"of shape {self.mean.shape} and {self.mean.dtype}"
                raise ValueError(f"Adam: {name} must be {wanted}, got {given.shape} and {given.dtype}")
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
