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


class Stages:
    """A panel whose work hands on a result at each step it is let on, and takes the slider ``at`` along."""

    def __init__(self, fails=None, returns="end"):
        self.step, self.arrived = threading.Semaphore(0), threading.Semaphore(0)
        self.drawn = []

        def run(progress, at, other):
            for number in range(1, 7):
                progress(number / 6, f"step {number}", result=f"result {number}", at=number)
                self.arrived.release()
                assert self.step.acquire(timeout=30)
            progress(1.0)
            if fails:
                raise fails
            return returns

        @panel(
            size=(240, 150),
            setup=lambda axes: axes.set(xlim=(0, 1), ylim=(0, 1)),
            at=(0, 9, 1),
            other=(0, 9, 1),
            work=Work("Train", run),
        )
        def staged(axes, at=8, other=0, result=None):
            self.drawn.append((at, result))
            axes.plot([0, 1], [0, at / 9])
            return f"at {at}, other {other}: {result}"

        self.panel = staged
        self.row = staged.widget and staged._view.work
        self.picture = staged.widget.picture
        self.drawn.clear()

    def press(self):
        self.step, self.arrived = (
            threading.Semaphore(0),
            threading.Semaphore(0),
        )  # none is left of an earlier run
        self.row.button.click()
        assert self.arrived.acquire(timeout=30)

    def go_on(self, steps=1, after=0.0):
        """Let it take steps, the next frame being due at once or only after some seconds."""
        for _ in range(steps):
            self.row._next_frame = time.monotonic() + after
            self.step.release()
            assert self.arrived.acquire(timeout=30)

    def end(self):
        self.step.release(9)
        self.row.thread.join(30)
        assert not self.row.thread.is_alive()


def test_results_on_the_way_are_drawn_and_take_a_slider_along_in_one_frame(wire):
    stages = Stages()
    before = stages.picture.serial
    stages.press()
    assert stages.picture.sentence == "at 1, other 0: result 1"
    assert stages.picture.serial == before + 1
    assert stages.panel._view.controls.inputs[0].value == 1
    stages.go_on()
    assert stages.picture.sentence == "at 2, other 0: result 2"
    assert stages.picture.serial == before + 2
    stages.end()
    assert stages.picture.sentence == "at 6, other 0: end"


def test_what_comes_too_fast_is_skipped_until_a_slider_or_the_end_shows_it(wire):
    stages = Stages()
    stages.press()
    stages.go_on(3, after=100.0)
    assert stages.picture.sentence == "at 1, other 0: result 1"
    stages.panel.set(other=5)
    assert stages.picture.sentence == "at 1, other 5: result 1"
    stages.row._next_frame = time.monotonic() + 100.0
    stages.end()
    assert stages.drawn[-1][1] == "end"
    assert len(stages.drawn) <= 4
    assert stages.panel.sentence == "at 6, other 5: end"


def test_a_slider_that_the_reader_moved_is_left_alone_for_the_rest_of_the_work(wire):
    stages = Stages()
    stages.press()
    stages.go_on()
    wire.page(stages.panel._view.controls.inputs[0], value=7)
    assert stages.picture.sentence == "at 7, other 0: result 2"
    stages.go_on(2)
    assert stages.picture.sentence == "at 7, other 0: result 4"
    stages.end()
    assert stages.panel.sentence == "at 7, other 0: end"
    stages.press()  # a new piece of work takes it along again
    assert stages.panel.sentence == "at 1, other 0: result 1"
    stages.end()


def test_stop_keeps_what_there_is_so_far(wire):
    stages = Stages()
    stages.press()
    stages.go_on(2, after=100.0)
    assert stages.picture.sentence == "at 1, other 0: result 1"
    stages.row.button.click()
    stages.end()
    assert stages.panel.sentence == stages.picture.sentence == "at 4, other 0: result 4"
    assert stages.picture.problem == "Stopped; the picture shows the last result."
    assert (stages.row.button.description, stages.row.bar.layout.visibility) == ("Train", "hidden")


def test_work_that_fails_leaves_the_last_picture(wire):
    stages = Stages(fails=FloatingPointError("it ran away"))
    stages.press()
    stages.go_on(2)
    stages.row._next_frame = time.monotonic() + 100.0
    stages.end()
    assert stages.picture.problem == "Train failed. FloatingPointError: it ran away"
    assert stages.panel.sentence == "at 3, other 0: result 3"


def test_a_panel_closed_on_the_way_hears_no_more_of_it(wire):
    stages = Stages()
    stages.press()
    stages.panel.close()
    stages.panel.widget  # noqa: B018
    stages.end()
    picture = stages.panel.widget.picture
    assert (picture.problem, stages.panel.sentence) == ("", "at 1, other 0: result 1")
    assert stages.panel.values == {"at": 1, "other": 0}


def test_a_slider_that_is_not_there_fails_in_one_line(wire):
    made = panel(a=(0, 5, 1), work=Work("Go", lambda progress, a: progress(0.5, "", result=1, b=2)))(
        lambda axes, a=1, result=None: f"a is {a}, result is {result}"
    )
    row = made.widget and made._view.work
    row.button.click()
    row.thread.join(30)
    assert (
        made.widget.picture.problem == "Go failed. ValueError: progress: there is no slider 'b'; there are a"
    )
    assert made.sentence == "a is 1, result is None"


def test_results_on_the_way_may_be_none_and_compute_takes_them(wire):
    made = panel(a=(0, 5, 1), work=Work("Go", lambda progress, a: progress(0.5, "x", result=None, a=2) or 7))(
        lambda axes, a=1, result=None: f"a is {a}, result is {result}"
    )
    made.compute()
    assert made.sentence == "a is 1, result is 7"


def test_sliders_and_results_on_the_way_do_not_lose_each_other(wire):
    """Threads that move sliders while results come: in the end the sliders stand where they were put."""

    def run(progress, at, other):
        for number in range(300):
            progress(number / 300, str(number), result=number, at=number % 10)
            made._view.work._next_frame = 0.0
        return "end"

    @panel(at=(0, 9, 1), other=(0, 9, 1), size=(240, 150), work=Work("Go", run))
    def made(axes, at=0, other=0, result=None):
        return f"at {at}, other {other}: {result}"

    row = made.widget and made._view.work
    row.button.click()
    for value in (3, 1, 4, 1, 5, 9, 2, 6):
        made.set(other=value)
        time.sleep(0.01)
    row.thread.join(60)
    assert made.sentence == "at 9, other 6: end"
    assert [one.value for one in made._view.controls.inputs] == [9, 6]


def test_where_no_thread_can_start_the_button_says_so(wire, monkeypatch):
    bench = Bench()

    def start(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    bench.row.button.click()
    assert bench.panel.widget.picture.problem == (
        "Train needs a thread, and this kernel starts none. "
        "Give the panel a name and call its compute() in a cell."
    )
    assert (bench.row.button.description, bench.row.bar.layout.visibility) == ("Train", "hidden")
    monkeypatch.undo()
    bench.press()  # and a kernel that can again does
    bench.go_on()
    assert bench.panel.sentence == "a is 1, result is 10"
