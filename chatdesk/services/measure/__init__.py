"""Measuring a loaded model."""
