"""The gradient of the ELBO against differences of the ELBO, and its four estimators against it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import igviz as ig
from igviz.geometry import differences
from igviz.inference import gradients
from igviz.inference.gradients import ESTIMATORS, GaussianGradient
from tests.inference.gaussian_cases import CASES, full_covariance, linear, poisson, skewed

SCORE, CONTROL, PATH, BONNET = ESTIMATORS
for_cases = pytest.mark.parametrize(("model", "q"), CASES.values(), ids=CASES)
for_estimators = pytest.mark.parametrize("estimator", ESTIMATORS)


def drawn(model, q, estimator, count=40_000, seed=8, **options):
    return ig.sample_gradients(model, q, estimator, count, np.random.default_rng(seed), **options)


def standard_errors_off(estimates, expected):
    """By how many standard errors a mean over the first axis is off, at most; rounding is no error."""
    gap = np.abs(estimates.mean(axis=0) - expected)
    error = estimates.std(axis=0) / np.sqrt(len(estimates))
    return float(np.max(gap / (error + 1e-11 * np.max(np.abs(expected)))))


def by_source(gradient, q):
    """The same gradient by q's source coordinates: the std, or the lower triangle of the covariance."""
    if isinstance(q, ig.Normal):
        return np.array([gradient.mean[0], 2.0 * float(q.std) * gradient.cov[0, 0]])
    rows, columns = np.tril_indices(len(gradient.mean))
    twice = np.where(rows == columns, 1.0, 2.0)
    return np.concatenate([gradient.mean, twice * gradient.cov[rows, columns]])


# -- the exact gradient --------------------------------------------------------------------------------------


@for_cases
def test_it_is_the_derivative_of_the_elbo(model, q):
    scale = 0.3 / np.sqrt(np.diagonal(q.fisher()))
    slope = differences.gradient(lambda x: ig.elbo(model, type(q).from_source(x)), q.source, scale)
    exact = ig.elbo_gradient(model, q)
    np.testing.assert_allclose(by_source(exact, q), slope, rtol=2e-9, atol=1e-9 * np.max(np.abs(slope)))
    np.testing.assert_array_equal(exact.cov, exact.cov.T)
    d = model.dimension
    assert (exact.mean.shape, exact.cov.shape) == ((d,), (d, d))


@for_cases
def test_a_step_changes_the_elbo_by_the_inner_product(model, q):
    """Each entry of the covariance moves by itself: no factor for the off-diagonal ones."""
    if isinstance(q, ig.Normal):
        q = ig.MultivariateNormal(q.mean[None], q.std[None, None] ** 2)
    rng, exact, d = np.random.default_rng(12), ig.elbo_gradient(model, q), model.dimension
    by_mean, by_cov = rng.normal(size=d), full_covariance(d, 13)

    def at(t):
        t = t[..., 0]
        mean = q.mean + t[..., None] * by_mean
        return ig.elbo(model, ig.MultivariateNormal(mean, q.cov + t[..., None, None] * by_cov))

    slope = differences.gradient(at, np.zeros(1), np.array([0.3]))[0]
    np.testing.assert_allclose(exact.mean @ by_mean + np.sum(exact.cov * by_cov), slope, rtol=1e-8)


def test_it_vanishes_at_the_exact_posterior_and_nowhere_near():
    for model in (linear(), linear(1), linear(5)):
        p = model.posterior
        found = ig.elbo_gradient(model, p)
        size = np.max(np.linalg.inv(p.cov))
        np.testing.assert_allclose(found.mean, 0.0, atol=1e-12 * size)
        np.testing.assert_allclose(found.cov, 0.0, atol=1e-12 * size)
        wider = ig.elbo_gradient(model, ig.MultivariateNormal(p.mean, 1.01 * p.cov))
        np.testing.assert_allclose(wider.cov, (1 / 1.01 - 1) / 2 * np.linalg.inv(p.cov), rtol=1e-9)


def test_it_vanishes_at_the_best_normal_of_the_running_example():
    example, model = ig.models.skewed_posterior, skewed()
    best = ig.elbo_gradient(model, example.best_normal())
    np.testing.assert_allclose(np.concatenate([best.mean, best.cov[0]]), 0.0, atol=1e-13)
    q = ig.Normal(0.8, 0.5)
    np.testing.assert_allclose(by_source(ig.elbo_gradient(model, q), q), example.elbo_gradient(q), rtol=1e-12)


def test_a_normal_is_a_vector_of_one_number():
    model = skewed()
    one, other = (ig.elbo_gradient(model, q) for q in (ig.Normal(0.8, 0.5), as_vector(0.8, 0.25)))
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-14)
    np.testing.assert_allclose(one.cov, other.cov, rtol=1e-14)


def as_vector(mean, variance):
    return ig.MultivariateNormal([mean], [[variance]])


# -- the estimators, one draw at a time ----------------------------------------------------------------------


def naive(model, q, estimator, z, constants):
    """One estimate, as the table of the module has it."""
    mean, cov = (np.atleast_1d(q.mean), np.atleast_2d(q.cov if hasattr(q, "cov") else q.std**2))
    precision = np.linalg.inv(cov)
    u = precision @ (z - mean)
    score = u, 0.5 * (np.outer(u, u) - precision)
    weight = float(model.log_joint(z)) - scipy.stats.multivariate_normal(mean, cov).logpdf(z)
    if estimator in (SCORE, CONTROL):
        c, big_c = constants
        return (weight - c) * score[0], (weight - big_c) * score[1]
    slope = model.log_joint_gradient(z)
    if estimator == PATH:
        return slope, 0.25 * (np.outer(slope, u) + np.outer(u, slope)) + 0.5 * precision
    return slope, 0.5 * model.log_joint_hessian(z) + 0.5 * precision


def naive_constants(model, q, latents):
    """Cov(w·s, s)/Var(s) by coordinate, with the mean of s known to be 0."""
    found = [naive(model, q, SCORE, z, (0.0, 0.0)) for z in latents]
    weights = np.array([float(model.log_joint(z)) for z in latents]) - q.log_prob(
        latents[:, 0] if isinstance(q, ig.Normal) else latents
    )
    constants = []
    for part in range(2):
        products = np.array([pair[part] for pair in found])
        scores = products / weights.reshape(-1, *(1,) * (products.ndim - 1))
        constants.append((products * scores).mean(0) / (scores**2).mean(0))
    return constants


@for_cases
@for_estimators
def test_each_estimate_is_what_the_table_says(model, q, estimator):
    rng, d = np.random.default_rng(5), model.dimension
    root = np.atleast_2d(q.std) if isinstance(q, ig.Normal) else np.linalg.cholesky(q.cov)
    mean = np.atleast_1d(q.mean)
    latents, pilots = (mean + rng.standard_normal((n, d)) @ root.T for n in (6, 40))
    constants = naive_constants(model, q, pilots) if estimator == CONTROL else (0.0, 0.0)
    found = drawn(model, q, estimator, 6, seed=5, pilot=40)
    assert (found.mean.shape, found.cov.shape) == ((6, d), (6, d, d))
    for k, z in enumerate(latents):
        by_mean, by_cov = naive(model, q, estimator, z, constants)
        np.testing.assert_allclose(found.mean[k], by_mean, rtol=1e-8, atol=1e-9 * np.max(np.abs(by_mean)))
        np.testing.assert_allclose(found.cov[k], by_cov, rtol=1e-8, atol=1e-9 * np.max(np.abs(by_cov)))


def test_the_score_is_that_of_the_family():
    """By its source coordinates, where an off-diagonal one counts both entries."""
    model, q = CASES["logistic"]
    z = q.sample(5, np.random.default_rng(3))
    found = drawn(model, q, SCORE, 5, seed=3)
    weight = model.log_joint(z) - q.log_prob(z)
    for k in range(5):
        one = GaussianGradient(found.mean[k], found.cov[k])
        np.testing.assert_allclose(by_source(one, q), weight[k] * q.score(z)[k], rtol=1e-9)


@for_cases
def test_the_reparameterised_estimate_is_the_derivative_along_the_draw(model, q):
    """f(m + root·ε) is differentiated with ε held: by m, and by Σ with the root L + ½·δΣ·L⁻ᵀ."""
    d = model.dimension
    cov = np.atleast_2d(q.std**2) if isinstance(q, ig.Normal) else q.cov
    mean, root = np.atleast_1d(q.mean), np.linalg.cholesky(cov)
    noise = np.random.default_rng(9).standard_normal((4, d))
    found, precision = drawn(model, q, PATH, 4, seed=9), np.linalg.inv(cov)
    rows, columns = np.tril_indices(d)

    def at(x):  # the coordinates are those of mean and of the lower triangle of δΣ
        change = np.zeros((*x.shape[:-1], d, d))
        change[..., rows, columns] = change[..., columns, rows] = x[..., d:]
        moved = root + 0.5 * change @ np.linalg.inv(root).T
        z = mean + x[..., None, :d] + np.einsum("...ij,nj->...ni", moved, noise)
        return model.log_joint(z)

    scale = np.concatenate([np.sqrt(np.diagonal(cov)), np.full(rows.size, np.min(np.diagonal(cov)))])
    slopes = differences.gradient(at, np.zeros(d + rows.size), 0.3 * scale)
    for k, slope in enumerate(slopes):
        here = by_source(
            GaussianGradient(found.mean[k], found.cov[k] - 0.5 * precision), ig.MultivariateNormal(mean, cov)
        )
        np.testing.assert_allclose(here, slope, rtol=1e-7, atol=1e-8 * np.max(np.abs(slope)))


def test_the_triangular_root_gives_another_estimate_of_the_same_mean():
    model, q = CASES["Poisson"]
    found, noise = drawn(model, q, PATH), np.random.default_rng(8).standard_normal((40_000, 2))
    root, precision = np.linalg.cholesky(q.cov), np.linalg.inv(q.cov)
    change = np.array([[0.0, 1.0], [1.0, 0.0]])
    inside = np.linalg.solve(root, np.linalg.solve(root, change).T)
    half = np.tril(inside) - 0.5 * np.diag(np.diagonal(inside))
    path = root @ half  # (L + path)(L + path)ᵀ = Σ + change up to a square
    np.testing.assert_allclose(path @ root.T + root @ path.T, change, atol=1e-14)
    other = 0.5 * np.einsum("ni,ij,nj->n", found.mean, path, noise) + 0.5 * precision[0, 1]
    assert np.max(np.abs(other - found.cov[:, 0, 1])) > 1.0
    assert standard_errors_off(other - found.cov[:, 0, 1], 0.0) < 5.0


@for_estimators
def test_blocks_change_nothing(estimator, monkeypatch):
    model, q = CASES["logistic"]
    whole = drawn(model, q, estimator, 50)
    monkeypatch.setattr(gradients, "BLOCK", 7)
    for cut, uncut in zip(drawn(model, q, estimator, 50), whole, strict=True):
        np.testing.assert_allclose(cut, uncut, rtol=1e-11)


# -- their means ---------------------------------------------------------------------------------------------


@for_cases
@for_estimators
def test_they_are_unbiased_and_a_flipped_sign_is_not(model, q, estimator):
    exact = ig.elbo_gradient(model, q)
    for estimates, expected in zip(drawn(model, q, estimator), exact, strict=True):
        assert standard_errors_off(estimates, expected) < 5.0
        assert standard_errors_off(-estimates, expected) > 20.0
    if model.dimension > 1 and estimator in (PATH, BONNET):  # the others would need more draws
        doubled = exact.cov * (2.0 - np.eye(model.dimension))
        assert standard_errors_off(drawn(model, q, estimator).cov, doubled) > 5.0


@for_cases
@pytest.mark.parametrize("estimator", [PATH, BONNET])
def test_the_entropy_counts_with_its_sign(model, q, estimator):
    """Without its ½Λ, or with −½Λ, the covariance part is far off."""
    cov = np.atleast_2d(q.std**2) if isinstance(q, ig.Normal) else q.cov
    exact, precision = ig.elbo_gradient(model, q).cov, np.linalg.inv(cov)
    estimates = drawn(model, q, estimator).cov
    for wrong in (exact - 0.5 * precision, exact - precision):
        assert standard_errors_off(estimates, wrong) > 5.0


def test_a_pilot_of_its_own_keeps_the_control_variate_unbiased():
    """The same constants, from the draws themselves, shift the mean of few estimates."""
    model, q, rng = skewed(), ig.Normal(0.8, 0.5), np.random.default_rng(21)
    exact = ig.elbo_gradient(model, q).mean[0]
    few = [ig.sample_gradients(model, q, CONTROL, 3, rng, pilot=3).mean.mean() for _ in range(4_000)]
    assert standard_errors_off(np.array(few), exact) < 5.0
    noise = rng.standard_normal((4_000, 3))
    z, score = 0.8 + 0.5 * noise, noise / 0.5
    weight = model.log_joint(z[..., None]) - q.log_prob(z)
    own = np.sum(weight * score**2, axis=1, keepdims=True) / np.sum(score**2, axis=1, keepdims=True)
    assert standard_errors_off(np.mean((weight - own) * score, axis=1), exact) > 10.0


# -- their variances -----------------------------------------------------------------------------------------


def exact_variances(f, q):
    """Variances of the four estimators' (mean, cov) part in one dimension, by quadrature.

    f returns the log joint and two derivatives. The control variate has its exact constants here.
    """
    epsilon = np.linspace(-14.0, 14.0, 28_001)
    weights = np.exp(-0.5 * epsilon**2)
    weights /= weights.sum()
    m, s = float(q.mean), float(q.std)
    value, first, second = f(m + s * epsilon)
    w = value + 0.5 * epsilon**2 + np.log(s) + 0.5 * np.log(2 * np.pi)
    u = epsilon / s
    scores = [u, 0.5 * (u**2 - 1 / s**2)]
    constants = [(weights @ (w * t**2)) / (weights @ t**2) for t in scores]

    def variance(x):
        return weights @ x**2 - (weights @ x) ** 2

    return {
        SCORE: [variance(w * t) for t in scores],
        CONTROL: [variance((w - c) * t) for c, t in zip(constants, scores, strict=True)],
        PATH: [variance(first), variance(0.5 * first * u)],
        BONNET: [variance(first), variance(0.5 * second)],
    }


def skewed_derivatives(z):
    return ig.models.skewed_posterior.log_joint(z), 1 - np.exp(z) - z / 1.5**2, -np.exp(z) - 1 / 1.5**2


RUNNING = {
    "the best normal": ig.models.skewed_posterior.best_normal(),
    "far": ig.Normal(0.8, 0.5),
    "near": ig.Normal(-0.3, 0.7),
    "wide": ig.Normal(-1.0, 1.0),
}
for_running = pytest.mark.parametrize("q", RUNNING.values(), ids=RUNNING)


@for_running
def test_measured_variances_are_those_of_quadrature(q):
    exact = exact_variances(skewed_derivatives, q)
    for estimator in ESTIMATORS:
        found = drawn(skewed(), q, estimator, 40_000, pilot=40_000)
        for part, estimates in enumerate(found):
            squares = (estimates.ravel() - estimates.mean()) ** 2
            assert standard_errors_off(squares, exact[estimator][part]) < 5.0


@for_running
def test_the_order_of_the_variances_on_the_running_example(q):
    """That of the first two is a theorem, the others are measured; the last two have one mean part."""
    exact = {name: np.array(parts) for name, parts in exact_variances(skewed_derivatives, q).items()}
    assert np.all(exact[SCORE] > exact[CONTROL])
    assert exact[PATH][0] == exact[BONNET][0]
    assert exact[PATH][1] > 4.0 * exact[BONNET][1]
    assert exact[SCORE][1] > exact[PATH][1]


def test_far_from_the_optimum_reparameterised_beats_the_control_variate_near_it_not_always():
    far, best, near = (
        {name: np.array(parts) for name, parts in exact_variances(skewed_derivatives, RUNNING[key]).items()}
        for key in ("far", "the best normal", "near")
    )
    assert np.all(far[CONTROL] > 4.0 * far[PATH])
    # the log weight is nearly constant near the optimum, which the control variate takes away
    assert best[CONTROL][0] < 0.5 * best[PATH][0]
    assert best[CONTROL][1] > best[PATH][1]
    assert np.all(near[CONTROL] < near[PATH])


@for_cases
def test_the_control_variate_never_has_more_variance(model, q):
    """But for what the pilot's own noise adds."""
    with_it, without = (drawn(model, q, name, 20_000, pilot=20_000) for name in (CONTROL, SCORE))
    for less, more in zip(with_it, without, strict=True):
        assert np.all(less.var(axis=0) < more.var(axis=0))


def test_at_the_optimum_the_constant_of_the_mean_part_is_the_elbo():
    """E[w·u²]/E[u²] = E[w] + σ²·E[w″] by Stein, and E[w″] is twice the gradient by the variance."""
    model, q = skewed(), ig.models.skewed_posterior.best_normal()
    weights = drawn(model, q, SCORE, 200_000)
    score = q.score(q.sample(200_000, np.random.default_rng(8)))[:, 0]
    gap = weights.mean[:, 0] * score - float(ig.elbo(model, q)) * score**2
    assert standard_errors_off(gap, 0.0) < 5.0


def test_with_a_constant_hessian_bonnet_and_price_has_no_variance_in_the_covariance_part():
    model, q = CASES["linear"]
    exact = ig.elbo_gradient(model, q).cov
    np.testing.assert_allclose(
        drawn(model, q, BONNET, 500).cov, np.broadcast_to(exact, (500, 3, 3)), rtol=1e-12, atol=1e-12
    )
    assert np.min(drawn(model, q, PATH, 500).cov.std(axis=0)) > 0.1


def test_at_an_exact_posterior_reparameterised_beats_nothing():
    """The log weight is log p(x) there: score function is that times the score, reparameterised minus it."""
    model = ig.LinearRegression([[0.3, -0.2]], [0.1], noise_precision=5.0, prior_precision=4.0)
    evidence, q = model.log_evidence(), model.posterior
    assert 0.1 < abs(evidence) < 1.0
    found = {name: drawn(model, q, name, 1_000) for name in ESTIMATORS}
    for part in range(2):
        score = found[SCORE][part] / evidence
        size = np.max(np.abs(score))
        np.testing.assert_allclose(found[PATH][part], -score, atol=1e-11 * size)
        np.testing.assert_allclose(found[CONTROL][part], 0.0, atol=1e-11 * size)
        variance = {name: parts[part].var(axis=0) for name, parts in found.items()}
        assert np.all(variance[PATH] > variance[SCORE])
        assert np.all(variance[SCORE] > 1e20 * variance[CONTROL])
    np.testing.assert_array_equal(found[PATH].mean, found[BONNET].mean)
    np.testing.assert_allclose(found[BONNET].cov, 0.0, atol=1e-12)


def test_for_a_log_joint_that_ripples_bonnet_and_price_is_the_worse():
    """f = −½z² + a·sin(ωz): ∇²f has the ripple with ω², ∇f·u with ω. So no theorem orders the two."""
    a, omega, q = 0.05, 12.0, ig.Normal(0.3, 0.9)

    def f(z):
        ripple = a * np.sin(omega * z)
        return -0.5 * z**2 + ripple, -z + a * omega * np.cos(omega * z), -1.0 - omega**2 * ripple

    exact = exact_variances(f, q)
    assert exact[BONNET][1] > 4.0 * exact[PATH][1]
    model = ig.OneDimensionalModel(lambda z: f(z)[0], prior=ig.Normal(0.0, 1.0))
    measured = {name: drawn(model, q, name, 4_000).cov.var() for name in (PATH, BONNET)}
    for name, variance in measured.items():
        np.testing.assert_allclose(variance, exact[name][1], rtol=0.1)


@for_estimators
def test_the_variance_falls_as_one_over_the_draws(estimator):
    model, q = CASES["skewed"]
    for estimates in drawn(model, q, estimator, 65_536):
        once = estimates.var()
        for size in (4, 16, 64):
            means = estimates.reshape(-1, size).mean(axis=1)
            squares = size * (means - means.mean()) ** 2
            assert standard_errors_off(squares, once) < 5.0


@for_cases
def test_all_use_the_same_draws_at_one_state_of_rng(model, q):
    path, bonnet = (drawn(model, q, name, 20) for name in (PATH, BONNET))
    np.testing.assert_array_equal(path.mean, bonnet.mean)
    with_it, without = (drawn(model, q, name, 20) for name in (CONTROL, SCORE))
    # they differ by a constant times the same score
    z = np.random.default_rng(8).standard_normal((20, model.dimension))
    root = np.atleast_2d(q.std) if isinstance(q, ig.Normal) else q.cholesky_factor
    ratio = (without.mean - with_it.mean) / (z @ np.linalg.inv(root))
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[0], ratio.shape), rtol=1e-7)


# -- bad input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"estimator": "REINFORCE"}, ValueError, "estimator must be one of 'score function', .*'REINFORCE'"),
        ({"estimator": ["score function"]}, ValueError, "estimator must be one of"),
        ({"count": 0}, ValueError, "count must be at least 1, got 0"),
        ({"count": 2.5}, TypeError, "count must be an integer, got 2.5"),
        ({"pilot": 0}, ValueError, "pilot must be at least 1, got 0"),
        ({"pilot": "many"}, TypeError, "pilot must be an integer, got 'many'"),
        ({"rng": 0}, TypeError, "rng must be a numpy.random.Generator, .*got 0"),
        ({"q": ig.Normal([0.1, 0.2], 0.5)}, ValueError, r"q must be one distribution, got a grid .*\(2,\)"),
        (
            {"q": ig.MultivariateNormal([0.1, 0.2], np.eye(2))},
            ValueError,
            "q must be on vectors of 1 numbers",
        ),
        ({"q": ig.Poisson(2.0)}, TypeError, "q must be a Normal or a MultivariateNormal, got Poisson"),
    ],
)
def test_bad_input_is_named(change, error, message):
    good = {
        "model": skewed(),
        "q": ig.Normal(0.1, 0.5),
        "estimator": CONTROL,
        "count": 3,
        "rng": np.random.default_rng(0),
    }
    with pytest.raises(error, match=f"^sample_gradients: {message}"):
        ig.sample_gradients(**(good | change))
    if "q" in change:
        with pytest.raises(error, match=f"^elbo_gradient: {message}"):
            ig.elbo_gradient(good["model"], change["q"])


@for_estimators
def test_what_overflows_is_reported(estimator):
    model, far = poisson(), ig.MultivariateNormal([3e4, -2e4], np.eye(2))
    with pytest.raises(OverflowError, match="sample_gradients: the gradient is not finite"):
        drawn(model, far, estimator, 3)
    with pytest.raises(OverflowError, match="elbo_gradient: the gradient is not finite"):
        ig.elbo_gradient(model, far)


def test_the_names_of_the_estimators():
    assert ESTIMATORS == ("score function", "control variate", "reparameterised", "Bonnet and Price")
