"""The evidence lower bound of a model under a Gaussian q."""

from __future__ import annotations

import numpy as np

from igviz.inference.gaussians import Gaussian, mean_and_root
from igviz.inference.protocol import Model, require_model


def elbo(model: Model, q: Gaussian) -> np.ndarray:
    """Return the evidence lower bound E_q[log p(x, z)] − E_q[log q(z)] in nats, of q's grid shape.

    It is a total over all data, with every constant, so that log p(x) = ELBO + KL(q‖p(z | x)). The means
    are deterministic: closed forms, or quadrature of one dimension to rounding.

    Parameters
    ----------
    model : Model
        Such as an `igviz.LogisticRegression`, or an `igviz.OneDimensionalModel` of your own log joint.
    q : Normal or MultivariateNormal
        On vectors of `model.dimension` numbers; a Normal where that is 1. A diagonal cov is mean field.

    Raises
    ------
    TypeError
        If model is no model, or q no Gaussian.
    ValueError
        If q is on vectors of another length, or the log joint of an `igviz.OneDimensionalModel` too rough.
    OverflowError
        If the ELBO is no finite floating-point number, and at which index of q's grid.

    References
    ----------
    Blei, D. M., Kucukelbir, A. and McAuliffe, J. D. (2017). Variational inference: a review for
    statisticians, section 2.2.
    """
    require_model("elbo", model)
    mean, root = mean_and_root("elbo", q, model.dimension)
    with np.errstate(over="ignore", invalid="ignore"):  # reported below
        value = np.asarray(model.expected_log_joint(mean, root) + q.entropy())
    if not np.all(np.isfinite(value)):
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
        place = f" at index {index}" if index else ""
        raise OverflowError(
            f"elbo: the mean of the log joint under q{place} must be a finite number, got "
            f"{float(value[index])}: it is infinite, does not exist, or is too large on the way. Take q "
            "nearer to where the model has density, or narrower"
        )
    return value[()]
