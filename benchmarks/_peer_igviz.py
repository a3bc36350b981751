"""igviz, and SciPy's L-BFGS through igviz, in turn: whole calls up to the step that gets there."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import igviz as ig

ROUTES = {"igviz": ig.natural_gradient_vi, "SciPy L-BFGS": ig.lbfgs}


def main() -> None:
    problem, found, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3])
    targets = [float(target) for target in sys.argv[4:]]
    with np.load(problem) as stored:
        model = ig.LogisticRegression(stored["X"], stored["y"], float(stored["prior_precision"]))
    cold, histories = {}, {}
    for route, call in ROUTES.items():
        clock = time.perf_counter()
        histories[route] = call(model).history.elbo
        cold[route] = (time.perf_counter() - clock) / (len(histories[route]) - 1)
    columns: dict[str, list] = {name: [] for name in ("route", "iteration", "cold", "warm", "mean", "cov")}
    for target in targets:
        steps = {route: int(np.argmax(elbo > elbo[-1] - target)) for route, elbo in histories.items()}
        seconds: dict[str, list[float]] = {route: [] for route in ROUTES}
        ends = {}
        for _ in range(repeats):
            for route, call in ROUTES.items():
                clock = time.perf_counter()
                ends[route] = call(model, max_iter=steps[route]).q
                seconds[route].append(time.perf_counter() - clock)
        for route, q in ends.items():
            row = route, steps[route], cold[route] * steps[route], median(seconds[route]), q.mean, q.cov
            for name, value in zip(columns, row, strict=True):
                columns[name].append(value)
    np.savez(found, **{name: np.array(values) for name, values in columns.items()})


if __name__ == "__main__":
    main()
