"""The preview of what would be learned from."""
