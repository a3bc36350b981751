"""What every way uphill checks of its arguments."""

from __future__ import annotations

import numpy as np


def require(right: bool, where: str, name: str, value: object, allowed: str) -> None:
    """Raise ValueError naming an argument, its value and what is allowed, unless it is right."""
    if not right:
        raise ValueError(f"{where}: {name} must be {allowed}, got {value!r}")


def require_count(where: str, name: str, value: object, least: int = 0) -> None:
    """Raise ValueError unless a value is a whole number that is at least `least`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    require(whole and int(value) >= least, where, name, value, f"a whole number of at least {least}")  # type: ignore[call-overload]


def require_positive(where: str, name: str, value: object, most: float = np.inf) -> None:
    """Raise ValueError unless a value is a positive finite number, not above `most`."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    right = number and 0.0 < float(value) <= most and bool(np.isfinite(value))  # type: ignore[arg-type, call-overload]
    allowed = "a positive finite number" if most == np.inf else f"above 0 and at most {most:g}"
    require(right, where, name, value, allowed)
