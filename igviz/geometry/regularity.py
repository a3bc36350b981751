"""One parameter moved by a step: models on which Fisher information rests, and models on which it breaks.

Three things are usually taken for one: the mean square of the score, minus the mean second derivative of the
log-density, and twice the factor of step² in the KL divergence. They agree if the support stands still and
the log-density is smooth in the parameter. Each model here holds one distribution p, and q is the same with
one parameter larger by a step.

References
----------
Amari, S. (2016). Information Geometry and Its Applications, section 2.1.
Watanabe, S. (2009). Algebraic Geometry and Statistical Learning Theory, chapter 1, for mixtures.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.laplace import Laplace
from igviz.geometry.families.normal import Normal
from igviz.geometry.numerics import as_numbers, generalised_kl

_REACH = 12.0  # standard deviations beyond the components that a mixture is integrated over
_FARTHEST = 6.0  # standard deviations from 0 to the second component
_NODES = 361


class Information(NamedTuple):
    """What is called Fisher information, two ways, and the mean that should be 0, for one parameter."""

    outer_product: float  # E[score²]
    minus_hessian: float  # −E[second derivative of log p]
    mean_score: float


@dataclasses.dataclass(frozen=True)
class OneParameterModel:
    """Base: a density, its divergences and its information, as one parameter moves."""

    def pdf(self, x: ArrayLike, step: ArrayLike = 0.0) -> np.ndarray:
        """Return the density at x of the distribution whose parameter is larger by the step."""
        raise NotImplementedError

    def kl(self, steps: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return KL(p‖q) and KL(q‖p) in nats, of the shape of the steps, which are positive.

        They keep their digits for small steps.
        """
        raise NotImplementedError

    def information(self) -> Information:
        """Return the two forms of Fisher information about the parameter and the mean of the score."""
        raise NotImplementedError

    def order(self, step: float) -> float:
        """Return the order of KL(p‖q) in the step, d log KL/d log step, at one step.

        It tends to 2 for small steps where Fisher information rules, and is nan where KL is 0.
        """
        near = 1e-3  # of log step; the error is of the order of its square
        below, above = self.kl(step * np.exp([-near, near]))[0]
        return float(np.log(above / below) / (2.0 * near)) if below > 0.0 else np.nan

    @staticmethod
    def _positive(steps: ArrayLike) -> np.ndarray:
        values = as_numbers("kl", "steps", steps)
        if not np.all(np.isfinite(values) & (values > 0.0)):
            raise ValueError(f"kl: steps must be positive, got {steps!r}")
        return values


@dataclasses.dataclass(frozen=True)
class UniformEnd(OneParameterModel):
    """The uniform distribution on (0, end), by its end: the support moves with the parameter.

    The score −1/end is a constant, so its mean is not 0; its square 1/end² and minus the second derivative,
    −1/end², have opposite signs. KL(p‖q) = log(1 + step/end) is of first order, KL(q‖p) infinite.
    """

    end: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.end) and self.end > 0.0):
            raise ValueError(f"UniformEnd: end must be positive, got {self.end!r}")

    def pdf(self, x: ArrayLike, step: ArrayLike = 0.0) -> np.ndarray:  # noqa: D102
        x = np.asarray(x)
        return np.where(
            (x > 0.0) & (x < self.end + np.asarray(step)), 1.0 / (self.end + np.asarray(step)), 0.0
        )

    def kl(self, steps: ArrayLike) -> tuple[np.ndarray, np.ndarray]:  # noqa: D102
        steps = self._positive(steps)
        return np.log1p(steps / self.end), np.full(steps.shape, np.inf)

    def information(self) -> Information:  # noqa: D102
        return Information(self.end**-2, -(self.end**-2), -1.0 / self.end)


@dataclasses.dataclass(frozen=True)
class NormalMean(OneParameterModel):
    """N(0, std), by its mean: the model that has it all. KL = step²/(2·std²) both ways, for every step."""

    std: float

    def pdf(self, x: ArrayLike, step: ArrayLike = 0.0) -> np.ndarray:  # noqa: D102
        return Normal(step, self.std).pdf(x)

    def kl(self, steps: ArrayLike) -> tuple[np.ndarray, np.ndarray]:  # noqa: D102
        p, q = Normal(0.0, self.std), Normal(self._positive(steps), self.std)
        return p.kl(q), q.kl(p)

    def information(self) -> Information:  # noqa: D102
        fisher = float(Normal(0.0, self.std).fisher("source")[0, 0])
        return Information(fisher, fisher, 0.0)


@dataclasses.dataclass(frozen=True)
class LaplaceLocation(OneParameterModel):
    """The Laplace distribution about 0, by its location: the log-density has a kink, which moves.

    KL = |step|/scale + exp(−|step|/scale) − 1 ≈ step²/(2·scale²) both ways. The mean square of the score,
    1/scale², is right; minus the mean second derivative is 0, because log p is straight everywhere but at
    the kink.
    """

    scale: float

    def pdf(self, x: ArrayLike, step: ArrayLike = 0.0) -> np.ndarray:  # noqa: D102
        return Laplace(step, self.scale).pdf(x)

    def kl(self, steps: ArrayLike) -> tuple[np.ndarray, np.ndarray]:  # noqa: D102
        p, q = Laplace(0.0, self.scale), Laplace(self._positive(steps), self.scale)
        return p.kl(q), q.kl(p)

    def information(self) -> Information:  # noqa: D102
        fisher = float(Laplace(0.0, self.scale).fisher("source")[0, 0])
        return Information(fisher, 0.0, 0.0)


@dataclasses.dataclass(frozen=True)
class MixturePosition(OneParameterModel):
    """(1 − weight)·N(0, std) + weight·N(position, std), by the position of its second component.

    With weight 0 the position does not matter: the score is 0, and so are its information and every KL. The
    model is regular, but two parameters name what needs one.

    Integrals are trapezoid sums over a range that holds all but 1e-30 of the mass. For smooth integrands that
    vanish at both ends they are exact to rounding.
    """

    weight: float
    std: float = 1.0
    position: float = 2.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.weight <= 1.0:
            raise ValueError(f"MixturePosition: weight must be in [0, 1], got {self.weight!r}")
        Normal(self.position, self.std)  # refuses what is no normal
        if abs(self.position) > _FARTHEST * self.std:
            raise ValueError(
                f"MixturePosition: position must be within {_FARTHEST:g} std of 0, got {self.position!r}"
            )

    def component(self, x: ArrayLike, step: ArrayLike = 0.0) -> np.ndarray:
        """Return the second component with its weight at x, its position larger by the step."""
        return self.weight * Normal(self.position + np.asarray(step), self.std).pdf(x)

    def pdf(self, x: ArrayLike, step: ArrayLike = 0.0) -> np.ndarray:  # noqa: D102
        return (1.0 - self.weight) * Normal(0.0, self.std).pdf(x) + self.component(x, step)

    def kl(self, steps: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return KL(p‖q) and KL(q‖p) in nats, of the shape of the steps, which are positive.

        The integrands p·log(p/q) − p + q are not negative, and q − p is found without subtracting the two:
        small steps keep their digits.
        """
        steps = self._positive(steps)[..., None]
        x, spacing = self._grid(float(np.max(steps, initial=0.0)))
        exponent = steps / self.std * ((x - self.position) / self.std - 0.5 * steps / self.std)
        p, q = self.pdf(x), self.pdf(x, steps)
        gap = self.component(x) * np.expm1(exponent)
        there, back = generalised_kl(p, q, gap), generalised_kl(q, p, -gap)
        return spacing * np.sum(there, axis=-1), spacing * np.sum(back, axis=-1)

    def information(self) -> Information:  # noqa: D102
        x, spacing = self._grid()
        p, away = self.pdf(x), (x - self.position) / self.std
        first = self.component(x) * away / self.std  # derivatives of p by the position
        second = self.component(x) * (away**2 - 1.0) / self.std**2
        score = first / p
        return Information(
            *(float(spacing * np.sum(one)) for one in (p * score**2, p * score**2 - second, p * score))
        )

    def fisher(self) -> np.ndarray:
        """Return the Fisher matrix of (weight, position), shape (2, 2).

        As the weight w falls to 0 it tends, with r = (position/std)², to [[eʳ − 1, w·eʳ·position/std²],
        [·, w²·eʳ·(1 + r)/std²]]: the weight keeps its information, the position loses it like w², and the
        determinant falls like w²·eʳ·(eʳ − 1 − r)/std².
        """
        x, spacing = self._grid()
        p, away = self.pdf(x), (x - self.position) / self.std
        by_weight = Normal(self.position, self.std).pdf(x) - Normal(0.0, self.std).pdf(x)
        by_position = self.component(x) * away / self.std
        derivatives = np.stack([by_weight, by_position])
        return spacing * (derivatives / p) @ derivatives.T

    def _grid(self, step: float = 0.0) -> tuple[np.ndarray, float]:
        """Return points of integration and their spacing; at weight 0 one integrand peaks at 2·position."""
        low = min(0.0, 2.0 * self.position) - _REACH * self.std
        high = max(0.0, 2.0 * self.position, self.position + step) + _REACH * self.std
        x, spacing = np.linspace(low, high, _NODES, retstep=True)
        return x, float(spacing)
