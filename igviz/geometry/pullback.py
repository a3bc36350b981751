"""The geometry a decoder pulls back: the length of a step in latent space is how much the outputs change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry import differences
from igviz.geometry.numerics import as_numbers
from igviz.geometry.pullback_geodesics import LatentGeodesic, shortest
from igviz.geometry.pullback_outputs import OUTPUTS
from igviz.geometry.riemannian import RiemannianManifold

Function = Callable[[np.ndarray], ArrayLike]


class PullbackGeometry:
    """The Fisher metric of a decoder's distributions, in latent coordinates: JᵀIJ.

    It is symmetric and positive semi-definite: directions in which no output changes have length 0.

    Parameters
    ----------
    decoder : callable
        Maps rows of latent points, shape (n, k), to parameters of independent pixels, shape (n, D).
    outputs : {"logits", "probabilities", "means and stds"}
        What they are: log odds or probabilities of Bernoulli pixels, or the means and then the standard
        deviations of normal ones.
    jacobian : callable, optional
        Maps rows of latent points to ∂outputs/∂z, shape (n, D, k). Without it the decoder's own ``jacobian``
        is used, if it has one (or its ``value_and_jacobian``, which gives both at once), else central
        differences of order eight, whose steps fit functions that change over latent distances of about 1.

    Raises
    ------
    TypeError
        If decoder or jacobian is not callable.
    ValueError
        If outputs is none of the three. When something is computed: if points are not finite, or the decoder
        returns what are no parameters, or arrays of another shape.

    References
    ----------
    Arvanitidis, G., González-Duque, M., Pouplin, A., Kalatzis, D., Hauberg, S. (2022). Pulling back
    information geometry. AISTATS. Amari, S. (2016). Information Geometry and Its Applications, chapter 1,
    for KL as half the squared Fisher length up close.
    """

    def __init__(self, decoder: Function, outputs: str = "logits", jacobian: Function | None = None) -> None:
        if not callable(decoder):
            raise TypeError(f"PullbackGeometry: decoder must be a function of latent points, got {decoder!r}")
        if outputs not in OUTPUTS:
            raise ValueError(
                f"PullbackGeometry: outputs must be one of {', '.join(map(repr, OUTPUTS))}, got {outputs!r}"
            )
        own = getattr(decoder, "jacobian", None) if jacobian is None else jacobian
        if own is not None and not callable(own):
            raise TypeError(f"PullbackGeometry: jacobian must be a function of latent points, got {own!r}")
        self._decoder, self._jacobian, self._kind = decoder, own, OUTPUTS[outputs]
        self._at_once = getattr(decoder, "value_and_jacobian", None) if jacobian is None else None

    def outputs(self, z: ArrayLike) -> np.ndarray:
        """Return the decoder's outputs, shape (..., D), at latent points, shape (..., k)."""
        points = _points("outputs", z)
        rows = self._outputs(points.reshape(-1, points.shape[-1]))
        return rows.reshape(*points.shape[:-1], rows.shape[1])

    def jacobian(self, z: ArrayLike) -> np.ndarray:
        """Return ∂outputs/∂z, shape (..., D, k), at latent points, shape (..., k)."""
        return self._both("jacobian", z)[1]

    def metric(self, z: ArrayLike) -> np.ndarray:
        """Return JᵀIJ, shape (..., k, k): the Hessian of KL between decoded distributions at z."""
        values, jacobian = self._both("metric", z)
        information = self._kind.information(values)
        made = np.swapaxes(jacobian, -1, -2) @ (information[..., None] * jacobian)
        return 0.5 * (made + np.swapaxes(made, -1, -2))

    def volume_element(self, z: ArrayLike) -> np.ndarray:
        """Return √det JᵀIJ, shape (...): how many distinguishable outputs a unit of latent volume holds.

        It is 0 where the outputs do not change in some direction.
        """
        values, jacobian = self._both("volume_element", z)
        return _volume(np.sqrt(self._kind.information(values))[..., None] * jacobian)

    def kl(self, z: ArrayLike, other: ArrayLike) -> np.ndarray:
        """Return KL(p(x|z)‖p(x|other)) in nats, shape (...), the leading axes of the points broadcasting."""
        return self._kind.kl(self.outputs(z), self.outputs(other))[()]

    def kl_steps(self, curve: ArrayLike) -> np.ndarray:
        """Return KL between neighbours on a polygon, both directions averaged, in nats.

        Parameters
        ----------
        curve : array_like
            Corners, shape (n, k).

        Returns
        -------
        numpy.ndarray
            Shape (n − 1,).
        """
        values = self.outputs(curve)
        return 0.5 * self._kind.both_ways(values[:-1], values[1:])[0]

    def manifold(self) -> RiemannianManifold:
        """Return the latent space as a Riemannian manifold: for curvature, circles, the geodesic equation."""
        return RiemannianManifold(self.metric)

    def geodesic(
        self, start: ArrayLike, end: ArrayLike, waves: int = 16, pieces: int = 96, iterations: int = 200
    ) -> LatentGeodesic:
        """Return the shortest curve found between two latent points.

        It is one of least energy among its neighbours and never longer than the straight line; that there is
        no shorter one elsewhere is not proved. Curves are let go from the straight line and from bows to
        either side.

        Parameters
        ----------
        start, end : array_like
            Shape (k,).
        waves : int
            Sine waves of the curves that are let go; the best one is given twice as many.
        pieces : int
            Sides of the polygon on which the energy is computed; at last twice as many.
        iterations : int
            At most so many steps of L-BFGS for each curve; with few of them the answer is a rough one.

        Returns
        -------
        LatentGeodesic
            Points by share of the length, both lengths, KL per step.

        Raises
        ------
        ValueError
            If the ends are not two finite points of one shape (k,), or a number is not a positive integer.
        """
        first, last = _points("geodesic", start, "start"), _points("geodesic", end, "end")
        if first.shape != last.shape or first.ndim != 1:
            raise ValueError(
                "PullbackGeometry.geodesic: start and end must have one shape (k,), "
                f"got {first.shape} and {last.shape}"
            )
        for name, value in (("waves", waves), ("pieces", pieces), ("iterations", iterations)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(
                    f"PullbackGeometry.geodesic: {name} must be a positive integer, got {value!r}"
                )
        return shortest(self, first, last, int(waves), int(pieces), int(iterations))

    def both_ways(self, curve: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums over polygons' sides of both KLs, and their gradients by the corners.

        Parameters
        ----------
        curve : array_like
            Corners, shape (..., n, k).

        Returns
        -------
        numpy.ndarray, numpy.ndarray
            Nats, shape (...), and shape (..., n, k).
        """
        values, jacobian = self._both("both_ways", curve)
        if values.ndim < 2:
            raise ValueError(
                f"PullbackGeometry.both_ways: curve must have shape (..., n, k), got shape {np.shape(curve)}"
            )
        each, first, second = self._kind.both_ways(values[..., :-1, :], values[..., 1:, :])
        slopes = np.zeros_like(values)
        slopes[..., :-1, :] += first
        slopes[..., 1:, :] += second
        return np.sum(each, axis=-1)[()], (slopes[..., None, :] @ jacobian)[..., 0, :]

    def _both(self, method: str, z: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return outputs, shape (..., D), and their Jacobian, shape (..., D, k)."""
        points = _points(method, z)
        rows = points.reshape(-1, points.shape[-1])
        if self._at_once is not None:
            given, slope = self._at_once(rows)
            values = self._checked(given, len(rows))
        else:
            values = self._outputs(rows)
            if self._jacobian is not None:
                slope = self._jacobian(rows)
            else:
                slope = differences.gradient(self._on_grid, rows, np.ones_like(rows))
        jacobian, wanted = np.asarray(slope, dtype=np.float64), (*values.shape, rows.shape[1])
        if jacobian.shape != wanted:
            raise ValueError(
                f"PullbackGeometry: jacobian must return an array of shape {wanted} for {len(rows)} points, "
                f"got shape {jacobian.shape}"
            )
        if not np.all(np.isfinite(jacobian)):
            raise ValueError("PullbackGeometry: jacobian must return finite numbers, got nan or inf")
        lead = points.shape[:-1]
        return values.reshape(*lead, *wanted[1:2]), jacobian.reshape(*lead, *wanted[1:])

    def _on_grid(self, points: np.ndarray) -> np.ndarray:
        rows = self._outputs(points.reshape(-1, points.shape[-1]))
        return rows.reshape(*points.shape[:-1], rows.shape[1])

    def _outputs(self, rows: np.ndarray) -> np.ndarray:
        return self._checked(self._decoder(rows), len(rows))

    def _checked(self, given: ArrayLike, count: int) -> np.ndarray:
        """Return outputs as an array, shape (count, D), if they are parameters."""
        made = np.asarray(given, dtype=np.float64)
        if made.ndim != 2 or made.shape[0] != count or made.shape[1] == 0:
            raise ValueError(
                f"PullbackGeometry: decoder must return an array of shape ({count}, D) for {count} points, "
                f"got shape {made.shape}"
            )
        if not np.all(np.isfinite(made)):
            raise ValueError("PullbackGeometry: decoder must return finite numbers, got nan or inf")
        self._kind.check(made)
        return made


def _volume(columns: np.ndarray) -> np.ndarray:
    """Return √det AᵀA of matrices A, shape (..., D, k), as the product of what each column adds.

    By Gram and Schmidt, twice as many digits remain of a nearly flat body than of the determinant itself.
    """
    rest = np.moveaxis(columns, -1, 0).copy()
    total = np.ones(columns.shape[:-2])
    for i, column in enumerate(rest):
        norm = np.sqrt(np.sum(column**2, axis=-1))
        total *= norm
        unit = column / np.where(norm > 0.0, norm, 1.0)[..., None]
        for later in rest[i + 1 :]:
            for _ in range(2):  # once more, for what the first time left in the last digits
                later -= np.sum(unit * later, axis=-1, keepdims=True) * unit
    return total[()]


def _points(method: str, z: ArrayLike, name: str = "z") -> np.ndarray:
    points = as_numbers(f"PullbackGeometry.{method}", name, z)
    if points.ndim == 0 or points.shape[-1] == 0 or not np.all(np.isfinite(points)):
        raise ValueError(f"PullbackGeometry.{method}: {name} must be finite, of shape (..., k), got {z!r}")
    return points
