"""Gradient ascent and Adam, in any chart and with any estimator of the gradient.

Geometry and estimator vary independently, so that a comparison changes one thing at a time. Steps are never
shortened or clipped: a step that leaves the Gaussians ends the walk and is reported.

References
----------
Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization, section 2 (with algorithm 1).
Khan, M. E. and Rue, H. (2023). The Bayesian learning rule, section 3 (the natural chart).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from igviz.inference.arguments import require, require_count, require_positive
from igviz.inference.gaussians import Gaussian
from igviz.inference.gradients import ESTIMATORS, GaussianGradient, sample_gradients
from igviz.inference.optimisers_charts import CHARTS, inverse_of_square
from igviz.inference.place import Place, place
from igviz.inference.protocol import Model
from igviz.inference.result import Fit, History
from igviz.inference.sampling import check_rng, one_gaussian

EXACT = "exact"
Callback = Callable[[int, Gaussian, float], object]
Rule = Callable[[np.ndarray], np.ndarray]


def gradient_ascent(
    model: Model,
    q0: Gaussian | None = None,
    step: float = 0.1,
    geometry: str = "natural",
    estimator: str = EXACT,
    samples: int = 10,
    rng: np.random.Generator | None = None,
    max_iter: int = 500,
    tol: float = 1e-10,
    callback: Callback | None = None,
) -> Fit:
    """Return where steps of one size along the gradient of the ELBO lead.

    Parameters
    ----------
    model : Model
        Any model with a log joint, such as an `igviz.LogisticRegression`.
    q0 : Normal or MultivariateNormal, optional
        Where to start; the model's prior when left out.
    step : float
        What the direction is multiplied with.
    geometry : {"natural", "mean and covariance", "mean and Cholesky factor"}
        "natural" follows the natural gradient in natural coordinates, as the bare iteration of
        `igviz.natural_gradient_vi` does; the others the ordinary gradient by their coordinates. In one
        dimension the Cholesky factor is the standard deviation.
    estimator : {"exact", "score function", "control variate", "reparameterised", "Bonnet and Price"}
        How the gradient is found, see `igviz.sample_gradients`.
    samples : int
        Draws of q for each step, unless the estimator is exact.
    rng : numpy.random.Generator, optional
        Source of randomness, needed unless the estimator is exact.
    max_iter : int
        The most steps.
    tol : float
        With the exact estimator the walk has converged when half the squared Fisher length of the natural
        gradient is below tol nats. With samples it goes on to max_iter.
    callback : callable, optional
        Called as callback(iteration, q, elbo) at the start and after every step; a true answer ends the walk.

    Returns
    -------
    Fit
        With q (a Normal if the start is one, else a MultivariateNormal), elbo, converged, message, history.
        All ELBOs are exact, and with samples the time for them is not counted. If a step leaves the
        Gaussians, where a variance or a diagonal entry of the factor would not be positive, the message
        says which step, and q is the last before.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is allowed.
    OverflowError
        If the ELBO at the start is no finite number.
    """

    def rule(direction: np.ndarray) -> np.ndarray:
        return step * direction

    chosen = geometry, estimator, samples, rng
    return _walk("gradient_ascent", model, q0, step, rule, chosen, max_iter, tol, callback)


def adam(
    model: Model,
    q0: Gaussian | None = None,
    step: float = 0.1,
    geometry: str = "mean and Cholesky factor",
    estimator: str = EXACT,
    samples: int = 10,
    rng: np.random.Generator | None = None,
    max_iter: int = 500,
    tol: float = 1e-10,
    callback: Callback | None = None,
    decays: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
) -> Fit:
    """Return where Adam leads: steps of a running mean of gradients by the root of that of their squares.

    All but the last two arguments are those of `igviz.gradient_ascent`. With geometry "natural" the running
    means are those of the natural gradient.

    Parameters
    ----------
    decays : tuple of float
        Of the running means of the gradient and of its square, from 0 to below 1.
    epsilon : float
        Added to the root, so that it is never 0.

    Returns
    -------
    Fit
        As from `igviz.gradient_ascent`.

    Raises
    ------
    TypeError, ValueError, OverflowError
        As `igviz.gradient_ascent`.

    References
    ----------
    Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization, algorithm 1.
    """
    where = "adam"
    allowed = "two numbers from 0 to below 1"
    require(len(decays) == 2 and all(0.0 <= b < 1.0 for b in decays), where, "decays", decays, allowed)
    require_positive(where, "epsilon", epsilon)
    means: list[np.ndarray | float] = [0.0, 0.0]
    count = 0

    def rule(direction: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        for k, part in enumerate((direction, direction**2)):
            means[k] = decays[k] * means[k] + (1.0 - decays[k]) * part
        first, second = (means[k] / (1.0 - decays[k] ** count) for k in (0, 1))
        return step * first / (np.sqrt(second) + epsilon)

    chosen = geometry, estimator, samples, rng
    return _walk(where, model, q0, step, rule, chosen, max_iter, tol, callback)


def _walk(
    where: str,
    model: Model,
    q0: Gaussian | None,
    step: float,
    rule: Rule,
    chosen: tuple[str, str, int, np.random.Generator | None],
    max_iter: int,
    tol: float,
    callback: Callback | None,
) -> Fit:
    """Take steps that a rule makes of directions, in a chart, until one of the reasons to end."""
    geometry, estimator, samples, rng = chosen
    _check(where, step, max_iter, tol, chosen)
    chart = CHARTS[geometry]
    start = model.prior if q0 is None else q0
    at = one_gaussian(where, start, model.dimension)
    here = start_place(where, model, at.mean, at.root)
    x = chart.coordinates(here.mean, here.root)
    records, seconds = [(here.elbo, 0.0, np.nan)], 0.0
    while True:
        iteration = len(records) - 1
        stop = callback is not None and bool(callback(iteration, here.gaussian(start), here.elbo))
        converged = estimator == EXACT and 0.5 * here.squared_length() <= tol
        if converged or stop or iteration == max_iter:
            break
        clock = time.perf_counter()
        gradient = _gradient(model, here, here.gaussian(start), estimator, samples, rng)
        x = x + rule(chart.direction(here.mean, here.root, gradient))
        found = chart.gaussian(x)
        if estimator != EXACT:
            seconds += time.perf_counter() - clock
        there = None if found is None else place(model, *found[:1], inverse_of_square(found[1]), found[1])
        if there is None or not np.isfinite(there.elbo):
            break
        if estimator == EXACT:
            seconds += time.perf_counter() - clock
        here = there
        records.append((here.elbo, seconds, step))
    if converged:
        message = "the natural gradient vanishes"
    elif stop:
        message = "the callback ended the walk"
    elif iteration == max_iter:
        message = f"max_iter = {max_iter} steps were taken"
    elif there is None:
        message = (
            f"step {iteration + 1} leaves the Gaussians: a variance, or a diagonal entry of the factor, "
            "is not positive"
        )
    else:
        message = f"step {iteration + 1} leads to where the ELBO is no finite number"
    columns = (np.array(column) for column in zip(*records, strict=True))
    return Fit(here.gaussian(start), here.elbo, converged, message, History(*columns))


def _gradient(
    model: Model, here: Place, q: Gaussian, estimator: str, samples: int, rng: np.random.Generator | None
) -> GaussianGradient:
    if estimator == EXACT or rng is None:
        return GaussianGradient(here.gradient, 0.5 * (here.hessian + here.precision))
    found = sample_gradients(model, q, estimator, samples, rng)
    return GaussianGradient(found.mean.mean(axis=0), found.cov.mean(axis=0))


def start_place(where: str, model: Model, mean: np.ndarray, root: np.ndarray) -> Place:
    """Ask the model at the start, and raise OverflowError if its ELBO there is no finite number."""
    here = place(model, np.array(mean), inverse_of_square(root), np.array(root))
    if not np.isfinite(here.elbo):
        raise OverflowError(
            f"{where}: the ELBO at the start is no finite number; give a q0 nearer to where the model has "
            "density, or narrower"
        )
    return here


def _check(
    where: str,
    step: float,
    max_iter: int,
    tol: float,
    chosen: tuple[str, str, int, np.random.Generator | None],
) -> None:
    geometry, estimator, samples, rng = chosen
    require_positive(where, "step", step)
    require_positive(where, "tol", tol)
    require_count(where, "max_iter", max_iter)
    for name, value, names in (
        ("geometry", geometry, tuple(CHARTS)),
        ("estimator", estimator, (EXACT, *ESTIMATORS)),
    ):
        allowed = "one of " + ", ".join(repr(one) for one in names)
        require(isinstance(value, str) and value in names, where, name, value, allowed)
    if estimator != EXACT:
        require_count(where, "samples", samples, least=1)
        check_rng(where, rng)
