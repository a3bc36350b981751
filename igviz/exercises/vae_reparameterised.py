"""Exercise 06.3: a function for the gradient of an image's ELBO by its q, from one draw and the exact KL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from igviz.exercises.checker import Case, Exercise, agrees
from igviz.exercises.functions import Tried, like, not_finite, try_out, varies
from igviz.exercises.vae_estimate import INPUTS, LOG_STD, MEAN, Map, Parts, estimate, exact
from igviz.exercises.vae_pairs import as_pair, by_part, in_part, swapped


def _advice(error: Exception) -> str:
    """Return what kind of mistake the exception points to, if one is known."""
    if isinstance(error, np.exceptions.AxisError):
        return "Nothing is to be added up."
    if any(word in str(error) for word in ("mismatch", "broadcast", "dimension", "'Slope'", "__call__")):
        return "slope takes z alone, and has its shape, that of mean."
    return ""


# -- cases -------------------------------------------------------------------------------------------------


def _shape_cases() -> tuple[Case, ...]:
    def shapes(tried: Tried) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        return [(tried.values[name].shape, np.shape(mean)) for name, (mean, *_) in tried.inputs.items()]

    return (
        Case(
            lambda tried: all(got == of for got, of in shapes(tried)),
            "This is one array; asked for are two, the gradients by mean and by log_std.",
        ),
        Case(
            lambda tried: all(got[:1] == (2,) and len(got) < 1 + len(of) for got, of in shapes(tried)),
            "The units have been added up: asked for is a derivative by each mean and log_std.",
        ),
        Case(
            lambda tried: any(got != (2, *of) for got, of in shapes(tried)),
            "Return a pair, by mean and by log_std, each of the shape of mean.",
        ),
    )


def _parts(*parts: Parts, text: str) -> Case:
    return like(*(estimate(one) for one in parts), text=text)


def _by_mean(*parts: Callable[[Any, Any, Any, Any], Any], text: str) -> Case:
    return in_part(
        MEAN,
        *(estimate(lambda g, m, s, e, one=one: (one(g, m, s, e), m)) for one in parts),  # type: ignore[misc]
        text=text,
    )


def _by_log_std(*parts: Callable[[Any, Any, Any, Any], Any], text: str) -> Case:
    return in_part(
        LOG_STD,
        *(estimate(lambda g, m, s, e, one=one: (m, one(g, m, s, e))) for one in parts),  # type: ignore[misc]
        text=text,
    )


def _whole_cases() -> tuple[Case, ...]:
    """Return the cases of a mistake that goes through both parts."""
    latent: tuple[Map, ...] = (
        lambda m, s, e: m + s**2 * e,
        lambda m, s, e: m + np.sqrt(s) * e,
        lambda m, s, e: m - s * e,
        lambda m, s, e: m + np.log(s) * e,
        lambda m, _s, e: m + e,
        lambda _m, s, e: s * e,
        lambda _m, _s, e: e,
    )
    down = "A sign is flipped, in both parts or in one, so that it leads down: the ELBO is to rise."
    return (
        _by_mean(lambda g, m, _s, _e: m - g, text=down),
        _by_log_std(lambda g, _m, s, e: s**2 - 1.0 - g * s * e, text=down),
        swapped([exact]),
        like(
            *(estimate(z=z) for z in latent),
            text="z is not the one that belongs to the noise: it has N(mean, std²) when noise has N(0, 1).",
        ),
        like(
            estimate(z=lambda m, _s, _e: m),
            text="The slope is taken at the mean: it belongs where the noise has carried z.",
        ),
        like(
            estimate(std=np.asarray),
            estimate(std=lambda log_std: np.exp(0.5 * log_std)),
            estimate(std=lambda log_std: np.exp(2.0 * log_std)),
            text="The std is not right: log_std is its natural logarithm.",
        ),
        _parts(
            lambda g, m, s, e: (g - m - s * e, (g - m - s * e) * s * e + 1.0),
            lambda g, m, s, e: (g - m - s * e + e / s, (g - m - s * e + e / s) * s * e),
            text="The KL is sampled here: unbiased too, but asked for is its exact gradient.",
        ),
    )


def _kl_cases() -> tuple[Case, ...]:
    """Return the cases of a KL that is missing or wrong, in one part or both."""
    sign = "The KL has the wrong sign, in both parts or in one: the ELBO subtracts it."
    missing = "The KL to the prior is missing, in both parts or in one: both change it."
    factor = "A factor of 2 has slipped into the KL, or a std for its square: differentiate it again."
    return (
        _by_mean(lambda g, _m, _s, _e: g, text=missing),
        _by_log_std(lambda g, _m, s, e: g * s * e, lambda g, _m, _s, e: g * e, text=missing),
        _by_mean(lambda g, m, _s, _e: g + m, lambda g, m, _s, _e: -g - m, text=sign),
        _by_log_std(
            lambda g, _m, s, e: g * s * e - 1.0 + s**2,
            lambda g, _m, s, e: -g * s * e + 1.0 - s**2,
            text=sign,
        ),
        _by_log_std(
            lambda g, _m, s, e: g * s * e - s**2,
            lambda g, _m, s, e: g * e - s,
            text="The entropy of q is forgotten: the KL has a term that keeps q from shrinking away.",
        ),
        _by_log_std(
            lambda g, _m, s, e: g * s * e - 1.0 - s**2,
            text="The entropy has the wrong sign: it rewards a wide q.",
        ),
        _by_log_std(
            lambda g, _m, s, e: g * s * e + 1.0,
            lambda g, _m, s, e: g * e + 1.0 / s,
            text="Only the entropy of q is there: the prior, which keeps q from growing, is missing.",
        ),
        _by_mean(lambda g, m, _s, _e: g - 0.5 * m, lambda g, m, _s, _e: g - 2.0 * m, text=factor),
        _by_log_std(
            lambda g, _m, s, e: g * s * e + 0.5 * (1.0 - s**2),
            lambda g, _m, s, e: g * s * e + 2.0 * (1.0 - s**2),
            lambda g, _m, s, e: g * s * e + 1.0 - 2.0 * s**2,
            lambda g, _m, s, e: g * s * e + 1.0 - 0.5 * s**2,
            lambda g, _m, s, e: g * s * e + 1.0 - s,
            text=factor,
        ),
    )


def _chain_cases() -> tuple[Case, ...]:
    """Return the cases of a chain rule that stops too early, or takes another path."""
    return (
        _by_log_std(
            lambda g, _m, s, e: g * e + 1.0 / s - s,
            lambda g, _m, s, e: g * s * e + 1.0 / s - s,
            text="The second part, or its KL, is differentiated by the std: asked for is by log_std.",
        ),
        _by_log_std(
            lambda g, _m, s, e: g * e + 1.0 - s**2,
            text="The chain rule stops at the std: how fast does that grow with log_std?",
        ),
        _by_log_std(
            lambda g, _m, s, e: 0.5 * (g * s * e + 1.0 - s**2),
            lambda g, _m, s, e: 0.5 * (g * e / s + 1.0 / s**2 - 1.0),
            text="The second part is by the variance or its logarithm: asked for is by log_std.",
        ),
        _by_log_std(
            lambda g, _m, s, _e: g * s + 1.0 - s**2,
            lambda g, _m, s, _e: g + 1.0 - s**2,
            lambda _g, _m, s, _e: 1.0 - s**2,
            text="By log_std something is missing: z moves the more, the farther out the noise is.",
        ),
        _by_mean(
            lambda g, m, s, e: g * s * e - m,
            lambda g, m, _s, e: g * e - m,
            lambda g, m, s, _e: g * s - m,
            text="Something has come into the part by mean: z moves by just as much as the mean.",
        ),
        _by_mean(lambda _g, m, _s, _e: -m, text="By mean the slope is missing: z moves with the mean."),
    )


def reparameterised() -> Exercise:
    """Return exercise 06.3: a function for the gradient of the ELBO by mean and log_std."""
    digits = 1e-5  # so that a derivative of the KL by differences is right

    def without_noise(tried: Tried) -> bool:
        """Whether by log_std the KL's part is right, which is all that noise 0 leaves."""
        wanted = exact(*tried.inputs["no noise"])[LOG_STD]
        return agrees(tried.values["no noise"][LOG_STD], wanted, digits, digits)

    return Exercise(
        key="06.3",
        title="A reparameterised gradient with the exact KL",
        expects="the two gradients, by mean and by log_std,",
        read=lambda answer: try_out(answer, INPUTS, adapt=as_pair, advice=_advice),
        correct=lambda tried: tried.same(exact, relative=digits, absolute=digits) and not tried.changed,
        why="Carried on through the encoder, these two are all it learns from: one draw an image.",
        near_misses=(
            Case(
                lambda tried: tried.changed,
                "It changes its arguments: work on new arrays, as in a = a + b instead of a += b.",
            ),
            *_shape_cases(),
            not_finite(),
            varies(
                "three",
                "again",
                "Two calls with the same arguments return different values: draw no noise of your own.",
            ),
            *_whole_cases(),
            *_kl_cases(),
            *_chain_cases(),
            Case(
                lambda tried: by_part(MEAN, exact, digits)(tried) and without_noise(tried),
                "Right where the noise is 0: how does z move with log_std where it is not?",
            ),
            Case(
                by_part(MEAN, exact, digits),
                "By mean it is right, by log_std not yet: noise 0 should leave the KL's part alone.",
            ),
            Case(by_part(LOG_STD, exact, digits), "By log_std it is right, by mean not yet."),
            Case(
                lambda tried: tried.somewhere(exact),
                "Right for some arguments and wrong for others: is a number of units fixed in it?",
            ),
        ),
        otherwise="Follow z by the chain rule into log p(x|z); then subtract the gradient of the KL.",
    )
