"""Fisher–Rao distances: igviz against geomstats, in one run.

    python run.py bench geometry

- Univariate normals: 1,000 distances in one call, from arrays to an array. Both have closed forms. The time
  of igviz includes making the two grids of distributions; errors are against 50 digits of the textbook
  formula.
- Gamma, Beta and Dirichlet: pairs whose distances are known to 30 digits (`_geometry_references.py` made
  them). Both solve for the geodesic, one call a pair, and igviz once more with all pairs in one call.

The two sides take turns pair by pair, so that whatever else the machine does meets both. Seconds are medians
over the pairs of the median over the rounds, errors are relative to the reference. geomstats runs as it
comes, with the tolerances it has chosen.

What is compared is the same distance. Both have the metric (dmean² + 2·dstd²)/std² for normals, geomstats by
mean and standard deviation, too. Its Gamma distributions go by (shape, mean), igviz's by (shape, rate); Beta
and Dirichlet go by the same concentrations. The metrics are compared at a point before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import mpmath
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
REFERENCES = ROOT / "tests" / "geometry" / "fisher_rao_references.json"

NORMALS = 1_000
CALLS = 20  # of the fast closed form in one round
MORE_ACCURATE = 1_000.0


class Family:
    """One family on both sides."""

    def __init__(self, name: str, peer: Any, ours: Any, theirs: Callable[[np.ndarray], np.ndarray]) -> None:
        self.name, self.peer, self.ours, self.theirs = name, peer, ours, theirs
        self.pairs: np.ndarray = np.empty(0)
        self.references: list[str] = []

    def load(self) -> None:
        entries = json.loads(REFERENCES.read_text(encoding="utf-8"))[self.name]
        self.pairs = np.array([entry["pair"] for entry in entries])
        self.references = [entry["distance"] for entry in entries]

    def igviz(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        import igviz as ig

        return ig.fisher_rao_distance(self.ours.from_source(start), self.ours.from_source(end))

    def geomstats(self, start: np.ndarray, end: np.ndarray) -> float:
        return float(np.squeeze(self.peer.metric.dist(self.theirs(start), self.theirs(end))))

    def require_same_metric(self) -> None:
        """Raise if the two sides do not measure one velocity alike."""
        x, h = self.pairs[0][0], 1e-6
        v = np.arange(1.0, 1.0 + x.size) * x
        moved = (self.theirs(x + h * v) - self.theirs(x - h * v)) / (2 * h)
        other = moved @ np.squeeze(self.peer.metric.metric_matrix(self.theirs(x))) @ moved
        own = v @ self.ours.from_source(x).fisher() @ v
        if not abs(other / own - 1.0) < 1e-6:
            raise ArithmeticError(f"{self.name}: the metrics differ by a factor of {other / own:.6g}")


def families() -> tuple[Any, list[Family]]:
    """Return geomstats' univariate normals and the families without a closed form."""
    if not hasattr(np, "trapz"):
        setattr(np, "trapz", np.trapezoid)  # noqa: B010 - geomstats 2.8 imports it by its old name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from geomstats.information_geometry.beta import BetaDistributions
        from geomstats.information_geometry.dirichlet import DirichletDistributions
        from geomstats.information_geometry.gamma import GammaDistributions
        from geomstats.information_geometry.normal import NormalDistributions
    import igviz as ig

    def shape_and_mean(source: np.ndarray) -> np.ndarray:
        return np.stack([source[..., 0], source[..., 0] / source[..., 1]], axis=-1)

    numeric = [
        Family("Gamma", GammaDistributions(), ig.Gamma, shape_and_mean),
        Family("Beta", BetaDistributions(), ig.Beta, np.asarray),
        Family("Dirichlet", DirichletDistributions(dim=3), ig.Dirichlet, np.asarray),
    ]
    for family in numeric:
        family.load()
        family.require_same_metric()
    return NormalDistributions(sample_dim=1), numeric


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def relative_errors(values: Sequence[float], references: Sequence[Any]) -> list[float]:
    with mpmath.workdps(50):
        return [
            float(abs(mpmath.mpf(float(v)) / mpmath.mpf(r) - 1))
            for v, r in zip(values, references, strict=True)
        ]


# -- univariate normals ------------------------------------------------------------------------------


def exact_normal(p: np.ndarray, q: np.ndarray) -> mpmath.mpf:
    with mpmath.workdps(50):
        a, s, b, t = (mpmath.mpf(float(v)) for v in (*p, *q))
        return mpmath.sqrt(2) * mpmath.acosh(1 + ((a - b) ** 2 / 2 + (s - t) ** 2) / (2 * s * t))


def compare_normals(peer: Any, rounds: int) -> list[str]:
    import igviz as ig

    rng = np.random.default_rng(0)
    p, q = (np.stack([rng.normal(0, 2, NORMALS), np.exp(rng.normal(0, 0.8, NORMALS))], -1) for _ in range(2))

    def own() -> np.ndarray:
        return ig.fisher_rao_distance(ig.Normal(p[:, 0], p[:, 1]), ig.Normal(q[:, 0], q[:, 1]))

    def other() -> np.ndarray:
        return peer.metric.dist(p, q)

    times: dict[str, list[float]] = {"igviz": [], "geomstats": []}
    values = {"igviz": own(), "geomstats": other()}
    for _ in range(rounds * CALLS):
        times["igviz"].append(timed(own)[0])
        times["geomstats"].append(timed(other)[0])
    references = [exact_normal(a, b) for a, b in zip(p, q, strict=True)]
    seconds = {side: median(some) for side, some in times.items()}
    errors = {side: median(relative_errors(values[side], references)) for side in values}
    ratio = seconds["igviz"] / seconds["geomstats"]
    lines = [
        f"{NORMALS:,} univariate normals in one call:\n",
        "| | ms | median relative error |",
        "|---|---:|---:|",
    ]
    lines += [f"| {side} | {1000 * seconds[side]:.3f} | {errors[side]:.1e} |" for side in seconds]
    return [
        *lines,
        f"\n- igviz / geomstats: {ratio:.2f} of the time (aim: at most 1; {verdict(ratio <= 1)})\n",
    ]


# -- families without a closed form ------------------------------------------------------------------


def compare(family: Family, rounds: int) -> tuple[str, list[str]]:
    """Return a row of the table, and how the aims were met."""
    sides = {"igviz": family.igviz, "geomstats": family.geomstats}
    times: dict[str, list[list[float]]] = {side: [[] for _ in family.pairs] for side in sides}
    values: dict[str, list[float]] = {side: [np.nan] * len(family.pairs) for side in sides}
    together = []
    family.igviz(*family.pairs[0])  # what is loaded on first use is not timed
    for turn in range(rounds):
        for number, pair in enumerate(family.pairs):
            note(f"{family.name}, round {turn + 1} of {rounds}, pair {number + 1}")
            for side, distance in sides.items():
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    seconds, values[side][number] = timed(lambda d=distance, p=pair: d(*p))
                times[side][number].append(seconds)
        together.append(timed(lambda: family.igviz(family.pairs[:, 0], family.pairs[:, 1]))[0])
    note("")
    seconds = {side: median(median(some) for some in times[side]) for side in sides}
    errors = {side: relative_errors(values[side], family.references) for side in sides}
    middle = {side: median(some) for side, some in errors.items()}
    ratio = seconds["igviz"] / seconds["geomstats"]
    better = middle["geomstats"] / middle["igviz"]
    row = (
        f"| {family.name} | {seconds['igviz']:.4f} | {median(together) / len(family.pairs):.4f} "
        f"| {seconds['geomstats']:.4f} | {middle['igviz']:.1e} | {max(errors['igviz']):.1e} "
        f"| {middle['geomstats']:.1e} | {max(errors['geomstats']):.1e} |"
    )
    words = [
        f"- {family.name}: igviz / geomstats {ratio:.3f} of the time "
        f"(aim: at most 1; {verdict(ratio <= 1)}), "
        f"{better:.1e} times as accurate in the median "
        f"(aim: at least {MORE_ACCURATE:.0f}; {verdict(better >= MORE_ACCURATE)})"
    ]
    return row, words


def verdict(met: bool) -> str:
    return "met" if met else "**MISSED**"


def machine() -> str:
    found = [f"{name} {version(name)}" for name in ("geomstats", "numpy", "scipy")]
    return ", ".join([f"{os.cpu_count()} cores", f"Python {platform.python_version()}", *found])


def note(text: str) -> None:
    """Say on a terminal what is going on; an empty text wipes it away."""
    if sys.stderr.isatty():
        print(f"\r{text:<60}", end="" if text else "\r", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="times that each pair is measured")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")

    peer, numeric = families()
    print("\n".join(compare_normals(peer, options.rounds)))
    print(f"{len(numeric[0].pairs)} pairs of each family, seconds a pair and relative errors:\n")
    print(
        "| family | igviz, s | all in one call, s | geomstats, s | igviz, median error | worst "
        "| geomstats, median error | worst |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    words = []
    for family in numeric:
        row, more = compare(family, options.rounds)
        print(row, flush=True)
        words += more
    print("\n" + "\n".join(words))
    print(f"\n{options.rounds} rounds; {machine()}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
