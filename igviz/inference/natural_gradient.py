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

from igviz.inference.acceleration import Memory
from igviz.inference.gaussians import Gaussian, mean_and_root
from igviz.inference.place import Place, place, root_of_inverse
from igviz.inference.protocol import Model
from igviz.inference.result import Fit, History

WHO = "natural_gradient_vi"
FALL = 1e-11  # relative to |ELBO|, from 1 nat on: less is rounding
_HALVINGS = 60
_RISE = 1e-4  # of what the slope promises must be kept
_SLOWEST = 1e-3  # 1 − r, r the factor by which the natural gradient shrinks in a step


def natural_gradient_vi(
    model: Model,
    q0: Gaussian | None = None,
    step: float = 1.0,
    covariance: str = "full",
    safeguard: bool = True,
    tol: float = 1e-10,
    max_iter: int = 500,
    memory: int = 6,
    callback: Callable[[int, Gaussian, float], object] | None = None,
) -> Fit:
    """Return the Gaussian of highest ELBO, found by natural-gradient steps in natural coordinates.

    Parameters
    ----------
    model : Model
        Any model with a log joint, such as an `igviz.LogisticRegression`.
    q0 : Normal or MultivariateNormal, optional
        Where to start; the model's prior when left out. If the ELBO there is no finite number, the prior is
        narrowed until it is.
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
    memory : int
        How many earlier steps a safeguarded walk extrapolates from (Anderson acceleration), where that raises
        the ELBO; with 0 every step is a natural-gradient step.
    callback : callable, optional
        Called as callback(iteration, q, elbo) at the start and after every step; a true answer ends the walk.

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
    _require(covariance in ("full", "diagonal"), "covariance", covariance, '"full" or "diagonal"')
    _require(0.0 < step <= 1.0, "step", step, "above 0 and at most 1")
    _require(tol > 0.0, "tol", tol, "positive")
    _require(
        max_iter >= 0 and max_iter == int(max_iter), "max_iter", max_iter, "a whole number, not negative"
    )
    _require(memory >= 0 and memory == int(memory), "memory", memory, "a whole number, not negative")
    start = model.prior if q0 is None else q0
    remembered = Memory(int(memory) if safeguard else 0)
    clock = time.perf_counter()
    here = _start(model, start, covariance == "diagonal", given=q0 is not None)
    records = [(here.elbo, time.perf_counter() - clock, np.nan)]
    trial, previous, iteration = step, np.inf, 0
    while True:
        left = 0.5 * here.squared_length()
        # near a top the length falls by a factor r a step, and the rise that is left is left/(1 − r)
        slowness = max(_SLOWEST, 1.0 - np.sqrt(left / previous)) if left < previous else _SLOWEST
        if left <= tol * slowness:
            converged, message = True, "the natural gradient vanishes"
            break
        if callback is not None and callback(iteration, here.gaussian(start), here.elbo):
            converged, message = False, "the callback ended the walk"
            break
        if iteration == max_iter:
            converged, message = False, f"{max_iter} steps were not enough, max_iter allows no more"
            break
        there, used = _advance(model, here, trial, safeguard, remembered)
        if there is None:
            # where the gradient is rounding itself, no step can raise the ELBO
            converged = left <= 1e3 * FALL * max(1.0, abs(here.elbo))
            message = (
                "no step raises the ELBO by more than rounding"
                if safeguard
                else f"step {iteration + 1} leaves the Gaussians: the precision is not positive definite, or "
                "the ELBO no finite number"
            )
            break
        previous, here, iteration = left, there, iteration + 1
        trial = min(step, 2.0 * used) if safeguard else step
        records.append((here.elbo, time.perf_counter() - clock, used))
    elbo, seconds, steps = (np.array(column) for column in zip(*records, strict=True))
    return Fit(here.gaussian(start), here.elbo, converged, message, History(elbo, seconds, steps))


def natural_step(model: Model, here: Place, rho: float, retract: bool) -> Place | None:
    """Take one natural-gradient step of size ρ, or return None if it ends outside of the Gaussians.

    With retract, a precision that would not be positive definite gets the second-order term
    ½ρ²·G·Λ⁻¹·G, G = E[−∇²] − Λ, of Lin, Schmidt and Khan (2020), which keeps it so: with Λ = R·Rᵀ and
    S = R⁻¹·G·R⁻ᵀ it is R·(I + ρS + ½ρ²S²)·Rᵀ, and 1 + x + ½x² is positive.
    """
    precision = (1.0 - rho) * here.precision - rho * here.hessian
    root = root_of_inverse(precision)
    if root is None and retract:
        change = -here.hessian - here.precision
        if here.diagonal:
            precision = here.precision + rho * change + 0.5 * (rho * change * here.root) ** 2
        else:
            half = change @ here.root
            precision = here.precision + rho * change + 0.5 * rho**2 * half @ half.T
        root = root_of_inverse(precision)
    if root is None:
        return None
    natural = root**2 * here.gradient if here.diagonal else root @ (root.T @ here.gradient)
    there = place(model, here.mean + rho * natural, precision, root)
    return there if np.isfinite(there.elbo) else None


def _advance(
    model: Model, here: Place, trial: float, safeguard: bool, remembered: Memory
) -> tuple[Place | None, float]:
    """Return the next place and the step that was used; no place if there is none."""
    if not safeguard:
        return natural_step(model, here, trial, retract=False), trial
    slope = here.squared_length()  # of the ELBO along the natural gradient
    rounding = FALL * max(1.0, abs(here.elbo))
    suggestion = remembered.suggest(here)
    if suggestion is not None:
        there = place(model, *suggestion)
        if there.elbo >= here.elbo + _RISE * trial * slope - rounding:
            return there, trial
    for _ in range(_HALVINGS):
        found = natural_step(model, here, trial, retract=True)
        if found is not None and found.elbo >= here.elbo + _RISE * trial * slope - rounding:
            return found, trial
        trial *= 0.5
    return None, trial


def _start(model: Model, start: Gaussian, diagonal: bool, given: bool) -> Place:
    mean, root = mean_and_root(WHO, start, model.dimension)
    if start.shape != ():
        raise ValueError(f"{WHO}: q0 must be one distribution, got a grid of shape {start.shape}")
    precision = np.linalg.inv(root @ root.T)
    if diagonal:
        precision = np.diagonal(precision)
    for halvings in range(1 if given else _HALVINGS):
        narrowed = root_of_inverse(precision * 4.0**halvings)
        if narrowed is not None:
            here = place(model, np.array(mean), precision * 4.0**halvings, narrowed)
            if np.isfinite(here.elbo):
                return here
    raise OverflowError(
        f"{WHO}: the ELBO at {'q0' if given else 'the prior, however narrowed,'} is no finite number; "
        "give a q0 nearer to where the model has density, or narrower"
    )


def _require(right: bool, name: str, value: object, allowed: str) -> None:
    if not right:
        raise ValueError(f"{WHO}: {name} must be {allowed}, got {value!r}")
