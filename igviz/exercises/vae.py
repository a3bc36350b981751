"""Exercises of lecture 06: the units' KL, what holds for bounds and gaps, a gradient, a metric, two gaps."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import sqrtm
from scipy.special import expit

from igviz.exercises.checker import Case, agrees, has, lacks
from igviz.exercises.forms import Inputs, Rule, Tried, function, letters, not_finite
from igviz.geometry.pullback import PullbackGeometry
from igviz.models.vae_training import kl_of_units

_CHANGES = Case(
    lambda tried: tried.changed,
    "It changes its arguments: work on new arrays, as in a = a + b instead of a += b.",
)
_NO_AXIS = ("axis", "Nothing is to be added up.")
_SIZES = "mismatch|broadcast|dimension"


def _shaped(tried: Tried, *front: int) -> bool:
    """Whether all results have the shape of the first argument, with `front` before it."""
    shapes = {name: (*front, *np.shape(given[0])) for name, given in tried.inputs.items()}
    return all(tried.values[name].shape == shape for name, shape in shapes.items())


def _as_pair(result: Any) -> Any:
    """Return a pair as one array with the two in front, empty if it is none; the stub passes as it is."""
    if not isinstance(result, tuple | list) or any(part is ... or part is None for part in result):
        return result
    with contextlib.suppress(Exception):  # not two, of two shapes, or no numbers
        first, second = result
        return np.stack([np.asarray(first), np.asarray(second)])
    return np.empty(0)


def _part(places: tuple[int, ...], *rules: Rule) -> Callable[[Tried], bool]:
    """Return whether what stands in one of these places of a pair is what one of the rules gives."""

    def same(tried: Tried, rule: Rule, place: int) -> bool:
        pairs = [(tried.values[name], rule(*given)) for name, given in tried.inputs.items()]
        return all(agrees(got[place], wanted[place], 1e-5, 1e-5) for got, wanted in pairs)

    return lambda tried: any(same(tried, rule, place) for rule in rules for place in places)


def _advice(*hints: tuple[str, str]) -> Callable[[Exception], str]:
    """Return what to say of an exception: the hint of the first pattern that its words have, if any."""
    return lambda error: next((hint for pattern, hint in hints if re.search(pattern, str(error))), "")


# -- 06.1 --------------------------------------------------------------------------------------------------

_MEANS, _LOG_STDS = np.random.default_rng(6).normal(size=(2, 4, 3))
# mean, log_std: by what they test
_UNITS: Inputs = {
    "table": (_MEANS, _LOG_STDS),
    "row": (np.array([0.6, -1.9, 1.4, 0.2, -0.8]), np.array([0.9, 0.4, -0.5, 1.2, 0.2])),
    "prior": (np.zeros((1, 2)), np.zeros((1, 2))),
}

unit_kl = function(
    "06.1",
    "The KL of each latent unit",
    kl_of_units,
    _UNITS,
    expects="the KL of each unit, from mean and log_std,",
    limits=["prior"],
    faults=[_CHANGES],
    advice=_advice(_NO_AXIS, ("scalar|length-1|size-1|ambiguous", "It must work for arrays.")),
    why="A unit whose KL is 0 for every image says nothing about any: it has collapsed.",
    wrong=[
        (
            [
                lambda m, s: kl_of_units(m, np.log(s)),
                lambda m, s: kl_of_units(m, np.log(np.abs(s))),
                lambda m, s: kl_of_units(m, 0.5 * np.log(s)),
                lambda m, s: 0.5 * (m**2 + s - 1.0) - s,
                lambda m, s: 0.5 * (m**2 + s**2 - 1.0) - s,
            ],
            "log_std goes in as it is: it is a logarithm, and may be negative.",
        ),
        Case(
            lambda tried: tried.values["row"].ndim == 0,
            "The units are added up or averaged: asked for is one KL for each entry of mean.",
        ),
        Case(
            lambda tried: not _shaped(tried),
            "Return one KL for each entry of mean: an array of its shape.",
        ),
        not_finite(),
        (lambda m, s: -kl_of_units(m, s), "The sign is flipped: a KL is never negative."),
        (
            lambda m, s: 0.5 * (1.0 + m**2) * np.exp(-2.0 * s) - 0.5 + s,
            "This is KL(prior‖q), the other direction: under which is the mean taken?",
        ),
        (
            lambda m, s: kl_of_units(m, 0.5 * s),
            "log_std is taken for the logarithm of the variance: it is that of the std.",
        ),
        (
            lambda m, s: 0.5 * (m**2 + np.exp(s) - 1.0) - s,
            "A std stands where a variance belongs: log_std is the logarithm of the std.",
        ),
        (
            [
                lambda m, s: 2.0 * kl_of_units(m, s),
                lambda m, s: kl_of_units(np.sqrt(2.0) * m, s),
                lambda m, s: kl_of_units(m, s) + 0.5 * np.expm1(2.0 * s),
                lambda m, s: kl_of_units(m, s) + 0.5 * np.exp(2.0 * s),
                lambda m, s: 2.0 * kl_of_units(m, s) + s,
                lambda m, s: kl_of_units(m, s) - s,
            ],
            "A ½ is missing, in all of it or in a term: up close a KL is half a squared length.",
        ),
        (
            lambda m, s: kl_of_units(m, s) + 2.0 * s,
            "The logarithm has the wrong sign: is a very narrow q near to the prior, or far?",
        ),
        Case(
            lambda tried: not tried.same(kl_of_units, "prior"),
            "At mean 0 and log_std 0 q is the prior: what is their KL, and what is yours?",
        ),
    ],
    otherwise="Take the mean of log q − log p under q: E[z²] has a part of the mean, and one of the std.",
)

# -- 06.2 --------------------------------------------------------------------------------------------------

statements = letters(
    "06.2",
    "What holds for bounds and gaps",
    "acf",
    "abcdef",
    expects='the letters, as one text such as "bd",',
    why="Of every number ask: what does it bound, whose q is in it, which images chose it?",
    wrong=[
        ("abcdef", "Not all of them: ask of each what is compared with what, and on which images."),
        ("bde", "Read the question once more: these are the ones that do not hold."),
        Case(
            lambda chosen: "b" in chosen or "a" not in chosen,
            "Bounds: ELBO ≤ log p(x). What does it do to take more, or less, of a KL away?",
        ),
        Case(has("e"), "Comparing: do two sums with different weights measure with one yardstick?"),
        Case(has("d"), "Proving: a test ELBO is log p(x) less a gap. Which networks could lower it?"),
        Case(
            lacks("c"),
            "Gaps: what makes the amortisation gap, and could each image have a q of its own?",
        ),
    ],
    otherwise="Choosing: what does the best of many noisy numbers say about its own noise?",
)

# -- 06.3 --------------------------------------------------------------------------------------------------


class Slope:
    """∇_z log p(x|z) of an image of independent pixels with the log odds weights·z + bias."""

    def __init__(self, seed: int, latent: int, pixels: int) -> None:
        rng = np.random.default_rng(seed)
        self.weights, self.bias = rng.normal(size=(pixels, latent)), rng.normal(size=pixels)
        self.image = rng.integers(0, 2, size=pixels).astype(float)
        for own in (self.weights, self.bias, self.image):  # the next answer is to meet the same image
            own.flags.writeable = False

    def __call__(self, z: Any) -> np.ndarray:
        """Return it at z, shape (..., latent)."""
        return np.asarray((self.image - expit(z @ self.weights.T + self.bias)) @ self.weights)

    def __repr__(self) -> str:  # what the hints call it
        return "slope"


_THREE = np.array([[0.7, -1.2, 0.4], [-0.6, 0.3, -1.1], [0.9, -0.5, 1.6]])
# mean, log_std, noise, slope: by what they test
_DRAWS: Inputs = {
    "three": (*_THREE, Slope(1, 3, 6)),
    "one": (np.array([-0.8]), np.array([0.4]), np.array([1.3]), Slope(2, 1, 4)),
    "images": (*np.random.default_rng(7).normal(size=(3, 4, 3)), Slope(3, 3, 9)),
}


def _estimate(
    kl: float = 1.0,
    by: int = 0,
    powers: tuple[int, int] = (1, 1),
    std: Callable[[Any], Any] = np.exp,
    spread: float = 1.0,
) -> Rule:
    """Return the rule that makes (by mean, by log_std), with places for mistakes.

    They are the factor of the KL, its derivative by the std instead of its logarithm, the powers of std and
    noise with which the slope comes by log_std, the std, and how far the noise carries z.
    """

    def rule(mean: Any, log_std: Any, noise: Any, slope: Slope) -> np.ndarray:
        s = std(log_std)
        by_z, along = slope(mean + spread * s * noise), s ** powers[0] * noise ** powers[1]
        return np.stack([by_z - kl * mean, by_z * along + kl * (1.0 - s**2) / s**by])

    return rule


_gradient = _estimate()

reparameterised = function(
    "06.3",
    "A reparameterised gradient with the exact KL",
    _gradient,
    _DRAWS,
    expects="the two gradients, by mean and by log_std,",
    faults=[_CHANGES],
    adapt=_as_pair,
    digits=1e-5,  # so that a derivative of the KL by differences is right
    advice=_advice(
        _NO_AXIS,
        (_SIZES + "|'Slope'|__call__", "slope takes z alone, and has its shape, that of mean."),
    ),
    why="Carried on through the encoder, these two are all it learns from: one draw an image.",
    wrong=[
        Case(
            lambda tried: not _shaped(tried, 2),
            "Return a pair, by mean and by log_std, each of the shape of mean.",
        ),
        Case(
            _part((0, 1), lambda *given: -_gradient(*given)),
            "A sign is flipped, in both parts or in one, so that it leads down: the ELBO is to rise.",
        ),
        (
            _estimate(spread=0.0),
            "The slope is taken at the mean: it belongs where the noise has carried z.",
        ),
        (
            [
                _estimate(std=np.asarray),
                _estimate(std=lambda log_std: np.exp(0.5 * log_std)),
                _estimate(std=lambda log_std: np.exp(2.0 * log_std)),
            ],
            "The std is not right: log_std is its natural logarithm.",
        ),
        Case(
            _part((0, 1), _estimate(kl=0.0), _estimate(kl=0.0, powers=(0, 1))),
            "The KL to the prior is missing, in both parts or in one: both change it.",
        ),
        Case(
            _part((0, 1), _estimate(kl=-1.0), lambda *given: -_estimate(kl=-1.0)(*given)),
            "The KL has the wrong sign, in both parts or in one: the ELBO subtracts it.",
        ),
        Case(
            _part((1,), _estimate(by=1), _estimate(by=1, powers=(0, 1))),
            "The second part, or its KL, is differentiated by the std: asked for is by log_std.",
        ),
        Case(
            _part((1,), _estimate(powers=(0, 1))),
            "The chain rule stops at the std: how fast does that grow with log_std?",
        ),
        Case(
            _part(
                (1,),
                *(_estimate(powers=powers) for powers in ((1, 0), (0, 0))),
                lambda mean, log_std, noise, slope: _gradient(mean, log_std, 0.0 * noise, slope),
            ),
            "By log_std something is missing: z moves the more, the farther out the noise is.",
        ),
        Case(
            _part((0,), _gradient),
            "By mean it is right, by log_std not yet: noise 0 should leave the KL's part alone.",
        ),
        Case(_part((1,), _gradient), "By log_std it is right, by mean not yet."),
    ],
    otherwise="Follow z by the chain rule into log p(x|z); then subtract the gradient of the KL.",
)

# -- 06.4 --------------------------------------------------------------------------------------------------


class Decoder:
    """A small network of one hidden layer, from z, shape (..., latent), to probabilities, (..., pixels)."""

    def __init__(self, seed: int, latent: int, pixels: int, hidden: int = 8) -> None:
        rng = np.random.default_rng(seed)
        self.first, self.shift = rng.normal(size=(latent, hidden)), rng.normal(size=hidden)
        self.second = rng.normal(size=(hidden, pixels)) * 1.5 / np.sqrt(hidden)
        self.bias = rng.normal(size=pixels)
        for own in (self.first, self.shift, self.second, self.bias):  # the next answer is to meet the same
            own.flags.writeable = False

    def __call__(self, z: Any) -> np.ndarray:
        """Return the probability of each pixel to be 1."""
        return np.asarray(expit(np.tanh(z @ self.first + self.shift) @ self.second + self.bias))

    def __repr__(self) -> str:  # what the hints call it
        return "decoder"


# decoder, z: by what they test
_PLACES: Inputs = {
    "plane": (Decoder(0, 2, 64), np.array([0.4, -0.9])),
    "few pixels": (Decoder(2, 2, 9), np.array([0.8, 1.1])),
    "three": (Decoder(3, 3, 64), np.array([0.6, -0.3, -1.2])),
    "three, few": (Decoder(4, 3, 11), np.array([-0.5, 1.4, 0.2])),
}


def _weighing(weights: Callable[[np.ndarray], np.ndarray]) -> Rule:
    """Return the rule JᵀWJ with these weights of the pixels, a function of their probabilities."""

    def rule(decoder: Decoder, z: np.ndarray) -> np.ndarray:
        geometry = PullbackGeometry(decoder, "probabilities")
        jacobian = geometry.jacobian(z)
        return np.asarray(jacobian.T @ (weights(geometry.outputs(z))[:, None] * jacobian))

    return rule


_metric = _weighing(lambda p: 1.0 / (p * (1.0 - p)))


def _in_proportion(tried: Tried) -> bool:
    """Whether each matrix is the right one up to a factor, other than 0, of its own."""
    pairs = [(tried.values[name], _metric(*given)) for name, given in tried.inputs.items()]
    with np.errstate(all="ignore"):
        sizes = [np.linalg.norm(got) * np.linalg.norm(wanted) for got, wanted in pairs]
        cosines = [np.sum(got * wanted) / size for (got, wanted), size in zip(pairs, sizes, strict=True)]
    return all(abs(cosine) > 1.0 - 1e-6 for cosine in cosines)


decoder_metric = function(
    "06.4",
    "The metric of a decoder",
    _metric,
    _PLACES,
    expects="the matrix, from the decoder and z,",
    faults=[
        Case(
            lambda tried: tried.changed,
            "It changes z itself, and differences do not bring it back to the last digit: copy it.",
        )
    ],
    digits=1e-4,  # what central differences reach with any sensible step
    advice=_advice(
        (
            _SIZES + "|out of bounds|shape",
            "decoder takes z of shape (k,), here k = 2 or 3, and returns (D,), D any number.",
        )
    ),
    why="By this ruler a step in latent space is as long as it changes the picture.",
    wrong=[
        Case(
            lambda tried: any(tried.values[name].shape != 2 * z.shape for name, (_, z) in _PLACES.items()),
            "Return a matrix of shape (k, k) for z of shape (k,): J is summed over its pixels.",
        ),
        (
            [
                lambda decoder, z: np.sqrt(_metric(decoder, z)),
                lambda decoder, z: sqrtm(_metric(decoder, z)).real,
                _weighing(lambda p: (p * (1.0 - p)) ** -0.5),
            ],
            "A root has been taken, of I or in the end: the metric gives squared lengths.",
        ),
        not_finite(),
        (_weighing(np.ones_like), "I is forgotten: a step from 0.50 to 0.51 counts as one to 1."),
        (
            [_weighing(lambda p: p * (1.0 - p)), _weighing(lambda p: expit(p) * expit(-p))],
            "This I belongs to log odds: these outputs are probabilities (lecture 02).",
        ),
        (
            [_weighing(lambda p: 1.0 / p), _weighing(lambda p: 1.0 / (1.0 - p))],
            "Only one value of a pixel counts in I: it may be 1, and it may be 0.",
        ),
        Case(
            lambda tried: tried.same(_metric, relative=5e-2),
            "Near, but differences can do better: a smaller step, and one to either side.",
        ),
        Case(
            _in_proportion,
            "Right up to a factor: is a difference divided by the whole distance of its ends?",
        ),
    ],
    otherwise="First J, a row for each pixel, a column for each latent number; then I, between two J.",
)

# -- 06.5 --------------------------------------------------------------------------------------------------


def _bounds(seed: int, images: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log p(x), the encoder's ELBO and the refined one, in nats."""
    rng = np.random.default_rng(seed)
    log_likelihood = rng.normal(-18.0, 4.0, images)
    refined = log_likelihood - rng.gamma(0.8, 0.3, images)
    return log_likelihood, refined - rng.gamma(0.7, 1.5, images), refined


# log_likelihood, elbo, refined: never 2 images, which might be taken for the two gaps
_BOUNDS: Inputs = {"some": _bounds(1, 12), "many": _bounds(2, 40), "one image": _bounds(3, 1)}


def _gaps(first: float = 1.0, second: float = 1.0, average: Callable[[Any], Any] = np.mean) -> Rule:
    """Return the rule with other signs, or another way to average."""
    return lambda log_p, elbo, refined: np.stack(
        [first * average(log_p - refined), second * average(refined - elbo)]
    )


def _whole(log_p: Any, elbo: Any, _refined: Any) -> np.ndarray:
    return np.full(2, np.mean(log_p - elbo))


def _in_a_row(result: Any) -> Any:
    """Return the two numbers in a row, also from a row or a column of two."""
    pair = _as_pair(result)
    return pair.ravel() if isinstance(pair, np.ndarray) and pair.shape in ((2, 1), (1, 2)) else pair


gaps = function(
    "06.5",
    "Two gaps",
    _gaps(),
    _BOUNDS,
    expects="the two gaps, averaged over the images,",
    faults=[_CHANGES],
    adapt=_in_a_row,
    advice=_advice(),
    why="The first is the price of independent normals, the second of one encoder for all images.",
    wrong=[
        Case(
            lambda tried: tried.values["some"].shape == (2, 12),
            "This is a pair for each image: average over the images.",
        ),
        Case(
            lambda tried: any(value.shape != (2,) for value in tried.values.values()),
            "Return two numbers: the approximation gap, and then the amortisation gap.",
        ),
        (
            [lambda *given: _gaps()(*given)[::-1], lambda *given: -_gaps()(*given)[::-1]],
            "The two are swapped: they belong in the order of the question.",
        ),
        (
            [_gaps(-1.0, -1.0), _gaps(1.0, -1.0), _gaps(-1.0, 1.0)],
            "A sign is flipped: which of the three is highest, and which lowest?",
        ),
        (_gaps(average=np.sum), "The images have been added up: asked for is the mean over them."),
        Case(
            _part((0,), _whole, lambda *given: -_whole(*given)),
            "The first is the whole gap from log p(x) to the encoder's ELBO, not a part of it.",
        ),
        Case(
            _part((1,), _whole, lambda *given: -_whole(*given)),
            "The second is the whole gap from log p(x) to the encoder's ELBO, not a part of it.",
        ),
        Case(_part((0,), _gaps()), "The first is right, the second is not yet."),
        Case(_part((1,), _gaps()), "The second is right, the first is not yet."),
    ],
    otherwise="Put the three in order: between which two does only the encoder make a difference?",
)

EXERCISES = (unit_kl, statements, reparameterised, decoder_metric, gaps)
