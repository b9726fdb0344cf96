"""The engine process and what is asked of it."""
