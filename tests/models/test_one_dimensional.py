"""Models of one number given by a function: against closed forms, adaptive quadrature, and what cannot be."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import expit, logsumexp

import igviz as ig
from igviz.models.line_differences import first_derivative, second_derivative
from igviz.models.stein_means import stein_means

norm = scipy.stats.norm


def poisson_twins(count, prior_std):
    """The same model twice: as a function, and by closed forms."""
    regression = ig.PoissonRegression([[1.0]], [count], prior_std**-2)

    def log_joint(z):
        return scipy.stats.poisson.logpmf(count, np.exp(z)) + norm.logpdf(z, 0.0, prior_std)

    return ig.OneDimensionalModel(log_joint, prior=ig.Normal(0.0, prior_std)), regression


# -- means under q -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "prior_std"), [(1, 1.5), (0, 0.3), (17, 4.0)])
def test_against_closed_forms(count, prior_std):
    """q from very narrow to so wide that its tail carries most of E[eᶻ]."""
    model, regression = poisson_twins(count, prior_std)
    q = ig.Normal([[-6.0], [-1.3], [0.0], [2.7]], [1e-6, 1e-3, 0.1, 0.8, 2.0, 5.0, 11.0])
    value, twin = ig.elbo(model, q), ig.elbo(regression, q)
    np.testing.assert_allclose(value, twin, rtol=1e-12, atol=1e-12)
    mean, root = q.mean[..., None], q.std[..., None, None]
    ours, closed = (m.expected_derivatives(mean, root) for m in (model, regression))
    # a derivative by a very narrow q is a difference of what rounding leaves
    wide = slice(2, None)
    np.testing.assert_allclose(ours.gradient[:, wide], closed.gradient[:, wide], rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(ours.hessian[:, wide], closed.hessian[:, wide], rtol=1e-10, atol=1e-10)


def test_a_kink_smoothed_by_nature():
    """A logistic likelihood is nearly kinked for a wide q: steps become finer until it is resolved."""
    model = ig.OneDimensionalModel(
        lambda z: -np.logaddexp(0.0, z) - np.logaddexp(0.0, -2.0 * z) - 0.02 * z**2
    )
    twin = ig.LogisticRegression([[1.0], [2.0]], [0, 1], 0.04)
    constant = 0.5 * np.log(0.04 / (2 * np.pi))
    q = ig.Normal([0.3, -4.0, 1.0, 8.0], [0.2, 3.0, 20.0, 120.0])
    np.testing.assert_allclose(ig.elbo(model, q) + constant, ig.elbo(twin, q), rtol=1e-12)


@pytest.mark.parametrize("frequency", [0.3, 2.0, 8.0, 8.43, 16.0, 21.7, 64.0])
def test_ripples_are_not_taken_for_constants(frequency):
    """On the nodes of a rule whose step is a period a ripple is constant."""
    mean, std, omega = np.array([0.2, -1.0]), np.array([1.0, 0.7]), 2 * np.pi * frequency
    found = stein_means(lambda z: np.cos(omega * z), mean, std)
    damping = np.exp(-0.5 * (omega * std) ** 2)
    cosine, sine = damping * np.cos(omega * mean), damping * np.sin(omega * mean)
    expected = [cosine, -omega * std * sine, -((omega * std) ** 2) * cosine]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.3])
def test_a_mean_that_only_just_exists(rate):
    """E[e^(rate·z²)] lives many stds out."""
    q = ig.Normal(0.3, 1.2)
    left = 1 - 2 * rate * 1.44
    exact = -np.exp(rate * 0.09 / left) / np.sqrt(left)
    model = ig.OneDimensionalModel(lambda z: -np.exp(rate * z**2))
    assert ig.elbo(model, q) - q.entropy() == pytest.approx(exact, rel=1e-12)


def test_large_values_and_their_rounding():
    q = ig.Normal([0.3, 2.0], [1.2, 1e-3])
    model = ig.OneDimensionalModel(lambda z: -1e8 * (z - 3.0) ** 2 + 7e9)
    exact = 7e9 - 1e8 * ((q.mean - 3.0) ** 2 + q.std**2)
    np.testing.assert_allclose(ig.elbo(model, q), exact + q.entropy(), rtol=1e-14)
    noisy = ig.OneDimensionalModel(lambda z: (1e6 + np.sin(z)) - 1e6)
    exact = np.sin(q.mean) * np.exp(-0.5 * q.std**2)
    np.testing.assert_allclose(ig.elbo(noisy, q), exact + q.entropy(), atol=1e-10)


@pytest.mark.parametrize(
    ("log_joint", "shown"),
    [
        (lambda z: -np.exp(z**2), "-inf"),
        (lambda z: np.exp(0.6 * z**2), "inf"),
        (lambda z: -np.exp(0.5 * (z - 0.3) ** 2 / 1.44), "nan"),
        (lambda z: np.where(z > 0.0, -z, -np.inf), "-inf"),
        (lambda z: np.where(z > -40.0, -(z**2), -np.inf), "-inf"),
        (lambda z: -np.exp(30.0 * z), "-inf"),
        (lambda z: np.full_like(z, -np.inf), "-inf"),
    ],
    ids=["no mean", "infinite mean", "no decay", "half of q", "34 stds out", "overflow", "nowhere"],
)
def test_means_that_do_not_exist_are_reported(log_joint, shown):
    """On a grid too, and at the right place: the narrow neighbour has a mean."""
    model = ig.OneDimensionalModel(log_joint)
    with pytest.raises(OverflowError, match=f"under q must be a finite number, got {shown}: it is infinite"):
        ig.elbo(model, ig.Normal(0.3, 1.2))
    if log_joint(np.array([2.0]))[0] > -np.inf:
        narrow = ig.Normal([2.0, 0.3], [1e-3, 1.2])
        assert np.isfinite(ig.elbo(model, narrow[0]))
        with pytest.raises(
            OverflowError, match=rf"under q at index \(1,\) must be a finite number, got {shown}"
        ):
            ig.elbo(model, narrow)


@pytest.mark.parametrize(
    "log_joint",
    [np.abs, lambda z: 1.0 * (z > 0.1), lambda z: np.where(z > 13.0, -1e60, -(z**2))],
    ids=["kink", "jump", "wall far out"],
)
def test_roughness_is_reported(log_joint):
    model = ig.OneDimensionalModel(log_joint)
    with pytest.raises(
        ValueError, match=r"log_joint must be smoother for its mean under N\(0.3, 1.2\) to be found"
    ):
        ig.elbo(model, ig.Normal([0.3, -9.0], [1.2, 1e-2]))


# -- derivatives ---------------------------------------------------------------------------------------------


def test_gradient_and_hessian():
    """At places where the log joint bends on scales that differ by far."""
    model, regression = poisson_twins(3, 1.5)
    z = np.array([[-30.0], [-4.0], [0.3], [2.0], [7.0], [20.0]])
    for name, rtol in (("log_joint_gradient", 1e-10), ("log_joint_hessian", 1e-8)):
        ours, closed = getattr(model, name)(z), getattr(regression, name)(z)
        assert ours.shape == closed.shape
        np.testing.assert_allclose(ours, closed, rtol=rtol)
    assert model.log_joint_gradient([0.3]).shape == (1,)
    assert model.log_joint_hessian([0.3]).shape == (1, 1)


@pytest.mark.parametrize("width", [1e-3, 1.0, 30.0])
def test_differences_find_their_scale(width):
    """Within a factor of 60 of it."""
    z = np.array([-1.7, 0.2, 0.9])
    for scale in (width / 50, width, 50 * width):
        at = z * scale
        slope, curvature = np.cos(z) / scale, -np.sin(z) / scale**2
        sine = lambda x, scale=scale: np.sin(x / scale)  # noqa: E731
        np.testing.assert_allclose(first_derivative(sine, at, width), slope, rtol=1e-10)
        np.testing.assert_allclose(second_derivative(sine, at, width), curvature, rtol=1e-7)


def test_derivatives_need_no_posterior():
    rising = ig.OneDimensionalModel(lambda z: np.sin(z) + 2.0 * z)
    np.testing.assert_allclose(rising.log_joint_gradient([0.4]), [np.cos(0.4) + 2.0], rtol=1e-10)


# -- evidence and moments ------------------------------------------------------------------------------------


def measured(place, error, prior_mean, prior_std):
    """One measurement of z, with all answers: model, log evidence, posterior mean and std."""

    def log_joint(z):
        return norm.logpdf(place, z, error) + norm.logpdf(z, prior_mean, prior_std)

    model = ig.OneDimensionalModel(log_joint, prior=ig.Normal(prior_mean, prior_std))
    share = prior_std**2 / (prior_std**2 + error**2)
    evidence = norm.logpdf(place, prior_mean, np.hypot(error, prior_std))
    return model, evidence, prior_mean + share * (place - prior_mean), error * np.sqrt(share)


@pytest.mark.parametrize(
    ("place", "error", "prior_mean", "prior_std", "digits"),
    [
        (1.3, 0.7, -0.4, 2.0, 14),
        (3.0, 1e-4, 0.3, 2.0, 11),
        (3.0, 1e-7, 0.3, 2.0, 8),
        (3.0, 1e-10, 0.3, 2.0, 5),
        (2e5, 3e3, 1e5, 7e4, 13),
        (1e5, 1.0, 1e5, 3.0, 10),
        (-4e-5, 1e-6, 0.0, 1e-4, 13),
        (0.1, 5.0, 0.0, 1e-3, 13),
    ],
)
def test_narrow_far_and_large(place, error, prior_mean, prior_std, digits):
    """As many digits as the rounding of z leaves between one std and the next."""
    model, evidence, mean, std = measured(place, error, prior_mean, prior_std)
    np.testing.assert_allclose(model.log_evidence(), evidence, atol=10.0**-digits, rtol=1e-14)
    found = model.posterior_moments()
    np.testing.assert_allclose(found[0], mean, atol=10.0**-digits * std, rtol=1e-15)
    np.testing.assert_allclose(found[1], std, rtol=10.0**-digits)
    np.testing.assert_allclose(model.modes, [mean], atol=1e-6 * std, rtol=1e-15)
    q = ig.Normal(mean, std)
    if digits < 8:
        with pytest.raises(ValueError, match="kinks, jumps or noise"):
            ig.elbo(model, q)
    else:
        assert ig.elbo(model, q) == pytest.approx(evidence, abs=10.0 ** (1 - digits), rel=1e-13)


def test_what_rounding_hides_is_reported():
    model = measured(3.0, 1e-15, 0.3, 2.0)[0]
    with pytest.raises(
        ValueError, match="a finite integral, but rounding hides it: around z = 3, where it is 3"
    ):
        model.log_evidence()


@pytest.mark.parametrize(
    "log_joint",
    [
        lambda z: -np.logaddexp(0.0, -3.0 * z) - 0.3 * (z - 0.4) ** 2 - 2.0,
        lambda z: -(z**4) + 2.3 * z**2 + 0.2 * z,
        lambda z: scipy.stats.gumbel_l.logpdf(z, 0.7, 0.2),
        lambda z: -np.abs(z - 0.3) + 1.0,
        lambda z: scipy.stats.t.logpdf(z, 30.0, 0.3, 0.4),
    ],
    ids=["skewed", "two humps", "steep on one side", "kink", "heavy tails"],
)
def test_against_adaptive_quadrature(log_joint):
    model, ends = ig.OneDimensionalModel(log_joint), (-40.0, -3.0, 0.3, 3.0, 40.0)

    def integral(power, centre=0.0):
        def share(z):
            return (z - centre) ** power * np.exp(log_joint(np.array(z)))

        return sum(quad(share, *pair, epsabs=1e-13, epsrel=1e-13, limit=400)[0] for pair in pairwise(ends))

    evidence = integral(0)
    mean = integral(1) / evidence
    std = np.sqrt(integral(2, mean) / evidence)
    assert model.log_evidence() == pytest.approx(np.log(evidence), abs=2e-10)
    np.testing.assert_allclose(model.posterior_moments(), (mean, std), rtol=1e-8, atol=1e-10)
    z = np.array([-1.3, 0.4, 1.1])
    np.testing.assert_allclose(model.posterior_pdf(z), np.exp(log_joint(z)) / evidence, rtol=1e-9)


@pytest.mark.parametrize(
    ("shares", "means", "stds"),
    [
        ((0.5, 0.5), (0.0, 50.0), (1e-4, 1e3)),
        ((0.3, 0.7), (-40.0, 50.0), (1e-2, 1e-2)),
        ((0.9, 0.1), (1e4, -2.0), (300.0, 0.4)),
        ((0.2, 0.5, 0.3), (-3.0, 0.1, 4.0), (0.3, 0.2, 0.7)),
        ((1.0 - 1e-10, 1e-10), (0.0, 3e5), (1.0, 1e3)),
    ],
)
def test_humps_of_any_size(shares, means, stds):
    def log_joint(z):
        parts = [np.log(a) + norm.logpdf(z, m, s) for a, m, s in zip(shares, means, stds, strict=True)]
        return logsumexp(parts, axis=0) - 12.0

    model = ig.OneDimensionalModel(log_joint)
    a, m, s = map(np.array, (shares, means, stds))
    mean = a @ m
    assert model.log_evidence() == pytest.approx(-12.0, abs=1e-11)
    np.testing.assert_allclose(
        model.posterior_moments(), (mean, np.sqrt(a @ (s**2 + (m - mean) ** 2))), rtol=1e-11
    )
    slope = model.log_joint_gradient(model.modes[:, None])[:, 0]
    assert np.all(np.abs(slope) < 1e-6 / s.min())


def test_modes_have_their_digits():
    model = ig.OneDimensionalModel(lambda z: -((z**2 - 2.0) ** 2))
    np.testing.assert_allclose(model.modes, [-np.sqrt(2), np.sqrt(2)], rtol=1e-12)


@pytest.mark.parametrize(
    ("log_joint", "what", "reason"),
    [
        (lambda z: -np.log1p(z**2), "posterior_moments", "a finite variance, but its variance is not finite"),
        (
            lambda z: scipy.stats.t.logpdf(z, 1.6),
            "posterior_moments",
            "a finite variance, but its variance is",
        ),
        (
            lambda z: scipy.stats.t.logpdf(z, 2.0),
            "posterior_moments",
            "a finite variance, but its variance is",
        ),
        (
            lambda z: -0.5 * np.log1p(z**2),
            "log_evidence",
            "a finite integral, but its integral is not finite",
        ),
        (lambda z: -0.1 * np.log1p(z**2), "log_evidence", "a finite integral, but "),
        (lambda z: 0.0 * z, "log_evidence", "a finite integral, but it has no maximum"),
        (lambda z: z, "log_evidence", "a finite integral, but it has no maximum"),
        (lambda z: -np.log(np.abs(z)), "modes", "a maximum, but it is infinite at z = 0"),
    ],
    ids=["Cauchy", "t 1.6", "t 2", "1/|z|", "flatter", "flat", "rising", "pole"],
)
def test_what_is_no_posterior_is_reported(log_joint, what, reason):
    model = ig.OneDimensionalModel(log_joint)
    with pytest.raises(
        ValueError, match=f"OneDimensionalModel: log_joint must be .* of a density with {reason}"
    ):
        found = getattr(model, what)
        found()


def test_heavy_tails_that_do_have_what_is_asked():
    cauchy = ig.OneDimensionalModel(lambda z: scipy.stats.cauchy.logpdf(z, 0.4, 2.0))
    assert cauchy.log_evidence() == pytest.approx(0.0, abs=1e-12)
    heavy = ig.OneDimensionalModel(lambda z: scipy.stats.t.logpdf(z, 2.4))
    np.testing.assert_allclose(heavy.posterior_moments(), (0.0, np.sqrt(2.4 / 0.4)), rtol=1e-11, atol=1e-11)


@given(st.floats(-4, 4), st.floats(-2.5, 1.5), st.floats(-2, 2), st.floats(0.2, 3.0))
@settings(max_examples=60, deadline=None)
def test_the_elbo_is_a_bound(mean, log_std, slant, stiffness):
    """For a skewed and rippled log joint, at any q; the gap is the divergence, found by itself."""

    def log_joint(z):
        return slant * z - stiffness * np.cosh(0.7 * z) + 0.3 * np.sin(2.0 * z)

    model, q = ig.OneDimensionalModel(log_joint), ig.Normal(mean, np.exp(log_std))
    gap = model.log_evidence() - ig.elbo(model, q)
    z, step = np.linspace(-30, 30, 3_001, retstep=True)
    z = q.mean + q.std * z
    log_ratio = q.log_prob(z) - log_joint(z) + model.log_evidence()
    divergence = (
        np.sum(np.exp(-0.5 * np.linspace(-30, 30, 3_001) ** 2) * log_ratio) * step / np.sqrt(2 * np.pi)
    )
    assert gap > -1e-12
    assert gap == pytest.approx(divergence, rel=1e-9, abs=1e-9)


# -- arguments -----------------------------------------------------------------------------------------------


def test_bad_arguments():
    with pytest.raises(
        TypeError, match=r"OneDimensionalModel: log_joint must be callable as log_joint\(z\), got 3"
    ):
        ig.OneDimensionalModel(3)
    with pytest.raises(TypeError, match="OneDimensionalModel: prior must be a Normal, got float"):
        ig.OneDimensionalModel(np.sin, prior=1.0)
    with pytest.raises(ValueError, match=r"prior must be one Normal, got a grid of shape \(2,\)"):
        ig.OneDimensionalModel(np.sin, prior=ig.Normal([0.0, 1.0], 1.0))
    with pytest.raises(ValueError, match="made without a prior; give prior="):
        ig.OneDimensionalModel(np.sin).prior  # noqa: B018
    model = ig.OneDimensionalModel(np.sin)
    for latent in (0.5, [0.1, 0.2]):
        with pytest.raises(
            ValueError, match=r"OneDimensionalModel: latent must have shape \(..., 1\), got shape"
        ):
            model.log_joint(latent)


@pytest.mark.parametrize(
    ("log_joint", "message"),
    [
        (lambda z: np.where(z > 2.0, np.nan, -(z**2)), "log_joint must be .* nan"),
        (lambda z: "text", "what log_joint returns must be a number or an array of numb"),
        (lambda z: -(z**2) + 0j, "what log_joint returns must be a number or an array of numbers"),
        (lambda z: np.zeros(3), r"log_joint must return an array of the shape of z, .* got \(3,\)"),
    ],
)
def test_bad_functions(log_joint, message):
    model = ig.OneDimensionalModel(log_joint)
    for call in (lambda: ig.elbo(model, ig.Normal([0.0, 1.0], 1.0)), model.log_evidence):
        with pytest.raises(ValueError, match=f"OneDimensionalModel: {message}"):
            call()


def test_far_out_differences_of_infinities_are_nothing():
    """There a polynomial is inf − inf, and SciPy's Poisson distribution of an infinite rate is nan."""
    with np.errstate(all="ignore"):
        assert np.isnan(scipy.stats.poisson.logpmf(3, np.inf))
    quartic = ig.OneDimensionalModel(lambda z: z**2 - z**4)
    mass = quad(lambda z: np.exp(z**2 - z**4), -9, 9, epsabs=1e-13)[0]
    assert quartic.log_evidence() == pytest.approx(np.log(mass), abs=1e-11)
    model, regression = poisson_twins(3, 1.5)
    z, step = np.linspace(-25.0, 12.0, 20_001, retstep=True)
    twin = np.log(np.sum(np.exp(regression.log_joint(z[:, None]))) * step)
    assert model.log_evidence() == pytest.approx(twin, abs=1e-11)


def test_a_constant_may_be_one_number():
    model = ig.OneDimensionalModel(lambda z: -2.0)
    assert ig.elbo(model, ig.Normal(0.3, 2.0)) == pytest.approx(-2.0 + ig.Normal(0.3, 2.0).entropy())


def test_a_normal_prior_is_kept():
    prior = ig.Normal(0.3, 2.0)
    model = ig.OneDimensionalModel(lambda z: prior.log_prob(z) + np.log(expit(z)), prior=prior)
    assert model.prior == prior and model.dimension == 1
