"""The geometry a decoder pulls back: the length of a step in latent space is how much the outputs change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry import differences
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
        Maps latent points, shape (..., k), to parameters of independent pixels, shape (..., D).
    outputs : {"logits", "probabilities", "means and stds"}
        What they are: log odds or probabilities of Bernoulli pixels, or the means and then the standard
        deviations of normal ones.
    jacobian : callable, optional
        Maps latent points to ∂outputs/∂z, shape (..., D, k). Without it the decoder's own ``jacobian`` is
        used, if it has one, else central differences of order eight, whose steps fit functions that change
        over latent distances of about 1.

    Raises
    ------
    TypeError
        If decoder or jacobian is not callable.
    ValueError
        If outputs is none of the three.

    References
    ----------
    Arvanitidis, G., González-Duque, M., Pouplin, A., Kalatzis, D., Hauberg, S. (2022). Pulling back
    information geometry. AISTATS, section 3. Amari, S. (2016). Information Geometry and Its
    Applications, section 1.3.
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

    def outputs(self, z: ArrayLike) -> np.ndarray:
        """Return the decoder's outputs, shape (..., D), at latent points, shape (..., k)."""
        made = np.asarray(self._decoder(_points("outputs", z)), dtype=np.float64)
        if not np.all(np.isfinite(made)):
            raise ValueError("PullbackGeometry: decoder must return finite numbers, got nan or inf")
        self._kind.check(made)
        return made

    def jacobian(self, z: ArrayLike) -> np.ndarray:
        """Return ∂outputs/∂z, shape (..., D, k)."""
        points = _points("jacobian", z)
        if self._jacobian is not None:
            return np.asarray(self._jacobian(points), dtype=np.float64)
        return differences.gradient(
            lambda moved: np.asarray(self._decoder(moved), dtype=np.float64), points, np.ones_like(points)
        )

    def metric(self, z: ArrayLike) -> np.ndarray:
        """Return JᵀIJ, shape (..., k, k): the Hessian of KL between decoded distributions at z."""
        return self._kind.metric(self.outputs(z), self.jacobian(z))

    def volume_element(self, z: ArrayLike) -> np.ndarray:
        """Return √det JᵀIJ, shape (...): how many distinguishable outputs a unit of latent volume holds."""
        return np.sqrt(np.maximum(np.linalg.det(self.metric(z)), 0.0))

    def kl(self, z: ArrayLike, other: ArrayLike) -> np.ndarray:
        """Return KL(p(x|z)‖p(x|other)) in nats, shape (...)."""
        return self._kind.kl(self.outputs(z), self.outputs(other))

    def manifold(self) -> RiemannianManifold:
        """Return the latent space as a Riemannian manifold: for curvature, circles, the geodesic equation."""
        return RiemannianManifold(self.metric)

    def geodesic(self, start: ArrayLike, end: ArrayLike, **how: int) -> LatentGeodesic:
        """Return the shortest curve found between two latent points, shape (k,); see `LatentGeodesic`."""
        return shortest(self, _points("geodesic", start), _points("geodesic", end), **how)

    def both_ways(self, curve: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the sum over a polygon's sides of both KLs, and its gradient by the corners.

        Parameters
        ----------
        curve : numpy.ndarray
            Corners, shape (n, k).

        Returns
        -------
        float, numpy.ndarray
            Nats, and shape (n, k).
        """
        values, jacobian = self.outputs(curve), self.jacobian(curve)
        each, first, second = self._kind.both_ways(values[:-1], values[1:])
        slopes = np.zeros_like(values)
        slopes[:-1] += first
        slopes[1:] += second
        return float(np.sum(each)), np.einsum("nd,ndk->nk", slopes, jacobian)


def _points(method: str, z: ArrayLike) -> np.ndarray:
    points = np.asarray(z, dtype=np.float64)
    if points.ndim == 0 or not np.all(np.isfinite(points)):
        raise ValueError(f"PullbackGeometry.{method}: z must be finite, of shape (..., k), got {z!r}")
    return points
