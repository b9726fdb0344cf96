"""Widgets without a feature of their own."""
