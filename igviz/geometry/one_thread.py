"""Many small matrix products are done by one thread: more would wait for one another."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_LOCK = threading.Lock()
_inside = 0  # how many calls are under way, in all threads
_limit: Any = None


@functools.cache
def _libraries() -> Any:
    """Return the libraries of linear algebra that are loaded."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function's linear algebra run in one thread; what the reader had set is back afterwards."""

    @functools.wraps(function)
    def alone(*given: P.args, **named: P.kwargs) -> R:
        _enter()
        try:
            return function(*given, **named)
        finally:
            _leave()

    return alone


def _enter() -> None:
    global _inside, _limit
    with _LOCK:
        if _inside == 0:
            _limit = _libraries().limit(limits=1, user_api="blas")
        _inside += 1


def _leave() -> None:
    global _inside
    with _LOCK:
        _inside -= 1
        if _inside == 0:
            _limit.restore_original_limits()
