"""The base classes on their own: fields with axes, and what they say when a family leaves something out."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pytest

import igviz as ig
from igviz.geometry.families.distribution import Distribution, Parameter


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Toy(Distribution):
    """A vector, a matrix and a number, with axes of their own behind those of the grid."""

    vector: Parameter
    matrix: Parameter
    number: Parameter

    _ranks: ClassVar[dict[str, int]] = {"vector": 1, "matrix": 2}

    def _check(self):
        pass


@pytest.fixture
def grid():
    vector = np.arange(24.0).reshape(2, 3, 4)
    return Toy(vector, np.eye(4), [[1.0], [2.0]])


def test_own_axes_do_not_broadcast(grid):
    assert grid.shape == (2, 3)
    assert grid.vector.shape == (2, 3, 4)
    assert grid.matrix.shape == (2, 3, 4, 4)
    assert grid.number.shape == (2, 3)
    with pytest.raises(
        ValueError, match=r"Toy: shapes must broadcast, got vector \(3, 4\) and matrix \(2, 4, 4\)"
    ):
        Toy(np.ones((3, 4)), np.ones((2, 4, 4)), 1.0)
    with pytest.raises(ValueError, match=r"Toy: matrix must have at least 2 axes, got shape \(4,\)"):
        Toy(np.ones(4), np.ones(4), 1.0)


@pytest.mark.parametrize("index", [0, (1, 2), (Ellipsis, 1), (slice(None), 0), None, (0, None), -1, ()])
def test_indexing_names_the_grid_only(grid, index):
    part = grid[index]
    assert part.shape == np.empty((2, 3))[index].shape
    np.testing.assert_array_equal(part.number, grid.number[index])
    np.testing.assert_array_equal(part.vector[..., 2], grid.vector[..., 2][index])
    np.testing.assert_array_equal(part.matrix[..., 2, 1], grid.matrix[..., 2, 1][index])


def test_an_index_into_the_own_axes_is_refused(grid):
    with pytest.raises(IndexError):
        grid[0, 0, 0]


def test_no_closed_form_is_said_so(grid):
    with pytest.raises(NotImplementedError, match="fisher_rao_distance: no closed form for Toy"):
        ig.fisher_rao_distance(grid, grid)
    with pytest.raises(NotImplementedError, match="geodesic: no closed form for Toy"):
        ig.geodesic(grid, grid)
    with pytest.raises(ValueError, match=r"Toy.coordinates: chart must be one of 'source', got 'natural'"):
        ig.geodesic(grid, grid, "natural")
