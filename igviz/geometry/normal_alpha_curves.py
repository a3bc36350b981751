"""α-geodesics between univariate normals in closed form: as curves in (mean, std) they are arcs of conics.

With its affine parameter an α-geodesic has mean″ = 2·(1 + α)·mean′·std′/std and std″ = (1 + 2·α)·std′²/std −
½·(1 − α)·mean′²/std. The first gives mean′ = c·std^(2 + 2α), the second is then solved by
std² = a + b·mean − ½·(1 − α)·mean²: by half-circles around points of the mean axis for α = −1, ellipses √2
times as wide as high for α = 0, parabolas for α = 1, hyperbolas above. What stands here needs no parameter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from igviz.geometry.families.normal import Normal
from igviz.geometry.numerics import as_numbers


def normal_alpha_curve(p: Normal, q: Normal, alpha: float, share: ArrayLike) -> Normal:
    """Return points of the α-geodesic from p to q, by how far the mean has gone.

    With s = share and Δ the difference of means, mean = mean_p + s·Δ and
    variance = (1 − s)·variance_p + s·variance_q + ½·(1 − α)·s·(1 − s)·Δ².

    Parameters
    ----------
    p, q : Normal
        At s = 0 and s = 1. Where means agree, s is the share of the change of variance.
    alpha : float
        1 is the e-geodesic, 0 Fisher–Rao's, −1 the m-geodesic.
    share : array_like
        Numbers from 0 to 1. They are not an affine parameter of the path, unless α = −1.

    Returns
    -------
    Normal
        Of the shape of share.

    Raises
    ------
    ValueError
        If alpha is not finite, a share is not between 0 and 1, or p and q are no single distributions.
    ArithmeticError
        If p and q are not joined by an α-geodesic: alpha is at least `normal_alpha_limit`.
    """
    _require("normal_alpha_curve", p, q)
    if not np.isfinite(alpha):
        raise ValueError(f"normal_alpha_curve: alpha must be a finite number, got {alpha!r}")
    s = as_numbers("normal_alpha_curve", "share", share)
    if not np.all((s >= 0.0) & (s <= 1.0)):
        raise ValueError(f"normal_alpha_curve: share must be from 0 to 1, got {share!r}")
    limit = normal_alpha_limit(p, q)
    if alpha >= limit:
        raise ArithmeticError(
            f"normal_alpha_curve: no path for alpha = {alpha:g} joins {p!r} and {q!r}; "
            f"there is one below {limit:g}"
        )
    step = q.mean - p.mean
    bulge = 0.5 * (1.0 - alpha) * s * (1.0 - s) * step**2
    return Normal(p.mean + s * step, np.sqrt((1.0 - s) * p.std**2 + s * q.std**2 + bulge))


def normal_alpha_limit(p: Normal, q: Normal) -> float:
    """Return the least α for which no α-geodesic joins p and q: 1 + 2·(std_p + std_q)²/(mean_p − mean_q)².

    There the variance would fall to 0 on the way. inf where the means agree.
    """
    _require("normal_alpha_limit", p, q)
    if p.mean == q.mean:
        return np.inf
    return float(1.0 + 2.0 * ((p.std + q.std) / (q.mean - p.mean)) ** 2)


def _require(where: str, p: Normal, q: Normal) -> None:
    for name, one in (("p", p), ("q", q)):
        if not isinstance(one, Normal) or one.shape != ():
            raise ValueError(f"{where}: {name} must be one igviz.Normal, got {one!r}")
