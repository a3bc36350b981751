"""The time limit stops SymPy in any thread and leaves no trace."""

from __future__ import annotations

import sys
import threading
import time
import types

import pytest
import sympy

from igviz.geometry.symbolic.deadline import CALLS_PER_SECOND, TimeLimitExceeded, within


def hang():
    """An integral that SymPy does not finish: the mean of a squared logarithm under a Beta density."""
    x, a, b = sympy.symbols("x a b", positive=True)
    return sympy.integrate(sympy.log(x) ** 2 * x ** (a - 1) * (1 - x) ** (b - 1), (x, 0, 1))


def spin():
    """Python code that claims to be SymPy's and never ends."""
    module = types.ModuleType("sympy.spin")
    exec("def step():\n    pass\ndef run():\n    while True:\n        step()", module.__dict__)
    module.run()


def swallow(after=None):
    """Code that swallows what is raised on the way, and then goes on."""
    module = types.ModuleType("sympy.swallow")
    code = (
        "def run(work, after):\n"
        "    try:\n        work()\n    except BaseException:\n        pass\n"
        "    return after() if after else 'done'"
    )
    exec(code, module.__dict__)
    return module.run(spin, after)


def work_that_counts(calls):
    """Code that claims to be SymPy's and makes so many calls."""
    module = types.ModuleType("sympy.count")
    exec("def step():\n    pass\ndef run(n):\n    for _ in range(n):\n        step()", module.__dict__)
    module.run(calls)
    return "done"


@pytest.mark.parametrize("work", [hang, spin])
def test_it_stops_in_time(work):
    start = time.thread_time()
    with pytest.raises(TimeLimitExceeded):
        within(0.3, work)
    assert 0.02 < time.thread_time() - start < 1.5
    assert sys.getprofile() is None


def test_calls_are_counted():
    """Each is a call and a return, so the same work always comes to the same end."""
    half = int(0.1 * CALLS_PER_SECOND / 2)
    assert within(0.1, work_that_counts, half - 100) == "done"
    with pytest.raises(TimeLimitExceeded):
        within(0.1, work_that_counts, half + 100)


def test_the_clock_decides_where_calls_take_long():
    module = types.ModuleType("sympy.slow")
    code = "def step():\n    sum(range(20_000))\ndef run():\n    while True:\n        step()"
    exec(code, module.__dict__)
    start = time.thread_time()
    with pytest.raises(TimeLimitExceeded):
        within(0.1, module.run)
    assert 0.25 < time.thread_time() - start < 4.0


def test_it_returns_what_finishes():
    x = sympy.Symbol("x")
    assert within(5.0, sympy.integrate, x**2, x) == x**3 / 3
    assert within(float("inf"), sympy.integrate, x, x) == x**2 / 2
    assert sys.getprofile() is None


def test_errors_pass_through():
    with pytest.raises(ZeroDivisionError):
        within(5.0, lambda: 1 / 0)
    assert sys.getprofile() is None


def test_it_works_in_a_thread_that_is_not_the_main_one():
    seen = []

    def work():
        try:
            within(0.2, hang)
        except TimeLimitExceeded:
            seen.append(sys.getprofile())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30.0)
    assert seen == [None]


def test_no_exception_handler_keeps_it():
    assert not issubclass(TimeLimitExceeded, Exception)
    for after in (None, spin, swallow):
        with pytest.raises(TimeLimitExceeded):
            within(0.1, swallow, after)
        assert (sys.getprofile(), sys.gettrace()) == (None, None)


def test_closed_generators_are_not_interrupted():
    """What is raised while a generator is closed is lost and printed; pytest would report that."""
    module = types.ModuleType("sympy.generators")
    exec("def run():\n    while True:\n        any(True for _ in (1, 2))", module.__dict__)
    within_reach = "def step():\n    any(True for _ in (1, 2))\ndef run():\n    while True:\n        step()"
    exec(within_reach, module.__dict__)
    for seconds in (0.01, 0.0101, 0.01023, 0.01041):
        with pytest.raises(TimeLimitExceeded):
            within(seconds, module.run)


def test_cleaning_up_is_not_interrupted():
    module = types.ModuleType("sympy.cleaning")
    code = (
        "def step(n):\n    return n + 1\n"
        "def run(work, done):\n"
        "    try:\n        work()\n"
        "    finally:\n"
        "        for n in range(100):\n            step(n)\n"
        "        done.append('cleaned')"
    )
    exec(code, module.__dict__)
    done = []
    with pytest.raises(TimeLimitExceeded):
        within(0.05, module.run, spin, done)
    assert done == ["cleaned"]


def test_a_tracer_that_was_there_is_put_back():
    def tracer(*_):
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        with pytest.raises(TimeLimitExceeded):
            within(0.02, spin)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


def test_a_profiler_that_was_there_is_put_back():
    def profiler(*_):
        pass

    sys.setprofile(profiler)
    try:
        within(1.0, sympy.sin, 1)
        with pytest.raises(TimeLimitExceeded):
            within(0.1, spin)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)


def test_the_earliest_of_nested_limits_holds():
    def outer():
        return within(60.0, spin)

    start = time.thread_time()
    with pytest.raises(TimeLimitExceeded):
        within(0.2, outer)
    assert time.thread_time() - start < 1.0

    def patient():
        try:
            within(0.1, spin)
        except TimeLimitExceeded:
            return "went on"

    assert within(5.0, patient) == "went on"


def test_what_an_inner_limit_used_counts_for_the_outer_one():
    calls = int(0.04 * CALLS_PER_SECOND / 2)

    def outer():
        for _ in range(5):
            within(60.0, work_that_counts, calls)
        return "done"

    assert within(1.0, outer) == "done"
    with pytest.raises(TimeLimitExceeded):
        within(0.1, outer)


def test_code_outside_sympy_is_not_interrupted():
    def loop():
        start = time.thread_time()
        while time.thread_time() - start < 0.2:
            pass
        return "finished"

    assert within(0.05, loop) == "finished"


def test_a_finaliser_is_not_interrupted():
    """What is raised in one is lost and printed; the limit waits until it is over."""
    module = types.ModuleType("sympy.finaliser")
    code = (
        "import time\n"
        "class Slow:\n"
        "    def __del__(self):\n"
        "        start = time.thread_time()\n"
        "        while time.thread_time() - start < 0.2:\n"
        "            self.step()\n"
        "    def step(self):\n"
        "        pass\n"
        "def run(work):\n"
        "    Slow()\n"
        "    work()"
    )
    exec(code, module.__dict__)
    with pytest.raises(TimeLimitExceeded):  # pytest would report an exception that was ignored
        within(0.05, module.run, spin)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_the_limit_must_be_positive(seconds):
    with pytest.raises(ValueError, match="within: seconds must be positive, got"):
        within(seconds, int)
