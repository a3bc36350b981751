"""Slider messages come in another thread, idle or not: every frame still equals its reference."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from igviz.panels.engine import panel
from igviz.plots.settings import LOCK


def make(k=1):
    @panel(
        size=(240, 150),
        setup=lambda axes: axes.set(xlim=(0, 1), ylim=(-6, 6)),
        a=(0, 5, 1),
        b=(0, 5, 1),
    )
    def formula(axes, a=0, b=0):
        axes.plot([0, 1], [a, -b], color="black")
        axes.text(0.1, 0, rf"$\frac{{{k}{a}}}{{\sqrt{{\alpha_{{{b}}}}}}}$", fontsize=16)
        return f"{k} {a} {b}"

    return formula


@pytest.fixture
def impatient():
    """Change threads as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def together(*acts):
    """Run functions at the same time in threads; raise what they raise."""
    errors = []

    def guarded(act):
        try:
            act()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(act,)) for act in acts]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not any(one.is_alive() for one in threads)
    if errors:
        raise errors[0]


def references(k):
    p = make(k)
    found = {}
    for a in range(6):
        for b in range(6):
            p.set(a=a, b=b)
            found[f"{k} {a} {b}"] = p.pixels().tobytes()
    return found


def test_two_threads_moving_one_panel_and_another(impatient):
    expected = references(1) | references(2)
    first, second = make(1), make(2)
    seen = []

    def move(p, name, step):
        def act():
            for turn in range(24):
                p.set(**{name: (turn * step) % 6})
                with p.drawn():
                    seen.append((p.sentence, p._figure().pixels().tobytes()))

        return act

    together(move(first, "a", 1), move(first, "b", 5), move(second, "a", 1))
    assert len(seen) == 72
    for sentence, found in seen:
        assert expected[sentence] == found, sentence


def test_every_message_of_a_panel_moved_from_page_and_cell_agrees_with_itself(impatient, wire):
    p = make()
    slider_a, slider_b = p.widget.children[0].children[-1].children
    picture = p.widget.picture
    wire.clear()
    together(
        lambda: [wire.page(slider_a, value=turn % 6) for turn in range(30)],
        lambda: [p.set(b=turn % 6) for turn in range(30)],
        lambda: [wire.page(picture, pointer=[0.0, 0.0, turn]) for turn in range(30)],
        lambda: [p.pixels() for _ in range(10)],
    )
    updates = wire.updates(picture)
    assert all({"sentence", "frame", "serial", "line"} <= set(update) for update in updates if update)
    serials = [update["serial"] for update in updates]
    assert serials == sorted(set(serials))
    for update in updates:
        _, a, b = update["sentence"].split()
        assert update["line"] == f"formula(a={a}, b={b})"
    assert p.values == {"a": 5, "b": 5}
    assert (slider_a.value, slider_b.value) == (5, 5)
    assert picture.sentence == p.sentence


def test_a_slider_moved_while_a_cell_moves_another_is_not_lost(wire):
    """The page's value is in the widget already when the cell, holding the lock, puts its own state there."""
    p = make()
    slider_a, _ = p.widget.children[0].children[-1].children
    with LOCK:
        page = threading.Thread(target=lambda: wire.page(slider_a, value=4))
        page.start()
        page.join(0.3)
        assert page.is_alive(), "it waits for the lock"
        p.set(b=3)
    page.join(30)
    assert p.values == {"a": 4, "b": 3}
    assert slider_a.value == 4


def test_the_picture_is_never_sent_in_pieces(wire):
    """A pointer message holds back notifications; a frame sent then would leave trait by trait."""
    p = make()
    picture = p.widget.picture
    entered, leave = threading.Event(), threading.Event()

    def slow(change):
        entered.set()
        leave.wait(30)

    picture.observe(slow, "pointer")
    page = threading.Thread(target=lambda: wire.page(picture, pointer=[0.1, 0.1, 1]))
    page.start()
    entered.wait(30)
    cell = threading.Thread(target=lambda: p.set(a=3))
    cell.start()
    cell.join(0.3)
    assert cell.is_alive(), "the frame waits until the page's message is dealt with"
    leave.set()
    page.join(30)
    cell.join(30)
    assert np.isclose(p.values["a"], 3)


def test_two_panels_share_one_lock_and_cannot_lock_each_other_out(wire):
    first, second = make(1), make(2)

    def cross(p, q):
        def act():
            for turn in range(10):
                with p.drawn():
                    q.set(a=turn % 6)

        return act

    together(cross(first, second), cross(second, first))
    assert (first.values["a"], second.values["a"]) == (3, 3)
