"""A posterior in one dimension that may have two humps: a number of which only the square was measured.

The square z² was measured as `square`, with an error of standard deviation 1: square ~ N(z², 1), with the
prior z ~ N(0.3, 2). A large square leaves the sign of z open, and the prior tells the two apart only
a little.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.normal import Normal
from igviz.models.one_dimensional import OneDimensionalModel

PRIOR = Normal(0.3, 2.0)
NOISE_STD = 1.0


@lru_cache(maxsize=64)
def model(square: float) -> OneDimensionalModel:
    """Return the model in which z² was measured as `square`."""

    def log_joint(z: ArrayLike) -> np.ndarray:
        z = np.asarray(z, dtype=float)
        return Normal(square, NOISE_STD).log_prob(z**2) + PRIOR.log_prob(z)

    return OneDimensionalModel(log_joint, prior=PRIOR)
