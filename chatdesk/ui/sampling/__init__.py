"""Sampling parameters as sliders and fields."""
