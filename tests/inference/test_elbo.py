"""The ELBO: exact where the evidence is known, a bound everywhere, and vectorised; its derivatives by q."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import igviz as ig
from igviz.geometry import differences
from igviz.inference.protocol import DIGITS, require_model
from tests.inference.gaussian_cases import full_covariance, linear, logistic, poisson, skewed


def counts():
    rng = np.random.default_rng(101)
    X, trials = rng.normal(size=(8, 3)), rng.integers(1, 9, size=8)
    return ig.LogisticRegression(X, rng.binomial(trials, 0.4), 0.7, trials=trials)


def wide():
    """Fewer rows than columns."""
    rng = np.random.default_rng(102)
    return ig.LogisticRegression(rng.normal(size=(3, 5)), [1, 0, 1], 0.3)


MODELS = {
    "linear": linear(),
    "logistic": logistic(),
    "counts": counts(),
    "wide": wide(),
    "Poisson": poisson(),
    "one dimension": skewed(),
}
for_models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def generic(d, seed, diagonal, grid=(), size=0.7):
    """Gaussians in no special place."""
    rng = np.random.default_rng(seed)
    root = size * (rng.normal(size=(*grid, d, d)) / np.sqrt(d) + 0.4 * np.eye(d))
    cov = root @ np.swapaxes(root, -1, -2)
    return ig.MultivariateNormal(0.6 * rng.normal(size=(*grid, d)), cov * np.eye(d) if diagonal else cov)


# -- where the evidence is known -----------------------------------------------------------------------------


def data(n, d, seed, collinear=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    if collinear:
        X[:, 1], X[:, 2] = X[:, 0], 1.0
    return X, X @ rng.normal(size=d) + rng.normal(size=n)


LINEAR = {
    "generic": ig.LinearRegression(*data(14, 3, 103), 1.7, 0.6),
    "fewer rows than columns": ig.LinearRegression(*data(4, 9, 104), 2.3, 0.4),
    "collinear": ig.LinearRegression(*data(12, 4, 105, collinear=True), 0.9, 1.3),
    "many rows": ig.LinearRegression(*data(3_000, 6, 106), 1.4, 0.2),
    "one coefficient": ig.LinearRegression(*data(5, 1, 107), 0.8, 2.0),
}


@pytest.mark.parametrize("model", LINEAR.values(), ids=LINEAR)
@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("size", [0.1, 1.0, 30.0])
def test_the_elbo_and_the_divergence_make_the_evidence(model, diagonal, size):
    """To 1e-10 relative to what is added; the divergence is found by itself."""
    q = generic(model.dimension, 108, diagonal, grid=(3,), size=size)
    value, divergence = ig.elbo(model, q), q.kl(model.posterior)
    assert np.all(divergence > 0.1)
    gap = np.abs(value + divergence - model.log_evidence())
    assert np.max(gap / np.maximum(1.0, np.abs(value))) < 1e-12
    assert np.max(gap) < 1e-10 or size > 1
    assert ig.elbo(model, model.posterior) == pytest.approx(model.log_evidence(), rel=1e-13)


# -- a bound, everywhere -------------------------------------------------------------------------------------


@given(st.floats(-6, 6), st.floats(-6, 2.5))
@settings(max_examples=80, deadline=None)
def test_it_never_exceeds_the_log_evidence(mean, log_std):
    q = ig.Normal(mean, np.exp(log_std))
    for model in (ig.models.skewed_posterior.MODEL, ig.models.bimodal_posterior.model(4.0)):
        assert ig.elbo(model, q) < model.log_evidence()
    line = LINEAR["one coefficient"]
    assert ig.elbo(line, q) <= line.log_evidence() + 1e-12


@given(st.integers(0, 10_000), st.floats(-5, 2), st.booleans())
@settings(max_examples=40, deadline=None)
def test_it_never_exceeds_the_log_evidence_of_vectors(seed, log_size, diagonal):
    for model in LINEAR.values():
        q = generic(model.dimension, seed, diagonal, size=np.exp(log_size))
        assert ig.elbo(model, q) < model.log_evidence()


# -- one q, many q, other q ----------------------------------------------------------------------------------


@for_models
@pytest.mark.parametrize("diagonal", [False, True])
def test_grids_are_the_loop(model, diagonal):
    q = generic(model.dimension, 109, diagonal, grid=(2, 3))
    together = ig.elbo(model, q)
    alone = [[ig.elbo(model, q[i, j]) for j in range(3)] for i in range(2)]
    np.testing.assert_allclose(together, alone, rtol=1e-13)
    assert isinstance(alone[0][0], np.float64)
    empty = ig.elbo(model, q[:0])
    assert empty.shape == (0, 3)
    mean, root = q.mean, q.cholesky_factor
    for part, whole in zip(
        zip(*[model.expected_derivatives(mean[1, j], root[1, j]) for j in range(3)], strict=True),
        model.expected_derivatives(mean, root),
        strict=True,
    ):
        np.testing.assert_allclose(whole[1], part, rtol=1e-11, atol=1e-12)


def test_a_normal_is_a_vector_of_one_number():
    for model in (LINEAR["one coefficient"], skewed(), ig.PoissonRegression([[0.4]], [2.0])):
        mean, std = np.array([[0.3], [-1.2]]), np.array([0.2, 0.9, 1.7])
        as_vectors = ig.MultivariateNormal(
            np.broadcast_to(mean[..., None], (2, 3, 1)),
            np.broadcast_to(std[:, None, None] ** 2, (2, 3, 1, 1)),
        )
        as_numbers = ig.elbo(model, ig.Normal(mean, std))
        assert as_numbers.shape == (2, 3)
        np.testing.assert_allclose(as_numbers, ig.elbo(model, as_vectors), rtol=1e-13)


@for_models
def test_any_root_will_do(model):
    """Of one covariance; the order and signs of its columns say nothing."""
    q = generic(model.dimension, 110, diagonal=False)
    root = q.cholesky_factor
    turn = np.linalg.qr(np.random.default_rng(111).normal(size=root.shape))[0]
    for one, other in zip(
        model.expected_derivatives(q.mean, root), model.expected_derivatives(q.mean, root @ turn), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(
        model.expected_log_joint(q.mean, -root), model.expected_log_joint(q.mean, root), rtol=1e-13
    )


# -- derivatives ---------------------------------------------------------------------------------------------


@for_models
def test_bonnet_and_price(model):
    """Means of derivatives are derivatives of the mean: by q's mean and, twice, by its covariance."""
    d = model.dimension
    q = generic(d, 112, diagonal=False, size=0.9)
    value, gradient, hessian = model.expected_derivatives(q.mean, q.cholesky_factor)
    assert value == pytest.approx(float(model.expected_log_joint(q.mean, q.cholesky_factor)), rel=1e-13)
    np.testing.assert_array_equal(hessian, hessian.T)

    def at(coordinates):
        p = ig.MultivariateNormal.from_source(coordinates)
        return model.expected_log_joint(p.mean, p.cholesky_factor)

    scale = np.concatenate([np.full(d, 0.3), np.full(q.source.size - d, 0.1 * np.linalg.eigvalsh(q.cov)[0])])
    slope = differences.gradient(at, q.source, scale)
    np.testing.assert_allclose(gradient, slope[:d], rtol=1e-8, atol=1e-9)
    rows, columns = np.tril_indices(d)
    # a coordinate off the diagonal moves two entries
    twice = np.where(rows == columns, 1.0, 2.0)
    np.testing.assert_allclose(0.5 * twice * hessian[rows, columns], slope[d:], rtol=1e-6, atol=1e-7)


@for_models
@pytest.mark.parametrize("digits", [DIGITS, 6])
def test_a_diagonal_root_gives_the_diagonal(model, digits):
    q = generic(model.dimension, 113, diagonal=True)
    std = np.sqrt(np.diagonal(q.cov))
    short, full = (model.expected_derivatives(q.mean, root, digits) for root in (std, np.diag(std)))
    assert short.hessian.shape == (model.dimension,)
    assert short.value == pytest.approx(float(full.value), rel=1e-12)
    np.testing.assert_allclose(short.gradient, full.gradient, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(short.hessian, np.diagonal(full.hessian), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(
        model.expected_log_joint(q.mean, std), model.expected_log_joint(q.mean, np.diag(std)), rtol=1e-13
    )


@for_models
@pytest.mark.parametrize("digits", [12, 6, 3])
def test_fewer_digits_keep_their_promise(model, digits):
    q = generic(model.dimension, 114, diagonal=False, size=2.0)
    exact = model.expected_derivatives(q.mean, q.cholesky_factor)
    rough = model.expected_derivatives(q.mean, q.cholesky_factor, digits)
    X, trials = getattr(model, "X", np.ones((1, 1))), getattr(model, "trials", 1.0)
    many = float(np.sum(trials * np.max(np.abs(X), axis=1, initial=1.0) ** 2))
    for one, other in zip(exact, rough, strict=True):
        assert np.max(np.abs(one - other)) <= many * 10.0**-digits


@pytest.mark.parametrize("model", [logistic(), counts(), wide()], ids=["labels", "counts", "wide"])
def test_the_mean_hessian_is_negative_definite(model):
    """Whatever q and the digits: the prior's precision at least is left."""
    d = model.dimension
    for digits in (DIGITS, 2):
        for size in (1e-6, 1.0, 1e4):
            hessian = model.expected_derivatives(np.full(d, 30.0), size * np.eye(d), digits).hessian
            assert np.max(np.linalg.eigvalsh(hessian)) <= -model.prior_precision * (1 - 1e-12)


# -- what cannot be ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "q"),
    [
        (ig.LinearRegression([[1e200], [1.0]], [0.0, 1.0]), ig.Normal(1.0, 1.0)),
        (ig.LogisticRegression([[1e300], [1.0]], [0, 1]), ig.Normal(1e10, 1.0)),
        (ig.LogisticRegression([[1.0], [2.0]], [0, 1]), ig.Normal(1e200, 1.0)),
        (ig.LogisticRegression([[1e200], [1.0]], [0, 1]), ig.Normal(0.0, 1e10)),
        (ig.PoissonRegression([[1.0], [0.0]], [0, 1]), ig.Normal(800.0, 1.0)),
        (ig.PoissonRegression([[1.0], [0.0]], [0, 1]), ig.Normal(0.0, 40.0)),
    ],
)
def test_what_overflows_is_reported(model, q):
    with pytest.raises(
        OverflowError, match=r"elbo: the mean of the log joint under q must be a finite number, got"
    ):
        ig.elbo(model, q)
    grid = ig.Normal([[0.0, 0.0], [q.mean, 0.0]], [[1e-250, 1e-250], [q.std, 1e-250]])
    with pytest.raises(OverflowError, match=r"under q at index \(1, 0\) must be a finite number"):
        ig.elbo(model, grid)


def test_large_is_not_too_large():
    model = ig.LogisticRegression([[1e100], [-1e100]], [0, 1])
    assert ig.elbo(model, ig.Normal(1.0, 1e-3)) == pytest.approx(-2e100, rel=1e-13)
    assert ig.elbo(model, ig.Normal(-1.0, 1e-3)) == pytest.approx(
        float(ig.elbo(ig.PoissonRegression([[0.0]], [0]), ig.Normal(-1.0, 1e-3))) + 1.0, rel=1e-12
    )


def test_bad_arguments():
    model, q = linear(), ig.MultivariateNormal(np.zeros(3), full_covariance(3, 115))
    for wrong in ("model", None, ig.LinearRegression, q):
        with pytest.raises(
            TypeError, match=r"elbo: model must be a model, such as an igviz.LogisticRegression"
        ):
            ig.elbo(wrong, q)
    for wrong in (0.3, "q", ig.Gamma(2.0, 1.0), None):
        with pytest.raises(TypeError, match="elbo: q must be a Normal or a MultivariateNormal, got "):
            ig.elbo(model, wrong)
    for wrong, length in ((ig.Normal(0.0, 1.0), 1), (ig.MultivariateNormal(np.zeros(4), np.eye(4)), 4)):
        with pytest.raises(ValueError, match=f"elbo: q must be on vectors of 3 numbers, .* got {length}"):
            ig.elbo(model, wrong)
    require_model("elbo", model)
