"""Adapters made elsewhere, in their formats."""
