"""Four matrices against differences of SciPy's log-density; each parabola against the curve it touches."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from scipy import optimize, stats

import igviz.panels.fisher_information as lecture
from igviz.geometry.families.cauchy import Cauchy
from igviz.plots import style

matrices = sys.modules["igviz.panels.fisher_information.matrices"]
MODEL, WRONG = "the model", "a narrow normal"
MEAN, SUM = "mean per datum", "sum"
NAMES = ("expected", "Monte Carlo", "observed", "empirical")
COLOURS = (style.GREEN, style.PURPLE, style.BLUE, style.VERMILLION)
PLACES = [
    (1.5, 20, MODEL, MEAN),
    (-3.5, 5, MODEL, MEAN),
    (0.65, 100, WRONG, SUM),
    (-1.2, 2000, MODEL, SUM),
    (3.9, 50, WRONG, MEAN),
    (0.0, 2000, WRONG, MEAN),
]
SENTENCE = (
    r"θ = ([−\d.]+) \(best fit ([−\d.]+)\), n = ([\d,]+), (per datum|in sum): expected ([\d.]+), Monte Carlo "
    r"([\d.]+), observed ([−\d.]+)( \(bends up\))?, empirical ([\d.]+)\. (\S.*?) within 2 standard errors "
    r"of expected\."
)


@pytest.fixture(scope="module")
def panel():
    made = lecture.four_matrices()
    yield made
    made.close()


def number(word: str) -> float:
    return float(word.replace("−", "-").replace(",", ""))


def read(sentence: str) -> re.Match[str]:
    found = re.fullmatch(SENTENCE, sentence)
    assert found, sentence
    return found


def terms(location, n, truth):
    """Each datum's share in the last three numbers, by differences of log-densities."""

    def log_density(theta, x):
        return stats.cauchy.logpdf(x, loc=theta)

    step = 1e-3
    x = matrices.data(truth, n)
    sampled = location + np.random.default_rng(matrices.MODEL_SEED).standard_cauchy(n)

    def slope(x):
        near = log_density(location + step, x) - log_density(location - step, x)
        far = log_density(location + 2 * step, x) - log_density(location - 2 * step, x)
        return (8 * near - far) / (12 * step)

    bend = (
        -log_density(location + 2 * step, x)
        + 16 * log_density(location + step, x)
        - 30 * log_density(location, x)
        + 16 * log_density(location - step, x)
        - log_density(location - 2 * step, x)
    ) / (12 * step**2)
    return slope(sampled) ** 2, -bend, slope(x) ** 2


def numbers(location, n, truth):
    return np.array([0.5, *(np.mean(one) for one in terms(location, n, truth))])


@pytest.mark.parametrize(("location", "n", "truth", "scaling"), PLACES)
def test_the_sentence(panel, location, n, truth, scaling):
    panel.set(location=location, n=n, truth=truth, scaling=scaling)
    said = read(panel.sentence)
    expected, total = numbers(location, n, truth), n if scaling == SUM else 1
    assert number(said[1]) == location
    assert number(said[3]) == n
    assert said[4] == ("per datum" if scaling == MEAN else "in sum")
    digits = 0.051 if scaling == SUM else 5.1e-4
    np.testing.assert_allclose([number(one) for one in said.group(5, 6, 7, 9)], expected * total, atol=digits)
    errors = [np.std(one, ddof=1) / np.sqrt(n) for one in terms(location, n, truth)]
    near = [
        name
        for name, value, error in zip(NAMES[1:], expected[1:], errors, strict=True)
        if abs(value - 0.5) <= 2 * error
    ]
    assert said[10] == ("All" if len(near) == 3 else " and ".join(near) or "None")
    assert bool(said[8]) == (expected[2] < 0)
    x = matrices.data(truth, n)
    best = optimize.minimize_scalar(
        lambda theta: -np.sum(stats.cauchy.logpdf(x, loc=theta)), (-0.5, 0.5), tol=1e-10
    )
    assert number(said[2]) == pytest.approx(best.x, abs=6e-3)


@pytest.mark.parametrize(("location", "n", "truth", "scaling"), PLACES)
def test_each_parabola_touches_the_curve_and_bends_as_its_number_says(panel, location, n, truth, scaling):
    panel.set(location=location, n=n, truth=truth, scaling=scaling)
    expected, x = numbers(location, n, truth), matrices.data(truth, n)

    def mean_log_density(theta):
        return np.mean(stats.cauchy.logpdf(x[:, None], loc=theta), axis=0)

    with panel.drawn() as (curves, _numbers):
        theta, height = next(one for one in curves.lines if one.get_color() == style.BLACK).get_data()
        offset = mean_log_density(theta) - height
        np.testing.assert_allclose(offset, offset[0], atol=1e-12)
        assert -1e-3 < height.max() < 1e-12, "relative to the highest"
        (here,) = (one for one in curves.lines if one.get_marker() == "o" and one.get_color() == style.BLACK)
        assert here.get_xdata() == pytest.approx(location)
        point = float(mean_log_density(np.array([location]))[0] - offset[0])
        assert here.get_ydata() == pytest.approx(point, abs=1e-12)
        low, high = curves.get_ylim()
        assert low < point < high, "the place is in the picture"
        step = 1e-5
        slope = np.diff(mean_log_density(location + step * np.array([-1, 1])))[0] / (2 * step)
        for colour, value in zip(COLOURS, expected, strict=True):
            line = next(one for one in curves.lines if one.get_color() == colour and len(one.get_xdata()))
            away = line.get_xdata() - location
            np.testing.assert_allclose(
                line.get_ydata(), point + slope * away - 0.5 * value * away**2, atol=1e-6
            )
        rug = next(one for one in curves.lines if one.get_marker() == "|")
        marks, seen = rug.get_xdata(), x[np.abs(x) < 6]
        assert np.max(np.min(np.abs(marks - seen[:, None]), axis=1)) <= 0.0126, "each datum has a mark"
        assert np.max(np.min(np.abs(marks - seen[:, None]), axis=0)) <= 0.0126, "each mark has a datum"


@pytest.mark.parametrize(("location", "n", "truth", "scaling"), PLACES)
def test_the_right_picture(panel, location, n, truth, scaling):
    panel.set(location=location, n=n, truth=truth, scaling=scaling)
    expected = numbers(location, n, truth)
    errors = np.array([0.0, *(np.std(one, ddof=1) / np.sqrt(n) for one in terms(location, n, truth))])
    with panel.drawn() as (_curves, right):
        for row, colour in enumerate(COLOURS):
            bar = next(one for one in right.lines if one.get_color() == colour)
            np.testing.assert_array_equal(bar.get_ydata(), row)
            ends = (expected[row] + 2 * errors[row] * np.array([-1, 0, 1])) / 0.5
            np.testing.assert_allclose(bar.get_xdata(), ends, atol=1e-6)
            assert bar.get_markevery() == [1], "the marker stands in the middle"
        (unit,) = (one.get_text() for one in right.texts)
    assert unit == (f"{0.5 * n:.1f} in sum" if scaling == SUM else "0.500 per datum")


def test_the_four_functions_of_a_notebook_give_these_numbers():
    import igviz.geometry.fisher as fisher

    p, x = Cauchy(0.65, 1.0), matrices.data(WRONG, 100)
    found = [
        fisher.expected_fisher(p, 100),
        fisher.monte_carlo_fisher(p, 100, np.random.default_rng(matrices.MODEL_SEED)),
        fisher.observed_fisher(p, x),
        fisher.empirical_fisher(p, x),
    ]
    np.testing.assert_allclose(
        [one[0, 0] / 100 for one in found], matrices.four(0.65, WRONG, 100).values, rtol=1e-12
    )


def test_data_are_fixed_and_fewer_are_the_first_of_more():
    for truth in (MODEL, WRONG):
        assert np.array_equal(matrices.data(truth, 5), matrices.data(truth, 2000)[:5])
    assert stats.kstest(matrices.data(MODEL, 2000), stats.cauchy(0, 1).cdf).pvalue > 1e-3
    assert stats.kstest(matrices.data(WRONG, 2000), stats.norm(0, 0.3).cdf).pvalue > 1e-3


@pytest.mark.parametrize("location", [-4.0, -0.35, 2.2])
def test_the_model_knows_nothing_of_place_and_data(location):
    """In a location family the expected and the Monte Carlo number are the same everywhere."""
    first = matrices.four(0.0, MODEL, 50).values[:2]
    for truth in (MODEL, WRONG):
        np.testing.assert_allclose(matrices.four(location, truth, 50).values[:2], first, rtol=1e-9)


def test_the_scenes(panel):
    panel.scene("At the best fit")
    said = read(panel.sentence)
    assert said[1] == said[2]
    assert said[10] == "All"
    panel.scene("Far from the data")
    said = read(panel.sentence)
    assert said[8], "observed is negative"
    assert number(said[7]) < 0 < number(said[9])
    assert location_is_outside_most_data(panel)
    panel.scene("Two thousand data")
    said = read(panel.sentence)
    assert said[10] == "All"
    np.testing.assert_allclose([number(one) for one in said.group(5, 6, 7, 9)], 0.5, atol=0.03)
    panel.scene("The wrong model")
    said = read(panel.sentence)
    assert said[10] == "Monte Carlo"
    # and so it stays with ever more data: the limits, by quadrature over N(0, 0.3)
    z = np.linspace(-3, 3, 6001)
    weight = stats.norm.pdf(z, 0, 0.3) * (z[1] - z[0])
    assert number(said[7]) == pytest.approx(weight @ ((2 - 2 * z**2) / (1 + z**2) ** 2), abs=0.03)
    assert number(said[9]) == pytest.approx(weight @ (4 * z**2 / (1 + z**2) ** 2), abs=0.03)


def location_is_outside_most_data(panel):
    x = matrices.data(panel.values["truth"], panel.values["n"])
    return np.mean(x < panel.values["location"]) < 0.1


def test_the_prediction(panel):
    panel.answer("Expected, Monte Carlo")
    said = read(panel.sentence)
    assert abs(number(said[1]) - number(said[2])) <= 0.025, "at the best fit, to the slider's step"
    assert said[10] == "Monte Carlo"
