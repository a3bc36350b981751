"""The course's own settings of Matplotlib and NumPy, in force while a picture of the course is drawn.

A picture looks the same whatever a reader has configured. Slider messages arrive in a thread of their own, so
a reader may change a setting while a frame is drawn: what was changed meanwhile stays changed, which
``matplotlib.rc_context`` would undo.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib
import numpy as np

# One lock for all pictures: the settings belong to the whole process, and Matplotlib parses mathematical text
# with one parser, so that two figures drawn in two threads garble each other's formulas.
LOCK = threading.RLock()
NOT_OF_PICTURES = (
    *("_internal", "animation", "backend", "backend_fallback", "docstring", "interactive", "keymap"),
    *("macosx", "pdf", "pgf", "ps", "savefig", "svg", "timezone", "tk", "toolbar", "webagg"),
)
# read as a dict: Matplotlib's own look-up warns about names that are going out of use
OWN = {
    key: value
    for key, value in dict.items(matplotlib.rcParamsDefault)
    if key.partition(".")[0] not in NOT_OF_PICTURES
}


@contextmanager
def own_settings() -> Iterator[None]:
    """Draw under the lock with Matplotlib's default settings and NumPy's default warnings."""
    settings = matplotlib.rcParams
    with LOCK, np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"):
        readers = {
            key: value
            for key, own in OWN.items()
            if (value := dict.__getitem__(settings, key)) is not own and value != own
        }
        for key in readers:
            dict.__setitem__(settings, key, OWN[key])
        try:
            yield
        finally:
            for key, value in readers.items():
                if dict.__getitem__(settings, key) is OWN[key]:
                    dict.__setitem__(settings, key, value)
