"""Laplace's approximation, a Gaussian at the mode."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.geometry.families.normal import Normal
from igviz.geometry.numerics import as_numbers
from igviz.inference.gaussians import mean_and_root
from igviz.inference.place import place, root_of_inverse
from igviz.inference.protocol import Model
from igviz.inference.result import Fit, History

WHO = "laplace"
_STEPS = 200
_HALVINGS = 60
_FLAT = 1e-10  # Newton's decrement that is left at the mode, in nats
_ROUNDING = 1e-12  # relative to |log joint|


def laplace(model: Model, start: ArrayLike | None = None) -> Fit:
    """Return the normal at a mode of the log joint, with minus its Hessian there as precision.

    It is no variational method, but a Gaussian to compare with: its ELBO is found as that of any
    other q, and is at most the best one.

    Parameters
    ----------
    model : Model
        Any model with a log joint, such as an `igviz.LogisticRegression`.
    start : array_like, optional
        Where the search for the mode begins, shape (d,); the prior's mean when left out. Where there are
        several modes this decides which is found.

    Returns
    -------
    Fit
        With q (a Normal if the model's prior is one), its ELBO (−inf if it is no finite number), converged,
        message, and a history of one entry.

    Raises
    ------
    ValueError
        If the start is not of shape (d,), or the search ends where the log joint has no maximum, such as in
        the middle between two modes.

    References
    ----------
    MacKay, D. J. C. (2003). Information Theory, Inference, and Learning Algorithms, chapter 27.
    """
    clock = time.perf_counter()
    normal = model.dimension == 1 and (start is not None or isinstance(model.prior, Normal))
    if start is None:
        z = np.array(mean_and_root(WHO, model.prior, model.dimension)[0])
    else:
        z = as_numbers(WHO, "start", start)
        if z.shape != (model.dimension,) or not np.all(np.isfinite(z)):
            raise ValueError(f"{WHO}: start must be {model.dimension} finite numbers, got {start!r}")
    z, left, converged = _climb(model, z)
    precision = -_symmetric(model.log_joint_hessian(z))
    root = root_of_inverse(precision)
    if root is None:
        raise ValueError(
            f"{WHO}: the search ended at {z}, where the log joint has no maximum; give a start to one side"
        )
    here = place(model, z, precision, root)
    message = "the gradient vanishes" if converged else f"the mode may be {left:.1e} nats higher"
    like = Normal(0.0, 1.0) if normal else MultivariateNormal(z, np.eye(z.size))
    history = History(np.array([here.elbo]), np.array([time.perf_counter() - clock]), np.array([np.nan]))
    return Fit(here.gaussian(like), here.elbo, converged, message, history)


def _climb(model: Model, z: np.ndarray) -> tuple[np.ndarray, float, bool]:
    """Return where Newton's method with halving ends, the rise it expects from there, and whether that is 0.

    Where the Hessian is not negative, its eigenvalues are taken by size: steps then lead uphill too.
    """
    value = float(model.log_joint(z))
    left = np.inf
    for _ in range(_STEPS):
        gradient = model.log_joint_gradient(z)
        values, vectors = np.linalg.eigh(-_symmetric(model.log_joint_hessian(z)))
        sizes = np.maximum(np.abs(values), 1e-12 * np.max(np.abs(values)))
        along = vectors.T @ gradient
        step, left = vectors @ (along / sizes), 0.5 * float(np.sum(along**2 / sizes))
        if left <= _FLAT**2 * max(1.0, abs(value)):
            return z, left, True
        for halvings in range(_HALVINGS):
            there = z + 0.5**halvings * step
            risen = float(model.log_joint(there))
            if risen >= value + 1e-4 * 0.5**halvings * left - _ROUNDING * max(1.0, abs(value)):
                break
        else:
            break
        if np.array_equal(there, z):
            break
        z, value = there, risen
    return z, left, left <= _FLAT * max(1.0, abs(value))


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return 0.5 * (matrix + matrix.T)
