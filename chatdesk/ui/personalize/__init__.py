"""The Personalize page."""
