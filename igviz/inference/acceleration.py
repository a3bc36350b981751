"""Anderson acceleration: the last natural-gradient steps combined into a longer one.

At step 1 the natural gradient is F(η) = G(η) − η, with a map G whose fixed points are the stationary points
of the ELBO. From the last changes of η and of F the combination is taken for which F, were it affine, would
be shortest. That turns a slow creep or a zigzag into a few steps. Lengths are those of the Fisher metric
at the present point, its precision replaced by the diagonal: nearly as good a ruler here, d times cheaper.

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

_SMALLEST = 1e-11  # singular values below this share of the largest are noise of the differences


class Natural(NamedTuple):
    """A vector in natural coordinates, as (Λm, Λ): a vector and a matrix, or two vectors if Λ is diagonal."""

    linear: np.ndarray
    precision: np.ndarray

    def __sub__(self, other: Natural) -> Natural:
        return Natural(self.linear - other.linear, self.precision - other.precision)

    def seen_from(self, here: Place) -> np.ndarray:
        """Return its coordinates in which the metric with the diagonal of Λ for Λ is the identity."""
        return _seen(self.linear[None], self.precision[None], here)[0]


def _seen(linear: np.ndarray, precision: np.ndarray, here: Place) -> np.ndarray:
    """Return those coordinates of several vectors, stacked along the first axis."""
    if here.diagonal:
        unit = here.root
        mean_part, spread = unit * (linear - precision * here.mean), unit**2 * precision
    else:
        unit = 1.0 / np.sqrt(np.diagonal(here.precision))
        mean_part = unit * (linear - precision @ here.mean)
        spread = (precision * np.outer(unit, unit)).reshape(len(linear), -1)
    return np.concatenate([mean_part, spread / np.sqrt(2.0)], axis=1)


class _Change(NamedTuple):
    """What one step changed."""

    moved: Natural  # the place
    bent: Natural  # its natural gradient
    slowness: float  # the length of the second by that of the first, 1 on a linear model


class Memory:
    """The last steps of a walk, and the place that they point to.

    Parameters
    ----------
    length : int
        How many steps are remembered, at least 1.
    """

    def __init__(self, length: int) -> None:
        self._changes: deque[_Change] = deque(maxlen=length)
        self._last: tuple[Natural, Natural] | None = None

    def add(self, here: Place) -> None:
        """Remember the place that the walk has come to."""
        point, pull = _coordinates(here)
        if self._last is not None:
            moved, bent = point - self._last[0], pull - self._last[1]
            lengths = [float(np.linalg.norm(change.seen_from(here))) for change in (bent, moved)]
            slowness = lengths[0] / lengths[1] if np.all(np.isfinite(lengths)) and lengths[1] > 0.0 else 1.0
            self._changes.append(_Change(moved, bent, slowness))
        self._last = point, pull

    def forget(self) -> None:
        """Begin anew, after a step from which nothing can be learnt."""
        self._changes.clear()
        self._last = None

    @property
    def slowness(self) -> float:
        """By how little the natural gradient changed along the remembered steps; 0 if there are none.

        Where it changes by the share s of the way, the top is its length over s away, and half its squared
        length over s higher.
        """
        return min((change.slowness for change in self._changes), default=0.0)

    def suggest(self, here: Place) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Return mean, precision and root of where the steps point to, if anywhere, from the last place."""
        if not self._changes or self._last is None:
            return None
        point, pull = self._last
        vectors = [pull, *(change.bent for change in self._changes)]
        seen = _seen(np.stack([v.linear for v in vectors]), np.stack([v.precision for v in vectors]), here)
        if not np.all(np.isfinite(seen)):
            return None
        products = seen @ seen.T
        shares = np.linalg.lstsq(products[1:, 1:], products[1:, 0], rcond=_SMALLEST)[0]
        linear, precision = point.linear + pull.linear, point.precision + pull.precision
        for share, change in zip(shares, self._changes, strict=True):
            linear = linear - share * (change.moved.linear + change.bent.linear)
            precision = precision - share * (change.moved.precision + change.bent.precision)
        root = root_of_inverse(precision)
        if root is None:
            return None
        rest = linear - (precision * here.mean if here.diagonal else precision @ here.mean)
        natural = root**2 * rest if here.diagonal else root @ (root.T @ rest)
        return here.mean + natural, precision, root


def _coordinates(here: Place) -> tuple[Natural, Natural]:
    """Return the place in natural coordinates, and the natural gradient there."""
    times = np.multiply if here.diagonal else np.matmul
    change = -here.hessian - here.precision
    return (
        Natural(times(here.precision, here.mean), here.precision),
        Natural(times(change, here.mean) + here.gradient, change),
    )
