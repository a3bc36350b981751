"""The exercises of lecture 05: stub, solution, the mistakes one makes, and what is no answer at all."""

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
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm
from sklearn.datasets import load_digits

import igviz as ig
from igviz.exercises import natural_gradient_vi as lecture
from igviz.exercises import natural_gradient_vi_poisson as counts
from igviz.exercises import natural_gradient_vi_step as steps

KEYS = [exercise.key for exercise in lecture.EXERCISES]
FUNCTIONS = ("05.2", "05.5")
PAIRS = ("05.1", "05.3")
ONE = (1.3, 1 / math.sqrt(6))
HALF = (-0.4, math.sqrt(0.4))


def right_step(precision, mean, expected_gradient, expected_hessian, step):
    """The solution as in the notebook."""
    new_precision = (1 - step) * precision - step * expected_hessian
    new_mean = mean + step * np.linalg.solve(new_precision, expected_gradient)
    return new_mean, new_precision


def right_poisson(X, y, q):
    """The solution as in the notebook."""
    variance = np.sum((X @ q.cov) * X, axis=1)
    rate = np.exp(X @ q.mean + variance / 2)
    precision = np.eye(q.mean.size) + X.T @ (rate[:, None] * X)
    gradient = X.T @ (y - rate) - q.mean
    mean = q.mean + np.linalg.solve(precision, gradient)
    return ig.MultivariateNormal(mean, np.linalg.inv(precision))


SOLUTIONS = {"05.1": ONE, "05.2": right_step, "05.3": HALF, "05.4": "ade", "05.5": right_poisson}
# how the right answers may be written
WRITTEN = {
    "05.1": r"1\.3|1\.30+|0?\.408\d*|0?\.41|1/√6|6|√6",
    "05.2": r"\(1 − ρ\)·?Λ|ρ·?Λ_new|Λ_new|solve|m \+ ρ|1 − step",
    "05.3": r"[−-]0?\.40*|0?\.4|0?\.63\d*|2\.5|√0?\.4|2/5",
    "05.4": r"\W?a, ?d, ?e\W?|ade|eda|\(a\)|\(d\)|\(e\)",
    "05.5": r"s²/2|variance/2|variance / 2|½·?variance|m \+ s²|exp\(|I \+ X|q\.mean \+",
}


def said(key, answer):
    return repr(ig.check(key, answer))


def assert_nothing_given_away(key, text):
    text = text.removeprefix(key)
    assert not re.search(rf"(?<![\w.])({WRITTEN[key]})(?![\w.]*\d)(?!\w)", text), text


def test_the_keys():
    assert " ".join(KEYS) == "05.1 05.2 05.3 05.4 05.5"
    assert set(SOLUTIONS) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_stub(key):
    text = said(key, ...)
    assert text.startswith(f"{key} not answered yet: put ")
    assert_nothing_given_away(key, text)


def test_the_stubs_of_the_functions():
    def answer_2(precision, mean, expected_gradient, expected_hessian, step):
        return ...

    def answer_5(X, y, q):
        return ...

    assert said("05.2", answer_2).startswith("05.2 not answered yet: ")
    assert said("05.5", answer_5).startswith("05.5 not answered yet: ")
    assert said("05.2", lambda p, m, g, h, r: (..., ...)).startswith("05.2 not answered yet: ")
    assert said("05.2", lambda p, m, g, h, r: (m, ...)).startswith("05.2 not answered yet: ")
    assert said("05.1", (1.3, ...)).startswith("05.1 not answered yet: ")
    assert said("05.3", [..., 1.0]).startswith("05.3 not answered yet: ")


@pytest.mark.parametrize("key", KEYS)
def test_the_solution(key):
    feedback = ig.check(key, SOLUTIONS[key])
    assert feedback.correct
    assert repr(feedback).startswith(f"{key} correct: ")


# -- the right answers, from elsewhere ---------------------------------------------------------------------


def slopes(function, at, h=1e-5):
    """Central differences, fourth order."""
    found = []
    for i in range(len(at)):
        e = np.eye(len(at))[i] * h
        near, far = function(at + e) - function(at - e), function(at + 2 * e) - function(at - 2 * e)
        found.append((8 * near - far) / (12 * h))
    return np.array(found)


def natural_step(q, gradient, hessian, step):
    """I⁻¹·∇ELBO with the Fisher matrix in natural coordinates, for a quadratic f with these expectations."""
    centre = np.asarray(q.mean)

    def elbo(eta):
        other = ig.MultivariateNormal.from_natural(eta)
        d = other.mean - centre
        # under q itself the mean of the gradient is `gradient`
        expected = gradient @ d + 0.5 * d @ hessian @ d + 0.5 * np.trace(hessian @ other.cov)
        return expected + other.entropy()

    eta = q.natural
    direction = np.linalg.solve(q.fisher("natural"), slopes(elbo, eta))
    return ig.MultivariateNormal.from_natural(eta + step * direction)


def test_the_step_by_hand_from_the_fisher_matrix():
    q = ig.MultivariateNormal([1.1], [[0.25]])
    landed = natural_step(q, np.array([3.0]), np.array([[-9.0]]), 0.4)
    np.testing.assert_allclose((landed.mean[0], landed.cov[0, 0] ** 0.5), ONE, rtol=1e-7)
    assert ig.check("05.1", (landed.mean[0], landed.cov[0, 0] ** 0.5)).correct


def test_the_step_by_hand_in_rational_numbers():
    ten = fractions.Fraction(1, 10)
    old, rho = fractions.Fraction(4), 4 * ten
    eta = [
        (1 - rho) * old * 11 * ten + rho * (3 + 9 * 11 * ten),
        -(1 - rho) * old / 2 - rho * fractions.Fraction(9, 2),
    ]
    precision = -2 * eta[1]
    assert (eta[0] / precision, precision) == (13 * ten, 6)


@pytest.mark.parametrize("name", steps._INPUTS)
def test_the_step_in_d_dimensions_from_the_fisher_matrix(name):
    precision, mean, gradient, hessian, step = steps._INPUTS[name]
    landed = natural_step(ig.MultivariateNormal(mean, np.linalg.inv(precision)), gradient, hessian, step)
    new_mean, new_precision = right_step(precision, mean, gradient, hessian, step)
    np.testing.assert_allclose(landed.mean, new_mean, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.inv(landed.cov), new_precision, rtol=1e-6, atol=1e-7)
    ours = steps._exact(*steps._INPUTS[name])
    np.testing.assert_allclose(ours, np.column_stack([new_mean, new_precision]), rtol=1e-12)
    assert np.linalg.eigvalsh(new_precision)[0] > 0


def test_half_way_by_the_root_of_the_product_of_the_densities():
    """The middle of an e-geodesic is the geometric mean of the two densities, normalised."""

    def moment(k):
        return quad(lambda z: z**k * math.sqrt(norm.pdf(z, 2, 1) * norm.pdf(z, -1, 0.5)), -9, 9)[0]

    mean = moment(1) / moment(0)
    std = math.sqrt(moment(2) / moment(0) - mean**2)
    np.testing.assert_allclose((mean, std), HALF, rtol=1e-7)


def test_half_way_by_the_mirror_step():
    """The largest linear gain minus a cost in KL to the start, with the slope towards the posterior."""
    start, posterior = ig.Normal(2, 1), ig.Normal(-1, 0.5)

    def expectation(mean, std):
        return np.array([mean, mean**2 + std**2])

    # ∇ by the expectation parameters of −KL(q‖posterior), by differences over (mean, std)
    to_expectation = np.array([[1, 0], [2 * 2, 2 * 1]])
    by_source = slopes(lambda at: -ig.Normal(at[0], at[1]).kl(posterior), np.array([2.0, 1.0]))
    gain = np.linalg.solve(to_expectation.T, by_source)

    def loss(at):
        q = ig.Normal(at[0], np.exp(at[1]))
        return float(q.kl(start) / 0.5 - gain @ expectation(at[0], np.exp(at[1])))

    found = minimize(loss, [0.0, 0.0], tol=1e-12).x
    np.testing.assert_allclose((found[0], np.exp(found[1])), HALF, rtol=1e-5)
    assert ig.check("05.3", (found[0], np.exp(found[1]))).correct


def elbo_slope(mean, std):
    """Of the running example, z − eᶻ − z²/4.5, by mean and std."""
    rate = np.exp(mean + std**2 / 2)
    return np.array([1 - rate - mean / 2.25, 1 / std - std * (rate + 1 / 2.25)])


TO_CHART = {
    "source": lambda m, s: np.eye(2),
    "natural": lambda m, s: np.array([[1 / s**2, -2 * m / s**3], [0, 1 / s**3]]),
    "expectation": lambda m, s: np.array([[1, 0], [2 * m, 2 * s]]),
}


def directions(q, natural):
    """The gradient in each chart, and as a velocity of (mean, std)."""
    found = {}
    for chart, to_chart in TO_CHART.items():
        jacobian = to_chart(float(q.mean), float(q.std))
        gradient = np.linalg.solve(jacobian.T, elbo_slope(float(q.mean), float(q.std)))
        own = np.linalg.solve(q.fisher(chart), gradient) if natural else gradient
        found[chart] = own, np.linalg.solve(jacobian, own)
    return found


def apart(q, step, natural):
    ends = [
        ig.Normal.from_coordinates(q.coordinates(chart) + step * own, chart)
        for chart, (own, _) in directions(q, natural).items()
    ]
    return [float(ig.fisher_rao_distance(ends[i], ends[j])) for i, j in ((0, 1), (0, 2), (1, 2))]


def digits():
    data = load_digits()
    chosen = (data.target == 3) | (data.target == 5)
    pixels = data.data[chosen]
    spread = pixels.std(0)
    pixels = (pixels - pixels.mean(0)) / np.where(spread > 0, spread, 1)
    return ig.LogisticRegression(np.column_stack([np.ones(len(pixels)), pixels]), data.target[chosen] == 5)


def test_the_statements():
    q = ig.Normal(-1.2, 0.5)
    order = {
        natural: np.log10(np.divide(apart(q, 1e-3, natural), apart(q, 1e-4, natural)))
        for natural in (True, False)
    }
    velocities = [velocity for _, velocity in directions(q, True).values()]
    target = np.array([[1.3, 0.4], [0.4, 0.8]])
    wide = 3 * target
    landed = 2 * wide - wide @ np.linalg.inv(target) @ wide  # the whole natural step of a covariance
    walk = ig.natural_gradient_vi(digits(), step=1.0, safeguard=False, max_iter=40).history.elbo[-6:]
    rng = np.random.default_rng(5)
    smallest = []
    for _ in range(200):
        root, other = rng.normal(size=(2, 3, 3))
        for step in (rng.uniform(0, 1), 1.0):
            new = right_step(root @ root.T, np.zeros(3), np.zeros(3), -other @ other.T, step)[1]
            smallest.append(np.linalg.eigvalsh(new)[0])
    flat = -other[:, :2] @ other[:, :2].T  # concave, but flat on one axis: not enough at step 1
    new = right_step(root @ root.T, np.zeros(3), np.zeros(3), flat, 1.0)[1]
    assert np.linalg.eigvalsh(new)[0] == pytest.approx(0.0, abs=1e-12)
    holds = {
        "a": bool(np.allclose(order[True], 2, atol=0.1) and np.allclose(order[False], 1, atol=0.1)),
        "b": not np.allclose(velocities[0], velocities[1:], rtol=1e-9),
        "c": bool(np.linalg.eigvalsh(landed)[0] > 0),
        "d": bool(abs(walk[0] - walk[1]) > 30 and np.allclose(walk[:2], walk[4:], atol=0.01)),
        "e": min(smallest) > 0,
        "f": bool(np.allclose(ig.Normal(1.3, 0.7).fisher("natural"), np.eye(2), atol=0.1)),
    }
    np.testing.assert_allclose(ig.Normal(0, 1).fisher("natural"), np.diag([1, 2]), atol=1e-12)  # nor there
    assert "".join(letter for letter in holds if holds[letter]) == SOLUTIONS["05.4"]


@pytest.mark.parametrize("name", counts._INPUTS)
def test_the_step_for_counts_from_the_library(name):
    X, y, q = counts._INPUTS[name]
    model = ig.PoissonRegression(X, y, prior_precision=1.0)
    one = ig.natural_gradient_vi(model, q, step=1.0, safeguard=False, max_iter=1).q
    ours = right_poisson(X, y, q)
    np.testing.assert_allclose(one.mean, ours.mean, rtol=1e-9)
    np.testing.assert_allclose(one.cov, ours.cov, rtol=1e-9)
    np.testing.assert_allclose(counts._exact(X, y, q), np.column_stack([ours.mean, ours.cov]), rtol=1e-12)
    assert ig.check("05.5", lambda X, y, q: library_step(X, y, q)).correct


def library_step(X, y, q):
    model = ig.PoissonRegression(X, y)
    return ig.natural_gradient_vi(model, q, step=1.0, safeguard=False, max_iter=1).q


@pytest.mark.parametrize("name", counts._INPUTS)
def test_the_step_for_counts_by_quadrature_of_differentiated_densities(name):
    X, y, q = counts._INPUTS[name]
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    d = q.mean.size
    theta = (
        q.mean
        + np.stack(np.meshgrid(*[nodes] * d, indexing="ij"), -1).reshape(-1, d) @ np.linalg.cholesky(q.cov).T
    )
    grid = functools.reduce(np.multiply.outer, [weights] * d).ravel()
    rates = np.exp(theta @ X.T)
    gradient = grid @ ((y - rates) @ X - theta)
    precision = np.einsum("g,gn,ni,nj->ij", grid, rates, X, X) + np.eye(d)
    ours = right_poisson(X, y, q)
    np.testing.assert_allclose(np.linalg.inv(ours.cov), precision, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ours.mean, q.mean + np.linalg.inv(precision) @ gradient, rtol=1e-8, atol=1e-10)


# -- right answers in other clothes ------------------------------------------------------------------------

X_SYMBOL = sympy.Symbol("x")


def by_natural_coordinates(precision, mean, gradient, hessian, step):
    first = (1 - step) * precision @ mean + step * (gradient - hessian @ mean)
    second = -(1 - step) * precision / 2 + step * hessian / 2
    new = -2 * second
    return np.linalg.inv(new) @ first, new


def by_sympy(precision, mean, gradient, hessian, step):
    new = (1 - step) * sympy.Matrix(precision) - step * sympy.Matrix(hessian)
    return sympy.Matrix(mean) + step * new.inv() * sympy.Matrix(gradient), new


def row_by_row(X, y, q):
    precision, gradient = np.linalg.inv(ig.MultivariateNormal(0 * q.mean, np.eye(len(q.mean))).cov), -q.mean
    for x, count in zip(X, y, strict=True):
        rate = np.exp(x @ q.mean + 0.5 * x @ q.cov @ x)
        gradient = gradient + (count - rate) * x
        precision = precision + rate * np.outer(x, x)
    return ig.MultivariateNormal(q.mean + np.linalg.solve(precision, gradient), np.linalg.inv(precision))


def through_the_step(X, y, q):
    found = ig.PoissonRegression(X, y).expected_derivatives(q.mean, q.cholesky_factor)
    mean, precision = right_step(np.linalg.inv(q.cov), q.mean, found.gradient, found.hessian, 1.0)
    return ig.MultivariateNormal(mean, np.linalg.inv(precision))


def as_pair(X, y, q):
    new = right_poisson(X, y, q)
    return new.mean, new.cov


RIGHT = [
    ("05.1", (1.3, 0.408)),
    ("05.1", [1.3, 0.40825]),
    ("05.1", np.array([1.3, 6**-0.5])),
    ("05.1", np.array([[1.3], [6**-0.5]])),
    ("05.1", ig.Normal(1.3, 6**-0.5)),
    ("05.1", (fractions.Fraction(13, 10), 6**-0.5)),
    ("05.1", (sympy.Rational(13, 10), 1 / sympy.sqrt(6))),
    ("05.1", sympy.Matrix([sympy.Rational(13, 10), 1 / sympy.sqrt(6)])),
    ("05.3", (-0.4, 0.632)),
    ("05.3", [-0.4, 0.6325]),
    ("05.3", ig.Normal(-0.4, 0.4**0.5)),
    ("05.3", ig.geodesic(ig.Normal(2, 1), ig.Normal(-1, 0.5), "natural")(0.5)),
    ("05.3", (-sympy.Rational(2, 5), sympy.sqrt(sympy.Rational(2, 5)))),
    ("05.2", by_natural_coordinates),
    ("05.2", by_sympy),
    ("05.2", lambda *a: list(right_step(*a))),
    ("05.2", lambda *a: [part.tolist() for part in right_step(*a)]),
    ("05.2", lambda *a: (right_step(*a)[0][:, None], right_step(*a)[1])),
    ("05.2", functools.partial(lambda scale, *a: right_step(*a), 1.0)),
    (
        "05.2",
        lambda precision, mean, expected_gradient, expected_hessian, step: right_step(
            precision, mean, expected_gradient, expected_hessian, step
        ),
    ),
    ("05.4", "EDA"),
    ("05.4", "a, d, e"),
    ("05.4", "(a), (d) and (e)"),
    ("05.4", ["a", "d", "e"]),
    ("05.4", {"a", "d", "e"}),
    ("05.4", np.array(["e", "d", "a", "a"])),
    ("05.5", row_by_row),
    ("05.5", through_the_step),
    ("05.5", library_step),
    ("05.5", as_pair),
    ("05.5", lambda X, y, q: list(as_pair(X, y, q))),
]


@pytest.mark.parametrize(
    ("key", "answer"), RIGHT, ids=lambda part: part if str(part).startswith("05") else ""
)
def test_the_solution_in_other_clothes(key, answer):
    feedback = ig.check(key, answer)
    assert feedback.correct, feedback


# -- mistakes ----------------------------------------------------------------------------------------------

S1 = ONE[1]
MIDDLE = ig.geodesic(ig.Normal(2, 1), ig.Normal(-1, 0.5))(0.5)
NEAR_MISSES = [
    ("05.1", ONE[::-1], "The two are swapped"),
    ("05.1", (7.8, -3), "These are the natural coordinates"),
    ("05.1", (2.1, -1.2), "Does E[f″], which is negative at a top"),
    ("05.1", (1.3, 6), "is a precision or a variance"),
    ("05.1", (1.3, 1 / 6), "is a precision or a variance"),
    ("05.1", (1.4, 6), "is a precision or a variance"),
    ("05.1", (1.4, 0.5), "The second number is the old std"),
    ("05.1", (1.1 + 3 / 9, 1 / 3), "where a step of size 1 goes"),
    ("05.1", (1.1 + 1.2 / 9, 1 / 3), "where a step of size 1 goes"),
    ("05.1", (1.1 + 1.2 / 7.6, 7.6**-0.5), "The old precision keeps its full weight"),
    ("05.1", (1.1 + 1.2 / 13, 13**-0.5), "The old precision keeps its full weight"),
    ("05.1", (1.1 + 1.2 / 7, 7**-0.5), "The two weights are swapped"),
    ("05.1", (1.1 + 1.2 / 4.2, 4.2**-0.5), "A factor of 2"),
    ("05.1", (1.1 + 1.2 / 9.6, 9.6**-0.5), "A factor of 2"),
    ("05.1", (1.1 + 1.2 / 4.8, 4.8**-0.5), "what has the std 0.5 for its precision?"),
    ("05.1", (1.1 + 1.2 / 3.9, 3.9**-0.5), "what has the std 0.5 for its precision?"),
    ("05.1", (1.1 + 1.2 / 3.75, 3.75**-0.5), "what has the std 0.5 for its precision?"),
    ("05.1", (1.4, 0.6 * 0.5 + 0.4 / 3), "Stds or variances have been mixed"),
    ("05.1", (1.4, math.sqrt(0.6 * 0.25 + 0.4 / 9)), "Stds or variances have been mixed"),
    ("05.1", (1.4, 0.375), "straight in another chart"),
    ("05.1", (1.4, 0.5 * math.exp(-0.25)), "straight in another chart"),
    ("05.1", (1.4, math.sqrt(0.125)), "straight in another chart"),
    ("05.1", (1.1, S1), "The mean is the old one"),
    ("05.1", (1.4, S1), "The mean moves by the old precision"),
    ("05.1", (1.85, S1), "The mean moves by the old precision"),
    ("05.1", (1.6, S1), "The step size is missing in the step of the mean"),
    ("05.1", (1.1 + 1 / 3, S1), "The step size is missing in the step of the mean"),
    ("05.1", (0.9, S1), "The mean goes downhill"),
    ("05.1", (8.3, S1), "multiplies by the precision"),
    ("05.1", (5.9, S1), "multiplies by the precision"),
    ("05.1", (1.1 + 1.2 * S1, S1), "has a std in it"),
    ("05.1", (1.7, S1), "has a std in it"),
    ("05.1", (2.3, S1), "the plain gradient step"),
    ("05.1", (0.86, S1), "has been shrunk by 1 − ρ"),
    ("05.1", (0.64, S1), "the chain rule adds a term"),
    ("05.1", (0.2, S1), "This is how far the mean moves"),
    ("05.1", (1.3, 0.41), "carry more digits"),
    ("05.1", (3.3, S1), "The std is right, the mean is not yet"),
    ("05.1", (1.3, 0.9), "The mean is right, the std is not yet"),
    ("05.1", (3.3, 0.9), "Precision first"),
    ("05.1", 1.3, "Expected the mean and the std"),
    ("05.1", (1.3, 0.4, 1), "Expected the mean and the std"),
    ("05.1", (X_SYMBOL, 1), "an expression with x: put in the numbers, with subs"),
    ("05.3", HALF[::-1], "The two are swapped"),
    ("05.3", (-1, -1.25), "These are the natural coordinates"),
    ("05.3", (-1, 0.5), "This is the posterior"),
    ("05.3", (2, 1), "This is where the step starts"),
    ("05.3", (0.5, math.sqrt(0.625 + 2.25)), "half way in expectation parameters"),
    ("05.3", MIDDLE, "half way on the Fisher–Rao geodesic"),
    ("05.3", (-0.4, -1), "A std is positive"),
    ("05.3", (-0.4, 2.5), "is a precision or a variance"),
    ("05.3", (-0.4, 0.4), "is a precision or a variance"),
    ("05.3", (0.5, 0.75), "This is half way in the mean and in the std"),
    ("05.3", (0.5, math.sqrt(0.625)), "This is half way in the mean and in the std"),
    ("05.3", (0.5, math.sqrt(0.5)), "This is half way in the mean and in the std"),
    ("05.3", (-0.4, 0.75), "The std lies half way in std, variance or log std"),
    ("05.3", (-0.4, math.sqrt(0.625)), "The std lies half way in std, variance or log std"),
    ("05.3", (0, math.sqrt(2 / 3)), "1 and 0.5 are stds, not variances"),
    ("05.3", (0, 2 / 3), "1 and 0.5 are stds, not variances"),
    ("05.3", (-0.4, 5**-0.5), "The two precisions have been added"),
    ("05.3", (0.5, HALF[1]), "the first natural coordinate is not the mean"),
    ("05.3", (-1, HALF[1]), "the mean of the posterior, or Λ·mean"),
    ("05.3", (1.4, HALF[1]), "The weights are turned round"),
    ("05.3", (0, HALF[1]), "weighted by one over the std"),
    ("05.3", (-4, HALF[1]), "The mean has moved by the old precision"),
    ("05.3", (4.4, HALF[1]), "moved away from the posterior"),
    ("05.3", (-0.8, HALF[1]), "Λ·mean has been added up"),
    ("05.3", (-2, HALF[1]), "Λ·mean has been added up"),
    ("05.3", (0.4, HALF[1]), "The sign of the mean is flipped"),
    ("05.3", (-0.4, 0.63), "carry more digits"),
    ("05.3", (9, HALF[1]), "The std is right, the mean is not yet"),
    ("05.3", (-0.4, 9), "The mean is right, the std is not yet"),
    ("05.3", (9, 9), "Write both ends in natural coordinates"),
    ("05.3", 0.5, "Expected the mean and the std"),
    ("05.4", "abcdef", "Not all of them"),
    ("05.4", "bcf", "these are the ones that do not hold"),
    ("05.4", "abde", "Look again at the direction"),
    ("05.4", "b", "Look again at the direction"),
    ("05.4", {"a", "c", "d", "e"}, "Look again at one step in a conjugate model"),
    ("05.4", "adef", "Look again at why nothing is inverted"),
    ("05.4", ["d", "e"], "shrink the step by 10"),
    ("05.4", "e", "shrink the step by 10"),
    ("05.4", "ae", "What happened on the digits?"),
    ("05.4", "ad", "is E[−∇²f] positive definite"),
    ("05.4", "", "Name at least one of the letters"),
    ("05.4", "adx", "got another text"),
    ("05.4", 4, "in quotation marks, got a number"),
]


@pytest.mark.parametrize(("key", "answer", "hint"), NEAR_MISSES)
def test_a_near_miss_gets_the_hint_that_fits(key, answer, hint):
    text = said(key, answer)
    assert text.startswith(f"{key} not yet: ")
    assert hint in text
    # the letters that one may name stand in the hint on what is no letter
    assert_nothing_given_away(key, text.replace("a, b, c, d, e, f", ""))


def step_with(precision=None, mean=None):
    """A step with another precision, or another mean; the mean moves by the precision that is returned."""

    def function(old, m, g, h, r):
        new = (1 - r) * old - r * h if precision is None else precision(old, h, r)
        moved = m + r * np.linalg.solve(new, g) if mean is None else mean(new, m, g, r, old, h)
        return moved, new

    return function


def changes_mean(precision, mean, gradient, hessian, step):
    new = (1 - step) * precision - step * hessian
    mean += step * np.linalg.solve(new, gradient)
    return mean, new


def elementwise(precision, mean, gradient, hessian, step):
    new = (1 - step) * precision - step * hessian
    return mean + step * np.linalg.inv(new) * gradient, new


def noisy(seed):
    rng = np.random.default_rng(seed)

    def function(*a):
        mean, precision = right_step(*a)
        return mean + 0.01 * rng.normal(size=mean.shape), precision

    return function


inv, solve = np.linalg.inv, np.linalg.solve
KEPT = "The old precision keeps its full weight"
WRONG_STEPS = {
    "plus": (step_with(lambda p, h, r: (1 - r) * p + r * h), "Hessian comes in with the wrong sign"),
    "plus, all": (step_with(lambda p, h, r: p + r * h), "Hessian comes in with the wrong sign"),
    "plus, no ρ": (step_with(lambda p, h, r: h), "Hessian comes in with the wrong sign"),
    "no ρ": (step_with(lambda p, h, r: -h), "The step size is missing in the precision"),
    "no ρ anywhere": (
        lambda p, m, g, h, r: (m - solve(h, g), -h),
        "The step size is missing in the precision",
    ),
    "kept": (step_with(lambda p, h, r: p - r * h), KEPT),
    "kept, no ρ": (step_with(lambda p, h, r: p - h), KEPT),
    "swapped weights": (step_with(lambda p, h, r: r * p - (1 - r) * h), "The two weights are swapped"),
    "half": (step_with(lambda p, h, r: (1 - r) * p - r * h / 2), "A factor of 2"),
    "twice": (step_with(lambda p, h, r: (1 - r) * p - 2 * r * h), "A factor of 2"),
    "covariance": (
        lambda *a: (right_step(*a)[0], inv(right_step(*a)[1])),
        "The second part is the new covariance",
    ),
    "covariances mixed": (
        step_with(lambda p, h, r: inv((1 - r) * inv(p) - r * inv(h))),
        "There is an inverse in the precision",
    ),
    "one covariance": (step_with(lambda p, h, r: (1 - r) * inv(p) - r * h), "There is an inverse"),
    "natural": (lambda *a: (right_step(*a)[0], -right_step(*a)[1] / 2), "the natural coordinate −½Λ"),
    "diagonal": (step_with(lambda p, h, r: np.diag(np.diag((1 - r) * p - r * h))), "Only the diagonal"),
    "old precision returned": (lambda *a: (right_step(*a)[0], a[0]), "is the old precision, not yet moved"),
    "old precision": (
        step_with(mean=lambda n, m, g, r, p, h: m + r * solve(p, g)),
        "moves by the old precision",
    ),
    "old, no ρ": (step_with(mean=lambda n, m, g, r, p, h: m + solve(p, g)), "moves by the old precision"),
    "no inverse": (step_with(mean=lambda n, m, g, r, p, h: m + r * n @ g), "multiplies by a precision"),
    "old, no inverse": (step_with(mean=lambda n, m, g, r, p, h: m + r * p @ g), "multiplies by a precision"),
    "mean, no ρ": (step_with(mean=lambda n, m, g, r, p, h: m + solve(n, g)), "missing in the mean's step"),
    "downhill": (step_with(mean=lambda n, m, g, r, p, h: m - r * solve(n, g)), "The mean goes downhill"),
    "shrunk": (
        step_with(mean=lambda n, m, g, r, p, h: (1 - r) * m + r * solve(n, g)),
        "The old mean has been shrunk",
    ),
    "no chain rule": (
        step_with(mean=lambda n, m, g, r, p, h: solve(n, (1 - r) * p @ m + r * g)),
        "The chain rule adds a term",
    ),
    "natural mean": (lambda *a: (right_step(*a)[1] @ right_step(*a)[0], right_step(*a)[1]), "This is Λ·mean"),
    "move alone": (
        step_with(mean=lambda n, m, g, r, p, h: r * solve(n, g)),
        "This is how far the mean moves",
    ),
    "by the diagonal": (
        step_with(mean=lambda n, m, g, r, p, h: m + r * g / np.diag(n)),
        "divided by the diagonal alone",
    ),
    "plain": (step_with(mean=lambda n, m, g, r, p, h: m + r * g), "the plain gradient step"),
    "Newton": (step_with(mean=lambda n, m, g, r, p, h: m - r * solve(h, g)), "a step of Newton's method"),
    "old mean": (step_with(mean=lambda n, m, g, r, p, h: m), "the old mean, not yet moved"),
    "turned round": (lambda *a: right_step(*a)[::-1], "The two are swapped"),
    "in place": (changes_mean, "It changes an argument itself"),
    "elementwise": (elementwise, "taken entry by entry?"),
    "mean alone": (lambda *a: right_step(*a)[0], "Return a pair"),
    "three parts": (lambda *a: (*right_step(*a), 1.0), "Return a pair"),
    "dict": (lambda *a: {"mean": 1}, "Return a pair"),
    "texts": (lambda *a: ("a", "b"), "Return a pair"),
    "complex": (lambda *a: (1j * right_step(*a)[0], right_step(*a)[1]), "Return a pair"),
    "distribution": (
        lambda *a: ig.MultivariateNormal(right_step(*a)[0], inv(right_step(*a)[1])),
        "Return a pair",
    ),
    "nan": (lambda *a: (np.nan * right_step(*a)[0], right_step(*a)[1]), "left its domain"),
    "noise": (noisy(3), "Two calls with the same arguments"),
    "precision right": (
        lambda *a: (right_step(*a)[0] + 3, right_step(*a)[1]),
        "The precision is right, the mean",
    ),
    "mean right": (lambda *a: (right_step(*a)[0], right_step(*a)[1] + 3), "The mean is right, the precision"),
    "whole step": (
        lambda p, m, g, h, r: [part + (r != 1) for part in right_step(p, m, g, h, r)],
        "Right for a step of size 1 only",
    ),
    "step fixed": (
        lambda p, m, g, h, r: right_step(p, m, g, h, 0.3),
        "Right for some arguments and wrong for others",
    ),
    "something else": (lambda *a: [part + 3 for part in right_step(*a)], "mix the old precision with"),
    "singular": (lambda p, m, g, h, r: (m + solve(0 * p, g), p), "does it have an inverse"),
    "shapes": (lambda p, m, g, h, r: (m + np.zeros(4), p), "Means and gradients have shape (d,)"),
    "prints": (lambda *a: print(a[1]), "returns nothing: is there a return? It prints"),
    "no return": (lambda *a: None, "returns nothing: is there a return?"),
    "two arguments": (lambda p, m: m, "takes 2 positional arguments but 5 were given."),
    "raises": (lambda *a: {}["z"], "raises KeyError: 'z'."),
    "called": (right_step(*steps._TWO), "Expected a function, got a tuple"),
}


def poisson_with(
    rate=lambda f, v: np.exp(f + v / 2),
    spread=lambda X, q: np.einsum("ni,ij,nj->n", X, q.cov, X),
    weights=None,
    data=(1, 1),
    prior=(1, 1),
    mean=lambda new, m, g, old: m + solve(new, g),
    cov=lambda new, old: inv(new),
    pair=False,
):
    """The step written once more, with places for mistakes; "n" among the data's weights stands for 1/n."""

    def function(X, y, q):
        f, v = X @ q.mean, spread(X, q)
        share = [1 / len(y) if one == "n" else one for one in data]
        gradient = share[0] * X.T @ (y - rate(f, v)) - prior[0] * q.mean
        new = share[1] * X.T @ np.diag((weights or rate)(f, v)) @ X + prior[1] * np.eye(len(q.mean))
        moved = mean(new, q.mean, gradient, inv(q.cov)), cov(new, inv(q.cov))
        return moved if pair else ig.MultivariateNormal(*moved)

    return function


def best(X, y, q):
    return ig.natural_gradient_vi(ig.PoissonRegression(X, y)).q


def twice(X, y, q):
    return right_poisson(X, y, right_poisson(X, y, q))


def half(X, y, q):
    return ig.natural_gradient_vi(ig.PoissonRegression(X, y), q, step=0.5, safeguard=False, max_iter=1).q


def covariance_first(X, y, q):
    new = right_poisson(X, y, q)
    rate = np.exp(X @ q.mean + np.diag(X @ new.cov @ X.T) / 2)
    return ig.MultivariateNormal(q.mean + new.cov @ (X.T @ (y - rate) - q.mean), new.cov)


def sampled(seed, count):
    fresh = np.random.default_rng(seed) if seed is not None else None

    def function(X, y, q):
        rng = fresh or np.random.default_rng(8)
        draws = rng.normal(size=(count, len(y)))
        return poisson_with(lambda f, v: np.exp(f + np.sqrt(v) * draws).mean(0))(X, y, q)

    return function


def changes_y(X, y, q):
    new = right_poisson(X, y, q)
    y -= 1
    return new


def adds_to_the_mean(X, y, q):
    mean = q.mean
    mean += 1
    return q


def plug_in(f, v):
    return np.exp(f)


SPREAD = "The spread of xᵀθ comes into the rate, but not as it should"
ROWS = "There is a mean over the rows in it"
WRONG_COUNTS = {
    "plug-in": (poisson_with(plug_in), "The rate is taken at the mean of q"),
    "plug-in weights": (poisson_with(weights=plug_in), "The rate is taken at the mean of q"),
    "plug-in gradient": (
        poisson_with(plug_in, weights=lambda f, v: np.exp(f + v / 2)),
        "The rate is taken at the mean of q",
    ),
    "variance": (poisson_with(lambda f, v: np.exp(f + v)), SPREAD),
    "std": (poisson_with(lambda f, v: np.exp(f + np.sqrt(v) / 2)), SPREAD),
    "squared twice": (poisson_with(lambda f, v: np.exp(f + v**2 / 2)), SPREAD),
    "lowered": (poisson_with(lambda f, v: np.exp(f - v / 2)), "The spread of q lowers the rate"),
    "no correlation": (
        poisson_with(spread=lambda X, q: X**2 @ np.diag(q.cov)),
        "from the variances of the coefficients alone",
    ),
    "precision for covariance": (
        poisson_with(spread=lambda X, q: np.diag(X @ inv(q.cov) @ X.T)),
        "The precision of q stands where its covariance",
    ),
    "logistic": (
        poisson_with(lambda f, v: expit(f), weights=lambda f, v: expit(f) * (1 - expit(f))),
        "This is a step of logistic regression",
    ),
    "logistic rate": (poisson_with(lambda f, v: expit(f)), "the rate of logistic regression"),
    "covariance first": (covariance_first, "both expectations belong to the old q"),
    "from the prior": (
        lambda X, y, q: right_poisson(X, y, ig.MultivariateNormal(0 * q.mean, np.eye(len(q.mean)))),
        "This starts from the prior",
    ),
    "no prior": (poisson_with(prior=(0, 0)), "The prior is missing"),
    "no prior in the gradient": (poisson_with(prior=(0, 1)), "The prior is missing"),
    "no prior in the precision": (poisson_with(prior=(1, 0)), "The prior is missing"),
    "no prior, plug-in": (poisson_with(plug_in, prior=(0, 0)), "The prior is missing"),
    "prior turned": (poisson_with(prior=(-1, 1)), "The prior pulls in the wrong direction"),
    "mean over data": (poisson_with(data=("n", "n")), ROWS),
    "mean in the gradient": (poisson_with(data=("n", 1)), ROWS),
    "mean in the precision": (poisson_with(data=(1, "n")), ROWS),
    "mean of all": (
        lambda X, y, q: ig.MultivariateNormal(
            right_poisson(X, y, q).mean, len(y) * right_poisson(X, y, q).cov
        ),
        ROWS,
    ),
    "no weights": (poisson_with(weights=lambda f, v: 1 + 0 * f), "The weights are missing"),
    "best": (best, "This has walked on"),
    "twice": (twice, "This has walked on"),
    "half": (half, "This is a step of size ½"),
    "precision": (poisson_with(cov=lambda new, old: new), "The new precision is given for the covariance"),
    "precision in a pair": (
        poisson_with(cov=lambda new, old: new, pair=True),
        "The new precision is given for the covariance",
    ),
    "old kept": (poisson_with(cov=lambda new, old: inv(new + old)), "The old precision is still in the new"),
    "old for prior": (
        poisson_with(cov=lambda new, old: inv(new + old - np.eye(len(old)))),
        "The old precision is still in the new",
    ),
    "sign": (poisson_with(data=(1, -1)), "Has the Hessian come in with the wrong sign?"),
    "sign of all": (
        poisson_with(cov=lambda new, old: inv(-new)),
        "Has the Hessian come in with the wrong sign?",
    ),
    "sign in a pair": (poisson_with(data=(1, -1), pair=True), "The Hessian comes in with the wrong sign"),
    "sign of all in a pair": (
        poisson_with(cov=lambda new, old: inv(-new), pair=True),
        "The Hessian comes in with the wrong sign",
    ),
    "diagonal": (poisson_with(cov=lambda new, old: np.diag(np.diag(inv(new)))), "Only a diagonal"),
    "one over the diagonal": (
        poisson_with(cov=lambda new, old: np.diag(1 / np.diag(new))),
        "Only a diagonal",
    ),
    "old covariance returned": (poisson_with(cov=lambda new, old: inv(old)), "The covariance is the old one"),
    "old covariance": (
        poisson_with(mean=lambda new, m, g, old: m + solve(old, g)),
        "The mean moves by the old covariance",
    ),
    "downhill": (poisson_with(mean=lambda new, m, g, old: m - solve(new, g)), "The mean goes downhill"),
    "no inverse": (poisson_with(mean=lambda new, m, g, old: m + new @ g), "multiplies by a precision"),
    "move alone": (poisson_with(mean=lambda new, m, g, old: solve(new, g)), "This is how far the mean moves"),
    "plain": (poisson_with(mean=lambda new, m, g, old: m + g), "This is the plain gradient step"),
    "old mean": (poisson_with(mean=lambda new, m, g, old: m), "The mean is the old one"),
    "samples": (sampled(4, 500), "Two calls with the same arguments"),
    "samples of one seed": (sampled(None, 300_000), "Near everywhere, but not exact"),
    "covariance right": (
        poisson_with(mean=lambda new, m, g, old: m + 2 * solve(new, g)),
        "The covariance is right, the mean is not yet",
    ),
    "mean right": (
        poisson_with(cov=lambda new, old: 7 * inv(new)),
        "The mean is right, the covariance is not yet",
    ),
    "rows fixed": (
        lambda X, y, q: right_poisson(X[:5], y[:5], q),
        "Right for some arguments and wrong for others",
    ),
    "something else": (
        poisson_with(mean=lambda new, m, g, old: m + 3, cov=lambda new, old: 7 * inv(new)),
        "The values differ: under q each xᵀθ is normal",
    ),
    "nan": (poisson_with(mean=lambda new, m, g, old: np.nan * m, pair=True), "left its domain"),
    "in place": (changes_y, "It changes an argument itself"),
    "read-only": (adds_to_the_mean, "Work on new arrays"),
    "mean alone": (lambda X, y, q: right_poisson(X, y, q).mean, "Return the new q, as ig.MultivariateNormal"),
    "a normal": (lambda X, y, q: ig.Normal(0.3, 1.2), "Return the new q, as ig.MultivariateNormal"),
    "other dimension": (
        lambda X, y, q: ig.MultivariateNormal(np.zeros(5), np.eye(5)),
        "Return the new q, as ig.MultivariateNormal",
    ),
    "a grid": (
        lambda X, y, q: ig.MultivariateNormal(np.zeros((4, 2)), np.eye(2)),
        "Return the new q, as ig.MultivariateNormal",
    ),
    "not symmetric": (
        lambda X, y, q: ig.MultivariateNormal(
            q.mean, np.arange(1, len(q.mean) ** 2 + 1).reshape(q.cov.shape)
        ),
        "multiplied along the wrong axis?",
    ),
    "singular": (lambda X, y, q: inv(0 * q.cov), "does it have an inverse?"),
    "shapes": (lambda X, y, q: X @ y, "X has shape (n, d), y (n,)"),
    "prints": (lambda X, y, q: print(q), "returns nothing: is there a return? It prints"),
    "no return": (lambda X, y, q: None, "returns nothing: is there a return?"),
    "two arguments": (lambda X, y: X, "takes 2 positional arguments but 3 were given."),
    "raises": (lambda X, y, q: {}["z"], "raises KeyError: 'z'."),
    "called": (right_poisson(*counts._TWO), "Expected a function, got a MultivariateNormal"),
}
WRONG_FUNCTIONS = [("05.2", name) for name in WRONG_STEPS] + [("05.5", name) for name in WRONG_COUNTS]


def wrong(key, name):
    return (WRONG_STEPS if key == "05.2" else WRONG_COUNTS)[name]


@pytest.mark.parametrize(("key", "name"), WRONG_FUNCTIONS)
def test_a_wrong_function_gets_the_hint_that_fits(key, name):
    function, hint = wrong(key, name)
    text = said(key, function)
    assert text.startswith(f"{key} not yet: ")
    assert hint in text
    assert "\n" not in text
    assert len(text) < 500
    assert_nothing_given_away(key, text)


def test_a_function_cannot_spoil_the_inputs():
    for key, function, solution in (("05.2", changes_mean, right_step), ("05.5", changes_y, right_poisson)):
        assert said(key, function) == said(key, function)
        assert ig.check(key, solution).correct


def test_the_right_functions_without_watching_what_they_change():
    """What changes an argument is told so even if its values are right."""
    assert "It changes an argument itself" in said("05.2", changes_mean)


# -- whatever else one may write ---------------------------------------------------------------------------

GARBAGE = [
    None,
    "text",
    math.nan,
    math.inf,
    (math.nan, 1.0),
    sympy.oo,
    sympy.I,
    X_SYMBOL,
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
    ig.Normal([0.0, 1.0], 2.0),
    ig.MultivariateNormal([0.0, 1.0], np.eye(2)),
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("answer", GARBAGE, ids=lambda answer: type(answer).__name__)
def test_garbage_is_answered_in_one_kind_line(key, answer):
    text = said(key, answer)
    assert text.startswith(f"{key} not yet: ")
    assert "\n" not in text
    assert len(text) < 400
    assert_nothing_given_away(key, re.sub(r"shape \(.*?\)|a, b, c, d, e, f", "", text))


class Hostile:
    """An answer that raises whatever is asked of it, also for its name."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __call__(self, *arguments):
        raise RuntimeError("called")


@pytest.mark.parametrize("key", KEYS)
def test_no_object_is_too_hostile(key):
    assert said(key, Hostile()).startswith(f"{key} not yet: ")
    for function_key in FUNCTIONS:
        assert said(function_key, lambda *a: Hostile()).startswith(f"{function_key} not yet: ")


SCALARS = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=8),
    st.sampled_from([sympy.pi, X_SYMBOL, sympy.nan, sympy.eye(2), len, ig.Normal(0.3, 1.2)]),
    arrays.arrays(
        st.sampled_from([float, int, complex, bool, "U3", "datetime64[D]"]),
        arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    ),
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=2),
        st.frozensets(st.text(alphabet="abcdefAx ,", max_size=3), max_size=4),
    ),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(junk=JUNK)
def test_no_junk_breaks_a_check(junk):
    for key in KEYS:
        text = said(key, junk)
        assert text.startswith((f"{key} not yet: ", f"{key} correct: ")) and "\n" not in text
    for key in FUNCTIONS:
        text = said(key, lambda *arguments: junk)
        assert text.startswith(f"{key} not yet: ") and "\n" not in text


@settings(max_examples=25, deadline=None, derandomize=True)
@given(number=st.floats(), scale=st.floats())
def test_no_function_that_returns_any_numbers_breaks_the_check(number, scale):
    with np.errstate(all="ignore"):
        texts = [
            said("05.2", lambda *a: [number + scale * part for part in right_step(*a)]),
            said("05.5", lambda *a: [number + scale * part for part in as_pair(*a)]),
        ]
    for key, text in zip(FUNCTIONS, texts, strict=True):
        if " correct: " not in text:
            assert_nothing_given_away(key, text)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    pair=st.tuples(
        *[st.one_of(st.floats(), st.sampled_from([*ONE, *HALF, 6.0, 0.5, -1.0, 1e-320, 1e308]))] * 2
    )
)
def test_no_two_numbers_break_a_check_or_learn_the_answer(pair):
    for key in PAIRS:
        feedback = ig.check(key, pair)
        if not feedback.correct:
            assert_nothing_given_away(key, repr(feedback))


def test_every_choice_of_letters_has_its_word():
    letters = "abcdef"
    subsets = ["".join(c for i, c in enumerate(letters) if mask >> i & 1) for mask in range(1, 64)]
    assert [chosen for chosen in subsets if ig.check("05.4", chosen).correct] == ["ade"]
    for chosen in subsets:
        if chosen != "ade":
            assert_nothing_given_away("05.4", said("05.4", chosen))


def test_every_hint_is_one_line_and_gives_nothing_away():
    for exercise in lecture.EXERCISES:
        for text in [miss.text for miss in exercise.near_misses] + [exercise.otherwise]:
            assert isinstance(text, str)
            assert "\n" not in text and "  " not in text
            assert text.endswith((".", "?"))
            assert_nothing_given_away(exercise.key, text)


def test_every_hint_was_met_above():
    heard = {said(key, answer) for key, answer, _ in NEAR_MISSES}
    heard |= {said(key, wrong(key, name)[0]) for key, name in WRONG_FUNCTIONS}
    for exercise in lecture.EXERCISES:
        for text in (*(miss.text for miss in exercise.near_misses), exercise.otherwise):
            assert f"{exercise.key} not yet: {text}" in heard, text


@pytest.mark.parametrize("exercise", [e for e in lecture.EXERCISES if e.key != "05.4"], ids=lambda e: e.key)
def test_no_right_answer_is_taken_for_a_mistake(exercise):
    value = exercise.read(SOLUTIONS[exercise.key])
    harmless = ("Very near", "right, the", "Right for", "Near everywhere")
    for miss in exercise.near_misses:
        if miss.matches(value):
            assert any(words in miss.text for words in harmless), miss.text


@pytest.mark.parametrize("key", PAIRS)
def test_the_typical_wrong_numbers_lie_apart(key):
    """No wrong pair comes within 2 parts in 100 of the right one, but for the rounded one."""
    for one, answer, hint in NEAR_MISSES:
        if one == key and isinstance(answer, tuple) and "digits" not in hint and answer[0] != X_SYMBOL:
            assert np.shape(answer) != (2,) or not np.allclose(answer, SOLUTIONS[key], rtol=2e-2)


def test_feedback_is_the_same_each_time():
    for key, answer, _ in NEAR_MISSES:
        assert said(key, answer) == said(key, answer)
