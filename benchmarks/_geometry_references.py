"""Make tests/geometry/fisher_rao_references.json: Fisher–Rao distances with 30 digits, by mpmath alone.

    .venv/bin/python benchmarks/_geometry_references.py

In the natural coordinates x of an exponential family the geodesic equation is ∇²A(x)·ẍ = −½·∇³A(ẋ, ẋ). It
is solved by collocation at Chebyshev points with 55 digits, for y with x = exp y and again, with more points,
for y with x = y². A number is written if both agree to 30 digits, the speed is constant to 15 (the energy is
stationary, so that the length has twice as many) and, for the Gamma family, if a quadrature agrees that knows
nothing of the equation: changing the unit of the Gamma variable is an isometry, which gives Clairaut's
relation. Newton's method starts from a straight line in y; its matrix is found in double precision and only
refines. It takes about ten minutes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf
from scipy import integrate, optimize, special

FILE = Path(__file__).resolve().parent.parent / "tests" / "geometry" / "fisher_rao_references.json"
PAIRS = 12
ITERATIONS = 80
SIZES = ((64, 90), (96, 128), (144, 180))  # points in the two charts


def pairs() -> dict[str, list[list[list[float]]]]:
    """Generic pairs of source parameters, all exact in binary."""
    rng = np.random.default_rng(20)

    def draw(k: int, centre: float, spread: float) -> list[list[list[float]]]:
        values = np.exp(rng.normal(centre, spread, (PAIRS, 2, k)))
        return (np.ceil(values * 256) / 256).tolist()

    return {"Gamma": draw(2, 0.6, 0.9), "Beta": draw(2, 0.7, 0.9), "Dirichlet": draw(3, 0.7, 0.8)}


# -- the equation ------------------------------------------------------------------------------------


class Numbers:
    """The two polygamma functions in doubles or with many digits."""

    def __init__(self, exact: bool) -> None:
        if exact:
            self.one, self.two = lambda x: mpmath.polygamma(1, x), lambda x: mpmath.polygamma(2, x)
        else:
            self.one, self.two = lambda x: special.zeta(2, x), lambda x: -2.0 * special.zeta(3, x)


def gamma_terms(x: Any, v: Any, numbers: Numbers) -> tuple[Any, Any]:
    """Return the squared speed and the acceleration in (shape, rate), which are natural up to a sign."""
    (a, b), (da, db) = x, v
    first = numbers.one(a)
    squared = first * da**2 - 2 * da * db / b + a * db**2 / b**2
    pull_a = numbers.two(a) * da**2 + db**2 / b**2
    pull_b = 2 * da * db / b**2 - 2 * a * db**2 / b**3
    # the matrix [[ψ′(a), −1/b], [−1/b, a/b²]] inverted
    size = a * first - 1
    return squared, [-(a * pull_a + b * pull_b) / size / 2, -(b * pull_a + b**2 * first * pull_b) / size / 2]


def concentration_terms(x: Any, v: Any, numbers: Numbers) -> tuple[Any, Any]:
    """Return the squared speed and the acceleration in concentrations, by the formula of Sherman–Morrison."""
    total, change = sum(x), sum(v)
    firsts, whole = [numbers.one(a) for a in x], numbers.one(total)
    squared = sum(f * d**2 for f, d in zip(firsts, v, strict=True)) - whole * change**2
    third = numbers.two(total) * change**2
    pulls = [numbers.two(a) * d**2 - third for a, d in zip(x, v, strict=True)]
    alone = [pull / f for pull, f in zip(pulls, firsts, strict=True)]
    common = whole * sum(alone) / (1 - whole * sum(1 / f for f in firsts))
    return squared, [-(pull + common / f) / 2 for pull, f in zip(alone, firsts, strict=True)]


TERMS = {"Gamma": gamma_terms, "Beta": concentration_terms, "Dirichlet": concentration_terms}


def bend(terms: Callable, chart: str, y: Any, dy: Any, numbers: Numbers) -> tuple[Any, Any]:
    """Return the squared speed and ÿ in a chart."""
    if chart == "exp":
        x = [mpmath.exp(c) if isinstance(c, mpf) else np.exp(c) for c in y]
        v = [a * d for a, d in zip(x, dy, strict=True)]
        squared, second = terms(x, v, numbers)
        return squared, [s / a - d**2 for s, a, d in zip(second, x, dy, strict=True)]
    x, v = [c**2 for c in y], [2 * c * d for c, d in zip(y, dy, strict=True)]
    squared, second = terms(x, v, numbers)
    return squared, [(s / 2 - d**2) / c for s, c, d in zip(second, y, dy, strict=True)]


# -- collocation -------------------------------------------------------------------------------------


class Grid:
    """Chebyshev points of [0, 1], the matrix of differentiation, and Clenshaw–Curtis weights."""

    def __init__(self, n: int) -> None:
        z = [mpmath.cos(mp.pi * (n - i) / n) for i in range(n + 1)]
        c = [mpf(2 if i in (0, n) else 1) * (-1) ** i for i in range(n + 1)]
        matrix = np.array([[mpf(0)] * (n + 1) for _ in range(n + 1)], dtype=object)
        for i in range(n + 1):
            for j in range(n + 1):
                if i != j:
                    matrix[i, j] = 2 * c[i] / c[j] / (z[i] - z[j])
            matrix[i, i] = -sum(matrix[i])
        self.points = np.array([(1 + each) / 2 for each in z], dtype=object)
        self.first = matrix
        self.second = matrix.dot(matrix)
        self.rough = [np.array(m, dtype=float) for m in (self.first, self.second)]
        weights = []
        for i in range(n + 1):
            terms = (
                (mpf(1) if 2 * k < n else mpf(1) / 2)
                * 2
                * mpmath.cos(2 * k * mp.pi * i / n)
                / (1 - 4 * k * k)
                for k in range(1, n // 2 + 1)
            )
            weights.append((1 + sum(terms)) / n / (2 if i in (0, n) else 1))
        self.weights = np.array(weights, dtype=object)


@cache
def grid_of(size: int) -> Grid:
    return Grid(size)


def solve(family: str, chart: str, start: list[float], end: list[float], grid: Grid) -> mpf:
    """Return the length of the geodesic, found in a chart."""
    terms, exact, rough = TERMS[family], Numbers(True), Numbers(False)
    into = mpmath.log if chart == "exp" else mpmath.sqrt
    ends = [[into(mpf(c)) for c in each] for each in (start, end)]
    y = np.array([[a + t * (b - a) for a, b in zip(*ends, strict=True)] for t in grid.points], dtype=object)
    damped = True
    for _ in range(ITERATIONS):
        residual = (
            rough_residual(terms, chart, np.array(y, dtype=float), grid, rough)
            if damped
            else exact_residual(terms, chart, y, grid, exact)
        )
        jacobian = rough_jacobian(terms, chart, np.array(y, dtype=float), grid, rough)
        size = max(abs(float(r)) for r in residual.ravel())
        scaled = np.array([float(r / mpf(size)) for r in residual.ravel()]) if size else 0.0 * jacobian[0]
        step = -np.linalg.solve(jacobian, scaled).reshape(residual.shape)
        largest = size * np.max(np.abs(step))
        factor = min(1.0, 0.3 / largest) if damped else 1.0
        y[1:-1] = y[1:-1] + step * (mpf(size) * mpf(factor))
        if damped and largest < 1e-7:
            damped = False
        elif not damped and largest < 1e-40:
            break
    else:
        raise ArithmeticError(f"{family} {start} {end}: Newton's method has not settled")
    dy = grid.first.dot(y)
    squares = np.array([bend(terms, chart, list(a), list(d), exact)[0] for a, d in zip(y, dy, strict=True)])
    energy = grid.weights.dot(squares)
    if max(abs(s / energy - 1) for s in squares) > mpf(10) ** -15:
        raise ArithmeticError(f"{family} {start} {end}: more points are needed")
    return mpmath.sqrt(energy)


def exact_residual(terms: Callable, chart: str, y: Any, grid: Grid, numbers: Numbers) -> Any:
    dy, ddy = grid.first.dot(y), grid.second.dot(y)
    rows = range(1, len(y) - 1)
    wanted = [bend(terms, chart, list(y[i]), list(dy[i]), numbers)[1] for i in rows]
    return ddy[1:-1] - np.array(wanted, dtype=object)


def rough_residual(terms: Callable, chart: str, y: np.ndarray, grid: Grid, numbers: Numbers) -> np.ndarray:
    dy = grid.rough[0] @ y
    return (grid.rough[1] @ y)[1:-1] - np.array(bend(terms, chart, y[1:-1].T, dy[1:-1].T, numbers)[1]).T


def rough_jacobian(terms: Callable, chart: str, y: np.ndarray, grid: Grid, numbers: Numbers) -> np.ndarray:
    """Return the derivative of the residual by the inner values, in doubles, by central differences."""
    n, k = y.shape[0] - 2, y.shape[1]
    dy = grid.rough[0] @ y
    first, second = (m[1:-1, 1:-1] for m in grid.rough)
    result = np.zeros((n, k, n, k))
    h = 1e-6
    for j in range(k):
        shift = h * np.eye(k)[j]
        by_y, by_dy = (
            (np.array(up[1]) - np.array(down[1])) / (2 * h)
            for up, down in (
                [bend(terms, chart, (y[1:-1] + s * shift).T, dy[1:-1].T, numbers) for s in (1, -1)],
                [bend(terms, chart, y[1:-1].T, (dy[1:-1] + s * shift).T, numbers) for s in (1, -1)],
            )
        )
        for i in range(k):
            result[:, i, :, j] = -by_dy[i][:, None] * first - np.diag(by_y[i])
        result[:, j, :, j] += second
    return result.reshape(n * k, n * k)


# -- Gamma by quadrature -----------------------------------------------------------------------------


def clairaut(start: list[float], end: list[float]) -> mpf:
    """Return the distance of two Gamma distributions from Clairaut's relation.

    With the mean m the metric is h(a)·(d log a)² + a·(d log m)², h = a²ψ′(a) − a. At unit speed
    c = a·(d log m)/ds is constant, and with a = (c·cosh r)² the length element is 2·√h·dr, while log m
    changes by 2·√h/(c·cosh² r)·dr. r changes its sign where a path turns. c is found in doubles first.
    """
    (a, b), (p, q) = ([mpf(c) for c in each] for each in (start, end))
    low, high = min(a, p), max(a, p)
    shift = abs(mpmath.log((p / q) / (a / b)))

    def rough_travel(c: float, turn: int) -> float:
        def element(r: float) -> float:
            x = (c * np.cosh(r)) ** 2
            return 2.0 * np.sqrt(x**2 * special.zeta(2.0, x) - x) / (c * np.cosh(r) ** 2)

        ends = [float(np.arccosh(max(float(x) ** 0.5 / c, 1.0))) for x in (low, high)]
        return integrate.quad(element, -turn * ends[0], ends[1], epsrel=1e-9)[0]

    def integral(c: mpf, turn: int, weight: Callable[[mpf], mpf]) -> mpf:
        def element(r: mpf) -> mpf:
            x = (c * mpmath.cosh(r)) ** 2
            return 2 * mpmath.sqrt(x**2 * mpmath.polygamma(1, x) - x) * weight(r)

        first, last = (mpmath.acosh(mpmath.sqrt(x) / c) for x in (low, high))
        return mpmath.quad(element, [-turn * first + (last + turn * first) * i / 3 for i in range(4)])

    edge = float(low) ** 0.5
    turn = 1 if rough_travel(edge, -1) < shift else -1
    near = optimize.brentq(
        lambda c: rough_travel(np.exp(c), turn) - float(shift), np.log(edge) - 20.0, np.log(edge), xtol=1e-9
    )
    c = mpmath.findroot(
        lambda c: integral(c, turn, lambda r: 1 / (c * mpmath.cosh(r) ** 2)) - shift,
        (mpf(np.exp(near)) * (1 - mpf(10) ** -8), mpf(np.exp(near)) * (1 - mpf(10) ** -9)),
        tol=mpf(10) ** -60,
    )
    return integral(c, turn, lambda _: mpf(1))


# -- the file ----------------------------------------------------------------------------------------


def agreed(family: str, pair: list[list[float]]) -> tuple[mpf, float]:
    """Return a distance and to how many digits it is agreed upon, with as many points as that needs."""
    expected = None
    if family == "Gamma":
        with mp.workdps(36):
            expected = clairaut(*pair)
    for coarse, fine in SIZES:
        try:
            numbers = [
                solve(family, "exp", *pair, grid_of(coarse)),
                solve(family, "root", *pair, grid_of(fine)),
            ]
        except ArithmeticError:
            continue
        others = [numbers[0]] if expected is None else [numbers[0], expected]
        digits = min(float(-mpmath.log10(abs(n / numbers[1] - 1) + mpf(10) ** -45)) for n in others)
        if digits >= 31:
            return numbers[1], digits
    raise ArithmeticError(f"{family} {pair}: no agreement")


def distances(family: str, both: list[list[list[float]]]) -> Iterator[tuple[list[list[float]], str]]:
    for pair in both:
        distance, digits = agreed(family, pair)
        print(f"{family} {pair}: {mpmath.nstr(distance, 12)}, agreed to {digits:.1f} digits", flush=True)
        yield pair, mpmath.nstr(distance, 30)


def main() -> int:
    mp.dps = 55
    result = {
        family: [{"pair": pair, "distance": distance} for pair, distance in distances(family, both)]
        for family, both in pairs().items()
    }
    FILE.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
