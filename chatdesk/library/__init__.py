"""Model files: their properties, and if they fit this machine."""
