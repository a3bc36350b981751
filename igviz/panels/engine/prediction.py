"""Predict first: a question about a place the sliders do not stand at yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Prediction:
    """A question to answer before the picture does.

    Answering it, or asking to be shown, moves the sliders to ``at``; the reader's answer is quoted beside
    the sentence. Nothing is ever locked, and no answer is called wrong: the picture says what is so.

    Parameters
    ----------
    question : str
        Asked above the sliders; plain text.
    choices : sequence of str
        Two to five short answers.
    at : dict
        Slider values, on the grid, at which the picture answers; not the start values.

    Raises
    ------
    ValueError
        When there are too few or too many choices, or two are the same.
    """

    question: str
    choices: Sequence[str]
    at: dict[str, Any]

    def __post_init__(self) -> None:
        if not 2 <= len(self.choices) <= 5 or len(set(self.choices)) != len(self.choices):
            raise ValueError(
                f"Prediction: choices must be two to five different answers, got {self.choices!r}"
            )
