"""The exercises of lecture 03: stub, solution, the mistakes one makes, and what is no answer at all."""

from __future__ import annotations

import fractions
import functools
import math
import re

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import kl_div, logsumexp, rel_entr, xlogy
from scipy.stats import entropy, norm

import igviz as ig
from igviz.exercises import kl_quadratic_approximation as lecture

KEYS = [exercise.key for exercise in lecture.EXERCISES]
P, Q = ig.Normal(2.0, 0.5), ig.Normal(2.03, 0.48)
STEP = np.array([0.03, -0.02])
AT, GRADIENT = ig.Normal(1.3, 0.7), np.array([0.4, -1.2])
EPSILON = 0.045
LN2 = math.log(2)


def right(p, q):
    """The solution as in the notebook."""
    return 0.5 * np.sum((p - q) * np.log(p / q), axis=-1)


SOLUTIONS = {
    "03.1": 0.5 * STEP @ P.fisher() @ STEP,
    "03.2": right,
    "03.3": np.sqrt(2 * EPSILON),
    "03.4": np.linalg.solve(AT.fisher(), GRADIENT),
    "03.5": "de",
}
# how the right answers may be written
WRITTEN = {
    "03.1": r"0?\.003[34]\d*|3\.4(\d*|e-0?3)|2·Δstd²|Δmean² \+ 2",
    "03.2": r"\(p\s*[−-]\s*q\)|½·?Σ",
    "03.3": r"0?\.(3|29\d*|30\d*)0*|√\(2|√2|2ε|2·KL",
    "03.4": r"[−-]?0?\.(196|294|19\d|29\d)\d*|0?\.49|0?\.245|std²/2|std²·",
    "03.5": r"\W?d, ?e\W?|de|ed|\(d\)|\(e\)|midpoint|half the step|[Dd]istance",
}


def said(key, answer):
    return repr(ig.check(key, answer))


def assert_nothing_given_away(key, text):
    text = text.removeprefix(key)
    assert not re.search(rf"(?<![\w.])({WRITTEN[key]})(?![\w.]*\d)(?!\w)", text), text


def test_the_keys():
    assert " ".join(KEYS) == "03.1 03.2 03.3 03.4 03.5"
    assert set(SOLUTIONS) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_stub(key):
    text = said(key, ...)
    assert text.startswith(f"{key} not answered yet: put ")
    assert_nothing_given_away(key, text)


def test_the_stub_of_the_function():
    def answer_2(p, q):
        return ...

    assert said("03.2", answer_2).startswith("03.2 not answered yet: ")


@pytest.mark.parametrize("key", KEYS)
def test_the_solution(key):
    feedback = ig.check(key, SOLUTIONS[key])
    assert feedback.correct
    assert repr(feedback).startswith(f"{key} correct: ")
    assert "One remark" not in repr(feedback)


# -- the right answers, from elsewhere ---------------------------------------------------------------------


def kl_of_normals(m, s, n, t):
    """KL(N(m, s) ‖ N(n, t)), in SymPy, written out here for itself."""
    return sympy.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - sympy.Rational(1, 2)


def test_the_prediction_from_the_second_derivatives_of_the_divergence():
    m, s, n, t = sympy.symbols("m s n t", positive=True)
    hessian = sympy.hessian(kl_of_normals(m, s, n, t), (n, t)).subs({n: m, t: s})
    step = sympy.Matrix([sympy.Rational(3, 100), sympy.Rational(-2, 100)])
    exact = (step.T * hessian * step)[0].subs({m: 2, s: sympy.Rational(1, 2)}) / 2
    assert exact == sympy.Rational(34, 10000)
    assert ig.check("03.1", exact).correct
    assert math.isclose(SOLUTIONS["03.1"], 0.0034, rel_tol=1e-12)


def test_the_prediction_comes_near_the_divergence_by_quadrature():
    x = np.linspace(-4.0, 8.0, 20001)
    log_p, log_q = norm.logpdf(x, 2, 0.5), norm.logpdf(x, 2.03, 0.48)
    exact = np.trapezoid(np.exp(log_p) * (log_p - log_q), x)
    np.testing.assert_allclose(exact, P.kl(Q), rtol=1e-9)
    # what is said of its error: 8 %, and half of it with half the step
    off = exact / SOLUTIONS["03.1"] - 1
    half = P.kl(ig.Normal(2.015, 0.49)) / (SOLUTIONS["03.1"] / 4) - 1
    assert round(100 * off) == 8
    assert 1.9 < off / half < 2.2


@pytest.mark.parametrize("name", lecture._TABLES)
def test_the_average_is_that_of_both_directions(name):
    p, q = lecture._TABLES[name]
    np.testing.assert_allclose(p.sum(-1), 1, rtol=1e-12)
    assert np.all(p > 0) and np.all(q > 0)
    both = 0.5 * (rel_entr(p, q) + rel_entr(q, p)).sum(-1)
    np.testing.assert_allclose(right(p, q), both, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(lecture._exact(p, q), both, rtol=1e-9, atol=1e-15)


def test_the_average_from_the_library_and_from_draws():
    p, q = lecture._TABLES["small"]
    one, other = ig.Categorical(p), ig.Categorical(q)
    np.testing.assert_allclose(right(p, q), 0.5 * (one.kl(other) + other.kl(one)), rtol=1e-12)
    rng = np.random.default_rng(3)
    n = 200_000
    ratio = np.log(p / q)
    draws = 0.5 * (ratio[rng.choice(3, n, p=p)] - ratio[rng.choice(3, n, p=q)])
    assert abs(draws.mean() - right(p, q)) < 5 * draws.std() / np.sqrt(n)


@pytest.mark.parametrize("angle", [0.3, 1.1, 2.0, 4.4])
def test_the_radius_is_the_distance_to_a_small_ball_of_the_divergence(angle):
    """The share by which it misses shrinks in proportion to the radius."""
    misses = []
    for epsilon in (EPSILON / 100, EPSILON / 400):
        radius = SOLUTIONS["03.3"] * np.sqrt(epsilon / EPSILON)
        direction = np.array([np.cos(angle), np.sin(angle) / np.sqrt(2)]) * AT.std

        def q(size, direction=direction):
            return ig.Normal(*(np.array([1.3, 0.7]) + size * direction))

        low, high = 0.0, 2 * radius
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if AT.kl(q(middle)) < epsilon else (low, middle)
        misses.append(ig.fisher_rao_distance(AT, q(low)) / radius - 1)
    assert abs(misses[0]) < 0.05
    assert 1.8 < misses[0] / misses[1] < 2.2


def test_the_natural_gradient_is_the_steepest_way_for_its_divergence():
    """Among all small steps of one KL the one along it raises the linear function most."""
    np.testing.assert_allclose(SOLUTIONS["03.4"], [0.196, -0.294], rtol=1e-12)
    angles = np.linspace(0, 2 * np.pi, 40001)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    length = 1e-4
    kl = AT.kl(ig.Normal(*(np.array([[1.3, 0.7]]) + length * directions).T))
    gain = directions @ GRADIENT / np.sqrt(kl / length**2)
    best = directions[np.argmax(gain)]
    natural = SOLUTIONS["03.4"] / np.linalg.norm(SOLUTIONS["03.4"])
    np.testing.assert_allclose(best, natural, atol=1e-3)
    # what is said of it: three times, and about twice
    assert GRADIENT[1] / GRADIENT[0] == pytest.approx(-3)
    per_kl = GRADIENT / np.sqrt(np.diag(AT.fisher()))
    assert 2.0 < -per_kl[1] / per_kl[0] < 2.2


def test_the_natural_gradient_from_scores_by_quadrature():
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    score = np.stack([nodes / 0.7, (nodes**2 - 1) / 0.7])
    fisher = (score * weights / weights.sum()) @ score.T
    np.testing.assert_allclose(np.linalg.solve(fisher, GRADIENT), SOLUTIONS["03.4"], rtol=1e-12)


def errors(p, q, step, matrix, distance_squared):
    """The five differences by letter; `matrix` is the Fisher matrix at a (mean, std)."""
    kl, back = p.kl(q), q.kl(p)
    form = 0.5 * step @ matrix(p) @ step
    middle = 0.5 * step @ matrix(ig.Normal(p.mean + step[0] / 2, p.std + step[1] / 2)) @ step
    average = 0.5 * (kl + back)
    values = (kl - form, back - form, average - form, average - middle, average - 0.5 * distance_squared)
    return dict(zip("abcde", values, strict=True))


@pytest.mark.parametrize("direction", [(0.8, 0.5), (-0.6, 0.9), (0.4, -0.7)])
def test_the_orders_by_halving_the_step(direction):
    p = ig.Normal(0.4, 0.7)
    tables = []
    for size in (0.02, 0.01):
        step = size * np.array(direction)
        q = ig.Normal(0.4 + step[0], 0.7 + step[1])
        tables.append(errors(p, q, step, ig.Normal.fisher, ig.fisher_rao_distance(p, q) ** 2))
    orders = {letter: np.log2(abs(tables[0][letter] / tables[1][letter])) for letter in "abcde"}
    assert {letter for letter, order in orders.items() if abs(order - 4) < 0.1} == set(SOLUTIONS["03.5"])
    assert all(abs(order - 3) < 0.1 for letter, order in orders.items() if letter in "abc")


def test_the_orders_from_taylor_series():
    """At N(0, 1), by which nothing is lost: shifts and scalings change none of the differences."""
    t, u, v = sympy.symbols("t u v", real=True)
    mean, std = t * u, 1 + t * v
    kl, back = kl_of_normals(0, 1, mean, std), kl_of_normals(mean, std, 0, 1)
    squared = t**2 * (u**2 + 2 * v**2)
    x = t**2 * (u**2 / 2 + v**2) / (2 * std)  # the distance is √2·arccosh(1 + x)
    distance_squared = 2 * (2 * x - x**2 / 3)  # arccosh(1 + x)² = 2x − x²/3 + …
    average = (kl + back) / 2
    differences = {
        "a": kl - squared / 2,
        "b": back - squared / 2,
        "c": average - squared / 2,
        "d": average - squared / (2 * (1 + t * v / 2) ** 2),
        "e": average - distance_squared / 2,
    }
    for letter, difference in differences.items():
        coefficients = [sympy.expand(sympy.diff(difference, t, k).subs(t, 0)) for k in range(5)]
        first = next(k for k, coefficient in enumerate(coefficients) if coefficient != 0)
        assert first == (4 if letter in SOLUTIONS["03.5"] else 3), (letter, coefficients)


def test_the_series_of_the_squared_arccosh():
    x = np.array([1e-3, 1e-2])
    np.testing.assert_allclose(np.arccosh(1 + x) ** 2, 2 * x - x**2 / 3, rtol=1e-4)


# -- right answers in other clothes ------------------------------------------------------------------------

X_SYMBOL = sympy.Symbol("x")


def two_sums(p, q):
    forward = np.sum(p * np.log(p / q), axis=-1)
    backward = np.sum(q * np.log(q / p), axis=-1)
    return (forward + backward) / 2


def by_entropies(p, q):
    crossed = -(p * np.log(q) + q * np.log(p)).sum(-1)
    own = -(xlogy(p, p) + xlogy(q, q)).sum(-1)
    return 0.5 * (crossed - own)


def by_einsum(p, q):
    return 0.5 * np.einsum("...k,...k->...", p - q, np.log(p) - np.log(q))


RIGHT = [
    ("03.1", 0.0034),
    ("03.1", 0.003401),
    ("03.1", sympy.Rational(17, 5000)),
    ("03.1", fractions.Fraction(17, 5000)),
    ("03.1", sympy.Float("0.0034")),
    ("03.1", sympy.Matrix([[0.0034]])),
    ("03.1", np.array([[0.0034]])),
    ("03.1", np.float32(0.0034)),
    ("03.2", two_sums),
    ("03.2", by_entropies),
    ("03.2", by_einsum),
    ("03.2", lambda p, q: (rel_entr(p, q) + rel_entr(q, p)).sum(-1) / 2),
    ("03.2", lambda p, q: (kl_div(p, q) + kl_div(q, p)).sum(-1) / 2),
    ("03.2", lambda p, q: 0.5 * (entropy(p, q, axis=-1) + entropy(q, p, axis=-1))),
    ("03.2", lambda p, q: right(p, q).tolist()),
    ("03.2", lambda p, q: np.vectorize(right, signature="(k),(k)->()")(p, q)),
    ("03.2", functools.partial(lambda scale, p, q: scale * right(p, q), 1.0)),
    ("03.3", 0.3),
    ("03.3", sympy.sqrt(sympy.Rational(9, 100))),
    ("03.3", sympy.Rational(3, 10)),
    ("03.3", 3 / sympy.Integer(10)),
    ("03.3", np.array([0.3])),
    ("03.3", np.float32(0.3)),
    ("03.4", (0.196, -0.294)),
    ("03.4", [0.196, -0.294]),
    ("03.4", np.array([[0.196], [-0.294]])),
    ("03.4", np.array([[0.196, -0.294]])),
    ("03.4", (sympy.Rational(49, 250), sympy.Rational(-147, 500))),
    ("03.4", sympy.Matrix([sympy.Rational(49, 250), sympy.Rational(-147, 500)])),
    ("03.4", sympy.diag("49/100", "49/200") * sympy.Matrix([0.4, -1.2])),
    ("03.5", "ED"),
    ("03.5", "d, e"),
    ("03.5", "(d) and (e)"),
    ("03.5", ["d", "e"]),
    ("03.5", ("e", "d", "d")),
    ("03.5", {"d", "e"}),
    ("03.5", frozenset("de")),
    ("03.5", np.array(["d", "e"])),
    ("03.5", np.str_("de")),
]


@pytest.mark.parametrize(
    ("key", "answer"), RIGHT, ids=lambda part: part if str(part).startswith("03") else ""
)
def test_the_solution_in_other_clothes(key, answer):
    assert ig.check(key, answer).correct


def test_digits_lost_for_near_distributions_are_remarked_on_but_right():
    for function in (two_sums, by_entropies):
        assert "One remark: " in said("03.2", function)
    assert "One remark: " not in said("03.2", by_einsum)


# -- mistakes ----------------------------------------------------------------------------------------------

MIDDLE = ig.Normal(2.015, 0.49)
NATURAL = np.array([0.196, -0.294])
FISHER = AT.fisher()
NEAR_MISSES = [
    ("03.1", 0.0068, "squared length of the step"),
    ("03.1", sympy.Rational(68, 10000), "squared length of the step"),
    ("03.1", 0.0136, "A factor is lost"),
    ("03.1", 0.0068**0.5, "This is the length of the step"),
    ("03.1", 0.0034**0.5, "A root has been taken"),
    ("03.1", 0.0026, "weighed alike"),
    ("03.1", 0.0052, "weighed alike"),
    ("03.1", 0.0022, "upside down"),
    ("03.1", 0.0044, "upside down"),
    ("03.1", 0.00085, "ruler at std 1"),
    ("03.1", 0.0017, "divides by the std, or by nothing at all"),
    ("03.1", 0.00065, "plain Euclidean length"),
    ("03.1", 0.0013, "plain Euclidean length"),
    ("03.1", 0.0018, "Only one of the two steps"),
    ("03.1", 0.0016, "Only one of the two steps"),
    ("03.1", 0.0036, "Only one of the two steps"),
    ("03.1", 0.0032, "Only one of the two steps"),
    ("03.1", 0.0002, "A sign has slipped"),
    ("03.1", 0.5 * (0.03 + 2 * 0.02) / 0.25, "have not been squared"),
    ("03.1", 0.5 * (0.0009 * 0.25 + 0.0004 * 0.125), "inverse of the Fisher matrix"),
    ("03.1", 0.0034 / LN2, "in bits"),
    ("03.1", P.kl(Q), "the exact KL(p‖q)"),
    ("03.1", 0.003666, "the exact KL(p‖q)"),
    ("03.1", 0.00367, "the exact KL(p‖q)"),
    ("03.1", Q.kl(P), "the exact KL(q‖p)"),
    ("03.1", 0.00342, "the exact KL(q‖p)"),
    ("03.1", 0.5 * STEP @ Q.fisher() @ STEP, "Fisher matrix at q"),
    ("03.1", 0.00369, "Fisher matrix at q"),
    ("03.1", 0.5 * STEP @ MIDDLE.fisher() @ STEP, "treats p and q alike"),
    ("03.1", 0.5 * (P.kl(Q) + Q.kl(P)), "treats p and q alike"),
    ("03.1", 0.5 * ig.fisher_rao_distance(P, Q) ** 2, "treats p and q alike"),
    ("03.1", 0.5 * (0.0009 / 0.25 + (0.48**2 - 0.25) ** 2 / (2 * 0.25**2)), "step in (mean, variance)"),
    ("03.1", 0.00345, "carry more digits"),
    ("03.1", -0.0034, "is positive"),
    ("03.1", 0, "is positive"),
    ("03.1", 0.1, "Write down the step"),
    ("03.1", X_SYMBOL**2 / 2, "an expression with x: put in the numbers, with subs"),
    ("03.3", 0.045, "the divergence itself"),
    ("03.3", 0.045**0.5, "A factor is missing"),
    ("03.3", sympy.sqrt(0.045), "A factor is missing"),
    ("03.3", 0.09, "square of the radius"),
    ("03.3", 0.0225, "halved, and no root"),
    ("03.3", 0.0225**0.5, "on the wrong side"),
    ("03.3", 2**0.5 * 0.045, "under the root together"),
    ("03.3", 2 * 0.045**0.5, "under the root together"),
    ("03.3", 0.6, "twice the radius"),
    ("03.3", 0.045**2, "square has been taken"),
    ("03.3", 0.045**2 / 2, "square has been taken"),
    ("03.3", 0.09**2, "square has been taken"),
    ("03.3", (0.09 * LN2) ** 0.5, "Bits and nats"),
    ("03.3", (0.09 / LN2) ** 0.5, "Bits and nats"),
    ("03.3", 0.303, "carry more digits"),
    ("03.3", -0.3, "A radius is positive"),
    ("03.3", 0, "A radius is positive"),
    ("03.3", 7, "solve for the length"),
    ("03.3", sympy.sqrt(2 * X_SYMBOL), "an expression with x: put in the numbers, with subs"),
    ("03.4", GRADIENT, "the ordinary gradient itself"),
    ("03.4", FISHER @ GRADIENT, "has been multiplied in"),
    ("03.4", sympy.Matrix(FISHER @ GRADIENT), "has been multiplied in"),
    ("03.4", -FISHER @ GRADIENT, "Both the sign and the side"),
    ("03.4", -NATURAL, "The sign is flipped"),
    ("03.4", NATURAL / np.linalg.norm(NATURAL), "in the Euclidean sense"),
    ("03.4", NATURAL / np.sqrt(NATURAL @ FISHER @ NATURAL), "in the Fisher metric"),
    ("03.4", GRADIENT / np.linalg.norm(GRADIENT), "ordinary gradient made one unit long"),
    ("03.4", (0.196, -0.588), "A factor is missing in the second entry"),
    ("03.4", (0.196, -1.176), "on the wrong side"),
    ("03.4", (0.098, -0.588), "gone to the wrong entry"),
    ("03.4", (0.28, -0.42), "the std where the variance belongs"),
    ("03.4", (0.28, -0.7 * 1.2 / 2**0.5), "root of the Fisher matrix"),
    ("03.4", np.linalg.inv(FISHER @ FISHER) @ GRADIENT, "divided by twice"),
    ("03.4", (0.196, -1.2 * 2 * 0.7**4), "Fisher information of the variance"),
    ("03.4", (0.196, -0.6), "logarithm of the std"),
    ("03.4", (0.4, -0.6), "ruler at std 1"),
    ("03.4", (1.69 * 0.4, -1.69 * 0.6), "mean has been taken for the std"),
    ("03.4", (-0.294, 0.196), "swapped"),
    ("03.4", (0.196, 0.294), "A sign is lost"),
    ("03.4", (0.198, -0.296), "carry more digits"),
    ("03.4", 0.25 * NATURAL, "The direction is right, the size is not."),
    ("03.4", (0.196, 3), "first entry is right, the second is not yet"),
    ("03.4", (3, -0.294), "second entry is right, the first is not yet"),
    ("03.4", (17, 19), "np.linalg.solve does it"),
    ("03.4", (0, 0), "np.linalg.solve does it"),
    ("03.4", np.linalg.inv(FISHER), "This is a matrix"),
    ("03.4", np.linalg.inv(FISHER) * GRADIENT, "multiplied as matrices with @"),
    ("03.4", 0.196, "the pair (of the mean, of the std), got one number"),
    ("03.4", np.ones(3), "got an array of shape (3,)"),
    ("03.4", (X_SYMBOL, 1), "an expression with x: put in the numbers, with subs"),
    ("03.5", "abcde", "Not all of them"),
    ("03.5", "abc", "Read the question once more"),
    ("03.5", "ade", "Look again at KL(p‖q) alone"),
    ("03.5", "a", "Look again at KL(p‖q) alone"),
    ("03.5", {"b", "d", "e"}, "Look again at KL(q‖p) alone"),
    ("03.5", "bd", "Look again at KL(q‖p) alone"),
    ("03.5", ["c", "d", "e"], "the average against the matrix at p"),
    ("03.5", "cd", "the average against the matrix at p"),
    ("03.5", "c", "the average against the matrix at p"),
    ("03.5", "d", "Which length from p to q"),
    ("03.5", ["e"], "favours neither p nor q?"),
    ("03.5", "", "Name at least one of the letters"),
    ("03.5", [], "Name at least one of the letters"),
    ("03.5", "dx", "got another text"),
    ("03.5", 4, "in quotation marks, got a number"),
]


@pytest.mark.parametrize(("key", "answer", "hint"), NEAR_MISSES)
def test_a_near_miss_gets_the_hint_that_fits(key, answer, hint):
    text = said(key, answer)
    assert text.startswith(f"{key} not yet: ")
    assert hint in text
    # the letters that one may name stand in the hint on what is no letter
    assert_nothing_given_away(key, text.replace("a, b, c, d, e", ""))


def kl(p, q):
    return np.sum(p * np.log(p / q), axis=-1)


def log2(p, q):
    return 0.5 * np.sum((p - q) * np.log2(p / q), axis=-1)


def absolute(p, q):
    return 0.5 * np.sum(p * np.abs(np.log(p / q)) + q * np.abs(np.log(q / p)), axis=-1)


def jensen_shannon(p, q):
    m = (p + q) / 2
    return 0.5 * kl(p, m) + 0.5 * kl(q, m)


def in_place(p, q):
    ratio = np.log(p / q)
    p -= q
    return 0.5 * np.sum(p * ratio, axis=-1)


def normalised_in_place(p, q):
    q /= 2.0
    return right(p, 2.0 * q)


def clipped(p, q):
    return right(np.clip(p, 1e-12, 1.0), np.clip(q, 1e-12, 1.0))


def with_a_threshold(p, q):
    return np.where(np.max(np.abs(p - q)) < 1e-3, 1e-3, right(p, q))


def math_log(p, q):
    return 0.5 * sum((p - q) * math.log(p / q))


def printing(p, q):
    print(right(p, q))


def two_classes(p, q):
    return right(p[..., :2], q[..., :2])


def lop_sided(p, q):
    return np.sum(p**2 * np.log(p / q), axis=-1) + 1


def negative(p, q):
    return right(p, q) - 1


WRONG_FUNCTIONS = {
    "sum": (lambda p, q: 2 * right(p, q), "the sum of the two directions"),
    "one": (kl, "KL(p‖q) alone"),
    "other": (lambda p, q: kl(q, p), "KL(q‖p) alone"),
    "half of one": (lambda p, q: kl(p, q) / 2, "one half of a single direction"),
    "half of the other": (lambda p, q: kl(q, p) / 2, "one half of a single direction"),
    "no parentheses": (
        lambda p, q: kl(p, q) + kl(q, p) / 2,
        "Only one of the two directions has been halved",
    ),
    "half the first": (
        lambda p, q: kl(p, q) / 2 + kl(q, p),
        "Only one of the two directions has been halved",
    ),
    "log2": (log2, "not the natural one"),
    "log2 of the sum": (lambda p, q: 2 * log2(p, q), "not the natural one"),
    "log10": (lambda p, q: right(p, q) / np.log(10), "not the natural one"),
    "minus": (lambda p, q: -right(p, q), "The sign is flipped"),
    "minus one": (lambda p, q: -kl(p, q), "The sign is flipped"),
    "ratio not turned": (
        lambda p, q: 0.5 * np.sum((p + q) * np.log(p / q), axis=-1),
        "subtracted, or both have the same ratio",
    ),
    "subtracted": (lambda p, q: (kl(p, q) - kl(q, p)) / 2, "subtracted, or both have the same ratio"),
    "mean": (
        lambda p, q: 0.5 * np.mean((p - q) * np.log(p / q), axis=-1),
        "a mean over the classes",
    ),
    "mean of one": (lambda p, q: np.mean(p * np.log(p / q), axis=-1), "a mean over the classes"),
    "mean of the sum": (
        lambda p, q: np.mean((p - q) * np.log(p / q), axis=-1),
        "a mean over the classes",
    ),
    "abs": (absolute, "An absolute value has slipped in"),
    "abs of one": (lambda p, q: np.sum(np.abs(p * np.log(p / q)), axis=-1), "An absolute value"),
    "total variation": (lambda p, q: 0.5 * np.abs(p - q).sum(-1), "This is the total variation"),
    "no weights": (lambda p, q: np.log(p / q).sum(-1), "The logarithms have no weights"),
    "Jensen–Shannon": (jensen_shannon, "the Jensen–Shannon divergence"),
    "cross-entropies": (
        lambda p, q: -0.5 * np.sum(p * np.log(q) + q * np.log(p), axis=-1),
        "These are the cross-entropies",
    ),
    "quadratic": (lambda p, q: 0.5 * np.sum((p - q) ** 2 / p, axis=-1), "This is a quadratic form"),
    "quadratic at the middle": (lambda p, q: np.sum((p - q) ** 2 / (p + q), axis=-1), "a quadratic form"),
    "chi-squared": (lambda p, q: np.sum((p - q) ** 2 / q, axis=-1), "This is a quadratic form"),
    "root": (lambda p, q: np.sqrt(right(p, q)), "A root has been taken"),
    "root of the sum": (lambda p, q: np.sqrt(2 * right(p, q)), "A root has been taken"),
    "geometric": (lambda p, q: np.sqrt(kl(p, q) * kl(q, p)), "Another mean of the two directions"),
    "larger": (lambda p, q: np.maximum(kl(p, q), kl(q, p)), "Another mean of the two directions"),
    "no sum": (lambda p, q: 0.5 * (p - q) * np.log(p / q), "the sum over the classes is missing"),
    "all": (lambda p, q: 0.5 * np.sum((p - q) * np.log(p / q)), "The sum runs over everything"),
    "mean of all": (lambda p, q: 0.5 * np.mean((p - q) * np.log(p / q)), "The sum runs over everything"),
    "first axis": (
        lambda p, q: 0.5 * np.sum((p - q) * np.log(p / q), axis=0),
        "The sum runs over the first axis",
    ),
    "entropy of scipy": (lambda p, q: (entropy(p, q) + entropy(q, p)) / 2, "runs over the first axis"),
    "keepdims": (
        lambda p, q: 0.5 * np.sum((p - q) * np.log(p / q), axis=-1, keepdims=True),
        "still there, with length 1",
    ),
    "second axis": (
        lambda p, q: right(p, q) if p.ndim < 3 else right(p.swapaxes(1, 2), q.swapaxes(1, 2)),
        "for p of shape (2, 3, 4) it returns shape (2, 4)",
    ),
    "squeezed": (lambda p, q: np.squeeze(right(p, q)), "for p of shape (1, 5) it returns shape ()"),
    "dot": (lambda p, q: 0.5 * (p - q) @ np.log(p / q), "The classes are the last axis, however many"),
    "second": (lambda p, q: np.sum(p * np.log(p / q), axis=1), "The classes are the last axis, however many"),
    "math": (math_log, "NumPy's functions take arrays, math's do not"),
    "nan": (lambda p, q: np.nan * right(p, q), "left its domain"),
    "log of a difference": (
        lambda p, q: 0.5 * np.sum((p - q) * np.log(p - q), axis=-1),
        "left its domain",
    ),
    "clipped": (clipped, "wrong where one is very rare"),
    "small number added": (lambda p, q: right(p + 1e-9, q + 1e-9), "wrong where one is very rare"),
    "threshold": (with_a_threshold, "wrong where they nearly agree"),
    "in place": (in_place, "It changes p or q itself"),
    "changed and back": (normalised_in_place, "It changes p or q itself"),
    "two classes": (two_classes, "is a number of classes or of rows fixed in it"),
    "lop-sided": (lop_sided, "It changes when p and q change places"),
    "negative": (negative, "Some values are negative"),
    "something else": (lambda p, q: 3 + right(p, q), "turn p and q over for the other direction"),
    "prints": (printing, "returns nothing: is there a return? It prints"),
    "no return": (lambda p, q: None, "returns nothing: is there a return?"),
    "raises": (lambda p, q: {}["weights"], "raises KeyError: 'weights'."),
    "one argument": (lambda p: p, "takes 1 positional argument but 2 were given."),
    "text": (lambda p, q: "kl", "returns a text; expected an array"),
    "complex": (lambda p, q: right(p, q) * 1j, "expected an array"),
    "called": (right(*lecture._TABLES["table"]), "Expected a function, got an array"),
    "symbolic": (lambda p, q: right(p, q) * X_SYMBOL, "expected an array"),
}


@pytest.mark.parametrize("name", WRONG_FUNCTIONS)
def test_a_wrong_function_gets_the_hint_that_fits(name):
    function, hint = WRONG_FUNCTIONS[name]
    text = said("03.2", function)
    assert text.startswith("03.2 not yet: ")
    assert hint in text
    assert "\n" not in text
    assert len(text) < 420
    assert_nothing_given_away("03.2", text)


def test_a_function_cannot_spoil_the_tables():
    assert said("03.2", in_place) == said("03.2", in_place)
    assert ig.check("03.2", right).correct


@pytest.mark.parametrize("name", ["small", "table", "one row", "cube"])
def test_each_table_tells_the_rules_apart(name):
    p, q = lecture._TABLES[name]
    wanted = np.max(right(p, q))
    for rule in ("one", "other", "ratio not turned", "mean", "abs", "Jensen–Shannon", "log2", "geometric"):
        function, _ = WRONG_FUNCTIONS[rule]
        assert np.max(np.abs(function(p, q) - right(p, q))) > 1e-4 * wanted, rule


def test_probabilities_may_be_given_as_logits_inside():
    def by_logits(p, q):
        a, b = np.log(p), np.log(q)
        a, b = (z - logsumexp(z, axis=-1, keepdims=True) for z in (a, b))
        return 0.5 * np.sum((np.exp(a) - np.exp(b)) * (a - b), axis=-1)

    assert ig.check("03.2", by_logits).correct


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
    assert_nothing_given_away(key, re.sub(r"shape \(.*?\)|a, b, c, d, e", "", text))


@pytest.mark.parametrize("answer", [(..., -0.294), [0.196, ...], np.array([..., 1], dtype=object)])
def test_half_an_answer_is_none(answer):
    assert said("03.4", answer).startswith("03.4 not answered yet: ")


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
    st.sampled_from([sympy.pi, sympy.Rational(17, 5), X_SYMBOL, sympy.nan, sympy.I, sympy.eye(2), len]),
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
        st.frozensets(st.text(alphabet="abcdeDEx ,", max_size=3), max_size=4),
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
    text = said("03.2", lambda p, q: junk)
    assert text.startswith("03.2 not yet: ") and "\n" not in text


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    pair=arrays.arrays(
        float,
        st.sampled_from([(2,), (2, 1), (2, 2)]),
        elements=st.one_of(st.floats(), st.sampled_from([0.196, -0.294])),
    )
)
def test_no_pair_breaks_a_check_or_learns_the_answer(pair):
    feedback = ig.check("03.4", pair)
    if not feedback.correct:
        assert_nothing_given_away("03.4", repr(feedback))


@pytest.mark.parametrize("key", ["03.1", "03.3"])
def test_no_number_breaks_a_check_or_learns_the_answer(key):
    for value in [*np.geomspace(1e-320, 1e308, 120), *np.geomspace(1e-4, 1.0, 500), *np.linspace(-1, 1, 41)]:
        feedback = ig.check(key, float(value))
        if not feedback.correct:
            assert_nothing_given_away(key, repr(feedback))


def test_every_choice_of_letters_has_its_word():
    letters = "abcde"
    subsets = ["".join(c for i, c in enumerate(letters) if mask >> i & 1) for mask in range(1, 32)]
    assert [chosen for chosen in subsets if ig.check("03.5", chosen).correct] == ["de"]
    for chosen in subsets:
        if chosen != "de":
            assert_nothing_given_away("03.5", said("03.5", chosen))


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
    heard += [said("03.2", function) for function, _ in WRONG_FUNCTIONS.values()]
    for exercise in lecture.EXERCISES:
        for text in (*(miss.text for miss in exercise.near_misses), exercise.otherwise):
            if isinstance(text, str):
                assert f"{exercise.key} not yet: {text}" in heard, text


@pytest.mark.parametrize("exercise", [e for e in lecture.EXERCISES if e.key != "03.2"], ids=lambda e: e.key)
def test_no_right_answer_is_taken_for_a_mistake(exercise):
    value = exercise.read(SOLUTIONS[exercise.key])
    fitting = [miss.text for miss in exercise.near_misses if miss.matches(value)]
    harmless = ("Very near", "entry is right", "The direction is right, the size is not.")
    assert all(any(words in text for words in harmless) for text in fitting), fitting


def test_feedback_is_the_same_each_time():
    for key, answer, _ in NEAR_MISSES:
        assert said(key, answer) == said(key, answer)
