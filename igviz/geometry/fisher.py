"""Four matrices that share the name of Fisher: expected, observed, Monte Carlo and empirical.

Two come from outer products of scores ∇ log p and two from curvature −∇² log p; two are averages over the
model and two are taken at the data. All agree on average only if the data come from the model.

| function             | averages                      | over                          |
|----------------------|-------------------------------|-------------------------------|
| `expected_fisher`    | scores' outer products        | the model, exactly            |
| `monte_carlo_fisher` | scores' outer products        | samples from the model        |
| `empirical_fisher`   | scores' outer products        | the data                      |
| `observed_fisher`    | minus the second derivatives  | the data                      |

References
----------
Efron, B. and Hinkley, D. V. (1978). Assessing the accuracy of the maximum likelihood estimator: observed
versus expected Fisher information.
Kunstner, F., Balles, L. and Hennig, P. (2019). Limitations of the empirical Fisher approximation, section 2.
Martens, J. (2020). New insights and perspectives on the natural gradient method, sections 5 and 11.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.differences import gradient
from igviz.geometry.families.distribution import Distribution
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.numerics import as_numbers

SCALINGS = ("sum", "mean")


def expected_fisher(p: Distribution, n: int = 1, chart: str = "source", scaling: str = "sum") -> np.ndarray:
    """Return the Fisher information of n observations, E[∇ log p (∇ log p)ᵀ] summed over them: n·I.

    Parameters
    ----------
    p : Distribution
        One distribution or a grid.
    n : int
        Number of observations, at least 1.
    chart : str
        One of the family's `charts`.
    scaling : {"sum", "mean"}
        "sum" is the total over the n observations, "mean" that of one.

    Returns
    -------
    numpy.ndarray
        Shape (..., k, k).

    Raises
    ------
    TypeError
        If p is not a distribution or n not an integer.
    ValueError
        If n is below 1, the family has no such chart, or scaling is neither "sum" nor "mean".
    """
    _check("expected_fisher", p, chart, scaling)
    count = _checked_count("expected_fisher", n)
    return p.fisher(chart) * (count if scaling == "sum" else 1)


def monte_carlo_fisher(
    p: Distribution, n: int, rng: np.random.Generator, chart: str = "source", scaling: str = "sum"
) -> np.ndarray:
    """Return the outer products of the scores at n values sampled from p itself.

    For every n its mean is `expected_fisher(p, n, chart, scaling)`, whatever the data are like.

    Parameters
    ----------
    p : Distribution
        One distribution or a grid.
    n : int
        Number of samples of each, at least 1.
    rng : numpy.random.Generator
        Source of randomness.
    chart : str
        One of the family's `charts`.
    scaling : {"sum", "mean"}
        "sum" is the total over the n samples, "mean" their mean.

    Returns
    -------
    numpy.ndarray
        Shape (..., k, k), of rank n at most.

    Raises
    ------
    TypeError
        If p is not a distribution, n not an integer or rng not a Generator.
    ValueError
        If n is below 1, the family has no such chart, or scaling is neither "sum" nor "mean".
    """
    _check("monte_carlo_fisher", p, chart, scaling)
    x = p.sample(_checked_count("monte_carlo_fisher", n), rng)
    return _outer_products(p.score(x, chart), scaling)  # type: ignore[attr-defined]


def empirical_fisher(
    p: Distribution, data: ArrayLike, chart: str = "source", scaling: str = "sum"
) -> np.ndarray:
    """Return the outer products of the scores of p at the data.

    Its mean is the expected Fisher information only if the data come from p.

    Parameters
    ----------
    p : Distribution
        One distribution or a grid.
    data : array_like
        Shape (n, ...) with n ≥ 1, then the axes of one observation; behind the first axis it broadcasts with
        `p.shape`. So the same n data serve a whole grid, and `p.sample(n, rng)` gives each its own.
    chart : str
        One of the family's `charts`.
    scaling : {"sum", "mean"}
        "sum" is the total over the n data, "mean" their mean.

    Returns
    -------
    numpy.ndarray
        Shape (..., k, k), of rank n at most, positive semi-definite.

    Raises
    ------
    TypeError
        If p is not a distribution.
    ValueError
        If data are not finite, not of that shape or not in the support of p, the family has no such chart,
        or scaling is neither "sum" nor "mean".
    """
    _check("empirical_fisher", p, chart, scaling)
    x = _checked_data("empirical_fisher", p, data)
    return _outer_products(p.score(x, chart), scaling)  # type: ignore[attr-defined]


def observed_fisher(
    p: Distribution, data: ArrayLike, chart: str = "source", scaling: str = "sum"
) -> np.ndarray:
    """Return −∇² of the log-likelihood of the data in the coordinates of a chart.

    Unlike the others it need not be positive semi-definite. Under a change of chart it turns by the Jacobian
    only if the change is affine or the score of the data vanishes.

    Parameters
    ----------
    p : Distribution
        One distribution or a grid, of an exponential or a location–scale family.
    data : array_like
        Shape (n, ...) with n ≥ 1, then the axes of one observation; behind the first axis it broadcasts with
        `p.shape`. So the same n data serve a whole grid, and `p.sample(n, rng)` gives each its own.
    chart : str
        One of the family's `charts`.
    scaling : {"sum", "mean"}
        "sum" is the total over the n data, "mean" their mean.

    Returns
    -------
    numpy.ndarray
        Shape (..., k, k).

    Raises
    ------
    TypeError
        If p is not a distribution of such a family.
    ValueError
        If data are not finite, not of that shape or not in the support of p, the family has no such chart,
        or scaling is neither "sum" nor "mean".

    Notes
    -----
    The normal and the location–scale families have closed forms in the source chart. In the natural chart of
    an exponential family −∇² log p = ∇²A for any data, the expected Fisher information. In another chart with
    J = ∂η/∂θ it is n·JᵀIJ − Σⱼ rⱼ·∂²ηⱼ/∂θ∂θᵀ, where r is the score of the data in the natural chart. The
    second derivatives of η follow from the third cumulant in the expectation chart; in the source chart they
    are differences of eighth order of J, right to about 1e-10 of n·JᵀIJ, or to 1e-8 where the mean of a
    multivariate normal is a thousand standard deviations.
    """
    _check("observed_fisher", p, chart, scaling)
    x = _checked_data("observed_fisher", p, data)
    if chart == "source" and hasattr(p, "hessian_log_prob"):
        total = -np.sum(p.hessian_log_prob(x), axis=0)
    elif isinstance(p, ExponentialFamily):
        score = np.sum(p.score(x, "natural"), axis=0)
        total = np.broadcast_to(len(x) * p.fisher(chart), (*score.shape, score.shape[-1])).copy()
        if chart != "natural":
            total -= _bend(p, score, chart)
    else:
        raise TypeError(f"observed_fisher: p must be of an exponential or a location-scale family, got {p!r}")
    return total / (len(x) if scaling == "mean" else 1)


def _bend(p: ExponentialFamily, score: np.ndarray, chart: str) -> np.ndarray:
    """Return Σⱼ scoreⱼ·∂²ηⱼ/∂θ∂θᵀ for the coordinates θ of a chart and a score in the natural chart."""
    jacobian = p.natural_by(chart)
    if chart == "expectation":  # J = I⁻¹, and the derivative of I is the third cumulant
        turned = -np.einsum("...ij,...j->...i", jacobian, score)
        bend = np.einsum("...ijk,...i,...ja,...kb->...ab", p.third_cumulant(), turned, jacobian, jacobian)
    else:  # J is differentiated along η: natural coordinates have room on all sides where others end
        family = type(p)
        turn = gradient(lambda eta: family.from_natural(eta).natural_by(chart), p.natural, _natural_scale(p))
        bend = np.einsum("...j,...jac,...cb->...ab", score, turn, jacobian)
    return 0.5 * (bend + np.swapaxes(bend, -1, -2))


def _natural_scale(p: ExponentialFamily) -> np.ndarray:
    """Return how far each natural coordinate may go before it changes its own Fisher information, (..., k).

    It is I/|∂I| but no more than 1/√I.
    """
    information = np.einsum("...ii->...i", p.fisher("natural"))
    change = np.abs(np.einsum("...iii->...i", p.third_cumulant())) / information
    return 1.0 / np.maximum(np.sqrt(information), change)


def _outer_products(scores: np.ndarray, scaling: str) -> np.ndarray:
    """Return Σ s sᵀ over the first axis of scores, shape (n, ..., k), or their mean."""
    total = np.einsum("n...i,n...j->...ij", scores, scores)
    return total / (len(scores) if scaling == "mean" else 1)


def _check(where: str, p: Any, chart: str, scaling: str) -> None:
    if not isinstance(p, Distribution):
        raise TypeError(f"{where}: p must be a distribution such as igviz.Normal, got {p!r}")
    p.require_chart(where, chart)
    if not isinstance(scaling, str) or scaling not in SCALINGS:
        names = ", ".join(repr(name) for name in SCALINGS)
        raise ValueError(f"{where}: scaling must be one of {names}, got {scaling!r}")


def _checked_count(where: str, n: int) -> int:
    try:
        count = operator.index(n)
    except TypeError:
        raise TypeError(f"{where}: n must be an integer, got {n!r}") from None
    if count < 1:
        raise ValueError(f"{where}: n must be at least 1, got {n!r}")
    return count


def _checked_data(where: str, p: Distribution, data: ArrayLike) -> np.ndarray:
    """Return the data with axes of length 1 after the first, so that they broadcast with the grid of p."""
    x = as_numbers(where, "data", data)
    own = p.observation_rank
    if x.ndim < 1 + own or len(x) == 0:
        shape = "(n, ..., d)" if own else "(n, ...)"
        raise ValueError(f"{where}: data must have shape {shape} with n at least 1, got shape {x.shape}")
    if not np.all(np.isfinite(x)):
        raise ValueError(f"{where}: data must be finite, got {x[~np.isfinite(x)][0]}")
    grid = x.shape[1 : x.ndim - own]
    x = x.reshape(len(x), *(1,) * (len(p.shape) - len(grid)), *x.shape[1:])
    try:
        np.broadcast_shapes(grid, p.shape)
    except ValueError:
        raise ValueError(
            f"{where}: data of shape {np.shape(data)} must broadcast behind the first axis with the grid of "
            f"p, {p.shape}"
        ) from None
    outside = np.isneginf(p.log_prob(x))
    if np.any(outside):
        index = tuple(int(i) for i in np.argwhere(outside)[0])
        raise ValueError(
            f"{where}: data must lie in the support of p, got a value of probability 0 at index {index}"
        )
    return x
