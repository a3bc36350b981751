"""The independent normals of least divergence against searches and integrals, and what they touch."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from scipy import integrate, optimize, stats

import igviz.panels.elbo as lecture
from igviz.plots import style
from tests.panels import laws

module = sys.modules["igviz.panels.elbo.mean_field"]
PLACES = [(0.8, 0.8, 0), (-0.35, 1.3, 0), (0.9, 0.44, 20), (-0.95, 0.5, 65), (0.99, 0.14, 90), (0.6, 1.0, 45)]
NUMBER = r"(−?[\d.]+)"
STRAIGHT = (
    rf"ρ = {NUMBER}: KL\(q‖p\) is least at variance {NUMBER}, KL\(p‖q\) at 1\.000; each misses "
    rf"{NUMBER} nats\. At variance {NUMBER}: KL\(q‖p\) = {NUMBER}, KL\(p‖q\) = {NUMBER}\."
)
TURNED = (
    rf"ρ = {NUMBER}, axes turned by (\d+)°: "
    rf"KL\(q‖p\) is least at variances {NUMBER} and {NUMBER}, "
    rf"KL\(p‖q\) at {NUMBER} and {NUMBER}; each misses {NUMBER} nats\. "
    rf"At {NUMBER} of p's stds: KL\(q‖p\) = {NUMBER}, KL\(p‖q\) = {NUMBER}\."
)
SAME = (
    rf"ρ = {NUMBER}, axes turned by (\d+)°: "
    rf"KL\(q‖p\) and KL\(p‖q\) are least at variances {NUMBER} "
    rf"and {NUMBER} and miss 0\.000 nats\. "
    rf"At {NUMBER} of p's stds: KL\(q‖p\) = {NUMBER}, KL\(p‖q\) = {NUMBER}\."
)


@pytest.fixture
def panel():
    made = lecture.mean_field()
    yield made
    made.close()


def read(pattern: str, sentence: str) -> list[float]:
    found = re.fullmatch(pattern, sentence)
    assert found, sentence
    return [float(one.replace("−", "-")) for one in found.groups()]


def target(rho: float) -> np.ndarray:
    return np.array([[1.0, rho], [rho, 1.0]])


def on_page(variances, turn: float) -> np.ndarray:
    """The covariance of an independent q, on the page."""
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    axes = np.array([[c, -s], [s, c]])
    return axes @ np.diag(variances) @ axes.T


def kl(a: np.ndarray, b: np.ndarray) -> float:
    """KL(N(0, a)‖N(0, b)) by its textbook formula."""
    return 0.5 * (np.trace(np.linalg.solve(b, a)) - 2 + np.log(np.linalg.det(b) / np.linalg.det(a)))


def least(rho: float, turn: float) -> list[tuple[np.ndarray, float]]:
    """Both searches: over two free variances."""
    found = []
    for forward in (False, True):

        def value(logs, forward=forward):
            q, p = on_page(np.exp(logs), turn), target(rho)
            return kl(p, q) if forward else kl(q, p)

        result = optimize.minimize(value, [-0.3, -0.1], method="BFGS", options={"gtol": 1e-9})
        found.append((np.exp(result.x), result.fun))
    return found


@pytest.mark.parametrize(("rho", "std", "turn"), PLACES)
def test_the_sentence(panel, rho, std, turn):
    panel.set(rho=rho, std=std, turn=turn)
    (reverse, missed), (forward, missed_too) = least(rho, turn)
    assert missed == pytest.approx(missed_too, abs=1e-9), "both miss the same"
    own, near = std**2 * forward, {"abs": 6e-4}
    both = [kl(on_page(own, turn), target(rho)), kl(target(rho), on_page(own, turn))]
    if turn == 0:
        said = read(STRAIGHT, panel.sentence)
        assert said == pytest.approx([rho, reverse[0], missed, std**2, *both], **near)
        assert reverse[0] == pytest.approx(1 - rho**2, abs=1e-6)
    elif turn == 45:
        said = read(SAME, panel.sentence)
        assert said == pytest.approx([rho, turn, *reverse, std, *both], **near)
        assert missed == pytest.approx(0, abs=1e-9)
        np.testing.assert_allclose(reverse, forward, rtol=1e-5)
    else:
        said = read(TURNED, panel.sentence)
        assert said == pytest.approx([rho, turn, *reverse, *forward, missed, std, *both], **near)


def test_divergences_by_integration():
    now = module.fits(0.7, 25)
    p = stats.multivariate_normal(np.zeros(2), target(0.7))
    q = stats.multivariate_normal(np.zeros(2), on_page(now.reverse, 25))
    x = np.linspace(-8, 8, 641)
    grid = np.stack(np.meshgrid(x, x), axis=-1)

    def mean_under(one):
        shares = one.pdf(grid) * (one.logpdf(grid) - (p if one is q else q).logpdf(grid))
        return integrate.trapezoid(integrate.trapezoid(shares, x), x)

    assert mean_under(q) == pytest.approx(now.missed, abs=1e-9)
    mine = module.independent(now.reverse)
    assert mean_under(p) == pytest.approx(float(now.p.kl(mine)), abs=1e-9)


@pytest.mark.parametrize(("rho", "std", "turn"), PLACES)
def test_the_ellipses(panel, rho, std, turn):
    panel.set(rho=rho, std=std, turn=turn)
    (reverse, _), (forward, _) = least(rho, turn)
    precision = np.linalg.inv(target(rho))
    with panel.drawn() as (plane, _divergences):
        lines = [one for one in plane.lines if len(one.get_xdata())]
        curves = {
            colour: [one.get_xydata() for one in lines if one.get_color() == colour]
            for colour in (style.BLACK, style.GREEN, style.VERMILLION, style.BLUE)
        }
        shades = [one.get_xy() for one in plane.patches]
        low, high = plane.get_xlim()
    assert low <= min(one.min() for one in shades) and max(one.max() for one in shades) <= high
    for size, shade in zip((2, 1), shades, strict=True):
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", shade, precision, shade), size**2, rtol=1e-9)
    (p,) = curves[style.BLACK]
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", p, precision, p), 1, rtol=1e-9)
    for colour, variances in ((style.GREEN, reverse), (style.VERMILLION, forward)):
        ring, tips = curves[colour]
        inverse = np.linalg.inv(on_page(variances, turn))
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", ring, inverse, ring), 1, rtol=1e-4)
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", tips, inverse, tips), 1, rtol=1e-4)
        if colour == style.GREEN:  # where the axes cut p
            np.testing.assert_allclose(np.einsum("ni,ij,nj->n", tips, precision, tips), 1, rtol=1e-4)
        else:  # as far as p reaches along the axes: its shadow
            ways = tips / np.linalg.norm(tips, axis=1)[:, None]
            np.testing.assert_allclose((ways @ p.T).max(axis=1), np.linalg.norm(tips, axis=1), rtol=2e-3)
    (own,) = curves[style.BLUE]
    inverse = np.linalg.inv(on_page(std**2 * forward, turn))
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", own, inverse, own), 1, rtol=1e-4)


@pytest.mark.parametrize(("rho", "std", "turn"), PLACES)
def test_the_divergences(panel, rho, std, turn):
    panel.set(rho=rho, std=std, turn=turn)
    (reverse, missed), (forward, _) = least(rho, turn)
    p = target(rho)
    with panel.drawn() as (_plane, right):
        drawn = [one for one in right.lines if len(one.get_xdata())]
        top = right.get_ylim()[1]
        notes = [one.get_text() for one in right.texts]
        guide = next(one for one in drawn if one.get_color() == style.GREY)
        for colour in (style.GREEN, style.VERMILLION):
            curve, point = [one.get_xydata() for one in drawn if one.get_color() == colour]
            for s, height in curve[:: len(curve) // 6]:
                q = on_page(s**2 * forward, turn)
                wanted = kl(q, p) if colour == style.GREEN else kl(p, q)
                assert height == pytest.approx(wanted, rel=1e-4, abs=1e-5)
            assert point[0][1] == pytest.approx(missed, abs=1e-6)
            best = np.sqrt(reverse[0] / forward[0]) if colour == style.GREEN else 1.0
            assert point[0][0] == pytest.approx(best, rel=1e-4)
            assert np.interp(*point[0][:1], *curve.T) == pytest.approx(missed, rel=0.05, abs=2e-3)
            if colour == style.GREEN:
                assert -np.log(point[0][0]) == pytest.approx(missed, abs=1e-4), "the dotted line"
        (own,) = (one.get_xydata() for one in drawn if one.get_color() == style.BLUE)
    np.testing.assert_allclose(guide.get_ydata(), -np.log(guide.get_xdata()))
    q = on_page(std**2 * forward, turn)
    values = [kl(q, p), kl(p, q)]
    np.testing.assert_array_equal(own[:, 0], std)
    for height, value in zip(own[:, 1], values, strict=True):
        assert height == pytest.approx(value, abs=1e-4) if value < top - 0.1 else height < top
    beyond = [f"{value:.1f}" for value in values if value > top]
    assert notes == ([f"↑ {' and '.join(beyond)}"] if beyond else [])


def test_turning_by_a_quarter_changes_nothing_but_the_names_of_the_axes():
    one, other = module.fits(0.6, 0), module.fits(-0.6, 90)
    np.testing.assert_allclose(one.curves, other.curves, rtol=1e-12)
    one, other = module.fits(0.6, 20), module.fits(0.6, 70)
    np.testing.assert_allclose(one.reverse, other.reverse, rtol=1e-12)
    np.testing.assert_allclose(one.forward, other.forward, rtol=1e-12)


def test_the_scenes(panel):
    panel.scene("Least KL(q‖p)")
    said = read(STRAIGHT, panel.sentence)
    assert said[1] == said[3] and said[4] == said[2]
    panel.scene("Least KL(p‖q)")
    said = read(STRAIGHT, panel.sentence)
    assert said[3] == 1.0 and said[5] == said[2]
    panel.scene("Strong correlation")
    said = read(STRAIGHT, panel.sentence)
    assert said[4] == pytest.approx(said[2], abs=2e-3), "q stands where KL(q‖p) is least"
    missed = said[2]
    panel.scene("Other axes")
    assert read(TURNED, panel.sentence)[6] < missed
    panel.scene("The right axes")
    assert read(SAME, panel.sentence)[-2:] == [0.0, 0.0]


def test_a_mark_of_q_hides_no_optimum_and_is_whole(panel):
    panel.scene("The right axes")
    with panel.drawn() as (_plane, right):
        (own,) = (one for one in right.lines if one.get_color() == style.BLUE and len(one.get_xdata()))
        points = [one for one in right.lines if len(one.get_xdata()) == 1]
        assert own.get_markerfacecolor() == "none"
        assert all(one.get_markersize() < own.get_markersize() for one in points)
        heights = right.transData.transform(own.get_xydata())[:, 1]
        half = 0.5 * (own.get_markersize() + own.get_markeredgewidth()) * 100 / 72
        assert np.all(heights - half > right.bbox.y0)


def test_the_default_view_does_not_give_the_answer_away(panel):
    assert "ρ²" not in panel.sentence and "0.19" not in panel.sentence


def test_the_prediction(panel):
    panel.answer("0.19")
    said = read(STRAIGHT, panel.sentence)
    assert said[:2] == [0.9, 0.19]
    assert said[3] == pytest.approx(0.19, abs=5e-3), "the slider stands there"
    assert said[2] == 0.83


def test_the_laws_of_the_collection(panel):
    laws.check(panel)
