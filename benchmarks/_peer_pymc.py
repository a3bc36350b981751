"""PyMC: full-rank automatic differentiation variational inference, Adam with falling steps."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor
from _peer_worker import work

STEPS, CHUNK, DRAWS = 20_000, 100, 8
FIRST, LAST = 3e-2, 3e-4  # the step size falls from the one to the other


def make(X, y, prior_precision):  # noqa: N803
    with pm.Model():
        theta = pm.Normal("theta", 0.0, prior_precision**-0.5, shape=X.shape[1])
        pm.Bernoulli("y", logit_p=pm.math.dot(X, theta), observed=y)

        inference = pm.FullRankADVI(start={"theta": np.zeros(X.shape[1])}, random_seed=0)
    approx, rate = inference.approx, pytensor.shared(np.array(FIRST))
    state = pytensor.function([], [approx.mean, approx.cov])
    start = [parameter.get_value() for parameter in approx.params]
    inference.fit(1, obj_optimizer=pm.adam(learning_rate=rate), obj_n_mc=DRAWS, progressbar=False)

    def run(_seed):
        for parameter, value in zip(approx.params, start, strict=True):
            parameter.set_value(value)
        for count in range(CHUNK, STEPS + 1, CHUNK):
            rate.set_value(np.array(FIRST * (LAST / FIRST) ** (count / STEPS)))
            inference.refine(CHUNK, progressbar=False)
            yield count, state

    return run


if __name__ == "__main__":
    work(make)
