"""Bayesian logistic regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from igviz.geometry.numerics import as_numbers
from igviz.models.logistic_expectations import softplus_means
from igviz.models.regression import Regression, Rows


class LogisticRegression(Regression):
    """Labels y ~ Bernoulli(σ(xᵀθ)) or counts y ~ Binomial(trials, σ(xᵀθ)), with θ ~ N(0, Id/prior_precision).

    Parameters
    ----------
    X : array_like
        Shape (n, d). No column is added and none is scaled: the prior is for every column as it is.
    y : array_like
        Shape (n,): 0 or 1, or with trials whole numbers from 0 to trials.
    prior_precision : float
        One over the prior variance of each coefficient.
    trials : array_like, optional
        How often each row was tried, whole numbers, broadcast to shape (n,); 1 when left out.

    Raises
    ------
    ValueError
        If an argument is not finite or out of range, shapes do not fit, or only one class occurs: the data
        then say nothing but "farther", and the prior alone would answer.
    """

    def __init__(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        prior_precision: float = 1.0,
        trials: ArrayLike | None = None,
    ) -> None:
        super().__init__(X, y, prior_precision)
        self.trials = self._counts_of_trials(trials)
        allowed = "0 or 1" if trials is None else "whole numbers from 0 to trials"
        wrong = (self.y < 0.0) | (self.y > self.trials) | (self.y != np.round(self.y))
        if np.any(wrong):
            row = int(np.argmax(wrong))
            raise ValueError(
                f"LogisticRegression: y must be {allowed}, got {float(self.y[row]):g} in row {row}"
            )
        if np.all(self.y == 0.0) or np.all(self.y == self.trials):
            raise ValueError(
                f"LogisticRegression: y must hold both classes, got {float(self.y[0]):g} in every row"
                if trials is None
                else "LogisticRegression: y must hold both outcomes, got only one in all trials"
            )
        # log σ(f) = −log(1 + e^−f): rows with more successes than failures are seen from the other side, so
        # that no two large numbers cancel
        self._sign = np.where(2.0 * self.y > self.trials, -1.0, 1.0)
        self._rarer = np.minimum(self.y, self.trials - self.y)
        successes = gammaln(self.y + 1.0) + gammaln(self.trials - self.y + 1.0)
        self._log_choices = gammaln(self.trials + 1.0) - successes

    def _counts_of_trials(self, trials: ArrayLike | None) -> np.ndarray:
        if trials is None:
            return np.ones_like(self.y)
        array = as_numbers("LogisticRegression", "trials", trials)
        if array.shape not in ((), self.y.shape):
            raise ValueError(
                f"LogisticRegression: trials must be one number or have shape {self.y.shape}, "
                f"got shape {array.shape}"
            )
        array = np.broadcast_to(array, self.y.shape)
        wrong = ~np.isfinite(array) | (array < 1.0) | (array != np.round(array))
        if np.any(wrong):
            row = int(np.argmax(wrong))
            raise ValueError(
                "LogisticRegression: trials must be whole numbers of at least 1, "
                f"got {float(array[row]):g} in row {row}"
            )
        return array

    def _expected_rows(self, mean: np.ndarray, std: np.ndarray, digits: int) -> Rows:
        sign, trials, rarer = self._sign, self.trials, self._rarer
        seen = sign * mean
        softplus, share, spread = softplus_means(seen, std, digits)
        value = rarer * seen - trials * softplus + self._log_choices
        return value, sign * (rarer - trials * share), -trials * spread
