"""Making a model smaller."""
