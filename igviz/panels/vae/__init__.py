"""Panels of lecture 06: the variational autoencoder and the geometry of its latent plane."""

from igviz.panels.vae.collapse import collapse as collapse
from igviz.panels.vae.geodesic import geodesic as geodesic
from igviz.panels.vae.latent_plane import latent_plane as latent_plane
from igviz.panels.vae.overfitting import overfitting as overfitting
from igviz.panels.vae.training import training as training
from igviz.panels.vae.volume import volume as volume
