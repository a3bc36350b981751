"""Exercises of lecture 01: distances and paths between normal distributions, and telling them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtri

from igviz.exercises.checker import (
    NEAR,
    Case,
    Exercise,
    agrees,
    close_to,
    near_miss,
    read_function,
    read_number,
    read_numbers,
    rounded,
)
from igviz.geometry.chernoff import chernoff_information
from igviz.geometry.distances import fisher_rao_distance
from igviz.geometry.families.normal import Normal
from igviz.geometry.geodesics import geodesic
from igviz.geometry.hypothesis_testing import bayes_error

_ROOT_TWO = np.sqrt(2.0)
_FORMULA = "√2·arccosh(1 + ((Δmean)²/2 + (Δstd)²)/(2·std₁·std₂))"
_NUMBER = "a number (right to 1 part in 1000)"


# -- 01.1 --------------------------------------------------------------------------------------------------


def _distance() -> Exercise:
    p, q = Normal(0.0, 1.0), Normal(2.0, 1.0)
    distance = fisher_rao_distance(p, q)
    half_plane = np.arccosh(1.0 + 0.5 * (q.mean - p.mean) ** 2)
    return Exercise(
        key="01.1",
        title="A distance from the formula",
        expects=_NUMBER,
        read=read_number,
        correct=close_to(distance),
        why="The shortest way is shorter than the straight one, because it leads through wider normals, "
        "where a step of the mean counts for less.",
        near_misses=(
            near_miss(distance / _ROOT_TWO, "This is the distance without the factor √2 in front."),
            near_miss(
                _ROOT_TWO * half_plane,
                "A factor ½ is missing inside: (Δmean)² is halved, and then the sum is divided by "
                "twice the product of the stds.",
            ),
            near_miss(
                half_plane,
                "This is the plain hyperbolic distance of the half-plane. In the Fisher metric (Δmean)² is "
                "halved, and the whole is multiplied by √2.",
            ),
            near_miss(
                q.mean - p.mean,
                "This is the difference of the means: the length of the straight path, along which the std "
                "stays as it is. The shortest path bends.",
            ),
            near_miss(distance**2, "This is the square of the distance."),
            near_miss(_ROOT_TWO * np.cosh(distance / _ROOT_TWO), "The arccosh has not been taken."),
            near_miss(
                np.sqrt(2.0 * distance / _ROOT_TWO),
                "The root is that of two alone: √2·arccosh(…), not √(2·arccosh(…)).",
            ),
            rounded(distance),
            Case(lambda value: value <= 0.0, "The distance between two different points is positive."),
        ),
        otherwise=f"Put the four parameters into {_FORMULA}; with NumPy, np.arccosh.",
    )


# -- 01.2 --------------------------------------------------------------------------------------------------


def _equal_distance() -> Exercise:
    near, far = 1.0, 3.0  # the shifts of the mean; a shift of the mean counts in units of the std
    std = far / near
    wanted = fisher_rao_distance(Normal(0.0, 1.0), Normal(near, 1.0))

    def compare(value: float) -> str:
        got = fisher_rao_distance(Normal(0.0, value), Normal(far, value))
        change = "widen" if got > wanted else "narrow"
        return (
            f"With this std the second pair is {got:.4f} apart, the first {wanted:.4f}: {change} the second."
        )

    return Exercise(
        key="01.2",
        title="Equally far apart",
        expects=_NUMBER,
        read=read_number,
        correct=close_to(std),
        why="A shift of the mean counts in units of the std, so shifting and stretching both normals alike "
        "changes no distance: the half-plane looks the same at every scale.",
        near_misses=(
            Case(lambda value: value <= 0.0, "A std is positive."),
            near_miss(std**2, "This is the variance; the std is asked for."),
            near_miss(
                np.sqrt(std),
                "You used the variance where the std belongs: the shift is measured in stds, not in "
                "variances.",
            ),
            near_miss(
                1.0 / std,
                "This is upside down: in narrower normals the same shift counts for more, not for less.",
            ),
            near_miss(1.0, "With the std unchanged the pair with the larger shift is farther apart."),
            Case(lambda value: not 1e-6 < value < 1e6, "The size is far off: it is between a tenth and ten."),
        ),
        otherwise=compare,
    )


# -- 01.3 --------------------------------------------------------------------------------------------------

# by what they test; generic points, as N(0, 1) would hide a flipped sign or a square
_INPUTS: dict[str, tuple[Any, ...]] = {
    "generic": (0.3, 0.7, -1.1, 2.2),
    "swapped": (-1.1, 2.2, 0.3, 0.7),
    "equal std": (0.4, 1.3, 2.1, 1.3),
    "equal mean": (-0.6, 0.45, -0.6, 1.7),
    "arrays": (
        np.array([0.2, -1.4, 5.0]),
        np.array([0.6, 1.9, 3.5]),
        np.array([1.7, 0.3, 4.4]),
        np.array([1.2, 0.35, 0.8]),
    ),
    "array and numbers": (np.array([-2.0, 0.5, 1.6]), 0.8, 0.25, 1.5),
    "grid": (0.1, 0.9, np.array([-1.5, 0.4, 2.5]), np.array([[0.4], [1.8]])),
    "same point": (0.8, 1.9, 0.8, 1.9),
    "near": (0.8, 1.9, 0.8 + 1e-8, 1.9 + 2e-8),
}
_LIMITS = ("same point", "near")
_GENERIC = tuple(name for name in _INPUTS if name not in _LIMITS)

Rule = Callable[[Any, Any, Any, Any], Any]
Values = dict[str, np.ndarray]


def _exact(mean1: Any, std1: Any, mean2: Any, std2: Any) -> np.ndarray:
    return fisher_rao_distance(Normal(mean1, std1), Normal(mean2, std2))


def _arccosh_rule(
    half: float = 0.5, two: float = 2.0, factor: float = _ROOT_TWO, one: float = 1.0, power: Any = (1, 1)
) -> Rule:
    """Return the textbook formula with some of its constants changed.

    `power` are the exponents of the stds in the numerator and in the denominator.
    """

    def rule(mean1: Any, std1: Any, mean2: Any, std2: Any) -> np.ndarray:
        above = half * (mean1 - mean2) ** 2 + (std1 ** power[0] - std2 ** power[0]) ** 2
        return factor * np.arccosh(one + above / (two * (std1 * std2) ** power[1]))

    return rule


def _like(*rules: Rule, text: str) -> Case:
    """Return the case of a function that does what one of the rules does."""

    def matches(values: Values) -> bool:
        with np.errstate(all="ignore"):
            tables = [{name: rule(*_INPUTS[name]) for name in _GENERIC} for rule in rules]
        return any(_same(values, table, _GENERIC) for table in tables)

    return Case(matches, text)


def _same(values: Values, wanted: Values, names: tuple[str, ...]) -> bool:
    return all(agrees(values[name], wanted[name], 1e-6) for name in names)


def _function() -> Exercise:
    wanted = {name: _exact(*arguments) for name, arguments in _INPUTS.items()}

    def correct(values: Values) -> bool:
        limits = all(agrees(values[name], wanted[name], absolute=1e-6) for name in _LIMITS)
        return _same(values, wanted, _GENERIC) and limits

    def only(name: str) -> Callable[[Values], bool]:
        return lambda values: _same(values, wanted, (name,))

    powers = [(a, b) for a in (0.5, 1, 2) for b in (0.5, 1, 2) if (a, b) != (1, 1)]
    return Exercise(
        key="01.3",
        title="A function for the distance",
        expects="the distance, computed from the four arguments (numbers or arrays),",
        read=lambda answer: read_function(answer, _INPUTS),
        correct=correct,
        why="One line now measures whole grids of normals, in the Fisher metric.",
        near_misses=(
            _like(_arccosh_rule(factor=1.0), text="This is the distance without the factor √2 in front."),
            _like(
                *(_arccosh_rule(power=power) for power in powers),
                text="You used the variance where the std belongs, or a root of it: all stds stand to the "
                "first power before (Δstd)² is squared.",
            ),
            _like(
                _arccosh_rule(half=1.0, factor=1.0),
                text="This is the plain hyperbolic distance of the half-plane. In the Fisher metric (Δmean)² "
                "is halved, and the whole is multiplied by √2.",
            ),
            _like(
                _arccosh_rule(half=1.0),
                text="A factor ½ is missing: (Δmean)² is halved in the Fisher metric, (Δstd)² is not.",
            ),
            _like(
                _arccosh_rule(half=0.25),
                _arccosh_rule(half=2.0),
                text="The weight of (Δmean)² is not right: a ½ has been squared or stands on the wrong side.",
            ),
            _like(
                _arccosh_rule(two=1.0),
                _arccosh_rule(two=4.0),
                _arccosh_rule(two=0.5),
                text="The denominator is twice the product of the two stds, all of it below the line: "
                "mind the parentheses.",
            ),
            _like(
                lambda m1, s1, m2, s2: (
                    _ROOT_TWO * np.arccosh(1 + ((m1 - m2) ** 2 / 2 + (s1 - s2) ** 2) / 2 * s1 * s2)
                ),
                text="a / 2 * b divides by 2 and multiplies by b: put the whole denominator in parentheses.",
            ),
            _like(
                _arccosh_rule(one=0.0),
                text="The 1 + inside the arccosh is missing: at one point it is arccosh(1) = 0.",
            ),
            _like(
                lambda *points: np.sqrt(2.0 * _exact(*points) / _ROOT_TWO),
                text="The root is that of two alone: √2·arccosh(…), not √(2·arccosh(…)).",
            ),
            _like(lambda *points: _exact(*points) ** 2, text="This is the square of the distance."),
            _like(
                lambda m1, s1, m2, s2: np.hypot(m1 - m2, s1 - s2),
                text="This is the Euclidean distance of the points (mean, std); it forgets that the ruler "
                "changes from place to place.",
            ),
            _like(
                lambda m1, s1, m2, s2: np.sqrt((m1 - m2) ** 2 + 2 * (s1 - s2) ** 2) / s1 + 0 * s2,
                lambda m1, s1, m2, s2: np.sqrt((m1 - m2) ** 2 + 2 * (s1 - s2) ** 2) / s2 + 0 * s1,
                text="This uses the ruler at one end for the whole way; between distant points it changes.",
            ),
            Case(
                lambda values: not all(np.all(np.isfinite(value)) for value in values.values()),
                "Some values are nan or infinite: the arccosh of a number below 1, the root of a negative "
                "one, or a division by zero.",
            ),
            Case(
                lambda values: any(np.any(value < 0.0) for value in values.values()),
                "Some values are negative; a distance is not. Is each difference squared?",
            ),
            Case(
                lambda values: not agrees(values["generic"], values["swapped"], 1e-6),
                "It is not symmetric: with the two points swapped it returns another value. Is one std or "
                "mean used twice, and the other not at all?",
            ),
            Case(
                lambda values: not agrees(values["same point"], 0.0, absolute=1e-6),
                "From a point to itself the distance is 0; yours is not.",
            ),
            Case(
                lambda values: (
                    agrees(values["generic"], wanted["generic"]) and not _same(values, wanted, _GENERIC)
                ),
                "It is right for some points and wrong for others: are all four arguments used, also as "
                "arrays?",
            ),
            Case(only("equal std"), "Right where the two stds are equal: look at the part with Δstd."),
            Case(only("equal mean"), "Right where the two means are equal: look at the part with Δmean."),
        ),
        otherwise=f"The values differ from {_FORMULA}: compare term by term.",
        remarks=(
            Case(
                lambda values: not agrees(values["near"], wanted["near"], 1e-6),
                "One remark: for points 1e-8 apart arccosh(1 + x) loses its digits, as 1 + x rounds x away; "
                "2·arcsinh(√(x/2)) is the same function and keeps them.",
            ),
        ),
    )


# -- 01.4 --------------------------------------------------------------------------------------------------


def _samples() -> Exercise:
    p, q = Normal(0.0, 1.0), Normal(0.5, 1.0)
    shift, level = q.mean - p.mean, 0.01
    kl, chernoff = p.kl(q), chernoff_information(p, q)
    candidates = np.arange(1, 1_001)
    smallest = candidates[bayes_error(p, q, candidates) < level][0]
    quantile = -ndtri(level)

    def around(root: float, text: str) -> Case:
        return Case(lambda value: abs(value - root) <= 1.0, text)

    def compare(value: float) -> str:
        percent = 100.0 * bayes_error(p, q, value)
        shown = f"{percent:.2f}" if percent > 0.005 else "less than 0.01"
        if value < smallest:
            return f"With that many samples the Bayes error is {shown} %, still above 1 %."
        return f"With that many samples the Bayes error is {shown} %: fewer would do."

    return Exercise(
        key="01.4",
        title="How many samples",
        expects="a whole number",
        read=read_number,
        correct=lambda value: value == smallest,
        why="The slope −C alone asks for many more: the Chernoff information gives the rate of the error, "
        "and the factor in front, about 1/√n, does a good part of the work.",
        near_misses=(
            Case(lambda value: value < 1.0, "At least one sample is needed: n is a positive whole number."),
            Case(
                lambda value: value != round(value) and smallest - 1 < value < smallest,
                "Samples come whole: at the root of the equation the error is exactly 1 %; which n comes "
                "next?",
            ),
            Case(
                lambda value: value == smallest - 1,
                "Rounded the wrong way: with that many samples the error is still a little above 1 %.",
            ),
            around(
                -np.log(level) / chernoff,
                "This comes from the slope alone, exp(−nC): the exact error has a factor in front, and it is "
                "small.",
            ),
            around(
                -np.log(2.0 * level) / chernoff,
                "This comes from the bound ½·exp(−nC), which lies above the error. The exact one is a normal "
                "tail.",
            ),
            around(
                -np.log(level) / kl,
                "This uses KL as the exponent. That is Stein's, for one kind of error with the other held "
                "fixed; here both kinds count.",
            ),
            around(
                (quantile / shift) ** 2,
                "A ½ is missing: the border lies half-way between the means, so a mean is only half the "
                "shift away from it.",
            ),
            around(
                (2.0 * -ndtri(0.5 * level) / shift) ** 2,
                "This adds the two kinds of error. Each hypothesis holds half of the time, so the Bayes "
                "error is their mean.",
            ),
            around(
                2.0 * quantile / shift,
                "The square root is missing: the mean of n samples has the std 1/√n.",
            ),
            around(
                (2.0 * -ndtri(0.1) / shift) ** 2,
                "This is the n for 10 %; 1 % is asked for.",
            ),
            Case(
                lambda value: value != round(value),
                "Samples come whole: n is the smallest whole number at which the error is below 1 %.",
            ),
        ),
        otherwise=compare,
    )


# -- 01.5 --------------------------------------------------------------------------------------------------


def _midpoint() -> Exercise:
    p, q = Normal(0.0, 1.0), Normal(4.0, 1.0)
    wanted = geodesic(p, q, "expectation")(0.5)
    mean, std = wanted.source
    second = wanted.expectation[1]

    def read(answer: Any) -> np.ndarray:
        if isinstance(answer, Normal) and answer.shape == ():
            answer = answer.source
        return read_numbers(answer, ("mean", "std"))

    return Exercise(
        key="01.5",
        title="Half-way along the m-geodesic",
        expects="the pair (mean, std), each right to 1 part in 1000,",
        read=read,
        correct=close_to((mean, std)),
        why="The m-geodesic keeps the moments of the mixture of its ends, so the spread between their means "
        "enters its variance: matching moments makes wide normals.",
        near_misses=(
            Case(lambda value: value[1] <= 0.0, "A std is positive."),
            near_miss(
                geodesic(p, q, "natural")(0.5).source,
                "This is the midpoint of the straight line in (mean, std), and of the e-geodesic as well. "
                "The m-geodesic is straight in the expectation coordinates (E[x], E[x²]).",
            ),
            near_miss((mean, std**2), "The second number is the variance where the std belongs."),
            near_miss(
                geodesic(p, q)(0.5).source,
                "This is the midpoint of the Fisher–Rao geodesic, the half-ellipse. The m-geodesic rises "
                "higher.",
            ),
            near_miss(
                (mean, second),
                "These are the expectation coordinates (E[x], E[x²]): turn them into (mean, std).",
            ),
            near_miss(
                (mean, np.sqrt(second)),
                "The second number is the root of E[x²]: the squared mean has not been subtracted.",
            ),
            near_miss(
                (mean, np.sqrt(second - mean)),
                "The mean has been subtracted from E[x²] where its square belongs.",
            ),
            near_miss((std, mean), "These are swapped: the mean comes first, then the std."),
            rounded((mean, std)),
            Case(
                lambda value: not agrees(value[0], mean, NEAR),
                "The mean is not right yet: E[x] moves along a straight line from one end to the other.",
            ),
        ),
        otherwise="The mean is right, the std is not yet: take E[x²] at the two ends, go half-way, and turn "
        "it back into a variance.",
    )


EXERCISES = (_distance(), _equal_distance(), _function(), _samples(), _midpoint())
