"""run.py as a reader uses it, in copies of a small course at a path with spaces, also where it fails.

The small course installs for real, with pip and without network: its build backend is a file of its own and
its extras are empty, so that a whole installation takes seconds.
"""

import ast
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import run

ROOT = Path(__file__).resolve().parent.parent
SOURCE = (ROOT / "run.py").read_text(encoding="utf-8")

BACKEND = """
import pathlib, zipfile

METADATA = ["Metadata-Version: 2.1"]
METADATA += ["Name: igviz", "Version: 1", "Provides-Extra: lab", "Provides-Extra: test"]
WHEEL = ["Wheel-Version: 1.0", "Generator: x", "Root-Is-Purelib: true", "Tag: py3-none-any"]

def build_editable(folder, config_settings=None, metadata_directory=None):
    files = {"small.pth": [str(pathlib.Path.cwd())]}
    files["igviz-1.dist-info/METADATA"] = METADATA
    files["igviz-1.dist-info/WHEEL"] = WHEEL
    record = "igviz-1.dist-info/RECORD"
    files[record] = [name + ",," for name in [*files, record]]
    name = "igviz-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as archive:
        for path, lines in files.items():
            archive.writestr(path, "\\n".join(lines) + "\\n")
    return name
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "igviz"
version = "1"
"""
NEEDS_NETWORK = PYPROJECT.replace("requires = []", 'requires = ["setuptools>=77"]')
# An interrupt ends it wherever it stands: Python's own handler raises, which a finaliser may swallow.
SLOW = (
    "from pathlib import Path\nimport signal, time\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    "Path('here').touch()\ntime.sleep(60)\n"
)
SHOW_ARGUMENTS = (
    "import sys, os\nprint('ARGUMENTS', sys.argv[1:])\nprint('VENV', os.environ['VIRTUAL_ENV'])\n"
)
FOLDERS = "('JUPYTER_CONFIG_DIR', 'JUPYTER_DATA_DIR', 'JUPYTER_RUNTIME_DIR', 'IPYTHONDIR', 'MPLCONFIGDIR')"


@pytest.fixture(scope="session")
def course_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    files = {
        "run.py": SOURCE,
        "pyproject.toml": PYPROJECT,
        "constraints.txt": "",
        "backend.py": BACKEND,
        "igviz/__init__.py": "",
        "igviz/jupyter.py": "from pathlib import Path\nimport sys\nPath(sys.prefix, 'settings').touch()\n",
        "jupyterlab.py": SHOW_ARGUMENTS
        + "print('FOLDERS', {n: os.environ.get(n) for n in "
        + FOLDERS
        + "})\n",
        "pytest.py": SHOW_ARGUMENTS + "sys.exit(5 if 'nothing' in sys.argv else 'bad' in sys.argv)\n",
        "tools/make_gallery.py": SHOW_ARGUMENTS,
        "benchmarks/quick.py": SHOW_ARGUMENTS,
        "benchmarks/peers.py": SHOW_ARGUMENTS,
        "benchmarks/requirements/peers.txt": "",
        "notebooks/00_start_here.ipynb": "original 00",
        "notebooks/03_kl.ipynb": "original 03",
        "notebooks/appendix_mistakes.ipynb": "original appendix",
        ".gitignore": ".venv/\n.bench/\nnotebooks/mine/\n__pycache__/\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return folder


@pytest.fixture
def course(course_files, tmp_path):
    """A fresh copy of the small course, not set up."""
    return Course(shutil.copytree(course_files, tmp_path / "a course with spaces"))


@pytest.fixture(scope="session")
def ready_files(course_files, tmp_path_factory):
    """The small course, set up once by a first start."""
    course = Course(shutil.copytree(course_files, tmp_path_factory.mktemp("ready") / "my course"))
    course.first = course("lab")
    return course


@pytest.fixture
def ready(ready_files):
    return ready_files


class Course:
    """A copy of the course and what a reader sees of a command there."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.venv = self.folder / ".venv"

    def __call__(self, *arguments, python=sys.executable, **variables):
        # No network and no configuration of this machine's pip: everything comes from the folder.
        environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, **variables}
        environment.pop("PIP_FIND_LINKS", None)
        done = subprocess.run(
            [python, str(self.folder / "run.py"), *arguments],
            cwd=self.folder.parent, env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def fails(self, *arguments, **variables):
        """Run a command that must fail, and return the one line it says."""
        done = self(*arguments, **variables)
        assert done.returncode == 1, done.stdout + done.stderr
        lines = done.stderr.splitlines()
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith("run.py: ")
        return lines[0].removeprefix("run.py: ")

    def git(self, *arguments):
        identity = ["-c", "user.name=x", "-c", "user.email=x", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=self.folder, check=True, capture_output=True)

    def commit(self):
        self.git("init", "-q")
        self.git("add", ".")
        self.git("commit", "-qm", "x")

    def stamp(self):
        return json.loads((self.venv / "igviz-stamp.json").read_text(encoding="utf-8"))

    def read(self, name):
        return (self.folder / name).read_text(encoding="utf-8")


# ------------------------------------------------------------------- the first start and the second


def test_the_first_start_makes_the_environment_and_opens_the_first_notebook(ready):
    assert ready.first.returncode == 0, ready.first.stderr
    said = ready.first.stdout.splitlines()
    assert said[0].startswith("Making .venv with Python ")
    assert said[1].startswith("Installing packages")
    root = f"'--ServerApp.root_dir={ready.folder}'"
    assert f"ARGUMENTS ['notebooks/00_start_here.ipynb', {root}]" in said
    assert f"VENV {ready.venv}" in said
    assert (ready.venv / "settings").exists()
    assert len(ready.stamp()["contents"]) == 64


def test_a_second_start_says_nothing_and_is_quick(ready):
    start = time.monotonic()
    done = ready("lab")
    assert time.monotonic() - start < 2
    assert done.stdout.startswith("ARGUMENTS")


def test_the_start_itself_takes_well_below_a_second(ready):
    """Without the two interpreters: what run.py does before it hands over."""
    code = "import time, run; start = time.perf_counter(); run.main_environment().prepare(); "
    code += "print(time.perf_counter() - start)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ready.folder, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 0.3


def test_arguments_pass_through(ready):
    done = ready("lab", "--no-browser", "--port", "9000")
    assert "['--no-browser', '--port', '9000', 'notebooks/00_start_here.ipynb'," in done.stdout
    done = ready("lab", "notebooks/03_kl.ipynb", "--ServerApp.root_dir=elsewhere")
    assert "ARGUMENTS ['notebooks/03_kl.ipynb', '--ServerApp.root_dir=elsewhere']" in done.stdout
    assert "ARGUMENTS ['--all']" in ready("pictures", "--all").stdout


def test_variables_that_lead_out_of_the_environment_do_no_harm(ready, tmp_path):
    (tmp_path / "jupyterlab.py").write_text("raise SystemExit('the wrong one')")
    variables = {
        "PYTHONPATH": str(tmp_path),
        "VIRTUAL_ENV": str(tmp_path),
        "PIP_TARGET": str(tmp_path),
        "PIP_USER": "1",
    }
    assert f"VENV {ready.venv}\n" in ready("lab", **variables).stdout
    assert ready("setup", **variables).returncode == 0
    assert [path.name for path in tmp_path.iterdir() if "igviz" in path.name] == []


def test_run_from_inside_its_own_environment(ready):
    inside = str(ready.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    assert ready("lab", python=inside).stdout.startswith("ARGUMENTS")


@contextmanager
def shut_home(folder, kind):
    """A home folder in which nothing can be written."""
    home = folder / "home"
    if kind == "file":
        home.touch()
    else:
        home.mkdir(mode=0o555)
    yield home
    if kind == "folder":
        home.chmod(0o755)


ASKED = pytest.mark.skipif(os.name == "nt", reason="a system that does not tell permissions")
NOT_AS_ROOT = pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="permissions do not bind here")


@ASKED
@pytest.mark.parametrize("kind", ["file", pytest.param("folder", marks=NOT_AS_ROOT)])
def test_a_home_that_cannot_be_written_is_said_and_done_without(ready, tmp_path, kind):
    names = dict.fromkeys(ast.literal_eval(FOLDERS), "")
    with shut_home(tmp_path, kind) as home:
        done = ready("lab", **names | {"HOME": str(home), "TMPDIR": str(tmp_path), "XDG_DATA_HOME": ""})
    assert (done.returncode, done.stderr) == (0, "")
    said, _, _, shown = done.stdout.splitlines()
    (instead,) = tmp_path.glob("igviz-*")
    assert said == (
        f"{home}/.jupyter cannot be written: JupyterLab keeps its settings in {instead}, for this time only"
    )
    folders = ast.literal_eval(shown.removeprefix("FOLDERS "))
    assert {Path(folder).parent for folder in folders.values()} == {instead}
    assert len(set(folders.values())) == len(names)


@ASKED
def test_only_folders_that_cannot_be_written_are_replaced(ready, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".ipython").touch()
    names = dict.fromkeys(ast.literal_eval(FOLDERS), "") | {"JUPYTER_DATA_DIR": str(tmp_path / "mine")}
    variables = names | {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path), "XDG_DATA_HOME": ""}
    done = ready("lab", **variables)
    assert f"{tmp_path / 'home' / '.ipython'} cannot be written" in done.stdout
    folders = ast.literal_eval(done.stdout.splitlines()[-1].removeprefix("FOLDERS "))
    (instead,) = tmp_path.glob("igviz-*")
    assert folders == names | {"IPYTHONDIR": str(instead / "ipythondir")}


@ASKED
def test_without_any_folder_to_write_in_the_line_says_so(tmp_path, monkeypatch):
    def none(prefix):
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    (tmp_path / "home").touch()
    monkeypatch.setattr(run.tempfile, "mkdtemp", none)
    for name in ast.literal_eval(FOLDERS):
        monkeypatch.setenv(name, str(tmp_path / "home" / name))
    with pytest.raises(run.Problem, match="set HOME to a folder of your own"):
        run.folders_to_write()


# ------------------------------------------------------------------- environments that must be mended


def test_states_of_the_environment(ready_files, monkeypatch, tmp_path):
    environment = run.Environment(ready_files.venv)
    monkeypatch.setattr(run, "ROOT", ready_files.folder)
    assert environment.state() == "ready"
    stamp = ready_files.stamp()
    for change, state in [
        ({"contents": ""}, "outdated"),
        ({"contents": "another"}, "outdated"),
        ({"python": "3.1"}, "unusable"),
        ({"folder": "/elsewhere"}, "unusable"),
    ]:
        environment.stamp = tmp_path / "stamp.json"
        environment.stamp.write_text(json.dumps({**stamp, **change}))
        assert environment.state() == state, change
    for text in ("", "[]", "{}", "{ broken"):
        environment.stamp.write_text(text)
        assert environment.state() == "unusable", text
    environment.stamp = ready_files.venv / "igviz-stamp.json"
    environment.python = tmp_path / "gone"
    assert environment.state() == "unusable"


@contextmanager
def changed(course, name, text):
    """Let a file of the ready course hold another text for a while; mend the environment afterwards."""
    path = course.folder / name
    before = path.read_bytes()
    path.write_bytes(text.encode())
    try:
        yield path
    finally:
        path.write_bytes(before)
        course("setup")


def test_changed_requirements_are_installed_into_the_same_environment(ready):
    mark = ready.venv / "mark"
    mark.touch()
    with changed(ready, "constraints.txt", "numpy==2.2\n") as path:
        assert ready("lab").stdout.startswith("Installing packages")
        assert mark.exists()
        path.write_bytes(b"numpy==2.2\r\n")
        assert ready("lab").stdout.startswith("ARGUMENTS"), "another line ending is no other requirement"


def test_a_moved_environment_is_made_anew(ready, tmp_path):
    moved = Course(shutil.copytree(ready.folder, tmp_path / "it moved", symlinks=True))
    done = moved("lab")
    assert done.stdout.startswith("Making .venv")
    assert f"VENV {moved.venv}\n" in done.stdout
    assert str(ready.folder) not in (moved.venv / "pyvenv.cfg").read_text()


def test_a_half_made_environment_without_network_and_then_with(course):
    (course.venv / "bin").mkdir(parents=True)
    (course.venv / "bin" / "python").write_text("broken")
    path = course.folder / "pyproject.toml"
    path.write_text(NEEDS_NETWORK)
    assert course.fails("lab") == (
        "the packages could not be installed, no package index could be reached: "
        "connect to the internet and try again"
    )
    assert not (course.venv / "igviz-stamp.json").exists()
    assert "setuptools" in (course.venv / "igviz-install.log").read_text()
    path.write_text(PYPROJECT)
    done = course("lab")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Making .venv")


@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "nothing"])
def test_whatever_stands_in_the_way_is_removed_and_nothing_else(tmp_path, kind):
    environment = run.Environment(tmp_path / ".venv")
    (tmp_path / "precious").mkdir()
    if kind == "file":
        environment.folder.write_text("")
    elif kind != "nothing":
        if os.name == "nt":
            pytest.skip("links need a privilege on Windows")
        environment.folder.symlink_to("precious" if kind == "link" else "nowhere")
    environment.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_an_update_that_failed_is_taken_up_again(ready):
    with changed(ready, "pyproject.toml", NEEDS_NETWORK) as path:
        ready.fails("lab")
        assert ready.stamp()["contents"] == ""
        path.write_text(PYPROJECT)
        done = ready("lab")
        assert done.stdout.startswith("Installing packages")
        assert done.returncode == 0


def test_a_proxy_that_does_not_answer_is_no_network(ready):
    nobody = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), "127.0.0.1:9")
    with changed(ready, "pyproject.toml", NEEDS_NETWORK):
        line = ready.fails("setup", PIP_NO_INDEX="0", PIP_RETRIES="0", **nobody)
    assert "connect to the internet" in line


@pytest.mark.skipif(
    os.name == "nt" or getattr(os, "geteuid", int)() == 0, reason="permissions do not bind here"
)
def test_a_folder_that_cannot_be_written(course):
    course.folder.chmod(0o555)
    try:
        assert "move it to a folder of your own" in course.fails("setup")
    finally:
        course.folder.chmod(0o755)


def test_setup_installs_again_what_was_removed_by_hand(ready):
    (ready.venv / "settings").unlink()
    assert ready("setup").stdout.splitlines()[-1] == f"Ready: {ready.venv}"
    assert (ready.venv / "settings").exists()


@pytest.mark.skipif(os.name == "nt", reason="a console's interrupt cannot be sent to one process there")
@pytest.mark.parametrize(("command", "slow"), [("setup", "igviz/jupyter.py"), ("test", "pytest.py")])
def test_an_interrupt_is_quiet(ready, command, slow):
    """As Control-C in a terminal: the whole group gets it."""
    (ready.folder / "here").unlink(missing_ok=True)
    with changed(ready, slow, SLOW):
        program = subprocess.Popen(
            [sys.executable, "run.py", command], cwd=ready.folder, start_new_session=True, text=True,
            env={**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        limit = time.monotonic() + 60
        while not (ready.folder / "here").exists():
            assert time.monotonic() < limit
            assert program.poll() is None, program.communicate()
            time.sleep(0.05)
        os.killpg(program.pid, signal.SIGINT)
        _, errors = program.communicate(timeout=20)
        assert program.returncode == 130
        assert "run.py" not in errors, errors
        complete = ready.stamp()["contents"] != ""
    assert complete == (command == "test")


# ------------------------------------------------------------------- Pythons


def test_old_pythons_can_read_the_file():
    """They must get as far as the line that says they are too old."""
    ast.parse(SOURCE, feature_version=(3, 6))
    gate = SOURCE.index("if __name__")
    assert gate < SOURCE.index("class Problem"), "the version is looked at before anything newer is defined"


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 1), (3, 14, 9)])
def test_pythons_that_will_do(version):
    assert run.version_complaint(version, []) == ""


@pytest.mark.parametrize(
    ("version", "fault"), [((2, 7, 18), "too old"), ((3, 6, 15), "too old"), ((3, 10, 13), "too old"),
                           ((3, 15, 0), "too new"), ((4, 0, 0), "too new")]
)  # fmt: skip
def test_pythons_that_will_not_do(version, fault, monkeypatch):
    found = ".".join(map(str, version))
    monkeypatch.setattr(run, "other_python", lambda: "")
    line = f"run.py: Python {found} is {fault}, the course needs 3.11 to 3.14: "
    assert run.version_complaint(version, ["lab"]) == line + "install one and try again"
    monkeypatch.setattr(run, "other_python", lambda: "python3.12")
    assert run.version_complaint(version, ["lab"]) == line + "python3.12 run.py lab"


def test_another_python_is_named_only_if_it_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run.other_python() == ""
    if os.name == "nt":
        return
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert run.other_python() == ""
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    assert run.other_python() == "python3.12"


def old_pythons():
    folder = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    return [
        path
        for path in sorted(folder.glob("3.*/bin/python"))
        if int(path.parts[-3].split(".")[1]) in range(6, 11)
    ]


@pytest.mark.skipif(not old_pythons(), reason="no Python from 3.6 to 3.10 is installed")
def test_real_old_pythons_say_one_line(course):
    for python in {old_pythons()[0], old_pythons()[-1]}:
        line = course.fails("test", "-k", "x", python=str(python))
        assert re.match(r"Python 3\.\d+\.\d+ is too old, the course needs 3\.11 to 3\.14: .", line)
    assert not course.venv.exists()


def test_without_the_venv_module_the_package_is_named(monkeypatch):
    real = run.importlib.util.find_spec
    monkeypatch.setattr(
        run.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else real(name)
    )
    with pytest.raises(run.Problem, match=rf"sudo apt install python3\.{sys.version_info[1]}-venv"):
        run.require_venv_module()
    assert len(run.OLDEST) == 2


# ------------------------------------------------------------------- what pip says, and what we say


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "free about"),
        ("Error: [Errno 122] Disk quota exceeded: 'x'", "free about"),
        ("OSError: [WinError 112] There is not enough space on the disk", "free about"),
        ("NewConnectionError('<...>: Failed to establish a new connection: [Errno 111]')", "internet"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "connect to the internet"),
        ("ERROR: Could not find a version that satisfies x (from versions: none)", "internet"),
        ("SSLError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]') NewConnectionError", "global.cert"),
        ("ERROR: Could not install packages: [Errno 13] Permission denied: 'x'", "of your own"),
        ("[WinError 5] Access is denied", "of your own"),
        ("HINT: this system does not have Windows Long Path support enabled", "nearer"),
        ("ERROR: ResolutionImpossible: for help visit", "git checkout constraints.txt"),
        ("error: subprocess-exited-with-error\nFailed to build numpy", "try Python 3.12"),
    ],
)  # fmt: skip
def test_known_faults_are_explained(output, advice):
    line = run.explain(f"Collecting numpy\n{output}\n", "it failed")
    assert line.startswith("it failed, ")
    assert advice in line
    assert "\n" not in line


def test_an_unknown_fault_shows_the_last_error_and_the_log():
    output = "Collecting x\nERROR: first\nERROR: the moon is full\nnotice: new pip\n"
    line = run.explain(output, "it failed", Path("log.txt"))
    assert line == "it failed (ERROR: the moon is full); the whole story is in log.txt"
    assert run.explain("", "it failed") == "it failed (it said nothing)"


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "no permission"), (errno.ENOENT, "a file is missing"),
     (errno.EIO, os.strerror(errno.EIO))],
)  # fmt: skip
def test_errors_of_the_file_system_are_one_line(number, advice, monkeypatch, capsys):
    def fail(arguments):
        raise OSError(number, os.strerror(number), "some file")

    monkeypatch.setitem(run.COMMANDS, "setup", fail)
    assert run.main(["setup"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("run.py: ")
    assert advice in line
    assert "(some file)" in line


def test_a_full_disk_while_the_log_is_written_is_still_the_one_line(monkeypatch, tmp_path):
    environment = run.Environment(tmp_path)
    monkeypatch.setattr(run, "collect", lambda *_, **__: (1, "[Errno 28] No space left on device"))
    monkeypatch.setattr(
        Path, "write_text", lambda *_, **__: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full"))
    )
    with pytest.raises(run.Problem, match="the disk is full"):
        environment.install()


# ------------------------------------------------------------------- commands


def test_help_names_every_command(capsys):
    assert run.main(["--help"]) == 0
    text = capsys.readouterr().out
    for name in run.COMMANDS:
        assert re.search(rf"^  {name}\b", text, re.MULTILINE), name
    assert run.main([]) == 2


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["tets"], "there is no command 'tets'; did you mean test?"),
        (["xyzzy"], "there is no command 'xyzzy'; python run.py --help lists the commands"),
        (["setup", "now"], "setup takes no arguments"),
        (["check", "now"], "check takes no arguments"),
        (["bench"], "bench needs a name; the benchmarks are: peers, quick"),
        (["bench", "fast"], "there is no benchmark 'fast'; the benchmarks are: peers, quick"),
        (["notebooks"], "tools/execute_notebooks.py is missing: "
                        "bring it back with git checkout tools/execute_notebooks.py"),
    ],
)  # fmt: skip
def test_wrong_commands_are_one_line(course, arguments, line):
    assert course.fails(*arguments) == line
    assert not course.venv.exists()


def test_a_benchmark_with_requirements_has_an_environment_of_its_own(ready):
    done = ready("bench", "quick", "--rounds", "2")
    assert "ARGUMENTS ['--rounds', '2']" in done.stdout
    assert f"VENV {ready.venv}\n" in done.stdout
    done = ready("bench", "peers")
    assert done.stdout.startswith("Making peers")
    assert f"VENV {ready.folder / '.bench' / 'peers'}\n" in done.stdout
    assert ready("bench", "peers").stdout.startswith("ARGUMENTS")
    (ready.folder / "benchmarks/requirements/peers.txt").write_text("# changed\n")
    assert ready("bench", "peers").stdout.startswith("Installing")


def parts(text):
    return [
        ast.literal_eval(line.removeprefix("ARGUMENTS "))
        for line in text.splitlines()
        if line.startswith("ARGUMENTS")
    ]


def test_every_test_is_run_in_three_parts(ready):
    done = ready("test")
    assert done.returncode == 0
    unit, notebooks, browser = parts(done.stdout)
    assert unit == ["tests", "--ignore=tests/browser", "-n", "2", "--dist", "loadfile"]
    assert notebooks[0] == "--nbval"
    assert notebooks[-3:] == [
        f"notebooks/{name}.ipynb" for name in ("00_start_here", "03_kl", "appendix_mistakes")
    ]
    assert browser == ["tests/browser"]
    assert (
        len(re.findall(r"^(unit tests|notebooks|browser) +\d+\.\d s  passed$", done.stdout, re.MULTILINE))
        == 3
    )


@pytest.mark.parametrize(
    ("code", "verdict"), [(1, "FAILED"), (5, "FAILED: found nothing to run"), (-11, "FAILED")]
)
def test_one_failing_part_fails_the_whole_and_the_others_run(monkeypatch, capsys, code, verdict):
    codes = iter([code, 0, 0])
    monkeypatch.setattr(run, "run", lambda *_: next(codes))
    command = ["python", "-m", "pytest"]
    assert run.run_parts([(name, command) for name in "abc"], run.Environment(Path("x"))) == 1
    summary = capsys.readouterr().out.splitlines()[-3:]
    assert [line.split("s  ")[1] for line in summary] == [verdict, "passed", "passed"]


def test_named_tests_are_one_run(ready):
    assert parts(ready("test", "-k", "geodesic").stdout) == [["-k", "geodesic"]]
    (arguments,) = parts(ready("test", "notebooks/03_kl.ipynb").stdout)
    assert arguments[:2] == ["--nbval", "--nbval-current-env"]
    assert arguments[-1] == "notebooks/03_kl.ipynb"
    (arguments,) = parts(ready("test", "notebooks/", "-x").stdout)
    assert arguments[-2:] == ["notebooks/appendix_mistakes.ipynb", "-x"]
    assert ready("test", "bad").returncode == 1


def test_a_name_that_fits_no_test_says_so(ready):
    assert ready.fails("test", "-k", "nothing") == "no test fits: -k nothing"


# ------------------------------------------------------------------- restore


@pytest.fixture
def repository(course):
    course.commit()
    return course


def test_restore_keeps_the_readers_version(repository):
    path = repository.folder / "notebooks/03_kl.ipynb"
    path.write_text("mine")
    done = repository("restore", "03")
    assert done.returncode == 0, done.stderr
    assert "notebooks/mine/03_kl.ipynb" in done.stdout
    assert path.read_text() == "original 03"
    assert repository.read("notebooks/mine/03_kl.ipynb") == "mine"
    assert not repository.venv.exists(), "it needs no environment"


def test_restore_never_overwrites_an_earlier_version(repository):
    for text in ("first", "second", "third", "fourth"):
        (repository.folder / "notebooks/03_kl.ipynb").write_text(text)
        assert repository("restore", "3").returncode == 0
    kept = sorted((repository.folder / "notebooks/mine").iterdir())
    assert sorted(path.read_text() for path in kept) == ["first", "fourth", "second", "third"]
    assert all(
        re.fullmatch(r"03_kl(_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(_\d)?)?\.ipynb", path.name) for path in kept
    )


def test_restore_of_an_unchanged_notebook_changes_nothing(repository):
    done = repository("restore", "03")
    assert (done.returncode, done.stdout) == (0, "notebooks/03_kl.ipynb is the original already\n")
    assert not (repository.folder / "notebooks/mine").exists()


def test_restore_of_a_deleted_and_of_a_staged_notebook(repository):
    (repository.folder / "notebooks/03_kl.ipynb").unlink()
    (repository.folder / "notebooks/appendix_mistakes.ipynb").write_text("staged")
    repository.git("add", "notebooks")
    assert repository("restore", "03_kl.ipynb").returncode == 0
    assert repository("restore", "appendix").returncode == 0
    assert repository.read("notebooks/03_kl.ipynb") == "original 03"
    assert repository.read("notebooks/appendix_mistakes.ipynb") == "original appendix"
    assert repository.read("notebooks/mine/appendix_mistakes.ipynb") == "staged"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["07"], "there is no notebook '07'; the notebooks are: 00_start_here, 03_kl, appendix_mistakes"),
        ([], "restore needs one notebook, such as 03; "
             "the notebooks are: 00_start_here, 03_kl, appendix_mistakes"),
    ],
)  # fmt: skip
def test_restore_lists_what_there_is(repository, arguments, line):
    assert repository.fails("restore", *arguments) == line


def test_restore_without_a_repository_and_without_git(course, tmp_path):
    assert course.fails("restore", "03", GIT_CEILING_DIRECTORIES=str(course.folder.parent)).startswith(
        "the originals are kept by git, which says: fatal: not a git repository"
    )
    assert (
        course.fails("restore", "03", PATH=str(tmp_path)) == "git is not installed: install it and try again"
    )


def test_only_committed_notebooks_are_compared(repository, monkeypatch):
    (repository.folder / "notebooks/mine").mkdir()
    for name in ("scratch.ipynb", "mine/03_kl.ipynb"):
        (repository.folder / "notebooks" / name).write_text("mine")
    monkeypatch.setattr(run, "ROOT", repository.folder)
    monkeypatch.setattr(run, "NOTEBOOKS", repository.folder / "notebooks")
    assert [Path(path).stem for path in run.course_notebooks()] == [
        "00_start_here",
        "03_kl",
        "appendix_mistakes",
    ]
