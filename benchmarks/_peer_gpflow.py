"""GPflow: its natural-gradient optimiser on q(θ) in d dimensions, with its likelihood and quadrature."""

from __future__ import annotations

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import gpflow
import numpy as np
import tensorflow as tf
from _peer_worker import work

GAMMA = float(os.environ.get("GPFLOW_GAMMA", "1.0"))
STEPS = 400
START = 0.1  # of the prior's std: from the prior itself its likelihood takes the log of 0 on some of the sets

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


def make(X, y, prior_precision):  # noqa: N803
    d = X.shape[1]
    rows, labels = tf.constant(X), tf.constant(y[:, None])
    likelihood = gpflow.likelihoods.Bernoulli(invlink=tf.sigmoid)
    prior = tf.eye(d, dtype=tf.float64) / prior_precision
    mean = gpflow.Parameter(np.zeros((d, 1)))
    root = gpflow.Parameter(
        np.eye(d)[None] * START * prior_precision**-0.5, transform=gpflow.utilities.triangular()
    )

    def loss():
        variance = tf.reduce_sum((rows @ root[0]) ** 2, axis=1, keepdims=True)
        fits = likelihood.variational_expectations(rows, rows @ mean, variance, labels)
        return gpflow.kullback_leiblers.gauss_kl(mean, root, prior[None]) - tf.reduce_sum(fits)

    optimiser = gpflow.optimizers.NaturalGradient(gamma=GAMMA)

    @tf.function
    def step():
        optimiser.minimize(loss, [(mean, root)])

    def found():
        factor = root.numpy()[0]
        return mean.numpy()[:, 0], factor @ factor.T

    def run(_seed):
        mean.assign(np.zeros((d, 1)))
        root.assign(np.eye(d)[None] * START * prior_precision**-0.5)
        for count in range(1, STEPS + 1):
            try:
                step()
            except tf.errors.InvalidArgumentError:  # a precision that is not positive definite
                return
            yield count, found

    return run


if __name__ == "__main__":
    work(make)
