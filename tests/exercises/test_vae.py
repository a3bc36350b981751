"""The exercises of lecture 06: their table of answers and replies, and what is special about them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from scipy.linalg import sqrtm
from scipy.special import expit
from scipy.stats import bernoulli

import igviz as ig
from igviz.exercises.vae import Decoder
from igviz.models import digit_vaes
from igviz.models.images import digits
from tests.exercises.replies import GARBAGE, reply

# -- the solutions as in the notebook ----------------------------------------------------------------------


def kl(mean, log_std):
    return 0.5 * (mean**2 + np.exp(2 * log_std) - 1) - log_std


def gradient(mean, log_std, noise, slope):
    std = np.exp(log_std)
    by_z = slope(mean + std * noise)
    return by_z - mean, by_z * std * noise + 1 - std**2


def central(decoder, z, h=1e-5):
    """J, shape (D, k)."""
    steps = h * np.eye(z.size)
    return np.stack([decoder(z + step) - decoder(z - step) for step in steps], axis=1) / (2 * h)


def metric(decoder, z):
    J, p = central(decoder, z), decoder(z)
    return J.T @ (J / (p * (1 - p))[:, None])


def gaps(log_likelihood, elbo, refined):
    return np.mean(log_likelihood - refined), np.mean(refined - elbo)


# -- mistakes ----------------------------------------------------------------------------------------------


def gradient_with(by_mean=None, by_log_std=None, z=lambda m, s, e: m + s * e, std=np.exp):
    """The gradient written once more, with places for mistakes."""

    def function(mean, log_std, noise, slope):
        s = std(log_std)
        g = slope(z(mean, s, noise))
        first, second = g - mean, g * s * noise + 1 - s**2
        return (
            by_mean(g, mean, s, noise) if by_mean else first,
            by_log_std(g, s, noise) if by_log_std else second,
        )

    return function


def metric_with(weights, h=1e-5):
    def function(decoder, z):
        J = central(decoder, z, h)
        return J.T @ np.diag(weights(decoder(z))) @ J

    return function


def then(change):
    return lambda decoder, z: change(metric(decoder, z))


SOLUTIONS = {"06.1": kl, "06.2": "acf", "06.3": gradient, "06.4": metric, "06.5": gaps}
WRITTEN = {
    "06.1": r"mean\*\*2|mean²|m²|std² ?[−-]|exp\(2|2·log_std|[−-] ?log_std",
    "06.2": r"\W?a, ?c,? (and )?f\W?|acf|caf|fac|\(a\)|\(c\)|\(f\)",
    "06.3": r"[−-] ?mean|1 [−-] (std|s)|std ?[·*] ?noise|noise ?[·*] ?std|mean \+ std",
    "06.4": r"1/\(?p|1 / \(?p|p\*\*-1|J\.T|Jᵀ.*J",
    "06.5": r"log_likelihood [−-]|log p\(x\) − refined|refined [−-]",
}
AS_IT_IS, HALF = "log_std goes in as it is", "A ½ is missing"
MISSING, WHOLE = "The KL to the prior is missing", "whole gap from log p(x) to the encoder's ELBO"
REPLIES = [
    ("06.1", lambda m, s: ig.Normal(0, 1).kl(ig.Normal(m, np.exp(s))), "This is KL(prior‖q), the other"),
    ("06.1", lambda m, s: 0.5 * (m**2 + np.exp(s) - 1) - s, "A std stands where a variance belongs"),
    ("06.1", lambda m, s: kl(m, s / 2), "taken for the logarithm of the variance"),
    ("06.1", lambda m, s: 0.5 * (m**2 + s**2 - 1) - np.log(s), AS_IT_IS),
    ("06.1", lambda m, s: 0.5 * (m**2 + s**2 - 1) - 0.5 * np.log(s**2), AS_IT_IS),
    ("06.1", lambda m, s: 0.5 * (m**2 + s - 1 - np.log(s)), AS_IT_IS),
    ("06.1", lambda m, s: 0.5 * (m**2 + s**2 - 1) - s, AS_IT_IS),
    ("06.1", lambda m, s: 0.5 * (m**2 + s - 1) - s, AS_IT_IS),
    ("06.1", lambda m, s: 2 * kl(m, s), HALF),
    ("06.1", lambda m, s: m**2 + 0.5 * np.exp(2 * s) - 0.5 - s, HALF),
    ("06.1", lambda m, s: m**2 / 2 + np.exp(2 * s) - 1 - s, HALF),
    ("06.1", lambda m, s: 0.5 * (m**2 + 2 * np.exp(2 * s) - 1) - s, HALF),
    ("06.1", lambda m, s: m**2 + np.exp(2 * s) - 1 - s, HALF),
    ("06.1", lambda m, s: 0.5 * (m**2 + np.exp(2 * s) - 1) - 2 * s, HALF),
    ("06.1", lambda m, s: np.sum(kl(m, s), axis=-1), "The units are added up or averaged"),
    ("06.1", lambda m, s: np.sum(kl(m, s), axis=1), "Nothing is to be added up"),
    ("06.1", lambda m, s: kl(m, s).T, "Return one KL for each entry of mean"),
    ("06.1", lambda m, s: (m, s), "Return one KL for each entry of mean"),
    ("06.1", lambda m, s: -kl(m, s), "The sign is flipped"),
    ("06.1", lambda m, s: 0.5 * (m**2 + np.exp(2 * s) - 1) + s, "The logarithm has the wrong sign"),
    ("06.1", lambda m, s: kl(m, s) + 0.5, "At mean 0 and log_std 0"),
    ("06.1", lambda m, s: m**2 + s**2, "E[z²] has a part"),
    ("06.1", lambda m, s: (kl(m, s), m.fill(0))[0], "It changes its arguments"),
    ("06.1", lambda m, s: np.nan * m, "left its domain"),
    ("06.1", lambda m, s: 0.5 * (math.exp(2 * s) + m**2 - 1) - s, "It must work for arrays."),
    ("06.2", "abcdef", "Not all of them"),
    ("06.2", "bde", "these are the ones that do not hold"),
    ("06.2", "abcf", "Bounds: "),
    ("06.2", {"c", "f"}, "Bounds: "),
    ("06.2", "acef", "Comparing: "),
    ("06.2", "acdf", "Proving: "),
    ("06.2", "af", "Gaps: "),
    ("06.2", "ac", "Choosing: "),
    ("06.2", "acx", "got another text"),
    ("06.3", gradient_with(z=lambda m, s, e: m), "The slope is taken at the mean"),
    ("06.3", gradient_with(std=np.asarray), "The std is not right"),
    ("06.3", gradient_with(std=lambda s: np.exp(s / 2)), "The std is not right"),
    ("06.3", gradient_with(std=lambda s: np.exp(2 * s)), "The std is not right"),
    ("06.3", gradient_with(lambda g, m, s, e: g, lambda g, s, e: g * s * e), MISSING),
    ("06.3", gradient_with(lambda g, m, s, e: g), MISSING),
    ("06.3", gradient_with(None, lambda g, s, e: g * s * e), MISSING),
    ("06.3", gradient_with(None, lambda g, s, e: g * e), MISSING),
    ("06.3", gradient_with(lambda g, m, s, e: g + m), "The KL has the wrong sign"),
    ("06.3", gradient_with(None, lambda g, s, e: g * s * e - 1 + s**2), "The KL has the wrong sign"),
    ("06.3", gradient_with(None, lambda g, s, e: g * e + 1 / s - s), "differentiated by the std"),
    ("06.3", gradient_with(None, lambda g, s, e: g * s * e + 1 / s - s), "differentiated by the std"),
    ("06.3", gradient_with(None, lambda g, s, e: g * e + 1 - s**2), "The chain rule stops at the std"),
    ("06.3", gradient_with(None, lambda g, s, e: g * s + 1 - s**2), "By log_std something is missing"),
    ("06.3", gradient_with(None, lambda g, s, e: g + 1 - s**2), "By log_std something is missing"),
    ("06.3", gradient_with(None, lambda g, s, e: g + s), "By mean it is right, by log_std not yet"),
    ("06.3", gradient_with(lambda g, m, s, e: g + 7), "By log_std it is right, by mean not yet"),
    ("06.3", gradient_with(None, lambda g, s, e: 1 - s**2), "By log_std something is missing"),
    ("06.3", lambda *a: [-part for part in gradient(*a)], "A sign is flipped, in both parts or in one"),
    ("06.3", gradient_with(lambda g, m, s, e: -g - m), "The KL has the wrong sign"),
    ("06.3", lambda *a: [part + 3 for part in gradient(*a)], "Follow z by the chain rule"),
    ("06.3", lambda *a: [np.sum(part, axis=1) for part in gradient(*a)], "Nothing is to be added up"),
    ("06.3", lambda *a: (*gradient(*a), 1.0), "Return a pair"),
    ("06.3", lambda *a: np.stack(gradient(*a), axis=-1), "Return a pair"),
    ("06.3", lambda *a: (gradient(*a), a[2].fill(0))[0], "It changes its arguments"),
    ("06.3", lambda m, s, e, f: (f(np.zeros(9)), s), "slope takes z alone"),
    ("06.3", lambda m, s, e, f: (f(m, s), s), "slope takes z alone"),
    ("06.3", lambda m, s, e, f: (f * m, s), "slope takes z alone"),
    ("06.4", metric_with(np.ones_like), "I is forgotten"),
    ("06.4", metric_with(lambda p: p * (1 - p)), "This I belongs to log odds"),
    ("06.4", lambda f, z: ig.PullbackGeometry(f, "logits").metric(z), "This I belongs to log odds"),
    ("06.4", metric_with(lambda p: 1 / p), "Only one value of a pixel counts"),
    ("06.4", metric_with(lambda p: 1 / (1 - p)), "Only one value of a pixel counts"),
    ("06.4", metric_with(lambda p: (p * (1 - p)) ** -0.5), "A root has been taken"),
    ("06.4", then(lambda G: np.where(G < 0, np.nan, np.abs(G) ** 0.5)), "A root has been taken"),
    ("06.4", then(lambda G: sqrtm(G).real), "A root has been taken"),
    ("06.4", then(np.diag), "Return a matrix of shape (k, k)"),
    ("06.4", central, "Return a matrix of shape (k, k)"),
    ("06.4", lambda f, z: central(f, z) @ central(f, z).T, "Return a matrix of shape (k, k)"),
    ("06.4", then(lambda G: 4 * G), "Right up to a factor"),
    ("06.4", then(lambda G: -1e-10 * G), "Right up to a factor"),
    ("06.4", metric_with(lambda p: 1 / (p * (1 - p)), 0.03), "Near, but differences can do better"),
    ("06.4", then(lambda G: G + np.max(G)), "First J, a row for each pixel"),
    ("06.4", then(lambda G: 0 * G), "First J, a row for each pixel"),
    ("06.4", lambda f, z: (metric(f, z), z.fill(0))[0], "It changes z itself"),
    ("06.4", then(lambda G: np.inf + G), "left its domain"),
    ("06.4", lambda f, z: f(np.zeros(7)), "decoder takes z of shape (k,)"),
    ("06.4", lambda f, z: z[2], "decoder takes z of shape (k,)"),
    ("06.4", lambda f, z: ig.PullbackGeometry(f, "probabilities"), "returns a PullbackGeometry"),
    ("06.5", lambda *a: gaps(*a)[::-1], "The two are swapped"),
    ("06.5", lambda p, low, mid: gaps(low, p, mid), "The two are swapped"),
    ("06.5", lambda p, low, mid: (np.mean(mid - p), np.mean(low - mid)), "A sign is flipped"),
    ("06.5", lambda p, low, mid: (np.mean(mid - p), np.mean(mid - low)), "A sign is flipped"),
    ("06.5", lambda p, low, mid: (np.mean(p - mid), np.mean(low - mid)), "A sign is flipped"),
    ("06.5", lambda p, low, mid: (np.sum(p - mid), np.sum(mid - low)), "The images have been added up"),
    ("06.5", lambda p, low, mid: (np.mean(p - low), np.mean(mid - low)), f"The first is the {WHOLE}"),
    ("06.5", lambda p, low, mid: (np.mean(low - p), np.mean(mid - low)), f"The first is the {WHOLE}"),
    ("06.5", lambda p, low, mid: (np.mean(p - mid), np.mean(p - low)), f"The second is the {WHOLE}"),
    ("06.5", lambda p, low, mid: (np.mean(p - mid), np.mean(low - p)), f"The second is the {WHOLE}"),
    ("06.5", lambda p, low, mid: (np.mean(p - mid), 7), "The first is right"),
    ("06.5", lambda p, low, mid: (7, np.mean(mid - low)), "The second is right"),
    ("06.5", lambda p, low, mid: (7, 7), "Put the three in order"),
    ("06.5", lambda p, low, mid: (p - mid, mid - low), "This is a pair for each image"),
    ("06.5", lambda p, low, mid: np.mean(p - low), "Return two numbers"),
    ("06.5", lambda p, low, mid: (1, mid), "Return two numbers"),
    ("06.5", lambda *a: (gaps(*a), a[1].fill(0))[0], "It changes its arguments"),
]

# -- the right answers, from elsewhere ---------------------------------------------------------------------


def by_differences(mean, log_std, noise, slope, h=1e-4):
    """The gradient of the ELBO of one draw, a total over images, by differences of order four."""

    def elbo(mean, log_std):
        q = ig.Normal(mean, np.exp(log_std))
        log_odds = (mean + q.std * noise) @ slope.weights.T + slope.bias
        fit = bernoulli.logpmf(slope.image, expit(log_odds))
        return np.sum(fit) - np.sum(q.kl(ig.Normal(0, 1)))

    found, point = np.empty((2, *mean.shape)), np.stack([mean, log_std])
    for place in np.ndindex(found.shape):
        e = np.zeros(found.shape)
        e[place] = h
        near, far = elbo(*(point + e)) - elbo(*(point - e)), elbo(*(point + 2 * e)) - elbo(*(point - 2 * e))
        found[place] = (8 * near - far) / (12 * h)
    return found


def by_hand(decoder, z):
    bent = np.tanh(z @ decoder.first + decoder.shift)
    p = expit(bent @ decoder.second + decoder.bias)
    J = (p * (1 - p))[:, None] * np.einsum("kh,h,hd->dk", decoder.first, 1 - bent**2, decoder.second)
    return np.einsum("di,d,dj->ij", J, 1 / p + 1 / (1 - p), J)


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("06.1", lambda mean, log_std: ig.Normal(mean, np.exp(log_std)).kl(ig.Normal(0, 1))),
        ("06.1", lambda mean, log_std: -0.5 * (1 + 2 * log_std - mean**2 - np.exp(log_std) ** 2)),
        ("06.1", lambda mean, log_std: kl(mean, log_std).tolist()),
        ("06.2", "FCA"),
        ("06.2", "(a), (c) and (f)"),
        ("06.2", {"a", "c", "f"}),
        ("06.3", by_differences),
        ("06.3", lambda *a: [part.tolist() for part in gradient(*a)]),
        ("06.4", by_hand),
        ("06.4", lambda decoder, z: ig.PullbackGeometry(decoder, "probabilities").metric(z)),
        ("06.4", lambda decoder, z: sympy.Matrix(metric(decoder, z))),
        *(("06.4", metric_with(lambda p: 1 / p + 1 / (1 - p), h)) for h in (1e-3, 1e-4, 1e-6, 1e-7)),
        ("06.5", lambda p, low, mid: [p.mean() - mid.mean(), mid.mean() - low.mean()]),
        ("06.5", lambda *a: [[part] for part in gaps(*a)]),
        ("06.5", lambda *a: tuple(sympy.Float(float(part)) for part in gaps(*a))),
    ],
)
def test_the_solution_in_other_clothes(key, answer):
    assert ig.check(key, answer).correct


def test_the_metric_is_that_of_kl():
    decoder, z, step = Decoder(8, 3, 9), np.array([1, -2, 0.5]), 1e-4 * np.array([0.8, -0.5, 0.3])
    pixels, moved = ig.Bernoulli(decoder(z - step / 2)), ig.Bernoulli(decoder(z + step / 2))
    assert 2 * np.sum(pixels.kl(moved)) == pytest.approx(step @ metric(decoder, z) @ step, rel=1e-4)


def test_the_gaps_of_the_lectures_autoencoder():
    vae, images = digit_vaes.lecture(), digits().test[:30]
    given = vae.log_likelihood(images), vae.elbo(images), vae.elbo(images, vae.refine(images))
    approximation, amortisation = gaps(*given)
    assert 0 < approximation < amortisation
    assert approximation + amortisation == pytest.approx(np.mean(given[0]) - np.mean(given[1]))


def test_the_statements_about_bounds_and_choosing():
    """With p(z) = N(0, 1) and x|z ~ N(z, 0.5²) everything is known in closed form."""
    x, noise, rng = 0.9, 0.5, np.random.default_rng(6)
    log_p = float(ig.Normal(0, math.hypot(1, noise)).log_prob(x))
    q = ig.Normal(rng.normal(0, 2, 4000), np.exp(rng.normal(-1, 1, 4000)))
    to_prior = q.kl(ig.Normal(0, 1))
    fit = ig.Normal(0, noise).log_prob(x - q.mean) - q.std**2 / (2 * noise**2)
    bound = {beta: bool(np.all(fit - beta * to_prior <= log_p + 1e-12)) for beta in (0.5, 1.0, 4.0)}
    assert bound[1.0]
    # the highest of many noisy estimates, each of a mean over 360 images, when nothing gets better at all
    chosen = np.max(rng.normal(0, 1 / math.sqrt(360), (2000, 50)), axis=1)
    # one decoder: only q has moved, and the ELBO falls; and q alone closes the gap of an autoencoder's images
    posterior = ig.Normal(x / (1 + noise**2), noise / math.hypot(1, noise))
    vae, images = digit_vaes.lecture(), digits().test[:20]
    before, refined = vae.decoder.parameters.copy(), vae.refine(images)
    start, end = np.mean(vae.elbo(images)), np.mean(vae.elbo(images, refined))
    left = np.mean(vae.elbo(images, vae.refine(images, refined))) - end
    holds = {
        "a": bound[4.0],
        "b": bound[0.5],
        "c": end - start > 0.1 > 10 * left and np.array_equal(before, vae.decoder.parameters),
        "d": float(ig.Normal(x, 0.1).kl(posterior)) <= 0.1,
        "e": np.allclose(fit - 4 * to_prior, fit - 0.5 * to_prior),
        "f": np.mean(chosen) > 5 * np.std(chosen) / math.sqrt(2000),
    }
    assert "".join(letter for letter in holds if holds[letter]) == SOLUTIONS["06.2"]


# -- what is special ---------------------------------------------------------------------------------------


def test_the_stubs_of_the_functions_and_half_a_pair():
    for key in ("06.1", "06.3", "06.4", "06.5"):
        assert reply(key, lambda *arguments: ...).startswith(f"{key} not answered yet: ")
        for junk in GARBAGE:
            assert reply(key, lambda *arguments, junk=junk: junk).startswith(f"{key} not yet: ")
    for key in ("06.3", "06.5"):
        assert reply(key, lambda *arguments: [arguments[0], ...]).startswith(f"{key} not answered yet: ")


def test_no_answer_spoils_what_the_next_one_meets():
    def spoils_slope(mean, log_std, noise, slope):
        slope.weights *= 2

    def spoils_decoder(decoder, z):
        decoder.bias[:] = 0

    for key, spoils in (("06.3", spoils_slope), ("06.4", spoils_decoder)):
        assert "raises ValueError" in reply(key, spoils)
        assert ig.check(key, SOLUTIONS[key]).correct


def test_one_choice_of_letters_is_right():
    subsets = ["".join(c for i, c in enumerate("abcdef") if mask >> i & 1) for mask in range(1, 64)]
    assert [chosen for chosen in subsets if ig.check("06.2", chosen).correct] == ["acf"]
