"""One Fisher matrix found four ways: by SymPy, in closed form, by quadrature and from samples."""

from __future__ import annotations

import dataclasses

import numpy as np
import sympy

from igviz.geometry.families.dirichlet import Dirichlet
from igviz.geometry.families.distribution import Distribution
from igviz.geometry.families.exponential_family import ExponentialFamily
from igviz.geometry.families.location_scale import LocationScale
from igviz.geometry.families.multivariate_normal import MultivariateNormal
from igviz.geometry.information_by_quadrature import information_by_quadrature
from igviz.geometry.symbolic.densities import Density
from igviz.geometry.symbolic.families import density

# of the probabilities of a count, what is left out of its sum
_TAIL = 1e-14


@dataclasses.dataclass(frozen=True, eq=False)
class FourWays:
    """Fisher matrices of one distribution in the source chart, each of shape (k, k).

    Attributes
    ----------
    symbolic, closed_form, quadrature, monte_carlo : numpy.ndarray
        SymPy's result with the numbers put in; the library's formula; the integral of the scores' outer
        products; their mean over samples.
    standard_error : numpy.ndarray
        Of each entry of `monte_carlo`.
    how : str
        How SymPy's result was obtained.
    """

    symbolic: np.ndarray
    closed_form: np.ndarray
    quadrature: np.ndarray
    monte_carlo: np.ndarray
    standard_error: np.ndarray
    how: str

    def difference(self, way: str) -> float:
        """Return the largest difference of "symbolic" or "quadrature" from the closed form.

        Entries are measured in √(I_ii·I_jj), so that the units of the coordinates do not matter.
        """
        if way not in ("symbolic", "quadrature"):
            raise ValueError(f"FourWays.difference: way must be 'symbolic' or 'quadrature', got {way!r}")
        return float(np.max(np.abs(getattr(self, way) - self.closed_form) / self._scale()))

    @property
    def standard_errors_off(self) -> float:
        """How many standard errors the Monte Carlo entry that is farthest off lies from the closed form."""
        gap = np.abs(self.monte_carlo - self.closed_form)
        # an entry whose samples do not vary is right or wrong, not off by chance
        certain = self.standard_error <= 1e-12 * self._scale()
        wrong = certain & (gap > 1e-9 * self._scale())
        ratio = gap / np.where(certain, 1.0, self.standard_error)
        return float(np.max(np.where(certain, np.where(wrong, np.inf, 0.0), ratio)))

    def _scale(self) -> np.ndarray:
        root = np.sqrt(np.diagonal(self.closed_form))
        return root[:, None] * root


def fisher_four_ways(
    p: Distribution, samples: int, rng: np.random.Generator, time_limit: float = 5.0
) -> FourWays:
    """Return the Fisher matrix of one distribution found four ways.

    Parameters
    ----------
    p : Distribution
        A single distribution. Categorical and Dirichlet have three classes here, MultivariateNormal two
        dimensions, as in `igviz.symbolic.density`.
    samples : int
        Number of samples of the Monte Carlo mean, at least 2.
    rng : numpy.random.Generator
        Source of the samples.
    time_limit : float
        Seconds that SymPy may take for each integral.

    Raises
    ------
    TypeError
        If p is not a distribution or rng not a Generator.
    ValueError
        If p is a grid, or its dimension is not that of the symbolic density.
    """
    if not isinstance(p, Distribution):
        raise TypeError(f"fisher_four_ways: p must be a distribution such as igviz.Normal, got {p!r}")
    if p.shape:
        raise ValueError(f"fisher_four_ways: p must be a single distribution, got a grid of shape {p.shape}")
    if samples < 2:
        raise ValueError(f"fisher_four_ways: samples must be at least 2, got {samples!r}")
    symbolic = density(type(p))
    if p.dimension != len(symbolic.parameters):
        raise ValueError(
            f"fisher_four_ways: p must have {len(symbolic.parameters)} coordinates, got {p.dimension}"
        )
    derived = symbolic.fisher(time_limit=time_limit)
    constants = {str(symbol): float(getattr(p, _FIELDS[str(symbol)])) for symbol in symbolic.constants}
    scores = _scores(p, p.sample(samples, rng))
    products = scores[:, :, None] * scores[:, None, :]
    return FourWays(
        symbolic=derived.numeric(*p.source, **constants),
        closed_form=p.fisher(),
        quadrature=_by_quadrature(p, symbolic),
        monte_carlo=products.mean(axis=0),
        standard_error=products.std(axis=0, ddof=1) / np.sqrt(samples),
        how=derived.how,
    )


# symbols of densities that are no coordinates -> the field of the numerical class
_FIELDS = {"nu": "degrees_of_freedom"}


def _scores(p: Distribution, x: np.ndarray) -> np.ndarray:
    assert isinstance(p, ExponentialFamily | LocationScale)
    return p.score(x)


def _by_quadrature(p: Distribution, symbolic: Density) -> np.ndarray:
    if isinstance(p, MultivariateNormal | Dirichlet):
        x, weights = _bell_nodes(p) if isinstance(p, MultivariateNormal) else _dirichlet_nodes(p)
        scores = _scores(p, x)
        return np.einsum("n,ni,nj->ij", weights, scores, scores)

    def log_density(x: np.ndarray, *theta: float) -> np.ndarray:
        return p.with_coordinates(np.array(theta)).log_prob(x)

    if isinstance(symbolic.support, sympy.Interval):
        ends = float(symbolic.support.start), float(symbolic.support.end)
        middle = (float(p.location),) if isinstance(p, LocationScale) else ()
        return information_by_quadrature(log_density, p.source, ends, points=middle).outer_product
    finite = isinstance(symbolic.support, tuple)
    outcomes = np.arange(len(symbolic.support)) if finite else _counts(p)
    return information_by_quadrature(log_density, p.source, outcomes=outcomes).outer_product


def _counts(p: Distribution) -> np.ndarray:
    """Return the counts 0, 1, … up to where hardly any probability is left."""
    count = 32
    while 1.0 - np.sum(p.pdf(np.arange(count))) > _TAIL:
        count *= 2
    return np.arange(count)


def _bell_nodes(p: MultivariateNormal) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes, shape (n, d), and weights: Gauss–Hermite, exact for products of the quadratic scores."""
    d = p.mean.shape[-1]
    line, weight = np.polynomial.hermite_e.hermegauss(5)
    z = np.stack(np.meshgrid(*[line] * d, indexing="ij"), axis=-1).reshape(-1, d)
    weights = np.prod(np.meshgrid(*[weight / weight.sum()] * d, indexing="ij"), axis=0).ravel()
    return p.mean + z @ np.linalg.cholesky(p.cov).T, weights


def _dirichlet_nodes(p: Dirichlet) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes, shape (n, 3), and weights.

    Independent gamma variables, divided by their sum, are Dirichlet; the trapezoid rule in their logarithms
    converges fast, because the density falls exponentially on one side and faster on the other.
    """
    lines, weights = [], []
    for a in p.concentration:
        line, step = np.linspace(-36.0 / a, np.log(a + 12.0 * np.sqrt(a) + 36.0), 84, retstep=True)
        log_mass = a * line - np.exp(line)
        mass = step * np.exp(log_mass - log_mass.max())
        lines.append(line)
        weights.append(mass / mass.sum())
    u = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, len(lines))
    # the largest is taken out first: exp would underflow
    g = np.exp(u - u.max(axis=-1, keepdims=True))
    return g / g.sum(axis=-1, keepdims=True), np.prod(np.meshgrid(*weights, indexing="ij"), axis=0).ravel()
