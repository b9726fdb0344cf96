"""Child processes: start, talk, stop, detect a crash. This package knows nothing of models."""
