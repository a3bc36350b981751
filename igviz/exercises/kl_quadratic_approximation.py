"""Exercises of lecture 03: KL as a quadratic form, both its directions, its radius, gradient and error."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from igviz.exercises.checker import (
    NEAR,
    Case,
    Exercise,
    NotYet,
    Watched,
    agrees,
    close_to,
    has,
    near_miss,
    read_array,
    read_choices,
    read_function,
    read_number,
    rounded,
)
from igviz.geometry.distances import fisher_rao_distance
from igviz.geometry.families.normal import Normal

_NUMBER = "a number (right to 1 part in 1000)"


# -- 03.1 --------------------------------------------------------------------------------------------------


def _prediction() -> Exercise:
    p, q = Normal(2.0, 0.5), Normal(2.03, 0.48)
    of_mean, of_std = (q.mean - p.mean) ** 2, (q.std - p.std) ** 2  # the squared steps
    squared_length = (of_mean + 2.0 * of_std) / p.std**2
    wanted = 0.5 * squared_length
    forward, backward = float(p.kl(q)), float(q.kl(p))
    at_q, at_midpoint = 0.5 * squared_length * (p.std / np.array([q.std, 0.5 * (p.std + q.std)])) ** 2
    both_ways = (0.5 * (forward + backward), at_midpoint, 0.5 * fisher_rao_distance(p, q) ** 2)
    of_variance = 0.5 * (of_mean / p.std**2 + (q.std**2 - p.std**2) ** 2 / (2.0 * p.std**4))

    def any_of(values: Collection[Any], text: str, relative: float = NEAR) -> Case:
        return Case(lambda value: any(agrees(value, wrong, relative) for wrong in values), text)

    return Exercise(
        key="03.1",
        title="A small KL from the quadratic form",
        expects=_NUMBER,
        read=read_number,
        correct=close_to(wanted),
        why="No logarithm and no integral was needed; the exact KL(p‖q) is about 8 % larger here, and a step "
        "half as long halves that share.",
        near_misses=(
            Case(
                lambda value: value <= 0.0,
                "The quadratic form of a step is positive: its matrix is a metric, and the steps enter "
                "squared.",
            ),
            # these lie close together, and near the answer
            near_miss(
                backward,
                "This is the exact KL(q‖p), with the other distribution in front; asked for is the quadratic "
                "form.",
            ),
            any_of(
                (forward,),
                "This is the exact KL(p‖q). Asked for is its prediction by the quadratic form: how far off "
                "is it?",
                3e-3,
            ),
            any_of((at_q,), "This has the Fisher matrix at q; asked for is the form with that at p.", 3e-3),
            any_of(
                both_ways,
                "This treats p and q alike: it is an average of both directions, or takes the matrix between "
                "the two. Asked for is the form with the matrix at p.",
                1e-3,
            ),
            near_miss(
                of_variance,
                "This takes the step in (mean, variance): a form with a metric changes a little with the "
                "coordinates of a step that is not infinitely small. Asked for is (mean, std).",
            ),
            near_miss(
                squared_length,
                "This is the squared length of the step: the factor in front of the form is missing.",
            ),
            near_miss(
                4.0 * wanted,
                "A factor is lost: the ½ stands above the line, and the squared steps are divided by the "
                "variance once.",
            ),
            near_miss(
                np.sqrt(squared_length), "This is the length of the step: KL goes with the length squared."
            ),
            near_miss(np.sqrt(wanted), "A root has been taken: KL goes with the length squared."),
            any_of(
                (0.5 * (of_mean + of_std) / p.std**2, (of_mean + of_std) / p.std**2),
                "Both steps have been weighed alike: the metric weighs dmean² and dstd² differently.",
            ),
            any_of(
                (0.5 * (of_mean + 0.5 * of_std) / p.std**2, (of_mean + 0.5 * of_std) / p.std**2),
                "The weight of dstd² is upside down: is a std easier to tell than a mean, or harder?",
            ),
            near_miss(
                0.5 * (of_mean + 2.0 * of_std),
                "This is the ruler at std 1: the Fisher matrix is that at p.",
            ),
            near_miss(
                of_mean + 2.0 * of_std,
                "This divides by the std, or by nothing at all: the squared steps are measured in units of "
                "the variance.",
            ),
            any_of(
                (0.5 * (of_mean + of_std), of_mean + of_std),
                "This is the plain Euclidean length of the step, squared or its half: the ruler is missing.",
            ),
            any_of(
                (
                    0.5 * of_mean / p.std**2,
                    of_std / p.std**2,
                    of_mean / p.std**2,
                    2.0 * of_std / p.std**2,
                ),
                "Only one of the two steps has been counted: both the mean and the std change.",
            ),
            near_miss(
                0.5 * (of_mean - 2.0 * of_std) / p.std**2,
                "A sign has slipped: a step downwards, squared, counts like one upwards.",
            ),
            near_miss(
                0.5 * (np.sqrt(of_mean) + 2.0 * np.sqrt(of_std)) / p.std**2,
                "The steps have not been squared.",
            ),
            near_miss(
                0.5 * (of_mean + 0.5 * of_std) * p.std**2,
                "This has the inverse of the Fisher matrix in the middle.",
            ),
            near_miss(wanted / np.log(2.0), "This is in bits: everything here is in nats."),
            rounded(wanted),
        ),
        otherwise="Write down the step δ = (Δmean, Δstd) and the Fisher matrix of a normal at p, and put the "
        "one on both sides of the other; what stands in front?",
    )


# -- 03.2 --------------------------------------------------------------------------------------------------


def _tables() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return (p, q) by what they test; the first are small enough to be shown whole."""
    rng = np.random.default_rng(3)

    def generic(*shape: int) -> tuple[np.ndarray, np.ndarray]:
        tables = rng.uniform(0.05, 1.0, (2, *shape))
        p, q = tables / tables.sum(axis=-1, keepdims=True)
        return p, q

    small = np.array([0.5, 0.3, 0.2]), np.array([0.22, 0.25, 0.53])
    shares = np.array([0.5, 0.3, 0.2])
    step = 1e-6 * np.array([1.1, -0.7, -0.4])
    return {
        "small": small,
        "swapped": small[::-1],
        "two classes": (np.array([0.7, 0.3]), np.array([0.4, 0.6])),
        "table": generic(4, 3),
        "square": generic(3, 3),
        "one row": generic(1, 5),
        "cube": generic(2, 3, 4),
        "rare": (np.array([0.6, 0.4, 1e-40]), np.array([0.3, 1e-90, 0.7])),
        "same": (shares, shares.copy()),
        "near": (shares, shares + step),
    }


_TABLES = _tables()
_VECTORS = ("small", "swapped", "two classes")
_GENERIC = (*_VECTORS, "table", "square", "one row", "cube")

Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class _Tried:
    """What the reader's function returned for the tables, and whether it changed them."""

    values: dict[str, np.ndarray]
    changed: bool


def _try(answer: Any) -> _Tried:
    watched = Watched(answer)
    values = read_function(watched if callable(answer) else answer, _TABLES, any_shape=True, advice=_advice)
    return _Tried(values, watched.changed)


def _advice(error: Exception) -> str:
    """Return what kind of mistake the exception points to."""
    text = str(error)
    if any(word in text for word in ("scalar", "truth value", "real number")):
        return "p and q are arrays, one number for each class: NumPy's functions take arrays, math's do not."
    if any(word in text for word in ("mismatch", "aligned", "broadcast", "out of bounds", "dimension")):
        return "The classes are the last axis, however many axes stand before it; only this one goes away."
    return ""


def _over_classes(terms: Rule) -> Rule:
    """Return the rule that sums the terms over the last axis."""
    return lambda p, q: terms(p, q).sum(axis=-1)


def _log_ratio(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(p) - np.log(q))


_sum_of_both = _over_classes(lambda p, q: (p - q) * _log_ratio(p, q))
_forward = _over_classes(lambda p, q: p * _log_ratio(p, q))


def _exact(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return 0.5 * _sum_of_both(p, q)


def _same(tried: _Tried, rule: Rule, names: tuple[str, ...], absolute: float = 0.0) -> bool:
    """Whether the function does what the rule does on all of these tables."""
    return all(agrees(tried.values[name], rule(*_TABLES[name]), 1e-6, absolute) for name in names)


def _like(*rules: Rule, text: str) -> Case:
    """Return the case of a function that does what one of the rules does."""
    return Case(lambda tried: any(_same(tried, rule, _GENERIC) for rule in rules), text)


def _shaped(shape: Callable[[tuple[int, ...]], tuple[int, ...]], text: str) -> Case:
    """Return the case of a function whose results have this shape, from that of p."""

    def matches(tried: _Tried) -> bool:
        return all(tried.values[name].shape == shape(_TABLES[name][0].shape) for name in _GENERIC)

    return Case(matches, text)


def _shape_cases() -> tuple[Case, ...]:
    def misshapen(tried: _Tried) -> list[str]:
        pairs = ((p.shape, tried.values[name].shape) for name, (p, _) in _TABLES.items())
        return [f"for p of shape {p} it returns shape {got}" for p, got in pairs if got != p[:-1]]

    return (
        _shaped(
            lambda shape: shape,
            "This is one number for each class: the sum over the classes is missing.",
        ),
        _shaped(
            lambda _: (),
            "The sum runs over everything: of a table with one distribution in each row one number for each "
            "row should remain.",
        ),
        _shaped(
            lambda shape: shape[1:],
            "The sum runs over the first axis: the classes are the last one.",
        ),
        _shaped(
            lambda shape: (*shape[:-1], 1),
            "The axis of the classes is still there, with length 1: it should be gone.",
        ),
        Case(
            lambda tried: bool(misshapen(tried)),
            lambda tried: f"The last axis alone should go away, but {misshapen(tried)[0]}.",
        ),
    )


def _mean_classes(rule: Rule) -> Rule:
    return lambda p, q: rule(p, q) / p.shape[-1]


def _scaled(factor: float, rule: Rule) -> Rule:
    return lambda p, q: factor * rule(p, q)


def _jensen_shannon(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    middle = 0.5 * (p + q)
    return 0.5 * (_forward(p, middle) + _forward(q, middle))


def _backward(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return _forward(q, p)


def _quadratic_form(share: float) -> Rule:
    """Return δᵀIδ with the Fisher matrix at this share of the way from p to q."""
    return _over_classes(lambda p, q: (p - q) ** 2 / (p + share * (q - p)))


def _rule_cases() -> tuple[Case, ...]:
    """Return the cases of a right shape and a wrong sum."""
    from_nats = 1.0 / np.log(2.0), 1.0 / np.log(10.0)
    return (
        _like(_sum_of_both, text="This is the sum of the two directions; asked for is their average."),
        _like(_forward, text="This is KL(p‖q) alone; asked for is the average with the other direction."),
        _like(
            _backward, text="This is KL(q‖p) alone; asked for is the average with the direction from p to q."
        ),
        _like(
            _scaled(0.5, _forward),
            _scaled(0.5, _backward),
            text="This is one half of a single direction: the other one is missing.",
        ),
        _like(
            lambda p, q: _forward(p, q) + 0.5 * _backward(p, q),
            lambda p, q: 0.5 * _forward(p, q) + _backward(p, q),
            text="Only one of the two directions has been halved: put their sum in parentheses.",
        ),
        _like(
            *(_scaled(factor, rule) for factor in from_nats for rule in (_exact, _sum_of_both)),
            text="The logarithm is not the natural one: a KL in nats has np.log, not log2 or log10.",
        ),
        _like(
            _scaled(-1.0, _exact),
            _scaled(-1.0, _sum_of_both),
            _scaled(-1.0, _forward),
            _scaled(-1.0, _backward),
            text="The sign is flipped: a KL is never negative. Which one stands above in the ratio?",
        ),
        _like(
            *(_scaled(f, lambda p, q: _forward(p, q) - _backward(p, q)) for f in (0.5, 1.0, -0.5, -1.0)),
            text="The two directions have been subtracted, or both have the same ratio in the logarithm: in "
            "KL(q‖p) it is turned over.",
        ),
        _like(
            *(_mean_classes(rule) for rule in (_exact, _sum_of_both, _forward, _backward)),
            text="This is a mean over the classes: the expectation has its weights already, so the classes "
            "are summed.",
        ),
        _like(
            *(_scaled(f, _over_classes(lambda p, q: (p + q) * np.abs(_log_ratio(p, q)))) for f in (0.5, 1.0)),
            _over_classes(lambda p, q: p * np.abs(_log_ratio(p, q))),
            text="An absolute value has slipped in: the terms of a KL have both signs, and only their sum is "
            "never negative.",
        ),
        _like(
            *(_scaled(f, _over_classes(lambda p, q: np.abs(p - q))) for f in (0.5, 1.0)),
            text="This is the total variation, or twice it: the logarithm is missing.",
        ),
        _like(
            *(_scaled(f, _over_classes(_log_ratio)) for f in (1.0, 0.5, -1.0)),
            text="The logarithms have no weights: each is expected under the distribution that stands in "
            "front.",
        ),
        _like(
            _jensen_shannon,
            _scaled(2.0, _jensen_shannon),
            text="This is the Jensen–Shannon divergence, which compares p and q with their mixture; here "
            "they are compared with each other.",
        ),
        _like(
            _over_classes(lambda p, q: -0.5 * (p * np.log(q) + q * np.log(p))),
            _over_classes(lambda p, q: -(p * np.log(q) + q * np.log(p))),
            text="These are the cross-entropies: at p = q they are not zero. What has to be taken off?",
        ),
        _like(
            *(_scaled(f, _quadratic_form(at)) for f in (0.5, 1.0) for at in (0.0, 0.5, 1.0)),
            text="This is a quadratic form; asked for are the exact divergences, which it approximates up "
            "close.",
        ),
        _like(
            lambda p, q: np.sqrt(_exact(p, q)),
            lambda p, q: np.sqrt(_sum_of_both(p, q)),
            text="A root has been taken: asked for is the divergence, not a length.",
        ),
        _like(
            lambda p, q: np.sqrt(_forward(p, q) * _backward(p, q)),
            lambda p, q: np.maximum(_forward(p, q), _backward(p, q)),
            lambda p, q: np.minimum(_forward(p, q), _backward(p, q)),
            text="Another mean of the two directions, or one of them picked out: asked for is the plain "
            "average.",
        ),
    )


def _both_directions() -> Exercise:
    rounding = 1e-14  # of two sums that cancel, absolute

    def right(tried: _Tried) -> bool:
        return _same(tried, _exact, (*_GENERIC, "rare")) and _same(tried, _exact, ("same", "near"), rounding)

    def finite(tried: _Tried, *names: str) -> bool:
        return all(np.all(np.isfinite(tried.values[name])) for name in names)

    def lost_digits(tried: _Tried) -> bool:
        return not agrees(tried.values["near"], _exact(*_TABLES["near"]), 1e-6)

    return Exercise(
        key="03.2",
        title="Both directions at once",
        expects="the average, computed from p and q,",
        read=_try,
        correct=lambda tried: right(tried) and not tried.changed,
        why="This is half the Jeffreys divergence: it does not matter any more which distribution comes "
        "first, and a class adds something wherever the two differ, never less than nothing.",
        near_misses=(
            Case(
                lambda tried: tried.changed,
                "It changes p or q itself, so that the next call meets other numbers: work on new arrays, as "
                "in a = a - b instead of a -= b.",
            ),
            *_shape_cases(),
            *_rule_cases(),
            Case(
                lambda tried: not finite(tried, *_GENERIC),
                "Some values are nan or infinite: a logarithm, a root or a division has left its domain.",
            ),
            Case(
                lambda tried: _same(tried, _exact, _GENERIC) and not _same(tried, _exact, ("rare",)),
                "Right where every class is common, wrong where one is very rare: has something been "
                "clipped, or a small number added?",
            ),
            Case(
                lambda tried: _same(tried, _exact, _GENERIC),
                "Right where p and q are far apart, wrong where they nearly agree: what should remain at "
                "p = q?",
            ),
            Case(
                lambda tried: any(_same(tried, _exact, (name,)) for name in _GENERIC),
                "Right for some arrays and wrong for others: is a number of classes or of rows fixed in it, "
                "or a row used twice?",
            ),
            Case(
                lambda tried: not agrees(tried.values["small"], tried.values["swapped"], 1e-6),
                "It changes when p and q change places; the average of both directions does not.",
            ),
            Case(
                lambda tried: any(np.any(tried.values[name] < 0.0) for name in _GENERIC),
                "Some values are negative; neither direction of a KL is.",
            ),
        ),
        otherwise="The values differ: write KL(p‖q) as a sum over the classes, turn p and q over for the "
        "other direction, and take the average.",
        remarks=(
            Case(
                lost_digits,
                "One remark: where p and q nearly agree, two sums are formed that nearly cancel, and digits "
                "are lost; (p − q)·log(p/q), summed once, keeps them.",
            ),
        ),
    )


# -- 03.3 --------------------------------------------------------------------------------------------------


def _radius() -> Exercise:
    epsilon = 0.045  # so that no two of the mistakes below have the same digits
    wanted = np.sqrt(2.0 * epsilon)

    return Exercise(
        key="03.3",
        title="The radius of a KL ball",
        expects=_NUMBER,
        read=read_number,
        correct=close_to(wanted),
        why="A divergence is a squared length: a budget of KL four times as large reaches only twice as far.",
        near_misses=(
            Case(lambda value: value <= 0.0, "A radius is positive."),
            near_miss(
                epsilon, "This is the divergence itself: a radius is a length, and KL goes with its square."
            ),
            near_miss(
                np.sqrt(epsilon),
                "A factor is missing: KL is not the squared length itself. What stands in front of the form?",
            ),
            near_miss(wanted**2, "This is the square of the radius: a root is still to be taken."),
            near_miss(0.5 * epsilon, "The divergence has been halved, and no root been taken."),
            near_miss(
                np.sqrt(0.5 * epsilon),
                "The ½ is on the wrong side: solve for the length once more.",
            ),
            *(
                near_miss(value, "The factor belongs under the root together with the divergence, once.")
                for value in (np.sqrt(2.0) * epsilon, 2.0 * np.sqrt(epsilon))
            ),
            near_miss(2.0 * wanted, "This is twice the radius."),
            *(
                near_miss(value, "A square has been taken where the root belongs.")
                for value in (epsilon**2, 0.5 * epsilon**2, 2.0 * epsilon**2, 4.0 * epsilon**2)
            ),
            *(
                near_miss(value, "Bits and nats have been mixed up: the divergence is in nats already.")
                for value in (wanted * np.sqrt(np.log(2.0)), wanted / np.sqrt(np.log(2.0)))
            ),
            rounded(wanted),
        ),
        otherwise="Up close KL is a quadratic form of the step, and the same form without its factor is the "
        "squared length. Put the two side by side and solve for the length.",
    )


# -- 03.4 --------------------------------------------------------------------------------------------------


def _natural_gradient() -> Exercise:
    q, gradient = Normal(1.3, 0.7), np.array([0.4, -1.2])
    fisher = q.fisher()
    of_mean, of_std = np.diag(fisher)
    wanted = np.linalg.solve(fisher, gradient)
    size = np.linalg.norm(wanted), np.sqrt(wanted @ fisher @ wanted)
    std = float(q.std)

    def read(answer: Any) -> np.ndarray:
        """Return the pair, also from a row or a column."""
        array = read_array(answer, "the pair (of the mean, of the std)", ((2,), (2, 1), (1, 2), (2, 2)))
        if array.shape == (2, 2):
            raise NotYet(
                "This is a matrix: a natural gradient has one entry for each coordinate. Arrays are "
                "multiplied as matrices with @, not with *."
            )
        return array.ravel()

    def entry(index: int) -> Callable[[np.ndarray], bool]:
        return lambda value: agrees(value[index], wanted[index], NEAR)

    def same_direction(value: np.ndarray) -> bool:
        largest = np.max(np.abs(value))
        return bool(largest > 0.0) and agrees(value / largest, wanted / np.max(np.abs(wanted)), NEAR)

    return Exercise(
        key="03.4",
        title="The natural gradient",
        expects="the pair of numbers",
        read=read,
        correct=close_to(wanted),
        why="To the ordinary gradient the std seems to matter three times as much as the mean; per step of "
        "equal KL it is only about twice as much, and the direction turns.",
        near_misses=(
            near_miss(gradient, "This is the ordinary gradient itself: the metric has not been used."),
            near_miss(
                fisher @ gradient,
                "The Fisher matrix has been multiplied in: where the same step changes q much, the natural "
                "gradient is to be short, not long.",
            ),
            near_miss(-fisher @ gradient, "Both the sign and the side of the Fisher matrix are wrong."),
            near_miss(
                -wanted,
                "The sign is flipped: this is the direction of descent; a gradient points where the loss "
                "grows.",
            ),
            near_miss(
                wanted / size[0],
                "The direction is right, the size is not: this has been made one unit long in the Euclidean "
                "sense.",
            ),
            near_miss(
                wanted / size[1],
                "The direction is right, the size is not: this has been made one unit long in the Fisher "
                "metric.",
            ),
            near_miss(
                gradient / np.linalg.norm(gradient),
                "This is the ordinary gradient made one unit long: the metric has not been used.",
            ),
            near_miss(
                std**2 * gradient,
                "A factor is missing in the second entry: the metric weighs dmean² and dstd² differently.",
            ),
            near_miss(
                std**2 * gradient * (1.0, 2.0),
                "The factor of the std is on the wrong side: a step of the std is easier to tell than one of "
                "the mean, so its entry shrinks more.",
            ),
            near_miss(
                std**2 * gradient * (0.5, 1.0),
                "The factor of the metric has gone to the wrong entry: which of dmean² and dstd² has it?",
            ),
            near_miss(
                gradient * std * (1.0, 0.5),
                "You used the std where the variance belongs: the metric is quadratic.",
            ),
            near_miss(
                gradient / np.sqrt((of_mean, of_std)),
                "This divides by the root of the Fisher matrix: the gradient in units of the metric, but not "
                "yet a step in (mean, std).",
            ),
            near_miss(
                gradient / np.square((of_mean, of_std)),
                "The Fisher matrix has been divided by twice.",
            ),
            near_miss(
                gradient * (std**2, 2.0 * std**4),
                "The second entry has the Fisher information of the variance; the coordinates are mean and "
                "std.",
            ),
            near_miss(
                gradient * (std**2, 0.5),
                "The second entry has the Fisher information of the logarithm of the std; the coordinates "
                "are mean and std.",
            ),
            near_miss(gradient * (1.0, 0.5), "This is the ruler at std 1: the Fisher matrix is that at q."),
            near_miss(
                gradient * float(q.mean) ** 2 * (1.0, 0.5),
                "The mean has been taken for the std.",
            ),
            near_miss(wanted[::-1], "The entries are swapped: the mean comes first, then the std."),
            near_miss(
                np.abs(wanted),
                "A sign is lost: the natural gradient and the ordinary one agree in the signs of the entries "
                "here.",
            ),
            rounded(wanted),
            Case(same_direction, "The direction is right, the size is not."),
            Case(
                entry(0),
                "The first entry is right, the second is not yet: what does the Fisher matrix of a normal "
                "have there?",
            ),
            Case(
                entry(1),
                "The second entry is right, the first is not yet: what does the Fisher matrix of a normal "
                "have there?",
            ),
        ),
        otherwise="Write down the Fisher matrix of a normal in (mean, std), put in the std of q, and solve "
        "I·x = ∇L: np.linalg.solve does it.",
    )


# -- 03.5 --------------------------------------------------------------------------------------------------

_LETTERS = "abcde"


def _orders() -> Exercise:
    wanted = frozenset("de")

    missing = "Nothing wrong is chosen, but something is missing:"
    return Exercise(
        key="03.5",
        title="The order of the error",
        expects='the letters, as one text such as "abc",',
        read=lambda answer: read_choices(answer, _LETTERS),
        correct=lambda chosen: chosen == wanted,
        why="Both terms of these differences stay as they are when p and q change places, and so no odd "
        "order of the step is left about their midpoint: the third goes, and the fourth comes first.",
        near_misses=(
            Case(
                lambda chosen: chosen == frozenset(_LETTERS),
                "Not all of them: halve the step and see by which factor each error shrinks.",
            ),
            Case(
                lambda chosen: chosen == frozenset(_LETTERS) - wanted,
                "Read the question once more: these are the ones where the third order stays.",
            ),
            Case(
                has("a"),
                "Look again at KL(p‖q) alone: let only the std change and expand log(std_q/std_p) and "
                "1/std_q² to third order. Do the cubes cancel?",
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
            Case(
                lambda chosen: chosen == frozenset("e"),
                f"{missing} is there a place for the matrix that favours neither p nor q?",
            ),
        ),
        otherwise=f"{missing} the average of both directions favours neither end. Which length from p to q "
        "does not either?",
    )


EXERCISES = (_prediction(), _both_directions(), _radius(), _natural_gradient(), _orders())
