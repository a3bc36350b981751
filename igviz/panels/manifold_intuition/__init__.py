"""Panels of lecture 01: a family of distributions is a surface."""
