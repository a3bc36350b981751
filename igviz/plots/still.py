"""A still picture that says in words what it shows, as a panel does."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 100


class Still:
    """A figure with its sentence; the value of a cell shows both.

    Parameters
    ----------
    figure : matplotlib Figure
        Made without pyplot.
    sentence : str
        What the picture shows: its text form, and its alternative text.
    """

    def __init__(self, figure: Figure, sentence: str) -> None:
        self.figure, self.sentence = figure, sentence

    def __repr__(self) -> str:
        return self.sentence

    def png(self, dpi: float = DOTS_PER_INCH) -> bytes:
        """Return the picture as PNG bytes."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        from igviz.plots.settings import own_settings

        stream = io.BytesIO()
        FigureCanvasAgg(self.figure)
        with own_settings():
            self.figure.savefig(stream, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
        return stream.getvalue()

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict[str, str], dict[str, Any]]:
        picture = base64.b64encode(self.png()).decode("ascii")
        return {"image/png": picture, "text/plain": self.sentence}, {"image/png": {"alt": self.sentence}}
