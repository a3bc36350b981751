"""Bins against shares found by differentiating probabilities, and the scenes against what they promise."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from matplotlib.patches import StepPatch
from scipy import stats

import igviz.panels.fisher_information as lecture
from igviz.plots import style

bins = sys.modules["igviz.panels.fisher_information.bins"]
PLACES = [
    (0, 0.5, 0.3, "mean"),
    (0, 0.7, 1.1, "std"),
    (1, 0.85, 1.7, "std"),
    (2, 1.15, 3.0, "std"),
    (3, 1.0, 0.0, "mean"),
    (4, 1.45, 2.2, "std"),
    (6, 1.5, 0.6, "mean"),
]
SENTENCE = (
    r"Bins ([\d.]+) std wide keep ([\d.]+) of the information about the (mean|std): 100 binned data "
    r"are worth (\d+) exact ones\. Halved bins keep ([\d.]+)\."
    r"(?: At ([\d.]+), narrower but not nested: ([\d.]+)\.)?"
    r"(?: Fine bins: about 1 − w²/(12|6) = ([\d.]+)\.)?"
    r"( It is 2/π: only the sign is left\.)?"
)


@pytest.fixture(scope="module")
def panel():
    made = lecture.bins()
    yield made
    made.close()


def read(sentence: str) -> re.Match[str]:
    found = re.fullmatch(SENTENCE, sentence)
    assert found, sentence
    return found


def share(width, edge, parameter):
    """Σ (∂P)²/P over the bins, ∂P by central differences of SciPy's tails, over the exact information."""
    edges = edge + width * np.arange(-np.ceil(12 / width) - 1, np.ceil(12 / width) + 2)
    step = 1e-5

    def chances(mean, std):
        below, above = stats.norm.cdf(edges, mean, std), stats.norm.sf(edges, mean, std)
        inner = np.where(edges[:-1] < 0, np.diff(below), -np.diff(above))
        return np.concatenate([[below[0]], inner, [above[-1]]])

    up, down = (
        (chances(step, 1), chances(-step, 1))
        if parameter == "mean"
        else (chances(0, 1 + step), chances(0, 1 - step))
    )
    chance, slope = chances(0, 1), (up - down) / (2 * step)
    seen = chance > 1e-30
    information = np.sum(slope[seen] ** 2 / chance[seen])
    return information if parameter == "mean" else information / 2


@pytest.mark.parametrize(("doublings", "base", "edge", "parameter"), PLACES)
def test_the_sentence(panel, doublings, base, edge, parameter):
    panel.set(doublings=doublings, base=base, edge=edge, parameter=parameter)
    said = read(panel.sentence)
    width = base * 2**doublings
    assert float(said[1]) == pytest.approx(width, abs=6e-3)
    assert said[3] == parameter
    kept = share(width, edge, parameter)
    assert float(said[2]) == pytest.approx(kept, abs=6e-4)
    assert float(said[4]) == pytest.approx(100 * kept, abs=0.51)
    assert float(said[5]) == pytest.approx(share(width / 2, edge, parameter), abs=6e-4)
    if said[6]:
        assert float(said[6]) < width
        assert float(said[7]) == pytest.approx(share(float(said[6]), edge, parameter), abs=6e-4)
        assert float(said[7]) < kept
    assert bool(said[8]) == (width <= 1.0)
    if said[8]:
        law = {"mean": 12, "std": 6}[parameter]
        assert (int(said[8]), float(said[9])) == (law, pytest.approx(1 - width**2 / law, abs=6e-4))


@pytest.mark.parametrize("edge", [0.0, 0.7, 2.3, 3.0])
def test_shares_of_every_width(edge):
    kept = bins.shares(edge)
    assert kept.shape == (len(bins.WIDTHS), 2)
    assert np.all((kept >= 0.0) & (kept < 1.0)), "never more than the exact datum"
    for k in range(0, len(bins.WIDTHS), 9):
        expected = [share(bins.WIDTHS[k], edge, parameter) for parameter in bins.PARAMETERS]
        np.testing.assert_allclose(kept[k], expected, atol=1e-8)


def test_what_is_known_in_closed_form():
    sign, fine = bins.place(8.0), bins.place(0.25)
    np.testing.assert_allclose(bins.shares(0.0)[sign], [2 / np.pi, 0.0], atol=1e-11)
    # to first order w²/12·E[(∂ score/∂x)²]/I is lost: w²/12 for the mean, w²/6 for the std
    for edge in (0.0, 0.1, 1.3):
        lost = 1.0 - bins.shares(edge)[fine]
        np.testing.assert_allclose(lost, [0.25**2 / 12, 0.25**2 / 6], rtol=0.03)


@pytest.mark.parametrize("edge", [one / 10 for one in range(31)])
def test_joining_bins_never_tells_more(edge):
    """Down every chain, each width is twice the one before and every edge is one of the finer ones."""
    kept = bins.shares(edge)
    for base in bins.BASES:
        chain = kept[[bins.place(base * 2.0**k) for k in range(-1, 7)]]
        assert np.all(np.diff(chain, axis=0) <= 1e-12)


def test_bins_that_are_not_nested_may_tell_more_though_wider():
    reach = bins.WIDTHS >= 0.5
    rises = {
        parameter: max(
            np.max(kept - np.minimum.accumulate(kept))
            for kept in (bins.shares(edge / 10)[reach, number] for edge in range(31))
        )
        for number, parameter in enumerate(bins.PARAMETERS)
    }
    assert rises["std"] > 0.25
    assert rises["mean"] < 1e-6, "with one edge fixed a wider bin never tells more about the mean"


@pytest.mark.parametrize(("doublings", "base", "edge", "parameter"), PLACES)
def test_the_picture(panel, doublings, base, edge, parameter):
    panel.set(doublings=doublings, base=base, edge=edge, parameter=parameter)
    width = base * 2**doublings
    with panel.drawn() as (density, kept):
        bars = next(
            one.get_data()
            for one in density.get_children()
            if isinstance(one, StepPatch) and np.all(np.isfinite(one.get_data().values))
        )
        np.testing.assert_allclose(np.diff(bars.edges), width)
        assert np.min(np.abs(bars.edges - edge)) < 1e-9, "the chosen edge is one of them"
        assert bars.edges[0] <= density.get_xlim()[0]
        assert bars.edges[-1] >= density.get_xlim()[1]
        np.testing.assert_allclose(bars.values * width, np.diff(stats.norm.cdf(bars.edges)), atol=1e-12)
        assert max(bars.values) < density.get_ylim()[1]
        curve = next(line for line in kept.lines if len(line.get_xdata()) == len(bins.WIDTHS))
        chain = next(line for line in kept.lines if len(line.get_xdata()) == 7)
        np.testing.assert_allclose(chain.get_xdata(), base * 2.0 ** np.arange(7))
        expected = [share(one, edge, parameter) for one in chain.get_xdata()]
        np.testing.assert_allclose(chain.get_ydata(), expected, atol=1e-8)
        on_curve = np.interp(chain.get_xdata(), *curve.get_data())
        np.testing.assert_allclose(chain.get_ydata(), on_curve, atol=1e-12)
        now = next(line for line in kept.lines if line.get_marker() == "s" and len(line.get_xdata()))
        assert now.get_xydata()[0] == pytest.approx([width, share(width, edge, parameter)], abs=1e-8)
        rival = [line for line in kept.lines if line.get_marker() == "D"]
    assert len(rival) == bool(read(panel.sentence)[6])
    assert [line.get_color() for line in rival] == [style.VERMILLION] * len(rival)


def test_the_scenes(panel):
    panel.scene("Fine bins")
    said = read(panel.sentence)
    assert (said[2], said[8], said[9]) == ("0.980", "12", "0.979")
    panel.scene("A bin over the mean")
    assert read(panel.sentence)[2] == "0.029"
    panel.scene("Wider, yet better")
    said = read(panel.sentence)
    assert (said[1], said[2], said[6], said[7]) == ("4.60", "0.372", "3.20", "0.105")
    panel.scene("Only the sign")
    assert panel.sentence.endswith("only the sign is left.")
    panel.set(parameter="std")
    assert read(panel.sentence)[2] == "0.000", "the sign tells nothing about the std"


def test_the_prediction(panel):
    panel.answer("About two thirds")
    said = read(panel.sentence)
    assert (said[2], said[4]) == ("0.637", "64")
    assert said[10]
