"""Conversations in other apps' exports: one module for each format."""
