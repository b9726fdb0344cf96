"""This installation and its updates."""
