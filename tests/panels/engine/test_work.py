"""Slow work behind a button: a bar, a result, an error in one line, and sliders that stay free."""

from __future__ import annotations

import threading
import time

import pytest

from igviz.panels.engine import Work, panel


class Bench:
    """A panel whose work waits at each step until it is let on."""

    def __init__(self, fails=None):
        self.step, self.arrived = threading.Semaphore(0), threading.Semaphore(0)
        self.given = []

        def run(progress, a):
            self.given.append(a)
            for number in range(3):
                self.arrived.release()
                assert self.step.acquire(timeout=30)
                progress((number + 1) / 3, f"step {number + 1}")
            if fails:
                raise fails
            return 10 * a

        @panel(
            size=(240, 150),
            setup=lambda axes: axes.set(xlim=(0, 1), ylim=(0, 1)),
            a=(0, 5, 1),
            work=Work("Train", run),
        )
        def trained(axes, a=1, result=None):
            axes.plot([0, 1], [0, a / 5])
            return f"a is {a}, result is {result}"

        self.panel = trained
        self.row = trained.widget and trained._view.work

    def press(self):
        self.row.button.click()
        assert self.arrived.acquire(timeout=30)

    def go_on(self, steps=3):
        for _ in range(steps):
            self.step.release()
        self.row.thread.join(30)
        assert not self.row.thread.is_alive()


def test_the_result_reaches_the_function_and_the_bar_moves(wire):
    bench = Bench()
    picture = bench.panel.widget.picture
    assert picture.sentence == "a is 1, result is None"
    before = picture.serial
    bench.press()
    assert (bench.row.button.description, bench.row.bar.layout.visibility) == ("Stop", "visible")
    bench.step.release()
    assert bench.arrived.acquire(timeout=30)
    assert bench.row.bar.value == pytest.approx(1 / 3)
    assert bench.row.text.value == "step 1"
    bench.go_on(2)
    assert picture.sentence == "a is 1, result is 10"
    assert picture.serial == before + 1
    assert (bench.row.button.description, bench.row.bar.layout.visibility) == ("Train", "hidden")


def test_sliders_move_while_the_work_runs(wire):
    bench = Bench()
    bench.press()
    mover = threading.Thread(target=lambda: bench.panel.set(a=4))
    mover.start()
    mover.join(30)
    assert not mover.is_alive(), "the work holds no lock"
    assert bench.panel.widget.picture.sentence == "a is 4, result is None"
    bench.go_on()
    assert bench.given == [1], "it works with the values it was started with"
    assert bench.panel.sentence == "a is 4, result is 10"


def test_an_error_is_one_line_and_the_panel_survives(wire):
    bench = Bench(fails=ArithmeticError("lost\nthe way"))
    bench.press()
    bench.go_on()
    picture = bench.panel.widget.picture
    assert picture.problem == "Train failed. ArithmeticError: lost the way"
    bench.panel.set(a=2)
    assert (picture.problem, picture.sentence) == ("", "a is 2, result is None")


def test_stop_keeps_the_last_result(wire):
    bench = Bench()
    bench.press()
    bench.go_on()
    bench.panel.set(a=2)
    while bench.arrived.acquire(blocking=False):
        pass
    bench.press()
    bench.row.button.click()
    bench.go_on(1)
    picture = bench.panel.widget.picture
    assert picture.problem.startswith("Stopped")
    assert bench.panel.sentence == "a is 2, result is 10"
    assert bench.row.button.description == "Train"


def test_a_panel_closed_while_it_works_hears_no_more_of_it(wire):
    bench = Bench()
    bench.press()
    bench.panel.close()
    bench.panel.widget  # noqa: B018
    bench.go_on()
    picture = bench.panel.widget.picture
    assert (picture.problem, picture.sentence) == ("", "a is 1, result is None")
    assert bench.panel._view.work.button.description == "Train"


def test_work_that_never_reports_is_dropped_when_the_panel_closes(wire):
    gate = threading.Event()

    @panel(a=(0, 1), size=(240, 150), work=Work("Go", lambda progress, a: gate.wait(30)))
    def quiet(axes, a, result):
        return f"result is {result}"

    row = quiet.widget and quiet._view.work
    row.button.click()
    quiet.close()
    gate.set()
    row.thread.join(30)
    assert quiet.sentence == "result is None"


def test_compute_does_the_work_in_the_cell(wire):
    bench = Bench()
    for _ in range(3):
        bench.step.release()
    start = time.perf_counter()
    bench.panel.compute()
    assert time.perf_counter() - start < 30
    assert bench.panel.widget.picture.sentence == "a is 1, result is 10"
    with pytest.raises(ValueError, match="no slow work"):
        panel(a=(0, 1))(lambda axes, a: "words").compute()
