"""An interruption at any moment leaves sliders, picture and words of one place."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest

from igviz.panels.engine import panel
from igviz.panels.engine.interrupts import held


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


def make():
    @panel(size=(240, 150), setup=lambda axes: axes.set(xlim=(0, 1), ylim=(0, 50)), a=(0, 50, 1))
    def line(axes, a=0):
        axes.plot([0, 1], [a, a])
        return f"a is {a}"

    return line


def test_an_interrupted_frame_leaves_all_at_the_place_before(wire):
    p = make()
    slider, picture = p.widget.children[0].children[-1].children[0], p.widget.picture
    files = [sys.modules[name].__file__ for name in ("igviz.panels.engine.panel", "igviz.panels.engine.view")]
    ends = set()
    for moment in range(1, 200):
        p.set(a=10)
        count = 0

        def at_a_moment(frame, event, _argument, moment=moment):
            nonlocal count
            if frame.f_code.co_filename not in files:
                return None
            if event == "line":
                count += 1
                if count == moment:
                    sys.settrace(None)
                    interrupt()
            return at_a_moment

        interrupted = False
        sys.settrace(at_a_moment)
        try:
            p.set(a=20)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            sys.settrace(None)
        assert slider.value == p.values["a"]
        assert picture.sentence == p.sentence == f"a is {slider.value}"
        ends.add((interrupted, slider.value))
        if not interrupted:
            break
    assert ends == {(True, 10), (False, 20)} or ends == {(True, 10), (True, 20), (False, 20)}
    assert moment > 20, "the moments cover the whole change"
