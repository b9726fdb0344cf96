"""The engine process and the requests to it."""
