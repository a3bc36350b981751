"""Another surface: three probabilities, a triangle that is a piece of a sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from igviz.geometry.distances import fisher_rao_distance
from igviz.geometry.families.categorical import Categorical
from igviz.geometry.geodesics import geodesic
from igviz.panels.engine import Prediction, Slider, panel
from igviz.plots import simplex, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES = ("1", "2", "3")
SECOND = {
    "inside": (0.05, 0.35, 0.6),
    "middle of side 2–3": (0.0, 0.5, 0.5),
    "corner 3": (0.0, 0.0, 1.0),
}
COUNT = 61
TIMES = np.linspace(0.0, 1.0, COUNT)
STYLES = {
    "fisher-rao": style.GEODESIC,
    "natural": style.NATURAL_GEODESIC,
    "expectation": style.EXPECTATION_GEODESIC,
}


def distribution(share: float, split: float) -> Categorical:
    """Return the distribution that gives class 1 its share and class 2 its part of the rest."""
    rest = 1.0 - share
    return Categorical([share, rest * split, rest * (1.0 - split)])


def path(p: Categorical, q: Categorical, kind: str, t: np.ndarray) -> np.ndarray | None:
    """Return the probabilities along a geodesic at times t, shape (n, 3).

    None where there is no e-geodesic: its ends must allow the same classes. Where both leave out a class it
    runs within the side that is left.
    """
    if kind != "natural":
        return geodesic(p, q, kind)(t).probabilities
    allowed = p.probabilities > 0.0
    if not np.array_equal(allowed, q.probabilities > 0.0):
        return None
    result = np.zeros((t.size, 3))
    if np.sum(allowed) == 1:
        result[:, allowed] = 1.0
        return result
    first, last = (Categorical(one.probabilities[allowed]) for one in (p, q))
    result[:, allowed] = geodesic(first, last, "natural")(t).probabilities
    return result


def _setup(axes: tuple[Axes, Axes]) -> None:
    triangle, ball = axes
    simplex.prepare_triangle(triangle, NAMES)
    simplex.prepare_ball(ball, NAMES)
    triangle.set_title("probabilities")
    ball.set_title("2√p, a sphere of radius 2, curvature +¼")
    for one in axes:
        one.title.set(fontsize=style.LABEL_SIZE, color=style.INK, family=style.FONT, zorder=0.9)
    for kind, label in (
        ("fisher-rao", "great circle"),
        ("natural", "e-geodesic"),
        ("expectation", "m-geodesic"),
    ):
        triangle.plot([], [], label=label, **STYLES[kind])
    triangle.plot([], [], label="p", **style.TARGET_POINT)
    triangle.plot([], [], label="q", **style.APPROXIMATION_POINT)
    style.legend(triangle, loc="lower center", ncols=2, frameon=False, handlelength=2.8, columnspacing=2.5)
    triangle.get_legend().set_zorder(0.9)  # type: ignore[union-attr]


HERE: dict[str, Any] = {
    "marker": "o",
    "markersize": 7,
    "linestyle": "none",
    "markeredgecolor": style.PAPER,
    "markeredgewidth": 0.8,
}


def _divergences(start: Categorical, end: Categorical) -> str:
    there, back = float(start.kl(end)), float(end.kl(start))
    if np.isinf(there) and np.isinf(back):
        return "KL(p‖q) and KL(q‖p) are infinite"
    words = [f"{number:.3f} nats" if np.isfinite(number) else "infinite" for number in (there, back)]
    return f"KL(p‖q) {words[0]}, KL(q‖p) {words[1]}"


@panel(
    layout=(1, 2),
    setup=_setup,
    share=Slider(0, 1, 0.05, label="p: share of class 1"),
    split=Slider(0, 1, 0.05, label="p: 2's part of the rest"),
    q=Slider(choices=tuple(SECOND)),
    t=(0, 1, 0.02),
    play="t",
    scenes={
        "Two points inside": {},
        "To the middle of a side": {"q": "middle of side 2–3"},
        "From corner to corner": {"share": 1, "q": "corner 3"},
        "Along a side": {"share": 0, "split": 0.9, "q": "middle of side 2–3"},
    },
    predict=Prediction(
        "Let p be always class 1 and q always class 3, nothing in common. How far apart are they on the "
        "ball, and in KL?",
        ["Both infinite", "Distance finite, KL infinite", "Both finite"],
        at={"share": 1, "q": "corner 3"},
    ),
)
def simplex_and_sphere(
    axes: tuple[Axes, Axes], share: float = 0.75, split: float = 0.8, q: str = "inside", t: float = 0.5
) -> str:
    """Three probabilities as a triangle and as a piece of a sphere, with three ways between two points."""
    start, end = distribution(share, split), Categorical(SECOND[q])
    here = {}
    for kind, line in STYLES.items():
        points = path(start, end, kind, np.append(TIMES, t))
        if points is None:
            continue
        here[kind] = points[-1, 2]
        for one, place in zip(axes, (simplex.on_triangle, simplex.on_ball), strict=True):
            one.plot(*place(points[:-1]).T, **line)
            one.plot(*place(points[-1:]).T, **{**HERE, "color": line["color"]})
    for one, place in zip(axes, (simplex.on_triangle, simplex.on_ball), strict=True):
        one.plot(*place(start.probabilities)[:, None], **style.TARGET_POINT)
        one.plot(*place(end.probabilities)[:, None], **style.APPROXIMATION_POINT)
    distance = float(fisher_rao_distance(start, end))
    length = "π = 3.142" if np.isclose(distance, np.pi, rtol=0.0, atol=1e-12) else f"{distance:.3f}"
    e_share = f"{here['natural']:.2f}" if "natural" in here else "none: natural coordinates ∞"
    return (
        f"Sphere of curvature +1/4: p and q are 2·arccos Σ√(pq) = {length} apart; "
        f"{_divergences(start, end)}. Share of class 3 at t = {t:.2f}: great circle "
        f"{here['fisher-rao']:.2f}, m {here['expectation']:.2f}, e {e_share}."
    )
