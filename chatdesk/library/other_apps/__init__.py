"""Model files of other apps."""
