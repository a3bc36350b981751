"""SciPy's L-BFGS-B on the exact ELBO, the quasi-Newton method to compare with."""

from __future__ import annotations

import time

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from igviz.inference.arguments import require, require_count, require_positive
from igviz.inference.gaussians import Gaussian
from igviz.inference.optimisers import Callback, start_place
from igviz.inference.optimisers_charts import inverse_of_square
from igviz.inference.place import Place, place
from igviz.inference.protocol import Model
from igviz.inference.result import Fit, History
from igviz.inference.sampling import one_gaussian

WHO = "lbfgs"
_PAIRS = 30  # that L-BFGS keeps: on the course's data sets it needs fewer evaluations than with its own 10


def lbfgs(
    model: Model,
    q0: Gaussian | None = None,
    covariance: str = "full",
    tol: float = 1e-10,
    max_iter: int = 5_000,
    callback: Callback | None = None,
) -> Fit:
    """Return the Gaussian of highest ELBO that SciPy's L-BFGS-B finds.

    The coordinates are the start's own: the mean in units of the start's root, and the Cholesky factor of the
    covariance with the logarithms of its diagonal, in units of the start's standard deviations. The ELBO and
    its gradient are exact. In the mean and the Cholesky factor itself the ELBO of a log-concave model is
    concave (Challis and Barber 2013, section 3), so that a model of that kind has no other top to end on.

    Parameters
    ----------
    model : Model
        Any model with a log joint, such as an `igviz.LogisticRegression`.
    q0 : Normal or MultivariateNormal, optional
        Where to start; the model's prior when left out. With a diagonal covariance
        only the diagonal of q0's precision counts.
    covariance : {"full", "diagonal"}
        Whether q's covariance is full, or diagonal (mean field).
    tol : float
        It has converged when half the squared Fisher length of the natural gradient is below tol nats.
    max_iter : int
        The most iterations; each may ask for several gradients.
    callback : callable, optional
        Called as callback(iteration, q, elbo) at the start and after every iteration; a true answer ends it.

    Returns
    -------
    Fit
        With q, elbo, converged, message (SciPy's own unless converged) and history, whose steps are nan: the
        line search of L-BFGS has none in common with the others.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is allowed.
    OverflowError
        If the ELBO at the start is no finite number.
    """
    require(
        isinstance(covariance, str) and covariance in ("full", "diagonal"),
        *(WHO, "covariance", covariance, '"full" or "diagonal"'),
    )
    require_positive(WHO, "tol", tol)
    require_count(WHO, "max_iter", max_iter)
    clock = time.perf_counter()
    start = model.prior if q0 is None else q0
    at = one_gaussian(WHO, start, model.dimension)
    root = np.diagonal(at.precision) ** -0.5 if covariance == "diagonal" else np.array(at.root)
    objective = _Objective(model, np.array(at.mean), root)
    here = objective.place(objective.start)
    if not np.isfinite(here.elbo):
        start_place(WHO, model, at.mean, at.root)
    records: list[tuple[float, float, float]] = []
    best = [here]

    def record(x: np.ndarray) -> bool:
        """Keep what the iteration has come to, and say whether to end."""
        best[0] = objective.last if np.array_equal(x, objective.seen) else objective.place(x)
        records.append((best[0].elbo, time.perf_counter() - clock, np.nan))
        told = callback is not None and callback(len(records) - 1, best[0].gaussian(start), best[0].elbo)
        return bool(told) or 0.5 * best[0].squared_length() <= tol

    def after(intermediate_result: OptimizeResult) -> None:
        if record(intermediate_result.x):
            raise StopIteration

    message = "the start was the end"
    if not record(objective.start) and max_iter:
        options = {"maxiter": max_iter, "maxfun": 20 * max_iter, "maxcor": _PAIRS, "ftol": 0.0, "gtol": 0.0}
        found = minimize(
            objective, objective.start, jac=True, method="L-BFGS-B", callback=after, options=options
        )
        message = str(found.message)
    here = best[0]
    converged = bool(0.5 * here.squared_length() <= tol)
    columns = (np.array(column) for column in zip(*records, strict=True))
    message = "the natural gradient vanishes" if converged else message
    return Fit(here.gaussian(start), here.elbo, converged, message, History(*columns))


class _Objective:
    """−ELBO and its gradient, by coordinates in which the start is 0."""

    def __init__(self, model: Model, mean: np.ndarray, root: np.ndarray) -> None:
        self._model, self._mean, self._unit = model, mean, root
        self._lower = np.tril_indices(mean.size)
        self._stds = root if root.ndim == 1 else np.linalg.norm(root, axis=1)
        self.seen, self.last = np.full(1, np.nan), self.place(self.start)

    @property
    def start(self) -> np.ndarray:
        d = self._mean.size
        if self._unit.ndim == 1:
            return np.zeros(2 * d)
        factor = self._unit / self._stds[:, None]
        np.fill_diagonal(factor, np.log(np.diagonal(self._unit)))
        return np.concatenate([np.zeros(d), factor[self._lower]])

    def place(self, x: np.ndarray) -> Place:
        d, unit = self._mean.size, self._unit
        with np.errstate(over="ignore", invalid="ignore"):
            if unit.ndim == 1:
                root = unit * np.exp(x[d:])
                return place(self._model, self._mean + unit * x[:d], root**-2.0, root)
            root = np.zeros((d, d))
            root[self._lower] = x[d:]
            pivots = np.exp(np.diagonal(root))
            root *= self._stds[:, None]
            np.fill_diagonal(root, pivots)
        mean = self._mean + unit @ x[:d]
        return place(self._model, mean, inverse_of_square(root), root)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        here = self.place(x)
        self.seen, self.last = np.array(x), here
        if not np.isfinite(here.elbo):
            return np.inf, np.zeros_like(x)
        if self._unit.ndim == 1:
            by_mean, by_root = self._unit * here.gradient, here.hessian * here.root**2 + 1.0
        else:
            matrix = here.hessian @ here.root  # and L⁻ᵀ, of which only the diagonal is lower
            diagonal = np.diagonal(matrix) * np.diagonal(here.root) + 1.0
            matrix *= self._stds[:, None]
            np.fill_diagonal(matrix, diagonal)
            by_mean, by_root = self._unit.T @ here.gradient, matrix[self._lower]
        return -here.elbo, -np.concatenate([by_mean, by_root])
