"""The exercises of lecture 06: stub, solution, the mistakes one makes, and what is no answer at all."""

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
from scipy.linalg import sqrtm
from scipy.special import expit
from scipy.stats import bernoulli

import igviz as ig
from igviz.exercises import vae as lecture
from igviz.exercises import vae_decoder_metric as metrics
from igviz.exercises import vae_estimate as estimates
from igviz.exercises import vae_gaps as between
from igviz.exercises import vae_unit_kl as units
from igviz.models import digit_vaes
from igviz.models.images import digits

KEYS = [exercise.key for exercise in lecture.EXERCISES]
FUNCTIONS = ("06.1", "06.3", "06.4", "06.5")
LONGEST = 107  # characters of a reply of the lecture's own


def right_kl(mean, log_std):
    """The solution as in the notebook."""
    return 0.5 * (mean**2 + np.exp(2 * log_std) - 1) - log_std


def right_gradient(mean, log_std, noise, slope):
    """The solution as in the notebook."""
    std = np.exp(log_std)
    by_z = slope(mean + std * noise)
    return by_z - mean, by_z * std * noise + 1 - std**2


def central(decoder, z, h=1e-5):
    """J, shape (D, k)."""
    steps = h * np.eye(z.size)
    return np.stack([decoder(z + step) - decoder(z - step) for step in steps], axis=1) / (2 * h)


def right_metric(decoder, z):
    """The solution as in the notebook."""
    J, p = central(decoder, z), decoder(z)
    return J.T @ (J / (p * (1 - p))[:, None])


def right_gaps(log_likelihood, elbo, refined):
    """The solution as in the notebook."""
    return np.mean(log_likelihood - refined), np.mean(refined - elbo)


SOLUTIONS = {
    "06.1": right_kl,
    "06.2": "acf",
    "06.3": right_gradient,
    "06.4": right_metric,
    "06.5": right_gaps,
}
# how the right answers may be written
WRITTEN = {
    "06.1": r"mean\*\*2|mean²|m²|std² ?[−-]|exp\(2|2·log_std|[−-] ?log_std",
    "06.2": r"\W?a, ?c,? (and )?f\W?|acf|caf|fac|\(a\)|\(c\)|\(f\)",
    "06.3": r"[−-] ?mean|1 [−-] (std|s)|std ?[·*] ?noise|noise ?[·*] ?std|mean \+ std",
    "06.4": r"1/\(?p|1 / \(?p|p\*\*-1|J\.T|Jᵀ.*J",
    "06.5": r"log_likelihood [−-]|log p\(x\) − refined|refined [−-]",
}


def said(key, answer):
    return repr(ig.check(key, answer))


def assert_nothing_given_away(key, text):
    text = text.removeprefix(key)
    assert not re.search(rf"(?<![\w.])({WRITTEN[key]})(?!\w)", text), text


def test_the_keys():
    assert " ".join(KEYS) == "06.1 06.2 06.3 06.4 06.5"
    assert set(SOLUTIONS) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_stub(key):
    text = said(key, ...)
    assert text.startswith(f"{key} not answered yet: put ")
    assert len(text) <= LONGEST
    assert_nothing_given_away(key, text)


@pytest.mark.parametrize("key", FUNCTIONS)
def test_the_stubs_of_the_functions(key):
    assert said(key, lambda *arguments: ...).startswith(f"{key} not answered yet: ")


@pytest.mark.parametrize("key", ["06.3", "06.5"])
def test_half_a_pair_is_not_answered_yet(key):
    assert said(key, lambda *arguments: (..., ...)).startswith(f"{key} not answered yet: ")
    assert said(key, lambda *arguments: [arguments[0], ...]).startswith(f"{key} not answered yet: ")


@pytest.mark.parametrize("key", KEYS)
def test_the_solution(key):
    feedback = ig.check(key, SOLUTIONS[key])
    assert feedback.correct
    assert repr(feedback).startswith(f"{key} correct: ")
    assert len(repr(feedback)) <= LONGEST


# -- the right answers, from elsewhere ---------------------------------------------------------------------


@pytest.mark.parametrize("name", units._INPUTS)
def test_the_kl_from_the_family(name):
    mean, log_std = units._INPUTS[name]
    wanted = ig.Normal(mean, np.exp(log_std)).kl(ig.Normal(0, 1))
    np.testing.assert_allclose(units._exact(mean, log_std), wanted, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(units._kl()(mean, log_std), wanted, rtol=1e-12, atol=1e-14)
    reverse = ig.Normal(0, 1).kl(ig.Normal(mean, np.exp(log_std)))
    np.testing.assert_allclose(units._reverse(mean, log_std), reverse, rtol=1e-12, atol=1e-14)


def log_likelihood(slope, z):
    """log p(x|z) of the image whose slope it is, pixel by pixel."""
    log_odds = np.einsum("dk,...k->...d", slope.weights, np.tanh(z)) + slope.bias
    return np.sum(bernoulli.logpmf(slope.image, expit(log_odds)), axis=-1)


def one_draw_elbo(mean, log_std, noise, slope):
    """Of one draw, a total over images, with the KL from the family."""
    std = np.exp(log_std)
    kl = ig.Normal(mean, std).kl(ig.Normal(0, 1))
    return np.sum(log_likelihood(slope, mean + std * noise)) - np.sum(kl)


def differences(function, at, h=1e-4):
    """The gradient by central differences of order four, of the shape of the argument."""
    found = np.empty(at.shape)
    for place in np.ndindex(at.shape):
        e = np.zeros(at.shape)
        e[place] = h
        near, far = function(at + e) - function(at - e), function(at + 2 * e) - function(at - 2 * e)
        found[place] = (8 * near - far) / (12 * h)
    return found


@pytest.mark.parametrize("name", estimates.INPUTS)
def test_the_gradient_by_differences(name):
    mean, log_std, noise, slope = estimates.INPUTS[name]
    z = mean + np.exp(log_std) * noise
    np.testing.assert_allclose(
        slope(z), differences(lambda at: np.sum(log_likelihood(slope, at)), z), rtol=1e-7, atol=1e-9
    )
    by_mean = differences(lambda at: one_draw_elbo(at, log_std, noise, slope), mean)
    by_log_std = differences(lambda at: one_draw_elbo(mean, at, noise, slope), log_std)
    ours = estimates.exact(mean, log_std, noise, slope)
    np.testing.assert_allclose(ours, [by_mean, by_log_std], rtol=1e-7, atol=1e-9)


def jacobian_by_hand(decoder, z):
    bent = np.tanh(z @ decoder.first + decoder.shift)
    p = expit(bent @ decoder.second + decoder.bias)
    by_logit = np.einsum("kh,h,hd->dk", decoder.first, 1 - bent**2, decoder.second)
    return (p * (1 - p))[:, None] * by_logit, p


@pytest.mark.parametrize("name", metrics._INPUTS)
def test_the_metric_by_hand_from_logits_and_from_kl(name):
    decoder, z = metrics._INPUTS[name]
    J, p = jacobian_by_hand(decoder, z)
    wanted = np.einsum("di,d,dj->ij", J, 1 / p + 1 / (1 - p), J)
    np.testing.assert_allclose(metrics._exact(decoder, z), wanted, rtol=1e-8)
    geometry = ig.PullbackGeometry(lambda z: np.log(decoder(z) / (1 - decoder(z))))
    np.testing.assert_allclose(geometry.metric(z), wanted, rtol=1e-8)
    v = np.array([0.8, -0.5, 0.3])[: z.size] * 1e-4
    pixels, moved = ig.Bernoulli(decoder(z - v / 2)), ig.Bernoulli(decoder(z + v / 2))
    assert 2 * np.sum(pixels.kl(moved)) == pytest.approx(v @ wanted @ v, rel=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_simple_central_differences_are_exact_enough_everywhere(seed):
    rng = np.random.default_rng(100 + seed)
    decoder = metrics.Decoder(50 + seed, 2 + seed % 2, 64)
    z = rng.normal(size=2 + seed % 2)
    wanted = ig.PullbackGeometry(decoder, "probabilities").metric(z)
    np.testing.assert_allclose(right_metric(decoder, z), wanted, rtol=1e-6, atol=1e-7 * np.max(wanted))


def test_the_gaps_of_the_lectures_autoencoder():
    vae, images = digit_vaes.lecture(), digits().test[:30]
    q = vae.refine(images)
    given = vae.log_likelihood(images), vae.elbo(images), vae.elbo(images, q)
    approximation, amortisation = right_gaps(*given)
    assert 0 < approximation < amortisation
    np.testing.assert_allclose(between._exact(*given), (approximation, amortisation), rtol=1e-12)
    assert approximation + amortisation == pytest.approx(np.mean(given[0]) - np.mean(given[1]))
    for log_p, elbo, refined in between._INPUTS.values():
        assert np.all(log_p >= refined) and np.all(refined >= elbo)


@pytest.mark.parametrize("name", between._INPUTS)
def test_the_gaps_image_by_image(name):
    log_p, elbo, refined = between._INPUTS[name]
    wanted = np.zeros(2)
    for one, low, middle in zip(log_p, elbo, refined, strict=True):
        wanted += np.array([one - middle, middle - low]) / len(log_p)
    np.testing.assert_allclose(between._exact(log_p, elbo, refined), wanted, rtol=1e-12)


def test_the_statements_about_bounds_and_choosing():
    """With p(z) = N(0, 1) and x|z ~ N(z, 0.5²) everything is known in closed form."""
    x, noise, rng = 0.9, 0.5, np.random.default_rng(6)
    log_p = float(ig.Normal(0, math.hypot(1, noise)).log_prob(x))
    mean, log_std = rng.normal(0, 2, 4000), rng.normal(-1, 1, 4000)
    q = ig.Normal(mean, np.exp(log_std))
    kl = q.kl(ig.Normal(0, 1))
    fit = ig.Normal(0, noise).log_prob(x - mean) - q.std**2 / (2 * noise**2)

    def bound(beta):
        return bool(np.all(fit - beta * kl <= log_p + 1e-12))

    assert bound(1.0)
    # two models of one q and one decoder, which only their weights tell apart, and the ELBO does not
    same_yardstick = bool(np.allclose(fit - 4 * kl, fit - 0.5 * kl))
    # the highest of many noisy estimates, each of a mean over 360 images, when nothing gets better at all
    estimates_of_zero = rng.normal(0, 1 / math.sqrt(360), (2000, 50))
    chosen = np.max(estimates_of_zero, axis=1)
    too_high = np.mean(chosen) > 5 * np.std(chosen) / math.sqrt(2000)
    # here the decoder stays: only q has moved
    posterior = ig.Normal(x / (1 + noise**2), noise / math.hypot(1, noise))
    falls_with_the_decoder_at_rest = float(ig.Normal(x, 0.1).kl(posterior)) > 0.1
    # and it is q alone that closes the gap of an autoencoder's images
    vae, images = digit_vaes.lecture(), digits().test[:20]
    before = vae.decoder.parameters.copy()
    refined = vae.refine(images)
    start, end = np.mean(vae.elbo(images)), np.mean(vae.elbo(images, refined))
    left = np.mean(vae.elbo(images, vae.refine(images, refined))) - end
    closed = end - start > 0.1 > 10 * left and np.array_equal(before, vae.decoder.parameters)
    holds = {
        "a": bound(4.0),
        "b": bound(0.5),
        "c": closed,
        "d": not falls_with_the_decoder_at_rest,
        "e": same_yardstick,
        "f": bool(too_high),
    }
    assert "".join(letter for letter in holds if holds[letter]) == SOLUTIONS["06.2"]


# -- right answers in other clothes ------------------------------------------------------------------------

X_SYMBOL = sympy.Symbol("x")


def from_family(mean, log_std):
    return ig.Normal(mean, np.exp(log_std)).kl(ig.Normal(0, 1))


def kl_by_loop(mean, log_std):
    pairs = np.broadcast(mean, log_std)
    found = [m * m / 2 + (math.exp(2 * l) - 1) / 2 - l for m, l in pairs]  # noqa: E741
    return np.reshape(found, pairs.shape)


def kl_in_lists(mean, log_std):
    return right_kl(mean, log_std).tolist() if np.ndim(mean) else float(right_kl(mean, log_std))


def gradient_by_differences(mean, log_std, noise, slope):
    by_z = slope(mean + np.exp(log_std) * noise)
    h = 1e-5
    kl_by_log_std = (from_family(mean, log_std + h) - from_family(mean, log_std - h)) / (2 * h)
    return by_z - mean, by_z * np.exp(log_std) * noise - kl_by_log_std


def metric_pixel_by_pixel(decoder, z):
    J, p = central(decoder, z, 1e-4), decoder(z)
    total = np.zeros((z.size, z.size))
    for row, one in zip(J, p, strict=True):
        total += np.outer(row, row) / one / (1 - one)
    return total


def metric_by_logits(decoder, z):
    J = central(lambda at: np.log(decoder(at)) - np.log1p(-decoder(at)), z)
    p = decoder(z)
    return np.einsum("di,d,dj->ij", J, p * (1 - p), J)


def metric_by_roots(decoder, z):
    """The sphere of the square roots: 4·(dr² + ds²) with r = √p, s = √(1 − p)."""
    J = central(lambda at: np.concatenate([np.sqrt(decoder(at)), np.sqrt(1 - decoder(at))]), z)
    return 4 * J.T @ J


def metric_forwards(decoder, z):
    J = np.stack([decoder(z + step) - decoder(z) for step in 1e-7 * np.eye(z.size)], axis=1) / 1e-7
    return J.T @ np.diag(1 / (decoder(z) * (1 - decoder(z)))) @ J


def metric_from_library(decoder, z):
    return ig.PullbackGeometry(decoder, "probabilities").metric(z)


def gaps_of_means(log_likelihood, elbo, refined):
    return [
        log_likelihood.mean() - refined.mean(),
        sum(refined.tolist()) / len(refined) - sum(elbo) / len(elbo),
    ]


def prints(function):
    def talking(*arguments):
        print("on the way", arguments)
        return function(*arguments)

    return talking


RIGHT = [
    ("06.1", from_family),
    ("06.1", kl_by_loop),
    ("06.1", kl_in_lists),
    ("06.1", lambda mean, log_std: (mean**2 + np.expm1(2 * log_std)) / 2 - log_std),
    ("06.1", lambda mean, log_std: -0.5 * (1 + 2 * log_std - mean**2 - np.exp(log_std) ** 2)),
    ("06.1", functools.partial(lambda half, m, s: half * (m**2 + np.exp(2 * s) - 1 - 2 * s), 0.5)),
    ("06.1", prints(right_kl)),
    ("06.2", "FCA"),
    ("06.2", "a, c, f"),
    ("06.2", "(a), (c) and (f)"),
    ("06.2", ["a", "c", "f"]),
    ("06.2", {"a", "c", "f"}),
    ("06.2", np.array(["f", "c", "a", "a"])),
    ("06.3", gradient_by_differences),
    ("06.3", lambda *a: list(right_gradient(*a))),
    ("06.3", lambda *a: np.stack(right_gradient(*a))),
    ("06.3", lambda *a: [part.tolist() for part in right_gradient(*a)]),
    ("06.3", prints(right_gradient)),
    ("06.4", metric_pixel_by_pixel),
    ("06.4", metric_by_logits),
    ("06.4", metric_by_roots),
    ("06.4", metric_forwards),
    ("06.4", metric_from_library),
    ("06.4", lambda decoder, z: right_metric(decoder, z).tolist()),
    ("06.4", lambda decoder, z: sympy.Matrix(right_metric(decoder, z))),
    ("06.4", prints(right_metric)),
    *(
        ("06.4", lambda f, z, h=h: central(f, z, h).T @ (central(f, z, h) / (f(z) * (1 - f(z)))[:, None]))
        for h in (1e-3, 1e-4, 1e-6, 1e-7)
    ),
    ("06.5", gaps_of_means),
    ("06.5", lambda *a: np.array(right_gaps(*a))),
    ("06.5", lambda *a: np.array([right_gaps(*a)])),
    ("06.5", lambda *a: [[part] for part in right_gaps(*a)]),
    ("06.5", lambda *a: tuple(sympy.Float(float(part)) for part in right_gaps(*a))),
    ("06.5", prints(right_gaps)),
]


@pytest.mark.parametrize(
    ("key", "answer"), RIGHT, ids=lambda part: part if str(part).startswith("06") else ""
)
def test_the_solution_in_other_clothes(key, answer, capsys):
    feedback = ig.check(key, answer)
    assert feedback.correct, feedback
    assert capsys.readouterr().out == ""


# -- mistakes: the choice ----------------------------------------------------------------------------------

CHOICES = [
    ("abcdef", "Not all of them"),
    ("bde", "these are the ones that do not hold"),
    ("abcf", "Bounds: "),
    ("bcf", "Bounds: "),
    ({"c", "f"}, "Bounds: "),
    ("acef", "Comparing: "),
    ("ace", "Comparing: "),
    ("acdf", "Proving: "),
    (["a", "d"], "Proving: "),
    ("af", "Gaps: "),
    ("a", "Gaps: "),
    ("ac", "Choosing: "),
    ("", "Name at least one of the letters"),
    ("acx", "got another text"),
    (4, "in quotation marks, got a number"),
]


@pytest.mark.parametrize(("answer", "hint"), CHOICES)
def test_a_wrong_choice_gets_the_hint_that_fits(answer, hint):
    text = said("06.2", answer)
    assert text.startswith("06.2 not yet: ")
    assert hint in text
    assert len(text) <= LONGEST
    assert_nothing_given_away("06.2", text.replace("a, b, c, d, e, f", ""))


def test_every_choice_of_letters_has_its_word():
    letters = "abcdef"
    subsets = ["".join(c for i, c in enumerate(letters) if mask >> i & 1) for mask in range(1, 64)]
    assert [chosen for chosen in subsets if ig.check("06.2", chosen).correct] == ["acf"]


# -- mistakes: the functions -------------------------------------------------------------------------------


def kl_with(of_mean=np.square, of_std=lambda s: s**2, log=np.log, one=1, factor=1):
    """The KL written once more, from the std, with places for mistakes."""

    def function(mean, log_std):
        std = np.exp(log_std)
        return factor * (0.5 * (of_mean(mean) + of_std(std) - one) - log(std))

    return function


def kl_in_place(mean, log_std):
    result = right_kl(mean, log_std)
    mean *= 2
    return result


def noisy(function):
    rng = np.random.default_rng(3)

    def noised(*arguments):
        return np.asarray(function(*arguments)) + 0.01 * rng.normal()

    return noised


def of_one_number(mean, log_std):
    return 0.5 * (math.exp(2 * log_std) + mean**2 - 1) - log_std


AS_IT_IS = "log_std goes in as it is"
SUMMED = "The units are added up or averaged"
HALF = "A ½ is missing"
WRONG_KL = {
    "other direction": (
        lambda m, s: ig.Normal(0, 1).kl(ig.Normal(m, np.exp(s))),
        "This is KL(prior‖q), the other direction",
    ),
    "std for variance": (kl_with(of_std=np.asarray), "A std stands where a variance belongs"),
    "log variance": (
        lambda m, s: ig.Normal(m, np.exp(s / 2)).kl(ig.Normal(0, 1)),
        "taken for the logarithm of the variance",
    ),
    "as std": (lambda m, s: 0.5 * (m**2 + s**2 - 1) - np.log(s), AS_IT_IS),
    "as std, |·|": (lambda m, s: 0.5 * (m**2 + s**2 - 1) - 0.5 * np.log(s**2), AS_IT_IS),
    "as variance": (lambda m, s: 0.5 * (m**2 + s - 1 - np.log(s)), AS_IT_IS),
    "squared": (lambda m, s: 0.5 * (m**2 + s**2 - 1) - s, AS_IT_IS),
    "half its exponential": (lambda m, s: 0.5 * (m**2 + s - 1) - s, AS_IT_IS),
    "no ½": (kl_with(factor=2), HALF),
    "no ½ for the mean": (kl_with(of_mean=lambda m: 2 * m**2), HALF),
    "no ½ for the std": (lambda m, s: m**2 / 2 + np.exp(2 * s) - 1 - s, HALF),
    "no ½ before std²": (kl_with(of_std=lambda s: 2 * s**2), HALF),
    "no ½ but in 2 log": (lambda m, s: m**2 + np.exp(2 * s) - 1 - s, HALF),
    "log of the variance": (lambda m, s: 0.5 * (m**2 + np.exp(2 * s) - 1) - 2 * s, HALF),
    "½ log std": (lambda m, s: 0.5 * (m**2 + np.exp(2 * s) - 1 - s), "A ½ too many"),
    "¼": (kl_with(factor=0.5), "A ½ too many"),
    "log2": (kl_with(log=np.log2), "in bits"),
    "bits": (kl_with(factor=1 / np.log(2)), "in bits"),
    "summed": (lambda m, s: np.sum(right_kl(m, s)), SUMMED),
    "summed over units": (lambda m, s: np.sum(right_kl(m, s), axis=-1), SUMMED),
    "mean over images": (lambda m, s: np.mean(right_kl(m, s), axis=0), SUMMED),
    "summed, axis 1": (lambda m, s: np.sum(right_kl(m, s), axis=1), "Nothing is to be added up"),
    "transposed": (lambda m, s: right_kl(m, s).T, "Return one KL for each entry of mean"),
    "pair": (lambda m, s: (m, s), "Return one KL for each entry of mean"),
    "sign": (kl_with(factor=-1), "The sign is flipped"),
    "mean not squared": (kl_with(of_mean=np.asarray), "The part of the mean is not right"),
    "mean missing": (kl_with(of_mean=np.zeros_like), "The part of the mean is not right"),
    "mean subtracted": (kl_with(of_mean=lambda m: -(m**2)), "The part of the mean is not right"),
    "mean, |·|": (kl_with(of_mean=np.abs), "The part of the mean is not right"),
    "log added": (kl_with(log=lambda s: -np.log(s)), "The logarithm has the wrong sign"),
    "upside down": (lambda m, s: right_kl(m, -s), "The std is upside down"),
    "no −1": (kl_with(one=0), "At mean 0 and log_std 0"),
    "+1": (kl_with(one=-1), "At mean 0 and log_std 0"),
    "negative": (lambda m, s: m * 0 + s, "A KL is never negative, and some of these are"),
    "something else": (lambda m, s: m**2 + s**2, "E[z²] has a part"),
    "one row": (
        lambda m, s: right_kl(m, s) * (2 if np.ndim(m) == 1 else 1),
        "Right for some arguments and wrong for others",
    ),
    "in place": (kl_in_place, "It changes its arguments"),
    "nan": (lambda m, s: np.nan * m, "left its domain"),
    "infinite": (lambda m, s: np.inf + m, "left its domain"),
    "noise": (noisy(right_kl), "no draws are needed"),
    "for numbers": (of_one_number, "It must work for arrays."),
    "prints": (lambda m, s: print(m), "returns nothing: is there a return? It prints"),
    "no return": (lambda m, s: None, "returns nothing: is there a return?"),
    "one argument": (lambda m: m, "takes 1 positional argument but 2 were given."),
    "ambiguous": (lambda m, s: right_kl(m, s) if s > 0 else m, "It must work for arrays."),
    "raises": (lambda m, s: {}["z"], "raises KeyError: 'z'."),
    "called": (1.3, "Expected a function, got a number"),
    "text": (lambda m, s: "1.3", "returns a text"),
    "complex": (lambda m, s: 1j * m, "returns an array of complex128"),
}


def gradient_with(by_mean=None, by_log_std=None, z=None, std=np.exp):
    """The gradient written once more, with places for mistakes."""

    def function(mean, log_std, noise, slope):
        s = std(log_std)
        g = slope(mean + s * noise if z is None else z(mean, s, noise))
        return (
            g - mean if by_mean is None else by_mean(g, mean, s, noise),
            g * s * noise + 1 - s**2 if by_log_std is None else by_log_std(g, mean, s, noise),
        )

    return function


def swap(function):
    return lambda *arguments: function(*arguments)[::-1]


def gradient_in_place(mean, log_std, noise, slope):
    log_std -= 0.1
    return right_gradient(mean, log_std + 0.1, noise, slope)


def sampled_kl(mean, log_std, noise, slope):
    s = np.exp(log_std)
    z = mean + s * noise
    return slope(z) - z, (slope(z) - z) * s * noise + 1


def sticking(mean, log_std, noise, slope):
    s = np.exp(log_std)
    z = mean + s * noise
    d = slope(z) - z + (z - mean) / s**2
    return d, d * s * noise


DOWN = "A sign is flipped, in both parts or in one"
SIGN = "The KL has the wrong sign"
MISSING = "The KL to the prior is missing"
FACTOR = "A factor of 2 has slipped into the KL"
LATENT = "z is not the one that belongs to the noise"
NOT_STD = "The std is not right"
INTO_MEAN = "Something has come into the part by mean"
WRONG_GRADIENT = {
    "descent": (lambda *a: [-part for part in right_gradient(*a)], DOWN),
    "descent by mean": (gradient_with(by_mean=lambda g, m, s, e: m - g), DOWN),
    "descent by log_std": (gradient_with(by_log_std=lambda g, m, s, e: s**2 - 1 - g * s * e), DOWN),
    "swapped": (swap(right_gradient), "The two are swapped"),
    "variance in z": (gradient_with(z=lambda m, s, e: m + s**2 * e), LATENT),
    "root in z": (gradient_with(z=lambda m, s, e: m + np.sqrt(s) * e), LATENT),
    "minus in z": (gradient_with(z=lambda m, s, e: m - s * e), LATENT),
    "log_std in z": (gradient_with(z=lambda m, s, e: m + np.log(s) * e), LATENT),
    "no std in z": (gradient_with(z=lambda m, s, e: m + e), LATENT),
    "no mean in z": (gradient_with(z=lambda m, s, e: s * e), LATENT),
    "slope at the noise": (gradient_with(z=lambda m, s, e: e), LATENT),
    "slope at the mean": (gradient_with(z=lambda m, s, e: m), "The slope is taken at the mean"),
    "log_std as std": (gradient_with(std=np.asarray), NOT_STD),
    "log_std as log variance": (gradient_with(std=lambda s: np.exp(s / 2)), NOT_STD),
    "variance as std": (gradient_with(std=lambda s: np.exp(2 * s)), NOT_STD),
    "sampled KL": (sampled_kl, "The KL is sampled here"),
    "sticking the landing": (sticking, "The KL is sampled here"),
    "no KL": (gradient_with(lambda g, m, s, e: g, lambda g, m, s, e: g * s * e), MISSING),
    "no KL by mean": (gradient_with(lambda g, m, s, e: g), MISSING),
    "no KL by log_std": (gradient_with(None, lambda g, m, s, e: g * s * e), MISSING),
    "no KL and no chain": (gradient_with(None, lambda g, m, s, e: g * e), MISSING),
    "KL added": (
        gradient_with(lambda g, m, s, e: g + m, lambda g, m, s, e: g * s * e - 1 + s**2),
        SIGN,
    ),
    "KL added by mean": (gradient_with(lambda g, m, s, e: g + m), SIGN),
    "slope subtracted by mean": (gradient_with(lambda g, m, s, e: -g - m), SIGN),
    "KL added by log_std": (gradient_with(None, lambda g, m, s, e: g * s * e - 1 + s**2), SIGN),
    "slope subtracted by log_std": (gradient_with(None, lambda g, m, s, e: -g * s * e + 1 - s**2), SIGN),
    "no entropy": (gradient_with(None, lambda g, m, s, e: g * s * e - s**2), "entropy of q is forgotten"),
    "no entropy by std": (gradient_with(None, lambda g, m, s, e: g * e - s), "entropy of q is forgotten"),
    "entropy subtracted": (
        gradient_with(None, lambda g, m, s, e: g * s * e - 1 - s**2),
        "The entropy has the wrong sign",
    ),
    "entropy alone": (gradient_with(None, lambda g, m, s, e: g * s * e + 1), "Only the entropy of q"),
    "entropy alone by std": (gradient_with(None, lambda g, m, s, e: g * e + 1 / s), "Only the entropy of q"),
    "half the mean": (gradient_with(lambda g, m, s, e: g - m / 2), FACTOR),
    "twice the mean": (gradient_with(lambda g, m, s, e: g - 2 * m), FACTOR),
    "half the KL": (gradient_with(None, lambda g, m, s, e: g * s * e + (1 - s**2) / 2), FACTOR),
    "twice the KL": (gradient_with(None, lambda g, m, s, e: g * s * e + 2 - 2 * s**2), FACTOR),
    "twice the variance": (gradient_with(None, lambda g, m, s, e: g * s * e + 1 - 2 * s**2), FACTOR),
    "half the variance": (gradient_with(None, lambda g, m, s, e: g * s * e + 1 - s**2 / 2), FACTOR),
    "std in the KL": (gradient_with(None, lambda g, m, s, e: g * s * e + 1 - s), FACTOR),
    "by std": (gradient_with(None, lambda g, m, s, e: g * e + 1 / s - s), "is differentiated by the std"),
    "KL by std": (
        gradient_with(None, lambda g, m, s, e: g * s * e + 1 / s - s),
        "is differentiated by the std",
    ),
    "no chain factor": (
        gradient_with(None, lambda g, m, s, e: g * e + 1 - s**2),
        "The chain rule stops at the std",
    ),
    "by log variance": (
        gradient_with(None, lambda g, m, s, e: (g * s * e + 1 - s**2) / 2),
        "by the variance or its logarithm",
    ),
    "by variance": (
        gradient_with(None, lambda g, m, s, e: (g * e + 1 / s - s) / (2 * s)),
        "by the variance or its logarithm",
    ),
    "no noise": (gradient_with(None, lambda g, m, s, e: g * s + 1 - s**2), "By log_std something is missing"),
    "no noise, no std": (
        gradient_with(None, lambda g, m, s, e: g + 1 - s**2),
        "By log_std something is missing",
    ),
    "KL alone by log_std": (
        gradient_with(None, lambda g, m, s, e: 1 - s**2),
        "By log_std something is missing",
    ),
    "noise and std by mean": (gradient_with(lambda g, m, s, e: g * s * e - m), INTO_MEAN),
    "noise by mean": (gradient_with(lambda g, m, s, e: g * e - m), INTO_MEAN),
    "std by mean": (gradient_with(lambda g, m, s, e: g * s - m), INTO_MEAN),
    "KL alone by mean": (gradient_with(lambda g, m, s, e: -m), "By mean the slope is missing"),
    "right without noise": (
        gradient_with(None, lambda g, m, s, e: g * s * e**2 + 1 - s**2),
        "Right where the noise is 0",
    ),
    "mean right": (gradient_with(None, lambda g, m, s, e: g + s), "By mean it is right, by log_std not yet"),
    "log_std right": (gradient_with(lambda g, m, s, e: g + 7), "By log_std it is right, by mean not yet"),
    "right for rows": (
        lambda m, s, e, f: [part * (1 if np.ndim(m) == 1 else 3) for part in right_gradient(m, s, e, f)],
        "Right for some arguments and wrong for others",
    ),
    "something else": (lambda *a: [part + 3 for part in right_gradient(*a)], "Follow z by the chain rule"),
    "by mean alone": (lambda *a: right_gradient(*a)[0], "This is one array; asked for are two"),
    "summed": (lambda *a: [np.sum(part) for part in right_gradient(*a)], "The units have been added up"),
    "summed, axis −1": (
        lambda *a: [np.sum(part, axis=-1) for part in right_gradient(*a)],
        "The units have been added up",
    ),
    "summed, axis 1": (
        lambda *a: [np.sum(part, axis=1) for part in right_gradient(*a)],
        "Nothing is to be added up",
    ),
    "three": (lambda *a: (*right_gradient(*a), 1.0), "Return a pair"),
    "columns": (lambda *a: np.stack(right_gradient(*a), axis=-1), "Return a pair"),
    "two shapes": (lambda m, s, e, f: (m, 1.0), "Return a pair"),
    "number": (lambda m, s, e, f: 1.0, "Return a pair"),
    "in place": (gradient_in_place, "It changes its arguments"),
    "nan": (lambda m, s, e, f: (m, np.nan * s), "left its domain"),
    "draws": (noisy(right_gradient), "draw no noise of your own"),
    "slope of another shape": (lambda m, s, e, f: (f(np.zeros(9)), s), "slope takes z alone"),
    "slope of two": (lambda m, s, e, f: (f(m, s), s), "slope takes z alone"),
    "slope as array": (lambda m, s, e, f: (f * m, s), "slope takes z alone"),
    "prints": (lambda *a: print(a[0]), "returns nothing: is there a return? It prints"),
    "no return": (lambda *a: None, "returns nothing: is there a return?"),
    "two arguments": (lambda m, s: m, "takes 2 positional arguments but 4 were given."),
    "raises": (lambda *a: {}["z"], "raises KeyError: 'z'."),
    "called": ((0.3, 0.4), "Expected a function, got a tuple"),
}


def metric_with(weights, h=1e-5):
    def function(decoder, z):
        J = central(decoder, z, h)
        return J.T @ np.diag(weights(decoder(z))) @ J

    return function


def then(change):
    return lambda decoder, z: change(right_metric(decoder, z), decoder(z))


def metric_in_place(decoder, z):
    columns = []
    for i in range(z.size):
        z[i] += 1e-4
        up = decoder(z)
        z[i] -= 2e-4
        columns.append((up - decoder(z)) / 2e-4)
    J, p = np.stack(columns, axis=1), decoder(z)
    return J.T @ (J / (p * (1 - p))[:, None])


def only_two(decoder, z):
    J = central(decoder, z)[:, :2]
    return J.T @ (J / (decoder(z) * (1 - decoder(z)))[:, None])


def through_pixels(decoder, z):
    J, p = central(decoder, z), decoder(z)
    return (J / (p * (1 - p))[:, None]) @ J.T


def roots(decoder, z):
    with np.errstate(invalid="ignore"):
        return np.sqrt(right_metric(decoder, z))


ROOT = "A root has been taken"
UP_TO = "Right up to a factor"
KXK = "Return a matrix of shape (k, k)"
WRONG_METRIC = {
    "no I": (metric_with(np.ones_like), "I is forgotten"),
    "I of logits": (metric_with(lambda p: p * (1 - p)), "This I belongs to log odds"),
    "taken for logits": (
        lambda decoder, z: ig.PullbackGeometry(decoder, "logits").metric(z),
        "This I belongs to log odds",
    ),
    "ones only": (metric_with(lambda p: 1 / p), "Only one value of a pixel counts"),
    "zeros only": (metric_with(lambda p: 1 / (1 - p)), "Only one value of a pixel counts"),
    "I twice": (metric_with(lambda p: (p * (1 - p)) ** -2), "I comes in twice"),
    "I of logits twice": (metric_with(lambda p: (p * (1 - p)) ** 2), "I comes in twice"),
    "root of I": (metric_with(lambda p: (p * (1 - p)) ** -0.5), ROOT),
    "root of entries": (roots, ROOT),
    "root of the matrix": (then(lambda G, p: sqrtm(G).real), ROOT),
    "transposed": (through_pixels, "The matrix has a row for each pixel"),
    "two latent numbers": (only_two, "It keeps to two latent numbers"),
    "determinant": (then(lambda G, p: np.sqrt(np.linalg.det(G))), "This is one number"),
    "trace": (then(lambda G, p: np.trace(G)), "This is one number"),
    "diagonal": (then(lambda G, p: np.diag(G)), KXK),
    "J": (lambda f, z: central(f, z), KXK),
    "each pixel's": (lambda f, z: np.einsum("di,dj->dij", central(f, z), central(f, z)), KXK),
    "mean over pixels": (then(lambda G, p: G / p.size), "The pixels have been averaged"),
    "diagonal matrix": (then(lambda G, p: np.diag(np.diag(G))), "Only the diagonal has come through"),
    "inverse": (then(lambda G, p: np.linalg.inv(G)), "This is the inverse"),
    "half": (then(lambda G, p: G / 2), "A factor of 2"),
    "twice": (then(lambda G, p: 2 * G), "A factor of 2"),
    "divided by h": (then(lambda G, p: 4 * G), UP_TO),
    "forwards, by 2h": (then(lambda G, p: G / 4), UP_TO),
    "not divided": (then(lambda G, p: G * 1e-10), UP_TO),
    "minus": (then(lambda G, p: -G), UP_TO),
    "wide steps": (metric_with(lambda p: 1 / (p * (1 - p)), 0.03), "Near, but differences can do better"),
    "64 pixels": (
        then(lambda G, p: G * (1 if p.size == 64 else np.array([[1.5]])) + (p.size != 64)),
        "Right for some decoders and wrong for others",
    ),
    "something else": (then(lambda G, p: G + np.max(G)), "First J, a row for each pixel"),
    "zeros": (then(lambda G, p: 0 * G), "First J, a row for each pixel"),
    "in place": (metric_in_place, "It changes z itself"),
    "nan": (then(lambda G, p: np.nan * G), "left its domain"),
    "infinite": (then(lambda G, p: np.inf + G), "left its domain"),
    "noise": (noisy(right_metric), "no draws are needed"),
    "wrong shape": (lambda f, z: f(np.zeros(7)), "decoder takes z of shape (k,)"),
    "third": (lambda f, z: z[2], "decoder takes z of shape (k,)"),
    "prints": (lambda f, z: print(z), "returns nothing: is there a return? It prints"),
    "no return": (lambda f, z: None, "returns nothing: is there a return?"),
    "three arguments": (lambda f, z, w: z, "missing 1 required positional argument: 'w'."),
    "raises": (lambda f, z: {}["z"], "raises KeyError: 'z'."),
    "called": (np.eye(2), "Expected a function, got an array"),
    "geometry": (ig.PullbackGeometry, "raises "),
    "manifold": (lambda f, z: ig.PullbackGeometry(f, "probabilities"), "returns a PullbackGeometry"),
}


def gaps_with(average=np.mean, first=1, second=1):
    return lambda p, low, mid: (first * average(p - mid), second * average(mid - low))


def gaps_in_place(log_likelihood, elbo, refined):
    log_likelihood -= refined
    return np.mean(log_likelihood), np.mean(refined - elbo)


def each_image(log_likelihood, elbo, refined):
    return log_likelihood - refined, refined - elbo


FIRST_WHOLE = "The first is the whole gap"
SECOND_WHOLE = "The second is the whole gap"
NO_GAP = "The mean of one of the three arrays is no gap"
WRONG_GAPS = {
    "swapped": (swap(right_gaps), "The two are swapped"),
    "swapped and turned": (swap(gaps_with(first=-1, second=-1)), "The two are swapped"),
    "both signs": (gaps_with(first=-1, second=-1), "A sign is flipped"),
    "first sign": (gaps_with(first=-1), "A sign is flipped"),
    "second sign": (gaps_with(second=-1), "A sign is flipped"),
    "sums": (gaps_with(np.sum), "The images have been added up"),
    "medians": (gaps_with(np.median), "The median has been taken"),
    "medians of arrays": (
        lambda p, low, mid: (np.median(p) - np.median(mid), np.median(mid) - np.median(low)),
        "The median has been taken",
    ),
    "whole first": (lambda p, low, mid: (np.mean(p - low), np.mean(mid - low)), FIRST_WHOLE),
    "minus whole first": (lambda p, low, mid: (np.mean(low - p), np.mean(mid - low)), FIRST_WHOLE),
    "whole twice": (lambda p, low, mid: (np.mean(p - low), np.mean(p - low)), FIRST_WHOLE),
    "whole second": (lambda p, low, mid: (np.mean(p - mid), np.mean(p - low)), SECOND_WHOLE),
    "minus whole second": (lambda p, low, mid: (np.mean(p - mid), np.mean(low - p)), SECOND_WHOLE),
    "the means": (lambda p, low, mid: (np.mean(mid), np.mean(low)), NO_GAP),
    "one mean": (lambda p, low, mid: (np.mean(p - mid), np.mean(low)), NO_GAP),
    "evidence": (lambda p, low, mid: (np.mean(p), np.mean(mid - low)), NO_GAP),
    "bits": (gaps_with(lambda gap: np.mean(gap) / np.log(2)), "This is in bits"),
    "first right": (lambda p, low, mid: (np.mean(p - mid), 7), "The first is right"),
    "second right": (lambda p, low, mid: (7, np.mean(mid - low)), "The second is right"),
    "of the first images": (
        lambda p, low, mid: (np.sum(p - mid) / 12, np.sum(mid - low) / 12),
        "Right for some arrays",
    ),
    "something else": (lambda p, low, mid: (7, 7), "Put the three in order"),
    "each image": (each_image, "This is a pair for each image"),
    "stacked": (lambda *a: np.stack(each_image(*a)), "This is a pair for each image"),
    "one number": (lambda p, low, mid: np.mean(p - low), "Return two numbers"),
    "three": (lambda p, low, mid: (1, 2, 3), "Return two numbers"),
    "one of two shapes": (lambda p, low, mid: (1, mid), "Return two numbers"),
    "in place": (gaps_in_place, "It changes its arguments"),
    "nan": (lambda p, low, mid: (np.nan, 1), "left its domain"),
    "noise": (noisy(right_gaps), "return different values"),
    "prints": (lambda *a: print(a[0]), "returns nothing: is there a return? It prints"),
    "no return": (lambda *a: None, "returns nothing: is there a return?"),
    "two arguments": (lambda p, low: 1, "takes 2 positional arguments but 3 were given."),
    "raises": (lambda *a: {}["z"], "raises KeyError: 'z'."),
    "called": (right_gaps(*between._SOME), "Expected a function, got a tuple"),
    "texts": (lambda *a: ("a", "b"), "expected an array"),
}
WRONG = {"06.1": WRONG_KL, "06.3": WRONG_GRADIENT, "06.4": WRONG_METRIC, "06.5": WRONG_GAPS}
WRONG_FUNCTIONS = [(key, name) for key, functions in WRONG.items() for name in functions]


@pytest.mark.parametrize(("key", "name"), WRONG_FUNCTIONS)
def test_a_wrong_function_gets_the_hint_that_fits(key, name):
    function, hint = WRONG[key][name]
    text = said(key, function)
    assert text.startswith(f"{key} not yet: ")
    assert hint in text
    assert "\n" not in text
    assert len(text) < 400
    assert "0x" not in text
    assert_nothing_given_away(key, text)


def test_a_function_cannot_spoil_the_inputs():
    for key, function in (
        ("06.1", kl_in_place),
        ("06.3", gradient_in_place),
        ("06.4", metric_in_place),
        ("06.5", gaps_in_place),
    ):
        assert said(key, function) == said(key, function)
        assert ig.check(key, SOLUTIONS[key]).correct


def test_a_function_cannot_spoil_decoder_and_slope():
    def spoils_slope(mean, log_std, noise, slope):
        slope.weights *= 2
        return right_gradient(mean, log_std, noise, slope)

    def spoils_decoder(decoder, z):
        decoder.bias[:] = 0
        return right_metric(decoder, z)

    assert "raises ValueError" in said("06.3", spoils_slope)
    assert "raises ValueError" in said("06.4", spoils_decoder)
    for key in ("06.3", "06.4"):
        assert ig.check(key, SOLUTIONS[key]).correct


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
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("answer", GARBAGE, ids=lambda answer: type(answer).__name__)
def test_garbage_is_answered_in_one_kind_line(key, answer):
    text = said(key, answer)
    assert text.startswith(f"{key} not yet: ")
    assert "\n" not in text
    assert len(text) < 400
    assert_nothing_given_away(key, text.replace("a, b, c, d, e, f", ""))


@pytest.mark.parametrize("key", FUNCTIONS)
@pytest.mark.parametrize("answer", GARBAGE, ids=lambda answer: type(answer).__name__)
def test_a_function_may_return_garbage(key, answer):
    text = said(key, lambda *arguments: answer)
    assert text.startswith(f"{key} not yet: ")
    assert "\n" not in text


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
        assert said(function_key, lambda *a: (Hostile(), 1)).startswith(f"{function_key} not yet: ")


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


@settings(max_examples=50, deadline=None, derandomize=True)
@given(junk=JUNK)
def test_no_junk_breaks_a_check(junk):
    for key in KEYS:
        text = said(key, junk)
        assert text.startswith((f"{key} not yet: ", f"{key} correct: ")) and "\n" not in text
    for key in FUNCTIONS:
        text = said(key, lambda *arguments: junk)
        assert text.startswith(f"{key} not yet: ") and "\n" not in text


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    number=st.one_of(st.floats(), st.sampled_from([0.0, 1e308, -1e308, 1e200, 1e-320])),
    scale=st.one_of(st.floats(), st.sampled_from([0.0, 1e308, -1e308, 1e-320])),
)
def test_no_function_that_returns_any_numbers_breaks_the_check(number, scale):
    for key in FUNCTIONS:

        def function(*arguments, solution=SOLUTIONS[key]):
            with np.errstate(all="ignore"):
                return number + scale * np.asarray(solution(*arguments))

        text = said(key, function)
        if " correct: " not in text:
            assert text.startswith(f"{key} not yet: ")
            assert_nothing_given_away(key, text)


def test_every_hint_is_one_short_line_and_gives_nothing_away():
    for exercise in lecture.EXERCISES:
        for text in [miss.text for miss in exercise.near_misses] + [exercise.otherwise]:
            assert isinstance(text, str)
            assert "\n" not in text and "  " not in text
            assert text.endswith((".", "?"))
            assert len(f"{exercise.key} not yet: {text}") <= LONGEST, text
            assert_nothing_given_away(exercise.key, text)


def test_every_hint_was_met_above():
    heard = {said("06.2", answer) for answer, _ in CHOICES}
    heard |= {said(key, WRONG[key][name][0]) for key, name in WRONG_FUNCTIONS}
    for exercise in lecture.EXERCISES:
        for text in (*(miss.text for miss in exercise.near_misses), exercise.otherwise):
            assert f"{exercise.key} not yet: {text}" in heard, text


@pytest.mark.parametrize("exercise", [e for e in lecture.EXERCISES if e.key != "06.2"], ids=lambda e: e.key)
def test_no_right_answer_is_taken_for_a_mistake(exercise):
    value = exercise.read(SOLUTIONS[exercise.key])
    harmless = ("Right ", "right, ", "Near, ")
    for miss in exercise.near_misses:
        if miss.matches(value):
            assert any(words in miss.text for words in harmless), miss.text


def test_feedback_is_the_same_each_time():
    for key, name in WRONG_FUNCTIONS:
        if name not in ("noise", "draws"):
            assert said(key, WRONG[key][name][0]) == said(key, WRONG[key][name][0])
