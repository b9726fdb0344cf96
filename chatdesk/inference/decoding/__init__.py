"""Computes the tokens of all running answers."""
