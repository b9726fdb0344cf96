"""This computer: what is measured of it once, for everything that says how models would run."""
