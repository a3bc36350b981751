"""Models with a generic Gaussian q each: no mean, covariance or data are round numbers."""

from __future__ import annotations

import numpy as np

import igviz as ig


def data(n, d, seed):
    """Rows, coefficients that they may have come from, and the generator."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=d), rng


def full_covariance(d, seed, size=0.4):
    root = np.random.default_rng(seed).normal(size=(d, d))
    return size**2 * (root @ root.T / d + 0.3 * np.eye(d))


def linear(d=3):
    X, theta, rng = data(12, d, 1)
    return ig.LinearRegression(X, X @ theta + rng.normal(size=12), 1.7, 0.6)


def logistic(d=3):
    X, theta, rng = data(25, d, 2)
    return ig.LogisticRegression(X, rng.random(25) < 1 / (1 + np.exp(-X @ theta)), 0.8)


def poisson(d=2):
    X, theta, rng = data(15, d, 3)
    return ig.PoissonRegression(0.4 * X, rng.poisson(np.exp(0.4 * X @ theta)), 0.9)


def skewed():
    return ig.OneDimensionalModel(ig.models.skewed_posterior.log_joint, prior=ig.Normal(0.0, 1.5))


CASES = {
    "linear": (linear(), ig.MultivariateNormal([0.5, 0.9, 0.1], full_covariance(3, 4, 0.9))),
    "linear, one coefficient": (linear(1), ig.Normal(-0.6, 0.7)),
    "logistic": (logistic(), ig.MultivariateNormal([-0.3, -0.6, 0.8], full_covariance(3, 5, 1.6))),
    "Poisson": (poisson(), ig.MultivariateNormal([-0.4, 0.5], full_covariance(2, 6, 0.5))),
    "skewed": (skewed(), ig.Normal(0.8, 0.5)),
    "bimodal": (ig.models.bimodal_posterior.model(4.0), ig.Normal(-1.3, 0.7)),
    "bimodal, as a vector": (
        ig.models.bimodal_posterior.model(2.5),
        ig.MultivariateNormal([0.9], [[0.3]]),
    ),
}
