"""Opens a model within the memory available."""
