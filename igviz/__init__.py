"""igviz: information geometry for variational inference as something you can move.

``import igviz as ig`` is light: every public name below is loaded on first use, so the numerical core
never pays for the pictures and the pictures never pay for the widgets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from igviz.loading import load

__version__ = "0.1.0"

# public name -> the module that defines it
_HOME = {
    "Bernoulli": "igviz.geometry.families.bernoulli",
    "Beta": "igviz.geometry.families.beta",
    "Categorical": "igviz.geometry.families.categorical",
    "Cauchy": "igviz.geometry.families.cauchy",
    "Dirichlet": "igviz.geometry.families.dirichlet",
    "Exponential": "igviz.geometry.families.exponential",
    "ExponentialFamily": "igviz.geometry.families.exponential_family",
    "FlatSubmanifold": "igviz.geometry.submanifolds",
    "Gamma": "igviz.geometry.families.gamma",
    "Laplace": "igviz.geometry.families.laplace",
    "LinearRegression": "igviz.models.linear_regression",
    "Logistic": "igviz.geometry.families.logistic",
    "LogisticRegression": "igviz.models.logistic_regression",
    "MultivariateNormal": "igviz.geometry.families.multivariate_normal",
    "Normal": "igviz.geometry.families.normal",
    "OneDimensionalModel": "igviz.models.one_dimensional",
    "Poisson": "igviz.geometry.families.poisson",
    "PoissonRegression": "igviz.models.poisson_regression",
    "StudentT": "igviz.geometry.families.student_t",
    "PullbackGeometry": "igviz.geometry.pullback",
    "RiemannianManifold": "igviz.geometry.riemannian",
    "UncertainDecoder": "igviz.models.uncertain_decoder",
    "VAE": "igviz.models.vae",
    "adam": "igviz.inference.optimisers",
    "alpha_divergence": "igviz.geometry.divergences",
    "bayes_error": "igviz.geometry.hypothesis_testing",
    "binned_information": "igviz.geometry.binning",
    "bregman_divergence": "igviz.geometry.divergences",
    "chernoff_information": "igviz.geometry.chernoff",
    "cubic_tensor": "igviz.geometry.alpha_geometry",
    "e_projection": "igviz.geometry.projections",
    "elbo": "igviz.inference.elbo",
    "elbo_gradient": "igviz.inference.gradients",
    "empirical_fisher": "igviz.geometry.fisher",
    "expected_fisher": "igviz.geometry.fisher",
    "f_divergence": "igviz.geometry.f_divergences",
    "fisher_rao_distance": "igviz.geometry.distances",
    "geodesic": "igviz.geometry.geodesics",
    "gradient_ascent": "igviz.inference.optimisers",
    "information_by_quadrature": "igviz.geometry.information_by_quadrature",
    "kl_ball": "igviz.geometry.kl_balls",
    "laplace": "igviz.inference.optimisers_laplace",
    "lbfgs": "igviz.inference.optimisers_lbfgs",
    "m_projection": "igviz.geometry.projections",
    "mean_field": "igviz.inference.mean_field",
    "moment_matching": "igviz.inference.moment_matching",
    "monte_carlo_fisher": "igviz.geometry.fisher",
    "natural_gradient_vi": "igviz.inference.natural_gradient",
    "observed_fisher": "igviz.geometry.fisher",
    "pythagorean_residual": "igviz.geometry.projections",
    "sample_gradients": "igviz.inference.gradients",
    "symbolic": "igviz.geometry.symbolic",
    "total_variation": "igviz.geometry.total_variation",
    "Prediction": "igviz.panels.engine",
    "Slider": "igviz.panels.engine",
    "Work": "igviz.panels.engine",
    "panel": "igviz.panels.engine",
    "projector": "igviz.panels.engine",
    "check": "igviz.exercises.checker",
    "check_environment": "igviz.environment",
    "course_map": "igviz.plots.course_map",
}
_MODULES = ("geometry", "inference", "models", "panels", "plots", "symbolic")

__all__ = sorted({*_HOME, *_MODULES})

if TYPE_CHECKING:
    from igviz import geometry, inference, models, panels, plots
    from igviz.environment import check_environment
    from igviz.exercises.checker import check
    from igviz.geometry import symbolic
    from igviz.geometry.alpha_geometry import cubic_tensor
    from igviz.geometry.binning import binned_information
    from igviz.geometry.chernoff import chernoff_information
    from igviz.geometry.distances import fisher_rao_distance
    from igviz.geometry.divergences import alpha_divergence, bregman_divergence
    from igviz.geometry.f_divergences import f_divergence
    from igviz.geometry.families.bernoulli import Bernoulli
    from igviz.geometry.families.beta import Beta
    from igviz.geometry.families.categorical import Categorical
    from igviz.geometry.families.cauchy import Cauchy
    from igviz.geometry.families.dirichlet import Dirichlet
    from igviz.geometry.families.exponential import Exponential
    from igviz.geometry.families.exponential_family import ExponentialFamily
    from igviz.geometry.families.gamma import Gamma
    from igviz.geometry.families.laplace import Laplace
    from igviz.geometry.families.logistic import Logistic
    from igviz.geometry.families.multivariate_normal import MultivariateNormal
    from igviz.geometry.families.normal import Normal
    from igviz.geometry.families.poisson import Poisson
    from igviz.geometry.families.student_t import StudentT
    from igviz.geometry.fisher import (
        empirical_fisher,
        expected_fisher,
        monte_carlo_fisher,
        observed_fisher,
    )
    from igviz.geometry.geodesics import geodesic
    from igviz.geometry.hypothesis_testing import bayes_error
    from igviz.geometry.information_by_quadrature import information_by_quadrature
    from igviz.geometry.kl_balls import kl_ball
    from igviz.geometry.projections import e_projection, m_projection, pythagorean_residual
    from igviz.geometry.pullback import PullbackGeometry
    from igviz.geometry.riemannian import RiemannianManifold
    from igviz.geometry.submanifolds import FlatSubmanifold
    from igviz.geometry.total_variation import total_variation
    from igviz.inference.elbo import elbo
    from igviz.inference.gradients import elbo_gradient, sample_gradients
    from igviz.inference.mean_field import mean_field
    from igviz.inference.moment_matching import moment_matching
    from igviz.inference.natural_gradient import natural_gradient_vi
    from igviz.inference.optimisers import adam, gradient_ascent
    from igviz.inference.optimisers_laplace import laplace
    from igviz.inference.optimisers_lbfgs import lbfgs
    from igviz.models.linear_regression import LinearRegression
    from igviz.models.logistic_regression import LogisticRegression
    from igviz.models.one_dimensional import OneDimensionalModel
    from igviz.models.poisson_regression import PoissonRegression
    from igviz.models.uncertain_decoder import UncertainDecoder
    from igviz.models.vae import VAE
    from igviz.panels.engine import Prediction, Slider, Work, panel, projector
    from igviz.plots.course_map import course_map


def __getattr__(name: str) -> Any:
    if name not in _HOME and name not in _MODULES:
        raise AttributeError(f"igviz has no name {name!r}; the names are: {', '.join(__all__)}")
    module = load(_HOME.get(name, f"igviz.{name}"))
    value = module if name in _MODULES else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
