"""Real and synthetic data for logistic regression, as (X, y), a column of ones first."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris


def with_ones(X):
    return np.column_stack([np.ones(len(X)), X])


def standardised(X):
    """Columns of mean 0 and variance 1, without those that are constant."""
    varying = X[:, np.ptp(X, axis=0) > 0.0]
    return with_ones((varying - varying.mean(axis=0)) / varying.std(axis=0))


def iris():
    X, y = load_iris(return_X_y=True)
    return standardised(X), y == 2


def breast_cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return standardised(X), y == 1


def _three_or_five():
    X, y = load_digits(return_X_y=True)
    some = (y == 3) | (y == 5)
    return X[some], y[some] == 5


def digits():
    X, y = _three_or_five()
    return standardised(X), y


def digits_by_16():
    X, y = _three_or_five()
    return with_ones(X / 16.0), y


def synthetic(rows=5_000, columns=51, intercept=None, seed=0):
    """Standard normal columns and labels from the model; a low intercept makes one class rare."""
    rng = np.random.default_rng(seed)
    X, theta = with_ones(rng.normal(size=(rows, columns - 1))), rng.normal(size=columns)
    theta[0] = theta[0] if intercept is None else intercept
    return X, rng.random(rows) < 1.0 / (1.0 + np.exp(-X @ theta))


DATA_SETS = {
    "iris": iris,
    "breast cancer": breast_cancer,
    "digits": digits,
    "digits/16": digits_by_16,
    "synthetic": synthetic,
}
