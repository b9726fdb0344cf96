"""Qt widgets, over services."""
