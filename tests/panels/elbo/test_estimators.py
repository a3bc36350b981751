"""Estimates of the gradient against naive loops and SciPy's integrals, and what is drawn of their spread."""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

import numpy as np
import pytest
from scipy import integrate, stats

import igviz as ig
import igviz.panels.elbo as lecture
from igviz.models import skewed_posterior as posterior
from igviz.panels.elbo.running_example import SEED, noise
from igviz.plots import style
from tests.panels import laws

module = sys.modules["igviz.panels.elbo.estimators"]
COLOURS = (style.VERMILLION, style.PURPLE, style.BLUE, style.GREEN)
QS = [(0.8, 0.6), (-0.2, 0.8), (-1.5, 0.3), (1.0, 1.2)]
PLACES = [(10, 0.8, 0.6, "mean"), (1, -0.2, 0.8, "std"), (200, -1.5, 0.4, "mean"), (500, 0.3, 1.2, "std")]
NUMBER = r"(−?[\d.,]+)"
SENTENCE = (
    rf"∂ELBO/∂(mean|std) = {NUMBER} at N\({NUMBER}, {NUMBER}\)\. Standard errors, S = {NUMBER}: "
    rf"score function {NUMBER} \(needs {NUMBER} × the best's samples\), control variate {NUMBER}, "
    rf"reparameterised (?:{NUMBER}, |= )Bonnet and Price {NUMBER}\."
)


@pytest.fixture(scope="module")
def panel():
    made = lecture.estimators()
    yield made
    made.close()


class Said(NamedTuple):
    component: str
    gradient: float
    q: tuple[float, float]
    samples: float
    errors: tuple[float, ...]
    more: float


def read(sentence: str) -> Said:
    found = re.fullmatch(SENTENCE, sentence)
    assert found, sentence
    words = list(found.groups())
    assert (words[8] is None) == (words[0] == "mean")
    words[8] = words[8] or words[9]
    gradient, mean, std, samples, first, more, *others = (
        float(one.replace("−", "-").replace(",", "")) for one in words[1:]
    )
    return Said(words[0], gradient, (mean, std), samples, (first, *others), more)


def best(said: Said) -> str:
    """The first estimator of least standard error."""
    return module.ESTIMATORS[int(np.argmin(said.errors))]


def naive(epsilon: float, mean: float, std: float, taken=(0.0, 0.0)) -> np.ndarray:
    """The four estimates from one z, by mean and by std, from the model's log joint alone."""
    z = mean + std * epsilon
    by_mean, by_std = epsilon / std, (epsilon**2 - 1) / std  # the score of q
    weight = posterior.log_joint(z) - stats.norm.logpdf(z, mean, std)
    # y = 1 event at the rate e^z, and the prior N(0, 1.5)
    slope, bend = 1 - np.exp(z) - z / 1.5**2, -np.exp(z) - 1 / 1.5**2
    return np.array([
        [weight * by_mean, weight * by_std],
        [(weight - taken[0]) * by_mean, (weight - taken[1]) * by_std],
        [slope, slope * epsilon + 1 / std],
        [slope, std * bend + 1 / std],
    ])  # fmt: skip


def mean_of(function) -> float:
    """E[function(ε)] by SciPy's quadrature."""
    return sum(
        integrate.quad(lambda e: stats.norm.pdf(e) * function(e), low, low + 4, epsabs=1e-11, epsrel=1e-11)[0]
        for low in (-12, -8, -4, 0, 4, 8)
    )


def best_constants(mean: float, std: float) -> tuple[float, float]:
    """What makes E[((w − c)·s)²] least, by mean and by std."""
    found = []
    for part in (0, 1):
        score = (lambda e: e, lambda e: e**2 - 1)[part]

        def weight(e):
            z = mean + std * e
            return posterior.log_joint(z) - stats.norm.logpdf(z, mean, std)

        top = mean_of(lambda e, s=score: weight(e) * s(e) ** 2)
        found.append(top / mean_of(lambda e, s=score: s(e) ** 2))
    return found[0], found[1]


@pytest.mark.parametrize(("mean", "std"), QS)
def test_gradient_and_spread_of_one_draw(mean, std):
    centre, spread = module.exact(mean, std)
    np.testing.assert_allclose(centre, posterior.elbo_gradient(ig.Normal(mean, std)), rtol=1e-9)
    taken = best_constants(mean, std)
    np.testing.assert_allclose(
        [float(one.ravel()[0]) for one in module.constants(mean, std)], taken, rtol=1e-8
    )
    for row, part in np.ndindex(4, 2):

        def away(e, row=row, part=part):
            return naive(e, mean, std, taken)[row, part] - centre[part]

        assert mean_of(away) == pytest.approx(0.0, abs=1e-7), "right on average"
        variance = mean_of(lambda e, away=away: away(e) ** 2)
        assert spread[row, part] == pytest.approx(np.sqrt(variance), rel=1e-6)


def test_no_other_constants_are_better():
    mean, std = 0.3, 0.7
    taken, least = best_constants(mean, std), module.exact(mean, std)[1][1]
    for part in (0, 1):
        for away in (-0.3, 0.3):
            moved = [one + away * (k == part) for k, one in enumerate(taken)]
            square = mean_of(lambda e, m=moved, part=part: naive(e, mean, std, m)[1, part] ** 2)
            centre = module.exact(mean, std)[0][part]
            assert np.sqrt(square - centre**2) > least[part] + 1e-3


@pytest.mark.parametrize(("mean", "std"), QS)
def test_draws_are_those_of_the_function_a_notebook_calls(mean, std):
    values = module.of_one_draw(mean, std, noise(1000))
    taken = best_constants(mean, std)
    for k in (0, 17, 999):
        np.testing.assert_allclose(
            values[:, :, k], naive(float(noise(1000)[k, 0]), mean, std, taken), rtol=1e-7
        )
    q, rng = ig.Normal(mean, std), np.random.default_rng
    for row, name in enumerate(module.ESTIMATORS):
        found = ig.sample_gradients(module.MODEL, q, name, 1000, rng(SEED))
        near = {"rtol": 1e-12} if row != 1 else {"rtol": 0.3, "atol": 0.3 * module.exact(mean, std)[1][1, 1]}
        np.testing.assert_allclose(found.mean[:, 0], values[row, 0], **near)
        np.testing.assert_allclose(2 * std * found.cov[:, 0, 0], values[row, 1], **near)


def test_each_estimate_is_the_mean_over_draws_of_its_own():
    mean, std = 0.4, 0.5
    values = module.of_one_draw(mean, std, noise(module.ROWS * module.DRAWS))
    for samples in module.SAMPLES:
        some = module.estimates(mean, std, samples)
        stride = max(samples, module.DRAWS)
        assert some.shape == (4, 2, values.shape[-1] // stride)
        for k in (0, 3, some.shape[-1] - 1):
            own = values[..., k * stride : k * stride + samples]
            np.testing.assert_allclose(some[..., k], np.mean(own, axis=-1), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("samples", module.SAMPLES)
def test_moving_shows_the_first_of_the_same_estimates(samples):
    some, all_of_them = (module.estimates(0.4, 0.5, samples, n) for n in (module.FEWER, 10**9))
    assert 15 <= some.shape[-1] == min(module.FEWER // samples, all_of_them.shape[-1])
    np.testing.assert_allclose(some, all_of_them[..., : some.shape[-1]], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("samples", [10, 100, 1000])
def test_estimates_scatter_as_they_should(samples):
    centre, spread = module.exact(-0.2, 0.8)
    some = module.estimates(-0.2, 0.8, samples)
    errors = spread / np.sqrt(samples)
    off = (np.mean(some, axis=-1) - centre) / (errors / np.sqrt(some.shape[-1]))
    assert np.max(np.abs(off)) < 5
    np.testing.assert_allclose(np.std(some, axis=-1), errors, rtol=5 / np.sqrt(some.shape[-1]))


@pytest.mark.parametrize(("samples", "mean", "std", "component"), PLACES)
def test_the_sentence(panel, samples, mean, std, component):
    panel.set(samples=samples, mean=mean, std=std, component=component)
    said, part = read(panel.sentence), ("mean", "std").index(component)
    spread = module.exact(mean, std)[1][:, part]
    assert (said.component, said.q, said.samples) == (component, (mean, std), samples)
    assert said.gradient == pytest.approx(posterior.elbo_gradient(ig.Normal(mean, std))[part], abs=6e-3)
    assert said.errors == pytest.approx(tuple(spread / np.sqrt(samples)), rel=8e-3)
    assert said.more == pytest.approx((spread[0] / min(spread)) ** 2, rel=0.03)


@pytest.mark.parametrize(("samples", "mean", "std", "component"), PLACES)
def test_the_picture(panel, samples, mean, std, component):
    panel.set(samples=samples, mean=mean, std=std, component=component)
    part = ("mean", "std").index(component)
    centre, spread = (one[..., part] for one in module.exact(mean, std))
    some = module.estimates(mean, std, samples)[:, part]
    with panel.drawn() as (strips, errors):
        side = strips.get_xlim()[1]
        notes = [(one.get_position()[1], one.get_text()) for one in strips.texts]
        (bars,) = strips.collections
        for row, colour in enumerate(COLOURS):
            (dots,) = (one for one in strips.lines if one.get_color() == colour and len(one.get_xdata()))
            np.testing.assert_allclose(dots.get_xdata(), some[row] - centre, atol=1e-12)
            assert np.all(np.abs(dots.get_ydata() - row) <= 0.25)
            ends = spread[row] / np.sqrt(samples) * np.array([-1, 1])
            np.testing.assert_allclose(bars.get_segments()[row][:, 0], ends)
            line, point = [one for one in errors.lines if one.get_color() == colour and len(one.get_xdata())]
            np.testing.assert_allclose(line.get_ydata(), spread[row] / np.sqrt(line.get_xdata()))
            slope = np.diff(np.log(line.get_ydata())) / np.diff(np.log(line.get_xdata()))
            assert slope == pytest.approx(-0.5)
            measured = np.sqrt(np.mean((some[row] - centre) ** 2))
            np.testing.assert_allclose(point.get_xydata(), [[samples, measured]])
            low, high = errors.get_ylim()
            assert low < measured < high
            outside = 100 * np.mean(np.abs(some[row] - centre) > side)
            said = [words for height, words in notes if abs(height - row) < 0.5]
            assert said == ([f"{outside:.1f}% outside"] if outside else [])
        guide = next(one for one in errors.lines if one.get_color() == style.GREY).get_xydata()
    np.testing.assert_allclose(np.diff(np.log(guide[:, 1])) / np.diff(np.log(guide[:, 0])), -0.5)


def test_bars_are_explained_and_no_marker_hides_another(panel):
    panel.set(samples=10, mean=0.8, std=0.6, component="mean")
    with panel.drawn() as (strips, errors):
        assert "bar: ± standard error" in [one.get_text() for one in strips.texts]
        points = [one for one in errors.lines if len(one.get_xdata()) == 1]
        below, above = (next(one for one in points if one.get_color() == colour)
                        for colour in (style.GREEN, style.BLUE))  # fmt: skip
        assert np.array_equal(below.get_xydata(), above.get_xydata())
        assert points.index(below) < points.index(above)
        assert below.get_markersize() > above.get_markersize() * np.sqrt(2), "the corners are inside"
        assert {one.get_markeredgecolor() for one in points} == {style.PAPER}


def test_every_standard_error_is_in_the_picture(panel):
    with panel.drawn() as (_strips, errors):
        low, high = errors.get_ylim()
    for mean in (-1.5, 1.0):
        for std in (0.4, 1.2):
            spread = module.exact(mean, std)[1]
            assert np.all(spread < high)
            assert np.all(spread / np.sqrt(1000) > low)


def test_by_the_mean_the_last_two_are_one():
    values = module.of_one_draw(0.8, 0.6, noise(100))
    assert np.array_equal(values[2, 0], values[3, 0])


def test_the_scenes(panel):
    panel.scene("One sample")
    one = read(panel.sentence)
    panel.scene("A hundred samples")
    np.testing.assert_allclose(np.array(one.errors) / read(panel.sentence).errors, 10, rtol=6e-3)
    panel.scene("By the std")
    assert best(read(panel.sentence)) == "Bonnet and Price"
    panel.scene("A narrow q, far away")
    said = read(panel.sentence)
    assert best(said) == "reparameterised" and said.more > 300


def test_the_prediction(panel):
    """The question is about the best q, to the sliders' steps, where reparameterising is not the best."""
    sliders = panel.definition.sliders[1:3]
    means, stds = (np.array([one.value(k) for k in range(one.count)]) for one in sliders)
    values = posterior.elbo(ig.Normal(means[:, None], stds))
    row, column = np.unravel_index(np.argmax(values), values.shape)
    panel.answer("Control variate")
    assert [panel.values["mean"], panel.values["std"]] == [means[row], stds[column]]
    said = read(panel.sentence)
    assert best(said) == "control variate"
    assert said.errors[1] < min(said.errors[0], *said.errors[2:])
    panel.reset()
    assert best(read(panel.sentence)) == "reparameterised"


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
