"""Exercise 06.1: a function for the KL of each latent unit from the prior."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from igviz.exercises.checker import Case, Exercise
from igviz.exercises.functions import Inputs, Rule, Tried, like, not_finite, try_out, varies
from igviz.models.vae_training import kl_of_units

_TABLE = (
    np.array([[0.8, -1.3, 0.4], [2.1, 0.2, -0.6], [-0.9, 1.7, 0.3], [1.1, -0.5, -2.4]]),
    np.array([[-0.7, 0.3, -1.6], [0.5, -0.2, -0.4], [-2.1, 0.6, 0.1], [-0.3, -1.1, 0.8]]),
)
# mean, log_std: by what they test
_INPUTS: Inputs = {
    "table": _TABLE,
    "again": _TABLE,
    "row": (np.array([0.6, -1.9, 1.4, 0.2, -0.8]), np.array([0.9, 0.4, -0.5, 1.2, 0.2])),
    "prior": (np.zeros((1, 2)), np.zeros((1, 2))),
}


def _kl(
    of_mean: Callable[[Any], Any] = np.square,
    of_std: Callable[[Any], Any] = lambda log_std: np.exp(2.0 * log_std),
    log: Callable[[Any], Any] = lambda log_std: log_std,
    one: float = 1.0,
) -> Rule:
    """Return the rule ½·(mean² + std² − 1) − log std, with places for mistakes."""

    def rule(mean: Any, log_std: Any) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.asarray(0.5 * (of_mean(mean) + of_std(log_std) - one) - log(log_std))

    return rule


def _times(factor: float) -> Rule:
    return lambda mean, log_std: factor * np.asarray(kl_of_units(mean, log_std))


def _exact(mean: Any, log_std: Any) -> np.ndarray:
    return np.asarray(kl_of_units(mean, log_std))


def _reverse(mean: Any, log_std: Any) -> np.ndarray:
    return np.asarray(0.5 * (1.0 + np.square(mean)) * np.exp(-2.0 * log_std) - 0.5 + log_std)


def _advice(error: Exception) -> str:
    """Return what kind of mistake the exception points to, if one is known."""
    if isinstance(error, np.exceptions.AxisError):
        return "Nothing is to be added up."
    if any(word in str(error) for word in ("scalar", "length-1", "size-1", "ambiguous")):
        return "It must work for arrays."
    return ""


# -- cases -------------------------------------------------------------------------------------------------


def _shape_cases() -> tuple[Case, ...]:
    def shapes(tried: Tried) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        return [(tried.values[name].shape, np.shape(mean)) for name, (mean, _) in tried.inputs.items()]

    return (
        Case(
            lambda tried: (
                all(got == of or len(got) < len(of) for got, of in shapes(tried))
                and any(got != of for got, of in shapes(tried))
            ),
            "The units are added up or averaged: asked for is one KL for each entry of mean.",
        ),
        Case(
            lambda tried: any(got != of for got, of in shapes(tried)),
            "Return one KL for each entry of mean: an array of its shape.",
        ),
    )


def _twice_the_square(values: Any) -> Any:
    return 2.0 * np.square(values)


def _term_cases() -> tuple[Case, ...]:
    """Return the cases of a term that is wrong or missing."""
    return (
        like(
            _kl(of_std=np.exp, log=lambda log_std: 0.5 * log_std),
            text="log_std is taken for the logarithm of the variance: it is that of the std.",
        ),
        like(
            _kl(of_std=np.exp),
            text="A std stands where a variance belongs: log_std is the logarithm of the std.",
        ),
        like(
            _times(2.0),
            _kl(of_mean=_twice_the_square),
            _kl(of_std=lambda log_std: 2.0 * np.exp(2.0 * log_std), one=2.0),
            _kl(of_std=lambda log_std: 2.0 * np.exp(2.0 * log_std)),
            _kl(of_mean=_twice_the_square, of_std=lambda log_std: 2.0 * np.exp(2.0 * log_std), one=2.0),
            _kl(log=lambda log_std: 2.0 * log_std),
            text="A ½ is missing, in all of it or in a term: up close a KL is half a squared length.",
        ),
        like(
            _kl(log=lambda log_std: 0.5 * log_std),
            _times(0.5),
            text="A ½ too many: half the logarithm of a variance is the logarithm of a std.",
        ),
        like(
            _times(1.0 / np.log(2.0)),
            _kl(log=lambda log_std: log_std / np.log(2.0)),
            text="This is in bits, or a part of it is: everything here is in nats.",
        ),
        like(
            *(_kl(of_mean=one) for one in (np.asarray, np.abs, np.zeros_like, lambda mean: -np.square(mean))),
            text="The part of the mean is not right: shift q either way, and the KL grows.",
        ),
        like(
            _kl(log=lambda log_std: -log_std),
            text="The logarithm has the wrong sign: is a very narrow q near to the prior, or far?",
        ),
        like(
            _kl(of_std=lambda log_std: np.exp(-2.0 * log_std), log=lambda log_std: -log_std),
            text="The std is upside down: log_std is the logarithm of the std, not of its inverse.",
        ),
    )


def unit_kl() -> Exercise:
    """Return exercise 06.1: a function for the KL of each latent unit."""
    # as a std or as a variance; the logarithm of what is negative is nan
    as_it_is = (
        _kl(of_std=np.square, log=np.log),
        _kl(of_std=np.square, log=lambda std: np.log(np.abs(std))),
        _kl(of_std=np.asarray, log=lambda variance: 0.5 * np.log(variance)),
        _kl(of_std=np.asarray),
        _kl(of_std=np.square),
    )
    return Exercise(
        key="06.1",
        title="The KL of each latent unit",
        expects="the KL of each unit, from mean and log_std,",
        read=lambda answer: try_out(answer, _INPUTS, advice=_advice),
        correct=lambda tried: tried.same(_exact) and not tried.changed,
        why="A unit whose KL is 0 for every image says nothing about any: it has collapsed.",
        near_misses=(
            Case(
                lambda tried: tried.changed,
                "It changes its arguments: work on new arrays, as in a = a + b instead of a += b.",
            ),
            like(*as_it_is, text="log_std goes in as it is: it is a logarithm, and may be negative."),
            *_shape_cases(),
            not_finite(),
            varies(
                "table",
                "again",
                "Two calls with the same arguments return different values: no draws are needed.",
            ),
            like(_times(-1.0), text="The sign is flipped: a KL is never negative."),
            like(_reverse, text="This is KL(prior‖q), the other direction: under which is the mean taken?"),
            *_term_cases(),
            Case(
                lambda tried: not tried.same(_exact, "prior"),
                "At mean 0 and log_std 0 q is the prior: what is their KL, and what is yours?",
            ),
            Case(
                lambda tried: any(bool(np.any(value < -1e-6)) for value in tried.values.values()),
                "A KL is never negative, and some of these are.",
            ),
            Case(
                lambda tried: any(tried.same(_exact, name) for name in ("table", "row")),
                "Right for some arguments and wrong for others: is a number of units fixed in it?",
            ),
        ),
        otherwise="Take the mean of log q − log p under q: E[z²] has a part of the mean, and one of the std.",
    )
