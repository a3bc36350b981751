"""What the programs that run one peer share: the problem in, what was found and when out.

    python _peer_NAME.py PROBLEM.npz FOUND.npz SECONDS REPEATS

A peer is made once for a problem, which may compile, and run REPEATS times more than once. The first run is
the cold one: its times include the making. A run hands out (iterations, seconds, mean, covariance) as it
goes; while it does, its clock stands still.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

COMPILING = 30.0  # seconds more for the first run

Run = Callable[[int], Iterator[tuple[int, Callable[[], tuple[np.ndarray, np.ndarray]]]]]


def work(make: Callable[[np.ndarray, np.ndarray, float], Run]) -> None:
    """Run a peer.

    Parameters
    ----------
    make
        make(X, y, prior_precision) returns run(seed), which yields after every so many iterations how many
        they are, and a function that returns mean and covariance.
    """
    problem, found, seconds, repeats = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    with np.load(problem) as stored:
        arguments = stored["X"], stored["y"].astype(float), float(stored["prior_precision"])
    clock = time.perf_counter()
    run = make(*arguments)
    made = time.perf_counter() - clock
    columns: dict[str, list] = {name: [] for name in ("run", "iteration", "seconds", "mean", "cov")}
    for number in range(1 + repeats):
        spent, clock = made if number == 0 else 0.0, time.perf_counter()
        for iteration, state in run(number):
            spent += time.perf_counter() - clock
            mean, cov = state()
            for name, value in zip(columns, (number, iteration, spent, mean, cov), strict=True):
                columns[name].append(value)
            if spent > seconds + (COMPILING if number == 0 else 0.0) or not np.all(np.isfinite(mean)):
                break
            clock = time.perf_counter()
    np.savez(found, **{name: np.array(values) for name, values in columns.items()})
