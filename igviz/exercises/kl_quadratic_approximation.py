"""Exercises of lecture 03: KL as a quadratic form, both its directions, its radius, gradient and error."""

from __future__ import annotations

from typing import Any

import numpy as np

from igviz.exercises.checker import NEAR, Case, NotYet, agrees, has, read_array
from igviz.exercises.forms import (
    ROUNDED,
    Inputs,
    Rule,
    Tried,
    changes,
    function,
    letters,
    not_finite,
    number,
    of_shape,
)
from igviz.geometry.families.normal import Normal

# -- 03.1 --------------------------------------------------------------------------------------------------

_P, _Q = Normal(2.0, 0.5), Normal(2.03, 0.48)
_OF_MEAN, _OF_STD = (_Q.mean - _P.mean) ** 2, (_Q.std - _P.std) ** 2  # the squared steps
_VARIANCE = _P.std**2
_SQUARED_LENGTH = (_OF_MEAN + 2.0 * _OF_STD) / _VARIANCE
_PREDICTION = 0.5 * _SQUARED_LENGTH

prediction = number(
    "03.1",
    "A small KL from the quadratic form",
    _PREDICTION,
    why="No logarithm and no integral was needed; the exact KL(p‖q) is about 8 % larger here, and a step "
    "half as long halves that share.",
    wrong=[
        Case(
            lambda value: value <= 0.0,
            "The quadratic form of a step is positive: its matrix is a metric, and the steps enter squared.",
        ),
        (
            _Q.kl(_P),
            "This is the exact KL(q‖p), with the other distribution in front; asked for is the quadratic "
            "form.",
        ),
        (
            _P.kl(_Q),
            "This is the exact KL(p‖q). Asked for is its prediction by the quadratic form: how far off is "
            "it?",
        ),
        (
            _PREDICTION * (_P.std / _Q.std) ** 2,
            "This has the Fisher matrix at q; asked for is the form with that at p.",
        ),
        (
            _SQUARED_LENGTH,
            "This is the squared length of the step: the factor in front of the form is missing.",
        ),
        (
            0.5 * (_OF_MEAN / _VARIANCE + (_Q.std**2 - _VARIANCE) ** 2 / (2.0 * _VARIANCE**2)),
            "This takes the step in (mean, variance): a form with a metric changes a little with the "
            "coordinates of a step that is not infinitely small. Asked for is (mean, std).",
        ),
        (
            [0.5 * (_OF_MEAN + _OF_STD) / _VARIANCE, (_OF_MEAN + _OF_STD) / _VARIANCE],
            "Both steps have been weighed alike: the metric weighs dmean² and dstd² differently.",
        ),
        (_PREDICTION * _VARIANCE, "This is the ruler at std 1: the Fisher matrix is that at p."),
        (
            [factor * part / _VARIANCE for factor in (0.5, 1.0) for part in (_OF_MEAN, 2.0 * _OF_STD)],
            "Only one of the two steps has been counted: both the mean and the std change.",
        ),
    ],
    otherwise="Write down the step δ = (Δmean, Δstd) and the Fisher matrix of a normal at p, and put the one "
    "on both sides of the other; what stands in front?",
)

# -- 03.2 --------------------------------------------------------------------------------------------------


def _tables() -> Inputs:
    """Return (p, q) by what they test; the first are small enough to be shown whole."""
    rng = np.random.default_rng(3)

    def generic(*shape: int) -> tuple[np.ndarray, ...]:
        tables = rng.uniform(0.05, 1.0, (2, *shape))
        return tuple(tables / tables.sum(axis=-1, keepdims=True))

    shares, step = np.array([0.5, 0.3, 0.2]), 1e-6 * np.array([1.1, -0.7, -0.4])
    return {
        "small": (shares, np.array([0.22, 0.25, 0.53])),
        "two classes": (np.array([0.7, 0.3]), np.array([0.4, 0.6])),
        "table": generic(4, 3),
        "one row": generic(1, 5),
        "cube": generic(2, 3, 4),
        "rare": (np.array([0.6, 0.4, 1e-40]), np.array([0.3, 1e-90, 0.7])),
        "same": (shares, shares.copy()),
        "near": (shares, shares + step),
    }


_TABLES = _tables()
_LIMITS = ("rare", "same", "near")
_COMMON = tuple(name for name in _TABLES if name not in _LIMITS)


def _summed(terms: Rule, factor: float = 1.0) -> Rule:
    """Return the rule that sums the terms over the classes."""
    return lambda p, q: factor * terms(p, q).sum(axis=-1)


def _terms(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.asarray((p - q) * np.log(p / q))


_average = _summed(_terms, 0.5)


def _misshapen(tried: Tried) -> list[str]:
    pairs = ((p.shape, tried.values[name].shape) for name, (p, _) in _TABLES.items())
    return [f"for p of shape {p} it returns shape {got}" for p, got in pairs if got != p[:-1]]


def _advice(error: Exception) -> str:
    """Return what kind of mistake the exception points to."""
    text = str(error)
    if any(word in text for word in ("scalar", "truth value", "real number")):
        return "p and q are arrays, one number for each class: NumPy's functions take arrays, math's do not."
    if any(word in text for word in ("mismatch", "aligned", "broadcast", "out of bounds", "dimension")):
        return "The classes are the last axis, however many axes stand before it; only this one goes away."
    return ""


both_directions = function(
    "03.2",
    "Both directions at once",
    _average,
    _TABLES,
    expects="the average, computed from p and q,",
    limits=_LIMITS,
    faults=[changes("p or q", "a = a - b instead of a -= b")],
    advice=_advice,
    why="This is half the Jeffreys divergence: it does not matter any more which distribution comes first, "
    "and a class adds something wherever the two differ, never less than nothing.",
    wrong=[
        of_shape(lambda p, _: p, "This is one number for each class: the sum over the classes is missing."),
        of_shape(
            lambda *_: (),
            "The sum runs over everything: of a table with one distribution in each row one number for each "
            "row should remain.",
        ),
        of_shape(lambda p, _: p[1:], "The sum runs over the first axis: the classes are the last one."),
        Case(
            lambda tried: bool(_misshapen(tried)),
            lambda tried: f"The last axis alone should go away, but {_misshapen(tried)[0]}.",
        ),
        (_summed(_terms), "This is the sum of the two directions; asked for is their average."),
        (
            _summed(lambda p, q: p * np.log(p / q)),
            "This is KL(p‖q) alone; asked for is the average with the other direction.",
        ),
        (
            _summed(lambda p, q: q * np.log(q / p)),
            "This is KL(q‖p) alone; asked for is the average with the direction from p to q.",
        ),
        (
            [_summed(_terms, f / np.log(base)) for f in (0.5, 1.0) for base in (2.0, 10.0)],
            "The logarithm is not the natural one: a KL in nats has np.log, not log2 or log10.",
        ),
        (
            [_summed(lambda p, q: (p + q) * np.log(p / q), f) for f in (0.5, 1.0, -0.5, -1.0)],
            "The two directions have been subtracted, or both have the same ratio in the logarithm: in "
            "KL(q‖p) it is turned over.",
        ),
        not_finite(),
        Case(
            lambda tried: tried.same(_average, *_COMMON, absolute=0.0) and not tried.same(_average, "rare"),
            "Right where every class is common, wrong where one is very rare: has something been clipped, "
            "or a small number added?",
        ),
        Case(
            lambda tried: any(tried.same(_average, name, absolute=0.0) for name in _COMMON),
            "Right for some arrays and wrong for others: is a number of classes or of rows fixed in it, or "
            "a row used twice?",
        ),
    ],
    otherwise="The values differ: write KL(p‖q) as a sum over the classes, turn p and q over for the other "
    "direction, and take the average.",
    remarks=[
        Case(
            lambda tried: not agrees(tried.values["near"], _average(*_TABLES["near"]), 1e-6),
            "One remark: where p and q nearly agree, two sums are formed that nearly cancel, and digits are "
            "lost; (p − q)·log(p/q), summed once, keeps them.",
        ),
    ],
)

# -- 03.3 --------------------------------------------------------------------------------------------------

_BUDGET = 0.045  # so that no two of the mistakes below have the same digits
_RADIUS = np.sqrt(2.0 * _BUDGET)

radius = number(
    "03.3",
    "The radius of a KL ball",
    _RADIUS,
    why="A divergence is a squared length: a budget of KL four times as large reaches only twice as far.",
    wrong=[
        Case(lambda value: value <= 0.0, "A radius is positive."),
        (_BUDGET, "This is the divergence itself: a radius is a length, and KL goes with its square."),
        (
            np.sqrt(_BUDGET),
            "A factor is missing: KL is not the squared length itself. What stands in front of the form?",
        ),
        (_RADIUS**2, "This is the square of the radius: a root is still to be taken."),
        (np.sqrt(0.5 * _BUDGET), "The ½ is on the wrong side: solve for the length once more."),
        (
            [np.sqrt(2.0) * _BUDGET, 2.0 * np.sqrt(_BUDGET)],
            "The factor belongs under the root together with the divergence, once.",
        ),
        (2.0 * _RADIUS, "This is twice the radius."),
    ],
    otherwise="Up close KL is a quadratic form of the step, and the same form without its factor is the "
    "squared length. Put the two side by side and solve for the length.",
)

# -- 03.4 --------------------------------------------------------------------------------------------------

_STD, _GRADIENT = 0.7, np.array([0.4, -1.2])
_FISHER = Normal(1.3, _STD).fisher()
_NATURAL = np.linalg.solve(_FISHER, _GRADIENT)


def _read_pair(answer: Any) -> np.ndarray:
    """Return the pair, also from a row or a column."""
    array = read_array(answer, "the pair (of the mean, of the std)", ((2,), (2, 1), (1, 2), (2, 2)))
    if array.shape == (2, 2):
        raise NotYet(
            "This is a matrix: a natural gradient has one entry for each coordinate. Arrays are multiplied "
            "as matrices with @, not with *."
        )
    return array.ravel()


def _same_direction(value: np.ndarray) -> bool:
    largest, wanted = np.max(np.abs(value)), np.max(np.abs(_NATURAL))
    scaled = largest > 0.0 and agrees(value / largest, _NATURAL / wanted, NEAR)
    return bool(scaled and not agrees(largest, wanted, NEAR))


def _right_entries(value: np.ndarray) -> list[bool]:
    return [agrees(*pair, NEAR) for pair in zip(value, _NATURAL, strict=True)]


natural_gradient = number(
    "03.4",
    "The natural gradient",
    _NATURAL,
    expects="the pair of numbers",
    read=_read_pair,
    why="To the ordinary gradient the std seems to matter three times as much as the mean; per step of equal "
    "KL it is only about twice as much, and the direction turns.",
    wrong=[
        (_GRADIENT, "This is the ordinary gradient itself: the metric has not been used."),
        (
            _FISHER @ _GRADIENT,
            "The Fisher matrix has been multiplied in: where the same step changes q much, the natural "
            "gradient is to be short, not long.",
        ),
        (
            -_NATURAL,
            "The sign is flipped: this is the direction of descent; a gradient points where the loss grows.",
        ),
        (
            _STD**2 * _GRADIENT,
            "A factor is missing in the second entry: the metric weighs dmean² and dstd² differently.",
        ),
        (
            _STD**2 * _GRADIENT * (1.0, 2.0),
            "The factor of the std is on the wrong side: a step of the std is easier to tell than one of the "
            "mean, so its entry shrinks more.",
        ),
        (
            _STD * _GRADIENT * (1.0, 0.5),
            "You used the std where the variance belongs: the metric is quadratic.",
        ),
        (_GRADIENT * (1.0, 0.5), "This is the ruler at std 1: the Fisher matrix is that at q."),
        (_NATURAL[::-1], "The entries are swapped: the mean comes first, then the std."),
        ROUNDED,
        Case(_same_direction, "The direction is right, the size is not."),
        Case(
            lambda value: _right_entries(value) == [True, False],
            "The first entry is right, the second is not yet: what does the Fisher matrix of a normal have "
            "there?",
        ),
        Case(
            lambda value: _right_entries(value) == [False, True],
            "The second entry is right, the first is not yet: what does the Fisher matrix of a normal have "
            "there?",
        ),
    ],
    otherwise="Write down the Fisher matrix of a normal in (mean, std), put in the std of q, and solve "
    "I·x = ∇L: np.linalg.solve does it.",
)

# -- 03.5 --------------------------------------------------------------------------------------------------

_MISSING = "Nothing wrong is chosen, but something is missing:"

orders = letters(
    "03.5",
    "The order of the error",
    "de",
    "abcde",
    expects='the letters, as one text such as "abc",',
    why="Both terms of these differences stay as they are when p and q change places, and so no odd order of "
    "the step is left about their midpoint: the third goes, and the fourth comes first.",
    wrong=[
        ("abcde", "Not all of them: halve the step and see by which factor each error shrinks."),
        ("abc", "Read the question once more: these are the ones where the third order stays."),
        Case(
            has("a"),
            "Look again at KL(p‖q) alone: let only the std change and expand log(std_q/std_p) and 1/std_q² "
            "to third order. Do the cubes cancel?",
        ),
        Case(
            has("b"),
            "Look again at KL(q‖p) alone: let only the std change and expand log(std_p/std_q) to third "
            "order. Is there another cube to cancel it?",
        ),
        Case(
            has("c"),
            "Look again at the average against the matrix at p: the average stays as it is when p and q "
            "change places. Does this quadratic form?",
        ),
        ("e", f"{_MISSING} is there a place for the matrix that favours neither p nor q?"),
    ],
    otherwise=f"{_MISSING} the average of both directions favours neither end. Which length from p to q does "
    "not either?",
)

EXERCISES = (prediction, both_directions, radius, natural_gradient, orders)
