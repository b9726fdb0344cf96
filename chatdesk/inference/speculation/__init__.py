"""Speculative decoding: guesses of the next tokens."""
