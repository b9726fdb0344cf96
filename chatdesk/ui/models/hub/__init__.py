"""Models of the hub."""
