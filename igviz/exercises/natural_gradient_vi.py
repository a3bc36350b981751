"""Exercises of lecture 05: natural-gradient steps by hand, in d dimensions, over charts, and for counts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from igviz.exercises.checker import (
    NEAR,
    Case,
    Exercise,
    agrees,
    close_to,
    has,
    lacks,
    near_miss,
    read_array,
    read_choices,
    rounded,
)
from igviz.exercises.natural_gradient_vi_poisson import poisson
from igviz.exercises.natural_gradient_vi_step import one_step
from igviz.geometry.families.normal import Normal
from igviz.geometry.geodesics import geodesic

_TWO_NUMBERS = "the mean and the std (right to 1 part in 1000)"


def _read_normal(answer: Any) -> np.ndarray:
    """Return (mean, std), also from a normal, a row or a column."""
    pair = [answer.mean, answer.std] if isinstance(answer, Normal) else answer
    return read_array(pair, "the mean and the std", ((2,), (2, 1), (1, 2))).ravel()


def _mean(wrong: Collection[float], text: str) -> Case:
    """Return the case of a mean that comes near one of these."""
    return Case(lambda value: any(agrees(value[0], one, NEAR) for one in wrong), text)


def _std(wrong: Collection[float], text: str) -> Case:
    """Return the case of a std that comes near one of these."""
    return Case(lambda value: any(agrees(value[1], one, NEAR) for one in wrong), text)


def _half_right(wanted: np.ndarray, of_mean: str, of_std: str) -> tuple[Case, ...]:
    return (
        Case(lambda value: agrees(value[1], wanted[1], NEAR), of_mean),
        Case(lambda value: agrees(value[0], wanted[0], NEAR), of_std),
    )


# -- 05.1 --------------------------------------------------------------------------------------------------


def _by_hand() -> Exercise:
    q, slope, curvature, rho = Normal(1.1, 0.5), 3.0, -9.0, 0.4  # E[f′], E[f″]
    m, s, old = float(q.mean), float(q.std), float(q.std) ** -2
    new = (1.0 - rho) * old - rho * curvature
    wanted = np.array([m + rho * slope / new, new**-0.5])

    def stds(*precisions: float) -> list[float]:
        return [precision**-0.5 for precision in precisions]

    by_std = s * curvature + 1.0 / s  # ∂ELBO/∂std
    in_source = s + rho * 0.5 * s**2 * by_std  # the Fisher information of std is 2/s²
    in_log = s * np.exp(rho * 0.5 * s * by_std)
    in_variance = np.sqrt(s**2 + rho * s**3 * by_std)
    mixed = (1.0 - rho) * np.array([s, s**2]) + rho * np.array([(-curvature) ** -0.5, -1.0 / curvature])

    return Exercise(
        key="05.1",
        title="A natural-gradient step by hand",
        expects=_TWO_NUMBERS,
        read=_read_normal,
        correct=close_to(wanted),
        why="The precision moves part of the way to E[−f″], whatever the gradient is; then the mean moves, "
        "the less the surer q has just become.",
        near_misses=(
            near_miss(wanted[::-1], "The two are swapped: the mean first, then the std."),
            near_miss(
                (new * wanted[0], -0.5 * new),
                "These are the natural coordinates; the mean and the std are asked for.",
            ),
            Case(
                lambda value: value[1] <= 0.0,
                "A std is positive. Does E[f″], which is negative at a top, come in with a minus?",
            ),
            _std((new, 1.0 / new), "The second number is a precision or a variance; the std is asked for."),
            _std((s,), "The second number is the old std: the step moves it too."),
            _std(
                stds(-curvature),
                "The step size is missing in the precision: this is where a step of size 1 goes.",
            ),
            _std(
                stds(old - rho * curvature, old - curvature),
                "The old precision keeps its full weight: the entropy's part of the gradient is missing.",
            ),
            _std(
                stds(rho * old - (1.0 - rho) * curvature),
                "The two weights are swapped: a step of size 0 should leave q where it is.",
            ),
            _std(
                stds(*((1.0 - rho) * old - factor * rho * curvature for factor in (0.5, 2.0))),
                "A factor of 2 has slipped in: −½ in the second natural coordinate and ½ in Price's theorem. "
                "What is left of them?",
            ),
            _std(
                stds(*((1.0 - rho) * wrong - rho * curvature for wrong in (1.0 / s, s, s**2))),
                "The old precision is not right: what has the std 0.5 for its precision?",
            ),
            _std(
                (mixed[0], mixed[1] ** 0.5),
                "Stds or variances have been mixed: straight in natural coordinates are the precisions.",
            ),
            _std(
                (in_source, in_log, in_variance),
                "A natural step, but straight in another chart: the step is to be taken in natural "
                "coordinates.",
            ),
            _mean((m,), "The mean is the old one: the step moves it too."),
            _mean(
                (m + rho * slope / old, m + slope / old),
                "The mean moves by the old precision: which of the two belongs in its step?",
            ),
            _mean(
                (m + slope / new, m - slope / curvature), "The step size is missing in the step of the mean."
            ),
            _mean((m - rho * slope / new,), "The mean goes downhill: E[f′] is the slope to climb."),
            _mean(
                (m + rho * slope * new, m + rho * slope * old),
                "The mean's step multiplies by the precision: the surer q is, the smaller the step.",
            ),
            _mean(
                (m + rho * slope * new**-0.5, m + rho * slope * s),
                "The mean's step has a std in it where a variance, one over the precision, belongs.",
            ),
            _mean(
                (m + rho * slope, m + slope),
                "This is the plain gradient step of the mean, without any precision.",
            ),
            _mean(
                ((1.0 - rho) * m + rho * slope / new,),
                "The old mean has been shrunk by 1 − ρ: that factor belongs to the natural coordinates, and "
                "Λ·mean is one of them, the mean is not.",
            ),
            _mean(
                (((1.0 - rho) * old * m + rho * slope) / new,),
                "The derivative of E[f] by the first expectation parameter is not E[f′] alone: the second "
                "one, E[z²], is held fixed, and the chain rule adds a term.",
            ),
            _mean((rho * slope / new,), "This is how far the mean moves; asked for is where it arrives."),
            rounded(wanted),
            *_half_right(
                wanted,
                "The std is right, the mean is not yet: it moves along E[f′], by which precision?",
                "The mean is right, the std is not yet: which precision has been used in the mean's step?",
            ),
        ),
        otherwise="Precision first: a weighted mean of the old one and E[−f″]. Then the mean, with the new "
        "precision.",
    )


# -- 05.3 --------------------------------------------------------------------------------------------------


def _half_way() -> Exercise:
    start, posterior = Normal(2.0, 1.0), Normal(-1.0, 0.5)
    means = np.array([float(start.mean), float(posterior.mean)])
    deviations = np.array([float(start.std), float(posterior.std)])
    precisions = deviations**-2
    new = float(np.mean(precisions))
    wanted = np.array([precisions @ means / precisions.sum(), new**-0.5])
    matched = geodesic(start, posterior, "expectation")(0.5)
    shortest = geodesic(start, posterior)(0.5)
    halves = np.mean(deviations), np.mean(deviations**2) ** 0.5, np.prod(deviations) ** 0.5
    by_root = float(np.mean(1.0 / deviations))  # a std in place of the variance
    travelled = precisions[1] * (means[1] - means[0]) / 2.0  # ρ·E[∇f]

    def any_of(values: Collection[Any], text: str) -> Case:
        return Case(lambda value: any(agrees(value, wrong, NEAR) for wrong in values), text)

    return Exercise(
        key="05.3",
        title="Half a step to the posterior",
        expects=_TWO_NUMBERS,
        read=_read_normal,
        correct=close_to(wanted),
        why="Half a step is half way in precision, but the mean is a mean of two means weighted by "
        "precision: the surer end pulls harder, and 80% of the way is done.",
        near_misses=(
            near_miss(wanted[::-1], "The two are swapped: the mean first, then the std."),
            near_miss(
                (new * wanted[0], -0.5 * new),
                "These are the natural coordinates; the mean and the std are asked for.",
            ),
            near_miss(
                (means[1], deviations[1]),
                "This is the posterior, where a step of size 1 lands; the step has size ½.",
            ),
            near_miss((means[0], deviations[0]), "This is where the step starts."),
            near_miss(
                (matched.mean, matched.std),
                "This is half way in expectation parameters; the step goes straight in natural ones.",
            ),
            near_miss(
                (shortest.mean, shortest.std),
                "This is half way on the Fisher–Rao geodesic; a natural-gradient step is straight in natural "
                "coordinates.",
            ),
            Case(lambda value: value[1] <= 0.0, "A std is positive."),
            _std((new, 1.0 / new), "The second number is a precision or a variance; the std is asked for."),
            any_of(
                [(np.mean(means), half) for half in halves],
                "This is half way in the mean and in the std, the variance or the log std; the step is "
                "straight in natural coordinates. Which functions of mean and std are they?",
            ),
            _std(
                halves,
                "The std lies half way in std, variance or log std. What is the second natural coordinate "
                "linear in?",
            ),
            _std(
                (by_root**-0.5, 1.0 / by_root),
                "The precisions are not right: 1 and 0.5 are stds, not variances.",
            ),
            _std(
                ((2.0 * new) ** -0.5,),
                "The two precisions have been added: half a step takes half of each.",
            ),
            _mean(
                (np.mean(means),),
                "The mean lies half way, but the first natural coordinate is not the mean: what is it?",
            ),
            _mean(
                (means[1],),
                "This is the mean of the posterior, or Λ·mean, the first natural coordinate.",
            ),
            _mean(
                (precisions @ means[::-1] / precisions.sum(),),
                "The weights are turned round: the surer of the two pulls harder.",
            ),
            _mean(
                ((1.0 / deviations) @ means / np.sum(1.0 / deviations),),
                "The means are weighted by one over the std: the first natural coordinate has the precision "
                "in it.",
            ),
            _mean(
                (means[0] + travelled / precisions[0],),
                "The mean has moved by the old precision: which of the two belongs in its step?",
            ),
            _mean((means[0] - travelled / new,), "The mean has moved away from the posterior."),
            _mean(
                (precisions @ means / new, precisions @ means),
                "Λ·mean has been added up over both: half a step takes half of each.",
            ),
            _mean((-wanted[0],), "The sign of the mean is flipped: one of the two means is negative."),
            rounded(wanted),
            *_half_right(
                wanted,
                "The std is right, the mean is not yet: go half way in the first natural coordinate too.",
                "The mean is right, the std is not yet: go half way in the second natural coordinate too.",
            ),
        ),
        otherwise="Write both ends in natural coordinates, Λ·mean and −½Λ with the precision Λ, go half way "
        "there, and come back to mean and std.",
    )


# -- 05.4 --------------------------------------------------------------------------------------------------

_LETTERS = "abcdef"


def _statements() -> Exercise:
    wanted = frozenset("ade")

    missing = "Nothing wrong is chosen, but something is missing:"
    return Exercise(
        key="05.4",
        title="What holds for natural-gradient steps",
        expects='the letters, as one text such as "abe",',
        read=lambda answer: read_choices(answer, _LETTERS),
        correct=lambda chosen: chosen == wanted,
        why="The direction belongs to the surface and needs no map; how far a straight step goes well "
        "depends on the map, and on the length.",
        near_misses=(
            Case(
                lambda chosen: chosen == frozenset(_LETTERS),
                "Not all of them. Which of them speak of a direction, and which of a step that has a length?",
            ),
            Case(
                lambda chosen: chosen == frozenset(_LETTERS) - wanted,
                "Read the question once more: these are the ones that do not hold.",
            ),
            Case(
                has("b"),
                "Look again at the direction: carry I⁻¹∇L to another chart by the Jacobian, and compare with "
                "what is computed there.",
            ),
            Case(
                has("c"),
                "Look again at one step in a conjugate model: start with a covariance three times that of "
                "the posterior, and take the step in (mean, covariance).",
            ),
            Case(
                has("f"),
                "Look again at why nothing is inverted: what is (lecture 02) the Fisher matrix of a normal "
                "in natural coordinates, already at N(0, 1)?",
            ),
            Case(
                lacks("a"),
                f"{missing} shrink the step by 10. By what does the distance of the two ends shrink, for "
                "natural steps and for plain ones?",
            ),
            Case(
                lacks("d"),
                f"{missing} one top says where a walk should end, not how long its steps may be. What "
                "happened on the digits?",
            ),
        ),
        otherwise=f"{missing} if f is strictly concave, is E[−∇²f] positive definite, and what is "
        "then a mixture of it and Λ?",
    )


EXERCISES = (_by_hand(), one_step(), _half_way(), _statements(), poisson())
