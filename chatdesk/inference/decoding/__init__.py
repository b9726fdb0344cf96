"""Computing tokens for all running answers."""
