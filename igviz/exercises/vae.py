"""Exercises of lecture 06: the units' KL, what holds for bounds and gaps, a gradient, a metric, two gaps."""

from __future__ import annotations

from igviz.exercises.checker import Case, Exercise, has, read_choices
from igviz.exercises.vae_decoder_metric import decoder_metric
from igviz.exercises.vae_gaps import gaps
from igviz.exercises.vae_reparameterised import reparameterised
from igviz.exercises.vae_unit_kl import unit_kl

_LETTERS = "abcdef"


def _statements() -> Exercise:
    wanted = frozenset("acf")

    return Exercise(
        key="06.2",
        title="What holds for bounds and gaps",
        expects='the letters, as one text such as "bd",',
        read=lambda answer: read_choices(answer, _LETTERS),
        correct=lambda chosen: chosen == wanted,
        why="Of every number ask: what does it bound, whose q is in it, which images chose it?",
        near_misses=(
            Case(
                lambda chosen: chosen == frozenset(_LETTERS),
                "Not all of them: ask of each what is compared with what, and on which images.",
            ),
            Case(
                lambda chosen: chosen == frozenset(_LETTERS) - wanted,
                "Read the question once more: these are the ones that do not hold.",
            ),
            Case(
                lambda chosen: "b" in chosen or "a" not in chosen,
                "Bounds: ELBO ≤ log p(x). What does it do to take more, or less, of a KL away?",
            ),
            Case(
                has("e"),
                "Comparing: do two sums with different weights measure with one yardstick?",
            ),
            Case(
                has("d"),
                "Proving: a test ELBO is log p(x) less a gap. Which networks could lower it?",
            ),
            Case(
                lambda chosen: "c" not in chosen,
                "Gaps: what makes the amortisation gap, and could each image have a q of its own?",
            ),
        ),
        otherwise="Choosing: what does the best of many noisy numbers say about its own noise?",
    )


EXERCISES = (unit_kl(), _statements(), reparameterised(), decoder_metric(), gaps())
