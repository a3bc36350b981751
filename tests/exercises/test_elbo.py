"""The exercises of lecture 04: their table of answers and replies, and what is special about them."""

from __future__ import annotations

import math
from functools import partial

import mpmath
import numpy as np
import pytest
import sympy
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, norm

import igviz as ig
from igviz.inference.mean_field import mean_field
from tests.exercises.replies import assert_nothing_given_away, reply

HALF, DATA = 0.5 * math.log(2 * math.pi), (0.7, 2.4)
EVIDENCE_OF_TWO = multivariate_normal.logpdf(DATA, np.zeros(2), np.eye(2) + 4)
EVIDENCE, JOINT, LOG_Q = -1.8927, -3.9385, -1.6813  # as in the notebook
ELBO = JOINT - LOG_Q
GAP = EVIDENCE - ELBO
POSTERIOR, Q, PRIOR = ig.Normal(1.04, 0.8**0.5), ig.Normal(0.5, 1.3), ig.Normal(0, 2)
SIGMA = np.array([[4, 2, -1], [2, 3, 0.5], [-1, 0.5, 2]])
MARGINAL, PRECISION, WANTED = np.diag(SIGMA), np.linalg.inv(SIGMA), np.array([40 / 23, 10 / 7, 5 / 4])
LEFT = 1 - np.array([SIGMA[i, j] ** 2 / (SIGMA[i, i] * SIGMA[j, j]) for i, j in ((0, 1), (1, 2), (2, 0))])
LEFT_TOO = LEFT[[2, 0, 1]]
BY_PAIRS = [LEFT, LEFT_TOO, LEFT * LEFT_TOO, LEFT + LEFT_TOO - 1, np.minimum(LEFT, LEFT_TOO)]
RNG = np.random.default_rng(5)


def rows(key, part, *answers):
    return [(key, answer, part) for answer in answers]


def elbo(mean, std, prior=1, entropy=1, to_data=1, to_prior=1):
    """The solution as in the notebook, with places for mistakes."""
    log_2pi = np.log(2 * np.pi)
    likelihood = sum(-0.5 * log_2pi - 0.5 * ((x - mean) ** 2 + to_data * std**2) for x in (0.7, 2.4))
    of_prior = -0.5 * log_2pi - np.log(2) - (mean**2 + to_prior * std**2) / (2 * 2**2)
    return likelihood + prior * of_prior + entropy * (0.5 * log_2pi + 0.5 + np.log(std))


def gap(mean, std):
    return ig.Normal(mean, std).kl(ig.Normal(3.1 / 2.25, 1 / 1.5))


def changes_mean(mean, std):
    value = elbo(mean, std)
    mean *= 2
    return value


def gradient(mean, std, epsilon):
    """The solution as in the notebook."""
    z = mean + std * epsilon
    slope = 1 - np.exp(z) - z / 1.5**2
    return slope, slope * epsilon + 1 / std


def parts(make):
    """Another pair of the slope, std and ε."""
    return lambda m, s, e: make(gradient(m, s, e)[0], s, e)


def with_z(make):
    """The estimates with another z."""

    def estimates(mean, std, epsilon):
        slope = gradient(make(mean, std, epsilon), std, 0 * epsilon)[0]
        return slope, slope * epsilon + 1 / std

    return estimates


def path(m, s, e, of=np):
    """The ELBO's summand with log q in it, whose own score at fixed ε is the entropy's."""
    return m + s * e - of.exp(m + s * e) - (m + s * e) ** 2 / 4.5 + of.log(s)


def by_differences(m, s, e, h=1e-6):
    by_mean, by_std = path(m + h, s, e) - path(m - h, s, e), path(m, s + h, e) - path(m, s - h, e)
    return by_mean / (2 * h), by_std / (2 * h)


def changes_epsilon(mean, std, epsilon):
    pair = gradient(mean, std, epsilon)
    epsilon *= std
    return pair


SOLUTIONS = {
    "04.1": GAP,
    "04.2": elbo,
    "04.3": 1 / np.diag(PRECISION),
    "04.4": "bce",
    "04.5": gradient,
}
WRITTEN = {
    "04.1": r"0?\.36\d*|0?\.37",
    "04.2": r"\+ std²|std\*\*2|log\(?std|log std|2πe|½·?log",
    "04.3": r"1\.7[34]\d*|1\.4[23]\d*|1\.25|10/|40/23|1/Λ|one over|diagonal of the inverse|conditional",
    "04.4": r"\W?b, ?c, ?e\W?|bce|ecb|\(b\)|\(c\)|\(e\)|moment matching is",
    "04.5": r"1/std|1 / std|slope·ε|slope \* epsilon|mean \+ std|1 − eᶻ|z/1\.5²",
}
REPLIES = [
    ("04.1", -GAP, "The sign is flipped"),
    *rows("04.1", "This is the ELBO, or minus it", ELBO, -ELBO),
    *rows("04.1", "a part of the ELBO is missing", EVIDENCE - JOINT, JOINT - EVIDENCE),
    *rows("04.1", "entropy of q has the wrong sign", EVIDENCE - (JOINT + LOG_Q), JOINT + LOG_Q - EVIDENCE),
    *rows("04.1", "one of the three numbers given", EVIDENCE, -JOINT, LOG_Q),
    ("04.1", POSTERIOR.kl(Q), "KL(posterior‖q), the other direction"),
    *rows("04.1", "compares q with the prior", Q.kl(PRIOR), PRIOR.kl(Q)),
    ("04.1", 0.37, "carry more digits"),
    ("04.1", -0.1, "cannot lie above the evidence"),
    *rows("04.1", "Put the ELBO together", 0, 17),
    ("04.2", lambda m, s: -elbo(m, s), "This is minus the ELBO"),
    ("04.2", lambda m, s: elbo(m, s, entropy=0), "the entropy of q is missing"),
    ("04.2", lambda m, s: elbo(m, s, entropy=-1), "The entropy of q has the wrong sign"),
    ("04.2", lambda m, s: elbo(m, s, prior=0), "The prior is missing"),
    ("04.2", lambda m, s: elbo(m, s, prior=0, entropy=0), "The prior is missing"),
    ("04.2", lambda m, s: elbo(m, s, to_data=0, to_prior=0), "replaced by its mean"),
    ("04.2", lambda m, s: elbo(m, s, to_data=0, to_prior=0, entropy=0), "replaced by its mean"),
    ("04.2", lambda m, s: elbo(m, s, to_data=0), "replaced by its mean"),
    ("04.2", lambda m, s: elbo(m, s, to_prior=0), "replaced by its mean"),
    ("04.2", lambda m, s: elbo(m, s) + 2 * HALF + math.log(2) - 0.5, "and the constants are not"),
    ("04.2", lambda m, s: elbo(m, s) - HALF - 0.5, "and the constants are not"),
    ("04.2", lambda m, s: elbo(m, s) + RNG.normal(), "Two calls with the same q"),
    ("04.2", lambda m, s: np.inf * np.abs(elbo(m, s)), "left its domain"),
    ("04.2", lambda m, s: elbo(m, np.maximum(s, 0.75)), "Right for some q and wrong for others"),
    ("04.2", lambda m, s: elbo(np.atleast_1d(m), s), "Right for some q and wrong for others"),
    ("04.2", lambda m, s: 3 + elbo(m, s) ** 2, "write down log p(x₁ | z)"),
    ("04.2", lambda m, s: [x * s - m for x in DATA], "write down log p(x₁ | z)"),
    ("04.2", changes_mean, "It changes mean or std itself"),
    ("04.2", lambda m, s: elbo(m, s) + np.sum((np.array(DATA) - m) ** 2), "have met in one axis"),
    ("04.2", lambda m, s: np.sum(elbo(m, s)), "For arrays it returns a single number"),
    ("04.2", lambda m, s: elbo(m, 1) + math.log(s), "those of math do not"),
    *rows("04.3", "which the least KL(p‖q) has", MARGINAL, np.diag(MARGINAL)),
    ("04.3", np.diag(PRECISION), "These are precisions"),
    ("04.3", np.sqrt(WANTED), "These are the stds of q"),
    *rows("04.3", "together from single pairs", *(MARGINAL * left for left in BY_PAIRS)),
    ("04.3", (1.75, 1.43, 1.25), "carry more digits"),
    ("04.3", (9, 1, 1), "does q stick out of p?"),
    ("04.3", (0.9, 0.8, 0.1), "Add the entropy of q"),
    *rows("04.3", "Variances are positive", (1, -1, 1), np.zeros(3)),
    *rows("04.3", "in a factorised q nothing is correlated", PRECISION, SIGMA),
    ("04.3", 1.25, "Expected the three variances, got one number"),
    ("04.4", "abcde", "Not all of them"),
    ("04.4", "ad", "these are the ones that do not hold"),
    *rows("04.4", "Look again at the highest ELBO", "abce", "a"),
    *rows("04.4", "Look again at the gap between the humps", {"b", "c", "d", "e"}, "d"),
    *rows("04.4", "derivatives by mean and std to zero", ["c", "e"], "e"),
    *rows("04.4", "a q that sits on the right hump", "be", "b"),
    ("04.4", "bc", "the mean of log q − log p there?"),
    *rows("04.4", "Name at least one of the letters", "", []),
    ("04.5", parts(lambda d, s, e: (d, d * e)), "The entropy of q is missing"),
    ("04.5", parts(lambda d, s, e: (d, s * d * e)), "The entropy of q is missing"),
    ("04.5", parts(lambda d, s, e: (d, d + 1 / s)), "ε is missing"),
    ("04.5", parts(lambda d, s, e: (d, d)), "ε is missing"),
    ("04.5", parts(lambda d, s, e: (d, 1 / s)), "ε is missing"),
    ("04.5", parts(lambda d, s, e: (-d, -d * e - 1 / s)), "The signs are flipped"),
    ("04.5", with_z(lambda m, s, e: m + s**2 * e), "z is not the one that belongs to ε"),
    ("04.5", with_z(lambda m, s, e: m + np.sqrt(s) * e), "z is not the one that belongs to ε"),
    ("04.5", with_z(lambda m, s, e: m + e), "z is not the one that belongs to ε"),
    ("04.5", with_z(lambda m, s, e: s * e), "z is not the one that belongs to ε"),
    ("04.5", with_z(lambda m, s, e: e), "z is not the one that belongs to ε"),
    ("04.5", with_z(lambda m, s, e: m - s * e), "z is not the one that belongs to ε"),
    ("04.5", lambda *a: [np.mean(part) for part in gradient(*a)], "has been taken inside"),
    ("04.5", lambda *a: [np.sum(part) for part in gradient(*a)], "has been taken inside"),
    ("04.5", lambda m, s, e: gradient(m, s, 0.0), "or ε does not come in"),
    ("04.5", lambda *a: gradient(*a)[0], "for epsilon of shape () it returns shape ()"),
    ("04.5", lambda *a: [np.ravel(part) for part in gradient(*a)], "of shape () it returns shape (2, 1)"),
    ("04.5", lambda m, s, e: gradient(m, s, RNG.normal(size=np.shape(e))), "use the ε that are given"),
    ("04.5", changes_epsilon, "It changes epsilon itself"),
    ("04.5", parts(lambda d, s, e: (d, d * e + np.log(s))), "The derivative by mean is right"),
    ("04.5", parts(lambda d, s, e: (d * e, d * e + 1 / s)), "The derivative by std is right"),
    ("04.5", parts(lambda d, s, e: (d + 3, d + 4)), "put z as a function of mean, std and ε"),
    ("04.5", lambda m, s, e: (1 - math.exp(m + s * e), 1 / s), "those of math do not"),
    ("04.5", lambda m, s, e: ("a", "b"), "returns an array of <U1"),
    ("04.5", lambda m, s, e: (np.zeros(3), np.zeros(4)), "returns a tuple; expected an array"),
]

# -- the right answers, from elsewhere ---------------------------------------------------------------------


NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
WEIGHTS /= WEIGHTS.sum()


def test_the_numbers_that_are_given_and_the_gap_by_quadrature():
    z, log_q = 0.5 + 1.3 * NODES, norm.logpdf(0.5 + 1.3 * NODES, 0.5, 1.3)
    joint, evidence = norm.logpdf(1.3, z, 1) + norm.logpdf(z, 0, 2), norm.logpdf(1.3, 0, math.sqrt(5))
    assert np.round([evidence, joint @ WEIGHTS, log_q @ WEIGHTS], 4).tolist() == [EVIDENCE, JOINT, LOG_Q]
    exact = evidence - (joint - log_q) @ WEIGHTS
    # the rounding of what is given costs a fraction of what is allowed
    np.testing.assert_allclose(GAP, exact, rtol=3e-4)
    np.testing.assert_allclose(Q.kl(POSTERIOR), exact, rtol=1e-9)


def test_the_elbo_is_highest_at_the_posterior_and_is_the_evidence_there():
    rng = np.random.default_rng(4)
    means, stds = rng.normal(1.4, 1, 500), np.exp(rng.normal(0, 1, 500))
    np.testing.assert_allclose(elbo(means, stds), EVIDENCE_OF_TWO - gap(means, stds), rtol=1e-10)
    np.testing.assert_allclose(elbo(3.1 / 2.25, 1 / 1.5), EVIDENCE_OF_TWO, rtol=1e-12)


def test_the_mean_field_variances_minimise_the_divergence_and_are_those_of_the_library():
    target = ig.MultivariateNormal(np.zeros(3), SIGMA)

    def loss(logs):
        return float(ig.MultivariateNormal(np.zeros(3), np.diag(np.exp(logs))).kl(target))

    found = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-7})
    np.testing.assert_allclose(np.exp(found.x), WANTED, rtol=1e-5)
    np.testing.assert_allclose(np.diag(mean_field(target).cov), WANTED, rtol=1e-12)


def test_the_statements_about_the_two_humps():
    x, humps = np.linspace(-20, 20, 8001), ((0.7, -2, 0.6), (0.3, 3, 0.9))
    log_p = np.logaddexp(*(math.log(w) + norm.logpdf(x, m, s) for w, m, s in humps))

    def reverse(q):
        log_q = norm.logpdf(x, *q)
        return np.trapezoid(np.exp(log_q) * (log_q - log_p), x)

    def forward(q):
        return np.trapezoid(np.exp(log_p) * (log_p - norm.logpdf(x, *q)), x)

    def descend(divergence, *start):
        return minimize(divergence, start, method="L-BFGS-B", bounds=[(-5, 5), (0.1, 5)], tol=1e-12).x

    mean = 0.7 * -2 + 0.3 * 3
    moments = mean, math.sqrt(sum(w * (s**2 + (m - mean) ** 2) for w, m, s in humps))
    matched, left, right = descend(forward, 0.1, 1), descend(reverse, -2.5, 0.8), descend(reverse, 3.4, 0.8)
    holds = {
        "a": np.allclose(min(left, right, descend(reverse, 0.5, 2.5), key=reverse), moments, atol=0.1),
        "b": np.allclose(matched, moments, atol=1e-4),
        "c": abs(left[0] - right[0]) > 1,
        "d": np.max(norm.pdf(x, *matched)[np.exp(log_p) < 0.01]) < 0.02,
        "e": abs(reverse((-2, 0.6)) + math.log(0.7)) < 1e-3,
    }
    assert "".join(letter for letter in holds if holds[letter]) == SOLUTIONS["04.4"]
    assert forward((-2, 0.6)) > 20 * reverse((-2, 0.6))  # a q that leaves a hump out pays dearly


@pytest.mark.parametrize(("mean", "std"), [(-0.4, 0.8), (0.5, 1.1), (-1.2, 1.6)])
def test_the_estimates_by_differentiating_along_the_path_and_on_average(mean, std):
    for e in (-1.3, 0.0, 0.9):
        by_mpmath = partial(mpmath.diff, lambda m, s, e=e: path(m, s, e, mpmath), (mean, std))
        wanted = [float(by_mpmath(order)) for order in ((1, 0), (0, 1))]
        np.testing.assert_allclose(gradient(mean, std, e), wanted, rtol=1e-8)
    averages = np.stack(gradient(mean, std, NODES)) @ WEIGHTS
    of_model = ig.models.skewed_posterior.elbo_gradient(ig.Normal(mean, std))
    np.testing.assert_allclose(averages, of_model, rtol=1e-8)


def test_the_score_function_has_two_to_three_times_the_variance_at_the_best_q():
    q = ig.models.skewed_posterior.best_normal()
    z = q.mean + q.std * NODES
    reward = ig.models.skewed_posterior.log_joint(z) - q.log_prob(z)
    by_score = np.stack([reward * NODES, reward * (NODES**2 - 1)]) / q.std
    estimates = by_score, np.stack(gradient(q.mean, q.std, NODES))
    theirs, ours = (each**2 @ WEIGHTS - (each @ WEIGHTS) ** 2 for each in estimates)
    assert np.all((theirs > 2 * ours) & (theirs < 3 * ours))


# -- what is special ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("04.1", 0.36456),
        ("04.1", sympy.Rational(3645, 10000)),
        ("04.2", lambda mean, std: EVIDENCE_OF_TWO - gap(mean, std)),
        ("04.2", lambda mean, std: elbo(mean, std).tolist()),
        ("04.2", np.vectorize(elbo)),
        ("04.3", (1.739, 1.429, 1.25)),
        ("04.3", WANTED[:, None]),
        ("04.3", np.diag(WANTED)),
        ("04.3", sympy.diag("40/23", "10/7", "5/4")),
        ("04.4", "ECB"),
        ("04.4", "(b), (c) and (e)"),
        ("04.5", by_differences),
        ("04.5", lambda *a: np.stack(gradient(*a), axis=-1)),
        ("04.5", lambda *a: [np.asarray(part).tolist() for part in gradient(*a)]),
    ],
)
def test_the_solution_in_other_clothes(key, answer):
    assert ig.check(key, answer).correct


def test_the_stubs_of_the_functions_and_half_an_answer():
    assert reply("04.2", lambda mean, std: ...).startswith("04.2 not answered yet: ")
    assert reply("04.3", (..., 1.0, 1.0)).startswith("04.3 not answered yet: ")
    for stub in (..., (..., ...), (1.0, ...)):
        assert reply("04.5", lambda *a, stub=stub: stub).startswith("04.5 not answered yet: ")


def test_every_choice_of_letters_has_its_word():
    for chosen in ("".join(c for i, c in enumerate("abcde") if mask >> i & 1) for mask in range(1, 32)):
        assert ig.check("04.4", chosen).correct == (chosen == "bce")
        if chosen != "bce":
            assert_nothing_given_away(WRITTEN, "04.4", reply("04.4", chosen))


@pytest.mark.parametrize("junk", [0.0, "a", (), [1.0, 2.0], np.zeros((2, 2, 2)), [[1.0], [2.0, 3.0]], 1e308])
def test_no_function_that_returns_junk_breaks_a_check(junk):
    for key in ("04.2", "04.5"):
        assert reply(key, lambda *a: junk).startswith(f"{key} not yet: ")
