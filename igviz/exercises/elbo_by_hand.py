"""Exercise 04.2: a function for the ELBO of a normal q in a model with two observations."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from igviz.exercises.checker import Case, Exercise, for_numbers_only
from igviz.exercises.functions import Inputs, Rule, Tried, changes, like, not_finite, try_out, varies
from igviz.geometry.families.normal import Normal

_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)
_DATA = (0.7, 2.4)
_PRIOR_STD = 2.0
# by what they test: the arrays of two would fall in with the two observations unnoticed
_NORMALS: Inputs = {
    "number": (0.3, 0.7),
    "again": (0.3, 0.7),
    "three": (np.array([0.4, -1.2, 2.6]), np.array([0.5, 1.7, 0.9])),
    "two": (np.array([1.6, -0.8]), np.array([0.6, 1.3])),
    "grid": (np.array([-0.9, 1.4, 2.2]), np.array([[0.8], [1.6]])),
    "array and number": (np.array([1.9, -0.3, 0.8]), 0.45),
    "narrow": (1.1, 1e-3),
    "wide": (-2.5, 6.0),
}


def _advice(error: Exception) -> str:
    """Return what kind of mistake the exception points to."""
    if any(word in str(error) for word in ("mismatch", "broadcast")):
        return (
            "The observations and the array of means have met in one axis: take the observations one by one, "
            "or give them an axis of their own."
        )
    return for_numbers_only(error)


def _square(mean: Any, std: Any, centre: float = 0.0, share: float = 1.0) -> np.ndarray:
    """Return the mean of (z − centre)², with this share of the variance in it."""
    return np.asarray((mean - centre) ** 2 + share * std**2)


def _likelihood(mean: Any, std: Any, share: float = 1.0, factor: float = 0.5) -> np.ndarray:
    squares = [_square(mean, std, x, share) for x in _DATA]
    return -len(_DATA) * _HALF_LOG_2PI - factor * np.sum(squares, axis=0)


def _prior(mean: Any, std: Any, share: float = 1.0, prior_std: float = _PRIOR_STD) -> np.ndarray:
    return -_HALF_LOG_2PI - np.log(prior_std) - 0.5 * _square(mean, std, 0.0, share) / prior_std**2


def _entropy(mean: Any, std: Any) -> np.ndarray:
    return _HALF_LOG_2PI + 0.5 + np.log(std) + 0.0 * np.asarray(mean)  # of the shape of both


def _exact_elbo(mean: Any, std: Any) -> np.ndarray:
    return _likelihood(mean, std) + _prior(mean, std) + _entropy(mean, std)


def _posterior() -> Normal:
    precision = 1.0 / _PRIOR_STD**2 + len(_DATA)
    return Normal(sum(_DATA) / precision, 1.0 / np.sqrt(precision))


def _log_evidence() -> float:
    posterior = _posterior()
    return float(_exact_elbo(posterior.mean, posterior.std))


def _sum(
    likelihood: float = 1.0, prior: float = 1.0, entropy: float = 1.0, of: Callable[[Any], Any] = lambda s: s
) -> Rule:
    """Return the sum of the three parts with these weights, each with `of(std)` in place of the std."""
    return lambda m, s: (
        likelihood * _likelihood(m, of(s)) + prior * _prior(m, of(s)) + entropy * _entropy(m, of(s))
    )


def _elbo_shape_cases() -> tuple[Case, ...]:
    def shapes(tried: Tried) -> list[tuple[tuple[int, ...], ...]]:
        """Return the shapes of mean and std, the one that belongs to them, and the one returned."""
        found: list[tuple[tuple[int, ...], ...]] = []
        for name, (mean, std) in tried.inputs.items():
            of = np.shape(mean), np.shape(std)
            found.append((*of, np.broadcast_shapes(*of), tried.values[name].shape))
        return found

    def misshapen(tried: Tried) -> list[str]:
        return [
            f"for mean of shape {mean} and std of shape {std} it returns shape {got}"
            for mean, std, wanted, got in shapes(tried)
            if got != wanted
        ]

    count = (len(_DATA),)
    return (
        Case(
            lambda tried: all(
                got in ((*wanted, *count), (*count, *wanted)) for *_of, wanted, got in shapes(tried)
            ),
            "This is one number for each observation: the logarithms of independent ones add up.",
        ),
        Case(
            lambda tried: all(got == () for *_of, got in shapes(tried)),
            "For arrays it returns a single number: each pair of a mean and a std is a q of its own, and has "
            "its own ELBO.",
        ),
        Case(
            lambda tried: bool(misshapen(tried)),
            lambda tried: (
                f"Of numbers a number should come, of arrays one ELBO for each q, but {misshapen(tried)[0]}."
            ),
        ),
    )


def _elbo_part_cases() -> tuple[Case, ...]:
    """Return the cases in which a whole part is missing, turned over or counted wrongly."""

    def from_prior(m: Any, s: Any) -> np.ndarray:
        """Return KL(prior‖q), the other direction."""
        return np.log(s / _PRIOR_STD) + 0.5 * (_PRIOR_STD**2 + m**2) / s**2 - 0.5

    return (
        like(
            _sum(-1.0, -1.0, -1.0),
            text="This is minus the ELBO, the loss that one descends; asked for is the ELBO itself.",
        ),
        like(
            _sum(entropy=0.0),
            text="This is the expected log joint alone: the entropy of q is missing, without which q would "
            "shrink to a point.",
        ),
        like(_sum(entropy=-1.0), text="The entropy of q has the wrong sign: a wide q is to be rewarded."),
        like(
            _sum(prior=0.0),
            _sum(prior=0.0, entropy=0.0),
            text="The prior is missing: the joint density is likelihood times prior.",
        ),
        like(
            _sum(likelihood=0.0),
            _sum(0.0, -1.0, -1.0),
            _sum(likelihood=0.0, entropy=0.0),
            text="The likelihood is missing: what has been observed does not come in.",
        ),
        like(
            _sum(prior=-1.0, entropy=-1.0),
            text="KL(q‖prior) has been added: it is the price of leaving the prior, and is to be paid.",
        ),
        like(
            lambda m, s: _likelihood(m, s) - from_prior(m, s),
            text="This subtracts KL(prior‖q), the other direction: all expectations are under q.",
        ),
        like(
            _sum(0.5, 0.5, 0.5),
            _sum(0.5),
            _sum(0.5, 0.5),
            text="This is a mean over the data, or has one in it; asked for is the total.",
        ),
        like(
            _sum(1.0, 2.0, 2.0),
            _sum(1.0, 2.0),
            _sum(1.0, 1.0, 2.0),
            text="The prior or the entropy has been counted once for each observation: there is one z, "
            "whatever the number of observations.",
        ),
        like(
            *(lambda m, s, x=x: _sum(0.0)(m, s) - _HALF_LOG_2PI - 0.5 * _square(m, s, x) for x in _DATA),
            text="Only one of the two observations has come in.",
        ),
        like(
            lambda m, s: _log_evidence() - _exact_elbo(m, s),
            text="This is KL(q‖posterior), the gap that the ELBO leaves; asked for is the ELBO.",
        ),
        like(
            lambda m, s: np.exp(_exact_elbo(m, s)),
            text="An exponential has been taken: the ELBO bounds the logarithm of the evidence.",
        ),
        like(
            lambda m, s: _exact_elbo(m, s) / np.log(2.0),
            text="The logarithm is not the natural one: the ELBO in nats has np.log.",
        ),
    )


def _elbo_spread_cases() -> tuple[Case, ...]:
    """Return the cases of a wrong spread: of q in the expectations, in the entropy, or of the prior."""
    rest = _sum(0.0, 0.0)

    def with_share(likelihood: float, prior: float, entropy: float = 1.0) -> Rule:
        return lambda m, s: _likelihood(m, s, likelihood) + _prior(m, s, prior) + entropy * _entropy(m, s)

    def with_squares_of(of: Callable[[Any], Any], likelihood: bool, prior: bool) -> Rule:
        return lambda m, s: (
            _likelihood(m, of(s) if likelihood else s) + _prior(m, of(s) if prior else s) + rest(m, s)
        )

    def with_prior(weight: float, prior_std: float) -> Rule:
        """Return the ELBO with z² weighed so in the prior, which is normalised for a prior of this std."""
        return lambda m, s: (
            _likelihood(m, s) + rest(m, s) - _HALF_LOG_2PI - np.log(prior_std) - weight * _square(m, s)
        )

    both = ((True, True), (True, False), (False, True))
    weight = 0.5 / _PRIOR_STD**2
    normalisers = (_PRIOR_STD, np.sqrt(_PRIOR_STD), _PRIOR_STD**2)
    return (
        like(
            with_share(0.0, 0.0),
            with_share(0.0, 0.0, 0.0),
            with_share(0.0, 1.0),
            with_share(1.0, 0.0),
            text="Somewhere z has been replaced by its mean: the mean of a square is more than the square of "
            "the mean.",
        ),
        like(
            with_share(1.0 / len(_DATA), 1.0),
            text="The spread of q has been counted once for all observations: each of them has its own "
            "square, and its own mean of a square.",
        ),
        like(
            with_share(-1.0, -1.0),
            with_share(-1.0, 1.0),
            with_share(1.0, -1.0),
            text="The spread of q enters a square with the wrong sign: it makes the mean of a square larger.",
        ),
        like(
            _sum(of=np.sqrt),
            *(with_squares_of(np.sqrt, *where) for where in both),
            text="The std of q has been taken for its variance: N(mean, std) is given by the std.",
        ),
        like(
            _sum(of=np.square),
            *(with_squares_of(np.square, *where) for where in both),
            text="The std of q has been squared twice.",
        ),
        like(
            lambda m, s: _sum(entropy=0.0)(m, s) + _entropy(m, s**2),
            lambda m, s: _sum(entropy=0.0)(m, s) + _entropy(m, np.sqrt(s)),
            text="The factor of the logarithm in the entropy is not right: is it the logarithm of the std or "
            "of the variance, and which of the two has the ½?",
        ),
        like(
            *(with_prior(2.0 * weight, normaliser) for normaliser in normalisers),
            *(with_prior(weight / 4.0, normaliser) for normaliser in normalisers),
            text="The prior has another width: is its 2 the std or the variance, and where is the ½?",
        ),
        like(
            lambda m, s: _likelihood(m, s, factor=1.0) + _prior(m, s) + rest(m, s),
            lambda m, s: (
                _likelihood(m, s, factor=1.0) + with_prior(2.0 * weight, _PRIOR_STD)(m, s) - _likelihood(m, s)
            ),
            text="The squares of the observations count twice: the exponent of a normal has a ½.",
        ),
    )


def _offset(tried: Tried) -> float | None:
    """Return by what the function differs from the ELBO, if it is the same number everywhere."""
    offset = float(tried.values["number"] - _exact_elbo(*_NORMALS["number"]))
    return offset if tried.same(lambda m, s: _exact_elbo(m, s) + offset) else None


def _elbo_constant_cases() -> tuple[Case, ...]:
    """Return the cases of a function that differs from the ELBO by a constant, which may be known."""

    def by(values: Collection[float], text: str) -> Case:
        def matches(tried: Tried) -> bool:
            offset = _offset(tried)
            return offset is not None and any(abs(offset - value) < 1e-6 for value in values)

        return Case(matches, text)

    log_std = np.log(_PRIOR_STD)
    spread_of_data = 0.5 * len(_DATA) * float(np.var(_DATA))
    return (
        by(
            [sign * count * _HALF_LOG_2PI for count in (1, 2, 3, 4) for sign in (1.0, -1.0)],
            "Everything that changes with q is right, and a constant with 2π in it is not: each normal "
            "density, of the data, of the prior and of q, brings one along.",
        ),
        by(
            (log_std, 0.5 * log_std, -log_std, 2.0 * log_std),
            "Everything that changes with q is right, and the normaliser of the prior is not: it is wider "
            "than a standard normal, and so lower.",
        ),
        by(
            (0.5, -0.5, -1.0),
            "Everything that changes with q is right, and a ½ is not: what is the mean of "
            "(z − mean)²/std² in the entropy of q?",
        ),
        by(
            (-_log_evidence(),),
            "This is −KL(q‖posterior): the constant by which the ELBO differs from it is missing.",
        ),
        by(
            (spread_of_data,),
            "The two observations have been replaced by their mean: their distance from each other counts "
            "too, though it does not change with q.",
        ),
        Case(
            lambda tried: _offset(tried) is not None,
            "Everything that changes with q is right, and the constants are not: go through the three "
            "normal densities, of the data, of the prior and of q, one by one.",
        ),
    )


def by_hand() -> Exercise:
    """Return exercise 04.2: a function for an ELBO in closed form."""
    return Exercise(
        key="04.2",
        title="An ELBO by hand",
        expects="the ELBO, computed from mean and std (numbers or arrays),",
        read=lambda answer: try_out(answer, _NORMALS, advice=_advice),
        correct=lambda tried: tried.same(_exact_elbo) and not tried.changed,
        why="With every constant in it the function can be held against the evidence: at the posterior it is "
        "log p(x) itself, and nowhere is it higher.",
        near_misses=(
            changes("mean or std"),
            *_elbo_shape_cases(),
            not_finite(),
            varies(
                "number",
                "again",
                "Two calls with the same q return different values: it draws samples, but here every "
                "expectation is known in closed form.",
            ),
            *_elbo_part_cases(),
            *_elbo_spread_cases(),
            *_elbo_constant_cases(),
            Case(
                lambda tried: tried.same(_exact_elbo, relative=0.05, absolute=0.05),
                "Near everywhere, but not exact: are there samples or a coarse grid in it? Every "
                "expectation is known in closed form.",
            ),
            Case(
                lambda tried: tried.somewhere(_exact_elbo),
                "Right for some q and wrong for others: are mean and std used everywhere, also as arrays?",
            ),
        ),
        otherwise="The values differ: write down log p(x₁ | z) + log p(x₂ | z) + log p(z) − log q(z) with "
        "every constant, and take the mean under q of each square in it.",
    )
