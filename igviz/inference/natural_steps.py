"""The steps that a natural-gradient walk is made of, and which of them a safeguarded walk takes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from igviz.inference.acceleration import Memory
from igviz.inference.place import Place, place, root_of_inverse
from igviz.inference.protocol import Model

FALL = 1e-11  # relative to |ELBO|, from 1 nat on: less is rounding
HALVINGS = 60
_RISE = 1e-4  # of what the slope promises must be kept, but no more nats than this


def natural_step(model: Model, here: Place, rho: float, retract: bool) -> Place | None:
    """Take one natural-gradient step of size ρ, or return None if it ends outside of the Gaussians.

    With retract, a precision that would not be positive definite gets the second-order term
    ½ρ²·G·Λ⁻¹·G, G = E[−∇²] − Λ, of Lin, Schmidt and Khan (2020), which keeps it so: with Λ = R·Rᵀ and
    S = R⁻¹·G·R⁻ᵀ it is R·(Id + ρS + ½ρ²S²)·Rᵀ, and 1 + x + ½x² is positive.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite has no root
        precision = (1.0 - rho) * here.precision - rho * here.hessian
        root = root_of_inverse(precision)
        if root is None and retract:
            precision = _retracted(here, rho)
            root = root_of_inverse(precision)
        if root is None:
            return None
        natural = root**2 * here.gradient if here.diagonal else root @ (root.T @ here.gradient)
    return _inside(place(model, here.mean + rho * natural, precision, root))


def _retracted(here: Place, rho: float) -> np.ndarray:
    change = -here.hessian - here.precision
    if here.diagonal:
        return here.precision + rho * change + 0.5 * (rho * change * here.root) ** 2
    half = change @ here.root
    return here.precision + rho * change + 0.5 * rho**2 * half @ half.T


def projected_step(model: Model, here: Place, hessian: np.ndarray, rho: float) -> Place | None:
    """Take a step from a diagonal q among all Gaussians, and return the diagonal one nearest to its end.

    The nearest, of least KL(diagonal‖end), keeps the mean and the diagonal of the precision
    (`igviz.mean_field`). So the precisions are those of a step among the diagonal Gaussians, but the mean
    moves as the whole E[∇²], here hessian, has it: coupled entries do not overshoot together.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        precision = (1.0 - rho) * here.precision - rho * here.hessian
        root = root_of_inverse(precision)
        whole = root_of_inverse((1.0 - rho) * np.diag(here.precision) - rho * hessian)
        if root is None or whole is None:
            return None
        mean = here.mean + rho * (whole @ (whole.T @ here.gradient))
    return _inside(place(model, mean, precision, root))


def _inside(there: Place) -> Place | None:
    return there if np.isfinite(there.elbo) else None


class Ascent:
    """Chooses steps after which the ELBO has risen, or has fallen by rounding only.

    Parameters
    ----------
    model : Model
        Whose ELBO is climbed.
    step : float
        The step that is tried first.
    memory : Memory
        Of the walk, kept by who walks.
    accelerate : bool
        Whether other steps than natural-gradient steps are tried.
    """

    def __init__(self, model: Model, step: float, memory: Memory, accelerate: bool) -> None:
        self._model, self._step, self._trial = model, step, step
        self._memory, self._accelerate = memory, accelerate
        self._rejected = False  # whether the last suggestion was
        self._coupled = False  # whether a step among the diagonal Gaussians has overshot

    def first(self, here: Place) -> tuple[Place | None, float]:
        """Return the place after the first step from a prior, and the size of the step.

        Where the precision is to change by orders of magnitude the gradient says nothing about the mean yet.
        So the mean is held if that gives more.
        """
        there, used = self(here)
        if there is not None:
            held = place(self._model, here.mean, there.precision, there.root)
            if held.elbo > there.elbo:
                self._memory.forget()
                return held, used
        return there, used

    def __call__(self, here: Place) -> tuple[Place | None, float]:
        """Return the next place and the size of the step; no place if no step rises."""
        slope = here.squared_length()  # of the ELBO along the natural gradient
        floor = here.elbo - FALL * max(1.0, abs(here.elbo))

        def risen(there: Place | None, rho: float) -> bool:
            return there is not None and there.elbo >= floor + _RISE * min(rho * slope, 1.0)

        there, used = self._suggested(here), self._trial
        if there is not None and not risen(there, used):
            self._rejected, there = True, None
        if there is None:
            there, used = self._halved(here, risen)
        self._trial = min(self._step, 2.0 * used)
        return there, used

    def _suggested(self, here: Place) -> Place | None:
        """Return where the earlier steps point to, but not right after that was of no use."""
        if not self._accelerate or self._rejected:
            self._rejected = False
            return None
        suggestion = self._memory.suggest(here)
        return None if suggestion is None else place(self._model, *suggestion)

    def _halved(
        self, here: Place, risen: Callable[[Place | None, float], bool]
    ) -> tuple[Place | None, float]:
        rho, hessian = self._trial, None
        for _ in range(HALVINGS):
            if self._coupled:
                if hessian is None:
                    rho = self._step
                    hessian = self._model.expected_derivatives(here.mean, np.diag(here.root)).hessian
                there = projected_step(self._model, here, hessian, rho)
            else:
                there = natural_step(self._model, here, rho, retract=True)
            if risen(there, rho):
                return there, rho
            if here.diagonal and self._accelerate and not self._coupled:
                self._coupled = True  # the same step again, with the coupling
            else:
                rho *= 0.5
        return None, rho
