"""The Fisher information of logistic regression: a loop over samples against one blocked product, in one run.

    python run.py bench fisher

Of n = 100,000 rows x with d = 100 columns, F = Σ p(1 − p)·x·xᵀ with p = σ(xᵀθ):

- the loop adds one sample's matrix at a time, and never holds more than one;
- igviz forms AᵀA of A = √(p(1 − p))·X in blocks of rows, half of it by symmetry. That is minus the Hessian of
  the log-likelihood, the expected Fisher information, as the link is canonical.

Both begin with X and θ and compute the p. They take turns; seconds are medians over the rounds.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

# one thread: two that wait for each other on a busy machine would be measured instead
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import igviz as ig  # noqa: E402

ROWS, COLUMNS = 100_000, 100
SAME, FASTER = 1e-12, 10.0


def by_samples(X: np.ndarray, theta: np.ndarray) -> np.ndarray:  # noqa: N803
    """Return the Fisher information, one sample at a time."""
    fisher = np.zeros((theta.size, theta.size))
    for x in X:
        p = 1.0 / (1.0 + np.exp(-(x @ theta)))
        fisher += p * (1.0 - p) * np.outer(x, x)
    return fisher


def by_blocks(model: ig.LogisticRegression, theta: np.ndarray) -> np.ndarray:
    """Return the Fisher information of the data: without the prior's precision."""
    return -model.log_joint_hessian(theta) - model.prior_precision * np.eye(theta.size)


def timed(call: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="times that both are measured")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")

    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, COLUMNS))  # noqa: N806
    theta = rng.normal(size=COLUMNS) / np.sqrt(COLUMNS)
    model = ig.LogisticRegression(X, rng.random(ROWS) < 1.0 / (1.0 + np.exp(-X @ theta)))
    sides = {"loop": lambda: by_samples(X, theta), "igviz": lambda: by_blocks(model, theta)}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    found: dict[str, np.ndarray] = {}
    sides["igviz"]()  # what is loaded on first use is not timed
    for _ in range(options.rounds):
        for side, call in sides.items():
            spent, found[side] = timed(call)
            seconds[side].append(spent)
    middle = {side: median(some) for side, some in seconds.items()}
    apart = float(np.linalg.norm(found["loop"] - found["igviz"]) / np.linalg.norm(found["loop"]))
    ratio = middle["loop"] / middle["igviz"]
    print(f"Fisher information of {ROWS:,} rows, {COLUMNS} columns:\n\n| | ms |\n|---|---:|")
    print("\n".join(f"| {side} | {1000 * value:.0f} |" for side, value in middle.items()))
    print(f"\n- relative difference {apart:.1e} (aim: at most {SAME:.0e}; {verdict(apart <= SAME)})")
    print(f"- {ratio:.1f} times as fast (aim: at least {FASTER:.0f}; {verdict(ratio >= FASTER)})")
    print(
        f"\n{options.rounds} rounds; {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"numpy {np.__version__}."
    )
    return 0


def verdict(met: bool) -> str:
    return "met" if met else "**MISSED**"


if __name__ == "__main__":
    sys.exit(main())
