"""This computer, and what fits it."""
