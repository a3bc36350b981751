"""A line added quickly is the line that Matplotlib would add."""

from __future__ import annotations

import matplotlib.axes
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from igviz.panels.engine.axes import PanelAxes
from igviz.plots import style

X = np.linspace(0.1, 0.9, 50)


def drawn(kind, fixed, *given, **look):
    figure = Figure(dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot(axes_class=kind)
    axes.set_autoscale_on(not fixed)
    lines = axes.plot(*given, **look)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy(), lines, axes


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize(
    ("given", "look"),
    [
        ((X, X**2), style.GEODESIC),
        (([0.5], [0.5]), style.TARGET_POINT),
        (([], []), {**style.TARGET, "label": "p"}),
        ((X, X**2), {"color": "k", "scalex": False}),
        ((X, np.stack([X, X**2], axis=-1)), {"color": "k"}),
        ((X, X**2, "r--"), {}),
        ((X,), {"color": "k"}),
        ((X, X**2), {}),
        ((["a", "b"], [0.2, 0.4]), {"color": "k"}),
        (("one", "two", ""), {"color": "k", "data": {"one": X, "two": X**3}}),
    ],
)
def test_the_same_line(fixed, given, look):
    ours, theirs = (drawn(kind, fixed, *given, **look) for kind in (PanelAxes, matplotlib.axes.Axes))
    np.testing.assert_array_equal(ours[0], theirs[0])
    assert len(ours[1]) == len(theirs[1])
    assert ours[2].get_xlim() == theirs[2].get_xlim()
    assert [one.get_label() for one in ours[1] if one.get_label()[:1] not in ("", "_")] == [
        one.get_label() for one in theirs[1] if one.get_label()[0] != "_"
    ]
    assert list(ours[2].lines) == ours[1]


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="same first dimension"):
        drawn(PanelAxes, True, X, X[1:], color="k")
