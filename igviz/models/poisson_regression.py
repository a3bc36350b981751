"""Bayesian Poisson regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from igviz.models.regression import Regression, Rows


class PoissonRegression(Regression):
    """Counts y ~ Poisson(e^(xᵀθ)) with θ ~ N(0, Id/prior_precision).

    Under a normal f the expected rate is E[e^f] = exp(mean + std²/2), so all means have closed forms.

    Parameters
    ----------
    X : array_like
        Shape (n, d). No column is added and none is scaled.
    y : array_like
        Shape (n,): whole numbers, not negative.
    prior_precision : float
        One over the prior variance of each coefficient.

    Raises
    ------
    ValueError
        If an argument is not finite or out of range, or shapes do not fit.
    """

    def __init__(self, X: ArrayLike, y: ArrayLike, prior_precision: float = 1.0) -> None:  # noqa: N803
        super().__init__(X, y, prior_precision)
        wrong = (self.y < 0.0) | (self.y != np.round(self.y))
        if np.any(wrong):
            row = int(np.argmax(wrong))
            raise ValueError(
                f"PoissonRegression: y must be counts 0, 1, 2, …, got {float(self.y[row]):g} in row {row}"
            )
        self._log_factorials = gammaln(self.y + 1.0)

    def _expected_rows(self, mean: np.ndarray, std: np.ndarray, digits: int) -> Rows:  # noqa: ARG002
        rate = np.exp(mean + 0.5 * std**2)
        return self.y * mean - rate - self._log_factorials, self.y - rate, -rate
