"""Exercise 06.5: a function for the two gaps between an encoder's ELBO and log p(x)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from igviz.exercises.checker import Case, Exercise, agrees
from igviz.exercises.functions import Inputs, Rule, Tried, like, not_finite, try_out, varies
from igviz.exercises.vae_pairs import as_pair, by_part, in_part, swapped

APPROXIMATION, AMORTISATION = 0, 1


def _arrays(seed: int, images: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log p(x), the encoder's ELBO and the refined one, in nats, with gaps of skewed sizes."""
    rng = np.random.default_rng(seed)
    log_likelihood = rng.normal(-18.0, 4.0, images)
    refined = log_likelihood - rng.gamma(0.8, 0.3, images)
    return log_likelihood, refined - rng.gamma(0.7, 1.5, images), refined


_SOME = _arrays(1, 12)
# log_likelihood, elbo, refined: by what they test; never 2 images, which might be taken for the two gaps
_INPUTS: Inputs = {"some": _SOME, "again": _SOME, "many": _arrays(2, 40), "one image": _arrays(3, 1)}

Mean: TypeAlias = Callable[[Any], Any]


def _gaps(average: Mean = np.mean, sign: float = 1.0, second_sign: float | None = None) -> Rule:
    """Return the rule, with another way to average, or other signs."""
    signs = (sign, sign if second_sign is None else second_sign)

    def rule(log_likelihood: Any, elbo: Any, refined: Any) -> np.ndarray:
        return np.stack(
            [signs[0] * average(log_likelihood - refined), signs[1] * average(refined - elbo)], axis=0
        )

    return rule


_exact = _gaps()


def _total(log_likelihood: Any, elbo: Any, _refined: Any) -> np.ndarray:
    """Return the whole gap in both places."""
    return np.full(2, np.mean(log_likelihood - elbo))


def _negative_total(*arguments: Any) -> np.ndarray:
    return -_total(*arguments)


def _pair(result: Any) -> Any:
    """Return the two numbers in a row, also from a row or a column of two."""
    pair = as_pair(result)
    return pair.ravel() if isinstance(pair, np.ndarray) and pair.shape in ((2, 1), (1, 2)) else pair


def _medians_of_arrays(log_likelihood: Any, elbo: Any, refined: Any) -> np.ndarray:
    high, low, between = (np.median(one) for one in (log_likelihood, elbo, refined))
    return np.stack([high - between, between - low])


def _mean_of_an_array(tried: Tried) -> bool:
    """Whether a part is the mean of one of the three arrays."""
    return any(
        all(
            agrees(tried.values[name][part], np.mean(arrays[given]), 1e-6)
            for name, arrays in tried.inputs.items()
        )
        for part in range(2)
        for given in range(3)
    )


def _shape_cases() -> tuple[Case, ...]:
    def is_for_each(tried: Tried) -> bool:
        return all(tried.values[name].shape == (2, len(given[0])) for name, given in _several(tried))

    return (
        Case(is_for_each, "This is a pair for each image: average over the images."),
        Case(
            lambda tried: any(value.shape != (2,) for value in tried.values.values()),
            "Return two numbers: the approximation gap, and then the amortisation gap.",
        ),
    )


def _several(tried: Tried) -> list[tuple[str, tuple[Any, ...]]]:
    """Return the inputs of more than one image."""
    return [(name, given) for name, given in tried.inputs.items() if len(given[0]) > 1]


def gaps() -> Exercise:
    """Return exercise 06.5: a function for the approximation and the amortisation gap."""
    return Exercise(
        key="06.5",
        title="Two gaps",
        expects="the two gaps, averaged over the images,",
        read=lambda answer: try_out(answer, _INPUTS, adapt=_pair, advice=lambda _error: ""),
        correct=lambda tried: tried.same(_exact) and not tried.changed,
        why="The first is the price of independent normals, the second of one encoder for all images.",
        near_misses=(
            Case(
                lambda tried: tried.changed,
                "It changes its arguments: work on new arrays, as in a = a + b instead of a += b.",
            ),
            *_shape_cases(),
            not_finite(),
            varies("some", "again", "Two calls with the same arguments return different values."),
            swapped([_exact, _gaps(sign=-1.0)]),
            like(
                _gaps(sign=-1.0),
                _gaps(second_sign=-1.0),
                _gaps(sign=-1.0, second_sign=1.0),
                text="A sign is flipped: which of the three is highest, and which lowest?",
            ),
            like(_gaps(np.sum), text="The images have been added up: asked for is the mean over them."),
            like(
                _gaps(np.median),
                _medians_of_arrays,
                text="The median has been taken: a few images with wide gaps belong in the mean.",
            ),
            in_part(
                APPROXIMATION,
                _total,
                _negative_total,
                text="The first is the whole gap from log p(x) to the encoder's ELBO, not a part of it.",
            ),
            in_part(
                AMORTISATION,
                _total,
                _negative_total,
                text="The second is the whole gap from log p(x) to the encoder's ELBO, not a part of it.",
            ),
            Case(
                _mean_of_an_array,
                "The mean of one of the three arrays is no gap: a gap lies between two of them.",
            ),
            like(_gaps(lambda gap: np.mean(gap) / np.log(2.0)), text="This is in bits: all here is in nats."),
            Case(by_part(APPROXIMATION, _exact), "The first is right, the second is not yet."),
            Case(by_part(AMORTISATION, _exact), "The second is right, the first is not yet."),
            Case(
                lambda tried: tried.somewhere(_exact),
                "Right for some arrays and wrong for others: how are the images averaged?",
            ),
        ),
        otherwise="Put the three in order: between which two does only the encoder make a difference?",
    )
