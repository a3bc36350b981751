"""Panels of lecture 04: the evidence lower bound."""
