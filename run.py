"""Everything one does with the course, as one command: ``python run.py COMMAND``.

Needs Python 3.11 or newer and nothing else: it makes the environment ``.venv`` beside this file, installs the
course into it, and hands over to the programs in there. Whatever goes wrong is said in one line.
"""

import difflib
import errno
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

OLDEST = (3, 11)
TOO_NEW = (3, 15)


def other_python() -> str:
    """Return the command of a suitable Python that is installed beside this one, or an empty string."""
    candidates = []
    for minor in (13, 12, 14, 11):
        name = f"3.{minor}"
        on_path = shutil.which(f"python{name}")
        if on_path:
            candidates.append(([on_path], f"python{name}"))
        if os.name == "nt" and shutil.which("py"):
            candidates.append((["py", f"-{name}"], f"py -{name}"))
        pyenv = os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
        for folder in sorted(Path(pyenv).glob(f"versions/{name}.*"), reverse=True):
            path = str(folder / ("python.exe" if os.name == "nt" else "bin/python"))
            candidates.append(([path], f'"{path}"' if " " in path else path))
    # Run each: the shims of pyenv stand on the path for versions that are not active.
    probe = f"import ensurepip, sys, venv; sys.exit(not {OLDEST} <= sys.version_info[:2] < {TOO_NEW})"
    no = subprocess.DEVNULL
    for command, shown in candidates:
        try:
            call = [*command, "-I", "-c", probe]
            if subprocess.call(call, timeout=20, stdin=no, stdout=no, stderr=no) == 0:
                return shown
        except (OSError, subprocess.TimeoutExpired):
            pass
    return ""


def version_complaint(version: tuple, arguments: list) -> str:
    """Return the line to show if this Python is too old or too new, an empty string if it will do."""
    if OLDEST <= tuple(version[:2]) < TOO_NEW:
        return ""
    fault = "too old" if tuple(version[:2]) < OLDEST else "too new"
    wanted = f"3.{OLDEST[1]} to 3.{TOO_NEW[1] - 1}"
    found = ".".join(str(part) for part in version[:3])
    other = other_python()
    advice = (
        "{} run.py {}".format(other, " ".join(arguments)).strip() if other else "install one and try again"
    )
    return f"run.py: Python {found} is {fault}, the course needs {wanted}: {advice}"


# Before anything below is read: older Pythons know the syntax of this file, not its library.
if __name__ == "__main__" and version_complaint(sys.version_info, sys.argv[1:]):
    sys.exit(version_complaint(sys.version_info, sys.argv[1:]))

ROOT = Path(__file__).resolve().parent
NOTEBOOKS = ROOT / "notebooks"
FIRST_NOTEBOOK = "notebooks/00_start_here.ipynb"
CELL_SECONDS = 120

HELP = """usage: python run.py COMMAND [arguments]

  lab            open the course in JupyterLab
  test           run every test; with arguments, one pytest run: test -k geodesic, test tests/geometry,
                 test notebooks/00_start_here.ipynb
  restore 03     keep your version of notebook 03 in notebooks/mine/ and bring the original back
  setup          make or mend the environment .venv, and nothing else

for those who change the course
  check          format, lint, types, layers, environment files, pictures
  notebooks      execute the notebooks in place and clean them
  environments   write environment.yml, binder/environment.yml and constraints.txt from pyproject.toml
  pictures       draw the pictures of the README
  bench NAME     run benchmarks/NAME.py, in an environment of its own if it asks for one

Every command makes the environment first if it has to (once, a few minutes, with internet). Further
arguments go to the program behind the command: python run.py lab --no-browser --port 9000"""


class Problem(Exception):  # noqa: N818 - it need not be an error of ours
    """Something the reader can mend; its text is the one line that says how."""


# --------------------------------------------------------------------------- environments


class Environment:
    """A virtual environment that holds the course, and the stamp that says it is complete and current.

    Parameters
    ----------
    folder
        Where it is or will be.
    requirements
        A file of further requirements, or None.
    """

    def __init__(self, folder: Path, requirements: Path | None = None) -> None:
        self.folder = folder
        self.requirements = requirements
        self.stamp = folder / "igviz-stamp.json"
        self.python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def made_by(self) -> dict[str, str]:
        """Return what the environment itself depends on: if it changes, only making it anew helps."""
        # Environments do not move: their scripts hold the absolute path.
        return {"python": sys.version, "folder": str(self.folder)}

    def contents(self) -> str:
        """Return a digest of the files that say what must be installed."""
        digest = hashlib.sha256()
        for path in (ROOT / "pyproject.toml", ROOT / "constraints.txt", self.requirements):
            if path is not None:
                # Line endings differ between checkouts and change nothing.
                digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
        return digest.hexdigest()

    def state(self) -> str:
        """Return ``ready``, ``outdated`` (install again) or ``unusable`` (make anew)."""
        try:
            stamp = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return "unusable"
        if not isinstance(stamp, dict) or not self.python.exists():
            return "unusable"
        if any(stamp.get(key) != value for key, value in self.made_by().items()):
            return "unusable"
        return "ready" if stamp.get("contents") == self.contents() else "outdated"

    def write_stamp(self, contents: str) -> None:
        """Record what the environment holds; an empty text says that an installation is under way."""
        partial = self.stamp.with_suffix(".partial")
        partial.write_text(json.dumps({**self.made_by(), "contents": contents}, indent=1), encoding="utf-8")
        partial.replace(self.stamp)

    def prepare(self, again: bool = False) -> None:
        """Make the environment ready.

        Parameters
        ----------
        again
            Install even if the stamp says that all is there: somebody may have changed the packages by hand.

        Raises
        ------
        Problem
            If that is impossible; the next call starts from where it is safe to start.
        """
        state = self.state()
        if state == "ready" and not again:
            return
        contents = self.contents()
        if state == "unusable":
            self.make()
        else:
            self.write_stamp("")
        self.install()
        self.write_stamp(contents)

    def make(self) -> None:
        """Make an empty environment; whatever half-made thing stood there is removed."""
        python = base_python()
        require_venv_module()
        print(f"Making {self.folder.name} with Python {sys.version.split()[0]} ...", flush=True)
        self.remove()
        code, output = collect([python, "-I", "-m", "venv", str(self.folder)], clean_environment())
        if code != 0:
            raise Problem(explain(output, "the environment could not be made"))

    def remove(self) -> None:
        """Remove what stands where the environment belongs."""
        try:
            if self.folder.is_symlink() or self.folder.is_file():
                self.folder.unlink()
            elif self.folder.exists():
                shutil.rmtree(str(self.folder))
        except OSError as error:
            raise Problem(
                f"{self.folder} cannot be removed ({error.strerror}): close the programs that use it "
                "(JupyterLab, terminals), or remove it by hand, and try again"
            ) from None

    def install(self) -> None:
        """Install the course and what it needs, then JupyterLab's settings."""
        print("Installing packages; the first time this takes a few minutes ...", flush=True)
        command = [str(self.python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        command += ["--no-warn-script-location", "-e", ".[lab,test]", "-c", "constraints.txt"]
        if self.requirements is not None:
            command += ["-r", str(self.requirements)]
        code, output = collect(command, self.variables(), show=True)
        if code == 0:
            code, output = collect([str(self.python), "-m", "igviz.jupyter"], self.variables())
        if code != 0:
            log: Path | None = self.folder / "igviz-install.log"
            try:
                (self.folder / "igviz-install.log").write_text(output, encoding="utf-8")
            except OSError:
                log = None  # a full disk, say; the line below matters more
            raise Problem(explain(output, "the packages could not be installed", log))

    def variables(self) -> dict[str, str]:
        """Return the environment variables for programs in here: as if it were activated."""
        variables = clean_environment()
        variables["VIRTUAL_ENV"] = str(self.folder)
        variables["PATH"] = os.pathsep.join([str(self.python.parent), variables.get("PATH", os.defpath)])
        return variables


def main_environment() -> Environment:
    """Return the environment of readers and tests."""
    return Environment(ROOT / ".venv")


def clean_environment() -> dict[str, str]:
    """Return the environment variables without those that lead Python or pip out of a virtual environment."""
    variables = dict(os.environ)
    for name in ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"):
        variables.pop(name, None)
    variables["PIP_USER"] = "0"
    return variables


def base_python() -> str:
    """Return the Python below any virtual environment, so that ours depends on no other."""
    base = getattr(sys, "_base_executable", None)
    return base if base and Path(base).exists() else sys.executable


def require_venv_module() -> None:
    """Raise Problem if this Python cannot make environments, as on Debian without a further package."""
    if all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        return
    package = f"python3.{sys.version_info[1]}-venv"
    raise Problem(
        f"{base_python()} has no venv module: install it "
        f"(Debian, Ubuntu: sudo apt install {package}) and try again"
    )


# What pip and venv say, and what a reader can do about it; the first that fits.
EXPLANATIONS = (
    (r"No space left on device|Errno 28\b|Errno 122\b|not enough space on the disk|Disk quota exceeded",
     "the disk is full: free about 1.5 GB and try again"),
    (r"Long Path|long path", "Windows allows no paths this long: move the folder nearer to C: and try again"),
    (r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|SSLError",
     "a proxy stands between you and the package index: give pip its certificate "
     "(pip config set global.cert FILE) and try again"),
    (r"NewConnectionError|ConnectTimeout|ReadTimeout|NameResolutionError|ProxyError|ConnectionResetError"
     r"|Failed to establish a new connection|name resolution|getaddrinfo failed|Network is unreachable"
     r"|Connection (?:refused|aborted|broken)|from versions: none",
     "no package index could be reached: connect to the internet and try again"),
    (r"Read-only file system|Permission denied|Access is denied|Errno 13\b|Errno 30\b",
     "no permission to write in the folder of the course: move it to a folder of your own and try again"),
    (r"ResolutionImpossible|conflicting dependencies",
     "the packages contradict each other: run git checkout constraints.txt pyproject.toml and try again"),
    (r"Failed (?:to build|building)|metadata-generation-failed|subprocess-exited-with-error",
     "a package has no ready-made file for this computer and Python: try Python 3.12"),
)  # fmt: skip


def explain(output: str, failed: str, log: Path | None = None) -> str:
    """Return the one line for a failed venv or pip.

    Parameters
    ----------
    output
        All that the program wrote.
    failed
        What could not be done, in words.
    log
        Where the output can be read, for a fault that is not known here.
    """
    for pattern, advice in EXPLANATIONS:
        if re.search(pattern, output):
            return f"{failed}, {advice}"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    last = (errors or lines or ["it said nothing"])[-1]
    return f"{failed} ({last})" + (f"; the whole story is in {log}" if log else "")


# --------------------------------------------------------------------------- running programs


def collect(command: list[str], variables: dict[str, str], show: bool = False) -> tuple[int, str]:
    """Run a program in the course's folder and return its exit code and all it wrote.

    Parameters
    ----------
    command, variables
        The program with its arguments, and its environment variables.
    show
        Show the line being written, if a person is watching.
    """
    watched = show and sys.stdout.isatty()
    lines = []
    with subprocess.Popen(
        command, cwd=str(ROOT), env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
    ) as program:  # fmt: skip
        for line in program.stdout or ():
            lines.append(line)
            if watched:
                width = shutil.get_terminal_size().columns - 1
                print("\r" + line.strip()[:width].ljust(width), end="", flush=True)
        code = program.wait()
    if watched:
        print("\r" + " " * (shutil.get_terminal_size().columns - 1), end="\r", flush=True)
    return code, "".join(lines)


def run(command: list[str], variables: dict[str, str]) -> int:
    """Run a program in the course's folder with the terminal in its hands; return its exit code."""
    sys.stdout.flush()
    heard: list[int] = []
    # An exception in the middle of wait() can lose the exit code of a program that ends at that moment.
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    try:
        with subprocess.Popen(command, cwd=str(ROOT), env=variables) as program:
            code = program.wait()  # the program got the interrupt too, and may want to ask before it ends
    finally:
        signal.signal(signal.SIGINT, before)
    if heard and code != 0:
        raise KeyboardInterrupt
    return code


def hand_over(command: list[str], variables: dict[str, str]) -> int:
    """Become the program where the system can, so that signals reach it; else run it."""
    if os.name == "nt":
        return run(command, variables)
    sys.stdout.flush()
    os.chdir(str(ROOT))
    os.execve(command[0], command, variables)


def python_in(environment: Environment, *arguments: str) -> list[str]:
    """Return the command that runs the environment's Python with these arguments."""
    return [str(environment.python), *arguments]


def run_parts(parts: list[tuple[str, list[str]]], environment: Environment) -> int:
    """Run every part, whatever the others did, and report; return 0 if all passed."""
    results = []
    for name, command in parts:
        print(f"\n--- {name}: {' '.join(command[1:])}", flush=True)
        start = time.monotonic()
        code = run(command, environment.variables())
        verdict = {0: "passed", 5: "FAILED: found nothing to run"}.get(code, "FAILED")
        if code == 5 and "pytest" not in command:
            verdict = "FAILED"
        results.append((name, verdict, time.monotonic() - start))
    print()
    for name, verdict, seconds in results:
        print(f"{name:<20} {seconds:6.1f} s  {verdict}")
    return int(any(verdict != "passed" for _, verdict, _ in results))


# --------------------------------------------------------------------------- git


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in the course's folder and return what it said."""
    if shutil.which("git") is None:
        raise Problem("git is not installed: install it and try again")
    return subprocess.run(
        ["git", *arguments], cwd=str(ROOT), stdin=subprocess.DEVNULL,
        capture_output=True, encoding="utf-8", errors="replace",
    )  # fmt: skip


def course_notebooks() -> list[str]:
    """Return the paths of the course's own notebooks, not the reader's, in their order."""
    present = sorted(f"notebooks/{path.name}" for path in NOTEBOOKS.glob("*.ipynb"))
    try:
        listed = git("ls-files", "-z", "--", "notebooks")
    except Problem:
        return present
    # Without a repository (a downloaded archive) all that stand there are taken.
    known = set(listed.stdout.split("\0")) if listed.returncode == 0 else set(present)
    return [path for path in present if path in known]


# --------------------------------------------------------------------------- commands


def setup(arguments: list[str]) -> int:
    """Make or mend the environment."""
    if arguments:
        raise Problem("setup takes no arguments")
    environment = main_environment()
    environment.prepare(again=True)
    print(f"Ready: {environment.folder}")
    return 0


def lab(arguments: list[str]) -> int:
    """Open JupyterLab on the first notebook or on the one named."""
    environment = main_environment()
    environment.prepare()
    command = python_in(environment, "-m", "jupyterlab", *arguments)
    if not any(argument.endswith(".ipynb") for argument in arguments):
        command.append(FIRST_NOTEBOOK)
    if not any(argument.startswith("--ServerApp.root_dir") for argument in arguments):
        command.append(f"--ServerApp.root_dir={ROOT}")
    return hand_over(command, {**environment.variables(), **folders_to_write()})


def folders_to_write() -> dict[str, str]:
    """Return variables with other folders for JupyterLab where its usual ones cannot be written."""
    if os.name == "nt":
        return {}  # the answer about permissions is unreliable there
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - without a home the other way raises
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share", "jupyter")
    if sys.platform == "darwin":
        data = home / "Library" / "Jupyter"
    folders = {
        "JUPYTER_CONFIG_DIR": home / ".jupyter",
        "JUPYTER_DATA_DIR": data,
        "JUPYTER_RUNTIME_DIR": data / "runtime",
        "IPYTHONDIR": home / ".ipython",
        "MPLCONFIGDIR": home / ".config" / "matplotlib",
    }
    wanted = {name: Path(os.environ.get(name) or folder) for name, folder in folders.items()}
    shut = {name: folder for name, folder in wanted.items() if not can_be_written(folder)}
    if not shut:
        return {}
    first = next(iter(shut.values()))
    try:
        instead = tempfile.mkdtemp(prefix="igviz-")
    except OSError:
        raise Problem(
            f"{first} cannot be written, nor any folder for temporary files: "
            "set HOME to a folder of your own and try again"
        ) from None
    print(f"{first} cannot be written: JupyterLab keeps its settings in {instead}, for this time only")
    return {name: str(Path(instead, name.lower())) for name in shut}


def can_be_written(folder: Path) -> bool:
    """Whether a folder can be written, or made where it is missing."""
    while not os.path.exists(folder):  # noqa: PTH110 - below a folder that cannot be read the other way raises
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def notebook_options() -> list[str]:
    """Return pytest's options for the strict comparison of notebooks."""
    return [
        "--nbval", "--nbval-current-env", f"--nbval-cell-timeout={CELL_SECONDS}",
        "--nbval-sanitize-with", "tests/notebooks/sanitise.cfg",
    ]  # fmt: skip


def test(arguments: list[str]) -> int:
    """Run every test in three parts, or those named by the arguments in one."""
    environment = main_environment()
    environment.prepare()
    pytest = python_in(environment, "-m", "pytest")
    if not arguments:
        parts = [
            ("unit tests", [*pytest, "tests", "--ignore=tests/browser", "-n", "2", "--dist", "loadfile"]),
            ("notebooks", [*pytest, *notebook_options(), *(course_notebooks() or ["notebooks"])]),
            ("browser", [*pytest, "tests/browser"]),
        ]
        return run_parts(parts, environment)
    named = []
    for argument in arguments:
        named += course_notebooks() if argument.rstrip("/\\") == "notebooks" else [argument]
    if any(".ipynb" in argument for argument in named):
        pytest += notebook_options()
    code = run([*pytest, *named], environment.variables())
    if code == 5:
        raise Problem(f"no test fits: {' '.join(arguments)}")
    return code


def check(arguments: list[str]) -> int:
    """Check format, lint, types, layers, the environment files and the pictures of the README."""
    if arguments:
        raise Problem("check takes no arguments")
    environment = main_environment()
    environment.prepare()
    layers = "from importlinter.cli import lint_imports_command as check; check()"
    parts = [
        ("format", python_in(environment, "-m", "ruff", "format", "--check", ".")),
        ("lint", python_in(environment, "-m", "ruff", "check", ".")),
        ("types", python_in(environment, "-m", "mypy")),
        ("layers", python_in(environment, "-c", layers)),
        ("environments", python_in(environment, "tools/write_environments.py", "--check")),
        ("pictures", python_in(environment, "tools/make_gallery.py", "--check")),
    ]
    return run_parts(parts, environment)


def tool(name: str, arguments: list[str]) -> int:
    """Run a program of ``tools/``."""
    if not (ROOT / "tools" / name).exists():
        raise Problem(f"tools/{name} is missing: bring it back with git checkout tools/{name}")
    environment = main_environment()
    environment.prepare()
    return hand_over(python_in(environment, f"tools/{name}", *arguments), environment.variables())


def notebooks(arguments: list[str]) -> int:
    """Execute and clean the notebooks named, or all."""
    return tool("execute_notebooks.py", arguments or course_notebooks())


def environments(arguments: list[str]) -> int:
    """Write the environment files."""
    return tool("write_environments.py", arguments)


def pictures(arguments: list[str]) -> int:
    """Draw the pictures of the README."""
    return tool("make_gallery.py", arguments)


def bench(arguments: list[str]) -> int:
    """Run a benchmark, in an environment of its own where it has requirements of its own."""
    folder = ROOT / "benchmarks"
    names = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    listed = "the benchmarks are: " + (", ".join(names) or "none yet")
    if not arguments:
        raise Problem(f"bench needs a name; {listed}")
    name, *rest = arguments
    if name not in names:
        raise Problem(f"there is no benchmark {name!r}; {listed}")
    requirements = folder / "requirements" / f"{name}.txt"
    environment = main_environment()
    if requirements.exists():
        environment = Environment(ROOT / ".bench" / name, requirements)
        environment.folder.parent.mkdir(exist_ok=True)
    environment.prepare()
    return hand_over(python_in(environment, f"benchmarks/{name}.py", *rest), environment.variables())


def restore(arguments: list[str]) -> int:
    """Keep the reader's version of a notebook and bring the original back."""
    listed = git("ls-tree", "-r", "-z", "--name-only", "HEAD", "--", "notebooks/")
    if listed.returncode != 0:
        raise Problem(f"the originals are kept by git, which says: {last_line(listed.stderr)}")
    originals = [path for path in listed.stdout.split("\0") if re.fullmatch(r"notebooks/[^/]+\.ipynb", path)]
    stems = [Path(path).stem for path in originals]
    choice = "the notebooks are: " + ", ".join(stems)
    if len(arguments) != 1:
        raise Problem(f"restore needs one notebook, such as 03; {choice}")
    wanted = Path(arguments[0]).name
    if wanted.endswith(".ipynb"):
        wanted = wanted[: -len(".ipynb")]
    wanted = wanted.zfill(2) if wanted.isdigit() else wanted
    fitting = [
        p for p, stem in zip(originals, stems, strict=True) if stem == wanted or stem.startswith(wanted + "_")
    ]
    if len(fitting) != 1:
        raise Problem(f"there is no notebook {arguments[0]!r}; {choice}")
    path = fitting[0]
    if git("diff", "--quiet", "HEAD", "--", path).returncode == 0:
        print(f"{path} is the original already")
        return 0
    if (ROOT / path).exists():
        print(f"Your version is now {keep(ROOT / path).relative_to(ROOT).as_posix()}")
    answer = git("checkout", "HEAD", "--", path)
    if answer.returncode != 0:
        raise Problem(f"{path} could not be brought back, git says: {last_line(answer.stderr)}")
    print(f"{path} is the original again; if it is open in JupyterLab: File, Reload Notebook from Disk")
    return 0


def keep(path: Path) -> Path:
    """Copy a file to ``notebooks/mine/`` under a name that is free there; return the copy."""
    folder = NOTEBOOKS / "mine"
    folder.mkdir(exist_ok=True)
    stamped = f"{path.stem}_{datetime.now():%Y-%m-%d_%H-%M-%S}"
    names = [path.stem, stamped, *(f"{stamped}_{count}" for count in range(2, 1000))]
    for name in names:
        copy = folder / (name + path.suffix)
        try:
            with copy.open("xb") as file:
                file.write(path.read_bytes())
        except FileExistsError:
            continue
        return copy
    raise Problem(f"{folder} is full of versions of {path.name}: tidy it up and try again")


def last_line(text: str) -> str:
    """Return the last line that says something."""
    return ([line.strip() for line in text.splitlines() if line.strip()] or ["nothing"])[-1]


COMMANDS = {
    "lab": lab,
    "test": test,
    "restore": restore,
    "setup": setup,
    "check": check,
    "notebooks": notebooks,
    "environments": environments,
    "pictures": pictures,
    "bench": bench,
}


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP)
        return 0 if arguments else 2
    name, *rest = arguments
    try:
        if name not in COMMANDS:
            near = difflib.get_close_matches(name, COMMANDS, 1)
            hint = f"did you mean {near[0]}?" if near else "python run.py --help lists the commands"
            raise Problem(f"there is no command {name!r}; {hint}")
        return COMMANDS[name](rest)
    except Problem as problem:
        line = str(problem)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        line = explain_system_error(error)
    print(f"run.py: {line}", file=sys.stderr)
    return 1


def explain_system_error(error: OSError) -> str:
    """Return the one line for an error of the file system."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return f"the disk is full{where}: free about 1.5 GB and try again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission{where}: move the course to a folder of your own and try again"
    if error.errno == errno.ENOENT:
        return f"a file is missing{where}: bring it back with git checkout and try again"
    return f"{error.strerror or error}{where}"


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a folder's name may not fit the console's alphabet
    sys.exit(main(sys.argv[1:]))
