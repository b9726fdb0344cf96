"""Model files: what they are and whether they fit this machine."""
