"""Images that a reader may pass, and the digits of the lectures."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from igviz.models.images import check_images, digits


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([0, 1, 1], r"must have shape \(n, 3\), n at least 1, got shape \(3,\)"),
        (1.0, r"must have shape \(n, 3\), n at least 1, got shape \(\)"),
        ([], r"must have shape \(n, 3\), n at least 1, got shape \(0,\)"),
        (np.ones((0, 3)), r"must have shape \(n, 3\), n at least 1, got shape \(0, 3\)"),
        (np.ones((2, 0)), r"must have shape \(n, 3\), n at least 1, got shape \(2, 0\)"),
        (np.ones((2, 4)), r"must have shape \(n, 3\), n at least 1, got shape \(2, 4\)"),
        (np.ones((2, 1, 3)), r"must have shape \(n, 3\), n at least 1, got shape \(2, 1, 3\)"),
        ([[0, 1, 0.5]], r"must be 0 or 1 in every pixel, got 0.5; .* images >= 8"),
        ([[0, 16, 3]], "must be 0 or 1 in every pixel, got 16; grey levels"),
        ([[0, -1, 1]], "must be 0 or 1 in every pixel, got -1"),
        ([[0, 1, np.nan]], "must be 0 or 1 in every pixel, got nan"),
        ([[0, 1, np.inf]], "must be 0 or 1 in every pixel, got inf"),
        ([["0", "1", "1"]], "must be a number or an array of numbers, got"),
        ("digits", "must be a number or an array of numbers, got 'digits'"),
        ([[0, 1j, 1]], "must be a number or an array of numbers, got"),
        ([[0, 1], [1]], "must be a number or an array of numbers, got"),
        (None, "must be a number or an array of numbers, got None"),
    ],
)
def test_bad_images(images, message):
    with pytest.raises(ValueError, match=f"^here: validation {message}"):
        check_images("here", images, 3, "validation")


@pytest.mark.parametrize("kind", [bool, np.uint8, int, np.float32, float, list])
def test_images_of_every_kind_of_number(kind):
    given = [[0, 1, 1], [1, 0, 0]]
    made = check_images("here", given if kind is list else np.array(given, kind))
    assert made.dtype == np.float64
    np.testing.assert_array_equal(made, given)


def test_the_digits_parts():
    parts = digits()
    assert [part.shape for part in parts[:3]] == [(1257, 64), (180, 64), (360, 64)]
    assert [part.shape for part in parts[3:]] == [(1257,), (180,), (360,)]
    assert digits() is parts
    for images in parts[:3]:
        np.testing.assert_array_equal(np.unique(images), [0.0, 1.0])
    for part in parts:
        with pytest.raises(ValueError, match="read-only"):
            part[0] = 1


def test_the_digits_are_black_and_white_from_half_way_on():
    """Grey level 8 of 16 is white, 7 is black; each of the 1,797 images is in one part, once."""
    data, parts = load_digits(), digits()
    white = Counter((label, tuple(row >= 8)) for label, row in zip(data.target, data.data, strict=True))
    assert np.any(data.data == 8)
    held = Counter()
    for images, labels in zip(parts[:3], parts[3:], strict=True):
        held.update((label, tuple(row == 1)) for label, row in zip(labels, images, strict=True))
    assert held == white


def test_the_digits_parts_are_disjoint_and_always_the_same():
    data, parts = load_digits(), digits()
    rows = np.arange(len(data.target))
    rest, test = train_test_split(rows, test_size=360, random_state=0, stratify=data.target)
    training, validation = train_test_split(rest, test_size=180, random_state=0, stratify=data.target[rest])
    assert np.array_equal(np.sort(np.concatenate([training, validation, test])), rows)
    for images, labels, chosen in zip(parts[:3], parts[3:], (training, validation, test), strict=True):
        np.testing.assert_array_equal(images, data.data[chosen] >= 8)
        np.testing.assert_array_equal(labels, data.target[chosen])


def test_each_part_has_each_digit_in_equal_shares():
    whole = np.bincount(load_digits().target) / 1797
    for labels in digits()[3:]:
        np.testing.assert_allclose(np.bincount(labels), whole * len(labels), atol=1.0)
