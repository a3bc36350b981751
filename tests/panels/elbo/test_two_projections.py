"""Both projections by quadrature and by search, and the basins of VI by an integrated flow."""

from __future__ import annotations

import itertools
import re
import sys

import numpy as np
import pytest
from scipy import integrate, optimize

import igviz as ig
from igviz.models import bimodal_posterior
from igviz.panels import elbo as lecture
from igviz.plots import style
from tests.panels import laws

module = sys.modules["igviz.panels.elbo.two_projections"]
NUMBER = r"(−?[\d.]+)"
BELL = rf"N\({NUMBER}, {NUMBER}\)"
SENTENCE = (
    rf"z² ≈ {NUMBER}: from {BELL} VI ends at {BELL}, KL\(q‖p\) = {NUMBER}(?: \(least: {NUMBER}\))?, "
    rf"KL\(p‖q\) = {NUMBER}; matching moments gives {BELL}, KL\(q‖p\) = {NUMBER}, KL\(p‖q\) = {NUMBER} nats\."
)
PLACES = [
    (1.0, 1.0),
    (-1.0, -3.0),
    (0.4, 2.7),
    (1.9, 1.6),
    (2.1, -1.3),
    (3.0, 1.0),
    (3.0, -1.0),
    (3.0, 0.1),
    (4.0, 3.0),
]


@pytest.fixture
def panel():
    made = lecture.two_projections()
    yield made
    made.close()


def said(panel):
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    names = (
        "square",
        "start",
        "width",
        "mean",
        "std",
        "reverse",
        "least",
        "forward",
        "m",
        "s",
        "reverse_m",
        "forward_m",
    )
    return {name: None if word is None else float(word.replace("−", "-"))
            for name, word in zip(names, found.groups(), strict=True)}  # fmt: skip


def log_normal(z, mean, std):
    return -0.5 * ((z - mean) / std) ** 2 - np.log(std) - 0.5 * np.log(2 * np.pi)


def log_joint(square, z):
    return log_normal(square, z**2, 1) + log_normal(z, 0.3, 2)


def log_evidence(square):
    return np.log(
        integrate.quad(lambda z: np.exp(log_joint(square, z)), -6, 6, points=[-1.5, 0, 1.5], epsabs=1e-14)[0]
    )


def integral(function, breaks):
    parts = itertools.pairwise(breaks)
    return sum(integrate.quad(function, *part, epsabs=1e-11, limit=200)[0] for part in parts)


def divergences(square, mean, std):
    """KL(q‖p) and KL(p‖q), each an integral."""
    whole = log_evidence(square)

    def there(z):
        return np.exp(log_normal(z, mean, std)) * (log_normal(z, mean, std) - log_joint(square, z) + whole)

    def back(z):
        log_p = log_joint(square, z) - whole
        return np.exp(log_p) * (log_p - log_normal(z, mean, std))

    return integral(there, [mean - 12 * std, mean, mean + 12 * std]), integral(back, [-6, -1.5, 0, 1.5, 6])


def near(value):
    return pytest.approx(value, abs=5.1e-4 if value < 10 else 0.051)


@pytest.mark.parametrize(("square", "start"), PLACES)
def test_four_divergences_each_by_its_own_integral(panel, square, start):
    panel.set(square=square, start=start)
    words, vi, moments = said(panel), module.reverse(square, start), module.forward(square)
    assert (words["square"], words["start"], words["width"]) == (square, start, module.START_STD)
    for one, names in (
        (vi, ("mean", "std", "reverse", "forward")),
        (moments, ("m", "s", "reverse_m", "forward_m")),
    ):
        mean, std = one.q.source
        assert [words[name] for name in names[:2]] == pytest.approx([mean, std], abs=0.0051)
        for name, value in zip(names[2:], divergences(square, mean, std), strict=True):
            assert words[name] == near(value)


@pytest.mark.parametrize("square", [-1.0, 0.7, 2.0, 3.3, 4.0])
def test_matching_moments_is_least_in_kl_of_p_to_q(square):
    z = np.linspace(-6, 6, 1201)
    log_p = log_joint(square, z) - log_evidence(square)
    p = np.exp(log_p)
    q = module.forward(square).q
    first, second = (integrate.trapezoid(p * z**power, z) for power in (1, 2))
    assert list(q.source) == pytest.approx([first, np.sqrt(second - first**2)], rel=1e-9)

    def kl(place):
        return integrate.trapezoid(p * (log_p - log_normal(z, place[0], np.exp(place[1]))), z)

    found = optimize.minimize(kl, [0.5, 0.2], method="BFGS", options={"gtol": 1e-7})
    assert list(found.x) == pytest.approx([float(q.mean), float(np.log(q.std))], abs=1e-4)


@pytest.mark.parametrize(("square", "start"), PLACES)
def test_where_vi_ends_kl_of_q_to_p_is_least_nearby(square, start):
    one = module.reverse(square, start)
    exact = ig.elbo_gradient(bimodal_posterior.model(square), one.q)
    np.testing.assert_allclose([exact.mean[0], exact.cov[0, 0]], 0, atol=1e-8)
    angle = np.linspace(0, 2 * np.pi, 33)
    around = ig.Normal(
        one.q.mean + 0.02 * one.q.std * np.cos(angle), one.q.std * np.exp(0.014 * np.sin(angle))
    )
    model = bimodal_posterior.model(square)
    assert np.all(ig.elbo(model, around) < ig.elbo(model, one.q))


@pytest.mark.parametrize(
    ("square", "start"),
    [(0.5, -2.0), (1.9, 1.5), (1.9, 0.5), (2.2, 0.6), (2.2, 0.8), (3.0, -0.3), (3.0, -0.5), (4.0, 0.2)],
)
def test_vi_ends_where_the_natural_gradient_leads(square, start):
    """The flow of q's natural gradient, integrated to 1e-6 from the exact gradient of the ELBO."""
    model = bimodal_posterior.model(square)

    def flow(_time, place):
        variance = np.exp(2 * place[1])
        exact = ig.elbo_gradient(model, ig.Normal(place[0], np.sqrt(variance)))
        return [
            variance * exact.mean[0],
            variance * exact.cov[0, 0],
        ]  # by log std: 2·variance·cov, and I⁻¹ = ½

    end = integrate.solve_ivp(flow, (0, 25), [start, np.log(0.8)], method="LSODA", rtol=1e-6, atol=1e-6).y[
        :, -1
    ]
    q = module.reverse(square, start).q
    assert [q.mean, np.log(q.std)] == pytest.approx(list(end), abs=0.02)


def test_the_start_decides_and_basins_are_intervals():
    starts = np.round(np.arange(-3, 3.01, 0.1), 1)
    for square in (1.0, 1.9, 2.0, 2.6, 3.2, 4.0):
        ends = np.array([module.reverse(square, float(start)).q.mean for start in starts])
        assert np.all(np.diff(ends) > -1e-9), "farther left, no farther right"
        different = np.unique(np.round(ends, 6))
        assert len(different) == {1.0: 1, 1.9: 2}.get(square, 3)
        known = {round(float(module.reverse(square, start).q.mean), 6) for start in module.STARTS}
        assert set(different) == known, "the least of all is among these"


def test_a_local_optimum_is_called_one(panel):
    panel.set(square=3.0, start=1.0)
    assert said(panel)["least"] is None
    best = said(panel)["reverse"]
    for start in (-1.0, 0.0):
        panel.set(start=start)
        assert said(panel)["least"] == best < said(panel)["reverse"]


def test_zero_forcing_and_zero_avoiding():
    """VI's q keeps off where p is nearly zero; the other one leaves out nowhere that p is."""
    z = np.linspace(-6, 6, 6001)
    p = np.exp(log_joint(4.0, z) - log_evidence(4.0))
    vi, moments = module.reverse(4.0, 1.0).q, module.forward(4.0).q
    empty = p < 1e-3
    assert integrate.trapezoid(np.where(empty, vi.pdf(z), 0), z) < 0.002
    assert integrate.trapezoid(np.where(empty, moments.pdf(z), 0), z) > 0.3
    held = p > 0.05
    assert np.min(moments.pdf(z)[held] / p[held]) > 0.15
    assert np.min(vi.pdf(z)[held] / p[held]) < 1e-30


@pytest.mark.parametrize(("square", "start"), [(1.0, 1.0), (3.0, 1.0), (4.0, 0.0)])
def test_the_curves(panel, square, start):
    panel.set(square=square, start=start)
    words, vi, moments = said(panel), module.reverse(square, start).q, module.forward(square).q
    with panel.drawn() as axes:
        lines = [[one for one in part.lines if len(one.get_xdata()) > 100] for part in axes]
        (marker,) = [one.get_xydata()[0] for one in axes[0].lines if len(one.get_xdata()) == 1]
        areas = [[one.get_path().get_extents() for one in part.patches] for part in axes[1:]]
        numbers = [[text.get_text() for text in part.texts] for part in axes[1:]]
    assert marker[0] == start
    assert [[one.get_color() for one in part] for part in lines] == [
        [style.BLACK, style.GREEN, style.VERMILLION],
        [style.GREEN, style.VERMILLION],
        [style.GREEN, style.VERMILLION],
    ]
    z = lines[0][0].get_xdata()
    p = np.exp(log_joint(square, z) - log_evidence(square))
    np.testing.assert_allclose(lines[0][0].get_ydata(), p, atol=1e-9)
    for q, bell, there, back, extents, name in zip(
        (vi, moments), lines[0][1:], lines[1], lines[2], zip(*areas, strict=True), ("", "_m"), strict=True
    ):
        density = np.exp(log_normal(z, q.mean, q.std))
        np.testing.assert_allclose(bell.get_ydata(), density, atol=1e-9)
        wide = np.linspace(-6, 6, 12001)
        log_p, log_q = log_joint(square, z) - log_evidence(square), log_normal(z, q.mean, q.std)
        np.testing.assert_allclose(there.get_ydata(), np.exp(log_q) * (log_q - log_p), atol=1e-8)
        np.testing.assert_allclose(back.get_ydata(), np.exp(log_p) * (log_p - log_q), atol=1e-8)
        for extent, curve in zip(extents, (there, back), strict=True):
            assert (extent.y0, extent.y1) == pytest.approx((curve.get_ydata().min(), curve.get_ydata().max()))
        log_p, log_q = log_joint(square, wide) - log_evidence(square), log_normal(wide, q.mean, q.std)
        area = integrate.trapezoid(np.exp(log_p) * (log_p - log_q), wide)
        assert words[f"forward{name}"] == near(area), "the area under the curve is the number"
    assert numbers[0] == [
        "KL(q‖p), nats:",
        *(module._number(words[name]) for name in ("reverse", "reverse_m")),
    ]
    assert numbers[1] == [
        "KL(p‖q), nats:",
        *(module._number(words[name]) for name in ("forward", "forward_m")),
    ]


@pytest.mark.parametrize(("square", "share"), [(1.0, 0.999), (2.5, 0.99), (3.0, 0.97), (4.0, 0.87)])
def test_the_area_of_the_wide_q_is_in_the_picture(panel, square, share):
    """Its integrand is high where p is next to nothing, far outside the humps."""
    panel.set(square=square)
    with panel.drawn() as axes:
        wide = [one for one in axes[1].lines if one.get_color() == style.VERMILLION]
        (curve,) = [one for one in wide if len(one.get_xdata()) > 100]
        z, height = curve.get_xdata(), curve.get_ydata()
        assert tuple(axes[1].get_xlim()) == (z[0], z[-1])
        assert height.max() < axes[1].get_ylim()[1]
    assert integrate.trapezoid(height, z) == pytest.approx(said(panel)["reverse_m"], rel=1.001 - share)


def test_it_starts_with_two_humps_elsewhere_than_the_prediction(panel):
    assert panel.values == {"square": 2.5, "start": 1.0}
    z = np.linspace(-3, 3, 6001)
    p = log_joint(2.5, z)
    assert np.sum((p[1:-1] > p[:-2]) & (p[1:-1] > p[2:])) == 2
    panel.show_answer()
    assert panel.values == {"square": 3.0, "start": 1.0}


def test_the_legend_calls_no_local_optimum_the_least(panel):
    panel.scene("Stuck between")
    assert said(panel)["least"] < said(panel)["reverse"]
    with panel.drawn() as axes:
        words = [one.get_text() for one in axes[0].get_legend().get_texts()]
    assert words == ["p", "VI's q, by KL(q‖p): zero-forcing", "least KL(p‖q): zero-avoiding", "start"]


def test_the_numbers_do_not_depend_on_what_was_asked_before():
    places = [(square, start) for square in (1.9, 2.6, 3.9, 4.0) for start in (-1.3, 0.2, 1.0)]

    def ends(order):
        module.reverse.cache_clear()
        module.forward.cache_clear()
        return {at: (*module.reverse(*at).q.source, *module.forward(at[0]).q.source) for at in order}

    assert ends(places) == ends(reversed(places))


def test_the_prediction_and_the_scenes(panel):
    panel.answer("Both")
    words = said(panel)
    assert words["std"] < 0.4 and words["mean"] > 1.5, "one hump"
    assert words["m"] - words["s"] < -1.4 and words["m"] + words["s"] > 1.4, "both humps"
    assert words["forward"] > 20 * words["forward_m"]
    panel.scene("Left hump")
    assert said(panel)["mean"] < -1.5
    panel.scene("Stuck between")
    assert abs(said(panel)["mean"]) < 0.2 and said(panel)["std"] > 1
    panel.scene("One hump")
    assert said(panel)["forward"] < 0.05


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
