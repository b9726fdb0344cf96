"""Adapters on this computer."""
