"""Child processes: start, talk, stop, notice a crash. Knows nothing of models."""
