"""Exercises of lecture 02: the information of draws and of a regression, its coordinates and its loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit

from igviz.exercises.checker import (
    NEAR,
    TOLERANCE,
    Case,
    Exercise,
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
from igviz.geometry.families.bernoulli import Bernoulli
from igviz.geometry.families.normal import Normal

# -- 02.1 --------------------------------------------------------------------------------------------------


def _draws() -> Exercise:
    n, p = 50, 0.2
    one = float(Bernoulli(p).fisher()[0, 0])
    variance = p * (1.0 - p)
    wanted = n * one
    return Exercise(
        key="02.1",
        title="The information of n draws",
        expects="a number (right to 1 part in 1000)",
        read=read_number,
        correct=close_to(wanted),
        why="Independent draws add their information, and a draw tells more about p where its variance is "
        "small: next to a sure outcome a step of p is easy to see.",
        near_misses=(
            Case(
                lambda value: value <= 0.0,
                "Information is positive: it is minus the expected second derivative of the log-likelihood, "
                "or the expected square of the score.",
            ),
            near_miss(one, "This is the information of one draw; that of independent draws adds up."),
            *(
                near_miss(
                    value,
                    "This is the variance of the outcome, which is the information in the logit. Asked for "
                    "is the information in p: which way does the change of coordinates turn it?",
                )
                for value in (n * variance, variance)
            ),
            near_miss(
                1.0 / wanted,
                "This is upside down: it is the bound on the variance of an estimate of p, not the "
                "information.",
            ),
            near_miss(
                1.0 / np.sqrt(wanted),
                "This is the standard error of an estimate of p; the information is one over its square.",
            ),
            near_miss(np.sqrt(wanted), "This is the root of the information."),
            *(
                near_miss(
                    value,
                    "The variance of the outcome has been squared: the score has it below the line, but the "
                    "expectation of the squared score brings one back.",
                )
                for value in (n * variance**2, variance**2, n * one**2, one**2)
            ),
            *(
                near_miss(value, "The number of draws enters once, not squared: the draws' information adds.")
                for value in (n**2 * one, n**2 * variance)
            ),
            *(
                near_miss(value, "You used the std of the outcome where its variance belongs.")
                for value in (n / np.sqrt(variance), 1.0 / np.sqrt(variance))
            ),
            *(
                near_miss(
                    value,
                    "Only one of the two outcomes has been counted: the expectation runs over 0 and 1, each "
                    "with its probability.",
                )
                for value in (n / p, n / (1.0 - p), n / p**2, n / (1.0 - p) ** 2, 1.0 / p, 1.0 / (1.0 - p))
            ),
            near_miss(
                n * (1.0 / p**2 + 1.0 / (1.0 - p) ** 2),
                "Both outcomes have been counted alike: the expectation gives each its probability.",
            ),
            near_miss(n / (p * (1.0 + p)), "A sign has slipped: the probability of 0 is 1 − p."),
            near_miss(4.0 * n, "This is the information at p = ½, where it is smallest."),
            rounded(wanted),
        ),
        otherwise="Write down the log-probability of one outcome, differentiate it by p, and take the "
        "expectation of the square over the two outcomes; then count the draws.",
    )


# -- 02.2 --------------------------------------------------------------------------------------------------

_WIDE_THETA = np.array([24.0, 31.0])


def _designs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return (X, theta) by what they test; the first is small enough to be shown whole."""
    rng = np.random.default_rng(2)

    def generic(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
        return rng.normal(0.3, 1.1, (n, d)), rng.normal(0.2, 0.8, d)

    overflowing = [[31.0, 0.4], [-30.0, -1.6], [1.3, -1.0], [-0.6, 0.5], [0.9, -0.72]]
    return {
        "small": (np.array([[0.8, -1.3], [1.7, 0.4], [-0.6, 2.1]]), np.array([0.9, -0.5])),
        "tall": generic(12, 3),
        "square": generic(3, 3),
        "zero": (generic(6, 2)[0], np.zeros(2)),
        "one column": generic(5, 1),
        "wide": generic(2, 4),
        "one row": generic(1, 3),
        "large": (np.array(overflowing), _WIDE_THETA),  # |Xθ| up to 770
        "sure": (np.array([[1.6, 0.1], [-0.2, 1.4], [0.5, 1.0]]), _WIDE_THETA),  # Xθ about 40: p rounds to 1
    }


_DESIGNS = _designs()
_FULL_RANK = ("small", "tall", "square", "zero", "one column")
_GENERIC = (*_FULL_RANK, "wide", "one row")
_ALL = (*_GENERIC, "large")

Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class _Tried:
    """What the reader's function did on the designs: what it returned, and what happened on the way."""

    values: dict[str, np.ndarray]
    changed: bool
    warned: bool


def _try(answer: Any) -> _Tried:
    watched = Watched(answer)
    values = read_function(watched if callable(answer) else answer, _DESIGNS, any_shape=True, advice=_advice)
    return _Tried(values, watched.changed, watched.warned)


def _advice(error: Exception) -> str:
    """Return what kind of mistake the exception points to."""
    text = str(error)
    if isinstance(error, np.linalg.LinAlgError):
        return "Nothing has to be inverted: the inverse would be the bound on the covariance of an estimate."
    if isinstance(error, OverflowError | FloatingPointError):
        return "The exponential of a large number overflows: with which sign of the exponent can it not?"
    if any(word in text for word in ("scalar", "truth value", "real number")):
        return "X @ theta is an array, one number for each row: NumPy's functions take arrays, math's do not."
    if any(word in text for word in ("mismatch", "aligned", "broadcast", "out of bounds", "dimension")):
        return "Mind the shapes: X has one row for each observation, theta one entry for each column of X."
    return ""


def _weighted(weight: Callable[[np.ndarray], Any]) -> Rule:
    """Return the sum of weight·x xᵀ over the rows, the weight a function of Xθ."""
    return lambda x, theta: (x.T * weight(x @ theta)) @ x


def _variance(z: np.ndarray) -> np.ndarray:
    return np.asarray(expit(z) * expit(-z))


_exact = _weighted(_variance)


def _same(tried: _Tried, rule: Rule, names: tuple[str, ...], relative: float = 1e-6) -> bool:
    """Whether the function does what the rule does on all of these designs."""
    for name in names:
        wanted = rule(*_DESIGNS[name])
        if not agrees(tried.values[name], wanted, 0.0, relative * np.max(np.abs(wanted))):
            return False
    return True


def _like(*rules: Rule, text: str, names: tuple[str, ...] = _GENERIC) -> Case:
    """Return the case of a function that does what one of the rules does."""
    return Case(lambda tried: any(_same(tried, rule, names) for rule in rules), text)


def _shaped(shape: Callable[..., tuple[int, ...]], text: str) -> Case:
    """Return the case of a function whose results have this shape, from the rows and columns of X."""

    def matches(tried: _Tried) -> bool:
        return all(tried.values[name].shape == shape(*_DESIGNS[name][0].shape) for name in _GENERIC)

    return Case(matches, text)


def _shape_cases() -> tuple[Case, ...]:
    def misshapen(tried: _Tried) -> list[str]:
        pairs = ((X.shape, tried.values[name].shape) for name, (X, _) in _DESIGNS.items())
        return [f"for X of shape {X} it returns shape {got}" for X, got in pairs if got != (X[1], X[1])]

    return (
        _shaped(
            lambda n, _: (n, n),
            "This has a row and a column for each observation, as X·Xᵀ has; there should be one of each for "
            "every parameter.",
        ),
        Case(
            lambda tried: all(
                agrees(tried.values[name], np.diag(_exact(*_DESIGNS[name])), 1e-6) for name in _GENERIC
            ),
            "This is the diagonal alone, as a vector: the off-diagonal entries, which say how the parameters "
            "are confounded, are missing.",
        ),
        _shaped(
            lambda _, d: (d,),
            "This is a vector with one entry for each parameter, the shape of a gradient; the information is "
            "a matrix.",
        ),
        _shaped(
            lambda n, _: (n,),
            "This is one number for each row: the weights alone, without the rows of X that they weigh.",
        ),
        _shaped(
            lambda n, d: (n, d, d),
            "This is one matrix for each row: the information of independent rows adds up.",
        ),
        _shaped(
            lambda n, d: (n, d),
            "This has the shape of X itself: each row meets X a second time, and the sum over the rows is "
            "missing.",
        ),
        _shaped(lambda *_: (), "This is a single number: the parameters' information is a matrix."),
        Case(
            lambda tried: bool(misshapen(tried)),
            lambda tried: (
                f"The result should have a row and a column for each parameter, but {misshapen(tried)[0]}."
            ),
        ),
    )


def _weight_cases() -> tuple[Case, ...]:
    """Return the cases of a right shape and a wrong sum."""
    return (
        _like(
            lambda x, theta: _exact(x, theta) / len(x),
            text="This is the mean over the rows; the data's information is the sum.",
        ),
        _like(
            lambda x, theta: _exact(x, theta) * len(x),
            text="The number of rows has been multiplied in, but the sum has already counted them.",
        ),
        _like(
            lambda x, theta: -_exact(x, theta),
            lambda x, theta: -_exact(x, theta) / len(x),
            text="The sign is flipped: this is the Hessian of the log-likelihood, and information is minus "
            "its expectation.",
        ),
        _like(
            _weighted(np.ones_like),
            text="The weights are missing: every row counts alike in XᵀX, but a row tells less the surer its "
            "outcome is.",
        ),
        _like(
            _weighted(lambda z: np.full_like(z, 0.25)),
            text="This has the weight that holds at θ = 0 only: it changes with Xθ.",
        ),
        _like(
            _weighted(expit),
            _weighted(lambda z: expit(-z)),
            text="The weight of a row is the probability of one outcome here: how much does a row tell when "
            "that outcome is nearly certain?",
        ),
        _like(
            _weighted(lambda z: expit(z) ** 2),
            _weighted(lambda z: expit(-z) ** 2),
            _weighted(lambda z: expit(z) * expit(-z) ** 2),
            _weighted(lambda z: expit(-z) * expit(z) ** 2),
            text="Only one of the two outcomes has been counted: the expectation of the squared score runs "
            "over y = 0 and y = 1.",
        ),
        _like(
            _weighted(lambda z: expit(z) ** 2 + expit(-z) ** 2),
            text="Both outcomes have been counted alike: the expectation gives each its probability.",
        ),
        _like(
            _weighted(lambda z: _variance(z) ** 2),
            text="Each weight has come in twice: with weights on both sides of the product each must be a "
            "square root.",
        ),
        _like(
            _weighted(lambda z: np.sqrt(_variance(z))),
            text="The weight is the std of the outcome here: the expectation of the squared score leaves no "
            "root.",
        ),
        _like(
            _weighted(lambda z: z * (1.0 - z)),
            text="The sigmoid is missing: Xθ is the log-odds, not yet the probability.",
        ),
        _like(
            _weighted(np.exp),
            text="These are the weights of a Poisson regression; here the outcome is 0 or 1.",
        ),
        _like(
            lambda x, theta: np.diag(np.diag(_exact(x, theta))),
            text="Only the diagonal is filled: the off-diagonal entries, which say how the parameters are "
            "confounded, are missing.",
        ),
        _like(
            lambda x, theta: np.linalg.inv(_exact(x, theta)),
            text="This is the inverse: the bound on the covariance of an estimate, not the information.",
            names=_FULL_RANK,
        ),
        _like(
            lambda x, theta: np.outer(np.sqrt(_variance(x @ theta)) @ x, np.sqrt(_variance(x @ theta)) @ x),
            lambda x, _: np.outer(x.sum(0), x.sum(0)),
            lambda x, theta: np.outer(_variance(x @ theta) @ x, x.sum(0)),
            text="The sum comes too early: first the product x xᵀ of each row, then the sum over the rows.",
        ),
    )


def _logistic() -> Exercise:
    def right(tried: _Tried) -> bool:
        # of rows as sure as these nearly nothing is left, and a rounded p leaves exactly nothing
        nothing = agrees(tried.values["sure"], np.zeros((2, 2)), absolute=1e-9)
        return _same(tried, _exact, _ALL) and nothing

    def only(*names: str) -> Callable[[_Tried], bool]:
        return lambda tried: _same(tried, _exact, names)

    def finite(tried: _Tried, *names: str) -> bool:
        return all(np.all(np.isfinite(tried.values[name])) for name in names)

    def symmetric(value: np.ndarray) -> bool:
        return agrees(value, value.T, 1e-9, 1e-9 * np.max(np.abs(value)))

    single = ("small", "tall", "one column", "one row")
    return Exercise(
        key="02.2",
        title="The Fisher matrix of logistic regression",
        expects="the matrix, computed from X and theta,",
        read=_try,
        correct=lambda tried: right(tried) and not tried.changed and not tried.warned,
        why="No outcome y was needed: the expectation over the model's own outcomes leaves their variances, "
        "and these weigh the rows.",
        near_misses=(
            Case(
                lambda tried: tried.changed,
                "It changes X or theta itself, so that the next call meets other numbers: work on new "
                "arrays, as in X * w instead of X *= w.",
            ),
            *_shape_cases(),
            *_weight_cases(),
            Case(
                lambda tried: not finite(tried, *_GENERIC),
                "Some values are nan or infinite: a logarithm, a root or a division has left its domain.",
            ),
            Case(
                lambda tried: not finite(tried, *_DESIGNS),
                "Where |Xθ| is in the hundreds some values are nan or infinite: an exponential overflows. "
                "With which sign of the exponent can it not?",
            ),
            Case(
                right,
                "Every value is right, but NumPy warns on the way: where |Xθ| is in the hundreds an "
                "exponential overflows. With which sign of the exponent can it not?",
            ),
            Case(
                only(*_GENERIC),
                "Right where |Xθ| is moderate, wrong where it is in the hundreds or p is nearly sure.",
            ),
            Case(
                only(*_FULL_RANK),
                "Right with at least as many rows as columns, wrong with fewer: is something inverted or cut "
                "off?",
            ),
            Case(
                lambda tried: only("zero")(tried) and not any(only(name)(tried) for name in single),
                "Right at θ = 0 only: how does the weight of a row change with Xθ?",
            ),
            Case(
                lambda tried: any(only(name)(tried) for name in single),
                "Right for some designs and wrong for others: is a number of rows or columns fixed in it, or "
                "a row used twice?",
            ),
            Case(
                lambda tried: not all(symmetric(value) for value in tried.values.values()),
                "It is not symmetric; information is. Are the two factors beside the weights the same X?",
            ),
            Case(
                lambda tried: any(np.any(np.diag(value) < 0.0) for value in tried.values.values()),
                "Some diagonal entries are negative; information is not.",
            ),
        ),
        otherwise="The values differ: write down the score of one row, take the expectation of its outer "
        "product over y = 0 and y = 1, and add the rows.",
        remarks=(
            Case(
                lambda tried: not _same(tried, _exact, ("sure",), TOLERANCE),
                "One remark: where Xθ is above 37, p rounds to 1, and 1 − p to 0 with all that the row "
                "tells; computed as sigmoid(−Xθ) it keeps its digits.",
            ),
        ),
    )


# -- 02.3 --------------------------------------------------------------------------------------------------


def _coordinates() -> Exercise:
    std = 0.7
    of_mean, of_std = np.diag(Normal(1.3, std).fisher())
    jacobian = std  # of std by log std
    wanted = np.array([of_mean, of_std * jacobian**2])

    def read(answer: Any) -> np.ndarray:
        """Return the matrix; a pair is its diagonal."""
        shapes = ((2,), (2, 1), (1, 2), (2, 2))
        array = read_array(answer, "the pair of diagonal entries or the whole matrix", shapes)
        return array if array.shape == (2, 2) else np.diag(array.ravel())

    def miss(first: float, second: float, text: str) -> Case:
        return Case(lambda value: agrees(np.diag(value), (first, second), NEAR), text)

    def entry(index: int) -> Callable[[np.ndarray], bool]:
        return lambda value: agrees(value[index, index], wanted[index], NEAR)

    inverted = (
        "This divides by the Jacobian where it should multiply: wanted are the derivatives of the old "
        "coordinates by the new ones."
    )
    return Exercise(
        key="02.3",
        title="A change of coordinates",
        expects="the pair of diagonal entries, or the matrix,",
        read=read,
        correct=lambda value: agrees(value, np.diag(wanted), absolute=TOLERANCE),
        why="In log std the second entry is the same at every normal: equal steps of log std are equally "
        "easy to see at every scale.",
        near_misses=(
            Case(
                lambda value: bool(np.any(np.diag(value) <= 0.0)),
                "The diagonal entries of a Fisher matrix are positive.",
            ),
            Case(
                lambda value: not agrees(value, value.T, NEAR, NEAR),
                "This matrix is not symmetric: the Jacobian stands on both sides, once transposed.",
            ),
            Case(
                lambda value: not agrees(value, np.diag(np.diag(value)), 0.0, TOLERANCE),
                "There are off-diagonal entries: each new coordinate is a function of one old one, so "
                "nothing mixes.",
            ),
            miss(of_mean, of_std, "This is the matrix in the old coordinates (mean, std), not yet changed."),
            miss(
                of_mean,
                of_std * jacobian,
                "Multiplied by the Jacobian once: it stands on both sides, JᵀIJ, so it enters squared.",
            ),
            miss(of_mean, of_std / jacobian, f"{inverted} And they enter squared."),
            miss(of_mean, of_std / jacobian**2, inverted),
            miss(
                of_mean,
                1.0 / (2.0 * std**4),
                "The second entry is the one in the variance; asked for is the logarithm of the std.",
            ),
            miss(
                of_mean,
                0.25 * wanted[1],
                "The second entry is the one in the logarithm of the variance; asked for is that of the std.",
            ),
            miss(
                of_mean,
                of_std * np.log(std) ** 2,
                "The log std itself has been used as the Jacobian: it is the derivative of the std by log "
                "std.",
            ),
            miss(
                of_mean,
                0.5 * wanted[1],
                "A factor is missing in the second entry: the metric weighs dmean² and dstd² differently.",
            ),
            miss(
                1.0 / of_mean,
                1.0 / wanted[1],
                "This is the inverse matrix: the bound on the covariance of an estimate.",
            ),
            miss(
                of_mean * jacobian**2,
                wanted[1],
                "The first entry has been changed as well: the mean is the same coordinate before and after.",
            ),
            miss(
                np.sqrt(of_mean),
                wanted[1],
                "The first entry has the std where the variance belongs.",
            ),
            miss(1.0 / of_mean, wanted[1], "The first entry is upside down: it is a variance."),
            miss(wanted[1], of_mean, "The entries are swapped: the mean comes first, then log std."),
            miss(
                wanted[1],
                wanted[1],
                "The entries are not equal: one of them depends on the std, and here it is not 1.",
            ),
            Case(
                lambda value: agrees(np.diag(value), wanted, 2e-2),
                "Very near: carry more digits, one part in 1000 is asked for.",
            ),
            Case(
                entry(0),
                "The first entry is right, the second is not yet: how does the std change with log std?",
            ),
            Case(entry(1), "The second entry is right, the first is not yet: the mean stays as it is."),
        ),
        otherwise="Start from the matrix in (mean, std), write the old coordinates as functions of the new "
        "ones, differentiate, and form JᵀIJ.",
    )


# -- 02.4 --------------------------------------------------------------------------------------------------

_LETTERS = "abcde"


def _observed() -> Exercise:
    wanted, fails = frozenset("ac"), frozenset("bde")

    return Exercise(
        key="02.4",
        title="Where observed is expected",
        expects='the letters of the models, as one text such as "abcde",',
        read=lambda answer: read_choices(answer, _LETTERS),
        correct=lambda chosen: chosen == wanted,
        why="With the canonical link the natural parameter is linear in θ: the data enter the log-likelihood "
        "linearly and drop out of its second derivative.",
        near_misses=(
            Case(
                lambda chosen: chosen == frozenset(_LETTERS),
                "Not all of them: on average over the model's data the two agree always, but at every single "
                "data set they seldom do.",
            ),
            Case(
                lambda chosen: chosen == fails,
                "Read the question once more: it asks where the data drop out of the second derivative, not "
                "where they stay.",
            ),
            Case(
                has("b"),
                "Look again at the Cauchy: a location is no natural parameter of it. Differentiate "
                "−log(1 + (x − θ)²) twice: does x drop out?",
            ),
            Case(
                has("d"),
                "Look again at the probit: Φ is not the inverse of the canonical link. "
                "Differentiate log Φ(θ) and log Φ(−θ) twice: are the two the same?",
            ),
            Case(
                has("e"),
                "Look again at the identity link: it is not the canonical one of the Poisson. Differentiate "
                "y·log(xθ) − xθ twice: does y drop out?",
            ),
        ),
        otherwise="Nothing wrong is chosen, but something is missing: in which other model does y multiply θ "
        "linearly in the log-likelihood?",
    )


# -- 02.5 --------------------------------------------------------------------------------------------------


def _signs() -> Exercise:
    full = 100
    share = 2.0 / np.pi  # (2φ(0))², for the sign is a Bernoulli with p = Φ(θ)
    smallest = int(np.ceil(full / share))
    density = np.sqrt(share) / 2.0

    def around(root: float, text: str) -> Case:
        return Case(lambda value: abs(value - root) <= 1.0, text)

    def compare(value: float) -> str:
        side = "less" if value < smallest else "more"
        return f"That many signs carry {side} than is needed: what share does one sign keep?"

    return Exercise(
        key="02.5",
        title="How many signs",
        expects="a whole number",
        read=read_number,
        correct=lambda value: value == smallest,
        why="A sign keeps nearly two thirds of what the number tells about θ near 0: information is lost, "
        "and a little over half as many data again make good for it.",
        near_misses=(
            Case(lambda value: value < 1.0, "At least one sign is needed: the answer is a positive number."),
            Case(
                lambda value: value != round(value) and smallest - 1 < value < smallest,
                "Signs come whole: with this number the two would be level; which whole number is enough?",
            ),
            Case(
                lambda value: value == smallest - 1,
                "That many signs carry a little less than is asked for: keep the digits, and round up.",
            ),
            around(full, "Not as many as there are observations: a sign tells less than the number does."),
            around(
                full * share,
                "This is the wrong way round: so many observations are worth a hundred signs. To make good "
                "for the loss, more signs are needed.",
            ),
            around(
                2.0 * full,
                "This supposes that a sign keeps one half. Compute the share: the sign is a Bernoulli with "
                "p = Φ(θ).",
            ),
            around(
                2.0 * full / share,
                "A factor is lost: put the density at 0, 1/√(2π), and the variance of the sign in once more.",
            ),
            around(
                full / share**2,
                "The share has been applied twice: information is itself already quadratic in the slope of "
                "p.",
            ),
            around(
                full / np.sqrt(share),
                "This is the root of the share: the slope of p enters the information squared.",
            ),
            around(
                full / density,
                "This takes the density at 0 for the share: square it, and divide by the variance of a "
                "Bernoulli.",
            ),
            around(
                full / density**2,
                "The variance of the sign is missing: the squared slope of p is divided by it.",
            ),
            Case(
                lambda value: value != round(value),
                "Signs come whole: asked for is the smallest whole number that is enough.",
            ),
        ),
        otherwise=compare,
    )


EXERCISES = (_draws(), _logistic(), _coordinates(), _observed(), _signs())
