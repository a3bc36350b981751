"""The running example as a model, and the draws that panels of one q share, so that frames move smoothly."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from igviz.models import skewed_posterior

# a regression without columns: its derivatives are closed forms, vectorised over draws
MODEL = skewed_posterior.REGRESSION
SEED = 1
AT_ONCE = 2**13  # draws whose numbers stay in the processor's cache

# the trapezoid rule for means over ε ~ N(0, 1), exact to rounding where the integrand is smooth
EPSILON = np.linspace(-12.0, 12.0, 481)[:, None]
CHANCES = np.exp(-0.5 * EPSILON[:, 0] ** 2) / np.sum(np.exp(-0.5 * EPSILON[:, 0] ** 2))


@lru_cache(maxsize=4)
def noise(count: int) -> np.ndarray:
    """Return standard normal draws ε, always the same, shape (count, 1); z = mean + std·ε is a draw of q."""
    return np.random.default_rng(SEED).standard_normal((count, 1))
