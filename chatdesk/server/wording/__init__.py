"""Answers in the formats of clients."""
