"""Model files: what they are, and the starter."""
