"""The panel of a point and its bell: its numbers against independent integrals."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import integrate, special, stats

from igviz.models import skewed_posterior
from igviz.panels import manifold_intuition


@pytest.fixture(scope="module")
def panel():
    made = manifold_intuition.point()
    yield made
    made.close()


def numbers(sentence: str) -> list[float]:
    """Return mean, std, entropy, KL(posterior‖N) and KL(N‖posterior) as the sentence gives them."""
    found = re.search(
        r"N\((.*), (.*)\) has entropy (.*) nats\. .* KL\(posterior‖N\) = (.*) nats and "
        r"KL\(N‖posterior\) = (.*) nats\.",
        sentence,
    )
    assert found, sentence
    return [float(word.replace("−", "-")) for word in found.groups()]


def test_the_words_a_lecture_quotes(panel):
    panel.reset()
    assert numbers(panel.sentence) == [-1.5, 1.5, 1.824, 0.601, 1.105]
    panel.answer("A few hundredths of a nat")
    assert numbers(panel.sentence) == [-0.23, 0.86, 1.268, 0.022, 0.030]
    panel.scene("Far off")
    assert numbers(panel.sentence)[3:] == [16.583, 6.168]


@pytest.mark.parametrize(("mean", "std"), [(-0.23, 0.86), (-3.0, 0.4), (2.0, 3.0), (0.71, 1.37)])
def test_entropy_and_both_divergences(panel, mean, std):
    panel.set(mean=mean, std=std)
    _, _, entropy, from_posterior, to_posterior = numbers(panel.sentence)
    assert entropy == pytest.approx(stats.norm(mean, std).entropy(), abs=6e-4)

    def share(z):
        density = skewed_posterior.posterior_pdf(z)
        return density * (np.log(density) - stats.norm.logpdf(z, mean, std)) if density > 0 else 0.0

    inner, _ = integrate.quad(share, -14, 5, points=[-3, 0, 2], limit=200)
    assert from_posterior == pytest.approx(inner, abs=6e-4)
    # E log q is minus the entropy; E log p(y, z) has a closed form: E eᶻ = exp(mean + std²/2)
    prior = skewed_posterior.PRIOR_STD
    expected = skewed_posterior.COUNT * mean - np.exp(mean + std**2 / 2)
    expected -= special.gammaln(skewed_posterior.COUNT + 1)
    expected -= 0.5 * (mean**2 + std**2) / prior**2 + 0.5 * np.log(2 * np.pi * prior**2)
    closed = skewed_posterior.log_evidence() - expected - stats.norm(mean, std).entropy()
    assert to_posterior == pytest.approx(closed, abs=6e-4)


def test_no_neighbour_on_the_grid_is_nearer_than_the_matched_moments(panel):
    panel.scene("Match mean and std")
    mean, std = skewed_posterior.posterior_moments()
    assert abs(panel.values["mean"] - mean) <= 0.005
    assert abs(panel.values["std"] - std) <= 0.005
    from igviz.geometry.families.normal import Normal
    from igviz.panels.manifold_intuition.points import kl_from_posterior

    least = kl_from_posterior(Normal(mean, std))
    for across in (-0.01, 0, 0.01):
        for up in (-0.01, 0, 0.01):
            assert kl_from_posterior(Normal(mean + across, std + up)) >= least


def test_the_point_and_the_bell_stand_where_the_sliders_do(panel):
    panel.set(mean=0.4, std=1.2)
    with panel.drawn() as (plane, bells):
        assert [list(plane.lines[-1].get_xdata()), list(plane.lines[-1].get_ydata())] == [[0.4], [1.2]]
        x, height = bells.lines[-1].get_data()
        np.testing.assert_allclose(height, stats.norm.pdf(x, 0.4, 1.2), rtol=1e-12)
        marked = [line for line in plane.lines if line.get_label() == "posterior's mean, std"]
        assert (*marked[0].get_xdata(), *marked[0].get_ydata()) == skewed_posterior.posterior_moments()


def test_the_point_can_be_dragged():
    drag = manifold_intuition.point.definition.drag
    assert drag is not None
    assert [manifold_intuition.point.definition.sliders[k].name for k in drag[:2]] == ["mean", "std"]
    assert drag[2] == 0
