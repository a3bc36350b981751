"""The exercises of lecture 02: stub, solution, the mistakes one makes, and what is no answer at all."""

from __future__ import annotations

import functools
import math
import re

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import expit, logsumexp
from scipy.stats import binom, norm

import igviz as ig
from igviz.exercises import fisher_information as lecture

KEYS = [exercise.key for exercise in lecture.EXERCISES]
N, P, STD = 50, 0.2, 0.7


def right(X, theta):
    """The solution as in the notebook."""
    decay = np.exp(-np.abs(X @ theta))
    return (X.T * decay / (1 + decay) ** 2) @ X


SOLUTIONS = {
    "02.1": N / (P * (1 - P)),
    "02.2": right,
    "02.3": (1 / STD**2, 2.0),
    "02.4": "ac",
    "02.5": math.ceil(100 * math.pi / 2),
}
# how the right answers may be written
WRITTEN = {
    "02.1": r"31[23](\.\d*)?|p\s*[·*]?\s*\(1 − p\)",
    "02.2": r"expit|tanh|p\s*[·*]?\s*\(1 − p\)|Xᵀ\s*diag",
    "02.3": r"2(\.0*)?|two|2\.04\d*|1/std²|2\.1|std²·",
    "02.4": r"\W?a, ?c\W?|ac|logistic|log link|\(a\)|\(c\)|Bernoulli",
    "02.5": r"158(\.0*)?|157(\.\d*)?|π/2|2/π|1\.57\d*|0?\.63\d*|0?\.64",
}


def said(key, answer):
    return repr(ig.check(key, answer))


def assert_nothing_given_away(key, text):
    text = text.removeprefix(key)
    assert not re.search(rf"(?<![\w.])({WRITTEN[key]})(?![\w.]*\d)(?!\w)", text), text


def test_the_keys():
    assert " ".join(KEYS) == "02.1 02.2 02.3 02.4 02.5"
    assert set(SOLUTIONS) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_stub(key):
    text = said(key, ...)
    assert text.startswith(f"{key} not answered yet: put ")
    assert_nothing_given_away(key, text)


def test_the_stub_of_the_function():
    def answer_2(X, theta):
        return ...

    assert said("02.2", answer_2).startswith("02.2 not answered yet: ")


@pytest.mark.parametrize("key", KEYS)
def test_the_solution(key):
    feedback = ig.check(key, SOLUTIONS[key])
    assert feedback.correct
    assert repr(feedback).startswith(f"{key} correct: ")
    assert "One remark" not in repr(feedback)


# -- the right answers, from elsewhere ---------------------------------------------------------------------


def test_the_information_of_the_draws_from_sums_and_by_hand():
    k = np.arange(N + 1)
    score = k / P - (N - k) / (1 - P)
    np.testing.assert_allclose(binom.pmf(k, N, P) @ score**2, SOLUTIONS["02.1"])
    p, y = sympy.symbols("p y")
    minus_hessian = -sympy.diff(y * sympy.log(p) + (1 - y) * sympy.log(1 - p), p, 2)
    expected = sum(chance * minus_hessian.subs(y, value) for value, chance in ((0, 1 - p), (1, p)))
    exact = N * expected.subs(p, sympy.Rational(1, 5))
    assert exact == sympy.Rational(625, 2)
    assert ig.check("02.1", exact).correct
    assert ig.check("02.1", N * ig.Bernoulli(P).fisher()).correct


@pytest.mark.parametrize("name", [name for name in lecture._DESIGNS if name not in ("large", "sure")])
def test_the_matrix_of_the_regression_is_the_expectation_over_every_data_set(name):
    X, theta = lecture._DESIGNS[name]
    X = X[:6]
    n = len(X)
    outcomes = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    z = X @ theta
    log_chance = outcomes @ z - np.logaddexp(0, z).sum()
    np.testing.assert_allclose(logsumexp(log_chance), 0, atol=1e-12)
    score = (outcomes - expit(z)) @ X
    expected = np.einsum("s,si,sj->ij", np.exp(log_chance), score, score)
    np.testing.assert_allclose(right(X, theta), expected, atol=1e-10)
    np.testing.assert_allclose(lecture._exact(X, theta), expected, atol=1e-10)


def test_the_matrix_in_new_coordinates_from_quadrature():
    mean, step = 1.3, 1e-5
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)

    def log_density(mean, log_std):
        return norm.logpdf(1.3 + STD * nodes, mean, np.exp(log_std))

    at = np.array([mean, np.log(STD)])
    scores = [(log_density(*(at + step * e)) - log_density(*(at - step * e))) / (2 * step) for e in np.eye(2)]
    matrix = np.einsum("x,ix,jx->ij", weights / weights.sum(), scores, scores)
    np.testing.assert_allclose(matrix, np.diag(SOLUTIONS["02.3"]), atol=1e-7)
    assert ig.check("02.3", matrix).correct


def models():
    """Return from a letter to log-likelihood of one datum, and data of it with their probabilities."""
    y, t, x = sympy.symbols("y theta x", real=True)
    cdf = (1 + sympy.erf(x * t / sympy.sqrt(2))) / 2
    logistic = y * x * t - sympy.log(1 + sympy.exp(x * t))
    normalised = {
        "a": logistic,
        "b": -sympy.log(sympy.pi * (1 + (y - t) ** 2)),
        "c": y * x * t - sympy.exp(x * t) - sympy.loggamma(y + 1),
        "d": y * sympy.log(cdf) + (1 - y) * sympy.log(1 - cdf),
        "e": y * sympy.log(x * t) - x * t - sympy.loggamma(y + 1),
    }
    angles = (np.arange(400) + 0.5) / 400 * np.pi - np.pi / 2
    binary, counts = np.arange(2), np.arange(120)
    data = {"a": binary, "d": binary, "c": counts, "e": counts, "b": 0.65 + np.tan(angles)}
    return y, t, x, normalised, data


@pytest.mark.parametrize("letter", "abcde")
def test_where_observed_is_expected(letter):
    y, t, x, normalised, data = models()
    point = {t: 0.65, x: 1.4}
    observed = -sympy.diff(normalised[letter], t, 2)
    values = sympy.lambdify(y, observed.subs(point), "scipy")(data[letter]) + np.zeros(len(data[letter]))
    if letter == "b":
        chances = np.full(400, 1 / 400)
    else:
        chances = np.exp(sympy.lambdify(y, normalised[letter].subs(point), "scipy")(data[letter]))
    np.testing.assert_allclose(chances.sum(), 1, atol=1e-12)
    score = sympy.lambdify(y, sympy.diff(normalised[letter], t).subs(point), "scipy")(data[letter])
    expected = chances @ values
    np.testing.assert_allclose(expected, chances @ score**2, rtol=1e-9)  # both forms of the information
    if letter in SOLUTIONS["02.4"]:
        assert y not in sympy.simplify(observed).free_symbols
        np.testing.assert_allclose(values, expected, rtol=1e-9)
    else:
        assert np.ptp(values) > 0.1 * expected


def test_the_observed_matrix_of_data_by_differences():
    """The same for regressions with several rows, from differences of the log-likelihood alone."""
    rng = np.random.default_rng(5)
    X, theta = rng.uniform(0.3, 1.5, (6, 2)), np.array([0.5, 0.8])
    likelihoods = {
        "a": lambda y, t: y @ X @ t - np.logaddexp(0, X @ t).sum(),
        "b": lambda y, t: -np.log1p((y - X @ t) ** 2).sum(),
        "c": lambda y, t: y @ X @ t - np.exp(X @ t).sum(),
        "d": lambda y, t: y @ norm.logcdf(X @ t) + (1 - y) @ norm.logsf(X @ t),
        "e": lambda y, t: y @ np.log(X @ t) - (X @ t).sum(),
    }

    def observed(likelihood, y):
        h = 1e-3 * np.eye(2)
        return -np.array(
            [
                [
                    sum(s * r * likelihood(y, theta + s * h[i] + r * h[j]) for s in (1, -1) for r in (1, -1))
                    for j in range(2)
                ]
                for i in range(2)
            ]
        ) / (4e-6)

    one, other = np.array([0, 1, 1, 0, 1, 0.0]), np.array([1, 1, 0, 0, 0, 1.0])
    for letter, likelihood in likelihoods.items():
        apart = np.abs(observed(likelihood, one) - observed(likelihood, other)).max()
        assert (apart < 1e-6) == (letter in SOLUTIONS["02.4"]), (letter, apart)
        assert apart < 1e-6 or apart > 1e-2, letter


def test_the_share_that_a_sign_keeps():
    t = sympy.symbols("t", real=True)
    p = (1 + sympy.erf(t / sympy.sqrt(2))) / 2
    share = float((sympy.diff(p, t) ** 2 / (p * (1 - p))).subs(t, 0))
    n = SOLUTIONS["02.5"]
    assert n * share >= 100 > (n - 1) * share
    near = 0.05  # the answer holds near 0, not at 0 alone
    assert n * norm.pdf(near) ** 2 / (norm.cdf(near) * norm.sf(near)) >= 100


# -- right answers in other clothes ------------------------------------------------------------------------

X_SYMBOL = sympy.Symbol("x")


def naive_but_stable(X, theta):
    p = expit(X @ theta)
    return X.T @ np.diag(p * (1 - p)) @ X


def by_tanh(X, theta):
    return (X.T * (1 - np.tanh(X @ theta / 2) ** 2) / 4) @ X


def by_rows(X, theta):
    total = np.zeros((X.shape[1], X.shape[1]))
    for x in X:
        total += expit(x @ theta) * expit(-x @ theta) * np.outer(x, x)
    return total


def over_both_outcomes(X, theta):
    p = expit(X @ theta)
    scores = [(y - p)[:, None] * X for y in (0, 1)]
    return sum((chance[:, None] * s).T @ s for chance, s in zip((1 - p, p), scores, strict=True))


RIGHT = [
    ("02.1", 312.5),
    ("02.1", 312.7),
    ("02.1", sympy.Rational(625, 2)),
    ("02.1", sympy.Float(312.5)),
    ("02.1", sympy.Matrix([[312.5]])),
    ("02.1", np.array([[312.5]])),
    ("02.2", naive_but_stable),
    ("02.2", by_tanh),
    ("02.2", by_rows),
    ("02.2", over_both_outcomes),
    ("02.2", lambda X, theta: right(X, theta).tolist()),
    ("02.2", lambda X, theta: sympy.Matrix(right(X, theta))),
    ("02.2", lambda X, theta: np.einsum("n,ni,nj->ij", expit(X @ theta) * expit(-X @ theta), X, X)),
    ("02.2", functools.partial(lambda scale, X, theta: scale * right(X, theta), 1.0)),
    ("02.3", [2.0408, 2]),
    ("02.3", np.diag([1 / 0.49, 2.0])),
    ("02.3", [[1 / 0.49, 1e-12], [0, 2]]),
    ("02.3", np.array([[1 / 0.49, 2.0]])),
    ("02.3", (sympy.Rational(100, 49), sympy.Integer(2))),
    ("02.3", sympy.Matrix([[sympy.Rational(100, 49), 0], [0, 2]])),
    ("02.3", sympy.Matrix([sympy.Rational(100, 49), 2])),
    ("02.3", sympy.diag(1 / sympy.Float(0.7) ** 2, 2)),
    ("02.4", "CA"),
    ("02.4", "a, c"),
    ("02.4", "(a) and (c)"),
    ("02.4", ["a", "c"]),
    ("02.4", ("c", "a", "a")),
    ("02.4", {"a", "c"}),
    ("02.4", frozenset("ac")),
    ("02.4", np.array(["a", "c"])),
    ("02.4", np.str_("ac")),
    ("02.5", 158.0),
    ("02.5", np.int64(158)),
    ("02.5", sympy.Integer(158)),
    ("02.5", sympy.ceiling(50 * sympy.pi)),
]


@pytest.mark.parametrize(
    ("key", "answer"), RIGHT, ids=lambda part: part if str(part).startswith("02") else ""
)
def test_the_solution_in_other_clothes(key, answer):
    assert ig.check(key, answer).correct


def test_digits_lost_where_the_outcome_is_sure_are_remarked_on_but_right():
    for function in (naive_but_stable, by_tanh):
        assert "One remark: " in said("02.2", function)
    assert "One remark: " not in said("02.2", by_rows)


# -- mistakes ----------------------------------------------------------------------------------------------

I1 = 1 / (P * (1 - P))
NEAR_MISSES = [
    ("02.1", 6.25, "information of one draw"),
    ("02.1", sympy.Rational(25, 4), "information of one draw"),
    ("02.1", 8, "information in the logit"),
    ("02.1", 0.16, "information in the logit"),
    ("02.1", 0.0032, "bound on the variance of an estimate"),
    ("02.1", 0.0032**0.5, "standard error"),
    ("02.1", 312.5**0.5, "root of the information"),
    ("02.1", 1.28, "has been squared"),
    ("02.1", 0.0256, "has been squared"),
    ("02.1", 50 * 6.25**2, "has been squared"),
    ("02.1", 6.25**2, "has been squared"),
    ("02.1", 2500 * 6.25, "enters once, not squared"),
    ("02.1", 2500 * 0.16, "enters once, not squared"),
    ("02.1", 125, "std of the outcome where its variance"),
    ("02.1", 2.5, "std of the outcome where its variance"),
    ("02.1", 250, "Only one of the two outcomes"),
    ("02.1", 62.5, "Only one of the two outcomes"),
    ("02.1", 1250, "Only one of the two outcomes"),
    ("02.1", 50 * (25 + 1 / 0.64), "Both outcomes have been counted alike"),
    ("02.1", 50 / (0.2 * 1.2), "A sign has slipped"),
    ("02.1", 200, "information at p = ½"),
    ("02.1", 310, "carry more digits"),
    ("02.1", -312.5, "Information is positive"),
    ("02.1", 0, "Information is positive"),
    ("02.1", 1000, "Write down the log-probability"),
    ("02.1", 50 / (X_SYMBOL * (1 - X_SYMBOL)), "an expression with x: put in the numbers, with subs"),
    ("02.3", (1 / 0.49, 2 / 0.49), "old coordinates (mean, std), not yet changed"),
    ("02.3", ig.Normal(1.3, 0.7).fisher(), "old coordinates (mean, std), not yet changed"),
    ("02.3", (1 / 0.49, 2 / 0.7), "Multiplied by the Jacobian once"),
    ("02.3", (1 / 0.49, 2 / 0.7**3), "And they enter squared"),
    ("02.3", (1 / 0.49, 2 / 0.7**4), "divides by the Jacobian where it should multiply"),
    ("02.3", sympy.diag(1 / 0.49, 2 / 0.7**4), "divides by the Jacobian where it should multiply"),
    ("02.3", (1 / 0.49, 1 / (2 * 0.49**2)), "the one in the variance"),
    ("02.3", (1 / 0.49, 0.5), "logarithm of the variance"),
    ("02.3", (1 / 0.49, 2 / 0.49 * np.log(0.7) ** 2), "log std itself has been used"),
    ("02.3", (1 / 0.49, 1), "A factor is missing"),
    ("02.3", (0.49, 0.5), "inverse matrix"),
    ("02.3", (1, 2), "first entry has been changed as well"),
    ("02.3", (1 / 0.7, 2), "std where the variance belongs"),
    ("02.3", (0.49, 2), "first entry is upside down"),
    ("02.3", (2, 1 / 0.49), "swapped"),
    ("02.3", (2, 2), "not equal"),
    ("02.3", (2.06, 2), "carry more digits"),
    ("02.3", (1 / 0.49, 17), "first entry is right, the second is not yet"),
    ("02.3", (17, 2), "second entry is right, the first is not yet"),
    ("02.3", (17, 19), "write the old coordinates as functions"),
    ("02.3", (-1 / 0.49, -2), "are positive"),
    ("02.3", (0, 2), "are positive"),
    ("02.3", [[1 / 0.49, 0.3], [0, 2]], "not symmetric"),
    ("02.3", [[1 / 0.49, 0.3], [0.3, 2]], "off-diagonal entries"),
    ("02.3", 2.04, "the pair of diagonal entries or the whole matrix, got one number"),
    ("02.3", np.ones(3), "got an array of shape (3,)"),
    ("02.3", sympy.diag(1 / X_SYMBOL**2, 2), "an expression with x: put in the numbers, with subs"),
    ("02.4", "abcde", "Not all of them"),
    ("02.4", "bde", "Read the question once more"),
    ("02.4", "abc", "Look again at the Cauchy"),
    ("02.4", "b", "Look again at the Cauchy"),
    ("02.4", "acd", "Look again at the probit"),
    ("02.4", ["a", "d"], "Look again at the probit"),
    ("02.4", {"a", "c", "e"}, "Look again at the identity link"),
    ("02.4", "ce", "Look again at the identity link"),
    ("02.4", "a", "something is missing"),
    ("02.4", ["c"], "something is missing"),
    ("02.4", "", "Name at least one of the letters"),
    ("02.4", [], "Name at least one of the letters"),
    ("02.4", "ax", "got another text"),
    ("02.4", 3, "in quotation marks, got a number"),
    ("02.5", 157, "a little less than is asked for"),
    ("02.5", 50 * np.pi, "whole: with this number the two would be level"),
    ("02.5", 50 * sympy.pi, "whole: with this number the two would be level"),
    ("02.5", 64, "wrong way round"),
    ("02.5", 63, "wrong way round"),
    ("02.5", 200 / np.pi, "wrong way round"),
    ("02.5", 200, "supposes that a sign keeps one half"),
    ("02.5", 315, "A factor is lost"),
    ("02.5", 100 * sympy.pi, "A factor is lost"),
    ("02.5", 100, "Not as many as there are observations"),
    ("02.5", 247, "applied twice"),
    ("02.5", 126, "root of the share"),
    ("02.5", 251, "takes the density at 0 for the share"),
    ("02.5", 629, "variance of the sign is missing"),
    ("02.5", 170.5, "smallest whole number"),
    ("02.5", 159, "more than is needed"),
    ("02.5", 150, "less than is needed"),
    ("02.5", 0, "At least one sign"),
    ("02.5", -158, "At least one sign"),
]


@pytest.mark.parametrize(("key", "answer", "hint"), NEAR_MISSES)
def test_a_near_miss_gets_the_hint_that_fits(key, answer, hint):
    text = said(key, answer)
    assert text.startswith(f"{key} not yet: ")
    assert hint in text
    assert_nothing_given_away(key, text)


def sigmoid(z):
    return expit(z)


def weighted(weight):
    return lambda X, theta: X.T @ np.diag(weight(expit(X @ theta))) @ X


def variance(X, theta):
    return expit(X @ theta) * expit(-X @ theta)


def in_place(X, theta):
    X *= np.sqrt(variance(X, theta))[:, None]
    return X.T @ X


def plain_overflow(X, theta):
    p = 1 / (1 + np.exp(-X @ theta))
    return (X.T * (p * (1 - p))) @ X


def overflow_to_nan(X, theta):
    p = np.exp(X @ theta) / (1 + np.exp(X @ theta))
    return (X.T * (p * (1 - p))) @ X


def math_overflow(X, theta):
    p = np.array([1 / (1 + math.exp(-x @ theta)) for x in X])
    return (X.T * (p * (1 - p))) @ X


def scalar_math(X, theta):
    p = 1 / (1 + math.exp(-X @ theta))
    return p * (1 - p) * X.T @ X


def outer_of_the_sum(X, theta):
    total = np.sqrt(variance(X, theta)) @ X
    return np.outer(total, total)


def printing(X, theta):
    print(right(X, theta))


def for_three_rows(X, theta):
    return right(X[:3], theta)


def with_a_threshold(X, theta):
    result = right(X, theta)
    return np.where(np.max(np.abs(X @ theta)) > 100, 2 * result, result)


def wrong_when_sure(X, theta):
    return right(X, theta) + (np.min(X @ theta) > 30)


def clipped(X, theta):
    return right(X, theta) if len(X) >= X.shape[1] else 2 * right(X, theta)


def lop_sided(X, theta):
    return (X.T * variance(X, theta)) @ np.roll(X, 1, axis=1) if X.shape[1] > 1 else 3 * right(X, theta)


WRONG_FUNCTIONS = {
    "mean": (lambda X, t: right(X, t) / len(X), "mean over the rows"),
    "n twice": (lambda X, t: right(X, t) * len(X), "the sum has already counted them"),
    "rows by rows": (
        lambda X, t: np.sqrt(np.outer(variance(X, t), variance(X, t))) * (X @ X.T),
        "row and a column for each observation",
    ),
    "weights p": (weighted(lambda p: p), "probability of one outcome"),
    "weights 1 - p": (weighted(lambda p: 1 - p), "probability of one outcome"),
    "no weights": (lambda X, t: X.T @ X, "The weights are missing"),
    "quarter": (lambda X, t: X.T @ X / 4, "holds at θ = 0 only"),
    "no roots": (
        lambda X, t: (variance(X, t)[:, None] * X).T @ (variance(X, t)[:, None] * X),
        "Each weight has come in twice",
    ),
    "roots": (weighted(lambda p: np.sqrt(p * (1 - p))), "weight is the std"),
    "y = 1 only": (weighted(lambda p: (1 - p) ** 2), "Only one of the two outcomes"),
    "y = 0 only": (weighted(lambda p: p**2), "Only one of the two outcomes"),
    "y = 1 with its chance": (weighted(lambda p: p * (1 - p) ** 2), "Only one of the two outcomes"),
    "y = 0 with its chance": (weighted(lambda p: (1 - p) * p**2), "Only one of the two outcomes"),
    "both alike": (weighted(lambda p: p**2 + (1 - p) ** 2), "Both outcomes have been counted alike"),
    "no sigmoid": (lambda X, t: (X.T * (X @ t * (1 - X @ t))) @ X, "The sigmoid is missing"),
    "Poisson": (lambda X, t: (X.T * np.exp(np.minimum(X @ t, 99))) @ X, "weights of a Poisson regression"),
    "diagonal": (lambda X, t: np.diag(np.diag(right(X, t))), "Only the diagonal is filled"),
    "diagonal as a vector": (lambda X, t: np.diag(right(X, t)), "the diagonal alone, as a vector"),
    "minus": (lambda X, t: -right(X, t), "The sign is flipped"),
    "minus and mean": (lambda X, t: -right(X, t) / len(X), "The sign is flipped"),
    "pseudo-inverse": (lambda X, t: np.linalg.pinv(right(X, t)), "This is the inverse"),
    "inverse": (lambda X, t: np.linalg.inv(X.T @ (0 * X)), "Nothing has to be inverted"),
    "outer of the sum": (outer_of_the_sum, "The sum comes too early"),
    "outer of sums": (lambda X, t: np.outer(X.sum(0), X.sum(0)), "The sum comes too early"),
    "gradient": (lambda X, t: X.T @ expit(X @ t), "the shape of a gradient"),
    "weights": (variance, "the weights alone"),
    "each row": (
        lambda X, t: np.einsum("n,ni,nj->nij", variance(X, t), X, X),
        "one matrix for each row",
    ),
    "weighted rows": (lambda X, t: X * variance(X, t)[:, None], "the shape of X itself"),
    "trace": (lambda X, t: np.trace(right(X, t)), "a single number"),
    "squeezed": (lambda X, t: np.squeeze(right(X, t)), "for X of shape (5, 1) it returns shape ()"),
    "transposed": (lambda X, t: X @ np.diag(variance(X, t)) @ X.T, "Mind the shapes"),
    "theta first": (lambda X, t: t @ X, "Mind the shapes"),
    "math": (scalar_math, "NumPy's functions take arrays, math's do not"),
    "math overflows": (math_overflow, "raises OverflowError: math range error"),
    "overflow": (plain_overflow, "Every value is right, but NumPy warns"),
    "overflow to nan": (overflow_to_nan, "|Xθ| is in the hundreds some values are nan"),
    "nan": (lambda X, t: np.nan * right(X, t), "left its domain"),
    "wrong when large": (with_a_threshold, "Right where |Xθ| is moderate"),
    "wrong when sure": (wrong_when_sure, "or p is nearly sure"),
    "in place": (in_place, "It changes X or theta itself"),
    "right at 0": (lambda X, t: right(X, t**2), "Right at θ = 0 only"),
    "wrong with few rows": (clipped, "wrong with fewer"),
    "three rows": (for_three_rows, "a row used twice?"),
    "not symmetric": (lop_sided, "It is not symmetric"),
    "negative": (weighted(lambda p: p**3 - p), "Some diagonal entries are negative"),
    "something else": (weighted(lambda p: 3 + p**5), "take the expectation of its outer product"),
    "prints": (printing, "returns nothing: is there a return? It prints"),
    "no return": (lambda X, t: None, "returns nothing: is there a return?"),
    "raises": (lambda X, t: {}["weights"], "raises KeyError: 'weights'."),
    "one argument": (lambda X: X, "takes 1 positional argument but 2 were given."),
    "text": (lambda X, t: "p(1-p)", "returns a text; expected an array"),
    "complex": (lambda X, t: right(X, t) * 1j, "expected an array"),
    "called": (right(np.eye(2), np.zeros(2)), "Expected a function, got an array"),
    "symbolic": (lambda X, t: sympy.Matrix(X.T @ X) * X_SYMBOL, "expected an array"),
}


@pytest.mark.parametrize("name", WRONG_FUNCTIONS)
def test_a_wrong_function_gets_the_hint_that_fits(name):
    function, hint = WRONG_FUNCTIONS[name]
    text = said("02.2", function)
    assert text.startswith("02.2 not yet: ")
    assert hint in text
    assert "\n" not in text
    assert len(text) < 420
    assert_nothing_given_away("02.2", text)


def test_a_raising_function_is_told_the_call_and_nothing_too_long():
    def answer_2(X, theta):
        raise ValueError("no " * 200) if len(X) > 3 else right(X, theta)

    def at_once(X, theta):
        raise ValueError("no")

    assert said("02.2", at_once).startswith("02.2 not yet: at_once(array([[ 0.8, -1.3], ")
    assert "theta" not in said("02.2", at_once)
    assert "raises TypeError" in said("02.2", answer_2)


def test_a_function_cannot_spoil_the_designs():
    assert said("02.2", in_place) == said("02.2", in_place)
    assert ig.check("02.2", right).correct


def test_warnings_of_matrix_products_are_not_the_readers():
    def on_some_machines(X, theta):
        import warnings

        warnings.warn("divide by zero encountered in matmul", RuntimeWarning, stacklevel=1)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return right(X, theta)

    assert ig.check("02.2", on_some_machines).correct


# -- whatever else one may write ---------------------------------------------------------------------------

GARBAGE = [
    None,
    "text",
    math.nan,
    math.inf,
    sympy.nan,
    sympy.oo,
    sympy.zoo,
    sympy.I,
    X_SYMBOL,
    sympy.Matrix([[X_SYMBOL, 1, 2]]),
    [1.0, 2.0, 3.0],
    np.zeros((2, 3)),
    np.zeros((0, 2)),
    {},
    object(),
    1j,
    True,
    print,
    int,
    (),
    [[1.0], [2.0, 3.0]],
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("answer", GARBAGE, ids=lambda answer: type(answer).__name__)
def test_garbage_is_answered_in_one_kind_line(key, answer):
    text = said(key, answer)
    assert text.startswith(f"{key} not yet: ")
    assert "\n" not in text
    assert len(text) < 400
    assert_nothing_given_away(key, re.sub(r"shape \(.*?\)", "", text))


@pytest.mark.parametrize("answer", [(..., 2), [[..., 0], [0, ...]], np.array([..., 1], dtype=object)])
def test_half_an_answer_is_none(answer):
    assert said("02.3", answer).startswith("02.3 not answered yet: ")


class Hostile:
    """An answer that raises whatever is asked of it, also for its name."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __call__(self, *arguments):
        raise RuntimeError("called")


@pytest.mark.parametrize("key", KEYS)
def test_no_object_is_too_hostile(key):
    assert said(key, Hostile()).startswith(f"{key} not yet: ")


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=8),
    st.fractions(),
    st.sampled_from([sympy.pi, sympy.Rational(25, 4), X_SYMBOL, sympy.nan, sympy.I, sympy.eye(2), len]),
    arrays.arrays(
        st.sampled_from([float, int, complex, bool, "U3", "datetime64[D]"]),
        arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    ),
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=2),
        st.frozensets(st.text(alphabet="abcdeACx ,", max_size=3), max_size=4),
    ),
    max_leaves=6,
)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(junk=JUNK)
def test_no_junk_breaks_a_check(junk):
    for key in KEYS:
        text = said(key, junk)
        assert text.startswith((f"{key} not yet: ", f"{key} correct: ")) and "\n" not in text


@settings(max_examples=40, deadline=None, derandomize=True)
@given(junk=JUNK)
def test_no_function_that_returns_junk_breaks_the_check(junk):
    text = said("02.2", lambda X, theta: junk)
    assert text.startswith("02.2 not yet: ") and "\n" not in text


@settings(max_examples=60, deadline=None, derandomize=True)
@given(matrix=arrays.arrays(float, st.sampled_from([(2,), (2, 2)]), elements=st.floats(-1e308, 1e308)))
def test_no_matrix_breaks_a_check_or_learns_the_answer(matrix):
    assert_nothing_given_away("02.3", said("02.3", matrix))


@pytest.mark.parametrize("key", ["02.1", "02.5"])
def test_no_number_breaks_a_check_or_learns_the_answer(key):
    for value in [*np.geomspace(1e-320, 1e308, 200), *np.linspace(-5.0, 400.0, 811)]:
        feedback = ig.check(key, float(value))
        if not feedback.correct:
            assert_nothing_given_away(key, repr(feedback))


def test_every_choice_of_letters_has_its_word():
    letters = "abcde"
    subsets = ["".join(c for i, c in enumerate(letters) if mask >> i & 1) for mask in range(1, 32)]
    assert [chosen for chosen in subsets if ig.check("02.4", chosen).correct] == ["ac"]
    for chosen in subsets:
        if chosen != "ac":
            assert_nothing_given_away("02.4", said("02.4", chosen))


def test_every_hint_is_one_line_and_gives_nothing_away():
    for exercise in lecture.EXERCISES:
        texts = [miss.text for miss in exercise.near_misses] + [exercise.otherwise]
        for text in texts:
            if isinstance(text, str):
                assert "\n" not in text and "  " not in text
                assert text.endswith((".", "?"))
                assert_nothing_given_away(exercise.key, text)


def test_every_hint_was_met_above():
    heard = [said(key, answer) for key, answer, _ in NEAR_MISSES]
    heard += [said("02.2", function) for function, _ in WRONG_FUNCTIONS.values()]
    for exercise in lecture.EXERCISES:
        for text in (*(miss.text for miss in exercise.near_misses), exercise.otherwise):
            if isinstance(text, str):
                assert f"{exercise.key} not yet: {text}" in heard, text


@pytest.mark.parametrize("exercise", [e for e in lecture.EXERCISES if e.key != "02.2"], ids=lambda e: e.key)
def test_no_right_answer_is_taken_for_a_mistake(exercise):
    value = exercise.read(SOLUTIONS[exercise.key])
    fitting = [miss.text for miss in exercise.near_misses if miss.matches(value)]
    assert all("Very near" in text or "entry is right" in text for text in fitting)


@pytest.mark.parametrize("name", lecture._GENERIC)
def test_each_design_tells_a_wrong_weight_from_the_right_one(name):
    X, theta = lecture._DESIGNS[name]
    for rule in ("weights p", "no weights", "no roots", "roots", "y = 1 with its chance", "minus"):
        function, _ = WRONG_FUNCTIONS[rule]
        assert np.max(np.abs(function(X, theta) / right(X, theta) - 1)) > 0.05


def test_feedback_is_the_same_each_time():
    for key, answer, _ in NEAR_MISSES:
        assert said(key, answer) == said(key, answer)
