"""The cloud of fits against its ellipse, its exact law and its sentence."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from matplotlib.patches import StepPatch
from scipy import integrate, stats

import igviz as ig
import igviz.panels.manifold_intuition as lecture

efficiency = sys.modules["igviz.panels.manifold_intuition.efficiency"]
PLACES = [(2, 1.0), (3, 0.7), (5, 1.5), (30, 1.0), (500, 1.2)]


@pytest.fixture
def panel():
    made = lecture.efficiency()
    yield made
    made.close()


def numbers(sentence):
    found = re.fullmatch(
        r"n = (\d+): ([\d,]+) of 2,000 fits lie in the 95% ellipse\. Fitted std: bias −([\d.]+), n·variance "
        r"([\d.]+), less than std²/2 = ([\d.]+), the bound for unbiased estimators\. Fitted mean: at its "
        r"bound, ([\d.]+)\.",
        sentence,
    )
    assert found, sentence
    return [float(word.replace(",", "")) for word in found.groups()]


def chance_inside(n):
    """The exact probability that a fit from n samples lies in the ellipse, whatever the std."""

    def given(w):  # w = n·σ̂²/σ²
        room = efficiency.LEVEL - 2.0 * n * (np.sqrt(w / n) - 1.0) ** 2
        if room <= 0:
            return 0.0
        return (2.0 * stats.norm.cdf(np.sqrt(room)) - 1.0) * stats.chi2.pdf(w, n - 1)

    reach = np.sqrt(0.5 * efficiency.LEVEL / n)
    low, high = n * max(0.0, 1.0 - reach) ** 2, n * (1.0 + reach) ** 2
    if n == 2:  # the density has a pole at 0: integrate over the square root
        return integrate.quad(lambda r: given(r * r) * 2.0 * r, 0.0, np.sqrt(high))[0]
    return integrate.quad(given, low, high)[0]


@pytest.mark.parametrize(("n", "std"), PLACES)
def test_the_sentence(panel, n, std):
    panel.set(n=n, std=std)
    said = numbers(panel.sentence)
    with panel.drawn() as (cloud, _bell):
        fits = next(line for line in cloud.lines if len(line.get_xdata()) == 2000).get_xydata()
    assert said[0] == n
    assert said[1] == np.sum(
        fits[:, 0] ** 2 / std**2 + 2.0 * fits[:, 1] ** 2 / std**2 <= stats.chi2.ppf(0.95, 2)
    )
    ratio = stats.chi(n - 1).mean() / np.sqrt(n)
    assert -said[2] == pytest.approx(std * (ratio - 1.0), abs=6e-4)
    assert said[3] == pytest.approx(stats.chi(n - 1).var() * std**2, abs=6e-5)
    assert said[3] < said[4] == pytest.approx(std**2 / 2, abs=6e-5)
    assert said[5] == pytest.approx(std**2, abs=6e-3)


@pytest.mark.parametrize("n", efficiency.SAMPLES)
def test_the_share_inside_is_what_chance_allows(n):
    fits = efficiency.deviations(n)
    inside = np.sum(fits[:, 0] ** 2 + 2.0 * fits[:, 1] ** 2 <= efficiency.LEVEL)
    chance = chance_inside(n)
    assert abs(inside - 2000 * chance) < 5.0 * np.sqrt(2000 * chance * (1.0 - chance))
    if n == 500:
        assert chance == pytest.approx(0.95, abs=1e-3)


@pytest.mark.parametrize("n", [2, 5, 50])
def test_the_fits_are_those_of_real_samples(n):
    x = np.random.default_rng(9).standard_normal((n, 4000))
    real = np.sqrt(n) * np.stack([x.mean(axis=0), x.std(axis=0) - 1.0])
    drawn = efficiency.deviations(n).T
    for one, other in zip(real, drawn, strict=True):
        assert stats.ks_2samp(one, other).pvalue > 1e-3
    assert efficiency.deviations(n) is efficiency.deviations(n), "made once"


@pytest.mark.parametrize(("n", "std"), PLACES)
def test_the_picture(panel, n, std):
    panel.set(n=n, std=std)
    with panel.drawn() as (cloud, bell):
        ring = next(line for line in cloud.lines if len(line.get_xdata()) == 181).get_xydata()
        squares = np.einsum("ni,ij,nj->n", ring, ig.Normal(0.0, std).fisher("source"), ring)
        np.testing.assert_allclose(squares, stats.chi2.ppf(0.95, 2), rtol=1e-10)
        floor = next(line for line in cloud.lines if len(line.get_xdata()) == 2)
        np.testing.assert_allclose(floor.get_ydata(), -np.sqrt(n) * std)
        fits = next(line for line in cloud.lines if len(line.get_xdata()) == 2000).get_xydata()
        assert np.all(fits[:, 1] > -np.sqrt(n) * std)
        exact, limit = bell.lines[-2:]
        x = exact.get_xdata()
        inside = x > -np.sqrt(n) * std
        # the law of σ̂ from scipy's χ distribution
        scale = std / np.sqrt(n)
        law = stats.chi(n - 1, scale=scale).pdf(std + x / np.sqrt(n)) / np.sqrt(n)
        np.testing.assert_allclose(exact.get_ydata()[inside], law[inside], rtol=1e-9, atol=1e-14)
        assert np.all(exact.get_ydata()[~inside] == 0)
        np.testing.assert_allclose(limit.get_ydata(), stats.norm(0, std / np.sqrt(2)).pdf(x), rtol=1e-12)
        bars = next(artist for artist in bell.get_children() if isinstance(artist, StepPatch)).get_data()
        assert np.sum(bars.values * np.diff(bars.edges)) == pytest.approx(np.mean(abs(fits[:, 1]) <= 3.4))
        assert max(bars.values.max(), exact.get_ydata().max()) < bell.get_ylim()[1]


def test_two_samples_vary_less_than_the_bound(panel):
    panel.answer("Less than the bound")
    assert panel.values == {"n": 2, "std": 1.0}
    assert numbers(panel.sentence)[3:5] == [0.3634, 0.5]
    shares = []
    for n in efficiency.SAMPLES:
        panel.set(n=n)
        shares.append(numbers(panel.sentence)[3])
    assert shares == sorted(shares)
    assert shares[-1] > 0.499
