"""Guessing tokens ahead."""
