"""The panel of two hypotheses: its numbers against independent ones, its areas against the error."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import stats

import igviz as ig
from igviz.geometry.hypothesis_testing import bayes_error
from igviz.panels import manifold_intuition
from igviz.panels.manifold_intuition.hypotheses import SAMPLES, log_ratio_density, pair, ratios

POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
PLACES = [(1.0, 1.0, 20), (0.5, 1.0, 80), (0.0, 1.5, 80), (1.0, 0.7, 5), (0.1, 0.9, 200), (0.6, 1.3, 2)]


@pytest.fixture(scope="module")
def panel():
    made = manifold_intuition.hypotheses()
    yield made
    made.close()


def numbers(sentence: str) -> list[float]:
    """Return n, error, factor, C, ds²/8 and KL/4 as the sentence gives them."""
    found = re.search(
        r"n = (\d+) the best test errs with probability (\S+) = (\S+)·exp\(−nC\), C = (\S+) nats; "
        r"d²/8 = (\S+) \(d Fisher–Rao\), KL\(p‖q\)/4 = (\S+); up close the three agree\.$",
        sentence,
    )
    assert found, sentence
    n, error, *others = found.groups()
    if "·10" in error:
        digits, power = error.split("·10")
        error = f"{digits}e{power.translate(POWERS)}"
    return [int(n), float(error), *map(float, others)]


def test_the_words_a_lecture_quotes(panel):
    panel.reset()
    assert numbers(panel.sentence) == [20, 0.0127, 0.154, 0.125, 0.1201, 0.125]
    panel.answer("80, four times as many")
    assert numbers(panel.sentence)[:3] == [80, 0.0127, 0.154]
    panel.scene("Four times the samples")
    assert numbers(panel.sentence)[:3] == [80, 3.9e-6, 0.085]


@pytest.mark.parametrize(("shift", "width", "n"), PLACES)
def test_every_number_of_the_sentence(panel, shift, width, n):
    panel.set(shift=shift, width=width, n=n)
    said_n, error, factor, information, from_length, from_kl = numbers(panel.sentence)
    assert said_n == n
    x = np.linspace(-25, 25, 400_001)
    log_p, log_q = stats.norm.logpdf(x), stats.norm.logpdf(x, shift, width)
    affinity = [np.trapezoid(np.exp((1 - t) * log_p + t * log_q), x) for t in np.linspace(0.3, 0.8, 251)]
    assert information == pytest.approx(-np.log(min(affinity)), abs=6e-5)
    distance = np.sqrt(2) * np.arccosh(1 + (shift**2 / 2 + (width - 1) ** 2) / (2 * width))
    assert from_length == pytest.approx(distance**2 / 8, abs=6e-5)
    assert from_kl == pytest.approx(np.trapezoid(np.exp(log_p) * (log_p - log_q), x) / 4, abs=6e-5)
    exact = bayes_error(ig.Normal(0, 1), ig.Normal(shift, width), n)
    assert error == pytest.approx(exact, abs=6e-5, rel=0.02)
    chernoff = ig.chernoff_information(ig.Normal(0, 1), ig.Normal(shift, width))
    assert factor == pytest.approx(exact * np.exp(n * chernoff), abs=6e-4)


@pytest.mark.parametrize(("shift", "width", "n"), [place for place in PLACES if place[2] > 2])
def test_the_grey_area_is_twice_the_error(shift, width, n):
    at, under_p, under_q = ratios(shift, width, n)
    error = bayes_error(ig.Normal(0, 1), ig.Normal(shift, width), n)
    left, right = at <= 0, at >= 0
    area = np.trapezoid(under_q[left], at[left]) + np.trapezoid(under_p[right], at[right])
    assert area == pytest.approx(2 * error, rel=5e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("shift", "width", "n"), [(0.6, 1.3, 8), (1.2, 0.8, 20), (0.0, 1.4, 10), (0.7, 1.0, 5)]
)
def test_the_density_of_the_log_ratio_against_simulation(shift, width, n):
    rng = np.random.default_rng(3)
    runs = 200_000
    x = rng.standard_normal((runs, n))
    total = np.sum(stats.norm.logpdf(x, shift, width) - stats.norm.logpdf(x), axis=1)
    edges = np.quantile(total, np.linspace(0.05, 0.95, 10))
    fine = np.linspace(edges[0], edges[-1], 20_001)
    density = log_ratio_density(shift, width, n, fine)
    share = np.interp(edges, fine, np.concatenate([[0], np.cumsum(np.diff(fine) * density[1:])]))
    np.testing.assert_allclose(np.diff(share), 0.1, atol=5 * np.sqrt(0.1 / runs) + 1e-3)


def test_seen_from_q_the_ratio_is_exp_total_times_as_likely():
    at, under_p, under_q = ratios(0.6, 1.3, 8)
    unit = np.sqrt(8) * pair(0.6, 1.3).spread
    near = np.abs(at) < 4
    np.testing.assert_allclose(under_q[near], np.exp(unit * at[near]) * under_p[near], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("shift", "width", "n"), PLACES)
def test_the_curve_is_exact_and_the_dot_lies_on_it(panel, shift, width, n):
    panel.set(shift=shift, width=width, n=n)
    q = ig.Normal(shift, width)
    with panel.drawn() as (_bells, errors):
        line, curve, dot = errors.lines[-3:]
        samples, error = curve.get_data()
        np.testing.assert_allclose(error, bayes_error(ig.Normal(0, 1), q, samples), rtol=1e-12)
        information = ig.chernoff_information(ig.Normal(0, 1), q)
        np.testing.assert_allclose(np.log(line.get_ydata()), -information * samples, atol=1e-12)
        assert list(dot.get_xdata()) == [n]
        assert dot.get_ydata()[0] == bayes_error(ig.Normal(0, 1), q, [n])[0]
        assert np.all(error < line.get_ydata())


def test_equal_hypotheses_are_never_told_apart(panel):
    for n in SAMPLES:
        panel.set(shift=0.0, width=1.0, n=n)
        assert "stays 0.5000" in panel.sentence
        assert "C = 0." in panel.sentence


def test_every_step_of_the_sliders_has_an_error_in_sight():
    for shift in np.arange(0.1, 1.05, 0.1).round(1):
        for width in np.arange(0.7, 1.55, 0.1).round(1):
            for n in (1, 2, 200):
                _at, *densities = ratios(float(shift), float(width), n)
                assert all(np.all(np.isfinite(density)) for density in densities), (shift, width, n)
