"""The hub and downloads from it."""
