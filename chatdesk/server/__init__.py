"""The OpenAI-compatible HTTP API, over services."""
