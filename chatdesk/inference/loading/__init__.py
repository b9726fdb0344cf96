"""Opening a model within the memory there is."""
