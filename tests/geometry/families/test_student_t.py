"""Student's t distribution: fixed degrees of freedom, its limits, and divergences by quadrature."""

from __future__ import annotations

import copy
import pickle

import mpmath
import numpy as np
import pytest
import sympy

import igviz as ig
from igviz.geometry.families.student_t_density import log_gamma_rise, log_height, mean_tail
from tests.geometry.location_scale import student_t_symbolic


def exact_kl(p, q, digits=25):
    """In standard units of p and under z = √ν·sinh u, broken where q's logarithm is nearly singular."""
    with mpmath.workdps(digits):
        m, s, nu, n, t, kappa = (
            mpmath.mpf(float(v))
            for v in (
                *(p.location, p.scale, p.degrees_of_freedom),
                *(q.location, q.scale, q.degrees_of_freedom),
            )
        )
        shift, stretch = (n - m) / s, t / s

        def height(degrees):
            rise = mpmath.loggamma((degrees + 1) / 2) - mpmath.loggamma(degrees / 2)
            return rise - mpmath.log(mpmath.pi * degrees) / 2

        own, others = height(nu), height(kappa) - mpmath.log(stretch)

        def integrand(u):
            z = mpmath.sqrt(nu) * mpmath.sinh(u)
            here = own - (nu + 1) / 2 * mpmath.log1p(z**2 / nu)
            there = others - (kappa + 1) / 2 * mpmath.log1p(((z - shift) / stretch) ** 2 / kappa)
            return mpmath.exp(here) * (here - there) * mpmath.sqrt(nu) * mpmath.cosh(u)

        end = mpmath.acosh(mpmath.exp((2 * digits + 5) / min(nu, kappa)))
        centre = mpmath.asinh(shift / mpmath.sqrt(nu))
        width = stretch * mpmath.sqrt(kappa / nu) / mpmath.cosh(centre)
        breaks = {end * k / 6 for k in range(-6, 7)} | {centre}
        breaks |= {centre + sign * width * 4**k for k in range(9) for sign in (-1, 1)}
        return mpmath.quad(integrand, sorted(b for b in breaks if abs(b) <= end))


def test_a_generic_point():
    p = ig.StudentT(3.0, 2.0, 3.0)
    # z = 1: 2/(π·√3)·(1 + ⅓)⁻² for three degrees of freedom
    np.testing.assert_allclose(p.pdf(5.0), 2.0 / (np.pi * np.sqrt(3.0)) / (4.0 / 3.0) ** 2 / 2.0, rtol=1e-15)
    np.testing.assert_allclose(p.fisher(), [[1 / 6, 0.0], [0.0, 0.25]], rtol=1e-15)
    # ψ = 4z/(3 + z²) = 1 and ψ′ = 4(3 − z²)/(3 + z²)² = ½
    np.testing.assert_allclose(p.score(5.0), [0.5, 0.0], rtol=1e-15, atol=1e-16)
    np.testing.assert_allclose(
        p.hessian_log_prob(5.0), [[-0.125, -0.375], [-0.375, -0.375]], rtol=1e-14, atol=1e-16
    )


def test_metric_and_curvature_for_all_degrees_of_freedom():
    nu = sympy.Symbol("nu", positive=True)
    s = student_t_symbolic(nu)
    location, scale = (sympy.diff(s.log_density, parameter) for parameter in s.parameters)
    a, b = (sympy.simplify(s.expect(slope**2) * s.parameters[1] ** 2) for slope in (location, scale))
    assert sympy.simplify(a - (nu + 1) / (nu + 3)) == 0
    assert sympy.simplify(b - 2 * nu / (nu + 3)) == 0
    degrees = np.array([0.5, 1.0, 3.5, 30.0])
    p = ig.StudentT(0.3, 0.7, degrees)
    np.testing.assert_allclose(p.gaussian_curvature, -(degrees + 3) / (2 * degrees), rtol=1e-15)
    np.testing.assert_allclose(
        p.fisher()[:, 0, 0], [float(a.subs(nu, v)) / 0.49 for v in degrees], rtol=1e-14
    )
    np.testing.assert_allclose(
        p.fisher()[:, 1, 1], [float(b.subs(nu, v)) / 0.49 for v in degrees], rtol=1e-14
    )


# -- limits ------------------------------------------------------------------------------------------------


def pairs(seed, size=30):
    rng = np.random.default_rng(seed)
    return [(rng.normal(0.3, 2.0, size), np.exp(rng.normal(0.2, 0.7, size))) for _ in range(2)]


def test_one_degree_of_freedom_is_cauchy():
    first, second = pairs(91)
    p, q, c, d = ig.StudentT(*first, 1.0), ig.StudentT(*second, 1.0), ig.Cauchy(*first), ig.Cauchy(*second)
    x = c.sample(30, np.random.default_rng(92))
    np.testing.assert_allclose(p.log_prob(x), c.log_prob(x), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(p.score(x), c.score(x), rtol=1e-13)
    np.testing.assert_allclose(p.hessian_log_prob(x), c.hessian_log_prob(x), rtol=1e-13)
    np.testing.assert_allclose(p.entropy(), c.entropy(), rtol=1e-14)
    np.testing.assert_allclose(p.fisher(), c.fisher(), rtol=1e-15)
    np.testing.assert_allclose(p.kl(q), c.kl(d), rtol=1e-12)
    np.testing.assert_allclose(ig.fisher_rao_distance(p, q), ig.fisher_rao_distance(c, d), rtol=1e-14)
    np.testing.assert_allclose(ig.geodesic(p, q)(0.3).source, ig.geodesic(c, d)(0.3).source, rtol=1e-13)


@pytest.mark.parametrize("degrees", [1e6, 1e12])
def test_many_degrees_of_freedom_are_nearly_normal(degrees):
    first, second = pairs(93)
    p, q, n, m = (
        ig.StudentT(*first, degrees),
        ig.StudentT(*second, degrees),
        ig.Normal(*first),
        ig.Normal(*second),
    )
    x = n.sample(30, np.random.default_rng(94))
    close = {"rtol": 300.0 / degrees + 1e-13, "atol": 300.0 / degrees + 1e-13}
    np.testing.assert_allclose(p.log_prob(x), n.log_prob(x), **close)
    np.testing.assert_allclose(p.entropy(), n.entropy(), **close)
    np.testing.assert_allclose(p.fisher(), n.fisher(), **close)
    np.testing.assert_allclose(p.gaussian_curvature, -0.5, **close)
    np.testing.assert_allclose(ig.fisher_rao_distance(p, q), ig.fisher_rao_distance(n, m), **close)
    modest = n.kl(m) < 20.0  # beyond, the divergence grows by logarithms
    np.testing.assert_allclose(p.kl(q)[modest], n.kl(m)[modest], rtol=3e4 / degrees + 1e-11)


def test_entropy_and_height_for_few_and_many_degrees_of_freedom():
    for degrees in (0.01, 0.5, 1.0, 7.3, 15.9, 16.1, 200.0, 1e5, 1e9):
        nu = mpmath.mpf(degrees)
        rise = mpmath.loggamma((nu + 1) / 2) - mpmath.loggamma(nu / 2)
        tail = (nu + 1) / 2 * (mpmath.digamma((nu + 1) / 2) - mpmath.digamma(nu / 2))
        height = rise - mpmath.log(mpmath.pi * nu) / 2
        assert abs(log_gamma_rise(degrees) - rise) < 3e-15
        assert abs(log_height(degrees) - height) < 3e-15
        assert abs(mean_tail(degrees) / tail - 1) < 3e-15
        entropy = tail - height + mpmath.log(2)
        assert abs(ig.StudentT(0.3, 2.0, degrees).entropy() / entropy - 1) < 4e-15


def test_tails_do_not_overflow():
    p = ig.StudentT(0.0, 1.0, 2.5)
    expected = log_height(2.5) - 3.5 * (200 * np.log(10) - 0.5 * np.log(2.5))
    np.testing.assert_allclose(p.log_prob(1e200), expected, rtol=1e-14)
    np.testing.assert_allclose(p.score(1e200), [3.5e-200, 2.5], rtol=1e-14)
    np.testing.assert_allclose(p.score(np.inf), [0.0, 2.5], atol=1e-290)


# -- Kullback–Leibler ---------------------------------------------------------------------------------------

# near, far and shifted forms; few and many, equal and unequal degrees of freedom; the seams between the forms
PAIRS = [
    ((0.3, 0.7, 3.5), (0.4, 0.8, 3.5)),
    ((0.3, 0.7, 3.5), (0.4, 0.8, 4.0)),
    ((0.3, 0.7, 3.5), (-0.6, 0.5, 3.5)),
    ((0.3, 0.7, 3.5), (5.0, 0.01, 3.5)),
    ((0.3, 0.7, 3.5), (2.1, 44.0, 3.5)),
    ((0.3, 0.7, 1.2), (0.9, 0.7, 25.0)),
    ((0.3, 0.7, 25.0), (0.9, 0.7, 0.7)),
    ((0.0, 1.0, 0.3), (0.1, 1.3, 0.3)),
    ((0.0, 1.0, 0.5), (8.0, 0.2, 0.5)),
    ((1.0, 2.0, 60.0), (1.9, 1.31, 60.0)),
    ((1.0, 2.0, 60.0), (1.9, 1.29, 60.0)),
    ((1.0, 2.0, 1e4), (4.0, 5.0, 1e4)),
    ((1.0, 2.0, 1e4), (4.0, 0.01, 1e4)),
    ((1.0, 2.0, 2e6), (1.3, 2.2, 1.9e6)),
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_kl_of_generic_pairs(first, second):
    p, q = ig.StudentT(*first), ig.StudentT(*second)
    assert abs(p.kl(q) / exact_kl(p, q) - 1) < 1e-13


@pytest.mark.parametrize("separation", [1e-2, 1e-5, 1e-8])
@pytest.mark.parametrize("degrees", [0.8, 3.5, 1e3])
def test_kl_keeps_its_digits_up_close(separation, degrees):
    p = ig.StudentT(0.8, 1.7, degrees)
    q = ig.StudentT(0.8 + 0.6 * separation, 1.7 * (1.0 - 0.8 * separation), degrees)
    # right to 1e-9, and to 1e-13 absolute
    assert abs(p.kl(q) / exact_kl(p, q, digits=40) - 1) < 1e-9 + 1e-24 / p.kl(q)


def test_kl_of_near_degrees_of_freedom():
    p = ig.StudentT(0.8, 1.7, 3.5)
    for separation, tolerance in [(1e-2, 1e-12), (1e-5, 1e-10), (1e-8, 1e-7)]:
        q = ig.StudentT(0.8, 1.7, 3.5 * (1.0 + separation))
        assert abs(p.kl(q) / exact_kl(p, q, digits=40) - 1) < tolerance


def test_kl_of_very_far_pairs():
    # q so narrow that its density is a power of |y|: E log|z| under p is known for ν = 1, where it is 0
    p, q = ig.StudentT(0.0, 1.0, 1.0), ig.StudentT(0.0, 1e-60, 1.0)
    np.testing.assert_allclose(p.kl(q), ig.Cauchy(0.0, 1.0).kl(ig.Cauchy(0.0, 1e-60)), rtol=1e-12)
    np.testing.assert_allclose(q.kl(p), p.kl(q), rtol=1e-12)
    far = ig.StudentT(0.9e8, 1.0, 1.0)
    np.testing.assert_allclose(p.kl(far), ig.Cauchy(0.0, 1.0).kl(ig.Cauchy(0.9e8, 1.0)), rtol=1e-9)
    with pytest.raises(ArithmeticError, match="more than 1e\\+08 scales apart"):
        p.kl(ig.StudentT(1.1e8, 1.0, 1.0))


def test_kl_does_not_depend_on_the_grid():
    rng = np.random.default_rng(95)
    location, scale, degrees = (
        rng.normal(0, 2, (4, 3)),
        np.exp(rng.normal(0, 1, (4, 3))),
        rng.uniform(0.5, 9, 3),
    )
    p, q = ig.StudentT(location, scale, degrees), ig.StudentT(location[::-1], 1.3, degrees[::-1])
    whole = p.kl(q)
    assert whole.shape == (4, 3) and np.all(whole > 0.0)
    for i, j in [(0, 0), (2, 1), (3, 2)]:
        np.testing.assert_allclose(whole[i, j], p[i, j].kl(q[i, j]), rtol=1e-14)


def test_kl_needs_a_tenth_of_a_degree_of_freedom():
    p = ig.StudentT(0.3, 0.7, 0.05)
    with pytest.raises(
        ValueError, match=r"degrees_of_freedom must be at least 0.1 for a KL divergence, got 0.05"
    ):
        p.kl(p)


# -- degrees of freedom are fixed, and no coordinate ---------------------------------------------------------


def test_degrees_of_freedom_go_along():
    p = ig.StudentT([0.3, 0.9], 0.7, [2.0, 5.0])
    assert p.dimension == 2 and p.source.shape == (2, 2)
    assert np.array_equal(p.with_coordinates(p.source + 1.0).degrees_of_freedom, [2.0, 5.0])
    assert p[1] == ig.StudentT(0.9, 0.7, 5.0)
    assert ig.StudentT.from_source([0.9, 0.7], degrees_of_freedom=5.0) == p[1]
    assert ig.StudentT.from_coordinates([0.9, 0.7], "source", degrees_of_freedom=5.0) == p[1]
    assert ig.StudentT(0.9, 0.7, 4.0) != p[1]
    assert copy.deepcopy(p) == p and pickle.loads(pickle.dumps(p)) == p
    path = ig.geodesic(p, ig.StudentT(1.5, 1.1, [2.0, 5.0]))([0.0, 0.5, 1.0])
    assert np.array_equal(path.degrees_of_freedom, np.broadcast_to([2.0, 5.0], (3, 2)))
    with pytest.raises(TypeError, match="degrees_of_freedom"):
        ig.StudentT.from_source([0.9, 0.7])


@pytest.mark.parametrize("call", [ig.fisher_rao_distance, ig.geodesic])
def test_other_degrees_of_freedom_are_another_surface(call):
    p, q = ig.StudentT([0.3, 0.9], 0.7, [2.0, 5.0]), ig.StudentT(1.5, 1.1, 2.0)
    with pytest.raises(
        ValueError,
        match=f"{call.__name__}: both StudentT must have the same degrees_of_freedom, got 5.0 and 2.0",
    ):
        call(p, q)


def test_bad_degrees_of_freedom():
    with pytest.raises(ValueError, match=r"StudentT: degrees_of_freedom must be positive, got 0.0"):
        ig.StudentT(0.0, 1.0, 0.0)
    with pytest.raises(ValueError, match=r"StudentT: degrees_of_freedom must be finite, got inf"):
        ig.StudentT(0.0, 1.0, np.inf)


def test_sample_moments_have_the_right_scale():
    x = ig.StudentT([5.0, -5.0], [0.1, 10.0], [9.0, 12.0]).sample(100_000, np.random.default_rng(96))
    expected = np.array([0.1, 10.0]) * np.sqrt([9.0 / 7.0, 12.0 / 10.0])
    np.testing.assert_allclose(x.std(axis=0), expected, rtol=0.02)
    np.testing.assert_allclose(x.mean(axis=0), [5.0, -5.0], atol=0.3)


def test_repr():
    expected = "StudentT(location=0.0, scale=1.0, degrees_of_freedom=4.0)"
    assert repr(ig.StudentT(location=0.0, scale=1.0, degrees_of_freedom=4.0)) == expected
