"""The exercises of lecture 03: their table of answers and replies, and what is special about them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import sympy
from scipy.special import kl_div, rel_entr, xlogy
from scipy.stats import entropy, norm

import igviz as ig
from tests.exercises.replies import assert_nothing_given_away, reply

P, Q, STEP = ig.Normal(2.0, 0.5), ig.Normal(2.03, 0.48), np.array([0.03, -0.02])
AT, GRADIENT = ig.Normal(1.3, 0.7), np.array([0.4, -1.2])
FISHER, NATURAL = AT.fisher(), np.array([0.196, -0.294])
X = sympy.Symbol("x")


def right(p, q):
    """The solution as in the notebook."""
    return 0.5 * np.sum((p - q) * np.log(p / q), axis=-1)


def kl(p, q):
    return np.sum(p * np.log(p / q), axis=-1)


def by_entropies(p, q):
    crossed = -(p * np.log(q) + q * np.log(p)).sum(-1)
    return 0.5 * (crossed + (xlogy(p, p) + xlogy(q, q)).sum(-1))


def by_einsum(p, q):
    return 0.5 * np.einsum("...k,...k->...", p - q, np.log(p) - np.log(q))


def in_place(p, q):
    ratio = np.log(p / q)
    p -= q
    return 0.5 * np.sum(p * ratio, axis=-1)


def changed_and_back(p, q):
    q /= 2.0
    return right(p, 2.0 * q)


def second_axis(p, q):
    return right(p, q) if p.ndim < 3 else right(p.swapaxes(1, 2), q.swapaxes(1, 2))


SOLUTIONS = {
    "03.1": 0.5 * STEP @ P.fisher() @ STEP,
    "03.2": right,
    "03.3": np.sqrt(2 * 0.045),
    "03.4": np.linalg.solve(FISHER, GRADIENT),
    "03.5": "de",
}
WRITTEN = {
    "03.1": r"0?\.003[34]\d*|3\.4(\d*|e-0?3)|2·Δstd²|Δmean² \+ 2",
    "03.2": r"\(p\s*[−-]\s*q\)|½·?Σ",
    "03.3": r"0?\.(3|29\d*|30\d*)0*|√\(2|√2|2ε|2·KL",
    "03.4": r"[−-]?0?\.(196|294|19\d|29\d)\d*|0?\.49|0?\.245|std²/2|std²·",
    "03.5": r"(?<!c, )d, ?e|de|ed|\(d\)|\(e\)|midpoint|half the step|[Dd]istance",
}
REPLIES = [
    ("03.1", 0.0068, "squared length of the step"),
    ("03.1", sympy.Rational(68, 10000), "squared length of the step"),
    ("03.1", 0.5 * (0.0009 / 0.25 + (0.48**2 - 0.25) ** 2 / (2 * 0.25**2)), "step in (mean, variance)"),
    ("03.1", 0.0026, "weighed alike"),
    ("03.1", 0.0052, "weighed alike"),
    ("03.1", 0.00085, "ruler at std 1"),
    ("03.1", 0.0018, "Only one of the two steps"),
    ("03.1", 0.0016, "Only one of the two steps"),
    ("03.1", 0.0036, "Only one of the two steps"),
    ("03.1", 0.0032, "Only one of the two steps"),
    ("03.1", P.kl(Q), "the exact KL(p‖q)"),
    ("03.1", 0.003666, "the exact KL(p‖q)"),
    ("03.1", 0.00367, "the exact KL(p‖q)"),
    ("03.1", Q.kl(P), "the exact KL(q‖p)"),
    ("03.1", 0.00342, "the exact KL(q‖p)"),
    ("03.1", 0.5 * STEP @ Q.fisher() @ STEP, "Fisher matrix at q"),
    ("03.1", 0.00369, "Fisher matrix at q"),
    ("03.1", 0.00345, "carry more digits"),
    ("03.1", -0.0034, "is positive"),
    ("03.1", 0, "is positive"),
    ("03.1", 0.1, "Write down the step"),
    ("03.1", X**2 / 2, "an expression with x: put in the numbers, with subs"),
    ("03.2", lambda p, q: 2 * right(p, q), "the sum of the two directions"),
    ("03.2", kl, "KL(p‖q) alone"),
    ("03.2", lambda p, q: kl(q, p), "KL(q‖p) alone"),
    ("03.2", lambda p, q: right(p, q) / np.log(2), "not the natural one"),
    ("03.2", lambda p, q: 2 * right(p, q) / np.log(2), "not the natural one"),
    ("03.2", lambda p, q: right(p, q) / np.log(10), "not the natural one"),
    ("03.2", lambda p, q: 0.5 * np.sum((p + q) * np.log(p / q), -1), "both have the same ratio"),
    ("03.2", lambda p, q: (kl(p, q) - kl(q, p)) / 2, "subtracted, or both have the same ratio"),
    ("03.2", lambda p, q: 0.5 * (p - q) * np.log(p / q), "the sum over the classes is missing"),
    ("03.2", lambda p, q: 0.5 * np.sum((p - q) * np.log(p / q)), "The sum runs over everything"),
    ("03.2", lambda p, q: 0.5 * np.mean((p - q) * np.log(p / q)), "The sum runs over everything"),
    ("03.2", lambda p, q: 0.5 * np.sum((p - q) * np.log(p / q), 0), "The sum runs over the first axis"),
    ("03.2", lambda p, q: (entropy(p, q) + entropy(q, p)) / 2, "runs over the first axis"),
    ("03.2", second_axis, "for p of shape (2, 3, 4) it returns shape (2, 4)"),
    ("03.2", lambda p, q: np.squeeze(right(p, q)), "for p of shape (1, 5) it returns shape ()"),
    ("03.2", lambda p, q: right(p, q)[..., None], "for p of shape (3,) it returns shape (1,)"),
    ("03.2", lambda p, q: 0.5 * (p - q) @ np.log(p / q), "The classes are the last axis, however many"),
    ("03.2", lambda p, q: np.sum(p * np.log(p / q), 1), "The classes are the last axis, however many"),
    ("03.2", lambda p, q: sum((p - q) * math.log(p / q)), "NumPy's functions take arrays, math's do not"),
    ("03.2", lambda p, q: np.nan * right(p, q), "left its domain"),
    ("03.2", lambda p, q: 0.5 * np.sum((p - q) * np.log(p - q), axis=-1), "left its domain"),
    ("03.2", lambda p, q: right(np.clip(p, 1e-12, 1), np.clip(q, 1e-12, 1)), "where one is very rare"),
    ("03.2", lambda p, q: right(p + 1e-9, q + 1e-9), "wrong where one is very rare"),
    ("03.2", in_place, "It changes p or q itself"),
    ("03.2", changed_and_back, "It changes p or q itself"),
    ("03.2", lambda p, q: right(p[..., :2], q[..., :2]), "a number of classes or of rows fixed in it"),
    ("03.2", lambda p, q: np.maximum(right(p, q), 1e-3), "Right for some arrays and wrong for others"),
    ("03.2", lambda p, q: 3 + right(p, q), "turn p and q over for the other direction"),
    ("03.2", lambda p, q: print(right(p, q)), "returns nothing: is there a return? It prints"),
    ("03.2", lambda p, q: None, "returns nothing: is there a return?"),
    ("03.2", lambda p, q: {}["weights"], "raises KeyError: 'weights'."),
    ("03.2", lambda p: p, "takes 1 positional argument but 2 were given."),
    ("03.2", lambda p, q: "kl", "returns a text; expected an array"),
    ("03.2", lambda p, q: right(p, q) * 1j, "expected an array"),
    ("03.2", lambda p, q: right(p, q) * X, "expected an array"),
    ("03.2", np.ones(4), "Expected a function, got an array"),
    ("03.3", 0.045, "the divergence itself"),
    ("03.3", 0.045**0.5, "A factor is missing"),
    ("03.3", sympy.sqrt(0.045), "A factor is missing"),
    ("03.3", 0.09, "square of the radius"),
    ("03.3", 0.0225**0.5, "on the wrong side"),
    ("03.3", 2**0.5 * 0.045, "under the root together"),
    ("03.3", 2 * 0.045**0.5, "under the root together"),
    ("03.3", 0.6, "twice the radius"),
    ("03.3", 0.303, "carry more digits"),
    ("03.3", -0.3, "A radius is positive"),
    ("03.3", 0, "A radius is positive"),
    ("03.3", 7, "solve for the length"),
    ("03.3", sympy.sqrt(2 * X), "an expression with x: put in the numbers, with subs"),
    ("03.4", GRADIENT, "the ordinary gradient itself"),
    ("03.4", FISHER @ GRADIENT, "has been multiplied in"),
    ("03.4", sympy.Matrix(FISHER @ GRADIENT), "has been multiplied in"),
    ("03.4", -NATURAL, "The sign is flipped"),
    ("03.4", (0.196, -0.588), "A factor is missing in the second entry"),
    ("03.4", (0.196, -1.176), "on the wrong side"),
    ("03.4", (0.28, -0.42), "the std where the variance belongs"),
    ("03.4", (0.4, -0.6), "ruler at std 1"),
    ("03.4", (-0.294, 0.196), "swapped"),
    ("03.4", (0.198, -0.296), "carry more digits"),
    ("03.4", 0.25 * NATURAL, "The direction is right, the size is not."),
    ("03.4", NATURAL / np.linalg.norm(NATURAL), "The direction is right, the size is not."),
    ("03.4", (0.196, 3), "first entry is right, the second is not yet"),
    ("03.4", (3, -0.294), "second entry is right, the first is not yet"),
    ("03.4", (17, 19), "np.linalg.solve does it"),
    ("03.4", (0, 0), "np.linalg.solve does it"),
    ("03.4", np.linalg.inv(FISHER), "This is a matrix"),
    ("03.4", np.linalg.inv(FISHER) * GRADIENT, "multiplied as matrices with @"),
    ("03.4", 0.196, "Expected the pair (of the mean, of the std), got one number"),
    ("03.4", np.ones(3), "got an array of shape (3,)"),
    ("03.4", (X, 1), "an expression with x: put in the numbers, with subs"),
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
    ("03.5", [], "Name at least one of the letters"),
    ("03.5", "dx", "got another text"),
    ("03.5", 4, "in quotation marks, got a number"),
]

# -- the right answers, from elsewhere ---------------------------------------------------------------------


def test_the_prediction_from_second_derivatives_of_the_divergence_and_its_error_by_quadrature():
    n, t = sympy.symbols("n t", positive=True)
    divergence = sympy.log(2 * t) + (sympy.Rational(1, 4) + (2 - n) ** 2) / (2 * t**2)  # up to a constant
    step = sympy.Matrix([3, -2]) / 100
    hessian = sympy.hessian(divergence, (n, t)).subs({n: 2, t: sympy.Rational(1, 2)})
    assert (step.T * hessian * step)[0] / 2 == sympy.Rational(34, 10000)
    x = np.linspace(-4.0, 8.0, 20001)
    log_p, log_q = norm.logpdf(x, 2, 0.5), norm.logpdf(x, 2.03, 0.48)
    off = np.trapezoid(np.exp(log_p) * (log_p - log_q), x) / 0.0034 - 1
    half = P.kl(ig.Normal(2.015, 0.49)) / (0.0034 / 4) - 1
    assert round(100 * off) == 8
    assert 1.9 < off / half < 2.2


def test_the_average_from_the_library():
    p, q = np.random.default_rng(3).dirichlet(np.ones(4), (2, 3))
    pairs = zip(map(ig.Categorical, p), map(ig.Categorical, q), strict=True)
    both = [0.5 * (a.kl(b) + b.kl(a)) for a, b in pairs]
    np.testing.assert_allclose(right(p, q), both, rtol=1e-12)


@pytest.mark.parametrize("angle", [0.3, 1.1, 2.0, 4.4])
def test_the_radius_is_the_distance_to_a_small_ball_of_the_divergence(angle):
    """The share by which it misses shrinks in proportion to the radius."""
    misses = []
    for shrunk in (10, 20):
        radius = SOLUTIONS["03.3"] / shrunk
        sizes = np.linspace(0.5, 1.5, 20001) * radius * AT.std
        q = ig.Normal(1.3 + sizes * np.cos(angle), 0.7 + sizes * np.sin(angle) / np.sqrt(2))
        border = np.searchsorted(AT.kl(q), 0.045 / shrunk**2)
        misses.append(ig.fisher_rao_distance(AT, q)[border] / radius - 1)
    assert abs(misses[0]) < 0.05
    assert 1.8 < misses[0] / misses[1] < 2.2


def test_the_natural_gradient_is_the_steepest_way_for_its_divergence():
    """Among all small steps of one KL the one along it raises the linear function most."""
    angles = np.linspace(0, 2 * np.pi, 40001)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    gain = directions @ GRADIENT / np.sqrt(AT.kl(ig.Normal(*(AT.source + 1e-4 * directions).T)))
    natural = SOLUTIONS["03.4"] / np.linalg.norm(SOLUTIONS["03.4"])
    np.testing.assert_allclose(directions[np.argmax(gain)], natural, atol=1e-3)
    per_kl = GRADIENT / np.sqrt(np.diag(FISHER))
    assert 2.0 < -per_kl[1] / per_kl[0] < 2.2  # which is called about twice, against three times before


@pytest.mark.parametrize("direction", [(0.8, 0.5), (-0.6, 0.9), (0.4, -0.7)])
def test_the_orders_by_halving_the_step(direction):
    def errors(size):
        p, step = ig.Normal(0.4, 0.7), size * np.array(direction)
        q, middle = ig.Normal(*(p.source + step)), ig.Normal(*(p.source + step / 2))
        at_p, at_middle = (0.5 * step @ place.fisher() @ step for place in (p, middle))
        forward, backward, distance = p.kl(q), q.kl(p), ig.fisher_rao_distance(p, q)
        average = 0.5 * (forward + backward)
        forms = np.array([at_p, at_p, at_p, at_middle, 0.5 * distance**2])
        return np.array([forward, backward, average, average, average]) - forms

    orders = np.log2(np.abs(errors(0.02) / errors(0.01)))
    np.testing.assert_allclose(orders, [4 if c in SOLUTIONS["03.5"] else 3 for c in "abcde"], atol=0.1)


# -- what is special ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("03.1", 0.003401),
        ("03.1", sympy.Rational(17, 5000)),
        ("03.1", np.array([[0.0034]])),
        ("03.2", lambda p, q: (kl(p, q) + kl(q, p)) / 2),
        ("03.2", by_entropies),
        ("03.2", by_einsum),
        ("03.2", lambda p, q: (rel_entr(p, q) + rel_entr(q, p)).sum(-1) / 2),
        ("03.2", lambda p, q: (kl_div(p, q) + kl_div(q, p)).sum(-1) / 2),
        ("03.2", lambda p, q: 0.5 * (entropy(p, q, axis=-1) + entropy(q, p, axis=-1))),
        ("03.2", lambda p, q: right(p, q).tolist()),
        ("03.3", sympy.Rational(3, 10)),
        ("03.3", np.array([0.3])),
        ("03.4", [0.196, -0.294]),
        ("03.4", np.array([[0.196], [-0.294]])),
        ("03.4", np.array([[0.196, -0.294]])),
        ("03.4", sympy.diag("49/100", "49/200") * sympy.Matrix([0.4, -1.2])),
        ("03.5", "ED"),
        ("03.5", "(d) and (e)"),
        ("03.5", {"d", "e"}),
    ],
)
def test_the_solution_in_other_clothes(key, answer):
    assert ig.check(key, answer).correct


def test_the_stub_of_the_function_and_half_a_pair():
    assert reply("03.2", lambda p, q: ...).startswith("03.2 not answered yet: ")
    assert reply("03.4", (..., -0.294)).startswith("03.4 not answered yet: ")


def test_digits_lost_for_near_distributions_are_remarked_on_but_right():
    assert "One remark: " in reply("03.2", by_entropies)
    assert "One remark: " not in reply("03.2", right)
    assert "One remark: " not in reply("03.2", by_einsum)


def test_no_pair_breaks_a_check_or_learns_the_answer():
    values = (-np.inf, -1e308, -0.3, -0.294, 0.0, 1e-320, 0.196, 0.2, 1e308, np.nan)
    for pair in itertools.product(values, repeat=2):
        text = reply("03.4", pair)
        if pair != (0.196, -0.294):
            assert text.startswith("03.4 not yet: ")
            assert_nothing_given_away(WRITTEN, "03.4", text)


def test_every_choice_of_letters_has_its_word():
    for chosen in ("".join(c for i, c in enumerate("abcde") if mask >> i & 1) for mask in range(1, 32)):
        assert ig.check("03.5", chosen).correct == (chosen == "de")
        if chosen != "de":
            assert_nothing_given_away(WRITTEN, "03.5", reply("03.5", chosen))
