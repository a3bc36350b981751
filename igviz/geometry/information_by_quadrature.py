"""Fisher information of any log-density, by quadrature: each of its definitions, to see where they part."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.adaptive_quadrature import integrate
from igviz.geometry.log_density import WHO, LogDensity
from igviz.geometry.numerics import as_numbers


@dataclasses.dataclass(frozen=True, eq=False)
class QuadratureInformation:
    """What is called Fisher information, two ways, and what both presuppose, for k parameters.

    Where the model is regular `outer_product` and `minus_hessian` agree and `mean_score` is 0.

    Attributes
    ----------
    outer_product : numpy.ndarray
        E[∇ log p (∇ log p)ᵀ], shape (k, k).
    minus_hessian : numpy.ndarray
        −E[∇² log p], shape (k, k).
    mean_score : numpy.ndarray
        E[∇ log p], shape (k,).
    total : float
        The integral (or sum) of the density.
    """

    outer_product: np.ndarray
    minus_hessian: np.ndarray
    mean_score: np.ndarray
    total: float


def information_by_quadrature(
    log_density: Callable[..., ArrayLike],
    theta: Sequence[float] | ArrayLike,
    support: tuple[float, float] | None = None,
    *,
    outcomes: ArrayLike | None = None,
    points: ArrayLike = (),
) -> QuadratureInformation:
    """Return the Fisher information of a log-density with one or two parameters, by quadrature.

    Parameters
    ----------
    log_density : callable
        `log_density(x, *theta)` in nats for an array x of shape (n,) and numbers theta; −inf where the
        density is 0. It is also called for parameters near theta; where these make no distribution it may
        return nan or raise a ValueError.
    theta : sequence of float
        The one or two parameters.
    support : (low, high), optional
        The interval that holds a continuous x; infinities are allowed.
    outcomes : array_like, optional
        Instead of support the values of a discrete x, shape (n,), such as range(200) for small counts.
    points : array_like
        Places inside the support where the density has a kink, a jump or a singularity; they may move with
        theta, at most twice as far as a parameter does. Unnamed, a kink that moves is taken for a smooth
        bend. The centre of a density that is very narrow belongs here too, so that it is found.

    Returns
    -------
    QuadratureInformation
        Its entries are right to about 1e-9 of √(I_ii·I_jj) for densities that are smooth between the points,
        the Hessian form to 1e-7 if there are points or log_density subtracts numbers in the hundreds.

    Raises
    ------
    TypeError
        If log_density cannot be called.
    ValueError
        If an argument is not of the form above, the density does not integrate to 1 within 1e-6, or it has no
        finite derivatives or information.

    Notes
    -----
    The support may end where a parameter says. The derivatives are those at the places inside it, as in the
    usual definition: what moves shows in `mean_score`. If the density falls to 0 at an end that moves, the
    information may be infinite, which is not noticed.

    References
    ----------
    Amari, S. (2016). Information Geometry and Its Applications, section 2.1.
    Lehmann, E. L. and Casella, G. (1998). Theory of Point Estimation, section 2.5.
    Fornberg, B. (1988). Generation of finite difference formulas on arbitrarily spaced grids.
    """
    model = LogDensity(log_density, _checked_theta(theta))
    breaks, values = _checked_domain(support, outcomes, points)

    def expect(function: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return E[function], one entry after the other, and nodes with their probabilities."""

        def integrand(x: np.ndarray) -> np.ndarray:
            density = model.pdf(x)
            rows = np.zeros((function(x[:0]).shape[0], x.size))
            possible = density > 0.0
            rows[:, possible] = function(x[possible]) * density[possible]
            return rows

        try:
            total, x, weights = integrate(integrand, breaks) if values is None else _add(integrand, values)
        except ArithmeticError:
            raise ValueError(
                f"{WHO}: the integrals do not converge; points must name every kink, jump and singularity "
                "of log_density, and its information must be finite"
            ) from None
        mass = weights * model.pdf(x)
        return total, x[mass > 0.0], mass[mass > 0.0]

    (total,), x, mass = expect(lambda x: np.ones((1, x.size)))
    if not abs(total - 1.0) <= 1e-6:
        hint = "" if values is not None else "; if it is narrow, put its centre into points"
        raise ValueError(
            f"{WHO}: log_density must be normalised, but its density integrates to {total:.9g}{hint}"
        )
    model.measure(x, mass, breaks)
    entries = expect(model.products)[0]
    return _matrices(entries, model.units, float(total))


def _matrices(entries: np.ndarray, units: np.ndarray, total: float) -> QuadratureInformation:
    """Return the means of `LogDensity.products` as matrices, in the parameters themselves."""
    k = units.size
    squares, bends = np.split(entries[k:], 2)
    scale = np.outer(units, units)
    place = [[0]] if k == 1 else [[0, 2], [2, 1]]
    return QuadratureInformation(squares[place] / scale, bends[place] / scale, entries[:k] / units, total)


def _add(function: Callable[[np.ndarray], np.ndarray], outcomes: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the sum over outcomes in the form of `integrate`."""
    return np.sum(function(outcomes), axis=-1), outcomes, np.ones(outcomes.size)


def _checked_theta(theta: Any) -> np.ndarray:
    values = as_numbers(WHO, "theta", theta)
    if values.shape not in ((1,), (2,)) or not np.all(np.isfinite(values)):
        raise ValueError(f"{WHO}: theta must be one or two finite numbers in a sequence, got {theta!r}")
    return values


def _checked_domain(support: Any, outcomes: Any, points: Any) -> tuple[list[float], np.ndarray | None]:
    """Return the breaks of an integral, or the outcomes of a sum and no breaks."""
    if (support is None) == (outcomes is None):
        raise ValueError(f"{WHO}: either support or outcomes must be given, and not both")
    if outcomes is not None:
        values = as_numbers(WHO, "outcomes", outcomes)
        if values.ndim != 1 or values.size == 0 or np.unique(values).size < values.size:
            raise ValueError(f"{WHO}: outcomes must be different numbers on one axis, got {outcomes!r}")
        return [], values
    ends = as_numbers(WHO, "support", support)
    if ends.shape != (2,) or not ends[0] < ends[1]:
        raise ValueError(f"{WHO}: support must be (low, high) with low < high, got {support!r}")
    places = np.unique(as_numbers(WHO, "points", points))
    if not np.all((places > ends[0]) & (places < ends[1])):
        raise ValueError(f"{WHO}: points must lie inside the support {support!r}, got {points!r}")
    return [float(ends[0]), *map(float, places), float(ends[1])], None
