"""Measurements of a loaded model."""
