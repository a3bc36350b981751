"""Exercise 05.2: a function for one natural-gradient step of a Gaussian in d dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from igviz.exercises.checker import Case, Exercise
from igviz.exercises.functions import Inputs, Rule, Tried, changes, not_finite, try_out, varies
from igviz.exercises.mean_and_matrix import (
    MATRIX,
    MEAN,
    as_table,
    columns_agree,
    in_columns,
    misshapen,
    pair_as_table,
    turned_round,
)

# precision, mean, E[∇f], E[∇²f], step: by what they test
_TWO = (
    np.array([[2.0, 0.6], [0.6, 1.5]]),
    np.array([0.7, -1.2]),
    np.array([1.3, 0.4]),
    np.array([[-3.1, 0.8], [0.8, -1.7]]),
    0.3,
)
_INPUTS: Inputs = {
    "two": _TWO,
    "again": _TWO,
    "one": (np.array([[3.2]]), np.array([-0.4]), np.array([2.1]), np.array([[-5.3]]), 0.25),
    "three": (
        np.array([[2.5, -0.4, 0.3], [-0.4, 1.8, 0.5], [0.3, 0.5, 3.1]]),
        np.array([1.4, 0.6, -0.9]),
        np.array([-0.7, 1.9, 0.8]),
        np.array([[-1.2, 0.3, -0.2], [0.3, -2.6, 0.7], [-0.2, 0.7, -0.9]]),
        0.7,
    ),
    # log-concave only on one of its axes; the step stays inside the cone
    "saddle": (
        np.array([[4.0, 1.1], [1.1, 2.2]]),
        np.array([-1.7, 0.8]),
        np.array([0.9, -2.3]),
        np.array([[0.6, 0.2], [0.2, -3.4]]),
        0.4,
    ),
    "whole step": (
        np.array([[1.3, -0.2], [-0.2, 0.7]]),
        np.array([0.3, 1.6]),
        np.array([-1.1, 0.5]),
        np.array([[-2.4, -0.9], [-0.9, -1.9]]),
        1.0,
    ),
}

NewPrecision: TypeAlias = Callable[[Any, Any, float], Any]  # of Λ, E[∇²f], ρ
NewMean: TypeAlias = Callable[..., Any]  # of Λ_new, m, E[∇f], ρ, Λ, E[∇²f]


def _right_precision(old: Any, hessian: Any, step: float) -> Any:
    return (1.0 - step) * old - step * hessian


def _right_mean(new: Any, mean: Any, gradient: Any, step: float, *_: Any) -> Any:
    return mean + step * np.linalg.solve(new, gradient)


def _step(to_precision: NewPrecision = _right_precision, to_mean: NewMean = _right_mean) -> Rule:
    def rule(precision: Any, mean: Any, gradient: Any, hessian: Any, step: float) -> np.ndarray:
        new = to_precision(precision, hessian, step)
        inverted = _right_precision(precision, hessian, step)  # a mistake in it is judged by itself
        return as_table(to_mean(inverted, mean, gradient, step, precision, hessian), new)

    return rule


_exact = _step()


def _advice(error: Exception) -> str:
    """Return what kind of mistake the exception points to, if one is known."""
    if isinstance(error, np.linalg.LinAlgError):
        return "Which matrix is inverted there, and does it have an inverse, or a root?"
    if "read-only" in str(error):
        return "Work on new arrays, as in a = a + b instead of a += b."
    if any(word in str(error) for word in ("mismatch", "broadcast", "dimension")):
        return "Means and gradients have shape (d,), the matrices (d, d)."
    return ""


def _shape_cases() -> tuple[Case, ...]:
    return (
        Case(turned_round, "The two are swapped: the new mean first, then the new precision."),
        Case(
            misshapen,
            "Return a pair: the new mean, of shape (d,), and the new precision, of shape (d, d). Is a "
            "product of a matrix and a vector taken entry by entry?",
        ),
    )


def _precision_cases() -> tuple[Case, ...]:
    def precision(*of: NewPrecision, text: str) -> Case:
        return in_columns(MATRIX, [_step(one) for one in of], text)

    inverse = np.linalg.inv
    return (
        precision(
            lambda old, hessian, step: (1.0 - step) * old + step * hessian,
            lambda old, hessian, _step: old + hessian,
            lambda old, hessian, step: old + step * hessian,
            lambda _old, hessian, _step: hessian,
            text="The Hessian comes in with the wrong sign: at a top it is negative definite, and a "
            "precision is positive definite.",
        ),
        precision(
            lambda _old, hessian, _step: -hessian,
            text="The step size is missing in the precision: this is where a step of size 1 goes, and the "
            "old precision is forgotten altogether.",
        ),
        precision(
            lambda old, hessian, step: old - step * hessian,
            lambda old, hessian, _step: old - hessian,
            text="The old precision keeps its full weight, so that each step adds to it: the entropy's part "
            "of the gradient, −η, is missing.",
        ),
        precision(
            lambda old, hessian, step: step * old - (1.0 - step) * hessian,
            text="The two weights are swapped: a step of size 0 should leave everything where it is.",
        ),
        precision(
            *(lambda old, hessian, step, f=f: (1.0 - step) * old - f * step * hessian for f in (0.5, 2.0)),
            text="A factor of 2 has slipped in: the second natural coordinate is −½Λ, and Price's theorem "
            "has a ½ too. What is left of them?",
        ),
        precision(
            lambda old, hessian, step: inverse(_right_precision(old, hessian, step)),
            text="The second part is the new covariance; its precision is asked for.",
        ),
        precision(
            lambda old, hessian, step: inverse((1.0 - step) * inverse(old) - step * inverse(hessian)),
            lambda old, hessian, step: (1.0 - step) * inverse(old) - step * inverse(hessian),
            lambda old, hessian, step: (1.0 - step) * inverse(old) - step * hessian,
            lambda old, hessian, step: (1.0 - step) * old - step * inverse(hessian),
            text="There is an inverse in the precision: it is precisions that are mixed, and the Hessian "
            "under q is on their side already.",
        ),
        precision(
            lambda old, hessian, step: -0.5 * _right_precision(old, hessian, step),
            text="This is the natural coordinate −½Λ; the precision Λ is asked for.",
        ),
        precision(
            lambda old, hessian, step: np.diag(np.diag(_right_precision(old, hessian, step))),
            text="Only the diagonal of the precision has come through: q is a full Gaussian.",
        ),
        precision(
            lambda old, _hessian, _step: old, text="The second part is the old precision, not yet moved."
        ),
    )


def _mean_cases() -> tuple[Case, ...]:
    def mean(*of: NewMean, text: str) -> Case:
        return in_columns(MEAN, [_step(to_mean=one) for one in of], text)

    solve = np.linalg.solve
    return (
        mean(
            lambda _new, m, g, step, old, _h: m + step * solve(old, g),
            lambda _new, m, g, _step, old, _h: m + solve(old, g),
            text="The mean moves by the old precision: which of the two belongs in its step?",
        ),
        mean(
            lambda new, m, g, step, _old, _h: m + step * new @ g,
            lambda _new, m, g, step, old, _h: m + step * old @ g,
            lambda new, m, g, _step, _old, _h: m + new @ g,
            text="The mean's step multiplies by a precision: an inverse is missing. The surer q is, the "
            "smaller the step.",
        ),
        mean(
            lambda new, m, g, _step, _old, _h: m + solve(new, g),
            text="The step size is missing in the mean's step.",
        ),
        mean(
            lambda new, m, g, step, _old, _h: m - step * solve(new, g),
            lambda new, m, g, _step, _old, _h: m - solve(new, g),
            text="The mean goes downhill: the ELBO is to be raised.",
        ),
        mean(
            lambda new, m, g, step, _old, _h: (1.0 - step) * m + step * solve(new, g),
            text="The old mean has been shrunk by 1 − ρ: that factor belongs to the natural coordinates, and "
            "Λ·mean is one of them, the mean is not.",
        ),
        mean(
            lambda new, m, g, step, old, _h: solve(new, (1.0 - step) * old @ m + step * g),
            text="In natural coordinates ∇E[f] by the expectation parameters is not (E[∇f], …): the first "
            "expectation parameter is the mean, but the second moves with it. The chain rule adds a term.",
        ),
        mean(
            lambda _new, m, g, step, old, h: (1.0 - step) * old @ m + step * (g - h @ m),
            text="This is Λ·mean, the first natural coordinate; the mean itself is asked for.",
        ),
        mean(
            lambda new, _m, g, step, _old, _h: step * solve(new, g),
            lambda new, _m, g, _step, _old, _h: solve(new, g),
            text="This is how far the mean moves; asked for is where it arrives.",
        ),
        mean(
            lambda new, m, g, step, _old, _h: m + step * g / np.diag(new),
            text="The gradient is divided by the diagonal alone: the whole matrix has to be inverted.",
        ),
        mean(
            lambda _new, m, g, step, _old, _h: m + step * g,
            text="This is the plain gradient step of the mean, without any precision.",
        ),
        mean(
            lambda _new, m, g, step, _old, h: m - step * solve(h, g),
            lambda _new, m, g, _step, _old, h: m - solve(h, g),
            text="This is a step of Newton's method, with the Hessian in place of the new precision.",
        ),
        mean(lambda _new, m, *_: m, text="The first part is the old mean, not yet moved."),
    )


def one_step() -> Exercise:
    """Return exercise 05.2: a function for a step of natural-gradient VI."""

    def right(columns: slice) -> Callable[[Tried], bool]:
        return lambda tried: columns_agree(tried, columns, _exact)

    return Exercise(
        key="05.2",
        title="A natural-gradient step in d dimensions",
        expects="the new mean and the new precision, computed from the arguments,",
        read=lambda answer: try_out(answer, _INPUTS, adapt=pair_as_table, advice=_advice),
        correct=lambda tried: (
            not misshapen(tried) and right(MEAN)(tried) and right(MATRIX)(tried) and not tried.changed
        ),
        why="These two lines are all of natural-gradient VI for Gaussians; the model comes in through two "
        "expectations, and no Fisher matrix of q, with its d(d + 3)/2 rows, is ever formed.",
        near_misses=(
            changes("an argument"),
            *_shape_cases(),
            not_finite(),
            varies("two", "again", "Two calls with the same arguments return different values."),
            *_precision_cases(),
            *_mean_cases(),
            Case(right(MATRIX), "The precision is right, the mean is not yet: what multiplies E[∇f]?"),
            Case(
                right(MEAN),
                "The mean is right, the precision is not yet: it is a weighted mean of two matrices.",
            ),
            Case(
                lambda tried: tried.same(_exact, "whole step"),
                "Right for a step of size 1 only: where does the step size come in?",
            ),
            Case(
                lambda tried: tried.somewhere(_exact),
                "Right for some arguments and wrong for others: is a dimension or a step size fixed in it?",
            ),
        ),
        otherwise="The values differ: mix the old precision with E[−∇²f] first, then move the mean along "
        "E[∇f].",
    )
