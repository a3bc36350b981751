"""A time limit for SymPy that needs no thread, signal or second process."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from inspect import CO_GENERATOR
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")

# calls and returns that count as one second: what a laptop does in about that time
CALLS_PER_SECOND = 3_000_000
# by the clock it may take this many times longer: on a slow machine, or in code that makes no calls
_PATIENCE = 3.0
_BETWEEN_LOOKS = 5_000
_INTERRUPTIBLE = ("sympy", "mpmath")


class TimeLimitExceeded(BaseException):
    """The time is up. Not an `Exception`, so that no ``except Exception`` on the way swallows it."""


def within(seconds: float, function: Callable[..., Result], *arguments: Any) -> Result:
    """Return ``function(*arguments)``, or stop it when it has used its time.

    Time is counted in calls and returns of functions, three million to the second, so that the outcome
    depends on the work and not on the machine or what else it is doing; but after three times as many
    seconds of processor time it is up in any case. `sys.setprofile` counts, and the exception is raised
    inside SymPy or mpmath. Hence it works in any thread, on any platform and in the browser; it does not
    reach inside one long call of compiled code. SymPy takes 2.4 to 3 times as long under it (Python 3.11).
    Limits may be nested; the earliest holds. A profiler that is running is put back afterwards; one that is
    written in C, such as cProfile before Python 3.12, cannot be, so under it the function runs without a
    limit.

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
    outer = getattr(previous, "watch", None)
    watch = _Watch(seconds, outer)
    sys.setprofile(watch.look)
    try:
        result = function(*arguments)
    finally:
        if watch.raised:
            sys.settrace(watch.tracer)
        sys.setprofile(previous)
        if outer is not None:
            outer.add(watch.calls())
    if watch.raised:  # something on the way swallowed the exception: the result is not to be trusted
        raise TimeLimitExceeded
    return result


class _Watch:
    """Counts calls, looks at the clock now and then, and raises when the time is up."""

    def __init__(self, seconds: float, outer: _Watch | None) -> None:
        self.raised = False
        self.most = seconds * CALLS_PER_SECOND
        self.end = _processor_time() + _PATIENCE * seconds
        if outer is not None:
            self.most, self.end = min(self.most, outer.most - outer.calls()), min(self.end, outer.end)
        self.tracer = sys.gettrace()
        count, due = 0, min(self.most, _BETWEEN_LOOKS)

        def look(frame: FrameType, *_: Any) -> None:  # a closure: this runs millions of times
            nonlocal count, due
            count += 1
            if count >= due:
                late = count >= self.most or _processor_time() >= self.end
                heard = late and _is_heard(frame)
                due = count + 1 if late and not heard else count + _BETWEEN_LOOKS
                if not late:
                    due = min(due, self.most)
                if heard:
                    self.raised = True
                    sys.settrace(self._again)
                    raise TimeLimitExceeded

        def add(calls: int) -> None:
            nonlocal count
            count += calls

        look.watch = self  # type: ignore[attr-defined]  # a limit inside this one asks it what is left
        self.look: Callable[..., None] = look
        self.add: Callable[[int], None] = add
        self.calls: Callable[[], int] = lambda: count

    def _again(self, *_: Any) -> None:
        """Watch on if the exception was swallowed: Python drops a profile function that has raised.

        What is called first may be cleaning up, so a few thousand calls go by before it is raised again.
        """
        sys.settrace(self.tracer)
        sys.setprofile(self.look)


def _is_heard(frame: FrameType | None) -> bool:
    """Whether an exception in this frame reaches SymPy's caller.

    One in a finaliser, which may run at any time, or in a generator that is being closed, as by ``any``, is
    lost and printed.
    """
    if frame is None or _package(frame) not in _INTERRUPTIBLE or frame.f_code.co_flags & CO_GENERATOR:
        return False
    while frame is not None and _package(frame) != __name__.partition(".")[0]:
        if frame.f_code.co_name == "__del__" or _package(frame) == "weakref":
            return False
        frame = frame.f_back
    return True


def _package(frame: FrameType) -> str:
    return (frame.f_globals.get("__name__") or "").partition(".")[0]


def _processor_time() -> float:
    """Seconds that this thread has used; where a platform cannot tell, seconds that have passed."""
    try:
        return time.thread_time()
    except (AttributeError, OSError):
        return time.monotonic()
