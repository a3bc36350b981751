"""α-geodesics of exponential families: straight in the α-connection, in closed form or by numbers.

With e = (1 − α)/2, and up to the affine parameter where it is not given:

- Normal: e·(mean − centre)² + std² = constant. For α < 1 half-ellipses centred on std = 0, circles for the
  m-geodesic, α = −1; parabolas for the e-geodesic, α = 1, and hyperbolas beyond. With the arc u of the
  half-plane of (√e·mean, std) the affine parameter has dt ∝ std^(−2α)·du.
- Categorical and Bernoulli: probabilities ∝ ((1 − u)·p^e + u·q^e)^(1/e), straight lines of p^e seen from the
  origin; dt ∝ du over the square of their norm, (Σ …)^(2e).
- Poisson: rate^e is straight in t. Exponential: rate^α is.
- The others: the geodesic equation, solved as a boundary value problem.

References
----------
Amari, S. (2016). Information Geometry and Its Applications, chapters 3 and 6.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from igviz.geometry.affine_time import AffineTime
from igviz.geometry.connection_paths import ConnectionPath, connection_path
from igviz.geometry.families.bernoulli import Bernoulli
from igviz.geometry.families.categorical import Categorical
from igviz.geometry.families.exponential import Exponential
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.geometry.families.normal import Normal
from igviz.geometry.families.poisson import Poisson
from igviz.geometry.geodesic_flow import flow
from igviz.geometry.numerics import forward_substitution

Family = TypeVar("Family", bound=ExponentialFamily)
Times = Callable[[np.ndarray], Any]

_MOST_CALLS = 5000  # of the acceleration, beyond the ends of a path


def alpha_path(p: Family, q: Family, alpha: float) -> Callable[[np.ndarray], Family]:
    """Return the α-geodesics from p at t = 0 to q at t = 1, with t their affine parameter.

    Parameters
    ----------
    p, q : distributions of one exponential family
        With natural coordinates; their grids broadcast. Paths are found one after the other.
    alpha : float
        Any finite number; outside [−1, 1] a path may not exist.

    Returns
    -------
    callable
        Maps times of any shape, the grid's axes appended, to distributions. Closed forms are right to about
        1e-13 in Fisher–Rao distance, boundary value problems to about 1e-9.

    Raises
    ------
    ArithmeticError
        If there is no path, or none is found.
    ValueError
        If an end has no natural coordinates; when called, if a path leaves the family before it gets there.
    """
    shape = np.broadcast_shapes(p.shape, q.shape)
    p, q = p._broadcast_to(shape), q._broadcast_to(shape)
    _ = p.natural, q.natural  # corners are refused here
    make = _CLOSED_FORMS.get(type(p), _by_collocation)
    paths = [make(p[index], q[index], alpha) for index in np.ndindex(shape)]

    def at(t: np.ndarray) -> Family:
        times = t.reshape(t.shape[: t.ndim - len(shape)])
        points = [path(times.ravel()) for path in paths]
        parts = []
        for f in dataclasses.fields(p):
            # axes: time, grid, the field's own
            values = np.stack([getattr(point, f.name) for point in points], axis=1)
            parts.append(values.reshape((*times.shape, *shape, *values.shape[2:])))
        return type(p)(*parts)

    return at


def _no_path(p: Any, q: Any, alpha: float) -> ArithmeticError:
    hint = "" if abs(alpha) <= 1.0 else "; outside [-1, 1] there may be none"
    return ArithmeticError(f"geodesic: no path for alpha = {alpha:g} was found from {p!r} to {q!r}{hint}")


# -- closed forms --------------------------------------------------------------------------------------------


def _normal(p: Normal, q: Normal, alpha: float) -> Times:
    """Mix the ends by the weights a = sinh(u·h)/sinh h and b = sinh((1 − u)·h)/sinh h.

    1/std = a/std_q + b/std_p, and the mean is weighted by a/std_q and b/std_p. Here cosh h − 1 is
    ((Δstd)² + e·(Δmean)²)/(2·std_p·std_q). For α > 1 it may be negative: then sinh turns into sin, and there
    is no path if h reaches π.
    """
    shift, ratio = float((q.mean - p.mean) / p.std), float(q.std / p.std)
    excess = ((float(q.std - p.std) / float(p.std)) ** 2 + 0.5 * (1.0 - alpha) * shift**2) / (2.0 * ratio)
    if excess <= -2.0:
        raise _no_path(p, q, alpha)
    root = np.sqrt(0.5 * abs(excess))
    length = 2.0 * (np.arcsinh(root) if excess >= 0.0 else np.arcsin(root))

    def weights(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ahead, behind = (_sine_ratio(part, length, excess < 0.0) for part in (u, 1.0 - u))
        return ahead / ratio, behind

    def at(u: np.ndarray) -> Normal:
        ahead, behind = weights(u)
        total = ahead + behind
        p._require("1/std", total > 0.0, "positive", total)
        return Normal(p.mean + (q.mean - p.mean) * (ahead / total), p.std / total)

    def rate(u: np.ndarray) -> np.ndarray:
        return np.asarray(sum(weights(u))) ** (2.0 * alpha)

    time = AffineTime(rate)
    return lambda t: at(time.inverse(t))


def _sine_ratio(part: np.ndarray, length: float, circular: bool) -> np.ndarray:
    """Return sinh(part·length)/sinh(length), or the same with sines."""
    if length == 0.0:
        return part
    if circular:
        return np.sin(part * length) / np.sin(length)
    # as exponentials, which do not overflow
    grow = np.expm1(-2.0 * np.abs(part) * length) / np.expm1(-2.0 * length)
    return np.sign(part) * np.exp((np.abs(part) - 1.0) * length) * grow


def _categorical(p: Categorical, q: Categorical, alpha: float) -> Times:
    at = _power_mixture(np.log(p.probabilities), np.log(q.probabilities), alpha)
    return lambda t: Categorical(at(t))


def _bernoulli(p: Bernoulli, q: Bernoulli, alpha: float) -> Times:
    start, end = (np.array([np.log(r.probability), np.log1p(-r.probability)]) for r in (p, q))
    at = _power_mixture(start, end, alpha)
    return lambda t: Bernoulli(at(t)[:, 0])


def _power_mixture(start: np.ndarray, end: np.ndarray, alpha: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return probabilities, shape (m, K), at affine times, from the log-probabilities of the ends.

    With the power e, log((1 − u)·p^e + u·q^e)/e is formed so that it stays right as e tends to 0, where it is
    a mean of logarithms.
    """
    power = 0.5 * (1.0 - alpha)
    first, last = np.expm1(power * start), np.expm1(power * end)

    def logarithms(u: np.ndarray) -> np.ndarray:
        if power == 0.0:
            return start + u[..., None] * (end - start)
        with np.errstate(invalid="ignore", divide="ignore"):  # beyond its end the path has no logarithms
            return np.log1p(first + u[..., None] * (last - first)) / power

    def norm(u: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.logaddexp.reduce(logarithms(u), axis=-1)

    time = AffineTime(lambda u: np.exp(-2.0 * power * norm(u)))

    def at(t: np.ndarray) -> np.ndarray:
        u = time.inverse(t)
        return np.exp(logarithms(u) - norm(u)[..., None])

    return at


def _poisson(p: Poisson, q: Poisson, alpha: float) -> Times:
    at = _straight_power(float(p.rate), float(q.rate), 0.5 * (1.0 - alpha))
    return lambda t: Poisson(at(t))


def _exponential(p: Exponential, q: Exponential, alpha: float) -> Times:
    at = _straight_power(float(p.rate), float(q.rate), alpha)
    return lambda t: Exponential(at(t))


def _straight_power(start: float, end: float, power: float) -> Times:
    """Return positive numbers whose power is straight in t."""
    change = np.log(end / start)

    def at(t: np.ndarray) -> np.ndarray:
        if power == 0.0:
            return start * np.exp(t * change)
        mixed = t * np.expm1(power * change)
        if np.any(mixed <= -1.0):
            raise ValueError("the path ends before it gets there")
        return start * np.exp(np.log1p(mixed) / power)

    return at


_CLOSED_FORMS: dict[type, Callable[[Any, Any, float], Times]] = {
    Normal: _normal,
    Categorical: _categorical,
    Bernoulli: _bernoulli,
    Poisson: _poisson,
    Exponential: _exponential,
}


# -- by numbers ----------------------------------------------------------------------------------------------


def _by_collocation(p: Any, q: Any, alpha: float) -> Times:
    frame = _NaturalFrame(p, q, alpha)
    path = connection_path(frame, frame.start, frame.step, frame.metric_path)
    if path is None:
        raise _no_path(p, q, alpha)
    return lambda t: frame.made(frame.start + _displacement(frame, path, t))


def _displacement(frame: _NaturalFrame, path: ConnectionPath, t: np.ndarray) -> np.ndarray:
    """Return x(t) − x(0), shape (m, k), between the ends by the path, beyond them by its equation."""
    moved = path.displacement(np.clip(t, 0.0, 1.0))
    moved[t >= 1.0] = frame.step  # without the rounding of a sum
    for beyond, time, end in ((t < 0.0, t, 0.0), (t > 1.0, t - 1.0, 1.0)):
        if np.any(beyond):
            origin, velocity = frame.start + end * frame.step, path.velocity(end)
            scale = frame.unit(origin[None])
            speed = np.atleast_1d(np.linalg.norm(velocity / scale))
            try:
                with np.errstate(all="ignore"):
                    ahead = flow(
                        frame.limited_acceleration(),
                        origin[None],
                        velocity[None],
                        speed,
                        scale,
                        time[beyond],
                    )
            except ArithmeticError as error:
                raise ValueError(str(error)) from None
            moved[beyond] += ahead[:, 0]
    return moved


class _NaturalFrame:
    """The α-connection in natural coordinates, with the ends of one path.

    −Γ(v, v) = −(1 − α)/2·I⁻¹·T(v, v) with the Fisher matrix I and the cubic tensor T. At constant speed
    x″ = −Γ(x′, x′) + λ·x′ with λ = −(α/2)·T(x′, x′, x′)/|x′|². Multivariate normals are seen where p is
    standard: affine maps of the observations change nothing.
    """

    def __init__(self, p: Any, q: Any, alpha: float) -> None:
        self.family, self.alpha = type(p), alpha
        self.back: Callable[[Any], Any] = lambda r: r
        if isinstance(p, MultivariateNormal):
            p, q, self.back = _standardised(p, q)
        self.p, self.q = p, q
        self.start = p.natural
        self.step = q.natural - self.start

    def made(self, points: np.ndarray) -> Any:
        """Return the distributions with coordinates, shape (m, k)."""
        return self.back(self.family.from_natural(points))

    def bend(self, x: np.ndarray, v: np.ndarray, part: float) -> tuple[np.ndarray, np.ndarray]:
        """Return −Γ(v, v) and λ for the multiple `part` of α; nan outside the family."""
        alpha = part * self.alpha
        try:
            with np.errstate(all="ignore"):
                p = self.family.from_natural(x)
                square = np.einsum("ni,nij,nj->n", v, p.fisher("natural"), v)
                pull = np.einsum("nijk,nj,nk->ni", p.third_cumulant(), v, v)
                bend = -0.5 * (1.0 - alpha) * np.einsum("nij,nj->ni", p.fisher("expectation"), pull)
                return bend, -0.5 * alpha * np.sum(pull * v, axis=-1) / square
        except ValueError:
            return np.full(x.shape, np.nan), np.full(len(x), np.nan)

    def limited_acceleration(self) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """Return −Γ(v, v) for so many calls: very far out rounding makes an integrator's steps tiny."""
        calls = iter(range(_MOST_CALLS))

        def acceleration(x: np.ndarray, v: np.ndarray) -> np.ndarray:
            if next(calls, None) is None:
                raise ArithmeticError("too far beyond the ends for the geodesic equation to be integrated")
            return self.bend(x, v, 1.0)[0]

        return acceleration

    def unit(self, x: np.ndarray) -> np.ndarray:
        """Return the steps of Fisher length 1 along each coordinate; nan outside the family."""
        try:
            metric = self.family.from_natural(x).fisher("natural")
        except ValueError:
            return np.full(x.shape, np.nan)
        return 1.0 / np.sqrt(np.diagonal(metric, axis1=-2, axis2=-1))

    def metric_path(self, s: np.ndarray) -> np.ndarray:
        """Return x(s) − start on the Fisher–Rao path, shape (m, k); a straight line if none is found."""
        try:
            return self.family(*self.p._fisher_rao_path(self.q)(s)).natural - self.start
        except (ArithmeticError, NotImplementedError):
            return s[:, None] * self.step


def _standardised(p: Any, q: Any) -> tuple[Any, Any, Callable[[Any], Any]]:
    """Return a pair of multivariate normals where p is standard, and the way back."""
    factor = p.cholesky_factor
    shift = forward_substitution(factor, (q.mean - p.mean)[:, None])[:, 0]
    ratio = forward_substitution(factor, q.cholesky_factor)
    start = MultivariateNormal(np.zeros_like(shift), np.eye(shift.size))

    def back(r: MultivariateNormal) -> MultivariateNormal:
        return MultivariateNormal(p.mean + r.mean @ factor.T, factor @ r.cov @ factor.T)

    return start, MultivariateNormal(shift, ratio @ ratio.T), back
