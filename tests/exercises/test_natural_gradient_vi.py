"""The exercises of lecture 05: their table of answers and replies, and what is special about them."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import pytest
import sympy
from scipy.integrate import quad

import igviz as ig
from igviz.models import skewed_posterior
from tests.exercises.replies import assert_nothing_given_away, reply
from tests.inference.data_sets import digits

ONE, HALF = (1.3, 1 / math.sqrt(6)), (-0.4, math.sqrt(0.4))
S1, S3, X = ONE[1], HALF[1], sympy.Symbol("x")
inv, solve = np.linalg.inv, np.linalg.solve


def right_step(precision, mean, gradient, hessian, step):
    """The solution as in the notebook."""
    new_precision = (1 - step) * precision - step * hessian
    return mean + step * solve(new_precision, gradient), new_precision


def step_with(precision=None, mean=None):
    """A step with another precision, or another mean; the mean moves by the precision that is returned."""

    def function(old, m, g, h, r):
        new = (1 - r) * old - r * h if precision is None else precision(old, h, r)
        return m + r * solve(new, g) if mean is None else mean(new, m, g, r, old), new

    return function


def changes_mean(precision, mean, gradient, hessian, step):
    new = (1 - step) * precision - step * hessian
    mean += step * solve(new, gradient)
    return mean, new


def by_natural_coordinates(precision, mean, gradient, hessian, step):
    new = (1 - step) * precision - step * hessian
    return inv(new) @ ((1 - step) * precision @ mean + step * (gradient - hessian @ mean)), new


def exact(f, v):
    return np.exp(f + v / 2)


def plug_in(f, v):
    return np.exp(f)


def poisson_with(rate=exact, weights=None, data=1, prior=(1, 1), mean=None, cov=None, pair=False):
    """The step as in the notebook, with places for mistakes."""

    def function(X, y, q):
        f, v, old = X @ q.mean, np.sum((X @ q.cov) * X, axis=1), inv(q.cov)
        gradient = X.T @ (y - rate(f, v)) - prior[0] * q.mean
        new = data * X.T @ np.diag((weights or rate)(f, v)) @ X + prior[1] * np.eye(len(q.mean))
        moved = q.mean + solve(new, gradient) if mean is None else mean(new, q.mean, gradient, old)
        both = moved, inv(new) if cov is None else cov(new, old)
        return both if pair else ig.MultivariateNormal(*both)

    return function


right_poisson, as_pair = poisson_with(), poisson_with(pair=True)


def covariance_first(X, y, q):
    new = right_poisson(X, y, q)
    rate = np.exp(X @ q.mean + np.diag(X @ new.cov @ X.T) / 2)
    return ig.MultivariateNormal(q.mean + new.cov @ (X.T @ (y - rate) - q.mean), new.cov)


def sampled(X, y, q, rng=np.random.default_rng(4)):  # noqa: B008
    draws = rng.normal(size=(500, len(y)))
    return poisson_with(lambda f, v: np.exp(f + np.sqrt(v) * draws).mean(0))(X, y, q)


def changes_y(X, y, q):
    new = right_poisson(X, y, q)
    y -= 1
    return new


def library_step(X, y, q):
    model = ig.PoissonRegression(X, y)
    return ig.natural_gradient_vi(model, q, step=1.0, safeguard=False, max_iter=1).q


SOLUTIONS = {"05.1": ONE, "05.2": right_step, "05.3": HALF, "05.4": "ade", "05.5": right_poisson}
WRITTEN = {
    "05.1": r"1\.3|1\.30+|0?\.408\d*|0?\.41|1/√6|6|√6",
    "05.2": r"\(1 − ρ\)·?Λ|ρ·?Λ_new|Λ_new|solve|m \+ ρ|1 − step",
    "05.3": r"[−-]0?\.40*|0?\.4|0?\.63\d*|2\.5|√0?\.4|2/5",
    "05.4": r"\W?a, ?d, ?e\W?|ade|eda|\(a\)|\(d\)|\(e\)",
    "05.5": r"s²/2|variance/2|variance / 2|½·?variance|m \+ s²|exp\(|I \+ X|q\.mean \+",
}
KEPT, SPREAD = "The old precision keeps its full weight", "The spread of xᵀθ comes into the rate, but not as"
OLD, RATE = "The old precision is still in the new", "The rate is taken at the mean of q"
NO_PRIOR, NO_NORMAL = "The prior is missing", "Return the new q, as ig.MultivariateNormal"
SIGN = "Hessian comes in with the wrong sign"
REPLIES = [
    ("05.1", (2.1, -1.2), "Does E[f″], which is negative at a top"),
    *(("05.1", pair, "is a precision or a variance") for pair in ((1.3, 6), (1.3, 1 / 6), (1.4, 6))),
    *(("05.1", (m, 1 / 3), "where a step of size 1 goes") for m in (1.1 + 3 / 9, 1.1 + 1.2 / 9)),
    *(("05.1", (1.1 + 1.2 / p, p**-0.5), KEPT) for p in (7.6, 13)),
    *(("05.1", (1.1 + 1.2 / p, p**-0.5), "A factor of 2") for p in (4.2, 9.6)),
    *(("05.1", (1.1 + 1.2 / p, p**-0.5), "what has the std 0.5 for its") for p in (4.8, 3.9, 3.75)),
    *(("05.1", (m, S1), "The mean moves by the old precision") for m in (1.4, 1.85)),
    *(("05.1", (m, S1), "step size is missing in the step of the mean") for m in (1.6, 1.1 + 1 / 3)),
    ("05.1", (0.9, S1), "The mean goes downhill"),
    ("05.1", (1.3, 0.41), "carry more digits"),
    ("05.1", (3.3, S1), "The std is right, the mean is not yet"),
    ("05.1", (1.3, 0.9), "The mean is right, the std is not yet"),
    ("05.1", (3.3, 0.9), "Precision first"),
    *(("05.1", answer, "Expected the mean and the std") for answer in (1.3, (1.3, 0.4, 1))),
    ("05.1", (X, 1), "an expression with x: put in the numbers, with subs"),
    ("05.2", step_with(lambda p, h, r: (1 - r) * p + r * h), SIGN),
    ("05.2", step_with(lambda p, h, r: p + r * h), SIGN),
    ("05.2", step_with(lambda p, h, r: h), SIGN),
    ("05.2", step_with(lambda p, h, r: -h), "The step size is missing in the precision"),
    ("05.2", lambda p, m, g, h, r: (m - solve(h, g), -h), "The step size is missing in the precision"),
    ("05.2", step_with(lambda p, h, r: p - r * h), KEPT),
    ("05.2", step_with(lambda p, h, r: p - h), KEPT),
    ("05.2", step_with(lambda p, h, r: (1 - r) * p - r * h / 2), "A factor of 2"),
    ("05.2", step_with(lambda p, h, r: (1 - r) * p - 2 * r * h), "A factor of 2"),
    ("05.2", step_with(mean=lambda n, m, g, r, p: m + r * solve(p, g)), "moves by the old precision"),
    ("05.2", step_with(mean=lambda n, m, g, r, p: m + solve(p, g)), "moves by the old precision"),
    ("05.2", step_with(mean=lambda n, m, g, r, p: m - r * solve(n, g)), "The mean goes downhill"),
    ("05.2", step_with(mean=lambda n, m, g, r, p: solve(n, (1 - r) * p @ m + r * g)), "adds a term"),
    ("05.2", changes_mean, "It changes an argument itself"),
    ("05.2", lambda *a: (a[1] + inv(right_step(*a)[1]) * a[2], right_step(*a)[1]), "entry by entry?"),
    ("05.2", lambda *a: right_step(*a)[::-1], "Return a pair"),
    ("05.2", lambda *a: right_step(*a)[0], "Return a pair"),
    ("05.2", lambda *a: (*right_step(*a), 1.0), "Return a pair"),
    ("05.2", lambda *a: {"mean": 1}, "Return a pair"),
    ("05.2", lambda *a: ("a", "b"), "Return a pair"),
    ("05.2", lambda *a: (1j * right_step(*a)[0], right_step(*a)[1]), "Return a pair"),
    ("05.2", lambda *a: ig.MultivariateNormal(a[1], inv(right_step(*a)[1])), "Return a pair"),
    ("05.2", lambda *a: (right_step(*a)[0] + 3, right_step(*a)[1]), "The precision is right, the mean"),
    ("05.2", lambda *a: (right_step(*a)[0], right_step(*a)[1] + 3), "The mean is right, the precision"),
    ("05.2", lambda *a: right_step(*a[:4], 0.3), "Right for some arguments and wrong for others"),
    ("05.2", lambda *a: [part + 3 for part in right_step(*a)], "mix the old precision with"),
    ("05.2", lambda *a: print(a[1]), "returns nothing: is there a return? It prints"),
    ("05.2", lambda *a: None, "returns nothing: is there a return?"),
    ("05.2", lambda p, m: m, "takes 2 positional arguments but 5 were given."),
    ("05.2", lambda *a: {}["z"], "raises KeyError: 'z'."),
    ("05.2", (1.0, 2.0), "Expected a function, got a tuple"),
    ("05.3", (-1, 0.5), "This is the posterior"),
    ("05.3", (0.5, math.sqrt(0.625 + 2.25)), "half way in expectation parameters"),
    ("05.3", (-0.4, -1), "A std is positive"),
    *(("05.3", (-0.4, s), "is a precision or a variance") for s in (2.5, 0.4)),
    *(("05.3", (0.5, v**0.5), "This is half way in the mean and in the std") for v in (0.75**2, 0.625, 0.5)),
    ("05.3", (-0.4, 5**-0.5), "The two precisions have been added"),
    ("05.3", (0.5, S3), "the first natural coordinate is not the mean"),
    ("05.3", (-4, S3), "The mean has moved by the old precision"),
    ("05.3", (-0.4, 0.63), "carry more digits"),
    ("05.3", (9, S3), "The std is right, the mean is not yet"),
    ("05.3", (-0.4, 9), "The mean is right, the std is not yet"),
    ("05.3", (9, 9), "Write both ends in natural coordinates"),
    ("05.3", 0.5, "Expected the mean and the std"),
    ("05.4", "abcdef", "Not all of them"),
    ("05.4", "bcf", "these are the ones that do not hold"),
    *(("05.4", chosen, "Look again at the direction") for chosen in ("abde", "b")),
    ("05.4", {"a", "c", "d", "e"}, "Look again at one step in a conjugate model"),
    ("05.4", "adef", "Look again at why nothing is inverted"),
    *(("05.4", chosen, "shrink the step by 10") for chosen in (["d", "e"], "e")),
    ("05.4", "ae", "What happened on the digits?"),
    ("05.4", "ad", "is E[−∇²f] positive definite"),
    ("05.4", "", "Name at least one of the letters"),
    ("05.4", "adx", "got another text"),
    ("05.4", 4, "in quotation marks, got a number"),
    *(("05.5", poisson_with(*rates), RATE) for rates in ((plug_in,), (exact, plug_in), (plug_in, exact))),
    ("05.5", poisson_with(lambda f, v: np.exp(f + v)), SPREAD),
    ("05.5", poisson_with(lambda f, v: np.exp(f + np.sqrt(v) / 2)), SPREAD),
    ("05.5", poisson_with(lambda f, v: np.exp(f + v**2 / 2)), SPREAD),
    ("05.5", covariance_first, "both expectations belong to the old q"),
    *(("05.5", poisson_with(prior=one), NO_PRIOR) for one in ((0, 0), (0, 1), (1, 0))),
    ("05.5", poisson_with(plug_in, prior=(0, 0)), NO_PRIOR),
    ("05.5", poisson_with(cov=lambda new, old: new), "The new precision is given for the covariance"),
    ("05.5", poisson_with(cov=lambda new, old: new, pair=True), "precision is given for the covariance"),
    ("05.5", poisson_with(cov=lambda new, old: inv(new + old)), OLD),
    ("05.5", poisson_with(cov=lambda new, old: inv(new + old - np.eye(len(old)))), OLD),
    ("05.5", poisson_with(data=-1), "Has the Hessian come in with the wrong sign?"),
    ("05.5", poisson_with(cov=lambda new, old: inv(-new)), "Has the Hessian come in with the wrong sign?"),
    ("05.5", poisson_with(mean=lambda new, m, g, old: m + solve(old, g)), "moves by the old covariance"),
    ("05.5", sampled, "Two calls with the same arguments"),
    ("05.5", poisson_with(mean=lambda new, m, g, old: m + 2 * solve(new, g)), "The covariance is right, the"),
    ("05.5", poisson_with(cov=lambda new, old: 7 * inv(new)), "The mean is right, the covariance is not yet"),
    ("05.5", lambda X, y, q: right_poisson(X[:5], y[:5], q), "The values differ: under q each xᵀθ is normal"),
    ("05.5", changes_y, "It changes an argument itself"),
    ("05.5", lambda X, y, q: right_poisson(X, y, q).mean, NO_NORMAL),
    *(("05.5", lambda *a, n=n: n, NO_NORMAL) for n in (ig.Normal(0, 1), ig.MultivariateNormal([0], [[1]]))),
    ("05.5", lambda X, y, q: ig.MultivariateNormal(np.zeros((4, 2)), np.eye(2)), NO_NORMAL),
]

# -- the right answers, from elsewhere ---------------------------------------------------------------------


def slopes(function, at, h=1e-4):
    """Central differences, fourth order."""
    ends = [[function(at + k * h * e) for k in (1, -1, 2, -2)] for e in np.eye(len(at))]
    return np.array([(8 * (a - b) - (c - d)) / (12 * h) for a, b, c, d in ends])


def test_the_steps_from_the_fisher_matrix():
    q = ig.MultivariateNormal([0.7, -1.2], [[0.6, 0.2], [0.2, 0.5]])
    gradient, hessian, step = np.array([1.3, 0.4]), np.array([[-3.1, 0.8], [0.8, -1.7]]), 0.3

    def elbo(eta):  # of a quadratic f with these expectations under q
        p = ig.MultivariateNormal.from_natural(eta)
        off = p.mean - q.mean
        return gradient @ off + 0.5 * off @ hessian @ off + 0.5 * np.trace(hessian @ p.cov) + p.entropy()

    direction = solve(q.fisher("natural"), slopes(elbo, q.natural))
    landed = ig.MultivariateNormal.from_natural(q.natural + step * direction)
    mean, precision = right_step(inv(q.cov), q.mean, gradient, hessian, step)
    np.testing.assert_allclose(landed.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(inv(landed.cov), precision, rtol=1e-6, atol=1e-7)
    mean, precision = right_step(np.array([[4]]), np.array([1.1]), np.array([3]), np.array([[-9]]), 0.4)
    assert ig.check("05.1", (mean[0], precision[0, 0] ** -0.5)).correct


def test_half_way_by_the_root_of_the_product_of_the_densities():
    start, end = ig.Normal(2, 1), ig.Normal(-1, 0.5)

    def moment(k):
        return quad(lambda z: z**k * math.exp((start.log_prob(z) + end.log_prob(z)) / 2), -9, 9)[0]

    mean = moment(1) / moment(0)
    assert ig.check("05.3", (mean, math.sqrt(moment(2) / moment(0) - mean**2))).correct


def test_the_statements():
    q, elbo = ig.Normal(-1.2, 0.5), lambda at: ig.elbo(skewed_posterior.MODEL, ig.Normal.from_source(at))
    apart, velocities = {}, []
    for natural, step in itertools.product((True, False), (1e-3, 1e-4)):
        ends = []
        for chart in ("source", "natural", "expectation"):
            to_chart = slopes(lambda at, c=chart: ig.Normal.from_source(at).coordinates(c), q.source).T
            gradient = solve(to_chart.T, slopes(elbo, q.source))
            own = solve(q.fisher(chart), gradient) if natural else gradient
            velocities += [solve(to_chart, own)] if natural else []
            ends.append(ig.Normal.from_coordinates(q.coordinates(chart) + step * own, chart))
        apart[natural, step] = [ig.fisher_rao_distance(*two) for two in itertools.combinations(ends, 2)]
    orders = [np.log10(np.divide(apart[natural, 1e-3], apart[natural, 1e-4])) for natural in (True, False)]
    wide = 3 * np.array([[1.3, 0.4], [0.4, 0.8]])
    landed = 2 * wide - 3 * wide  # wide·target⁻¹·wide = 3·wide: the whole natural step of a covariance
    bare = ig.natural_gradient_vi(ig.LogisticRegression(*digits()), safeguard=False, max_iter=40)
    walk = bare.history.elbo[-6:]
    roots = np.random.default_rng(5).normal(size=(2, 200, 3, 3))
    old, curvature = roots @ roots.swapaxes(-1, -2)
    mixed = [(1 - step) * old + step * curvature for step in (0.3, 0.9, 1.0)]
    holds = {
        "a": np.allclose(orders[0], 2, atol=0.1) and np.allclose(orders[1], 1, atol=0.1),
        "b": not np.allclose(velocities[0], velocities, rtol=1e-5),
        "c": np.linalg.eigvalsh(landed)[0] > 0,
        "d": abs(walk[0] - walk[1]) > 30 and np.allclose(walk[:2], walk[4:], atol=0.01),
        "e": np.linalg.eigvalsh(mixed).min() > 0,
        "f": np.allclose(ig.Normal(0, 1).fisher("natural"), np.eye(2), atol=0.1),
    }
    assert "".join(letter for letter in holds if holds[letter]) == SOLUTIONS["05.4"]


# -- what is special ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("05.1", np.array([[1.3], [0.408]])),
        ("05.1", sympy.Matrix([sympy.Rational(13, 10), 1 / sympy.sqrt(6)])),
        ("05.2", by_natural_coordinates),
        ("05.2", lambda *a: [part.tolist() for part in right_step(*a)]),
        ("05.2", lambda *a: (right_step(*a)[0][:, None], right_step(*a)[1])),
        ("05.2", functools.partial(lambda scale, *a: right_step(*a), 1.0)),
        ("05.3", ig.geodesic(ig.Normal(2, 1), ig.Normal(-1, 0.5), "natural")(0.5)),
        ("05.3", (-sympy.Rational(2, 5), sympy.sqrt(sympy.Rational(2, 5)))),
        ("05.4", "(a), (d) and (e)"),
        ("05.4", np.array(["e", "D", "a", "a"])),
        ("05.5", library_step),
        ("05.5", lambda *a: list(as_pair(*a))),
    ],
)
def test_the_solution_in_other_clothes(key, answer):
    assert ig.check(key, answer).correct


def test_a_stub_or_half_of_one():
    assert reply("05.1", (1.3, ...)).startswith("05.1 not answered yet: ")
    assert reply("05.2", lambda *a: ...).startswith("05.2 not answered yet: ")
    assert reply("05.2", lambda *a: (a[1], ...)).startswith("05.2 not answered yet: ")
    assert reply("05.5", lambda X, y, q: ...).startswith("05.5 not answered yet: ")


def test_no_pair_and_no_choice_breaks_a_check_or_learns_the_answer():
    values = (-np.inf, -1e308, -0.41, 0.0, 1e-320, 0.5, S1, S3, 1.4, 6.0, 1e308, np.nan)
    choices = [(key, pair) for pair in itertools.product(values, repeat=2) for key in ("05.1", "05.3")]
    choices += [("05.4", "".join(c)) for n in range(1, 7) for c in itertools.combinations("abcdef", n)]
    for key, answer in choices:
        assert ig.check(key, answer).correct == (answer == "ade")
        if answer != "ade":
            assert_nothing_given_away(WRITTEN, key, reply(key, answer))
