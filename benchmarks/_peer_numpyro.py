"""NumPyro: stochastic variational inference with a full-rank normal, Adam with falling steps."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from _peer_worker import work
from numpyro.infer import SVI, Trace_ELBO
from numpyro.infer.autoguide import AutoMultivariateNormal

jax.config.update("jax_enable_x64", True)
STEPS, CHUNK, DRAWS = 20_000, 100, 8
FIRST, LAST = 3e-2, 3e-4  # the step size falls from the one to the other


def make(X, y, prior_precision):  # noqa: N803
    X, y = jnp.asarray(X), jnp.asarray(y)  # noqa: N806
    d = X.shape[1]

    def model():
        theta = numpyro.sample("theta", dist.Normal(jnp.zeros(d), prior_precision**-0.5).to_event(1))
        with numpyro.plate("rows", len(y)):
            numpyro.sample("y", dist.Bernoulli(logits=X @ theta), obs=y)

    guide = AutoMultivariateNormal(
        model, init_loc_fn=numpyro.infer.init_to_value(values={"theta": jnp.zeros(d)})
    )

    def step_size(count):
        return FIRST * (LAST / FIRST) ** (count / STEPS)

    svi = SVI(model, guide, numpyro.optim.Adam(step_size), Trace_ELBO(num_particles=DRAWS))
    chunk = jax.jit(lambda state: jax.lax.fori_loop(0, CHUNK, lambda _, s: svi.update(s)[0], state))

    def run(seed):
        state = svi.init(jax.random.PRNGKey(seed))
        for count in range(CHUNK, STEPS + 1, CHUNK):
            state = jax.block_until_ready(chunk(state))

            def found(state=state):
                params = svi.get_params(state)
                root = np.asarray(params["auto_scale_tril"])
                return np.asarray(params["auto_loc"]), root @ root.T

            yield count, found

    return run


if __name__ == "__main__":
    work(make)
