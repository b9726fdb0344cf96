"""Markdown: from source text to a painted document."""
