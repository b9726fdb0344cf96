"""Conversations and their answers."""
