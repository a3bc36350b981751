"""Anderson acceleration: the last natural-gradient steps combined into a longer one.

At step 1 the natural gradient is F(η) = G(η) − η, with a map G whose fixed points are the stationary points of
the ELBO. From the last changes of η and of F the combination is taken for which F, were it affine, would be
shortest, in the Fisher length at the present point. That turns a slow creep or a zigzag into a few steps.

References
----------
Anderson, D. G. (1965). Iterative procedures for nonlinear integral equations, section 4. Walker, H. F. and
Ni, P. (2011). Anderson acceleration for fixed-point iterations, section 2.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from igviz.inference.place import Place, root_of_inverse

_SMALLEST = 1e-8  # singular values below this share of the largest are noise of the differences


class Natural(NamedTuple):
    """A vector in natural coordinates, as (Λm, Λ): a vector and a matrix, or two vectors if Λ is diagonal."""

    linear: np.ndarray
    precision: np.ndarray

    def __sub__(self, other: Natural) -> Natural:
        return Natural(self.linear - other.linear, self.precision - other.precision)

    def seen_from(self, here: Place) -> np.ndarray:
        """Return its coordinates in which the Fisher metric at a place is the identity."""
        root = here.root
        if here.diagonal:
            mean_part = root * (self.linear - self.precision * here.mean)
            spread = root**2 * self.precision
        else:
            mean_part = root.T @ (self.linear - self.precision @ here.mean)
            spread = (root.T @ self.precision @ root).ravel()
        return np.concatenate([mean_part, spread / np.sqrt(2.0)])


class Memory:
    """The last steps of a walk, and the place that they point to."""

    def __init__(self, length: int) -> None:
        self._changes: deque[tuple[Natural, Natural]] = deque(maxlen=length)
        self._last: tuple[Natural, Natural] | None = None
        self._length = length

    def suggest(self, here: Place) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Remember a place, and return mean, precision and root of where the steps point to, if anywhere."""
        if not self._length:
            return None
        point, pull = _coordinates(here)
        if self._last is not None:
            self._changes.append((point - self._last[0], pull - self._last[1]))
        self._last = (point, pull)
        if not self._changes:
            return None
        columns = np.stack([change.seen_from(here) for _moved, change in self._changes], axis=1)
        shares = np.linalg.lstsq(columns, pull.seen_from(here), rcond=_SMALLEST)[0]
        linear, precision = point.linear + pull.linear, point.precision + pull.precision
        for share, (moved, change) in zip(shares, self._changes, strict=True):
            linear = linear - share * (moved.linear + change.linear)
            precision = precision - share * (moved.precision + change.precision)
        if here.diagonal:
            root = root_of_inverse(precision)
            return (
                None
                if root is None
                else (here.mean + root**2 * (linear - precision * here.mean), precision, root)
            )
        precision = 0.5 * (precision + precision.T)
        root = root_of_inverse(precision)
        if root is None:
            return None
        return here.mean + root @ (root.T @ (linear - precision @ here.mean)), precision, root


def _coordinates(here: Place) -> tuple[Natural, Natural]:
    """Return the place in natural coordinates, and the natural gradient there."""
    times = np.multiply if here.diagonal else np.matmul
    change = -here.hessian - here.precision
    return (
        Natural(times(here.precision, here.mean), here.precision),
        Natural(times(change, here.mean) + here.gradient, change),
    )
