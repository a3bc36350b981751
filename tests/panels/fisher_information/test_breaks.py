"""Where Fisher information breaks: words and curves against integrals of the densities."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from scipy import stats

import igviz.panels.fisher_information as lecture
from igviz.panels.engine.encode import _fonts, _wrapped
from igviz.plots import style

breaks = sys.modules["igviz.panels.fisher_information.breaks"]
FROM_POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")
SPACING = 0.02
PAGE = 640  # the width that the page gives a sentence, in the caption's font, which is smaller
GRID = SPACING * np.arange(-1_500, 1_700)
PLACES = [(0.001, 1.0), (0.2, 1.3), (1.0, 2.0)]
MIXTURES = [(0.2, 0.2, 1.0), (1.0, 0.02, 1.6), (0.001, 0.5, 2.0), (0.05, 0.05, 1.0)]


@pytest.fixture
def panel():
    made = lecture.breaks()
    yield made
    made.close()


def value(word):
    """Read a number as the sentence writes it."""
    mantissa, _, power = word.partition("·10")
    return float(mantissa.translate(FROM_POWERS)) * 10.0 ** int(power.translate(FROM_POWERS) or 0)


def said(pattern, sentence):
    found = re.fullmatch(pattern.replace("#", r"(−?[\d.]+(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?)"), sentence)
    assert found, sentence
    return [value(word) for word in found.groups()]


def to_digits(number, digits=3):
    return pytest.approx(number, rel=0.51 * 10.0 ** (1 - digits), abs=1e-12)


def mixture(x, w, std, m):
    return (1 - w) * stats.norm.pdf(x, 0, std) + w * stats.norm.pdf(x, m, std)


def mixture_kl(w, std, delta, turned=False):
    p, q = mixture(GRID, w, std, 2.0), mixture(GRID, w, std, 2.0 + delta)
    if turned:
        p, q = q, p
    seen = (p > 1e-200) & (q > 1e-200)
    # with −p + q, which integrate to 0, rounding enters in second order only
    p, q = p[seen], q[seen]
    return np.sum(p * (np.log(p) - np.log(q)) - p + q) * SPACING


def slope_of(divergence, delta):
    return (np.log(divergence(1.01 * delta)) - np.log(divergence(delta / 1.01))) / (2.0 * np.log(1.01))


def the_sentence_of_the_uniform(panel, delta, theta):
    panel.set(case=breaks.UNIFORM, delta=delta, scale=theta)
    numbers = said(
        r"KL\(p‖q\) = log\(1 \+ δ/θ\) = # nats, slope # at δ = # and not 2; KL\(q‖p\) is infinite\. "
        r"E\[score\] = #, not 0\. Outer product #, Hessian form #: no ½·I·δ²\.",
        panel.sentence,
    )
    p, q = stats.uniform(0, theta), stats.uniform(0, theta + delta)
    x = np.linspace(0, theta, 11)[1:-1]
    assert numbers[0] == to_digits(np.mean(p.logpdf(x) - q.logpdf(x)))  # a constant on the support of p
    assert numbers[1] == pytest.approx(slope_of(lambda step: np.log((theta + step) / theta), delta), abs=6e-4)
    assert numbers[2] == delta
    assert numbers[3:] == [to_digits(n) for n in (-1 / theta, theta**-2, -(theta**-2))]


def the_sentence_of_the_laplace(panel, delta, b):
    panel.set(case=breaks.LAPLACE, delta=delta, scale=b)
    numbers = said(
        r"KL is # nats both ways, slope # at δ = #\. E\[score\] = #\. Outer product 1/b² = # is right; "
        r"the Hessian form is #: log p is straight but for a kink that moves\.",
        panel.sentence,
    )

    def there(step):  # u²/2 − u³/6 + …, the series of u + exp(−u) − 1
        u = step / b
        return sum((-u) ** k / float(np.prod(np.arange(1, k + 1))) for k in range(2, 20))

    assert numbers[0] == to_digits(there(delta))
    assert numbers[1] == pytest.approx(slope_of(there, delta), abs=6e-4)
    assert numbers[2] == delta
    assert numbers[3:] == [0.0, to_digits(b**-2), 0.0]


def the_sentence_of_the_normal(panel, delta, std):
    panel.set(case=breaks.NORMAL, delta=delta, scale=std)
    numbers = said(
        r"KL is # nats both ways, slope # at δ = #\. E\[score\] = #; outer product # = Hessian form # = I, "
        r"and KL is ½·I·δ² for every δ\.",
        panel.sentence,
    )
    information = to_digits(std**-2)
    assert numbers == [to_digits(0.5 * delta**2 / std**2), 2.0, delta, 0.0, information, information]


def the_sentence_of_the_mixture(panel, delta, w, std):
    panel.set(case=breaks.MIXTURE, delta=delta, w=w, scale=std)
    numbers = said(
        r"KL\(p‖q\) #, KL\(q‖p\) # nats, slope # at δ = #\. E\[score\] = #; outer product # = "
        r"Hessian form # = I\(m\)\. Matrix of \(w, m\): det #\.",
        panel.sentence,
    )
    density = mixture(GRID, w, std, 2.0)
    by = [
        stats.norm.pdf(GRID, 2, std) - stats.norm.pdf(GRID, 0, std),
        (mixture(GRID, w, std, 2 + 1e-5) - mixture(GRID, w, std, 2 - 1e-5)) / 2e-5,
    ]
    seen = density > 1e-200
    fisher = [[np.sum((a * b)[seen] / density[seen]) * SPACING for a in by] for b in by]
    # differences of logarithms of near densities lose digits for small steps
    loss = 2e-13 / mixture_kl(w, std, delta)
    assert numbers[0] == pytest.approx(mixture_kl(w, std, delta), rel=6e-3 + loss)
    assert numbers[1] == pytest.approx(mixture_kl(w, std, delta, turned=True), rel=6e-3 + loss)
    slope = slope_of(lambda step: mixture_kl(w, std, step), delta) if delta > 0.01 else 2.0
    assert numbers[2] == pytest.approx(slope, abs=1e-3)
    assert numbers[3:5] == [delta, 0.0]
    assert numbers[5] == numbers[6] == to_digits(fisher[1][1])
    assert numbers[7] == to_digits(np.linalg.det(fisher))


def a_dead_component(panel, delta, std):
    panel.set(case=breaks.MIXTURE, w=0.0, delta=delta, scale=std)
    numbers = said(
        r"w = # is no interior point: m moves by δ = #, p stays, both KL are #\. E\[score\] = #, "
        r"outer product #, Hessian form #\. I\(w\) = #, yet the matrix of \(w, m\) has det #\.",
        panel.sentence,
    )
    assert numbers == [0.0, delta, 0.0, 0.0, 0.0, 0.0, to_digits(np.exp(4.0 / std**2) - 1.0), 0.0]
    with panel.drawn() as (densities, orders):
        p, q = (moving(densities, look) for look in (style.TARGET, style.APPROXIMATION))
        assert np.array_equal(p, q)
        for line in orders.lines[-4:]:
            np.testing.assert_allclose(line.get_ydata(), breaks.NOTHING)


@pytest.mark.parametrize(
    ("check", "places"),
    [
        (the_sentence_of_the_uniform, PLACES),
        (the_sentence_of_the_laplace, PLACES),
        (the_sentence_of_the_normal, PLACES),
        (the_sentence_of_the_mixture, MIXTURES),
        (a_dead_component, PLACES),
    ],
)
def test_the_words(panel, check, places):
    for place in places:
        check(panel, *place)


def moving(axes, look):
    """The long line drawn with a style, shape (n, 2)."""
    found = [line for line in axes.lines if len(line.get_xdata()) > 10 and line.get_color() == look["color"]
             and line.get_linewidth() == look["linewidth"]]  # fmt: skip
    assert len(found) == 1
    return np.stack(found[0].get_data(), axis=-1)


@pytest.mark.parametrize("case", ["Uniform on (0, θ)", "Mixture", "Laplace location", "Normal mean"])
def test_the_densities(panel, case):
    delta, size, w = 0.5, 1.4, 0.2
    panel.set(case=case, delta=delta, scale=size, w=w)
    laws = {
        breaks.UNIFORM: lambda x, step: stats.uniform.pdf(x, 0, size + step),
        breaks.MIXTURE: lambda x, step: mixture(x, w, size, 2 + step),
        breaks.LAPLACE: lambda x, step: stats.laplace.pdf(x, step, size),
        breaks.NORMAL: lambda x, step: stats.norm.pdf(x, step, size),
    }
    with panel.drawn() as (densities, _orders):
        for look, step in ((style.TARGET, 0.0), (style.APPROXIMATION, delta)):
            x, y = moving(densities, look).T
            inside = x != 0.0  # a uniform jumps there
            np.testing.assert_allclose(y[inside], laws[case](x, step)[inside], atol=1e-8)
            assert y.max() < densities.get_ylim()[1]
        places = [line.get_xdata()[0] for line in densities.lines[-2:]]
    parameter = {breaks.UNIFORM: size, breaks.MIXTURE: 2.0}.get(case, 0.0)
    assert places == pytest.approx([parameter + delta, parameter])


def test_jumps_and_kinks_are_sharp(panel):
    panel.set(case=breaks.UNIFORM, delta=0.5, scale=1.4)
    with panel.drawn() as (densities, _orders):
        x, y = moving(densities, style.APPROXIMATION).T
    jumps = x[:-1][np.abs(np.diff(y)) > 0.1]
    np.testing.assert_allclose(jumps, [0.0, 1.9], atol=1e-8)
    panel.set(case=breaks.LAPLACE, delta=0.05, scale=1)
    with panel.drawn() as (densities, _orders):
        assert moving(densities, style.APPROXIMATION)[:, 1].max() == pytest.approx(0.5, abs=1e-8)


def test_slopes_of_the_curves(panel):
    """In the picture the uniform rises by one decade a decade, the others by two, along ½·I·δ²."""
    expected = {breaks.UNIFORM: 1.0, breaks.MIXTURE: 2.0, breaks.LAPLACE: 2.0, breaks.NORMAL: 2.0}
    for case, slope in expected.items():
        panel.set(case=case)
        with panel.drawn() as (_densities, orders):
            x, y = np.log(moving(orders, style.TARGET)).T
            assert (y[1] - y[0]) / (x[1] - x[0]) == pytest.approx(slope, abs=2e-3)
            bands = [line for line in orders.lines if line.get_color() == breaks.BAND["color"]]
            assert len(bands) == (1 if case == breaks.UNIFORM else 2), "one is the legend's"
            if case == breaks.UNIFORM:
                assert np.all(moving(orders, style.APPROXIMATION)[:, 1] == breaks.EVERYTHING)
                ought = moving(orders, style.GUIDE)
                assert np.diff(np.log(ought[[0, -1]]), axis=0)[0] @ [2.0, -1.0] == pytest.approx(0.0)
            else:
                near = np.log(bands[-1].get_ydata())
                assert near[0] == pytest.approx(y[0], abs=2e-3)
            low, high = orders.get_ylim()
            assert low < np.exp(y).min() and np.exp(y).max() < high


def test_the_dots_lie_on_the_curves_at_the_step(panel):
    for case in breaks.CASES:
        panel.set(case=case, delta=0.05)
        with panel.drawn() as (_densities, orders):
            for dot, look in zip(orders.lines[-2:], (style.APPROXIMATION, style.TARGET), strict=True):
                assert dot.get_xdata()[0] == 0.05
                x, y = np.log(moving(orders, look)).T
                assert np.interp(np.log(0.05), x, y) == pytest.approx(np.log(dot.get_ydata()[0]), abs=2e-3)


def test_the_weak_part_is_drawn_with_its_weight(panel):
    panel.set(w=0.5, scale=1.3)
    with panel.drawn() as (densities, _orders):
        part = densities.patches[-1].get_xy()
    inside = part[1:-2]
    np.testing.assert_allclose(inside[:, 1], 0.5 * stats.norm.pdf(inside[:, 0], 2.0, 1.3), atol=1e-12)


def test_half_the_step_gives_half_the_divergence(panel):
    panel.set(case=breaks.UNIFORM, delta=0.2)
    before = value(re.search(r"= ([\d.]+) nats", panel.sentence)[1])
    panel.answer("It falls to about a half")
    assert panel.values == {"case": breaks.UNIFORM, "delta": 0.1, "scale": 1.0, "w": 0.2}
    after = value(re.search(r"= ([\d.]+) nats", panel.sentence)[1])
    assert 0.5 < after / before < 0.53


@pytest.mark.parametrize(
    ("number", "word"),
    [(0.0, "0"), (1e-16, "0"), (1.0, "1.00"), (-0.5, "−0.500"), (0.0009996, "0.00100"), (53.598, "53.6"),
     (6.36e-5, "6.36·10⁻⁵"), (-2.5e-7, "−2.50·10⁻⁷"), (9.996, "10.0"), (0.00123, "0.00123")],
)  # fmt: skip
def test_numbers_have_three_digits(number, word):
    assert breaks.number(number) == word


def test_every_place_fits_two_lines(panel):
    for case in breaks.CASES:
        for delta in breaks.STEPS[::3]:
            for scale in (1.0, 1.7, 2.0):
                for w in breaks.WEIGHTS:
                    words = breaks._sentence(breaks.model(case, scale, w), delta)
                    assert len(_wrapped(words, PAGE, _fonts()[0])) <= 2
                    assert "nan" not in words
