"""The score against SciPy's log-densities, differentiated; its spread against laws found by hand."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from matplotlib.patches import StepPatch
from scipy import integrate, stats

import igviz.panels.fisher_information as lecture
from igviz.plots import style

score = sys.modules["igviz.panels.fisher_information.score"]
SCIPY = {
    "Normal, mean": lambda mean: stats.norm(mean, 1.0),
    "Normal, std": lambda std: stats.norm(2.0, std),
    "Bernoulli, p": stats.bernoulli,
    "Poisson, rate": stats.poisson,
    "Exponential, rate": lambda rate: stats.expon(scale=1.0 / rate),
    "Cauchy, location": lambda location: stats.cauchy(location, 0.5),
}
RANGES = {
    "Normal, mean": (1.0, 3.0),
    "Normal, std": (0.5, 1.5),
    "Bernoulli, p": (0.2, 0.8),
    "Poisson, rate": (1.0, 3.0),
    "Exponential, rate": (0.5, 0.9),
    "Cauchy, location": (1.0, 3.0),
}
DISCRETE = ("Bernoulli, p", "Poisson, rate")
PLACES = [
    (family, place, level)
    for family in SCIPY
    for place, level in [(0.0, 0.95), (0.35, 0.27), (0.6, 0.81), (1.0, 0.05)]
]
INFORMATION = {
    "Normal, mean": lambda theta: 1.0,
    "Normal, std": lambda theta: 2.0 / theta**2,
    "Bernoulli, p": lambda theta: 1.0 / (theta * (1.0 - theta)),
    "Poisson, rate": lambda theta: 1.0 / theta,
    "Exponential, rate": lambda theta: 1.0 / theta**2,
    "Cauchy, location": lambda theta: 2.0,
}
SENTENCE = (
    r"At (\w+) ([\d.]+), x = ([−\d.]+)(?:, ([\d.]+) scales off,)? "
    r"(?:pulls (?:the )?\w+ (up|down)|leaves (?:the )?\w+ where it is): score ([+−]?[\d.]+)"
    r"(?:; the most is ([\d.]+), one scale off)?\. All pulls average ([+−]?[\d.]+); variance "
    r"([\d.]+) = (\S.*?)(?:, the Fisher information| = I)\."
)


@pytest.fixture(scope="module")
def panel():
    made = lecture.score()
    yield made
    made.close()


def number(word: str) -> float:
    return float(word.replace("−", "-"))


def read(sentence: str) -> re.Match[str]:
    found = re.fullmatch(SENTENCE, sentence)
    assert found, sentence
    return found


def parameter(family, place):
    low, high = RANGES[family]
    return low + place * (high - low)


def log_density(family, theta, x):
    member = SCIPY[family](theta)
    return member.logpmf(x) if family in DISCRETE else member.logpdf(x)


def slope(family, theta, x, step=1e-5):
    return (log_density(family, theta + step, x) - log_density(family, theta - step, x)) / (2.0 * step)


@pytest.mark.parametrize(("family", "place", "level"), PLACES)
def test_the_sentence(panel, family, place, level):
    panel.set(family=family, place=place, level=level)
    said, theta = read(panel.sentence), parameter(family, place)
    x = SCIPY[family](theta).ppf(level)
    assert said[1] == family.split(", ")[1]
    assert float(said[2]) == pytest.approx(theta, abs=6e-4)
    assert number(said[3]) == pytest.approx(x, abs=6e-3)
    assert number(said[6]) == pytest.approx(slope(family, theta, x), abs=6e-3)
    assert (said[5], said[6][0]) in {("up", "+"), ("down", "−"), (None, "0")}
    assert said[8] == "0.00"
    assert float(said[9]) == pytest.approx(INFORMATION[family](theta), abs=6e-4)
    if family == "Cauchy, location":
        assert float(said[4]) == pytest.approx(abs(x - theta) / 0.5, abs=0.06)
        assert said[7] == "2.00"


@pytest.mark.parametrize("family", SCIPY)
@pytest.mark.parametrize("place", [0.0, 0.35, 1.0])
def test_mean_and_variance_of_the_pulls(family, place):
    theta, now = parameter(family, place), score.pulls(family, place)
    assert now.mean == pytest.approx(0.0, abs=1e-9)
    assert now.information == pytest.approx(INFORMATION[family](theta), rel=1e-9)
    if family in DISCRETE:
        x = np.arange(2 if family == "Bernoulli, p" else 60)
        expected = SCIPY[family](theta).pmf(x) @ slope(family, theta, x) ** 2
    else:
        member = SCIPY[family](theta)
        low, high = member.support()
        inner = member.ppf(0.999)
        parts = [
            integrate.quad(lambda x: member.pdf(x) * slope(family, theta, x) ** 2, *ends)[0]
            for ends in ((low, theta), (theta, inner), (inner, high))
        ]
        expected = sum(parts) if low < theta < inner else np.nan
    assert now.information == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("family", "place", "level"), PLACES)
def test_the_picture(panel, family, place, level):
    panel.set(family=family, place=place, level=level)
    theta = parameter(family, place)
    larger = theta + 0.3 / np.sqrt(INFORMATION[family](theta))
    x = SCIPY[family](theta).ppf(level)
    with panel.drawn() as (bell, slopes, spread):
        (here,) = (line for line in slopes.lines if line.get_marker() == "D" and len(line.get_xdata()))
        assert here.get_xydata()[0] == pytest.approx([x, slope(family, theta, x)], abs=1e-6)
        for one in (bell, slopes):
            left, right = one.get_xlim()
            assert left + 0.3 < x < right - 0.3, "the observation is in the picture"
        low, high = slopes.get_ylim()
        assert low + 0.3 < here.get_ydata()[0] < high - 0.3
        shift = 0.16 if family in DISCRETE else 0.0
        for marker, look, at, off in [
            ("o", style.TARGET, theta, 0.0),
            ("s", style.APPROXIMATION, larger, shift),
        ]:
            law = SCIPY[family](at)
            height = law.pmf if family in DISCRETE else law.pdf
            dots = next(one for one in bell.lines if one.get_marker() == marker and len(one.get_xdata()))
            np.testing.assert_allclose(
                dots.get_ydata(), height(np.round(dots.get_xdata() - off, 12)), rtol=1e-7
            )
            if family not in DISCRETE:
                assert dots.get_xdata() == pytest.approx(x, abs=1e-6)
                curve = next(
                    one
                    for one in bell.lines
                    if one.get_color() == look["color"] and len(one.get_xdata()) > 100
                )
                np.testing.assert_allclose(curve.get_ydata(), height(curve.get_xdata()), rtol=1e-7)
        bar = next(
            one for one in spread.lines if one.get_color() == style.GREEN and len(one.get_xdata()) == 2
        )
        np.testing.assert_allclose(np.abs(bar.get_ydata()), np.sqrt(INFORMATION[family](theta)), rtol=1e-9)


def law_of_scores(family, theta, s):
    """The probability that the score is at most s."""
    if family == "Normal, mean":
        return stats.norm.cdf(s)
    if family == "Normal, std":
        return stats.chi2.cdf(theta * s + 1.0, 1)
    if family == "Exponential, rate":
        return stats.expon.sf(1.0 / theta - s, scale=1.0 / theta)
    # a Cauchy observation has a uniform angle; the score is the sine of twice the angle over the scale
    return 0.5 + np.arcsin(np.clip(0.5 * s, -1.0, 1.0)) / np.pi


@pytest.mark.parametrize("family", [one for one in SCIPY if one not in DISCRETE])
@pytest.mark.parametrize("place", [0.0, 0.35, 1.0])
def test_how_often_which_score(panel, family, place):
    panel.set(family=family, place=place)
    theta = parameter(family, place)
    with panel.drawn() as (_bell, _slopes, spread):
        data = next(one.get_data() for one in spread.get_children() if isinstance(one, StepPatch))
    expected = np.diff(law_of_scores(family, theta, data.edges))
    np.testing.assert_allclose(data.values, expected / expected.max(), atol=0.01)
    assert data.values.max() == 1.0
    seen = data.values[data.values > 0.0]
    if family != "Normal, mean":  # the frequent scores at an end fill their bin
        assert 1.0 in (seen[0], seen[-1])


@pytest.mark.parametrize("family", DISCRETE)
def test_how_often_which_score_of_a_discrete_family(panel, family):
    panel.set(family=family, place=0.35)
    theta = parameter(family, 0.35)
    x = np.arange(2 if family == "Bernoulli, p" else 41)
    with panel.drawn() as (_bell, _slopes, spread):
        sticks = next(one for one in spread.lines if one.get_linewidth() == 5.0)
    chance = SCIPY[family](theta).pmf(x)
    tips = sticks.get_xydata()[1::3]
    np.testing.assert_allclose(tips[:, 0], chance / chance.max(), rtol=1e-9)
    np.testing.assert_allclose(tips[:8, 1], slope(family, theta, x)[:8], atol=1e-6)


@pytest.mark.parametrize("family", SCIPY)
def test_quantiles(family):
    level = np.linspace(0.0137, 0.9871, 97)  # nowhere a probability itself
    for place in (0.0, 0.35, 1.0):
        theta = parameter(family, place)
        ours = score.CASES[family].quantile(theta, level)
        np.testing.assert_allclose(ours, SCIPY[family](theta).ppf(level), rtol=1e-9, atol=1e-12)


def test_the_scenes(panel):
    panel.scene("Far out: wider!")
    assert "pulls the std up" in panel.sentence
    panel.scene("In the middle: narrower!")
    assert "x = 2.00 pulls the std down: score −1.43" in panel.sentence
    panel.scene("Heads")
    assert "x = 1 pulls p up" in panel.sentence
    panel.scene("A count of none")
    assert "x = 0 pulls the rate down: score −1.00" in panel.sentence
    panel.scene("A Cauchy outlier")
    said = read(panel.sentence)
    assert (said[6], said[4]) == ("+0.62", "6.3")


def test_the_prediction(panel):
    panel.answer("One a scale away")
    said = read(panel.sentence)
    assert (said[6], said[4], said[7]) == ("+2.00", "1.0", "2.00")
    with panel.drawn() as (_bell, slopes, _spread):
        curve = next(one for one in slopes.lines if len(one.get_xdata()) > 100).get_ydata()
    assert np.max(np.abs(curve)) == pytest.approx(2.0, abs=2e-3)


def test_the_words_of_a_number():
    assert [score._words(one) for one in (1.239, -0.5, 0.004, -0.004, 0.0)] == [
        "+1.24", "−0.50", "0.00", "0.00", "0.00",
    ]  # fmt: skip
