"""The multivariate normal distribution N(mean, cov), by its covariance matrix."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry import half_plane
from igviz.geometry.families.distribution import Parameter
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.families.multivariate_geodesics import Generators, generators
from igviz.geometry.numerics import (
    as_numbers,
    forward_substitution,
    itakura_saito,
    log_deficit,
    minus_product,
)

_LOG_TWO_PI = np.log(2.0 * np.pi)
_ROOT_TWO = np.sqrt(2.0)
# covariances whose ratio is closer than this to the identity are compared by their difference
_NEAR = 0.3
# a geodesic found numerically may miss its end by this, relative to its length
_MISS = 1e-8
# entries that mirror each other may differ by this, relative to the two standard deviations
_ASYMMETRY = 1e-9


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MultivariateNormal(ExponentialFamily):
    """Normal distributions N(mean, cov) on vectors of d numbers.

    The charts have k = d(d + 3)/2 coordinates: a vector, then the lower triangle of a matrix row by row,
    (1,1), (2,1), (2,2), (3,1), … With the precision Λ = cov⁻¹ they are

    - source: mean, then cov;
    - natural: Λ·mean, then −Λᵢⱼ off the diagonal (an off-diagonal coordinate counts both entries) and −½Λᵢᵢ
      on it;
    - expectation: mean, then E[x·xᵀ] = cov + mean·meanᵀ: the means of the sufficient statistics, which are x
      and the lower triangle of x·xᵀ.

    The Fisher metric is dmeanᵀ·Λ·dmean + ½·tr(Λ·dcov·Λ·dcov), one joint geometry of mean and covariance. Its
    distances have a closed form for some pairs only, see `igviz.fisher_rao_distance`.

    Parameters
    ----------
    mean : array_like
        Shape (..., d).
    cov : array_like
        Symmetric positive-definite matrices, shape (..., d, d). Entries that mirror each other may differ by
        rounding and are then averaged. The grids, the leading axes of mean and cov, broadcast.

    Raises
    ------
    ValueError
        If a parameter is not finite, cov not symmetric or not positive definite, or the shapes do not fit.

    References
    ----------
    Skovgaard, L. T. (1984). A Riemannian geometry of the multivariate normal model.
    """

    mean: Parameter
    cov: Parameter

    _ranks: ClassVar[dict[str, int]] = {"mean": 1, "cov": 2}
    observation_rank: ClassVar[int] = 1

    def _check(self) -> None:
        d = self.mean.shape[-1]
        if d == 0:
            raise ValueError(
                f"MultivariateNormal: mean must have at least one entry, got shape {self.mean.shape}"
            )
        if self.cov.shape[-2:] != (d, d):
            raise ValueError(
                f"MultivariateNormal: cov must have shape (..., {d}, {d}) to go with a mean of {d} entries, "
                f"got shape {self.cov.shape}"
            )
        mirrored = np.swapaxes(self.cov, -1, -2)
        if not np.array_equal(self.cov, mirrored):
            root = np.sqrt(np.abs(np.diagonal(self.cov, axis1=-2, axis2=-1)))
            wrong = np.abs(self.cov - mirrored) > _ASYMMETRY * root[..., :, None] * root[..., None, :]
            if np.any(wrong):
                index = tuple(int(i) for i in np.argwhere(wrong)[0])
                raise ValueError(
                    f"MultivariateNormal: cov must be symmetric, got {float(self.cov[index])!r} at index "
                    f"{index} and {float(mirrored[index])!r} in the mirrored place"
                )
            average = 0.5 * (self.cov + mirrored)
            average.flags.writeable = False
            object.__setattr__(self, "cov", average)
        object.__setattr__(self, "_cholesky", self._factorise("cov", self.cov))

    @classmethod
    def _factorise(cls, name: str, matrix: np.ndarray) -> np.ndarray:
        """Return the Cholesky factors of the matrices, or say which is not positive definite."""
        if not np.all(np.isfinite(matrix)):
            cls._require(name, np.isfinite(matrix), "finite", matrix)
        try:
            factor = np.linalg.cholesky(matrix)
            if np.all(cls._has_full_rank(factor, matrix)):
                return factor
        except np.linalg.LinAlgError:
            pass
        for index in np.ndindex(matrix.shape[:-2]):
            try:
                if cls._has_full_rank(np.linalg.cholesky(matrix[index]), matrix[index]):
                    continue
            except np.linalg.LinAlgError:
                pass
            smallest = float(np.linalg.eigvalsh(matrix[index])[0])
            place = f" at index {index}" if index else ""
            raise ValueError(
                f"{cls.family_name()}: {name} must be positive definite, "
                f"got smallest eigenvalue {smallest:.6g}{place}"
            )
        raise AssertionError("a matrix of the grid must be at fault")

    @staticmethod
    def _has_full_rank(factor: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Whether every pivot is above the rounding of its diagonal entry."""
        pivots = np.diagonal(factor, axis1=-2, axis2=-1) ** 2
        rounding = 4.0 * factor.shape[-1] * np.finfo(float).eps
        return np.all(pivots > rounding * np.diagonal(matrix, axis1=-2, axis2=-1), axis=-1)

    @property
    def cholesky_factor(self) -> np.ndarray:
        """The lower triangular L with L·Lᵀ = cov, shape (..., d, d)."""
        return self._cholesky  # type: ignore[attr-defined]

    def _precision(self) -> np.ndarray:
        """Return Λ = L⁻ᵀ·L⁻¹, exactly symmetric."""
        return _inverse(self.cholesky_factor)

    def require_same_family(self, where: str, other: object) -> None:
        """Raise TypeError or ValueError unless the other has this family and its grid broadcasts."""
        super().require_same_family(where, other)
        assert isinstance(other, MultivariateNormal)
        ours, theirs = self.mean.shape[-1], other.mean.shape[-1]
        if ours != theirs:
            raise ValueError(
                f"{where}: both distributions must be on vectors of one length, got {ours} and {theirs}"
            )

    # -- charts --------------------------------------------------------------------------------------------

    @property
    def source(self) -> np.ndarray:
        """(mean, lower triangle of cov), shape (..., k)."""
        return _join(self.mean, self.cov)

    @property
    def natural(self) -> np.ndarray:
        """(Λ·mean, lower triangle of −Λ with its diagonal halved), shape (..., k)."""
        precision = self._precision()
        return _join(_times(precision, self.mean), -_halve_diagonal(precision))

    @property
    def expectation(self) -> np.ndarray:
        """(mean, lower triangle of cov + mean·meanᵀ), shape (..., k)."""
        return _join(self.mean, self.cov + _outer(self.mean))

    @classmethod
    def from_source(cls, coordinates: ArrayLike) -> Self:
        """Return the normals with source coordinates (mean, lower triangle of cov), shape (..., k)."""
        return cls(*cls._parts("source", coordinates))

    @classmethod
    def from_natural(cls, coordinates: ArrayLike) -> Self:
        """Return the normals with the given natural coordinates, shape (..., k).

        Raises
        ------
        ValueError
            If the precision that the coordinates describe is not positive definite.
        """
        vector, lower = cls._parts("natural", coordinates)
        # both entries of an off-diagonal pair are −η, a diagonal entry is −2η
        precision = -lower * (1.0 + np.eye(lower.shape[-1]))
        factor = cls._factorise("the precision in the natural coordinates", precision)
        with np.errstate(over="ignore", invalid="ignore"):  # the constructor refuses what overflows
            cov = _inverse(factor)
            return cls(_times(cov, vector), cov)

    @classmethod
    def from_expectation(cls, coordinates: ArrayLike) -> Self:
        """Return the normals with means of x and x·xᵀ as given, shape (..., k).

        The products of the first moments are subtracted from the second moments without rounding them. What
        the rounding of the second moments themselves has lost cannot be brought back.

        Raises
        ------
        ValueError
            If the second moments minus the products of the first are not positive definite.
        """
        mean, second = cls._parts("expectation", coordinates)
        cov = minus_product(second, mean[..., :, None], mean[..., None, :])
        cls._factorise("the second moments minus the products of the first", cov)
        return cls(mean, cov)

    @classmethod
    def _parts(cls, name: str, coordinates: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the vector, shape (..., d), and the symmetric matrix, shape (..., d, d), of coordinates."""
        array = as_numbers(cls.family_name(), name, coordinates)
        k = array.shape[-1] if array.ndim else 0
        d = int((np.sqrt(9 + 8 * k) - 3) / 2 + 0.5)
        if k == 0 or d * (d + 3) != 2 * k:
            raise ValueError(
                f"{cls.family_name()}: {name} must have shape (..., d(d + 3)/2) for vectors of d numbers, "
                f"got shape {array.shape}"
            )
        cls._require(name, np.isfinite(array), "finite", array)
        matrix = np.empty((*array.shape[:-1], d, d))
        rows, columns = np.tril_indices(d)
        matrix[..., rows, columns] = matrix[..., columns, rows] = array[..., d:]
        return array[..., :d], matrix

    # -- densities -----------------------------------------------------------------------------------------

    def _observed(self, x: ArrayLike) -> np.ndarray:
        """Return x as numbers, shape (..., d), or say what its shape should be."""
        array, d = as_numbers("MultivariateNormal", "x", x), self.mean.shape[-1]
        if array.ndim == 0 or array.shape[-1] != d:
            raise ValueError(f"MultivariateNormal: x must have shape (..., {d}), got shape {array.shape}")
        return array

    def log_partition(self) -> np.ndarray:
        """Return A = ½·meanᵀΛ·mean + ½·log det cov + (d/2)·log 2π in nats; the base measure is 1."""
        standardised = _whiten(self.cholesky_factor, self.mean)
        return 0.5 * np.sum(standardised**2, axis=-1) + self._log_normaliser()

    def _log_normaliser(self) -> np.ndarray:
        """Return ½·log det(2π·cov)."""
        pivots = np.diagonal(self.cholesky_factor, axis1=-2, axis2=-1)
        return np.sum(np.log(pivots), axis=-1) + 0.5 * self.mean.shape[-1] * _LOG_TWO_PI

    def sufficient_statistics(self, x: ArrayLike) -> np.ndarray:
        """Return (x, lower triangle of x·xᵀ), shape (..., k), of x, shape (..., d)."""
        array = self._observed(x)
        return _join(array, _outer(array))

    def log_prob(self, x: ArrayLike) -> np.ndarray:
        """Return the log-density at x, shape (..., d), in nats; the leading axes broadcast with `shape`."""
        array = self._observed(x)
        far = np.any(np.isinf(array), axis=-1) & ~np.any(np.isnan(array), axis=-1)
        standardised = _whiten(self.cholesky_factor, np.where(far[..., None], 0.0, array) - self.mean)
        value = -0.5 * np.sum(standardised**2, axis=-1) - self._log_normaliser()
        return np.where(far, -np.inf, value)[()]

    def _draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return self.mean + _times(self.cholesky_factor, rng.standard_normal((*size, self.mean.shape[-1])))

    def entropy(self) -> np.ndarray:
        """Return ½·log det(2πe·cov) in nats, of shape `shape`."""
        return self._log_normaliser() + 0.5 * self.mean.shape[-1]

    def _compare(self, q: Self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return q as seen in coordinates in which self is standard normal.

        With L·Lᵀ = cov these are δ = L⁻¹(mean_q − mean), the factor W = L⁻¹·L_q of S = L⁻¹·cov_q·L⁻ᵀ, and
        S − Id, which is formed from cov_q − cov so that it keeps its digits, and where it is small. Elsewhere
        S − Id is set to zero.
        """
        factor = self.cholesky_factor
        shift = _whiten(factor, q.mean - self.mean)
        ratio = forward_substitution(factor, q.cholesky_factor)
        with np.errstate(over="ignore", invalid="ignore"):
            half = forward_substitution(factor, q.cov - self.cov)
            excess = forward_substitution(factor, np.swapaxes(half, -1, -2))
            excess = 0.5 * (excess + np.swapaxes(excess, -1, -2))
            near = np.sum(excess**2, axis=(-2, -1)) < _NEAR**2
        return shift, ratio, np.where(near[..., None, None], excess, 0.0), near

    def kl(self, q: Self) -> np.ndarray:
        """Return KL(self‖q) in nats, of the broadcast shape, with its digits for near points too.

        ½·(tr S − d − log det S + δᵀδ) with S = L_q⁻¹·cov·L_q⁻ᵀ, δ = L_q⁻¹(mean − mean_q), L_q·L_qᵀ = cov_q,
        always as a sum of non-negative terms. Near the identity they are λ − 1 − log λ of the eigenvalues of
        S, found from S − Id; elsewhere, with the triangular W = L_q⁻¹·L of S = W·Wᵀ, the squares of its
        off-diagonal entries and w² − 1 − log w² of its diagonal ones.

        Raises
        ------
        TypeError
            If q is not a MultivariateNormal.
        ValueError
            If q is on vectors of another length.
        """
        self.require_same_family("MultivariateNormal.kl", q)
        shift, ratio, excess, near = q._compare(self)
        close = np.sum(log_deficit(np.linalg.eigvalsh(excess)), axis=-1)
        pivots, other = (np.diagonal(r.cholesky_factor, axis1=-2, axis2=-1) for r in (self, q))
        off_diagonal = np.sum(np.tril(ratio, -1) ** 2, axis=(-2, -1))
        stretch = (pivots - other) / other
        far = off_diagonal + np.sum(stretch**2 + 2.0 * itakura_saito(pivots, other), axis=-1)
        return (0.5 * (np.where(near, close, far) + np.sum(shift**2, axis=-1)))[()]

    # -- Fisher matrices -----------------------------------------------------------------------------------

    def _fisher_source(self) -> np.ndarray:
        precision = self._precision()
        return _blocks(precision, _no_coupling(precision), _pair_products(precision, weighted=True))

    def _fisher_natural(self) -> np.ndarray:
        """Return the covariance of the sufficient statistics, moments of order four and less."""
        mean, cov = self.mean, self.cov
        quartic = _pair_products(cov) + _mixed_products(_outer(mean), cov)
        return _blocks(cov, _vector_products(mean, cov), quartic)

    def _fisher_expectation(self) -> np.ndarray:
        precision = self._precision()
        weighted_mean = _times(precision, self.mean)
        size = np.sum(_whiten(self.cholesky_factor, self.mean) ** 2, axis=-1)[..., None, None]
        return _blocks(
            (1.0 + size) * precision + _outer(weighted_mean),
            -_vector_products(weighted_mean, precision, weighted=True),
            _pair_products(precision, weighted=True),
        )

    def _source_to_natural(self) -> np.ndarray:
        precision = self._precision()
        by_cov = -_vector_products(_times(precision, self.mean), precision, weighted=True)
        jacobian = _blocks(precision, by_cov, _pair_products(precision, weighted=True))
        d = self.mean.shape[-1]
        jacobian[..., d:, :d] = 0.0
        return jacobian

    def third_cumulant(self) -> np.ndarray:
        """Return ∂³A, shape (..., k, k, k), the third cumulant of x and the lower triangle of x·xᵀ.

        Around the mean every statistic is bᵀz + zᵀQz and a constant, with z ~ N(0, cov), and the cumulant of
        three is 8·tr(Q₁·cov·Q₂·cov·Q₃·cov) + 2·Σ b₁ᵀ·cov·Q₂·cov·b₃ over the three choices of the middle one.
        """
        d, cov = self.mean.shape[-1], self.cov[..., None, :, :]
        rows, columns = np.tril_indices(d)
        unit = np.eye(d)
        products = unit[rows][:, :, None] * unit[columns][:, None, :]
        square = np.concatenate([np.zeros((d, d, d)), 0.5 * (products + np.swapaxes(products, -1, -2))])
        linear = 2.0 * (square @ self.mean[..., None, :, None])[..., 0]
        linear[..., :d, :] += unit
        turned = square @ cov
        pairs = np.einsum("...iab,...jbc->...ijac", turned, turned)
        cubic = 8.0 * np.einsum("...ijac,...kca->...ijk", pairs, turned)
        carried = linear @ self.cov
        middle = 2.0 * np.einsum("...ia,jab,...kb->...ijk", carried, square, carried)
        return cubic + middle + np.swapaxes(middle, -3, -2) + np.swapaxes(middle, -2, -1)

    # -- paths and distances -------------------------------------------------------------------------------

    def straight_point(self, q: Self, t: np.ndarray, chart: str) -> Self:
        """Straight lines by weights, free of the cancellation between mean·meanᵀ and second moments."""
        if chart == "source":
            return super().straight_point(q, t, chart)
        along, across = t[..., None], t[..., None, None]
        if chart == "expectation":
            spread = across * (1.0 - across) * _outer(q.mean - self.mean)
            cov = (1.0 - across) * self.cov + across * q.cov + spread
            return type(self)(self.mean + along * (q.mean - self.mean), cov)
        # precisions are interpolated and means weighted by precision, where self is standard normal
        inverse_ratio = forward_substitution(q.cholesky_factor, self.cholesky_factor)
        other = np.swapaxes(inverse_ratio, -1, -2) @ inverse_ratio
        precision = (1.0 - across) * np.eye(self.mean.shape[-1]) + across * other
        root = self._factorise(
            "the interpolated precision", 0.5 * (precision + np.swapaxes(precision, -1, -2))
        )
        half = forward_substitution(root, np.swapaxes(self.cholesky_factor, -1, -2))
        pull = _times(other, _whiten(self.cholesky_factor, q.mean - self.mean))
        shift = _times(np.swapaxes(half, -1, -2), _whiten(root, along * pull))
        return type(self)(self.mean + shift, np.swapaxes(half, -1, -2) @ half)

    def _split_axes(self, q: Self) -> tuple[_Axes, np.ndarray]:
        """Return axes along which the Fisher–Rao geometry of a pair may be a product, and whether it is.

        Where self is standard normal let q be N(δ, S). If δ is an eigenvector of S, take it as the first axis
        and the other eigenvectors of S as the rest. Normals with mean along the first axis and covariance
        diagonal in these axes have the metric of a product: the half-plane of (mean, standard deviation)
        along the first axis, and ½·(d log λ)² for each variance λ along another.

        Paths in the product are shortest among all paths. Writing a density as that of the first coordinate
        times the conditional of each coordinate given those before it splits the Fisher metric into
        non-negative parts, and the parts of the first coordinate and of each conditional variance alone are
        the metric of the product. So the map to (first mean, first variance, conditional variances) lengthens
        no path, and it leaves the points of the product where they are.
        """
        shift, ratio, excess, near = self._compare(q)
        backward = forward_substitution(q.cholesky_factor, self.cholesky_factor)
        size = np.linalg.norm(shift, axis=-1)
        same_mean = size == 0.0
        direction = shift / np.where(same_mean, 1.0, size)[..., None]
        if np.any(same_mean):
            # no direction is given; the longest axis serves
            longest = np.where(
                near[..., None], np.linalg.eigh(excess)[1][..., -1], np.linalg.svd(ratio)[0][..., 0]
            )
            direction = np.where(same_mean[..., None], longest, direction)
        axis = _axis(direction, ratio, backward, excess, near)
        rest = _complement(direction)
        logarithms, turned = _spectrum(rest, ratio, backward, excess, near)
        axes = _Axes(
            size, axis.std, axis.rise, logarithms, np.concatenate([direction[..., None], turned], -1)
        )
        total = axes.distance()
        # removing the coupling moves q, and so changes the distance, by no more than its own length. It moves
        # q at right angles to the path: for points not far apart about half its square over the distance is
        # what remains
        tolerance = np.where(total <= 1.0, 1e-6, 1e-9) * total
        return axes, np.asarray(same_mean | (axis.coupling <= tolerance))

    def _generators(self, q: Self, which: np.ndarray, where: str) -> Generators:
        """Return the geodesics, as seen where self is standard normal, of those pairs that are no product."""
        shift, ratio, excess, near = (np.asarray(part)[which] for part in self._compare(q))
        found = generators(shift, ratio, excess, near)
        self._require_found(found.distance > 0.0, which, where)
        return found

    @staticmethod
    def _require_found(right: np.ndarray, which: np.ndarray, where: str) -> None:
        if not np.all(right):
            index = tuple(int(i) for i in np.argwhere(which)[np.argmin(right)])
            place = f" at index {index}" if index else ""
            raise ArithmeticError(
                f"{where}: rounding leaves fewer than 8 digits for this pair of multivariate normals{place}: "
                "they are too far apart, or a covariance is nearly singular"
            )

    def fisher_rao_distance_to(self, q: Self) -> np.ndarray:
        """Return the Fisher–Rao distance to q, of the broadcast shape; q is of this family."""
        axes, product = self._split_axes(q)
        distance = np.array(axes.distance())
        if not np.all(product):
            distance[~product] = self._generators(q, ~product, "fisher_rao_distance").distance
        return distance[()]

    def fisher_rao_path_to(self, q: Self) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
        """Return the shortest path to q, a function of time that gives the fields; q is of this family."""
        axes, product = self._split_axes(q)
        curve = half_plane.geodesic(axes.size / _ROOT_TWO, np.ones_like(axes.std), axes.std, axes.rise)
        frame = self.cholesky_factor @ axes.frame
        general = None if np.all(product) else self._general_path(q, ~product)

        def at(t: np.ndarray) -> tuple[np.ndarray, ...]:
            shift, std = curve(t)
            others = np.exp(0.5 * t[..., None] * axes.logarithms)
            half = frame * np.concatenate([std[..., None], others], axis=-1)[..., None, :]
            mean = self.mean + _ROOT_TWO * np.asarray(shift)[..., None] * frame[..., :, 0]
            cov = half @ np.swapaxes(half, -1, -2)
            if general is not None:
                times = t.reshape(*t.shape[: t.ndim - product.ndim], 1)
                mean[..., ~product, :], cov[..., ~product, :, :] = general(times)
            return mean, cov

        return at

    def _general_path(
        self, q: Self, which: np.ndarray
    ) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Return the geodesics of those pairs that are no product: t, shape (..., 1), to means, covariances.

        Each half is followed from its own end, as errors grow along a geodesic; the halves must meet.
        """
        ends = [r.broadcast_to(which.shape)[which] for r in (self, q)]
        ahead, back = self._generators(q, which, "geodesic"), q._generators(self, which, "geodesic")
        half = np.full(len(ends[0].mean), 0.5)
        first, second = (
            type(self)(*end.carry(*found.at(half))) for end, found in zip(ends, (ahead, back), strict=True)
        )
        miss = first.fisher_rao_distance_to(second)
        self._require_found(miss <= _MISS * ahead.distance, which, "geodesic")

        def at(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            with np.errstate(over="ignore", invalid="ignore"):  # the constructor refuses what overflows
                early, late = ends[0].carry(*ahead.at(t)), ends[1].carry(*back.at(1.0 - t))
            begin = t <= 0.5
            mean = np.where(begin[..., None], early[0], late[0])
            return mean, np.where(begin[..., None, None], early[1], late[1])

        return at

    def carry(self, mean: np.ndarray, cov: np.ndarray, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return N(mean, cov), with cov = Id + change, carried to where N(0, Id) is self."""
        factor, back = self.cholesky_factor, np.swapaxes(self.cholesky_factor, -1, -2)
        near = np.linalg.norm(change, axis=(-2, -1)) < _NEAR
        moved = np.where(near[..., None, None], self.cov + factor @ change @ back, factor @ cov @ back)
        return self.mean + _times(factor, mean), 0.5 * (moved + np.swapaxes(moved, -1, -2))


class _Axes(NamedTuple):
    """A pair of normals as a product: N(0, Id) and a normal that is independent along the columns of `frame`.

    Along the first axis the second normal has mean `size` and standard deviation `std` = 1 + `rise`; along
    the others its mean is 0 and its variances have `logarithms`.
    """

    size: np.ndarray
    std: np.ndarray
    rise: np.ndarray
    logarithms: np.ndarray
    frame: np.ndarray

    def distance(self) -> np.ndarray:
        first = half_plane.distance(self.size / _ROOT_TWO, np.ones_like(self.std), self.std, self.rise)
        return np.hypot(_ROOT_TWO * first, np.linalg.norm(self.logarithms, axis=-1) / _ROOT_TWO)[()]


class _FirstAxis(NamedTuple):
    std: np.ndarray
    rise: np.ndarray
    coupling: np.ndarray


def _axis(
    direction: np.ndarray, ratio: np.ndarray, backward: np.ndarray, excess: np.ndarray, near: np.ndarray
) -> _FirstAxis:
    """Return the standard deviation along a direction u and its coupling to the other directions.

    The coupling is the Fisher–Rao length of the step that removes from S = W·Wᵀ the entries between u and its
    complement, ‖W⁻¹(S·u − λ·u)‖/√λ. That is the length of Wᵀu/√λ − √λ·W⁻¹u, two unit vectors that are equal
    for an eigenvector.
    """
    turned = _times(excess, direction)
    extra = np.sum(direction * turned, axis=-1)
    close_rise = extra / (1.0 + np.sqrt(1.0 + extra))
    close_coupling = np.linalg.norm(turned - extra[..., None] * direction, axis=-1) / (1.0 - _NEAR)
    forth, back = _times(np.swapaxes(ratio, -1, -2), direction), _times(backward, direction)
    std, inverse_std = np.linalg.norm(forth, axis=-1), np.linalg.norm(back, axis=-1)
    apart = np.linalg.norm(forth / std[..., None] - back / inverse_std[..., None], axis=-1)
    return _FirstAxis(
        np.where(near, 1.0 + close_rise, std),
        np.where(near, close_rise, std - 1.0),
        np.where(near, close_coupling, apart),
    )


def _complement(direction: np.ndarray) -> np.ndarray:
    """Return orthonormal columns, shape (..., d, d − 1), orthogonal to unit vectors, shape (..., d)."""
    d = direction.shape[-1]
    # the reflection that takes the first coordinate axis to the direction or its opposite
    normal = direction.copy()
    normal[..., 0] += np.where(direction[..., 0] < 0.0, -1.0, 1.0)
    scale = 2.0 / np.sum(normal**2, axis=-1)
    reflection = np.eye(d) - scale[..., None, None] * _outer(normal)
    return reflection[..., :, 1:]


def _spectrum(
    rest: np.ndarray, ratio: np.ndarray, backward: np.ndarray, excess: np.ndarray, near: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return log-eigenvalues, shape (..., d − 1), and eigenvectors of S = W·Wᵀ in the span of columns.

    Near the identity from S − Id; elsewhere as singular values of W, those below the geometric middle as
    reciprocals of singular values of W⁻¹, which give small ones with their digits.
    """
    if rest.shape[-1] == 0:
        return np.zeros((*rest.shape[:-2], 0)), rest
    rows = np.swapaxes(rest, -1, -2)
    extra, close_vectors = np.linalg.eigh(rows @ excess @ rest)
    left, values, _ = np.linalg.svd(rows @ ratio, full_matrices=False)
    reciprocals = np.linalg.svd(backward @ rest, compute_uv=False)
    # all in ascending order
    large, small, far_vectors = np.log(values[..., ::-1]), -np.log(reciprocals), left[..., ::-1]
    middle = 0.5 * (large[..., -1:] + small[..., :1])
    far = 2.0 * np.where(large > middle, large, small)
    vectors = np.where(near[..., None, None], close_vectors, far_vectors)
    return np.where(near[..., None], np.log1p(extra), far), rest @ vectors


# -- vectors, matrices and lower triangles -------------------------------------------------------------------


def _times(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return matrix·vector over grids."""
    return (matrix @ vector[..., None])[..., 0]


def _outer(vector: np.ndarray) -> np.ndarray:
    """Return vector·vectorᵀ over grids."""
    return vector[..., :, None] * vector[..., None, :]


def _whiten(factor: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return factor⁻¹·vector over grids."""
    return forward_substitution(factor, vector[..., None])[..., 0]


def _inverse(factor: np.ndarray) -> np.ndarray:
    """Return the inverse of factor·factorᵀ, exactly symmetric."""
    root = forward_substitution(factor, np.eye(factor.shape[-1]))
    product = np.swapaxes(root, -1, -2) @ root
    return 0.5 * (product + np.swapaxes(product, -1, -2))


def _halve_diagonal(matrix: np.ndarray) -> np.ndarray:
    return matrix * (1.0 - 0.5 * np.eye(matrix.shape[-1]))


def _join(vector: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return the coordinates (vector, lower triangle of matrix row by row), shape (..., k)."""
    rows, columns = np.tril_indices(vector.shape[-1])
    return np.concatenate([vector, matrix[..., rows, columns]], axis=-1)


def _pair_products(matrix: np.ndarray, weighted: bool = False) -> np.ndarray:
    """Return CᵢₖCⱼₗ + CᵢₗCⱼₖ for the pairs (i, j) and (k, l) of the lower triangle.

    Weighted, a coordinate on the diagonal counts ½: it moves one entry of a symmetric matrix and not two.
    """
    i, j = np.tril_indices(matrix.shape[-1])
    first, second = i[:, None], j[:, None]
    straight = matrix[..., first, i] * matrix[..., second, j]
    crossed = matrix[..., first, j] * matrix[..., second, i]
    weights = np.where(i == j, 0.5, 1.0) if weighted else np.ones(i.size)
    return (straight + crossed) * (weights[:, None] * weights)


def _mixed_products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return aᵢₖbⱼₗ + aᵢₗbⱼₖ + aⱼₖbᵢₗ + aⱼₗbᵢₖ for the pairs (i, j) and (k, l) of the lower triangle."""
    i, j = np.tril_indices(a.shape[-1])
    first, second = i[:, None], j[:, None]
    straight = a[..., first, i] * b[..., second, j] + a[..., second, j] * b[..., first, i]
    return straight + (a[..., first, j] * b[..., second, i] + a[..., second, i] * b[..., first, j])


def _vector_products(vector: np.ndarray, matrix: np.ndarray, weighted: bool = False) -> np.ndarray:
    """Return vₖCᵢₗ + vₗCᵢₖ for i and the pairs (k, l) of the lower triangle, weighted as `_pair_products`."""
    k, j = np.tril_indices(matrix.shape[-1])
    result = vector[..., None, k] * matrix[..., :, j] + vector[..., None, j] * matrix[..., :, k]
    return result * np.where(k == j, 0.5, 1.0) if weighted else result


def _no_coupling(matrix: np.ndarray) -> np.ndarray:
    d = matrix.shape[-1]
    return np.zeros((*matrix.shape[:-1], d * (d + 1) // 2))


def _blocks(vectors: np.ndarray, coupling: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Return symmetric matrices, shape (..., k, k), of these blocks and the transposed coupling below."""
    below = np.swapaxes(coupling, -1, -2)
    top = np.concatenate([vectors, coupling], axis=-1)
    return np.concatenate([top, np.concatenate([below, matrices], axis=-1)], axis=-2)
