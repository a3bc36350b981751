"""Linear algebra in one thread, and what the reader had set afterwards."""

from __future__ import annotations

import threading

import numpy  # noqa: F401 - whose linear algebra it is
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from igviz.geometry.one_thread import one_thread


def threads() -> set[int]:
    return {one["num_threads"] for one in ThreadpoolController().info() if one["user_api"] == "blas"}


@one_thread
def inner() -> set[int]:
    return threads()


@one_thread
def outer() -> tuple[set[int], set[int]]:
    return inner(), threads()


def test_one_thread_inside_and_the_reader_s_number_afterwards():
    with threadpool_limits(2, user_api="blas"):
        assert threads() == {2}
        assert outer() == ({1}, {1})
        assert threads() == {2}


def test_an_error_gives_the_threads_back():
    @one_thread
    def fails() -> None:
        raise ValueError("no")

    with threadpool_limits(2, user_api="blas"):
        with pytest.raises(ValueError, match="no"):
            fails()
        assert threads() == {2}


def test_calls_that_overlap_in_two_threads_give_the_threads_back():
    first, second = threading.Event(), threading.Event()

    @one_thread
    def long() -> None:
        first.set()
        assert second.wait(10)

    @one_thread
    def late() -> None:
        second.set()  # the long call ends before this one

    with threadpool_limits(2, user_api="blas"):
        worker = threading.Thread(target=long)
        worker.start()
        assert first.wait(10)
        late()
        worker.join()
        assert threads() == {2}
