"""SQLite: conversations as trees, models, and their migrations."""
