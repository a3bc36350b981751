"""Natural-gradient variational inference with Gaussians.

The natural gradient in natural coordinates (Λm, −½Λ) is the ordinary gradient by the expectation parameters.
With Bonnet's and Price's theorems a step of size ρ is

    Λ ← (1 − ρ)·Λ + ρ·E[−∇² log p(x, z)],    m ← m + ρ·Λ_new⁻¹·E[∇ log p(x, z)]

(Khan and Lin 2017; Khan and Rue 2023, section 3). With exact expectations of a log-concave model no step
ρ ≤ 1 leaves the positive-definite precisions: the update is a weighted mean of two.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from igviz.geometry.numerics import forward_substitution
from igviz.inference.acceleration import Memory
from igviz.inference.arguments import require, require_count, require_positive
from igviz.inference.gaussians import Gaussian, mean_and_root
from igviz.inference.natural_steps import FALL, HALVINGS, Ascent, natural_step
from igviz.inference.place import Place, place
from igviz.inference.protocol import Model
from igviz.inference.result import Fit, History

WHO = "natural_gradient_vi"
_SLOWEST = 1e-3  # no walk is taken for slower than that
_ROUNDINGS = 1e3  # so far above FALL half the squared length of a gradient may be that is rounding itself


def natural_gradient_vi(
    model: Model,
    q0: Gaussian | None = None,
    step: float = 1.0,
    covariance: str = "full",
    safeguard: bool = True,
    tol: float = 1e-10,
    max_iter: int = 500,
    callback: Callable[[int, Gaussian, float], object] | None = None,
    memory: int = 4,
) -> Fit:
    """Return the Gaussian of highest ELBO, found by natural-gradient steps in natural coordinates.

    Parameters
    ----------
    model : Model
        Any model with a log joint, such as an `igviz.LogisticRegression`.
    q0 : Normal or MultivariateNormal, optional
        Where to start; the model's prior when left out. If nothing can be told of the ELBO there, because it
        is no finite number or below −1e11, the prior is narrowed until something can. With a diagonal
        covariance only the diagonal of q0's precision counts.
    step : float
        The step ρ that is tried first, above 0 and at most 1.
    covariance : {"full", "diagonal"}
        Whether q's covariance is full, or diagonal (mean field).
    safeguard : bool
        Whether a step is halved until the ELBO rises, or falls by rounding only, and is retracted where it
        would leave the positive-definite precisions (Lin, Schmidt and Khan 2020, section 3). The natural
        gradient is an ascent direction, so the halving ends. Without it the bare iteration runs, which on
        ordinary data may cycle or run away.
    tol : float
        The walk has converged when the rise that is left is estimated to be below tol nats.
    max_iter : int
        The most steps; when they are used up, `converged` is False.
    callback : callable, optional
        Called as callback(iteration, q, elbo) at the start and after every step; a true answer ends the walk.
        What it raises is passed on.
    memory : int
        How many earlier steps a safeguarded walk extrapolates from (Anderson acceleration) where that raises
        the ELBO. With 0 every step is a natural-gradient step (of which the first from the prior may move
        the precision only, and one that would leave the Gaussians is retracted); else one among the
        diagonal Gaussians that has overshot is followed by projections of steps among all Gaussians.

    Returns
    -------
    Fit
        With q (a Normal if the start is one, else a MultivariateNormal), elbo, converged, message, history.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is allowed.
    OverflowError
        If the ELBO at a given q0 is no finite number.
    """
    require(covariance in ("full", "diagonal"), WHO, "covariance", covariance, '"full" or "diagonal"')
    require_positive(WHO, "step", step, most=1.0)
    require_positive(WHO, "tol", tol)
    require_count(WHO, "max_iter", max_iter)
    require_count(WHO, "memory", memory)
    clock = time.perf_counter()
    start = model.prior if q0 is None else q0
    here = _start(model, start, covariance == "diagonal", given=q0 is not None)
    remembered = Memory(max(1, int(memory)))
    ascent = Ascent(model, step, remembered, accelerate=memory > 0)
    records = [(here.elbo, time.perf_counter() - clock, np.nan)]
    while True:
        iteration = len(records) - 1
        stop = callback is not None and bool(callback(iteration, here.gaussian(start), here.elbo))
        remembered.add(here)
        converged, message = _at_the_top(here, remembered, tol), "the natural gradient vanishes"
        if converged:
            break
        if stop or iteration == max_iter:
            message = (
                "the callback ended the walk" if stop else f"max_iter = {max_iter} steps were not enough"
            )
            break
        if safeguard:
            there, used = ascent.first(here) if iteration == 0 and q0 is None else ascent(here)
        else:
            there, used = natural_step(model, here, step, retract=False), step
        if there is None:
            converged, message = _stuck(here, safeguard, iteration)
            break
        here = there
        records.append((here.elbo, time.perf_counter() - clock, used))
    elbo, seconds, steps = (np.array(column) for column in zip(*records, strict=True))
    return Fit(here.gaussian(start), here.elbo, converged, message, History(elbo, seconds, steps))


def _at_the_top(here: Place, remembered: Memory, tol: float) -> bool:
    """Say whether the rise that is left is below tol: half the squared length, by the slowest part seen."""
    left = 0.5 * here.squared_length()
    return bool(left <= tol * min(1.0, max(_SLOWEST, remembered.slowness)))


def _stuck(here: Place, safeguard: bool, iteration: int) -> tuple[bool, str]:
    """Say whether a walk without a next place has converged, and why it ended."""
    if not safeguard:
        return False, (
            f"step {iteration + 1} leaves the Gaussians: the precision is not positive definite, or the ELBO "
            "no finite number"
        )
    # where the gradient is rounding itself, no step can raise the ELBO
    rounding = 0.5 * here.squared_length() <= _ROUNDINGS * FALL * max(1.0, abs(here.elbo))
    return (
        rounding,
        "no step raises the ELBO by more than rounding" if rounding else "no step raises the ELBO",
    )


def _start(model: Model, start: Gaussian, diagonal: bool, given: bool) -> Place:
    mean, root = mean_and_root(WHO, start, model.dimension)
    if start.shape != ():
        raise ValueError(f"{WHO}: q0 must be one distribution, got a grid of shape {start.shape}")
    inverse_root = forward_substitution(root, np.eye(model.dimension))
    precision = inverse_root.T @ inverse_root
    if diagonal:
        precision = np.diagonal(precision)
        root = 1.0 / np.sqrt(precision)
    for halvings in range(1 if given else HALVINGS):
        scale = 0.5**halvings
        here = place(model, np.array(mean), precision / scale**2, root * scale)
        if np.isfinite(here.elbo) and (given or FALL * abs(here.elbo) < 1.0):
            return here
    raise OverflowError(
        f"{WHO}: the ELBO at {'q0' if given else 'the prior, however narrowed,'} is no finite number; "
        "give a q0 nearer to where the model has density, or narrower"
    )
