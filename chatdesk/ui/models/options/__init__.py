"""Load options of a model."""
