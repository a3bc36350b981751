"""Terraces, rings and rulers against heights and lengths found another way."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.path import Path

import igviz as ig
from igviz.models import skewed_posterior
from igviz.plots import landscape, style
from tests.plots.test_style import TO_XYZ, linear

BELOW = np.array(landscape.BELOW)


def skewed(first=(-3.2, 3.2), second=(-2.3, 1.15), **options):
    return landscape.survey(skewed_posterior.elbo, first, second, **options)


def hills(q):
    """Two round hills of heights 3 and 2 in (mean, log std), at (−1, −1) and (1, 0)."""
    first, second = q.mean, np.log(q.std)

    def hill(height, x, y):
        return height * np.exp(-2.0 * ((first - x) ** 2 + (second - y) ** 2))

    return hill(3.0, -1.0, -1.0) + hill(2.0, 1.0, 0.0)


def height(mean, std):
    """The ELBO of the skewed posterior by its closed form, up to a constant."""
    return mean - np.exp(mean + std**2 / 2) - (mean**2 + std**2) / (2 * 1.5**2) + np.log(std)


def holds(path, point):
    """Tell whether a path with holes goes round a point an odd number of times."""
    return sum(Path(part).contains_point(tuple(point)) for part in path.to_polygons()) % 2 == 1


def test_a_survey_knows_the_height_of_every_point():
    made = skewed(count=(7, 5))
    assert made.heights.shape == (5, 7)
    for row, log_std in enumerate(made.second):
        for column, mean in enumerate(made.first):
            assert made.heights[row, column] == skewed_posterior.elbo(ig.Normal(mean, np.exp(log_std)))


@pytest.mark.parametrize(
    ("chart", "first", "second"),
    [
        ("(mean, log std)", (-2, 1), (-1.5, 0.5)),
        ("(mean, std)", (-2, 1), (0.2, 1.6)),
        ("natural", (-1.5, 1), (-3, -0.3)),
    ],
)
def test_the_peak_is_within_a_step_of_the_top_in_any_chart(chart, first, second):
    made = skewed(first, second, chart=chart)
    (peak,) = made.peaks()
    one = landscape.NORMAL_CHARTS[chart]
    off = one.coordinates(peak) - one.coordinates(skewed_posterior.best_normal())
    assert np.all(np.abs(off) <= [made.first[1] - made.first[0], made.second[1] - made.second[0]])


def test_peaks_are_listed_by_height_and_a_border_has_none():
    made = landscape.survey(hills, (-2, 2), (-2, 1))
    np.testing.assert_allclose([one.mean for one in made.peaks()], [-1, 1], atol=0.06)
    assert len(landscape.survey(hills, (-2, 0.5), (-2, 1)).peaks()) == 1, "the other leans on the border"


def test_the_edges_of_terraces_are_level():
    made, top = skewed(), skewed_posterior.best_normal()
    terraces = made.terraces(float(skewed_posterior.elbo(top)))
    assert len(terraces) == len(BELOW)
    for number, terrace in enumerate(terraces):
        corners = terrace.vertices
        inside = (np.abs(corners[:, 0]) < 3.19) & (corners[:, 1] > -2.29) & (corners[:, 1] < 1.14)
        below = height(*top.source) - height(corners[inside, 0], np.exp(corners[inside, 1]))
        ends = BELOW[::-1][number : number + 2]
        off = np.min(np.abs(below[:, None] - ends), axis=1)
        assert np.all(off < 2e-4 + 4e-3 * below), "an edge is off its level by less than a hundredth of it"


def test_a_point_is_on_the_terrace_of_its_height():
    made, top = skewed(), skewed_posterior.best_normal()
    terraces = made.terraces(float(skewed_posterior.elbo(top)))
    rng = np.random.default_rng(5)
    mean, log_std = rng.uniform(-3.1, 3.1, 400), rng.uniform(-2.2, 1.1, 400)
    below = height(*top.source) - height(mean, np.exp(log_std))
    clear = np.min(np.abs(below[:, None] / BELOW - 1), axis=1) > 0.02
    assert np.sum(clear) > 300
    levels = [*BELOW[::-1], 0.0]
    for point, depth in zip(np.stack([mean, log_std], axis=-1)[clear], below[clear], strict=True):
        on = [k for k, terrace in enumerate(terraces) if holds(terrace, point)]
        assert on == [k for k in range(len(BELOW)) if levels[k + 1] < depth < levels[k]]


def test_the_summit_is_there_even_if_the_grid_misses_it():
    made = skewed(count=(24, 20))
    top = skewed_posterior.best_normal()
    summit = made.terraces(float(skewed_posterior.elbo(top)))[-1]
    assert holds(summit, (top.mean, np.log(top.std)))


def test_rings_go_round_their_own_hill_only():
    made = landscape.survey(hills, (-2.5, 2.5), (-2.5, 1.5))
    high, low = ig.Normal(-1, np.exp(-1)), ig.Normal(1, 1)
    rings = made.rings(low, 2.0, [high], (0.2, 1.0, 1.5, 1.7))
    assert len(rings) == 3, "the lowest contour goes round both"
    for ring in rings:
        assert np.array_equal(ring.vertices[0], ring.vertices[-1])
        assert ring.contains_point((1.0, 0.0))
        assert not ring.contains_point((-1.0, -1.0))
    depths = [2.0 - hills(ig.Normal(one.vertices[:, 0], np.exp(one.vertices[:, 1]))) for one in rings]
    np.testing.assert_allclose([depth.mean() for depth in depths], [1.5, 1.0, 0.2], atol=5e-3)
    assert not made.rings(low, 2.0, [high], (3.0,)), "such a level is nowhere"


def test_what_has_no_height_is_said():
    with pytest.raises(
        ValueError, match=r"distributions only, got \(-1, 1\) and \(0.0, 1\) in \(mean, std\)"
    ):
        skewed((-1, 1), (0.0, 1), chart="(mean, std)")
    with pytest.raises(ValueError, match=r"elbo must be finite, got -inf at \(0.0, -1.0\)"):
        landscape.survey(lambda q: np.full(q.shape, -np.inf), (0, 1), (-1, 1))


def test_rulers_are_of_one_size_in_the_metric():
    axes = Figure().add_subplot()
    centres = [ig.Normal(-2.0, 0.2), ig.Normal(1.0, 1.7)]
    landscape.rulers(axes, centres, 0.3)
    paths = axes.collections[0].get_paths()
    for centre, path in zip(centres, paths, strict=True):
        across, up = (path.vertices - [centre.mean, np.log(centre.std)]).T
        np.testing.assert_allclose(across**2 / centre.std**2 + 2 * up**2, 0.09, rtol=1e-12)
    assert np.ptp(paths[1].vertices[:, 0]) == pytest.approx(8.5 * np.ptp(paths[0].vertices[:, 0]))
    assert np.ptp(paths[1].vertices[:, 1]) == pytest.approx(np.ptp(paths[0].vertices[:, 1]))


def test_the_key_shows_each_tint_between_its_levels():
    axes = Figure().add_subplot()
    landscape.key(axes)
    marks = dict(zip(axes.get_yticks(), [text.get_text() for text in axes.get_yticklabels()], strict=True))
    tints = [landscape.to_hex(one.get_facecolor()) for one in axes.patches]
    assert tints == [landscape.to_hex(colour) for colour in landscape.filled([None] * 9).get_facecolor()]
    for step, patch in enumerate(axes.patches):
        assert (patch.get_y(), patch.get_height()) == (step, 1)
        assert float(marks[step]) > float(marks[step + 1])
    assert [float(marks[step]) for step in range(10)] == [*landscape.BELOW[::-1], 0]


def test_every_path_of_the_course_is_seen_on_every_tint():
    def luminance(colour):
        return TO_XYZ[1] @ linear(colour)

    tints = [luminance(tint) for tint in landscape.tints(9)]
    assert np.all(np.diff(tints) < 0), "darker with each level"
    for line in (style.TARGET, style.APPROXIMATION, style.NATURAL_GRADIENT, style.ORDINARY_GRADIENT):
        for tint in tints:
            assert (tint + 0.05) / (luminance(line["color"]) + 0.05) >= 3.0
