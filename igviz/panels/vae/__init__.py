"""Panels of lecture 06: the variational autoencoder and the geometry of its latent plane."""
