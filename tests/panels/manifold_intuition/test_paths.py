"""The two panels of ways between bells: frames equal geodesic points, lengths and moments as claimed."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import integrate, stats

import igviz as ig
from igviz.panels import manifold_intuition
from igviz.panels.manifold_intuition.paths import P, geodesic_length, straight_length
from igviz.plots import style

ENDS = [(4.0, 2.0), (5.0, 1.0), (5.0, 0.5), (0.0, 3.0), (0.5, 1.0), (1.3, 2.7)]
TIMES = [0.0, 0.17, 0.5, 0.83, 1.0]
BELL = r"N\(([\d.]+), ([\d.]+)\)"


@pytest.fixture(scope="module")
def shortest():
    made = manifold_intuition.shortest_path()
    yield made
    made.close()


@pytest.fixture(scope="module")
def three():
    made = manifold_intuition.three_geodesics()
    yield made
    made.close()


def place_of(axes, colour: str) -> tuple[float, float]:
    """Return where the walker of one colour stands: the last marker that was drawn in it."""
    line = [one for one in axes.lines if one.get_color() == colour and len(one.get_xdata()) == 1][-1]
    return float(line.get_xdata()[0]), float(line.get_ydata()[0])


def bell_of(axes, line: style.LineStyle):
    """Return x and density of the bell drawn in one style."""
    found = [
        one
        for one in axes.lines
        if one.get_color() == line["color"]
        and one.get_linewidth() == line["linewidth"]
        and len(one.get_xdata())
    ]
    return found[-1].get_data()


def test_the_words_a_lecture_quotes(shortest, three):
    shortest.reset()
    assert "shortest path 2.612 long, straight line 2.941" in shortest.sentence
    shortest.answer("About twice as wide")
    assert "shortest path 3.775 long, straight line 5.000" in shortest.sentence
    assert shortest.sentence.endswith("N(2.50, 2.03).")
    three.answer("Wider than any other path's")
    bells = re.findall(BELL, three.sentence)
    assert bells == [("2.50", "1.00"), ("2.50", "2.03"), ("2.50", "2.69")]
    assert three.sentence.endswith("= 6.25.")


@pytest.mark.parametrize(("q_mean", "q_std"), ENDS)
def test_both_lengths(q_mean, q_std):
    q = ig.Normal(q_mean, q_std)
    assert geodesic_length(q_mean, q_std) == pytest.approx(ig.fisher_rao_distance(P, q), rel=1e-9)

    def speed(t):
        return np.sqrt(q_mean**2 + 2 * (q_std - 1) ** 2) / (1 + t * (q_std - 1))

    assert straight_length(q_mean, q_std) == pytest.approx(integrate.quad(speed, 0, 1)[0], rel=1e-12)
    assert straight_length(q_mean, q_std) >= geodesic_length(q_mean, q_std) - 1e-12


@pytest.mark.parametrize(("q_mean", "q_std"), ENDS)
@pytest.mark.parametrize("t", TIMES)
def test_a_frame_of_the_shortest_path_is_a_geodesic_point(shortest, q_mean, q_std, t):
    shortest.set(q_mean=q_mean, q_std=q_std, t=t)
    q = ig.Normal(q_mean, q_std)
    with shortest.drawn() as (plane, bells):
        mean, std = place_of(plane, style.GREEN)
        # the walker has gone the share t of the way, on a shortest path: both distances add up
        gone, left = (ig.fisher_rao_distance(end, ig.Normal(mean, std)) for end in (P, q))
        length = ig.fisher_rao_distance(P, q)
        np.testing.assert_allclose([gone, left], [t * length, (1 - t) * length], atol=1e-9)
        x, height = bell_of(bells, style.GEODESIC)
        np.testing.assert_allclose(height, stats.norm.pdf(x, mean, std), rtol=1e-9)
        straight = place_of(plane, style.PURPLE)
        assert straight == pytest.approx((t * q_mean, 1 + t * (q_std - 1)))
        x, height = bell_of(bells, style.STRAIGHT)
        np.testing.assert_allclose(height, stats.norm.pdf(x, *straight), rtol=1e-9)
    words = re.findall(BELL, shortest.sentence)[-1]
    assert [float(word) for word in words] == pytest.approx([mean, std], abs=0.0051)


@pytest.mark.parametrize(("q_mean", "q_std"), [end for end in ENDS if end[0] > 0])
def test_the_shortest_path_is_a_half_ellipse_centred_on_the_axis(shortest, q_mean, q_std):
    shortest.set(q_mean=q_mean, q_std=q_std)
    with shortest.drawn() as (plane, _bells):
        mean, std = next(
            line.get_data()
            for line in plane.lines
            if line.get_color() == style.GREEN and len(line.get_xdata()) > 10
        )
    centre = (q_mean**2 / 2 + q_std**2 - 1) / q_mean
    squares = (mean - centre) ** 2 / 2 + std**2
    np.testing.assert_allclose(squares, squares[0], rtol=1e-10)


def test_where_means_agree_both_ways_coincide(shortest):
    shortest.scene("Same mean")
    with shortest.drawn() as (plane, _bells):
        for line in plane.lines:
            if len(line.get_xdata()):
                np.testing.assert_allclose(line.get_xdata(), 0, atol=1e-12)
    lengths = re.search(r"shortest path (\S+) long, straight line (\S+)\. ", shortest.sentence)
    assert lengths and lengths[1] == lengths[2]


@pytest.mark.parametrize(("q_mean", "q_std"), ENDS)
@pytest.mark.parametrize("t", TIMES)
def test_a_frame_of_the_three_geodesics(three, q_mean, q_std, t):
    three.set(q_mean=q_mean, q_std=q_std, t=t)
    # straight in natural coordinates: precisions mix, and means weighted by them
    precision = (1 - t) + t / q_std**2
    e = (t * q_mean / q_std**2 / precision, precision**-0.5)
    # straight in expectation coordinates: first and second moments mix
    m = (t * q_mean, np.sqrt((1 - t) + t * (q_std**2 + q_mean**2) - (t * q_mean) ** 2))
    point = ig.geodesic(P, ig.Normal(q_mean, q_std))(t)
    shortest = float(point.mean), float(point.std)
    lines = (
        (style.NATURAL_GEODESIC, e),
        (style.GEODESIC, shortest),
        (style.EXPECTATION_GEODESIC, m),
    )
    with three.drawn() as (plane, bells):
        for line, expected in lines:
            assert place_of(plane, line["color"]) == pytest.approx(expected, rel=1e-10, abs=1e-12)
            x, height = bell_of(bells, line)
            np.testing.assert_allclose(height, stats.norm.pdf(x, *expected), rtol=1e-8)
        mixture = next(
            line.get_data()
            for line in bells.lines
            if line.get_color() == style.GREY and len(line.get_xdata())
        )
    words = [float(word) for bell in re.findall(BELL, three.sentence) for word in bell]
    assert words == pytest.approx([*e, *shortest, *m], abs=0.0051)
    # the grey curve is the mixture of densities, which has the m-geodesic's mean and variance
    x, height = mixture
    np.testing.assert_allclose(
        height, (1 - t) * stats.norm.pdf(x) + t * stats.norm.pdf(x, q_mean, q_std), rtol=1e-10
    )
    wide = np.linspace(-40, 45, 200_001)
    weight = (1 - t) * stats.norm.pdf(wide) + t * stats.norm.pdf(wide, q_mean, q_std)
    mean = np.trapezoid(wide * weight, wide)
    std = np.sqrt(np.trapezoid((wide - mean) ** 2 * weight, wide))
    assert (mean, std) == pytest.approx(m, rel=1e-8, abs=1e-10)
    # and that variance is the mean of the variances plus t(1−t)Δmean²
    held = float(three.sentence.rstrip(".").rsplit(" ", 1)[-1])
    assert held == pytest.approx(m[1] ** 2 - (1 - t) - t * q_std**2, abs=0.0051)
