"""Exercise 04.5: a function for the reparameterised estimates of the ELBO's gradient, one for each draw."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from igviz.exercises.checker import Case, Exercise, agrees
from igviz.exercises.functions import Inputs, Rule, Tried, changes, like, not_finite, try_out, varies

_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)
_WIDTH = 1.5  # the prior's std
_CONSTANT = -_HALF_LOG_2PI - np.log(_WIDTH)  # of the log joint
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


def _try(answer: Any) -> Tried:
    tried = try_out(answer, _NOISE, adapt=_of_one_shape)
    return dataclasses.replace(tried, values={name: _pair_first(name, tried.values[name]) for name in _NOISE})


def _of_one_shape(result: Any) -> Any:
    """Return a pair with both parts of one shape, so that a number may stand beside an array."""
    if isinstance(result, tuple | list) and len(result) == 2:
        with contextlib.suppress(Exception):  # no numbers, or of shapes that do not fit: said later
            return np.stack(np.broadcast_arrays(*result))
    return result


def _pair_first(name: str, value: np.ndarray) -> np.ndarray:
    """Return the array with the axis of the two derivatives in front, if it is the last one."""
    return np.moveaxis(value, -1, 0) if value.shape == (*np.shape(_NOISE[name][2]), 2) else value


def _slope(z: Any) -> np.ndarray:
    return np.asarray(1.0 - np.exp(z) - z / _WIDTH**2)


def _log_joint(z: Any) -> np.ndarray:
    return np.asarray(z - np.exp(z) - 0.5 * (z / _WIDTH) ** 2)


Parts: TypeAlias = Callable[[Any, Any, Any], tuple[Any, Any]]
Map: TypeAlias = Callable[[Any], Any]


def _right_parts(slope: Any, s: Any, e: Any) -> tuple[Any, Any]:
    return slope, slope * e + 1.0 / s


def _estimates(
    parts: Parts = _right_parts,
    slope: Map = _slope,
    z: Callable[[Any, Any, Any], Any] = lambda m, s, e: m + s * e,
) -> Rule:
    """Return the rule that makes (by mean, by std) of the slope at z, the std and ε."""
    return lambda m, s, e: np.stack(np.broadcast_arrays(*parts(slope(z(m, s, e)), s, e)))


_exact_gradient = _estimates()


def _expected_gradient(m: Any, s: Any, e: Any) -> np.ndarray:
    rate = np.exp(m + 0.5 * s**2)
    by_mean = 1.0 - rate - m / _WIDTH**2
    return np.stack([np.full(np.shape(e), part) for part in (by_mean, 1.0 / s - s * (rate + _WIDTH**-2))])


def _by_score(constant: float, log_q: float, entropy: float) -> Rule:
    """Return reward times score, the reward a log joint with this constant and so much of −log q."""

    def rule(m: Any, s: Any, e: Any) -> np.ndarray:
        of_q = -_HALF_LOG_2PI - np.log(s) - 0.5 * np.square(e)
        reward = _log_joint(m + s * e) + constant - log_q * of_q
        return np.stack([reward * e / s, reward * (np.square(e) - 1.0) / s + entropy / s])

    return rule


def _by_curvature(m: Any, s: Any, e: Any) -> np.ndarray:
    z = m + s * e
    return np.stack([_slope(z), 1.0 / s - s * (np.exp(z) + _WIDTH**-2)])


def _gradient_shape_cases() -> tuple[Case, ...]:
    def shapes(tried: Tried) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        return [(np.shape(e), tried.values[name].shape) for name, (_m, _s, e) in tried.inputs.items()]

    def misshapen(tried: Tried) -> list[str]:
        return [
            f"for epsilon of shape {of} it returns shape {got}"
            for of, got in shapes(tried)
            if got != (2, *of)
        ]

    return (
        Case(
            lambda tried: all(got == (2,) for _of, got in shapes(tried)),
            "The mean or the sum has been taken inside, or ε does not come in: asked for is one estimate for "
            "each ε.",
        ),
        Case(
            lambda tried: all(got == of for of, got in shapes(tried)),
            "This is one number for each ε; asked for are two, the derivatives by mean and by std.",
        ),
        Case(
            lambda tried: all(got == () for _of, got in shapes(tried)),
            "This is a single number; asked for are two derivatives for each ε.",
        ),
        Case(
            lambda tried: bool(misshapen(tried)),
            lambda tried: (
                f"Return a pair, by mean and by std, each of the shape of epsilon; but {misshapen(tried)[0]}."
            ),
        ),
    )


def _part_cases() -> tuple[Case, ...]:
    """Return the cases of a part that is missing, or in the wrong place."""
    for_entropy: tuple[Map, ...] = (
        np.log,
        np.square,
        np.asarray,
        lambda s: s**-2,
        lambda s: 0.5 / s,
        lambda s: 2.0 / s,
        lambda _s: 1.0,
        lambda s: _HALF_LOG_2PI + 0.5 + np.log(s),
    )
    return (
        _parts(
            lambda d, _s, e: (d, d * e),
            lambda d, s, e: (d, d * e * s),
            text="The entropy of q is missing: it too changes with the std, whatever ε is.",
        ),
        _parts(
            lambda d, s, e: (d, d * e - 1.0 / s),
            text="The entropy has the wrong sign: it rewards a wide q.",
        ),
        _parts(
            *(lambda d, s, e, f=f: (d, d * e + f(s)) for f in for_entropy),
            text="What stands for the entropy in the derivative by std is not its derivative: how does the "
            "entropy of a normal change with its std?",
        ),
        _parts(
            lambda d, s, e: (d + 1.0 / s, d * e + 1.0 / s),
            lambda d, s, e: (d + 1.0 / s, d * e),
            text="The entropy has come into the derivative by mean: shifting q does not change it, widening "
            "it does.",
        ),
        _parts(
            lambda d, s, _e: (d, d + 1.0 / s),
            lambda d, _s, _e: (d, d),
            lambda d, s, _e: (d, 1.0 / s),
            text="ε is missing in the derivative by std: z moves with the std the more, the farther it is "
            "from the mean.",
        ),
        _parts(
            lambda d, s, e: (d * e, d * e + 1.0 / s),
            text="ε has come into the derivative by mean: z moves with the mean by as much, whatever ε is.",
        ),
        _parts(
            lambda d, s, e: (d, s * d * e + 1.0),
            text="The second part is the derivative by log std; asked for is that by std.",
        ),
        _parts(
            lambda d, s, e: (d, 0.5 * (d * e + 1.0 / s) / s),
            text="The second part is the derivative by the variance; asked for is that by std.",
        ),
        _parts(lambda d, s, e: (d * e + 1.0 / s, d), text="The two parts are swapped."),
        _parts(
            lambda d, s, e: (-d, -d * e - 1.0 / s),
            text="The signs are flipped: this is the gradient of the loss −ELBO.",
        ),
        _parts(
            lambda d, s, e: (d + e / s, (d + e / s) * e),
            text="This follows log q along z and holds its mean and std fixed: unbiased as well, and known "
            "as sticking the landing. Asked for is the estimate with the entropy's own derivative.",
        ),
    )


def _parts(*parts: Parts, text: str) -> Case:
    """Return the case of a function that puts slope, std and ε together in one of these ways."""
    return like(*(_estimates(one) for one in parts), text=text)


def _slope_cases() -> tuple[Case, ...]:
    """Return the cases of a wrong z, or a wrong derivative of the log joint."""
    latent: tuple[Callable[[Any, Any, Any], Any], ...] = (
        lambda m, s, e: m + s**2 * e,
        lambda m, s, e: m + np.sqrt(s) * e,
        lambda m, s, e: m - s * e,
        lambda m, _s, e: m + e,
        lambda _m, s, e: s * e,
        lambda _m, _s, e: e,
    )
    of_prior: tuple[Map, ...] = (
        lambda z: z / _WIDTH,
        lambda z: 0.5 * z / _WIDTH**2,
        lambda z: 2.0 * z / _WIDTH**2,
        lambda z: -z / _WIDTH**2,
        lambda z: 0.5 * z / _WIDTH,
        lambda z: z,
        lambda z: 0.5 * (z / _WIDTH) ** 2,
    )
    wrong: tuple[Map, ...] = (
        lambda z: _slope(z) - 1.0,
        lambda z: _slope(z) - 1.0 + z,
        lambda z: _slope(z) + np.exp(z),
        lambda z: _slope(z) + 2.0 * np.exp(z),
        lambda z: _slope(z) + (1.0 - z) * np.exp(z),
    )

    def with_prior(of_prior: Map) -> Rule:
        return _estimates(slope=lambda z: 1.0 - np.exp(z) - of_prior(z))

    return (
        like(
            *(_estimates(z=z) for z in latent),
            text="z is not the one that belongs to ε: which z has N(mean, std) when ε has N(0, 1)?",
        ),
        like(
            _estimates(z=lambda m, _s, _e: m),
            text="The slope is taken at the mean, whatever ε is: it belongs at z.",
        ),
        like(
            _estimates(slope=_log_joint),
            _estimates(slope=lambda z: _log_joint(z) + _CONSTANT),
            text="The log joint itself has been used where its derivative by z belongs.",
        ),
        like(
            with_prior(np.zeros_like),
            text="The prior is missing in the slope: z²/(2·1.5²) has a derivative too.",
        ),
        like(
            *map(with_prior, of_prior),
            text="The prior's part of the slope is not right: differentiate z²/(2·1.5²) again.",
        ),
        like(
            *(_estimates(slope=slope) for slope in wrong),
            text="The slope of the log joint is not right: differentiate z − eᶻ − z²/(2·1.5²) term by term.",
        ),
    )


def _estimator_cases() -> tuple[Case, ...]:
    """Return the cases of another estimator, or of what all of them estimate."""
    reward = (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)  # with −log q sampled, with the entropy exact, without

    def vanishes_in_the_middle(tried: Tried) -> bool:
        """Whether the part by mean is zero at ε = 0, where the score by mean is."""
        elsewhere = tried.values["narrow"][0]
        return agrees(tried.values["middle"][0], 0.0, absolute=1e-12) and bool(np.all(elsewhere != 0.0))

    return (
        like(
            _expected_gradient,
            text="This is the exact gradient, which all estimates have on average; asked for is the estimate "
            "from each ε.",
        ),
        like(
            _by_curvature,
            text="This takes the second derivative by std, as Price's theorem does: unbiased as well. Asked "
            "for is the estimate that needs the first derivative alone.",
        ),
        like(
            *(_by_score(constant, *kind) for constant in (0.0, _CONSTANT) for kind in reward),
            text="This is the score-function estimate, or a part of it: asked for is the one that lets z "
            "move with mean and std, and differentiates the log joint.",
        ),
        Case(
            vanishes_in_the_middle,
            "At ε = 0 the derivative by mean is zero, as with a score: asked for is the estimate that lets z "
            "move with the mean, and differentiates the log joint.",
        ),
    )


def reparameterised() -> Exercise:
    """Return exercise 04.5: a function for estimates of the ELBO's gradient."""
    digits = 1e-5  # so that a derivative by differences is right

    def right(tried: Tried) -> bool:
        return tried.same(_exact_gradient, relative=digits, absolute=digits)

    def part(index: int) -> Callable[[Tried], bool]:
        def matches(tried: Tried) -> bool:
            return all(
                agrees(tried.values[name][index], _exact_gradient(*tried.inputs[name])[index], digits, digits)
                for name in tried.inputs
            )

        return matches

    return Exercise(
        key="04.5",
        title="A reparameterised gradient",
        expects="the two derivatives, computed from mean, std and epsilon,",
        read=_try,
        correct=lambda tried: right(tried) and not tried.changed,
        why="Averaged over ε both parts are the exact gradient, and each ε knows the slope where it "
        "lands. The score function's estimate does not, and has two to three times the variance at the "
        "best q.",
        near_misses=(
            changes("epsilon"),
            *_gradient_shape_cases(),
            not_finite(),
            varies(
                "draws",
                "again",
                "Two calls with the same arguments return different values: use the ε that are given, and "
                "draw none.",
            ),
            *_part_cases(),
            *_slope_cases(),
            *_estimator_cases(),
            Case(
                part(0),
                "The derivative by mean is right, that by std is not yet: by which two ways does the std "
                "come into the ELBO?",
            ),
            Case(
                part(1),
                "The derivative by std is right, that by mean is not yet: by how much does z move when the "
                "mean does?",
            ),
            Case(
                lambda tried: tried.same(_exact_gradient, "middle", relative=digits, absolute=digits),
                "Right at ε = 0 only: is z made of mean, std and ε everywhere?",
            ),
            Case(
                lambda tried: tried.somewhere(_exact_gradient),
                "Right for some arguments and wrong for others: is a mean, a std or a number of draws fixed "
                "in it?",
            ),
        ),
        otherwise="The values differ: put z as a function of mean, std and ε into the log joint, "
        "differentiate by mean and by std with the chain rule, and add what the entropy of q contributes.",
    )
