"""The importance-weighted bound against naive loops, double integrals and the closed form of the ELBO."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from matplotlib.patches import StepPatch
from scipy import special, stats

import igviz as ig
import igviz.panels.elbo as lecture
from igviz.models import skewed_posterior as posterior
from igviz.panels.elbo.running_example import noise
from igviz.plots import style
from tests.panels import laws

module = sys.modules["igviz.panels.elbo.importance_weighted"]
QS = [(0.8, 0.6), (-0.2, 0.8), (-1.5, 0.3), (1.0, 1.5), (-0.3, 1.1)]
PLACES = [(1, 0.8, 0.6), (8, -0.2, 0.4), (64, -0.3, 1.1), (1024, -1.5, 0.3), (2, 1.0, 1.5)]
NUMBER = r"(−?[\d.,]+)"
LAST = rf"(\d+)% of {NUMBER} single estimates lie above log p\(x\)\."
FIRST = (
    rf"N\({NUMBER}, {NUMBER}\), K = 1: E\[bound\] is the ELBO = {NUMBER}, {NUMBER} nats below "
    rf"log p\(x\) = {NUMBER}\. {LAST}"
)
SENTENCE = (
    rf"N\({NUMBER}, {NUMBER}\), K = {NUMBER}: E\[bound\] = {NUMBER} lies between ELBO = {NUMBER} and "
    rf"log p\(x\) = {NUMBER}; the gap of {NUMBER} nats falls to {NUMBER}\. {LAST}"
)


@pytest.fixture(scope="module")
def panel():
    made = lecture.importance_weighted()
    yield made
    made.close()


def read(sentence: str) -> list[float]:
    found = re.fullmatch(FIRST, sentence) or re.fullmatch(SENTENCE, sentence)
    assert found, sentence
    return [float(one.replace("−", "-").replace(",", "")) for one in found.groups()]


def log_weight(z: np.ndarray, mean: float, std: float) -> np.ndarray:
    return posterior.log_joint(z) - stats.norm.logpdf(z, mean, std)


def bounds_of_new_draws(q: ig.Normal, k: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Estimates by the definition, log of the mean of k weights, from draws of their own."""
    w = log_weight(q.sample(k * count, rng), q.mean, q.std).reshape(count, k)
    return special.logsumexp(w, axis=1) - np.log(k)


@pytest.mark.parametrize(("mean", "std"), QS)
def test_expectations_from_one_and_two_weights(mean, std):
    bounds = module.expected_bounds(mean, std)
    assert bounds[0] == pytest.approx(float(posterior.elbo(ig.Normal(mean, std))), abs=1e-10)
    z, share = np.linspace(-11, 11, 1101), stats.norm.pdf(np.linspace(-11, 11, 1101)) * 0.02
    w = log_weight(mean + std * z, mean, std)
    two = share @ (np.logaddexp.outer(w, w) - np.log(2)) @ share
    assert bounds[1] == pytest.approx(two, abs=2e-5 if std > 1.2 else 1e-9)


def test_expectations_from_four_weights():
    """Over two pairs: each has the same distribution, found on a grid of 61 × 61."""
    mean, std = 0.3, 0.7
    z = np.linspace(-6, 6, 61)
    share = stats.norm.pdf(z) * (z[1] - z[0])
    w = log_weight(mean + std * z, mean, std)
    pairs, chances = np.logaddexp.outer(w, w).ravel(), np.outer(share, share).ravel()
    four = chances @ (np.logaddexp.outer(pairs, pairs) - np.log(4)) @ chances
    assert module.expected_bounds(mean, std)[2] == pytest.approx(four, abs=1e-6)


@pytest.mark.parametrize(("mean", "std"), QS)
def test_expectations_and_estimates_of_other_draws(mean, std):
    q, rng = ig.Normal(mean, std), np.random.default_rng(77)
    for k, count in ((8, 4000), (128, 600), (1024, 150)):
        found = bounds_of_new_draws(q, k, count, rng)
        error = np.std(found) / np.sqrt(count)
        assert np.mean(found) == pytest.approx(
            module.expected_bounds(mean, std)[module.SAMPLES.index(k)], abs=5 * error
        )


def test_the_bound_never_falls_and_stays_below_the_evidence():
    evidence = posterior.log_evidence()
    for mean in np.linspace(-1.5, 1.0, 6):
        for std in (0.3, 0.5, 0.8, 1.1, 1.5):
            bounds = module.expected_bounds(float(mean), std)
            assert np.all(np.diff(bounds) > 0)
            assert bounds[-1] < evidence


@pytest.mark.parametrize(("mean", "std"), QS[:3])
def test_each_estimate_is_made_of_weights_of_its_own(mean, std):
    found = module.estimates(mean, std)
    w = log_weight(mean + std * noise(module.POOL)[:, 0], mean, std)
    for k, some in zip(module.SAMPLES, found, strict=True):
        assert some.size == min(module.SHOWN, module.POOL // k)
        for place in (0, 7, some.size - 1):
            own = w[place * k : (place + 1) * k]
            assert some[place] == pytest.approx(special.logsumexp(own) - np.log(k), abs=1e-11)


@pytest.mark.parametrize(("samples", "mean", "std"), PLACES)
def test_the_sentence(panel, samples, mean, std):
    panel.set(samples=samples, mean=mean, std=std)
    said, evidence = read(panel.sentence), posterior.log_evidence()
    elbo = float(posterior.elbo(ig.Normal(mean, std)))
    here = module.expected_bounds(mean, std)[module.SAMPLES.index(samples)]
    singles = module.estimates(mean, std)[module.SAMPLES.index(samples)]
    assert said[:2] == [mean, std]
    if samples == 1:
        assert said[2:5] == pytest.approx([elbo, evidence - elbo, evidence], rel=0.03, abs=6e-4)
    else:
        assert said[2] == samples
        assert said[3:6] == pytest.approx([here, elbo, evidence], abs=6e-4)
        assert said[6:8] == pytest.approx([evidence - elbo, evidence - here], rel=0.05)
    assert said[-2:] == [pytest.approx(100 * np.mean(singles > evidence), abs=0.51), singles.size]


@pytest.mark.parametrize(("samples", "mean", "std"), PLACES)
def test_the_picture(panel, samples, mean, std):
    panel.set(samples=samples, mean=mean, std=std)
    place = module.SAMPLES.index(samples)
    bounds, singles = module.expected_bounds(mean, std), module.estimates(mean, std)
    with panel.drawn() as (rising, spread):
        for one in (rising, spread):
            (evidence,) = (
                line for line in one.lines if line.get_color() == style.BLACK and len(line.get_xdata())
            )
            np.testing.assert_allclose(evidence.get_ydata(), posterior.log_evidence())
            (elbo,) = (line for line in one.lines if line.get_color() == style.BLUE and len(line.get_xdata()))
            np.testing.assert_allclose(elbo.get_ydata(), bounds[0])
        curve, now = [one for one in rising.lines if one.get_color() == style.GREEN and len(one.get_xdata())]
        np.testing.assert_allclose(curve.get_xydata().T, [module.SAMPLES, bounds])
        np.testing.assert_allclose(now.get_xydata(), [[samples, bounds[place]]])
        (level,) = (one for one in spread.lines if one.get_color() == style.GREEN)
        np.testing.assert_allclose(level.get_ydata(), bounds[place])
        corners = rising.patches[-1].get_xy()
        for k, some in zip(module.SAMPLES, singles, strict=True):
            ends = sorted(y for x, y in corners[:-1] if x == k)
            assert ends == pytest.approx(list(np.quantile(some, [0.05, 0.95])))
        (bars,) = (one.get_data() for one in spread.get_children() if isinstance(one, StepPatch))
        low, high = spread.get_ylim()
    some = singles[place]
    counts = [np.sum((some >= a) & (some < b)) for a, b in zip(bars.edges[:-1], bars.edges[1:], strict=True)]
    counts[-1] += np.sum(some == bars.edges[-1])
    np.testing.assert_allclose(bars.values, np.array(counts) / max(counts), atol=1.5 / max(counts))
    seen = np.sum((some > low) & (some < high))
    assert sum(counts) >= seen, "what is in the picture has a bar"


def test_a_thousand_weights_mend_a_wide_q_and_not_a_narrow_one(panel):
    panel.scene("Too narrow")
    narrow = read(panel.sentence)
    panel.scene("Too wide")
    wide = read(panel.sentence)
    assert wide[6] > narrow[6], "the ELBO of the wide one is lower"
    assert wide[7] < 0.01 * narrow[7]


def test_the_other_scenes(panel):
    panel.scene("One weight: the ELBO")
    assert read(panel.sentence)[2] == pytest.approx(float(posterior.elbo(ig.Normal(0.8, 0.6))), abs=6e-4)
    panel.scene("A thousand weights")
    assert read(panel.sentence)[7] < 0.1 * read(panel.sentence)[6]
    panel.scene("The best q")
    assert read(panel.sentence)[6] < 0.03


def test_a_bound_at_the_evidence_leaves_it_to_be_seen(panel):
    panel.scene("Too wide")
    assert read(panel.sentence)[3] == read(panel.sentence)[5]
    with panel.drawn() as axes:
        for one in axes:
            lines = [line for line in one.lines if len(line.get_xdata()) > 1]
            (wide,) = (line.get_linewidth() for line in lines if line.get_color() == style.BLACK)
            (thin,) = (line.get_linewidth() for line in lines if line.get_color() == style.GREEN)
            assert wide > thin + 2


def test_the_prediction(panel):
    panel.answer("About half")
    said, at = read(panel.sentence), panel.values
    question = panel.definition.predict.question
    assert panel.sentence.split(",")[0] in question and f"{at['std']}) and K = {at['samples']}" in question
    assert said[2] == 64
    assert said[7] > 0, "on average the bound is below"
    assert 45 <= said[8] <= 55
    others = bounds_of_new_draws(ig.Normal(at["mean"], at["std"]), 64, 2000, np.random.default_rng(5))
    assert np.mean(others > posterior.log_evidence()) == pytest.approx(said[8] / 100, abs=0.06)


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
