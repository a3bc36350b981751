"""What every way uphill returns: the last q, its ELBO, and the history of the walk."""

from __future__ import annotations

import dataclasses

import numpy as np

from igviz.inference.gaussians import Gaussian


@dataclasses.dataclass(frozen=True)
class History:
    """What was recorded before the first step and after each, arrays of one length."""

    elbo: np.ndarray  # nats
    seconds: np.ndarray  # since the start
    step: np.ndarray  # the step used; nan before the first


@dataclasses.dataclass(frozen=True)
class Fit:
    """A fitted q: where the walk ended, and how.

    `converged` is False if the walk ended before the test of convergence was met; `message` says why.
    """

    q: Gaussian
    elbo: float  # nats, a total with every constant
    converged: bool
    message: str
    history: History = dataclasses.field(repr=False)
