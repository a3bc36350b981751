"""Exercise 06.4: a function for the metric that a decoder of probabilities pulls back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit

from igviz.exercises.checker import Case, Exercise, agrees
from igviz.exercises.functions import Inputs, Rule, Tried, not_finite, try_out, varies
from igviz.geometry.pullback import PullbackGeometry

# relative to the largest entry: what central differences reach with any sensible step, and what is near
_DIGITS, _NEARLY = 1e-4, 2e-2


class Decoder:
    """A small network of one hidden layer, from z, shape (..., latent), to probabilities, (..., pixels)."""

    def __init__(self, seed: int, latent: int, pixels: int, hidden: int = 8) -> None:
        rng = np.random.default_rng(seed)
        self.first = rng.normal(size=(latent, hidden))
        self.shift = rng.normal(size=hidden)
        self.second = rng.normal(size=(hidden, pixels)) * 1.5 / np.sqrt(hidden)
        self.bias = rng.normal(size=pixels)
        for own in (self.first, self.shift, self.second, self.bias):  # the next answer is to meet the same
            own.flags.writeable = False

    def __call__(self, z: Any) -> np.ndarray:
        """Return the probability of each pixel to be 1."""
        return np.asarray(expit(np.tanh(z @ self.first + self.shift) @ self.second + self.bias))

    def __repr__(self) -> str:
        """Return what the hints call it."""
        return "decoder"


_FIRST = (Decoder(0, 2, 64), np.array([0.4, -0.9]))
# decoder, z: by what they test
_INPUTS: Inputs = {
    "plane": _FIRST,
    "again": _FIRST,
    "elsewhere": (Decoder(1, 2, 64), np.array([-1.3, 0.7])),
    "few pixels": (Decoder(2, 2, 9), np.array([0.8, 1.1])),
    "three": (Decoder(3, 3, 64), np.array([0.6, -0.3, -1.2])),
    "three, few": (Decoder(4, 3, 11), np.array([-0.5, 1.4, 0.2])),
}


def _exact(decoder: Decoder, z: np.ndarray) -> np.ndarray:
    return PullbackGeometry(decoder, "probabilities").metric(z)


def _weighing(weights: Callable[[np.ndarray], np.ndarray]) -> Rule:
    """Return the rule JᵀWJ with these weights of the pixels, a function of their probabilities."""

    def rule(decoder: Decoder, z: np.ndarray) -> np.ndarray:
        geometry = PullbackGeometry(decoder, "probabilities")
        jacobian = geometry.jacobian(z)
        return np.asarray(jacobian.T @ (weights(geometry.outputs(z))[:, None] * jacobian))

    return rule


def _of_metric(function: Callable[[np.ndarray, Decoder], np.ndarray]) -> Rule:
    """Return the rule that goes on to do something with the right matrix."""

    def rule(decoder: Decoder, z: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):  # the root of a negative entry
            return function(_exact(decoder, z), decoder)

    return rule


def _near(tried: Tried, rule: Rule, name: str, relative: float = _DIGITS) -> bool:
    wanted = rule(*tried.inputs[name])
    return agrees(tried.values[name], wanted, 0.0, relative * float(np.nanmax(np.abs(wanted))))


def _everywhere(tried: Tried, rule: Rule, relative: float = _DIGITS) -> bool:
    return all(_near(tried, rule, name, relative) for name in tried.inputs)


def _advice(error: Exception) -> str:
    """Return what kind of mistake the exception points to, if one is known."""
    if any(word in str(error) for word in ("mismatch", "broadcast", "dimension", "out of bounds", "shape")):
        return "decoder takes z of shape (k,), here k = 2 or 3, and returns (D,), D any number."
    return ""


# -- cases -------------------------------------------------------------------------------------------------


def _sizes(tried: Tried) -> list[tuple[tuple[int, ...], int, int]]:
    """Return for each input the shape of what was returned, and the numbers of latents and of pixels."""
    return [
        (tried.values[name].shape, z.size, decoder(z).size) for name, (decoder, z) in tried.inputs.items()
    ]


def _shape_cases() -> tuple[Case, ...]:
    return (
        Case(
            lambda tried: all(shape == () for shape, *_ in _sizes(tried)),
            "This is one number: asked for is the matrix, not its determinant or its trace.",
        ),
        Case(
            lambda tried: all(shape == (pixels, pixels) for shape, _, pixels in _sizes(tried)),
            "The matrix has a row for each pixel, not each latent number: is J on the right side?",
        ),
        Case(
            lambda tried: all(shape == (2, 2) for shape, *_ in _sizes(tried)),
            "It keeps to two latent numbers: z may have three.",
        ),
        Case(
            lambda tried: any(shape != (latent, latent) for shape, latent, _ in _sizes(tried)),
            "Return a matrix of shape (k, k) for z of shape (k,): J is summed over its pixels.",
        ),
    )


def _doing(*rules: Rule, text: str) -> Case:
    """Return the case of a function that does what one of the rules does, as far as differences tell."""
    return Case(lambda tried: any(_everywhere(tried, rule) for rule in rules), text)


def _root_of_matrix(tried: Tried) -> bool:
    """Whether the square of what was returned, as a matrix, is the metric."""
    return all(
        bool(np.all(np.isfinite(value)) and np.max(np.abs(value)) < 1e100)
        and _near(Tried(tried.inputs, {name: value @ value}, False), _exact, name)
        for name, value in tried.values.items()
    )


def _in_proportion(tried: Tried) -> bool:
    """Whether each matrix is the right one up to a factor, other than 0, of its own."""
    for name, value in tried.values.items():
        wanted = _exact(*tried.inputs[name])
        size = np.max(np.abs(value))
        if size < 1e-100:
            return False
        shape, of_wanted = value / size, wanted / np.max(np.abs(wanted))
        if not agrees(shape * np.sign(np.sum(shape * of_wanted)), of_wanted, 0.0, 1e-3):
            return False
    return True


def _weight_cases() -> tuple[Case, ...]:
    """Return the cases of a wrong I."""
    return (
        _doing(_weighing(np.ones_like), text="I is forgotten: a step from 0.50 to 0.51 counts as one to 1."),
        _doing(
            _weighing(lambda p: p * (1.0 - p)),
            _weighing(lambda p: expit(p) * expit(-p)),  # the outputs taken for logits
            text="This I belongs to log odds: these outputs are probabilities (lecture 02).",
        ),
        _doing(
            _weighing(lambda p: 1.0 / p),
            _weighing(lambda p: 1.0 / (1.0 - p)),
            text="Only one value of a pixel counts in I: it may be 1, and it may be 0.",
        ),
        _doing(
            _weighing(lambda p: (p * (1.0 - p)) ** -2.0),
            _weighing(lambda p: (p * (1.0 - p)) ** 2.0),
            text="I comes in twice: it stands between the two J, once.",
        ),
    )


def _matrix_cases() -> tuple[Case, ...]:
    """Return the cases of a right matrix with which something has been done."""
    return (
        Case(
            lambda tried: _everywhere(tried, _exact, _NEARLY),
            "Near, but differences can do better: a smaller step, and one to either side.",
        ),
        _doing(
            _of_metric(lambda metric, decoder: metric / decoder.bias.size),
            text="The pixels have been averaged: the information of independent pixels adds up.",
        ),
        _doing(
            _of_metric(lambda metric, _: np.diag(np.diag(metric))),
            text="Only the diagonal has come through: two latent numbers may change one pixel.",
        ),
        _doing(
            _of_metric(lambda metric, _: np.linalg.inv(metric)),
            text="This is the inverse: where pixels change much, lengths are large.",
        ),
        _doing(
            _of_metric(lambda metric, _: 0.5 * metric),
            _of_metric(lambda metric, _: 2.0 * metric),
            text="A factor of 2: half of the metric's squared length is a KL, up close.",
        ),
        Case(
            _in_proportion,
            "Right up to a factor: is a difference divided by the whole distance of its ends?",
        ),
    )


def decoder_metric() -> Exercise:
    """Return exercise 06.4: a function for the metric of a decoder."""
    elementwise_root = _of_metric(lambda metric, _: np.sqrt(metric))
    return Exercise(
        key="06.4",
        title="The metric of a decoder",
        expects="the matrix, from the decoder and z,",
        read=lambda answer: try_out(answer, _INPUTS, advice=_advice),
        correct=lambda tried: _everywhere(tried, _exact) and not tried.changed,
        why="By this ruler a step in latent space is as long as it changes the picture.",
        near_misses=(
            Case(
                lambda tried: tried.changed,
                "It changes z itself, and differences do not bring it back to the last digit: copy it.",
            ),
            *_shape_cases(),
            Case(
                lambda tried: (
                    _everywhere(tried, elementwise_root)
                    or _everywhere(tried, _weighing(lambda p: (p * (1.0 - p)) ** -0.5))
                    or _root_of_matrix(tried)
                ),
                "A root has been taken, of I or in the end: the metric gives squared lengths.",
            ),
            not_finite(),
            varies(
                "plane",
                "again",
                "Two calls with the same arguments return different values: no draws are needed.",
            ),
            *_weight_cases(),
            *_matrix_cases(),
            Case(
                lambda tried: any(_near(tried, _exact, name) for name in tried.inputs),
                "Right for some decoders and wrong for others: is a number of pixels fixed in it?",
            ),
        ),
        otherwise="First J, a row for each pixel, a column for each latent number; then I, between two J.",
    )
