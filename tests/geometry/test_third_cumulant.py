"""The cubic tensor: slope of the Fisher matrix, third moment of the score, third term of divergences."""

from __future__ import annotations

import numpy as np
import pytest

import igviz as ig
from tests.geometry.registry import EXPONENTIAL

at_points = pytest.mark.parametrize(
    ("family", "p"),
    [pytest.param(f, p, id=f"{f.name}-{label}") for f in EXPONENTIAL for label, p in f.points.items()],
)
for_families = pytest.mark.parametrize("family", EXPONENTIAL, ids=lambda family: family.name)


def scale(p):
    """Products of standard deviations of the statistics, shape (..., k, k, k)."""
    root = np.sqrt(np.diagonal(p.fisher("natural"), axis1=-2, axis2=-1))
    return root[..., :, None, None] * root[..., None, :, None] * root[..., None, None, :]


def slope(p, i, size):
    """Central difference of the natural Fisher matrix along a natural coordinate, in standard steps."""
    step = np.zeros(p.natural.shape)
    step[..., i] = size / np.sqrt(p.fisher("natural")[..., i, i])
    up, down = p.natural + step, p.natural - step
    ahead, behind = (type(p).from_natural(eta).fisher("natural") for eta in (up, down))
    return (ahead - behind) / (up - down)[..., i, None, None]


@at_points
def test_it_is_the_derivative_of_the_fisher_matrix(family, p):
    cubic = p.third_cumulant()
    k = p.dimension
    assert cubic.shape == (*p.shape, k, k, k)
    for i in range(k):
        derivative = (4.0 * slope(p, i, 1e-3) - slope(p, i, 2e-3)) / 3.0
        for place in range(3):
            part = np.moveaxis(cubic, place - 3, -3)[..., i, :, :]
            error = np.abs(part - derivative) / scale(p)[..., i, :, :]
            assert np.max(error) < 1e-8


@at_points
def test_it_is_the_third_moment_of_the_natural_score(family, p):
    def product(x):
        s = p.score(x, "natural")
        return s[..., :, None, None] * s[..., None, :, None] * s[..., None, None, :]

    error = np.abs(family.mean_under(p, product) - p.third_cumulant()) / scale(p)
    assert np.max(error) < 1e-9


@pytest.mark.parametrize(
    "p", [ig.Gamma(2.6, 0.7), ig.Dirichlet([1.3, 2.4, 4.1]), ig.Poisson(2.7)], ids=lambda p: type(p).__name__
)
def test_it_is_the_third_cumulant_of_a_sample(p):
    s = p.score(p.sample(400_000, np.random.default_rng(251)), "natural")
    values = s[..., :, None, None] * s[..., None, :, None] * s[..., None, None, :]
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    assert np.all(np.abs(values.mean(axis=0) - p.third_cumulant()) < 5.0 * error)


@for_families
def test_it_tells_the_two_divergences_apart(family):
    """KL(p‖q) = ½·I(δ, δ) + ⅙·∂³A(δ, δ, δ) + …, and ⅓ in the other direction."""
    p, _ = family.pair(seed=252, size=8)
    direction = np.random.default_rng(253).normal(size=p.natural.shape)
    # a step of length 1e-3 in the Fisher metric, both ways, so that the fourth order cancels
    length = np.sqrt(np.einsum("...i,...ij,...j->...", direction, p.fisher("natural"), direction))
    step = 1e-3 * direction / length[..., None]
    ahead, behind = (type(p).from_natural(p.natural + sign * step) for sign in (1.0, -1.0))
    cubic = np.einsum("...ijk,...i,...j,...k->...", p.third_cumulant(), step, step, step)
    np.testing.assert_allclose((p.kl(ahead) - p.kl(behind)) / 2, cubic / 6, rtol=1e-4, atol=2e-14)
    np.testing.assert_allclose((ahead.kl(p) - behind.kl(p)) / 2, cubic / 3, rtol=1e-4, atol=2e-14)
