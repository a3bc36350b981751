"""The exercises of lecture 01: their table of answers and replies, and what is special about them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from scipy.special import ndtr
from scipy.stats import norm

import igviz as ig
from tests.exercises.replies import reply

ROOT = math.sqrt(2)


def x(m1, s1, m2, s2, half=0.5, power=1):
    return (half * (m1 - m2) ** 2 + (s1**power - s2**power) ** 2) / (2 * s1**power * s2**power)


def right(*points):
    """The solution as in the notebook."""
    return ROOT * np.arccosh(1 + x(*points))


def exact(*points):
    return 2 * ROOT * np.arcsinh(np.sqrt(x(*points) / 2))


SOLUTIONS = {
    "01.1": ROOT * np.arccosh(2),
    "01.2": 3.0,
    "01.3": right,
    "01.4": 87,
    "01.5": (2.0, math.sqrt(5.0)),
}
WRITTEN = {
    "01.1": r"1\.86\d*|1\.9",
    "01.2": r"3(\.0*)?|three",
    "01.3": "arcsinh",
    "01.4": r"87(\.0*)?|eighty-seven",
    "01.5": r"2\.23\d*|2\.24|√5|5",
}
REPLIES = [
    ("01.1", np.arccosh(2), "without the factor √2"),
    ("01.1", 1.32, "without the factor √2"),
    ("01.1", ROOT * np.arccosh(3), "A factor ½ is missing"),
    ("01.1", np.arccosh(3), "plain hyperbolic distance"),
    ("01.1", 2, "length of the straight path"),
    ("01.1", 2 * np.arccosh(2) ** 2, "square of the distance"),
    ("01.1", ROOT * 2, "arccosh has not been taken"),
    ("01.1", 1.87, "carry more digits"),
    ("01.1", -1.8625, "is positive"),
    ("01.1", 0.3, "Put the four parameters into"),
    ("01.2", 9, "This is the variance; the std is asked for"),
    ("01.2", 1.732, "used the variance where the std belongs"),
    ("01.2", 1 / 3, "upside down"),
    ("01.2", 1, "With the std unchanged"),
    ("01.2", -3, "A std is positive"),
    ("01.2", 0, "A std is positive"),
    ("01.2", 2, "apart, the first 0.9803: widen the second"),
    ("01.2", 5.5, "apart, the first 0.9803: narrow the second"),
    ("01.2", 3.04, "carry more digits"),
    ("01.2", 1e300, "The size is far off"),
    ("01.3", lambda *p: np.arccosh(1 + x(*p)), "without the factor √2"),
    ("01.3", lambda *p: ROOT * np.arccosh(1 + x(*p, power=0.5)), "used the variance where the std"),
    ("01.3", lambda *p: ROOT * np.arccosh(1 + x(*p, power=2)), "used the variance where the std"),
    ("01.3", lambda *p: ROOT * np.arccosh(1 + x(*p) / (p[1] * p[3])), "used the variance where the std"),
    ("01.3", lambda *p: np.arccosh(1 + x(*p, half=1)), "plain hyperbolic"),
    ("01.3", lambda *p: ROOT * np.arccosh(1 + x(*p, half=1)), "A factor ½ is missing"),
    ("01.3", lambda *p: ROOT * np.arccosh(1 + 2 * x(*p)), "twice the product"),
    ("01.3", lambda *p: ROOT * np.arccosh(x(*p)), "The 1 + inside the arccosh is missing"),
    ("01.3", lambda a, b, c, d: np.hypot(a - c, b - d), "Euclidean"),
    ("01.3", lambda *p: np.arccos(1 + x(*p)), "nan"),
    ("01.3", lambda *p: np.inf * (1 + x(*p)), "nan or infinite"),
    ("01.3", lambda *p: ROOT * np.arccosh(1 + x(*p) * p[3] / p[1]), "not symmetric"),
    ("01.3", lambda *p: np.where(x(*p) == 0, 1.0, right(*p)), "right for some points and wrong for others"),
    ("01.3", lambda *p: np.sort(right(*p), axis=None).reshape(np.shape(right(*p))), "right for some points"),
    ("01.3", lambda *p: 3 * right(*p), "compare term by term"),
    ("01.3", lambda *p: ROOT * math.acosh(1 + x(*p)), "It must work for arrays too"),
    ("01.3", lambda *p: None, "returns nothing: is there a return?"),
    ("01.3", lambda *p: [][0], "raises IndexError: list index out of range"),
    ("01.3", lambda p, q: 0.0, "takes 2 positional arguments but 4 were given"),
    ("01.3", lambda *p: "far", "returns a text; expected a number"),
    ("01.3", lambda *p: np.max(right(*p)), "one value for each pair of points"),
    ("01.4", 148, "slope alone"),
    ("01.4", -32 * np.log(0.01), "slope alone"),
    ("01.4", 126, "bound ½·exp(−nC)"),
    ("01.4", 37, "uses KL as the exponent"),
    ("01.4", 22, "A ½ is missing"),
    ("01.4", 107, "adds the two kinds of error"),
    ("01.4", 10, "square root is missing"),
    ("01.4", 86.59, "Samples come whole"),
    ("01.4", 60.5, "n is the smallest whole number"),
    ("01.4", 86, "Rounded the wrong way"),
    ("01.4", 88, "fewer would do"),
    ("01.4", 60, f"{100 * ndtr(-np.sqrt(60) / 4):.2f} %, still above 1 %"),
    ("01.4", 10**6, "less than 0.01 %: fewer would do"),
    ("01.4", 0, "At least one sample"),
    ("01.5", (2, 1), "midpoint of the straight line in (mean, std), and of the e-geodesic"),
    ("01.5", (2, 5), "variance where the std belongs"),
    ("01.5", (2, math.sqrt(3)), "midpoint of the Fisher–Rao geodesic"),
    ("01.5", (2, 9), "These are the expectation coordinates"),
    ("01.5", (2, 3), "squared mean has not been subtracted"),
    ("01.5", (2, math.sqrt(7)), "where its square belongs"),
    ("01.5", (math.sqrt(5), 2), "swapped"),
    ("01.5", (2, 2.25), "carry more digits"),
    ("01.5", (1, math.sqrt(5)), "The mean is not right yet"),
    ("01.5", (2, -1), "A std is positive"),
    ("01.5", (2, 40), "The mean is right, the std is not yet"),
    ("01.5", 2, "Expected the 2 numbers (mean, std), got one number"),
    ("01.5", ig.Normal([2, 2], 1), "Expected the 2 numbers"),
]


def test_the_right_numbers_from_elsewhere():
    n = np.arange(1, 1000)
    bayes = 0.5 * (norm.sf(0.25, scale=1 / np.sqrt(n)) + norm.cdf(0.25, loc=0.5, scale=1 / np.sqrt(n)))
    assert n[bayes < 0.01][0] == SOLUTIONS["01.4"]
    mixture = np.repeat([0.0, 4.0], 2) + np.tile([-1.0, 1.0], 2)  # has the moments of the even mixture
    np.testing.assert_allclose((mixture.mean(), mixture.std()), SOLUTIONS["01.5"])
    np.testing.assert_allclose(right(0, SOLUTIONS["01.2"], 3, SOLUTIONS["01.2"]), right(0, 1, 1, 1))


P, Q = ig.Normal(0, 1), ig.Normal(4, 1)
N = np.arange(1, 1000)


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("01.1", 1.8625),
        ("01.1", ROOT * sympy.acosh(2)),
        ("01.1", ig.fisher_rao_distance(P, ig.Normal(2, 1))),
        ("01.2", np.array([3.0])),
        ("01.3", lambda a, b, c, d: ig.fisher_rao_distance(ig.Normal(a, b), ig.Normal(c, d))),
        ("01.3", lambda *p: np.asarray(exact(*p)).tolist()),
        ("01.4", N[ig.bayes_error(P, ig.Normal(0.5, 1), N) < 0.01][0]),
        ("01.5", [2, 2.236]),
        ("01.5", (2, sympy.sqrt(5))),
        ("01.5", ig.geodesic(P, Q, "expectation")(0.5)),
        ("01.5", ig.geodesic(P, Q, "expectation")(0.5).source),
    ],
)
def test_the_solution_in_other_clothes(key, answer):
    assert ig.check(key, answer).correct


def test_the_stub_of_the_function():
    assert reply("01.3", lambda mean1, std1, mean2, std2: ...).startswith("01.3 not answered yet: ")


def test_digits_lost_for_near_points_are_remarked_on_but_right():
    assert "One remark: " in reply("01.3", right)
    assert "One remark: " not in reply("01.3", exact)


def test_no_pair_breaks_a_check():
    for mean in (-1e308, -1.0, 0.0, 2.0, 1e308):
        for std in (-1e308, 0.0, 1e-320, 2.2, 1e308):
            assert reply("01.5", (mean, std)).startswith("01.5 not yet: ")
