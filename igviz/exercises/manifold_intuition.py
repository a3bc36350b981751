"""Exercises of lecture 01: distances and paths between normal distributions, and telling them apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from igviz.exercises.checker import NEAR, Case, agrees, read_numbers
from igviz.exercises.forms import ROUNDED, Rule, function, number, numbers, whole_number
from igviz.geometry.chernoff import chernoff_information
from igviz.geometry.distances import fisher_rao_distance
from igviz.geometry.families.normal import Normal
from igviz.geometry.geodesics import geodesic
from igviz.geometry.hypothesis_testing import bayes_error

ROOT_TWO = np.sqrt(2.0)
FORMULA = "√2·arccosh(1 + ((Δmean)²/2 + (Δstd)²)/(2·std₁·std₂))"

# -- 01.1 --------------------------------------------------------------------------------------------------

_DISTANCE = float(fisher_rao_distance(Normal(0.0, 1.0), Normal(2.0, 1.0)))
_HALF_PLANE = np.arccosh(1.0 + 0.5 * 2.0**2)

distance = number(
    "01.1",
    "A distance from the formula",
    _DISTANCE,
    why="The shortest way is shorter than the straight one, because it leads through wider normals, where a "
    "step of the mean counts for less.",
    wrong=[
        (_DISTANCE / ROOT_TWO, "This is the distance without the factor √2 in front."),
        (
            ROOT_TWO * _HALF_PLANE,
            "A factor ½ is missing inside: (Δmean)² is halved, and then the sum is divided by twice the "
            "product of the stds.",
        ),
        (
            _HALF_PLANE,
            "This is the plain hyperbolic distance of the half-plane. In the Fisher metric (Δmean)² is "
            "halved, and the whole is multiplied by √2.",
        ),
        (
            2.0,
            "This is the difference of the means: the length of the straight path, along which the std "
            "stays as it is. The shortest path bends.",
        ),
        (_DISTANCE**2, "This is the square of the distance."),
        (ROOT_TWO * np.cosh(_DISTANCE / ROOT_TWO), "The arccosh has not been taken."),
        Case(lambda value: value <= 0.0, "The distance between two different points is positive."),
    ],
    otherwise=f"Put the four parameters into {FORMULA}; with NumPy, np.arccosh.",
)

# -- 01.2 --------------------------------------------------------------------------------------------------

_NEAR_SHIFT, _FAR_SHIFT = 1.0, 3.0  # of the mean, which counts in units of the std
_STD = _FAR_SHIFT / _NEAR_SHIFT


def _compare_distances(value: float) -> str:
    wanted = fisher_rao_distance(Normal(0.0, 1.0), Normal(_NEAR_SHIFT, 1.0))
    got = fisher_rao_distance(Normal(0.0, value), Normal(_FAR_SHIFT, value))
    change = "widen" if got > wanted else "narrow"
    return f"With this std the second pair is {got:.4f} apart, the first {wanted:.4f}: {change} the second."


equal_distance = number(
    "01.2",
    "Equally far apart",
    _STD,
    why="A shift of the mean counts in units of the std, so shifting and stretching both normals alike "
    "changes no distance: the half-plane looks the same at every scale.",
    wrong=[
        Case(lambda value: value <= 0.0, "A std is positive."),
        (_STD**2, "This is the variance; the std is asked for."),
        (
            np.sqrt(_STD),
            "You used the variance where the std belongs: the shift is measured in stds, not in variances.",
        ),
        (
            1.0 / _STD,
            "This is upside down: in narrower normals the same shift counts for more, not for less.",
        ),
        (1.0, "With the std unchanged the pair with the larger shift is farther apart."),
        Case(lambda value: not 1e-6 < value < 1e6, "The size is far off: it is between a tenth and ten."),
    ],
    otherwise=_compare_distances,
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
_POWERS = [(a, b) for a in (0.5, 1, 2) for b in (0.5, 1, 2) if (a, b) != (1, 1)]


def _exact(mean1: Any, std1: Any, mean2: Any, std2: Any) -> np.ndarray:
    return fisher_rao_distance(Normal(mean1, std1), Normal(mean2, std2))


def _arccosh_rule(
    half: float = 0.5, two: float = 2.0, factor: float = ROOT_TWO, one: float = 1.0, powers: Any = (1, 1)
) -> Rule:
    """Return the textbook formula with some of its constants changed, and the powers of its stds."""

    def rule(mean1: Any, std1: Any, mean2: Any, std2: Any) -> np.ndarray:
        above = half * (mean1 - mean2) ** 2 + (std1 ** powers[0] - std2 ** powers[0]) ** 2
        return factor * np.arccosh(one + above / (two * (std1 * std2) ** powers[1]))

    return rule


distance_function = function(
    "01.3",
    "A function for the distance",
    _exact,
    _INPUTS,
    expects="the distance, computed from the four arguments (numbers or arrays),",
    shaped=True,
    limits=("same point", "near"),
    why="One line now measures whole grids of normals, in the Fisher metric.",
    wrong=[
        (_arccosh_rule(factor=1.0), "This is the distance without the factor √2 in front."),
        (
            [_arccosh_rule(powers=powers) for powers in _POWERS],
            "You used the variance where the std belongs, or a root of it: all stds stand to the first power "
            "before (Δstd)² is squared.",
        ),
        (
            _arccosh_rule(half=1.0, factor=1.0),
            "This is the plain hyperbolic distance of the half-plane. In the Fisher metric (Δmean)² is "
            "halved, and the whole is multiplied by √2.",
        ),
        (
            _arccosh_rule(half=1.0),
            "A factor ½ is missing: (Δmean)² is halved in the Fisher metric, (Δstd)² is not.",
        ),
        (
            [_arccosh_rule(two=two) for two in (1.0, 4.0, 0.5)],
            "The denominator is twice the product of the two stds, all of it below the line: mind the "
            "parentheses.",
        ),
        (
            _arccosh_rule(one=0.0),
            "The 1 + inside the arccosh is missing: at one point it is arccosh(1) = 0.",
        ),
        (
            lambda m1, s1, m2, s2: np.hypot(m1 - m2, s1 - s2),
            "This is the Euclidean distance of the points (mean, std); it forgets that the ruler changes "
            "from place to place.",
        ),
        Case(
            lambda tried: not all(np.all(np.isfinite(value)) for value in tried.values.values()),
            "Some values are nan or infinite: the arccosh of a number below 1, the root of a negative one, "
            "or a division by zero.",
        ),
        Case(
            lambda tried: not agrees(tried.values["generic"], tried.values["swapped"], 1e-6),
            "It is not symmetric: with the two points swapped it returns another value. Is one std or mean "
            "used twice, and the other not at all?",
        ),
        Case(
            lambda tried: agrees(tried.values["generic"], _exact(*_INPUTS["generic"])),
            "It is right for some points and wrong for others: are all four arguments used, also as arrays?",
        ),
    ],
    otherwise=f"The values differ from {FORMULA}: compare term by term.",
    remarks=[
        Case(
            lambda tried: not agrees(tried.values["near"], _exact(*_INPUTS["near"]), 1e-6),
            "One remark: for points 1e-8 apart arccosh(1 + x) loses its digits, as 1 + x rounds x away; "
            "2·arcsinh(√(x/2)) is the same function and keeps them.",
        ),
    ],
)

# -- 01.4 --------------------------------------------------------------------------------------------------

_P, _Q, _LEVEL = Normal(0.0, 1.0), Normal(0.5, 1.0), 0.01
_SHIFT, _QUANTILE = 0.5, -ndtri(_LEVEL)
_CANDIDATES = np.arange(1, 1_001)
_SMALLEST = int(_CANDIDATES[bayes_error(_P, _Q, _CANDIDATES) < _LEVEL][0])


def _compare_errors(value: float) -> str:
    percent = 100.0 * bayes_error(_P, _Q, value)
    shown = f"{percent:.2f}" if percent > 0.005 else "less than 0.01"
    if value < _SMALLEST:
        return f"With that many samples the Bayes error is {shown} %, still above 1 %."
    return f"With that many samples the Bayes error is {shown} %: fewer would do."


samples = whole_number(
    "01.4",
    "How many samples",
    _SMALLEST,
    why="The slope −C alone asks for many more: the Chernoff information gives the rate of the error, and "
    "the factor in front, about 1/√n, does a good part of the work.",
    few="At least one sample is needed: n is a positive whole number.",
    level="Samples come whole: at the root of the equation the error is exactly 1 %; which n comes next?",
    broken="Samples come whole: n is the smallest whole number at which the error is below 1 %.",
    wrong=[
        Case(
            lambda value: value == _SMALLEST - 1,
            "Rounded the wrong way: with that many samples the error is still a little above 1 %.",
        ),
        (
            -np.log(_LEVEL) / chernoff_information(_P, _Q),
            "This comes from the slope alone, exp(−nC): the exact error has a factor in front, and it is "
            "small.",
        ),
        (
            -np.log(2.0 * _LEVEL) / chernoff_information(_P, _Q),
            "This comes from the bound ½·exp(−nC), which lies above the error. The exact one is a normal "
            "tail.",
        ),
        (
            -np.log(_LEVEL) / _P.kl(_Q),
            "This uses KL as the exponent. That is Stein's, for one kind of error with the other held fixed; "
            "here both kinds count.",
        ),
        (
            (_QUANTILE / _SHIFT) ** 2,
            "A ½ is missing: the border lies half-way between the means, so a mean is only half the shift "
            "away from it.",
        ),
        (
            (2.0 * -ndtri(0.5 * _LEVEL) / _SHIFT) ** 2,
            "This adds the two kinds of error. Each hypothesis holds half of the time, so the Bayes error is "
            "their mean.",
        ),
        (2.0 * _QUANTILE / _SHIFT, "The square root is missing: the mean of n samples has the std 1/√n."),
    ],
    otherwise=_compare_errors,
)

# -- 01.5 --------------------------------------------------------------------------------------------------

_START, _END = Normal(0.0, 1.0), Normal(4.0, 1.0)
_MIDDLE = geodesic(_START, _END, "expectation")(0.5)
_MEAN, _SPREAD = _MIDDLE.source
_SECOND = _MIDDLE.expectation[1]


def _read_normal(answer: Any) -> np.ndarray:
    """Return mean and std, of a pair or of a Normal."""
    given = answer.source if isinstance(answer, Normal) and answer.shape == () else answer
    return read_numbers(given, ("mean", "std"))


midpoint = numbers(
    "01.5",
    "Half-way along the m-geodesic",
    (_MEAN, _SPREAD),
    ("mean", "std"),
    read=_read_normal,
    why="The m-geodesic keeps the moments of the mixture of its ends, so the spread between their means "
    "enters its variance: matching moments makes wide normals.",
    wrong=[
        Case(lambda value: value[1] <= 0.0, "A std is positive."),
        (
            geodesic(_START, _END, "natural")(0.5).source,
            "This is the midpoint of the straight line in (mean, std), and of the e-geodesic as well. The "
            "m-geodesic is straight in the expectation coordinates (E[x], E[x²]).",
        ),
        ((_MEAN, _SPREAD**2), "The second number is the variance where the std belongs."),
        (
            geodesic(_START, _END)(0.5).source,
            "This is the midpoint of the Fisher–Rao geodesic, the half-ellipse. The m-geodesic rises higher.",
        ),
        (
            (_MEAN, _SECOND),
            "These are the expectation coordinates (E[x], E[x²]): turn them into (mean, std).",
        ),
        (
            (_MEAN, np.sqrt(_SECOND)),
            "The second number is the root of E[x²]: the squared mean has not been subtracted.",
        ),
        (
            (_MEAN, np.sqrt(_SECOND - _MEAN)),
            "The mean has been subtracted from E[x²] where its square belongs.",
        ),
        ((_SPREAD, _MEAN), "These are swapped: the mean comes first, then the std."),
        ROUNDED,
        Case(
            lambda value: not agrees(value[0], _MEAN, NEAR),
            "The mean is not right yet: E[x] moves along a straight line from one end to the other.",
        ),
    ],
    otherwise="The mean is right, the std is not yet: take E[x²] at the two ends, go half-way, and turn it "
    "back into a variance.",
)

EXERCISES = (distance, equal_distance, distance_function, samples, midpoint)
