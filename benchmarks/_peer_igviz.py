"""igviz and SciPy's L-BFGS through igviz: whole calls, each up to the step that is asked for."""

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
    problem, found, route, repeats = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    targets = [float(target) for target in sys.argv[5:]]
    with np.load(problem) as stored:
        model = ig.LogisticRegression(stored["X"], stored["y"], float(stored["prior_precision"]))
    call = ROUTES[route]
    rows = []
    clock = time.perf_counter()
    fit = call(model)
    cold = (time.perf_counter() - clock) / (len(fit.history.elbo) - 1)
    for target in targets:
        steps = int(np.argmax(fit.history.elbo > fit.elbo - target))
        seconds = []
        for _ in range(repeats):
            clock = time.perf_counter()
            q = call(model, max_iter=steps).q
            seconds.append(time.perf_counter() - clock)
        rows.append((steps, cold * steps, median(seconds), q.mean, q.cov))
    names = ("iteration", "cold", "warm", "mean", "cov")
    np.savez(found, **{n: np.array(v) for n, v in zip(names, zip(*rows, strict=True), strict=True)})


if __name__ == "__main__":
    main()
