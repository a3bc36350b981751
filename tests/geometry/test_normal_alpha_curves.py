"""α-geodesics of normals as conics: the geodesic equation, the known three, where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from igviz.geometry.families.normal import Normal
from igviz.geometry.geodesics import geodesic
from igviz.geometry.normal_alpha_curves import normal_alpha_curve, normal_alpha_limit

PAIRS = [
    (Normal(0.3, 0.7), Normal(1.9, 1.6)),
    (Normal(-1.2, 1.4), Normal(1.1, 0.5)),
    (Normal(2.0, 0.8), Normal(0.4, 0.8)),
]
ALPHAS = [-3.0, -1.7, -1.0, -0.4, 0.0, 0.6, 1.0, 1.3, 2.1]
KINDS = {1.0: "natural", 0.0: "fisher-rao", -1.0: "expectation"}


@pytest.mark.parametrize(("p", "q"), PAIRS)
@pytest.mark.parametrize("alpha", KINDS)
def test_the_three_known_geodesics(p, q, alpha):
    known = geodesic(p, q, KINDS[alpha])(np.linspace(0, 1, 23))
    share = np.clip((known.mean - p.mean) / (q.mean - p.mean), 0, 1)
    np.testing.assert_allclose(normal_alpha_curve(p, q, alpha, share).std, known.std, rtol=1e-11)


def acceleration(alpha, eta, v):
    """−½·(1 − α)·I⁻¹·T(v, v) in natural coordinates, from the log-partition −η₁²/(4η₂) − ½·log(−2η₂)."""
    a, b = eta
    fisher = np.array(
        [[-1 / (2 * b), a / (2 * b**2)], [a / (2 * b**2), -(a**2) / (2 * b**3) + 1 / (2 * b**2)]]
    )
    t112, t122, t222 = 1 / (2 * b**2), -a / b**3, 3 * a**2 / (2 * b**4) - 1 / b**3
    pull = np.array(
        [
            2 * t112 * v[0] * v[1] + t122 * v[1] ** 2,
            t112 * v[0] ** 2 + 2 * t122 * v[0] * v[1] + t222 * v[1] ** 2,
        ]
    )
    return -0.5 * (1 - alpha) * np.linalg.solve(fisher, pull)


@pytest.mark.parametrize(("p", "q"), PAIRS)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_geodesic_equation_integrated_stays_on_the_curve(p, q, alpha):
    """Also where a search for the path from the straight line finds none."""
    if alpha >= normal_alpha_limit(p, q):
        pytest.skip("no such path")
    near = normal_alpha_curve(p, q, alpha, [0.0, 1e-4, 2e-4]).natural
    v = -1.5 * near[0] + 2 * near[1] - 0.5 * near[2]

    def arrived(_t, state):
        mean = -state[0] / (2 * state[1])
        return (mean - q.mean) * np.sign(q.mean - p.mean)

    arrived.terminal = True
    run = solve_ivp(
        lambda _t, x: np.concatenate([x[2:], acceleration(alpha, x[:2], x[2:])]),
        (0, 1e9),
        np.concatenate([near[0], v / np.linalg.norm(v)]),
        rtol=1e-8,
        atol=1e-10,
        events=arrived,
        # a straight path would be followed out of the family in one step
        max_step=0.1 * np.linalg.norm(q.natural - p.natural),
    )
    assert run.status == 1, "the path reaches the mean of q"
    found = Normal.from_natural(run.y[:2].T)
    share = np.clip((found.mean - p.mean) / (q.mean - p.mean), 0, 1)
    np.testing.assert_allclose(found.std, normal_alpha_curve(p, q, alpha, share).std, rtol=2e-6)
    assert found.std[-1] == pytest.approx(q.std, rel=2e-6)


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_there_is_a_path_up_to_the_limit_and_none_above(p, q):
    limit = normal_alpha_limit(p, q)
    s = np.linspace(0, 1, 4001)
    for alpha, exists in ((limit - 1e-3, True), (limit + 1e-3, False)):
        variance = (
            p.std**2 * (1 - s) + q.std**2 * s - 0.5 * (alpha - 1) * s * (1 - s) * (p.mean - q.mean) ** 2
        )
        assert np.all(variance > 0) == exists
        if exists:
            assert np.all(normal_alpha_curve(p, q, alpha, s).std > 0)
        else:
            with pytest.raises(ArithmeticError, match="no path for alpha"):
                normal_alpha_curve(p, q, alpha, s)


def test_equal_means():
    p, q = Normal(0.7, 0.5), Normal(0.7, 2.5)
    assert normal_alpha_limit(p, q) == np.inf
    path = normal_alpha_curve(p, q, 40.0, [0.0, 0.5, 1.0])
    np.testing.assert_allclose(path.mean, 0.7)
    np.testing.assert_allclose(path.std**2, [0.25, 3.25, 6.25])


def test_refusals():
    p, q = PAIRS[0]
    with pytest.raises(ValueError, match="alpha must be a finite number, got nan"):
        normal_alpha_curve(p, q, np.nan, 0.5)
    with pytest.raises(ValueError, match=r"share must be from 0 to 1, got 1\.2"):
        normal_alpha_curve(p, q, 0.5, 1.2)
    with pytest.raises(ValueError, match=r"q must be one igviz\.Normal"):
        normal_alpha_limit(p, Normal([0.0, 1.0], 1.0))
