"""The normal with the moments of a posterior."""

from __future__ import annotations

from typing import Protocol

from igviz.geometry.families.normal import Normal


class HasPosteriorMoments(Protocol):
    """What moment matching asks of a model with one latent number."""

    def posterior_moments(self) -> tuple[float, float]:
        """Return mean and standard deviation of the posterior."""


def moment_matching(model: HasPosteriorMoments) -> Normal:
    """Return the normal q of least KL(posterior‖q): the one with the posterior's mean and standard deviation.

    KL(p‖q) = −H(p) − E_p[log q], and E_p[log q] asks of p only its first two moments. So the minimum is where
    those of q agree with them, and it is the only one, as normals are an e-flat family. Unlike variational
    inference, which minimises KL(q‖p), it covers all humps of p, and it needs the moments that inference is
    after.

    Parameters
    ----------
    model : OneDimensionalModel
        Or anything with a method posterior_moments() that returns mean and standard deviation.

    Returns
    -------
    Normal
        A single one.

    Raises
    ------
    TypeError
        If the model has no posterior_moments.
    ValueError
        If the posterior has no finite moments.

    See Also
    --------
    igviz.m_projection : the same within an exponential family.

    References
    ----------
    Bishop, C. M. (2006). Pattern Recognition and Machine Learning, section 10.7.
    Amari, S. (2016). Information Geometry and Its Applications, section 2.4.
    """
    if not callable(getattr(model, "posterior_moments", None)):
        raise TypeError(
            "moment_matching: model must have a method posterior_moments(), as an igviz.OneDimensionalModel "
            f"has, got {type(model).__name__}"
        )
    mean, std = model.posterior_moments()
    return Normal(mean, std)
