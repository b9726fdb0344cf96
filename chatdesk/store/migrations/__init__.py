"""Alembic's migrations: one file a revision, numbered 0001, 0002, ... in order."""
