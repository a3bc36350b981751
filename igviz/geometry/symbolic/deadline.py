"""A time limit for SymPy that needs no thread, signal or second process."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")

_INTERRUPTIBLE = ("sympy", "mpmath")


class TimeLimitExceeded(BaseException):
    """The time is up. Not an `Exception`, so that no ``except Exception`` on the way swallows it."""


def within(seconds: float, function: Callable[..., Result], *arguments: Any) -> Result:
    """Return ``function(*arguments)``, or stop it when it has used its time.

    What counts is the processor time of the thread, so that the outcome depends on the work and not on what
    else the machine is doing. The clock is read at every call and return, through `sys.setprofile`, and
    the exception is raised inside SymPy or mpmath. Hence it works in any thread, on any platform and in the
    browser; it does not reach inside one long call of compiled code. SymPy takes 2.4 to 3 times as long
    under it (Python 3.11). Limits may be nested; the earliest holds. A profiler that is running is put back
    afterwards; one that is written in C, such as cProfile before Python 3.12, cannot be, so under it the
    function runs without a limit.

    Parameters
    ----------
    seconds : float
        Positive; infinity means no limit.
    function : callable
        What to run.
    *arguments
        What to run it on.

    Raises
    ------
    ValueError
        If seconds is not positive.
    TimeLimitExceeded
        If the time is up before the function returns.
    """
    if not seconds > 0.0:
        raise ValueError(f"within: seconds must be positive, got {seconds!r}")
    previous = sys.getprofile()
    if seconds == float("inf") or (previous is not None and not callable(previous)):
        return function(*arguments)
    end = min(_processor_time() + seconds, getattr(previous, "end", float("inf")))
    look, raised = _watch(end)
    sys.setprofile(look)
    try:
        result = function(*arguments)
    finally:
        sys.setprofile(previous)
    if raised:  # something on the way swallowed the exception: the result is not to be trusted
        raise TimeLimitExceeded
    return result


def _watch(end: float) -> tuple[Callable[..., None], list[bool]]:
    """Return a profile function that raises once the processor time is past `end`, and a note of that."""
    raised: list[bool] = []
    next_look = 0.0

    def look(frame: FrameType, *_: Any, clock: Callable[[], float] = time.monotonic) -> None:
        nonlocal next_look
        if clock() < next_look:
            return
        left = end - _processor_time()
        if left > 0.0:  # the processor's clock is slow to read, and cannot run ahead of the other one
            next_look = clock() + left
        elif _is_heard(frame):
            raised.append(True)
            raise TimeLimitExceeded

    look.end = end  # type: ignore[attr-defined]  # a limit inside this one reads it
    return look, raised


def _is_heard(frame: FrameType | None) -> bool:
    """Whether an exception in this frame reaches SymPy's caller.

    The garbage collector may run a finaliser at any time, whose exceptions are lost and printed.
    """
    if frame is None or _package(frame) not in _INTERRUPTIBLE:
        return False
    while frame is not None and _package(frame) != __name__.partition(".")[0]:
        if frame.f_code.co_name == "__del__" or _package(frame) == "weakref":
            return False
        frame = frame.f_back
    return True


def _package(frame: FrameType) -> str:
    return frame.f_globals.get("__name__", "").partition(".")[0]


def _processor_time() -> float:
    """Seconds that this thread has used; where a platform cannot tell, seconds that have passed."""
    try:
        return time.thread_time()
    except (AttributeError, OSError):
        return time.monotonic()
