"""Widgets that belong to no feature."""
