"""Images of black and white pixels: what a reader may pass, and the digits the lectures use."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.numerics import as_numbers

WHITE = 8  # of the grey levels 0 to 16 of scikit-learn's digits: from here on a pixel is 1
TEST, VALIDATION = 360, 180


def check_images(
    where: str, images: ArrayLike, pixels: int | None = None, name: str = "images"
) -> np.ndarray:
    """Return images as an array of 0 and 1, shape (n, pixels).

    Raises
    ------
    ValueError
        If they are not numbers, of another shape, none at all, or if a pixel is not 0 or 1.
    """
    made = as_numbers(where, name, images)
    wanted = "(n, pixels)" if pixels is None else f"(n, {pixels})"
    if made.ndim != 2 or 0 in made.shape or (pixels is not None and made.shape[1] != pixels):
        raise ValueError(f"{where}: {name} must have shape {wanted}, n at least 1, got shape {made.shape}")
    if np.any(np.isnan(made)):
        raise ValueError(f"{where}: {name} must be 0 or 1 in every pixel, got nan")
    wrong = made[(made != 0.0) & (made != 1.0)]
    if wrong.size:
        raise ValueError(
            f"{where}: {name} must be 0 or 1 in every pixel, got {wrong[0]:g}; "
            f"grey levels are made so by a threshold, as in images >= {WHITE}"
        )
    return made


class Digits(NamedTuple):
    """Handwritten digits, 8 by 8, pixels 0 or 1, in three parts that have no image in common."""

    training: np.ndarray  # shape (1257, 64)
    validation: np.ndarray  # shape (180, 64)
    test: np.ndarray  # shape (360, 64)
    training_labels: np.ndarray  # the digit on each image, shape (1257,)
    validation_labels: np.ndarray  # shape (180,)
    test_labels: np.ndarray  # shape (360,)


@cache
def digits() -> Digits:
    """Return scikit-learn's 1,797 digits, a pixel 1 from grey level 8 on: 1,257 to learn from, 180, 360.

    The parts hold each digit in equal shares and are the same at every call.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    images = (data.data >= WHITE).astype(np.float64)
    rest, test, rest_labels, test_labels = train_test_split(
        images, data.target, test_size=TEST, random_state=0, stratify=data.target
    )
    training, validation, training_labels, validation_labels = train_test_split(
        rest, rest_labels, test_size=VALIDATION, random_state=0, stratify=rest_labels
    )
    parts = (training, validation, test, training_labels, validation_labels, test_labels)
    for part in parts:
        part.flags.writeable = False
    return Digits(*parts)
