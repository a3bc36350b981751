"""What the three regressions share: their data, shapes, and that no argument is shared or changed."""

from __future__ import annotations

import numpy as np
import pytest

import igviz as ig
from igviz.models import regression

MODELS = (ig.LinearRegression, ig.LogisticRegression, ig.PoissonRegression)
for_models = pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
X, Y = np.array([[1.0, 0.3], [0.2, -2.0], [0.7, 0.1]]), np.array([0.0, 1.0, 1.0])


@for_models
@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([1.0, 2.0], [0, 1], r"X must have shape \(rows, columns\), at least one of each, got \(2,\)"),
        (3.0, [0], r"X must have shape \(rows, columns\), at least one of each, got \(\)"),
        (np.ones((2, 0)), [0, 1], r"X must have shape .*, got \(2, 0\)"),
        (np.ones((0, 2)), [], r"X must have shape .*, got \(0, 2\)"),
        (np.ones((2, 2, 2)), [0, 1], r"X must have shape .*, got \(2, 2, 2\)"),
        ([[1.0, np.nan], [0, 1]], [0, 1], "X must be finite, got nan in row 0, column 1"),
        ([[1.0, 2.0], [-np.inf, 1]], [0, 1], "X must be finite, got -inf in row 1, column 0"),
        ([["a", "b"]], [0], "X must be a number or an array of numbers"),
        ([[1.0], [2.0, 3.0]], [0, 1], "X must be a number or an array of numbers"),
        ([[1j]], [0], "X must be a number or an array of numbers"),
        (None, [0], "X must be a number or an array of numbers, got None"),
        (np.ones((2, 1)), [0, 1, 1], r"y must hold one number for each of the 2 rows of X, got shape \(3,\)"),
        (np.ones((2, 1)), [[0], [1]], r"y must hold one number for each of the 2 rows .* got shape \(2, 1\)"),
        (np.ones((2, 1)), 1.0, r"y must hold one number for each of the 2 rows of X, got shape \(\)"),
        (np.ones((2, 1)), [0, np.nan], r"y must be finite, got nan at index \(1,\)"),
        (np.ones((2, 1)), [np.inf, 0], r"y must be finite, got inf at index \(0,\)"),
        (np.ones((2, 1)), ["0", "1"], "y must be a number or an array of numbers"),
        (np.ones((2, 1)), [0, 1j], "y must be a number or an array of numbers"),
    ],
)
def test_bad_data(cls, X, y, message):
    with pytest.raises(ValueError, match=f"^{cls.__name__}: {message}"):
        cls(X, y)


@for_models
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf, [1.0, 1.0], "1", None, 1j])
def test_prior_precision(cls, value):
    with pytest.raises(ValueError, match=f"^{cls.__name__}: prior_precision must be "):
        cls(X, Y, prior_precision=value)


@for_models
def test_the_latent_vector(cls):
    model = cls(X, Y)
    for call in (model.log_joint, model.log_joint_gradient, model.log_joint_hessian):
        with pytest.raises(
            ValueError, match=rf"{cls.__name__}: latent must have shape \(..., 2\), one number for"
        ):
            call([1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match=r"latent must have shape .* got shape \(\)"):
            call(0.5)
        with pytest.raises(ValueError, match="latent must be a number or an array of numbers"):
            call("text")


@for_models
def test_data_are_kept_as_they_were(cls):
    mine_x, mine_y = X.copy(), Y.copy()
    model = cls(mine_x, mine_y)
    before = model.log_joint([0.3, -0.2])
    mine_x[0, 0], mine_y[0] = 9.0, 1.0
    assert model.log_joint([0.3, -0.2]) == before
    with pytest.raises(ValueError, match="read-only"):
        model.X[0, 0] = 9.0
    other = cls(np.asfortranarray(X), Y.tolist())
    assert other.log_joint([0.3, -0.2]) == before


@for_models
def test_prior_and_dimension(cls):
    model = cls(X, Y, prior_precision=0.4)
    assert model.dimension == 2
    assert model.prior == ig.MultivariateNormal([0.0, 0.0], np.eye(2) / 0.4)


@for_models
def test_grids_of_latent_vectors_are_the_loop(cls):
    model = cls(X, Y)
    theta = np.random.default_rng(91).normal(size=(3, 4, 2))
    for call in (model.log_joint, model.log_joint_gradient, model.log_joint_hessian):
        loop = np.array([[call(at) for at in row] for row in theta])
        np.testing.assert_allclose(call(theta), loop, rtol=1e-13)
        assert call(theta[:0]).shape == (0, *loop.shape[1:])
    assert isinstance(model.log_joint(theta[0, 0]), np.float64)


@for_models
def test_blocks_of_rows_and_of_distributions_change_nothing(cls, monkeypatch):
    rng = np.random.default_rng(92)
    data = rng.normal(size=(57, 3))
    model = cls(data, (rng.random(57) < 0.5).astype(float))
    mean, root = rng.normal(size=(5, 3)), np.tril(rng.normal(size=(5, 3, 3)))
    calls = (
        lambda: model.expected_log_joint(mean, root),
        lambda: model.expected_derivatives(mean, root).hessian,
        lambda: model.expected_derivatives(mean[0], root[0]).hessian,
        lambda: model.expected_derivatives(mean, np.abs(root[..., 0])).gradient,
        lambda: model.log_joint_hessian(mean),
    )
    whole = [call() for call in calls]
    monkeypatch.setattr(regression, "_CACHED", 40)
    monkeypatch.setattr(regression, "_ENTRIES", 130)
    for call, expected in zip(calls, whole, strict=True):
        np.testing.assert_allclose(call(), expected, rtol=1e-12, atol=1e-13)
