"""Fisher–Rao geodesics between any two multivariate normals.

From N(0, Id), with mean velocity x and covariance velocity B, the geodesic is known (Eriksen 1987; Calvo and
Oller 1991): in

    exp(t·A) = [[Δ, δ, *], [δᵀ, *, *], [*, *, *]],    A = [[−B, x, 0], [xᵀ, 0, −xᵀ], [0, −x, B]],

Δ is the inverse of the covariance at t and δ is Δ times the mean. An affine map takes any start to N(0, Id).

Between given ends x and B must be found. The matrices G = H·Hᵀ with

    H = [[L⁻ᵀ, 0, 0], [mᵀL⁻ᵀ, 1, 0], [(W − ½·m·mᵀ)·L⁻ᵀ, −m, L]],    W skew-symmetric,

are those with J·G·J = G⁻¹, where J swaps the first and last d coordinates, that show N(m, L·Lᵀ) in their
first columns. log G has the pattern of A but for its corner, which need not vanish. The corner is the slope
by W of ½·Σ log²λ over the eigenvalues λ > 1 of G: normals are these matrices with all W thought of as one,
and the square of the distance is the least value of that sum (Kobayashi 2023: a Riemannian submersion). It is
minimised over the d(d − 1)/2 entries of W by Newton's method.

References
----------
Eriksen, P. S. (1987). Geodesics connected with the Fisher metric on the multivariate normal manifold.
Calvo, M., Oller, J. M. (1991). An explicit solution of information geodesic equations for the multivariate
normal model.
Imai, T., Takaesu, A., Wakayama, M. (2011). Remarks on geodesics for multivariate normal models.
Kobayashi, S. (2023). Geodesics of multivariate normal distributions and a Toda lattice type Lax pair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from igviz.geometry.numerics import forward_substitution

_ITERATIONS = 200
_ERROR = 1e-9  # relative, of a distance
# means closer than this, with covariances that are near, are compared through G − Id
_NEAR = 0.3


class Generators(NamedTuple):
    """Geodesics from N(0, Id): A, shape (n, 2d + 1, 2d + 1), and lengths up to t = 1; nan: not found."""

    matrix: np.ndarray
    distance: np.ndarray

    def at(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return at times t, shape (..., n), means, covariances and their differences from Id.

        Shapes are (..., n, d), (..., n, d, d) and (..., n, d, d). The differences keep their digits where
        they are small, the covariances where they are not.
        """
        d = self.matrix.shape[-1] // 2
        logarithms, vectors = np.linalg.eigh(self.matrix)
        growth = t[..., None] * logarithms
        first, second = vectors[..., :d, :], vectors[..., d, :]
        with np.errstate(over="ignore", invalid="ignore"):
            excess = first * np.expm1(growth)[..., None, :]
            precision_excess = excess @ np.swapaxes(first, -1, -2)
            tilted_mean = (excess @ second[..., None])[..., 0]
            # rows whose squares sum to the precision, which are not squared so that small variances survive
            rows = np.swapaxes(first * np.exp(0.5 * growth)[..., None, :], -1, -2)
            # the largest first: elimination then disturbs small rows least
            rows = np.where((t > 0.0)[..., None, None], rows[..., ::-1, :], rows)
            triangle = np.linalg.qr(rows, mode="r")
            root = forward_substitution(np.swapaxes(triangle, -1, -2), np.eye(d))
            cov = np.swapaxes(root, -1, -2) @ root
            mean = (cov @ tilted_mean[..., None])[..., 0]
            change = -cov @ precision_excess
        return mean, cov, 0.5 * (change + np.swapaxes(change, -1, -2))


def generators(shift: np.ndarray, ratio: np.ndarray, excess: np.ndarray, near: np.ndarray) -> Generators:
    """Return the shortest geodesics from N(0, Id) to n normals N(shift, S).

    Parameters
    ----------
    shift : numpy.ndarray
        Shape (n, d).
    ratio : numpy.ndarray
        Lower triangular factors of S, shape (n, d, d).
    excess : numpy.ndarray
        S − Id where `near` holds, shape (n, d, d); not used elsewhere.
    near : numpy.ndarray
        Shape (n,).
    """
    close = near & (np.linalg.norm(shift, axis=-1) < _NEAR)
    n, d = shift.shape
    matrix, distance = np.zeros((n, 2 * d + 1, 2 * d + 1)), np.full(n, np.nan)
    for here, flag in ((close, True), (~close, False)):
        if np.any(here):
            lift = _Lift(shift[here], ratio[here], excess[here], flag)
            turn, found = _minimise(lift, np.zeros_like(lift.ratio))
            spectrum = lift.spectrum(turn)
            matrix[here] = _generator(spectrum)
            length = np.sqrt(spectrum.energy())
            # far ones: a logarithm may be wrong by the rounding of the largest entry of a factor of G
            rounding = 0.0 if flag else 1e-15 * np.exp(0.5 * spectrum.logarithms[:, 0])
            distance[here] = np.where(found & (rounding < _ERROR * length), length, np.nan)
    return Generators(matrix, distance)


class _Spectrum(NamedTuple):
    """Logarithms of the eigenvalues, in falling order, and eigenvectors of matrices G."""

    logarithms: np.ndarray
    vectors: np.ndarray

    def large(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the d largest logarithms and the three parts of their eigenvectors.

        The others are their mirror images under J and one that is zero.
        """
        d = self.logarithms.shape[-1] // 2
        vectors = self.vectors[..., :d]
        return self.logarithms[..., :d], vectors[..., :d, :], vectors[..., d, :], vectors[..., d + 1 :, :]

    def energy(self) -> np.ndarray:
        """Return ½·Σ log²λ over λ > 1."""
        return 0.5 * np.sum(self.large()[0] ** 2, axis=-1)

    def corner(self) -> np.ndarray:
        """Return the last d columns of the first d rows of log G, a skew-symmetric matrix."""
        logarithms, first, _, last = self.large()
        product = (first * logarithms[..., None, :]) @ np.swapaxes(last, -1, -2)
        return product - np.swapaxes(product, -1, -2)


class _Lift:
    """The matrices G that show N(shift, S), as a function of W."""

    def __init__(self, shift: np.ndarray, ratio: np.ndarray, excess: np.ndarray, near: bool) -> None:
        self.shift, self.ratio, self.excess, self.near = shift, ratio, excess, near
        self.inverse = forward_substitution(ratio, np.broadcast_to(np.eye(shift.shape[-1]), ratio.shape))

    def take(self, which: np.ndarray) -> _Lift:
        return _Lift(self.shift[which], self.ratio[which], self.excess[which], self.near)

    def spectrum(self, turn: np.ndarray) -> _Spectrum:
        """Return logarithms and eigenvectors for skew-symmetric matrices W, shape (n, d, d)."""
        m = self.shift[..., None]
        corner = turn - 0.5 * m * self.shift[..., None, :]
        if self.near:
            values, vectors = np.linalg.eigh(self._difference(m, corner))
            return _Spectrum(np.log1p(values[..., ::-1]), vectors[..., ::-1])
        n, d = self.shift.shape
        factor = np.zeros((n, 2 * d + 1, 2 * d + 1))
        factor[:, :d, :d] = np.swapaxes(self.inverse, -1, -2)
        factor[:, d : d + 1, :d] = np.swapaxes(self.inverse @ m, -1, -2)
        factor[:, d, d] = 1.0
        factor[:, d + 1 :, :d] = corner @ factor[:, :d, :d]
        factor[:, d + 1 :, d] = -self.shift
        factor[:, d + 1 :, d + 1 :] = self.ratio
        vectors, values, _ = np.linalg.svd(factor)
        large = 2.0 * np.log(values[:, :d])
        return _Spectrum(np.concatenate([large, np.zeros((n, 1)), -large[:, ::-1]], axis=-1), vectors)

    def _difference(self, m: np.ndarray, corner: np.ndarray) -> np.ndarray:
        """Return G − Id, whose entries are small, without cancellation."""
        precision = np.swapaxes(self.inverse, -1, -2) @ self.inverse
        n, d = self.shift.shape
        result = np.empty((n, 2 * d + 1, 2 * d + 1))
        tilted = precision @ m
        result[:, :d, :d] = -precision @ self.excess
        result[:, d, :d] = tilted[..., 0]
        result[:, d, d] = np.sum(self.shift * tilted[..., 0], axis=-1)
        result[:, d + 1 :, :d] = corner @ precision
        result[:, d + 1 :, d] = (corner @ tilted - m)[..., 0]
        result[:, d + 1 :, d + 1 :] = (
            corner @ precision @ np.swapaxes(corner, -1, -2) + m * self.shift[..., None, :] + self.excess
        )
        lower = np.tril(result)
        return lower + np.swapaxes(np.tril(result, -1), -1, -2)


def _generator(spectrum: _Spectrum) -> np.ndarray:
    """Return A: the logarithm, its small corner set to zero."""
    logarithms, first, middle, last = spectrum.large()
    n, d = logarithms.shape
    velocity = np.sum((first - last) * (logarithms * middle)[..., None, :], axis=-1)
    weighted = [part * logarithms[..., None, :] @ np.swapaxes(part, -1, -2) for part in (last, first)]
    matrix = np.zeros((n, 2 * d + 1, 2 * d + 1))
    matrix[:, d + 1 :, d + 1 :] = weighted[0] - weighted[1]
    matrix[:, :d, :d] = -matrix[:, d + 1 :, d + 1 :]
    matrix[:, :d, d] = matrix[:, d, :d] = velocity
    matrix[:, d + 1 :, d] = matrix[:, d, d + 1 :] = -velocity
    return matrix


def _minimise(lift: _Lift, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the W of least energy, looked for from a start, and for which pairs it was found.

    Newton's method; where its matrix is not positive definite, or the step goes uphill, a multiple of the
    part of it that is positive is added.
    """
    n, d = lift.shift.shape
    rows, columns = np.tril_indices(d, -1)
    basis = np.zeros((rows.size, d, d))
    basis[np.arange(rows.size), rows, columns], basis[np.arange(rows.size), columns, rows] = 1.0, -1.0
    turn, found = start.copy(), np.zeros(n, dtype=bool)
    energy = lift.spectrum(turn).energy()
    damping, last = np.zeros(n), np.full(n, np.inf)
    active = np.arange(n)
    for _ in range(_ITERATIONS):
        if not active.size:
            break
        part = lift.take(active)
        spectrum = part.spectrum(turn[active])
        slope = -2.0 * spectrum.corner()[:, rows, columns]
        second, positive = _bend(spectrum, basis)
        step, proper = _newton_step(slope, second + damping[active, None, None] * positive)
        fall = -np.sum(slope * step, axis=-1) / energy[active]
        trial = turn[active] + np.einsum("nb,bij->nij", step, basis)
        there = part.spectrum(trial).energy()
        # in the last steps rounding decides whether the energy falls
        allowed = np.where(fall < 1e-11, 1.0 + 1e-12, 1.0) * energy[active]
        good = proper & (fall >= 0.0) & (there <= allowed)
        accepted = active[good]
        turn[accepted], energy[accepted] = trial[good], there[good]
        full = good & (damping[active] == 0.0)
        settled = full & ((fall < 1e-29) | ((fall < 1e-19) & (fall > 0.01 * last[active])))
        found[active[settled]] = True
        last[active] = np.where(full, fall, np.inf)
        relaxed = np.where(damping[active] > 1e-2, 0.1 * damping[active], 0.0)
        damping[active] = np.where(good, relaxed, np.maximum(5.0 * damping[active], 0.1))
        active = active[~settled & (damping[active] < 1e12)]
    return turn, found


def _bend(spectrum: _Spectrum, basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return second derivatives of the energy by W, shape (n, b, b), and the positive part of them.

    Moving W by s·D takes G to exp(s·E)·G·exp(s·Eᵀ), where E has the one block D. With M = VᵀEV in the basis V
    of the eigenvectors the second derivative is Σ r(lᵢ − lⱼ)·MᵢⱼMⱼᵢ + r(lⱼ − lᵢ)·Mⱼᵢ², r(z) = z/(eᶻ − 1), by
    the formula of Daletskii and Krein for the derivative of the logarithm.
    """
    d = basis.shape[-1]
    vectors = spectrum.vectors[:, None]
    moved = np.swapaxes(vectors[..., d + 1 :, :], -1, -2) @ basis @ vectors[..., :d, :]
    gap = spectrum.logarithms[:, :, None] - spectrum.logarithms[:, None, :]
    small = np.abs(gap) < 1e-5
    safe = np.where(small, 1.0, gap)
    with np.errstate(over="ignore"):
        weight = np.where(small, 1.0 - 0.5 * gap, safe / np.expm1(safe))
    n, size = moved.shape[:2]
    flat = moved.reshape(n, size, -1)
    mirrored = np.swapaxes(moved, -1, -2).reshape(n, size, -1)
    weight = weight.reshape(n, 1, -1)
    across = (weight * flat) @ np.swapaxes(mirrored, -1, -2)
    positive = (weight * flat) @ np.swapaxes(flat, -1, -2)
    second = 0.5 * (across + np.swapaxes(across, -1, -2)) + positive
    return second, positive


def _newton_step(slope: np.ndarray, matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return −matrix⁻¹·slope and whether the matrix is positive definite."""
    values, vectors = np.linalg.eigh(matrices)
    proper = values[..., 0] > 1e-14 * np.abs(values[..., -1])
    turned = np.swapaxes(vectors, -1, -2) @ slope[..., None]
    safe = np.where(proper[..., None], values, 1.0)
    return -(vectors @ (turned / safe[..., None]))[..., 0], proper
