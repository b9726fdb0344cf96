"""Conversations as files for other programs and for people: one module for each format."""
