"""Exercises of lecture 04: the gap, an ELBO by hand, mean field, what each KL picks, and a gradient."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from igviz.exercises.checker import Case, NotYet, agrees, for_numbers_only, has, lacks, read_array
from igviz.exercises.forms import (
    ROUNDED,
    Inputs,
    Rule,
    Tried,
    changes,
    function,
    letters,
    not_finite,
    number,
    of_shape,
    varies,
)
from igviz.geometry.families.normal import Normal

# -- 04.1 --------------------------------------------------------------------------------------------------

_PRIOR, _NOISE_STD, _OBSERVED = Normal(0.0, 2.0), 1.0, 1.3
_Q = Normal(0.5, 1.3)
_PRECISION = 1.0 / _PRIOR.std**2 + 1.0 / _NOISE_STD**2
_POSTERIOR = Normal(_OBSERVED / _NOISE_STD**2 / _PRECISION, 1.0 / np.sqrt(_PRECISION))
_EVIDENCE = float(Normal(_PRIOR.mean, np.hypot(_PRIOR.std, _NOISE_STD)).log_prob(_OBSERVED))
_GAP = float(_Q.kl(_POSTERIOR))
_ELBO, _LOG_Q = _EVIDENCE - _GAP, -float(_Q.entropy())
_JOINT = _ELBO + _LOG_Q

gap = number(
    "04.1",
    "The gap below the evidence",
    _GAP,
    why="The two expectations need no posterior, and log p(x) does not change with q: whatever raises the "
    "ELBO lowers this KL by as much.",
    wrong=[
        (
            -_GAP,
            "The sign is flipped: which of the two is the bound, and which is bounded? A KL is never "
            "negative.",
        ),
        ([_ELBO, -_ELBO], "This is the ELBO, or minus it. How far below the evidence does it lie?"),
        (
            [_EVIDENCE - _JOINT, _JOINT - _EVIDENCE],
            "This takes E_q[log p(x, z)] for the ELBO: a part of the ELBO is missing.",
        ),
        (
            [_EVIDENCE - _JOINT - _LOG_Q, _JOINT + _LOG_Q - _EVIDENCE],
            "The entropy of q has the wrong sign: the ELBO has log q with a minus.",
        ),
        (
            [sign * given for given in (_EVIDENCE, _JOINT, _LOG_Q) for sign in (1.0, -1.0)],
            "This is one of the three numbers given, up to its sign: none of them is the gap.",
        ),
        (
            _POSTERIOR.kl(_Q),
            "This is KL(posterior‖q), the other direction: under which of the two are the expectations of "
            "the ELBO?",
        ),
        (
            [_Q.kl(_PRIOR), _PRIOR.kl(_Q)],
            "This compares q with the prior: the gap is to the posterior, which knows x.",
        ),
        Case(
            lambda value: value < 0.0,
            "A KL is never negative: the ELBO cannot lie above the evidence.",
        ),
    ],
    otherwise="Put the ELBO together from the two expectations first; then see how far it lies below the "
    "evidence.",
)

# -- 04.2 --------------------------------------------------------------------------------------------------

_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)
_DATA, _PRIOR_STD = (0.7, 2.4), 2.0
# by what they test: the arrays of two would fall in with the two observations unnoticed
_NORMALS: Inputs = {
    "number": (0.3, 0.7),
    "again": (0.3, 0.7),
    "three": (np.array([0.4, -1.2, 2.6]), np.array([0.5, 1.7, 0.9])),
    "two": (np.array([1.6, -0.8]), np.array([0.6, 1.3])),
    "grid": (np.array([-0.9, 1.4, 2.2]), np.array([[0.8], [1.6]])),
    "array and number": (np.array([1.9, -0.3, 0.8]), 0.45),
    "narrow": (1.1, 0.05),
    "wide": (-2.5, 6.0),
}


def _advice(error: Exception) -> str:
    """Return what kind of mistake the exception points to."""
    if any(word in str(error) for word in ("mismatch", "broadcast")):
        return (
            "The observations and the array of means have met in one axis: take the observations one by one, "
            "or give them an axis of their own."
        )
    return for_numbers_only(error)


def _elbo(prior: float = 1.0, entropy: float = 1.0, shares: tuple[float, float] = (1.0, 1.0)) -> Rule:
    """Return the ELBO with prior and entropy counted so often, with these shares of the variance."""

    def rule(mean: Any, std: Any) -> np.ndarray:
        of_data, of_prior = (share * std**2 for share in shares)
        log_data = -sum(_HALF_LOG_2PI + 0.5 * ((x - mean) ** 2 + of_data) for x in _DATA)
        log_prior = -_HALF_LOG_2PI - np.log(_PRIOR_STD) - 0.5 * (mean**2 + of_prior) / _PRIOR_STD**2
        of_q = _HALF_LOG_2PI + 0.5 + np.log(std)
        return np.asarray(log_data + prior * log_prior + entropy * of_q)

    return rule


_exact_elbo = _elbo()


def _only_constants(tried: Tried) -> bool:
    """Whether the function differs from the ELBO by the same number everywhere."""
    offset = tried.values["number"] - _exact_elbo(*_NORMALS["number"])
    return offset.shape == () and tried.same(lambda mean, std: _exact_elbo(mean, std) + offset)


by_hand = function(
    "04.2",
    "An ELBO by hand",
    _exact_elbo,
    _NORMALS,
    expects="the ELBO, computed from mean and std (numbers or arrays),",
    advice=_advice,
    faults=[changes("mean or std")],
    why="With every constant in it the function can be held against the evidence: at the posterior it is "
    "log p(x) itself, and nowhere is it higher.",
    wrong=[
        of_shape(
            lambda *_: (),
            "For arrays it returns a single number: each pair of a mean and a std is a q of its own, and has "
            "its own ELBO.",
        ),
        not_finite(),
        varies(
            "number",
            "again",
            "Two calls with the same q return different values: it draws samples, but here every expectation "
            "is known in closed form.",
        ),
        (
            lambda mean, std: -_exact_elbo(mean, std),
            "This is minus the ELBO, the loss that one descends; asked for is the ELBO itself.",
        ),
        (
            _elbo(entropy=0.0),
            "This is the expected log joint alone: the entropy of q is missing, without which q would shrink "
            "to a point.",
        ),
        (_elbo(entropy=-1.0), "The entropy of q has the wrong sign: a wide q is to be rewarded."),
        (
            [_elbo(prior=0.0), _elbo(prior=0.0, entropy=0.0)],
            "The prior is missing: the joint density is likelihood times prior.",
        ),
        (
            [
                _elbo(shares=(0.0, 0.0)),
                _elbo(shares=(0.0, 0.0), entropy=0.0),
                _elbo(shares=(0.0, 1.0)),
                _elbo(shares=(1.0, 0.0)),
            ],
            "Somewhere z has been replaced by its mean: the mean of a square is more than the square of the "
            "mean.",
        ),
        Case(
            _only_constants,
            "Everything that changes with q is right, and the constants are not: go through the three normal "
            "densities, of the data, of the prior and of q, one by one.",
        ),
        Case(
            lambda tried: tried.somewhere(_exact_elbo),
            "Right for some q and wrong for others: are mean and std used everywhere, also as arrays?",
        ),
    ],
    otherwise="The values differ: write down log p(x₁ | z) + log p(x₂ | z) + log p(z) − log q(z) with every "
    "constant, and take the mean under q of each square in it.",
)

# -- 04.3 --------------------------------------------------------------------------------------------------

_COVARIANCE = np.array([[4.0, 2.0, -1.0], [2.0, 3.0, 0.5], [-1.0, 0.5, 2.0]])
_MARGINAL, _DIAGONAL = np.diag(_COVARIANCE), np.diag(np.linalg.inv(_COVARIANCE))
_VARIANCES = 1.0 / _DIAGONAL
_LOST = _COVARIANCE**2 / np.outer(_MARGINAL, _MARGINAL) - np.eye(3)  # ρ² of each pair


def _read_variances(answer: Any) -> np.ndarray:
    """Return the three variances, also from a row, a column or a diagonal matrix."""
    array = read_array(answer, "the three variances", ((3,), (3, 1), (1, 3), (3, 3)))
    if array.shape != (3, 3):
        return array.ravel()
    if np.any(array != np.diag(np.diag(array))):
        raise NotYet(
            "This is a matrix with off-diagonal entries: in a factorised q nothing is correlated, and three "
            "variances say all."
        )
    return np.diag(array)


mean_field = number(
    "04.3",
    "Mean field in three dimensions",
    _VARIANCES,
    expects="the three variances",
    read=_read_variances,
    why="Each is the variance that is left when the other two are known, and not the one of its own margin: "
    "the more the target is correlated, the narrower mean field takes it to be.",
    wrong=[
        Case(lambda value: bool(np.any(value <= 0.0)), "Variances are positive."),
        (
            _MARGINAL,
            "These are the variances of p itself, which the least KL(p‖q) has. Asked for is the least "
            "KL(q‖p).",
        ),
        (_DIAGONAL, "These are precisions: variances are asked for."),
        (np.sqrt(_VARIANCES), "These are the stds of q; its variances are asked for."),
        (
            [
                _MARGINAL * np.prod(1.0 - _LOST, axis=1),
                _MARGINAL * (1.0 - _LOST.sum(axis=1)),
                _MARGINAL * (1.0 - _LOST.max(axis=1)),
                *(_MARGINAL * (1.0 - _LOST[[0, 1, 2], others]) for others in ([1, 2, 0], [2, 0, 1])),
            ],
            "This puts 1 − ρ² together from single pairs; with three variables, what do the other two tell "
            "about one when they are known together?",
        ),
        ROUNDED,
        Case(
            lambda value: bool(np.any(value > _MARGINAL)),
            "At least one is larger than the variance of p in that direction: minimising KL(q‖p), does q "
            "stick out of p?",
        ),
    ],
    otherwise="Write log p(z) as a quadratic form and take its mean under a factorised q: only squares of "
    "single variables are left. Add the entropy of q, and differentiate by each variance.",
)

# -- 04.4 --------------------------------------------------------------------------------------------------

_MISSING = "Nothing wrong is chosen, but something is missing:"

directions = letters(
    "04.4",
    "Which q each KL picks",
    "bce",
    "abcde",
    expects='the letters, as one text such as "abd",',
    why="The expectation says it: under q nobody asks about a hump that q does not reach; under p every hump "
    "is asked about, and a q that leaves one out pays dearly.",
    wrong=[
        (
            "abcde",
            "Not all of them. Which direction of the KL is the ELBO about, and which one fills gaps?",
        ),
        ("ad", "Read the question once more: these are the ones that do not hold."),
        Case(
            has("a"),
            "Look again at the highest ELBO: which direction of the KL does it make small, and is it that "
            "one which matches moments?",
        ),
        Case(
            has("d"),
            "Look again at the gap between the humps: draw the q of least KL(p‖q), a single normal, over p. "
            "How much of it stands where p is nearly zero?",
        ),
        Case(
            lacks("b"),
            f"{_MISSING} write KL(p‖q) down for a normal q, and set its derivatives by mean and std to zero.",
        ),
        Case(
            lacks("c"),
            f"{_MISSING} what does a q that sits on the right hump find when it moves a little to the left?",
        ),
    ],
    otherwise=f"{_MISSING} on the left hump p is nearly 0.7·N(−2, 0.6). What is the mean of log q − log p "
    "there?",
)

# -- 04.5 --------------------------------------------------------------------------------------------------

_WIDTH = 1.5  # the prior's std
_DIGITS = 1e-5  # so that a derivative by differences is right
# by what they test; no axis has length 2, which is that of the two derivatives
_NOISE: Inputs = {
    "number": (-0.4, 0.8, 0.9),
    "draws": (-0.4, 0.8, np.array([0.7, -1.3, 0.0, 1.9, -0.2])),
    "again": (-0.4, 0.8, np.array([0.7, -1.3, 0.0, 1.9, -0.2])),
    "table": (0.5, 1.1, np.linspace(-1.7, 1.4, 12).reshape(3, 4)),
    "narrow": (0.9, 0.3, np.array([-0.6, 1.2, 2.3])),
    "one draw": (-1.2, 1.6, np.array([-0.8])),
    "middle": (-1.2, 1.6, 0.0),
}


def _pair_first(result: Any) -> Any:
    """Return a pair as an array with the pair's axis in front, so that a number may stand beside an array."""
    with contextlib.suppress(Exception):  # no numbers, or of shapes that do not fit: said later
        if isinstance(result, tuple | list) and len(result) == 2:
            return np.stack(np.broadcast_arrays(*result))
        shape = np.shape(result)
        if len(shape) > 1 and shape[-1] == 2 != shape[0]:
            return np.moveaxis(np.asarray(result), -1, 0)
    return result


def _estimates(
    parts: Callable[..., tuple[Any, Any]] = lambda slope, std, e: (slope, slope * e + 1.0 / std),
    latent: Callable[..., Any] = lambda mean, std, e: mean + std * e,
) -> Rule:
    """Return the rule that makes (by mean, by std) of the slope at z, the std and ε."""

    def rule(mean: Any, std: Any, e: Any) -> np.ndarray:
        z = latent(mean, std, e)
        return np.stack(np.broadcast_arrays(*parts(1.0 - np.exp(z) - z / _WIDTH**2, std, e)))

    return rule


_exact_gradient = _estimates()


def _misshapen_pair(tried: Tried) -> list[str]:
    shapes = ((np.shape(e), tried.values[name].shape) for name, (_m, _s, e) in tried.inputs.items())
    return [f"for epsilon of shape {e} it returns shape {got}" for e, got in shapes if got != (2, *e)]


def _right_part(index: int) -> Callable[[Tried], bool]:
    """Return whether one of the two derivatives is right, as a function of what was tried."""
    return lambda tried: all(
        agrees(tried.values[name][index], _exact_gradient(*arguments)[index], _DIGITS, _DIGITS)
        for name, arguments in tried.inputs.items()
    )


reparameterised = function(
    "04.5",
    "A reparameterised gradient",
    _exact_gradient,
    _NOISE,
    expects="the two derivatives, computed from mean, std and epsilon,",
    adapt=_pair_first,
    digits=_DIGITS,
    faults=[changes("epsilon")],
    why="Averaged over ε both parts are the exact gradient, and each ε knows the slope where it lands. The "
    "score function's estimate does not, and has two to three times the variance at the best q.",
    wrong=[
        of_shape(
            lambda *_: (2,),
            "The mean or the sum has been taken inside, or ε does not come in: asked for is one estimate for "
            "each ε.",
        ),
        Case(
            lambda tried: bool(_misshapen_pair(tried)),
            lambda tried: (
                "Return a pair, by mean and by std, each of the shape of epsilon; but "
                f"{_misshapen_pair(tried)[0]}."
            ),
        ),
        varies(
            "draws",
            "again",
            "Two calls with the same arguments return different values: use the ε that are given, and draw "
            "none.",
        ),
        (
            [
                _estimates(lambda slope, _std, e: (slope, slope * e)),
                _estimates(lambda slope, std, e: (slope, std * slope * e)),
            ],
            "The entropy of q is missing: it too changes with the std, whatever ε is.",
        ),
        (
            [
                _estimates(lambda slope, std, _e: (slope, slope + 1.0 / std)),
                _estimates(lambda slope, _std, _e: (slope, slope)),
                _estimates(lambda slope, std, _e: (slope, 1.0 / std)),
            ],
            "ε is missing in the derivative by std: z moves with the std the more, the farther it is from "
            "the mean.",
        ),
        (
            lambda *arguments: -_exact_gradient(*arguments),
            "The signs are flipped: this is the gradient of the loss −ELBO.",
        ),
        (
            [
                _estimates(latent=lambda mean, std, e: mean + std**2 * e),
                _estimates(latent=lambda mean, std, e: mean + np.sqrt(std) * e),
                _estimates(latent=lambda mean, std, e: mean - std * e),
                _estimates(latent=lambda mean, _std, e: mean + e),
                _estimates(latent=lambda _mean, std, e: std * e),
                _estimates(latent=lambda _mean, _std, e: e),
            ],
            "z is not the one that belongs to ε: which z has N(mean, std) when ε has N(0, 1)?",
        ),
        Case(
            _right_part(0),
            "The derivative by mean is right, that by std is not yet: by which two ways does the std come "
            "into the ELBO?",
        ),
        Case(
            _right_part(1),
            "The derivative by std is right, that by mean is not yet: by how much does z move when the mean "
            "does?",
        ),
    ],
    otherwise="The values differ: put z as a function of mean, std and ε into the log joint, differentiate "
    "by mean and by std with the chain rule, and add what the entropy of q contributes.",
)

EXERCISES = (gap, by_hand, mean_field, directions, reparameterised)
