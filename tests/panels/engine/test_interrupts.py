"""An interruption at any moment leaves sliders, picture and words of one place."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from igviz.panels.engine import encode, panel
from igviz.panels.engine.controls import Controls
from igviz.panels.engine.frames import Frames
from igviz.panels.engine.interrupts import held
from igviz.panels.engine.picture import Picture


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interruption_waits_for_the_end_of_the_block():
    done = []
    with pytest.raises(KeyboardInterrupt), held():
        interrupt()
        done.append(1)
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_in_another_thread_there_is_nothing_to_hold():
    def block():
        with held():
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    other = threading.Thread(target=block)
    other.start()
    other.join()


def make(on_draw=lambda: None):
    @panel(size=(240, 150), setup=lambda axes: axes.set(xlim=(0, 1), ylim=(0, 50)), a=(0, 50, 1))
    def line(axes, a=0):
        on_draw()
        axes.plot([0, 1], [a, a])
        return f"a is {a}"

    return line


MOMENTS = [
    (Controls, "put"),
    (Frames, "pixels"),
    (encode, "jpeg"),
    (Picture, "show"),
    (Picture, "send_state"),
]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("owner", "name"), MOMENTS)
def test_an_interrupted_change_leaves_all_at_one_place(wire, monkeypatch, owner, name, after):
    p = make()
    slider, picture = p.widget.children[0].children[-1].children[0], p.widget.picture
    p.set(a=10)
    act, times = getattr(owner, name), []

    def interrupted(*arguments, **options):
        times.append(1)
        if len(times) == 1 and not after:
            interrupt()
        result = act(*arguments, **options)
        if len(times) == 1 and after:
            interrupt()
        return result

    monkeypatch.setattr(owner, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        p.set(a=20)
    assert times
    assert slider.value == p.values["a"] == 10
    assert picture.sentence == p.sentence == "a is 10"
    p.set(a=30)
    assert slider.value == 30
    assert picture.sentence == "a is 30"


def test_a_drawing_function_that_takes_long_can_be_interrupted(wire):
    armed = []
    p = make(lambda: armed and armed.pop() and interrupt())
    picture = p.widget.picture
    p.set(a=10)
    armed.append(True)
    with pytest.raises(KeyboardInterrupt):
        p.set(a=20)
    assert p.values["a"] == 10
    assert picture.sentence == p.sentence == "a is 10"
