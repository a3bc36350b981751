"""Frames over a cached background equal full redraws, pixel for pixel, and none depends on the one before."""

from __future__ import annotations

from functools import cache

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import LineCollection
from matplotlib.patches import Ellipse, FancyArrow, FancyArrowPatch, Polygon, Rectangle

from igviz.panels.engine.frames import Frames, Layout, _inches

SMALL = Layout(size=(320, 200))
TWO = Layout(1, 2, size=(480, 200))
X = np.linspace(0.0, 10.0, 81)
GRID = np.meshgrid(np.linspace(0.0, 10.0, 21), np.linspace(-2.0, 2.0, 17))
DPI = (125.0, 200.0, 153.0)


def limits(axes):
    axes.set(xlim=(0, 10), ylim=(-2, 2), yticks=(-1, 1), xlabel="x", title="a title")


def frames(draw, setup=limits, layout=SMALL, probes=({"v": 5},)):
    return Frames(draw, setup, layout, list(probes))


def fresh(draw, values, setup=limits, layout=SMALL, probes=({"v": 5},), dpi=100.0):
    """The reference: nothing cached, nothing before, everything drawn."""
    made = frames(draw, setup, layout, probes)
    made.draw(values, dpi=dpi, plain=True)
    return made.pixels()


def laid_out(made, like):
    """Take limits and layout over from another object: cheaper, and they have tests of their own."""
    made._limits, made._positions = like._limits, like._positions
    made._legend_places = like._legend_places
    return made


def reference(made, values, dpi=100.0):
    """As `fresh`, but for limits and layout."""
    plain = laid_out(Frames(made._draw, made._setup, made._layout, made._probes), made)
    plain.draw(values, dpi=dpi, plain=True)
    return plain.pixels()


@cache
def first_of(setup):
    made = frames(lambda axes, v: "words", setup)
    made.draw({"v": 5})
    return made


def hill(v):
    return np.exp(-((GRID[0] - v) ** 2) / 8) * np.cos(GRID[1])


# -- every kind of artist ------------------------------------------------------------------------------

MOVING = {
    "line": lambda axes, v: axes.plot(X, np.sin(X + v), lw=2),
    "markers": lambda axes, v: axes.plot(X[::8], np.sin(X[::8] + v), "o--", ms=7, mec="k"),
    "fill_between": lambda axes, v: axes.fill_between(X, np.sin(X + v), alpha=0.4),
    "scatter": lambda axes, v: axes.scatter(X, np.cos(X * v), c=X, s=10 + X, cmap="viridis"),
    "bar": lambda axes, v: axes.bar(np.arange(9), np.sin(np.arange(9) + v)),
    "hist": lambda axes, v: axes.hist((X * v) % 9, bins=12, density=True),
    "step": lambda axes, v: axes.step(X, np.sin(X + v)),
    "stem": lambda axes, v: axes.stem(X[::9], np.sin(X[::9] + v)),
    "errorbar": lambda axes, v: axes.errorbar(X[::9], np.sin(X[::9] + v), yerr=0.1 * v, capsize=3),
    "imshow": lambda axes, v: axes.imshow(
        hill(v), extent=(1, 9, -1, 1), aspect="auto", origin="lower", interpolation="bilinear"
    ),
    "pcolormesh": lambda axes, v: axes.pcolormesh(*GRID, hill(v), shading="gouraud"),
    "pcolor": lambda axes, v: axes.pcolormesh(*GRID, hill(v), zorder=0),
    "contour": lambda axes, v: axes.contour(*GRID, hill(v), levels=5),
    "contourf": lambda axes, v: axes.contourf(*GRID, hill(v), levels=5),
    "clabel": lambda axes, v: axes.clabel(axes.contour(*GRID, hill(v), levels=3)),
    "quiver": lambda axes, v: axes.quiver(X[::8], np.zeros(11), np.sin(X[::8] + v), np.cos(X[::8] + v)),
    "streamplot": lambda axes, v: axes.streamplot(*GRID, 1 + 0 * GRID[0], np.sin(GRID[0] + v), density=0.5),
    "text": lambda axes, v: axes.text(v, 0.5, rf"$\mu = {v}$ and 'words'"),
    "annotate": lambda axes, v: axes.annotate("here", (v, 0), (5, 1.2), arrowprops={"arrowstyle": "->"}),
    "axline": lambda axes, v: (axes.axline((v, 0), slope=0.2), axes.axhline(0.1 * v), axes.axvline(v)),
    "spans": lambda axes, v: (axes.axvspan(v, v + 1, alpha=0.3), axes.axhspan(-0.5, 0.1 * v, color="0.8")),
    "patches": lambda axes, v: [
        axes.add_patch(patch)
        for patch in (
            Ellipse((v, 0), 3, 1, angle=10 * v, fill=False),
            Polygon([(1, -1), (v, 1), (6, -1)], color="C1", alpha=0.5),
            FancyArrow(1, 0, v / 2, 0.5, width=0.05),
            FancyArrowPatch((1, -1), (v, 1.5), mutation_scale=12),
            Rectangle((v, -2), 5, 3.9, hatch="/", fill=False),
        )
    ],
    "collection": lambda axes, v: axes.add_collection(
        LineCollection([np.column_stack([X, np.sin(X + v + k)]) for k in range(4)], colors=["k", "r"])
    ),
    "table": lambda axes, v: axes.table([[f"{v}", "b"]], bbox=(0.1, 0.1, 0.5, 0.3)),
    "hexbin": lambda axes, v: axes.hexbin(X, np.sin(X * v), gridsize=8, extent=(0, 10, -2, 2)),
    "boxplot": lambda axes, v: axes.violinplot([np.sin(X * v), np.cos(X * v)], positions=[3, 6]),
}


def drawn_by(add):
    def draw(axes, v):
        add(axes, v)
        return f"v is {v}"

    return draw


@pytest.mark.parametrize("number, kind", list(enumerate(MOVING)))
def test_a_frame_equals_a_full_redraw(number, kind):
    made = laid_out(frames(drawn_by(MOVING[kind])), first_of(limits))
    for dpi in (100.0, DPI[number % 3]):
        for v in (3, 8):
            made.draw({"v": v}, dpi=dpi)
        assert made.full_draws == 0, "an ordinary frame must use the cached background"
        assert np.array_equal(made.pixels(), reference(made, {"v": 8}, dpi))


def wave(axes, v, **options):
    axes.plot(X, 1.8 * np.sin(X + v), lw=6, **options)
    return f"v is {v}"


def rich(axes):
    """Legend, twin axes, inset and colour bar."""
    limits(axes)
    axes.plot([0, 10], [0, 1], "k:", label="guide")
    axes.legend(loc="upper right")
    twin = axes.twinx()
    twin.plot(X, X**2, color="r", lw=4)
    twin.set_ylabel("twice")
    inset = axes.inset_axes((0.1, 0.6, 0.3, 0.3))
    inset.plot(X, X)
    shown = axes.contourf(*GRID, hill(2), alpha=0.5)
    axes.figure.colorbar(shown, ax=axes)
    axes.figure.text(0.5, 0.5, "over all", fontsize=20)


def behind(axes):
    """The twin axes lie behind the axes that move."""
    limits(axes)
    twin = axes.twinx()
    twin.plot(X, X, color="r", lw=8)
    axes.set_zorder(twin.get_zorder() + 1)
    axes.patch.set_visible(False)


def above(axes):
    limits(axes)
    axes.imshow(hill(5), extent=(0, 10, -2, 2), aspect="auto")
    axes.add_patch(Ellipse((5, 0), 4, 2, color="w", alpha=0.6, zorder=9))
    axes.text(5, 0, "static, above", zorder=10)
    axes.plot(X, 0 * X, "k", lw=3, zorder=0.7)


def logarithmic(axes):
    axes.set(xlim=(0.1, 10), ylim=(-2, 2), xscale="log")


def off(axes):
    limits(axes)
    axes.axis("off")


SETUPS = {
    "nothing": limits,
    "legend, twin, inset, colour bar": rich,
    "twin behind": behind,
    "static above and image below": above,
    "log": logarithmic,
    "axis off": off,
    "equal, box": lambda axes: (limits(axes), axes.set_aspect("equal")),
    "equal, data limits": lambda axes: (limits(axes), axes.set_aspect("equal", adjustable="datalim")),
    "ticks above": lambda axes: (limits(axes), axes.xaxis.tick_top(), axes.set_axisbelow(False)),
    "contour labels": lambda axes: (limits(axes), axes.clabel(axes.contour(*GRID, hill(4), levels=3))),
    "upside down": lambda axes: (limits(axes), axes.invert_yaxis()),
}


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS.keys())
def test_moving_artists_lie_between_the_static_ones_as_in_a_full_redraw(setup):
    def draw(axes, v):
        return wave(axes, v, zorder=v)

    made = frames(draw, setup, probes=({"v": 2},))
    for dpi in (100.0, 153.0):
        for v in (2, 20, 0.6):
            made.draw({"v": v}, dpi=dpi)
            assert np.array_equal(made.pixels(), reference(made, {"v": v}, dpi)), (v, dpi)
    assert made.full_draws == 0
    assert np.array_equal(made.pixels(), fresh(draw, {"v": 0.6}, setup, probes=({"v": 2},), dpi=153.0))


def test_the_order_of_moving_artists_may_change_from_frame_to_frame():
    def draw(axes, v):
        return wave(axes, v, zorder=v)

    made = frames(draw, above)
    for v in (0.2, 0.8, 9.5, 30, 0.8, 2):
        made.draw({"v": v})
        assert np.array_equal(made.pixels(), reference(made, {"v": v})), v
    assert made.full_draws == 0


def two_setup(axes):
    limits(axes[0])
    above(axes[1])


def two_draw(axes, v):
    wave(axes[0], v)
    if v != 3:  # now and then nothing moves in the second axes
        wave(axes[1], -v, zorder=v)
    return f"v is {v}"


def test_two_axes_are_cut_each_at_its_own_place():
    made = frames(two_draw, two_setup, TWO)
    for v in (2, 3, 15, 0.2, 3):
        made.draw({"v": v}, dpi=125)
        assert np.array_equal(made.pixels(), reference(made, {"v": v}, 125)), v
    assert made.full_draws == 0


def test_what_reaches_out_of_its_axes_lies_as_in_a_full_redraw():
    def draw(axes, v):
        axes[0].text(8, 0, "long words that reach far into the neighbour " + "!" * v)
        return f"v is {v}"

    made = frames(draw, two_setup, TWO)
    for v in (1, 6):
        made.draw({"v": v})
        assert np.array_equal(made.pixels(), reference(made, {"v": v})), v


# -- no frame depends on the one before ------------------------------------------------------------------

MEDDLERS = {
    "title": lambda axes: axes.set_title("another"),
    "label": lambda axes: axes.set_xlabel("y"),
    "limits": lambda axes: axes.set_xlim(0, 5),
    "autoscale": lambda axes: (axes.autoscale(), axes.relim()),
    "free limits": lambda axes: (axes.autoscale(), axes.plot([0, 1], [-9, 9])),
    "scale": lambda axes: axes.set_yscale("symlog"),
    "legend": lambda axes: (axes.plot([], [], label="new"), axes.legend(loc="lower left")),
    "no legend": lambda axes: axes.get_legend().remove(),
    "legend text": lambda axes: axes.get_legend().get_texts()[0].set_text("else"),
    "aspect": lambda axes: axes.set_aspect("equal"),
    "ticks": lambda axes: axes.set_xticks([1, 2]),
    "fewer ticks": lambda axes: axes.locator_params(nbins=2),
    "tick format": lambda axes: axes.ticklabel_format(style="sci", scilimits=(0, 0)),
    "tick colour": lambda axes: axes.xaxis.get_major_ticks()[2].label1.set_color("red"),
    "colour": lambda axes: axes.lines[0].set_color("red"),
    "data": lambda axes: axes.lines[0].set_ydata([1, 0]),
    "visible": lambda axes: axes.lines[0].set_visible(False),
    "removed": lambda axes: axes.lines[0].remove(),
    "order": lambda axes: axes.lines[0].set_zorder(50),
    "face": lambda axes: axes.set_facecolor("yellow"),
    "axis off": lambda axes: axes.set_axis_off(),
    "hidden": lambda axes: axes.set_visible(False),
    "spine": lambda axes: axes.spines["left"].set_position(("data", 3)),
    "grid": lambda axes: axes.grid(False),
    "place": lambda axes: axes.set_position((0.3, 0.3, 0.3, 0.3)),
    "cleared": lambda axes: axes.clear(),
    "figure text": lambda axes: axes.figure.text(0.5, 0.5, "words"),
    "heading": lambda axes: axes.figure.texts[0].set_text("another heading"),
    "figure colour": lambda axes: axes.figure.set_facecolor("pink"),
    "twin": lambda axes: axes.figure.axes[1].plot([0, 10], [1, 0]),
    "inset": lambda axes: axes.child_axes[0].plot([0, 10], [1, 0]),
}


def guide_setup(axes):
    limits(axes)
    axes.plot([0, 10], [0, 1], "k:", label="guide")
    axes.legend(loc="upper right")
    axes.figure.text(0.01, 0.95, "heading")


def outer_setup(axes):
    guide_setup(axes)
    axes.twinx().plot(X, X)
    axes.inset_axes((0.1, 0.6, 0.3, 0.3)).plot(X, X)


_undisturbed: dict[tuple[object, int], np.ndarray] = {}


@pytest.mark.parametrize("kind", MEDDLERS)
def test_a_function_that_touches_what_stands_still_gets_a_plain_full_draw_and_leaves_no_trace(kind):
    meddle, setup = MEDDLERS[kind], outer_setup if kind in ("twin", "inset") else guide_setup

    def draw(axes, v):
        if v == 7:
            meddle(axes)
        return wave(axes, v)

    made = laid_out(frames(draw, setup), first_of(setup))
    for v, full in ((2, 0), (7, 1), (4, 1)):
        made.draw({"v": v})
        if v == 7 or (setup, v) not in _undisturbed:
            _undisturbed[setup, v] = reference(made, {"v": v})
        assert np.array_equal(made.pixels(), _undisturbed[setup, v]), v
        assert made.full_draws == full, v


def test_automatic_limits_of_one_frame_do_not_know_what_an_earlier_one_reached():
    def draw(axes, v):
        if v == 7:
            axes.autoscale()
        axes.plot([0, v], [0, 90 / v])
        return f"v is {v}"

    made = frames(draw)
    for v in (1, 3, 7):
        made.draw({"v": v})
    assert np.array_equal(made.pixels(), reference(made, {"v": 7}))


@pytest.mark.parametrize("kind", ["contour labels", "equal, data limits"])
def test_axes_set_up_anew_at_another_size_are_those_of_a_fresh_figure(kind):
    def draw(axes, v):
        if v == 7:
            axes.set_title("changed")
        return wave(axes, v)

    made = frames(draw, SETUPS[kind])
    for v, dpi in ((2, 100), (2, 133.3), (7, 153), (2, 200), (7, 125), (4, 125), (4, 153)):
        made.draw({"v": v}, dpi=dpi)
    assert np.array_equal(made.pixels(), fresh(draw, {"v": 4}, SETUPS[kind], dpi=153))


def test_a_function_that_raises_midway_leaves_nothing_behind():
    def draw(axes, v):
        wave(axes, v)
        if v == 7:
            axes.set_title("half done")
            axes.figure.text(0.5, 0.5, "half done")
            raise ArithmeticError("midway")
        return f"v is {v}"

    made = frames(draw)
    made.draw({"v": 2})
    before = made.pixels()
    with pytest.raises(ArithmeticError):
        made.draw({"v": 7})
    assert np.array_equal(made.pixels(), before)
    made.draw({"v": 4})
    assert np.array_equal(made.pixels(), fresh(draw, {"v": 4}))


@pytest.mark.parametrize(
    "add",
    [
        lambda axes: axes.twinx(),
        lambda axes: axes.inset_axes((0, 0, 0.2, 0.2)),
        lambda axes: axes.figure.add_axes((0, 0, 0.2, 0.2)),
        lambda axes: axes.figure.colorbar(axes.scatter([1], [1], c=[1.0]), ax=axes),
        lambda axes: axes.secondary_xaxis("top"),
    ],
)
def test_new_axes_are_an_error_and_the_next_frame_is_right(add):
    def draw(axes, v):
        if v == 7:
            add(axes)
        return wave(axes, v)

    made = frames(draw)
    with pytest.raises(RuntimeError, match="axes and colour bars belong in setup"):
        made.draw({"v": 7})
    made.draw({"v": 4})
    assert np.array_equal(made.pixels(), fresh(draw, {"v": 4}))


@pytest.mark.parametrize("answer", [None, 3, "", "  ", b"bytes"])
def test_a_function_must_return_a_sentence(answer):
    with pytest.raises(TypeError, match="must return a sentence"):
        frames(lambda axes, v: answer).draw({"v": 1})


def test_a_hundred_frames_leave_no_artist_and_no_container_behind():
    def draw(axes, v):
        for add in ("bar", "errorbar", "stem", "clabel", "annotate"):
            MOVING[add](axes, v)
        return f"v is {v}"

    def setup(axes):
        limits(axes)
        axes.bar([1], [1])

    made = frames(draw, setup)
    made.draw({"v": 1})
    (axes,) = made.axes
    counts = len(axes.get_children()), len(axes.containers), axes.dataLim.get_points().tolist()
    assert counts[1] == 1
    for v in range(100):
        made.draw({"v": v % 9})
    assert made.full_draws == 0
    assert (len(axes.get_children()), len(axes.containers), axes.dataLim.get_points().tolist()) == counts


def test_colours_start_again_in_each_frame():
    made, seen = frames(lambda axes, v: str([*axes.plot(X, X), *axes.bar([1], [1])][-1])), set()
    for v in range(3):
        with made.drawn({"v": v}):
            seen.add((made.axes[0].lines[-1].get_color(), made.axes[0].patches[-1].get_facecolor()))
    assert len(seen) == 1


KINDS = tuple(MOVING)


def random_draw(axes, v):
    """One of many pictures: two kinds of artists, their order, and now and then a meddling function."""
    MOVING[KINDS[v % len(KINDS)]](axes, v % 9)
    MOVING[KINDS[(7 * v + 3) % len(KINDS)]](axes, v % 5)
    axes.plot(X, np.cos(X + v), zorder=(0.3, 2, 12)[v % 3])
    if v % 5 == 4:
        tuple(MEDDLERS.values())[v](axes)
    return f"v is {v}"


_references: dict[int, np.ndarray] = {}


@settings(max_examples=25, derandomize=True, deadline=None, database=None)
@given(st.lists(st.integers(0, 16), min_size=2, max_size=5))
def test_no_frame_depends_on_the_one_before(sequence):
    made = laid_out(frames(random_draw, guide_setup), first_of(guide_setup))
    for v in sequence:
        made.draw({"v": v})
        if v not in _references:
            _references[v] = reference(made, {"v": v})
        assert np.array_equal(made.pixels(), _references[v]), sequence


# -- limits, layout, settings ----------------------------------------------------------------------------


def test_limits_given_by_setup_are_kept():
    made = frames(lambda axes, v: wave(axes, 100 * v), lambda axes: axes.set_xlim(-1, 3))
    made.draw({"v": 1})
    assert made.axes[0].get_xlim() == (-1, 3)


def test_automatic_limits_hold_every_probe():
    def draw(axes, v):
        axes.plot([0, v], [v, 1])
        return f"v is {v}"

    def alone(v):
        made = frames(draw, None, probes=({"v": v},))
        made.draw({"v": v})
        return np.array([made.axes[0].get_xlim(), made.axes[0].get_ylim()])

    made = frames(draw, None, probes=({"v": 1}, {"v": -4}, {"v": 9}))
    each = [alone(v) for v in (1, -4, 9)]
    for v in (1, 9, -4, 1):
        made.draw({"v": v})
        (axes,) = made.axes
        found = np.array([axes.get_xlim(), axes.get_ylim()])
        assert np.array_equal(found[:, 0], np.min([one[:, 0] for one in each], axis=0))
        assert np.array_equal(found[:, 1], np.max([one[:, 1] for one in each], axis=0))
    assert made.full_draws == 0


def test_an_end_of_a_slider_that_fails_does_not_spoil_the_limits_but_the_start_must_work():
    def draw(axes, v):
        if v == 9:
            raise ArithmeticError
        axes.plot([0, v], [0, 1])
        return f"v is {v}"

    frames(draw, None, probes=({"v": 1}, {"v": 9})).draw({"v": 1})
    with pytest.raises(ArithmeticError):
        frames(draw, None, probes=({"v": 9}, {"v": 1})).draw({"v": 1})


def test_automatic_limits_keep_an_axis_upside_down():
    def draw(axes, v):
        axes.imshow(np.eye(4) * v, vmin=0, vmax=9, aspect="auto")
        return f"v is {v}"

    made = frames(draw, None)
    made.draw({"v": 1})
    assert made.axes[0].get_ylim() == (3.5, -0.5)


def test_the_layout_stays_as_it_was_whatever_happens():
    def draw(axes, v):
        if v == 7:
            axes.set_ylabel("a label\nof two lines", fontsize=30)
        return wave(axes, v)

    made = frames(draw, rich)
    found = set()
    for v, dpi in ((1, 100), (7, 100), (1, 200), (2, 125)):
        made.draw({"v": v}, dpi=dpi)
        found.add(tuple(tuple(np.round(axes.get_position().bounds, 9).tolist()) for axes in made.figure.axes))
    assert len(found) == 1


def test_a_legend_at_the_best_place_finds_it_once():
    def setup(axes):
        limits(axes)
        axes.plot([], [], "k", label="guide")
        axes.legend(loc="best")

    def draw(axes, v):
        axes.axvspan(v, v + 3, zorder=v)
        return f"v is {v}"

    made, places = frames(draw, setup, probes=({"v": 7},)), set()
    for v in (1, 7, 3):
        with made.drawn({"v": v}):
            box = made.axes[0].get_legend().get_window_extent()
            places.add(tuple(np.round(box.bounds, 3).tolist()))
        assert np.array_equal(made.pixels(), fresh(draw, {"v": v}, setup, probes=({"v": 7},)))
    assert len(places) == 1
    assert places.pop()[0] < 160, "the start's span lies to the right, so the legend goes to the left"


@pytest.mark.parametrize("dpi", [100.0, 110.0, 125.0, 400 / 3, 150.0, 153.0, 191.25, 306.0])
def test_no_size_loses_a_dot_to_rounding(dpi):
    assert all(int(_inches(dots, dpi) * dpi) == dots for dots in range(200, 2300))


@pytest.mark.parametrize("dpi, dots", [(100, (320, 200)), (153, (490, 306)), (133.3333, (427, 267))])
def test_the_buffer_has_the_size_it_should(dpi, dots):
    made = frames(drawn_by(MOVING["line"]))
    made.draw({"v": 1}, dpi=dpi)
    assert made.pixels().shape == (dots[1], dots[0], 4)
    made.draw({"v": 1}, dpi=dpi, size=(491, 307))
    assert made.pixels().shape == (307, 491, 4)


def test_a_readers_settings_change_no_pixel_of_the_frames_to_come():
    def draw(axes, v):
        axes.plot(X, np.sin(X + v), color="k", linewidth=2, linestyle="-", marker="None")
        axes.text(v, 1, "words", fontsize=10, color="k", family="DejaVu Sans")
        return f"v is {v}"

    expected = fresh(draw, {"v": 4})
    made = frames(draw)
    made.draw({"v": 2})
    wild = {
        "figure.facecolor": "black",
        "axes.facecolor": "navy",
        "axes.edgecolor": "red",
        "axes.grid": False,
        "axes.linewidth": 4,
        "lines.linewidth": 9,
        "lines.color": "red",
        "font.size": 24,
        "xtick.labelsize": 20,
        "xtick.color": "red",
        "text.color": "red",
        "grid.color": "red",
        "figure.dpi": 50,
        "savefig.dpi": 50,
        "figure.constrained_layout.use": True,
    }
    with mpl.rc_context(wild):
        made.draw({"v": 4})
        assert np.array_equal(made.pixels(), expected)
