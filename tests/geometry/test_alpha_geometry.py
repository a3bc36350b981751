"""The cubic tensor and the connections made of it: definition, duality, and the geodesics α names."""

from __future__ import annotations

import numpy as np
import pytest

import igviz as ig
from igviz.geometry import differences
from igviz.geometry.alpha_geometry import cubic_tensor
from tests.geometry.family import Family
from tests.geometry.registry import EXPONENTIAL, EXPONENTIAL_IDS

for_exponential = pytest.mark.parametrize("family", EXPONENTIAL, ids=EXPONENTIAL_IDS)
CHARTS = ("natural", "expectation", "source")
TIMES = np.array([0.0, 0.13, 0.5, 0.81, 1.0])
NAMED = {1: "natural", -1: "expectation", 0: "fisher-rao"}


def some(family: Family, seed: int):
    p, q = family.pair(seed, 1)
    return p[0], q[0]


# -- tensors ------------------------------------------------------------------------------------------------


@for_exponential
def test_the_cubic_tensor_is_the_mean_of_three_scores(family: Family):
    p, _ = some(family, 401)
    for chart in CHARTS:
        # in units of the score's standard deviations
        size = np.sqrt(np.diag(p.fisher(chart)))

        def triple(x, p=p, chart=chart, size=size):
            score = np.where(np.isfinite(p.log_prob(x))[..., None], p.score(x, chart), 0.0) / size
            return np.einsum("...i,...j,...k->...ijk", score, score, score)

        expected = family.mean_under(p, triple)
        units = np.einsum("i,j,k->ijk", size, size, size)
        np.testing.assert_allclose(cubic_tensor(p, chart) / units, expected, atol=1e-8)


@for_exponential
def test_the_cubic_tensor_tells_the_divergences_apart(family: Family):
    # with δ in natural coordinates KL(q‖p) − KL(p‖q) = ⅙·T(δ, δ, δ) + …
    p, q = some(family, 402)
    near = ig.geodesic(p, q, "natural")(1e-3)
    step = near.natural - p.natural
    cubic = np.einsum("ijk,i,j,k->", p.third_cumulant(), step, step, step)
    gap = near.kl(p) - p.kl(near)
    assert gap == pytest.approx(cubic / 6, rel=0.1, abs=1e-6 * p.kl(near))


def test_normal_tensors_and_connections_in_the_source_chart():
    p = ig.Normal([1.3, -0.4], [0.7, 2.1])
    cubic = cubic_tensor(p, "source")
    s = p.std
    np.testing.assert_allclose(cubic[:, 0, 0, 0], 0.0, atol=1e-12)
    np.testing.assert_allclose(cubic[:, 0, 0, 1], 2 / s**3, rtol=1e-12)
    np.testing.assert_allclose(cubic[:, 0, 1, 1], 0.0, atol=1e-12)
    np.testing.assert_allclose(cubic[:, 1, 1, 1], 8 / s**3, rtol=1e-12)
    # Γ^(0)_ab,c = ½·(∂ₐg_bc + ∂_b g_ac − ∂_c g_ab) of the metric diag(1, 2)/std²
    slope = np.zeros((2, 2, 2, 2))
    slope[:, 1, 0, 0], slope[:, 1, 1, 1] = -2 / s**3, -4 / s**3
    metric = 0.5 * (slope + np.swapaxes(slope, 1, 2) - np.moveaxis(slope, 1, 3))
    # Γ^mean_mean,std = −(1 + α)/std, Γ^std_mean,mean = (1 − α)/(2·std), Γ^std_std,std = −(1 + 2α)/std
    for alpha in (-1.0, 0.0, 0.4, 1.0, 2.3):
        lower = metric - 0.5 * alpha * cubic
        raised = np.einsum("nabc,ncd->nabd", lower, np.linalg.inv(p.fisher("source")))
        np.testing.assert_allclose(raised[:, 0, 1, 0], -(1 + alpha) / s, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(raised[:, 0, 0, 1], (1 - alpha) / (2 * s), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(raised[:, 1, 1, 1], -(1 + 2 * alpha) / s, rtol=1e-12)
        np.testing.assert_allclose(raised[:, 0, 0, 0], 0.0, atol=1e-12)
        np.testing.assert_allclose(raised[:, 0, 1, 1], 0.0, atol=1e-12)


@for_exponential
@pytest.mark.parametrize(("chart", "sign"), [("natural", 1.0), ("expectation", -1.0)])
def test_the_cubic_tensor_is_the_slope_of_the_metric_in_dual_charts(family: Family, chart: str, sign: float):
    # ∂ₐg_bc = Γ^(1)_ab,c + Γ^(−1)_ac,b; each is zero in its own chart and ±T in the other's
    p, _ = some(family, 403)
    cls = type(p)
    size = np.sqrt(np.diag(p.fisher(chart)))
    metric = differences.gradient(
        lambda x: cls.from_coordinates(x, chart).fisher(chart), p.coordinates(chart), 0.05 / size
    )
    units = np.einsum("i,j,k->ijk", size, size, size)
    cubic = cubic_tensor(p, chart)
    np.testing.assert_allclose(sign * cubic / units, np.moveaxis(metric, -1, 0) / units, atol=2e-7)
    np.testing.assert_allclose(cubic, np.swapaxes(cubic, 0, 1), rtol=1e-12, atol=1e-9 * np.max(units))


# -- geodesics ----------------------------------------------------------------------------------------------


@for_exponential
def test_the_three_that_numbers_name(family: Family):
    p, q = some(family, 405)
    q = ig.geodesic(p, q, "natural")(0.1)
    for alpha, name in NAMED.items():
        expected = ig.geodesic(p, q, name)(TIMES).source
        for number in (alpha, float(alpha), np.int64(alpha), np.float32(alpha)):
            path = ig.geodesic(p, q, number)
            assert path.kind == name
            np.testing.assert_array_equal(path(TIMES).source, expected)


@for_exponential
@pytest.mark.parametrize("alpha", NAMED)
def test_paths_obey_the_equation_of_their_connection(family: Family, alpha: float):
    p, q = some(family, 406)
    q = ig.geodesic(p, q, "natural")(0.4)
    path = ig.geodesic(p, q, alpha)
    # velocity and acceleration by differences of eighth order, in natural coordinates
    t = np.array([[0.2], [0.5], [0.8]])
    scale = np.full_like(t, 2.0)

    def velocity(x):
        return differences.gradient(
            lambda y: path(y[..., 0]).natural, x, np.broadcast_to(scale[:1], x.shape)
        )[..., 0]

    speed = velocity(t)
    acceleration = differences.gradient(velocity, t, scale)[..., 0]
    points = path(t[:, 0])
    # Γ^(α) = Γ^(0) − (α/2)·T, and in natural coordinates Γ^(0) = ½·T
    pull = 0.5 * (1 - alpha) * np.einsum("nabc,na,nb->nc", cubic_tensor(points), speed, speed)
    metric = points.fisher("natural")
    size = np.einsum("ni,nij,nj->n", speed, metric, speed)[:, None]
    unit = np.sqrt(np.einsum("nii->ni", metric))
    miss = np.einsum("nij,nj->ni", metric, acceleration) + pull
    np.testing.assert_allclose(miss / unit / size, 0.0, atol=1e-4)


# -- arguments ----------------------------------------------------------------------------------------------


def test_arguments_of_the_cubic_tensor():
    with pytest.raises(TypeError, match="cubic_tensor: p must be of an exponential family"):
        cubic_tensor(ig.Cauchy(0.0, 1.0))
    with pytest.raises(ValueError, match=r"Normal.cubic_tensor: chart must be one of 'source'"):
        cubic_tensor(ig.Normal([0.0, 1.0], 1.0), "mean")


@pytest.mark.parametrize("alpha", [0.5, -2, np.inf, np.nan, 1 + 1e-9, np.float64(0.3), 10**400])
def test_other_numbers_name_no_path(alpha):
    for p in (ig.Normal(0.0, 1.0), ig.Cauchy(0.0, 1.0)):
        with pytest.raises(ValueError, match="geodesic: as a number kind must be one of -1 ") as info:
            ig.geodesic(p, p, alpha)
        said = str(info.value)
        assert "-1 ('expectation'), 0 ('fisher-rao'), 1 ('natural')" in said and len(said) <= 300
        assert isinstance(alpha, int) or said.endswith(f"got {alpha!r}")


def test_families_that_are_not_exponential_have_the_shortest_path():
    p, q = ig.Cauchy(0.0, 1.0), ig.Cauchy(1.0, 2.0)
    assert ig.geodesic(p, q, 0)(0.5) == ig.geodesic(p, q)(0.5)
    for alpha in (-1, 1):
        with pytest.raises(ValueError, match="Cauchy is not an exponential family"):
            ig.geodesic(p, q, alpha)
