"""A slider is a finite grid of values with a name: what may be chosen, where it starts, how it reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from numbers import Integral
from typing import Any

import numpy as np

FEWEST_STEPS = 100
TOO_MANY_STEPS = 100_000


class Slider:
    """A grid of values a reader can choose from.

    Parameters
    ----------
    start, stop : float
        The two ends of a linear grid.
    step : float, optional
        The distance between neighbours, a decimal that divides ``stop - start``. Without it, the largest
        of 1, 2, 5 × 10ᵏ that gives at least a hundred steps. Whole ``start`` and ``step`` make whole values.
    value : optional
        Where the slider starts; without it the drawing function's own default, else the middle.
    label : str, optional
        What stands beside the slider; the name when it is left out.
    choices : sequence, optional
        An explicit list of values instead of a linear grid: numbers (a logarithmic scale, say) or words.

    Raises
    ------
    ValueError
        When the ends, the step or the start value do not make a grid.
    """

    def __init__(
        self,
        start: float | None = None,
        stop: float | None = None,
        step: float | None = None,
        *,
        value: Any = None,
        label: str | None = None,
        choices: Sequence[Any] | None = None,
    ) -> None:
        self.name = ""
        self.label = label
        self.start_value = value
        # NumPy's scalars become Python's: the line that recreates a panel must read as plain Python
        self.choices = tuple(map(_plain, choices)) if choices is not None else None
        if self.choices is not None:
            if start is not None or stop is not None or step is not None:
                raise ValueError("Slider: give either choices or start, stop and step, not both")
            if len(self.choices) < 2 or len(set(self.choices)) != len(self.choices):
                raise ValueError(f"Slider: choices must be at least two different values, got {choices!r}")
            self.count = len(self.choices)
            return
        for word, number in (("start", start), ("stop", stop)):
            if not _is_number(number):
                raise ValueError(f"Slider: {word} must be a finite number, got {number!r}")
        assert start is not None and stop is not None
        if not start < stop:
            raise ValueError(f"Slider: start must be below stop, got {start!r} and {stop!r}")
        if step is None:
            chosen = _nice_step(_decimal(start), _decimal(stop))
        elif _is_number(step) and step > 0:
            chosen = _decimal(step)
        else:
            raise ValueError(f"Slider: step must be a positive number, got {step!r}")
        steps = (_decimal(stop) - _decimal(start)) / chosen
        if steps != steps.to_integral_value() or steps > TOO_MANY_STEPS:
            raise ValueError(
                f"Slider: step must divide stop - start into at most {TOO_MANY_STEPS} steps, "
                f"got start {start!r}, stop {stop!r}, step {step!r}"
            )
        self.count = int(steps) + 1
        self.start, self.stop, self.step = float(start), float(stop), float(chosen)
        self.whole = step is not None and all(isinstance(number, Integral) for number in (start, stop, step))
        self._first, self._step = _decimal(start), chosen
        self.decimals = max(0, -int(chosen.normalize().as_tuple().exponent), -_exponent(self._first))

    def named(self, name: str, fallback: Any) -> Slider:
        """Return this slider under its name, with its start value settled and checked to lie on the grid."""
        slider = object.__new__(Slider)
        slider.__dict__.update(self.__dict__)
        slider.name = name
        slider.label = name.replace("_", " ") if self.label is None else self.label
        start = self.start_value if self.start_value is not None else fallback
        if start is None:
            slider.default = slider.count // 2 if slider.choices is None else 0
        else:
            slider.default = slider.exactly(start)
        return slider

    default: int

    @property
    def numeric(self) -> bool:
        """Whether all values are numbers."""
        return self.choices is None or all(map(_is_number, self.choices))

    def value(self, position: int) -> Any:
        """Return the value at a grid position."""
        if self.choices is not None:
            return self.choices[position]
        exact = self._first + position * self._step
        return int(exact) if self.whole else float(exact)

    def position(self, value: Any) -> int:
        """Return the grid position nearest to a value.

        Raises
        ------
        ValueError
            When the value is not a number within the ends, or not one of the choices.
        """
        if self.choices is not None:
            if value in self.choices:
                return self.choices.index(value)
            if self.numeric and _is_number(value) and min(self.choices) <= value <= max(self.choices):
                return min(range(self.count), key=lambda k: abs(self.value(k) - value))
            raise ValueError(f"{self.name} must be one of {_listed(self.choices)}, got {value!r}")
        if not _is_number(value) or not self.start <= value <= self.stop:
            raise ValueError(
                f"{self.name} must be a number from {self.start:g} to {self.stop:g}, got {value!r}"
            )
        return min(self.count - 1, max(0, round((float(value) - self.start) / self.step)))

    def nearest(self, value: float) -> int:
        """Return the grid position nearest to a number, the ends for one beyond them."""
        if self.choices is not None:
            return self.position(min(max(value, min(self.choices)), max(self.choices)))
        return self.position(min(max(value, self.start), self.stop))

    def exactly(self, value: Any) -> int:
        """Return the grid position of a value that must lie on the grid; ValueError when it does not."""
        position = self.position(value)
        if self.choices is None and abs(self.value(position) - value) > 1e-9 * self.step:
            raise ValueError(
                f"{self.name} must lie on the slider's grid (from {self.start:g} in steps of {self.step:g}), "
                f"got {value!r}; the nearest value is {self.value(position):g}"
            )
        if self.choices is not None and value not in self.choices:
            raise ValueError(f"{self.name} must be one of {_listed(self.choices)}, got {value!r}")
        return position

    def text(self, position: int) -> str:
        """Return the value at a grid position as it reads beside the slider."""
        value = self.value(position)
        if self.choices is not None:
            return f"{value:g}" if _is_number(value) and float(f"{value:g}") == value else str(value)
        return f"{value:.{self.decimals}f}"


def slider(name: str, given: Any, fallback: Any) -> Slider:
    """Read a panel's slider: ``(start, stop)``, ``(start, stop, step)``, a list of choices or a Slider."""
    try:
        if isinstance(given, Slider):
            made = given
        elif isinstance(given, tuple) and len(given) in (2, 3):
            made = Slider(*given)
        elif isinstance(given, list):
            made = Slider(choices=given)
        else:
            raise ValueError(
                f"a slider is (start, stop), (start, stop, step), a list or a Slider, got {given!r}"
            )
        return made.named(name, fallback)
    except ValueError as error:
        message = str(error)
        raise ValueError(message if message.startswith(f"{name} ") else f"{name}: {message}") from None


def _is_number(value: Any) -> bool:
    if isinstance(value, bool | str | bytes):
        return False
    try:
        return math.isfinite(value)
    except (TypeError, ValueError, OverflowError):
        return False


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _decimal(number: float) -> Decimal:
    return Decimal(repr(float(number)))


def _exponent(number: Decimal) -> int:
    return int(number.normalize().as_tuple().exponent)


def _nice_step(start: Decimal, stop: Decimal) -> Decimal:
    """Return the largest 1, 2 or 5 × 10ᵏ that divides the range into a hundred steps or more."""
    reach = stop - start
    power = math.floor(math.log10(float(reach) / FEWEST_STEPS)) + 1
    for exponent in range(power, power - 8, -1):
        for digit in (5, 2, 1):
            step = Decimal(digit).scaleb(exponent)
            steps = reach / step
            if steps >= FEWEST_STEPS and steps == steps.to_integral_value():
                return step
    raise ValueError(f"Slider: no decimal step divides the range from {start} to {stop}; give a step")


def _listed(choices: Sequence[Any]) -> str:
    return ", ".join(repr(choice) for choice in choices)
