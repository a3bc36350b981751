"""Exercises of lecture 05: natural-gradient steps by hand, in d dimensions, over charts, and for counts."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from igviz.exercises.checker import NEAR, Case, agrees, has, lacks, read_array
from igviz.exercises.forms import ROUNDED, Inputs, Rule, Tried, changes, function, letters, number, varies
from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.geometry.families.normal import Normal
from igviz.geometry.geodesics import geodesic

# -- a mean and a std --------------------------------------------------------------------------------------

_TWO_NUMBERS = "the mean and the std (right to 1 part in 1000)"


def _read_normal(answer: Any) -> np.ndarray:
    """Return (mean, std), also from a normal, a row or a column."""
    pair = [answer.mean, answer.std] if isinstance(answer, Normal) else answer
    return read_array(pair, "the mean and the std", ((2,), (2, 1), (1, 2))).ravel()


def _mean(wrong: Sequence[float], text: str) -> Case:
    """Return the case of a mean that comes near one of these."""
    return Case(lambda value: any(agrees(value[0], one, NEAR) for one in wrong), text)


def _std(precisions: Sequence[float], text: str) -> Case:
    """Return the case of a std that comes near that of one of these precisions."""
    return Case(lambda value: any(agrees(value[1], one**-0.5, NEAR) for one in precisions), text)


def _half_right(wanted: Any, of_mean: str, of_std: str) -> list[Case]:
    """Return the cases of a pair whose std alone is right, and whose mean alone is."""

    def right(value: np.ndarray) -> list[bool]:
        return [agrees(*pair, NEAR) for pair in zip(value, wanted, strict=True)]

    return [
        Case(lambda value: right(value) == [False, True], of_mean),
        Case(lambda value: right(value) == [True, False], of_std),
    ]


# -- 05.1 --------------------------------------------------------------------------------------------------

_M, _S, _SLOPE, _CURVATURE, _RHO = 1.1, 0.5, 3.0, -9.0, 0.4  # mean, std, E[f′], E[f″], step size
_OLD = _S**-2
_NEW = (1.0 - _RHO) * _OLD - _RHO * _CURVATURE
_LANDED = (_M + _RHO * _SLOPE / _NEW, _NEW**-0.5)

by_hand = number(
    "05.1",
    "A natural-gradient step by hand",
    _LANDED,
    expects=_TWO_NUMBERS,
    read=_read_normal,
    why="The precision moves part of the way to E[−f″], whatever the gradient is; then the mean moves, "
    "the less the surer q has just become.",
    wrong=[
        Case(
            lambda value: value[1] <= 0.0,
            "A std is positive. Does E[f″], which is negative at a top, come in with a minus?",
        ),
        _std([_NEW**-2, _NEW**2], "The second number is a precision or a variance; the std is asked for."),
        _std(
            [-_CURVATURE],
            "The step size is missing in the precision: this is where a step of size 1 goes.",
        ),
        _std(
            [_OLD - _RHO * _CURVATURE, _OLD - _CURVATURE],
            "The old precision keeps its full weight: the entropy's part of the gradient is missing.",
        ),
        _std(
            [(1.0 - _RHO) * _OLD - factor * _RHO * _CURVATURE for factor in (0.5, 2.0)],
            "A factor of 2 has slipped in: −½ in the second natural coordinate and ½ in Price's theorem. "
            "What is left of them?",
        ),
        _std(
            [(1.0 - _RHO) * wrong - _RHO * _CURVATURE for wrong in (1.0 / _S, _S, _S**2)],
            "The old precision is not right: what has the std 0.5 for its precision?",
        ),
        _mean(
            [_M + _RHO * _SLOPE / _OLD, _M + _SLOPE / _OLD],
            "The mean moves by the old precision: which of the two belongs in its step?",
        ),
        _mean(
            [_M + _SLOPE / _NEW, _M - _SLOPE / _CURVATURE],
            "The step size is missing in the step of the mean.",
        ),
        _mean([_M - _RHO * _SLOPE / _NEW], "The mean goes downhill: E[f′] is the slope to climb."),
        ROUNDED,
        *_half_right(
            _LANDED,
            "The std is right, the mean is not yet: it moves along E[f′], by which precision?",
            "The mean is right, the std is not yet: which precision has been used in the mean's step?",
        ),
    ],
    otherwise="Precision first: a weighted mean of the old one and E[−f″]. Then the mean, with the new "
    "precision.",
)

# -- a mean and a matrix, in one table (mean | matrix) -----------------------------------------------------

_inverse, _solve = np.linalg.inv, np.linalg.solve


def _table(result: Any) -> Any:
    """Return the table of a pair, shape (d, 1 + d), empty if it is no such pair; the stub passes as it is."""
    parts = result if isinstance(result, tuple | list) else (result,)
    if any(part is ... or part is None for part in parts):
        return result
    with contextlib.suppress(Exception):  # more or fewer than two, or no numbers that fit together
        mean, matrix = result
        table = np.column_stack([mean, matrix])
        if np.size(mean) == len(mean) and table.dtype.kind in "iufO":
            return table.astype(float)
    return np.empty(0)


def _misshapen(tried: Tried) -> bool:
    """Whether a table has not the d rows that belong to the d columns of the first argument."""
    columns = {name: arguments[0].shape[-1] for name, arguments in tried.inputs.items()}
    return any(tried.values[name].shape != (d, 1 + d) for name, d in columns.items())


def _in(columns: slice, rules: Sequence[Rule], text: str) -> Case:
    """Return the case of a function that has in these columns what one of the rules returns."""

    def same(tried: Tried, rule: Rule) -> bool:
        return all(
            agrees(got[:, columns], rule(*tried.inputs[name]).reshape(len(got), -1), 1e-6, 1e-6)
            for name, got in tried.values.items()
        )

    return Case(lambda tried: any(same(tried, rule) for rule in rules), text)


_in_mean, _in_matrix = functools.partial(_in, slice(0, 1)), functools.partial(_in, slice(1, None))

# -- 05.2 --------------------------------------------------------------------------------------------------

# precision, mean, E[∇f], E[∇²f], step: by what they test
_STEPS: Inputs = {
    "two": (
        np.array([[2.0, 0.6], [0.6, 1.5]]),
        np.array([0.7, -1.2]),
        np.array([1.3, 0.4]),
        np.array([[-3.1, 0.8], [0.8, -1.7]]),
        0.3,
    ),
    "three": (  # log-concave only on some axes; the step stays inside the cone
        np.array([[2.5, -0.4, 0.3], [-0.4, 1.8, 0.5], [0.3, 0.5, 3.1]]),
        np.array([1.4, 0.6, -0.9]),
        np.array([-0.7, 1.9, 0.8]),
        np.array([[0.6, 0.3, -0.2], [0.3, -2.6, 0.7], [-0.2, 0.7, -0.9]]),
        0.7,
    ),
}


def _mix(weights: Callable[[float], tuple[float, float]]) -> Rule:
    """Return the rule for a precision that mixes the old one and E[∇²f], with weights from the step."""
    return lambda p, _m, _g, h, r: weights(r)[0] * p + weights(r)[1] * h


_new_precision = _mix(lambda r: (1.0 - r, -r))


def _new_mean(p: Any, m: Any, g: Any, h: Any, r: float) -> np.ndarray:
    return np.asarray(m + r * _solve(_new_precision(p, m, g, h, r), g))


def _new_pair(*arguments: Any) -> np.ndarray:
    return np.column_stack([_new_mean(*arguments), _new_precision(*arguments)])


one_step = function(
    "05.2",
    "A natural-gradient step in d dimensions",
    _new_pair,
    _STEPS,
    expects="the new mean and the new precision, computed from the arguments,",
    adapt=_table,
    faults=[changes("an argument")],
    advice=lambda _: "",
    why="These two lines are all of natural-gradient VI for Gaussians; the model comes in through two "
    "expectations, and no Fisher matrix of q, with its d(d + 3)/2 rows, is ever formed.",
    wrong=[
        Case(
            _misshapen,
            "Return a pair: the new mean, of shape (d,), and the new precision, of shape (d, d). Is a "
            "product of a matrix and a vector taken entry by entry?",
        ),
        _in_matrix(
            [_mix(lambda r: (1.0 - r, r)), _mix(lambda r: (1.0, r)), _mix(lambda _: (0.0, 1.0))],
            "The Hessian comes in with the wrong sign: at a top it is negative definite, and a precision is "
            "positive definite.",
        ),
        _in_matrix(
            [_mix(lambda _: (0.0, -1.0))],
            "The step size is missing in the precision: this is where a step of size 1 goes, and the old "
            "precision is forgotten altogether.",
        ),
        _in_matrix(
            [_mix(lambda r: (1.0, -r)), _mix(lambda _: (1.0, -1.0))],
            "The old precision keeps its full weight, so that each step adds to it: the entropy's part of "
            "the gradient, −η, is missing.",
        ),
        _in_matrix(
            [_mix(lambda r: (1.0 - r, -0.5 * r)), _mix(lambda r: (1.0 - r, -2.0 * r))],
            "A factor of 2 has slipped in: the second natural coordinate is −½Λ, and Price's theorem has a "
            "½ too. What is left of them?",
        ),
        _in_mean(
            [lambda p, m, g, _h, r: m + r * _solve(p, g), lambda p, m, g, *_: m + _solve(p, g)],
            "The mean moves by the old precision: which of the two belongs in its step?",
        ),
        _in_mean(
            [lambda *a: 2.0 * a[1] - _new_mean(*a)],
            "The mean goes downhill: the ELBO is to be raised.",
        ),
        _in_mean(
            [lambda p, m, g, h, r: _solve(_new_precision(p, m, g, h, r), (1.0 - r) * p @ m + r * g)],
            "In natural coordinates ∇E[f] by the expectation parameters is not (E[∇f], …): the first "
            "expectation parameter is the mean, but the second moves with it. The chain rule adds a term.",
        ),
        _in_matrix(
            [_new_precision],
            "The precision is right, the mean is not yet: what multiplies E[∇f]?",
        ),
        _in_mean(
            [_new_mean],
            "The mean is right, the precision is not yet: it is a weighted mean of two matrices.",
        ),
        Case(
            lambda tried: tried.somewhere(_new_pair),
            "Right for some arguments and wrong for others: is a dimension or a step size fixed in it?",
        ),
    ],
    otherwise="The values differ: mix the old precision with E[−∇²f] first, then move the mean along E[∇f].",
)

# -- 05.3 --------------------------------------------------------------------------------------------------

_START, _POSTERIOR = Normal(2.0, 1.0), Normal(-1.0, 0.5)
_MIDDLE = geodesic(_START, _POSTERIOR, "natural")(0.5)
_STDS = np.array([_START.std, _POSTERIOR.std])
_HALVES = [np.mean(_STDS), np.mean(_STDS**2) ** 0.5, np.prod(_STDS) ** 0.5]

half_way = number(
    "05.3",
    "Half a step to the posterior",
    _MIDDLE.source,
    expects=_TWO_NUMBERS,
    read=_read_normal,
    why="Half a step is half way in precision, but the mean is a mean of two means weighted by "
    "precision: the surer end pulls harder, and 80% of the way is done.",
    wrong=[
        (
            _POSTERIOR.source,
            "This is the posterior, where a step of size 1 lands; the step has size ½.",
        ),
        (
            geodesic(_START, _POSTERIOR, "expectation")(0.5).source,
            "This is half way in expectation parameters; the step goes straight in natural ones.",
        ),
        Case(lambda value: value[1] <= 0.0, "A std is positive."),
        _std(
            [_MIDDLE.std**4, _MIDDLE.std**-4],
            "The second number is a precision or a variance; the std is asked for.",
        ),
        (
            [(0.5 * (_START.mean + _POSTERIOR.mean), half) for half in _HALVES],
            "This is half way in the mean and in the std, the variance or the log std; the step is "
            "straight in natural coordinates. Which functions of mean and std are they?",
        ),
        _std([2.0 * _MIDDLE.std**-2], "The two precisions have been added: half a step takes half of each."),
        _mean(
            [0.5 * (_START.mean + _POSTERIOR.mean)],
            "The mean lies half way, but the first natural coordinate is not the mean: what is it?",
        ),
        _mean(
            [_START.mean + (_MIDDLE.mean - _START.mean) * (_START.std / _MIDDLE.std) ** 2],
            "The mean has moved by the old precision: which of the two belongs in its step?",
        ),
        ROUNDED,
        *_half_right(
            _MIDDLE.source,
            "The std is right, the mean is not yet: go half way in the first natural coordinate too.",
            "The mean is right, the std is not yet: go half way in the second natural coordinate too.",
        ),
    ],
    otherwise="Write both ends in natural coordinates, Λ·mean and −½Λ with the precision Λ, go half way "
    "there, and come back to mean and std.",
)

# -- 05.4 --------------------------------------------------------------------------------------------------

_MISSING = "Nothing wrong is chosen, but something is missing:"

statements = letters(
    "05.4",
    "What holds for natural-gradient steps",
    "ade",
    "abcdef",
    expects='the letters, as one text such as "abe",',
    why="The direction belongs to the surface and needs no map; how far a straight step goes well "
    "depends on the map, and on the length.",
    wrong=[
        (
            "abcdef",
            "Not all of them. Which of them speak of a direction, and which of a step that has a length?",
        ),
        ("bcf", "Read the question once more: these are the ones that do not hold."),
        Case(
            has("b"),
            "Look again at the direction: carry I⁻¹∇L to another chart by the Jacobian, and compare with "
            "what is computed there.",
        ),
        Case(
            has("c"),
            "Look again at one step in a conjugate model: start with a covariance three times that of "
            "the posterior, and take the step in (mean, covariance).",
        ),
        Case(
            has("f"),
            "Look again at why nothing is inverted: what is (lecture 02) the Fisher matrix of a normal "
            "in natural coordinates, already at N(0, 1)?",
        ),
        Case(
            lacks("a"),
            f"{_MISSING} shrink the step by 10. By what does the distance of the two ends shrink, for "
            "natural steps and for plain ones?",
        ),
        Case(
            lacks("d"),
            f"{_MISSING} one top says where a walk should end, not how long its steps may be. What "
            "happened on the digits?",
        ),
    ],
    otherwise=f"{_MISSING} if f is strictly concave, is E[−∇²f] positive definite, and what is "
    "then a mixture of it and Λ?",
)

# -- 05.5 --------------------------------------------------------------------------------------------------

_TWO = (
    np.array([[1.0, 0.3], [1.0, -0.8], [0.7, 1.1], [-0.4, 0.9], [0.5, -1.3]]),
    np.array([2.0, 1.0, 4.0, 0.0, 1.0]),
    MultivariateNormal([0.4, -0.3], [[0.6, 0.2], [0.2, 0.5]]),
)
# X, y, q: by what they test; more rows than columns, so that the precision of the data alone has an inverse
_COUNTS: Inputs = {
    "two": _TWO,
    "again": _TWO,
    "three": (
        np.array([[1.0] * 6, [0.4, -0.9, 0.8, -0.3, 1.4, -0.6], [-0.7, 0.2, 1.1, -1.2, 0.5, 0.9]]).T,
        np.array([1.0, 0.0, 6.0, 2.0, 3.0, 1.0]),
        MultivariateNormal([0.3, 0.5, -0.2], [[0.5, -0.1, 0.2], [-0.1, 0.8, 0.1], [0.2, 0.1, 0.4]]),
    ),
}


def _parts(
    x: Any,
    y: Any,
    q: MultivariateNormal,
    spreads: tuple[Rule, Rule] = (np.positive, np.positive),
    prior: tuple[float, float] = (1.0, 1.0),
) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient and new precision; for each of them a map of the variance and a weight of the prior."""
    f, v = x @ q.mean, np.sum((x @ q.cov) * x, axis=1)
    of_gradient, of_precision = (np.exp(f + 0.5 * spread(v)) for spread in spreads)
    gradient = x.T @ (y - of_gradient) - prior[0] * q.mean
    return gradient, (x.T * of_precision) @ x + prior[1] * np.eye(q.mean.size)


def _step(*others: Any) -> Rule:
    """Return the rule of a step, with other spreads and another prior if given."""

    def rule(x: Any, y: Any, q: MultivariateNormal) -> np.ndarray:
        gradient, new = _parts(x, y, q, *others)
        return np.column_stack([q.mean + _solve(new, gradient), _inverse(new)])

    return rule


_counts_step = _step()


def _spread(*wrong: Rule) -> list[Rule]:
    """Return the steps with a wrong spread everywhere, in the gradient alone, and in the precision alone."""
    right = np.positive
    return [_step(pair) for one in wrong for pair in ((one, one), (one, right), (right, one))]


def _cov_first(x: Any, y: Any, q: MultivariateNormal) -> np.ndarray:
    cov = _inverse(_parts(x, y, q)[1])
    return np.asarray(q.mean + cov @ _parts(x, y, MultivariateNormal(q.mean, cov))[0])


_SIGN = (
    "Has the Hessian come in with the wrong sign? E[−∇²f] is the sum of two positive parts, one of the prior "
    "and one of the data."
)

counts = function(
    "05.5",
    "A natural-gradient step of Poisson regression",
    _counts_step,
    _COUNTS,
    expects="the new q, computed from X, y and q,",
    adapt=lambda result: _table(
        (result.mean, result.cov) if isinstance(result, MultivariateNormal) else result
    ),
    faults=[changes("an argument")],
    advice=lambda error: _SIGN if "positive definite" in str(error) else "",
    why="Another likelihood is another pair of expectations, each over one dimension; the step does not "
    "change. Here they have closed forms, so that no quadrature is needed.",
    wrong=[
        Case(
            _misshapen,
            "Return the new q, as ig.MultivariateNormal(mean, cov), of d dimensions if X has d columns.",
        ),
        varies(
            "two",
            "again",
            "Two calls with the same arguments return different values: it draws samples, but the "
            "expected rate is known in closed form.",
        ),
        (
            _spread(np.zeros_like),
            "The rate is taken at the mean of q: as xᵀθ varies under q, e^(xᵀθ) is on average larger "
            "than at the mean. With the rate at the mean this is a step of Newton's method.",
        ),
        (
            _spread(lambda v: 2.0 * v, np.sqrt, np.square),
            "The spread of xᵀθ comes into the rate, but not as it should: is it a std, a variance, or "
            "half of one?",
        ),
        _in_mean(
            [_cov_first],
            "The gradient's expectation is taken under the covariance that has just been updated: both "
            "expectations belong to the old q, and only the inverse in the mean's step is new.",
        ),
        (
            [
                _step((spread, spread), prior)
                for spread in (np.positive, np.zeros_like)
                for prior in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0))
            ],
            "The prior is missing, in the gradient, in the precision or in both: f is the log joint, "
            "and log N(θ; 0, Id) has derivatives too.",
        ),
        _in_matrix(
            [lambda *a: _parts(*a)[1]],
            "The new precision is given for the covariance.",
        ),
        _in_matrix(
            [
                lambda x, y, q, k=k: _inverse(_parts(x, y, q, prior=(1.0, k))[1] + _inverse(q.cov))
                for k in (0.0, 1.0)
            ],
            "The old precision is still in the new one: what is its weight in a step of size 1?",
        ),
        _in_mean(
            [lambda x, y, q: q.mean + q.cov @ _parts(x, y, q)[0]],
            "The mean moves by the old covariance: which of the two belongs in its step?",
        ),
        _in_matrix(
            [lambda *a: _counts_step(*a)[:, 1:]],
            "The covariance is right, the mean is not yet: its step has the gradient of the data and "
            "that of the prior.",
        ),
        _in_mean(
            [lambda *a: _counts_step(*a)[:, :1]],
            "The mean is right, the covariance is not yet: which matrix has been inverted in the mean's "
            "step?",
        ),
    ],
    otherwise="The values differ: under q each xᵀθ is normal, with which mean and which variance? From "
    "them comes the expected rate of each row; then the precision, with the prior; then the mean.",
)

EXERCISES = (by_hand, one_step, half_way, statements, counts)
