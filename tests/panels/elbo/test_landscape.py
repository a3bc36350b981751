"""The landscape's numbers by quadrature, its optima by gradients and walks, its picture by its artists."""

from __future__ import annotations

import itertools
import re
import sys

import numpy as np
import pytest
from scipy import integrate, special

import igviz as ig
from igviz.panels import elbo as lecture
from igviz.plots import landscape as terrain
from igviz.plots import stored, style
from tests.panels import laws

module = sys.modules["igviz.panels.elbo.landscape"]
NUMBER = r"(−?[\d.]+)"
BELL = rf"N\({NUMBER}, {NUMBER}\)"
SENTENCE = rf"{BELL}: ELBO {NUMBER} \+ KL {NUMBER} = log p\(x\) {NUMBER} nats\. (.+)\."
PLACES = [
    ("skewed", -1.5, 0.4),
    ("skewed", 2.31, -1.17),
    ("z² ≈ 0", 0.4, 0.21),
    ("z² ≈ 1", -1.2, -0.83),
    ("z² ≈ 2", 1.23, -1.9),
    ("z² ≈ 3", 0.09, 0.05),
    ("z² ≈ 4", -2.6, 0.73),
]


@pytest.fixture
def panel():
    made = lecture.landscape()
    yield made
    made.close()


def number(word):
    return float(word.replace("−", "-"))


def said(panel):
    """Return mean, std, ELBO, KL and log p(x), and the optima as (mean, std, what each leaves)."""
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    optima = [list(map(number, one)) for one in re.findall(rf"{BELL}(?: leaves)? {NUMBER}", found[6])]
    assert found[6].startswith("One optimum: " if len(optima) == 1 else f"{len(optima)} optima: ")
    return list(map(number, found.groups()[:5])), optima


def log_normal(z, mean, std):
    return -0.5 * ((z - mean) / std) ** 2 - np.log(std) - 0.5 * np.log(2 * np.pi)


def log_joint(target, z):
    """One event at rate e^z with prior N(0, 1.5); or z² measured with error 1 and prior N(0.3, 2)."""
    if target == "skewed":
        return special.xlogy(1, np.exp(z)) - np.exp(z) - special.gammaln(2) + log_normal(z, 0, 1.5)
    return log_normal(float(target[-1]), z**2, 1) + log_normal(z, 0.3, 2)


def expected(target, mean, std, function):
    def integrand(z):
        return np.exp(log_normal(z, mean, std)) * function(z)

    ends = (mean - 10 * std, mean, mean + 10 * std)
    return sum(
        integrate.quad(integrand, *pair, epsabs=1e-10, limit=200)[0] for pair in itertools.pairwise(ends)
    )


def evidence(target):
    return np.log(
        integrate.quad(lambda z: np.exp(log_joint(target, z)), -12, 6, points=[-1.5, 1.5], epsabs=1e-14)[0]
    )


@pytest.mark.parametrize(("target", "mean", "log_std"), PLACES)
def test_the_three_numbers_each_by_its_own_integral(panel, target, mean, log_std):
    panel.set(target=target, mean=mean, log_std=log_std)
    (m, s, elbo, kl, whole), _optima = said(panel)
    std = np.exp(log_std)
    assert (m, s) == (mean, pytest.approx(std, abs=0.0051))
    log_p = evidence(target)

    def log_q(z):
        return log_normal(z, mean, std)

    near = {"abs": 5.1e-4}
    assert whole == pytest.approx(log_p, **near)
    assert elbo == pytest.approx(
        expected(target, mean, std, lambda z: log_joint(target, z) - log_q(z)), **near
    )
    assert kl == pytest.approx(
        expected(target, mean, std, lambda z: log_q(z) - (log_joint(target, z) - log_p)), **near
    )


def test_the_numbers_add_up_as_they_read_and_no_elbo_exceeds_the_evidence(panel):
    rng = np.random.default_rng(8)
    for target in module.TARGETS:
        for _ in range(8):
            panel.set(target=target, mean=rng.uniform(-3, 3), log_std=rng.uniform(-2.2, 1))
            (_m, _s, elbo, kl, whole), _optima = said(panel)
            assert elbo + kl == pytest.approx(whole, abs=1e-9)
            assert kl >= 0 and elbo <= whole


@pytest.mark.parametrize("target", module.TARGETS)
def test_each_optimum_is_one(panel, target):
    """Its gradient vanishes, and the ELBO falls in every direction from it."""
    now = module.backdrop(target)
    panel.set(target=target)
    _numbers, optima = said(panel)
    for q, left, words in zip(now.optima, now.left, optima, strict=True):
        exact = ig.elbo_gradient(now.target.model, q)
        np.testing.assert_allclose([exact.mean[0], exact.cov[0, 0]], 0, atol=1e-8)
        angle = np.linspace(0, 2 * np.pi, 33)
        around = ig.Normal(q.mean + 0.02 * q.std * np.cos(angle), q.std * np.exp(0.014 * np.sin(angle)))
        assert np.all(ig.elbo(now.target.model, around) < ig.elbo(now.target.model, q))
        assert words == pytest.approx([float(q.mean), float(q.std), left], abs=0.0051)
        assert words[2] == pytest.approx(evidence(target) - float(ig.elbo(now.target.model, q)), abs=5.1e-4)
    assert list(now.left) == sorted(now.left)


def humps(target):
    z = np.linspace(-4, 4, 4001)
    p = log_joint(target, z)
    return int(np.sum((p[1:-1] > p[:-2]) & (p[1:-1] > p[2:])))


@pytest.mark.parametrize(
    ("target", "modes", "optima"),
    [
        ("skewed", 1, 1),
        ("z² ≈ 0", 1, 1),
        ("z² ≈ 1", 2, 1),
        ("z² ≈ 2", 2, 3),
        ("z² ≈ 3", 2, 3),
        ("z² ≈ 4", 2, 3),
    ],
)
def test_how_many_optima(target, modes, optima):
    """Two humps near each other share one; two that are apart have one each, and a third lies over both."""
    found = module.backdrop(target).optima
    assert humps(target) == modes
    assert len(found) == optima
    if optima == 3:
        left, wide, right = sorted(found, key=lambda q: q.mean)
        assert left.mean < -1 < wide.mean < 1 < right.mean
        assert wide.std > 1.9 * max(left.std, right.std)
    if target == "z² ≈ 2":
        assert found[0].std > 0.9, "the wide one is still the best"
    elif optima == 3:
        assert found[0].mean > 1 and found[1].mean < -1


def ascent(model, mean, std):
    """Climb the ELBO by plain gradient steps in (mean, log std)."""
    log_std = np.log(std)
    for _ in range(1500):
        exact = ig.elbo_gradient(model, ig.Normal(mean, np.exp(log_std)))
        step = np.array([exact.mean[0], 2 * np.exp(2 * log_std) * exact.cov[0, 0]])
        mean, log_std = np.array([mean, log_std]) + 0.02 * step
        if np.abs(step).max() < 1e-3:
            break
    return mean, np.exp(log_std)


def test_plain_ascent_ends_in_the_optimum_of_its_side():
    now = module.backdrop("z² ≈ 3")
    model = now.target.model
    ends = [ascent(model, *start) for start in ((2.2, 0.5), (-2.2, 0.5), (0.0, 0.8))]
    for end, q in zip(ends, now.optima, strict=True):
        np.testing.assert_allclose(end, q.source, atol=2e-3)
    one = module.backdrop("z² ≈ 1")
    for start in ((2.0, 0.5), (-2.0, 0.5)):
        np.testing.assert_allclose(ascent(one.target.model, *start), one.optima[0].source, atol=2e-3)


@pytest.mark.parametrize(("target", "mean", "log_std"), PLACES)
def test_the_picture_agrees_with_the_words(panel, target, mean, log_std):
    panel.set(target=target, mean=mean, log_std=log_std)
    (m, _s, elbo, kl, whole), optima = said(panel)
    with panel.drawn() as (chart, bells, _key, bar):
        moved = [one for one in chart.lines if len(one.get_xdata())]
        stars = np.array([one.get_xydata()[0] for one in moved if one.get_marker() == "*"])
        filled = [one.get_markerfacecolor() for one in moved if one.get_marker() == "*"]
        squares = [one.get_xydata()[0] for one in moved if one.get_marker() == "s"]
        posterior, q = (one.get_xydata() for one in bells.lines if len(one.get_xdata()))
        blue, gap = (one for one in bar.patches)
        ceiling = bar.lines[-1].get_xdata()
        written = " ".join(text.get_text() for text in bar.texts)
    assert squares == [pytest.approx([m, log_std])]
    np.testing.assert_allclose(stars[:, 0], [one[0] for one in optima], atol=0.0051)
    np.testing.assert_allclose(np.exp(stars[:, 1]), [one[1] for one in optima], atol=0.0051)
    assert filled == [style.BLACK] + [style.PAPER] * (len(optima) - 1)
    np.testing.assert_allclose(
        posterior[:, 1], np.exp(log_joint(target, posterior[:, 0]) - evidence(target)), atol=1e-9
    )
    np.testing.assert_allclose(q[:, 1], np.exp(log_normal(q[:, 0], mean, np.exp(log_std))), atol=1e-12)
    assert list(ceiling) == pytest.approx([whole, whole], abs=5.1e-4)
    assert gap.get_x() + gap.get_width() == pytest.approx(whole, abs=5.1e-4)
    assert blue.get_x() + blue.get_width() == gap.get_x()
    if elbo > module.LOWEST:
        assert (gap.get_x(), gap.get_width()) == pytest.approx((elbo, kl), abs=5.1e-4)
    else:
        assert gap.get_x() < module.LOWEST, "below the picture's end"
    numbers = re.search(rf"ELBO {NUMBER} \+ KL {NUMBER} = log p\(x\) {NUMBER}", written).groups()
    assert list(map(number, numbers)) == [elbo, kl, whole]


def test_moving_q_measures_and_draws_no_landscape_again(panel, monkeypatch):
    module.backdrop.cache_clear()
    surveys, drawings = [], []
    survey, drawn = terrain.survey, stored.Pixels._drawn
    monkeypatch.setattr(terrain, "survey", lambda *a, **k: surveys.append(1) or survey(*a, **k))
    monkeypatch.setattr(stored.Pixels, "_drawn", lambda *a: drawings.append(1) or drawn(*a))
    for target in ("skewed", "z² ≈ 3", "skewed", "z² ≈ 3"):
        for mean in (-1.0, 0.0, 0.7):
            panel.set(target=target, mean=mean)
            panel.pixels()
    assert (len(surveys), len(drawings)) == (2, 2)


def test_the_landscape_is_below_what_stands_on_it(panel):
    panel.set(target="z² ≈ 4", mean=1.0, log_std=-1.0)
    with panel.drawn() as (chart, *_others):
        (ground,) = [one for one in chart.get_children() if isinstance(one, stored.Stored)]
        above = [*chart.lines, *chart.collections]
        assert all(one.get_zorder() > ground.get_zorder() for one in above)
        assert chart.xaxis.get_zorder() < ground.get_zorder()


def test_other_optima_have_closed_contours_of_their_own():
    """Without them the third optimum would look like a slope: it is three hundredths of a nat deep."""
    for target in ("z² ≈ 2", "z² ≈ 3", "z² ≈ 4"):
        now = module.backdrop(target)
        rings = now.surface._make()[1].get_paths()
        for q in now.optima[1:]:
            at = (float(q.mean), float(np.log(q.std)))
            assert any(ring.contains_point(at) for ring in rings)
        best = (float(now.optima[0].mean), float(np.log(now.optima[0].std)))
        assert not any(ring.contains_point(best) for ring in rings)


def test_their_levels_are_dashed_as_the_bar_does_not_show_them():
    terraces, rings = module.backdrop("z² ≈ 3").surface._make()
    assert [dashes for _offset, dashes in terraces.get_linestyle()] == [None]
    assert all(dashes for _offset, dashes in rings.get_linestyle())


def test_a_star_is_seen_inside_the_mark_of_q(panel):
    panel.scene("Between")
    with panel.drawn() as (chart, *_others):
        moved = [one for one in chart.lines if len(one.get_xdata())]
        stars = [one for one in moved if one.get_marker() == "*"]
        (square,) = (one for one in moved if one.get_marker() == "s")
        assert square.get_markerfacecolor() == "none"
        assert square.get_markersize() - 4.2 > max(one.get_markersize() for one in stars)


def test_the_words_on_three_optima_are_short_in_every_scene(panel):
    for scene in ("Two humps", "The other hump", "Between"):
        panel.scene(scene)
        assert len(panel.sentence) <= 150


def test_the_scenes_and_the_prediction(panel):
    panel.scene("Best q")
    numbers, optima = said(panel)
    assert numbers[3] == pytest.approx(optima[0][2], abs=1e-3)
    for scene, rank in (("Two humps", 0), ("The other hump", 1), ("Between", 2)):
        panel.scene(scene)
        numbers, optima = said(panel)
        assert len(optima) == 3
        assert numbers[3] == pytest.approx(optima[rank][2], abs=1e-3)
    panel.scene("Start")
    assert panel.values == lecture.landscape().values
    panel.answer("Wide, over both")
    numbers, optima = said(panel)
    assert numbers[:2] == optima[0][:2], "q stands on the best one"
    assert numbers[0] > 1, "on one of them"
    z = np.linspace(-3, 3, 6001)
    p = log_joint("z² ≈ 3", z)
    modes = z[1:-1][(p[1:-1] > p[:-2]) & (p[1:-1] > p[2:])]
    np.testing.assert_allclose(modes, [-1.7, 1.7], atol=0.03)


def test_the_point_is_dragged(panel):
    assert panel.definition.drag == (1, 2, 0)


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
