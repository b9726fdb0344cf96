"""KV states on disk."""
