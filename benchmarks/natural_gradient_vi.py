"""Gaussian variational inference: igviz against SciPy, NumPyro, PyMC and GPflow, in one run.

    python run.py bench natural_gradient_vi

Logistic regression with full covariance and prior N(0, Id) on iris (virginica), breast cancer, digits 3
against 5, and 5,000 × 51 synthetic numbers. How long until q is 1e-2 and 1e-4 nats below the highest ELBO?
Every q that is handed out is scored by the same exact ELBO, outside the clock. Each peer runs in an
environment of its own, made on first use from `requirements/peers/`, in processes of one thread; one that
cannot be installed is named as missing.

- igviz: `natural_gradient_vi` as it comes, from the prior. Whole calls, up to the step that gets there.
- SciPy: L-BFGS-B from the same start on the same exact objective, `igviz.lbfgs`. Whole
  calls, too, in turn with igviz's.
- NumPyro and PyMC: full-rank normal, reparameterised gradients from 8 draws, Adam with a step that falls from
  0.03 to 0.0003 over 20,000 steps.
- GPflow: its natural gradient with steps 1 and 0.5 on q(θ), its likelihood and 20-node quadrature, from a
  tenth of the prior's std: from the prior it stops with nan on two of the sets.

Warm times are medians over the runs after the first; the first, cold, has the compiling in it, but not the
imports. A dash means that a peer did not get there within its seconds.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import igviz as ig  # noqa: E402
from tests.inference.data_sets import DATA_SETS  # noqa: E402

SETS = ("iris", "breast cancer", "digits", "synthetic")
TARGETS = (1e-2, 1e-4)
OWN = ("igviz", "SciPy L-BFGS")
PEERS = {  # name: (requirements, further environment variables)
    "NumPyro": ("numpyro", {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}),
    "PyMC": ("pymc", {}),
    "GPflow, step 1": ("gpflow", {"GPFLOW_GAMMA": "1.0"}),
    "GPflow, step 0.5": ("gpflow", {"GPFLOW_GAMMA": "0.5"}),
}
MONTE_CARLO = ("NumPyro", "PyMC")
CALLS = 15  # of igviz and of L-BFGS
INSTALL_SECONDS, START_SECONDS = 900, 90
BEHIND, LBFGS, SAMPLED = 1.5, 1.5, 100.0
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}

Times = dict[str, list[tuple[float, float, float]]]  # (iterations, cold, warm) for each target


# -- environments --------------------------------------------------------------------------------------------


def peer_python(name: str) -> Path | None:
    """Return the Python of a peer's environment, made if it has to be, or None if that fails."""
    requirements = Path(__file__).parent / "requirements" / "peers" / f"{name}.txt"
    folder = ROOT / ".bench" / f"peer_{name}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "installed.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == requirements.read_text(encoding="utf-8"):
        return python
    note(f"installing {name}")
    install = [str(python), "-m", "pip", "install", "-q", "--no-input", "-r", str(requirements)]
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (subprocess.SubprocessError, OSError):
        return None
    stamp.write_text(requirements.read_text(encoding="utf-8"), encoding="utf-8")
    return python


def run(command: list[str], variables: dict[str, str], seconds: float) -> bool:
    """Run a program next to this one and say whether it came to its end in time."""
    environment = {**os.environ, **ONE_THREAD, **variables}
    try:
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            timeout=seconds,
            env=environment,
            cwd=Path(__file__).parent,
        )
    except (subprocess.SubprocessError, OSError):
        return False
    return True


# -- measuring -----------------------------------------------------------------------------------------------


def measure_own(problem: Path, repeats: int, best: float, model: ig.LogisticRegression) -> Times:
    """Return (iterations, cold, warm) of igviz and L-BFGS to each target."""
    found = problem.with_name("found.npz")
    targets = [str(0.999 * target) for target in TARGETS]
    command = [sys.executable, "_peer_igviz.py", str(problem), str(found), str(repeats), *targets]
    if not run(command, {}, START_SECONDS):
        raise SystemExit("igviz and L-BFGS did not come to their end")
    with np.load(found) as stored:
        rows = {key: stored[key] for key in stored}
    times: Times = {side: [] for side in OWN}
    for k, side in enumerate(rows["route"]):
        if best - score(model, rows["mean"][k], rows["cov"][k]) > TARGETS[len(times[side])]:
            raise SystemExit(f"{side} did not get there")
        times[side].append((rows["iteration"][k], rows["cold"][k], rows["warm"][k]))
    return times


def measure_peer(
    name: str, problem: Path, seconds: float, repeats: int, best: float, model: ig.LogisticRegression
) -> list | None:
    """Return (iterations, cold, warm) of a peer to each target, inf where it does not get there."""
    stem, variables = PEERS[name]
    python = peer_python(stem)
    if python is None:
        return None
    found = problem.with_name("found.npz")
    command = [str(python), f"_peer_{stem}.py", str(problem), str(found), str(seconds), str(repeats)]
    if not run(command, variables, START_SECONDS + 2 * seconds * (1 + repeats)):
        return [(np.inf,) * 3] * len(TARGETS)
    with np.load(found) as stored:
        rows = {key: stored[key] for key in stored}
    left = np.array([best - score(model, *q) for q in zip(rows["mean"], rows["cov"], strict=True)])
    table = []
    for target in TARGETS:
        firsts = []
        for number in range(1 + repeats):
            there = np.flatnonzero((rows["run"] == number) & (left <= target))
            firsts.append(
                (rows["iteration"][there[0]], rows["seconds"][there[0]]) if there.size else (np.inf, np.inf)
            )
        steps, times = zip(*firsts, strict=True)
        table.append((median(steps[1:]), times[0], median(times[1:])))
    return table


def score(model: ig.LogisticRegression, mean: np.ndarray, cov: np.ndarray) -> float:
    try:
        return float(ig.elbo(model, ig.MultivariateNormal(mean, 0.5 * (cov + cov.T))))
    except (ValueError, OverflowError):
        return -np.inf


# -- telling -------------------------------------------------------------------------------------------------


def table(name: str, times: Times) -> list[str]:
    """Return the rows of one data set."""
    heads = " | ".join(f"steps to {t:.0e} | cold, ms | warm, ms" for t in TARGETS)
    lines = [f"\n{name}\n", f"| | {heads} |", "|---|" + "---:|" * (3 * len(TARGETS))]
    for side, rows in times.items():
        cells = [
            "– | – | –"
            if not np.isfinite(row[2])
            else f"{row[0]:.0f} | {1e3 * row[1]:.1f} | {1e3 * row[2]:.1f}"
            for row in rows
        ]
        lines.append(f"| {side} | {' | '.join(cells)} |")
    return lines


def aims(everything: dict[str, Times]) -> list[str]:
    """Return how the aims were met, by warm times."""
    lines = []
    for name, times in everything.items():
        for k, target in enumerate(TARGETS):
            own = times["igviz"][k][2]
            others = {side: rows[k][2] / own for side, rows in times.items() if side != "igviz"}
            nearest = min(others, key=lambda side: others[side])
            words = [
                f"nearest peer {nearest}, {others[nearest]:.1f} times igviz's time "
                f"({verdict(others[nearest] >= 1.0 / BEHIND)})",
                f"L-BFGS {others[OWN[1]]:.1f} ({verdict(others[OWN[1]] >= LBFGS)})",
            ]
            if k == 0:
                sampled = [others[side] for side in MONTE_CARLO if side in others]
                told = "never" if all(np.isinf(sampled)) else f"{min(sampled, default=np.inf):.0f}"
                words.append(f"Monte Carlo {told} ({verdict(min(sampled, default=np.inf) >= SAMPLED)})")
            lines.append(f"- {name}, {target:.0e} nats: {'; '.join(words)}")
    return lines


def verdict(met: bool) -> str:
    return "met" if met else "**MISSED**"


def note(text: str) -> None:
    """Say on a terminal what is going on; an empty text wipes it away."""
    if sys.stderr.isatty():
        print(f"\r{text:<60}", end="" if text else "\r", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="for each run of a peer")
    parser.add_argument("--repeats", type=int, default=2, help="warm runs of a peer")
    options = parser.parse_args(arguments)
    if options.repeats < 1 or options.seconds <= 0.0:
        parser.error("--repeats must be at least 1 and --seconds positive")

    everything: dict[str, Times] = {}
    missing: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        problem = Path(folder) / "problem.npz"
        for name in SETS:
            X, y = DATA_SETS[name]()  # noqa: N806
            np.savez(problem, X=X, y=y, prior_precision=1.0)
            model = ig.LogisticRegression(X, y)
            best = ig.natural_gradient_vi(model, tol=1e-12).elbo
            note(f"{name}: igviz and L-BFGS")
            times = measure_own(problem, CALLS, best, model)
            for side in PEERS:
                note(f"{name}: {side}")
                rows = measure_peer(side, problem, options.seconds, options.repeats, best, model)
                if rows is None:
                    missing.add(side)
                else:
                    times[side] = rows
            note("")
            everything[name] = times
            print("\n".join(table(f"{name}, {len(X):,} × {X.shape[1]}", times)), flush=True)
    print(
        "\nAims: never 1.5 times behind a peer; L-BFGS at least 1.5 times, Monte Carlo 100 times as long:\n"
    )
    print("\n".join(aims(everything)))
    if missing:
        print(f"\nMissing, as they could not be installed: {', '.join(sorted(missing))}.")
    print(
        f"\n{options.repeats} warm runs of {options.seconds:g} s; {os.cpu_count()} cores, one thread, "
        f"Python {platform.python_version()}, numpy {np.__version__}."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
