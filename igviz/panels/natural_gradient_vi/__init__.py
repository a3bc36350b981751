"""Panels of lecture 05: natural-gradient variational inference."""
