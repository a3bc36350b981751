"""Exercises of lecture 02: the information of draws and of a regression, its coordinates and its loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit

from igviz.exercises.checker import NEAR, TOLERANCE, Case, NotYet, agrees, has, read_array
from igviz.exercises.forms import (
    ROUNDED,
    Rule,
    Tried,
    changes,
    function,
    letters,
    not_finite,
    number,
    whole_number,
)
from igviz.geometry.families.bernoulli import Bernoulli
from igviz.geometry.families.normal import Normal

# -- 02.1 --------------------------------------------------------------------------------------------------

_N, _P = 50, 0.2
_ONE = float(Bernoulli(_P).fisher()[0, 0])
_SPREAD = _P * (1.0 - _P)  # the variance of the outcome

draws = number(
    "02.1",
    "The information of n draws",
    _N * _ONE,
    why="Independent draws add their information, and a draw tells more about p where its variance is "
    "small: next to a sure outcome a step of p is easy to see.",
    wrong=[
        Case(
            lambda value: value <= 0.0,
            "Information is positive: it is minus the expected second derivative of the log-likelihood, "
            "or the expected square of the score.",
        ),
        (_ONE, "This is the information of one draw; that of independent draws adds up."),
        (
            [_N * _SPREAD, _SPREAD],
            "This is the variance of the outcome, which is the information in the logit. Asked for "
            "is the information in p: which way does the change of coordinates turn it?",
        ),
        (
            1.0 / (_N * _ONE),
            "This is upside down: it is the bound on the variance of an estimate of p, not the information.",
        ),
        (
            1.0 / np.sqrt(_N * _ONE),
            "This is the standard error of an estimate of p; the information is one over its square.",
        ),
        (np.sqrt(_N * _ONE), "This is the root of the information."),
        (
            [_N**2 * _ONE, _N**2 * _SPREAD],
            "The number of draws enters once, not squared: the draws' information adds.",
        ),
        (
            [_N / np.sqrt(_SPREAD), 1.0 / np.sqrt(_SPREAD)],
            "You used the std of the outcome where its variance belongs.",
        ),
        (
            [scale / chance for scale in (1.0, _N) for chance in (_P, 1.0 - _P, _P**2, (1.0 - _P) ** 2)],
            "Only one of the two outcomes has been counted: the expectation runs over 0 and 1, each "
            "with its probability.",
        ),
    ],
    otherwise="Write down the log-probability of one outcome, differentiate it by p, and take the "
    "expectation of the square over the two outcomes; then count the draws.",
)

# -- 02.2 --------------------------------------------------------------------------------------------------


def _designs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return (X, theta) by what they test; the first is small enough to be shown whole."""
    rng, wide = np.random.default_rng(2), np.array([24.0, 31.0])

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
        "large": (np.array(overflowing), wide),  # |Xθ| up to 770
        "sure": (np.array([[1.6, 0.1], [-0.2, 1.4], [0.5, 1.0]]), wide),  # Xθ about 40: p rounds to 1
    }


_DESIGNS = _designs()
_TELLING = ("small", "tall", "one column", "one row")  # where hardly another rule agrees with the right one


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


def _misshapen(tried: Tried) -> str:
    """Return what to say of the first wrong shape, if there is one."""
    pairs = ((X.shape, tried.values[name].shape) for name, (X, _) in _DESIGNS.items())
    wrong = (f"for X of shape {X} it returns shape {got}." for X, got in pairs if got != (X[1], X[1]))
    start = "The result should have a row and a column for each parameter, but "
    return next((start + one for one in wrong), "")


logistic = function(
    "02.2",
    "The Fisher matrix of logistic regression",
    _exact,
    _DESIGNS,
    expects="the matrix, computed from X and theta,",
    advice=_advice,
    limits=("wide", "one row", "large", "sure"),
    faults=[
        changes("X or theta", "X * w instead of X *= w"),
        Case(
            lambda tried: tried.warned and tried.same(_exact),
            "Every value is right, but NumPy warns on the way: where |Xθ| is in the hundreds an "
            "exponential overflows. With which sign of the exponent can it not?",
        ),
    ],
    why="No outcome y was needed: the expectation over the model's own outcomes leaves their variances, "
    "and these weigh the rows.",
    wrong=[
        Case(lambda tried: bool(_misshapen(tried)), _misshapen),
        (
            lambda x, theta: _exact(x, theta) / len(x),
            "This is the mean over the rows; the data's information is the sum.",
        ),
        (
            [lambda x, theta: -_exact(x, theta), lambda x, theta: -_exact(x, theta) / len(x)],
            "The sign is flipped: this is the Hessian of the log-likelihood, and information is minus "
            "its expectation.",
        ),
        (
            _weighted(np.ones_like),
            "The weights are missing: every row counts alike in XᵀX, but a row tells less the surer its "
            "outcome is.",
        ),
        (
            [_weighted(expit), _weighted(lambda z: expit(-z))],
            "The weight of a row is the probability of one outcome here: how much does a row tell when "
            "that outcome is nearly certain?",
        ),
        (
            _weighted(lambda z: _variance(z) ** 2),
            "Each weight has come in twice: with weights on both sides of the product each must be a "
            "square root.",
        ),
        (
            lambda x, theta: np.diag(np.diag(_exact(x, theta))),
            "Only the diagonal is filled: the off-diagonal entries, which say how the parameters are "
            "confounded, are missing.",
        ),
        (
            lambda x, theta: np.linalg.inv(_exact(x, theta)),
            "This is the inverse: the bound on the covariance of an estimate, not the information.",
        ),
        Case(
            lambda tried: (
                [np.isfinite(tried.values[name]).all() for name in ("small", "large")] == [True, False]
            ),
            "Where |Xθ| is in the hundreds some values are nan or infinite: an exponential overflows. "
            "With which sign of the exponent can it not?",
        ),
        not_finite(),
        Case(
            lambda tried: any(tried.same(_exact, name) for name in _TELLING),
            "Right for some designs and wrong for others: is a number of rows or columns fixed in it, or "
            "a row used twice?",
        ),
    ],
    otherwise="The values differ: write down the score of one row, take the expectation of its outer "
    "product over y = 0 and y = 1, and add the rows.",
    remarks=[
        Case(
            lambda tried: not tried.same(_exact, "sure", relative=TOLERANCE, absolute=0.0),
            "One remark: where Xθ is above 37, p rounds to 1, and 1 − p to 0 with all that the row "
            "tells; computed as sigmoid(−Xθ) it keeps its digits.",
        ),
    ],
)

# -- 02.3 --------------------------------------------------------------------------------------------------

_STD = 0.7
_OF_MEAN, _OF_STD = np.diag(Normal(1.3, _STD).fisher())
_JACOBIAN = _STD  # of std by log std
_OF_LOG = _OF_STD * _JACOBIAN**2


def _read_diagonal(answer: Any) -> np.ndarray:
    """Return the diagonal entries, of a pair or of a whole matrix."""
    shapes = ((2,), (2, 1), (1, 2), (2, 2))
    array = read_array(answer, "the pair of diagonal entries or the whole matrix", shapes)
    if array.shape != (2, 2):
        return array.ravel()
    if not agrees(array, np.diag(np.diag(array)), 0.0, TOLERANCE):
        raise NotYet(
            "There are off-diagonal entries: each new coordinate is a function of one old one, so nothing "
            "mixes."
        )
    return np.diag(array)


def _right_are(*wanted: bool) -> Callable[[np.ndarray], bool]:
    """Return the test whether just these of the two entries are right."""
    return lambda value: tuple(np.isclose(value, (_OF_MEAN, _OF_LOG), NEAR, 0.0)) == wanted


coordinates = number(
    "02.3",
    "A change of coordinates",
    (_OF_MEAN, _OF_LOG),
    expects="the pair of diagonal entries, or the matrix,",
    read=_read_diagonal,
    why="In log std the second entry is the same at every normal: equal steps of log std are equally "
    "easy to see at every scale.",
    wrong=[
        Case(
            lambda value: bool(np.any(value <= 0.0)),
            "The diagonal entries of a Fisher matrix are positive.",
        ),
        ((_OF_MEAN, _OF_STD), "This is the matrix in the old coordinates (mean, std), not yet changed."),
        (
            (_OF_MEAN, _OF_STD * _JACOBIAN),
            "Multiplied by the Jacobian once: it stands on both sides, JᵀIJ, so it enters squared.",
        ),
        (
            (_OF_MEAN, _OF_STD / _JACOBIAN**2),
            "This divides by the Jacobian where it should multiply: wanted are the derivatives of the old "
            "coordinates by the new ones.",
        ),
        (
            (_OF_MEAN, 1.0 / (2.0 * _STD**4)),
            "The second entry is the one in the variance; asked for is the logarithm of the std.",
        ),
        (
            (_OF_MEAN, 0.5 * _OF_LOG),
            "A factor is missing in the second entry: the metric weighs dmean² and dstd² differently.",
        ),
        (
            (1.0 / _OF_MEAN, 1.0 / _OF_LOG),
            "This is the inverse matrix: the bound on the covariance of an estimate.",
        ),
        (
            (_OF_MEAN * _JACOBIAN**2, _OF_LOG),
            "The first entry has been changed as well: the mean is the same coordinate before and after.",
        ),
        ((_OF_LOG, _OF_MEAN), "The entries are swapped: the mean comes first, then log std."),
        ROUNDED,
        Case(
            _right_are(True, False),
            "The first entry is right, the second is not yet: how does the std change with log std?",
        ),
        Case(
            _right_are(False, True),
            "The second entry is right, the first is not yet: the mean stays as it is.",
        ),
    ],
    otherwise="Start from the matrix in (mean, std), write the old coordinates as functions of the new "
    "ones, differentiate, and form JᵀIJ.",
)

# -- 02.4 --------------------------------------------------------------------------------------------------

observed = letters(
    "02.4",
    "Where observed is expected",
    "ac",
    "abcde",
    expects='the letters of the models, as one text such as "abcde",',
    why="With the canonical link the natural parameter is linear in θ: the data enter the log-likelihood "
    "linearly and drop out of its second derivative.",
    wrong=[
        (
            "abcde",
            "Not all of them: on average over the model's data the two agree always, but at every single "
            "data set they seldom do.",
        ),
        (
            "bde",
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
    ],
    otherwise="Nothing wrong is chosen, but something is missing: in which other model does y multiply θ "
    "linearly in the log-likelihood?",
)

# -- 02.5 --------------------------------------------------------------------------------------------------

_FULL = 100
_SHARE = 2.0 / np.pi  # (2φ(0))², for the sign is a Bernoulli with p = Φ(θ)
_DENSITY = np.sqrt(_SHARE) / 2.0
_SMALLEST = int(np.ceil(_FULL / _SHARE))


def _compare_signs(value: float) -> str:
    side = "less" if value < _SMALLEST else "more"
    return f"That many signs carry {side} than is needed: what share does one sign keep?"


signs = whole_number(
    "02.5",
    "How many signs",
    _SMALLEST,
    why="A sign keeps nearly two thirds of what the number tells about θ near 0: information is lost, "
    "and a little over half as many data again make good for it.",
    few="At least one sign is needed: the answer is a positive number.",
    level="Signs come whole: with this number the two would be level; which whole number is enough?",
    broken="Signs come whole: asked for is the smallest whole number that is enough.",
    wrong=[
        Case(
            lambda value: value == _SMALLEST - 1,
            "That many signs carry a little less than is asked for: keep the digits, and round up.",
        ),
        (_FULL, "Not as many as there are observations: a sign tells less than the number does."),
        (
            _FULL * _SHARE,
            "This is the wrong way round: so many observations are worth a hundred signs. To make good "
            "for the loss, more signs are needed.",
        ),
        (
            2.0 * _FULL,
            "This supposes that a sign keeps one half. Compute the share: the sign is a Bernoulli with "
            "p = Φ(θ).",
        ),
        (
            _FULL / _SHARE**2,
            "The share has been applied twice: information is itself already quadratic in the slope of p.",
        ),
        (
            _FULL / np.sqrt(_SHARE),
            "This is the root of the share: the slope of p enters the information squared.",
        ),
        (
            _FULL / _DENSITY,
            "This takes the density at 0 for the share: square it, and divide by the variance of a "
            "Bernoulli.",
        ),
        (
            _FULL / _DENSITY**2,
            "The variance of the sign is missing: the squared slope of p is divided by it.",
        ),
    ],
    otherwise=_compare_signs,
)

EXERCISES = (draws, logistic, coordinates, observed, signs)
