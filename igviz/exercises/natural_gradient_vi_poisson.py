"""Exercise 05.5: a function for one natural-gradient step of Poisson regression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from scipy.special import expit

from igviz.exercises.checker import Case, Exercise
from igviz.exercises.functions import Inputs, Rule, Tried, changes, like, not_finite, try_out, varies
from igviz.exercises.mean_and_matrix import (
    MATRIX,
    MEAN,
    as_table,
    columns_agree,
    in_columns,
    misshapen,
    pair_as_table,
)
from igviz.geometry.families.multivariate_normal import MultivariateNormal

_TWO = (
    np.array([[1.0, 0.3], [1.0, -0.8], [0.7, 1.1], [-0.4, 0.9], [0.5, -1.3]]),
    np.array([2.0, 1.0, 4.0, 0.0, 1.0]),
    MultivariateNormal([0.4, -0.3], [[0.6, 0.2], [0.2, 0.5]]),
)
# X, y, q: by what they test; more rows than columns, so that the precision of the data alone has an inverse
_INPUTS: Inputs = {
    "two": _TWO,
    "again": _TWO,
    "one": (
        np.array([[0.8], [-0.5], [1.2]]),
        np.array([3.0, 0.0, 5.0]),
        MultivariateNormal([0.9], [[0.45]]),
    ),
    "three": (
        np.array(
            [
                [1.0, 0.4, -0.7],
                [1.0, -0.9, 0.2],
                [1.0, 0.8, 1.1],
                [1.0, -0.3, -1.2],
                [1.0, 1.4, 0.5],
                [1.0, -0.6, 0.9],
            ]
        ),
        np.array([1.0, 0.0, 6.0, 2.0, 3.0, 1.0]),
        MultivariateNormal([0.3, 0.5, -0.2], [[0.5, -0.1, 0.2], [-0.1, 0.8, 0.1], [0.2, 0.1, 0.4]]),
    ),
}


def _try(answer: Any) -> Tried:
    return try_out(answer, _INPUTS, adapt=_table, advice=_advice)


def _table(result: Any) -> Any:
    """Return (mean | cov) of what the reader's function returned, a distribution or a pair."""
    if isinstance(result, MultivariateNormal):
        return as_table(result.mean, result.cov)
    return pair_as_table(result)


def _advice(error: Exception) -> str:
    """Return what kind of mistake the exception points to, if one is known."""
    said = str(error)
    if "positive definite" in said:
        return (
            "Has the Hessian come in with the wrong sign? E[−∇²f] is the sum of two positive parts, one of "
            "the prior and one of the data."
        )
    if "symmetric" in said:
        return (
            "A precision is symmetric, and so is its inverse: is something multiplied along the wrong axis?"
        )
    if isinstance(error, np.linalg.LinAlgError):
        return "Which matrix is inverted there, and does it have an inverse?"
    if "read-only" in said:
        return "Work on new arrays, as in a = a + b instead of a += b."
    if any(word in said for word in ("mismatch", "broadcast", "dimension", "shape")):
        return "X has shape (n, d), y (n,), q.mean (d,) and q.cov (d, d)."
    return ""


# -- the step, with places for mistakes --------------------------------------------------------------------

Rate: TypeAlias = Callable[[Any, Any], Any]  # of the mean and the variance of xᵀθ under q
Spread: TypeAlias = Callable[[Any, MultivariateNormal], Any]  # of X and q
ToMean: TypeAlias = Callable[..., Any]  # of Λ_new, m, E[∇f], Λ
ToCov: TypeAlias = Callable[..., Any]  # of Λ_new, Λ


def _rate(f: Any, v: Any) -> Any:
    return np.exp(f + 0.5 * v)


def _plug_in(f: Any, _v: Any) -> Any:
    return np.exp(f)


def _spread(X: Any, q: MultivariateNormal) -> Any:  # noqa: N803
    return np.sum((X @ q.cov) * X, axis=1)


def _right_mean(new: Any, m: Any, gradient: Any, _old: Any) -> Any:
    return m + np.linalg.solve(new, gradient)


def _right_cov(new: Any, _old: Any) -> Any:
    return np.linalg.inv(new)


def _step(
    of_gradient: Rate = _rate,
    of_precision: Rate = _rate,
    *,
    spread: Spread = _spread,
    prior: tuple[float, float] = (1.0, 1.0),
    share: tuple[Callable[[int], float], Callable[[int], float]] = (float, float),
    to_mean: ToMean = _right_mean,
    to_cov: ToCov = _right_cov,
) -> Rule:
    """Return the rule of a step; `prior` and `share` are weights in gradient and precision, of (n) over n."""

    def rule(X: Any, y: Any, q: MultivariateNormal) -> np.ndarray:  # noqa: N803
        n, d = X.shape
        f, v = X @ q.mean, spread(X, q)
        gradient = share[0](n) / n * X.T @ (y - of_gradient(f, v)) - prior[0] * q.mean
        new = share[1](n) / n * X.T @ (of_precision(f, v)[:, None] * X) + prior[1] * np.eye(d)
        old = np.linalg.inv(q.cov)
        return as_table(to_mean(new, q.mean, gradient, old), to_cov(new, old))

    return rule


_exact = _step()


def _repeated(steps: int, length: float = 1.0) -> Rule:
    def rule(X: Any, y: Any, q: MultivariateNormal) -> np.ndarray:  # noqa: N803
        m, cov = q.mean, q.cov
        for _ in range(steps):
            rate = _rate(X @ m, np.sum((X @ cov) * X, axis=1))
            target = X.T @ (rate[:, None] * X) + np.eye(m.size)
            new = (1.0 - length) * np.linalg.inv(cov) + length * target
            m = m + length * np.linalg.solve(new, X.T @ (y - rate) - m)
            cov = np.linalg.inv(new)
        return as_table(m, cov)

    return rule


def _one_after_the_other(X: Any, y: Any, q: MultivariateNormal) -> np.ndarray:  # noqa: N803
    """Return the step whose gradient has the new covariance in its expectation."""
    cov = _exact(X, y, q)[:, MATRIX]
    rate = _rate(X @ q.mean, np.sum((X @ cov) * X, axis=1))
    return as_table(q.mean + cov @ (X.T @ (y - rate) - q.mean), cov)


def _from_the_prior(X: Any, y: Any, q: MultivariateNormal) -> np.ndarray:  # noqa: N803
    d = q.mean.size
    return _exact(X, y, MultivariateNormal(np.zeros(d), np.eye(d)))


# -- mistakes ----------------------------------------------------------------------------------------------


def _rate_cases() -> tuple[Case, ...]:
    """Return the cases of a wrong expected rate."""

    def both(*rates: Rate, text: str) -> Case:
        pairs = [pair for rate in rates for pair in ((rate, rate), (rate, _rate), (_rate, rate))]
        return like(*(_step(*pair) for pair in pairs), text=text)

    return (
        both(
            _plug_in,
            text="The rate is taken at the mean of q: as xᵀθ varies under q, e^(xᵀθ) is on average larger "
            "than at the mean. With the rate at the mean this is a step of Newton's method.",
        ),
        both(
            lambda f, v: np.exp(f + v),
            lambda f, v: np.exp(f + 0.5 * np.sqrt(v)),
            lambda f, v: np.exp(f + np.sqrt(v)),
            lambda f, v: np.exp(f + 0.5 * v**2),
            text="The spread of xᵀθ comes into the rate, but not as it should: is it a std, a variance, or "
            "half of one?",
        ),
        both(
            lambda f, v: np.exp(f - 0.5 * v),
            text="The spread of q lowers the rate here: on average e^(xᵀθ) is larger than at the mean.",
        ),
        like(
            _step(spread=lambda x, q: x**2 @ np.diag(q.cov)),
            text="The variance of xᵀθ is put together from the variances of the coefficients alone: they are "
            "correlated under q.",
        ),
        like(
            _step(spread=lambda x, q: np.sum((x @ np.linalg.inv(q.cov)) * x, axis=1)),
            text="The precision of q stands where its covariance belongs: which of them gives the variance "
            "of xᵀθ?",
        ),
        both(
            lambda f, _v: expit(f),
            text="This is the rate of logistic regression; a count has another one.",
        ),
        like(
            _step(lambda f, _v: expit(f), lambda f, _v: expit(f) * expit(-f)),
            text="This is a step of logistic regression; a count has another rate.",
        ),
        like(
            _one_after_the_other,
            text="The gradient's expectation is taken under the covariance that has just been updated: both "
            "expectations belong to the old q, and only the inverse in the mean's step is new.",
        ),
        like(_from_the_prior, text="This starts from the prior: the step starts from the q that is given."),
    )


def _sum_cases() -> tuple[Case, ...]:
    """Return the cases of a part that is missing or counted wrongly."""

    def once(_n: int) -> float:
        return 1.0

    def all_over_n(X: Any, y: Any, q: MultivariateNormal) -> np.ndarray:  # noqa: N803
        """Return the step with all over n, the prior too: only the covariance notices."""
        return _step(to_cov=lambda new, _old: len(X) * np.linalg.inv(new))(X, y, q)

    return (
        like(
            *(_step(prior=weights) for weights in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0))),
            *(_step(_plug_in, _plug_in, prior=weights) for weights in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0))),
            text="The prior is missing, in the gradient, in the precision or in both: f is the log joint, "
            "and log N(θ; 0, Id) has derivatives too.",
        ),
        like(
            _step(prior=(-1.0, 1.0)),
            text="The prior pulls in the wrong direction: it draws the mean towards 0.",
        ),
        like(
            *(_step(share=shares) for shares in ((once, once), (float, once), (once, float))),
            all_over_n,
            text="There is a mean over the rows in it: the log joint is a sum over the data, and the prior "
            "counts once.",
        ),
        in_columns(
            MATRIX,
            [_step(of_precision=lambda f, _v: np.ones_like(f))],
            "The weights are missing: this is the precision XᵀX + Id of linear regression. How does the "
            "curvature of a row depend on its rate?",
        ),
        like(
            *(_repeated(steps) for steps in (2, 3, 5)),
            _repeated(200, 0.5),
            text="This has walked on: one step is asked for.",
        ),
        like(
            _repeated(1, 0.5),
            text="This is a step of size ½; a whole one is asked for.",
        ),
    )


def _covariance_cases() -> tuple[Case, ...]:
    def covariance(*of: ToCov, text: str) -> Case:
        return in_columns(MATRIX, [_step(to_cov=one) for one in of], text)

    inverse = np.linalg.inv
    return (
        covariance(lambda new, _old: new, text="The new precision is given for the covariance."),
        covariance(
            lambda new, old: inverse(new + old),
            lambda new, old: inverse(new + old - np.eye(len(new))),
            text="The old precision is still in the new one: what is its weight in a step of size 1?",
        ),
        covariance(
            lambda new, _old: inverse(2.0 * np.eye(len(new)) - new),
            lambda new, _old: -inverse(new),
            text="The Hessian comes in with the wrong sign: E[−∇²f] is the sum of two positive parts.",
        ),
        covariance(
            lambda new, _old: np.diag(np.diag(inverse(new))),
            lambda new, _old: np.diag(1.0 / np.diag(new)),
            text="Only a diagonal has come through: q is a full Gaussian.",
        ),
        covariance(lambda _new, old: inverse(old), text="The covariance is the old one, not yet moved."),
    )


def _mean_cases() -> tuple[Case, ...]:
    def mean(*of: ToMean, text: str) -> Case:
        return in_columns(MEAN, [_step(to_mean=one) for one in of], text)

    solve = np.linalg.solve
    return (
        mean(
            lambda _new, m, g, old: m + solve(old, g),
            text="The mean moves by the old covariance: which of the two belongs in its step?",
        ),
        mean(
            lambda new, m, g, _old: m - solve(new, g),
            text="The mean goes downhill: the ELBO is to be raised.",
        ),
        mean(
            lambda new, m, g, _old: m + new @ g,
            lambda _new, m, g, old: m + old @ g,
            text="The mean's step multiplies by a precision: an inverse is missing.",
        ),
        mean(
            lambda new, _m, g, _old: solve(new, g),
            text="This is how far the mean moves; asked for is the q where it arrives.",
        ),
        mean(lambda _new, m, g, _old: m + g, text="This is the plain gradient step of the mean."),
        mean(lambda _new, m, _g, _old: m, text="The mean is the old one, not yet moved."),
    )


def poisson() -> Exercise:
    """Return exercise 05.5: a function for a step of natural-gradient VI of Poisson regression."""

    def right(columns: slice) -> Callable[[Tried], bool]:
        return lambda tried: columns_agree(tried, columns, _exact)

    return Exercise(
        key="05.5",
        title="A natural-gradient step of Poisson regression",
        expects="the new q, computed from X, y and q,",
        read=_try,
        correct=lambda tried: (
            not misshapen(tried) and right(MEAN)(tried) and right(MATRIX)(tried) and not tried.changed
        ),
        why="Another likelihood is another pair of expectations, each over one dimension; the step does not "
        "change. Here they have closed forms, so that no quadrature is needed.",
        near_misses=(
            changes("an argument"),
            Case(
                misshapen,
                "Return the new q, as ig.MultivariateNormal(mean, cov), of d dimensions if X has d columns.",
            ),
            not_finite(),
            varies(
                "two",
                "again",
                "Two calls with the same arguments return different values: it draws samples, but the "
                "expected rate is known in closed form.",
            ),
            *_rate_cases(),
            *_sum_cases(),
            *_covariance_cases(),
            *_mean_cases(),
            Case(
                right(MATRIX),
                "The covariance is right, the mean is not yet: its step has the gradient of the data and "
                "that of the prior.",
            ),
            Case(
                right(MEAN),
                "The mean is right, the covariance is not yet: which matrix has been inverted in the mean's "
                "step?",
            ),
            Case(
                lambda tried: tried.same(_exact, relative=0.05, absolute=0.05),
                "Near everywhere, but not exact: are there samples or few nodes in it? The expected rate is "
                "known in closed form.",
            ),
            Case(
                lambda tried: tried.somewhere(_exact),
                "Right for some arguments and wrong for others: is a number of rows or columns fixed in it?",
            ),
        ),
        otherwise="The values differ: under q each xᵀθ is normal, with which mean and which variance? From "
        "them comes the expected rate of each row; then the precision, with the prior; then the mean.",
    )
