"""Pythagoras: projections against a search of one's own, bars against KL, and which pairs match."""

from __future__ import annotations

import importlib
import re

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from scipy import optimize

from igviz.panels.engine.encode import CAPTION_MARGIN, _fonts, _wrapped
from igviz.plots import style
from tests.panels import laws

module = importlib.import_module("igviz.panels.kl_quadratic_approximation.pythagoras")
M_ON_E, E_ON_M, VI, M_ON_M = module.PROJECTIONS
PLACES = [(0.4, 0.16, 0.7), (0.62, 0.31, 0.34), (0.33, 0.52, 0.5), (0.7, 0.08, 0.3)]
SENTENCE = (
    r"KL\((?P<whole>\S+)\) = (?P<kl>\S+), KL\((?P<first>\S+)\) \+ KL\((?P<second>\S+)\) = "
    r"(?P<m>\S+) \+ (?P<e>\S+) = (?P<sum>\S+): residual (?P<residual>\S+?)(, (?P<angle>\S+)° at q)?\. "
    r"q is (?P<name>.*): (?P<verdict>.*)\."
)


@pytest.fixture(scope="module")
def panel():
    made = module.pythagoras()
    yield made
    made.close()


def said(panel) -> dict[str, str]:
    found = re.fullmatch(SENTENCE, panel.sentence)
    assert found, panel.sentence
    return found.groupdict()


def number(word: str) -> float:
    return float(word.replace("−", "-"))


def kl(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sum(a * np.log(a / b)))


def of(heads: float, mixed: float) -> np.ndarray:
    return np.array([heads - mixed / 2, mixed, 1 - heads - mixed / 2])


def in_family(projection: str, s: float) -> np.ndarray:
    """A point of the family: independent tosses with a share s of heads, or s of the most of one of each."""
    if projection in (M_ON_E, VI):
        return np.array([s**2, 2 * s * (1 - s), (1 - s) ** 2])
    return of(0.75, 0.5 * s)


def projected(p: np.ndarray, projection: str) -> np.ndarray:
    """The least divergence on a grid, refined."""

    def divergence(s):
        q = in_family(projection, float(s))
        return kl(p, q) if projection in (M_ON_E, M_ON_M) else kl(q, p)

    grid = np.linspace(0.005, 0.995, 397)
    start = grid[np.argmin([divergence(s) for s in grid])]
    found = optimize.minimize_scalar(
        divergence, bounds=(start - 0.003, start + 0.003), method="bounded", options={"xatol": 1e-12}
    )
    return in_family(projection, float(found.x))


@pytest.mark.parametrize("projection", module.PROJECTIONS)
@pytest.mark.parametrize(("heads", "mixed", "r"), PLACES)
def test_the_words_and_the_picture_are_the_divergences(panel, heads, mixed, r, projection):
    panel.set(heads=heads, mixed=mixed, r=r, projection=projection)
    p, end = of(heads, mixed), in_family(projection, r)
    q = projected(p, projection)
    first, last = (p, end) if projection in (M_ON_E, M_ON_M) else (end, p)
    numbers = kl(first, last), kl(first, q), kl(q, last)
    residual = numbers[0] - numbers[1] - numbers[2]
    words = said(panel)
    assert [number(words[key]) for key in ("kl", "m", "e")] == pytest.approx(numbers, abs=6e-4)
    assert number(words["sum"]) == pytest.approx(numbers[1] + numbers[2], abs=6e-4)
    assert number(words["residual"]) == pytest.approx(residual, abs=6e-4)
    assert (words["whole"], words["first"], words["second"]) == (
        ("p‖r", "p‖q", "q‖r") if first is p else ("r‖p", "r‖q", "q‖p")
    )
    if words["angle"]:
        # between the velocities of both geodesics at q, as changes of probability
        to_first, to_last = first - q, q * (np.log(last / q) - q @ np.log(last / q))
        cosine = np.sum(to_first * to_last / q)
        cosine /= np.sqrt(np.sum(to_first**2 / q) * np.sum(to_last**2 / q))
        assert float(words["angle"]) == pytest.approx(np.degrees(np.arccos(cosine)), abs=0.06)
        # the law of cosines: an acute angle makes the side that faces it too short
        assert (float(words["angle"]) < 89.95) == (residual < -1e-3)
        assert (float(words["angle"]) > 90.05) == (residual > 1e-3)
    with panel.drawn() as (plane, bars):
        points = {
            one.get_color(): (float(one.get_xdata()[0]), float(one.get_ydata()[0]))
            for one in plane.lines
            if len(one.get_xdata()) == 1 and one.get_fillstyle() != "none" and one.get_zorder() == 2
        }
        boxes = [
            one
            for one in bars.get_children()
            if isinstance(one, Rectangle) and one.get_height() == module.THICK
        ]
        spans = {
            to_hex(one.get_edgecolor()).upper(): (one.get_x(), one.get_width(), one.get_y()) for one in boxes
        }
    for colour, one in ((style.BLACK, p), (style.BLUE, q), (style.PURPLE, end)):
        assert points[colour] == pytest.approx((one[0] + one[1] / 2, one[1]), abs=2e-6)
    assert spans[style.BLACK] == pytest.approx((0, numbers[0], module.BARS[0]), abs=1e-6)
    assert spans[style.BLUE] == pytest.approx((0, numbers[1], module.BARS[1]), abs=2e-5)
    assert spans[style.VERMILLION] == pytest.approx((numbers[1], numbers[2], module.BARS[1]), abs=2e-5)
    if abs(residual) > 1e-6:
        # the dashed piece makes both rows equally long
        left, width, row = spans[style.PURPLE]
        longest = max(numbers[0], numbers[1] + numbers[2])
        assert left + width == pytest.approx(longest, abs=4e-5)
        assert width == pytest.approx(abs(residual), abs=4e-5)
        assert row == module.BARS[0 if residual < 0 else 1]


@pytest.mark.parametrize("projection", module.PROJECTIONS)
def test_pythagoras_holds_for_the_matching_pairs_and_for_no_other(panel, projection):
    residuals = []
    for heads in (0.3, 0.37, 0.58):
        for mixed in (0.08, 0.2, 0.55):
            for r in (0.3, 0.44, 0.66):
                q = module.projections(heads, mixed, projection)[0]
                p, end = module.tosses(heads, mixed), module.along(module.CASES[projection].flat, r)
                first, last = (p, end) if module.CASES[projection].mixture else (end, p)
                side = [one.probabilities for one in (first, q, last)]
                residuals.append(kl(side[0], side[2]) - kl(side[0], side[1]) - kl(side[1], side[2]))
                assert module.triangle(first, q, last).residual == pytest.approx(residuals[-1], abs=1e-12)
    panel.set(projection=projection)
    if projection in (M_ON_E, E_ON_M):
        assert np.max(np.abs(residuals)) < 1e-12
        assert said(panel)["residual"] == "0"
        assert said(panel)["angle"] == "90.0"
        assert said(panel)["verdict"].startswith("Pythagoras holds")
    else:
        assert np.median(np.abs(residuals)) > 0.01
        assert said(panel)["verdict"].startswith("no Pythagoras")


def test_the_sides_are_geodesics(panel):
    panel.set(heads=0.62, mixed=0.31, r=0.34, projection=VI)
    with panel.drawn() as (plane, _bars):
        lines = {one.get_color(): one.get_data() for one in plane.lines if one.get_zorder() == 2}
    q, p, end = projected(of(0.62, 0.31), VI), of(0.62, 0.31), in_family(VI, 0.34)
    x, y = lines[style.VERMILLION]
    logs = np.log(np.stack([of(*pair) for pair in zip(x, y, strict=True)]))
    straight = logs[:, :2] - logs[:, 2:]
    ends = np.log(np.stack([q[:2] / q[2], p[:2] / p[2]]))
    share = (straight[:, :1] - ends[0, 0]) / (ends[1, 0] - ends[0, 0])
    np.testing.assert_allclose(straight, ends[0] + share * (ends[1] - ends[0]), atol=2e-5)
    # from r to q: straight in probabilities, and so outside the independent tosses
    with panel.drawn() as (plane, _bars):
        ends_of_m = next(
            one.get_data()
            for one in plane.lines
            if one.get_color() == style.BLUE and len(one.get_xdata()) == 2
        )
    assert ends_of_m[0] == pytest.approx([end[0] + end[1] / 2, q[0] + q[1] / 2], abs=1e-6)


def test_the_divergence_to_independence_is_the_mutual_information(panel):
    panel.scene("Mutual information")
    table = np.array([[0.32, 0.08], [0.08, 0.52]])  # two exchangeable tosses: 0.4 heads, 0.16 one of each
    marginals = np.outer(table.sum(axis=1), table.sum(axis=0))
    assert number(said(panel)["m"]) == pytest.approx(kl(table.ravel(), marginals.ravel()), abs=6e-4)
    assert said(panel)["verdict"] == "Pythagoras holds, KL(p‖q) is mutual information"


def test_families_are_flat_as_their_names_say():
    s = np.linspace(0.1, 0.9, 9)
    independent = np.stack([in_family(VI, one) for one in s])
    np.testing.assert_allclose(
        np.diff(np.log(independent[:, 0] / independent[:, 2])), 2 * np.diff(np.log(s / (1 - s)))
    )
    np.testing.assert_allclose(
        np.diff(np.log(independent[:, 1] / independent[:, 2])), np.diff(np.log(s / (1 - s)))
    )
    for one in s:
        for flat, projection in ((module.INDEPENDENT, VI), (module.FIXED_HEADS, M_ON_M)):
            np.testing.assert_allclose(module.along(flat, one).probabilities, in_family(projection, one))


@pytest.mark.parametrize(
    ("heads", "mixed"), [(0.48, 0.08), (0.5, 0.08), (0.52, 0.09), (0.5, 0.3), (0.4, 0.1)]
)
def test_all_minima_of_vi_are_found(panel, heads, mixed):
    p, s = of(heads, mixed), np.linspace(0.002, 0.998, 4001)
    values = np.array([kl(in_family(VI, one), p) for one in s])
    inner = values[1:-1]
    minima = s[1:-1][(inner < values[:-2]) & (inner <= values[2:])]
    found = module.projections(heads, mixed, VI)
    assert sorted(module.place(q)[0] for q in found) == pytest.approx(sorted(minima), abs=4e-4)
    best = [kl(q.probabilities, p) for q in found]
    assert best[0] <= min(best) + 1e-12
    panel.set(heads=heads, mixed=mixed, projection=VI)
    assert ("two minima" in panel.sentence) == (len(minima) == 2)
    with panel.drawn() as (plane, _bars):
        hollow = [one for one in plane.lines if one.get_fillstyle() == "none"]
    assert len(hollow) == len(minima) - 1


def test_equally_good_minima_are_told_in_one_order():
    first, second = module.projections(0.5, 0.08, VI)
    assert module.place(first)[0] < 0.5 < module.place(second)[0]


def test_the_scenes_show_what_they_promise(panel):
    for scene, residual, name, verdict in (
        ("Mutual information", "0", "the m-projection onto an e-flat family", "Pythagoras holds"),
        ("e onto m-flat: holds", "0", "the e-projection onto an m-flat family", "Pythagoras holds"),
        ("VI's own: fails", "−0.599", "VI's e-projection onto an e-flat family", "no Pythagoras"),
        ("VI: two minima", "−1.508", "VI's e-projection onto an e-flat family", "KL(q‖p) has two minima"),
        ("m onto m-flat: fails", "+0.171", "the m-projection onto an m-flat family", "no Pythagoras"),
    ):
        panel.scene(scene)
        words = said(panel)
        assert words["residual"] == residual
        assert words["name"] == name
        assert verdict in words["verdict"]
    panel.answer("No, KL(r‖p) is smaller")
    assert number(said(panel)["kl"]) < number(said(panel)["sum"])


def test_no_bar_leaves_the_picture():
    longest = 0.0
    for projection, case in module.CASES.items():
        for heads in (0.3, 0.4, 0.49, 0.5, 0.51, 0.6, 0.7):
            for mixed in (0.08, 0.56):
                p, q = module.tosses(heads, mixed), module.projections(heads, mixed, projection)[0]
                for r in (0.3, 0.5, 0.7):
                    end = module.along(case.flat, r)
                    now = module.triangle(p, q, end) if case.mixture else module.triangle(end, q, p)
                    longest = max(longest, now.whole, now.mixture + now.exponential)
    assert longest < module.MOST


def test_a_point_of_the_family_has_no_angle(panel):
    panel.set(heads=0.5, mixed=0.5, r=0.5, projection=M_ON_E)
    assert said(panel)["angle"] is None
    assert said(panel)["residual"] == "0"


def test_the_laws_of_all_panels(panel):
    laws.check(module.pythagoras)
    panel.set(heads=0.48, mixed=0.08, r=0.7, projection=VI)
    assert len(_wrapped(panel.sentence, 720 - 2 * CAPTION_MARGIN, _fonts()[0])) <= 2
