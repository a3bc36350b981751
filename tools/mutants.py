"""See that the tests still notice broken formulas after a clean-up.

``tests/mutants.toml`` lists small faults: a flipped sign, a missing ½, two arguments exchanged. ``python
tools/mutants.py`` puts one after the other into a temporary copy of the repository, runs the few tests that
are named with it, and prints ``caught`` if one of them fails, else ``SURVIVED``; numbers after the command
choose some of the faults. The repository itself does not change. The exit code is 1 if a fault survived.

It is an error, and no catch, if a formula does not stand exactly once in its file, or if its tests are not
found or fail without the fault too: who has moved or renamed something mends the list.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", "__pycache__")
PASSED, FAILED = 0, 1  # pytest's exit codes; all others say that tests were not found or could not be run


def run(copy: Path, tests: Sequence[str]) -> int:
    """Run tests in the copy until one fails, and return pytest's exit code if it tells passed from failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    surroundings = {**os.environ, "PYTHONPATH": str(copy), "PYTHONUTF8": "1"}
    done = subprocess.run(
        command,
        cwd=copy,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    if done.returncode not in (PASSED, FAILED):
        sys.exit(f"{done.stdout}\nTests were not found or could not be run.")
    return done.returncode


def mutated(copy: Path, number: int, mutant: dict[str, Any]) -> str:
    """Return the text of the mutant's file with its fault."""
    path = copy / mutant["file"]
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if (found := text.count(mutant["old"])) != 1:
        where = f"{mutant['old']!r} stands {found} times in {mutant['file']}, not exactly once"
        sys.exit(f"Mutant {number}: {where}.")
    return text.replace(mutant["old"], mutant["new"])


def main(arguments: Sequence[str]) -> int:
    """Try the mutants with the given numbers, or all; return 1 if one survived."""
    with (ROOT / "tests" / "mutants.toml").open("rb") as file:
        mutants = dict(enumerate(tomllib.load(file)["mutant"], start=1))
    chosen = {int(one): mutants[int(one)] for one in arguments} if arguments else mutants
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / "copy"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        texts = {number: mutated(copy, number, mutant) for number, mutant in chosen.items()}
        if run(copy, list(dict.fromkeys(test for mutant in chosen.values() for test in mutant["tests"]))):
            sys.exit("Some of these tests fail without any mutant: mend them first.")
        survived = 0
        for number, mutant in chosen.items():
            clock, path = time.perf_counter(), copy / mutant["file"]
            sound = path.rename(path.with_suffix(".sound"))  # keeps its time: nothing compiled is mistaken
            path.write_text(texts[number], encoding="utf-8")
            caught = run(copy, mutant["tests"]) == FAILED
            sound.replace(path)
            survived += not caught
            word, seconds = "caught" if caught else "SURVIVED", time.perf_counter() - clock
            print(f"{number:3} {word:8} {seconds:5.1f} s  {mutant['file']}: {mutant['new']}", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} caught")
    return int(survived > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
