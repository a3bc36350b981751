"""Exercises of lecture 04: the gap, an ELBO by hand, mean field, what each KL picks, and a gradient."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from igviz.exercises.checker import (
    NEAR,
    Case,
    Exercise,
    NotYet,
    agrees,
    close_to,
    has,
    lacks,
    near_miss,
    read_array,
    read_choices,
    read_number,
    rounded,
)
from igviz.exercises.elbo_by_hand import by_hand
from igviz.exercises.elbo_reparameterised import reparameterised
from igviz.geometry.families.normal import Normal

_NUMBER = "a number (right to 1 part in 1000)"


# -- 04.1 --------------------------------------------------------------------------------------------------


def _gap() -> Exercise:
    prior, noise_std, observed = Normal(0.0, 2.0), 1.0, 1.3
    q = Normal(0.5, 1.3)
    precision = 1.0 / prior.std**2 + 1.0 / noise_std**2
    posterior = Normal(observed / noise_std**2 / precision, 1.0 / np.sqrt(precision))
    spread = Normal(prior.mean, np.hypot(prior.std, noise_std))  # of the observation, before it was made
    evidence = float(spread.log_prob(observed))
    wanted = float(q.kl(posterior))
    elbo, log_q = evidence - wanted, -float(q.entropy())
    joint = elbo + log_q

    def any_of(values: Collection[Any], text: str) -> Case:
        return Case(lambda value: any(agrees(value, wrong, NEAR) for wrong in values), text)

    return Exercise(
        key="04.1",
        title="The gap below the evidence",
        expects=_NUMBER,
        read=read_number,
        correct=close_to(wanted),
        why="The two expectations need no posterior, and log p(x) does not change with q: whatever raises "
        "the ELBO lowers this KL by as much.",
        near_misses=(
            near_miss(
                -wanted,
                "The sign is flipped: which of the two is the bound, and which is bounded? A KL is never "
                "negative.",
            ),
            any_of(
                (elbo, -elbo),
                "This is the ELBO, or minus it. How far below the evidence does it lie?",
            ),
            any_of(
                (evidence - joint, joint - evidence),
                "This takes E_q[log p(x, z)] for the ELBO: a part of the ELBO is missing.",
            ),
            any_of(
                (evidence - joint - log_q, joint + log_q - evidence),
                "The entropy of q has the wrong sign: the ELBO has log q with a minus.",
            ),
            any_of(
                (evidence + elbo, -evidence - elbo),
                "The evidence and the ELBO have been added: the gap is what lies between them.",
            ),
            any_of(
                (evidence, -evidence, joint, -joint, log_q, -log_q),
                "This is one of the three numbers given, up to its sign: none of them is the gap.",
            ),
            near_miss(
                posterior.kl(q),
                "This is KL(posterior‖q), the other direction: under which of the two are the expectations "
                "of the ELBO?",
            ),
            any_of(
                (q.kl(prior), prior.kl(q)),
                "This compares q with the prior: the gap is to the posterior, which knows x.",
            ),
            near_miss(
                q.kl(Normal(observed, noise_std)),
                "This compares q with the likelihood alone, as a density of z: the posterior has the prior "
                "in it too.",
            ),
            any_of(
                (
                    q.kl(Normal(posterior.mean, posterior.std**2)),
                    q.kl(Normal(posterior.mean, precision)),
                ),
                "The std of the posterior is not right: its precision is the sum of two precisions, and the "
                "std is a root.",
            ),
            any_of(
                (np.exp(wanted), np.exp(-wanted)),
                "An exponential has been taken: all the numbers are logarithms already, and so is the gap.",
            ),
            any_of((elbo / evidence, evidence / elbo), "Logarithms are subtracted, not divided."),
            any_of((2.0 * wanted, 0.5 * wanted), "A factor of 2 has slipped in: the gap is the whole KL."),
            near_miss(np.sqrt(wanted), "A root has been taken: asked for is the divergence, not a length."),
            near_miss(wanted / np.log(2.0), "This is in bits: everything here is in nats."),
            rounded(wanted),
            Case(
                lambda value: value < 0.0,
                "A KL is never negative: the ELBO cannot lie above the evidence.",
            ),
        ),
        otherwise="Put the ELBO together from the two expectations first; then see how far it lies below "
        "the evidence.",
    )


# -- 04.3 --------------------------------------------------------------------------------------------------


def _mean_field() -> Exercise:
    covariance = np.array([[4.0, 2.0, -1.0], [2.0, 3.0, 0.5], [-1.0, 0.5, 2.0]])
    marginal, precision = np.diag(covariance), np.linalg.inv(covariance)
    wanted = 1.0 / np.diag(precision)
    correlation = covariance / np.sqrt(np.outer(marginal, marginal))
    lost = np.square(correlation) - np.eye(3)  # ρ² of each pair
    by_pairs = np.stack(
        [
            marginal * np.prod(1.0 - lost, axis=1),
            marginal * (1.0 - lost.sum(axis=1)),
            marginal * (1.0 - lost.max(axis=1)),
            *(marginal * (1.0 - np.array([lost[i, (i + step) % 3] for i in range(3)])) for step in (1, 2)),
        ]
    )

    def read(answer: Any) -> np.ndarray:
        """Return the three variances, also from a row, a column or a diagonal matrix."""
        array = read_array(answer, "the three variances", ((3,), (3, 1), (1, 3), (3, 3)))
        if array.shape != (3, 3):
            return array.ravel()
        if np.any(array != np.diag(np.diag(array))):
            raise NotYet(
                "This is a matrix with off-diagonal entries: in a factorised q nothing is correlated, and "
                "three variances say all."
            )
        return np.diag(array)

    def right(value: np.ndarray) -> list[str]:
        words = ("first", "second", "third")
        return [word for word, a, b in zip(words, value, wanted, strict=True) if agrees(a, b, NEAR)]

    def which(value: np.ndarray) -> str:
        found = right(value)
        verb = "is" if len(found) == 1 else "are"
        return (
            f"The {' and the '.join(found)} of the three {verb} right already; the same rule holds for all."
        )

    def same_ratios(value: np.ndarray) -> bool:
        return agrees(value / np.max(value), wanted / np.max(wanted), NEAR)

    return Exercise(
        key="04.3",
        title="Mean field in three dimensions",
        expects="the three variances",
        read=read,
        correct=close_to(wanted),
        why="Each is the variance that is left when the other two are known, and not the one of its own "
        "margin: the more the target is correlated, the narrower mean field takes it to be.",
        near_misses=(
            near_miss(
                1.0 / precision.sum(axis=1),
                "The rows of a matrix have been added up: which of its entries multiplies the square of one "
                "variable alone?",
            ),
            Case(lambda value: bool(np.any(value <= 0.0)), "Variances are positive."),
            near_miss(
                marginal,
                "These are the variances of p itself, which the least KL(p‖q) has. Asked for is the least "
                "KL(q‖p).",
            ),
            near_miss(
                np.sqrt(marginal),
                "These are the stds of p itself: neither the direction of the KL nor the square is right.",
            ),
            near_miss(np.diag(precision), "These are precisions: variances are asked for."),
            near_miss(np.sqrt(wanted), "These are the stds of q; its variances are asked for."),
            near_miss(wanted**2, "The variances have been squared."),
            near_miss(
                1.0 / marginal,
                "Each entry of the diagonal has been inverted by itself: the inverse of a matrix has another "
                "diagonal.",
            ),
            Case(
                lambda value: agrees(np.sort(value), np.linalg.eigvalsh(covariance), NEAR),
                "These are the eigenvalues of Σ: the variances along its own axes, to which a factorised q "
                "cannot turn.",
            ),
            Case(
                lambda value: any(agrees(value, wrong, NEAR) for wrong in by_pairs),
                "This puts 1 − ρ² together from single pairs; with three variables, what do the other two "
                "tell about one when they are known together?",
            ),
            near_miss(wanted[::-1], "The order is turned round: the first variance is that of z₁."),
            rounded(wanted),
            Case(
                lambda value: agrees(value, np.full(3, value[0]), NEAR),
                "The three are equal here: a factorised q has a variance for each variable.",
            ),
            Case(same_ratios, "The ratios are right, the size is not."),
            Case(lambda value: bool(right(value)), which),
            Case(
                lambda value: bool(np.any(value > marginal)),
                "At least one is larger than the variance of p in that direction: minimising KL(q‖p), does q "
                "stick out of p?",
            ),
        ),
        otherwise="Write log p(z) as a quadratic form and take its mean under a factorised q: only squares "
        "of single variables are left. Add the entropy of q, and differentiate by each variance.",
    )


# -- 04.4 --------------------------------------------------------------------------------------------------

_LETTERS = "abcde"


def _directions() -> Exercise:
    wanted = frozenset("bce")

    missing = "Nothing wrong is chosen, but something is missing:"
    return Exercise(
        key="04.4",
        title="Which q each KL picks",
        expects='the letters, as one text such as "abd",',
        read=lambda answer: read_choices(answer, _LETTERS),
        correct=lambda chosen: chosen == wanted,
        why="The expectation says it: under q nobody asks about a hump that q does not reach; under p "
        "every hump is asked about, and a q that leaves one out pays dearly.",
        near_misses=(
            Case(
                lambda chosen: chosen == frozenset(_LETTERS),
                "Not all of them. Which direction of the KL is the ELBO about, and which one fills gaps?",
            ),
            Case(
                lambda chosen: chosen == frozenset(_LETTERS) - wanted,
                "Read the question once more: these are the ones that do not hold.",
            ),
            Case(
                has("a"),
                "Look again at the highest ELBO: which direction of the KL does it make small, and is it "
                "that one which matches moments?",
            ),
            Case(
                has("d"),
                "Look again at the gap between the humps: draw the q of least KL(p‖q), a single normal, over "
                "p. How much of it stands where p is nearly zero?",
            ),
            Case(
                lacks("b"),
                f"{missing} write KL(p‖q) down for a normal q, and set its derivatives by mean and std to "
                "zero.",
            ),
            Case(
                lacks("c"),
                f"{missing} what does a q that sits on the right hump find when it moves a little to the "
                "left?",
            ),
        ),
        otherwise=f"{missing} on the left hump p is nearly 0.7·N(−2, 0.6). What is the mean of log q − log p "
        "there?",
    )


EXERCISES = (_gap(), by_hand(), _mean_field(), _directions(), reparameterised())
