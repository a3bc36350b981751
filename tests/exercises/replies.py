"""What the tests of every lecture's exercises share: a reply, and what no reply may hold."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

import igviz as ig

GARBAGE = [
    *(None, "text", "", math.nan, math.inf, [1.0, 2.0, 3.0], np.zeros((2, 2))),
    *({}, object(), 1j, True, print, ()),
]


def reply(key: str, answer: Any) -> str:
    return repr(ig.check(key, answer))


def assert_nothing_given_away(written: dict[str, str], key: str, text: str) -> None:
    pattern = rf"(?<![\w.])({written[key]})(?![\w.]*\d)(?!\w)"
    assert not re.search(pattern, text.removeprefix(key)), text
