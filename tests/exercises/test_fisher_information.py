"""The exercises of lecture 02: their table of answers and replies, and what is special about them."""

from __future__ import annotations

import functools
import math
import warnings

import numpy as np
import pytest
import sympy
from scipy.special import expit, logsumexp
from scipy.stats import binom, norm

import igviz as ig
from igviz.exercises import fisher_information as lecture
from tests.exercises.replies import assert_nothing_given_away, reply

N, P, STD = 50, 0.2, 0.7
VAR = STD**2
SYMBOL = sympy.Symbol("x")


def right(X, theta):
    """The solution as in the notebook."""
    decay = np.exp(-np.abs(X @ theta))
    return (X.T * decay / (1 + decay) ** 2) @ X


def variance(X, theta):
    return expit(X @ theta) * expit(-X @ theta)


def weighted(weight):
    return lambda X, theta: X.T @ np.diag(weight(expit(X @ theta))) @ X


def with_p(sigmoid):
    return lambda X, theta: (X.T * (sigmoid(X @ theta) * (1 - sigmoid(X @ theta)))) @ X


def in_place(X, theta):
    X *= np.sqrt(variance(X, theta))[:, None]
    return X.T @ X


def math_overflow(X, theta):
    p = np.array([1 / (1 + math.exp(-x @ theta)) for x in X])
    return (X.T * (p * (1 - p))) @ X


SOLUTIONS = {
    "02.1": N / (P * (1 - P)),
    "02.2": right,
    "02.3": (1 / VAR, 2.0),
    "02.4": "ac",
    "02.5": math.ceil(100 * math.pi / 2),
}
WRITTEN = {
    "02.1": r"31[23](\.\d*)?|p\s*[·*]?\s*\(1 − p\)",
    "02.2": r"expit|tanh|p\s*[·*]?\s*\(1 − p\)|Xᵀ\s*diag",
    "02.3": r"2(\.0*)?|two|2\.04\d*|1/std²|2\.1|std²·",
    "02.4": r"\W?a, ?c\W?|ac|logistic|log link|\(a\)|\(c\)|Bernoulli",
    "02.5": r"158(\.0*)?|157(\.\d*)?|π/2|2/π|1\.57\d*|0?\.63\d*|0?\.64",
}
REPLIES = [
    ("02.1", 6.25, "information of one draw"),
    ("02.1", sympy.Rational(25, 4), "information of one draw"),
    ("02.1", 8, "information in the logit"),
    ("02.1", 0.16, "information in the logit"),
    ("02.1", 0.0032, "bound on the variance of an estimate"),
    ("02.1", 0.0032**0.5, "standard error"),
    ("02.1", 312.5**0.5, "root of the information"),
    ("02.1", 2500 * 6.25, "enters once, not squared"),
    ("02.1", 2500 * 0.16, "enters once, not squared"),
    ("02.1", 125, "std of the outcome where its variance"),
    ("02.1", 2.5, "std of the outcome where its variance"),
    ("02.1", 250, "Only one of the two outcomes"),
    ("02.1", 62.5, "Only one of the two outcomes"),
    ("02.1", 1250, "Only one of the two outcomes"),
    ("02.1", 310, "carry more digits"),
    ("02.1", -312.5, "Information is positive"),
    ("02.1", 0, "Information is positive"),
    ("02.1", 1000, "Write down the log-probability"),
    ("02.1", 50 / (SYMBOL * (1 - SYMBOL)), "an expression with x: put in the numbers, with subs"),
    ("02.2", lambda X, t: right(X, t) / len(X), "mean over the rows"),
    ("02.2", lambda X, t: -right(X, t), "The sign is flipped"),
    ("02.2", lambda X, t: -right(X, t) / len(X), "The sign is flipped"),
    ("02.2", lambda X, t: X.T @ X, "The weights are missing"),
    ("02.2", weighted(lambda p: p), "probability of one outcome"),
    ("02.2", weighted(lambda p: 1 - p), "probability of one outcome"),
    ("02.2", weighted(lambda p: (p * (1 - p)) ** 2), "Each weight has come in twice"),
    ("02.2", lambda X, t: np.diag(np.diag(right(X, t))), "Only the diagonal is filled"),
    ("02.2", lambda X, t: np.linalg.pinv(right(X, t)), "This is the inverse"),
    ("02.2", lambda X, t: np.linalg.inv(X.T @ (0 * X)), "Nothing has to be inverted"),
    ("02.2", lambda X, t: np.squeeze(right(X, t)), "for X of shape (5, 1) it returns shape ()"),
    ("02.2", lambda X, t: np.einsum("n,ni,nj->nij", variance(X, t), X, X), "it returns shape (3, 2, 2)"),
    ("02.2", lambda X, t: X @ np.diag(variance(X, t)) @ X.T, "Mind the shapes"),
    ("02.2", lambda X, t: t @ X, "Mind the shapes"),
    ("02.2", with_p(lambda z: 1 / (1 + math.exp(-z))), "NumPy's functions take arrays, math's do not"),
    ("02.2", math_overflow, "raises OverflowError: math range error"),
    ("02.2", with_p(lambda z: 1 / (1 + np.exp(-z))), "Every value is right, but NumPy warns"),
    ("02.2", with_p(lambda z: np.exp(z) / (1 + np.exp(z))), "in the hundreds some values are nan"),
    ("02.2", lambda X, t: np.nan * right(X, t), "left its domain"),
    ("02.2", in_place, "It changes X or theta itself"),
    ("02.2", lambda X, t: right(X[:3], t), "a row used twice?"),
    ("02.2", weighted(lambda p: 3 + p**5), "take the expectation of its outer product"),
    ("02.2", lambda X, t: print(right(X, t)), "returns nothing: is there a return? It prints"),
    ("02.2", lambda X, t: None, "returns nothing: is there a return?"),
    ("02.2", lambda X, t: {}["weights"], "raises KeyError: 'weights'."),
    ("02.2", lambda X: X, "takes 1 positional argument but 2 were given."),
    ("02.2", lambda X, t: "p(1-p)", "returns a text; expected an array"),
    ("02.2", lambda X, t: right(X, t) * 1j, "expected an array"),
    ("02.2", lambda X, t: sympy.Matrix(X.T @ X) * SYMBOL, "expected an array"),
    ("02.2", right(np.eye(2), np.zeros(2)), "Expected a function, got an array"),
    ("02.3", (1 / VAR, 2 / VAR), "old coordinates (mean, std), not yet changed"),
    ("02.3", ig.Normal(1.3, STD).fisher(), "old coordinates (mean, std), not yet changed"),
    ("02.3", (1 / VAR, 2 / STD), "Multiplied by the Jacobian once"),
    ("02.3", (1 / VAR, 2 / VAR**2), "divides by the Jacobian where it should multiply"),
    ("02.3", sympy.diag(1 / VAR, 2 / VAR**2), "divides by the Jacobian where it should multiply"),
    ("02.3", (1 / VAR, 1 / (2 * VAR**2)), "the one in the variance"),
    ("02.3", (1 / VAR, 1), "A factor is missing"),
    ("02.3", (VAR, 0.5), "inverse matrix"),
    ("02.3", (1, 2), "first entry has been changed as well"),
    ("02.3", (2, 1 / VAR), "swapped"),
    ("02.3", (2.06, 2), "carry more digits"),
    ("02.3", (1 / VAR, 17), "first entry is right, the second is not yet"),
    ("02.3", (17, 2), "second entry is right, the first is not yet"),
    ("02.3", (17, 19), "write the old coordinates as functions"),
    ("02.3", (-1 / VAR, -2), "are positive"),
    ("02.3", (0, 2), "are positive"),
    ("02.3", [[1 / VAR, 0.3], [0.3, 2]], "off-diagonal entries"),
    ("02.3", 2.04, "the pair of diagonal entries or the whole matrix, got one number"),
    ("02.3", np.ones(3), "Expected the pair of diagonal entries or the whole matrix, got an array"),
    ("02.3", sympy.diag(1 / SYMBOL**2, 2), "an expression with x: put in the numbers, with subs"),
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


# -- the right answers, from elsewhere ---------------------------------------------------------------------


def test_the_right_numbers_from_elsewhere():
    k = np.arange(N + 1)
    np.testing.assert_allclose(binom.pmf(k, N, P) @ (k / P - (N - k) / (1 - P)) ** 2, SOLUTIONS["02.1"])
    n, near = SOLUTIONS["02.5"], 0.05  # the answer holds near 0, not at 0 alone
    share, nearby = (norm.pdf(t) ** 2 / (norm.cdf(t) * norm.sf(t)) for t in (0, near))
    assert n * share >= 100 > (n - 1) * share
    assert n * nearby >= 100


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
    at, step = np.array([1.3, np.log(STD)]), 1e-5
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)

    def log_density(mean, log_std):
        return norm.logpdf(1.3 + STD * nodes, mean, np.exp(log_std))

    scores = [(log_density(*(at + step * e)) - log_density(*(at - step * e))) / (2 * step) for e in np.eye(2)]
    matrix = np.einsum("x,ix,jx->ij", weights / weights.sum(), scores, scores)
    np.testing.assert_allclose(matrix, np.diag(SOLUTIONS["02.3"]), atol=1e-7)
    assert ig.check("02.3", matrix).correct


def test_where_observed_is_expected_by_differences():
    """Of log-likelihoods, at two data sets."""
    X, theta = np.random.default_rng(5).uniform(0.3, 1.5, (6, 2)), np.array([0.5, 0.8])
    likelihoods = {
        "a": lambda y, t: y @ X @ t - np.logaddexp(0, X @ t).sum(),
        "b": lambda y, t: -np.log1p((y - X @ t) ** 2).sum(),
        "c": lambda y, t: y @ X @ t - np.exp(X @ t).sum(),
        "d": lambda y, t: y @ norm.logcdf(X @ t) + (1 - y) @ norm.logsf(X @ t),
        "e": lambda y, t: y @ np.log(X @ t) - (X @ t).sum(),
    }

    def mixed(likelihood, y, u, v):
        signs = [(s, r) for s in (1, -1) for r in (1, -1)]
        return sum(s * r * likelihood(y, theta + 1e-3 * (s * u + r * v)) for s, r in signs) / 4e-6

    one, other = np.array([0, 1, 1, 0, 1, 0.0]), np.array([1, 1, 0, 0, 0, 1.0])
    for letter, log_likelihood in likelihoods.items():
        apart = max(
            abs(mixed(log_likelihood, one, u, v) - mixed(log_likelihood, other, u, v))
            for u in np.eye(2)
            for v in np.eye(2)
        )
        assert apart < 1e-6 if letter in SOLUTIONS["02.4"] else apart > 1e-2, letter


# -- right answers in other clothes ------------------------------------------------------------------------

naive_but_stable = with_p(expit)


def by_tanh(X, theta):
    return (X.T * (1 - np.tanh(X @ theta / 2) ** 2) / 4) @ X


def by_rows(X, theta):
    total = np.zeros((X.shape[1], X.shape[1]))
    for x in X:
        total += expit(x @ theta) * expit(-x @ theta) * np.outer(x, x)
    return total


def warning_without_a_cause(X, theta):
    warnings.warn("divide by zero encountered in matmul", RuntimeWarning, stacklevel=1)
    warnings.warn("old", DeprecationWarning, stacklevel=1)
    return right(X, theta)


RIGHT = {
    "02.1": [
        *(312.7, sympy.Rational(625, 2), sympy.Matrix([[312.5]]), np.array([[312.5]])),
        N * ig.Bernoulli(P).fisher(),
    ],
    "02.2": [
        *(naive_but_stable, by_tanh, by_rows, warning_without_a_cause),
        lambda X, theta: right(X, theta).tolist(),
        lambda X, theta: sympy.Matrix(right(X, theta)),
        functools.partial(lambda scale, X, theta: scale * right(X, theta), 1.0),
    ],
    "02.3": [
        *([2.0408, 2], np.diag([1 / VAR, 2.0]), [[1 / VAR, 1e-12], [0, 2]], np.array([[1 / VAR, 2.0]])),
        (sympy.Rational(100, 49), sympy.Integer(2)),
        sympy.Matrix([[sympy.Rational(100, 49), 0], [0, 2]]),
        sympy.Matrix([sympy.Rational(100, 49), 2]),
    ],
    "02.4": ["CA", "a, c", "(a) and (c)", ["a", "c"], ("c", "a", "a"), {"a", "c"}, np.array(["a", "c"])],
    "02.5": [158.0, np.int64(158), sympy.ceiling(50 * sympy.pi)],
}


@pytest.mark.parametrize("key", RIGHT)
def test_the_solution_in_other_clothes(key):
    for answer in RIGHT[key]:
        assert ig.check(key, answer).correct, answer


# -- what is special ---------------------------------------------------------------------------------------


def test_digits_lost_where_the_outcome_is_sure_are_remarked_on_but_right():
    for function in (naive_but_stable, by_tanh):
        assert "One remark: " in reply("02.2", function)
    for function in (right, by_rows):
        assert "One remark: " not in reply("02.2", function)


@pytest.mark.parametrize("answer", [(..., 2), [[..., 0], [0, ...]], np.array([..., 1], dtype=object)])
def test_half_an_answer_is_none(answer):
    assert reply("02.3", answer).startswith("02.3 not answered yet: ")
    assert reply("02.2", lambda X, theta: answer).startswith("02.2 not answered yet: ")


def test_every_choice_of_letters_has_its_word():
    subsets = ["".join(c for i, c in enumerate("abcde") if mask >> i & 1) for mask in range(1, 32)]
    assert [chosen for chosen in subsets if ig.check("02.4", chosen).correct] == ["ac"]
    for chosen in subsets:
        if chosen != "ac":
            assert_nothing_given_away(WRITTEN, "02.4", reply("02.4", chosen))


def test_no_matrix_breaks_a_check_or_learns_the_answer():
    numbers = (-1e308, 0.0, 1e-320, 0.5, 2.1, 1e308)
    for first in numbers:
        for second in numbers:
            for answer in ((first, second), np.diag([first, second]), [[first, second], [second, first]]):
                assert_nothing_given_away(WRITTEN, "02.3", reply("02.3", answer))
